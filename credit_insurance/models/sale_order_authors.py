"""Credit managers who shape a quotation do not release it: they are noted, since core keeps the last writer only."""

from odoo import api, fields, models

SHAPING = {"product_id", "product_uom_qty", "price_unit", "discount", "tax_ids", "combo_item_id"}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    credit_author_ids = fields.Many2many(
        "res.users",
        "credit_insurance_order_author_rel",
        string="Shaped By",
        readonly=True,
        copy=False,
        groups="base.group_system",
    )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._credit_note_author(SHAPING)
        return lines

    def write(self, vals):
        result = super().write(vals)
        self._credit_note_author(vals.keys())
        return result

    def _credit_note_author(self, names):
        user = self.env.user
        manager = "credit_insurance.credit_insurance_group_manager"
        if self.env.su or not SHAPING.intersection(names) or not user.has_group(manager):
            return
        for order in self.sudo().order_id:
            if user not in order.credit_author_ids:
                order.credit_author_ids = [fields.Command.link(user.id)]
