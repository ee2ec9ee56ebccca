from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.credit_insurance.rules.policy import Mode, Outcome

# Enough to judge by; a company with more open quotations sees the newest ones.
QUOTATIONS_SHOWN = 500


class CreditInsuranceGateSwitch(models.TransientModel):
    """Switch a company's gate, seeing first what it would hold today."""

    _name = "credit.insurance.gate.switch"
    _description = "Switch the Credit Gate"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company.root_id)
    current_mode = fields.Selection(related="company_id.credit_gate_mode", string="Now")
    mode = fields.Selection(
        [("on", "On: hold orders over the limit"), ("observe", "Observe: record, hold nothing"), ("off", "Off")],
        default="on",
        required=True,
    )
    reason = fields.Char(required=True)
    line_ids = fields.One2many(
        "credit.insurance.gate.switch.line", "wizard_id", compute="_compute_line_ids", store=True
    )
    checked_count = fields.Integer(compute="_compute_line_ids", store=True, string="Quotations Looked At")

    @api.depends("company_id")
    def _compute_line_ids(self):
        """Every open quotation by itself: what would happen if it were confirmed now and the gate were on."""
        for wizard in self:
            orders = self.env["sale.order"].search(
                [("state", "in", ("draft", "sent")), ("company_id", "child_of", wizard.company_id.id)],
                order="id desc",
                limit=QUOTATIONS_SHOWN,
            )
            verdicts = self.env["credit.insurance.gate"]._preview(orders, mode=Mode.ON)
            wizard.checked_count = len(orders)
            wizard.line_ids = [fields.Command.clear()] + [
                fields.Command.create(
                    {
                        "order_id": case.subject.id,
                        "partner_id": case.buyer.partner_id,
                        "currency_id": case.buyer.currency_id,
                        "document_amount": float(decision.document.amount),
                        "exposure": float(decision.exposure.total.amount),
                        "limit_amount": float(decision.limit.amount) if decision.limit is not None else 0,
                        "shortfall": float(decision.shortfall.amount),
                        "reasons_text": self.env["credit.insurance.gate"]._describe(decision),
                    }
                )
                for case, decision in verdicts
                if decision.would_be is Outcome.HOLD
            ]

    def action_switch(self):
        self.ensure_one()
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            raise AccessError(self.env._("Only a credit manager switches the credit gate."))
        # The gate of a branch is the one of its root company.
        company = self.company_id.sudo().root_id
        if company not in self.env.user.company_ids:
            raise AccessError(self.env._("%s is not one of your companies.", company.name))
        # Credit managers do not administer companies: the check above is what allows this one change.
        company._switch_credit_gate(self.mode, self.reason)
        return {"type": "ir.actions.client", "tag": "reload"}


class CreditInsuranceGateSwitchLine(models.TransientModel):
    _name = "credit.insurance.gate.switch.line"
    _description = "Quotation That Would Be Held"

    wizard_id = fields.Many2one("credit.insurance.gate.switch", required=True, ondelete="cascade")
    order_id = fields.Many2one("sale.order", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Buyer", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    document_amount = fields.Monetary(string="This Order", readonly=True)
    limit_amount = fields.Monetary(string="Limit in Force", readonly=True)
    exposure = fields.Monetary(readonly=True)
    shortfall = fields.Monetary(readonly=True)
    reasons_text = fields.Text(string="Reasons", readonly=True)
