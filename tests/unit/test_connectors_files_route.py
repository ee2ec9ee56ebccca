"""What people see of the file route: templates, cover sheets, the connector that has files only."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from test_connectors_files import COVER, NOTICE, REQUEST

from connectors import (
    CONNECTORS,
    Claim,
    ClaimCause,
    ConfigurationError,
    Connection,
    Cover,
    CoverStatus,
    Credentials,
    NotSupported,
)
from connectors.files import (
    DecimalMark,
    FileError,
    FileForm,
    cover_sheet,
    read,
    template,
    write_answers,
)
from connectors.files.records import KINDS
from connectors.files.schema import schema_text

# --- Templates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_has_headings_choices_and_instructions(kind):
    book = openpyxl.load_workbook(io.BytesIO(template(kind, FileForm.XLSX, explain=str.upper).content))
    sheet, told = book[kind], book["instructions"]
    assert [cell.value for cell in sheet[1]] == list(KINDS[kind].table)
    coded = [column for _part, column in KINDS[kind].table.values() if column.codes]
    assert len(sheet.data_validations.dataValidation) == len(coded)
    explained = {row[1].value: row[2].value for row in told.iter_rows(min_row=3)}
    assert set(explained) == set(KINDS[kind].table)
    assert all(text == text.upper() for text in explained.values())
    head = template(kind, FileForm.CSV, delimiter=";").content.decode("utf-8-sig")
    assert head == ";".join(["record", *KINDS[kind].table]) + "\r\n"


def test_a_template_filled_in_by_hand_is_read():
    book = openpyxl.load_workbook(io.BytesIO(template("cover", FileForm.XLSX).content))
    sheet = book["cover"]
    values = {"cover_id": "C-1", "buyer_id": "1006", "policy_number": "TCI-1", "status": "approved", "currency": "EUR"}
    for cell in sheet[1]:
        sheet.cell(2, cell.column).value = {**values, "amount": 60000.1, "raw_code": "AGREED"}.get(cell.value)
    out = io.BytesIO()
    book.save(out)
    found = read(out.getvalue(), "cover.xlsx")
    assert (found.covers, found.problems) == ((COVER,), ())


def test_a_choice_fits_into_a_workbook():
    """Longer lists than 255 characters are no data validation."""
    for kind in KINDS.values():
        for _part, column in kind.table.values():
            assert not column.codes or len(",".join(code.value for code in column.codes)) <= 255


def test_the_template_for_xml_is_the_schema():
    assert template("cover", FileForm.XML).content == schema_text().encode()
    with pytest.raises(FileError, match="there is no record 'poem'"):
        template("poem", FileForm.CSV)


# --- Cover sheets -----------------------------------------------------------------------------------------------


def test_a_cover_sheet_says_what_the_file_says():
    sheet = cover_sheet(NOTICE)
    assert (sheet.title, sheet.reference) == ("overdue_notice", "OD/2026/0007")
    assert [(row.label, row.value) for row in sheet.rows] == [
        ("policy_number", "TCI-2026-0001"),
        ("buyer_id", "1006"),
        ("comment", "Reminded on 1 April"),
    ]
    assert [(row.label, row.value, row.currency) for row in sheet.totals] == [
        ("invoice_open_amount", Decimal("12300.45"), "EUR"),
        ("invoice_open_amount", Decimal("800.00"), "USD"),
    ]
    (table,) = sheet.tables
    assert (table.title, len(table.rows)) == ("invoices", 2)
    assert table.rows[1][table.headings.index("due_on")] == date(2026, 4, 11)


def test_amounts_of_a_cover_sheet_have_their_currency():
    claim = Claim(
        *("CLM/1", "P", "B", ClaimCause.INSOLVENCY, NOTICE.invoices[:1], Decimal("12300.45"), "EUR"),
    )
    rows = {row.label: (row.value, row.currency) for row in cover_sheet(claim).rows}
    assert rows["total"] == (Decimal("12300.45"), "EUR")
    assert rows["cause"] == (ClaimCause.INSOLVENCY, "")
    assert "currency" not in rows


# --- The connector ----------------------------------------------------------------------------------------------


def test_the_connector_has_no_calls():
    assert CONNECTORS["file"].capabilities() == frozenset()
    with CONNECTORS["file"](Connection("", Credentials())) as insurer, pytest.raises(NotSupported):
        insurer.request_cover(REQUEST)


def test_the_connector_says_how_files_are_read():
    settings = {"decimal_mark": "comma", "date_order": "dmy", "encoding": "gb18030", "delimiter": "tab"}
    insurer = CONNECTORS["file"](Connection("", Credentials(), settings=settings))
    assert insurer.reading.decimal is DecimalMark.COMMA
    assert (insurer.reading.dates, insurer.reading.encoding, insurer.reading.delimiter) == ("dmy", "gb18030", "\t")


@pytest.mark.parametrize("wrong", [{"decimal_mark": "dot"}, {"encoding": "klingon"}, {"delimiter": "|"}, {"mood": "x"}])
def test_a_setting_that_there_is_not_is_refused(wrong):
    with pytest.raises(ConfigurationError):
        CONNECTORS["file"](Connection("", Credentials(), settings=wrong))


def test_a_withdrawal_that_is_announced_leaves_the_cover_as_it_is():
    told = Cover("C", "B", "P", CoverStatus.APPROVED, "OK", "EUR", Decimal(5))
    assert read(write_answers([told], FileForm.XML).content, "x").covers == (told,)
