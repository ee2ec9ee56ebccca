"""The insurer's REST interface: paths, JSON shapes, rights. What the connector ``sandbox`` speaks.

| call | answer |
|---|---|
| ``POST /v1/idp/oauth2/authorize`` ``{"apiKey"}`` | ``{"access_token", "token_type", "expires_in"}`` |
| ``POST /v1/buyers/search`` | ``{"results": [{"buyer", "score"}]}`` |
| ``POST /v1/grades/search`` ``{"buyerIds"}`` | ``{"grades": […]}`` |
| ``GET /v1/covers?policyNumber&pageSize&pageToken`` | ``{"covers", "nextPageToken", "total"}`` |
| ``POST /v1/cover-requests`` · ``/v1/overdues`` · ``/v1/claims`` | 201, or 200 with ``"duplicate": true`` |
| ``GET`` on these ``?reference=`` | a list of none or one |
| ``GET /v1/cover-requests/{id}`` · ``/v1/claims/{number}`` | one |
| ``GET /v1/policies/{number}`` | the contract |
"""

import hmac
import json
import re
import urllib.parse
from collections.abc import Callable
from decimal import Decimal

from .book import Book, money, number
from .store import Row
from .web import Answer, Handler, Refusal, Request, Router, json_answer

SCALE = "SANDBOX-10"  # 1 best to 10 worst, as Allianz Trade's
TOKEN_SECONDS = 3600


class Api:
    """:param api_key: the only key that is accepted."""

    def __init__(self, book: Book, api_key: str, token_seconds: int = TOKEN_SECONDS) -> None:
        self._book = book
        self._api_key = api_key
        self._token_seconds = token_seconds

    def mount(self, router: Router) -> None:
        router.add("POST", "/v1/idp/oauth2/authorize", self._authorize)
        for method, pattern, handler in (
            ("POST", "/v1/buyers/search", self._search),
            ("POST", "/v1/grades/search", self._grades),
            ("GET", "/v1/covers", self._covers),
            ("GET", "/v1/policies/{policy}", self._policy),
            ("GET", "/v1/cover-requests/{name}", lambda _request, name: self._one("cover_request", name)),
            ("GET", "/v1/claims/{name}", lambda _request, name: self._one("claim", name)),
        ):
            router.add(method, pattern, self._with_token(handler))
        for path, kind, check in (
            ("cover-requests", "cover_request", self._check_cover_request),
            ("overdues", "overdue", self._check_invoices),
            ("claims", "claim", self._check_claim),
        ):
            router.add("POST", f"/v1/{path}", self._with_token(self._submit(kind, check)))
            router.add("GET", f"/v1/{path}", self._with_token(self._find(kind)))

    # --- Rights -------------------------------------------------------------------------------------------------

    def _authorize(self, request: Request) -> Answer:
        key = request.members().get("apiKey")
        if not isinstance(key, str) or not hmac.compare_digest(key.encode(), self._api_key.encode()):
            raise Refusal(401, "bad_api_key", "The API key is not known")
        token = self._book.issue_token(self._token_seconds)
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": self._token_seconds})

    def _with_token(self, handler: Handler) -> Handler:
        def guarded(request: Request, **names: str) -> Answer:
            scheme, _space, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not self._book.accepts_token(token):
                raise Refusal(401, "bad_token", "The token is missing, unknown or used up")
            return handler(request, **names)

        return guarded

    # --- Reading ------------------------------------------------------------------------------------------------

    def _search(self, request: Request) -> Answer:
        wanted = request.members()
        if not isinstance(wanted.get("country"), str):
            raise Refusal(422, "bad_query", "country is missing")
        found = self._book.search(wanted)
        return json_answer({"results": [{"score": score, "buyer": _buyer(buyer)} for score, buyer in found]})

    def _grades(self, request: Request) -> Answer:
        ids = request.members().get("buyerIds")
        if not isinstance(ids, list):
            raise Refusal(422, "bad_query", "buyerIds must be a list")
        histories = ((str(buyer_id), self._book.grades(str(buyer_id))) for buyer_id in ids)
        return json_answer({"grades": [_grade(buyer_id, history) for buyer_id, history in histories if history]})

    def _covers(self, request: Request) -> Answer:
        policy = self._book.policy(request.query.get("policyNumber", ""))
        after, size = request.query.get("pageToken", "0"), request.query.get("pageSize", "100")
        if not re.fullmatch(r"[0-9]{1,15}", after) or not re.fullmatch(r"[1-9][0-9]{0,3}", size):
            raise Refusal(422, "bad_page", "pageToken is not ours, or pageSize is not between 1 and 9999")
        covers, total = self._book.cover_page(policy["policyNumber"], int(after), int(size) + 1)
        page = covers[: int(size)]
        more = str(page[-1]["id"]) if len(covers) > len(page) else None
        return json_answer({"covers": [_cover(cover) for cover in page], "nextPageToken": more, "total": total})

    def _policy(self, _request: Request, policy: str) -> Answer:
        return json_answer(self._book.policy(policy))

    def _one(self, kind: str, name: str) -> Answer:
        return json_answer(_submission(self._book.by_number(kind, name)))

    def _find(self, kind: str) -> Handler:
        names = {"cover_request": "coverRequests", "overdue": "overdues", "claim": "claims"}

        def find(request: Request) -> Answer:
            if "reference" not in request.query:
                raise Refusal(422, "bad_query", "reference is missing")
            found = self._book.by_reference(kind, request.query["reference"])
            return json_answer({names[kind]: [_submission(found)] if found else []})

        return find

    # --- Writing ------------------------------------------------------------------------------------------------

    def _submit(self, kind: str, check: Callable[[Row], None]) -> Handler:
        def submit(request: Request) -> Answer:
            body = request.members()
            _require_texts(body, "reference", "policyNumber", "buyerId")
            if urllib.parse.unquote(request.headers.get("idempotency-key", "")) != body["reference"]:
                raise Refusal(400, "bad_idempotency_key", "The Idempotency-Key must be the reference")
            submission, duplicate = self._book.submit(kind, body, check)
            return json_answer({**_submission(submission), "duplicate": duplicate}, 200 if duplicate else 201)

        return submit

    def _check_parties(self, body: Row) -> Row:
        self._book.buyer(body["buyerId"])
        return self._book.policy(body["policyNumber"])

    def _check_cover_request(self, body: Row) -> None:
        _require_texts(body, "kind", "currency")
        policy = self._check_parties(body)
        if body["kind"] not in ("NEW", "INCREASE", "REDUCE", "CANCEL"):
            raise Refusal(422, "bad_kind", f"{body['kind']} is no kind of request")
        if body["currency"] != policy["currency"]:
            raise Refusal(422, "bad_currency", f"The policy is in {policy['currency']}")
        if body["kind"] != "CANCEL":
            money(body.get("amount"))
        pending = self._book.pending_request(body["policyNumber"], body["buyerId"])
        if pending:
            raise Refusal(409, "request_pending", f"{number(pending)} for this buyer is not decided yet")

    def _check_invoices(self, body: Row) -> None:
        self._check_parties(body)
        invoices = body.get("invoices")
        if not isinstance(invoices, list) or not invoices:
            raise Refusal(422, "no_invoices", "At least one invoice is needed")
        for invoice in invoices:
            _require_texts(invoice, "number", "issuedOn", "dueOn", "currency")
            money(invoice.get("openAmount"))

    def _check_claim(self, body: Row) -> None:
        self._check_invoices(body)
        _require_texts(body, "cause", "currency")
        policy = self._book.policy(body["policyNumber"])
        if body["currency"] != policy["currency"]:
            raise Refusal(422, "bad_currency", f"The policy is in {policy['currency']}")
        total = money(body.get("total"))
        same = [invoice for invoice in body["invoices"] if invoice["currency"] == body["currency"]]
        open_sum = sum((money(invoice["openAmount"]) for invoice in same), Decimal(0))
        if len(same) == len(body["invoices"]) and total != open_sum:
            raise Refusal(422, "bad_total", f"The invoices sum up to {open_sum}, not {total}")


