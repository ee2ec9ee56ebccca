"""What passed is on record, calls are counted and tokens shared over all workers: on connections of their own."""

import json
from datetime import UTC, datetime, timedelta
from threading import Thread
from unittest.mock import patch

from psycopg2.pool import PoolError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors import Credentials, Exchange, MemoryLimiter, Rate, RateLimited, Token
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox
from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_call import SharedLimiter
from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_exchange import DAYS_PARAMETER
from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_token import SharedTokenStore

from .common import CreditCommon
from .simulator_case import POLICY_NUMBER, SimulatorCase

MODELS = "odoo.addons.credit_insurance.credit_insurance.models"
TABLES = ("credit_insurance_exchange", "credit_insurance_token")


def fetch(dbname, query, *arguments):
    """Rows as another transaction sees them."""
    with db_connect(dbname).cursor() as cr:
        cr.execute(query, arguments)
        return cr.fetchall() if cr.description else cr.rowcount


class SideCase(SimulatorCase, CreditCommon):
    """What is written on connections of its own outlives the test: it is removed by its account or its customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dbname = cls.env.cr.dbname
        cls.addClassCleanup(cls._remove)

    @classmethod
    def _remove(cls):
        for table in TABLES:
            fetch(cls.dbname, f"DELETE FROM {table} WHERE account_id = %s", cls.account.id)
        fetch(cls.dbname, "DELETE FROM credit_insurance_call WHERE customer ~ %s", "^(sandbox:|test )")

    def setUp(self):
        super().setUp()
        self._remove()

    def _recorded(self, columns="operation, status, outcome"):
        return fetch(
            self.dbname,
            f"SELECT {columns} FROM credit_insurance_exchange WHERE account_id = %s ORDER BY id",
            self.account.id,
        )

    def _add(self, **values):
        """An exchange in this transaction, where the test can read it."""
        values = {
            "account_id": self.account.id,
            "company_id": self.company.id,
            "operation": "cover_page",
            "status": 200,
            "outcome": "answered",
            "started_at": fields.Datetime.now(),
            "seconds": 0.5,
            **values,
        }
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        self.env.cr.execute(
            f"INSERT INTO credit_insurance_exchange ({names}) VALUES ({marks}) RETURNING id", list(values.values())
        )
        return self.env["credit.insurance.exchange"].browse(self.env.cr.fetchone()[0])


@tagged("post_install", "-at_install")
class TestExchange(SideCase):
    # === RECORD === #

    def test_every_attempt_is_on_record_though_the_transaction_is_rolled_back(self):
        self.simulator.control.fault("status", path="/v1/policies", status=503, times=1)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint(), self.account._connect() as insurer:
            with patch("time.sleep"):
                insurer.policy_details(POLICY_NUMBER)
            raise ZeroDivisionError
        self.assertEqual(
            [row for row in self._recorded() if row[0] != "authorize"],
            [("policy_details", 503, "failed"), ("policy_details", 200, "answered")],
        )

    def test_record_holds_no_secret(self):
        with self.account._connect() as insurer:
            insurer.policy_details(POLICY_NUMBER)
        text = str(self._recorded("*"))
        self.assertIn(POLICY_NUMBER, text)
        self.assertNotIn(self.simulator.api_key, text)
        for token in self.simulator.control.tokens() if hasattr(self.simulator.control, "tokens") else ():
            self.assertNotIn(token, text)
        [body] = {row[0] for row in self._recorded("response_body") if "access_token" in row[0]}
        self.assertEqual(json.loads(body)["access_token"], "***")

    def test_record_knows_what_it_is_about(self):
        buyer = self._make_linked_buyer("1001")
        with self.account._connect(about=buyer) as insurer:
            insurer.grades(["1001"])
        row = self._recorded("res_model, res_id, reference, company_id")[-1]
        self.assertEqual(row, ("credit.insurance.buyer", buyer.id, buyer.display_name, self.company.id))
        exchange = self._add(res_model="credit.insurance.buyer", res_id=buyer.id)
        self.assertEqual(exchange.action_open_record()["res_id"], buyer.id)
        listed = self.env["credit.insurance.exchange"]._action_about(buyer)
        self.assertEqual(self.env["credit.insurance.exchange"].search(listed["domain"]), exchange)
        with self.assertRaises(UserError):
            self._add(res_model="no.such.model", res_id=1).action_open_record()

    def test_job_says_what_its_exchanges_are_about(self):
        self.env["credit.insurance.pull"]._start(self.account)
        job = (
            self.env["queue.job"]
            .sudo()
            .search([("model_name", "=", "credit.insurance.pull")], limit=1, order="id desc")
        )
        account = self.account.sudo().with_context(job_uuid=job.uuid)
        with account._connect() as insurer:
            insurer.grades(["1001"])
        [row] = set(self._recorded("res_model, res_id, job_uuid"))
        self.assertEqual(row, ("credit.insurance.pull", job.records.id, job.uuid))
        # The context of a client says nothing.
        self._remove()
        with self.account.with_context(job_uuid=job.uuid)._connect() as insurer:
            insurer.grades(["1001"])
        self.assertEqual(set(self._recorded("res_model, job_uuid")), {(None, None)})

    def test_record_that_fails_breaks_no_call(self):
        for failure in (PoolError("full"), ValueError("anything")):
            with (
                patch(f"{MODELS}.credit_insurance_exchange.side_cursor", side_effect=failure),
                self.assertLogs(f"{MODELS}.credit_insurance_exchange", "WARNING"),
                self.account._connect() as insurer,
            ):
                self.assertEqual(insurer.policy_details(POLICY_NUMBER).number, POLICY_NUMBER)
        self.assertFalse(self._recorded())

    def test_whatever_comes_fits_the_table(self):
        recorder = self.env["credit.insurance.exchange"]._make_recorder(self.account)
        exchange = Exchange(
            insurer="sandbox",
            operation="x",
            request_id="r",
            attempt=1,
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            seconds=1.0,
            method="GET",
            url="https://insurer.example/" + "u" * 10_000,
            request_headers={"X": "\0\ud800" * 20_000},
            request_body="\0" * 200_000,
            response_body="\ud800é" * 200_000,
            error="e\0" * 10_000,
        )
        recorder(exchange)
        [row] = self._recorded("url, request_headers, request_body, response_body, error, status, outcome")
        self.assertLessEqual(max(len(text) for text in row[:5]), 64 * 1024)
        self.assertEqual(row[5:], (0, "failed"))

    # === WHO READS, HOW LONG === #

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_credit_administrators_of_the_company_read_and_nobody_writes(self):
        exchange = self._add()
        for user in (self.rep, self.officer, self.manager):
            with self.assertRaises(AccessError):
                exchange.with_user(user).read(["request_body"])
        self.assertEqual(exchange.with_user(self.administrator).read(["status"])[0]["status"], 200)
        for method in ("write", "unlink"):
            with self.assertRaises(AccessError):
                getattr(exchange.with_user(self.administrator), method)(*([{"status": 1}] if method == "write" else []))
        with self.assertRaises(AccessError):
            self.env["credit.insurance.exchange"].with_user(self.administrator).create({"operation": "x"})
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            login="admin_elsewhere",
            groups="base.group_user,credit_insurance.credit_insurance_group_admin",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(self.env["credit.insurance.exchange"].with_user(stranger).search([("id", "=", exchange.id)]))

    def test_old_exchanges_are_purged_after_the_days_of_the_settings(self):
        old = self._add(started_at=fields.Datetime.now() - timedelta(days=6))
        young = self._add(started_at=fields.Datetime.now() - timedelta(days=4))
        self.env["credit.insurance.exchange"]._gc_exchanges()
        self.assertEqual((old | young).exists(), old | young)
        self.env["res.config.settings"].create({"credit_exchange_days": 5}).execute()
        self.env["credit.insurance.exchange"]._gc_exchanges()
        self.assertEqual((old | young).exists(), young)
        self.env["ir.config_parameter"].set_param(DAYS_PARAMETER, "nonsense")
        self.assertEqual(self.env["credit.insurance.exchange"]._get_days(), 30)

    def test_what_passed_about_something_whose_fate_is_unknown_is_kept(self):
        buyer = self._make_linked_buyer("1001")
        requests = self.env["credit.insurance.cover.request"]
        request = requests.sudo().create({"buyer_id": buyer.id, "policy_id": self.policy.id, "amount": 1.0})
        attempts = self.env["credit.insurance.attempt"].sudo()
        long_ago = fields.Datetime.now() - timedelta(days=800)
        about = {"res_model": request._name, "res_id": request.id}
        for state, maybe_sent, kept in (
            ("queued", False, True),
            ("uncertain", True, True),
            ("failed", True, True),
            ("failed", False, False),
            ("accepted", False, False),
        ):
            with self.subTest(state, maybe_sent=maybe_sent):
                request.write({"state": state, "maybe_sent": maybe_sent})
                exchange = self._add(started_at=long_ago, **about)
                other = self._add(started_at=long_ago)
                attempt = attempts.create({**about, "started_at": long_ago})
                self.env["credit.insurance.exchange"]._gc_exchanges()
                attempts._gc_attempts()
                self.env.invalidate_all()
                found = (bool(exchange.exists()), bool(other.exists()), bool(attempt.exists()))
                self.assertEqual(found, (kept, False, kept))

    # === STATE OF A CONNECTION === #

    def test_state_of_a_connection_by_operation(self):
        now = fields.Datetime.now()
        self._add(started_at=now - timedelta(days=10))
        self._add(started_at=now - timedelta(hours=2), seconds=1.0)
        self._add(started_at=now - timedelta(hours=1), seconds=3.0, status=503, outcome="failed")
        self._add(started_at=now, operation="grades", status=0, outcome="failed", error="no answer in time")
        covers, grades = self.account.health_ids.sorted("operation")
        self.assertEqual((covers.label, covers.call_count, covers.failure_count), ("List of covers", 2, 1))
        self.assertEqual((covers.failure_rate, covers.seconds), (0.5, 2.0))
        self.assertEqual((covers.last_success, covers.last_error), (now - timedelta(hours=2), "HTTP 503"))
        self.assertEqual((grades.last_success, grades.last_error), (False, "no answer in time"))
        self.assertAlmostEqual(self.account.failure_rate, 2 / 3)

    def test_jobs_of_a_connection_are_counted(self):
        self.env["credit.insurance.pull"]._start(self.account)
        other = self.account.copy({"name": "Other"})
        self.assertEqual((self.account.waiting_count, self.account.failed_count), (1, 0))
        self.assertEqual(other.waiting_count, 0)
        self.env["queue.job"].sudo().search([("model_name", "=", "credit.insurance.pull")]).write({"state": "failed"})
        self.account.invalidate_recordset()
        self.assertEqual((self.account.waiting_count, self.account.failed_count), (0, 1))

    def test_jobs_that_match_buyers_or_follow_up_calls_count_in_the_queue(self):
        other = self.account.copy({"name": "Other", "state": "test"})
        for number in range(25):
            self._make_buyer(partner=self.env["res.partner"].create({"name": str(number), "is_company": True}))
        self.account.with_user(self.manager).action_match_buyers()
        self.env["credit.insurance.wake.up"].sudo()._enqueue(self.account, 1)
        self.account.invalidate_recordset()
        jobs = self.env["queue.job"].sudo().search([("method_name", "in", ("_job_match", "_job_follow_up"))])
        self.assertGreaterEqual(len(jobs), 3)
        self.assertEqual((self.account.waiting_count, other.waiting_count), (len(jobs), 0))


@tagged("post_install", "-at_install")
class TestLimiter(SideCase):
    def _limiter(self, *rates, **options):
        return SharedLimiter(self.dbname, f"test {self.account.id}", "sandbox", rates, **options)

    def test_workers_share_the_limit(self):
        now = [1000.0]
        one, other = (self._limiter(Rate(3, 60.0), now=lambda: now[0]) for _worker in range(2))
        for limiter in (one, other, one):
            limiter.acquire("covers")
        with self.assertRaises(RateLimited) as caught:
            other.acquire("covers")
        self.assertAlmostEqual(caught.exception.retry_after, 60.0)
        self.assertFalse(caught.exception.may_have_acted)
        other.acquire("grades")
        now[0] += 60.0
        other.acquire("covers")

    def test_limit_of_all_operations_together(self):
        limiter = self._limiter(Rate(2, 60.0, per_operation=False), now=lambda: 5.0)
        limiter.acquire("covers")
        limiter.acquire("grades")
        with self.assertRaises(RateLimited):
            limiter.acquire("claims")

    def test_it_counts_like_the_limiter_of_one_process(self):
        """The same times of calls, the same answers."""
        rates = (Rate(3, 10.0), Rate(4, 25.0, per_operation=False))
        now = [0.0]
        ours = self._limiter(*rates, now=lambda: now[0], patience=0.0)
        theirs = MemoryLimiter("sandbox", rates, patience=0.0, clock=lambda: now[0])
        for step in range(40):
            now[0] += (0.5, 4.0, 1.0)[step % 3]
            answers = [self._ask(limiter, "ab"[step % 2]) for limiter in (ours, theirs)]
            self.assertEqual(*answers, step)

    def _ask(self, limiter, operation):
        try:
            limiter.acquire(operation)
        except RateLimited as exc:
            return round(exc.retry_after, 6)
        return None

    def test_short_wait_is_waited(self):
        now, waits = [0.0], []

        def sleep(seconds):
            waits.append(seconds)
            now[0] += seconds

        limiter = self._limiter(Rate(1, 1.5), now=lambda: now[0], sleep=sleep)
        limiter.acquire("covers")
        limiter.acquire("covers")
        self.assertEqual(waits, [1.5])

    def test_calls_at_the_same_instant_do_not_exceed_the_limit(self):
        passed = []

        def call():
            if self._ask(self._limiter(Rate(5, 3600.0)), "covers") is None:
                passed.append(True)

        threads = [Thread(target=call) for _number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(passed), 5)

    def test_call_that_cannot_be_counted_does_not_leave(self):
        with (
            patch(f"{MODELS}.credit_insurance_call.side_cursor", side_effect=PoolError("full")),
            self.assertRaises(RateLimited) as caught,
        ):
            self._limiter(Rate(5, 3600.0)).acquire("covers")
        self.assertTrue(caught.exception.retryable)

    def test_connection_keeps_to_the_rates_of_its_connector(self):
        with patch.object(Sandbox, "rates", (Rate(2, 3600.0),)), self.account._connect() as insurer:
            for _call in range(2):
                insurer.policy_details(POLICY_NUMBER)
            with self.assertRaises(RateLimited):
                insurer.policy_details(POLICY_NUMBER)
            # Another worker, another connection to the same insurer.
            with self.account._connect() as another, self.assertRaises(RateLimited):
                another.policy_details(POLICY_NUMBER)

    def _spend(self, account):
        """Whether a call of ``account`` left, where one an hour is allowed."""
        with patch.object(Sandbox, "rates", (Rate(1, 3600.0),)), account._connect() as insurer:
            limiter = insurer._transport.hooks.limiter
            return self._ask(limiter, "covers") is None

    def test_companies_with_the_same_credentials_share_one_allowance(self):
        company = self.env["res.company"].create({"name": "Second"})
        twin = self.account.copy({"company_id": company.id, "name": "Twin", "state": "test"})
        twin.api_key = self.simulator.api_key
        self.assertTrue(self._spend(self.account))
        self.assertFalse(self._spend(twin))
        twin.api_key = "another customer's"
        self.assertTrue(self._spend(twin))

    def test_environments_have_allowances_of_their_own(self):
        self.assertTrue(self._spend(self.account))
        self.account.sudo().write({"state": "enabled", "production_base_url": self.simulator.url})
        self.account.api_key = self.simulator.api_key
        self.assertTrue(self._spend(self.account))
        self.assertFalse(self._spend(self.account))

    def test_counted_calls_do_not_show_whose_they_are(self):
        self._spend(self.account)
        [[told]] = fetch(self.dbname, "SELECT string_agg(customer, ' ') FROM credit_insurance_call")
        self.assertIn("sandbox:test:", told)
        self.assertNotIn(self.simulator.api_key, told)


@tagged("post_install", "-at_install")
class TestTokens(SideCase):
    def _store(self, salt="salt", **secrets):
        return SharedTokenStore(self.dbname, self.account.id, Credentials(**(secrets or {"api_key": "k"})), salt)

    def test_workers_share_a_token(self):
        self._store().put("slot", Token("t0ken", 5.0))
        self.assertEqual(self._store().get("slot"), Token("t0ken", 5.0))
        self._store().put("slot", Token("newer", 6.0))
        self.assertEqual(self._store().get("slot"), Token("newer", 6.0))
        self.assertIsNone(self._store().get("other"))

    def test_database_alone_tells_no_token(self):
        self._store().put("slot", Token("t0ken", 5.0))
        self.assertNotIn("t0ken", str(fetch(self.dbname, "SELECT * FROM credit_insurance_token")))
        self.assertIsNone(self._store(api_key="guessed").get("slot"))
        self.assertIsNone(self._store(salt="a copy's").get("slot"))
        fetch(
            self.dbname, "UPDATE credit_insurance_token SET content = 'damaged' WHERE account_id = %s", self.account.id
        )
        self.assertIsNone(self._store().get("slot"))

    def test_token_is_taken_once_for_two_connections(self):
        for _worker in range(2):
            with self.account._connect() as insurer:
                insurer.policy_details(POLICY_NUMBER)
        taken = [row for row in self._recorded() if row[0] == "authorize"]
        self.assertEqual(len(taken), 1)

    def test_without_the_database_a_token_is_taken_anew(self):
        with (
            patch(f"{MODELS}.credit_insurance_token.side_cursor", side_effect=PoolError("full")),
            self.assertLogs(f"{MODELS}.credit_insurance_token", "WARNING"),
            self.account._connect() as insurer,
        ):
            self.assertEqual(insurer.policy_details(POLICY_NUMBER).number, POLICY_NUMBER)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_model")
    def test_nobody_reads_tokens_or_counted_calls(self):
        system = self.env.ref("base.user_admin")
        for model in ("credit.insurance.token", "credit.insurance.call"):
            for user in (self.rep, self.administrator, system):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).create({})
