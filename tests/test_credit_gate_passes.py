"""A pass is used once, and growth is decided again."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from .gate_attack_case import AttackCase


@tagged("post_install", "-at_install")
class TestPassIsUsedOnce(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def test_paid_order_does_not_lend_its_pass_to_new_goods(self):
        order = self._make_confirmed_order(1000, product=self.service)
        self._commit()
        self._pay(self._invoice(order))
        self._make_confirmed_order(1000)
        self.assertEqual(self._exposure()["total"], 1000, "the limit is used up")
        vals = {
            "order_line": [
                Command.update(order.order_line.id, {"price_unit": 0}),
                Command.create({"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": 100, "tax_ids": []}),
            ]
        }
        refused = self._refused(lambda: order.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_cancelled_delivery_gives_its_pass_back(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        order.picking_ids.with_user(self.rep).action_cancel()
        self._commit()
        self.assertEqual(self._exposure()["total"], 0)
        self._make_confirmed_order(1000)
        self._commit()
        vals = {"product_uom_qty": 11, "price_unit": 90}
        refused = self._refused(lambda: order.order_line.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_invoiced_order_is_no_blank_cheque(self):
        """Nothing is open, so any price passes as growth; the pass that results then covers new goods."""
        order = self._make_confirmed_order(1000, product=self.service)
        self._commit()
        self._pay(self._invoice(order))
        line = order.order_line.with_user(self.rep)
        if self._refused(lambda: line.write({"price_unit": 100_000})):
            return
        vals = {
            "order_line": [
                Command.update(line.id, {"price_unit": 0}),
                Command.create(
                    {"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": 100_000, "tax_ids": []}
                ),
            ]
        }
        refused = self._refused(lambda: order.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"limit 1,000, exposure now {self._exposure()}")

    def test_order_whose_delivery_was_cancelled_is_no_blank_cheque(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        order.picking_ids.with_user(self.rep).action_cancel()
        line = order.order_line.with_user(self.rep)
        if self._refused(lambda: line.write({"price_unit": 100_000})):
            return
        refused = self._refused(lambda: line.write({"product_uom_qty": 11, "price_unit": 90_000}))
        self.assertTrue(refused, f"limit 1,000, exposure now {self._exposure()}")

    def test_two_confirmations_in_one_transaction_share_the_headroom(self):
        first, second = self._make_order(700), self._make_order(700)
        first.action_confirm()
        second.action_confirm()
        self.assertEqual((first.state, second.state), ("sale", "draft"))

    def test_confirmation_rolled_back_in_the_same_transaction_gives_its_headroom_back(self):
        first, second = self._make_order(700), self._make_order(700)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            first.action_confirm()
            raise ZeroDivisionError
        self.env.invalidate_all()
        second.action_confirm()
        self.assertEqual((first.state, second.state), ("draft", "sale"))

    def test_refused_growth_in_a_savepoint_leaves_the_next_one_watched(self):
        order = self._make_confirmed_order(100)
        self._commit()
        for _number in range(2):
            self.assertTrue(self._refused(lambda: order.order_line.write({"price_unit": 5000})))

    def test_delivered_quantity_written_by_hand_is_growth(self):
        product = self._make_product("Hours", type="service", invoice_policy="delivery")
        order = self._make_confirmed_order(100, product=product, quantity=1)
        self._commit()
        refused = self._refused(lambda: order.order_line.with_user(self.rep).write({"qty_delivered": 100}))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_line_of_nothing_ordered_and_much_delivered_is_growth(self):
        product = self._make_product("Hours", type="service", invoice_policy="delivery")
        order = self._make_confirmed_order(100)
        self._commit()
        vals = {
            "order_line": [
                Command.create(
                    {
                        "product_id": product.id,
                        "product_uom_qty": 0,
                        "qty_delivered": 5,
                        "price_unit": 9000,
                        "tax_ids": [],
                    }
                )
            ]
        }
        refused = self._refused(lambda: order.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_reopened_line_closed_by_the_officer_is_decided_again(self):
        order = self._make_confirmed_order(1000, product=self.service)
        self._commit()
        order.order_line.credit_insurance_closed = True
        self._make_confirmed_order(1000)
        self._commit()
        refused = self._refused(lambda: order.order_line.write({"credit_insurance_closed": False}))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_line_moved_to_a_confirmed_order_is_growth(self):
        order, draft = self._make_confirmed_order(100), self._make_order(5000)
        self._commit()
        line = draft.order_line.with_user(self.rep)
        self.assertTrue(self._refused(lambda: line.write({"order_id": order.id})))

    def test_lines_created_over_another_model_are_growth(self):
        order = self._make_confirmed_order(100)
        self._commit()
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        vals = {
            "sale_order_ids": [
                Command.update(order.id, {"order_line": [Command.update(order.order_line.id, {"price_unit": 5000})]})
            ]
        }
        self.assertTrue(self._refused(lambda: self.partner.with_user(self.rep).write(vals)))

    def test_state_written_over_another_model_is_refused(self):
        order = self._make_order(5000)
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        vals = {"sale_order_ids": [Command.update(order.id, {"state": "sale"})]}
        self.assertTrue(self._refused(lambda: self.partner.with_user(self.rep).write(vals)))

    def test_tax_added_to_a_confirmed_order_is_growth(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        tax = self.company_data["default_tax_sale"]
        self.assertTrue(self._refused(lambda: order.order_line.with_user(self.rep).write({"tax_ids": tax.ids})))

    def test_negative_discount_wizard_is_growth(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        self.assertTrue(self._refused(lambda: order.order_line.with_user(self.rep).write({"discount": -50})))

    def test_currency_of_a_confirmed_order_is_growth(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        strong = self.setup_other_currency("EUR", rates=[("2016-01-01", 0.1)])
        self.assertTrue(self._refused(lambda: order.with_user(self.rep).write({"currency_id": strong.id})))

    def test_unlocking_and_growing_is_growth(self):
        order = self._make_confirmed_order(1000)
        order.action_lock()
        self._commit()

        def edit():
            order.with_user(self.rep).action_unlock()
            order.order_line.with_user(self.rep).write({"price_unit": 500})

        self.assertTrue(self._refused(edit))

    def test_deleting_a_discount_line_is_growth(self):
        order = self._make_order(1500)
        discount = self.env["sale.order.line"].create(
            {"order_id": order.id, "product_id": self.service.id, "price_unit": -500, "tax_ids": []}
        )
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self._commit()
        refused = self._refused(lambda: discount.with_user(self.rep).write({"price_unit": 0}))
        self.assertTrue(refused)

    def test_contact_taken_out_of_its_company_does_not_free_headroom(self):
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        self._make_confirmed_order(1000, partner_invoice_id=self.contact.id)
        self._commit()
        order = self._make_order(1000)
        if not self._refused(lambda: self.contact.with_user(self.rep).write({"parent_id": False})):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft", "both are owed by the same company")

    def test_delivered_goods_of_an_order_set_back_stay_exposure(self):
        for state in ("draft", "sent", "cancel", False):
            with self.subTest(state=state):
                partner = self.env["res.partner"].create({"name": f"Beta {state}", "is_company": True})
                self._make_buyer(limit=1000, partner=partner)
                order = self._make_confirmed_order(1000, partner=partner)
                self._commit()
                self._deliver(order)
                self._refused(lambda o=order, s=state: o.with_user(self.rep).write({"state": s}))
                self.assertEqual(self._exposure(partner)["total"], 1000)

    def test_expense_invoiced_again_by_core_is_accepted(self):
        """domain.md §6: refuse growth only by people's edits."""
        order = self._make_confirmed_order(1000)
        self._commit()
        product = self._make_product("Taxi", type="service", expense_policy="sales_price", invoice_policy="order")
        bill = self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.partner.id,
                "invoice_date": self.today,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "quantity": 1,
                            "price_unit": 50,
                            "tax_ids": [],
                            "analytic_distribution": {
                                str(
                                    self.env["account.analytic.account"]
                                    .create(
                                        {
                                            "name": "A",
                                            "plan_id": self.env["account.analytic.plan"].create({"name": "P"}).id,
                                        }
                                    )
                                    .id
                                ): 100
                            },
                        }
                    )
                ],
            }
        )
        with patch.object(
            type(self.env["account.move.line"]),
            "_sale_determine_order",
            lambda lines: {line.id: order for line in lines},
        ):
            self.assertFalse(self._refused(bill.action_post), "the vendor's bill must be posted")


