"""Stop and release as people live them, in a browser."""

from odoo.tests import HttpCase, tagged

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestCreditGateTour(CreditCommon, HttpCase):
    def test_rep_is_stopped_and_manager_releases(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500)
        self.start_tour(f"/odoo/sales/{order.id}", "credit_gate_rep", login=self.rep.login, timeout=180)
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))
        self.assertEqual(order.credit_hold_ids.requested_by_id, self.rep)
        self.start_tour("/odoo", "credit_gate_manager", login=self.manager.login, timeout=180)
        self.assertEqual((order.state, order.credit_state), ("sale", "passed"))
        self.assertEqual(order.credit_hold_ids.decided_by_id, self.manager)
