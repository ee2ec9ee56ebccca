"""What limit and payment term we would recommend for a buyer, and from which figures.

    need       turnover with us in a year, spread over the days it stays open          ─┐
    capacity   the smaller of a share of its equity and a share of its own turnover      ├─ formula ─> amount
    factors    risk class (the insurer's grade and our own score, the worse of the two), │   (editable)
               payment behaviour                                                        ─┘
    then       not more above the insurer's cover than our own risk allows, rounded down

Every default here is a starting point that a company edits, not a market standard. Amounts are in one currency, the
company's. What is not known takes no part: without financial statements capacity is need, without payments the
behaviour factor is 1, and a buyer without grade and statements has the factor of an unknown class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from .errors import InvalidFacts, InvalidFormula
from .formula import check_formula, evaluate_formula
from .money import HUNDRED, ZERO, exact, quantized

DEFAULT_FORMULA = "min(need, capacity) * class_factor * behaviour_factor"
# The names a formula may use.
FIGURES = (
    "need",
    "capacity",
    "class_factor",
    "behaviour_factor",
    "turnover",
    "equity",
    "buyer_turnover",
    "total_assets",
    "cash",
    "debts",
    "cover",
    "score",
)
DAYS_OF_A_YEAR = Decimal(365)
LARGEST = Decimal(10) ** 15  # a formula that gives more has a mistake in it
WORST_CLASS = 5


class Figure(StrEnum):
    """What a line of the breakdown states."""

    TURNOVER = "turnover"
    OPEN_DAYS = "open_days"
    NEED = "need"
    EQUITY_PART = "equity_part"
    SALES_PART = "sales_part"
    CAPACITY = "capacity"
    GRADE_CLASS = "grade_class"
    SCORE = "score"
    CLASS_FACTOR = "class_factor"
    DAYS_LATE = "days_late"
    BEHAVIOUR_FACTOR = "behaviour_factor"
    FORMULA = "formula"
    COVER_CAP = "cover_cap"
    AMOUNT = "amount"
    TERM = "term"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerFigures:
    """What is known of a buyer. Amounts in the company's currency; None: not known, which is not 0.

    - `turnover`: invoiced to it in the last 12 months, tax included, less credit notes.
    - `term_days`: what it is granted as a rule; `days_late`: average over what it paid in 12 months, early is negative.
    - `risk_class`: 1 (best) to 5, from the insurer's grade.
    - `equity`, `buyer_turnover`, `total_assets`, `result`, `cash`, `debts`: from its latest statement.
    - `cover`: the insured limit in force.
    """

    turnover: Decimal = ZERO
    term_days: int = 30
    days_late: Decimal | None = None
    risk_class: int | None = None
    equity: Decimal | None = None
    buyer_turnover: Decimal | None = None
    total_assets: Decimal | None = None
    result: Decimal | None = None
    cash: Decimal | None = None
    debts: Decimal | None = None
    cover: Decimal = ZERO
    max_term_days: int | None = None

    def __post_init__(self) -> None:
        if self.risk_class is not None and not 1 <= self.risk_class <= WORST_CLASS:
            raise InvalidFacts("risk_class", "is 1 to 5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """The editable part. Shares and reductions in per cent; `class_factors` and `class_terms` by risk class.

    - `buffer`: need is this much larger than turnover spread evenly, since orders come in waves.
    - `equity_share`, `sales_share`: what we want to be owed at most, of its equity and of its yearly turnover.
    - `days_late_free`, `reduction_per_day`: behaviour takes so much off per day late beyond the free ones.
    - `own_risk_maximum`: what the limit may exceed the insurer's cover by; None: no maximum.
    - `step`: the amount is rounded down to a multiple of it.
    """

    expression: str = DEFAULT_FORMULA
    buffer: Decimal = Decimal(20)
    equity_share: Decimal = Decimal(10)
    sales_share: Decimal = Decimal(5)
    class_factors: Mapping[int, Decimal] = field(
        default_factory=lambda: {
            1: Decimal(1),
            2: Decimal("0.9"),
            3: Decimal("0.6"),
            4: Decimal("0.3"),
            5: Decimal(0),
        }
    )
    unknown_class_factor: Decimal = Decimal("0.5")
    class_terms: Mapping[int, int] = field(default_factory=lambda: {1: 60, 2: 60, 3: 30, 4: 14, 5: 0})
    unknown_class_term: int = 30
    days_late_free: Decimal = Decimal(5)
    reduction_per_day: Decimal = Decimal(2)
    own_risk_maximum: Decimal | None = None
    step: Decimal = Decimal(100)

    def __post_init__(self) -> None:
        check_formula(self.expression, FIGURES)
        if self.step <= 0:
            raise InvalidFacts("step", "is above zero")


@dataclass(frozen=True, slots=True)
class RecommendationLine:
    figure: Figure
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`amount` in the company's currency; None when the formula has no value for this buyer, `problem` says why."""

    amount: Decimal | None
    term_days: int
    lines: tuple[RecommendationLine, ...]
    problem: str = ""


