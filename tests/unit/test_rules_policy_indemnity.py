"""What is paid for a loss, step by step."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import CurrencyMismatch, IndemnityStep, InvoiceLoss, Money, PolicyTerms, compute_indemnity

TERMS = PolicyTerms(
    currency="EUR",
    threshold=Decimal(1000),
    minimum_retention=Decimal(200),
    aggregate_first_loss_left=Decimal(500),
)


def eur(amount):
    return Money(Decimal(amount), "EUR")


def loss(amount, covered=10**6, percentage=None, reference="INV/1"):
    return InvoiceLoss(reference, eur(amount), eur(covered), percentage)


def steps(result):
    return {line.code: line.amount.amount for line in result.lines if line.code is not IndemnityStep.INVOICE}


def test_the_example_of_the_contract():
    result = compute_indemnity(TERMS, [loss(1150)])
    found = steps(result)
    assert found[IndemnityStep.INSURED_PERCENTAGE] == 1035
    assert found[IndemnityStep.MINIMUM_RETENTION] == 950
    assert found[IndemnityStep.AGGREGATE_FIRST_LOSS] == 450
    assert result.amount == eur(450)


def test_every_step_is_shown_in_the_order_of_the_contract():
    result = compute_indemnity(TERMS, [loss(700), loss(450)])
    assert [line.code for line in result.lines] == [IndemnityStep.INVOICE, *IndemnityStep]
    assert [line.applied for line in result.lines[-6:]] == [eur(1000), None, eur(200), eur(0), eur(500), None]


@pytest.mark.parametrize("amount, paid", [(999, 0), (1000, 0), (1001, "900.90")])
def test_a_loss_not_above_the_threshold_pays_nothing_and_above_it_in_full(amount, paid):
    terms = replace(TERMS, minimum_retention=Decimal(0), aggregate_first_loss_left=Decimal(0))
    assert compute_indemnity(terms, [loss(amount)]).amount == eur(paid)


CASES = [
    # change of a policy without deductions, losses, insured limit, amount
    ("capped at what was covered", {}, [loss(1000, 600)], None, 540),
    ("each invoice capped by itself", {}, [loss(1000, 600), loss(100, 900)], None, 630),
    ("sum capped at the insured limit", {}, [loss(600), loss(600)], 1000, 900),
    (
        "the oldest fills the limit, at its own percentage",
        {},
        [loss(600, percentage=Decimal(50)), loss(600)],
        1000,
        660,
    ),
    ("its own percentage", {}, [loss(1000, percentage=Decimal(60))], None, 600),
    ("a percentage of 0", {}, [loss(1000, percentage=Decimal(0))], None, 0),
    ("the threshold looks at the capped loss", {"threshold": Decimal(600)}, [loss(1000, 600)], None, 0),
    ("each and every first loss", {"each_and_every_first_loss": Decimal(100)}, [loss(1000)], None, 800),
    ("first loss above the loss", {"each_and_every_first_loss": Decimal(5000)}, [loss(1000)], None, 0),
    ("retention above the loss", {"minimum_retention": Decimal(5000)}, [loss(1000)], None, 0),
    ("retention below the own share changes nothing", {"minimum_retention": Decimal(50)}, [loss(1000)], None, 900),
    ("maximum liability", {"maximum_liability_left": Decimal(300)}, [loss(1000)], None, 300),
    ("maximum liability used up", {"maximum_liability_left": Decimal(0)}, [loss(1000)], None, 0),
    ("rounded at the end", {}, [loss("0.05"), loss("0.05"), loss("0.05")], None, "0.14"),
    ("recovered in full", {}, [loss(-10)], None, 0),
    ("no loss", {}, [], None, 0),
]


@pytest.mark.parametrize("what, change, losses, limit, amount", CASES, ids=[case[0] for case in CASES])
def test_each_step(what, change, losses, limit, amount):
    terms = replace(PolicyTerms(currency="EUR"), **change)
    result = compute_indemnity(terms, losses, insured_limit=None if limit is None else eur(limit))
    assert result.amount == eur(amount)


def test_amounts_are_in_policy_currency():
    with pytest.raises(CurrencyMismatch):
        compute_indemnity(TERMS, [InvoiceLoss("INV/1", Money(Decimal(1), "USD"), eur(1))])


cents = st.decimals(min_value=0, max_value=10**6, places=2)


@given(st.lists(st.tuples(cents, cents), max_size=5), cents, cents, cents, cents, cents)
def test_no_step_after_the_insured_loss_adds_anything(pairs, threshold, retention, first_loss, aggregate, limit):
    terms = PolicyTerms(
        currency="EUR",
        threshold=threshold,
        minimum_retention=retention,
        each_and_every_first_loss=first_loss,
        aggregate_first_loss_left=aggregate,
    )
    result = compute_indemnity(terms, [loss(a, c) for a, c in pairs], insured_limit=eur(limit))
    amounts = list(steps(result).values())
    assert amounts == sorted(amounts, reverse=True)
    assert 0 <= result.amount.amount <= limit
