from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon


@tagged("post_install", "-at_install")
class TestWatch(ClaimCommon):
    """Buyers watched by the insurer, which calls when something changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.watch_buyers = True
        cls.link = cls.buyer.link_ids

    def _run(self):
        with trap_jobs() as trap:
            self.env["credit.insurance.account"]._cron_watch()
            jobs = len(trap.enqueued_jobs)
            trap.perform_enqueued_jobs()
        return jobs

    def _placed(self):
        return self.simulator.control.sent("monitoring")

    def test_a_buyer_is_watched_once_and_the_insurer_knows_where_to_call(self):
        self.account.sudo().action_renew_webhook_secret()
        for jobs in (1, 0):
            self.assertEqual(self._run(), jobs)
        [placed] = self._placed()
        self.assertEqual(placed["number"], self.link.watch_reference)
        self.assertIn(self.account.sudo().webhook_url, str(placed))

    def test_a_buyer_in_two_jobs_is_watched_once(self):
        links = self.env["credit.insurance.buyer.link"].sudo()
        for _job in range(2):
            links._job_watch(self.account.id, self.link.ids)
            self.link.sudo().watched_until = self.today + timedelta(days=300)
        self.assertEqual(len(self._placed()), 1)

    def test_a_corrected_number_is_watched_and_no_longer_the_old_one(self):
        policy = {
            "policyNumber": "POL-2",
            "holder": "Test",
            "currency": "EUR",
            "startsOn": -9,
            "insuredPercentage": "90",
        }
        second = {"buyerId": "B-2", "name": "Second", "country": "DE"}
        self.simulator.control.seed(data={"policies": [policy], "buyers": [second]})
        self._run()
        before = self.link.watch_reference
        self.link.with_user(self.manager).external_id = "B-2"
        self.assertFalse(self.link.watch_reference)
        self._run()
        self.assertNotIn(self.link.watch_reference, (False, before))
        self.assertEqual(len(self._placed()), 2)

    def test_nobody_is_watched_unless_somebody_wants_it(self):
        self.account.watch_buyers = False
        self.assertEqual((self._run(), self._placed()), (0, []))
        self.account.write({"watch_buyers": True, "state": "disabled"})
        self.assertEqual((self._run(), self._placed()), (0, []))
        self.account.write({"state": "test", "connector": "file"})
        self.assertFalse(self.account.can_watch)
        self.assertEqual(self._run(), 0)

    def test_it_is_renewed_before_it_ends(self):
        self._run()
        self.link.sudo().watched_until = self.today + timedelta(days=30)
        self.assertEqual(self._run(), 0)
        self.link.sudo().watched_until = self.today + timedelta(days=3)
        self.assertEqual(self._run(), 1)
        self.assertEqual(len(self._placed()), 2)

    def test_a_lost_answer_places_nothing_twice(self):
        for _time in range(4):
            self.simulator.control.fault("drop", when="after", path="/v1/monitorings")
        with self.assertRaises(RetryableJobError):
            self._run()
        self.simulator.control.faults.clear()
        self._run()
        self.assertEqual(len(self._placed()), 1)
        self.assertTrue(self.link.watch_reference)

    def test_a_refusal_is_kept_with_the_buyer_and_the_others_go_on(self):
        other = self._make_buyer(partner=self.env["res.partner"].create({"name": "Unknown", "is_company": True}))
        strange = self.env["credit.insurance.buyer.link"].create(
            {"account_id": self.account.id, "buyer_id": other.id, "external_id": "B-404"}
        )
        self._run()
        self.assertTrue(self.link.watch_reference)
        self.assertTrue(strange.watch_note)
        self.assertFalse(strange.watch_reference)
