"""``RuleEngine``: a pack of rules that answers, always and in time.

The engine in the child process answers; where it cannot, within half a second in all, the reference evaluator does
and the verdict says so. A share of the engine's answers is compared with the reference; where they differ the
reference counts and the difference is reported.
"""

import logging
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from time import monotonic

from .checker import faults, too_much
from .compiler import Held, compile_pack
from .errors import EngineBusy, EngineDown, EngineRefused, RulesRefused
from .evaluator import Outcome, answer_condition, compiled, decisive_keys, ends, evaluate, has_faded, judge, state_of
from .facts import Facts, ReadFacts, read_facts
from .host import EngineHost, shared_host
from .model import Rule, State, Value, origin_of, signal_keys
from .pack import Pack
from .process import Json
from .samples import samples
from .signals import Reading, Scope, SignalCatalogue
from .table import expanded
from .trace import Answer

_logger = logging.getLogger(__name__)
BATCH = 250
AHEAD = 2  # blocks read and sent before the first answer is waited for
_PATTERNS = 1000  # sets of missing signals remembered
SECONDS_PER_ROW = 0.005  # added for each further row of a block: a screening in the background may take its time
_DISAGREEMENT = "the engine and the reference evaluator disagree"
Answers = Callable[[Mapping[str, Value]], Answer]
Asked = tuple[Sequence[list[str] | None], str]  # names by row, None where the reference must answer, and why it must
Judged = tuple[str, State, bool]  # a rule's key, what it says, and whether an alert of it that is open ends


