"""The figures a limit is decided on, frozen when it is asked for."""

from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_date, formatLang

# In the order in which they are shown; those of the first group are amounts in the limit's currency.
MONEY = (
    "exposure_not_due",
    "exposure_overdue",
    "exposure_confirmed",
    "exposure_credits",
    "exposure",
    "insured_limit",
    "own_limit",
    "limit_amount",
    "headroom",
    "recommended_limit",
)
PLAIN = ("recommended_term_days", "grade", "risk_class", "limit_state")


class CreditInsuranceLimitFigures(models.AbstractModel):
    _name = "credit.insurance.limit.figures"
    _description = "Figures for a Limit"

    @api.model
    def _freeze(self, buyer):
        """What is known of a buyer now, as JSON: amounts as text, exactly, with their currency."""
        facts = buyer._get_figures(buyer.company_id)[buyer.id]
        return {
            "on": buyer.company_id._credit_today().isoformat(),
            "currency": buyer.currency_id.name,
            "company_currency": buyer.company_id.currency_id.name,
            "turnover": str(facts.turnover),
            "days_late": str(facts.days_late) if facts.days_late is not None else None,
            **{name: f"{buyer[name]:.{buyer.currency_id.decimal_places}f}" for name in MONEY},
            **{name: buyer[name] or None for name in PLAIN},
        }

    @api.model
    def _to_html(self, figures):
        """The frozen figures as a table in the reader's language."""
        if not figures:
            return False
        rows = Markup().join(
            Markup("<tr><td>%s</td><td class='text-end text-nowrap'>%s</td></tr>") % line
            for line in self._get_lines(figures)
        )
        return Markup("<table class='table table-sm w-auto'><tbody>%s</tbody></table>") % rows

    @api.model
    def _get_lines(self, figures):
        buyer = self.env["credit.insurance.buyer"]
        currency = self.env["res.currency"]._credit_get(figures["currency"])
        lines = [(self.env._("As of"), format_date(self.env, figures["on"]))]
        for name in (*MONEY, *PLAIN):
            value = figures.get(name)
            if name in MONEY and value is not None:
                value = currency.format(float(value)) if currency else value
            lines.append((buyer._fields[name]._description_string(self.env), self._translate(name, value)))
        company_currency = self.env["res.currency"]._credit_get(figures["company_currency"])
        lines.append((self.env._("Invoiced in 12 months"), company_currency.format(float(figures["turnover"]))))
        days = figures["days_late"]
        late = self.env._("not known")
        if days is not None:
            late = self.env._("%s days", formatLang(self.env, float(days), digits=1))
        return [*lines, (self.env._("Average days late in 12 months"), late)]

    @api.model
    def _translate(self, name, value):
        if value is None:
            return self.env._("not known")
        field = self.env["credit.insurance.buyer"]._fields[name]
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        return str(value)
