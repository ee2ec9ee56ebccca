from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import CreditCommon
from .test_credit_insurance_rule import document


class RuleVersionCase(CreditCommon):
    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("credit_insurance.credit_insurance_group_admin")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls._make_second_administrator()
        cls.Rule = cls.env["credit.insurance.rule"].with_user(cls.administrator)
        cls.rule = cls.Rule.create({"document": document(), "company_ids": cls.company.ids})

    def _states(self, rule=None):
        return (rule or self.rule).version_ids.sorted("version").mapped("state")

    def _propose(self, **values):
        self.rule.working_document = document(**values)

    def _require_review(self):
        self.company.credit_rule_review = True
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestCreditInsuranceRuleVersion(RuleVersionCase):
    # === PROPOSALS === #

    def test_text_typed_for_an_active_rule_waits_until_it_is_put_into_force(self):
        self.rule.action_activate()
        self._propose(limit=100)
        self.assertEqual(self.rule.document, document())
        self.assertEqual(self.rule.working_document, document(limit=100))
        self.assertEqual((self.rule.version, self.rule.is_proposed), (1, True))
        self.assertEqual(self._states(), ["active", "draft"])
        self.rule.action_activate()
        self.assertEqual(self.rule.document, document(limit=100))
        self.assertEqual((self.rule.version, self.rule.is_proposed), (2, False))
        self.assertEqual(self._states(), ["superseded", "active"])
        self.assertEqual(self.rule.version_ids[0].activated_by_id, self.administrator)

    def test_proposal_with_problems_is_refused(self):
        self.rule.action_activate()
        with self.assertRaises(ValidationError):
            self.rule.working_document = document().replace("amount_overdue_30 >", "amonut >")
        with self.assertRaises(ValidationError):
            self.rule.working_document = document(key="other")

    def test_next_proposal_replaces_the_one_before(self):
        self.rule.action_activate()
        self._propose(limit=100)
        self._propose(limit=200)
        self.assertEqual(self._states(), ["active", "discarded", "draft"])
        self._propose()
        self.assertFalse(self.rule.is_proposed, "the text in force again")
        self.assertEqual(self._states(), ["active", "discarded", "discarded"])

    def test_discarded_proposal_leaves_the_text_in_force(self):
        self.rule.action_activate()
        self._propose(limit=100)
        self.rule.action_discard()
        self.assertEqual((self.rule.working_document, self.rule.version), (document(), 1))

    def test_text_of_a_draft_rule_is_its_own_at_once(self):
        self._propose(limit=100)
        self.assertEqual((self.rule.document, self.rule.version), (document(limit=100), 2))
        self.assertEqual(self._states(), ["superseded", "draft"])

    def test_form_proposes_and_shows_what_waits(self):
        self.rule.action_activate()
        with Form(self.rule) as form:
            form.working_document = document(limit=7)
        self.assertEqual(self.rule.working_document, document(limit=7))
        with Form(self.Rule) as form:
            form.working_document = document(key="fresh")
        self.assertEqual(form.record.document, document(key="fresh"))

    # === REVIEW === #

    def test_reviewed_rule_is_activated_only_after_another_administrator_approved(self):
        self._require_review()
        for attempt in (
            self.rule.action_activate,
            lambda: self.rule.write({"state": "active"}),
            lambda: self.Rule.create(
                {"document": document(key="b"), "company_ids": self.company.ids, "state": "active"}
            ),
            self.rule.action_approve,
        ):
            with self.assertRaises(UserError):
                attempt()
        self.rule.action_submit()
        with self.assertRaisesRegex(UserError, "Somebody else"):
            self.rule.action_approve()
        with self.assertRaises(UserError):
            self.rule.action_activate()
        self.rule.with_user(self.second).action_approve()
        self.assertEqual(self.rule.version_ids.reviewer_id, self.second)
        self.rule.action_activate()
        self.assertEqual(self._states(), ["active"])

    def test_text_changed_after_its_approval_needs_another_one(self):
        self._require_review()
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self._propose(limit=5)
        with self.assertRaises(UserError):
            self.rule.action_activate()

    def test_who_submitted_a_text_of_somebody_else_does_not_approve_it(self):
        self._require_review()
        self.rule.with_user(self.second).action_submit()
        for user in (self.administrator, self.second):
            with self.assertRaisesRegex(UserError, "Somebody else"):
                self.rule.with_user(user).action_approve()

    def test_text_of_an_active_reviewed_rule_cannot_be_written_past_the_review(self):
        self._require_review()
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self.rule.action_activate()
        with self.assertRaises(UserError):
            self.rule.write({"document": document(limit=9)})
        self._propose(limit=9)
        with self.assertRaises(UserError):
            self.rule.action_activate()
        self.rule.action_submit()
        self.rule.with_user(self.second).action_send_back()
        self.assertEqual(self.rule.working_state, "draft")
        self.assertEqual(self.rule.document, document())

    def test_review_is_asked_of_another_administrator_as_an_activity(self):
        self._require_review()
        self.rule.action_submit()
        activity = self.rule.sudo().activity_ids
        self.assertEqual(len(activity), 1)
        self.assertNotEqual(activity.user_id, self.administrator)
        self.rule.with_user(self.second).action_approve()
        self.assertFalse(self.rule.sudo().activity_ids)

    def test_review_of_one_company_leaves_rules_of_others_alone(self):
        other = self.env["res.company"].create({"name": "Other", "credit_rule_review": True})
        self.rule.action_activate()
        self.assertEqual(self.rule.state, "active")
        shared = self.Rule.create({"document": document(key="shared")})
        self.assertTrue(shared.review_needed, "a rule of every company follows the strictest")
        self.assertTrue(other.credit_rule_review)

    def test_shipped_text_needs_no_review_a_changed_one_does(self):
        self.env["res.company"].search([("parent_id", "=", False)]).credit_rule_review = True
        rule = self.env.ref("credit_insurance.rule_grade_drop_and_overdue").with_user(self.administrator)
        rule.action_activate()
        rule.action_set_draft()
        rule.working_document = rule.document.replace("priority: 10", "priority: 11")
        with self.assertRaises(UserError):
            rule.action_activate()

    def test_review_cannot_be_gone_around_by_companies_or_by_calling_a_rule_shipped(self):
        free = self.env["res.company"].create({"name": "Free"})
        self.administrator.company_ids |= free
        self._require_review()
        self.rule.company_ids = free
        self.rule.action_activate()
        for attempt in (
            lambda: self.rule.write({"company_ids": [Command.link(self.company.id)]}),
            lambda: self.rule.write({"document": document() + f'companies: ["{self.company.name}"]\n'}),
        ):
            with self.assertRaisesRegex(UserError, "approve"), self.env.cr.savepoint():
                attempt()
            self.env.invalidate_all()
        self.rule.working_document = document() + f'companies: ["{self.company.name}"]\n'
        with self.assertRaisesRegex(UserError, "approve"):
            self.rule.action_activate()
        fake = {"document": document(key="fake"), "pack": "Mine", "company_ids": self.company.ids}
        with self.assertRaises(UserError):
            self.Rule.create(fake).action_activate()

    def test_context_of_a_client_reviews_nothing(self):
        self._require_review()
        signal = self.env["credit.insurance.signal"].with_user(self.administrator)
        self.assertEqual(signal.with_context(default_state="active").create({}).state, "draft")
        shipped = self.Rule.with_context(default_pack="Mine", default_by_pack=True).create(
            {"document": document(key="shipped"), "company_ids": self.company.ids}
        )
        self.assertEqual((shipped.pack, shipped.by_pack, shipped.version_ids.is_shipped), (False, False, False))
        self.rule.with_context(default_state="approved", default_reviewer_id=self.second.id).write(
            {"document": document(limit=9)}
        )
        self.assertEqual(self.rule.version_ids[0].state, "draft")
        self.assertFalse(self.rule.version_ids.reviewer_id)
        with self.assertRaisesRegex(UserError, "approve"):
            self.rule.action_activate()

    # === ROLLING BACK, COMPARING === #

    def test_restored_version_is_a_new_one_with_the_old_text(self):
        self.rule.action_activate()
        self._propose(limit=100)
        self.rule.action_activate()
        self.rule.version_ids.filtered(lambda row: row.version == 1).action_restore()
        self.assertEqual((self.rule.document, self.rule.version), (document(), 3))
        self.assertEqual(self.rule.version_ids[0].restored_from_id.version, 1)

    def test_restored_version_of_a_reviewed_rule_waits(self):
        self.rule.action_activate()
        self._propose(limit=100)
        self.rule.action_activate()
        self._require_review()
        self.rule.version_ids.filtered(lambda row: row.version == 1).action_restore()
        self.assertEqual((self.rule.version, self.rule.working_document), (2, document()))

    def test_comparison_names_the_fields_and_the_lines_that_differ(self):
        self._propose(limit=100, severity="high")
        self.assertEqual(self.rule.version_ids[0].changes, "when, severity")
        action = self.rule.action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((wizard.left_id.version, wizard.right_id.version), (1, 2))
        rows = {
            row["name"]: (row["before"], row["after"])
            for row in wizard._get_rows(wizard.left_id.document, wizard.right_id.document)
        }
        self.assertEqual(rows["severity"], ("warning", "high"))
        self.assertEqual(set(rows), {"severity", "when"})
        self.assertIn("-severity: warning", wizard.lines_html)

    # === WHAT ACTIONS NEED === #

    def _hook(self, name="Warehouse"):
        values = {"name": name, "url": f"https://example.com/{name}", "secret": "s3cret"}
        return self.env["credit.insurance.webhook"].sudo().create(values)

    def _settings(self):
        term = self.env.ref("account.account_payment_term_15days")
        return {
            "role": "credit_manager",
            "needs_approval": True,
            "payment_term_id": term.id,
            "limit_percent": 30,
            "webhook_id": self._hook().id,
        }

    def test_what_actions_need_of_an_active_rule_waits_until_it_is_put_into_force(self):
        self.rule.action_activate()
        for name, value in self._settings().items():
            with self.subTest(name=name):
                before, version = self.rule[name], self.rule.version
                self.rule.write({f"working_{name}": value})
                self.assertEqual((self.rule[name], self.rule.is_proposed), (before, True))
                field = self.rule._fields[name]
                self.assertEqual(field.convert_to_write(self.rule.working_version_id[name], self.rule), value)
                self.rule.action_activate()
                self.assertEqual(field.convert_to_write(self.rule[name], self.rule), value)
                self.assertEqual(self.rule.version, version + 1)

    def test_what_actions_need_of_an_active_reviewed_rule_cannot_be_written_past_the_review(self):
        self._require_review()
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self.rule.action_activate()
        for name, value in self._settings().items():
            with self.subTest(name=name):
                with self.assertRaises(UserError):
                    self.rule.write({name: value})
                self.rule.write({f"working_{name}": value})
                with self.assertRaises(UserError):
                    self.rule.action_activate()
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self.rule.action_activate()
        self.assertEqual((self.rule.role, self.rule.limit_percent), ("credit_manager", 30))

    def test_settings_changed_after_their_approval_need_another_one(self):
        self._require_review()
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self.rule.write({"needs_approval": True})
        for attempt in (self.rule.action_activate, lambda: self.rule.write({"state": "active"})):
            with self.assertRaises(UserError):
                attempt()

    def test_comparison_and_roll_back_know_what_actions_need(self):
        self.rule.action_activate()
        self.rule.write({f"working_{name}": value for name, value in self._settings().items()})
        self.rule.action_activate()
        newest = self.rule.version_ids[0]
        self.assertIn("Whom to Tell", newest.changes)
        action = newest.action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        rows = {row["name"]: (row["before"], row["after"]) for row in wizard._get_setting_rows()}
        self.assertEqual(rows["Whom to Tell"], ("", "Credit manager"))
        self.assertEqual(rows["Second Pair of Eyes"], ("no", "yes"))
        self.assertEqual(rows["Reduce the Own Limit to (%)"], ("50", "30"))
        self.assertEqual(rows["Webhook"], ("", "Warehouse"))
        self.assertIn("Warehouse", wizard.fields_html)
        self.assertNotIn("s3cret", wizard.fields_html)
        self.rule.version_ids[1].action_restore()
        self.assertEqual((self.rule.role, self.rule.limit_percent, self.rule.needs_approval), (False, 50, False))
        self.assertFalse(self.rule.webhook_id)
        self.assertFalse(self.rule.payment_term_id)

    def test_proposed_share_outside_the_range_is_refused(self):
        self.rule.action_activate()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.rule.working_limit_percent = 101
            self.env.flush_all()

    def test_webhook_of_a_reviewed_rule_leads_elsewhere_only_as_another_webhook(self):
        hook = self._hook()
        self.rule.webhook_id = hook
        hook.url = "https://example.com/moved"
        self._require_review()
        self.rule.action_submit()
        for _state in ("review", "approved", "active"):
            with self.assertRaisesRegex(UserError, "propose it on the rule"):
                hook.url = "https://example.org/elsewhere"
            with self.assertRaises(UserError):
                hook.company_id = self.company
            if self.rule.working_state == "review":
                self.rule.with_user(self.second).action_approve()
            else:
                self.rule.action_activate()
        hook.write({"url": hook.url, "secret": "rotated", "name": "Other", "active": False})
        self.rule.working_webhook_id = False
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self.rule.action_activate()
        hook.url = "https://example.org/elsewhere"

    # === EXAMPLES === #

    def test_text_whose_example_fails_is_refused_and_the_example_is_named(self):
        example = "tests:\n  - {name: nothing owed, facts: {amount_overdue_30: 0}, expect: fires}\n"
        with self.assertRaises(ValidationError) as caught:
            self.rule.working_document = document() + example
        self.assertIn("nothing owed", caught.exception.args[0])
        self.rule.working_document = document() + example.replace("fires", "quiet")
        self.assertEqual(self.rule.version, 2)

    def test_update_flags_what_no_longer_passes_and_takes_the_flag_away_again(self):
        broken = document().replace("amount_overdue_30 >", "gone >")
        self.env.flush_all()
        self.cr.execute("UPDATE credit_insurance_rule SET document = %s WHERE id = %s", (broken, self.rule.id))
        self.env.invalidate_all()
        with self.assertLogs("odoo.addons.credit_insurance", "WARNING") as logs:
            self.Rule._flag_broken()
        self.assertIn("late no longer passes", logs.output[0])
        self.assertTrue(self.rule.is_broken)
        self.assertIn("gone", self.rule.message_ids[0].body)
        self.rule.write({"is_broken": False})
        self.assertTrue(self.rule.is_broken, "nobody takes it away by hand")
        self.rule.working_document = document(limit=3)
        self.assertFalse(self.rule.is_broken)

    # === RIGHTS === #

    def test_other_roles_read_versions_and_do_nothing_to_them(self):
        self.rule.action_activate()
        self._propose(limit=100)
        actions = ("activate", "submit", "approve", "send_back", "discard", "set_draft", "retire")
        for user in (self.manager, self.officer):
            rule = self.rule.with_user(user)
            self.assertEqual(rule.working_document, document(limit=100))
            for name in actions:
                with self.subTest(name=name), self.assertRaises(AccessError):
                    getattr(rule, f"action_{name}")()
            with self.assertRaises(AccessError):
                rule.version_ids[-1].action_restore()
            with self.assertRaises(AccessError):
                rule.write({"working_document": document(limit=5)})
            with self.assertRaises(UserError):
                rule.version_ids[0].write({"state": "active"})
        self.assertEqual(self._states(), ["active", "draft"])

    def test_state_of_a_version_cannot_be_written(self):
        for vals in ({"state": "approved"}, {"reviewer_id": self.second.id}):
            with self.assertRaises(UserError):
                self.rule.version_ids.write(vals)
