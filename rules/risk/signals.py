"""Signals: the typed facts a rule may speak about, and the catalogue that lists them.

A signal says what a number is (money is not days), what it can be at all (a risk class is 1 to 5) and for whom it is
known (an order's rule also sees the buyer's signals, a buyer's rule does not see an order's). The catalogue is a
value: checker, evaluator and engine get it as an argument, so tests and companies can bring their own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from .errors import CatalogueError

_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
RESERVED_WORDS = frozenset({"yes", "no", "in", "not", "is", "known", "missing", "all", "any"})


class SignalType(StrEnum):
    """What a value is; values of different types are never compared with each other."""

    NUMBER = "number"
    MONEY = "money"  # in the company's currency
    DAYS = "days"  # a date given as a fact becomes the days elapsed since it, negative when it lies ahead
    PERCENT = "percent"  # 90 means 90 %
    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"

    @property
    def is_numeric(self) -> bool:
        return self in _NUMERIC


_NUMERIC = frozenset({SignalType.NUMBER, SignalType.MONEY, SignalType.DAYS, SignalType.PERCENT})


class Scope(StrEnum):
    """Whom a signal describes and what a rule is asked about."""

    BUYER = "buyer"
    INVOICE = "invoice"
    ORDER = "order"
    EVENT = "event"

    @property
    def sees(self) -> frozenset["Scope"]:
        """The scopes whose signals a rule of this scope may use: its own and the buyer behind it."""
        return frozenset({self, Scope.BUYER})


@dataclass(frozen=True, slots=True)
class Signal:
    """One named, typed fact.

    ``minimum`` and ``maximum`` (inclusive) bound what the value can be; the checker uses them to find conditions
    which are always or never true, and a fact outside them counts as unreadable. ``choices`` lists the values of a
    choice.
    """

    key: str
    label: str
    type: SignalType
    scope: Scope = Scope.BUYER
    unit: str = ""
    help: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    def __post_init__(self) -> None:
        if not _KEY.match(self.key) or self.key in RESERVED_WORDS:
            raise CatalogueError(f"{self.key!r} cannot be the key of a signal")
        if (self.type is SignalType.CHOICE) != bool(self.choices):
            raise CatalogueError(f"{self.key}: choices belong to signals of type choice, and only to them")
        if len(set(self.choices)) != len(self.choices):
            raise CatalogueError(f"{self.key}: the same choice twice")
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if bounds and (not self.type.is_numeric or bounds != sorted(bounds)):
            raise CatalogueError(f"{self.key}: impossible bounds")

    def accepts(self, other: "Signal") -> bool:
        """True when this signal may be compared with the other: money with money, days with days."""
        return (
            self.type is other.type and self.unit == other.unit and (not self.choices or self.choices == other.choices)
        )


@dataclass(frozen=True)
class SignalCatalogue:
    """An immutable set of signals, found by key."""

    signals: tuple[Signal, ...]
    _by_key: dict[str, Signal] = field(init=False, repr=False, compare=False)

    def __init__(self, signals: Iterable[Signal]) -> None:
        signals = tuple(signals)
        by_key = {signal.key: signal for signal in signals}
        if len(by_key) != len(signals):
            keys = [signal.key for signal in signals]
            raise CatalogueError(f"signals defined twice: {sorted({key for key in keys if keys.count(key) > 1})}")
        object.__setattr__(self, "signals", signals)
        object.__setattr__(self, "_by_key", by_key)

    def __hash__(self) -> int:
        return hash(self.signals)

    def __iter__(self) -> Iterator[Signal]:
        return iter(self.signals)

    def __len__(self) -> int:
        return len(self.signals)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __getitem__(self, key: str) -> Signal:
        return self._by_key[key]

    def get(self, key: str) -> Signal | None:
        """Return the signal of that key, or None."""
        return self._by_key.get(key)

    def visible(self, scope: Scope) -> tuple[Signal, ...]:
        """Return the signals a rule of that scope may use, in catalogue order."""
        return tuple(signal for signal in self.signals if signal.scope in scope.sees)

    def extended(self, signals: Iterable[Signal]) -> "SignalCatalogue":
        """Return a new catalogue with more signals; a key which exists already raises ``CatalogueError``."""
        return SignalCatalogue((*self.signals, *signals))
