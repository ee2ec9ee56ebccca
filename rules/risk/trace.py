"""Why a rule fired, or how far it is from firing: one node per node of its condition, with the values then.

all: no
  amount_overdue 12,300 > 10,000: yes
  days_overdue_oldest 68 >= 70: no (68 of 70 days)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .model import Comparison, ConstantList, Operator, SignalRef, Value
from .signals import Signal


class Answer(StrEnum):
    """The three answers of a condition; ``missing`` is "a value that would decide is not there"."""

    YES = "yes"
    NO = "no"
    MISSING = "missing"

    def __invert__(self) -> "Answer":
        """Negate; the negation of missing is missing.

        >>> ~Answer.MISSING
        <Answer.MISSING: 'missing'>
        """
        return _NEGATED[self]


_NEGATED = {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.MISSING: Answer.MISSING}


def format_value(value: Value | None) -> str:
    """Write a value for reading: thousands separated, no trailing zeros.

    >>> format_value(Decimal("12300.5000")), format_value(True), format_value(None)
    ('12,300.5', 'yes', 'missing')
    """
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a number is from where its comparison would be true."""

    value: Decimal
    needed: Decimal
    unit: str = ""

    def __str__(self) -> str:
        return f"{format_value(self.value)} of {format_value(self.needed)} {self.unit}".rstrip()

    @property
    def closeness(self) -> Decimal:
        """1 on the threshold, 0 a whole threshold away or more.

        >>> Gap(Decimal(68), Decimal(70)).closeness.quantize(Decimal("0.01"))
        Decimal('0.97')
        """
        size = max(abs(self.needed), Decimal(1))
        return max(Decimal(0), 1 - abs(self.needed - self.value) / size)


@dataclass(frozen=True, slots=True)
class ComparisonTrace:
    """A comparison with the values it met; ``value`` is None when missing or unreadable (then ``note`` says why)."""

    comparison: Comparison
    signal: Signal
    value: Value | None
    operand_value: Value | tuple[Value, ...] | None
    referred_value: Value | None
    answer: Answer
    gap: Gap | None = None
    note: str = ""

    def line(self, labels: bool = False) -> str:
        """Write the comparison on one line, by signal key or by its label."""
        name = self.signal.label if labels else self.signal.key
        note = f" ({self.gap})" if self.gap else f" ({self.note})" if self.note else ""
        operator = self.comparison.operator
        if operator.is_presence:
            return f"{name} {format_value(self.value)} {operator}: {self.answer}{note}"
        return f"{name} {format_value(self.value)} {operator} {self._right_side()}: {self.answer}{note}"

    def _right_side(self) -> str:
        operand = self.comparison.operand
        if isinstance(operand, ConstantList) and isinstance(self.operand_value, tuple):
            return f"[{', '.join(format_value(item) for item in self.operand_value)}]"
        value = self.operand_value if not isinstance(self.operand_value, tuple) else None
        if not isinstance(operand, SignalRef):
            return format_value(value)
        if operand.factor == 1:
            return f"{operand.key} {format_value(value)}"
        scaled = f"{format_value(operand.factor)} × {operand.key} {format_value(self.referred_value)}"
        return f"{scaled} = {format_value(value)}"


@dataclass(frozen=True, slots=True)
class GroupTrace:
    """An ``all``, ``any`` or ``not`` with its parts; every part is evaluated, so that every one can be shown."""

    kind: str
    answer: Answer
    parts: tuple["Trace", ...]

    def line(self, labels: bool = False) -> str:
        """Write the group's own line, without its parts."""
        return f"{self.kind}: {self.answer}"


Trace = ComparisonTrace | GroupTrace


def trace_lines(trace: Trace, labels: bool = False, indent: int = 0) -> Iterator[str]:
    """Yield the trace as indented lines."""
    yield "  " * indent + trace.line(labels)
    if isinstance(trace, GroupTrace):
        for part in trace.parts:
            yield from trace_lines(part, labels, indent + 1)


def leaves(trace: Trace) -> Iterator[ComparisonTrace]:
    """Yield every comparison of a trace, left to right."""
    if isinstance(trace, ComparisonTrace):
        yield trace
    else:
        for part in trace.parts:
            yield from leaves(part)


def closeness(trace: Trace, wanted: Answer = Answer.YES) -> Decimal:
    """How close a condition is to the wanted answer: 1 when there, else its furthest (all) or nearest (any) part."""
    if trace.answer is wanted:
        return Decimal(1)
    if isinstance(trace, ComparisonTrace):
        return trace.gap.closeness if trace.gap and wanted is Answer.YES else Decimal(0)
    if trace.kind == "not":
        return closeness(trace.parts[0], ~wanted)
    parts = [closeness(part, wanted) for part in trace.parts]
    return min(parts) if (trace.kind == "all") == (wanted is Answer.YES) else max(parts)


def gap_of(operator: Operator, value: object, needed: object, unit: str) -> Gap | None:
    """Return the distance of a false order comparison, None where distance has no meaning."""
    if operator.is_order and isinstance(value, Decimal) and isinstance(needed, Decimal):
        return Gap(value, needed, unit)
    return None
