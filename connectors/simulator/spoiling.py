"""Answers made wrong: JSON or XML, by what the answer says it is. An answer of neither kind is left alone."""

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lxml import etree

from .web import Answer

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)

_LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
BILLION_LAUGHS = (f'<?xml version="1.0"?><!DOCTYPE laughs [<!ENTITY l0 "ha">{_LAUGHS}]><laughs>&l9;</laughs>').encode()


def external_entity(address: str) -> Answer:
    content = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "{address}">]><a>&e;</a>'
    return Answer(200, content.encode(), "text/xml; charset=utf-8")


def deep(answer: Answer, levels: int) -> Answer:
    if _is_xml(answer):
        return with_content(answer, b"<a>" * levels + b"</a>" * levels)
    return with_content(answer, b'{"a":' + b"[" * levels + b"]" * levels + b"}")


def with_content(answer: Answer, content: bytes) -> Answer:
    return replace(answer, content=content, status=200 if answer.status == 204 else answer.status)


def replaced(answer: Answer, path: list[str], value: Any) -> Answer:
    """One value is another. In XML the names of ``path`` are local names below the root, a number counts the elements
    of the name before it, and ``None`` takes the element away."""
    if _is_xml(answer):
        root = etree.fromstring(answer.content, _PARSER)
        element = _element(root, path)
        if value is None:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
        else:
            for child in list(element):
                element.remove(child)
            element.text = str(value)
        return with_content(answer, etree.tostring(root))
    if not _is_json(answer):
        return answer
    document = json.loads(answer.content, parse_float=Decimal)
    place = document
    for name in path[:-1]:
        place = place[int(name) if isinstance(place, list) else name]
    place[int(path[-1]) if isinstance(place, list) else path[-1]] = value
    return with_content(answer, json.dumps(document, default=str).encode())


def mistyped(answer: Answer) -> Answer:
    if _is_xml(answer):
        root = etree.fromstring(answer.content, _PARSER)
        for element in root.iter():
            if len(element) == 0 and isinstance(element.tag, str):
                element.text = "?"
        return with_content(answer, etree.tostring(root))
    if not _is_json(answer):
        return answer
    return with_content(answer, json.dumps(_mistyped(json.loads(answer.content))).encode())


def _mistyped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mistyped(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_mistyped(member) for member in value]
    return {"unexpected": True}


def reordered(answer: Answer) -> Answer:
    """The longest list of the answer, or the most numerous kind of sibling elements, backwards."""
    if _is_xml(answer):
        root = etree.fromstring(answer.content, _PARSER)
        parent, tag = max(
            ((element, _commonest(element)) for element in root.iter()),
            key=lambda found: len(found[0].findall(found[1])),
        )
        rows = parent.findall(tag)
        places = [parent.index(row) for row in rows]
        for row in rows:
            parent.remove(row)
        for place, row in zip(places, reversed(rows), strict=True):
            parent.insert(place, row)
        return with_content(answer, etree.tostring(root))
    if not _is_json(answer):
        return answer
    document = json.loads(answer.content, parse_float=Decimal)
    lists = sorted(_lists(document), key=len)
    if lists:
        lists[-1].reverse()
    return with_content(answer, json.dumps(document, default=str, ensure_ascii=False).encode())


def _commonest(element: etree._Element) -> str:
    tags = Counter(child.tag for child in element if isinstance(child.tag, str))
    return tags.most_common(1)[0][0] if tags else "none"


def _lists(value: Any) -> list[list[Any]]:
    if isinstance(value, list):
        return [value, *(inner for member in value for inner in _lists(member))]
    if isinstance(value, dict):
        return [inner for member in value.values() for inner in _lists(member)]
    return []


def _element(root: etree._Element, path: list[str]) -> etree._Element:
    found = [root]
    for name in path:
        if name.isdigit():
            found = [found[int(name)]]
        else:
            found = [child for child in found[0] if etree.QName(child).localname == name]
    return found[0]


def _is_xml(answer: Answer) -> bool:
    return "xml" in answer.content_type and bool(answer.content.strip())


def _is_json(answer: Answer) -> bool:
    return "json" in answer.content_type and bool(answer.content.strip())
