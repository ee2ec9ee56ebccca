"""Atradius' interface: token, buyers, ratings, covers, policy. Below ``/atradius``.

| call | answer |
|---|---|
| ``POST /authenticate/v2/tokens`` HTTP Basic, no body | ``{"data": {"access_token", "token_type", "expires_in"}}`` |
| ``GET  …/policies/details?policyId`` | one object; refuses other parameters |
| ``GET  …/buyers?country&uid&uidType`` · ``…/buyers/{id}`` | a list · one object |
| ``GET  …/buyers/my-buyers?customerId&policyId`` | who has a cover; ``buyerRatingUpdatedAfter``, ``…Before``, |
|  | ``healthChange`` |
| ``GET  …/covers`` · ``/applications`` · ``/decisions`` · ``/historic`` | lists, ``?customerId&policyId&buyerId`` |
| ``POST …/covers`` · ``PUT …/covers`` with ``action`` | 201 decided, 202 referred |

An application of up to ``AT_ONCE`` is decided at once, by the grade; so are a reduction and a cancellation. The rest
waits for the controls. Our reference does not make a repetition harmless. Anything that is no route is answered 403.

Invented, as no source shows it: which HTTP status goes with which refusal, the words of those that are not quoted in
the documentation, that a call without ``Atradius-Correlation-Id`` is refused, and that lists give our reference back.
"""

import base64
import hmac
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from .atradius_shapes import FIRST_REQUEST, LIVE, Shelf, buyer_shape
from .book import Book
from .decisions import decide
from .store import Row
from .submissions import number
from .web import Answer, Handler, Refusal, Request, Router, json_answer

CLIENT_ID = "demo-client"
APP_KEY = "demo-app-key"
TOKEN_SECONDS = 1800
AT_ONCE = Decimal(20_000)
WORST_AT_ONCE = 6
CREDIT_CHECK = "7000.00"

COVERS = "/credit-insurance/cover-management/v1/covers"
BUYERS = "/credit-insurance/organisation-management/v1/buyers"
UID_TYPES = ("VAT", "NRN", "CR", "DB", "FC", "SN", "TK")
KINDS = {"supersede": "INCREASE", "reduce": "REDUCE", "cancel": "CANCEL"}
PRODUCTS = {"credit-limit": "CREDIT_LIMIT", "credit-check": "CREDIT_CHECK"}
COUNTRIES = {
    **{"AUT": "AT", "AUS": "AU", "BEL": "BE", "BRA": "BR", "CAN": "CA", "CHE": "CH", "CHN": "CN", "CZE": "CZ"},
    **{"DEU": "DE", "DNK": "DK", "ESP": "ES", "FIN": "FI", "FRA": "FR", "GBR": "GB", "GRC": "GR", "HUN": "HU"},
    **{"IND": "IN", "IRL": "IE", "ITA": "IT", "JPN": "JP", "KOR": "KR", "LUX": "LU", "MEX": "MX", "NLD": "NL"},
    **{"NOR": "NO", "POL": "PL", "PRT": "PT", "ROU": "RO", "SWE": "SE", "TUR": "TR", "USA": "US", "ZAF": "ZA"},
}

ALREADY_THERE = "Credit limit/credit check already exists for this buyer."
BAD_AMOUNT = "Must be positive number greater than zero and a multiple of 1000."
CANNOT_SUPERSEDE = "New Application cannot supersede existing cover"


