"""What Coface notifies about monitored companies.

[Insurer's public documentation.] A notification is listed with its id, that of its monitoring, the day and the form
of its content; the content is either the new assessment, or a sheet of members that begin with ``monit``. Whose
company it is about stands in the content of an assessment, else in the monitoring.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from .coface_client import NOT_FOUND, Client
from .coface_contents import day
from .coface_orders import company_of, read_watch
from .errors import RejectedByInsurer
from .jsondoc import Node
from .messages import Page
from .reports import Notification

CHANGES = (
    *("monitDRAChangesOldValue", "monitDRAValue", "monitDRAProbabilityOfDefaultOldVal"),
    *("monitDRAProbabilityOfDefaultNewVal", "monitCOChangesOldValue", "monitCOChangesNewValue"),
    *("monitILChangesOldValue", "monitILChangesNewValue"),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification as it is listed."""

    notice_id: str
    monitoring_id: str
    delivered_on: date
    form: str
    slug: str
    buyer_id: str


def read_notice(node: Node) -> Notice:
    update = _object(node["publicationUpdates"])
    return Notice(
        notice_id=node["id"].identifier(),
        monitoring_id=node["monitoringId"].optional(Node.identifier) or "",
        delivered_on=day(node["deliveryDate"]),
        form=(node["format"].optional(_one_text) or "json").lower(),
        slug=_slug(node) or _slug(update),
        buyer_id=company_of(node) or company_of(update),
    )


def _slug(node: Node) -> str:
    names = ("assessmentSlug", "productSlug", "monitDetailsProduct")
    return next(filter(None, (node[name].optional(Node.text) for name in names)), "")


def _one_text(node: Node) -> str:
    return next(node.items()).text() if isinstance(node.value, list) and node.value else node.text()


def _object(node: Node) -> Node:
    """An object, the first of a list of them, or, for anything else, an empty one."""
    value = node.value[0] if isinstance(node.value, list) and node.value else node.value
    return Node(value if isinstance(value, dict) else {}, node.path)


@dataclass(frozen=True, slots=True)
class Told:
    """What a content says."""

    slug: str = ""
    buyer_id: str = ""
    words: str = ""


def read_told(node: Node) -> Told:
    content = _object(node)
    described = content["descriptions"].optional(lambda value: tuple(value.items())) or ()
    words = [item["full"].optional(Node.text) or "" for item in described]
    risk, rating = (content[name].optional(Node.identifier) or "" for name in ("debtorRiskValue", "rating"))
    changes = (f"{name}: {content[name].value}" for name in CHANGES if content[name].value not in (None, ""))
    parts = (*filter(None, (risk, rating)), *filter(None, words), *changes)
    return Told(_slug(content), company_of(content), "; ".join(parts))


class Feed:
    """The notifications of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._watched: dict[str, str] = {}

    def listed(self, operation: str, since: date) -> Iterator[Page[Notice]]:
        return self._client.pages(operation, "notifications", self._window(since), read_notice)

    def page(self, operation: str, since: date, token: str | None) -> Page[Notification]:
        page = self._client.page(operation, "notifications", self._window(since), read_notice, token)
        opened = tuple(self._opened(operation, notice) for notice in page.items)
        return Page(opened, page.next_token, page.total, page.unread)

    def company(self, operation: str, notice: Notice) -> str:
        """The company of a notification, by its monitoring where the list does not tell it."""
        number = notice.monitoring_id
        if notice.buyer_id or not number:
            return notice.buyer_id
        if number not in self._watched:
            try:
                answer = self._client.get(operation, "monitoring", monitoringId=number)
                self._watched[number] = answer.read(lambda node: read_watch(_object(node)).buyer_id)
            except RejectedByInsurer as refusal:
                if refusal.code != NOT_FOUND:
                    raise
                self._watched[number] = ""
        return self._watched[number]

    def _window(self, since: date) -> dict[str, str]:
        return {"deliveryDateFrom": since.isoformat(), "deliveryDateTo": self._client.now().date().isoformat()}

    def _opened(self, operation: str, notice: Notice) -> Notification:
        told = Told()
        if notice.form == "json":
            query = {"format": notice.form}
            answer = self._client.get(operation, "notification_content", query, notificationId=notice.notice_id)
            told = answer.read(read_told)
        return Notification(
            notification_id=notice.notice_id,
            buyer_id=told.buyer_id or self.company(operation, notice),
            kind=told.slug or notice.slug,
            happened_on=notice.delivered_on,
            words=told.words,
        )
