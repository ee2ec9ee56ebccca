"""Derived signals: what they say, what is refused, and that rules treat them as any other signal."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rules_risk_cases import (
    CATALOGUE,
    PATIENT,
    TODAY,
    catalogues,
    derived_signals,
    facts,
    hostile_facts,
    rules_about,
)

from rules.risk import (
    AnsweredBy,
    CatalogueError,
    Derived,
    DocumentError,
    EngineHost,
    Pack,
    Place,
    Rule,
    RuleEngine,
    Scope,
    SignalType,
    check,
    check_derived,
    check_text,
    complete,
    dump,
    dump_derived,
    evaluate,
    load,
    load_derived,
    render,
)
from rules.risk.calculation import ExpressionError, format_calculation, parse_calculation
from rules.risk.expression import parse_comparison as line
from rules.risk.facts import LARGEST, read_facts
from rules.risk.signals import check_additions


@pytest.fixture(scope="module")
def host():
    host = EngineHost()
    yield host
    host.close()


def derived(value, kind="number", key="d", **fields):
    return Derived(key, "A label", SignalType(kind), parse_calculation(value), **fields)


def value_of(item, row):
    return complete(row, CATALOGUE.with_derived([item]), TODAY)[item.key]


# --- what a calculation says


@pytest.mark.parametrize(
    ("text", "row", "value"),
    [
        ("owed + limit * 2", {"owed": 5, "limit": 10}, 25),
        ("(owed + limit) * 2", {"owed": 5, "limit": 10}, 30),
        ("owed - limit - 1", {"owed": 5, "limit": 10}, -6),
        ("owed - (limit - 1)", {"owed": 5, "limit": 10}, -4),
        ("-owed - -3", {"owed": 5}, -2),
        ("owed / limit / 2", {"owed": 8, "limit": 2}, 2),
        ("100 * owed / limit", {"owed": 1, "limit": 3}, "33.3333"),
        ("owed / limit * 100", {"owed": 1, "limit": 3}, "33.3333"),
        ("owed / limit", {"owed": 2, "limit": 3}, "0.6667"),
        ("owed / limit", {"owed": 1, "limit": 0}, None),
        ("owed / limit", {"owed": 0, "limit": 0}, None),
        ("owed / limit", {"owed": 1}, None),
        ("min(owed, limit, 3)", {"owed": 5, "limit": 4}, 3),
        ("max(owed, limit) + 1", {"owed": 5, "limit": 4}, 6),
        ("min(owed, limit)", {"owed": 5}, None),
        ("0 * owed", {}, None),
        ("owed * 1_000.5", {"owed": 2}, "2001"),
        ("late + 2 days", {"late": 5}, 7),
        ("owed * used / 100", {"owed": 50, "used": 10}, 5),
        ("owed * 0.00005", {"owed": 1}, None),
    ],
)
def test_a_calculation_gives_its_value(text, row, value):
    item = derived(text)
    if text.endswith("0.00005"):
        assert [problem.code for problem in check_derived([item], CATALOGUE)] == ["number_digits"]
        return
    assert value_of(item, row) == (None if value is None else Decimal(value))


def test_a_value_beyond_all_numbers_is_unreadable():
    read = read_facts({"owed": LARGEST}, CATALOGUE.with_derived([derived("owed * 2")]), TODAY)
    assert "d" not in read.values and read.unreadable["d"].startswith("beyond")


CASES = """\
key: mood
label: Mood
type: choice
choices: [good, bad, odd]
value:
  cases:
    - when: late > 60 days
      value: '"bad"'
    - when: {any: [owed = 0, public = yes]}
      value:
        cases: [{when: public = yes, value: '"odd"'}]
        otherwise: '"good"'
