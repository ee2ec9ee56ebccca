"""Rule documents: YAML that people read in a diff, to a ``Pack`` of rules and back, losing nothing but comments.

    pack: starter
    title: Starter rules
    rules:
      - key: grade_drop_and_overdue
        name: Grade worsened by two classes or more, and something is over 30 days overdue
        severity: high
        when:
          all:
            - risk_class_worsened >= 2
            - amount_overdue_30 > 0
        unless: is_affiliated = yes
        message: "{buyer}: class {risk_class}, {amount_overdue_30} more than 30 days overdue"
        actions: [notify, activity]
        reason: Two bad signs at once rarely are a coincidence.
        tests:
          - {name: both, facts: {risk_class_worsened: 2, amount_overdue_30: 1}, expect: fires}

This module checks the *form* only: what a signal is, and whether a rule makes sense, is the checker's business.
"""

from collections.abc import Callable, Collection
from decimal import Decimal
from types import MappingProxyType

from .calculation import Case, Cases, Expression, parse_calculation
from .derived import Derived
from .errors import DocumentError
from .marking import _
from .model import Column, Comparison, Constant, Operator, Row, Rule, RuleTest, Severity, State, Table
from .pack import Pack
from .problems import in_order
from .reader import FLAG_WORDS, NOWHERE, Reader, T, calendar_day, whole_number
from .signals import Scope, SignalType
from .table import HIT_WORDS, parse_cell, parse_column
from .yamlnodes import MappingNode, Node, ScalarNode, compose, place_of

PACK_FIELDS = ("pack", "title", "reason", "signals", "rules")
DERIVED_FIELDS = ("key", "label", "type", "unit", "scope", "choices", "help", "example", "value")
RULE_FIELDS = (
    *("key", "name", "scope", "severity", "priority", "observe", "when", "table", "unless", "until", "message"),
    *("actions", "valid_from", "valid_to", "companies", "reason", "tests"),
)
TEST_FIELDS = ("name", "today", "facts", "expect", "ends")
STATE_WORDS = {"fires": State.FIRED, **{state.value: state for state in State if state is not State.FIRED}}
DATE_EXPECTED = _("a date like 2025-01-31")
_NOTHING = Constant(Decimal(0))
_NO_COLUMN = Column("nothing", Operator.EQ)  # lets the cells below be read for themselves


