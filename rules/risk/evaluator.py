"""The reference evaluator: what a rule means, with a trace. The engine in the child process must agree with it.

The semantics in one sentence: **a comparison with a missing value is neither true nor false but missing, ``not`` of
missing is missing, ``all`` and ``any`` are missing only while the missing part could still decide them, a rule fires
only when its condition is known to be true, and an exclusion silences it only when the exclusion is known to be
true.**

An alert that is open ends when its rule is silenced or does not apply any more, or when the rule does not fire and its
``until`` is known to hold; a rule without ``until`` ends its alert when its condition is known not to hold. A condition
that nobody can decide any more because there is nothing left of what it is about (``Signal.vanishes``: the invoice is
paid), or of what that is computed from, ends the alert, too. What it is compared with may be gone: nobody knows then.

So missing data neither raises an alert by itself nor hides one: a rule that could still fire is *undecided*, which is
a result. Only ``is known`` and ``is missing`` always have an answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any as Anything

from .facts import Facts, ReadFacts, product, read_facts
from .marking import _
from .model import (
    All,
    Any,
    Comparison,
    Condition,
    Constant,
    ConstantList,
    Not,
    Operator,
    Rule,
    SignalRef,
    State,
    Value,
    signal_keys,
)
from .signals import SignalCatalogue
from .trace import Answer, ComparisonTrace, GroupTrace, Trace, closeness, gap_of, leaves, trace_lines

_NOTHING = ReadFacts({}, {})
_COMPARE: dict[Operator, Callable[[Anything, Anything], bool]] = {
    Operator.EQ: eq,
    Operator.NE: ne,
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.IN: lambda value, items: value in items,
    Operator.NOT_IN: lambda value, items: value not in items,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule says about one set of facts, and why. ``trace`` is there even when the rule is inactive.

    ``exclusion`` and ``ending`` are the traces of ``unless`` and ``until``, None where the rule has none; ``faded``:
    see ``has_faded``.
    """

    rule: Rule
    state: State
    trace: Trace
    exclusion: Trace | None
    unreadable: tuple[tuple[str, str], ...]
    ending: Trace | None = None
    faded: bool = False

    @property
    def fired(self) -> bool:
        return self.state is State.FIRED

    @property
    def ended(self) -> bool:
        """True when an alert of this rule that is open ends on these facts."""
        exclusion = self.exclusion.answer if self.exclusion else Answer.NO
        ending = self.ending.answer if self.ending else ~self.trace.answer
        return ends(self.state, exclusion, Answer.YES if self.faded and ending is Answer.MISSING else ending)

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of the signals whose absence left a comparison without an answer, sorted."""
        return tuple(
            sorted({key for leaf in leaves(self.trace) if leaf.answer is Answer.MISSING for key in _absent(leaf)})
        )

    @property
    def near_misses(self) -> tuple[ComparisonTrace, ...]:
        """The false comparisons which have a distance, nearest first."""
        gaps = [leaf for leaf in leaves(self.trace) if leaf.gap]
        return tuple(sorted(gaps, key=lambda leaf: leaf.gap.closeness if leaf.gap else Decimal(0), reverse=True))

    @property
    def closeness(self) -> Decimal:
        """1 when the condition holds, below 1 by how far its decisive numbers are away; 0 when there is no telling."""
        return closeness(self.trace)

    def explain(self, labels: bool = False) -> str:
        """Write the outcome as text, one line per node."""
        lines = [f"{self.rule.name}: {self.state}", *trace_lines(self.trace, labels, 1)]
        if self.exclusion:
            lines += ["  unless", *trace_lines(self.exclusion, labels, 2)]
        if self.ending:
            lines += ["  until", *trace_lines(self.ending, labels, 2)]
        return "\n".join(lines)


def _absent(leaf: ComparisonTrace) -> Iterable[str]:
    if leaf.value is None:
        yield leaf.signal.key
    if isinstance(leaf.comparison.operand, SignalRef) and leaf.operand_value is None:
        yield leaf.comparison.operand.key


def _operand_values(comparison: Comparison, facts: ReadFacts) -> tuple[Value | tuple[Value, ...] | None, Value | None]:
    """Return what to compare with, and for a signal its own value before the factor."""
    match comparison.operand:
        case Constant(value):
            return value, None
        case SignalRef(key, factor):
            referred = facts.values.get(key)
            scaled = product(referred, factor) if isinstance(referred, Decimal) and factor != 1 else referred
            return scaled, referred
        case ConstantList(items):
            return tuple(item.value for item in items), None
        case None:
            return None, None


def _answer(operator: Operator, value: Value | None, operand: Value | tuple[Value, ...] | None) -> Answer:
    """The one place that says what a comparison of two values answers."""
    if operator in (Operator.KNOWN, Operator.MISSING):
        return Answer.YES if (value is None) == (operator is Operator.MISSING) else Answer.NO
    if value is None or operand is None:
        return Answer.MISSING
    return Answer.YES if _COMPARE[operator](value, operand) else Answer.NO


def _compare(comparison: Comparison, facts: ReadFacts, catalogue: SignalCatalogue) -> ComparisonTrace:
    signal = catalogue[comparison.signal]
    value = facts.values.get(signal.key)
    operand, referred = _operand_values(comparison, facts)
    answer = _answer(comparison.operator, value, operand)
    gap = gap_of(comparison.operator, value, operand, signal.unit) if answer is Answer.NO else None
    why = next((facts.unreadable[key] for key in _keys(comparison) if key in facts.unreadable), "")
    note = _("unreadable: %(why)s", why=why) if why else ""
    return ComparisonTrace(comparison, signal, value, operand, referred, answer, gap, note)


def _keys(comparison: Comparison) -> tuple[str, ...]:
    operand = comparison.operand
    return (comparison.signal, operand.key) if isinstance(operand, SignalRef) else (comparison.signal,)


def join(kind: str, answers: Iterable[Answer]) -> Answer:
    """Combine the answers of the parts of an ``all`` or ``any``.

    >>> join("all", [Answer.MISSING, Answer.NO]), join("any", [Answer.MISSING, Answer.NO])
    (<Answer.NO: 'no'>, <Answer.MISSING: 'missing'>)
    """
    decisive, result = (Answer.NO, Answer.YES) if kind == "all" else (Answer.YES, Answer.NO)
    for answer in answers:
        if answer is decisive:
            return decisive
        if answer is Answer.MISSING:
            result = answer
    return result


def answer_condition(condition: Condition, facts: ReadFacts, refused: frozenset[str] = frozenset()) -> Answer:
    """Return the answer alone, looking only at the parts it needs; always the answer of ``trace_condition``.

    What compares a signal among ``refused``, which have no value, does not hold.
    """
    match condition:
        case Comparison(signal, operator):
            if signal in refused and not operator.is_presence:
                return Answer.NO
            return _answer(operator, facts.values.get(signal), _operand_values(condition, facts)[0])
        case Not(part):
            return ~answer_condition(part, facts, refused)
        case All(parts):
            return join("all", (answer_condition(part, facts, refused) for part in parts))
        case Any(parts):
            return join("any", (answer_condition(part, facts, refused) for part in parts))


def has_faded(condition: Condition, facts: ReadFacts) -> bool:
    """True when a condition that nobody can decide does not hold for want of anything of the kind it is about."""
    return bool(facts.vanished) and answer_condition(condition, facts, facts.vanished) is Answer.NO


def decisive_keys(condition: Condition) -> frozenset[str]:
    """Return the signals of which each alone, when refused, keeps the condition from holding.

    >>> from .expression import parse_comparison as line
    >>> sorted(decisive_keys(All((line("exposure > 5"), Any((line("dso > 5"), line("turnover > 5")))))))
    ['exposure']
    """
    match condition:
        case Comparison(signal, operator):
            return frozenset() if operator.is_presence else frozenset({signal})
        case All(parts):
            return frozenset().union(*map(decisive_keys, parts))
    return frozenset()


def compiled(condition: Condition) -> Callable[[Mapping[str, Value]], Answer]:
    """Return a function of the values that answers as ``answer_condition`` does: the tree is walked once."""
    match condition:
        case Comparison():
            return _compiled_comparison(condition)
        case Not(part):
            inner = compiled(part)
            return lambda values: ~inner(values)
        case All(parts) | Any(parts):
            return _compiled_group("all" if isinstance(condition, All) else "any", [compiled(part) for part in parts])


def _compiled_group(
    kind: str, parts: Sequence[Callable[[Mapping[str, Value]], Answer]]
) -> Callable[[Mapping[str, Value]], Answer]:
    """As ``join``, without a generator."""
    decisive, otherwise = (Answer.NO, Answer.YES) if kind == "all" else (Answer.YES, Answer.NO)

    def answer(values: Mapping[str, Value]) -> Answer:
        result = otherwise
        for part in parts:
            found = part(values)
            if found is decisive:
                return found
            if found is Answer.MISSING:
                result = found
        return result

    return answer


def _compiled_comparison(comparison: Comparison) -> Callable[[Mapping[str, Value]], Answer]:
    key, operator, operand = comparison.signal, comparison.operator, comparison.operand
    if isinstance(operand, SignalRef):
        return lambda values: answer_condition(comparison, ReadFacts(values, {}))
    if operator.is_presence:
        is_wanted = operator is Operator.KNOWN
        return lambda values: Answer.YES if (key in values) is is_wanted else Answer.NO
    compare, constant = _COMPARE[operator], _operand_values(comparison, _NOTHING)[0]

    def answer(values: Mapping[str, Value]) -> Answer:
        value = values.get(key)
        if value is None:
            return Answer.MISSING
        return Answer.YES if compare(value, constant) else Answer.NO

    return answer


def trace_condition(condition: Condition, facts: ReadFacts, catalogue: SignalCatalogue) -> Trace:
    """Evaluate a checked condition on read facts, every part of it."""
    match condition:
        case Comparison():
            return _compare(condition, facts, catalogue)
        case Not(part):
            inner = trace_condition(part, facts, catalogue)
            return GroupTrace("not", ~inner.answer, (inner,))
        case All(parts) | Any(parts):
            kind = "all" if isinstance(condition, All) else "any"
            traces = tuple(trace_condition(part, facts, catalogue) for part in parts)
            return GroupTrace(kind, join(kind, (trace.answer for trace in traces)), traces)


def state_of(condition: Answer, exclusion: Answer, active: bool = True) -> State:
    """Return a rule's state from its two answers; this function is the precedence of exclusions."""
    if not active:
        return State.INACTIVE
    if condition is Answer.NO:
        return State.QUIET
    if exclusion is Answer.YES:
        return State.EXCLUDED
    return State.UNDECIDED if condition is Answer.MISSING else State.FIRED


