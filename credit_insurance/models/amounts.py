"""Odoo's floats as the exact amounts the pure packages work with, and back."""

from decimal import Decimal


def to_decimal(amount, currency):
    """``amount`` (float) with the decimals of ``currency``, exactly."""
    return Decimal(f"{amount:.{currency.decimal_places}f}")


def percentage(value):
    """A percentage field (0 to 100, two decimals), exactly."""
    return Decimal(f"{value:.2f}")
