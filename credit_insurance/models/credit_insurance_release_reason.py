from odoo import fields, models


class CreditInsuranceReleaseReason(models.Model):
    _name = "credit.insurance.release.reason"
    _description = "Reason of a Credit Release or Rejection"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    used_for = fields.Selection(
        [("release", "Releases"), ("rejection", "Rejections"), ("both", "Both")], default="both", required=True
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "This reason code exists already.")
