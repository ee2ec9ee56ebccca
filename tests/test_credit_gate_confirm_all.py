"""Quotations confirmed together from the list: what one of them lacks stops none of the others."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import tagged

from .test_credit_query_counts import QueryCountCase


@tagged("post_install", "-at_install")
class TestConfirmAll(QueryCountCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def _make_incomplete(self):
        """A quotation that Odoo refuses to confirm."""
        line = Command.create({"name": "No product", "product_uom_qty": 1, "price_unit": 900, "tax_ids": []})
        return self._make_order(100, order_line=[line])

    def _confirm_all(self, orders, user=None):
        action = orders.with_user(user or self.rep).action_credit_confirm_all()
        self.env.cr.flush()
        return action["params"]

    def test_good_ones_are_confirmed_bad_ones_are_held_and_failing_ones_are_told(self):
        incomplete, good, bad = self._make_incomplete(), self._make_order(1000), self._make_order(500)
        told = self._confirm_all(incomplete | good | bad)
        self.assertEqual((incomplete | good | bad).mapped("state"), ["draft", "sale", "draft"])
        self.assertEqual(bad.credit_state, "held")
        self.assertFalse(incomplete.credit_state, "it took no headroom and waits for no credit")
        ids = {"confirmed": good.ids, "held": bad.ids, "failed": incomplete.ids}
        self.assertEqual(told["credit_insurance"], ids)
        self.assertIn("missing a product", told["message"])
        self.assertEqual(told["title"], "1 held, 1 confirmed, 1 not confirmed")

    def test_order_whose_error_offers_a_way_out_stops_none_of_the_others(self):
        broken, good = self._make_order(100), self._make_order(200)
        confirm = type(broken)._action_confirm

        def fail(orders):
            if broken in orders:
                raise RedirectWarning("Set an account first.", 17, "Go there")  # pylint: disable=translation-required
            return confirm(orders)

        with patch.object(type(broken), "_action_confirm", fail):
            told = self._confirm_all(broken | good)
        self.assertEqual((broken.state, good.state), ("draft", "sale"))
        self.assertIn(f"{broken.name} cannot be confirmed: Set an account first.", told["message"].splitlines())

    def test_orders_that_fail_for_the_same_reason_share_a_line(self):
        orders = self._make_incomplete() | self._make_order(100) | self._make_incomplete()
        first, good, second = orders
        message = self._confirm_all(orders)["message"]
        self.assertEqual(message.count("missing a product"), 1)
        self.assertIn(f"These cannot be confirmed: {first.name}, {second.name}.", message)
        alone = self._make_incomplete()
        self.assertIn(f"{alone.name} cannot be confirmed:", self._confirm_all(good | alone)["message"])
        many = self.env["sale.order"].union(*(self._make_incomplete() for _order in range(7)))
        self.assertIn("And 2 more cannot be confirmed.", self._confirm_all(many)["message"])

    def test_order_that_fails_on_the_way_leaves_nothing_behind(self):
        good, failing = self._make_order(400), self._make_order(400)
        model = type(failing)
        confirm = model._action_confirm

        def confirm_but_one(orders):
            result = confirm(orders)
            if failing in orders:
                raise UserError(orders.env._("Something is missing"))
            return result

        with patch.object(model, "_action_confirm", confirm_but_one):
            told = self._confirm_all(good | failing)
        self.assertEqual((good | failing).mapped("state"), ["sale", "draft"])
        self.assertEqual(told["credit_insurance"], {"confirmed": good.ids, "held": [], "failed": failing.ids})
        self.assertFalse(failing.sudo().credit_pass_ids.filtered("live"))
        self.assertTrue(good.picking_ids)
        self.assertFalse(failing.picking_ids)
        self.assertEqual(self._exposure()["total"], 400)

    def test_program_that_confirms_several_orders_gets_odoos_error(self):
        orders = self._make_incomplete() | self._make_order(100)
        with self.assertRaises(UserError):
            orders.with_user(self.rep).action_confirm()

    def test_confirmed_and_cancelled_orders_among_them_are_told(self):
        confirmed, cancelled, good = self._make_confirmed_order(100), self._make_order(100), self._make_order(100)
        cancelled._action_cancel()
        told = self._confirm_all(confirmed | cancelled | good)
        self.assertEqual((confirmed | cancelled | good).mapped("state"), ["sale", "cancel", "sale"])
        self.assertEqual(told["credit_insurance"]["failed"], (confirmed | cancelled).ids)

    def test_all_good_is_told_as_a_success(self):
        told = self._confirm_all(self._make_order(100) | self._make_order(100))
        self.assertEqual((told["type"], told["title"]), ("success", "0 held, 2 confirmed"))

    def test_who_may_not_write_the_orders_confirms_none(self):
        order = self._make_order(100)
        with self.assertRaises(AccessError):
            order.with_user(self.administrator).action_credit_confirm_all()
        self.assertFalse(order.credit_hold_ids)

    def test_statements_of_the_gate_do_not_grow_with_the_orders(self):
        counts = []
        self._confirm_all(self._make_quotations(self._make_buyers(1, limit=1000)))
        for number in (1, 20):
            orders = self._make_quotations(self._make_buyers(number, limit=1000))
            with self._recorded() as statements:
                self._confirm_all(orders)
            self.assertEqual(set(orders.mapped("state")), {"sale"})
            counts.append((len(statements.own), statements.side_cursors))
        self.assertEqual(*counts)
