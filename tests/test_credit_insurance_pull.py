from contextlib import suppress
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors import Grade, TransportOptions
from odoo.addons.credit_insurance.connectors.registry import connect
from odoo.addons.queue_job.controllers.main import RunJobController
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import ENQUEUED, Job
from odoo.addons.queue_job.tests.common import trap_jobs

from .pull_common import PullCommon
from .simulator_case import POLICY_NUMBER

ACCOUNT_MODULE = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_account"


@tagged("post_install", "-at_install")
class TestPull(PullCommon):
    def _impatient(self):
        """Connections that give up at once, for tests of failures."""
        options = TransportOptions(attempts=1, total_seconds=5)
        return patch(f"{ACCOUNT_MODULE}.connect", lambda *args, **values: connect(*args, **values, options=options))

    # === WHAT COMES === #

    def test_pull_writes_dated_rows_and_classifies_the_grade(self):
        self.simulator.control.set_cover("1001", effectiveFrom=-200)
        pull = self._pull()
        self.assertEqual((pull.state, pull.cover_count, pull.changed_count, pull.grade_count), ("done", 8, 3, 3))
        cover = self._covers(self.atelier)
        self.assertRecordValues(
            cover,
            [
                {
                    "status": "approved",
                    "amount": 60000.0,
                    "currency_id": self.env.ref("base.EUR").id,
                    "insured_percentage": 90.0,
                    "effective_from": self.today - timedelta(days=200),
                    "effective_to": False,
                    "raw_code": "APPROVED",
                    "pull_id": pull.id,
                    "company_id": self.company.id,
                }
            ],
        )
        self.assertEqual(
            (self.atelier.grade, self.atelier.risk_class, self.atelier.grade_label), ("3", "2", "Low risk")
        )
        self.assertEqual((self.atelier.cover_status, self.atelier.cover_amount), ("approved", 60000.0))
        self.assertEqual(self.account.covers_pulled_at, pull.started_at)
        self.assertEqual(self.account.grades_pulled_at, pull.started_at)
        self.assertTrue(self.account.last_success)
        self.assertFalse(self.env["credit.insurance.pull.mark"].search_count([("pull_id", "=", pull.id)]))

    def test_pull_is_called_by_its_moment_on_the_clock_of_the_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        started = datetime(2026, 11, 23, 1, 55, 27)
        pull = self.env["credit.insurance.pull"].sudo().create({"account_id": self.account.id, "started_at": started})
        run = self.env["credit.insurance.screening.run"].sudo().create({"kind": "full", "started_at": started})
        self.env.user.tz = "Europe/Paris"
        for record in (pull, run):
            self.assertEqual(record.with_context(lang="fr_FR").display_name, "23/11/2026 02:55:27")

    def test_second_pull_writes_nothing(self):
        self._pull()
        tables = ("cover", "grade", "buyer_link", "unlinked_buyer", "buyer")
        marks = [f"SELECT '{table}', id, xmin::text, ctid::text FROM credit_insurance_{table}" for table in tables]
        self.env.cr.execute(" UNION ALL ".join(marks) + " ORDER BY 1, 2")
        before = self.env.cr.fetchall()
        pull = self._pull()
        self.env.flush_all()
        self.assertEqual((pull.state, pull.changed_count, pull.grade_count), ("done", 0, 0))
        self.env.cr.execute(" UNION ALL ".join(marks) + " ORDER BY 1, 2")
        self.assertEqual(self.env.cr.fetchall(), before)

    def test_buyers_never_linked_are_reported_and_not_created(self):
        buyers = self.env["credit.insurance.buyer"].search_count([])
        self._pull()
        self.assertEqual(self.env["credit.insurance.buyer"].search_count([]), buyers)
        unlinked = self.account.unlinked_ids
        self.assertEqual(sorted(unlinked.mapped("external_id")), ["1002", "1003", "1004", "1005", "1007"])
        self.assertEqual(unlinked.filtered(lambda row: row.external_id == "1002").amount, 120000.0)
        self._make_linked_buyer("1002", "Nordwind")
        self.assertNotIn("1002", self.account.unlinked_ids.mapped("external_id"))

    def test_announced_withdrawal_is_not_a_withdrawal_until_its_date(self):
        self._pull()
        cover = self._covers(self.lakes)
        self.assertEqual((cover.status, cover.announced_status), ("approved", "withdrawn"))
        self.assertEqual(cover.announced_from, self.today + timedelta(days=25))
        self.assertEqual((self.lakes.cover_status, self.lakes.cover_amount), ("approved", 50000.0))
        self.assertEqual(self.lakes.cover_ends_on, self.today + timedelta(days=24))
        self.assertEqual(cover._get_status_on(self.today + timedelta(days=25)), "withdrawn")
        self.assertEqual(cover._get_amount_on(self.today + timedelta(days=25)), 0.0)

    def test_withdrawal_acts_from_its_day_and_leaves_the_row_before_it(self):
        self._pull()
        self.simulator.control.withdraw("1001")
        self._pull()
        old, new = self._covers(self.atelier)
        self.assertEqual((old.status, old.amount, old.active), ("approved", 60000.0, True))
        self.assertEqual((new.status, new.effective_from, new.effective_to), ("withdrawn", self.today, False))
        self.assertEqual((self.atelier.cover_status, self.atelier.cover_amount), ("withdrawn", 0.0))

    def test_reduction_that_keeps_the_first_day_acts_from_the_decision_on(self):
        self._pull()
        self.simulator.control.set_cover("1001", statusCode="REDUCED", amount=20000)
        self._pull()
        old, new = self._covers(self.atelier)
        self.assertEqual((new.amount, new.effective_from), (20000.0, self.today))
        self.assertEqual(new.told_effective_from, old.effective_from)

    def test_first_day_moved_back_corrects_the_row_before(self):
        self._pull()
        self.simulator.control.set_cover("1001", amount=10000, effectiveFrom=-900)
        self._pull()
        rows = (
            self.env["credit.insurance.cover"]
            .with_context(active_test=False)
            .search([("buyer_id", "=", self.atelier.id)], order="id")
        )
        self.assertEqual(rows.mapped("active"), [False, True])
        self.assertEqual(self.atelier.cover_amount, 10000.0)

    def test_changed_grade_adds_a_row_with_the_class_of_that_time(self):
        self._pull()
        self.insurer.grade_scale_id._get_line("3").risk_class = "4"
        self.simulator.control.set_grade("1001", "9")
        self._pull()
        self.assertEqual(self.atelier.grade_ids.sorted("id").mapped("risk_class"), ["2", "5"])
        self.assertEqual(self.atelier.grade, "9")

    def test_unknown_codes_are_kept_raw_and_never_guessed(self):
        self._pull()
        self.simulator.control.set_cover("1001", statusCode="SUSPENDED")
        self.simulator.control.set_grade("1001", "AAA")
        self._pull()
        new = self._covers(self.atelier)[-1]
        self.assertEqual((new.status, new.raw_code), ("unknown", "SUSPENDED"))
        self.assertEqual((self.atelier.cover_status, self.atelier.open_answer_id), ("approved", new))
        self.assertEqual((self.atelier.grade, self.atelier.risk_class), ("AAA", False))

    def test_cover_granted_without_an_amount_is_unknown_not_zero(self):
        pull = self._pull()
        by_grade = self._cover("BY-GRADE", "1001", amount=None, raw_code="CheckPolicy")
        self.env["credit.insurance.cover"]._take_over(pull, self.policy, [by_grade])
        row = self._covers(self.atelier).filtered(lambda cover: cover.external_id == "BY-GRADE")
        self.assertEqual((row.status, row.raw_code), ("unknown", "CheckPolicy"))

    def test_grade_without_a_date_adds_a_row_when_it_is_another(self):
        pull, grades = self._pull(), self.env["credit.insurance.grade"]
        for value in ("4", "4", "5"):
            grades._take_over(pull, self.atelier.link_ids, [Grade("1001", value, "S", None)])
        rows = self.atelier.grade_ids.sorted("id")[-2:]
        self.assertEqual(rows.mapped("grade"), ["4", "5"])
        self.assertEqual(rows[-1].graded_on, self.today)

    def test_cover_in_a_currency_without_rate_is_reported(self):
        self.env.ref("base.SEK").active = False
        self._pull()
        data = {"policyNumber": POLICY_NUMBER, "currency": "EUR", "startsOn": -1, "insuredPercentage": "90"}
        cover = {"statusCode": "APPROVED", "amount": "10.00", "currency": "SEK", "effectiveFrom": -1}
        buyer = {"buyerId": "9001", "name": "Svea", "country": "SE", "cover": cover}
        self.simulator.control.seed(data={"policies": [data], "buyers": [buyer]})
        pull = self._pull()
        self.assertIn("SEK", pull.problem)

    # === WHO IS MISSING === #

    def test_buyer_gone_from_the_list_keeps_its_data_and_ages(self):
        first = self._pull()
        first.started_at -= timedelta(days=9)
        self.account.sudo().write({"covers_pulled_at": first.started_at, "grades_pulled_at": first.started_at})
        self.env.cr.execute(
            "UPDATE credit_insurance_cover SET fetched_at = fetched_at - interval '9 days' WHERE buyer_id = %s",
            [self.atelier.id],
        )
        self.env.invalidate_all()
        self.simulator.control.book.store.run("DELETE FROM cover WHERE buyer_id = '1001'")
        second = self._pull()
        self.assertEqual(self.atelier.link_ids.missing_since, second.started_at)
        self.assertEqual((self.atelier.cover_status, self.atelier.cover_amount), ("approved", 60000.0))
        self.assertEqual((self.atelier.data_age_days, self.atelier.data_stale), (9, True))
        self.assertEqual((self.iberia.data_age_days, self.iberia.missing_since), (0, False))
        written = self.atelier.link_ids.write_date
        self._pull()
        self.assertEqual(self.atelier.link_ids.missing_since, second.started_at)
        self.assertEqual(self.atelier.link_ids.write_date, written)
        self.simulator.control.set_cover("1001", statusCode="APPROVED", amount=60000)
        self._pull()
        self.assertFalse(self.atelier.link_ids.missing_since)
        self.assertEqual(self.atelier.data_age_days, 0)

    def test_nothing_is_concluded_from_a_list_that_came_short(self):
        self._pull()
        pulled_at = self.account.sudo().covers_pulled_at = fields.Datetime.now() - timedelta(days=3)
        page = self.simulator.control.book.cover_page
        with patch.object(self.simulator.control.book, "cover_page", lambda *args: (page(*args)[0][1:], 8)):
            pull = self._pull()
        self.assertEqual((pull.state, self.account.covers_pulled_at), ("failed", pulled_at))
        self.assertFalse(self.atelier.link_ids.missing_since)
        self.assertIn("counts 8 covers and sent 7", self.account.last_error)

    # === FAILURES === #

    def test_failed_pull_keeps_the_data_and_tells_the_responsible_once(self):
        self._pull()
        pulled_at = self.account.covers_pulled_at
        for _attempt in range(2):
            pull = self._fail_for_good(status=403)
            self.assertEqual(pull.state, "failed")
        self.assertIn("does not accept", self.account.last_error)
        self.assertEqual((self.account.covers_pulled_at, self.atelier.cover_amount), (pulled_at, 60000.0))
        activity = self.account.activity_ids
        self.assertEqual(activity.user_id, self.manager)
        self.simulator.control.faults.clear()
        self._pull()
        self.assertFalse(self.account.last_error)
        self.assertFalse(self.account.activity_ids)

    def _fail_for_good(self, **fault):
        """Run the first job of a pull through queue_job itself, with the insurer failing."""
        self.simulator.control.faults.clear()
        self.simulator.control.fault("status", path="/v1/covers", **fault)
        pull = self.env["credit.insurance.pull"]._start(self.account)
        job = Job.load(self.env, self.env["queue.job"].sudo().search([], order="id desc", limit=1).uuid)
        job.state = ENQUEUED
        # Not assertRaises: it would roll back what is recorded about the failure.
        self.enterContext(mute_logger("odoo.addons.queue_job.controllers.main"))
        with self._impatient(), self.enter_registry_test_mode(), suppress(UserError):
            RunJobController._runjob(self.env, job)
            self.fail("the job did not fail")
        self.env.invalidate_all()
        return pull

    def test_passing_failure_is_left_to_the_queue_to_repeat(self):
        self.simulator.control.fault("status", path="/v1/covers", status=503)
        with self._impatient(), self.assertRaises(RetryableJobError):
            self._pull()

    def test_failed_pull_goes_on_when_its_job_is_run_again(self):
        with trap_jobs() as trap:
            pull = self.env["credit.insurance.pull"]._start(self.account)
            pull._fail("broken off")
            self._perform(trap)
        self.assertEqual((pull.state, pull.changed_count), ("done", 3))

    # === ONCE === #

    def test_pull_that_runs_is_not_started_twice(self):
        first = self.env["credit.insurance.pull"]._start(self.account)
        second = self.env["credit.insurance.pull"]._start(self.account)
        self.assertEqual(first, second)
        self.assertEqual(self.env["queue.job"].sudo().search_count([("identity_key", "=like", first._job_key("%"))]), 1)

    def test_page_taken_over_twice_adds_no_second_row(self):
        pull = self._pull()
        covers = [self._cover("C1", "1001")]
        for _time in range(2):
            self.env["credit.insurance.cover"]._take_over(pull, self.policy, covers)
        self.assertEqual(len(self._covers(self.atelier)), 2)

    def test_pull_whose_jobs_are_gone_makes_room_for_another(self):
        with trap_jobs():
            lost = self.env["credit.insurance.pull"]._start(self.account)
        pull = self._pull()
        self.assertEqual((lost.state, pull.state), ("failed", "done"))

    def test_context_key_cannot_make_the_pull_run_at_once(self):
        pull = self.env["credit.insurance.pull"].with_context(queue_job__no_delay=True)._start(self.account)
        self.assertEqual((pull.state, pull.cover_count), ("running", 0))

    # === MATCHING === #

    def test_buyer_is_matched_by_an_equal_number_in_the_same_country_only(self):
        country = self.env.ref("base.de").id
        equal = self._make_buyer(partner=self._partner("Nordwind", vat="DE136695976", country_id=country))
        alike = self._make_buyer(partner=self._partner("Nordwind Maschinenbau GmbH", country_id=country))
        other = self._make_buyer(
            partner=self._partner("Nordwind Maschinenbau GmbH", company_registry="HRB 1", country_id=country)
        )
        abroad = self._make_buyer(
            partner=self._partner(
                "Nordwind Maschinenbau GmbH", company_registry="HRB 104882", country_id=self.env.ref("base.at").id
            )
        )
        links = self.env["credit.insurance.buyer.link"]._match_buyers(self.account, equal | alike | other | abroad)
        self.assertEqual((links.buyer_id, links.external_id), (equal, "1002"))

    def _make_referenced_buyer(self, own, name="Unlinked"):
        partner = self.env["res.partner"].create({"name": name, "is_company": True, "ref": own})
        return self.env["credit.insurance.buyer"]._get_or_create(partner, self.company)

    def test_cover_under_our_own_reference_is_taken_over_and_links_its_buyer(self):
        buyer = self._make_referenced_buyer("C-2")
        self.simulator.control.set_own_reference("1002", "C-2")
        self.simulator.control.set_own_reference("1003", "C-3")
        pull = self._pull()
        self.assertEqual((buyer.link_ids.external_id, buyer.link_ids.matched_by), ("1002", "reference"))
        self.assertEqual(self._covers(buyer).policy_id, self.policy)
        unlinked = self.env["credit.insurance.unlinked.buyer"].search([("account_id", "=", self.account.id)])
        self.assertNotIn("1002", unlinked.mapped("external_id"))
        self.assertEqual(unlinked.filtered(lambda one: one.external_id == "1003").own_reference, "C-3")
        self.assertFalse(pull.problem)

    def test_reference_of_two_customers_links_none_and_is_told(self):
        buyers = self._make_referenced_buyer("C-2", "First"), self._make_referenced_buyer("C-2", "Second")
        self.simulator.control.set_own_reference("1002", "C-2")
        pull = self._pull()
        self.assertFalse(buyers[0].link_ids or buyers[1].link_ids)
        for word in ("C-2", "First", "Second", "1002"):
            self.assertIn(word, pull.problem)

    def test_reference_at_two_of_the_insurers_numbers_links_none_and_is_told(self):
        buyer = self._make_referenced_buyer("C-2")
        for number in ("1002", "1003"):
            self.simulator.control.set_own_reference(number, "C-2")
        self.assertIn("1002, 1003", self._pull().problem)
        self.assertFalse(buyer.link_ids)

    def test_reference_of_a_linked_buyer_at_another_number_is_told(self):
        self.atelier.partner_id.ref = "C-1"
        self.simulator.control.set_own_reference("1002", "C-1")
        self.assertIn("1001, 1002", self._pull().problem)
        self.assertEqual(self.atelier.link_ids.external_id, "1001")

    def test_number_taken_by_another_buyer_is_not_given_twice(self):
        country = self.env.ref("base.fr").id
        double = self._make_buyer(partner=self._partner("Double", company_registry="334175221", country_id=country))
        self.assertFalse(self.env["credit.insurance.buyer.link"]._match_buyers(self.account, double))

    def test_cover_status_of_a_buyer_not_linked_is_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        approved = self.env["ir.model.fields.selection"].search(
            [
                ("field_id.model", "=", "credit.insurance.cover"),
                ("field_id.name", "=", "status"),
                ("value", "=", "approved"),
            ]
        )
        approved.with_context(lang="fr_FR").name = "Accordé"
        unlinked = self.env["credit.insurance.unlinked.buyer"].with_context(lang="fr_FR")
        told = unlinked.fields_get(["status"])["status"]["selection"]
        self.assertEqual(dict(told)["approved"], "Accordé")

    def _partner(self, name, **values):
        return self.env["res.partner"].create({"name": name, "is_company": True, **values})
