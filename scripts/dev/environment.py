"""The virtual environment: every pinned package of requirements.txt, and Odoo importable through a .pth file."""

import hashlib
import os
import platform
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

from .messages import DevError, step
from .odoo_source import OdooSource
from .paths import DEV, REQUIREMENTS, VENV, VENV_PYTHON
from .process import Explanations, run_logged

NEEDED_BYTES = 2 * 1024**3
CREATED = VENV / "created"

# durable-rules calls PyEval_CallObject, which Python 3.13 removed. Its setup.py ignores CFLAGS and honours CC.
COMPILER_FLAGS = "-O2 -DPyEval_CallObject=PyObject_CallObject"

PIP_FAILURES: Explanations = (
    (
        r"Python\.h: No such file",
        "the Python headers are missing (durable-rules is compiled here): run 'apt-get install python3-dev'",
    ),
    (
        r"error: command '.*' failed|command .* failed: No such file",
        "durable-rules did not compile: run 'apt-get install gcc libc6-dev python3-dev' (see .dev/logs/pip.log)",
    ),
    (
        r"No matching distribution found",
        "pip's index lacks a pinned package: check 'pip config list' and the network (see .dev/logs/pip.log)",
    ),
)


def ensure() -> None:
    """Create or update the environment. Interrupted, it is completed by the next run: the stamp comes last."""
    stamp = VENV / "complete"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    _check_space()
    compiler = _compiler()
    if not _is_created():
        _create()
    with step("Installing the Python packages"):
        run_logged(
            [
                VENV_PYTHON,
                "-m",
                "pip",
                "install",
                "--no-deps",
                "--no-compile",
                "--disable-pip-version-check",
                "-r",
                REQUIREMENTS,
            ],
            "pip",
            explain=PIP_FAILURES,
            env={"CC": f"{compiler} {COMPILER_FLAGS}"},
        )
    stamp.write_text(wanted)


def link_odoo(source: OdooSource) -> None:
    """Make `import odoo` find this Odoo."""
    pth = site_packages() / "odoo_source.pth"
    line = f"{source.python_path}\n"
    if not pth.is_file() or pth.read_text() != line:
        pth.write_text(line)


def fingerprint() -> str:
    """Changes whenever the environment has to be brought up to date."""
    return hashlib.sha256(f"{platform.python_version()}\n{REQUIREMENTS.read_text()}".encode()).hexdigest()


def site_packages(root: Path = VENV) -> Path:
    return root / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _is_created() -> bool:
    """Whether the environment is there with pip in it, and for the Python this runs on."""
    return CREATED.is_file() and CREATED.read_text() == platform.python_version()


def _create() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401 (Debian splits it off)
    except ImportError as exc:
        raise DevError("this Python has no venv module: run 'apt-get install python3-venv'") from exc
    with step("Creating the virtual environment"):
        venv.create(VENV, with_pip=True)
    CREATED.write_text(platform.python_version())


def _check_space() -> None:
    DEV.mkdir(exist_ok=True)
    free = shutil.disk_usage(DEV).free
    if free < NEEDED_BYTES:
        raise DevError(
            f"too little disk: {free // 1024**2} MB free under {DEV}, 2 GB are needed: free some and run again"
        )


def _compiler() -> str:
    """The C compiler to build durable-rules with; found before the long download rather than failing after it."""
    named = os.environ.get("CC")
    candidates = [named] if named else ["cc", "gcc", "clang"]
    compiler = next((name for name in candidates if name and shutil.which(name.split()[0])), None)
    if not compiler:
        raise DevError(
            "no C compiler (durable-rules is compiled here): run 'apt-get install gcc libc6-dev python3-dev'"
        )
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise DevError(
            "the Python headers are missing (durable-rules is compiled here): run 'apt-get install python3-dev'"
        )
    return compiler
