from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import Outcome


class CreditInsuranceGate(models.AbstractModel):
    """Growth of a confirmed order that a person wants and the gate refused."""

    _inherit = "credit.insurance.gate"

    @api.model
    def _hold_growth(self, order, amount, wanted=None):
        """Put the growth of ``order`` to ``amount`` (its currency, tax included) on hold, without changing the order.

        :param wanted: the order in memory as it is to be, where more of it changes than the amount
        :return: the hold; empty when what is wanted fits by now
        """
        order = order.sudo()
        wanted = (wanted or order._credit_make_wanted()).sudo()
        still_open = self.env["credit.insurance.exposure"]._get_open_order_amounts(order).get(order.id, 0.0)
        still_open += amount - order.amount_total
        cases = self._prepare_cases(wanted, "growth", {wanted.id: still_open})
        [(case, decision)] = self._judge(cases, self._get_figures(cases), None)
        if decision.outcome is Outcome.PASS:
            return self.env["credit.insurance.hold"]
        vals = self._prepare_decision_vals(case, decision, "growth") | {"order_id": order.id, "order_amount": amount}
        log = self.env["credit.insurance.decision"].sudo().create(vals)
        # Who may decide is asked for what the order is to be, not for what it is.
        return self.env["credit.insurance.hold"]._open(order, log, self._prepare_terms(case) | {"order_amount": amount})

    @api.model
    def _prepare_terms(self, case):
        """What a hold of an order keeps of its payment term and delivery: a release covers that and no more."""
        return {
            "payment_term_id": case.subject.payment_term_id.id,
            "delivery_date": self._get_delivery_date(case),
            "delivery_until": self._get_delivery_until(case),
        }
