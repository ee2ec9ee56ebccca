import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import (
    Cover,
    CoverRequestState,
    CoverStatus,
    Grade,
    OverdueReceipt,
    RequestStatus,
)
from odoo.addons.credit_insurance.connectors.files import FileForm, write_answers

from .claim_common import ClaimCommon


class FileImportCommon(ClaimCommon):
    """An insurer without an interface: what it tells comes as a file."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.connector = "file"
        cls.now = fields.Datetime.now()

    def _cover(self, amount="2500", **values):
        told = {
            "cover_id": "C-1",
            "buyer_id": "B-1",
            "policy_number": "POL-1",
            "status": CoverStatus.APPROVED,
            "raw_code": "OK",
            "currency": self.company_currency.name,
            "amount": Decimal(amount) if amount else None,
            "decided_on": self.today,
            "effective_from": self.today,
        }
        return Cover(**{**told, **values})

    def _import(self, answers, user=None, content=None, form=FileForm.CSV, lang="en_US", **values):
        file = write_answers(answers, form) if content is None else None
        wizard = self.env["credit.insurance.file.import"].with_user(user or self.manager).with_context(lang=lang)
        name, raw = (file.name, file.content) if file else ("answers.csv", content)
        vals = {"account_id": self.account.id, "file": base64.b64encode(raw), "filename": name}
        action = wizard.create({**vals, **values}).action_import()
        return self.env["credit.insurance.pull"].browse(action["res_id"])


@tagged("post_install", "-at_install")
class TestFileImport(FileImportCommon):
    def test_covers_of_a_file_become_history_with_the_file_as_evidence(self):
        for form in (FileForm.CSV, FileForm.XLSX, FileForm.XML):
            with self.subTest(form), self.env.cr.savepoint() as savepoint:
                pull = self._import([self._cover()], form=form)
                self.assertEqual((pull.state, pull.cover_count, pull.changed_count), ("done", 1, 1))
                self.assertEqual((self.buyer.cover_amount, self.buyer.cover_status), (2500.0, "approved"))
                with self.assertRaises(UserError):
                    pull.file_id.with_user(self.env.ref("base.user_admin")).unlink()
                savepoint.rollback()

    def test_the_same_file_twice_adds_nothing(self):
        self._import([self._cover()])
        before = self.buyer.cover_ids
        self.assertEqual(self._import([self._cover()]).changed_count, 0)
        self.assertEqual(self.buyer.cover_ids, before)

    def test_a_complete_list_makes_what_did_not_change_as_fresh_as_the_file(self):
        self._import([self._cover()])
        as_of = self.now - timedelta(days=2)
        self.assertFalse(self.account.covers_pulled_at)
        self._import([self._cover()], as_of=as_of, complete=True)
        self.assertEqual(self.account.covers_pulled_at, as_of)

    def test_who_is_missing_from_a_complete_list_is_noted_and_from_another_not(self):
        self._import([self._cover()])
        other = self._make_buyer(partner=self.env["res.partner"].create({"name": "Other", "is_company": True}))
        link = {"account_id": self.account.id, "buyer_id": other.id, "external_id": "B-2"}
        self.env["credit.insurance.buyer.link"].create(link)
        second = self._cover(cover_id="C-2", buyer_id="B-2")
        self._import([second])
        self.assertFalse(self.buyer.link_ids.missing_since)
        self._import([second], complete=True)
        self.assertTrue(self.buyer.link_ids.missing_since)
        self.assertFalse(other.link_ids.missing_since)
        self._import([self._cover(), second], complete=True)
        self.assertFalse(self.buyer.link_ids.missing_since)

    def test_nothing_is_concluded_from_a_list_that_could_not_be_read_whole(self):
        self._import([self._cover()])
        lines = write_answers([self._cover(cover_id="C-9", buyer_id="B-9")], FileForm.CSV).content.splitlines()
        broken = lines[-1].replace(b"C-9", b"C-8").replace(b",2500,", b",plenty,")
        pull = self._import([], content=b"\r\n".join([*lines, broken]), complete=True)
        self.assertIn("plenty", pull.problem)
        self.assertFalse(self.buyer.link_ids.missing_since)
        self.assertFalse(self.account.covers_pulled_at)

    def test_a_complete_list_has_every_policy(self):
        self._make_policy(number="POL-2", account_id=self.account.id)
        pull = self._import([self._cover()], complete=True)
        self.assertIn("POL-2", pull.problem)
        self.assertFalse(self.account.covers_pulled_at)

    def test_covers_of_a_strange_policy_are_left_out_and_told(self):
        pull = self._import([self._cover(policy_number="POL-9"), self._cover()], complete=True)
        self.assertIn("POL-9", pull.problem)
        self.assertEqual(pull.cover_count, 1)
        self.assertFalse(self.account.covers_pulled_at)

    def test_buyers_nobody_linked_are_reported(self):
        self._import([self._cover(cover_id="C-5", buyer_id="B-5")])
        unlinked = self.env["credit.insurance.unlinked.buyer"].search([("account_id", "=", self.account.id)])
        self.assertEqual(unlinked.external_id, "B-5")

    def test_grades_of_a_file_become_history_and_unknown_numbers_are_told(self):
        grades = [Grade("B-1", "4", "1-10", self.today), Grade("B-7", "4", "1-10", self.today)]
        pull = self._import(grades)
        self.assertEqual((pull.grade_count, self.buyer.grade), (1, "4"))
        self.assertIn("B-7", pull.problem)

    def test_a_file_older_than_what_is_known_is_refused(self):
        self._import([self._cover()], complete=True)
        with self.assertRaisesRegex(UserError, "older than what is known"):
            self._import([self._cover("1")], as_of=self.now - timedelta(days=1), complete=True)
        self.assertEqual(self.buyer.cover_amount, 2500.0)
        with self.assertRaisesRegex(UserError, "in the future"):
            self._import([self._cover("1")], as_of=self.now + timedelta(days=1))

    def test_what_was_handed_in_gets_its_answers(self):
        requests = self.env["credit.insurance.cover.request"].with_user(self.officer)
        request = requests.create({"buyer_id": self.buyer.id, "policy_id": self.policy.id, "kind": "increase",
                                   "amount": 5000.0})  # fmt: skip
        action = self.invoices.with_user(self.officer).action_credit_insurance_report_overdue()
        notice = self.env["credit.insurance.overdue.notice"].with_user(self.officer).browse(action["res_id"])
        (request.action_mark_sent(), notice.action_mark_sent())
        at = datetime.now(UTC)
        state = CoverRequestState(
            request_id="P-7", reference=request.name, status=RequestStatus.PARTIAL, raw_code="TEIL", received_at=at,
            decided_on=self.today, amount=Decimal("2500"), currency=self.company_currency.name,
        )  # fmt: skip
        receipt = OverdueReceipt(reference=notice.name, notice_number="N-1", received_at=at)
        pull = self._import([state, receipt])
        self.assertEqual((request.state, request.granted_amount), ("partial", 2500.0))
        self.assertEqual((notice.state, notice.insurer_reference), ("acknowledged", "N-1"))
        self.assertEqual((pull.request_count, pull.answer_count, pull.problem), (1, 1, False))
        self.assertEqual(self.env["credit.insurance.pull"].search([("account_id", "=", self.account.id)]), pull)
        self.assertEqual((pull.state, pull.error), ("done", False))

    def test_only_a_credit_manager_reads_files_in_and_only_such_as_say_something(self):
        for user in (self.officer, self.rep):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._import([self._cover()], user=user)
        for content in (b"", b"%PDF-1.4", b"a,b\r\n1,2\r\n", b"\x00" * 40):
            with self.subTest(content), self.assertRaises(UserError):
                self._import([], content=content)
        self.account.state = "disabled"
        with self.assertRaisesRegex(UserError, "disabled"):
            self._import([self._cover()])
        self.assertFalse(self.env["credit.insurance.pull"].search([("account_id", "=", self.account.id)]))

    def test_an_insurer_without_an_interface_is_not_asked(self):
        with self.assertRaisesRegex(UserError, "read its files"):
            self.account.with_user(self.manager).action_pull()
        self.env["credit.insurance.account"]._cron_pull()
        self.assertFalse(self.env["credit.insurance.pull"].search([("account_id", "=", self.account.id)]))

    def test_a_file_waits_for_the_pull_that_is_under_way(self):
        self.account.connector = "sandbox"
        self.assertTrue(self.env["credit.insurance.pull"]._start(self.account)._has_job())
        with self.assertRaisesRegex(UserError, "is being pulled"):
            self._import([self._cover()])

    def test_covers_older_than_the_last_complete_list_are_refused_also_in_part(self):
        self._import([self._cover()], complete=True)
        old = self._cover("9000", decided_on=self.today - timedelta(days=20))
        with self.assertRaisesRegex(UserError, "older than what is known"):
            self._import([old], as_of=self.now - timedelta(days=1))
        self.assertEqual(self.buyer.cover_amount, 2500.0)

    def test_a_cover_that_a_later_file_told_stays_as_it_told_it(self):
        self._import([self._cover(status=CoverStatus.WITHDRAWN, amount="0")])
        pull = self._import([self._cover("9000")], as_of=self.now - timedelta(days=10))
        self.assertEqual(self.buyer.cover_status, "withdrawn")
        self.assertIn("C-1", pull.problem)

    def test_what_a_file_changes_is_as_old_as_the_file(self):
        as_of = self.now - timedelta(days=40)
        grade = Grade("B-1", "4", "1-10", self.today - timedelta(days=50))
        decided = self.today - timedelta(days=50)
        self._import([self._cover(decided_on=decided, effective_from=decided), grade], as_of=as_of)
        self.assertEqual(self.buyer.current_cover_id.confirmed_at, as_of)
        self.assertEqual(self.buyer.grade_confirmed_at, as_of)

    def test_of_two_grades_of_a_buyer_in_a_file_the_later_counts(self):
        earlier = Grade("B-1", "6", "1-10", self.today - timedelta(days=30))
        later = Grade("B-1", "4", "1-10", self.today)
        self._import([later, earlier])
        self.assertEqual((self.buyer.grade, self.buyer.graded_on), ("4", self.today))

    def test_a_grade_that_a_later_file_told_stays_as_it_told_it(self):
        self._import([Grade("B-1", "4", "1-10", self.today)])
        self._import([Grade("B-1", "6", "1-10", self.today - timedelta(days=30))], as_of=self.now - timedelta(days=20))
        self.assertEqual(self.buyer.grade, "4")

    def test_a_file_that_tells_little_leaves_the_error_of_the_last_pull(self):
        self.account.connector = "sandbox"
        self.account._record_failure("The insurer could not be reached.")
        self._import([Grade("B-1", "4", "1-10", self.today)])
        self.assertTrue(self.account.last_error)
        self._import([self._cover()], complete=True)
        self.assertFalse(self.account.last_error)

    def test_a_pull_whose_job_is_gone_keeps_no_file_waiting(self):
        gone = self.env["credit.insurance.pull"].sudo().create({"account_id": self.account.id})
        self._import([self._cover()])
        self.assertEqual((gone.state, self.buyer.cover_amount), ("failed", 2500.0))

    def test_nothing_is_concluded_from_a_list_with_a_cover_that_could_not_be_taken_over(self):
        self._import([self._cover()])
        self.env["res.currency"].search([("name", "=", "XAF")]).active = False
        withdrawn = self._cover("0", status=CoverStatus.WITHDRAWN, currency="XAF")
        pull = self._import([withdrawn], complete=True)
        self.assertIn("XAF", pull.problem)
        self.assertFalse(self.account.covers_pulled_at)
