from odoo import models


class StockMove(models.Model):
    _inherit = "stock.move"

    def write(self, vals):
        """Deliveries that end change what is left of their orders: their passes follow."""
        result = super().write(vals)
        if vals.get("state") in ("done", "cancel"):
            self.sale_line_id.order_id.sudo()._credit_watch_growth("settled")
        return result

    def _action_done(self, cancel_backorder=False):
        """Goods delivered beyond the order, or never ordered, are owed: the delivery is accepted."""
        moves = super()._action_done(cancel_backorder=cancel_backorder)
        moves.sale_line_id.order_id.sudo()._credit_watch_growth("core")
        return moves
