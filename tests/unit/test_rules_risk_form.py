"""Forms: nothing is lost between form, rule and text, and a form from anybody is refused, not failed on."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, derived_signals, json_values, rules, tables, tests

from rules.risk import (
    DocumentError,
    Pack,
    Scope,
    check_derived,
    describe_catalogue,
    dump,
    from_form,
    load,
    to_form,
)


@st.composite
def rules_with_everything(draw):
    some = draw(st.lists(tests, max_size=2).map(tuple))
    rule = replace(draw(rules()), tests=some, scope=draw(st.sampled_from(Scope)))
    table = draw(st.none() | tables())
    return replace(rule, table=table, when=table.condition) if table else rule


@given(rules_with_everything())
@settings(PATIENT, max_examples=80)
def test_form_rule_and_text_say_the_same(rule):
    form = json.loads(json.dumps(to_form(rule)))
    assert from_form(form) == from_form(form, CATALOGUE) == rule
    (read,) = load(dump(Pack("p", (rule,)))).rules
    assert read == rule and to_form(read) == form


def form_of(when, **fields):
    return {"key": "r", "name": "n", "when": when, **fields}


def comparison(key, operator, **operand):
    return {"kind": "comparison", "signal": key, "operator": operator, "operand": operand or None}


@pytest.mark.parametrize(
    ("when", "line"),
    [
        (comparison("owed", ">", kind="value", value="10.50"), "owed > 10.50"),
        (comparison("owed", ">", kind="value", value=10), "owed > 10"),
        (comparison("owed", ">", kind="value", value=0.1), "owed > 0.1"),
        (comparison("owed", ">", kind="value", value=1e14), "owed > 100000000000000"),
        (comparison("late", ">", kind="value", value="5", unit="days"), "late > 5 days"),
        (comparison("country", "=", kind="value", value="10"), 'country = "10"'),
        (comparison("public", "=", kind="value", value=True), "public = yes"),
        (comparison("owed", ">", kind="signal", signal="limit", factor=""), "owed > limit"),
        (comparison("owed", ">", kind="signal", signal="limit", factor=1.1), "owed > 1.1 * limit"),
        (comparison("status", "in", kind="list", items=[{"value": "none"}]), 'status in ["none"]'),
        (comparison("grade", "in", kind="list", items=[{"value": "1"}, {"value": 2}]), "grade in [1, 2]"),
        (comparison("owed", "is missing"), "owed is missing"),
    ],
)
def test_what_a_widget_leaves_out_the_signal_decides(when, line):
    assert f"when: {line}\n" in dump(Pack("p", (from_form(form_of(when), CATALOGUE),)))


@pytest.mark.parametrize(
    ("when", "path", "words"),
    [
        (None, "when", "empty"),
        ({"kind": "some", "parts": []}, "when", "all, any or not"),
        (
            {"kind": "all", "parts": [comparison("owed", ">", kind="value", value="x")]},
            "when.all[0]",
            "'x' is not a num",
        ),
        (
            {"kind": "all", "parts": [comparison("owed", ">", kind="value", value="")]},
            "when.all[0]",
            "expected a number",
        ),
        ({"kind": "not", "part": comparison("owed", "~", kind="value", value="1")}, "when.not", "expected one of"),
        (comparison("", ">", kind="value", value=1), "when", "choose a signal"),
        (comparison("a b", "is known"), "when", "choose a signal"),
        (comparison("owed > 5 or", "is known"), "when", "choose a signal"),
        (comparison("owed", ">", kind="signal", signal=""), "when", "choose the signal"),
        (comparison("owed", ">", kind="value", value="1", unit="weeks"), "when", "days, %"),
        (comparison("owed", ">", kind="value", value=float("nan")), "when", "not a number"),
        (comparison("public", "=", kind="value", type="flag", value="yes"), "when", "yes or no"),
        (comparison("country", "=", kind="value", type="text", value="\ud800"), "when", "half a character"),
        (comparison("country", "=", kind="value", type="text", value="\0"), "when", "or a NUL"),
    ],
)
def test_a_form_that_is_no_condition_is_refused_at_its_path(when, path, words):
    with pytest.raises(DocumentError) as caught:
        from_form(form_of(when), CATALOGUE)
    assert caught.value.problems[0].path == f"rules.r.{path}"
    assert words in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"severity": "loud"}, "severity"),
        ({"scope": 5}, "scope"),
        ({"priority": "high"}, "priority"),
        ({"priority": True}, "priority"),
        ({"valid_from": "tomorrow"}, "valid_from"),
        ({"valid_to": "2025-02-30"}, "valid_to"),
        ({"actions": "notify"}, "actions"),
        ({"actions": [{}]}, "actions[0]"),
        ({"message": "x" * 5000}, "message"),
        ({"colour": "red"}, "colour"),
        ({"tests": [{"name": "t", "facts": [{"key": "owed", "value": "1"}] * 2, "expect": "fired"}]}, "tests[0]"),
        ({"tests": [{"name": "t", "facts": [], "expect": "maybe"}]}, "tests[0]"),
        ({"table": {"inputs": [], "rows": []}}, "table.hit"),
        ({"table": {"hit": "all", "inputs": [{"signal": "owed"}], "rows": [{"cells": []}]}}, "table.rows[0]"),
    ],
)
def test_a_wrong_field_of_a_form_is_refused_at_its_path(fields, path):
    with pytest.raises(DocumentError) as caught:
        from_form(form_of(comparison("owed", "is known"), **fields), CATALOGUE)
    assert f"rules.r.{path}" in {problem.path for problem in caught.value.problems}


@given(json_values)
@settings(PATIENT, max_examples=120)
def test_junk_is_refused_and_never_fails(junk):
    for form in (junk, form_of(junk), form_of(comparison("owed", ">", kind="value", value=junk)), {"table": junk}):
        try:
            rule = from_form(form, CATALOGUE)
        except DocumentError as error:
            assert error.problems
        else:
            assert load(dump(Pack("p", (rule,)))).rules == (rule,)


def test_a_form_nested_without_end_is_refused():
    node = comparison("owed", "is known")
    for _ in range(3000):
        node = {"kind": "not", "part": node}
    with pytest.raises(DocumentError, match="deep"):
        from_form(form_of(node))


def test_the_catalogue_is_described_for_choosing():
    described = {item["key"]: item for item in describe_catalogue(CATALOGUE, Scope.BUYER)}
    assert "amount" not in described and "amount" in {i["key"] for i in describe_catalogue(CATALOGUE, Scope.ORDER)}
    assert described["grade"] | {"help": "", "example": ""} == {
        **{"key": "grade", "label": "Class", "type": "number", "unit": "class", "scope": "buyer", "help": ""},
        **{"example": "", "choices": [], "minimum": "1", "maximum": "5", "derived": False},
    }
    assert described["status"]["choices"] == ["none", "approved", "refused"]


@given(derived_signals())
@settings(PATIENT, max_examples=30)
def test_a_derived_signal_is_described_as_one(item):
    if not check_derived([item], CATALOGUE):
        found = describe_catalogue(CATALOGUE.with_derived([item]), Scope.BUYER)
        assert [signal["key"] for signal in found if signal["derived"]] == [item.key]
        assert json.dumps(found)
