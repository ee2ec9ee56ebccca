"""What is printed on the sheet that goes with a file: keys to be translated, and values to be formatted."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from .cells import Value
from .columns import Column, Part
from .records import to_record

LEFT_OUT = {"currency"}  # stands beside the amounts


@dataclass(frozen=True, slots=True)
class SheetRow:
    """``label`` is a key, the name of the column; ``value`` is typed: a date is a date, a code an enum."""

    label: str
    value: Value
    currency: str = ""


@dataclass(frozen=True, slots=True)
class SheetTable:
    """The lines of a part; ``title`` and ``headings`` are keys."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class CoverSheet:
    """``title`` is the code of the kind. ``totals`` has one row per total and currency."""

    title: str
    reference: str
    rows: tuple[SheetRow, ...]
    tables: tuple[SheetTable, ...]
    totals: tuple[SheetRow, ...]


TOTALS = {
    "invoices": ("open_amount",),
    "invoice": ("open_amount",),
    "instalments": ("amount",),
    "lines": ("amount",),
    "shipments": ("amount", "insured_amount"),
    "receipts": ("amount",),
}


def cover_sheet(message: object) -> CoverSheet:
    """What a person reads about ``message``, which says the same as the file.

    :raises FileError: a message that has no form.
    """
    record = to_record(message)
    currency = str(record.head.get("currency") or "")
    rows = [
        SheetRow(column.name, value, currency if isinstance(value, Decimal) else "")
        for column in record.kind.columns
        if (value := record.head[column.name]) is not None and column.name not in {*LEFT_OUT, "reference"}
    ]
    tables = [_table(part, record.parts[part.name]) for part in record.kind.parts]
    totals = [row for part in record.kind.parts for row in _totals(part, record.parts[part.name], currency)]
    reference = str(record.head["reference"])
    return CoverSheet(record.kind.code, reference, tuple(rows), tuple(tables), tuple(totals))


def _table(part: Part, lines: list[dict[str, Value]]) -> SheetTable:
    used: list[Column] = [column for column in part.columns if any(line[column.name] is not None for line in lines)]
    rows = tuple(tuple(line[column.name] for column in used) for line in lines)
    return SheetTable(part.name, tuple(column.name for column in used), rows)


def _totals(part: Part, lines: Iterable[dict[str, Value]], currency: str) -> list[SheetRow]:
    sums: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        for name in TOTALS.get(part.name, ()):
            amount, key = line[name], (f"{part.item}_{name}", str(line.get("currency") or currency))
            if isinstance(amount, Decimal):
                sums[key] = sums.get(key, Decimal(0)) + amount
    return [SheetRow(label, total, unit) for (label, unit), total in sums.items()]
