from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    credit_role_critical = fields.Selection(related="company_id.credit_role_critical", readonly=False)
    credit_role_high = fields.Selection(related="company_id.credit_role_high", readonly=False)
    credit_role_warning = fields.Selection(related="company_id.credit_role_warning", readonly=False)
    credit_role_info = fields.Selection(related="company_id.credit_role_info", readonly=False)
    credit_alert_digest = fields.Boolean(related="company_id.credit_alert_digest", readonly=False)
