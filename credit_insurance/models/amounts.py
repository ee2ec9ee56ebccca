"""Odoo's floats as the exact amounts the pure packages work with, and back."""

from decimal import Decimal
from math import isfinite

# Beyond it a float does not hold the cents any more.
LARGEST = 1e13


def to_decimal(amount, currency):
    """``amount`` (float) with the decimals of ``currency``, exactly."""
    return Decimal(f"{amount:.{currency.decimal_places}f}")


def is_amount(value):
    """Whether a float is a number that can be an amount. JSON lets clients send NaN and infinity."""
    return isfinite(value) and abs(value) < LARGEST


def percentage(value):
    """A percentage field (0 to 100, two decimals), exactly."""
    return Decimal(f"{value:.2f}")
