from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context

from odoo.addons.credit_insurance.connectors import OverdueInvoice

from . import credit_insurance_overdue_notice  # noqa: F401 (has to be loaded first)
from .amounts import to_decimal


class CreditInsuranceCollectionLine(models.Model):
    """One invoice that is handed over. People choose it; its figures are read from it, and frozen when sent."""

    _name = "credit.insurance.collection.line"
    _description = "Invoice Handed Over for Collection"
    _order = "case_id, due_date, id"

    case_id = fields.Many2one("credit.insurance.collection.case", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="case_id.company_id", store=True)
    partner_id = fields.Many2one(related="case_id.partner_id")
    live = fields.Boolean(related="case_id.live", store=True)
    move_id = fields.Many2one("account.move", string="Invoice", required=True, ondelete="restrict", index=True)
    number = fields.Char(readonly=True)
    invoice_date = fields.Date(readonly=True)
    due_date = fields.Date(string="Original Due Date", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_total = fields.Monetary(string="Invoice Amount", readonly=True)
    amount_open = fields.Monetary(string="Open", readonly=True)
    policy_currency_id = fields.Many2one(related="case_id.currency_id", string="Policy Currency")
    policy_open = fields.Monetary(string="Handed Over", currency_field="policy_currency_id", readonly=True)

    _live_uniq = models.UniqueIndex("(move_id) WHERE live", "This invoice was handed over already.")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        for vals in vals_list:
            self._check_editable(vals, {"case_id", "move_id"})
        lines = super().create(vals_list)
        lines._check_case()
        lines._refresh_figures()
        return lines

    def write(self, vals):
        self._check_editable(vals, {"move_id"})
        if "move_id" in vals:
            self.case_id._check_draft()
        result = super().write(vals)
        if "move_id" in vals:
            self._check_case()
            self._refresh_figures()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        self.case_id._check_draft()

    def _check_editable(self, vals, editable):
        refused = sorted(vals.keys() - editable)
        if refused and not self.env.su:
            raise AccessError(self.env._("These fields cannot be written: %s", ", ".join(refused)))

    def _check_case(self):
        """The invoice is an open one of the case's buyer and company, and the case is still a draft."""
        self.case_id._check_draft()
        for line in self:
            move, case = line.move_id, line.case_id
            if move.commercial_partner_id != case.partner_id or move.company_id.root_id != case.company_id:
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s is not one of %(buyer)s.",
                        invoice=move.display_name,
                        buyer=case.partner_id.display_name,
                    )
                )
        self.case_id._check_unpaid(self.move_id.sudo())

    # === BUSINESS METHODS === #

    def _refresh_figures(self):
        for line in self.sudo():
            line.write(line._prepare_figures())

    def _prepare_figures(self):
        move, case = self.move_id, self.case_id
        today = case.company_id._credit_today()
        rate = self.env["res.currency"]._get_conversion_rate(move.currency_id, case.currency_id, case.company_id, today)
        return {
            "number": move.name,
            "invoice_date": move.invoice_date,
            "due_date": move.credit_insurance_original_due_date or move.invoice_date_due,
            "currency_id": move.currency_id.id,
            "amount_total": move.amount_total,
            "amount_open": move.amount_residual,
            "policy_open": case.currency_id.round(move.amount_residual * rate),
        }

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
        lines = self.env["credit.insurance.collection.line"].sudo()
        taken = lines.search([("move_id", "in", self.line_ids.move_id.ids), ("live", "=", True)]).move_id
        unpaid = self.line_ids.move_id.filtered(lambda move: move.payment_state in ("not_paid", "partial")) - taken
        if not unpaid:
            raise UserError(self.env._("No invoice of %s is left to hand over.", self.name))
        return self.env["credit.insurance.collection.case"]._create_from_invoices(unpaid, self)._get_open_action()

    def action_open_collection_cases(self):
        self.ensure_one()
        return self.collection_case_ids._get_open_action()


class CreditInsuranceOverdueNotice(models.Model):
    _inherit = "credit.insurance.overdue.notice"

    def action_start_collection(self):
        """A draft that hands the invoices of this notice over, as far as they are open and not handed over."""
        self.ensure_one()
        lines = self.env["credit.insurance.collection.line"].sudo()
        taken = lines.search([("move_id", "in", self.line_ids.move_id.ids), ("live", "=", True)]).move_id
        unpaid = self.line_ids.move_id.filtered(lambda move: move.payment_state in ("not_paid", "partial")) - taken
        if not unpaid:
            raise UserError(self.env._("No invoice of %s is left to hand over.", self.name))
        return self.env["credit.insurance.collection.case"]._create_from_invoices(unpaid)._get_open_action()
