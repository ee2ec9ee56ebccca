from odoo import fields, models


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    alert_ids = fields.One2many("credit.insurance.alert", "buyer_id", string="Alerts", readonly=True)
    open_alert_count = fields.Integer(string="Open Alerts", compute="_compute_open_alert_count")

    def _compute_open_alert_count(self):
        groups = self.env["credit.insurance.alert"]._read_group(
            [("buyer_id", "in", self.ids), ("state", "in", ("open", "acknowledged"))], ["buyer_id"], ["__count"]
        )
        counts = {buyer.id: count for buyer, count in groups}
        for buyer in self:
            buyer.open_alert_count = counts.get(buyer.id, 0)

    def action_open_alerts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_alert_action")
        return action | {"domain": [("buyer_id", "=", self.id)], "context": {"search_default_live": 1}}
