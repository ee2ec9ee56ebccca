"""What an insurer can do, as typed calls.

A connector subclasses ``Insurer`` and overrides the calls its insurer offers; the others raise ``NotSupported``, upon
which the caller takes the file route with the same message. ``capabilities`` is read off the class, so that it cannot
disagree with what is implemented.

Every call may raise any error of ``errors``. The writes take a message with our own ``reference``. To do a thing
exactly once: store the reference, send; after an error with ``may_have_acted`` (or a crash)

1. ask, where the insurer can be asked: the ``find_…`` that belongs to the write (``FINDERS``), and repeat only what it
   has not;
2. else repeat it, where the insurer recognises our references (``recognises``): it answers with ``duplicate=True``;
3. else have a person look in the insurer's portal.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from types import TracebackType
from typing import ClassVar, Self

from .connection import Connection, Endpoint, Environment, Rate, Setting
from .debts import (
    AgreementStatus,
    Claim,
    ClaimReceipt,
    ClaimStatus,
    CollectionOrder,
    CollectionStatus,
    Document,
    DocumentReceipt,
    InvoiceExtension,
    OverdueNotice,
    OverdueReceipt,
    RepaymentPlan,
)
from .declarations import DeclarationReceipt, ReceiptDeclaration, ShipmentDeclaration, TurnoverDeclaration
from .errors import NotSupported, UnexpectedResponse
from .messages import (
    BuyerCandidate,
    BuyerQuery,
    Cover,
    CoverRequest,
    CoverRequestState,
    Grade,
    Page,
    PolicyDetails,
    Unread,
)
from .reports import Monitoring, MonitoringOrder, Notification, ReportOrder, ReportState, WakeUp

REPEATED_PAGES = 3  # pages in a row that bring nothing new, after which a list is taken to be broken


class Operation(StrEnum):
    """The calls, by the name of their method."""

    FIND_BUYER = "find_buyer"
    REQUEST_BUYER_NUMBER = "request_buyer_number"
    GRADES = "grades"
    GRADE_CHANGES = "grade_changes"
    COVER_PAGE = "cover_page"
    REQUEST_COVER = "request_cover"
    FIND_COVER_REQUEST = "find_cover_request"
    COVER_REQUEST_STATE = "cover_request_state"
    COVER_REQUEST_PAGE = "cover_request_page"
    NOTIFY_OVERDUE = "notify_overdue"
    FIND_OVERDUE_NOTICE = "find_overdue_notice"
    EXTEND_INVOICE = "extend_invoice"
    FIND_EXTENSION = "find_extension"
    EXTENSION_STATE = "extension_state"
    REPORT_REPAYMENT_PLAN = "report_repayment_plan"
    FIND_REPAYMENT_PLAN = "find_repayment_plan"
    REPAYMENT_PLAN_STATE = "repayment_plan_state"
    DECLARE_TURNOVER = "declare_turnover"
    DECLARE_SHIPMENTS = "declare_shipments"
    DECLARE_RECEIPTS = "declare_receipts"
    FIND_DECLARATION = "find_declaration"
    SUBMIT_CLAIM = "submit_claim"
    FIND_CLAIM = "find_claim"
    ADD_DOCUMENT = "add_document"
    FIND_DOCUMENT = "find_document"
    CLAIM_STATUS = "claim_status"
    ORDER_REPORT = "order_report"
    FIND_REPORT = "find_report"
    REPORT_STATE = "report_state"
    START_COLLECTION = "start_collection"
    FIND_COLLECTION = "find_collection"
    COLLECTION_STATUS = "collection_status"
    MONITOR = "monitor"
    NOTIFICATIONS = "notifications"
    POLICY_DETAILS = "policy_details"


# The call that asks whether the insurer has what the write would send.
FINDERS: Mapping[Operation, Operation] = {
    Operation.REQUEST_COVER: Operation.FIND_COVER_REQUEST,
    Operation.NOTIFY_OVERDUE: Operation.FIND_OVERDUE_NOTICE,
    Operation.EXTEND_INVOICE: Operation.FIND_EXTENSION,
    Operation.REPORT_REPAYMENT_PLAN: Operation.FIND_REPAYMENT_PLAN,
    Operation.DECLARE_TURNOVER: Operation.FIND_DECLARATION,
    Operation.DECLARE_SHIPMENTS: Operation.FIND_DECLARATION,
    Operation.DECLARE_RECEIPTS: Operation.FIND_DECLARATION,
    Operation.SUBMIT_CLAIM: Operation.FIND_CLAIM,
    Operation.ADD_DOCUMENT: Operation.FIND_DOCUMENT,
    Operation.ORDER_REPORT: Operation.FIND_REPORT,
    Operation.START_COLLECTION: Operation.FIND_COLLECTION,
}


class Insurer(ABC):
    """One connection to one insurer. Close it, or use it in a ``with`` statement.

    What a class says of itself: ``settings``, what it has to be told; ``endpoints``, the addresses that can be
    corrected, and ``environments`` whose addresses it knows, so that none need be entered; ``rates``, how often the
    insurer may be called; ``recognises``, the writes that may be repeated because the insurer knows our reference
    again; ``grades_at_once``, of how many buyers to ask the grades in one call; ``finds_own_references``, whether it
    finds buyers by our own number of them (settings may decide it); ``unverified``, sentences on what no public source
    shows.
    """

    code: ClassVar[str]
    label: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]] = ()
    endpoints: ClassVar[Mapping[str, Endpoint]] = {}
    environments: ClassVar[frozenset[Environment]] = frozenset()
    rates: ClassVar[tuple[Rate, ...]] = ()
    recognises: ClassVar[frozenset[Operation]] = frozenset()
    grades_at_once: ClassVar[int] = 500
    finds_own_references: bool = False
    unverified: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def __init__(self, connection: Connection) -> None:
        """Get ready; nothing is sent. Raises ``ConfigurationError`` for what cannot work."""

    @classmethod
    def capabilities(cls) -> frozenset[Operation]:
        """The calls this connector implements."""
        return frozenset(op for op in Operation if getattr(cls, op.value) is not getattr(Insurer, op.value))

    @classmethod
    def customer(cls, credentials: Mapping[str, str], settings: Mapping[str, str]) -> tuple[str, ...]:
        """Who we are to the insurer, of whom it counts the calls: every connection with the same answer shares its
        ``rates``. Empty where that is not entered. What it holds may be secret.
        """
        named = [setting for setting in cls.settings if setting.identifies]
        given = [(credentials if setting.secret else settings).get(setting.name, "").strip() for setting in named]
        return tuple(given) if all(given) else ()

    @abstractmethod
    def close(self) -> None:
        """Give back connections. The object is not usable afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def read_wake_up(cls, headers: Mapping[str, str], body: bytes) -> WakeUp | None:
        """What a webhook call of this insurer is about; ``None`` for what is none of its calls. Names in ``headers``
        are lower case. Nothing in it is believed: it says where to look."""
        return None

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """The legal entities that may be meant, best first; empty when the insurer knows none."""
        raise self._not_supported(Operation.FIND_BUYER)

    def request_buyer_number(self, reference: str, policy_number: str, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """Have the insurer give a number to a buyer it does not know; empty while it is working on it. Asking again
        with the same ``reference`` tells how it stands."""
        raise self._not_supported(Operation.REQUEST_BUYER_NUMBER)

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        """The current grades of these buyers. A buyer without a grade is absent from the answer."""
        raise self._not_supported(Operation.GRADES)

    def grade_page(self, buyer_ids: Iterable[str]) -> Page[Grade]:
        """``grades``, where one buyer whose grade cannot be had does not keep those of the others: it is ``unread``."""
        return Page(self.grades(buyer_ids))

    def grade(self, buyer_id: str) -> Grade | None:
        """The current grade of one buyer, ``None`` when the insurer has none."""
        return next((grade for grade in self.grades([buyer_id]) if grade.buyer_id == buyer_id), None)

    def grade_changes(self, policy_number: str, since: date, token: str | None = None) -> Page[Grade]:
        """The grades of buyers under a policy that changed on or after ``since``, page by page."""
        raise self._not_supported(Operation.GRADE_CHANGES)

    # --- Cover --------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, token: str | None = None) -> Page[Cover]:
        """One page of the covers under a policy; ``token`` is the ``next_token`` of the page before. Pages can be
        asked for in different processes: the token is all that has to be stored."""
        raise self._not_supported(Operation.COVER_PAGE)

    def covers(self, policy_number: str) -> Iterator[Cover]:
        """All covers under a policy, each once, page by page.

        A page that comes twice is passed over. Conclusions from *absence* may be drawn only after the iterator has
        ended without an error.

        :raises UnexpectedResponse: in the end, when some could not be read, when fewer or more covers came than the
            insurer said there are, or when the pages do not end.
        """
        seen: set[str] = set()
        token: str | None = None
        idle = 0
        unread: tuple[Unread, ...] = ()
        while True:
            page = self.cover_page(policy_number, token)
            unread += page.unread
            fresh = {cover.cover_id: cover for cover in page.items if cover.cover_id not in seen}
            seen.update(fresh)
            yield from fresh.values()
            if page.next_token is None:
                break
            token = page.next_token
            idle = 0 if fresh else idle + 1
            if idle >= REPEATED_PAGES:
                Page((), unread=unread).whole()
                raise UnexpectedResponse("the same page comes again and again", insurer=self.code, field="page")
        Page((), unread=unread).whole()
        if page.total is not None and page.total != len(seen):
            message = f"the insurer counts {page.total} covers, {len(seen)} came"
            raise UnexpectedResponse(message, insurer=self.code, field="total")

    def request_cover(self, request: CoverRequest) -> CoverRequestState:
        """Ask for cover, more, less or none. Usually answered ``PENDING``: the decision comes later."""
        raise self._not_supported(Operation.REQUEST_COVER)

    def find_cover_request(self, request: CoverRequest) -> CoverRequestState | None:
        """What the insurer has of this request: the one under our reference, or, where it keeps none, the undecided one
        for the same buyer and policy. ``None`` says that it has none."""
        raise self._not_supported(Operation.FIND_COVER_REQUEST)

    def cover_request_state(self, request_id: str) -> CoverRequestState:
        """How a request stands, by the insurer's id."""
        raise self._not_supported(Operation.COVER_REQUEST_STATE)

    def cover_request_page(self, policy_number: str, token: str | None = None) -> Page[CoverRequestState]:
        """One page of the requests under a policy that are not decided yet."""
        raise self._not_supported(Operation.COVER_REQUEST_PAGE)

    # --- Overdues and claims ------------------------------------------------------------------------------------

    def notify_overdue(self, notice: OverdueNotice) -> OverdueReceipt:
        """Report overdue invoices of one buyer."""
        raise self._not_supported(Operation.NOTIFY_OVERDUE)

    def find_overdue_notice(self, notice: OverdueNotice) -> OverdueReceipt | None:
        """The receipt of this notice where the insurer has it; ``None`` says that it has not."""
        raise self._not_supported(Operation.FIND_OVERDUE_NOTICE)

    def extend_invoice(self, extension: InvoiceExtension) -> OverdueReceipt:
        """Ask for more time for one invoice."""
        raise self._not_supported(Operation.EXTEND_INVOICE)

    def find_extension(self, extension: InvoiceExtension) -> OverdueReceipt | None:
        """The receipt of this extension where the insurer has it."""
        raise self._not_supported(Operation.FIND_EXTENSION)

    def extension_state(self, notice_number: str) -> AgreementStatus:
        """What the insurer says to an extension, by its number."""
        raise self._not_supported(Operation.EXTENSION_STATE)

    def report_repayment_plan(self, plan: RepaymentPlan) -> OverdueReceipt:
        """Report the instalments a buyer agreed to."""
        raise self._not_supported(Operation.REPORT_REPAYMENT_PLAN)

    def find_repayment_plan(self, plan: RepaymentPlan) -> OverdueReceipt | None:
        """The receipt of this plan where the insurer has it."""
        raise self._not_supported(Operation.FIND_REPAYMENT_PLAN)

    def repayment_plan_state(self, notice_number: str) -> AgreementStatus:
        """What the insurer says to a repayment plan, by its number."""
        raise self._not_supported(Operation.REPAYMENT_PLAN_STATE)

    def submit_claim(self, claim: Claim) -> ClaimReceipt:
        """Claim indemnity. Submitting the same claim again gives the first receipt with ``duplicate=True``; another
        claim under a used reference is ``RejectedByInsurer``."""
        raise self._not_supported(Operation.SUBMIT_CLAIM)

    def find_claim(self, claim: Claim) -> ClaimReceipt | None:
        """The receipt of this claim where the insurer has one under our reference; ``None`` says that it has none."""
        raise self._not_supported(Operation.FIND_CLAIM)

    def add_document(self, document: Document) -> DocumentReceipt:
        """Hand in a paper of a claim or of a notice."""
        raise self._not_supported(Operation.ADD_DOCUMENT)

    def find_document(self, document: Document) -> DocumentReceipt | None:
        """The receipt of this paper where the insurer has it."""
        raise self._not_supported(Operation.FIND_DOCUMENT)

    def claim_status(self, claim_number: str) -> ClaimStatus:
        """How a claim stands, by the insurer's number."""
        raise self._not_supported(Operation.CLAIM_STATUS)

    # --- Collection ---------------------------------------------------------------------------------------------

    def start_collection(self, order: CollectionOrder) -> CollectionStatus:
        """Hand debts over for collection."""
        raise self._not_supported(Operation.START_COLLECTION)

    def find_collection(self, order: CollectionOrder) -> CollectionStatus | None:
        """The case of this order where the insurer has it."""
        raise self._not_supported(Operation.FIND_COLLECTION)

    def collection_status(self, case_number: str) -> CollectionStatus:
        """How a collection case stands, with its costs."""
        raise self._not_supported(Operation.COLLECTION_STATUS)

    # --- Declarations -------------------------------------------------------------------------------------------

    def declare_turnover(self, declaration: TurnoverDeclaration) -> DeclarationReceipt:
        """Declare the insurable sales of a period."""
        raise self._not_supported(Operation.DECLARE_TURNOVER)

    def declare_shipments(self, declaration: ShipmentDeclaration) -> DeclarationReceipt:
        """Declare single shipments."""
        raise self._not_supported(Operation.DECLARE_SHIPMENTS)

    def declare_receipts(self, declaration: ReceiptDeclaration) -> DeclarationReceipt:
        """Declare payments of shipments."""
        raise self._not_supported(Operation.DECLARE_RECEIPTS)

    def find_declaration(
        self, declaration: TurnoverDeclaration | ShipmentDeclaration | ReceiptDeclaration
    ) -> DeclarationReceipt | None:
        """The receipt of this declaration where the insurer has it."""
        raise self._not_supported(Operation.FIND_DECLARATION)

    # --- Reports and monitoring ---------------------------------------------------------------------------------

    def order_report(self, order: ReportOrder) -> ReportState:
        """Order a credit report; it may cost, and it may come later."""
        raise self._not_supported(Operation.ORDER_REPORT)

    def find_report(self, order: ReportOrder) -> ReportState | None:
        """The order of this report where the insurer has it."""
        raise self._not_supported(Operation.FIND_REPORT)

    def report_state(self, order_id: str) -> ReportState:
        """An ordered report, with its content once delivered."""
        raise self._not_supported(Operation.REPORT_STATE)

    def monitor(self, order: MonitoringOrder) -> Monitoring:
        """Have a buyer watched."""
        raise self._not_supported(Operation.MONITOR)

    def notifications(self, since: date, token: str | None = None) -> Page[Notification]:
        """What the insurer reported about buyers on or after ``since``, page by page."""
        raise self._not_supported(Operation.NOTIFICATIONS)

    # --- Policy -------------------------------------------------------------------------------------------------

    def policy_details(self, policy_number: str) -> PolicyDetails:
        """The contract as the insurer holds it. Cheap and without effect: also the test of a connection."""
        raise self._not_supported(Operation.POLICY_DETAILS)

    def _not_supported(self, operation: Operation) -> NotSupported:
        return NotSupported(operation.value, insurer=self.code)
