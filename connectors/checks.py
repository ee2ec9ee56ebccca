"""Checks that outgoing messages make of themselves; each raises ``ValueError`` with a sentence."""

from decimal import Decimal


def require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def require_text(**values: str) -> None:
    for name, value in values.items():
        require(bool(value.strip()), f"{name} must not be empty")


def require_currency(value: str) -> None:
    require(len(value) == 3 and value.isascii() and value.isupper(), f"{value!r} is not an ISO 4217 currency code")


def require_money(value: Decimal | None, name: str) -> None:
    positive = isinstance(value, Decimal) and value.is_finite() and value > 0
    require(positive, f"{name} must be a positive Decimal, not {value!r}")
