from odoo import api, fields, models
from odoo.exceptions import UserError

from .reasons import describe_reasons

# What a pass rests on, as ``rules.policy.Basis`` calls it.
BASES = [
    ("within_limit", "Within the limit"),
    ("not_checked", "Not checked"),
    ("zero_amount", "Nothing to pay"),
    ("prepaid", "Prepaid"),
    ("cash_before_delivery", "Delivery waits for the money"),
    ("secured", "Secured"),
    ("tolerance", "Within the tolerance"),
    ("below_threshold", "Small amount"),
    ("released", "Released"),
    ("observe", "Gate only observes"),
    ("gate_off", "Gate off"),
    ("none", "Nothing"),
]


class CreditInsuranceDecision(models.Model):
    """The log of everything the credit gate decided, with every figure of that moment. It is only ever added to."""

    _name = "credit.insurance.decision"
    _description = "Credit Decision"
    _order = "id desc"
    _rec_name = "order_name"

    order_id = fields.Many2one("sale.order", ondelete="set null", index="btree_not_null", readonly=True)
    picking_id = fields.Many2one(
        "stock.picking", string="Delivery", ondelete="set null", index="btree_not_null", readonly=True
    )
    move_id = fields.Many2one(
        "account.move", string="Invoice", ondelete="set null", index="btree_not_null", readonly=True
    )
    order_name = fields.Char(string="Document", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Buyer", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Asked By", readonly=True, default=lambda self: self.env.user)
    checkpoint = fields.Selection(
        [
            ("confirmation", "Order confirmation"),
            ("growth", "Change of a confirmed order"),
            ("recheck", "Check again"),
            ("delivery", "Delivery"),
            ("invoice", "Invoice without an order"),
        ],
        required=True,
        readonly=True,
    )
    gate_mode = fields.Selection([("off", "Off"), ("observe", "Observe"), ("on", "On")], required=True, readonly=True)
    outcome = fields.Selection([("pass", "Passed"), ("hold", "Held")], required=True, readonly=True, index=True)
    would_hold = fields.Boolean(readonly=True, help="Passed because the gate only observes; it would have been held.")
    basis = fields.Selection(BASES, string="Passed Because", readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    order_amount = fields.Monetary(currency_field="order_currency_id", readonly=True)
    order_currency_id = fields.Many2one("res.currency", readonly=True)
    document_amount = fields.Monetary(string="This Document", readonly=True, help="In the limit's currency.")
    limit_checked = fields.Boolean(readonly=True, help="Whether a limit was known and compared.")
    limit_amount = fields.Monetary(string="Limit in Force", readonly=True)
    insured_limit = fields.Monetary(readonly=True)
    own_limit = fields.Monetary(readonly=True)
    exposure_not_due = fields.Monetary(string="Open, Not Due", readonly=True)
    exposure_overdue = fields.Monetary(string="Overdue", readonly=True)
    exposure_confirmed = fields.Monetary(string="Confirmed, Not Invoiced", readonly=True)
    exposure_credits = fields.Monetary(string="Payments and Credits Not Applied", readonly=True)
    exposure_reserved = fields.Monetary(
        string="Being Confirmed Elsewhere", readonly=True, help="Orders that were passing at the same moment."
    )
    exposure = fields.Monetary(readonly=True)
    headroom = fields.Monetary(readonly=True, help="Before this document.")
    shortfall = fields.Monetary(readonly=True)
    prepaid = fields.Monetary(readonly=True)
    would_pass = fields.Monetary(
        string="What Would Pass", readonly=True, help="The largest amount of this document that would have passed."
    )
    limit_state = fields.Char(readonly=True)
    data_age_days = fields.Integer(string="Age of Insurer Data (days)", readonly=True)
    reasons = fields.Json(string="Reason Codes", readonly=True)
    limit_lines = fields.Json(readonly=True, help="How the limit in force came about, line by line.")
    reasons_text = fields.Text(string="Reasons", compute="_compute_reasons_text")

    @api.depends_context("lang", "uid")
    @api.depends("reasons")
    def _compute_reasons_text(self):
        for decision in self:
            decision.reasons_text = "\n".join(describe_reasons(self.env, decision.reasons))

    def _get_own_limit_lacking(self):
        """The own limit with which the document would have fitted its buyer's limit; what others share is not in it."""
        self.ensure_one()
        short = [reason["params"]["shortfall"] for reason in self.reasons or () if reason["code"] == "over_limit"]
        standing = self.own_limit
        if self.company_id.credit_limit_combination == "max":
            standing = max(standing, self.insured_limit)
        return standing + (float(short[0]["amount"]) if short else self.shortfall)

    def write(self, vals):  # pylint: disable=method-required-super
        self.check_access("write")
        raise UserError(self.env._("The log of credit decisions is never changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The log of credit decisions is never shortened."))
