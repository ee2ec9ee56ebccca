from odoo import api, models


class StockMoveLine(models.Model):
    """Quantities of a delivery that is done can be corrected: what was delivered beyond the order is owed then, too."""

    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._credit_watch_delivered()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if {"quantity", "product_uom_id"} & vals.keys():
            self._credit_watch_delivered()
        return result

    def _credit_watch_delivered(self):
        done = self.sudo().move_id.filtered(lambda move: move.state == "done")
        done.sale_line_id.order_id._credit_watch_growth("settled")
