from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    credit_currency_id = fields.Many2one(related="company_id.root_id.currency_id", string="Credit Currency")
    credit_gate_mode = fields.Selection(related="company_id.root_id.credit_gate_mode")
    credit_unchecked_buyers = fields.Selection(related="company_id.root_id.credit_unchecked_buyers", readonly=False)
    credit_default_limit = fields.Monetary(
        related="company_id.root_id.credit_default_limit", readonly=False, currency_field="credit_currency_id"
    )
    credit_limit_combination = fields.Selection(related="company_id.root_id.credit_limit_combination", readonly=False)
    credit_data_max_age_days = fields.Integer(related="company_id.root_id.credit_data_max_age_days", readonly=False)
    credit_stale_data = fields.Selection(related="company_id.root_id.credit_stale_data", readonly=False)
    credit_max_overdue_days = fields.Integer(related="company_id.root_id.credit_max_overdue_days", readonly=False)
    credit_max_overdue_amount = fields.Monetary(
        related="company_id.root_id.credit_max_overdue_amount", readonly=False, currency_field="credit_currency_id"
    )
    credit_profile_id = fields.Many2one(related="company_id.root_id.credit_profile_id", readonly=False)
    credit_check_order = fields.Boolean(related="company_id.root_id.credit_check_order", readonly=False)
    credit_order_grace_days = fields.Integer(related="company_id.root_id.credit_order_grace_days", readonly=False)
    credit_check_delivery = fields.Boolean(related="company_id.root_id.credit_check_delivery", readonly=False)
    credit_delivery_grace_days = fields.Integer(related="company_id.root_id.credit_delivery_grace_days", readonly=False)
    credit_check_invoice = fields.Selection(related="company_id.root_id.credit_check_invoice", readonly=False)
    credit_invoice_grace_days = fields.Integer(related="company_id.root_id.credit_invoice_grace_days", readonly=False)
    credit_responsible_id = fields.Many2one(related="company_id.root_id.credit_responsible_id", readonly=False)
    credit_limit_review_months = fields.Integer(related="company_id.root_id.credit_limit_review_months", readonly=False)
    credit_release_validity_days = fields.Integer(
        related="company_id.root_id.credit_release_validity_days", readonly=False
    )
    credit_release_max_days = fields.Integer(related="company_id.root_id.credit_release_max_days", readonly=False)
    credit_four_eyes_amount = fields.Monetary(
        related="company_id.root_id.credit_four_eyes_amount", readonly=False, currency_field="credit_currency_id"
    )
    credit_self_approval = fields.Boolean(related="company_id.root_id.credit_self_approval", readonly=False)
    credit_typed_limit_four_eyes = fields.Boolean(
        related="company_id.root_id.credit_typed_limit_four_eyes", readonly=False
    )
    credit_confirm_cleared = fields.Boolean(related="company_id.root_id.credit_confirm_cleared", readonly=False)
    credit_hold_lapse_days = fields.Integer(related="company_id.root_id.credit_hold_lapse_days", readonly=False)
    credit_hold_mail = fields.Boolean(related="company_id.root_id.credit_hold_mail", readonly=False)
    credit_rule_review = fields.Boolean(related="company_id.root_id.credit_rule_review", readonly=False)
