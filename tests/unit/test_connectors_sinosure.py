"""SINOSURE, in both formats against the simulator: every call, what is taken twice, what is refused and why."""

import dataclasses
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sinosure_support import (
    BUYER,
    NOW,
    OTHER,
    POLICY,
    a_request,
    stage,
)

from connectors import (
    BuyerQuery,
    ConfigurationError,
    CoverProduct,
    CoverRequestKind,
    CoverStatus,
    NotSupported,
    PaymentMethod,
    RejectedByInsurer,
    ReportOrder,
    ReportStatus,
    RequestStatus,
    TurnoverDeclaration,
)


@pytest.fixture(params=["soap", "gateway"])
def scene(request):
    with stage(request.param) as made:
        yield made


@pytest.fixture
def sinosure(scene):
    with scene.connect() as insurer:
        yield insurer


# --- Covers ---------------------------------------------------------------------------------------------------------


def test_covers_come_with_amounts_dates_and_conditions(sinosure):
    covers = {cover.buyer_id: cover for cover in sinosure.covers(POLICY)}
    assert covers.keys() == {BUYER, OTHER}
    known = covers[BUYER]
    assert (known.status, known.amount, known.currency) == (CoverStatus.APPROVED, Decimal("500000.00"), "USD")
    assert known.insured_percentage == 90
    assert known.effective_to - known.effective_from == timedelta(days=365)
    assert known.raw_code == "01" and "refuseRate: 80" in known.conditions
    assert covers[OTHER].amount == Decimal("12.30") and covers[OTHER].conditions[0] == "货到付款"


def test_state_that_no_setting_explains_stays_unknown_and_raw(scene):
    with scene.connect(quota_states="") as sinosure:
        assert {(cover.status, cover.raw_code) for cover in sinosure.covers(POLICY)} == {
            (CoverStatus.UNKNOWN, "01"),
            (CoverStatus.UNKNOWN, "02"),
        }


def test_limit_that_was_changed_comes_once_as_it_is_now(scene, sinosure):
    sinosure.request_cover(a_request())
    scene.decide("APPROVED")
    scene.pass_time(days=40)
    scene.simulator.control.set_cover(BUYER, statusCode="REDUCED", amount="1000")
    (cover,) = [cover for cover in sinosure.covers(POLICY) if cover.buyer_id == BUYER]
    assert (cover.status, cover.amount) == (CoverStatus.REDUCED, Decimal("1000.00"))
    assert cover.decided_on == date(2026, 4, 9)


def test_pre_revocation_is_announced_and_the_cover_stands_until_its_last_day(scene, sinosure):
    scene.simulator.control.withdraw(BUYER, in_days=30)
    (cover,) = [cover for cover in sinosure.covers(POLICY) if cover.buyer_id == BUYER]
    (notice,) = cover.announcements
    assert cover.status is CoverStatus.APPROVED
    assert notice.effective_from == date(2026, 2, 28) + timedelta(days=30)


def test_page_ends_and_the_next_one_goes_on_where_it_ended(sinosure, monkeypatch):
    monkeypatch.setattr("connectors.sinosure_covers.ROWS_PER_CALL", 1)
    first = sinosure.cover_page(POLICY)
    assert (len(first.items), first.total, first.next_token) == (1, 2, "2026-03-01/1")
    second = sinosure.cover_page(POLICY, first.next_token)
    assert second.next_token is None and second.items != first.items
    with pytest.raises(ConfigurationError):
        sinosure.cover_page(POLICY, "elsewhere")


def test_balances(sinosure):
    balances = {each.buyer_id: each for each in sinosure.quota_balances(POLICY).items}
    assert balances[BUYER].balance == Decimal("500000.00") and balances[BUYER].calculated_at == NOW


