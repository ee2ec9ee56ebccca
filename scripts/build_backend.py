"""PEP 517 backend: whool, run on a copy of the addon under its own name.

whool calls the wheel after the folder it builds in and packs all that git lists. This checkout may have any name (pip
gives it a random one) and holds more than the addon, so what belongs into the wheel is copied to `credit_insurance/`.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whool import buildapi

ROOT = Path(__file__).resolve().parent.parent
ADDON = "credit_insurance"
PACKED = (
    "__init__.py",
    "__manifest__.py",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "credit_insurance",
    "rules",
    "connectors",
    "data",
    "static",
    "i18n",
    "migrations",
)

__all__ = ["build_sdist", "build_wheel"]


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    target = Path(wheel_directory).resolve()
    with _copy() as addon, contextlib.chdir(addon):
        return str(buildapi.build_wheel(str(target), config_settings))


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """The repository is the source distribution."""
    raise buildapi.UnsupportedOperation("build the wheel from a clone of the repository")


@contextlib.contextmanager
def _copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        addon = Path(folder).resolve() / ADDON
        addon.mkdir()
        for name in PACKED:
            _copy_one(ROOT / name, addon / name)
        # Should the temporary folder lie in a git checkout, whool must not ask that one which files there are.
        os.environ["GIT_CEILING_DIRECTORIES"] = folder
        yield addon


def _copy_one(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    elif source.exists():
        shutil.copy2(source, target)
