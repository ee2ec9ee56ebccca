"""Files from outside are read without guessing, and without harm."""

import doctest
import importlib
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from files_cases import WILD
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors import (
    AnnouncementKind,
    Cover,
    CoverRequest,
    CoverRequestKind,
    CoverStatus,
    Grade,
    OverdueInvoice,
    OverdueNotice,
)
from connectors.files import (
    BuyerLookup,
    DateOrder,
    DecimalMark,
    FileAnswers,
    FileError,
    FileForm,
    ProblemKind,
    Reading,
    export,
    read,
    read_exported,
    write_answers,
)
from connectors.files.columns import MAX_CELL
from connectors.files.records import KINDS

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data" / "files"
NOTICE = OverdueNotice(
    *("OD/2026/0007", "TCI-2026-0001", "1006"),
    invoices=(
        OverdueInvoice("INV/1", date(2026, 1, 10), date(2026, 3, 11), Decimal("15000.00"), Decimal("12300.45"), "EUR"),
        OverdueInvoice("INV/2", date(2026, 2, 10), date(2026, 4, 11), Decimal("800.00"), Decimal("800.00"), "USD"),
    ),
    comment="Reminded on 1 April",
)
REQUEST = CoverRequest("CR/1", "TCI-1", "1006", CoverRequestKind.NEW, "EUR", Decimal("60000.10"))
COVER = Cover("C-1", "1006", "TCI-1", CoverStatus.APPROVED, "AGREED", "EUR", Decimal("60000.10"))
GRADES = "record,buyer_id,value,scale,graded_on,previous_value\n"
AMOUNTS = "record,cover_id,buyer_id,policy_number,status,currency,amount\n"


def grades(*lines, head=GRADES, **declared):
    return read((head + "\n".join(lines)).encode(), "grades.csv", Reading(**declared))


def amount(text, **declared):
    """What ``text`` is read as in a column of amounts: a number, or the kind of the problem."""
    line = f'cover;C1;B1;P1;approved;EUR;"{text}"'
    found = read((AMOUNTS.replace(",", ";") + line).encode(), "covers.csv", Reading(**declared))
    return found.covers[0].amount if found.covers else found.problems[0].kind


def workbook(rows, title="grade", **formats):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet(title)
        style = {name: book.add_format({"num_format": text}) for name, text in formats.items()}
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                value, name = value if isinstance(value, tuple) else (value, "")
                sheet.write(number, column, value, style.get(name))
    return out.getvalue()


@pytest.mark.parametrize("module", ["numbers", "cells"])
def test_examples_run(module):
    outcome = doctest.testmod(importlib.import_module(f"connectors.files.{module}"))
    assert outcome.attempted and not outcome.failed


# --- Numbers and dates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "undeclared", "point", "comma"),
    [
        ("1234", 1234, 1234, 1234),
        ("1234.5", "1234.5", "1234.5", "value"),
        ("1234,5", "1234.5", "value", "1234.5"),
        ("1.234", "ambiguous", "1.234", "ambiguous"),
        ("1,234", "ambiguous", "ambiguous", "1.234"),
        ("1,234.50", "1234.50", "1234.50", "value"),
        ("1.234,50", "1234.50", "value", "1234.50"),
        ("1.234.567", 1234567, "value", 1234567),
        ("1 234 567,89", "1234567.89", "value", "1234567.89"),
        ("1'234.50", "1234.50", "1234.50", "value"),
        ("1234.500", "1234.500", "1234.500", "value"),
        ("0.500", "0.500", "0.500", "value"),
        ("12.34.567", "value", "value", "value"),
        ("-5", "value", "value", "value"),
        ("1e5", "value", "value", "value"),
        ("1_000", "value", "value", "value"),
        ("٣", "value", "value", "value"),
        ("NaN", "value", "value", "value"),
        ("1" * 19, "value", "value", "value"),
    ],
)
def test_a_number_is_read_in_one_way_or_not_at_all(text, undeclared, point, comma):
    for declared, expected in [(None, undeclared), (DecimalMark.POINT, point), (DecimalMark.COMMA, comma)]:
        kinds = set(ProblemKind)
        assert amount(text, decimal=declared) == (expected if expected in kinds else Decimal(expected)), declared


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-11-02", DateOrder.ISO, date(2026, 11, 2)),
        ("02.11.2026", DateOrder.DMY, date(2026, 11, 2)),
        ("11/02/2026", DateOrder.MDY, date(2026, 11, 2)),
        ("2026-11-02", DateOrder.DMY, date(2026, 11, 2)),
        ("02.11.2026", DateOrder.ISO, None),
        ("31.02.2026", DateOrder.DMY, None),
        ("20261102", DateOrder.ISO, None),
    ],
)
def test_a_date_is_iso_or_of_the_declared_order(text, order, day):
    found = grades(f"grade,B1,5,DRA,{text},", dates=order)
    assert [grade.graded_on for grade in found.grades] == ([day] if day else [])
    assert [problem.column for problem in found.problems] == ([] if day else ["graded_on"])


