"""A message for every call of an insurer, and how each call is made ready: what it asks about exists before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from connectors_support import Opening, an_invoice

from connectors import (
    BuyerQuery,
    Claim,
    ClaimCause,
    CollectionOrder,
    CoverRequest,
    CoverRequestKind,
    Document,
    DocumentKind,
    ExtensionReason,
    Instalment,
    Insurer,
    InvoiceExtension,
    MonitoringOrder,
    Operation,
    OverdueNotice,
    Receipt,
    ReceiptDeclaration,
    RepaymentPlan,
    ReportOrder,
    Shipment,
    ShipmentDeclaration,
    TurnoverDeclaration,
    TurnoverLine,
)

Op = Operation
Arguments = tuple[Any, ...]
Prepare = Callable[[Insurer, Opening], Arguments]

WRITES = frozenset(
    {
        *(Op.REQUEST_BUYER_NUMBER, Op.REQUEST_COVER, Op.NOTIFY_OVERDUE, Op.EXTEND_INVOICE, Op.REPORT_REPAYMENT_PLAN),
        *(Op.DECLARE_TURNOVER, Op.DECLARE_SHIPMENTS, Op.DECLARE_RECEIPTS, Op.SUBMIT_CLAIM, Op.ADD_DOCUMENT),
        *(Op.ORDER_REPORT, Op.START_COLLECTION, Op.MONITOR),
    }
)
NEW_BUYER = BuyerQuery(
    "AT", name="Alpenglas Handels GmbH", vat_number="ATU12345675", street="Ring 1", postal_code="1010", city="Wien"
)


def cover_request(opening: Opening) -> CoverRequest:
    return CoverRequest(
        *("REQ/1", opening.policy, opening.buyer, CoverRequestKind.INCREASE, "EUR", Decimal("90000.00")),
        payment_term_days=60,
        effective_from=date(2026, 11, 1),
        receivables=Decimal(1000),
        orders=Decimal(500),
    )


def overdue_notice(opening: Opening) -> OverdueNotice:
    return OverdueNotice("OVD/1", opening.policy, opening.buyer, (an_invoice(),), "Reminded twice")


def extension(opening: Opening) -> InvoiceExtension:
    day = date(2026, 4, 10)
    reason = ExtensionReason.CASH_SHORTAGE
    return InvoiceExtension("EXT/1", opening.policy, opening.buyer, an_invoice(), day, reason)


def repayment_plan(opening: Opening) -> RepaymentPlan:
    instalments = (
        Instalment(date(2026, 5, 1), Decimal("6000.00")),
        Instalment(date(2026, 6, 1), Decimal("6300.45")),
    )
    agreed = date(2026, 4, 1)
    return RepaymentPlan("PLN/1", opening.policy, opening.buyer, (an_invoice(),), instalments, "EUR", agreed)


def claim(opening: Opening) -> Claim:
    cause, total = ClaimCause.PROTRACTED_DEFAULT, Decimal("12300.45")
    return Claim("CLM/1", opening.policy, opening.buyer, cause, (an_invoice(),), total, "EUR", date(2026, 9, 7))


def claim_for(insurer: Insurer, opening: Opening) -> Claim:
    """The claim, after the notice that opens a case where the insurer wants one."""
    if not opening.notice_first:
        return claim(opening)
    notice = overdue_notice(opening)
    insurer.notify_overdue(notice)
    told = insurer.find_overdue_notice(notice)
    return replace(claim(opening), case_number=told.case_number if told else "")


def document(insurer: Insurer, opening: Opening) -> Document:
    """A paper of the claim, or, where the insurer takes none, of the notice, which is handed in for it."""
    if Op.SUBMIT_CLAIM in insurer.capabilities():
        owner, reference = insurer.submit_claim(claim_for(insurer, opening)).claim_number, "CLM/1"
    else:
        owner, reference = insurer.notify_overdue(overdue_notice(opening)).notice_number, "OVD/1"
    content = b"%PDF-1.4 an invoice"
    return Document("DOC/1", owner, reference, DocumentKind.INVOICE, "invoice.pdf", "application/pdf", content)


def turnover(opening: Opening) -> TurnoverDeclaration:
    lines = (TurnoverLine("FR", "EUR", Decimal("120000.00")), TurnoverLine("DE", "EUR", Decimal("-150.00")))
    return TurnoverDeclaration("TRN/1", opening.policy, date(2026, 10, 1), date(2026, 10, 31), lines)


def shipments(opening: Opening) -> ShipmentDeclaration:
    amounts = (Decimal("15000.00"), Decimal("13500.00"))
    shipment = Shipment("SHP/1", opening.buyer, "INV/1", date(2026, 10, 5), *amounts, "EUR", 60, goods="Glass")
    return ShipmentDeclaration("SHD/1", opening.policy, (shipment,))


def receipts(opening: Opening) -> ReceiptDeclaration:
    paid = Receipt("RCP/1", opening.buyer, "INV/1", date(2026, 11, 2), Decimal("15000.00"), "EUR", date(2026, 10, 5))
    return ReceiptDeclaration("RCD/1", opening.policy, (paid,))


def report_order(opening: Opening) -> ReportOrder:
    return ReportOrder("REP/1", opening.buyer, opening.policy, currency="EUR")


def collection_order(opening: Opening) -> CollectionOrder:
    return CollectionOrder("COL/1", opening.policy, opening.buyer, (an_invoice(),), comment="Please write")


def monitoring_order(opening: Opening) -> MonitoringOrder:
    return MonitoringOrder("MON/1", opening.buyer, date(2026, 11, 1))


def _message(make: Callable[[Opening], Any]) -> Prepare:
    """A write: the message is all it takes."""
    return lambda _insurer, opening: (make(opening),)


def _sent(write: Operation, make: Callable[[Opening], Any]) -> Prepare:
    """A question about a message: it is sent before."""

    def prepare(insurer: Insurer, opening: Opening) -> Arguments:
        message = make(opening)
        getattr(insurer, write.value)(message)
        return (message,)

    return prepare


def _number(write: Operation, make: Callable[[Opening], Any], name: str) -> Prepare:
    """A question about the insurer's number of a message: it is sent before."""
    return lambda insurer, opening: (getattr(getattr(insurer, write.value)(make(opening)), name),)


