"""The checker: what it refuses, where and with which hint; and that nothing it lets pass fails."""

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, TODAY, conditions, facts, hostile_facts, packs, rules

from rules.risk import (
    DEFAULT_CATALOGUE,
    All,
    Any,
    CatalogueError,
    Comparison,
    Constant,
    ConstantList,
    Not,
    Operator,
    Pack,
    Place,
    Rule,
    Signal,
    SignalCatalogue,
    SignalRef,
    SignalType,
    State,
    check,
    check_text,
    dump,
    evaluate,
    load,
    render,
)
from rules.risk.compiler import compile_pack
from rules.risk.evaluator import answer_condition
from rules.risk.expression import parse_comparison
from rules.risk.facts import read_facts
from rules.risk.reasoning import never_false, never_true
from rules.risk.samples import samples
from rules.risk.trace import Answer


def condition(text):
    return parse_comparison(text)


def problems_of(when, rule="", scope="buyer"):
    text = f"pack: p\nrules:\n  - key: r\n    name: n\n    scope: {scope}\n    when: {when}\n{rule}"
    pack, problems = check_text(text, CATALOGUE)
    assert pack is not None, problems
    return problems


@pytest.mark.parametrize(
    ("when", "code", "column", "words"),
    [
        ("owd > 5", "unknown_signal", 11, "did you mean 'owed'?"),
        ("owed > limt", "unknown_signal", 18, "did you mean 'limit'?"),
        ("country = FR", "unknown_signal", 21, 'double quotes: "FR"'),
        ("public = true", "unknown_signal", 20, "yes or no"),
        ("owed > NaN", "unknown_signal", 18, "a number"),
        ("amount > 5", "wrong_scope", 11, "scope order"),
        ("owed > amount", "wrong_scope", 18, "scope order"),
        ('country > "FR"', "wrong_operator", 11, "no order"),
        ("public in [yes]", "wrong_operator", 11, "no order"),
        ("status >= 1", "wrong_operator", 11, "no order"),
        ('owed > "5"', "wrong_type", 18, "a number"),
        ("owed > yes", "wrong_type", 18, "a number"),
        ("public = 1", "wrong_type", 20, "yes or no"),
        ("country = 1", "wrong_type", 21, "double quotes"),
        ("status = yes", "wrong_type", 20, "choices"),
        ("owed > late", "wrong_type", 18, "compare it with a number"),
        ("used > owed", "wrong_type", 18, "%"),
        ("status = country", "wrong_type", 20, "choice"),
        ("owed > 30 days", "wrong_unit", 18, "write 30"),
        ("late > 30 %", "wrong_unit", 18, "write 30 days"),
        ("owed in [1, 30 days]", "wrong_unit", 23, "days"),
        ("owed > 999999999999999", "number_range", 18, "between"),
        ("owed > 0.00001", "number_digits", 18, "4 decimals"),
        ("owed > 0 * limit", "wrong_factor", 18, "not 0"),
        ("owed > 10001 * limit", "wrong_factor", 18, "at most"),
        ("owed > 1.00001 * limit", "number_digits", 18, "4 decimals"),
        ("country = 2 * seat", "wrong_factor", 21, "not a number"),
        ("owed > owed", "self_comparison", 18, "itself"),
        ("owed > 1.1 * owed", "self_comparison", 18, "itself"),
        ('status = "refusd"', "unknown_choice", 20, "did you mean 'refused'?"),
        ('status in ["none", "gone"]', "unknown_choice", 30, "did you mean 'none'?"),
        ("grade in []", "empty_list", 20, "empty"),
        ("grade in [1, 1.0]", "duplicate_value", 20, "twice"),
        ("grade > 5", "always_false", 11, "never be true"),
        ("grade >= 1", "always_true", 11, "everybody"),
        ("grade != 7", "always_true", 11, "everybody"),
        ('status in ["none", "approved", "refused"]', "always_true", 11, "everybody"),
        ("owed <= 100000000000000", "always_true", 11, "everybody"),
        ("{all: []}", "empty_group", 11, "fill it"),
        ("{any: []}", "empty_group", 11, "fill it"),
        ("{all: [owed > 5, owed < 5]}", "always_false", 11, "never"),
        ("{all: [owed > 5, owed <= 5.0000]}", "always_false", 11, "never"),
        ("{all: [owed > 5, owed < 5.0001]}", "always_false", 11, "never"),
        ("{any: [owed > 5, owed <= 5]}", "always_true", 11, "everybody"),
        ("{any: [owed != 5, 'owed in [5]']}", "always_true", 11, "everybody"),
        ('{all: [status = "none", status = "refused"]}', "always_false", 11, "never"),
        ("{any: [public = yes, public = no]}", "always_true", 11, "everybody"),
        ('{all: [country = "FR", country != "FR"]}', "always_false", 11, "never"),
        ("{all: [owed > limit, limit > owed]}", "always_false", 11, "never"),
        ("{all: [owed = limit, limit != owed]}", "always_false", 11, "never"),
        ("{all: [owed is missing, owed > 5]}", "always_false", 11, "never"),
        ("{any: [owed is missing, owed is known]}", "always_true", 11, "everybody"),
        ("{not: {any: [owed > 5, owed <= 5]}}", "always_true", 17, "everybody"),
        ("{any: [late > 5, {all: [owed > 5, owed < 1]}]}", "always_false", 28, "never"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place_and_a_hint(when, code, column, words):
    (problem,) = problems_of(when)
    assert (problem.code, problem.place) == (code, Place(6, column))
    assert words in f"{problem.message} {problem.suggestion}"


@pytest.mark.parametrize(
    "when",
    [
        "owed > 30",
        "late > 30 days",
        "{all: [owed >= 5, owed <= 5]}",
        "{all: [owed > 5, owed < 5.0002]}",
        "{any: [owed > 5, owed < 5]}",
        "{all: [owed >= limit, owed <= limit]}",
        "{all: [owed > limit, owed > 2 * limit]}",
        "{any: [owed > limit, owed < limit]}",
        "{any: [owed is missing, owed > 5]}",
        "grade in [1, 5]",
        'country not in ["FR", ""]',
    ],
)
def test_a_condition_that_says_something_passes(when):
    assert problems_of(when) == ()


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        ("    message: '{owd}'\n", "unknown_placeholder", "did you mean 'owed'?"),
        ("    message: '{amount}'\n", "unknown_placeholder", "about buyer"),
        ("    message: '{owed'\n", "bad_message", "cannot be filled in"),
        ("    message: '{}'\n", "bad_message", "plain name"),
        ("    message: '{owed.real}'\n", "bad_message", "plain name"),
        ("    message: '{owed[0]}'\n", "bad_message", "plain name"),
        ("    message: '{owed!r}'\n", "bad_message", "plain name"),
        ("    message: '{owed:>9999999999}'\n", "bad_message", "plain name"),
        ("    actions: [notfy]\n", "unknown_action", "did you mean 'notify'?"),
        ("    actions: [hold_order]\n", "dead_action", "the scope order"),
        ("    actions: [notify, notify]\n", "duplicate_action", "twice"),
        ("    companies: [A, A]\n", "bad_company", "twice"),
        ("    companies: ['']\n", "bad_company", "empty"),
        ("    valid_from: 2025-02-01\n    valid_to: 2025-01-31\n", "bad_dates", "before it starts"),
        ("    unless: grade >= 1\n", "always_true", "everybody"),
        ("    tests: [{name: t, facts: {late: 6}, expect: fires}]\n", "test_failed", "gets quiet"),
        ("    tests: [{name: t, facts: {}, expect: quiet}]\n", "test_failed", "gets undecided"),
        ('    tests: [{name: t, facts: {late: "x"}, expect: undecided}]\n', "test_failed", "unreadable"),
        ("    tests: [{name: t, facts: {lat: 6}, expect: fires}]\n", "unknown_signal", "did you mean 'late'?"),
    ],
)
def test_a_wrong_field_is_refused(rule, code, words):
    found = problems_of("late > 7", rule)
    assert [problem.code for problem in found] == [code]
    assert words in f"{found[0].message} {found[0].suggestion}"
    assert found[0].place and found[0].place.line >= 7


def test_very_many_companies_are_not_compared_each_with_each():
    # Compared each with each this takes minutes.
    names = ", ".join(f"c{number}" for number in range(19_000))
    assert problems_of("late > 7", f"    companies: [{names}]\n") == ()


def test_a_rule_test_on_a_date_counts_days():
    facts = "{name: t, today: 2025-03-31, facts: {late: 2025-03-01}, expect: fires}"
    assert problems_of("late = 30 days", f"    tests: [{facts}]\n") == ()


def pack_of(*conditions, **fields):
    return Pack("p", tuple(Rule(f"r{index}", "n", when, **fields) for index, when in enumerate(conditions)))


def codes(pack):
    return [problem.code for problem in check(pack, CATALOGUE)]


def test_two_rules_with_one_key_are_refused():
    rule = Rule("r", "n", condition("owed > 1"))
    assert "duplicate_key" in codes(Pack("p", (rule, rule)))


def test_two_rules_that_say_the_same_are_refused():
    one, two = condition("owed > 1"), condition("late > 1")
    assert codes(pack_of(All((one, two)), Not(Any((condition("late <= 1"), condition("owed <= 1")))))) == [
        "same_condition"
    ]
    assert codes(pack_of(All((one, two)), one)) == ["contained"]


def test_a_condition_the_engine_cannot_take_is_refused():
    pairs = [Any((condition(f"owed > {n}"), condition(f"late > {n}"))) for n in range(6)]
    assert codes(pack_of(All(tuple(pairs)))) == ["too_many_branches"]
    many = tuple(condition(f"owed != {n}") for n in range(13))
    assert codes(pack_of(All(many))) == ["too_many_comparisons"]
    deep = condition("owed > 1")
    for _ in range(9):
        deep = Not(deep)
    assert codes(pack_of(deep)) == ["too_deep"]
    lists = [Any(tuple(condition(f"owed in [{n}, {m}]") for n in range(25))) for m in range(100, 112)]
    assert codes(pack_of(*lists)) == ["too_many_fields"]


def test_a_condition_that_explodes_is_refused_quickly():
    parts = tuple(Any(tuple(condition(f"owed {op} {n}") for op in ("=", ">", "<"))) for n in range(20))
    assert set(codes(pack_of(All(parts)))) <= {"too_many_branches", "always_true", "always_false"}


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("amount_overdue < 0", "always_false"),
        ("overdue_31_60 >= 0", "always_true"),
        ("days_overdue_oldest < 0 days", "always_false"),
        ("overdue_share > 100 %", "always_false"),
        ("paid_late_share >= 0 %", "always_true"),
        ("receivables < 0", None),
    ],
)
def test_what_a_shipped_signal_can_never_be_is_refused(when, code):
    rule = Rule("r", "n", condition(when))
    assert [problem.code for problem in check(rule, DEFAULT_CATALOGUE)] == ([code] if code else [])


