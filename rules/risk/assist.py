"""Help for those who type a rule: what may stand where the cursor is, in a text that need not be right yet.

``complete_at`` looks at the keys above the cursor (which field is this?) and at what stands before it in the same
comparison (a signal is followed by an operator, an operator by a value that fits the signal).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .catalogue import DEFAULT_ACTIONS, Action
from .document import DERIVED_FIELDS, PACK_FIELDS, RULE_FIELDS, STATE_WORDS, TEST_FIELDS
from .highlight import Span, tokens
from .messages import CONTEXT_WORDS
from .model import Operator, Severity
from .signals import Scope, Signal, SignalCatalogue, SignalType
from .yamlnodes import MAX_CHARACTERS

MAX_LINE = 2000
_WORD = re.compile(r"[A-Za-z0-9_]*\Z")
_LINE = re.compile(
    r"(?P<indent>\s*)(?P<dashes>(?:-\s+)*)(?:(?P<key>[A-Za-z_]\w*)\s*:(?:\s+|\Z))?(?P<rest>.*)", re.DOTALL
)
_FLOW_KEY = re.compile(r"([A-Za-z_]\w*)\s*:\s*\Z")
_SCOPE = re.compile(r"^[ \t-]*scope:[ \t]*(\w+)", re.MULTILINE)
_RULE_START = re.compile(r"^[ \t]*-[ \t]+key:", re.MULTILINE)
_IN_LIST = re.compile(r"([A-Za-z_]\w*)\s+(?:not\s+)?in\s*\[[^\]]*\Z")
_CONDITIONS = ("when", "unless", "until", "all", "any", "not")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "rules": RULE_FIELDS,
    "signals": DERIVED_FIELDS,
    "tests": TEST_FIELDS,
    "table": ("hit", "inputs", "rows"),
    "rows": ("cells", "severity", "message", "actions"),
    "cases": ("when", "value"),
    "value": ("cases", "otherwise"),
}
_MAPPINGS = ("rules", "signals", "tests", "rows", "cells", "cases")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "scope": tuple(Scope),
    "severity": tuple(Severity),
    "observe": ("yes", "no"),
    "ends": ("yes", "no"),
    "expect": tuple(STATE_WORDS),
    "type": tuple(SignalType),
    "hit": ("first", "all"),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``text`` replaces what stands from ``start`` to ``end``; ``kind`` is one of the kinds of ``tokens``, or value."""

    start: int
    end: int
    text: str
    kind: str
    label: str = ""
    help: str = ""


_Offer = tuple[str, str, str, str]  # text, kind, label, help


def complete_at(
    text: str, offset: int, catalogue: SignalCatalogue, actions: Mapping[str, Action] = DEFAULT_ACTIONS
) -> list[Suggestion]:
    """Return what can stand at the offset, best first: all of it before a word, what fits within one."""
    offset = max(0, min(offset, len(text)))
    typed = _WORD.search(text, 0, offset)
    start = typed.start() if typed else offset
    if len(text) > MAX_CHARACTERS or start - text.rfind("\n", 0, start) > MAX_LINE:
        return []
    prefix = text[start:offset].lower()
    offers = list(_Completer(text, start, catalogue, actions).offers())
    best = [offer for offer in offers if offer[0].lower().startswith(prefix)]
    others = [offer for offer in offers if offer not in best and prefix in f"{offer[0]} {offer[2]}".lower()]
    return [Suggestion(start, offset, *offer) for offer in dict.fromkeys(best + others)]


