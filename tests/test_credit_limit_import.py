import base64
import io
import time
from datetime import date, datetime, timedelta
from decimal import Decimal

import openpyxl
from dateutil.relativedelta import relativedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.credit_insurance.wizards import limit_sheet

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestLimitSheet(CreditCommon):
    """Cells as people write them."""

    def test_amounts_with_comma_or_point(self):
        for cell, expected in [
            ("1234.5", "1234.5"),
            ("1.234,50", "1234.50"),
            ("1,234.50", "1234.50"),
            ("1 234,50", "1234.50"),
            ("1\u202f234,50", "1234.50"),
            ("1'234.50", "1234.50"),
            ("1.234.567", "1234567"),
            ("1,234,567.8", "1234567.8"),
            ("0,5", "0.5"),
            ("0.125", "0.125"),
            ("1234.567", "1234.567"),
            ("25000", "25000"),
            (25000, "25000"),
            (0.1, "0.1"),
            (0, "0"),
        ]:
            self.assertEqual(limit_sheet.parse_amount(cell), Decimal(expected), cell)

    def test_what_is_no_amount_is_refused_and_not_guessed(self):
        for cell, reason in [
            ("", "missing_amount"),
            (None, "missing_amount"),
            ("1,234", "ambiguous_amount"),
            ("12.500", "ambiguous_amount"),
            ("-5", "negative_amount"),
            (-5, "negative_amount"),
            ("12 EUR", "bad_amount"),
            ("1e9", "bad_amount"),
            ("NaN", "bad_amount"),
            (float("nan"), "bad_amount"),
            (float("inf"), "bad_amount"),
            (True, "bad_amount"),
            ("12,34,56", "bad_amount"),
            ("1.23.456,7", "bad_amount"),
            ("١٢٣", "bad_amount"),
            (".", "bad_amount"),
            ("9" * 40, "bad_amount"),
        ]:
            with self.assertRaises(limit_sheet.SheetError) as caught:
                limit_sheet.parse_amount(cell)
            self.assertEqual(caught.exception.reason, reason, cell)

    def test_dates(self):
        day = date(2026, 12, 31)
        for cell in (day, datetime(2026, 12, 31, 10), "2026-12-31", "31/12/2026"):
            self.assertEqual(limit_sheet.parse_date(cell, "%d/%m/%Y"), day)
        for cell in ("31.12.26", "2026-13-01", 46022, "0001-01-01", date(1, 1, 1), datetime(9999, 12, 31)):
            with self.assertRaises(limit_sheet.SheetError):
                limit_sheet.parse_date(cell, "%d/%m/%Y")

    def test_no_cell_leaves_as_a_formula_and_it_reads_back_as_it_was(self):
        cells = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\tx", "plain"]
        content = limit_sheet.write_sheet(cells, [cells])
        for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows():
            for cell in row:
                self.assertEqual(cell.data_type, "s")
                self.assertFalse(str(cell.value).startswith(("=", "+", "-", "@", "\t")))
        self.assertEqual(limit_sheet.read_sheet(content)[0][1][:4], cells[:4])


