import base64
import hashlib
from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .submission_kind_case import SubmissionKindCase

FORGED = {
    "name": "MINE",
    "state": "accepted",
    "issued_on": "2026-01-01",
    "grade": "1",
    "recommended_amount": 1e6,
    "report_id": False,
    "sha256": "0",
    "source": "Me",
    "uploaded_by_id": False,
    "live": False,
}


@tagged("post_install", "-at_install")
class TestReportOrder(SubmissionKindCase):
    kind = "report"
    path = "/v1/reports"

    def _make(self, user=None, **values):
        orders = self.env["credit.insurance.report.order"].with_user(user or self.plain)
        return orders.create({"buyer_id": self.buyer.id, "policy_id": self.policy.id, **values})

    def _delivered(self):
        order = self._submit(self._make())
        self.simulator.control.deliver_report(order.insurer_reference, "Here it is")
        self._ask()
        return order

    def _ask(self):
        with trap_jobs() as trap:
            self.env["credit.insurance.report.order"].sudo()._cron_ask_status()
            trap.perform_enqueued_jobs()

    def test_every_lost_answer_ends_with_one_order(self):
        self._assert_exactly_once()

    def test_it_is_ordered_and_waits(self):
        order = self._submit(self._make(product="FULL"))
        self._ask()
        self._assert_one(order)
        self.assertEqual(self._sent()[0]["body"]["product"], "FULL")
        with self.assertRaises(UserError):
            order.action_download()

    def test_the_report_is_stored_as_it_came(self):
        order = self._delivered()
        content = order.report_id.raw
        self.assertEqual((order.state, content[:4]), ("accepted", b"%PDF"))
        self.assertEqual(order.sha256, hashlib.sha256(content).hexdigest())
        self.assertTrue(order.intact and order.issued_on)
        self.assertEqual(order.activity_ids.user_id, self.plain)
        self.assertEqual(self.buyer.report_order_count, 1)
        first = order.report_id
        self._job(order)._job_status()
        self.assertEqual(order.report_id, first)

    def test_the_report_is_neither_exchanged_nor_deleted(self):
        order = self._delivered()
        for user in (self.plain, self.officer, self.administrator):
            file = order.report_id.with_user(user)
            for write in ({"raw": b"x"}, {"name": "x"}, {"res_id": 0}):
                with self.assertRaises(UserError):
                    file.write(write)
            with self.assertRaises(UserError):
                file.unlink()
            with self.assertRaises(UserError):
                order.with_user(user).unlink()
        order.sudo().report_id.raw = b"forged"
        self.env.invalidate_all()
        self.assertFalse(order.intact)

    def test_a_report_is_ordered_once_while_it_is_awaited(self):
        order = self._make()
        with self.assertRaisesRegex(UserError, order.name):
            self._make()
        self.assertTrue(self._make(product="SHORT"))
        order.action_cancel()
        self.assertTrue(self._make())

    def test_a_second_order_is_warned_of(self):
        order = self._delivered()
        self.assertIn(order.name, self._make().warning_text)

    def test_a_declined_order_says_why(self):
        order = self._submit(self._make())
        self.simulator.control.deliver_report(order.insurer_reference, "We know too little", refuse=True)
        self._ask()
        self.assertEqual((order.state, order.insurer_words), ("refused", "We know too little"))
        self.assertIn("We know too little", order.activity_ids.note)

    def test_the_buyer_opens_the_order_that_is_awaited(self):
        action = self.buyer.with_user(self.plain).action_order_report()
        self.assertEqual(action["context"]["default_policy_id"], self.policy.id)
        order = self._make()
        self.assertEqual(self.buyer.with_user(self.plain).action_order_report()["res_id"], order.id)

    def test_a_report_justifies_a_discretionary_limit(self):
        self.policy.write({"discretionary_maximum": 5000.0, "discretionary_report_months": 12})
        order = self._delivered()
        context = order.with_user(self.administrator).action_grant_discretionary()["context"]
        values = {name.removeprefix("default_"): value for name, value in context.items()}
        limit = self.env["credit.insurance.discretionary.limit"].create({**values, "amount": 1000.0})
        self.assertTrue(limit.evidenced)
        self.assertEqual(limit.attachment_ids, order.report_id)
        self.assertEqual(order.report_id.res_model, order._name)
        with self.assertRaises(AccessError):
            order.with_user(self.plain).action_grant_discretionary()

    def test_by_hand_it_is_ordered_with_a_file(self):
        order = self._make()
        self._assert_handed_in(order, "B-1")
        self.assertTrue(order.action_export_xlsx()["url"])
        self._answer(order, state="refused", words="Not for you")
        self.assertEqual((order.state, order.insurer_words), ("refused", "Not for you"))

    def _attach(self, order, content=b"%PDF-1.4 a report", **values):
        action = order.action_attach_report()
        wizards = self.env["credit.insurance.submission.answer"].with_user(order.env.user)
        base = {"file": base64.b64encode(content), "filename": "../Report: 7.pdf", "issued_on": self.today}
        return wizards.with_context(**action["context"]).create({**base, **values}).action_apply()

    def test_a_report_received_by_hand_is_evidence_with_its_day_and_source(self):
        order = self._make()
        order.action_mark_sent()
        day = self.today - timedelta(days=9)
        self._attach(order, issued_on=day, source="Bureau Ltd", grade="B2", amount=700.0)
        self.assertEqual((order.state, order.live, order.report_id.raw), ("accepted", False, b"%PDF-1.4 a report"))
        self.assertEqual((order.issued_on, order.source, order.uploaded_by_id), (day, "Bureau Ltd", self.plain))
        self.assertEqual((order.grade, order.recommended_amount, order.report_name), ("B2", 700.0, "Report 7.pdf"))
        self.assertEqual(order.sha256, hashlib.sha256(b"%PDF-1.4 a report").hexdigest())
        self.assertTrue(order.intact)
        for user in (self.plain, self.officer, self.administrator):
            with self.assertRaises(UserError):
                order.report_id.with_user(user).unlink()
        with self.assertRaises(UserError):
            self._attach(order, b"another")
        self.assertEqual(self._sent(), [])

    def test_a_report_that_came_unasked_is_attached_to_a_draft(self):
        order = self._make()
        self._attach(order)
        self.assertEqual((order.state, order.source), ("accepted", self.insurer.name))
        Form(order)

    def test_no_empty_report_and_none_of_tomorrow_is_attached(self):
        order = self._make()
        for values in ({"content": b""}, {"issued_on": self.today + timedelta(days=1)}, {"issued_on": False}):
            with self.subTest(values), self.assertRaises(UserError), self.cr.savepoint():
                self._attach(order, **values)
        self.assertFalse(order.report_id)

    def test_only_who_orders_attaches_and_only_to_reports(self):
        order = self._make()
        for user in (self.rep, self.accountant):
            with self.assertRaises(AccessError):
                order.with_user(user).action_attach_report()
        claim = self._make_claim()
        vals = {"res_model": claim._name, "res_id": claim.id, "way": "report", "issued_on": self.today}
        wizard = self.env["credit.insurance.submission.answer"].with_user(self.officer).create(vals)
        with self.assertRaises(UserError):
            wizard.action_apply()

    def test_who_may_order(self):
        order = self._make()
        self._assert_not_written(order, FORGED, (self.plain, self.officer, self.administrator))
        for user in (self.rep, self.accountant):
            with self.assertRaises(AccessError):
                self._make(user=user, product="X")
        self._assert_not_sent_by(order, (self.rep, self.accountant))

    def test_reports_of_another_company_are_not_seen(self):
        self._assert_foreign([self._make()], self.plain)
