"""The one engine process of this process: started late, watched, replaced, and left alone when it keeps breaking.

      rest ── first use ──> starting ── ready ──> serving ── 50,000 rows ──> (ended; a new one at next use)
        ^                                            │
        └──── 4 failures in a row, for 30 s ──── died, hung, talked gibberish: killed

Starting and loading may take longer than a caller can wait; then the caller gets ``EngineBusy`` and the work goes on
for the next one.
"""

import atexit
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from weakref import WeakSet

from .errors import EngineBusy, EngineDown, EngineRefused
from .process import Child, Json

START_SECONDS = 15.0
SHORT_WAIT = 0.01
Answer = list[str] | None  # the names of one row; None when the engine could not evaluate it


class EngineHost:
    """Serialises the use of one child process; safe in threads, and a forked process starts its own child."""

    def __init__(
        self,
        python: str = "",
        environment: Mapping[str, str] | None = None,
        recycle_after: int = 50_000,
        failures_allowed: int = 4,
        rest_seconds: float = 30.0,
    ) -> None:
        self._python = python or sys.executable
        self._environment = dict(environment or {})
        self._recycle_after = recycle_after
        self._failures_allowed = failures_allowed
        self._rest_seconds = rest_seconds
        self._resting_until = 0.0
        self._why = ""
        self._failures = 0
        self._requests = 0
        self._lock = Lock()
        self._child: Child | None = None
        self._forget()
        _hosts.add(self)

    def _forget(self) -> None:
        """End the child, if there is one, and everything that was known about it."""
        child, self._child = self._child, None
        self._ready = False
        self._since = 0.0  # when the child began what it is still doing: starting, or loading
        self._in_vain = False  # somebody has waited for that already
        self._loading = ""
        self._loaded: set[str] = set()
        self._rows = 0
        if child:
            child.end()

    def after_fork(self) -> None:
        """In a forked process: the lock may be held by a thread that is not here, and the child is not ours."""
        self._lock = Lock()
        self._forget()

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is no child."""
        return self._child.pid if self._child and self._child.owner == os.getpid() else None

    def close(self) -> None:
        """End the child; the next use starts a new one."""
        if self._lock.acquire(timeout=1.0):
            try:
                self._forget()
            finally:
                self._lock.release()

    def evaluate(
        self, version: str, load: Callable[[], Json], rows: Sequence[str], deadline: float, patience: float
    ) -> list[Answer]:
        """Return the names for each row; ``load`` makes the request that loads ``version`` when that is needed.

        ``deadline`` bounds everything, ``patience`` (seconds) the evaluation itself. Raises ``EngineBusy``,
        ``EngineDown``, ``EngineRefused``.
        """
        with self._using(deadline) as child:
            self._make_loaded(child, version, load, deadline)
            answer = self._ask(
                child, {"op": "evaluate", "version": version, "rows": list(rows)}, min(deadline, monotonic() + patience)
            )
            if answer.get("unknown"):
                self._loaded.discard(version)
                self._make_loaded(child, version, load, deadline)
                answer = self._ask(child, {"op": "evaluate", "version": version, "rows": list(rows)}, deadline)
            found = answer.get("rows")
            if not isinstance(found, list) or len(found) != len(rows):
                raise EngineDown("the rule engine lost rows")
            self._failures = 0
            self._rows += len(rows)
            if self._rows >= self._recycle_after:
                self._forget()
        return [row if isinstance(row, list) else None for row in found]

    def prepare(self, version: str, load: Callable[[], Json], deadline: float) -> None:
        """Start and load now; raises as ``evaluate`` does."""
        with self._using(deadline) as child:
            self._in_vain = False
            self._make_loaded(child, version, load, deadline)

    @contextmanager
    def _using(self, deadline: float) -> Iterator[Child]:
        """Hold the lock and a live child; a child that fails within is killed and counted."""
        if self._child and self._child.owner != os.getpid():
            self.after_fork()
        if not self._lock.acquire(timeout=max(0.0, deadline - monotonic())):
            raise EngineBusy("the rule engine is busy")
        lock = self._lock
        try:
            if monotonic() < self._resting_until:
                raise EngineBusy(f"the rule engine rests after failures: {self._why}")
            try:
                if self._child is None:
                    self._child, self._since = Child(self._python, self._environment), monotonic()
                yield self._child
            except EngineDown as error:
                self._failed(str(error))
                raise
        finally:
            lock.release()

    def _failed(self, why: str, fatal: bool = False) -> None:
        self._forget()
        self._failures += 1
        self._why = why
        if fatal or self._failures >= self._failures_allowed:
            self._resting_until = monotonic() + self._rest_seconds
            self._failures = self._failures_allowed - 1  # after the rest one more failure is enough

    def _make_loaded(self, child: Child, version: str, load: Callable[[], Json], deadline: float) -> None:
        if not self._ready:
            hello = self._patient(child, deadline)
            if "failed" in hello:
                self._failed(str(hello["failed"]), fatal=True)
                raise EngineBusy(str(hello["failed"]))
            self._ready = True
        if self._loading and self._loading != version:
            self._finish_loading(child, deadline)
        if version in self._loaded:
            return
        if not self._loading:
            self._requests += 1
            self._since = monotonic()
            child.send(load() | {"op": "load", "version": version, "id": self._requests})
            self._loading = version
        refused = self._finish_loading(child, deadline)
        if refused:
            raise EngineRefused(refused)

    def _finish_loading(self, child: Child, deadline: float) -> str:
        answer = self._patient(child, deadline)
        version, self._loading = self._loading, ""
        if answer.get("loaded"):
            self._loaded.add(version)
            return ""
        return str(answer.get("refused") or "the rule engine did not load the rules")

    def _patient(self, child: Child, deadline: float) -> Json:
        """Wait for something slow, which goes on after the deadline unless it has for far too long.

        Only one caller waits in full: those after it look in for a moment, so that a slow start does not delay each.
        """
        message = child.receive(min(deadline, monotonic() + SHORT_WAIT) if self._in_vain else deadline)
        self._in_vain = message is None
        if message is not None:
            return message
        if monotonic() - self._since > START_SECONDS:
            self._failed("it does not start", fatal=True)
            raise EngineBusy("the rule engine does not start")
        raise EngineBusy("the rule engine is starting")

    def _ask(self, child: Child, request: Json, deadline: float) -> Json:
        self._requests += 1
        child.send(request | {"id": self._requests})
        answer = child.receive(deadline)
        if answer is None:
            raise EngineDown("the rule engine did not answer in time")
        if answer.get("id") != self._requests:
            raise EngineDown("the rule engine answered another question")
        return answer


_hosts: "WeakSet[EngineHost]" = WeakSet()
_shared: list[EngineHost] = []


def shared_host() -> EngineHost:
    """Return the host every ``RuleEngine`` of this process uses unless told otherwise."""
    if not _shared:
        _shared.append(EngineHost())
    return _shared[0]


def _close_all() -> None:
    for host in list(_hosts):
        host.close()


def _after_fork() -> None:
    for host in list(_hosts):
        host.after_fork()


# A forked process must not hold the ends of its parent's pipes: the child would not see its input close.
os.register_at_fork(after_in_child=_after_fork)
atexit.register(_close_all)
