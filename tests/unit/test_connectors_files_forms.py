"""Workbooks and XML: what is written into them, what is refused from them."""

import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from test_connectors_files import COVER, DATA, NOTICE, REQUEST, workbook

from connectors import (
    CoverRequest,
    CoverRequestKind,
    RequestStatus,
    TurnoverDeclaration,
    TurnoverLine,
)
from connectors.files import (
    DecimalMark,
    FileError,
    FileForm,
    ProblemKind,
    Reading,
    export,
    kind_of,
    read,
    read_exported,
    zipguard,
)
from connectors.files.records import KINDS
from connectors.files.schema import NAMESPACE, schema, schema_text

ROOT = Path(__file__).resolve().parents[2]
HEAD = ["buyer_id", "value", "scale", "graded_on"]


# --- Workbooks --------------------------------------------------------------------------------------------------


def test_numbers_and_dates_of_a_workbook_are_real_ones():
    book = openpyxl.load_workbook(io.BytesIO(export(NOTICE, FileForm.XLSX).content))
    sheet = book["overdue_notice"]
    cells = {heading.value: sheet.cell(2, index) for index, heading in enumerate(sheet[1], start=1)}
    assert cells["invoice_open_amount"].value == 12300.45
    assert cells["invoice_due_on"].is_date and cells["invoice_due_on"].value.date() == date(2026, 3, 11)
    assert cells["reference"].data_type == "s"
    assert (sheet.max_row, sheet.freeze_panes) == (3, "A2")
    assert "instructions" in book.sheetnames


@pytest.mark.parametrize(("amount", "kind"), [("999999999999999.9", "s"), ("99999999999999.9", "n"), ("0.1", "n")])
def test_an_amount_a_workbook_cannot_hold_is_a_text(amount, kind):
    sent = CoverRequest("R", "P", "B", CoverRequestKind.NEW, "EUR", Decimal(amount))
    content = export(sent, FileForm.XLSX).content
    assert openpyxl.load_workbook(io.BytesIO(content))["cover_request"]["F2"].data_type == kind
    assert read_exported(content, "r.xlsx") == ((sent,), ())


def test_the_same_messages_give_the_same_bytes():
    for form in (FileForm.CSV, FileForm.XLSX, FileForm.XML):
        assert export(NOTICE, form).content == export(NOTICE, form).content


def test_cells_that_are_numbers_are_read_as_shown():
    rows = [
        ["cover_id", "buyer_id", "policy_number", "status", "currency", "amount", "insured_percentage"],
        [7, 1006, 12, "approved", "EUR", 0.1 + 0.2, (0.9, "percent")],
        ["C8", 1234567890123456, 12, "approved", "EUR", 5, 90],
    ]
    found = read(workbook(rows, "cover", percent="0%"), "c.xlsx")
    assert [(c.cover_id, c.buyer_id, c.amount, c.insured_percentage) for c in found.covers] == [
        ("7", "1006", Decimal("0.3"), Decimal(90))
    ]
    assert [(p.line, p.column) for p in found.problems] == [(3, "buyer_id")]
    assert "loses digits" in found.problems[0].words


def test_texts_that_are_numbers_follow_the_declared_mark():
    rows = [
        ["cover_id", "buyer_id", "policy_number", "status", "currency", "amount"],
        ["C1", "B", "P", "approved", "EUR", "1.234"],
    ]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("cover")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    assert read(out.getvalue(), "c.xlsx").problems[0].kind is ProblemKind.AMBIGUOUS
    (cover,) = read(out.getvalue(), "c.xlsx", Reading(decimal=DecimalMark.POINT)).covers
    assert cover.amount == Decimal("1.234")


def test_a_sheet_without_known_headings_is_told_and_one_without_any_refused():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet("notes").write(0, 0, "Dear all")
        sheet = book.add_worksheet("grade")
        sheet.write_row(4, 0, HEAD)
        sheet.write_row(5, 0, ["B1", "5", "DRA", "2026-01-01"])
    found = read(out.getvalue(), "g.xlsx")
    assert len(found.grades) == 1
    assert [(p.kind, p.sheet, p.refused) for p in found.problems] == [(ProblemKind.SHEET, "notes", False)]
    with pytest.raises(FileError, match="no sheet has a row of known headings"):
        read(workbook([["Dear all"]]), "x.xlsx")


def test_a_hidden_sheet_is_told_and_passed_over():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet("grade").write_row(0, 0, HEAD)
        hidden = book.add_worksheet("cover")
        hidden.write_row(0, 0, ["cover_id", "buyer_id"])
        hidden.hide()
    (problem,) = read(out.getvalue(), "g.xlsx").problems
    assert (problem.kind, problem.sheet, problem.refused) == (ProblemKind.SHEET, "cover", False)


