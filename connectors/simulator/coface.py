"""Coface's interfaces: the ICON Data API, and what is known of CofaServe. Below ``/coface``:

| call | answer |
|---|---|
| ``POST /authentication/v1/token`` ``{"username", "password", "grantType"}`` | ``{"idToken", …}`` |
| ``GET  /bi/icon-data/v1/companies`` | a list, ``?companyId``, ``?externalId``, ``?companyName``; ``&countryCode`` |
| ``POST …/publications/orders`` | 201 and an order |
| ``GET  …/publications/orders`` | a list, ``?id``, ``?companyId``, ``?externalId&countryCode`` |
| ``GET  …/publications`` ``?id&format`` or ``?deliveryId`` | a content; 202 not finished, 205 cancelled |
| ``POST …/monitorings/orders`` · ``GET …/monitorings`` · ``GET …/monitorings/{id}`` | one year from ``startDate`` on |
| ``GET  …/notifications`` ``?deliveryDateFrom&deliveryDateTo`` · ``GET …/notifications/{id}/content`` | a list · one |
| ``POST /cofaserve/authentication/v1/token``, ``GET /cofaserve/companies/identifier``, ``…/products/{id}`` | |

An order is delivered when it has been asked after ``POLLS`` times, or by the controls. The same ``customerReference``
makes no order one. Lists come 20 at once, ``?range=offset-count``, 206 while there is more. The calls of a minute are
counted per endpoint; they are refused beyond ``POST /_control/coface/rate`` ``{"calls"}``, from the start without end.
Callbacks are empty GETs. Everything of CofaServe but its first two paths is invented, and so are all ids.
"""

import hmac
import json
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, ClassVar

from . import webhooks
from .book import Book
from .coface_shapes import DEBTOR_RISK, OPINIONS, Shapes, company
from .decisions import deliver_report
from .store import Row
from .submissions import Event, number
from .web import Answer, Handler, Refusal, Request, Router, json_answer, refusal_answer

USERNAME = "demo-user@example.com"
PASSWORD = "demo-password-of-coface"
TOKEN_SECONDS = 3600
POLLS = 1
PAGE = 20
LIMIT = 60
WINDOW = 60.0
BAD = "missing_or_invalid_param"
UNKNOWN_COMPANY = "Wrong company identification. Please search/identify again the company to get proper id"
REPORTS = ("credit-opinion-report", "advanced-opinion-report", "dra-report")
PINGED = ("GRADE_CHANGED", "COVER_CHANGED", "REPORT_MOVED")


