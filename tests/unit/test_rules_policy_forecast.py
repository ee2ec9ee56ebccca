from datetime import date, timedelta
from decimal import Decimal

import pytest

from rules.policy import CurrencyMismatch, Freed, Money, when_freed

TODAY = date(2025, 1, 15)


def eur(amount):
    return Money(Decimal(amount), "EUR")


def due(days, amount):
    return TODAY + timedelta(days=days), eur(amount)


@pytest.mark.parametrize(
    ("needed", "dues", "expected"),
    [
        (100, [due(10, 100)], (10, 100)),
        (100, [due(20, 60), due(10, 50)], (20, 110)),
        (100, [due(10, 50), due(10, 50)], (10, 100)),
        (100, [due(0, 100)], (0, 100)),
        (100, [due(10, 99)], None),
        (100, [], None),
        # What was due and has not come says nothing about when it will.
        (100, [due(-1, 500)], None),
        (100, [due(-1, 500), due(30, 100)], (30, 100)),
        # A credit with a due date of its own brings no money in.
        (100, [due(5, -50), due(10, 100)], (10, 100)),
    ],
)
def test_first_day_on_which_enough_is_due(needed, dues, expected):
    found = when_freed(eur(needed), dues, TODAY)
    assert found == (expected and Freed(TODAY + timedelta(days=expected[0]), eur(expected[1])))


def test_nothing_needed_is_free_today():
    assert when_freed(eur(0), [due(10, 100)], TODAY) == Freed(TODAY, eur(0))


def test_open_credits_are_deducted_from_what_is_paid_first():
    dues = [due(10, 100), due(20, 100)]
    assert when_freed(eur(100), dues, TODAY, credit=eur(30)) == Freed(TODAY + timedelta(days=20), eur(170))
    assert when_freed(eur(100), dues, TODAY, credit=eur(-30)) == Freed(TODAY + timedelta(days=10), eur(100))


def test_a_buyer_that_pays_late_frees_late():
    assert when_freed(eur(100), [due(10, 100)], TODAY, days_late=7) == Freed(TODAY + timedelta(days=17), eur(100))


def test_an_item_due_yesterday_is_still_expected_from_a_buyer_that_pays_a_week_late():
    assert when_freed(eur(100), [due(-1, 100)], TODAY, days_late=7) == Freed(TODAY + timedelta(days=6), eur(100))


def test_no_day_after_the_end_of_the_cover_helps():
    dues = [due(10, 100)]
    assert when_freed(eur(100), dues, TODAY, until=TODAY + timedelta(days=9)) is None
    assert when_freed(eur(100), dues, TODAY, until=TODAY + timedelta(days=10)) is not None


def test_amounts_of_different_currencies_are_refused():
    with pytest.raises(CurrencyMismatch):
        when_freed(eur(100), [(TODAY, Money(Decimal(100), "USD"))], TODAY)
