"""The signals about a buyer, which rules of every scope may use."""

from .catalogue_words import choice, classes_lost, count, days, flag, money, percent, risk_class, score, text
from .signals import Signal

COVER_STATUSES = ("none", "requested", "approved", "partial", "refused", "reduced", "withdrawn", "expired", "unknown")
CREDIT_STATUSES = ("normal", "watch", "blocked", "cash_only")

EXPOSURE: tuple[Signal, ...] = (
    money(
        "exposure",
        "Exposure",
        "What the buyer owes or will owe: open receivables and confirmed orders not yet invoiced.",
    ),
    money(
        "limit_in_force",
        "Limit in force",
        "Insured limit and own limit, as the company combines them. Missing when none was ever set.",
    ),
    money("headroom", "Headroom", "Limit in force minus exposure; below zero it is a shortfall.", "-250"),
    percent(
        "utilisation",
        "Utilisation",
        "Exposure as a share of the limit in force. Missing without a limit or when it is zero.",
    ),
    money("uninsured_exposure", "Uninsured exposure", "Exposure above the insured limit."),
    percent(
        "concentration",
        "Share of receivables",
        "The buyer's open receivables as a share of the company's, which are summed a few times a day.",
        "12",
    ),
    money("receivables", "Open receivables", "All that is invoiced and not paid, less credits not yet applied."),
)

OVERDUE: tuple[Signal, ...] = (
    money("amount_overdue", "Amount overdue", "Open amounts after their original due date."),
    money(
        "amount_overdue_30", "Amount over 30 days overdue", "Open for more than 30 days after the original due date."
    ),
    money(
        "amount_overdue_60", "Amount over 60 days overdue", "Open for more than 60 days after the original due date."
    ),
    money(
        "amount_overdue_90", "Amount over 90 days overdue", "Open for more than 90 days after the original due date."
    ),
    money("overdue_1_30", "Overdue 1 to 30 days", "Open amounts 1 to 30 days after their original due date."),
    money("overdue_31_60", "Overdue 31 to 60 days", "Open amounts 31 to 60 days after their original due date."),
    money("overdue_61_90", "Overdue 61 to 90 days", "Open amounts 61 to 90 days after their original due date."),
    percent("overdue_share", "Share overdue", "Overdue amounts as a share of all open invoices.", "25"),
    days(
        "days_overdue_oldest",
        "Days overdue, oldest",
        "Days since the oldest unpaid due date, 0 when nothing is overdue.",
    ),
    days(
        "days_to_next_due",
        "Days to the next due date",
        "Days until the next open invoice falls due, 0 on the day itself. Missing when none is coming.",
        "7",
    ),
    days(
        "days_since_due",
        "Days since the last due date",
        "Days since the overdue invoice that fell due last: how fresh the latest delay is.",
        "3",
    ),
)

PAYMENT: tuple[Signal, ...] = (
    days(
        "days_late_3m",
        "Average days late, 3 months",
        "Days from original due date to payment of the invoices paid in the last 3 months, weighted by amount. "
        "Early is negative; missing when none was paid.",
        "12",
    ),
    days("days_late_6m", "Average days late, 6 months", "The same for the last 6 months.", "10"),
    days("days_late_12m", "Average days late, 12 months", "The same for the last 12 months.", "8"),
    days(
        "days_late_trend",
        "Trend of days late",
        "Average of the last 3 months minus that of the last 12: above zero the buyer pays ever later.",
        "4",
    ),
    percent(
        "paid_late_share",
        "Invoices paid late",
        "Share of the invoices paid in the last 12 months that were paid after their original due date.",
        "35",
    ),
    count("invoices_paid", "Invoices paid", "Invoices paid in the last 12 months.", "24"),
    days(
        "dso",
        "Days sales outstanding",
        "Open receivables over the turnover of the last 12 months, in days. Missing without turnover.",
        "52",
    ),
    money("turnover", "Turnover of 12 months", "Invoiced less credit notes in the last 12 months, tax included."),
    percent(
        "credit_sales_share",
        "Share of sales on credit",
        "Share of the last 12 months' invoices, by amount, that fell due after their date.",
        "100",
    ),
    count(
        "broken_promises",
        "Broken promises",
        "Promises to pay of the last 12 months, entered as events, on which less than promised came by the day.",
        "1",
    ),
    count(
        "deferral_requests", "Deferral requests", "Requests to pay later in the last 12 months, entered as events.", "1"
    ),
    count(
        "returned_payments",
        "Returned payments",
        "Returned cheques and debits of the last 12 months: events, and payments the bank rejected.",
        "1",
    ),
    money("largest_open", "Largest open invoice", "The largest amount still open of one due date."),
)

