"""May this document pass? The pure credit decision the gate takes inside its transaction.

    facts ──> reasons (all at once) ──> what lifts some of them ──> pass or hold ──> mode (off, observe, on)

A document passes when no reason of severity *hold* is left. A limit of 0 is a limit; no limit at all is *not checked*.
The rules themselves are the tables of `reasons`; here are the figures, the modes, batches and what would pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from .decision_facts import Basis, Decision, DecisionRequest, Exposure, Mode, Outcome
from .money import ZERO, Money
from .reasons import Case, judge, passes


def decide(request: DecisionRequest) -> Decision:
    """Return whether the document passes, with every reason and figure.

    >>> from datetime import date
    >>> from .limits import LimitInForce
    >>> limit = LimitInForce.flat(Money(Decimal(1000), "EUR"), date(2025, 1, 1))
    >>> exposure = Exposure.of("EUR", confirmed=Decimal(900))
    >>> held = decide(DecisionRequest(document=Money(Decimal(300), "EUR"), exposure=exposure, limit=limit))
    >>> held.outcome.value, held.shortfall.amount, held.would_pass.amount, held.prepayment.amount
    ('hold', Decimal('200'), Decimal('100'), Decimal('200'))
    """
    request = _in_places(request)
    case = Case(request, request.document, request.paid)
    basis, reasons = judge(case)
    would_be = Outcome.HOLD if basis is Basis.NONE else Outcome.PASS
    if request.mode is Mode.OFF:
        basis = Basis.GATE_OFF
    elif request.mode is Mode.OBSERVE and would_be is Outcome.HOLD:
        basis = Basis.OBSERVE
    limit = request.limit.amount
    return Decision(
        outcome=Outcome.HOLD if basis is Basis.NONE else Outcome.PASS,
        would_be=would_be,
        basis=basis,
        reasons=reasons,
        limit=limit,
        limit_state=request.limit.state,
        exposure=request.exposure,
        document=request.document,
        prepaid=request.paid,
        after=case.after,
        headroom=None if limit is None else limit - request.exposure.total,
        shortfall=max(case.shortfall, case.shared_shortfall),
        would_pass=_largest_passing(case),
        prepayment=_smallest_prepayment(case),
        shared=request.shared,
    )


def decide_batch(requests: Iterable[DecisionRequest]) -> tuple[Decision, ...]:
    """Decide several documents confirmed together, in the order of their creation.

    Documents of one `buyer`, and those with the same `shared` limit, share headroom. Every request carries the exposure
    with all documents of the batch left out of it. A document that passes uses headroom for those after it, as
    reserved exposure; a held one uses none, so a smaller one after it may pass, unless it is owed anyway.
    """
    granted = _Granted()
    decisions: list[Decision] = []
    for request in requests:
        decision = decide(granted.added_to(request))
        granted.note(request, decision)
        decisions.append(decision)
    return tuple(decisions)


class _Granted:
    """What documents that passed in this batch have used: by buyer, by shared limit, and as small amounts."""

    def __init__(self) -> None:
        self._own: dict[str, Money] = {}
        self._small: dict[str, Money] = {}
        self._shared: dict[str, Decimal] = {}

    def added_to(self, request: DecisionRequest) -> DecisionRequest:
        zero = Money.zero(request.currency)
        own, small = self._own.get(request.buyer, zero), self._small.get(request.buyer, zero)
        shared = request.shared
        if shared is not None:
            used = Money(self._shared.get(shared.key, ZERO) / shared.per_unit, request.currency)
            shared = replace(shared, exposure=shared.exposure + used)
        return replace(
            request,
            exposure=replace(request.exposure, reserved=request.exposure.reserved + own),
            passed_today=small if request.passed_today is None else request.passed_today + small,
            shared=shared,
        )

    def note(self, request: DecisionRequest, decision: Decision) -> None:
        if decision.outcome is not Outcome.PASS and not request.owed_anyway:
            return
        zero, used = Money.zero(request.currency), (decision.document - decision.prepaid).floored()
        self._own[request.buyer] = self._own.get(request.buyer, zero) + used
        if request.shared is not None:
            key = request.shared.key
            self._shared[key] = self._shared.get(key, ZERO) + used.amount * request.shared.per_unit
        if decision.basis is Basis.BELOW_THRESHOLD:
            self._small[request.buyer] = self._small.get(request.buyer, zero) + decision.document


def _in_places(request: DecisionRequest) -> DecisionRequest:
    """Round every amount to the currency's places: what is shown adds up, and "exactly at the limit" is exact."""
    places = request.decimal_places
    if places is None:
        return request
    changes: dict[str, Any] = {}
    for item in fields(request):
        value = getattr(request, item.name)
        if isinstance(value, Money):
            changes[item.name] = value.rounded(places)
    exposure = Exposure(*(part.rounded(places) for part in request.exposure.parts))
    limit, shared = request.limit, request.shared
    if limit.amount is not None:
        limit = replace(limit, amount=limit.amount.rounded(places))
    if shared is not None:
        shared = replace(shared, limit=shared.limit.rounded(places), exposure=shared.exposure.rounded(places))
    return replace(request, **changes, exposure=exposure, limit=limit, shared=shared)


def _largest_passing(case: Case) -> Money | None:
    """Return the largest amount that passes, zero if none does, None without bound.

    Whether an amount passes changes only at the figures below, so trying those is enough; the decision itself stays
    the one place that knows the rules.
    """
    request, paid = case.request, case.paid
    figures = [paid, case.zero]
    if request.limit.amount is not None:
        headroom = request.limit.amount - request.exposure.total
        figures += [headroom + paid, headroom + paid + case.tolerance]
    if request.shared is not None:
        figures.append(request.shared.limit - request.shared.exposure + paid)
    if request.secured is not None:
        figures.append(request.secured + paid)
    figures += [figure for figure in (request.released, request.order_threshold) if figure is not None]
    if request.day_threshold is not None:
        figures.append(request.day_threshold - case.passed_today)
    if request.decimal_places is not None:
        figures = [figure.rounded(request.decimal_places, ROUND_FLOOR) for figure in figures]
    beyond = max(figures) + Money(Decimal(1), request.currency)
    if passes(replace(case, document=beyond)):
        return None
    positive = sorted({figure for figure in figures if figure.amount > 0}, reverse=True)
    return next((figure for figure in positive if passes(replace(case, document=figure))), case.zero)


def _smallest_prepayment(case: Case) -> Money | None:
    """Return the smallest further payment that makes the document pass; see `_largest_passing` for the method."""
    request, at_risk = case.request, case.at_risk.floored()
    figures = {case.zero, at_risk, (case.shortfall - case.tolerance).floored(), case.shared_shortfall}
    if request.secured is not None:
        figures.add((at_risk - request.secured).floored())
    return next((figure for figure in sorted(figures) if passes(replace(case, paid=case.paid + figure))), None)
