import logging
from collections import defaultdict

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError, ValidationError

from .errors import CONCURRENCY_ERRORS, describe_error
from .guarded_fields import without_fields

_logger = logging.getLogger(__name__)

# What the gate and the exposure read, and nobody but Odoo writes.
COMPUTED_FIELDS = {
    "amount_tax",
    "amount_total",
    "amount_untaxed",
    "credit_insurance_drafted",
    "credit_insurance_reopened",
    "credit_split_from_id",
    "credit_state",
    "currency_rate",
    "invoice_status",
    "transaction_ids",
}
# Core computes totals given on creation anew; where the order stands with the gate it takes over.
COMPUTED_ON_CREATION = {"credit_state", "transaction_ids"}
# Who orders, owes and receives can be three legal entities.
PARTIES = {"partner_id", "partner_invoice_id", "partner_shipping_id"}
# What an open quotation's last hold says about it.
STATE_OF_HOLD = {"open": "held", "cleared": "ready", "released": "released", "rejected": "rejected"}


class SaleOrder(models.Model):
    """Orders pass the credit gate before they are confirmed.

    ``action_confirm`` splits: what passes goes on to every module's own confirmation, what does not gets a hold and
    stays a quotation. The constraint on ``state`` is the deep guard behind it: create, write, import and other modules
    all end there, and an order without a live pass is decided on the spot or refused.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "credit.insurance.subject", "credit.insurance.computed.fields"]

    credit_state = fields.Selection(
        [
            ("held", "Held"),
            ("ready", "Ready to confirm"),
            ("released", "Released"),
            ("rejected", "Rejected"),
            ("passed", "Passed"),
        ],
        string="Credit",
        compute="_compute_credit_state",
        store=True,
        copy=False,
        help="Where the order stands with the credit gate.",
    )
    credit_hold_ids = fields.One2many(
        "credit.insurance.hold", "order_id", string="Credit Holds", groups="sales_team.group_sale_salesman"
    )
    credit_hold_id = fields.Many2one("credit.insurance.hold", compute="_compute_credit_hold_id", compute_sudo=True)
    credit_change_hold_id = fields.Many2one(
        "credit.insurance.hold",
        string="Change Waiting for Credit",
        compute="_compute_credit_hold_id",
        compute_sudo=True,
        help="The hold that decides about a change of the confirmed order.",
    )
    credit_pass_ids = fields.One2many("credit.insurance.pass", "order_id", groups="base.group_system")

    # === COMPUTE METHODS === #

    @api.depends("state", "credit_hold_ids.state", "credit_pass_ids.live")
    def _compute_credit_state(self):
        for order in self:
            hold = order.sudo().credit_hold_ids.sorted("id")[-1:]
            if order.state == "sale":
                order.credit_state = "passed" if order.sudo().credit_pass_ids.filtered("live") else False
            elif order.state == "cancel" or not hold:
                order.credit_state = False
            else:
                order.credit_state = STATE_OF_HOLD.get(hold.state)

    @api.depends("state", "credit_hold_ids.state")
    def _compute_credit_hold_id(self):
        for order in self:
            holds = order.credit_hold_ids.sorted("id")
            order.credit_hold_id = holds[-1:]
            changes = holds.filtered(lambda hold: hold.state == "open" and not hold.picking_id and not hold.move_id)
            order.credit_change_hold_id = changes[-1:] if order.state == "sale" else False

    # === CONSTRAINT METHODS === #

    @api.constrains("state")
    def _check_credit_pass(self):
        """No order becomes a sales order without a live pass for its amount, whichever way it got here."""
        self.filtered(lambda order: order.state == "sale").sudo()._credit_ensure_passes("confirmation")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._credit_refuse_computed(vals_list, COMPUTED_ON_CREATION)
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, {"credit_split_from_id", "currency_rate"})
        return super().create(vals_list)

    def write(self, vals):
        """A pass belongs to one confirmation: it ends when the order leaves the state ``sale``."""
        self._credit_refuse_computed([vals], COMPUTED_FIELDS)
        leaving = self.browse()
        if vals.get("state", "sale") != "sale":
            leaving = self.filtered(lambda order: order.state == "sale")
        if leaving and vals["state"] in ("draft", "sent", False):
            raise UserError(
                self.env._("%s is confirmed: cancel it before it becomes a quotation again.", leaving[0].name)
            )
        if vals.get("state") == "cancel":
            leaving._credit_cancel_deliveries()
        reopened = self.browse()
        if vals.get("state", "cancel") != "cancel":
            reopened = self.filtered(lambda order: order.state == "cancel")
        before = self._credit_find_parties() if PARTIES & vals.keys() else {}
        result = super().write(vals)
        for order, parties in before.items():
            if order._credit_related_partners() - parties:
                order._credit_watch_growth("parties")
        if leaving:
            leaving._credit_end_passes()
        if reopened:
            reopened.sudo().credit_insurance_reopened = True
        if vals.get("state") == "cancel":
            self.sudo().credit_hold_ids._close("lapsed")
        # Becoming a sales order is decided by the constraint on the state, with everything written beside it.
        if "state" not in vals and self._credit_growth_fields() & vals.keys():
            self._credit_watch_growth()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_delivered(self):
        """What was delivered of an order and not invoiced is owed, with it or without."""
        left = self.env["credit.insurance.exposure"]._get_open_order_amounts(self)
        for order in self:
            if left.get(order.id):
                raise UserError(self.env._("What was delivered of %s is not invoiced: it is not deleted.", order.name))

    def unlink(self):
        self.sudo().credit_hold_ids._close("lapsed")
        return super().unlink()

    # === ACTION METHODS === #

    def action_credit_open_hold(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "credit.insurance.hold",
            "res_id": self.credit_hold_id.id,
            "view_mode": "form",
        }

    # === CONFIRMATION === #

    def _register_hook(self):
        """Put the gate around every module's ``action_confirm``, in whatever order the modules were loaded.

        A module loaded after this one would run around an override of ours: it would act on held orders as if they had
        been confirmed (book seats, say) and answer in place of the gate.
        """
        super()._register_hook()
        model_class = type(self)

        def action_confirm(self):
            """Confirm what the credit gate lets pass; the rest is put on hold and stays a quotation.

            :return: the answer of Odoo when all passed; otherwise an action that shows what was held, whose
                ``params["credit_insurance"]`` lists the ids of ``confirmed`` and ``held`` orders for RPC clients
            """
            return self._credit_confirm()

        def _credit_confirm_in_odoo(self):
            """What every module's confirmation does with orders that passed. Without a pass it is refused."""
            return super(model_class, self).action_confirm()

        model_class.action_confirm = action_confirm
        model_class._credit_confirm_in_odoo = _credit_confirm_in_odoo

    def _unregister_hook(self):
        if "action_confirm" in vars(type(self)):
            del type(self).action_confirm
            del type(self)._credit_confirm_in_odoo
        return super()._unregister_hook()

    def _credit_confirm(self):
        """Decide these quotations, confirm those that pass and say which ones are held.

        What is no quotation is left to Odoo, which refuses it or has nothing to do.
        """
        # The gate writes holds and passes with the rights of the system: first who may not confirm is turned away.
        self.check_access("write")
        self = self.union()  # pylint: disable=self-cls-assignment
        quotations = self.filtered(lambda order: order.state in ("draft", "sent"))
        for order in quotations:
            if error := order._confirmation_error_message():
                raise UserError(error)
        try:
            held = quotations - self.env["credit.insurance.gate"]._pass_or_hold(quotations)
        except UniqueViolation as exc:
            # Somebody else confirmed one of them at the same moment: run again, this sees what became of it.
            raise ConcurrencyError(exc.diag.constraint_name) from exc
        passed = self - held
        result = passed._credit_confirm_in_odoo() if passed else True
        confirmed = passed.filtered(lambda order: order.state == "sale")
        (passed - confirmed)._credit_end_passes()
        return held._credit_show_held(confirmed) if held else result

    # === BUSINESS METHODS === #

    def _credit_confirm_released(self):
        """Confirm an order after its release, with core's mail to a customer who has placed it online.

        The release stands when something else keeps it from being confirmed.
        """
        self.ensure_one()
        if self.state not in ("draft", "sent"):
            return
        try:
            with self.env.cr.savepoint():
                self.with_context(send_email=self._credit_is_placed_online()).action_confirm()
                self.env.flush_all()
        except CONCURRENCY_ERRORS:
            raise
        except Exception as error:
            _logger.warning("Order %s was released by credit and could not be confirmed", self.name, exc_info=True)
            self.message_post(body=self.env._("Released by credit, but not confirmed: %s", describe_error(error)))

    def _credit_cancel_deliveries(self):
        """What is cancelled is not delivered any more, whichever way it was cancelled: Odoo's button has done so."""
        deliveries = self.sudo().picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel"))
        if deliveries:
            deliveries.action_cancel()

    def _credit_find_parties(self):
        """``{order: legal entities that order, receive or owe}`` of the confirmed orders among these."""
        confirmed = self.sudo().filtered(lambda order: order.state == "sale")
        return {order: order._credit_related_partners() for order in confirmed}

    def _credit_end_passes(self):
        ended = self.sudo().credit_pass_ids.filtered("live")
        ended.live = False
        ended.flush_recordset(["live"])

    def _credit_ensure_passes(self, checkpoint, open_amounts=None, again=()):
        """Refuse with figures what has no live pass and gets none now.

        :param again: orders whose live pass does not count
        :raise ValidationError: an order is over its limit; the message carries the figures of each
        """
        missing = self.filtered(lambda order: order in again or not order._credit_covered_by_pass(open_amounts))
        if not missing:
            return
        refused = self.env["credit.insurance.gate"]._pass_or_refuse(missing, checkpoint, open_amounts)
        if not refused:
            return
        if checkpoint == "growth":
            self._credit_refuse_growth(refused, open_amounts)
        raise ValidationError("\n".join(refused.values()))

    def _credit_covered_by_pass(self, open_amounts=None):
        """Whether the live pass is for this buyer, company, currency, term and date, and no less than the total.

        What passed because its deliveries wait for the money has to leave by such deliveries.

        :param open_amounts: what is left to invoice by order id, when that has to lie within the pass too
        """
        self.ensure_one()
        live = self.sudo().credit_pass_ids.filtered("live")
        return bool(live) and (
            live.partner_id == self._credit_buyer_partner()
            and live.company_id == self.company_id.root_id
            and live.currency_id == self.currency_id
            and self.currency_id.compare_amounts(live.amount, self.amount_total) >= 0
            and self._credit_term_within(live.payment_term_id)
            and self._credit_delivery_within(live.delivery_until)
            and (live.deliveries_wait != "cash" or self._credit_delivery_waits())
            and (open_amounts is None or self._credit_left_within(live.open_amount, open_amounts.get(self.id, 0.0)))
        )

    def _credit_left_within(self, passed, left):
        """Whether what is left to invoice is no more than what passed.

        Where tax is rounded on the total, the lines, which are rounded one by one, can add up to more.
        """
        compare = self.currency_id.compare_amounts
        if compare(passed, left) >= 0:
            return True
        more = sum(self.order_line.mapped("price_total")) - self.amount_total
        return more > 0 and compare(passed + more, left) >= 0

    # === GROWTH OF CONFIRMED ORDERS === #

    @api.model
    def _credit_growth_fields(self):
        """Fields that change what a confirmed order will cost, who will owe it, or what of it is insured."""
        return {
            "partner_id",
            "partner_invoice_id",
            "company_id",
            "currency_id",
            "pricelist_id",
            "payment_term_id",
            "date_order",
            "commitment_date",
        }

    def _compute_amounts(self):
        result = super()._compute_amounts()
        self._credit_watch_growth()
        return result

    def _credit_watch_growth(self, why="edited"):
        """Check confirmed orders once, before the transaction is committed, when all of its edits are in.

        ``why`` says what may have made them grow: ``edited`` by a person, which is decided again and refused beyond the
        limit; ``parties``, another legal entity orders, owes or receives, which is decided again whatever the pass is
        for; ``settled``, a delivery or invoice that began or ended, or a debtor that became another one's contact;
        ``core``, a document of Odoo that adds to the order; ``unpaid``, a payment that was taken back. All but the
        first two are accepted. It lives in the transaction and not in the context, which a client could send.
        """
        ids = [order.id for order in self if order.id and order.state == "sale"]
        if not ids:
            return
        data = self.env.cr.precommit.data
        if "credit_insurance.watched" not in data:
            data["credit_insurance.watched"] = defaultdict(set)
            self.env.cr.precommit.add(self.env["sale.order"].sudo()._credit_check_grown)
        for order_id in ids:
            data["credit_insurance.watched"][order_id].add(why)

    @api.model
    def _credit_check_grown(self):
        """:raise ValidationError: an order grew beyond its pass and the limit does not allow it"""
        watched = self.env.cr.precommit.data.pop("credit_insurance.watched", {})
        orders = self.browse(watched).exists().filtered(lambda order: order.state == "sale")
        if not orders:
            return
        open_amounts = self.env["credit.insurance.exposure"]._get_open_order_amounts(orders)
        unpaid = orders.filtered(lambda order: "unpaid" in watched[order.id] and order._credit_rests_on_payment())
        grown = orders.filtered(lambda order: not order._credit_covered_by_pass(open_amounts)) | unpaid
        accepted = grown.filtered(
            lambda order: {"core", "unpaid"} & watched[order.id] or not {"edited", "parties"} & watched[order.id]
        )
        self.env["credit.insurance.gate"]._pass_grown_by_core(accepted, open_amounts, unpaid)
        other_parties = orders.filtered(lambda order: "parties" in watched[order.id])
        orders._credit_ensure_passes("growth", open_amounts, again=other_parties)
        orders._credit_lower_passes(open_amounts)

    def _credit_rests_on_payment(self):
        """Whether the order passed because of what had been paid of it, be that before it was decided again."""
        self.ensure_one()
        return any(decision.prepaid > 0 for decision in self.sudo().credit_pass_ids.decision_id)

    def _credit_lower_passes(self, open_amounts):
        """An order that shrank gives its headroom back: growing again is decided again."""
        for order in self:
            live = order.credit_pass_ids.filtered("live")
            still_open = open_amounts.get(order.id, 0.0)
            if live.hold_id:
                # A release is for one delivery of the order: what was invoiced has used its part.
                still_open = max(still_open, live.hold_id.release_amount - order._credit_invoiced())
            if order.currency_id.compare_amounts(still_open, live.open_amount) < 0:
                live.open_amount = still_open
            change = order.currency_id.compare_amounts(order.amount_total, live.order_amount)
            if change < 0:
                live.amount = order.amount_total
            if change:
                live.order_amount = order.amount_total
