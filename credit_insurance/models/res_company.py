from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from . import internal_fields  # noqa: F401 (the mixin has to be loaded first)
from .company_calendar import company_today


class ResCompany(models.Model):
    _name = "res.company"
    _inherit = ["res.company", "credit.insurance.internal.fields", "credit.insurance.amounts"]

    credit_gate_mode = fields.Selection(
        [("off", "Off"), ("observe", "Observe"), ("on", "On")],
        string="Credit Gate",
        default="observe",
        required=True,
        help="Observe: decides and records, never holds. On: orders over the limit are held.",
    )
    credit_gate_reason = fields.Char(
        string="Reason of the Last Switch", readonly=True, groups="credit_insurance.credit_insurance_group_user"
    )
    credit_unchecked_buyers = fields.Selection(
        [("not_checked", "Not checked"), ("amount", "An amount"), ("no_credit", "No credit")],
        string="Buyers Without a Limit",
        default="not_checked",
        required=True,
    )
    credit_default_limit = fields.Monetary(string="Limit for Buyers Without One")
    credit_limit_combination = fields.Selection(
        [("add", "Insured limit + own limit"), ("max", "The larger of the two")],
        string="Limit in Force",
        default="add",
        required=True,
    )
    credit_data_max_age_days = fields.Integer(
        string="Maximum Age of Insurer Data (days)", default=7, help="Zero: no data is too old."
    )
    credit_stale_data = fields.Selection(
        [("accept", "Accept it"), ("warn", "Accept it and warn"), ("none", "Treat it as no cover")],
        string="When Insurer Data Is Older",
        default="warn",
        required=True,
    )
    credit_max_overdue_days = fields.Integer(
        string="Hold When Overdue More Than (days)", help="Zero: overdue items alone hold no order."
    )
    credit_max_overdue_amount = fields.Monetary(string="Hold When Overdue More Than")
    credit_profile_id = fields.Many2one(
        "credit.insurance.profile",
        string="Profile of Other Buyers",
        help="How strict the gate is with buyers that have no profile of their own.",
    )
    credit_check_order = fields.Boolean(
        string="Check Orders",
        default=True,
        help="Orders that do not pass are held when they are confirmed. Otherwise they are decided and recorded, and "
        "their goods wait until there is room for them.",
    )
    credit_order_grace_days = fields.Integer(
        string="Grace for Orders (days)", help="Overdue items hold orders this much later."
    )
    credit_check_delivery = fields.Boolean(
        string="Check Deliveries",
        # Off at first, since orders confirmed before the installation were promised.
        help="Goods do not leave while the buyer is blocked or overdue, cover ended or an alert says hold. Deliveries "
        "that wait for the money are stopped all the same.",
    )
    credit_delivery_grace_days = fields.Integer(
        string="Grace for Deliveries (days)", help="Overdue items and ended cover stop deliveries this much later."
    )
    credit_check_invoice = fields.Selection(
        [("off", "Do not check"), ("warn", "Post and warn"), ("hold", "Hold")],
        string="Invoices Without an Order",
        default="off",
        required=True,
        help="Invoices of orders are never stopped: those passed before.",
    )
    credit_invoice_grace_days = fields.Integer(string="Grace for Invoices (days)")
    credit_responsible_id = fields.Many2one("res.users", help="Gets the activity when an order is held.")
    credit_limit_review_months = fields.Integer(
        string="Own Limits Are Reviewed After (months)", default=12, help="Zero: only when the limit says so."
    )
    credit_release_validity_days = fields.Integer(string="A Release Holds for (days)", default=14)
    credit_release_max_days = fields.Integer(
        string="A Release Holds at Most (days)",
        default=30,
        help="No release holds longer than so many days from its decision. Zero: only on the day it is given.",
    )
    credit_four_eyes_amount = fields.Monetary(
        string="Four Eyes From",
        help="From this amount on, whoever asked for a release may not grant it. Zero: always.",
    )
    credit_self_approval = fields.Boolean(
        string="Firm of Two",
        help="Who asked may decide an own request above the four-eyes amount when nobody else has the authority. It "
        "needs a note, is marked on the record, and somebody else of the credit team is asked to look at it.",
    )
    credit_typed_limit_four_eyes = fields.Boolean(
        string="Four Eyes for Typed Limits",
        help="From the four-eyes amount on, nobody types or imports an own limit: somebody asks for it, and another "
        "credit manager grants it.",
    )
    credit_confirm_cleared = fields.Boolean(
        string="Confirm Cleared Orders",
        help="Held orders that come to fit their limit are confirmed by themselves while their prices and the "
        "quotation's date are still valid. Otherwise the salesperson is told that they can be confirmed.",
    )
    credit_hold_lapse_days = fields.Integer(string="Holds Lapse After (days)", help="Zero: never.")
    credit_hold_mail = fields.Boolean(
        string="Mails About Holds",
        help="Who decides gets a mail when an order is held, the salesperson when it is decided or can be confirmed.",
    )

    credit_rule_review = fields.Boolean(
        string="Review of Risk Rules",
        help="A text of a risk rule takes effect only after another administrator has approved it. A rule for several "
        "companies needs it as soon as one of them asks for it.",
    )

    _credit_not_negative = models.Constraint(
        "CHECK(credit_default_limit >= 0 AND credit_data_max_age_days >= 0 AND credit_max_overdue_days >= 0"
        " AND credit_max_overdue_amount >= 0 AND credit_delivery_grace_days >= 0 AND credit_invoice_grace_days >= 0"
        " AND credit_order_grace_days >= 0"
        " AND credit_four_eyes_amount >= 0 AND credit_release_validity_days >= 0 AND credit_hold_lapse_days >= 0"
        " AND credit_limit_review_months >= 0 AND credit_release_max_days >= 0)",
        "Amounts, days and months of the credit settings are zero or more.",
    )

    @api.constrains("credit_profile_id")
    def _check_credit_profile(self):
        for company in self:
            owner = company.credit_profile_id.sudo().company_id.root_id
            if owner and owner != company.root_id:
                raise ValidationError(self.env._("%s belongs to another company.", company.credit_profile_id.name))

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_credit_rights(vals)
        return super().create(vals_list)

    def write(self, vals):
        """Credit settings belong to credit managers, and every switch of the gate is on record."""
        self._check_credit_rights(vals)
        before = {company: company.sudo().credit_gate_mode for company in self} if "credit_gate_mode" in vals else {}
        result = super().write(vals)
        self.env["credit.insurance.gate.log"].sudo().create(
            [
                {
                    "company_id": company.id,
                    "mode_before": mode,
                    "mode_after": vals["credit_gate_mode"],
                    "reason": vals.get("credit_gate_reason"),
                }
                for company, mode in before.items()
                if mode != vals["credit_gate_mode"]
            ]
        )
        return result

    def _check_credit_rights(self, vals):
        """:raise AccessError: somebody else than a credit manager changes a credit setting"""
        if self.env.su or self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            return
        if any(name.startswith("credit_") and name in self._fields for name in vals):
            raise AccessError(self.env._("Credit settings are changed by credit managers only."))

    def _switch_credit_gate(self, mode, reason):
        """Switch the gate of these companies. The reason goes into the gate's log."""
        self.write({"credit_gate_mode": mode, "credit_gate_reason": reason})

    def _get_credit_responsible(self):
        """Who decides holds and looks after alerts: the credit responsible, else the first credit manager here."""
        self.ensure_one()
        company = self.sudo()
        if company.credit_responsible_id:
            return company.credit_responsible_id
        managers = self.env.ref("credit_insurance.credit_insurance_group_manager").sudo().all_user_ids
        return managers.filtered(lambda user: user.active and not user.share and company in user.company_ids)[:1]

    def _get_credit_release_until(self, days=None):
        """The last day of a release decided today that holds for ``days``, or as long as any may."""
        self.ensure_one()
        longest = self.credit_release_max_days
        return self._credit_today() + timedelta(days=longest if days is None else min(days, longest))

    def _credit_today(self):
        """The calendar date of the company, whatever the time zone of who asks."""
        self.ensure_one()
        return company_today(self)
