"""Checked rules to the few JSON forms the engine is trusted with, and facts to the integers these speak about.

    rule ─ branches ─> one engine rule per branch:  {"all": [{"m": {"$and": [type test, guards, comparisons]}}]}

What durable_rules gets wrong is avoided by what is never sent (no ``$or``, ``$nex``, ``$not``, arithmetic, joins,
texts or floats):

* every value is an integer: numbers in ten-thousandths, flags 0 or 1, texts by their index among the pack's own texts;
* a signal times a factor, membership in a list and presence are computed here and sent as fields of their own;
* a field that is missing is not sent, and every comparison stands behind an ``$ex`` guard for each field it reads;
* an exclusion is compiled as a rule of its own; which rule it silences is decided by ``Program.read``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from json import dumps
from typing import Any as Anything

from .facts import ReadFacts, constant_value, product
from .model import Comparison, Condition, Constant, ConstantList, Operator, Pack, SignalRef, Value
from .normal import Branch, branches
from .reasoning import steps
from .signals import Scope

# Engine rules are named after the rule's position and the branch: w3_0 is the first branch of the fourth rule's "when".
CONDITION, EXCLUSION = "w", "u"
MAX_BRANCHES = 40  # per rule set: a fact that matched more than 64 would raise no alert at all
MAX_TESTS = 200  # per rule set: 513 different tests on one level never finish compiling
_LARGEST_INTEGER = 9 * 10**18  # a product beyond this is beyond every fact, so cutting it there changes no answer
_OPERATORS = {Operator.NE: "$neq", Operator.LT: "$lt", Operator.LE: "$lte", Operator.GT: "$gt", Operator.GE: "$gte"}

Json = dict[str, Anything]
EngineFacts = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class _Derived:
    """A field computed here: a product (``factor``), membership (``members``) or presence (neither)."""

    signal: str
    factor: Decimal | None = None
    members: frozenset[Value] | None = None

    def value(self, facts: ReadFacts) -> Value | None:
        value = facts.values.get(self.signal)
        if self.members is not None:
            return None if value is None else value in self.members
        if self.factor is not None:
            return product(value, self.factor) if isinstance(value, Decimal) else None
        return value is not None


@dataclass(frozen=True)
class Program:
    """A compiled pack: ``rule_sets`` for the engine, ``encode`` for facts going in, ``read`` for names coming back.

    ``version`` names what the engine gets to see: programs with equal versions are the same to it, in every process.
    """

    version: str
    rule_sets: tuple[Json, ...]
    _signals: Mapping[str, str] = field(repr=False)
    _derived: Mapping[_Derived, str] = field(repr=False)
    _texts: Mapping[str, int] = field(repr=False)
    _rules: tuple[str, ...] = field(repr=False)

    @property
    def fields(self) -> int:
        """How many fields a row of facts can have."""
        return len(self._signals) + len(self._derived)

    @property
    def branches(self) -> int:
        """How many engine rules there are."""
        return sum(len(rule_set) for rule_set in self.rule_sets)

    def encode(self, facts: ReadFacts, scope: Scope) -> EngineFacts:
        """Return the facts as the engine reads them; texts no rule mentions get negative numbers, equal if equal."""
        others: dict[str, int] = {}
        row: EngineFacts = {"t": scope.value}
        for key, name in self._signals.items():
            value = facts.values.get(key)
            if value is not None:
                row[name] = self._integer(value, others)
        for derived, name in self._derived.items():
            value = derived.value(facts)
            if value is not None:
                row[name] = self._integer(value, others)
        return row

    def _integer(self, value: Value, others: dict[str, int]) -> int:
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, Decimal):
            return max(-_LARGEST_INTEGER, min(_LARGEST_INTEGER, steps(value)))
        known = self._texts.get(value)
        return known if known is not None else others.setdefault(value, -1 - len(others))

    def read(self, names: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Return the keys of the rules whose condition holds, and of those whose exclusion does.

        Names come without the number of their branch ("w3"); one that was never compiled raises ``ValueError`` or
        ``IndexError``.
        """
        held: tuple[set[str], set[str]] = (set(), set())
        for name in names:
            held[(CONDITION + EXCLUSION).index(name[:1])].add(self._rules[int(name[1:])])
        return frozenset(held[0]), frozenset(held[1])


