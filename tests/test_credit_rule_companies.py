"""A rule that is for some companies stays so when one of them is archived or gets another name."""

from odoo.tests import tagged

from .common_alert import AlertCommon
from .test_credit_insurance_rule import document
from .test_credit_signal import signal


@tagged("post_install", "-at_install")
class TestCreditRuleCompanies(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].create({"name": "Elsewhere"})

    def _applied(self):
        pack, _unusable = self.Rule._get_active_pack()
        return {rule.key: rule.companies for rule in pack.rules}

    def test_rule_of_an_archived_company_applies_nowhere_else(self):
        buyer = self._make_late_buyer()
        limited = {"company_ids": self.other.ids, "state": "active"}
        by_hand = self.Rule.create({"document": document(severity="info"), **limited})
        text = document(key="by_text", limit=9) + "companies: [Elsewhere]\n"
        self.Rule.create({"document": text, "state": "active"})
        self.other.active = False
        self.env.invalidate_all()
        self.assertEqual(self._applied(), dict.fromkeys(("late", "by_text"), (str(self.other.id),)))
        by_hand.sudo().limit_percent = 5  # what is loaded is loaded anew
        self.Rule._screen(buyer)
        self.assertFalse(self._alerts(buyer))

    def test_rule_whose_company_has_another_name_by_now_is_tried_and_uses_its_signals(self):
        self.addCleanup(self.registry.clear_cache)
        used = self.env["credit.insurance.signal"].create({"document": signal("late_share")})
        used.action_activate()
        text = document().replace("amount_overdue_30 >", "late_share >") + f'companies: ["{self.company.name}"]\n'
        rule = self.Rule.create({"document": text, "state": "active"})
        self.company.name = "Renamed Ltd"
        self.env.invalidate_all()
        self.assertEqual(used.rule_ids, rule)
        run = self.env["credit.insurance.dry.run"].create({"rule_id": rule.id, "company_id": self.company.id})
        run.action_start()
        self.assertEqual(run.state, "running")
