"""What the actions of a rule need to know beyond its text: whom to tell, with which term, how much, where.

It is reviewed and kept in versions like the text: ``working_...`` is what is being worked on.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.rules.risk import expand

from . import credit_insurance_rule_override, credit_insurance_rule_version  # noqa: F401 (have to be loaded first)
from .rule_document import overridden_fields, read_rule
from .rule_settings import describe_payment_term

ROLES = [
    ("credit_responsible", "Credit responsible"),
    ("salesperson", "Salesperson"),
    ("credit_manager", "Credit manager"),
]
# What an action cannot be carried out without.
NEEDED = {"change_payment_term": "payment_term_id", "webhook": "webhook_id"}


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

    def _set_active(self):
        """:raise UserError: an action is asked for that can never be carried out"""
        for version in self:
            version.rule_id._check_actions(read_rule(version.document)[0])
        return super()._set_active()


class CreditInsuranceRuleOverrideVersion(models.Model):
    _inherit = "credit.insurance.rule.override.version"

    def _set_active(self):
        """:raise UserError: an action is asked for that can never be carried out"""
        for version in self.filtered(lambda version: {"actions", "table"} & overridden_fields(version.document, False)):
            record = version.override_id.rule_id.sudo()
            rule, _problems = read_rule(record.document)
            record._check_actions(rule and version._apply_to(rule)[0])
        return super()._set_active()


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

    def _check_actions(self, rule):
        """:raise UserError: ``rule`` asks for an action, and what it needs is not chosen here

        :param rule: this record's text as it was read, or what a company makes of it; None has no actions
        """
        self.ensure_one()
        wanted = {key for part in (expand(rule) if rule else ()) for key in part.actions}
        for key, name in NEEDED.items():
            if key in wanted and not self[name]:
                names = dict(self.env["credit.insurance.action.task"]._fields["key"]._description_selection(self.env))
                text = self.env._(
                    "“%(rule)s” asks for “%(action)s”: choose “%(field)s” first.",
                    rule=self.display_name,
                    action=names[key],
                    field=self._fields[f"working_{name}"]._description_string(self.env),
                )
                raise UserError(text)