def test_an_instant_needs_its_offset():
    head = "record,reference,claim_number,received_at\n"
    found = grades(
        "claim_receipt,R1,C1,2026-11-22T10:00:00+08:00",
        "claim_receipt,R2,C2,2026-11-22",
        "claim_receipt,R3,C3,2026-11-22T10:00:00",
        head=head,
    )
    assert [receipt.received_at.isoformat() for receipt in found.receipts] == [
        "2026-11-22T02:00:00+00:00",
        "2026-11-22T00:00:00+00:00",
    ]
    assert [(problem.line, problem.column) for problem in found.problems] == [(4, "received_at")]


# --- Lines ------------------------------------------------------------------------------------------------------


def test_a_bad_line_is_refused_and_no_other():
    found = grades(
        "grade,B1,5,DRA,2026-01-01,", "grade,B2,5,DRA,01/02/2026,", "grade,,5,DRA,2026-01-01,", "grade,B4,1,DRA,,"
    )
    assert [grade.buyer_id for grade in found.grades] == ["B1", "B4"]
    assert [(p.line, p.column, p.kind, p.refused) for p in found.problems] == [
        (3, "graded_on", ProblemKind.VALUE, True),
        (4, "buyer_id", ProblemKind.MISSING, True),
    ]
    assert found.problems[0].words == "expected a date YYYY-MM-DD, got '01/02/2026'"


def test_a_quotation_mark_that_is_not_closed_costs_its_line():
    broken = ("grade,B1,5,DRA,2026-01-01,", 'grade,B2,"5,DRA,2026-01-01,', "grade,B3,5,DRA,2026-01-01,")
    found = grades(*broken)
    assert [grade.buyer_id for grade in found.grades] == ["B1", "B3"]
    assert [(problem.line, problem.kind) for problem in found.problems] == [(3, ProblemKind.LINE)]


def test_a_line_with_too_many_cells_is_refused():
    found = grades("grade,B1,5,DRA,2026-01-01,,more", "grade,B2,5,DRA,2026-01-01,,")
    assert [grade.buyer_id for grade in found.grades] == ["B2"]
    assert found.problems[0].words == "7 cells under 6 headings"


def test_what_is_said_twice_is_told_and_taken_once():
    found = grades("grade,B1,5,DRA,2026-01-01,", "grade,B1,5,DRA,2026-01-01,")
    assert len(found.grades) == 1
    (problem,) = found.problems
    assert (problem.kind, problem.line, problem.refused) == (ProblemKind.DUPLICATE, 3, False)
    assert problem.words == "says the same as line 2"


def test_what_contradicts_itself_is_not_taken_at_all():
    found = grades("grade,B1,5,DRA,2026-01-01,", "grade,B1,6,DRA,2026-01-01,", "grade,B2,6,DRA,2026-01-01,")
    assert [grade.buyer_id for grade in found.grades] == ["B2"]
    assert [(problem.kind, problem.line) for problem in found.problems] == [(ProblemKind.CONTRADICTION, 3)]


def test_lines_of_a_record_may_lie_apart():
    head = (
        "record,cover_id,buyer_id,policy_number,status,currency,amount,announcement_kind,announcement_effective_from\n"
    )
    found = grades(
        "cover,C1,B1,P1,approved,EUR,500,withdrawal,2026-12-01",
        "cover,C2,B2,P1,approved,EUR,700,,",
        "cover,C1,B1,P1,approved,EUR,500,strange,2026-12-24",
        head=head,
    )
    one, two = found.covers
    assert [notice.kind for notice in one.announcements] == [AnnouncementKind.WITHDRAWAL, AnnouncementKind.UNKNOWN]
    assert one.announcements[1].raw_code == "strange"
    assert (one.status, two.announcements, found.problems) == (CoverStatus.APPROVED, (), ())