@pytest.mark.parametrize(("length", "found"), [(30, []), (60, ["list_length"])])
def test_the_longest_list_that_passes_can_be_written_and_read(length, found):
    names = ConstantList(tuple(Constant(f"{number:03}".ljust(length, "x")) for number in range(500)))
    pack = pack_of(Comparison("country", Operator.IN, names))
    assert codes(pack) == found
    assert found or load(dump(pack)) == pack


def test_long_lists_of_what_is_left_out_are_read_once_each():
    """Told apart as intervals, what six thousand numbers leave open would be gone through for each of them."""
    lists = [ConstantList(tuple(Constant(Decimal(1000 * place + n)) for n in range(500))) for place in range(60)]
    parts = [Comparison("owed", Operator.NOT_IN, items) for items in lists]
    assert codes(pack_of(Any(tuple(All(tuple(parts[n : n + 12])) for n in range(0, 60, 12))))) == []
    among = Comparison("owed", Operator.IN, lists[0])
    assert codes(pack_of(All((among, *parts[1:12])))) == []
    assert codes(pack_of(All((among, *parts[:11])))) == ["always_false"]


@pytest.mark.parametrize(
    "when",
    [
        Comparison("owed", Operator.GT, None),
        Comparison("owed", Operator.GT, ConstantList((Constant(Decimal(1)),))),
        Comparison("owed", Operator.IN, Constant(Decimal(1))),
        Comparison("owed", Operator.KNOWN, Constant(Decimal(1))),
        Comparison("owed", Operator.GT, Constant(Decimal("NaN"))),
        Comparison("owed", Operator.GT, Constant(Decimal("sNaN"))),
        Comparison("owed", Operator.GT, Constant(Decimal("Infinity"))),
        Comparison("owed", Operator.GT, Constant(Decimal("1e400"))),
        Comparison("owed", Operator.GT, SignalRef("limit", Decimal("NaN"))),
        Comparison("country", Operator.EQ, Constant("\ud800")),
        Comparison("country", Operator.EQ, Constant("x" * 1001)),
        Comparison("", Operator.EQ, Constant("x")),
    ],
)
def test_what_only_a_program_can_build_is_refused_too(when):
    assert codes(pack_of(when))


