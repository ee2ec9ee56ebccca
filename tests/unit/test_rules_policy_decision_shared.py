"""Limits that several buyers share, and the reasons beside the limit that came with deliveries and groups."""

from datetime import date
from decimal import Decimal

import pytest

from rules.policy import (
    Basis,
    BuyerStatus,
    CurrencyMismatch,
    DecisionRequest,
    Exposure,
    LimitInForce,
    Money,
    Outcome,
    ReasonCode,
    SharedLimit,
    decide,
    decide_batch,
)


def eur(amount):
    return Money(Decimal(amount), "EUR")


def shared(limit=1000, exposure=0, currency="EUR", **values):
    limits = {"limit": Money(Decimal(limit), currency), "exposure": Money(Decimal(exposure), currency)}
    return SharedLimit(key="group,1", name="Alpha", **limits, **values)


def request(document, *, limit=1000, exposure=0, currency="EUR", **values):
    if limit is None:
        in_force = LimitInForce.without_check(currency, date(2025, 1, 1))
    else:
        in_force = LimitInForce.flat(Money(Decimal(limit), currency), date(2025, 1, 1))
    return DecisionRequest(
        document=Money(Decimal(document), currency),
        exposure=Exposure.of(currency, confirmed=Decimal(exposure)),
        limit=in_force,
        **values,
    )


def codes(decision):
    return [reason.code for reason in decision.reasons]


@pytest.mark.parametrize(
    ("own", "group", "document", "passes", "shortfall", "would_pass"),
    [
        (1000, 1000, 1000, True, 0, 1000),
        (1000, 600, 1000, False, 400, 600),
        (600, 1000, 1000, False, 400, 600),
        (None, 600, 1000, False, 400, 600),
        (500, 600, 1000, False, 500, 500),
        (1000, 0, 1, False, 1, 0),
    ],
)
def test_document_fits_both_limits_or_neither(own, group, document, passes, shortfall, would_pass):
    decision = decide(request(document, limit=own, shared=shared(group)))
    assert (decision.outcome is Outcome.PASS) is passes
    assert decision.shortfall == eur(shortfall)
    assert decision.would_pass == eur(would_pass)


def test_prepayment_covers_the_larger_shortfall():
    decision = decide(request(1000, limit=900, shared=shared(700)))
    assert decision.shared == shared(700)
    assert decision.prepayment == eur(300)
    assert codes(decision) == [ReasonCode.OVER_LIMIT, ReasonCode.OVER_SHARED_LIMIT]


def test_tolerance_is_over_the_buyers_own_limit_only():
    assert decide(request(1100, tolerance_percent=Decimal(10))).basis is Basis.TOLERANCE
    held = decide(request(1100, limit=5000, shared=shared(1000), tolerance_percent=Decimal(10)))
    assert held.outcome is Outcome.HOLD


def test_members_confirmed_together_share_the_groups_headroom():
    requests = [request(700, buyer=buyer, shared=shared(1000)) for buyer in "AB"]
    assert [decision.outcome for decision in decide_batch(requests)] == [Outcome.PASS, Outcome.HOLD]


def test_buyers_of_no_group_share_nothing():
    requests = [request(700, buyer=buyer) for buyer in "ABA"]
    assert [decision.outcome for decision in decide_batch(requests)] == [Outcome.PASS, Outcome.PASS, Outcome.HOLD]


def test_members_with_limits_in_different_currencies_share_by_the_groups_own():
    """The group's limit is 1,000 EUR, and 1 EUR = 2 USD."""
    first = request(600, buyer="A", shared=shared(1000))
    second = request(
        900, limit=None, currency="USD", buyer="B", shared=shared(2000, currency="USD", per_unit=Decimal("0.5"))
    )
    decisions = decide_batch([first, second])
    assert [decision.outcome for decision in decisions] == [Outcome.PASS, Outcome.HOLD]
    assert decisions[1].shortfall == Money(Decimal(100), "USD")


def test_shared_limit_in_another_currency_is_a_mistake():
    with pytest.raises(CurrencyMismatch):
        request(1, shared=shared(currency="USD"))


def test_shared_limit_is_not_compared_at_a_delivery():
    assert decide(request(5000, shared=shared(10), check_limit=False)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"unrated": ("XZZ",)}, ReasonCode.RATE_MISSING),
        ({"blocked_related": ("Beta",)}, ReasonCode.RELATED_BUYER_BLOCKED),
        ({"check_limit": False, "cover_stopped": "withdrawn"}, ReasonCode.COVER_STOPPED),
        ({"check_limit": False, "must_be_paid": True}, ReasonCode.NOT_PAID_YET),
    ],
)
def test_reason_holds_until_released(facts, code):
    held = decide(request(100, **facts))
    assert held.outcome is Outcome.HOLD
    assert codes(held) == [code]
    assert decide(request(100, released=eur(100), **facts)).basis is Basis.RELEASED


def test_other_entities_only_warn():
    decision = decide(request(100, different=("Beta",)))
    assert (decision.outcome, codes(decision)) == (Outcome.PASS, [ReasonCode.DIFFERENT_ENTITIES])


def test_payment_does_not_lift_a_related_block():
    assert decide(request(100, blocked_related=("Beta",), prepaid=eur(100))).outcome is Outcome.HOLD


def test_delivery_leaves_once_everything_is_paid():
    waiting = {"check_limit": False, "must_be_paid": True}
    part = decide(request(100, prepaid=eur(99), **waiting))
    assert (part.outcome, part.prepayment) == (Outcome.HOLD, eur(1))
    assert decide(request(100, prepaid=eur(100), **waiting)).basis is Basis.PREPAID


def test_delivery_that_waits_is_said_although_the_limit_would_have_sufficed():
    decision = decide(request(100, delivery_waits_for_money=True))
    assert decision.basis is Basis.CASH_BEFORE_DELIVERY
    cash_only = decide(request(100, delivery_waits_for_money=True, buyer_status=BuyerStatus.CASH_ONLY))
    assert cash_only.basis is Basis.CASH_BEFORE_DELIVERY
