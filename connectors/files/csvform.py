"""CSV: written as RFC 4180 has it, read as it comes.

A text that a spreadsheet would take for a formula is written with an apostrophe before it, which is taken off again
when it is read. A line that cannot be read costs that line only.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from ..words import Words, _
from .cells import NUMBERS, Raw, Value, render
from .columns import MAX_CELL, Column
from .problems import FileError, Problem, ProblemKind
from .records import Record
from .rows import RECORD, Row, Table, flatten, knows, our_headings
from .settings import DELIMITERS, Reading

FORMULA = re.compile("'*\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")
MAX_COLUMNS = 200
MAX_LINES_OF_A_CELL = 100
MAX_BROKEN = 1000
BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


# --- Writing ----------------------------------------------------------------------------------------------------


def write_csv(headings: Iterable[str], records: Iterable[Record], delimiter: str) -> bytes:
    """A table with the given headings, the kind of each record in the first column; UTF-8 with a byte order mark,
    without which spreadsheets take it for something else."""
    names = list(headings)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow([RECORD, *names])
    for record in records:
        for row in flatten(record):
            writer.writerow([record.kind.code, *(_cell(*row[name]) if name in row else "" for name in names)])
    return out.getvalue().encode("utf-8-sig")


def _cell(column: Column, value: Value) -> str:
    text = render(column, value)
    return f"'{text}" if column.cell not in NUMBERS and FORMULA.match(text) else text


# --- Reading ----------------------------------------------------------------------------------------------------


def read_csv(content: bytes, reading: Reading, problems: list[Problem]) -> Table:
    """:raises FileError: no text, no heading line, or too much that is broken."""
    lines = list(io.StringIO(_decode(content, reading, problems), newline=""))
    start = next((index for index, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise FileError(_("the file is empty"))
    declared = reading.delimiter
    if found := re.fullmatch(r"sep=(.)\s*", lines[start]):
        if found.group(1) not in DELIMITERS:
            raise FileError(_("the delimiter %(mark)s is not known", mark=repr(found.group(1))), line=start + 1)
        declared, start = declared or found.group(1), start + 1
    if start == len(lines) or len(lines[start]) > MAX_CELL:
        raise FileError(_("there is no line of headings"), line=start + 1)
    delimiter = declared or _delimiter(lines[start], reading)
    written = next(csv.reader([lines[start]], delimiter=delimiter))
    if len(written) > MAX_COLUMNS:
        raise FileError(_("more than %(most)s columns", most=MAX_COLUMNS), line=start + 1)
    headings = our_headings(written, reading, problems, start + 1, "")
    if not any(headings):
        raise FileError(_("no known heading in the first line"), line=start + 1)
    return Table(tuple(headings), _rows(lines, start + 1, delimiter, headings, problems))


def _decode(content: bytes, reading: Reading, problems: list[Problem]) -> str:
    encoding = next((name for mark, name in BOMS if content.startswith(mark)), "")
    start = {"": 0, "utf-8": 3}.get(encoding, 2)
    if not encoding and len(content) > 1 and 0 in content[:2] and any(content[:2]):
        encoding = "utf-16-be" if content[0] == 0 else "utf-16-le"
    for name in (encoding,) if encoding else ("utf-8", reading.encoding or "cp1252"):
        try:
            text = content[start:].decode(name)
        except UnicodeDecodeError as exc:
            where = content[: start + exc.start].count(b"\n") + 1
            byte = content[start + exc.start] if exc.start + start < len(content) else 0
            wrong = _("not %(encoding)s: byte %(byte)s", encoding=name, byte=f"{byte:#04x}")
            continue
        if "\0" in text:
            line = text[: text.index("\0")].count("\n") + 1
            raise FileError(_("a NUL character: this is no text"), line=line)
        if name == "cp1252" and not reading.encoding:
            words = _("the file does not say its character set and was read as Windows-1252; declare the encoding")
            problems.append(Problem(ProblemKind.ENCODING, words, refused=False))
        return text
    raise FileError(wrong, line=where)


def _delimiter(line: str, reading: Reading) -> str:
    def known(delimiter: str) -> int:
        return sum(knows(heading, reading) for heading in next(csv.reader([line], delimiter=delimiter)))

    return max(DELIMITERS, key=known)


class _Lines:
    """The physical lines from one on, as one record takes them."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.start = self.next = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.next == len(self.lines) or self.next - self.start > MAX_LINES_OF_A_CELL:
            raise StopIteration
        self.next += 1
        return self.lines[self.next - 1]


def _rows(lines: list[str], first: int, delimiter: str, headings: list[str], problems: list[Problem]) -> Iterator[Row]:
    source = _Lines(lines)
    source.next = first
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    broken = 0
    while source.next < len(lines):
        source.start = source.next
        try:
            texts = next(reader)
            wrong = _overfull(texts, headings)
        except csv.Error as exc:
            texts, wrong = [], _("this is no line of a table (%(reason)s)", reason=str(exc))
        if wrong:
            problems.append(Problem(ProblemKind.LINE, wrong, source.start + 1))
            source.next = source.start + 1  # what the line took with it is read again
            reader = csv.reader(source, delimiter=delimiter, strict=True)
            broken += 1
            if broken > MAX_BROKEN:
                raise FileError(
                    _("more than %(most)s lines are no lines of a table", most=MAX_BROKEN), line=source.start + 1
                )
            continue
        yield source.start + 1, _cells(headings, texts)


def _overfull(texts: list[str], headings: list[str]) -> Words | None:
    if not any(texts[len(headings) :]):
        return None
    return _("%(cells)s cells under %(headings)s headings", cells=len(texts), headings=len(headings))


def _cells(headings: list[str], texts: list[str]) -> dict[str, Raw]:
    return {
        heading: text[1:] if text.startswith("'") and FORMULA.match(text) else text
        for heading, text in zip(headings, texts, strict=False)
        if heading and text.strip()
    }
