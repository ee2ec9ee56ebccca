from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .declaration_words import KINDS, LEFT_OUT


class CreditInsuranceDeclarationLine(models.Model):
    """One line of a declaration, written by the addon alone: sales to a country, a shipment, or a payment.

    Its invoices are kept with it. ``left_out`` says why a line is not declared.
    """

    _name = "credit.insurance.declaration.line"
    _description = "Line of a Declaration"
    _order = "declaration_id, left_out nulls first, day, country_id, currency_id, id"

    declaration_id = fields.Many2one(
        "credit.insurance.declaration", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    policy_id = fields.Many2one("credit.insurance.policy", readonly=True, ondelete="restrict")
    kind = fields.Selection(KINDS, readonly=True)
    live = fields.Boolean(compute="_compute_live", store=True)
    reference = fields.Char(readonly=True)
    left_out = fields.Selection(LEFT_OUT, readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    buyer_id = fields.Many2one("credit.insurance.buyer", readonly=True, ondelete="restrict", index="btree_not_null")
    partner_id = fields.Many2one(related="buyer_id.partner_id", string="Buyer Name")
    amount = fields.Monetary(readonly=True)
    insured_amount = fields.Monetary(string="Declared", readonly=True)
    invoice_count = fields.Integer(string="Invoices", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True, ondelete="set null", index=True)
    payment_move_id = fields.Many2one("account.move", string="Payment", readonly=True, ondelete="set null", index=True)
    number = fields.Char(string="Invoice Number", readonly=True)
    day = fields.Date(readonly=True, help="Of the shipment, or of the payment.")
    shipped_on = fields.Date(readonly=True)
    payment_term_days = fields.Integer(string="Payment Term (days)", readonly=True)
    sale_ids = fields.One2many("credit.insurance.declaration.sale", "line_id", string="Told of Each Invoice")
    move_ids = fields.Many2many("account.move", string="Its Invoices", compute="_compute_move_ids", compute_sudo=True)
    corrects_id = fields.Many2one(
        "credit.insurance.declaration", readonly=True, ondelete="restrict", help="What was declared there has changed."
    )
    correction = fields.Char(string="Correction Of", compute="_compute_correction", compute_sudo=True)
    refusal_code = fields.Char(string="Refused", readonly=True)
    refusal_words = fields.Char(string="The Insurer's Words", readonly=True)
    given_up = fields.Boolean(readonly=True, help="Refused, and not declared again.")

    _shipment_uniq = models.UniqueIndex(
        "(policy_id, move_id) WHERE live AND kind = 'shipments' AND left_out IS NULL",
        "A shipment is declared already.",
    )
    _receipt_uniq = models.UniqueIndex(
        "(declaration_id, move_id, payment_move_id) WHERE live AND kind = 'receipts'",
        "A payment stands once in a declaration.",
    )

    @api.depends("declaration_id.live", "refusal_code")
    def _compute_live(self):
        for line in self:
            line.live = line.declaration_id.live and not line.refusal_code

    @api.depends("sale_ids.move_id")
    def _compute_move_ids(self):
        for line in self:
            line.move_ids = line.sale_ids.move_id

    @api.depends("corrects_id")
    @api.depends_context("lang")
    def _compute_correction(self):
        for line in self:
            corrected = line.corrects_id
            line.correction = bool(corrected) and self.env._(
                "%(declaration)s, %(start)s to %(end)s",
                declaration=corrected.name,
                start=format_date(self.env, corrected.period_from),
                end=format_date(self.env, corrected.period_to),
            )

    def action_give_up(self):
        """The insurer's refusal stands: the next declaration does not have it again."""
        self.declaration_id._check_sender()
        if not all(self.mapped("refusal_code")):
            raise UserError(self.env._("Only what the insurer refused is given up."))
        self.sudo().given_up = True
        for line in self:
            name = line.number or line.country_id.name
            line.declaration_id.message_post(body=self.env._("%s is not declared again.", name))
        return True

    def action_open_invoices(self):
        """The invoices that this line is made of."""
        self.ensure_one()
        return self._get_invoices_action(self.number or self.country_id.name or "")

    def action_open_sales(self):
        """What this line tells of each invoice, also of those that were deleted since."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.correction or self.number or self.country_id.name or "",
            "res_model": "credit.insurance.declaration.sale",
            "view_mode": "list",
            "domain": [("line_id", "=", self.id)],
            "context": {"create": False},
        }

    def _get_invoices_action(self, name):
        self.check_access("read")
        moves = self.sudo().move_ids
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "account.move",
            "view_mode": "list,form",
            "views": [(self.env.ref("account.view_out_invoice_tree").id, "list"), (False, "form")],
            "domain": [("id", "in", moves.ids)],
            "context": {"create": False},
        }
