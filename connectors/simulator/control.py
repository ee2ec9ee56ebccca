"""The strings behind the stage: what a test, a story or a person makes the insurer do.

Every control is a method of ``Control`` and a call under ``/_control``; bodies are JSON, or the fields of a form
(which is answered by a redirection to the page).

| call | body |
|---|---|
| ``GET  state`` | everything there is, except the log |
| ``POST reset`` | empties the book, the log and the faults |
| ``POST seed`` | ``{"name": "demo"}``, ``{"generate": 100000}`` or ``{"data": {…}}`` as in seeding.py |
| ``POST buyers/{id}/grade`` | ``{"value", "gradedOn"?}`` |
| ``POST buyers/{id}/cover`` | ``{"statusCode"?, "amount"?, "effectiveFrom"?, "effectiveTo"?, "conditions"?,`` |
|  | ``"announcements"?, "policyNumber"?}`` |
| ``POST cover-requests/{id}/decide`` | ``{"decision": "APPROVED" or "PARTIAL" or "REFUSED", "amount"?, "message"?}`` |
| ``GET  claims`` | ``?reference=``; ``{"count", "claims"}`` |
| ``POST claims/{number}/advance`` | ``{"to"?, "amount"?, "message"?}`` |
| ``POST claims/advance`` | moves every claim one step on |
| ``GET  requests`` · ``POST requests/clear`` | the last calls received, oldest first |
| ``GET/POST faults`` · ``POST faults/clear`` | see faults.py |
| ``POST tokens/expire`` | all tokens end now |
"""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from . import seeding
from .book import Book, money, number
from .faults import Fault, Faults
from .store import Row
from .web import Answer, Handler, Refusal, Request, Router, json_answer

COVER_CODES = ("PENDING", "APPROVED", "PARTIAL", "REFUSED", "REDUCED", "WITHDRAWN", "EXPIRED")
COVER_MEMBERS = ("statusCode", "amount", "effectiveFrom", "effectiveTo", "conditions", "announcements", "policyNumber")
DECISIONS = ("APPROVED", "PARTIAL", "REFUSED")
KINDS = {"claims": "claim", "overdues": "overdue", "coverRequests": "cover_request"}


