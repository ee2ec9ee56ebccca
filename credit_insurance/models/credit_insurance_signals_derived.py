from odoo import api, models

from .credit_insurance_signal import extend_catalogue


class CreditInsuranceSignals(models.AbstractModel):
    _inherit = "credit.insurance.signals"

    @api.model
    def _get_base_catalogue(self):
        """The signals without those that administrators derived."""
        return super()._get_catalogue()  # pylint: disable=super-method-mismatch

    @api.model
    def _get_catalogue(self):
        return extend_catalogue(super()._get_catalogue(), self.env["credit.insurance.signal"]._get_active_texts())