def _require_texts(members: object, *names: str) -> None:
    for name in names:
        value = members.get(name) if isinstance(members, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise Refusal(422, "missing", f"{name} is missing")


# --- Shapes -----------------------------------------------------------------------------------------------------


def _buyer(buyer: Row) -> Row:
    return {
        "buyerId": buyer["buyer_id"],
        "name": buyer["name"],
        "country": buyer["country"],
        "vatNumber": buyer["vat_number"],
        "registrationNumber": buyer["registration_number"],
        "address": {"street": buyer["street"], "postalCode": buyer["postal_code"], "city": buyer["city"]},
    }


def _grade(buyer_id: str, history: list[Row]) -> Row:
    current = history[0]
    previous = history[1]["value"] if len(history) > 1 else None
    return {
        "buyerId": buyer_id,
        "value": current["value"],
        "scale": SCALE,
        "gradedOn": current["graded_on"],
        "previousValue": previous,
    }


def _cover(cover: Row) -> Row:
    return {
        "coverId": f"C{cover['id']:07d}",
        "buyerId": cover["buyer_id"],
        "policyNumber": cover["policy_number"],
        "statusCode": cover["status"],
        "amount": cover["amount"],
        "requestedAmount": cover["requested_amount"],
        "previousAmount": cover["previous_amount"],
        "currency": cover["currency"],
        "insuredPercentage": cover["insured_percentage"],
        "effectiveFrom": cover["effective_from"],
        "effectiveTo": cover["effective_to"],
        "decidedOn": cover["decided_on"],
        "announcements": json.loads(cover["announcements"]),
        "conditions": json.loads(cover["conditions"]),
    }


def _submission(submission: Row) -> Row:
    """What was sent, under the insurer's number and with what became of it."""
    name = {"claim": "claimNumber", "overdue": "noticeNumber", "cover_request": "requestId"}[submission["kind"]]
    return {
        **json.loads(submission["body"]),
        name: number(submission),
        "statusCode": submission["status"],
        "receivedAt": submission["received_at"],
        "updatedAt": submission["updated_at"],
        **json.loads(submission["outcome"]),
    }
