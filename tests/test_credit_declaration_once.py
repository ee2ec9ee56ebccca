"""No sale and no payment is declared twice, and none is forgotten."""

import runpy
from datetime import timedelta
from pathlib import Path

from dateutil.relativedelta import relativedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .declaration_case import DeclarationCase


@tagged("post_install", "-at_install")
class TestDeclarationOnce(DeclarationCase):
    def setUp(self):
        super().setUp()
        self.later = {"period_from": self.end + timedelta(days=1), "period_to": self.end + timedelta(days=40)}

    def _moves(self, declaration):
        return declaration.declared_line_ids.move_ids

    # === LATER THAN ITS PERIOD === #

    def test_back_dated_invoice_is_declared_by_the_next_declaration(self):
        for kind in ("turnover", "shipments"):
            with self.subTest(kind), self.cr.savepoint() as savepoint:
                self._submit(self._make(kind))
                late = self._sell(70.0, day=3)
                following = self._make(kind, **self.later)
                self.assertEqual(self._moves(following), late)
                self._submit(following)
                after = {name: day + relativedelta(days=40) for name, day in self.later.items()}
                self.assertFalse(self._moves(self._make(kind, **after)))
                self.simulator.control.book.store.run("DELETE FROM submission")
                savepoint.rollback()
            self.env.invalidate_all()

    def test_nothing_from_before_the_first_declaration_is_picked_up(self):
        self._make_invoice(30.0, invoice_date=self.start - timedelta(days=40))
        for kind in ("turnover", "shipments"):
            with self.subTest(kind):
                self.assertEqual(self._moves(self._make(kind)), self.sale)

    def test_back_dated_sale_that_is_not_insurable_is_listed_once(self):
        self._submit(self._make())
        long = self._sell(160.0, term=400)
        following = self._submit(self._make(**self.later))
        self.assertEqual(following.left_out_line_ids.move_ids, long)
        after = {name: day + relativedelta(days=40) for name, day in self.later.items()}
        self.assertFalse(self._make(**after).line_ids)

    def test_sale_that_became_insurable_is_declared_later(self):
        uncovered = self._sell(70.0, partner=self.french)
        declaration = self._submit(self._make(kind="shipments"))
        self.assertEqual(declaration.left_out_line_ids.move_id, uncovered)
        self._make_cover(5000.0, buyer=self._make_buyer(partner=self.french))
        following = self._make(kind="shipments", **self.later)
        self.assertEqual(self._moves(following), uncovered)

    # === REFUSED === #

    def test_refused_shipment_is_declared_again(self):
        second = self._sell(70.0)
        declaration = self._make(kind="shipments")
        line = declaration.line_ids.filtered(lambda line: line.move_id == second)
        self._refuse(declaration, line.reference)
        refused = declaration.line_ids.filtered("refusal_code")
        self.assertEqual((declaration.state, refused.move_id), ("partial", second))
        following = self._make(kind="shipments", **self.later)
        self.assertEqual(self._moves(following), second)

    def test_refused_turnover_is_declared_again_and_only_that(self):
        french = self._sell(500.0, partner=self.french)
        self._refuse(self._make(), "FR")
        following = self._make(**self.later)
        self.assertEqual(self._moves(following), french)
        self.assertEqual(self._amounts(following), {("FR", ""): 500.0})

    def test_refusal_names_one_line_of_a_country(self):
        other = self.env.ref("base.EUR") if self.company_currency.name != "EUR" else self.env.ref("base.USD")
        other.active = True
        foreign = self._sell(300.0, currency_id=other.id)
        declaration = self._make()
        line = declaration.declared_line_ids.filtered(lambda line: line.currency_id == other)
        self._refuse(declaration, line.reference)
        self.assertEqual(declaration.line_ids.filtered("refusal_code").currency_id, other)
        self.assertEqual(self._moves(self._make(**self.later)), foreign)

    def test_lines_of_turnover_are_sent_and_refused_by_their_reference(self):
        self.policy.declares_per_buyer = True
        self._sell(500.0, partner=self.french)
        unknown = self._make_buyer(partner=self.french)
        self.env["credit.insurance.buyer.link"].create(
            {"account_id": self.account.id, "buyer_id": unknown.id, "external_id": "B-UNKNOWN"}
        )
        declaration = self._submit(self._make())
        refused = declaration.line_ids.filtered("refusal_code")
        self.assertEqual((declaration.state, refused.buyer_id), ("partial", unknown))
        sent = {line["reference"] for line in self._sent()[0]["body"]["lines"]}
        self.assertEqual(sent, set(declaration.declared_line_ids.mapped("reference")))

    def test_what_is_given_up_is_not_declared_again(self):
        declaration = self._make(kind="shipments")
        line = declaration.line_ids
        with self.assertRaises(UserError):
            line.action_give_up()
        self._sell(70.0)
        declaration.action_refresh_figures()
        line = declaration.line_ids.filtered(lambda line: line.move_id == self.sale)
        self._refuse(declaration, line.reference)
        line = declaration.line_ids.filtered("refusal_code")
        self.assertEqual(line.move_id, self.sale)
        for user in (self.plain, self.rep):
            with self.assertRaises(AccessError):
                line.with_user(user).action_give_up()
        line.with_user(self.accountant).action_give_up()
        self.assertTrue(line.given_up)
        self.assertFalse(self._make(kind="shipments", **self.later).line_ids)

    # === PAYMENTS === #

    def _receipts(self, **values):
        return self._make(kind="receipts", period_to=self.today, **values)

    def _next(self, days=1):
        day = self.today + timedelta(days=days)
        return self._make(kind="receipts", period_from=day, period_to=day)

    def test_payment_matched_in_part_later_is_declared_for_the_rest(self):
        other = self._sell(500.0)
        self._submit(self._make(kind="shipments"))
        payment = self._pay_unmatched(700.0)
        self._match(payment, other)  # 500 of it
        first = self._submit(self._receipts())
        self.assertEqual({line.move_id: line.amount for line in first.declared_line_ids}, {other: 500.0})
        self._match(payment, self.sale)
        second = self._next()
        self.assertEqual({line.move_id: line.amount for line in second.declared_line_ids}, {self.sale: 200.0})

    def test_payment_that_covers_more_of_an_invoice_later_is_corrected(self):
        other = self._sell(500.0)
        self._submit(self._make(kind="shipments"))
        payment = self._pay_unmatched(700.0)
        self._match(payment, other)
        self._match(payment, self.sale)  # the rest: 200 of 1,000
        self._submit(self._receipts())
        other.line_ids.remove_move_reconcile()
        self._match(payment, self.sale)
        second = self._next()
        self.assertEqual({line.move_id: line.amount for line in second.declared_line_ids}, {self.sale: 500.0})
        taken = second.left_out_line_ids
        self.assertEqual((taken.left_out, taken.move_id, taken.amount), ("taken_back", other, -500.0))
        self.assertIn(other.name, second.warning_text)
        second.action_prepare_files()
        self.assertIn((other.name), [row[2] for row in second._get_sheet_table()[1]])
        second.action_mark_sent()
        self.assertFalse(self._next(2).line_ids, "told once")

    def test_only_taken_back_is_told_by_hand(self):
        self._submit(self._make(kind="shipments"))
        payment = self._pay_unmatched(400.0)
        self._match(payment, self.sale)
        self._submit(self._receipts())
        self.sale.line_ids.remove_move_reconcile()
        second = self._next()
        with self.assertRaisesRegex(UserError, "tell the insurer"):
            second.action_submit()
        second.action_mark_sent()
        self.assertFalse(self._next(2).line_ids)
        self._match(payment, self.sale)
        third = self.env["credit.insurance.declaration"].search([("kind", "=", "receipts")], order="id desc", limit=1)
        third.with_user(self.accountant).action_refresh_figures()
        self.assertEqual(third.declared_line_ids.amount, 400.0)

    def test_payment_that_was_deleted_is_taken_back(self):
        self._submit(self._make(kind="shipments"))
        payment = self._pay_unmatched(400.0)
        self._match(payment, self.sale)
        self._submit(self._receipts())
        payment.button_draft()
        payment.with_context(force_delete=True).unlink()
        second = self._next()
        self.assertEqual((second.left_out_line_ids.left_out, second.left_out_line_ids.amount), ("taken_back", -400.0))

    def test_payment_of_an_invoice_that_was_deleted_is_taken_back_once(self):
        self._submit(self._make(kind="shipments"))
        self._match(self._pay_unmatched(400.0), self.sale)
        self._submit(self._receipts())
        number = self.sale.name
        self.sale.button_draft()
        self.sale.with_context(force_delete=True).unlink()
        second = self._next()
        taken = second.left_out_line_ids
        self.assertEqual((taken.left_out, taken.number, taken.amount), ("taken_back", number, -400.0))
        second.action_mark_sent()
        self.assertFalse(self._next(2).line_ids)

    def test_refused_payment_is_declared_again(self):
        self._submit(self._make(kind="shipments"))
        self._match(self._pay_unmatched(400.0), self.sale)
        first = self._receipts()
        self._refuse(first, first.line_ids.reference)
        self.assertEqual(first.state, "refused")
        self.assertEqual(self._next().declared_line_ids.amount, 400.0)

    def _pay_unmatched(self, amount):
        """An entry of the bank over money from the buyer, matched with nothing."""
        receivable = self.company_data["default_account_receivable"]
        journal = self.company_data["default_journal_bank"]
        entry = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": self.today,
                "line_ids": [
                    (0, 0, {"account_id": journal.default_account_id.id, "debit": amount}),
                    (0, 0, {"account_id": receivable.id, "credit": amount, "partner_id": self.partner.id}),
                ],
            }
        )
        entry.action_post()
        return entry

    def _match(self, entry, invoice):
        lines = (entry | invoice).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable" and not line.reconciled
        )
        lines.reconcile()

    # === WHO THE BUYER IS === #

    def test_private_person_is_a_fact_of_the_buyer(self):
        trader = self.env["res.partner"].create({"name": "Ann, baker", "country_id": self.germany.id})
        buyer = self._make_buyer(partner=trader)
        self.assertTrue(buyer.is_private_person)
        self._sell(20.0, partner=trader)
        self.assertEqual(self._amounts(self._make())["DE", "private"], 20.0)
        buyer.is_private_person = False
        declaration = self.env["credit.insurance.declaration"].search([("policy_id", "=", self.policy.id)])
        declaration.with_user(self.accountant).action_refresh_figures()
        self.assertEqual(self._amounts(declaration), {("DE", ""): 1020.0})

    def test_update_takes_who_is_a_private_person_from_the_contact(self):
        person = self.env["res.partner"].create({"name": "Ann"})
        buyers = self.buyer | self._make_buyer(partner=person)
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_insurance_buyer SET is_private_person = NULL")
        script = Path(__file__).resolve().parent.parent / "migrations" / "19.0.1.2.0" / "pre-buyer-private-person.py"
        runpy.run_path(str(script))["migrate"](self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        self.assertEqual(buyers.mapped("is_private_person"), [False, True])

    def test_a_policy_may_insure_private_persons_public_buyers_and_affiliates(self):
        person = self.env["res.partner"].create({"name": "Ann", "country_id": self.germany.id})
        public = self.env["res.partner"].create({"name": "City", "is_company": True, "country_id": self.germany.id})
        self._make_buyer(partner=public).is_public = True
        sister = self._create_company(name="Sister Ltd").partner_id
        sister.country_id = self.germany
        for amount, partner in ((20.0, person), (10.0, public), (40.0, sister)):
            self._sell(amount, partner=partner)
        self.policy.write({"covers_private_persons": True, "covers_public_buyers": True, "covers_affiliates": True})
        self.assertEqual(self._amounts(self._make()), {("DE", ""): 1070.0})