ORDERS: tuple[Signal, ...] = (
    count("orders_confirmed", "Confirmed orders", "Orders confirmed so far; 0 marks a new buyer."),
    count("months_since_first_order", "Months since first order", "Full months since the first confirmed order.", "14"),
    count("months_since_last_order", "Months since last order", "Full months since the last confirmed order.", "2"),
    percent(
        "order_growth",
        "Order growth",
        "Orders of the last 30 days against the monthly mean of the 12 months before, as a change: 50 is half as "
        "much again. Missing when there was no order in those months.",
        "50",
    ),
    percent(
        "order_growth_seasonal",
        "Order growth, season-adjusted",
        "Orders of the last 90 days against the same 90 days a year earlier, as a change.",
        "20",
    ),
    money("order_mean", "Mean order", "Mean amount of the orders confirmed in the last 12 months."),
    days(
        "days_delivered_uninvoiced",
        "Days delivered and not invoiced",
        "Days since the oldest delivery that no invoice bills yet. Missing when everything is invoiced.",
        "20",
    ),
    money("delivered_uninvoiced", "Delivered and not invoiced", "Value of deliveries that no invoice bills yet."),
)

GRADES: tuple[Signal, ...] = (
    risk_class("risk_class", "Risk class", "Our class from 1 (best) to 5, mapped from the insurer's grade."),
    *map(classes_lost, (30, 90, 365)),
    text("grade", "Grade", "The insurer's own grade, as the insurer writes it.", "7"),
    days("days_since_grade", "Age of the grade", "Days since the insurer graded the buyer."),
    score(
        "internal_score",
        "Internal score",
        "Our own points from 0 (worst) to 100, by the scorecard of the buyer's industry. Missing when too little is "
        "known.",
    ),
    score("score_financial", "Score: financial", "Points for the financial statements."),
    score("score_behaviour", "Score: payment behaviour", "Points for how the buyer pays and orders."),
    score("score_sector", "Score: sector and country", "Points for industry and country."),
)

COVER: tuple[Signal, ...] = (
    choice(
        "cover_status",
        "Cover status",
        "The insurer's answer in force; none: never asked, unknown: it could not be read.",
        COVER_STATUSES,
        "refused",
    ),
    money("cover_amount", "Cover amount", "The cover in force; 0 is an amount, missing is no answer."),
    percent("insured_percentage", "Insured percentage", "The share of a covered loss which the insurer pays."),
    days(
        "days_to_cover_end",
        "Days until cover ends",
        "Days until the cover expires or is withdrawn; missing when it is open-ended.",
    ),
    days(
        "days_since_cover_cut",
        "Days since cover was cut",
        "Days since the insurer last reduced, refused or withdrew a cover; missing when it never did.",
        "5",
    ),
    percent("cover_cut", "Last cut of cover", "How much of the cover the last cut took away: 100 is all of it.", "40"),
    days(
        "days_to_cover_cut",
        "Days to an announced cut",
        "Days until an announced reduction or withdrawal takes effect.",
        "14",
    ),
    days("payment_term_maximum", "Longest term insured", "The cover's maximum payment term.", "120"),
    days("payment_term", "Longest term open", "The longest payment term among the open invoices.", "60"),
    days(
        "payment_term_excess",
        "Term beyond the cover's",
        "The longest payment term among the open invoices minus the cover's maximum: above zero one is not insured.",
        "15",
    ),
    days(
        "invoicing_period",
        "Maximum invoicing period",
        "Days after delivery within which the cover asks to invoice.",
        "30",
    ),
    days("data_age", "Age of insurer data", "Days since grade and cover were last fetched.", "3"),
)

