"""Colours for a rule's text while it is typed: what each word is, however broken the text.

when: amount_overdue > 1.1 * limit_in_force   # why
key   signal         operator number signal   comment
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from .signals import RESERVED_WORDS

Span = tuple[int, int, str]
KINDS = (
    *("comment", "key", "text", "string", "placeholder", "number", "date", "unit", "operator", "keyword", "signal"),
    "punctuation",
)
TEXT_FIELDS = frozenset({"pack", "key", "title", "name", "label", "help", "example", "reason", "message", "unit"})
WORD_FIELDS = frozenset({"scope", "severity", "type", "expect", "hit", "actions", "companies", "choices"})
_KEYWORDS = RESERVED_WORDS | {"min", "max", "null"}
_TOKEN = re.compile(
    r"""(?P<comment>(?<!\S)\#[^\n]*)
    |(?P<key>[A-Za-z_][A-Za-z0-9_]*)(?=[ \t]*:(?:[ \t,\]}]|$))
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|["'][^\n]*)
    |(?P<date>\b\d{4}-\d{2}-\d{2}\b)
    |(?P<number>(?<![\w.])-?\d[\d_]*(?:\.\d+)?)
    |(?P<unit>%|\bdays?\b)
    |(?P<operator><=|>=|!=|[=<>*/+]|-(?=\s+[\w(]))
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<punctuation>[-:,\[\]{}()])""",
    re.VERBOSE | re.MULTILINE,
)
_PLACEHOLDER = re.compile(r"\{\{|\}\}|(?P<name>\{[A-Za-z_]\w*\})")
_LINE_START, _HEAD = re.compile("^", re.MULTILINE), re.compile(r"(?P<indent>[ \t]*)(?:-[ \t]+)*")

_COLON = re.compile(r"[ \t]*:[ \t]*")
_FLOW_TEXT, _LINE_TEXT, _COMMENT = re.compile(r"[^\n,\]}]*"), re.compile(r"[^\n]*"), re.compile(r"\s#")


def tokens(text: str) -> list[Span]:
    """Return (start, end, kind) of what the text is made of, in order and without overlaps; kinds are ``KINDS``."""
    found: list[Span] = []
    lines = [match.start() for match in _LINE_START.finditer(text)]
    heads = [_HEAD.match(text, start) for start in lines]
    position, field, indent, depth = 0, "", 0, 0
    while match := _TOKEN.search(text, position):
        head = heads[bisect_right(lines, match.start()) - 1]
        inner, starts_line = (len(head[0]), match.start() <= head.end()) if head else (0, False)
        if starts_line and not depth and match.lastgroup != "key":
            outer = len(head["indent"]) if head else 0
            if field in TEXT_FIELDS and outer > indent:
                position = _plain(text, match.start(), False, field, found)
                continue
            field = "" if outer <= indent else field
        if match.lastgroup == "key":
            field = match["key"]
            indent = indent if depth or not starts_line else inner
            found.append((*match.span("key"), "key"))
            position = match.end()
            value = _COLON.match(text, position)
            if value and field in TEXT_FIELDS and text[value.end() : value.end() + 1] not in ("", "\n", '"', "'", "#"):
                colon = text.index(":", position)
                found.append((colon, colon + 1, "punctuation"))
                position = _plain(text, value.end(), depth > 0, field, found)
            continue
        depth = max(0, depth + (match[0] in ("{", "[")) - (match[0] in ("}", "]")))
        if starts_line and match[0] == "-":
            found.append((*match.span(), "punctuation"))
        else:
            found += _kinds(match, field)
        position = match.end()
    return found


def _kinds(match: "re.Match[str]", field: str) -> Iterator[Span]:
    kind, (start, end) = match.lastgroup or "", match.span()
    if kind == "word":
        if match[0] in _KEYWORDS:
            kind = "keyword"
        else:
            kind = "text" if field in WORD_FIELDS else "signal"
    if kind == "string":
        yield from _with_placeholders(match[0], start, "string", field)
    elif start < end:
        yield start, end, kind


def _plain(text: str, start: int, flow: bool, field: str, found: list[Span]) -> int:
    """Add a text without quotes, which ends with its line, its comment or its place in a list; return its end."""
    end = (_FLOW_TEXT if flow and field != "message" else _LINE_TEXT).match(text, start)
    stop = end.end() if end else start
    comment = _COMMENT.search(text, start, stop)
    stop = comment.start() if comment else stop
    found += _with_placeholders(text[start:stop].rstrip(), start, "text", field)
    return max(stop, start + 1)


def _with_placeholders(text: str, start: int, kind: str, field: str) -> Iterator[Span]:
    position = 0
    for match in _PLACEHOLDER.finditer(text) if field == "message" else ():
        if match["name"]:
            if match.start() > position:
                yield start + position, start + match.start(), kind
            yield start + match.start(), start + match.end(), "placeholder"
            position = match.end()
    if position < len(text):
        yield start + position, start + len(text), kind
