"""What is open of posted documents where Odoo counts a match with a draft as paid: see ``matched_drafts_sql``."""

from odoo import models

from .amounts import to_decimal


class AccountMove(models.Model):
    _inherit = "account.move"

    def _credit_get_residuals(self):
        """What is open of each of these posted invoices and credit notes, in its own currency: ``{move: amount}``."""
        residuals = {move: move.amount_residual for move in self}
        matched = self.filtered(lambda move: move.currency_id.compare_amounts(move.amount_residual, move.amount_total))
        items = matched._credit_receivable_lines()
        for item, (amount, _booked) in self.env["credit.insurance.exposure"]._get_taken(items).items():
            residuals[item.move_id] += -amount if item.move_id.move_type == "out_refund" else amount
        return residuals


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _credit_get_open_credit(self):
        """What is open of these credits of one currency, above zero: in that and in the company's."""
        taken = self.env["credit.insurance.exposure"]._get_taken(self).values()
        amount = sum(self.mapped("amount_residual_currency")) + sum(amount for amount, _booked in taken)
        booked = sum(self.mapped("amount_residual")) + sum(booked for _amount, booked in taken)
        return to_decimal(-amount, self.currency_id), to_decimal(-booked, self.company_currency_id)
