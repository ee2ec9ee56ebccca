"""Core's own credit limit is silent where the credit gate speaks: two limits for one buyer would contradict each other.

It stays what it was for buyers that the gate does not check, and for companies whose gate is off.
"""

from odoo import api, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _compute_partner_credit_warning(self):
        result = super()._compute_partner_credit_warning()
        _silence(self)
        return result


class AccountMove(models.Model):
    _inherit = "account.move"

    def _compute_partner_credit_warning(self):
        result = super()._compute_partner_credit_warning()
        _silence(self)
        return result


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.depends("commercial_partner_id")
    def _compute_show_credit_limit(self):
        result = super()._compute_show_credit_limit()
        shown = self.filtered("show_credit_limit")
        company = self.env.company
        pairs = {(partner.commercial_partner_id, company) for partner in shown}
        spoken = self.env["credit.insurance.card"]._get_spoken_for(pairs)
        for partner in shown:
            partner.show_credit_limit = (partner.commercial_partner_id, company) not in spoken
        return result


def _silence(documents):
    """Take core's warning from the documents whose buyer the gate checks."""
    pairs = {
        document: (document.sudo()._credit_buyer_partner(), document.company_id)
        for document in documents.filtered("partner_credit_warning")
    }
    spoken = documents.env["credit.insurance.card"]._get_spoken_for(set(pairs.values())) if pairs else set()
    for document, pair in pairs.items():
        if pair in spoken:
            document.partner_credit_warning = ""
