"""What a salesperson may write on stock moves and lines frees no headroom that goods on their way still need."""

import runpy
from pathlib import Path

from odoo import Command
from odoo.tests import tagged

from .gate_attack_case import AttackCase


class MovesCase(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)

    def _confirmed(self, amount=1000, **values):
        order = self._make_confirmed_order(amount, **values)
        self._commit()
        self.assertEqual(order.state, "sale")
        return order

    def _delivered(self, **values):
        order = self._confirmed(**values)
        self._deliver(order)
        self._commit()
        return order

    def _held(self, picking):
        return picking.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def _validate(self, picking):
        for move in picking.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        picking.with_user(self.rep).button_validate()
        self._commit()
        return picking.state

    def _assert_frees_nothing(self, edit, expected=1000):
        self._assert_refused_or_nothing_gained(edit, expected)
        self.assertEqual(self._exposure()["total"], expected)


@tagged("post_install", "-at_install")
class TestLinesThatLeave(MovesCase):
    def test_line_of_a_confirmed_order_does_not_go_to_a_quotation(self):
        order, quotation = self._confirmed(), self._make_order(1)
        lines = order.order_line.with_user(self.rep)
        self._assert_frees_nothing(lambda: lines.write({"order_id": quotation.id}))

    def test_line_of_a_confirmed_order_does_not_go_to_a_cancelled_one(self):
        order, cancelled = self._confirmed(), self._make_order(1)
        cancelled._action_cancel()
        lines = order.order_line.with_user(self.rep)
        self._assert_frees_nothing(lambda: lines.write({"order_id": cancelled.id}))

    def test_line_goes_from_one_confirmed_order_to_another(self):
        order, other = self._confirmed(900), self._confirmed(100)
        order.order_line.with_user(self.rep).write({"order_id": other.id})
        self._commit()
        self.assertEqual((other.amount_total, self._exposure()["total"]), (1000, 1000))

    def test_delivered_goods_are_not_lowered_by_hand(self):
        line = self._delivered().order_line.with_user(self.rep)
        for quantity in (0, False, 9):
            with self.subTest(quantity=quantity):
                self._assert_frees_nothing(lambda quantity=quantity: line.write({"qty_delivered": quantity}))

    def test_delivered_goods_are_not_counted_another_way(self):
        line = self._delivered().order_line.with_user(self.rep)
        for vals in (
            {"is_expense": True},
            {"qty_delivered_method": "analytic"},
            {"qty_delivered_method": "manual", "qty_delivered": 0},
        ):
            with self.subTest(vals=vals):
                self._assert_frees_nothing(lambda vals=vals: line.write(vals))

    def test_line_of_a_confirmed_order_is_not_deleted_as_a_down_payment(self):
        line = self._confirmed().order_line.with_user(self.rep)
        self._assert_frees_nothing(lambda: (line.write({"is_downpayment": True}), line.unlink()))

    def test_delivered_service_is_lowered_by_hand(self):
        order = self._confirmed(product=self.service)
        order.order_line.qty_delivered = 6
        order.order_line.with_user(self.rep).qty_delivered = 4
        self.assertEqual(order.order_line.qty_delivered, 4)


