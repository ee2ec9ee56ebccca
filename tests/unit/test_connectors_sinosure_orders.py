"""What is sent to SINOSURE: declarations, possible losses, claims, papers; its limits; answers that were lost."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sinosure_support import (
    BUYER,
    NOW,
    POLICY,
    a_claim,
    a_declaration,
    a_notice,
    a_request,
    a_shipment,
    an_invoice,
    stage,
)

from connectors import (
    ClaimState,
    ConfigurationError,
    Document,
    DocumentKind,
    MemoryLimiter,
    RateLimited,
    Receipt,
    ReceiptDeclaration,
    RejectedByInsurer,
    ReportOrder,
)
from connectors.sinosure import Sinosure


@pytest.fixture(params=["soap", "gateway"])
def scene(request):
    with stage(request.param) as made:
        yield made


@pytest.fixture
def sinosure(scene):
    with scene.connect() as insurer:
        yield insurer


# --- Declarations ---------------------------------------------------------------------------------------------------


def test_shipments_are_taken_or_refused_one_by_one(scene, sinosure):
    declaration = a_declaration(a_shipment("S1", "I1"), a_shipment("S2", "I2", buyer_id="XXX/000000"))
    assert not sinosure.declare_shipments(declaration).duplicate
    receipt = sinosure.find_declaration(declaration)
    assert receipt.duplicate and receipt.received_at == NOW
    assert [(each.reference, each.code) for each in receipt.refusals] == [("S2", "99")]
    assert "XXX/000000" in receipt.refusals[0].words
    assert (receipt.premium, receipt.currency) == (Decimal("0.3"), "USD")
    sinosure.declare_shipments(declaration)
    assert len(scene.sent("shipments")) == 2


def test_invoice_that_exists_already_is_no_refusal(sinosure):
    sinosure.declare_shipments(a_declaration(a_shipment("S1", "I1")))
    again = a_declaration(a_shipment("S9", "I1"))
    sinosure.declare_shipments(again)
    assert sinosure.find_declaration(again).refusals == ()


def test_receipts_are_declared(scene, sinosure):
    receipts = tuple(
        Receipt(f"R{number}", BUYER, f"I{number}", date(2026, 2, 1), Decimal("10.01"), "USD") for number in (1, 2)
    )
    declaration = ReceiptDeclaration("DR/1", POLICY, receipts)
    assert sinosure.find_declaration(declaration) is None
    sinosure.declare_receipts(declaration)
    assert sinosure.find_declaration(declaration).refusals == ()
    assert [each["body"]["receiptSum"] for each in scene.sent("receipts")] == ["10.01", "10.01"]


# --- Possible losses and claims -------------------------------------------------------------------------------------


def test_notice_opens_a_case_for_every_invoice_and_the_claim_refers_to_it(scene, sinosure):
    notice = a_notice("I2", "I1")
    assert sinosure.find_overdue_notice(notice) is None
    assert sinosure.notify_overdue(notice).case_number == ""
    found = sinosure.find_overdue_notice(notice)
    first, second = scene.sent("overdue")
    assert [each["body"]["invoices"][0]["openAmount"] for each in (first, second)] == ["90.05", "90.05"]
    assert found.case_number == f"I1={first['outcome']['fileNumber']}; I2={second['outcome']['fileNumber']}"
    sinosure.submit_claim(a_claim("I1", "I2", case_number=found.case_number))
    assert {each["body"]["caseNo"] for each in scene.sent("claim")} == {
        each["outcome"]["fileNumber"] for each in (first, second)
    }


def test_case_that_is_not_given_is_looked_up(scene, sinosure):
    with pytest.raises(ConfigurationError, match="no case was opened yet for I1"):
        sinosure.submit_claim(a_claim("I1"))
    sinosure.notify_overdue(a_notice("I1"))
    sinosure.submit_claim(a_claim("I1"))
    assert scene.sent("claim")[0]["body"]["caseNo"] == scene.sent("overdue")[0]["outcome"]["fileNumber"]


def test_notice_of_which_nothing_was_taken_is_refused(sinosure):
    notice = a_notice("I1", "I2", buyer_id="XXX/000000")
    sinosure.notify_overdue(notice)
    with pytest.raises(RejectedByInsurer, match="XXX/000000"):
        sinosure.find_overdue_notice(notice)


def test_claim_is_taken_once_and_its_state_follows(scene, sinosure):
    sinosure.notify_overdue(a_notice("I1", "I2"))
    claim = a_claim("I1", "I2")
    receipt = sinosure.submit_claim(claim)
    assert not receipt.duplicate and sinosure.find_claim(claim) is None
    assert sinosure.submit_claim(claim) == dataclasses.replace(receipt, duplicate=True)
    assert len(scene.sent("claim")) == 2
    status = sinosure.claim_status(receipt.claim_number)
    assert (status.state, status.claimed_amount, status.currency) == (ClaimState.RECEIVED, claim.total, "USD")
    scene.simulator.control.advance_claims()
    assert sinosure.claim_status(receipt.claim_number).state is ClaimState.IN_REVIEW
    assert sinosure.find_claim(claim).claim_number == receipt.claim_number


def test_refused_claim_says_why(scene, sinosure):
    sinosure.notify_overdue(a_notice("I1"))
    receipt = sinosure.submit_claim(a_claim("I1"))
    scene.simulator.control.advance_claim(scene.sent("claim")[0]["number"], "REFUSED", message="超过索赔期限")
    status = sinosure.claim_status(receipt.claim_number)
    assert (status.state, status.words) == (ClaimState.REFUSED, "超过索赔期限")


def test_claim_under_an_unknown_case_is_refused(sinosure):
    with pytest.raises(RejectedByInsurer, match="案件编号不存在 PL9"):
        sinosure.submit_claim(a_claim("I1", case_number="PL9"))


def test_paper_belongs_to_the_record_of_its_owner(scene, sinosure):
    sinosure.notify_overdue(a_notice("I1"))
    paper = Document("D1", "n", "OVN/2026/0001", DocumentKind.INVOICE, "发票.pdf", "application/pdf", b"%PDF\x00\xff")
    sinosure.add_document(paper)
    sinosure.add_document(paper)
    (kept,) = scene.sent("document")
    assert kept["body"]["srcCorpserialno"] == scene.sent("overdue")[0]["reference"]
    assert (kept["body"]["filename"], kept["body"]["size"]) == ("发票.pdf", 6)


# --- Limits of the server -------------------------------------------------------------------------------------------


def test_fifty_first_call_of_a_method_in_an_hour_is_turned_away(scene, sinosure):
    for _time in range(50):
        sinosure.request_cover(a_request())
    with pytest.raises(RateLimited) as caught:
        sinosure.request_cover(a_request())
    assert (caught.value.retry_after, caught.value.may_have_acted) == (3600, False)
    assert caught.value.message.startswith("EDI-EXC-0001") and scene.sleeps == []
    assert sinosure.quota_balances(POLICY)  # another method
    scene.pass_time(hours=1, seconds=1)
    sinosure.request_cover(a_request())


def test_our_own_limiter_counts_by_method(scene):
    limiter = MemoryLimiter("sinosure", Sinosure.rates, clock=lambda: scene.clock[0].timestamp())
    with scene.connect(limiter=limiter) as sinosure:
        for _time in range(50):
            sinosure.quota_balances(POLICY)
        with pytest.raises(RateLimited):
            sinosure.quota_balances(POLICY)
        sinosure.request_cover(a_request())
    assert len(scene.exchanges) == 51


def test_declaration_is_sent_a_thousand_rows_at_a_time(scene, sinosure):
    declaration = a_declaration(*(a_shipment(f"S{number}", f"I{number}") for number in range(1001)))
    sinosure.declare_shipments(declaration)
    assert [exchange.operation for exchange in scene.exchanges] == ["doEdiShipmentApply"] * 2
    assert len(scene.sent("shipments")) == 1001


def test_second_part_that_is_turned_away_leaves_the_first_one_sent(scene, sinosure):
    scene.simulator.control.fault("status", path="/sinosure", status=429, skip=1, times=9)
    declaration = a_declaration(*(a_shipment(f"S{number}", f"I{number}") for number in range(1001)))
    with pytest.raises(RateLimited) as caught:
        sinosure.declare_shipments(declaration)
    assert caught.value.may_have_acted
    scene.simulator.control.faults.clear()
    sinosure.declare_shipments(declaration)
    assert len(scene.sent("shipments")) == 1001


# --- A lost answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop", "truncate"])
def test_lost_answer_is_asked_for_again_and_nothing_is_doubled(scene, sinosure, kind):
    after = {"when": "after"} if kind == "drop" else {}
    sinosure.notify_overdue(a_notice("I1", "I2"))
    for send, arguments in (
        (sinosure.request_cover, a_request()),
        (sinosure.notify_overdue, a_notice("I3", reference="OVN/2026/0002")),
        (sinosure.submit_claim, a_claim("I1", "I2")),
        (sinosure.order_report, ReportOrder("RO/1", BUYER)),
    ):
        scene.simulator.control.fault(kind, path="/sinosure", skip=int(send == sinosure.submit_claim), **after)
        send(arguments)
    assert [len(scene.sent(name)) for name in ("cover_request", "overdue", "claim", "report")] == [1, 3, 2, 1]


def test_times_of_the_insurer_become_utc(scene, sinosure):
    sinosure.notify_overdue(a_notice("I1"))
    assert sinosure.find_overdue_notice(a_notice("I1")).received_at == datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    assert an_invoice("I1").due_on == date(2025, 12, 30)
