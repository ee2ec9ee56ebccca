"""The other half of ``form``: JSON from a browser, which may hold anything, to a rule."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from .expression import UNSTORABLE, ExpressionError, format_number, is_storable, parse_comparison
from .marking import _
from .model import (
    All,
    Any,
    Column,
    Comparison,
    Condition,
    Constant,
    ConstantList,
    FactValue,
    Not,
    Operand,
    Operator,
    Row,
    Rule,
    RuleTest,
    Severity,
    SignalRef,
    State,
    Table,
)
from .problems import Problem, did_you_mean, did_you_mean_field
from .reader import MAX_TEXT, NOWHERE
from .signals import Scope, SignalCatalogue

T = TypeVar("T")
MAX_DEPTH = 24
MAX_ITEMS = 2000
_RULE_FIELDS = (
    *("key", "name", "scope", "severity", "priority", "observe", "message", "actions", "valid_from", "valid_to"),
    *("companies", "reason", "when", "unless", "until", "table", "tests"),
)
_UNITS = ("", "days", "%")


class _Wrong(Exception):
    """This part of the form is nothing; the message says what was expected."""


class FormReader:
    """Collects problems, so that a form shows all of them; the parts they are about get some harmless value."""

    def __init__(self, catalogue: SignalCatalogue | None) -> None:
        self.catalogue = catalogue
        self.problems: list[Problem] = []
        self.path = "rules."

    def refuse(self, path: str, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem("wrong_value", message, f"{self.path}{path}", None, suggestion))

    def tried(self, path: str, default: T, read: Callable[[], T]) -> T:
        try:
            return read()
        except _Wrong as wrong:
            self.refuse(path, wrong.args[0])
            return default

    # --- the small things

    def mapping(self, value: object, path: str) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            self.refuse(path, _("this part of the form is empty"))
            return {}
        return value

    def items(self, value: object, path: str) -> list[object]:
        if value is None:
            return []
        if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
            self.refuse(path, _("expected a list"))
            return []
        return list(value)

    def text(self, value: object, path: str) -> str:
        if value is None or value is False:
            return ""
        if not isinstance(value, str):
            self.refuse(path, _("expected a text"))
            return ""
        if len(value) > MAX_TEXT:
            self.refuse(path, _("a text is at most %(max_text)s characters long", max_text=MAX_TEXT))
        elif not is_storable(value):
            self.refuse(path, UNSTORABLE)
        return value

    def texts(self, value: object, path: str) -> tuple[str, ...]:
        return tuple(self.text(item, f"{path}[{index}]") for index, item in enumerate(self.items(value, path)))

    def word(self, value: object, path: str, words: Mapping[str, T], default: T) -> T:
        if isinstance(value, str) and value in words:
            return words[value]
        hint = did_you_mean(value, words) if isinstance(value, str) else ""
        self.refuse(path, _("expected one of %(words)s", words=", ".join(words)), hint)
        return default

    def date(self, value: object, path: str) -> date | None:
        if not value:
            return None
        return self.tried(path, None, lambda: _date(value))

    # --- conditions

    def condition(self, node: object, path: str, depth: int = 0) -> Condition:
        form = self.mapping(node, path)
        kind = form.get("kind")
        if not form:
            return NOWHERE
        if depth > MAX_DEPTH:
            self.refuse(path, _("groups are nested at most %(max_depth)s deep", max_depth=MAX_DEPTH))
            return NOWHERE
        if kind == "comparison":
            return self.comparison(form, self.text(form.get("signal"), path), path)
        if kind == "not":
            return Not(self.condition(form.get("part"), f"{path}.not", depth + 1))
        if kind not in ("all", "any"):
            self.refuse(path, _("a condition is a comparison, all, any or not"))
            return NOWHERE
        path = f"{path}.{kind}"
        items = self.items(form.get("parts"), path)
        parts = tuple(self.condition(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(items))
        return All(parts) if kind == "all" else Any(parts)

    def comparison(self, form: Mapping[str, object], signal: str, path: str) -> Comparison:
        operator = self.word(form.get("operator"), path, {word.value: word for word in Operator}, Operator.KNOWN)
        if not _is_name(signal):
            self.refuse(path, _("choose a signal"))
        operand = None if operator.is_presence else self.operand(form.get("operand"), signal, path)
        return Comparison(signal, operator, operand)

    def operand(self, node: object, signal: str, path: str) -> Operand:
        form = self.mapping(node, path)
        if form.get("kind") == "signal":
            key = self.text(form.get("signal"), path)
            if not _is_name(key):
                self.refuse(path, _("choose the signal to compare with"))
            given = form.get("factor")
            factor = Decimal(1) if given in (None, "") else self.tried(path, Decimal(1), lambda: _number(given))
            return SignalRef(key, factor)
        if form.get("kind") == "list":
            items = self.items(form.get("items"), path)
            return ConstantList(tuple(self.constant(item, signal, path) for item in items))
        return self.constant(form, signal, path)

    def constant(self, node: object, signal: str, path: str) -> Constant:
        form = self.mapping(node, path)
        value = form.get("value")
        unit = form.get("unit") or ""
        if unit not in _UNITS:
            self.refuse(path, _("the unit is days, % or nothing"))
            unit = ""
        kind = form.get("type") or self.kind_of(value, signal)
        if kind == "number":
            return Constant(self.tried(path, Decimal(0), lambda: _number(value)), str(unit))
        if kind == "flag":
            if not isinstance(value, bool):
                self.refuse(path, _("expected yes or no"))
            return Constant(value is True, str(unit))
        return Constant(self.text(value, path), str(unit))

    def kind_of(self, value: object, signal: str) -> str:
        known = self.catalogue.get(signal) if self.catalogue else None
        if isinstance(value, bool):
            return "flag"
        return "number" if isinstance(value, int | float) or (known and known.type.is_numeric) else "text"

    # --- tables

    def table(self, node: object, path: str) -> Table:
        form = self.mapping(node, path)
        heads = self.items(form.get("inputs"), f"{path}.inputs")
        columns = tuple(self.column(head, f"{path}.inputs[{index}]") for index, head in enumerate(heads))
        items = self.items(form.get("rows"), f"{path}.rows")
        rows = tuple(self.row(item, columns, f"{path}.rows[{index}]") for index, item in enumerate(items))
        first = self.word(form.get("hit"), f"{path}.hit", {"first": True, "all": False}, True)
        return Table(columns, rows, first)

    def column(self, node: object, path: str) -> Column:
        form = self.mapping(node, path)
        signal, operator = self.text(form.get("signal"), path), form.get("operator")
        if not _is_name(signal):
            self.refuse(path, _("choose a signal"))
        words = {word.value: word for word in Operator if not word.is_presence}
        return Column(signal, self.word(operator, path, words, Operator.EQ) if operator else None)

    def row(self, node: object, columns: tuple[Column, ...], path: str) -> Row:
        form = self.mapping(node, path)
        items = self.items(form.get("cells"), path)
        if len(items) != len(columns):
            self.refuse(
                path, _("this row has %(cells)s cells for %(columns)s inputs", cells=len(items), columns=len(columns))
            )
        cells = tuple(
            self.comparison(self.mapping(cell, f"{path}.cells[{index}]"), column.signal, f"{path}.cells[{index}]")
            if cell
            else None
            for index, (cell, column) in enumerate(zip(items, columns, strict=False))
        )
        severity, message, actions = form.get("severity"), form.get("message"), form.get("actions")
        words = {word.value: word for word in Severity}
        return Row(
            cells,
            self.word(severity, f"{path}.severity", words, Severity.WARNING) if severity else None,
            None if message is None or message is False else self.text(message, f"{path}.message"),
            None if actions is None or actions is False else self.texts(actions, f"{path}.actions"),
        )

    # --- rules

    def test(self, node: object, path: str) -> RuleTest:
        form = self.mapping(node, path)
        facts: dict[str, FactValue] = {}
        for item in self.items(form.get("facts"), path):
            fact = self.mapping(item, path)
            key = self.text(fact.get("key"), path)
            if key in facts:
                self.refuse(path, _("%(key)r is given twice", key=key[:40]))
            facts[key] = self.fact(fact, key, path)
        expect = self.word(form.get("expect"), path, {state.value: state for state in State}, State.FIRED)
        ends = form.get("ends")
        if ends is not None and not isinstance(ends, bool):
            self.refuse(path, _("an alert that is open ends, or it does not"))
            ends = None
        today = self.date(form.get("today"), path)
        return RuleTest(self.text(form.get("name"), path), tuple(sorted(facts.items())), expect, today, ends)

    def fact(self, form: Mapping[str, object], key: str, path: str) -> FactValue:
        kind, value = form.get("type"), form.get("value")
        if kind == "missing" or value is None:
            return None
        if kind == "date":
            return self.date(value, path)
        return self.constant(form, key, path).value

    def rule(self, node: object) -> Rule:
        form = self.mapping(node, "")
        key = self.text(form.get("key"), "key")
        self.path = f"rules.{key[:63]}."
        for name in form:
            if name not in _RULE_FIELDS:
                self.refuse(
                    str(name)[:40], _("there is no such field"), did_you_mean_field(str(name)[:40], _RULE_FIELDS)
                )
        table = self.table(form["table"], "table") if form.get("table") else None
        if table and form.get("when"):
            self.refuse("when", _("a rule has one of when and table"))
        priority = form.get("priority", 100)
        if isinstance(priority, bool) or not isinstance(priority, int) or not -9999 <= priority <= 9999:
            self.refuse("priority", _("expected a whole number from -9999 to 9999"))
            priority = 100
        return Rule(
            key=key,
            name=self.text(form.get("name"), "name"),
            when=table.condition if table else self.condition(form.get("when"), "when"),
            scope=self.word(form.get("scope", "buyer"), "scope", {word.value: word for word in Scope}, Scope.BUYER),
            unless=self.condition(form["unless"], "unless") if form.get("unless") else None,
            until=self.condition(form["until"], "until") if form.get("until") else None,
            severity=self.word(
                form.get("severity", "warning"), "severity", {word.value: word for word in Severity}, Severity.WARNING
            ),
            priority=priority,
            message=self.text(form.get("message"), "message"),
            actions=self.texts(form.get("actions"), "actions"),
            observe=bool(form.get("observe")),
            valid_from=self.date(form.get("valid_from"), "valid_from"),
            valid_to=self.date(form.get("valid_to"), "valid_to"),
            companies=self.texts(form.get("companies"), "companies"),
            reason=self.text(form.get("reason"), "reason"),
            tests=tuple(
                self.test(item, f"tests[{index}]") for index, item in enumerate(self.items(form.get("tests"), "tests"))
            ),
            table=table,
        )


def _is_name(text: str) -> bool:
    """True for what can stand in a text as a signal: then a form can always be written as text and read back."""
    try:
        return parse_comparison(f"{text} is known") == Comparison(text, Operator.KNOWN)
    except ExpressionError:
        return False


def _number(value: object) -> Decimal:
    """Read what a widget calls a number, in the form that texts have; a float stands for its shortest notation."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 60:
        raise _Wrong(_("expected a number"))
    try:
        text = value if isinstance(value, str) else format_number(Decimal(str(value)).normalize())
        found = parse_comparison(f"x = {text}").operand
    except (ExpressionError, ArithmeticError, ValueError):
        found = None
    if not isinstance(found, Constant) or not isinstance(found.value, Decimal) or found.unit:
        raise _Wrong(_("expected a number") if value == "" else _("%(value)r is not a number", value=str(value)[:40]))
    return found.value


def _date(value: object) -> date:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> date:
    raise _Wrong(_("expected a date like 2025-01-31"))
