"""The gate's reason codes: how they are stored, and how they read."""

from datetime import date
from decimal import Decimal

from odoo.tools import LazyTranslate

from odoo.addons.credit_insurance.rules.policy import Money, ReasonCode

from .marked_words import tell_rule

_lt = LazyTranslate(__name__)
CREDIT_GROUP = "credit_insurance.credit_insurance_group_user"

REASON_TEXTS = {
    ReasonCode.OVER_LIMIT: _lt(
        "Short %(shortfall)s: %(exposure)s exposure and %(document)s for this document against a limit of %(limit)s."
    ),
    ReasonCode.LIMIT_UNKNOWN: _lt("The insurer's answer for this buyer could not be read."),
    ReasonCode.LIMIT_ZERO: _lt("There is no credit for this buyer: %(state)s."),
    ReasonCode.STALE_DATA: _lt("The insurer's data is %(age_days)s days old."),
    ReasonCode.BUYER_BLOCKED: _lt("The buyer is blocked."),
    ReasonCode.BUYER_CASH_ONLY: _lt("The buyer gets no credit: %(to_pay)s is to be paid first."),
    ReasonCode.BUYER_WATCH: _lt("The buyer is on watch."),
    ReasonCode.OVERDUE: _lt("%(amount)s is overdue, the oldest item by %(days)s days."),
    ReasonCode.MEP_PASSED: _lt(
        "An invoice is unpaid beyond the maximum extension period: cover for new deliveries stopped."
    ),
    ReasonCode.MEP_EXCUSED: _lt(
        "What is unpaid beyond the maximum extension period does not stop cover: it is disputed, or too little."
    ),
    ReasonCode.TERM_TOO_LONG: _lt(
        "The payment term of %(days)s days is longer than the %(max_days)s days the policy covers."
    ),
    ReasonCode.COVER_ENDS_BEFORE_DELIVERY: _lt("The cover ends on %(until)s, before the delivery on %(delivery)s."),
    ReasonCode.CURRENCY_NOT_COVERED: _lt("The policy does not cover %(currency)s."),
    ReasonCode.COUNTRY_NOT_COVERED: _lt("The policy does not cover %(country)s."),
    ReasonCode.ALERT: _lt("A risk alert says hold: %(alerts)s."),
    ReasonCode.OVER_SHARED_LIMIT: _lt(
        "Short %(shortfall)s of what %(group)s shares: %(exposure)s exposure of all its buyers and %(document)s for "
        "this document against a limit of %(limit)s."
    ),
    ReasonCode.RATE_MISSING: _lt("There is no exchange rate for %(currencies)s: amounts cannot be compared."),
    ReasonCode.RELATED_BUYER_BLOCKED: _lt("%(buyers)s, who orders or receives the goods, is blocked."),
    ReasonCode.DIFFERENT_ENTITIES: _lt(
        "%(buyers)s orders or receives the goods, but the insurer covers only who is invoiced."
    ),
    ReasonCode.COVER_STOPPED: _lt("The cover does not stand any more: %(state)s."),
    ReasonCode.NOT_PAID_YET: _lt("The delivery waits for the money: %(to_pay)s is not paid yet."),
}
# As the reason is called in a list.
REASON_NAMES = {
    ReasonCode.OVER_LIMIT: _lt("Over the limit"),
    ReasonCode.LIMIT_UNKNOWN: _lt("Insurer's answer not readable"),
    ReasonCode.LIMIT_ZERO: _lt("No credit"),
    ReasonCode.STALE_DATA: _lt("Insurer's data too old"),
    ReasonCode.BUYER_BLOCKED: _lt("Buyer blocked"),
    ReasonCode.BUYER_CASH_ONLY: _lt("Cash only"),
    ReasonCode.BUYER_WATCH: _lt("Buyer on watch"),
    ReasonCode.OVERDUE: _lt("Overdue"),
    ReasonCode.MEP_PASSED: _lt("Maximum extension period passed"),
    ReasonCode.MEP_EXCUSED: _lt("Unpaid, but does not stop cover"),
    ReasonCode.TERM_TOO_LONG: _lt("Payment term too long"),
    ReasonCode.COVER_ENDS_BEFORE_DELIVERY: _lt("Cover ends before delivery"),
    ReasonCode.CURRENCY_NOT_COVERED: _lt("Currency not covered"),
    ReasonCode.COUNTRY_NOT_COVERED: _lt("Country not covered"),
    ReasonCode.ALERT: _lt("Risk alert"),
    ReasonCode.OVER_SHARED_LIMIT: _lt("Over the shared limit"),
    ReasonCode.RATE_MISSING: _lt("Exchange rate missing"),
    ReasonCode.RELATED_BUYER_BLOCKED: _lt("Related buyer blocked"),
    ReasonCode.DIFFERENT_ENTITIES: _lt("Different entities"),
    ReasonCode.COVER_STOPPED: _lt("Cover ended"),
    ReasonCode.NOT_PAID_YET: _lt("Not paid yet"),
}
LIMIT_STATES = {
    "amount": _lt("its limit is zero"),
    "no_credit": _lt("nobody has granted any"),
    "refused": _lt("the insurer refused cover"),
    "withdrawn": _lt("the insurer withdrew its cover"),
    "expired": _lt("the cover expired"),
    "void": _lt("the discretionary limit is void"),
    "stale": _lt("the insurer's data is too old"),
    "unknown": _lt("the insurer's answer could not be read"),
    "insolvency": _lt("the buyer is insolvent"),
    "claim": _lt("a claim has been made"),
    "collection": _lt("its debts were handed over to collection"),
    "country": _lt("the insurer stopped cover for its country"),
}


def reasons_to_json(reasons):
    """``rules.policy`` reasons as JSON: code, severity, params, exempted_by."""
    return [
        {
            "code": reason.code.value,
            "severity": reason.severity.value,
            "params": {name: _param_to_json(value) for name, value in reason.params.items()},
            "exempted_by": reason.exempted_by.value if reason.exempted_by else None,
        }
        for reason in reasons
    ]


def _param_to_json(value):
    if isinstance(value, Money):
        return {"amount": str(value.amount), "currency": value.currency}
    if isinstance(value, date | Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def describe_reasons(env, reasons):
    """Stored reasons in the reader's language, one sentence each, what holds first.

    The name of an alert may tell a grade: it is for the credit team, also where the system reads for somebody.
    """
    ordered = sorted(reasons or (), key=lambda reason: reason["severity"] != "hold")
    return [_describe(env, reason) for reason in ordered]


def _describe(env, reason):
    params = {name: _param_to_text(env, name, value) for name, value in reason["params"].items()}
    template = env._(REASON_TEXTS[ReasonCode(reason["code"])])
    return template % params


def _param_to_text(env, name, value):
    if isinstance(value, dict):
        return env["res.currency"]._credit_get(value["currency"]).format(float(value["amount"]))
    if name == "alerts":
        if not env.user.has_group(CREDIT_GROUP):
            return env._("ask your credit team")
        # The names of rules; those that are shipped are translated.
        return ", ".join(tell_rule(env, rule) for rule in value)
    if name == "state":
        return env._(LIMIT_STATES[value]) if value in LIMIT_STATES else value
    if name in ("until", "delivery") and value:
        return env["ir.qweb.field.date"].value_to_html(date.fromisoformat(value), {})
    return ", ".join(value) if isinstance(value, list) else value
