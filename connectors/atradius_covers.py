"""Covers at Atradius: the portfolio, and requests from their sending to their answer.

The interface has no call for one cover, only lists per policy and buyer: what is undecided (``applications``), decided
and ended. A request is found there by our reference, or by the number it was given.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from . import atradius_reading as reading
from .atradius_client import Client
from .atradius_requests import COVER_TYPES, Ticket, cover_body
from .calls import Answer
from .errors import ConfigurationError, ConnectorError, RejectedByInsurer, UnexpectedResponse
from .jsondoc import Node, encode
from .messages import Cover, CoverRequest, CoverRequestKind, CoverRequestState, CoverStatus, Page, RequestStatus

Value = TypeVar("Value")

ALREADY_THERE = "already exists"
REFUSED = "refused"
REFERRED = 202
GRANTED = (RequestStatus.APPROVED, RequestStatus.PARTIAL)
NOTHING = (CoverStatus.REFUSED, CoverStatus.REQUESTED, CoverStatus.WITHDRAWN, CoverStatus.EXPIRED)
FIND = "find_cover_request"
CANCELLING = "C"
JUST_NOW = timedelta(days=2)  # a day, and what clocks and time zones differ
LISTS = ("applications", "decisions", "historic")  # in this order: what is undecided is not yet what was decided


class CoverDesk:
    def __init__(self, client: Client) -> None:
        self._client = client

    # --- Portfolio ----------------------------------------------------------------------------------------------

    def portfolio(self, policy_number: str) -> Page[Cover]:
        standing = self._covers("covers", policy_number)
        if not self._client.reads_ended_covers:
            return standing
        ended = self._covers("historic", policy_number)
        unread = (*standing.unread, *ended.unread)
        # Whose entry cannot be read may have cover that stands.
        taken = {cover.buyer_id for cover in standing.items if cover.status is not CoverStatus.REQUESTED}
        taken |= {entry.buyer_id for entry in unread}
        last: dict[str, Cover] = {}
        for cover in ended.items if "" not in taken else ():
            if cover.buyer_id not in taken and _ended_after(cover, last.get(cover.buyer_id)):
                last[cover.buyer_id] = cover
        return Page((*standing.items, *(_ended(cover) for cover in last.values())), unread=unread)

    def _covers(self, name: str, policy_number: str) -> Page[Cover]:
        answer = self._client.get("cover_page", name, self._client.of_policy(policy_number))
        covers, unread = answer.read_each(reading.rows, reading.cover, buyer=reading.buyer_of, number=reading.cover_of)
        return Page(tuple(cover for cover in covers if cover), unread=unread)

    # --- Asking -------------------------------------------------------------------------------------------------

    def request(self, request: CoverRequest) -> CoverRequestState:
        method = "POST" if request.kind is CoverRequestKind.NEW else "PUT"
        try:
            body = cover_body(request, self._client.customer_id, with_cover_id=self._client.sends_cover_id)
        except ValueError as exc:
            message = f"buyer {request.buyer_id!r} or cover {request.cover_id!r} is no number of Atradius"
            raise ConfigurationError(message, insurer=self._client.insurer) from exc
        try:
            answer = self._client.write("request_cover", method, "covers", encode(body))
        except RejectedByInsurer as refusal:
            known = self._already_there(request) if ALREADY_THERE in refusal.words.lower() else None
            if known is None:
                raise
            return replace(known, duplicate=True)
        return self._answered(request, answer)

    def _answered(self, request: CoverRequest, answer: Answer) -> CoverRequestState:
        cover_id, response = answer.read(_receipt)
        refused = REFUSED in response.lower()
        about = {"insurer": self._client.insurer, "request_id": answer.request_id}
        if not cover_id and refused:
            raise RejectedByInsurer(code="", words=response, status=answer.status, **about)
        if not cover_id:
            raise UnexpectedResponse("no cover number came back", field="data.coverId", **about)
        waiting = self._waiting(request, cover_id, answer.status)
        if answer.status == REFERRED and not refused:
            return waiting
        decision = self._decision(request, cover_id)
        if not refused:
            return decision or waiting
        words = decision.words if decision and decision.status is RequestStatus.REFUSED else response
        return replace(decision or waiting, status=RequestStatus.REFUSED, amount=None, words=words)

    def _waiting(self, request: CoverRequest, cover_id: str, status: int) -> CoverRequestState:
        """Taken, and its decision not read yet."""
        return CoverRequestState(
            request_id=str(Ticket.of(request, cover_id)),
            reference=request.reference,
            status=RequestStatus.PENDING,
            raw_code=reading.REFERRED if status == REFERRED else reading.DECIDED,
            received_at=self._client.transport.hooks.now(),
            currency=request.currency,
            buyer_id=request.buyer_id,
            cover_id=cover_id,
        )

    def _decision(self, request: CoverRequest, cover_id: str) -> CoverRequestState | None:
        """The decision that was made at once. What was written is written: when it cannot be read now, it is later."""
        try:
            found = self._state("request_cover", Ticket.of(request, cover_id))
        except ConnectorError:
            return None
        return found and replace(found, reference=request.reference)

    # --- Asking how it stands -----------------------------------------------------------------------------------

    def state_of(self, request_id: str) -> CoverRequestState:
        try:
            ticket = Ticket.read(request_id)
        except ValueError as exc:
            message = f"{request_id!r} is not the id of a request"
            raise ConfigurationError(message, insurer=self._client.insurer) from exc
        found = self._state("cover_request_state", ticket)
        if found is None:
            message = f"cover {ticket.cover_id} is in none of the insurer's lists"
            raise UnexpectedResponse(message, insurer=self._client.insurer, field="data")
        return found

    def _state(self, operation: str, ticket: Ticket) -> CoverRequestState | None:
        def read(row: Node) -> CoverRequestState | None:
            same = row["coverId"].identifier() == ticket.cover_id
            return reading.request_state(row, ticket.kind, str(ticket)) if same else None

        for name in LISTS:
            if found := next(self._of_buyer(operation, name, ticket.policy_number, ticket.buyer_id, read), None):
                return found
        return None

    def undecided(self, policy_number: str) -> Page[CoverRequestState]:
        """What is asked for is not told there: a request for less, or for none, has another id here than when it was
        sent; our reference or the number of the cover tells that it is the same."""
        answer = self._client.get("cover_request_page", "applications", self._client.of_policy(policy_number))
        states, unread = answer.read_each(reading.rows, _application, buyer=reading.buyer_of, number=reading.cover_of)
        return Page(states, unread=unread)

    # --- Asking whether it arrived ------------------------------------------------------------------------------

    def find(self, request: CoverRequest) -> CoverRequestState | None:
        """By our reference in any of the lists; else, where a list gives no references back, what can only be ours."""
        nameless: list[CoverRequestState] = []
        for name in LISTS:
            for state in self._candidates(name, request):
                if state.reference == request.reference:
                    return state
                if name == "applications" or (name == "decisions" and self._is_fresh(state)):
                    nameless.append(state)
        if request.kind is CoverRequestKind.CANCEL:
            nameless.extend(self._cancellation(request))
        return replace(nameless[0], reference=request.reference) if nameless else None

    def _is_fresh(self, state: CoverRequestState) -> bool:
        """Granted just now: whoever asked for it, to ask for the same again would be pointless."""
        return state.status in GRANTED and state.received_at >= self._client.transport.hooks.now() - JUST_NOW

    def _cancellation(self, request: CoverRequest) -> list[CoverRequestState]:
        """The cover on its way to its end, or at it. References do not count: an ended cover may carry an older one."""
        state = _reads(_same_product, request)

        def standing(row: Node) -> tuple[CoverRequestState, bool] | None:
            cover, found = reading.cover(row), state(row)
            if cover is None or found is None or cover.status in NOTHING:
                return None
            return found, reading.text(row["pendingProcessIndicator"]).upper() == CANCELLING

        covers = list(self._of_buyer(FIND, "decisions", request.policy_number, request.buyer_id, standing))
        if covers:
            return [found for found, leaving in covers if leaving]
        ended = self._of_buyer(FIND, "historic", request.policy_number, request.buyer_id, state)
        return [found for found in ended if found.status in GRANTED]

    def _already_there(self, request: CoverRequest) -> CoverRequestState | None:
        """What the insurer means when it says that there is cover already, if that can be ours: this very request, or a
        standing decision on the same amount under no reference."""
        found = self.find(request)
        if found is None:
            decided = self._candidates("decisions", request)
            found = next((state for state in decided if state.status in GRANTED), None)
        return found and replace(found, reference=request.reference)

    def _candidates(self, name: str, request: CoverRequest) -> Iterator[CoverRequestState]:
        wanted = _may_be if name == "applications" else _may_be_decided
        return self._of_buyer(FIND, name, request.policy_number, request.buyer_id, _reads(wanted, request))

    def _of_buyer(
        self, operation: str, name: str, policy_number: str, buyer_id: str, read: Callable[[Node], Value | None]
    ) -> Iterator[Value]:
        answer = self._client.get(operation, name, self._client.of_policy(policy_number, buyerId=buyer_id))
        return iter(answer.read(lambda node: [value for row in _rows_of(node, buyer_id) if (value := read(row))]))


def _rows_of(node: Node, buyer_id: str) -> Iterable[Node]:
    """Should the filter not have been applied, it is applied here."""
    return (row for row in reading.rows(node) if row["buyerId"].identifier() == buyer_id)


def _reads(
    wanted: Callable[[Node, CoverRequest], bool], request: CoverRequest
) -> Callable[[Node], CoverRequestState | None]:
    def read(row: Node) -> CoverRequestState | None:
        ticket = Ticket.of(request, row["coverId"].identifier())
        return reading.request_state(row, request.kind, str(ticket)) if wanted(row, request) else None

    return read


def _receipt(node: Node) -> tuple[str, str]:
    row = reading.only(node)
    return reading.text(row["coverId"]), reading.text(row["response"])


def _application(row: Node) -> CoverRequestState:
    cover_id, policy, buyer = (row[name].identifier() for name in ("coverId", "policyId", "buyerId"))
    kind = CoverRequestKind.NEW
    return reading.request_state(row, kind, str(Ticket(cover_id, policy, buyer, kind)))


def _may_be(row: Node, request: CoverRequest) -> bool:
    """Whether this row can be our request: under our reference; or under none, for the same kind of cover and, as far
    as it is told, the same amount."""
    reference = reading.text(row["customerRefNumber"])
    if reference:
        return reference == request.reference
    asked = reading.applied(row)
    if request.kind is CoverRequestKind.CANCEL:
        return asked is None and _same_product(row, request)
    same_money = reading.text(row["policyCurrencyCode"]) in ("", request.currency)
    same_amount = asked is None or request.amount is None or not same_money or asked == request.amount
    return _same_product(row, request) and same_amount


def _may_be_decided(row: Node, request: CoverRequest) -> bool:
    """The same, where an amount that is not told proves nothing."""
    told = reading.text(row["customerRefNumber"]) or reading.applied(row) is not None
    return bool(told) and _may_be(row, request)


def _same_product(row: Node, request: CoverRequest) -> bool:
    return reading.text(row["coverType"]) in ("", COVER_TYPES.get(request.product))


def _ended(cover: Cover) -> Cover:
    """A cover of the list of ended ones. One that tells no end reads like one that stands, which it does not."""
    return cover if cover.status in NOTHING else replace(cover, status=CoverStatus.UNKNOWN)


def _ended_after(cover: Cover, other: Cover | None) -> bool:
    return other is None or _end(cover) > _end(other)


def _end(cover: Cover) -> tuple[str, str]:
    return str(cover.effective_to or ""), str(cover.decided_on or "")
