from odoo import fields, models


class CreditInsuranceInsurer(models.Model):
    _name = "credit.insurance.insurer"
    _description = "Trade Credit Insurer"
    _order = "name"

    name = fields.Char(required=True)
    code = fields.Char(required=True, help="Short technical code, for example ALLIANZ_TRADE.")
    grade_scale_id = fields.Many2one("credit.insurance.grade.scale", ondelete="restrict")
    account_ids = fields.One2many("credit.insurance.account", "insurer_id", string="Connections")
    policy_ids = fields.One2many("credit.insurance.policy", "insurer_id", string="Policies")
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "An insurer with this code exists already.")
