from odoo import api, fields, models


class CreditInsuranceNearMiss(models.TransientModel):
    """A rule that is close to firing for a buyer, as it was looked at. Gone by itself after a while."""

    _name = "credit.insurance.near.miss"
    _description = "Rule Close to Firing"
    _order = "closeness desc, id"

    buyer_id = fields.Many2one("credit.insurance.buyer", readonly=True, required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="buyer_id.company_id.currency_id")
    rule_id = fields.Many2one("credit.insurance.rule", readonly=True, required=True, ondelete="cascade")
    document_name = fields.Char(string="Document", readonly=True, help="Empty: the rule is about the buyer itself.")
    severity = fields.Selection(related="rule_id.severity")
    closeness = fields.Float(readonly=True, help="100 %: on the threshold. 0 %: a whole threshold away.")
    missing = fields.Text(string="What Is Missing", readonly=True)
    trace = fields.Json(readonly=True)
    trace_html = fields.Html(string="Conditions", compute="_compute_trace_html", sanitize=False)

    @api.depends("trace")
    @api.depends_context("lang")
    def _compute_trace_html(self):
        for miss in self:
            alert = self.env["credit.insurance.alert"].new({"buyer_id": miss.buyer_id.id, "trace": miss.trace})
            miss.trace_html = self.env["ir.qweb"]._render(
                "credit_insurance.credit_insurance_near_miss_trace", {"rows": alert._get_trace_rows()}
            )
