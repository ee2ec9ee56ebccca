"""Deciding an alert again: the text it was raised under, on the values that were kept with it."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .credit_insurance_rule_editor import HARMLESS
from .credit_insurance_signal import read_signal
from .marked_words import tell_label
from .rule_document import evaluate_rows, override_rule, read_rule
from .rule_trace import from_json, table_rows, trace_rows


class CreditInsuranceAlert(models.Model):
    _inherit = "credit.insurance.alert"

    def action_replay(self):
        self.ensure_one()
        self.check_access("read")
        if not self.rule_version_id:
            raise UserError(self.env._("This alert was raised before versions were kept."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Replay"),
            "res_model": "credit.insurance.rule.replay",
            "res_id": self.env["credit.insurance.rule.replay"].create({"alert_id": self.id}).id,
            "view_mode": "form",
            "target": "new",
        }

    @api.model
    def _get_rule_of(self, evidence):
        """``(Rule | None, problems)`` of what fired: the rule's version, with what the company overrode of it."""
        version = self.env["credit.insurance.rule.version"].sudo().browse(evidence["version"]).exists()
        rule, problems = read_rule(version.document)
        if rule and evidence["override_document"]:
            rule, problems = override_rule(rule, evidence["override_document"])
        return rule, problems

    @api.model
    def _replay(self, evidence):
        """Evaluate again what was stored: ``(result, note, trace rows)``; nothing is written."""
        catalogue = self._get_catalogue_of(evidence)
        rule, problems = self._get_rule_of(evidence)
        problems = problems or self.env["credit.insurance.rule"]._check_rule(rule, catalogue)
        if any(problem.code not in HARMLESS for problem in problems):
            return "impossible", self.env["credit.insurance.rule"]._describe(problems), []
        facts = {
            key: from_json(catalogue[key], value)
            for key, value in (evidence["values"] or {}).items()
            if key in catalogue and value is not None
        }
        outcomes = evaluate_rows(rule, facts, fields.Date.to_date(evidence["today"]), catalogue)
        traces = [trace_rows(outcome, catalogue) for outcome in outcomes]
        # Of a decision table the rows that fire today, else the first one.
        fired = [outcome for outcome in outcomes if outcome.fired]
        rows = table_rows(fired, catalogue) if fired else traces[0]
        if "fired" in evidence:
            # Without a trace: that the rule fires, or does not, is all there is to compare.
            note = self.env._("It fires today.") if fired else self.env._("It does not fire today.")
            return ("same", False, rows) if evidence["fired"] == bool(fired) else ("different", note, rows)
        if evidence["trace"] in (rows, *traces):
            return "same", False, evidence["trace"]
        return "different", self._describe_difference(evidence["trace"], rows), rows

    @api.model
    def _get_catalogue_of(self, evidence):
        """The signals in force, and those that were when these values were kept: nothing has to compute them again."""
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        gone = [key for key in evidence["values"] or () if key not in catalogue]
        records = self.env["credit.insurance.signal"].sudo().search([("key", "in", gone)])
        return catalogue.extended(derived.signal for derived, _problems in map(read_signal, records.mapped("document")))

    @api.model
    def _describe_difference(self, before, rows):
        """The conditions that answer otherwise than they did."""
        answers = {(row.get("key"), row.get("operator"), row["level"]): row["answer"] for row in before or ()}
        changed = [
            tell_label(self.env, row["label"], row["key"])
            for row in rows
            if row["kind"] == "comparison" and answers.get((row["key"], row["operator"], row["level"])) != row["answer"]
        ]
        if changed:
            return self.env._("It answers otherwise for: %s", ", ".join(changed))
        return self.env._("Every condition answers as before; labels or values are written otherwise today.")
