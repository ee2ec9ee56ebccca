"""The signals about a buyer, which rules of every scope may use."""

from .catalogue_words import (
    choice,
    classes_lost,
    count,
    days,
    days_if_any,
    days_late,
    flag,
    money,
    money_if_any,
    owed,
    percent,
    percent_if_any,
    risk_class,
    score,
    share,
    share_if_any,
    text,
)
from .marking import _
from .signals import Signal

COVER_STATUSES = ("none", "requested", "approved", "partial", "refused", "reduced", "withdrawn", "expired", "unknown")
CREDIT_STATUSES = ("normal", "watch", "blocked", "cash_only")

EXPOSURE: tuple[Signal, ...] = (
    money(
        "exposure",
        _("Exposure"),
        _("What the buyer owes or will owe: open receivables and confirmed orders not yet invoiced."),
    ),
    money(
        "limit_in_force",
        _("Limit in force"),
        _("Insured limit and own limit, as the company combines them. Missing when none was ever set."),
    ),
    money("headroom", _("Headroom"), _("Limit in force minus exposure; below zero it is a shortfall."), "-250"),
    percent(
        "utilisation",
        _("Utilisation"),
        _("Exposure as a share of the limit in force. Missing without a limit or when it is zero."),
    ),
    money_if_any(
        "group_limit",
        _("Shared limit of the credit group"),
        _("The limit that the buyer shares with the others of its credit group. Missing without one."),
    ),
    money_if_any(
        "group_exposure",
        _("Exposure of the credit group"),
        _("What all buyers of the credit group owe or will owe, in every company. Missing without a group."),
    ),
    money_if_any(
        "group_headroom",
        _("Headroom of the credit group"),
        _("Shared limit of the credit group minus what all its buyers owe; below zero it is a shortfall."),
        "-250",
    ),
    percent(
        "group_utilisation",
        _("Utilisation of the shared limit"),
        _("What all buyers of the credit group owe as a share of their limit. Missing without one or when it is zero."),
    ),
    money("uninsured_exposure", _("Uninsured exposure"), _("Exposure above the insured limit.")),
    percent(
        "concentration",
        _("Share of receivables"),
        _("The buyer's open receivables as a share of the company's, which are summed a few times a day."),
        "12",
    ),
    money("receivables", _("Open receivables"), _("All that is invoiced and not paid, less credits not yet applied.")),
)

OVERDUE: tuple[Signal, ...] = (
    owed("amount_overdue", _("Amount overdue"), _("Open amounts after their original due date.")),
    owed(
        "amount_overdue_30",
        _("Amount over 30 days overdue"),
        _("Open for more than 30 days after the original due date."),
    ),
    owed(
        "amount_overdue_60",
        _("Amount over 60 days overdue"),
        _("Open for more than 60 days after the original due date."),
    ),
    owed(
        "amount_overdue_90",
        _("Amount over 90 days overdue"),
        _("Open for more than 90 days after the original due date."),
    ),
    owed("overdue_1_30", _("Overdue 1 to 30 days"), _("Open amounts 1 to 30 days after their original due date.")),
    owed("overdue_31_60", _("Overdue 31 to 60 days"), _("Open amounts 31 to 60 days after their original due date.")),
    owed("overdue_61_90", _("Overdue 61 to 90 days"), _("Open amounts 61 to 90 days after their original due date.")),
    share_if_any("overdue_share", _("Share overdue"), _("Overdue amounts as a share of all open invoices."), "25"),
    days_late(
        "days_overdue_oldest",
        _("Days overdue, oldest"),
        _("Days since the oldest unpaid due date, 0 when nothing is overdue."),
    ),
    days_if_any(
        "days_to_next_due",
        _("Days to the next due date"),
        _("Days until the next open invoice falls due, 0 on the day itself. Missing when none is coming."),
        "7",
    ),
    days_if_any(
        "days_since_due",
        _("Days since the last due date"),
        _("Days since the overdue invoice that fell due last: how fresh the latest delay is."),
        "3",
    ),
)

