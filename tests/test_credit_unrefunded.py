"""What was paid for a cancelled order is no exposure, and is not forgotten."""

from odoo.tests import tagged

from .gate_attack_case import AttackCase


@tagged("post_install", "-at_install")
class TestUnrefunded(AttackCase):
    def _make_down_payment(self, order, amount, paid=None):
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "fixed", "fixed_amount": amount})._create_invoices(order)
        invoice.action_post()
        if paid:
            self._pay(invoice, paid)
        return invoice

    def _credit(self, invoice):
        wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids)
        wizard = wizard.create({"journal_id": invoice.journal_id.id})
        credit_note = self.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        credit_note.action_post()
        return credit_note

    def _unrefunded(self, order):
        self.env.invalidate_all()
        buyer = self.env["credit.insurance.buyer"]._get_or_create(self.partner, self.company)
        self.assertEqual(buyer.unrefunded, order.credit_unrefunded)
        return order.credit_unrefunded

    def test_paid_down_payment_of_a_cancelled_order_is_shown_until_it_is_credited(self):
        order = self._make_confirmed_order(1000)
        invoice = self._make_down_payment(order, 300, paid=300)
        self.assertEqual(self._unrefunded(order), 0, "its goods are still to come")
        order._action_cancel()
        self.assertEqual((self._exposure()["total"], self._unrefunded(order)), (0, 300))
        self._credit(invoice)
        self.assertEqual((self._exposure()["total"], self._unrefunded(order)), (-300, 0))

    def test_only_what_was_paid_is_to_be_refunded(self):
        order = self._make_confirmed_order(1000)
        self._make_down_payment(order, 300, paid=100)
        order._action_cancel()
        self.assertEqual((self._exposure()["total"], self._unrefunded(order)), (200, 100))

    def test_unpaid_down_payment_that_is_credited_leaves_nothing(self):
        order = self._make_confirmed_order(1000)
        invoice = self._make_down_payment(order, 300)
        order._action_cancel()
        self.assertEqual(self._unrefunded(order), 0)
        self._credit(invoice)
        self.assertEqual(invoice.payment_state, "reversed", "the one settled the other, nobody paid")
        self.assertEqual((self._exposure()["total"], self._unrefunded(order)), (0, 0))

    def test_goods_that_left_before_are_paid_with_it(self):
        order = self._make_confirmed_order(1000)
        self._make_down_payment(order, 300, paid=300)
        for move in order.picking_ids.move_ids:
            move.write({"quantity": 2, "picked": True})
        order.picking_ids.with_context(cancel_backorder=True)._action_done()
        order._action_cancel()
        self.assertEqual(self._unrefunded(order), 100)

    def test_order_in_another_currency_is_told_in_the_buyers(self):
        weak = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create({"name": "EUR", "currency_id": weak.id})
        order = self._make_confirmed_order(1000, pricelist_id=pricelist.id)
        self._make_down_payment(order, 300, paid=300)
        order._action_cancel()
        self.env.invalidate_all()
        buyer = self.env["credit.insurance.buyer"]._get_or_create(self.partner, self.company)
        self.assertEqual((order.currency_id, order.credit_unrefunded, buyer.unrefunded), (weak, 300, 150))

    def test_rep_sees_it_on_an_order_of_his(self):
        order = self._make_confirmed_order(1000)
        self._make_down_payment(order, 300, paid=300)
        order._action_cancel()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(order.with_user(self.rep).read(["credit_unrefunded"])[0]["credit_unrefunded"], 300)
