from odoo import api, fields, models
from odoo.exceptions import AccessError

from .company_calendar import company_today


class ResCompany(models.Model):
    _inherit = "res.company"

    credit_gate_mode = fields.Selection(
        [("off", "Off"), ("observe", "Observe"), ("on", "On")],
        string="Credit Gate",
        default="observe",
        required=True,
        help="Observe: decides and records, never holds. On: orders over the limit are held.",
    )
    credit_gate_reason = fields.Char(string="Reason of the Last Switch", readonly=True)
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
    credit_data_max_age_days = fields.Integer(string="Maximum Age of Insurer Data (days)", default=7)
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
    credit_responsible_id = fields.Many2one("res.users", help="Gets the activity when an order is held.")
    credit_release_validity_days = fields.Integer(string="A Release Holds for (days)", default=14)
    credit_four_eyes_amount = fields.Monetary(
        string="Four Eyes From",
        help="From this amount on, whoever asked for a release may not grant it. Zero: always.",
    )

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

    def _credit_today(self):
        """The calendar date of the company, whatever the time zone of who asks."""
        self.ensure_one()
        return company_today(self)
