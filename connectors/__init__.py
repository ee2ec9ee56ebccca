"""Clients of trade-credit insurers. Pure Python: no Odoo, and nothing of the rules.

::

    connect("sandbox", base_url=…, credentials=…)          registry.py   which connectors there are
        │
        ▼
    Insurer.covers("TCI-2026-0001")                        base.py       the calls, typed
        │   Cover, Grade, Claim, …                         messages.py   frozen messages in and out
        │
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

from .base import Connection, Insurer, Operation
from .calls import Exchange, TransportOptions
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
    Claim,
    ClaimCause,
    ClaimReceipt,
    ClaimState,
    ClaimStatus,
    Cover,
    CoverRequest,
    CoverRequestKind,
    CoverRequestState,
    CoverStatus,
    Grade,
    OverdueInvoice,
    OverdueNotice,
    OverdueReceipt,
    Page,
    PolicyDetails,
    RequestStatus,
)
from .redaction import Credentials
from .registry import CONNECTORS, connect
from .tokens import MemoryTokenStore, Token, TokenStore
from .transport import Hooks, RateLimiter

__all__ = [
    "CONNECTORS",
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
    "ConfigurationError",
    "Connection",
    "ConnectorError",
    "Cover",
    "CoverRequest",
    "CoverRequestKind",
    "CoverRequestState",
    "CoverStatus",
    "Credentials",
    "Exchange",
    "Grade",
    "Hooks",
    "Insurer",
    "MemoryTokenStore",
    "NotSupported",
    "Operation",
    "OverdueInvoice",
    "OverdueNotice",
    "OverdueReceipt",
    "Page",
    "PolicyDetails",
    "RateLimited",
    "RateLimiter",
    "RejectedByInsurer",
    "RequestStatus",
    "Sent",
    "Token",
    "TokenStore",
    "TransportError",
    "TransportOptions",
    "UnexpectedResponse",
    "connect",
]
