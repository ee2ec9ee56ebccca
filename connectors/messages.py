"""What is said to an insurer about buyers and cover, and what comes back, the same for every insurer.

Debts, claims and collection are in ``debts.py``, declarations in ``declarations.py``, credit reports and monitoring in
``reports.py``. What follows holds for all of them.

All messages are frozen. Money is a ``Decimal`` with its ISO 4217 currency beside it, percentages run from 0 to 100,
dates are calendar dates, instants are aware ``datetime`` in UTC. Texts are as sent: codes stay raw, and a code that
the connector does not know gives the status ``UNKNOWN`` with the raw code beside it; it is never guessed.

Messages that go out check themselves when they are made and raise ``ValueError``: what cannot be right is not sent.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Self, TypeVar

from .checks import require, require_currency, require_money, require_text
from .errors import ConnectorError
from .words import _

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


class CoverProduct(StrEnum):
    """What kind of cover is asked for; an insurer's own name for it stands in its connector."""

    CREDIT_LIMIT = "credit_limit"  # an amount for this buyer, assessed by the insurer
    CREDIT_CHECK = "credit_check"  # a fixed amount from the policy, yes or no
    GRADE_COVER = "grade_cover"  # what the policy grants to buyers of this grade


class PaymentMethod(StrEnum):
    """How the buyer is to pay."""

    OPEN_ACCOUNT = "open_account"
    LETTER_OF_CREDIT = "letter_of_credit"
    DOCUMENTS_AGAINST_PAYMENT = "documents_against_payment"
    DOCUMENTS_AGAINST_ACCEPTANCE = "documents_against_acceptance"


class AnnouncementKind(StrEnum):
    WITHDRAWAL = "withdrawal"
    REDUCTION = "reduction"
    UNKNOWN = "unknown"


# --- Buyers and grades ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BuyerQuery:
    """Who is looked for. ``country`` is ISO 3166-1 alpha-2; leave out what is not known, but give a name, a number,
    the insurer's own id or ours.

    ``own_reference`` is our number of the customer. Give it only where it stands for one customer of ours.
    """

    country: str
    name: str = ""
    vat_number: str = ""
    registration_number: str = ""
    buyer_id: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    own_reference: str = ""

    def __post_init__(self) -> None:
        require(len(self.country) == 2 and self.country.isalpha(), _("country must be a two-letter code"))
        anything = self.name or self.vat_number or self.registration_number or self.buyer_id or self.own_reference
        require(bool(anything), _("give a name, a number or the insurer's id of the buyer"))


@dataclass(frozen=True, slots=True)
class BuyerCandidate:
    """One legal entity the insurer knows; ``score`` is its likeness with the query, 0 to 100. A person chooses.
    ``country`` is empty where the insurer does not tell it; ``own_reference`` is our number of the customer where the
    insurer keeps it."""

    buyer_id: str
    name: str
    country: str
    score: int
    vat_number: str = ""
    registration_number: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    own_reference: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """The insurer's view of a buyer: ``value`` raw, on the scale named ``scale``, given on ``graded_on``: ``None``
    where the insurer does not tell the day.

    ``previous_value`` is the grade before this one where the insurer tells it.
    """

    buyer_id: str
    value: str
    scale: str
    graded_on: date | None
    previous_value: str | None = None


# --- Cover ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change the insurer has announced: in force from ``effective_from``, not before; ``None`` where it has not told
    the day, and then nothing has changed yet. ``amount`` is what remains after a reduction, in the cover's currency;
    ``None`` for a withdrawal."""

    kind: AnnouncementKind
    raw_code: str
    effective_from: date | None
    amount: Decimal | None = None
    announced_on: date | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """What the insurer covers on one buyer under one policy.

    ``amount`` is what was granted, ``None`` while nothing is decided (0 is an amount); ``requested_amount`` what was
    asked for and ``previous_amount`` what stood before a reduction, both where told. ``effective_to`` is the last
    day, ``None`` when open. ``raw_code`` is the insurer's status code.

    ``temporary_amount`` adds to ``amount`` from ``temporary_from`` to ``temporary_until``, both included; ``None`` for
    a day that is not told: from the beginning of the cover, until its end.

    ``own_reference`` is our number of the customer where the insurer keeps it beside its own. ``grade`` is told instead
    of ``amount`` where the policy says what is covered for buyers of a grade.
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
    temporary_amount: Decimal | None = None
    temporary_from: date | None = None
    temporary_until: date | None = None
    own_reference: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry of a list that could not be read, while others could: why, and whom it is about and what it is called as
    far as that can be read."""

    error: ConnectorError
    buyer_id: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list. ``next_token`` asks for the next one, ``None`` on the last; ``total`` counts the items of
    all pages where the insurer tells it. ``unread`` are the entries that came and are not among ``items``: of what they
    are about nothing is known, which is not the same as its not being there."""

    items: tuple[Item, ...]
    next_token: str | None = None
    total: int | None = None
    unread: tuple[Unread, ...] = ()

    def whole(self) -> Self:
        """This page, all of whose entries could be read.

        :raises ConnectorError: what kept the first of the others from being read.
        """
        for entry in self.unread:
            raise entry.error
        return self


@dataclass(frozen=True, slots=True)
class CoverRequest:
    """Ask for cover on a buyer. ``amount`` is the total wanted afterwards, not the difference; leave it out to
    cancel. ``reference`` is ours, unique per request, and makes repeating it harmless.

    ``cover_id`` is the insurer's id of the cover that is to be changed, where one stands. What some insurers ask
    besides: ``payment_term_days`` from the invoice date, ``payment_method``, and in ``currency`` what the buyer owes
    (``receivables``) and what is on order (``orders``), and our own number of the customer (``own_reference``).
    """

    reference: str
    policy_number: str
    buyer_id: str
    kind: CoverRequestKind
    currency: str
    amount: Decimal | None = None
    urgent: bool = False
    comment: str = ""
    product: CoverProduct = CoverProduct.CREDIT_LIMIT
    cover_id: str = ""
    effective_from: date | None = None
    payment_term_days: int | None = None
    payment_method: PaymentMethod = PaymentMethod.OPEN_ACCOUNT
    receivables: Decimal | None = None
    orders: Decimal | None = None
    own_reference: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        require_currency(self.currency)
        if self.kind is CoverRequestKind.CANCEL:
            require(self.amount is None, _("a cancellation has no amount"))
        elif self.product is CoverProduct.CREDIT_LIMIT:
            require_money(self.amount, "amount")
        if self.payment_term_days is not None:
            require(self.payment_term_days >= 0, _("payment_term_days must not be negative"))


@dataclass(frozen=True, slots=True)
class CoverRequestState:
    """How a cover request stands.

    The cover itself changes only when ``status`` is approved or partial: a refused increase leaves it as it was.
    ``amount`` is what was granted, ``None`` while nothing is; ``words`` is the insurer's explanation; ``duplicate``
    says that the insurer already had our reference. ``buyer_id`` and ``cover_id`` are the insurer's, where told;
    ``reference`` is empty where the insurer does not keep ours.
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
    buyer_id: str = ""
    cover_id: str = ""


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
