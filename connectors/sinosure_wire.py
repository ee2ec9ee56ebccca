"""How SINOSURE is spoken to, whichever of its two formats is used.

A question or an order is a method with parameters. A parameter is a plain value, a list of texts (``Texts``), one
record (``Record``) or up to 1,000 of them (``Records``); what comes back is a tuple of ``Row``.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import ClassVar

from .calls import Answer, Call, TransportOptions
from .connection import AddressBook, Connection, Endpoint
from .errors import ConfigurationError, ConnectorError, RateLimited, RejectedByInsurer
from .jsondoc import Node, ShapeError, encode, shorten
from .redaction import Redactor
from .sinosure_codes import HOUR, ROWS_PER_CALL, TOO_MANY_CALLS, TOO_MANY_ROWS
from .transport import Transport
from .xmldoc import XmlNode, write_xml

Scalar = str | int | Decimal | date | datetime | bytes | None
Fields = Mapping[str, Scalar]

FEEDBACK = "EdiFeedback"  # what some orders answer, and others do not
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENDPOINTS: Mapping[str, Endpoint] = {
    "soap": Endpoint("/ediserver/ws_services/SolEdiProxyWebService"),
    "gateway": Endpoint("/ediserver/gateway.do"),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One complex value. Fields without a value are left out."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class Records:
    """Values of the complex type ``item``."""

    item: str
    rows: tuple[Fields, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    values: tuple[str, ...]


Parameters = Mapping[str, Scalar | Record | Records | Texts]


class Row:
    """One record of an answer. A field that is missing, empty or nil is ``""`` or ``None``; a field of another type
    than asked for is a ``ShapeError`` that names it."""

    __slots__ = ("_node", "_zone")

    def __init__(self, node: XmlNode | Node, zone: timezone) -> None:
        self._node = node
        self._zone = zone

    def text(self, name: str) -> str:
        return self._leaf(name).optional(Node.text) or ""

    def identifier(self, name: str) -> str:
        return self._leaf(name).identifier()

    def amount(self, name: str) -> Decimal | None:
        """An amount as a plain number: a Java double may come as ``1.0E7``."""
        number = self._leaf(name).optional(Node.amount)
        return None if number is None else Decimal(format(number, "f"))

    def percentage(self, name: str, factor: Decimal) -> Decimal | None:
        number = self._leaf(name).optional(Node.amount)
        if number is None:
            return None
        return Node(Decimal(format(number * factor, "f")), self._leaf(name).path).percentage()

    def moment(self, name: str) -> datetime | None:
        """An instant in UTC; without an offset it is SINOSURE's local time."""
        leaf = self._leaf(name)
        text = leaf.optional(Node.text)
        if text is None:
            return None
        try:
            return _instant(text, self._zone).astimezone(UTC)
        except (ValueError, OverflowError) as exc:
            raise ShapeError(leaf.path, f"expected a time, got {text!r}") from exc

    def day(self, name: str) -> date | None:
        """The calendar day at SINOSURE of a date or an instant."""
        moment = self.moment(name)
        return None if moment is None else moment.astimezone(self._zone).date()

    def record(self, name: str) -> "Row | None":
        node = self._node[name]
        if isinstance(node, XmlNode):
            return Row(node, self._zone) if any(True for _child in node.children()) else None
        if node.value is None or isinstance(node.value, dict):
            return Row(node, self._zone) if node.value else None
        raise ShapeError(node.path, "expected a record")

    def field_path(self, name: str) -> str:
        return self._leaf(name).path

    def source(self) -> tuple[bytes, str]:
        """The record as it came, and its media type."""
        if isinstance(self._node, XmlNode):
            return write_xml(self._node), "application/xml"
        return encode(self._node.value), "application/json"

    def _leaf(self, name: str) -> Node:
        child = self._node[name]
        if isinstance(child, XmlNode):
            return Node(child.optional(XmlNode.text), child.path)
        value = child.value
        if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
            return Node(format(value, "f") if isinstance(value, Decimal) else str(value), child.path)
        return Node(value.strip() or None, child.path) if isinstance(value, str) else child


