"""The internal score: weights over what is known, bands without gaps, and a breakdown that adds up."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, TODAY, comparisons, facts, hostile_facts

import rules.risk
from rules.risk import BUYER_SIGNALS, DEFAULT_CATALOGUE, Derived, DocumentError, Scope, SignalType
from rules.risk.calculation import parse_calculation
from rules.risk.scoring import (
    Band,
    Criterion,
    Part,
    Scorecard,
    breakdown,
    card_for,
    check_scorecard,
    dump_scorecard,
    load_scorecard,
    score,
)

CARDS = sorted((Path(rules.risk.__file__).parent / "scorecards").glob("*.yaml"))

CARD = """\
scorecard: general
label: General
coverage: 40
parts:
  - key: behaviour
    label: Payment behaviour
    weight: 60
    criteria:
      - key: delay
        label: Delay
        signal: late
        weight: 2
        bands:
          - {if: <= 5 days, points: 100}
          - {if: <= 30 days, points: 50}
          - {if: any, points: 0}
      - key: use
        label: Use of the limit
        signal: owed
        bands:
          - {if: '> limit', points: 0}
          - {if: any, points: 100}
  - key: sector
    label: Sector
    weight: 40
    criteria:
      - key: seat
        label: Country
        signal: country
        bands:
          - {if: 'in ["FR", "DE"]', points: 90}
          - {if: is missing, points: 20}
          - {if: any, points: 40}
