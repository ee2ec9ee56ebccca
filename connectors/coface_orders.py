"""Orders of Coface's publications: what is ordered, how an order is named, how it stands. Pure.

[Insurer's public documentation.] One order may hold several products; each is a publication of its own, with a status
and an id, which older documentation calls ``deliveryId``. What is assumed is in ``Coface.unverified``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Self
from urllib.parse import quote, unquote

from .coface_companies import party
from .coface_contents import day
from .jsondoc import Json, Node, ShapeError
from .reading import known
from .reports import Monitoring, ReportStatus

OPINIONS = ("credit-opinion", "advanced-opinion")  # assessments that take a currency
AT_ONCE_OR_LATER = "immediate_if_available_inquiry_otherwise"
STATUS = {
    "READY": ReportStatus.DELIVERED,
    "IN-PREPARATION": ReportStatus.ORDERED,
    "PENDING": ReportStatus.ORDERED,
    "PARTIAL_READY": ReportStatus.ORDERED,
    "ORDER_NOT_FINISHED": ReportStatus.ORDERED,
    "CANCELLED": ReportStatus.REFUSED,
    "ORDER_CANCELLED": ReportStatus.REFUSED,
}
KINDS = ("order", "delivery", "cofaserve")


@dataclass(frozen=True, slots=True)
class Terms:
    """What belongs to every order of one connection."""

    currency: str
    language: str
    report_format: str
    callback: Mapping[str, str]

    def body(self, buyer_id: str, reference: str, slug: str, currency: str = "") -> dict[str, Json]:
        body: dict[str, Json] = {**party(buyer_id), "customerReference": reference}
        if is_report(slug):
            body["report"] = {
                "slug": slug,
                "language": self.language,
                "format": [self.report_format],
                "proccessingTimeInstruction": AT_ONCE_OR_LATER,  # so spelt by the insurer
            }
        else:
            body["assessments"] = [self.assessment(slug, currency)]
        return {**body, **self.callback}

    def assessment(self, slug: str, currency: str = "") -> dict[str, Json]:
        return {"slug": slug, **({"currency": currency or self.currency} if slug in OPINIONS else {})}

    def form(self, slug: str) -> str:
        return self.report_format if is_report(slug) else "json"


def is_report(slug: str) -> bool:
    return slug.endswith("-report")


# --- Orders -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Publication:
    delivery_id: str
    slug: str
    status: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as the insurer tells it; ``order_id`` and ``reference`` are empty where it does not."""

    order_id: str
    reference: str
    ordered_at: datetime
    raw_status: str
    publications: tuple[Publication, ...]

    @property
    def status(self) -> ReportStatus:
        return status_of(self.raw_status)

    def holds(self, slug: str) -> bool:
        return any(publication.slug in ("", slug) for publication in self.publications)


def status_of(raw: str) -> ReportStatus:
    return known(STATUS, raw, ReportStatus.UNKNOWN)


def read_order(node: Node) -> Placed:
    publications = tuple(_publication(item) for item in node["publications"].items())
    states = [publication.status for publication in publications]
    return Placed(
        order_id=node["id"].optional(Node.identifier) or "",
        reference=node["customerReference"].optional(Node.text) or "",
        ordered_at=moment(node["orderDate"]),
        raw_status=_first(node, "status", "urbaStatus") or next(iter(states), ""),
        publications=publications,
    )


def _publication(node: Node) -> Publication:
    number = node["deliveryId"] if node["deliveryId"].value is not None else node["id"]
    return Publication(number.identifier(), _first(node, "assessmentSlug", "reportSlug"), _first(node, "status"))


def _first(node: Node, *names: str) -> str:
    return next(filter(None, (node[name].optional(Node.text) for name in names)), "")


def check_reference(placed: Placed, reference: str) -> Placed:
    """The answer to an order, which must not be about another one."""
    if placed.reference and placed.reference != reference:
        raise ShapeError("customerReference", f"the answer is about {placed.reference!r}, asked was {reference!r}")
    if not placed.publications and not placed.order_id:
        raise ShapeError("publications", "the order has neither an id nor a publication")
    return placed


def moment(node: Node) -> datetime:
    """An instant; taken as UTC where it names no offset, and as midnight where it is a day alone."""
    text = node.text()
    if "T" not in text:
        return datetime.combine(day(node), time.min, UTC)
    try:
        zoned = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        zoned = True
    return Node(text if zoned else f"{text}Z", node.path).instant()


@dataclass(frozen=True, slots=True)
class ReportKey:
    """Our ``order_id``: what ``number`` is, the insurer's number, and what has to be known later, in any process."""

    kind: str
    number: str
    form: str
    ordered_at: datetime
    reference: str

    def text(self) -> str:
        parts = (self.kind, self.number, self.form, self.ordered_at.isoformat(), self.reference)
        return "/".join(quote(part, safe=":+") for part in parts)

    @classmethod
    def of(cls, placed: Placed, form: str, reference: str) -> Self:
        kind, number = ("order", placed.order_id)
        if not number:
            kind, number = "delivery", placed.publications[0].delivery_id
        return cls(kind, number, form, placed.ordered_at, reference)

    @classmethod
    def read(cls, text: str) -> Self:
        """:raises ValueError: it is none of ours."""
        parts = [unquote(part) for part in text.split("/")]
        if len(parts) != 5 or parts[0] not in KINDS or not parts[1]:
            raise ValueError(f"{text!r} is no id of an order")
        ordered_at = datetime.fromisoformat(parts[3])
        if ordered_at.tzinfo is None:
            raise ValueError(f"{text!r} does not say when it was ordered")
        return cls(parts[0], parts[1], parts[2], ordered_at, parts[4])


# --- Monitoring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Watch:
    """One product of one company that is monitored."""

    monitoring_id: str
    slug: str
    status: str
    buyer_id: str
    starts_on: date
    ends_on: date | None

    def is_on(self, today: date) -> bool:
        return status_of(self.status) is not ReportStatus.REFUSED and (self.ends_on is None or self.ends_on >= today)


def read_watch(node: Node) -> Watch:
    return Watch(
        monitoring_id=node["id"].identifier(),
        slug=node["assessmentSlug"].optional(Node.text) or "",
        status=node["status"].optional(Node.text) or "",
        buyer_id=company_of(node),
        starts_on=day(node["startDate"]),
        ends_on=node["endDate"].optional(day),
    )


def read_watches(node: Node) -> tuple[Watch, ...]:
    return tuple(read_watch(item) for item in node["monitorings"].items())


def company_of(node: Node) -> str:
    """The company that something is about, as our ``buyer_id``; empty where it is not told."""
    company = node["companyId"].optional(Node.identifier)
    country, external = node["countryCode"].optional(Node.text), node["externalId"].optional(Node.text)
    return company or (f"{country}/{external}" if country and external else "")


def as_monitoring(watches: tuple[Watch, ...], buyer_id: str) -> Monitoring:
    """The monitoring of all products of a company as one: it lasts as long as the one that ends first."""
    ends = [watch.ends_on for watch in watches if watch.ends_on]
    numbers = ",".join(watch.monitoring_id for watch in watches)
    return Monitoring(numbers, buyer_id, max(watch.starts_on for watch in watches), min(ends) if ends else None)
