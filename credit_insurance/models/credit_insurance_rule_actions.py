"""What the actions of a rule need to know beyond its text: whom to tell, with which term, how much, where.

It is reviewed and kept in versions like the text: ``working_...`` is what is being worked on.
"""

from odoo import api, fields, models

from . import credit_insurance_rule_version  # noqa: F401 (has to be loaded first)
from .rule_settings import describe_payment_term

ROLES = [
    ("credit_responsible", "Credit responsible"),
    ("salesperson", "Salesperson"),
    ("credit_manager", "Credit manager"),
]


class CreditInsuranceRuleVersion(models.Model):
    _inherit = "credit.insurance.rule.version"

    role = fields.Selection(ROLES, string="Whom to Tell", readonly=True)
    needs_approval = fields.Boolean(string="Second Pair of Eyes", readonly=True)
    payment_term_id = fields.Many2one(
        "account.payment.term", string="Payment Term of New Quotations", readonly=True, ondelete="restrict"
    )
    payment_term_text = fields.Char(
        string="Payment Term as It Was",
        readonly=True,
        help="Name and days of the term when the version was saved: payment terms themselves can be changed.",
    )
    limit_percent = fields.Integer(string="Reduce the Own Limit to (%)", readonly=True)
    webhook_id = fields.Many2one("credit.insurance.webhook", readonly=True, ondelete="restrict")

    _limit_percent_range = models.Constraint(
        "CHECK(limit_percent BETWEEN 0 AND 100)", "A limit is reduced to a share between 0 and 100 %."
    )

    @api.model_create_multi
    def create(self, vals_list):
        terms = self.env["account.payment.term"].sudo()
        for vals in vals_list:
            term = terms.browse(vals.get("payment_term_id") or ())
            vals["payment_term_text"] = describe_payment_term(term) if term else False
        return super().create(vals_list)


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    role = fields.Selection(ROLES, string="Role in Force", tracking=True)
    needs_approval = fields.Boolean(string="Second Pair of Eyes in Force", tracking=True)
    payment_term_id = fields.Many2one("account.payment.term", string="Payment Term in Force", tracking=True)
    limit_percent = fields.Integer(string="Share of the Own Limit in Force (%)", default=50, tracking=True)
    webhook_id = fields.Many2one(
        "credit.insurance.webhook", string="Webhook in Force", tracking=True, ondelete="restrict"
    )
    working_role = fields.Selection(
        ROLES,
        string="Whom to Tell",
        compute="_compute_working_document",
        readonly=False,
        help="Empty: as the company's settings say for the severity. A salesperson without access to alerts gets the "
        "activity on the customer.",
    )
    working_needs_approval = fields.Boolean(
        string="Second Pair of Eyes",
        compute="_compute_working_document",
        readonly=False,
        help="Actions that change limits and terms or leave the house wait for a credit manager who did not write the "
        "rule.",
    )
    working_payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment Term of New Quotations",
        compute="_compute_working_document",
        readonly=False,
        help="Given to customers whose own term is longer, by “change_payment_term”.",
    )
    working_limit_percent = fields.Integer(
        string="Reduce the Own Limit to (%)",
        compute="_compute_working_document",
        readonly=False,
        help="By “reduce_own_limit”.",
    )
    working_webhook_id = fields.Many2one(
        "credit.insurance.webhook",
        string="Webhook",
        compute="_compute_working_document",
        readonly=False,
        help="Called by “webhook”.",
    )

    _limit_percent_range = models.Constraint(
        "CHECK(limit_percent BETWEEN 0 AND 100)", "A limit is reduced to a share between 0 and 100 %."
    )
