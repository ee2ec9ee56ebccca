from odoo import fields, models


class CreditInsuranceAccount(models.Model):
    """A company's connection to one insurer: which connector, which environment, which key."""

    _name = "credit.insurance.account"
    _description = "Insurer Connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "company_id, name"
    _check_company_auto = True

    name = fields.Char(required=True)
    insurer_id = fields.Many2one("credit.insurance.insurer", required=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company.root_id)
    state = fields.Selection(
        [("disabled", "Disabled"), ("test", "Test"), ("enabled", "Production")],
        default="disabled",
        required=True,
        tracking=True,
    )
    base_url = fields.Char(groups="base.group_system")
    api_key = fields.Char(groups="base.group_system", copy=False)
    policy_ids = fields.One2many("credit.insurance.policy", "account_id", string="Policies")
    link_ids = fields.One2many("credit.insurance.buyer.link", "account_id", string="Buyers")
    active = fields.Boolean(default=True)
