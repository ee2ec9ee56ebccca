"""Orders that come to the gate a second time, with what they have invoiced already."""

from odoo import Command, fields
from odoo.tests import tagged

from .gate_attack_case import AttackCase


@tagged("post_install", "-at_install")
class TestConfirmedAgain(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def _cancel_and_reset(self, order):
        self._commit()
        order._action_cancel()
        order.action_draft()

    def _invoice_half(self, order):
        half = order._create_invoices()
        half.invoice_line_ids.quantity = 5
        half.action_post()

    def test_what_is_invoiced_counts_once_when_its_order_is_confirmed_again(self):
        order = self._make_confirmed_order(1000)
        self._invoice_half(order)
        self._cancel_and_reset(order)
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertEqual(self._exposure(), {"not_due": 500, "confirmed": 500, "total": 1000})
        self.assertTrue(self._refused(lambda: order.order_line.write({"product_uom_qty": 11})))

    def test_paid_down_payment_counts_once_when_its_order_is_confirmed_again(self):
        order = self._make_confirmed_order(1000)
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "fixed", "fixed_amount": 300})._create_invoices(order)
        invoice.action_post()
        self._pay(invoice)
        self._cancel_and_reset(order)
        self._make_invoice(301)
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.shortfall), ("draft", 1))
        order.order_line.filtered("product_uom_qty").price_unit = 99.9
        order.action_confirm()
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 1000))

    def test_invoice_of_somebody_else_does_not_pay_the_order_of_the_next_customer(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=0, partner=beta)
        order = self._make_confirmed_order(1000)
        self._invoice(order)
        self._cancel_and_reset(order)
        order.write({"partner_id": beta.id, "partner_invoice_id": beta.id, "partner_shipping_id": beta.id})
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.shortfall), ("draft", 1000))

    def test_cancelled_invoice_is_owed_again(self):
        order = self._make_confirmed_order(1000)
        self._invoice_half(order)
        self._cancel_and_reset(order)
        order.invoice_ids.button_draft()
        order.invoice_ids.button_cancel()
        self._make_invoice(1)
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.shortfall), ("draft", 1))


@tagged("post_install", "-at_install")
class TestRoundedTax(AttackCase):
    def test_order_at_its_limit_is_edited_where_tax_is_rounded_on_the_total(self):
        self._make_buyer(limit=48.55)
        self.company.tax_calculation_rounding_method = "round_globally"
        tax = self.env["account.tax"].create({"name": "21 %", "amount": 21, "amount_type": "percent"})
        line = {
            "product_id": self.goods.id,
            "product_uom_qty": 1,
            "price_unit": 10.03,
            "tax_ids": [Command.set(tax.ids)],
        }
        order = self.env["sale.order"].create(
            {"partner_id": self.partner.id, "order_line": [Command.create(dict(line)) for _number in range(4)]}
        )
        self.assertEqual((order.amount_total, sum(order.order_line.mapped("price_total"))), (48.55, 48.56))
        order.action_confirm()
        self._commit()
        self.assertFalse(self._refused(lambda: order.write({"commitment_date": fields.Datetime.now()})))
        self.assertEqual(len(order.credit_pass_ids), 1)
        self.assertTrue(self._refused(lambda: order.order_line[0].write({"price_unit": 10.05})))
