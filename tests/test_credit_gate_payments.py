"""Payments that are captured in parts, in other currencies, or used for an invoice: each amount counts once."""

from odoo.tests import tagged

from .payment_case import PaymentCase


@tagged("post_install", "-at_install")
class TestCapturedPayments(PaymentCase):
    """What is captured of an authorization is a transaction of its own, which is linked to no order."""

    def test_captured_payment_does_not_pay_the_growth(self):
        order = self._make_order(1000)
        tx = self._authorize(order)
        self._capture(tx, 1000)
        self.assertEqual((order.state, tx.state, self._exposure()["total"]), ("sale", "done", 0))
        self.assertTrue(self._refused(lambda: self._double(order)), "the authorization and its capture are one payment")

    def test_captured_part_and_the_rest_of_the_authorization_are_one_payment(self):
        order = self._make_order(1600)
        tx = self._authorize(order)
        self._capture(tx, 600)
        self.assertEqual((tx.state, self._exposure()["total"]), ("authorized", -600))
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.shortfall), ("draft", 600))
        order.order_line.price_unit = 100
        order.action_confirm()
        self.assertEqual(order.state, "sale", "600 was captured and 400 is authorized")

    def test_money_captured_for_a_quotation_is_not_lent_to_another_order(self):
        order, other = self._make_order(1600), self._make_order(600)
        self._capture(self._authorize(order), 600)
        other.action_confirm()
        self.assertEqual(other.state, "draft")

    def test_part_that_is_voided_puts_the_delivery_on_hold(self):
        order = self._make_order(1000)
        tx = self._authorize(order)
        self._capture(tx, 600)
        self.assertFalse(self._held(order))
        self._void(tx, 400)
        self.assertEqual((order.state, tx.state), ("sale", "done"))
        self.assertEqual(self._held(order).shortfall, 400)

    def test_refund_of_what_was_captured_puts_the_delivery_on_hold(self):
        order = self._make_order(1000)
        self._refund(self._capture(self._authorize(order), 1000))
        self.assertEqual(self._held(order).shortfall, 1000)

    def test_refund_that_is_booked_later_puts_the_delivery_on_hold(self):
        order = self._make_order(1000)
        tx = self._make_tx(order, 1000)
        tx._post_process()
        self._commit()
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 0))
        self._refund(tx)
        self.assertEqual(self._held(order).shortfall, 1000)


@tagged("post_install", "-at_install")
class TestUsedPayments(PaymentCase):
    def test_authorization_for_what_was_invoiced_does_not_pay_the_growth(self):
        order = self._make_order(1000, product=self.service)
        self._authorize(order)
        self._invoice(order)
        self._commit()
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})
        self.assertTrue(self._refused(lambda: self._double(order)))

    def test_booked_payment_beside_an_open_invoice_does_not_pay_the_growth(self):
        order = self._make_order(1000, product=self.service)
        tx = self._authorize(order)
        invoice = self._invoice(order)
        invoice.transaction_ids = False
        self._capture(tx, 1000)
        self.assertEqual(self._exposure(), {"not_due": 1000, "credits": -1000, "total": 0}, "core did not match them")
        self.assertTrue(self._refused(lambda: self._double(order)))

    def test_authorization_pays_the_half_that_is_not_invoiced(self):
        order = self._make_order(1000, product=self.service)
        self._authorize(order)
        half = order._create_invoices()
        half.invoice_line_ids.quantity = 5
        half.action_post()
        self._commit()
        prepaid, booked = order._credit_prepaid()
        self.assertEqual((prepaid, booked, order._credit_paid()), (500, (), 1000))


