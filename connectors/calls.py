"""What passes through the transport: a ``Call`` goes in, an ``Answer`` comes out, an ``Exchange`` is what is recorded
of every attempt, and ``TransportOptions`` says how patient the transport is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from .errors import UnexpectedResponse
from .jsondoc import Node, ShapeError, decode, shorten
from .messages import Unread
from .xmldoc import XmlNode, decode_xml

Value = TypeVar("Value")
LONGEST_NAME = 100  # characters of an identifier that is quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    """How long to wait, how often to try, how much to accept. Times are in seconds.

    ``total_seconds`` bounds the whole call with its repetitions and the waits between them. ``backoff_seconds`` is
    the first wait; it doubles up to ``backoff_max_seconds``, and each wait is shortened by a random part of up to
    a half, so that workers that failed together do not return together.
    ``ca_bundle`` is the path of a file of certificates to trust instead of the machine's; verification cannot be
    switched off. ``allow_http`` admits a plain-text address outside this machine, for an insurer's gateway inside
    the company's own network.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    total_seconds: float = 90.0
    attempts: int = 4
    backoff_seconds: float = 0.5
    backoff_max_seconds: float = 20.0
    max_bytes: int = 32 * 1024 * 1024
    recorded_chars: int = 64 * 1024
    ca_bundle: str = ""
    allow_http: bool = False
    correlation_header: str = "X-Correlation-Id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to the insurer.

    ``operation`` names it in logs, records and errors; ``path`` is appended to the connection's base address, or is a
    full address at one of the origins the transport was made for.
    ``repeatable`` promises that carrying the call out twice is the same as once: true for what only reads, and for a
    write that carries an idempotency key. Only such a call is repeated after an answer was lost.
    ``reads`` is for a call that only reads: it opens the body of an answer, and one that it cannot open
    (``ShapeError``) was cut short or is somebody else's page, and is asked for again, as after an error of the server.
    """

    operation: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False
    reads: Callable[[bytes], object] | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt as it may be stored: secrets are out, bodies are cut to ``TransportOptions.recorded_chars``.

    ``status`` is ``None`` and ``error`` says why when no answer came. Attempts of one call share ``request_id``.
    """

    insurer: str
    operation: str
    request_id: str
    attempt: int
    started_at: datetime
    seconds: float
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. ``redact`` takes secrets out of a text."""

    insurer: str
    request_id: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    redact: Callable[[str], str] = field(repr=False)

    def read(self, parse: Callable[[Node], Value]) -> Value:
        """The JSON content as ``parse`` understands it.

        :raises UnexpectedResponse: naming the field that is not as documented.
        """
        return self._read(lambda: parse(decode(self.content)))

    def read_each(
        self,
        rows: Callable[[Node], Iterable[Node]],
        read: Callable[[Node], Value],
        *,
        buyer: Callable[[Node], Node],
        number: Callable[[Node], Node] | None = None,
    ) -> tuple[tuple[Value, ...], tuple[Unread, ...]]:
        """What ``read`` makes of each entry of a list, and the entries that are not as documented.

        :param buyer, number: where an entry says whom it is about and what it is called.
        :raises UnexpectedResponse: what came is no list.
        """
        items, unread = [], []
        for row in self.read(lambda node: tuple(rows(node))):
            try:
                items.append(self._read(partial(read, row)))
            except UnexpectedResponse as error:
                names = (self.redact(_identifier(row, find)) if find else "" for find in (buyer, number))
                unread.append(Unread(error, *names))
        return tuple(items), tuple(unread)

    def read_xml(self, parse: Callable[[XmlNode], Value]) -> Value:
        """The XML content as ``parse`` understands it.

        :raises UnexpectedResponse: naming the element that is not as documented.
        """
        return self._read(lambda: parse(decode_xml(self.content)))

    def _read(self, parse: Callable[[], Value]) -> Value:
        try:
            return parse()
        except ShapeError as exc:
            problem = shorten(self.redact(exc.problem))
            exc.args = (problem,)  # the cause is printed with a traceback: it must not show more
            raise UnexpectedResponse(
                problem, insurer=self.insurer, field=exc.field, request_id=self.request_id
            ) from exc


def _identifier(row: Node, find: Callable[[Node], Node]) -> str:
    """What an entry that cannot be read says of itself, empty where it does not say even that."""
    try:
        return shorten(find(row).identifier(), LONGEST_NAME)
    except ShapeError:
        return ""
