"""Where orders are checked: held at confirmation after days of grace, or confirmed with their goods waiting."""

from odoo import Command
from odoo.tests import tagged

from .test_credit_delivery import DeliveryCase


@tagged("post_install", "-at_install")
class TestOrderCheckpoint(DeliveryCase):
    def test_orders_that_are_not_checked_are_confirmed_and_their_goods_wait_for_room(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        first, second = (self._make_order(700) for _order in range(2))
        self.assertIn("its goods wait", self.env["credit.insurance.card"]._make(self._make_order(1700))["basis"])
        (first | second).with_user(self.rep).action_confirm()
        self.assertEqual((first | second).mapped("state"), ["sale", "sale"])
        waits = [order.sudo().credit_pass_ids.filtered("live").deliveries_wait for order in (first, second)]
        self.assertEqual(waits, [False, "order"])
        goods = self._picking(second)
        answer = goods.button_validate()
        self.assertEqual(goods.state, "assigned")
        self.assertIn("400.00", answer["params"]["message"], "short of the limit")
        self._picking(first).button_validate()
        self.assertEqual(first.picking_ids.state, "done")
        invoice = first._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        goods.button_validate()
        self.assertEqual(goods.state, "done")

    def test_only_the_goods_that_leave_need_room(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        order = self._make_confirmed_order(1500, product=self.goods_on_delivery)
        self._leave(order, 5)
        rest = self._picking(order)
        rest.button_validate()
        self.assertEqual(rest.state, "assigned")
        hold = self._held(rest)
        self.assertEqual((hold.decision_id.document_amount, hold.shortfall), (1500, 500), "750 of it has left already")
        invoice = order._create_invoices()
        invoice.action_post()
        self._leave(order, 1)
        rest = self._picking(order)
        rest.button_validate()
        self.assertEqual(rest.state, "assigned", "750 are owed, 150 have left, 600 are to leave")
        self._pay(invoice)
        rest.button_validate()
        self.assertEqual(rest.state, "done")

    def test_goods_of_one_order_that_leave_together_share_the_room(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        order = self._make_order(750)
        order.order_line.copy({"order_id": order.id, "product_id": self.goods_on_delivery.id, "price_unit": 75})
        order.action_confirm()
        first = self._picking(order)
        second = first.copy({"move_ids": []})
        first.move_ids[1].picking_id = second
        self.assertEqual(order.picking_ids, first | second)
        (first | second).button_validate()
        self.assertEqual((first | second).mapped("state"), ["done", "assigned"])
        [case] = self.env["credit.insurance.gate"]._prepare_cases(
            second, "delivery", self.env["credit.insurance.gate"]._get_open_delivery_amounts(second)
        )
        self.assertEqual((case.document, case.reserve), (1500, 0), "nothing else of it is to leave")

    def _leave(self, order, quantity):
        """A part of what is left of the order leaves, the rest waits for a further delivery."""
        picking = self._picking(order, quantity=quantity)
        answer = picking.button_validate()
        self.assertEqual(answer["res_model"], "stock.backorder.confirmation")
        wizard = self.env["stock.backorder.confirmation"].with_context(**answer["context"])
        wizard.create({"pick_ids": [Command.set(picking.ids)]}).process()
        self.assertEqual(picking.state, "done")

    def test_goods_of_orders_that_were_not_checked_wait_for_the_other_reasons_too(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        self._block()
        order = self._make_confirmed_order(100)
        goods = self._picking(order)
        goods.button_validate()
        self.assertEqual((order.state, goods.state), ("sale", "assigned"))
        self._release(self._held(goods), self.manager)
        goods.button_validate()
        self.assertEqual(goods.state, "done")

    def test_growth_of_an_order_that_is_not_checked_is_accepted_and_waits(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        order = self._make_confirmed_order(900)
        order.order_line.price_unit = 200
        self.env.cr.flush()
        goods = self._picking(order)
        goods.button_validate()
        self.assertEqual(goods.state, "assigned")
        order.order_line.price_unit = 100
        self.env.cr.flush()
        goods.button_validate()
        self.assertEqual(goods.state, "done")

    def test_nothing_waits_of_orders_that_were_confirmed_while_the_gate_observed(self):
        self.company.write({"credit_check_order": False, "credit_gate_mode": "observe"})
        goods = self._picking(self._make_confirmed_order(5000))
        goods.button_validate()
        self.assertEqual(goods.state, "done")

    def test_overdue_items_hold_orders_after_the_days_of_grace(self):
        self.company.write({"credit_max_overdue_days": 5, "credit_order_grace_days": 10})
        self._make_invoice(100, due_in=-15)
        self.assertEqual(self._make_confirmed_order(100).state, "sale")
        self.company.credit_order_grace_days = 9
        self.assertEqual(self._make_confirmed_order(100).state, "draft")