class Coface:
    """:param api_key: of both interfaces; the login is ``USERNAME`` and ``PASSWORD``."""

    prefix: ClassVar[str] = "/coface"

    def __init__(self, book: Book, api_key: str, token_seconds: int = TOKEN_SECONDS) -> None:
        self._book = book
        self._api_key = api_key
        self._token_seconds = token_seconds
        self._shapes = Shapes(book)
        self._polls: dict[str, int] = defaultdict(int)
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._limit: int | None = None

    def mount(self, router: Router) -> None:
        icon, cofaserve = f"{self.prefix}/bi/icon-data/v1", f"{self.prefix}/cofaserve"
        router.add("POST", f"{self.prefix}/authentication/v1/token", self._counted("token", self._token("grantType")))
        for method, path, handler in (
            ("GET", f"{icon}/companies", self._companies),
            ("POST", f"{icon}/publications/orders", self._order),
            ("GET", f"{icon}/publications/orders", self._orders),
            ("GET", f"{icon}/publications", self._publication),
            ("POST", f"{icon}/monitorings/orders", self._monitor),
            ("GET", f"{icon}/monitorings", self._monitorings),
            ("GET", f"{icon}/monitorings/{{watch}}", self._monitoring),
            ("GET", f"{icon}/notifications", self._notifications),
            ("GET", f"{icon}/notifications/{{notice}}/content", self._content),
            ("GET", f"{cofaserve}/companies/identifier", self._identified),
            ("GET", f"{cofaserve}/products/{{delivery}}", self._product),
        ):
            router.add(method, path, self._counted(f"{method} {path}", self._with_token(handler)))
        router.add("POST", f"{cofaserve}/authentication/v1/token", self._token("grant_type"))
        router.add("POST", f"/_control{self.prefix}/rate", self._set_rate)

    # --- Rights and limits --------------------------------------------------------------------------------------

    def _token(self, grant: str) -> Handler:
        def authorize(request: Request) -> Answer:
            given = request.members()
            self._check_key(request)
            secret = f"{given.get('username')}\n{given.get('password')}".encode()
            if not hmac.compare_digest(secret, f"{USERNAME}\n{PASSWORD}".encode()) or given.get(grant) != "password":
                raise Refusal(401, "invalid_credentials", "Incorrect username or password.")
            token = self._book.issue_token(self._token_seconds)
            rest = {"accessToken": "not-used", "refreshToken": "not-used", "tokenType": "Bearer"}
            return json_answer({"idToken": token, "expiresIn": self._token_seconds, **rest})

        return authorize

    def _check_key(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), self._api_key.encode()):
            raise Refusal(403, "", "Forbidden")

    def _with_token(self, handler: Callable[..., Answer]) -> Handler:
        def guarded(request: Request, **names: str) -> Answer:
            self._check_key(request)
            if not self._book.accepts_token(request.headers.get("authorization", "")):
                raise Refusal(401, "invalid_token", "Invalid token")
            return handler(request, **names)

        return guarded

    def _counted(self, endpoint: str, handler: Handler) -> Handler:
        """Count the calls of the last minute, tell how many are left, and refuse those beyond the limit."""

        def counted(request: Request, **names: str) -> Answer:
            calls, now = self._calls[endpoint], self._book.now().timestamp()
            while calls and calls[0] <= now - WINDOW:
                calls.popleft()
            limit = self._limit
            if limit is not None and len(calls) >= limit:
                return self._told(self.refuse(Refusal(429, "", "Server is busy, please try again later")), 0)
            if limit is not None:
                calls.append(now)
            left = LIMIT - 1 if limit is None else limit - len(calls)
            try:
                return self._told(handler(request, **names), left)
            except Refusal as refusal:
                return self._told(self.refuse(refusal), left)

        return counted

    def _told(self, answer: Answer, left: int) -> Answer:
        headers = {"X-RateLimit-Limit": str(self._limit or LIMIT), "X-RateLimit-Remaining": str(left)}
        return Answer(answer.status, answer.content, answer.content_type, {**answer.headers, **headers})

    def _set_rate(self, request: Request) -> Answer:
        calls = request.members().get("calls")
        if not isinstance(calls, int) or calls < 0:
            return refusal_answer(Refusal(422, "bad_number", "calls is a whole number; 0 takes the limit away"))
        self._limit = calls or None
        self._calls.clear()
        return json_answer({"done": True})

    def refuse(self, refusal: Refusal) -> Answer:
        """A refusal in Coface's form, or, where it has no code, in that of the gateway before it."""
        if not refusal.code:
            return json_answer({"message": refusal.message}, refusal.status)
        shape = {"httpCode": refusal.status, "errorDate": self._book.now().isoformat(), "fishtag": "c2ltdWxhdG9y"}
        return json_answer({**shape, "messages": [_message(refusal.code, refusal.message)]}, refusal.status)

    # --- Companies ----------------------------------------------------------------------------------------------

    def _companies(self, request: Request) -> Answer:
        query = request.query
        if "companyId" in query or "externalId" in query:
            found = self._known(query)
            return _page(request, [company(found)] if found else [])
        if not query.get("companyName") or not query.get("countryCode"):
            raise Refusal(400, BAD, "Missing or invalid parameter: companyName")
        wanted = {"name": query["companyName"], "country": query["countryCode"]}
        buyers = [buyer for _score, buyer in self._book.search(wanted)]
        for name, column in (("postalCode", "postal_code"), ("city", "city")):
            if query.get(name):
                buyers = [buyer for buyer in buyers if buyer[column].casefold() == query[name].casefold()]
        return _page(request, [company(buyer) for buyer in buyers])

    def _known(self, named: Any) -> Row | None:
        """The buyer named by ``companyId``, or by ``externalId`` and ``countryCode``."""
        if named.get("companyId"):
            return self._book.store.row("SELECT * FROM buyer WHERE buyer_id = ?", str(named["companyId"]))
        repository, mark, value = str(named.get("externalId", "")).partition("#")
        country = str(named.get("countryCode", "")).upper()
        if not mark or not country:
            raise Refusal(400, BAD, "Missing or invalid parameter: externalId")
        for buyer in self._book.store.rows("SELECT * FROM buyer WHERE country = ?", country):
            numbers = {item["repositorySlug"]: item["id"] for item in company(buyer)["externalIds"]}
            own = numbers.get(repository, "")
            if value and value in (own, own.removeprefix(country)):
                return buyer
        return None

    # --- Orders -------------------------------------------------------------------------------------------------

    def _order(self, request: Request) -> Answer:
        body = request.members()
        buyer = self._known(body)
        if buyer is None:
            raise Refusal(400, BAD, UNKNOWN_COMPANY)
        products = _products(body)
        reference = str(body.get("customerReference") or "")
        taken = {
            "reference": self._unused("report", reference or "report"),
            "customerReference": reference,
            "buyerId": buyer["buyer_id"],
            "products": products,
        }
        submission, _again = self._book.submit("report", taken, lambda _body: None)
        self._remember_callback(body)
        return json_answer(self._shapes.order(submission), 201)

    def _unused(self, kind: str, reference: str) -> str:
        """The book takes a reference once; the insurer takes it as often as it comes."""
        again, unused = 1, reference
        while self._book.by_reference(kind, unused):
            again += 1
            unused = f"{reference} ({again})"
        return unused

    def _remember_callback(self, body: Row) -> None:
        for name in ("callbackUrl", "notificationCallbackUrl"):
            if isinstance(body.get(name), str):
                webhooks.register(self._book.store, body[name], interface="coface")

    def _orders(self, request: Request) -> Answer:
        if "id" in request.query:
            return json_answer([self._shapes.order(self._asked(request.query["id"]))])
        buyer = self._known(request.query)
        rows = [row for row in self._book.submissions("report") if "products" in json.loads(row["body"])]
        mine = [row for row in rows if buyer and json.loads(row["body"])["buyerId"] == buyer["buyer_id"]]
        return _page(request, [self._shapes.order(row) for row in mine])

    def _asked(self, order_id: str) -> Row:
        """The order, a step nearer to its delivery for having been asked after."""
        order = self._book.by_number("report", order_id)
        self._polls[order_id] += 1
        if order["status"] == "ORDERED" and self._polls[order_id] > POLLS:
            deliver_report(self._book, order_id)
        return self._book.by_number("report", order_id)

    def _publication(self, request: Request) -> Answer:
        wanted = request.query.get("deliveryId") or request.query.get("id", "")
        order_id, _dash, index = wanted.rpartition("-")
        order = self._asked(order_id)
        products = json.loads(order["body"]).get("products", [])
        if not index.isdecimal() or not 1 <= int(index) <= len(products):
            raise Refusal(404, "resource_not_found", "Specified resource does not exist")
        if order["status"] == "ORDERED":
            return json_answer({"messages": [_message("order_not_finished", "Order is not yet finished")]}, 202)
        if order["status"] == "REFUSED":
            return json_answer({"messages": [_message("order_cancelled", "Order is cancelled")]}, 205)
        return self._delivered(order, products[int(index) - 1], request.query.get("format", "json"))

    def _delivered(self, order: Row, product: Row, form: str) -> Answer:
        currency = product.get("currency") or "EUR"
        if product["format"] != form:
            raise Refusal(400, BAD, "Invalid parameter: format. This format is not available for this notification.")
        if product["slug"] in REPORTS:
            content, media_type = self._shapes.report(order, form, currency)
            return Answer(200, content, media_type)
        return json_answer(self._shapes.assessments(json.loads(order["body"])["buyerId"], product["slug"], currency))

    # --- Monitoring and notifications -----------------------------------------------------------------------------

    def _monitor(self, request: Request) -> Answer:
        body = request.members()
        buyer = self._known(body)
        if buyer is None:
            raise Refusal(404, "resource_not_found", "Unable to place monitoring order since company is not identified")
        try:
            start = date.fromisoformat(body.get("startDate") or self._book.today().isoformat())
        except (TypeError, ValueError) as exc:
            raise Refusal(400, BAD, "Missing or invalid parameter: startDate") from exc
        reference = str(body.get("customerReference") or "")
        taken = {
            "reference": self._unused("monitoring", reference or "monitoring"),
            "customerReference": reference,
            "buyerId": buyer["buyer_id"],
            "slugs": [product["slug"] for product in _products(body)],
            "startsOn": start.isoformat(),
            "endsOn": (start + timedelta(days=365)).isoformat(),
        }
        submission, _again = self._book.submit("monitoring", taken, lambda _body: None)
        self._remember_callback(body)
        order = {"id": number(submission), "orderDate": submission["received_at"]}
        return json_answer({**order, "monitorings": self._shapes.watches(submission)}, 201)

    def _watches(self) -> list[Row]:
        rows = [row for row in self._book.submissions("monitoring") if "slugs" in json.loads(row["body"])]
        return [watch for row in rows for watch in self._shapes.watches(row)]

    def _monitorings(self, request: Request) -> Answer:
        buyer = self._known(request.query)
        return _page(request, [watch for watch in self._watches() if buyer and watch["companyId"] == buyer["buyer_id"]])

    def _monitoring(self, _request: Request, watch: str) -> Answer:
        found = [each for each in self._watches() if each["id"] == watch]
        if not found:
            raise Refusal(404, "resource_not_found", "Specified resource does not exist")
        return json_answer(found[0])

    def _notifications(self, request: Request) -> Answer:
        first, last = request.query.get("deliveryDateFrom", ""), request.query.get("deliveryDateTo", "9999")
        events = self._book.store.rows(
            "SELECT * FROM event WHERE happened_on >= ? AND happened_on <= ? ORDER BY id", first, last
        )
        return _page(request, [self._shapes.notice(event) for event in events])

    def _content(self, _request: Request, notice: str) -> Answer:
        event = self._book.store.row("SELECT * FROM event WHERE id = ?", notice.removeprefix("N").lstrip("0"))
        if event is None:
            raise Refusal(404, "resource_not_found", "Specified resource does not exist")
        return json_answer(self._shapes.content(event))

    # --- CofaServe ----------------------------------------------------------------------------------------------

    def _identified(self, request: Request) -> Answer:
        self._check_policy(request)
        wanted = {
            "country": request.query.get("countryCode", ""),
            "registrationNumber": request.query["identifierValue"],
        }
        found = [buyer for score, buyer in self._book.search(wanted) if score >= 98]
        companies = [{"easyNumber": buyer["buyer_id"].rjust(14, "0"), "name": buyer["name"]} for buyer in found]
        return json_answer({"companies": companies, "count": len(companies)})

    def _product(self, request: Request, delivery: str) -> Answer:
        self._check_policy(request)
        return json_answer({"deliveryId": delivery, "invented": True})

    def _check_policy(self, request: Request) -> None:
        if not request.headers.get("x-cof-policy-number"):
            raise Refusal(400, BAD, "Missing or invalid parameter: X-COF-Policy-Number")


