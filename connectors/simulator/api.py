"""The insurer's REST interface: paths, JSON shapes, rights. What the connector ``sandbox`` speaks.

| call | answer |
|---|---|
| ``POST /v1/idp/oauth2/authorize`` ``{"apiKey"}`` | ``{"access_token", "token_type", "expires_in"}`` |
| ``POST /v1/buyers/search`` | ``{"results": [{"buyer", "score"}]}`` |
| ``POST /v1/grades/search`` ``{"buyerIds"}`` | ``{"grades": […]}`` |
| ``GET /v1/grades?policyNumber&since`` | ``{"grades", "nextPageToken"}`` |
| ``GET /v1/covers?policyNumber`` | ``{"covers", "nextPageToken", "total"}`` |
| ``GET /v1/cover-requests?policyNumber`` | the undecided ones; ``{"coverRequests", "nextPageToken", "total"}`` |
| ``GET /v1/notifications?since`` | ``{"notifications", "nextPageToken"}`` |
| ``POST`` on a collection of shapes.py | 201, or 200 with ``"duplicate": true`` |
| ``GET`` on these ``?reference=`` | a list of none or one |
| ``GET`` on these ``/{number}`` | one |
| ``GET /v1/policies/{number}`` | the contract |
| ``POST /v1/webhooks`` ``{"url", "secret"?}`` | 204; see webhooks.py |

Lists take ``pageSize`` and ``pageToken``.
"""

import hmac
import re
import urllib.parse
from typing import ClassVar

from . import webhooks
from .book import Book
from .checks import CHECKS, require_dates, require_texts, without_content
from .decisions import ask_for_number
from .declarations import LINES, receive
from .shapes import NAMES, buyer_shape, cover_shape, event_shape, grade_shape, submission_shape
from .store import Row
from .web import Answer, Handler, Refusal, Request, Router, json_answer

TOKEN_SECONDS = 3600


