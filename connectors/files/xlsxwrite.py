"""Workbooks, written: a sheet per kind and one with instructions.

Numbers and dates are real ones where a workbook holds them exactly, else texts. Texts are always written as texts: none
becomes a formula, a link or a number. The same records give the same bytes.
"""

import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from ..words import _
from .cells import Value, render
from .columns import MAX_CELL, Cell, Column, Kind
from .problems import FileError
from .records import Record
from .rows import flatten
from .xlsxread import INSTRUCTIONS

EXACT_DIGITS = 15
FIRST_YEAR = 1901  # before, workbooks count days differently
TEMPLATE_ROWS = 5000  # to which formats and choices of a template reach
CREATED = datetime(2000, 1, 1)
OPTIONS = {
    "in_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "nan_inf_to_errors": False,
}
WIDTHS = {Cell.TEXT: 32, Cell.IDENTIFIER: 20, Cell.AMOUNT: 16, Cell.NUMBER: 16, Cell.INSTANT: 22}
FORMATS = {
    Cell.AMOUNT: "#,##0.00########",
    Cell.NUMBER: "#,##0.00########",
    Cell.PERCENTAGE: "0.00########",
    Cell.INTEGER: "0",
    Cell.DATE: "yyyy-mm-dd",
}
SAYS = {
    Cell.TEXT: "text",
    Cell.IDENTIFIER: "text on one line",
    Cell.CODE: "one of",
    Cell.STATUS: "one of; any other is kept as written",
    Cell.AMOUNT: "number, 0 or more",
    Cell.NUMBER: "number",
    Cell.PERCENTAGE: "number from 0 to 100",
    Cell.INTEGER: "whole number",
    Cell.FLAG: "true or false",
    Cell.DATE: "date",
    Cell.INSTANT: "YYYY-MM-DDTHH:MM:SSZ, or a date",
    Cell.COUNTRY: "ISO 3166-1 alpha-2, such as FR",
    Cell.CURRENCY: "ISO 4217, such as EUR",
}
HEADINGS = ("Sheet", "Column", "Meaning", "What is in it", "Values", "Needed")
YES, WITH_ITS_LINE = "yes", "with its line"
Explain = Callable[[str], str]


def sentences(kinds: Iterable[Kind]) -> tuple[str, ...]:
    """All that the instructions for these kinds say, for ``explain`` to be prepared for."""
    listed = tuple(kinds)
    columns = [column.meaning for kind in listed for _part, column in kind.table.values()]
    meanings = [*(kind.meaning for kind in listed), *columns]
    return tuple(dict.fromkeys([*HEADINGS, YES, WITH_ITS_LINE, *SAYS.values(), *meanings]))


def write_xlsx(kinds: Sequence[Kind], records: Iterable[Record], explain: Explain, *, template: bool) -> bytes:
    """A workbook with a sheet for each of ``kinds``. ``explain`` puts an English sentence into the reader's
    language; in a ``template`` empty rows are prepared, too."""
    found: dict[str, list[Record]] = {kind.code: [] for kind in kinds}
    for record in records:
        found[record.kind.code].append(record)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        book.set_properties({"title": "Credit insurance exchange", "created": CREATED})
        styles = _Styles(book)
        for kind in kinds:
            _write_sheet(book.add_worksheet(kind.code), kind, found[kind.code], styles, template)
        _write_instructions(book.add_worksheet(INSTRUCTIONS), kinds, explain, styles)
    return out.getvalue()


class _Styles:
    def __init__(self, book: Any) -> None:
        self.required = book.add_format({"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "num_format": "@"})
        self.optional = book.add_format({"bg_color": "#F2F2F2", "bottom": 1, "num_format": "@"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        self.cells = {cell: book.add_format({"num_format": FORMATS.get(cell, "@")}) for cell in Cell}


def _write_sheet(sheet: Any, kind: Kind, records: list[Record], styles: _Styles, template: bool) -> None:
    for index, (heading, (part, column)) in enumerate(kind.table.items()):
        required = column.required and (part is None or part.needed)
        sheet.write_string(0, index, heading, styles.required if required else styles.optional)
        width = max(WIDTHS.get(column.cell, 12), len(heading) + 2)
        sheet.set_column(index, index, width, styles.cells[column.cell] if template else None)
    headings = list(kind.table)
    row = 0
    for record in records:
        for cells in flatten(record):
            row += 1
            for index, heading in enumerate(headings):
                if heading in cells:
                    _write_cell(sheet, row, index, *cells[heading], styles)
    last = max(row, TEMPLATE_ROWS if template else 1)
    for index, (_part, column) in enumerate(kind.table.values()):
        if choices := _choices(column):
            stop = "stop" if column.cell is Cell.CODE else "warning"
            rule = {"validate": "list", "source": choices, "error_type": stop, "ignore_blank": True}
            sheet.data_validation(1, index, last, index, rule)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(row, 1), len(headings) - 1)


def _choices(column: Column) -> list[str]:
    return [code.value for code in column.codes] if column.codes else []


def _write_cell(sheet: Any, row: int, index: int, column: Column, value: Value, styles: _Styles) -> None:
    style = styles.cells[column.cell]
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, index, value, style)
    elif isinstance(value, date) and not isinstance(value, datetime) and value.year >= FIRST_YEAR:
        sheet.write_datetime(row, index, value, style)
    elif (
        isinstance(value, int)
        or isinstance(value, Decimal)
        and len(value.normalize().as_tuple().digits) <= EXACT_DIGITS
    ):
        sheet.write_number(row, index, float(value), style)
    else:
        text = render(column, value)
        if len(text.encode("utf-16-le")) // 2 > MAX_CELL:
            raise FileError(_("more than %(most)s characters", most=MAX_CELL), column=column.name)
        sheet.write_string(row, index, text, style)


def _write_instructions(sheet: Any, kinds: Sequence[Kind], explain: Explain, styles: _Styles) -> None:
    for index, (text, width) in enumerate(zip(HEADINGS, (22, 30, 60, 34, 50, 10), strict=True)):
        sheet.write_string(0, index, explain(text), styles.required)
        sheet.set_column(index, index, width)
    row = 1
    for kind in kinds:
        sheet.write_string(row, 0, kind.code, styles.wrapped)
        sheet.write_string(row, 2, explain(kind.meaning), styles.wrapped)
        row += 1
        for heading, (part, column) in kind.table.items():
            needed = YES if column.required and (part is None or part.needed) else WITH_ITS_LINE
            texts = (kind.code, heading, explain(column.meaning), explain(SAYS[column.cell]))
            values = (", ".join(_choices(column)), explain(needed) if column.required else "")
            for index, text in enumerate((*texts, *values)):
                sheet.write_string(row, index, text, styles.wrapped)
            row += 1
    sheet.freeze_panes(1, 0)