@dataclass
class _Compiler:
    """Collects the fields a pack needs while its comparisons are translated."""

    signals: dict[str, str] = field(default_factory=dict)
    derived: dict[_Derived, str] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)

    def signal(self, key: str) -> str:
        return self.signals.setdefault(key, f"s{len(self.signals)}")

    def derive(self, derived: _Derived) -> str:
        return self.derived.setdefault(derived, f"d{len(self.derived)}")

    def constant(self, value: Value) -> int:
        if isinstance(value, bool):
            return int(value)
        return steps(value) if isinstance(value, Decimal) else self.texts.setdefault(value, len(self.texts))

    def comparison(self, comparison: Comparison) -> tuple[tuple[str, ...], Json]:
        """Return the fields to guard and the test itself."""
        operator = comparison.operator
        match comparison.operand:
            case None:
                name = self.derive(_Derived(comparison.signal))
                return (name,), {name: int(operator is Operator.KNOWN)}
            case ConstantList(items):
                members = frozenset(constant_value(item) for item in items)
                name = self.derive(_Derived(comparison.signal, members=members))
                return (name,), {name: int(operator is Operator.IN)}
            case SignalRef(key, factor):
                left = self.signal(comparison.signal)
                right = self.signal(key) if factor == 1 else self.derive(_Derived(key, factor=factor))
                return (left, right), _test(operator, left, {"$m": right})
            case Constant() as constant:
                left = self.signal(comparison.signal)
                return (left,), _test(operator, left, self.constant(constant_value(constant)))

    def branch(self, branch: Branch, scope: Scope) -> list[Json]:
        """Return the parts of one ``$and``: the type first, then each guard once and before its comparison."""
        parts: list[Json] = [{"t": scope.value}]
        guarded: set[str] = set()
        for comparison in branch:
            names, test = self.comparison(comparison)
            parts += [{"$ex": {name: 1}} for name in names if name not in guarded]
            parts.append(test)
            guarded.update(names)
        return parts


def _test(operator: Operator, left: str, right: int | Json) -> Json:
    return {left: right} if operator is Operator.EQ else {_OPERATORS[operator]: {left: right}}


def _named_branches(pack: Pack) -> Iterator[tuple[str, Scope, Branch]]:
    for index, rule in enumerate(pack.rules):
        parts: tuple[tuple[str, Condition | None], ...] = ((CONDITION, rule.when), (EXCLUSION, rule.unless))
        for kind, condition in parts:
            for number, branch in enumerate(branches(condition, MAX_BRANCHES) if condition else ()):
                yield f"{kind}{index}_{number}", rule.scope, branch


def _rule_sets(named: Iterable[tuple[str, list[Json]]]) -> Iterator[Json]:
    """Distribute the engine rules over rule sets which are small enough to be safe."""
    current: Json = {}
    tests = 0
    for name, parts in named:
        if current and (len(current) == MAX_BRANCHES or tests + len(parts) > MAX_TESTS):
            yield current
            current, tests = {}, 0
        current[name] = {"all": [{"m": {"$and": parts}}]}
        tests += len(parts)
    if current:
        yield current


def compile_pack(pack: Pack) -> Program:
    """Compile a pack that passed the checker."""
    compiler = _Compiler()
    named = [(name, compiler.branch(branch, scope)) for name, scope, branch in _named_branches(pack)]
    rule_sets = tuple(_rule_sets(named))
    version = sha256(dumps(rule_sets).encode()).hexdigest()[:32]
    keys = tuple(rule.key for rule in pack.rules)
    return Program(version, rule_sets, compiler.signals, compiler.derived, compiler.texts, keys)
