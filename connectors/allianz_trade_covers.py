"""Reading and writing cover as Allianz Trade does, versions 3 and 2. Pure: documents in, messages out.

The shapes come from clients' code [unverified by the insurer]: an entry of the portfolio has ``companyId``,
``coverStatusCode`` and, for a grade cover, ``gradePolicyCoverGradeCode``; a cover has ``creditLimitsAggregation`` with
``creditLimits`` of ``technicalDecisionStatusCode``, ``amount`` and ``startDate``; in version 2 a ``decision`` with
``permanent.permanentAmount``, null while undecided. Everything else is looked for where ``allianz_trade_codes.FIELDS``
says.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .allianz_trade_codes import BY_GRADE, CREDIT_LIMIT, GRADE_COVER, SCALE, Vocabulary, day, moment
from .allianz_trade_policies import Part, RequestKey
from .jsondoc import Json, Node, ShapeError
from .messages import (
    Announcement,
    AnnouncementKind,
    Cover,
    CoverProduct,
    CoverRequest,
    CoverRequestState,
    CoverStatus,
    Grade,
    RequestStatus,
)

STANDING = (CoverStatus.APPROVED, CoverStatus.PARTIAL, CoverStatus.REDUCED)


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer is read against: the policy as asked for, its part, the day, the currency where none is told."""

    policy_number: str
    part: Part
    today: date
    currency: str
    words: Vocabulary

    def currency_of(self, *nodes: Node) -> str:
        return next((told for node in nodes if (told := node.optional(Node.currency))), self.currency)


@dataclass(frozen=True, slots=True)
class Limit:
    """One of ``creditLimits``."""

    code: str
    amount: Decimal | None
    currency: str
    starts_on: date | None
    ends_on: date | None


# --- Version 3 --------------------------------------------------------------------------------------------------


def read_cover(node: Node, context: Context, cover_id: str = "", company_id: str = "") -> Cover:
    """An entry of the portfolio, or a single cover, whose id, and perhaps company, we know then."""
    words = context.words
    limits = _limits(node, context)
    limit = current(limits, context.today)
    told = node["coverStatusCode"].optional(Node.identifier) or ""
    if told:
        status = words.cover_status(told)
    elif limit:
        status = words.limit_status(limit.code)
    else:
        status = CoverStatus.REQUESTED if cover_id else CoverStatus.UNKNOWN
    requested = words.find(node, "cover.requested").optional(Node.amount)
    grade = node["gradePolicyCoverGradeCode"].optional(Node.identifier)
    company = _company(node, words, company_id) if cover_id else node["companyId"].identifier()
    own_id = words.find(node, "cover.id").optional(Node.identifier)
    return Cover(
        cover_id=cover_id or own_id or f"{context.part.policy_id}/{context.part.extension_id}/{company}",
        buyer_id=company,
        policy_number=context.policy_number,
        status=_in_part(status, limit.amount if limit else None, requested),
        raw_code=told or (limit.code if limit else ""),
        currency=limit.currency if limit else context.currency_of(words.find(node, "cover.currency")),
        amount=limit.amount if limit else None,
        requested_amount=requested,
        effective_from=limit.starts_on if limit else None,
        effective_to=limit.ends_on if limit else None,
        announcements=_announcements(limits, limit),
        conditions=(f"{GRADE_COVER}: {grade}",) if told.upper() == BY_GRADE and grade else (),
        grade=grade or "" if told.upper() == BY_GRADE else "",
    )


def _company(node: Node, words: Vocabulary, expected: str) -> str:
    """Whose cover it is; the one we asked for where the answer does not say."""
    told = words.find(node, "cover.company")
    company_id = told.optional(Node.identifier) or expected
    if expected and company_id != expected:
        raise ShapeError(told.path, f"the answer is about {company_id!r}, asked was {expected!r}")
    return company_id


def _in_part(status: CoverStatus, amount: Decimal | None, requested: Decimal | None) -> CoverStatus:
    """An agreement to less than was asked for, where the answer tells both."""
    less = amount is not None and requested is not None and amount < requested
    return CoverStatus.PARTIAL if less and status is CoverStatus.APPROVED else status


