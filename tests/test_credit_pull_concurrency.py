"""Two people, or two workers, pull from one insurer at once, on committed data."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import Command, fields
from odoo.service.model import PG_CONCURRENCY_ERRORS_TO_RETRY, retrying
from odoo.tests import tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors.simulator import Simulator
from odoo.addons.queue_job.exception import RetryableJobError

from .concurrent_case import ConcurrentCase

POLICY = "POL-P"
NUMBERS = [f"C-{number}" for number in range(30)]
SANDBOX = "odoo.addons.credit_insurance.connectors.sandbox"


@tagged("post_install", "-at_install")
class TestPullConcurrency(ConcurrentCase):
    def setUp(self):
        super().setUp()
        self.simulator = Simulator()
        self.simulator.start()
        self.addCleanup(self.simulator.stop)
        with self._transaction() as env:
            company, today = env.ref("base.main_company"), fields.Date.today()
            currency = company.currency_id.name
            policy = {"policyNumber": POLICY, "holder": "T", "currency": currency, "startsOn": -9}
            self.simulator.control.seed(
                data={
                    "policies": [{**policy, "insuredPercentage": "90"}],
                    "buyers": [{"buyerId": number, "name": number, "country": "DE"} for number in NUMBERS],
                }
            )
            for number in NUMBERS:
                self.simulator.control.set_cover(number, statusCode="APPROVED", amount=1000)
            values = {"company_id": company.id, "insurer_id": env.ref("credit_insurance.insurer_allianz_trade").id}
            account = env["credit.insurance.account"].create(
                {**values, "name": "Two pulls", "connector": "sandbox", "state": "test"}
            )
            account.write({"base_url": self.simulator.url, "api_key": self.simulator.api_key})
            policy = env["credit.insurance.policy"].create(
                {
                    **values,
                    "number": POLICY,
                    "account_id": account.id,
                    "currency_id": company.currency_id.id,
                    "date_start": today - timedelta(days=9),
                }
            )
            partners = env["res.partner"].create(
                [{"name": f"Pulled {number}", "is_company": True} for number in NUMBERS]
            )
            buyers = env["credit.insurance.buyer"].browse()
            for number, partner in zip(NUMBERS, partners, strict=True):
                buyer = env["credit.insurance.buyer"]._get_or_create(partner, company)
                buyer.link_ids = [Command.create({"account_id": account.id, "external_id": number})]
                buyers |= buyer
            self.account_id, self.policy_id, self.buyer_ids = account.id, policy.id, buyers.ids

    def tearDown(self):
        # The job runner looks at the jobs, too: what it writes at this moment is waited for.
        with self._transaction() as env:
            retrying(lambda: self._clean(env), env)
        super().tearDown()

    def _clean(self, env):
        env["queue.job"].search([("model_name", "=like", "credit.insurance.%")]).unlink()
        for table in ("impact", "event", "grade", "cover", "buyer_link"):
            env.cr.execute(f"DELETE FROM credit_insurance_{table} WHERE buyer_id = ANY(%s)", [self.buyer_ids])
        env.cr.execute("DELETE FROM credit_insurance_pull WHERE account_id = %s", [self.account_id])
        env["credit.insurance.policy"].browse(self.policy_id).unlink()
        env["credit.insurance.account"].browse(self.account_id).unlink()

    def _at_once(self, action):
        """Run this function of an environment twice at the same instant; what each returned or raised."""
        barrier = threading.Barrier(2)

        def run(_number):
            threading.current_thread().dbname = get_db_name()
            with self._transaction() as env:
                env.cr.execute("SELECT 1 FROM credit_insurance_pull LIMIT 1")  # the snapshot is taken
                barrier.wait(timeout=60)
                try:
                    return retrying(lambda: action(env), env)
                except Exception as error:  # noqa: BLE001 (whatever a client would have been told)
                    return error

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(run, range(2)))

    def _pulls(self, env):
        return env["credit.insurance.pull"].search([("account_id", "=", self.account_id)], order="id")

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_people_who_pull_at_once_begin_one_pull_and_see_no_error(self):
        results = self._at_once(lambda env: env["credit.insurance.account"].browse(self.account_id).action_pull())
        self.assertEqual([type(result) for result in results], [dict, dict], results)
        with self._transaction() as env:
            self.assertEqual(self._pulls(env).mapped("state"), ["running"])
            key = f"credit_insurance.pull-{self._pulls(env).id}-%"
            self.assertEqual(env["queue.job"].search_count([("identity_key", "=like", key)]), 1)

    @mute_logger("odoo.sql_db")
    def test_two_workers_on_one_pull_double_nothing_and_lose_nothing(self):
        with self._transaction() as env:
            pull_id = env["credit.insurance.pull"]._start(env["credit.insurance.account"].browse(self.account_id)).id
        end, barrier = time.monotonic() + 60, threading.Barrier(2)

        def work(_number):
            """A worker: repeats its job as the job runner does, until the pull is over."""
            threading.current_thread().dbname = get_db_name()
            barrier.wait(timeout=60)
            while time.monotonic() < end:
                try:
                    with self._transaction() as env:
                        pull = env["credit.insurance.pull"].browse(pull_id)
                        if pull.state != "running":
                            return pull.state
                        pull._job_pages()
                except RetryableJobError:
                    time.sleep(0.01)
                except psycopg2.OperationalError as error:
                    if error.pgcode not in PG_CONCURRENCY_ERRORS_TO_RETRY:
                        return error
            return "never done"

        with patch(f"{SANDBOX}.PAGE_SIZE", 3), ThreadPoolExecutor(2) as pool:
            self.assertEqual(list(pool.map(work, range(2))), ["done", "done"])
        with self._transaction() as env:
            pull = env["credit.insurance.pull"].browse(pull_id)
            covers = env["credit.insurance.cover"].search([("buyer_id", "in", self.buyer_ids)])
            self.assertEqual(sorted(covers.mapped("buyer_id.id")), sorted(self.buyer_ids))
            self.assertEqual((pull.cover_count, pull.changed_count), (len(NUMBERS), len(NUMBERS)))
            self.assertFalse(pull.error or pull.problem or pull.account_id.last_error)
            self.assertFalse(covers.buyer_id.link_ids.filtered("missing_since"))
