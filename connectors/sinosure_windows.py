"""Spans of time for questions: SINOSURE's answers are asked for by the time at which they were given.

The first span is the one that SINOSURE documents for polling, yesterday and today; older ones are ``width`` days long.
All are whole days at SINOSURE, and follow one another without a gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

SECOND = timedelta(seconds=1)
SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to ``end``, both included, to the second."""

    start: datetime
    end: datetime

    def halves(self) -> "tuple[Window, Window] | None":
        """The later and the earlier half; ``None`` for a span that is not worth halving."""
        if self.end - self.start < SHORTEST:
            return None
        middle = self.start + timedelta(seconds=(self.end - self.start) // SECOND // 2)
        return Window(middle + SECOND, self.end), Window(self.start, middle)


def polling(today: date, zone: timezone) -> Window:
    """Yesterday and today, from 00:00:00 to 23:59:59."""
    return Window(_midnight(today - timedelta(days=1), zone), _midnight(today + timedelta(days=1), zone) - SECOND)


def windows(today: date, first: date, width: int, zone: timezone) -> Iterator[Window]:
    """Spans from ``today`` back to ``first``, the latest one first; the last one begins on ``first`` or before."""
    window = polling(today, zone)
    yield window
    earliest = _midnight(first, zone)
    while window.start > earliest:
        start = max(earliest, window.start - timedelta(days=width))
        window = Window(start, window.start - SECOND)
        yield window


def _midnight(day: date, zone: timezone) -> datetime:
    return datetime.combine(day, time(), zone)
