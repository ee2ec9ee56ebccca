"""What speaks against a document, and what lifts it: the two tables behind the credit decision.

`CHECKS` says for every reason when it applies and which figures it carries. `LIFTS` says which reasons each basis
lifts: money in hand lifts everything but a block, a guarantee or a small amount lifts what concerns limit and cover
but not the buyer's behaviour, a release lifts what its approver accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from .decision_facts import Basis, BuyerStatus, DecisionRequest, Param, Reason, ReasonCode, Severity
from .limits import LimitState
from .money import Money


@dataclass(frozen=True)
class Case:
    """A request with the amount and payment to try it with, which need not be the request's own."""

    request: DecisionRequest
    document: Money
    paid: Money

    @cached_property
    def zero(self) -> Money:
        return Money.zero(self.request.currency)

    @cached_property
    def at_risk(self) -> Money:
        """What is left to pay of the document."""
        return self.document - self.paid

    @cached_property
    def after(self) -> Money:
        """Exposure with the document; a payment above its amount does not lower what else is owed."""
        added = self.at_risk.floored() if self.document.amount > 0 else self.document
        return self.request.exposure.total + added

    @cached_property
    def shortfall(self) -> Money:
        limit = self.request.limit.amount
        return self.zero if limit is None else (self.after - limit).floored()

    @cached_property
    def shared_after(self) -> Money:
        """Exposure of all who share a limit, with the document."""
        shared = self.request.shared
        before = self.zero if shared is None else shared.exposure
        return before + self.after - self.request.exposure.total

    @cached_property
    def shared_shortfall(self) -> Money:
        shared = self.request.shared
        return self.zero if shared is None else (self.shared_after - shared.limit).floored()

    @cached_property
    def tolerance(self) -> Money:
        """How far over the limit the document may go; nothing over a limit of 0, which would be new credit."""
        request, limit = self.request, self.request.limit.amount
        if limit is None or limit.amount <= 0:
            return self.zero
        tolerance = limit.percent(request.tolerance_percent)
        if request.tolerance is not None:
            tolerance += request.tolerance
        return tolerance if request.decimal_places is None else tolerance.rounded(request.decimal_places)

    @cached_property
    def overdue(self) -> tuple[Money, Money]:
        """What is overdue, and how much of that is allowed."""
        amount, allowed = self.request.overdue_amount, self.request.max_overdue_amount
        return (
            self.request.exposure.overdue if amount is None else amount,
            self.zero if allowed is None else allowed,
        )

    @cached_property
    def passed_today(self) -> Money:
        return self.zero if self.request.passed_today is None else self.request.passed_today

    @property
    def is_small(self) -> bool:
        request = self.request
        if request.order_threshold is None or not self.zero < self.document <= request.order_threshold:
            return False
        return request.day_threshold is None or self.passed_today + self.document <= request.day_threshold


@dataclass(frozen=True, slots=True)
class _Check:
    applies: Callable[[Case], bool]
    params: Callable[[Case], dict[str, Param]] = lambda _case: {}
    severity: Severity = Severity.HOLD


def _over_limit_figures(case: Case) -> dict[str, Param]:
    return {
        "limit": case.request.limit.amount,
        "exposure": case.request.exposure.total,
        "document": case.document,
        "after": case.after,
        "shortfall": case.shortfall,
        "tolerance": case.tolerance,
    }


def _over_shared_limit_figures(case: Case) -> dict[str, Param]:
    shared = case.request.shared
    if shared is None:
        return {}
    return {
        "group": shared.name,
        "limit": shared.limit,
        "exposure": shared.exposure,
        "document": case.document,
        "after": case.shared_after,
        "shortfall": case.shared_shortfall,
    }


def _limit_is_zero(case: Case) -> bool:
    limit = case.request.limit
    return case.request.check_limit and limit.amount is not None and not limit.amount.amount


def _data_age(case: Case) -> dict[str, Param]:
    ages = [line.age_days for line in case.request.limit.lines if line.age_days is not None]
    return {"age_days": max(ages, default=None)}


def _is_overdue(case: Case) -> bool:
    days, most = case.request.overdue_days, case.request.max_overdue_days
    return most is not None and days > most and case.overdue[0] > case.overdue[1]


