"""`make bench`: every benchmarks/bench_*.py, one after the other so that they do not disturb each other's figures."""

import subprocess

from . import odoo, setup
from .messages import say
from .paths import ROOT, VENV_PYTHON


def run() -> int:
    scripts = sorted((ROOT / "benchmarks").glob("bench_*.py"))
    if not scripts:
        say("no benchmark yet: benchmarks/bench_*.py is what this runs")
        return 0
    with setup.ready():
        # A benchmark makes its databases with the modules here.
        environment = odoo.environment_for_child(PYTHONPATH=str(ROOT / "scripts"))
        codes = []
        for script in scripts:
            say(f"== {script.stem}")
            codes.append(subprocess.call([VENV_PYTHON, script], cwd=ROOT, env=environment))
    return 1 if any(codes) else 0
