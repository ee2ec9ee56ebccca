from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from . import credit_subject  # noqa: F401 (the mixin has to be loaded first)
from .amounts import to_decimal
from .credit_insurance_exposure import ExposureRow

INVOICE_TYPES = ("out_invoice", "out_receipt")
# What Odoo writes when it posts.
POSTED_FIELDS = {"state", "posted_before"}


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

    @api.model_create_multi
    def create(self, vals_list):
        """:raise UserError: an invoice would begin as posted; Odoo refuses the value, and takes it as a default"""
        moves = super().create(vals_list)
        for move in moves:
            if move.state == "posted" and move._credit_is_checked():
                raise UserError(self.env._("An invoice begins as a draft."))
        return moves

    def write(self, vals):
        """:raise UserError: an invoice becomes posted without having been asked about, and the gate stops it"""
        if vals.get("state") == "posted":
            # The refusal names figures: first who may not write is turned away.
            self.check_access("write")
            # What is written beside the state is decided with it.
            if beside := {name: value for name, value in vals.items() if name not in POSTED_FIELDS}:
                self.write(beside)
                vals = {name: value for name, value in vals.items() if name in POSTED_FIELDS}
            decided = self.env.cr.precommit.data.get("credit_insurance.invoices", set())
            undecided = self.filtered(lambda move: move.id not in decided)
            refused = self.env["credit.insurance.gate"]._refuse_invoices(undecided._credit_get_asked())
            if refused:
                raise UserError("\n".join(refused.values()))
        elif "state" in vals:
            self.env.cr.precommit.data.get("credit_insurance.invoices", set()).difference_update(self.ids)
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
        passed = self.union() - held
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
        passed = self.union() - held
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
        asked = self.filtered(lambda move: move.id not in decided)._credit_get_asked()
        if not asked:
            return self.browse()
        held = self.env["credit.insurance.gate"]._hold_invoices(asked)
        # The gate's own writes may have run what waits for the end of the transaction, which clears this.
        data = self.env.cr.precommit.data.setdefault("credit_insurance.invoices", set())
        data.update(move.id for move in asked if move not in held)
        return self.union().filtered(lambda move: move in held)

    def _credit_get_asked(self):
        """The drafts among these that the company wants decided, and what of each comes from no order, as if they were
        posted one after the other: ``{invoice: amount}`` in its own currency.

        Orders may be behind the smaller part of it. A counter sale was paid at the counter.
        """
        asked, taken = {}, defaultdict(float)
        for move in self.sudo().union().sorted("id"):
            if move.state == "draft" and move._credit_is_checked():
                total, ordered = move._credit_total(), move._credit_ordered(taken)
                if not ordered or move.currency_id.compare_amounts(total - ordered, ordered) > 0:
                    asked[move] = total - ordered
        return asked

    def _credit_is_checked(self):
        """Whether the company wants invoices such as this one decided, if they come from no order."""
        self.ensure_one()
        if self.move_type not in INVOICE_TYPES or "pos_order_ids" in self._fields and self.pos_order_ids:
            return False
        return bool(self._credit_buyer_partner()) and self.company_id.root_id.credit_check_invoice != "off"

    def _credit_ordered(self, taken=None):
        """What of it comes from orders of this buyer that passed, and no more than is left to invoice of each.

        :param taken: what invoices that are posted before it take of orders, by order; its own part is added
        """
        taken, ordered = defaultdict(float) if taken is None else taken, 0.0
        today = self._credit_company()._credit_today()
        for order, amount in self._credit_get_linked().items():
            left = order._credit_left_to_bill() - taken[order]
            rated = order.currency_id._convert(max(0.0, left), self.currency_id, order.company_id, today)
            part = min(amount, rated)
            taken[order] += self.currency_id._convert(max(0.0, part), order.currency_id, order.company_id, today)
            ordered += part
        return max(0.0, ordered)

    def _credit_get_linked(self):
        """What its lines say of orders of this buyer that passed: ``{order: amount}``, tax included.

        Of a receipt no order knows.
        """
        linked = defaultdict(float)
        for line in self.invoice_line_ids if self.move_type == "out_invoice" else ():
            orders = line.sale_line_ids.order_id.filtered(
                lambda order: (
                    order.credit_pass_ids
                    and order._credit_buyer_partner() == self._credit_buyer_partner()
                    and order._credit_company() == self._credit_company()
                )
            )
            if orders:
                linked[orders[0]] += line.price_total
        return linked

    def _credit_total(self):
        """What its journal items say will be owed: the total beside them is stored, and a client can write it."""
        owed = self._credit_receivable_lines()
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

    def _credit_prepaid(self):
        """What posted payments and credit notes settle of the draft: in the exposure they stand as credits."""
        matches = self._credit_receivable_lines().matched_credit_ids
        settled = matches.filtered(lambda match: match.credit_move_id.parent_state == "posted")
        amount = sum(map(self._credit_get_settled, settled))
        prepaid = min(amount, self._credit_amount())
        if prepaid <= 0:
            return 0.0, ()
        part = Decimal(repr(prepaid)) / Decimal(repr(amount))
        own = settled.filtered(lambda match: self._credit_is_own(match.credit_move_id))
        return prepaid, tuple(
            ExposureRow(
                "credits",
                match.credit_currency_id.id,
                to_decimal(match.credit_amount_currency, match.credit_currency_id),
                to_decimal(match.amount, match.company_currency_id),
            )._scaled(part)
            for match in own
        )

    def _credit_is_own(self, item):
        """Whether a journal item is of who owes the invoice; others may pay for him."""
        return (
            item.partner_id.commercial_partner_id == self._credit_buyer_partner()
            and item.company_id.root_id == self._credit_company()
        )

    def _credit_get_settled(self, match):
        """What a match settles of it, and no more than it takes from the credit."""
        taken = match.credit_amount_currency
        if match.credit_currency_id != self.currency_id:
            today = self._credit_company()._credit_today()
            taken = match.company_currency_id._convert(match.amount, self.currency_id, self.company_id, today)
        return min(match.debit_amount_currency, taken)

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
