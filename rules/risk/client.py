"""``RuleEngine``: a pack of rules that answers, always and in time.

The engine in the child process answers; where it cannot, within half a second in all, the reference evaluator does
and the verdict says so. A share of the engine's answers is compared with the reference; where they differ the
reference counts and the difference is reported.
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from time import monotonic

from .checker import check
from .compiler import compile_pack
from .errors import EngineBusy, EngineDown, EngineRefused, RulesRefused
from .evaluator import Outcome, answer_condition, evaluate, evaluate_read, state_of
from .facts import Facts, ReadFacts, read_facts
from .host import EngineHost, shared_host
from .model import Pack, Rule, State, signal_keys
from .process import Json
from .samples import samples
from .signals import Scope, SignalCatalogue
from .trace import Answer

_logger = logging.getLogger(__name__)
BATCH = 500
SECONDS_PER_ROW = 0.005  # added for each further row of a block: a screening in the background may take its time


class AnsweredBy(StrEnum):
    """Which of the two evaluators a verdict comes from."""

    DURABLE = "durable"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pack says about one set of facts: keys of rules, in the order of ``PRECEDENCE``.

    Quiet and inactive rules are left out. ``unreadable`` names facts that could not be used and why. ``note`` says why
    the reference evaluator answered, empty when the engine did.
    """

    fired: tuple[str, ...]
    excluded: tuple[str, ...]
    undecided: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    engine: AnsweredBy
    note: str = ""

    def same_answer(self, other: "Verdict") -> bool:
        """True when both say the same about every rule."""
        return (self.fired, self.excluded, self.undecided) == (other.fired, other.excluded, other.undecided)


@dataclass(frozen=True, slots=True)
class Difference:
    """The engine and the reference evaluator disagree: a defect in one of them, with all it takes to repeat it."""

    pack: str
    version: str
    facts: Facts
    today: date
    engine: Verdict
    reference: Verdict


class RuleEngine:
    """A checked pack, ready to be asked. Cheap to make, keeps no process of its own, safe in threads and after a fork.

    ``timeout`` (seconds) bounds each call; a block of a batch gets 5 ms more per row. ``compare_share`` is the share of
    rows compared with the reference, drawn with ``chance`` (0 <= chance() < 1). ``on_difference`` is told about each
    difference, which is logged as an error anyway. Raises ``RulesRefused`` when the pack does not pass the checker.
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
        problems = check(pack, catalogue)
        if problems:
            raise RulesRefused(problems)
        self.pack = pack
        self.catalogue = catalogue
        self._timeout = timeout
        self._compare_share = compare_share
        self._chance = chance
        self._on_difference = on_difference
        self._host = host
        self._program = compile_pack(pack)
        self._refused = ""
        self._by_key = {rule.key: rule for rule in pack.rules}
        ordered = sorted(pack.rules, key=lambda rule: rule.precedence)
        self._rules = {
            scope: [(rule, signal_keys(rule.when)) for rule in ordered if rule.scope is scope] for scope in Scope
        }

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
        self.host.prepare(self.version, lambda: self._load_request, monotonic() + timeout)

    def evaluate(self, facts: Facts, today: date, *, scope: Scope = Scope.BUYER, company: str | None = None) -> Verdict:
        """Evaluate the rules of one scope on one set of facts; never raises for facts or for the engine."""
        return self.evaluate_batch([facts], today, scope=scope, company=company)[0]

    def evaluate_batch(
        self, rows: Sequence[Facts], today: date, *, scope: Scope = Scope.BUYER, company: str | None = None
    ) -> tuple[Verdict, ...]:
        """Evaluate many sets of facts, in order, in blocks of 500."""
        verdicts: list[Verdict] = []
        for start in range(0, len(rows), BATCH):
            block = rows[start : start + BATCH]
            read = [read_facts(facts, self.catalogue, today) for facts in block]
            answers, note = self._ask(read, scope)
            for facts, row, names in zip(block, read, answers, strict=True):
                reference = self._by_reference(row, today, scope, company, note) if names is None else None
                verdicts.append(reference or self._by_engine(facts, row, names or [], today, scope, company))
        return tuple(verdicts)

    def explain(self, key: str, facts: Facts, today: date, *, company: str | None = None) -> Outcome:
        """Return one rule's outcome with its trace, by the reference evaluator; ``KeyError`` for a strange key."""
        return evaluate(self._by_key[key], facts, today, self.catalogue, company)

    # --- the engine

    def _ask(self, rows: Sequence[ReadFacts], scope: Scope) -> tuple[Sequence[list[str] | None], str]:
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
            held, excluded = self._program.read(names)
        except (IndexError, ValueError):
            return self._by_reference(row, today, scope, company, "the engine named a rule that does not exist")
        verdict = self._verdict(
            self._engine_states(row, held, excluded, today, scope, company), row, AnsweredBy.DURABLE, ""
        )
        if self._chance() >= self._compare_share:
            return verdict
        reference = self._by_reference(row, today, scope, company, "the engine and the reference evaluator disagree")
        if verdict.same_answer(reference):
            return verdict
        self._report(Difference(self.pack.key, self.version, facts, today, verdict, reference))
        return reference

    def _engine_states(
        self,
        row: ReadFacts,
        held: frozenset[str],
        excluded: frozenset[str],
        today: date,
        scope: Scope,
        company: str | None,
    ) -> Iterator[tuple[Rule, State]]:
        """Yield each rule's state.

        The engine only says what holds; whether a rule that does not is quiet or undecided depends on what is missing.
        """
        for rule, keys in self._rules[scope]:
            answer = Answer.YES if rule.key in held else Answer.NO
            if answer is Answer.NO and not keys <= row.values.keys():
                answer = answer_condition(rule.when, row)
                answer = Answer.NO if answer is Answer.YES else answer  # what holds is for the engine to say
            exclusion = Answer.YES if rule.key in excluded else Answer.NO
            yield rule, state_of(answer, exclusion, rule.is_active(today, company))

    # --- the reference

    def _by_reference(self, row: ReadFacts, today: date, scope: Scope, company: str | None, note: str) -> Verdict:
        states = (
            (rule, evaluate_read(rule, row, today, self.catalogue, company).state) for rule, _keys in self._rules[scope]
        )
        return self._verdict(states, row, AnsweredBy.REFERENCE, note)

    def _verdict(self, states: Iterator[tuple[Rule, State]], row: ReadFacts, engine: AnsweredBy, note: str) -> Verdict:
        found: dict[State, list[str]] = {state: [] for state in State}
        for rule, state in states:
            found[state].append(rule.key)
        fired, excluded, undecided = (tuple(found[state]) for state in (State.FIRED, State.EXCLUDED, State.UNDECIDED))
        return Verdict(fired, excluded, undecided, tuple(sorted(row.unreadable.items())), engine, note)

    def _report(self, difference: Difference) -> None:
        _logger.error(
            "Pack %s, version %s: the engine says %s, the reference evaluator %s; the reference counts",
            *(difference.pack, difference.version, difference.engine.fired, difference.reference.fired),
        )
        if self._on_difference:
            self._on_difference(difference)
