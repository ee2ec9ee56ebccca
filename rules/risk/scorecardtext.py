"""Scorecards as YAML, both ways."""

from decimal import Decimal
from types import MappingProxyType

from .errors import DocumentError
from .expression import format_number
from .marking import _
from .model import Column
from .problems import Place, in_order
from .reader import Reader, number
from .scorecard import Band, Criterion, Part, Scorecard
from .table import format_cell, parse_cell
from .yamlnodes import Node, ScalarNode, compose, place_of
from .yamlwriter import items, mapping, plain, serialized, text, texts

_NUMBER = _("a number")


class _CardReader(Reader):
    def amount(self, fields: dict[str, Node], name: str, path: str, default: Decimal) -> Decimal:
        if name not in fields:
            return default
        return self.converted(fields[name], f"{path}{name}", number, default, _NUMBER)

    def said(self, fields: dict[str, Node], name: str, path: str) -> str:
        return self.text(fields[name], f"{path}{name}") if name in fields else ""

    def parts(self, fields: dict[str, Node], name: str, path: str) -> list[tuple[Node, str]]:
        found = self.items(fields[name], f"{path}{name}") if name in fields else []
        return [(node, f"{path}{name}[{index}]") for index, node in enumerate(found)]

    def card(self, node: Node) -> Scorecard:
        known = ("scorecard", "label", "reason", "industries", "coverage", "parts")
        fields = self.fields(node, "", known, ("scorecard", "label", "parts"))
        return Scorecard(
            key=self.said(fields, "scorecard", ""),
            label=self.said(fields, "label", ""),
            parts=tuple(self.part(item, path) for item, path in self.parts(fields, "parts", "")),
            industries=self.texts(fields["industries"], "industries") if "industries" in fields else (),
            coverage=self.amount(fields, "coverage", "", Decimal(50)),
            reason=self.said(fields, "reason", ""),
            places=_places(node, fields),
        )

    def part(self, node: Node, path: str) -> Part:
        fields = self.fields(node, path, ("key", "label", "weight", "criteria"), ("key", "label", "criteria"))
        path = f"{path}."
        return Part(
            key=self.said(fields, "key", path),
            label=self.said(fields, "label", path),
            criteria=tuple(self.criterion(item, inner) for item, inner in self.parts(fields, "criteria", path)),
            weight=self.amount(fields, "weight", path, Decimal(1)),
            places=_places(node, fields),
        )

    def criterion(self, node: Node, path: str) -> Criterion:
        known = ("key", "label", "signal", "weight", "reason", "bands")
        fields = self.fields(node, path, known, ("key", "label", "signal", "bands"))
        path = f"{path}."
        column = Column(self.said(fields, "signal", path))
        return Criterion(
            key=self.said(fields, "key", path),
            label=self.said(fields, "label", path),
            signal=column.signal,
            bands=tuple(self.band(item, column, inner) for item, inner in self.parts(fields, "bands", path)),
            weight=self.amount(fields, "weight", path, Decimal(1)),
            reason=self.said(fields, "reason", path),
            places=_places(node, fields),
        )

    def band(self, node: Node, column: Column, path: str) -> Band:
        fields = self.fields(node, path, ("if", "points"), ("if", "points"))
        cell = fields.get("if")
        when = None
        if isinstance(cell, ScalarNode):
            when = self.line(cell, f"{path}.if", lambda line, base, single: parse_cell(line, column, base, single))
        elif cell is not None:
            self.text(cell, f"{path}.if")
        return Band(when, self.amount(fields, "points", f"{path}.", Decimal(0)), place_of(node))


def _places(node: Node, fields: dict[str, Node]) -> MappingProxyType[str, Place]:
    return MappingProxyType({"": place_of(node)} | {name: place_of(value) for name, value in fields.items()})


def load_scorecard(source: str) -> Scorecard:
    """Read a scorecard; raise ``DocumentError`` with every problem of form."""
    root = compose(source)
    reader = _CardReader()
    card = reader.card(root)
    if reader.problems:
        raise DocumentError(in_order(reader.problems))
    return card


def dump_scorecard(card: Scorecard) -> str:
    """Write a scorecard; ``load_scorecard`` reads it back equal."""
    pairs = [("scorecard", text(card.key)), ("label", text(card.label))]
    pairs += [("reason", text(card.reason))] if card.reason else []
    pairs += [("industries", texts(card.industries))] if card.industries else []
    pairs.append(("coverage", plain(format_number(card.coverage))))
    pairs.append(("parts", items((_part(part) for part in card.parts), flow=not card.parts)))
    return serialized(mapping(pairs))


def _part(part: Part) -> Node:
    criteria = items((_criterion(criterion) for criterion in part.criteria), flow=not part.criteria)
    weight = plain(format_number(part.weight))
    return mapping([("key", text(part.key)), ("label", text(part.label)), ("weight", weight), ("criteria", criteria)])


def _criterion(criterion: Criterion) -> Node:
    column = Column(criterion.signal)
    pairs = [("key", text(criterion.key)), ("label", text(criterion.label)), ("signal", text(criterion.signal))]
    pairs.append(("weight", plain(format_number(criterion.weight))))
    pairs += [("reason", text(criterion.reason))] if criterion.reason else []
    bands = (_band(band, column) for band in criterion.bands)
    pairs.append(("bands", items(bands, flow=not criterion.bands)))
    return mapping(pairs)


def _band(band: Band, column: Column) -> Node:
    points = plain(format_number(band.points))
    return mapping([("if", text(format_cell(band.when, column))), ("points", points)], flow=True)
