"""The checker of one comparison: names, scopes, operators, types, units and ranges."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from .facts import DECIMALS, LARGEST, constant_value
from .model import Comparison, Constant, ConstantList, Operator, SignalRef
from .problems import Place, Problem, did_you_mean
from .signals import Scope, Signal, SignalCatalogue, SignalType

MAX_ITEMS = 500
MAX_TEXT = 1000
LARGEST_FACTOR = Decimal(10_000)
_LIST_OPERATORS = (Operator.IN, Operator.NOT_IN)
_UNITS = {SignalType.DAYS: "days", SignalType.PERCENT: "%"}
_VALUE_WORDS = {
    SignalType.TEXT: 'a text between double quotes, like "FR"',
    SignalType.CHOICE: "one of its choices between double quotes",
    SignalType.FLAG: "yes or no",
}


def check_comparison(comparison: Comparison, catalogue: SignalCatalogue, scope: Scope, path: str) -> Iterator[Problem]:
    """Yield the problems of one comparison in a rule of that scope."""
    signal, problem = find_signal(comparison.signal, comparison.place, catalogue, scope, path)
    if signal is None:
        if problem:
            yield problem
        return
    if not _suits(comparison.operator, signal):
        message = f"{comparison.operator} does not go with {signal.key}, which is of type {signal.type}"
        yield Problem("wrong_operator", message, path, comparison.place, "texts, choices and flags have no order")
        return
    match comparison.operand:
        case Constant() as constant if (
            comparison.operator not in _LIST_OPERATORS and not comparison.operator.is_presence
        ):
            yield from check_constant(signal, constant, path, comparison.place)
        case SignalRef() as other if comparison.operator not in _LIST_OPERATORS and not comparison.operator.is_presence:
            yield from _check_reference(signal, other, catalogue, scope, path, comparison.place)
        case ConstantList() as items if comparison.operator in _LIST_OPERATORS:
            yield from _check_list(signal, items, path, comparison.place)
        case None if comparison.operator.is_presence:
            return
        case _:
            message = f"the right-hand side does not go with {comparison.operator}"
            yield Problem("wrong_operand", message, path, comparison.place)


def find_signal(
    key: str, place: Place | None, catalogue: SignalCatalogue, scope: Scope, path: str
) -> tuple[Signal | None, Problem | None]:
    signal = catalogue.get(key)
    if signal is None:
        hint = did_you_mean(key, (signal.key for signal in catalogue.visible(scope)))
        return None, Problem("unknown_signal", f"there is no signal {key[:70]!r}", path, place, hint)
    if signal.scope not in scope.sees:
        message = f"{key} describes {signal.scope}, and this rule is about {scope}"
        return None, Problem("wrong_scope", message, path, place, f"give the rule the scope {signal.scope}")
    return signal, None


def _suits(operator: Operator, signal: Signal) -> bool:
    if signal.type is SignalType.FLAG and operator in _LIST_OPERATORS:
        return False
    return signal.type.is_numeric or not operator.is_order


def check_constant(signal: Signal, constant: Constant, path: str, place: Place | None) -> Iterator[Problem]:
    place = constant.place or place
    value = constant.value
    if signal.type.is_numeric:
        if isinstance(value, Decimal):
            yield from _check_number(signal, value, constant.unit, path, place)
            return
        expected = "a number"
    else:
        expected = _VALUE_WORDS[signal.type]
        if signal.type is SignalType.FLAG and isinstance(value, bool) and not constant.unit:
            return
        if signal.type is not SignalType.FLAG and isinstance(value, str) and not constant.unit:
            yield from _check_text(signal, value, path, place)
            return
    yield Problem("wrong_type", f"{signal.key} is of type {signal.type}: compare it with {expected}", path, place)


def _check_number(signal: Signal, value: Decimal, unit: str, path: str, place: Place | None) -> Iterator[Problem]:
    if unit and unit != _UNITS.get(signal.type):
        message = f"{signal.key} is of type {signal.type} and cannot be compared with {unit}"
        yield Problem("wrong_unit", message, path, place)
    if not value.is_finite() or not -LARGEST <= value <= LARGEST:
        yield Problem("number_range", f"numbers lie between -{LARGEST:,f} and {LARGEST:,f}", path, place)
    elif constant_value(Constant(value)) != value:
        yield Problem("number_digits", f"numbers have at most {DECIMALS} decimals", path, place)


def _check_text(signal: Signal, value: str, path: str, place: Place | None) -> Iterator[Problem]:
    if signal.choices and value not in signal.choices:
        hint = did_you_mean(value, signal.choices) or f"its choices are {', '.join(signal.choices)}"
        yield Problem("unknown_choice", f"{signal.key} is never {value[:70]!r}", path, place, hint)
    elif len(value) > MAX_TEXT:
        yield Problem("text_length", f"texts have at most {MAX_TEXT} characters", path, place)
    else:
        try:
            value.encode()
        except UnicodeEncodeError:
            yield Problem("text_characters", "this text holds half a character", path, place)


def _check_reference(
    signal: Signal, other: SignalRef, catalogue: SignalCatalogue, scope: Scope, path: str, place: Place | None
) -> Iterator[Problem]:
    place = other.place or place
    referred, problem = find_signal(other.key, place, catalogue, scope, path)
    if referred is None:
        if problem:
            quotes = f'a text stands between double quotes: "{other.key[:40]}"'
            yield replace(problem, suggestion=problem.suggestion or quotes)
    elif referred.key == signal.key:
        yield Problem("self_comparison", f"{signal.key} is compared with itself", path, place)
    elif not signal.accepts(referred):
        names = [f"{item.key} ({' in '.join(filter(None, (item.type, item.unit)))})" for item in (signal, referred)]
        yield Problem("wrong_type", f"{names[0]} cannot be compared with {names[1]}", path, place)
    elif other.factor != 1:
        yield from _check_factor(signal, other.factor, path, place)


def _check_factor(signal: Signal, factor: Decimal, path: str, place: Place | None) -> Iterator[Problem]:
    if not signal.type.is_numeric:
        yield Problem("wrong_factor", f"{signal.key} is not a number and cannot have a factor", path, place)
    elif not factor.is_finite() or factor == 0 or abs(factor) > LARGEST_FACTOR:
        yield Problem("wrong_factor", f"a factor is not 0 and at most {LARGEST_FACTOR:,f}", path, place)
    elif constant_value(Constant(factor)) != factor:
        yield Problem("number_digits", f"a factor has at most {DECIMALS} decimals", path, place)


def _check_list(signal: Signal, items: ConstantList, path: str, place: Place | None) -> Iterator[Problem]:
    place = items.place or place
    if not items.items:
        yield Problem("empty_list", "this list is empty", path, place)
    if len(items.items) > MAX_ITEMS:
        yield Problem("list_length", f"a list has at most {MAX_ITEMS} values", path, place)
        return
    for item in items.items:
        yield from check_constant(signal, item, path, place)
    values = [item.value for item in items.items]
    if len(set(values)) != len(values):
        yield Problem("duplicate_value", "this list holds a value twice", path, place)
