"""Risk rules about orders decide at the confirmation, not a minute later."""

from time import monotonic
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged

from odoo.addons.credit_insurance.rules.risk import EngineBusy

from .common_alert import AlertCommon

RULE = """\
key: odd_order
name: Odd order
scope: order
severity: warning
when:
  all:
    - order_amount > 500
message: "{buyer}: {order_amount}"
actions: [hold_order]
reason: test
"""


@tagged("post_install", "-at_install")
class TestGateRules(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=10000)

    def _activate(self, document=RULE, **values):
        return self.Rule.create({"document": document, "state": "active", **values})

    def _confirm(self, amount):
        order = self._make_order(amount)
        order.with_user(self.rep).action_confirm()
        return order

    def test_order_that_a_rule_about_orders_holds_is_held_at_confirmation(self):
        self._activate()
        order = self._confirm(501)
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))
        self.assertIn("Odd order", order.credit_hold_id.reasons_text)
        alert = self._alerts()
        self.assertEqual((alert.res_model, alert.res_id, alert.holds), ("sale.order", order.id, "order"))

    def test_other_orders_of_the_buyer_pass(self):
        self._activate()
        self._confirm(501)
        self.assertEqual(self._confirm(500).state, "sale")

    def test_rule_that_holds_by_its_setting_counts_too(self):
        self._activate(RULE.replace("actions: [hold_order]\n", ""), holds_orders=True)
        self.assertEqual(self._confirm(501).state, "draft")

    def test_rule_that_only_observes_or_warns_lets_orders_pass(self):
        rule = self._activate(RULE.replace("[hold_order]", "[hold_order]\nobserve: yes"))
        self.assertEqual(self._confirm(501).state, "sale")
        rule.document = RULE.replace("[hold_order]", "[activity]")
        self.assertEqual(self._confirm(501).state, "sale")

    def test_switching_a_rule_counts_for_the_next_order(self):
        rule = self._activate()
        rule.action_set_draft()
        self.assertEqual(self._confirm(501).state, "sale")
        rule.action_activate()
        self.assertEqual(self._confirm(501).state, "draft")
        self.env["credit.insurance.rule.override"].create(
            {"rule_id": rule.id, "company_id": self.company.id, "switched_off": True, "reason": "not here"}
        )
        self.assertEqual(self._confirm(501).state, "sale")

    def test_released_order_passes(self):
        self._activate()
        order = self._confirm(501)
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        wizard = self.env["credit.insurance.hold.release"].with_user(self.manager)
        wizard.create({"hold_id": order.credit_hold_id.id, "reason_id": reason.id, "note": "known"}).action_decide()
        self.assertEqual(order.state, "sale", "what a person has decided is not decided by the rule again")

    def test_gate_that_is_off_asks_no_rule(self):
        self._activate()
        self.company._switch_credit_gate("off", "portal is down")
        self.assertEqual(self._confirm(501).state, "sale")
        self.assertFalse(self._alerts())

    def test_engine_that_is_not_ready_has_half_a_second_and_the_reference_evaluator_answers(self):
        self._activate()
        granted = []

        def hang(_host, _child, _version, _load, deadline):
            granted.append(deadline - monotonic())
            raise EngineBusy("it is starting")

        with self._host() as host, patch.object(type(host), "_make_loaded", hang):
            self.assertEqual(self._confirm(501).state, "draft")
        self.assertTrue(granted)
        self.assertLessEqual(max(granted), 0.5)

    def test_alert_that_a_screening_raises_at_the_same_instant_repeats_the_confirmation(self):
        self._activate()
        order = self._make_order(501)
        with (
            patch.object(type(self.Alert), "_record", side_effect=UniqueViolation()),
            self.assertRaises(ConcurrencyError),
        ):
            order.with_user(self.rep).action_confirm()

    def test_companies_without_such_rules_send_no_further_statement(self):
        self._confirm(100)
        order = self._make_order(501)
        screening = type(self.env["credit.insurance.screening"])
        with patch.object(screening, "_screen_documents", side_effect=AssertionError("asked for nothing")):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "sale")
