"""Allianz Trade's interface: token, companies, cover of versions 3 and 2, jobs, payment overdues.

Below ``/allianz_trade``:

| call | answer |
|---|---|
| ``POST /v1/idp/oauth2/authorize`` ``{"apiKey"}`` | ``{"access_token", "token_type", "expires_in"}`` |
| ``POST /search/v2/companies/advancedSearch`` · ``/matching`` | ``{"results": [{"company"}]}`` |
| ``POST /company-referential/v1/companies/list`` a list of ids | ``{"companies"}`` |
| ``POST /riskinfo/v3/covers`` · ``/riskinfo/v2/covers`` | 202 and the id of a job |
| ``GET  /riskinfo/v3/jobs/{id}`` | ``{"jobStatusCode", "resourceUrl"?}`` |
| ``GET  /riskinfo/v3/covers/{id}`` | one cover |
| ``POST /riskinfo/v3/covers/search`` · ``/coverRequests/search`` | a list, by numbered pages |
| ``GET  /riskinfo/v2/covers`` | 206 and a list |
| ``POST`` and ``GET ?customerReference`` ``/payment-overdues/v1/overdues`` | 202 and the id of a job · a list |

A job is pending for ``POLLS`` questions, until its request is decided, or until it is told to be processed:
``POST /_control/allianz_trade/jobs/{id}/process``.

Invented, as no source shows it: everything of the overdues but their three codes; the codes of ``CODES`` but
``Agreement`` and ``CheckPolicy``; that a grade is told for every cover; the header with the total; currency, last day,
requested amount and words of a decision; the body of a call back, and that any header may hold the wish for one.
"""

import base64
import hmac
import json
import uuid
from collections.abc import Callable
from typing import Any

from . import webhooks
from .allianz_trade_shapes import OWN_TYPE, Shapes, cover_key, overdue_body, overdue_kind, request_body
from .book import Book
from .checks import check_cover_request, check_extension, check_invoices, check_plan
from .store import Row
from .submissions import Event, number
from .web import Answer, Handler, Refusal, Request, Router, json_answer

TOKEN_SECONDS = 3600
POLLS = 1
TOTAL = "X-Total-Count"
OVERDUE_CHECKS = {"overdue": check_invoices, "extension": check_extension, "plan": check_plan}


