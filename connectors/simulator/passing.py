"""What the passing of time brings: claims move on, requests are decided, announced changes come into force."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from .book import CLAIM_STEPS, Book
from .decisions import decide, deliver_report, give_number
from .store import Row
from .submissions import number

GOOD = 6  # the worst grade that gets what it asks for
POOR = 8  # the worst grade that gets half of it


@dataclass(frozen=True, slots=True)
class Passing:
    """:param step_seconds: a claim left alone for so long moves one step on; ``None``: only when told.
    :param decide_seconds: what waits for a decision for so long gets one; ``None``: only when told.
    """

    book: Book
    step_seconds: float | None = None
    decide_seconds: float | None = None

    def catch_up(self) -> None:
        """Do what is due by the insurer's clock."""
        with self.book.store.transaction():
            self._announced()
            if self.step_seconds is not None:
                self._claims(self.step_seconds)
            if self.decide_seconds is not None:
                self._requests(self.decide_seconds)

    def _announced(self) -> None:
        for cover in self.book.store.rows("SELECT * FROM cover WHERE announcements != '[]'"):
            today = self.book.today().isoformat()
            notices = json.loads(cover["announcements"])
            due = [notice for notice in notices if notice["effectiveFrom"] and notice["effectiveFrom"] <= today]
            if not due:
                continue
            left = json.dumps([notice for notice in notices if notice not in due])
            changes: Row = {"announcements": left}
            for notice in sorted(due, key=lambda notice: str(notice["effectiveFrom"])):
                changes |= self._in_force(notice)
            self.book.set_cover(cover["policy_number"], cover["buyer_id"], changes)

    def _in_force(self, notice: Row) -> Row:
        if notice["kind"] == "REDUCTION" and notice.get("amount") is not None:
            amount = f"{Decimal(str(notice['amount'])):.2f}"
            return {"status": "REDUCED", "amount": amount, "effective_from": notice["effectiveFrom"]}
        if notice["kind"] == "WITHDRAWAL":
            last = datetime.fromisoformat(notice["effectiveFrom"]) - timedelta(days=1)
            return {"status": "WITHDRAWN", "effective_to": last.date().isoformat()}
        return {}

    def _claims(self, seconds: float) -> None:
        for claim in self.book.submissions("claim"):
            for _step in range(min(self._due(claim, seconds), len(CLAIM_STEPS))):
                claim = self.book.advance_claim(claim)

    def _requests(self, seconds: float) -> None:
        for kind, first in (("cover_request", "PENDING"), ("report", "ORDERED"), ("buyer_number", "PENDING")):
            for waiting in self.book.submissions(kind, first):
                if not self._due(waiting, seconds):
                    continue
                if kind == "report":
                    deliver_report(self.book, number(waiting))
                elif kind == "buyer_number":
                    give_number(self.book, number(waiting))
                else:
                    self._decide(waiting)

    def _decide(self, request: Row) -> None:
        """By the buyer's grade; a buyer without one, or with one of another scale, gets what it asks for."""
        body = json.loads(request["body"])
        grades = self.book.grades(body["buyerId"])
        value = grades[0]["value"] if grades else ""
        grade = int(value) if value.isascii() and value.isdigit() else 0
        if body["kind"] in ("REDUCE", "CANCEL") or grade <= GOOD:
            decide(self.book, number(request), "APPROVED")
        elif grade <= POOR and body.get("amount") is not None:
            decide(self.book, number(request), "PARTIAL", Decimal(str(body["amount"])) / 2, "Half, given the grade")
        else:
            decide(self.book, number(request), "REFUSED", message="The buyer's grade does not allow it")

    def _due(self, submission: Row, seconds: float) -> int:
        """How often ``seconds`` have gone by since the submission was last touched."""
        since = self.book.now() - datetime.fromisoformat(submission["updated_at"])
        return int(since / timedelta(seconds=seconds)) if seconds > 0 else 1