def _limits(node: Node, context: Context) -> tuple[Limit, ...]:
    found = node["creditLimitsAggregation"].optional(lambda value: value["creditLimits"])
    items = found.optional(lambda value: tuple(value.items())) if found else None
    return tuple(_limit(item, node, context) for item in items or ())


def _limit(item: Node, cover: Node, context: Context) -> Limit:
    words = context.words
    return Limit(
        code=item["technicalDecisionStatusCode"].optional(Node.identifier) or "",
        amount=item["amount"].optional(Node.amount),
        currency=context.currency_of(words.find(item, "limit.currency"), words.find(cover, "cover.currency")),
        starts_on=item["startDate"].optional(day),
        ends_on=words.find(item, "limit.end").optional(day),
    )


def current(limits: tuple[Limit, ...], today: date) -> Limit | None:
    """The limit that holds today: the one that began last, of several the smallest; else the first to come.

    Which of several counts is not public.
    """
    begun = [limit for limit in limits if limit.starts_on is None or limit.starts_on <= today]
    if begun:
        latest = max(limit.starts_on or date.min for limit in begun)
        same = [limit for limit in begun if (limit.starts_on or date.min) == latest]
        return min(same, key=lambda limit: (limit.amount is None, limit.amount or 0))
    return min(limits, key=lambda limit: limit.starts_on or date.min, default=None)


def _announcements(limits: tuple[Limit, ...], held: Limit | None) -> tuple[Announcement, ...]:
    """Limits that begin later and are lower than the one that holds; a limit of 0 is a withdrawal."""
    if held is None or held.amount is None:
        return ()
    reduction, withdrawal = AnnouncementKind.REDUCTION, AnnouncementKind.WITHDRAWAL
    return tuple(
        Announcement(reduction if limit.amount else withdrawal, limit.code, limit.starts_on, limit.amount or None)
        for limit in limits
        if limit.amount is not None
        and limit.amount < held.amount
        and limit.starts_on is not None
        and limit.starts_on > (held.starts_on or date.min)
    )


def read_grade(node: Node, words: Vocabulary) -> Grade | None:
    """The grade in an entry of the portfolio, where it has one. Whether its day is told is not public."""
    value = node["gradePolicyCoverGradeCode"].optional(Node.identifier)
    if value is None:
        return None
    return Grade(node["companyId"].identifier(), value, SCALE, words.find(node, "grade.date").optional(day))


def request_body(request: CoverRequest, part: Part) -> Json:
    """A request for a limit is for the total amount; one for a grade cover has none. There is no room for a comment."""
    body: dict[str, Json] = {
        "requestTypeCode": GRADE_COVER if request.product is CoverProduct.GRADE_COVER else CREDIT_LIMIT,
        "policy": part.body(),
        "companyId": request.buyer_id,
        "isRequestUrgent": request.urgent,
    }
    if request.product is not CoverProduct.GRADE_COVER:
        body["creditLimitDetails"] = {"requestedAmount": number(request.amount), "currencyCode": request.currency}
    return body


def number(amount: Decimal | None) -> int | Decimal | None:
    """A whole amount as a number, as in the documented requests; another one exactly, as a text."""
    return int(amount) if amount is not None and amount == amount.to_integral_value() else amount


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """An entry of ``coverRequests/search``: what is not decided yet. ``company_id`` is empty where it is not told."""

    request_id: str
    cover_id: str
    company_id: str
    created_at: datetime
    amount: Decimal | None
    currency: str
    raw_code: str


def read_pending(node: Node, words: Vocabulary, asked: str) -> PendingRequest:
    details = node["creditLimitDetails"]
    return PendingRequest(
        request_id=node["requestId"].identifier(),
        cover_id=node["coverId"].identifier(),
        company_id=words.find(node, "request.company").optional(Node.identifier) or "",
        created_at=moment(node["creationDate"]),
        amount=details.optional(lambda value: value["requestedAmount"].optional(Node.amount)),
        currency=(details["currencyCode"].optional(Node.currency) or "") if details.value is not None else "",
        raw_code=words.find(node, "request.status").optional(Node.identifier) or asked,
    )


