"""`make story`: the product's story told step by step, in an Odoo shell on a fresh database with demo data."""

import subprocess
import sys
from typing import IO

from . import database, odoo, setup, shell, simulator
from .children import free_port
from .odoo_source import OdooSource
from .paths import ROOT

SCRIPTS = ROOT / "scripts"
SCRIPT = SCRIPTS / "story" / "run.py"
FIRST_PORT = 8170


def run() -> int:
    with setup.ready() as source:
        return tell(source, "story", sys.stdout)


def tell(source: OdooSource, name: str, out: IO[str]) -> int:
    """Run the story with its lines going to `out`; non-zero when a step is not as told."""
    with database.reserved(name), SCRIPT.open() as script:
        database.create_with_addon(name, source, demo=True)
        return _tell(name, script, out)


def _tell(name: str, script: IO[str], out: IO[str]) -> int:
    port = free_port(FIRST_PORT)
    with simulator.running(port, ":memory:"):
        variables = {simulator.URL_VARIABLE: simulator.url(port), "PYTHONPATH": str(SCRIPTS)}
        environment = odoo.environment_for_child(**variables)
        return subprocess.call(shell.command(name), stdin=script, stdout=out, stderr=subprocess.STDOUT, env=environment)
