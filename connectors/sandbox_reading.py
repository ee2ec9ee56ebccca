"""Reading the simulator's answers: the JSON shapes of ``simulator/shapes.py``."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from .calls import Answer
from .debts import (
    AgreementState,
    AgreementStatus,
    ClaimReceipt,
    ClaimState,
    ClaimStatus,
    CollectionState,
    CollectionStatus,
    DocumentReceipt,
    OverdueReceipt,
)
from .declarations import DeclarationReceipt, LineRefusal
from .jsondoc import Node, ShapeError
from .messages import (
    Announcement,
    AnnouncementKind,
    BuyerCandidate,
    Cover,
    CoverRequestState,
    CoverStatus,
    Grade,
    Item,
    Page,
    PolicyDetails,
    RequestStatus,
)
from .reading import known
from .reports import Monitoring, Notification, ReportFile, ReportState, ReportStatus

COVER_CODES = {
    "PENDING": CoverStatus.REQUESTED,
    "APPROVED": CoverStatus.APPROVED,
    "PARTIAL": CoverStatus.PARTIAL,
    "REFUSED": CoverStatus.REFUSED,
    "REDUCED": CoverStatus.REDUCED,
    "WITHDRAWN": CoverStatus.WITHDRAWN,
    "EXPIRED": CoverStatus.EXPIRED,
}
REQUEST_CODES = {status.name: status for status in RequestStatus if status is not RequestStatus.UNKNOWN}
CLAIM_CODES = {state.name: state for state in ClaimState if state is not ClaimState.UNKNOWN}
COLLECTION_CODES = {state.name: state for state in CollectionState if state is not CollectionState.UNKNOWN}
AGREEMENT_CODES = {state.name: state for state in AgreementState if state is not AgreementState.UNKNOWN}
REPORT_CODES = {status.name: status for status in ReportStatus if status is not ReportStatus.UNKNOWN}
ANNOUNCEMENT_CODES = {kind.name: kind for kind in AnnouncementKind if kind is not AnnouncementKind.UNKNOWN}
ZERO = Decimal(0)


def explain(error: Node) -> tuple[str, str]:
    return error["error"]["code"].text(), error["error"]["message"].text()


def candidate(node: Node) -> BuyerCandidate:
    return _buyer(node["buyer"], node["score"].integer())


def _buyer(buyer: Node, score: int) -> BuyerCandidate:
    address = buyer["address"]
    return BuyerCandidate(
        buyer_id=buyer["buyerId"].identifier(),
        name=buyer["name"].text(),
        country=buyer["country"].text(),
        score=score,
        vat_number=buyer["vatNumber"].optional(Node.text) or "",
        registration_number=buyer["registrationNumber"].optional(Node.text) or "",
        street=address["street"].optional(Node.text) or "",
        postal_code=address["postalCode"].optional(Node.text) or "",
        city=address["city"].optional(Node.text) or "",
        own_reference=buyer["ownReference"].optional(Node.text) or "",
    )


def grade(node: Node) -> Grade:
    return Grade(
        buyer_id=node["buyerId"].identifier(),
        value=node["value"].identifier(),
        scale=node["scale"].text(),
        graded_on=node["gradedOn"].date(),
        previous_value=node["previousValue"].optional(Node.identifier),
    )


def page_of(answer: Answer, name: str, read: Callable[[Node], Item], number: str) -> Page[Item]:
    """One page of the list ``name``, whose entries have their number in the member ``number``."""
    items, unread = answer.read_each(
        lambda node: node[name].items(), read, buyer=lambda row: row["buyerId"], number=lambda row: row[number]
    )
    token = answer.read(lambda node: node["nextPageToken"].optional(Node.identifier))
    return Page(items, token, answer.read(lambda node: node["total"].optional(Node.integer)), unread)


def cover(node: Node) -> Cover:
    raw = node["statusCode"].identifier()
    return Cover(
        cover_id=node["coverId"].identifier(),
        buyer_id=node["buyerId"].identifier(),
        policy_number=node["policyNumber"].identifier(),
        status=known(COVER_CODES, raw, CoverStatus.UNKNOWN),
        raw_code=raw,
        currency=node["currency"].currency(),
        amount=node["amount"].optional(Node.amount),
        requested_amount=node["requestedAmount"].optional(Node.amount),
        previous_amount=node["previousAmount"].optional(Node.amount),
        insured_percentage=node["insuredPercentage"].optional(Node.percentage),
        effective_from=node["effectiveFrom"].optional(Node.date),
        effective_to=node["effectiveTo"].optional(Node.date),
        decided_on=node["decidedOn"].optional(Node.date),
        announcements=node["announcements"].optional(_announcements) or (),
        conditions=node["conditions"].optional(lambda value: tuple(item.text() for item in value.items())) or (),
        own_reference=node["ownReference"].optional(Node.text) or "",
    )


def _announcements(node: Node) -> tuple[Announcement, ...]:
    return tuple(_announcement(item) for item in node.items())


def _announcement(node: Node) -> Announcement:
    raw = node["kind"].identifier()
    return Announcement(
        kind=known(ANNOUNCEMENT_CODES, raw, AnnouncementKind.UNKNOWN),
        raw_code=raw,
        effective_from=node["effectiveFrom"].date(),
        amount=node["amount"].optional(Node.amount),
        announced_on=node["announcedOn"].optional(Node.date),
    )


def request_state(node: Node) -> CoverRequestState:
    raw = node["statusCode"].identifier()
    return CoverRequestState(
        request_id=node["requestId"].identifier(),
        reference=node["reference"].text(),
        status=known(REQUEST_CODES, raw, RequestStatus.UNKNOWN),
        raw_code=raw,
        received_at=node["receivedAt"].instant(),
        decided_on=node["decidedOn"].optional(Node.date),
        amount=node["grantedAmount"].optional(Node.amount),
        currency=node["currency"].currency(),
        words=_words(node),
        duplicate=_duplicate(node),
        buyer_id=node["buyerId"].optional(Node.identifier) or "",
        cover_id=node["coverId"].optional(Node.text) or "",
    )


def overdue_receipt(node: Node) -> OverdueReceipt:
    return OverdueReceipt(
        notice_number=node["noticeNumber"].identifier(),
        reference=node["reference"].text(),
        received_at=node["receivedAt"].instant(),
        duplicate=_duplicate(node),
        case_number=node["fileNumber"].optional(Node.identifier) or "",
        words=_words(node),
    )


def agreement_status(node: Node) -> AgreementStatus:
    raw = node["statusCode"].identifier()
    return AgreementStatus(
        notice_number=node["noticeNumber"].identifier(),
        reference=node["reference"].text(),
        state=known(AGREEMENT_CODES, raw, AgreementState.UNKNOWN),
        raw_code=raw,
        updated_at=node["updatedAt"].instant(),
        words=_words(node),
    )


def claim_receipt(node: Node) -> ClaimReceipt:
    return ClaimReceipt(
        claim_number=node["claimNumber"].identifier(),
        reference=node["reference"].text(),
        received_at=node["receivedAt"].instant(),
        duplicate=_duplicate(node),
    )


def claim_status(node: Node) -> ClaimStatus:
    raw = node["statusCode"].identifier()
    return ClaimStatus(
        claim_number=node["claimNumber"].identifier(),
        reference=node["reference"].text(),
        state=known(CLAIM_CODES, raw, ClaimState.UNKNOWN),
        raw_code=raw,
        updated_at=node["updatedAt"].instant(),
        currency=node["currency"].currency(),
        claimed_amount=node["total"].amount(),
        accepted_amount=node["acceptedAmount"].optional(Node.amount),
        paid_amount=node["paidAmount"].optional(Node.amount),
        words=_words(node),
    )


def policy(node: Node) -> PolicyDetails:
    return PolicyDetails(
        number=node["policyNumber"].identifier(),
        holder=node["holder"].text(),
        currency=node["currency"].currency(),
        starts_on=node["startsOn"].date(),
        ends_on=node["endsOn"].optional(Node.date),
        insured_percentage=node["insuredPercentage"].optional(Node.percentage),
        max_payment_term_days=node["maxPaymentTermDays"].optional(Node.integer),
        max_extension_days=node["maxExtensionDays"].optional(Node.integer),
        notification_days=node["notificationDays"].optional(Node.integer),
        waiting_days=node["waitingDays"].optional(Node.integer),
        claim_days=node["claimDays"].optional(Node.integer),
    )


def numbered(node: Node) -> tuple[BuyerCandidate, ...]:
    """The buyer of a request for a number: as we described it, under the number it was given."""
    number = node["buyerId"].optional(Node.identifier)
    if number is None:
        return ()
    return (replace(_buyer(node, 100), buyer_id=number),)


def document_receipt(node: Node) -> DocumentReceipt:
    return DocumentReceipt(
        document_number=node["documentNumber"].identifier(),
        reference=node["reference"].text(),
        received_at=node["receivedAt"].instant(),
        duplicate=_duplicate(node),
    )


def collection_status(node: Node) -> CollectionStatus:
    raw = node["statusCode"].identifier()
    return CollectionStatus(
        case_number=node["caseNumber"].identifier(),
        reference=node["reference"].text(),
        state=known(COLLECTION_CODES, raw, CollectionState.UNKNOWN),
        raw_code=raw,
        updated_at=node["updatedAt"].instant(),
        currency=node["currency"].currency(),
        recovered_amount=node["recoveredAmount"].optional(Node.amount) or ZERO,
        costs=node["costs"].optional(Node.amount) or ZERO,
        approved_costs=node["approvedCosts"].optional(Node.amount) or ZERO,
        words=_words(node),
        duplicate=_duplicate(node),
    )


def declaration_receipt(node: Node) -> DeclarationReceipt:
    return DeclarationReceipt(
        declaration_number=node["declarationNumber"].identifier(),
        reference=node["reference"].text(),
        received_at=node["receivedAt"].instant(),
        duplicate=_duplicate(node),
        refusals=node["refusals"].optional(lambda value: tuple(_refusal(item) for item in value.items())) or (),
        premium=node["premium"].optional(Node.amount),
        currency=node["premiumCurrency"].optional(Node.currency) or "",
    )


def _refusal(node: Node) -> LineRefusal:
    return LineRefusal(node["reference"].text(), node["code"].text(), node["message"].text())


def report_state(node: Node) -> ReportState:
    raw = node["statusCode"].identifier()
    return ReportState(
        order_id=node["orderId"].identifier(),
        reference=node["reference"].text(),
        status=known(REPORT_CODES, raw, ReportStatus.UNKNOWN),
        raw_code=raw,
        ordered_at=node["receivedAt"].instant(),
        issued_on=node["issuedOn"].optional(Node.date),
        report=node["report"].optional(_report_file),
        grade=node["grade"].optional(Node.text) or "",
        recommended_amount=node["recommendedAmount"].optional(Node.amount),
        currency=node["currency"].optional(Node.text) or "",
        words=_words(node),
        duplicate=_duplicate(node),
    )


def _report_file(node: Node) -> ReportFile:
    content = node["content"]
    try:
        return ReportFile(
            node["name"].identifier(),
            node["mediaType"].identifier(),
            base64.b64decode(content.text(), validate=True),
        )
    except (binascii.Error, ValueError) as exc:
        if isinstance(exc, ShapeError):
            raise
        raise ShapeError(content.path, "expected base64") from exc


def monitoring(node: Node) -> Monitoring:
    return Monitoring(
        monitoring_id=node["monitoringId"].identifier(),
        buyer_id=node["buyerId"].identifier(),
        starts_on=node["startsOn"].date(),
        ends_on=node["endsOn"].optional(Node.date),
    )


def notification(node: Node) -> Notification:
    return Notification(
        notification_id=node["notificationId"].identifier(),
        buyer_id=node["buyerId"].identifier(),
        kind=node["kind"].identifier(),
        happened_on=node["happenedOn"].date(),
        words=_words(node),
    )


def _words(node: Node) -> str:
    return node["message"].optional(Node.text) or ""


def _duplicate(node: Node) -> bool:
    return node["duplicate"].optional(Node.boolean) or False
