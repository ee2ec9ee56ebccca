"""What changes after it was declared is told as the difference, so that each sale is told once in sum."""

import runpy
from datetime import timedelta
from pathlib import Path

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .declaration_case import DeclarationCase

ROOT = Path(__file__).resolve().parent.parent


@tagged("post_install", "-at_install")
class TestDeclarationChanged(DeclarationCase):
    def _next(self, declaration):
        """The declaration of the forty days after another one."""
        start = declaration.period_to + timedelta(days=1)
        return self._make(declaration.kind, period_from=start, period_to=start + timedelta(days=39))

    def _change(self, move, amount):
        move.button_draft()
        move.invoice_line_ids.price_unit = amount
        move.action_post()

    def _told(self, *declarations):
        """What the insurer was told in sum, by country."""
        sums = {}
        for line in self.env["credit.insurance.declaration"].union(*declarations).declared_line_ids:
            sums[line.country_id.code] = sums.get(line.country_id.code, 0.0) + line.amount
        return sums

    # === TURNOVER === #

    def test_changed_invoice_is_corrected_by_the_difference_once(self):
        other = self._sell(70.0)
        first = self._submit(self._make())
        self._change(self.sale, 800.0)
        second = self._next(first)
        line = second.declared_line_ids
        self.assertEqual((line.amount, line.invoice_count, line.corrects_id), (-200.0, 1, first))
        self.assertEqual(set(first.declared_line_ids.mapped("correction")), {False})
        self.assertIn(first.name, line.correction)
        self.assertEqual(line.move_ids, self.sale)
        self._submit(second)
        self.assertEqual(self._sent()[-1]["body"]["lines"][0]["amount"], "-200.00")
        self.assertEqual(self._told(first, second), {"DE": 800.0 + other.amount_untaxed})
        self.assertFalse(self._next(second).line_ids)

    def test_cancelled_invoice_is_taken_back_and_told_again_when_it_is_posted_again(self):
        first = self._submit(self._make())
        self.sale.button_draft()
        self.sale.button_cancel()
        second = self._submit(self._next(first))
        self.assertEqual(second.declared_line_ids.amount, -1000.0)
        self.sale.button_draft()
        self.sale.action_post()
        third = self._submit(self._next(second))
        self.assertEqual(self._told(first, second, third), {"DE": 1000.0})
        self.assertFalse(self._next(third).line_ids)

    def test_invoice_that_is_in_draft_again_is_named_before_it_is_taken_back(self):
        first = self._submit(self._make())
        self.sale.button_draft()
        second = self._next(first)
        self.assertEqual(second.declared_line_ids.amount, -1000.0)
        self.assertRegex(second.warning_text, f"in draft again.*{self.sale.name}")
        self.sale.action_post()
        second.action_refresh_figures()
        self.assertFalse(second.line_ids)
        self.assertNotIn("in draft again", second.warning_text)

    def test_deleted_invoice_is_taken_back_under_its_number(self):
        first = self._submit(self._make())
        number = self.sale.name
        self.sale.button_draft()
        self.sale.with_context(force_delete=True).unlink()
        line = self._submit(self._next(first)).declared_line_ids
        self.assertEqual((line.amount, line.country_id, line.sale_ids.number), (-1000.0, self.germany, number))

    def test_invoice_of_another_customer_is_taken_back_and_told_where_it_belongs(self):
        first = self._submit(self._make())
        self.sale.button_draft()
        self.sale.partner_id = self.french
        self.sale.action_post()
        second = self._submit(self._next(first))
        self.assertEqual({line.corrects_id: line.amount for line in second.declared_line_ids}[first], -1000.0)
        self.assertEqual(self._told(first, second), {"DE": 0.0, "FR": 1000.0})

    def test_corrections_stand_apart_from_the_sales_of_the_period(self):
        first = self._submit(self._make())
        self._change(self.sale, 800.0)
        self._make_invoice(30.0, invoice_date=first.period_to + timedelta(days=1))
        found = {line.corrects_id: line.amount for line in self._next(first).declared_line_ids}
        self.assertEqual(found, {first: -200.0, first.browse(): 30.0})

    def test_draft_of_an_earlier_period_tells_the_change_itself(self):
        first = self._make()
        self._change(self.sale, 800.0)
        second = self._next(first)
        self.assertFalse(second.line_ids)
        self._submit(first)
        self.assertEqual(self._told(first), {"DE": 800.0})

    def test_declaration_of_an_earlier_period_takes_nothing_of_a_later_one_back(self):
        later = self._submit(self._make())
        before = {"period_from": self.start - timedelta(days=30), "period_to": self.start - timedelta(days=1)}
        self._change(self.sale, 800.0)
        self.assertFalse(self._make(**before).line_ids.filtered("corrects_id"))
        self.assertEqual(self._next(later).declared_line_ids.amount, -200.0)

    def test_refused_correction_is_told_again(self):
        first = self._submit(self._make())
        self._change(self.sale, 800.0)
        self._make_invoice(30.0, partner=self.french, invoice_date=first.period_to + timedelta(days=1))
        second = self._next(first)
        self._refuse(second, second.declared_line_ids.filtered("corrects_id").reference)
        self.assertEqual(self._next(second).declared_line_ids.amount, -200.0)

    def test_what_became_of_the_buyer_since_takes_nothing_back(self):
        first = self._submit(self._make())
        self.policy.country_ids = self.france
        self.buyer.is_public = True
        self.partner.country_id = self.france
        self.assertFalse(self._next(first).line_ids)

    def test_a_credit_note_is_no_change_of_its_invoice(self):
        first = self._submit(self._make())
        self._sell(200.0, move_type="out_refund", reversed_entry_id=self.sale.id)
        line = self._next(first).declared_line_ids
        self.assertEqual((line.amount, line.corrects_id), (-200.0, first.browse()))

    def test_change_of_what_was_left_out_is_not_told(self):
        long = self._sell(160.0, term=400)
        first = self._submit(self._make())
        self._change(long, 150.0)
        self.assertFalse(self._next(first).line_ids)

    def test_sheet_names_the_period_that_is_corrected(self):
        first = self._submit(self._make())
        self._change(self.sale, 800.0)
        second = self._next(first)
        self._assert_sheet(second, first.name)

    def _assert_sheet(self, declaration, *texts):
        declaration.action_prepare_files()
        html = self.env["ir.actions.report"]._render_qweb_html("credit_insurance.report_declaration", declaration.ids)
        for text in texts:
            self.assertIn(text, html[0].decode())

    # === SHIPMENTS === #

    def test_changed_shipment_is_told_by_hand_once(self):
        first = self._submit(self._make("shipments"))
        self._change(self.sale, 800.0)
        second = self._next(first)
        line = second.left_out_line_ids
        self.assertEqual((line.left_out, line.amount, line.corrects_id), ("changed", -200.0, first))
        self.assertIn(self.sale.name, second.warning_text)
        with self.assertRaisesRegex(UserError, "tell the insurer"):
            second.action_submit()
        self._assert_sheet(second, self.sale.name, first.name)
        second.action_mark_sent()
        self.assertFalse(self._next(second).line_ids)

    def test_deleted_shipment_is_told_by_its_number(self):
        first = self._submit(self._make("shipments"))
        number = self.sale.name
        self.sale.button_draft()
        self.sale.with_context(force_delete=True).unlink()
        line = self._next(first).left_out_line_ids
        self.assertEqual((line.amount, line.number), (-1000.0, number))

    def test_shipment_that_was_declared_before_it_was_delivered_is_not_taken_back(self):
        first = self._submit(self._make("shipments"))
        self.sale.delivery_date = first.period_to + timedelta(days=100)
        self.assertFalse(self._next(first).line_ids)

    # === WHAT IS KEPT === #

    def test_nobody_writes_what_was_told(self):
        sales = self._make().line_ids.sale_ids
        self.assertEqual(sales.with_user(self.accountant).mapped("amount"), [1000.0])
        for user in (self.accountant, self.plain, self.administrator):
            with self.assertRaises(AccessError):
                sales.with_user(user).write({"amount": 1.0})
            with self.assertRaises(AccessError):
                sales.with_user(user).unlink()
            with self.assertRaises(AccessError):
                sales.with_user(user).create({"line_id": sales.line_id.id, "invoice_key": 1})

    def test_what_was_told_is_not_seen_by_another_company(self):
        sales = self._make().line_ids.sale_ids
        other = self._create_company(name="Other Ltd")
        self.accountant.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        foreign = sales.with_user(self.accountant).with_context(allowed_company_ids=other.ids)
        self.assertFalse(foreign.search([("id", "in", sales.ids)]))

    def test_update_takes_what_was_told_from_the_invoices(self):
        first = self._submit(self._make())
        line, sale = first.line_ids, self.sale
        self.env.flush_all()
        self.cr.execute("DELETE FROM credit_insurance_declaration_sale")
        self.cr.execute("DROP TABLE IF EXISTS credit_insurance_declaration_line_move_rel")
        self.cr.execute("CREATE TABLE credit_insurance_declaration_line_move_rel (line_id int, move_id int)")
        self.cr.execute("INSERT INTO credit_insurance_declaration_line_move_rel VALUES (%s, %s)", (line.id, sale.id))
        script = ROOT / "migrations" / "19.0.1.2.0" / "post-declaration-sales.py"
        for _time in range(2):
            runpy.run_path(str(script))["migrate"](self.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        self.assertEqual((line.move_ids, line.sale_ids.amount, line.sale_ids.number), (sale, 1000.0, sale.name))
        self.assertFalse(self._next(first).line_ids)
