"""Odoo's own command line: install modules, open a shell."""

import os
import re
from pathlib import Path

from .messages import DevError
from .paths import LOGS, ODOO_CONF, VENV_PYTHON
from .process import run_logged

SHOWN_LINES = 25


def command(*arguments: str) -> list[str]:
    return [str(VENV_PYTHON), "-m", "odoo", *arguments]


def install(database: str, modules: list[str], *, demo: bool = False, update: bool = False) -> None:
    """Install (or update) modules in a database, created when it does not exist."""
    log_name = f"odoo-{database}"
    action = "--update" if update else "--init"
    arguments = [f"--config={ODOO_CONF}", f"--database={database}", f"{action}={','.join(modules)}", "--no-http"]
    arguments += ["--stop-after-init", "--max-cron-threads=0", *(["--with-demo"] if demo else [])]
    try:
        run_logged(command(*arguments), log_name)
    except DevError as exc:
        raise DevError(f"Odoo could not install {', '.join(modules)}:\n{_failure(LOGS / f'{log_name}.log')}") from exc


def _failure(log: Path) -> str:
    """The end of the log from its last traceback on, or the error lines when there is none."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if not re.search(r" (INFO|DEBUG) ", line)]
    traces = [number for number, line in enumerate(lines) if line.startswith("Traceback")]
    told = lines[max(traces[-1] - 1, 0) :] if traces else [line for line in lines if re.search("ERROR|CRITICAL", line)]
    return "\n".join([*told[-SHOWN_LINES:], f"(everything is in {log})"])


def environment_for_child(**extra: str) -> dict[str, str]:
    """The environment without what a developer's own shell might have set for another Odoo."""
    dropped = {"ODOO_RC", "OPENERP_SERVER", "PYTEST_DB_USE_ENV_VARS", "PGDATABASE"}
    return {**{key: value for key, value in os.environ.items() if key not in dropped}, **extra}
