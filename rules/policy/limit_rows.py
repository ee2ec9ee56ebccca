"""The rows a limit is made of, as they stand in the books, and what became of each of them on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from .errors import InvalidFacts
from .money import HUNDRED, Money, exact


class CoverStatus(StrEnum):
    """The insurer's answer. None of these is another way to write an amount of 0."""

    NONE = "none"  # never asked
    REQUESTED = "requested"
    APPROVED = "approved"
    PARTIAL = "partial"
    REFUSED = "refused"
    REDUCED = "reduced"
    WITHDRAWN = "withdrawn"  # from `effective_from` on; before that day a notice only
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # could not be read


class Layer(StrEnum):
    PERMANENT = "permanent"
    TEMPORARY = "temporary"  # adds to the permanent one between its dates


class LineCode(StrEnum):
    """Why a row counts, or does not."""

    COUNTED = "counted"
    COUNTED_STALE = "counted_stale"  # older than the company's maximum age, accepted with a warning
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"  # taken back before it began to count
    NEVER_ASKED = "never_asked"
    REQUESTED = "requested"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNREADABLE = "unreadable"
    STALE = "stale"  # older than the maximum age, treated as none
    NAMED_COVER = "named_cover"  # a discretionary limit is not added to a named cover
    VOID_REFUSED = "void_refused"
    VOID_WITHDRAWN = "void_withdrawn"
    VOID_ADVERSE_INFORMATION = "void_adverse_information"
    NO_EVIDENCE = "no_evidence"
    LESSER = "lesser"  # the company takes the larger of own and insured; this is the other one


WITH_AMOUNT = frozenset({CoverStatus.APPROVED, CoverStatus.PARTIAL, CoverStatus.REDUCED})


def _check_span(start: date | None, end: date | None) -> None:
    if start and end and end < start:
        raise InvalidFacts("valid_to", f"ends on {end}, before it starts on {start}")


def _check_amount(amount: Money | None) -> None:
    if amount is not None and amount.amount < 0:
        raise InvalidFacts("amount", "a limit cannot be negative")


def _check_percentage(percentage: Decimal | None) -> None:
    if percentage is not None and not 0 <= exact(percentage) <= HUNDRED:
        raise InvalidFacts("percentage", "is between 0 and 100")


def _latest(*days: date | None) -> date:
    return max((day for day in days if day), default=date.min)


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsurerCover:
    """One row of the insurer's dated history for one buyer.

    - `amount`: None when the insurer gave none or it could not be read; 0 is an amount.
    - `effective_from`, `effective_to`: both days included; without a first day, `decided_on` takes its place.
    - `policy`: rows of one policy replace each other, rows of different policies (a top-up) add up.
    - `reference`: the insurer's number; temporary covers with different references add up.
    - `fetched_on`: the day the row was last confirmed by the insurer.
    - `ends_cover`: for a refusal: it also ends what stood before. Otherwise a refusal answers a request only, and a
      refused increase leaves the cover as it was.
    - `policy_from`, `policy_to`: its policy's days. Outside them the row counts for nothing, but keeps its place in the
      history.
    """

    status: CoverStatus
    amount: Money | None = None
    percentage: Decimal | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    decided_on: date | None = None
    fetched_on: date | None = None
    layer: Layer = Layer.PERMANENT
    policy: str = ""
    reference: str = ""
    ends_cover: bool = False
    policy_from: date | None = None
    policy_to: date | None = None

    def __post_init__(self) -> None:
        _check_amount(self.amount)
        _check_percentage(self.percentage)
        _check_span(self.effective_from, self.effective_to)

    @property
    def start(self) -> date:
        return self.effective_from or self.decided_on or date.min

    @property
    def first_day(self) -> date:
        return _latest(self.start, self.policy_from)

    @property
    def last_day(self) -> date | None:
        return _earliest(self.effective_to, self.policy_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Granted:
    """An amount between two days, both included, that somebody grants until it is taken back."""

    amount: Money
    valid_from: date | None = None
    valid_to: date | None = None
    reference: str = ""
    cancelled: bool = False

    def __post_init__(self) -> None:
        _check_amount(self.amount)
        _check_span(self.valid_from, self.valid_to)

    @property
    def first_day(self) -> date | None:
        return self.valid_from

    @property
    def last_day(self) -> date | None:
        return self.valid_to


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscretionaryLimit(_Granted):
    """Cover the policyholder grants itself on stored evidence, under the policy and on that one's days only."""

    percentage: Decimal | None = None
    policy: str = ""
    evidenced: bool = True  # its conditions (payments on time, a recent report) are met and stored
    policy_from: date | None = None
    policy_to: date | None = None

    def __post_init__(self) -> None:
        _Granted.__post_init__(self)
        _check_percentage(self.percentage)

    @property
    def first_day(self) -> date:
        return _latest(self.valid_from, self.policy_from)

    @property
    def last_day(self) -> date | None:
        return _earliest(self.valid_to, self.policy_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimit(_Granted):
    """Credit at our own risk. Of several permanent rows valid on a day the latest counts; temporary ones add."""

    kind: Layer = Layer.PERMANENT


class Guarantee(_Granted):
    """A guarantee, deposit or letter of credit: always added to the rest of the limit."""

    __slots__ = ()


LimitRow = InsurerCover | DiscretionaryLimit | OwnLimit | Guarantee
INSURED = (InsurerCover, DiscretionaryLimit)


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One row in the explanation of a limit.

    `amount` is the row's amount in the limit's currency (None when it has none or no rate was needed to refuse it).
    """

    row: LimitRow
    counted: bool
    code: LineCode
    amount: Money | None = None
    age_days: int | None = None
