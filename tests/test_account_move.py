from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .insurance_common import InsuranceCommon


@tagged("post_install", "-at_install")
class TestAccountMoveInsurance(InsuranceCommon):
    def _figures(self, *moves):
        self.env.invalidate_all()
        return [
            (
                move.credit_insurance_covered,
                move.credit_insurance_insured,
                move.credit_insurance_own_share,
                move.credit_insurance_uninsured,
            )
            for move in moves
        ]

    # === COVERED AND INSURED === #

    def test_older_invoice_takes_the_room_of_the_cover_first(self):
        younger = self._make_invoice(700.0, due_in=30)
        older = self._make_invoice(600.0, due_in=-1)
        self.assertEqual(self._figures(older, younger), [(600, 540, 60, 0), (400, 360, 40, 300)])
        self.assertEqual(younger.credit_insurance_policy_id, self.policy)
        self.assertEqual((older.credit_insurance_state, younger.credit_insurance_state), ("full", "partial"))
        self.assertEqual(younger.credit_insurance_reasons, "Older invoices use up the insured limit.")

    def test_paying_the_older_invoice_gives_its_room_to_the_next(self):
        older, younger = self._make_invoice(600.0, due_in=-1), self._make_invoice(700.0)
        self._pay(older)
        self.assertEqual(self._figures(older, younger), [(0, 0, 0, 0), (700, 630, 70, 0)])
        self.assertEqual(older.credit_insurance_policy_id, self.policy)

    def test_room_does_not_move_up_when_the_policy_says_so(self):
        self.policy.refill = False
        older, younger = self._make_invoice(600.0, due_in=-2), self._make_invoice(700.0, due_in=-1)
        self._pay(older)
        self.assertEqual(self._figures(younger), [(400, 360, 40, 300)])

    def test_draft_that_is_matched_pays_nothing_of_what_is_covered(self):
        older, newer = self._make_invoice(700.0), self._make_invoice(600.0)
        payment = self._pay(older).move_id
        payment.button_draft()
        (older | newer).invalidate_recordset()
        self.assertEqual(older.amount_residual, 0)
        self.assertEqual((older.credit_insurance_open, older.credit_insurance_covered), (700, 700))
        self.assertEqual(newer.credit_insurance_covered, 300)

    def test_part_payment_lowers_what_is_covered(self):
        invoice = self._make_invoice(600.0)
        self._pay(invoice, 200.0)
        self.assertEqual(self._figures(invoice), [(400, 360, 40, 0)])

    def test_invoice_delivered_before_a_reduction_keeps_the_old_limit(self):
        before = self._make_invoice(800.0, due_in=-20)
        self._make_cover(300.0, status="reduced", since=10)
        after = self._make_invoice(200.0, due_in=-1)
        self.assertEqual(self._figures(before, after)[0], (800, 720, 80, 0))
        self.assertEqual(self._figures(after), [(0, 0, 0, 200)])

    def test_uninsured_invoice_says_why(self):
        invoice = self._make_invoice(100.0, due_in=150)
        self.assertEqual(invoice.credit_insurance_state, "none")
        self.assertEqual(invoice.credit_insurance_reasons, "The payment term is longer than the policy allows.")

    def test_tax_is_not_covered_unless_the_policy_insures_it(self):
        tax = self.env["account.tax"].create({"name": "20 %", "amount": 20.0, "company_id": self.company.id})
        line = Command.create({"name": "Goods", "price_unit": 500.0, "tax_ids": [Command.set(tax.ids)]})
        invoice = self._make_invoice(0.0, invoice_line_ids=[line])
        self.assertEqual(self._figures(invoice), [(500, 450, 50, 100)])
        self.assertEqual(invoice.credit_insurance_state, "full")
        self.policy.tax_included = True
        self.assertEqual(self._figures(invoice), [(600, 540, 60, 0)])

    def test_goods_of_an_order_are_covered_once_they_are_delivered(self):
        order = self._make_confirmed_order(500.0)
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.credit_insurance_reasons, "The goods are not delivered yet.")
        order.picking_ids.move_ids.quantity = 10
        order.picking_ids.button_validate()
        self.assertEqual(self._figures(invoice), [(500, 450, 50, 0)])

    def test_foreign_invoice_counts_at_its_booked_rate(self):
        other = self._other_currency(2.0)
        invoice = self._make_invoice(600.0, currency_id=other.id)
        self.assertEqual(self._figures(invoice), [(300, 270, 30, 0)])

    def test_policy_in_another_currency_than_the_companys(self):
        other = self._other_currency(2.0)
        policy = self._make_policy(number="POL-2", currency_id=other.id, date_start=self.today - timedelta(days=100))
        self._make_cover(1000.0, policy=policy)
        invoice = self._make_invoice(600.0)
        self.assertEqual(invoice.credit_insurance_open, 1200.0)
        self.assertEqual(self._figures(invoice), [(1000, 900, 100, 200)])
        self.assertEqual(invoice.credit_insurance_currency_id, other)

    def test_cover_in_another_currency_than_the_policys_counts_at_todays_rate(self):
        other = self._other_currency(2.0)
        self._make_cover(1000.0, currency_id=other.id)
        self.assertEqual(self._figures(self._make_invoice(600.0)), [(500, 450, 50, 100)])

    def test_cover_in_a_currency_without_a_rate_is_told_and_not_counted_one_to_one(self):
        other = self._other_currency(2.0)
        other.rate_ids.unlink()
        self._make_cover(1000.0, currency_id=other.id)
        invoice = self._make_invoice(600.0)
        self.assertEqual(invoice.credit_insurance_reasons, f"There is no rate for {other.name}.")

    def test_policy_in_a_currency_without_a_rate_is_told_and_not_counted_one_to_one(self):
        other = self._other_currency(2.0)
        policy = self._make_policy(number="POL-2", currency_id=other.id)
        partner = self.env["res.partner"].create({"name": "Insured Abroad", "is_company": True})
        self._make_cover(1000.0, policy=policy, buyer=self._make_buyer(partner=partner))
        other.rate_ids.unlink()
        invoice = self._make_invoice(600.0, partner=partner)
        self.assertEqual(invoice.credit_insurance_reasons, f"There is no rate for {other.name}.")

    def _other_currency(self, rate):
        currency = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", "CHF" if self.company_currency.name != "CHF" else "EUR")])
        )
        currency.active = True
        self.env["res.currency.rate"].create(
            {
                "name": self.today - timedelta(days=800),
                "rate": rate,
                "currency_id": currency.id,
                "company_id": self.company.id,
            }
        )
        return currency

    def test_contact_of_the_buyer_is_the_buyer(self):
        self.assertEqual(self._figures(self._make_invoice(100.0, partner=self.contact)), [(100, 90, 10, 0)])

    def test_another_companys_invoices_take_no_room(self):
        other = self._create_company(name="Other Ltd")
        journal = self.env["account.journal"].search([("company_id", "=", other.id), ("type", "=", "sale")], limit=1)
        account = self.env["account.account"].search(
            [("company_ids", "in", other.id), ("account_type", "=", "income")], limit=1
        )
        line = Command.create({"name": "Goods", "price_unit": 900.0, "tax_ids": [], "account_id": account.id})
        foreign = self._make_invoice(
            0.0, due_in=-5, company_id=other.id, journal_id=journal.id, invoice_line_ids=[line], post=False
        )
        foreign.with_company(other).action_post()
        own = self._make_invoice(900.0)
        self.assertEqual(self._figures(own), [(900, 810, 90, 0)])
        self.assertFalse(foreign.credit_insurance_policy_id)

    def test_buyer_of_the_own_group_is_not_insured(self):
        self.buyer.partner_id = self.company.partner_id
        invoice = self._make_invoice(100.0, partner=self.company.partner_id)
        self.assertEqual(invoice.credit_insurance_reasons, "The buyer belongs to the own group of companies.")

    def test_an_insolvency_stops_cover_from_the_courts_date(self):
        before, after = self._make_invoice(100.0, due_in=-10), self._make_invoice(200.0, due_in=-4)
        event = self.env["credit.insurance.event"].create(
            {
                "buyer_id": self.buyer.id,
                "kind": "insolvency",
                "date": self.today - timedelta(days=5),
                "source": "Court",
            }
        )
        self.assertEqual(self._figures(before, after), [(100, 90, 10, 0), (0, 0, 0, 200)])
        self.assertIn("stopped", after.credit_insurance_reasons)
        event.active = False
        self.assertEqual(self._figures(after), [(200, 180, 20, 0)])

    # === WHO SEES IT === #

    def test_accountant_sees_the_figures_and_the_tab(self):
        accountant = new_test_user(self.env, "plain_accountant", groups="account.group_account_invoice")
        accountant.company_ids = [Command.set(self.company.ids)]
        accountant.company_id = self.company
        invoice = self._make_invoice(100.0)
        self.env.invalidate_all()
        seen = invoice.with_user(accountant)
        self.assertEqual(seen.credit_insurance_insured, 90.0)
        self.assertEqual(seen.credit_insurance_policy_id.id, self.policy.id)
        self.assertEqual(len(seen.credit_insurance_deadline_ids), 7)
        self.assertIn("credit_insurance_covered", seen.get_view(view_type="form")["arch"])
        values = seen.web_read({"credit_insurance_policy_id": {"fields": {"display_name": {}}}})[0]
        self.assertEqual(values["credit_insurance_policy_id"]["display_name"], "POL-1")

    def test_others_do_not_see_it(self):
        invoice = self._make_invoice(100.0)
        with self.assertRaises(AccessError):
            invoice.with_user(self.rep).read(["credit_insurance_insured"])
        self.assertNotIn(
            "credit_insurance_covered", invoice.with_user(self.rep).sudo(False).get_view(view_type="form")["arch"]
        )

    # === POSTING === #

    def test_posting_an_invoice_of_an_uninsured_buyer_costs_one_query(self):
        invoice = self._make_invoice(100.0, partner=self.env["res.partner"].create({"name": "Nobody"}))
        self.env.flush_all()
        with self.assertQueryCount(1):
            invoice._credit_insurance_set_deadlines()
        self.assertFalse(invoice.credit_insurance_deadline_ids)
        self.assertFalse(invoice.credit_insurance_original_due_date)

    def test_vendor_bill_costs_nothing(self):
        bill = self._make_invoice(100.0, move_type="in_invoice")
        self.env.flush_all()
        with self.assertQueryCount(0):
            bill._credit_insurance_set_deadlines()

    def test_a_problem_with_deadlines_never_stops_posting(self):
        deadlines = type(self.env["credit.insurance.deadline"])
        invoice = self._make_invoice(100.0, post=False)
        with (
            patch.object(deadlines, "_sync", side_effect=ValueError("broken")),
            mute_logger("odoo.addons.credit_insurance.credit_insurance.models.account_move"),
        ):
            invoice.action_post()
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(invoice.credit_insurance_deadline_ids)
        self._run_deadline_cron()
        self.assertEqual(len(invoice.credit_insurance_deadline_ids), 7)

    # === COST === #

    def test_queries_do_not_grow_with_the_invoices(self):
        few = self._make_invoices(10)
        self._queries(few)
        counted = self._queries(few)
        many = few + self._make_invoices(40)
        self.assertLessEqual(self._queries(many), counted)
        self.assertLess(counted, 25)

    def _make_invoices(self, count):
        moves = self.env["account.move"]
        for _number in range(count):
            moves |= self._make_invoice(10.0, post=False)
        moves.action_post()
        return moves

    def _queries(self, moves):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.assertEqual(sum(moves.mapped("credit_insurance_insured")), 9.0 * len(moves))
        return self.cr.sql_log_count - before
