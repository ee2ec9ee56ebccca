"""Cover by grade: the insurer tells the grade, the policy's table the amount."""

import runpy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import html2plaintext, mute_logger

from odoo.addons.credit_insurance.connectors import CoverStatus

from .pull_common import PullCommon


@tagged("post_install", "-at_install")
class TestGradeCover(PullCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first_day = cls.today - timedelta(days=100)

    def _told(self, grade="5", **values):
        told = {"raw_code": "CheckPolicy", "amount": None, "grade": grade, "effective_from": self.first_day, **values}
        return self._cover("C-1", "1001", **told)

    def _take_over(self, *covers):
        pulls = self.env["credit.insurance.pull"].sudo()
        pull = pulls.search([("account_id", "=", self.account.id)]) or pulls.create({"account_id": self.account.id})
        return self.env["credit.insurance.cover"]._take_over(pull, self.policy, covers or [self._told()])

    def _enter(self, grade="5", amount=20000.0, date_from=None, **values):
        vals = {"grade": grade, "amount": amount, "date_from": date_from or self.policy.date_start, **values}
        return self.env["credit.insurance.policy.grade.cover"].create({"policy_id": self.policy.id, **vals})

    def _standing(self):
        """What counts, in order: first day, status, amount."""
        rows = self._covers(self.atelier).filtered("active").sorted("effective_from")
        return [(row.effective_from, row.status, row.amount) for row in rows]

    def _explain(self, day=None):
        page = self.env["credit.insurance.limit.explanation"].create(
            {"buyer_id": self.atelier.id, "date": day or self.today}
        )
        return page, page.line_ids.filtered(lambda line: line.source_kind == "credit.insurance.cover")

    # === PULLED === #

    def test_amount_follows_from_the_grade_and_the_policys_table(self):
        self._enter()
        self._take_over()
        self.assertEqual(self._standing(), [(self.first_day, "approved", 20000.0)])
        self.assertEqual((self.atelier.cover_status, self.atelier.cover_amount), ("approved", 20000.0))
        page, line = self._explain()
        self.assertEqual((page.insured_limit, line.counted, line.row_amount), (20000.0, True, 20000.0))
        for word in ("Grade 5", "20,000", self.policy.number, str(self.policy.date_start)):
            self.assertIn(word, line.basis)

    def test_without_a_row_the_amount_stays_unknown_and_the_missing_row_is_named(self):
        self._enter(grade="4")
        self._take_over()
        self.assertEqual(self._standing(), [(self.first_day, "unknown", 0.0)])
        page, line = self._explain()
        self.assertEqual((page.limit_state, line.code, line.has_amount), ("unknown", "unreadable", False))
        for word in ("Grade 5", "no row", self.policy.number, str(self.first_day)):
            self.assertIn(word, line.basis)

    def test_amount_of_zero_is_an_amount(self):
        self._enter(amount=0.0)
        self._take_over()
        page, line = self._explain()
        self.assertEqual((page.limit_state, page.insured_limit, line.code), ("zero", 0.0, "counted"))

    def test_second_pull_of_the_same_grade_writes_nothing(self):
        self._enter()
        self._take_over()
        before = self._covers(self.atelier)
        self.assertEqual(self._take_over(), (0, []))
        self.assertEqual(self._covers(self.atelier), before)

    def test_other_grade_acts_from_the_decision_on_and_leaves_what_was_before(self):
        self._enter()
        self._enter(grade="7", amount=5000.0)
        self._take_over()
        self._take_over(self._told("7", decided_on=self.today))
        self.assertEqual(self._standing(), [(self.first_day, "approved", 20000.0), (self.today, "approved", 5000.0)])
        impact = self.env["credit.insurance.impact"].search([("buyer_id", "=", self.atelier.id)])
        self.assertEqual((impact.kind, impact.amount_before, impact.amount_after), ("reduced", 20000.0, 5000.0))

    def test_other_grade_without_a_row_ends_what_was_known(self):
        self._enter()
        self._take_over()
        self._take_over(self._told("9", decided_on=self.today))
        self.assertEqual((self.atelier.cover_status, self.atelier.cover_amount), ("unknown", 0.0))
        page, _lines = self._explain()
        self.assertEqual(page.limit_state, "unknown")
        before, _lines = self._explain(self.today - timedelta(days=1))
        self.assertEqual(before.insured_limit, 20000.0)

    def test_amount_told_counts_whatever_the_table_says(self):
        self._enter()
        self._take_over(self._told(amount=Decimal(777)))
        self.assertEqual(self._standing(), [(self.first_day, "approved", 777.0)])
        self._take_over()
        self._take_over(self._told("", amount=Decimal(999), decided_on=self.today, raw_code="Agreement"))
        self.assertEqual(self._standing()[-1], (self.today, "approved", 999.0))

    def test_amounts_of_several_dates_count_each_from_its_day(self):
        self._enter()
        later = self.today - timedelta(days=10)
        self._enter(amount=30000.0, date_from=later)
        self._enter(amount=40000.0, date_from=self.today + timedelta(days=10))
        self._take_over()
        self.assertEqual(
            self._standing(),
            [
                (self.first_day, "approved", 20000.0),
                (later, "approved", 30000.0),
                (self.today + timedelta(days=10), "approved", 40000.0),
            ],
        )
        self.assertEqual(self.atelier.cover_amount, 30000.0)
        self.assertEqual(self._explain(later - timedelta(days=1))[0].insured_limit, 20000.0)
        self._take_over(self._told("6", decided_on=self.today))  # which ends what the table had to come for grade 5
        self.assertEqual(self._standing()[-1], (self.today, "unknown", 0.0))

    def test_table_that_begins_later_leaves_the_days_before_unknown(self):
        day = self.today - timedelta(days=10)
        self._enter(date_from=day)
        self._take_over()
        self.assertEqual(self._standing(), [(self.first_day, "unknown", 0.0), (day, "approved", 20000.0)])
        self.assertEqual(self._explain(day - timedelta(days=1))[0].limit_state, "unknown")
        self.assertEqual(self._explain(day)[0].insured_limit, 20000.0)

    def test_cover_withdrawn_by_the_insurer_is_withdrawn(self):
        self._enter()
        self._take_over()
        gone = {
            "status": CoverStatus.WITHDRAWN,
            "raw_code": "Gone",
            "grade": "",
            "effective_to": self.today - timedelta(days=1),
        }
        self._take_over(self._told(**gone))
        self.assertEqual(self.atelier.cover_status, "withdrawn")

    # === THE TABLE EDITED LATER === #

    def test_row_entered_later_makes_the_amount_known(self):
        self._take_over()
        row = self._enter()
        self.assertEqual(self._standing(), [(self.first_day, "approved", 20000.0)])
        row.amount = 25000.0
        self.assertEqual(self._standing(), [(self.first_day, "approved", 25000.0)])
        self.assertEqual(self._explain()[0].insured_limit, 25000.0)
        row.unlink()
        self.assertEqual(self._standing(), [(self.first_day, "unknown", 0.0)])
        self.assertEqual(self._explain()[0].limit_state, "unknown")
        self.assertEqual(self._take_over(), (0, []))

    def test_rows_are_moved_removed_and_added_between(self):
        self._take_over()
        base = self._enter()
        middle, late = self.today - timedelta(days=50), self.today - timedelta(days=10)
        row = self._enter(amount=30000.0, date_from=middle)
        self._enter(amount=40000.0, date_from=late)
        first = (self.first_day, "approved", 20000.0)
        last = (late, "approved", 40000.0)
        self.assertEqual(self._standing(), [first, (middle, "approved", 30000.0), last])
        row.date_from = middle + timedelta(days=5)
        self.assertEqual(self._standing(), [first, (middle + timedelta(days=5), "approved", 30000.0), last])
        row.unlink()
        self.assertEqual(self._standing(), [first, last])
        base.unlink()
        self.assertEqual(self._standing(), [(self.first_day, "unknown", 0.0), last])

    def test_history_keeps_what_it_said(self):
        self._enter()
        self._take_over()
        count = len(self._covers(self.atelier).with_context(active_test=False))
        self.policy.grade_cover_ids.amount = 1.0
        every = self.env["credit.insurance.cover"].with_context(active_test=False)
        rows = every.search([("buyer_id", "=", self.atelier.id)], order="id")
        self.assertGreater(len(rows), count)
        self.assertEqual([row.amount for row in rows], [0.0, 20000.0, 1.0])

    def test_table_of_another_policy_or_grade_changes_nothing(self):
        self._take_over()
        other = self.policy.copy({"number": "ANOTHER"})
        self._enter(policy_id=other.id)
        self._enter(grade="55")
        self.assertEqual(self._standing(), [(self.first_day, "unknown", 0.0)])
        self._enter(grade=" 5 ")
        self.assertEqual(self._standing(), [(self.first_day, "approved", 20000.0)])

    def test_lower_amount_in_the_table_reaches_the_impact_list(self):
        row = self._enter()
        self._take_over()
        self.assertFalse(self.env["credit.insurance.impact"].search_count([("buyer_id", "=", self.atelier.id)]))
        row.amount = 8000.0
        impact = self.env["credit.insurance.impact"].search([("buyer_id", "=", self.atelier.id)])
        self.assertEqual((impact.kind, impact.amount_before, impact.amount_after), ("reduced", 20000.0, 8000.0))

    # === AMOUNTS TO COME === #

    def _impacts(self):
        impacts = self.env["credit.insurance.impact"].search([("buyer_id", "=", self.atelier.id)], order="id")
        return [(row.kind, row.amount_before, row.amount_after, row.effective_from) for row in impacts]

    def _events(self):
        events = self.env["credit.insurance.event"].search([("buyer_id", "=", self.atelier.id)], order="id")
        return [(event.kind, event.date, event.amount) for event in events]

    def _begin(self, days):
        """The job, run so many days from now, without its commits."""
        with (
            freeze_time(datetime.combine(self.today + timedelta(days=days), time(12))),
            patch.object(type(self.env["ir.cron"]), "_commit_progress", return_value=1.0),
        ):
            self.env["credit.insurance.cover"]._cron_begin()

    def test_dated_change_of_the_table_is_a_change_of_cover_on_its_day_and_once(self):
        self.policy.currency_id = self.company.currency_id
        day = self.today + timedelta(days=10)
        self._enter()
        self._enter(amount=8000.0, date_from=day)
        self._take_over()
        self._begin(9)
        self.assertFalse(self._impacts() or self._events())
        for days in (10, 10, 11):
            self._begin(days)
        self.assertEqual(self._impacts(), [("reduced", 20000.0, 8000.0, day)])
        self.assertEqual(self._events(), [("cover_cut", day, 12000.0)])

    def test_days_on_which_the_job_did_not_run_are_made_up_for_in_one_change(self):
        self._enter()
        self._enter(amount=30000.0, date_from=self.today + timedelta(days=5))
        self._enter(amount=8000.0, date_from=self.today + timedelta(days=10))
        self._take_over()
        self._begin(12)
        self.assertEqual(self._impacts(), [("reduced", 20000.0, 8000.0, self.today + timedelta(days=10))])

    def test_amount_to_come_is_not_taken_for_what_stood_before(self):
        row = self._enter()
        self._enter(amount=40000.0, date_from=self.today + timedelta(days=10))
        self._take_over()
        row.amount = 25000.0
        self.assertFalse(self._impacts())
        self._enter(grade="7", amount=5000.0)
        self._take_over(self._told("7", decided_on=self.today))
        self.assertEqual(self._impacts(), [("reduced", 25000.0, 5000.0, self.today)])

    def test_amount_to_come_that_was_taken_out_of_the_table_never_comes(self):
        self._enter()
        row = self._enter(amount=8000.0, date_from=self.today + timedelta(days=10))
        self._take_over()
        row.unlink()
        self._begin(10)
        self.assertFalse(self._impacts() or self._events())

    def test_amount_to_come_does_not_come_for_a_buyer_of_another_grade(self):
        self._enter()
        self._enter(amount=8000.0, date_from=self.today + timedelta(days=10))
        self._take_over()
        self._enter(grade="4", amount=50000.0)
        self._take_over(self._told("4", decided_on=self.today))
        before = (self._impacts(), self._events())
        self._begin(10)
        self.assertEqual((self._impacts(), self._events()), before)

    def test_update_marks_the_amounts_to_come(self):
        self._enter()
        self._enter(amount=8000.0, date_from=self.today + timedelta(days=10))
        self._take_over()
        self.env.flush_all()
        self.cr.execute("UPDATE credit_insurance_cover SET begins_later = NULL")
        script = Path(__file__).resolve().parent.parent / "migrations" / "19.0.1.2.0" / "post-cover-to-come.py"
        runpy.run_path(str(script))["migrate"](self.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        marked = self._covers(self.atelier).filtered("begins_later")
        self.assertEqual(marked.mapped("amount"), [8000.0])

    # === WHOSE CHANGE IT IS === #

    def _cuts(self):
        self.env.flush_all()
        model = self.env["credit.insurance.insurer.performance"]
        model.invalidate_model()
        return model.search([("buyer_id", "=", self.atelier.id), ("event", "=", "cut")]).mapped("amount")

    def test_change_of_the_table_is_no_cut_by_the_insurer(self):
        self._enter()
        self._take_over()
        self._enter(amount=8000.0, date_from=self.today)
        self._enter(amount=5000.0, date_from=self.today + timedelta(days=10))
        self.assertEqual(self._standing()[1][2], 8000.0)
        self.assertEqual(self._cuts(), [])

    def test_worse_grade_is_a_cut_by_the_insurer(self):
        self._enter()
        self._enter(grade="7", amount=5000.0)
        self._take_over()
        self._take_over(self._told("7", decided_on=self.today))
        self.assertEqual(self._cuts(), [15000.0])

    def test_changes_of_the_table_are_in_the_policys_chatter(self):
        def told():
            messages = self.policy.message_ids - before
            return " ".join(html2plaintext(message.body).replace("\xa0", " ") for message in messages)

        before = self.policy.message_ids
        row = self._enter().with_user(self.manager)
        self.assertIn("Grade 5", told())
        self.assertIn("20,000", told())
        before |= self.policy.message_ids
        row.amount = 8000.0
        self.assertRegex(told(), r"Grade 5.*20,000.*→.*Grade 5.*8,000")
        self.assertEqual((self.policy.message_ids - before).author_id, self.manager.partner_id)
        before |= self.policy.message_ids
        row.amount = 8000.0
        self.assertFalse(self.policy.message_ids - before, "nothing changed")
        row.unlink()
        self.assertRegex(told(), r"Grade 5.*8,000.*→ –")

    # === RIGHTS AND LIMITS === #

    def test_only_credit_managers_enter_what_a_policy_covers(self):
        vals = {"policy_id": self.policy.id, "grade": "5", "amount": 1.0, "date_from": self.today}
        model = self.env["credit.insurance.policy.grade.cover"]
        with self.assertRaises(AccessError):
            model.with_user(self.officer).create(vals)
        self._take_over()
        model.with_user(self.manager).create(vals)
        self.assertEqual(self._standing()[-1], (self.today, "approved", 1.0))

    def test_nobody_makes_a_row_look_derived(self):
        row = self._enter()
        vals = {
            "buyer_id": self.atelier.id, "policy_id": self.policy.id, "status": "approved", "amount": 1.0,
            "currency_id": self.policy.currency_id.id,
        }  # fmt: skip
        forged = {"grade": "5", "grade_cover_id": row.id, "derived": True, "begins_later": True}
        cover = self.env["credit.insurance.cover"].with_user(self.manager).create({**vals, **forged})
        self.assertFalse(cover.grade or cover.grade_cover_id or cover.derived or cover.begins_later)

    @mute_logger("odoo.sql_db")
    def test_one_amount_for_a_grade_from_a_day_on(self):
        self._enter()
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            self._enter()
        for amount in (-1.0, 1e15):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self._enter(grade="6", amount=amount)
        self.policy.grade_cover_ids = [Command.create({"grade": "8", "amount": 3.0})]
        added = self.policy.grade_cover_ids.filtered(lambda row: row.grade == "8")
        self.assertEqual((added.currency_id, added.date_from), (self.policy.currency_id, date(2026, 1, 1)))

    def test_renewed_policy_takes_the_table_along(self):
        self._enter()
        renewed = self.policy.copy({"number": "RENEWED"})
        self.assertEqual(renewed.grade_cover_ids.mapped("amount"), [20000.0])
