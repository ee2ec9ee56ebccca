"""The parts of the test suite. Each runs in a process of its own; `make test` adds them up.

    lane 1   pure tests (tests/unit), the story (scripts/story.py), packaging (tests/packaging),
             the addon beside others of Odoo's own that confirm orders too (tests/companions)
    lane 2   Odoo tests (tests/test_*.py: models, views, browser tours)

Two lanes because two cores are what a small CI machine has.
"""

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from . import database, odoo, setup, story, system_packages
from .lock import exclusive
from .messages import DevError, say, step, warn
from .odoo_source import OdooSource
from .paths import ADDON, ADDON_LINK, DEV, LOCKS, LOGS, ODOO_CONF, REPORTS, ROOT, VENV_PYTHON
from .results import Tally, read_junit

Part = Callable[[], Tally]

# The Odoo tests are most of the work, so they use both cores; each worker copies the database for itself. A class
# stays in one worker, since preparing its records is what takes long.
IN_PARALLEL = ("--numprocesses=2", "--dist=loadscope", "-p", "kept_filestore")
PLUGINS = ROOT / "scripts" / "pytest"
# Their confirmations run around or beside ours: tickets book seats, the shop confirms from its checkout.
COMPANIONS = ("event_sale", "website_sale")
PYTEST_NOTHING_RAN = 5
BROWSER_OR_PDF = ("chrom", "wkhtmltopdf", "websocket")


def unit_tests(arguments: Sequence[str]) -> int:
    """tests/unit with plain pytest, without Odoo."""
    setup.ensure()
    return subprocess.call(_unit_command(arguments), cwd=ROOT, env=odoo.environment_for_child())


def odoo_tests(name: str, arguments: Sequence[str], *, keep: bool = False) -> int:
    """The Odoo tests on a fresh database, or with `keep` on the one that is there, the addon updated."""
    with setup.ready() as source, database.reserved(name):
        if keep and database.exists(name):
            with step(f"Updating {ADDON} in {name}"):
                odoo.install(name, [ADDON], update=True)
        else:
            database.create_with_addon(name, source)
        return subprocess.call(_odoo_command(name, arguments), env=_environment())


def all_tests(arguments: Sequence[str]) -> int:
    """Every test, or with pytest arguments those of the unit and Odoo tests that they select. One summary line."""
    with ThreadPoolExecutor() as pool:
        programs = pool.submit(system_packages.ensure)
        setup.ensure()
        programs.result()
    with setup.ready() as source, exclusive(LOCKS / "test", "make test"):
        tally = _run_lanes(_lanes(source, arguments))
    return _conclude(tally)


def _run_lanes(lanes: list[list[Part]]) -> Tally:
    """All lanes side by side. Ctrl-C ends the parts that run, being for the whole process group; no other is begun."""
    stopped = Event()
    with ThreadPoolExecutor() as pool:
        try:
            return sum(pool.map(lambda lane: _run_lane(lane, stopped), lanes), Tally())
        except KeyboardInterrupt:
            stopped.set()
            raise


def _run_lane(lane: list[Part], stopped: Event) -> Tally:
    return sum((_run_part(part) for part in lane if not stopped.is_set()), Tally())


def _run_part(part: Part) -> Tally:
    """A part that cannot even start is a failure like any other: the summary line comes all the same."""
    try:
        return part()
    except DevError as exc:
        say(f"error: {exc}")
        return Tally(failed=1)


def _lanes(source: OdooSource, arguments: Sequence[str]) -> list[list[Part]]:
    subset = bool(arguments)
    for_unit, for_odoo = _selected(arguments, unit=True), _selected(arguments, unit=False)

    def unit() -> Tally:
        return Tally() if for_unit is None else _run_pytest("unit", _unit_command(for_unit), subset)

    def in_odoo() -> Tally:
        if for_odoo is None:
            return Tally()
        database.create_with_addon("test", source)
        return _run_pytest("odoo", _odoo_command("test", [*([] if subset else IN_PARALLEL), *for_odoo]), subset)

    def packaging() -> Tally:
        return _run_pytest("packaging", _packaging_command(), subset)

    def told() -> Tally:
        return _run_story(source)

    def companions() -> Tally:
        database.create_with_addon("test_companions", source, beside=COMPANIONS)
        return _run_pytest("companions", _odoo_command("test_companions", ["tests/companions"]), subset)

    return [[unit], [in_odoo]] if subset else [[unit, told, packaging, companions], [in_odoo]]


