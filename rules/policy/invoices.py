"""The invoices of one buyer as the policy sees them: amounts, dates, and what was paid when.

An invoice's history is its payments with their dates, so that what was open on any day can be told again: a split
frozen at a stop needs what was open then, not what is open today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from .errors import CurrencyMismatch, InvalidFacts
from .money import ZERO, Money, exact


class InvoiceKind(StrEnum):
    GOODS = "goods"
    SERVICE = "service"  # nothing is delivered: the service date, else the invoice date, counts
    DOWN_PAYMENT = "down_payment"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A payment, credit note or set-off that lowers what is open of an invoice, in the invoice's currency.

    `is_payment` tells the buyer's money from what belongs to the invoice, as its credit note does.
    """

    on: date
    amount: Decimal
    is_payment: bool = True


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of the invoice with its own, original due date, tax included, in the invoice's currency."""

    due_date: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaidInstalment:
    """An instalment with the day it was paid in full (None: it is not); `amount` is what is open of it, or was."""

    due_date: date
    amount: Decimal
    paid_on: date | None


@dataclass(frozen=True, slots=True)
class BuyerFacts:
    """What the policy asks about the buyer."""

    country: str = ""
    is_public: bool = False
    is_private_person: bool = False
    is_affiliated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One posted invoice.

    - `total`, `tax`: the total tax included, and the tax in it, above zero; `settlements` leave the rest open.
    - `due_date`: the (last) due date originally agreed. `instalments` when there are several; they add up to `total`.
    - `delivery_date`: of the goods or the service; None: not delivered, or nothing to deliver (a service).
    - `rate`: how many units of the policy's currency one unit of the invoice's is worth; `rate_date` its day.
    """

    number: str
    invoice_date: date
    due_date: date
    total: Money
    tax: Decimal = ZERO
    settlements: tuple[Settlement, ...] = ()
    instalments: tuple[Instalment, ...] = ()
    delivery_date: date | None = None
    kind: InvoiceKind = InvoiceKind.GOODS
    disputed: bool = False
    rate: Decimal | None = None
    rate_date: date | None = None

    def __post_init__(self) -> None:
        if self.total.amount <= 0:
            raise InvalidFacts("total", f"{self.number}: an invoice is above zero; a credit note is a settlement")
        if not 0 <= exact(self.tax) <= self.total.amount:
            raise InvalidFacts("tax", f"{self.number}: tax is a part of the total")
        if self.instalments and sum((part.amount for part in self.instalments), ZERO) != self.total.amount:
            raise InvalidFacts("instalments", f"{self.number}: the instalments do not add up to the total")
        if self.rate is not None and exact(self.rate) <= 0:
            raise InvalidFacts("rate", f"{self.number}: a rate is above zero")

    @property
    def insured_date(self) -> date | None:
        """The day that decides about cover: delivery, for a service its date or the invoice's; None: not delivered."""
        if self.kind is InvoiceKind.GOODS:
            return self.delivery_date
        return self.delivery_date or self.invoice_date

    @property
    def order(self) -> tuple[date, str]:
        """The order in which invoices take room: by the day that decides about cover, then by number."""
        return (self.insured_date or self.invoice_date, self.number)

    def open_on(self, day: date) -> Decimal:
        """Return what was open, tax included, at the end of that day; never below zero."""
        paid = sum((item.amount for item in self.settlements if item.on <= day), ZERO)
        return max(self.total.amount - paid, ZERO)

    def parts(self) -> tuple[Instalment, ...]:
        """Return the instalments by due date; an invoice without any is one."""
        single = (Instalment(self.due_date, self.total.amount),)
        return tuple(sorted(self.instalments, key=lambda part: part.due_date)) or single

    def payment_record(self, today: date) -> tuple[PaidInstalment, ...]:
        """Return how each instalment was paid until today; the earliest due is paid first."""
        settled = sorted((item for item in self.settlements if item.on <= today), key=lambda item: item.on)
        paid = sum((item.amount for item in settled), ZERO)
        needed, result = ZERO, []
        for part in self.parts():
            needed += part.amount
            left = min(max(needed - paid, ZERO), part.amount)
            result.append(PaidInstalment(part.due_date, left or part.amount, _reached(settled, needed)))
        return tuple(result)

    def rate_to(self, currency: str) -> Decimal:
        """Return the stored rate to the policy's currency. Raises CurrencyMismatch when there is none."""
        if self.total.currency == currency:
            return Decimal(1)
        if self.rate is None:
            raise CurrencyMismatch(self.total.currency, currency)
        return self.rate


def _reached(settled: list[Settlement], needed: Decimal) -> date | None:
    paid = ZERO
    for item in settled:
        paid += item.amount
        if paid >= needed:
            return item.on
    return None
