"""Exactly once: whatever fails between us and the insurer, it has one claim, one notice, one request in the end."""

import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from connectors_support import POLICY, Rig, a_claim, rig

from connectors import (
    ClaimState,
    ConnectorError,
    CoverRequest,
    CoverRequestKind,
    CoverStatus,
    OverdueNotice,
    RejectedByInsurer,
    RequestStatus,
    TransportError,
    UnexpectedResponse,
)


@pytest.fixture
def net():
    with rig() as made:
        yield made


def send_until_recorded(net: Rig, claim):
    """What a job does: ask first, send only what the insurer lacks; each try is a new process."""
    for _try in range(5):
        try:
            with net.connect() as insurer:
                return insurer.find_claim(claim) or insurer.submit_claim(claim)
        except ConnectorError as error:
            assert error.retryable or error.may_have_acted, error
    raise AssertionError("never recorded")


FAULTS = [
    {"kind": "drop"},
    {"kind": "drop", "when": "after"},
    {"kind": "hang", "seconds": 0.5},
    {"kind": "hang", "seconds": 0.5, "when": "after"},
    {"kind": "latency", "seconds": 0.5},
    {"kind": "status", "status": 429, "retry_after": "1"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 503, "when": "after"},
    {"kind": "status", "status": 504, "when": "after"},
    {"kind": "truncate"},
    {"kind": "malformed"},
    {"kind": "replace", "field": "claimNumber", "value": None},
    {"kind": "replace", "field": "reference", "value": "SOMEBODY-ELSE"},
    {"kind": "too_large", "size": 300_000},
]
ONLY_ONCE = [{"kind": "expire_tokens"}, {"kind": "status", "status": 401}]  # when they last, a person is needed
CASES = [(fault, times) for fault in FAULTS for times in (1, 4)] + [(fault, 1) for fault in ONLY_ONCE]


@pytest.mark.parametrize(("fault", "times"), CASES, ids=lambda case: str(case)[:60])
def test_claim_arrives_once_through_every_fault(net, fault, times):
    net.simulator.control.fault(path="/v1/claims", method="POST", times=times, **fault)
    receipt = send_until_recorded(net, a_claim())
    claims = net.simulator.control.claims()
    assert [(claim["number"], claim["reference"]) for claim in claims] == [(receipt.claim_number, "CLM/2026/0001")]
    assert claims[0]["body"]["total"] == "12300.45"


def test_crash_between_sending_and_recording_leaves_one_claim(net):
    net.simulator.control.fault("drop", path="/v1/claims", method="POST", when="after")
    with net.connect(attempts=1) as insurer, pytest.raises(TransportError) as caught:
        insurer.submit_claim(a_claim())
    assert caught.value.may_have_acted
    with net.connect() as insurer:
        found = insurer.find_claim(a_claim())
        again = insurer.submit_claim(a_claim())
    assert found.claim_number == again.claim_number
    assert (found.duplicate, again.duplicate) == (False, True)
    assert len(net.simulator.control.claims()) == 1


def test_insurer_that_has_no_claim_says_so(net):
    with net.connect() as insurer:
        assert insurer.find_claim(a_claim()) is None


def test_question_that_could_not_be_asked_is_not_a_no(net):
    net.simulator.control.fault("status", status=404, path="/v1/claims", method="GET")
    with pytest.raises(RejectedByInsurer), net.connect() as insurer:
        insurer.find_claim(a_claim())


def test_two_claims_under_one_reference_are_not_taken_for_one(net):
    with net.connect() as insurer:
        insurer.submit_claim(a_claim())
        claim = {"claimNumber": "X", "reference": a_claim().reference, "receivedAt": "2026-01-01T00:00:00Z"}
        net.simulator.control.fault("replace", path="/v1/claims", method="GET", field="claims", value=[claim, claim])
        with pytest.raises(UnexpectedResponse, match="2 entries"):
            insurer.find_claim(a_claim())


def test_used_reference_with_other_content_is_refused(net):
    with net.connect() as insurer:
        insurer.submit_claim(a_claim())
        with pytest.raises(RejectedByInsurer) as caught:
            insurer.submit_claim(a_claim(amount="1.00"))
    assert caught.value.code == "reference_reused"
    assert len(net.simulator.control.claims()) == 1