class Wire(ABC):
    """One connection to the server in the policyholder's network, in one format."""

    endpoint: ClassVar[str]
    content_type: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, insurer: str, connection: Connection, zone: timezone) -> None:
        self.zone = zone
        unknown = sorted(set(connection.addresses) - set(ENDPOINTS))
        if unknown:
            raise ConfigurationError(f"no endpoint {', '.join(unknown)}", insurer=insurer)
        own = {name: url for name, url in connection.addresses.items() if name == self.endpoint}
        mine = replace(connection, addresses=own)
        addresses = AddressBook(insurer, mine, {self.endpoint: ENDPOINTS[self.endpoint]})
        self._address = addresses[self.endpoint]
        self.transport = Transport(
            insurer,
            addresses.base(),
            Redactor(connection.credentials),
            options=_options(connection.options, self._address),
            hooks=connection.hooks,
            origins=addresses.urls(),
            objection=self._object,
        )

    def close(self) -> None:
        self.transport.close()

    def send(self, method: str, parameters: Parameters, item: str) -> tuple[Row, ...]:
        """Call ``method``; the records of type ``item`` in its answer.

        Repeatable always: a question changes nothing, and what is sent carries its corpSerialNo. The calls are counted
        by their method, as SINOSURE counts them.
        """
        call = Call(
            operation=method,
            method="POST",
            path=self._address,
            body=self.write(method, parameters),
            content_type=self.content_type,
            headers=self.headers,
            repeatable=True,
            reads=None if item == FEEDBACK else self.open,
        )
        return self.read(self.transport.send(call), method, item)

    @abstractmethod
    def open(self, content: bytes) -> object:
        """The document in which records come; a ``ShapeError`` for anything else."""

    @abstractmethod
    def write(self, method: str, parameters: Parameters) -> bytes:
        """The request."""

    @abstractmethod
    def read(self, answer: Answer, method: str, item: str) -> tuple[Row, ...]:
        """The records of an answer."""

    @abstractmethod
    def _object(self, answer: Answer) -> None:
        """Raise what an answer says that it is a refusal."""


def edi_error(answer: Answer, code: str, words: str) -> ConnectorError:
    """What ``EdiException`` stands for."""
    code, words = answer.redact(code), shorten(answer.redact(words).strip())
    if code == TOO_MANY_CALLS:
        message = f"{code}: more calls than SINOSURE allows in an hour. {words}".strip()
        return RateLimited(message, insurer=answer.insurer, retry_after=HOUR, request_id=answer.request_id)
    if code == TOO_MANY_ROWS:
        words = f"{words} (at most {ROWS_PER_CALL} records per call)".strip()
    return RejectedByInsurer(
        insurer=answer.insurer,
        code=code,
        words=words or "no explanation",
        status=answer.status,
        request_id=answer.request_id,
    )


def is_too_many_rows(error: ConnectorError) -> bool:
    return isinstance(error, RejectedByInsurer) and error.code == TOO_MANY_ROWS


def local(value: date | datetime, zone: timezone) -> datetime:
    """The instant in SINOSURE's local time; of a day, its first moment."""
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(microsecond=0)
    return datetime(value.year, value.month, value.day, tzinfo=zone)


def milliseconds(value: date | datetime, zone: timezone) -> str:
    return str((local(value, zone) - EPOCH) // timedelta(milliseconds=1))


def present(fields: Fields) -> dict[str, Scalar]:
    """The fields that have a value, in the order of their names."""
    return {name: fields[name] for name in sorted(fields) if fields[name] not in (None, "", b"")}


def _options(options: TransportOptions | None, address: str) -> TransportOptions:
    """The server is the policyholder's own, inside its network, and speaks plain HTTP there: an ``http`` address, which
    an administrator entered, is admitted."""
    options = options or TransportOptions()
    return replace(options, allow_http=True) if address.lower().startswith("http:") else options


def _instant(text: str, zone: timezone) -> datetime:
    if re.fullmatch(r"\d{12,13}", text):
        return EPOCH + timedelta(milliseconds=int(text))
    if re.fullmatch(r"\d{14}", text):
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=zone)
    if not re.match(r"\d{4}-?\d\d-?\d\d(?:$|[T ])", text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
