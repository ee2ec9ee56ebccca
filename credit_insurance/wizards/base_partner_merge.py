from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Core points documents to the surviving contact by SQL and deletes what conflicts: credit records go first."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        partners = self.env["res.partner"].browse(partner_ids).exists()
        partners |= dst_partner or partners[:0]
        self.env["credit.insurance.buyer"]._check_merge(partners)
        result = super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
        partners.exists()._credit_insurance_watch_orders()
        return result

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        self.env["credit.insurance.buyer"]._merge_partners(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
