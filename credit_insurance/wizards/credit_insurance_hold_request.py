from odoo import fields, models


class CreditInsuranceHoldRequest(models.TransientModel):
    _name = "credit.insurance.hold.request"
    _description = "Ask for the Release of a Credit Hold"

    hold_id = fields.Many2one("credit.insurance.hold", required=True, readonly=True, ondelete="cascade")
    note = fields.Text(string="Why It Should Pass", required=True)

    def action_request(self):
        self.ensure_one()
        self.hold_id.check_access("read")
        self.hold_id._request_release(self.note)
        return {"type": "ir.actions.act_window_close"}
