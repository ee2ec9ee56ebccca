"""What is wrong with a file: as a whole (``FileError``), or in one place of it (``Problem``)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce

from ..words import Words, _

QUOTED = 60  # characters of a wrong value that are repeated


class ProblemKind(StrEnum):
    """What a problem is about, for wording it in the user's language."""

    VALUE = "value"  # a cell does not hold what its column is for
    MISSING = "missing"  # a required cell is empty
    AMBIGUOUS = "ambiguous"  # a number that can be read in two ways
    FORMULA = "formula"  # a formula where a value is expected
    MESSAGE = "message"  # the cells are right, together they are not
    LINE = "line"  # a line that is no line of the table
    DUPLICATE = "duplicate"  # said before, in the same words
    CONTRADICTION = "contradiction"  # said before, otherwise
    COLUMN = "column"  # a column nobody knows
    RECORD = "record"  # a kind of record that is not expected here
    SHEET = "sheet"  # a sheet that is not read
    ENCODING = "encoding"  # a file that does not say in which character set it is


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing found in a file. ``refused`` says that the line, or the record it belongs to, was not taken; the
    others are only told. ``line`` counts from 1: lines of a text, rows of a sheet, segments of an EDIFACT
    interchange; 0 is the file as a whole. ``words`` are English that can be told in another language."""

    kind: ProblemKind
    words: Words
    line: int = 0
    column: str = ""
    sheet: str = ""
    refused: bool = True

    @property
    def sentence(self) -> Words:
        """The words behind the place they are about."""
        return _placed(self.words, self.line, self.column, self.sheet)


class Findings(list[Problem]):
    """The problems of a file, of which no more than ``MOST`` are kept; ``more`` counts the others."""

    MOST = 1000

    def __init__(self) -> None:
        super().__init__()
        self.more = 0

    def append(self, problem: Problem) -> None:
        if len(self) < self.MOST:
            super().append(problem)
        else:
            self.more += 1

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.append(problem)

    def sorted(self) -> tuple[Problem, ...]:
        """In the order of the file, and last how many there are besides."""
        told = sorted(self, key=lambda problem: (problem.sheet, problem.line))
        words = _("%(count)s more problems", count=self.more)
        return (*told, *([Problem(ProblemKind.LINE, words, refused=False)] if self.more else []))


class FileError(ValueError):
    """Nothing of the file can be taken, or a message cannot be written into the file asked for. ``line`` is 0 and
    ``column`` empty where there is no single place."""

    def __init__(self, words: Words, *, line: int = 0, column: str = "", sheet: str = "") -> None:
        super().__init__(_placed(words, line, column, sheet))
        self.words = words
        self.line = line
        self.column = column
        self.sheet = sheet


class CellError(ValueError):
    """A cell does not hold what its column is for."""

    def __init__(self, kind: ProblemKind, words: Words) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words


def not_expected(expected: Words, got: object) -> CellError:
    return CellError(ProblemKind.VALUE, _("expected %(expected)s, got %(got)s", expected=expected, got=quote(got)))


def quote(value: object) -> str:
    """``value`` for a message, cut to a bearable length."""
    text = repr(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def _placed(words: Words, line: int, column: str, sheet: str) -> Words:
    places = [
        *([_("sheet %(sheet)s", sheet=sheet)] if sheet else []),
        *([_("line %(line)s", line=line)] if line else []),
        *([column] if column else []),
    ]
    if not places:
        return words
    place = reduce(lambda outer, inner: _("%(outer)s, %(inner)s", outer=outer, inner=inner), places)
    return _("%(place)s: %(words)s", place=place, words=words)
