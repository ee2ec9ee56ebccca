"""What people are told about a file keeps what it was made of, and stands where translators find it."""

import ast
import doctest
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

import connectors
from connectors import words
from connectors.debts import OverdueInvoice
from connectors.files import FileError, Reading, read, schemawords
from connectors.files.problems import Problem, ProblemKind
from connectors.files.schema import NAMESPACE, schema
from connectors.messages import CoverRequest, CoverRequestKind
from connectors.words import Words, _, words_of

PACKAGE = Path(connectors.__file__).parent
SOURCES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
# What people are told, and where in the call the text is.
TOLD = {"FileError": 0, "CellError": 1, "Problem": 1, "not_expected": 0, "require": 1, "Unusable": 0}


@pytest.mark.parametrize("module", [words, schemawords])
def test_examples_run(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted and not outcome.failed


def test_a_sentence_knows_its_template_and_its_parameters():
    inner = _("a number")
    sentence = _("expected %(expected)s, got %(got)s", expected=inner, got="'x'")
    assert sentence == "expected a number, got 'x'"
    assert (sentence.template, sentence.params) == (
        "expected %(expected)s, got %(got)s",
        {"expected": inner, "got": "'x'"},
    )


def test_percent_signs_of_a_text_without_parameters_stay():
    assert _("100 % of it") == "100 % of it"


def test_words_of_a_library_are_left_as_they_are():
    said = words_of(ValueError("50 %(of) it"))
    assert (said, said.template, said.params) == ("50 %(of) it", "50 %(of) it", {})
    assert words_of(ValueError()) == ""


def test_the_place_is_told_with_the_words():
    problem = Problem(ProblemKind.MISSING, _("is empty"), 3, "amount", "claims")
    assert problem.sentence == "sheet claims, line 3, amount: is empty"
    assert problem.sentence.params["words"] is problem.words
    assert Problem(ProblemKind.MISSING, _("is empty")).sentence == "is empty"
    assert Problem(ProblemKind.MISSING, _("is empty"), column="amount").sentence == "amount: is empty"


def _calls(tree, name):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def _is_text(call):
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_translators_are_shown_literals_with_the_places_that_are_filled_in(path):
    for call in _calls(SOURCES[path], "_"):
        assert _is_text(call), ast.unparse(call)
        places = set(re.findall(r"%\((\w+)\)s", call.args[0].value))
        given = {keyword.arg for keyword in call.keywords}
        assert given == places or not given and path.name == "schemawords.py", ast.unparse(call)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_people_are_told_of_a_file_is_marked_for_translators(path):
    if "simulator" in path.parts:
        return
    for name, position in TOLD.items():
        for call in _calls(SOURCES[path], name):
            inner = [node for node in ast.walk(call.args[position]) if isinstance(node, ast.Call)]
            marked = {id(part) for node in inner for part in ast.walk(node)}
            bare = [
                node
                for node in ast.walk(call.args[position])
                if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in marked
            ]
            assert not bare, ast.unparse(call)


def _templates(said):
    """The templates of a text and of the texts in it; a plain text where there should be one."""
    assert isinstance(said, Words), said
    yield said.template
    for value in said.params.values():
        if isinstance(value, Words):
            yield from _templates(value)


MARKED = {call.args[0].value for tree in SOURCES.values() for call in _calls(tree, "_") if _is_text(call)}


def _exchange(record):
    return f'<exchange xmlns="{NAMESPACE}">{record}</exchange>'.encode()


GRADE = "<grade><buyer_id>B</buyer_id><value>5</value><scale>S</scale>%s</grade>"
CSV = b"record,buyer_id,value,scale,graded_on\ngrade,B1,5,DRA,"
EDIFACT = "UNB+UNOC:3+A+B+260105:0930+7'"


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"PK\x03\x04junk",
        b"<exchange",
        b"<!DOCTYPE a><a/>",
        b"a,b\n1,2",
        b"sep=|\nrecord|x",
        b"record,buyer_id\n\ngrade,\x81\x8d",
        b"record,buyer_id,buyer_id\n",
        CSV + b"soon",
        CSV + b"2026-01-01,x,y",
        CSV + b'"2026-01-01" x\n',
        CSV + b"2026-01-01\ngrade,B1,6,DRA,2026-01-01\ngrade,B1,6,DRA,2026-01-01",
        CSV + b"2026-01-01\npoem,,,,\ncover_request,,,,\ngrade,,,,",
        b"record,cover_id,mood\ncover,1,\xff",
        b"record,buyer_id,value,scale,premium\ngrade,B,5,S,1.234",
        EDIFACT[:-4].encode(),
        f"{EDIFACT}UNH+1+RECECO'BGM'UNH+2+RECECO'".encode(),
        f"{EDIFACT}UNH+1+RECECO'BGM'UNH+2+RECECO'UNZ+0+7'".encode(),
        f"{EDIFACT}UNH+1+POEM'UNT+2+1'UNZ+3+7'".encode(),
        f"{EDIFACT}UNH+1+POEM'UNT+2+1'UNZ+1+7'".encode(),
        f"{EDIFACT}UNZ+0+7'UNH+1+RECECO'".encode(),
        _exchange(GRADE % "<graded_on>soon</graded_on>"),
        _exchange(GRADE % "<mood/>"),
        _exchange("<poem/>"),
        _exchange("<cover><currency>eur</currency></cover>"),
        _exchange("<claim/>"),
    ],
)
def test_whatever_is_wrong_with_a_file_can_be_told_in_another_language(content):
    try:
        problems = read(content, "answers").problems
    except FileError as error:
        said = [words_of(error), error.words]
        assert str(error) == said[0]
    else:
        said = [problem.sentence for problem in problems]
    assert said
    assert {template for sentence in said for template in _templates(sentence)} <= MARKED


