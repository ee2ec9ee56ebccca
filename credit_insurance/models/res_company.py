from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    credit_gate_mode = fields.Selection(
        [("off", "Off"), ("observe", "Observe"), ("on", "On")],
        string="Credit Gate",
        default="observe",
        required=True,
        help="Observe: decides and records, never holds. On: orders over the limit are held.",
    )
    credit_unchecked_buyers = fields.Selection(
        [("not_checked", "Not checked"), ("amount", "An amount"), ("no_credit", "No credit")],
        string="Buyers Without a Limit",
        default="not_checked",
        required=True,
    )
    credit_default_limit = fields.Monetary(string="Limit for Buyers Without One")
    credit_limit_combination = fields.Selection(
        [("add", "Insured limit + own limit"), ("max", "The larger of the two")],
        string="Limit in Force",
        default="add",
        required=True,
    )
    credit_data_max_age_days = fields.Integer(string="Maximum Age of Insurer Data (days)", default=7)
    credit_stale_data = fields.Selection(
        [("accept", "Accept it"), ("warn", "Accept it and warn"), ("none", "Treat it as no cover")],
        string="When Insurer Data Is Older",
        default="warn",
        required=True,
    )
    credit_responsible_id = fields.Many2one(
        "res.users", string="Credit Responsible", help="Gets the activity when an order is held."
    )
    credit_release_validity_days = fields.Integer(string="A Release Holds for (days)", default=14)
    credit_four_eyes_amount = fields.Monetary(
        string="Four Eyes From",
        help="From this amount on, whoever asked for a release may not grant it. Zero: always.",
    )
