"""Confirmations at the same instant, each in a transaction of its own and with Odoo's retry loop around it."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .concurrent_case import LIMIT, ConcurrentCase


@tagged("post_install", "-at_install")
class TestConcurrentConfirmations(ConcurrentCase):
    def test_twenty_confirmations_at_once_never_pass_the_limit(self):
        order_ids = self._make_orders(self._make_buyer("Concurrent buyer"), 20)
        errors = self._confirm_at_once([[order_id] for order_id in order_ids])
        self.assertEqual(errors, [])
        confirmed, held, figures = self._count_states(order_ids)
        self.assertEqual((confirmed, held), (3, 17), "all who lose are held, none fails")
        self.assertEqual(figures, {(900, 200, "open")}, "each hold has the figures that decided it")

    def test_crossing_batches_do_not_deadlock(self):
        first, second = self._make_buyer("Crossing A"), self._make_buyer("Crossing B")
        of_first, of_second = self._make_orders(first, 6), self._make_orders(second, 6)
        batches = [
            [a, b] if number % 2 else [b, a] for number, (a, b) in enumerate(zip(of_first, of_second, strict=True))
        ]
        self.assertEqual(self._confirm_at_once(batches), [])
        for order_ids in (of_first, of_second):
            self.assertEqual(self._count_states(order_ids)[:2], (3, 3))

    def test_confirmation_that_is_rolled_back_gives_its_headroom_back(self):
        order_ids = self._make_orders(self._make_buyer("Rolled back"), 2)
        with self._transaction() as env:
            orders = env["sale.order"].browse(order_ids)
            orders[0].order_line.price_unit = LIMIT
            orders[0].action_confirm()
            self.assertEqual(orders[0].state, "sale")
            env.cr.rollback()
        self.assertEqual(self._confirm_at_once([[order_ids[1]]]), [])
        self.assertEqual(self._count_states(order_ids[1:])[:2], (1, 0))

    def test_order_confirmed_by_several_at_once_is_decided_once(self):
        order_ids = self._make_orders(self._make_buyer("Same order"), 4)
        errors = self._confirm_at_once([order_ids[:1]] * 3)
        self.assertEqual([type(error) for error in errors], [UserError] * 2, "what Odoo says of a confirmed order")
        self.assertEqual(self._confirm_at_once([order_ids[1:3]]), [])
        self.assertEqual(self._confirm_at_once([order_ids[3:]] * 3), [], "all are told that it is held")
        self.assertEqual(self._count_states(order_ids), (3, 1, {(900, 200, "open")}))

    def test_headroom_of_a_running_confirmation_is_not_given_twice(self):
        order_ids = self._make_orders(self._make_buyer("Still running"), 4)
        with self._transaction() as env:
            env["sale.order"].browse(order_ids[:3]).action_confirm()
            self.assertEqual(self._confirm_at_once([[order_ids[3]]]), [])
        confirmed, held, figures = self._count_states(order_ids)
        self.assertEqual((confirmed, held), (3, 1))
        self.assertEqual(figures, {(900, 200, "open")})
