"""How rules stand to each other: what is refused beside another rule, and that the reasons are never wrong."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, TODAY, conditions, facts, rules

from rules.risk import All, Any, Not, Pack, Rule, RuleEngine, Severity, check, evaluate
from rules.risk.evaluator import answer_condition
from rules.risk.expression import parse_comparison as line
from rules.risk.facts import read_facts
from rules.risk.relations import implies
from rules.risk.trace import Answer


def all_of(*lines):
    return All(tuple(map(line, lines)))


def any_of(*lines):
    return Any(tuple(map(line, lines)))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (line("owed > 10"), line("owed > 5"), True),
        (line("owed > 5"), line("owed > 10"), False),
        (line("owed = 7"), line("owed in [7, 8]"), True),
        (line("owed > 5"), line("owed is known"), True),
        (line("owed is known"), line("owed > 5"), False),
        (line("owed is missing"), line("owed > 5"), False),
        (line("late > 5"), any_of("owed > 5", "owed <= 5"), False),
        (all_of("late > 5", "owed is known"), any_of("owed > 5", "owed <= 5"), False),
        (all_of("owed > 5", "late > 5"), line("late > 5"), True),
        (all_of("owed > 5", "late > 5"), any_of("late > 5", "used > 5"), True),
        (line("late > 5"), any_of("late > 5", "owed > 5"), True),
        (any_of("late > 5", "owed > 5"), line("late > 5"), False),
        (any_of("late > 9", "late > 7"), line("late > 5"), True),
        (Not(any_of("late <= 5", "owed <= 5")), all_of("owed > 5", "late > 5"), True),
        (line("owed > limit"), line("owed >= limit"), True),
        (line("owed > limit"), line("limit < owed"), True),
        (line("owed > 2 * limit"), line("owed > limit"), False),
        (line('status = "refused"'), line('status != "none"'), True),
        (line('country in ["FR"]'), line('country not in ["DE"]'), True),
        (line("public = yes"), line("public != no"), True),
    ],
)
def test_one_condition_implies_another_only_where_it_always_does(one, other, expected):
    assert implies(one, other, CATALOGUE) is expected


@given(conditions, conditions, st.lists(facts, min_size=5, max_size=20))
@settings(PATIENT, max_examples=100)
def test_an_implication_is_never_wrong(one, other, rows):
    for first, second in ((one, other), (one, Any((one, other))), (All((one, other)), other)):
        if implies(first, second, CATALOGUE):
            for row in rows:
                read = read_facts(row, CATALOGUE, TODAY)
                if answer_condition(first, read) is Answer.YES:
                    assert answer_condition(second, read) is Answer.YES


WIDE = Rule("wide", "n", line("owed > 5"), actions=("notify",))


def beside(other, **fields):
    narrow = replace(Rule("narrow", "n", all_of("owed > 10", "late > 5"), actions=("notify",)), **fields)
    return [problem.code for problem in check(narrow, CATALOGUE, others=[other])]


@pytest.mark.parametrize(
    ("other", "fields", "codes"),
    [
        ({}, {}, ["contained"]),
        ({}, {"actions": ()}, ["contained"]),
        ({}, {"actions": ("notify", "activity")}, []),
        ({}, {"severity": Severity.HIGH}, []),
        ({}, {"severity": Severity.INFO}, ["contained"]),
        ({"severity": Severity.HIGH}, {}, ["contained"]),
        ({}, {"when": all_of("owed > 4", "late > 5")}, []),
        ({"observe": True}, {}, []),
        ({}, {"observe": True}, ["contained"]),
        ({"companies": ("A",)}, {}, []),
        ({"companies": ("A",)}, {"companies": ("A",)}, ["contained"]),
        ({"companies": ("A",)}, {"companies": ("A", "B")}, []),
        ({}, {"companies": ("A",)}, ["contained"]),
        ({"valid_to": date(2025, 1, 1)}, {}, []),
        ({"valid_to": date(2025, 1, 1)}, {"valid_to": date(2024, 1, 1)}, ["contained"]),
        ({"unless": line("public = yes")}, {}, []),
        ({"unless": line("public = yes")}, {"unless": line("public = yes")}, ["contained"]),
        ({"unless": all_of("public = yes", "late > 5")}, {"unless": line("public = yes")}, ["contained"]),
        ({"unless": line("public = yes")}, {"unless": all_of("public = yes", "used > 5")}, []),
        ({}, {"unless": line("public = yes")}, ["contained"]),
        ({"until": line("owed < 3")}, {}, []),
        ({"when": line("owed > 10")}, {"when": line("owed > 10")}, ["same_condition"]),
        ({"when": line("owed > 10")}, {"when": Not(line("owed <= 10")), "severity": Severity.HIGH}, []),
    ],
)
def test_a_rule_that_adds_nothing_to_another_is_refused(other, fields, codes):
    assert beside(replace(WIDE, **other), **fields) == codes


def test_a_problem_names_the_other_rule():
    (problem,) = check(replace(WIDE, key="narrow", when=line("owed > 10")), CATALOGUE, others=[WIDE])
    assert "'wide'" in problem.message and problem.path == "rules.narrow.when" and "severe" in problem.suggestion


def test_actions_that_undo_each_other_are_a_contradiction():
    less = replace(WIDE, key="less", actions=("reduce_cover",))
    more = replace(WIDE, key="more", when=line("owed > 10"), actions=("request_cover",))
    known = {key: None for key in ("reduce_cover", "request_cover")}
    actions = {key: _Action() for key in known}
    assert [problem.code for problem in check(more, CATALOGUE, actions, others=[less])] == ["contradiction"]
    assert [problem.code for problem in check(Pack("p", (less, more)), CATALOGUE, actions)] == ["contradiction"]
    apart = replace(more, when=line("late > 10"))
    assert check(Pack("p", (less, apart)), CATALOGUE, actions) == ()


class _Action:
    scopes = frozenset({"buyer"})


def test_a_rule_is_not_compared_with_its_former_self():
    assert check(replace(WIDE, when=line("owed > 10")), CATALOGUE, others=[WIDE]) == ()


def test_the_others_own_problems_are_not_told():
    narrow = replace(WIDE, key="narrow", when=line("owed > 10"))
    assert check(replace(WIDE, key="free", when=line("late > 5")), CATALOGUE, others=[WIDE, narrow]) == ()


def test_a_pack_names_each_rule_that_adds_nothing_once():
    some = tuple(replace(WIDE, key=f"r{number}", when=line(f"owed > {number}")) for number in range(4))
    found = check(Pack("p", some), CATALOGUE)
    assert [(problem.code, problem.path) for problem in found] == [
        ("contained", f"rules.r{number}.when") for number in (1, 2, 3)
    ]
    twins = tuple(replace(WIDE, key=f"r{number}") for number in range(3))
    found = check(Pack("p", twins), CATALOGUE)
    assert [(problem.code, problem.path) for problem in found] == [
        ("same_condition", f"rules.r{number}.when") for number in (1, 2)
    ]


def test_rules_that_add_nothing_never_stop_the_engine():
    narrow = replace(WIDE, key="narrow", when=line("owed > 10"))
    assert RuleEngine(Pack("p", (WIDE, narrow)), CATALOGUE).explain("narrow", {"owed": 11}, TODAY).fired


def test_what_is_too_much_for_the_engine_is_left_to_the_reference():
    whens = [Any(tuple(line(f"owed in [{n}, {m}]") for n in range(25))) for m in range(100, 112)]
    pack = Pack("p", tuple(Rule(f"r{number}", "n", when) for number, when in enumerate(whens)))
    assert [problem.code for problem in check(pack, CATALOGUE)] == ["too_many_fields"]
    verdict = RuleEngine(pack, CATALOGUE).evaluate({"owed": 100}, TODAY)
    assert verdict.fired == ("r0",) and "the engine takes" in verdict.note


@pytest.mark.parametrize(
    ("when", "unless", "codes"),
    [
        ("owed > 10", "owed > 5", ["unreachable"]),
        ("owed > 10", "owed is known", ["unreachable"]),
        ("owed > 10", "owed > 15", []),
        ("owed > 10", "late > 5", []),
        ("owed is missing", "owed > 5", []),
    ],
)
def test_a_rule_that_its_own_exclusion_always_silences_is_refused(when, unless, codes):
    assert [problem.code for problem in check(Rule("r", "n", line(when), unless=line(unless)), CATALOGUE)] == codes


@given(rules(), st.lists(facts, min_size=10, max_size=30))
@settings(PATIENT, max_examples=50)
def test_a_rule_called_unreachable_never_fires(rule, rows):
    assume(rule.unless is not None)
    both = replace(rule, when=All((rule.when, rule.unless)))
    for candidate in (rule, both):
        if "unreachable" in {problem.code for problem in check(candidate, CATALOGUE)}:
            assert not any(evaluate(candidate, row, TODAY, CATALOGUE).fired for row in rows)


@given(rules(key="one"), rules(key="other"), st.lists(facts, min_size=10, max_size=30))
@settings(PATIENT, max_examples=50)
def test_a_rule_called_contained_never_fires_alone(one, other, rows):
    for narrow in (one, replace(one, when=All((one.when, other.when)), unless=other.unless, until=other.until)):
        if {problem.code for problem in check(narrow, CATALOGUE, others=[other])} & {"contained", "same_condition"}:
            for row in rows:
                if evaluate(narrow, row, TODAY, CATALOGUE).fired:
                    assert evaluate(other, row, TODAY, CATALOGUE).fired
