"""From the history to what follows of it: events for the rules, and who is affected by cover that got worse."""

import json

from odoo import api, fields, models
from odoo.tools import SQL

from . import credit_insurance_cover, credit_insurance_grade  # noqa: F401 (have to be loaded first)
from .cover_change_sql import CHANGES, END_IMPACTS, GRADE_EVENTS, INSERT_EVENTS, INSERT_IMPACTS, UNDO_IMPACTS


class CreditInsuranceCover(models.Model):
    _inherit = "credit.insurance.cover"

    @api.model
    def _record_changes(self, policy, added):
        """Of these new answers under a policy, record those that changed a cover: a few statements for any number."""
        company = policy.company_id
        values = _make_values(self.env, added, company, policy.insurer_id)
        undone = [impact_id for (impact_id,) in self.env.execute_query(SQL(UNDO_IMPACTS, **values))]
        self._take_back_impacts(undone)
        found = self.env.execute_query(SQL("SELECT DISTINCT c.currency_id FROM (%s) c", SQL(CHANGES, **values)))
        if not found:
            return
        values["changes"] = SQL(CHANGES, **values)
        values["rates"] = json.dumps([self._get_rate(currency_id, company) for (currency_id,) in found])
        self.env.cr.execute(SQL(INSERT_EVENTS, **values))
        ended = [impact_id for (impact_id,) in self.env.execute_query(SQL(END_IMPACTS, **values))]
        impacts = [impact_id for (impact_id,) in self.env.execute_query(SQL(INSERT_IMPACTS, **values))]
        self.env["credit.insurance.event"].invalidate_model(flush=False)
        self._take_back_impacts(ended)
        self.env["credit.insurance.impact"].browse(impacts)._enqueue()

    @api.model
    def _take_back_impacts(self, ended):
        model = self.env["credit.insurance.impact"]
        model.invalidate_model(flush=False)
        if ended:
            model.browse(ended)._take_back()

    @api.model
    def _get_rate(self, currency_id, company):
        currency, today = self.env["res.currency"].browse(currency_id), company._credit_today()
        rate = self.env["res.currency"]._get_conversion_rate(currency, company.currency_id, company, today)
        return {"currency_id": currency_id, "rate": rate}


class CreditInsuranceGrade(models.Model):
    _inherit = "credit.insurance.grade"

    @api.model
    def _record_changes(self, added):
        """Of these new grades, record those that moved a buyer to another risk class."""
        if not added:
            return
        for insurer, grades in self.browse(added).grouped("insurer_id").items():
            for company, rows in grades.grouped("company_id").items():
                self.env.cr.execute(SQL(GRADE_EVENTS, **_make_values(self.env, rows.ids, company, insurer)))
        self.env["credit.insurance.event"].invalidate_model(flush=False)


def _make_values(env, added, company, insurer):
    return {
        "added": list(added),
        "today": company._credit_today(),
        "now": fields.Datetime.now(),
        "uid": env.uid,
        "source": insurer.name,
    }
