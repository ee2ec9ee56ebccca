"""Where a claim is begun: on the buyer or the customer (account_move.py has the button on invoices)."""

from odoo import fields, models
from odoo.exceptions import UserError

from .claim_words import OPEN_PAYMENT_STATES


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    claim_ids = fields.One2many("credit.insurance.claim", "buyer_id", string="Claims")

    def action_make_claim(self):
        """Make a draft claim from all overdue invoices of the buyer that are not claimed yet, and open it."""
        self.ensure_one()
        return self.partner_id._credit_insurance_make_claim(self.company_id)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_credit_insurance_make_claim(self):
        """Make a draft claim from all overdue invoices of the customer that are not claimed yet, and open it."""
        self.ensure_one()
        return self._credit_insurance_make_claim(self.env.company.root_id)

    def _credit_insurance_make_claim(self, company):
        buyer = self.commercial_partner_id
        moves = self.env["account.move"].search(
            [
                ("commercial_partner_id", "=", buyer.id),
                ("company_id", "child_of", company.id),
                ("move_type", "in", ("out_invoice", "out_receipt")),
                ("state", "=", "posted"),
                ("payment_state", "in", OPEN_PAYMENT_STATES),
                ("invoice_date_due", "<", fields.Date.context_today(self)),
                ("credit_insurance_claim_line_ids", "not any", [("live", "=", True)]),
            ]
        )
        if not moves:
            raise UserError(self.env._("No invoice of %s is overdue and not claimed yet.", buyer.display_name))
        return moves.action_credit_insurance_make_claim()
