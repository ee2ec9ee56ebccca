"""Facts as they come, made comparable: one number format, one place where a bad value is noticed.

Every number is carried with four decimals (rounded half even) and up to 100 trillion, which holds any currency's
money and is exact as a 64-bit integer of ten-thousandths; that is why two evaluators can agree to the last digit.
None or an absent key means *missing*. A value that cannot be what its signal says (a text for money, NaN, a class 9
of 5) is *unreadable*: it counts as missing, and is named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from .marking import _
from .model import Constant, FactValue, Value
from .signals import DerivedSignal, Reading, Signal, SignalCatalogue, SignalType

DECIMALS = 4
STEP = Decimal("0.0001")
LARGEST = Decimal(10) ** 14
_ORDINARY = 14  # a number with a smaller exponent is below LARGEST
_ZERO = Decimal("0.0000")  # never the negative one
_MANY_DAYS = 1000
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)

Facts = Mapping[str, FactValue]


class UnreadableFact(ValueError):
    """The value cannot be what its signal says; the message tells why."""


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """Facts after reading: ``values`` by signal key, and why the ``unreadable`` ones are not among them.

    ``vanished`` are the signals without a value of whose kind there is nothing, and those computed from them.
    """

    values: Mapping[str, Value]
    unreadable: Mapping[str, str]
    vanished: frozenset[str] = frozenset()


def rounded(number: Decimal) -> Decimal:
    """Round to the four decimals every number carries; the caller bounds the size (at most 40 digits before the point).

    >>> rounded(Decimal("1.00005")), rounded(Decimal("-0.00001"))
    (Decimal('1.0000'), Decimal('0.0000'))
    """
    return number.quantize(STEP, None, EXACT) or _ZERO


def product(number: Decimal, factor: Decimal) -> Decimal:
    """Multiply exactly, then round as all numbers are.

    >>> product(Decimal("100.01"), Decimal("1.1"))
    Decimal('110.0110')
    """
    return rounded(EXACT.multiply(number, factor))


def constant_value(constant: Constant) -> Value:
    """Return the constant as facts are carried; for one that passed the checker this changes nothing."""
    return rounded(constant.value) if isinstance(constant.value, Decimal) else constant.value


def _read_word(signal: Signal, value: FactValue) -> Value:
    """As ``_read_number``, for signals that are no numbers."""
    if signal.type is SignalType.FLAG:
        if isinstance(value, bool):
            return value
        raise UnreadableFact(_("%(shown)s is neither yes nor no", shown=_shown(value)))
    if not isinstance(value, str):
        raise UnreadableFact(_("%(shown)s is not a text", shown=_shown(value)))
    if signal.choices and value not in signal.choices:
        raise UnreadableFact(
            _("%(shown)s is not one of %(words)s", shown=_shown(value), words=", ".join(signal.choices))
        )
    return str(value)


def _read_number(signal: Signal, value: FactValue, today: date) -> Decimal:
    """Return the value in the form evaluators compare, or raise ``UnreadableFact``."""
    # Nearly all facts are Decimals or numbers of days, of ordinary size: a portfolio has millions of them.
    if type(value) is int and -_MANY_DAYS < value < _MANY_DAYS:
        number = _WHOLE[value]
    else:
        if type(value) is not Decimal or not value.is_finite() or value.adjusted() >= _ORDINARY:
            value = _exact(signal, value, today)
        number = value.quantize(STEP, None, EXACT) or _ZERO
    low, high = signal.minimum, signal.maximum
    if low is not None and number < low or high is not None and number > high:
        raise UnreadableFact(
            _("%(normalize)s is outside the range of %(key)s", normalize=f"{number.normalize():f}", key=signal.key)
        )
    return number


_WHOLE = {value: rounded(Decimal(value)) for value in range(1 - _MANY_DAYS, _MANY_DAYS)}


def _exact(signal: Signal, value: FactValue, today: date) -> Decimal:
    if isinstance(value, date) and signal.type is SignalType.DAYS:
        value = (today - (value.date() if isinstance(value, datetime) else value)).days
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UnreadableFact(_("%(shown)s is not an exact number", shown=_shown(value)))
    if isinstance(value, Decimal) and not value.is_finite():
        raise UnreadableFact(_("not a finite number"))
    if not -LARGEST <= value <= LARGEST:
        raise UnreadableFact(_("beyond %(largest)s", largest=f"{LARGEST:f}"))
    return Decimal(value)


def _shown(value: object) -> str:
    """A short repr; a value nobody expected must not flood a log or fail in its own ``__repr__``."""
    return repr(value[:40]) if isinstance(value, str) else _("a value of type %(name)s", name=type(value).__name__)


def read_facts(facts: Facts, catalogue: SignalCatalogue, today: date, reading: Reading | None = None) -> ReadFacts:
    """Read the facts the catalogue knows and compute its derived signals, all of them or those of ``reading``.

    Other keys are ignored, so a caller may pass more than the rules need. A value given for a derived signal counts.
    """
    values: dict[str, Value] = {}
    unreadable: dict[str, str] = {}
    for signal in filter(None, map(catalogue.get, facts)) if reading is None else reading.signals:
        key = signal.key
        value = facts.get(key)
        if value is None:
            continue
        try:
            values[key] = _read_number(signal, value, today) if signal.is_numeric else _read_word(signal, value)
        except UnreadableFact as error:
            unreadable[key] = error.args[0]
    vanishing = catalogue.vanishing if reading is None else reading.vanishing
    vanished = set(vanishing.difference(values, unreadable))
    for derived in catalogue.derived if reading is None else reading.derived:
        if derived.key in values or derived.key in unreadable:
            continue
        value = derived.compute(values)
        if isinstance(value, Decimal):
            if not -LARGEST <= value <= LARGEST:
                unreadable[derived.key] = _("beyond %(largest)s", largest=f"{LARGEST:f}")
                continue
            value = rounded(value)
        if value is not None:
            values[derived.key] = value
        elif not vanished.isdisjoint(derived.sources) and _misses_only(derived, values, vanished):
            vanished.add(derived.key)
    return ReadFacts(values, unreadable, frozenset(vanished))


class _Watched(Mapping[str, Value]):
    """Values that note what somebody asked for in vain; whether one is there may be asked without a note."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values
        self.missed: set[str] = set()

    def __getitem__(self, key: str) -> Value:
        if key not in self._values:
            self.missed.add(key)
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _misses_only(derived: DerivedSignal, values: Mapping[str, Value], vanished: set[str]) -> bool:
    """True when all that the calculation lacks has vanished: what is computed of nothing is nothing, too."""
    watched = _Watched(values)
    derived.compute(watched)
    return bool(watched.missed) and watched.missed <= vanished


def complete(facts: Facts, catalogue: SignalCatalogue, today: date) -> dict[str, FactValue]:
    """Return the facts as they are and the values of all derived signals beside them, None where there is none."""
    values = read_facts(facts, catalogue, today).values
    computed = {derived.key: values.get(derived.key) for derived in catalogue.derived}
    return {**facts, **{key: value for key, value in computed.items() if facts.get(key) is None}}
