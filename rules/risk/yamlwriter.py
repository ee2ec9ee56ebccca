"""Nodes of YAML to write: what documents are made of, in the style people read."""

from collections.abc import Iterable

import yaml
from yaml.resolver import Resolver

from .yamlnodes import MappingNode, Node, ScalarNode, SequenceNode

_WIDTH = 110
_STR, _SEQ, _MAP = "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
_LINE_BREAKS = frozenset("\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """Indents lists under their key, the way people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def text(value: str, style: str | None = None) -> Node:
    """A text, with quotes where it needs them."""
    # YAML folds Unicode's own line breaks into spaces in every style but this one, which escapes them.
    if not _LINE_BREAKS.isdisjoint(value):
        style = '"'
    return ScalarNode(_STR, value, style=style)


def plain(value: str) -> Node:
    """A scalar that never needs quotes; the tag is the one YAML would guess, which is what leaves the quotes out."""
    tag = Resolver().resolve(ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    return ScalarNode(tag, value)


def mapping(pairs: list[tuple[str, Node]], flow: bool = False) -> Node:
    """A mapping, in that order; on one line with ``flow``."""
    return MappingNode(_MAP, [(text(key), value) for key, value in pairs], flow_style=flow)


def items(nodes: Iterable[Node], flow: bool = False) -> Node:
    """A list; on one line with ``flow``."""
    return SequenceNode(_SEQ, list(nodes), flow_style=flow)


def texts(values: tuple[str, ...]) -> Node:
    """A list of texts on one line."""
    return items((text(value) for value in values), flow=True)


def serialized(node: Node) -> str:
    """The node as a document."""
    return yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=_WIDTH, indent=2)
