"""What a buyer's profile lets pass, and that only credit managers write it."""

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .test_credit_gate import GateCase


@tagged("post_install", "-at_install")
class TestProfile(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profile = cls.env["credit.insurance.profile"].create(
            {"name": "Test profile", "currency_id": cls.company_currency.id}
        )
        cls.buyer = cls._make_buyer(limit=1000, profile_id=cls.profile.id)

    def _confirm(self, amount, **values):
        order = self._make_order(amount, **values)
        order.with_user(self.rep).action_confirm()
        return order

    def _basis(self, order):
        return order.sudo().credit_pass_ids.filtered("live").decision_id.basis

    def test_tolerance_lets_an_order_over_the_limit(self):
        self.profile.tolerance_percent = 10
        order = self._confirm(1100)
        self.assertEqual((order.state, self._basis(order)), ("sale", "tolerance"))
        self.assertEqual(self._confirm(1).state, "draft")

    def test_tolerance_in_money_comes_on_top(self):
        self.profile.write({"tolerance_percent": 10, "tolerance": 50})
        self.assertEqual(self._confirm(1150).state, "sale")
        self.assertEqual(self._confirm(0.5).state, "draft")

    def test_tolerance_of_another_currency_is_converted(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self.profile.write({"currency_id": foreign.id, "tolerance": 100})
        self.assertEqual(self._confirm(1050).state, "sale")
        self.assertEqual(self._confirm(1).state, "draft")

    def test_small_order_passes_over_the_limit(self):
        self.profile.order_threshold = 100
        self._confirm(1000)
        order = self._confirm(100)
        self.assertEqual((order.state, self._basis(order)), ("sale", "below_threshold"))
        self.assertEqual(self._confirm(101).state, "draft")

    def test_small_orders_of_a_day_do_not_exceed_the_days_threshold(self):
        self.profile.write({"order_threshold": 100, "day_threshold": 250})
        self._confirm(1000)
        self.assertEqual([self._confirm(100).state for _number in range(3)], ["sale", "sale", "draft"])
        self.assertEqual(self._confirm(50).state, "sale")

    def test_small_orders_confirmed_together_share_the_days_threshold(self):
        self.profile.write({"order_threshold": 100, "day_threshold": 250})
        self._confirm(1000)
        orders = self.env["sale.order"].union(*(self._make_order(100) for _number in range(3)))
        orders.action_confirm()
        self.assertEqual(orders.mapped("state"), ["sale", "sale", "draft"])

    def test_severity_of_a_reason_is_the_profiles(self):
        self.company.credit_max_overdue_days = 1
        self._make_invoice(10, due_in=-10)
        self.assertEqual(self._confirm(100).state, "draft")
        self.profile.line_ids = [Command.create({"reason": "overdue", "severity": "warn"})]
        order = self._confirm(100)
        self.assertEqual(order.state, "sale")
        self.assertIn("overdue", order.credit_pass_ids.decision_id.reasons_text)

    def test_a_status_is_given_with_its_reason(self):
        buyer = self.buyer.with_user(self.manager)
        for status in ("watch", "blocked", "cash_only"):
            for values in ({}, {"status_reason": " "}):
                with self.subTest(status, **values), self.assertRaisesRegex(ValidationError, "Say why"):
                    buyer.write({"status": status, **values})
            with self.subTest(status):
                buyer.write({"status": status, "status_reason": "Rumours"})
                with self.assertRaisesRegex(ValidationError, "Say why"):
                    buyer.status_reason = False
        buyer.write({"status": "normal", "status_reason": False})
        partner = self.env["res.partner"].create({"name": "New Buyer"})
        with self.assertRaisesRegex(ValidationError, "Say why"):
            buyer.create({"partner_id": partner.id, "status": "blocked"})

    def test_watch_holds_in_a_strict_profile(self):
        self.buyer.write({"status": "watch", "status_reason": "Rumours"})
        self.assertEqual(self._confirm(10).state, "sale")
        self.profile.line_ids = [Command.create({"reason": "buyer_watch", "severity": "hold"})]
        self.assertEqual(self._confirm(10).state, "draft")

    def test_overdue_days_of_the_profile_take_the_place_of_the_companys(self):
        self.company.credit_max_overdue_days = 60
        self._make_invoice(10, due_in=-10)
        self.assertEqual(self._confirm(10).state, "sale")
        self.profile.overdue_days = 5
        self.assertEqual(self._confirm(10).state, "draft")
        self.profile.overdue_amount = 10
        self.assertEqual(self._confirm(10).state, "sale")

    def test_profile_of_the_company_is_for_buyers_without_one(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        buyer = self._make_buyer(limit=1000, partner=other)
        lenient = self.profile.copy({"tolerance_percent": 50})
        self.company.credit_profile_id = lenient
        self.assertEqual(self._confirm(1500, partner=other).state, "sale")
        buyer.profile_id = self.profile
        self.assertEqual(self._confirm(1, partner=other).state, "draft")

    def test_shipped_profiles_are_soft_and_strict(self):
        soft = self.env.ref("credit_insurance.credit_insurance_profile_soft")
        strict = self.env.ref("credit_insurance.credit_insurance_profile_strict")
        self.buyer.profile_id = soft
        self.assertEqual(self._confirm(1100).state, "sale")
        self.buyer.profile_id = strict
        self.buyer.write({"status": "watch", "status_reason": "Rumours"})
        self.assertEqual(self._confirm(0.01).state, "draft")

    def test_cash_only_buyer_passes_when_the_delivery_waits_for_the_money(self):
        self.buyer.write({"status": "cash_only", "status_reason": "Bounced"})
        self.assertEqual(self._confirm(10).state, "draft")
        self.profile.delivery_waits_for_money = True
        order = self._confirm(5000)
        self.assertEqual((order.state, self._basis(order)), ("sale", "cash_before_delivery"))

    def test_immediate_payment_as_a_term_is_not_paid(self):
        term = self.env.ref("account.account_payment_term_immediate")
        self.assertEqual(self._confirm(1001, payment_term_id=term.id).state, "draft")

    def test_guarantee_for_one_order_secures_that_order_only(self):
        order, other = self._make_order(3000), self._make_order(3000)
        self.env["credit.insurance.guarantee"].create(
            {
                "buyer_id": self.buyer.id,
                "order_id": order.id,
                "amount": 3000,
                "currency_id": self.company_currency.id,
                "date_from": self.today,
                "kind": "deposit",
            }
        )
        (order | other).action_confirm()
        self.assertEqual((order.state, other.state), ("sale", "draft"))
        self.assertEqual(self._basis(order), "secured")

    def test_all_reasons_are_listed_at_once(self):
        self.company.credit_max_overdue_days = 1
        self._make_invoice(600, due_in=-100)
        policy = self._make_policy(max_payment_term_days=10)
        self._make_cover(policy, self.buyer, 0, status="approved")
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency"})
        term = self.env.ref("account.account_payment_term_30days")
        order = self._confirm(5000, payment_term_id=term.id)
        codes = {reason["code"] for reason in self._hold(order).decision_id.reasons}
        self.assertGreaterEqual(codes, {"over_limit", "buyer_blocked", "overdue", "mep_passed", "term_too_long"})

    # === WHO WRITES IT === #

    def test_no_rep_or_officer_writes_a_profile_or_gives_one(self):
        line = self.env["credit.insurance.profile.line"].create(
            {"profile_id": self.profile.id, "reason": "over_limit", "severity": "warn"}
        )
        for user in (self.rep, self.officer):
            with self.subTest(user=user.login):
                for record, vals in (
                    (self.profile, {"tolerance_percent": 1000}),
                    (line, {"severity": "info"}),
                    (self.buyer, {"profile_id": self.profile.id}),
                    (self.company, {"credit_profile_id": self.profile.id}),
                ):
                    with self.assertRaises(AccessError):
                        record.with_user(user).write(vals)
                with self.assertRaises(AccessError):
                    self.env["credit.insurance.profile"].with_user(user).create({"name": "Mine"})

    def test_context_gives_no_tolerance(self):
        order = self._make_order(1100).with_user(self.rep)
        order.with_context(default_profile_id=self.profile.id, tolerance_percent=100).action_confirm()
        self.assertEqual(order.state, "draft")

    # === OTHER ENTITIES === #

    def test_order_of_a_blocked_company_is_held_although_another_one_is_invoiced(self):
        blocked = self.env["res.partner"].create({"name": "Blocked Ltd", "is_company": True})
        self._make_buyer(partner=blocked, status="blocked", status_reason="Insolvency")
        order = self._confirm(10, partner=blocked, partner_invoice_id=self.partner.id)
        self.assertEqual(order.state, "draft")
        self.assertIn("Blocked Ltd", self._hold(order).reasons_text)

    def test_delivery_to_a_blocked_company_is_held_also_for_a_buyer_nobody_looked_at(self):
        blocked = self.env["res.partner"].create({"name": "Blocked Ltd", "is_company": True})
        free = self.env["res.partner"].create({"name": "Free", "is_company": True})
        self._make_buyer(partner=blocked, status="blocked", status_reason="Insolvency")
        order = self._confirm(10, partner=free, partner_shipping_id=blocked.id)
        self.assertEqual(order.state, "draft")

    def test_other_entities_are_named_where_insured_only(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        order = self._confirm(10, partner=other, partner_invoice_id=self.partner.id)
        self.assertFalse(order.credit_pass_ids.decision_id.reasons)
        self._make_cover(self._make_policy(), self.buyer, 1000)
        order = self._confirm(10, partner=other, partner_invoice_id=self.partner.id)
        self.assertEqual(order.state, "sale")
        self.assertEqual([r["code"] for r in order.credit_pass_ids.decision_id.reasons], ["different_entities"])

    # === RATES === #

    def test_currency_without_a_rate_is_held_instead_of_counted_one_to_one(self):
        strange = self.env["res.currency"].create({"name": "XZZ", "symbol": "Z", "rounding": 0.01})
        pricelist = self.env["product.pricelist"].create({"name": "Z", "currency_id": strange.id})
        order = self._make_order(10, pricelist_id=pricelist.id)
        order.order_line.price_unit = 1
        order.action_confirm()
        self.assertEqual((order.currency_id, order.state), (strange, "draft"))
        self.assertIn("XZZ", self._hold(order).reasons_text)

    # === ALERTS === #

    def _raise_alert(self, rule, buyer):
        vals = {"rule_id": rule.id, "buyer_id": buyer.id, "severity": "high", "message": "Something happened"}
        return self.env["credit.insurance.alert"].sudo().create(vals)

    def test_open_alert_of_a_rule_that_says_hold_holds(self):
        rule = self.env["credit.insurance.rule"].sudo().search([], limit=1)
        alert = self._raise_alert(rule, self.buyer)
        self.assertEqual(self._confirm(10).state, "sale", "a rule holds nothing unless told so")
        rule.write({"holds_orders": True, "observe_only": False})
        order = self._confirm(10)
        self.assertEqual(order.state, "draft")
        self.assertIn(rule.name, self._hold(order).reasons_text)
        alert.state = "dismissed"
        self.assertEqual(self._confirm(10).state, "sale")

    def test_alert_holds_orders_of_a_buyer_without_a_limit(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        buyer = self._make_buyer(partner=other)
        rule = self.env["credit.insurance.rule"].sudo().search([], limit=1)
        rule.write({"holds_orders": True, "observe_only": False})
        self._raise_alert(rule, buyer)
        self.assertEqual(self._confirm(10, partner=other).state, "draft")
