"""Highlighting and completion: right where the text is right, and no exception wherever it is not."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_risk_cases import CATALOGUE, PATIENT, packs

from rules.risk import complete_at, dump, tokens
from rules.risk.highlight import KINDS

TEXT = """\
key: late_payer  # its name
name: Owes more than 5, and late
severity: high
when:
  all:
    - owed > 1.1 * limit
    - status in ["none", "refused"]
    - late >= 30 days
message: '{buyer} owes {owed} {{as is}}'
tests:
  - {name: on the day, today: 2025-01-31, facts: {owed: -5.5, public: yes}, expect: fires}
"""


def kinds_of(text):
    return [(text[start:end], kind) for start, end, kind in tokens(text)]


def test_each_word_has_its_kind():
    found = kinds_of(TEXT)
    for expected in [
        ("key", "key"),
        ("late_payer", "text"),
        ("# its name", "comment"),
        ("Owes more than 5, and late", "text"),
        ("high", "text"),
        ("owed", "signal"),
        (">", "operator"),
        ("1.1", "number"),
        ("*", "operator"),
        ("limit", "signal"),
        ("in", "keyword"),
        ('"refused"', "string"),
        ("days", "unit"),
        ("{buyer}", "placeholder"),
        (" {{as is}}'", "string"),
        ("on the day", "text"),
        ("2025-01-31", "date"),
        ("-5.5", "number"),
        ("yes", "keyword"),
        ("fires", "text"),
    ]:
        assert expected in found, expected
    assert ("{{as is}}", "placeholder") not in found


def test_a_line_of_very_many_dashes_is_coloured_in_one_pass():
    # Looked at from its start for each dash, this takes minutes.
    assert len(tokens("- " * 50_000)) == 50_000


def test_a_text_over_several_lines_stays_a_text():
    found = kinds_of("reason: one and\n  two or\n  three\nwhen: owed > 5\n")
    assert ("two or", "text") in found and ("three", "text") in found and ("owed", "signal") in found


def test_an_open_quote_ends_with_its_line():
    assert ("when", "key") in kinds_of("name: 'oops\nwhen: owed > 5\n")


def assert_spans(text):
    position = 0
    for start, end, kind in tokens(text):
        assert position <= start < end <= len(text) and kind in KINDS
        position = end


@given(st.text(max_size=200) | st.text("\n -:{}[]'\"#ab1.,>= ", max_size=200))
@settings(PATIENT, max_examples=150)
def test_any_text_has_tokens_and_suggestions(text):
    assert_spans(text)
    for offset in (0, len(text) // 2, len(text), -5, len(text) + 5):
        for suggestion in complete_at(text, offset, CATALOGUE):
            assert 0 <= suggestion.start <= suggestion.end <= len(text)


@given(packs(), st.integers(0, 600), st.text("\n -:{}[]'\"#\x00é", max_size=3))
@settings(PATIENT, max_examples=30)
def test_a_damaged_rule_still_has_tokens_and_suggestions(pack, position, noise):
    text = dump(pack)
    text = text[:position] + noise + text[position + 2 :]
    assert_spans(text)
    complete_at(text, position, CATALOGUE)


@pytest.mark.parametrize(
    "text", [TEXT * 100, *(part * 4000 for part in ("- [owed > 5, ", '"', "' ", "\n", "\n  ", "{a: b, ", "when: {"))]
)
def test_a_long_text_is_no_burden(text):
    started = time.process_time()
    assert_spans(text)
    complete_at(text, len(text), CATALOGUE)
    complete_at(text, 1999, CATALOGUE)
    assert time.process_time() - started < 10


def offered(text):
    offset = text.index("|")
    return [item.text for item in complete_at(text.replace("|", "", 1), offset, CATALOGUE)]


HEAD = "key: r\nname: n\n"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("|", ["key: ", "name: "]),
        (HEAD + "sev|", ["severity: "]),
        (HEAD + "severity: |", ["info", "warning", "high", "critical"]),
        (HEAD + "scope: or|", ["order"]),
        (HEAD + "observe: |", ["yes", "no"]),
        (HEAD + "when: |", ["all: ", "any: ", "not: ", "owed"]),
        (HEAD + "when: ow|", ["owed"]),
        (HEAD + "when: days|", ["late"]),
        (HEAD + "unless: owed |", ["=", "!="]),
        (HEAD + "until: owed > |", ["limit"]),
        (HEAD + "when: owed > 1.1 * |", ["limit"]),
        (HEAD + "when: late > 5 |", ["days"]),
        (HEAD + "when: country |", ["=", "!=", "in", "not in", "is known", "is missing"]),
        (HEAD + "when: country is |", ["known", "missing"]),
        (HEAD + "when: country not |", ["in"]),
        (HEAD + "when: status = |", ['"none"', '"approved"', '"refused"']),
        (HEAD + 'when: status = "re|', ["refused"]),
        (HEAD + 'when: status in ["none", |', ['"none"', '"approved"']),
        (HEAD + 'when: status in ["none", "a|', ["approved"]),
        (HEAD + "when: public = |", ["yes", "no"]),
        (HEAD + "when:\n  all:\n    - owed > 5\n    - |", ["all: ", "any: "]),
        (HEAD + "when:\n  all:\n    - owed > 5\n    - any:\n        - late > 5 |", ["days"]),
        (HEAD + "when: {all: [owed > 1, status = |", ['"none"']),
        (HEAD + "actions: [notify, acti|", ["activity"]),
        (HEAD + "actions:\n  - noti|", ["notify"]),
        (HEAD + "message: 'x {|", ["buyer", "document"]),
        (HEAD + "message: 'x {ow|", ["owed"]),
        (HEAD + "message: 'x ow|", []),
        (HEAD + "name: ow|", []),
        (HEAD + "tests:\n  - |", ["name: ", "today: "]),
        (HEAD + "tests:\n  - name: x\n    ex|", ["expect: "]),
        (HEAD + "tests:\n  - {name: x, facts: {ow|", ["owed"]),
        (HEAD + "tests:\n  - name: x\n    facts:\n      ow|", ["owed"]),
        (HEAD + "tests:\n  - {name: x, facts: {owed: 5}, expect: |", ["fires", "excluded"]),
        (HEAD + "table:\n  |", ["hit: ", "inputs: ", "rows: "]),
        (HEAD + "table:\n  inputs: [owed |", ["=", "!="]),
        (HEAD + "table:\n  rows:\n    - |", ["cells: ", "severity: "]),
        ("pack: p\n|", ["pack: ", "title: "]),
        ("pack: p\nrules:\n  - key: r\n    wh|", ["when: "]),
        ("pack: p\nsignals:\n  - key: d\n    type: mo|", ["money"]),
        ("label: d\nvalue: 2 * |", ["owed"]),
        ("label: d\nun|", ["unit: "]),
        (HEAD + "scope: order\nwhen: am|", ["amount"]),
        (HEAD + "when: am|", []),
        ("rules:\n  - key: a\n    scope: order\n  - key: b\n    when: am|", []),
    ],
)
def test_what_can_stand_there_is_offered(text, first):
    found = offered(text)
    assert found[: len(first)] == first if first else found == []


def test_a_suggestion_replaces_the_word_that_was_begun():
    text = HEAD + "when: owe > 5"
    (found,) = complete_at(text, text.index("owe") + 2, CATALOGUE)
    assert (found.start, found.end, found.text, found.label) == (21, 23, "owed", "Owed")
