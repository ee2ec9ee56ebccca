"""What has to be declared about a file because it cannot be seen in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from ..words import _

IDENTIFICATION = re.compile(r"[!-9;-~](?:[ -9;-~]{0,33}[!-9;-~])?(?::[A-Za-z0-9]{1,4})?")
CONTROL_REFERENCE = re.compile(r"[A-Za-z0-9]{1,14}")
DELIMITERS = (",", ";", "\t")


class FileForm(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    XML = "xml"
    EDIFACT = "edifact"


class DecimalMark(StrEnum):
    POINT = "point"
    COMMA = "comma"


class DateOrder(StrEnum):
    """How dates are written where they are texts. Cells of a workbook that are dates need no order."""

    ISO = "iso"  # 2026-11-22
    DMY = "dmy"  # 22.11.2026, 22/11/2026
    MDY = "mdy"  # 11/22/2026


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends an EDIFACT interchange to whom, when, under which control reference, as the receiver wants it.

    ``sender`` and ``recipient`` are identifications of up to 35 characters, with the qualifier of their code behind a
    colon where the receiver wants one: ``5412345000013:14``. ``control_reference`` has up to 14 characters and is used
    once between the two; ``created`` is in UTC.

    :raises ValueError: one of them cannot stand in an interchange.
    """

    sender: str = "SENDER"
    recipient: str = "RECIPIENT"
    created: datetime = datetime(2000, 1, 1)
    control_reference: str = "1"

    def __post_init__(self) -> None:
        for name in ("sender", "recipient"):
            if not IDENTIFICATION.fullmatch(getattr(self, name)):
                given = repr(getattr(self, name))
                raise ValueError(_("%(given)s is no identification, such as 5412345000013:14", given=given))
        if not CONTROL_REFERENCE.fullmatch(self.control_reference):
            given = repr(self.control_reference)
            raise ValueError(_("a control reference has 1 to 14 letters and digits, not %(given)s", given=given))


@dataclass(frozen=True, slots=True)
class Reading:
    """How CSV and XLSX files of one sender are to be read. XML and EDIFACT say all of this themselves.

    :param decimal: the decimal mark of numbers that are texts; ``None``: not declared, then a number that can be
        read in two ways is a problem.
    :param dates: the order of dates that are texts.
    :param encoding: of a CSV file without a byte order mark that is not UTF-8; empty: not declared, then it is read
        as Windows-1252, which is told.
    :param delimiter: of a CSV file; empty: the one that makes the most known headings.
    :param headings: the sender's headings, and ours for them.
    :param kind: the kind of all records where the file does not name it.
    """

    decimal: DecimalMark | None = None
    dates: DateOrder = DateOrder.ISO
    encoding: str = ""
    delimiter: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""

    def __post_init__(self) -> None:
        if self.delimiter and self.delimiter not in DELIMITERS:
            given = repr(self.delimiter)
            raise ValueError(_("delimiter must be a comma, a semicolon or a tabulator, not %(given)s", given=given))
        if self.encoding:
            try:
                b"a".decode(self.encoding)
            except LookupError:
                raise ValueError(_("there is no encoding %(name)s", name=repr(self.encoding))) from None

    @classmethod
    def from_settings(cls, values: Mapping[str, str]) -> Self:
        """From the settings of the connector ``file``: ``decimal_mark``, ``date_order``, ``encoding``, ``delimiter``.

        :raises ValueError: one of them has a value that there is not.
        """
        delimiter = values.get("delimiter", "").strip(" ")
        mark = values.get("decimal_mark", "").strip().lower()
        return cls(
            decimal=DecimalMark(mark) if mark else None,
            dates=DateOrder(values.get("date_order", "").strip().lower() or "iso"),
            encoding=values.get("encoding", "").strip(),
            delimiter="\t" if delimiter.lower() == "tab" else delimiter,
        )