def test_a_record_with_one_bad_line_is_not_taken_in_part():
    head = "record,cover_id,buyer_id,policy_number,status,currency,announcement_kind,announcement_effective_from\n"
    found = grades(
        "cover,C1,B1,P1,approved,EUR,withdrawal,2026-12-01", "cover,C1,B1,P1,approved,EUR,withdrawal,soon", head=head
    )
    assert not found.covers
    assert [(p.line, p.column) for p in found.problems] == [(3, "announcement_effective_from")]


@pytest.mark.parametrize("text", ["pending withdrawal", "AGREED", "annulé"])
def test_an_unknown_status_is_kept_raw(text):
    found = read((AMOUNTS + f"cover,C1,B1,P1,{text},EUR,5").encode(), "covers.csv")
    assert (found.covers[0].status, found.covers[0].raw_code) == (CoverStatus.UNKNOWN, text)


def test_an_unknown_column_is_told_and_passed_over():
    found = grades("grade,B1,5,DRA,2026-01-01,,x", head=GRADES.strip() + ",Mood\n")
    assert len(found.grades) == 1
    assert [(p.kind, p.column, p.line, p.refused) for p in found.problems] == [(ProblemKind.COLUMN, "Mood", 1, False)]


def test_headings_of_the_sender_can_be_declared():
    theirs = {"Buyer No": "buyer_id", "Rating": "value", "Scale": "scale", "As of": "graded_on"}
    found = grades("B1;5;DRA;2026-01-01", head="buyer no;RATING;Scale;As of\n", headings=theirs, kind="grade")
    assert found.grades == (Grade("B1", "5", "DRA", date(2026, 1, 1)),)


def test_a_column_that_is_there_twice_is_refused():
    with pytest.raises(FileError, match="line 1, value: this column is there twice"):
        grades("grade,B1,5,6", head="record,buyer_id,value,Value\n")


def test_the_kind_is_named_declared_or_seen_in_all_its_columns():
    assert len(grades("B1,5,DRA,2026-01-01,", head=GRADES.removeprefix("record,")).grades) == 1
    fewer = "buyer_id,value,scale,graded_on\n"
    assert grades("B1,5,DRA,2026-01-01", head=fewer).problems[0].kind is ProblemKind.RECORD
    assert len(grades("B1,5,DRA,2026-01-01", head=fewer, kind="grade").grades) == 1


def test_headings_of_kinds_differ():
    """So that all columns of a kind say which it is."""
    sets = [frozenset(kind.table) for kind in KINDS.values()]
    assert len(set(sets)) == len(sets)


def test_what_we_send_is_no_answer():
    found = read(export(REQUEST, FileForm.CSV).content, "sent.csv")
    assert found.all() == ()
    assert found.problems[0].words == "a cover_request is not expected here"
    sent, problems = read_exported(write_answers([COVER], FileForm.CSV).content, "told.csv")
    assert not sent and problems[0].kind is ProblemKind.RECORD


def test_problems_are_counted_where_there_are_too_many():
    found = grades(*(f"grade,B{number},5,DRA,never," for number in range(1500)))
    assert len(found.problems) == 1001
    assert found.problems[-1].words == "500 more problems"


# --- Character sets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_seen(encoding):
    found = read((GRADES + "grade,Müller 客户,5,DRA,2026-01-01,").encode(encoding), "grades.csv")
    assert (found.grades[0].buyer_id, found.problems) == ("Müller 客户", ())


