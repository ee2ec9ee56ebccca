"""The internal score of a buyer: 0 (worst) to 100 from a scorecard, with its breakdown.

    score = sum of points × weight over what is known, weights re-spread over what is known

A criterion whose signal is missing is left out, unless one of its bands asks for just that (``is missing``); a part
without a known criterion is left out too. When less than the card's ``coverage`` of all weights is known there is no
score, only the breakdown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from .catalogue import DEFAULT_CATALOGUE
from .evaluator import answer_condition
from .facts import EXACT, Facts, ReadFacts, read_facts
from .model import Value
from .scorecard import Band, Criterion, Part, Scorecard, card_for
from .scorecardcheck import check_scorecard
from .scorecardtext import dump_scorecard, load_scorecard
from .signals import SignalCatalogue
from .trace import Answer

_TENTH = Decimal("0.1")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class CriterionScore:
    """``points`` None: missing. ``share`` is its weight in the whole score in percent, ``contribution`` its points."""

    criterion: Criterion
    value: Value | None
    band: Band | None
    points: Decimal | None
    share: Decimal
    contribution: Decimal


@dataclass(frozen=True, slots=True)
class PartScore:
    """``value`` (0-100) None: nothing is known of it. ``share`` and ``contribution`` as of a criterion."""

    part: Part
    value: Decimal | None
    criteria: tuple[CriterionScore, ...]
    share: Decimal
    contribution: Decimal


@dataclass(frozen=True, slots=True)
class Score:
    """``value`` (0-100, one decimal) None: too little is known. ``coverage`` (0-100): how much of the weights is."""

    card: Scorecard
    value: Decimal | None
    coverage: Decimal
    parts: tuple[PartScore, ...]

    def part(self, key: str) -> Decimal | None:
        """Return the value of a part, None when it is missing or there is no such part."""
        return next((part.value for part in self.parts if part.part.key == key), None)

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of the signals that were missing, in the order of the card."""
        found = (each for part in self.parts for each in part.criteria if each.points is None)
        return tuple(dict.fromkeys(each.criterion.signal for each in found))


def score(facts: Facts, card: Scorecard, today: date, catalogue: SignalCatalogue = DEFAULT_CATALOGUE) -> Score:
    """Score one set of facts by a checked card; never raises for facts, whatever they hold."""
    read = read_facts(facts, catalogue, today, catalogue.reading(card.signals))
    judged = [[(each, *_points(each, read)) for each in part.criteria] for part in card.parts]
    known = [sum((each.weight for each, _band, points in part if points is not None), Decimal(0)) for part in judged]
    whole = sum((part.weight for part, weight in zip(card.parts, known, strict=True) if weight), Decimal(0))
    parts = tuple(
        _part(part, judgements, weight, whole, read)
        for part, judgements, weight in zip(card.parts, judged, known, strict=True)
    )
    coverage = _coverage(card, known)
    total = sum((part.contribution for part in parts), Decimal(0))
    is_enough = whole and coverage >= card.coverage
    return Score(card, _shown(total) if is_enough else None, _shown(coverage), parts)


def _points(criterion: Criterion, read: ReadFacts) -> tuple[Band | None, Decimal | None]:
    is_known = criterion.signal in read.values
    for band in criterion.bands:
        answer = Answer.YES if band.when is None else answer_condition(band.when, read)
        if band.when is None and not is_known:
            continue
        if answer is Answer.YES:
            return band, band.points
        if answer is Answer.MISSING and is_known:
            break  # what it is compared with is missing: nobody can say whether a later band counts
    return None, None


def _part(
    part: Part,
    judged: list[tuple[Criterion, Band | None, Decimal | None]],
    known: Decimal,
    whole: Decimal,
    read: ReadFacts,
) -> PartScore:
    criteria = []
    for criterion, band, points in judged:
        share = Decimal(0)
        if points is not None:
            share = _divided(part.weight * criterion.weight * _HUNDRED, whole * known)
        contribution = _divided(share * (points or 0), _HUNDRED)
        value = read.values.get(criterion.signal)
        criteria.append(CriterionScore(criterion, value, band, points, share, contribution))
    total = sum((each.contribution for each in criteria), Decimal(0))
    share = sum((each.share for each in criteria), Decimal(0))
    return PartScore(part, _shown(_divided(total * _HUNDRED, share)) if known else None, tuple(criteria), share, total)


def _coverage(card: Scorecard, known: list[Decimal]) -> Decimal:
    weights = sum((part.weight for part in card.parts), Decimal(0))
    found = Decimal(0)
    for part, weight in zip(card.parts, known, strict=True):
        all_of_it = sum((criterion.weight for criterion in part.criteria), Decimal(0))
        found += _divided(part.weight * weight * _HUNDRED, weights * all_of_it)
    return found


def _divided(number: Decimal, by: Decimal) -> Decimal:
    return EXACT.divide(number, by)


def _shown(number: Decimal) -> Decimal:
    return number.quantize(_TENTH, rounding=ROUND_HALF_EVEN)


def breakdown(scored: Score) -> Iterator[str]:
    """Yield the score as lines of text."""
    value = "no score" if scored.value is None else f"{scored.value}"
    yield f"{scored.card.label}: {value} (known: {scored.coverage} %)"
    for part in scored.parts:
        yield f"  {part.part.label}: {'missing' if part.value is None else part.value} ({_shown(part.share)} %)"
        for each in part.criteria:
            points = "missing" if each.points is None else f"{each.points} points, {_shown(each.contribution)} in all"
            yield f"    {each.criterion.label}: {points}"


__all__ = [
    "Band",
    "Criterion",
    "CriterionScore",
    "Part",
    "PartScore",
    "Score",
    "Scorecard",
    "breakdown",
    "card_for",
    "check_scorecard",
    "dump_scorecard",
    "load_scorecard",
    "score",
]
