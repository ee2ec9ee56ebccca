"""Checked rules to the few JSON forms the engine is trusted with, and facts to the integers these speak about.

    rule ─ branches ─> one engine rule per branch:  {"all": [{"m": {"$and": [type test, guards, comparisons]}}]}

What durable_rules gets wrong is avoided by what is never sent (no ``$or``, ``$nex``, ``$not``, arithmetic, joins,
texts or floats):

* every value is an integer: numbers in ten-thousandths, flags 0 or 1, texts by their index among the pack's own texts;
* a signal times a factor, membership in a list and presence are computed here and sent as fields of their own;
* a field that is missing is not sent, and every comparison stands behind an ``$ex`` guard for each field it reads;
* each ``when``, ``unless`` and ``until`` is compiled by itself, a branch that several of them share only once; what
  that means for which rule is decided by ``Program.read``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from json import dumps
from typing import Any as Anything
from typing import NamedTuple

from .facts import ReadFacts, constant_value, product
from .model import Comparison, Constant, ConstantList, Operator, SignalRef, Value
from .normal import MAX_BRANCHES, Branch, branches
from .pack import Pack
from .reasoning import steps
from .signals import Scope
from .table import expanded

MAX_TESTS = 200  # per rule set: 513 different tests on one level never finish compiling
_LARGEST_INTEGER = 9 * 10**18  # a product beyond this is beyond every fact, so cutting it there changes no answer
_OPERATORS = {Operator.NE: "$neq", Operator.LT: "$lt", Operator.LE: "$lte", Operator.GT: "$gt", Operator.GE: "$gte"}

Json = dict[str, Anything]
NamedBranch = tuple[Scope, Branch, list[tuple[int, str]]]


@dataclass(frozen=True, slots=True)
class _Derived:
    """A field computed here: a product (``factor``), membership (``members``) or presence (neither)."""

    signal: str
    factor: Decimal | None = None
    members: frozenset[Value] | None = None

    def value(self, values: Mapping[str, Value]) -> Value | None:
        value = values.get(self.signal)
        if self.members is not None:
            return None if value is None else value in self.members
        if self.factor is not None:
            return product(value, self.factor) if isinstance(value, Decimal) else None
        return value is not None


class Held(NamedTuple):
    """The keys of the rules whose ``when``, ``unless`` and ``until`` hold."""

    when: frozenset[str]
    unless: frozenset[str]
    until: frozenset[str]


_NOTHING_HELD = Held(frozenset(), frozenset(), frozenset())


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
    _meanings: Mapping[str, tuple[tuple[int, str], ...]] = field(repr=False)

    @property
    def fields(self) -> int:
        """How many fields a row of facts can have."""
        return len(self._signals) + len(self._derived)

    @property
    def branches(self) -> int:
        """How many engine rules there are."""
        return sum(len(rule_set) for rule_set in self.rule_sets)

    def encode(self, facts: ReadFacts, scope: Scope) -> str:
        """Return the facts as the engine reads them; texts no rule mentions get negative numbers, equal if equal."""
        values = facts.values
        others: dict[str, int] = {}
        parts = [f'{{"id":"1","t":"{scope}"']
        for key, name in self._signals.items():
            value = values.get(key)
            if type(value) is Decimal:
                # Read facts have four decimals: without the point they are the integer, save for leading zeros.
                digits = str(value).replace(".", "") if value else "0"
                parts.append(f',"{name}":{digits if digits[0] not in "0-" else int(digits)}')
            elif value is not None:
                parts.append(f',"{name}":{self._integer(value, others)}')
        for derived, name in self._derived.items():
            value = derived.value(values)
            if value is not None:
                parts.append(f',"{name}":{self._integer(value, others)}')
        parts.append("}")
        return "".join(parts)

    def _integer(self, value: Value, others: dict[str, int]) -> int:
        if isinstance(value, Decimal):
            return max(-_LARGEST_INTEGER, min(_LARGEST_INTEGER, steps(value)))
        if isinstance(value, bool):
            return int(value)
        known = self._texts.get(value)
        return known if known is not None else others.setdefault(value, -1 - len(others))

    def read(self, names: Collection[str]) -> Held:
        """Return what holds for these names of branches; one that was never compiled raises ``KeyError``."""
        if not names:
            return _NOTHING_HELD
        held: tuple[set[str], set[str], set[str]] = (set(), set(), set())
        for name in names:
            for kind, key in self._meanings[name]:
                held[kind].add(key)
        return Held(*map(frozenset, held))


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


def named_branches(pack: Pack) -> dict[str, NamedBranch]:
    """Return the distinct branches by name, each with what it means: (field of ``Held``, key of rule or row)."""
    found: dict[tuple[Scope, frozenset[Comparison]], NamedBranch] = {}
    for rule in expanded(pack.rules):
        for field_name, condition in rule.conditions:
            for branch in branches(condition, MAX_BRANCHES):
                entry = found.setdefault((rule.scope, frozenset(branch)), (rule.scope, branch, []))
                entry[2].append((Held._fields.index(field_name), rule.key))
    return {f"b{index}": entry for index, entry in enumerate(found.values())}


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
    named = named_branches(pack)
    rule_sets = tuple(_rule_sets((name, compiler.branch(branch, scope)) for name, (scope, branch, _) in named.items()))
    version = sha256(dumps(rule_sets).encode()).hexdigest()[:32]
    meanings = {name: tuple(meant) for name, (_scope, _branch, meant) in named.items()}
    return Program(version, rule_sets, compiler.signals, compiler.derived, compiler.texts, meanings)
