from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.credit_insurance.connectors import ConnectorError, Environment, connect


class CreditInsuranceAccountEnable(models.TransientModel):
    """Begin to talk to the insurer in earnest: asked for by name, by a system administrator."""

    _name = "credit.insurance.account.enable"
    _description = "Switch an Insurer Connection to Production"

    account_id = fields.Many2one("credit.insurance.account", required=True, readonly=True)
    name = fields.Char(related="account_id.name")
    problem = fields.Text(compute="_compute_problem", help="Why it cannot be switched yet.")
    confirmation = fields.Char(help="The connection's name, typed by hand.")

    @api.depends("account_id")
    def _compute_problem(self):
        for wizard in self:
            wizard.problem = wizard._get_problem()

    def action_enable(self):
        """Switch, when the name is confirmed and the connection could work; the chatter says who did."""
        self.ensure_one()
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("Production is switched on by system administrators."))
        self.account_id.check_access("write")
        if problem := self._get_problem():
            raise UserError(problem)
        if (self.confirmation or "").strip() != self.account_id.name.strip():
            raise UserError(self.env._("Type the name of the connection to confirm: %s", self.account_id.name))
        self.account_id.sudo().write({"state": "enabled"})
        self.account_id._message_log(body=self.env._("Switched to production by %s.", self.env.user.name))
        return {"type": "ir.actions.act_window_close"}

    def _get_problem(self):
        """Why the connection cannot be used in production, or False."""
        account = self.account_id
        if account._is_neutralized():
            return self.env._("This is a neutralized copy of the database: no connection is used in production here.")
        if not account.active:
            return self.env._("The connection “%s” is archived.", account.name)
        values = account._get_connection_values(Environment.PRODUCTION)
        try:
            connect(account.connector, **values).close()
        except ConnectorError as exc:
            return account._explain(exc)
        return False
