"""What a policy says: its numbers, each a field with the generic template's default, and how it counts time.

Period      "60 days after the due date, the last day counts"
PolicyTerms  every number of one policy; override per country or buyer with `dataclasses.replace`
"""

from __future__ import annotations

import calendar
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from .errors import InvalidTerms
from .money import HUNDRED, ZERO, exact

NO_HOLIDAYS: frozenset[date] = frozenset()
_SATURDAY = 5


class Unit(StrEnum):
    DAYS = "days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"


class Base(StrEnum):
    """The day a period is counted from. Due dates are the original ones: an extension moves no duty."""

    DUE_DATE = "due_date"
    INVOICE_DATE = "invoice_date"
    END_OF_MEP = "end_of_mep"
    DATE_OF_LOSS = "date_of_loss"
    NOTIFICATION_RECEIPT = "notification_receipt"
    KNOWLEDGE = "knowledge"


class Freeze(StrEnum):
    """From when on a payment no longer moves room from one invoice to the next."""

    STOP = "stop"
    LOSS = "loss"
    NEVER = "never"


class MissedNotification(StrEnum):
    """What a late overdue notification costs."""

    COVER_LOST = "cover_lost"
    INDEMNITY_REDUCED = "indemnity_reduced"
    WARNING = "warning"


def add_months(start: date, months: int) -> date:
    """Return the same day `months` later, or the month's last day when it has no such day.

    >>> add_months(date(2025, 8, 31), 6)
    datetime.date(2026, 2, 28)
    >>> add_months(date(2024, 3, 31), -1)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def add_working_days(start: date, days: int, holidays: AbstractSet[date] = NO_HOLIDAYS) -> date:
    """Return the day `days` working days (Monday to Friday, no holiday) after `start`, which itself is not counted.

    >>> add_working_days(date(2025, 5, 2), 1)
    datetime.date(2025, 5, 5)
    >>> add_working_days(date(2025, 5, 2), 1, frozenset({date(2025, 5, 5)}))
    datetime.date(2025, 5, 6)
    """
    step = timedelta(days=1 if days >= 0 else -1)
    day, left = start, abs(days)
    while left:
        day += step
        if day.weekday() < _SATURDAY and day not in holidays:
            left -= 1
    return day


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time of the contract, e.g. 60 days from the due date.

    `number` may be negative (a reminder before the due date). `last_day_counts` says whether the day the counting
    ends on is still in time; by default it is.

    >>> mep = Period(60, Unit.DAYS, Base.DUE_DATE)
    >>> mep.last_day(date(2025, 1, 1))
    datetime.date(2025, 3, 2)
    >>> mep.passed(date(2025, 3, 2), date(2025, 1, 1)), mep.passed(date(2025, 3, 3), date(2025, 1, 1))
    (False, True)
    """

    number: int
    unit: Unit = Unit.DAYS
    base: Base = Base.DUE_DATE
    last_day_counts: bool = True

    def end(self, start: date, holidays: AbstractSet[date] = NO_HOLIDAYS) -> date:
        """Return the day on which the counting from `start` ends."""
        match self.unit:
            case Unit.MONTHS:
                return add_months(start, self.number)
            case Unit.WORKING_DAYS:
                return add_working_days(start, self.number, holidays)
            case _:
                return start + timedelta(days=self.number)

    def last_day(self, start: date, holidays: AbstractSet[date] = NO_HOLIDAYS) -> date:
        """Return the last day that is in time."""
        end = self.end(start, holidays)
        return end if self.last_day_counts else end - timedelta(days=1)

    def passed(self, on: date, start: date, holidays: AbstractSet[date] = NO_HOLIDAYS) -> bool:
        """Say whether `on` is too late."""
        return on > self.last_day(start, holidays)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTerms:
    """One policy's terms. Amounts are in `currency`, percentages are 0 to 100, days are calendar days.

    None means "the policy sets no such bound". Raises InvalidTerms for a value no policy can have.
    """

    currency: str
    date_start: date | None = None
    date_end: date | None = None
    countries: frozenset[str] | None = None  # ISO 3166 codes covered; None: all
    insured_percentage: Decimal = Decimal(90)  # for a cover that states none
    tax_included: bool = False
    max_payment_term_days: int | None = 180
    max_invoicing_days: int | None = 30
    covers_public_buyers: bool = False
    covers_private_persons: bool = False
    covers_affiliates: bool = False

    reminder: Period = Period(-7)
    dunning: Period = Period(3)
    escalation: Period = Period(30)
    mep: Period = Period(60)
    notification: Period = Period(30, base=Base.END_OF_MEP)
    missed_notification: MissedNotification = MissedNotification.COVER_LOST
    waiting: Period = Period(180)
    claim: Period = Period(180, base=Base.DATE_OF_LOSS)
    adverse_information: Period = Period(10, base=Base.KNOWLEDGE)
    restoration: Period = Period(30, base=Base.END_OF_MEP)

    refill: bool = True  # room freed by a payment goes to the next oldest invoice
    freeze: Freeze = Freeze.STOP
    disputed_share: Decimal = Decimal(15)  # per cent of the limit below which a dispute does not stop cover
    tolerance: Decimal = ZERO  # open amounts below it raise no alarm

    threshold: Decimal = ZERO
    minimum_retention: Decimal = ZERO
    each_and_every_first_loss: Decimal = ZERO
    aggregate_first_loss_left: Decimal = ZERO
    maximum_liability_left: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("insured_percentage", "disputed_share"):
            if not 0 <= exact(getattr(self, name)) <= HUNDRED:
                raise InvalidTerms(name, "a percentage is between 0 and 100")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Decimal | int) and not isinstance(value, bool) and value < 0:
                raise InvalidTerms(field.name, "cannot be negative")
        if self.date_start and self.date_end and self.date_end < self.date_start:
            raise InvalidTerms("date_end", "the policy ends before it starts")
        self._check_bases()

    def _check_bases(self) -> None:
        """A period may lean only on days known before it: end of MEP, then notification, then loss, then claim."""
        known = {Base.DUE_DATE, Base.INVOICE_DATE}
        allowed = {
            "reminder": known,
            "dunning": known,
            "escalation": known,
            "mep": known,
            "notification": known | {Base.END_OF_MEP},
            "restoration": {Base.END_OF_MEP},
            "waiting": known | {Base.END_OF_MEP, Base.NOTIFICATION_RECEIPT},
            "claim": known | {Base.END_OF_MEP, Base.NOTIFICATION_RECEIPT, Base.DATE_OF_LOSS},
            "adverse_information": {Base.KNOWLEDGE},
        }
        for name, bases in allowed.items():
            if getattr(self, name).base not in bases:
                raise InvalidTerms(name, f"cannot be counted from {getattr(self, name).base}")

    def in_force(self, on: date) -> bool:
        """Say whether the policy runs on that day; both its first and its last day count."""
        return not (self.date_start and on < self.date_start) and not (self.date_end and on > self.date_end)

    def covers_country(self, country: str) -> bool:
        """Say whether the country is insured; an empty code is not, unless all countries are."""
        return self.countries is None or country in self.countries
