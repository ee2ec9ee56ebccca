from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.credit_insurance.connectors import Cover, CoverStatus, LineRefusal
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox

from .declaration_case import DeclarationCase

FORGED = {
    "name": "MINE",
    "state": "acknowledged",
    "insurer_reference": "DT-1",
    "premium": 1.0,
    "live": False,
    "line_ids": [Command.clear()],
    "declared_line_ids": [Command.clear()],
    "due_on": "2020-01-01",
}


@tagged("post_install", "-at_install")
class TestDeclaration(DeclarationCase):
    # === TURNOVER === #

    def test_turnover_is_net_of_tax_by_country_with_credit_notes(self):
        self._sell(500.0, partner=self.french)
        self._sell(200.0, move_type="out_refund")
        self._sell(70.0, post=False)
        self._make_invoice(30.0, invoice_date=self.start - timedelta(days=1))
        declaration = self._make()
        self.assertEqual(self._amounts(declaration), {("DE", ""): 800.0, ("FR", ""): 500.0})

    def test_tax_is_no_turnover(self):
        tax = self.env["account.tax"].create({"name": "20 %", "amount": 20.0, "company_id": self.company.id})
        move = self._sell(100.0, post=False)
        move.invoice_line_ids.tax_ids = tax
        move.action_post()
        self.assertEqual(move.amount_total, 120.0)
        self.assertEqual(self._amounts(self._make())["DE", ""], 1100.0)

    def test_each_currency_has_its_line(self):
        euro = self.env.ref("base.EUR") if self.company_currency.name != "EUR" else self.env.ref("base.USD")
        euro.active = True
        self._sell(300.0, currency_id=euro.id)
        found = {line.currency_id: line.amount for line in self._make().declared_line_ids}
        self.assertEqual(found, {self.company_currency: 1000.0, euro: 300.0})

    def test_uninsurable_sales_are_left_out_with_the_reason(self):
        public = self.env["res.partner"].create(
            {"name": "City Hall", "is_company": True, "country_id": self.germany.id}
        )
        self._make_buyer(partner=public).is_public = True
        person = self.env["res.partner"].create({"name": "Ann", "country_id": self.germany.id})
        sister = self._create_company(name="Sister Ltd").partner_id
        sister.country_id = self.germany
        self._sell(10.0, partner=public)
        self._sell(20.0, partner=person)
        self._sell(40.0, partner=sister)
        self._sell(80.0, partner=self.french)
        self._sell(160.0, term=400)
        self.policy.country_ids = self.germany
        expected = {
            ("DE", ""): 1000.0,
            ("DE", "public"): 10.0,
            ("DE", "private"): 20.0,
            ("DE", "affiliated"): 40.0,
            ("FR", "country"): 80.0,
            ("DE", "term"): 160.0,
        }
        self.assertEqual(self._amounts(self._make()), expected)

    def test_whom_the_insurer_named_is_insurable(self):
        person = self.env["res.partner"].create({"name": "Ann", "country_id": self.germany.id})
        self._make_cover(100.0, buyer=self._make_buyer(partner=person))
        self._sell(20.0, partner=person)
        self.assertEqual(self._amounts(self._make()), {("DE", ""): 1020.0})

    def test_a_credit_note_follows_its_invoice(self):
        long = self._sell(160.0, term=400)
        self._sell(60.0, move_type="out_refund", reversed_entry_id=long.id)
        self.assertEqual(self._amounts(self._make()), {("DE", ""): 1000.0, ("DE", "term"): 100.0})

    def test_all_lines_add_up_to_the_sales_of_the_period(self):
        person = self.env["res.partner"].create({"name": "Ann", "country_id": self.germany.id})
        for amount, values in (
            (20.0, {"partner": person}),
            (33.33, {"partner": self.french, "day": 3}),
            (12.12, {"move_type": "out_refund"}),
            (7.77, {"term": 300}),
        ):
            self._sell(amount, **values)
        declaration = self._make()
        moves = self.env["account.move"].search(
            [
                ("company_id", "=", self.company.id),
                ("state", "=", "posted"),
                ("move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
                ("invoice_date", ">=", self.start),
                ("invoice_date", "<=", self.end),
            ]
        )
        self.assertEqual(declaration.line_ids.move_ids, moves)
        self.assertAlmostEqual(sum(declaration.line_ids.mapped("amount")), sum(moves.mapped("amount_untaxed_signed")))
        for line in declaration.line_ids:
            drilled = self.env["account.move"].search(line.action_open_invoices()["domain"])
            self.assertEqual(len(drilled), line.invoice_count)
            self.assertAlmostEqual(sum(drilled.mapped("amount_untaxed_signed")), line.amount)

    def test_turnover_per_buyer_where_the_policy_wants_it(self):
        self.policy.declares_per_buyer = True
        self._sell(50.0)
        declaration = self._make()
        self.assertEqual(declaration.declared_line_ids.buyer_id, self.buyer)
        self.assertEqual(declaration._get_message().lines[0].buyer_id, "B-1")

    def test_the_statements_do_not_grow_with_the_invoices(self):
        declaration = self._make()
        few = self._count(declaration)
        for _number in range(10):
            self._sell(1.0)
        self.assertLessEqual(self._count(declaration), few)
        self.assertEqual(declaration.line_ids.amount, 1010.0)

    def _count(self, declaration):
        self.env.flush_all()
        before = self.cr.sql_log_count
        declaration.action_refresh_figures()
        return self.cr.sql_log_count - before

    def test_a_month_without_sales_is_declared_too(self):
        before = {"period_from": self.start - relativedelta(months=1), "period_to": self.start - timedelta(days=1)}
        declaration = self._submit(self._make(**before))
        self.assertEqual((declaration.state, self._sent()[0]["body"]["lines"]), ("acknowledged", []))

    def test_a_customer_without_a_country_is_named(self):
        self.partner.country_id = False
        with self.assertRaisesRegex(UserError, self.partner.name):
            self._make().action_submit()

    # === SENT ONCE === #

    def test_every_lost_answer_ends_with_one_declaration(self):
        self._assert_exactly_once()

    def test_the_lines_are_frozen_when_it_is_queued(self):
        declaration = self._queue()
        self._sell(5.0)
        self._job(declaration)._job_submit()
        self.assertEqual(declaration.line_ids.amount, 1000.0)
        self.assertEqual(self._sent()[0]["body"]["lines"][0]["amount"], "1000.00")
        self.assertEqual((declaration.premium, declaration.premium_currency_id), (3.0, self.company_currency))
        with self.assertRaises(UserError):
            declaration.action_refresh_figures()
        for values in ({"period_to": self.today}, {"kind": "receipts"}):
            with self.assertRaises(UserError):
                declaration.write(values)
        with self.assertRaises(UserError):
            declaration.unlink()

    def test_refused_lines_are_shown_with_code_and_words(self):
        self._sell(500.0, partner=self.french)
        receipt = self._receipt([LineRefusal("FR", "C7", "France is closed"), LineRefusal("XX", "C8", "Unknown")])
        declaration = self._queue()
        with patch.object(Sandbox, "declare_turnover", return_value=receipt):
            self._job(declaration)._job_submit()
        refused = declaration.line_ids.filtered("refusal_code")
        self.assertEqual((declaration.state, refused.country_id), ("partial", self.france))
        self.assertEqual((refused.refusal_code, refused.refusal_words), ("C7", "France is closed"))
        self.assertIn("France is closed", declaration.activity_ids.note)
        self.assertIn("C8", declaration.insurer_words)
        self.assertFalse(refused.live)

    def test_all_lines_refused_makes_room_for_another(self):
        declaration = self._queue()
        receipt = self._receipt([LineRefusal("DE", "C7", "No")])
        with patch.object(Sandbox, "declare_turnover", return_value=receipt):
            self._job(declaration)._job_submit()
        self.assertEqual((declaration.state, declaration.live), ("refused", False))
        self.assertTrue(self._make())

    def test_a_refused_declaration_says_why(self):
        declaration = self._make()
        self.policy.sudo().number = "POL-UNKNOWN"
        self._submit(declaration)
        self.assertEqual((declaration.state, declaration.insurer_words), ("failed", "We know no policy POL-UNKNOWN"))
        self.assertEqual(declaration.activity_ids.user_id, self.accountant)

    def test_by_hand_the_file_has_the_lines(self):
        declaration = self._make()
        self._assert_handed_in(declaration, "Germany")
        self.assertTrue(declaration.action_export_csv()["url"])
        self._answer(declaration, state="acknowledged", number="DT-9", amount=12.5)
        self.assertEqual((declaration.state, declaration.premium), ("acknowledged", 12.5))

    # === ONE PER PERIOD === #

    def test_one_per_policy_kind_and_period(self):
        declaration = self._make()
        with self.assertRaisesRegex(UserError, declaration.name):
            self._make()
        with self.assertRaisesRegex(UserError, declaration.name):
            self._make(period_from=self.end, period_to=self.end + timedelta(days=3))
        self._make(kind="shipments")
        declaration.action_cancel()
        self.assertTrue(self._make())

    def test_the_form_proposes_last_month_and_its_policy(self):
        declaration = Form(self.env["credit.insurance.declaration"].with_user(self.accountant)).save()
        self.assertEqual(declaration.policy_id, self.policy)
        self.assertEqual((declaration.period_from, declaration.period_to), (self.start, self.end))
        self.assertEqual(declaration.due_on, self.end + timedelta(days=30))

    def test_of_two_policies_neither_is_proposed(self):
        self._make_policy(number="POL-2")
        form = Form(self.env["credit.insurance.declaration"].with_user(self.accountant))
        self.assertFalse(form.policy_id)

    def test_the_month_is_prepared_once_with_an_activity(self):
        self.policy.write({"declares_turnover": True, "declares_receipts": True})
        self.policy.declaration_user_id = self.accountant
        declarations = self.env["credit.insurance.declaration"].sudo()
        for _time in range(2):
            declarations._cron_prepare()
        found = declarations.search([("policy_id", "=", self.policy.id)])
        self.assertEqual(found.mapped("kind"), ["turnover"])
        self.assertEqual((found.state, found.period_from, found.period_to), ("draft", self.start, self.end))
        activity = found.activity_ids
        self.assertEqual((activity.user_id, activity.date_deadline), (self.accountant, found.due_on))
        self._submit(found.with_user(self.accountant))
        self.assertFalse(found.activity_ids)

    def test_nothing_is_prepared_for_a_month_without_policy(self):
        self.policy.write({"declares_turnover": True, "date_end": self.start - timedelta(days=1)})
        self.env["credit.insurance.declaration"].sudo()._cron_prepare()
        self.assertFalse(self.env["credit.insurance.declaration"].search([("policy_id", "=", self.policy.id)]))

    # === SHIPMENTS AND RECEIPTS === #

    def test_shipments_are_the_covered_invoices(self):
        uncovered = self._sell(70.0, partner=self.french)
        declaration = self._make(kind="shipments")
        line = declaration.declared_line_ids
        self.assertEqual((line.move_id, line.payment_term_days, line.day), (self.sale, 30, self.start))
        self.assertEqual(declaration.left_out_line_ids.move_id, uncovered)
        self.assertEqual(declaration.left_out_line_ids.left_out, "no_cover")
        self._submit(declaration)
        body = self.simulator.control.sent("shipments")[0]["body"]["shipments"][0]
        self.assertEqual((body["buyerId"], body["invoiceNumber"]), ("B-1", self.sale.name))

    def test_a_withdrawn_cover_declares_no_shipment(self):
        self._make_cover(0.0, status="withdrawn", effective_from=self.start)
        self.assertFalse(self._make(kind="shipments").declared_line_ids)
        with self.assertRaisesRegex(UserError, "nothing to declare"):
            self._make(kind="receipts").action_submit()

    def _tell(self, **values):
        """The insurer's answer on a cover of the buyer's, as a pull takes it over."""
        pulls = self.env["credit.insurance.pull"].sudo()
        pull = pulls.search([("account_id", "=", self.account.id)]) or pulls.create({"account_id": self.account.id})
        told = {
            "cover_id": "C-1", "buyer_id": "B-1", "policy_number": "POL-1", "status": CoverStatus.APPROVED,
            "raw_code": "OK", "currency": self.company_currency.name, "amount": Decimal(500),
        }  # fmt: skip
        self.env["credit.insurance.cover"]._take_over(pull, self.policy, [Cover(**{**told, **values})])

    def test_a_cover_that_was_corrected_declares_no_shipment(self):
        self._tell(effective_from=self.start)
        self._tell(effective_from=self.start - timedelta(days=5), amount=Decimal(0))
        declaration = self._make(kind="shipments")
        self.assertFalse(declaration.declared_line_ids)
        self.assertEqual(declaration.left_out_line_ids.left_out, "no_cover")

    def test_a_request_or_a_refused_increase_leaves_the_shipments_covered(self):
        for status in ("requested", "refused", "unknown"):
            with self.subTest(status), self.cr.savepoint() as savepoint:
                self._make_cover(0.0, status=status, effective_from=self.start)
                self.assertEqual(self._make(kind="shipments").declared_line_ids.move_id, self.sale)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_a_shipment_of_an_unlinked_buyer_is_not_sent(self):
        self.buyer.link_ids.unlink()
        with self.assertRaisesRegex(UserError, self.partner.name):
            self._make(kind="shipments").action_submit()

    def test_receipts_are_the_payments_of_declared_shipments_once(self):
        self._pay(self.sale, 400.0)
        self.assertFalse(self._make(kind="receipts", period_to=self.today).line_ids)
        self._submit(self._make(kind="shipments"))
        receipts = self.env["credit.insurance.declaration"].search([("kind", "=", "receipts")])
        receipts.with_user(self.accountant).action_refresh_figures()
        line = receipts.declared_line_ids
        self.assertEqual((line.amount, line.number, line.shipped_on), (400.0, self.sale.name, self.start))
        self._submit(receipts.with_user(self.accountant))
        self.assertEqual(self.simulator.control.sent("receipts")[0]["body"]["receipts"][0]["amount"], "400.00")
        later = {"period_from": self.today + timedelta(days=1), "period_to": self.today + timedelta(days=9)}
        self.assertFalse(self._make(kind="receipts", **later).line_ids)

    # === WHO MAY DO WHAT === #

    def test_only_accountants_declare_and_nobody_writes_lines(self):
        declaration = self._make(user=self.plain)
        self._assert_not_sent_by(declaration, (self.plain, self.rep))
        self._assert_not_written(declaration, FORGED, (self.accountant, self.officer, self.administrator))
        lines = declaration.line_ids
        for user in (self.accountant, self.plain, self.administrator):
            with self.assertRaises(AccessError):
                lines.with_user(user).write({"amount": 1.0})
            with self.assertRaises(AccessError):
                lines.with_user(user).unlink()
            with self.assertRaises(AccessError):
                lines.with_user(user).create({"declaration_id": declaration.id})
        with self.assertRaises(AccessError):
            self._make(kind="receipts", user=self.rep)

    def test_declarations_of_another_company_are_not_seen(self):
        declaration = self._make()
        self._assert_foreign([declaration, declaration.line_ids], self.accountant)
