from datetime import timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon

# What a client might try to write to make a claim look different from what it is.
FORGED = {
    "name": "MINE",
    "state": "paid",
    "insurer_reference": "CL-1",
    "accepted_amount": 1.0,
    "amount_open": 1.0,
    "submitted_on": "2020-01-01 00:00:00",
    "error_message": "x",
    "maybe_sent": True,
}


@tagged("post_install", "-at_install")
class TestCreditInsuranceClaim(ClaimCommon):
    # === MAKING A CLAIM === #

    def _notify(self, late=0):
        """The insurer heard of the invoices on their last day, of the oldest so many days later."""
        notices = self.invoices.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "notification").sudo()
        for row in notices:
            row.done_on = row.date
        notices.sorted("due_date")[0].done_on += timedelta(days=late)
        return notices

    def test_a_claim_is_made_from_the_invoices_of_one_buyer(self):
        self._notify()
        claim = self._make_claim()
        self.assertTrue(claim.name.startswith("CLAIM/"))
        self.assertEqual((claim.state, claim.partner_id, claim.policy_id), ("draft", self.partner, self.policy))
        self.assertEqual(claim.line_ids.mapped("amount_open"), [600.0, 300.0])
        self.assertEqual((claim.amount_open, claim.amount_covered, claim.amount_insured), (900.0, 900.0, 810.0))
        self.assertEqual(claim.date_of_loss, self.today - timedelta(days=70))
        self.assertEqual(claim.claim_deadline, self.today + timedelta(days=110))
        self.assertFalse(claim.warning_text)

    def test_a_claim_says_which_invoices_the_insurer_was_told_of_too_late(self):
        notices, claim = self._notify(late=1), self._make_claim()
        self.assertEqual(claim.warning_text, f"The last day to notify the insurer was missed: {self.invoices[0].name}")
        notices.done_on = False
        self.env.invalidate_all()
        self.assertIn(self.invoices[1].name, claim.warning_text)

    def test_what_a_late_notification_costs_is_the_policys_to_say(self):
        self._notify(late=1)
        both, newer = 810.0, 270.0
        for missed, estimate, words in (
            ("warning", both, "was missed"),
            ("indemnity_reduced", both, "may pay less"),
            ("cover_lost", newer, "Not insured"),
        ):
            with self.subTest(missed=missed):
                self.policy.missed_notification = missed
                claim = self._make_claim()
                self.assertEqual(claim.indemnity_estimate, estimate)
                self.assertIn(words, claim.warning_text)
                self.assertIn(self.invoices[0].name, claim.warning_text)
                self.assertEqual(claim.line_ids.mapped("notified_late"), [True, False])
                claim.sudo().unlink()

    def test_what_a_claim_told_of_its_notifications_stays(self):
        self.policy.missed_notification = "cover_lost"
        notices = self._notify()
        claim = self._make_claim()
        self._submit(claim)
        notices.done_on = False
        claim.invalidate_recordset()
        self.assertEqual(claim.indemnity_estimate, 810.0)

    def test_invoices_of_several_buyers_are_refused_by_name(self):
        other = self.env["res.partner"].create({"name": "Beta Stores", "is_company": True})
        with self.assertRaisesRegex(UserError, r"one buyer.*Alpha Trading Ltd.*Beta Stores"):
            self._make_claim(self.invoices | self._make_invoice(10.0, partner=other))

    def test_paid_and_draft_invoices_are_refused_by_name(self):
        self._pay(self.invoices[0])
        with self.assertRaisesRegex(UserError, self.invoices[0].name):
            self._make_claim()
        with self.assertRaisesRegex(UserError, "Only posted customer invoices"):
            self._make_claim(self._make_invoice(10.0, post=False))

    def test_an_invoice_is_claimed_once(self):
        claim = self._make_claim(self.invoices[0])
        with self.assertRaisesRegex(UserError, claim.name):
            self._make_claim()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self._make_claim(self.invoices[1]).line_ids = [Command.create({"move_id": self.invoices[0].id})]
        claim.action_cancel()
        self.assertEqual(len(self._make_claim().line_ids), 2)

    def test_an_uninsured_buyer_has_no_claim(self):
        other = self.env["res.partner"].create({"name": "Beta Stores", "is_company": True})
        with self.assertRaisesRegex(UserError, "No credit insurance policy covers Beta Stores"):
            self._make_claim(self._make_invoice(10.0, partner=other, due_in=-10))

    def test_the_buyers_button_takes_all_overdue_invoices(self):
        self._make_invoice(50.0, due_in=10)
        action = self.buyer.with_user(self.officer).action_make_claim()
        claim = self.env["credit.insurance.claim"].browse(action["res_id"])
        self.assertEqual(claim.line_ids.move_id, self.invoices)
        with self.assertRaisesRegex(UserError, "No invoice of Alpha Trading Ltd is overdue"):
            self.partner.with_user(self.officer).action_credit_insurance_make_claim()

    def test_estimate_follows_the_policy_and_shows_its_steps(self):
        self.policy.write({"minimum_retention": 200.0, "aggregate_first_loss": 100.0, "threshold": 500.0})
        claim = self._make_claim()
        self.assertEqual(claim.indemnity_estimate, 600.0)  # 900 → 810 → at most 900 − 200 → − 100
        self.assertEqual(len(claim.indemnity_text.splitlines()), 5)
        self.assertIn("After the minimum retention", claim.indemnity_text)

    def test_estimate_leaves_what_earlier_claims_of_the_insurance_year_did(self):
        self.policy.write({"aggregate_first_loss": 600.0, "maximum_liability": 500.0})
        first, draft = self._submit(self._make_claim(self.invoices[0])), self._make_claim(self.invoices[1])
        self.assertEqual(draft.indemnity_estimate, 210.0)  # 300 → 270 − (600 − 540)
        self.assertIn("60.00", draft.indemnity_text)
        first.sudo().write({"state": "paid", "accepted_amount": 400.0, "paid_amount": 400.0})
        draft.action_refresh_figures()
        self.assertEqual(draft.indemnity_estimate, 100.0)
        first.sudo().write({"accepted_amount": 600.0, "paid_amount": 600.0})
        draft.action_refresh_figures()
        self.assertEqual(draft.indemnity_estimate, 0.0)
        self.assertEqual(first.indemnity_estimate, 0.0)

    def test_another_insurance_year_has_yearly_amounts_of_its_own(self):
        # The dates of loss lie 70 and 50 days back.
        self.policy.write({"date_start": self.today - relativedelta(years=1, days=60), "aggregate_first_loss": 550.0})
        self._submit(self._make_claim(self.invoices[0]))
        draft = self._make_claim(self.invoices[1])
        self.assertEqual(draft.indemnity_estimate, 0.0)
        self.policy.date_start = self.today - relativedelta(years=1, days=80)
        draft.action_refresh_figures()
        self.assertEqual(draft.indemnity_estimate, 260.0)  # 300 → 270 − (550 − 540)

    def test_an_insolvency_brings_the_date_of_loss_forward(self):
        claim = self._make_claim(self._make_invoice(10.0, due_in=-240))
        with Form(claim) as form:
            form.cause = "insolvency"
            form.insolvency_date = self.today - timedelta(days=100)
        self.assertEqual(claim.date_of_loss, self.today - timedelta(days=100))

    def test_a_claim_in_another_currency_keeps_its_rate(self):
        currency = self.env.ref("base.CHF")
        currency.active = True
        self.env["res.currency.rate"].create(
            {"name": "2000-01-01", "rate": 2.0, "currency_id": currency.id, "company_id": self.company.id}
        )
        claim = self._make_claim(self._make_invoice(100.0, due_in=-240, currency_id=currency.id))
        line = claim.line_ids
        self.assertEqual((line.amount_open, line.policy_open, line.rate), (100.0, 50.0, 0.5))
        self._submit(claim)
        body = self._at_insurer()[0]["body"]
        self.assertEqual((float(body["total"]), body["currency"]), (50.0, self.company_currency.name))
        self.assertEqual((float(body["invoices"][0]["openAmount"]), body["invoices"][0]["currency"]), (100.0, "CHF"))

    def test_a_part_payment_before_submission_lowers_the_claim(self):
        claim = self._make_claim()
        self._pay(self.invoices[0], 100.0)
        self._submit(claim)
        self.assertEqual(claim.amount_open, 800.0)

    def test_queries_do_not_grow_with_the_invoices(self):
        few, many = self._count_making(10), self._count_making(50)
        # Each line is a row of its own to insert and to update, and nothing is read for it alone.
        self.assertLessEqual(many - few, 2 * 40)

    def _count_making(self, count):
        moves = self.env["account.move"]
        for _number in range(count):
            moves |= self._make_invoice(1.0, due_in=-240, post=False)
        moves.action_post()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self._make_claim(moves)
        self.env.flush_all()
        return self.cr.sql_log_count - before

    # === WHO MAY DO WHAT === #

    def test_state_and_numbers_cannot_be_written_by_a_client(self):
        claim = self._make_claim()
        for user in (self.officer, self.manager, self.administrator):
            for name, value in FORGED.items():
                with self.subTest(name), self.assertRaises(AccessError):
                    claim.with_user(user).write({name: value})
        with self.assertRaises(AccessError):
            claim.line_ids.with_user(self.officer).write({"covered": 5.0})

    def test_a_claim_cannot_be_created_submitted(self):
        values = {"buyer_id": self.buyer.id, "policy_id": self.policy.id}
        with self.assertRaises(AccessError):
            self.env["credit.insurance.claim"].with_user(self.officer).create({**values, "state": "paid"})
        context = {"default_state": "paid", "default_insurer_reference": "CL-9"}
        claims = self.env["credit.insurance.claim"].with_user(self.officer).with_context(**context)
        claim = claims.create(values)
        self.assertEqual((claim.state, claim.insurer_reference), ("draft", False))

    def test_a_submitted_claim_keeps_its_figures_and_is_not_deleted(self):
        claim = self._submit(self._make_claim())
        self._pay(self.invoices[0])
        for values in ({"cause": "political"}, {"line_ids": [Command.clear()]}, {"comment": "x"}):
            with self.assertRaises(UserError):
                claim.write(values)
        with self.assertRaises(UserError):
            claim.line_ids.unlink()
        with self.assertRaises(UserError):
            claim.action_refresh_figures()
        with self.assertRaises(UserError):
            claim.unlink()
        with self.assertRaises(UserError):
            claim.action_cancel()
        self.assertEqual(claim.amount_open, 900.0)

    def test_a_draft_may_be_deleted(self):
        self._make_claim().unlink()
        self._make_claim()

    def test_only_accountants_submit(self):
        claim = self._make_claim()
        self.manager.group_ids -= self.env.ref("account.group_account_invoice")
        with self.assertRaises(AccessError):
            claim.with_user(self.manager).action_submit()
        with self.assertRaises(AccessError):
            claim.with_user(self.rep).action_submit()

    def test_claims_of_another_company_are_not_seen(self):
        claim = self._make_claim()
        other = self._create_company(name="Other Ltd")
        self.officer.company_ids = [Command.link(other.id)]
        claims = self.env["credit.insurance.claim"].with_user(self.officer)
        self.assertFalse(claims.with_context(allowed_company_ids=other.ids).search([("id", "=", claim.id)]))
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.officer.company_ids = [Command.link(branch.id)]
        self.assertTrue(claims.with_context(allowed_company_ids=branch.ids).search([("id", "=", claim.id)]))

    # === WHAT IS MISSING IS SAID BEFORE ANYTHING IS SENT === #

    def test_a_buyer_without_a_number_at_the_insurer_is_not_sent(self):
        self.buyer.sudo().link_ids.unlink()
        claim = self._make_claim()
        self.assertIn("insurer's number of this buyer", claim.warning_text)
        with self.assertRaisesRegex(UserError, "link the buyer first"):
            claim.action_submit()
        self.assertEqual(claim.state, "draft")

    def test_a_policy_without_a_connection_is_claimed_by_hand(self):
        claim = self._make_claim()
        self.policy.account_id = False
        with self.assertRaisesRegex(UserError, "sent by hand"):
            claim.action_submit()
        claim.action_mark_sent()
        self.assertEqual((claim.state, claim.submitted_by_id), ("sent", self.officer))
        with self.assertRaises(UserError):
            claim.action_mark_sent()

    def test_a_disabled_connection_sends_nothing(self):
        claim = self._make_claim()
        self.account.state = "disabled"
        with self.assertRaises(UserError):
            claim.action_submit()

    # === AFTERWARDS === #

    def test_a_claim_stops_cover_for_new_deliveries_and_closes_its_deadlines(self):
        claim = self._submit(self._make_claim())
        states = {row.kind: row.state for row in claim.line_ids.move_id.credit_insurance_deadline_ids}
        self.assertEqual(states["claim"], "done")
        after = self._make_invoice(50.0)
        self.assertEqual(after.credit_insurance_state, "none")
        self.assertIn("Cover for new deliveries was stopped", after.credit_insurance_reasons)

    def test_a_forged_context_key_does_not_make_the_job_run_at_once(self):
        claim = self._make_claim()
        with trap_jobs() as trap:
            claim.with_context(queue_job__no_delay=True).action_submit()
            trap.assert_jobs_count(1)
        self.assertEqual(claim.state, "queued")
        self.assertFalse(self._at_insurer())

    def test_the_job_of_a_claim_stands_once_in_the_queue(self):
        claim = self._make_claim()
        claim.action_submit()
        with self.assertRaisesRegex(UserError, "submitted already"):
            claim.action_submit()
        jobs = self.env["queue.job"].sudo().search([("identity_key", "=", f"credit_insurance.claim-{claim.id}-submit")])
        self.assertEqual(len(jobs), 1)
        self.assertEqual(jobs.channel, "root.credit_insurance")

    def test_a_job_that_is_late_sends_nothing(self):
        claim = self._make_claim()
        with patch.object(type(self.account), "_connect", side_effect=AssertionError):
            self._job(claim)._job_submit()
        self.assertEqual(claim.state, "draft")
