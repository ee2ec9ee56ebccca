"""What a posted invoice was decided about stays: Odoo says so itself, but lets a client's context overrule it."""

from collections import defaultdict
from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError

# What changes who owes an invoice, and how much.
OWED_FIELDS = {
    "company_id",
    "currency_id",
    "invoice_cash_rounding_id",
    "invoice_currency_rate",
    "invoice_line_ids",
    "line_ids",
    "move_type",
    "partner_id",
}
ITEM_FIELDS = {
    "account_id",
    "amount_currency",
    "balance",
    "credit",
    "currency_id",
    "debit",
    "discount",
    "move_id",
    "partner_id",
    "price_unit",
    "quantity",
}
# What of an order an invoice bills, by the quantities that Odoo and the exposure count.
BILLED_FIELDS = {"product_uom_id", "quantity", "sale_line_ids"}
# What is read of a journal item here, and nobody but Odoo writes.
COMPUTED_FIELDS = {"amount_residual", "amount_residual_currency", "parent_state", "price_total"}


class AccountMove(models.Model):
    _inherit = "account.move"

    def write(self, vals):
        """:raise UserError: a posted invoice would owe more, or another buyer would owe it"""
        posted = self.browse() if OWED_FIELDS.isdisjoint(vals) else self
        with posted._credit_keep_owed():
            return super().write(vals)

    @contextmanager
    def _credit_keep_owed(self):
        """By no edit that a person makes in the block does what a buyer owes on a posted invoice among these grow.

        :raise UserError: it does; they are reset to draft for that, and decided when they are posted again
        """
        moves = self.browse() if self.env.su else self.filtered(lambda move: move.state == "posted")
        owed = {move: move._credit_get_owed() for move in moves.sudo()}
        yield
        for move, before in owed.items():
            currency = move.company_currency_id
            for partner, amount in move._credit_get_owed().items():
                if currency.compare_amounts(amount, before[partner]) > 0:
                    raise UserError(move._credit_tell_posted())

    def _credit_tell_posted(self):
        return self.env._("%s is posted: what is owed changes in a draft.", self.display_name)

    def _credit_get_owed(self):
        """What each legal entity owed on a posted invoice that the company wants decided, in the company's currency,
        whatever was paid since."""
        self.ensure_one()
        owed = defaultdict(float)
        if self.state == "posted" and self._credit_is_checked():
            for line in self._credit_receivable_lines():
                owed[line.partner_id.commercial_partner_id] += line.balance
        return owed


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        """:raise UserError: a posted invoice would owe more"""
        moves = self.env["account.move"].browse({vals["move_id"] for vals in vals_list if vals.get("move_id")})
        with moves._credit_keep_owed():
            return super().create(vals_list)

    def write(self, vals):
        """:raise UserError: a posted invoice would owe more, be owed by another buyer, or bill another order"""
        self.env["credit.insurance.computed.fields"]._credit_refuse_computed([vals], COMPUTED_FIELDS)
        if not self.env.su and not BILLED_FIELDS.isdisjoint(vals):
            for move in self.move_id.filtered(lambda move: move.state == "posted"):
                if move.move_type in ("out_invoice", "out_refund"):
                    raise UserError(move._credit_tell_posted())
        moves = self.env["account.move"]
        if not ITEM_FIELDS.isdisjoint(vals):
            moves = self.move_id | moves.browse(vals.get("move_id"))
        with moves._credit_keep_owed():
            return super().write(vals)
