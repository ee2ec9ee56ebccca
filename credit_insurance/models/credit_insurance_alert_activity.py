"""Activities of risk alerts: one each, or one for all when there are many at once.

A first pull or a new rule can raise thousands of alerts, block by block; nobody works through thousands of activities.
"""

from odoo import fields, models

ACTIVITY = "credit_insurance.mail_activity_type_alert"
SUMMARY = "credit_insurance.mail_activity_type_alert_summary"
# So many activities of this kind a person gets on one day; what comes on top is one summary.
SINGLE_A_DAY = 10


class CreditInsuranceAlert(models.Model):
    _inherit = "credit.insurance.alert"

    def _schedule_activities(self):
        """Tell whoever looks after these alerts, company by company."""
        for company, alerts in self.grouped("company_id").items():
            user = alerts[0]._get_responsible() or self.env.user
            today = fields.Datetime.now().replace(hour=0, minute=0, second=0)
            seen = self.env["mail.activity"].search_count(
                [
                    ("activity_type_id", "=", self.env.ref(ACTIVITY).id),
                    ("user_id", "=", user.id),
                    ("create_date", ">=", today),
                    ("res_model", "=", self._name),
                ]
            )
            if seen + len(alerts) <= SINGLE_A_DAY:
                for alert in alerts:
                    alert.activity_schedule(ACTIVITY, summary=alert.message.splitlines()[0][:200], user_id=user.id)
            else:
                alerts._schedule_summary(company, user)

    def _schedule_summary(self, company, user):
        """One activity that says how many there are; the next block of the same day only raises its number."""
        open_alerts = self.search_count([("company_id", "=", company.id), ("state", "=", "open")])
        env = self.with_context(lang=user.lang).env
        summary = env._("%(count)s risk alerts of %(company)s are open", count=open_alerts, company=company.name)
        activity = self.env["mail.activity"].search(
            [
                ("activity_type_id", "=", self.env.ref(SUMMARY).id),
                ("user_id", "=", user.id),
                ("res_model", "=", self._name),
                ("res_id", "in", self._search([("company_id", "=", company.id)])),
            ],
            limit=1,
        )
        if activity:
            activity.summary = summary
        else:
            self[0].with_context(mail_activity_quick_update=True).activity_schedule(
                SUMMARY, summary=summary, user_id=user.id
            )
