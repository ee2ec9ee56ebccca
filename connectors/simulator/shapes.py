"""How the interface ``/v1`` shows what is in the book."""

import json

from .store import Row
from .submissions import number

SCALE = "SANDBOX-10"  # 1 best to 10 worst, as Allianz Trade's

# By kind: the path of its collection, the member that lists it, and the member that holds its number.
NAMES = {
    "buyer_number": ("buyer-numbers", "buyerNumbers", "requestId"),
    "claim": ("claims", "claims", "claimNumber"),
    "collection": ("collections", "collections", "caseNumber"),
    "cover_request": ("cover-requests", "coverRequests", "requestId"),
    "document": ("documents", "documents", "documentNumber"),
    "extension": ("extensions", "extensions", "noticeNumber"),
    "monitoring": ("monitorings", "monitorings", "monitoringId"),
    "overdue": ("overdues", "overdues", "noticeNumber"),
    "plan": ("repayment-plans", "repaymentPlans", "noticeNumber"),
    "receipts": ("receipt-declarations", "declarations", "declarationNumber"),
    "report": ("reports", "reports", "orderId"),
    "shipments": ("shipment-declarations", "declarations", "declarationNumber"),
    "turnover": ("turnover-declarations", "declarations", "declarationNumber"),
}


def buyer_shape(buyer: Row) -> Row:
    return {
        "buyerId": buyer["buyer_id"],
        "name": buyer["name"],
        "country": buyer["country"],
        "vatNumber": buyer["vat_number"],
        "registrationNumber": buyer["registration_number"],
        "address": {"street": buyer["street"], "postalCode": buyer["postal_code"], "city": buyer["city"]},
        "ownReference": buyer["own_reference"],
    }


def grade_shape(current: Row, previous: str | None) -> Row:
    return {
        "buyerId": current["buyer_id"],
        "value": current["value"],
        "scale": SCALE,
        "gradedOn": current["graded_on"],
        "previousValue": previous,
    }


def cover_shape(cover: Row) -> Row:
    return {
        "coverId": f"C{cover['id']:07d}",
        "buyerId": cover["buyer_id"],
        "policyNumber": cover["policy_number"],
        "statusCode": cover["status"],
        "amount": cover["amount"],
        "requestedAmount": cover["requested_amount"],
        "previousAmount": cover["previous_amount"],
        "currency": cover["currency"],
        "insuredPercentage": cover["insured_percentage"],
        "effectiveFrom": cover["effective_from"],
        "effectiveTo": cover["effective_to"],
        "decidedOn": cover["decided_on"],
        "ownReference": cover["own_reference"],
        "announcements": _list(cover["announcements"]),
        "conditions": _list(cover["conditions"]),
    }


def submission_shape(submission: Row) -> Row:
    """What was sent, under the insurer's number and with what became of it."""
    return {
        **json.loads(submission["body"]),
        NAMES[submission["kind"]][2]: number(submission),
        "statusCode": submission["status"],
        "receivedAt": submission["received_at"],
        "updatedAt": submission["updated_at"],
        **json.loads(submission["outcome"]),
    }


def event_shape(event: Row) -> Row:
    return {
        "notificationId": f"N{event['id']:06d}",
        "buyerId": event["buyer_id"],
        "kind": event["kind"],
        "happenedOn": event["happened_on"],
        "message": event["words"],
    }


def _list(text: str) -> list[Row]:
    """What a column holds; most hold nothing, and a book may have many rows."""
    found: list[Row] = [] if text == "[]" else json.loads(text)
    return found
