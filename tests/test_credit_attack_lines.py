"""Lines of unusual kinds, and what happens to them after the confirmation."""

from odoo import Command
from odoo.tests import tagged

from .gate_attack_case import AttackCase


@tagged("post_install", "-at_install")
class TestLines(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def _line(self, price, quantity=1, product=None, **values):
        return Command.create(
            {
                "product_id": (product or self.goods).id,
                "product_uom_qty": quantity,
                "price_unit": price,
                "tax_ids": [Command.clear()],
                **values,
            }
        )

    def _confirm(self, *lines):
        order = self._make_order(order_line=list(lines))
        order.action_confirm()
        self._commit()
        return order

    def test_line_of_nothing_is_growth_when_it_is_raised(self):
        order = self._confirm(self._line(100, 5), self._line(1000, 0))
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 500))
        # Odoo prices it anew: 100 a piece.
        self.assertTrue(self._refused(lambda: order.order_line[1].write({"product_uom_qty": 6})))
        self.assertFalse(self._refused(lambda: order.order_line[1].write({"product_uom_qty": 5})))

    def test_negative_line_is_no_room_for_what_was_invoiced_without_it(self):
        order = self._confirm(self._line(2000), self._line(-1500, product=self.service))
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 500))
        invoice = order._create_invoices()
        invoice.invoice_line_ids.filtered(lambda line: line.price_total < 0).unlink()
        invoice.action_post()
        self._commit()
        # The discount is still owed to the customer, but nothing of it is booked.
        self.assertEqual(self._exposure()["total"], 2000)
        self.assertEqual(self._make_confirmed_order(10).state, "draft")

    def test_negative_line_taken_away_is_growth(self):
        order = self._confirm(self._line(2000), self._line(-1500, product=self.service))
        negative = order.order_line[1]
        for edit in ({"price_unit": -100}, {"product_uom_qty": 0}, {"discount": 100}, {"product_uom_qty": -1}):
            with self.subTest(edit):
                self.assertTrue(self._refused(lambda edit=edit: negative.write(edit)))

    def test_negative_line_that_becomes_a_note_is_growth(self):
        order = self._confirm(self._line(2000), self._line(-1500, product=self.service))
        vals = {"display_type": "line_note", "product_id": False, "product_uom_qty": 0, "price_unit": 0}
        self.assertTrue(self._refused(lambda: order.order_line[1].write(vals)))

    def test_sections_and_notes_carry_nothing(self):
        section = Command.create({"display_type": "line_section", "name": "Goods"})
        note = Command.create({"display_type": "line_note", "name": "Thank you"})
        order = self._confirm(section, self._line(500), note)
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 500))
        self._invoice(order)
        self.assertEqual(self._exposure()["total"], 500)

    def test_larger_unit_is_growth(self):
        self.rep.group_ids |= self.env.ref("uom.group_uom")
        order = self._confirm(self._line(50, 10))
        dozen = self.env.ref("uom.product_uom_dozen")
        line = order.order_line
        self._assert_refused_or_nothing_gained(lambda: line.write({"product_uom_id": dozen.id}), 500)
        self._assert_refused_or_nothing_gained(lambda: line.write({"product_uom_id": dozen.id, "price_unit": 600}), 500)

    def test_taxes_of_another_fiscal_position_are_growth(self):
        tax = self.env["account.tax"].create({"name": "100 %", "amount": 100, "amount_type": "percent"})
        order = self._confirm(self._line(90, 10))
        self.goods.taxes_id = tax
        order = order.with_user(self.rep)
        self.assertTrue(self._refused(lambda: order.action_update_taxes()))
        self.assertEqual(order.amount_total, 900)

    def test_prices_of_another_pricelist_are_growth(self):
        order = self._confirm(self._line(50, 10))
        self.goods.list_price = 200
        self._assert_refused_or_nothing_gained(lambda: order.with_user(self.rep).action_update_prices(), 500)

    def test_combo_counts_once(self):
        parts = self._make_product("Part", type="consu"), self._make_product("Fitting", type="service")
        combos = self.env["product.combo"].create(
            [{"name": part.name, "combo_item_ids": [Command.create({"product_id": part.id})]} for part in parts]
        )
        product = self._make_product("Set", type="combo", list_price=300, combo_ids=[Command.set(combos.ids)])
        order = self._make_order(order_line=[self._line(0, product=product)])
        head = order.order_line
        order.order_line = [
            self._line(price, product=part, linked_line_id=head.id, combo_item_id=combo.combo_item_ids.id)
            for part, combo, price in zip(parts, combos, (200, 100), strict=True)
        ]
        order.action_confirm()
        self._commit()
        total = order.amount_total
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", total))
        self._deliver(order)
        self._commit()
        self.assertEqual(self._exposure()["total"], total)
        self._invoice(order)
        self._commit()
        self.assertLessEqual(self._exposure()["total"], total)

    def test_combo_with_a_service_does_not_wait_for_the_money(self):
        fitting = self._make_product("Fitting", type="service")
        combo = self.env["product.combo"].create(
            {"name": "Fitting", "combo_item_ids": [Command.create({"product_id": fitting.id})]}
        )
        product = self._make_product("Set", type="combo", list_price=300, combo_ids=[Command.set(combo.ids)])
        order = self._make_order(order_line=[self._line(0, product=product), self._line(10)])
        order.order_line = [
            self._line(
                300, product=fitting, linked_line_id=order.order_line[0].id, combo_item_id=combo.combo_item_ids.id
            )
        ]
        self.assertFalse(order._credit_delivery_waits())

    def test_order_of_less_than_nothing_lends_nothing_to_another_one(self):
        negative = self._confirm(self._line(-5000, product=self.service))
        self.assertEqual((negative.state, self._exposure()["total"]), ("sale", 0))
        self.assertEqual(self._make_confirmed_order(1001).state, "draft")

    def test_price_raised_after_the_invoice_is_no_pass_for_more(self):
        order = self._confirm(self._line(50, 10))
        invoice = self._invoice(order)
        self._commit()
        self.assertFalse(self._refused(lambda: order.order_line.write({"price_unit": 500})), "all of it is invoiced")
        self.assertEqual(self._exposure()["total"], 500)
        invoice.button_draft()
        invoice.button_cancel()
        self._commit()
        self.assertEqual(self._exposure()["total"], 5000)
        self.assertTrue(order.picking_ids.credit_held)

    def test_quantity_raised_in_parts_after_invoices_is_growth(self):
        order = self._confirm(self._line(100, 9))
        invoice = self._invoice(order)
        self._commit()
        self.assertTrue(self._refused(lambda: order.order_line.write({"product_uom_qty": 11})))
        self._pay(invoice)
        self._commit()
        self.assertFalse(self._refused(lambda: order.order_line.write({"product_uom_qty": 19})))
        self.assertTrue(self._refused(lambda: order.order_line.write({"product_uom_qty": 20})))

    # === AFTER THE CONFIRMATION === #

    def _down_payment(self, order, amount):
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "fixed", "fixed_amount": amount})._create_invoices(order)
        return invoice

    def test_down_payment_that_is_made_and_deleted_counts_once(self):
        order = self._make_confirmed_order(1000)
        dp = self._down_payment(order, 300)
        dp.action_post()
        self._commit()
        self.assertEqual(self._exposure()["total"], 1000)
        dp.button_draft()
        self._commit()
        self.assertEqual(self._exposure()["total"], 1000)
        dp.unlink()
        self._commit()
        self.assertEqual(self._exposure()["total"], 1000)
        dp2 = self._down_payment(order, 400)
        dp2.action_post()
        self._pay(dp2)
        self._commit()
        self.assertEqual(self._exposure()["total"], 600)
        final = order._create_invoices(final=True)
        final.action_post()
        self._commit()
        self.assertEqual(self._exposure()["total"], 600)
        final.button_draft()
        self._commit()
        self.assertEqual(self._exposure()["total"], 600)
        final.unlink()
        self._commit()
        self.assertEqual(self._exposure()["total"], 600)

    def test_order_paid_by_down_payments_owes_nothing_and_lends_nothing(self):
        order = self._make_confirmed_order(1000)
        for amount in (600, 400):
            dp = self._down_payment(order, amount)
            dp.action_post()
            self._pay(dp)
        self._commit()
        self.assertEqual(self._exposure()["total"], 0)
        final = order._create_invoices(final=True)
        final.action_post()
        self._commit()
        self.assertEqual(self._exposure()["total"], 0)
        self.assertTrue(self._refused(lambda: order.write({"order_line": [self._line(1001)]})))

    def test_credited_down_payment_is_a_credit_and_its_order_owed_again(self):
        order = self._make_confirmed_order(1000)
        dp = self._down_payment(order, 300)
        dp.action_post()
        self._pay(dp)
        self._commit()
        wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=dp.ids)
        refund = self.env["account.move"].browse(
            wizard.create({"journal_id": dp.journal_id.id}).reverse_moves()["res_id"]
        )
        refund.action_post()
        self._commit()
        self.assertEqual(self._exposure()["total"], 700)

    def test_price_lowered_after_the_delivery_is_growth_when_it_is_raised_again(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        self._commit()
        self._deliver(order)
        self._commit()
        self.assertFalse(self._refused(lambda: order.order_line.write({"price_unit": 1})))
        self.assertEqual(self._exposure()["total"], 10)
        self.assertEqual(self._make_confirmed_order(900).state, "sale")
        self._commit()
        self.assertTrue(self._refused(lambda: order.order_line.write({"price_unit": 100})))

    def test_discount_taken_back_is_growth(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        self.assertFalse(self._refused(lambda: order.order_line.write({"discount": 100})))
        self.assertEqual(self._exposure()["total"], 0)
        self.assertEqual(self._make_confirmed_order(900).state, "sale")
        self._commit()
        self.assertTrue(self._refused(lambda: order.order_line.write({"discount": 0})))

    def test_locked_order_does_not_grow(self):
        order = self._make_confirmed_order(1000)
        order.action_lock()
        self._commit()
        self._assert_refused_or_nothing_gained(
            lambda: order.with_user(self.rep).order_line.write({"price_unit": 101}), 1000
        )
        self._assert_refused_or_nothing_gained(
            lambda: order.with_user(self.rep).write({"locked": False, "order_line": [self._line(50)]}), 1000
        )

    def test_archived_currency_and_pricelist_count_as_before(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create({"name": "EUR", "currency_id": foreign.id})
        order = self._make_order(1000)
        order.pricelist_id = pricelist
        order.order_line.price_unit = 100
        order.action_confirm()
        self._commit()
        self.assertEqual((order.currency_id, self._exposure()["total"]), (foreign, 500))
        pricelist.active = False
        foreign.active = False
        self._commit()
        self.assertEqual(self._exposure()["total"], 500)
        held = self._make_confirmed_order(501)
        self.assertEqual((held.state, held.credit_hold_id.shortfall), ("draft", 1))

    def test_order_that_moves_between_branches_counts_once(self):
        company = self.company
        a, b = self.env["res.company"].create(
            [{"name": "A", "parent_id": company.id}, {"name": "B", "parent_id": company.id}]
        )
        self.env.user.company_ids |= a | b
        order = self._make_order(600)
        order.company_id = a
        order.action_confirm()
        self._commit()
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 600))
        self._refused(lambda: order.write({"company_id": b.id}))
        self.assertEqual(self._exposure()["total"], 600)
