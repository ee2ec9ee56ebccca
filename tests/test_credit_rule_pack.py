"""Packs that a company switches on, and rules that it overrides without editing them."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common_alert import AlertCommon


class PackCommon(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Override = cls.env["credit.insurance.rule.override"]
        cls.pack = cls.env["credit.insurance.rule.pack"].search([("key", "=", "overdue")])
        cls.rule = cls.env.ref("credit_insurance.rule_dunning_escalation")
        cls.other = cls.env["res.company"].create({"name": "Other"})
        cls.stranger = new_test_user(
            cls.env,
            login="stranger",
            groups="credit_insurance.credit_insurance_group_admin",
            company_id=cls.other.id,
        )
        cls.admin = cls.administrator


@tagged("post_install", "-at_install")
class TestRulePack(PackCommon):
    def _keys(self, company=None):
        return {rule.key for rule in self.Rule._get_active_pack(company or self.company)[0].rules}

    def test_every_shipped_rule_belongs_to_a_pack_that_says_why(self):
        packs = self.env["credit.insurance.rule.pack"].search([])
        self.assertGreaterEqual(
            set(packs.mapped("key")),
            set(
                "policy_duties overdue grade_cover_watch concentration exports_country fraud onboarding starter".split()
            ),
        )
        self.assertTrue(all(packs.mapped("reason")) and all(packs.mapped("rule_ids")))
        self.assertFalse(self.Rule.search([("pack", "!=", False), ("pack_id", "=", False)]))

    def test_list_and_form_of_rules_name_the_pack_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.pack.sudo().with_context(lang="fr_FR").name = "Notre paquet"
        rules = self.Rule.with_user(self.admin).with_context(lang="fr_FR")
        for kind, named in (
            ("list", 'name="pack_id"'),
            ("form", 'name="pack_id"'),
            ("search", "'group_by': 'pack_id'"),
        ):
            self.assertIn(named, rules.get_view(view_type=kind)["arch"], kind)
        self.assertEqual(self.pack.rule_ids[0].with_context(lang="fr_FR").pack_id.display_name, "Notre paquet")

    def test_pack_of_an_archived_company_is_on_there_when_it_is_back(self):
        self.pack.with_user(self.admin).action_switch_on()
        third = self.env["res.company"].create({"name": "Third"})
        self.pack.sudo().company_ids += third
        third.active = False
        self.env.invalidate_all()
        self.pack.with_user(self.admin).action_switch_off()
        self.assertFalse(self._keys())
        third.active = True
        self.env.invalidate_all()
        self.assertIn("dunning_escalation", self._keys(third))

    def test_pack_is_on_only_where_it_was_switched_on(self):
        pack = self.pack.with_user(self.admin)
        self.assertFalse(pack.is_on)
        pack.action_switch_on()
        self.assertTrue(pack.is_on)
        self.assertIn("dunning_escalation", self._keys())
        self.assertFalse(self._keys(self.other))
        self.assertFalse(pack.with_user(self.stranger).is_on)
        self.assertIn(self.rule, self.Rule.with_user(self.stranger).search([]), "others can still see shipped rules")
        pack.with_user(self.stranger).action_switch_on()
        self.assertIn("dunning_escalation", self._keys(self.other))

    def test_all_packs_together_pass_the_checker_and_the_engine(self):
        self.env["credit.insurance.rule.pack"].search([]).with_user(self.admin).action_switch_on()
        self.assertEqual(len(self._keys()), len(self.Rule.search([("pack_id", "!=", False)])))

    def test_switching_off_ends_the_alerts_of_that_company_only(self):
        packs = self.pack.with_user(self.admin)
        packs.action_switch_on()
        self.pack.with_user(self.stranger).action_switch_on()
        buyer = self._make_late_buyer()
        self.Rule._screen(buyer)
        self.assertIn(self.rule, self._alerts(buyer).rule_id)
        packs.action_switch_off()
        self.assertEqual(set(self._alerts(buyer).mapped("state")), {"resolved"})
        self.assertFalse(self._keys())
        self.assertIn("dunning_escalation", self._keys(self.other))
        self.assertEqual(self.rule.state, "active")
        self.pack.with_user(self.stranger).action_switch_off()
        self.assertEqual(self.rule.state, "draft")

    def test_rule_that_was_activated_by_hand_does_not_follow_its_pack(self):
        self.rule.with_user(self.admin).action_activate()
        self.pack.with_user(self.admin).action_switch_on()
        self.pack.with_user(self.admin).action_switch_off()
        self.assertEqual(self._keys(), {"dunning_escalation"})

    def test_archived_rule_stays_archived(self):
        self.rule.with_user(self.admin).action_retire()
        self.pack.with_user(self.admin).action_switch_on()
        self.assertNotIn("dunning_escalation", self._keys())
        self.assertIn("dunning_first", self._keys())

    def test_rule_whose_text_changes_still_follows_its_pack(self):
        self.pack.with_user(self.admin).action_switch_on()
        self.rule.with_user(self.admin).document = self.rule.document.replace("priority: 40", "priority: 41")
        self.rule.with_user(self.admin).action_activate()
        self.assertNotIn("dunning_escalation", self._keys(self.other))

    def test_only_administrators_switch_and_nobody_writes_packs(self):
        for user in (self.officer, self.manager):
            for method in ("action_switch_on", "action_switch_off"):
                with self.assertRaises(AccessError):
                    getattr(self.pack.with_user(user), method)()
        with self.assertRaises(AccessError):
            self.pack.with_user(self.rep).action_switch_on()
        for vals in ({"company_ids": [(4, self.company.id)]}, {"name": "mine"}):
            with self.assertRaises(AccessError):
                self.pack.with_user(self.admin).write(vals)
        self.rule.with_user(self.admin).write({"by_pack": True, "pack_id": False})
        self.assertEqual((self.rule.by_pack, self.rule.pack_id), (False, self.pack))
        with self.assertRaises(UserError):
            self.rule.with_user(self.admin).unlink()

    def test_context_of_a_client_does_not_tie_a_rule_to_its_pack(self):
        self.rule.with_user(self.admin).with_context(credit_rule_by_pack=True).action_activate()
        self.assertFalse(self.rule.by_pack)

    def test_update_keeps_the_switches_and_offers_new_rules(self):
        self.pack.with_user(self.admin).action_switch_on()
        self.assertFalse(self.pack.with_user(self.admin).has_new_rules)
        self.rule.sudo().with_context(active_test=False).write({"state": "draft"})
        self.cr.execute("UPDATE credit_insurance_rule SET was_active = FALSE WHERE id = %s", (self.rule.id,))
        self.env.invalidate_all()
        self.Rule._load_packs()
        pack = self.pack.with_user(self.admin)
        self.assertTrue(pack.is_on and pack.has_new_rules)
        pack.action_switch_on()
        self.assertEqual(self.rule.state, "active")


@tagged("post_install", "-at_install")
class TestRuleOverride(PackCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule.state = "active"
        cls.buyer = cls._make_late_buyer()

    def _override(self, document=None, user=None, **values):
        return self.Override.with_user(user or self.admin).create(
            {"rule_id": self.rule.id, "company_id": self.company.id, "document": document, "reason": "why", **values}
        )

    def _rule(self, company=None):
        rules = {rule.key: rule for rule in self.Rule._get_active_pack(company or self.company)[0].rules}
        return rules.get("dunning_escalation")

    def test_override_counts_in_its_company_and_the_rule_elsewhere(self):
        self._override("severity: critical\nwhen: days_overdue_oldest >= 60 days\n")
        self.assertEqual((self._rule().severity, self._rule(self.other).severity), ("critical", "warning"))
        self.Rule._screen(self.buyer)
        self.assertFalse(self._alerts())
        self._make_invoice(10, due_in=-70)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().severity, "critical")
        self.assertIn("60 days", self._alerts().override_document)

    def test_what_is_not_overridden_follows_the_rule(self):
        self._override("severity: critical\n")
        self.rule.document = self.rule.document.replace("priority: 40", "priority: 41")
        self.assertEqual((self._rule().priority, self._rule().severity), (41, "critical"))

    def test_rule_switched_off_ends_its_alerts_here(self):
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "open")
        override = self._override(switched_off=True)
        self.assertEqual(self._alerts().state, "resolved")
        self.assertIsNone(self._rule())
        self.assertIsNotNone(self._rule(self.other))
        override.unlink()
        self.assertIsNotNone(self._rule())

    def test_override_does_not_move_into_a_company_of_others(self):
        override = self._override("severity: critical\n")
        with self.assertRaises(AccessError), self.cr.savepoint():
            override.write({"company_id": self.other.id})
        self.env.invalidate_all()
        self.assertEqual(self._rule(self.other).severity, "warning")

    def test_wrong_overrides_are_refused_in_plain_words(self):
        for document, words in (
            ("severity: hgih\n", "did you mean"),
            ("when: nonsense > 5\n", "nonsense"),
            ("key: other\n", "key"),
            ("name: x\ncompanies: [Other]\n", "companies"),
            ("just a text", "just a text"),
            ("when:\n", ""),
            (None, "different"),
        ):
            with self.assertRaises(ValidationError) as caught, self.cr.savepoint():
                self._override(document)
            self.assertIn(words, str(caught.exception))

    def test_override_that_no_longer_fits_is_left_out_and_shown(self):
        override = self._override("severity: critical\n")
        self.env.flush_all()
        self.cr.execute(
            "UPDATE credit_insurance_rule_override_version SET document = 'when: gone > 5' WHERE id = %s",
            (override.version_id.id,),
        )
        self.env.invalidate_all()
        self.assertEqual(self._rule().severity, "warning")
        self.assertIn("gone", override.problems)

    def test_only_administrators_of_the_company_override(self):
        for user in (self.officer, self.manager, self.rep, self.stranger):
            with self.assertRaises(AccessError), self.cr.savepoint():
                self._override("severity: critical\n", user=user)
        override = self._override("severity: critical\n")
        self.assertNotIn(override, self.Override.with_user(self.stranger).search([]))
        with self.assertRaises(AccessError):
            override.with_user(self.officer).write({"document": "severity: info\n"})

    def test_what_applies_here_is_shown_with_the_fields_replaced_whole(self):
        override = self._override("when: days_overdue_oldest >= 60 days\n")
        self.assertIn("when: days_overdue_oldest >= 60 days", override.result)
        self.assertNotIn("tests:", override.result, "the examples were those of the rule's own condition")
        self.assertIn("priority: 40", override.result)
