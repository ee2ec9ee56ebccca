from contextlib import contextmanager
from contextvars import ContextVar

from odoo import api, models
from odoo.exceptions import UserError

ENDED = ("done", "cancel")
# What says where goods go: the locations, and what Odoo takes them from.
PLACE_FIELDS = {"location_dest_id", "location_id", "partner_id", "picking_id", "picking_type_id"}
# What makes a move the delivery of an order.
LEAVING_FIELDS = PLACE_FIELDS | {"product_id", "sale_line_id"}
# What says of a move that is done that goods left.
DELIVERED_FIELDS = PLACE_FIELDS | {"state"}
# Whether Odoo itself brings moves to their end now: no client can say so, and nothing that is flushed forgets it.
_ending = ContextVar("credit_insurance.ending", default=False)


class StockMove(models.Model):
    _inherit = "stock.move"

    @api.model_create_multi
    def create(self, vals_list):
        """A further delivery of what had been delivered or cancelled is owed again.

        :raise UserError: a delivery of an order would begin as one that ended
        """
        moves = super().create(vals_list)
        ordered = moves.filtered("sale_line_id")
        if ordered and not self.env.su:
            ordered._credit_refuse_forged()
            if ended := ordered.filtered(lambda move: move.state in ENDED):
                order = ended[0]._credit_order_name()
                raise UserError(self.env._("A delivery of %s begins as a draft.", order))
        if self._credit_is_by_hand():
            moves._credit_find_delivered()._credit_refuse_delivered()
        ordered.filtered(lambda move: move._credit_begins_anew(ordered))._credit_watch_orders()
        return moves

    def write(self, vals):
        """Deliveries that end, or begin again, change what is left of their orders: their passes follow.

        :raise UserError: goods whose delivery waits for credit would be taken out of the checkpoint's sight, what was
            delivered would be made undone, or what no validated transfer delivered would be said to have left
        """
        changed = self.browse()
        if "state" in vals:
            changed = self if vals["state"] in ENDED else self.filtered(lambda move: move.state in ENDED)
        with self._credit_keep_deliveries(vals):
            result = super().write(vals)
        if "sale_line_id" in vals and not self.env.su:
            self._credit_refuse_forged()
        changed._credit_watch_orders()
        return result

    @contextmanager
    def _credit_keep_deliveries(self, vals):
        """What an edit of these or of their transfers, made in the block, must leave as it is.

        :raise UserError: it does not
        """
        kept = self._credit_find_kept(vals)
        by_hand = self._credit_is_by_hand() and not DELIVERED_FIELDS.isdisjoint(vals)
        delivered = self._credit_find_delivered() if by_hand else self.browse()
        yield
        # A form that is saved may take moves out of its transfer.
        left = self.exists() if "move_ids" in vals else self
        for move, (order, state, why) in kept.items():
            if move not in left:
                continue
            made_undone = state == "done" and move.state != "done"
            if made_undone or move.sale_line_id.order_id != order or not move._credit_leaves():
                raise UserError(why)
        if by_hand:
            (left._credit_find_delivered() - delivered)._credit_refuse_delivered()

    @api.model
    def _credit_is_by_hand(self):
        """Whether a client, and not Odoo's own way to end a move, says what a move is."""
        return not self.env.su and not _ending.get()

    def _credit_leaves(self):
        """Whether goods of ours go to a customer."""
        self.ensure_one()
        return self.location_dest_id.usage == "customer" and self.location_id.usage not in ("customer", "supplier")

    def _credit_get_leaving(self, unit):
        """How much of it, in ``unit``, leaves when its delivery is validated now; what is still to be got ready counts
        as leaving as long as nothing else is ready."""
        self.ensure_one()
        together = self.picking_id.move_ids.filtered(lambda move: move.state not in ENDED)
        quantity = self.quantity if any(together.mapped("quantity")) else self.product_uom_qty
        if any(together.mapped("picked")):
            quantity = self._get_picked_quantity() if self.picked else 0.0
        return self.product_uom._compute_quantity(quantity, unit)

    def _credit_get_price(self):
        """The price with tax, by its order line, of what leaves with its delivery."""
        line = self.sale_line_id
        return self._credit_get_leaving(line.product_uom_id) * line._credit_unit_price()

    def _credit_find_waiting(self):
        """Those of these that are to leave, for an order whose deliveries wait for the money or a decision."""
        leaving = self._credit_find_linked().filtered(lambda move: move.state != "done")
        waiting = leaving.sale_line_id.order_id.credit_pass_ids.filtered(lambda row: row.live and row.deliveries_wait)
        return leaving.filtered(lambda move: move.sale_line_id.order_id in waiting.order_id)

    def _credit_find_kept(self, vals):
        """What the edit must leave a delivery of its order: ``{move: (order, state, why)}``."""
        if self.env.su:
            return {}
        kept = {}
        if DELIVERED_FIELDS & vals.keys():
            told = self.env._("What was delivered of %s is taken back by a return.")
            kept |= dict.fromkeys(self._credit_find_gone(), told)
        if "sale_line_id" in vals and self._credit_lacks_stock_rights():
            told = self.env._("Only the warehouse takes a delivery from its order %s.")
            kept |= dict.fromkeys(self._credit_find_linked(), told)
        if LEAVING_FIELDS & vals.keys():
            told = self.env._("The delivery of %s waits for a credit decision.")
            kept |= dict.fromkeys(self._credit_find_waiting(), told)
        return {
            move: (move.sale_line_id.order_id, move.state, why % move._credit_order_name())
            for move, why in kept.items()
        }

    def _credit_find_linked(self):
        """Those of these that brought, or are to bring, goods of an order to a customer."""
        return self.sudo().filtered(lambda move: move.state != "cancel" and move.sale_line_id and move._credit_leaves())

    def _credit_find_gone(self):
        return self._credit_find_linked().filtered(lambda move: move.state == "done")

    def _credit_find_delivered(self):
        """Those of these that are done and that the delivery checkpoint has, or may have, something to say about."""
        return self.sudo().filtered(
            lambda move: (
                move.state == "done"
                and move._credit_leaves()
                and (move.sale_line_id or move.company_id.root_id.credit_check_delivery)
            )
        )

    def _credit_refuse_delivered(self):
        """:raise UserError: there are any: whoever validates their transfer has the checkpoint asked"""
        for move in self:
            name = move._credit_order_name() or move.picking_id.name or move.product_id.display_name
            raise UserError(self.env._("The delivery of %s is done when it is validated.", name))

    @api.model
    def _credit_lacks_stock_rights(self):
        """Salespeople may write moves so that their orders make deliveries, and not to say what was delivered."""
        return not self.env.su and not self.env.user.has_group("stock.group_stock_user")

    def _credit_order_name(self):
        return self.sudo().sale_line_id.order_id.name

    def _credit_refuse_forged(self):
        """:raise UserError: a service would end with a delivery, which it has none of"""
        for line in self.sudo().sale_line_id:
            if line.product_id.type == "service":
                raise UserError(self.env._("%s is a service: no goods are delivered for it.", line.display_name))

    def _credit_begins_anew(self, created):
        """Whether everything of the order line beside the moves ``created`` was delivered or cancelled."""
        others = self.sudo().sale_line_id.move_ids - created
        return bool(others) and all(move.state in ENDED for move in others)

    def _credit_watch_orders(self):
        """What is to be delivered of their orders changed: what is more is owed again, and waits beyond the limit."""
        self.sudo().sale_line_id.order_id._credit_watch_growth("settled")

    def _action_done(self, cancel_backorder=False):
        """Goods delivered beyond the order, or never ordered, are owed: the delivery is accepted."""
        token = _ending.set(True)
        try:
            moves = super()._action_done(cancel_backorder=cancel_backorder)
        finally:
            _ending.reset(token)
        moves.sale_line_id.order_id.sudo()._credit_watch_growth("core")
        return moves
