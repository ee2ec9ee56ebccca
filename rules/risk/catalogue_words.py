"""Short ways to write a signal of each type; the lists of signals are long."""

from dataclasses import replace
from decimal import Decimal

from .marking import _
from .signals import Scope, Signal, SignalType

NUMBER, MONEY, DAYS, PERCENT = SignalType.NUMBER, SignalType.MONEY, SignalType.DAYS, SignalType.PERCENT
TEXT, CHOICE, FLAG = SignalType.TEXT, SignalType.CHOICE, SignalType.FLAG
BUYER = Scope.BUYER


def money(key: str, label: str, help: str, example: str = "12300", scope: Scope = BUYER) -> Signal:
    """An amount in the company's currency."""
    return Signal(key, label, MONEY, scope, help=help, example=example)


def money_if_any(key: str, label: str, help: str, example: str = "12300") -> Signal:
    """An amount of something that need not be there; when it is gone, alerts about it end."""
    return replace(money(key, label, help, example), vanishes=True)


def owed(key: str, label: str, help: str, example: str = "12300") -> Signal:
    """An amount that is never negative, in the company's currency."""
    return replace(money(key, label, help, example), minimum=Decimal(0))


def days(key: str, label: str, help: str, example: str = "45", scope: Scope = BUYER) -> Signal:
    """A number of days; averages have decimals."""
    return Signal(key, label, DAYS, scope, unit=_("days"), help=help, example=example)


def days_if_any(key: str, label: str, help: str, example: str = "45", scope: Scope = BUYER) -> Signal:
    """A number of days of something that need not be there; when it is gone, alerts about it end."""
    return replace(days(key, label, help, example, scope), vanishes=True)


def percent(key: str, label: str, help: str, example: str = "90", scope: Scope = BUYER) -> Signal:
    """A share or a change: 90 means 90 %."""
    return Signal(key, label, PERCENT, scope, unit="%", help=help, example=example)


def days_late(key: str, label: str, help: str) -> Signal:
    """A number of days after a due date, 0 before it."""
    return replace(days(key, label, help), minimum=Decimal(0))


def share(key: str, label: str, help: str, example: str = "35") -> Signal:
    """A part of a whole, from 0 to 100 %."""
    return replace(percent(key, label, help, example), minimum=Decimal(0), maximum=Decimal(100))


def share_if_any(key: str, label: str, help: str, example: str = "35") -> Signal:
    """A part of a whole that need not be there; when it is gone, alerts about it end."""
    return replace(share(key, label, help, example), vanishes=True)


def percent_if_any(key: str, label: str, help: str, example: str = "90") -> Signal:
    """A share of something that need not be there; when it is gone, alerts about it end."""
    return replace(percent(key, label, help, example), vanishes=True)


def count(key: str, label: str, help: str, example: str = "3", scope: Scope = BUYER, unit: str = "") -> Signal:
    """A number of things, never negative."""
    return Signal(key, label, NUMBER, scope, unit=unit, help=help, example=example, minimum=Decimal(0))


def score(key: str, label: str, help: str) -> Signal:
    """Points from 0 (worst) to 100 (best)."""
    maximum = Decimal(100)
    return Signal(key, label, NUMBER, unit=_("points"), help=help, example="40", minimum=Decimal(0), maximum=maximum)


def risk_class(key: str, label: str, help: str) -> Signal:
    """A class from 1 (best) to 5."""
    return Signal(key, label, NUMBER, unit=_("class"), help=help, example="4", minimum=Decimal(1), maximum=Decimal(5))


def classes_lost(key: str, label: str, help: str) -> Signal:
    """How many classes the grade got worse."""
    least, most = Decimal(-4), Decimal(4)
    return Signal(key, label, NUMBER, unit=_("classes"), help=help, example="2", minimum=least, maximum=most)


def flag(key: str, label: str, help: str, scope: Scope = BUYER) -> Signal:
    """Yes or no."""
    return Signal(key, label, FLAG, scope, help=help, example="yes")


def text(key: str, label: str, help: str, example: str, scope: Scope = BUYER) -> Signal:
    """A text, compared as it is."""
    return Signal(key, label, TEXT, scope, help=help, example=example)


def choice(key: str, label: str, help: str, choices: tuple[str, ...], example: str, scope: Scope = BUYER) -> Signal:
    """One of a few texts."""
    return Signal(key, label, CHOICE, scope, help=help, example=example, choices=choices)
