from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common_alert import AlertCommon

SLOW = """\
key: slow
name: Seventy days late
severity: warning
when:
  all:
    - days_overdue_oldest >= 70 days
    - amount_overdue > 100
message: "{buyer} is slow"
"""


@tagged("post_install", "-at_install")
class TestNearMiss(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer()
        cls.rule = cls.Rule.create({"document": SLOW, "state": "active"})

    def _misses(self, user=None):
        action = self.buyer.with_user(user or self.officer).action_near_misses()
        return self.env["credit.insurance.near.miss"].with_user(user or self.officer).search(action["domain"])

    def test_closest_rules_come_first_with_what_is_missing(self):
        self._make_invoice(500, due_in=-68)
        far = SLOW.replace("key: slow", "key: far").replace("70 days", "300 days").replace("warning", "high")
        self.Rule.create({"document": far, "state": "active"})
        misses = self._misses()
        self.assertEqual(misses.rule_id.mapped("key"), ["slow", "far"])
        self.assertIn("68 of 70 days", misses[0].missing)
        self.assertAlmostEqual(misses[0].closeness, 0.97, 2)
        self.assertIn("Days overdue, oldest", misses[0].trace_html)

    def test_rule_that_fires_and_rule_that_is_nowhere_near_are_not_listed(self):
        self.assertFalse(self._misses(), "who owes nothing is close to nothing")
        self._make_invoice(500, due_in=-80)
        self.assertFalse(self._misses())

    def test_nothing_of_more_than_nothing_is_no_near_miss(self):
        self.rule.action_set_draft()
        either = "when:\n  any:\n    - days_overdue_oldest > 60 days\n    - amount_overdue_60 > 0\n"
        text = f'key: either\nname: Late\nseverity: info\n{either}message: "late"\n'
        self.Rule.create({"document": text, "state": "active"})
        self.assertFalse(self._misses())
        self._make_invoice(500, due_in=-50)
        self.assertEqual(self._misses().missing, "Days overdue, oldest: 50 of 60 days")

    def test_override_of_the_company_counts(self):
        self._make_invoice(500, due_in=-68)
        self.env["credit.insurance.rule.override"].create(
            {
                "rule_id": self.rule.id,
                "company_id": self.company.id,
                "document": "when: days_overdue_oldest >= 80 days\n",
                "reason": "slow trade",
            }
        )
        self.assertIn("68 of 80 days", self._misses().missing)

    def test_documents_of_the_buyer_are_close_to_rules_about_them(self):
        text = "key: big\nname: Big\nscope: {scope}\nseverity: high\nwhen: {condition}\nmessage: big\nreason: test\n"
        order, invoice = self._make_order(480), self._make_invoice(500, due_in=-28)
        for scope, condition in (("order", "order_amount > 500"), ("invoice", "invoice_days_overdue > 30")):
            rule = text.format(scope=scope, condition=condition).replace("key: big", f"key: big_{scope}")
            self.Rule.create({"document": rule, "state": "active"})
        misses = self._misses().filtered("document_name")
        self.assertEqual(set(misses.mapped("document_name")), {order.display_name, invoice.display_name})
        self.assertIn("28 of 30 days", "\n".join(misses.mapped("missing")))
        self.assertEqual(misses[0].document_name, order.display_name, "the closest first")

    def test_who_sees_alerts_sees_near_misses_and_nobody_else(self):
        self._make_invoice(500, due_in=-68)
        misses = self._misses()
        with self.assertRaises(AccessError):
            misses.with_user(self.rep).read(["missing"])
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="credit_insurance.credit_insurance_group_admin",
            company_id=self.env["res.company"].create({"name": "Other"}).id,
        )
        for user in (self.rep, stranger):
            with self.assertRaises(AccessError):
                self.buyer.with_user(user).action_near_misses()
        with self.assertRaises(AccessError):
            misses.with_user(stranger).read(["missing"])
        with self.assertRaises(AccessError):
            misses.create({"buyer_id": self.buyer.id, "rule_id": self.rule.id})
