"""Coface's grades: delivered to order, read again while they are young."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from .base import Operation
from .coface_client import WINDOW, Client
from .coface_companies import party
from .coface_contents import read_grade
from .coface_notifications import Feed
from .coface_orders import Placed, Terms, check_reference, read_order
from .errors import RateLimited, RejectedByInsurer
from .messages import Grade, Page, Unread
from .reading import one_by_one
from .reports import ReportStatus

Value = TypeVar("Value")

WAITS = 10  # for the next minute, in one call
MISSING = 404  # HTTP status
OURS = "grade "  # how the references of our orders of grades begin
PENDING = (202, 205)  # not finished, cancelled


class Grades:
    """The grades of one connection."""

    def __init__(self, client: Client, terms: Terms, feed: Feed, settings: Mapping[str, str]) -> None:
        self._client = client
        self._terms = terms
        self._feed = feed
        self._settings = settings
        self._slug = settings["grade_product"]
        self._young = timedelta(days=int(settings["grade_days"]))
        self._waits = 0

    def of(self, buyer_ids: Iterable[str]) -> Page[Grade]:
        wanted = tuple(dict.fromkeys(buyer_ids))
        if not wanted:
            return Page(())
        self._waits = 0
        changed, unread = self._patiently(self._changed)

        def ask(buyer_id: str) -> tuple[Grade, ...]:
            grade = self._patiently(partial(self._of, buyer_id, changed))
            return (grade,) if grade else ()

        page = one_by_one(wanted, ask)
        return replace(page, unread=(*page.unread, *unread))

    def _patiently(self, ask: Callable[[], Value]) -> Value:
        """``ask``, again after a while when there were too many calls: what was answered before is not lost."""
        while True:
            try:
                return ask()
            except RateLimited as error:
                wait = WINDOW if error.retry_after is None else error.retry_after
                self._waits += 1
                if self._waits > WAITS or wait > WINDOW:
                    raise
                self._client.transport.hooks.sleep(wait)

    def _changed(self) -> tuple[dict[str, str], tuple[Unread, ...]]:
        """The last day, in ISO form, on which something was notified about each company; and what was notified that
        cannot be read."""
        since = self._client.now().date() - self._young
        days: dict[str, str] = {}
        unread: tuple[Unread, ...] = ()
        for page in self._feed.listed(Operation.GRADES, since):
            unread += page.unread
            for notice in page.items:
                company = self._feed.company(Operation.GRADES, notice)
                days[company] = max(days.get(company, ""), notice.delivered_on.isoformat())
        return days, unread

    def _of(self, buyer_id: str, changed: Mapping[str, str]) -> Grade | None:
        fitting = [placed for placed in self._ordered(buyer_id) if self._fits(placed)]
        newest = max(fitting, key=lambda placed: placed.ordered_at, default=None)
        if newest is None or self._is_outdated(newest, changed.get(buyer_id, "")):
            newest = self._order(buyer_id)
        return self._read(buyer_id, newest)

    def _ordered(self, buyer_id: str) -> tuple[Placed, ...]:
        """The orders for a company. That there are none may be said by HTTP 404: orders are placed at the same address,
        so that a wrong one does not pass for it."""
        try:
            return tuple(self._client.all(Operation.GRADES, "orders", party(buyer_id), read_order))
        except RejectedByInsurer as refusal:
            if refusal.status != MISSING:
                raise
            return ()

    def _fits(self, placed: Placed) -> bool:
        """What tells no product is a grade's where the reference says so."""
        slugs = (self._slug, "") if placed.reference.startswith(OURS) else (self._slug,)
        told = any(publication.slug in slugs for publication in placed.publications)
        return told and placed.status is not ReportStatus.REFUSED

    def _is_outdated(self, placed: Placed, changed_on: str) -> bool:
        """What is still being prepared is not ordered twice, however long it takes."""
        if placed.status is ReportStatus.ORDERED:
            return False
        age = self._client.now() - placed.ordered_at
        return age > self._young or changed_on > placed.ordered_at.date().isoformat()

    def _order(self, buyer_id: str) -> Placed:
        reference = f"{OURS}{self._client.now().date().isoformat()}"
        body = self._terms.body(buyer_id, reference, self._slug)
        answer = self._client.write(Operation.GRADES, "orders", body)
        return answer.read(lambda node: check_reference(read_order(node), reference))

    def _read(self, buyer_id: str, placed: Placed) -> Grade | None:
        """``None`` while it is not there."""
        told = [publication for publication in placed.publications if publication.slug in ("", self._slug)]
        if not told:
            return None
        answer = self._client.publication(Operation.GRADES, told[0].delivery_id, "json", self._settings)
        return None if answer.status in PENDING else answer.read(lambda node: read_grade(node, buyer_id))
