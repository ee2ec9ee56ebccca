"""The checker of one comparison: names, scopes, operators, types, units and ranges."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from .expression import MAX_LENGTH, UNSTORABLE, format_comparison, format_number, is_storable
from .facts import DECIMALS, LARGEST, constant_value
from .marking import _
from .model import Comparison, Constant, ConstantList, Operator, SignalRef
from .problems import Place, Problem, did_you_mean
from .signals import Scope, Signal, SignalCatalogue, SignalType

MAX_ITEMS = 500
MAX_TEXT = 1000
LARGEST_FACTOR = Decimal(10_000)
_LIST_OPERATORS = (Operator.IN, Operator.NOT_IN)
_UNITS = {SignalType.DAYS: "days", SignalType.PERCENT: "%"}
_VALUE_WORDS = {
    SignalType.TEXT: _('a text between double quotes, like "FR"'),
    SignalType.CHOICE: _("one of its choices between double quotes"),
    SignalType.FLAG: _("yes or no"),
}


def check_comparison(comparison: Comparison, catalogue: SignalCatalogue, scope: Scope, path: str) -> Iterator[Problem]:
    """Yield the problems of one comparison in a rule of that scope."""
    signal, problem = find_signal(comparison.signal, comparison.place, catalogue, scope, path)
    if signal is None:
        if problem:
            yield problem
        return
    if not _suits(comparison.operator, signal):
        message = _(
            "%(operator)s does not go with %(key)s, which is of type %(type)s",
            operator=comparison.operator,
            key=signal.key,
            type=signal.type,
        )
        yield Problem("wrong_operator", message, path, comparison.place, _("texts, choices and flags have no order"))
        return
    match comparison.operand:
        case Constant() as constant if (
            comparison.operator not in _LIST_OPERATORS and not comparison.operator.is_presence
        ):
            yield from check_constant(signal, constant, path, comparison.place)
        case SignalRef() as other if comparison.operator not in _LIST_OPERATORS and not comparison.operator.is_presence:
            yield from _check_reference(signal, other, catalogue, scope, path, comparison.place)
        case ConstantList() as items if comparison.operator in _LIST_OPERATORS:
            yield from list(_check_list(signal, items, path, comparison.place)) or _check_length(comparison, path)
        case None if comparison.operator.is_presence:
            return
        case _:
            message = _("the right-hand side does not go with %(operator)s", operator=comparison.operator)
            yield Problem("wrong_operand", message, path, comparison.place)


def find_signal(
    key: str, place: Place | None, catalogue: SignalCatalogue, scope: Scope, path: str
) -> tuple[Signal | None, Problem | None]:
    signal = catalogue.get(key)
    if signal is None:
        hint = did_you_mean(key, (signal.key for signal in catalogue.visible(scope)))
        return None, Problem("unknown_signal", _("there is no signal %(key)r", key=key[:70]), path, place, hint)
    if signal.scope not in scope.sees:
        message = _(
            "%(key)s describes %(scope)s, and this rule is about %(wanted)s",
            key=key,
            scope=signal.scope,
            wanted=scope,
        )
        return None, Problem(
            "wrong_scope", message, path, place, _("give the rule the scope %(scope)s", scope=signal.scope)
        )
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
    else:
        if signal.type is SignalType.FLAG and isinstance(value, bool) and not constant.unit:
            return
        if signal.type is not SignalType.FLAG and isinstance(value, str) and not constant.unit:
            yield from _check_text(signal, value, path, place)
            return
    yield Problem("wrong_type", _expected(signal), path, place)


def _expected(signal: Signal) -> str:
    return _(
        "%(key)s is of type %(type)s: compare it with %(expected)s",
        key=signal.key,
        type=signal.type,
        expected=_VALUE_WORDS.get(signal.type, _("a number")),
    )


def _instead(signal: Signal, other: SignalRef) -> str:
    """What was meant by a word that is no signal."""
    if signal.type in (SignalType.TEXT, SignalType.CHOICE):
        return _('a text stands between double quotes: "%(key)s"', key=other.key[:40])
    return _expected(signal)


def _check_number(signal: Signal, value: Decimal, unit: str, path: str, place: Place | None) -> Iterator[Problem]:
    if unit and unit != _UNITS.get(signal.type):
        message = _(
            "%(key)s is of type %(type)s and cannot be compared with %(unit)s",
            key=signal.key,
            type=signal.type,
            unit=unit,
        )
        right = f"{format_number(value)} {_UNITS.get(signal.type, '')}".rstrip()
        yield Problem("wrong_unit", message, path, place, _("write %(right)s", right=right))
    if not value.is_finite() or not -LARGEST <= value <= LARGEST:
        yield Problem(
            "number_range", _("numbers lie between -%(largest)s and %(largest)s", largest=f"{LARGEST:,f}"), path, place
        )
    elif constant_value(Constant(value)) != value:
        yield Problem("number_digits", _("numbers have at most %(decimals)s decimals", decimals=DECIMALS), path, place)


def _check_text(signal: Signal, value: str, path: str, place: Place | None) -> Iterator[Problem]:
    if signal.choices and value not in signal.choices:
        hint = did_you_mean(value, signal.choices) or _(
            "its choices are %(choices)s", choices=", ".join(signal.choices)
        )
        yield Problem(
            "unknown_choice", _("%(key)s is never %(value)r", key=signal.key, value=value[:70]), path, place, hint
        )
    elif len(value) > MAX_TEXT:
        yield Problem("text_length", _("texts have at most %(max_text)s characters", max_text=MAX_TEXT), path, place)
    elif not is_storable(value):
        yield Problem("text_characters", UNSTORABLE, path, place)


def _check_reference(
    signal: Signal, other: SignalRef, catalogue: SignalCatalogue, scope: Scope, path: str, place: Place | None
) -> Iterator[Problem]:
    place = other.place or place
    referred, problem = find_signal(other.key, place, catalogue, scope, path)
    if referred is None:
        if problem:
            yield replace(problem, suggestion=problem.suggestion or _instead(signal, other))
    elif referred.key == signal.key:
        yield Problem("self_comparison", _("%(key)s is compared with itself", key=signal.key), path, place)
    elif not signal.accepts(referred):
        names = [f"{item.key} ({' in '.join(filter(None, (item.type, item.unit)))})" for item in (signal, referred)]
        yield Problem(
            "wrong_type",
            _("%(key)s cannot be compared with %(other)s", key=names[0], other=names[1]),
            path,
            place,
            _expected(signal),
        )
    elif other.factor != 1:
        yield from _check_factor(signal, other.factor, path, place)


def _check_factor(signal: Signal, factor: Decimal, path: str, place: Place | None) -> Iterator[Problem]:
    if not signal.type.is_numeric:
        yield Problem(
            "wrong_factor", _("%(key)s is not a number and cannot have a factor", key=signal.key), path, place
        )
    elif not factor.is_finite() or factor == 0 or abs(factor) > LARGEST_FACTOR:
        yield Problem(
            "wrong_factor",
            _("a factor is not 0 and at most %(largest_factor)s", largest_factor=f"{LARGEST_FACTOR:,f}"),
            path,
            place,
        )
    elif constant_value(Constant(factor)) != factor:
        yield Problem("number_digits", _("a factor has at most %(decimals)s decimals", decimals=DECIMALS), path, place)


def _check_list(signal: Signal, items: ConstantList, path: str, place: Place | None) -> Iterator[Problem]:
    place = items.place or place
    if not items.items:
        yield Problem("empty_list", _("this list is empty"), path, place)
    if len(items.items) > MAX_ITEMS:
        yield Problem("list_length", _("a list has at most %(max_items)s values", max_items=MAX_ITEMS), path, place)
        return
    for item in items.items:
        yield from check_constant(signal, item, path, place)
    values = [item.value for item in items.items]
    if len(set(values)) != len(values):
        yield Problem("duplicate_value", _("this list holds a value twice"), path, place)


def _check_length(comparison: Comparison, path: str) -> Iterator[Problem]:
    """A comparison is one line of text, whichever way it was made."""
    if len(format_comparison(comparison)) > MAX_LENGTH:
        message = _("a line is at most %(max_length)s characters long", max_length=MAX_LENGTH)
        yield Problem("list_length", message, path, comparison.place)
