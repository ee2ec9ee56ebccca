"""When an alert that is open ends: hysteresis, and that both evaluators agree on it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, TODAY, facts, packs

from rules.risk import (
    AnsweredBy,
    EngineHost,
    Pack,
    Rule,
    RuleEngine,
    Scope,
    State,
    check,
    check_text,
    dump,
    evaluate,
    load,
)
from rules.risk.evaluator import judge
from rules.risk.expression import parse_comparison as line
from rules.risk.facts import read_facts

PLAIN = Rule("plain", "n", line("owed > 100"), unless=line("public = yes"))
GAP = Rule("gap", "n", line("owed > 100.5"), unless=line("public = yes"), until=line("owed < 80"))
OTHER = Rule("other", "n", line("owed > 100.2"), until=line("late <= 0 days"))
ORDER = Rule("order", "n", line("amount > 100"), until=line("owed < 80"), scope=Scope.ORDER)
PACK = Pack("p", (PLAIN, GAP, OTHER, ORDER))


@pytest.fixture(scope="module")
def host():
    host = EngineHost()
    yield host
    host.close()


@pytest.mark.parametrize(
    ("row", "plain", "gap", "other"),
    [
        ({"owed": 101, "late": 0}, False, False, False),
        ({"owed": 100, "late": 5}, True, False, False),
        ({"owed": 80, "late": 0}, True, False, True),
        ({"owed": 79, "late": None}, True, True, False),
        ({"owed": None, "late": 5}, False, False, False),
        ({"owed": None, "late": 0}, False, False, True),
        ({"owed": 200, "late": 5, "public": True}, True, True, False),
        ({"owed": None, "late": 5, "public": True}, True, True, False),
        ({"owed": 90, "late": 5, "public": True}, True, True, False),
    ],
)
def test_an_open_alert_ends_only_where_its_rule_says(host, row, plain, gap, other):
    verdict = RuleEngine(PACK, CATALOGUE, host=host, timeout=30).evaluate(row, TODAY)
    assert verdict.engine is AnsweredBy.DURABLE
    expected = {"plain": plain, "gap": gap, "other": other}
    assert {key: verdict.ends(key) for key in expected} == expected
    assert {rule.key: evaluate(rule, row, TODAY, CATALOGUE).ended for rule in (PLAIN, GAP, OTHER)} == expected
    assert not set(verdict.kept) & set(verdict.fired)


@pytest.mark.parametrize(
    ("when", "until", "row", "ended"),
    [
        ("left <= 10 days", None, {}, True),
        ("left <= 10 days", None, {"left": "junk"}, False),
        ("owed > 100", None, {}, False),
        ("{all: [left <= 10 days, owed > 100]}", None, {}, True),
        ("{all: [left <= 10 days, owed > 100]}", None, {"owed": 200}, True),
        ("{any: [left <= 10 days, owed > 100]}", None, {}, False),
        ("{any: [left <= 10 days, owed > 100]}", None, {"owed": 5}, True),
        ("{not: left > 10 days}", None, {}, False),
        ("left <= 0.5 * age", None, {}, True),
        ("age > left", None, {"age": 5}, False),
        ("left <= 10 days", "left > 20 days", {}, True),
        ("left <= 10 days", "late <= 0 days", {"late": 5}, False),
        ("left <= 10 days", "late <= 0 days", {}, True),
    ],
)
def test_an_alert_ends_when_nothing_is_left_of_what_it_is_about(host, when, until, row, ended):
    ending = f"    until: {until}\n" if until else ""
    pack = load(f"pack: p\nrules:\n  - key: r\n    name: n\n    when: {when}\n{ending}")
    verdict = RuleEngine(pack, CATALOGUE, host=host, timeout=30).evaluate(row, TODAY)
    assert verdict.engine is AnsweredBy.DURABLE
    assert verdict.undecided == ("r",)
    assert verdict.ends("r") is evaluate(pack.rules[0], row, TODAY, CATALOGUE).ended is ended


@pytest.mark.parametrize(
    ("value", "row", "ended"),
    [
        ("left - 5", {}, True),
        ("left - 5", {"left": "junk"}, False),
        ("left - age", {"age": 5}, True),
        ("left - age", {}, False),
        ("min(left, age)", {"age": 5}, True),
        ("half / 2", {}, True),
        ("{cases: [{when: left > 5, value: left}], otherwise: age}", {"age": 5}, True),
        ("{cases: [{when: public = yes, value: left}], otherwise: age}", {"public": True}, True),
        ("{cases: [{when: public = yes, value: left}], otherwise: age}", {"public": False}, False),
        ("{cases: [{when: left is missing, value: age}], otherwise: left}", {}, False),
        ("age * used / used", {"age": 5, "used": 0}, False),
    ],
)
def test_of_what_is_computed_from_nothing_nothing_is_left(host, value, row, ended):
    signals = "".join(
        f"  - key: {key}\n    label: l\n    type: days\n    value: {calculation}\n"
        for key, calculation in (("half", "left / 2"), ("derived", value))
    )
    pack = load(f"pack: p\nsignals:\n{signals}rules:\n  - key: r\n    name: n\n    when: derived <= 10 days\n")
    verdict = RuleEngine(pack, CATALOGUE, host=host, timeout=30).evaluate(row, TODAY)
    assert verdict.engine is AnsweredBy.DURABLE
    assert verdict.undecided == ("r",)
    catalogue = CATALOGUE.with_derived(pack.signals)
    assert verdict.ends("r") is evaluate(pack.rules[0], row, TODAY, catalogue).ended is ended


def test_an_alert_ends_when_its_rule_does_not_apply_any_more():
    rule = Rule("r", "n", line("owed > 100"), until=line("owed < 80"), valid_to=TODAY, companies=("A",))
    assert not evaluate(rule, {"owed": 90}, TODAY, CATALOGUE, "A").ended
    assert evaluate(rule, {"owed": 200}, TODAY, CATALOGUE, "B").ended
    assert evaluate(rule, {"owed": 200}, TODAY.replace(year=2099), CATALOGUE, "A").ended


def test_a_rule_about_orders_keeps_its_alerts_by_the_buyer_s_signals(host):
    asked = RuleEngine(PACK, CATALOGUE, host=host, timeout=30)
    assert asked.evaluate({"amount": 5, "owed": 90}, TODAY, scope=Scope.ORDER).kept == ("order",)
    assert asked.evaluate({"amount": 5, "owed": 70}, TODAY, scope=Scope.ORDER).ends("order")


@given(packs(), st.lists(facts, min_size=10, max_size=20))
@settings(PATIENT, max_examples=30)
def test_both_evaluators_agree_on_what_ends(host, pack, rows):
    sound = Pack("p", tuple(rule for rule in pack.rules if not check(rule, CATALOGUE)))
    if not sound.rules or check(sound, CATALOGUE):
        return
    asked = RuleEngine(sound, CATALOGUE, host=host, timeout=30, compare_share=0)
    asked.prepare()
    for row, verdict in zip(rows, asked.evaluate_batch(rows, TODAY), strict=True):
        assert verdict.engine is AnsweredBy.DURABLE, verdict.note
        for rule in sound.rules:
            outcome = evaluate(rule, row, TODAY, CATALOGUE)
            assert verdict.ends(rule.key) == outcome.ended
            assert judge(rule, read_facts(row, CATALOGUE, TODAY), TODAY) == (outcome.state, outcome.ended)


def test_an_ending_is_read_written_and_explained():
    text = dump(Pack("p", (GAP,)))
    assert "until: owed < 80" in text and load(text).rules == (GAP,)
    assert "until\n    owed 90 < 80: no (90 of 80)" in evaluate(GAP, {"owed": 90}, TODAY, CATALOGUE).explain()


@pytest.mark.parametrize(
    ("when", "until", "codes"),
    [
        ("owed > 100", "owed < 80", []),
        ("owed > 100", "owed <= 100", []),
        ("owed > 100", "owed <= 100.0001", ["until_overlaps"]),
        ("owed > 100", "owed > 50", ["until_overlaps"]),
        ("owed > 100", "late < 5", []),
        ("owed > 1.1 * limit", "owed <= limit", []),
        ("{any: [owed > 100, late > 5]}", "owed < 80", ["until_overlaps"]),
        ("{any: [owed > 100, late > 5]}", "{all: [owed < 80, late < 5]}", []),
        ("owed > 100", "owd < 80", ["unknown_signal"]),
        ("owed > 100", "{any: [owed > 5, owed <= 5]}", ["always_true"]),
        ("owed > 100", "{all: [owed > 5, owed <= 5]}", ["always_false"]),
        ("owed > 100", "amount < 80", ["wrong_scope"]),
    ],
)
def test_an_ending_that_can_hold_with_its_condition_is_refused(when, until, codes):
    text = f"pack: p\nrules:\n  - key: r\n    name: n\n    when: {when}\n    until: {until}\n"
    _pack, problems = check_text(text, CATALOGUE)
    assert [problem.code for problem in problems] == codes
    assert all(problem.place and problem.place.line == 6 for problem in problems)


@pytest.mark.parametrize(("ends", "codes"), [("yes", ["test_failed"]), ("no", [])])
def test_a_rule_s_own_test_can_say_whether_an_alert_ends(ends, codes):
    test = f"{{name: t, facts: {{owed: 90}}, expect: quiet, ends: {ends}}}"
    text = f"pack: p\nrules:\n  - {{key: r, name: n, when: owed > 100, until: owed < 80, tests: [{test}]}}\n"
    pack, problems = check_text(text, CATALOGUE)
    assert [problem.code for problem in problems] == codes
    assert load(dump(pack)) == pack


def test_a_rule_that_fires_never_ends_its_alert():
    rule = Rule("r", "n", line("owed > 100"), until=line("late < 5"))
    outcome = evaluate(rule, {"owed": 200, "late": 0}, TODAY, CATALOGUE)
    assert outcome.state is State.FIRED and not outcome.ended
