from odoo import fields, models

from .credit_insurance_action_webhook import ALLOWED_PARAMETER


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    credit_role_critical = fields.Selection(related="company_id.root_id.credit_role_critical", readonly=False)
    credit_role_high = fields.Selection(related="company_id.root_id.credit_role_high", readonly=False)
    credit_role_warning = fields.Selection(related="company_id.root_id.credit_role_warning", readonly=False)
    credit_role_info = fields.Selection(related="company_id.root_id.credit_role_info", readonly=False)
    credit_alert_digest = fields.Boolean(related="company_id.root_id.credit_alert_digest", readonly=False)
    credit_webhook_hosts = fields.Char(
        string="Hosts Inside That Webhooks May Call",
        config_parameter=ALLOWED_PARAMETER,
        help="Names, addresses or networks, separated by commas: erp.lan, 10.1.0.0/16. Empty: public addresses only.",
    )
