"""What the credit decision is told and what it answers: plain facts in, plain facts out.

Amounts are `Money` in the currency of the limit; the caller converts. Texts for people are made in Odoo from the codes
and parameters here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from .errors import CurrencyMismatch, InvalidFacts
from .limits import LimitInForce, LimitState
from .money import ONE, ZERO, Money, total


class Outcome(StrEnum):
    PASS = "pass"
    HOLD = "hold"


class Mode(StrEnum):
    OFF = "off"  # break-glass: everything passes
    OBSERVE = "observe"  # decides and records, never holds
    ON = "on"


class BuyerStatus(StrEnum):
    NORMAL = "normal"
    WATCH = "watch"  # passes as others do, with a warning
    BLOCKED = "blocked"  # nothing passes, paid or not, but by a release
    CASH_ONLY = "cash_only"  # passes only when paid, or when delivery waits for the money
    NOT_CHECKED = "not_checked"  # nobody has looked at the buyer: nothing is checked


class Severity(StrEnum):
    HOLD = "hold"
    WARN = "warn"
    INFO = "info"


class ReasonCode(StrEnum):
    """What speaks against a document. The parameters of each are listed beside it."""

    OVER_LIMIT = "over_limit"  # limit, exposure, document, after, shortfall, tolerance
    LIMIT_UNKNOWN = "limit_unknown"  # the insurer's answer could not be read
    LIMIT_ZERO = "limit_zero"  # state: why there is no amount (refused, withdrawn, expired, stale, no_credit ...)
    STALE_DATA = "stale_data"  # age_days
    BUYER_BLOCKED = "buyer_blocked"
    BUYER_CASH_ONLY = "buyer_cash_only"  # to_pay
    BUYER_WATCH = "buyer_watch"
    OVERDUE = "overdue"  # days, amount, max_days, max_amount
    MEP_PASSED = "mep_passed"
    MEP_EXCUSED = "mep_excused"  # what is unpaid beyond it does not stop cover: disputed, or too little
    TERM_TOO_LONG = "term_too_long"  # days, max_days
    COVER_ENDS_BEFORE_DELIVERY = "cover_ends_before_delivery"  # until, delivery
    CURRENCY_NOT_COVERED = "currency_not_covered"  # currency
    COUNTRY_NOT_COVERED = "country_not_covered"  # country
    ALERT = "alert"  # alerts
    OVER_SHARED_LIMIT = "over_shared_limit"  # group, limit, exposure, document, after, shortfall
    RATE_MISSING = "rate_missing"  # currencies: amounts in them cannot be compared with the limit
    RELATED_BUYER_BLOCKED = "related_buyer_blocked"  # buyers: who orders or receives the goods, but does not pay
    DIFFERENT_ENTITIES = "different_entities"  # buyers, of whom the insurer knows nothing
    COVER_STOPPED = "cover_stopped"  # state: why cover does not stand for new deliveries
    NOT_PAID_YET = "not_paid_yet"  # to_pay: the delivery waits for the money


class Basis(StrEnum):
    """What a pass rests on. The first four leave nothing to exempt; the rest lift reasons, in this order."""

    WITHIN_LIMIT = "within_limit"
    NOT_CHECKED = "not_checked"
    ZERO_AMOUNT = "zero_amount"
    PREPAID = "prepaid"
    CASH_BEFORE_DELIVERY = "cash_before_delivery"
    SECURED = "secured"
    TOLERANCE = "tolerance"
    BELOW_THRESHOLD = "below_threshold"
    RELEASED = "released"
    OBSERVE = "observe"
    GATE_OFF = "gate_off"
    NONE = "none"  # held


Param: TypeAlias = Money | Decimal | int | str | date | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the buyer owes or will owe, by source, without the document being decided.

    - `not_due`, `overdue`: posted receivables still open, by instalment.
    - `confirmed`: confirmed orders not yet invoiced.
    - `credits`: unapplied payments and credit notes, zero or below.
    - `reserved`: what confirmations running at this moment have been granted.
    """

    not_due: Money
    overdue: Money
    confirmed: Money
    credits: Money
    reserved: Money

    def __post_init__(self) -> None:
        if self.credits.amount > 0:
            raise InvalidFacts("credits", "unapplied credits lower exposure: zero or below")
        if any(money.currency != self.currency for money in self.parts):
            raise CurrencyMismatch(self.currency, "/".join(sorted({money.currency for money in self.parts})))

    @classmethod
    def of(
        cls,
        currency: str,
        *,
        not_due: Decimal = ZERO,
        overdue: Decimal = ZERO,
        confirmed: Decimal = ZERO,
        credits: Decimal = ZERO,
        reserved: Decimal = ZERO,
    ) -> Exposure:
        """Return an exposure from plain amounts in one currency."""
        amounts = (not_due, overdue, confirmed, credits, reserved)
        return cls(*(Money(amount, currency) for amount in amounts))

    @property
    def currency(self) -> str:
        return self.not_due.currency

    @property
    def parts(self) -> tuple[Money, ...]:
        return (self.not_due, self.overdue, self.confirmed, self.credits, self.reserved)

    @property
    def total(self) -> Money:
        return total(self.parts, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLimit:
    """One limit for several buyers. The amounts are in the currency of the request that carries it.

    - `exposure`: of all members together, the document left out.
    - `per_unit`: how much of the group's own currency one unit of the request's currency is worth, so that documents of
      members with limits in different currencies can share the headroom.
    """

    key: str
    name: str
    limit: Money
    exposure: Money
    per_unit: Decimal = ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRequest:
    """One document to decide. Only the first three fields are needed; what is left out is not checked.

    - `document`: its amount tax included; for a growing order its new total, the order itself left out of exposure.
    - `buyer`: names who shares `exposure` and `limit` in a batch; the same for all when it is left out.
    - `shared`: a limit that the buyer shares with others; the document must fit it as well as the buyer's own.
    - `check_limit`: False at a checkpoint after confirmation (a delivery), where the limit was decided before.
    - `prepaid`: payments of this document, authorized or done, counted once and not in `exposure`.
    - `delivery_waits_for_money`: goods leave only when paid. `must_be_paid`: they are leaving now.
    - `owed_anyway`: in a batch it uses headroom even when it is held, because nobody takes it back any more.
    - `goods_leave`: what is decided is whether goods may leave, be they invoiced already or not.
    - `secured`: guarantees for this very document.
    - `released`, `released_reasons`: up to which amount a release or pass holds, and which reasons it accepted
      (None: all).
    - `tolerance`, `tolerance_percent`: how far over a limit above 0 a document may go; both add up.
    - `order_threshold`, `day_threshold`, `passed_today`: amounts up to the threshold pass over the limit; with a day's
      threshold, what passed this way today and this document together must not exceed it.
    - `overdue_days` of the oldest item and `overdue_amount` (default: all of `exposure.overdue`): a reason when beyond
      both `max_overdue_days` and `max_overdue_amount`; None for the days means never.
    - `cover_valid_until`: default the limit's own `insured_until`.
    - `cover_stopped`: why the insurer's cover does not stand any more: what stopped it for new deliveries, or at a
      checkpoint after confirmation how it ended.
    - `alert_holds`: names of the alerts that say hold.
    - `unrated`: currencies of the document, the exposure or the limit that have no rate.
    - `blocked_related`, `different`: names of who orders or receives the goods without being the buyer.
    - `severities`: the profile: which reasons only warn (soft) or hold (strict) for this buyer.
    - `decimal_places` of the limit's currency: all amounts are rounded to it before they are compared.
    """

    document: Money
    exposure: Exposure
    limit: LimitInForce
    mode: Mode = Mode.ON
    buyer_status: BuyerStatus = BuyerStatus.NORMAL
    buyer: str = ""
    shared: SharedLimit | None = None
    check_limit: bool = True
    prepaid: Money | None = None
    delivery_waits_for_money: bool = False
    must_be_paid: bool = False
    goods_leave: bool = False
    owed_anyway: bool = False
    secured: Money | None = None
    released: Money | None = None
    released_reasons: frozenset[ReasonCode] | None = None
    tolerance: Money | None = None
    tolerance_percent: Decimal = ZERO
    order_threshold: Money | None = None
    day_threshold: Money | None = None
    passed_today: Money | None = None
    overdue_days: int = 0
    overdue_amount: Money | None = None
    max_overdue_days: int | None = None
    max_overdue_amount: Money | None = None
    mep_passed: bool = False
    mep_excused: bool = False
    payment_term_days: int | None = None
    max_payment_term_days: int | None = None
    delivery_date: date | None = None
    cover_valid_until: date | None = None
    document_currency: str = ""
    currency_allowed: bool = True
    country: str = ""
    country_allowed: bool = True
    cover_stopped: str = ""
    alert_holds: tuple[str, ...] = ()
    unrated: tuple[str, ...] = ()
    blocked_related: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    severities: Mapping[ReasonCode, Severity] = field(default_factory=dict)
    decimal_places: int | None = None

    def __post_init__(self) -> None:
        currency = self.limit.currency
        if self.exposure.currency != currency:
            raise CurrencyMismatch(currency, self.exposure.currency)
        amounts = [getattr(self, item.name) for item in fields(self)]
        if self.shared is not None:
            amounts += [self.shared.limit, self.shared.exposure]
        for value in amounts:
            if isinstance(value, Money) and value.currency != currency:
                raise CurrencyMismatch(currency, value.currency)

    @property
    def currency(self) -> str:
        return self.limit.currency

    @property
    def cover_until(self) -> date | None:
        """The last day cover is known to stand."""
        return self.cover_valid_until or self.limit.insured_until

    @property
    def paid(self) -> Money:
        """What is prepaid, zero included."""
        return self.prepaid if self.prepaid is not None else Money.zero(self.currency)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks against the document; `exempted_by` names what lifted it, if anything did."""

    code: ReasonCode
    severity: Severity
    params: Mapping[str, Param] = field(default_factory=dict)
    exempted_by: Basis | None = None

    @property
    def holds(self) -> bool:
        return self.severity is Severity.HOLD and self.exempted_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with every figure it rests on.

    - `outcome`, and `would_be`: what it would have been with the gate on; they differ in the modes observe and off.
    - `basis`: what a pass rests on; NONE for a hold.
    - `reasons`: all of them, also warnings and lifted ones.
    - `after`: exposure with the document, less what is prepaid. `headroom`: limit less exposure, before the document;
      None without a limit. `shortfall`: by how much `after` exceeds the limit, at least zero; with a shared limit the
      larger of the two.
    - `would_pass`: the largest amount of this document that passes now with the gate on; zero when none does, None when
      there is no upper bound.
    - `prepayment`: the smallest further payment with which the document passes; zero when it passes, None when no
      payment helps.
    - `shared`: the limit shared with others and their exposure, as they were compared.
    """

    outcome: Outcome
    would_be: Outcome
    basis: Basis
    reasons: tuple[Reason, ...]
    limit: Money | None
    limit_state: LimitState
    exposure: Exposure
    document: Money
    prepaid: Money
    after: Money
    headroom: Money | None
    shortfall: Money
    would_pass: Money | None
    prepayment: Money | None
    shared: SharedLimit | None = None

    @property
    def holding(self) -> tuple[Reason, ...]:
        """The reasons that hold, lifted ones left out."""
        return tuple(reason for reason in self.reasons if reason.holds)
