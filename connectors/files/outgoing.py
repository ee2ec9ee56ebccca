"""The columns of what we send. Names are those of the messages in ``messages.py``, ``debts.py`` and the others."""

from dataclasses import dataclass, field

from ..checks import require_text
from ..debts import (
    Claim,
    ClaimCause,
    CollectionOrder,
    ExtensionReason,
    Instalment,
    InvoiceExtension,
    OverdueInvoice,
    OverdueNotice,
    RepaymentPlan,
)
from ..declarations import (
    Receipt,
    ReceiptDeclaration,
    Shipment,
    ShipmentDeclaration,
    TurnoverDeclaration,
    TurnoverLine,
)
from ..messages import BuyerQuery, CoverProduct, CoverRequest, CoverRequestKind, PaymentMethod
from ..reports import ReportOrder
from .columns import Cell, Column, Kind, Part


@dataclass(frozen=True)
class BuyerLookup(BuyerQuery):
    """A query for a buyer that is sent in a file and so needs a reference to which the answer belongs."""

    reference: str = field(kw_only=True)
    policy_number: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        BuyerQuery.__post_init__(self)
        require_text(reference=self.reference)


Outgoing = (
    CoverRequest
    | OverdueNotice
    | InvoiceExtension
    | RepaymentPlan
    | TurnoverDeclaration
    | ShipmentDeclaration
    | ReceiptDeclaration
    | Claim
    | CollectionOrder
    | ReportOrder
    | BuyerLookup
)

REFERENCE = Column("reference", Cell.IDENTIFIER, "the policyholder's reference; repeat it in the answer", True)
POLICY = Column("policy_number", Cell.IDENTIFIER, "number of the policy", True)
BUYER = Column("buyer_id", Cell.IDENTIFIER, "the insurer's number of the buyer", True)
CURRENCY = Column("currency", Cell.CURRENCY, "currency of the amounts", True)
COMMENT = Column("comment", Cell.TEXT, "remarks for the insurer")
CASE = Column("case_number", Cell.IDENTIFIER, "the insurer's file that this belongs to")
OWN = Column("own_reference", Cell.IDENTIFIER, "the policyholder's own number of the buyer; repeat it in answers")
METHOD = Column("payment_method", Cell.CODE, "how the buyer is to pay", codes=PaymentMethod)
ABOUT_BUYER = (REFERENCE, POLICY, BUYER)

INVOICES = Part(
    "invoices",
    "invoice",
    OverdueInvoice,
    (
        Column("number", Cell.IDENTIFIER, "number of the invoice", True),
        Column("issued_on", Cell.DATE, "date of the invoice", True),
        Column("due_on", Cell.DATE, "original due date, whatever was agreed later", True),
        Column("amount", Cell.AMOUNT, "amount of the invoice", True),
        Column("open_amount", Cell.AMOUNT, "what is still owed of it", True),
        Column("currency", Cell.CURRENCY, "currency of the invoice", True),
    ),
    key=("number",),
    needed=True,
)
INVOICE = Part("invoice", "invoice", OverdueInvoice, INVOICES.columns, key=("number",), needed=True, single=True)
INSTALMENTS = Part(
    "instalments",
    "instalment",
    Instalment,
    (
        Column("due_on", Cell.DATE, "day of the instalment", True),
        Column("amount", Cell.AMOUNT, "amount of the instalment", True),
    ),
    key=("due_on",),
    needed=True,
)
TURNOVER_LINES = Part(
    "lines",
    "line",
    TurnoverLine,
    (
        Column("country", Cell.COUNTRY, "country of the buyers", True),
        Column("currency", Cell.CURRENCY, "currency of the sales", True),
        Column("amount", Cell.NUMBER, "insurable sales, net of VAT; negative where credit notes prevail", True),
        Column("buyer_id", Cell.IDENTIFIER, "the insurer's number of the buyer, where turnover is declared per buyer"),
        Column(
            "reference", Cell.IDENTIFIER, "reference of the line; a refusal names it, or the country for all its lines"
        ),
    ),
    key=("country", "currency", "buyer_id"),
)
SHIPMENTS = Part(
    "shipments",
    "shipment",
    Shipment,
    (
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference of the shipment", True),
        BUYER,
        Column("invoice_number", Cell.IDENTIFIER, "number of the invoice", True),
        Column("shipped_on", Cell.DATE, "date of the shipment", True),
        Column("amount", Cell.AMOUNT, "amount of the invoice", True),
        Column("insured_amount", Cell.AMOUNT, "the part of it that is declared", True),
        CURRENCY,
        Column("payment_term_days", Cell.INTEGER, "days from the shipment to the due date", True),
        METHOD,
        Column("goods", Cell.TEXT, "description of the goods"),
        Column("goods_code", Cell.IDENTIFIER, "HS code of the goods"),
        Column("order_number", Cell.IDENTIFIER, "number of the order"),
        Column("transport_document", Cell.IDENTIFIER, "number of the transport document"),
        Column("customs_document", Cell.IDENTIFIER, "number of the customs document"),
    ),
    key=("reference",),
    needed=True,
)
RECEIPTS = Part(
    "receipts",
    "receipt",
    Receipt,
    (
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference of the payment", True),
        BUYER,
        Column("invoice_number", Cell.IDENTIFIER, "number of the invoice that is paid", True),
        Column("received_on", Cell.DATE, "day of the payment", True),
        Column("amount", Cell.AMOUNT, "what was paid", True),
        CURRENCY,
        Column("shipped_on", Cell.DATE, "date of the shipment"),
    ),
    key=("reference",),
    needed=True,
)

