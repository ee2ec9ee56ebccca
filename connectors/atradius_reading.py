"""Reading Atradius' answers: one function per documented shape.

Numbers come as numbers or as texts, and nothing as null or as ``""``. Of the two amounts of everything the one in the
policy's currency is read. Instants are cut to their day. ``data`` is a list, or one object.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

from .atradius_codes import (
    ANNOUNCING_DECISIONS,
    ANSWERS,
    APPLICATION_ENDS,
    DECISIONS,
    ENDS,
    PENDING_PROCESSES,
    REDUCED,
    VAT,
    WITHDRAWN,
)
from .jsondoc import Node, ShapeError
from .messages import (
    Announcement,
    AnnouncementKind,
    BuyerCandidate,
    Cover,
    CoverRequestKind,
    CoverRequestState,
    CoverStatus,
    Grade,
    PolicyDetails,
    RequestStatus,
)

Value = TypeVar("Value")

SCALE = "ATRADIUS-BUYER-RATING"
REFERRED = "REFERRED"
DECIDED = "DECISION"


def rows(answer: Node) -> Iterator[Node]:
    """What is in ``data``: the elements of a list, or the one object."""
    data = answer["data"]
    return iter([data]) if isinstance(data.value, dict) else data.items()


def only(answer: Node) -> Node:
    """What is in ``data``, where that is one thing."""
    found = list(rows(answer))
    if len(found) != 1:
        raise ShapeError("data", f"expected one entry, got {len(found)}")
    return found[0]


def buyer_of(row: Node) -> Node:
    return row["buyerId"]


def cover_of(row: Node) -> Node:
    return row["coverId"]


def told(node: Node, read: Callable[[Node], Value]) -> Value | None:
    """``read(node)``, or ``None`` where the insurer says nothing: null, missing, or an empty text."""
    return None if node.value is None or (isinstance(node.value, str) and not node.value.strip()) else read(node)


def text(node: Node) -> str:
    return told(node, Node.identifier) or ""


def day(node: Node) -> date:
    """The day of a date or of an instant, as written: its offset is not applied."""
    return Node(node.text()[:10], node.path).date()


def explain(error: Node) -> tuple[str, str]:
    """(code, words) of an error document. Atradius names the parameter; codes there are none."""
    lines = []
    for item in error["errors"].items():
        parameter = told(item["source"]["parameter"], Node.text) if item["source"].value is not None else None
        lines.append(f"{parameter}: {item['detail'].text()}" if parameter else item["detail"].text())
    if not lines:
        raise ShapeError("errors", "expected at least one")
    return "", "; ".join(lines)


def token(answer: Node) -> tuple[str, float]:
    data = answer["data"]
    return data["access_token"].identifier(), float(data["expires_in"].decimal())


# --- Buyers -----------------------------------------------------------------------------------------------------


def candidate(node: Node, country: str, registration_type: str, score: int) -> BuyerCandidate:
    numbers = _numbers(node["uniqueIdentifiers"])
    others = [uid for kind, uid in numbers.items() if kind != VAT]
    return BuyerCandidate(
        buyer_id=node["buyerId"].identifier(),
        name=text(node["buyerName"]),
        country=country,
        score=score,
        vat_number=numbers.get(VAT, ""),
        registration_number=numbers.get(registration_type) or next(iter(others), ""),
    )


def _numbers(node: Node) -> dict[str, str]:
    """The national numbers of a buyer by their type, the first of each."""
    numbers: dict[str, str] = {}
    for item in node.items() if node.value else ():
        kind, uid = text(item["uidType"]).upper(), text(item["uid"])
        if kind and uid:
            numbers.setdefault(kind, uid)
    return numbers


def grade(node: Node) -> Grade | None:
    """The current rating; ``None`` for a buyer without one. On which day it was given is not told."""
    value = text(node["currentBuyerRating"])
    if not value:
        return None
    previous = text(node["previousBuyerRating"]) or None
    return Grade(node["buyerId"].identifier(), value, SCALE, None, previous)


# --- Cover ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Granted:
    """The two layers of a decision as a permanent amount, with its last day if it has one, and a temporary one."""

    amount: Decimal | None
    until: date | None = None
    temporary: Decimal | None = None
    temporary_until: date | None = None


def granted(node: Node) -> Granted:
    """What a decision grants.

    The layer that ends first is the temporary one; two that end together, or never, are one amount. Where the layers
    and the total contradict each other the lower figure counts.
    """
    total = told(node["totalDecision"], _decided_amount)
    layers = [layer for name in ("firstAmtDecision", "secondAmtDecision") if (layer := told(node[name], _layer))]
    if not layers:
        return Granted(total)
    layers.sort(key=lambda layer: layer[1] or date.max, reverse=True)
    (amount, until), *rest = layers
    temporary, temporary_until = rest[0] if rest else (Decimal(0), None)
    if temporary_until == until:
        amount, temporary = amount + temporary, Decimal(0)
    if total is not None:
        amount = min(amount, total)
        temporary = min(temporary, total - amount)
    return Granted(amount, until, temporary, temporary_until) if temporary else Granted(amount, until)


def _decided_amount(node: Node) -> Decimal | None:
    return told(node["decisionAmtInPolicyCurrency"], Node.amount)


def _layer(node: Node) -> tuple[Decimal, date | None] | None:
    amount = _decided_amount(node)
    return (amount, told(node["decisionExpiryDate"], day)) if amount else None


def cover(node: Node) -> Cover | None:
    """A row of the lists of covers; ``None`` for one that another row has replaced."""
    amounts, asked = granted(node), applied(node)
    status, raw = _cover_status(node, amounts, asked)
    if status is None:
        return None
    return Cover(
        cover_id=node["coverId"].identifier(),
        buyer_id=node["buyerId"].identifier(),
        policy_number=node["policyId"].identifier(),
        status=status,
        raw_code=raw,
        currency=node["policyCurrencyCode"].currency(),
        amount=None if status is CoverStatus.REQUESTED else amounts.amount,
        requested_amount=asked,
        effective_from=told(node["effectFromDate"], day),
        effective_to=_last_day(node, status, amounts),
        decided_on=told(node["decisionDate"], day),
        announcements=_announcements(node) if _stands(status) else (),
        conditions=_conditions(node),
        temporary_amount=amounts.temporary,
        temporary_until=amounts.temporary_until,
    )


def applied(node: Node) -> Decimal | None:
    """The amount that was applied for; never what was granted."""
    return told(node["creditLimitApplicationAmountInPolicyCurrency"], Node.amount)


def _cover_status(node: Node, amounts: Granted, asked: Decimal | None) -> tuple[CoverStatus | None, str]:
    """The status and the code it was read from; ``None`` for a row that another one has replaced."""
    ended, state, decision = (text(node[name]) for name in ("historicCode", "coverStatus", "decisionCode"))
    if ended:
        return ENDS.get(ended.upper(), CoverStatus.UNKNOWN), ended
    if state.upper() == REFERRED:
        return CoverStatus.REQUESTED, state
    if state.upper() != DECIDED or decision.upper() not in DECISIONS:
        return CoverStatus.UNKNOWN, decision or node["coverStatus"].identifier()
    status = DECISIONS[decision.upper()]
    if status is not None:
        return status, decision
    if not amounts.amount and not amounts.temporary:
        return CoverStatus.UNKNOWN, decision
    return (CoverStatus.PARTIAL if _falls_short(amounts, asked) else CoverStatus.APPROVED), decision


def _falls_short(amounts: Granted, asked: Decimal | None) -> bool:
    return asked is not None and (amounts.amount or 0) + (amounts.temporary or 0) < asked


def _stands(status: CoverStatus) -> bool:
    return status not in (CoverStatus.WITHDRAWN, CoverStatus.EXPIRED)


def _last_day(node: Node, status: CoverStatus, amounts: Granted) -> date | None:
    """The last day of a cover: told, or the day before it was withdrawn, or the end of its longer layer."""
    ends = [told(node["effectiveToDate"], day)]
    if not _stands(status):
        withdrawn = told(node["withdrawalDate"], day)
        ends = [ends[0] or (withdrawn - timedelta(days=1) if withdrawn else None)]
    return min((end for end in (*ends, amounts.until) if end), default=None)


def _announcements(node: Node) -> tuple[Announcement, ...]:
    """What the insurer has announced: one thing at most. Until its day has come the cover is valid."""
    indicator, decision = text(node["pendingProcessIndicator"]), text(node["decisionCode"])
    kind = PENDING_PROCESSES.get(indicator.upper(), AnnouncementKind.UNKNOWN) if indicator else None
    if decision.upper() in ANNOUNCING_DECISIONS and kind in (None, AnnouncementKind.UNKNOWN):
        kind, indicator = ANNOUNCING_DECISIONS[decision.upper()], decision
    if kind is None:
        return ()
    if kind is AnnouncementKind.UNKNOWN:
        return (Announcement(kind, indicator, None),)
    last = told(node["effectiveToDate"], day)
    starts = told(node["withdrawalDate"], day) or (last + timedelta(days=1) if last else None)
    return (Announcement(kind, indicator, starts),)


def _conditions(node: Node) -> tuple[str, ...]:
    """The conditions of the decision and of its layers, each once, in the insurer's words."""
    found: dict[str, None] = {}
    for name in ("totalDecision", "firstAmtDecision", "secondAmtDecision"):
        decision = node[name]
        conditions = decision["decisionConditions"] if decision.value else decision
        for item in conditions.items() if conditions.value else ():
            words = text(item["conditionDescription"]) or text(item["conditionCategoryDescription"])
            found[" ".join(part for part in (text(item["conditionCode"]), words) if part)] = None
    return tuple(line for line in found if line)