@dataclass
class Control:
    """What can be pulled; also the log of received calls."""

    book: Book
    faults: Faults = field(default_factory=Faults)
    log: deque[Row] = field(default_factory=lambda: deque(maxlen=1000))

    # --- The book -----------------------------------------------------------------------------------------------

    def reset(self) -> None:
        self.book.store.clear()
        self.faults.clear()
        self.log.clear()

    def seed(self, name: str = "", *, generate: int = 0, data: seeding.Seed | None = None) -> None:
        seed = data or (seeding.made_up_seed(generate) if generate else seeding.named_seed(name))
        try:
            seeding.load(self.book.store, seed, self.book.today())
        except (KeyError, TypeError, AttributeError) as exc:
            raise Refusal(422, "bad_seed", f"The seed lacks {exc}") from exc

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

    def decide(self, request_id: str, decision: str = "", amount: object = None, message: str = "") -> None:
        """Decide a cover request. The cover follows, except that a refused increase leaves it as it is."""
        if decision not in DECISIONS:
            raise Refusal(422, "bad_decision", f"{decision!r} is not one of {', '.join(DECISIONS)}")
        with self.book.store.transaction():
            request = self.book.by_number("cover_request", request_id)
            if request["status"] != "PENDING":
                raise Refusal(409, "decided", f"{request_id} is decided already")
            wanted = json.loads(request["body"])
            granted = self._granted(wanted, decision, amount)
            today = self.book.today().isoformat()
            self.book.move(request, decision, decidedOn=today, grantedAmount=granted, message=message)
            self._follow(wanted, decision, granted)

    def _granted(self, wanted: Row, decision: str, amount: object) -> str | None:
        if decision == "REFUSED" or wanted["kind"] == "CANCEL":
            return None
        if decision == "PARTIAL" and amount is None:
            raise Refusal(422, "missing", "A partial decision needs an amount")
        return f"{money(wanted['amount'] if amount is None else amount):.2f}"

    def _follow(self, wanted: Row, decision: str, granted: str | None) -> None:
        policy, buyer = wanted["policyNumber"], wanted["buyerId"]
        today = self.book.today()
        if decision == "REFUSED":
            if self.book.cover(policy, buyer) is None:
                changes = {"status": "REFUSED", "amount": "0.00", "requested_amount": wanted.get("amount")}
                self.book.set_cover(policy, buyer, changes)
        elif wanted["kind"] == "CANCEL":
            self.book.set_cover(policy, buyer, {"status": "WITHDRAWN", "effective_to": today.isoformat()})
        else:
            status = "REDUCED" if wanted["kind"] == "REDUCE" else decision
            changes = {"status": status, "amount": granted, "requested_amount": str(wanted["amount"])}
            self.book.set_cover(policy, buyer, {**changes, "effective_from": today.isoformat()})

    def withdraw(self, buyer_id: str, in_days: int = 0) -> None:
        """Withdraw a buyer's cover today, or announce that it will be in ``in_days`` days."""
        if in_days > 0:
            notice = {"kind": "WITHDRAWAL", "effectiveFrom": in_days, "announcedOn": 0}
            self.set_cover(buyer_id, announcements=[notice])
        else:
            last = self.book.today() - timedelta(days=1)
            self.set_cover(buyer_id, statusCode="WITHDRAWN", effectiveTo=last.isoformat(), announcements=[])

    def claims(self, reference: str = "") -> list[Row]:
        """The claims received, with number, reference and status."""
        claims = self.book.submissions("claim")
        return [_brief(claim) for claim in claims if reference in ("", claim["reference"])]

    def advance_claim(self, claim_number: str, to: str = "", amount: object = None, message: str = "") -> None:
        claim = self.book.by_number("claim", claim_number)
        self.book.advance_claim(claim, to, None if amount is None else money(amount), message)

    def advance_claims(self) -> None:
        for claim in self.book.submissions("claim"):
            self.book.advance_claim(claim)

    def state(self) -> Row:
        store = self.book.store
        numbers = {name: [_brief(row) for row in self.book.submissions(kind)] for name, kind in KINDS.items()}
        return {
            "policies": [json.loads(row["details"]) for row in store.rows("SELECT details FROM policy")],
            "buyers": store.rows("SELECT * FROM buyer ORDER BY buyer_id"),
            "grades": store.rows("SELECT buyer_id, value, graded_on FROM grade ORDER BY id"),
            "covers": store.rows("SELECT * FROM cover ORDER BY id"),
            **numbers,
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


def _brief(submission: Row) -> Row:
    kept = {name: submission[name] for name in ("reference", "status", "received_at", "updated_at")}
    body, outcome = json.loads(submission["body"]), json.loads(submission["outcome"])
    return {"number": number(submission), **kept, "body": body, "outcome": outcome}


def mount(router: Router, control: Control) -> None:
    """The methods above as calls under ``/_control``."""
    for path, answer in _readings(control).items():
        router.add("GET", f"/_control/{path}", _reading(answer))
    for path, act in _actions(control).items():
        router.add("POST", f"/_control/{path}", _acting(act))


def _readings(control: Control) -> dict[str, Callable[[Request], Row]]:
    def claims(request: Request) -> Row:
        found = control.claims(request.query.get("reference", ""))
        return {"count": len(found), "claims": found}

    return {
        "state": lambda _request: control.state(),
        "claims": claims,
        "requests": lambda _request: {"requests": control.requests()},
        "faults": lambda _request: {"faults": [asdict(fault) for fault in control.faults.waiting()]},
    }


def _actions(control: Control) -> dict[str, Callable[..., None]]:
    outcome = ("amount", "message")
    return {
        "reset": lambda _body: control.reset(),
        "seed": lambda body: control.seed(**_only(body, "name", "generate", "data")),
        "requests/clear": lambda _body: control.log.clear(),
        "faults": lambda body: control.faults.add(Fault.read(body)),
        "faults/clear": lambda _body: control.faults.clear(),
        "tokens/expire": lambda _body: control.book.expire_tokens(),
        "claims/advance": lambda _body: control.advance_claims(),
        "claims/{name}/advance": lambda body, name: control.advance_claim(name, **_only(body, "to", *outcome)),
        "buyers/{name}/grade": lambda body, name: control.set_grade(name, *_grade(body)),
        "buyers/{name}/cover": lambda body, name: control.set_cover(name, **_only(body, *COVER_MEMBERS)),
        "cover-requests/{name}/decide": lambda body, name: control.decide(name, **_only(body, "decision", *outcome)),
    }


def _reading(answer: Callable[[Request], Row]) -> Handler:
    return lambda request: json_answer(answer(request))


def _acting(act: Callable[..., None]) -> Handler:
    def handle(request: Request, **names: str) -> Answer:
        act(request.members() if request.body else {}, *names.values())
        return Answer(303, headers={"Location": "/"}) if request.is_form else json_answer({"done": True})

    return handle


def _only(body: Row, *names: str) -> Row:
    unknown = set(body) - set(names)
    if unknown:
        raise Refusal(422, "unknown_member", f"not known here: {', '.join(sorted(unknown))}")
    return body


def _grade(body: Row) -> tuple[str, object]:
    if not str(_only(body, "value", "gradedOn").get("value", "")).strip():
        raise Refusal(422, "missing", "value is missing")
    return str(body["value"]).strip(), body.get("gradedOn", 0)