@tagged("post_install", "-at_install")
class TestForgedMoves(MovesCase):
    def _move_vals(self, order, **values):
        return {
            "product_id": self.goods.id,
            "product_uom_qty": 10,
            "location_id": order.warehouse_id.lot_stock_id.id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
            "sale_line_id": order.order_line.id,
            **values,
        }

    def test_service_is_not_ended_by_a_delivery(self):
        order = self._confirmed(product=self.service)
        moves = self.env["stock.move"].with_user(self.rep)
        vals = self._move_vals(order)
        self._assert_frees_nothing(lambda: moves.create({**vals, "state": "cancel"}))
        self._assert_frees_nothing(lambda: moves.create(vals).write({"state": "cancel"}))
        unlinked = moves.create({**vals, "sale_line_id": False})
        self._assert_frees_nothing(lambda: unlinked.write({"state": "cancel", "sale_line_id": order.order_line.id}))

    def test_delivery_does_not_begin_as_one_that_ended(self):
        order = self._delivered(product=self.goods_on_delivery)
        moves = self.env["stock.move"].with_user(self.rep)
        back = self._move_vals(
            order,
            product_id=self.goods_on_delivery.id,
            quantity=10,
            to_refund=True,
            location_id=self.env.ref("stock.stock_location_customers").id,
            location_dest_id=order.warehouse_id.lot_stock_id.id,
        )
        self._assert_frees_nothing(lambda: moves.create({**back, "state": "done"}))
        self._assert_frees_nothing(lambda: moves.with_context(default_state="done").create(back))
        self._assert_frees_nothing(lambda: moves.create({**back, "picking_id": order.picking_ids.id}))

    def test_context_does_not_hide_what_was_delivered(self):
        order = self._delivered(product=self.goods_on_delivery)
        self.rep.group_ids += self.env.ref("stock.group_stock_user")
        moves = order.picking_ids.move_ids.with_user(self.rep).with_context(accrual_entry_date="2000-01-01")
        moves.web_save({"quantity": 9}, {"sale_line_id": {"fields": {"qty_delivered": {}}}})
        self._commit()
        self.assertEqual((order.order_line.qty_delivered, self._exposure()["total"]), (9, 900))

    def test_what_was_delivered_is_not_made_undone(self):
        order = self._delivered()
        moves = order.picking_ids.move_ids.with_user(self.rep)
        stock = order.warehouse_id.lot_stock_id.id
        customer = moves.location_dest_id.id
        for vals in (
            {"state": "cancel"},
            {"state": "assigned"},
            {"location_dest_id": stock},
            {"location_id": customer},
            {"location_id": customer, "location_dest_id": stock, "to_refund": True},
        ):
            with self.subTest(vals=vals):
                self._assert_frees_nothing(lambda vals=vals: moves.write(vals))

    def test_salesperson_does_not_correct_what_was_delivered(self):
        order = self._delivered()
        moves = order.picking_ids.move_ids
        elsewhere = self.env["stock.move"].create(self._move_vals(order, sale_line_id=False))
        for number, edit in enumerate((
            lambda: moves.with_user(self.rep).write({"quantity": 0}),
            lambda: moves.move_line_ids.with_user(self.rep).write({"quantity": 0}),
            lambda: moves.move_line_ids.with_user(self.rep).write({"move_id": elsewhere.id}),
        )):  # fmt: skip
            with self.subTest(edit=number):
                self._assert_frees_nothing(edit)
        self.assertEqual(order.order_line.qty_delivered, 10)

    def test_salesperson_does_not_take_a_delivery_from_its_order(self):
        for order in (self._delivered(amount=500), self._confirmed(500)):
            moves = order.picking_ids.move_ids.with_user(self.rep)
            with self.subTest(state=moves.state):
                self.assertTrue(self._refused(lambda moves=moves: moves.write({"sale_line_id": False})))
                self.assertTrue(self._refused(lambda moves=moves: moves.picking_id.write({"sale_id": False})))
                self.assertEqual(moves.sale_line_id, order.order_line)

    def test_warehouse_corrects_what_was_delivered(self):
        order = self._delivered()
        self.rep.group_ids += self.env.ref("stock.group_stock_user")
        order.picking_ids.move_ids.move_line_ids.with_user(self.rep).write({"quantity": 6})
        self._commit()
        self.assertEqual((order.order_line.qty_delivered, self._exposure()["total"]), (6, 600))

    def test_move_without_a_state_is_still_to_be_delivered(self):
        order = self._confirmed()
        self._deliver(order, 5)
        rest = order.picking_ids.move_ids.filtered(lambda move: move.state != "done").with_user(self.rep)
        self._assert_frees_nothing(lambda: rest.write({"state": False}))

    def test_delivered_goods_of_a_cancelled_order_stay_owed_when_it_is_reopened(self):
        order = self._delivered(product=self.goods_on_delivery)
        order.with_user(self.rep)._action_cancel()
        for reopen in (order.with_user(self.rep).action_draft, lambda: order.write({"state": False})):
            reopen()
            self._commit()
            self.assertEqual(self._exposure(), {"confirmed": 1000, "total": 1000})
            order.state = "cancel"
        order.with_user(self.rep).action_draft()
        other = self._make_order(100)
        other.with_user(self.rep).action_confirm()
        self.assertEqual(other.state, "draft")
        order.with_user(self.rep).action_confirm()
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 1000), "it counts once")

    def test_orders_reopened_before_the_update_are_marked_by_it(self):
        order = self._delivered(product=self.goods_on_delivery)
        order._action_cancel()
        order.action_draft()
        never = self._make_order(1000)
        self.env.flush_all()
        self.cr.execute("UPDATE sale_order SET credit_insurance_reopened = NULL")
        self.assertFalse(self._exposure()["total"])
        script = Path(__file__).parents[1] / "migrations" / "19.0.1.3.0" / "post-reopened-orders.py"
        runpy.run_path(str(script))["migrate"](self.cr, "19.0.1.2.0")
        self.env.invalidate_all()
        self.assertEqual(self._exposure()["total"], 1000)
        self.assertFalse(never.credit_insurance_reopened)

    def test_order_whose_delivered_goods_are_not_invoiced_is_not_deleted(self):
        order = self._delivered(product=self.goods_on_delivery)
        order._action_cancel()
        self._assert_frees_nothing(order.unlink)
        nothing = self._make_order(0)
        nothing.unlink()
        self.assertFalse(nothing.exists())

    def test_order_that_is_written_cancelled_takes_its_deliveries_with_it(self):
        order = self._confirmed()
        order.with_user(self.rep).write({"state": "cancel"})
        self._commit()
        self.assertEqual((order.picking_ids.state, self._exposure()["total"]), ("cancel", 0))


