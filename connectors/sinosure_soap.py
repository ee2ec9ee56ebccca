"""SINOSURE's web service: document/literal wrapped SOAP, built and read with lxml.

Names of methods, parameters, types and fields are those of classes generated from the insurer's WSDL; SOAP 1.1 is
unverified. Parameters stand in the order of the method, fields in the order of their names, results in ``out``.
"""

import base64
import re
from collections.abc import Mapping
from datetime import date, timezone
from decimal import Decimal
from typing import ClassVar

from lxml import etree

from .calls import Answer
from .errors import RejectedByInsurer, Sent, TransportError
from .jsondoc import ShapeError, shorten
from .sinosure_wire import FEEDBACK, Parameters, Record, Records, Row, Scalar, Texts, Wire, edi_error, local, present
from .xmldoc import XmlNode, decode_xml

TAKEN = 202  # HTTP status
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://service.edi.exchange.sinosure.com"
TYPES = "http://po.edi.exchange.sinosure.com"
NAMESPACES = {"soap": SOAP, "s": SERVICE, "p": TYPES}

# Characters that no XML document may hold.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SoapWire(Wire):
    endpoint: ClassVar[str] = "soap"
    content_type: ClassVar[str] = "text/xml; charset=utf-8"
    headers: ClassVar[Mapping[str, str]] = {"Accept": "text/xml", "SOAPAction": '""'}

    def open(self, content: bytes) -> XmlNode:
        return open_envelope(content)

    def write(self, method: str, parameters: Parameters) -> bytes:
        root = etree.Element(etree.QName(SOAP, "Envelope"), nsmap=NAMESPACES)
        body = etree.SubElement(root, etree.QName(SOAP, "Body"))
        call = etree.SubElement(body, etree.QName(SERVICE, method))
        for name, value in parameters.items():
            element = etree.SubElement(call, etree.QName(SERVICE, name))
            if isinstance(value, Record):
                _fill(element, value.fields, self.zone)
            elif isinstance(value, Records):
                for row in value.rows:
                    _fill(etree.SubElement(element, etree.QName(TYPES, value.item)), row, self.zone)
            elif isinstance(value, Texts):
                for text in value.values:
                    etree.SubElement(element, etree.QName(SERVICE, "string")).text = _text(text, self.zone)
            else:
                element.text = _text(value, self.zone)
        return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))

    def read(self, answer: Answer, method: str, item: str) -> tuple[Row, ...]:
        def rows(root: XmlNode) -> tuple[Row, ...]:
            response = root["Body"][f"{method}Response"]
            if root.name != "Envelope" or response.element is None:
                raise ShapeError(response.path, "expected the answer to the call")
            return tuple(Row(node, self.zone) for node in _records(response, item))

        if item == FEEDBACK and answer.status == TAKEN and not answer.content.strip():  # a method that answers nothing
            return ()
        return answer.read_xml(rows)

    def _object(self, answer: Answer) -> None:
        """A fault, whatever the HTTP status. One that is no ``EdiException`` is the server's or our own failure."""
        if b"Fault" not in answer.content:
            return
        try:
            fault = decode_xml(answer.content)["Body"]["Fault"]
            if fault.element is None:
                return
            known = _edi_exception(fault)
            code, words = (
                (known["errorCode"], known["errorMsg"]) if known else (fault["faultcode"], fault["faultstring"])
            )
            raw_code, raw_words = code.optional(XmlNode.text) or "", words.optional(XmlNode.text) or ""
        except ShapeError:
            return
        if known:
            raise edi_error(answer, raw_code, raw_words)
        raise _other_fault(answer, raw_code.strip(), raw_words.strip())


def open_envelope(content: bytes) -> XmlNode:
    """:raises ShapeError: not XML, or a page of somebody else's."""
    root = decode_xml(content)
    if root.name != "Envelope":
        raise ShapeError(root.path, "expected an Envelope")
    return root


def _other_fault(answer: Answer, code: str, words: str) -> RejectedByInsurer | TransportError:
    words = shorten(answer.redact(words)) or "no explanation"
    if code.rpartition(":")[2] == "Client":
        return RejectedByInsurer(
            insurer=answer.insurer, code=code, words=words, status=answer.status, request_id=answer.request_id
        )
    return TransportError(
        f"the server failed ({answer.redact(code)}): {words}",
        insurer=answer.insurer,
        retryable=True,
        sent=Sent.YES,
        request_id=answer.request_id,
    )


def _edi_exception(fault: XmlNode) -> XmlNode | None:
    return next((node for node in fault["detail"].children() if node.name == "EdiException"), None)


def _records(response: XmlNode, item: str) -> list[XmlNode]:
    """The records of type ``item`` in a result, which may come in several parts."""
    results = list(response.children("out"))
    if not results and (text := response.optional(XmlNode.text)):
        raise ShapeError(response.path, f"expected {item}, got {text!r}")
    return [record for out in results for record in _records_of(out, item)]


def _records_of(out: XmlNode, item: str) -> list[XmlNode]:
    """A result may also be one record itself, or, of an order, none."""
    children = list(out.children())
    if not children:
        if text := out.optional(XmlNode.text):
            raise ShapeError(out.path, f"expected {item}, got {text!r}")
        return []
    others = [child for child in children if child.name != item]
    if not others:
        return [child for child in children if not _is_empty(child)]
    if len(others) == len(children) and any(next(child.children(), None) is None for child in children):
        return [out]
    raise ShapeError(others[0].path, f"expected {item}")


def _is_empty(record: XmlNode) -> bool:
    """One that holds a text is no record and not nothing either: whoever reads it will say so."""
    return next(record.children(), None) is None and record.optional(XmlNode.text) is None


def _fill(element: etree._Element, fields: Mapping[str, Scalar], zone: timezone) -> None:
    for name, value in present(fields).items():
        etree.SubElement(element, etree.QName(TYPES, name)).text = _text(value, zone)


def _text(value: Scalar, zone: timezone) -> str:
    if isinstance(value, date):
        return local(value, zone).isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else _FORBIDDEN.sub(" ", str(value))
