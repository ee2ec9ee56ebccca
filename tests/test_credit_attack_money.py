"""Payments that are taken back in the books, currencies without a rate, and invoices that are paid otherwise."""

from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from .gate_attack_case import AttackCase
from .payment_case import PaymentCase


@tagged("post_install", "-at_install")
class TestReversedPayments(PaymentCase):
    """A payment bounces: accountants reverse its journal entry, and the payment itself stays as it was."""

    def _reverse(self, move):
        wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=move.ids)
        wizard.create({"journal_id": move.journal_id.id}).reverse_moves()
        self._commit()

    def test_reversed_payment_puts_the_delivery_on_hold(self):
        order, payment = self._make_paid_order()
        self._reverse(payment.move_id)
        self.assertEqual(self._exposure()["total"], 1000)
        self.assertEqual(self._held(order).shortfall, 1000)

    def test_payment_reversed_after_it_settled_the_invoice_puts_the_delivery_on_hold(self):
        order, payment = self._make_paid_order()
        invoice = self._invoice(order)
        self._commit()
        self.assertEqual(invoice.amount_residual, 0)
        payment.move_id.line_ids.remove_move_reconcile()
        self._reverse(payment.move_id)
        self.assertEqual((invoice.amount_residual, self._exposure()["total"]), (1000, 1000))
        self.assertEqual(self._held(order).shortfall, 1000)

    def test_payment_reset_after_it_settled_the_invoice_puts_the_delivery_on_hold(self):
        order, payment = self._make_paid_order()
        invoice = self._invoice(order)
        self._commit()
        payment.action_draft()
        self._commit()
        self.assertEqual((invoice.amount_residual, self._exposure()["total"]), (0, 1000))
        self.assertEqual(self._held(order).shortfall, 1000)

    def test_payment_settled_with_an_entry_by_hand_puts_the_delivery_on_hold(self):
        for first in ("post", "match"):
            with self.subTest(first):
                order, payment = self._make_paid_order()
                entry, items = self._make_entry_against(payment)
                steps = [entry.action_post, items.reconcile]
                for step in steps if first == "post" else reversed(steps):
                    self.assertFalse(self._held(order), "a draft takes nothing")
                    step()
                    self._commit()
                self.assertEqual(self._exposure()["total"], 1000)
                self.assertEqual(self._held(order).shortfall, 1000)
                order._action_cancel()
                self._commit()

    def _make_entry_against(self, payment):
        """A draft that takes the money back, and the items to be matched."""
        receivable = payment.move_id.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create(
                        {"account_id": receivable.account_id.id, "partner_id": self.partner.id, "debit": 1000}
                    ),
                    Command.create({"account_id": payment.outstanding_account_id.id, "credit": 1000}),
                ],
            }
        )
        return entry, receivable | entry.line_ids[:1]

    def test_entry_of_a_payment_reset_or_cancelled_puts_the_delivery_on_hold(self):
        for action in ("button_draft", "button_cancel"):
            with self.subTest(action):
                order, payment = self._make_paid_order()
                getattr(payment.move_id, action)()
                self._commit()
                self.assertEqual(self._exposure()["total"], 1000)
                self.assertEqual(self._held(order).shortfall, 1000)
                order._action_cancel()
                self._commit()

    def test_payment_whose_entry_was_reset_pays_no_quotation(self):
        order = self._make_order(1000)
        tx = self._make_tx(order, 900)
        tx._post_process()
        tx.payment_id.move_id.button_draft()
        order.order_line.price_unit = 90
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_id.shortfall), ("draft", 900))
        tx.payment_id.move_id.action_post()
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_payment_used_for_another_invoice_puts_the_delivery_on_hold(self):
        order, payment = self._make_paid_order()
        invoice = self._make_invoice(1000)
        (payment.move_id.line_ids | invoice.line_ids).filtered(
            lambda line: line.account_type == "asset_receivable"
        ).reconcile()
        self._commit()
        self.assertEqual(self._exposure()["total"], 1000)
        self.assertEqual(self._held(order).shortfall, 1000)

    def test_payment_that_settles_the_orders_own_invoice_stops_nothing(self):
        order, _payment = self._make_paid_order()
        self._invoice(order)
        self._commit()
        self.assertFalse(self._held(order))
        self.assertEqual(self._exposure()["total"], 0)

    def test_service_whose_payment_is_reversed_is_told(self):
        order = self._make_order(1000, product=self.service)
        tx = self._make_tx(order, 1000)
        tx._post_process()
        self._commit()
        self.assertFalse(order.activity_ids)
        self._reverse(tx.payment_id.move_id)
        self.assertIn("grew beyond its credit", order.activity_ids.summary)

    def test_payment_matched_with_the_bank_stops_nothing(self):
        order, payment = self._make_paid_order()
        outstanding = payment.move_id.line_ids.filtered(lambda line: line.account_type != "asset_receivable")
        bank = self.env["account.move"].create(
            {
                "line_ids": [
                    Command.create({"account_id": outstanding.account_id.id, "credit": 1000}),
                    Command.create({"account_id": self.company_data["default_account_assets"].id, "debit": 1000}),
                ]
            }
        )
        bank.action_post()
        (outstanding | bank.line_ids.filtered("credit")).reconcile()
        self._commit()
        self.assertFalse(self._held(order))
        self.assertEqual(self._exposure()["total"], 0)

    def test_payment_taken_off_the_orders_invoice_by_hand_stops_nothing(self):
        order, payment = self._make_paid_order()
        self._invoice(order)
        payment.move_id.line_ids.remove_move_reconcile()
        self._commit()
        self.assertFalse(self._held(order))
        self.assertEqual(self._exposure()["total"], 0)

    def test_reversed_payment_of_a_quotation_pays_nothing(self):
        order = self._make_order(1600)
        tx = self._make_tx(order, 1600)
        tx._post_process()
        order2 = self._make_order(500)
        tx2 = self._make_tx(order2, 400)
        tx2._post_process()
        self._commit()
        self._reverse(tx2.payment_id.move_id)
        order2.order_line.price_unit = 40
        order2.action_confirm()
        self.assertEqual((order2.state, order2.credit_hold_id.shortfall), ("draft", 400))


