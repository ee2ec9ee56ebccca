"""XML after the published schema. A record that does not follow it costs that record only."""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

from lxml import etree

from ..jsondoc import ShapeError
from ..words import _, words_of
from ..xmldoc import decode_xml
from .cells import Raw, Value, render
from .columns import Cell, Column, Part
from .problems import FileError, Problem, ProblemKind
from .records import KINDS, Draft, Record
from .rows import MAX_ROWS
from .schema import NAMESPACE, VERSION, schema
from .schemawords import told

TAG = f"{{{NAMESPACE}}}"
NSMAP: Any = {None: NAMESPACE}


# --- Writing ----------------------------------------------------------------------------------------------------


def write_xml(records: Iterable[Record]) -> bytes:
    """:raises FileError: what was written does not follow the schema."""
    root = etree.Element(f"{TAG}exchange", nsmap=NSMAP, version=VERSION)
    for record in records:
        element = etree.SubElement(root, TAG + record.kind.code)
        _write(element, record.kind.columns, record.head)
        for part in record.kind.parts:
            lines = record.parts[part.name]
            if not lines:
                continue
            holder = etree.SubElement(element, TAG + part.name)
            for line in lines:
                _write(holder if part.single else etree.SubElement(holder, TAG + part.item), part.columns, line)
    if not schema().validate(root):
        error = _errors()[0]
        raise FileError(told(error.message.replace(TAG, "")), column=_column(error.message))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _write(element: etree._Element, columns: tuple[Column, ...], values: dict[str, Value]) -> None:
    for column in columns:
        if values[column.name] is not None:
            text = render(column, values[column.name])
            etree.SubElement(element, TAG + column.name).text = text if column.cell is Cell.TEXT else text.strip()


# --- Reading ----------------------------------------------------------------------------------------------------


def read_xml(content: bytes, problems: list[Problem]) -> Iterator[Draft]:
    """:raises FileError: not XML, XML that could do harm, or no document of the exchange."""
    try:
        root = decode_xml(content).element
    except ShapeError as exc:
        raise FileError(words_of(exc)) from exc
    assert root is not None
    if root.tag != f"{TAG}exchange":
        words = _(
            "the document is a %(name)s, expected exchange of %(space)s", name=str(root.tag)[:100], space=NAMESPACE
        )
        raise FileError(words, line=1)
    if root.get("version", VERSION) != VERSION:
        version = root.get("version", "")[:20]
        raise FileError(_("version %(version)s of the exchange is not known", version=version), line=1)
    if len(root) > MAX_ROWS:
        raise FileError(_("more than %(most)s records", most=MAX_ROWS))
    etree.strip_tags(root, etree.Comment)
    valid = schema().validate(root)
    for element in root:
        if valid or _follows(element, problems):
            yield _draft(element)


def _follows(element: etree._Element, problems: list[Problem]) -> bool:
    """Whether one record by itself follows the schema."""
    alone = etree.Element(f"{TAG}exchange", nsmap=NSMAP)
    alone.append(deepcopy(element))
    if schema().validate(alone):
        return True
    for error in _errors()[:3]:
        known = etree.QName(element).localname in KINDS
        kind = ProblemKind.VALUE if known else ProblemKind.RECORD
        problems.append(Problem(kind, told(error.message.replace(TAG, "")), _line(element), _column(error.message)))
    return False


def _draft(element: etree._Element) -> Draft:
    kind = KINDS[etree.QName(element).localname]
    draft = Draft(kind, _line(element), head=_cells(element, kind.columns))
    for part in kind.parts:
        holder = element.find(TAG + part.name)
        if holder is not None:
            draft.parts[part.name] = list(_lines(holder, part))
    return draft


def _lines(holder: etree._Element, part: Part) -> Iterator[tuple[int, dict[str, Raw]]]:
    for line in [holder] if part.single else holder:
        yield _line(line), _cells(line, part.columns)


def _cells(element: etree._Element, columns: tuple[Column, ...]) -> dict[str, Raw]:
    found = ((column.name, element.find(TAG + column.name)) for column in columns)
    return {name: child.text or "" for name, child in found if child is not None}


def _errors() -> list[Any]:
    log: Any = schema().error_log
    return list(log)


def _line(element: Any) -> int:
    return int(element.sourceline or 0)


def _column(message: str) -> str:
    found = re.match(rf"Element '(?:{re.escape(TAG)})?(\w{{1,60}})'", message)
    return found.group(1) if found else ""