# --- Version 2 --------------------------------------------------------------------------------------------------


def read_cover_v2(node: Node, context: Context) -> Cover:
    """What names a temporary amount, and that it adds to the permanent one, is not public: it is a condition to be
    read by a person unless an administrator has it counted."""
    words, decision = context.words, node["decision"]
    raw = node["coverStatusCode"].optional(Node.identifier) or ""
    permanent = decision.optional(lambda value: value["permanent"])
    amount = permanent.optional(lambda value: value["permanentAmount"].optional(Node.amount)) if permanent else None
    requested = words.find(node, "v2.requested").optional(Node.amount)
    status = CoverStatus.REQUESTED if decision.value is None else words.cover_status(raw)
    currency = context.currency_of(words.find(node, "v2.currency"))
    temporary = words.find(node, "v2.temporary_amount").optional(Node.amount)
    until = words.find(node, "v2.temporary_end").optional(day)
    counted = words.counts_temporary and temporary is not None
    return Cover(
        cover_id=node["coverId"].identifier(),
        buyer_id=node["company"]["companyId"].identifier(),
        policy_number=context.policy_number,
        status=_in_part(status, amount, requested),
        raw_code=raw,
        currency=currency,
        amount=amount,
        requested_amount=requested,
        effective_from=words.find(node, "v2.start").optional(day),
        conditions=() if counted or temporary is None else (_temporary(temporary, currency, until),),
        temporary_amount=temporary if counted else None,
        temporary_until=until if counted else None,
    )


def _temporary(amount: Decimal, currency: str, until: date | None) -> str:
    return f"Temporary amount {amount:f} {currency}" + (f" until {until.isoformat()}" if until else "")


def request_body_v2(request: CoverRequest, part: Part) -> Json:
    return {
        "coverTypeCode": "CreditLimit",
        "requestOrigin": "ExternalPlatform",
        "requestData": {
            "amount": number(request.amount),
            "currencyCode": request.currency,
            "companyId": request.buyer_id,
            "comment": request.comment,
            "isRequestUrgent": "true" if request.urgent else "false",
        },
        "policy": {
            "policyId": part.policy_id,
            "businessUnitCode": part.business_unit,
            "extensionId": part.extension_id,
        },
    }


# --- What became of a request -----------------------------------------------------------------------------------


def outcome(cover: Cover, key: RequestKey, words: str = "") -> CoverRequestState:
    """What a cover says of the request ``key``, which is not pending any more.

    A limit that is older than the request and not what was asked for is the one that stood before: the request was not
    granted, but whether it was refused is not said in it, so that the answer is ``UNKNOWN``.
    """
    status = _judged(cover, key)
    granted = status in (RequestStatus.APPROVED, RequestStatus.PARTIAL)
    return CoverRequestState(
        request_id=key.text(),
        reference="",
        status=status,
        raw_code=cover.raw_code,
        received_at=key.asked_at,
        decided_on=cover.effective_from if granted else None,
        amount=cover.amount if granted else None,
        currency=cover.currency,
        words=words,
        buyer_id=cover.buyer_id,
        cover_id=cover.cover_id,
    )


def _judged(cover: Cover, key: RequestKey) -> RequestStatus:
    if cover.status is CoverStatus.REQUESTED:
        return RequestStatus.PENDING
    if cover.status is CoverStatus.REFUSED:
        return RequestStatus.REFUSED
    if cover.status not in STANDING:
        return RequestStatus.UNKNOWN
    if key.amount is None:
        return RequestStatus.APPROVED if cover.raw_code.upper() == BY_GRADE else RequestStatus.UNKNOWN
    if cover.amount == key.amount:
        return RequestStatus.APPROVED
    is_new = cover.effective_from is not None and cover.effective_from >= key.asked_at.date()
    if cover.amount is None or not is_new:
        return RequestStatus.UNKNOWN
    return RequestStatus.PARTIAL if cover.amount < key.amount else RequestStatus.APPROVED
