from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._credit_watch_money()
        return partials

    def _credit_watch_money(self):
        """What online payments are matched with: an order whose money something else takes is paid no more.

        That is the payment's own reversal when it bounced, or the invoice of somebody else, once it is posted. The
        transaction and the payment stay as they were.
        """
        # Without an amount in the payment's currency it is an exchange difference, which takes nothing.
        matched = self.sudo().filtered("credit_amount_currency")
        for partial in matched.filtered(lambda partial: partial._credit_get_transaction()):
            orders = partial._credit_get_transaction()._credit_orders()
            taken = orders - partial.debit_move_id.move_id.invoice_line_ids.sale_line_ids.order_id
            taken.filtered(lambda order: order._credit_lacks_money())._credit_watch_growth("unpaid")

    def _credit_get_transaction(self):
        """The online payment whose money is matched, if it is one: what the customer paid, not what left the bank."""
        paid = self.credit_move_id.filtered(lambda line: line.account_type == "asset_receivable")
        return paid.move_id.origin_payment_id.payment_transaction_id
