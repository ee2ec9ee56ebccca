from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def write(self, vals):
        """Money that is taken back is decided about again: orders that passed because of it owe it now."""
        paying = self.filtered(lambda transaction: transaction.state in ("authorized", "done"))
        result = super().write(vals)
        if "state" in vals:
            lost = paying.filtered(lambda transaction: transaction.state not in ("authorized", "done"))
            given_back = self.filtered(lambda row: row.operation == "refund" and row.state == "done")
            orders = (lost | given_back.source_transaction_id).sudo().sale_order_ids
            orders._credit_watch_growth("unpaid")
        return result

    def _check_amount_and_confirm_order(self):
        """Orders the gate held were paid but not confirmed: core then tells the customer so."""
        return super()._check_amount_and_confirm_order().filtered(lambda order: order.state == "sale")
