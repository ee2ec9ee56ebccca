"""Confirmations at the same instant, each in a transaction of its own and with Odoo's retry loop around it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tests.common import BaseCase, get_db_name

LIMIT, AMOUNT = 1000, 300


@tagged("post_install", "-at_install")
class TestConcurrentConfirmations(BaseCase):
    """Works on committed data: locks and snapshots of a test that never commits would prove nothing."""

    @contextmanager
    def _transaction(self):
        with Registry(get_db_name()).cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def setUp(self):
        super().setUp()
        with self._transaction() as env:
            company = env.ref("base.main_company")
            self.mode = company.credit_gate_mode
            company.credit_gate_mode = "on"
            self.product_id = env["product.product"].create({"name": "Concurrent goods", "type": "service"}).id

    def tearDown(self):
        with self._transaction() as env:
            env.ref("base.main_company").credit_gate_mode = self.mode
        super().tearDown()

    def _make_buyer(self, name):
        with self._transaction() as env:
            partner = env["res.partner"].create({"name": name, "is_company": True})
            buyer = env["credit.insurance.buyer"]._get_or_create(partner, env.company)
            env["credit.insurance.own.limit"].create({"buyer_id": buyer.id, "amount": LIMIT})
            return partner.id

    def _make_orders(self, partner_id, count):
        with self._transaction() as env:
            line = {"product_id": self.product_id, "product_uom_qty": 1, "price_unit": AMOUNT, "tax_ids": []}
            orders = env["sale.order"].create(
                [{"partner_id": partner_id, "order_line": [Command.create(line)]} for _number in range(count)]
            )
            return orders.ids

    def _confirm_at_once(self, batches):
        """Confirm every batch (list of order ids) at the same instant; the errors that reached a client."""
        barrier = threading.Barrier(len(batches))

        def confirm(order_ids):
            threading.current_thread().dbname = get_db_name()
            with self._transaction() as env:
                orders = env["sale.order"].browse(order_ids)
                orders.mapped("state")  # the snapshot is taken before anybody confirms
                barrier.wait(timeout=60)
                try:
                    retrying(orders.action_confirm, env)
                except Exception as error:  # noqa: BLE001 (whatever a client would have been told)
                    return error
            return None

        with ThreadPoolExecutor(len(batches)) as pool:
            return [error for error in pool.map(confirm, batches) if error]

    def _count_states(self, order_ids):
        with self._transaction() as env:
            orders = env["sale.order"].browse(order_ids)
            holds = orders.credit_hold_ids
            figures = {(hold.exposure, hold.shortfall, hold.state) for hold in holds}
            return len(orders.filtered(lambda order: order.state == "sale")), len(holds.order_id), figures

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

    def test_headroom_of_a_running_confirmation_is_not_given_twice(self):
        order_ids = self._make_orders(self._make_buyer("Still running"), 4)
        with self._transaction() as env:
            env["sale.order"].browse(order_ids[:3]).action_confirm()
            self.assertEqual(self._confirm_at_once([[order_ids[3]]]), [])
        confirmed, held, figures = self._count_states(order_ids)
        self.assertEqual((confirmed, held), (3, 1))
        self.assertEqual(figures, {(900, 200, "open")})