# --- Requests ---------------------------------------------------------------------------------------------------


def request_state(node: Node, kind: CoverRequestKind, request_id: str) -> CoverRequestState:
    """How a request for ``kind`` stands by a row of the applications, the decisions or what has ended."""
    amounts, asked = granted(node), applied(node)
    status, raw = _request_status(node, kind, amounts, asked)
    gives = status in (RequestStatus.APPROVED, RequestStatus.PARTIAL) and kind is not CoverRequestKind.CANCEL
    total = None if amounts.amount is None else amounts.amount + (amounts.temporary or 0)
    received = told(node["applicationDate"], day) or told(node["decisionDate"], day)
    if received is None:
        raise ShapeError(node["applicationDate"].path, "expected a date, got nothing")
    return CoverRequestState(
        request_id=request_id,
        reference=text(node["customerRefNumber"]),
        status=status,
        raw_code=raw,
        received_at=datetime.combine(received, time(), UTC),
        decided_on=None if status is RequestStatus.PENDING else told(node["decisionDate"], day),
        amount=total if gives else None,
        currency=text(node["policyCurrencyCode"]),
        words=text(node["decisionTypeDescription"]) or text(node["notes"]),
        buyer_id=node["buyerId"].identifier(),
        cover_id=node["coverId"].identifier(),
    )


