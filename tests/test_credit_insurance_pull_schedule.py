"""When insurers are asked, and for how much: connections one after the other, grades by what changed."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import Grade, Page
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox
from odoo.addons.queue_job.tests.common import trap_jobs

from .pull_common import PullCommon

SCHEDULE = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_pull_schedule"


@tagged("post_install", "-at_install")
class TestPullSchedule(PullCommon):
    # === WHEN === #

    def test_few_connections_are_asked_at_a_time_and_each_only_when_due(self):
        accounts = self.env["credit.insurance.account"]
        accounts.search([]).state = "disabled"
        several = self.account | self.account.copy({"name": "Second"}) | self.account.copy({"name": "Third"})
        several.write({"state": "test", "next_pull_at": False})
        with trap_jobs(), patch(f"{SCHEDULE}.STARTED_AT_ONCE", 2):
            accounts._cron_pull()
            self.assertEqual(len(several.pull_ids), 2)
            accounts._cron_pull()
            self.assertEqual(len(several.pull_ids), 3)
            accounts._cron_pull()
            self.assertEqual(len(several.pull_ids), 3, "none is due")
        self.assertTrue(all(account.next_pull_at > fields.Datetime.now() for account in several))

    def test_a_connection_on_which_a_narrow_pull_is_under_way_stays_due(self):
        accounts = self.env["credit.insurance.account"]
        accounts.search([]).state = "disabled"
        self.account.write({"state": "test", "next_pull_at": False})
        narrow = self.env["credit.insurance.pull"]._start(self.account, ("cover_page",))
        accounts._cron_pull()
        self.assertEqual((self.account.pull_ids, self.account.next_pull_at), (narrow, False))

    # === GRADES === #

    def _pull_changes(self, changes):
        """A pull of an insurer that tells changes of grades, and what was asked: ``[since]``, ``[numbers]``."""
        since, numbers, ask = [], [], Sandbox.grades

        def grade_changes(_insurer, _policy, day, token=None):
            since.append(day)
            return Page(tuple(changes))

        def grades(insurer, wanted):
            numbers.append(sorted(wanted))
            return ask(insurer, wanted)

        with patch.object(Sandbox, "grade_changes", grade_changes), patch.object(Sandbox, "grades", grades):
            pull = self._pull()
        self.assertEqual(pull.state, "done")
        return since, numbers

    def test_all_grades_are_asked_for_first_and_then_what_changed(self):
        since, numbers = self._pull_changes([])
        self.assertEqual((since, numbers), ([], [["1001", "1006", "1008"]]))
        self.env.cr.execute("UPDATE credit_insurance_buyer_link SET create_date = create_date - interval '3 days'")
        late = self._make_linked_buyer("1002", "Nordwind")
        changed = Grade(buyer_id="1001", value="9", scale="SANDBOX-10", graded_on=self.today)
        since, numbers = self._pull_changes([changed])
        self.assertEqual(since, [self.today - timedelta(days=2)])
        self.assertEqual(numbers, [["1002"]], "those linked since are asked for by number")
        self.assertEqual(self.atelier.grade, "9")
        self.assertTrue(late.grade)

    def test_changes_say_nothing_of_who_has_no_grade_any_more(self):
        self._pull_changes([])
        self._pull_changes([])
        self.assertFalse(any(self.account.link_ids.mapped("grade_missing_since")))

    def test_all_grades_are_asked_for_again_from_time_to_time(self):
        self._pull_changes([])
        self.account.sudo().grades_listed_at = fields.Datetime.now() - timedelta(days=40)
        since, numbers = self._pull_changes([])
        self.assertEqual((since, len(numbers)), ([], 1))
