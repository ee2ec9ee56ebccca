"""Sheets of limits, in and out: XLSX and CSV as rows of cells; amounts and dates as people write them.

Nothing of a sheet is executed, and nothing that leaves here is read as a formula by whoever opens it.
"""

import codecs
import csv
import io
import re
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import xlsxwriter

MAX_BYTES = 10_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 40
# Of the unpacked sheet: a small file can hide a very large one.
MAX_UNPACKED = 200_000_000
MAX_AMOUNT = Decimal(10) ** 12

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[0-9]+")


class SheetError(Exception):
    """The file, or a cell of it, cannot be read. ``reason`` is one of the codes below, put into words by the wizard."""

    def __init__(self, reason):
        self.reason = reason
        super().__init__(reason)


def read_sheet(content, filename=""):
    """Rows of a sheet as lists of cells, the first one the header: ``[(line number, [cells])]``, empty lines left out.

    :raise SheetError: too_large, unreadable, too_many_lines
    """
    if len(content) > MAX_BYTES:
        raise SheetError("too_large")
    rows = _read_xlsx(content) if content[:2] == b"PK" else _read_csv(content)
    result = []
    for number, cells in rows:
        if any(cell not in (None, "") for cell in cells):
            result.append((number, cells))
        if len(result) > MAX_ROWS + 1:
            raise SheetError("too_many_lines")
    return result


def _read_xlsx(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED:
                raise SheetError("too_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield number, [_plain(cell) for cell in row[:MAX_COLUMNS]]
    except SheetError:
        raise
    except Exception as exc:  # openpyxl lets through whatever its parsers raise
        raise SheetError("unreadable") from exc


def _read_csv(content):
    text = _decode(content)
    header = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=header.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for row in reader:
            yield reader.line_num, [_plain(cell) for cell in row[:MAX_COLUMNS]]
    except csv.Error as exc:
        raise SheetError("unreadable") from exc


def _decode(content):
    """UTF-8, UTF-16 as "Unicode text" is saved, or what Western European systems save."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _plain(cell):
    """A cell without blanks around it, and without the sign that keeps it from being read as a formula."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text


def write_sheet(header, rows):
    """An XLSX file of these rows, every cell as text or number, never as a formula."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([header, *rows]):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, neutral(cell))
    return buffer.getvalue()


def neutral(cell):
    """A cell as text that no spreadsheet program takes for a formula, also when it is saved as CSV."""
    if cell is None or cell is False:
        return ""
    text = cell.isoformat() if isinstance(cell, date) else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def parse_amount(cell):
    """An amount as a Decimal, with comma or point: 1234.5, 1.234,50, 1 234,50, 1'234.50.

    :raise SheetError: missing_amount, bad_amount, ambiguous_amount (1,234 may be either), negative_amount
    """
    if cell is None or cell == "":
        raise SheetError("missing_amount")
    if isinstance(cell, bool):
        raise SheetError("bad_amount")
    if isinstance(cell, int | float):
        if cell != cell or abs(cell) >= MAX_AMOUNT:
            raise SheetError("bad_amount")
        number = Decimal(repr(cell))
    else:
        number = _parse_text(str(cell))
    if number < 0:
        raise SheetError("negative_amount")
    if number >= MAX_AMOUNT:
        raise SheetError("bad_amount")
    return number


def _parse_text(text):
    bare = re.sub(r"[\s'\u00a0\u202f\u2019]", "", text)
    sign, bare = (-1, bare[1:]) if bare[:1] in ("-", "\u2212") else (1, bare)
    whole, fraction = bare, ""
    marks = [mark for mark in bare if mark in ",."]
    if marks:
        last = marks[-1]
        before, after = bare.rsplit(last, 1)
        thousands = before.replace("," if last == "." else ".", "")
        if marks.count(last) > 1 or (len(marks) == 1 and len(after) == 3 and 0 < len(before) <= 3 and before != "0"):
            if marks.count(last) == 1:
                raise SheetError("ambiguous_amount")
            _check_groups(bare.split(last))
            whole = bare.replace(last, "")
        else:
            _check_groups(re.split(r"[,.]", before) if len(marks) > 1 else ["1"])
            whole, fraction = thousands, after
    if not _NUMBER.fullmatch(whole or "0") or (fraction and not _NUMBER.fullmatch(fraction)) or not (whole or fraction):
        raise SheetError("bad_amount")
    return sign * Decimal(f"{whole or 0}.{fraction or 0}")


def _check_groups(groups):
    if not 1 <= len(groups[0]) <= 3 or any(len(group) != 3 for group in groups[1:]):
        raise SheetError("bad_amount")


def parse_date(cell, pattern):
    """A date from a date cell, from 2026-12-31 or from ``pattern``, the reader's own way (strptime); None for nothing.

    :raise SheetError: bad_date
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, date):  # covers datetime
        found = [date(cell.year, cell.month, cell.day)]
    else:
        found = [_parse_day(str(cell), form) for form in ("%Y-%m-%d", pattern)]
    day = next((day for day in found if day and 1990 <= day.year <= 2200), None)
    if day is None:
        raise SheetError("bad_date")
    return day


def _parse_day(text, form):
    try:
        return datetime.strptime(text, form).date()
    except ValueError:
        return None
