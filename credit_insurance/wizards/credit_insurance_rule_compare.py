from odoo import api, fields, models

from odoo.addons.credit_insurance.credit_insurance.models.rule_document import field_texts
from odoo.addons.credit_insurance.credit_insurance.models.rule_settings import SETTINGS, describe_setting

from . import credit_insurance_version_compare  # noqa: F401 (has to be loaded first)


class CreditInsuranceRuleCompare(models.TransientModel):
    _name = "credit.insurance.rule.compare"
    _description = "Compare Versions of a Risk Rule"
    _inherit = "credit.insurance.version.compare"

    rule_id = fields.Many2one(related="right_id.rule_id", related_sudo=False)
    left_id = fields.Many2one(
        "credit.insurance.rule.version", string="Older Version", domain="[('rule_id', '=', rule_id)]"
    )
    right_id = fields.Many2one(
        "credit.insurance.rule.version", string="Newer Version", required=True, domain="[('rule_id', '=', rule_id)]"
    )

    @api.model
    def _get_field_texts(self, document):
        return field_texts(document)

    def _get_setting_names(self):
        return SETTINGS

    def _describe_setting(self, version, name):
        return describe_setting(version, name)
