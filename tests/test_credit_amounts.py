"""Numbers that are no amounts, or larger than any money: JSON lets a client send them."""

from psycopg2.errors import CheckViolation

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .gate_attack_case import AttackCase

NO_NUMBERS = (1e300, -1e300, float("inf"), float("-inf"), float("nan"), "inf", 10**400)
UNCOUNTABLE = (*NO_NUMBERS, 1e13)


@tagged("post_install", "-at_install")
class TestAmounts(AttackCase):
    def _assert_refused(self, edit, named):
        with self.assertRaisesRegex(ValidationError, "Type a number below") as refused, self.env.cr.savepoint():
            edit()
        self.env.invalidate_all()
        self.assertIn(named, str(refused.exception))

    def test_line_of_an_order_is_no_infinity(self):
        self._make_buyer(limit=1000)
        for order in (self._make_order(300), self._make_confirmed_order(300)):
            line = order.order_line.with_user(self.rep)
            for name in ("price_unit", "product_uom_qty", "discount"):
                for value in NO_NUMBERS:
                    with self.subTest(state=order.state, name=name, value=value):
                        self._assert_refused(lambda: line.write({name: value}), order.name)  # noqa: B023
            self.assertEqual(order.amount_total, 300)
        vals = {"order_id": order.id, "product_id": self.service.id, "price_unit": float("nan")}
        self._assert_refused(lambda: self.env["sale.order.line"].create(vals), "Sales Order Line")

    def test_settings_of_the_gate_are_amounts(self):
        policy = self._make_policy()
        authority = self.env["credit.insurance.authority"].create({"company_id": self.company.id, "amount": 1})
        profile = self.env["credit.insurance.profile"].create({"name": "Soft"})
        formula = self.env["credit.insurance.recommendation.formula"].create({"company_id": self.company.id})
        for record, name in (
            (self.company, "credit_default_limit"),
            (self.company, "credit_four_eyes_amount"),
            (policy, "threshold"),
            (policy, "discretionary_maximum"),
            (authority, "amount"),
            (profile, "tolerance"),
            (profile, "tolerance_percent"),
            (profile, "order_threshold"),
            (formula, "buffer"),
            (formula, "days_late_free"),
        ):
            for value in UNCOUNTABLE:
                with self.subTest(model=record._name, name=name, value=value):
                    self._assert_refused(lambda: record.write({name: value}), record.display_name)  # noqa: B023

    def test_limit_and_release_are_amounts(self):
        buyer = self._make_buyer(limit=1000)
        policy = self._make_policy()
        order, quotation = self._make_confirmed_order(300), self._make_order(3000)
        quotation.action_confirm()
        for value in UNCOUNTABLE:
            with self.subTest(value=value):
                guarantee = {"buyer_id": buyer.id, "date_from": self.today, "date_to": self.today, "amount": value}
                wanted = {"order_id": order.id, "amount": value, "note": "Ask"}
                requests = self.env["credit.insurance.growth.request"].with_user(self.rep)
                self._assert_refused(lambda: self._make_buyer(limit=value), "Own Credit Limit")  # noqa: B023
                self._assert_refused(
                    lambda: self.env["credit.insurance.guarantee"].create(guarantee),  # noqa: B023
                    "Guarantee",
                )
                self._assert_refused(lambda: self._make_cover(policy, buyer, value), "Cover")  # noqa: B023
                self._assert_refused(lambda: requests.create(wanted), "Larger Order")  # noqa: B023
                self._assert_refused(
                    lambda: self._release(quotation.credit_hold_id, self.manager, amount=value),  # noqa: B023
                    "Credit Hold",
                )

    def test_amounts_of_a_policy_are_not_below_zero(self):
        policy = self._make_policy()
        for name in ("threshold", "minimum_retention", "each_and_every_first_loss", "maximum_liability"):
            with self.subTest(name), mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
                policy[name] = -1
                self.env.flush_all()
            self.env.invalidate_all()
