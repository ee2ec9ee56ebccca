"""Facts to try an engine with before it is trusted: the rules' own constants, just below, on and just above."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from random import Random

from .compiler import CONDITION, EXCLUSION, MAX_BRANCHES, EngineFacts, Program
from .evaluator import answer_condition
from .facts import LARGEST, STEP, ReadFacts, constant_value, product
from .model import Comparison, Constant, ConstantList, Operator, Pack, SignalRef, Value, comparisons, signal_keys
from .normal import Branch, branches
from .signals import Scope, Signal, SignalCatalogue
from .trace import Answer

MAX_AIMED = 200
RANDOM_ROWS = 60
Sample = tuple[EngineFacts, list[str]]


def samples(pack: Pack, program: Program, catalogue: SignalCatalogue) -> list[Sample]:
    """Return rows of engine facts with what the reference evaluator says about them; the same rows in every process."""
    random = Random(0)
    conditions = [condition for rule in pack.rules for condition in (rule.when, rule.unless) if condition]
    values = {
        key: _candidates(catalogue[key], conditions_values(pack, key)) for key in sorted(signal_keys(*conditions))
    }
    aimed = [branch for condition in conditions for branch in branches(condition, MAX_BRANCHES)]
    rows: list[dict[str, Value]] = [_aim(branch) for branch in random.sample(aimed, min(len(aimed), MAX_AIMED))]
    for _ in range(RANDOM_ROWS):
        rows.append({key: random.choice(some) for key, some in values.items() if random.random() < 0.85})
    rows.append({})
    scopes = sorted({rule.scope for rule in pack.rules})
    return [
        (program.encode(ReadFacts(row, {}), scope), expected(pack, row, scope, catalogue))
        for row in rows
        for scope in scopes
    ]


def expected(pack: Pack, values: dict[str, Value], scope: Scope, catalogue: SignalCatalogue) -> list[str]:
    """Return the names the engine must answer with, by the reference evaluator."""
    facts = ReadFacts(values, {})
    return sorted(
        f"{kind}{index}"
        for index, rule in enumerate(pack.rules)
        for kind, condition in ((CONDITION, rule.when), (EXCLUSION, rule.unless))
        if rule.scope is scope and condition and answer_condition(condition, facts) is Answer.YES
    )


def conditions_values(pack: Pack, key: str) -> Iterator[Value]:
    """Yield the constants the pack compares a signal with."""
    for rule in pack.rules:
        for condition in (rule.when, rule.unless):
            for comparison in comparisons(condition) if condition else ():
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
