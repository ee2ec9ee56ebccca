"""YAML nodes to values, collecting every problem of form on the way."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from .expression import UNSTORABLE, ExpressionError, is_storable, parse_comparison
from .marking import _
from .model import All, Any, Condition, FactValue, Not
from .problems import Place, Problem, did_you_mean, did_you_mean_field
from .yamlnodes import MappingNode, Node, ScalarNode, SequenceNode, place_of

T = TypeVar("T")

FLAG_WORDS = {"yes": True, "no": False}
MAX_TEXT = 4000
NOWHERE = All(())


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return _("the value %(value)r", value=node.value[:40])
    return _("a mapping") if isinstance(node, MappingNode) else _("a list")


class Reader:
    """Walks the nodes and collects problems, so that one save tells about all of them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, node: Node, code: str, message: str, path: str, suggestion: str = "") -> None:
        self.problems.append(Problem(code, message, path, place_of(node), suggestion))

    # --- the small things

    def scalar(self, node: Node, path: str) -> str | None:
        if not isinstance(node, ScalarNode):
            self.refuse(node, "wrong_kind", _("expected a value instead of %(kind)s", kind=_kind(node)), path)
            return None
        if len(node.value) > MAX_TEXT:
            self.refuse(node, "too_large", _("a text is at most %(max_text)s characters long", max_text=MAX_TEXT), path)
            return None
        if not is_storable(node.value):
            self.refuse(node, "wrong_value", UNSTORABLE, path)
            return None
        return str(node.value)

    def text(self, node: Node, path: str) -> str:
        return self.scalar(node, path) or ""

    def converted(self, node: Node, path: str, convert: Callable[[str], T], default: T, expected: str) -> T:
        text = self.scalar(node, path)
        if text is None:
            return default
        try:
            return convert(text)
        except (ValueError, KeyError):
            self.refuse(
                node,
                "wrong_value",
                _("expected %(expected)s instead of %(text)r", expected=expected, text=text[:40]),
                path,
            )
            return default

    def word(self, node: Node, path: str, words: Mapping[str, T], default: T) -> T:
        text = self.scalar(node, path)
        if text is None:
            return default
        if text not in words:
            message = _("%(text)r is none of %(words)s", text=text[:40], words=", ".join(words))
            self.refuse(node, "wrong_value", message, path, did_you_mean(text, words))
            return default
        return words[text]

    def items(self, node: Node, path: str) -> list[Node]:
        if not isinstance(node, SequenceNode):
            self.refuse(node, "wrong_kind", _("expected a list instead of %(kind)s", kind=_kind(node)), path)
            return []
        return list(node.value)

    def texts(self, node: Node, path: str) -> tuple[str, ...]:
        return tuple(self.text(item, f"{path}[{index}]") for index, item in enumerate(self.items(node, path)))

    def pairs(self, node: Node, path: str) -> dict[str, tuple[Node, Node]]:
        """Return key -> (key node, value node) of a mapping, refusing keys given twice."""
        if not isinstance(node, MappingNode):
            self.refuse(node, "wrong_kind", _("expected a mapping instead of %(kind)s", kind=_kind(node)), path)
            return {}
        found: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.value:
            key = self.scalar(key_node, path)
            if key is None:
                continue
            if key in found:
                self.refuse(key_node, "duplicate", _("%(key)r is given twice", key=key[:40]), path)
            found[key] = (key_node, value_node)
        return found

    def fields(self, node: Node, path: str, known: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Node]:
        pairs = self.pairs(node, path)
        for key, (key_node, _value) in pairs.items():
            if key not in known:
                self.refuse(
                    key_node,
                    "unknown_field",
                    _("there is no field %(key)r", key=key[:40]),
                    path,
                    did_you_mean_field(key, known),
                )
        if isinstance(node, MappingNode):
            for name in required:
                if name not in pairs:
                    self.refuse(node, "missing_field", _("the field %(name)r is missing", name=name), path)
        return {key: value for key, (_key, value) in pairs.items() if key in known}

    # --- conditions

    def condition(self, node: Node, path: str) -> Condition:
        if isinstance(node, ScalarNode):
            return self.comparison(node, path)
        before = len(self.problems)
        groups = self.fields(node, path, ("all", "any", "not"), ())
        if len(groups) != 1:
            if len(self.problems) == before:
                self.refuse(node, "wrong_group", _("a group has exactly one of all, any or not"), path)
            return NOWHERE
        ((kind, value),) = groups.items()
        if kind == "not":
            return Not(self.condition(value, f"{path}.not"), place_of(node))
        path = f"{path}.{kind}"
        parts = tuple(self.condition(item, f"{path}[{index}]") for index, item in enumerate(self.items(value, path)))
        return All(parts, place_of(node)) if kind == "all" else Any(parts, place_of(node))

    def comparison(self, node: ScalarNode, path: str) -> Condition:
        return self.line(node, path, parse_comparison) or NOWHERE

    def line(self, node: ScalarNode, path: str, parse: Callable[[str, Place, bool], T]) -> T | None:
        """Parse a line of the language, telling problems by their place in the document."""
        start = place_of(node)
        on_one_line = node.start_mark.line == node.end_mark.line
        if on_one_line and node.style in ("'", '"'):
            start = Place(start.line, start.column + 1)
        try:
            return parse(node.value, start, on_one_line)
        except ExpressionError as error:
            place = Place(start.line, start.column + error.offset) if on_one_line else start
            self.problems.append(Problem("syntax", error.message, path, place, error.suggestion))
            return None

    def fact(self, node: Node, path: str) -> FactValue:
        """A quoted scalar is a text; a plain one is a number, a date, yes, no or null."""
        text = self.scalar(node, path)
        if text is None or (isinstance(node, ScalarNode) and node.style):
            return text
        if text in FLAG_WORDS:
            return FLAG_WORDS[text]
        if text in ("", "null", "~"):
            return None
        try:
            return calendar_day(text) if text.count("-") == 2 else number(text)
        except ValueError:
            message = _("%(text)r is neither a number, a date, yes, no nor null", text=text[:40])
            self.refuse(node, "wrong_value", message, path, _("write texts between quotes"))
            return None


def number(text: str) -> Decimal:
    """Read a number written in full; raise ``ValueError`` for anything else.

    >>> number("-12.50")
    Decimal('-12.50')
    """
    digits = text.removeprefix("-").replace(".", "", 1)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 40:
        raise ValueError(text)
    return Decimal(text)


def calendar_day(text: str) -> date:
    """Read a date in its usual form; raise ``ValueError`` for others, of which newer Pythons know more.

    >>> calendar_day("2025-01-31")
    datetime.date(2025, 1, 31)
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def whole_number(text: str) -> int:
    """Read a whole number of at most four digits; raise ``ValueError`` for anything else."""
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 4:
        raise ValueError(text)
    return int(text)
