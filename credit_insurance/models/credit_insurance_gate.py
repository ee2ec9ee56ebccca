from odoo import api, models


class CreditInsuranceGate(models.AbstractModel):
    _name = "credit.insurance.gate"
    _description = "Credit Gate"

    @api.model
    def _pass_or_hold(self, orders):
        return orders

    @api.model
    def _pass_or_refuse(self, orders, checkpoint):
        return {}