@tagged("post_install", "-at_install")
class TestDeliveryDate(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cover_end = cls.today + timedelta(days=30)
        cls.policy, cls.buyer = cls._make_policy(), cls._make_buyer()
        cls._make_cover(cls.policy, cls.buyer, 1000, effective_to=cls.cover_end)

    def _date(self, days):
        """So many days after the cover's last one."""
        return f"{self.cover_end + timedelta(days=days)} 12:00:00"

    def _confirm(self, **values):
        order = self._make_confirmed_order(500, **values)
        self._commit()
        self.assertEqual(order.state, "sale")
        return order

    def _is_refused(self, order, days):
        return self._refused(lambda: order.with_user(self.rep).write({"commitment_date": self._date(days)}))

    def test_delivery_is_not_moved_past_the_end_of_the_cover(self):
        for values in ({}, {"commitment_date": self._date(-10)}):
            order = self._confirm(**values)
            self.assertTrue(self._is_refused(order, 1))
            self.assertFalse(self._is_refused(order, 0), "the last day is covered")

    def test_lead_time_beyond_the_end_of_the_cover_holds(self):
        """Nobody promised a day: the goods leave when their lead time is over."""
        self.goods.sale_delay = 31
        order = self._make_confirmed_order(500)
        self.assertEqual(order.state, "draft")
        reasons = order.sudo().credit_hold_ids.decision_id.reasons
        self.assertEqual([reason["code"] for reason in reasons], ["cover_ends_before_delivery"])
        order.order_line.customer_lead = 30
        order.action_confirm()
        self.assertEqual(order.state, "sale", "the last day is covered")

    def test_line_that_takes_longest_counts(self):
        order = self._make_order(400)
        order.order_line.copy({"order_id": order.id, "customer_lead": 31})
        order.action_confirm()
        self.assertEqual(order.state, "draft")
        order.commitment_date = self._date(0)
        order.action_confirm()
        self.assertEqual(order.state, "sale", "a promised day is the day")

    def test_growth_by_a_line_with_a_long_lead_time_is_refused(self):
        order = self._confirm()
        line = {"product_id": self.goods.id, "price_unit": 10, "tax_ids": [], "customer_lead": 31}
        self.assertTrue(self._refused(lambda: order.write({"order_line": [Command.create(line)]})))
        line["customer_lead"] = 30
        self.assertFalse(self._refused(lambda: order.write({"order_line": [Command.create(line)]})))

    def test_released_order_leaves_after_its_lead_time(self):
        order = self._make_order(500)
        order.order_line.customer_lead = 40
        order.action_confirm()
        self.assertEqual(order.sudo().credit_hold_ids.delivery_date, self.cover_end + timedelta(days=10))
        self._release(order.sudo().credit_hold_ids, self._second_manager(), amount=500)
        self.assertEqual(order.state, "sale")
        self.assertFalse(self._is_refused(order, 10))
        self.assertTrue(self._is_refused(order, 11))

    def test_delivery_moves_as_far_as_a_new_cover_reaches(self):
        order = self._confirm()
        self._make_cover(self.policy, self.buyer, 1000, effective_to=self.cover_end + timedelta(days=5))
        self.assertTrue(self._is_refused(order, 6))
        self.assertFalse(self._is_refused(order, 5))

    def test_delivery_of_who_is_not_insured_moves_freely(self):
        self.partner = self.env["res.partner"].create({"name": "Own Risk", "is_company": True})
        buyer = self._make_buyer(limit=1000)
        order = self._confirm(partner=self.partner)
        buyer.write({"status": "blocked", "status_reason": "Insolvency"})
        self.assertFalse(self._is_refused(order, 400), "a later delivery asks for no more credit")
