"""The strings behind the stage: what a test, a story or a person makes the insurer do.

Every string is a method of ``Control``; control_calls.py makes them calls under ``/_control``.
"""

import json
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from . import decisions, seeding, webhooks
from .book import Book, money, number
from .clock import Clock
from .decisions import DECISIONS
from .faults import Fault, Faults
from .passing import Passing
from .store import Row
from .submissions import KINDS, Event
from .web import Refusal

__all__ = ["COVER_CODES", "DECISIONS", "Control", "brief"]

COVER_CODES = ("PENDING", "APPROVED", "PARTIAL", "REFUSED", "REDUCED", "WITHDRAWN", "EXPIRED")


@dataclass
class Control:
    """What can be pulled; also the log of received calls."""

    book: Book
    clock: Clock = field(default_factory=Clock)
    step_seconds: float | None = None
    decide_seconds: float | None = None
    faults: Faults = field(default_factory=Faults)
    log: deque[Row] = field(default_factory=lambda: deque(maxlen=1000))

    def catch_up(self) -> None:
        """Let happen what is due by the insurer's clock; done before every call, too."""
        Passing(self.book, self.step_seconds, self.decide_seconds).catch_up()

    def move_clock(self, seconds: float = 0.0) -> None:
        """Let ``seconds`` go by at once; 0 sets the clock right again."""
        if seconds:
            self.clock.move(seconds)
        else:
            self.clock.reset()
        self.catch_up()

    # --- The book -----------------------------------------------------------------------------------------------

    def reset(self) -> None:
        self.book.store.clear()
        self.faults.clear()
        self.log.clear()
        self.clock.reset()

    def seed(self, name: str = "", *, generate: int = 0, data: seeding.Seed | None = None) -> None:
        if generate and not data:
            seeding.generate(self.book.store, generate, self.book.today())
            return
        try:
            seeding.load(self.book.store, data or seeding.named_seed(name), self.book.today())
        except (KeyError, TypeError, AttributeError) as exc:
            raise Refusal(422, "bad_seed", f"The seed lacks {exc}") from exc

    def set_own_reference(self, buyer_id: str, reference: str) -> None:
        """Keep the policyholder's own number of a buyer beside the insurer's."""
        self.book.set_own_reference(buyer_id, reference)

    def set_grade(self, buyer_id: str, value: str, graded_on: object = 0) -> None:
        """Give a buyer another grade; the one before becomes its previous one."""
        self.book.set_grade(buyer_id, str(value), seeding.day(graded_on, self.book.today()))

    def set_cover(self, buyer_id: str, **members: Any) -> None:
        """Make or change a buyer's cover; members as in the cover of a seed, only those that change."""
        today = self.book.today()
        changes: Row = {}
        if "statusCode" in members:
            changes["status"] = members["statusCode"]
        if members.get("amount") is not None:
            changes["amount"] = f"{money(members['amount']):.2f}"
        for name, column in (("effectiveFrom", "effective_from"), ("effectiveTo", "effective_to")):
            if name in members:
                changes[column] = seeding.day(members[name], today)
        if "conditions" in members:
            changes["conditions"] = json.dumps(members["conditions"])
        if "announcements" in members:
            changes["announcements"] = json.dumps(seeding.announcements(members["announcements"], today))
        self.book.set_cover(members.get("policyNumber") or self._policy_number(), buyer_id, changes)

    def change_share(self, share: float, status: str = "", factor: float = 1.0, grade_by: int = 0) -> int:
        """Change every n-th cover, and grade, of the book at once; gives how many."""
        return seeding.change_share(self.book.store, share, self.book.today(), status, factor, grade_by)

    def decide(self, request_id: str, decision: str = "", amount: object = None, message: str = "") -> None:
        """Decide a cover request. The cover follows, except that a refused increase leaves it as it is."""
        decisions.decide(self.book, request_id, decision, amount, message)

    def withdraw(self, buyer_id: str, in_days: int = 0) -> None:
        """Withdraw a buyer's cover today, or announce that it will be in ``in_days`` days."""
        if in_days > 0:
            notice = {"kind": "WITHDRAWAL", "effectiveFrom": in_days, "announcedOn": 0}
            self.set_cover(buyer_id, announcements=[notice])
        else:
            last = self.book.today() - timedelta(days=1)
            self.set_cover(buyer_id, statusCode="WITHDRAWN", effectiveTo=last.isoformat(), announcements=[])

    def reduce(self, buyer_id: str, amount: object, in_days: int = 0) -> None:
        """Reduce a buyer's cover to ``amount`` today, or announce that it will be in ``in_days`` days."""
        left = f"{money(amount):.2f}"
        if in_days > 0:
            notice = {"kind": "REDUCTION", "effectiveFrom": in_days, "announcedOn": 0, "amount": left}
            self.set_cover(buyer_id, announcements=[notice])
        else:
            self.set_cover(buyer_id, statusCode="REDUCED", amount=left, effectiveFrom=0, announcements=[])

    def notify(self, buyer_id: str, kind: str = "", message: str = "") -> None:
        """Report something about a buyer, watched or not."""
        self.book.buyer(buyer_id)
        self.book.note(buyer_id, kind or "PAYMENT_DELAY", message, always=True)

    # --- What was sent in -----------------------------------------------------------------------------------------

    def sent(self, kind: str, reference: str = "") -> list[Row]:
        """What was received of a kind (see submissions.py), with number, reference, status, body and outcome."""
        if kind not in KINDS and self.book.store.row("SELECT 1 FROM submission WHERE kind = ?", kind) is None:
            raise Refusal(404, "no_such_kind", f"{kind!r} is not one of {', '.join(KINDS)}")
        self.catch_up()
        rows = self.book.submissions(kind)
        return [brief(row) for row in rows if reference in ("", row["reference"])]

    def claims(self, reference: str = "") -> list[Row]:
        """The claims received, with number, reference and status."""
        return self.sent("claim", reference)

    def advance_claim(self, claim_number: str, to: str = "", amount: object = None, message: str = "") -> None:
        claim = self.book.by_number("claim", claim_number)
        self.book.advance_claim(claim, to, None if amount is None else money(amount), message)

    def advance_claims(self) -> None:
        for claim in self.book.submissions("claim"):
            self.book.advance_claim(claim)

    def advance_collection(self, case_number: str, to: str = "", message: str = "", **amounts: Any) -> None:
        """Move a collection case; ``recovered``, ``costs``, ``approved_costs``: what there is of them from now on."""
        decisions.advance_collection(self.book, case_number, to, message, **amounts)

    def answer_extension(self, notice_number: str, decision: str = "", message: str = "") -> None:
        """AGREED or REFUSED."""
        decisions.answer_extension(self.book, notice_number, decision, message)

    def answer_plan(self, notice_number: str, decision: str = "", message: str = "") -> None:
        """AGREED or REFUSED."""
        decisions.answer_plan(self.book, notice_number, decision, message)

    def deliver_report(self, order_id: str, message: str = "", refuse: bool = False) -> None:
        decisions.deliver_report(self.book, order_id, message, refuse)

    def give_number(self, request_id: str, buyer_id: str = "", message: str = "", refuse: bool = False) -> None:
        decisions.give_number(self.book, request_id, buyer_id, message, refuse)

    # --- Webhooks -------------------------------------------------------------------------------------------------

    def add_webhook(self, url: str = "", secret: str = "", interface: str = "sandbox") -> None:
        webhooks.register(self.book.store, url, secret, interface=interface)

    def remove_webhook(self, url: str = "") -> None:
        webhooks.forget(self.book.store, url)

    def wake(self, kind: str = "COVER_CHANGED", buyer_id: str = "", request_id: str = "") -> None:
        """Call every registered address, without anything having happened."""
        if kind not in webhooks.KINDS:
            raise Refusal(422, "bad_kind", f"{kind!r} is not one of {', '.join(webhooks.KINDS)}")
        self.book.tell(Event(kind, buyer_id, request_id))

    def deliveries(self) -> list[Row]:
        """The calls made to registered addresses, oldest first, every attempt."""
        return self.book.store.rows("SELECT * FROM delivery ORDER BY id")

    # --- Everything -----------------------------------------------------------------------------------------------

    def state(self) -> Row:
        store = self.book.store
        self.catch_up()
        numbers = {kind: [brief(row) for row in self.book.submissions(kind)] for kind in KINDS}
        return {
            "clock": self.book.now().isoformat(),
            "policies": [json.loads(row["details"]) for row in store.rows("SELECT details FROM policy")],
            "buyers": store.rows("SELECT * FROM buyer ORDER BY buyer_id"),
            "grades": store.rows("SELECT buyer_id, value, graded_on FROM grade ORDER BY id"),
            "covers": store.rows("SELECT * FROM cover ORDER BY id"),
            "claims": numbers["claim"],
            "overdues": numbers["overdue"],
            "coverRequests": numbers["cover_request"],
            "sent": numbers,
            "webhooks": store.rows("SELECT id, url, interface FROM webhook ORDER BY id"),
            "deliveries": self.deliveries()[-100:],
            "faults": [asdict(fault) for fault in self.faults.waiting()],
        }

    # --- Misbehaviour and the log ---------------------------------------------------------------------------------

    def fault(self, kind: str, **members: Any) -> None:
        """Misbehave with the next calls, see faults.py: ``control.fault("drop", path="/v1/claims", when="after")``."""
        self.faults.add(Fault.read({"kind": kind, **members}))

    def requests(self) -> list[Row]:
        """The calls received: method, path, query, status (``None``: not answered), fault, correlation, key."""
        return list(self.log)

    def _policy_number(self) -> str:
        policy = self.book.store.row("SELECT number FROM policy ORDER BY rowid LIMIT 1")
        if policy is None:
            raise Refusal(422, "policy_unknown", "There is no policy: seed first")
        return str(policy["number"])


def brief(submission: Row) -> Row:
    kept = {name: submission[name] for name in ("reference", "status", "received_at", "updated_at")}
    body, outcome = json.loads(submission["body"]), json.loads(submission["outcome"])
    return {"number": number(submission), **kept, "body": body, "outcome": outcome}