# --- Requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "amount", "status"),
    [("APPROVED", None, RequestStatus.APPROVED), ("PARTIAL", "600000", RequestStatus.PARTIAL)],
)
def test_request_is_answered_when_it_is_decided(scene, sinosure, decision, amount, status):
    request = a_request()
    sent = sinosure.request_cover(request)
    assert sent.status is RequestStatus.PENDING and sent.reference == request.reference
    assert sinosure.cover_request_state(sent.request_id).status is RequestStatus.PENDING
    assert [each.request_id for each in sinosure.cover_request_page(POLICY).items] == [sent.request_id]
    scene.pass_time(days=5)
    scene.decide(decision, amount=amount)
    for state in (sinosure.find_cover_request(request), sinosure.cover_request_state(sent.request_id)):
        assert (state.status, state.received_at) == (status, NOW)
        assert state.amount == Decimal(amount or "750000") and state.decided_on == date(2026, 3, 6)
        assert state.cover_id == next(iter(sinosure.covers(POLICY))).cover_id
    assert sinosure.cover_request_page(POLICY).items == ()


def test_refusal_is_told_in_the_insurers_words_and_leaves_the_cover(scene, sinosure):
    sinosure.request_cover(a_request())
    scene.decide("REFUSED", message="买方经营状况恶化")
    state = sinosure.find_cover_request(a_request())
    assert (state.status, state.words, state.amount) == (RequestStatus.REFUSED, "买方经营状况恶化", None)
    assert {cover.buyer_id: cover.amount for cover in sinosure.covers(POLICY)}[BUYER] == Decimal("500000.00")


def test_unknown_buyer_is_refused_and_may_be_sent_again_under_the_same_reference(scene, sinosure):
    sinosure.request_cover(a_request(buyer_id="FRA/000001"))
    assert "FRA/000001" in sinosure.find_cover_request(a_request()).words
    scene.pass_time(minutes=5)
    sinosure.request_cover(a_request())
    scene.pass_time(minutes=5)
    scene.decide("APPROVED")
    assert sinosure.find_cover_request(a_request()).status is RequestStatus.APPROVED
    assert len(scene.sent("cover_request")) == 1


def test_request_is_taken_once_however_often_it_is_sent(scene, sinosure):
    for _time in range(3):
        sinosure.request_cover(a_request())
    assert len(scene.sent("cover_request")) == 1


def test_request_that_never_came_is_not_found(sinosure):
    assert sinosure.find_cover_request(a_request()) is None
    assert sinosure.cover_request_state("CR/2026/0007").status is RequestStatus.UNKNOWN


def test_limit_is_given_back_and_ends(scene, sinosure):
    (standing,) = [cover for cover in sinosure.covers(POLICY) if cover.buyer_id == BUYER]
    request = dataclasses.replace(a_request(), kind=CoverRequestKind.CANCEL, cover_id=standing.cover_id, amount=None)
    sinosure.request_cover(request)
    assert sinosure.find_cover_request(request) is None
    scene.decide("APPROVED")
    assert sinosure.find_cover_request(request).status is RequestStatus.APPROVED
    assert sinosure.cover_request_state(request.reference).cover_id == standing.cover_id
    (ended,) = [cover for cover in sinosure.covers(POLICY) if cover.buyer_id == BUYER]
    assert (ended.status, ended.effective_to) == (CoverStatus.WITHDRAWN, date(2026, 2, 28))


@pytest.mark.parametrize(
    "members",
    [{"kind": CoverRequestKind.REDUCE}, {"product": CoverProduct.CREDIT_CHECK}],
)
def test_what_has_no_interface_takes_the_file_route(scene, sinosure, members):
    with pytest.raises(NotSupported):
        sinosure.request_cover(a_request(**members))
    with pytest.raises(NotSupported):
        sinosure.declare_turnover(TurnoverDeclaration("T1", POLICY, date(2026, 1, 1), date(2026, 1, 31), ()))
    assert scene.exchanges == []


def test_letter_of_credit_goes_to_its_own_method(scene, sinosure):
    sinosure.request_cover(a_request(payment_method=PaymentMethod.LETTER_OF_CREDIT))
    assert [exchange.operation for exchange in scene.exchanges] == ["doEdiLcQuotaApplyV2"]
    assert len(scene.sent("cover_request")) == 1


def test_other_currency_than_that_of_limits_is_not_sent(scene, sinosure):
    with pytest.raises(ConfigurationError, match="limits are in USD, not in EUR"):
        sinosure.request_cover(dataclasses.replace(a_request(), currency="EUR"))
    assert scene.exchanges == []


# --- Buyers, grades, reports ----------------------------------------------------------------------------------------


