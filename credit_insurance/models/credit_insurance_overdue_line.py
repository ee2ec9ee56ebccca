from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import clean_context

from . import credit_insurance_overdue_notice  # noqa: F401 (has to be loaded first)
from .amounts import is_amount


class CreditInsuranceOverdueLine(models.Model):
    """One invoice that is reported. People choose the invoice; its figures are read from it, and frozen when sent."""

    _name = "credit.insurance.overdue.line"
    _description = "Invoice Reported to the Insurer"
    _order = "notice_id, due_date, id"

    notice_id = fields.Many2one("credit.insurance.overdue.notice", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="notice_id.company_id", store=True)
    partner_id = fields.Many2one(related="notice_id.partner_id")
    kind = fields.Selection(related="notice_id.kind", store=True)
    live = fields.Boolean(related="notice_id.live", store=True)
    move_id = fields.Many2one("account.move", string="Invoice", required=True, ondelete="restrict", index=True)
    number = fields.Char(readonly=True)
    invoice_date = fields.Date(readonly=True)
    due_date = fields.Date(string="Original Due Date", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_total = fields.Monetary(string="Invoice Amount", readonly=True)
    amount_open = fields.Monetary(string="Open", readonly=True)
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

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        for vals in vals_list:
            self._check_editable(vals, {"notice_id", "move_id"})
        lines = super().create(vals_list)
        lines._check_notice()
        lines._refresh_figures()
        return lines

    def write(self, vals):
        self._check_editable(vals, {"move_id"})
        if "move_id" in vals:
            self.notice_id._check_draft()
        result = super().write(vals)
        if "move_id" in vals:
            self._check_notice()
            self._refresh_figures()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        self.notice_id._check_draft()

    def _check_editable(self, vals, editable):
        refused = sorted(vals.keys() - editable)
        if refused and not self.env.su:
            raise AccessError(self.env._("These fields cannot be written: %s", ", ".join(refused)))

    def _check_notice(self):
        """The invoice is an open one of the notice's buyer and company, and the notice is still a draft."""
        self.notice_id._check_draft()
        for line in self:
            move, notice = line.move_id, line.notice_id
            if move.commercial_partner_id != notice.partner_id or move.company_id.root_id != notice.company_id:
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s is not one of %(buyer)s.",
                        invoice=move.display_name,
                        buyer=notice.partner_id.display_name,
                    )
                )
        self.env["credit.insurance.overdue.notice"]._check_unpaid(self.move_id.sudo())

    # === BUSINESS METHODS === #

    def _refresh_figures(self):
        """Write the figures of the lines from their invoices as they are now."""
        for line in self.sudo():
            line.write(line._prepare_figures())

    def _prepare_figures(self):
        move, notice = self.move_id, self.notice_id
        today = notice.company_id._credit_today()
        rate = self.env["res.currency"]._get_conversion_rate(
            move.currency_id, notice.currency_id, notice.company_id, today
        )
        return {
            "number": move.name,
            "invoice_date": move.invoice_date,
            "due_date": move.credit_insurance_original_due_date or move.invoice_date_due,
            "currency_id": move.currency_id.id,
            "amount_total": move.amount_total,
            "amount_open": move.amount_residual,
            "rate": rate,
            "policy_open": notice.currency_id.round(move.amount_residual * rate),
        }


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
