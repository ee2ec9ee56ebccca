"""What the premium is computed from: turnover of a period, single shipments, payments received.

Amounts are in the currency of the sale unless a field says otherwise; the insurer converts.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .checks import require, require_currency, require_text
from .messages import PaymentMethod
from .words import _


@dataclass(frozen=True, slots=True)
class TurnoverLine:
    """Insurable sales to one country (ISO 3166-1 alpha-2) in one currency, net of VAT. Credit notes may make it
    negative. ``buyer_id`` where the policy wants turnover per buyer. ``reference`` is unique per line: a refusal names
    it, or the country where it means all lines of that."""

    country: str
    currency: str
    amount: Decimal
    buyer_id: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        require_currency(self.currency)
        require(len(self.country) == 2 and self.country.isalpha(), _("country must be a two-letter code"))
        require(self.amount.is_finite(), _("amount must be a number"))


@dataclass(frozen=True, slots=True)
class TurnoverDeclaration:
    """The sales of a period, its first and last day included. No line means: nothing was sold."""

    reference: str
    policy_number: str
    period_from: date
    period_to: date
    lines: tuple[TurnoverLine, ...]

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number)
        require(self.period_to >= self.period_from, _("the period ends before it begins"))


@dataclass(frozen=True, slots=True)
class Shipment:
    """One delivery that is to be insured. ``reference`` is unique per shipment; ``insured_amount`` is the part of
    ``amount`` that is declared, both in ``currency``; ``payment_term_days`` from the shipment."""

    reference: str
    buyer_id: str
    invoice_number: str
    shipped_on: date
    amount: Decimal
    insured_amount: Decimal
    currency: str
    payment_term_days: int
    payment_method: PaymentMethod = PaymentMethod.OPEN_ACCOUNT
    goods: str = ""
    goods_code: str = ""  # HS
    order_number: str = ""
    transport_document: str = ""
    customs_document: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, buyer_id=self.buyer_id, invoice_number=self.invoice_number)
        require_currency(self.currency)
        words = _("what is insured is a part of the invoice, more than nothing")
        require(0 < self.insured_amount <= self.amount, words)
        require(self.payment_term_days >= 0, _("payment_term_days must not be negative"))


@dataclass(frozen=True, slots=True)
class ShipmentDeclaration:
    reference: str
    policy_number: str
    shipments: tuple[Shipment, ...]

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number)
        require(bool(self.shipments), _("at least one shipment is needed"))


@dataclass(frozen=True, slots=True)
class Receipt:
    """One payment of a declared shipment."""

    reference: str
    buyer_id: str
    invoice_number: str
    received_on: date
    amount: Decimal
    currency: str
    shipped_on: date | None = None

    def __post_init__(self) -> None:
        require_text(reference=self.reference, buyer_id=self.buyer_id, invoice_number=self.invoice_number)
        require_currency(self.currency)
        require(self.amount.is_finite() and self.amount > 0, _("a payment is more than nothing"))


@dataclass(frozen=True, slots=True)
class ReceiptDeclaration:
    reference: str
    policy_number: str
    receipts: tuple[Receipt, ...]

    def __post_init__(self) -> None:
        require_text(reference=self.reference, policy_number=self.policy_number)
        require(bool(self.receipts), _("at least one payment is needed"))


@dataclass(frozen=True, slots=True)
class LineRefusal:
    """The insurer did not take one line of a declaration: ``reference`` of the line, its code and words."""

    reference: str
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class DeclarationReceipt:
    """The insurer has a declaration. Lines in ``refusals`` do not count as declared. ``premium`` in ``currency``
    where the insurer tells it."""

    declaration_number: str
    reference: str
    received_at: datetime
    duplicate: bool = False
    refusals: tuple[LineRefusal, ...] = ()
    premium: Decimal | None = None
    currency: str = ""
