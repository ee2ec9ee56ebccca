"""Covers and requests for cover of Allianz Trade: what is sent and in which order, versions 3 and 2.

The documents themselves are read and written in ``allianz_trade_covers.py``.
"""

import re
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar, TypeVar

from .allianz_trade_codes import BY_GRADE, IN_PROGRESS, JobState
from .allianz_trade_covers import (
    STANDING,
    Context,
    PendingRequest,
    outcome,
    read_cover,
    read_cover_v2,
    read_grade,
    read_pending,
    request_body,
    request_body_v2,
)
from .allianz_trade_desk import Desk
from .allianz_trade_policies import Part, RequestKey
from .calls import Answer
from .errors import RejectedByInsurer
from .jsondoc import Json, Node
from .messages import Cover, CoverProduct, CoverRequest, CoverRequestState, CoverStatus, Grade, Page, RequestStatus

Item = TypeVar("Item")
Read = Callable[[Node, Context], Item]
MISSING = 404  # HTTP status
BARE_ID = re.compile(r"(?!(?:null|true|false)$)[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


class Limits(ABC):
    """Covers and requests in one version of the interface."""

    versions: ClassVar[Mapping[str, type["Limits"]]]
    products: ClassVar[frozenset[CoverProduct]] = frozenset({CoverProduct.CREDIT_LIMIT})
    # A page that holds less than was asked for is the last: more than the insurer gives must not be asked for.
    largest_page: ClassVar[int] = 10_000

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._client = desk.client
        self._words = desk.words

    @abstractmethod
    def cover_page(self, number: str, token: str | None) -> Page[Cover]: ...

    @abstractmethod
    def request(self, request: CoverRequest) -> CoverRequestState: ...

    @abstractmethod
    def pending_of(self, request: CoverRequest) -> CoverRequestState | None: ...

    @abstractmethod
    def covers_of(self, operation: str, number: str, company_id: str) -> Iterator[Cover]:
        """The covers of a company under a policy; perhaps others besides."""

    @abstractmethod
    def state(self, request_id: str) -> CoverRequestState: ...

    @abstractmethod
    def pending_page(self, number: str, token: str | None) -> Page[CoverRequestState]: ...

    def grade_page(self, _operation: str, _number: str, _token: str | None) -> Page[Grade]:
        """The grades told with the covers of one page; none, unless a version tells them."""
        return Page(())

    def find(self, request: CoverRequest) -> CoverRequestState | None:
        """The undecided request for the buyer, else the cover that stands exactly as asked for."""
        pending = self.pending_of(request)
        if pending:
            return pending
        for cover in self.covers_of("find_cover_request", request.policy_number, request.buyer_id):
            if cover.buyer_id == request.buyer_id and _is_as_asked(cover, request):
                return outcome(cover, self._desk.new_key("cover", cover.cover_id, request))
        return None

    def _pending_state(
        self, key: RequestKey, raw_code: str, *, cover_id: str = "", currency: str = ""
    ) -> CoverRequestState:
        return CoverRequestState(
            request_id=key.text(),
            reference="",
            status=RequestStatus.PENDING,
            raw_code=raw_code,
            received_at=key.asked_at,
            currency=currency,
            buyer_id=key.company_id,
            cover_id=cover_id,
        )


class LimitsV3(Limits):
    """Requests are jobs; what is undecided is listed apart from the covers."""

    products: ClassVar[frozenset[CoverProduct]] = frozenset({CoverProduct.CREDIT_LIMIT, CoverProduct.GRADE_COVER})

    def cover_page(self, number: str, token: str | None) -> Page[Cover]:
        return self._desk.page(number, token, self._search("cover_page"), read_cover)

    def grade_page(self, operation: str, number: str, token: str | None) -> Page[Grade]:
        def read(node: Node, _context: Context) -> Grade | None:
            return read_grade(node, self._words)

        page = self._desk.page(number, token, self._search(operation), read)
        return Page(tuple(grade for grade in page.items if grade), page.next_token, unread=page.unread)

    def _search(self, operation: str) -> Callable[[Part, int], Answer]:
        def ask(part: Part, page: int) -> Answer:
            pagination: Json = {"page": page, "pageSize": self._desk.size, "isTotalRequired": True}
            return self._client.ask(operation, "cover_search", {"policies": [part.body()], "pagination": pagination})

        return ask

    # --- Requests -----------------------------------------------------------------------------------------------

    def request(self, request: CoverRequest) -> CoverRequestState:
        part = self._desk.policies.parts(request.policy_number)[0]
        answer = self._client.write("request_cover", "covers", request_body(request, part))
        key = self._desk.new_key("job", read_job_id(answer), request)
        return self._pending_state(key, "", currency=request.currency)

    def pending_of(self, request: CoverRequest) -> CoverRequestState | None:
        amount = None if request.product is CoverProduct.GRADE_COVER else request.amount
        return self._pending_of("find_cover_request", request.policy_number, request.buyer_id, amount)

    def _pending_of(
        self, operation: str, number: str, company_id: str, amount: Decimal | None
    ) -> CoverRequestState | None:
        """:raises UnexpectedResponse: a request for the same amount does not say whom it is about: it may be ours."""
        for pending in self._pending(operation, number, company_id):
            told = self._company_of(operation, pending)
            if told == company_id:
                return self._as_state(pending, number, company_id)
            if not told and pending.amount == amount:
                problem = f"request {pending.request_id} tells no company: it may be ours"
                raise self._desk.unexpected(problem, "companyId")
        return None

    def covers_of(self, operation: str, number: str, company_id: str) -> Iterator[Cover]:
        """All of them: nothing says how to ask for one company's."""
        token: str | None = None
        while True:
            page = self._desk.page(number, token, self._search(operation), read_cover)
            yield from self._desk.readable(page, company_id)
            token = page.next_token
            if token is None:
                return

    def state(self, request_id: str) -> CoverRequestState:
        key = self._desk.key(request_id)
        if key.kind == "company":
            return self._state_of_company(key)
        address, cover_id = "", key.number
        if key.kind == "job":
            job = self._client.get("cover_request_state", "job", jobId=key.number)
            raw, address = job.read(self._read_job)
            job_state = self._words.job_state(raw)
            if job_state is not JobState.PROCESSED:
                return self._unprocessed(key, raw, job_state)
            cover_id = last_segment(address)
        for pending in self._pending("cover_request_state", key.policy_number, key.company_id):
            if pending.cover_id == cover_id:
                return self._pending_state(key, pending.raw_code, cover_id=cover_id, currency=pending.currency)
        if address:
            answer = self._client.result("cover_request_state", address, cover_id)
        else:
            answer = self._client.get("cover_request_state", "cover", coverId=cover_id)
        context = self._desk.context(key.policy_number, self._desk.policies.parts(key.policy_number)[0])
        cover = answer.read(lambda node: read_cover(node, context, cover_id, key.company_id))
        words = answer.read(lambda node: self._words.find(node, "cover.words").optional(Node.text)) or ""
        return outcome(cover, key, words)

    def _state_of_company(self, key: RequestKey) -> CoverRequestState:
        """How a request stands that was made with version 2."""
        pending = self._pending_of("cover_request_state", key.policy_number, key.company_id, key.amount)
        if pending:
            return replace(pending, request_id=key.text())
        covers = self.covers_of("cover_request_state", key.policy_number, key.company_id)
        found = next((cover for cover in covers if cover.buyer_id == key.company_id), None)
        return outcome(found, key) if found else self._pending_state(key, "")

    def _read_job(self, node: Node) -> tuple[str, str]:
        """Code and where the result lies, which only a processed job tells."""
        raw = node["jobStatusCode"].identifier()
        is_processed = self._words.job_state(raw) is JobState.PROCESSED
        return raw, node["resourceUrl"].identifier() if is_processed else ""

    def _unprocessed(self, key: RequestKey, raw: str, job_state: JobState) -> CoverRequestState:
        status = RequestStatus.PENDING if job_state is JobState.PENDING else RequestStatus.UNKNOWN
        return CoverRequestState(key.text(), "", status, raw, key.asked_at, buyer_id=key.company_id)

    # --- Undecided requests -------------------------------------------------------------------------------------

    def pending_page(self, number: str, token: str | None) -> Page[CoverRequestState]:
        page = self._pending_page("cover_request_page", number, token)
        companies = [self._company_of("cover_request_page", pending) for pending in page.items]
        told = zip(page.items, companies, strict=True)
        return Page(
            tuple(self._as_state(pending, number, company_id) for pending, company_id in told),
            page.next_token,
            page.total,
            page.unread,
        )

    def _pending(self, operation: str, number: str, company_id: str) -> Iterator[PendingRequest]:
        """What is undecided of this company; perhaps of others besides."""
        token: str | None = None
        while True:
            page = self._pending_page(operation, number, token)
            yield from self._desk.readable(page, company_id)
            token = page.next_token
            if token is None:
                return

    def _pending_page(self, operation: str, number: str, token: str | None) -> Page[PendingRequest]:
        def ask(part: Part, page: int) -> Answer:
            body: Json = {
                "policies": [part.body()],
                "requestStatusCode": IN_PROGRESS,
                "pagination": {"page": page, "pageSize": self._desk.size, "isTotalRequired": "true"},
            }
            return self._client.ask(operation, "cover_requests", body)

        def read(node: Node, _context: Context) -> PendingRequest:
            return read_pending(node, self._words, IN_PROGRESS)

        return self._desk.page(number, token, ask, read)

    def _company_of(self, operation: str, pending: PendingRequest) -> str:
        """Whom a request is about; its cover tells where the request does not. Empty where neither does."""
        if pending.company_id:
            return pending.company_id
        try:
            answer = self._client.get(operation, "cover", coverId=pending.cover_id)
        except RejectedByInsurer as refusal:
            if refusal.status != MISSING:
                raise
            return ""  # no cover yet
        return answer.read(lambda node: self._words.find(node, "cover.company").optional(Node.identifier)) or ""

    def _as_state(self, pending: PendingRequest, number: str, company_id: str) -> CoverRequestState:
        key = RequestKey("cover", pending.cover_id, number, company_id, pending.amount, pending.created_at)
        return self._pending_state(key, pending.raw_code, cover_id=pending.cover_id, currency=pending.currency)


class LimitsV2(Limits):
    """Everything is in the list of covers: what is undecided has no decision yet. HTTP 206 is its usual answer."""

    largest_page: ClassVar[int] = 100

    def cover_page(self, number: str, token: str | None) -> Page[Cover]:
        return self._desk.page(number, token, self._list("cover_page"), read_cover_v2)

    def request(self, request: CoverRequest) -> CoverRequestState:
        """The answer is not looked at: its form was not seen, and the request is followed by the company."""
        part = self._desk.policies.parts(request.policy_number)[0]
        self._client.write("request_cover", "covers_v2", request_body_v2(request, part))
        return self._pending_state(self._desk.new_key("company", request.buyer_id, request), "")

    def pending_of(self, request: CoverRequest) -> CoverRequestState | None:
        key = self._desk.new_key("company", request.buyer_id, request)
        covers = self.covers_of("find_cover_request", request.policy_number, request.buyer_id)
        undecided = [cover for cover in covers if cover.status is CoverStatus.REQUESTED]
        return self._pending_state(key, undecided[0].raw_code, cover_id=undecided[0].cover_id) if undecided else None

    def covers_of(self, operation: str, number: str, company_id: str) -> Iterator[Cover]:
        part = self._desk.policies.parts(number)[0]
        context = self._desk.context(number, part)
        query = {"policyId": part.policy_id, "businessUnitCode": part.business_unit, "companyId": company_id}
        answer = self._client.get(operation, "covers_v2", query)
        covers = answer.read(lambda node: tuple(read_cover_v2(item, context) for item in node.items()))
        yield from (cover for cover in covers if cover.buyer_id == company_id)

    def state(self, request_id: str) -> CoverRequestState:
        key = self._desk.key(request_id)
        covers = tuple(self.covers_of("cover_request_state", key.policy_number, key.company_id))
        undecided = [cover for cover in covers if cover.status is CoverStatus.REQUESTED]
        if undecided:
            return self._pending_state(key, undecided[0].raw_code, cover_id=undecided[0].cover_id)
        return outcome(covers[0], key) if covers else self._pending_state(key, "")

    def pending_page(self, number: str, token: str | None) -> Page[CoverRequestState]:
        page = self._desk.page(number, token, self._list("cover_request_page"), read_cover_v2)
        undecided = [cover for cover in page.items if cover.status is CoverStatus.REQUESTED]
        return Page(tuple(self._as_state(cover) for cover in undecided), page.next_token, unread=page.unread)

    def _as_state(self, cover: Cover) -> CoverRequestState:
        asked_at = self._client.now()
        key = RequestKey(
            "company", cover.buyer_id, cover.policy_number, cover.buyer_id, cover.requested_amount, asked_at
        )
        return self._pending_state(key, cover.raw_code, cover_id=cover.cover_id, currency=cover.currency)

    def _list(self, operation: str) -> Callable[[Part, int], Answer]:
        def ask(part: Part, page: int) -> Answer:
            query = {
                "policyId": part.policy_id,
                "businessUnitCode": part.business_unit,
                "pageSize": str(self._desk.size),
                "page": str(page),
            }
            return self._client.get(operation, "covers_v2", query)

        return ask


Limits.versions = {"2": LimitsV2, "3": LimitsV3}


def read_job_id(answer: Answer) -> str:
    """The job's id: the whole body, bare or as JSON, or its member ``jobId``."""
    text = answer.content.decode("utf-8", "replace").strip()
    if BARE_ID.fullmatch(text):
        return text
    return answer.read(
        lambda node: (node["jobId"] if isinstance(node.value, dict) else Node(node.value, "jobId")).identifier()
    )


def last_segment(address: str) -> str:
    """What a path ends in: the id of what lies there."""
    try:
        path = urllib.parse.urlsplit(address).path
    except ValueError:
        return ""  # no address: it will not be followed
    return urllib.parse.unquote(path.rstrip("/").rpartition("/")[2])


def _is_as_asked(cover: Cover, request: CoverRequest) -> bool:
    if cover.status not in STANDING:
        return False
    if request.product is CoverProduct.GRADE_COVER:
        return cover.raw_code.upper() == BY_GRADE
    return cover.amount == request.amount and cover.currency == request.currency
