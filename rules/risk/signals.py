"""Signals: the typed facts a rule may speak about, and the catalogue that lists them.

A signal says what a number is (money is not days), what it can be at all (a risk class is 1 to 5) and for whom it is
known (an order's rule also sees the buyer's signals, a buyer's rule does not see an order's). The catalogue is a
value: checker, evaluator and engine get it as an argument, so tests and companies can bring their own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, Protocol

from .errors import CatalogueError
from .marking import _
from .problems import Place, Problem

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
    choice. ``vanishes``: without a value there is nothing of the kind (no open invoice, nothing announced), and not
    somebody who does not know; an alert about it ends then.
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
    vanishes: bool = False
    is_numeric: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _KEY.match(self.key) or self.key in RESERVED_WORDS:
            raise CatalogueError(_("%(key)r cannot be the key of a signal", key=self.key))
        if (self.type is SignalType.CHOICE) != bool(self.choices):
            raise CatalogueError(_("%(key)s: choices belong to signals of type choice, and only to them", key=self.key))
        if len(set(self.choices)) != len(self.choices):
            raise CatalogueError(_("%(key)s: the same choice twice", key=self.key))
        object.__setattr__(self, "is_numeric", self.type.is_numeric)
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if bounds and (not self.type.is_numeric or bounds != sorted(bounds)):
            raise CatalogueError(_("%(key)s: impossible bounds", key=self.key))

    def accepts(self, other: "Signal") -> bool:
        """True when this signal may be compared with the other: money with money, days with days."""
        return (
            self.type is other.type and self.unit == other.unit and (not self.choices or self.choices == other.choices)
        )


class DerivedSignal(Protocol):
    """What a catalogue needs to know of a signal that is computed from others; see ``derived.Derived``."""

    @property
    def key(self) -> str: ...
    @property
    def signal(self) -> Signal: ...
    @property
    def sources(self) -> frozenset[str]: ...
    def at(self, field: str) -> Place | None: ...
    def compute(self, values: Mapping[str, Decimal | str | bool]) -> Decimal | str | bool | None: ...
    def problems(self, catalogue: "SignalCatalogue") -> Iterator[Problem]: ...


class Reading(NamedTuple):
    """The facts that matter, and the derived signals among them in order of computation."""

    keys: frozenset[str]
    signals: tuple[Signal, ...]
    derived: tuple[DerivedSignal, ...]
    vanishing: frozenset[str]


@dataclass(frozen=True)
class SignalCatalogue:
    """An immutable set of signals, found by key.

    ``signals`` are all of them, ``derived`` those among them that are computed, each after what it is computed from.
    """

    signals: tuple[Signal, ...]
    derived: tuple[DerivedSignal, ...]
    vanishing: frozenset[str] = field(init=False, repr=False, compare=False)
    _by_key: dict[str, Signal] = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __init__(self, signals: Iterable[Signal], _derived: tuple[DerivedSignal, ...] = ()) -> None:
        signals = tuple(signals)
        by_key = {signal.key: signal for signal in signals}
        if len(by_key) != len(signals):
            keys = [signal.key for signal in signals]
            raise CatalogueError(f"signals defined twice: {sorted({key for key in keys if keys.count(key) > 1})}")
        object.__setattr__(self, "signals", signals)
        object.__setattr__(self, "derived", _derived)
        object.__setattr__(self, "vanishing", _vanishing(signals))
        object.__setattr__(self, "_by_key", by_key)
        # Catalogues are keys of caches; the keys of their signals tell them apart well enough.
        object.__setattr__(self, "_hash", hash(tuple(by_key)))

    def __hash__(self) -> int:
        return self._hash

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
        return SignalCatalogue((*self.signals, *signals), self.derived)

    def with_derived(self, derived: Iterable[DerivedSignal]) -> "SignalCatalogue":
        """Return a new catalogue with these derived signals too, given in any order.

        One that is there already, and the same, is left as it is. Raises ``CatalogueError`` for whatever
        ``check_derived`` finds.
        """
        added, problems = check_additions(derived, self)
        if problems:
            raise CatalogueError("\n".join(str(problem) for problem in problems))
        return added

    def needed(self, keys: Iterable[str]) -> tuple[DerivedSignal, ...]:
        """Return the derived signals among ``keys`` and behind them, in order of computation."""
        wanted = set(keys)
        found = []
        for derived in reversed(self.derived):
            if derived.key in wanted:
                found.append(derived)
                wanted |= derived.sources
        return tuple(reversed(found))

    def sources(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the signals which are not derived among ``keys`` and behind them: what somebody has to fetch."""
        reading = self.reading(keys)
        return reading.keys - {derived.key for derived in reading.derived}

    def reading(self, keys: Iterable[str]) -> "Reading":
        """Return what to read for these keys."""
        keys = frozenset(keys)
        needed = self.needed(keys)
        keys = keys.union(*(derived.sources for derived in needed))
        signals = tuple(signal for signal in map(self.get, keys) if signal)
        return Reading(keys, signals, needed, _vanishing(signals))


def _vanishing(signals: Iterable[Signal]) -> frozenset[str]:
    return frozenset(signal.key for signal in signals if signal.vanishes)


def check_additions(
    derived: Iterable[DerivedSignal], catalogue: SignalCatalogue
) -> tuple[SignalCatalogue, tuple[Problem, ...]]:
    """Return the catalogue with these derived signals, and every problem they have.

    With problems they are only named in it, so that what uses them can be checked; none has a value then.
    """
    problems: list[Problem] = []
    by_key: dict[str, DerivedSignal] = {}
    for item in derived:
        if item in catalogue.derived:
            continue
        if item.key in catalogue or by_key.setdefault(item.key, item) != item:
            message = _("there is another signal %(key)r", key=item.key[:70])
            problems.append(Problem("duplicate_key", message, f"signals.{item.key[:63]}", item.at("key")))
    good = _signals(by_key.values())
    extended = catalogue.extended(signal for key, signal in good.items() if key not in catalogue)
    for item in by_key.values():
        problems += item.problems(extended)
    ordered, cycle = _ordered({key: item for key, item in by_key.items() if key in good and key not in catalogue})
    if cycle:
        message = _("these signals are computed from each other: %(words)s", words=" → ".join(cycle))
        place = by_key[cycle[0]].at("value")
        hint = _("let one of them stand by itself")
        problems.append(Problem("cycle", message, f"signals.{cycle[0]}.value", place, hint))
    return SignalCatalogue(extended.signals, catalogue.derived + (() if problems else ordered)), tuple(problems)


def _signals(derived: Iterable[DerivedSignal]) -> dict[str, Signal]:
    found = {}
    for item in derived:
        with suppress(CatalogueError):
            found[item.key] = item.signal
    return found


def _ordered(derived: Mapping[str, DerivedSignal]) -> tuple[tuple[DerivedSignal, ...], tuple[str, ...]]:
    """Sort so that each comes after those it is computed from; and the keys along a cycle, if there is one."""
    behind = {key: sorted(item.sources & derived.keys()) for key, item in derived.items()}
    try:
        return tuple(derived[key] for key in TopologicalSorter(behind).static_order()), ()
    except CycleError as error:
        # The sorter names the cycle against the direction in which one reads it.
        return (), tuple(reversed(error.args[1]))