PAYMENT: tuple[Signal, ...] = (
    days(
        "days_late_3m",
        _("Average days late, 3 months"),
        _(
            "Days from original due date to payment of the invoices paid in the last 3 months, weighted by amount. "
            "Early is negative; missing when none was paid."
        ),
        "12",
    ),
    days("days_late_6m", _("Average days late, 6 months"), _("The same for the last 6 months."), "10"),
    days("days_late_12m", _("Average days late, 12 months"), _("The same for the last 12 months."), "8"),
    days(
        "days_late_trend",
        _("Trend of days late"),
        _("Average of the last 3 months minus that of the last 12: above zero the buyer pays ever later."),
        "4",
    ),
    share(
        "paid_late_share",
        _("Invoices paid late"),
        _("Share of the invoices paid in the last 12 months that were paid after their original due date."),
        "35",
    ),
    count("invoices_paid", _("Invoices paid"), _("Invoices paid in the last 12 months."), "24"),
    days(
        "dso",
        _("Days sales outstanding"),
        _("Open receivables over the turnover of the last 12 months, in days. Missing without turnover."),
        "52",
    ),
    money("turnover", _("Turnover of 12 months"), _("Invoiced less credit notes in the last 12 months, tax included.")),
    share(
        "credit_sales_share",
        _("Share of sales on credit"),
        _("Share of the last 12 months' invoices, by amount, that fell due after their date."),
        "100",
    ),
    count(
        "broken_promises",
        _("Broken promises"),
        _("Promises to pay of the last 12 months, entered as events, on which less than promised came by the day."),
        "1",
    ),
    count(
        "deferral_requests",
        _("Deferral requests"),
        _("Requests to pay later in the last 12 months, entered as events."),
        "1",
    ),
    count(
        "returned_payments",
        _("Returned payments"),
        _("Returned cheques and debits of the last 12 months: events, and payments the bank rejected."),
        "1",
    ),
    owed("largest_open", _("Largest open invoice"), _("The largest amount still open of one due date.")),
)

ORDERS: tuple[Signal, ...] = (
    count("orders_confirmed", _("Confirmed orders"), _("Orders confirmed so far; 0 marks a new buyer.")),
    count(
        "months_since_first_order",
        _("Months since first order"),
        _("Full months since the first confirmed order."),
        "14",
    ),
    count(
        "months_since_last_order", _("Months since last order"), _("Full months since the last confirmed order."), "2"
    ),
    percent(
        "order_growth",
        _("Order growth"),
        _(
            "Orders of the last 30 days against the monthly mean of the 12 months before, as a change: 50 is half as "
            "much again. Missing when there was no order in those months."
        ),
        "50",
    ),
    percent(
        "order_growth_seasonal",
        _("Order growth, season-adjusted"),
        _("Orders of the last 90 days against the same 90 days a year earlier, as a change."),
        "20",
    ),
    money("order_mean", _("Mean order"), _("Mean amount of the orders confirmed in the last 12 months.")),
    days_if_any(
        "days_delivered_uninvoiced",
        _("Days delivered and not invoiced"),
        _(
            "Days since the oldest delivery that no invoice bills yet; a service counts from the day its delivered "
            "quantity was entered. Missing when everything is invoiced."
        ),
        "20",
    ),
    money("delivered_uninvoiced", _("Delivered and not invoiced"), _("Value of deliveries that no invoice bills yet.")),
)

