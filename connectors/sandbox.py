"""Connector for the insurer simulator (``connectors.simulator``).

The interface is the simulator's own. It follows the shape of Allianz Trade's where that is public (API key to bearer
token at ``/v1/idp/oauth2/authorize``, 3600 s, not renewable) and invents the rest, above all claims, for which no
insurer has a public interface. It says nothing about how a real insurer answers.

Every write carries our reference, in the body and as ``Idempotency-Key``; the simulator carries a reference out once
and answers a repetition with the first result and ``"duplicate": true``. Errors are
``{"error": {"code": "…", "message": "…"}}``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote

from .base import Connection, Insurer
from .calls import Answer, Call
from .errors import AuthenticationError, ConfigurationError
from .jsondoc import Json, Node, encode
from .messages import (
    Announcement,
    AnnouncementKind,
    BuyerCandidate,
    BuyerQuery,
    Claim,
    ClaimReceipt,
    ClaimState,
    ClaimStatus,
    Cover,
    CoverRequest,
    CoverRequestState,
    CoverStatus,
    Grade,
    OverdueInvoice,
    OverdueNotice,
    OverdueReceipt,
    Page,
    PolicyDetails,
    RequestStatus,
)
from .reading import about, at_most_one, known, list_of
from .redaction import Redactor
from .tokens import TokenCache
from .transport import Transport

PAGE_SIZE = 500
GRADES_AT_ONCE = 200

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
ANNOUNCEMENT_CODES = {kind.name: kind for kind in AnnouncementKind if kind is not AnnouncementKind.UNKNOWN}


class Sandbox(Insurer):
    """The simulator, over HTTP. Needs the credential ``api_key``."""

    code: ClassVar[str] = "sandbox"
    label: ClassVar[str] = "Insurer simulator"

    def __init__(self, connection: Connection) -> None:
        self._credentials = connection.credentials
        if "api_key" not in self._credentials:
            raise ConfigurationError("the API key is missing", insurer=self.code)
        redactor = Redactor(connection.credentials)
        self._transport = Transport(
            self.code,
            connection.base_url,
            redactor,
            explain=_explain,
            options=connection.options,
            hooks=connection.hooks,
        )
        self._tokens = TokenCache(
            self._take_token,
            identity=(self.code, self._transport.base_url, self._credentials["api_key"]),
            learn=redactor.add,
            store=connection.token_store,
            clock=connection.wall_clock,
        )

    def close(self) -> None:
        self._transport.close()

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        body: Json = {
            "buyerId": query.buyer_id,
            "name": query.name,
            "country": query.country,
            "vatNumber": query.vat_number,
            "registrationNumber": query.registration_number,
            "address": {"street": query.street, "postalCode": query.postal_code, "city": query.city},
        }
        answer = self._post("find_buyer", "/v1/buyers/search", body)
        return answer.read(list_of("results", _candidate))

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        wanted = list(dict.fromkeys(buyer_ids))
        grades: list[Grade] = []
        for start in range(0, len(wanted), GRADES_AT_ONCE):
            body: Json = {"buyerIds": wanted[start : start + GRADES_AT_ONCE]}
            grades.extend(self._post("grades", "/v1/grades/search", body).read(list_of("grades", _grade)))
        return tuple(grades)

    # --- Cover --------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, token: str | None = None) -> Page[Cover]:
        query = {"policyNumber": policy_number, "pageSize": str(PAGE_SIZE)}
        if token is not None:
            query["pageToken"] = token
        return self._get("cover_page", "/v1/covers", query).read(_cover_page)

    def request_cover(self, request: CoverRequest) -> CoverRequestState:
        body: Json = {
            "reference": request.reference,
            "policyNumber": request.policy_number,
            "buyerId": request.buyer_id,
            "kind": request.kind.name,
            "amount": request.amount,
            "currency": request.currency,
            "urgent": request.urgent,
            "comment": request.comment,
        }
        answer = self._post("request_cover", "/v1/cover-requests", body, reference=request.reference)
        return answer.read(about(_request_state, request.reference))

    def find_cover_request(self, reference: str) -> CoverRequestState | None:
        answer = self._get("find_cover_request", "/v1/cover-requests", {"reference": reference})
        return answer.read(at_most_one("coverRequests", _request_state, reference))

    def cover_request_state(self, request_id: str) -> CoverRequestState:
        return self._get("cover_request_state", f"/v1/cover-requests/{_segment(request_id)}").read(_request_state)

    # --- Overdues and claims ------------------------------------------------------------------------------------

    def notify_overdue(self, notice: OverdueNotice) -> OverdueReceipt:
        body: Json = {
            "reference": notice.reference,
            "policyNumber": notice.policy_number,
            "buyerId": notice.buyer_id,
            "invoices": [_invoice(invoice) for invoice in notice.invoices],
            "comment": notice.comment,
        }
        answer = self._post("notify_overdue", "/v1/overdues", body, reference=notice.reference)
        return answer.read(about(_overdue_receipt, notice.reference))

    def find_overdue_notice(self, reference: str) -> OverdueReceipt | None:
        answer = self._get("find_overdue_notice", "/v1/overdues", {"reference": reference})
        return answer.read(at_most_one("overdues", _overdue_receipt, reference))

    def submit_claim(self, claim: Claim) -> ClaimReceipt:
        body: Json = {
            "reference": claim.reference,
            "policyNumber": claim.policy_number,
            "buyerId": claim.buyer_id,
            "cause": claim.cause.name,
            "dateOfLoss": claim.date_of_loss.isoformat() if claim.date_of_loss else None,
            "invoices": [_invoice(invoice) for invoice in claim.invoices],
            "total": claim.total,
            "currency": claim.currency,
            "comment": claim.comment,
        }
        answer = self._post("submit_claim", "/v1/claims", body, reference=claim.reference)
        return answer.read(about(_claim_receipt, claim.reference))

    def find_claim(self, reference: str) -> ClaimReceipt | None:
        answer = self._get("find_claim", "/v1/claims", {"reference": reference})
        return answer.read(at_most_one("claims", _claim_receipt, reference))

    def claim_status(self, claim_number: str) -> ClaimStatus:
        return self._get("claim_status", f"/v1/claims/{_segment(claim_number)}").read(_claim_status)

    # --- Policy -------------------------------------------------------------------------------------------------

    def policy_details(self, policy_number: str) -> PolicyDetails:
        return self._get("policy_details", f"/v1/policies/{_segment(policy_number)}").read(_policy)

    # --- Calls --------------------------------------------------------------------------------------------------

    def _get(self, operation: str, path: str, query: Mapping[str, str] | None = None) -> Answer:
        return self._send(Call(operation=operation, method="GET", path=path, query=query or {}, repeatable=True))

    def _post(self, operation: str, path: str, body: Json, *, reference: str = "") -> Answer:
        """Repeatable throughout: a search changes nothing, a write carries its reference as idempotency key."""
        headers = {"Idempotency-Key": quote(reference)} if reference else {}
        call = Call(operation=operation, method="POST", path=path, body=encode(body), headers=headers, repeatable=True)
        return self._send(call)

    def _send(self, call: Call) -> Answer:
        """Send with a token; when it is refused, once more with another one."""
        token = self._tokens.current()
        try:
            return self._transport.send(_with_token(call, token))
        except AuthenticationError as refused:
            if refused.status != 401:
                raise
        return self._transport.send(_with_token(call, self._tokens.replace(token)))

    def _take_token(self) -> tuple[str, float]:
        body = encode({"apiKey": self._credentials["api_key"]})
        path = "/v1/idp/oauth2/authorize"
        answer = self._transport.send(Call(operation="authorize", method="POST", path=path, body=body, repeatable=True))
        return answer.read(lambda node: (node["access_token"].identifier(), float(node["expires_in"].integer())))


def _with_token(call: Call, token: str) -> Call:
    return replace(call, headers={**call.headers, "Authorization": f"Bearer {token}"})


def _segment(value: str) -> str:
    """``value`` as one segment of a path, whatever it holds."""
    return quote(value, safe="")


def _explain(error: Node) -> tuple[str, str]:
    return error["error"]["code"].text(), error["error"]["message"].text()


# --- Reading answers --------------------------------------------------------------------------------------------


def _candidate(node: Node) -> BuyerCandidate:
    buyer, address = node["buyer"], node["buyer"]["address"]
    return BuyerCandidate(
        buyer_id=buyer["buyerId"].identifier(),
        name=buyer["name"].text(),
        country=buyer["country"].text(),
        score=node["score"].integer(),
        vat_number=buyer["vatNumber"].optional(Node.text) or "",
        registration_number=buyer["registrationNumber"].optional(Node.text) or "",
        street=address["street"].optional(Node.text) or "",
        postal_code=address["postalCode"].optional(Node.text) or "",
        city=address["city"].optional(Node.text) or "",
    )


def _grade(node: Node) -> Grade:
    return Grade(
        buyer_id=node["buyerId"].identifier(),
        value=node["value"].identifier(),
        scale=node["scale"].text(),
        graded_on=node["gradedOn"].date(),
        previous_value=node["previousValue"].optional(Node.identifier),
    )


def _cover_page(node: Node) -> Page[Cover]:
    covers = list_of("covers", _cover)(node)
    return Page(covers, node["nextPageToken"].optional(Node.identifier), node["total"].optional(Node.integer))


def _cover(node: Node) -> Cover:
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


def _request_state(node: Node) -> CoverRequestState:
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
        words=node["message"].optional(Node.text) or "",
        duplicate=node["duplicate"].optional(Node.boolean) or False,
    )


def _overdue_receipt(node: Node) -> OverdueReceipt:
    return OverdueReceipt(
        notice_number=node["noticeNumber"].identifier(),
        reference=node["reference"].text(),
        received_at=node["receivedAt"].instant(),
        duplicate=node["duplicate"].optional(Node.boolean) or False,
    )


def _claim_receipt(node: Node) -> ClaimReceipt:
    return ClaimReceipt(
        claim_number=node["claimNumber"].identifier(),
        reference=node["reference"].text(),
        received_at=node["receivedAt"].instant(),
        duplicate=node["duplicate"].optional(Node.boolean) or False,
    )


def _claim_status(node: Node) -> ClaimStatus:
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
        words=node["message"].optional(Node.text) or "",
    )


def _policy(node: Node) -> PolicyDetails:
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


def _invoice(invoice: OverdueInvoice) -> Json:
    return {
        "number": invoice.number,
        "issuedOn": invoice.issued_on.isoformat(),
        "dueOn": invoice.due_on.isoformat(),
        "amount": invoice.amount,
        "openAmount": invoice.open_amount,
        "currency": invoice.currency,
    }
