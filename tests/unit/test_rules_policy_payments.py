"""Payments as the policy counts them: the oldest debt first before the loss, shared pro rata after it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import (
    CurrencyMismatch,
    Instalment,
    Invoice,
    Money,
    Settlement,
    insurers_share,
    open_oldest_first,
)

TODAY = date(2025, 6, 30)
LOSS = date(2025, 6, 1)


def eur(amount):
    return Money(Decimal(amount), "EUR")


def invoice(number, due, amount, *settlements, **kwargs):
    return Invoice(
        number=number,
        invoice_date=date(2025, 1, 1),
        due_date=date(2025, 2, due),
        total=kwargs.pop("total", eur(amount)),
        settlements=settlements,
        **kwargs,
    )


def paid(amount, on=date(2025, 3, 1)):
    return Settlement(on, Decimal(amount))


def counted(invoices, **kwargs):
    found = open_oldest_first(invoices, currency="EUR", today=TODAY, date_of_loss=LOSS, **kwargs)
    return {number: money.amount for number, money in found.items()}


def test_a_payment_for_the_newer_invoice_counts_for_the_older_one():
    assert counted([invoice("B", 20, 400, paid(400)), invoice("A", 10, 400)]) == {"A": 0, "B": 400}


def test_a_payment_larger_than_the_oldest_debt_goes_on_to_the_next():
    invoices = [invoice("A", 10, 300), invoice("B", 15, 300), invoice("C", 20, 500, paid(500))]
    assert counted(invoices) == {"A": 0, "B": 100, "C": 500}


def test_a_credit_note_stays_with_its_invoice():
    note = Settlement(date(2025, 3, 1), Decimal(400), is_payment=False)
    assert counted([invoice("A", 10, 400), invoice("B", 20, 400, note)]) == {"A": 400, "B": 0}


@pytest.mark.parametrize("on, expected", [(LOSS - timedelta(1), {"A": 0, "B": 400}), (LOSS, {"A": 400, "B": 0})])
def test_a_payment_from_the_date_of_loss_on_stays_where_it_was_matched(on, expected):
    assert counted([invoice("A", 10, 400), invoice("B", 20, 400, paid(400, on))]) == expected


def test_without_a_loss_every_payment_until_today_counts_for_the_oldest():
    invoices = [invoice("A", 10, 400), invoice("B", 20, 400, paid(400, TODAY), paid(0, TODAY))]
    found = open_oldest_first(invoices, currency="EUR", today=TODAY)
    assert found == {"A": eur(0), "B": eur(400)}


def test_a_payment_of_tomorrow_is_none_yet():
    assert counted([invoice("A", 10, 400, paid(400, TODAY + timedelta(1)))]) == {"A": 400}


def test_money_that_settled_nothing_yet_counts_too():
    assert counted([invoice("A", 10, 400), invoice("B", 20, 400)], unmatched=Decimal(500)) == {"A": 0, "B": 300}


def test_debts_due_on_one_day_are_counted_by_number():
    assert counted([invoice("B", 10, 100), invoice("A", 10, 100, paid(100))]) == {"A": 0, "B": 100}


def test_each_instalment_is_a_debt_of_its_own_day():
    parts = (Instalment(date(2025, 2, 5), Decimal(100)), Instalment(date(2025, 5, 5), Decimal(100)))
    invoices = [invoice("A", 5, 200, instalments=parts), invoice("B", 20, 300, paid(300))]
    # 100 of A, then 200 of B; the second instalment of A is due after B.
    assert counted(invoices) == {"A": 100, "B": 100}


def test_amounts_are_told_in_the_currency_of_the_policy():
    dollars = invoice("B", 20, 0, paid(200), total=Money(Decimal(800), "USD"), rate=Decimal("0.5"))
    assert counted([invoice("A", 10, 300), dollars]) == {"A": 200, "B": 400}
    with pytest.raises(CurrencyMismatch):
        counted([invoice("C", 10, 0, total=Money(Decimal(1), "USD"))])


amounts = st.integers(1, 500)


@given(
    st.lists(st.tuples(st.integers(1, 28), amounts, st.integers(0, 500), st.booleans()), min_size=1, max_size=6),
    st.integers(0, 300),
)
def test_moving_payments_changes_which_debts_are_open_and_not_how_much_is(rows, unmatched):
    invoices = [
        invoice(str(i), due, amount, Settlement(date(2025, 3, 1), Decimal(min(part, amount)), is_payment))
        for i, (due, amount, part, is_payment) in enumerate(rows)
    ]
    found = counted(invoices, unmatched=Decimal(unmatched))
    ledger = sum(item.open_on(TODAY) for item in invoices)
    assert sum(found.values()) == max(ledger - unmatched, 0)
    assert all(0 <= found[item.number] <= item.total.amount for item in invoices)
    oldest = sorted(invoices, key=lambda item: (item.due_date, item.number))
    touched = [found[item.number] for item in oldest]
    # Once a debt is left open, no payment reaches a newer one.
    first = next((i for i, left in enumerate(touched) if left), len(touched))
    for item, left in list(zip(oldest, touched, strict=True))[first + 1 :]:
        credited = sum(part.amount for part in item.settlements if not part.is_payment)
        assert left == item.total.amount - credited


SHARES = [
    # recovered, insured, loss, insurer's part
    ("pro rata", 200, 450, 1000, 90),
    ("all of it recovered", 1000, 450, 1000, 450),
    ("more than was lost", 1500, 450, 1000, 450),
    ("nothing insured", 200, 0, 1000, 0),
    ("nothing recovered", 0, 450, 1000, 0),
    ("a recovery taken back", -50, 450, 1000, 0),
    ("no loss", 100, 0, 0, 0),
    ("rounded once", 50, 100, 150, "33.33"),
]


@pytest.mark.parametrize("recovered, insured, loss, part", [row[1:] for row in SHARES], ids=[row[0] for row in SHARES])
def test_a_recovery_is_shared_pro_rata(recovered, insured, loss, part):
    assert insurers_share(eur(recovered), insured=eur(insured), loss=eur(loss)) == eur(part)


def test_a_recovery_in_another_currency_is_refused():
    with pytest.raises(CurrencyMismatch):
        insurers_share(Money(Decimal(1), "USD"), insured=eur(1), loss=eur(1))
