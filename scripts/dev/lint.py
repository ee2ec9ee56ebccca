"""`make lint`: every check, each to its end, so that one run shows everything there is to mend."""

import os
import subprocess

from . import setup
from .messages import say
from .paths import ROOT, VENV

CHECKS = {
    "ruff": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "walls": ["lint-imports", "--no-cache"],
    "odoo": ["pylint", "credit_insurance", "tests", "__manifest__.py"],
    "types": ["mypy"],
}


def run() -> int:
    setup.ensure()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    failed = [name for name, command in CHECKS.items() if not _passes(name, command, environment)]
    say(f"lint: {', '.join(failed)} failed" if failed else "lint: all clean")
    return 1 if failed else 0


def _passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    program, *arguments = command
    done = subprocess.run(
        [VENV / "bin" / program, *arguments],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        say(f"{done.stdout.rstrip()}\n")
    say(f"{name}: {'failed' if done.returncode else 'ok'}")
    return done.returncode == 0
