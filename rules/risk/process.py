"""A child process one can talk to without ever waiting too long: JSON lines over two pipes, with deadlines.

Deadlines are times of ``time.monotonic``. Nothing here blocks: a stopped child does not even hold up the writing of a
large request.
"""

import contextlib
import json
import os
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from .errors import EngineDown

WORKER = Path(__file__).with_name("worker.py")
MAX_ANSWER = 64 * 1024 * 1024
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")

Json = dict[str, Any]


class Child:
    """One running worker.

    It gets a small environment (no database password), its own session (Ctrl-C in a terminal is not for it) and none
    of the parent's files. It ends when its input closes, so it does not outlive the parent even when that is killed.
    """

    def __init__(self, python: str, environment: Mapping[str, str]) -> None:
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            self._process = subprocess.Popen(
                [python, "-P", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept | dict(environment),
                close_fds=True,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise EngineDown(f"the rule engine cannot be started: {error}") from error
        if self._process.stdin is None or self._process.stdout is None:
            raise EngineDown("the rule engine has no pipes")
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        for descriptor in (self._input, self._output):
            os.set_blocking(descriptor, False)
        self.owner = os.getpid()
        self._unsent = bytearray()
        self._unread = bytearray()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Json) -> None:
        """Queue a message; it leaves while ``receive`` waits."""
        self._unsent += json.dumps(message).encode() + b"\n"

    def receive(self, deadline: float) -> Json | None:
        """Return the next message, None when there is none by the deadline; ``EngineDown``: there never will be."""
        while b"\n" not in self._unread and self._wait(deadline):
            pass
        if b"\n" not in self._unread:
            return None
        line, _newline, rest = self._unread.partition(b"\n")
        self._unread = bytearray(rest)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EngineDown("the rule engine answered gibberish") from error
        if not isinstance(message, dict):
            raise EngineDown("the rule engine answered gibberish")
        return message

    def _wait(self, deadline: float) -> bool:
        """Move bytes in whichever direction is possible; False once the deadline has passed."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        if self._unsent:
            poll.register(self._input, select.POLLOUT)
        remaining = deadline - monotonic()
        events = poll.poll(max(0.0, remaining * 1000))
        for descriptor, _event in events:
            try:
                self._write() if descriptor == self._input else self._read()
            except BlockingIOError:
                continue
            except OSError as error:
                raise EngineDown("the rule engine ended") from error
        return remaining > 0

    def _write(self) -> None:
        del self._unsent[: os.write(self._input, self._unsent[: 1 << 16])]

    def _read(self) -> None:
        received = os.read(self._output, 1 << 16)
        if not received:
            raise EngineDown("the rule engine ended")
        self._unread += received
        if len(self._unread) > MAX_ANSWER:
            raise EngineDown("the rule engine does not stop talking")

    def end(self) -> None:
        """Kill the child, reap it and close the pipes; in a forked process only close them, the child is not ours."""
        if os.getpid() == self.owner:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        else:
            self._process.returncode = 0  # keeps Popen from waiting for, or warning about, another process' child
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
