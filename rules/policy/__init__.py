"""The insurance contract's arithmetic and the credit decision: plain facts in, plain facts out.

    money ── exact amounts, currencies, rates               errors ── what can go wrong
      ├─ terms ── a policy's numbers, and how it counts time
      │    └─ deadlines ── the dated duties of one invoice
      ├─ limit_rows ── covers, own limits, guarantees as they stand in the books
      │    └─ history ── which of the insurer's rows is in force on a day
      │         ├─ limits ── the limit in force, explained line by line
      │         │    └─ decision ── may this document pass? (facts: decision_facts, rules: reasons)
      │         └─ cover ── how much of each invoice is insured (invoices, stops)
      │              ├─ payments ── which debts payments count for under the policy, and who shares in recoveries
      │              └─ indemnity ── what the insurer pays for a loss
      ├─ forecast ── when payments due are expected to free enough of the limit
      ├─ recommendation ── the limit we would recommend, by a formula that is arithmetic and nothing else (formula)
      └─ exposure ── what of an order is exposure: the model the SQL is tested against

What stands further in builds on what it hangs from. No Odoo, no I/O, no clock: the day is an argument.
"""

from .cover import CoverPart, CoverRow, InvoiceCover, UncoveredReason, split_cover
from .deadlines import DatedInvoice, Deadline, DeadlineKind, DeadlineNote, InvoiceDates, invoice_deadlines
from .decision import decide, decide_batch
from .decision_facts import (
    Basis,
    BuyerStatus,
    Decision,
    DecisionRequest,
    Exposure,
    Mode,
    Outcome,
    Reason,
    ReasonCode,
    Severity,
    SharedLimit,
)
from .errors import (
    CurrencyMismatch,
    InvalidAmount,
    InvalidFacts,
    InvalidFormula,
    InvalidTerms,
    MissingRate,
    MoneyError,
    PolicyError,
)
from .exposure import Moves, OrderLine, open_order_amount
from .forecast import Freed, when_freed
from .indemnity import Indemnity, IndemnityLine, IndemnityStep, InvoiceLoss, compute_indemnity
from .invoices import BuyerFacts, Instalment, Invoice, InvoiceKind, Settlement
from .limit_rows import (
    INSURED,
    CoverStatus,
    DiscretionaryLimit,
    Guarantee,
    InsurerCover,
    Layer,
    LimitLine,
    LimitRow,
    LineCode,
    OwnLimit,
)
from .limits import LimitInForce, LimitState, limit_in_force
from .money import ExchangeRates, Money
from .payments import insurers_share, open_oldest_first
from .recommendation import BuyerFigures, Figure, Formula, Recommendation, RecommendationLine, own_score, recommend
from .stops import OpenItem, Stop, StopCause, mep_stops, stopped_by_mep, withdrawal_stops
from .terms import NO_HOLIDAYS, Base, Freeze, MissedNotification, Period, PolicyTerms, Unit

__all__ = [
    "Base",
    "Basis",
    "BuyerFacts",
    "BuyerFigures",
    "BuyerStatus",
    "CoverPart",
    "CoverRow",
    "CoverStatus",
    "CurrencyMismatch",
    "DatedInvoice",
    "Deadline",
    "DeadlineKind",
    "DeadlineNote",
    "Decision",
    "DecisionRequest",
    "DiscretionaryLimit",
    "ExchangeRates",
    "Exposure",
    "Figure",
    "Formula",
    "Freed",
    "Freeze",
    "Guarantee",
    "INSURED",
    "Indemnity",
    "IndemnityLine",
    "IndemnityStep",
    "Instalment",
    "InsurerCover",
    "InvalidAmount",
    "InvalidFacts",
    "InvalidFormula",
    "InvalidTerms",
    "Invoice",
    "InvoiceCover",
    "InvoiceDates",
    "InvoiceKind",
    "InvoiceLoss",
    "Layer",
    "LimitInForce",
    "LimitLine",
    "LimitRow",
    "LimitState",
    "LineCode",
    "MissedNotification",
    "MissingRate",
    "Mode",
    "Money",
    "MoneyError",
    "Moves",
    "NO_HOLIDAYS",
    "OpenItem",
    "OrderLine",
    "Outcome",
    "OwnLimit",
    "Period",
    "PolicyError",
    "PolicyTerms",
    "Reason",
    "ReasonCode",
    "Recommendation",
    "RecommendationLine",
    "Settlement",
    "Severity",
    "SharedLimit",
    "Stop",
    "StopCause",
    "UncoveredReason",
    "Unit",
    "compute_indemnity",
    "decide",
    "decide_batch",
    "insurers_share",
    "invoice_deadlines",
    "limit_in_force",
    "mep_stops",
    "open_oldest_first",
    "open_order_amount",
    "own_score",
    "recommend",
    "split_cover",
    "stopped_by_mep",
    "when_freed",
    "withdrawal_stops",
]
