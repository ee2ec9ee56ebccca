from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .amounts import is_amount
from .guarded_fields import without_fields


class CreditInsuranceStatement(models.Model):
    """Key lines of a buyer's financial statements for one year and their source. A correction is a new row."""

    _name = "credit.insurance.statement"
    _description = "Financial Statement of a Buyer"
    _order = "buyer_id, year_end desc, id desc"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    year_end = fields.Date(required=True, help="Last day of the financial year.")
    currency_id = fields.Many2one("res.currency", required=True, default=lambda self: self.env.company.currency_id)
    # What a statement does not give is left at zero, and takes no part in the recommendation.
    turnover = fields.Monetary(help="Zero: not known.")
    equity = fields.Monetary(help="May be below zero. Zero: not known.")
    total_assets = fields.Monetary()
    result = fields.Monetary(string="Net Result")
    cash = fields.Monetary()
    debts = fields.Monetary()
    source = fields.Selection(
        [("entered", "Entered"), ("report", "Credit report"), ("insurer", "Insurer")], default="entered", required=True
    )
    source_name = fields.Char(help="Register, agency or person the figures come from.")
    received_on = fields.Date(required=True, default=fields.Date.context_today)
    attachment_ids = fields.Many2many("ir.attachment", string="Documents")

    _amounts = ("turnover", "equity", "total_assets", "result", "cash", "debts")

    _dated = models.Constraint("CHECK(received_on >= year_end)", "A statement is received after its year has ended.")

    @api.constrains("turnover", "equity", "total_assets", "result", "cash", "debts")
    def _check_amounts(self):
        for row in self:
            if not all(is_amount(row[name]) for name in self._amounts):
                raise ValidationError(self.env._("This is no amount."))

    @api.model_create_multi
    def create(self, vals_list):
        self, vals_list = without_fields(self, vals_list, ("company_id",))  # always the buyer's
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and set(vals) - {"attachment_ids"}:
            raise UserError(self.env._("A statement stays as it was entered. Add a new row with the right figures."))
        return super().write(vals)
