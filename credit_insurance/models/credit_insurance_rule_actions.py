"""What the actions of a rule need to know beyond its text: whom to tell, with which term, how much, where."""

from odoo import fields, models

ROLES = [
    ("credit_responsible", "Credit responsible"),
    ("salesperson", "Salesperson"),
    ("credit_manager", "Credit manager"),
]


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    role = fields.Selection(
        ROLES,
        string="Whom to Tell",
        tracking=True,
        help="Empty: as the company's settings say for the severity. A salesperson without access to alerts gets the "
        "activity on the customer.",
    )
    needs_approval = fields.Boolean(
        string="Second Pair of Eyes",
        tracking=True,
        help="Actions that change limits and terms or leave the house wait for a credit manager who did not write the "
        "rule.",
    )
    payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment Term of New Quotations",
        tracking=True,
        help="Given to customers whose own term is longer, by “change_payment_term”.",
    )
    limit_percent = fields.Integer(
        string="Reduce the Own Limit to (%)", default=50, tracking=True, help="By “reduce_own_limit”."
    )
    webhook_id = fields.Many2one(
        "credit.insurance.webhook", tracking=True, ondelete="restrict", help="Called by “webhook”."
    )

    _limit_percent_range = models.Constraint(
        "CHECK(limit_percent BETWEEN 0 AND 100)", "A limit is reduced to a share between 0 and 100 %."
    )