def test_any_other_character_set_is_told_or_declared():
    content = (GRADES + "grade,Müller,5,DRA,2026-01-01,").encode("cp1252")
    found = read(content, "grades.csv")
    assert found.grades[0].buyer_id == "Müller"
    assert [(p.kind, p.refused) for p in found.problems] == [(ProblemKind.ENCODING, False)]
    assert not read(content, "grades.csv", Reading(encoding="cp1252")).problems
    chinese = (GRADES + "grade,客户,5,DRA,2026-01-01,").encode("gb18030")
    assert read(chinese, "grades.csv", Reading(encoding="gb18030")).grades[0].buyer_id == "客户"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_seen(delimiter):
    found = read((GRADES + "grade,B1,5,DRA,2026-01-01,").replace(",", delimiter).encode(), "grades.csv")
    assert len(found.grades) == 1
    assert read_exported(export(NOTICE, FileForm.CSV, delimiter=delimiter).content, "n.csv") == ((NOTICE,), ())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"a,b\n1,2", "no known heading"),
        (b"record,buyer_id\ngrade,\x00B1", "line 2: a NUL"),
        (b"record,buyer_id\n\ngrade,\x81\x8d", "line 3: not cp1252: byte 0x81"),
        (b"%PDF-1.7", "a PDF is not read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or protected workbook"),
        (b"PK\x03\x04junk", "damaged"),
        (b"<exchange", "not XML"),
        (b"sep=|\nrecord|x", "delimiter '|' is not known"),
        (b"record," + b"x," * 300, "more than 200 columns"),
        (b"x" * 50_000_001, "more than 50000000"),
    ],
)
def test_what_is_no_file_of_the_exchange_is_refused(content, words):
    with pytest.raises(FileError, match=words):
        read(content, "a")


def test_a_cell_beyond_all_measure_costs_its_line():
    found = grades(f"grade,{'x' * (MAX_CELL + 1)},5,DRA,2026-01-01,", f"grade,{'x' * 200_000},5,,,", "grade,B,5,DRA,,")
    assert [grade.buyer_id for grade in found.grades] == ["B"]
    assert [problem.line for problem in found.problems] == [2, 3]
    assert all(len(problem.words) < 300 for problem in found.problems)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda junk: GRADES.encode() + junk))
@example(b"PK\x05\x06" + b"\0" * 18)
@example(b"\xff\xfe\x00")
@example(GRADES.encode() + b'"')
def test_junk_is_refused_with_words(junk):
    try:
        found = read(junk, "junk")
    except FileError as exc:
        assert exc.words
    else:
        assert isinstance(found, FileAnswers)


# --- Formulas ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "'=1", "''-2", "＝1", "\r=1"])
def test_a_text_is_never_a_formula(text):
    sent = BuyerLookup("FR", name=text, reference="R1")
    file = export(sent, FileForm.CSV)
    cells = file.content.decode("utf-8-sig")
    assert f"'{text}" in cells
    assert read_exported(file.content, file.name)[0] == (sent,)
    book = openpyxl.load_workbook(io.BytesIO(export(sent, FileForm.XLSX).content))
    cell = book["buyer_query"]["D2"]
    assert cell.data_type == "s"


@settings(max_examples=200, deadline=None)
@given(WILD.filter(str.strip))
def test_no_cell_of_a_csv_file_begins_as_a_formula(text):
    content = export(BuyerLookup("FR", name=text, reference="R1"), FileForm.CSV).content.decode("utf-8-sig")
    cell = content.split("\r\n", 1)[1].removeprefix("buyer_query,R1,,FR,").removeprefix('"')
    assert cell.lstrip()[:1] not in tuple("=+-@") and cell[:1] not in ("\t", "\r", "\n")


def test_a_formula_in_a_workbook_is_not_evaluated():
    head = ["buyer_id", "value", "scale", "graded_on", "previous_value"]
    found = read(workbook([head, ["B1", "=1+4", "DRA", "2026-01-01"], ["B2", "5", "DRA", "2026-01-01"]]), "g.xlsx")
    assert [grade.buyer_id for grade in found.grades] == ["B2"]
    (problem,) = found.problems
    assert (problem.kind, problem.sheet, problem.line, problem.column) == (ProblemKind.FORMULA, "grade", 2, "value")


def test_characters_that_no_form_holds_are_refused():
    with pytest.raises(FileError, match="name: the character U\\+0000"):
        export(BuyerLookup("FR", name="a\0b", reference="R1"), FileForm.CSV)
    with pytest.raises(FileError, match="reference: 40000 characters"):
        export(BuyerLookup("FR", name="a", reference="R" * 40_000), FileForm.XLSX)
