"""Texts for people keep what they were made of, and those of the shipped packs stand where translators find them."""

from pathlib import Path

from rules_risk_cases import CATALOGUE

from rules.risk import DocumentError, check_text, load, scoring
from rules.risk.marking import Words, _
from rules.risk.packtexts import CARD_TEXTS, RULE_TEXTS

PACKS = Path(__file__).resolve().parents[2] / "rules" / "risk" / "packs"
CARDS = PACKS.parent / "scorecards"


def test_a_sentence_knows_its_template_and_its_parameters():
    inner = _("the end of the line")
    words = _("expected %(expected)s instead of %(found)r", expected=inner, found="x")
    assert words == "expected the end of the line instead of 'x'"
    assert (words.template, words.params["expected"]) == ("expected %(expected)s instead of %(found)r", inner)


def test_percent_signs_of_a_text_without_parameters_stay():
    assert _("the unit is days, % or nothing") == "the unit is days, % or nothing"


def test_what_the_checker_says_can_be_told_in_another_language():
    text = (
        "pack: p\nrules:\n  - {key: a, name: A, when: amonut > 5, message: '{nobody}', actions: [nothing]}\n"
        "  - {key: b, name: '', when: 'late > 5 %', severity: info}\n  - {key: c, name: C, when: {all: []}}\n"
    )
    _pack, problems = check_text(text, CATALOGUE)
    assert len(problems) > 4
    assert all(isinstance(problem.message, Words) for problem in problems), [p for p in problems]
    assert all(isinstance(problem.suggestion, Words) for problem in problems if problem.suggestion)


def test_what_the_reader_says_can_be_told_in_another_language():
    for text in (
        "- x",
        "pack: p\nrules: 3",
        "pack: p\nrulez: []\nrules: []",
        "pack: [",
        "",
        "pack: p\nrules: [{key: a, when: x > }]",
    ):
        try:
            load(text)
        except DocumentError as error:
            assert all(isinstance(problem.message, Words) for problem in error.problems), error.problems
        else:
            raise AssertionError(text)


def _texts_of(pack):
    rows = [row for rule in pack.rules if rule.table for row in rule.table.rows]
    found = [text for rule in pack.rules for text in (rule.name, rule.message, rule.reason)]
    return {text for text in found + [row.message for row in rows] if text}


def _texts_of_card(card):
    rows = [criterion for part in card.parts for criterion in part.criteria]
    found = [card.label, *(part.label for part in card.parts), *(row.label for row in rows)]
    return {text for text in found + [row.reason for row in rows] if text}


def test_texts_of_the_shipped_packs_and_scorecards_are_marked_for_translators():
    packs = [load(path.read_text(encoding="utf-8")) for path in sorted(PACKS.glob("*.yaml"))]
    cards = [scoring.load_scorecard(path.read_text(encoding="utf-8")) for path in sorted(CARDS.glob("*.yaml"))]
    for said, marked in (
        (set().union(*map(_texts_of, packs)), set(RULE_TEXTS)),
        (set().union(*map(_texts_of_card, cards)), set(CARD_TEXTS)),
    ):
        assert said
        assert (said - marked, marked - said) == (set(), set()), "to add to packtexts, to take away from it"