class Atradius:
    """:param api_key: the client secret; client id and application key are ``CLIENT_ID`` and ``APP_KEY``."""

    prefix: ClassVar[str] = "/atradius"

    def __init__(self, book: Book, api_key: str, token_seconds: int = TOKEN_SECONDS) -> None:
        self._book = book
        self._secret = api_key
        self._token_seconds = min(token_seconds, TOKEN_SECONDS)

    def mount(self, router: Router) -> None:
        router.add("POST", f"{self.prefix}/authenticate/v2/tokens", _in_words(self._token))
        routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/credit-insurance/policy-management/v1/policies/details", self._policy),
            ("GET", BUYERS, self._buyers),
            ("GET", f"{BUYERS}/my-buyers", self._ratings),
            ("GET", f"{BUYERS}/{{buyer}}", self._buyer),
            ("GET", COVERS, self._list(Shelf.covers)),
            ("GET", f"{COVERS}/applications", self._list(Shelf.applications)),
            ("GET", f"{COVERS}/decisions", self._list(Shelf.decisions)),
            ("GET", f"{COVERS}/historic", self._list(Shelf.historic)),
            ("POST", COVERS, self._apply),
            ("PUT", COVERS, self._change),
        )
        for method, path, handler in routes:
            router.add(method, self.prefix + path, _in_words(self._with_token(handler)))
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            router.add(method, f"{self.prefix}/.*", _in_words(_no_route))

    # --- Rights -------------------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Answer:
        self._check_headers(request)
        wanted = base64.b64encode(f"{CLIENT_ID}:{self._secret}".encode()).decode()
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Basic {wanted}".encode()):
            raise Refusal(401, "", "Invalid client credentials")
        if request.body:
            raise Refusal(400, "", "The body must be empty")
        token = self._book.issue_token(self._token_seconds)
        return _data({"access_token": token, "token_type": "Bearer", "expires_in": self._token_seconds})

    def _with_token(self, handler: Handler) -> Handler:
        def guarded(request: Request, **names: str) -> Answer:
            self._check_headers(request)
            scheme, _space, token = request.headers.get("authorization", "").partition(" ")
            if scheme != "Bearer" or not self._book.accepts_token(token):
                raise Refusal(401, "", "Invalid access token")
            return handler(request, **names)

        return guarded

    def _check_headers(self, request: Request) -> None:
        if request.headers.get("atradius-app-key") != APP_KEY:
            raise Refusal(401, "Atradius-App-Key", "Unknown application")
        try:
            uuid.UUID(request.headers.get("atradius-correlation-id", ""))
        except ValueError as exc:
            raise Refusal(400, "Atradius-Correlation-Id", "Must be a UUID") from exc

    # --- Reading ------------------------------------------------------------------------------------------------

    def _policy(self, request: Request) -> Answer:
        for name in request.query:
            if name != "policyId":
                raise Refusal(400, name, "Unknown query parameter")
        policy = self._book.policy(request.query.get("policyId", ""))
        return _data(
            {
                "policyId": policy["policyNumber"],
                "policyStatus": "live",
                "policyStartDate": f"{policy['startsOn']}T00:00:00Z",
                "policyExpiryDate": f"{policy['endsOn']}T00:00:00Z" if policy["endsOn"] else "",
                "policyCurrency": policy["currency"],
            }
        )

    def _buyers(self, request: Request) -> Answer:
        country, uid, kind = (request.query.get(name, "") for name in ("country", "uid", "uidType"))
        if kind not in UID_TYPES:
            raise Refusal(400, "uidType", f"Must be one of {', '.join(UID_TYPES)}")
        column = "vat_number" if kind == "VAT" else "registration_number"
        bare = f"replace(replace({column}, ' ', ''), '-', '')"
        found = self._book.store.rows(
            f"SELECT * FROM buyer WHERE country = ? AND {column} != '' AND upper({bare}) = ?",
            *(COUNTRIES.get(country, ""), uid.upper()),
        )
        if not found:
            raise Refusal(404, "", "No buyer match found")
        return _data([buyer_shape(buyer, self._book.grades(buyer["buyer_id"])) for buyer in found])

    def _buyer(self, _request: Request, buyer: str) -> Answer:
        row = self._book.store.row("SELECT * FROM buyer WHERE buyer_id = ?", buyer)
        if row is None:
            raise Refusal(404, "", "No buyer match found")
        return _data(buyer_shape(row, self._book.grades(buyer)))

    def _ratings(self, request: Request) -> Answer:
        policy = self._asked_policy(request)
        after, before = (request.query.get(f"buyerRatingUpdated{name}", "") for name in ("After", "Before"))
        change = request.query.get("healthChange", "")
        rows = self._book.grade_page(policy["policyNumber"], after, 0, -1)
        found = []
        for grade in rows:
            day, moved = grade["graded_on"], _moved(grade)
            if (not after or day > after) and (not before or day < before) and change in ("", moved):
                buyer = self._book.buyer(grade["buyer_id"])
                found.append(buyer_shape(buyer, self._book.grades(grade["buyer_id"])))
        return _data(found)

    def _list(self, rows: Callable[[Shelf], list[Row]]) -> Handler:
        def listed(request: Request) -> Answer:
            policy = self._asked_policy(request)
            shelf = Shelf(self._book, policy["policyNumber"], request.query.get("buyerId", ""))
            kind = request.query.get("coverType", "")
            return _data([row for row in rows(shelf) if kind in ("", row["coverType"])])

        return listed

    def _asked_policy(self, request: Request) -> Row:
        if not request.query.get("customerId", "").isdigit():
            raise Refusal(400, "customerId", "Must be a number")
        return self._book.policy(request.query.get("policyId", ""))

    # --- Writing ------------------------------------------------------------------------------------------------

    def _apply(self, request: Request) -> Answer:
        body = request.members()
        with self._book.store.transaction():
            policy, buyer_id = self._parties(body)
            if self._stands(policy, buyer_id) or self._book.pending_request(policy["policyNumber"], buyer_id):
                raise Refusal(422, "", ALREADY_THERE)
            return self._take_in(body, policy, buyer_id, "NEW")

    def _change(self, request: Request) -> Answer:
        body = request.members()
        if body.get("action") not in KINDS:
            raise Refusal(400, "action", f"Must be one of {', '.join(KINDS)}")
        with self._book.store.transaction():
            policy, buyer_id = self._parties(body)
            if not self._stands(policy, buyer_id):
                raise Refusal(404, "", "No cover found")
            if self._book.pending_request(policy["policyNumber"], buyer_id):
                raise Refusal(422, "", CANNOT_SUPERSEDE)
            return self._take_in(body, policy, buyer_id, KINDS[body["action"]])

    def _parties(self, body: Row) -> tuple[Row, str]:
        for name in ("customerId", "buyerId"):
            if not isinstance(body.get(name), int) or isinstance(body[name], bool):
                raise Refusal(400, name, "Must be a number")
        if body.get("coverType") not in PRODUCTS:
            raise Refusal(400, "coverType", f"Must be one of {', '.join(PRODUCTS)}")
        return self._book.policy(str(body.get("policyId", ""))), self._book.buyer(str(body["buyerId"]))["buyer_id"]

    def _stands(self, policy: Row, buyer_id: str) -> bool:
        cover = self._book.cover(policy["policyNumber"], buyer_id)
        return cover is not None and cover["status"] in LIVE and cover["status"] != "REFUSED"

    def _take_in(self, body: Row, policy: Row, buyer_id: str, kind: str) -> Answer:
        """Keep the application and decide it at once, if it is one of those."""
        amount = _amount(body, policy, kind)
        reference = str(body.get("customerRefNumber") or uuid.uuid4())
        taken = {
            "reference": self._unused(reference),
            "policyNumber": policy["policyNumber"],
            "buyerId": buyer_id,
            "kind": kind,
            "product": PRODUCTS[body["coverType"]],
            "amount": amount,
            "currency": policy["currency"],
            "coverType": body["coverType"],
            "customerRefNumber": reference,
        }
        request, _again = self._book.submit("cover_request", taken, lambda _body: None)
        decision = self._at_once(buyer_id, kind, amount)
        if decision:
            decide(self._book, number(request), decision)
        words = "Action has been refused." if decision == "REFUSED" else "Action successful"
        return _data([{"coverId": FIRST_REQUEST + request["id"], "response": words}], 201 if decision else 202)

    def _unused(self, reference: str) -> str:
        """The book takes a reference once; the insurer takes it as often as it comes."""
        again, unused = 1, reference
        while self._book.by_reference("cover_request", unused):
            again += 1
            unused = f"{reference} ({again})"
        return unused

    def _at_once(self, buyer_id: str, kind: str, amount: str | None) -> str:
        if kind in ("REDUCE", "CANCEL"):
            return "APPROVED"
        if amount is None or Decimal(amount) > AT_ONCE:
            return ""
        grades = self._book.grades(buyer_id)
        good = bool(grades) and grades[0]["value"].isdigit() and int(grades[0]["value"]) <= WORST_AT_ONCE
        return "APPROVED" if good else "REFUSED"