class Api:
    """:param api_key: the only key that is accepted."""

    prefix: ClassVar[str] = "/v1"

    def __init__(self, book: Book, api_key: str, token_seconds: int = TOKEN_SECONDS) -> None:
        self._book = book
        self._api_key = api_key
        self._token_seconds = token_seconds

    def mount(self, router: Router) -> None:
        router.add("POST", "/v1/idp/oauth2/authorize", self._authorize)
        for method, pattern, handler in (
            ("POST", "/v1/buyers/search", self._search),
            ("POST", "/v1/grades/search", self._grades),
            ("GET", "/v1/grades", self._grade_changes),
            ("GET", "/v1/covers", self._covers),
            ("GET", "/v1/notifications", self._notifications),
            ("GET", "/v1/policies/{policy}", self._policy),
            ("POST", "/v1/webhooks", self._subscribe),
        ):
            router.add(method, pattern, self._with_token(handler))
        for kind, (path, _list, _number) in NAMES.items():
            router.add("POST", f"/v1/{path}", self._with_token(self._submit(kind)))
            router.add("GET", f"/v1/{path}", self._with_token(self._find(kind)))
            router.add("GET", f"/v1/{path}/{{name}}", self._with_token(self._one(kind)))

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
        return json_answer({"results": [{"score": score, "buyer": buyer_shape(buyer)} for score, buyer in found]})

    def _grades(self, request: Request) -> Answer:
        ids = request.members().get("buyerIds")
        if not isinstance(ids, list):
            raise Refusal(422, "bad_query", "buyerIds must be a list")
        histories = (self._book.grades(str(buyer_id)) for buyer_id in ids)
        return json_answer({"grades": [_current(history) for history in histories if history]})

    def _grade_changes(self, request: Request) -> Answer:
        after, size = _page(request)
        policy = self._book.policy(request.query.get("policyNumber", ""))
        rows = self._book.grade_page(policy["policyNumber"], _since(request), after, size + 1)
        grades = [grade_shape(row, row["previous_value"]) for row in rows[:size]]
        return json_answer({"grades": grades, "nextPageToken": _more(rows, size)})

    def _covers(self, request: Request) -> Answer:
        after, size = _page(request)
        policy = self._book.policy(request.query.get("policyNumber", ""))
        rows, total = self._book.cover_page(policy["policyNumber"], after, size + 1)
        covers = [cover_shape(row) for row in rows[:size]]
        return json_answer({"covers": covers, "nextPageToken": _more(rows, size), "total": total})

    def _notifications(self, request: Request) -> Answer:
        after, size = _page(request)
        rows = self._book.event_page(_since(request), after, size + 1)
        events = [event_shape(row) for row in rows[:size]]
        return json_answer({"notifications": events, "nextPageToken": _more(rows, size)})

    def _policy(self, _request: Request, policy: str) -> Answer:
        return json_answer(self._book.policy(policy))

    def _one(self, kind: str) -> Handler:
        return lambda _request, name: json_answer(submission_shape(self._book.by_number(kind, name)))

    def _find(self, kind: str) -> Handler:
        _path, listed, _number = NAMES[kind]

        def find(request: Request) -> Answer:
            if kind == "cover_request" and "policyNumber" in request.query:
                return self._pending(request)
            if "reference" not in request.query:
                raise Refusal(422, "bad_query", "reference is missing")
            found = self._book.by_reference(kind, request.query["reference"])
            return json_answer({listed: [submission_shape(found)] if found else []})

        return find

    def _pending(self, request: Request) -> Answer:
        after, size = _page(request)
        policy = self._book.policy(request.query["policyNumber"])
        rows, total = self._book.pending_page(policy["policyNumber"], after, size + 1)
        requests = [submission_shape(row) for row in rows[:size]]
        return json_answer({"coverRequests": requests, "nextPageToken": _more(rows, size), "total": total})

    # --- Writing ------------------------------------------------------------------------------------------------

    def _submit(self, kind: str) -> Handler:
        def submit(request: Request) -> Answer:
            body = request.members()
            require_texts(body, "reference")
            if urllib.parse.unquote(request.headers.get("idempotency-key", "")) != body["reference"]:
                raise Refusal(400, "bad_idempotency_key", "The Idempotency-Key must be the reference")
            with self._book.store.transaction():
                submission, duplicate = self._take(kind, body)
                submission = submission if duplicate else self._work_on(kind, submission, body)
            return json_answer({**submission_shape(submission), "duplicate": duplicate}, 200 if duplicate else 201)

        return submit

    def _take(self, kind: str, body: Row) -> tuple[Row, bool]:
        def check(new: Row) -> None:
            CHECKS[kind](self._book, new)

        if kind == "document":
            return self._book.submit(kind, body, check, keep=without_content)
        return self._book.submit(kind, body, check)

    def _work_on(self, kind: str, submission: Row, body: Row) -> Row:
        """What the insurer does with a new submission at once."""
        if kind in LINES:
            return self._book.move(submission, submission["status"], **receive(self._book, kind, body))
        if kind == "overdue":
            return self._book.move(submission, "RECEIVED", fileNumber=f"F-{submission['id']:05d}")
        if kind == "collection":
            return self._book.move(submission, "RECEIVED", currency=body["invoices"][0]["currency"])
        if kind == "monitoring" and body.get("callbackUrl"):
            webhooks.register(self._book.store, body["callbackUrl"])
        if kind == "buyer_number":
            return ask_for_number(self._book, submission)
        return submission

    def _subscribe(self, request: Request) -> Answer:
        body = request.members()
        require_texts(body, "url")
        webhooks.register(self._book.store, body["url"], str(body.get("secret") or ""))
        return Answer(204)


def _current(history: list[Row]) -> Row:
    return grade_shape(history[0], history[1]["value"] if len(history) > 1 else None)


def _page(request: Request) -> tuple[int, int]:
    """The row after which the page begins, and its size."""
    after, size = request.query.get("pageToken", "0"), request.query.get("pageSize", "100")
    if not re.fullmatch(r"[0-9]{1,15}", after) or not re.fullmatch(r"[1-9][0-9]{0,3}", size):
        raise Refusal(422, "bad_page", "pageToken is not ours, or pageSize is not between 1 and 9999")
    return int(after), int(size)


def _more(rows: list[Row], size: int) -> str | None:
    return str(rows[size - 1]["id"]) if len(rows) > size else None


def _since(request: Request) -> str:
    since = {"since": request.query.get("since", "")}
    require_dates(since, "since")
    return since["since"]