def test_buyer_gets_its_code_once_the_insurer_has_given_it(scene, sinosure):
    query = BuyerQuery("FR", "Atelier Lumière SARL", street="12 rue des Tanneurs", city="Lyon")
    assert sinosure.request_buyer_number("BN/1", POLICY, query) == ()
    assert sinosure.request_buyer_number("BN/1", POLICY, query) == ()
    (asked,) = scene.sent("buyer_number")
    scene.simulator.control.give_number(asked["number"], "FRA/000042")
    (buyer,) = sinosure.request_buyer_number("BN/1", POLICY, query)
    assert (buyer.buyer_id, buyer.name, buyer.country) == ("FRA/000042", query.name, "FR")


def test_refused_buyer_says_why(scene, sinosure):
    query = BuyerQuery("FR", "Atelier Lumière SARL", street="12 rue des Tanneurs")
    sinosure.request_buyer_number("BN/1", POLICY, query)
    (asked,) = scene.sent("buyer_number")
    scene.simulator.control.give_number(asked["number"], message="查无此企业", refuse=True)
    with pytest.raises(RejectedByInsurer, match="查无此企业"):
        sinosure.request_buyer_number("BN/1", POLICY, query)


def test_buyer_without_what_the_insurer_wants_is_not_sent(scene, sinosure):
    with pytest.raises(ConfigurationError, match="address"):
        sinosure.request_buyer_number("BN/1", POLICY, BuyerQuery("FR", "Atelier Lumière SARL"))
    with pytest.raises(NotSupported):
        sinosure.request_buyer_number("BN/2", POLICY, BuyerQuery("CN", "上海华东贸易有限公司", city="上海"))
    assert scene.sent("buyer_number") == []


def test_known_buyers_are_found_by_name_number_or_code(sinosure):
    assert [each.buyer_id for each in sinosure.find_buyer(BuyerQuery("US", "Evergreen Imports"))] == [BUYER]
    (found,) = sinosure.find_buyer(BuyerQuery("US", "Evergreen", buyer_id=BUYER))
    assert (found.score, found.country) == (100, "US")
    assert [each.name for each in sinosure.find_buyer(BuyerQuery("CN", "上海华东贸易"))] == ["上海华东贸易有限公司"]
    assert sinosure.find_buyer(BuyerQuery("US", "Zyx Holdings")) == ()


def test_grades_are_raw_with_the_one_before(sinosure):
    grade = sinosure.grade(BUYER)
    assert (grade.value, grade.previous_value, grade.scale) == ("55", "61", "SINOSURE")
    assert grade.graded_on == date(2026, 2, 25)
    assert sinosure.grades([BUYER, OTHER, "XXX"]) == (grade,)
    assert sinosure.grade(OTHER) is None and sinosure.grades([]) == ()


def test_grade_changes_begin_on_the_day_asked_for(sinosure):
    assert [each.buyer_id for each in sinosure.grade_changes(POLICY, date(2026, 2, 25)).items] == [BUYER]
    assert sinosure.grade_changes(POLICY, date(2026, 2, 26)).items == ()


def test_report_is_ordered_once_and_kept_as_it_came(scene, sinosure):
    order = ReportOrder("RO/1", BUYER, POLICY)
    ordered = sinosure.order_report(order)
    assert (ordered.status, ordered.duplicate) == (ReportStatus.ORDERED, False)
    assert sinosure.order_report(order).duplicate and len(scene.sent("report")) == 1
    assert sinosure.find_report(order) is None
    assert sinosure.report_state(ordered.order_id).status is ReportStatus.ORDERED
    scene.simulator.control.deliver_report(scene.sent("report")[0]["number"])
    state = sinosure.report_state(ordered.order_id)
    assert (state.status, state.raw_code, state.grade) == (ReportStatus.DELIVERED, "0", "55")
    assert b"55" in state.report.content and state.report.media_type.startswith("application/")
    assert state.recommended_amount == Decimal("100000.00")
    assert sinosure.find_report(order).reference == "RO/1"


def test_report_on_an_unknown_buyer_is_refused(sinosure):
    with pytest.raises(RejectedByInsurer) as caught:
        sinosure.order_report(ReportOrder("RO/2", "XXX/000000"))
    assert caught.value.code == "0" and "XXX/000000" in caught.value.words
