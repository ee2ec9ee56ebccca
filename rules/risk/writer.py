"""The other half of ``document``: a ``Pack`` written as YAML for people, one comparison a line, defaults left out."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from .calculation import Cases, Expression, format_calculation
from .derived import Derived
from .document import STATE_WORDS
from .expression import format_comparison, format_number
from .model import (
    All,
    Any,
    Column,
    Comparison,
    Condition,
    Constant,
    FactValue,
    Not,
    Row,
    Rule,
    RuleTest,
    Severity,
    Table,
)
from .pack import Pack
from .signals import Scope
from .table import HIT_WORDS, format_cell, format_column
from .yamlnodes import Node
from .yamlwriter import items as _items
from .yamlwriter import mapping as _mapping
from .yamlwriter import plain as _plain
from .yamlwriter import serialized as _serialized
from .yamlwriter import text as _text
from .yamlwriter import texts as _texts

_STATES = {state: word for word, state in STATE_WORDS.items()}
_FIELDS = (
    *("scope", "severity", "priority", "observe", "when", "unless", "until", "message", "actions"),
    *("valid_from", "valid_to"),
)
_DEFAULTS = Rule(key="", name="", when=All(()))


def _condition(condition: Condition) -> Node:
    match condition:
        case Comparison():
            return _text(format_comparison(condition))
        case Not(part):
            return _mapping([("not", _condition(part))])
        case All(parts) | Any(parts):
            kind = "all" if isinstance(condition, All) else "any"
            return _mapping([(kind, _items([_condition(part) for part in parts], flow=not parts))])


def _fact(value: FactValue) -> Node:
    if value is None:
        return _plain("null")
    if isinstance(value, bool):
        return _plain("yes" if value else "no")
    if isinstance(value, str):
        return _text(value, '"')
    if isinstance(value, date):
        return _plain(value.isoformat())
    return _plain(format_number(Decimal(value)))


def _test(test: RuleTest) -> Node:
    facts = _mapping([(key, _fact(value)) for key, value in test.facts], flow=True)
    pairs = [("name", _text(test.name)), ("facts", facts), ("expect", _text(_STATES[test.expect]))]
    if test.today is not None:
        pairs.insert(1, ("today", _plain(test.today.isoformat())))
    if test.ends is not None:
        pairs.append(("ends", _fact(test.ends)))
    return _mapping(pairs)


def _table(table: Table) -> Node:
    hit = next(word for word, first in HIT_WORDS.items() if first is table.first)
    heads = _texts(tuple(format_column(column) for column in table.columns))
    rows = _items([_row(row, table) for row in table.rows], flow=not table.rows)
    return _mapping([("hit", _text(hit)), ("inputs", heads), ("rows", rows)])


def _row(row: Row, table: Table) -> Node:
    cells = [_cell(cell, column) for cell, column in zip(row.cells, table.columns, strict=True)]
    pairs: list[tuple[str, Node]] = [("cells", _items(cells, flow=True))]
    if row.severity is not None:
        pairs.append(("severity", _text(row.severity.value)))
    if row.message is not None:
        pairs.append(("message", _text(row.message)))
    if row.actions is not None:
        pairs.append(("actions", _texts(row.actions)))
    return _mapping(pairs)


def _cell(cell: Comparison | None, column: Column) -> Node:
    text = format_cell(cell, column)
    is_number = cell is not None and cell.operator is column.operator and isinstance(cell.operand, Constant)
    return _plain(text) if is_number and text[-1:].isdigit() else _text(text)


def _rule(rule: Rule) -> Node:
    pairs = [("key", _text(rule.key)), ("name", _text(rule.name))]
    for name in _FIELDS:
        if name == "when" and rule.table:
            pairs.append(("table", _table(rule.table)))
        elif getattr(rule, name) != getattr(_DEFAULTS, name) or name in ("severity", "when"):
            pairs.append((name, _field(getattr(rule, name))))
    if rule.companies:
        pairs.append(("companies", _texts(rule.companies)))
    if rule.reason:
        pairs.append(("reason", _text(rule.reason)))
    if rule.tests:
        pairs.append(("tests", _field(rule.tests)))
    return _mapping(pairs)


def _derived(derived: Derived) -> Node:
    pairs = [("key", _text(derived.key)), ("label", _text(derived.label)), ("type", _text(derived.type.value))]
    if derived.unit:
        pairs.append(("unit", _text(derived.unit)))
    if derived.scope is not Scope.BUYER:
        pairs.append(("scope", _text(derived.scope.value)))
    if derived.choices:
        pairs.append(("choices", _texts(derived.choices)))
    pairs += [(name, _text(text)) for name, text in (("help", derived.help), ("example", derived.example)) if text]
    pairs.append(("value", _calculation(derived.value)))
    return _mapping(pairs)


def _calculation(expression: Expression) -> Node:
    if not isinstance(expression, Cases):
        is_word = isinstance(expression, Constant) and not isinstance(expression.value, str)
        return (_plain if is_word else _text)(format_calculation(expression))
    cases = [
        _mapping([("when", _condition(case.when)), ("value", _calculation(case.value))]) for case in expression.cases
    ]
    pairs: list[tuple[str, Node]] = [("cases", _items(cases, flow=not cases))]
    if expression.otherwise is not None:
        pairs.append(("otherwise", _calculation(expression.otherwise)))
    return _mapping(pairs)


def _field(value: object) -> Node:
    match value:
        case All() | Any() | Not() | Comparison():
            return _condition(value)
        case bool():
            return _plain("yes" if value else "no")
        case Table():
            return _table(value)
        case Scope() | Severity():
            return _text(value.value)
        case str():
            return _text(value)
        case int() | date():
            return _plain(str(value))
        case (RuleTest(), *_):
            return _items([_test(test) for test in value if isinstance(test, RuleTest)], flow=False)
        case tuple():
            return _texts(value)
    raise TypeError(f"not a field of a rule: {value!r}")


def dump(pack: Pack) -> str:
    """Write a pack as YAML; ``load(dump(pack)) == pack`` for every pack that passes the checker."""
    pairs = [("pack", _text(pack.key))]
    pairs += [(name, _text(text)) for name, text in (("title", pack.title), ("reason", pack.reason)) if text]
    if pack.signals:
        pairs.append(("signals", _items([_derived(item) for item in pack.signals], flow=False)))
    pairs.append(("rules", _items([_rule(rule) for rule in pack.rules], flow=not pack.rules)))
    return _serialized(_mapping(pairs))


def dump_derived(derived: Derived) -> str:
    """Write one derived signal as YAML; ``load_derived`` reads it back equal."""
    return _serialized(_derived(derived))


def dump_fields(fields: Mapping[str, object]) -> str:
    """Write some fields of a rule; ``load_fields`` reads them back equal."""
    pairs = [(name, _plain("null") if value is None else _field(value)) for name, value in fields.items()]
    return _serialized(_mapping(pairs, flow=not pairs))
