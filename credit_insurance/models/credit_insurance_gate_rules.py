"""Risk rules that hold orders have their say before an order passes, not a minute later.

Their alert is there when the decision reads what holds its buyer, and stands like any other afterwards. The engine has
half a second; then the reference evaluator answers. Companies without such a rule pay nothing for it.
"""

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import ConcurrencyError

from odoo.addons.credit_insurance.rules.risk import Scope

ENGINE_TIMEOUT = 0.5


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _screen_orders(self, orders):
        """Evaluate the rules about orders on those that are about to pass.

        :raise ConcurrencyError: a screening raised the same alert at this instant: the whole confirmation is repeated
        """
        rules = self.env["credit.insurance.rule"]
        for company, own in orders.sudo().grouped(lambda order: order.company_id.root_id).items():
            if company.credit_gate_mode == "off" or not rules._may_hold_orders(company.id):
                continue
            try:
                with self.env.cr.savepoint():
                    self.env["credit.insurance.screening"]._screen_documents(Scope.ORDER, own, ENGINE_TIMEOUT)
                    self.env.flush_all()
            except UniqueViolation as error:
                raise ConcurrencyError("The same risk alert was raised at the same time") from error
