"""Taking declarations in: which lines count, and what premium comes of them."""

from decimal import ROUND_HALF_UP, Decimal

from .book import Book, money
from .checks import rows_of
from .store import Row
from .web import Refusal

LINES = {"turnover": "lines", "shipments": "shipments", "receipts": "receipts"}
PREMIUM_PER_MILLE = Decimal(3)


def receive(book: Book, kind: str, body: Row) -> Row:
    """The insurer's answer to a declaration: the lines it does not take, and the premium where all is in the policy's
    currency."""
    refusals = []
    taken = []
    for line in rows_of(body, LINES[kind]):
        try:
            _check(book, line)
            taken.append(line)
        except Refusal as refusal:
            reference = line.get("reference") or line.get("country") or ""
            refusals.append({"reference": reference, "code": refusal.code, "message": refusal.message})
    policy = book.policy(body["policyNumber"])
    outcome: Row = {"refusals": refusals}
    if kind != "receipts" and all(line["currency"] == policy["currency"] for line in taken):
        insured = sum((Decimal(str(line.get("insuredAmount", line["amount"]))) for line in taken), Decimal(0))
        premium = (insured * PREMIUM_PER_MILLE / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)
        outcome |= {"premium": str(max(premium, Decimal(0))), "premiumCurrency": policy["currency"]}
    return outcome


def _check(book: Book, line: Row) -> None:
    if not isinstance(line.get("currency"), str):
        raise Refusal(422, "missing", "currency is missing")
    money(str(line.get("amount")).removeprefix("-"))  # credit notes may outweigh a country's sales
    if line.get("buyerId"):
        book.buyer(line["buyerId"])
