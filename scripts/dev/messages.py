"""What a person sees: one line per long step, one line per error, and no wall of noise in between."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HEARTBEAT_SECONDS = 15
QUIET_SECONDS = 1.0


class DevError(Exception):
    """Something a person can put right. The message is one line that says how."""


def say(text: str) -> None:
    """A result: what the command was called for."""
    print(text, flush=True)


def warn(text: str) -> None:
    tell(f"warning: {text}")


def tell(text: str) -> None:
    """Progress goes to standard error, so that the output of a shell script or of a story stays clean."""
    sys.stderr.write(f"{text}\n")  # in one piece: steps may run side by side
    sys.stderr.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, show every so often that it still runs, and tell how long it took."""
    tell(f"-> {title} …")
    started = time.monotonic()
    done = threading.Event()
    threading.Thread(target=_heartbeat, args=(title, started, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()
    elapsed = time.monotonic() - started
    if elapsed > QUIET_SECONDS:
        tell(f"   {title}: done in {elapsed:.0f} s")


def _heartbeat(title: str, started: float, done: threading.Event) -> None:
    while not done.wait(HEARTBEAT_SECONDS):
        tell(f"   {title}: still at it ({time.monotonic() - started:.0f} s)")
