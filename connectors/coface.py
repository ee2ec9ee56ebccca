"""Connector for Coface: companies, grades, reports and monitoring by the ICON Data API, and what is known of CofaServe.

From the insurer's public documentation, samples and schemas: the login, the search of companies, orders, publications,
monitoring and notifications of ICON. That the orders and the monitorings of one company can be listed is shown in its
public collection of calls ("ICON Data API 2.23": GET /publications/orders and GET /monitorings with a companyId). From
other integrators, unconfirmed: CofaServe (``coface_policyholder.py``). ``Coface.unverified`` lists what nobody shows.

**Grades** are debtor risk assessments: 10 is best, 0 is in default. Coface delivers them to order, and bills orders.
So a grade that was delivered within ``grade_days`` is read again, unless a notification of that company came since;
else it is ordered, and comes with a later call when it is not there at once.

**Reports, exactly once.** Coface keeps our reference as ``customerReference``, but does not know it again, so an order
is sent once; ``find_report`` looks for it among the orders for the company. An order of the last day for the same
product that tells no reference leaves it open whose it is: then a person has to look, rather than pay twice.

**Monitoring** lasts a year. A product that is monitored already is not ordered again.

**Calls back** are empty and show no credentials; they only say that something has changed.

Cover, overdues and claims go by CofaServe, whose codes and documents are not public: file route.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import ClassVar

from .base import Insurer, Operation
from .calls import Answer
from .coface_client import RATE, Client
from .coface_companies import candidate, party, read_companies, searches
from .coface_contents import MEDIA_TYPES, Content, read_json, read_xml
from .coface_grades import Grades
from .coface_notifications import Feed
from .coface_orders import (
    Placed,
    ReportKey,
    Terms,
    as_monitoring,
    check_reference,
    read_order,
    read_watch,
    read_watches,
    status_of,
)
from .coface_policyholder import Policyholder
from .coface_settings import ENDPOINTS, SETTINGS, callback_address, listed, read_ping, table
from .connection import Connection, Endpoint, Environment, Rate, Setting
from .errors import ConfigurationError, UnexpectedResponse
from .jsondoc import Json, Node, ShapeError
from .messages import BuyerCandidate, BuyerQuery, Grade, Page
from .reports import (
    Monitoring,
    MonitoringOrder,
    Notification,
    ReportFile,
    ReportOrder,
    ReportState,
    ReportStatus,
    WakeUp,
)

OPEN_TO_DOUBT = timedelta(days=1)
NOT_READY, CANCELLED = 202, 205  # HTTP status of a publication
PUBLICATION_KEYS = ("id", "deliveryId")


class Coface(Insurer):
    """Needs the credentials ``api_key``, ``username`` and ``password``; what else can be set is in
    ``coface_settings.py``."""

    code: ClassVar[str] = "coface"
    label: ClassVar[str] = "Coface"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    environments: ClassVar[frozenset[Environment]] = frozenset(Environment)
    endpoints: ClassVar[Mapping[str, Endpoint]] = ENDPOINTS
    rates: ClassVar[tuple[Rate, ...]] = (RATE,)
    grades_at_once: ClassVar[int] = 25  # two calls each: a page fits into a minute of the rate
    recognises: ClassVar[frozenset[Operation]] = frozenset({Operation.MONITOR})  # asks before it orders
    unverified: ClassVar[tuple[str, ...]] = (
        "That listed orders tell our customerReference is shown for one product only; without it a lost order is not "
        "found after a day.",
        "Which of an order's statuses are final beyond ready and cancelled is not public; others stay raw.",
        "How a list of notifications names company and product is assumed: publicationUpdates, else the monitoring.",
        "The values of a notification's sheet are not on the scale of the grade: they are shown, never taken as one.",
        "Documents differ in the name of the callback (callbackUrl, notificationCallbackUrl) and in the parameter of a "
        "publication (id, deliveryId): see the settings.",
        "Coface calls back by GET; that a call is not from somebody else cannot be told.",
        "CofaServe: address of the test environment, both forms of the login, names of a company's members and the "
        "path of products come from others or are assumed.",
        "CofaServe: product codes, overdues and the policy have no public documents, claims no service: file route.",
    )

    def __init__(self, connection: Connection) -> None:
        values = connection.check(self.code, self.settings)
        self._check(values)
        self._registers = table(
            self.code, "registration_repositories", values["registration_repositories"], r"\*|[A-Z]{2}"
        )
        self._values = values
        self._client = Client(self.code, connection, values)
        self._policyholder = Policyholder(self.code, connection, values, self._client)
        self._callback = callback_address(self.code, connection)
        callback = {"callbackUrl": self._callback} if self._callback else {}
        self._terms = Terms(values["currency"], values["language"], values["report_format"], callback)
        self._feed = Feed(self._client)
        self._grades = Grades(self._client, self._terms, self._feed, values)

    def _check(self, values: Mapping[str, str]) -> None:
        if values["report_format"] not in MEDIA_TYPES:
            raise ConfigurationError(f"reports come as {', '.join(MEDIA_TYPES)}", insurer=self.code)
        if values["publication_key"] not in PUBLICATION_KEYS:
            raise ConfigurationError(f"publication_key is one of {', '.join(PUBLICATION_KEYS)}", insurer=self.code)
        if not values["grade_days"].isdecimal() or int(values["grade_days"]) < 1:
            raise ConfigurationError("grade_days is a whole number from 1 on", insurer=self.code)

    def close(self) -> None:
        self._client.close()

    @classmethod
    def read_wake_up(cls, headers: Mapping[str, str], body: bytes) -> WakeUp | None:
        return read_ping(body)

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """By Coface's id, by numbers, by name and address, whatever finds somebody first. Of a name that many have,
        the first page is looked at."""
        country = query.country.upper()
        register = self._registers.get(country) or self._registers.get("*", "")
        for asked in searches(query, self._registers):
            companies = self._client.look_up(Operation.FIND_BUYER, "companies", asked, read_companies)
            found = {company.buyer_id: company for company in companies or () if company.buyer_id}
            if found:
                candidates = [candidate(company, query, register) for company in found.values()]
                return tuple(sorted(candidates, key=lambda each: (-each.score, each.buyer_id)))
        return self._policyholder.find_buyer(Operation.FIND_BUYER, query)

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        """The debtor risk assessments, 10 best to 0 in default. One that had to be ordered is absent until Coface has
        delivered it. Waits, within reason, for the calls that Coface allows per minute."""
        return self.grade_page(buyer_ids).whole().items

    def grade_page(self, buyer_ids: Iterable[str]) -> Page[Grade]:
        return self._grades.of(buyer_ids)

    # --- Reports ------------------------------------------------------------------------------------------------

    def order_report(self, order: ReportOrder) -> ReportState:
        slug = order.product or self._values["report_product"]
        body = self._terms.body(order.buyer_id, order.reference, slug, order.currency)
        answer = self._client.write(Operation.ORDER_REPORT, "orders", body)
        placed = answer.read(lambda node: check_reference(read_order(node), order.reference))
        return self._state(ReportKey.of(placed, self._terms.form(slug), order.reference), placed.raw_status)

    def find_report(self, order: ReportOrder) -> ReportState | None:
        """:raises UnexpectedResponse: several orders have our reference; or one of the last day, for the same product,
        tells none."""
        slug = order.product or self._values["report_product"]
        listed_orders = list(self._client.all(Operation.FIND_REPORT, "orders", party(order.buyer_id), read_order))
        found = [placed for placed in listed_orders if placed.reference == order.reference]
        if len(found) > 1:
            raise self._unclear(f"{len(found)} orders have the reference {order.reference!r}")
        if found:
            key = ReportKey.of(check_reference(found[0], order.reference), self._terms.form(slug), order.reference)
            return self._state(key, found[0].raw_status)
        since = self._client.now() - OPEN_TO_DOUBT
        if any(not placed.reference and placed.ordered_at >= since and placed.holds(slug) for placed in listed_orders):
            raise self._unclear("an order for this company tells no reference: it may be ours")
        return None

    def report_state(self, order_id: str) -> ReportState:
        """How the order stands; once it is ready, with the document as it came and what can be read in it."""
        try:
            key = ReportKey.read(order_id)
        except ValueError as exc:
            raise UnexpectedResponse(str(exc), insurer=self.code, field="order_id") from exc
        if key.kind == "cofaserve":
            content = self._policyholder.product(Operation.REPORT_STATE, key.number)
            return self._delivered(key, "", content, Content())
        if key.kind == "delivery":
            return self._opened(key, key.number, "")
        query = {"id": key.number}
        placed = self._client.get(Operation.REPORT_STATE, "orders", query).read(_only_order)
        if placed is None:  # the insurer accepts orders before it knows whether it can carry them out
            return self._state(key, "")
        if placed.status is not ReportStatus.DELIVERED or not placed.publications:
            return self._state(key, placed.raw_status)
        return self._opened(key, placed.publications[0].delivery_id, placed.raw_status)

    def _opened(self, key: ReportKey, delivery_id: str, raw: str) -> ReportState:
        answer = self._client.publication(Operation.REPORT_STATE, delivery_id, key.form, self._values)
        if answer.status in (NOT_READY, CANCELLED):
            return self._unfinished(key, answer)
        return self._delivered(key, raw, answer.content, _read(answer, key.form))

    def _unfinished(self, key: ReportKey, answer: Answer) -> ReportState:
        state = self._state(key, answer.read(_code_of) if answer.content.strip() else "")
        is_coming = answer.status == NOT_READY and not state.raw_code
        return replace(state, status=ReportStatus.ORDERED) if is_coming else state

    def _delivered(self, key: ReportKey, raw: str, content: bytes, told: Content) -> ReportState:
        state = self._state(key, raw)
        media_type = MEDIA_TYPES.get(key.form, "application/octet-stream")
        return replace(
            state,
            status=ReportStatus.DELIVERED,
            issued_on=told.issued_on,
            report=ReportFile(f"{key.number}.{key.form}", media_type, content),
            grade=told.grade,
            recommended_amount=told.amount,
            currency=told.currency,
            words=told.words,
        )

    def _state(self, key: ReportKey, raw: str) -> ReportState:
        return ReportState(key.text(), key.reference, status_of(raw), raw, key.ordered_at)

    def _unclear(self, message: str) -> UnexpectedResponse:
        return UnexpectedResponse(message, insurer=self.code, field="customerReference")

    # --- Monitoring ---------------------------------------------------------------------------------------------

    def monitor(self, order: MonitoringOrder) -> Monitoring:
        today = self._client.now().date()
        watched = self._client.all(Operation.MONITOR, "monitorings", party(order.buyer_id), read_watch)
        slugs = listed(self._values["monitored_products"])
        running = {watch.slug: watch for watch in watched if watch.slug in slugs and watch.is_on(today)}
        missing = [slug for slug in slugs if slug not in running]
        watches = tuple(running.values())
        if missing:
            answer = self._client.write(Operation.MONITOR, "monitoring_orders", self._monitoring_body(order, missing))
            watches += answer.read(read_watches)
        if not watches:
            raise UnexpectedResponse("no monitoring was placed", insurer=self.code, field="monitorings")
        return as_monitoring(watches, order.buyer_id)

    def _monitoring_body(self, order: MonitoringOrder, slugs: list[str]) -> Json:
        address = order.callback_url or self._callback
        if address:
            self._client.redactor.add(address)
        names = listed(self._values["callback_fields"]) if address else ()
        return {
            **party(order.buyer_id),
            "customerReference": order.reference,
            "startDate": order.starts_on.isoformat(),
            **{name: address for name in names},
            "assessments": [self._terms.assessment(slug) for slug in slugs],
        }

    def notifications(self, since: date, token: str | None = None) -> Page[Notification]:
        return self._feed.page(Operation.NOTIFICATIONS, since, token)


def _only_order(node: Node) -> Placed | None:
    """The order asked for by its id: one, a list of it, or an empty list when Coface did not make it after all."""
    if not isinstance(node.value, list):
        return None if node["messages"].value is not None else read_order(node)
    found = [read_order(item) for item in node.items()]
    if len(found) > 1:
        raise ShapeError(node.path or "id", f"{len(found)} orders for one id")
    return found[0] if found else None


def _read(answer: Answer, form: str) -> Content:
    """What the document says; the forms made for people are only kept."""
    if form == "json":
        return answer.read(read_json)
    return answer.read_xml(read_xml) if form == "xml" else Content()


def _code_of(node: Node) -> str:
    listed = node["messages"].optional(lambda value: tuple(value.items())) or ()
    return next((item["code"].identifier() for item in listed), "")
