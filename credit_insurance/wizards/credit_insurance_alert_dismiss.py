from odoo import fields, models

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_alert import DISMISS_REASONS


class CreditInsuranceAlertDismiss(models.TransientModel):
    """Asks why alerts are dismissed. Whether the user may is checked on the alerts themselves."""

    _name = "credit.insurance.alert.dismiss"
    _description = "Dismiss Risk Alerts"

    alert_ids = fields.Many2many("credit.insurance.alert", string="Alerts", required=True, readonly=True)
    reason = fields.Selection(DISMISS_REASONS, required=True)
    note = fields.Text()

    def action_dismiss(self):
        self.ensure_one()
        self.alert_ids._dismiss(self.reason, self.note)
        return {"type": "ir.actions.act_window_close"}
