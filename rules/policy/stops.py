"""When cover stopped for new deliveries, and whether a payment brought it back.

due ──MEP──> last day ─┐ stop ──────────────── paid, nothing else past its MEP
                       │  within 30 days after the MEP ended: as if it had never stopped
                       └  later: insured again for deliveries after the payment only
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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

    def past_on(self, day: date) -> bool:
        return self.last_day < day and (self.paid_on is None or day <= self.paid_on)


def mep_stops(
    terms: PolicyTerms,
    invoices: Iterable[Invoice],
    *,
    today: date,
    insured_limit: Callable[[date], Decimal],
    holidays: AbstractSet[date] = NO_HOLIDAYS,
) -> tuple[Stop, ...]:
    """Return the stops caused by unpaid due dates, oldest first; those undone retroactively are left out.

    `insured_limit` gives the insured limit on a day, in policy currency. Instalments that pass their MEP while another
    one is past it lengthen the same stop; it is undone only when all of them are paid in time after its beginning.
    """
    late = sorted(_late(terms, invoices, today, holidays), key=lambda item: item.last_day)
    stops = []
    for group in _merged(_stopping(late, terms, insured_limit)):
        first, paid = group[0], _all_paid(group)
        in_time = paid is not None and not terms.restoration.passed(paid, first.end_of_mep, holidays)
        if paid is None or not (in_time and insured_limit(paid) > 0):
            stops.append(Stop(first.last_day + _DAY, StopCause.MEP, paid))
    return tuple(stops)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is open of an instalment: `start` is the day its MEP is counted from, `amount` in policy currency."""

    start: date
    amount: Decimal
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
        _Late(end, last_day, item.amount, item.disputed, None)
        for item, end, last_day in ends
        if today > last_day and item.amount >= terms.tolerance
    ]
    return any(_stopping(late, terms, lambda _day: insured_limit))


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


def _stopping(late: Sequence[_Late], terms: PolicyTerms, insured_limit: Callable[[date], Decimal]) -> Iterator[_Late]:
    """Leave out disputed amounts as long as all of those past their MEP stay below their share of the limit."""
    disputed = [item for item in late if item.disputed]
    for item in late:
        day = item.last_day + _DAY
        amount = sum((other.amount for other in disputed if other.past_on(day)), ZERO)
        if not item.disputed or amount >= insured_limit(item.last_day) * terms.disputed_share / HUNDRED:
            yield item


def _merged(late: Iterable[_Late]) -> list[list[_Late]]:
    """Group what was past its MEP at the same time; `late` is ordered by last day."""
    groups: list[list[_Late]] = []
    for item in late:
        paid = _all_paid(groups[-1]) if groups else date.min
        if groups and (paid is None or item.last_day < paid):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _all_paid(group: Sequence[_Late]) -> date | None:
    """Return the day the last one of the group was paid, None while one is open."""
    paid = [item.paid_on for item in group]
    return None if None in paid else max(day for day in paid if day is not None)
