"""Money is exact, knows its currency, and never mixes two of them."""

from datetime import date
from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import CurrencyMismatch, ExchangeRates, InvalidAmount, MissingRate, Money

RATES = ExchangeRates("EUR", date(2025, 1, 1), {"USD": Decimal(2), "JPY": Decimal("160.5")})
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


def eur(amount):
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize("value", [1.5, float("nan"), "1", None, True, Decimal("NaN"), Decimal("Infinity")])
def test_only_finite_exact_numbers_are_amounts(value):
    with pytest.raises(InvalidAmount):
        Money(value, "EUR")


def test_an_integer_is_exact():
    assert Money(3, "EUR") == eur("3.00")


@pytest.mark.parametrize(
    "operation",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ],
)
def test_two_currencies_never_meet(operation):
    with pytest.raises(CurrencyMismatch) as raised:
        operation(eur(1), Money(Decimal(1), "USD"))
    assert (raised.value.left, raised.value.right) == ("EUR", "USD")


def test_the_same_amount_in_two_currencies_is_not_equal():
    assert eur(1) != Money(Decimal(1), "USD")


def test_an_amount_can_change_its_sign_and_be_floored():
    assert -eur(5) == eur(-5)
    assert eur(-5).floored() == eur(0)
    assert eur(5).floored() == eur(5)


def test_the_truth_of_an_amount_is_not_guessed():
    with pytest.raises(TypeError):
        bool(eur(0))


@pytest.mark.parametrize(
    "amount, places, rounded", [("2.345", 2, "2.35"), ("-2.345", 2, "-2.35"), ("2.5", 0, "3"), ("1.0005", 3, "1.001")]
)
def test_half_is_rounded_up_to_the_places_of_the_currency(amount, places, rounded):
    assert eur(amount).rounded(places).amount == Decimal(rounded)


def test_another_rounding_can_be_asked_for():
    assert eur("2.349").rounded(2, ROUND_DOWN) == eur("2.34")


def test_an_absurd_amount_is_rounded_like_others():
    assert eur("1E+300").rounded(2) == eur("1E+300")


def test_two_thousand_dollars_are_one_thousand_euros_and_never_four():
    assert RATES.convert(Money(Decimal(2000), "USD"), "EUR") == eur(1000)
    assert RATES.convert(eur(1000), "USD") == Money(Decimal(2000), "USD")
    assert RATES.convert(Money(Decimal(2000), "USD"), "USD") == Money(Decimal(2000), "USD")


def test_two_foreign_currencies_convert_through_the_base():
    assert RATES.convert(Money(Decimal(2), "USD"), "JPY") == Money(Decimal("160.5"), "JPY")


def test_a_missing_rate_is_named():
    with pytest.raises(MissingRate) as raised:
        RATES.convert(eur(1), "CHF")
    assert raised.value.currency == "CHF"


@pytest.mark.parametrize("rate", [Decimal(0), Decimal(-1)])
def test_a_rate_is_above_zero(rate):
    with pytest.raises(InvalidAmount):
        ExchangeRates("EUR", date(2025, 1, 1), {"USD": rate})


@given(amounts, amounts)
def test_adding_and_taking_away_is_exact(left, right):
    assert eur(left) + eur(right) - eur(right) == eur(left)
