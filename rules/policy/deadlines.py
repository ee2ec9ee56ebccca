"""The dated duties of one invoice.

    due date ──mep──> end of MEP ──notification──> last day to notify
        └──waiting──> date of loss ──claim──> last day to claim

Reminder, dunning and escalation follow an extension; everything the insurer counts stays on the original due date.
For an invoice in instalments, ask once per due date.
"""

from __future__ import annotations

import datetime
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .terms import NO_HOLIDAYS, Base, Period, PolicyTerms


class DeadlineKind(StrEnum):
    REMINDER = "reminder"
    DUNNING = "dunning"
    ESCALATION = "escalation"
    END_OF_MEP = "end_of_mep"
    NOTIFICATION = "notification"
    DATE_OF_LOSS = "date_of_loss"
    CLAIM = "claim"
    ADVERSE_INFORMATION = "adverse_information"


class DeadlineNote(StrEnum):
    """Why a date is what it is, where that is not plain arithmetic."""

    NONE = ""
    EXTENDED = "extended"  # counted from the extended due date
    INSOLVENCY = "insolvency"  # the court's date instead of the waiting period
    AWAITS_NOTIFICATION = "awaits_notification"  # not known before the insurer has the complete notification


class DatedInvoice(Protocol):
    """What deadlines need to know of an invoice: calendar dates of the company."""

    @property
    def invoice_date(self) -> datetime.date: ...

    @property
    def due_date(self) -> datetime.date: ...


@dataclass(frozen=True, slots=True)
class InvoiceDates:
    """The smallest `DatedInvoice`; `due_date` is the one originally agreed."""

    invoice_date: datetime.date
    due_date: datetime.date


@dataclass(frozen=True, slots=True)
class Deadline:
    """One duty.

    `date` is where the counting ends (D + 60), `last_day` the last day in time (the same, or the day before it when
    the policy does not count the last day). Both are None while the day they are counted from is unknown.
    """

    kind: DeadlineKind
    date: datetime.date | None
    last_day: datetime.date | None
    note: DeadlineNote = DeadlineNote.NONE

    def missed(self, on: datetime.date) -> bool:
        """Say whether the duty is too late on that day."""
        return self.last_day is not None and on > self.last_day


def invoice_deadlines(
    terms: PolicyTerms,
    invoice: DatedInvoice,
    *,
    extended_due_date: datetime.date | None = None,
    knowledge_date: datetime.date | None = None,
    notification_received: datetime.date | None = None,
    insolvency_date: datetime.date | None = None,
    holidays: AbstractSet[datetime.date] = NO_HOLIDAYS,
) -> tuple[Deadline, ...]:
    """Return every deadline of the invoice, in the order of `DeadlineKind`.

    - `extended_due_date`: moves reminder, dunning and escalation, nothing else.
    - `knowledge_date`: the day adverse information became known; without one there is no such duty.
    - `notification_received`: the day the insurer had the complete notification, for policies that wait from there.
    - `insolvency_date`: the court's date; it is the date of loss unless the waiting period has ended before it.
    """
    count = _Counter(holidays, {Base.DUE_DATE: invoice.due_date, Base.INVOICE_DATE: invoice.invoice_date})
    count.know(Base.NOTIFICATION_RECEIPT, notification_received)
    count.know(Base.KNOWLEDGE, knowledge_date)
    deadlines = list(_dunning(terms, invoice, extended_due_date, holidays))
    end_of_mep = count.deadline(DeadlineKind.END_OF_MEP, terms.mep)
    count.know(Base.END_OF_MEP, end_of_mep.date)
    deadlines += [end_of_mep, count.deadline(DeadlineKind.NOTIFICATION, terms.notification)]
    loss = _date_of_loss(terms, count, insolvency_date)
    count.know(Base.DATE_OF_LOSS, loss.date)
    deadlines += [loss, count.deadline(DeadlineKind.CLAIM, terms.claim)]
    if knowledge_date:
        deadlines.append(count.deadline(DeadlineKind.ADVERSE_INFORMATION, terms.adverse_information))
    return tuple(deadlines)


class _Counter:
    """Counts periods from the days known so far."""

    def __init__(self, holidays: AbstractSet[datetime.date], days: dict[Base, datetime.date]) -> None:
        self._holidays = holidays
        self._days = days

    def know(self, base: Base, day: datetime.date | None) -> None:
        if day is not None:
            self._days[base] = day

    def deadline(self, kind: DeadlineKind, period: Period, note: DeadlineNote = DeadlineNote.NONE) -> Deadline:
        start = self._days.get(period.base)
        if start is None:
            return Deadline(kind, None, None, DeadlineNote.AWAITS_NOTIFICATION)
        return Deadline(kind, period.end(start, self._holidays), period.last_day(start, self._holidays), note)


def _dunning(
    terms: PolicyTerms, invoice: DatedInvoice, extended: datetime.date | None, holidays: AbstractSet[datetime.date]
) -> tuple[Deadline, ...]:
    note = DeadlineNote.EXTENDED if extended else DeadlineNote.NONE
    days = {Base.DUE_DATE: extended or invoice.due_date, Base.INVOICE_DATE: invoice.invoice_date}
    count = _Counter(holidays, days)
    return (
        count.deadline(DeadlineKind.REMINDER, terms.reminder, note),
        count.deadline(DeadlineKind.DUNNING, terms.dunning, note),
        count.deadline(DeadlineKind.ESCALATION, terms.escalation, note),
    )


def _date_of_loss(terms: PolicyTerms, count: _Counter, insolvency: datetime.date | None) -> Deadline:
    """A date of loss is an event, not a duty: whether the last day counts means nothing to it."""
    waited = count.deadline(DeadlineKind.DATE_OF_LOSS, terms.waiting)
    if insolvency and (waited.date is None or insolvency < waited.date):
        return Deadline(DeadlineKind.DATE_OF_LOSS, insolvency, insolvency, DeadlineNote.INSOLVENCY)
    return Deadline(DeadlineKind.DATE_OF_LOSS, waited.date, waited.date, waited.note)
