"""Messages as records and back: a record is a head and the lines of its parts.

``Record`` is what is written, ``Draft`` what was read and is not yet believed.
"""

from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from ..words import Words, _, words_of
from .answers import ANSWERS, CONDITIONS, Condition
from .cells import Raw, Value, is_empty, parse, plain, render
from .columns import Cell, Column, Kind, Part
from .outgoing import OUTGOING
from .problems import CellError, FileError, Problem, ProblemKind
from .settings import Reading

EMPTY = _("is empty")
KINDS: dict[str, Kind] = {kind.code: kind for kind in (*OUTGOING, *ANSWERS)}
KIND_OF: dict[type[Any], Kind] = {kind.type: kind for kind in KINDS.values()}


@dataclass(frozen=True, slots=True)
class Record:
    """A message that is to be written: values by the name of their column. Every value can be written."""

    kind: Kind
    head: dict[str, Value]
    parts: dict[str, list[dict[str, Value]]]


@dataclass(slots=True)
class Draft:
    """A record as it was read: cells by the name of their column, the lines of its parts with their place."""

    kind: Kind
    line: int
    sheet: str = ""
    head: dict[str, Raw] = field(default_factory=dict)
    parts: dict[str, list[tuple[int, dict[str, Raw]]]] = field(default_factory=dict)
    broken: bool = False
    index: dict[tuple[str, ...], tuple[int, dict[str, Raw]]] = field(default_factory=dict)  # of the lines, by their key


# --- Writing ----------------------------------------------------------------------------------------------------


def to_record(message: object) -> Record:
    """:raises FileError: a message that has no form, or a value that cannot be written, with its column."""
    kind = KIND_OF.get(type(message))
    if kind is None:
        raise FileError(_("there is no form for %(name)s", name=type(message).__name__))
    head = _written(kind.columns, message)
    return Record(kind, head, {part.name: _lines(part, message) for part in kind.parts})


def _lines(part: Part, message: object) -> list[dict[str, Value]]:
    value = getattr(message, part.name)
    items = (value,) if part.single else value
    lines = [_written(part.columns, Condition(item) if part is CONDITIONS else item, part) for item in items]
    keys = [tuple(line[name] for name in part.key or line) for line in lines]
    twice = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
    if twice is not None:
        what = ", ".join(map(str, filter(None, twice)))
        raise FileError(_("%(what)s is listed twice", what=what), column=part.heading(part.columns[0]))
    return lines


def _written(columns: tuple[Column, ...], item: object, part: Part | None = None) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for column in columns:
        value = getattr(item, column.name)
        try:
            empty = not render(column, value).strip()
            if empty and column.required:
                raise CellError(ProblemKind.MISSING, EMPTY)
        except CellError as exc:
            raise FileError(exc.words, column=part.heading(column) if part else column.name) from exc
        values[column.name] = None if empty else value
    return values


# --- Reading ----------------------------------------------------------------------------------------------------


def to_message(draft: Draft, reading: Reading, problems: list[Problem]) -> Any:
    """The message of ``draft``, or ``None`` after adding to ``problems`` what is wrong with it."""
    before = len(problems)
    place = _Place(draft, draft.line, None)
    values = _understood(draft.kind.columns, draft.head, draft.kind.type, place, reading, problems)
    for part in draft.kind.parts:
        lines = draft.parts.get(part.name, [])
        items = [_item(draft, part, line, cells, reading, problems) for line, cells in lines]
        if part.needed and not lines or part.single and len(lines) > 1:
            words = _("%(count)s lines of %(part)s, expected at least one", count=len(lines), part=part.item)
            if part.single:
                words = _("%(count)s lines of %(part)s, expected one", count=len(lines), part=part.item)
            problems.append(Problem(ProblemKind.MISSING, words, draft.line, part.item, draft.sheet))
        values[part.name] = (items or [None])[0] if part.single else tuple(items)
    if draft.broken or len(problems) > before:
        return None
    try:
        return draft.kind.type(**values)
    except ValueError as exc:
        problems.append(Problem(ProblemKind.MESSAGE, words_of(exc), draft.line, "", draft.sheet))
        return None


@dataclass(frozen=True, slots=True)
class _Place:
    draft: Draft
    line: int
    part: Part | None

    def problem(self, kind: ProblemKind, words: Words, column: Column) -> Problem:
        heading = self.part.heading(column) if self.part else column.name
        return Problem(kind, words, self.line, heading, self.draft.sheet)


def _item(
    draft: Draft, part: Part, line: int, cells: dict[str, Raw], reading: Reading, problems: list[Problem]
) -> object:
    before = len(problems)
    values = _understood(part.columns, cells, part.type, _Place(draft, line, part), reading, problems)
    if len(problems) > before:
        return None
    if part is CONDITIONS:
        return values["words"]
    try:
        return part.type(**values)
    except ValueError as exc:
        problems.append(Problem(ProblemKind.MESSAGE, words_of(exc), line, "", draft.sheet))
        return None


def _understood(
    columns: tuple[Column, ...],
    cells: dict[str, Raw],
    owner: type[Any],
    place: _Place,
    reading: Reading,
    problems: list[Problem],
) -> dict[str, Any]:
    """The values of the cells. An empty cell gives the default of ``owner``, which need not be told."""
    values: dict[str, Any] = {}
    for column in columns:
        raw = cells.get(column.name, "")
        if is_empty(raw):
            if column.required:
                problems.append(place.problem(ProblemKind.MISSING, EMPTY, column))
            continue
        try:
            values[column.name] = parse(column, raw, reading)
        except CellError as exc:
            problems.append(place.problem(exc.kind, exc.words, column))
        if column.cell is Cell.STATUS:
            values["raw_code"] = plain(raw)
    if not is_empty(cells.get("raw_code", "")) and "raw_code" in {column.name for column in columns}:
        values["raw_code"] = plain(cells["raw_code"])
    for told in fields(owner):
        if told.name not in values and told.default is MISSING and told.default_factory is MISSING:
            values[told.name] = "" if told.type is str else None
    return values
