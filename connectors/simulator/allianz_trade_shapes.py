"""The documents of Allianz Trade's interface, out of the book and into it."""

import json
from decimal import Decimal
from typing import Any

from .book import Book, money
from .store import Row
from .submissions import number
from .web import Refusal

# Our status → coverStatusCode. Only the codes of agreement and of grade covers were seen.
CODES = {
    "PENDING": "Requested",
    "APPROVED": "Agreement",
    "PARTIAL": "Agreement",
    "REDUCED": "Agreement",
    "REFUSED": "Refused",
    "WITHDRAWN": "Withdrawn",
    "EXPIRED": "Expired",
}
GRADE_COVER = "CheckPolicy"
STANDING = ("APPROVED", "PARTIAL", "REDUCED")
OWN_TYPE = "CUSTOMER_REFERENCE"  # made up, as the insurer's types are not public
OVERDUE_KINDS = {"OVD": "overdue", "EXP": "extension", "RES": "plan"}
REASONS = ("CASH_SHORTAGE", "DISPUTE", "DOCUMENTS", "OTHER")


def cover_key(submission: Row) -> str:
    """The coverId of what a request is about."""
    body = json.loads(submission["body"])
    return f"{body['policyNumber']}~{body['buyerId']}"


class Shapes:
    """What is sent."""

    def __init__(self, book: Book) -> None:
        self._book = book

    # --- Companies ----------------------------------------------------------------------------------------------

    def company(self, buyer: Row, *, identifiers: bool = False) -> Row:
        shape: Row = {
            "companyId": buyer["buyer_id"],
            "legalData": {"companyName": buyer["name"]},
            "address": {
                "streetName": buyer["street"],
                "town": buyer["city"],
                "countryCode": buyer["country"],
                "postCodes": [{"postCodeValue": buyer["postal_code"]}],
            },
            "communicationChannels": [],
        }
        if identifiers:
            numbers = (buyer["vat_number"], buyer["registration_number"])
            shape["companyIdentifiers"] = [{"idValue": value} for value in numbers if value]
            if buyer["own_reference"]:
                own = {"idTypeCode": OWN_TYPE, "idValue": buyer["own_reference"]}
                shape["companyIdentifiers"].append(own)
        return shape

    # --- Version 3 ----------------------------------------------------------------------------------------------

    def page(self, policies: list[str], offset: int, size: int) -> tuple[list[Row], int]:
        """Covers with the name, country and grade of their buyers, and how many there are in all."""
        marks = ", ".join("?" for _policy in policies)
        rows = self._book.store.rows(
            "SELECT c.*, b.name, b.country, (SELECT value FROM grade g WHERE g.buyer_id = c.buyer_id"
            " ORDER BY g.id DESC LIMIT 1) AS grade FROM cover c JOIN buyer b USING (buyer_id)"
            f" WHERE c.policy_number IN ({marks}) ORDER BY c.id LIMIT ? OFFSET ?",
            *(*policies, size, offset),
        )
        counted = self._book.store.row(f"SELECT count(*) AS n FROM cover WHERE policy_number IN ({marks})", *policies)
        return rows, counted["n"] if counted else 0

    def listed(self, cover: Row) -> Row:
        """An entry of the portfolio."""
        return {
            "companyName": cover["name"],
            "companyCountryCode": cover["country"],
            "gradePolicyCoverGradeCode": cover["grade"],
            **self._cover(cover),
        }

    def single(self, cover_id: str) -> Row | None:
        policy, _tilde, buyer = cover_id.rpartition("~")
        cover = self._book.cover(policy, buyer)
        latest = self._book.store.row(
            "SELECT * FROM submission WHERE kind = 'cover_request' AND json_extract(body, '$.policyNumber') = ?"
            " AND json_extract(body, '$.buyerId') = ? ORDER BY id DESC LIMIT 1",
            *(policy, buyer),
        )
        if cover is None and latest is None:
            return None
        nothing = {"coverId": cover_id, "companyId": buyer, "creditLimitsAggregation": {"creditLimits": []}}
        words = json.loads(latest["outcome"]).get("message") if latest else None
        return {**(self._cover(cover) if cover else nothing), "decisionComment": words}

    def pending(self, submission: Row) -> Row:
        body = json.loads(submission["body"])
        details = {"requestedAmount": figure(body.get("amount")), "currencyCode": body["currency"]}
        return {
            "requestId": number(submission),
            "coverId": cover_key(submission),
            "creationDate": submission["received_at"],
            "lastUpdateDate": submission["updated_at"],
            "creditLimitDetails": details,
        }

    def _cover(self, cover: Row) -> Row:
        is_grade_cover = cover["status"] in STANDING and cover["amount"] is None
        return {
            "coverId": f"{cover['policy_number']}~{cover['buyer_id']}",
            "companyId": cover["buyer_id"],
            "coverStatusCode": GRADE_COVER if is_grade_cover else CODES[cover["status"]],
            "creditLimitDetails": {
                "requestedAmount": figure(cover["requested_amount"]),
                "currencyCode": cover["currency"],
            },
            "creditLimitsAggregation": {"creditLimits": [] if is_grade_cover else self._limits(cover)},
        }

    def _limits(self, cover: Row) -> list[Row]:
        if cover["status"] not in STANDING:
            return []
        common = {"technicalDecisionStatusCode": "AlreadyAgreed", "currencyCode": cover["currency"]}
        days = {"startDate": cover["effective_from"], "endDate": cover["effective_to"]}
        later = [
            {**common, "amount": figure(notice["amount"] or "0"), "startDate": notice["effectiveFrom"]}
            for notice in json.loads(cover["announcements"])
            if notice["effectiveFrom"]
        ]
        return [{**common, "amount": figure(cover["amount"]), **days}, *later]

    # --- Version 2 ----------------------------------------------------------------------------------------------

    def page_v2(self, policy: str, offset: int, size: int) -> list[Row]:
        """The covers, and after them what was never decided."""
        rows, total = self.page([policy], offset, size)
        undecided = self._book.pending_page(policy, 0, 10**6)[0]
        waiting = {json.loads(row["body"])["buyerId"]: row for row in undecided}
        known = {row["buyer_id"] for row in self._book.store.rows("SELECT buyer_id FROM cover")} if waiting else set()
        fresh = [self._undecided_v2(row) for buyer, row in waiting.items() if buyer not in known]
        shapes = [
            self._undecided_v2(waiting[row["buyer_id"]]) if row["buyer_id"] in waiting else self._cover_v2(row)
            for row in rows
        ]
        return shapes + fresh[max(0, offset - total) : max(0, offset + size - total)]

    def of_company_v2(self, policy: str, buyer: str) -> list[Row]:
        pending = self._book.pending_request(policy, buyer)
        if pending:
            return [self._undecided_v2(pending)]
        cover = self._book.cover(policy, buyer)
        return [self._cover_v2(cover)] if cover else []

    def _cover_v2(self, cover: Row) -> Row:
        permanent = {"permanentAmount": figure(cover["amount"]), "startDate": cover["effective_from"]}
        return {
            "coverId": f"{cover['policy_number']}~{cover['buyer_id']}",
            "company": {"companyId": cover["buyer_id"]},
            "coverStatusCode": CODES[cover["status"]],
            "requestData": {"amount": figure(cover["requested_amount"]), "currencyCode": cover["currency"]},
            "decision": {"permanent": permanent},
        }

    def _undecided_v2(self, submission: Row) -> Row:
        body = json.loads(submission["body"])
        return {
            "coverId": cover_key(submission),
            "company": {"companyId": body["buyerId"]},
            "coverStatusCode": "Requested",
            "requestData": {"amount": figure(body["amount"]), "currencyCode": body["currency"]},
            "decision": None,
        }

    # --- Overdues -----------------------------------------------------------------------------------------------

    def overdue(self, submission: Row) -> Row:
        kinds = {kind: code for code, kind in OVERDUE_KINDS.items()}
        return {
            "jobId": number(submission),
            "overdueCategoryTypeCode": kinds[submission["kind"]],
            "customerReference": submission["reference"],
            "creationDate": submission["received_at"],
        }


