"""SINOSURE's server in the policyholder's network: the web service and the JSON gateway, on the simulator's book.

| call | body |
|---|---|
| ``POST /sinosure/ediserver/ws_services/SolEdiProxyWebService`` | SOAP 1.1, document/literal wrapped |
| ``POST /sinosure/ediserver/gateway.do`` | ``{"imethod": …, "datas": …}`` |

Methods and fields are those of the insurer's WSDL. Made up: codes without a public list, the gateway's answers
(``{"datas": […]}`` and ``{"errorCode", "errorMsg"}``). There are no credentials. More than 1,000 records in a call or
an answer are the exception ``EDI-EXC-0002``. Where a policy of the seed has ``callsPerHour``, which is 50 at SINOSURE,
more calls of one method are ``EDI-EXC-0001``.
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from lxml import etree

from .book import Book
from .sinosure_desk import METHODS, ZONE, Desk, EdiError, milliseconds
from .store import Row
from .web import Answer, Refusal, Request, Router, json_answer

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://service.edi.exchange.sinosure.com"
TYPES = "http://po.edi.exchange.sinosure.com"
NAMESPACES = {"soap": SOAP, "s": SERVICE, "p": TYPES}
ROWS = 1000

Parameters = dict[str, Any]


class Sinosure:
    prefix: ClassVar[str] = "/sinosure"

    def __init__(self, book: Book, _api_key: str = "", _token_seconds: int = 0) -> None:
        self._book = book
        self._desk = Desk(book)
        self._calls: dict[str, deque[datetime]] = defaultdict(deque)

    def mount(self, router: Router) -> None:
        router.add("POST", f"{self.prefix}/ediserver/ws_services/SolEdiProxyWebService", self._soap)
        router.add("POST", f"{self.prefix}/ediserver/gateway.do", self._gateway)

    def _carry_out(self, method: str, parameters: Parameters) -> tuple[str, list[Row]]:
        if method not in METHODS:
            raise EdiError("EDI-EXC-0009", f"没有此接口 {method}")
        self._count(method)
        if any(len(value) > ROWS for value in parameters.values() if isinstance(value, list)):
            raise EdiError("EDI-EXC-0002", "单次调用笔数超限")
        try:
            with self._book.store.transaction():
                item, rows = METHODS[method](self._desk, parameters)
        except (KeyError, Refusal) as exc:
            raise EdiError("EDI-EXC-0007", f"没有接收到数据 {exc}") from exc
        if len(rows) > ROWS:
            raise EdiError("EDI-EXC-0002", "单次调用笔数超限")
        return item, rows

    def _count(self, method: str) -> None:
        now, calls = self._book.now(), self._calls[method]
        while calls and calls[0] <= now - timedelta(hours=1):
            calls.popleft()
        allowed = self._desk.calls_per_hour()
        if allowed is not None and len(calls) >= allowed:
            raise EdiError("EDI-EXC-0001", "调用次数超限")
        calls.append(now)

    # --- The web service ------------------------------------------------------------------------------------------

    def _soap(self, request: Request) -> Answer:
        try:
            method, parameters = _read_call(request.body)
        except (etree.XMLSyntaxError, ValueError, LookupError) as exc:
            return _xml(_fault("soap:Client", f"not a call: {exc}"), 500)
        try:
            item, rows = self._carry_out(method, parameters)
        except EdiError as error:
            return _xml(_fault("soap:Server", error.message, error), 500)
        response = etree.Element(etree.QName(SERVICE, f"{method}Response"), nsmap=NAMESPACES)
        if item:
            out = etree.SubElement(response, etree.QName(SERVICE, "out"))
            for row in rows:
                _fill(etree.SubElement(out, etree.QName(TYPES, item)), row)
        return _xml(response)

    # --- The gateway ----------------------------------------------------------------------------------------------

    def _gateway(self, request: Request) -> Answer:
        try:
            members = json.loads(request.body)
            method, datas = members["imethod"], members["datas"]
            parameters = {"rows": datas} if isinstance(datas, list) else dict(datas)
        except (ValueError, LookupError, TypeError) as exc:
            return json_answer({"errorCode": "EDI-EXC-0007", "errorMsg": f"没有接收到数据 {exc}"})
        try:
            item, rows = self._carry_out(method, parameters)
        except EdiError as error:
            return json_answer({"errorCode": error.code, "errorMsg": error.message})
        return json_answer({"datas": [_plain(row) for row in rows]} if item else {})


def _read_call(body: bytes) -> tuple[str, Parameters]:
    """The method and its parameters: texts, lists of texts, or, under ``rows``, the records of an order."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    found = etree.fromstring(body, parser).find(f"{{{SOAP}}}Body")
    if found is None or not len(found):
        raise LookupError("no soap:Body with a call")
    call = found[0]
    parameters: Parameters = {}
    for parameter in call:
        children = list(parameter)
        if children and _local(children[0]) == "string":
            parameters[_local(parameter)] = [child.text or "" for child in children]
        elif children and len(children[0]):
            parameters["rows"] = [{_local(field): field.text or "" for field in child} for child in children]
        elif children:
            parameters["rows"] = [{_local(child): child.text or "" for child in children}]
        else:
            parameters[_local(parameter)] = parameter.text or ""
    return _local(call), parameters


def _fault(code: str, words: str, error: EdiError | None = None) -> etree._Element:
    fault = etree.Element(etree.QName(SOAP, "Fault"), nsmap=NAMESPACES)
    etree.SubElement(fault, "faultcode").text = code
    etree.SubElement(fault, "faultstring").text = words
    if error:
        known = etree.SubElement(etree.SubElement(fault, "detail"), etree.QName(SERVICE, "EdiException"))
        etree.SubElement(known, etree.QName(SERVICE, "errorCode")).text = error.code
        etree.SubElement(known, etree.QName(SERVICE, "errorMsg")).text = error.message
    return fault


def _fill(element: etree._Element, row: Row) -> None:
    for name in sorted(row):
        if isinstance(row[name], dict):
            _fill(etree.SubElement(element, etree.QName(TYPES, name)), row[name])
        elif row[name] is not None:
            etree.SubElement(element, etree.QName(TYPES, name)).text = _text(row[name], lambda day: day.isoformat())


def _plain(row: Row) -> Row:
    return {
        name: _plain(value) if isinstance(value, dict) else _text(value, milliseconds)
        for name, value in row.items()
        if value is not None
    }


def _text(value: object, write: Callable[[datetime], str]) -> str:
    if isinstance(value, datetime):
        return write(value.astimezone(ZONE).replace(microsecond=0))
    if isinstance(value, date):
        return write(datetime(value.year, value.month, value.day, tzinfo=ZONE))
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _xml(content: etree._Element, status: int = 200) -> Answer:
    root = etree.Element(etree.QName(SOAP, "Envelope"), nsmap=NAMESPACES)
    etree.SubElement(root, etree.QName(SOAP, "Body")).append(content)
    body = bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
    return Answer(status, body, "text/xml; charset=utf-8")


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname
