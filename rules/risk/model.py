"""The form of a rule: a frozen tree, the same whether it was typed as YAML, filled in as a form or built by a program.

    Pack ─ Rule ─┬─ when    ─ Condition = All | Any | Not | Comparison
                 ├─ unless  ─ Condition or None
                 ├─ until   ─ Condition or None
                 └─ tests   ─ RuleTest

Positions in a text ride along as ``place`` and do not take part in equality: two rules are equal when they mean the
same.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from .marking import _
from .problems import Place
from .signals import Scope


class Operator(StrEnum):
    """How a comparison compares; the value is what people write."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    NOT_IN = "not in"
    KNOWN = "is known"
    MISSING = "is missing"

    @property
    def opposite(self) -> "Operator":
        """The operator that is true exactly where this one is false, for a known value.

        >>> Operator.GT.opposite
        <Operator.LE: '<='>
        """
        return _OPPOSITES[self]

    @property
    def is_order(self) -> bool:
        return self in (Operator.LT, Operator.LE, Operator.GT, Operator.GE)

    @property
    def is_presence(self) -> bool:
        return self in (Operator.KNOWN, Operator.MISSING)


_PAIRS = (
    (Operator.EQ, Operator.NE),
    (Operator.LT, Operator.GE),
    (Operator.LE, Operator.GT),
    (Operator.IN, Operator.NOT_IN),
    (Operator.KNOWN, Operator.MISSING),
)
_OPPOSITES = {a: b for a, b in _PAIRS} | {b: a for a, b in _PAIRS}

Value = Decimal | str | bool


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written into the rule. ``unit`` is what stands behind a number: "", "days" or "%"."""

    value: Value
    unit: str = ""
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SignalRef:
    """Another signal of the same facts, times a factor (rounded to four decimals, as all numbers are)."""

    key: str
    factor: Decimal = Decimal(1)
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ConstantList:
    """The values of an ``in`` or ``not in``."""

    items: tuple[Constant, ...]
    place: Place | None = field(default=None, compare=False, repr=False)


Operand = Constant | SignalRef | ConstantList


@dataclass(frozen=True, slots=True)
class Comparison:
    """``signal operator operand``; ``is known`` and ``is missing`` have no operand, every other operator has one."""

    signal: str
    operator: Operator
    operand: Operand | None = None
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Condition", ...]
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: tuple["Condition", ...]
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The part is known not to hold."""

    part: "Condition"
    place: Place | None = field(default=None, compare=False, repr=False)


Condition = All | Any | Not | Comparison


class Severity(StrEnum):
    """How bad it is when a rule fires."""

    INFO = "info"
    WARNING = "warning"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(reversed(Severity)).index(self)


@dataclass(frozen=True, slots=True)
class Column:
    """One input of a decision table: a signal, and the operator of the cells that do not name their own."""

    signal: str
    operator: Operator | None = None
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a decision table: what each column must be (None: anything), and the outcome.

    What the outcome leaves out (None) is as the rule says.
    """

    cells: tuple[Comparison | None, ...]
    severity: Severity | None = None
    message: str | None = None
    actions: tuple[str, ...] | None = None
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def condition(self) -> Condition:
        """What all its cells say together."""
        said = tuple(cell for cell in self.cells if cell)
        return said[0] if len(said) == 1 else All(said)


@dataclass(frozen=True, slots=True)
class Table:
    """A grid of conditions and outcomes. ``first``: only the first row that fits fires; otherwise all that fit do."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    first: bool = True
    place: Place | None = field(default=None, compare=False, repr=False)

    @property
    def condition(self) -> Condition:
        """True where any row fits."""
        conditions = tuple(row.condition for row in self.rows)
        return conditions[0] if len(conditions) == 1 else Any(conditions)


class State(StrEnum):
    """What a rule says about one set of facts."""

    FIRED = "fired"
    EXCLUDED = "excluded"  # the condition holds, or could, and so does an exclusion
    QUIET = "quiet"  # the condition is known not to hold
    UNDECIDED = "undecided"  # a value that would decide is missing or unreadable
    INACTIVE = "inactive"  # not valid on that day, or not for that company


FactValue = Decimal | int | str | bool | date | None


@dataclass(frozen=True, slots=True)
class RuleTest:
    """An example kept with its rule: with these facts (sorted by key) the rule must end in that state.

    ``today`` matters for facts given as dates and for rules with a validity; None means any day on which the rule is
    valid. ``ends``, when given, is what an alert that is open must do: end (True) or stay open.
    """

    name: str
    facts: tuple[tuple[str, FactValue], ...]
    expect: State
    today: date | None = None
    ends: bool | None = None


PRECEDENCE = _(
    "Exclusions first, then by severity, then by priority (lower number first); all rules that fire are recorded."
)


@dataclass(frozen=True, slots=True)
class Rule:
    """When to raise the alarm, how loud, and what to do.

    ``unless`` are exclusions: the rule stays silent where they are known to hold. ``until`` says when an alert that is
    open ends; without it, as soon as ``when`` is known not to hold. ``message`` may carry ``{signal_key}``.
    ``companies`` empty means every company; ``valid_from`` and ``valid_to`` are inclusive. An ``observe`` rule is
    recorded and does nothing. A rule with a ``table`` has the table's condition as its ``when``, and ``expand`` gives
    its rows as rules.
    """

    key: str
    name: str
    when: Condition
    scope: Scope = Scope.BUYER
    unless: Condition | None = None
    until: Condition | None = None
    severity: Severity = Severity.WARNING
    priority: int = 100
    message: str = ""
    actions: tuple[str, ...] = ()
    observe: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    companies: tuple[str, ...] = ()
    reason: str = ""
    tests: tuple[RuleTest, ...] = ()
    table: Table | None = None
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def is_active(self, today: date, company: str | None = None) -> bool:
        """True when the rule applies on that day; ``company`` None asks about the day only."""
        if self.valid_from and today < self.valid_from or self.valid_to and today > self.valid_to:
            return False
        return company is None or not self.companies or company in self.companies

    def __hash__(self) -> int:
        """Cheap, because packs are keys of caches; equality looks at everything."""
        return hash((self.key, self.name, self.severity))

    @property
    def origin(self) -> str:
        """The key of the rule people wrote: of the table when this is one of its rows, else its own."""
        return origin_of(self.key)

    @property
    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """The conditions which are there, each with the name of its field."""
        for name, condition in (("when", self.when), ("unless", self.unless), ("until", self.until)):
            if condition is not None:
                yield name, condition

    @property
    def precedence(self) -> tuple[int, int, str]:
        """Sort key of ``PRECEDENCE``: most severe first, then lowest priority number, then key."""
        return self.severity.rank, self.priority, self.key


_ROW_KEY = re.compile(r"__\d+\Z", re.ASCII)


def origin_of(key: str) -> str:
    """Return the key of the table a row's key belongs to, and any other key as it is.

    >>> origin_of("late_payers__12"), origin_of("late_payers")
    ('late_payers', 'late_payers')
    """
    return _ROW_KEY.sub("", key)


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """Yield every comparison of a condition, left to right."""
    match condition:
        case Comparison():
            yield condition
        case Not(part):
            yield from comparisons(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from comparisons(part)


def signal_keys(*conditions: Condition | None) -> frozenset[str]:
    """Return the keys of every signal the conditions look at, on either side of a comparison."""
    keys = set()
    for condition in conditions:
        for comparison in comparisons(condition) if condition else ():
            keys.add(comparison.signal)
            if isinstance(comparison.operand, SignalRef):
                keys.add(comparison.operand.key)
    return frozenset(keys)