# --- What is received -------------------------------------------------------------------------------------------


def request_body(book: Book, members: Row) -> Row:
    """A request of either version, as the book keeps them."""
    part, old = members.get("policy"), members.get("requestData")
    if not isinstance(part, dict) or not part.get("businessUnitCode") or "extensionId" not in part:
        raise Refusal(400, "bad_policy", "policyId, businessUnitCode or extensionId is missing")
    details: Any = old if isinstance(old, dict) else members.get("creditLimitDetails")
    buyer = str((old if isinstance(old, dict) else members).get("companyId"))
    policy = book.policy(str(part.get("policyId")))
    body = {"policyNumber": policy["policyNumber"], "buyerId": buyer, "currency": policy["currency"]}
    if members.get("requestTypeCode") == "GradeCover":
        return {**body, "kind": "NEW", "product": "GRADE_COVER"}
    if members.get("requestTypeCode") != "Primary" and members.get("coverTypeCode") != "CreditLimit":
        raise Refusal(400, "bad_type", f"{members.get('requestTypeCode')} is no type of request")
    if not isinstance(details, dict):
        raise Refusal(400, "no_details", "creditLimitDetails are missing")
    amount = money(details.get("amount" if isinstance(old, dict) else "requestedAmount"))
    cover = book.cover(policy["policyNumber"], buyer)
    stands = Decimal(cover["amount"]) if cover and cover["status"] in STANDING and cover["amount"] else None
    kind = "NEW" if stands is None else "REDUCE" if amount < stands else "INCREASE"
    currency = details.get("currencyCode")
    return {**body, "kind": kind, "product": "CREDIT_LIMIT", "amount": f"{amount:.2f}", "currency": currency}


