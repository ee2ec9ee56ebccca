"""Deciding an alert again: the text it was raised under, on the values that were kept with it."""

from odoo import fields, models
from odoo.exceptions import UserError

from .credit_insurance_rule_editor import HARMLESS
from .rule_document import evaluate_rows
from .rule_trace import from_json, trace_rows


class CreditInsuranceAlert(models.Model):
    _inherit = "credit.insurance.alert"

    def action_replay(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Replay"),
            "res_model": "credit.insurance.rule.replay",
            "res_id": self.env["credit.insurance.rule.replay"].create({"alert_id": self.id}).id,
            "view_mode": "form",
            "target": "new",
        }

    def _replay(self):
        """Evaluate again what was stored: ``(result, note, trace rows)``; nothing is written."""
        self.ensure_one()
        version, catalogue = self.rule_version_id, self.env["credit.insurance.signals"]._get_catalogue()
        if not version:
            raise UserError(self.env._("This alert was raised before versions were kept."))
        rule, problems = self.env["credit.insurance.rule"]._check_text(self._get_rule_text())
        if any(problem.code not in HARMLESS for problem in problems):
            return "impossible", self.env["credit.insurance.rule"]._describe(problems), []
        facts = {
            key: from_json(catalogue[key], value)
            for key, value in (self.values_now or {}).items()
            if key in catalogue and value is not None
        }
        outcomes = evaluate_rows(rule, facts, fields.Date.to_date(self.last_seen), catalogue)
        traces = [trace_rows(outcome, catalogue) for outcome in outcomes]
        if self.trace in traces:
            return "same", False, self.trace
        # Of a decision table the row that fires today, else the first one.
        rows = next((trace for trace, found in zip(traces, outcomes, strict=True) if found.fired), traces[0])
        return "different", self._describe_difference(rows), rows

    def _describe_difference(self, rows):
        """The conditions that answer otherwise than they did."""
        before = {(row.get("key"), row.get("operator"), row["level"]): row["answer"] for row in self.trace or ()}
        changed = [
            row["label"]
            for row in rows
            if row["kind"] == "comparison" and before.get((row["key"], row["operator"], row["level"])) != row["answer"]
        ]
        if changed:
            return self.env._("It answers otherwise for: %s", ", ".join(changed))
        return self.env._("Every condition answers as before; labels or values are written otherwise today.")
