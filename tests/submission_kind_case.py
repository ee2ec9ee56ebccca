from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon

FAULTS = [
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "truncate"},
]


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


class SubmissionKindCase(ClaimCommon):
    """What holds for everything that is sent to an insurer once, whatever it is."""

    kind = ""  # the simulator's
    path = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls._make_user("plain_accountant", "account.group_account_invoice")
        cls.plain = cls._make_user(
            "plain_officer", "credit_insurance.credit_insurance_group_user,account.group_account_readonly"
        )

    def _make(self, **values):
        raise NotImplementedError

    def _sent(self):
        return self.simulator.control.sent(self.kind)

    def _queue(self):
        record = self._make()
        with trap_jobs():
            record.action_submit()
        return record

    def _assert_one(self, record):
        found = self._sent()
        self.assertEqual([row["reference"] for row in found], [record.name])
        self.assertEqual(record.insurer_reference, found[0]["number"])
        self.assertEqual(record.state, "acknowledged")

    def _assert_exactly_once(self):
        for fault in FAULTS:
            with self.subTest(fault=fault), self.cr.savepoint() as savepoint:
                record = self._queue()
                self.simulator.control.fault(path=self.path, method="POST", times=20, **fault)
                with self.assertRaises(RetryableJobError), self.cr.savepoint():
                    self._job(record)._job_submit()
                self.simulator.control.faults.clear()
                self._job(record)._job_submit()
                self._assert_one(record)
                self.assertIn("nothing to send", self._job(record)._job_submit())
                self.simulator.control.book.store.run("DELETE FROM submission WHERE kind = ?", self.kind)
                savepoint.rollback()
        record = self._queue()
        killed = patch.object(type(record), "_record_receipt", side_effect=Killed)
        with killed, self.assertRaises(Killed), self.cr.savepoint():
            self._job(record)._job_submit()
        self.assertEqual((len(self._sent()), record.state), (1, "queued"))
        self._job(record)._job_submit()
        self._assert_one(record)

    def _assert_handed_in(self, record, *texts):
        """The way by hand: nothing is sent, the form opens in every state, and the cover sheet says what it is."""
        Form(record)
        record.action_prepare_files()
        Form(record)
        report = record._sheet_report.replace("action_report_", "report_")
        html = self.env["ir.actions.report"].with_user(record.env.user)._render_qweb_html(report, record.ids)[0]
        for text in (record.name, *texts):
            self.assertIn(text, html.decode())
        record.action_mark_sent()
        self.assertEqual((record.state, self._sent()), ("sent", []))

    def _answer(self, record, **values):
        action = record.action_enter_answer()
        wizards = self.env["credit.insurance.submission.answer"].with_user(record.env.user)
        return wizards.with_context(**action["context"]).create(values).action_apply()

    def _assert_not_written(self, record, forged, users):
        for user in users:
            for name, value in forged.items():
                with self.subTest(name, user=user.login), self.assertRaises(AccessError):
                    record.with_user(user).write({name: value})

    def _assert_not_sent_by(self, record, users):
        for user in users:
            for name in ("action_submit", "action_mark_sent", "action_prepare_files"):
                with self.subTest(name, user=user.login), self.assertRaises(AccessError):
                    getattr(record.with_user(user), name)()

    def _assert_foreign(self, records, user):
        """A user of another company sees none of these and can do nothing with them."""
        other = self._create_company(name="Other Ltd")
        user.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        for found in records:
            foreign = found.with_user(user).with_context(allowed_company_ids=other.ids)
            self.assertFalse(foreign.search([("id", "in", found.ids)]))
            with self.assertRaises(AccessError):
                foreign.read(["company_id"])
        for name in ("action_submit", "action_mark_sent", "action_cancel", "action_prepare_files"):
            first = records[0].with_user(user).with_context(allowed_company_ids=other.ids)
            with self.subTest(name), self.assertRaises(AccessError):
                getattr(first, name)()
