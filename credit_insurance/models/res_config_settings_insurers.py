from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .credit_insurance_exchange import DAYS_PARAMETER, DEFAULT_DAYS


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    credit_exchange_days = fields.Integer(
        string="Keep Exchanges For", config_parameter=DAYS_PARAMETER, default=DEFAULT_DAYS
    )

    @api.constrains("credit_exchange_days")
    def _check_credit_exchange_days(self):
        for settings in self:
            if settings.credit_exchange_days < 1:
                raise ValidationError(self.env._("Exchanges with insurers are kept for one day at least."))
