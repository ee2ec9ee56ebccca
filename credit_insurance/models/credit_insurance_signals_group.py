from decimal import Decimal

from odoo import api, models

from . import credit_insurance_signals  # noqa: F401 (has to be loaded first)
from .credit_insurance_exposure import ExposureRow
from .signals_group_sql import LIMIT_COLUMNS


class CreditInsuranceSignals(models.AbstractModel):
    """What buyers of a credit group share, as the gate judges it, in each buyer's company's currency."""

    _inherit = "credit.insurance.signals"

    @api.model
    def _add_groups(self, facts, today):
        told = {values["_group"]: values.pop("_group_told") for values in facts.values() if "_group_told" in values}
        figures = {}
        for values in facts.values():
            group_id = values.pop("_group", None)
            if group_id is None:
                continue
            key = group_id, values["_company"]
            if key not in figures:
                figures[key] = self._get_group_figures(*told[group_id], values["_company"], today)
            values.update(figures[key])

    @api.model
    def _get_group_figures(self, currency_id, limits, owed, company_id, today):
        """The signals of a group; those of its limit are missing where none was ever granted."""
        exposure, limit_model = self.env["credit.insurance.exposure"], self.env["credit.insurance.limit"]
        company = self.env["res.company"].browse(company_id)
        currency = self.env["res.currency"].browse(currency_id)
        rate, total = self._get_rate(company_id, currency_id, today), Decimal(0)
        for root_id, source, owed_currency_id, amount, booked in owed or ():
            row = ExposureRow(source, owed_currency_id, Decimal(amount), None if booked is None else Decimal(booked))
            root = self.env["res.company"].browse(root_id)
            total += sum(exposure._convert_rows([row], root, currency, today).values())
        found = {"group_exposure": total * rate}
        rows = [limit_model._make_own_limit(dict(zip(LIMIT_COLUMNS, row, strict=True))) for row in limits or ()]
        code = exposure._get_currency_names({currency_id})[currency_id]
        limit = self.env["credit.insurance.group"]._get_limit(rows, code, company, today)
        if limit.amount is not None:
            amount = limit.amount.amount
            found |= {"group_limit": amount * rate, "group_headroom": (amount - total) * rate}
            if amount:
                found["group_utilisation"] = total * 100 / amount
        return found
