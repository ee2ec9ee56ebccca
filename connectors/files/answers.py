"""The columns of what comes back, and the answers as they are handed out."""

from dataclasses import dataclass, field

from ..debts import (
    AgreementState,
    AgreementStatus,
    ClaimReceipt,
    ClaimState,
    ClaimStatus,
    CollectionState,
    CollectionStatus,
    DocumentReceipt,
    OverdueReceipt,
)
from ..declarations import DeclarationReceipt, LineRefusal
from ..messages import (
    Announcement,
    AnnouncementKind,
    BuyerCandidate,
    Cover,
    CoverRequestState,
    CoverStatus,
    Grade,
    RequestStatus,
)
from ..reports import ReportState, ReportStatus
from .columns import Cell, Column, Kind, Part
from .problems import Problem


@dataclass(frozen=True)
class FoundBuyer(BuyerCandidate):
    """A candidate for the buyer query ``reference``."""

    reference: str = field(kw_only=True)


AnyReceipt = OverdueReceipt | ClaimReceipt | DeclarationReceipt | DocumentReceipt
AnyStatus = AgreementStatus | ClaimStatus | CollectionStatus | ReportState
AnyAnswer = Cover | Grade | CoverRequestState | AnyReceipt | AnyStatus | FoundBuyer


@dataclass(frozen=True, slots=True)
class FileAnswers:
    """What a file says, each kind in the order of the file, and what is wrong with it."""

    covers: tuple[Cover, ...] = ()
    grades: tuple[Grade, ...] = ()
    request_states: tuple[CoverRequestState, ...] = ()
    receipts: tuple[AnyReceipt, ...] = ()
    agreement_statuses: tuple[AgreementStatus, ...] = ()
    claim_statuses: tuple[ClaimStatus, ...] = ()
    collection_statuses: tuple[CollectionStatus, ...] = ()
    report_states: tuple[ReportState, ...] = ()
    candidates: tuple[FoundBuyer, ...] = ()
    problems: tuple[Problem, ...] = ()

    def all(self) -> tuple[AnyAnswer, ...]:
        """Every answer, whatever its kind."""
        answered = (*self.covers, *self.grades, *self.request_states, *self.receipts, *self.agreement_statuses)
        return (*answered, *self.claim_statuses, *self.collection_statuses, *self.report_states, *self.candidates)


RAW = Column("raw_code", Cell.IDENTIFIER, "the insurer's own code; empty: the status as written")
WORDS = Column("words", Cell.TEXT, "the insurer's explanation")
DUPLICATE = Column("duplicate", Cell.FLAG, "whether the insurer had it before under the same reference")
OUR_REFERENCE = Column("reference", Cell.IDENTIFIER, "the policyholder's reference", True)
RECEIVED = Column("received_at", Cell.INSTANT, "when the insurer received it", True)
UPDATED = Column("updated_at", Cell.INSTANT, "since when it stands so", True)
CURRENCY = Column("currency", Cell.CURRENCY, "currency of the amounts", True)
OWN = Column("own_reference", Cell.IDENTIFIER, "the policyholder's own number of the buyer")
BUYER = Column("buyer_id", Cell.IDENTIFIER, "the insurer's number of the buyer", True)

