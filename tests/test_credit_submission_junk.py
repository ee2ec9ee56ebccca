"""What people upload as an insurer's answer may be anything; what they download is opened in a spreadsheet."""

import base64
import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import CoverRequestState, RequestStatus
from odoo.addons.credit_insurance.connectors.files import FileForm, write_answers

from .test_credit_cover_request import CoverRequestCommon

WORDS = "The insurer's words"


@tagged("post_install", "-at_install")
class TestSubmissionJunk(CoverRequestCommon):
    def setUp(self):
        super().setUp()
        self.request = self._make_request()
        self.request.action_mark_sent()
        self.answer = CoverRequestState(
            request_id="P-7",
            reference=self.request.name,
            status=RequestStatus.PARTIAL,
            raw_code="TEIL",
            received_at=datetime(2026, 1, 5, tzinfo=UTC),
            decided_on=self.today,
            amount=Decimal("2500"),
            currency=self.company_currency.name,
            words=WORDS,
        )
        self.csv = write_answers([self.answer], FileForm.CSV).content
        self.xlsx = write_answers([self.answer], FileForm.XLSX).content

    def _upload(self, content, name="answer.csv"):
        action = self.request.action_enter_answer()
        wizards = self.env["credit.insurance.submission.answer"].with_user(self.officer)
        values = {"way": "file", "file": base64.b64encode(content), "filename": name}
        return wizards.with_context(**action["context"]).create(values).action_apply()

    def _files(self):
        return self.env["ir.attachment"].search(
            [("res_model", "=", self.request._name), ("res_id", "=", self.request.id)]
        )

    def _changed_workbook(self, value):
        book = openpyxl.load_workbook(io.BytesIO(self.xlsx))
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.value == WORDS:
                        cell.value = value
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def _swollen_workbook(self):
        out = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(self.xlsx)) as source,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for name in source.namelist():
                words = WORDS.replace("'", "&apos;").encode()
                content = source.read(name).replace(WORDS.encode(), b"x" * 10_000_000)
                target.writestr(name, content.replace(words, b"x" * 10_000_000))
        return out.getvalue()

    def test_what_cannot_be_read_changes_nothing_and_is_not_kept(self):
        text = self.csv
        cases = {
            "NUL": text.replace(WORDS.encode(), b"a\0b"),
            "control character": text.replace(WORDS.encode(), b"a\x07b"),
            "escape sequence": text.replace(WORDS.encode(), b"\x1b[31mred"),
            "no UTF-8 after its mark": text.replace(WORDS.encode(), b"\xff\xfe\xfa"),
            "half of a pair": text.decode("utf-8-sig").replace(WORDS, "\ud800").encode("utf-16-le", "surrogatepass"),
            "ten megabytes in a cell": text.replace(WORDS.encode(), b"x" * 10_000_000),
            "ten megabytes without an end": b'"' + b"x" * 10_000_000,
            "binary": bytes(range(256)) * 50,
            "nothing": b"\xef\xbb\xbf",
            "half a workbook": self.xlsx[: len(self.xlsx) // 2],
            "formula": self._changed_workbook('=WEBSERVICE("http://x")'),
            "ten megabytes in a cell of a workbook": self._swollen_workbook(),
        }
        for name, content in cases.items():
            with self.subTest(name), self.assertRaises(UserError), self.cr.savepoint():
                self._upload(content)
            self.assertEqual((self.request.state, self.request.insurer_words, len(self._files())), ("sent", False, 0))

    def test_the_problem_is_named_with_its_place(self):
        with self.assertRaisesRegex(UserError, "U\\+0007") as refused:
            self._upload(self.csv.replace(WORDS.encode(), b"a\x07b"))
        self.assertIn("words", str(refused.exception))

    def test_a_files_name_is_made_safe(self):
        for number, name in enumerate(("../../etc/passwd", "a\u202efdp.exe", "x" * 5000 + ".csv", "")):
            with self.subTest(name[:20]), self.cr.savepoint() as savepoint:
                self._upload(self.csv, name)
                [kept] = self._files().mapped("name")
                self.assertNotRegex(kept, "[/\\\\\u202e]", number)
                self.assertTrue(0 < len(kept) <= 100)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_a_formula_in_an_answer_is_text_and_stays_text_in_exports(self):
        words = '=HYPERLINK("http://x","y")'
        self._upload(write_answers([replace(self.answer, words=words)], FileForm.CSV).content)
        self.assertEqual(self.request.insurer_words, words)

    def test_no_cell_that_we_write_begins_a_formula(self):
        for comment in ('=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1"):
            with self.subTest(comment):
                request = self._make_request(kind="reduce", amount=5.0, comment=comment)
                request.action_prepare_files()
                for row in csv.reader(io.StringIO(request._export(FileForm.CSV).content.decode("utf-8-sig"))):
                    for cell in row:
                        self.assertNotRegex(cell, "^\\s*[=+\\-@\uff1d]")
                book = openpyxl.load_workbook(io.BytesIO(request._export(FileForm.XLSX).content))
                for sheet in book.worksheets:
                    for row in sheet.iter_rows():
                        self.assertNotIn("f", [cell.data_type for cell in row])
                request.action_cancel()

    def test_a_comment_that_no_file_holds_is_refused_in_words(self):
        request = self._make_request(kind="reduce", amount=5.0, comment="a\x07b")
        request.action_prepare_files()
        for form in (FileForm.CSV, FileForm.XLSX, FileForm.XML):
            with self.subTest(form), self.assertRaisesRegex(UserError, "U\\+0007"):
                request._export(form)