def _run_pytest(part: str, command: list[str], subset: bool) -> Tally:
    """Run one part with its output in a log; show the log when something failed."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{part}.xml"
    report.unlink(missing_ok=True)
    log = LOGS / f"test-{part}.log"
    with step(f"Running the {part} tests"), log.open("w") as out:
        arguments = [*command, f"--junitxml={report}", "-q"]
        code = subprocess.call(
            arguments,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env=_environment(),
        )
    tally = read_junit(report)
    if code == PYTEST_NOTHING_RAN and subset:
        return tally
    if tally.total == 0 or (code and not tally.failed):
        tally.failed += 1  # a part that did not run, or that broke outside its tests, is a failure
    if tally.failed:
        say(log.read_text(errors="replace"))
    say(f"{part}: {tally} ({log.relative_to(ROOT)})")
    return tally


def _run_story(source: OdooSource) -> Tally:
    """The story counts as one test."""
    log = LOGS / "test-story.log"
    with log.open("w") as out:
        code = story.tell(source, "test_story", out)
    if code:
        say(log.read_text(errors="replace"))
    tally = Tally(failed=1) if code else Tally(passed=1)
    say(f"story: {tally} ({log.relative_to(ROOT)})")
    return tally


def _conclude(tally: Tally) -> int:
    for skip in tally.skips:
        say(f"skipped: {skip.name} ({skip.reason})")
    if system_packages.required():
        unjust = [skip for skip in tally.skips if any(word in skip.reason.lower() for word in BROWSER_OR_PDF)]
        if unjust:
            warn(f"{len(unjust)} tests of the browser or of PDF were skipped, which CI=true does not allow")
            tally = Tally(
                tally.passed, tally.failed + len(unjust), [skip for skip in tally.skips if skip not in unjust]
            )
    if tally.total == len(tally.skips):
        warn("no test ran")
    say(str(tally))
    return 1 if tally.failed or not tally.passed else 0


def _selected(arguments: Sequence[str], *, unit: bool) -> list[str] | None:
    """The arguments for one of the two suites; None when the paths among them name the other one alone."""
    paths = [argument for argument in arguments if _is_path(argument)]
    own = [path for path in paths if ("unit" in Path(path).parts) == unit]
    if paths and not own:
        return None
    return [argument for argument in arguments if argument not in paths or argument in own]


def _unit_command(arguments: Sequence[str]) -> list[str]:
    return [str(VENV_PYTHON), "-m", "pytest", "-c", "tests/unit/pytest.ini", *_own(arguments, "tests/unit")]


def _packaging_command() -> list[str]:
    return [str(VENV_PYTHON), "-m", "pytest", "-c", "tests/packaging/pytest.ini", "tests/packaging"]


def _odoo_command(name: str, arguments: Sequence[str]) -> list[str]:
    """pytest-odoo knows the tests as the addon's only by their path below the folder named after it."""
    paths = [_below_link(argument) for argument in arguments]
    if not any(argument.startswith(str(DEV)) for argument in paths):
        paths.append(str(ADDON_LINK / "tests"))
    options = [
        f"--odoo-config={ODOO_CONF}",
        f"--odoo-database={name}",
        "--odoo-http",
        "-p",
        "one_day",
        "--override-ini=cache_dir=.dev/cache",
    ]
    return [str(VENV_PYTHON), "-m", "pytest", *options, *paths]


def _environment() -> dict[str, str]:
    return odoo.environment_for_child(PYTHONPATH=str(PLUGINS))


def _own(arguments: Sequence[str], default: str) -> list[str]:
    """The arguments, with the default folder when they name no path."""
    return [*arguments] if any(_is_path(argument) for argument in arguments) else [*arguments, default]


def _is_path(argument: str) -> bool:
    path = argument.partition("::")[0]
    return (path.endswith(".py") or "/" in path) and Path(path).exists()


def _below_link(argument: str) -> str:
    """A path below the checkout as the path below the link; anything else (`-k`, its value, …) unchanged."""
    path, separator, test = argument.partition("::")
    real = Path(path).resolve()
    if not _is_path(argument) or not real.is_relative_to(ROOT):
        return argument
    return f"{ADDON_LINK / real.relative_to(ROOT)}{separator}{test}"
