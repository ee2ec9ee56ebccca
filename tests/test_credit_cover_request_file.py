import base64
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from unittest.mock import patch

import openpyxl

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from odoo.addons.credit_insurance.connectors import CoverRequestState, RequestStatus
from odoo.addons.credit_insurance.connectors.files import FileForm, instructions, read_exported, write_answers
from odoo.addons.credit_insurance.credit_insurance.models.file_words import INSTRUCTIONS

from .test_credit_cover_request import CoverRequestCommon


@tagged("post_install", "-at_install")
class TestCoverRequestFile(CoverRequestCommon):
    """The request as a file that a person hands in, and the answer as the file that came back."""

    def test_files_are_those_of_frozen_figures(self):
        request = self._make_request()
        with self.assertRaises(UserError):
            request.action_export_csv()
        request.action_prepare_files()
        for form in ("csv", "xlsx", "xml"):
            action = getattr(request, f"action_export_{form}")()
            self.assertEqual(action, getattr(request, f"action_export_{form}")())
            attachment = self.env["ir.attachment"].browse(int(re.search(r"\d+", action["url"])[0]))
            self.assertEqual((attachment.res_model, attachment.res_id), (request._name, request.id))
            [message], problems = read_exported(attachment.raw, attachment.name)
            self.assertEqual((message, problems), (request._get_message(), ()))
        request.action_draft()
        self.assertEqual((request.state, request.by_hand), ("draft", False))

    def _download(self, request, form):
        action = getattr(request, f"action_export_{form}")()
        return self.env["ir.attachment"].browse(int(re.search(r"\d+", action["url"])[0]))

    def test_edifact_file_names_sender_and_recipient_and_keeps_its_reference(self):
        request, other = self._make_request(), self._make_request(kind="reduce", amount=100.0)
        request.action_prepare_files()
        other.action_prepare_files()
        with self.assertRaisesRegex(UserError, "sender and its recipient"):
            request.action_export_edifact()
        self.account.sudo().write({"edifact_sender": "5412345000013:14", "edifact_recipient": "INSURER"})
        file = self._download(request, "edifact")
        made = request.edifact_created_at
        heading = f"UNB+UNOC:3+5412345000013:14+INSURER+{made:%y%m%d:%H%M}+{request.edifact_reference}'"
        self.assertTrue(file.raw.decode().startswith(heading), file.raw)
        self.assertEqual(file.mimetype, "application/edifact")
        [message], problems = read_exported(file.raw, file.name)
        expected = replace(request._get_message(), receivables=None, orders=None)
        self.assertEqual((message, problems), (expected, ()))
        self.assertEqual(self._download(request, "edifact"), file)
        self._download(other, "edifact")
        self.assertNotEqual(other.edifact_reference, request.edifact_reference)

    def test_request_handed_in_again_is_another_interchange(self):
        self.account.sudo().write({"edifact_sender": "US", "edifact_recipient": "THEM"})
        request = self._make_request()
        request.action_prepare_files()
        self._download(request, "edifact")
        before = request.edifact_reference
        request.action_draft()
        request.action_prepare_files()
        self._download(request, "edifact")
        self.assertNotEqual(request.edifact_reference, before)
        with self.assertRaises(AccessError):
            request.write({"edifact_reference": before})

    def test_request_for_which_edifact_has_no_place_is_refused_in_words(self):
        self.account.sudo().write({"edifact_sender": "US", "edifact_recipient": "THEM"})
        request = self._make_request(urgent=True)
        request.action_prepare_files()
        with self.assertRaisesRegex(UserError, "no place"):
            request.action_export_edifact()

    def test_identification_that_cannot_stand_in_edifact_is_refused(self):
        for wrong in ("X" * 36, "a:b:c", "5412345000013:TOOLONG", " "):
            with self.subTest(wrong), self.assertRaises(ValidationError), self.cr.savepoint():
                self.account.sudo().edifact_sender = wrong

    def test_edifact_answer_is_read(self):
        request = self._make_request()
        request.action_mark_sent()
        answer = (
            "UNB+UNOC:3+INSURER+US+260105:0930+7'UNH+1+RECECO:D:98B:UN'BGM++P-7+11'"
            f"RFF+ACW:{request.name}'DOC+ZZZ'MOA+ZZZ:2500:{self.company_currency.name}'DTM+7:20260105:102'CCD++5'"
            "FTX+AAI+++Half of it'UNT+9+1'UNZ+1+7'"
        )
        self._answer(request, way="file", file=base64.b64encode(answer.encode()), filename="answer.edi")
        self.assertEqual((request.state, request.insurer_reference, request.granted_amount), ("partial", "P-7", 2500.0))
        self.assertEqual((request.insurer_words, request.decided_on), ("Half of it", date(2026, 1, 5)))

    def test_instructions_of_the_workbook_are_in_the_users_language(self):
        self.assertEqual(tuple(INSTRUCTIONS), instructions())
        for sentence, word in INSTRUCTIONS.items():
            self.assertEqual(self.env._(word), sentence)
        self.env["res.lang"]._activate_lang("fr_FR")
        request = self._make_request()
        request.action_prepare_files()
        words = {"Needed": "Obligatoire", "number of the policy": "numéro de la police"}
        with patch.dict(code_translations.python_translations, {("credit_insurance", "fr_FR"): words}):
            file = self._download(request.with_context(lang="fr_FR"), "xlsx")
        sheet = openpyxl.load_workbook(io.BytesIO(file.raw))["instructions"]
        told = [cell.value for row in sheet.iter_rows() for cell in row]
        self.assertTrue({"Obligatoire", "numéro de la police"} <= set(told))

    def test_file_is_read_as_the_connection_says(self):
        request = self._make_request()
        request.action_mark_sent()
        self.account.sudo().write({"state": "test", "connector": "file"})
        marks = self.env["credit.insurance.account.setting"].sudo()
        marks.search([("account_id", "=", self.account.id), ("name", "=", "decimal_mark")]).value = "comma"
        columns = "record;request_id;reference;status;raw_code;received_at;amount;currency"
        row = f"cover_request_state;P-7;{request.name};partial;TEIL;2026-01-05;2,500;{self.company_currency.name}"
        answer = f"{columns}\n{row}\n".encode()
        self._answer(request, way="file", file=base64.b64encode(answer), filename="answer.csv")
        self.assertEqual((request.state, request.granted_amount), ("partial", 2.5))

    def test_an_answer_is_read_from_the_insurers_file(self):
        request = self._make_request()
        request.action_mark_sent()
        state = CoverRequestState(
            request_id="P-7",
            reference=request.name,
            status=RequestStatus.PARTIAL,
            raw_code="TEIL",
            received_at=datetime(2026, 1, 5, tzinfo=UTC),
            decided_on=self.today,
            amount=Decimal("2500"),
            currency=self.company_currency.name,
            words="Half of it",
        )
        others = write_answers([replace(state, reference="COVER/1999/1")], FileForm.CSV)
        with self.assertRaisesRegex(UserError, "says nothing about"):
            self._answer(request, way="file", file=base64.b64encode(others.content), filename=others.name)
        with self.assertRaisesRegex(UserError, "could not be read"):
            self._answer(request, way="file", file=base64.b64encode(b"%PDF-1.4"), filename="x.pdf")
        file = write_answers([state], FileForm.XLSX)
        self._answer(request, way="file", file=base64.b64encode(file.content), filename=file.name)
        self.assertEqual((request.state, request.insurer_reference, request.granted_amount), ("partial", "P-7", 2500.0))
        self.assertEqual((request.insurer_words, request.insurer_status_code), ("Half of it", "TEIL"))
        self._assert_evidence(request, file.content)

    def _assert_evidence(self, request, content):
        kept = self.env["ir.attachment"].search([("res_model", "=", request._name), ("res_id", "=", request.id)])
        self.assertEqual(kept.raw, content)
        for user in (self.officer, self.administrator, self.env.ref("base.user_admin")):
            own = kept.with_user(user)
            for vals in ({"raw": b"x"}, {"res_id": 0}, {"credit_insurance_evidence": False}):
                with self.assertRaises(UserError), self.cr.savepoint():
                    own.write(vals)
            with self.assertRaises(UserError), self.cr.savepoint():
                own.unlink()
        forged = self.env["ir.attachment"].with_user(self.officer)
        forged = forged.with_context(default_credit_insurance_evidence=True)
        mine = forged.create({"name": "x", "raw": b"x", "credit_insurance_evidence": True})
        self.assertFalse(mine.credit_insurance_evidence)
        mine.unlink()

    def test_the_cover_sheet_says_what_the_file_says(self):
        request = self._make_request(comment="Season")
        request.action_prepare_files()
        self.assertEqual(request.action_print_sheet()["report_name"], "credit_insurance.report_cover_request")
        html = self.env["ir.actions.report"]._render_qweb_html("credit_insurance.report_cover_request", request.ids)[0]
        for text in (request.name, "POL-1", "B-1", "5,000.00", "Season", self.partner.name):
            self.assertIn(text, html.decode())
