"""The JSON gateway of the same server: ``{"imethod": …, "datas": …}`` with the web service's names.

Seen in a client: an order's ``datas`` is the list of its records, a question's the object of its parameters, values
are texts, dates milliseconds since 1970 as texts. Answers were not seen: a list, or an object with ``datas`` or
``out``, is taken for the records, and an ``errorCode`` for a refusal.
"""

import base64
from collections.abc import Mapping
from datetime import date, timezone
from decimal import Decimal
from typing import ClassVar

from .calls import Answer
from .jsondoc import Json, Node, ShapeError, decode, encode
from .sinosure_wire import (
    FEEDBACK,
    Parameters,
    Record,
    Records,
    Row,
    Scalar,
    Texts,
    Wire,
    edi_error,
    milliseconds,
    present,
)

RESULTS = ("datas", "out")  # members in which records come


class GatewayWire(Wire):
    endpoint: ClassVar[str] = "gateway"
    content_type: ClassVar[str] = "application/json"

    def open(self, content: bytes) -> Node:
        return decode(content)

    def write(self, method: str, parameters: Parameters) -> bytes:
        values = list(parameters.values())
        datas: Json
        if len(values) == 1 and isinstance(values[0], Records):
            datas = [_fields(row, self.zone) for row in values[0].rows]
        elif len(values) == 1 and isinstance(values[0], Record):
            datas = [_fields(values[0].fields, self.zone)]
        else:
            datas = {name: _member(value, self.zone) for name, value in parameters.items()}
        return encode({"imethod": method, "datas": datas})

    def read(self, answer: Answer, method: str, item: str) -> tuple[Row, ...]:
        if item == FEEDBACK and not answer.content.strip():
            return ()
        return answer.read(lambda node: tuple(Row(record, self.zone) for record in _records(node, item)))

    def _object(self, answer: Answer) -> None:
        if b"errorCode" not in answer.content:
            return
        try:
            node = decode(answer.content)
            if not isinstance(node.value, dict) or not node.value.get("errorCode"):
                return
            code, words = node["errorCode"].identifier(), node["errorMsg"].optional(Node.text) or ""
        except ShapeError:
            return
        raise edi_error(answer, code, words)


def _records(node: Node, item: str) -> list[Node]:
    if isinstance(node.value, dict) and not (item == FEEDBACK and "returnCode" in node.value):
        name = next((name for name in RESULTS if name in node.value), "")
        if not name and item != FEEDBACK:  # nothing that we can read is not nothing there
            raise ShapeError(node.path or RESULTS[0], f"expected {item}")
        node = node[name or RESULTS[0]]
    if node.value is None or (item == FEEDBACK and not isinstance(node.value, dict | list)):
        return []
    if isinstance(node.value, dict):
        return [node]
    records = list(node.items())
    if item == FEEDBACK:  # what an order answers is taken as a whole
        for record in records:
            if not isinstance(record.value, dict):
                raise ShapeError(record.path, f"expected {item}")
    return records


def _member(value: Scalar | Record | Records | Texts, zone: timezone) -> Json:
    if isinstance(value, Record):
        return _fields(value.fields, zone)
    if isinstance(value, Records):
        return [_fields(row, zone) for row in value.rows]
    if isinstance(value, Texts):
        return list(value.values)
    return _text(value, zone)


def _fields(fields: Mapping[str, Scalar], zone: timezone) -> Json:
    return {name: _text(value, zone) for name, value in present(fields).items()}


def _text(value: Scalar, zone: timezone) -> str:
    if isinstance(value, date):
        return milliseconds(value, zone)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)
