"""Clients of trade-credit insurers. Pure Python: no Odoo, and nothing of the rules.

::

    connect("sandbox", base_url=…, credentials=…)          registry.py   which connectors there are
        │
        ▼
    Insurer.covers("TCI-2026-0001")                        base.py       the calls, typed
        │   Cover, Grade, …                                messages.py   frozen messages in and out; see also
        │   Claim, TurnoverDeclaration, ReportState, …                   debts.py, declarations.py, reports.py
        │
    AllianzTrade,                                          allianz_trade.py and allianz_trade_*.py
    Atradius,                                              atradius.py   and atradius_*.py
    Coface,                                                coface.py     and coface_*.py
    Sinosure,                                              sinosure.py   and sinosure_*.py
    FileExchange,                                          file_exchange.py  no calls: by file, see files/
    Sandbox, …                                             sandbox.py    one module per insurer: paths and field names
        │   Call → Answer
        ▼
    Transport                                              transport.py  time limits, repeating, redaction, recording
        │                                                  errors.py     the errors, all of them
        ▼
    the insurer, or `python -m connectors.simulator`       simulator/    an insurer to play with, imports none of this

>>> sandbox = connect("sandbox", base_url="http://127.0.0.1:8070", credentials=Credentials(api_key="k"))
>>> Operation.SUBMIT_CLAIM in sandbox.capabilities()
True
"""

from .base import FINDERS, Insurer, Operation
from .calls import Exchange, TransportOptions
from .connection import AddressBook, Connection, Endpoint, Environment, Rate, Setting
from .debts import (
    AgreementState,
    AgreementStatus,
    Claim,
    ClaimCause,
    ClaimReceipt,
    ClaimState,
    ClaimStatus,
    CollectionOrder,
    CollectionState,
    CollectionStatus,
    Document,
    DocumentKind,
    DocumentReceipt,
    ExtensionReason,
    Instalment,
    InvoiceExtension,
    OverdueInvoice,
    OverdueNotice,
    OverdueReceipt,
    RepaymentPlan,
)
from .declarations import (
    DeclarationReceipt,
    LineRefusal,
    Receipt,
    ReceiptDeclaration,
    Shipment,
    ShipmentDeclaration,
    TurnoverDeclaration,
    TurnoverLine,
)
from .errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    NotSupported,
    RateLimited,
    RejectedByInsurer,
    Sent,
    TransportError,
    UnexpectedResponse,
)
from .messages import (
    Announcement,
    AnnouncementKind,
    BuyerCandidate,
    BuyerQuery,
    Cover,
    CoverProduct,
    CoverRequest,
    CoverRequestKind,
    CoverRequestState,
    CoverStatus,
    Grade,
    Page,
    PaymentMethod,
    PolicyDetails,
    RequestStatus,
    Unread,
)
from .rates import MemoryLimiter
from .redaction import Credentials
from .registry import CONNECTORS, connect
from .reports import (
    Monitoring,
    MonitoringOrder,
    Notification,
    ReportFile,
    ReportOrder,
    ReportState,
    ReportStatus,
    WakeUp,
)
from .tokens import MemoryTokenStore, Token, TokenStore
from .transport import Hooks, RateLimiter

__all__ = [
    "CONNECTORS",
    "FINDERS",
    "AddressBook",
    "AgreementState",
    "AgreementStatus",
    "Announcement",
    "AnnouncementKind",
    "AuthenticationError",
    "BuyerCandidate",
    "BuyerQuery",
    "Claim",
    "ClaimCause",
    "ClaimReceipt",
    "ClaimState",
    "ClaimStatus",
    "CollectionOrder",
    "CollectionState",
    "CollectionStatus",
    "ConfigurationError",
    "Connection",
    "ConnectorError",
    "Cover",
    "CoverProduct",
    "CoverRequest",
    "CoverRequestKind",
    "CoverRequestState",
    "CoverStatus",
    "Credentials",
    "DeclarationReceipt",
    "Document",
    "DocumentKind",
    "DocumentReceipt",
    "Endpoint",
    "Environment",
    "Exchange",
    "ExtensionReason",
    "Grade",
    "Hooks",
    "Instalment",
    "Insurer",
    "InvoiceExtension",
    "LineRefusal",
    "MemoryLimiter",
    "MemoryTokenStore",
    "Monitoring",
    "MonitoringOrder",
    "NotSupported",
    "Notification",
    "Operation",
    "OverdueInvoice",
    "OverdueNotice",
    "OverdueReceipt",
    "Page",
    "PaymentMethod",
    "PolicyDetails",
    "Rate",
    "RateLimited",
    "RateLimiter",
    "Receipt",
    "ReceiptDeclaration",
    "RejectedByInsurer",
    "RepaymentPlan",
    "ReportFile",
    "ReportOrder",
    "ReportState",
    "ReportStatus",
    "RequestStatus",
    "Sent",
    "Setting",
    "Shipment",
    "ShipmentDeclaration",
    "Token",
    "TokenStore",
    "TransportError",
    "TransportOptions",
    "TurnoverDeclaration",
    "TurnoverLine",
    "UnexpectedResponse",
    "Unread",
    "WakeUp",
    "connect",
]
