"""The insurer's book: buyers, grades, covers and, from submissions.py, what policyholders sent in.

A claim moves RECEIVED → IN_REVIEW → ACCEPTED → PAID, or to REFUSED; a cover request waits PENDING until somebody
decides it (decisions.py). Both move by a control call or by the passing of time (passing.py).
"""

import json
import secrets
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import SequenceMatcher

from .store import Row
from .submissions import KINDS, Event, Submissions, number
from .web import Refusal

__all__ = ["CLAIM_STEPS", "KINDS", "Book", "Event", "money", "number"]

CLAIM_STEPS = ("RECEIVED", "IN_REVIEW", "ACCEPTED", "PAID")


class Book(Submissions):
    """Everything the insurer knows."""

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

    def set_own_reference(self, buyer_id: str, reference: str) -> None:
        """Keep the policyholder's own number of a buyer."""
        self.buyer(buyer_id)
        self.store.run("UPDATE buyer SET own_reference = ? WHERE buyer_id = ?", reference, buyer_id)

    def grades(self, buyer_id: str) -> list[Row]:
        """All grades of a buyer, the current one first."""
        return self.store.rows("SELECT * FROM grade WHERE buyer_id = ? ORDER BY id DESC", buyer_id)

    def set_grade(self, buyer_id: str, value: str, graded_on: str | None = None) -> None:
        self.buyer(buyer_id)
        self.store.run(
            "INSERT INTO grade (buyer_id, value, graded_on) VALUES (?, ?, ?)",
            *(buyer_id, value, graded_on or self.today().isoformat()),
        )
        self.note(buyer_id, "GRADE_CHANGED", f"Grade {value}")

    def grade_page(self, policy_number: str, since: str, after: int, size: int) -> list[Row]:
        """``size`` current grades, each with its ``previous_value``, that follow the row ``after``: of buyers with a
        cover under the policy, graded on or after ``since``."""
        return self.store.rows(
            "SELECT g.*, (SELECT value FROM grade p WHERE p.buyer_id = g.buyer_id AND p.id < g.id"
            " ORDER BY p.id DESC LIMIT 1) AS previous_value FROM grade g"
            " JOIN cover c ON c.policy_number = ? AND c.buyer_id = g.buyer_id"
            " WHERE g.id > ? AND g.graded_on >= ?"
            " AND NOT EXISTS (SELECT 1 FROM grade n WHERE n.buyer_id = g.buyer_id AND n.id > g.id)"
            " ORDER BY g.id LIMIT ?",
            *(policy_number, after, since, size),
        )

    # --- What is reported about buyers ------------------------------------------------------------------------------

    def watched(self, buyer_id: str) -> bool:
        return bool(
            self.store.row(
                "SELECT 1 FROM submission WHERE kind = 'monitoring' AND json_extract(body, '$.buyerId') = ?", buyer_id
            )
        )

    def note(self, buyer_id: str, kind: str, words: str, *, always: bool = False) -> None:
        """Tell that something happened to a buyer, and keep it as a notification when the buyer is watched."""
        if always or self.watched(buyer_id):
            self.store.run(
                "INSERT INTO event (buyer_id, kind, happened_on, words) VALUES (?, ?, ?, ?)",
                *(buyer_id, kind, self.today().isoformat(), words),
            )
        self.tell(Event(kind, buyer_id))

    def event_page(self, since: str, after: int, size: int) -> list[Row]:
        return self.store.rows(
            "SELECT * FROM event WHERE id > ? AND happened_on >= ? ORDER BY id LIMIT ?", after, since, size
        )

    # --- Covers -------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, after: int, size: int) -> tuple[list[Row], int]:
        """``size`` covers that follow the row ``after``, and how many there are in all."""
        with self.store.transaction():
            covers = self.store.rows(
                "SELECT c.*, b.own_reference FROM cover c JOIN buyer b USING (buyer_id)"
                " WHERE c.policy_number = ? AND c.id > ? ORDER BY c.id LIMIT ?",
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
            self.note(buyer_id, "COVER_CHANGED", f"Cover {changes.get('status', 'changed')}")

    # --- Claims ---------------------------------------------------------------------------------------------------

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
    if wanted.get("ownReference") and wanted["ownReference"] == buyer["own_reference"]:
        return 99
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
