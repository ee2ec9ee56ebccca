from odoo import api, fields, models

from .credit_insurance_grade_scale import RISK_CLASSES


class CreditInsuranceCountryClass(models.Model):
    """How risky a country is from a day on, as people or an insurer's list say."""

    _name = "credit.insurance.country.class"
    _description = "Class of a Country"
    _order = "country_id, date_from desc, id desc"
    _rec_name = "country_id"

    country_id = fields.Many2one("res.country", required=True, ondelete="cascade", index=True)
    risk_class = fields.Selection(RISK_CLASSES, required=True)
    date_from = fields.Date(required=True, default=fields.Date.context_today)
    source = fields.Char(help="Whose list it comes from.")

    _day_uniq = models.UniqueIndex("(country_id, date_from)", "The country has a class from that day already.")

    @api.depends("country_id", "risk_class")
    def _compute_display_name(self):
        labels = dict(self._fields["risk_class"]._description_selection(self.env))
        for row in self:
            row.display_name = f"{row.country_id.name}: {labels.get(row.risk_class, '')}"
