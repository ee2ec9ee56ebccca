"""The insurer's clock, which can be set ahead or behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """:param now: the time before it is moved, aware and in UTC."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.skew = timedelta()

    def __call__(self) -> datetime:
        return self._now() + self.skew

    def move(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, or take them back."""
        self.skew += timedelta(seconds=seconds)

    def reset(self) -> None:
        self.skew = timedelta()
