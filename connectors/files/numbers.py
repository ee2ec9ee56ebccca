"""Numbers as texts, without guessing.

``1.234`` is a thousand and more in one country and little more than one in another. Where no decimal mark is
declared, such a number is refused; numbers that can be read in one way only are taken:

>>> parse_number("1,234.50", None), parse_number("1.234,50", None), parse_number("1234.5", None)
(Decimal('1234.50'), Decimal('1234.50'), Decimal('1234.5'))
>>> parse_number("1.234", None)
Traceback (most recent call last):
...
connectors.files.problems.CellError: '1.234' is 1.234 or 1234: declare the decimal mark
>>> parse_number("1.234", DecimalMark.POINT)
Decimal('1.234')

What we write can be read in one way only: never three decimals.

>>> write_number(Decimal("1.234"))
'1.2340'
"""

import re
from decimal import Decimal

from ..jsondoc import MAX_DECIMALS, MAX_DIGITS
from ..words import _
from .problems import CellError, ProblemKind, not_expected, quote
from .settings import DecimalMark

_SPACES = " '\u00a0\u202f\u2019"
_EXPECTED = {
    None: _("a number"),
    DecimalMark.POINT: _("a number with a decimal point"),
    DecimalMark.COMMA: _("a number with a decimal comma"),
}
_MARKS = {DecimalMark.POINT: (".", ","), DecimalMark.COMMA: (",", ".")}


def _shape(mark: str, group: str) -> re.Pattern[str]:
    grouped = rf"[1-9][0-9]{{0,2}}(?:([{re.escape(group)}{_SPACES}])[0-9]{{3}})(?:\1[0-9]{{3}})*"
    return re.compile(rf"-?(?:{grouped}|[0-9]+)(?:{re.escape(mark)}[0-9]+)?")


_SHAPES = {decimal: _shape(mark, group) for decimal, (mark, group) in _MARKS.items()}


def parse_number(text: str, decimal: DecimalMark | None) -> Decimal:
    """:raises CellError: no number, one of senseless size, or one that can be read in two ways."""
    readings = {mark: value for mark in DecimalMark if (value := _read(text, mark)) is not None}
    if decimal is None:
        values = set(readings.values())
    else:
        values = {readings[decimal]} if decimal in readings else set()
        # One group of three digits behind the other country's mark contradicts the declaration as likely as not.
        if values and len(set(readings.values())) > 1 and _MARKS[decimal][0] not in text:
            values = set(readings.values())
    if not values:
        raise not_expected(_EXPECTED[decimal], text)
    if len(values) > 1:
        one, other = (format(value, "f") for value in sorted(values))
        words = _("%(text)s is %(one)s or %(other)s: declare the decimal mark", text=quote(text), one=one, other=other)
        raise CellError(ProblemKind.AMBIGUOUS, words)
    return sensible(values.pop())


def sensible(number: Decimal) -> Decimal:
    """``number``, if an amount of money can be as large and as fine."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number.adjusted() >= MAX_DIGITS or exponent < -MAX_DECIMALS:
        raise not_expected(_("a number of sensible size"), str(number))
    return number


def write_number(number: Decimal) -> str:
    text = format(sensible(number), "f")
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def _read(text: str, decimal: DecimalMark) -> Decimal | None:
    if len(text) > 60 or not _SHAPES[decimal].fullmatch(text):
        return None
    mark, group = _MARKS[decimal]
    return Decimal(re.sub(f"[{re.escape(group)}{_SPACES}]", "", text).replace(mark, "."))
