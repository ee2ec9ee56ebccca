"""The benchmarks' databases: one with this addon, one with the community module it is compared with.

The community module is `sale_financial_risk` of the Odoo Community Association (AGPL-3), from PyPI. It is installed
under `.dev/bench/` and into a database of its own, never beside this addon.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dev import database, odoo, setup
from dev.messages import DevError, step, tell
from dev.odoo_source import OdooSource
from dev.paths import DEV, ODOO_CONF, VENV_PYTHON
from dev.process import run_logged

OURS = "bench"
PEER = "bench_peer"
PEER_MODULE = "sale_financial_risk"
PEER_PACKAGES = ("odoo-addon-sale-financial-risk==19.0.*", "odoo-addon-account-financial-risk==19.0.*")
PEER_FOLDER = DEV / "bench" / "peer"
CONF = DEV / "bench" / "odoo.conf"


@contextmanager
def prepared() -> Iterator[bool]:
    """Both databases without data, for the time of the block; whether the community module's is among them.

    `BENCH_KEEP=1` keeps those that exist, data included.
    """
    keep = os.environ.get("BENCH_KEEP") == "1"
    with setup.ready() as source, database.reserved(OURS):
        if not (keep and database.exists(OURS)):
            database.create_with_addon(OURS, source)
        has_peer = _prepare_peer(source, keep=keep)
        _write_conf()
        yield has_peer


@contextmanager
def screening_database(name: str) -> Iterator[None]:
    """A database with this addon alone, for the time of the block; `BENCH_KEEP=1` keeps one that exists."""
    keep = os.environ.get("BENCH_KEEP") == "1"
    with setup.ready() as source, database.reserved(name):
        if not (keep and database.exists(name)):
            database.create_with_addon(name, source)
        _write_conf()
        yield


def _prepare_peer(source: OdooSource, *, keep: bool) -> bool:
    try:
        _download_peer()
        _write_conf()
        if not (keep and database.exists(PEER)):
            with step(f"Installing {PEER_MODULE} in {PEER}"):
                database.create_from_template(PEER, source)
                run_logged(odoo.command(*_install_options()), f"odoo-{PEER}")
    except DevError as exc:
        tell(f"warning: measured without {PEER_MODULE}: {exc}")
        return False
    return True


def _install_options() -> list[str]:
    options = [f"--config={CONF}", f"--database={PEER}", f"--init={PEER_MODULE}"]
    return [*options, "--no-http", "--stop-after-init", "--max-cron-threads=0"]


def _download_peer() -> None:
    if (PEER_FOLDER / "odoo" / "addons" / PEER_MODULE).is_dir():
        return
    with step(f"Downloading {PEER_MODULE} from PyPI"):
        command = [VENV_PYTHON, "-m", "pip", "install", "--no-deps", "--no-compile", "--disable-pip-version-check"]
        run_logged([*command, "--target", PEER_FOLDER, *PEER_PACKAGES], "pip-bench")


def _write_conf() -> None:
    """The checkout's odoo.conf with the community module's folder on the addons path."""
    CONF.parent.mkdir(parents=True, exist_ok=True)
    lines = ODOO_CONF.read_text().splitlines()
    peer = PEER_FOLDER / "odoo" / "addons"
    with_peer = [f"{line},{peer}" if line.startswith("addons_path") and peer.is_dir() else line for line in lines]
    CONF.write_text("\n".join([*with_peer, ""]))
