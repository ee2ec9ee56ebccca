"""What the insurer's people decide: requests, numbers, reports, extensions, collection cases."""

import base64
import json
from typing import Any

from .book import Book, money
from .pdf import small_pdf
from .store import Row
from .submissions import number
from .web import Refusal

DECISIONS = ("APPROVED", "PARTIAL", "REFUSED")
COLLECTION_STEPS = ("RECEIVED", "IN_PROGRESS", "LEGAL", "PAID", "CLOSED")
SURE = 98  # likeness from which the insurer takes a buyer for the one that is asked for


# --- Cover ------------------------------------------------------------------------------------------------------


def decide(book: Book, request_id: str, decision: str = "", amount: object = None, message: str = "") -> None:
    """Decide a cover request. The cover follows, except that a refused increase leaves it as it is."""
    if decision not in DECISIONS:
        raise Refusal(422, "bad_decision", f"{decision!r} is not one of {', '.join(DECISIONS)}")
    with book.store.transaction():
        request = book.by_number("cover_request", request_id)
        if request["status"] != "PENDING":
            raise Refusal(409, "decided", f"{request_id} is decided already")
        wanted = json.loads(request["body"])
        granted = _granted(wanted, decision, amount)
        today = book.today().isoformat()
        _follow(book, wanted, decision, granted)
        book.move(request, decision, decidedOn=today, grantedAmount=granted, message=message)


def _granted(wanted: Row, decision: str, amount: object) -> str | None:
    if decision == "REFUSED" or wanted["kind"] == "CANCEL":
        return None
    if decision == "PARTIAL" and amount is None:
        raise Refusal(422, "missing", "A partial decision needs an amount")
    asked = wanted.get("amount") if amount is None else amount
    return f"{money(asked):.2f}" if asked is not None else None


def _follow(book: Book, wanted: Row, decision: str, granted: str | None) -> None:
    policy, buyer = wanted["policyNumber"], wanted["buyerId"]
    today = book.today()
    if decision == "REFUSED":
        if book.cover(policy, buyer) is None:
            changes = {"status": "REFUSED", "amount": "0.00", "requested_amount": wanted.get("amount")}
            book.set_cover(policy, buyer, changes)
    elif wanted["kind"] == "CANCEL":
        book.set_cover(policy, buyer, {"status": "WITHDRAWN", "effective_to": today.isoformat()})
    else:
        status = "REDUCED" if wanted["kind"] == "REDUCE" else decision
        changes = {"status": status, "amount": granted, "requested_amount": wanted.get("amount")}
        book.set_cover(policy, buyer, {**changes, "effective_from": today.isoformat(), "effective_to": None})


# --- Buyers -----------------------------------------------------------------------------------------------------


def ask_for_number(book: Book, request: Row) -> Row:
    """A buyer that is known already is named at once; another has to wait."""
    body = json.loads(request["body"])
    found = book.search(body)
    if found and found[0][0] >= SURE:
        if body.get("ownReference"):
            book.set_own_reference(found[0][1]["buyer_id"], body["ownReference"])
        return book.move(request, "DONE", buyerId=found[0][1]["buyer_id"])
    return request


def give_number(book: Book, request_id: str, buyer_id: str = "", message: str = "", refuse: bool = False) -> None:
    """Take a buyer into the book under ``buyer_id``, or under a number of its own; or say that it cannot be found."""
    with book.store.transaction():
        request = book.by_number("buyer_number", request_id)
        if request["status"] != "PENDING":
            raise Refusal(409, "decided", f"{request_id} is decided already")
        if refuse:
            book.move(request, "REFUSED", message=message)
            return
        buyer_id = buyer_id or f"9{request['id']:06d}"
        body = json.loads(request["body"])
        address = body.get("address") or {}
        row = {
            "buyer_id": buyer_id,
            "name": body["name"],
            "country": body["country"].upper(),
            "vat_number": body.get("vatNumber") or "",
            "registration_number": body.get("registrationNumber") or "",
            "street": address.get("street") or "",
            "postal_code": address.get("postalCode") or "",
            "city": address.get("city") or "",
            "own_reference": body.get("ownReference") or "",
        }
        if book.store.row("SELECT 1 FROM buyer WHERE buyer_id = ?", buyer_id) is None:
            book.store.insert("buyer", [row])
        book.move(request, "DONE", buyerId=buyer_id, message=message)


# --- Reports ----------------------------------------------------------------------------------------------------


def deliver_report(book: Book, order_id: str, message: str = "", refuse: bool = False) -> None:
    """Deliver an ordered report with what the book says, or refuse to."""
    with book.store.transaction():
        order = book.by_number("report", order_id)
        if order["status"] != "ORDERED":
            raise Refusal(409, "decided", f"{order_id} is delivered or refused already")
        if refuse:
            book.move(order, "REFUSED", message=message)
            return
        body = json.loads(order["body"])
        buyer, grades = book.buyer(body["buyerId"]), book.grades(body["buyerId"])
        cover = book.store.row("SELECT * FROM cover WHERE buyer_id = ? ORDER BY id", body["buyerId"])
        amount = cover["amount"] if cover else None
        grade = grades[0]["value"] if grades else ""
        today = book.today().isoformat()
        lines = [buyer["name"], f"{buyer['country']} {buyer['vat_number']}", f"Grade {grade}", f"Limit {amount or '-'}"]
        content = small_pdf(f"Credit report {order_id} of {today}", lines)
        report = {
            "name": f"{order_id}.pdf",
            "mediaType": "application/pdf",
            "content": base64.b64encode(content).decode(),
        }
        outcome: Row = {"issuedOn": today, "grade": grade, "recommendedAmount": amount, "report": report}
        if cover:
            outcome["currency"] = cover["currency"]
        book.move(order, "DELIVERED", message=message, **outcome)


# --- Debts ------------------------------------------------------------------------------------------------------


def answer_extension(book: Book, notice_number: str, decision: str = "", message: str = "") -> None:
    _answer(book, "extension", notice_number, decision, message)


def answer_plan(book: Book, notice_number: str, decision: str = "", message: str = "") -> None:
    _answer(book, "plan", notice_number, decision, message)


def _answer(book: Book, kind: str, notice_number: str, decision: str, message: str) -> None:
    if decision not in ("AGREED", "REFUSED"):
        raise Refusal(422, "bad_decision", f"{decision!r} is not AGREED or REFUSED")
    book.move(book.by_number(kind, notice_number), decision, message=message)


def advance_collection(book: Book, case_number: str, to: str = "", message: str = "", **amounts: Any) -> None:
    """Move a case to ``to``, or one step on; ``recovered``, ``costs`` and ``approved_costs`` are what there is of them
    in all from now on."""
    case = book.by_number("collection", case_number)
    if not to:
        to = COLLECTION_STEPS[min(COLLECTION_STEPS.index(case["status"]) + 1, len(COLLECTION_STEPS) - 1)]
    if to not in COLLECTION_STEPS:
        raise Refusal(422, "bad_status", f"A case cannot become {to}")
    names = {"recovered": "recoveredAmount", "costs": "costs", "approved_costs": "approvedCosts"}
    outcome = {names[name]: f"{money(value):.2f}" for name, value in amounts.items() if value is not None}
    if message:
        outcome["message"] = message
    book.move(case, to, **outcome)


def undecided(book: Book, kind: str) -> list[str]:
    """The numbers of the submissions of a kind that wait."""
    first = {"cover_request": "PENDING", "buyer_number": "PENDING", "report": "ORDERED"}[kind]
    return [number(row) for row in book.submissions(kind, first)]