def overdue_kind(members: Row) -> str:
    code = members.get("overdueCategoryTypeCode")
    if code not in OVERDUE_KINDS:
        raise Refusal(400, "bad_category", f"{code!r} is not one of {', '.join(OVERDUE_KINDS)}")
    return OVERDUE_KINDS[code]


def overdue_body(members: Row) -> Row:
    """An overdue, as the book keeps them."""
    invoices = [_invoice(invoice) for invoice in members.get("invoices") or []]
    body: Row = {
        "reference": str(members.get("customerReference") or ""),
        "policyNumber": (members.get("policy") or {}).get("policyId"),
        "buyerId": members.get("companyId"),
        "comment": members.get("comment"),
    }
    if overdue_kind(members) == "extension":
        if len(invoices) != 1 or members.get("reasonCode") not in REASONS:
            raise Refusal(422, "one_invoice", "An extension is for one invoice and has a reason")
        reason = members["reasonCode"]
        return {**body, "invoice": invoices[0], "newDueOn": members.get("requestedDueDate"), "reason": reason}
    body["invoices"] = invoices
    if overdue_kind(members) == "plan":
        body["agreedOn"], body["currency"] = members.get("agreementDate"), members.get("currencyCode")
        body["instalments"] = [
            {"dueOn": instalment.get("dueDate"), "amount": instalment.get("amount")}
            for instalment in members.get("instalments") or []
        ]
    return body


def _invoice(invoice: Row) -> Row:
    return {
        "number": invoice.get("invoiceNumber"),
        "issuedOn": invoice.get("invoiceDate"),
        "dueOn": invoice.get("dueDate"),
        "amount": invoice.get("invoiceAmount"),
        "openAmount": invoice.get("overdueAmount"),
        "currency": invoice.get("currencyCode"),
    }


def figure(amount: object) -> int | float | None:
    """An amount as a number of JSON."""
    if amount is None:
        return None
    value = Decimal(str(amount))
    return int(value) if value == value.to_integral_value() else float(value)