def _request_status(
    node: Node, kind: CoverRequestKind, amounts: Granted, asked: Decimal | None
) -> tuple[RequestStatus, str]:
    ended, state, decision = (text(node[name]) for name in ("historicCode", "coverStatus", "decisionCode"))
    raw = ended or decision or state
    if ended.upper() in APPLICATION_ENDS:
        return APPLICATION_ENDS[ended.upper()], raw
    if kind is CoverRequestKind.CANCEL:
        return _cancellation(ended.upper(), decision.upper()), raw
    if not ended and state.upper() == REFERRED:
        return RequestStatus.PENDING, state
    if (kind, decision.upper()) == (CoverRequestKind.REDUCE, REDUCED):
        return RequestStatus.APPROVED, decision
    if decision.upper() not in ANSWERS:
        return RequestStatus.UNKNOWN, decision or raw
    status = ANSWERS[decision.upper()]
    if status is None:
        status = RequestStatus.PARTIAL if _falls_short(amounts, asked) else RequestStatus.APPROVED
    return status, decision


def _cancellation(ended: str, decision: str) -> RequestStatus:
    """A cover that has ended was cancelled, one that stands is not yet; one that another row replaced tells nothing."""
    if ENDS.get(ended) is not None or decision == WITHDRAWN:
        return RequestStatus.APPROVED
    return RequestStatus.UNKNOWN if ended else RequestStatus.PENDING


# --- Policy -----------------------------------------------------------------------------------------------------


def policy(node: Node) -> PolicyDetails:
    """The contract; Atradius tells neither its holder nor its terms there."""
    return PolicyDetails(
        number=node["policyId"].identifier(),
        holder="",
        currency=node["policyCurrency"].currency(),
        starts_on=day(node["policyStartDate"]),
        ends_on=told(node["policyExpiryDate"], day),
    )
