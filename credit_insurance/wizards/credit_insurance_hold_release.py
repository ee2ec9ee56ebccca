from datetime import timedelta

from odoo import api, fields, models


class CreditInsuranceHoldRelease(models.TransientModel):
    """Records the decision about a hold. Authority is checked on the hold itself, whoever calls this."""

    _name = "credit.insurance.hold.release"
    _description = "Decide a Credit Hold"

    hold_id = fields.Many2one("credit.insurance.hold", required=True, readonly=True, ondelete="cascade")
    decision = fields.Selection([("release", "Release"), ("reject", "Reject")], default="release", required=True)
    reason_id = fields.Many2one("credit.insurance.release.reason", required=True)
    note = fields.Text()
    currency_id = fields.Many2one(related="hold_id.order_currency_id")
    limit_currency_id = fields.Many2one(related="hold_id.currency_id")
    amount = fields.Monetary(string="Up to", compute="_compute_amount", store=True, readonly=False)
    valid_until = fields.Date(compute="_compute_valid_until", store=True, readonly=False)
    shortfall = fields.Monetary(related="hold_id.shortfall", currency_field="limit_currency_id")
    reasons_text = fields.Text(related="hold_id.reasons_text")

    @api.depends("hold_id")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.hold_id.sudo().order_id.amount_total or wizard.hold_id.order_amount

    @api.depends("hold_id")
    def _compute_valid_until(self):
        for wizard in self:
            days = wizard.hold_id.company_id.sudo().credit_release_validity_days
            wizard.valid_until = fields.Date.context_today(self) + timedelta(days=days)

    @api.model_create_multi
    def create(self, vals_list):
        """Related fields are read with the rights of the system: first who may not see the hold is turned away."""
        self.env["credit.insurance.hold"].browse([vals.get("hold_id") for vals in vals_list]).check_access("read")
        return super().create(vals_list)

    def action_decide(self):
        self.ensure_one()
        if self.decision == "release":
            self.hold_id._release(self.reason_id, self.note, self.amount, self.valid_until)
        else:
            self.hold_id._reject(self.reason_id, self.note)
        return {"type": "ir.actions.act_window_close"}
