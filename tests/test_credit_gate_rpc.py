"""Confirmations at the same instant through a real server: prefork workers, HTTP, API keys, a salesman's rights."""

import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from tempfile import TemporaryFile
from threading import Barrier

import requests

from odoo import Command, fields
from odoo.tests import tagged
from odoo.tests.common import get_db_name
from odoo.tools import config

from .concurrent_case import LIMIT, ConcurrentCase

WORKERS, START_SECONDS = 4, 120


def _free_port():
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """Odoo with prefork workers on the database of the tests, for the time of a ``with`` block."""

    def __init__(self, database):
        self.database = database
        self.url = f"http://127.0.0.1:{_free_port()}"

    def __enter__(self):
        self._log = TemporaryFile()
        arguments = {
            "config": config["config"],
            "database": self.database,
            "db-filter": f"^{self.database}$",
            "http-interface": "127.0.0.1",
            "http-port": self.url.rpartition(":")[2],
            "gevent-port": _free_port(),
            "workers": WORKERS,
            "max-cron-threads": 0,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "odoo", *(f"--{name}={value}" for name, value in arguments.items())],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        self._wait()
        return self

    def __exit__(self, *_exc):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                requests.get(f"{self.url}/web/health", timeout=START_SECONDS).raise_for_status()
            except requests.ConnectionError:
                time.sleep(0.2)
            else:
                return
        self._log.seek(0)
        log = self._log.read().decode(errors="replace")
        self.__exit__()
        raise AssertionError(f"Odoo did not start:\n{log[-3000:]}")

    def call(self, key, model, method, **arguments):
        """The answer of a public method called as the user of an API key: ``(HTTP status, JSON)``."""
        answer = requests.post(
            f"{self.url}/json/2/{model}/{method}",
            json=arguments,
            headers={"Authorization": f"bearer {key}", "X-Odoo-Database": self.database},
            timeout=120,
        )
        return answer.status_code, answer.json()


@tagged("post_install", "-at_install")
class TestConfirmationsOverRpc(ConcurrentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(get_db_name()))

    def setUp(self):
        super().setUp()
        with self._transaction() as env:
            salesman = env["res.users"].create(
                {
                    "name": "Rep over RPC",
                    "login": f"rep_over_rpc_{time.time_ns()}",
                    "group_ids": [Command.set(env.ref("sales_team.group_sale_salesman").ids)],
                }
            )
            self.user_id = salesman.id
            tomorrow = fields.Datetime.now() + timedelta(days=1)
            self.key = env["res.users.apikeys"].with_user(salesman)._generate("rpc", "Test of the gate", tomorrow)

    def tearDown(self):
        with self._transaction() as env:
            env["res.users"].browse(self.user_id).active = False
        super().tearDown()

    def _make_own_orders(self, name, count):
        """Orders of the rep for a new buyer, whose limit is enough for three of them."""
        return self._make_orders(self._make_buyer(name), count, user_id=self.user_id)

    def _confirm_at_once(self, batches):
        """What each client was answered, all of them having called at the same instant."""
        barrier = Barrier(len(batches))

        def confirm(ids):
            barrier.wait(timeout=60)
            return self.server.call(self.key, "sale.order", "action_confirm", ids=ids)

        with ThreadPoolExecutor(len(batches)) as pool:
            return list(pool.map(confirm, batches))

    def test_twenty_clients_at_once_never_pass_the_limit(self):
        single = self._make_own_orders("Buyer over RPC", 20)
        first, second = self._make_own_orders("Crossing A over RPC", 6), self._make_own_orders("Crossing B over RPC", 6)
        crossing = [[a, b] if a % 2 else [b, a] for a, b in zip(first, second, strict=True)]
        answers = self._confirm_at_once([[order_id] for order_id in single])
        crossed = self._confirm_at_once(crossing)
        self.assertEqual([answer for status, answer in [*answers, *crossed] if status != 200], [])
        self.assertEqual(self._count_states(single), (3, 17, {(900, 200, "open")}))
        self.assertEqual(
            sorted(answer["params"]["credit_insurance"]["held"] for _status, answer in answers if answer is not True),
            sorted([order_id] for order_id in self._held(single)),
            "every client was told which of its orders is held",
        )
        for order_ids in (first, second):
            self.assertEqual(self._count_states(order_ids)[:2], (3, 3), "crossing batches do not wait in a circle")

    def _held(self, order_ids):
        with self._transaction() as env:
            return env["sale.order"].browse(order_ids).filtered(lambda order: order.state != "sale").ids

    def test_client_cannot_open_the_gate(self):
        [over] = self._make_own_orders("Hostile over RPC", 1)
        with self._transaction() as env:
            env["sale.order"].browse(over).order_line.price_unit = 10 * LIMIT
        contexts = [{name: True} for name in ("bypass_risk", "credit_bypass", "tracking_disable", "install_mode")]
        calls = [("action_confirm", {"context": context}) for context in contexts]
        calls += [("write", {"vals": {"state": "sale"}}), ("write", {"vals": {"credit_state": "passed"}})]
        calls += [(name, {}) for name in ("_action_confirm", "_credit_confirm_released", "_validate_order")]
        for method, arguments in calls:
            self.server.call(self.key, "sale.order", method, ids=[over], **arguments)
        for model in ("credit.insurance.pass", "credit.insurance.decision", "credit.insurance.hold"):
            status, _answer = self.server.call(self.key, model, "create", vals_list=[{"order_id": over}])
            self.assertEqual(status, 403, model)
        self.assertEqual(self._count_states([over])[0], 0)
