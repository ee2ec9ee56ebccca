"""Locks between processes: set-up steps run once, even when two commands start at the same moment.

The kernel drops a lock with the process that holds it, so an interrupted run never leaves one behind.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .messages import tell


@contextmanager
def exclusive(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock alone; says so when another command has it and this one waits."""
    with _opened(path) as file:
        if not _try(file, fcntl.LOCK_EX):
            tell(f"-> waiting for another command ({purpose}) …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(path: Path) -> Iterator[IO[str]]:
    """Hold the lock together with others. Gives the file, for `upgrade`."""
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file


def upgrade(file: IO[str]) -> bool:
    """Turn a shared lock into an exclusive one when nobody else holds it. Never waits."""
    return _try(file, fcntl.LOCK_EX)


def _opened(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a")


def _try(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
