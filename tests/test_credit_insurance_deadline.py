from datetime import timedelta

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .insurance_common import InsuranceCommon

GENERIC = {
    "reminder": -7,
    "dunning": 3,
    "escalation": 30,
    "end_of_mep": 60,
    "notification": 90,
    "date_of_loss": 180,
    "claim": 360,
}


@tagged("post_install", "-at_install")
class TestCreditInsuranceDeadline(InsuranceCommon):
    def test_posting_writes_the_deadlines_of_the_policy(self):
        invoice = self._make_invoice(100.0)
        self.assertEqual(self._dates(invoice), GENERIC)
        self.assertEqual(set(self._states(invoice).values()), {"pending"})
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today + timedelta(days=30))

    def test_a_period_the_policy_lacks_gives_no_deadline(self):
        self.policy.period_ids.filtered(lambda period: period.kind == "escalation").unlink()
        self.assertNotIn("escalation", self._dates(self._make_invoice(100.0)))

    def test_last_day_that_does_not_count_moves_the_deadline_forward(self):
        self.policy.period_ids.filtered(lambda period: period.kind == "end_of_mep").last_day_counts = False
        self.assertEqual(self._dates(self._make_invoice(100.0))["end_of_mep"], 59)

    def test_an_invoice_without_cover_has_no_deadlines(self):
        other = self.env["res.partner"].create({"name": "Nobody"})
        self.assertFalse(self._make_invoice(100.0, partner=other).credit_insurance_deadline_ids)

    # === ORIGINAL DUE DATE === #

    def test_an_extension_moves_the_dunning_and_no_duty(self):
        invoice = self._make_invoice(100.0)
        invoice.invoice_date_due = self.today + timedelta(days=50)
        moved = {**GENERIC, "reminder": 13, "dunning": 23, "escalation": 50}
        self.assertEqual(self._dates(invoice), moved)
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today + timedelta(days=30))

    def test_an_extension_on_the_journal_item_does_the_same(self):
        invoice = self._make_invoice(100.0)
        terms = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        terms.date_maturity = self.today + timedelta(days=50)
        self.assertEqual(self._dates(invoice)["dunning"], 23)
        self.assertEqual(self._dates(invoice)["end_of_mep"], 60)

    def test_back_to_draft_with_a_later_due_date_is_an_extension(self):
        invoice = self._make_invoice(100.0)
        invoice.button_draft()
        invoice.invoice_date_due = self.today + timedelta(days=60)
        invoice.action_post()
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today + timedelta(days=30))
        self.assertEqual(self._dates(invoice), {**GENERIC, "reminder": 23, "dunning": 33, "escalation": 60})

    def test_back_to_draft_with_an_earlier_due_date_brings_the_duties_forward(self):
        invoice = self._make_invoice(100.0)
        invoice.button_draft()
        invoice.invoice_date_due = self.today + timedelta(days=20)
        invoice.action_post()
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today + timedelta(days=20))
        self.assertEqual(self._dates(invoice), GENERIC)

    def test_instalments_have_deadlines_of_their_own(self):
        invoice = self._make_instalments()
        dates = invoice.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "end_of_mep").mapped("date")
        self.assertEqual(dates, [self.today + timedelta(days=90), self.today + timedelta(days=120)])
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today + timedelta(days=30))

    def test_paying_an_instalment_closes_its_deadlines_only(self):
        invoice = self._make_instalments()
        first = min(invoice.line_ids.filtered("date_maturity"), key=lambda line: line.date_maturity)
        self.env["account.payment.register"].with_context(
            active_model="account.move.line", active_ids=first.ids
        ).create({"amount": 50.0})._create_payments()
        states = {(row.due_date, row.state) for row in invoice.credit_insurance_deadline_ids}
        self.assertEqual(
            states, {(self.today + timedelta(days=30), "not_needed"), (self.today + timedelta(days=60), "pending")}
        )

    def _make_instalments(self):
        halves = [Command.create({"value": "percent", "value_amount": 50, "nb_days": days}) for days in (30, 60)]
        term = self.env["account.payment.term"].create({"name": "30/60", "line_ids": halves})
        return self._make_invoice(100.0, invoice_payment_term_id=term.id)

    # === THE POLICY'S PERIODS === #

    def _change(self, change):
        """A change of the policy's periods, and what it queues."""
        with trap_jobs() as trap:
            change(self.policy.period_ids)
            trap.perform_enqueued_jobs()
        return trap.enqueued_jobs

    def test_changed_periods_move_the_deadlines_of_what_is_open(self):
        invoice, paid, done = (self._make_invoice(100.0) for _invoice in range(3))
        self._pay(paid)
        notified = done.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "notification")
        notified.with_user(self.officer).action_mark_done()
        self._change(lambda periods: periods.filtered(lambda row: row.kind == "end_of_mep").write({"number": 90}))
        moved = {**GENERIC, "end_of_mep": 90, "notification": 120}
        self.assertEqual((self._dates(invoice), self._dates(paid)), (moved, GENERIC))
        self.assertEqual(self._dates(done), {**moved, "notification": 90}, "what was done keeps its day")

    def test_a_missed_duty_is_pending_again_when_the_policy_gives_more_time(self):
        invoice = self._make_invoice(100.0, due_in=-95)
        self.assertEqual(self._states(invoice)["notification"], "missed")
        self._change(lambda periods: periods.filtered(lambda row: row.kind == "notification").write({"number": 60}))
        self.assertEqual(self._states(invoice)["notification"], "pending")

    def test_a_period_that_is_removed_or_added_takes_or_brings_its_deadlines(self):
        invoice = self._make_invoice(100.0)
        self._change(lambda periods: periods.filtered(lambda row: row.kind == "escalation").unlink())
        self.assertNotIn("escalation", self._dates(invoice))
        self._change(lambda periods: periods.create({"policy_id": self.policy.id, "kind": "escalation", "number": 40}))
        self.assertEqual(self._dates(invoice), {**GENERIC, "escalation": 40})

    def test_a_policy_without_open_invoices_queues_nothing(self):
        self.assertFalse(self._change(lambda periods: periods.write({"last_day_counts": False})))
        self.assertFalse(self._change(lambda periods: periods.policy_id.copy({"number": "POL-2"})))

    # === INSOLVENCY === #

    def _insolvent(self, days_ago=0):
        day = self.today - timedelta(days=days_ago)
        return self.env["credit.insurance.event"].create(
            {"buyer_id": self.buyer.id, "kind": "insolvency", "source": "Court", "date": day, "known_on": self.today}
        )

    def _days_from_today(self, move):
        return {row.kind: (row.date - self.today).days for row in move.credit_insurance_deadline_ids}

    def test_insolvency_is_the_date_of_loss_also_of_what_is_not_due(self):
        invoice = self._make_invoice(100.0)
        event = self._insolvent()
        self.assertEqual(self._days_from_today(invoice), {**self._later(GENERIC), "date_of_loss": 0, "claim": 180})
        event.active = False
        self.assertEqual(self._days_from_today(invoice), self._later(GENERIC))
        event.active = True
        self.assertEqual(self._days_from_today(invoice)["claim"], 180)

    def test_the_daily_job_finds_an_insolvency_that_nobody_entered_for_the_invoice(self):
        invoice, other = (
            self._make_invoice(100.0),
            self._make_buyer(partner=self.env["res.partner"].create({"name": "X"})),
        )
        event = self.env["credit.insurance.event"].create(
            {"buyer_id": other.id, "kind": "insolvency", "source": "Court", "date": self.today, "known_on": self.today}
        )
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_insurance_event SET buyer_id = %s WHERE id = %s", (self.buyer.id, event.id))
        self.env.invalidate_all()
        self.assertEqual(self._dates(invoice), GENERIC)
        self._run_deadline_cron()
        self.assertEqual(self._days_from_today(invoice)["date_of_loss"], 0)

    def _later(self, dates):
        return {kind: days + 30 for kind, days in dates.items()}

    def test_insolvency_moves_nothing_of_others_or_of_what_was_paid_or_made_after_it(self):
        other = self.env["res.partner"].create({"name": "Other"})
        self._make_cover(1000.0, buyer=self._make_buyer(partner=other))
        invoices = [self._make_invoice(100.0), self._make_invoice(100.0, partner=other)]
        self._pay(invoices[0])
        self._insolvent(days_ago=1)
        invoices.append(self._make_invoice(100.0))
        for invoice in invoices:
            self.assertEqual(self._dates(invoice), GENERIC)

    # === WHAT CLOSES THEM === #

    def test_payment_closes_the_deadlines_and_a_bounce_opens_them(self):
        invoice = self._make_invoice(100.0)
        self._pay(invoice)
        self.assertEqual(set(self._states(invoice).values()), {"not_needed"})
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(set(self._states(invoice).values()), {"pending"})

    def test_payment_that_is_reset_to_draft_opens_the_deadlines_although_it_stays_matched(self):
        invoice = self._make_invoice(100.0)
        payment = self._pay(invoice).move_id
        self.assertEqual(self._states(invoice)["notification"], "not_needed")
        payment.button_draft()
        self.assertEqual((invoice.amount_residual, self._states(invoice)["notification"]), (0, "pending"))
        payment.action_post()
        self.assertEqual(self._states(invoice)["notification"], "not_needed")

    def test_instalment_settled_by_a_draft_credit_note_keeps_its_deadlines(self):
        invoice = self._make_invoice(100.0)
        note = self._make_invoice(100.0, move_type="out_refund", post=False)
        items = (invoice | note).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        items.reconcile()
        self.assertEqual((invoice.amount_residual, self._states(invoice)["notification"]), (0, "pending"))
        note.action_post()
        self.assertEqual(self._states(invoice)["notification"], "not_needed")

    def test_part_payment_leaves_them_open(self):
        invoice = self._make_invoice(100.0)
        self._pay(invoice, 40.0)
        self.assertEqual(set(self._states(invoice).values()), {"pending"})

    def test_reversal_closes_them(self):
        invoice = self._make_invoice(100.0)
        invoice._reverse_moves(cancel=True)
        self.assertEqual(set(self._states(invoice).values()), {"not_needed"})

    def test_back_to_draft_closes_them_until_it_is_posted_again(self):
        invoice = self._make_invoice(100.0)
        invoice.button_draft()
        self.assertEqual(set(self._states(invoice).values()), {"not_needed"})
        invoice.action_post()
        self.assertEqual(set(self._states(invoice).values()), {"pending"})

    # === TIME === #

    def test_what_is_over_is_missed_and_what_comes_by_itself_is_reached(self):
        invoice = self._make_invoice(100.0)
        with freeze_time(fields.Datetime.now() + timedelta(days=30 + 100)):
            self._run_deadline_cron()
        states = self._states(invoice)
        self.assertEqual((states["dunning"], states["notification"]), ("missed", "missed"))
        self.assertEqual((states["end_of_mep"], states["claim"]), ("reached", "pending"))

    def test_the_last_day_is_in_time(self):
        invoice = self._make_invoice(100.0)
        with freeze_time(fields.Datetime.now() + timedelta(days=30 + 90)):
            self._run_deadline_cron()
        self.assertEqual(self._states(invoice)["notification"], "pending")

    def test_dates_are_the_companys_whatever_the_readers_time_zone(self):
        self.company.resource_calendar_id.tz = "Pacific/Auckland"
        self.env.user.tz = "America/Los_Angeles"
        deadline = self._make_invoice(100.0).credit_insurance_deadline_ids[:1]
        with freeze_time(f"{deadline.date} 12:00:00"):  # noon in London is the next day in Auckland
            self._run_deadline_cron()
        self.assertTrue(deadline.passed)

    def test_working_days_leave_out_the_companys_holidays(self):
        period = self.policy.period_ids.filtered(lambda period: period.kind == "notification")
        period.write({"unit": "working_days", "number": 1, "base": "due_date"})
        due = self.today + timedelta(days=(4 - self.today.weekday()) % 7 or 7)  # a Friday
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": f"{due + timedelta(days=3)} 08:00:00",
                "date_to": f"{due + timedelta(days=3)} 16:00:00",
            }
        )
        invoice = self._make_invoice(100.0, due_in=(due - self.today).days)
        self.assertEqual(self._dates(invoice)["notification"], 4)

    # === DONE === #

    def test_an_officer_records_what_was_done(self):
        deadline = self._make_invoice(100.0).credit_insurance_deadline_ids.filtered(
            lambda row: row.kind == "notification"
        )
        deadline.with_user(self.officer).action_mark_done()
        self.assertEqual((deadline.state, deadline.done_on, deadline.done_by_id), ("done", self.today, self.officer))
        self.assertIn("Last day to notify the insurer", deadline.move_id.message_ids[0].body)

    def test_what_comes_by_itself_cannot_be_done(self):
        deadlines = self._make_invoice(100.0).credit_insurance_deadline_ids
        deadlines.with_user(self.officer).action_mark_done()
        states = self._states(deadlines.move_id)
        self.assertEqual((states["claim"], states["date_of_loss"]), ("done", "pending"))

    def test_waiting_from_the_notification_is_counted_once_it_is_done(self):
        period = self.policy.period_ids.filtered(lambda period: period.kind == "date_of_loss")
        period.write({"base": "notification_receipt", "number": 90})
        invoice = self._make_invoice(100.0)
        loss = invoice.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "date_of_loss")
        self.assertFalse(loss.date)
        invoice.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "notification").action_mark_done()
        self.assertEqual(loss.date, self.today + timedelta(days=90))

    def test_roles_read_deadlines_and_nobody_writes_them(self):
        deadline = self._make_invoice(100.0).credit_insurance_deadline_ids[:1]
        for user in (self.officer, self.manager):
            with self.assertRaises(AccessError):
                deadline.with_user(user).write({"date": self.today})
        with self.assertRaises(AccessError):
            deadline.with_user(self.rep).read(["date"])
        with self.assertRaises(AccessError):
            deadline.with_user(self.rep).action_mark_done()

    def test_deadlines_of_another_company_are_not_seen(self):
        other = self._create_company(name="Other Ltd")
        deadline = self._make_invoice(100.0).credit_insurance_deadline_ids[:1]
        self.officer.company_ids = [Command.link(other.id)]
        model = self.env["credit.insurance.deadline"].with_user(self.officer)
        self.assertFalse(model.with_context(allowed_company_ids=other.ids).search([("id", "=", deadline.id)]))
        self.assertTrue(model.with_context(allowed_company_ids=self.company.ids).search([("id", "=", deadline.id)]))

    # === TERMS === #

    def test_a_duty_cannot_be_counted_from_an_extended_due_date(self):
        period = self.policy.period_ids.filtered(lambda period: period.kind == "end_of_mep")
        with self.assertRaises(ValidationError):
            period.base = "extended_due_date"

    def test_a_period_cannot_lean_on_a_later_day(self):
        period = self.policy.period_ids.filtered(lambda period: period.kind == "end_of_mep")
        with self.assertRaises(ValidationError):
            period.base = "date_of_loss"
