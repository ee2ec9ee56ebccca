"""What is said to an insurer and what comes back, the same for every insurer.

All messages are frozen. Money is a ``Decimal`` with its ISO 4217 currency beside it, percentages run from 0 to 100,
dates are calendar dates, instants are aware ``datetime`` in UTC. Texts are as sent: codes stay raw, and a code that
the connector does not know gives the status ``UNKNOWN`` with the raw code beside it; it is never guessed.

Messages that go out check themselves when they are made and raise ``ValueError``: what cannot be right is not sent.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

Item = TypeVar("Item")


class CoverStatus(StrEnum):
    """Where the insurer's answer for one buyer stands. A notice of withdrawal or reduction does not change it."""

    NONE = "none"  # never asked
    REQUESTED = "requested"
    APPROVED = "approved"
    PARTIAL = "partial"
    REFUSED = "refused"
    REDUCED = "reduced"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # a code we do not know; see raw_code


class CoverRequestKind(StrEnum):
    NEW = "new"
    INCREASE = "increase"
    REDUCE = "reduce"
    CANCEL = "cancel"


class RequestStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    PARTIAL = "partial"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class ClaimCause(StrEnum):
    PROTRACTED_DEFAULT = "protracted_default"
    INSOLVENCY = "insolvency"
    POLITICAL = "political"


class ClaimState(StrEnum):
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    PAID = "paid"
    UNKNOWN = "unknown"


class AnnouncementKind(StrEnum):
    WITHDRAWAL = "withdrawal"
    REDUCTION = "reduction"
    UNKNOWN = "unknown"


# --- Buyers and grades ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BuyerQuery:
    """Who is looked for. ``country`` is ISO 3166-1 alpha-2; leave out what is not known, but give a name, a number
    or the insurer's own id."""

    country: str
    name: str = ""
    vat_number: str = ""
    registration_number: str = ""
    buyer_id: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""

    def __post_init__(self) -> None:
        _require(len(self.country) == 2 and self.country.isalpha(), "country must be a two-letter code")
        anything = self.name or self.vat_number or self.registration_number or self.buyer_id
        _require(bool(anything), "give a name, a number or the insurer's id of the buyer")


@dataclass(frozen=True, slots=True)
class BuyerCandidate:
    """One legal entity the insurer knows; ``score`` is its likeness with the query, 0 to 100. A person chooses."""

    buyer_id: str
    name: str
    country: str
    score: int
    vat_number: str = ""
    registration_number: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """The insurer's view of a buyer: ``value`` raw, on the scale named ``scale``, given on ``graded_on``.

    ``previous_value`` is the grade before this one where the insurer tells it.
    """

    buyer_id: str
    value: str
    scale: str
    graded_on: date
    previous_value: str | None = None


