"""The insurer simulator as a child process: what the demo and the story talk to instead of a real insurer."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .children import is_port_free, stopping
from .messages import DevError
from .paths import LOGS, ROOT, VENV_PYTHON
from .process import explained

# Read by the addon's demo data and by the story: where the insurer answers.
URL_VARIABLE = "CREDIT_INSURANCE_SIMULATOR_URL"
START_SECONDS = 20


@contextmanager
def running(port: int, database: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The simulator, answering on the port, for the time of the block."""
    if not is_port_free(port):
        raise DevError(f"port {port} is in use, and the insurer simulator needs it: stop what uses it")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = log_of(port)
    command = [str(VENV_PYTHON), "-m", "connectors.simulator", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        child = subprocess.Popen(
            [*command, "--database", database, "--seed", "demo"],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    with stopping(child):
        _wait(child, url(port), log)
        yield child


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def log_of(port: int) -> Path:
    return LOGS / f"simulator-{port}.log"


def _wait(child: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise DevError(f"the insurer simulator did not start: {explained(log, child.returncode, ())}")
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except urllib.error.HTTPError:
            return  # any answer will do
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise DevError(f"the insurer simulator did not answer within {START_SECONDS} s: see {log}")
