"""Facts as they come, made comparable: one number format, one place where a bad value is noticed.

Every number is carried with four decimals (rounded half even) and up to 100 trillion, which holds any currency's
money and is exact as a 64-bit integer of ten-thousandths; that is why two evaluators can agree to the last digit.
None or an absent key means *missing*. A value that cannot be what its signal says (a text for money, NaN, a class 9
of 5) is *unreadable*: it counts as missing, and is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from .model import Constant, FactValue, Value
from .signals import Signal, SignalCatalogue, SignalType

DECIMALS = 4
STEP = Decimal("0.0001")
LARGEST = Decimal(10) ** 14
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)

Facts = Mapping[str, FactValue]


class UnreadableFact(ValueError):
    """The value cannot be what its signal says; the message tells why."""


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """Facts after reading: ``values`` by signal key, and why the ``unreadable`` ones are not among them."""

    values: Mapping[str, Value]
    unreadable: Mapping[str, str]


def rounded(number: Decimal) -> Decimal:
    """Round to the four decimals every number carries; the caller bounds the size (at most 40 digits before the point).

    >>> rounded(Decimal("1.00005")), rounded(Decimal("-0.00001"))
    (Decimal('1.0000'), Decimal('0.0000'))
    """
    return _EXACT.plus(number.quantize(STEP, context=_EXACT))  # plus: no negative zero


def product(number: Decimal, factor: Decimal) -> Decimal:
    """Multiply exactly, then round as all numbers are.

    >>> product(Decimal("100.01"), Decimal("1.1"))
    Decimal('110.0110')
    """
    return rounded(_EXACT.multiply(number, factor))


def constant_value(constant: Constant) -> Value:
    """Return the constant as facts are carried; for one that passed the checker this changes nothing."""
    return rounded(constant.value) if isinstance(constant.value, Decimal) else constant.value


def read_value(signal: Signal, value: FactValue, today: date) -> Value:
    """Return the value in the form evaluators compare, or raise ``UnreadableFact``."""
    if signal.type.is_numeric:
        return _read_number(signal, value, today)
    if signal.type is SignalType.FLAG:
        if isinstance(value, bool):
            return value
        raise UnreadableFact(f"{_shown(value)} is neither yes nor no")
    if not isinstance(value, str):
        raise UnreadableFact(f"{_shown(value)} is not a text")
    if signal.choices and value not in signal.choices:
        raise UnreadableFact(f"{_shown(value)} is not one of {', '.join(signal.choices)}")
    return str(value)


def _read_number(signal: Signal, value: FactValue, today: date) -> Decimal:
    if isinstance(value, date) and signal.type is SignalType.DAYS:
        value = (today - (value.date() if isinstance(value, datetime) else value)).days
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UnreadableFact(f"{_shown(value)} is not an exact number")
    if isinstance(value, Decimal) and not value.is_finite():
        raise UnreadableFact("not a finite number")
    if not -LARGEST <= value <= LARGEST:
        raise UnreadableFact(f"beyond {LARGEST:f}")
    number = rounded(Decimal(value))
    if signal.minimum is not None and number < signal.minimum or signal.maximum is not None and number > signal.maximum:
        raise UnreadableFact(f"{number.normalize():f} is outside the range of {signal.key}")
    return number


def _shown(value: object) -> str:
    """A short repr; a value nobody expected must not flood a log or fail in its own ``__repr__``."""
    return repr(value[:40]) if isinstance(value, str) else f"a value of type {type(value).__name__}"


def read_facts(facts: Facts, catalogue: SignalCatalogue, today: date) -> ReadFacts:
    """Read all facts the catalogue knows; other keys are ignored, so a caller may pass more than the rules need."""
    values: dict[str, Value] = {}
    unreadable: dict[str, str] = {}
    for key, value in facts.items():
        signal = catalogue.get(key)
        if signal is None or value is None:
            continue
        try:
            values[key] = read_value(signal, value, today)
        except UnreadableFact as error:
            unreadable[key] = str(error)
    return ReadFacts(values, unreadable)
