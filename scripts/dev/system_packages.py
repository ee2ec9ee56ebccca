"""Chromium and wkhtmltopdf: system packages, which only root can add. Without them some tests are skipped."""

import os
import shutil
import subprocess

from .messages import DevError, step, warn
from .paths import LOGS

# Program to find -> Debian package that has it. Odoo finds any of the browsers by itself.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAMS = {"chromium": BROWSERS, "wkhtmltopdf": ("wkhtmltopdf",)}


def required() -> bool:
    """Under CI every test has to run."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def ensure() -> None:
    """Install what is missing when root; otherwise name it in one line, or fail when the tests must all run."""
    absent = missing()
    if absent and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(absent)
        absent = missing()
    if not absent:
        return
    advice = f"run 'apt-get install {' '.join(absent)}' as root"
    if required():
        raise DevError(f"{' and '.join(absent)} missing, and CI=true lets no test be skipped: {advice}")
    warn(f"{' and '.join(absent)} missing, so the tests that need it are skipped: {advice}")


def missing() -> list[str]:
    return [package for package, names in PROGRAMS.items() if not any(shutil.which(name) for name in names)]


def _install(packages: list[str]) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"Installing {' and '.join(packages)} (as root, with APT)"), (LOGS / "system.log").open("w") as log:
        for arguments in (["update"], *(["install", "-y", "--no-install-recommends", name] for name in packages)):
            command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments]
            subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