DEADLINES: tuple[Signal, ...] = (
    days(
        "days_to_reminder", "Days to the reminder", "Days until the next friendly reminder of an insured invoice.", "7"
    ),
    days("days_to_dunning", "Days to dunning", "Days until formal dunning of an insured invoice starts.", "3"),
    days("days_to_escalation", "Days to escalation", "Days until an insured invoice is handed to collection.", "10"),
    days(
        "days_to_stop",
        "Days until cover stops",
        "Days until the oldest unpaid due date passes the maximum extension period.",
        "12",
    ),
    days("days_to_notification", "Days to notify", "Days until the earliest overdue notification is due.", "9"),
    days("days_to_loss", "Days to the date of loss", "Days until the earliest date of loss.", "30"),
    days("days_to_claim", "Days to claim", "Days until the earliest right to claim is lost.", "90"),
    days(
        "days_to_report",
        "Days to report adverse information",
        "Days until the insurer must have heard of the adverse information known of the buyer.",
        "4",
    ),
)

WHO: tuple[Signal, ...] = (
    text("country", "Country", "ISO code of the buyer's country.", "FR"),
    risk_class("country_class", "Class of the country", "The country's class from 1 (best) to 5, as entered."),
    text("industry", "Industry", "The buyer's industry.", "Machinery"),
    text("currency", "Currency", "ISO code of the currency the buyer was last invoiced in.", "EUR"),
    choice("credit_status", "Credit status", "What our people decided about the buyer.", CREDIT_STATUSES, "watch"),
    flag("is_public", "Public buyer", "A public body."),
    flag("is_private_person", "Private person", "A natural person, not a business."),
    flag("is_affiliated", "Affiliated", "Belongs to our own group."),
    text("registration_number", "Registration number", "The number in the company register.", "552 081 317"),
    flag("registration_missing", "No registration number", "No number in a company register is on file."),
    flag(
        "registration_differs",
        "Other registration number",
        "The registration number is another one than that of the entity the insurer knows.",
    ),
    flag("is_configured", "Checked by the gate", "The buyer takes part in credit control."),
    days("days_known", "Days known", "Days since the contact was created.", "400"),
    days("days_since_bank_change", "Days since a new bank account", "Days since a bank account was last added.", "6"),
    days(
        "days_since_mail_change",
        "Days since a new mail domain",
        "Days since the mail address moved to another domain.",
        "6",
    ),
)

STATEMENTS: tuple[Signal, ...] = (
    days("statement_age", "Age of the statements", "Days since the end of the last financial year on file.", "300"),
    money("statement_turnover", "Turnover, statements", "Turnover of the last financial statements.", "5000000"),
    money("statement_equity", "Equity, statements", "Equity of the last financial statements.", "800000"),
    money("statement_result", "Net result, statements", "Net result of the last financial statements.", "120000"),
    money("statement_cash", "Cash, statements", "Cash of the last financial statements.", "90000"),
    percent("equity_ratio", "Equity ratio", "Equity as a share of the balance sheet.", "30"),
    percent("profit_margin", "Profit margin", "Net result as a share of turnover.", "3"),
    percent("turnover_growth", "Growth of turnover", "Turnover against the statements of the year before.", "-10"),
    percent(
        "share_of_purchases",
        "Our share in its turnover",
        "Our turnover with the buyer as a share of the buyer's own turnover.",
        "5",
    ),
)

EVENTS: tuple[Signal, ...] = (
    days("days_since_insolvency_rumour", "Days since insolvency rumour", "Days since the last such event.", "2"),
    days("days_since_insolvency", "Days since insolvency", "Days since insolvency proceedings became known.", "2"),
    days("days_since_management_change", "Days since change of management", "Days since the last such event.", "20"),
    days("days_since_sector_default", "Days since a default in the sector", "Days since the last such event.", "9"),
    days(
        "days_since_deferral_request",
        "Days since deferral request",
        "Days since the buyer last asked to pay later.",
        "9",
    ),
    days("days_since_returned_payment", "Days since returned payment", "Days since a cheque or debit came back.", "9"),
    count("events_12m", "Events of 12 months", "Adverse events entered or imported in the last 12 months.", "2"),
)

BUYER_SIGNALS: tuple[Signal, ...] = (
    *EXPOSURE, *OVERDUE, *PAYMENT, *ORDERS, *GRADES, *COVER, *DEADLINES, *WHO, *STATEMENTS, *EVENTS,
)  # fmt: skip