GRADES: tuple[Signal, ...] = (
    risk_class("risk_class", _("Risk class"), _("Our class from 1 (best) to 5, mapped from the insurer's grade.")),
    classes_lost(
        "risk_class_worsened_30",
        _("Risk classes lost in 30 days"),
        _("Risk class today minus risk class 30 days ago: 2 means two classes worse, negative means better."),
    ),
    classes_lost(
        "risk_class_worsened",
        _("Risk classes lost in 90 days"),
        _("Risk class today minus risk class 90 days ago: 2 means two classes worse, negative means better."),
    ),
    classes_lost(
        "risk_class_worsened_365",
        _("Risk classes lost in 365 days"),
        _("Risk class today minus risk class 365 days ago: 2 means two classes worse, negative means better."),
    ),
    text("grade", _("Grade"), _("The insurer's own grade, as the insurer writes it."), "7"),
    days("days_since_grade", _("Age of the grade"), _("Days since the insurer graded the buyer.")),
    score(
        "internal_score",
        _("Internal score"),
        _(
            "Our own points from 0 (worst) to 100, by the scorecard of the buyer's industry. "
            "Missing when too little is known."
        ),
    ),
    score("score_financial", _("Score: financial"), _("Points for the financial statements.")),
    score("score_behaviour", _("Score: payment behaviour"), _("Points for how the buyer pays and orders.")),
    score("score_sector", _("Score: sector and country"), _("Points for industry and country.")),
)

COVER: tuple[Signal, ...] = (
    choice(
        "cover_status",
        _("Cover status"),
        _("The insurer's answer in force; none: never asked, unknown: it could not be read."),
        COVER_STATUSES,
        "refused",
    ),
    money("cover_amount", _("Cover amount"), _("The cover in force; 0 is an amount, missing is no answer.")),
    percent("insured_percentage", _("Insured percentage"), _("The share of a covered loss which the insurer pays.")),
    days(
        "days_to_cover_end",
        _("Days until cover ends"),
        _("Days until the cover expires or is withdrawn; missing when it is open-ended."),
    ),
    days_if_any(
        "days_since_cover_cut",
        _("Days since cover was cut"),
        _("Days since the insurer last reduced, refused or withdrew a cover; missing when it never did."),
        "5",
    ),
    percent_if_any(
        "cover_cut", _("Last cut of cover"), _("How much of the cover the last cut took away: 100 is all of it."), "40"
    ),
    days_if_any(
        "days_to_cover_cut",
        _("Days to an announced cut"),
        _("Days until an announced reduction or withdrawal takes effect."),
        "14",
    ),
    days("payment_term_maximum", _("Longest term insured"), _("The cover's maximum payment term."), "120"),
    days_if_any("payment_term", _("Longest term open"), _("The longest payment term among the open invoices."), "60"),
    days_if_any(
        "payment_term_excess",
        _("Term beyond the cover's"),
        _("The longest payment term among the open invoices minus the cover's maximum: above zero one is not insured."),
        "15",
    ),
    days(
        "invoicing_period",
        _("Maximum invoicing period"),
        _("Days after delivery within which the cover asks to invoice."),
        "30",
    ),
    days("data_age", _("Age of insurer data"), _("Days since grade and cover were last fetched."), "3"),
)

DEADLINES: tuple[Signal, ...] = (
    days_if_any(
        "days_to_reminder",
        _("Days to the reminder"),
        _("Days until the next friendly reminder of an insured invoice."),
        "7",
    ),
    days_if_any(
        "days_to_dunning", _("Days to dunning"), _("Days until formal dunning of an insured invoice starts."), "3"
    ),
    days_if_any(
        "days_to_escalation", _("Days to escalation"), _("Days until an insured invoice is handed to collection."), "10"
    ),
    days_if_any(
        "days_to_stop",
        _("Days until cover stops"),
        _("Days until the oldest unpaid due date passes the maximum extension period."),
        "12",
    ),
    days_if_any(
        "days_to_notification", _("Days to notify"), _("Days until the earliest overdue notification is due."), "9"
    ),
    days_if_any("days_to_loss", _("Days to the date of loss"), _("Days until the earliest date of loss."), "30"),
    days_if_any("days_to_claim", _("Days to claim"), _("Days until the earliest right to claim is lost."), "90"),
    days_if_any(
        "days_to_report",
        _("Days to report adverse information"),
        _("Days until the insurer must have heard of the adverse information known of the buyer."),
        "4",
    ),
)

