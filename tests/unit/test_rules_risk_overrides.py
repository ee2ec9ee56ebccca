"""Overrides: single fields of a shipped rule are a company's own, everything else follows the rule."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, rules, tables

from rules.risk import DocumentError, Rule, RuleTest, Severity, State, check, overrides
from rules.risk.expression import parse_comparison as line

SHIPPED = Rule(
    "late",
    "Late",
    line("late > 30 days"),
    unless=line("public = yes"),
    message="{buyer}",
    actions=("notify",),
    reason="As shipped.",
    tests=(RuleTest("t", (("late", 31),), State.FIRED),),
)


def test_only_the_named_fields_are_replaced():
    fields = overrides.load_override("severity: critical\nactions: []\nunless: null\nvalid_to: 2025-12-31\n")
    changed = overrides.apply(SHIPPED, fields)
    assert changed == replace(
        SHIPPED, severity=Severity.CRITICAL, actions=(), unless=None, valid_to=date(2025, 12, 31), tests=()
    )
    updated = replace(SHIPPED, message="{buyer} is late", when=line("late > 20 days"))
    assert overrides.apply(updated, fields).message == "{buyer} is late"
    assert overrides.apply(updated, fields).when == line("late > 20 days")


def test_tests_stay_as_long_as_the_conditions_do():
    assert overrides.apply(SHIPPED, overrides.load_override("severity: info")).tests == SHIPPED.tests
    changed = overrides.apply(SHIPPED, overrides.load_override("when: late > 60 days\nuntil: late < 50 days"))
    assert changed.tests == () and check(changed, CATALOGUE) == ()


def test_another_condition_may_bring_tests_of_its_own():
    text = "when: late > 60 days\ntests:\n  - {name: own, facts: {late: 61}, expect: fires}\n"
    changed = overrides.apply(SHIPPED, overrides.load_override(text))
    assert [test.name for test in changed.tests] == ["own"] and check(changed, CATALOGUE) == ()


def test_a_table_takes_the_place_of_a_condition_and_the_other_way_round():
    text = "table:\n  inputs: [late >]\n  rows:\n    - {cells: [30], severity: info}\n    - {cells: ['> 60']}\n"
    grid = overrides.apply(SHIPPED, overrides.load_override(text))
    assert grid.table and grid.when == grid.table.condition
    plain = overrides.apply(grid, overrides.load_override("when: late > 5"))
    assert plain.table is None and plain.when == line("late > 5")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("key: other", "unknown_field"),
        ("name: Other", "unknown_field"),
        ("scope: order", "unknown_field"),
        ("companies: [A]", "unknown_field"),
        ("severty: high", "unknown_field"),
        ("severity: loud", "wrong_value"),
        ("severity: null", "wrong_value"),
        ("when: null", "syntax"),
        ("when: late >", "syntax"),
        ("when: late > 5\ntable: {inputs: [late], rows: []}", "duplicate"),
        ("- severity: high", "wrong_kind"),
        ("severity: high\nseverity: info", "duplicate"),
    ],
)
def test_anything_else_is_refused_with_its_place(text, code):
    with pytest.raises(DocumentError) as caught:
        overrides.load_override(text)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.problems[0].place


def test_a_program_cannot_override_other_fields_either():
    with pytest.raises(DocumentError):
        overrides.apply(SHIPPED, {"key": "other"})


def test_an_override_that_makes_no_sense_is_found_by_the_checker():
    changed = overrides.apply(SHIPPED, overrides.load_override("until: late > 10"))
    assert [problem.code for problem in check(changed, CATALOGUE)] == ["until_overlaps"]


@given(rules(), rules(), st.sets(st.sampled_from(overrides.FIELDS)), st.none() | tables())
@settings(PATIENT, max_examples=50)
def test_an_override_is_written_read_and_found_again(shipped, other, names, table):
    other = replace(other, table=table, when=table.condition) if table else other
    names -= {"when"} if table else {"table"}
    fields = {name: getattr(other, name) for name in names}
    assert overrides.load_override(overrides.dump_override(fields)) == fields
    changed = overrides.apply(shipped, fields)
    assert all(getattr(changed, name) == value for name, value in fields.items())
    assert overrides.apply(shipped, overrides.differences(shipped, changed)) == changed
