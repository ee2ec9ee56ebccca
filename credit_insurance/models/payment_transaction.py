from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _check_amount_and_confirm_order(self):
        """Orders the gate held were paid but not confirmed: core then tells the customer so."""
        return super()._check_amount_and_confirm_order().filtered(lambda order: order.state == "sale")