def tampered(name, change):
    """A workbook with one member replaced; ``name`` may be new."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook([HEAD]))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, change(old.read(name) if name in old.namelist() else b""))
    return out.getvalue()


ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("xl/vbaProject.bin", b"x", "macros"),
        ("xl/worksheets/sheet1.xml", ENTITY, "document type"),
        ("xl/worksheets/sheet1.xml", ENTITY.decode().encode("utf-16"), "document type"),
        ("xl/worksheets/sheet1.xml", b"<?xml version='1.0' encoding='UTF-7'?><a/>", "expected UTF-8"),
        ("xl/sharedStrings.xml", b" " * 11_000, "more than 10000"),
        ("xl/media/image.png", b"\0" * 21_000, "more than 20000"),
        ("xl/media/image.png", b"\0" * 19_500, "unpacked the workbook has"),
        ("xl/worksheets/sheet1.xml", b"<worksheet", "damaged|no sheet"),
        ("xl/workbook.xml", b"<workbook/>", "damaged|no sheet"),
    ],
)
def test_a_workbook_that_could_do_harm_is_not_opened(name, content, words, monkeypatch):
    for limit, value in {"MAX_STRINGS": 10_000, "MAX_MEMBER": 20_000, "MAX_UNPACKED": 25_000}.items():
        monkeypatch.setattr(zipguard, limit, value)
    with pytest.raises(FileError, match=words):
        read(tampered(name, lambda _old: content), "x.xlsx")


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("xl/worksheets/sheet1.xml", b'<sheetData><row r="1">%s</row></sheetData>' % (b"<c><v>1</v></c>" * 200_000)),
        ("xl/worksheets/sheet1.xml", b"<x:row><x:c><x:is>%s</x:is></x:c></x:row>" % (b"<x:r/>" * 600_000)),
        ("xl/sharedStrings.xml", b"<sst><si>%s</si></sst>" % (b"<r/>" * 600_000)),
        ("xl/styles.xml", b"<styleSheet>%s</styleSheet>" % (b"<xf/>" * 600_000)),
    ],
    ids=["cells", "parts of a cell", "parts of a text", "styles"],
)
def test_a_small_workbook_that_unpacks_to_millions_of_elements_is_not_opened(name, piece):
    with pytest.raises(FileError, match="more than 500000 elements"):
        read(tampered(name, lambda _old: piece), "x.xlsx")


def test_a_large_workbook_of_many_rows_is_opened():
    rows = [HEAD, *[[f"B{number}", "5", "DRA", "2026-01-01"] for number in range(40_000)]]
    assert len(read(workbook(rows), "x.xlsx").grades) == 40_000


def test_rows_beyond_a_sheet_are_refused():
    far = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    far += b'<row r="1"><c r="A1" t="inlineStr"><is><t>buyer_id</t></is></c></row>'
    far += b'<row r="900000000"><c r="A900000000"><v>1</v></c></row></sheetData></worksheet>'
    with pytest.raises(FileError, match="more than 1048576 rows"):
        read(tampered("xl/worksheets/sheet1.xml", lambda _old: far), "x.xlsx")


WHOLE = {form: export(NOTICE, form).content for form in (FileForm.CSV, FileForm.XLSX, FileForm.XML)}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.floats(0, 0.999), st.integers(0, 40), st.binary(max_size=20))
def test_a_damaged_file_is_refused_or_its_damage_told(form, where, gone, put):
    content = WHOLE[form]
    start = int(where * len(content))
    try:
        messages, _problems = read_exported(content[:start] + put + content[start + gone :], "damaged")
    except FileError as exc:
        assert exc.words
    else:
        assert len(messages) <= 2  # the notice has two lines, of which damage may make two notices


def test_a_packed_file_that_is_no_workbook_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(FileError, match="no workbook"):
        read(out.getvalue(), "x.xlsx")


# --- XML --------------------------------------------------------------------------------------------------------


def test_the_published_schema_is_the_one_validated_against():
    assert (ROOT / "docs" / "credit-insurance-exchange.xsd").read_text(encoding="utf-8") == schema_text()
    assert {element.get("name") for element in etree.fromstring(schema_text().encode()).iter("{*}complexType")} >= set(
        KINDS
    )


def test_the_published_examples_follow_the_schema():
    for name in ("notice.xml", "answers.xml"):
        assert schema().validate(etree.parse(DATA / name)), schema().error_log


def test_the_published_notice_is_what_is_written():
    assert export(NOTICE, FileForm.XML).content == (DATA / "notice.xml").read_bytes()
    assert export(NOTICE, FileForm.CSV).content == (DATA / "notice.csv").read_bytes()


def test_the_published_answers_are_read():
    found = read((DATA / "answers.xml").read_bytes(), "answers.xml")
    assert not found.problems
    (cover,), (state,), (receipt,) = found.covers, found.request_states, found.receipts
    assert (cover.amount, cover.insured_percentage) == (Decimal("40000.50"), Decimal(90))
    assert cover.announcements[0].effective_from == date(2026, 12, 24)
    assert cover.conditions == ("Retention of title",)
    assert (state.status, receipt.case_number) == (RequestStatus.PARTIAL, "CASE-9")


def exchange(*records):
    return f'<exchange xmlns="{NAMESPACE}">\n{"".join(records)}</exchange>'.encode()


def grade(buyer, day="2026-01-01", more=""):
    names = {"buyer_id": buyer, "value": "5", "scale": "DRA", "graded_on": day}
    return f"<grade>{''.join(f'<{n}>{v}</{n}>' for n, v in names.items())}{more}</grade>\n"


def test_a_record_that_does_not_follow_the_schema_is_refused_and_no_other():
    found = read(exchange(grade("B1"), grade("B2", "soon"), grade("B3", more="<mood/>"), "<poem/>\n", grade("B4")), "x")
    assert [item.buyer_id for item in found.grades] == ["B1", "B4"]
    assert [(p.line, p.column) for p in found.problems] == [(3, "graded_on"), (4, "mood"), (5, "poem")]
    assert NAMESPACE not in found.problems[0].words


def test_comments_are_no_part_of_a_value():
    found = read(exchange(grade("B<!-- a --><!-- b -->1")), "x.xml")
    assert found.grades[0].buyer_id == "B1"


def test_elements_come_in_any_order():
    found = read(exchange("<grade><scale>S</scale><value>5</value><buyer_id>B</buyer_id></grade>"), "x.xml")
    assert (found.grades[0].value, found.grades[0].graded_on) == ("5", None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "document type"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>', "document type"),
        (b"<exchange/>", "expected exchange of urn"),
        (f'<exchange xmlns="{NAMESPACE}" version="2"/>'.encode(), "version 2 of the exchange"),
        (exchange("<a>" * 300 + "</a>" * 300), "not XML"),
        (exchange(grade("\x01")), "not XML"),
    ],
)
def test_xml_that_could_do_harm_is_refused(content, words):
    with pytest.raises(FileError, match=words):
        read(content, "x.xml")


# --- Export -----------------------------------------------------------------------------------------------------


def test_messages_of_one_kind_share_a_file():
    second = CoverRequest("CR/2", "TCI-1", "1007", CoverRequestKind.CANCEL, "EUR")
    file = export([REQUEST, second], FileForm.CSV)
    assert file.name == "cover_request-CR-1-and-1-more.csv"
    assert read_exported(file.content, file.name) == ((REQUEST, second), ())
    with pytest.raises(FileError, match="expected messages of one kind"):
        export([REQUEST, NOTICE], FileForm.CSV)
    with pytest.raises(FileError, match="reference: CR/1 is there twice"):
        export([REQUEST, REQUEST], FileForm.CSV)
    with pytest.raises(FileError, match="got none"):
        export([], FileForm.CSV)
    with pytest.raises(FileError, match="expected messages of one kind"):
        export([COVER], FileForm.CSV)
    with pytest.raises(FileError, match="no form for str"):
        kind_of("text")


def test_lines_that_could_not_be_told_apart_are_refused():
    line = TurnoverLine("FR", "EUR", Decimal(5))
    declaration = TurnoverDeclaration("R", "P", date(2026, 1, 1), date(2026, 1, 31), (line, line))
    with pytest.raises(FileError, match="FR, EUR is listed twice"):
        export(declaration, FileForm.CSV)


def test_no_turnover_is_a_declaration_too():
    declaration = TurnoverDeclaration("R", "P", date(2026, 1, 1), date(2026, 1, 31), ())
    for form in (FileForm.CSV, FileForm.XLSX, FileForm.XML):
        assert read_exported(export(declaration, form).content, "t") == ((declaration,), ())


@pytest.mark.parametrize("amount", ["0.00000000001", "1E+18"])
def test_an_amount_that_would_not_read_back_is_refused(amount):
    sent = CoverRequest("R", "P", "B", CoverRequestKind.NEW, "EUR", Decimal(amount))
    for form in FileForm:
        with pytest.raises(FileError, match="sensible size"):
            export(sent, form)
