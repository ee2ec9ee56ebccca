"""A rule that is for some companies stays so when one of them is archived or gets another name."""

import runpy
from pathlib import Path

from odoo.tests import new_test_user, tagged

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

    def _make_rule_of_archived(self):
        rule = self.Rule.create({"document": document() + "companies: [Elsewhere]\n", "state": "active"})
        self.other.active = False
        self.env.invalidate_all()
        return rule.with_env(self.env)

    def test_rule_of_an_archived_company_is_for_administrators(self):
        rule = self._make_rule_of_archived()
        self.assertIn(rule, self.Rule.search([]))
        self.assertEqual(rule.version_ids.mapped("version"), [1])
        self.assertEqual((rule.working_company_ids, rule.archived_companies), (self.env["res.company"], "Elsewhere"))
        officer = new_test_user(
            self.env,
            "officer_of_others",
            groups="credit_insurance.credit_insurance_group_user",
            company_id=self.company.id,
        )
        self.assertNotIn(rule, self.Rule.with_user(officer).search([]))
        self.other.active = True
        self.assertFalse(rule.sudo().archived_companies)
        elsewhere = new_test_user(
            self.env,
            "admin_of_others",
            groups="credit_insurance.credit_insurance_group_admin",
            company_id=self.company.id,
        )
        self.assertNotIn(rule, self.Rule.with_user(elsewhere).search([]), "its company has its own administrators")

    def test_rule_of_an_archived_company_stands_in_the_way_of_none_elsewhere(self):
        self._make_rule_of_archived()
        editor = self.Rule.with_user(self.administrator)
        limited = document(key="here") + f'companies: ["{self.company.name}"]\n'
        self.assertEqual(editor.rule_editor_text(limited)["warnings"], [])

    def test_rule_of_an_archived_company_can_be_given_to_another(self):
        rule = self._make_rule_of_archived()
        rule.write({"working_document": document(severity="high"), "working_company_ids": [(6, 0, self.company.ids)]})
        rule.action_activate()
        self.assertEqual((rule.severity, rule.company_ids, rule.archived_companies), ("high", self.company, False))

    def test_update_opens_rules_of_archived_companies_to_administrators(self):
        record_rule = self.env.ref("credit_insurance.credit_insurance_rule_rule_company").sudo()
        shipped = record_rule.domain_force
        record_rule.domain_force = "['|', ('company_ids', '=', False), ('company_ids', 'parent_of', company_ids)]"
        self.env.flush_all()
        script = Path(__file__).parents[1] / "migrations" / "19.0.1.3.0" / "post-archived-company-rules.py"
        runpy.run_path(str(script))["migrate"](self.cr, "19.0.1.2.0")
        self.env.invalidate_all()
        self.assertEqual(record_rule.domain_force, shipped)

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
