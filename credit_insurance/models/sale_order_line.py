from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.sql import column_exists, create_column

from .guarded_fields import without_fields

# What the exposure reads, and nobody but Odoo writes.
COMPUTED_FIELDS = {
    "credit_insurance_delivered",
    "credit_insurance_unit_total",
    "invoice_lines",
    "invoice_status",
    "price_subtotal",
    "price_tax",
    "price_total",
    "qty_invoiced",
    "qty_to_invoice",
    "state",
}
# What a line is from its creation on.
KIND_FIELDS = {"is_downpayment", "is_expense"}
# What Odoo counts deliveries by.
DELIVERED_FIELDS = {"qty_delivered", "qty_delivered_method"}
# What changes how much of a confirmed order is still to be invoiced without changing its total.
OPEN_FIELDS = {"qty_delivered", "product_uom_id", "credit_insurance_closed", "is_downpayment", "order_id"}


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "credit.insurance.computed.fields", "credit.insurance.amounts"]
    # What a quotation asks for may be absurd, and is held; only what Odoo cannot multiply is refused.
    _credit_largest = 1e100

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

    credit_insurance_delivered = fields.Json(
        compute="_compute_credit_insurance_delivered",
        store=True,
        copy=False,
        groups="base.group_system",
        help="Where no stock move tells: what had been delivered by which day, [[day, quantity], …], both rising.",
    )

    def _auto_init(self):
        """Of lines that are there already nobody knows the day; by the last change of a line it was over."""
        cr = self.env.cr
        if not column_exists(cr, self._table, "credit_insurance_delivered"):
            create_column(cr, self._table, "credit_insurance_delivered", "jsonb")
            cr.execute(
                """
                UPDATE sale_order_line
                   SET credit_insurance_delivered = jsonb_build_array(
                           jsonb_build_array(write_date::date, qty_delivered))
                 WHERE qty_delivered > 0 AND qty_delivered_method <> 'stock_move' AND invoice_status <> 'invoiced'
                """
            )
        return super()._auto_init()

    @api.depends("qty_delivered", "qty_delivered_method")
    def _compute_credit_insurance_delivered(self):
        for line in self:
            quantity, known = line.qty_delivered, line.credit_insurance_delivered or []
            if line.qty_delivered_method == "stock_move" or quantity <= 0:
                line.credit_insurance_delivered = False
                continue
            earlier = [row for row in known if row[1] < quantity]
            day = known[len(earlier)][0] if len(known) > len(earlier) else None
            if day is None:
                day = (line.company_id or line.env.company).root_id._credit_today().isoformat()
            line.credit_insurance_delivered = [*earlier, [day, quantity]]

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

    def _compute_qty_delivered(self):
        """What is stored does not depend on the context: Odoo counts up to the day of an accrual that is in it."""
        return super(SaleOrderLine, self.with_context(accrual_entry_date=False))._compute_qty_delivered()

    @api.model_create_multi
    def create(self, vals_list):
        self._credit_refuse_computed(vals_list, COMPUTED_FIELDS)
        for vals in vals_list:
            self._credit_refuse_uncountable(vals)
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, {"currency_id"})
        lines = super().create(vals_list)
        lines.order_id._credit_watch_growth()
        return lines

    def write(self, vals):
        """:raise UserError: a confirmed order would lose a line, or goods that left, although both are owed"""
        self._credit_refuse_computed([vals], COMPUTED_FIELDS | KIND_FIELDS | {"currency_id"})
        # Before Odoo compares quantities.
        self._credit_refuse_uncountable(vals)
        watched = OPEN_FIELDS & vals.keys()
        orders = self.order_id if watched else self.env["sale.order"]
        if "order_id" in vals and not self.env.su:
            self._credit_refuse_leaving(vals["order_id"])
        delivered = self._credit_find_delivered() if DELIVERED_FIELDS & vals.keys() and not self.env.su else {}
        result = super().write(vals)
        for line, quantity in delivered.items():
            if line.product_uom_id.compare(line.qty_delivered, quantity) < 0:
                raise UserError(self.env._("What was delivered of %s is taken back by a return.", line.order_id.name))
        if watched:
            (orders | self.order_id)._credit_watch_growth()
        return result

    def _credit_unit_price(self):
        """With tax; a line that a delivery added was never ordered, and core knows no such price of it."""
        return self.price_reduce_taxinc or self.credit_insurance_unit_total

    def _credit_left_behind(self, pickings):
        """Its price with tax of what is neither invoiced nor delivered once ``pickings`` have left."""
        self.ensure_one()
        pending = self.move_ids.filtered(lambda move: move.state not in ("done", "cancel") and move._credit_leaves())
        # Of a kit nobody knows how much leaves with some of its parts: it counts as leaving.
        if not pending or pending.product_id != self.product_id or self.product_uom_qty <= 0:
            return 0.0
        leaving = sum(move._credit_get_leaving(self.product_uom_id) for move in pending if move.picking_id in pickings)
        gone = max(self.qty_delivered + leaving, self.qty_invoiced_posted)
        return max(0.0, self.product_uom_qty - gone) * self.price_total / self.product_uom_qty

    def _credit_find_delivered(self):
        """``{line: quantity}`` of what stock moves brought to the customer."""
        gone = self.sudo().filtered(lambda line: any(move.state == "done" for move in line.move_ids))
        return {line: line.qty_delivered for line in gone}

    def _credit_refuse_leaving(self, order_id):
        """Deliveries and invoices of a confirmed line go on, whatever order it is said to belong to."""
        if self.env["sale.order"].browse(order_id).sudo().state == "sale":
            return
        for order in self.sudo().order_id:
            if order.state == "sale":
                raise UserError(
                    self.env._("%s is confirmed: its lines do not go to a quotation. Lower their quantity.", order.name)
                )
