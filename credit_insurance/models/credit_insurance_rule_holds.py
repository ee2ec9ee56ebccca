from odoo import fields, models


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    holds_orders = fields.Boolean(
        tracking=True,
        copy=False,
        help="While an alert of this rule is open, orders of its buyer are held. Not while the rule only observes.",
    )
