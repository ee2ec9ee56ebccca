from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import Outcome


class CreditInsuranceGate(models.AbstractModel):
    """Growth of a confirmed order that a person wants and the gate refused."""

    _inherit = "credit.insurance.gate"

    @api.model
    def _hold_growth(self, order, amount):
        """Put the growth of ``order`` to ``amount`` (its currency, tax included) on hold, without changing the order.

        :return: the hold; empty when the new amount fits by now
        """
        order = order.sudo()
        still_open = self.env["credit.insurance.exposure"]._get_open_order_amounts(order).get(order.id, 0.0)
        still_open += amount - order.amount_total
        cases = self._prepare_cases(order, "growth", {order.id: still_open})
        [(case, decision)] = self._judge(cases, self._get_figures(cases), None)
        if decision.outcome is Outcome.PASS:
            return self.env["credit.insurance.hold"]
        log = (
            self.env["credit.insurance.decision"]
            .sudo()
            .create({**self._prepare_decision_vals(case, decision, "growth"), "order_amount": amount})
        )
        hold = self.env["credit.insurance.hold"]._open(order, log)
        hold.order_amount = amount
        return hold
