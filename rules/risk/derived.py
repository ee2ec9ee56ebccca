"""Derived signals: facts computed from other facts, in one place and the same for every evaluator.

    key: overdue_share
    label: Share overdue
    type: percent
    value: 100 * amount_overdue / exposure

A value is computed exactly and rounded at the end, as all numbers are. It is missing when something it needs is
missing, when it divides by zero and when a condition on the way is undecided; it is unreadable beyond what numbers can
be. Nothing here is known to the engine: to it a derived signal is a fact.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from .calculation import Arithmetic, Calculation, Cases, Expression, Extreme, source_keys
from .dimensions import calculation_problems
from .errors import CatalogueError
from .evaluator import compiled
from .facts import EXACT, constant_value
from .marking import _
from .messages import CONTEXT_WORDS
from .model import Constant, SignalRef, Value
from .problems import Place, Problem
from .signals import Scope, Signal, SignalCatalogue, SignalType
from .trace import Answer

# Words of messages, scopes and calculations, and the engine's names of a fact's own fields: a signal so named would be
# read as something else.
TAKEN = frozenset({*CONTEXT_WORDS, *Scope, "min", "max", "true", "false", "null", "id", "sid", "t"})
_UNITS = {SignalType.DAYS: "days", SignalType.PERCENT: "%"}
_COMPUTE: dict[Arithmetic, Callable[[Decimal, Decimal], Decimal]] = {
    Arithmetic.PLUS: EXACT.add,
    Arithmetic.MINUS: EXACT.subtract,
    Arithmetic.TIMES: EXACT.multiply,
    Arithmetic.DIVIDED: EXACT.divide,
}
_Values = Mapping[str, Value]
_Compute = Callable[[_Values], Value | None]


@dataclass(frozen=True)
class Derived:
    """A signal with the calculation that gives its value. ``unit`` is free for numbers and fixed for all others."""

    key: str
    label: str
    type: SignalType
    value: Expression
    unit: str = ""
    help: str = ""
    scope: Scope = Scope.BUYER
    example: str = ""
    choices: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def signal(self) -> Signal:
        """The signal rules see; ``CatalogueError`` when there can be no such signal."""
        return Signal(
            *(self.key, self.label, self.type, self.scope, self.unit or _UNITS.get(self.type, "")),
            *(self.help, self.example, self.choices),
        )

    @cached_property
    def sources(self) -> frozenset[str]:
        """The keys of the signals its calculation names, derived ones included."""
        return source_keys(self.value)

    def compute(self, values: _Values) -> Value | None:
        """Return the value, None when it is missing, unrounded and however large."""
        return self._computed(values)

    @cached_property
    def _computed(self) -> _Compute:
        return _compiled(self.value)

    def problems(self, catalogue: SignalCatalogue) -> Iterator[Problem]:
        """Yield what is wrong with it, apart from cycles; ``catalogue`` holds every signal it may name."""
        path = f"signals.{self.key[:63]}"
        try:
            signal = self.signal
        except CatalogueError as error:
            yield Problem("bad_signal", error.args[0], path, self.at("key"))
            return
        if self.key in TAKEN:
            message = _("%(key)r has a meaning of its own in rules and cannot be the key of a signal", key=self.key)
            yield Problem("reserved_key", message, path, self.at("key"), _("such as %(key)s_value", key=self.key))
        if not self.label.strip():
            yield Problem("empty", _("a signal needs a label"), f"{path}.label", self.at("label"))
        if self.unit and self.unit != _UNITS.get(self.type, self.unit if self.type is SignalType.NUMBER else ""):
            message = _("a signal of type %(type)s cannot have the unit %(unit)r", type=self.type, unit=self.unit[:40])
            yield Problem("wrong_unit", message, f"{path}.unit", self.at("unit"))
        yield from calculation_problems(self.value, signal, catalogue, f"{path}.value", self.at("value"))

    def at(self, field: str) -> Place | None:
        """Where that field stands in its text."""
        return self.places.get(field) or self.places.get("")


def _compiled(expression: Expression) -> _Compute:
    """Return a function of the facts: the tree is walked once, not for each buyer."""
    match expression:
        case Constant() as constant:
            value = constant_value(constant)
            return lambda values: value
        case SignalRef(key):
            return lambda values: values.get(key)
        case Calculation(operator, left, right):
            return _binary(operator, _compiled(left), _compiled(right))
        case Extreme(kind, parts):
            return _extreme(min if kind == "min" else max, [_compiled(part) for part in parts])
        case Cases():
            return _cases(expression)


def _binary(operator: Arithmetic, left: _Compute, right: _Compute) -> _Compute:
    calculate = _COMPUTE[operator]
    divides = operator is Arithmetic.DIVIDED

    def compute(values: _Values) -> Value | None:
        first, second = left(values), right(values)
        if not isinstance(first, Decimal) or not isinstance(second, Decimal) or (divides and not second):
            return None
        return calculate(first, second)

    return compute


def _extreme(choose: Callable[[list[Decimal]], Decimal], parts: list[_Compute]) -> _Compute:
    def compute(values: _Values) -> Value | None:
        found = [part(values) for part in parts]
        numbers = [value for value in found if isinstance(value, Decimal)]
        return choose(numbers) if len(numbers) == len(found) else None

    return compute


def _cases(cases: Cases) -> _Compute:
    choices = [(compiled(case.when), _compiled(case.value)) for case in cases.cases]
    otherwise = _compiled(cases.otherwise) if cases.otherwise is not None else None

    def compute(values: _Values) -> Value | None:
        for condition, value in choices:
            answer = condition(values)
            if answer is not Answer.NO:
                return value(values) if answer is Answer.YES else None
        return otherwise(values) if otherwise else None

    return compute
