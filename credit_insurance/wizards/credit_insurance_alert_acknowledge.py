from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

DAYS = 7


class CreditInsuranceAlertAcknowledge(models.TransientModel):
    """Asks until when alerts are acknowledged. Whether the user may is checked on the alerts themselves."""

    _name = "credit.insurance.alert.acknowledge"
    _description = "Acknowledge Risk Alerts Until"

    alert_ids = fields.Many2many("credit.insurance.alert", string="Alerts", required=True, readonly=True)
    until = fields.Date(
        required=True, default=lambda self: self.env.company._credit_today() + timedelta(days=DAYS), help="Included."
    )
    note = fields.Text()

    def action_acknowledge(self):
        self.ensure_one()
        if not self.alert_ids:
            raise UserError(self.env._("Choose the alerts first."))
        self.alert_ids._acknowledge(self.until, self.note)
        return {"type": "ir.actions.act_window_close"}
