"""One cell: a value as text, and back.

>>> parse(Column("status", Cell.DATE, ""), "2026-11-22", Reading())
datetime.date(2026, 11, 22)
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum

from ..words import Words, _
from .columns import MAX_CELL, Cell, Column
from .numbers import parse_number, sensible, write_number
from .problems import CellError, ProblemKind, not_expected, quote
from .settings import DateOrder, Reading

Value = str | bool | int | Decimal | date | datetime | StrEnum | None


class Unusable(str):
    """A cell that holds a formula or an error; the text says which."""

    def __init__(self, words: Words) -> None:
        self.words = words


Raw = str | bool | Decimal | date | datetime

TEXTS = {Cell.TEXT, Cell.IDENTIFIER}
NUMBERS = {Cell.AMOUNT, Cell.NUMBER, Cell.PERCENTAGE, Cell.INTEGER}
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
EXACT_INTEGER = 10**15  # a workbook's numbers are exact below
LARGEST_INTEGER = 10**9
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SHORTENED = re.compile(r"[0-9][.,][0-9]+E\+[0-9]{2,}")
DATES = {
    DateOrder.ISO: _("a date YYYY-MM-DD"),
    DateOrder.DMY: _("a date YYYY-MM-DD or DD.MM.YYYY"),
    DateOrder.MDY: _("a date YYYY-MM-DD or MM/DD/YYYY"),
}
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LOCAL_DATE = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})")
ISO_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def is_empty(raw: Raw) -> bool:
    return isinstance(raw, str) and not raw.strip()


def plain(raw: Raw) -> str:
    """``raw`` as a text by which cells are compared."""
    if isinstance(raw, Decimal):
        return format(raw.normalize(), "f")
    return raw.isoformat() if isinstance(raw, date) else str(raw).strip()


# --- Reading ----------------------------------------------------------------------------------------------------


def parse(column: Column, raw: Raw, reading: Reading) -> Value:
    """:raises CellError: the cell does not hold what ``column`` is for."""
    if isinstance(raw, Unusable):
        raise CellError(ProblemKind.FORMULA, raw.words)
    if isinstance(raw, str):
        if len(raw) > MAX_CELL:
            words = _("%(count)s characters, more than %(most)s", count=len(raw), most=MAX_CELL)
            raise CellError(ProblemKind.VALUE, words)
        if found := UNWRITABLE.search(raw):
            character = f"U+{ord(found.group()):04X}"
            words = _("the character %(character)s is not accepted", character=character)
            raise CellError(ProblemKind.VALUE, words)
        raw = raw if column.cell is Cell.TEXT else raw.strip()
    if column.cell in TEXTS:
        return _parse_text(column, raw)
    if column.cell in NUMBERS:
        return _parse_number(column, raw, reading)
    return _PARSERS[column.cell](column, raw, reading)


def _parse_text(column: Column, raw: Raw) -> str:
    if isinstance(raw, str):
        if column.cell is Cell.IDENTIFIER and SHORTENED.fullmatch(raw):
            words = _("%(text)s is a number that a spreadsheet has shortened", text=quote(raw))
            raise CellError(ProblemKind.VALUE, words)
        return raw
    if isinstance(raw, Decimal):
        if abs(raw) >= EXACT_INTEGER:
            words = _("a number so long loses digits in a workbook: format the cell as text")
            raise CellError(ProblemKind.VALUE, words)
        return format(raw.normalize(), "f")
    if isinstance(raw, bool) or column.cell is Cell.IDENTIFIER:
        raise not_expected(_("a text"), raw)
    return raw.isoformat()


def _parse_number(column: Column, raw: Raw, reading: Reading) -> Decimal | int:
    if isinstance(raw, bool) or not isinstance(raw, str | Decimal):
        raise not_expected(_("a number"), raw)
    if isinstance(raw, str):
        percent = column.cell is Cell.PERCENTAGE and raw.endswith("%")
        number = parse_number(raw[:-1].rstrip() if percent else raw, reading.decimal)
    else:
        number = sensible(raw)
    if column.cell is Cell.AMOUNT and number < 0:
        raise not_expected(_("an amount of 0 or more"), plain(raw))
    if column.cell is Cell.PERCENTAGE and not 0 <= number <= 100:
        raise not_expected(_("a percentage from 0 to 100"), plain(raw))
    if column.cell is not Cell.INTEGER:
        return number
    if number != number.to_integral_value() or abs(number) > LARGEST_INTEGER:
        raise not_expected(_("a whole number"), plain(raw))
    return int(number)


def _parse_code(column: Column, raw: Raw, reading: Reading) -> Value:
    assert column.codes is not None
    known = {code.value: code for code in column.codes}
    text = plain(raw).lower()
    if text in known:
        return known[text]
    if column.cell is Cell.STATUS:
        return known["unknown"]
    raise not_expected(_("one of %(codes)s", codes=", ".join(known)), raw)


def _parse_flag(column: Column, raw: Raw, reading: Reading) -> bool:
    flag = raw if isinstance(raw, bool) else FLAGS.get(plain(raw).lower())
    if flag is None:
        raise not_expected(_("true or false"), raw)
    return flag


def _parse_date(column: Column, raw: Raw, reading: Reading) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    day = _read_date(raw, reading.dates) if isinstance(raw, str) else None
    if day is None:
        raise not_expected(DATES[reading.dates], plain(raw))
    return day


def _read_date(text: str, order: DateOrder) -> date | None:
    try:
        if ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
        found = LOCAL_DATE.fullmatch(text)
        if found is None or order is DateOrder.ISO:
            return None
        first, second, year = map(int, found.groups())
        return date(year, second, first) if order is DateOrder.DMY else date(year, first, second)
    except ValueError:
        return None


def _parse_instant(column: Column, raw: Raw, reading: Reading) -> datetime:
    if isinstance(raw, datetime) and raw.time() != time(0):
        raise not_expected(_("a date, or a text that is an instant with its offset from UTC"), raw.isoformat())
    if not isinstance(raw, date):
        text = plain(raw)
        try:
            if ISO_INSTANT.fullmatch(text):
                return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        if (day := _read_date(text, reading.dates)) is None:
            raise not_expected(_("an instant YYYY-MM-DDTHH:MM:SSZ with its offset from UTC, or a date"), text)
        raw = day
    return datetime.combine(raw, time(0), UTC)


def _parse_letters(length: int, expected: Words) -> Callable[[Column, Raw, Reading], str]:
    def read(column: Column, raw: Raw, reading: Reading) -> str:
        if not isinstance(raw, str) or not re.fullmatch(f"[A-Za-z]{{{length}}}", raw):
            raise not_expected(expected, raw)
        return raw.upper()

    return read


_PARSERS: dict[Cell, Callable[[Column, Raw, Reading], Value]] = {
    Cell.CODE: _parse_code,
    Cell.STATUS: _parse_code,
    Cell.FLAG: _parse_flag,
    Cell.DATE: _parse_date,
    Cell.INSTANT: _parse_instant,
    Cell.COUNTRY: _parse_letters(2, _("a country of two letters")),
    Cell.CURRENCY: _parse_letters(3, _("an ISO 4217 currency code")),
}


# --- Writing ----------------------------------------------------------------------------------------------------


def render(column: Column, value: Value) -> str:
    """``value`` as a text that ``parse`` understands as the same.

    :raises CellError: the value cannot be written, or would not be read again.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, datetime):
        if value.tzinfo is None:
            raise CellError(ProblemKind.VALUE, _("an instant without its offset from UTC"))
        text = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, Decimal):
        text = write_number(value)
    else:
        text = str(value)
    if text.strip():
        parse(column, text, Reading())
    return text
