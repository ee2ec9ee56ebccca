"""Connector for the insurer simulator (``connectors.simulator``).

The interface is the simulator's own. It follows the shape of Allianz Trade's where that is public (API key to bearer
token at ``/v1/idp/oauth2/authorize``, 3600 s, not renewable) and invents the rest, above all claims, for which no
insurer has a public interface. It says nothing about how a real insurer answers.

Every write carries our reference, in the body and as ``Idempotency-Key``; the simulator carries a reference out once
and answers a repetition with the first result and ``"duplicate": true``. Errors are
``{"error": {"code": "…", "message": "…"}}``.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import ClassVar
from urllib.parse import quote

from . import sandbox_reading as reading
from . import sandbox_writing as writing
from .base import FINDERS, Insurer, Operation
from .bearer import BearerTransport
from .calls import Answer, Call
from .connection import Connection, Setting
from .debts import (
    AgreementStatus,
    Claim,
    ClaimReceipt,
    ClaimStatus,
    CollectionOrder,
    CollectionStatus,
    Document,
    DocumentReceipt,
    InvoiceExtension,
    OverdueNotice,
    OverdueReceipt,
    RepaymentPlan,
)
from .declarations import DeclarationReceipt, ReceiptDeclaration, ShipmentDeclaration, TurnoverDeclaration
from .jsondoc import Json, ShapeError, decode, encode
from .messages import (
    BuyerCandidate,
    BuyerQuery,
    Cover,
    CoverRequest,
    CoverRequestState,
    Grade,
    Page,
    PolicyDetails,
)
from .reading import about, at_most_one, list_of
from .redaction import Redactor
from .reports import Monitoring, MonitoringOrder, Notification, ReportOrder, ReportState, WakeUp
from .tokens import TokenCache
from .transport import Transport

Declaration = TurnoverDeclaration | ShipmentDeclaration | ReceiptDeclaration

PAGE_SIZE = 500
GRADES_AT_ONCE = 200

DECLARATIONS: Mapping[type[Declaration], str] = {
    TurnoverDeclaration: "/v1/turnover-declarations",
    ShipmentDeclaration: "/v1/shipment-declarations",
    ReceiptDeclaration: "/v1/receipt-declarations",
}
# By the kind of a wake-up call: what to look at.
WAKE_UPS: Mapping[str, frozenset[Operation]] = {
    "BUYER_NUMBER_GIVEN": frozenset({Operation.REQUEST_BUYER_NUMBER}),
    "CLAIM_MOVED": frozenset({Operation.CLAIM_STATUS}),
    "COLLECTION_MOVED": frozenset({Operation.COLLECTION_STATUS}),
    "COVER_CHANGED": frozenset({Operation.COVER_PAGE}),
    "COVER_REQUEST_DECIDED": frozenset({Operation.COVER_REQUEST_STATE, Operation.COVER_PAGE}),
    "EXTENSION_MOVED": frozenset({Operation.EXTENSION_STATE}),
    "PLAN_MOVED": frozenset({Operation.REPAYMENT_PLAN_STATE}),
    "GRADE_CHANGED": frozenset({Operation.GRADES}),
    "REPORT_MOVED": frozenset({Operation.REPORT_STATE}),
}


class Sandbox(Insurer):
    """The simulator, over HTTP. Needs the credential ``api_key``."""

    code: ClassVar[str] = "sandbox"
    label: ClassVar[str] = "Insurer simulator"
    settings: ClassVar[tuple[Setting, ...]] = (Setting("api_key", "API key", secret=True, identifies=True),)
    recognises: ClassVar[frozenset[Operation]] = frozenset(FINDERS)
    finds_own_references = True

    def __init__(self, connection: Connection) -> None:
        connection.check(self.code, self.settings)
        self._credentials = connection.credentials
        redactor = Redactor(connection.credentials)
        self._transport = Transport(
            self.code,
            connection.base_url,
            redactor,
            explain=reading.explain,
            options=connection.options,
            hooks=connection.hooks,
        )
        tokens = TokenCache(
            self._take_token,
            identity=(self.code, self._transport.base_url, self._credentials["api_key"]),
            learn=redactor.add,
            store=connection.token_store,
            clock=connection.wall_clock,
        )
        self._bearer = BearerTransport(self._transport, tokens)

    def close(self) -> None:
        self._transport.close()

    @classmethod
    def read_wake_up(cls, headers: Mapping[str, str], body: bytes) -> WakeUp | None:
        """A call of the simulator's ``webhooks.py``; a kind we do not know is a reason to look at the covers."""
        try:
            node = decode(body)
            operations = WAKE_UPS.get(node["kind"].identifier(), frozenset({Operation.COVER_PAGE}))
            buyers = tuple(item.identifier() for item in node["buyerIds"].items())
            requests = tuple(item.identifier() for item in node["requestIds"].items())
        except ShapeError:
            return None
        return WakeUp(frozenset(operation.value for operation in operations), requests, buyers)

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        answer = self._post("find_buyer", "/v1/buyers/search", writing.query_body(query))
        return answer.read(list_of("results", reading.candidate))

    def request_buyer_number(self, reference: str, policy_number: str, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        body = {"reference": reference, "policyNumber": policy_number, **writing.query_body(query)}
        body["requestedBuyerId"] = body.pop("buyerId")
        answer = self._post("request_buyer_number", "/v1/buyer-numbers", body, reference=reference)
        return answer.read(about(reading.numbered, reference))

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        wanted = list(dict.fromkeys(buyer_ids))
        grades: list[Grade] = []
        for start in range(0, len(wanted), GRADES_AT_ONCE):
            body: Json = {"buyerIds": wanted[start : start + GRADES_AT_ONCE]}
            grades.extend(self._post("grades", "/v1/grades/search", body).read(list_of("grades", reading.grade)))
        return tuple(grades)

    def grade_changes(self, policy_number: str, since: date, token: str | None = None) -> Page[Grade]:
        query = {"policyNumber": policy_number, "since": since.isoformat()}
        answer = self._get("grade_changes", "/v1/grades", self._paged(query, token))
        return reading.page_of(answer, "grades", reading.grade, "buyerId")

    # --- Cover --------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, token: str | None = None) -> Page[Cover]:
        answer = self._get("cover_page", "/v1/covers", self._paged({"policyNumber": policy_number}, token))
        return reading.page_of(answer, "covers", reading.cover, "coverId")

    def request_cover(self, request: CoverRequest) -> CoverRequestState:
        body = writing.cover_request_body(request)
        answer = self._post("request_cover", "/v1/cover-requests", body, reference=request.reference)
        return answer.read(about(reading.request_state, request.reference))

    def find_cover_request(self, request: CoverRequest) -> CoverRequestState | None:
        answer = self._find("find_cover_request", "/v1/cover-requests", request.reference)
        return answer.read(at_most_one("coverRequests", reading.request_state, request.reference))

    def cover_request_state(self, request_id: str) -> CoverRequestState:
        return self._one("cover_request_state", "/v1/cover-requests", request_id).read(reading.request_state)

    def cover_request_page(self, policy_number: str, token: str | None = None) -> Page[CoverRequestState]:
        query = self._paged({"policyNumber": policy_number}, token)
        answer = self._get("cover_request_page", "/v1/cover-requests", query)
        return reading.page_of(answer, "coverRequests", reading.request_state, "requestId")

    # --- Overdues and claims ------------------------------------------------------------------------------------

    def notify_overdue(self, notice: OverdueNotice) -> OverdueReceipt:
        answer = self._post("notify_overdue", "/v1/overdues", writing.notice_body(notice), reference=notice.reference)
        return answer.read(about(reading.overdue_receipt, notice.reference))

    def find_overdue_notice(self, notice: OverdueNotice) -> OverdueReceipt | None:
        answer = self._find("find_overdue_notice", "/v1/overdues", notice.reference)
        return answer.read(at_most_one("overdues", reading.overdue_receipt, notice.reference))

    def extend_invoice(self, extension: InvoiceExtension) -> OverdueReceipt:
        body = writing.extension_body(extension)
        answer = self._post("extend_invoice", "/v1/extensions", body, reference=extension.reference)
        return answer.read(about(reading.overdue_receipt, extension.reference))

    def find_extension(self, extension: InvoiceExtension) -> OverdueReceipt | None:
        answer = self._find("find_extension", "/v1/extensions", extension.reference)
        return answer.read(at_most_one("extensions", reading.overdue_receipt, extension.reference))

    def extension_state(self, notice_number: str) -> AgreementStatus:
        return self._one("extension_state", "/v1/extensions", notice_number).read(reading.agreement_status)

    def report_repayment_plan(self, plan: RepaymentPlan) -> OverdueReceipt:
        body = writing.plan_body(plan)
        answer = self._post("report_repayment_plan", "/v1/repayment-plans", body, reference=plan.reference)
        return answer.read(about(reading.overdue_receipt, plan.reference))

    def find_repayment_plan(self, plan: RepaymentPlan) -> OverdueReceipt | None:
        answer = self._find("find_repayment_plan", "/v1/repayment-plans", plan.reference)
        return answer.read(at_most_one("repaymentPlans", reading.overdue_receipt, plan.reference))

    def repayment_plan_state(self, notice_number: str) -> AgreementStatus:
        return self._one("repayment_plan_state", "/v1/repayment-plans", notice_number).read(reading.agreement_status)

    def submit_claim(self, claim: Claim) -> ClaimReceipt:
        answer = self._post("submit_claim", "/v1/claims", writing.claim_body(claim), reference=claim.reference)
        return answer.read(about(reading.claim_receipt, claim.reference))

    def find_claim(self, claim: Claim) -> ClaimReceipt | None:
        answer = self._find("find_claim", "/v1/claims", claim.reference)
        return answer.read(at_most_one("claims", reading.claim_receipt, claim.reference))

    def claim_status(self, claim_number: str) -> ClaimStatus:
        return self._one("claim_status", "/v1/claims", claim_number).read(reading.claim_status)

    def add_document(self, document: Document) -> DocumentReceipt:
        body = writing.document_body(document)
        answer = self._post("add_document", "/v1/documents", body, reference=document.reference)
        return answer.read(about(reading.document_receipt, document.reference))

    def find_document(self, document: Document) -> DocumentReceipt | None:
        answer = self._find("find_document", "/v1/documents", document.reference)
        return answer.read(at_most_one("documents", reading.document_receipt, document.reference))

    # --- Collection ---------------------------------------------------------------------------------------------

    def start_collection(self, order: CollectionOrder) -> CollectionStatus:
        body = writing.collection_body(order)
        answer = self._post("start_collection", "/v1/collections", body, reference=order.reference)
        return answer.read(about(reading.collection_status, order.reference))

    def find_collection(self, order: CollectionOrder) -> CollectionStatus | None:
        answer = self._find("find_collection", "/v1/collections", order.reference)
        return answer.read(at_most_one("collections", reading.collection_status, order.reference))

    def collection_status(self, case_number: str) -> CollectionStatus:
        return self._one("collection_status", "/v1/collections", case_number).read(reading.collection_status)

    # --- Declarations -------------------------------------------------------------------------------------------

    def declare_turnover(self, declaration: TurnoverDeclaration) -> DeclarationReceipt:
        return self._declare("declare_turnover", declaration, writing.turnover_body(declaration))

    def declare_shipments(self, declaration: ShipmentDeclaration) -> DeclarationReceipt:
        return self._declare("declare_shipments", declaration, writing.shipments_body(declaration))

    def declare_receipts(self, declaration: ReceiptDeclaration) -> DeclarationReceipt:
        return self._declare("declare_receipts", declaration, writing.receipts_body(declaration))

    def find_declaration(self, declaration: Declaration) -> DeclarationReceipt | None:
        answer = self._find("find_declaration", DECLARATIONS[type(declaration)], declaration.reference)
        return answer.read(at_most_one("declarations", reading.declaration_receipt, declaration.reference))

    def _declare(self, operation: str, declaration: Declaration, body: writing.Members) -> DeclarationReceipt:
        path, reference = DECLARATIONS[type(declaration)], declaration.reference
        return self._post(operation, path, body, reference=reference).read(
            about(reading.declaration_receipt, reference)
        )

    # --- Reports and monitoring ---------------------------------------------------------------------------------

    def order_report(self, order: ReportOrder) -> ReportState:
        answer = self._post("order_report", "/v1/reports", writing.report_body(order), reference=order.reference)
        return answer.read(about(reading.report_state, order.reference))

    def find_report(self, order: ReportOrder) -> ReportState | None:
        answer = self._find("find_report", "/v1/reports", order.reference)
        return answer.read(at_most_one("reports", reading.report_state, order.reference))

    def report_state(self, order_id: str) -> ReportState:
        return self._one("report_state", "/v1/reports", order_id).read(reading.report_state)

    def monitor(self, order: MonitoringOrder) -> Monitoring:
        answer = self._post("monitor", "/v1/monitorings", writing.monitoring_body(order), reference=order.reference)
        return answer.read(about(reading.monitoring, order.reference))

    def notifications(self, since: date, token: str | None = None) -> Page[Notification]:
        answer = self._get("notifications", "/v1/notifications", self._paged({"since": since.isoformat()}, token))
        return reading.page_of(answer, "notifications", reading.notification, "notificationId")

    # --- Policy -------------------------------------------------------------------------------------------------

    def policy_details(self, policy_number: str) -> PolicyDetails:
        return self._one("policy_details", "/v1/policies", policy_number).read(reading.policy)

    # --- Calls --------------------------------------------------------------------------------------------------

    def _get(self, operation: str, path: str, query: Mapping[str, str] | None = None) -> Answer:
        call = Call(operation=operation, method="GET", path=path, query=query or {}, repeatable=True, reads=decode)
        return self._bearer.send(call)

    def _one(self, operation: str, path: str, number: str) -> Answer:
        return self._get(operation, f"{path}/{_segment(number)}")

    def _find(self, operation: str, path: str, reference: str) -> Answer:
        return self._get(operation, path, {"reference": reference})

    def _paged(self, query: Mapping[str, str], token: str | None) -> dict[str, str]:
        return {**query, "pageSize": str(PAGE_SIZE), **({} if token is None else {"pageToken": token})}

    def _post(self, operation: str, path: str, body: Json, *, reference: str = "") -> Answer:
        """Repeatable throughout: a search changes nothing, a write carries its reference as idempotency key."""
        headers = {"Idempotency-Key": quote(reference)} if reference else {}
        call = Call(
            operation=operation,
            method="POST",
            path=path,
            body=encode(body),
            headers=headers,
            repeatable=True,
            reads=None if reference else decode,
        )
        return self._bearer.send(call)

    def _take_token(self) -> tuple[str, float]:
        body = encode({"apiKey": self._credentials["api_key"]})
        path = "/v1/idp/oauth2/authorize"
        call = Call(operation="authorize", method="POST", path=path, body=body, repeatable=True, reads=decode)
        answer = self._transport.send(call)
        return answer.read(lambda node: (node["access_token"].identifier(), float(node["expires_in"].integer())))


def _segment(value: str) -> str:
    """``value`` as one segment of a path, whatever it holds."""
    return quote(value, safe="")
