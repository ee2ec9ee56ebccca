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

    def test_card_follows_what_is_typed_and_opens_what_a_figure_consists_of(self):
        self._make_buyer(limit=1000)
        self._make_confirmed_order(500)
        order = self._make_order(100)
        self.start_tour(f"/odoo/sales/{order.id}", "credit_card_live", login=self.rep.login, timeout=180)
        self.assertFalse(order.credit_hold_ids, "typing writes nothing")
        self.assertEqual(order.amount_total, 400, "a click on a figure saves what was typed first")

    def test_rep_makes_the_link_for_the_prepayment_that_would_do(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500)
        self.start_tour(f"/odoo/sales/{order.id}", "credit_card_prepayment", login=self.rep.login, timeout=180)
        self.assertFalse(order.credit_hold_ids, "making a link confirms nothing")

    def test_rep_who_leaves_a_refused_growth_asks_for_its_release_and_keeps_what_was_typed(self):
        self._make_buyer(limit=1000)
        order = self._make_confirmed_order(800)
        self.start_tour(f"/odoo/sales/{order.id}", "credit_growth_refused", login=self.rep.login, timeout=180)
        self.assertEqual(order.credit_change_hold_id.requested_by_id, self.rep)
        self.assertEqual(order.amount_total, 800)