def _overdue_figures(case: Case) -> dict[str, Param]:
    amount, allowed = case.overdue
    days, most = case.request.overdue_days, case.request.max_overdue_days
    return {"days": days, "amount": amount, "max_days": most, "max_amount": allowed}


def _term_is_too_long(case: Case) -> bool:
    days, most = case.request.payment_term_days, case.request.max_payment_term_days
    return days is not None and most is not None and days > most


def _cover_ends_first(case: Case) -> bool:
    until, delivery = case.request.cover_until, case.request.delivery_date
    return until is not None and delivery is not None and delivery > until


def _has_status(status: BuyerStatus) -> Callable[[Case], bool]:
    return lambda case: case.request.buyer_status is status


CHECKS: Mapping[ReasonCode, _Check] = MappingProxyType(
    {
        ReasonCode.OVER_LIMIT: _Check(
            lambda case: case.request.check_limit and case.shortfall.amount > 0, _over_limit_figures
        ),
        ReasonCode.LIMIT_UNKNOWN: _Check(
            lambda case: case.request.check_limit and case.request.limit.state is LimitState.UNKNOWN
        ),
        ReasonCode.LIMIT_ZERO: _Check(
            _limit_is_zero, lambda case: {"state": case.request.limit.state.value}, Severity.INFO
        ),
        ReasonCode.STALE_DATA: _Check(
            lambda case: case.request.check_limit and case.request.limit.stale, _data_age, Severity.WARN
        ),
        ReasonCode.BUYER_BLOCKED: _Check(_has_status(BuyerStatus.BLOCKED)),
        ReasonCode.BUYER_CASH_ONLY: _Check(
            _has_status(BuyerStatus.CASH_ONLY), lambda case: {"to_pay": case.at_risk.floored()}
        ),
        ReasonCode.BUYER_WATCH: _Check(_has_status(BuyerStatus.WATCH), severity=Severity.WARN),
        ReasonCode.OVERDUE: _Check(_is_overdue, _overdue_figures),
        ReasonCode.MEP_PASSED: _Check(lambda case: case.request.mep_passed),
        ReasonCode.MEP_EXCUSED: _Check(lambda case: case.request.mep_excused, severity=Severity.INFO),
        ReasonCode.TERM_TOO_LONG: _Check(
            _term_is_too_long,
            lambda case: {"days": case.request.payment_term_days, "max_days": case.request.max_payment_term_days},
        ),
        ReasonCode.COVER_ENDS_BEFORE_DELIVERY: _Check(
            _cover_ends_first,
            lambda case: {"until": case.request.cover_until, "delivery": case.request.delivery_date},
        ),
        ReasonCode.CURRENCY_NOT_COVERED: _Check(
            lambda case: not case.request.currency_allowed, lambda case: {"currency": case.request.document_currency}
        ),
        ReasonCode.COUNTRY_NOT_COVERED: _Check(
            lambda case: not case.request.country_allowed, lambda case: {"country": case.request.country}
        ),
        ReasonCode.ALERT: _Check(
            lambda case: bool(case.request.alert_holds), lambda case: {"alerts": case.request.alert_holds}
        ),
        ReasonCode.OVER_SHARED_LIMIT: _Check(
            lambda case: case.request.check_limit and case.shared_shortfall.amount > 0, _over_shared_limit_figures
        ),
        ReasonCode.RATE_MISSING: _Check(
            lambda case: case.request.check_limit and bool(case.request.unrated),
            lambda case: {"currencies": case.request.unrated},
        ),
        ReasonCode.RELATED_BUYER_BLOCKED: _Check(
            lambda case: bool(case.request.blocked_related), lambda case: {"buyers": case.request.blocked_related}
        ),
        ReasonCode.DIFFERENT_ENTITIES: _Check(
            lambda case: bool(case.request.different), lambda case: {"buyers": case.request.different}, Severity.WARN
        ),
        ReasonCode.COVER_STOPPED: _Check(
            lambda case: bool(case.request.cover_stopped), lambda case: {"state": case.request.cover_stopped}
        ),
        ReasonCode.NOT_PAID_YET: _Check(
            lambda case: case.request.must_be_paid and case.at_risk.amount > 0,
            lambda case: {"to_pay": case.at_risk.floored()},
        ),
    }
)

