"""What both versions of Allianz Trade's cover interface work with: the connection's tables, ids, and lists by page."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from .allianz_trade_client import Client
from .allianz_trade_codes import Vocabulary
from .allianz_trade_covers import Context
from .allianz_trade_paging import Cursor, Listing
from .allianz_trade_policies import Part, Policies, RequestKey
from .calls import Answer
from .errors import UnexpectedResponse
from .jsondoc import Node
from .messages import CoverProduct, CoverRequest, Page

Item = TypeVar("Item")
Read = Callable[[Node, Context], Item]


@dataclass(frozen=True, slots=True)
class Desk:
    """What both versions work with. ``currency`` is that of amounts for which none is told."""

    client: Client
    policies: Policies
    words: Vocabulary
    currency: str
    size: int

    def context(self, policy_number: str, part: Part) -> Context:
        return Context(policy_number, part, self.client.now().date(), self.currency, self.words)

    def unexpected(self, problem: str, field: str) -> UnexpectedResponse:
        return UnexpectedResponse(problem, insurer=self.client.insurer, field=field)

    def key(self, request_id: str) -> RequestKey:
        try:
            return RequestKey.read(request_id)
        except ValueError as exc:
            raise self.unexpected("this is no id that was given out here", "request_id") from exc

    def new_key(self, kind: str, number: str, request: CoverRequest) -> RequestKey:
        asked = None if request.product is CoverProduct.GRADE_COVER else request.amount
        return RequestKey(kind, number, request.policy_number, request.buyer_id, asked, self.client.now())

    def page(self, number: str, token: str | None, ask: Callable[[Part, int], Answer], read: Read[Item]) -> Page[Item]:
        """One page of a list, of one part of the policy after the other."""
        parts = self.policies.parts(number)
        try:
            cursor = Cursor.read(token)
            part = parts[cursor.part]
        except (ValueError, IndexError) as exc:
            raise self.unexpected("this is no token that was given out here", "page") from exc
        context = self.context(number, part)
        answer = ask(part, cursor.page)
        items, unread = answer.read_each(
            Node.items, lambda item: read(item, context), buyer=self._company, number=lambda item: item["coverId"]
        )
        told = answer.headers.get(self.words.fields["total.header"], "")
        total = int(told) if told.isascii() and told.isdecimal() else None
        following = Listing(len(items) + len(unread), self.size, answer.content, total).following(
            cursor, len(parts), self.client.insurer
        )
        return Page(items, following.text() if following else None, total if len(parts) == 1 else None, unread)

    def _company(self, item: Node) -> Node:
        """Whom an entry of any of the lists is about."""
        company = item["company"]
        found = company["companyId"] if isinstance(company.value, dict) else self.words.find(item, "request.company")
        return item["companyId"] if found.value is None else found

    def readable(self, page: Page[Item], company_id: str) -> tuple[Item, ...]:
        """The entries of a page, in which nothing that may be about this company is missing.

        :raises ConnectorError: such an entry cannot be read.
        """
        of_it = tuple(entry for entry in page.unread if entry.buyer_id in ("", company_id))
        return replace(page, unread=of_it).whole().items
