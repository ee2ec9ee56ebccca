"""The reference evaluator: three answers, their trace, near misses, and facts that cannot be read."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from rules_risk_cases import CATALOGUE, PATIENT, TODAY, conditions, facts

from rules.risk import All, Any, Not, Rule, State, evaluate, render
from rules.risk.evaluator import answer_condition, trace_condition
from rules.risk.expression import parse_comparison as line
from rules.risk.facts import read_facts
from rules.risk.normal import branches
from rules.risk.trace import Answer

YES, NO, MISSING = line("owed > 0"), line("owed < 0"), line("late > 0")
FACTS = {"owed": 1}


def outcome(when, facts, **fields):
    return evaluate(Rule("r", "Name", when, **fields), facts, TODAY, CATALOGUE)


@pytest.mark.parametrize(
    ("when", "state"),
    [
        (YES, State.FIRED),
        (NO, State.QUIET),
        (MISSING, State.UNDECIDED),
        (Not(YES), State.QUIET),
        (Not(NO), State.FIRED),
        (Not(MISSING), State.UNDECIDED),
        (All((YES, MISSING)), State.UNDECIDED),
        (All((NO, MISSING)), State.QUIET),
        (Any((YES, MISSING)), State.FIRED),
        (Any((NO, MISSING)), State.UNDECIDED),
        (Not(All((YES, MISSING))), State.UNDECIDED),
        (Not(All((NO, MISSING))), State.FIRED),
        (line("late is missing"), State.FIRED),
        (line("late is known"), State.QUIET),
        (Not(line("late is known")), State.FIRED),
        (line("late > age"), State.UNDECIDED),
    ],
)
def test_missing_is_neither_yes_nor_no(when, state):
    assert outcome(when, FACTS).state is state


@pytest.mark.parametrize(("unless", "state"), [(YES, State.EXCLUDED), (NO, State.FIRED), (MISSING, State.FIRED)])
def test_only_an_exclusion_known_to_hold_silences_a_rule(unless, state):
    assert outcome(YES, FACTS, unless=unless).state is state


@pytest.mark.parametrize(("when", "state"), [(YES, State.EXCLUDED), (MISSING, State.EXCLUDED), (NO, State.QUIET)])
def test_an_exclusion_comes_before_what_is_missing(when, state):
    assert outcome(when, FACTS, unless=YES).state is state


def test_a_rule_outside_its_days_or_companies_is_inactive():
    rule = Rule("r", "n", YES, valid_from=date(2025, 1, 1), valid_to=date(2025, 1, 31), companies=("A",))
    states = [
        evaluate(rule, FACTS, day, CATALOGUE).state for day in (date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 31))
    ]
    assert states == [State.INACTIVE, State.FIRED, State.FIRED]
    assert evaluate(rule, FACTS, date(2025, 1, 1), CATALOGUE, "B").state is State.INACTIVE
    assert evaluate(rule, FACTS, date(2025, 1, 1), CATALOGUE, "A").state is State.FIRED


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("owed > 10000", {"owed": 12300}, "owed 12,300 > 10,000: yes"),
        ("owed > 1.1 * limit", {"owed": 120, "limit": 100}, "owed 120 > 1.1 × limit 100 = 110: yes"),
        ("owed > limit", {"owed": 90, "limit": 100}, "owed 90 > limit 100: no (90 of 100)"),
        ("owed > limit", {"owed": 90}, "owed 90 > limit missing: missing"),
        ("late >= 70 days", {"late": 68}, "late 68 >= 70: no (68 of 70 days)"),
        ('status in ["none", "refused"]', {"status": "refused"}, "status refused in [none, refused]: yes"),
        ("country is missing", {}, "country missing is missing: yes"),
        ("public = yes", {"public": False}, "public no = yes: no"),
        (
            "owed > 5",
            {"owed": 5.5},
            "owed missing > 5: missing (unreadable: a value of type float is not an exact number)",
        ),
        ("grade > 1", {"grade": 9}, "grade missing > 1: missing (unreadable: 9 is outside the range of grade)"),
    ],
)
def test_the_trace_shows_the_values_that_decided(text, facts, expected):
    assert outcome(line(text), facts).trace.line() == expected


def test_an_outcome_explains_itself():
    result = outcome(All((YES, Any((NO, MISSING)))), FACTS, unless=line("public = yes"))
    assert result.explain().splitlines() == [
        "Name: undecided",
        "  all: missing",
        "    owed 1 > 0: yes",
        "    any: missing",
        "      owed 1 < 0: no (1 of 0)",
        "      late missing > 0: missing",
        "  unless",
        "    public missing = yes: missing",
    ]
    assert "Owed 1 > 0: yes" in result.explain(labels=True)
    assert result.missing == ("late",)


@pytest.mark.parametrize(
    ("when", "facts", "closeness"),
    [
        (line("late >= 70"), {"late": 68}, "0.97"),
        (line("late >= 70"), {"late": 71}, "1.00"),
        (line("late >= 70"), {}, "0.00"),
        (line("late >= 70"), {"late": -500}, "0.00"),
        (All((line("late >= 100"), line("owed >= 100"))), {"late": 90, "owed": 50}, "0.50"),
        (Any((line("late >= 100"), line("owed >= 100"))), {"late": 90, "owed": 50}, "0.90"),
        (line('status = "none"'), {"status": "refused"}, "0.00"),
    ],
)
def test_a_near_miss_says_how_near(when, facts, closeness):
    assert outcome(when, facts).closeness.quantize(Decimal("0.01")) == Decimal(closeness)


def test_near_misses_come_nearest_first():
    result = outcome(All((line("owed >= 100"), line("late >= 70"))), {"owed": 50, "late": 68})
    assert [str(leaf.gap) for leaf in result.near_misses] == ["68 of 70 days", "50 of 100"]


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("owed", 5, Decimal(5)),
        ("owed", Decimal("1.00005"), Decimal("1.0000")),
        ("owed", Decimal("1.00015"), Decimal("1.0002")),
        ("owed", Decimal("-0"), Decimal(0)),
        ("owed", 10**14, Decimal(10**14)),
        ("late", date(2025, 3, 1), Decimal(30)),
        ("late", datetime(2025, 3, 1, 23, 59), Decimal(30)),
        ("late", date(2025, 4, 1), Decimal(-1)),
        ("country", "", ""),
        ("public", True, True),
    ],
)
def test_facts_are_read_exactly(key, value, read):
    assert read_facts({key: value}, CATALOGUE, TODAY).values == {key: read}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("owed", 1.5),
        ("owed", "5"),
        ("owed", True),
        ("owed", date(2025, 1, 1)),
        ("owed", Decimal("NaN")),
        ("owed", Decimal("sNaN")),
        ("owed", Decimal("Infinity")),
        ("owed", Decimal("1e400")),
        ("owed", 10**14 + 1),
        ("owed", 10**400),
        ("grade", 0),
        ("country", 5),
        ("country", b"FR"),
        ("status", "gone"),
        ("public", 1),
        ("public", "yes"),
        ("public", 10**400),
    ],
)
def test_a_fact_that_cannot_be_is_unreadable_and_named(key, value):
    result = outcome(line(f"{key} is missing"), {key: value})
    assert result.state is State.FIRED
    assert [name for name, _why in result.unreadable] == [key]


def test_other_facts_are_ignored():
    assert read_facts({"nobody": object(), "owed": None}, CATALOGUE, TODAY).unreadable == {}


def test_a_message_shows_values_and_context():
    rule = Rule("r", "Name", YES, message="{buyer} owes {owed}, {late} days late {{sic}}")
    assert (
        render(rule, {"owed": 12300}, TODAY, CATALOGUE, {"buyer": "B {owed}"})
        == "B {owed} owes 12,300, missing days late {sic}"
    )
    assert render(Rule("r", "Name", YES), {}, TODAY, CATALOGUE) == "Name"


@pytest.mark.parametrize("message", ["{document}", " \n", "{document}\n{company}"])
def test_a_message_with_nothing_to_say_says_the_name_of_its_rule(message):
    rule = Rule("r", "Name", YES, message=message)
    assert render(rule, {}, TODAY, CATALOGUE, {"document": ""}) == "Name"


@given(conditions, facts)
@settings(PATIENT, max_examples=150)
def test_answer_trace_and_branches_agree(when, row):
    read = read_facts(row, CATALOGUE, TODAY)
    answer = answer_condition(when, read)
    assert trace_condition(when, read, CATALOGUE).answer is answer
    assert answer_condition(Not(when), read) is ~answer
    ways = branches(when, 10_000)
    assert (answer is Answer.YES) == any(
        all(answer_condition(part, read) is Answer.YES for part in way) for way in ways
    )