@pytest.mark.parametrize(
    "make",
    [
        lambda: CoverRequest(" ", "P", "B", CoverRequestKind.NEW, "EUR", Decimal(1)),
        lambda: CoverRequest("C", "P", "B", CoverRequestKind.NEW, "euro", Decimal(1)),
        lambda: CoverRequest("C", "P", "B", CoverRequestKind.NEW, "EUR", Decimal(-1)),
        lambda: OverdueInvoice("I", date(2026, 2, 1), date(2026, 1, 1), Decimal(1), Decimal(1), "EUR"),
        lambda: Reading(delimiter="|"),
        lambda: Reading(encoding="klingon"),
    ],
)
def test_why_a_message_is_refused_can_be_told_in_another_language(make):
    with pytest.raises(ValueError) as caught:
        make()
    assert set(_templates(words_of(caught.value))) <= MARKED


@pytest.mark.parametrize(
    ("record", "params"),
    [
        (GRADE % "<graded_on>soon</graded_on>", {"element": "graded_on", "value": "soon", "type": "xs:date"}),
        (GRADE % "<mood/>", {"element": "mood"}),
        (GRADE % "text", {"element": "grade"}),
        (GRADE % "<graded_on><a/></graded_on>", {"element": "graded_on"}),
        ("<grade a='b'/>", {"element": "grade", "attribute": "a", "name": "a"}),
        ("<cover><conditions/></cover>", {"element": "conditions", "names": "( condition )."}),
        ("<cover><conditions><x/></conditions></cover>", {"element": "x", "names": "( condition )."}),
        ("<grade><buyer_id/></grade>", {"element": "buyer_id", "length": "0", "least": "1"}),
        ("<cover><amount>-1</amount></cover>", {"element": "amount", "value": "-1", "least": "0"}),
        (
            "<cover><insured_percentage>200</insured_percentage></cover>",
            {"element": "insured_percentage", "value": "200", "most": "100"},
        ),
        (f"<cover><amount>{'1' * 30}</amount></cover>", {"element": "amount", "value": "1" * 30, "most": "28"}),
        (
            "<cover><amount>1.12345678901</amount></cover>",
            {"element": "amount", "value": "1.12345678901", "most": "10"},
        ),
        ("<claim_receipt><received_at>x</received_at></claim_receipt>", {"element": "received_at", "type": "instant"}),
        (
            "<cover_request><kind>x</kind></cover_request>",
            {"element": "kind", "values": "'new', 'increase', 'reduce', 'cancel'"},
        ),
        ("<cover><currency>eur</currency></cover>", {"element": "currency", "value": "eur", "pattern": "[A-Z]{3}"}),
        (
            f"<grade><value>{'x' * 40000}</value></grade>",
            {"element": "value", "length": "40000", "most": "32767"},
        ),
    ],
)
def test_what_the_schema_does_not_allow_is_told_in_marked_words(record, params):
    """As the installed library words it: another release of it must not quietly turn all this into English."""
    assert not schema().validate(etree.fromstring(_exchange(record)))
    message = schema().error_log[0].message.replace(f"{{{NAMESPACE}}}", "")
    said = schemawords.told(message)
    assert said == message
    assert said.template in MARKED
    assert params.items() <= dict(said.params).items()


def test_words_of_the_validator_that_nobody_foresaw_stay_as_they_are():
    assert schemawords.told("50 %(of) it").template == "50 %(of) it"
    assert len(schemawords.told("x" * 1000)) == schemawords.MOST + 1
