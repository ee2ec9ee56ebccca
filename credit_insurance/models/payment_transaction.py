from odoo import models

PAYING = ("authorized", "done")


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def write(self, vals):
        """Money that is taken back is decided about again: orders that passed because of it owe it now."""
        paying = self.filtered(lambda transaction: transaction.state in PAYING)
        result = super().write(vals)
        # The credit in the books lasts until the refund is booked as well.
        if {"state", "payment_id"} & vals.keys():
            lost = paying.filtered(lambda transaction: transaction.state not in PAYING)
            lost |= self.filtered(lambda transaction: transaction._credit_takes_back())
            lost._credit_orders()._credit_watch_growth("unpaid")
        return result

    def _check_amount_and_confirm_order(self):
        """Orders the gate held were paid but not confirmed: core then tells the customer so."""
        return super()._check_amount_and_confirm_order().filtered(lambda order: order.state == "sale")

    # === WHAT IT PAYS === #

    def _credit_orders(self):
        """The orders these pay: what is captured, voided or refunded of a payment is linked to that one only."""
        transactions = self.sudo()
        sources = transactions.source_transaction_id
        return (transactions | sources | sources.source_transaction_id).sale_order_ids

    def _credit_takes_back(self):
        """Whether it lowers the payment it came from: a refund that was made, or a part that is never captured."""
        self.ensure_one()
        return bool(self.source_transaction_id) and self.state == ("done" if self.operation == "refund" else "cancel")

    def _credit_get_unused(self):
        """What of it was neither given back, nor captured or voided by transactions of their own; in its currency."""
        self.ensure_one()
        children = self.child_transaction_ids
        refunds = children.filtered(lambda child: child.operation == "refund" and child.state == "done")
        parts = children.filtered(lambda child: child.operation != "refund" and child.state in ("done", "cancel"))
        left = self.amount + sum(refunds.mapped("amount")) - sum(parts.mapped("amount"))
        return self.currency_id.round(left)

    def _credit_receivable_lines(self):
        """Its journal items on the customer's account; none as long as it is not booked."""
        return self.payment_id.move_id._credit_receivable_lines()
