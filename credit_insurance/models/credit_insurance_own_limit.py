from odoo import fields, models


class CreditInsuranceOwnLimit(models.Model):
    """Credit granted at our own risk. Permanent and temporary amounts are separate rows with dates."""

    _name = "credit.insurance.own.limit"
    _description = "Own Credit Limit"
    _inherit = ["mail.thread"]
    _order = "buyer_id, date_from desc, id desc"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    kind = fields.Selection(
        [("permanent", "Permanent"), ("temporary", "Temporary")], default="permanent", required=True
    )
    amount = fields.Monetary(required=True, tracking=True)
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id, tracking=True
    )
    date_from = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
    date_to = fields.Date(string="Until", tracking=True, help="Last day of validity. Empty: until it is ended.")
    reviewer_id = fields.Many2one("res.users", default=lambda self: self.env.user, tracking=True)
    next_review = fields.Date()
    note = fields.Char()

    _amount_positive = models.Constraint("CHECK(amount >= 0)", "A limit is an amount of zero or more.")
    _dates_ordered = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "The limit ends before it starts."
    )
    _temporary_ends = models.Constraint(
        "CHECK(kind = 'permanent' OR date_to IS NOT NULL)", "A temporary limit needs a last day."
    )
