"""Many alerts at once make one activity, not thousands."""

from odoo.tests import tagged

from odoo.addons.credit_insurance.credit_insurance.models.alert_kinds import SINGLE_A_DAY, SUMMARY

from .common_alert import STORY, AlertCommon


@tagged("post_install", "-at_install")
class TestAlertSummary(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref(STORY)
        cls.rule.state = "active"
        cls.buyers = cls.env["credit.insurance.buyer"]
        for number in range(SINGLE_A_DAY + 2):
            partner = cls.env["res.partner"].create({"name": f"Late {number}", "is_company": True})
            cls.buyers |= cls._make_late_buyer(partner=partner)

    def _activities(self):
        return self.env["mail.activity"].search([("res_model", "=", "credit.insurance.alert")])

    def test_first_screening_of_many_buyers_makes_one_summary(self):
        before = self._activities()
        with self._summaries():
            self.Rule._screen(self.buyers)
        activity = self._activities() - before
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.manager)
        self.assertIn(str(len(self.buyers)), activity.summary)

    def test_next_block_only_raises_the_number(self):
        before = self._activities()
        with self._summaries():
            self.Rule._screen(self.buyers[:-1])
            self.Rule._screen(self.buyers[-1])
        self.assertEqual(len(self._activities() - before), 2, "a summary, and one alert alone")
        with self._summaries():
            self.Rule._screen(self.buyers)
        self.assertEqual(len(self._activities() - before), 2)

    def test_summaries_that_two_jobs_made_at_once_become_one(self):
        before = self._activities()
        with self._summaries():
            self.Rule._screen(self.buyers)
        (self._activities() - before).sudo().copy()
        self.assertEqual(len(self._activities() - before), 2)
        self._alerts(self.buyers)[0].sudo()._job_summary(SUMMARY, self.manager.id)
        self.assertEqual(len(self._activities() - before), 1)

    def test_few_alerts_keep_an_activity_each(self):
        self.Rule._screen(self.buyers[:3])
        self.assertEqual(len(self._alerts(self.buyers[:3]).activity_ids), 3)