def recommend(buyer: BuyerFigures, formula: Formula | None = None) -> Recommendation:
    """Return the limit and payment term we would recommend, with every figure on the way.

    >>> facts = BuyerFigures(turnover=Decimal(365000), term_days=30, risk_class=1)
    >>> recommend(facts).amount
    Decimal('36000')
    """
    formula = formula or Formula()
    lines = _figures(buyer, formula)
    term = _term(buyer, formula, lines)
    figures = _named(buyer, lines)
    problem, amount = "", None
    try:
        amount = max(evaluate_formula(formula.expression, figures), ZERO)
    except InvalidFormula as exc:
        problem = str(exc)
    if amount is not None and amount >= LARGEST:
        problem, amount = "its result is larger than any amount", None
    lines[Figure.FORMULA] = amount
    if amount is not None and formula.own_risk_maximum is not None:
        lines[Figure.COVER_CAP] = buyer.cover + formula.own_risk_maximum
        amount = min(amount, buyer.cover + formula.own_risk_maximum)
    if amount is not None:
        # A quotient such as 1/3 may miss a round amount by its last digit.
        amount = (quantized(amount, 6) / formula.step).to_integral_value(ROUND_FLOOR) * formula.step
    lines[Figure.AMOUNT], lines[Figure.TERM] = amount, Decimal(term)
    return Recommendation(amount, term, tuple(RecommendationLine(*item) for item in lines.items()), problem)


def own_score(buyer: BuyerFigures) -> Decimal | None:
    """Return our own score from 0 (worst) to 100, from what is known; None when nothing is.

    Payment behaviour weighs 50 (all of it up to 5 days late, none from 45 on), the equity ratio 30 (all from 30 % on),
    a profit 10, cash against debts 10. What is unknown is left out and the rest weighs more.
    """
    parts: list[tuple[Decimal, Decimal]] = []
    if buyer.days_late is not None:
        parts.append((Decimal(50), 1 - (exact(buyer.days_late) - 5) / 40))
    if buyer.equity is not None and buyer.total_assets:
        parts.append((Decimal(30), buyer.equity / buyer.total_assets / Decimal("0.3")))
    if buyer.result is not None:
        parts.append((Decimal(10), Decimal(buyer.result > 0)))
    if buyer.cash is not None and buyer.debts:
        parts.append((Decimal(10), buyer.cash / buyer.debts / Decimal("0.2")))
    if not parts:
        return None
    points = sum((weight * min(max(share, ZERO), Decimal(1)) for weight, share in parts), ZERO)
    return points * HUNDRED / sum(weight for weight, _share in parts)


def score_class(score: Decimal) -> int:
    """Return the risk class of our own score: 80 and more is 1, 65 is 2, 50 is 3, 30 is 4, less is 5."""
    return next((number for number, least in ((1, 80), (2, 65), (3, 50), (4, 30)) if score >= least), WORST_CLASS)


def _figures(buyer: BuyerFigures, formula: Formula) -> dict[Figure, Decimal | None]:
    late = buyer.days_late
    open_days = buyer.term_days + max(late or ZERO, ZERO)
    need = max(buyer.turnover, ZERO) * open_days / DAYS_OF_A_YEAR * (1 + formula.buffer / HUNDRED)
    equity_part = _share(buyer.equity, formula.equity_share)
    sales_part = _share(buyer.buyer_turnover, formula.sales_share)
    known = [part for part in (equity_part, sales_part) if part is not None]
    score = own_score(buyer)
    number = _class(buyer, score)
    reduction = max((late or ZERO) - formula.days_late_free, ZERO) * formula.reduction_per_day / HUNDRED
    return {
        Figure.TURNOVER: buyer.turnover,
        Figure.OPEN_DAYS: Decimal(open_days),
        Figure.NEED: need,
        Figure.EQUITY_PART: equity_part,
        Figure.SALES_PART: sales_part,
        Figure.CAPACITY: min(known) if known else need,
        Figure.GRADE_CLASS: Decimal(buyer.risk_class) if buyer.risk_class is not None else None,
        Figure.SCORE: score,
        Figure.CLASS_FACTOR: formula.unknown_class_factor if number is None else formula.class_factors[number],
        Figure.DAYS_LATE: late,
        Figure.BEHAVIOUR_FACTOR: max(1 - reduction, ZERO),
    }


def _class(buyer: BuyerFigures, score: Decimal | None) -> int | None:
    """The worse of the insurer's class and our own; None when neither is known."""
    classes = [buyer.risk_class] if buyer.risk_class is not None else []
    if score is not None:
        classes.append(score_class(score))
    return max(classes, default=None)


def _term(buyer: BuyerFigures, formula: Formula, lines: Mapping[Figure, Decimal | None]) -> int:
    number = _class(buyer, lines[Figure.SCORE])
    term = formula.unknown_class_term if number is None else formula.class_terms[number]
    return min(term, buyer.max_term_days) if buyer.max_term_days else term


def _named(buyer: BuyerFigures, lines: Mapping[Figure, Decimal | None]) -> dict[str, Decimal]:
    """The figures a formula may name; what is unknown is left out, so that a formula using it says so."""
    found = {
        **{name: lines.get(Figure(name)) for name in ("need", "capacity", "class_factor", "behaviour_factor", "score")},
        **{
            name: getattr(buyer, name)
            for name in ("turnover", "equity", "buyer_turnover", "total_assets", "cash", "debts", "cover")
        },
    }
    return {name: value for name, value in found.items() if value is not None}


def _share(amount: Decimal | None, percentage: Decimal) -> Decimal | None:
    return None if amount is None else max(amount, ZERO) * percentage / HUNDRED
