"""Ways around the gate that a hostile user, or an ordinary day, could find: each name states the rule."""

from datetime import timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.sql_db import db_connect
from odoo.tests import tagged

from .gate_attack_case import AttackCase


@tagged("post_install", "-at_install")
class TestForgedFigures(AttackCase):
    """Core's stored figures are computed, and a client can write them all the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def test_written_total_of_a_quotation_does_not_decide(self):
        order = self._make_order(15000)
        if not self._refused(lambda: order.with_user(self.rep).write({"amount_total": 100})):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")

    def test_total_given_on_creation_does_not_decide(self):
        values = {"amount_total": 100, "amount_untaxed": 100}
        order = self._make_order(15000, **values)
        self._commit()
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft", order.amount_total)

    def test_total_given_on_copy_does_not_decide(self):
        order = self._make_order(15000).with_user(self.rep).copy({"amount_total": 100})
        self._commit()
        order.action_confirm()
        self.assertEqual(order.state, "draft", order.amount_total)

    def test_written_total_does_not_hide_growth_in_one_call(self):
        order = self._make_confirmed_order(100)
        self._commit()
        vals = {"amount_total": 100, "order_line": [Command.update(order.order_line.id, {"price_unit": 5000})]}
        self.assertTrue(self._refused(lambda: order.with_user(self.rep).write(vals)), order.amount_total)

    def test_written_line_total_does_not_hide_growth_in_one_call(self):
        order = self._make_confirmed_order(100)
        self._commit()
        vals = {"price_unit": 5000, "price_subtotal": 100, "price_total": 100, "price_tax": 0}
        self.assertTrue(self._refused(lambda: order.order_line.with_user(self.rep).write(vals)), order.amount_total)

    def test_written_line_total_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write({"price_total": 0}), 1000
        )

    def test_written_invoice_status_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.with_user(self.rep).write({"invoice_status": "invoiced"}), 1000
        )

    def test_line_declared_a_down_payment_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write({"is_downpayment": True}), 1000
        )

    def test_line_linked_to_a_foreign_invoice_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        move = self._make_invoice(1, partner=other)
        move.invoice_line_ids.sudo().quantity = 1
        small = self._make_invoice(0.01, partner=other, post=False)
        small.invoice_line_ids.quantity = 10
        small.action_post()
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write(
                {"invoice_lines": [Command.link(small.invoice_line_ids.id)]}
            ),
            1000,
        )

    def test_state_of_the_line_is_not_the_clients(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write({"qty_invoiced": 10, "state": "cancel"}), 1000
        )

    def test_credit_state_is_not_taken_from_the_context(self):
        order = (
            self.env["sale.order"]
            .with_user(self.rep)
            .with_context(default_credit_state="passed")
            .create({"partner_id": self.partner.id})
        )
        self.assertFalse(order.credit_state)

    def test_commercial_partner_is_not_the_clients(self):
        """A stored computed field: writing it moves the whole buyer to one without a limit."""
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        order = self._make_order(15000)
        if not self._refused(lambda: self.partner.with_user(self.rep).write({"commercial_partner_id": other.id})):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")


@tagged("post_install", "-at_install")
class TestBreakIt(AttackCase):
    def test_expired_policy_does_not_open_the_gate(self):
        """The company's default speaks for buyers nobody has looked at, not for those whose cover ended."""
        policy = self._make_policy(date_end=self.today - timedelta(days=1))
        self._make_cover(policy, self._make_buyer(), 1000, effective_from=self.today - timedelta(days=300))
        self.assertEqual(self._make_confirmed_order(500_000).state, "draft")

    def test_archived_policy_does_not_open_the_gate(self):
        policy = self._make_policy()
        self._make_cover(policy, self._make_buyer(), 1000)
        policy.active = False
        self.assertEqual(self._make_confirmed_order(500_000).state, "draft")

    def test_ended_own_limit_does_not_open_the_gate(self):
        buyer = self._make_buyer()
        self.env["credit.insurance.own.limit"].create(
            {
                "buyer_id": buyer.id,
                "amount": 1000,
                "date_from": self.today - timedelta(days=30),
                "date_to": self.today - timedelta(days=1),
            }
        )
        self.assertEqual(self._make_confirmed_order(500_000).state, "draft")

    def test_order_without_lines_and_order_of_less_than_nothing(self):
        self._make_buyer(limit=0)
        empty = self.env["sale.order"].create({"partner_id": self.partner.id})
        negative = self._make_order(-500)
        (empty | negative).action_confirm()
        self.assertEqual((empty | negative).mapped("state"), ["sale", "sale"])

    def test_empty_confirmed_order_does_not_grow(self):
        self._make_buyer(limit=100)
        empty = self.env["sale.order"].create({"partner_id": self.partner.id})
        empty.action_confirm()
        self._commit()
        vals = {"order_line": [Command.create({"product_id": self.goods.id, "price_unit": 500, "tax_ids": []})]}
        self.assertTrue(self._refused(lambda: empty.write(vals)))

    def test_huge_amount_is_held(self):
        self._make_buyer(limit=1000)
        for amount in (1e14, 1e40, 9e99):
            self.assertEqual(self._make_confirmed_order(amount).state, "draft")

    def test_currencies_with_none_and_three_decimals(self):
        for name, digits, rate in (("KWD", 0.001, 0.3), ("JPY", 1.0, 150.0)):
            currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", name)])
            currency.write({"active": True, "rounding": digits})
            currency.rate_ids.unlink()
            self.env["res.currency.rate"].create(
                {"currency_id": currency.id, "name": "2016-01-01", "rate": rate, "company_id": self.company.id}
            )
            partner = self.env["res.partner"].create({"name": name, "is_company": True})
            self._make_buyer(limit=300, partner=partner, currency_id=currency.id)
            order = self._make_order(300 / rate if name == "JPY" else 1000, partner=partner)
            order.action_confirm()
            self.assertEqual(order.state, "sale", name)
            order = self._make_order(1 / rate + 0.01, partner=partner)
            order.action_confirm()
            self.assertEqual(order.state, "draft", name)

    def test_reservation_from_another_servers_history_does_not_close_the_gate(self):
        """A copy restored elsewhere holds transaction ids that have not come yet there; dumps carry the table."""
        self._make_buyer(limit=1000)
        with db_connect(self.env.cr.dbname).cursor() as side:
            side.execute(
                "INSERT INTO credit_insurance_reservation (partner_id, company_id, order_id, currency_id, amount, xid)"
                " VALUES (%s, %s, 0, %s, 900, '900000000000'::xid8)",
                (self.partner.id, self.company.id, self.company_currency.id),
            )
        try:
            order = self._make_order(100)
            with self.env.cr.savepoint():
                order.action_confirm()
            self.assertIn(order.state, ("sale", "draft"))
        finally:
            with db_connect(self.env.cr.dbname).cursor() as side:
                side.execute("DELETE FROM credit_insurance_reservation WHERE xid = '900000000000'::xid8")

    def test_gate_that_waits_too_long_says_so(self):
        self._make_buyer(limit=1000)
        order = self._make_order(100)
        with db_connect(self.env.cr.dbname).cursor() as side:
            side.execute("SELECT pg_advisory_xact_lock(%s, %s)", (0x43524544, self.partner.id))
            with self.assertRaisesRegex(UserError, "try again"):
                order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_order_of_a_branch_uses_the_roots_limit(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self._make_buyer(limit=1000)
        self._make_confirmed_order(800)
        self.assertEqual(self._make_confirmed_order(800, company_id=branch.id).state, "draft")

    def test_system_user_passes_through_the_gate(self):
        self._make_buyer(limit=100)
        order = self._make_order(500)
        order.with_user(self.env.ref("base.user_root")).sudo().action_confirm()
        self.assertEqual(order.state, "draft")

    def test_public_user_who_signed_passes_through_the_gate(self):
        self._make_buyer(limit=100)
        order = self._make_order(500)
        order.with_user(self.env.ref("base.public_user")).sudo()._validate_order()
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))

    def test_buyer_merged_into_one_nobody_looked_at_keeps_its_limit(self):
        twin = self.env["res.partner"].create({"name": "Alpha Trading Limited", "is_company": True})
        self._make_buyer(limit=100)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        if self._refused(lambda: wizard._merge((self.partner | twin).ids, twin)):
            return
        order = self._make_order(500, partner=twin)
        order.action_confirm()
        self.assertEqual(order.state, "draft")
