"""Records as rows of one table and back, the same for CSV and for workbooks.

A record takes as many rows as the longest of its parts has lines, one at least; its head is repeated in each. Rows
belong together when they have the same key, wherever they stand.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from ..words import Words, _
from .cells import Raw, Value, is_empty, plain
from .columns import Column, Kind, Part
from .problems import FileError, Problem, ProblemKind, quote
from .records import KINDS, Draft, Record
from .settings import Reading

RECORD = "record"  # the heading of the column that names the kind
MAX_ROWS = 200_000

Row = tuple[int, dict[str, Raw]]


@dataclass(frozen=True, slots=True)
class Table:
    """Headings as written and rows by our headings, with the number of each row."""

    headings: tuple[str, ...]
    rows: Iterable[Row]
    sheet: str = ""


@dataclass(slots=True)
class Assembly:
    """Drafts made from rows, by their keys."""

    problems: list[Problem]
    drafts: dict[tuple[str, ...], Draft] = field(default_factory=dict)
    rows: int = 0

    def told(self, kind: ProblemKind, words: Words, place: Draft, line: int, *, refused: bool) -> None:
        self.problems.append(Problem(kind, words, line, "", place.sheet, refused))


# --- Writing ----------------------------------------------------------------------------------------------------


def flatten(record: Record) -> Iterator[dict[str, tuple[Column, Value]]]:
    """The rows of a record, values by heading."""
    head = {column.name: (column, record.head[column.name]) for column in record.kind.columns}
    lists = [[_part_cells(part, line) for line in record.parts[part.name]] for part in record.kind.parts]
    for lines in list(zip_longest(*lists, fillvalue={})) or [()]:
        row = dict(head)
        for line in lines:
            row |= line
        yield row


def _part_cells(part: Part, line: dict[str, Value]) -> dict[str, tuple[Column, Value]]:
    return {part.heading(column): (column, line[column.name]) for column in part.columns}


# --- Reading ----------------------------------------------------------------------------------------------------


def our_headings(written: Iterable[str], reading: Reading, problems: list[Problem], line: int, sheet: str) -> list[str]:
    """Our heading for each written one, empty for those nobody knows, which are told.

    :raises FileError: the same column twice: which one holds?
    """
    known = {heading for kind in KINDS.values() for heading in kind.table} | {RECORD}
    aliases = {_folded(theirs): ours for theirs, ours in reading.headings.items()}
    headings: list[str] = []
    for text in written:
        ours = aliases.get(_folded(text), _folded(text))
        if ours in known and ours in headings:
            raise FileError(_("this column is there twice"), line=line, column=ours, sheet=sheet)
        if ours not in known and ours:
            words = _("nobody knows the column %(column)s; it is passed over", column=quote(text))
            problems.append(Problem(ProblemKind.COLUMN, words, line, text[:60], sheet, refused=False))
        headings.append(ours if ours in known else "")
    return headings


def knows(heading: str, reading: Reading) -> bool:
    """Whether a heading is one of ours, or has been declared to be."""
    folded = _folded(heading)
    return (
        folded == RECORD or folded in map(_folded, reading.headings) or any(folded in k.table for k in KINDS.values())
    )


def assemble(table: Table, reading: Reading, assembly: Assembly) -> None:
    """Add the rows of ``table`` to the drafts."""
    usual = _usual_kind(table, reading)
    for line, cells in table.rows:
        if not cells:
            continue
        assembly.rows += 1
        if assembly.rows > MAX_ROWS:
            raise FileError(_("more than %(most)s lines", most=MAX_ROWS), line=line, sheet=table.sheet)
        named = plain(cells.pop(RECORD, "")).lower()
        kind = KINDS.get(named) if named else usual
        if kind is None:
            words = _("the kind of record is not said")
            if named:
                words = _("there is no record %(kind)s", kind=quote(named))
            assembly.problems.append(Problem(ProblemKind.RECORD, words, line, RECORD, table.sheet))
        else:
            _add(kind, Draft(kind, line, table.sheet), cells, assembly)


def _usual_kind(table: Table, reading: Reading) -> Kind | None:
    """The kind of the rows that do not name it: declared, the name of the sheet, or all columns of just one kind."""
    for name in (reading.kind, table.sheet):
        if name in KINDS:
            return KINDS[name]
    there = {heading for heading in table.headings if heading} - {RECORD}
    fitting = [kind for kind in KINDS.values() if there == set(kind.table)]
    return fitting[0] if len(fitting) == 1 else None


def _add(kind: Kind, new: Draft, cells: dict[str, Raw], assembly: Assembly) -> None:
    lines: dict[str, dict[str, Raw]] = {}
    for heading, raw in cells.items():
        if heading not in kind.table:
            words = _("a %(kind)s has no such column; the cell is passed over", kind=kind.code)
            assembly.problems.append(Problem(ProblemKind.COLUMN, words, new.line, heading, new.sheet, refused=False))
            continue
        part, column = kind.table[heading]
        (lines.setdefault(part.name, {}) if part else new.head)[column.name] = raw
    new.parts = {name: [(new.line, line)] for name, line in lines.items()}
    join(new, assembly)


def join(new: Draft, assembly: Assembly) -> None:
    """Add a draft; where one with the same key is there, its lines to that one."""
    key = tuple(plain(new.head.get(name, "")) for name in new.kind.key)
    whole = (new.kind.code, *(key if all(key) else (*key, new.sheet, str(new.line))))
    old = assembly.drafts.setdefault(whole, new)
    given, heads = {**new.parts}, new.head
    if old is new:
        new.parts = {}
    elif not (_same(heads, old.head) or given and _same({**old.head, **heads}, old.head)):
        old.broken = True
        what = ", ".join(filter(None, key))
        words = _("says something else than line %(line)s about %(what)s; neither is taken", line=old.line, what=what)
        assembly.told(ProblemKind.CONTRADICTION, words, new, new.line, refused=True)
    elif not given:
        words = _("says the same as line %(line)s", line=old.line)
        assembly.told(ProblemKind.DUPLICATE, words, new, new.line, refused=False)
    for part in new.kind.parts:
        for line, cells in given.get(part.name, []):
            _join_line(part, old, line, cells, assembly)


def _join_line(part: Part, old: Draft, line: int, cells: dict[str, Raw], assembly: Assembly) -> None:
    names = part.key or [column.name for column in part.columns]
    key = (part.name, *(plain(cells.get(name, "")) for name in names))
    if key not in old.index:
        old.index[key] = (line, cells)
        old.parts.setdefault(part.name, []).append((line, cells))
        return
    first, there = old.index[key]
    if _same(cells, there):
        words = _("says the same %(part)s as line %(line)s", part=part.item, line=first)
        assembly.told(ProblemKind.DUPLICATE, words, old, line, refused=False)
    else:
        old.broken = True
        words = _(
            "says something else about this %(part)s than line %(line)s; the record is not taken",
            part=part.item,
            line=first,
        )
        assembly.told(ProblemKind.CONTRADICTION, words, old, line, refused=True)


def _same(one: dict[str, Raw], other: dict[str, Raw]) -> bool:
    filled = [{name: plain(raw) for name, raw in cells.items() if not is_empty(raw)} for cells in (one, other)]
    return filled[0] == filled[1]


def _folded(heading: str) -> str:
    return "_".join(heading.strip().lower().split())
