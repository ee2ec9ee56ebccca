from odoo import api, fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    credit_insurance_closed = fields.Boolean(
        string="Nothing More to Come",
        copy=False,
        groups="credit_insurance.credit_insurance_group_user",
        help="Closes a line that no delivery closes, such as a service: only what was delivered counts as exposure.",
    )
    credit_insurance_unit_total = fields.Float(
        compute="_compute_credit_insurance_unit_total",
        store=True,
        digits=0,
        groups="base.group_system",
        help="Price of one unit with tax, for lines that were added by a delivery and have no ordered quantity.",
    )

    @api.depends("product_uom_qty", "price_unit", "discount", "tax_ids")
    def _compute_credit_insurance_unit_total(self):
        """Core derives prices from the ordered quantity; a line delivered without being ordered has none."""
        for line in self:
            if line.product_uom_qty or line.display_type or line.is_downpayment or not line.price_unit:
                line.credit_insurance_unit_total = 0
                continue
            taxes = line.tax_ids.compute_all(
                line.price_unit * (1 - (line.discount or 0) / 100),
                currency=line.currency_id,
                quantity=1,
                product=line.product_id,
                partner=line.order_id.partner_shipping_id,
            )
            line.credit_insurance_unit_total = taxes["total_included"]
