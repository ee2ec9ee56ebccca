from odoo import api, fields, models
from odoo.exceptions import ValidationError

from . import (
    credit_insurance_overdue_notice,  # noqa: F401 (has to be loaded first)
    credit_insurance_submission_line,  # noqa: F401 (has to be loaded first)
)
from .amounts import is_amount


class CreditInsuranceOverdueLine(models.Model):
    """One invoice that is reported. People choose the invoice; its figures are read from it, and frozen when sent."""

    _name = "credit.insurance.overdue.line"
    _description = "Invoice Reported to the Insurer"
    _inherit = ["credit.insurance.submission.line"]
    _order = "notice_id, due_date, id"

    _submission_field = "notice_id"

    notice_id = fields.Many2one("credit.insurance.overdue.notice", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="notice_id.company_id", store=True)
    partner_id = fields.Many2one(related="notice_id.partner_id")
    kind = fields.Selection(related="notice_id.kind", store=True)
    live = fields.Boolean(related="notice_id.live", store=True)
    policy_currency_id = fields.Many2one(related="notice_id.currency_id", string="Policy Currency")
    policy_open = fields.Monetary(string="Reported", currency_field="policy_currency_id", readonly=True)
    rate = fields.Float(
        digits=(16, 10), readonly=True, help="Units of the policy's currency per unit of the invoice's."
    )
    paid_since = fields.Monetary(compute="_compute_paid_since", help="After the figures were frozen.")

    _live_uniq = models.UniqueIndex("(move_id, kind) WHERE live", "This invoice is reported already.")

    # === COMPUTE METHODS === #

    @api.depends("amount_open", "move_id.amount_residual", "notice_id.state")
    def _compute_paid_since(self):
        for line in self:
            frozen = line.notice_id.state != "draft" and isinstance(line.id, int)
            # The accountant of a branch may see a notice on an invoice of another branch.
            line.paid_since = line.amount_open - line.sudo().move_id.amount_residual if frozen else 0.0

    # === BUSINESS METHODS === #

    def _prepare_figures(self):
        rate = self._get_rate()
        policy_open = self.notice_id.currency_id.round(self.move_id.amount_residual * rate)
        return {**super()._prepare_figures(), "rate": rate, "policy_open": policy_open}


class CreditInsuranceOverdueInstalment(models.Model):
    _name = "credit.insurance.overdue.instalment"
    _description = "Instalment of a Repayment Plan"
    _order = "notice_id, due_on, id"

    notice_id = fields.Many2one("credit.insurance.overdue.notice", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="notice_id.company_id", store=True)
    due_on = fields.Date(required=True)
    currency_id = fields.Many2one(related="notice_id.plan_currency_id")
    amount = fields.Monetary(required=True)

    _amount_positive = models.Constraint("CHECK(amount > 0)", "An instalment is an amount above zero.")

    @api.constrains("amount")
    def _check_amount(self):
        for instalment in self:
            if not is_amount(instalment.amount):
                raise ValidationError(self.env._("This is no amount."))

    @api.model_create_multi
    def create(self, vals_list):
        instalments = super().create(vals_list)
        instalments.notice_id._check_draft()
        return instalments

    def write(self, vals):
        self.notice_id._check_draft()
        result = super().write(vals)
        self.notice_id._check_draft()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        self.notice_id._check_draft()
