"""How Coface's ICON Data API is called: token, headers, pages, the limit of calls.

All of it is in the insurer's public documentation: user name and password are exchanged for an ``idToken``, which is
shown as it is in ``authorization``, without a scheme; lists come by ``range=offset-count``, at most 20 at once, as
HTTP 206 while there is more, and ``Content-Range`` counts them; 60 calls a minute per endpoint, told by
``X-RateLimit-Remaining`` and refused by HTTP 429.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from .bearer import BearerTransport
from .calls import Answer, Call
from .coface_settings import reachable
from .connection import AddressBook, Connection, Rate
from .errors import RateLimited, RejectedByInsurer, UnexpectedResponse
from .jsondoc import Json, Node, ShapeError, decode, encode
from .messages import Page
from .redaction import Redactor
from .tokens import TokenCache
from .transport import PARTIAL, Transport
from .xmldoc import decode_xml

Item = TypeVar("Item")
Value = TypeVar("Value")

WINDOW = 60.0  # seconds of the limit
RATE = Rate(60, WINDOW)
PAGE = 20
PAGES = 500  # of one list, after which it is taken to be broken
TOKEN_SECONDS = 3600.0
NOT_FOUND = "resource_not_found"
OPENED = {"json": decode, "xml": decode_xml}  # forms of a report that can be seen to be whole
REMAINING = "X-RateLimit-Remaining"


class Client:
    """:param settings: the checked settings of the connection."""

    def __init__(self, insurer: str, connection: Connection, settings: Mapping[str, str]) -> None:
        self.insurer = insurer
        self.credentials = connection.credentials
        self.addresses = AddressBook(insurer, connection, reachable(connection))
        self.redactor = Redactor(connection.credentials)
        self._language = settings["language"]
        self.transport = Transport(
            insurer,
            self.addresses.base(),
            self.redactor,
            explain=explain,
            options=connection.options,
            hooks=connection.hooks,
            origins=self.addresses.urls(),
            objection=object_to_too_many,
        )
        tokens = TokenCache(
            self._take_token,
            identity=(insurer, self.addresses["token"], *(self.credentials[name] for name in sorted(self.credentials))),
            learn=self.redactor.add,
            store=connection.token_store,
            clock=connection.wall_clock,
        )
        self._bearer = BearerTransport(self.transport, tokens, headers=lambda token: {"authorization": token})
        self._used_up: dict[str, float] = {}
        self.now = self.transport.hooks.now

    def close(self) -> None:
        self.transport.close()

    # --- Calls --------------------------------------------------------------------------------------------------

    def get(self, operation: str, endpoint: str, query: Mapping[str, str] | None = None, /, **names: str) -> Answer:
        path = self.addresses.fill(endpoint, **names)
        call = Call(operation=str(operation), method="GET", path=path, query=query or {}, repeatable=True, reads=decode)
        return self._send(endpoint, call)

    def write(self, operation: str, endpoint: str, body: Json) -> Answer:
        """Sent once: the insurer keeps our reference, but does not know it again."""
        path = self.addresses[endpoint]
        return self._send(endpoint, Call(operation=str(operation), method="POST", path=path, body=encode(body)))

    def publication(self, operation: str, delivery_id: str, form: str, settings: Mapping[str, str]) -> Answer:
        """The content of a delivery; HTTP 202 says that it is not finished, 205 that it was cancelled."""
        call = Call(
            operation=str(operation),
            method="GET",
            path=self.addresses["publications"],
            query={settings["publication_key"]: delivery_id, "format": form},
            headers={"Accept": "*/*"},
            repeatable=True,
            reads=OPENED.get(form),
        )
        return self._send("publications", call)

    def look_up(
        self, operation: str, endpoint: str, query: Mapping[str, str], read: Callable[[Node], Value]
    ) -> Value | None:
        """What ``read`` makes of the answer; ``None`` where the insurer says that it has no such thing."""
        try:
            answer = self.get(operation, endpoint, query)
        except RejectedByInsurer as refusal:
            if refusal.code == NOT_FOUND:
                return None
            raise
        return answer.read(read)

    def page(
        self, operation: str, endpoint: str, query: Mapping[str, str], read: Callable[[Node], Item], token: str | None
    ) -> Page[Item]:
        """One page of a list; its token is the number of entries before it."""
        offset = self._offset(token)
        try:
            answer = self.get(operation, endpoint, {**query, "range": f"{offset}-{PAGE}"})
        except RejectedByInsurer as refusal:
            if refusal.code == NOT_FOUND:
                return Page(())
            raise
        items, unread = answer.read_each(
            Node.items, read, buyer=lambda item: item["companyId"], number=lambda item: item["id"]
        )
        total = read_total(answer.headers.get("Content-Range", ""))
        count = len(items) + len(unread)
        end = offset + count
        if not count and total is not None and offset < total:
            raise UnexpectedResponse(f"{total} entries are counted, none came", insurer=self.insurer, field="range")
        more = count > 0 and (answer.status == PARTIAL if total is None else end < total)
        return Page(items, str(end) if more else None, total, unread)

    def all(
        self, operation: str, endpoint: str, query: Mapping[str, str], read: Callable[[Node], Item]
    ) -> Iterator[Item]:
        """:raises UnexpectedResponse: the list does not end, or an entry cannot be read."""
        for page in self.pages(operation, endpoint, query, read):
            yield from page.whole().items

    def pages(
        self, operation: str, endpoint: str, query: Mapping[str, str], read: Callable[[Node], Item]
    ) -> Iterator[Page[Item]]:
        """:raises UnexpectedResponse: the list does not end."""
        token: str | None = None
        for _page in range(PAGES):
            page = self.page(operation, endpoint, query, read, token)
            yield page
            token = page.next_token
            if token is None:
                return
        raise UnexpectedResponse("the list does not end", insurer=self.insurer, field="range")

    def _offset(self, token: str | None) -> int:
        if token is not None and not token.isdecimal():
            raise UnexpectedResponse(f"{token!r} is no page of ours", insurer=self.insurer, field="range")
        return int(token or 0)

    def _send(self, endpoint: str, call: Call) -> Answer:
        """:raises RateLimited: also without a call, while the insurer's last answer said that none is left."""
        clock = self.transport.hooks.clock
        left = self._used_up.get(endpoint, 0.0) - clock()
        if endpoint in self._used_up and left > 0:
            raise RateLimited(
                f"{call.operation}: the calls of this minute are used up", insurer=self.insurer, retry_after=left
            )
        own = {"x-api-key": self.credentials["api_key"], "Accept-Language": self._language}
        answer = self._bearer.send(replace(call, headers={**call.headers, **own}))
        if answer.headers.get(REMAINING, "").strip() == "0":
            self._used_up[endpoint] = clock() + WINDOW
        return answer

    def _take_token(self) -> tuple[str, float]:
        body = {
            "username": self.credentials["username"],
            "password": self.credentials["password"],
            "grantType": "password",
        }
        call = Call(
            operation="authorize",
            method="POST",
            path=self.addresses["token"],
            body=encode(body),
            headers={"x-api-key": self.credentials["api_key"]},
            repeatable=True,
            reads=decode,
        )
        return self.transport.send(call).read(read_token)