class _Completer:
    def __init__(self, text: str, start: int, catalogue: SignalCatalogue, actions: Mapping[str, Action]) -> None:
        self.text = text
        self.catalogue = catalogue
        self.actions = actions
        self.signals = catalogue.visible(_scope_at(text, start))
        before = text[:start]
        line_start = before.rfind("\n") + 1
        self.line = before[line_start:]
        self.above = before[:line_start].split("\n")[:-1]

    def offers(self) -> Iterator[_Offer]:
        field, rest, path = self.position()
        if field == "message":
            if re.search(r"(?<!\{)\{\Z", rest):
                yield from self.placeholders()
            return
        if field in _WORDS:
            yield from ((str(word), "keyword", "", "") for word in _WORDS[field])
        elif field == "actions":
            yield from ((action.key, "text", "", action.help) for action in self.actions.values())
        elif field == "inputs":
            yield from self.signal_or_operator(rest)
        elif field == "facts":
            yield from self.names()
        elif field in _CONDITIONS:
            yield from self.condition(rest)
        elif field in ("value", "otherwise"):
            yield from self.calculation(rest, field)
        elif not rest.strip() and field in ("", *_FIELDS):
            yield from self.fields(field or (path[-1] if path else ""))

    # --- where are we

    def position(self) -> tuple[str, str, list[str]]:
        """Return the field the cursor is in, what stands before it there, and the keys above."""
        match = _LINE.match(self.line)
        indent, dashes, key, rest = (match[1], match[2], match["key"], match["rest"]) if match else ("", "", None, "")
        path = self.keys_above(len(indent) + (len(dashes) if dashes else 0), bool(dashes))
        field = key or ""
        if not key:
            in_list = bool(dashes) or (path and path[-1] in _CONDITIONS)
            above = path[-1] if path else ""
            field = above if above == "facts" or (in_list and above not in _MAPPINGS) else ""
        return self.inside_flow(field, rest, path)

    def keys_above(self, column: int, dashed: bool) -> list[str]:
        """Return the keys of the enclosing mappings, outermost first."""
        found: list[str] = []
        limit = column
        for line in reversed(self.above):
            match = _LINE.match(line)
            if not match or not match["key"]:
                continue
            at = len(match["indent"]) + len(match["dashes"])
            opens = not match["rest"].strip()
            if opens and (at < limit or (dashed and at < column and not found)):
                found.append(match["key"])
                limit = len(match["indent"]) if match["dashes"] else at
            elif match["dashes"] and len(match["indent"]) < limit <= at:
                limit = len(match["indent"]) + 1
        return found[::-1]

    def inside_flow(self, field: str, rest: str, path: list[str]) -> tuple[str, str, list[str]]:
        """Go into {key: [value, …}} on one line: the innermost open key counts, and what follows the last comma."""
        stack: list[str] = []
        segment, quote = 0, ""
        for index, letter in enumerate(rest):
            if quote:
                quote = "" if letter == quote else quote
            elif letter == '"' or (letter == "'" and not rest[segment:index].strip()):
                quote = letter
            elif letter in "[{" and not _IN_LIST.search(rest[segment : index + 1]):
                named = _FLOW_KEY.search(rest[segment:index])
                stack.append(named[1] if named else stack[-1] if stack else field)
                segment = index + 1
            elif letter in "]}" and stack and not _IN_LIST.search(rest[segment:index]):
                stack.pop()
                segment = index + 1
            elif letter == "," and not _IN_LIST.search(rest[segment:index]):
                segment = index + 1
        inner = rest[segment:].lstrip(" '")
        if not stack:
            return field, rest.lstrip(" '"), path
        named = re.match(r"([A-Za-z_]\w*)\s*:\s+", inner)
        if named:
            return named[1], inner[named.end() :].lstrip("'"), [*path, field, *stack]
        return stack[-1] or field, inner, [*path, *stack]

    # --- what fits there

    def names(self) -> Iterator[_Offer]:
        yield from ((signal.key, "signal", signal.label, signal.help) for signal in self.signals)

    def placeholders(self) -> Iterator[_Offer]:
        yield from ((word, "placeholder", "", "") for word in CONTEXT_WORDS)
        yield from self.names()

    def fields(self, inside: str) -> Iterator[_Offer]:
        names = _FIELDS.get(inside, RULE_FIELDS)
        if inside == "" and re.search(r"^(?:pack|rules):", self.text, re.MULTILINE):
            names = PACK_FIELDS
        elif inside == "" and re.search(r"^(?:label|type|value):", self.text, re.MULTILINE):
            names = DERIVED_FIELDS
        yield from ((f"{name}: ", "key", "", "") for name in names)

    def condition(self, rest: str) -> Iterator[_Offer]:
        listed = _IN_LIST.search(rest)
        if listed:
            yield from self.values(self.catalogue.get(listed[1]), _is_open(rest))
            return
        if not rest.strip():
            yield from (("all: ", "key", "", ""), ("any: ", "key", "", ""), ("not: ", "key", "", ""))
        yield from self.signal_or_operator(rest)

    def signal_or_operator(self, rest: str) -> Iterator[_Offer]:
        words = rest.split(None, 1)
        if not words or (len(words) == 1 and not rest[-1:].isspace()):
            yield from self.names()
            return
        signal = self.catalogue.get(words[0])
        said = words[1].strip() if len(words) > 1 else ""
        operator = next((word for word in sorted(Operator, key=len, reverse=True) if said.startswith(word)), None)
        if operator is None:
            words = [word.removeprefix(said).lstrip() for word in _operators(signal) if word.startswith(said)]
            yield from ((word, "operator", "", "") for word in words)
        elif not operator.is_presence:
            yield from self.operand(signal, operator, said.removeprefix(operator).strip())

    def operand(self, signal: Signal | None, operator: Operator, said: str) -> Iterator[_Offer]:
        if said and said[-1].isdigit() and signal:
            unit = {SignalType.DAYS: "days", SignalType.PERCENT: "%"}.get(signal.type)
            yield from ((unit, "unit", "", ""),) if unit else ()
        elif operator in (Operator.IN, Operator.NOT_IN):
            yield "[", "punctuation", "", ""
        elif not said or said.endswith("*") or _is_open(said):
            yield from self.values(signal, _is_open(said))
            yield from (
                (other.key, "signal", other.label, other.help)
                for other in self.signals
                if signal and other.key != signal.key and signal.accepts(other) and '"' not in said
            )

    def values(self, signal: Signal | None, quoted: bool) -> Iterator[_Offer]:
        if signal is None:
            return
        if signal.type is SignalType.FLAG:
            yield from (("yes", "keyword", "", ""), ("no", "keyword", "", ""))
        for choice in signal.choices:
            yield choice if quoted else json.dumps(choice, ensure_ascii=False), "string", "", ""

    def calculation(self, rest: str, field: str) -> Iterator[_Offer]:
        if not rest.strip() and field == "value":
            yield "cases: ", "key", "", ""
        yield from self.names()
        yield from (("min(", "keyword", "", ""), ("max(", "keyword", "", ""))


def _is_open(text: str) -> bool:
    """True within double quotes."""
    return text.count('"') % 2 == 1


def _operators(signal: Signal | None) -> Iterable[Operator]:
    if signal is None or signal.type.is_numeric:
        return tuple(Operator)
    words = [operator for operator in Operator if not operator.is_order]
    flags = (Operator.IN, Operator.NOT_IN)
    return [word for word in words if signal.type is not SignalType.FLAG or word not in flags]


def _scope_at(text: str, offset: int) -> Scope:
    """Return the scope of the rule around the offset, as far as one can tell."""
    starts = [match.start() for match in _RULE_START.finditer(text)]
    first = max((start for start in starts if start <= offset), default=0)
    last = min((start for start in starts if start > offset), default=len(text))
    match = _SCOPE.search(text, first, last)
    return Scope(match[1]) if match and match[1] in set(Scope) else Scope.BUYER


__all__ = ["Span", "Suggestion", "complete_at", "tokens"]
