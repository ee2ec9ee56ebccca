from odoo import api, fields, models
from odoo.exceptions import UserError

from . import credit_subject  # noqa: F401 (the mixin has to be loaded first)

INVOICE_TYPES = ("out_invoice", "out_receipt")


class AccountMove(models.Model):
    """Customer invoices that come from no order are decided when they are posted, if the company wants that.

    Invoices of orders and credit notes never are. What is held stays a draft; ``_post`` leaves it out, so that batches,
    wizards and the job that posts by date carry on with the rest. Writing the state is refused.
    """

    _name = "account.move"
    _inherit = ["account.move", "credit.insurance.subject"]

    credit_hold_ids = fields.One2many(
        "credit.insurance.hold",
        "move_id",
        string="Credit Holds",
        groups="account.group_account_invoice,credit_insurance.credit_insurance_group_user",
    )
    credit_held = fields.Boolean(
        string="Held by Credit", compute="_compute_credit_held", compute_sudo=True, help="The credit gate stopped it."
    )
    credit_reasons = fields.Text(string="Why Credit Holds It", compute="_compute_credit_held", compute_sudo=True)

    @api.depends_context("lang", "uid")
    @api.depends("state", "credit_hold_ids.state", "credit_hold_ids.decision_id")
    def _compute_credit_held(self):
        for move in self:
            hold = move.credit_hold_ids.filtered(lambda hold: hold.state in ("open", "rejected"))[-1:]
            move.credit_held = bool(hold) and move.state == "draft"
            move.credit_reasons = hold.reasons_text if move.credit_held else False

    # === CRUD METHODS === #

    def write(self, vals):
        """:raise UserError: an invoice becomes posted without having been asked about, and the gate stops it"""
        if vals.get("state") == "posted":
            # The refusal names figures: first who may not write is turned away.
            self.check_access("write")
            decided = self.env.cr.precommit.data.get("credit_insurance.invoices", set())
            undecided = self.filtered(lambda move: move.id not in decided)
            refused = self.env["credit.insurance.gate"]._refuse_invoices(undecided._credit_filter_asked())
            if refused:
                raise UserError("\n".join(refused.values()))
        return super().write(vals)

    def button_cancel(self):
        # Odoo calls it for the draft invoices of an order that has none, for a salesperson without rights on invoices.
        if self:
            self.check_access("write")
        self.sudo().credit_hold_ids._close("lapsed")
        return super().button_cancel()

    def unlink(self):
        if self:
            self.check_access("unlink")
        self.sudo().credit_hold_ids._close("lapsed")
        return super().unlink()

    # === POSTING === #

    def action_post(self):
        """Post what the credit gate lets pass; the rest is put on hold and stays a draft.

        :return: what core returns when nothing is held; otherwise an action whose ``params["credit_insurance"]`` lists
            the ids of ``passed`` and ``held`` invoices for RPC clients
        """
        if self:
            self.check_access("write")
        held = self._credit_hold_invoices()
        if not held:
            return super().action_post()
        passed = self - held
        result = super(AccountMove, passed).action_post() if passed else False
        if isinstance(result, dict):
            held._credit_notify_held(passed)
            return result
        params = held._credit_prepare_told(passed)
        return {"type": "ir.actions.client", "tag": "display_notification", "params": params}

    def _post(self, soft=True):
        """Leave out what the credit gate holds: whoever posts many, or the job that posts by date, carries on."""
        today = fields.Date.context_today(self)
        asked = self.filtered(lambda move: not soft or (move.date or today) <= today)
        held = asked._credit_hold_invoices()
        if not held:
            return super()._post(soft)
        passed = self - held
        held._credit_notify_held(passed)
        return super(AccountMove, passed)._post(soft) if passed else passed

    def _credit_notify_held(self, passed):
        self.env.user._bus_send("simple_notification", {**self._credit_prepare_told(passed), "sticky": True})

    # === CHECKPOINT === #

    def _credit_hold_invoices(self):
        """Decide the invoices among these that come from no order. Return what is held.

        What was decided in this transaction is not decided again.
        """
        decided = self.env.cr.precommit.data.setdefault("credit_insurance.invoices", set())
        asked = self.filtered(lambda move: move.id not in decided)._credit_filter_asked()
        if not asked:
            return self.browse()
        held = self.env["credit.insurance.gate"]._hold_invoices(asked)
        # The gate's own writes may have run what waits for the end of the transaction, which clears this.
        data = self.env.cr.precommit.data.setdefault("credit_insurance.invoices", set())
        data.update((asked - held).ids)
        return self.filtered(lambda move: move in held)

    def _credit_filter_asked(self):
        """The drafts among these that the company wants decided: customer invoices without an order."""
        return self.sudo().filtered(
            lambda move: (
                move.move_type in INVOICE_TYPES
                and move.state == "draft"
                and move._credit_buyer_partner()
                and move.company_id.root_id.credit_check_invoice != "off"
                and move._credit_without_order()
            )
        )

    def _credit_without_order(self):
        """Whether no orders of this buyer that passed are behind it, or only behind the smaller part of it.

        A counter sale was paid at the counter.
        """
        self.ensure_one()
        if "pos_order_ids" in self._fields and self.pos_order_ids:
            return False
        ordered = self._credit_ordered()
        return not ordered or self.currency_id.compare_amounts(self._credit_total() - ordered, ordered) > 0

    def _credit_ordered(self):
        """What of it comes from orders of this buyer that passed, and no more than those were about."""
        lines = self.invoice_line_ids.filtered("sale_line_ids")
        orders = lines.sale_line_ids.order_id.filtered(
            lambda order: order.credit_pass_ids and order._credit_buyer_partner() == self._credit_buyer_partner()
        )
        ordered = sum(lines.filtered(lambda line: line.sale_line_ids.order_id & orders).mapped("price_total"))
        today = self._credit_company()._credit_today()
        passed = sum(
            order.currency_id._convert(
                max(order.credit_pass_ids.mapped("amount")), self.currency_id, order.company_id, today
            )
            for order in orders
        )
        return max(0.0, min(ordered, passed))

    def _credit_total(self):
        """What its journal items say will be owed: the total beside them is stored, and a client can write it."""
        owed = self.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        return sum(owed.mapped("amount_currency")) if owed else self.amount_total

    def _credit_warn(self, reasons):
        """The company only warns: on the invoice, and to whoever posts it."""
        self.ensure_one()
        told = self.env._(
            "%(invoice)s was posted although credit speaks against it. %(reasons)s",
            invoice=self.display_name,
            reasons=reasons,
        )
        self.message_post(body=told)
        params = {"type": "warning", "title": self.env._("Credit"), "message": told, "sticky": True}
        self.env.user._bus_send("simple_notification", params)

    # === SUBJECT OF THE GATE === #

    def _credit_amount(self):
        return self._credit_total() - self._credit_ordered()

    def _credit_buyer_partner(self):
        return self.partner_id.commercial_partner_id

    def _credit_related_partners(self):
        return self._credit_buyer_partner() | self.partner_shipping_id.commercial_partner_id

    def _credit_term_days(self, today):
        """Days to the last due date as the lines stand, or by the term."""
        dues = self.line_ids.filtered(lambda line: line.display_type == "payment_term").mapped("date_maturity")
        due = max((day for day in dues if day), default=self.invoice_date_due)
        return (due - (self.invoice_date or today)).days if due else None

    def _credit_salesperson(self):
        return self.invoice_user_id