@tagged("post_install", "-at_install")
class TestPaymentsOfDrafts(PaymentCase):
    """The invoice that a payment settled is a draft again: the order is owed, and the money pays it."""

    def _make_reset_invoice(self, order):
        invoice = self._invoice(order)
        self.assertEqual(invoice.amount_residual, 0, "core matched the payment")
        invoice.button_draft()
        self._commit()
        return invoice

    def test_money_counts_once(self):
        order = self._make_order(1000, product=self.service)
        self._make_tx(order, 1000)._post_process()
        self._make_reset_invoice(order)
        self.assertEqual(self._exposure(), {"confirmed": 1000, "credits": -1000, "total": 0})
        prepaid, [row] = order._credit_prepaid()
        self.assertEqual((prepaid, row.amount, order._credit_paid()), (1000, 1000, 1000))
        self.assertTrue(self._refused(lambda: self._double(order)))

    def test_money_of_a_quotation_is_lent_to_no_other_order(self):
        order, other = self._make_order(1000, product=self.service), self._make_order(1000)
        self._make_tx(order, 1000)._post_process()
        self._make_reset_invoice(order)
        order._action_cancel()
        order.action_draft()
        self._commit()
        other.action_confirm()
        self.assertEqual(other.state, "draft")

    def test_payment_that_is_reset_to_draft_paid_nothing(self):
        order = self._make_order(1000, product=self.service)
        tx = self._make_tx(order, 1000)
        tx._post_process()
        invoice = self._invoice(order)
        self._commit()
        tx.payment_id.action_draft()
        self._commit()
        self.assertEqual((invoice.amount_residual, self._exposure()), (0, {"not_due": 1000, "total": 1000}))
        self.assertEqual((order._credit_paid(), order._credit_owed()), (0, 1000))


@tagged("post_install", "-at_install")
class TestForeignPayments(PaymentCase):
    def _make_foreign_quotation(self, rate):
        """A quotation of 1,000 of a foreign currency whose payment is booked."""
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", rate)])
        order = self._make_order(1000)
        order.currency_id = foreign
        order.order_line.price_unit = 200
        self._make_tx(order, 1000, currency=foreign)._post_process()
        order.order_line.price_unit = 100
        self._commit()
        self.assertEqual((order.state, order.amount_total), ("draft", 1000))
        return order, foreign

    def test_paid_order_in_a_foreign_currency_passes(self):
        order, _foreign = self._make_foreign_quotation(3.0)
        self.assertEqual(self._exposure()["credits"], -333.33)
        order.action_confirm()
        self.assertEqual(order.state, "sale", "333.33 was booked of 333.333...")

    def test_order_paid_at_another_days_rate_passes(self):
        order, foreign = self._make_foreign_quotation(2.0)
        foreign.rate_ids.rate = 1.9
        order.action_confirm()
        self.assertEqual(order.state, "sale", "booked as 500, it is worth 526.32 by now")

    def test_money_booked_at_a_higher_rate_is_not_lent_to_another_order(self):
        order, foreign = self._make_foreign_quotation(2.0)
        foreign.rate_ids.rate = 4.0
        order.order_line.price_unit = 110
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.shortfall), ("draft", 25), "100 of it is not paid")

    def test_rate_of_another_company_is_no_rate(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 100.0)])
        foreign.rate_ids.company_id = self.env["res.company"].create({"name": "Second company"})
        order = self._make_order(1000)
        self._make_tx(order, 1000, currency=foreign)
        order.action_confirm()
        self.assertEqual(order.state, "draft", "1,000 of it would have counted one to one")


@tagged("post_install", "-at_install")
class TestLostPayments(PaymentCase):
    def test_payment_cancelled_in_the_books_puts_the_delivery_on_hold(self):
        order, payment = self._make_paid_order()
        payment.action_cancel()
        self._commit()
        self.assertEqual(self._held(order).shortfall, 1000)

    def test_payment_that_bounced_puts_the_delivery_on_hold(self):
        order, payment = self._make_paid_order()
        payment.action_draft()
        self._commit()
        hold = self._held(order)
        self.assertEqual(hold.shortfall, 1000)
        payment.action_post()
        self._commit()
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(hold.state, "cleared", "it was corrected and posted again")

    def test_refund_of_an_invoiced_order_puts_the_delivery_on_hold(self):
        order, payment = self._make_paid_order()
        invoice = self._invoice(order)
        self._commit()
        self.assertEqual((invoice.amount_residual, self._held(order)), (0, self.env["credit.insurance.hold"]))
        self._refund(payment.payment_transaction_id)
        self.assertEqual(self._held(order).shortfall, 1000, "nothing is left to invoice, and the goods have not left")

    def test_refund_of_a_delivered_order_stops_nothing(self):
        order, payment = self._make_paid_order()
        self._invoice(order)
        self._deliver(order)
        self._commit()
        self._refund(payment.payment_transaction_id)
        self.assertFalse(self.env["credit.insurance.hold"].search([("order_id", "=", order.id)]))
        self.assertFalse(order.activity_ids)
