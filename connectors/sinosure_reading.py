"""SINOSURE's records as our messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from .calls import LONGEST_NAME
from .countries import TWO_LETTERS
from .declarations import LineRefusal
from .jsondoc import ShapeError, shorten
from .messages import (
    Announcement,
    AnnouncementKind,
    BuyerCandidate,
    Cover,
    CoverStatus,
    Grade,
    RequestStatus,
)
from .sinosure_codes import DUPLICATE, SCALE, Terms
from .sinosure_wire import Row

# What a limit's terms are called; shown beside its conditions as they come.
TERMS_SHOWN = ("payMode", "payTerm", "refuseRate", "ifRepeat", "idleSpan")


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"  # refused, because the insurer has it already
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decision:
    """SINOSURE's answer to one record that was sent: ``approveFlag`` 1 or 0, and why not."""

    serial: str
    verdict: Verdict
    raw: str
    code: str
    words: str
    moment: datetime
    row: Row


@dataclass(frozen=True, slots=True)
class QuotaBalance:
    """What is left of a limit."""

    cover_id: str
    buyer_id: str
    policy_number: str
    balance: Decimal
    currency: str
    calculated_at: datetime | None


def decision(row: Row, asked_from: datetime) -> Decision:
    """:param asked_from: the beginning of the span in which it was told: its time where it tells none."""
    raw, reason = row.identifier("approveFlag"), row.text("unAcceptReason")
    verdict = {"1": Verdict.ACCEPTED, "0": Verdict.REFUSED}.get(raw, Verdict.UNKNOWN)
    if verdict is Verdict.REFUSED and DUPLICATE.search(reason):
        verdict = Verdict.DUPLICATE
    moment = row.moment("notifyTime") or asked_from.astimezone(UTC)
    return Decision(row.text("corpSerialNo"), verdict, raw, row.text("unAcceptCode"), reason, moment, row)


def named(row: Row) -> tuple[str, str]:
    """Whom a record is about and the number of its limit, else its own, as far as it can be read."""

    def first(*names: str) -> str:
        for name in names:
            try:
                if told := (quota or row).text(name) or row.text(name):
                    return shorten(told, LONGEST_NAME)
            except ShapeError:
                continue
        return ""

    try:
        quota = row.record("buyerQuotaInfo")
    except ShapeError:
        quota = None
    return first("buyerNo", "bizbuyerNo", "sinosureBuyerNo", "sinosurebuyerno"), first("quotaNo", "corpSerialNo")


# --- Limits -----------------------------------------------------------------------------------------------------


def granted(told: Decision) -> Row | None:
    """The limit in an approval."""
    return told.row.record("buyerQuotaInfo") if told.verdict is Verdict.ACCEPTED else None


def cover(told: Decision, quota: Row, policy: str, terms: Terms) -> Cover:
    amount = quota.amount("quotaSum")
    raw = quota.text("quotaState")
    shown = [f"{name}: {quota.text(name)}" for name in TERMS_SHOWN if quota.text(name)]
    return Cover(
        cover_id=quota.identifier("quotaNo"),
        buyer_id=quota.identifier("buyerNo"),
        policy_number=quota.text("policyNo") or policy,
        status=_cover_status(raw, amount, terms),
        raw_code=raw or told.raw,
        currency=terms.currency,
        amount=amount,
        insured_percentage=quota.percentage("otherRate", terms.rate_factor),
        effective_from=quota.day("effectDate"),
        effective_to=quota.day("lapseDate"),
        decided_on=told.moment.astimezone(terms.zone).date(),
        conditions=tuple(text for text in (quota.text("adCondition"), *shown) if text),
        own_reference=quota.text("corpBuyerNo"),
    )


def _cover_status(raw: str, amount: Decimal | None, terms: Terms) -> CoverStatus:
    """A state that no setting explains stays unknown; where none is told, the approval counts."""
    if raw:
        return terms.quota_states.get(raw, CoverStatus.UNKNOWN)
    return CoverStatus.REFUSED if amount == 0 else CoverStatus.APPROVED


def approved(told: Decision, policy: str, terms: Terms) -> Cover | None:
    """The cover that an approval brings; ``None`` for a refusal.

    :raises ShapeError: a limit comes with a verdict that is neither.
    """
    if told.verdict is Verdict.UNKNOWN and told.row.record("buyerQuotaInfo"):
        raise ShapeError(told.row.field_path("approveFlag"), f"expected 1 or 0, got {told.raw!r}")
    quota = granted(told)
    return cover(told, quota, policy, terms) if quota else None