class _Reader(Reader):
    """Reads rules, derived signals and packs."""

    # --- derived signals

    def derived(self, node: Node, path: str) -> Derived:
        fields = self.fields(node, path, DERIVED_FIELDS, ("key", "label", "type", "value"))
        if "key" in fields and isinstance(fields["key"], ScalarNode):
            path = f"signals.{fields['key'].value[:60]}"
        values: dict[str, object] = {"key": "", "label": "", "type": SignalType.NUMBER, "value": _NOTHING}
        for name, value in fields.items():
            values[name] = self.derived_field(name, value, f"{path}.{name}")
        places = {"": place_of(node)} | {name: place_of(value) for name, value in fields.items()}
        return Derived(**values, places=MappingProxyType(places))  # type: ignore[arg-type]

    def derived_field(self, name: str, node: Node, path: str) -> object:
        match name:
            case "type":
                return self.word(node, path, {kind.value: kind for kind in SignalType}, SignalType.NUMBER)
            case "scope":
                return self.word(node, path, {scope.value: scope for scope in Scope}, Scope.BUYER)
            case "choices":
                return self.texts(node, path)
            case "value":
                return self.calculation(node, path)
            case _:
                return self.text(node, path)

    def calculation(self, node: Node, path: str) -> Expression:
        if isinstance(node, ScalarNode):
            return self.line(node, path, parse_calculation) or _NOTHING
        fields = self.fields(node, path, ("cases", "otherwise"), ("cases",))
        items = self.items(fields["cases"], f"{path}.cases") if "cases" in fields else []
        cases = tuple(self.case(item, f"{path}.cases[{index}]") for index, item in enumerate(items))
        last = fields.get("otherwise")
        otherwise = self.calculation(last, f"{path}.otherwise") if last is not None else None
        return Cases(cases, otherwise, place_of(node))

    def case(self, node: Node, path: str) -> Case:
        fields = self.fields(node, path, ("when", "value"), ("when", "value"))
        when = self.condition(fields["when"], f"{path}.when") if "when" in fields else NOWHERE
        return Case(when, self.calculation(fields["value"], f"{path}.value") if "value" in fields else _NOTHING)

    # --- tables

    def table(self, node: Node, path: str) -> Table:
        fields = self.fields(node, path, ("hit", "inputs", "rows"), ("inputs", "rows"))
        first = self.word(fields["hit"], f"{path}.hit", HIT_WORDS, True) if "hit" in fields else True
        heads = self.items(fields["inputs"], f"{path}.inputs") if "inputs" in fields else []
        columns = tuple(self.column(head, f"{path}.inputs[{index}]") for index, head in enumerate(heads))
        items = self.items(fields["rows"], f"{path}.rows") if "rows" in fields else []
        rows = tuple(self.row(item, columns, f"{path}.rows[{index}]") for index, item in enumerate(items))
        return Table(columns, rows, first, place_of(node))

    def column(self, node: Node, path: str) -> Column:
        if not isinstance(node, ScalarNode):
            self.text(node, path)
            return _NO_COLUMN
        return self.line(node, path, parse_column) or _NO_COLUMN

    def row(self, node: Node, columns: tuple[Column, ...], path: str) -> Row:
        fields = self.fields(node, path, ("cells", "severity", "message", "actions"), ("cells",))
        items = self.items(fields["cells"], f"{path}.cells") if "cells" in fields else []
        if "cells" in fields and len(items) != len(columns):
            self.refuse(
                node,
                "wrong_row",
                _("this row has %(cells)s cells for %(columns)s inputs", cells=len(items), columns=len(columns)),
                path,
            )
        cells = tuple(
            self.cell(item, column, f"{path}.cells[{index}]")
            for index, (item, column) in enumerate(zip(items, columns, strict=False))
        )
        said = [(name, value) for name, value in fields.items() if name != "cells"]
        outcome = {name: self.rule_field(name, value, f"{path}.{name}") for name, value in said}
        places = {"": place_of(node)} | {name: place_of(value) for name, value in fields.items()}
        return Row(cells, **outcome, places=MappingProxyType(places))  # type: ignore[arg-type]

    def cell(self, node: Node, column: Column, path: str) -> Comparison | None:
        if not isinstance(node, ScalarNode):
            self.text(node, path)
            return None
        return self.line(node, path, lambda text, base, single: parse_cell(text, column, base, single))

    # --- rules

    def test(self, node: Node, path: str) -> RuleTest:
        fields = self.fields(node, path, TEST_FIELDS, ("name", "facts", "expect"))
        pairs = self.pairs(fields["facts"], f"{path}.facts") if "facts" in fields else {}
        facts = {key: self.fact(value, f"{path}.facts.{key}") for key, (_key, value) in pairs.items()}
        values: dict[str, object] = {"name": "", "expect": State.FIRED}
        for name, value in fields.items():
            if name == "expect":
                values[name] = self.word(value, f"{path}.expect", STATE_WORDS, State.FIRED)
            elif name == "ends":
                values[name] = self.word(value, f"{path}.ends", FLAG_WORDS, False)
            elif name == "today":
                values[name] = self.converted(value, f"{path}.today", calendar_day, None, DATE_EXPECTED)
            else:
                values[name] = self.text(value, f"{path}.name") if name == "name" else tuple(sorted(facts.items()))
        values.setdefault("facts", ())
        return RuleTest(**values)  # type: ignore[arg-type]

    def tests(self, node: Node, path: str) -> tuple[RuleTest, ...]:
        return tuple(self.test(item, f"{path}[{index}]") for index, item in enumerate(self.items(node, path)))

    def rule(self, node: Node, path: str) -> Rule:
        fields = self.fields(node, path, RULE_FIELDS, ("key", "name"))
        if "key" in fields and isinstance(fields["key"], ScalarNode):
            path = f"rules.{fields['key'].value[:60]}"
        values: dict[str, object] = {}
        for name, value_node in fields.items():
            values[name] = self.rule_field(name, value_node, f"{path}.{name}")
        table = values.get("table")
        if isinstance(table, Table):
            values["when"] = table.condition
        if isinstance(node, MappingNode) and ("when" in fields) == ("table" in fields):
            self.refuse(node, "missing_field", _("a rule has one of when and table"), path)
        values.setdefault("key", "")
        values.setdefault("name", "")
        values.setdefault("when", NOWHERE)
        places = {"": place_of(node)} | {name: place_of(value) for name, value in fields.items()}
        return Rule(**values, places=MappingProxyType(places))  # type: ignore[arg-type]

    def some_fields(self, node: Node, known: tuple[str, ...], optional: Collection[str]) -> dict[str, object]:
        fields = self.fields(node, "", known, ())
        if "when" in fields and "table" in fields:
            self.refuse(node, "duplicate", _("a rule has one of when and table"), "")
        return {
            name: None if name in optional and _is_null(value) else self.rule_field(name, value, name)
            for name, value in fields.items()
        }

    def rule_field(self, name: str, node: Node, path: str) -> object:
        match name:
            case "scope":
                return self.word(node, path, {scope.value: scope for scope in Scope}, Scope.BUYER)
            case "severity":
                return self.word(node, path, {severity.value: severity for severity in Severity}, Severity.WARNING)
            case "observe":
                return self.word(node, path, FLAG_WORDS, False)
            case "priority":
                return self.converted(node, path, whole_number, 100, _("a whole number from -9999 to 9999"))
            case "valid_from" | "valid_to":
                return self.converted(node, path, calendar_day, None, DATE_EXPECTED)
            case "when" | "unless" | "until":
                return self.condition(node, path)
            case "table":
                return self.table(node, path)
            case "actions" | "companies":
                return self.texts(node, path)
            case "tests":
                return self.tests(node, path)
            case _:
                return self.text(node, path)

    def pack(self, node: Node) -> Pack:
        fields = self.fields(node, "", PACK_FIELDS, ("pack", "rules"))
        rules = self.items(fields["rules"], "rules") if "rules" in fields else []
        signals = self.items(fields["signals"], "signals") if "signals" in fields else []
        return Pack(
            key=self.text(fields["pack"], "pack") if "pack" in fields else "",
            rules=tuple(self.rule(item, f"rules[{index}]") for index, item in enumerate(rules)),
            title=self.text(fields["title"], "title") if "title" in fields else "",
            reason=self.text(fields["reason"], "reason") if "reason" in fields else "",
            signals=tuple(self.derived(item, f"signals[{index}]") for index, item in enumerate(signals)),
            places=MappingProxyType({name: place_of(value) for name, value in fields.items()}),
        )


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and not node.style and node.value in ("", "null", "~")


def load(text: str) -> Pack:
    """Read a document; raise ``DocumentError`` with every problem of form, each with line and column."""
    return _read(text, _Reader.pack)


def load_derived(text: str) -> Derived:
    """Read one derived signal, a mapping as it stands in a pack's ``signals``; raises as ``load`` does."""
    return _read(text, lambda reader, root: reader.derived(root, "signals[0]"))


def load_fields(text: str, known: tuple[str, ...], optional: Collection[str]) -> dict[str, object]:
    """Read a mapping of some fields of a rule, each as ``Rule`` holds it; ``optional`` ones may be null."""
    return _read(text, lambda reader, root: reader.some_fields(root, known, optional))


def _read(text: str, read: Callable[[_Reader, Node], T]) -> T:
    root = compose(text)
    reader = _Reader()
    found = read(reader, root)
    if reader.problems:
        raise DocumentError(in_order(reader.problems))
    return found
