"""The vocabulary in which every form is described: kinds of records, their columns, their parts.

The tables in ``outgoing.py`` and ``answers.py`` are the only place that knows which columns there are; the forms, the
templates, the published XML schema and the cover sheet are all made from them.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

MAX_CELL = 32_767  # characters, what a cell of a workbook holds


class Cell(StrEnum):
    """What a column holds."""

    TEXT = "text"
    IDENTIFIER = "identifier"  # a text on one line; blanks around it mean nothing
    CODE = "code"  # one of ours; others are refused
    STATUS = "status"  # one of ours; others are kept raw and become "unknown"
    AMOUNT = "amount"  # 0 or more
    NUMBER = "number"  # may be negative
    PERCENTAGE = "percentage"  # 0 to 100
    INTEGER = "integer"
    FLAG = "flag"
    DATE = "date"
    INSTANT = "instant"
    COUNTRY = "country"  # ISO 3166-1 alpha-2
    CURRENCY = "currency"  # ISO 4217


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``name`` is the heading, the XML element and the attribute of the message; ``meaning`` is English,
    for the instructions."""

    name: str
    cell: Cell
    meaning: str
    required: bool = False
    codes: type[StrEnum] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a record, such as the invoices of a claim. ``name`` is the attribute of the message, ``item`` one
    line of it; ``key`` names the columns by which a line is recognised, none: by all of them. A ``single`` part is an
    attribute that is one line and not a list."""

    name: str
    item: str
    type: type[Any]
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    needed: bool = False
    single: bool = False

    def heading(self, column: Column) -> str:
        """The heading of a column of this part in a table: there all columns lie side by side."""
        return f"{self.item}_{column.name}"


@dataclass(frozen=True)
class Kind:
    """One kind of record. ``key`` names the columns by which a record is recognised within a file."""

    code: str
    type: type[Any]
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    parts: tuple[Part, ...] = ()

    @cached_property
    def table(self) -> dict[str, tuple[Part | None, Column]]:
        """What lies under each heading of a table of such records, in order."""
        headings: dict[str, tuple[Part | None, Column]] = {column.name: (None, column) for column in self.columns}
        for part in self.parts:
            headings |= {part.heading(column): (part, column) for column in part.columns}
        return headings
