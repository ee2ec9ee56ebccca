"""Records that grant credit, or prove what was decided, hold what the system says and nothing that a client prefers.

Every employee may keep defaults for any field, and Odoo fills them in also where the system creates a record on the
employee's behalf: a hold could be born released. Defaults of a context do not get so far, ``sudo`` drops them.
"""

from odoo import api, models


class IrDefault(models.Model):
    _inherit = "ir.default"

    @api.model
    def _get_model_defaults(self, model_name, condition=False):
        """Kept defaults are for no field of credit insurance, but for those of its wizards."""
        defaults = super()._get_model_defaults(model_name, condition)
        model = self.env.get(model_name)
        if not defaults or model is None or model._transient:
            return defaults
        ours = ("credit_insurance",)
        return {name: value for name, value in defaults.items() if model._fields[name]._modules[:1] != ours}
