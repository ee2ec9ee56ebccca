"""Blocks of buyers that are screened side by side do not undo one another."""

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.tests import tagged

from odoo.addons.credit_insurance.credit_insurance.models.alert_kinds import SINGLE_A_DAY, SUMMARY

from .concurrent_case import ConcurrentCase


@tagged("post_install", "-at_install")
class TestAlertsAtOnce(ConcurrentCase):
    def _make_alerts(self, name):
        """More committed alerts than a person gets an activity each for."""
        with self._transaction() as env:
            rule = env["credit.insurance.rule"].search([], limit=1)
            partners = env["res.partner"].create(
                [{"name": f"{name} {number}", "is_company": True} for number in range(SINGLE_A_DAY + 1)]
            )
            alerts = env["credit.insurance.alert"]
            for partner in partners:
                buyer = env["credit.insurance.buyer"]._get_or_create(partner, env.company)
                alerts |= alerts.create(
                    {
                        "buyer_id": buyer.id,
                        "rule_id": rule.id,
                        "severity": "warning",
                        "message": "Late",
                        "first_seen": fields.Datetime.now(),
                        "last_seen": fields.Datetime.now(),
                    }
                )
            return alerts.ids

    def test_two_blocks_with_many_alerts_for_one_person_are_both_recorded(self):
        first, second = self._make_alerts("First"), self._make_alerts("Second")
        with self._transaction() as env:
            alerts = env["credit.insurance.alert"].browse(first)
            [user] = set(alerts._get_people().values())
            alerts[0]._job_summary(SUMMARY, user.id)
        try:
            with self._transaction() as one, self._transaction() as other:
                for env, ids in ((one, first), (other, second)):
                    env.cr.execute("SELECT 1")  # both see what was there before either wrote
                    env["credit.insurance.alert"].browse(ids).mapped("state")
                one["credit.insurance.alert"].browse(first)._schedule_activities()
                one.cr.commit()
                other["credit.insurance.alert"].browse(second)._schedule_activities()
                other.cr.commit()
        except SerializationFailure as error:
            self.fail(f"the second block was undone by the first: {error}")
        with self._transaction() as env:
            key = f"credit_insurance.summary-{SUMMARY}-{env.company.id}-{user.id}"
            self.assertTrue(env["queue.job"].search([("identity_key", "=", key)]), "a job counts what both raised")