def _products(body: Row) -> list[Row]:
    """What is ordered: assessments, which come as JSON, and a report in its formats."""
    assessments, report = body.get("assessments") or [], body.get("report")
    products = [{**each, "format": "json"} for each in assessments if isinstance(each, dict) and each.get("slug")]
    for each in products:
        if each["slug"] not in (*DEBTOR_RISK, *OPINIONS):
            raise Refusal(400, BAD, "Invalid parameter: assessments")
    if isinstance(report, dict):
        if report.get("slug") not in REPORTS or not report.get("format"):
            raise Refusal(400, BAD, "Invalid parameter: report.slug")
        products.append({"slug": report["slug"], "format": str(report["format"][0])})
    if not products:
        raise Refusal(400, BAD, "Missing parameter: assessments and/or report")
    return products


def _page(request: Request, rows: list[Row]) -> Answer:
    """``range=offset-count`` of a list."""
    offset, _dash, count = request.query.get("range", f"0-{PAGE}").partition("-")
    if not offset.isdecimal() or not count.isdecimal() or int(count) > PAGE:
        raise Refusal(400, BAD, "Missing or invalid parameter: range")
    start, end = int(offset), int(offset) + int(count)
    part = rows[start:end]
    headers = {"Content-Range": f"{start}-{start + len(part)}/{len(rows)}", "Accept-Range": f"company {PAGE}"}
    return json_answer(part, 206 if len(part) < len(rows) else 200, **headers)


def _message(code: str, words: str) -> Row:
    return {"code": code, "docUrl": "", "message": words}


def ping(event: Event) -> bytes | None:
    return b"" if event.kind in PINGED else None


webhooks.WORDINGS["coface"] = ping
webhooks.METHODS["coface"] = "GET"