WHO: tuple[Signal, ...] = (
    text("country", _("Country"), _("ISO code of the buyer's country."), "FR"),
    risk_class("country_class", _("Class of the country"), _("The country's class from 1 (best) to 5, as entered.")),
    text("industry", _("Industry"), _("The buyer's industry."), "Machinery"),
    text("currency", _("Currency"), _("ISO code of the currency the buyer was last invoiced in."), "EUR"),
    choice(
        "credit_status", _("Credit status"), _("What our people decided about the buyer."), CREDIT_STATUSES, "watch"
    ),
    flag("is_public", _("Public buyer"), _("A public body.")),
    flag("is_private_person", _("Private person"), _("A natural person, not a business.")),
    flag("is_affiliated", _("Affiliated"), _("Belongs to our own group.")),
    text("registration_number", _("Registration number"), _("The number in the company register."), "552 081 317"),
    flag("registration_missing", _("No registration number"), _("No number in a company register is on file.")),
    flag(
        "registration_differs",
        _("Other registration number"),
        _("The registration number is another one than that of the entity the insurer knows."),
    ),
    flag("is_configured", _("Checked by the gate"), _("The buyer takes part in credit control.")),
    days("days_known", _("Days known"), _("Days since the contact was created."), "400"),
    days_if_any(
        "days_since_bank_change",
        _("Days since a new bank account"),
        _("Days since a bank account was last added or got another number."),
        "6",
    ),
    days_if_any(
        "days_since_mail_change",
        _("Days since a new mail domain"),
        _("Days since the mail address moved to another domain."),
        "6",
    ),
)

STATEMENTS: tuple[Signal, ...] = (
    days(
        "statement_age", _("Age of the statements"), _("Days since the end of the last financial year on file."), "300"
    ),
    money("statement_turnover", _("Turnover, statements"), _("Turnover of the last financial statements."), "5000000"),
    money("statement_equity", _("Equity, statements"), _("Equity of the last financial statements."), "800000"),
    money("statement_result", _("Net result, statements"), _("Net result of the last financial statements."), "120000"),
    money("statement_cash", _("Cash, statements"), _("Cash of the last financial statements."), "90000"),
    percent("equity_ratio", _("Equity ratio"), _("Equity as a share of the balance sheet."), "30"),
    percent("profit_margin", _("Profit margin"), _("Net result as a share of turnover."), "3"),
    percent(
        "turnover_growth", _("Growth of turnover"), _("Turnover against the statements of the year before."), "-10"
    ),
    percent(
        "share_of_purchases",
        _("Our share in its turnover"),
        _("Our turnover with the buyer as a share of the buyer's own turnover."),
        "5",
    ),
)

EVENTS: tuple[Signal, ...] = (
    days_if_any(
        "days_since_insolvency_rumour", _("Days since insolvency rumour"), _("Days since the last such event."), "2"
    ),
    days_if_any(
        "days_since_insolvency", _("Days since insolvency"), _("Days since insolvency proceedings became known."), "2"
    ),
    days_if_any(
        "days_since_management_change", _("Days since change of management"), _("Days since the last such event."), "20"
    ),
    days_if_any(
        "days_since_sector_default", _("Days since a default in the sector"), _("Days since the last such event."), "9"
    ),
    days_if_any(
        "days_since_deferral_request",
        _("Days since deferral request"),
        _("Days since the buyer last asked to pay later."),
        "9",
    ),
    days_if_any(
        "days_since_returned_payment",
        _("Days since returned payment"),
        _("Days since a cheque or debit came back."),
        "9",
    ),
    count("events_12m", _("Events of 12 months"), _("Adverse events entered or imported in the last 12 months."), "2"),
)

BUYER_SIGNALS: tuple[Signal, ...] = (
    *EXPOSURE, *OVERDUE, *PAYMENT, *ORDERS, *GRADES, *COVER, *DEADLINES, *WHO, *STATEMENTS, *EVENTS,
)  # fmt: skip