COVER_REQUEST = Kind(
    "cover_request",
    CoverRequest,
    "Requests for cover, more, less or none",
    (
        *ABOUT_BUYER,
        Column("kind", Cell.CODE, "what is asked for", True, CoverRequestKind),
        CURRENCY,
        Column("amount", Cell.AMOUNT, "the total wanted afterwards; empty in a cancellation"),
        Column("urgent", Cell.FLAG, "whether it is urgent"),
        COMMENT,
        Column("product", Cell.CODE, "kind of cover", codes=CoverProduct),
        Column("cover_id", Cell.IDENTIFIER, "the insurer's number of the cover that is to be changed"),
        Column("effective_from", Cell.DATE, "first day wanted"),
        Column("payment_term_days", Cell.INTEGER, "days from the invoice to the due date"),
        METHOD,
        Column("receivables", Cell.NUMBER, "what the buyer owes"),
        Column("orders", Cell.NUMBER, "what the buyer has on order"),
        OWN,
    ),
    key=("reference",),
)
BUYER_QUERY = Kind(
    "buyer_query",
    BuyerLookup,
    "Buyers whose number at the insurer is wanted",
    (
        REFERENCE,
        Column("policy_number", Cell.IDENTIFIER, "number of the policy"),
        Column("country", Cell.COUNTRY, "country of the buyer", True),
        Column("name", Cell.TEXT, "name of the buyer"),
        Column("vat_number", Cell.IDENTIFIER, "VAT number"),
        Column("registration_number", Cell.IDENTIFIER, "number in the national register"),
        Column("buyer_id", Cell.IDENTIFIER, "the insurer's number, where one is thought to be known"),
        Column("street", Cell.TEXT, "street and house number"),
        Column("postal_code", Cell.IDENTIFIER, "postal code"),
        Column("city", Cell.TEXT, "city"),
        OWN,
    ),
    key=("reference",),
)
OVERDUE_NOTICE = Kind(
    "overdue_notice",
    OverdueNotice,
    "Notices of overdue invoices, one line per invoice",
    (*ABOUT_BUYER, COMMENT),
    key=("reference",),
    parts=(INVOICES,),
)
INVOICE_EXTENSION = Kind(
    "invoice_extension",
    InvoiceExtension,
    "Requests to have one invoice paid later",
    (
        *ABOUT_BUYER,
        Column("new_due_on", Cell.DATE, "the later due date asked for", True),
        Column("reason", Cell.CODE, "why", codes=ExtensionReason),
        COMMENT,
    ),
    key=("reference",),
    parts=(INVOICE,),
)
REPAYMENT_PLAN = Kind(
    "repayment_plan",
    RepaymentPlan,
    "Repayment plans; invoices and instalments lie side by side, one line each",
    (*ABOUT_BUYER, CURRENCY, Column("agreed_on", Cell.DATE, "day of the agreement", True), COMMENT),
    key=("reference",),
    parts=(INVOICES, INSTALMENTS),
)
TURNOVER_DECLARATION = Kind(
    "turnover_declaration",
    TurnoverDeclaration,
    "Turnover of a period, one line per country and currency; no such line: nothing was sold",
    (
        REFERENCE,
        POLICY,
        Column("period_from", Cell.DATE, "first day of the period", True),
        Column("period_to", Cell.DATE, "last day of the period", True),
    ),
    key=("reference",),
    parts=(TURNOVER_LINES,),
)
SHIPMENT_DECLARATION = Kind(
    "shipment_declaration",
    ShipmentDeclaration,
    "Declared shipments, one line each",
    (REFERENCE, POLICY),
    key=("reference",),
    parts=(SHIPMENTS,),
)
RECEIPT_DECLARATION = Kind(
    "receipt_declaration",
    ReceiptDeclaration,
    "Payments received for declared shipments, one line each",
    (REFERENCE, POLICY),
    key=("reference",),
    parts=(RECEIPTS,),
)
CLAIM = Kind(
    "claim",
    Claim,
    "Claims for indemnity, one line per invoice",
    (
        *ABOUT_BUYER,
        Column("cause", Cell.CODE, "cause of the loss", True, ClaimCause),
        Column("total", Cell.AMOUNT, "what is claimed", True),
        Column("currency", Cell.CURRENCY, "currency of the total", True),
        Column("date_of_loss", Cell.DATE, "date of loss"),
        COMMENT,
        CASE,
    ),
    key=("reference",),
    parts=(INVOICES,),
)
COLLECTION_ORDER = Kind(
    "collection_order",
    CollectionOrder,
    "Debts handed over for collection, one line per invoice",
    (*ABOUT_BUYER, CASE, COMMENT),
    key=("reference",),
    parts=(INVOICES,),
)
REPORT_ORDER = Kind(
    "report_order",
    ReportOrder,
    "Orders of credit reports",
    (
        REFERENCE,
        BUYER,
        Column("policy_number", Cell.IDENTIFIER, "number of the policy"),
        Column("product", Cell.IDENTIFIER, "the insurer's name of the report"),
        Column("currency", Cell.CURRENCY, "currency of the amounts in it"),
    ),
    key=("reference",),
)

OUTGOING = (
    COVER_REQUEST,
    BUYER_QUERY,
    OVERDUE_NOTICE,
    INVOICE_EXTENSION,
    REPAYMENT_PLAN,
    TURNOVER_DECLARATION,
    SHIPMENT_DECLARATION,
    RECEIPT_DECLARATION,
    CLAIM,
    COLLECTION_ORDER,
    REPORT_ORDER,
)