@tagged("post_install", "-at_install")
class TestLimitImport(CreditCommon):
    """Many limits at once: seen before applied, good lines applied, bad ones given back, twice is once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.write({"ref": "A-1", "vat": "FR 23334175221"})
        cls.other = cls.env["res.partner"].create({"name": "Beta GmbH", "is_company": True, "ref": "B-1"})

    def _import(self, content, apply=True, user=None):
        content = content.encode() if isinstance(content, str) else content
        wizard = (
            self.env["credit.insurance.limit.import"]
            .with_user(user or self.manager)
            .create({"file": base64.b64encode(content), "filename": "limits.csv", "company_id": self.company.id})
        )
        wizard.action_apply() if apply else wizard.action_check()
        return wizard

    def _limit(self, partner=None):
        return self.env["credit.insurance.buyer"].search([("partner_id", "=", (partner or self.partner).id)])

    def _refused(self, wizard):
        rows = limit_sheet.read_sheet(base64.b64decode(wizard.refused_file))
        return {str(row[1][-2]): row[1][-1] for row in rows[1:]}

    def test_check_shows_and_changes_nothing(self):
        wizard = self._import("ref;amount\nA-1;5000,50\n", apply=False)
        self.assertEqual((wizard.state, wizard.changed_count, wizard.refused_count), ("checked", 1, 0))
        self.assertIn("Alpha Trading Ltd", wizard.result_html)
        self.assertFalse(self._limit())

    def test_same_file_twice_changes_nothing_twice(self):
        content = "ref;amount;kind;date_to\nA-1;5000,50;permanent;\nB-1;10;temporary;2199-01-01\n"
        self.assertEqual(self._import(content).changed_count, 2)
        rows = self.env["credit.insurance.own.limit"].search([("company_id", "=", self.company.id)])
        again = self._import(content)
        self.assertEqual((again.changed_count, again.same_count), (0, 2))
        self.assertEqual(self.env["credit.insurance.own.limit"].search([("company_id", "=", self.company.id)]), rows)
        self.assertEqual(self._limit().limit_amount, 5000.50)
        self.assertEqual(self._limit().own_limit_ids.granted_by_id, self.manager)

    def test_another_amount_ends_the_limit_that_stands(self):
        self._make_buyer()
        old = self.env["credit.insurance.own.limit"].create(
            {"buyer_id": self._limit().id, "amount": 7, "date_from": self.today - timedelta(days=3)}
        )
        self._import("ref,amount\nA-1,9\n")
        self.assertEqual((old.date_to, old.amount), (self.today - timedelta(days=1), 7))
        self.assertEqual(self._limit().limit_amount, 9)

    def test_every_key_finds_the_buyer(self):
        self.env["ir.model.data"].create(
            {"module": "old_erp", "name": "alpha", "model": "res.partner", "res_id": self.partner.id}
        )
        for number, (column, key) in enumerate(
            [
                ("id", "old_erp.alpha"),
                (".id", str(self.partner.id)),
                (".id", str(self.contact.id)),
                ("vat", "fr23334175221"),
                ("ref", "A-1"),
                ("name", "Alpha Trading Ltd"),
            ],
            start=1,
        ):
            self._import(f"{column};amount\n{key};{number}\n")
            self.assertEqual(self._limit().limit_amount, number, column)

    def test_refused_lines_come_back_with_their_number_and_reason(self):
        self.env["res.partner"].create({"name": "Beta GmbH", "is_company": True})
        wizard = self._import(
            "ref;name;amount;currency;kind;date_to\n"
            "A-1;;100;;;\n"  # line 2: good
            "X-9;;100;;;\n"
            ";Beta GmbH;100;;;\n"
            "B-1;;1,234;;;\n"
            "B-1;;100;XXX;;\n"
            "B-1;;100;;temporary;\n"
            "A-1;;200;;;\n"
            ";;5;;;\n"
            "B-1;;-5;;;\n"
            "B-1;;;;;\n"
            "B-1;;5;;sometimes;\n"
            "B-1;;5;;;2001-01-01\n"
        )
        self.assertEqual((wizard.changed_count, wizard.refused_count), (1, 11))
        words = wizard._reasons()
        expected = {
            3: "unknown_buyer",
            4: "several_buyers",
            5: "ambiguous_amount",
            6: "bad_currency",
            7: "temporary_without_end",
            8: "twice",
            9: "no_buyer_named",
            10: "negative_amount",
            11: "missing_amount",
            12: "bad_kind",
            13: "ends_before",
        }
        self.assertEqual(self._refused(wizard), {str(line): words[reason] for line, reason in expected.items()})
        self.assertEqual(self._limit().limit_amount, 100)
        self.assertFalse(self._limit(self.other).own_limit_ids)

    def test_refused_lines_name_the_buyer_or_what_the_sheet_calls_it(self):
        wizard = self._import("ref;name;amount\nA-1;;-5\nX-9;;5\n;<b>Nobody</b>;5\n;;5\n")
        rows = limit_sheet.read_sheet(base64.b64decode(wizard.refused_file))
        self.assertEqual([row[1][-3] for row in rows[1:]], ["Alpha Trading Ltd", "X-9", "<b>Nobody</b>", ""])
        for name in ("Alpha Trading Ltd", "X-9", "&lt;b&gt;Nobody&lt;/b&gt;"):
            self.assertIn(f"<td>{name}</td>", wizard.result_html)

    def test_imported_limit_is_reviewed_like_any_other_unless_the_sheet_says_when(self):
        self.company.credit_limit_review_months = 6
        self._import("ref;amount;next_review\nA-1;5;\nB-1;5;2199-01-01\n")
        self.assertEqual(self._limit().own_limit_ids.next_review, self.today + relativedelta(months=6))
        self.assertEqual(self._limit(self.other).own_limit_ids.next_review, date(2199, 1, 1))

    def test_another_review_or_last_day_is_a_change_and_shown(self):
        self._import("ref,amount\nA-1,1000")
        year = self.today.year + 1
        sheet = f"ref,amount,date_to,next_review\nA-1,1000,{year}-06-30,{year}-03-01"
        wizard = self._import(sheet, apply=False)
        shown = wizard.result_html
        self.assertEqual(wizard.changed_count, 1)
        self.assertIn(f"until 06/30/{year}, reviewed on 03/01/{year}", shown)
        self._import(sheet)
        row = self._limit().own_limit_ids.filtered(lambda row: not row.cancelled and not row.date_to < self.today)[:1]
        self.assertEqual((str(row.date_to), str(row.next_review)), (f"{year}-06-30", f"{year}-03-01"))
        again = self._import(sheet)
        self.assertEqual((again.changed_count, again.same_count), (0, 1))
        review = self._import(sheet.replace(f"{year}-03-01", f"{year}-04-01"))
        self.assertEqual(review.changed_count, 1)
        self.assertEqual(self._limit().limit_amount, 1000)

    def test_keys_that_name_different_buyers_are_refused(self):
        wizard = self._import("ref;vat;amount\nB-1;FR23334175221;5\n")
        self.assertEqual(list(self._refused(wizard).values()), [wizard._reasons()["contradiction"]])

    def test_xlsx_with_numbers_and_dates(self):
        book = openpyxl.Workbook()
        book.active.append(["ref", "amount", "kind", "date_to"])
        book.active.append(["A-1", 1234.56, "temporary", datetime(2199, 1, 1)])
        buffer = io.BytesIO()
        book.save(buffer)
        self._import(buffer.getvalue())
        row = self._limit().own_limit_ids
        self.assertEqual((row.amount, row.date_to), (1234.56, date(2199, 1, 1)))

    def test_what_is_no_sheet_is_refused(self):
        for content in ("", "name;limit\nA;1\n", b"PK\x03\x04 no archive", b"\x00\x01\x02"):
            with self.assertRaises(UserError):
                self._import(content)

    def test_template_can_be_imported(self):
        wizard = self.env["credit.insurance.limit.import"].with_user(self.manager).create({})
        rows = limit_sheet.read_sheet(base64.b64decode(wizard.template))
        self.assertIn("amount", rows[0][1])
        self.assertEqual(self._import(base64.b64decode(wizard.template)).refused_count, 1)

    def test_credit_managers_within_their_authority_import(self):
        for user in (self.rep, self.officer):
            with self.assertRaises(AccessError):
                self._import("ref;amount\nA-1;5\n", user=user)
        self.env["credit.insurance.authority"].create(
            {"company_id": self.company.id, "kind": "limit", "user_ids": [Command.set(self.manager.ids)], "amount": 100}
        )
        wizard = self._import("ref;amount\nA-1;101\nB-1;100\n")
        self.assertEqual(list(self._refused(wizard).values()), [wizard._reasons()["beyond_authority"]])
        self.assertEqual(self._limit(self.other).limit_amount, 100)

    def test_import_needs_a_second_person_where_typing_does(self):
        self.company.write({"credit_typed_limit_four_eyes": True, "credit_four_eyes_amount": 100})
        wizard = self._import("ref;amount\nA-1;100\nB-1;99\n")
        self.assertEqual(list(self._refused(wizard).values()), [wizard._reasons()["beyond_authority"]])
        self.assertEqual(self._limit(self.other).limit_amount, 99)

    def test_what_the_user_asked_for_is_not_imported_by_the_same_user(self):
        self._make_buyer()
        request = (
            self.env["credit.insurance.limit.request"]
            .with_user(self.manager)
            .create({"partner_id": self.partner.id, "amount": 5, "reason": "-"})
        )
        request.action_ask()
        self.assertEqual(self._import("ref;amount\nA-1;5\n").refused_count, 1)

    def test_ten_thousand_lines_without_queries_per_line(self):
        partners = self.env["res.partner"].create(
            [{"name": f"Bulk {n}", "is_company": True, "ref": f"BULK-{n}"} for n in range(1200)]
        )
        self.env.flush_all()
        lines = "\n".join(f"BULK-{n};{1000 + n}" for n in range(1200))
        counts = []
        for size in (100, 1200):
            content = "ref;amount\n" + "\n".join(lines.split("\n")[:size])
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            started = time.monotonic()
            self._import(content, apply=False)
            counts.append(self.cr.sql_log_count - before)
            self.assertLess(time.monotonic() - started, 20)
        self.assertLess(counts[1] - counts[0], 30)
        self.assertEqual(self._import("ref;amount\n" + lines).changed_count, len(partners))

    def test_nothing_in_a_currency_without_a_rate_is_nothing(self):
        currency = self.env["res.currency"].create({"name": "XQZ", "symbol": "q"})
        (currency | self.company_currency).rate_ids.unlink()
        self.env["credit.insurance.authority"].create(
            {"company_id": self.company.id, "kind": "limit", "user_ids": self.manager.ids, "amount": 5000}
        )
        wizard = self._import("ref;amount;currency\nA-1;0;XQZ\nB-1;5;XQZ\n")
        self.assertEqual((wizard.changed_count, wizard.refused_count), (1, 1))
        self.assertIn("beyond your authority", self._refused(wizard)["3"])

    def test_buyer_of_a_branch_is_a_buyer_of_its_root_company(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.manager.company_ids |= branch
        self.other.company_id = branch
        self.assertEqual(self._import("ref;amount\nB-1;500\n").changed_count, 1)
        self.assertEqual(self._limit(self.other).company_id, self.company)

    def test_column_that_is_there_twice_is_refused_and_not_guessed(self):
        with self.assertRaisesRegex(UserError, "twice: amount"):
            self._import("ref;amount;Amount\nA-1;5;900000\n")
