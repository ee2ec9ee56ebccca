from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .submission_kind_case import SubmissionKindCase

FORGED = {
    "name": "MINE",
    "state": "acknowledged",
    "insurer_reference": "DO-1",
    "sha256": "0",
    "file_name": "x.pdf",
    "file_id": False,
    "live": False,
    "by_hand": True,
}


@tagged("post_install", "-at_install")
class TestClaimDocument(SubmissionKindCase):
    kind = "document"
    path = "/v1/documents"

    def setUp(self):
        super().setUp()
        self.claim = self._submit(self._make_claim())
        self.file = self._attach(b"%PDF-1.4 order", "../Order: 7.pdf")

    def _attach(self, content, name, record=None):
        record = record or self.claim
        vals = {"name": name, "raw": content, "res_model": record._name, "res_id": record.id}
        return self.env["ir.attachment"].create(vals)

    def _make(self, user=None, **values):
        documents = self.env["credit.insurance.claim.document"].with_user(user or self.officer)
        return documents.create({"claim_id": self.claim.id, "attachment_id": self.file.id, "kind": "order", **values})

    def test_every_lost_answer_ends_with_one_paper(self):
        self._assert_exactly_once()

    def test_the_paper_arrives_under_the_claims_number(self):
        document = self._submit(self._make())
        body = self._sent()[0]["body"]
        self.assertEqual((body["ownerNumber"], body["ownerReference"]), (self.claim.insurer_reference, self.claim.name))
        self.assertEqual((body["name"], body["kind"], document.file_size), ("Order 7.pdf", "ORDER", 14))

    def test_without_a_number_of_the_claim_nothing_is_sent(self):
        self.claim.sudo().write({"insurer_reference": False, "state": "sent"})
        document = self._make()
        with self.assertRaisesRegex(UserError, "given .* no number"):
            document.action_submit()
        document.action_mark_sent()
        self.assertEqual((document.state, self._sent()), ("sent", []))

    def test_a_paper_stands_once_in_a_claim(self):
        first = self._make()
        self._attach(b"%PDF-1.4 order", "Copy.pdf")
        with self.assertRaisesRegex(UserError, first.name):
            self._make(attachment_id=self._attach(b"%PDF-1.4 order", "Copy.pdf").id)
        first.action_cancel()
        self.assertTrue(self._make())

    def test_files_of_the_claim_and_its_invoices_become_papers_once(self):
        self._attach(b"%PDF-1.4 proof", "Proof.pdf", self.invoices[0])
        self._attach(b"%PDF-1.4 other", "Other.pdf", self.partner)
        for _time in range(2):
            self.claim.action_collect_documents()
        found = {document.file_name: document.kind for document in self.claim.document_ids}
        self.assertEqual(found, {"Order 7.pdf": "other", "Proof.pdf": "invoice"})
        with trap_jobs() as trap:
            self.claim.with_user(self.officer).action_send_documents()
            trap.perform_enqueued_jobs()
        self.assertEqual(len(self._sent()), 2)
        with self.assertRaisesRegex(UserError, "no paper"):
            self.claim.action_send_documents()

    def test_a_file_of_something_else_is_refused(self):
        with self.assertRaisesRegex(UserError, "belongs neither"):
            self._make(attachment_id=self._attach(b"x", "x.pdf", self.partner).id)
        document = self._make()
        with self.assertRaisesRegex(UserError, "belongs neither"):
            document.attachment_id = self._attach(b"x", "x.pdf", self.partner)
        with self.assertRaisesRegex(UserError, "stays with its claim"):
            document.claim_id = self.claim

    def test_large_and_empty_files_are_refused(self):
        self.policy.document_max_megabytes = 1
        big = self._make(attachment_id=self._attach(b"x" * (1024 * 1024 + 1), "big.bin").id)
        with self.assertRaisesRegex(UserError, "larger than 1 MB"):
            big.action_submit()
        empty = self._make(attachment_id=self._attach(b"", "none.pdf").id)
        with self.assertRaisesRegex(UserError, "is empty"):
            empty.action_submit()

    def test_what_was_sent_stays_though_its_source_changes(self):
        document = self._queue()
        self.file.raw = b"%PDF-1.4 forged"
        self._job(document)._job_submit()
        self.assertEqual(document.sudo().file_id.raw, b"%PDF-1.4 order")
        self.file.unlink()
        for user in (self.officer, self.administrator):
            copied = document.file_id.with_user(user)
            with self.assertRaises(UserError):
                copied.write({"raw": b"other"})
            with self.assertRaises(UserError):
                copied.unlink()
            with self.assertRaises(UserError):
                document.with_user(user).unlink()
        with self.assertRaises(UserError):
            document.sudo().file_id.unlink()

    def test_a_tampered_copy_is_not_sent(self):
        document = self._queue()
        document.sudo().file_id.raw = b"%PDF-1.4 forged"
        self._job(document)._job_submit()
        self.assertEqual((document.state, self._sent()), ("failed", []))
        self.assertIn("not as it was", document.error_message)

    def test_a_refused_paper_says_why(self):
        document = self._make()
        self.claim.sudo().insurer_reference = "CL-2020-00001"
        self._submit(document)
        self.assertEqual((document.state, document.maybe_sent), ("failed", False))
        self.assertIn("CL-2020-00001", document.insurer_words)
        self.assertTrue(document.activity_ids)

    def test_by_hand_it_is_the_file_itself(self):
        self._assert_handed_in(self._make(), "Order 7.pdf", self.claim.name)
        Form(self.claim.with_user(self.officer))
        document = self._make(attachment_id=self._attach(b"%PDF-1.4 b", "b.pdf").id)
        document.action_prepare_files()
        url = document.action_download()["url"]
        self.assertIn(str(document.file_id.id), url)
        document.action_draft()
        self.assertFalse(document.file_id)
        self.assertTrue(document.unlink())

    def test_only_accountants_send_and_nobody_writes_what_flows_set(self):
        document = self._make(user=self.plain)
        self._assert_not_sent_by(document, (self.plain, self.rep))
        self._assert_not_written(document, FORGED, (self.plain, self.officer, self.administrator))
        with self.assertRaises(AccessError):
            self._make(user=self.rep)

    def test_papers_of_another_company_are_not_seen(self):
        self._assert_foreign([self._make()], self.officer)
