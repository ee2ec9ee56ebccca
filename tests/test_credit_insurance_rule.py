from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import CreditCommon

DOCUMENT = """\
key: {key}
name: Something is over 30 days overdue
severity: {severity}
when: amount_overdue_30 > {limit}
message: "{{buyer}} owes {{amount_overdue_30}}"
"""


def document(key="late", severity="warning", limit=0):
    return DOCUMENT.format(key=key, severity=severity, limit=limit)


@tagged("post_install", "-at_install")
class TestCreditInsuranceRule(CreditCommon):
    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("credit_insurance.credit_insurance_group_admin")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rule = cls.env["credit.insurance.rule"]

    def _assert_refused(self, text, *expected):
        with self.assertRaises(ValidationError) as caught:
            self.Rule.create({"document": text})
        for part in expected:
            self.assertIn(part, caught.exception.args[0])

    def test_record_repeats_what_the_text_says(self):
        rule = self.Rule.create({"document": document(severity="high") + "priority: 7\nobserve: yes\n"})
        self.assertRecordValues(
            rule,
            [
                {
                    "key": "late",
                    "name": "Something is over 30 days overdue",
                    "severity": "high",
                    "priority": 7,
                    "scope": "buyer",
                    "observe_only": True,
                    "state": "draft",
                    "version": 1,
                }
            ],
        )

    def test_unknown_signal_is_refused_with_place_and_suggestion(self):
        text = document().replace("amount_overdue_30 >", "amount_overdu_30 >")
        self._assert_refused(text, "Line 4, column 7", "amount_overdu_30", "did you mean 'amount_overdue_30'?")

    def test_place_counts_in_the_text_of_the_rule_also_in_a_nested_group(self):
        text = document().replace("when: amount", "when:\n  all:\n    - exposure > 1\n    - amonut")
        self._assert_refused(text, "Line 7, column 7", "amonut_overdue_30")

    def test_junk_is_refused(self):
        for text in (
            "",
            "[",
            "just words",
            "- a\n- b",
            "key: x\n\tname: y",
            "a: &x [*x]",
            "!!python/object:os.system {}",
        ):
            with self.subTest(text=text):
                self._assert_refused(text, "Line ")

    def test_several_rules_in_one_text_are_refused(self):
        self._assert_refused(document() + "\n- key: other\n", "Line ")

    def test_text_cannot_step_out_of_its_rule(self):
        for separator in ("\u2028", "\u2029", "\x85", "\r"):
            with self.subTest(separator=separator):
                self._assert_refused(document() + f"reason: x{separator}- key: second", "Line ")

    def test_refused_text_leaves_the_rule_as_it_was(self):
        rule = self.Rule.create({"document": document()})
        with self.assertRaises(ValidationError):
            rule.document = document().replace("amount_overdue_30 > 0", "amount_overdue_30 >")
        self.env.invalidate_all()
        self.assertEqual(rule.document, document())
        self.assertEqual(rule.version, 1)

    def test_form_shows_problems_before_saving(self):
        with self.assertRaises(ValidationError), Form(self.Rule) as form:
            form.working_document = document().replace("warning", "hgih")
            self.assertIn("did you mean 'high'?", form.problems)

    def test_key_is_unique_and_never_changes(self):
        rule = self.Rule.create({"document": document()})
        with self.assertRaises(ValidationError):
            rule.document = document(key="other")
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation), self.cr.savepoint():
            # Two at once; one that is there already is told with its place.
            self.Rule.create([{"document": document(key="twin")}, {"document": document(key="twin", limit=9)}])

    def test_what_the_text_says_cannot_be_written_beside_it(self):
        rule = self.Rule.create({"document": document()})
        rule.write({"severity": "critical", "severity_rank": 0, "key": "other", "version": 9})
        self.assertEqual((rule.severity, rule.severity_rank, rule.key, rule.version), ("warning", 2, "late", 1))

    def test_every_text_is_kept_as_a_version(self):
        rule = self.Rule.create({"document": document()})
        rule.document = document(limit=100)
        rule.document = document(limit=100)
        self.assertEqual(rule.version, 2)
        self.assertEqual(rule.version_ids.sorted("version").mapped("document"), [document(), document(limit=100)])
        with self.assertRaises(UserError):
            rule.version_ids[0].document = "changed"

    def test_copy_has_a_key_of_its_own(self):
        rule = self.Rule.create({"document": document()})
        copies = rule.copy() + rule.copy()
        self.assertEqual(copies.mapped("key"), ["late_copy", "late_copy2"])
        self.assertEqual(copies.mapped("state"), ["draft", "draft"])

    def test_two_active_rules_with_one_condition_are_refused(self):
        self.Rule.create({"document": document(), "state": "active"})
        twin = self.Rule.create({"document": document(key="twin")})
        with self.assertRaisesRegex(ValidationError, "^twin: .*same condition.* – remove one of them$"):
            twin.action_activate()

    def test_the_same_condition_may_serve_different_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.Rule.create({"document": document(), "state": "active", "company_ids": self.company.ids})
        twin = self.Rule.create({"document": document(key="twin"), "company_ids": other.ids})
        twin.action_activate()
        self.assertEqual(twin.state, "active")

    def test_companies_in_the_text_are_those_of_the_rule(self):
        rule = self.Rule.create({"document": document() + f'companies: ["{self.company.name}"]\n'})
        self.assertEqual(rule.company_ids, self.company)
        self._assert_refused(document(key="b") + "companies: [Nowhere]\n", "Line 6", "Nowhere")

    def test_key_of_another_rule_is_refused_with_place_and_suggestion(self):
        other = self.env["res.company"].create({"name": "Other"})
        hidden = self.Rule.create({"document": document(), "company_ids": other.ids})
        self.Rule.create({"document": document(key="seen")})
        for key in ("late", "seen"):
            self._assert_refused(
                document(key=key),
                f"Line 1, column 6: there is another rule “{key}” here – give this one a key of its own",
            )
        hidden.write({"document": document(limit=9)})
        self.assertEqual(hidden.version, 2, "its own key is no other's")

    def test_rules_about_documents_are_accepted_with_signals_of_their_own_only(self):
        text = document().replace("severity", "scope: order\nseverity")
        self.assertEqual(self.Rule.create({"document": text}).scope, "order")
        self._assert_refused(
            text.replace("key: late", "key: b").replace("amount_overdue_30 >", "invoice_open >"), "Line"
        )

    def test_only_administrators_write_rules(self):
        rule = self.Rule.create({"document": document()})
        for user in (self.manager, self.officer):
            rule.with_user(user).read(["name", "document", "alert_count"])
            with self.assertRaises(AccessError):
                rule.with_user(user).write({"document": document(limit=5)})
            with self.assertRaises(AccessError):
                rule.with_user(user).action_activate()
            with self.assertRaises(AccessError):
                self.Rule.with_user(user).create({"document": document(key="mine")})
            with self.assertRaises(AccessError):
                rule.with_user(user).unlink()
            with self.assertRaises(AccessError):
                self.Rule.with_user(user).action_screen_now()
        with self.assertRaises(AccessError):
            rule.with_user(self.rep).read(["name"])
        rule.with_user(self.administrator).write({"document": document(limit=5)})
        self.assertEqual(rule.version_ids[0].create_uid, self.administrator)

    def test_shipped_rules_are_drafts_and_pass_the_checker(self):
        shipped = self.Rule.search([("pack", "!=", False)])
        self.assertIn("grade_drop_and_overdue", shipped.mapped("key"))
        self.assertEqual(set(shipped.mapped("state")), {"draft"})
        self.assertFalse(list(filter(None, shipped.mapped("problems"))))
        self.assertEqual(self.env.ref("credit_insurance.rule_grade_drop_and_overdue").severity, "high")
        shipped.action_activate()

    def test_loading_the_packs_again_changes_nothing(self):
        rule = self.env.ref("credit_insurance.rule_grade_drop_and_overdue")
        rule.document = rule.document.replace("priority: 10", "priority: 11")
        before = self.Rule.search_count([])
        self.Rule._load_packs()
        self.assertEqual(self.Rule.search_count([]), before)
        self.assertEqual((rule.priority, rule.version), (11, 2))

    def test_rules_of_other_companies_are_invisible(self):
        other = self.env["res.company"].create({"name": "Other"})
        rule = self.Rule.create({"document": document(), "company_ids": other.ids})
        self.assertNotIn(rule, self.Rule.with_user(self.administrator).search([]))
        with self.assertRaises(AccessError):
            rule.version_ids.with_user(self.officer).read(["document"])
