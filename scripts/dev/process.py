"""Run other programs: their output goes to a log, and a known failure becomes the one line that says what to do."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .messages import DevError
from .paths import LOGS

Command = Sequence[str | Path]
Explanations = Sequence[tuple[str, str]]

NO_NETWORK = (
    r"Temporary failure (in name resolution|resolving)|NameResolutionError|Could not resolve|Network is unreachable"
    r"|NewConnectionError|Failed to establish a new connection|Could not connect to|ConnectTimeoutError"
)
NO_SPACE = r"No space left on device|not enough free space"

COMMON: Explanations = (
    (
        NO_NETWORK,
        "no network: connect this machine (or set its proxy) and run the command again; it goes on where it stopped",
    ),
    (NO_SPACE, "the disk is full: free some space and run the command again; it goes on where it stopped"),
)


def run_logged(
    command: Command,
    log_name: str,
    *,
    explain: Explanations = (),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> Path:
    """Run to the end with the output in `.dev/logs/<log_name>.log`; raise a DevError that explains a failure."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{log_name}.log"
    with log.open("w") as out:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL if stdin is None else None,
            input=stdin,
            text=True,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
    if done.returncode:
        raise DevError(explained(log, done.returncode, (*COMMON, *explain)))
    return log


def explained(log: Path, returncode: int, explain: Explanations) -> str:
    """The first explanation whose pattern is in the log; otherwise the log's last line and where the rest is."""
    text = log.read_text(errors="replace")
    for pattern, message in explain:
        if re.search(pattern, text):
            return message
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{lines[-1] if lines else 'no output'} (exit {returncode}, everything is in {log})"


def output(command: Command, *, env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
    """What a short command prints; its error output becomes the DevError."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        input=stdin,
        env={**os.environ, **(env or {})},
    )
    if done.returncode:
        raise DevError((done.stderr or done.stdout).strip() or f"{command[0]} failed with exit code {done.returncode}")
    return done.stdout
