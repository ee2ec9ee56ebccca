"""Money owed is counted, whatever the documents look like."""

from odoo import Command
from odoo.tests import tagged

from .gate_attack_case import AttackCase


@tagged("post_install", "-at_install")
class TestMoneyOwedIsCounted(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"

    def _reverse(self, invoice, modify=False):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "reason": "wrong"})
        )
        action = wizard.modify_moves() if modify else wizard.refund_moves()
        return self.env["account.move"].browse(action["res_id"])

    def test_invoice_made_anew_counts_while_it_is_a_draft(self):
        """Credit and correct: the first invoice is gone, the goods are out, the second is a draft."""
        order = self._make_confirmed_order(1000)
        self._deliver(order)
        draft = self._reverse(self._invoice(order), modify=True)
        self.assertEqual((draft.state, draft.move_type), ("draft", "out_invoice"))
        self.assertEqual(self._exposure()["total"], 1000, "a draft from a confirmed order counts as the order")
        draft.action_post()
        self.assertEqual(self._exposure()["total"], 1000)

    def test_corrected_invoice_of_a_half_leaves_the_other_half_open(self):
        for product in (self.service, self.goods):
            with self.subTest(product=product.name):
                before = self._exposure()["total"]
                order = self._make_confirmed_order(1000, product=product)
                if product == self.goods:
                    self._deliver(order)
                half = order._create_invoices()
                half.invoice_line_ids.quantity = 5
                half.action_post()
                self.assertEqual(self._exposure()["total"] - before, 1000)
                draft = self._reverse(half, modify=True)
                self.assertEqual(self._exposure()["total"] - before, 1000)
                draft.action_post()
                self.assertEqual(self._exposure()["total"] - before, 1000, "500 invoiced anew, 500 to be invoiced")

    def test_what_is_left_after_a_credit_note_is_invoiced_once(self):
        order = self._make_confirmed_order(1000, product=self.service)
        half = order._create_invoices()
        half.invoice_line_ids.quantity = 5
        half.action_post()
        credit_note = self._reverse(half)
        credit_note.invoice_line_ids.quantity = 2
        credit_note.action_post()
        self.assertEqual(self._exposure()["total"], 800, "a credit note does not reopen its order")
        self._invoice(order)
        self.assertEqual(order.order_line.qty_invoiced, 10)
        self.assertEqual(self._exposure()["total"], 1000, "what was credited has been invoiced anew")

    def test_credited_return_line_lowers_the_order_once(self):
        order = self._make_order(1000, product=self.goods_on_delivery)
        line = {"product_id": self.service.id, "product_uom_qty": -2, "price_unit": 100, "tax_ids": []}
        order.order_line = [Command.create(line)]
        order.action_confirm()
        self.assertEqual(self._exposure()["total"], 800)
        credit_note = self._invoice(order)
        self.assertEqual((credit_note.move_type, credit_note.amount_total), ("out_refund", 200))
        self.assertEqual(self._exposure(), {"confirmed": 1000, "credits": -200, "total": 800})
        self._deliver(order)
        self._invoice(order)
        self.assertEqual(self._exposure(), {"not_due": 1000, "credits": -200, "total": 800})

    def test_invoice_credited_before_delivery_leaves_the_order_open(self):
        order = self._make_confirmed_order(1000)
        credit_note = self._reverse(self._invoice(order))
        if credit_note.state == "draft":
            credit_note.action_post()
        self.assertEqual(order.picking_ids.state in ("confirmed", "assigned"), True)
        move_lines = (order.invoice_ids.line_ids).filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        move_lines.reconcile()
        self.assertEqual(self._exposure()["total"], 1000, "nothing is invoiced and everything is still to come")

    def test_draft_invoice_to_somebody_else_does_not_hide_the_order(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        order = self._make_confirmed_order(1000)
        draft = order._create_invoices()
        self.assertEqual(self._exposure()["total"], 1000)
        draft.partner_id = beta
        total = self._exposure()["total"] + self._exposure(partner=beta)["total"]
        self.assertEqual(total, 1000)

    def test_down_payment_in_another_currency_comes_off_converted(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        order = self._make_confirmed_order(1000)
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "fixed", "fixed_amount": 300})._create_invoices(order)
        invoice.currency_id = foreign
        invoice.invoice_line_ids.filtered("price_unit").price_unit = 600
        invoice.action_post()
        self.assertEqual(self._exposure(), {"not_due": 300, "confirmed": 700, "total": 1000})

    def test_goods_owed_again_count_in_the_unit_of_the_line(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        product = self._make_product("Eggs", type="consu", invoice_policy="delivery", uom_id=dozen.id, list_price=1200)
        order = self._make_order(1200, product=product, quantity=12)
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_unit")
        order.order_line.price_unit = 100
        order.action_confirm()
        self.assertEqual(order.amount_total, 1200)
        picking = self._deliver(order)
        self._pay(self._invoice(order))
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": wizard.product_return_moves.move_id.quantity, "to_refund": True})
        returned = wizard._create_return()
        for move in returned.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        returned._action_done()
        self._invoice(order)
        again = picking.move_ids.copy({"sale_line_id": order.order_line.id, "picking_id": False})
        again._action_confirm()
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.assertEqual(self._exposure(), {"confirmed": 1200, "credits": -1200, "total": 0})

    def test_units_and_dozens_count_once(self):
        order = self._make_order(2400, quantity=2, product=self.goods_on_delivery)
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        order.order_line.price_unit = 1200
        order.action_confirm()
        self.assertEqual(self._exposure()["total"], 2400)
        self._deliver(order, quantity=12)
        self.assertEqual(order.order_line.qty_delivered, 1)
        draft = order._create_invoices()
        draft.invoice_line_ids.write({"product_uom_id": self.env.ref("uom.product_uom_unit").id, "quantity": 12})
        draft.invoice_line_ids.price_unit = 100
        draft.action_post()
        self.assertEqual(self._exposure(), {"not_due": 1200, "confirmed": 1200, "total": 2400})

    def test_line_of_negative_quantity_lowers_the_order(self):
        order = self._make_order(1000)
        self.env["sale.order.line"].create(
            {
                "order_id": order.id,
                "product_id": self.service.id,
                "product_uom_qty": -2,
                "price_unit": 100,
                "tax_ids": [],
            }
        )
        order.action_confirm()
        self.assertEqual(order.amount_total, 800)
        self.assertEqual(self._exposure()["total"], 800)

    def test_cancelled_order_still_owes_what_was_delivered(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        self._deliver(order, quantity=4)
        order._action_cancel()
        self.assertEqual(self._exposure()["total"], 400)

    def test_one_invoice_for_parts_of_two_orders(self):
        first, second = self._make_confirmed_order(1000), self._make_confirmed_order(500)
        draft = (first | second)._create_invoices()
        self.assertEqual(len(draft), 1)
        for line in draft.invoice_line_ids.filtered(lambda line: line.quantity == 10):
            line.quantity = 5
        draft.action_post()
        self.assertEqual(self._exposure(), {"not_due": 750, "confirmed": 750, "total": 1500})

    def test_refunded_down_payment_reopens_the_order(self):
        order = self._make_confirmed_order(1000)
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "fixed", "fixed_amount": 300})._create_invoices(order)
        invoice.action_post()
        credit_note = self._reverse(invoice)
        if credit_note.state == "draft":
            credit_note.action_post()
        self.assertEqual(self._exposure()["total"], 1000)

    def test_return_without_refund_still_owes_the_goods(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        picking = self._deliver(order)
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": 2, "to_refund": False})
        returned = wizard._create_return()
        for move in returned.move_ids:
            move.write({"quantity": 2, "picked": True})
        returned._action_done()
        self.assertEqual(self._exposure()["total"], 1000)

    def test_return_with_refund_before_the_invoice_owes_less(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        picking = self._deliver(order)
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": 2, "to_refund": True})
        returned = wizard._create_return()
        for move in returned.move_ids:
            move.write({"quantity": 2, "picked": True})
        returned._action_done()
        self.assertEqual(self._exposure()["total"], 800)

    def test_invoice_posted_to_another_buyer_is_owed_there(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        order = self._make_confirmed_order(1000)
        draft = order._create_invoices()
        draft.partner_id = beta
        draft.action_post()
        self.assertEqual(self._exposure()["total"], 0)
        self.assertEqual(self._exposure(partner=beta)["total"], 1000)

    def test_invoiced_more_than_ordered_counts_once(self):
        order = self._make_confirmed_order(1000)
        draft = order._create_invoices()
        draft.invoice_line_ids.quantity = 15
        draft.action_post()
        self.assertEqual(self._exposure(), {"not_due": 1500, "total": 1500})

    def test_order_with_one_line_invoiced_and_its_sibling_in_a_draft(self):
        order = self._make_order(1000)
        self.env["sale.order.line"].create(
            {"order_id": order.id, "product_id": self.service.id, "price_unit": 500, "tax_ids": []}
        )
        order.action_confirm()
        draft = order._create_invoices()
        draft.invoice_line_ids.filtered(lambda line: line.product_id == self.service).unlink()
        draft.action_post()
        order._create_invoices()
        self.assertEqual(self._exposure(), {"not_due": 1000, "confirmed": 500, "total": 1500})
