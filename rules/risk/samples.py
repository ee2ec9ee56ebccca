"""Facts to try an engine with before it is trusted: the rules' own constants, just below, on and just above."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from random import Random

from .compiler import NamedBranch, Program, named_branches
from .evaluator import answer_condition
from .facts import LARGEST, STEP, ReadFacts, constant_value, product, rounded
from .model import All, Comparison, Constant, ConstantList, Operator, SignalRef, Value, comparisons, signal_keys
from .normal import Branch
from .pack import Pack
from .signals import Scope, Signal, SignalCatalogue
from .trace import Answer

MAX_AIMED = 200
RANDOM_ROWS = 60
Sample = tuple[str, list[str]]


def samples(pack: Pack, program: Program, catalogue: SignalCatalogue) -> list[Sample]:
    """Return rows of engine facts with what the reference evaluator says about them; the same rows in every process."""
    random = Random(0)
    named = named_branches(pack)
    keys = sorted(signal_keys(*(condition for rule in pack.rules for _name, condition in rule.conditions)))
    values = {key: _candidates(catalogue[key], conditions_values(pack, key)) for key in keys}
    aimed = [branch for _scope, branch, _meant in named.values()]
    rows: list[dict[str, Value]] = [_aim(branch) for branch in random.sample(aimed, min(len(aimed), MAX_AIMED))]
    for _ in range(RANDOM_ROWS):
        rows.append({key: random.choice(some) for key, some in values.items() if random.random() < 0.85})
    rows.append({})
    scopes = sorted({rule.scope for rule in pack.rules})
    return [
        (program.encode(ReadFacts(row, {}), scope), expected(named, row, scope))
        for row in map(_as_read, rows)
        for scope in scopes
    ]


def _as_read(row: dict[str, Value]) -> dict[str, Value]:
    """Return the values as facts are carried: numbers with four decimals."""
    return {key: rounded(value) if isinstance(value, Decimal) else value for key, value in row.items()}


def expected(named: Mapping[str, NamedBranch], values: dict[str, Value], scope: Scope) -> list[str]:
    """Return the names the engine must answer with, by the reference evaluator."""
    facts = ReadFacts(values, {})
    return sorted(
        name
        for name, (about, branch, _meant) in named.items()
        if about is scope and answer_condition(All(branch), facts) is Answer.YES
    )


def conditions_values(pack: Pack, key: str) -> Iterator[Value]:
    """Yield the constants the pack compares a signal with."""
    for rule in pack.rules:
        for _name, condition in rule.conditions:
            for comparison in comparisons(condition):
                if comparison.signal == key:
                    yield from _operand_constants(comparison)


def _operand_constants(comparison: Comparison) -> Iterator[Value]:
    operand = comparison.operand
    for item in operand.items if isinstance(operand, ConstantList) else (operand,):
        if isinstance(item, Constant):
            yield constant_value(item)


def _candidates(signal: Signal, constants: Iterator[Value]) -> list[Value]:
    some = list(islice(constants, 20))
    if signal.choices:
        return list(signal.choices)
    if not signal.type.is_numeric:
        return [True, False] if signal.type == "flag" else [*some, "", "anything else"]
    numbers = [value for value in some if isinstance(value, Decimal)] + [Decimal(0), Decimal(100)]
    return [near for number in numbers for near in (number - STEP, number, number + STEP) if abs(near) <= LARGEST]


def _aim(branch: Branch) -> dict[str, Value]:
    """Return facts which make each comparison of the branch true by itself, if perhaps not all together."""
    row: dict[str, Value] = {}
    for comparison in branch:
        if isinstance(comparison.operand, SignalRef):
            other = row.setdefault(comparison.operand.key, Decimal(100))
            factor = comparison.operand.factor
            row[comparison.signal] = _beside(
                comparison.operator, product(other, factor) if isinstance(other, Decimal) else other
            )
        elif comparison.operand is not None:
            row[comparison.signal] = _beside(comparison.operator, next(_operand_constants(comparison)))
    return row


def _beside(operator: Operator, value: Value) -> Value:
    if isinstance(value, bool):
        return value == (operator is Operator.EQ)
    if isinstance(value, str):
        return value if operator in (Operator.EQ, Operator.IN) else f"{value}?"
    aside = {Operator.LT: -STEP, Operator.GT: STEP, Operator.NE: STEP, Operator.NOT_IN: STEP}.get(operator, Decimal(0))
    return max(-LARGEST, min(LARGEST, value + aside))
