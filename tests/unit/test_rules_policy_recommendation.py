"""The recommended limit and the arithmetic an administrator may write."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import BuyerFigures, Figure, Formula, InvalidFacts, InvalidFormula, own_score, recommend
from rules.policy.formula import check_formula, evaluate_formula
from rules.policy.recommendation import FIGURES, score_class

AMOUNT = st.decimals(min_value=-1_000_000, max_value=100_000_000, places=2)
FACTS = st.builds(
    BuyerFigures,
    turnover=AMOUNT,
    term_days=st.integers(0, 180),
    days_late=st.none() | st.decimals(min_value=-60, max_value=400, places=1),
    risk_class=st.none() | st.integers(1, 5),
    equity=st.none() | AMOUNT,
    buyer_turnover=st.none() | AMOUNT,
    total_assets=st.none() | AMOUNT,
    result=st.none() | AMOUNT,
    cash=st.none() | AMOUNT,
    debts=st.none() | AMOUNT,
    cover=st.decimals(min_value=0, max_value=1_000_000, places=2),
)


def figures(facts, **formula):
    return {line.figure: line.value for line in recommend(facts, Formula(**formula)).lines}


@pytest.mark.parametrize(
    ("facts", "amount", "term"),
    [
        # 365,000 a year, 30 days open, 20 % buffer: 36,000
        (BuyerFigures(turnover=D(365_000), risk_class=1), 36_000, 60),
        (BuyerFigures(turnover=D(365_000), risk_class=2), 32_400, 60),
        (BuyerFigures(turnover=D(365_000), risk_class=5), 0, 0),
        (BuyerFigures(turnover=D(365_000)), 18_000, 30),
        # 10 days late: 40 days open, 10 % less, own score 87.5 is class 1
        (BuyerFigures(turnover=D(365_000), days_late=D(10)), 43_200, 60),
        # 5 % of 100,000 of equity is less than the need
        (BuyerFigures(turnover=D(365_000), risk_class=1, equity=D(100_000)), 10_000, 60),
        (BuyerFigures(turnover=D(365_000), risk_class=1, equity=D(-5)), 0, 60),
        (BuyerFigures(turnover=D(-100), risk_class=1), 0, 60),
        (BuyerFigures(turnover=D(365_000), risk_class=1, max_term_days=45), 36_000, 45),
        (BuyerFigures(), 0, 30),
    ],
)
def test_recommendation(facts, amount, term):
    advice = recommend(facts)
    assert (advice.amount, advice.term_days, advice.problem) == (amount, term, "")


def test_a_quotient_that_misses_a_round_amount_by_its_last_digit_is_not_rounded_away():
    assert (
        recommend(
            BuyerFigures(turnover=D(365), term_days=1), Formula(expression="turnover / 3 * 3", step=D(365))
        ).amount
        == 365
    )


def test_own_risk_is_counted_above_the_cover():
    facts = BuyerFigures(turnover=D(365_000), risk_class=1, cover=D(5_000))
    assert figures(facts, own_risk_maximum=D(0))[Figure.AMOUNT] == 5_000
    assert figures(facts, own_risk_maximum=D(2_000))[Figure.AMOUNT] == 7_000
    assert Figure.COVER_CAP not in figures(facts)


def test_formula_over_an_unknown_figure_recommends_nothing_and_says_which():
    advice = recommend(BuyerFigures(turnover=D(365_000)), Formula(expression="min(need, equity)"))
    assert advice.amount is None
    assert "equity" in advice.problem


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        (BuyerFigures(), None),
        (BuyerFigures(days_late=D(0)), 100),
        (BuyerFigures(days_late=D(25)), 50),
        (BuyerFigures(days_late=D(45)), 0),
        (BuyerFigures(days_late=D(400)), 0),
        (BuyerFigures(equity=D(30), total_assets=D(100), result=D(-1)), 75),
        (BuyerFigures(equity=D(-30), total_assets=D(100), result=D(1), cash=D(20), debts=D(100)), 40),
    ],
)
def test_own_score(facts, score):
    assert own_score(facts) == score


@pytest.mark.parametrize(("score", "number"), [(100, 1), (80, 1), (79, 2), (65, 2), (50, 3), (30, 4), (29, 5), (0, 5)])
def test_class_of_a_score(score, number):
    assert score_class(D(score)) == number


@given(FACTS)
def test_recommendation_is_never_below_zero_and_a_multiple_of_the_step(facts):
    advice = recommend(facts)
    assert advice.amount is not None
    assert advice.amount >= 0
    assert advice.amount % 100 == 0
    assert 0 <= advice.term_days <= 60
    assert len({line.figure for line in advice.lines}) == len(advice.lines)


@given(FACTS, st.integers(1, 4))
def test_a_worse_class_never_gets_more(facts, number):
    def amount(risk_class):
        return recommend(BuyerFigures(turnover=facts.turnover, equity=facts.equity, risk_class=risk_class)).amount

    assert amount(number + 1) <= amount(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "need +",
        "need; need",
        "x = need",
        "needs",
        "need ** 2",
        "need // 2",
        "need % 2",
        "need.real",
        "need[0]",
        "__import__('os').system('true')",
        "min(need)",
        "min(*need)",
        "min(need, key=need)",
        "abs(need)",
        "(lambda: need)()",
        "[need for need in need]",
        "'need'",
        "True",
        "None",
        "1j",
        "0x10",
        "need if need else need",
        "need < 2",
        "not need",
        "need" + " + need" * 200,
        "(" * 90 + "need" + ")" * 90 + "(",
    ],
)
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(InvalidFormula):
        check_formula(text, FIGURES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("need", 8),
        ("-need + 10", 2),
        ("(need - 2) / 4 * 3", D("4.5")),
        ("0.1 + 0.2", D("0.3")),
        ("1_000 * 1.5", 1500),
        ("min(need, 5, 7)", 5),
        ("max(min(need, 5), 6)", 6),
    ],
)
def test_arithmetic(text, value):
    assert evaluate_formula(text, {"need": D(8)}) == value


def test_division_by_zero_is_no_value_but_no_mistake_either():
    check_formula("need / (debts - debts)", FIGURES)
    with pytest.raises(InvalidFormula, match="zero"):
        evaluate_formula("need / debts", {"need": D(1), "debts": D(0)})


@pytest.mark.parametrize("text", ["1e30", "1e999999", "need" + " * need" * 60])
def test_result_larger_than_any_amount_is_no_recommendation_and_no_crash(text):
    advice = recommend(BuyerFigures(turnover=D(10) ** 12, term_days=30), Formula(expression=text))
    assert advice.amount is None
    assert advice.problem


def test_class_outside_the_scale_and_step_of_nothing_are_refused():
    with pytest.raises(InvalidFacts):
        BuyerFigures(risk_class=6)
    with pytest.raises(InvalidFacts):
        Formula(step=D(0))
