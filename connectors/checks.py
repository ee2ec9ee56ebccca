"""Checks that outgoing messages make of themselves; each raises ``ValueError`` with a sentence."""

from decimal import Decimal

from .words import Words, _


def require(condition: bool, message: Words) -> None:
    if not condition:
        raise ValueError(message)


def require_text(**values: str) -> None:
    for name, value in values.items():
        require(bool(value.strip()), _("%(name)s must not be empty", name=name))


def require_currency(value: str) -> None:
    words = _("%(value)s is not an ISO 4217 currency code", value=repr(value))
    require(len(value) == 3 and value.isascii() and value.isupper(), words)


def require_money(value: Decimal | None, name: str) -> None:
    positive = isinstance(value, Decimal) and value.is_finite() and value > 0
    require(positive, _("%(name)s must be a positive Decimal, not %(value)s", name=name, value=repr(value)))
