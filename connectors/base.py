"""What an insurer can do, as typed calls.

A connector subclasses ``Insurer`` and overrides the calls its insurer offers; the others raise ``NotSupported``, upon
which the caller takes the file route with the same message. ``capabilities`` is read off the class, so that it cannot
disagree with what is implemented.

Every call may raise any error of ``errors``. The writes take a message with our own ``reference``. To do a thing
exactly once: store the reference, send; after an error with ``may_have_acted`` (or a crash) first ask
(``find_claim``, ``find_cover_request``), and repeat only what the insurer has not. An insurer that recognises
references answers the repetition with ``duplicate=True``.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import ClassVar, Self

from .calls import TransportOptions
from .errors import NotSupported, UnexpectedResponse
from .messages import (
    BuyerCandidate,
    BuyerQuery,
    Claim,
    ClaimReceipt,
    ClaimStatus,
    Cover,
    CoverRequest,
    CoverRequestState,
    Grade,
    OverdueNotice,
    OverdueReceipt,
    Page,
    PolicyDetails,
)
from .redaction import Credentials
from .tokens import TokenStore
from .transport import Hooks

REPEATED_PAGES = 3  # pages in a row that bring nothing new, after which a list is taken to be broken


class Operation(StrEnum):
    """The calls, by the name of their method."""

    FIND_BUYER = "find_buyer"
    GRADES = "grades"
    COVER_PAGE = "cover_page"
    REQUEST_COVER = "request_cover"
    FIND_COVER_REQUEST = "find_cover_request"
    COVER_REQUEST_STATE = "cover_request_state"
    NOTIFY_OVERDUE = "notify_overdue"
    FIND_OVERDUE_NOTICE = "find_overdue_notice"
    SUBMIT_CLAIM = "submit_claim"
    FIND_CLAIM = "find_claim"
    CLAIM_STATUS = "claim_status"
    POLICY_DETAILS = "policy_details"


@dataclass(frozen=True, slots=True)
class Connection:
    """What a connector needs to know to reach its insurer. Which ``credentials`` it needs, its docstring says."""

    base_url: str
    credentials: Credentials
    options: TransportOptions | None = None
    hooks: Hooks | None = None
    token_store: TokenStore | None = None
    wall_clock: Callable[[], float] = time.time


class Insurer(ABC):
    """One connection to one insurer. Close it, or use it in a ``with`` statement."""

    code: ClassVar[str]
    label: ClassVar[str]

    @abstractmethod
    def __init__(self, connection: Connection) -> None:
        """Get ready; nothing is sent. Raises ``ConfigurationError`` for what cannot work."""

    @classmethod
    def capabilities(cls) -> frozenset[Operation]:
        """The calls this connector implements."""
        return frozenset(op for op in Operation if getattr(cls, op.value) is not getattr(Insurer, op.value))

    @abstractmethod
    def close(self) -> None:
        """Give back connections. The object is not usable afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- Buyers and grades --------------------------------------------------------------------------------------

    def find_buyer(self, query: BuyerQuery) -> tuple[BuyerCandidate, ...]:
        """The legal entities that may be meant, best first; empty when the insurer knows none."""
        raise self._not_supported(Operation.FIND_BUYER)

    def grades(self, buyer_ids: Iterable[str]) -> tuple[Grade, ...]:
        """The current grades of these buyers. A buyer without a grade is absent from the answer."""
        raise self._not_supported(Operation.GRADES)

    def grade(self, buyer_id: str) -> Grade | None:
        """The current grade of one buyer, ``None`` when the insurer has none."""
        return next((grade for grade in self.grades([buyer_id]) if grade.buyer_id == buyer_id), None)

    # --- Cover --------------------------------------------------------------------------------------------------

    def cover_page(self, policy_number: str, token: str | None = None) -> Page[Cover]:
        """One page of the covers under a policy; ``token`` is the ``next_token`` of the page before. Pages can be
        asked for in different processes: the token is all that has to be stored."""
        raise self._not_supported(Operation.COVER_PAGE)

    def covers(self, policy_number: str) -> Iterator[Cover]:
        """All covers under a policy, each once, page by page.

        A page that comes twice is passed over. Conclusions from *absence* may be drawn only after the iterator has
        ended without an error.

        :raises UnexpectedResponse: in the end, when fewer or more covers came than the insurer said there are, or
            when the pages do not end.
        """
        seen: set[str] = set()
        token: str | None = None
        idle = 0
        while True:
            page = self.cover_page(policy_number, token)
            fresh = {cover.cover_id: cover for cover in page.items if cover.cover_id not in seen}
            seen.update(fresh)
            yield from fresh.values()
            if page.next_token is None:
                break
            token = page.next_token
            idle = 0 if fresh else idle + 1
            if idle >= REPEATED_PAGES:
                raise UnexpectedResponse("the same page comes again and again", insurer=self.code, field="page")
        if page.total is not None and page.total != len(seen):
            message = f"the insurer counts {page.total} covers, {len(seen)} came"
            raise UnexpectedResponse(message, insurer=self.code, field="total")

    def request_cover(self, request: CoverRequest) -> CoverRequestState:
        """Ask for cover, more, less or none. Usually answered ``PENDING``: the decision comes later."""
        raise self._not_supported(Operation.REQUEST_COVER)

    def find_cover_request(self, reference: str) -> CoverRequestState | None:
        """The request the insurer has under our reference; ``None`` says that it has none."""
        raise self._not_supported(Operation.FIND_COVER_REQUEST)

    def cover_request_state(self, request_id: str) -> CoverRequestState:
        """How a request stands, by the insurer's id."""
        raise self._not_supported(Operation.COVER_REQUEST_STATE)

    # --- Overdues and claims ------------------------------------------------------------------------------------

    def notify_overdue(self, notice: OverdueNotice) -> OverdueReceipt:
        """Report overdue invoices of one buyer."""
        raise self._not_supported(Operation.NOTIFY_OVERDUE)

    def find_overdue_notice(self, reference: str) -> OverdueReceipt | None:
        """The notice the insurer has under our reference; ``None`` says that it has none."""
        raise self._not_supported(Operation.FIND_OVERDUE_NOTICE)

    def submit_claim(self, claim: Claim) -> ClaimReceipt:
        """Claim indemnity. Submitting the same claim again gives the first receipt with ``duplicate=True``; another
        claim under a used reference is ``RejectedByInsurer``."""
        raise self._not_supported(Operation.SUBMIT_CLAIM)

    def find_claim(self, reference: str) -> ClaimReceipt | None:
        """The claim the insurer has under our reference; ``None`` says that it has none."""
        raise self._not_supported(Operation.FIND_CLAIM)

    def claim_status(self, claim_number: str) -> ClaimStatus:
        """How a claim stands, by the insurer's number."""
        raise self._not_supported(Operation.CLAIM_STATUS)

    # --- Policy -------------------------------------------------------------------------------------------------

    def policy_details(self, policy_number: str) -> PolicyDetails:
        """The contract as the insurer holds it. Cheap and without effect: also the test of a connection."""
        raise self._not_supported(Operation.POLICY_DETAILS)

    def _not_supported(self, operation: Operation) -> NotSupported:
        return NotSupported(operation.value, insurer=self.code)
