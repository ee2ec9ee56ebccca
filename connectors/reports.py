"""Credit reports as evidence, and what an insurer tells unasked: monitoring, notifications, wake-up calls."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from .checks import require, require_text
from .words import _


class ReportStatus(StrEnum):
    ORDERED = "ordered"
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """Order a credit report on a buyer; it may cost. ``product`` is the insurer's name of the report, empty for its
    usual one. ``currency`` is for the amounts in it."""

    reference: str
    buyer_id: str
    policy_number: str = ""
    product: str = ""
    currency: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, buyer_id=self.buyer_id)


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The report as it came: to be stored unchanged, it is evidence."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReportState:
    """An ordered report. ``recommended_amount`` in ``currency`` where the report has one, ``grade`` raw."""

    order_id: str
    reference: str
    status: ReportStatus
    raw_code: str
    ordered_at: datetime
    issued_on: date | None = None
    report: ReportFile | None = None
    grade: str = ""
    recommended_amount: Decimal | None = None
    currency: str = ""
    words: str = ""
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class MonitoringOrder:
    """Have the insurer watch a buyer and tell changes, to ``callback_url`` where it can."""

    reference: str
    buyer_id: str
    starts_on: date
    callback_url: str = ""

    def __post_init__(self) -> None:
        require_text(reference=self.reference, buyer_id=self.buyer_id)


@dataclass(frozen=True, slots=True)
class Monitoring:
    monitoring_id: str
    buyer_id: str
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """Something the insurer reports about a buyer. ``kind`` is its raw code; ``words`` what it says."""

    notification_id: str
    buyer_id: str
    kind: str
    happened_on: date
    words: str = ""


@dataclass(frozen=True, slots=True)
class WakeUp:
    """What a webhook call is about, as far as it tells: never the truth itself, only where to look.

    ``operations`` are the names of the calls to make; ``request_ids`` and ``buyer_ids`` narrow them where known.
    """

    operations: frozenset[str]
    request_ids: tuple[str, ...] = ()
    buyer_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.operations), _("a wake-up asks for something"))
