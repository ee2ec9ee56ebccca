from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def write(self, vals):
        """An invoice that is posted, reset or cancelled changes what is left of its orders: their passes follow.

        A payment whose entry is taken back stays in process, and its transaction stays as it was.
        """
        result = super().write(vals)
        if "state" in vals:
            sales = self.filtered(lambda move: move.move_type in ("out_invoice", "out_refund"))
            sales.invoice_line_ids.sale_line_ids.order_id.sudo()._credit_watch_growth("settled")
        if vals.get("state") == "posted":
            # As a draft it took nothing of what it was matched with.
            self.sudo().line_ids.filtered("matching_number").matched_credit_ids._credit_watch_money()
        elif "state" in vals:
            self.sudo().origin_payment_id.payment_transaction_id._credit_orders()._credit_watch_growth("unpaid")
        return result
