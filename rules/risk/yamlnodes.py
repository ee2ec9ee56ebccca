"""YAML text to a tree of nodes with positions, for text from anybody.

Only the plain part of YAML gets through: one document, mappings, sequences and scalars. Anchors and aliases (the
"billion laughs"), tags (``!!python/object``), duplicate keys, deep nesting and huge documents are refused. Nothing is
constructed: scalars stay text, so there is no "Norway problem", no float and no octal.
"""

from typing import Protocol

import yaml
from yaml.events import AliasEvent, NodeEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .errors import DocumentError
from .marking import _
from .problems import Place, Problem

MAX_CHARACTERS = 256 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 32


def place_of(node: Node) -> Place:
    """Where a node starts in its text."""
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


class Mark(Protocol):
    """A position, of the parser in Python or the one in C."""

    line: int
    column: int


class _Refused(Exception):
    def __init__(self, code: str, message: str, mark: Mark | None) -> None:
        super().__init__(message)
        place = Place(mark.line + 1, mark.column + 1) if mark else None
        self.problem = Problem(code, message, place=place)


class _PlainLoader(yaml.SafeLoader):
    """Composes nodes, never objects, and stops at the first thing a rule document has no use for."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.nodes = 0
        self.depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise _Refused("alias", _("anchors and aliases (& and *) are not allowed here"), event.start_mark)
        if getattr(event, "tag", None):
            raise _Refused("tag", _("tags like %(tag)s are not allowed here", tag=event.tag[:40]), event.start_mark)
        self.nodes += 1
        self.depth += 1
        if self.nodes > MAX_NODES:
            raise _Refused(
                "too_large", _("a document has at most %(max_nodes)s values", max_nodes=MAX_NODES), event.start_mark
            )
        if self.depth > MAX_DEPTH:
            raise _Refused(
                "too_deep", _("values are nested at most %(max_depth)s deep", max_depth=MAX_DEPTH), event.start_mark
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def compose(text: str) -> Node:
    """Return the root node of a document, or raise ``DocumentError`` with one problem."""
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(
            [
                Problem(
                    "too_large",
                    _("a document is at most %(max_characters)s characters long", max_characters=MAX_CHARACTERS),
                )
            ]
        )
    try:
        loader = _PlainLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except _Refused as refused:
        raise DocumentError([refused.problem]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else None
        raise DocumentError(
            [Problem("yaml", _("this is not YAML: %(problem)s", problem=error.problem or error.context), place=place)]
        ) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise DocumentError(
            [Problem("yaml", _("this is not YAML: %(problem)s", problem=str(error).splitlines()[0]))]
        ) from error
    if node is None:
        raise DocumentError([Problem("empty", _("the document is empty"))])
    return node


__all__ = [
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_NODES",
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "compose",
    "place_of",
]
