from odoo import api, models
from odoo.exceptions import AccessError


class CreditComputedFields(models.AbstractModel):
    """For models with stored fields that core computes and the gate reads."""

    _name = "credit.insurance.computed.fields"
    _description = "Fields a Client Does Not Write"

    @api.model
    def _credit_refuse_computed(self, vals_list, computed):
        """Refuse what core computes and stores: a client that writes it would choose what the gate sees.

        :param computed: names of these fields
        :raise AccessError: a client gives one of them
        """
        given = {name for vals in vals_list for name in vals if name in computed}
        if given and not self.env.su:
            raise AccessError(
                self.env._("%s is computed by Odoo and cannot be given by hand.", ", ".join(sorted(given)))
            )
