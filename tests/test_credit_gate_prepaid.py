"""What was paid online counts once."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .common import CreditCommon
from .payment_case import OnlinePayments


@tagged("post_install", "-at_install")
class TestPrepaid(OnlinePayments, CreditCommon, AccountPaymentCommon):
    def test_paid_order_passes_and_a_partial_payment_does_not(self):
        paid, part = self._make_order(1000), self._make_order(1000)
        self._make_tx(paid, 1000)
        self._make_tx(part, 999)
        (paid | part).action_confirm()
        self.assertEqual((paid | part).mapped("state"), ["sale", "draft"])

    def test_pending_or_cancelled_payment_is_no_payment(self):
        for state in ("draft", "pending", "cancel", "error"):
            order = self._make_order(1000)
            self._make_tx(order, 1000, state=state)
            order.action_confirm()
            self.assertEqual(order.state, "draft", state)

    def test_payment_for_two_orders_pays_neither_by_itself(self):
        first, second = self._make_order(1000), self._make_order(1000)
        self._make_tx(first | second, 1000)
        (first | second).action_confirm()
        self.assertEqual((first | second).mapped("state"), ["draft", "draft"])

    def test_payment_counts_in_its_own_currency(self):
        weak = self.setup_other_currency("EUR", rates=[("2016-01-01", 100.0)])
        order = self._make_order(1000)
        self._make_tx(order, 1000, currency=weak)
        order.action_confirm()
        self.assertEqual(order.state, "draft", "10 was paid of 1,000")

    def test_refunded_payment_is_no_payment(self):
        order = self._make_order(1000)
        tx = self._make_tx(order, 1000)
        tx._create_child_transaction(1000, is_refund=True).state = "done"
        order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_payment_that_paid_the_invoice_does_not_pay_the_growth(self):
        order = self._make_order(1000, product=self.service)
        tx = self._make_tx(order, 1000)
        tx._post_process()
        self.env.cr.flush()
        self.assertEqual(order.state, "sale")
        self.assertEqual(self._exposure()["total"], 0, "confirmed 1,000 less the payment's 1,000")
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.amount_residual, 0, "core matched the payment")
        self.assertEqual(self._exposure()["total"], 0)
        with self.assertRaises(ValidationError):
            order.write(
                {
                    "order_line": [
                        Command.create(
                            {"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": 100, "tax_ids": []}
                        )
                    ]
                }
            )
            self.env.cr.flush()

    def test_growth_of_a_paid_order_that_is_not_invoiced_is_refused(self):
        order = self._make_order(1000, product=self.service)
        self._make_tx(order, 1000)
        order.action_confirm()
        self.env.cr.flush()
        with self.assertRaises(ValidationError):
            order.order_line.price_unit = 200
            self.env.cr.flush()

    def test_accountant_does_not_link_a_foreign_payment(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        tx = self._make_tx(self._make_order(1000, partner=beta), 1000)
        tx.partner_id = beta
        order = self._make_order(1000)
        try:
            order.with_user(self.officer).write({"transaction_ids": [Command.link(tx.id)]})
        except AccessError:
            return
        order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_cancelled_order_does_not_keep_its_payment_for_the_next_one(self):
        order = self._make_order(1000)
        self._make_tx(order, 1000)
        order.action_confirm()
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(order.state, "sale", "its own payment still pays it")

    def test_transaction_that_is_done_confirms_through_the_gate(self):
        order = self._make_order(1000, require_payment=True, prepayment_percent=0.3)
        tx = self._make_tx(order, 300)
        tx._post_process()
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))
        self.assertEqual(order.sudo().credit_hold_ids.shortfall, 700)

    def test_held_order_that_is_paid_in_part_tells_the_customer(self):
        order = self._make_order(1000, require_payment=True, prepayment_percent=0.3)
        tx = self._make_tx(order, 300)
        with patch.object(type(order), "_send_payment_succeeded_for_order_mail", autospec=True) as sent:
            tx._post_process()
        self.assertTrue(sent.called, "core mails only orders it did not confirm, and counts held ones as confirmed")
        told = self.env["sale.order"].union(*(call.args[0] for call in sent.call_args_list))
        self.assertIn(order, told)

    # === MONEY OF A QUOTATION === #

    def _make_paid_quotation(self, amount=1000, state="done", **values):
        """A quotation of ``amount`` whose payment of 1,000 is booked, and that nobody confirmed."""
        order = self._make_order(2000, **values)
        self._make_tx(order, 1000, state=state)._post_process()
        order.order_line.price_unit = amount / 10
        self.env.cr.flush()
        self.assertEqual((order.state, self._exposure()["total"]), ("draft", -1000))
        return order

    def test_money_of_a_paid_quotation_is_not_lent_to_another_order(self):
        paid, other = self._make_paid_quotation(), self._make_order(1000)
        other.action_confirm()
        self.assertEqual(other.state, "draft", "the money belongs to the quotation that was paid")
        self.assertEqual(other.sudo().credit_hold_ids.shortfall, 1000)
        paid.action_confirm()
        self.assertEqual(paid.state, "sale")
        other.action_confirm()
        self.assertEqual(other.state, "draft", "the money is used: it was counted once")

    def test_money_of_a_paid_quotation_counts_once_in_a_batch(self):
        other, paid = self._make_order(1000), self._make_paid_quotation()
        (other | paid).action_confirm()
        self.assertEqual((other | paid).mapped("state"), ["draft", "sale"], "the older one was decided first")

    def test_part_payment_stays_with_its_quotation(self):
        self._make_paid_quotation(1500)
        other = self._make_order(400)
        other.action_confirm()
        self.assertEqual(other.state, "draft")

    def test_money_that_was_given_back_is_kept_for_nobody(self):
        order = self._make_paid_quotation()
        refund = order.transaction_ids._create_child_transaction(400, is_refund=True)
        refund.state = "done"
        self._make_buyer(limit=100)
        other = self._make_order(500)
        other.action_confirm()
        self.assertEqual(other.state, "sale", "1,000 came in, 600 of it belongs to the quotation")

    def test_money_of_a_cancelled_quotation_is_free_again(self):
        paid, other = self._make_paid_quotation(), self._make_order(1000)
        paid._action_cancel()
        other.action_confirm()
        self.assertEqual(other.state, "sale")

    def test_money_of_a_quotation_is_not_lent_within_a_credit_group(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        group = self.env["credit.insurance.group"].create({"name": "Alpha and Beta"})
        self.env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": 0})
        for partner in (self.partner, beta):
            self._make_buyer(limit=5000, partner=partner).group_id = group
        self._make_paid_quotation()
        other = self._make_order(1000, partner=beta)
        other.action_confirm()
        self.assertEqual(other.state, "draft")

    def test_paid_quotation_reserves_only_what_is_not_paid(self):
        """Whoever decides at the same instant leaves its money out of the credits already."""
        gate = self.env["credit.insurance.gate"]
        for amount, reserved in ((1000, 0), (1500, 500)):
            with self.subTest(amount=amount):
                order = self._make_paid_quotation(amount)
                [case] = gate._prepare_cases(order, "confirmation")
                self.assertEqual([row.amount for row in case.booked], [1000])
                self.assertEqual(max(case.reserve, 0), reserved)
                order._action_cancel()
                order.transaction_ids.payment_id.action_cancel()

    def test_money_of_who_orders_is_kept_for_what_another_one_is_invoiced(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=0, partner=beta)
        paid = self._make_paid_quotation(partner_invoice_id=beta.id)
        self.assertEqual(paid._credit_prepaid(), (1000, ()), "the credit is Alpha's, who paid")
        other = self._make_order(1000)
        other.action_confirm()
        self.assertEqual(other.state, "draft")
        paid.action_confirm()
        self.assertEqual(paid.state, "sale")
