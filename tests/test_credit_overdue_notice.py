from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors import NotSupported, Operation
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon

PATH = "/v1/overdues"
FORGED = {
    "name": "MINE",
    "state": "acknowledged",
    "insurer_reference": "OV-1",
    "case_number": "C-1",
    "amount_open": 1.0,
    "notify_by": "2020-01-01",
    "insurer_words": "Yes",
    "live": False,
    "by_hand": True,
}
FAULTS = [
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "truncate"},
]


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@tagged("post_install", "-at_install")
class TestOverdueNotice(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = new_test_user(
            cls.env,
            login="plain_accountant",
            groups="base.group_user,account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _make_notice(self, moves=None, kind="notice", user=None, **values):
        notices = self.env["credit.insurance.overdue.notice"].with_user(user or self.accountant)
        notice = notices._create_from_invoices((moves or self.invoices).with_user(notices.env.user), kind)
        notice.write(values)
        return notice

    def _at_insurer(self, kind="overdue"):
        return self.simulator.control.sent(kind)

    def _queue(self, **values):
        notice = self._make_notice(**values)
        with trap_jobs():
            notice.action_submit()
        return notice

    def _assert_one(self, notice, kind="overdue"):
        found = self._at_insurer(kind)
        self.assertEqual([row["reference"] for row in found], [notice.name])
        self.assertEqual((notice.state, notice.insurer_reference), ("acknowledged", found[0]["number"]))

    def _duties(self, moves=None):
        rows = (moves or self.invoices).credit_insurance_deadline_ids
        return {row.kind: row.state for row in rows if row.kind in ("notification", "claim")}

    # === MAKING ONE === #

    def test_one_notice_per_buyer_lists_all_its_invoices(self):
        other = self.env["res.partner"].create({"name": "Beta Stores", "is_company": True})
        self._make_cover(500.0, buyer=self._make_buyer(partner=other))
        late = self._make_invoice(10.0, partner=other, due_in=-20)
        notices = self._make_notice(self.invoices | late)
        self.assertEqual(notices.mapped("partner_id"), self.partner | other)
        mine = notices.filtered(lambda notice: notice.partner_id == self.partner)
        self.assertEqual(mine.line_ids.mapped("amount_open"), [600.0, 300.0])
        self.assertEqual((mine.amount_open, mine.policy_id), (900.0, self.policy))
        self.assertTrue(mine.name.startswith("OVERDUE/"))

    def test_the_last_day_to_notify_is_that_of_the_first_invoice(self):
        late = self._make_invoice(10.0, due_in=-80) | self._make_invoice(10.0, due_in=-70)
        notice = self._make_notice(late)
        self.assertEqual(notice.notify_by, self.today + timedelta(days=10))
        self.assertFalse(notice.warning_text)
        self.assertIn("at once", self._make_notice().warning_text)

    def test_paid_draft_and_uninsured_invoices_are_refused_by_name(self):
        self._pay(self.invoices[0])
        with self.assertRaisesRegex(UserError, self.invoices[0].name):
            self._make_notice()
        with self.assertRaisesRegex(UserError, "Only posted customer invoices"):
            self._make_notice(self._make_invoice(10.0, post=False))
        other = self.env["res.partner"].create({"name": "Beta Stores", "is_company": True})
        with self.assertRaisesRegex(UserError, "No credit insurance policy covers"):
            self._make_notice(self._make_invoice(10.0, partner=other, due_in=-10))

    def test_an_invoice_stands_in_one_live_notice_of_a_kind(self):
        notice = self._make_notice(self.invoices[0])
        with self.assertRaisesRegex(UserError, notice.name):
            self._make_notice()
        self.assertTrue(self._make_notice(self.invoices[0], kind="extension"))
        second = self._make_notice(self.invoices[1])
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            second.line_ids = [Command.create({"move_id": self.invoices[0].id})]
        notice.action_cancel()
        second.line_ids = [Command.create({"move_id": self.invoices[0].id})]
        self.assertEqual(second.amount_open, 900.0)

    def test_an_invoice_of_somebody_else_is_not_added(self):
        other = self.env["res.partner"].create({"name": "Beta Stores", "is_company": True})
        stranger = self._make_invoice(10.0, partner=other, due_in=-10)
        with self.assertRaisesRegex(UserError, "is not one of Alpha Trading Ltd"):
            self._make_notice().line_ids = [Command.create({"move_id": stranger.id})]

    def test_the_buyers_button_takes_what_is_overdue_and_not_reported(self):
        self._make_notice(self.invoices[0])
        action = self.buyer.with_user(self.officer).action_report_overdue()
        notice = self.env["credit.insurance.overdue.notice"].browse(action["res_id"])
        self.assertEqual(notice.line_ids.move_id, self.invoices[1])
        with self.assertRaisesRegex(UserError, "not reported yet"):
            self.buyer.with_user(self.officer).action_report_overdue()

    def test_duties_to_notify_become_a_notice(self):
        duties = self.invoices.credit_insurance_deadline_ids.with_user(self.accountant)
        action = duties.action_report_overdue()
        notice = self.env["credit.insurance.overdue.notice"].browse(action["res_id"])
        self.assertEqual(notice.line_ids.move_id, self.invoices)
        with self.assertRaises(UserError):
            duties.filtered(lambda row: row.kind == "claim").action_report_overdue()

    def test_queries_do_not_grow_with_the_invoices(self):
        self._count_making(2)
        few, many = self._count_making(10), self._count_making(30)
        # Each line is a row of its own to insert and to update, and nothing is read for it alone.
        self.assertLessEqual(many - few, 2 * 20)

    def _count_making(self, count):
        moves = self.env["account.move"]
        for _number in range(count):
            moves |= self._make_invoice(1.0, due_in=-240, post=False)
        moves.action_post()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self._make_notice(moves)
        self.env.flush_all()
        return self.cr.sql_log_count - before

    # === SENT ONCE === #

    def test_the_notice_arrives_and_ends_the_duty_to_notify(self):
        notice = self._submit(self._make_notice(comment="They promise to pay"))
        self._assert_one(notice)
        body = self._at_insurer()[0]["body"]
        self.assertEqual([invoice["number"] for invoice in body["invoices"]], self.invoices.mapped("name"))
        self.assertEqual((body["policyNumber"], body["comment"]), ("POL-1", "They promise to pay"))
        self.assertEqual(self._duties(), {"notification": "done", "claim": "pending"})

    def test_every_lost_or_damaged_answer_ends_with_one_notice(self):
        for fault in FAULTS:
            with self.subTest(fault=fault), self.cr.savepoint() as savepoint:
                notice = self._queue()
                self.simulator.control.fault(path=PATH, method="POST", times=20, **fault)
                with self.assertRaises(RetryableJobError), self.cr.savepoint():
                    self._job(notice)._job_submit()
                self.simulator.control.faults.clear()
                self._job(notice)._job_submit()
                self._assert_one(notice)
                self.simulator.control.book.store.run("DELETE FROM submission")
                savepoint.rollback()

    def test_killed_between_answer_and_record_and_run_again_leaves_one_notice(self):
        notice = self._queue()
        killed = patch.object(type(notice), "_record_receipt", side_effect=Killed)
        with killed, self.assertRaises(Killed), self.cr.savepoint():
            self._job(notice)._job_submit()
        self.assertEqual((len(self._at_insurer()), notice.state), (1, "queued"))
        self.assertEqual(self._duties()["notification"], "missed")
        self._job(notice)._job_submit()
        self._assert_one(notice)

    def test_a_refused_notice_leaves_the_duty_and_says_why(self):
        notice = self._make_notice()
        self.policy.sudo().number = "POL-UNKNOWN"
        self._submit(notice)
        self.assertEqual((notice.state, notice.insurer_words), ("failed", "We know no policy POL-UNKNOWN"))
        self.assertEqual(notice.activity_ids.user_id, self.accountant)
        self.assertEqual(self._duties()["notification"], "missed")

    def test_what_is_paid_before_is_left_out_and_what_is_paid_after_is_shown(self):
        notice = self._make_notice()
        self._pay(self.invoices[0], 100.0)
        self._submit(notice)
        self.assertEqual(notice.amount_open, 800.0)
        self._pay(self.invoices[0], 50.0)
        self.assertEqual((notice.amount_open, notice.paid_since), (800.0, 50.0))
        self.assertEqual(notice.line_ids.mapped("paid_since"), [50.0, 0.0])

    def test_a_paid_invoice_is_not_reported(self):
        notice = self._make_notice()
        self._pay(self.invoices[0])
        with self.assertRaisesRegex(UserError, self.invoices[0].name):
            notice.action_submit()
        self.assertEqual(notice.state, "draft")

    # === EXTENSION AND PLAN === #

    def test_an_extension_names_one_invoice_and_a_later_day(self):
        notice = self._make_notice(self.invoices[0], kind="extension")
        with self.assertRaisesRegex(UserError, "new due date"):
            notice.action_submit()
        notice.new_due_date = notice.line_ids.due_date
        with self.assertRaisesRegex(UserError, "later"):
            notice.action_submit()
        notice.write({"new_due_date": self.today + timedelta(days=30), "reason": "dispute"})
        self._submit_where_possible(notice, Operation.EXTEND_INVOICE, "extension")
        self.assertEqual(self._duties()["notification"], "missed")

    def test_several_invoices_give_several_extensions(self):
        self.assertEqual(len(self._make_notice(kind="extension")), 2)

    def test_a_plan_has_instalments_on_different_days(self):
        notice = self._make_notice(kind="plan")
        with self.assertRaisesRegex(UserError, "instalments"):
            notice.action_submit()
        days = [self.today + timedelta(days=number) for number in (30, 60)]
        with Form(notice) as form:
            for day in days:
                with form.instalment_ids.new() as line:
                    line.due_on = day
                    line.amount = 400.0
        self.assertIn("800.00", notice.warning_text.replace(",", ""))
        notice.instalment_ids[0].amount = 500.0
        self.assertNotIn("900.00, the", notice.warning_text or "")
        self._submit_where_possible(notice, Operation.REPORT_REPAYMENT_PLAN, "plan")
        with self.assertRaises(UserError):
            notice.instalment_ids[0].amount = 1.0
        with self.assertRaises(UserError):
            notice.instalment_ids.unlink()

    def _submit_where_possible(self, notice, operation, kind):
        """Through the connection where the simulator's connector has the call, else by hand."""
        if operation in Sandbox.capabilities():
            self._submit(notice)
            self._assert_one(notice, kind)
        else:
            with self.assertRaisesRegex(UserError, "hand it in yourself"):
                notice.action_submit()
            notice.action_mark_sent()
            self.assertEqual(notice.state, "sent")

    def test_an_agreed_extension_makes_room_for_another(self):
        notice = self._make_notice(self.invoices[0], kind="extension", new_due_date=self.today + timedelta(days=9))
        notice.action_mark_sent()
        self._answer(notice, state="accepted", number="EX-1")
        self.assertFalse(notice.live)
        self.assertTrue(self._make_notice(self.invoices[0], kind="extension"))

    # === BY HAND === #

    def _answer(self, notice, **values):
        action = notice.action_enter_answer()
        wizards = self.env["credit.insurance.submission.answer"].with_user(notice.env.user)
        return wizards.with_context(**action["context"]).create(values).action_apply()

    def test_handed_in_by_hand_ends_the_duty_too(self):
        notice = self._make_notice()
        self.policy.account_id = False
        self.assertIn("hand it in yourself", notice.route_note)
        notice.action_prepare_files()
        self.assertTrue(notice.action_export_xlsx()["url"])
        self.assertEqual(self._duties()["notification"], "missed")
        notice.action_mark_sent()
        self.assertEqual((notice.state, self._duties()["notification"]), ("sent", "done"))
        with self.assertRaises(UserError):
            notice.action_mark_sent()

    def test_the_cover_sheet_lists_the_invoices(self):
        notice = self._make_notice()
        notice.action_prepare_files()
        report = "credit_insurance.report_overdue_notice"
        html = self.env["ir.actions.report"].with_user(self.accountant)._render_qweb_html(report, notice.ids)[0]
        for text in (notice.name, *self.invoices.mapped("name"), "900.00"):
            self.assertIn(text, html.decode())

    def test_the_answer_frees_refused_invoices(self):
        notice = self._submit(self._make_notice())
        self._answer(notice, state="refused", words="Too late")
        self.assertEqual(notice.insurer_words, "Too late")
        self.assertIn("Too late", notice.activity_ids.note)
        self.assertTrue(self._make_notice())

    def test_a_connector_that_lacks_the_call_at_the_last_moment_says_what_to_do(self):
        notice = self._queue()
        error = NotSupported("notify_overdue", insurer="sandbox")
        with patch.object(Sandbox, "notify_overdue", side_effect=error):
            self._job(notice)._job_submit()
        self.assertEqual((notice.state, notice.maybe_sent), ("failed", False))
        self.assertIn("sent by hand", notice.error_message)
        notice.action_mark_sent()
        self.assertEqual(notice.state, "sent")

    # === WHO MAY DO WHAT === #

    def test_an_accountant_does_it_all_without_a_credit_role(self):
        action = self.invoices.with_user(self.accountant).action_credit_insurance_report_overdue()
        notice = self.env["credit.insurance.overdue.notice"].with_user(self.accountant).browse(action["res_id"])
        with Form(notice) as form:
            form.comment = "Called twice"
        notice.web_read({"policy_id": {"fields": {"display_name": {}}}, "buyer_id": {"fields": {"display_name": {}}}})
        self._submit(notice)
        self._assert_one(notice)

    def test_an_officer_prepares_and_an_accountant_sends(self):
        plain = new_test_user(
            self.env,
            login="plain_officer",
            groups="base.group_user,credit_insurance.credit_insurance_group_user,account.group_account_readonly",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        notice = self._make_notice(user=plain)
        for name in ("action_submit", "action_mark_sent", "action_prepare_files"):
            with self.subTest(name), self.assertRaises(AccessError):
                getattr(notice, name)()
        with self.assertRaises(AccessError):
            self._make_notice(user=self.rep)
        with self.assertRaises(AccessError):
            notice.with_user(self.rep).action_submit()
        self._submit(notice.with_user(self.accountant))

    def test_state_numbers_words_and_figures_cannot_be_written_by_a_client(self):
        notice = self._make_notice()
        for user in (self.accountant, self.officer, self.administrator):
            for name, value in FORGED.items():
                with self.subTest(name), self.assertRaises(AccessError):
                    notice.with_user(user).write({name: value})
        for values in ({"amount_open": 5.0}, {"policy_open": 5.0}, {"live": False}, {"number": "X"}):
            with self.assertRaises(AccessError):
                notice.line_ids.write(values)
        context = {"default_state": "acknowledged", "default_insurer_reference": "OV-9"}
        notices = self.env["credit.insurance.overdue.notice"].with_user(self.accountant).with_context(**context)
        forged = notices.create({"buyer_id": self.buyer.id, "policy_id": self.policy.id})
        self.assertEqual((forged.state, forged.insurer_reference), ("draft", False))

    def test_what_was_sent_stays_as_it_was_and_is_not_deleted(self):
        notice = self._submit(self._make_notice())
        for values in ({"line_ids": [Command.clear()]}, {"comment": "x"}, {"kind": "plan"}):
            with self.assertRaises(UserError):
                notice.write(values)
        for records in (notice, notice.line_ids):
            with self.assertRaises(UserError):
                records.unlink()
        with self.assertRaises(UserError):
            notice.line_ids.write({"move_id": self.invoices[0].id})

    def test_notices_of_another_company_are_not_seen(self):
        notice = self._make_notice()
        other = self._create_company(name="Other Ltd")
        self.accountant.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        foreign = notice.with_context(allowed_company_ids=other.ids)
        self.assertFalse(foreign.search([("id", "=", notice.id)]))
        lines = foreign.env["credit.insurance.overdue.line"]
        self.assertFalse(lines.search([("notice_id", "=", notice.id)]))
        for name in ("action_submit", "action_mark_sent", "action_cancel", "action_prepare_files"):
            with self.subTest(name), self.assertRaises(AccessError):
                getattr(foreign, name)()

    def test_a_neutralized_copy_sends_nothing(self):
        notice = self._make_notice()
        self.env.flush_all()
        self.cr.execute("UPDATE credit_insurance_account SET state = 'enabled' WHERE id = %s", [self.account.id])
        self.env.invalidate_all()
        self.env["ir.config_parameter"].sudo().set_param("database.is_neutralized", "True")
        self.assertTrue(notice.route_note)
        with self.assertRaises(UserError):
            notice.action_submit()
        self.assertFalse(self._at_insurer())
