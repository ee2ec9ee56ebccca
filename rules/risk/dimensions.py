"""The checker of one calculation: its signals, its conditions, and that no money is added to days.

    money + money, min(money, 100)  → money        money * number, money * percent, money / percent → money
    money / money, days / days      → number       money / days, number / money → number
    100 * number                    → percent when the signal says so; a plain number goes with everything

A calculation of type number may hold anything: that is how a unit is left behind on purpose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .calculation import MAX_OPERATIONS, Arithmetic, Calculation, Cases, Expression, Extreme, nodes, parts_of
from .comparisons import check_constant, find_signal
from .conditions import condition_problems
from .marking import _
from .model import Constant, SignalRef
from .problems import Place, Problem
from .signals import Signal, SignalCatalogue, SignalType

MAX_DEPTH = 40
MAX_CASES = 40
_RATIOS = frozenset({SignalType.NUMBER, SignalType.PERCENT})
_PLAIN = None  # the dimension of a number without unit
_Dimension = SignalType | None
_BY_UNIT = {"days": SignalType.DAYS, "%": SignalType.PERCENT}


class _Wrong(Exception):
    """The dimensions do not go together."""

    def __init__(self, code: str, message: str, place: Place | None, suggestion: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.place, self.suggestion = code, message, place, suggestion


def calculation_problems(
    expression: Expression, signal: Signal, catalogue: SignalCatalogue, path: str, place: Place | None
) -> Iterator[Problem]:
    """Yield the problems of the calculation that is to give ``signal`` its value."""
    size = sum(1 for _node in islice(nodes(expression), 4 * MAX_OPERATIONS))
    if size == 4 * MAX_OPERATIONS or _deeper_than(expression, MAX_DEPTH):
        yield Problem(
            "too_large",
            _("a calculation has at most %(max_operations)s operations", max_operations=MAX_OPERATIONS),
            path,
            place,
        )
        return
    yield from _Checker(signal, catalogue, place).problems(expression, path)


@dataclass(frozen=True)
class _Checker:
    signal: Signal
    catalogue: SignalCatalogue
    place: Place | None

    def problems(self, expression: Expression, path: str) -> Iterator[Problem]:
        if isinstance(expression, Cases):
            yield from self.cases(expression, path)
            return
        found = list(self.leaves(expression, path))
        yield from found
        if not found and self.signal.type.is_numeric:
            yield from self.numbers(expression, path)
        elif not found:
            yield from self.words(expression, path)

    def cases(self, cases: Cases, path: str) -> Iterator[Problem]:
        place = cases.place or self.place
        if not cases.cases:
            yield Problem("empty_group", _("there are no cases"), f"{path}.cases", place, _("write the value alone"))
        if len(cases.cases) > MAX_CASES:
            yield Problem(
                "too_many_cases",
                _("there are at most %(max_cases)s cases", max_cases=MAX_CASES),
                f"{path}.cases",
                place,
            )
            return
        for index, case in enumerate(cases.cases):
            here = f"{path}.cases[{index}]"
            yield from condition_problems(case.when, self.catalogue, self.signal.scope, f"{here}.when", place)
            yield from self.problems(case.value, f"{here}.value")
        if cases.otherwise is not None:
            yield from self.problems(cases.otherwise, f"{path}.otherwise")

    def leaves(self, expression: Expression, path: str) -> Iterator[Problem]:
        """Yield what is wrong with single signals, constants and groups."""
        for node in nodes(expression):
            match node:
                case SignalRef(key, factor):
                    place = node.place or self.place
                    _found, problem = find_signal(key, place, self.catalogue, self.signal.scope, path)
                    if problem:
                        yield problem
                    if factor != 1:
                        yield Problem("wrong_factor", _("write the factor as a product"), path, place)
                case Cases():
                    yield Problem("nested_cases", _("cases stand by themselves"), path, node.place or self.place)
                case Extreme(kind, parts) if kind not in ("min", "max") or len(parts) < 2:
                    message = _("min and max compare at least two values")
                    yield Problem("empty_group", message, path, node.place or self.place)

    def words(self, expression: Expression, path: str) -> Iterator[Problem]:
        """Check a text, choice or flag: one constant or one signal of the same kind."""
        match expression:
            case Constant() as constant:
                yield from check_constant(self.signal, constant, path, self.place)
            case SignalRef(key):
                if not self.signal.accepts(self.catalogue[key]):
                    kind = self.catalogue[key].type
                    message = _(
                        "%(key)s is of type %(kind)s and cannot be the value of %(signal)s",
                        key=key,
                        kind=kind,
                        signal=self.signal.key,
                    )
                    yield Problem("wrong_type", message, path, expression.place or self.place)
            case _:
                message = _("a signal of type %(type)s is not calculated", type=self.signal.type)
                yield Problem("wrong_type", message, path, self.place, _("use cases with one value each"))

    def numbers(self, expression: Expression, path: str) -> Iterator[Problem]:
        try:
            dimension = self.dimension(expression, path)
        except _Wrong as wrong:
            yield Problem(wrong.code, wrong.message, path, wrong.place or self.place, wrong.suggestion)
            return
        wanted = self.signal.type
        if wanted is SignalType.NUMBER or dimension in (_PLAIN, wanted):
            return
        if dimension in _RATIOS and wanted in _RATIOS:
            return
        message = _(
            "this calculates %(dimension)s, and %(key)s is of type %(wanted)s",
            dimension=dimension,
            key=self.signal.key,
            wanted=wanted,
        )
        yield Problem("wrong_unit", message, path, self.place, _("give it the type %(dimension)s", dimension=dimension))

    def dimension(self, expression: Expression, path: str) -> _Dimension:
        match expression:
            case Constant():
                return self.constant(expression, path)
            case SignalRef(key):
                kind = self.catalogue[key].type
                if not kind.is_numeric:
                    message = _("%(key)s is of type %(kind)s: one cannot calculate with it", key=key, kind=kind)
                    raise _Wrong("wrong_type", message, expression.place)
                return kind
            case Calculation(Arithmetic.TIMES, left, right):
                return self.product(self.dimension(left, path), self.dimension(right, path), expression.place)
            case Calculation(Arithmetic.DIVIDED, left, right):
                if isinstance(right, Constant) and right.value == 0:
                    raise _Wrong("division_by_zero", _("this divides by zero"), right.place)
                return _quotient(self.dimension(left, path), self.dimension(right, path))
        found: _Dimension = _PLAIN
        for part in parts_of(expression):
            found = _same(found, self.dimension(part, path), part.place)
        return found

    def constant(self, constant: Constant, path: str) -> _Dimension:
        plain = Signal("constant", "", SignalType.NUMBER)
        for problem in check_constant(plain, Constant(constant.value, place=constant.place), path, self.place):
            code = problem.code
            message = _("one calculates with numbers only") if code == "wrong_type" else problem.message
            raise _Wrong(code, message, problem.place)
        if constant.unit and constant.unit not in _BY_UNIT:
            raise _Wrong("wrong_unit", _("there is no unit %(unit)r", unit=constant.unit[:40]), constant.place)
        return _BY_UNIT[constant.unit] if constant.unit else _PLAIN

    def product(self, left: _Dimension, right: _Dimension, place: Place | None) -> _Dimension:
        if left is _PLAIN or right is _PLAIN:
            return left if right is _PLAIN else right
        if left in _RATIOS or right in _RATIOS:
            return right if left in _RATIOS else left
        raise _Wrong(
            "wrong_unit",
            _("%(left)s times %(right)s is nothing", left=left, right=right),
            place,
            _("divide by one of them"),
        )


def _quotient(left: _Dimension, right: _Dimension) -> _Dimension:
    if right is _PLAIN:
        return left
    if right in _RATIOS and left is not _PLAIN:
        return left if left is not right else SignalType.NUMBER
    return SignalType.NUMBER


def _same(left: _Dimension, right: _Dimension, place: Place | None) -> _Dimension:
    if left is _PLAIN or right is _PLAIN or left is right:
        return left if right is _PLAIN else right
    raise _Wrong("wrong_unit", _("%(left)s and %(right)s cannot be added or compared", left=left, right=right), place)


def _deeper_than(expression: Expression, limit: int) -> bool:
    return limit == 0 or any(_deeper_than(part, limit - 1) for part in parts_of(expression))
