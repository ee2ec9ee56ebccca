from odoo import models

RECEIVED = ("in_process", "paid")


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        """A payment that bounced, or was taken back in the books, leaves its transaction as it was."""
        received = self.filtered(lambda payment: payment.state in RECEIVED) if "state" in vals else self.browse()
        result = super().write(vals)
        lost = received.filtered(lambda payment: payment.state not in RECEIVED)
        lost.sudo().payment_transaction_id._credit_orders()._credit_watch_growth("unpaid")
        return result
