from odoo import fields, models

from odoo.addons.credit_insurance.credit_insurance.models.rule_document import override_texts

from . import credit_insurance_version_compare  # noqa: F401 (has to be loaded first)


class CreditInsuranceRuleOverrideCompare(models.TransientModel):
    _name = "credit.insurance.rule.override.compare"
    _description = "Compare Versions of an Override of a Risk Rule"
    _inherit = "credit.insurance.version.compare"
    _settings = ("switched_off", "reason")
    _get_field_texts = staticmethod(override_texts)

    override_id = fields.Many2one(related="right_id.override_id", related_sudo=False)
    left_id = fields.Many2one(
        "credit.insurance.rule.override.version",
        string="Older Version",
        domain="[('override_id', '=', override_id)]",
    )
    right_id = fields.Many2one(
        "credit.insurance.rule.override.version",
        string="Newer Version",
        required=True,
        domain="[('override_id', '=', override_id)]",
    )