@tagged("post_install", "-at_install")
class TestDeliveriesWrittenDone(MovesCase):
    """Goods leave when their delivery is validated, and not because somebody writes that they left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouseman = cls._make_user("credit_warehouseman", "stock.group_stock_user")

    def _assert_written_done_is_refused(self, picking, message=None):
        moves = picking.move_ids
        moves.write({"quantity": 10, "picked": True})
        for user in (self.rep, self.warehouseman):
            own = moves.with_user(user)
            for number, edit in enumerate((
                lambda own=own: own.write({"state": "done"}),
                lambda own=own: own.write({"state": "done", "quantity": 10, "picked": True}),
                lambda own=own: own.picking_id.write({"move_ids": [Command.update(own.id, {"state": "done"})]}),
                lambda own=own: own.with_context(is_scrap=True, cancel_backorder=True).write({"state": "done"}),
            )):  # fmt: skip
                with self.subTest(user=user.login, edit=number):
                    self.assertTrue(self._refused(edit), message)
                    self.assertNotEqual(moves.state, "done")

    def test_delivery_of_an_order_is_not_written_done(self):
        order = self._confirmed()
        self._assert_written_done_is_refused(order.picking_ids)
        self.assertFalse(order.order_line.qty_delivered)
        self.assertEqual(self._validate(order.picking_ids), "done")

    def test_delivery_to_a_blocked_buyer_without_an_order_is_not_written_done(self):
        self.company.credit_check_delivery = True
        picking = self._confirmed().picking_ids.copy()
        picking.move_ids.sale_line_id = False
        picking.action_confirm()
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency"})
        self._assert_written_done_is_refused(picking)

    def test_transfer_that_is_done_does_not_become_a_delivery(self):
        picking = self._confirmed().picking_ids
        shelf, customers = picking.location_id, picking.location_dest_id
        picking.location_dest_id = shelf
        self.assertEqual(self._validate(picking), "done")
        for user in (self.rep, self.warehouseman):
            own = picking.move_ids.with_user(user)
            self.assertTrue(self._refused(lambda own=own: own.write({"location_dest_id": customers.id})))
            self.assertTrue(self._refused(lambda own=own: own.picking_id.write({"location_dest_id": customers.id})))

    def test_move_without_a_transfer_is_not_written_done(self):
        order = self._confirmed()
        line = order.order_line
        picking = order.picking_ids
        vals = {
            "product_id": self.goods.id,
            "product_uom_qty": 10,
            "quantity": 10,
            "picked": True,
            "location_id": picking.location_id.id,
            "location_dest_id": picking.location_dest_id.id,
        }
        for user in (self.rep, self.warehouseman):
            moves = self.env["stock.move"].with_user(user)
            self.assertTrue(
                self._refused(
                    lambda moves=moves: moves.create({**vals, "sale_line_id": line.id}).write({"state": "done"})
                )
            )
        self.company.credit_check_delivery = True
        self.assertTrue(self._refused(lambda: moves.create({**vals, "state": "done"})))

    def test_goods_that_go_to_no_customer_are_written_done_as_before(self):
        receipt = self.env["stock.move"].create(
            {
                "product_id": self.goods.id,
                "product_uom_qty": 10,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
            }
        )
        receipt.with_user(self.warehouseman).write({"state": "done"})
        self.assertEqual(receipt.state, "done")


@tagged("post_install", "-at_install")
class TestDeliveriesMadeAnew(MovesCase):
    """A cancelled delivery frees headroom, and a second order uses it: the delivery made anew waits for a decision."""

    def _cancelled_and_used(self):
        order = self._confirmed()
        order.picking_ids.action_cancel()
        self._commit()
        self.assertEqual(self._exposure()["total"], 0)
        self._confirmed()
        return order

    def test_copy_of_a_cancelled_delivery_waits(self):
        order = self._cancelled_and_used()
        copied = order.picking_ids.copy()
        copied.action_confirm()
        self._commit()
        self.assertEqual(self._exposure()["total"], 2000)
        self.assertEqual(self._held(copied).shortfall, 1000)
        self.assertNotEqual(self._validate(copied), "done")

    def test_cancelled_move_that_is_written_open_waits(self):
        order = self._cancelled_and_used()
        order.picking_ids.move_ids.with_user(self.rep).write({"state": "assigned"})
        self._commit()
        self.assertNotEqual(self._validate(order.picking_ids), "done")

    def test_copy_within_the_limit_leaves(self):
        order = self._confirmed()
        order.picking_ids.action_cancel()
        self._commit()
        copied = order.picking_ids.copy()
        copied.action_confirm()
        self._commit()
        self.assertFalse(self._held(copied))
        self.assertEqual(order.credit_pass_ids.filtered("live").open_amount, 1000)
        self.assertEqual(self._validate(copied), "done")


@tagged("post_install", "-at_install")
class TestDeliveriesOfOrdersThatAreNotConfirmed(MovesCase):
    """What leaves without a confirmed order is new credit: nothing of it is owed before it leaves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouseman = cls._make_user("credit_warehouseman", "stock.group_stock_user")

    def _revived(self, **values):
        """The cancelled delivery of a cancelled order, which somebody opens again, or a copy of it."""
        order = self._confirmed(**values)
        order.with_user(self.rep).action_cancel()
        self._commit()
        cancelled = order.picking_ids.with_user(self.warehouseman)
        copied = cancelled.copy()
        cancelled.move_ids.write({"state": "assigned"})
        self._commit()
        return cancelled, copied

    def _leaves(self, picking):
        picking.move_ids.write({"quantity": 10, "picked": True})
        self._refused(picking.with_user(self.warehouseman).button_validate)
        return picking.state == "done"

    def test_delivery_of_a_cancelled_order_does_not_leave_beyond_the_limit(self):
        revived, copied = self._revived()
        self._confirmed()
        for picking in (revived, copied):
            with self.subTest(picking=picking.name):
                self.assertFalse(self._leaves(picking))
                self.assertEqual(self._held(picking).shortfall, 1000)
                self.assertTrue(self._refused(picking._action_done))
        self.assertEqual(self._exposure()["total"], 1000)

    def test_delivery_of_a_cancelled_order_leaves_within_the_limit_once(self):
        revived, copied = self._revived()
        self.assertTrue(self._leaves(revived))
        self.assertFalse(self._leaves(copied))
        self.assertEqual(self._exposure()["total"], 1000)

    def test_delivery_of_a_small_order_takes_no_goods_of_a_cancelled_one_along(self):
        revived, _copied = self._revived(amount=900)
        small = self._confirmed(200)
        revived.move_ids.picking_id = small.picking_ids
        self.assertFalse(self._leaves(small.picking_ids))
        self.assertEqual(self._held(small.picking_ids).shortfall, 100)

    def test_deliveries_of_cancelled_orders_share_the_limit(self):
        pickings = self.env["stock.picking"].union(*(self._revived(amount=600)[0] for _order in range(2)))
        pickings.move_ids.write({"quantity": 10, "picked": True})
        pickings.with_user(self.warehouseman).button_validate()
        self.assertEqual(sorted(pickings.mapped("state")), ["assigned", "done"])

    def test_delivery_of_a_cancelled_order_leaves_where_the_gate_is_off(self):
        revived, _copied = self._revived()
        self._confirmed()
        self.company.credit_gate_mode = "observe"
        self.assertTrue(self._leaves(revived))


