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
        gate = self.env["credit.insurance.gate"]
        [case] = gate._prepare_cases(second, "delivery", gate._get_open_delivery_amounts(second, second.browse()))
        self.assertEqual((case.document, case.reserve), (1500, 0), "nothing else of it is to leave")

    def test_goods_that_left_count_once_when_the_rest_leaves_in_two_deliveries(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        order = self._make_confirmed_order(2000, quantity=20, product=self.goods_on_delivery)
        self._leave(order, 4)
        first, second, third = self._split_delivery(order, 3, 3)
        (first | second | third).button_validate()
        self.assertEqual((first | second | third).mapped("state"), ["done", "done", "assigned"])
        self.assertEqual(self._held(third).shortfall, 400, "the oldest is decided first")

    def test_part_that_leaves_at_the_same_moment_is_reserved_without_what_has_left(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        order = self._make_confirmed_order(2000, quantity=20, product=self.goods_on_delivery)
        self._leave(order, 4)
        first, _second, _third = self._split_delivery(order, 3, 3)
        gate = self.env["credit.insurance.gate"]
        amounts = gate._get_open_delivery_amounts(first, first.browse())
        [case] = gate._prepare_cases(first, "delivery", amounts)
        self.assertEqual((case.document, case.reserve), (700, 300))

    def test_waiting_goods_find_no_room_in_another_order_that_is_delivered_with_them(self):
        self.company.credit_check_order = False
        passed, waiting = self._make_confirmed_order(600), self._make_confirmed_order(700)
        self.assertEqual(self._waits(passed | waiting), [False, "order"])
        self._leave(passed, 1)
        goods = self._picking(waiting) | self._picking(passed)
        goods.button_validate()
        self.assertEqual(goods.mapped("state"), ["assigned", "done"])
        self.assertEqual(self._held(goods).shortfall, 300)

    def test_waiting_goods_do_not_leave_in_the_delivery_of_an_order_that_passed(self):
        self.company.credit_check_order = False
        passed, waiting = self._make_confirmed_order(600), self._make_confirmed_order(700)
        goods = passed.picking_ids
        waiting.picking_ids.move_ids.picking_id = goods
        self._prepare(goods).button_validate()
        self.assertEqual(goods.state, "assigned")
        self.assertEqual((self._held(goods).document_amount, self._held(goods).shortfall), (1300, 300))

    def test_held_goods_of_two_orders_are_not_said_to_be_free_for_each_others_room(self):
        self.company.write({"credit_check_order": False, "credit_check_delivery": False})
        orders = self._make_order(1100) | self._make_order(1050)
        orders.action_confirm()
        for order in orders:
            order.order_line.price_unit = 60
        self.env.cr.flush()
        goods = self._picking(orders[0]) | self._picking(orders[1])
        for picking in goods:
            picking.button_validate()
        self.assertEqual(goods.mapped("state"), ["assigned", "assigned"], "1,200 are owed in all")
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(len(self._held(goods)), 2)

    def test_rest_of_an_order_that_odoo_made_grow_leaves_in_two_deliveries(self):
        order = self._make_order(900, quantity=9, product=self.goods_on_delivery)
        line = order.order_line.copy({"order_id": order.id, "product_uom_qty": 2, "price_unit": 50})
        order.action_confirm()
        picking = order.picking_ids
        picking.move_ids[0].write({"quantity": 14, "picked": True})
        self._send(picking)
        self.env.cr.flush()
        self.assertEqual(self._waits(order), ["growth"])
        self._grant(1500)
        first, second = self._split_delivery(order, 1)
        self.assertEqual(first.move_ids.sale_line_id, line)
        (first | second).button_validate()
        self.assertEqual((first | second).mapped("state"), ["done", "done"])

    def test_orders_that_odoo_makes_grow_together_find_each_other_in_what_is_owed(self):
        orders = self._make_confirmed_order(500, quantity=5) | self._make_order(300, quantity=3)
        second = orders[1]
        second.order_line.copy({"order_id": second.id, "product_uom_qty": 1, "price_unit": 50})
        second.action_confirm()
        goods = orders.picking_ids
        for move, quantity in zip(goods.move_ids, (12, 4), strict=False):
            move.write({"quantity": quantity, "picked": True})
        self._send(goods)
        self.env.cr.flush()
        self.assertEqual(self._exposure()["total"], 1650)
        self.assertEqual(self._waits(orders), ["growth", "growth"])

    def _grant(self, amount):
        self.buyer.own_limit_ids.amount = amount

    def _waits(self, orders):
        return [order.sudo().credit_pass_ids.filtered("live").deliveries_wait for order in orders]

    def _split_delivery(self, order, *quantities):
        """The rest of an order of one line as deliveries of these quantities, and one of what is left."""
        rest = self._picking(order)
        parts = rest.browse()
        for quantity in quantities:
            part = rest.copy({"move_ids": []})
            move = rest.move_ids
            new = self.env["stock.move"].create(move._split(quantity))
            new.picking_id = part
            new._action_confirm(merge=False)
            parts |= part
        for picking in parts | rest:
            self._prepare(picking)
        self.assertEqual(order.picking_ids.filtered(lambda p: p.state != "done"), parts | rest)
        return parts | rest

    def _leave(self, order, quantity):
        """A part of what is left of the order leaves, the rest waits for a further delivery."""
        self._send(self._picking(order, quantity=quantity))

    def _send(self, picking):
        """What is ready of a delivery leaves, the rest waits for a further one."""
        answer = picking.button_validate()
        self.assertEqual(answer["res_model"], "stock.backorder.confirmation")
        wizard = self.env["stock.backorder.confirmation"].with_context(**answer["context"])
        wizard.create({"pick_ids": [Command.set(picking.ids)]}).process()
        self.assertEqual(set(picking.mapped("state")), {"done"})

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
