from odoo import api, models
from odoo.exceptions import ValidationError

from .amounts import LARGEST


class CreditAmounts(models.AbstractModel):
    """For models with amounts that clients send: JSON knows infinity and NaN, and a float holds more than any money.

    Odoo itself fails on them where it rounds, or stores them where it does not.
    """

    _name = "credit.insurance.amounts"
    _description = "Amounts That Can Be Counted"
    _credit_largest = LARGEST

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._credit_refuse_uncountable(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._credit_refuse_uncountable(vals)
        return super().write(vals)

    def _credit_refuse_uncountable(self, vals):
        """:raise ValidationError: a number among the values is none, or is too large to be counted to the cent"""
        for name, value in vals.items():
            if not value or name not in self._fields or self._fields[name].type not in ("float", "monetary"):
                continue
            try:
                countable = abs(float(value)) < self._credit_largest
            except (TypeError, ValueError):
                continue  # what is no number at all is Odoo's to refuse
            except OverflowError:
                countable = False
            if not countable:
                raise ValidationError(
                    self.env._(
                        "%(field)s of “%(record)s” cannot be %(value)s. Type a number below %(largest)s.",
                        field=self._fields[name]._description_string(self.env),
                        record=self[:1].display_name or self.env["ir.model"]._get(self._name).name,
                        value=value,
                        largest=f"{LARGEST:,.0f}",
                    )
                )
