"""Why an invoice is not (fully) covered, in words."""

from odoo.tools import LazyTranslate

from odoo.addons.credit_insurance.rules.policy import UncoveredReason

_lt = LazyTranslate(__name__)

REASONS = {
    UncoveredReason.POLICY_NOT_IN_FORCE: _lt("The policy was not in force on the day of delivery."),
    UncoveredReason.COUNTRY_NOT_COVERED: _lt("The policy does not cover the buyer's country."),
    UncoveredReason.TERM_TOO_LONG: _lt("The payment term is longer than the policy allows."),
    UncoveredReason.INVOICED_TOO_LATE: _lt("It was invoiced later after delivery than the policy allows."),
    UncoveredReason.PUBLIC_BUYER: _lt("The policy does not cover public buyers."),
    UncoveredReason.PRIVATE_PERSON: _lt("The policy does not cover private persons."),
    UncoveredReason.AFFILIATED: _lt("The buyer belongs to the own group of companies."),
    UncoveredReason.DOWN_PAYMENT: _lt("A down payment is asked for before anything is delivered."),
    UncoveredReason.NOT_DELIVERED: _lt("The goods are not delivered yet."),
    UncoveredReason.DISPUTED: _lt("The buyer disputes it."),
    UncoveredReason.NO_COVER: _lt("The insurer had no cover on this buyer on the day of delivery."),
    UncoveredReason.STOPPED: _lt("Cover for new deliveries was stopped on the day of delivery."),
    UncoveredReason.LIMIT_USED: _lt("Older invoices use up the insured limit."),
    UncoveredReason.FROZEN: _lt("Cover has stopped: what was not covered then stays so."),
    UncoveredReason.TAX: _lt("The policy insures amounts without tax."),
}


def describe_uncovered(env, reasons):
    """The reasons as one text, a line each, in the language of ``env``."""
    return "\n".join(env._(REASONS[reason]) for reason in reasons)
