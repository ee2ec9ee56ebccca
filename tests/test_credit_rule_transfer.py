import base64
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_rule
from odoo.addons.credit_insurance.rules.risk import load

from .common_alert import AlertCommon
from .test_credit_insurance_rule import document
from .test_credit_signal import signal


@tagged("post_install", "-at_install")
class TestCreditRuleTransfer(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rule = cls.Rule.with_user(cls.administrator)
        cls.rule = cls.Rule.create({"document": document()})

    def _export(self, rules):
        wizard = self.env["credit.insurance.rule.export"].with_user(self.officer)
        wizard = wizard.with_context(active_model=rules._name, active_ids=rules.ids).create({"key": "mine"})
        return base64.b64decode(wizard.file).decode()

    def _import(self, text, user=None):
        wizard = self.env["credit.insurance.rule.import"].with_user(user or self.administrator)
        return wizard.create({"file": base64.b64encode(text if isinstance(text, bytes) else text.encode())})

    def test_exported_pack_holds_the_rules_and_comes_back_unchanged(self):
        text = self._export(self.rule + self.env.ref("credit_insurance.rule_cover_stops_soon"))
        self.assertEqual([rule.key for rule in load(text).rules], ["cover_stops_soon", "late"])
        wizard = self._import(text)
        self.assertFalse(wizard.has_changes)
        self.assertFalse(wizard.problems)

    def test_new_rules_come_as_drafts_and_other_texts_of_active_ones_as_proposals(self):
        self.rule.action_activate()
        text = self._export(self.rule)
        text = text.replace("amount_overdue_30 > 0", "amount_overdue_30 > 7")
        text += text.partition("rules:\n")[2].replace("key: late", "key: fresh").replace("> 7", "> 8")
        self._import(text).action_import()
        fresh = self.Rule.search([("key", "=", "fresh")])
        self.assertEqual(fresh.state, "draft")
        self.assertIn("> 0", self.rule.document)
        self.assertIn("> 7", self.rule.working_document)

    def test_file_with_a_problem_changes_nothing(self):
        text = self._export(self.rule).replace("key: late", "key: fresh")
        twins = text + text.partition("rules:\n")[2]
        for text, expected in (
            (twins, "there is another rule 'fresh'"),
            (
                self._export(self.rule).replace("key: late", "key: fresh").replace("amount_overdue_30 >", "amonut >"),
                "amonut",
            ),
            ("rules: [", "Line"),
            (b"\xff\xfe\x00", "not a text file in UTF-8: save it as one"),
            ("# " + "x" * 1_000_000, "The file is larger than a pack of rules can be"),
        ):
            with self.subTest(expected=expected):
                wizard = self._import(text)
                self.assertIn(expected, wizard.problems)
                with self.assertRaises(UserError):
                    wizard.action_import()
        self.assertFalse(self.Rule.search([("key", "=", "fresh")]))

    def test_problem_of_a_file_has_its_place_in_the_file_and_a_suggestion(self):
        text = (
            "pack: mine\nrules:\n"
            "  - {key: fine, name: Fine, severity: info, when: exposure > 5}\n"
            "  - key: wrong\n    name: Wrong\n    severity: info\n    when: exposre > 7\n    companies: [Nowhere Inc]\n"
            "  - {key: fine, name: Again, severity: info, when: exposure > 6}\n"
        )
        self.assertEqual(
            self._import(text).problems.splitlines(),
            [
                "Line 9, column 11: there is another rule 'fine'",
                "wrong: Line 7, column 11: there is no signal 'exposre' – did you mean 'exposure'?",
                "wrong: Line 8, column 16: there is no company “Nowhere Inc” at the root of a group of companies",
            ],
        )

    def test_problem_of_a_signal_in_a_file_has_its_place_and_a_suggestion(self):
        text = (
            "pack: mine\nsignals:\n"
            "  - {key: twice, label: Twice, type: money, value: 2 * exposre}\n"
            "  - {key: exposure, label: Own, type: money, value: headroom}\n"
            "rules: []\n"
        )
        first, second = self._import(text).problems.splitlines()
        self.assertEqual(first, "twice: Line 3, column 56: there is no signal 'exposre' – did you mean 'exposure'?")
        self.assertIn("exposure: Line 4, column 11: “exposure” is a signal of the addon", second)

    def test_rule_that_is_here_out_of_sight_is_told_before_the_import(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.Rule.sudo().create({"document": document(key="hidden"), "company_ids": other.ids})
        text = self._export(self.rule).replace("key: late", "key: hidden")
        self.env.invalidate_all()
        wizard = self._import(text)
        self.assertIn("hidden: Line 3, column 10: there is another rule “hidden” here", wizard.problems)
        self.assertFalse(wizard.has_changes)

    def test_file_is_read_where_a_client_asks_for_its_size_only(self):
        wizard = self._import(self._export(self.rule).replace("key: late", "key: fresh"))
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(wizard.with_context(bin_size=True).problems)

    def test_pack_brings_the_derived_signals_it_needs(self):
        self.addCleanup(self.registry.clear_cache)
        signals = self.env["credit.insurance.signal"].with_user(self.administrator)
        base = signals.create({"document": signal("late_share")})
        base.action_activate()
        above = signals.create({"document": signal("a_double", value="late_share + late_share")})
        above.action_activate()
        rule = self.Rule.create({"document": document(key="by_share").replace("amount_overdue_30 >", "a_double >")})
        text = self._export(rule)
        self.assertEqual({item.key for item in load(text).signals}, {"late_share", "a_double"})
        self.assertFalse(self._import(text).has_changes)
        rule.unlink()
        above.action_archive_signal()
        base.action_archive_signal()
        (above + base).unlink()
        self._import(text).action_import()
        self.assertTrue(self.Rule.search([("key", "=", "by_share")]))
        self.assertEqual(set(signals.search([("state", "=", "active")]).mapped("key")), {"late_share", "a_double"})
        self.company.credit_rule_review = True
        other = text.replace("late_share", "other_share").replace("a_double", "b_double").replace("by_share", "c")
        self.assertIn("reviewed", self._import(other).problems)

    def test_signal_that_means_something_else_here_is_refused_in_plain_words(self):
        self.addCleanup(self.registry.clear_cache)
        signals = self.env["credit.insurance.signal"].with_user(self.administrator)
        own = signals.create({"document": signal("late_share")})
        own.action_activate()
        rule = self.Rule.create({"document": document(key="by_share").replace("amount_overdue_30 >", "late_share >")})
        text = self._export(rule)
        rule.unlink()
        other = text.replace("label: ", "label: Other ", 1)
        problems = self._import(other).problems
        self.assertIn("“late_share” is computed otherwise here", problems)
        with self.assertRaises(UserError):
            self._import(other).action_import()
        own.action_set_draft()
        self.assertIn("not in force", self._import(text).problems)
        addons = text.replace("late_share", "exposure")
        self.assertIn("“exposure” is a signal of the addon", self._import(addons).problems)

    def _ship(self, text):
        """Load the packs as an update does that ships this one beside them."""
        folder = Path(self.enterContext(TemporaryDirectory()))
        for path in credit_insurance_rule.PACKS.glob("*.yaml"):
            (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "zz_extra.yaml").write_text(text, encoding="utf-8")
        with patch.object(credit_insurance_rule, "PACKS", folder):
            self.env["credit.insurance.rule"].sudo()._load_packs()

    def test_shipped_pack_brings_its_signals_as_an_imported_one_does(self):
        self.addCleanup(self.registry.clear_cache)
        self.company.credit_rule_review = True
        text = (
            "pack: extra\ntitle: Extra\nsignals:\n"
            "  - {key: shipped_share, label: Share, type: percent, value: 100 * amount_overdue / exposure}\n"
            "rules:\n  - {key: extra_rule, name: Extra, severity: info, when: shipped_share > 50, message: x}\n"
        )
        self._ship(text)
        created = self.env["credit.insurance.signal"].search([("key", "=", "shipped_share")])
        self.assertEqual(created.state, "active")
        self.assertTrue(self.Rule.search([("key", "=", "extra_rule")]).pack_id)
        self._ship(text)
        self.assertEqual(self.env["credit.insurance.signal"].search_count([("key", "=", "shipped_share")]), 1)

    def test_shipped_pack_whose_signal_means_something_else_here_is_left_out_and_told(self):
        self.addCleanup(self.registry.clear_cache)
        own = self.env["credit.insurance.signal"].create({"document": signal("late_share")})
        own.action_activate()
        text = (
            "pack: extra\nsignals:\n  - {key: late_share, label: Other, type: money, value: amount_overdue}\n"
            "rules:\n  - {key: extra_rule, name: Extra, severity: info, when: late_share > 50, message: x}\n"
        )
        with self.assertLogs("odoo.addons.credit_insurance", "WARNING") as logs:
            self._ship(text)
        self.assertIn("“late_share” is computed otherwise here", logs.output[0])
        self.assertFalse(self.Rule.search([("key", "=", "extra_rule")]))
        self.assertEqual(own.document, signal("late_share"))

    def test_only_administrators_import(self):
        for user in (self.manager, self.officer):
            with self.assertRaises(AccessError):
                self._import("pack: x\nrules: []\n", user)
