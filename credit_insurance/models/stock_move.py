from odoo import models
from odoo.exceptions import UserError

# What makes a move the delivery of an order.
LEAVING_FIELDS = {"location_dest_id", "location_id", "product_id", "sale_line_id"}


class StockMove(models.Model):
    _inherit = "stock.move"

    def write(self, vals):
        """Deliveries that end change what is left of their orders: their passes follow.

        :raise UserError: goods whose delivery waits for credit would be taken out of the checkpoint's sight
        """
        waiting = self._credit_find_waiting() if LEAVING_FIELDS & vals.keys() and not self.env.su else self.browse()
        orders = {move: move.sale_line_id.order_id for move in waiting.sudo()}
        result = super().write(vals)
        for move, order in orders.items():
            if move.sale_line_id.order_id != order or not move._credit_leaves():
                raise UserError(self.env._("The delivery of %s waits for a credit decision.", order.name))
        if vals.get("state") in ("done", "cancel"):
            self.sale_line_id.order_id.sudo()._credit_watch_growth("settled")
        return result

    def _credit_leaves(self):
        """Whether goods of ours go to a customer."""
        self.ensure_one()
        return self.location_dest_id.usage == "customer" and self.location_id.usage not in ("customer", "supplier")

    def _credit_find_waiting(self):
        """Those of these that are to leave, for an order whose deliveries wait for the money or a decision."""
        leaving = self.sudo().filtered(
            lambda move: move.sale_line_id and move.state not in ("done", "cancel") and move._credit_leaves()
        )
        waiting = leaving.sale_line_id.order_id.credit_pass_ids.filtered(lambda row: row.live and row.deliveries_wait)
        return leaving.filtered(lambda move: move.sale_line_id.order_id in waiting.order_id)

    def _action_done(self, cancel_backorder=False):
        """Goods delivered beyond the order, or never ordered, are owed: the delivery is accepted."""
        moves = super()._action_done(cancel_backorder=cancel_backorder)
        moves.sale_line_id.order_id.sudo()._credit_watch_growth("core")
        return moves
