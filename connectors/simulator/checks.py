"""What the interface ``/v1`` refuses: each check raises a ``Refusal`` in the insurer's words.

A check gets the book and the body of a new submission.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from .book import Book, money, number
from .store import Row
from .web import Refusal

DOCUMENT_OWNERS = ("claim", "overdue", "extension", "plan", "collection")
REQUEST_KINDS = ("NEW", "INCREASE", "REDUCE", "CANCEL")


def require_texts(members: object, *names: str) -> None:
    for name in names:
        value = members.get(name) if isinstance(members, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise Refusal(422, "missing", f"{name} is missing")


def require_dates(members: Row, *names: str) -> None:
    require_texts(members, *names)
    for name in names:
        try:
            date.fromisoformat(members[name])
        except ValueError as exc:
            raise Refusal(422, "bad_date", f"{name}: {members[name]!r} is no date") from exc


def rows_of(body: Row, name: str) -> list[Row]:
    rows = body.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal(422, "bad_list", f"{name} must be a list of objects")
    return rows


def check_parties(book: Book, body: Row) -> Row:
    """The policy, after buyer and policy were found."""
    require_texts(body, "policyNumber", "buyerId")
    book.buyer(body["buyerId"])
    return book.policy(body["policyNumber"])


def check_cover_request(book: Book, body: Row) -> None:
    require_texts(body, "kind", "currency")
    policy = check_parties(book, body)
    if body["kind"] not in REQUEST_KINDS:
        raise Refusal(422, "bad_kind", f"{body['kind']} is no kind of request")
    if body["currency"] != policy["currency"]:
        raise Refusal(422, "bad_currency", f"The policy is in {policy['currency']}")
    if body["kind"] != "CANCEL" and (body.get("amount") is not None or body.get("product") in (None, "CREDIT_LIMIT")):
        money(body.get("amount"))
    pending = book.pending_request(body["policyNumber"], body["buyerId"])
    if pending:
        raise Refusal(409, "request_pending", f"{number(pending)} for this buyer is not decided yet")


def check_invoices(book: Book, body: Row) -> None:
    check_parties(book, body)
    invoices = rows_of(body, "invoices") if body.get("invoices") else []
    if not invoices:
        raise Refusal(422, "no_invoices", "At least one invoice is needed")
    for invoice in invoices:
        check_invoice(invoice)


def check_invoice(invoice: object) -> None:
    require_texts(invoice, "number", "issuedOn", "dueOn", "currency")
    money(invoice.get("openAmount") if isinstance(invoice, dict) else None)


def check_claim(book: Book, body: Row) -> None:
    check_invoices(book, body)
    require_texts(body, "cause", "currency")
    policy = book.policy(body["policyNumber"])
    if body["currency"] != policy["currency"]:
        raise Refusal(422, "bad_currency", f"The policy is in {policy['currency']}")
    total = money(body.get("total"))
    same = [invoice for invoice in body["invoices"] if invoice["currency"] == body["currency"]]
    open_sum = sum((money(invoice["openAmount"]) for invoice in same), Decimal(0))
    if len(same) == len(body["invoices"]) and total != open_sum:
        raise Refusal(422, "bad_total", f"The invoices sum up to {open_sum}, not {total}")


def check_extension(book: Book, body: Row) -> None:
    policy = check_parties(book, body)
    check_invoice(body.get("invoice"))
    require_dates(body, "newDueOn")
    require_dates(body["invoice"], "dueOn")
    days = (date.fromisoformat(body["newDueOn"]) - date.fromisoformat(body["invoice"]["dueOn"])).days
    longest = policy.get("maxExtensionDays")
    if days <= 0:
        raise Refusal(422, "bad_date", "The new due date is not later than the original one")
    if longest is not None and days > longest:
        raise Refusal(422, "too_long", f"The policy allows at most {longest} days")


def check_plan(book: Book, body: Row) -> None:
    check_invoices(book, body)
    require_texts(body, "currency")
    require_dates(body, "agreedOn")
    if not rows_of(body, "instalments"):
        raise Refusal(422, "no_instalments", "At least one instalment is needed")
    for instalment in body["instalments"]:
        require_dates(instalment, "dueOn")
        money(instalment.get("amount"))


def check_lines(name: str) -> Callable[[Book, Row], None]:
    """A declaration; what is wrong with single ``name`` is told line by line, see declarations.py."""

    def check(book: Book, body: Row) -> None:
        require_texts(body, "policyNumber")
        book.policy(body["policyNumber"])
        rows_of(body, name)
        if name == "lines":
            require_dates(body, "periodFrom", "periodTo")

    return check


def check_document(book: Book, body: Row) -> None:
    require_texts(body, "ownerNumber", "kind", "name", "mediaType", "content")
    content_of(body)
    for owner in DOCUMENT_OWNERS:
        try:
            book.by_number(owner, body["ownerNumber"])
            return
        except Refusal:
            continue
    raise Refusal(422, "owner_unknown", f"We know no {body['ownerNumber']}")


def content_of(body: Row) -> bytes:
    try:
        content = base64.b64decode(body["content"], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Refusal(422, "bad_content", "content is not base64") from exc
    if not content:
        raise Refusal(422, "bad_content", "content is empty")
    return content


def without_content(body: Row) -> Row:
    """What is kept of a document: everything but its content, with the content's size and SHA-256."""
    content = content_of(body)
    kept = {name: value for name, value in body.items() if name != "content"}
    return {**kept, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def check_buyer(book: Book, body: Row) -> None:
    require_texts(body, "buyerId")
    book.buyer(body["buyerId"])


def check_monitoring(book: Book, body: Row) -> None:
    check_buyer(book, body)
    require_dates(body, "startsOn")


def check_buyer_number(book: Book, body: Row) -> None:
    require_texts(body, "policyNumber", "country", "name")
    book.policy(body["policyNumber"])


CHECKS: dict[str, Callable[[Book, Row], None]] = {
    "buyer_number": check_buyer_number,
    "claim": check_claim,
    "collection": check_invoices,
    "cover_request": check_cover_request,
    "document": check_document,
    "extension": check_extension,
    "monitoring": check_monitoring,
    "overdue": check_invoices,
    "plan": check_plan,
    "receipts": check_lines("receipts"),
    "report": check_buyer,
    "shipments": check_lines("shipments"),
    "turnover": check_lines("lines"),
}