"""


@pytest.mark.parametrize(
    ("row", "value", "coverage", "behaviour"),
    [
        ({"late": 5, "owed": 5, "limit": 5, "country": "FR"}, "96.0", "100.0", "100.0"),
        ({"late": 6, "owed": 5, "limit": 5, "country": "FR"}, "76.0", "100.0", "66.7"),
        ({"late": 31, "owed": 6, "limit": 5, "country": "US"}, "16.0", "100.0", "0.0"),
        ({"late": 5, "country": "FR"}, "96.0", "80.0", "100.0"),  # use is missing: delay counts for the whole part
        ({"late": 5, "owed": 5, "country": "FR"}, "96.0", "80.0", "100.0"),  # what it is compared with is missing
        ({"owed": 6, "limit": 5}, "8.0", "60.0", "0.0"),
        ({}, "20.0", "40.0", None),  # the country has points for being missing: just enough is known
    ],
)
def test_weights_are_spread_over_what_is_known(row, value, coverage, behaviour):
    scored = score(row, load_scorecard(CARD), TODAY, CATALOGUE)
    assert (scored.value, scored.coverage) == (Decimal(value), Decimal(coverage))
    assert scored.part("behaviour") == (None if behaviour is None else Decimal(behaviour))
    assert scored.part("nothing") is None


def test_below_the_coverage_there_is_no_score_but_a_breakdown():
    card = load_scorecard(CARD.replace("coverage: 40", "coverage: 41"))
    scored = score({}, card, TODAY, CATALOGUE)
    assert scored.value is None and scored.coverage == 40 and scored.missing == ("late", "owed")
    assert list(breakdown(scored))[:2] == ["General: no score (known: 40.0 %)", "  Payment behaviour: missing (0.0 %)"]


def test_the_breakdown_adds_up():
    scored = score({"late": 6, "owed": 5, "limit": 5, "country": "US"}, load_scorecard(CARD), TODAY, CATALOGUE)
    delay, use = scored.parts[0].criteria
    assert (delay.points, delay.share, delay.contribution) == (50, 40, 20)
    assert (use.points, use.share, use.contribution) == (100, 20, 20)
    assert sum(part.contribution for part in scored.parts) == scored.value == 56
    assert delay.band.when is not None and delay.value == 6
    assert "    Delay: 50 points, 20.0 in all" in breakdown(scored)


def changed(old, new, text=CARD):
    assert text.count(old) == 1
    return load_scorecard(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("signal: late", "signal: lat", "unknown_signal", 11),
        ("signal: late", "signal: amount", "unknown_signal", 11),
        ("<= 5 days", "<= 5 %", "wrong_unit", 14),
        ("'> limit'", "'> late'", "wrong_type", 21),
        ("points: 50", "points: 101", "number_range", 15),
        ("points: 50", "points: -1", "number_range", 15),
        ("weight: 2", "weight: 0", "number_range", 12),
        ("weight: 60", "weight: 1001", "number_range", 7),
        ("coverage: 40", "coverage: 101", "number_range", 3),
        ("<= 30 days", "<= 4 days", "unreachable", 15),
        ("          - {if: any, points: 0}\n", "", "gap", 11),
        ("{if: is missing, points: 20}", "{if: is known, points: 20}", "wrong_operator", 32),
        ('in ["FR", "DE"]', "any", "unreachable", 33),
        ("key: use", "key: delay", "bad_key", 17),
        ("key: sector", "key: behaviour", "bad_key", 23),
        ("key: use", "key: Use", "bad_key", 17),
        ("label: Sector", "label: ' '", "empty", 24),
        ("label: General", "label: ''", "empty", 2),
        ("scorecard: general", "scorecard: G", "bad_key", 1),
    ],
)
def test_a_card_that_cannot_score_everybody_is_refused(old, new, code, line):
    problems = check_scorecard(changed(old, new), CATALOGUE)
    assert [problem.code for problem in problems] == [code]
    assert problems[0].place.line == line


def test_a_card_that_is_right_passes():
    assert check_scorecard(load_scorecard(CARD), CATALOGUE) == ()


def test_flags_and_choices_need_no_last_band():
    bands = "[{if: = yes, points: 0}, {if: = no, points: 100}]"
    criterion = f"{{key: c, label: C, signal: public, bands: {bands}}}"
    text = f"scorecard: s\nlabel: S\nparts: [{{key: p, label: P, criteria: [{criterion}]}}]"
    assert check_scorecard(load_scorecard(text), CATALOGUE) == ()
    assert score({"public": True}, load_scorecard(text), TODAY, CATALOGUE).value == 0


def test_a_card_must_not_ask_for_the_score_itself():
    derived = Derived("twice", "T", SignalType.DAYS, parse_calculation("2 * late"))
    catalogue = CATALOGUE.with_derived([derived])
    card = changed("signal: late", "signal: twice")
    assert [problem.code for problem in check_scorecard(card, catalogue, {"late"})] == ["cycle"]
    assert [problem.code for problem in check_scorecard(load_scorecard(CARD), catalogue, {"limit"})] == ["cycle"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("coverage: 40", "coverage: much"),
        ("weight: 60", "weigth: 60"),
        ("<= 5 days", "<= 5 dys"),
        ("<= 5 days", "5 days"),
        ("label: Sector", ""),
        ("points: 50", "points: [50]"),
        ("parts:", "parts: none\nrest:"),
    ],
)
def test_a_text_that_is_no_card_is_refused_with_its_place(old, new):
    with pytest.raises(DocumentError) as caught:
        changed(old, new)
    assert all(problem.place for problem in caught.value.problems)


def test_the_card_of_the_industry_counts_and_the_general_one_else():
    general, machines = load_scorecard(CARD), changed("label: General", "label: M\nindustries: [Machinery, C28]")
    assert card_for("machinery", [general, machines]) is machines
    assert card_for("c28", [machines, general]) is machines
    assert card_for("Food", [machines, general]) is card_for(None, [machines, general]) is general
    assert card_for("Food", [machines]) is None


@st.composite
def cards(draw):
    parts = []
    for number in range(draw(st.integers(1, 3))):
        criteria = []
        for index in range(draw(st.integers(1, 3))):
            whens = [draw(comparisons()) for _ in range(draw(st.integers(0, 2)))]
            signal = whens[0].signal if whens else "owed"
            bands = [Band(when, draw(points)) for when in whens if when.signal == signal] + [Band(None, draw(points))]
            criteria.append(Criterion(f"c{index}", "C", signal, tuple(bands), draw(weights)))
        parts.append(Part(f"p{number}", "P", tuple(criteria), draw(weights)))
    return Scorecard("card", "Card", tuple(parts), coverage=draw(points))


points = st.decimals(0, 100, places=1)
weights = st.decimals("0.1", 1000, places=1)


@given(cards())
@settings(PATIENT, max_examples=40)
def test_writing_and_reading_a_card_loses_nothing(card):
    assert load_scorecard(dump_scorecard(card)) == card


@given(cards(), facts | hostile_facts)
@settings(PATIENT, max_examples=60)
def test_a_checked_card_scores_anybody_between_0_and_100(card, row):
    assume(not check_scorecard(card, CATALOGUE))
    scored = score(row, card, TODAY, CATALOGUE)
    assert 0 <= scored.coverage <= 100 and list(breakdown(scored))
    assert scored.value is None or 0 <= scored.value <= 100
    assert all(part.value is None or 0 <= part.value <= 100 for part in scored.parts)
    shares = sum(each.share for part in scored.parts for each in part.criteria)
    is_known = any(each.points is not None for part in scored.parts for each in part.criteria)
    assert abs(shares - (100 if is_known else 0)) < Decimal("0.0001")


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_shipped_cards_pass_the_checker_and_say_why(path):
    card = load_scorecard(path.read_text(encoding="utf-8"))
    scores = {signal.key for signal in BUYER_SIGNALS if signal.key.startswith(("score_", "internal_score"))}
    assert check_scorecard(card, DEFAULT_CATALOGUE, scores) == ()
    assert path.stem == card.key and {part.key for part in card.parts} == {"financial", "behaviour", "sector"}
    assert all(criterion.reason for part in card.parts for criterion in part.criteria)
    assert all(DEFAULT_CATALOGUE[key].scope is Scope.BUYER for key in card.signals)