class AnsweredBy(StrEnum):
    """Which of the two evaluators a verdict comes from."""

    DURABLE = "durable"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pack says about one set of facts: keys of rules, in the order of ``PRECEDENCE``.

    Quiet and inactive rules are left out. ``kept`` are the rules that do not fire and yet keep an alert open: the
    undecided ones, unless nothing is left of what they are about, and those whose ``until`` is not known to hold.
    ``unreadable`` names facts that could not be used and why. ``note`` says why the reference evaluator answered, empty
    when the engine did.
    """

    fired: tuple[str, ...]
    excluded: tuple[str, ...]
    undecided: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    engine: AnsweredBy
    note: str = ""
    kept: tuple[str, ...] = ()

    def ends(self, key: str) -> bool:
        """True when an alert of that rule which is open ends on these facts; that of a table, when no row keeps it."""
        return key not in {origin_of(other) if key == origin_of(key) else other for other in (*self.fired, *self.kept)}

    def same_answer(self, other: "Verdict") -> bool:
        """True when both say the same about every rule."""
        mine, its = ((said.fired, said.excluded, said.undecided, said.kept) for said in (self, other))
        return mine == its


@dataclass(frozen=True, slots=True)
class Difference:
    """The engine and the reference evaluator disagree: a defect in one of them, with all it takes to repeat it."""

    pack: str
    version: str
    facts: Facts
    today: date
    engine: Verdict
    reference: Verdict


@dataclass(frozen=True, slots=True)
class _Plan:
    """Rules in order of precedence, and the places in it of those to look at: by missing signal, or always."""

    rules: tuple[tuple[Rule, Answers], ...]
    places: dict[str, int]
    readers: dict[str, list[int]]
    keys: frozenset[str]
    lasting: tuple[tuple[int, str], ...]
    _lacking: dict[frozenset[str], tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[tuple[Rule, Answers]]) -> "_Plan":
        readers: dict[str, list[int]] = {}
        for place, (rule, _answers) in enumerate(rules):
            for key in signal_keys(rule.when):
                readers.setdefault(key, []).append(place)
        lasting = tuple((place, rule.key) for place, (rule, _answers) in enumerate(rules) if rule.until is not None)
        places = {rule.key: place for place, (rule, _answers) in enumerate(rules)}
        return cls(tuple(rules), places, readers, frozenset(readers), lasting)

    def lacking(self, values: Mapping[str, Value]) -> tuple[int, ...]:
        """Return the places of the rules that read a signal which has no value. Many rows lack the same ones."""
        missing = self.keys.difference(values)
        places = self._lacking.get(missing)
        if places is None:
            if len(self._lacking) >= _PATTERNS:
                self._lacking.clear()
            found = {place for key in missing for place in self.readers[key]}
            places = self._lacking[missing] = tuple(sorted(found))
        return places


class RuleEngine:
    """A checked pack, ready to be asked. Cheap to make, keeps no process of its own, safe in threads and after a fork.

    ``timeout`` (seconds) bounds each call; a block of a batch gets 5 ms more per row. ``compare_share`` is the share of
    rows compared with the reference, drawn with ``chance`` (0 <= chance() < 1). ``on_difference`` is told about each
    difference, which is logged as an error anyway. Raises ``RulesRefused`` for rules which are wrong by themselves;
    how they stand to each other (``check``) is no reason to stop. What is too much for the engine is evaluated by the
    reference.
    """

    def __init__(
        self,
        pack: Pack,
        catalogue: SignalCatalogue,
        *,
        timeout: float = 0.5,
        compare_share: float = 0.01,
        chance: Callable[[], float] = random.random,
        on_difference: Callable[[Difference], None] | None = None,
        host: EngineHost | None = None,
    ) -> None:
        problems = faults(pack, catalogue)
        if problems:
            raise RulesRefused(problems)
        self.pack = pack
        self.catalogue = catalogue.with_derived(pack.signals)
        self._timeout = timeout
        self._compare_share = compare_share
        self._chance = chance
        self._on_difference = on_difference
        self._host = host
        self._program = compile_pack(pack)
        self._refused = "; ".join(message for _code, message in too_much(self._program))
        rules = expanded(pack.rules)
        self._by_key = {rule.key: rule for rule in (*pack.rules, *rules)}
        ordered = sorted(rules, key=lambda rule: rule.precedence)
        self._rules = {
            scope: [(rule, signal_keys(rule.when)) for rule in ordered if rule.scope is scope] for scope in Scope
        }
        self._answers = {rule.key: compiled(rule.when) for rule in rules}
        self._fading = {rule.key: (signal_keys(rule.when), decisive_keys(rule.when)) for rule in rules}
        self._last_plan: tuple[tuple[date, Scope, str | None], _Plan] | None = None
        self._reading = {scope: self._reading_of(scope) for scope in Scope}

    def _reading_of(self, scope: Scope) -> Reading:
        conditions = (condition for rule, _keys in self._rules[scope] for _name, condition in rule.conditions)
        return self.catalogue.reading(signal_keys(*conditions))

    @property
    def version(self) -> str:
        """Names the conditions as the engine sees them; the same for the same conditions in every process."""
        return self._program.version

    @property
    def host(self) -> EngineHost:
        return self._host or shared_host()

    @cached_property
    def _load_request(self) -> Json:
        rows = samples(self.pack, self._program, self.catalogue)
        return {"rule_sets": list(self._program.rule_sets), "samples": rows}

    def prepare(self, timeout: float = 15.0) -> None:
        """Start the engine and load the rules now, as a test before they are activated.

        Raises ``EngineRefused`` when it would answer wrongly (do not activate them), ``EngineBusy`` or ``EngineDown``
        when it cannot be asked (the reference evaluator would answer).
        """
        if self._refused:
            raise EngineRefused(self._refused)
        self.host.prepare(self.version, lambda: self._load_request, monotonic() + timeout)

    def evaluate(self, facts: Facts, today: date, *, scope: Scope = Scope.BUYER, company: str | None = None) -> Verdict:
        """Evaluate the rules of one scope on one set of facts; never raises for facts or for the engine."""
        return self.evaluate_batch([facts], today, scope=scope, company=company)[0]

    def evaluate_batch(
        self, rows: Sequence[Facts], today: date, *, scope: Scope = Scope.BUYER, company: str | None = None
    ) -> tuple[Verdict, ...]:
        """Evaluate many sets of facts, in order, in blocks; facts are read while the engine works on others."""
        verdicts: list[Verdict] = []
        for block, read, (answers, note) in self._asked(rows, today, scope):
            for facts, row, names in zip(block, read, answers, strict=True):
                reference = self._by_reference(row, today, scope, company, note) if names is None else None
                verdicts.append(reference or self._by_engine(facts, row, names or [], today, scope, company))
        return tuple(verdicts)

    def rule(self, key: str) -> Rule:
        """Return the rule a verdict names; ``KeyError`` for a strange key."""
        return self._by_key[key]

    def explain(self, key: str, facts: Facts, today: date, *, company: str | None = None) -> Outcome:
        """Return one rule's outcome with its trace, by the reference evaluator; ``KeyError`` for a strange key."""
        return evaluate(self._by_key[key], facts, today, self.catalogue, company)

    def refute(
        self, facts: Facts, today: date, verdict: Verdict, *, scope: Scope = Scope.BUYER, company: str | None = None
    ) -> None:
        """Report a verdict of the engine that proved wrong, beside what the reference evaluator says."""
        row = read_facts(facts, self.catalogue, today, self._reading[scope])
        self._report(facts, today, verdict, self._by_reference(row, today, scope, company, _DISAGREEMENT))

    # --- the engine

    def _asked(
        self, rows: Sequence[Facts], today: date, scope: Scope
    ) -> Iterator[tuple[Sequence[Facts], list[ReadFacts], Asked]]:
        """Yield each block, its facts as read and the engine's answer; it works on the next one by then."""

        def read(start: int) -> tuple[Sequence[Facts], list[ReadFacts]]:
            block = rows[start : start + BATCH]
            return block, [read_facts(facts, self.catalogue, today, self._reading[scope]) for facts in block]

        if len(rows) <= BATCH:
            block, facts = read(0)
            if rows:
                yield block, facts, self._ask(facts, scope)
            return
        waiting: deque[tuple[Sequence[Facts], list[ReadFacts], Future[Asked]]] = deque()
        with ThreadPoolExecutor(1) as asking:
            for start in range(0, len(rows), BATCH):
                block, facts = read(start)
                waiting.append((block, facts, asking.submit(self._ask, facts, scope)))
                if len(waiting) > AHEAD:
                    block, facts, answer = waiting.popleft()
                    yield block, facts, answer.result()
            for block, facts, answer in waiting:
                yield block, facts, answer.result()

    def _ask(self, rows: Sequence[ReadFacts], scope: Scope) -> Asked:
        """Return the engine's names for each row, None where the reference must answer, and why it must."""
        nothing: list[list[str] | None] = [None] * len(rows)
        if self._refused or not self._rules[scope]:
            return nothing, self._refused or "there are no rules about it"
        timeout = self._timeout + SECONDS_PER_ROW * (len(rows) - 1)
        deadline = monotonic() + timeout
        encoded = [self._program.encode(row, scope) for row in rows]
        why = ""
        for patience in (timeout / 2, timeout):
            try:
                answers = self.host.evaluate(self.version, lambda: self._load_request, encoded, deadline, patience)
                return answers, "the engine could not evaluate these facts"
            except EngineDown as error:
                why = str(error)
            except EngineBusy as error:
                return nothing, str(error)
            except EngineRefused as error:
                self._refused = f"the engine refused the rules: {error}"
                _logger.error("Pack %s, version %s: %s", self.pack.key, self.version, self._refused)
                return nothing, self._refused
        _logger.warning("Pack %s: %s; the reference evaluator answers", self.pack.key, why)
        return nothing, why

    def _by_engine(
        self, facts: Facts, row: ReadFacts, names: list[str], today: date, scope: Scope, company: str | None
    ) -> Verdict:
        try:
            held = self._program.read(names)
        except (KeyError, TypeError):
            return self._by_reference(row, today, scope, company, "the engine named a rule that does not exist")
        judged = self._engine_judgements(row, held, today, scope, company)
        verdict = self._verdict(judged, row, AnsweredBy.DURABLE, "")
        if self._chance() >= self._compare_share:
            return verdict
        reference = self._by_reference(row, today, scope, company, _DISAGREEMENT)
        if verdict.same_answer(reference):
            return verdict
        self._report(facts, today, verdict, reference)
        return reference

    def _engine_judgements(
        self, row: ReadFacts, held: Held, today: date, scope: Scope, company: str | None
    ) -> Iterator[Judged]:
        """Yield what is to be said of the rules that are not simply quiet.

        The engine only says what holds; whether a rule that does not is quiet or undecided depends on what is missing.
        """
        plan = self._plan(today, scope, company)
        lacking = plan.lacking(row.values)
        held_places = [plan.places[key] for key in held.when if key in plan.places]
        # A rule with an end of its own that is quiet keeps its alerts unless the engine says otherwise.
        ended = held.until | held.unless
        lasting = [place for place, key in plan.lasting if key not in ended]
        for place in sorted({*lacking, *held_places, *lasting}) if held_places or lasting else lacking:
            rule, answer_of = plan.rules[place]
            answer = Answer.YES if rule.key in held.when else Answer.NO
            if answer is Answer.NO and place in lacking:
                answer = answer_of(row.values)
                answer = Answer.NO if answer is Answer.YES else answer  # what holds is for the engine to say
            if answer is Answer.NO:
                if rule.until is not None and rule.key not in ended:
                    yield rule.key, State.QUIET, False
                continue
            exclusion = Answer.YES if rule.key in held.unless else Answer.NO
            state = state_of(answer, exclusion)
            ending = ~answer if rule.until is None else Answer.YES if rule.key in held.until else Answer.NO
            if answer is Answer.MISSING and ending is not Answer.YES and self._has_faded(rule, row):
                # What holds was for the engine to say; what is missing is not.
                gone = rule.until is None or answer_condition(rule.until, row) is Answer.MISSING
                ending = Answer.YES if gone else Answer.NO
            yield rule.key, state, ends(state, exclusion, ending)

    def _has_faded(self, rule: Rule, row: ReadFacts) -> bool:
        """As ``has_faded``, which for most rules and rows is known without walking the tree."""
        keys, decisive = self._fading[rule.key]
        if not decisive.isdisjoint(row.vanished):
            return True
        return not keys.isdisjoint(row.vanished) and has_faded(rule.when, row)

    def _plan(self, today: date, scope: Scope, company: str | None) -> "_Plan":
        """Return the rules that apply on that day to that company; the last answer is kept, rows come in blocks."""
        kept = self._last_plan
        if kept is None or kept[0] != (today, scope, company):
            rules = [rule for rule, _keys in self._rules[scope] if rule.is_active(today, company)]
            plan = _Plan.of([(rule, self._answers[rule.key]) for rule in rules])
            kept = self._last_plan = ((today, scope, company), plan)
        return kept[1]

    # --- the reference

    def _by_reference(self, row: ReadFacts, today: date, scope: Scope, company: str | None, note: str) -> Verdict:
        judged = ((rule.key, *judge(rule, row, today, company)) for rule, _keys in self._rules[scope])
        return self._verdict(judged, row, AnsweredBy.REFERENCE, note)

    def _verdict(self, judged: Iterator[Judged], row: ReadFacts, engine: AnsweredBy, note: str) -> Verdict:
        found: dict[State, list[str]] = {}
        kept: list[str] = []
        for key, state, ended in judged:
            found.setdefault(state, []).append(key)
            if not ended and state is not State.FIRED:
                kept.append(key)
        fired, excluded, undecided = (
            tuple(found.get(state, ())) for state in (State.FIRED, State.EXCLUDED, State.UNDECIDED)
        )
        unreadable = tuple(sorted(row.unreadable.items())) if row.unreadable else ()
        return Verdict(fired, excluded, undecided, unreadable, engine, note, tuple(kept))

    def _report(self, facts: Facts, today: date, verdict: Verdict, reference: Verdict) -> None:
        _logger.error(
            "Pack %s, version %s: the engine says %s, the reference evaluator %s; the reference counts",
            *(self.pack.key, self.version, verdict.fired, reference.fired),
        )
        if self._on_difference:
            self._on_difference(Difference(self.pack.key, self.version, facts, today, verdict, reference))
