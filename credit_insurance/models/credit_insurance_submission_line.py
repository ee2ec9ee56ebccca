from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context

from odoo.addons.credit_insurance.connectors import OverdueInvoice

from .amounts import to_decimal


class CreditInsuranceSubmissionLine(models.AbstractModel):
    """One invoice of what is sent to an insurer.

    People choose the invoice; its figures are read from it, and frozen when it is sent.
    """

    _name = "credit.insurance.submission.line"
    _description = "Invoice Sent to an Insurer"

    # The field that names what the line belongs to.
    _submission_field = ""

    move_id = fields.Many2one("account.move", string="Invoice", required=True, ondelete="restrict", index=True)
    number = fields.Char(readonly=True)
    invoice_date = fields.Date(readonly=True)
    due_date = fields.Date(string="Original Due Date", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_total = fields.Monetary(string="Invoice Amount", readonly=True)
    amount_open = fields.Monetary(string="Open", readonly=True)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self = self.with_context(clean_context(self.env.context))
        for vals in vals_list:
            self._check_editable(vals, {self._submission_field, "move_id"})
        lines = super().create(vals_list)
        lines._check_invoices()
        lines._refresh_figures()
        return lines

    def write(self, vals):
        self._check_editable(vals, {"move_id"})
        if "move_id" in vals:
            self._get_submission()._check_draft()
        result = super().write(vals)
        if "move_id" in vals:
            self._check_invoices()
            self._refresh_figures()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        self._get_submission()._check_draft()

    def _check_editable(self, vals, editable):
        refused = sorted(vals.keys() - editable)
        if refused and not self.env.su:
            raise AccessError(self._describe_refused(", ".join(refused)))

    def _describe_refused(self, names):
        return self.env._("These fields cannot be written: %s", names)

    def _check_invoices(self):
        """The invoice is an open one of the submission's buyer and company, and that is still a draft."""
        submissions = self._get_submission()
        submissions._check_draft()
        for line in self:
            move, submission = line.move_id, line._get_submission()
            partner, company = submission.partner_id, submission.company_id
            if move.commercial_partner_id != partner or move.company_id.root_id != company:
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s is not one of %(buyer)s.",
                        invoice=move.display_name,
                        buyer=partner.display_name,
                    )
                )
        submissions._check_unpaid(self.move_id.sudo())

    # === BUSINESS METHODS === #

    def _get_submission(self):
        """What these lines belong to."""
        return self[self._submission_field]

    def _refresh_figures(self):
        """Write the figures of the lines from their invoices as they are now."""
        for line in self.sudo():
            line.write(line._prepare_figures())

    def _prepare_figures(self):
        """What is read from the invoice itself."""
        move = self.move_id
        return {
            "number": move.name,
            "invoice_date": move.invoice_date,
            "due_date": move.credit_insurance_original_due_date or move.invoice_date_due,
            "currency_id": move.currency_id.id,
            "amount_total": move.amount_total,
            "amount_open": move.amount_residual,
        }

    def _get_rate(self):
        """Units of the policy's currency per unit of the invoice's, today."""
        submission = self._get_submission()
        company = submission.company_id
        return self.env["res.currency"]._get_conversion_rate(
            self.move_id.currency_id, submission.currency_id, company, company._credit_today()
        )

    def _get_message(self):
        """This line as the connectors send it, with the figures frozen on it."""
        return OverdueInvoice(
            number=self.number,
            issued_on=self.invoice_date,
            due_on=self.due_date,
            amount=to_decimal(self.amount_total, self.currency_id),
            open_amount=to_decimal(self.amount_open, self.currency_id),
            currency=self.currency_id.name,
        )
