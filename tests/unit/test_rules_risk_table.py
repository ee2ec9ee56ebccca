"""Decision tables: a second form of rules, which every part of the package treats as rules."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, TODAY, facts, hostile_facts, rules, tables

from rules.risk import (
    AnsweredBy,
    Column,
    DocumentError,
    EngineHost,
    Operator,
    Pack,
    Row,
    Rule,
    RuleEngine,
    Severity,
    State,
    Table,
    check,
    check_text,
    dump,
    evaluate,
    expand,
    load,
    origin_of,
    render,
)
from rules.risk.expression import ExpressionError, format_comparison
from rules.risk.expression import parse_comparison as line
from rules.risk.table import format_cell, format_column, parse_cell, parse_column

GRID = """\
pack: p
rules:
  - key: grid
    name: Grid
    severity: warning
    table:
      hit: first
      inputs: [grade >=, owed >, status]
      rows:
        - cells: [4, 1000, = "refused"]
          severity: critical
          message: '{buyer}: {grade}'
          actions: [hold_buyer]
        - {cells: [4, 0.5 * limit, any], severity: high}
        - {cells: [3, -, is missing]}
    unless: public = yes
    until: grade <= 2
"""


@pytest.fixture(scope="module")
def host():
    host = EngineHost()
    yield host
    host.close()


def with_table(rule, table):
    return replace(rule, table=table, when=table.condition)


rules_with_tables = st.builds(with_table, rules(), tables())


def grid(text=GRID):
    (rule,) = load(text).rules
    return rule


def test_a_table_reads_as_its_rows():
    first, second, third = expand(grid())
    assert [rule.key for rule in (first, second, third)] == ["grid__1", "grid__2", "grid__3"]
    assert [format_comparison(part) for part in second.when.parts] == ["grade >= 4", "owed > 0.5 * limit"]
    assert [format_comparison(part) for part in third.when.parts] == ["grade >= 3", "status is missing"]
    assert [rule.severity for rule in (first, second, third)] == [Severity.CRITICAL, Severity.HIGH, Severity.WARNING]
    assert (first.actions, second.actions) == (("hold_buyer",), ())
    assert first.unless == line("public = yes") and second.unless.parts == (line("public = yes"), first.when)
    assert {rule.origin for rule in (first, second, third)} == {"grid"} == {grid().origin}
    assert expand(first) == (first,)


@pytest.mark.parametrize(
    ("row", "fired", "undecided"),
    [
        ({"grade": 4, "owed": 1001, "status": "refused", "limit": 0}, ("grid__1",), ()),
        ({"grade": 4, "owed": 1001, "status": "none", "limit": 0}, ("grid__2",), ()),
        ({"grade": 4, "owed": 1001, "limit": 0}, ("grid__2", "grid__3"), ("grid__1",)),
        ({"grade": 3, "owed": 1001, "limit": 0}, ("grid__3",), ()),
        ({"grade": 2, "owed": 1001, "limit": 0}, (), ()),
        ({"owed": 1001, "limit": 0, "status": "none"}, (), ("grid__2",)),
        ({"grade": 4, "owed": 1001, "status": "refused", "limit": 0, "public": True}, (), ()),
    ],
)
def test_only_the_first_row_that_is_known_to_fit_fires(host, row, fired, undecided):
    asked = RuleEngine(load(GRID), CATALOGUE, host=host, timeout=30)
    verdict = asked.evaluate(row, TODAY)
    assert verdict.engine is AnsweredBy.DURABLE
    # An earlier row silences a later one only when it is known to fit, as every exclusion does.
    expected = fired if "status" in row or row["grade"] < 4 else fired[:1]
    assert verdict.fired == expected and verdict.undecided == undecided
    assert verdict.ends("grid") is (not verdict.fired and row.get("grade") == 2 or row.get("public", False))
    for key in verdict.fired:
        assert asked.rule(key).origin == "grid" and asked.explain(key, row, TODAY).fired


def test_all_rows_that_fit_fire_where_the_table_says_so(host):
    asked = RuleEngine(load(GRID.replace("hit: first", "hit: all")), CATALOGUE, host=host, timeout=30)
    row = {"grade": 4, "owed": 1001, "status": "refused", "limit": 0}
    assert asked.evaluate(row, TODAY).fired == ("grid__1", "grid__2")
    assert render(asked.rule("grid__1"), row, TODAY, CATALOGUE, {"buyer": "B"}) == "B: 4"


def test_the_table_itself_is_a_rule_that_fires_when_a_row_does():
    outcome = evaluate(grid(), {"grade": 4, "owed": 600, "limit": 1000, "status": "none"}, TODAY, CATALOGUE)
    assert outcome.fired and not outcome.ended
    assert "any: yes" in outcome.explain()


def test_a_table_is_written_as_a_table():
    assert "inputs: [grade >=, owed >, status]" in dump(Pack("p", (grid(),)))
    assert "cells: [4, 0.5 * limit, any]" in dump(Pack("p", (grid(),)))
    assert load(dump(load(GRID))) == load(GRID)


@pytest.mark.parametrize(
    ("old", "new", "code", "path", "place"),
    [
        ("owed >,", "owd >,", "unknown_signal", "table.inputs[1]", (8, 26)),
        ("owed >,", "owed ~,", "syntax", "table.inputs[1]", (8, 31)),
        ("owed >,", "owed is missing,", "syntax", "table.inputs[1]", (8, 31)),
        ("owed >,", "amount >,", "wrong_scope", "table.inputs[1]", (8, 26)),
        ('"refused"]', '"refusd"]', "unknown_choice", "table.rows[0].cells[2]", (10, 30)),
        ("[4, 1000,", "[4, 1000 days,", "wrong_unit", "table.rows[0].cells[1]", (10, 22)),
        ("[4, 1000,", "[6, 1000,", "always_false", "table.rows[0].cells[0]", (10, 19)),
        ("[4, 1000,", "[1, 1000,", "always_true", "table.rows[0].cells[0]", (10, 19)),
        ("0.5 * limit", "0.5 * limt", "unknown_signal", "table.rows[1].cells[1]", (14, 23)),
        ("[4, 1000,", "[4,", "wrong_row", "table.rows[0]", (10, 11)),
        ("[3, -, is missing]", "[any, -, any]", "empty_group", "table.rows[2]", (15, 11)),
        ("[3, -, is missing]", '[4, 2000, = "refused"]', "unreachable", "table.rows[2]", (15, 11)),
        ("message: '{buyer}", "message: '{buyr}", "unknown_placeholder", "table.rows[0].message", (12, 20)),
        ("[hold_buyer]", "[hold_order]", "dead_action", "table.rows[0].actions", (13, 20)),
        ("severity: high}", "severity: loud}", "wrong_value", "table.rows[1].severity", (14, 52)),
        ("hit: first", "hit: last", "wrong_value", "table.hit", (7, 12)),
        ("until: grade <= 2", "when: owed > 5", "missing_field", "", (3, 5)),
        ("unless: public = yes", "unless: grade >= 3", "unreachable", "unless", (16, 13)),
    ],
)
def test_a_problem_in_a_table_points_to_its_row_and_cell(old, new, code, path, place):
    assert GRID.count(old) == 1
    _pack, problems = check_text(GRID.replace(old, new), CATALOGUE)
    assert [problem.code for problem in problems] == [code]
    assert problems[0].path == (f"rules.grid.{path}" if path else "rules.grid")
    assert (problems[0].place.line, problems[0].place.column) == place


def of_rows(*cells, first=True, **fields):
    table = Table((Column("owed"), Column("late")), tuple(Row(row) for row in cells), first)
    return Rule("t", "n", table.condition, table=table, **fields)


def codes(rule):
    return [problem.code for problem in check(rule, CATALOGUE)]


def test_a_column_without_operator_leaves_it_to_the_cells():
    _pack, problems = check_text(GRID.replace("owed >,", "owed,"), CATALOGUE)
    assert [problem.path for problem in problems] == [f"rules.grid.table.rows[{row}].cells[1]" for row in (0, 1)]
    assert problems[0].suggestion == "write one, like >= 1000"


def test_rows_that_repeat_each_other_are_refused():
    low, high, late = line("owed > 5"), line("owed > 9"), line("late > 5")
    assert codes(of_rows((low, None), (high, late))) == ["unreachable"]
    assert codes(of_rows((high, late), (low, None))) == []
    assert codes(of_rows((low, None), (high, late), first=False)) == []
    assert codes(of_rows((low, late), (low, late), first=False)) == ["unreachable"]
    assert codes(of_rows((low, None), (high, None))) == ["dead_column"]


def test_what_only_a_program_can_build_is_refused_too():
    low, late = line("owed > 5"), line("late > 5")
    assert codes(of_rows((low,))) == ["wrong_row"]
    assert codes(of_rows((late, low))) == ["wrong_row"]
    assert codes(of_rows()) == ["empty_group"]
    assert codes(replace(of_rows((low, late)), when=low)) == ["wrong_row"]
    assert codes(of_rows(*[(line(f"owed = {number}"), late) for number in range(41)])) == ["too_many_rows"]
    table = Table((Column("owed", Operator.KNOWN), Column("late")), (Row((low, late)),))
    assert codes(Rule("t", "n", table.condition, table=table)) == ["wrong_operator"]


def test_a_table_that_is_too_much_for_the_engine_is_refused():
    late = line("late > 5")
    rows = [(line(f"owed = {number}"), late) for number in range(40)]
    assert codes(of_rows(*rows)) == []
    assert codes(of_rows(*rows, unless=line("public = yes"))) == []
    either = grid(GRID.replace("unless: public = yes", "unless: {any: [public = yes, late > 5]}")).unless
    assert codes(of_rows(*rows, unless=either)) == ["too_many_branches"]


def test_keys_that_look_like_rows_are_kept_for_rows():
    assert codes(Rule("late__1", "n", line("owed > 5"))) == ["bad_key"]
    assert codes(Rule("late__one", "n", line("owed > 5"))) == []
    assert codes(replace(of_rows((line("owed > 5"), line("late > 5"))), key="x" * 60)) == ["bad_key"]
    assert (origin_of("a__12"), origin_of("a__b"), origin_of("a_1")) == ("a", "a__b", "a_1")


@given(rules_with_tables, st.data())
@settings(PATIENT, max_examples=40)
def test_both_evaluators_agree_on_tables(host, rule, data):
    assume(not check(rule, CATALOGUE))
    pack = Pack("p", (rule,))
    assert load(dump(pack)) == pack
    asked = RuleEngine(pack, CATALOGUE, host=host, timeout=30, compare_share=0)
    asked.prepare()
    rows = data.draw(st.lists(facts, min_size=5, max_size=10))
    for row, verdict in zip(rows, asked.evaluate_batch(rows, TODAY), strict=True):
        assert verdict.engine is AnsweredBy.DURABLE, verdict.note
        outcomes = {part.key: evaluate(part, row, TODAY, CATALOGUE) for part in expand(rule)}
        assert set(verdict.fired) == {key for key, outcome in outcomes.items() if outcome.fired}
        assert set(verdict.undecided) == {key for key, found in outcomes.items() if found.state is State.UNDECIDED}
        assert all(verdict.ends(key) == outcome.ended for key, outcome in outcomes.items())
        assert bool(verdict.fired) is evaluate(rule, row, TODAY, CATALOGUE).fired
        if rule.table.first and all(outcome.state is not State.UNDECIDED for outcome in outcomes.values()):
            assert len(verdict.fired) <= 1


@given(
    st.builds(lambda rule, table: replace(rule, table=table, when=table.condition), rules(), tables()), hostile_facts
)
@settings(PATIENT, max_examples=30)
def test_a_table_that_passes_never_fails(rule, row):
    assume(not check(rule, CATALOGUE))
    for part in (rule, *expand(rule)):
        assert evaluate(part, row, TODAY, CATALOGUE).explain()
        assert isinstance(render(part, row, TODAY, CATALOGUE), str)


@given(st.text(max_size=30) | st.text("owed <>=!in[]\"'1.* ", max_size=20), st.booleans())
@settings(PATIENT, max_examples=150)
def test_reading_a_cell_or_a_column_never_fails_otherwise(text, has_operator):
    column = Column("owed", Operator.GE if has_operator else None)
    reading_cells = (lambda cell: parse_cell(cell, column), lambda cell: format_cell(cell, column))
    for read, write in ((parse_column, format_column), reading_cells):
        try:
            found = read(text)
        except ExpressionError as error:
            assert 0 <= error.offset <= len(text)
        else:
            assert read(write(found)) == found


def test_a_table_with_everything_wrong_tells_all_of_it():
    with pytest.raises(DocumentError) as caught:
        load("pack: p\nrules:\n  - {key: t, name: n, table: {inputs: [[a], b c], rows: [x, {cells: [{}, 1]}]}}\n")
    assert len(caught.value.problems) >= 4
