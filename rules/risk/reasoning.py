"""Can a set of comparisons be true together? Exact for each signal by itself, careful about pairs of signals.

Numbers are whole ten-thousandths, so "greater than 5" starts at 5.0001 and every question about one signal has an
exact answer. Of two signals only what their own comparisons say is used (``a > b`` and ``a < b``); where that is not
enough the answer is "perhaps", so a condition is only called impossible when it is.
"""

from collections.abc import Iterable
from decimal import Decimal

from .facts import DECIMALS, LARGEST, constant_value
from .model import Comparison, Condition, Constant, ConstantList, Not, Operator, SignalRef
from .normal import Branch, TooManyBranches, branches
from .signals import Signal, SignalCatalogue, SignalType

_SEARCH_LIMIT = 400
_ORDERS = {
    Operator.EQ: "=",
    Operator.NE: "<>",
    Operator.LT: "<",
    Operator.LE: "<=",
    Operator.GT: ">",
    Operator.GE: "=>",
}
_MIRROR = {"<": ">", ">": "<", "=": "="}


def steps(number: Decimal) -> int:
    """Return a rounded number as whole ten-thousandths.

    >>> steps(Decimal("1.5000"))
    15000
    """
    return int(number.scaleb(DECIMALS))


def _constants(comparison: Comparison) -> list[object]:
    operand = comparison.operand
    items = operand.items if isinstance(operand, ConstantList) else (operand,)
    return [constant_value(item) for item in items if isinstance(item, Constant)]


def _numbers_possible(signal: Signal, conditions: Iterable[Comparison]) -> bool:
    """One range, the numbers named in it if any are, and those left out; lists are long, so each is read once."""
    low = steps(-LARGEST if signal.minimum is None else signal.minimum)
    high = steps(LARGEST if signal.maximum is None else signal.maximum)
    allowed: set[int] | None = None
    excluded: set[int] = set()
    for comparison in conditions:
        points = {steps(value) for value in _constants(comparison) if isinstance(value, Decimal)}
        match comparison.operator:
            case Operator.EQ | Operator.IN:
                allowed = points if allowed is None else allowed & points
            case Operator.NE | Operator.NOT_IN:
                excluded |= points
            case Operator.LT:
                high = min(high, min(points) - 1)
            case Operator.LE:
                high = min(high, min(points))
            case Operator.GT:
                low = max(low, max(points) + 1)
            case _:
                low = max(low, max(points))
    if allowed is not None:
        return any(low <= point <= high for point in allowed - excluded)
    return high - low >= sum(low <= point <= high for point in excluded)


def _words_possible(signal: Signal, conditions: Iterable[Comparison]) -> bool:
    """For texts, choices and flags: what is allowed (None: any text) without what is excluded."""
    allowed: set[object] | None = {True, False} if signal.type is SignalType.FLAG else set(signal.choices) or None
    excluded: set[object] = set()
    for comparison in conditions:
        values = set(_constants(comparison))
        if comparison.operator in (Operator.NE, Operator.NOT_IN):
            excluded |= values
        else:
            allowed = values if allowed is None else allowed & values
    return allowed is None or bool(allowed - excluded)


def _pair(comparison: Comparison, other: SignalRef) -> tuple[tuple[str, str, Decimal], frozenset[str]]:
    """Name the pair of signals in one direction only, and the orders the comparison leaves open."""
    orders = frozenset(_ORDERS[comparison.operator])
    if other.factor == 1 and other.key < comparison.signal:
        return (other.key, comparison.signal, Decimal(1)), frozenset(_MIRROR[order] for order in orders)
    return (comparison.signal, other.key, other.factor), orders


def satisfiable(branch: Branch, catalogue: SignalCatalogue) -> bool:
    """False when no facts make every comparison of the branch true."""
    by_signal: dict[str, list[Comparison]] = {}
    pairs: dict[tuple[str, str, Decimal], frozenset[str]] = {}
    known: set[str] = set()
    missing: set[str] = set()
    for comparison in branch:
        (missing if comparison.operator is Operator.MISSING else known).add(comparison.signal)
        if isinstance(comparison.operand, SignalRef):
            known.add(comparison.operand.key)
            name, orders = _pair(comparison, comparison.operand)
            pairs[name] = pairs.get(name, orders) & orders
        elif comparison.operand is not None:
            by_signal.setdefault(comparison.signal, []).append(comparison)
    if known & missing or not all(pairs.values()):
        return False
    return all(
        (_numbers_possible if catalogue[key].type.is_numeric else _words_possible)(catalogue[key], conditions)
        for key, conditions in by_signal.items()
    )


def never_true(condition: Condition, catalogue: SignalCatalogue) -> bool:
    """True when no facts make the condition known to be true. False also means "too complicated to say"."""
    try:
        return not any(satisfiable(branch, catalogue) for branch in branches(condition, _SEARCH_LIMIT))
    except TooManyBranches:
        return False


def never_false(condition: Condition, catalogue: SignalCatalogue) -> bool:
    """True when no facts make the condition known to be false: it holds for everybody who has the data."""
    return never_true(Not(condition), catalogue)
