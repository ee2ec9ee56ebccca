"""Under which headings people look for a signal."""

from odoo.tools import LazyTranslate

from odoo.addons.credit_insurance.rules.risk import Scope
from odoo.addons.credit_insurance.rules.risk import catalogue_buyer as buyer

_lt = LazyTranslate(__name__)

GROUPS = (
    (_lt("Exposure and limit"), buyer.EXPOSURE),
    (_lt("Overdue"), buyer.OVERDUE),
    (_lt("Payment behaviour"), buyer.PAYMENT),
    (_lt("Orders and deliveries"), buyer.ORDERS),
    (_lt("Grade and score"), buyer.GRADES),
    (_lt("Cover"), buyer.COVER),
    (_lt("Deadlines of the policy"), buyer.DEADLINES),
    (_lt("Who the buyer is"), buyer.WHO),
    (_lt("Financial statements"), buyer.STATEMENTS),
    (_lt("Events"), buyer.EVENTS),
)
SCOPE_GROUPS = {
    Scope.ORDER: _lt("This order"),
    Scope.INVOICE: _lt("This invoice"),
    Scope.EVENT: _lt("This event"),
}
DERIVED = _lt("Derived signals")
OTHER = _lt("Other signals of the buyer")


def group_labels(env, catalogue):
    """``{signal key: heading}``"""
    headings = {signal.key: label for label, signals in GROUPS for signal in signals}
    derived = {signal.key for signal in catalogue.derived}
    return {
        signal.key: env._(
            DERIVED if signal.key in derived else headings.get(signal.key) or SCOPE_GROUPS.get(signal.scope, OTHER)
        )
        for signal in catalogue
    }