def _document_sent(insurer: Insurer, opening: Opening) -> Arguments:
    paper = document(insurer, opening)
    insurer.add_document(paper)
    return (paper,)


SAMPLES: dict[Operation, Prepare] = {
    Op.FIND_BUYER: lambda _insurer, _opening: (BuyerQuery("ES", "Iberia Frutas S.L.", vat_number="ESB58378431"),),
    Op.REQUEST_BUYER_NUMBER: lambda _insurer, opening: ("BUY/1", opening.policy, NEW_BUYER),
    Op.GRADES: lambda _insurer, opening: ([opening.buyer],),
    Op.GRADE_CHANGES: lambda _insurer, opening: (opening.policy, date.today() - timedelta(days=20)),
    Op.COVER_PAGE: lambda _insurer, opening: (opening.policy,),
    Op.REQUEST_COVER: _message(cover_request),
    Op.FIND_COVER_REQUEST: _sent(Op.REQUEST_COVER, cover_request),
    Op.COVER_REQUEST_STATE: _number(Op.REQUEST_COVER, cover_request, "request_id"),
    Op.COVER_REQUEST_PAGE: lambda insurer, opening: _sent_and_policy(insurer, opening),
    Op.NOTIFY_OVERDUE: _message(overdue_notice),
    Op.FIND_OVERDUE_NOTICE: _sent(Op.NOTIFY_OVERDUE, overdue_notice),
    Op.EXTEND_INVOICE: _message(extension),
    Op.FIND_EXTENSION: _sent(Op.EXTEND_INVOICE, extension),
    Op.EXTENSION_STATE: _number(Op.EXTEND_INVOICE, extension, "notice_number"),
    Op.REPORT_REPAYMENT_PLAN: _message(repayment_plan),
    Op.FIND_REPAYMENT_PLAN: _sent(Op.REPORT_REPAYMENT_PLAN, repayment_plan),
    Op.REPAYMENT_PLAN_STATE: _number(Op.REPORT_REPAYMENT_PLAN, repayment_plan, "notice_number"),
    Op.DECLARE_TURNOVER: _message(turnover),
    Op.DECLARE_SHIPMENTS: _message(shipments),
    Op.DECLARE_RECEIPTS: _message(receipts),
    Op.FIND_DECLARATION: lambda insurer, opening: _declared(insurer, opening),
    Op.SUBMIT_CLAIM: lambda insurer, opening: (claim_for(insurer, opening),),
    Op.FIND_CLAIM: lambda insurer, opening: _claimed(insurer, opening),
    Op.ADD_DOCUMENT: lambda insurer, opening: (document(insurer, opening),),
    Op.FIND_DOCUMENT: _document_sent,
    Op.CLAIM_STATUS: lambda insurer, opening: (insurer.submit_claim(claim_for(insurer, opening)).claim_number,),
    Op.ORDER_REPORT: _message(report_order),
    Op.FIND_REPORT: _sent(Op.ORDER_REPORT, report_order),
    Op.REPORT_STATE: _number(Op.ORDER_REPORT, report_order, "order_id"),
    Op.START_COLLECTION: _message(collection_order),
    Op.FIND_COLLECTION: _sent(Op.START_COLLECTION, collection_order),
    Op.COLLECTION_STATUS: _number(Op.START_COLLECTION, collection_order, "case_number"),
    Op.MONITOR: _message(monitoring_order),
    Op.NOTIFICATIONS: lambda _insurer, _opening: (date.today() - timedelta(days=20),),
    Op.POLICY_DETAILS: lambda _insurer, opening: (opening.policy,),
}


def _claimed(insurer: Insurer, opening: Opening) -> Arguments:
    wanted = claim_for(insurer, opening)
    insurer.submit_claim(wanted)
    return (wanted,)


def _sent_and_policy(insurer: Insurer, opening: Opening) -> Arguments:
    insurer.request_cover(cover_request(opening))
    return (opening.policy,)


def _declared(insurer: Insurer, opening: Opening) -> Arguments:
    """The first kind of declaration that the insurer takes, sent."""
    makes = {Op.DECLARE_TURNOVER: turnover, Op.DECLARE_SHIPMENTS: shipments, Op.DECLARE_RECEIPTS: receipts}
    write = next(operation for operation in makes if operation in insurer.capabilities())
    return _sent(write, makes[write])(insurer, opening)
