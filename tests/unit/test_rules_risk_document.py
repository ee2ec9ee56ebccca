"""Rule documents: what is read, what is refused and where, and that writing and reading lose nothing."""

import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from rules_risk_cases import CATALOGUE, PATIENT, packs

from rules.risk import (
    All,
    Any,
    Comparison,
    Constant,
    ConstantList,
    DocumentError,
    Not,
    Operator,
    Pack,
    Place,
    Rule,
    RuleTest,
    Scope,
    Severity,
    SignalRef,
    State,
    check_text,
    dump,
    load,
)
from rules.risk.expression import MAX_LENGTH, ExpressionError, format_comparison, parse_comparison

PACKS = sorted((Path(__file__).parents[2] / "rules" / "risk" / "packs").glob("*.yaml"))

EVERYTHING = """\
pack: everything
title: Every field once
reason: So that each is read.
rules:
  - key: full
    name: 'A rule: with everything'
    scope: order
    severity: critical
    priority: -5
    observe: yes
    when:
      all:
        - owed > 1.1 * limit
        - any:
            - status in ["none", "refused"]
            - not: public = yes
        - country is known
    unless: amount <= 10.50
    message: '{buyer} owes {owed}'
    actions: [notify, hold_order]
    valid_from: 2025-01-31
    valid_to: 2025-12-31
    companies: ["A", "B"]
    reason: NO is a country here, and not a boolean.
    tests:
      - name: values of every kind
        today: 2025-02-28
        facts: {country: "NO", owed: -12.50, public: no, status: null}
        expect: fires
"""


def refused(text):
    with pytest.raises(DocumentError) as caught:
        load(text)
    return caught.value.problems


def document(when="owed > 1", rule=""):
    return f"pack: p\nrules:\n  - key: r\n    name: n\n    when: {when}\n{rule}"


def test_every_field_is_read():
    (rule,) = load(EVERYTHING).rules
    assert rule.scope is Scope.ORDER and rule.severity is Severity.CRITICAL
    assert (rule.priority, rule.observe, rule.companies) == (-5, True, ("A", "B"))
    assert (rule.valid_from, rule.valid_to) == (date(2025, 1, 31), date(2025, 12, 31))
    assert rule.when == All(
        (
            Comparison("owed", Operator.GT, SignalRef("limit", Decimal("1.1"))),
            Any(
                (
                    Comparison("status", Operator.IN, ConstantList((Constant("none"), Constant("refused")))),
                    Not(Comparison("public", Operator.EQ, Constant(True))),
                )
            ),
            Comparison("country", Operator.KNOWN),
        )
    )
    facts = (("country", "NO"), ("owed", Decimal("-12.50")), ("public", False), ("status", None))
    assert rule.tests == (RuleTest("values of every kind", facts, State.FIRED, date(2025, 2, 28)),)


def test_writing_what_was_read_changes_nothing():
    pack = load(EVERYTHING)
    assert load(dump(pack)) == pack
    assert dump(load(dump(pack))) == dump(pack)


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_shipped_packs_are_written_as_the_writer_writes(path):
    text = path.read_text(encoding="utf-8")
    assert dump(load(text)) == text


@pytest.mark.parametrize("text", ["a\x85b", "\x85", "a\u2028b", "a\u2029"])
def test_line_breaks_of_unicode_survive_writing(text):
    condition = Comparison("country", Operator.IN, ConstantList((Constant(text),)))
    pack = Pack(key="pack", rules=(Rule(key="rule", name=text, when=condition, message=text),))
    assert load(dump(pack)) == pack


@given(packs())
@settings(PATIENT, max_examples=50)
def test_reading_what_was_written_gives_the_same_rules(pack):
    assert load(dump(pack)) == pack


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("owed > 10000", Comparison("owed", Operator.GT, Constant(Decimal(10000)))),
        ("owed>=-2.50", Comparison("owed", Operator.GE, Constant(Decimal("-2.50")))),
        ("owed > 1_000_000", Comparison("owed", Operator.GT, Constant(Decimal(1000000)))),
        ("late > 30 days", Comparison("late", Operator.GT, Constant(Decimal(30), "days"))),
        ("late = 1 day", Comparison("late", Operator.EQ, Constant(Decimal(1), "days"))),
        ("used < 90 %", Comparison("used", Operator.LT, Constant(Decimal(90), "%"))),
        ("used < 90%", Comparison("used", Operator.LT, Constant(Decimal(90), "%"))),
        ("owed > limit", Comparison("owed", Operator.GT, SignalRef("limit"))),
        ("owed > 1.1*limit", Comparison("owed", Operator.GT, SignalRef("limit", Decimal("1.1")))),
        ('country != "F\\"R"', Comparison("country", Operator.NE, Constant('F"R'))),
        ("public = no", Comparison("public", Operator.EQ, Constant(False))),
        ('status not in ["none"]', Comparison("status", Operator.NOT_IN, ConstantList((Constant("none"),)))),
        ("grade in []", Comparison("grade", Operator.IN, ConstantList(()))),
        ("grade is missing", Comparison("grade", Operator.MISSING)),
    ],
)
def test_a_line_is_one_comparison(line, expected):
    assert parse_comparison(line) == expected
    assert parse_comparison(format_comparison(expected)) == expected