@tagged("post_install", "-at_install")
class TestInvoicesOfPassedOrders(AttackCase):
    def test_invoice_reset_to_draft_counts_once(self):
        self._make_buyer(limit=1000)
        order = self._make_confirmed_order(1000)
        invoice = self._invoice(order)
        self._commit()
        for action, expected in (("button_draft", 1000), ("button_cancel", 1000)):
            getattr(invoice, action)()
            self._commit()
            self.assertEqual(self._exposure()["total"], expected, action)
        self.assertEqual(order.credit_pass_ids.filtered("live").open_amount, 1000)
        self._invoice(order)
        self._commit()
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})

    def test_invoice_that_is_cancelled_when_the_headroom_is_gone_stops_the_delivery(self):
        self._make_buyer(limit=1000)
        order = self._make_confirmed_order(1000)
        invoice = self._invoice(order)
        self._pay(invoice)
        self._commit()
        self.assertEqual(self._make_confirmed_order(1000).state, "sale")
        self._commit()
        invoice.button_draft()
        invoice.button_cancel()
        self._commit()
        # The payment is a credit again.
        self.assertEqual(self._exposure()["total"], 1000)
        self.assertFalse(order.picking_ids.credit_held)

    def test_refund_and_new_invoice_count_once(self):
        self._make_buyer(limit=1000)
        order = self._make_confirmed_order(1000)
        invoice = self._invoice(order)
        wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids)
        action = wizard.create({"journal_id": invoice.journal_id.id}).modify_moves()
        self._commit()
        self.assertEqual(self._exposure()["total"], 1000)
        self.env["account.move"].browse(action["res_id"]).action_post()
        self._commit()
        self.assertEqual(self._exposure()["total"], 1000)

    def test_write_off_lowers_what_is_owed(self):
        self._make_buyer(limit=1000)
        order = self._make_confirmed_order(1000)
        invoice = self._invoice(order)
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids)
        account = self.company_data["default_account_expense"]
        wizard.create(
            {"amount": 900, "payment_difference_handling": "reconcile", "writeoff_account_id": account.id}
        )._create_payments()
        self.assertEqual(self._exposure()["total"], 0)

    def test_early_payment_discount_leaves_nothing(self):
        self._make_buyer(limit=1000)
        term = self.env["account.payment.term"].create(
            {
                "name": "2/7",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 7,
                "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})],
            }
        )
        invoice = self._make_invoice(1000, invoice_payment_term_id=term.id)
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})
        payment = self._pay(invoice)
        self.assertEqual((payment.amount, self._exposure()["total"]), (980, 0))

    def test_part_payment_goes_to_the_passed_instalment(self):
        self._make_buyer(limit=1000)
        term = self.env["account.payment.term"].create(
            {
                "name": "2x",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 10}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 90}),
                ],
            }
        )
        invoice = self._make_invoice(1000, post=False)
        invoice.invoice_date = self.today - timedelta(days=30)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        self.assertEqual(self._exposure(), {"not_due": 500, "overdue": 500, "total": 1000})
        self._pay(invoice, 200)
        self.assertEqual(self._exposure(), {"not_due": 500, "overdue": 300, "total": 800})

    def test_cash_rounding_leaves_nothing_of_the_order(self):
        self._make_buyer(limit=1000)
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "5",
                "rounding": 5,
                "strategy": "add_invoice_line",
                "rounding_method": "UP",
                "profit_account_id": self.company_data["default_account_revenue"].id,
                "loss_account_id": self.company_data["default_account_expense"].id,
            }
        )
        order = self._make_confirmed_order(998)
        invoice = order._create_invoices()
        invoice.invoice_cash_rounding_id = rounding
        invoice.action_post()
        self._commit()
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})

    def test_foreign_invoice_paid_in_part(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self._make_buyer(limit=1000)
        invoice = self._make_invoice(1000, currency_id=foreign.id)
        self.assertEqual(self._exposure()["total"], 500)
        self._pay(invoice, 400)
        self.assertEqual(self._exposure()["total"], 300)
        self.assertEqual(self._exposure(currency=foreign)["total"], 600)

    def test_foreign_invoice_paid_at_another_rate_leaves_nothing(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0), (self.today, 4.0)])
        invoice = self._make_invoice(1000, due_in=-30, currency_id=foreign.id)
        self._make_buyer(limit=1000)
        self.assertEqual(self._exposure()["total"], 500)
        self._pay(invoice, 400)
        self.assertEqual(self._exposure()["total"], 300)
        self._pay(invoice)
        self.assertEqual(self._exposure()["total"], 0)
        self.assertEqual(self._exposure(currency=foreign)["total"], 0)

    def test_down_payments_of_an_order_in_another_currency_count_once(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self._make_buyer(limit=1000)
        order = self._make_order(1000)
        order.currency_id = foreign
        order.order_line.price_unit = 100
        order.action_confirm()
        self.assertEqual((order.amount_total, self._exposure()["total"]), (1000, 500))
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "percentage", "amount": 30})._create_invoices(order)
        invoice.action_post()
        self._commit()
        self.assertEqual((invoice.currency_id, self._exposure()["total"]), (foreign, 500))
        self._pay(invoice, 100)
        self._commit()
        self.assertEqual(self._exposure()["total"], 450)
        rest = order._create_invoices(final=True)
        rest.action_post()
        self._commit()
        self.assertEqual(self._exposure()["total"], 450)


