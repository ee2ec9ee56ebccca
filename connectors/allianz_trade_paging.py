"""Lists of Allianz Trade: numbered pages, a total that may be missing, and pages that come twice.

A list ends with the first page that is not full, or when as many entries were offered as the insurer counts. A page
that is the same as the one before is asked for again, because with numbered pages going on would lose one.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

from .errors import UnexpectedResponse

TRIES = 3  # answers in a row that bring nothing, after which a list is taken to be broken


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on: the page of which part of the policy, what the page before looked like, and how often
    this one has come to nothing. Its text is the ``token`` of a page."""

    part: int = 0
    page: int = 1
    before: str = ""
    tries: int = 0

    def text(self) -> str:
        return f"{self.part}.{self.page}.{self.before}.{self.tries}"

    @classmethod
    def read(cls, token: str | None) -> Self:
        """:raises ValueError: it is no token of ours."""
        if token is None:
            return cls()
        part, page, before, tries = token.split(".")
        return cls(int(part), int(page), before, int(tries))


@dataclass(frozen=True, slots=True)
class Listing:
    """One page as it came: how many entries of how many at most, what it looked like, the total where told."""

    count: int
    size: int
    content: bytes
    total: int | None

    def following(self, cursor: Cursor, parts: int, insurer: str) -> Cursor | None:
        """Where to go on, ``None`` at the end.

        :raises UnexpectedResponse: the same page, or an empty one before the end, came again and again.
        """
        look = hashlib.sha256(self.content).hexdigest()[:12] if self.count else ""
        offered = cursor.page * self.size
        ends = self.count < self.size if self.total is None else offered >= self.total
        if look and look == cursor.before or not self.count and not ends:
            if cursor.tries + 1 >= TRIES:
                raise UnexpectedResponse("the same page comes again and again", insurer=insurer, field="page")
            return replace(cursor, tries=cursor.tries + 1)
        if not ends:
            return Cursor(cursor.part, cursor.page + 1, look)
        return Cursor(cursor.part + 1) if cursor.part + 1 < parts else None
