"""Reading XML from outside without trusting it: no DTD, no entities, no network, no giant trees.

``decode_xml`` turns bytes into an ``XmlNode``, which reads like ``jsondoc.Node`` and raises the same ``ShapeError``
with the path of the offending element::

    >>> answer = decode_xml(b'<a xmlns="urn:x"><row><sum>60000.10</sum></row><row><sum>abc</sum></row></a>')
    >>> first, second = answer.children("row")
    >>> first["sum"].decimal(), first["end"].optional(XmlNode.date)
    (Decimal('60000.10'), None)
    >>> second["sum"].decimal()
    Traceback (most recent call last):
    ...
    connectors.jsondoc.ShapeError: a.row[1].sum: expected a decimal number, got 'abc'

Elements are named by their local name: servers differ in prefixes. An element that is missing, empty or ``xsi:nil``
is a null.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NoReturn, TypeVar

from lxml import etree

from .jsondoc import QUOTED, Node, ShapeError, shorten
from .masking import HIDDEN, SECRET_NAMES
from .words import _

Value = TypeVar("Value")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9:.]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class XmlNode:
    """One element, or the absence of one, with the path that leads to it."""

    __slots__ = ("element", "path")

    def __init__(self, element: etree._Element | None, path: str) -> None:
        self.element = element
        self.path = path

    @property
    def name(self) -> str:
        return "" if self.element is None else _local(self.element)

    def __getitem__(self, name: str) -> "XmlNode":
        """The child ``name``. More than one where one is expected is a ``ShapeError``."""
        path = f"{self.path}.{name}"
        found = [] if self.element is None else [child for child in self.element if _local(child) == name]
        if len(found) > 1:
            raise ShapeError(path, f"expected one element, got {len(found)}")
        return XmlNode(found[0] if found else None, path)

    def children(self, name: str = "") -> Iterator["XmlNode"]:
        """The children, or those called ``name``, in order."""
        if self.element is None:
            return
        found = (child for child in self.element if isinstance(child.tag, str) and name in ("", _local(child)))
        for index, child in enumerate(found):
            yield XmlNode(child, f"{self.path}.{_local(child)}[{index}]")

    def attribute(self, name: str) -> str:
        return "" if self.element is None else str(self.element.get(name, ""))

    def optional(self, read: Callable[["XmlNode"], Value]) -> Value | None:
        """``read(node)``, or ``None`` when the element is missing, empty or nil."""
        return None if self._text() is None else read(self)

    def text(self) -> str:
        return self._node().text()

    def identifier(self) -> str:
        return self._node().identifier()

    def integer(self) -> int:
        """A whole number; some servers write it as ``30.0``."""
        number = self.decimal()
        if number != number.to_integral_value():
            self._fail("a whole number")
        return Node(int(number), self.path).integer()

    def decimal(self) -> Decimal:
        return self._node().decimal()

    def amount(self) -> Decimal:
        return self._node().amount()

    def percentage(self) -> Decimal:
        return self._node().percentage()

    def currency(self) -> str:
        return self._node().currency()

    def boolean(self) -> bool:
        text = (self._value() or "").lower()
        if text not in ("true", "false", "1", "0"):
            self._fail("true or false")
        return text in ("true", "1")

    def date(self) -> date:
        """The day of an ``xs:date`` or of an ``xs:dateTime``, as written, whatever the time zone."""
        text = self._value()
        day = _DAY.fullmatch(text or "")
        return Node(day[1] if day else text, self.path).date()

    def instant(self) -> datetime:
        return self._node().instant()

    def _node(self) -> Node:
        return Node(self._value(), self.path)

    def _value(self) -> str | None:
        """The text of an element that holds no others: nothing is pieced together."""
        if self.element is not None and len(self.element):
            raise ShapeError(self.path, "expected a value, got elements")
        return self._text()

    def _fail(self, expected: str) -> NoReturn:
        got = HIDDEN if SECRET_NAMES.search(self.path) else shorten(repr(self._text()), QUOTED)
        raise ShapeError(self.path, f"expected {expected}, got {got}")

    def _text(self) -> str | None:
        if self.element is None or self.element.get(XSI_NIL) in ("true", "1"):
            return None
        return "".join(map(str, self.element.itertext())).strip() or None


def decode_xml(body: bytes) -> XmlNode:
    """Parse an XML document, strictly.

    :raises ShapeError: not XML, a DTD (and so any entity of its own), too deep or too large a tree.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise ShapeError("", _("not XML (%(reason)s)", reason=str(exc))) from exc
    if root.getroottree().docinfo.internalDTD is not None:
        raise ShapeError("", _("a document type is not accepted"))
    return XmlNode(root, _local(root))


def write_xml(node: XmlNode) -> bytes:
    """The element as a document of its own, canonical, in UTF-8; empty for an element that is missing."""
    if node.element is None:
        return b""
    return bytes(etree.tostring(node.element, method="c14n", exclusive=True, with_tail=False))


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