@tagged("post_install", "-at_install")
class TestOriginalDueDates(AttackCase):
    def test_accountant_does_not_move_the_due_date_that_the_policy_counts_from(self):
        self._make_cover(self._make_policy(), self._make_buyer(), 10_000)
        invoice = self._make_invoice(100, due_in=-61)
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today - timedelta(days=61))
        accountant = self.env.user
        due = invoice.line_ids.filtered("credit_insurance_original_due_date")
        later = {"credit_insurance_original_due_date": self.today + timedelta(days=300)}
        for records in (invoice, due):
            for user in (self.officer, accountant):
                with self.subTest(records._name, user=user.login):
                    dated = records.with_user(user)
                    self.assertTrue(self._refused(lambda dated=dated: dated.write(dict(later))))
        nested = {"line_ids": [Command.update(due.id, dict(later))]}
        self.assertTrue(self._refused(lambda: invoice.write(nested)))
        invoice.invoice_date_due = self.today + timedelta(days=300)
        order = self._make_confirmed_order(500)
        self.assertEqual(order.state, "draft", "an extension moves the dunning only")

    def test_due_date_given_to_a_draft_does_not_count_later(self):
        self._make_cover(self._make_policy(), self._make_buyer(), 10_000)
        later = self.today + timedelta(days=300)
        invoice = self._make_invoice(100, due_in=-61, credit_insurance_original_due_date=later)
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today - timedelta(days=61))


