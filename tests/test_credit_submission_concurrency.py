import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from psycopg2.errors import LockNotAvailable, SerializationFailure, UniqueViolation

from odoo import Command, fields
from odoo.exceptions import UserError, ValidationError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors.simulator import Simulator
from odoo.addons.queue_job.exception import RetryableJobError

from .concurrent_case import ConcurrentCase


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@tagged("post_install", "-at_install")
class TestSubmissionConcurrency(ConcurrentCase):
    """Real transactions: what two users or two workers do at once, and what a killed one leaves behind."""

    def setUp(self):
        super().setUp()
        self.simulator = Simulator()
        self.simulator.start()
        self.addCleanup(self.simulator.stop)
        with self._transaction() as env:
            company, today = env.ref("base.main_company"), fields.Date.today()
            policy = {"policyNumber": "POL-C", "holder": "T", "currency": company.currency_id.name, "startsOn": -9}
            self.simulator.control.seed(
                data={
                    "policies": [{**policy, "insuredPercentage": "90"}],
                    "buyers": [{"buyerId": "B-1", "name": "Twice Ltd", "country": "DE"}],
                }
            )
            insurer = env.ref("credit_insurance.insurer_allianz_trade")
            account = env["credit.insurance.account"].create(
                {
                    "name": "Two workers",
                    "insurer_id": insurer.id,
                    "company_id": company.id,
                    "connector": "sandbox",
                    "state": "test",
                }
            )
            account.write({"base_url": self.simulator.url, "api_key": self.simulator.api_key})
            policy = env["credit.insurance.policy"].create(
                {
                    "number": "POL-C",
                    "insurer_id": insurer.id,
                    "account_id": account.id,
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    "date_start": today - timedelta(days=9),
                }
            )
            buyer = env["credit.insurance.buyer"].browse(self._make_committed_buyer(env, account))
            self.account_id, self.policy_id, self.buyer_id = account.id, policy.id, buyer.id

    def _make_committed_buyer(self, env, account):
        partner = env["res.partner"].create({"name": "Twice Ltd", "is_company": True})
        buyer = env["credit.insurance.buyer"]._get_or_create(partner, account.company_id)
        buyer.link_ids = [Command.create({"account_id": account.id, "external_id": "B-1"})]
        return buyer.id

    def tearDown(self):
        with self._transaction() as env:
            env["queue.job"].search([("model_name", "=", "credit.insurance.cover.request")]).unlink()
            for table in ("cover_request", "declaration"):
                env.cr.execute(f"DELETE FROM credit_insurance_{table} WHERE policy_id = %s", [self.policy_id])
            env["credit.insurance.buyer"].browse(self.buyer_id).link_ids.unlink()
            env["credit.insurance.policy"].browse(self.policy_id).unlink()
            env.cr.execute("DELETE FROM credit_insurance_pull WHERE account_id = %s", [self.account_id])
            env["credit.insurance.account"].browse(self.account_id).unlink()
        super().tearDown()

    def _at_once(self, *actions):
        """Run these functions of an environment at the same instant, each in its transaction with Odoo's retries."""
        barrier = threading.Barrier(len(actions))

        def run(action):
            threading.current_thread().dbname = get_db_name()
            with self._transaction() as env:
                env.cr.execute("SELECT 1 FROM credit_insurance_cover_request LIMIT 1")  # the snapshot is taken
                barrier.wait(timeout=60)
                try:
                    return retrying(lambda: action(env), env)
                except Exception as error:  # noqa: BLE001 (whatever a client would have been told)
                    return error

        with ThreadPoolExecutor(len(actions)) as pool:
            return list(pool.map(run, actions))

    def _create(self, env):
        values = {"buyer_id": self.buyer_id, "policy_id": self.policy_id, "kind": "new", "amount": 5000.0}
        return env["credit.insurance.cover.request"].create(values).id

    def _queue(self):
        with self._transaction() as env:
            request = env["credit.insurance.cover.request"].browse(self._create(env))
            request.sudo().action_submit()
            return request.id

    def _run_job(self, env, request_id):
        env["credit.insurance.cover.request"].browse(request_id)._job_submit()
        return "done"

    def _assert_one(self, request_id):
        found = self.simulator.control.sent("cover_request")
        with self._transaction() as env:
            request = env["credit.insurance.cover.request"].browse(request_id)
            self.assertEqual((request.state, request.insurer_reference), ("pending", found[0]["number"]))
            self.assertEqual([row["reference"] for row in found], [request.name])

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_requests_of_a_kind_at_once_leave_one(self):
        first, second = self._at_once(self._create, self._create)
        refused = [result for result in (first, second) if isinstance(result, Exception)]
        self.assertEqual(len(refused), 1)
        self.assertIsInstance(refused[0], (UserError, ValidationError, UniqueViolation))
        self.assertRegex(str(refused[0]), "already")

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_workers_with_one_job_send_once(self):
        request_id = self._queue()
        results = self._at_once(*[lambda env: self._run_job(env, request_id)] * 2)
        self.assertIn("done", results)
        others = [result for result in results if result != "done"]
        self.assertTrue(all(isinstance(result, RetryableJobError) for result in others), others)
        self._assert_one(request_id)
        posts = [call for call in self.simulator.control.requests() if call["method"] == "POST"]
        self.assertEqual(len([call for call in posts if call["path"] == "/v1/cover-requests"]), 1)

    def test_a_worker_killed_after_sending_leaves_its_try_behind(self):
        request_id = self._queue()
        with self.assertRaises(Killed), self._transaction() as env:
            self._run_job(env, request_id)
            raise Killed
        with self._transaction() as env:
            request = env["credit.insurance.cover.request"].browse(request_id)
            self.assertEqual((request.state, len(self.simulator.control.sent("cover_request"))), ("queued", 1))
            self.assertTrue(env["credit.insurance.attempt"]._exists(request))
            self._run_job(env, request_id)
        self._assert_one(request_id)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_people_press_send_at_once(self):
        with self._transaction() as env:
            request_id = self._create(env)

        def send(env):
            env["credit.insurance.cover.request"].browse(request_id).action_submit()
            return "done"

        results = self._at_once(send, send)
        self.assertEqual(results.count("done"), 1)
        with self._transaction() as env:
            key = f"credit_insurance.cover.request-{request_id}-submit"
            self.assertEqual(env["queue.job"].search_count([("identity_key", "=", key)]), 1)

    @mute_logger("odoo.sql_db")
    def test_declarations_of_one_policy_are_worked_out_one_after_the_other(self):
        """Two at once would both take a back-dated sale that neither has: the later one is repeated by Odoo."""
        day = fields.Date.today()
        with self._transaction() as env:
            vals = {"policy_id": self.policy_id, "kind": "turnover"}
            declarations = env["credit.insurance.declaration"]
            first, second = (
                declarations.create({**vals, "period_from": date, "period_to": date}).id
                for date in (day - timedelta(days=2), day - timedelta(days=1))
            )
        with self._transaction() as late, late.cr.savepoint(flush=False):
            late.cr.execute("SET LOCAL lock_timeout = '100ms'")
            waiting = late["credit.insurance.declaration"].browse(second)
            waiting.mapped("state")  # the snapshot is taken
            with self._transaction() as env:
                env["credit.insurance.declaration"].browse(first)._refresh_figures()
                with self.assertRaises(LockNotAvailable), late.cr.savepoint():
                    waiting._refresh_figures()
            with self.assertRaises(SerializationFailure), late.cr.savepoint():
                waiting._refresh_figures()
