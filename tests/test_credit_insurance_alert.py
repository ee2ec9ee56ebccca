from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_screening
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .common_alert import STORY, AlertCommon

LOUD_RULE = """\
key: late
name: Something is over 30 days overdue
severity: warning
when: amount_overdue_30 > 0
message: "{buyer} owes {amount_overdue_30}"
"""


@tagged("post_install", "-at_install")
class TestCreditInsuranceAlert(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_late_buyer()
        cls.rule = cls.env.ref(STORY)
        cls.rule.state = "active"

    # === RAISE === #

    def test_worse_grade_and_old_debt_raise_one_alert_with_the_values_that_made_it_fire(self):
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertRecordValues(
            alert,
            [
                {
                    "rule_id": self.rule.id,
                    "partner_id": self.partner.id,
                    "company_id": self.company.id,
                    "severity": "high",
                    "state": "open",
                    "engine": "durable",
                    "message": "Alpha Trading Ltd: 2 classes worse in 90 days, now class 4; "
                    "12,300 is more than 30 days overdue",
                }
            ],
        )
        self.assertEqual(alert.rule_version_id.version, 1)
        self.assertEqual(alert.values_now["risk_class_worsened"], "2")
        self.assertEqual(alert.values_now["amount_overdue_30"], "12300")
        self.assertEqual(alert.values_first, alert.values_now)

    def test_alert_explains_each_condition(self):
        self.Rule._screen(self.buyer)
        html = str(self._alerts().trace_html)
        self.assertIn("All of these", html)
        self.assertIn("Amount over 30 days overdue", html)
        self.assertIn(self.company_currency.format(12300.0).replace("\xa0", " "), html.replace("\xa0", " "))
        self.assertIn("text-success", html)

    def test_one_class_worse_raises_nothing(self):
        buyer = self._make_buyer(partner=self.partner_a)
        self._grade(buyer, 3, 365)
        self._grade(buyer, 4, 7)
        self._make_invoice(500, partner=self.partner_a, due_in=-45)
        self.Rule._screen(buyer)
        self.assertFalse(self._alerts(buyer))

    def test_old_debt_alone_raises_nothing(self):
        buyer = self._make_buyer(partner=self.partner_a)
        self._make_invoice(500, partner=self.partner_a, due_in=-45)
        self.Rule._screen(buyer)
        self.assertFalse(self._alerts(buyer))

    def test_two_insurers_that_differ_are_no_deterioration(self):
        buyer = self._make_buyer(partner=self.partner_a)
        self._grade(buyer, 2, 365)
        other = self.insurer.copy({"code": "OTHER"})
        row = self.env["credit.insurance.grade"].create(
            {"buyer_id": buyer.id, "insurer_id": other.id, "grade": "5", "risk_class": "5", "graded_on": self.today}
        )
        self._make_invoice(500, partner=self.partner_a, due_in=-45)
        self.Rule._screen(buyer)
        self.assertEqual(row.risk_class, "5")
        self.assertFalse(self._alerts(buyer))

    def test_running_again_raises_none(self):
        self.Rule._screen(self.buyer)
        self.Rule._screen(self.buyer)
        self.assertEqual(len(self._alerts()), 1)

    def test_running_again_with_the_same_values_writes_nothing(self):
        self.Rule._screen(self.buyer)
        self.env.flush_all()
        alert = self._alerts()
        with patch.object(type(alert), "write", side_effect=AssertionError("written")):
            self.Rule._screen(self.buyer)

    def test_last_seen_is_written_once_a_day(self):
        self.Rule._screen(self.buyer)
        alert = self._alerts().sudo()
        yesterday = fields.Datetime.now() - timedelta(days=1)
        alert.write({"first_seen": yesterday, "last_seen": yesterday})
        self.Rule._screen(self.buyer)
        self.assertEqual(alert.first_seen, yesterday)
        self.assertEqual(alert.last_seen.date(), fields.Datetime.now().date())

    def test_values_then_and_now_are_both_kept(self):
        self.Rule._screen(self.buyer)
        self._make_invoice(700, due_in=-40)
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertEqual(alert.values_first["amount_overdue_30"], "12300")
        self.assertEqual(alert.values_now["amount_overdue_30"], "13000")
        self.assertIn("13,000 is more", alert.message)

    def test_new_text_of_a_rule_updates_its_alert(self):
        self.Rule._screen(self.buyer)
        self.rule.document = self.rule.document.replace("severity: high", "severity: critical")
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertEqual((alert.severity, alert.rule_version_id.version), ("critical", 2))

    def test_draft_rule_raises_nothing(self):
        self.rule.action_set_draft()
        self.Rule._screen(self.buyer)
        self.assertFalse(self._alerts())

    def test_rule_of_another_company_raises_nothing(self):
        self.rule.company_ids = self.env["res.company"].create({"name": "Other"})
        self.Rule._screen(self.buyer)
        self.assertFalse(self._alerts())

    # === END === #

    def test_alert_is_resolved_when_its_condition_ends(self):
        self.Rule._screen(self.buyer)
        self._pay(self.invoice)
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertEqual(alert.state, "resolved")
        self.assertTrue(alert.ended_on)
        self.assertFalse(alert.activity_ids)

    def test_condition_that_returns_raises_a_new_alert(self):
        self.Rule._screen(self.buyer)
        first = self._alerts()
        self._pay(self.invoice)
        self.Rule._screen(self.buyer)
        self._make_invoice(700, due_in=-40)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().sorted("id").mapped("state"), ["resolved", "open"])
        self.assertEqual(first.values_now["amount_overdue_30"], "12300")

    def test_missing_data_do_not_end_an_alert(self):
        self.Rule._screen(self.buyer)
        # A grade that the scale does not know: nobody can tell how the class moved.
        self.env["credit.insurance.grade"].create(
            {"buyer_id": self.buyer.id, "insurer_id": self.insurer.id, "grade": "?", "graded_on": self.today}
        )
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "open")

    def test_dismissed_alert_is_not_raised_again_before_its_condition_ended(self):
        self.Rule._screen(self.buyer)
        self._alerts().with_user(self.officer)._dismiss("accepted", "Agreed with the buyer")
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().mapped("state"), ["dismissed"])
        self._pay(self.invoice)
        self.Rule._screen(self.buyer)
        self._make_invoice(700, due_in=-40)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().sorted("id").mapped("state"), ["dismissed", "open"])

    def test_rule_that_is_archived_ends_its_alerts(self):
        self.Rule._screen(self.buyer)
        self.rule.with_user(self.administrator).action_retire()
        self.assertEqual(self._alerts().state, "resolved")

    def test_alerts_end_where_the_rule_does_not_apply_any_more(self):
        self.Rule._screen(self.buyer)
        self.rule.company_ids = self.company
        self.assertEqual(self._alerts().state, "open")
        self.rule.company_ids = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertEqual(self._alerts().state, "resolved")

    def test_rule_with_alerts_cannot_be_deleted(self):
        self.Rule._screen(self.buyer)
        with self.assertRaises(UserError):
            self.rule.unlink()

    # === PEOPLE === #

    def test_severe_alert_gives_the_credit_responsible_an_activity(self):
        self.Rule._screen(self.buyer)
        activity = self._alerts().activity_ids
        self.assertEqual(activity.user_id, self.manager)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().activity_ids, activity)

    def test_other_alerts_give_no_activity(self):
        self.rule.action_set_draft()
        self.Rule.create({"document": LOUD_RULE, "state": "active"})
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().message, "Alpha Trading Ltd owes 12,300")
        self.assertFalse(self._alerts().activity_ids)

    def test_rule_that_only_observes_records_and_tells_nobody(self):
        self.rule.document += "observe: yes\n"
        self.Rule._screen(self.buyer)
        self.assertTrue(self._alerts().observe_only)
        self.assertFalse(self._alerts().activity_ids)

    def test_officer_acknowledges_dismisses_and_reopens(self):
        self.Rule._screen(self.buyer)
        alert = self._alerts().with_user(self.officer)
        alert.action_acknowledge()
        self.assertEqual((alert.state, alert.acknowledged_by_id), ("acknowledged", self.officer))
        action = alert.action_dismiss()
        wizard = self.env[action["res_model"]].with_user(self.officer).with_context(**action["context"])
        wizard.create({"reason": "false_alarm", "note": "Wrong buyer"}).action_dismiss()
        self.assertEqual((alert.state, alert.dismiss_reason), ("dismissed", "false_alarm"))
        alert.action_reopen()
        self.assertEqual(alert.state, "open")

    def test_alert_that_ended_is_neither_answered_nor_reopened(self):
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        alert._dismiss("accepted", False)
        self._pay(self.invoice)
        self.Rule._screen(self.buyer)
        with self.assertRaises(UserError):
            alert.action_reopen()
        with self.assertRaises(UserError):
            alert.action_acknowledge()

    def test_buyer_counts_its_open_alerts(self):
        self.Rule._screen(self.buyer)
        buyer = self.buyer.with_user(self.officer)
        self.assertEqual(buyer.open_alert_count, 1)
        self.assertEqual(self.Alert.search(buyer.action_open_alerts()["domain"]), self._alerts())
        self._alerts()._dismiss("accepted", False)
        buyer.invalidate_recordset(["open_alert_count"])
        self.assertEqual(buyer.open_alert_count, 0)

    def test_nobody_writes_alerts_directly(self):
        self.Rule._screen(self.buyer)
        for user in (self.officer, self.manager, self.administrator):
            alert = self._alerts().with_user(user)
            alert.read(["message", "trace_html", "state"])
            with self.assertRaises(AccessError):
                alert.write({"state": "dismissed"})
            with self.assertRaises(AccessError):
                alert.unlink()
            with self.assertRaises(AccessError):
                alert.create({"rule_id": self.rule.id, "buyer_id": self.buyer.id, "severity": "info", "message": "x"})

    def test_sales_reps_do_not_see_or_answer_alerts(self):
        self.Rule._screen(self.buyer)
        alert = self._alerts().with_user(self.rep)
        for call in (lambda: alert.read(["message"]), alert.action_acknowledge, alert.action_dismiss):
            with self.assertRaises(AccessError):
                call()

    def test_alerts_of_other_companies_are_invisible(self):
        self.Rule._screen(self.buyer)
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="credit_insurance.credit_insurance_group_admin",
            company_id=self.env["res.company"].create({"name": "Other"}).id,
        )
        self.assertFalse(self.Alert.with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            self._alerts().with_user(stranger).action_acknowledge()

    # === ENGINE === #

    @mute_logger("odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_screening")
    @mute_logger("odoo.addons.credit_insurance.rules.risk.client")
    def test_alert_is_raised_when_the_engine_cannot_be_started(self):
        with self._host(python="/nonsense/python"):
            self.Rule._screen(self.buyer)
        self.assertEqual((self._alerts().state, self._alerts().engine), ("open", "reference"))

    def test_alert_is_raised_after_the_engine_was_killed(self):
        with self._host() as host:
            self.Rule._screen(self.buyer.browse())
            pid = host.pid
            host._child._process.kill()
            host._child._process.wait(5)
            self.Rule._screen(self.buyer)
            self.assertNotEqual(host.pid, pid)
        self.assertEqual((self._alerts().state, self._alerts().engine), ("open", "durable"))

    @mute_logger("odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_screening")
    @mute_logger("odoo.addons.credit_insurance.rules.risk.client")
    def test_alert_stays_as_it_is_when_only_the_engine_changed(self):
        self.Rule._screen(self.buyer)
        with self._host(python="/nonsense/python"):
            self.Rule._screen(self.buyer)
        self.assertEqual((len(self._alerts()), self._alerts().engine), (1, "durable"))

    @mute_logger("odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_screening")
    def test_rule_goes_on_in_its_company_under_another_name(self):
        text = LOUD_RULE + f'companies: ["{self.company.name}"]\n'
        rule = self.Rule.create({"document": text, "state": "active"})
        self.company.name = "Renamed Ltd"
        self.Rule._screen(self.buyer)
        self.assertIn(rule, self._alerts().rule_id)
        self.Rule._flag_broken()
        self.assertFalse(rule.is_broken)
        self.assertIn("there is no company", rule.problems, "a new text has to name it as it is called")

    def test_rule_that_no_longer_passes_the_checker_keeps_others_running(self):
        broken = self.Rule.create({"document": LOUD_RULE, "state": "active"})
        text = LOUD_RULE.replace("amount_overdue_30 >", "gone >")
        # As when a signal went away: the text in force and its version both speak of it.
        self.cr.execute("UPDATE credit_insurance_rule SET document = %s WHERE id = %s", (text, broken.id))
        self.cr.execute("UPDATE credit_insurance_rule_version SET document = %s WHERE rule_id = %s", (text, broken.id))
        self.env.invalidate_all()
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().rule_id, self.rule)
        self.assertIn("gone", broken.problems)

    @mute_logger("odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_screening")
    @mute_logger("odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_rule_check")
    def test_alert_whose_rule_cannot_be_evaluated_says_so(self):
        self.Rule._screen(self.buyer)
        alert, text = self._alerts(), self.rule.document
        self.assertFalse(alert.rule_is_broken)
        self.env.flush_all()
        gone = text.replace("amount_overdue_30", "gone")
        self.cr.execute("UPDATE credit_insurance_rule SET document = %s WHERE id = %s", (gone, self.rule.id))
        self.cr.execute(
            "UPDATE credit_insurance_rule_version SET document = %s WHERE rule_id = %s", (gone, self.rule.id)
        )
        self.env.invalidate_all()
        with trap_jobs():
            self.env["credit.insurance.screening"]._cron_screen()
        self.Rule._screen(self.buyer)
        self.assertEqual((alert.state, alert.rule_is_broken, self.rule.is_broken), ("open", True, True))
        self.assertEqual(self.Alert.search([("rule_is_broken", "=", True)]), alert)
        self.rule.working_document = text
        self.rule.action_activate()
        self.assertFalse(alert.rule_is_broken)

    # === JOBS === #

    def test_screening_is_queued_in_blocks(self):
        other = self._make_buyer(partner=self.partner_a)
        with patch.object(credit_insurance_screening, "BLOCK", 1), trap_jobs() as trap:
            self.env["credit.insurance.screening"]._enqueue(self.buyer | other)
            trap.assert_jobs_count(2)
            trap.perform_enqueued_jobs()
        self.assertEqual(len(self._alerts()), 1)

    def test_a_context_key_does_not_make_jobs_run_at_once(self):
        with trap_jobs() as trap:
            self.Rule.with_user(self.administrator).with_context(queue_job__no_delay=True).action_screen_now()
            trap.assert_jobs_count(1)
        self.assertFalse(self._alerts())

    def test_daily_run_queues_all_buyers_and_ends_alerts_of_archived_ones(self):
        self.Rule._screen(self.buyer)
        self._pay(self.invoice)  # whoever owes something is not archived
        self.buyer.active = False
        with trap_jobs():
            self.env["credit.insurance.screening"]._cron_screen()
        self.assertEqual(self._alerts().state, "resolved")

    def test_alert_that_a_screening_raised_after_its_rule_was_taken_out_ends_with_the_daily_run(self):
        other = self.Rule.create({"document": LOUD_RULE, "state": "active"})
        self.Rule._screen(self.buyer)
        self.env.flush_all()
        # As a screening leaves it that began before the rule went back to draft.
        self.cr.execute("UPDATE credit_insurance_rule SET state = 'draft' WHERE id = %s", (other.id,))
        self.env.invalidate_all()
        with trap_jobs():
            self.env["credit.insurance.screening"]._cron_screen()
        states = {alert.rule_id: alert.state for alert in self._alerts()}
        self.assertEqual(states, {self.rule: "open", other: "resolved"})

    def test_two_screenings_at_once_raise_one_alert(self):
        screening = self.env["credit.insurance.screening"]
        with (
            patch.object(type(screening), "_screen", side_effect=UniqueViolation()),
            self.assertRaises(RetryableJobError),
        ):
            screening._job_screen(self.buyer.ids)