def test_a_catalogue_that_contradicts_itself_is_refused():
    with pytest.raises(CatalogueError):
        SignalCatalogue([Signal("a", "A", SignalType.MONEY), Signal("a", "A", SignalType.DAYS)])
    with pytest.raises(CatalogueError):
        Signal("in", "In", SignalType.MONEY)
    with pytest.raises(CatalogueError):
        Signal("a", "A", SignalType.CHOICE)


@given(conditions, st.lists(facts, min_size=5, max_size=20))
@settings(PATIENT, max_examples=120)
def test_always_and_never_are_never_wrong(when, rows):
    answers = {answer_condition(when, read_facts(row, CATALOGUE, TODAY)) for row in rows}
    assert not (never_true(when, CATALOGUE) and Answer.YES in answers)
    assert not (never_false(when, CATALOGUE) and Answer.NO in answers)


@given(rules(), hostile_facts)
@settings(PATIENT, max_examples=120)
def test_what_passes_the_checker_never_fails(rule, row):
    pack = Pack("p", (rule,))
    assume(not check(pack, CATALOGUE))
    outcome = evaluate(rule, row, TODAY, CATALOGUE)
    assert outcome.state in State
    assert outcome.explain() and outcome.explain(labels=True)
    assert 0 <= outcome.closeness <= 1 and outcome.near_misses is not None
    assert isinstance(render(rule, row, TODAY, CATALOGUE, {"buyer": "B"}), str)
    program = compile_pack(pack)
    assert program.encode(read_facts(row, CATALOGUE, TODAY), rule.scope)
    assert samples(pack, program, CATALOGUE)


@given(packs(), st.integers(0, 400), st.text(max_size=3))
@settings(PATIENT, max_examples=50)
def test_checking_a_damaged_text_never_raises(pack, position, noise):
    text = dump(pack)
    position = min(position, len(text))
    check_text(text[:position] + noise + text[position + 1 :], CATALOGUE)
