"""The words of a claim: states, causes, steps of the estimate."""

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

CLAIM_STATES = [
    ("draft", "Draft"),
    ("ready", "To hand in"),
    ("queued", "Being sent"),
    ("failed", "Could not be sent"),
    ("uncertain", "To be checked at the insurer"),
    ("sent", "Sent by hand"),
    ("acknowledged", "Received by the insurer"),
    ("in_review", "In review"),
    ("accepted", "Accepted"),
    ("paid", "Paid"),
    ("refused", "Declined"),
    ("cancelled", "Cancelled"),
]
# The insurer has it and has not finished with it.
PENDING_STATES = ("sent", "acknowledged", "in_review", "accepted")
DEAD_STATES = ("refused", "cancelled")
OPEN_PAYMENT_STATES = ("not_paid", "partial")

CAUSES = [
    ("protracted_default", "Protracted default"),
    ("insolvency", "Insolvency"),
    ("political", "Political"),
]

# By what it costs under the policy.
LATE_NOTIFICATION = {
    "cover_lost": _lt("Not insured, because the last day to notify the insurer was missed: %s"),
    "indemnity_reduced": _lt("The insurer may pay less, because the last day to notify it was missed: %s"),
    "warning": _lt("The last day to notify the insurer was missed: %s"),
}

INDEMNITY_STEPS = {
    "insured_loss": _lt("Insured loss"),
    "threshold": _lt("After the threshold"),
    "insured_percentage": _lt("Insured percentage of it"),
    "minimum_retention": _lt("After the minimum retention"),
    "each_and_every_first_loss": _lt("After the each-and-every first loss"),
    "aggregate_first_loss": _lt("After the aggregate first loss"),
    "maximum_liability": _lt("Not more than the maximum liability"),
}
