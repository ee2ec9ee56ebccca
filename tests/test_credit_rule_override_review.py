"""A company's overrides and the switch that holds orders go through the same review as a rule's text."""

import importlib.util
from pathlib import Path

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .test_credit_rule_pack import PackCommon

LATER = "when: days_overdue_oldest >= 60 days\n"


class ReviewCommon(PackCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = new_test_user(
            cls.env,
            login="second_administrator_of_overrides",
            groups="credit_insurance.credit_insurance_group_admin",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.rule.state = "active"
        cls.buyer = cls._make_late_buyer()
        cls.company.credit_rule_review = True
        cls.env.invalidate_all()

    def _override(self, document="severity: critical\n", **values):
        return self.Override.with_user(self.admin).create(
            {"rule_id": self.rule.id, "company_id": self.company.id, "document": document, "reason": "why", **values}
        )

    def _approve(self, record):
        record.with_user(self.admin).action_submit()
        record.with_user(self.second).action_approve()
        record.with_user(self.admin).action_activate()

    def _applied(self):
        rules = self.Rule._get_active_pack(self.company)[0].rules
        return next((rule for rule in rules if rule.key == "dunning_escalation"), None)


@tagged("post_install", "-at_install")
class TestRuleOverrideReview(ReviewCommon):
    def test_override_waits_for_another_administrator_and_the_rule_applies_meanwhile(self):
        override = self._override()
        self.assertFalse(override.version_id)
        self.assertEqual(self._applied().severity, "warning")
        with self.assertRaisesRegex(UserError, "approve"):
            override.action_activate()
        override.action_submit()
        self.assertEqual(override.sudo().activity_ids.activity_type_id.res_model, override._name)
        with self.assertRaisesRegex(UserError, "Somebody else"):
            override.action_approve()
        override.with_user(self.second).action_approve()
        self.assertEqual(self._applied().severity, "warning", "approved is not in force yet")
        override.action_activate()
        self.assertEqual(self._applied().severity, "critical")
        self.assertEqual(override.version_id.reviewer_id, self.second)

    def test_comparison_names_what_is_proposed_otherwise(self):
        override = self._override()
        self._approve(override)
        override.write({"document": LATER, "switched_off": True})
        action = override.action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        rows = wizard._get_rows(wizard.left_id.document, wizard.right_id.document)
        self.assertEqual([row["name"] for row in rows], ["severity", "when"])
        self.assertEqual([(row["before"], row["after"]) for row in wizard._get_setting_rows()], [("no", "yes")])
        self.assertIn("+when: days_overdue_oldest &gt;= 60 days", wizard.lines_html)

    def test_first_version_is_compared_with_nothing(self):
        override = self._override(False, switched_off=True)
        action = override.action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertFalse(wizard.left_id)
        self.assertIn("why", wizard.fields_html)

    def test_switching_a_rule_off_here_waits_too(self):
        self.Rule._screen(self.buyer)
        override = self._override(False, switched_off=True)
        self.assertEqual(self._alerts().mapped("state"), ["open"])
        self.assertIsNotNone(self._applied())
        self._approve(override)
        self.assertEqual(self._alerts().mapped("state"), ["resolved"])
        self.assertIsNone(self._applied())

    def test_what_is_changed_after_its_approval_needs_another_one(self):
        override = self._override()
        self._approve(override)
        override.document = "severity: info\n"
        self.assertEqual((self._applied().severity, override.document), ("critical", "severity: info\n"))
        with self.assertRaisesRegex(UserError, "approve"):
            override.action_activate()
        override.action_discard()
        self.assertEqual(override.document, "severity: critical\n")

    def test_taking_an_override_back_is_reviewed_and_deleting_it_refused(self):
        override = self._override()
        self._approve(override)
        with self.assertRaisesRegex(UserError, "on record"):
            override.unlink()
        override.write({"document": False, "reason": "as everywhere again"})
        self.assertEqual(self._applied().severity, "critical")
        self._approve(override)
        self.assertEqual(self._applied().severity, "warning")

    def test_override_that_never_counted_can_be_deleted(self):
        self._override().unlink()
        self.assertEqual(self._applied().severity, "warning")

    def test_review_cannot_be_gone_around_over_rpc(self):
        override = self._override()
        version = override.version_ids
        override.write({"version_id": version.id})
        other = self.Override.with_user(self.admin).with_context(
            default_version_id=version.id, default_state="approved", default_reviewer_id=self.second.id
        )
        shipped = self.env.ref("credit_insurance.rule_dunning_first")
        made = other.create({"rule_id": shipped.id, "company_id": self.company.id, "switched_off": True, "reason": "x"})
        self.assertFalse(override.version_id or made.version_id)
        self.assertEqual((override.version_ids.state, made.version_ids.state), ("draft", "draft"))
        self.assertFalse(made.version_ids.reviewer_id)
        with self.assertRaises(UserError):
            version.write({"state": "approved"})
        for attempt in (
            lambda: (
                self.env["credit.insurance.rule.override.version"]
                .with_user(self.admin)
                .create({"override_id": override.id, "version": 9, "state": "approved"})
            ),
            lambda: version.with_user(self.admin).unlink(),
        ):
            with self.assertRaises(AccessError):
                attempt()
        with self.assertRaises(UserError):
            override.rule_id = shipped

    def test_officers_read_versions_and_other_companies_do_not(self):
        override = self._override()
        self.assertEqual(override.version_ids.with_user(self.officer).document, "severity: critical\n")
        self.assertFalse(override.version_ids.with_user(self.stranger).search([]))
        for action in ("submit", "approve", "send_back", "discard", "activate"):
            with self.assertRaises(AccessError):
                getattr(override.with_user(self.officer), f"action_{action}")()

    def test_without_review_an_override_counts_at_once_and_is_kept_as_a_version(self):
        self.company.credit_rule_review = False
        override = self._override()
        override.document = "severity: info\n"
        self.assertEqual(self._applied().severity, "info")
        self.assertEqual(override.version_ids.mapped("state"), ["active", "superseded"])
        override.version_ids[1].action_restore()
        self.assertEqual((self._applied().severity, override.version_id.version), ("critical", 3))

    def test_override_is_typed_in_its_form(self):
        form = Form(self.Override.with_user(self.admin).with_context(default_rule_id=self.rule.id))
        form.document = "severity: critical\n"
        self.assertIn("severity: critical", form.result)
        form.reason = "why"
        override = form.save()
        self.assertEqual((override.working_state, override.document), ("draft", "severity: critical\n"))
        with Form(override) as form:
            form.document = "severity: info\n"
        self.assertEqual(override.document, "severity: info\n")
        self.assertEqual(override.version_ids.mapped("state"), ["draft", "discarded"])

    # === DECISIONS POINT TO IT === #

    def test_alert_points_to_the_version_of_the_override_and_is_replayed_with_it(self):
        override = self._override("severity: critical\nwhen: days_overdue_oldest >= 40 days\n")
        self._approve(override)
        first = override.version_id
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertEqual((alert.severity, alert.override_version_id), ("critical", first))
        override.document = LATER
        self._approve(override)
        wizard = self.env["credit.insurance.rule.replay"].create({"alert_id": alert.id})
        self.assertEqual((wizard.result, wizard.override_version_id), ("same", first))
        self.assertIn("40 days", wizard.document)
        with self.assertRaisesRegex(UserError, "on record"):
            override.sudo().unlink()

    def test_override_that_no_longer_fits_is_not_named_as_what_fired(self):
        override = self._override()
        self._approve(override)
        self.env.flush_all()
        self.cr.execute(
            "UPDATE credit_insurance_rule_override_version SET document = 'when: gone > 5' WHERE id = %s",
            (override.version_id.id,),
        )
        self.env.invalidate_all()
        self.Rule._screen(self.buyer)
        self.assertEqual((self._alerts().severity, self._alerts().override_version_id.id), ("warning", False))

    def test_overrides_of_an_earlier_version_go_on_counting(self):
        script = Path(__file__).parents[1] / "migrations" / "19.0.1.2.0" / "post-rule-reviews.py"
        spec = importlib.util.spec_from_file_location("migration", script)
        migration = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(migration)
        self.company.credit_rule_review = False
        override = self._override("severity: critical\n")
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.rule.write({"holds_orders": True, "role": "salesperson", "limit_percent": 20})
        self.env.flush_all()
        self.cr.execute(
            """
            ALTER TABLE credit_insurance_rule_override
              ADD COLUMN document text, ADD COLUMN switched_off boolean, ADD COLUMN reason varchar;
            UPDATE credit_insurance_rule_override SET document = %s, reason = 'why', version_id = NULL WHERE id = %s;
            UPDATE credit_insurance_alert SET override_version_id = NULL WHERE id = %s;
            DELETE FROM credit_insurance_rule_override_version WHERE override_id = %s;
            UPDATE credit_insurance_rule_version SET holds_orders = FALSE, role = NULL, limit_percent = NULL
             WHERE rule_id = %s
            """,
            [override.document, override.id, alert.id, override.id, self.rule.id],
        )
        migration.migrate(self.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        self.assertEqual((override.version_id.state, override.version_id.version), ("active", 1))
        self.assertEqual((override.document, override.reason), ("severity: critical\n", "why"))
        self.assertEqual(self._applied().severity, "critical")
        self.assertEqual(alert.override_version_id, override.version_id)
        version = self.rule._get_current_version()
        self.assertEqual((version.holds_orders, version.role, version.limit_percent), (True, "salesperson", 20))
        migration.migrate(self.cr, "19.0.1.1.0")

    # === TRYING === #

    def _try(self):
        return self.Rule.with_user(self.admin).rule_editor_try(self.rule.document, self.buyer.id)

    def test_trial_tries_what_applies_in_the_company_and_says_so(self):
        self.assertEqual(self._try()["state"], "fired")
        self.assertNotIn("override", self._try())
        self._approve(self._override(LATER))
        trial = self._try()
        self.assertEqual(trial["state"], "quiet")
        self.assertIn(self.company.name, trial["override"]["note"])
        self.assertIn("when", trial["override"]["note"])
        self.assertIn("60", trial["override"]["html"])
        self.assertFalse([path for path in trial["answers"] if path.startswith("when")], "those are the rule's own")

    def test_trial_of_a_rule_that_is_off_here_says_so(self):
        self._approve(self._override(False, switched_off=True))
        trial = self._try()
        self.assertEqual(trial["state"], "off")
        self.assertIn("switched this rule off", trial["override"]["note"])

    def _dry_run(self, run=None):
        run = run or self.env["credit.insurance.dry.run"].create(
            {"rule_id": self.rule.id, "company_id": self.company.id}
        )
        run.sudo().write({"state": "running", "evaluated_on": self.today})
        run.sudo()._evaluate(self.buyer)
        return run

    def test_dry_run_tries_what_applies_in_the_company_and_says_so(self):
        run = self._dry_run()
        self.assertEqual((run.fired_count, run.override_note), (1, False))
        override = self._override(LATER)
        self.assertEqual(self._dry_run().fired_count, 1, "what waits for its review does not count")
        self._approve(override)
        run = self._dry_run()
        self.assertEqual((run.fired_count, run.override_version_id), (0, override.version_id))
        self.assertIn(self.company.name, run.override_note)

    def test_proposed_override_is_tried_before_it_counts(self):
        override = self._override(LATER)
        run = self.env["credit.insurance.dry.run"].browse(override.action_dry_run()["res_id"])
        self.assertEqual(self._dry_run(run).fired_count, 0)

    def test_dry_run_of_a_rule_that_is_off_here_finds_what_would_end(self):
        self.Rule._screen(self.buyer)
        run = self._dry_run()
        self.assertEqual((run.fired_count, run.ended_count), (1, 0))
        override = self._override(False, switched_off=True)
        run = self.env["credit.insurance.dry.run"].browse(override.action_dry_run()["res_id"])
        self.assertEqual((self._dry_run(run).fired_count, run.ended_count), (0, 1))


@tagged("post_install", "-at_install")
class TestHoldsOrdersReview(ReviewCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = cls.rule.with_user(cls.admin)

    def test_switch_that_holds_orders_cannot_be_written_past_the_review(self):
        with self.assertRaisesRegex(UserError, "reviewed"):
            self.own.write({"holds_orders": True})
        self.own.working_holds_orders = True
        self.assertEqual((self.own.holds_orders, self.own.working_holds_orders), (False, True))
        with self.assertRaisesRegex(UserError, "approve"):
            self.own.action_activate()
        self._approve(self.own)
        self.assertTrue(self.own.holds_orders)
        self.assertEqual(self.own.version_ids.mapped("holds_orders"), [True, False])

    def test_switch_is_part_of_the_version(self):
        self.company.credit_rule_review = False
        self.env["res.company"].search([]).write({"credit_rule_review": False})
        self.own.write({"holds_orders": True})
        self.assertEqual((self.own.version, self.own.version_ids[0].state), (2, "active"))
        self.assertIn("Holds Orders", self.own.version_ids[0].changes)
        self.own.version_ids[1].action_restore()
        self.assertFalse(self.own.holds_orders)
