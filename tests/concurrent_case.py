"""Tests on committed data, which other transactions and processes see."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests.common import BaseCase, get_db_name

from odoo.addons.queue_job import jobrunner

LIMIT, AMOUNT = 1000, 300


class ConcurrentCase(BaseCase):
    """Works on committed data: locks and snapshots of a test that never commits would prove nothing.

    The server that pytest-odoo starts brings queue_job's runner along, which sees what is committed and would take
    the jobs away from the test: it is stopped.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if jobrunner.runner_thread:
            jobrunner.runner_thread.stop()
            jobrunner.runner_thread.join()
            jobrunner.runner_thread = None

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

    def _make_orders(self, partner_id, count, **values):
        with self._transaction() as env:
            line = {"product_id": self.product_id, "product_uom_qty": 1, "price_unit": AMOUNT, "tax_ids": []}
            orders = env["sale.order"].create(
                [{"partner_id": partner_id, "order_line": [Command.create(line)], **values} for _number in range(count)]
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
