from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _sale_create_reinvoice_sale_line(self):
        """Re-invoiced expenses make confirmed orders grow: the vendor bill is posted all the same."""
        lines = super()._sale_create_reinvoice_sale_line()
        self.env["sale.order.line"].union(*lines.values()).order_id._credit_watch_growth("core")
        return lines
