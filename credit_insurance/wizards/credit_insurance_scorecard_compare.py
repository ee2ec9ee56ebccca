from odoo import fields, models

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_scorecard import card_texts

from . import credit_insurance_version_compare  # noqa: F401 (has to be loaded first)


class CreditInsuranceScorecardCompare(models.TransientModel):
    _name = "credit.insurance.scorecard.compare"
    _description = "Compare Versions of a Scorecard"
    _inherit = "credit.insurance.version.compare"
    _settings = ("in_use", "sequence")
    _get_field_texts = staticmethod(card_texts)

    scorecard_id = fields.Many2one(related="right_id.scorecard_id", related_sudo=False)
    left_id = fields.Many2one(
        "credit.insurance.scorecard.version",
        string="Older Version",
        domain="[('scorecard_id', '=', scorecard_id)]",
    )
    right_id = fields.Many2one(
        "credit.insurance.scorecard.version",
        string="Newer Version",
        required=True,
        domain="[('scorecard_id', '=', scorecard_id)]",
    )