ANNOUNCEMENTS = Part(
    "announcements",
    "announcement",
    Announcement,
    (
        Column("kind", Cell.STATUS, "what will change", True, AnnouncementKind),
        RAW,
        Column("effective_from", Cell.DATE, "first day on which it holds; empty: not told"),
        Column("amount", Cell.AMOUNT, "what remains after a reduction"),
        Column("announced_on", Cell.DATE, "day of the announcement"),
    ),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a cover as a line."""

    words: str


CONDITIONS = Part(
    "conditions", "condition", Condition, (Column("words", Cell.TEXT, "a condition of the cover", True),), ()
)
REFUSALS = Part(
    "refusals",
    "refusal",
    LineRefusal,
    (
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference of the line that is not taken", True),
        Column("code", Cell.IDENTIFIER, "the insurer's code"),
        Column("words", Cell.TEXT, "why"),
    ),
)

COVER = Kind(
    "cover",
    Cover,
    "Cover in force, one record per buyer; several announcements or conditions take several lines",
    (
        Column("cover_id", Cell.IDENTIFIER, "the insurer's number of the cover", True),
        BUYER,
        Column("policy_number", Cell.IDENTIFIER, "number of the policy", True),
        Column("status", Cell.STATUS, "how the cover stands today, whatever is announced", True, CoverStatus),
        RAW,
        CURRENCY,
        Column("amount", Cell.AMOUNT, "what is covered; empty: not decided; 0: nothing"),
        Column("requested_amount", Cell.AMOUNT, "what was asked for"),
        Column("previous_amount", Cell.AMOUNT, "what stood before a reduction"),
        Column("insured_percentage", Cell.PERCENTAGE, "insured percentage, 0 to 100"),
        Column("effective_from", Cell.DATE, "first day of the cover"),
        Column("effective_to", Cell.DATE, "last day of the cover; empty: open"),
        Column("decided_on", Cell.DATE, "day of the decision"),
        Column("temporary_amount", Cell.AMOUNT, "what is covered besides for a time"),
        Column("temporary_from", Cell.DATE, "first day of the temporary amount"),
        Column("temporary_until", Cell.DATE, "last day of the temporary amount"),
        Column("grade", Cell.IDENTIFIER, "grade for which the policy says the amount, instead of an amount"),
        OWN,
    ),
    key=("policy_number", "cover_id"),
    parts=(ANNOUNCEMENTS, CONDITIONS),
)
GRADE = Kind(
    "grade",
    Grade,
    "Grades of buyers",
    (
        BUYER,
        Column("value", Cell.IDENTIFIER, "the grade as the insurer writes it", True),
        Column("scale", Cell.IDENTIFIER, "name of the scale", True),
        Column("graded_on", Cell.DATE, "day of the grading"),
        Column("previous_value", Cell.IDENTIFIER, "the grade before"),
    ),
    key=("buyer_id", "scale", "graded_on"),
)
REQUEST_STATE = Kind(
    "cover_request_state",
    CoverRequestState,
    "How requests for cover stand",
    (
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference of the request"),
        Column("request_id", Cell.IDENTIFIER, "the insurer's number of the request", True),
        Column("status", Cell.STATUS, "how the request stands", True, RequestStatus),
        RAW,
        RECEIVED,
        Column("decided_on", Cell.DATE, "day of the decision"),
        Column("amount", Cell.AMOUNT, "what was granted; empty: nothing is decided"),
        Column("currency", Cell.CURRENCY, "currency of the amount"),
        WORDS,
        DUPLICATE,
        Column("buyer_id", Cell.IDENTIFIER, "the insurer's number of the buyer"),
        Column("cover_id", Cell.IDENTIFIER, "the insurer's number of the cover"),
    ),
    key=("request_id",),
)
OVERDUE_RECEIPT = Kind(
    "overdue_receipt",
    OverdueReceipt,
    "Receipts of overdue notices, extensions and repayment plans",
    (
        OUR_REFERENCE,
        Column("notice_number", Cell.IDENTIFIER, "the insurer's number of the notice", True),
        RECEIVED,
        DUPLICATE,
        Column("case_number", Cell.IDENTIFIER, "the file the insurer opened"),
        WORDS,
    ),
    key=("reference",),
)
CLAIM_RECEIPT = Kind(
    "claim_receipt",
    ClaimReceipt,
    "Receipts of claims",
    (OUR_REFERENCE, Column("claim_number", Cell.IDENTIFIER, "the insurer's number of the claim", True), RECEIVED)
    + (DUPLICATE,),
    key=("reference",),
)
DECLARATION_RECEIPT = Kind(
    "declaration_receipt",
    DeclarationReceipt,
    "Receipts of declarations, with the lines that were not taken",
    (
        OUR_REFERENCE,
        Column("declaration_number", Cell.IDENTIFIER, "the insurer's number of the declaration", True),
        RECEIVED,
        DUPLICATE,
        Column("premium", Cell.NUMBER, "premium for what is declared"),
        Column("currency", Cell.CURRENCY, "currency of the premium"),
    ),
    key=("reference",),
    parts=(REFUSALS,),
)
DOCUMENT_RECEIPT = Kind(
    "document_receipt",
    DocumentReceipt,
    "Receipts of papers",
    (OUR_REFERENCE, Column("document_number", Cell.IDENTIFIER, "the insurer's number of the paper", True), RECEIVED)
    + (DUPLICATE,),
    key=("reference",),
)
AGREEMENT_STATUS = Kind(
    "agreement_status",
    AgreementStatus,
    "What is said to extensions and repayment plans",
    (
        Column("notice_number", Cell.IDENTIFIER, "the insurer's number of the extension or plan", True),
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference"),
        Column("state", Cell.STATUS, "how it stands", True, AgreementState),
        RAW,
        UPDATED,
        WORDS,
    ),
    key=("notice_number", "updated_at"),
)
CLAIM_STATUS = Kind(
    "claim_status",
    ClaimStatus,
    "How claims stand",
    (
        Column("claim_number", Cell.IDENTIFIER, "the insurer's number of the claim", True),
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference of the claim"),
        Column("state", Cell.STATUS, "how the claim stands", True, ClaimState),
        RAW,
        UPDATED,
        CURRENCY,
        Column("claimed_amount", Cell.AMOUNT, "what is claimed", True),
        Column("accepted_amount", Cell.AMOUNT, "what is accepted"),
        Column("paid_amount", Cell.AMOUNT, "what has been paid"),
        WORDS,
    ),
    key=("claim_number", "updated_at"),
)
COLLECTION_STATUS = Kind(
    "collection_status",
    CollectionStatus,
    "How collection cases stand",
    (
        Column("case_number", Cell.IDENTIFIER, "the insurer's number of the case", True),
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference of the order"),
        Column("state", Cell.STATUS, "how the case stands", True, CollectionState),
        RAW,
        UPDATED,
        CURRENCY,
        Column("recovered_amount", Cell.AMOUNT, "what has been recovered"),
        Column("costs", Cell.AMOUNT, "what has been charged"),
        Column("approved_costs", Cell.AMOUNT, "the part of it that was agreed beforehand"),
        WORDS,
        DUPLICATE,
    ),
    key=("case_number", "updated_at"),
)
REPORT_STATE = Kind(
    "report_state",
    ReportState,
    "Ordered credit reports; the report itself comes as a file of its own",
    (
        Column("order_id", Cell.IDENTIFIER, "the insurer's number of the order", True),
        Column("reference", Cell.IDENTIFIER, "the policyholder's reference of the order"),
        Column("status", Cell.STATUS, "how the order stands", True, ReportStatus),
        RAW,
        Column("ordered_at", Cell.INSTANT, "when it was ordered", True),
        Column("issued_on", Cell.DATE, "date of the report"),
        Column("grade", Cell.IDENTIFIER, "grade in the report"),
        Column("recommended_amount", Cell.AMOUNT, "amount the report recommends"),
        Column("currency", Cell.CURRENCY, "currency of the amount"),
        WORDS,
        DUPLICATE,
    ),
    key=("order_id",),
)
BUYER_CANDIDATE = Kind(
    "buyer_candidate",
    FoundBuyer,
    "Buyers found for a query, one line each",
    (
        OUR_REFERENCE,
        BUYER,
        Column("name", Cell.TEXT, "name of the buyer", True),
        Column("country", Cell.COUNTRY, "country of the buyer"),
        Column("score", Cell.INTEGER, "likeness with the query, 0 to 100", True),
        Column("vat_number", Cell.IDENTIFIER, "VAT number"),
        Column("registration_number", Cell.IDENTIFIER, "number in the national register"),
        Column("street", Cell.TEXT, "street and house number"),
        Column("postal_code", Cell.IDENTIFIER, "postal code"),
        Column("city", Cell.TEXT, "city"),
        OWN,
    ),
    key=("reference", "buyer_id"),
)

ANSWERS = (
    COVER,
    GRADE,
    REQUEST_STATE,
    OVERDUE_RECEIPT,
    CLAIM_RECEIPT,
    DECLARATION_RECEIPT,
    DOCUMENT_RECEIPT,
    AGREEMENT_STATUS,
    CLAIM_STATUS,
    COLLECTION_STATUS,
    REPORT_STATE,
    BUYER_CANDIDATE,
)
