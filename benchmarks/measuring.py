"""Time and statements of a piece of work, and what they come to over many runs."""

# ruff: noqa: TID251 (runs inside Odoo)
import gc
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from odoo.sql_db import Cursor


@dataclass(frozen=True)
class Statement:
    """A statement sent to PostgreSQL: whether on the main connection, its text and its milliseconds."""

    main: bool
    text: str
    ms: float


@dataclass
class Sample:
    """One run: milliseconds in all, every statement, and how many cursors beside the main one it opened."""

    ms: float = 0.0
    statements: list[Statement] = field(default_factory=list)
    side_cursors: int = 0

    @property
    def sql_ms(self) -> float:
        return sum(statement.ms for statement in self.statements)

    def count(self, *, main: bool) -> int:
        return sum(statement.main == main for statement in self.statements)


@contextmanager
def sampled(cr: Cursor) -> Iterator[Sample]:
    """Measure the block. Statements through other cursors than ``cr`` count as a side connection's."""
    sample, raw = Sample(), []

    def record(cursor: Cursor, query: str, params: object, start: float, delay: float) -> None:
        raw.append((cursor, query, delay))

    thread = threading.current_thread()
    thread.query_hooks = (record,)
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    try:
        yield sample
    finally:
        sample.ms = 1000 * (time.perf_counter() - started)
        gc.enable()
        thread.query_hooks = ()
    sample.statements = [Statement(used is cr, " ".join(text.split()), 1000 * delay) for used, text, delay in raw]
    sample.side_cursors = len({id(used) for used, _text, _delay in raw} - {id(cr)})


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that ``work`` takes."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]
