"""A rule as a form: plain JSON that widgets draw and change, and back to the same rule.

    rule        {"key", "name", "scope", "severity", "priority", "observe", "message", "actions", "valid_from",
                 "valid_to", "companies", "reason", "when", "unless", "until", "table", "tests"}
    condition   {"kind": "all" | "any", "parts": [condition]}, {"kind": "not", "part": condition},
                {"kind": "comparison", "signal", "operator", "operand"}
    operand     None (is known), {"kind": "value", "type", "value", "unit"}, {"kind": "signal", "signal", "factor"},
                {"kind": "list", "items": [value]}
    table       {"hit": "first" | "all", "inputs": [{"signal", "operator"}], "rows": [{"cells": [None | {"operator",
                "operand"}], "severity", "message", "actions"}]}; then "when" is None

Numbers are texts, because JSON's are not exact; ``type`` says which texts are: number, text or flag, and in the facts
of tests also date and missing. A widget may leave it out, and then the signal decides.
"""

from collections.abc import Mapping
from typing import Any as Anything

from .errors import DocumentError
from .expression import format_number
from .formreader import FormReader
from .model import (
    All,
    Any,
    Comparison,
    Condition,
    Constant,
    ConstantList,
    FactValue,
    Not,
    Operand,
    Row,
    Rule,
    RuleTest,
    SignalRef,
    Table,
    Value,
)
from .problems import in_order
from .signals import Scope, Signal, SignalCatalogue

Json = dict[str, Anything]


def to_form(rule: Rule) -> Json:
    """Return a rule as a form; ``from_form`` gives it back equal."""
    return {
        "key": rule.key,
        "name": rule.name,
        "scope": rule.scope.value,
        "severity": rule.severity.value,
        "priority": rule.priority,
        "observe": rule.observe,
        "message": rule.message,
        "actions": list(rule.actions),
        "valid_from": rule.valid_from.isoformat() if rule.valid_from else None,
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
        "companies": list(rule.companies),
        "reason": rule.reason,
        "when": None if rule.table else _condition(rule.when),
        "unless": rule.unless and _condition(rule.unless),
        "until": rule.until and _condition(rule.until),
        "table": rule.table and _table(rule.table),
        "tests": [_test(test) for test in rule.tests],
    }


def from_form(form: object, catalogue: SignalCatalogue | None = None) -> Rule:
    """Return the rule of a form; ``DocumentError`` with the path of every part that is none.

    ``catalogue`` tells numbers from texts where the form does not. Whether the rule makes sense is for ``check``.
    """
    reader = FormReader(catalogue)
    rule = reader.rule(form)
    if reader.problems:
        raise DocumentError(in_order(reader.problems))
    return rule


def describe_catalogue(catalogue: SignalCatalogue, scope: Scope) -> list[Json]:
    """Return the signals a rule of that scope may use, for choosing among them."""
    derived = {item.key for item in catalogue.derived}
    return [_signal(signal) | {"derived": signal.key in derived} for signal in catalogue.visible(scope)]


def _signal(signal: Signal) -> Json:
    return {
        "key": signal.key,
        "label": signal.label,
        "type": signal.type.value,
        "unit": signal.unit,
        "scope": signal.scope.value,
        "help": signal.help,
        "example": signal.example,
        "choices": list(signal.choices),
        "minimum": None if signal.minimum is None else format_number(signal.minimum),
        "maximum": None if signal.maximum is None else format_number(signal.maximum),
    }


def _condition(condition: Condition) -> Json:
    match condition:
        case Comparison(signal, operator, operand):
            found = {"kind": "comparison", "signal": signal, "operator": operator.value}
            return found | {"operand": None if operand is None else _operand(operand)}
        case Not(part):
            return {"kind": "not", "part": _condition(part)}
        case All(parts) | Any(parts):
            kind = "all" if isinstance(condition, All) else "any"
            return {"kind": kind, "parts": [_condition(part) for part in parts]}


def _operand(operand: Operand) -> Json:
    match operand:
        case Constant(value, unit):
            return {"kind": "value", **_value(value), "unit": unit}
        case SignalRef(key, factor):
            return {"kind": "signal", "signal": key, "factor": format_number(factor)}
        case ConstantList(items):
            return {"kind": "list", "items": [_operand(item) for item in items]}


def _value(value: Value) -> Json:
    if isinstance(value, bool):
        return {"type": "flag", "value": value}
    if isinstance(value, str):
        return {"type": "text", "value": value}
    return {"type": "number", "value": format_number(value)}


def _table(table: Table) -> Json:
    return {
        "hit": "first" if table.first else "all",
        "inputs": [
            {"signal": column.signal, "operator": column.operator and column.operator.value} for column in table.columns
        ],
        "rows": [_row(row) for row in table.rows],
    }


def _row(row: Row) -> Json:
    cells = [cell and {key: _condition(cell)[key] for key in ("operator", "operand")} for cell in row.cells]
    return {
        "cells": cells,
        "severity": row.severity and row.severity.value,
        "message": row.message,
        "actions": None if row.actions is None else list(row.actions),
    }


def _test(test: RuleTest) -> Json:
    return {
        "name": test.name,
        "today": test.today.isoformat() if test.today else None,
        "facts": [{"key": key, **_fact(value)} for key, value in test.facts],
        "expect": test.expect.value,
        "ends": test.ends,
    }


def _fact(value: FactValue) -> Mapping[str, Anything]:
    if value is None:
        return {"type": "missing", "value": None}
    if isinstance(value, bool | str):
        return _value(value)
    if isinstance(value, int):
        return {"type": "number", "value": str(value)}
    return {"type": "date", "value": value.isoformat()} if hasattr(value, "isoformat") else _value(value)
