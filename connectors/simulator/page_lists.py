"""The lists of the page: what policyholders sent in, each kind with what can be done about it."""

import json
from collections.abc import Callable

from .control import Control
from .decisions import COLLECTION_STEPS, DECISIONS
from .markup import choice, counted, field, form, hidden, section, small, table, text, url
from .store import Row
from .submissions import number

SHOWN = 200  # rows of a table; a seed for measurements has 100,000
Words = Callable[[Row], str]
Forms = Callable[[Row], str]


def sections(control: Control) -> dict[str, str]:
    """The lists by name, in the order of the page."""
    lists: dict[str, tuple[str, str, Words, Forms]] = {
        "requests": ("Cover requests", "cover_request", _request, _decide),
        "numbers": ("Buyer numbers", "buyer_number", _number_wanted, _give),
        "claims": ("Claims", "claim", _claim, _advance),
        "overdues": ("Overdue notices", "overdue", _invoices, _nothing),
        "extensions": ("Extensions", "extension", _extension, _answer),
        "plans": ("Repayment plans", "plan", _plan, _nothing),
        "collections": ("Collection cases", "collection", _collection, _collect),
        "turnover": ("Turnover declarations", "turnover", _turnover, _nothing),
        "shipments": ("Shipment declarations", "shipments", _lines("shipments"), _nothing),
        "receipts": ("Receipt declarations", "receipts", _lines("receipts"), _nothing),
        "documents": ("Documents", "document", _document, _nothing),
        "reports": ("Credit reports", "report", _about, _deliver),
        "monitorings": ("Watched buyers", "monitoring", _about, _nothing),
    }
    return {name: _list(control, *entry) for name, entry in lists.items()}


def _list(control: Control, title: str, kind: str, words: Words, forms: Forms) -> str:
    rows = control.book.store.rows("SELECT * FROM submission WHERE kind = ? ORDER BY id DESC LIMIT ?", kind, SHOWN)
    count = control.book.store.rows("SELECT count(*) AS n FROM submission WHERE kind = ?", kind)
    shown = table(("Number", "What", "Status", ""), (_row(row, words, forms) for row in rows), "list")
    return section(title, shown, count[0]["n"])


def _row(submission: Row, words: Words, forms: Forms) -> list[str]:
    body, outcome = json.loads(submission["body"]), json.loads(submission["outcome"])
    told = outcome.get("message", "") if isinstance(outcome, dict) else ""
    state = f"<span class='state'>{text(submission['status'])}</span>{small(told)}"
    return [
        f"{text(number(submission))}{small(submission['received_at'][:16].replace('T', ' '))}",
        f"{text(words({**body, **outcome}))}{small(submission['reference'])}",
        state,
        forms(submission),
    ]


# --- In words: a body may come from any interface, so nothing in it is taken for granted --------------------------


def _about(body: Row) -> str:
    return f"buyer {body.get('buyerId', '?')}"


def _request(body: Row) -> str:
    granted = f", granted {body['grantedAmount']}" if body.get("grantedAmount") else ""
    return f"{body.get('kind', '')} {_money(body, 'amount')}, {_about(body)}{granted}"


def _number_wanted(body: Row) -> str:
    return f"{body.get('name', '?')} {body.get('country', '')}" + (
        f" is {body['buyerId']}" if body.get("buyerId") else ""
    )


def _claim(body: Row) -> str:
    paid = f", paid {body['paidAmount']}" if body.get("paidAmount") else ""
    return f"{body.get('cause', '')} {_money(body, 'total')}, {_about(body)}{paid}"


def _invoices(body: Row) -> str:
    return f"{_count(body, 'invoices')}, {_about(body)}"


def _extension(body: Row) -> str:
    invoice = body.get("invoice")
    name = invoice.get("number", "?") if isinstance(invoice, dict) else "?"
    return f"{name} until {body.get('newDueOn', '?')}, {_about(body)}"


def _plan(body: Row) -> str:
    return f"{_count(body, 'instalments')} in {body.get('currency', '?')}, {_about(body)}"


def _collection(body: Row) -> str:
    amounts = [
        f"{words} {body[name]}"
        for name, words in (("recoveredAmount", "recovered"), ("costs", "costs"), ("approvedCosts", "of which agreed"))
        if body.get(name)
    ]
    return ", ".join([_invoices(body), *amounts])


def _turnover(body: Row) -> str:
    return f"{body.get('periodFrom', '?')} to {body.get('periodTo', '?')}, {_count(body, 'lines')}"


def _lines(name: str) -> Words:
    def words(body: Row) -> str:
        refused = f", {len(body['refusals'])} refused" if body.get("refusals") else ""
        return f"{_count(body, name)}{refused}"

    return words


def _document(body: Row) -> str:
    return f"{body.get('name', '?')}, {body.get('size', '?')} bytes, for {body.get('ownerNumber', '?')}"


def _money(body: Row, name: str) -> str:
    return " ".join(str(body[member]) for member in (name, "currency") if body.get(member) is not None)


def _count(body: Row, name: str) -> str:
    value = body.get(name)
    return counted(len(value) if isinstance(value, list) else 0, name.removesuffix("s"))


# --- What can be done ---------------------------------------------------------------------------------------------


def _nothing(_submission: Row) -> str:
    return ""


def _decide(request: Row) -> str:
    fields = choice("decision", "Decision", DECISIONS) + field("amount", "Amount") + field("message", "Words", "long")
    path = f"cover-requests/{url(number(request))}/decide"
    return form(path, fields, "Decide") if request["status"] == "PENDING" else ""


def _give(request: Row) -> str:
    path = f"buyer-numbers/{url(number(request))}/give"
    return form(path, field("buyerId", "Number"), "Give a number") if request["status"] == "PENDING" else ""


def _advance(claim: Row) -> str:
    if claim["status"] in ("PAID", "REFUSED"):
        return ""
    path = f"claims/{url(number(claim))}/advance"
    refuse = form(path, hidden("to", "REFUSED") + field("message", "Words", "long"), "Refuse")
    return form(path, field("amount", "Amount"), "Next step") + refuse


def _answer(extension: Row) -> str:
    path = f"extensions/{url(number(extension))}/answer"
    fields = choice("decision", "Answer", ("AGREED", "REFUSED")) + field("message", "Words", "long")
    return form(path, fields, "Answer") if extension["status"] == "RECEIVED" else ""


def _collect(case: Row) -> str:
    fields = choice("to", "State", COLLECTION_STEPS, case["status"])
    fields += field("recovered", "Recovered", "short") + field("costs", "Costs", "short")
    fields += field("approvedCosts", "Agreed costs", "short")
    path = f"collections/{url(number(case))}/advance"
    return form(path, fields, "Move") if case["status"] != "CLOSED" else ""


def _deliver(order: Row) -> str:
    path = f"reports/{url(number(order))}/deliver"
    return form(path, "", "Deliver") if order["status"] == "ORDERED" else ""
