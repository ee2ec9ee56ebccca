from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from . import credit_subject  # noqa: F401 (the mixin has to be loaded first)
from .stock_move import PLACE_FIELDS


class StockPicking(models.Model):
    """Goods that leave for a customer pass the delivery checkpoint.

    Three things stop a delivery whatever the company's settings say: its order passed because its delivery waits for
    the money, Odoo itself made the order grow beyond its credit, or the order is confirmed no more. The rest, a buyer
    blocked meanwhile, overdue items, cover that ended, an alert, is looked at when the company switched it on.
    Receipts, returns, internal transfers and dropshipping are no deliveries.

    ``button_validate`` splits as ``action_confirm`` does; ``_action_done`` is the guard behind it.
    """

    _name = "stock.picking"
    _inherit = ["stock.picking", "credit.insurance.subject"]

    credit_hold_ids = fields.One2many(
        "credit.insurance.hold",
        "picking_id",
        string="Credit Holds",
        groups="sales_team.group_sale_salesman,credit_insurance.credit_insurance_group_user",
    )
    credit_held = fields.Boolean(
        string="Held by Credit", compute="_compute_credit_held", compute_sudo=True, help="The credit gate stopped it."
    )
    credit_reasons = fields.Text(string="Why Credit Holds It", compute="_compute_credit_held", compute_sudo=True)

    @api.depends_context("lang", "uid")
    @api.depends("credit_hold_ids.state", "credit_hold_ids.decision_id")
    def _compute_credit_held(self):
        for picking in self:
            hold = picking.credit_hold_ids.filtered(lambda hold: hold.state in ("open", "rejected"))[-1:]
            picking.credit_held = bool(hold) and picking.state not in ("done", "cancel")
            picking.credit_reasons = hold.reasons_text if picking.credit_held else False

    # === ACTIONS === #

    def button_validate(self):
        """Validate what the credit gate lets leave; the rest is put on hold and stays as it is.

        :return: what core returns when nothing is stopped or something else is to be asked first; otherwise an action
            whose ``params["credit_insurance"]`` lists the ids of ``passed`` and ``held`` deliveries for RPC clients
        """
        if self:
            self.check_access("write")
        held = self._credit_decide_deliveries()
        if not held:
            return super().button_validate()
        passed = self.union() - held
        result = super(StockPicking, passed).button_validate() if passed else True
        return held._credit_tell_held(passed, result)

    def _action_done(self):
        """:raise UserError: goods would leave that the credit gate stops, and nobody asked it before"""
        decided = self.env.cr.precommit.data.get("credit_insurance.deliveries", set())
        refused = self.filtered(lambda picking: picking.id not in decided)._credit_decide_deliveries(hold=False)
        if refused:
            raise UserError("\n".join(refused.values()))
        return super()._action_done()

    def action_cancel(self):
        if self:
            self.check_access("write")
        self.sudo().credit_hold_ids._close("lapsed")
        return super().action_cancel()

    def write(self, vals):
        """:raise UserError: goods whose delivery waits for credit would go elsewhere, or seem to have left"""
        moves = self.env["stock.move"] if PLACE_FIELDS.isdisjoint(vals) else self.move_ids
        with moves._credit_keep_deliveries(vals):
            return super().write(vals)

    def unlink(self):
        if self:
            self.check_access("unlink")
        self.sudo().credit_hold_ids._close("lapsed")
        return super().unlink()

    # === CHECKPOINT === #

    def _credit_decide_deliveries(self, hold=True):
        """Decide the deliveries among these pickings.

        :param hold: put what is stopped on hold and return it, instead of returning ``{picking: why}``
        """
        asked = self.sudo()._credit_filter_asked()
        gate = self.env["credit.insurance.gate"]
        if not hold:
            return gate._refuse_deliveries(asked)
        held = gate._hold_deliveries(asked)
        self.env.cr.precommit.data.setdefault("credit_insurance.deliveries", set()).update((self - held).ids)
        return self.union().filtered(lambda picking: picking in held)

    def _credit_filter_asked(self):
        """The pickings that the delivery checkpoint has anything to say about."""
        leaving = self.filtered(lambda picking: picking._credit_is_delivery())
        if not leaving:
            return leaving
        waiting = leaving._credit_get_waiting()
        return leaving.filtered(
            lambda picking: (
                any(order in waiting for order in picking._credit_order())
                or picking._credit_get_unconfirmed()
                or picking._credit_company().credit_check_delivery
            )
        )

    def _credit_is_delivery(self):
        """Whether goods of ours go to a customer who owes for them."""
        self.ensure_one()
        # What was sold over a counter was paid there.
        counter = "pos_order_id" in self._fields and (self.pos_order_id or self.pos_session_id)
        leaving = any(move._credit_leaves() for move in self.move_ids if move.state not in ("done", "cancel"))
        return leaving and not counter and bool(self._credit_order() or self.partner_id)

    def _credit_get_waiting(self):
        """Orders behind these pickings whose deliveries wait: ``{order: live pass}``."""
        orders = self.env["sale.order"].union(*(picking._credit_order() for picking in self))
        passes = self.env["credit.insurance.pass"].sudo().search(
            [("order_id", "in", orders.ids), ("live", "=", True), ("deliveries_wait", "!=", False)]
        )  # fmt: skip
        return {live.order_id: live for live in passes}

    def _credit_leaving_in_parts(self):
        """What leaves with this delivery of orders that were not checked and of which other goods leave with another
        one: their price with tax, in its currency."""
        parts = self.env["sale.order"].union(
            *(order for order, live in self._credit_get_waiting().items() if live.deliveries_wait == "order")
        )
        if not parts._credit_waiting_deliveries() - self:
            return 0.0
        nothing = self.browse()
        return self._credit_sum(
            {order: nothing._credit_left_behind(order) - self._credit_left_behind(order) for order in parts}
        )

    def _credit_left_behind(self, orders):
        """The goods of these orders that are neither invoiced nor delivered once these deliveries have left: their
        price with tax, in the orders' currency."""
        return sum(line._credit_left_behind(self) for line in orders.order_line)

    def _credit_tell_held(self, passed, result):
        """Tell who validated what was held and why: as the answer, or beside what core asks first."""
        params = self._credit_prepare_told(passed)
        if isinstance(result, dict):
            self.env.user._bus_send("simple_notification", {**params, "sticky": True})
            return result
        return {"type": "ir.actions.client", "tag": "display_notification", "params": params}

    # === SUBJECT OF THE GATE === #

    def _credit_order(self):
        """The confirmed orders whose goods are in it, whatever the delivery itself is said to be for."""
        return (self.sale_id | self.move_ids.sale_line_id.order_id).filtered(lambda order: order.state == "sale")

    def _credit_get_unconfirmed(self):
        """What would leave of orders that are not confirmed, and is owed only then: ``{order: price with tax}`` in each
        order's currency."""
        prices = defaultdict(float)
        for move in self.move_ids:
            order = move.sale_line_id.order_id
            if order and order.state != "sale" and move.state not in ("done", "cancel") and move._credit_leaves():
                prices[order] += move._credit_get_price()
        return prices

    def _credit_behind(self):
        """The orders that say who owes for it, and in what currency: the confirmed ones before others."""
        return self._credit_order() or self.env["sale.order"].union(*self._credit_get_unconfirmed())

    def _credit_paying_orders(self):
        """The orders whose payment the delivery waits for, else all of them."""
        orders = self._credit_order()
        waiting = orders.filtered(
            lambda order: "cash" in order.credit_pass_ids.filtered("live").mapped("deliveries_wait")
        )
        return waiting or orders

    def _credit_currency(self):
        return self._credit_behind()[:1].currency_id or self.company_id.currency_id

    def _credit_sum(self, amounts):
        """Amounts by order in the currency of the delivery."""
        today, currency = self._credit_company()._credit_today(), self._credit_currency()
        return sum(
            order.currency_id._convert(amount, currency, order.company_id, today) for order, amount in amounts.items()
        )

    def _credit_amount(self):
        """The total of its confirmed orders and what leaves of others; without any the goods at their list price."""
        amounts = {order: order.amount_total for order in self._credit_paying_orders()}
        if amounts := amounts | self._credit_get_unconfirmed():
            return self._credit_sum(amounts)
        return sum(move.product_qty * move.product_id.lst_price for move in self.move_ids if move.state != "cancel")

    def _credit_buyer_partner(self):
        order = self._credit_behind()[:1]
        return order._credit_buyer_partner() if order else self.partner_id.commercial_partner_id

    def _credit_related_partners(self):
        buyers = self.env["res.partner"].union(*(order._credit_buyer_partner() for order in self._credit_order()))
        return self._credit_buyer_partner() | buyers | self.partner_id.commercial_partner_id

    def _credit_prepaid(self):
        paid = {order: order._credit_prepaid() for order in self._credit_order()}
        booked = tuple(row for _amount, rows in paid.values() for row in rows)
        return self._credit_sum({order: amount for order, (amount, _rows) in paid.items()}), booked

    def _credit_paid(self):
        """No order is paid with what was paid too much for another one."""
        orders = self._credit_paying_orders()
        return self._credit_sum({order: min(order._credit_paid(), order.amount_total) for order in orders})

    def _credit_salesperson(self):
        return self._credit_order()[:1].user_id