def test_many_workers_at_once_make_one_claim(net):
    receipts = []

    def work():
        with net.connect(read_seconds=10.0) as insurer:
            receipts.append(insurer.submit_claim(a_claim()))

    workers = [threading.Thread(target=work) for _worker in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(receipts) == 10
    assert len({receipt.claim_number for receipt in receipts}) == 1
    assert [receipt.duplicate for receipt in receipts].count(False) == 1
    assert len(net.simulator.control.claims()) == 1


def test_references_with_any_characters_survive(net):
    for reference in ("ü/ä 1", "A&B=1?#", "合同-7", "../../x", "a+b%20c"):
        with net.connect() as insurer:
            receipt = insurer.submit_claim(a_claim(reference))
            assert insurer.find_claim(a_claim(reference)).claim_number == receipt.claim_number


def test_refused_claim_says_why_in_the_insurers_words(net):
    with net.connect() as insurer, pytest.raises(RejectedByInsurer) as caught:
        insurer.submit_claim(replace(a_claim(), buyer_id="9999"))
    assert (caught.value.code, caught.value.words) == ("buyer_unknown", "We know no buyer 9999")
    assert net.simulator.control.claims() == []


def test_claim_is_followed_to_its_payment(net):
    with net.connect() as insurer:
        number = insurer.submit_claim(a_claim()).claim_number
        seen = []
        for _step in range(4):
            seen.append(insurer.claim_status(number))
            net.simulator.control.advance_claims()
    assert [status.state for status in seen] == [
        *(ClaimState.RECEIVED, ClaimState.IN_REVIEW, ClaimState.ACCEPTED, ClaimState.PAID),
    ]
    assert seen[0].claimed_amount == Decimal("12300.45") and seen[0].accepted_amount is None
    assert seen[3].paid_amount == Decimal("11070.41")  # 90 % of 12,300.45, half a cent up


def test_claim_can_be_refused(net):
    with net.connect() as insurer:
        number = insurer.submit_claim(a_claim()).claim_number
        net.simulator.control.advance_claim(number, to="REFUSED", message="Notified too late")
        status = insurer.claim_status(number)
    assert (status.state, status.words) == (ClaimState.REFUSED, "Notified too late")


def test_overdue_notice_arrives_once(net):
    notice = OverdueNotice("OVD/1", POLICY, "1006", a_claim().invoices)
    net.simulator.control.fault("drop", path="/v1/overdues", method="POST", when="after")
    with net.connect(attempts=1) as insurer:
        with pytest.raises(TransportError):
            insurer.notify_overdue(notice)
        found = insurer.find_overdue_notice(notice)
        assert insurer.notify_overdue(notice) == replace(found, duplicate=True)
        assert insurer.find_overdue_notice(replace(notice, reference="OVD/2")) is None


# --- Cover requests ---------------------------------------------------------------------------------------------------


def increase(amount: str = "90000", reference: str = "REQ/1") -> CoverRequest:
    return CoverRequest(reference, POLICY, "1001", CoverRequestKind.INCREASE, "EUR", Decimal(amount))


def cover_of(insurer, buyer_id):
    return next(cover for cover in insurer.covers(POLICY) if cover.buyer_id == buyer_id)


def test_refused_increase_leaves_the_cover_as_it_was(net):
    with net.connect() as insurer:
        before = cover_of(insurer, "1001")
        request = insurer.request_cover(increase())
        assert (request.status, request.amount) == (RequestStatus.PENDING, None)
        net.simulator.control.decide(request.request_id, "REFUSED", message="Balance sheet is too old")
        state = insurer.cover_request_state(request.request_id)
        assert (state.status, state.words, state.amount) == (RequestStatus.REFUSED, "Balance sheet is too old", None)
        assert cover_of(insurer, "1001") == before


def test_granted_increase_changes_the_cover(net):
    with net.connect() as insurer:
        request = insurer.request_cover(increase())
        net.simulator.control.decide(request.request_id, "PARTIAL", amount="75000")
        cover = cover_of(insurer, "1001")
        assert insurer.find_cover_request(increase()).amount == Decimal(75000)
    assert (cover.status, cover.amount) == (CoverStatus.PARTIAL, Decimal(75000))
    assert (cover.requested_amount, cover.previous_amount) == (Decimal(90000), Decimal(60000))


def test_second_request_for_a_buyer_waits_for_the_first(net):
    with net.connect() as insurer:
        insurer.request_cover(increase())
        assert insurer.request_cover(increase()).duplicate
        with pytest.raises(RejectedByInsurer) as caught:
            insurer.request_cover(increase(reference="REQ/2"))
    assert caught.value.code == "request_pending"


def test_announced_withdrawal_comes_before_the_withdrawal(net):
    with net.connect() as insurer:
        net.simulator.control.withdraw("1002", in_days=30)
        announced = cover_of(insurer, "1002")
        net.simulator.control.withdraw("1002")
        withdrawn = cover_of(insurer, "1002")
    assert announced.status is CoverStatus.APPROVED and announced.announcements
    assert withdrawn.status is CoverStatus.WITHDRAWN and withdrawn.effective_to


# --- Portfolio --------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr("connectors.sandbox.PAGE_SIZE", 3)


def test_pages_are_followed_to_the_end(net, small_pages):
    with net.connect() as insurer:
        assert [cover.buyer_id for cover in insurer.covers(POLICY)] == [str(1001 + n) for n in range(8)]
        page = insurer.cover_page(POLICY)
        assert len(page.items) == 3 and page.total == 8 and page.next_token
    assert net.statuses("/v1/covers") == [200] * 4


@pytest.mark.parametrize("skip", [1, 2])
def test_page_that_comes_twice_loses_and_doubles_nothing(net, small_pages, skip):
    net.simulator.control.fault("duplicate_page", path="/v1/covers", skip=skip)
    with net.connect() as insurer:
        assert [cover.buyer_id for cover in insurer.covers(POLICY)] == [str(1001 + n) for n in range(8)]


def test_same_page_for_ever_is_an_error(net, small_pages):
    net.simulator.control.fault("duplicate_page", path="/v1/covers", skip=1, times=99)
    with pytest.raises(UnexpectedResponse, match="again and again"), net.connect() as insurer:
        list(insurer.covers(POLICY))


def test_list_that_ends_too_early_is_an_error(net, small_pages):
    net.simulator.control.fault("replace", path="/v1/covers", skip=1, field="nextPageToken", value=None)
    with pytest.raises(UnexpectedResponse, match="counts 8 covers, 6 came"), net.connect() as insurer:
        list(insurer.covers(POLICY))


def test_empty_portfolio_is_empty_and_unknown_policy_is_an_error(net):
    with net.connect() as insurer:
        with pytest.raises(RejectedByInsurer, match="We know no policy"):
            list(insurer.covers("NOPE"))
        net.simulator.control.reset()
        net.simulator.control.seed(data={"policies": [{**SOME_POLICY}], "buyers": []})
        assert list(insurer.covers("P1")) == []


SOME_POLICY = {"policyNumber": "P1", "holder": "H", "currency": "EUR", "startsOn": 0, "insuredPercentage": "90"}