@tagged("post_install", "-at_install")
class TestOtherParties(MovesCase):
    """Who orders and who receives the goods were looked at when the order passed: another one is decided again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.blocked = cls.env["res.partner"].create({"name": "Blocked Ltd", "is_company": True})
        cls._make_buyer(partner=cls.blocked).write({"status": "blocked", "status_reason": "Fraud"})

    def test_goods_of_a_confirmed_order_do_not_go_to_a_blocked_recipient(self):
        order = self._confirmed().with_user(self.rep)
        self.assertTrue(self._refused(lambda: order.write({"partner_shipping_id": self.blocked.id})))

    def test_confirmed_order_does_not_become_one_of_a_blocked_customer(self):
        order = self._confirmed().with_user(self.rep)
        invoiced = order.partner_invoice_id.id
        edit = {"partner_id": self.blocked.id, "partner_invoice_id": invoiced, "partner_shipping_id": invoiced}
        self.assertTrue(self._refused(lambda: order.write(edit)))

    def test_other_address_of_the_same_entity_is_free(self):
        order = self._confirmed()
        depot = self.env["res.partner"].create({"name": "Depot", "parent_id": self.partner.id, "type": "delivery"})
        self.buyer.write({"status": "blocked", "status_reason": "Rumour"})
        self.assertFalse(self._refused(lambda: order.with_user(self.rep).write({"partner_shipping_id": depot.id})))

    def test_other_recipient_nothing_speaks_against_is_free(self):
        order = self._confirmed()
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self.assertFalse(self._refused(lambda: order.with_user(self.rep).write({"partner_shipping_id": beta.id})))
        self.assertEqual(order.credit_pass_ids.filtered("live").open_amount, 1000)


@tagged("post_install", "-at_install")
class TestPassedBecauseItsDeliveryWaits(MovesCase):
    """It passed because nothing leaves before it is paid: services and goods of a supplier would."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer.profile_id = cls.env["credit.insurance.profile"].create(
            {"name": "Prepays", "delivery_waits_for_money": True, "currency_id": cls.company_currency.id}
        )

    def _swap(self, order, product):
        line = {"product_id": product.id, "product_uom_qty": 1, "price_unit": order.amount_total, "tax_ids": []}
        commands = [Command.update(order.order_line.id, {"product_uom_qty": 0}), Command.create(line)]
        return lambda: order.with_user(self.rep).write({"order_line": commands})

    def test_goods_are_not_swapped_for_a_service(self):
        order = self._confirmed(5000)
        self.assertEqual(order.credit_pass_ids.deliveries_wait, "cash")
        self.assertTrue(self._refused(self._swap(order, self.service)))

    def test_goods_are_swapped_for_other_goods(self):
        order = self._confirmed(5000)
        self.assertFalse(self._refused(self._swap(order, self.goods_on_delivery)))
        self.assertEqual(order.credit_pass_ids.filtered("live").deliveries_wait, "cash")

    def test_service_within_the_limit_passes(self):
        order = self._confirmed(500)
        self.assertFalse(self._refused(self._swap(order, self.service)))
