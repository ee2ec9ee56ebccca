from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import Rate
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox
from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon

ASKING = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_submission_asking"


@tagged("post_install", "-at_install")
class TestSubmissionAsking(ClaimCommon):
    """Insurers are asked in turn and within bounds, however much is open."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.requests = cls.env["credit.insurance.cover.request"].sudo()

    def setUp(self):
        super().setUp()
        bound = patch(f"{ASKING}.ASKED_AN_HOUR", 2)
        bound.start()
        self.addCleanup(bound.stop)

    def _open(self, count, policy=None):
        """Requests that wait for the insurer's decision."""
        policy = policy or self.policy
        found = self.requests.browse()
        for number in range(count):
            partner = self.env["res.partner"].create({"name": f"Buyer {number}", "is_company": True})
            buyer = self.env["credit.insurance.buyer"]._get_or_create(partner, self.company)
            found |= self.requests.create({"buyer_id": buyer.id, "policy_id": policy.id, "amount": 1.0})
        for request in found:
            request.write({"state": "pending", "insurer_reference": f"CR-{request.id}"})
            request.sent_to = policy.account_id._get_place()
        return found

    def _run(self):
        """The cron once: the requests it put in line, and when each of their jobs is due, in seconds."""
        before = self._jobs()
        self.requests._cron_ask_status()
        fresh = self._jobs() - before
        now = fields.Datetime.now()
        asked = self.requests.union(*(job.records for job in fresh))
        return asked, [round((job.eta - now).total_seconds()) if job.eta else 0 for job in fresh]

    def _jobs(self):
        jobs = self.env["queue.job"].sudo()
        domain = [("model_name", "=", self.requests._name), ("method_name", "=", "_job_status")]
        return jobs.search([*domain, ("state", "=", "pending")], order="id")

    def _end_jobs(self):
        self._jobs().write({"state": "done"})

    def test_no_more_than_an_hours_questions_are_in_line(self):
        self._open(5)
        self.assertEqual(len(self._run()[0]), 2)
        self.assertFalse(self._run()[0], "those of the hour before still wait")

    def test_all_have_their_turn_whatever_becomes_of_the_questions(self):
        found = self._open(5)
        asked = self.requests.browse()
        for day in range(3):
            with self.subTest(day):
                with patch.object(fields.Datetime, "now", return_value=fields.Datetime.now() + timedelta(hours=day)):
                    asked |= self._run()[0]
                self._end_jobs()  # without an answer: nothing tells that they were asked but that they were in line
        self.assertEqual(asked, found)

    def test_what_was_asked_longest_ago_is_asked_first(self):
        found = self._open(3)
        now = fields.Datetime.now()
        for request, hours in zip(found, (2, 9, 5), strict=True):
            request.asked_on = now - timedelta(hours=hours)
        self.assertEqual(self._run()[0], found[1] | found[2])

    def test_the_questions_keep_to_half_of_the_insurers_limit_and_are_spread(self):
        self._open(5)
        with patch(f"{ASKING}.ASKED_AN_HOUR", 1000), patch.object(Sandbox, "rates", (Rate(6, 3600),)):
            asked, seconds = self._run()
        self.assertEqual(len(asked), 3)
        self.assertEqual([second // 100 for second in seconds], [0, 11, 23] if seconds[1] < 1200 else [0, 12, 24])

    def test_a_connection_with_much_open_leaves_room_for_the_others(self):
        account = self.account.sudo().copy({"name": "Other", "state": "test"})
        other = self._make_policy(number="POL-2", account_id=account.id)
        many, few = self._open(4), self._open(1, policy=other)
        asked = self._run()[0]
        self.assertEqual((len(asked & many), asked & few), (2, few))

    def test_what_was_sent_elsewhere_takes_no_room(self):
        found = self._open(5)
        found[:3].sent_to = "elsewhere"
        self.assertEqual(self._run()[0], found[3:])

    def test_a_call_without_numbers_asks_within_bounds_too(self):
        self._open(5)
        with trap_jobs() as trap, patch(f"{ASKING[: ASKING.rindex('.')]}.credit_insurance_wake_up.IDS_AT_ONCE", 3):
            self.env["credit.insurance.wake.up"].sudo()._ask_submissions(self.account, None, [])
            trap.assert_jobs_count(3)

    def test_the_number_of_statements_does_not_grow_with_what_is_open(self):
        self._open(3)
        self.env.flush_all()
        self.env.invalidate_all()
        few = self._count()
        self._end_jobs()
        self._open(20)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertLessEqual(self._count(), few + 2)

    def _count(self):
        before = self.cr.sql_log_count
        self._run()
        return self.cr.sql_log_count - before
