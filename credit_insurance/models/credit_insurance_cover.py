from odoo import fields, models

COVER_STATUSES = [
    ("none", "None"),
    ("requested", "Requested"),
    ("approved", "Approved"),
    ("partial", "Partially approved"),
    ("refused", "Refused"),
    ("reduced", "Reduced"),
    ("withdrawn", "Withdrawn"),
    ("expired", "Expired"),
    ("unknown", "Unknown"),
]


class CreditInsuranceCover(models.Model):
    """The insurer's answer for one buyer under one policy, as a dated history that is added to, never overwritten.

    On any day the row that counts is the latest decided one whose dates include that day, per layer: a temporary
    layer adds to the permanent one between its dates.
    """

    _name = "credit.insurance.cover"
    _description = "Insurer's Cover"
    _order = "buyer_id, policy_id, effective_from desc, id desc"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True)
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    layer = fields.Selection([("permanent", "Permanent"), ("temporary", "Temporary")], default="permanent", required=True)
    status = fields.Selection(COVER_STATUSES, required=True)
    amount = fields.Monetary(help="Amount 0 is an amount granted, not the absence of cover.")
    currency_id = fields.Many2one("res.currency", required=True)
    insured_percentage = fields.Float(digits=(5, 2))
    effective_from = fields.Date(required=True)
    effective_to = fields.Date(string="Effective Until", help="Last day. Empty: until the insurer decides otherwise.")
    announced_status = fields.Selection(COVER_STATUSES, help="A change the insurer has announced, not in force yet.")
    announced_from = fields.Date()
    decided_on = fields.Date()
    conditions = fields.Text()
    external_id = fields.Char(string="Insurer's Reference", index="btree_not_null")
    raw_code = fields.Char(help="The insurer's own status code, as received.")
    fetched_at = fields.Datetime(string="Received On", required=True, default=fields.Datetime.now)

    _amount_positive = models.Constraint("CHECK(amount >= 0)", "A cover is an amount of zero or more.")


class CreditInsuranceGrade(models.Model):
    """A buyer's grade on the insurer's own scale, as a dated history."""

    _name = "credit.insurance.grade"
    _description = "Insurer's Buyer Grade"
    _rec_name = "grade"
    _order = "graded_on desc, id desc"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True)
    insurer_id = fields.Many2one("credit.insurance.insurer", required=True, ondelete="restrict")
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    grade = fields.Char(required=True)
    risk_class = fields.Selection(
        selection=lambda self: self.env["credit.insurance.grade.scale.line"]._fields["risk_class"].selection,
        help="Our class at the time the grade was received. Empty: the scale does not know this grade.",
    )
    graded_on = fields.Date(required=True)
    fetched_at = fields.Datetime(string="Received On", required=True, default=fields.Datetime.now)