@pytest.mark.parametrize(
    ("line", "offset", "words"),
    [
        ("", 0, "expected a signal"),
        ("> 5", 0, "expected a signal"),
        ("5 > owed", 0, "expected a signal"),
        ("owed", 4, "expected one of"),
        ("owed >", 6, "expected a value"),
        ("owed == 5", 5, "write ="),
        ("owed => 5", 5, "write >="),
        ("owed ≥ 5", 5, "write >="),
        ("owed > 1e400", 7, "in full"),
        ("owed > 1.", 7, "in full"),
        ("owed > .5", 7, "in full"),
        ("owed > 0x10", 7, "in full"),
        ("country = 'FR'", 10, "straight double quotes"),
        ("country = “FR”", 10, "straight double quotes"),
        ('country = "FR', 10, "straight double quotes"),
        ('country = "\\q"', 10, "broken"),
        ('country = "\\ud800"', 10, "broken"),
        ("owed > limit * 2", 13, "factor first"),
        ("owed > 2 * 3", 11, "a signal after *"),
        ("owed > 5 and late > 3", 9, "one comparison per line"),
        ("owed > 5 EUR", 9, "one comparison per line"),
        ("owed > 1,000", 8, "in full"),
        ("late > 2025-01-31", 11, "in full"),
        ("status in none", 10, "expected a list"),
        ('status in ["none" "refused"]', 18, "comma"),
        ('status in ["none",', 18, "expected a value"),
        ("status in [none]", 11, "double quotes"),
        ("owed is big", 5, "expected one of"),
        ("owed > " + "9" * 50, 7, "too long"),
        ("owed > " + "9" * MAX_LENGTH, 0, "at most"),
    ],
)
def test_a_line_that_is_no_comparison_is_refused_at_its_place(line, offset, words):
    with pytest.raises(ExpressionError) as caught:
        parse_comparison(line)
    error = caught.value
    assert (error.offset, True) == (offset, words in f"{error.message} {error.suggestion}")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "empty", None),
        ("# nothing", "empty", None),
        ("[]", "wrong_kind", (1, 1)),
        ("text", "wrong_kind", (1, 1)),
        ("pack: p", "missing_field", (1, 1)),
        ("pack: p\nrules: 5", "wrong_kind", (2, 8)),
        ("pack: p\nrules: [5]", "wrong_kind", (2, 9)),
        ("pack: p\nrules: []\nrule: []", "unknown_field", (3, 1)),
        ("pack: p\npack: q\nrules: []", "duplicate", (2, 1)),
        ("pack: p\nrules:\n  - {key: r, key: r, name: n, when: a is known}", "duplicate", (3, 14)),
        ("pack: p\n rules: []", "yaml", (2, 7)),
        ("pack: [p\nrules: []", "yaml", (2, 6)),
        ("pack: p\n--- \npack: q", "yaml", (2, 1)),
        ("pack: \x00", "yaml", None),
        ("pack: \ud800", "yaml", None),
        (document("[]"), "wrong_kind", (5, 11)),
        (document("{}"), "wrong_group", (5, 11)),
        (document("{all: [a is known], any: [a is known]}"), "wrong_group", (5, 11)),
        (document("{al: [a is known]}"), "unknown_field", (5, 12)),
        (document("{all: a is known}"), "wrong_kind", (5, 17)),
        (document("{? [a] : b}"), "wrong_kind", (5, 14)),
        (document('"owed >> 5"'), "syntax", (5, 18)),
        (document("owed >> 5"), "syntax", (5, 17)),
        (document(rule="    severity: loud\n"), "wrong_value", (6, 15)),
        (document(rule="    priority: 1.5\n"), "wrong_value", (6, 15)),
        (document(rule="    priority: 99999999\n"), "wrong_value", (6, 15)),
        (document(rule="    priority: 10000\n"), "wrong_value", (6, 15)),
        (document(rule="    observe: true\n"), "wrong_value", (6, 14)),
        (document(rule="    valid_from: 31.01.2025\n"), "wrong_value", (6, 17)),
        (document(rule="    companies: all\n"), "wrong_kind", (6, 16)),
        (document(rule="    message: {buyer}\n"), "wrong_kind", (6, 14)),
        (document(rule="    reason: " + "x" * 5000), "too_large", (6, 13)),
        (document(rule="    tests: [{name: t, facts: {owed: much}, expect: fires}]"), "wrong_value", (6, 37)),
        (document(rule="    tests: [{name: t, facts: {owed: .inf}, expect: fires}]"), "wrong_value", (6, 37)),
        (document(rule="    tests: [{name: t, facts: {owed: .nan}, expect: fires}]"), "wrong_value", (6, 37)),
        (document(rule="    tests: [{name: t, facts: {owed: 1e400}, expect: fires}]"), "wrong_value", (6, 37)),
        (document(rule="    tests: [{name: t, facts: {owed: 2025-02-30}, expect: fires}]"), "wrong_value", (6, 37)),
        (document(rule="    tests: [{name: t, facts: {}, expect: explode}]"), "wrong_value", (6, 42)),
        (document(rule="    tests: [{name: t, facts: {owed: 1, owed: 2}, expect: fires}]"), "duplicate", (6, 40)),
    ],
)
def test_a_wrong_document_is_refused_with_line_and_column(text, code, place):
    problem = refused(text)[0]
    assert (problem.code, problem.place) == (code, place and Place(*place))


BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "alias"),
        ("pack: &a p\nrules: []", "alias"),
        ("pack: *a\nrules: []", "alias"),
        ("pack: !!python/object/apply:os.system [ls]\nrules: []", "tag"),
        ("pack: !!python/name:os.system\nrules: []", "tag"),
        ("pack: !!str p\nrules: []", "tag"),
        ("pack: !mine p\nrules: []", "tag"),
        ("<<: {pack: p}\nrules: []", "unknown_field"),
        ("x" * 300_000, "too_large"),
        ("[" * 100_000, "too_deep"),
        ("{a: " * 40 + "1" + "}" * 40, "too_deep"),
        ("\n".join(f"{' ' * depth}a{depth}:" for depth in range(300)), "too_deep"),
        ("[" + "1," * 30_000 + "1]", "too_large"),
        ("- " * 5000 + "x", "too_deep"),
        ("? " * 5000 + "x", "too_deep"),
        ("'" * 200_001, "yaml"),
        (r'"\UFFFFFFFF"', "yaml"),
    ],
)
def test_hostile_yaml_is_refused_quickly(text, code):
    started = time.monotonic()
    problems = refused(text)
    assert problems[0].code == code
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("escape", [r"\0", r"\ud800", r"\udfff"])
@pytest.mark.parametrize("field", ["name", "message", "reason", "companies"])
def test_characters_that_no_database_holds_are_refused_where_an_escape_names_them(field, escape):
    text = f'["a{escape}"]' if field == "companies" else f'"a{escape}"'
    lines = f"    {field}: {text}\n" if field != "name" else ""
    start = document(rule=lines) if lines else document().replace("name: n", f"name: {text}")
    assert [(problem.code, problem.path.startswith(f"rules.r.{field}")) for problem in refused(start)] == [
        ("wrong_value", True)
    ]


def test_a_condition_with_a_character_that_no_database_holds_is_refused():
    assert refused(document(r"""'country = "\u0000"'"""))[0].code == "syntax"


def test_all_problems_of_form_are_told_at_once():
    text = document("owed >> 5", "    severity: loud\n    colour: red\n")
    assert [problem.code for problem in refused(text)] == ["syntax", "wrong_value", "unknown_field"]


def test_checking_a_text_never_raises():
    assert check_text("[", CATALOGUE)[0] is None
    pack, problems = check_text(document("owd > 5"), CATALOGUE)
    assert pack is not None and problems[0].suggestion == "did you mean 'owed'?"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("condition: owed > 1", "when"),
        ("conditions: [owed > 1]", "when"),
        ("If: owed > 1", "when"),
        ("text: Look", "message"),
        ("level: high", "severity"),
        ("title: A rule", "name"),
        ("then: [notify]", "actions"),
        ("description: Because", "reason"),
        ("except: owed > 1", "unless"),
        ("severty: high", "severity"),
    ],
)
def test_usual_word_for_a_field_is_answered_with_the_field(line, meant):
    with pytest.raises(DocumentError) as refused:
        load(f"pack: p\nrules:\n  - key: a\n    {line}\n")
    [hint] = [problem.suggestion for problem in refused.value.problems if problem.code == "unknown_field"]
    assert hint == f"did you mean '{meant}'?"


@pytest.mark.parametrize("day", ["20250131", "2025-W05", "2025-W05-1", "2025-1-31", "٢٠٢٥-01-31"])
def test_date_in_another_form_is_refused(day):
    with pytest.raises(DocumentError) as refused:
        load(f"pack: p\nrules:\n  - {{key: a, name: A, when: owed > 1, valid_from: {day}}}\n")
    assert [problem.code for problem in refused.value.problems] == ["wrong_value"]


def test_date_of_an_example_has_the_usual_form():
    with pytest.raises(DocumentError):
        load(
            "pack: p\nrules:\n  - {key: a, name: A, when: owed > 1, "
            "tests: [{name: t, facts: {late: 2025-W05-1}, expect: fires}]}\n"
        )