def quota_number(row: Row) -> str:
    """Generated classes name it ``buyerquotano`` in some types and ``quotaNo`` in others."""
    return row.text("buyerquotano") or row.identifier("quotaNo")


def announced(row: Row) -> Announcement:
    """A pre-revocation: the limit is good until ``newlapsedate``, that day included."""
    last = row.day("newlapsedate")
    return Announcement(
        kind=AnnouncementKind.WITHDRAWAL,
        raw_code="QuotaPreRevocationInfo",
        effective_from=last + timedelta(days=1) if last else None,
    )


def revoked_cover(row: Row, policy: str, terms: Terms) -> Cover:
    """A limit of which only its pre-revocation is in reach."""
    return Cover(
        cover_id=quota_number(row),
        buyer_id=row.text("bizbuyerNo") or row.identifier("buyerNo"),
        policy_number=row.text("policyNo") or policy,
        status=CoverStatus.APPROVED,
        raw_code="QuotaPreRevocationInfo",
        currency=terms.currency,
        amount=row.amount("quotaSum"),
        insured_percentage=row.percentage("otherRate", terms.rate_factor),
        effective_from=row.day("effectdate"),
        effective_to=row.day("lapsedate"),
        conditions=tuple(text for text in (row.text("adcondition"),) if text),
    )


def balance(row: Row, terms: Terms) -> QuotaBalance:
    amount = row.amount("quotaBalance")
    if amount is None:
        raise ShapeError(row.field_path("quotaBalance"), "expected an amount, got nothing")
    return QuotaBalance(
        cover_id=quota_number(row),
        buyer_id=row.identifier("buyerNo"),
        policy_number=row.text("policyNo"),
        balance=amount,
        currency=terms.currency,
        calculated_at=row.moment("calculateTime"),
    )


def request_status(told: Decision, amount: Decimal | None, asked: Decimal | None) -> RequestStatus:
    """A granted sum of 0 is the insurer's way to refuse; less than what was asked for is a part."""
    if told.verdict is Verdict.REFUSED:
        return RequestStatus.REFUSED
    if told.verdict is Verdict.DUPLICATE:
        return RequestStatus.PENDING
    if told.verdict is Verdict.UNKNOWN:
        return RequestStatus.UNKNOWN
    if amount == 0:
        return RequestStatus.REFUSED
    return RequestStatus.PARTIAL if amount is not None and asked and amount < asked else RequestStatus.APPROVED


# --- Buyers and grades ------------------------------------------------------------------------------------------


def candidate(row: Row, score: int) -> BuyerCandidate:
    country = row.text("countryCode")
    return BuyerCandidate(
        buyer_id=row.identifier("buyerNo"),
        name=row.text("engName") or row.text("chnName") or row.text("shtName"),
        country=TWO_LETTERS.get(country.upper(), country),
        score=score,
        vat_number=row.text("creditno"),
        registration_number=row.text("regNo"),
        street=row.text("engAddress") or row.text("chnAddress"),
    )


def graded(row: Row) -> tuple[str, str, date | None]:
    """Buyer, raw grade ("" without one) and the day it was given."""
    credit = row.record("creditInfo")
    return row.identifier("sinosureBuyerNo"), credit.text("riskScore") if credit else "", row.day("notifyTime")


def grades(ratings: Iterable[tuple[str, str, date | None]]) -> list[Grade]:
    """The last grade of each buyer, with the one before it; ``ratings`` the last one first."""
    found: dict[str, list[tuple[str, date | None]]] = {}
    for buyer, value, day in ratings:
        if value:
            found.setdefault(buyer, []).append((value, day))
    result = []
    for buyer, told in found.items():
        told.sort(key=lambda each: each[1] or date.min, reverse=True)
        previous = next((value for value, _day in told if value != told[0][0]), None)
        result.append(Grade(buyer, told[0][0], SCALE, told[0][1], previous))
    return result


# --- Lines of declarations --------------------------------------------------------------------------------------


def refusals(decisions: Iterable[Decision], names: dict[str, str]) -> tuple[LineRefusal, ...]:
    """The records that were not taken; ``names`` gives our reference of each corpSerialNo."""
    refused = (each for each in decisions if each.verdict in (Verdict.REFUSED, Verdict.UNKNOWN))
    return tuple(LineRefusal(names[each.serial], each.code or each.raw, each.words) for each in refused)
