"""When cover stopped for new deliveries, and whether a payment brought it back.

due ──MEP──> last day ─┐ stop ──────────────── paid, nothing else past its MEP
                       │  within 30 days after the MEP ended: as if it had never stopped
                       └  later: insured again for deliveries after the payment only
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from .invoices import Invoice
from .limit_rows import WITH_AMOUNT, CoverStatus, InsurerCover, Layer
from .money import HUNDRED, ZERO
from .terms import NO_HOLIDAYS, Base, PolicyTerms

_DAY = timedelta(days=1)


class StopCause(StrEnum):
    MEP = "mep"
    WITHDRAWAL = "withdrawal"
    COUNTRY = "country"
    INSOLVENCY = "insolvency"
    COLLECTION = "collection"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Stop:
    """Deliveries from `start` to `end`, both included, are not insured; `end` None: still stopped."""

    start: date
    cause: StopCause
    end: date | None = None

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class _Late:
    """An instalment that passed its MEP, in policy currency; `paid_on` None: it is open today."""

    end_of_mep: date
    last_day: date
    amount: Decimal
    disputed: bool
    paid_on: date | None


def mep_stops(
    terms: PolicyTerms,
    invoices: Iterable[Invoice],
    *,
    today: date,
    insured_limit: Callable[[date], Decimal],
    holidays: AbstractSet[date] = NO_HOLIDAYS,
) -> tuple[Stop, ...]:
    """Return the stops caused by unpaid due dates, oldest first; those undone retroactively are left out.

    `insured_limit` gives the insured limit on a day, in policy currency. A stop lasts as long as what is unpaid keeps
    cover stopped, see `_keeps_stopped`; it is undone when a payment ends it in time after its beginning.
    """
    late = tuple(_late(terms, invoices, today, holidays))
    stops = []
    for start, end, past in _stopped_spans(late, terms, today, insured_limit):
        mep_ended = max(item.end_of_mep for item in past)
        undone = (
            end is not None
            and any(item.paid_on == end for item in late)
            and not terms.restoration.passed(end, mep_ended, holidays)
            and insured_limit(end) > 0
        )
        if not undone:
            stops.append(Stop(start, StopCause.MEP, end))
    return tuple(stops)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is open of an instalment: `start` is the day its MEP is counted from, `amount` in policy currency.

    An amount that is not known in it, for want of a rate, is neither below the tolerance nor excused as disputed.
    """

    start: date
    amount: Decimal | None
    disputed: bool = False


def stopped_by_mep(
    terms: PolicyTerms,
    items: Iterable[OpenItem],
    *,
    today: date,
    insured_limit: Decimal,
    holidays: AbstractSet[date] = NO_HOLIDAYS,
) -> bool:
    """Say whether what is open today keeps cover for new deliveries stopped; `insured_limit` is today's."""
    ends = ((item, terms.mep.end(item.start, holidays), terms.mep.last_day(item.start, holidays)) for item in items)
    late = [
        _Late(end, last_day, item.amount or ZERO, item.disputed and item.amount is not None, None)
        for item, end, last_day in ends
        if today > last_day and (item.amount is None or item.amount >= terms.tolerance)
    ]
    return _keeps_stopped(late, terms, insured_limit)


def withdrawal_stops(covers: Iterable[object], *, today: date) -> tuple[Stop, ...]:
    """Return a stop for every withdrawal in effect, until the day before a later cover begins."""
    begun = (row for row in covers if isinstance(row, InsurerCover) and row.start <= today)
    permanent = sorted((row for row in begun if row.layer is Layer.PERMANENT), key=lambda row: row.start)
    stops = []
    for position, row in enumerate(permanent):
        if row.status is CoverStatus.WITHDRAWN:
            later = (item for item in permanent[position + 1 :] if item.policy == row.policy)
            begins = next((item.start for item in later if item.status in WITH_AMOUNT), None)
            stops.append(Stop(row.start, StopCause.WITHDRAWAL, begins - _DAY if begins else None))
    return tuple(stops)


def _late(terms: PolicyTerms, invoices: Iterable[Invoice], today: date, holidays: AbstractSet[date]) -> Iterator[_Late]:
    for invoice in invoices:
        rate = invoice.rate_to(terms.currency)
        for part in invoice.payment_record(today):
            base = invoice.invoice_date if terms.mep.base is Base.INVOICE_DATE else part.due_date
            end, last_day, amount = (
                terms.mep.end(base, holidays),
                terms.mep.last_day(base, holidays),
                part.amount * rate,
            )
            if (part.paid_on or today) > last_day and amount >= terms.tolerance:
                yield _Late(end, last_day, amount, invoice.disputed, part.paid_on)


def _keeps_stopped(past: Collection[_Late], terms: PolicyTerms, insured_limit: Decimal) -> bool:
    """Say whether what is unpaid past its MEP stops cover: disputes below their share of the limit do not."""
    disputed = sum((item.amount for item in past if item.disputed), ZERO)
    undisputed = any(not item.disputed for item in past)
    return undisputed or bool(past) and disputed >= insured_limit * terms.disputed_share / HUNDRED


def _stopped_spans(
    late: Collection[_Late], terms: PolicyTerms, today: date, insured_limit: Callable[[date], Decimal]
) -> Iterator[tuple[date, date | None, Sequence[_Late]]]:
    """Yield first and last day of each stop, and what was past its MEP when it began; no last day: it goes on.

    The day of a payment is stopped still, and what is left in its evening decides about the next one.
    """
    start: date | None = None
    began_with: Sequence[_Late] = ()
    for day, past in _past_by_day(late, today):
        limit = insured_limit(day)
        stopped = _keeps_stopped(past, terms, limit)
        if start is None and stopped:
            start, began_with = day, past
        if start is not None and not stopped:
            yield start, day - _DAY, began_with
            start = None
        elif start is not None and not _keeps_stopped([item for item in past if item.paid_on != day], terms, limit):
            yield start, day, began_with
            start = None
    if start is not None:
        yield start, None, began_with


def _past_by_day(late: Collection[_Late], today: date) -> Iterator[tuple[date, Sequence[_Late]]]:
    """Yield what is past its MEP on each day on which that changes, or on which a dispute's share of the limit may."""
    days = {day for item in late for day in (item.last_day + _DAY, item.paid_on) if day and day <= today}
    for item in late:
        if item.disputed:
            until = item.paid_on or today
            days.update(item.last_day + _DAY * past for past in range(1, (until - item.last_day).days + 1))
    waiting = deque(sorted(late, key=lambda item: item.last_day))
    past: list[_Late] = []
    for day in sorted(days):
        past = [item for item in past if item.paid_on is None or day <= item.paid_on]
        while waiting and waiting[0].last_day < day:
            past.append(waiting.popleft())
        yield day, tuple(past)
