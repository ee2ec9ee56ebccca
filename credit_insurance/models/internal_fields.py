from odoo import models


class CreditInternalFields(models.AbstractModel):
    """For models that customers read as well: what credit says about them is for employees."""

    _name = "credit.insurance.internal.fields"
    _description = "Fields for Employees"

    def _has_field_access(self, field, operation):
        allowed = super()._has_field_access(field, operation)
        if not allowed or self.env.su or field._modules[:1] != ("credit_insurance",):
            return allowed
        return self.env.user._is_internal()
