from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

# What the gate and the exposure read, and nobody but Odoo writes.
COMPUTED_FIELDS = {
    "amount_tax",
    "amount_total",
    "amount_untaxed",
    "credit_state",
    "invoice_status",
    "transaction_ids",
}
# What an open quotation's last hold says about it.
STATE_OF_HOLD = {"open": "held", "cleared": "ready", "released": "released", "rejected": "rejected"}


class SaleOrder(models.Model):
    """Orders pass the credit gate before they are confirmed.

    ``action_confirm`` splits: what passes goes on to ``super()``, what does not gets a hold and stays a quotation. The
    constraint on ``state`` is the deep guard behind it: create, write, import and other modules all end there, and an
    order without a live pass is decided on the spot or refused.
    """

    _inherit = "sale.order"

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
    credit_release_requested = fields.Boolean(compute="_compute_credit_card", compute_sudo=True)
    credit_card = fields.Html(
        string="Credit Decision",
        compute="_compute_credit_card",
        compute_sudo=True,
        sanitize=False,
        help="Why the order was stopped, with the figures of that moment, and who decides.",
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

    @api.depends("credit_hold_ids.state")
    def _compute_credit_hold_id(self):
        for order in self:
            order.credit_hold_id = order.credit_hold_ids.sorted("id")[-1:]

    @api.depends_context("lang")
    @api.depends("credit_hold_ids.decision_id", "credit_hold_ids.state", "credit_hold_ids.requested_by_id")
    def _compute_credit_card(self):
        for order in self:
            hold = order.credit_hold_id
            order.credit_release_requested = bool(hold.requested_by_id)
            if hold.state not in ("open", "rejected"):
                order.credit_card = False
                continue
            order.credit_card = self.env["ir.qweb"]._render("credit_insurance.credit_card", hold._prepare_card_values())

    # === CONSTRAINT METHODS === #

    @api.constrains("state")
    def _check_credit_pass(self):
        """No order becomes a sales order without a live pass for its amount, whichever way it got here."""
        self.filtered(lambda order: order.state == "sale").sudo()._credit_ensure_passes("confirmation")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # Totals given here are computed anew by core; where the order stands with the gate is not.
        if not self.env.su and any("credit_state" in vals or "transaction_ids" in vals for vals in vals_list):
            self._credit_refuse_computed(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        """A pass belongs to one confirmation: it ends when the order leaves the state ``sale``."""
        self._credit_refuse_computed([vals])
        leaving = self.browse()
        if vals.get("state", "sale") != "sale":
            leaving = self.filtered(lambda order: order.state == "sale")
        if leaving and vals["state"] in ("draft", "sent"):
            raise UserError(
                self.env._("%s is confirmed: cancel it before it becomes a quotation again.", leaving[0].name)
            )
        result = super().write(vals)
        if leaving:
            leaving._credit_end_passes()
        if vals.get("state") == "cancel":
            self.sudo().credit_hold_ids._close("lapsed")
        # Becoming a sales order is decided by the constraint on the state, with everything written beside it.
        if "state" not in vals and self._credit_growth_fields() & vals.keys():
            self._credit_watch_growth()
        return result

    @api.model
    def _credit_refuse_computed(self, vals_list):
        """Core computes these and stores them; a client that writes them would choose what the gate sees.

        :raise AccessError: a client gives one of them
        """
        given = {name for vals in vals_list for name in vals if name in COMPUTED_FIELDS}
        if given and not self.env.su:
            raise AccessError(
                self.env._("%s is computed by Odoo and cannot be given for an order.", ", ".join(sorted(given)))
            )

    def unlink(self):
        self.sudo().credit_hold_ids._close("lapsed")
        return super().unlink()

    # === ACTION METHODS === #

    def action_confirm(self):
        """Confirm what the credit gate lets pass; the rest is put on hold and stays a quotation.

        :return: True when all passed; otherwise an action that shows what was held, whose
            ``params["credit_insurance"]`` lists the ids of ``confirmed`` and ``held`` orders for RPC clients
        """
        # The gate writes holds and passes with the rights of the system: first who may not confirm is turned away.
        self.check_access("write")
        for order in self:
            if error := order._confirmation_error_message():
                raise UserError(error)
        passed = self.env["credit.insurance.gate"]._pass_or_hold(self)
        result = super(SaleOrder, passed).action_confirm() if passed else True
        passed.filtered(lambda order: order.state != "sale")._credit_end_passes()
        held = self - passed
        return held._credit_show_held(passed) if held else result

    def action_credit_request_release(self):
        """Open the dialog in which the sales side asks for a release."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ask for Release"),
            "res_model": "credit.insurance.hold.request",
            "view_mode": "form",
            "target": "new",
            "context": {"default_hold_id": self.credit_hold_id.id},
        }

    def action_credit_open_hold(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "credit.insurance.hold",
            "res_id": self.credit_hold_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _credit_show_held(self, passed):
        """Tell the caller which orders were held and why, with the figures, and reload the form behind."""
        lines = [
            self.env._(
                "%(order)s is held. %(reasons)s",
                order=order.name,
                reasons=" ".join(order.sudo().credit_hold_id.reasons_text.splitlines()),
            )
            for order in self
        ]
        if passed:
            lines.append(self.env._("Confirmed: %s", ", ".join(passed.mapped("name"))))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": len(self) > 1,
                "title": self.env._("Stopped by the credit gate"),
                "message": "\n".join(lines),
                "next": {"type": "ir.actions.act_window_close"},
                "credit_insurance": {"confirmed": passed.ids, "held": self.ids},
            },
        }

    def _credit_confirm_released(self):
        """Confirm an order after its release. The release stands when something else keeps it from being confirmed."""
        self.ensure_one()
        if self.state not in ("draft", "sent"):
            return
        try:
            with self.env.cr.savepoint():
                self.action_confirm()
        except UserError as error:
            self.message_post(body=self.env._("Released by credit, but not confirmed: %s", error.args[0]))

    def _credit_end_passes(self):
        ended = self.sudo().credit_pass_ids.filtered("live")
        ended.live = False
        ended.flush_recordset(["live"])

    def _credit_ensure_passes(self, checkpoint, open_amounts=None):
        """Refuse with figures what has no live pass and gets none now.

        :raise ValidationError: an order is over its limit; the message carries the figures of each
        """
        missing = self.filtered(lambda order: not order._credit_covered_by_pass(open_amounts))
        if not missing:
            return
        refused = self.env["credit.insurance.gate"]._pass_or_refuse(missing, checkpoint)
        if refused:
            raise ValidationError("\n".join(refused.values()))

    def _credit_covered_by_pass(self, open_amounts=None):
        """Whether the live pass is for this buyer, company and currency, and for no less than the order's total.

        :param open_amounts: what is left to invoice by order id, when that has to lie within the pass too
        """
        self.ensure_one()
        live = self.sudo().credit_pass_ids.filtered("live")
        return bool(live) and (
            live.partner_id == self._credit_buyer_partner()
            and live.company_id == self.company_id.root_id
            and live.currency_id == self.currency_id
            and self.currency_id.compare_amounts(live.amount, self.amount_total) >= 0
            and (
                open_amounts is None
                or self.currency_id.compare_amounts(live.open_amount, open_amounts.get(self.id, 0.0)) >= 0
            )
        )

    def _credit_buyer_partner(self):
        """The legal entity that will owe the money: the commercial partner of the invoice address."""
        return (self.partner_invoice_id or self.partner_id).commercial_partner_id

    def _credit_prepaid(self):
        """What was paid online for this order alone, and how much of that is an open credit in the exposure already.

        A payment that has settled an invoice has been used, a refund takes back what it refunds.

        :return: two amounts in the order's currency, both positive
        """
        self.ensure_one()
        paid = booked = 0.0
        for transaction in self.sudo().transaction_ids:
            if not self._credit_pays_this_order(transaction):
                continue
            lines = transaction.payment_id.move_id.line_ids.filtered(
                lambda line: line.account_type == "asset_receivable"
            )
            unused = transaction.amount + sum(
                transaction.child_transaction_ids.filtered(
                    lambda child: child.operation == "refund" and child.state == "done"
                ).mapped("amount")
            )
            amount = -sum(lines.mapped("amount_residual_currency")) if lines else unused
            amount = transaction.currency_id._convert(
                min(amount, unused), self.currency_id, self.company_id, fields.Date.context_today(self)
            )
            paid += amount
            booked += amount if lines else 0.0
        return max(paid, 0.0), max(booked, 0.0)

    def _credit_pays_this_order(self, transaction):
        """Money of this buyer, for this order and no other one."""
        return (
            transaction.state in ("authorized", "done")
            and transaction.operation != "refund"
            and transaction.sale_order_ids == self
            and transaction.partner_id.commercial_partner_id
            in (self.partner_id.commercial_partner_id | self._credit_buyer_partner())
        )

    def _credit_term_days(self, today):
        """Days from ``today`` to the last due date of the payment term; None without a term."""
        self.ensure_one()
        lines = self.payment_term_id.line_ids
        return max(((line._get_due_date(today) - today).days for line in lines), default=None)

    # === GROWTH OF CONFIRMED ORDERS === #

    @api.model
    def _credit_growth_fields(self):
        """Fields that change what a confirmed order will cost, or who will owe it."""
        return {
            "partner_id",
            "partner_invoice_id",
            "company_id",
            "currency_id",
            "pricelist_id",
            "payment_term_id",
            "date_order",
        }

    def _compute_amounts(self):
        result = super()._compute_amounts()
        self._credit_watch_growth()
        return result

    def _credit_watch_growth(self, why="edited"):
        """Check confirmed orders once, before the transaction is committed, when all of its edits are in.

        ``why`` says what may have made them grow: ``edited`` by a person, which is decided again and refused beyond the
        limit; ``settled``, a delivery or invoice that began or ended; ``core``, a document of Odoo that adds to the
        order. The last two are accepted. It lives in the transaction and not in the context, which a client could send.
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
        grown = orders.filtered(lambda order: not order._credit_covered_by_pass(open_amounts))
        accepted = grown.filtered(lambda order: "core" in watched[order.id] or "edited" not in watched[order.id])
        self.env["credit.insurance.gate"]._pass_grown_by_core(accepted)
        orders._credit_ensure_passes("growth", open_amounts)
        orders._credit_lower_passes(open_amounts)

    def _credit_lower_passes(self, open_amounts):
        """An order that shrank gives its headroom back: growing again is decided again."""
        for order in self:
            live = order.credit_pass_ids.filtered("live")
            still_open = open_amounts.get(order.id, 0.0)
            if order.currency_id.compare_amounts(still_open, live.open_amount) < 0 and not live.hold_id:
                live.open_amount = still_open
            change = order.currency_id.compare_amounts(order.amount_total, live.order_amount)
            if change < 0:
                live.amount = order.amount_total
            if change:
                live.order_amount = order.amount_total
