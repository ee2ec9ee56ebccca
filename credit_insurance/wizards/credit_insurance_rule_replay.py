from odoo import api, fields, models

from odoo.addons.credit_insurance.credit_insurance.models.marked_words import tell_rule
from odoo.addons.credit_insurance.credit_insurance.models.rule_document import write_rule


class CreditInsuranceRuleReplay(models.TransientModel):
    """A rule decided again by the reference evaluator: the text it was evaluated under, the values kept then.

    Those of an alert are the newest it had; those of a credit decision are as they were when it was made.
    """

    _name = "credit.insurance.rule.replay"
    _description = "Replay of a Risk Rule"

    alert_id = fields.Many2one("credit.insurance.alert", compute="_compute_alert_id", store=True, readonly=True)
    decision_id = fields.Many2one("credit.insurance.decision", readonly=True)
    place = fields.Integer(readonly=True, help="Which of the rules that the decision rests on.")
    rule_version_id = fields.Many2one("credit.insurance.rule.version", compute="_compute_result")
    override_version_id = fields.Many2one("credit.insurance.rule.override.version", compute="_compute_result")
    rule_name = fields.Char(string="Rule", compute="_compute_result")
    fired = fields.Boolean(compute="_compute_result", help="Whether the rule fired then.")
    document = fields.Text(compute="_compute_result", help="With what the company had overridden of it.")
    result = fields.Selection(
        [("same", "The same answer"), ("different", "Another answer"), ("impossible", "Cannot be evaluated")],
        compute="_compute_result",
    )
    note = fields.Text(compute="_compute_result")
    trace_html = fields.Html(compute="_compute_result", sanitize=False)

    @api.depends("decision_id", "place")
    def _compute_alert_id(self):
        for wizard in self.filtered("decision_id"):
            alert = self.env["credit.insurance.alert"].browse(wizard._get_evidence()["alert"])
            wizard.alert_id = alert.exists()

    @api.depends("alert_id", "decision_id", "place")
    def _compute_result(self):
        for wizard in self:
            evidence = wizard._get_evidence()
            rule, _problems = wizard.alert_id._get_rule_of(evidence)
            wizard.rule_version_id = evidence["version"]
            wizard.override_version_id = wizard.override_version_id.browse(evidence["override"]).exists()
            wizard.rule_name = tell_rule(self.env, evidence["rule"])
            wizard.fired = evidence.get("fired", True)
            wizard.document = write_rule(rule) if rule else wizard.rule_version_id.document
            wizard.result, wizard.note, rows = wizard.alert_id._replay(evidence)
            company = wizard.decision_id.company_id or wizard.alert_id.company_id
            vals = {"company_id": company.id, "trace": rows, "values_first": evidence["values"]}
            shown = wizard.alert_id.new(vals, origin=wizard.alert_id)
            wizard.trace_html = shown.trace_html if rows else False

    def _get_evidence(self):
        self.ensure_one()
        if not self.decision_id:
            return self.alert_id._prepare_evidence()
        self.decision_id.check_access("read")
        return self.decision_id.rule_evidence[self.place]
