from odoo import fields, models

from odoo.addons.credit_insurance.credit_insurance.models.rule_document import field_texts
from odoo.addons.credit_insurance.credit_insurance.models.rule_settings import SETTINGS

from . import credit_insurance_version_compare  # noqa: F401 (has to be loaded first)


class CreditInsuranceRuleCompare(models.TransientModel):
    _name = "credit.insurance.rule.compare"
    _description = "Compare Versions of a Risk Rule"
    _inherit = "credit.insurance.version.compare"
    _settings = SETTINGS
    _get_field_texts = staticmethod(field_texts)

    rule_id = fields.Many2one(related="right_id.rule_id", related_sudo=False)
    left_id = fields.Many2one(
        "credit.insurance.rule.version", string="Older Version", domain="[('rule_id', '=', rule_id)]"
    )
    right_id = fields.Many2one(
        "credit.insurance.rule.version", string="Newer Version", required=True, domain="[('rule_id', '=', rule_id)]"
    )
