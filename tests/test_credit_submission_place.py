import runpy
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from odoo.addons.credit_insurance.connectors.simulator import Simulator
from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon

ROOT = Path(__file__).resolve().parent.parent


@tagged("post_install", "-at_install")
class TestSubmissionPlace(ClaimCommon):
    """What was sent to the test environment is neither asked about nor repeated in production, and the like."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.production = Simulator()
        cls.production.start()
        cls.addClassCleanup(cls.production.stop)

    @classmethod
    def _seed(cls):
        policy = {"policyNumber": "POL-1", "holder": "Test", "currency": cls.company_currency.name, "startsOn": -700}
        return {
            "policies": [{**policy, "insuredPercentage": "90"}],
            "buyers": [{"buyerId": "B-1", "name": cls.partner.name, "country": "DE"}],
        }

    def _switch(self):
        """From tests to production, which has a simulator of its own."""
        account = self.account.sudo()
        account.production_base_url = self.production.url
        rows = account.setting_ids.filtered(lambda row: (row.name, row.environment) == ("api_key", "production"))
        rows.secret = self.production.api_key
        account.state = "enabled"

    def setUp(self):
        super().setUp()
        self.production.control.reset()
        self.production.control.seed(data=self._seed())

    def _calls(self):
        return [call["path"] for call in self.production.control.requests()]

    def _request(self, **values):
        vals = {"buyer_id": self.buyer.id, "policy_id": self.policy.id, "kind": "increase", "amount": 5000.0}
        return self.env["credit.insurance.cover.request"].with_user(self.officer).create({**vals, **values})

    def _sent_request(self):
        request = self._submit(self._request())
        self.assertEqual(request.state, "pending")
        return request

    def _notice(self):
        action = self.invoices.with_user(self.officer).action_credit_insurance_report_overdue()
        return self.env["credit.insurance.overdue.notice"].with_user(self.officer).browse(action["res_id"])

    def _duties(self):
        return self.invoices.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "notification")

    # === ASKING === #

    def test_what_was_sent_for_tests_is_not_asked_about_in_production(self):
        request, claim = self._sent_request(), self._submit(self._make_claim())
        self._switch()
        with trap_jobs() as trap:
            self._job(request)._cron_ask_status()
            self._job(claim)._cron_ask_status()
            wake_ups = self.env["credit.insurance.wake.up"].sudo()
            wake_ups._ask_submissions(self.account, None, [request.insurer_reference])
            trap.assert_jobs_count(0)
        for record in (request, claim):
            with self.assertRaisesRegex(UserError, "production"):
                record.action_ask_status()
        self.assertEqual(self._calls(), [])

    def test_a_question_queued_before_the_switch_is_not_asked_after_it(self):
        request = self._sent_request()
        with trap_jobs() as trap:
            self._job(request)._cron_ask_status()
            trap.assert_jobs_count(1)
            self._switch()
            trap.perform_enqueued_jobs()
        self.assertEqual((request.state, request.error_message, self._calls()), ("pending", False, []))

    def test_it_is_asked_about_again_once_the_connection_leads_back(self):
        request = self._sent_request()
        self._switch()
        self.account.action_use_for_tests()
        with trap_jobs() as trap:
            self._job(request)._cron_ask_status()
            trap.assert_jobs_count(1)
        self.assertFalse(request.elsewhere_text)

    def test_a_list_of_the_other_environment_says_nothing_about_it(self):
        request = self._sent_request()
        with self.account._connect() as insurer:
            state = insurer.cover_request_state(request.insurer_reference)
        self._switch()
        changed = self._job(request)._take_over_states(self.account, [state])
        self.assertFalse(changed)

    def test_what_was_handed_in_is_not_looked_for_among_tests(self):
        request = self._request()
        request.action_mark_sent()
        self._job(request).insurer_reference = "CR-1"
        with trap_jobs() as trap:
            self._job(request)._cron_ask_status()
            trap.assert_jobs_count(0)
            self._switch()
            self._job(request)._cron_ask_status()
            trap.assert_jobs_count(1)

    # === SENDING === #

    def test_what_was_queued_for_tests_does_not_leave_for_production(self):
        request = self._request()
        with trap_jobs() as trap:
            request.action_submit()
            self._switch()
            trap.perform_enqueued_jobs()
        self.assertEqual((request.state, request.maybe_sent, self._calls()), ("failed", False, []))
        self.assertRegex(request.error_message, "tests.*production")
        self._submit(request)
        self.assertEqual(len(self.production.control.sent("cover_request")), 1)

    def test_what_may_have_arrived_there_is_looked_up_by_a_person(self):
        for step in ("job", "person"):
            with self.subTest(step):
                request = self._request(kind="increase" if step == "job" else "reduce", amount=10.0)
                with trap_jobs():
                    request.action_submit()
                with self.env["credit.insurance.attempt"]._running(request):
                    pass
                self.addCleanup(self.env["credit.insurance.attempt"]._forget, request)
                if step == "person":
                    self._job(request)._on_submit_failed(None, "Killed", "")
                    self.assertEqual((request.state, request.maybe_sent), ("failed", True))
                self._switch()
                if step == "job":
                    self._job(request)._job_submit()
                else:
                    request.action_submit()
                self.assertEqual((request.state, self._calls()), ("uncertain", []))
                self.account.action_use_for_tests()

    def test_a_paper_goes_where_its_claim_went(self):
        claim = self._submit(self._make_claim())
        file = self.env["ir.attachment"].create(
            {"name": "a.txt", "raw": b"paper", "res_model": claim._name, "res_id": claim.id}
        )
        vals = {"claim_id": claim.id, "attachment_id": file.id}
        paper = self.env["credit.insurance.claim.document"].with_user(self.officer).create(vals)
        self._switch()
        with self.assertRaisesRegex(UserError, "elsewhere"):
            paper.action_submit()

    def test_a_file_number_of_the_tests_is_not_told_in_production(self):
        notice = self._submit(self._notice())
        self._job(notice).case_number = "CASE-1"
        cases = self.env["credit.insurance.collection.case"].with_user(self.officer)
        case = cases._create_from_invoices(self.invoices.with_user(self.officer))
        self.assertEqual(case.sudo()._get_message().case_number, "CASE-1")
        self._switch()
        self.assertEqual(case.sudo()._get_message().case_number, "")

    def test_a_pull_does_not_go_on_elsewhere(self):
        with trap_jobs() as trap:
            pull = self.env["credit.insurance.pull"]._start(self.account)
            self._switch()
            with self.enter_registry_test_mode():
                trap.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual((pull.state, self._calls()), ("failed", []))

    # === WHAT PEOPLE SEE AND DO === #

    def test_record_and_connection_say_what_is_open_elsewhere(self):
        request = self._sent_request()
        self.assertFalse(request.elsewhere_text or self.account.elsewhere_html)
        self._switch()
        self.assertRegex(request.elsewhere_text, "tests.*production")
        self.assertIn(request.name, self.account.elsewhere_html)
        for record in (request, self.account):
            Form(record)

    def test_a_test_is_set_aside_and_sent_in_earnest(self):
        notice, request = self._submit(self._notice()), self._sent_request()
        self.assertEqual(set(self._duties().mapped("state")), {"done"})
        with self.assertRaises(UserError):
            request.action_set_aside()
        self._switch()
        with self.assertRaises(UserError):
            self._notice()
        with self.assertRaises(UserError):
            self._request()
        (notice.with_user(self.officer)).action_set_aside()
        request.action_set_aside()
        self.assertEqual((notice.state, request.state), ("cancelled", "cancelled"))
        self.assertNotIn("done", self._duties().mapped("state"))
        self._submit(self._notice())
        self.assertEqual(len(self.production.control.sent("overdue")), 1)
        self.assertFalse(self.account.elsewhere_html)

    def test_what_was_sent_in_earnest_is_not_set_aside(self):
        self._switch()
        request = self._sent_request()
        self.account.action_use_for_tests()
        self.assertIn(request.name, self.account.elsewhere_html)
        with self.assertRaises(UserError):
            request.action_set_aside()
        request._record_answer("refused", words="No")
        self.assertFalse(self.account.elsewhere_html)

    def test_another_policyholder_number_and_another_connector_are_elsewhere(self):
        account = self.account.sudo()
        places = {account._get_place()}
        account.connector = "atradius"
        places.add(account._get_place())
        account.setting_ids.filtered(lambda row: row.name == "customer_id").value = "4711"
        places.add(account._get_place())
        self.assertEqual(len(places), 3)
        place = account._get_place()
        self.assertRegex(account._describe_place(place), "Atradius.*tests.*4711")
        account.setting_ids.filtered(lambda row: row.name == "ended_covers").value = "no"
        self.assertEqual(account._get_place(), place, "how it is asked does not change whom")

    def test_what_was_sent_before_the_place_was_kept_belongs_where_the_connection_leads(self):
        request = self._sent_request()
        self._job(request).sent_to = False
        self.env.flush_all()
        self._migrate()
        request.invalidate_recordset()
        self.assertEqual(request.sent_to, self.account._get_place())

    def _migrate(self):
        script = ROOT / "migrations" / "19.0.1.2.0" / "post-submission-place.py"
        runpy.run_path(str(script))["migrate"](self.env.cr, "19.0.1.1.0")
