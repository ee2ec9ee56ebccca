"""Alerts that a rule's ``until`` keeps open after its condition has ended follow the rule as any other."""

from odoo.tests import tagged

from .common_alert import AlertCommon

RULE = """\
key: much_overdue
name: Much overdue
severity: warning
when: amount_overdue > 1000
until: amount_overdue < 100
actions: [hold_buyer, watch_buyer]
"""


@tagged("post_install", "-at_install")
class TestAlertUntil(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100000)
        cls.rule = cls.Rule.create({"document": RULE, "state": "active"})
        move = cls._make_invoice(1500, due_in=-10)
        cls.Rule._screen(cls.buyer)
        cls._pay(move, 1000)
        cls.Rule._screen(cls.buyer)
        cls.alert = cls.Alert.search([("buyer_id", "=", cls.buyer.id)])

    def _follow(self, old, new):
        """Change the rule's text and screen."""
        self.rule.write({"document": self.rule.document.replace(old, new)})
        self.Rule._screen(self.buyer)

    def test_it_stands_with_what_it_did(self):
        self.assertEqual((self.alert.state, self.alert.holds, self.buyer.status), ("open", "buyer", "watch"))
        self.assertEqual(self._make_confirmed_order(100).state, "draft")

    def test_rule_that_only_observes_from_now_on_takes_back_what_it_did(self):
        self._follow("severity: warning", "severity: warning\nobserve: yes")
        self.assertEqual((self.alert.state, self.alert.observe_only), ("open", True))
        self.assertEqual((self.alert.holds, self.buyer.status), (False, "normal"))
        self.assertEqual(self._make_confirmed_order(100).state, "sale")
        self._follow("observe: yes\n", "")
        self.assertEqual((self.alert.holds, self.buyer.status), ("buyer", "watch"))

    def test_what_the_rule_no_longer_asks_for_is_taken_back(self):
        self._follow("hold_buyer, ", "")
        self.assertEqual((self.alert.state, self.alert.holds, self.buyer.status), ("open", False, "watch"))
        self._follow("[watch_buyer]", "[hold_buyer, watch_buyer]")
        self.assertEqual((self.alert.holds, self.buyer.status), ("buyer", "watch"))

    def test_nothing_new_is_begun_before_the_condition_holds_again(self):
        self._follow("[hold_buyer", "[notify, hold_buyer")
        self.assertEqual(set(self.alert.task_ids.mapped("key")), {"hold_buyer", "watch_buyer"})
        self._make_invoice(1500, due_in=-10)
        self.Rule._screen(self.buyer)
        self.assertIn("notify", self.alert.task_ids.mapped("key"))

    def test_alerts_follow_their_rule_within_a_minute(self):
        changes = self.env["credit.insurance.change"]
        changes._take()
        self.rule.write({"document": self.rule.document + "observe: yes\n"})
        changes._cron_screen_changed()
        self.assertEqual((self.alert.observe_only, self.alert.holds), (True, False))
        self.env["credit.insurance.rule.override"].create(
            {"rule_id": self.rule.id, "company_id": self.company.id, "document": "observe: no", "reason": "Not here"}
        )
        changes._cron_screen_changed()
        self.assertEqual((self.alert.observe_only, self.alert.holds), (False, "buyer"))