"""


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"late": 61}, "bad"),
        ({"late": 5, "owed": 0, "public": False}, "good"),
        ({"late": 5, "owed": 3, "public": True}, "odd"),
        ({"late": 5, "owed": 3, "public": False}, None),  # no case fits and there is no otherwise
        ({"owed": 0, "public": True}, None),  # the first case is undecided
        ({"late": 5, "owed": 0}, None),  # the inner case is
    ],
)
def test_the_first_case_that_holds_counts_and_an_undecided_one_stops(row, value):
    item = load_derived(CASES)
    assert value_of(item, row) == value
    assert load_derived(dump_derived(item)) == item


def test_a_flag_and_a_text_are_derived_by_cases_or_taken_over():
    flag = load_derived("{key: f, label: F, type: flag, value: {cases: [{when: owed > 5, value: yes}], otherwise: no}}")
    assert (value_of(flag, {"owed": 6}), value_of(flag, {"owed": 5}), value_of(flag, {})) == (True, False, None)
    assert value_of(derived("seat", "text"), {"seat": "FR"}) == "FR"


def test_derived_signals_build_on_each_other_in_any_order():
    items = [derived("b * 2", key="a"), derived("c + 1", key="b"), derived("owed", key="c")]
    catalogue = CATALOGUE.with_derived(items)
    assert complete({"owed": 3}, catalogue, TODAY) == {"owed": 3, "c": 3, "b": 4, "a": 8}
    assert catalogue.sources({"a", "late"}) == {"owed", "late"}
    assert [item.key for item in catalogue.needed({"b"})] == ["c", "b"]
    assert catalogue.with_derived(items) == catalogue
    assert CATALOGUE.with_derived(items[2:]).with_derived(items[:2]).derived == catalogue.derived


def test_a_long_chain_is_no_problem():
    items = [derived(f"d{number + 1} + 1", key=f"d{number}") for number in range(3000)]
    catalogue = CATALOGUE.with_derived([*items, derived("owed", key="d3000")])
    assert complete({"owed": 0}, catalogue, TODAY)["d0"] == 3000


def test_a_given_value_counts_and_one_that_is_not_there_is_computed():
    catalogue = CATALOGUE.with_derived([derived("owed * 2")])
    assert complete({"owed": 3, "d": 100}, catalogue, TODAY)["d"] == 100
    assert complete({"owed": 3, "d": None}, catalogue, TODAY)["d"] == 6
    assert complete(complete({"owed": 3}, catalogue, TODAY), catalogue, TODAY)["d"] == 6
    assert "d" not in read_facts({"owed": 3, "d": "x"}, catalogue, TODAY).values


# --- what is refused


@pytest.mark.parametrize(
    ("kind", "value", "code", "words"),
    [
        ("money", "owd + 1", "unknown_signal", "did you mean 'owed'?"),
        ("money", "owed + late", "wrong_unit", "money and days"),
        ("money", "owed + grade", "wrong_unit", "money and number"),
        ("money", "min(owed, late)", "wrong_unit", "money and days"),
        ("money", "owed + 5 days", "wrong_unit", "money and days"),
        ("money", "owed * limit", "wrong_unit", "money times money"),
        ("money", "owed * late", "wrong_unit", "money times days"),
        ("money", "owed / limit", "wrong_unit", "type number"),
        ("days", "owed", "wrong_unit", "calculates money"),
        ("money", "owed / 0", "division_by_zero", "zero"),
        ("money", "owed + public", "wrong_type", "flag"),
        ("money", 'owed + "x"', "wrong_type", "numbers only"),
        ("money", "owed + yes", "wrong_type", "numbers only"),
        ("money", "owed + 0.00001", "number_digits", "4 decimals"),
        ("money", "owed + 999999999999999", "number_range", "between"),
        ("money", "min(owed)", "empty_group", "two values"),
        ("flag", "owed > 5", None, "under when:"),
        ("flag", "owed", "wrong_type", "money"),
        ("flag", "public + public", "wrong_type", "not calculated"),
        ("text", "5", "wrong_type", "text"),
        ("text", "status", "wrong_type", "choice"),
        ("money", "amount", "wrong_scope", "order"),
    ],
)
def test_a_wrong_calculation_is_refused_with_its_place(kind, value, code, words):
    text = f"key: d\nlabel: D\ntype: {kind}\nvalue: {value}\n"
    if code is None:
        with pytest.raises(DocumentError, match=words):
            load_derived(text)
        return
    (problem,) = check_derived([load_derived(text)], CATALOGUE)
    assert problem.code == code and words in f"{problem.message} {problem.suggestion}"
    assert problem.place and problem.place.line == 4
    with pytest.raises(CatalogueError):
        CATALOGUE.with_derived([load_derived(text)])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("percent", "100 * owed / limit"),
        ("number", "owed / late"),
        ("number", "owed"),
        ("money", "used * owed / 100"),
        ("money", "owed / grade"),
        ("days", "late + 5"),
        ("days", "5"),
        ("days", "late - age"),
        ("number", "1 / late"),
        ("percent", "grade * 10"),
        ("money", "max(owed, 0)"),
    ],
)
def test_units_that_go_together_pass(kind, value):
    assert check_derived([derived(value, kind)], CATALOGUE) == ()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"key": "owed"}, "duplicate_key"),
        ({"key": "Bad Key"}, "bad_signal"),
        ({"key": "yes"}, "bad_signal"),
        ({"label": " "}, "empty"),
        ({"unit": "EUR"}, "wrong_unit"),
        ({"choices": ("a",)}, "bad_signal"),
    ],
)
def test_a_wrong_field_of_a_derived_signal_is_refused(fields, code):
    assert [problem.code for problem in check_derived([replace(derived("owed", "money"), **fields)], CATALOGUE)] == [
        code
    ]


@pytest.mark.parametrize(
    "key",
    ["buyer", "order", "invoice", "event", "document", "company", "rule", "today", "min", "max", "null", "id", "t"],
)
def test_a_key_that_means_something_else_in_rules_is_refused_with_a_better_one(key):
    [problem] = check_derived([derived("owed", "money", key)], CATALOGUE)
    assert (problem.code, problem.path) == ("reserved_key", f"signals.{key}")
    assert repr(key) in problem.message
    better = f"{key}_value"
    assert problem.suggestion == f"such as {better}"
    assert not check_derived([derived("owed", "money", better)], CATALOGUE)


def test_two_derived_signals_with_one_key_are_refused_unless_they_are_the_same():
    one, other = derived("owed"), derived("limit")
    assert [problem.code for problem in check_derived([one, other], CATALOGUE)] == ["duplicate_key"]
    assert check_derived([one, one], CATALOGUE) == ()
    assert CATALOGUE.with_derived([one]).with_derived([one]) == CATALOGUE.with_derived([one])


def test_a_cycle_is_refused_and_named_as_one_reads_it():
    items = [derived("b + 1", key="a"), derived("min(c, 2)", key="b"), derived("1 / a", key="c"), derived("a", key="e")]
    (problem,) = check_derived(items, CATALOGUE)
    assert problem.code == "cycle" and "a → b → c → a" in problem.message
    (problem,) = check_derived([derived("d + 1")], CATALOGUE)
    assert problem.code == "cycle" and "d → d" in problem.message


def test_a_cycle_through_a_condition_is_refused():
    item = load_derived("{key: d, label: D, type: number, value: {cases: [{when: d > 5, value: 1}], otherwise: 2}}")
    assert [problem.code for problem in check_derived([item], CATALOGUE)] == ["cycle"]


@pytest.mark.parametrize(
    ("cases", "codes"),
    [
        ("{cases: []}", ["empty_group"]),
        ("{cases: [{when: owd > 5, value: 1}]}", ["unknown_signal"]),
        ("{cases: [{when: grade > 5, value: 1}]}", ["always_false"]),
        ("{cases: [{when: owed > 5, value: owed + late}], otherwise: lat}", ["wrong_unit", "unknown_signal"]),
    ],
)
def test_cases_are_checked_part_by_part(cases, codes):
    item = load_derived(f"{{key: d, label: D, type: number, value: {cases}}}")
    assert [problem.code for problem in check_derived([item], CATALOGUE)] == codes


@pytest.mark.parametrize(
    "text",
    ["", "owed +", "owed limit", "(owed", "owed)", "1.1.1", "min()", "min(owed", "(" * 99, "-" * 99 + "5", "a ~ b", "*"]
    + ["+".join(["owed"] * 70), "x" * 30_000, "5 %%", "min(1,)", "9" * 50],
)
def test_a_line_that_is_no_calculation_is_refused_with_its_offset(text):
    with pytest.raises(ExpressionError) as caught:
        parse_calculation(text)
    assert 0 <= caught.value.offset <= len(text)


def test_problems_of_a_pack_s_signals_stand_at_their_place():
    signal = "{key: d, label: D, type: money, value: owed + late}"
    text = f"pack: p\nsignals:\n  - {signal}\nrules:\n  - {{key: r, name: n, when: d > 5}}\n"
    _pack, problems = check_text(text, CATALOGUE)
    assert [(problem.code, problem.place) for problem in problems] == [("wrong_unit", Place(3, 51))]


# --- rules over derived signals

SHARE = derived("100 * owed / limit", "percent", "share")


def test_rules_messages_and_the_engine_see_derived_signals(host):
    text = dump(Pack("p", (Rule("r", "n", line("share > 50 %"), message="{share} %"),), signals=(SHARE,)))
    pack = load(text)
    assert pack.signals == (SHARE,) and check(pack, CATALOGUE) == ()
    asked = RuleEngine(pack, CATALOGUE, host=host, timeout=30)
    verdict = asked.evaluate({"owed": 60, "limit": 100}, TODAY)
    assert verdict.fired == ("r",) and verdict.engine is AnsweredBy.DURABLE
    assert asked.evaluate({"owed": 60}, TODAY).undecided == ("r",)
    assert asked.explain("r", {"owed": 45, "limit": 100}, TODAY).trace.line() == "share 45 > 50: no (45 of 50 %)"
    assert render(pack.rules[0], {"owed": 1, "limit": 4}, TODAY, asked.catalogue) == "25 %"


def test_a_rule_s_own_test_gives_base_signals_or_the_derived_one():
    test = "[{name: a, facts: {owed: 6, limit: 10}, expect: fires}, {name: b, facts: {share: 6}, expect: quiet}]"
    text = f"pack: p\nrules:\n  - {{key: r, name: n, when: share > 50 %, tests: {test}}}\n"
    assert check_text(text, CATALOGUE.with_derived([SHARE]))[1] == ()


def test_an_order_s_derived_signal_is_not_for_buyers():
    item = derived("100 * amount / limit", "percent", "order_share", scope=Scope.ORDER)
    catalogue = CATALOGUE.with_derived([item])
    assert [problem.code for problem in check(Rule("r", "n", line("order_share > 5")), catalogue)] == ["wrong_scope"]
    rule = Rule("r", "n", line("order_share > 5"), scope=Scope.ORDER)
    assert check(rule, catalogue) == ()
    assert evaluate(rule, {"amount": 6, "limit": 100}, TODAY, catalogue).fired


@given(st.lists(derived_signals(), min_size=1, max_size=4, unique_by=lambda item: item.key), hostile_facts)
@settings(PATIENT, max_examples=40)
def test_what_passes_the_checker_computes_whatever_the_facts(items, row):
    catalogue, problems = check_additions(items, CATALOGUE)
    assume(not problems)
    read = read_facts(row, catalogue, TODAY)
    for item in catalogue.derived:
        value = read.values.get(item.key)
        assert value is None or not item.signal.type.is_numeric or abs(value) <= LARGEST
        assert value is None or value == read.values[item.key]
    assert complete(row, catalogue, TODAY).keys() >= {item.key for item in items}


@given(derived_signals())
@settings(PATIENT, max_examples=80)
def test_writing_and_reading_a_derived_signal_loses_nothing(item):
    assert load_derived(dump_derived(item)) == item
    pack = Pack("p", (), signals=(item,))
    assert load(dump(pack)) == pack


@given(st.text(max_size=60) | st.text('ab1.+-*/(), %"', max_size=40))
@settings(PATIENT, max_examples=150)
def test_reading_a_calculation_never_fails_otherwise(text):
    try:
        expression = parse_calculation(text)
    except ExpressionError as error:
        assert 0 <= error.offset <= len(text)
        return
    assert parse_calculation(format_calculation(expression)) == expression


@given(st.data())
@settings(PATIENT, max_examples=25)
def test_both_evaluators_agree_on_rules_over_derived_signals(host, data):
    catalogue = data.draw(catalogues())
    assume(catalogue.derived)
    drawn = [data.draw(rules_about(catalogue, key=f"r{number}")) for number in range(3)]
    sound = Pack("p", tuple(rule for rule in drawn if not check(rule, catalogue)))
    if not sound.rules or check(sound, catalogue):
        return
    asked = RuleEngine(sound, catalogue, host=host, timeout=30, compare_share=0)
    rows = data.draw(st.lists(facts, min_size=5, max_size=10))
    asked.prepare()
    for row, verdict in zip(rows, asked.evaluate_batch(rows, TODAY), strict=True):
        assert verdict.engine is AnsweredBy.DURABLE, verdict.note
        outcomes = {rule.key: evaluate(rule, row, TODAY, catalogue) for rule in sound.rules}
        assert set(verdict.fired) == {key for key, outcome in outcomes.items() if outcome.fired}
        assert all(verdict.ends(key) == outcome.ended for key, outcome in outcomes.items())
