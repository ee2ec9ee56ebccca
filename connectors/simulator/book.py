"""The insurer's book: buyers, grades, covers, and what policyholders sent in; how these change.

A claim moves RECEIVED → IN_REVIEW → ACCEPTED → PAID, or to REFUSED; a cover request waits PENDING until somebody
decides it. Both move by a control call or, when ``step_seconds`` is set, a claim also by the passing of time.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import SequenceMatcher
from typing import Any

from .store import Row, Store
from .web import Refusal

CLAIM_STEPS = ("RECEIVED", "IN_REVIEW", "ACCEPTED", "PAID")
PREFIXES = {"claim": "CL", "overdue": "OV", "cover_request": "CR"}


class Book:
    """:param now: the simulator's clock, aware and in UTC.
    :param step_seconds: a claim untouched for so long moves one step on; ``None``: only when told.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        step_seconds: float | None = None,
    ) -> None:
        self.store = store
        self.now = now
        self._step_seconds = step_seconds

    def today(self) -> date:
        return self.now().date()

    # --- Tokens -------------------------------------------------------------------------------------------------

    def issue_token(self, seconds: float) -> str:
        value = secrets.token_urlsafe(32)
        self.store.run("INSERT INTO token VALUES (?, ?)", value, self.now().timestamp() + seconds)
        return value

    def accepts_token(self, value: str) -> bool:
        token = self.store.row("SELECT expires_at FROM token WHERE value = ?", value)
        return token is not None and token["expires_at"] > self.now().timestamp()

    def expire_tokens(self) -> None:
        self.store.run("DELETE FROM token")

    # --- Buyers, grades, policies -------------------------------------------------------------------------------

    def buyer(self, buyer_id: str) -> Row:
        buyer = self.store.row("SELECT * FROM buyer WHERE buyer_id = ?", buyer_id)
        if buyer is None:
            raise Refusal(422, "buyer_unknown", f"We know no buyer {buyer_id}")
        return buyer

    def search(self, wanted: Row) -> list[tuple[int, Row]]:
        """Buyers and their likeness with ``wanted``, best first, at most ten."""
        buyers = self.store.rows("SELECT * FROM buyer WHERE country = ?", wanted["country"].upper())
        scored = [(_likeness(wanted, buyer), buyer) for buyer in buyers]
        scored = [found for found in scored if found[0] >= 50]
        return sorted(scored, key=lambda found: (-found[0], found[1]["buyer_id"]))[:10]

    def policy(self, number: str) -> Row:
        policy = self.store.row("SELECT details FROM policy WHERE number = ?", number)
        if policy is None:
            raise Refusal(422, "policy_unknown", f"We know no policy {number}")
        details: Row = json.loads(policy["details"])
        return details

    def grades(self, buyer_id: str) -> list[Row]:
        """All grades of a buyer, the current one first."""
        return self.store.rows("SELECT * FROM grade WHERE buyer_id = ? ORDER BY id DESC", buyer_id)

    def set_grade(self, buyer_id: str, value: str, graded_on: str | None = None) -> None:
        self.buyer(buyer_id)
        self.store.run(
            "INSERT INTO grade (buyer_id, value, graded_on) VALUES (?, ?, ?)",
            *(buyer_id, value, graded_on or self.today().isoformat()),
        )

    # --- Covers -------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, after: int, size: int) -> tuple[list[Row], int]:
        """``size`` covers that follow the row ``after``, and how many there are in all."""
        with self.store.transaction():
            covers = self.store.rows(
                "SELECT * FROM cover WHERE policy_number = ? AND id > ? ORDER BY id LIMIT ?",
                *(policy_number, after, size),
            )
            counted = self.store.row("SELECT count(*) AS n FROM cover WHERE policy_number = ?", policy_number)
        return covers, counted["n"] if counted else 0

    def cover(self, policy_number: str, buyer_id: str) -> Row | None:
        return self.store.row("SELECT * FROM cover WHERE policy_number = ? AND buyer_id = ?", policy_number, buyer_id)

    def set_cover(self, policy_number: str, buyer_id: str, changes: Row) -> None:
        """Make or change the cover of a buyer; ``changes`` maps columns to values."""
        self.buyer(buyer_id)
        policy = self.policy(policy_number)
        today = self.today().isoformat()
        base = {
            "buyer_id": buyer_id,
            "policy_number": policy_number,
            "currency": policy["currency"],
            "insured_percentage": policy["insuredPercentage"],
            "effective_from": today,
            "decided_on": today,
        }
        with self.store.transaction():
            cover = self.cover(policy_number, buyer_id) or base
            if "amount" in changes and "id" in cover:
                changes = {"previous_amount": cover["amount"], **changes}
            self.store.insert("cover", [{**cover, "decided_on": today, **changes}], replace=True)

    # --- What policyholders send ----------------------------------------------------------------------------------

    def submit(self, kind: str, body: Row, check: Callable[[Row], None]) -> tuple[Row, bool]:
        """Take a submission in, once: (submission, whether it was here before).

        ``check`` refuses what is wrong with a new one. The same reference with other content is refused.
        """
        reference = body["reference"]
        fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
        with self.store.transaction():
            known = self.by_reference(kind, reference)
            if known is None:
                check(body)
                self._take_in(kind, reference, fingerprint, body)
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
            *("PENDING" if kind == "cover_request" else "RECEIVED", moment, moment),
        )

    def by_reference(self, kind: str, reference: str) -> Row | None:
        found = self.store.row("SELECT * FROM submission WHERE kind = ? AND reference = ?", kind, reference)
        return found and self._up_to_date(found)

    def by_number(self, kind: str, wanted: str) -> Row:
        serial = wanted.rpartition("-")[2]
        found = None
        if serial.isascii() and serial.isdigit() and len(serial) < 18:
            found = self.store.row("SELECT * FROM submission WHERE kind = ? AND id = ?", kind, int(serial))
        if found is None or number(found) != wanted:
            raise Refusal(404, f"{kind}_unknown", f"We know no {wanted}")
        return self._up_to_date(found)

    def submissions(self, kind: str) -> list[Row]:
        rows = self.store.rows("SELECT * FROM submission WHERE kind = ? ORDER BY id", kind)
        return [self._up_to_date(row) for row in rows]

    def pending_request(self, policy_number: str, buyer_id: str) -> Row | None:
        """The undecided cover request for a buyer, if there is one."""
        for row in self.store.rows("SELECT * FROM submission WHERE kind = 'cover_request' AND status = 'PENDING'"):
            body = json.loads(row["body"])
            if (body["policyNumber"], body["buyerId"]) == (policy_number, buyer_id):
                return row
        return None

    def move(self, submission: Row, status: str, **outcome: Any) -> Row:
        """Give a submission another status and add to its outcome."""
        merged = {**json.loads(submission["outcome"]), **outcome}
        moment = self.now().isoformat()
        self.store.run(
            "UPDATE submission SET status = ?, outcome = ?, updated_at = ? WHERE id = ?",
            *(status, json.dumps(merged, default=str), moment, submission["id"]),
        )
        return {**submission, "status": status, "outcome": json.dumps(merged, default=str), "updated_at": moment}

    def advance_claim(self, claim: Row, to: str = "", amount: Decimal | None = None, message: str = "") -> Row:
        """Move a claim to ``to``, or one step on; accepted is ``amount``, else the insured part of the total."""
        if claim["status"] not in CLAIM_STEPS[:-1]:
            return claim
        to = to or CLAIM_STEPS[CLAIM_STEPS.index(claim["status"]) + 1]
        if to not in (*CLAIM_STEPS, "REFUSED"):
            raise Refusal(422, "bad_status", f"A claim cannot become {to}")
        outcome: Row = {"message": message} if message else {}
        if to in ("ACCEPTED", "PAID"):
            accepted = amount if amount is not None else self._insured_part(claim)
            outcome["acceptedAmount"] = str(accepted)
        if to == "PAID":
            outcome["paidAmount"] = outcome["acceptedAmount"]
        return self.move(claim, to, **outcome)

    def _insured_part(self, claim: Row) -> Decimal:
        agreed = json.loads(claim["outcome"]).get("acceptedAmount")
        if agreed is not None:
            return Decimal(agreed)
        body = json.loads(claim["body"])
        percentage = Decimal(self.policy(body["policyNumber"])["insuredPercentage"])
        return (Decimal(str(body["total"])) * percentage / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def _up_to_date(self, submission: Row) -> Row:
        """The submission after the steps that time has brought it."""
        if self._step_seconds is None or submission["kind"] != "claim":
            return submission
        step = timedelta(seconds=self._step_seconds)
        since = datetime.fromisoformat(submission["updated_at"])
        due = int((self.now() - since) / step) if step else 0
        for _step in range(min(due, len(CLAIM_STEPS))):
            submission = self.advance_claim(submission)
        return submission


def number(submission: Row) -> str:
    """The insurer's number of a submission, such as ``CL-2026-00007``."""
    return f"{PREFIXES[submission['kind']]}-{submission['received_at'][:4]}-{submission['id']:05d}"


def money(value: object) -> Decimal:
    """A positive amount from a request, sent as number or text."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < Decimal("1e15"):
        raise Refusal(422, "bad_amount", f"{value!r} is not an amount")
    return amount


def _likeness(wanted: Row, buyer: Row) -> int:
    """0 to 100: an equal number decides, otherwise the name does, and an equal town adds a little."""
    if wanted.get("buyerId") == buyer["buyer_id"]:
        return 100
    for name, column in (("vatNumber", "vat_number"), ("registrationNumber", "registration_number")):
        if wanted.get(name) and _bare(wanted[name]) == _bare(buyer[column]):
            return 98
    if not wanted.get("name"):
        return 0
    alike = SequenceMatcher(None, _bare(wanted["name"]), _bare(buyer["name"])).ratio()
    city = (wanted.get("address") or {}).get("city") or ""
    return round(90 * alike) + (5 if city and _bare(city) == _bare(buyer["city"]) else 0)


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
