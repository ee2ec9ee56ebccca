"""Debts that are not paid: overdue notices, extensions, repayment plans, claims with their papers, collection.

Every message is about one buyer under one policy; ``due_on`` of an invoice is always the *original* due date.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from .checks import require, require_currency, require_money, require_text
from .words import _


class ClaimCause(StrEnum):
    PROTRACTED_DEFAULT = "protracted_default"
    INSOLVENCY = "insolvency"
    POLITICAL = "political"


class ExtensionReason(StrEnum):
    """Why more time is asked for."""

    CASH_SHORTAGE = "cash_shortage"
    DISPUTE = "dispute"
    DOCUMENTS = "documents"
    OTHER = "other"


class CollectionState(StrEnum):
    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    LEGAL = "legal"
    PAID = "paid"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class AgreementState(StrEnum):
    """What the insurer says to an extension or a repayment plan."""

    RECEIVED = "received"
    AGREED = "agreed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class DocumentKind(StrEnum):
    """What a paper proves."""

    ORDER = "order"
    TERMS = "terms"
    INVOICE = "invoice"
    DELIVERY = "delivery"
    TRANSPORT = "transport"
    CUSTOMS = "customs"
    CORRESPONDENCE = "correspondence"
    ACCOUNT_STATEMENT = "account_statement"
    SECURITY = "security"
    INSOLVENCY = "insolvency"
    ASSIGNMENT = "assignment"
    OTHER = "other"


class ClaimState(StrEnum):
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    PAID = "paid"
    UNKNOWN = "unknown"


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
        require_text(number=self.number)
        require_currency(self.currency)
        require_money(self.amount, "amount")
        require_money(self.open_amount, "open_amount")
        more = _("invoice %(number)s: more is open than was invoiced", number=self.number)
        require(self.open_amount <= self.amount, more)
        early = _("invoice %(number)s: due before it was issued", number=self.number)
        require(self.due_on >= self.issued_on, early)


@dataclass(frozen=True, slots=True)
class OverdueNotice:
    """Tell the insurer that a buyer does not pay: one notice per buyer lists all its overdue invoices."""

    reference: str
    policy_number: str
    buyer_id: str
    invoices: tuple[OverdueInvoice, ...]
    comment: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        require_invoices(self.invoices)


@dataclass(frozen=True, slots=True)
class OverdueReceipt:
    """The insurer has a notice, an extension or a plan. ``case_number`` is the file it opened, where it names one: a
    later claim refers to it."""

    notice_number: str
    reference: str
    received_at: datetime
    duplicate: bool = False
    case_number: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceExtension:
    """Ask the insurer to agree that one invoice is paid later, on ``new_due_on``. For the policy its original due
    date stays the one that counts."""

    reference: str
    policy_number: str
    buyer_id: str
    invoice: OverdueInvoice
    new_due_on: date
    reason: ExtensionReason = ExtensionReason.OTHER
    comment: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        require(self.new_due_on > self.invoice.due_on, _("the new due date must be later than the original one"))


@dataclass(frozen=True, slots=True)
class Instalment:
    """One payment of a repayment plan, in the plan's currency."""

    due_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RepaymentPlan:
    """Tell the insurer in which instalments the buyer has agreed to pay what is open of ``invoices``."""

    reference: str
    policy_number: str
    buyer_id: str
    invoices: tuple[OverdueInvoice, ...]
    instalments: tuple[Instalment, ...]
    currency: str
    agreed_on: date
    comment: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        require_currency(self.currency)
        require_invoices(self.invoices)
        require(bool(self.instalments), _("at least one instalment is needed"))
        for instalment in self.instalments:
            require_money(instalment.amount, "amount")
        days = [instalment.due_on for instalment in self.instalments]
        require(days == sorted(set(days)), _("instalments follow one another"))


@dataclass(frozen=True, slots=True)
class AgreementStatus:
    """How an extension or a repayment plan stands."""

    notice_number: str
    reference: str
    state: AgreementState
    raw_code: str
    updated_at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """The demand for indemnity. ``total`` is in ``currency``, the policy's, whatever the currencies of the invoices;
    where they agree it must be the sum of what is open. ``case_number`` is the insurer's file that the notice of these
    overdues opened, where there is one."""

    reference: str
    policy_number: str
    buyer_id: str
    cause: ClaimCause
    invoices: tuple[OverdueInvoice, ...]
    total: Decimal
    currency: str
    date_of_loss: date | None = None
    comment: str = ""
    case_number: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        require_currency(self.currency)
        require_invoices(self.invoices)
        require_money(self.total, "total")
        if all(invoice.currency == self.currency for invoice in self.invoices):
            open_sum = sum(invoice.open_amount for invoice in self.invoices)
            words = _("total %(total)s is not the sum of the open amounts, %(sum)s", total=self.total, sum=open_sum)
            require(open_sum == self.total, words)


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


@dataclass(frozen=True, slots=True)
class Document:
    """A paper of a claim or of a notice. ``owner_number`` is the insurer's number of what it belongs to and
    ``owner_reference`` ours; ``content`` is the file."""

    reference: str
    owner_number: str
    owner_reference: str
    kind: DocumentKind
    name: str
    media_type: str
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require_text(reference=self.reference, owner_number=self.owner_number, name=self.name)
        require(bool(self.content), _("%(name)s is empty", name=self.name))


@dataclass(frozen=True, slots=True)
class DocumentReceipt:
    document_number: str
    reference: str
    received_at: datetime
    duplicate: bool = False


# --- Collection -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CollectionOrder:
    """Hand these debts over to the insurer, or to its agency, for collection. ``case_number`` is the file of the
    overdue notice or of the claim, where there is one."""

    reference: str
    policy_number: str
    buyer_id: str
    invoices: tuple[OverdueInvoice, ...]
    case_number: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number, buyer_id=self.buyer_id)
        require_invoices(self.invoices)


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """How a collection case stands; amounts in ``currency``. ``costs`` are what has been charged so far, of which
    ``approved_costs`` were agreed beforehand: only these are refunded."""

    case_number: str
    reference: str
    state: CollectionState
    raw_code: str
    updated_at: datetime
    currency: str
    recovered_amount: Decimal = Decimal(0)
    costs: Decimal = Decimal(0)
    approved_costs: Decimal = Decimal(0)
    words: str = ""
    duplicate: bool = False


def require_invoices(invoices: tuple[OverdueInvoice, ...]) -> None:
    require(bool(invoices), _("at least one invoice is needed"))
    numbers = [invoice.number for invoice in invoices]
    require(len(set(numbers)) == len(numbers), _("an invoice is listed twice"))
