"""What policyholders send in: taken once per reference, numbered, moved from status to status.

A submission is a row: its ``body`` is what was sent, its ``outcome`` what the insurer has added since, both JSON.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .store import Row, Store
from .web import Refusal


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened that a policyholder may want to know at once."""

    kind: str
    buyer_id: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How submissions of a kind are numbered (``CL-2026-00007``), in which status they begin, and what is told when
    they move."""

    prefix: str
    first: str = "RECEIVED"
    moved: str = ""


KINDS = {
    "buyer_number": Kind("BN", "PENDING", "BUYER_NUMBER_GIVEN"),
    "claim": Kind("CL", moved="CLAIM_MOVED"),
    "collection": Kind("CO", moved="COLLECTION_MOVED"),
    "cover_request": Kind("CR", "PENDING", "COVER_REQUEST_DECIDED"),
    "document": Kind("DO"),
    "extension": Kind("EX", moved="EXTENSION_MOVED"),
    "monitoring": Kind("MO", "ACTIVE"),
    "overdue": Kind("OV"),
    "plan": Kind("RP", moved="PLAN_MOVED"),
    "receipts": Kind("DR"),
    "report": Kind("RE", "ORDERED", "REPORT_MOVED"),
    "shipments": Kind("DS"),
    "turnover": Kind("DT"),
}
OTHER = Kind("SU")


class Submissions:
    """:param now: the simulator's clock, aware and in UTC."""

    def __init__(self, store: Store, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.store = store
        self.now = now
        self.listeners: list[Callable[[Event], None]] = []

    def tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    def submit(
        self, kind: str, body: Row, check: Callable[[Row], None], *, keep: Callable[[Row], Row] = lambda body: body
    ) -> tuple[Row, bool]:
        """Take a submission in, once: (submission, whether it was here before).

        ``check`` refuses what is wrong with a new one; ``keep`` says what of it is stored. The same reference with
        other content is refused.
        """
        reference = body["reference"]
        fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
        with self.store.transaction():
            known = self.by_reference(kind, reference)
            if known is None:
                check(body)
                self._take_in(kind, reference, fingerprint, keep(body))
                return self.by_reference(kind, reference) or {}, False
            if known["fingerprint"] != fingerprint:
                message = f"{reference} was used for {number(known)} with other content"
                raise Refusal(409, "reference_reused", message)
            return known, True

    def _take_in(self, kind: str, reference: str, fingerprint: str, body: Row) -> None:
        moment = self.now().isoformat()
        self.store.run(
            "INSERT INTO submission (kind, reference, fingerprint, body, status, received_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(kind, reference, fingerprint, json.dumps(body, default=str)),
            *(KINDS.get(kind, OTHER).first, moment, moment),
        )

    def by_reference(self, kind: str, reference: str) -> Row | None:
        return self.store.row("SELECT * FROM submission WHERE kind = ? AND reference = ?", kind, reference)

    def by_number(self, kind: str, wanted: str) -> Row:
        serial = wanted.rpartition("-")[2]
        found = None
        if serial.isascii() and serial.isdigit() and len(serial) < 18:
            found = self.store.row("SELECT * FROM submission WHERE kind = ? AND id = ?", kind, int(serial))
        if found is None or number(found) != wanted:
            raise Refusal(404, f"{kind}_unknown", f"We know no {wanted}")
        return found

    def submissions(self, kind: str, status: str = "") -> list[Row]:
        """The submissions of a kind, or those of them with a status, oldest first."""
        if status:
            return self.store.rows("SELECT * FROM submission WHERE kind = ? AND status = ? ORDER BY id", kind, status)
        return self.store.rows("SELECT * FROM submission WHERE kind = ? ORDER BY id", kind)

    def pending_request(self, policy_number: str, buyer_id: str) -> Row | None:
        """The undecided cover request for a buyer, if there is one."""
        return self.store.row(
            "SELECT * FROM submission WHERE kind = 'cover_request' AND status = 'PENDING'"
            " AND json_extract(body, '$.policyNumber') = ? AND json_extract(body, '$.buyerId') = ?",
            *(policy_number, buyer_id),
        )

    def pending_page(self, policy_number: str, after: int, size: int) -> tuple[list[Row], int]:
        """``size`` undecided cover requests under a policy that follow the row ``after``, and how many there are."""
        where = (
            "FROM submission WHERE kind = 'cover_request' AND status = 'PENDING'"
            " AND json_extract(body, '$.policyNumber') = ?"
        )
        with self.store.transaction():
            rows = self.store.rows(f"SELECT * {where} AND id > ? ORDER BY id LIMIT ?", policy_number, after, size)
            counted = self.store.row(f"SELECT count(*) AS n {where}", policy_number)
        return rows, counted["n"] if counted else 0

    def move(self, submission: Row, status: str, **outcome: Any) -> Row:
        """Give a submission another status and add to its outcome."""
        merged = json.dumps({**json.loads(submission["outcome"]), **outcome}, default=str)
        moment = self.now().isoformat()
        self.store.run(
            "UPDATE submission SET status = ?, outcome = ?, updated_at = ? WHERE id = ?",
            *(status, merged, moment, submission["id"]),
        )
        moved = KINDS.get(submission["kind"], OTHER).moved
        if moved:
            self.tell(Event(moved, json.loads(submission["body"]).get("buyerId", ""), number(submission)))
        return {**submission, "status": status, "outcome": merged, "updated_at": moment}


def number(submission: Row) -> str:
    """The insurer's number of a submission, such as ``CL-2026-00007``."""
    prefix = KINDS.get(submission["kind"], OTHER).prefix
    return f"{prefix}-{submission['received_at'][:4]}-{submission['id']:05d}"
