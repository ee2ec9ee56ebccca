"""The credit decision: each rule is a row of a table."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import (
    Basis,
    BuyerStatus,
    CoverStatus,
    CurrencyMismatch,
    DecisionRequest,
    Exposure,
    InsurerCover,
    InvalidFacts,
    LimitInForce,
    Mode,
    Money,
    Outcome,
    OwnLimit,
    ReasonCode,
    Severity,
    decide,
    decide_batch,
    limit_in_force,
)

TODAY = date(2025, 6, 15)
TOMORROW = TODAY + timedelta(1)


def eur(amount):
    return Money(Decimal(amount), "EUR")


def own(amount):
    return LimitInForce.flat(eur(amount), TODAY)


def insured(status, amount=None, **values):
    row = InsurerCover(status=CoverStatus(status), amount=None if amount is None else eur(amount), **values)
    return limit_in_force(TODAY, [row], currency="EUR", stale="warn", max_age_days=14)


def exposure(confirmed=0, **parts):
    return Exposure.of("EUR", confirmed=Decimal(confirmed), **{key: Decimal(value) for key, value in parts.items()})


def request(document=300, confirmed=0, limit=1000, **facts):
    facts.setdefault("exposure", exposure(confirmed))
    limit = limit if isinstance(limit, LimitInForce) else own(limit)
    return DecisionRequest(document=eur(document), limit=limit, decimal_places=2, **facts)


def codes(decision):
    return {reason.code.value for reason in decision.reasons}


NOT_CHECKED = LimitInForce.without_check("EUR", TODAY)
LIMIT_CASES = [
    # what, request, outcome, basis
    ("below the limit", request(300, 600), "pass", "within_limit"),
    ("exactly at the limit", request(300, 700), "pass", "within_limit"),
    ("one cent over it", request("300.01", 700), "hold", "none"),
    ("no credit used, no limit", request(1, 0, 0), "hold", "none"),
    ("a limit of 0 is a limit", request(300, 0, 0), "hold", "none"),
    ("credits make room under a limit of 0", request(300, limit=0, exposure=exposure(credits=-300)), "pass", None),
    ("nothing known", request(10**9, limit=NOT_CHECKED), "pass", "not_checked"),
    ("buyer not checked", request(10**9, 0, 0, buyer_status=BuyerStatus.NOT_CHECKED), "pass", "not_checked"),
    ("an amount of zero over the limit", request(0, 2000), "pass", "zero_amount"),
    ("a negative amount over the limit", request(-5, 2000), "pass", "zero_amount"),
    ("goods that were invoiced and leave over the limit", request(0, 2000, goods_leave=True), "hold", "none"),
    ("goods that were invoiced and leave within the limit", request(0, 900, goods_leave=True), "pass", "within_limit"),
    (
        "goods that were invoiced are no small amount",
        request(0, 2000, goods_leave=True, order_threshold=eur(100)),
        "hold",
        "none",
    ),
    ("unknown is not unlimited", request(1, limit=insured("unknown")), "hold", "none"),
    ("refused", request(1, limit=insured("refused")), "hold", "none"),
    ("reserved by others", request(300, exposure=exposure(reserved=900)), "hold", "none"),
]
EXEMPTION_CASES = [
    ("paid", request(300, 2000, prepaid=eur(300)), "pass", "prepaid"),
    ("paid with room left", request(300, 0, prepaid=eur(300)), "pass", "prepaid"),
    ("partly paid, rest fits", request(300, 800, prepaid=eur(100)), "pass", "within_limit"),
    ("partly paid, rest does not fit", request(300, 801, prepaid=eur(100)), "hold", "none"),
    ("overpaid does not lower other debts", request(300, 2000, prepaid=eur(5000)), "pass", "prepaid"),
    ("cash before delivery", request(300, 2000, delivery_waits_for_money=True), "pass", "cash_before_delivery"),
    ("secured", request(300, 2000, secured=eur(300)), "pass", "secured"),
    ("not wholly secured", request(300, 2000, secured=eur(299)), "hold", "none"),
    ("the part not paid is secured", request(300, 2000, secured=eur(200), prepaid=eur(100)), "pass", "secured"),
    ("tolerated amount", request(300, 750, tolerance=eur(50)), "pass", "tolerance"),
    ("beyond the tolerated amount", request(300, 751, tolerance=eur(50)), "hold", "none"),
    ("tolerated percentage", request(300, 750, tolerance_percent=Decimal(5)), "pass", "tolerance"),
    ("no tolerance over a limit of 0", request(30, 0, 0, tolerance=eur(50)), "hold", "none"),
    ("small", request(100, 2000, order_threshold=eur(100)), "pass", "below_threshold"),
    ("not small", request("100.01", 2000, order_threshold=eur(100)), "hold", "none"),
    (
        "small, and the day's amount not used",
        request(100, 2000, order_threshold=eur(100), day_threshold=eur(250), passed_today=eur(150)),
        "pass",
        "below_threshold",
    ),
    (
        "small, but the day's amount used",
        request(100, 2000, order_threshold=eur(100), day_threshold=eur(250), passed_today=eur(151)),
        "hold",
        "none",
    ),
    ("released", request(300, 2000, released=eur(300)), "pass", "released"),
    ("released for less", request(300, 2000, released=eur(299)), "hold", "none"),
    ("a release not needed is not the basis", request(300, 0, released=eur(300)), "pass", "within_limit"),
]


CASES = LIMIT_CASES + EXEMPTION_CASES


@pytest.mark.parametrize("what, asked, outcome, basis", CASES, ids=[case[0] for case in CASES])
def test_limit_and_exemptions(what, asked, outcome, basis):
    decision = decide(asked)
    assert decision.outcome == decision.would_be == outcome
    assert basis is None or decision.basis == basis


PAST = date(2025, 5, 1)
REASON_CASES = [
    ("over the limit", request(1001), "over_limit"),
    ("answer not readable", request(limit=insured("unknown")), "limit_unknown"),
    ("blocked", request(buyer_status=BuyerStatus.BLOCKED), "buyer_blocked"),
    ("cash only", request(buyer_status=BuyerStatus.CASH_ONLY), "buyer_cash_only"),
    ("cash only, partly paid", request(buyer_status=BuyerStatus.CASH_ONLY, prepaid=eur(299)), "buyer_cash_only"),
    ("overdue", request(exposure=exposure(overdue=1), overdue_days=31, max_overdue_days=30), "overdue"),
    ("MEP passed", request(mep_passed=True), "mep_passed"),
    ("term too long", request(payment_term_days=121, max_payment_term_days=120), "term_too_long"),
    ("cover ends", request(cover_valid_until=TODAY, delivery_date=TOMORROW), "cover_ends_before_delivery"),
    (
        "cover ends by its own date",
        request(limit=insured("approved", 1000, effective_to=TODAY), delivery_date=TOMORROW),
        "cover_ends_before_delivery",
    ),
    ("currency", request(currency_allowed=False, document_currency="RUB"), "currency_not_covered"),
    ("country", request(country_allowed=False, country="XX"), "country_not_covered"),
    ("alert", request(alert_holds=("grade worsened",)), "alert"),
]


@pytest.mark.parametrize("what, asked, code", REASON_CASES, ids=[case[0] for case in REASON_CASES])
def test_each_reason_holds_by_itself(what, asked, code):
    decision = decide(asked)
    assert decision.outcome is Outcome.HOLD
    assert [reason.code for reason in decision.holding] == [code]


@pytest.mark.parametrize(
    "asked",
    [
        request(exposure=exposure(overdue=1), overdue_days=30, max_overdue_days=30),
        request(exposure=exposure(overdue=5), overdue_days=31, max_overdue_days=30, max_overdue_amount=eur(5)),
        request(exposure=exposure(overdue=9), overdue_days=31, max_overdue_days=30, overdue_amount=eur(0)),
        request(exposure=exposure(overdue=9), overdue_days=99),
        request(payment_term_days=120, max_payment_term_days=120),
        request(payment_term_days=999),
        request(cover_valid_until=TODAY, delivery_date=TODAY),
        request(delivery_date=TOMORROW),
        request(buyer_status=BuyerStatus.CASH_ONLY, prepaid=eur(300)),
        request(buyer_status=BuyerStatus.CASH_ONLY, delivery_waits_for_money=True),
    ],
)
def test_at_the_bound_nothing_holds(asked):
    assert decide(asked).outcome is Outcome.PASS


def test_all_reasons_are_listed_at_once():
    asked = request(
        2000,
        exposure=exposure(overdue=50),
        buyer_status=BuyerStatus.BLOCKED,
        overdue_days=90,
        max_overdue_days=30,
        mep_passed=True,
        payment_term_days=200,
        max_payment_term_days=120,
        cover_valid_until=TODAY,
        delivery_date=TOMORROW,
        currency_allowed=False,
        country_allowed=False,
        alert_holds=("a", "b"),
    )
    assert codes(decide(asked)) == {
        "over_limit",
        "buyer_blocked",
        "overdue",
        "mep_passed",
        "term_too_long",
        "cover_ends_before_delivery",
        "currency_not_covered",
        "country_not_covered",
        "alert",
    }


def test_a_watched_buyer_passes_with_a_warning():
    decision = decide(request(buyer_status=BuyerStatus.WATCH))
    assert (decision.outcome, decision.basis) == (Outcome.PASS, Basis.WITHIN_LIMIT)
    assert [(reason.code, reason.severity) for reason in decision.reasons] == [("buyer_watch", "warn")]


def test_stale_data_warns_with_its_age():
    decision = decide(request(limit=insured("approved", 1000, fetched_on=TODAY - timedelta(15))))
    assert decision.outcome is Outcome.PASS
    assert [(reason.code, dict(reason.params)) for reason in decision.reasons] == [("stale_data", {"age_days": 15})]


@pytest.mark.parametrize("status", ["refused", "withdrawn", "expired"])
def test_why_there_is_no_amount_is_said_beside_the_shortfall(status):
    decision = decide(request(limit=insured(status)))
    assert codes(decision) == {"over_limit", "limit_zero"}
    assert decision.limit == eur(0)
    assert [dict(r.params) for r in decision.reasons if r.code is ReasonCode.LIMIT_ZERO] == [{"state": status}]


def test_a_profile_makes_a_reason_milder_or_stricter():
    soft = request(2000, severities={ReasonCode.OVER_LIMIT: Severity.WARN})
    strict = request(buyer_status=BuyerStatus.WATCH, severities={ReasonCode.BUYER_WATCH: Severity.HOLD})
    assert (decide(soft).outcome, decide(soft).would_pass) == (Outcome.PASS, None)
    assert decide(strict).outcome is Outcome.HOLD


LIFTED = [
    # what is given, which reasons still hold
    ({"prepaid": eur(2000)}, {"buyer_blocked"}),
    ({"delivery_waits_for_money": True}, {"buyer_blocked"}),
    ({"secured": eur(2000)}, {"buyer_blocked", "overdue", "mep_passed", "alert"}),
    ({"order_threshold": eur(2000)}, {"buyer_blocked", "overdue", "mep_passed", "alert"}),
    ({"tolerance": eur(2000)}, {"buyer_blocked", "overdue", "mep_passed", "alert", "term_too_long"}),
    ({"released": eur(2000)}, set()),
    (
        {"released": eur(2000), "released_reasons": frozenset({ReasonCode.OVER_LIMIT, ReasonCode.MEP_PASSED})},
        {"buyer_blocked", "overdue", "alert", "term_too_long"},
    ),
]


@pytest.mark.parametrize("given_facts, left", LIFTED, ids=[str(list(case[0])) for case in LIFTED])
def test_what_lifts_which_reasons(given_facts, left):
    asked = request(
        2000,
        exposure=exposure(overdue=50),
        buyer_status=BuyerStatus.BLOCKED,
        overdue_days=90,
        max_overdue_days=30,
        mep_passed=True,
        payment_term_days=200,
        max_payment_term_days=120,
        alert_holds=("a",),
        **given_facts,
    )
    assert {reason.code.value for reason in decide(asked).holding} == left


def test_a_lifted_reason_is_recorded_with_what_lifted_it():
    decision = decide(request(300, 2000, released=eur(300)))
    assert [(reason.code, reason.exempted_by) for reason in decision.reasons] == [("over_limit", Basis.RELEASED)]


@pytest.mark.parametrize(
    "mode, document, outcome, would_be, basis",
    [
        (Mode.ON, 2000, "hold", "hold", "none"),
        (Mode.OBSERVE, 2000, "pass", "hold", "observe"),
        (Mode.OBSERVE, 200, "pass", "pass", "within_limit"),
        (Mode.OFF, 2000, "pass", "hold", "gate_off"),
        (Mode.OFF, 200, "pass", "pass", "gate_off"),
    ],
)
def test_observing_passes_and_says_what_would_have_been(mode, document, outcome, would_be, basis):
    decision = decide(request(document, mode=mode))
    assert (decision.outcome, decision.would_be, decision.basis) == (outcome, would_be, basis)
    assert bool(decision.holding) is (would_be == "hold")


def test_a_checkpoint_after_confirmation_does_not_ask_about_the_limit():
    assert decide(request(300, 2000, check_limit=False)).basis is Basis.NOT_CHECKED
    assert decide(request(0, 2000, check_limit=False, mep_passed=True)).outcome is Outcome.HOLD


def test_the_hold_carries_the_figures_that_decided_it():
    decision = decide(request(300, 900))
    assert (decision.limit, decision.exposure.total, decision.document) == (eur(1000), eur(900), eur(300))
    assert (decision.after, decision.headroom, decision.shortfall) == (eur(1200), eur(100), eur(200))
    assert (decision.would_pass, decision.prepayment) == (eur(100), eur(200))
    (reason,) = decision.reasons
    assert dict(reason.params) == {
        "limit": eur(1000),
        "exposure": eur(900),
        "document": eur(300),
        "after": eur(1200),
        "shortfall": eur(200),
        "tolerance": eur(0),
    }


def test_exposure_is_the_sum_of_its_sources():
    parts = exposure(100, not_due=10, overdue=20, credits=-50, reserved=5)
    assert parts.total == eur(85)
    with pytest.raises(InvalidFacts):
        exposure(credits=1)


def test_headroom_below_zero_is_told_as_it_is():
    decision = decide(request(300, 1200))
    assert (decision.headroom, decision.shortfall, decision.would_pass) == (eur(-200), eur(500), eur(0))
    assert decision.prepayment == eur(300)


@pytest.mark.parametrize(
    "asked, would_pass, prepayment",
    [
        (request(300, 900), 100, 200),
        (request(300, 900, tolerance=eur(50)), 150, 150),
        (request(300, 900, prepaid=eur(50)), 150, 150),
        (request(300, 1200, order_threshold=eur(40)), 40, 300),
        (request(300, 1200, released=eur(250)), 250, 300),
        (request(300, 900, secured=eur(240)), 240, 60),
        (request(300, 900, mep_passed=True), 0, 300),
        (request(300, 900, buyer_status=BuyerStatus.BLOCKED), 0, None),
        (request(300, 0), 1000, 0),
        (request(300, limit=NOT_CHECKED), None, 0),
        (request(300, 2000, delivery_waits_for_money=True), None, 0),
    ],
)
def test_what_would_pass(asked, would_pass, prepayment):
    decision = decide(asked)
    assert decision.would_pass == (None if would_pass is None else eur(would_pass))
    assert decision.prepayment == (None if prepayment is None else eur(prepayment))


def test_two_orders_of_700_confirmed_together_one_passes_and_one_is_held():
    first, second = decide_batch([request(700), request(700)])
    assert (first.outcome, second.outcome) == (Outcome.PASS, Outcome.HOLD)
    assert (second.exposure.reserved, second.shortfall) == (eur(700), eur(400))


def test_ten_orders_of_300_three_pass_and_each_hold_has_its_figures():
    decisions = decide_batch([request(300)] * 10)
    assert [decision.outcome.value for decision in decisions] == ["pass"] * 3 + ["hold"] * 7
    assert {(d.exposure.total, d.shortfall) for d in decisions[3:]} == {(eur(900), eur(200))}


def test_a_held_order_uses_no_headroom():
    decisions = decide_batch([request(700), request(700), request(300)])
    assert [decision.outcome.value for decision in decisions] == ["pass", "hold", "pass"]


def test_a_held_document_that_is_owed_all_the_same_uses_headroom():
    decisions = decide_batch([request(1200, owed_anyway=True), request(1)])
    assert [decision.outcome.value for decision in decisions] == ["hold", "hold"]
    assert decisions[1].exposure.reserved == eur(1200)


def test_a_paid_order_uses_no_headroom():
    decisions = decide_batch([request(700, prepaid=eur(700)), request(1000)])
    assert [decision.outcome.value for decision in decisions] == ["pass", "pass"]


def test_an_observed_order_uses_headroom_since_it_is_confirmed():
    decisions = decide_batch([request(700, mode=Mode.OBSERVE)] * 2)
    assert [decision.would_be.value for decision in decisions] == ["pass", "hold"]
    assert decide_batch([request(1200, mode=Mode.OBSERVE), request(1)])[1].outcome is Outcome.HOLD


def test_small_orders_of_one_batch_share_the_days_amount():
    small = request(100, 2000, order_threshold=eur(100), day_threshold=eur(250))
    assert [d.outcome.value for d in decide_batch([small] * 3)] == ["pass", "pass", "hold"]


def test_nothing_to_decide():
    assert decide_batch([]) == ()


def test_amounts_in_another_currency_are_refused():
    usd = Money(Decimal(1), "USD")
    with pytest.raises(CurrencyMismatch):
        replace(exposure(), overdue=usd)
    for facts in ({"document": usd}, {"prepaid": usd}, {"exposure": Exposure.of("USD")}):
        with pytest.raises(CurrencyMismatch):
            replace(request(), **facts)


def test_at_the_limit_is_judged_in_the_places_of_the_currency():
    third = Money(Decimal(1000) / 3, "EUR")
    limit = limit_in_force(TODAY, [OwnLimit(amount=third)], currency="EUR")
    asked = request(limit=limit, document="333.33")
    assert decide(asked).outcome is Outcome.PASS


cents = st.decimals(min_value=0, max_value=2000, places=2)
signed = st.decimals(min_value=-500, max_value=2000, places=2)
maybe = st.one_of(st.none(), cents.map(eur))
requests = st.builds(
    lambda document, limit, **facts: request(document, limit=limit, **facts),
    signed,
    st.one_of(cents, st.just(NOT_CHECKED), st.just(insured("unknown"))),
    exposure=st.builds(lambda confirmed, credits: exposure(confirmed, credits=-credits), signed, cents),
    buyer_status=st.sampled_from(BuyerStatus),
    prepaid=maybe,
    secured=maybe,
    released=maybe,
    tolerance=maybe,
    tolerance_percent=st.sampled_from([Decimal(0), Decimal("7.5")]),
    order_threshold=maybe,
    day_threshold=maybe,
    passed_today=maybe,
    mep_passed=st.booleans(),
    delivery_waits_for_money=st.booleans(),
    check_limit=st.booleans(),
)


@given(requests)
def test_the_largest_amount_that_passes_does_and_one_cent_more_does_not(asked):
    largest = decide(asked).would_pass
    if largest is None:
        assert decide(replace(asked, document=eur(10**12))).outcome is Outcome.PASS
        return
    if largest > eur(0):
        assert decide(replace(asked, document=largest)).outcome is Outcome.PASS
    assert decide(replace(asked, document=largest + eur("0.01"))).outcome is Outcome.HOLD


@given(requests)
def test_the_prepayment_that_would_do_does_and_one_cent_less_does_not(asked):
    decision = decide(asked)
    if decision.prepayment is None:
        assert decide(replace(asked, prepaid=decision.document + eur(10**6))).outcome is Outcome.HOLD
        return
    assert decide(replace(asked, prepaid=decision.prepaid + decision.prepayment)).outcome is Outcome.PASS
    if decision.prepayment > eur(0):
        less = decision.prepaid + decision.prepayment - eur("0.01")
        assert decide(replace(asked, prepaid=less)).outcome is Outcome.HOLD


@given(requests)
def test_a_hold_has_a_reason_and_a_pass_has_a_basis(asked):
    decision = decide(asked)
    assert (decision.outcome is Outcome.HOLD) == bool(decision.holding) == (decision.basis is Basis.NONE)
    assert decision.shortfall >= eur(0)


@given(st.lists(cents, max_size=8), cents)
def test_what_passes_in_a_batch_never_exceeds_the_limit(amounts, limit):
    decisions = decide_batch([request(amount, limit=limit) for amount in amounts])
    passed = sum((d.document.amount for d in decisions if d.outcome is Outcome.PASS), Decimal(0))
    assert passed <= limit
