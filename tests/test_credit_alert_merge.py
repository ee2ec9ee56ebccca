"""Alerts of contacts that become one: each rule has one alert left, and what it did is taken back with it."""

from odoo.tests import tagged

from .common_alert import AlertCommon

RULE = """\
key: old_debt
name: Old debt
severity: high
when: amount_overdue_30 > 100
actions: [hold_buyer, watch_buyer, start_dunning]
"""


@tagged("post_install", "-at_install")
class TestAlertMerge(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "off"
        cls.twin = cls.env["res.partner"].create({"name": "Alpha Trading Limited", "is_company": True})
        cls.merged = cls._make_buyer(partner=cls.twin)
        cls.rule = cls.Rule.create({"document": RULE, "state": "active"})

    def _merge(self):
        wizard = self.env["base.partner.merge.automatic.wizard"].with_context(
            active_model="res.partner", active_ids=(self.twin | self.partner).ids
        )
        wizard = wizard.create({})
        wizard.dst_partner_id = self.partner
        wizard.action_merge()

    def _raise(self, partner):
        """The alert about an old debt of this customer, and the invoice."""
        buyer, move = self._make_buyer(partner=partner), self._make_invoice(500, partner=partner, due_in=-45)
        self.Rule._screen(buyer)
        return self._alerts(buyer), move

    def _activities(self, alert):
        return self.env["mail.activity"].search([("credit_insurance_alert_id", "=", alert.id)])

    def test_of_two_alerts_of_one_rule_one_is_left_and_the_other_is_over(self):
        (kept, _move), (gone, _moved) = self._raise(self.partner), self._raise(self.twin)
        self.assertTrue(self._activities(gone))
        self._merge()
        survivor = kept.buyer_id
        self.assertEqual((kept.state, kept.holds, kept.ended_on), ("open", "buyer", False))
        self.assertTrue(gone.ended_on)
        self.assertEqual(gone.state, "resolved")
        self.assertFalse(self._activities(gone))
        left = gone.task_ids.filtered(lambda task: task.key != "activity")
        self.assertEqual(set(left.mapped("state")), {"undone", "cancelled"})
        self.assertEqual((survivor.status, survivor.open_alert_count), ("watch", 1))
        self.Rule._screen(survivor)
        self.assertEqual((kept.state, kept.values_now["amount_overdue_30"]), ("open", "1000"))

    def test_watch_of_a_rule_comes_along_and_ends_with_its_alert(self):
        alert, move = self._raise(self.twin)
        survivor = self._make_buyer()
        self._merge()
        self.assertEqual((alert.buyer_id, alert.holds, survivor.status), (survivor, "buyer", "watch"))
        self._pay(move)
        self.Rule._screen(survivor)
        self.assertEqual((alert.state, survivor.status), ("resolved", "normal"))

    def test_watch_that_people_set_stays_when_the_alert_of_the_other_one_ends(self):
        alert, move = self._raise(self.partner)
        self.merged.write({"status": "watch", "status_reason": "Rumours"})
        self._merge()
        self._pay(move)
        self.Rule._screen(alert.buyer_id)
        buyer = alert.buyer_id
        self.assertEqual((alert.state, buyer.status, buyer.status_reason), ("resolved", "watch", "Rumours"))

    def test_alert_that_nobody_dismissed_stands(self):
        (dismissed, _move), (kept, _moved) = self._raise(self.partner), self._raise(self.twin)
        dismissed.with_user(self.manager)._dismiss("accepted", "fine")
        self._merge()
        self.assertTrue(dismissed.ended_on)
        self.assertEqual((kept.state, kept.holds, kept.buyer_id), ("open", "buyer", dismissed.buyer_id))
