"""Extensions and repayment plans are answered; papers go to notices as they go to claims."""

import base64
from datetime import UTC, datetime, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.credit_insurance.connectors import AgreementState, AgreementStatus
from odoo.addons.credit_insurance.connectors.files import FileForm, write_answers
from odoo.addons.queue_job.tests.common import trap_jobs

from .submission_kind_case import SubmissionKindCase


class NoticeCase(SubmissionKindCase):
    def _draft(self, kind, moves=None):
        notices = self.env["credit.insurance.overdue.notice"].with_user(self.accountant)
        notice = notices._create_from_invoices((moves or self.invoices[0]).with_user(self.accountant), kind)
        if kind == "extension":
            notice.new_due_date = self.today + timedelta(days=30)
        if kind == "plan":
            instalment = {"due_on": self.today + timedelta(days=30), "amount": notice.line_ids.amount_open}
            notice.instalment_ids = [Command.create(instalment)]
        return notice


@tagged("post_install", "-at_install")
class TestAgreement(NoticeCase):
    def _ask(self):
        with trap_jobs() as trap:
            self.env["credit.insurance.overdue.notice"].sudo()._cron_ask_status()
            trap.perform_enqueued_jobs()

    def _answer_at_insurer(self, notice, decision, words):
        answer = getattr(self.simulator.control, f"answer_{notice.kind}")
        answer(notice.insurer_reference, decision, words)

    def test_the_insurers_answer_is_asked_for_and_told(self):
        for kind in ("extension", "plan"):
            for decision, state, live in (("AGREED", "accepted", False), ("REFUSED", "refused", False)):
                with self.subTest(kind, decision=decision):
                    notice = self._submit(self._draft(kind))
                    self._ask()
                    self.assertEqual((notice.state, notice.live), ("acknowledged", True))
                    self._answer_at_insurer(notice, decision, "We have looked at it")
                    self._ask()
                    self.assertEqual((notice.state, notice.live), (state, live))
                    self.assertEqual(notice.insurer_words, "We have looked at it")
                    self.assertIn("We have looked at it", notice.activity_ids.note)
                    self.assertEqual(notice.activity_ids.user_id, self.accountant)

    def test_a_notice_is_not_asked_about(self):
        notice = self._submit(self._draft("notice"))
        with trap_jobs() as trap:
            notice.sudo()._cron_ask_status()
            trap.assert_jobs_count(0)
        with self.assertRaises(UserError):
            notice.action_ask_status()

    def test_a_call_of_the_insurer_asks_about_what_moved(self):
        for kind, name in (("extension", "extension_state"), ("plan", "repayment_plan_state")):
            with self.subTest(kind), trap_jobs() as trap:
                notice = self._submit(self._draft(kind))
                wake_ups = self.env["credit.insurance.wake.up"].sudo()
                before = len(trap.enqueued_jobs)
                wake_ups._ask_submissions(self.account, {name}, [notice.insurer_reference])
                self.assertEqual(len(trap.enqueued_jobs) - before, 1)

    def test_an_unknown_code_is_shown_and_changes_no_state(self):
        notice = self._submit(self._draft("extension"))
        now = datetime.now(UTC)
        self._job(notice)._apply_status(
            AgreementStatus(notice.insurer_reference, notice.name, AgreementState.UNKNOWN, "X9", now, "Hm")
        )
        self.assertEqual((notice.state, notice.insurer_status_code, notice.insurer_words), ("acknowledged", "X9", "Hm"))

    def test_an_answer_comes_by_hand(self):
        notice = self._draft("extension")
        notice.action_mark_sent()
        self._answer(notice, state="refused", words="Not again")
        self.assertEqual((notice.state, notice.insurer_words, notice.live), ("refused", "Not again", False))

    def test_an_answer_comes_in_a_file(self):
        notice = self._draft("plan")
        notice.action_mark_sent()
        now = datetime.now(UTC)
        status = AgreementStatus("RP-9", notice.name, AgreementState.AGREED, "OK", now, "Agreed")
        for form in (FileForm.CSV, FileForm.XLSX, FileForm.XML):
            with self.subTest(form), self.cr.savepoint() as savepoint:
                file = write_answers([status], form)
                self._answer(notice, way="file", file=base64.b64encode(file.content), filename=file.name)
                self.assertEqual((notice.state, notice.insurer_reference), ("accepted", "RP-9"))
                savepoint.rollback()
            self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestNoticePaper(NoticeCase):
    kind = "document"
    path = "/v1/documents"

    def setUp(self):
        super().setUp()
        self.notice = self._submit(self._draft("notice"))
        self.file = self._attach(b"%PDF-1.4 reminder", "Reminder.pdf")

    def _attach(self, content, name, record=None):
        record = record or self.notice
        vals = {"name": name, "raw": content, "res_model": record._name, "res_id": record.id}
        return self.env["ir.attachment"].create(vals)

    def _make(self, user=None, **values):
        documents = self.env["credit.insurance.claim.document"].with_user(user or self.officer)
        base = {"notice_id": self.notice.id, "attachment_id": self.file.id, "kind": "correspondence"}
        return documents.create({**base, **values})

    def test_every_lost_answer_ends_with_one_paper(self):
        self._assert_exactly_once()

    def test_the_paper_arrives_under_the_notices_number(self):
        paper = self._submit(self._make())
        body = self._sent()[0]["body"]
        number, name = self.notice.insurer_reference, self.notice.name
        self.assertEqual((body["ownerNumber"], body["ownerReference"]), (number, name))
        self.assertEqual((paper.partner_id, paper.owner_number), (self.partner, number))
        Form(paper)
        Form(self.notice.with_user(self.officer))

    def test_papers_are_collected_and_sent_from_the_notice(self):
        self._attach(b"%PDF-1.4 the invoice", "Invoice.pdf", self.invoices[0])
        notice = self.notice.with_user(self.officer)
        for _time in range(2):
            action = notice.action_collect_documents()
        papers = self.env["credit.insurance.claim.document"].search(action["domain"])
        self.assertEqual(sorted(papers.mapped("file_name")), ["Invoice.pdf", "Reminder.pdf"])
        with trap_jobs() as trap:
            notice.action_send_documents()
            trap.perform_enqueued_jobs()
        self.assertEqual(len(self._sent()), 2)
        self.assertEqual(notice.document_count, 2)

    def test_a_paper_belongs_to_one_of_them_and_stays_there(self):
        claim = self._make_claim(self.invoices[1])
        paper = self._make()
        with self.assertRaises(UserError):
            paper.claim_id = claim
        with self.assertRaises(UserError):
            self._make()
        with self.assertRaises(UserError):
            self._make(attachment_id=self._attach(b"x", "x.pdf", claim).id)
        with self.assertRaises(UserError):
            self._make(notice_id=False)

    def test_a_foreign_notice_takes_no_paper(self):
        other = self._create_company(name="Other Ltd")
        self.officer.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        with self.assertRaises(AccessError):
            self._make()

    def test_by_hand_it_is_handed_in_with_its_notice_named(self):
        self._assert_handed_in(self._make(), self.notice.name, "Reminder.pdf")
