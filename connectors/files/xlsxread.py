"""Workbooks, read: one table per sheet, formulas not evaluated.

A sheet is a table when its first row that is not empty has headings of ours. Numbers are taken as they are shown, to 15
digits; beyond these a workbook is not exact.
"""

import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl  # type: ignore[import-untyped]

from ..words import _
from .cells import Raw, Unusable
from .csvform import MAX_COLUMNS
from .problems import FileError, Problem, ProblemKind
from .rows import Row, Table, knows, our_headings
from .settings import Reading
from .zipguard import check_workbook

INSTRUCTIONS = "instructions"
MAX_SHEETS = 50
MAX_SHEET_ROWS = 1_048_576
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def read_xlsx(content: bytes, reading: Reading, problems: list[Problem]) -> list[Table]:
    """:raises FileError: no workbook, a dangerous one, or one without any table of ours."""
    check_workbook(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.title.lower() != INSTRUCTIONS]
        if len(sheets) > MAX_SHEETS:
            raise FileError(_("more than %(most)s sheets", most=MAX_SHEETS))
        tables = [table for sheet in sheets if (table := _table(sheet, reading, problems))]
    except FileError:
        raise
    except Exception as exc:  # openpyxl lets through whatever its parsers raise
        raise FileError(_("the workbook is damaged (%(reason)s)", reason=f"{type(exc).__name__}: {exc}")) from exc
    if not tables:
        raise FileError(_("no sheet has a row of known headings"))
    return tables


def _table(sheet: Any, reading: Reading, problems: list[Problem]) -> Table | None:
    if sheet.sheet_state != "visible":
        words = _("a hidden sheet is passed over")
        problems.append(Problem(ProblemKind.SHEET, words, 0, "", sheet.title, refused=False))
        return None
    rows = _guarded(sheet)
    for number, cells in rows:
        texts = [str(_raw(cell)) if cell.value is not None else "" for cell in cells]
        if not any(text.strip() for text in texts):
            continue
        while texts and not texts[-1].strip():
            texts.pop()
        if len(texts) > MAX_COLUMNS:
            raise FileError(_("more than %(most)s columns", most=MAX_COLUMNS), line=number, sheet=sheet.title)
        if not any(knows(text, reading) for text in texts):
            words = _("no known heading in the first row; the sheet is passed over")
            problems.append(Problem(ProblemKind.SHEET, words, number, "", sheet.title, refused=False))
            return None
        headings = our_headings(texts, reading, problems, number, sheet.title)
        return Table(tuple(headings), _rows(rows, headings, sheet.title, problems), sheet.title)
    return None


def _guarded(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows with their numbers. The reader of the library fills gaps, always with the same empty row."""
    sheet.reset_dimensions()
    rows = iter(sheet.iter_rows(max_col=MAX_COLUMNS + 1))
    before: tuple[Any, ...] = ()
    for number in range(1, MAX_SHEET_ROWS + 2):
        try:
            cells = next(rows, None)
        except Exception as exc:
            words = _("the sheet is damaged (%(reason)s)", reason=f"{type(exc).__name__}: {exc}")
            raise FileError(words, sheet=sheet.title) from exc
        if cells is None:
            return
        if cells is not before:
            yield number, cells
        before = cells
    raise FileError(_("more than %(most)s rows", most=MAX_SHEET_ROWS), sheet=sheet.title)


def _rows(
    rows: Iterator[tuple[int, tuple[Any, ...]]], headings: list[str], sheet: str, problems: list[Problem]
) -> Iterator[Row]:
    for number, cells in rows:
        if any(cell.value is not None for cell in cells[len(headings) :]):
            words = _("a cell beyond the last of %(count)s headings", count=len(headings))
            problems.append(Problem(ProblemKind.LINE, words, number, "", sheet))
            continue
        filled = {
            heading: _raw(cell)
            for heading, cell in zip(headings, cells, strict=False)
            if heading and cell.value is not None and str(cell.value).strip()
        }
        yield number, filled


def _raw(cell: Any) -> Raw:
    value = cell.value
    if cell.data_type == "f":
        return Unusable(_("a formula is not evaluated: put its value into the cell"))
    if cell.data_type == "e":
        return Unusable(_("the cell holds the error %(error)s", error=value))
    if isinstance(value, bool | date | datetime):
        return value
    if isinstance(value, int | float):
        number = Decimal(format(value, ".15g")) if isinstance(value, float) else Decimal(value)
        return number * 100 if "%" in (cell.number_format or "") else number
    if isinstance(value, str):
        return ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), value)
    return str(value)
