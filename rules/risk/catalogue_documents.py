"""The signals about one invoice, order or event; rules about it also see its buyer's."""

from .catalogue_words import choice, count, days, days_if_any, flag, money, percent, text
from .marking import _
from .signals import Scope, Signal

EVENT_KINDS = (
    "insolvency_rumour", "insolvency", "management_change", "sector_default", "deferral_request", "returned_payment",
    "payment_promise", "dispute", "legal_action", "cover_cut", "cover_announced", "cover_restored", "grade_worse",
    "grade_better", "other",
)  # fmt: skip

_IN, _OR, _EV = Scope.INVOICE, Scope.ORDER, Scope.EVENT

INVOICE_SIGNALS: tuple[Signal, ...] = (
    money("invoice_amount", _("Invoice amount"), _("Total of the invoice, tax included."), scope=_IN),
    money("invoice_open", _("Open amount"), _("What is left to pay of this invoice."), scope=_IN),
    money(
        "invoice_uninsured",
        _("Uninsured amount"),
        _("What is left to pay of this invoice and is not insured."),
        scope=_IN,
    ),
    days(
        "invoice_days_overdue", _("Days overdue"), _("Days since the original due date, negative before it."), scope=_IN
    ),
    days("invoice_payment_term", _("Payment term"), _("Days between invoice date and due date."), "30", _IN),
    days("invoice_term_excess", _("Term beyond the cover's"), _("Payment term minus the cover's maximum."), "15", _IN),
    days("invoice_delay", _("Days from delivery to invoice"), _("Days between delivery and invoice date."), "12", _IN),
    days("invoice_extended", _("Days extended"), _("Days by which the due date was moved."), "30", _IN),
    flag("invoice_disputed", _("Disputed"), _("The buyer disputes this invoice."), _IN),
)

ORDER_SIGNALS: tuple[Signal, ...] = (
    money("order_amount", _("Order amount"), _("Total of the order, tax included."), scope=_OR),
    money(
        "order_headroom", _("Headroom after the order"), _("What the limit leaves once this order counts."), "-500", _OR
    ),
    days_if_any("order_payment_term", _("Payment term"), _("The longest term of the order."), "60", _OR),
    days_if_any(
        "order_term_excess",
        _("Term beyond the cover's"),
        _("The order's payment term minus the cover's maximum."),
        "15",
        _OR,
    ),
    flag("order_is_first", _("First order"), _("The buyer has no confirmed order yet."), _OR),
    percent(
        "order_size",
        _("Size against the mean"),
        _("The order's amount as a share of the buyer's mean order of 12 months: 300 is three times as much."),
        "300",
        _OR,
    ),
    percent(
        "order_size_seasonal",
        _("Size against the season"),
        _(
            "The order's amount as a share of the buyer's mean order in the same season of the last three years, "
            "a month before and after. Missing without such orders."
        ),
        "150",
        _OR,
    ),
    percent(
        "order_size_company",
        _("Size against all orders"),
        _("The order's amount as a share of the company's mean order of the last 30 days."),
        "400",
        _OR,
    ),
    flag(
        "order_new_address",
        _("New delivery address"),
        _("No order was confirmed for the address as it is written now."),
        _OR,
    ),
    flag(
        "order_other_country",
        _("Delivery to another country"),
        _("The goods go to another country than the buyer's."),
        _OR,
    ),
    flag(
        "order_other_domain",
        _("Other mail domain"),
        _("Who orders writes from another mail domain than the buyer's."),
        _OR,
    ),
    count(
        "order_fraud_signs",
        _("Signs of fraud"),
        _(
            "How many of these hold: first order, more than twice a usual order, new delivery address after earlier "
            "orders or in another country, other mail domain, bank account or mail domain changed within 60 days."
        ),
        "3",
        _OR,
    ),
)

EVENT_SIGNALS: tuple[Signal, ...] = (
    choice(
        "event_kind", _("Kind of event"), _("What was reported about the buyer."), EVENT_KINDS, "insolvency_rumour", _EV
    ),
    days("event_age", _("Age of event"), _("Days since the event."), "2", _EV),
    money("event_amount", _("Amount of event"), _("What the event is about, when it has an amount."), scope=_EV),
    text("event_source", _("Source of event"), _("Where the information comes from."), "Creditreform", _EV),
    days_if_any(
        "event_to_report", _("Days to report"), _("Days until the insurer must have heard of this event."), "4", _EV
    ),
)
