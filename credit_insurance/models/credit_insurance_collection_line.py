from odoo import api, fields, models
from odoo.exceptions import UserError

from . import (
    credit_insurance_overdue_notice,  # noqa: F401 (has to be loaded first)
    credit_insurance_submission_line,  # noqa: F401 (has to be loaded first)
)


class CreditInsuranceCollectionLine(models.Model):
    """One invoice that is handed over. People choose it; its figures are read from it, and frozen when sent."""

    _name = "credit.insurance.collection.line"
    _description = "Invoice Handed Over for Collection"
    _inherit = ["credit.insurance.submission.line"]
    _order = "case_id, due_date, id"

    _submission_field = "case_id"

    case_id = fields.Many2one("credit.insurance.collection.case", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    partner_id = fields.Many2one(related="case_id.partner_id")
    live = fields.Boolean(related="case_id.live", store=True)
    policy_currency_id = fields.Many2one(related="case_id.currency_id", string="Policy Currency")
    policy_open = fields.Monetary(string="Handed Over", currency_field="policy_currency_id", readonly=True)

    _live_uniq = models.UniqueIndex("(move_id) WHERE live", "This invoice was handed over already.")

    def _prepare_figures(self):
        policy_open = self.case_id.currency_id.round(self.move_id.amount_residual * self._get_rate())
        return {**super()._prepare_figures(), "policy_open": policy_open}


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_credit_insurance_collect(self):
        """Draft collection cases on these invoices, one for each buyer and policy, and open them."""
        if not self:
            raise UserError(self.env._("Select the invoices to hand over."))
        return self.env["credit.insurance.collection.case"]._create_from_invoices(self)._get_open_action()


class CreditInsuranceClaim(models.Model):
    _inherit = "credit.insurance.claim"

    collection_case_ids = fields.One2many("credit.insurance.collection.case", "claim_id", string="Collection Cases")
    collection_case_count = fields.Integer(compute="_compute_collection_case_count")

    @api.depends("collection_case_ids")
    def _compute_collection_case_count(self):
        for claim in self:
            claim.collection_case_count = len(claim.collection_case_ids)

    def action_start_collection(self):
        """A draft that hands the claim's invoices over, as far as they are open and not handed over."""
        self.ensure_one()
        return self.env["credit.insurance.collection.case"]._create_from_rest(self, self)._get_open_action()

    def action_open_collection_cases(self):
        self.ensure_one()
        return self.collection_case_ids._get_open_action()


class CreditInsuranceOverdueNotice(models.Model):
    _inherit = "credit.insurance.overdue.notice"

    def action_start_collection(self):
        """A draft that hands the invoices of this notice over, as far as they are open and not handed over."""
        self.ensure_one()
        return self.env["credit.insurance.collection.case"]._create_from_rest(self)._get_open_action()