class AllianzTrade:
    """:param api_key: the only key that is accepted."""

    prefix = "/allianz_trade"

    def __init__(self, book: Book, api_key: str, token_seconds: int = TOKEN_SECONDS) -> None:
        self._book = book
        self._api_key = api_key
        self._token_seconds = token_seconds
        self._shapes = Shapes(book)
        self._polls: dict[str, int] = {}

    def mount(self, router: Router) -> None:
        router.add("POST", f"{self.prefix}/v1/idp/oauth2/authorize", self._authorize)
        for method, path, handler in (
            ("POST", "/search/v2/companies/advancedSearch", self._search),
            ("POST", "/search/v2/companies/matching", self._search),
            ("POST", "/company-referential/v1/companies/list", self._companies),
            ("POST", "/riskinfo/v3/covers", self._request),
            ("POST", "/riskinfo/v2/covers", self._request),
            ("GET", "/riskinfo/v2/covers", self._covers_v2),
            ("POST", "/riskinfo/v3/covers/search", self._covers),
            ("POST", "/riskinfo/v3/coverRequests/search", self._pending),
            ("GET", "/riskinfo/v3/covers/{cover}", self._cover),
            ("GET", "/riskinfo/v3/jobs/{job}", self._job),
            ("POST", "/payment-overdues/v1/overdues", self._overdue),
            ("GET", "/payment-overdues/v1/overdues", self._overdues),
        ):
            router.add(method, f"{self.prefix}{path}", self._with_token(handler))
        router.add("POST", f"/_control{self.prefix}/jobs/{{job}}/process", self._process)

    # --- Rights -------------------------------------------------------------------------------------------------

    def _authorize(self, request: Request) -> Answer:
        key = request.members().get("apiKey")
        if not isinstance(key, str) or not hmac.compare_digest(key.encode(), self._api_key.encode()):
            raise Refusal(401, "bad_api_key", "The API key is not known")
        token = self._book.issue_token(self._token_seconds)
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": self._token_seconds})

    def _with_token(self, handler: Callable[..., Answer]) -> Handler:
        def guarded(request: Request, **names: str) -> Answer:
            scheme, _space, token = request.headers.get("authorization", "").partition(" ")
            if scheme != "Bearer" or not self._book.accepts_token(token):
                raise Refusal(401, "bad_token", "The token is missing, unknown or used up")
            return handler(request, **names)

        return guarded

    # --- Companies ----------------------------------------------------------------------------------------------

    def _search(self, request: Request) -> Answer:
        wanted = request.members()
        if not isinstance(wanted.get("countryCode"), str):
            raise Refusal(400, "bad_query", "countryCode is missing")
        query: Row = {
            "name": wanted.get("companyName"),
            "country": wanted["countryCode"],
            "address": {"city": wanted.get("town")},
        }
        found = [self._book.search({**query, **numbers}) for numbers in _numbers(wanted)]
        companies = {buyer["buyer_id"]: buyer for _score, buyer in sum(found, [])}
        return json_answer({"results": [{"company": self._shapes.company(buyer)} for buyer in companies.values()]})

    def _companies(self, request: Request) -> Answer:
        wanted = _list(request.body)
        marks = ", ".join("?" for _id in wanted)
        buyers = self._book.store.rows(f"SELECT * FROM buyer WHERE buyer_id IN ({marks})", *map(str, wanted))
        return json_answer({"companies": [self._shapes.company(buyer, identifiers=True) for buyer in buyers]})

    # --- Cover --------------------------------------------------------------------------------------------------

    def _request(self, request: Request) -> Answer:
        body = request_body(self._book, request.members())
        reference = f"AT-{uuid.uuid4()}"
        submission, _known = self._book.submit(
            "cover_request", {"reference": reference, **body}, lambda row: check_cover_request(self._book, row)
        )
        self._call_back(request)
        return json_answer(number(submission), 202)

    def _job(self, request: Request, job: str) -> Answer:
        submission = self._book.by_number("cover_request", job)
        asked = self._polls[job] = self._polls.get(job, 0) + 1
        told = json.loads(submission["outcome"]).get("processed")
        if submission["status"] == "PENDING" and asked <= POLLS and not told:
            return json_answer({"jobStatusCode": "pending"})
        address = f"http://{request.headers['host']}{self.prefix}/riskinfo/v3/covers/{cover_key(submission)}"
        return json_answer({"jobStatusCode": "PROCESSED", "resourceUrl": address})

    def _process(self, _request: Request, job: str) -> Answer:
        submission = self._book.by_number("cover_request", job)
        outcome = json.dumps({**json.loads(submission["outcome"]), "processed": True})
        self._book.store.run("UPDATE submission SET outcome = ? WHERE id = ?", outcome, submission["id"])
        return json_answer({"done": True})

    def _cover(self, _request: Request, cover: str) -> Answer:
        shape = self._shapes.single(cover)
        if shape is None:
            raise Refusal(404, "cover_unknown", f"We know no cover {cover}")
        return json_answer(shape)

    def _covers(self, request: Request) -> Answer:
        policies, offset, size = self._list_of(request)
        rows, total = self._shapes.page(policies, offset, size)
        return json_answer([self._shapes.listed(row) for row in rows], 200, **{TOTAL: str(total)})

    def _pending(self, request: Request) -> Answer:
        policies, offset, size = self._list_of(request)
        if request.members().get("requestStatusCode") != "InProgress":
            raise Refusal(400, "bad_status", "Ask for those InProgress")
        waiting = [row for policy in policies for row in self._book.pending_page(policy, 0, 10**6)[0]]
        page = [self._shapes.pending(row) for row in waiting[offset : offset + size]]
        return json_answer(page, 200, **{TOTAL: str(len(waiting))})

    def _list_of(self, request: Request) -> tuple[list[str], int, int]:
        """Policies, how many entries to pass over, how many to give."""
        body = request.members()
        paging = body.get("pagination")
        parts = body.get("policies")
        if not isinstance(paging, dict) or not isinstance(parts, list) or not parts:
            raise Refusal(400, "bad_query", "policies or pagination are missing")
        policies = [self._book.policy(str(part.get("policyId")))["policyNumber"] for part in parts]
        page, size = paging.get("page"), paging.get("pageSize")
        if not isinstance(page, int) or not isinstance(size, int) or page < 1 or not 1 <= size <= 10_000:
            raise Refusal(400, "bad_page", "page begins with 1, pageSize runs from 1 to 10000")
        return policies, (page - 1) * size, size

    def _covers_v2(self, request: Request) -> Answer:
        policy = self._book.policy(request.query.get("policyId", ""))["policyNumber"]
        if not request.query.get("businessUnitCode"):
            raise Refusal(400, "bad_query", "businessUnitCode is missing")
        if "companyId" in request.query:
            shapes = self._shapes.of_company_v2(policy, request.query["companyId"])
            return json_answer(shapes)
        page, size = request.query.get("page", "1"), request.query.get("pageSize", "100")
        if not page.isdecimal() or not size.isdecimal() or int(page) < 1 or int(size) < 1:
            raise Refusal(400, "bad_page", "page and pageSize are numbers from 1 on")
        return json_answer(self._shapes.page_v2(policy, (int(page) - 1) * int(size), int(size)), 206)

    # --- Overdues -----------------------------------------------------------------------------------------------

    def _overdue(self, request: Request) -> Answer:
        members = request.members()
        kind, body = overdue_kind(members), overdue_body(members)
        check = OVERDUE_CHECKS[kind]
        submission, known = self._book.submit(kind, body, lambda row: check(self._book, row))
        if known:
            raise Refusal(409, "reference_used", f"{body['reference']} is {number(submission)}")
        self._call_back(request)
        return json_answer(number(submission), 202)

    def _overdues(self, request: Request) -> Answer:
        reference = request.query.get("customerReference", "")
        rows = [self._book.by_reference(kind, reference) for kind in OVERDUE_CHECKS]
        return json_answer([self._shapes.overdue(row) for row in rows if row])

    # --- Calls back ---------------------------------------------------------------------------------------------

    def _call_back(self, request: Request) -> None:
        """Remember where to call, when a header asks for it."""
        for value in request.headers.values():
            try:
                wish = json.loads(base64.b64decode(value, validate=True))
            except ValueError:
                continue
            if isinstance(wish, dict) and isinstance(wish.get("callbackUrl"), str):
                webhooks.register(self._book.store, wish["callbackUrl"], interface="allianz_trade")


def in_words(event: Event) -> bytes | None:
    if event.kind not in ("COVER_REQUEST_DECIDED", "COVER_CHANGED", "GRADE_CHANGED"):
        return None
    return json.dumps({"jobId": event.request_id or None, "companyId": event.buyer_id or None}).encode()


webhooks.WORDINGS["allianz_trade"] = in_words


def _numbers(wanted: Row) -> list[Row]:
    """What to search by besides the name: nothing, or each number, of the policyholder's or as either other kind."""
    found: list[Row] = []
    for entry in wanted.get("companyIdentifiers") or []:
        value, is_own = str(entry.get("idValue")), entry.get("idTypeCode") == OWN_TYPE
        found.append({"ownReference": value} if is_own else {"vatNumber": value, "registrationNumber": value})
    return found or [{}]


def _list(body: bytes) -> list[Any]:
    try:
        members = json.loads(body)
    except ValueError as exc:
        raise Refusal(400, "bad_json", f"The body is not JSON: {exc}") from exc
    if not isinstance(members, list) or not members or len(members) > 500:
        raise Refusal(400, "bad_list", "The body must be a list of 1 to 500 ids")
    return members
