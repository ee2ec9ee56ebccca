"""What passes the checker runs: rules of every kind side by side, on any facts, in the engine as in the reference."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_risk_cases import (
    CATALOGUE,
    PATIENT,
    TODAY,
    catalogues,
    conditions_about,
    hostile_facts,
    rules,
    tables,
    values,
)

from rules.risk import AnsweredBy, EngineHost, Pack, RuleEngine, Scope, State, check, evaluate, expand, render

WORDS = {"buyer": "B", "document": "D", "company": "C", "rule": "R", "today": "T"}
SIGNALS = CATALOGUE.visible(Scope.ORDER)
rows = (
    st.fixed_dictionaries({}, optional={signal.key: st.none() | values(signal) for signal in SIGNALS})
    | st.fixed_dictionaries({signal.key: values(signal) for signal in SIGNALS})
    | hostile_facts
)


@pytest.fixture(scope="module")
def host():
    host = EngineHost()
    yield host
    host.close()


@st.composite
def anything_sound(draw):
    """A catalogue with derived signals, and rules and tables about buyers and orders that pass the checker with it."""
    catalogue, sound = draw(catalogues()), []
    for index in range(draw(st.integers(1, 5))):
        scope = draw(st.sampled_from([Scope.BUYER, Scope.ORDER]))
        signals = catalogue.visible(scope)
        rule = draw(rules(key=f"rule_{index}", conditions=conditions_about(signals, 8)))
        days = {name: draw(st.sampled_from([None, TODAY])) for name in ("valid_from", "valid_to")}
        rule = replace(rule, scope=scope, companies=draw(st.sampled_from([(), ("7",)])), **days)
        if draw(st.booleans()):
            table = draw(tables(signals))
            rule = replace(rule, table=table, when=table.condition)
        if not check(rule, catalogue):
            sound.append(rule)
    return catalogue, Pack("pack", tuple(sound))


@given(anything_sound(), st.lists(rows, min_size=5, max_size=12), st.sampled_from([None, "7", "8"]))
@settings(PATIENT, max_examples=80)
def test_what_passes_the_checker_runs_and_is_answered_alike(host, sound, facts, company):
    catalogue, pack = sound
    asked = RuleEngine(pack, catalogue, host=host, timeout=30, compare_share=0)
    asked.prepare()
    for scope in {rule.scope for rule in pack.rules}:
        parts = [part for rule in pack.rules if rule.scope is scope for part in expand(rule)]
        for row, verdict in zip(facts, asked.evaluate_batch(facts, TODAY, scope=scope, company=company), strict=True):
            assert verdict.engine is AnsweredBy.DURABLE, verdict.note
            outcomes = [evaluate(part, row, TODAY, catalogue, company) for part in parts]
            for state, keys in (
                (State.FIRED, verdict.fired),
                (State.EXCLUDED, verdict.excluded),
                (State.UNDECIDED, verdict.undecided),
            ):
                assert set(keys) == {outcome.rule.key for outcome in outcomes if outcome.state is state}
            kept = {outcome.rule.key for outcome in outcomes if not outcome.fired and not outcome.ended}
            assert set(verdict.kept) == kept
            for outcome in outcomes:
                outcome.explain()
                render(outcome.rule, row, TODAY, catalogue, WORDS)
