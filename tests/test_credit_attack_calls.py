"""What a client can send besides the button: nested commands, copies, imports, onchanges, many orders in one call."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .gate_attack_case import AttackCase

LINE = {"product_uom_qty": 10, "tax_ids": [Command.clear()]}


@tagged("post_install", "-at_install")
class TestCalls(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)
        cls.rep.group_ids |= cls.env.ref("base.group_partner_manager")

    def _vals(self, amount=2000, **values):
        line = {**LINE, "product_id": self.goods.id, "price_unit": amount / 10}
        return {"partner_id": self.partner.id, "order_line": [Command.create(line)], **values}

    def test_order_nested_in_its_customer_is_refused(self):
        partner = self.partner.with_user(self.rep)
        command = Command.create(self._vals(state="sale"))
        self.assertTrue(self._refused(lambda: partner.write({"sale_order_ids": [command]})))
        self.assertEqual(self._exposure()["total"], 0)

    def test_saved_form_with_a_state_is_refused(self):
        orders = self.env["sale.order"].with_user(self.rep)
        self.assertTrue(self._refused(lambda: orders.web_save(self._vals(state="sale"), {"state": {}})))
        order = self._make_order(2000).with_user(self.rep)
        self.assertTrue(self._refused(lambda: order.web_save({"state": "sale"}, {"state": {}})))

    def test_default_state_is_refused(self):
        orders = self.env["sale.order"].with_user(self.rep).with_context(default_state="sale")
        self.assertTrue(self._refused(lambda: orders.create(self._vals())))
        self.assertTrue(self._refused(lambda: orders.web_save(self._vals(), {})))
        self.assertTrue(self._refused(lambda: self._make_order(2000).with_user(self.rep).with_env(orders.env).copy()))

    def test_copy_with_a_state_is_refused_and_takes_no_pass_along(self):
        order = self._make_confirmed_order(900)
        copy = order.with_user(self.rep).copy()
        self.assertEqual((copy.state, copy.credit_state), ("draft", False))
        self.assertFalse(copy.sudo().credit_pass_ids or copy.sudo().credit_hold_ids)
        self.assertTrue(self._refused(lambda: order.with_user(self.rep).copy({"state": "sale"})))
        passes = [Command.set(order.sudo().credit_pass_ids.ids)]
        for user in (self.rep, self.administrator, self.env.user):
            with self.subTest(user.login):
                self._refused(lambda user=user: order.with_user(user).copy({"credit_pass_ids": passes}))
                self.assertEqual(order.sudo().credit_pass_ids.order_id, order)

    def test_import_sets_neither_state_nor_hold_nor_pass(self):
        order = self._make_order(2000)
        order.action_confirm()
        self.assertEqual(order.credit_state, "held")
        orders = self.env["sale.order"].with_user(self.rep)
        for field, value in (
            ("state", "sale"),
            ("credit_state", "passed"),
            ("credit_hold_ids/state", "released"),
            ("credit_pass_ids/amount", "5000"),
            ("order_line/state", "sale"),
        ):
            with self.subTest(field), self.env.cr.savepoint() as savepoint:
                try:
                    orders.load([".id", field], [[str(order.id), value]])
                    self._commit()
                except (UserError, AccessError):
                    savepoint.rollback()
                self.env.invalidate_all()
                self.assertEqual((order.state, order.credit_state), ("draft", "held"))
                self.assertFalse(order.sudo().credit_pass_ids)
                self.assertEqual(order.sudo().credit_hold_ids.mapped("state"), ["open"])

    def test_onchange_writes_nothing(self):
        order = self._make_confirmed_order(900)
        self._commit()
        spec = {"order_line": {"fields": {"price_unit": {}}}, "amount_total": {}, "state": {}}
        changes = {"order_line": [Command.update(order.order_line.id, {"price_unit": 9000})], "state": "sale"}
        order.with_user(self.rep).onchange(changes, ["order_line"], spec)
        self.assertFalse(self._refused(lambda: None))
        self.assertEqual(self._exposure()["total"], 900)
        self.env["sale.order"].with_user(self.rep).onchange(self._vals(state="sale"), ["order_line"], spec)
        self._commit()
        self.assertEqual(self._exposure()["total"], 900)

    def test_saved_lines_of_a_confirmed_order_are_growth(self):
        order = self._make_confirmed_order(900)
        self._commit()
        orders = order.with_user(self.rep)
        line = Command.create({**LINE, "product_id": self.goods.id, "price_unit": 20})
        self.assertTrue(self._refused(lambda: orders.web_save({"order_line": [line]}, {})))
        update = Command.update(order.order_line.id, {"price_unit": 101})
        self.assertTrue(self._refused(lambda: orders.web_save({"order_line": [update]}, {})))
        self.assertEqual(self._exposure()["total"], 900)

    def test_rest_of_a_split_quotation_is_not_made_or_unmade_by_hand(self):
        """Parts count together below the four-eyes amount, and whoever made the whole made its parts."""
        order, other = self._make_order(2000), self._make_order(500)
        rest = order._credit_split(900)
        self.assertEqual(rest.credit_split_from_id, order)
        for user in (self.rep, self.manager, self.env.user):
            for part, value in ((rest, False), (other, order.id), (other, other.id)):
                with self.subTest(user=user.login, value=value):
                    orders, edit = part.with_user(user), {"credit_split_from_id": value}
                    self.assertTrue(self._refused(lambda orders=orders, edit=edit: orders.write(edit)))
            orders = self.env["sale.order"].with_user(user)
            made = orders.with_context(default_credit_split_from_id=order.id).create(self._vals(10))
            made |= orders.create(self._vals(10, credit_split_from_id=order.id))
            made |= other.with_user(user).copy({"credit_split_from_id": order.id})
            self.assertFalse(made.credit_split_from_id)

    # === MANY ORDERS IN ONE CALL === #

    def test_answer_names_each_order_of_the_call(self):
        good, bad = self._make_order(800), self._make_order(300)
        answer = (good | bad).with_user(self.rep).action_confirm()
        self.assertEqual(answer["params"]["credit_insurance"], {"confirmed": good.ids, "held": bad.ids})

    def test_call_with_confirmed_cancelled_or_locked_orders_gets_odoos_error_and_changes_nothing(self):
        draft = self._make_order(300)
        for other in ("confirmed", "cancelled", "locked"):
            order = self._make_confirmed_order(10)
            if other == "cancelled":
                order._action_cancel()
            if other == "locked":
                order.action_lock()
            self._commit()
            with self.subTest(other):
                self.assertTrue(self._refused(lambda order=order: (draft | order).with_user(self.rep).action_confirm()))
                self.assertEqual((draft.state, draft.credit_state), ("draft", False))

    def test_call_with_an_order_of_another_company_or_of_nobody_changes_nothing(self):
        draft = self._make_order(300)
        company = self.env["res.company"].create({"name": "Second company"})
        foreign = self.env["sale.order"].create({"partner_id": self.partner.id, "company_id": company.id})
        deleted = self._make_order(10)
        deleted.unlink()
        for other in (foreign, deleted):
            with self.subTest(other):
                try:
                    with self.env.cr.savepoint():
                        (draft | other).with_user(self.rep).action_confirm()
                    self.fail("it was confirmed")
                except (UserError, AccessError):
                    self.env.invalidate_all()
                self.assertEqual((draft.state, draft.credit_state), ("draft", False))

    def test_same_order_twice_in_a_call_is_decided_once(self):
        order = self._make_order(600)
        twice = self.env["sale.order"].browse(order.ids * 2).with_user(self.rep)
        twice.action_confirm()
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 600))
        held = self._make_order(600)
        self.env["sale.order"].browse(held.ids * 2).with_user(self.rep).action_confirm()
        self.assertEqual(len(held.sudo().credit_hold_ids), 1)

    def test_order_that_another_module_asks_about_first_is_not_said_to_be_confirmed(self):
        asked, held = self._make_order(900), self._make_order(2000)
        for method in ("action_confirm", "action_credit_confirm_all"):
            with self.subTest(method), patch.object(type(asked), "_credit_confirm_in_odoo", lambda _orders: {}):
                answer = getattr((asked | held).with_user(self.rep), method)()
                self.assertEqual(answer["params"]["credit_insurance"], {"confirmed": [], "held": held.ids})
                self.assertFalse(asked.sudo().credit_pass_ids.filtered("live"))

    def test_call_without_orders_does_nothing(self):
        self.assertTrue(self.env["sale.order"].with_user(self.rep).action_confirm())
        self.env["sale.order"].with_user(self.rep).action_credit_confirm_all()

    def test_who_may_not_write_is_turned_away_before_any_figure_is_told(self):
        self.company.credit_check_invoice = "hold"
        self._make_confirmed_order(900)
        invoice, buyer = self._make_invoice(600, post=False), self._make_buyer()
        customer = new_test_user(self.env, login="credit_customer", groups="base.group_portal")
        clerk = self._make_user("credit_clerk", "base.group_user")
        for user in (customer, clerk):
            for record, vals in (
                (self.partner, {"active": False}),
                (self.partner, {"country_id": self.env.ref("base.fr").id}),
                (buyer, {"active": False}),
                (invoice, {"state": "posted"}),
            ):
                with self.subTest(user=user.login, model=record._name, vals=vals), self.assertRaises(AccessError):
                    record.with_user(user).write(vals)
