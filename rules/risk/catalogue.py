"""The signals and actions that are shipped: plain data, which a company or a test extends or replaces.

A signal is *missing* when nobody knows it (no cover was ever asked for, the insurer gave no grade), never when it is
zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from .signals import Scope, Signal, SignalCatalogue, SignalType

NUMBER, MONEY, DAYS, PERCENT = SignalType.NUMBER, SignalType.MONEY, SignalType.DAYS, SignalType.PERCENT
TEXT, CHOICE, FLAG = SignalType.TEXT, SignalType.CHOICE, SignalType.FLAG

COVER_STATUSES = ("none", "requested", "approved", "partial", "refused", "reduced", "withdrawn", "expired", "unknown")


def _money(key: str, label: str, help: str, scope: Scope = Scope.BUYER) -> Signal:
    return Signal(key, label, MONEY, scope, help=help, example="12300")


def _days(key: str, label: str, help: str, scope: Scope = Scope.BUYER) -> Signal:
    return Signal(key, label, DAYS, scope, unit="days", help=help, example="45")


def _percent(key: str, label: str, help: str, scope: Scope = Scope.BUYER) -> Signal:
    return Signal(key, label, PERCENT, scope, unit="%", help=help, example="90")


def _count(key: str, label: str, help: str, scope: Scope = Scope.BUYER) -> Signal:
    return Signal(key, label, NUMBER, scope, help=help, example="3", minimum=Decimal(0))


def _class(key: str, label: str, help: str) -> Signal:
    return Signal(key, label, NUMBER, unit="class", help=help, example="4", minimum=Decimal(1), maximum=Decimal(5))


def _moved(days: int) -> Signal:
    key = "risk_class_worsened" if days == 90 else f"risk_class_worsened_{days}"
    text = f"Risk class today minus risk class {days} days ago: 2 means two classes worse, negative means better."
    low, high = Decimal(-4), Decimal(4)
    return Signal(
        key,
        f"Risk classes lost in {days} days",
        NUMBER,
        unit="classes",
        help=text,
        example="2",
        minimum=low,
        maximum=high,
    )


def _flag(key: str, label: str, help: str, scope: Scope = Scope.BUYER) -> Signal:
    return Signal(key, label, FLAG, scope, help=help, example="yes")


def _text(key: str, label: str, help: str, example: str, scope: Scope = Scope.BUYER) -> Signal:
    return Signal(key, label, TEXT, scope, help=help, example=example)


BUYER_SIGNALS: tuple[Signal, ...] = (
    _money(
        "exposure",
        "Exposure",
        "What the buyer owes or will owe: open receivables and confirmed orders not yet invoiced.",
    ),
    _money(
        "limit_in_force",
        "Limit in force",
        "Insured limit and own limit, as the company combines them. Missing when none was ever set.",
    ),
    _money("headroom", "Headroom", "Limit in force minus exposure; below zero it is a shortfall."),
    _percent(
        "utilisation",
        "Utilisation",
        "Exposure as a share of the limit in force. Missing without a limit or when it is zero.",
    ),
    _money("uninsured_exposure", "Uninsured exposure", "Exposure above the insured limit."),
    _percent("concentration", "Share of receivables", "The buyer's open receivables as a share of the company's."),
    _money("amount_overdue", "Amount overdue", "Open amounts after their original due date."),
    _money(
        "amount_overdue_30",
        "Amount over 30 days overdue",
        "Open amounts more than 30 days after their original due date.",
    ),
    _money(
        "amount_overdue_60",
        "Amount over 60 days overdue",
        "Open amounts more than 60 days after their original due date.",
    ),
    _money(
        "amount_overdue_90",
        "Amount over 90 days overdue",
        "Open amounts more than 90 days after their original due date.",
    ),
    _days(
        "days_overdue_oldest",
        "Days overdue, oldest",
        "Days since the oldest unpaid due date, 0 when nothing is overdue.",
    ),
    _class("risk_class", "Risk class", "Our class from 1 (best) to 5, mapped from the insurer's grade."),
    _moved(30),
    _moved(90),
    _moved(365),
    _text("grade", "Grade", "The insurer's own grade, as the insurer writes it.", "7"),
    _days("days_since_grade", "Age of the grade", "Days since the insurer graded the buyer."),
    Signal(
        *("cover_status", "Cover status", CHOICE),
        help="The insurer's answer in force; none: never asked, unknown: it could not be read.",
        example="refused",
        choices=COVER_STATUSES,
    ),
    _money("cover_amount", "Cover amount", "The cover in force; 0 is an amount, missing is no answer."),
    _percent("insured_percentage", "Insured percentage", "The share of a covered loss which the insurer pays."),
    _days(
        "days_to_cover_end",
        "Days until cover ends",
        "Days until the cover expires or is withdrawn; missing when it is open-ended.",
    ),
    _days("data_age", "Age of insurer data", "Days since grade and cover were last fetched."),
    _days(
        "days_to_stop",
        "Days until cover stops",
        "Days until the oldest unpaid due date passes the maximum extension period.",
    ),
    _days("days_to_notification", "Days to notify", "Days until the earliest overdue notification is due."),
    _days("days_to_claim", "Days to claim", "Days until the earliest right to claim is lost."),
    _count("months_since_first_order", "Months since first order", "Full months since the first confirmed order."),
    _count("orders_confirmed", "Confirmed orders", "Orders confirmed so far; 0 marks a new buyer."),
    _text("country", "Country", "ISO code of the buyer's country.", "FR"),
    _text("industry", "Industry", "The buyer's industry.", "Machinery"),
    _text("currency", "Currency", "ISO code of the currency the buyer is invoiced in.", "EUR"),
    _flag("is_public", "Public buyer", "A public body."),
    _flag("is_private_person", "Private person", "A natural person, not a business."),
    _flag("is_affiliated", "Affiliated", "Belongs to our own group."),
    _text("registration_number", "Registration number", "The number in the company register.", "552 081 317"),
    _flag("is_configured", "Checked by the gate", "The buyer takes part in credit control."),
)

INVOICE_SIGNALS: tuple[Signal, ...] = (
    _money("invoice_open", "Open amount", "What is left to pay of this invoice.", Scope.INVOICE),
    _money(
        "invoice_uninsured",
        "Uninsured amount",
        "What is left to pay of this invoice and is not insured.",
        Scope.INVOICE,
    ),
    _days(
        "invoice_days_overdue", "Days overdue", "Days since the original due date, negative before it.", Scope.INVOICE
    ),
    _days("invoice_payment_term", "Payment term", "Days between invoice date and due date.", Scope.INVOICE),
    _flag("invoice_disputed", "Disputed", "The buyer disputes this invoice.", Scope.INVOICE),
)

ORDER_SIGNALS: tuple[Signal, ...] = (
    _money("order_amount", "Order amount", "Total of the order, tax included.", Scope.ORDER),
    _days("order_payment_term", "Payment term", "The longest term of the order.", Scope.ORDER),
    _flag("order_is_first", "First order", "The buyer has no confirmed order yet.", Scope.ORDER),
    _flag("order_new_address", "New delivery address", "The address never received a delivery.", Scope.ORDER),
)

EVENT_SIGNALS: tuple[Signal, ...] = (
    _text("event_kind", "Kind of event", "What was reported about the buyer.", "insolvency_rumour", Scope.EVENT),
    _days("event_age", "Age of event", "Days since the event.", Scope.EVENT),
)

DEFAULT_CATALOGUE = SignalCatalogue((*BUYER_SIGNALS, *INVOICE_SIGNALS, *ORDER_SIGNALS, *EVENT_SIGNALS))


@dataclass(frozen=True, slots=True)
class Action:
    """Something a rule can ask for; the caller carries it out. ``scopes`` are the rules it makes sense in."""

    key: str
    help: str
    scopes: frozenset[Scope] = frozenset(Scope)


_ACTIONS = (
    Action("notify", "Tell the people responsible for the buyer."),
    Action("activity", "Put a task on the buyer, or on the document."),
    Action("watch_buyer", "Put the buyer on the watch list."),
    Action("hold_buyer", "Hold new orders of the buyer."),
    Action("hold_order", "Hold this order.", frozenset({Scope.ORDER})),
    Action("prepare_notification", "Prepare the overdue notification for the insurer."),
    Action("request_cover", "Prepare a request for more or new cover."),
    Action("start_dunning", "Start the next dunning step."),
)
DEFAULT_ACTIONS: Mapping[str, Action] = {action.key: action for action in _ACTIONS}
