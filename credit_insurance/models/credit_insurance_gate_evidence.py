"""The risk rules a credit decision rests on: which text, which override, on which values; replayed on request.

An alert goes on living after the decision, so what it said at that moment is kept with the decision. Of rules that were
asked and hold nothing, the values that decided are kept.
"""

from odoo import api, fields, models

from odoo.addons.credit_insurance.rules.policy import ReasonCode
from odoo.addons.credit_insurance.rules.risk.facts import read_facts

from .company_calendar import company_day
from .rule_trace import to_json


def rests_on_rules(decision):
    """Whether an alert of a risk rule is among the reasons of a ``rules.policy`` decision."""
    return any(reason.code is ReasonCode.ALERT for reason in decision.reasons)


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _get_rule_evidence(self, decided, evaluated):
        """``{document: {"rule_evidence": [...]}}`` of the decisions that rest on rules.

        :param evaluated: what :meth:`_screen_orders` returned
        """
        held = self._get_alert_evidence(case for case, decision in decided if rests_on_rules(decision))
        evidence = {}
        for case, _decision in decided:
            kept = held.get(case.subject, [])
            told = {row["version"] for row in kept}
            asked = evaluated.get(case.subject.id, ()) if case.subject._name == "sale.order" else ()
            if kept := [*kept, *(row for row in asked if row["version"] not in told)]:
                evidence[case.subject] = {"rule_evidence": kept}
        return evidence

    @api.model
    def _prepare_evaluated(self, evaluated):
        """What a decision keeps of each rule that may hold orders and was asked about its order."""
        loaded = evaluated.loaded
        values = read_facts(evaluated.facts, loaded.engine.catalogue, evaluated.today, loaded.holding_reading).values
        return [
            {
                "alert": False,
                "rule": rule.name,
                "version": rule.version_id,
                "override": rule.override_id,
                "override_document": rule.override_document,
                "today": evaluated.today.isoformat(),
                "values": {key: to_json(values[key]) for key in rule.keys if key in values},
                "fired": rule.rule_id in evaluated.fired,
            }
            for rule in loaded.holding
        ]

    @api.model
    def _get_alert_evidence(self, cases):
        """What the alerts behind these cases say now: ``{document: [...]}``; one search for all of them."""
        cases = list(cases)
        if not cases:
            return {}
        live = (
            self.env["credit.insurance.alert"]
            .sudo()
            .search(
                [
                    ("buyer_id", "in", list({case.buyer.buyer_id for case in cases})),
                    ("ended_on", "=", False),
                    ("state", "in", ("open", "acknowledged")),
                    ("observe_only", "=", False),
                    "|",
                    ("holds", "!=", False),
                    ("rule_id.holds_orders", "=", True),
                ]
            )
        )
        return {
            case.subject: [
                alert._prepare_evidence()
                for alert in live.sorted("id")
                if alert.buyer_id.id == case.buyer.buyer_id and alert._holds_document(case.subject)
            ]
            for case in cases
        }


class CreditInsuranceAlert(models.Model):
    _inherit = "credit.insurance.alert"

    def _holds_document(self, document):
        """Whether this alert, which holds something, holds that document."""
        self.ensure_one()
        if self.holds != "order" or self.rule_id.holds_orders:
            return True
        return self.res_id in document._credit_order()._origin.ids

    def _prepare_evidence(self):
        """What a decision keeps of this alert, so that it can be replayed."""
        self.ensure_one()
        return {
            "alert": self.id,
            "rule": self.rule_id.name,
            "version": self.rule_version_id.id,
            "override": self.override_version_id.id,
            "override_document": self.override_document,
            "today": self._get_evaluated_on(),
            "values": self.values_now,
            "trace": self.trace,
        }

    def _get_evaluated_on(self):
        """The day on which its values were read, where its company is."""
        return company_day(self.company_id, self.last_seen).isoformat()


class CreditInsuranceDecision(models.Model):
    _inherit = "credit.insurance.decision"

    rule_evidence = fields.Json(readonly=True, help="The rules it rests on: text, override, values and answer then.")
    rests_on_rules = fields.Boolean(compute="_compute_rests_on_rules")

    @api.depends("rule_evidence")
    def _compute_rests_on_rules(self):
        for decision in self:
            decision.rests_on_rules = bool(decision.rule_evidence)

    def action_replay(self):
        """Decide again what the rules behind this decision said, one line for each of them."""
        self.ensure_one()
        self.check_access("read")
        replays = self.env["credit.insurance.rule.replay"].create(
            [{"decision_id": self.id, "place": place} for place in range(len(self.rule_evidence or ()))]
        )
        one = len(replays) == 1
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Replay"),
            "res_model": replays._name,
            "res_id": replays.id if one else False,
            "domain": [("id", "in", replays.ids)],
            "view_mode": "form" if one else "list,form",
            "views": [(False, "form")] if one else [(False, "list"), (False, "form")],
            "target": "new" if one else "current",
        }