def _amount(body: Row, policy: Row, kind: str) -> str | None:
    if kind == "CANCEL":
        return None
    if body["coverType"] == "credit-check":
        return CREDIT_CHECK
    if body.get("currencyCode") != policy["currency"]:
        raise Refusal(400, "currencyCode", f"Must be {policy['currency']}")
    try:
        amount = Decimal(str(body.get("creditLimitAmount")))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0 or amount % 1000:
        raise Refusal(422, "creditLimitAmount", BAD_AMOUNT)
    return f"{amount:.2f}"


def _moved(grade: Row) -> str:
    """Up is the better one; the book's grades run from 1, best, to 10."""
    current, previous = str(grade["value"]), str(grade["previous_value"] or "")
    if not (current.isdigit() and previous.isdigit()) or current == previous:
        return "same"
    return "up" if int(current) < int(previous) else "down"


def _data(value: object, status: int = 200) -> Answer:
    return json_answer({"data": value}, status)


def _no_route(_request: Request) -> Answer:
    raise Refusal(403, "", "Forbidden")


def _in_words(handler: Handler) -> Handler:
    """Refusals in Atradius' form; what the book refuses names no parameter."""

    def worded(request: Request, **names: str) -> Answer:
        try:
            return handler(request, **names)
        except Refusal as refusal:
            parameter = refusal.code if "_" not in refusal.code else ""
            source = {"source": {"parameter": parameter}} if parameter else {}
            return json_answer({"errors": [{"detail": refusal.message, **source}]}, refusal.status)

    return worded