def ends(state: State, exclusion: Answer, ending: Answer) -> bool:
    """Return whether an open alert ends; ``ending`` answers ``until``, or says that ``when`` does not hold."""
    if state is State.INACTIVE or exclusion is Answer.YES:
        return True
    return state is not State.FIRED and ending is Answer.YES


def judge(rule: Rule, facts: ReadFacts, today: date, company: str | None = None) -> tuple[State, bool]:
    """Return a rule's state and whether an alert that is open ends: ``evaluate`` without its reasons, and faster."""
    condition = answer_condition(rule.when, facts)
    exclusion = answer_condition(rule.unless, facts) if rule.unless else Answer.NO
    state = state_of(condition, exclusion, rule.is_active(today, company))
    ending = answer_condition(rule.until, facts) if rule.until else ~condition
    if condition is Answer.MISSING and ending is Answer.MISSING and has_faded(rule.when, facts):
        ending = Answer.YES
    return state, ends(state, exclusion, ending)


def evaluate(rule: Rule, facts: Facts, today: date, catalogue: SignalCatalogue, company: str | None = None) -> Outcome:
    """Evaluate one checked rule on one set of facts; never raises for facts, whatever they hold.

    ``facts`` maps signal keys to Decimal, int, str, bool, date or None (missing); money in company currency.
    ``company`` None skips the rule's list of companies. A rule that did not pass ``check`` may raise ``KeyError`` or
    ``TypeError``.
    """
    reading = catalogue.reading(signal_keys(*(condition for _name, condition in rule.conditions)))
    return evaluate_read(rule, read_facts(facts, catalogue, today, reading), today, catalogue, company)


def evaluate_read(
    rule: Rule, facts: ReadFacts, today: date, catalogue: SignalCatalogue, company: str | None = None
) -> Outcome:
    """As ``evaluate``, for facts that were read already: reading once serves many rules."""
    trace = trace_condition(rule.when, facts, catalogue)
    exclusion = trace_condition(rule.unless, facts, catalogue) if rule.unless else None
    ending = trace_condition(rule.until, facts, catalogue) if rule.until else None
    state = state_of(trace.answer, exclusion.answer if exclusion else Answer.NO, rule.is_active(today, company))
    traces = [part for part in (trace, exclusion, ending) if part]
    used = {key for part in traces for leaf in leaves(part) for key in _keys(leaf.comparison)}
    unreadable = tuple(sorted((key, why) for key, why in facts.unreadable.items() if key in used))
    faded = trace.answer is Answer.MISSING and has_faded(rule.when, facts)
    return Outcome(rule, state, trace, exclusion, unreadable, ending, faded)
