"""Keeping to the number of calls an insurer allows."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from threading import Lock

from .connection import Rate
from .errors import RateLimited

SHORTEST = 0.001


class MemoryLimiter:
    """Counts the calls of the threads of one process in a sliding window.

    A call that would have to wait longer than ``patience`` seconds raises ``RateLimited`` with the time to wait, so
    that a job can be put off instead of a worker being blocked.
    """

    def __init__(
        self,
        insurer: str,
        rates: Iterable[Rate],
        *,
        patience: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._insurer = insurer
        self._rates = tuple(dict.fromkeys(rates))
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._calls: dict[tuple[Rate, str], deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def acquire(self, operation: str) -> None:
        while wait := self._take(operation):
            if wait > self._patience:
                raise RateLimited(
                    f"{operation}: our own limit of calls is reached", insurer=self._insurer, retry_after=wait
                )
            self._sleep(wait)

    def _take(self, operation: str) -> float:
        """Count the call and return 0, or count nothing and return the seconds until there is room."""
        with self._lock:
            now = self._clock()
            windows = [(rate, self._calls[rate, operation if rate.per_operation else ""]) for rate in self._rates]
            for rate, calls in windows:
                while calls and calls[0] <= now - rate.seconds:
                    calls.popleft()
            waits = [calls[0] + rate.seconds - now for rate, calls in windows if len(calls) >= rate.calls]
            if waits:
                return max(*waits, SHORTEST)  # rounding may leave nothing, or less, of a window that is not over
            for _rate, calls in windows:
                calls.append(now)
            return 0.0
