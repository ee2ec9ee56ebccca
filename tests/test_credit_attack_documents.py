"""Deliveries and invoices that are made to look as if credit had nothing to say about them."""

from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .gate_attack_case import AttackCase
from .test_credit_delivery import DeliveryCase


class WaitingCase(DeliveryCase, AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_check_delivery = False
        cls.profile = cls.env["credit.insurance.profile"].create(
            {"name": "Prepays", "delivery_waits_for_money": True, "currency_id": cls.company_currency.id}
        )
        cls.buyer.profile_id = cls.profile

    def _waiting_order(self, amount=5000, **values):
        order = self._make_order(amount, **values)
        order.with_user(self.rep).action_confirm()
        self._commit()
        return order

    def _leaves(self, order):
        picking = self._picking(order)
        if not self._refused(picking.with_user(self.rep).button_validate):
            picking.invalidate_recordset()
        return picking.state == "done"


@tagged("post_install", "-at_install")
class TestDeliveryThatWaitsForTheMoney(WaitingCase):
    def test_rep_does_not_take_the_delivery_away_from_its_order(self):
        order = self._waiting_order()
        picking = order.picking_ids
        moves = picking.move_ids.with_user(self.rep)
        supplier = self.env.ref("stock.stock_location_suppliers")
        internal = order.warehouse_id.int_type_id
        elsewhere = self.env["stock.picking"].create({"picking_type_id": internal.id})
        edits = (
            lambda: moves.write({"sale_line_id": False}),
            lambda: picking.with_user(self.rep).write({"sale_id": False}),
            lambda: picking.with_user(self.rep).write(
                {"move_ids": [Command.update(moves.id, {"sale_line_id": False})]}
            ),
            lambda: moves.write({"location_id": supplier.id}),
            lambda: moves.write({"location_dest_id": picking.location_id.id}),
            lambda: picking.with_user(self.rep).write({"location_id": supplier.id}),
            lambda: picking.with_user(self.rep).write({"location_dest_id": picking.location_id.id}),
            lambda: picking.with_user(self.rep).write({"picking_type_id": internal.id}),
            lambda: moves.write({"picking_id": elsewhere.id}),
            lambda: moves.write({"product_id": self.goods_on_delivery.id}),
        )
        for number, edit in enumerate(edits):
            with self.subTest(edit=number):
                self._refused(edit)
                picking.invalidate_recordset()
                self.assertEqual(moves.location_dest_id.usage, "customer")
                self.assertFalse(self._leaves(order))

    def test_delivery_for_another_address_is_saved_with_a_line_taken_out(self):
        picking = self._waiting_order().picking_ids
        depot = self.env["res.partner"].create({"name": "Depot", "parent_id": self.partner.id, "type": "delivery"})
        other = picking.move_ids.copy({"sale_line_id": False})
        picking.write({"partner_id": depot.id, "move_ids": [Command.delete(other.id)]})
        self.assertEqual((picking.partner_id, len(picking.move_ids)), (depot, 1))

    def test_goods_that_a_supplier_sends_do_not_wait(self):
        """Nothing keeps them back: it would be credit."""
        order = self._make_order(5000)
        order.order_line.route_ids = self._make_dropship_route()
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")

    def test_goods_that_a_supplier_sends_for_the_whole_warehouse_do_not_wait(self):
        order = self._make_order(5000)
        order.warehouse_id.route_ids += self._make_dropship_route()
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")

    def _make_dropship_route(self):
        return self.env["stock.route"].create(
            {
                "name": "Straight from the supplier",
                "sale_selectable": True,
                "warehouse_selectable": True,
                "rule_ids": [
                    Command.create(
                        {
                            "name": "Supplier to customer",
                            "action": "pull",
                            "procure_method": "make_to_stock",
                            "location_src_id": self.env.ref("stock.stock_location_suppliers").id,
                            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                            "picking_type_id": self.env["stock.picking.type"]
                            .search([("code", "=", "outgoing"), ("company_id", "=", self.company.id)], limit=1)
                            .id,
                        }
                    )
                ],
            }
        )

    def test_small_change_does_not_end_the_wait(self):
        order = self._waiting_order()
        self._invoice(order)
        self._commit()
        self.buyer.profile_id = self.env["credit.insurance.profile"].create(
            {"name": "Small ones pass", "order_threshold": 100, "currency_id": self.company_currency.id}
        )
        line = {"order_id": order.id, "product_id": self.goods.id, "product_uom_qty": 1, "price_unit": 1, "tax_ids": []}
        self._refused(lambda: self.env["sale.order.line"].with_user(self.rep).create(line))
        self.assertFalse(self._leaves(order))

    def test_delivery_with_goods_of_two_orders_is_decided(self):
        self.buyer.profile_id = self.env["credit.insurance.profile"].create(
            {"name": "Small", "order_threshold": 10, "day_threshold": 100, "currency_id": self.company_currency.id}
        )
        self.company.credit_check_delivery = True
        first, second = self._make_confirmed_order(100), self._make_confirmed_order(100)
        picking = first.picking_ids
        second.picking_ids.move_ids.picking_id = picking
        self._prepare(picking).button_validate()
        self.assertEqual(picking.state, "done")

    def test_delivery_named_twice_is_told_once(self):
        self.company.credit_check_delivery = True
        self.buyer.profile_id = False
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        good, bad = (self._picking(self._make_confirmed_order(100, partner=buyer)) for buyer in (other, self.partner))
        self._block()
        answer = (bad + good + bad + good).button_validate()["params"]
        self.assertEqual(answer["credit_insurance"], {"passed": good.ids, "held": bad.ids})
        self.assertEqual((good.state, bad.state), ("done", "assigned"))

    def test_delivery_for_a_good_buyer_does_not_take_a_blocked_ones_goods_along(self):
        self.company.credit_check_delivery = True
        self.buyer.profile_id = False
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        good, bad = self._make_confirmed_order(100, partner=other), self._make_confirmed_order(100)
        bad.picking_ids.move_ids.picking_id = good.picking_ids
        self._block()
        self._prepare(good.picking_ids).with_user(self.rep).button_validate()
        self.assertNotEqual(good.picking_ids.state, "done")


@tagged("post_install", "-at_install")
class TestInvoiceThatSeemsToComeFromAnOrder(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)
        cls.company.credit_check_invoice = "hold"

    def _posted(self, move):
        self._refused(move.with_user(self.officer).action_post)
        return move.state == "posted"

    def test_written_total_does_not_decide(self):
        move = self._make_invoice(5000, post=False)
        self._refused(lambda: move.with_user(self.officer).write({"amount_total": 1}))
        self.assertFalse(self._posted(move))

    def test_written_entity_does_not_decide(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        move = self._make_invoice(5000, post=False)
        self._refused(lambda: move.with_user(self.officer).write({"commercial_partner_id": other.id}))
        self.assertFalse(self._posted(move))

    def test_line_of_a_small_order_does_not_open_the_gate_for_a_large_invoice(self):
        order = self._make_confirmed_order(10)
        self._commit()
        move = order._create_invoices()
        move.invoice_line_ids = [Command.create({"name": "More", "price_unit": 5000, "tax_ids": [Command.clear()]})]
        self.assertFalse(self._posted(move))
        self.assertEqual(move.sudo().credit_hold_ids.order_amount, 5000)

    def test_price_raised_on_the_invoice_is_decided(self):
        order = self._make_confirmed_order(10)
        self._commit()
        move = order._create_invoices()
        move.invoice_line_ids.price_unit = 5000
        self.assertFalse(self._posted(move))

    def test_invoice_of_an_order_with_a_little_more_is_never_stopped(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        move = order._create_invoices()
        move.invoice_line_ids = [Command.create({"name": "Freight", "price_unit": 50, "tax_ids": [Command.clear()]})]
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency"})
        self.assertTrue(self._posted(move))

    def test_small_invoices_of_a_day_do_not_exceed_the_days_threshold(self):
        self.buyer.profile_id = self.env["credit.insurance.profile"].create(
            {
                "name": "Small ones pass",
                "order_threshold": 100,
                "day_threshold": 150,
                "currency_id": self.company_currency.id,
            }
        )
        self._make_confirmed_order(1000)
        first, second = self._make_invoice(100, post=False), self._make_invoice(100, post=False)
        self.assertTrue(self._posted(first))
        self.assertFalse(self._posted(second))
        self.assertEqual(self._make_confirmed_order(100).state, "draft")

    def test_cancelled_order_whose_goods_left_counts_in_the_days_threshold(self):
        self.buyer.profile_id = self.env["credit.insurance.profile"].create(
            {
                "name": "Small ones pass",
                "order_threshold": 100,
                "day_threshold": 150,
                "currency_id": self.company_currency.id,
            }
        )
        self._make_confirmed_order(1000)
        order = self._make_confirmed_order(100)
        self._commit()
        self._deliver(order)
        order._action_cancel()
        self._commit()
        self.assertEqual(self._make_confirmed_order(100).state, "draft")


@tagged("post_install", "-at_install")
class TestOddSettings(AttackCase):
    def test_settings_of_the_company_are_not_negative(self):
        for name in ("credit_max_overdue_amount", "credit_delivery_grace_days", "credit_default_limit"):
            with self.subTest(name), mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
                self.company[name] = -1
                self.env.flush_all()

    def test_company_does_not_take_the_profile_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        profile = self.env["credit.insurance.profile"].create(
            {"name": "Theirs", "company_id": other.id, "currency_id": self.company_currency.id}
        )
        with self.assertRaises(ValidationError):
            self.company.credit_profile_id = profile

    def test_profile_in_use_is_not_archived(self):
        profile = self.env["credit.insurance.profile"].create({"name": "P", "currency_id": self.company_currency.id})
        self._make_buyer(limit=1).profile_id = profile
        with self.assertRaises(ValidationError):
            profile.active = False

    def test_buyer_does_not_join_an_archived_group(self):
        values = {"name": "Old", "currency_id": self.company_currency.id, "active": False}
        group = self.env["credit.insurance.group"].create(values)
        with self.assertRaises(ValidationError):
            self._make_buyer(limit=1).group_id = group

    def test_members_debt_without_a_rate_is_not_counted_one_to_one(self):
        """100,000 in a member's company whose currency has no rate."""
        yen = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "JPY")])
        yen.active = True
        yen.rate_ids.unlink()
        other = self._create_company(name="Other books", currency_id=yen.id)
        yen.rate_ids.unlink()
        group = self.env["credit.insurance.group"].create({"name": "Both", "currency_id": self.company_currency.id})
        self.env["credit.insurance.own.limit"].create(
            {"group_id": group.id, "amount": 10_000, "currency_id": self.company_currency.id, "date_from": self.today}
        )
        self._make_buyer(limit=10_000, group_id=group.id)
        self._make_buyer(company=other, group_id=group.id)
        move = (
            self.env["account.move"]
            .with_company(other)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partner.id,
                    "invoice_date": self.today,
                    "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100, "tax_ids": []})],
                }
            )
        )
        move.action_post()
        order = self._make_order(100)
        order.action_confirm()
        self.assertEqual(order.state, "draft")
        self.assertIn("no exchange rate", order.credit_hold_id.reasons_text)

    def test_day_of_delivery_is_the_companys(self):
        self.company.resource_calendar_id.tz = "Asia/Tokyo"
        order = self._make_order(100, commitment_date=f"{self.today} 20:00:00")
        self.assertEqual(order._credit_delivery_date(), self.today + timedelta(days=1))