@tagged("post_install", "-at_install")
class TestCurrenciesWithoutRate(AttackCase):
    """What has no rate is told and holds: Odoo itself would count it one to one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unrated = cls.setup_other_currency("EUR", rates=[])
        cls.unrated.rate_ids.unlink()
        cls.buyer = cls._make_buyer(limit=1000)

    def _codes(self, order):
        return [reason["code"] for reason in order.credit_hold_id.decision_id.reasons]

    def _make_group(self, amount, **values):
        group = self.env["credit.insurance.group"].create({"name": "Shared"})
        self.env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": amount, **values})
        self.buyer.group_id = group
        return group

    def test_row_of_a_groups_limit_is_not_counted_one_to_one(self):
        group = self._make_group(100_000, currency_id=self.unrated.id)
        order = self._make_confirmed_order(10)
        self.assertEqual(order.state, "draft")
        self.assertIn("rate_missing", self._codes(order))
        self.assertEqual(group.unrated_currencies, "EUR")

    def test_groups_own_currency_is_told(self):
        group = self._make_group(100)
        group.currency_id = self.unrated
        order = self._make_confirmed_order(10)
        self.assertIn("rate_missing", self._codes(order))
        self.assertEqual(group.unrated_currencies, "EUR")

    def test_order_of_a_member_is_told_on_the_group(self):
        group = self._make_group(5000)
        self.company.credit_gate_mode = "observe"
        order = self._make_order(10)
        order.currency_id = self.unrated
        order.order_line.price_unit = 1
        order.action_confirm()
        self.assertEqual(group.unrated_currencies, "EUR")

    def test_row_of_a_buyers_limit_is_told(self):
        self.env["credit.insurance.own.limit"].create(
            {"buyer_id": self.buyer.id, "amount": 100_000, "currency_id": self.unrated.id}
        )
        order = self._make_confirmed_order(10)
        self.assertIn("rate_missing", self._codes(order))
        self.assertEqual(self.buyer.unrated_currencies, "EUR")

    def test_tolerance_of_a_profile_is_not_counted_one_to_one(self):
        profile = self.env["credit.insurance.profile"].create(
            {"name": "Soft", "currency_id": self.unrated.id, "tolerance": 100_000}
        )
        self.buyer.profile_id = profile
        order = self._make_confirmed_order(1100)
        self.assertEqual(order.state, "draft")

    def test_small_orders_of_a_profile_are_not_counted_one_to_one(self):
        profile = self.env["credit.insurance.profile"].create(
            {"name": "Soft", "currency_id": self.unrated.id, "order_threshold": 100_000}
        )
        self.buyer.profile_id = profile
        order = self._make_confirmed_order(1100)
        self.assertEqual(order.state, "draft")

    def test_guarantee_for_an_order_is_not_counted_one_to_one(self):
        order = self._make_order(1100)
        self.env["credit.insurance.guarantee"].create(
            {
                "buyer_id": self.buyer.id,
                "kind": "deposit",
                "order_id": order.id,
                "amount": 100_000,
                "currency_id": self.unrated.id,
            }
        )
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_id.shortfall), ("draft", 100))

    def test_overdue_amount_a_profile_bears_is_not_counted_one_to_one(self):
        self.buyer.profile_id = self.env["credit.insurance.profile"].create(
            {"name": "Soft", "currency_id": self.unrated.id, "overdue_days": 5, "overdue_amount": 100_000}
        )
        self._make_invoice(500, due_in=-10)
        order = self._make_confirmed_order(10)
        self.assertEqual(order.state, "draft")

    def test_profile_without_amounts_needs_no_rate(self):
        self.buyer.profile_id = self.env["credit.insurance.profile"].create(
            {"name": "Soft", "currency_id": self.unrated.id, "tolerance_percent": 20}
        )
        self.assertEqual(self._make_confirmed_order(1100).state, "sale")

    def test_member_in_a_company_with_another_currency_is_not_counted_one_to_one(self):
        company = self.env["res.company"].create({"name": "Second company", "currency_id": self.unrated.id})
        self.env.user.company_ids |= company
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        group = self._make_group(5000)
        self._make_buyer(partner=other, company=company).group_id = group
        order = self._make_order(10)
        order.action_confirm()
        self.assertEqual(order.state, "sale", "nothing is owed there")
        foreign = self._make_order(100, partner=other, company_id=company.id)
        foreign.action_confirm()
        self.assertEqual((foreign.currency_id, foreign.state), (self.unrated, "sale"))
        held = self._make_confirmed_order(10)
        self.assertEqual(held.state, "draft")
        self.assertIn("rate_missing", self._codes(held))
        self.assertEqual(group.unrated_currencies, self.company_currency.name)
