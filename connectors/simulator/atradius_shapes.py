"""How Atradius shows what is in the book: covers, applications, buyers, in the shapes a client's code documents.

A cover carries the number of the request it came from, 7000000 and more, or else its own. Amounts are texts and what
is not there is ``""``, as the real ones may be; instants are given with an offset. The book knows no second layer.
"""

import json
from typing import Any

from .book import Book
from .store import Row

FIRST_REQUEST = 7_000_000
LIVE = ("APPROVED", "PARTIAL", "REDUCED", "REFUSED")
GRANTED = ("APPROVED", "PARTIAL")
CODES = {"APPROVED": "DC01", "PARTIAL": "DC04", "REDUCED": "DC09", "REFUSED": "DC03", "WITHDRAWN": "DC08"}
WORDS = {
    "DC01": "Fully approved",
    "DC02": "Approved with conditions",
    "DC03": "Refused",
    "DC04": "Partially approved",
    "DC05": "Increase refused, current cover unchanged",
    "DC08": "Withdrawn",
    "DC09": "Reduction",
    "DC21": "Pre-notification of withdrawal",
}
PROCESSES = {"WITHDRAWAL": ("F", "Future withdrawal"), "REDUCTION": ("B", "Batch terms change")}


class Shelf:
    """What there is about the covers of one policy, or of one buyer under it."""

    def __init__(self, book: Book, policy_number: str, buyer_id: str = "") -> None:
        self._book = book
        self._policy = policy_number
        wanted = (policy_number, buyer_id, buyer_id)
        self._covers = book.store.rows(
            "SELECT * FROM cover WHERE policy_number = ? AND (? = '' OR buyer_id = ?) ORDER BY id", *wanted
        )
        self._requests = book.store.rows(
            "SELECT * FROM submission WHERE kind = 'cover_request' AND json_extract(body, '$.policyNumber') = ?"
            " AND (? = '' OR json_extract(body, '$.buyerId') = ?) ORDER BY id",
            *wanted,
        )
        self._standing = {cover["buyer_id"] for cover in self._covers if cover["status"] in LIVE[:-1]}
        self._origins: dict[str, Row] = {}  # by buyer: the request from which its cover comes
        for status in (("REFUSED",), GRANTED):
            decided = (request for request in self._requests if request["status"] in status)
            self._origins.update({json.loads(request["body"])["buyerId"]: request for request in decided})

    def covers(self) -> list[Row]:
        return [self._cover(cover) for cover in self._covers if cover["status"] in (*LIVE, "PENDING")]

    def applications(self) -> list[Row]:
        return [self._request(request) for request in self._requests if request["status"] == "PENDING"]

    def decisions(self) -> list[Row]:
        covers = [self._cover(cover) for cover in self._covers if cover["status"] in LIVE]
        refused = [self._request(request) for request in self._requests if request["status"] == "REFUSED"]
        shown = {cover["coverId"] for cover in covers}
        return [*covers, *(request for request in refused if request["coverId"] not in shown)]

    def historic(self) -> list[Row]:
        ended = [self._cover(cover) for cover in self._covers if cover["status"] in ("WITHDRAWN", "EXPIRED")]
        origins = {request["id"] for request in self._origins.values()}
        granted = [request for request in self._requests if request["status"] in GRANTED]
        old = [self._request(request) for request in granted if request["id"] not in origins]
        return [*ended, *({**request, "historicCode": "SCLD"} for request in old)]

    # --- Rows ---------------------------------------------------------------------------------------------------

    def _cover(self, cover: Row) -> Row:
        origin = self._origin(cover)
        conditions, notices = json.loads(cover["conditions"]), json.loads(cover["announcements"])
        notice = next(iter(notices), None)
        row = self._row(
            buyer_id=cover["buyer_id"],
            coverId=FIRST_REQUEST + origin["id"] if origin else cover["id"],
            customerRefNumber=_reference(origin),
            coverStatus="REFERRED" if cover["status"] == "PENDING" else "DECISION",
            decision=_decision(cover["status"], bool(conditions), notice),
            applied=cover["requested_amount"],
            amount=cover["amount"],
            conditions=conditions,
            decided_on=cover["decided_on"],
            effectFromDate=_instant(cover["effective_from"]),
            effectiveToDate=_instant(cover["effective_to"]),
        )
        if notice:
            row["pendingProcessIndicator"], row["pendingProcessStatus"] = PROCESSES.get(notice["kind"], ("", ""))
            row["withdrawalDate"] = _instant(notice["effectiveFrom"]) if notice["kind"] == "WITHDRAWAL" else ""
        if cover["status"] in ("WITHDRAWN", "EXPIRED"):
            row["historicCode"] = _end(cover, origin)
        return row

    def _request(self, request: Row) -> Row:
        body, outcome = json.loads(request["body"]), json.loads(request["outcome"])
        decision = "" if request["status"] == "PENDING" else _decision(request["status"], False, None)
        if decision == "DC03" and body["kind"] == "INCREASE" and body["buyerId"] in self._standing:
            decision = "DC05"
        return self._row(
            buyer_id=body["buyerId"],
            coverId=FIRST_REQUEST + request["id"],
            customerRefNumber=_reference(request),
            coverType=body.get("coverType", "credit-limit"),
            coverStatus="DECISION" if decision else "REFERRED",
            decision=decision,
            applied=body.get("amount"),
            amount=outcome.get("grantedAmount") if decision else None,
            conditions=[],
            decided_on=outcome.get("decidedOn"),
            applicationDate=request["received_at"],
            notes=outcome.get("message", ""),
        )

    def _row(
        self,
        *,
        buyer_id: str,
        decision: str,
        applied: Any,
        amount: Any,
        conditions: list[str],
        decided_on: str | None,
        **members: Any,
    ) -> Row:
        buyer, policy = self._book.buyer(buyer_id), self._book.policy(self._policy)
        layer = _layer(amount, conditions)
        row = {
            "policyId": self._policy,
            **buyer_shape(buyer, self._book.grades(buyer_id)),
            "coverType": "credit-limit",
            "decisionCode": decision,
            "decisionTypeDescription": WORDS.get(decision, ""),
            "historicCode": "",
            "pendingProcessStatus": "",
            "pendingProcessIndicator": "",
            "policyCurrencyCode": policy["currency"],
            "creditLimitApplicationAmountInPolicyCurrency": str(applied or ""),
            "totalDecision": {name: value for name, value in layer.items() if name != "decisionExpiryDate"},
            "firstAmtDecision": layer,
            "secondAmtDecision": _layer(None, []),
            "applicationDate": _instant(decided_on),
            "decisionDate": _instant(decided_on),
            **{name: "" for name in ("effectFromDate", "withdrawalDate", "effectiveToDate", "notes")},
        }
        return {**row, **members}

    def _origin(self, cover: Row) -> Row | None:
        """The request a cover came from. A refusal is where only a refusal comes from."""
        origin = self._origins.get(cover["buyer_id"])
        refused = origin is not None and origin["status"] == "REFUSED"
        return None if refused and cover["status"] != "REFUSED" else origin


