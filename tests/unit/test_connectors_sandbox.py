"""The sandbox: every call of an insurer, answered by the simulator."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from connectors_samples import (
    NEW_BUYER,
    claim,
    collection_order,
    cover_request,
    document,
    extension,
    monitoring_order,
    overdue_notice,
    receipts,
    repayment_plan,
    report_order,
    shipments,
    turnover,
)
from connectors_support import OPENINGS, POLICY, rig

from connectors import (
    BuyerQuery,
    CollectionState,
    CoverRequestKind,
    Operation,
    RejectedByInsurer,
    ReportStatus,
    RequestStatus,
    UnexpectedResponse,
    WakeUp,
)
from connectors.sandbox import Sandbox

HERE = OPENINGS["sandbox"]


@pytest.fixture
def net():
    with rig() as made:
        made.options = replace(made.options, read_seconds=5.0)
        yield made


@pytest.fixture
def insurer(net):
    with net.connect() as opened:
        yield opened


@pytest.fixture
def control(net):
    return net.simulator.control


def follow(page_of, *arguments):
    """The items of all pages."""
    items, token = [], None
    while True:
        page = page_of(*arguments, token)
        items += page.items
        token = page.next_token
        if token is None:
            return items


# --- Buyers -----------------------------------------------------------------------------------------------------


def test_number_for_a_known_buyer_comes_at_once(insurer):
    query = BuyerQuery("ES", "Iberia Frutas", vat_number="ESB58378431")
    assert [found.buyer_id for found in insurer.request_buyer_number("B/1", POLICY, query)] == ["1006"]


def test_number_for_an_unknown_buyer_comes_later_and_once(insurer, control):
    assert insurer.request_buyer_number("B/1", POLICY, NEW_BUYER) == ()
    assert insurer.request_buyer_number("B/1", POLICY, NEW_BUYER) == ()
    [request] = control.sent("buyer_number")
    control.give_number(request["number"])
    [given] = insurer.request_buyer_number("B/1", POLICY, NEW_BUYER)
    assert (given.name, given.country, given.city) == ("Alpenglas Handels GmbH", "AT", "Wien")
    assert insurer.find_buyer(NEW_BUYER)[0].buyer_id == given.buyer_id


def test_grade_changes_are_paged_and_only_those_since_the_day(insurer, control, monkeypatch):
    monkeypatch.setattr("connectors.sandbox.PAGE_SIZE", 2)
    today = control.book.today()
    for number in ("1001", "1002", "1003"):
        control.set_grade(number, "9")
    changed = follow(insurer.grade_changes, POLICY, today)
    assert [(grade.buyer_id, grade.value, grade.previous_value) for grade in changed] == [
        *(("1001", "9", "3"), ("1002", "9", "2"), ("1003", "9", "5")),
    ]
    assert follow(insurer.grade_changes, POLICY, today + timedelta(days=1)) == []


def test_undecided_requests_are_listed_until_they_are_decided(insurer, control, monkeypatch):
    monkeypatch.setattr("connectors.sandbox.PAGE_SIZE", 1)
    made = [
        insurer.request_cover(replace(cover_request(HERE), reference=f"R/{number}", buyer_id=number))
        for number in ("1001", "1002")
    ]
    assert [state.request_id for state in follow(insurer.cover_request_page, POLICY)] == [m.request_id for m in made]
    assert insurer.cover_request_page(POLICY).total == 2
    control.decide(made[0].request_id, "APPROVED")
    assert [state.buyer_id for state in follow(insurer.cover_request_page, POLICY)] == ["1002"]
    assert insurer.find_cover_request(cover_request(HERE)) is None


# --- Debts ------------------------------------------------------------------------------------------------------


def test_notice_opens_a_file(insurer):
    receipt = insurer.notify_overdue(overdue_notice(HERE))
    assert receipt.case_number and insurer.find_overdue_notice(overdue_notice(HERE)) == receipt


def test_extension_is_answered_in_the_insurers_words(insurer, control):
    receipt = insurer.extend_invoice(extension(HERE))
    control.answer_extension(receipt.notice_number, "REFUSED", "Too many already")
    assert insurer.find_extension(extension(HERE)).words == "Too many already"
    assert insurer.extend_invoice(extension(HERE)).duplicate


def test_extension_beyond_the_policy_is_refused(insurer):
    with pytest.raises(RejectedByInsurer, match="at most 60 days"):
        insurer.extend_invoice(replace(extension(HERE), new_due_on=date(2026, 12, 24)))


def test_plan_keeps_its_instalments(insurer, control):
    receipt = insurer.report_repayment_plan(repayment_plan(HERE))
    assert insurer.find_repayment_plan(repayment_plan(HERE)) == receipt
    assert [part["amount"] for part in control.sent("plan")[0]["body"]["instalments"]] == ["6000.00", "6300.45"]


def test_document_is_kept_with_size_and_hash_and_not_with_its_content(insurer, control):
    paper = document(insurer, HERE)
    receipt = insurer.add_document(paper)
    assert insurer.find_document(paper) == receipt
    assert insurer.add_document(paper).duplicate
    [kept] = control.sent("document")
    assert kept["body"]["size"] == len(paper.content)
    assert kept["body"]["sha256"] == hashlib.sha256(paper.content).hexdigest()
    assert base64.b64encode(paper.content).decode() not in str(kept)


def test_other_content_under_a_documents_reference_is_refused(insurer):
    paper = document(insurer, HERE)
    insurer.add_document(paper)
    with pytest.raises(RejectedByInsurer) as caught:
        insurer.add_document(replace(paper, content=b"another"))
    assert caught.value.code == "reference_reused"


def test_document_of_nothing_is_refused(insurer):
    with pytest.raises(RejectedByInsurer, match="We know no CL-2026-99999"):
        insurer.add_document(replace(document(insurer, HERE), owner_number="CL-2026-99999"))


def test_large_document_arrives(insurer, control):
    content = bytes(range(256)) * 4 * 4096  # 4 MiB
    insurer.add_document(replace(document(insurer, HERE), content=content))
    assert control.sent("document")[0]["body"]["size"] == len(content)


def test_collection_moves_with_its_costs(insurer, control):
    case = insurer.start_collection(collection_order(HERE))
    assert (case.state, case.costs, case.currency) == (CollectionState.RECEIVED, Decimal(0), "EUR")
    control.advance_collection(case.case_number, "LEGAL", "Sued", recovered=1000, costs="250.5", approved_costs=200)
    case = insurer.collection_status(case.case_number)
    assert (case.state, case.words) == (CollectionState.LEGAL, "Sued")
    assert (case.recovered_amount, case.costs, case.approved_costs) == (1000, Decimal("250.50"), 200)
    assert insurer.find_collection(collection_order(HERE)) == case


# --- Declarations -----------------------------------------------------------------------------------------------


def test_turnover_brings_a_premium_and_nothing_sold_can_be_said(insurer):
    receipt = insurer.declare_turnover(turnover(HERE))
    assert (receipt.premium, receipt.currency, receipt.refusals) == (Decimal("359.55"), "EUR", ())
    nothing = replace(turnover(HERE), reference="TRN/2", lines=())
    assert insurer.declare_turnover(nothing).premium == 0
    assert insurer.find_declaration(nothing).declaration_number != receipt.declaration_number


def test_line_of_an_unknown_buyer_does_not_count(insurer):
    [good] = shipments(HERE).shipments
    declaration = replace(shipments(HERE), shipments=(good, replace(good, reference="SHP/2", buyer_id="9999")))
    receipt = insurer.declare_shipments(declaration)
    assert [(line.reference, line.code) for line in receipt.refusals] == [("SHP/2", "buyer_unknown")]
    assert receipt.premium == Decimal("40.50")
    assert insurer.declare_shipments(declaration) == replace(receipt, duplicate=True)


def test_declarations_of_different_kinds_do_not_share_references(insurer):
    paid = replace(receipts(HERE), reference="SAME")
    insurer.declare_shipments(replace(shipments(HERE), reference="SAME"))
    assert insurer.find_declaration(paid) is None
    assert not insurer.declare_receipts(paid).duplicate


# --- Reports and monitoring -------------------------------------------------------------------------------------


def test_report_is_delivered_later_as_a_pdf(insurer, control):
    ordered = insurer.order_report(report_order(HERE))
    assert (ordered.status, ordered.report) == (ReportStatus.ORDERED, None)
    control.deliver_report(ordered.order_id)
    state = insurer.report_state(ordered.order_id)
    assert (state.status, state.grade, state.recommended_amount) == (ReportStatus.DELIVERED, "6", Decimal(15000))
    assert state.report.content.startswith(b"%PDF-") and state.report.content.rstrip().endswith(b"%%EOF")
    assert state.report.media_type == "application/pdf"
    assert insurer.find_report(report_order(HERE)) == state
    start = int(state.report.content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert state.report.content[start:].startswith(b"xref")


def test_refused_report_says_why(insurer, control):
    ordered = insurer.order_report(report_order(HERE))
    control.deliver_report(ordered.order_id, "No data in this country", refuse=True)
    state = insurer.report_state(ordered.order_id)
    assert (state.status, state.words, state.report) == (ReportStatus.REFUSED, "No data in this country", None)


def test_report_that_is_not_base64_is_named(insurer, net):
    ordered = insurer.order_report(report_order(HERE))
    net.simulator.control.deliver_report(ordered.order_id)
    net.simulator.control.fault("replace", path="/v1/reports", field="report.content", value="%%%")
    with pytest.raises(UnexpectedResponse) as caught:
        insurer.report_state(ordered.order_id)
    assert caught.value.field == "report.content"


def test_watched_buyers_are_reported_on_page_by_page(insurer, control, monkeypatch):
    monkeypatch.setattr("connectors.sandbox.PAGE_SIZE", 1)
    control.set_grade("1006", "8")
    insurer.monitor(monitoring_order(HERE))
    control.set_grade("1006", "9")
    control.withdraw("1006")
    control.set_grade("1001", "9")  # not watched
    control.notify("1001", "PAYMENT_DELAY", "Pays 40 days late")
    told = follow(insurer.notifications, control.book.today())
    assert [(note.buyer_id, note.kind) for note in told] == [
        *(("1006", "GRADE_CHANGED"), ("1006", "COVER_CHANGED"), ("1001", "PAYMENT_DELAY")),
    ]
    assert told[2].words == "Pays 40 days late"
    assert follow(insurer.notifications, control.book.today() + timedelta(days=1)) == []


# --- Wake-up calls ----------------------------------------------------------------------------------------------


def test_wake_up_says_where_to_look():
    woken = Sandbox.read_wake_up({}, b'{"kind": "COVER_REQUEST_DECIDED", "buyerIds": ["1006"], "requestIds": ["CR-1"]}')
    assert woken == WakeUp(frozenset({"cover_request_state", "cover_page"}), ("CR-1",), ("1006",))
    names = {operation.value for operation in Operation}
    assert woken.operations <= names


def test_wake_up_of_an_unknown_kind_is_a_reason_to_look():
    assert Sandbox.read_wake_up({}, b'{"kind": "SOMETHING", "buyerIds": [], "requestIds": []}').operations


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"kind": "X", "buyerIds": "1006"}', b"<xml/>"])
def test_what_is_no_wake_up_call_is_none(body):
    assert Sandbox.read_wake_up({}, body) is None


# --- What becomes of it -----------------------------------------------------------------------------------------


def test_claim_keeps_the_case_number_it_was_given(insurer, control):
    case = insurer.notify_overdue(overdue_notice(HERE)).case_number
    insurer.submit_claim(replace(claim(HERE), case_number=case))
    assert control.claims()[0]["body"]["caseNumber"] == case


def test_cancelled_cover_is_withdrawn_when_the_insurer_agrees(insurer, control):
    wanted = replace(cover_request(HERE), kind=CoverRequestKind.CANCEL, amount=None)
    state = insurer.request_cover(wanted)
    control.decide(state.request_id, "APPROVED")
    assert insurer.cover_request_state(state.request_id).status is RequestStatus.APPROVED
    assert control.book.cover(POLICY, "1006")["status"] == "WITHDRAWN"
    assert state.received_at <= datetime.now(UTC)