def read_token(node: Node) -> tuple[str, float]:
    """The ``idToken`` and how long it lasts: an hour, where that is not told."""
    seconds = node["expiresIn"].optional(Node.decimal)
    return node["idToken"].identifier(), TOKEN_SECONDS if seconds is None else float(seconds)


def read_total(content_range: str) -> int | None:
    """``0-20/200``; the documentation writes the dash in two ways."""
    found = re.fullmatch(r".*/\s*([0-9]{1,9})\s*", content_range)
    return int(found[1]) if found else None


def explain(error: Node) -> tuple[str, str]:
    """Code and words of an error answer: ``{"messages": [{"code", "message"}]}``, or the gateway's ``{"message"}``."""
    listed = error["messages"]
    if listed.value is None:
        return "", error["message"].text()
    messages = [(_text(item, "code"), _text(item, "message")) for item in listed.items()]
    if not messages:
        raise ShapeError(listed.path, "no explanation")
    return messages[0][0], "; ".join(words for _code, words in messages)


def _text(node: Node, name: str) -> str:
    return node[name].optional(Node.text) or ""


def object_to_too_many(answer: Answer) -> None:
    """A refusal for too many calls that does not say how long to wait: at most the minute they are counted in."""
    if answer.status == 429 and "Retry-After" not in answer.headers:
        raise RateLimited(
            "HTTP 429: too many calls", insurer=answer.insurer, request_id=answer.request_id, retry_after=WINDOW
        )