def buyer_shape(buyer: Row, grades: list[Row]) -> Row:
    current, previous = [*(grade["value"] for grade in grades), "", ""][:2]
    registration = "SN" if buyer["country"] == "FR" else "NRN"
    numbers = ((buyer["vat_number"], "VAT", "VAT number"), (buyer["registration_number"], registration, "Registration"))
    return {
        "buyerId": int(buyer["buyer_id"]) if buyer["buyer_id"].isdigit() else buyer["buyer_id"],
        "buyerName": buyer["name"],
        "uniqueIdentifiers": [
            {"uid": uid, "uidType": kind, "uidTypeDescription": words} for uid, kind, words in numbers if uid
        ],
        "currentBuyerRating": current,
        "currentBuyerRatingClass": "",
        "previousBuyerRating": previous,
        "buyerRatingChange": "",
        "tradingStatus": "ACTIVE",
    }


def _layer(amount: Any, conditions: list[str]) -> Row:
    told = [
        {"conditionCode": f"C{place}", "conditionType": "", "conditionDescription": words}
        for place, words in enumerate(conditions, 1)
    ]
    return {
        "decisionAmtInPolicyCurrency": "" if amount is None else str(amount),
        "decisionAmtInUserCurrency": "",
        "decisionExpiryDate": "",
        "decisionConditions": told,
    }


def _decision(status: str, with_conditions: bool, notice: Row | None) -> str:
    if notice and notice["kind"] == "WITHDRAWAL" and status in LIVE:
        return "DC21"
    if status == "APPROVED" and with_conditions:
        return "DC02"
    return CODES.get(status, "")


def _end(cover: Row, origin: Row | None) -> str:
    if cover["status"] == "EXPIRED":
        return "ECLD"
    cancelled = origin is not None and json.loads(origin["body"])["kind"] == "CANCEL"
    return "CCLD" if cancelled else "WCLD"


def _reference(request: Row | None) -> str:
    if request is None:
        return ""
    return str(json.loads(request["body"]).get("customerRefNumber", request["reference"]))


def _instant(value: str | None) -> str:
    return f"{value}T00:00:00.000+01:00" if value else ""