_ALL = frozenset(ReasonCode)
_NO_CREDIT_GIVEN = _ALL - {ReasonCode.BUYER_BLOCKED, ReasonCode.RELATED_BUYER_BLOCKED}
_LIMIT_AND_COVER = frozenset(
    {
        ReasonCode.OVER_LIMIT,
        ReasonCode.OVER_SHARED_LIMIT,
        ReasonCode.LIMIT_UNKNOWN,
        ReasonCode.LIMIT_ZERO,
        ReasonCode.STALE_DATA,
        ReasonCode.TERM_TOO_LONG,
        ReasonCode.COVER_ENDS_BEFORE_DELIVERY,
        ReasonCode.CURRENCY_NOT_COVERED,
        ReasonCode.COUNTRY_NOT_COVERED,
    }
)
LIFTS: Mapping[Basis, frozenset[ReasonCode]] = MappingProxyType(
    {
        Basis.ZERO_AMOUNT: _NO_CREDIT_GIVEN,
        Basis.PREPAID: _NO_CREDIT_GIVEN,
        Basis.CASH_BEFORE_DELIVERY: _NO_CREDIT_GIVEN,
        Basis.SECURED: _LIMIT_AND_COVER,
        Basis.TOLERANCE: frozenset({ReasonCode.OVER_LIMIT}),
        Basis.BELOW_THRESHOLD: _LIMIT_AND_COVER,
        Basis.RELEASED: _ALL,
    }
)


def lifting(case: Case) -> Iterator[tuple[Basis, frozenset[ReasonCode]]]:
    """Yield what applies to the case and which reasons it lifts, in the order of `LIFTS`."""
    request = case.request
    applies = {
        # After confirmation the question is about goods leaving, not about credit newly given.
        Basis.ZERO_AMOUNT: request.check_limit and not request.goods_leave and case.document.amount <= 0,
        Basis.PREPAID: case.document.amount > 0 and case.at_risk.amount <= 0,
        Basis.CASH_BEFORE_DELIVERY: request.delivery_waits_for_money,
        Basis.SECURED: request.secured is not None and case.at_risk <= request.secured,
        Basis.TOLERANCE: case.shortfall <= case.tolerance,
        Basis.BELOW_THRESHOLD: case.is_small,
    }
    for basis, true in applies.items():
        if true:
            yield basis, LIFTS[basis]
    if request.released is not None and case.document <= request.released:
        accepted = request.released_reasons
        yield Basis.RELEASED, LIFTS[Basis.RELEASED] if accepted is None else accepted


def _severity(case: Case, code: ReasonCode) -> Severity:
    return case.request.severities.get(code, CHECKS[code].severity)


def passes(case: Case) -> bool:
    """Say whether nothing is left that holds: the short form of `judge`."""
    if case.request.buyer_status is BuyerStatus.NOT_CHECKED:
        return True
    held = {code for code, check in CHECKS.items() if _severity(case, code) is Severity.HOLD and check.applies(case)}
    return not held or held <= frozenset().union(*(codes for _basis, codes in lifting(case)))


def judge(case: Case) -> tuple[Basis, tuple[Reason, ...]]:
    """Return what the document passes on with the gate on (NONE: it is held) and all reasons, lifted ones marked."""
    if case.request.buyer_status is BuyerStatus.NOT_CHECKED:
        return Basis.NOT_CHECKED, ()
    lifted_by = tuple(lifting(case))
    reasons = []
    for code, check in CHECKS.items():
        if check.applies(case):
            severity = _severity(case, code)
            by = next((basis for basis, codes in lifted_by if code in codes), None)
            reasons.append(Reason(code, severity, check.params(case), by if severity is Severity.HOLD else None))
    if any(reason.holds for reason in reasons):
        return Basis.NONE, tuple(reasons)
    # That nothing is at risk, or that the delivery waits, is worth saying even where the limit would have sufficed.
    said = {reason.exempted_by for reason in reasons} | {Basis.ZERO_AMOUNT, Basis.PREPAID, Basis.CASH_BEFORE_DELIVERY}
    return next((basis for basis, _codes in lifted_by if basis in said), _plain(case)), tuple(reasons)


def _plain(case: Case) -> Basis:
    known = case.request.limit.state is not LimitState.NOT_CHECKED or case.request.shared is not None
    checked = case.request.check_limit and known
    return Basis.WITHIN_LIMIT if checked else Basis.NOT_CHECKED
