from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditInsuranceGateLog(models.Model):
    """Who switched a company's gate, when, from what to what, and why. It is only ever added to."""

    _name = "credit.insurance.gate.log"
    _description = "Switch of the Credit Gate"
    _order = "id desc"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, default=lambda self: self.env.user)
    mode_before = fields.Selection("_selection_mode", readonly=True)
    mode_after = fields.Selection("_selection_mode", readonly=True)
    reason = fields.Char(readonly=True)

    @api.model
    def _selection_mode(self):
        return self.env["res.company"]._fields["credit_gate_mode"]._description_selection(self.env)

    def write(self, vals):  # pylint: disable=method-required-super
        self.check_access("write")
        raise UserError(self.env._("The log of the credit gate is never changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The log of the credit gate is never shortened."))