# --- Cover ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change the insurer has announced: in force from ``effective_from``, not before. ``amount`` is what remains
    after a reduction, in the cover's currency; ``None`` for a withdrawal."""

    kind: AnnouncementKind
    raw_code: str
    effective_from: date
    amount: Decimal | None = None
    announced_on: date | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """What the insurer covers on one buyer under one policy.

    ``amount`` is what was granted, ``None`` while nothing is decided (0 is an amount); ``requested_amount`` what was
    asked for and ``previous_amount`` what stood before a reduction, both where told. ``effective_to`` is the last
    day, ``None`` when open. ``raw_code`` is the insurer's status code.
    """

    cover_id: str
    buyer_id: str
    policy_number: str
    status: CoverStatus
    raw_code: str
    currency: str
    amount: Decimal | None = None
    requested_amount: Decimal | None = None
    previous_amount: Decimal | None = None
    insured_percentage: Decimal | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    decided_on: date | None = None
    announcements: tuple[Announcement, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list. ``next_token`` asks for the next one, ``None`` on the last; ``total`` counts the items of
    all pages where the insurer tells it."""

    items: tuple[Item, ...]
    next_token: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class CoverRequest:
    """Ask for cover on a buyer. ``amount`` is the total wanted afterwards, not the difference; leave it out to
    cancel. ``reference`` is ours, unique per request, and makes repeating it harmless."""

    reference: str
    policy_number: str
    buyer_id: str
    kind: CoverRequestKind
    currency: str
    amount: Decimal | None = None
    urgent: bool = False
    comment: str = ""

    def __post_init__(self) -> None:
        _require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        _require_currency(self.currency)
        if self.kind is CoverRequestKind.CANCEL:
            _require(self.amount is None, "a cancellation has no amount")
        else:
            _require_money(self.amount, "amount")


@dataclass(frozen=True, slots=True)
class CoverRequestState:
    """How a cover request stands.

    The cover itself changes only when ``status`` is approved or partial: a refused increase leaves it as it was.
    ``amount`` is what was granted, ``None`` while nothing is; ``words`` is the insurer's explanation; ``duplicate``
    says that the insurer already had our reference.
    """

    request_id: str
    reference: str
    status: RequestStatus
    raw_code: str
    received_at: datetime
    decided_on: date | None = None
    amount: Decimal | None = None
    currency: str = ""
    words: str = ""
    duplicate: bool = False


# --- Overdues and claims ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OverdueInvoice:
    """One unpaid invoice. ``due_on`` is the *original* due date; ``open_amount`` is what is still owed of ``amount``,
    both in ``currency``."""

    number: str
    issued_on: date
    due_on: date
    amount: Decimal
    open_amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        _require_text(number=self.number)
        _require_currency(self.currency)
        _require_money(self.amount, "amount")
        _require_money(self.open_amount, "open_amount")
        _require(self.open_amount <= self.amount, f"invoice {self.number}: more is open than was invoiced")
        _require(self.due_on >= self.issued_on, f"invoice {self.number}: due before it was issued")


@dataclass(frozen=True, slots=True)
class OverdueNotice:
    """Tell the insurer that a buyer does not pay: one notice per buyer lists all its overdue invoices."""

    reference: str
    policy_number: str
    buyer_id: str
    invoices: tuple[OverdueInvoice, ...]
    comment: str = ""

    def __post_init__(self) -> None:
        _require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        _require_invoices(self.invoices)


@dataclass(frozen=True, slots=True)
class OverdueReceipt:
    notice_number: str
    reference: str
    received_at: datetime
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The demand for indemnity. ``total`` is in ``currency``, the policy's, whatever the currencies of the invoices;
    where they agree it must be the sum of what is open."""

    reference: str
    policy_number: str
    buyer_id: str
    cause: ClaimCause
    invoices: tuple[OverdueInvoice, ...]
    total: Decimal
    currency: str
    date_of_loss: date | None = None
    comment: str = ""

    def __post_init__(self) -> None:
        _require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        _require_currency(self.currency)
        _require_invoices(self.invoices)
        _require_money(self.total, "total")
        if all(invoice.currency == self.currency for invoice in self.invoices):
            open_sum = sum(invoice.open_amount for invoice in self.invoices)
            _require(open_sum == self.total, f"total {self.total} is not the sum of the open amounts, {open_sum}")


@dataclass(frozen=True, slots=True)
class ClaimReceipt:
    """The insurer has the claim. ``duplicate``: it had it already, under the same reference; nothing was added."""

    claim_number: str
    reference: str
    received_at: datetime
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """How a claim stands; amounts in ``currency``, ``None`` while not decided."""

    claim_number: str
    reference: str
    state: ClaimState
    raw_code: str
    updated_at: datetime
    currency: str
    claimed_amount: Decimal
    accepted_amount: Decimal | None = None
    paid_amount: Decimal | None = None
    words: str = ""


# --- Policy -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PolicyDetails:
    """The contract as the insurer holds it. Periods are in days; ``None`` where the insurer does not tell."""

    number: str
    holder: str
    currency: str
    starts_on: date
    ends_on: date | None = None
    insured_percentage: Decimal | None = None
    max_payment_term_days: int | None = None
    max_extension_days: int | None = None
    notification_days: int | None = None
    waiting_days: int | None = None
    claim_days: int | None = None


# --- Checks of outgoing messages --------------------------------------------------------------------------------


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_text(**values: str) -> None:
    for name, value in values.items():
        _require(bool(value.strip()), f"{name} must not be empty")


def _require_currency(value: str) -> None:
    _require(len(value) == 3 and value.isascii() and value.isupper(), f"{value!r} is not an ISO 4217 currency code")


def _require_money(value: Decimal | None, name: str) -> None:
    positive = isinstance(value, Decimal) and value.is_finite() and value > 0
    _require(positive, f"{name} must be a positive Decimal, not {value!r}")


def _require_invoices(invoices: tuple[OverdueInvoice, ...]) -> None:
    _require(bool(invoices), "at least one invoice is needed")
    numbers = [invoice.number for invoice in invoices]
    _require(len(set(numbers)) == len(numbers), "an invoice is listed twice")
