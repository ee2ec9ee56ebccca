from odoo import api, models
from odoo.exceptions import AccessError

# What changes how much was delivered.
DELIVERED_FIELDS = {"quantity", "product_uom_id", "move_id"}


class StockMoveLine(models.Model):
    """Quantities of a delivery that is done can be corrected: what was delivered beyond the order is owed then, too."""

    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._credit_watch_delivered()
        return lines

    def write(self, vals):
        """:raise AccessError: a user without rights on stock corrects what was delivered of an order"""
        if DELIVERED_FIELDS & vals.keys() and self.move_id._credit_lacks_stock_rights():
            for move in self.move_id._credit_find_gone():
                order = move._credit_order_name()
                raise AccessError(self.env._("Only the warehouse corrects what was delivered of %s.", order))
        result = super().write(vals)
        if DELIVERED_FIELDS & vals.keys():
            self._credit_watch_delivered()
        return result

    def _credit_watch_delivered(self):
        self.sudo().move_id.filtered(lambda move: move.state == "done")._credit_watch_orders()
