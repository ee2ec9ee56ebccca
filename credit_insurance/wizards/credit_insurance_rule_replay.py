from odoo import api, fields, models


class CreditInsuranceRuleReplay(models.TransientModel):
    """An alert decided again by the reference evaluator: the text it was raised under, the values kept with it."""

    _name = "credit.insurance.rule.replay"
    _description = "Replay of a Risk Alert"

    alert_id = fields.Many2one("credit.insurance.alert", required=True, readonly=True)
    rule_version_id = fields.Many2one(related="alert_id.rule_version_id")
    document = fields.Text(related="alert_id.rule_version_id.document")
    result = fields.Selection(
        [("same", "The same answer"), ("different", "Another answer"), ("impossible", "Cannot be evaluated")],
        compute="_compute_result",
    )
    note = fields.Text(compute="_compute_result")
    trace_html = fields.Html(compute="_compute_result", sanitize=False)

    @api.depends("alert_id")
    def _compute_result(self):
        for wizard in self:
            wizard.result, wizard.note, rows = wizard.alert_id._replay()
            shown = wizard.alert_id.new({"trace": rows}, origin=wizard.alert_id)
            wizard.trace_html = shown.trace_html if rows else False
