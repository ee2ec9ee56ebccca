from datetime import timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestLimitRows(CreditCommon):
    """Own limits are dated rows that are added to: who granted what, from when, and what counted on any day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer()
        cls.yesterday, cls.tomorrow = cls.today - timedelta(days=1), cls.today + timedelta(days=1)

    def _grant(self, amount, user=None, **values):
        rows = self.env["credit.insurance.own.limit"].with_user(user or self.manager)
        return rows.create({"buyer_id": self.buyer.id, "amount": amount, **values})

    def _explain(self, on=None, buyer=None):
        page = self.env["credit.insurance.limit.explanation"].with_user(self.officer)
        return page.create({"buyer_id": (buyer or self.buyer).id, "date": on or self.today})

    def _make_authority(self, amount, users=None, **values):
        return self.env["credit.insurance.authority"].create(
            {
                "company_id": self.company.id,
                "kind": "limit",
                "user_ids": [(6, 0, (users or self.manager).ids)],
                "amount": amount,
                **values,
            }
        )

    # === ROWS === #

    def test_row_is_called_by_its_days_as_the_reader_writes_them(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        row = self._grant(1000, kind="temporary", date_to=self.tomorrow).with_context(lang="fr_FR")
        for day in (self.today, self.tomorrow):
            self.assertIn(day.strftime("%d/%m/%Y"), row.display_name)

    def test_another_amount_is_another_row_and_the_old_one_ends(self):
        row = self._grant(1000, date_from=self.today - timedelta(days=30))
        row.amount = 400
        self.assertEqual((row.amount, row.date_to), (1000, self.yesterday))
        new = self.buyer.own_limit_ids - row
        self.assertEqual((new.amount, new.date_from, new.replaces_id), (400, self.today, row))
        self.assertEqual(self.buyer.limit_amount, 400)
        self.assertEqual(self._explain(self.yesterday).limit_amount, 1000)

    def test_row_changed_on_its_first_day_is_cancelled_and_counts_no_more(self):
        row = self._grant(1000, kind="temporary", date_to=self.tomorrow)
        row.amount = 300
        self.assertTrue(row.cancelled)
        self.assertEqual(self.buyer.limit_amount, 300)

    def test_writing_the_same_terms_makes_no_row(self):
        row = self._grant(1000)
        row.write({"amount": 1000.0, "currency_id": row.currency_id.id, "note": "as it was"})
        self.assertEqual(self.buyer.own_limit_ids, row)

    def test_new_permanent_limit_ends_the_one_before_it(self):
        old = self._grant(1000, date_from=self.today - timedelta(days=5))
        self._grant(700)
        self.assertEqual(old.date_to, self.yesterday)
        self.assertEqual(self.buyer.limit_amount, 700)

    def test_form_saves_a_new_amount_as_a_new_row(self):
        row = self._grant(1000, date_from=self.today - timedelta(days=5))
        action = row.with_user(self.manager).action_change()
        with Form(self.env[action["res_model"]].with_user(self.manager).with_context(**action["context"])) as form:
            form.amount = 650
        self.assertEqual((row.date_to, self.buyer.limit_amount), (self.yesterday, 650))

    def test_past_is_not_granted_anew(self):
        row = self._grant(1000, date_from=self.today - timedelta(days=30), date_to=self.today - timedelta(days=10))
        for day in (self.tomorrow, False):
            with self.assertRaisesRegex(UserError, "has ended"):
                row.date_to = day
        running = self._grant(1000, date_from=self.today - timedelta(days=9))
        with self.assertRaisesRegex(UserError, "in the past"):
            running.date_to = self.today - timedelta(days=5)

    def test_limit_is_not_moved_to_another_buyer(self):
        other = self._make_buyer(partner=self.env["res.partner"].create({"name": "Other", "is_company": True}))
        row = self._grant(1000)
        with self.assertRaisesRegex(UserError, "not given to another"):
            row.buyer_id = other

    def test_nobody_deletes_a_limit_or_signs_for_somebody_else(self):
        row = self._grant(1000, granted_by_id=self.officer.id, authority="any", cancelled=True)
        self.assertEqual((row.granted_by_id, row.authority, row.cancelled), (self.manager, False, False))
        row.with_user(self.manager).write({"granted_by_id": self.officer.id, "cancelled": True})
        self.assertEqual((row.granted_by_id, row.cancelled), (self.manager, False))
        with self.assertRaises(UserError):
            row.unlink()
        for user in (self.rep, self.officer):
            with self.assertRaises(AccessError):
                self._grant(5, user=user)
            with self.assertRaises(AccessError):
                row.with_user(user).action_end()

    def test_ended_limit_counts_from_now_on_no_more(self):
        row = self._grant(1000, date_from=self.today - timedelta(days=5))
        row.with_user(self.manager).action_end()
        self.assertEqual((self.buyer.limit_state, self.buyer.limit_amount), ("expired", 0))

    # === AUTHORITY === #

    def test_limit_above_authority_is_refused(self):
        self._make_authority(1000)
        self._grant(1000)
        with self.assertRaisesRegex(AccessError, "beyond your authority"):
            self._grant(1001)

    def test_many_small_temporary_limits_are_one_large_limit(self):
        self._make_authority(1000)
        self._grant(600, kind="temporary", date_to=self.tomorrow)
        with self.assertRaisesRegex(AccessError, "beyond your authority"):
            self._grant(600, kind="temporary", date_to=self.tomorrow)

    def test_longer_limit_needs_the_authority_again(self):
        row = self._grant(5000, kind="temporary", date_to=self.tomorrow)
        self._make_authority(1000)
        row.with_user(self.manager).date_to = self.today
        with self.assertRaisesRegex(AccessError, "beyond your authority"):
            row.with_user(self.manager).date_to = self.tomorrow

    def test_reducing_a_limit_needs_no_authority_for_its_amount(self):
        row = self._grant(5000)
        self._make_authority(100)
        row.with_user(self.manager).amount = 4000
        self.assertEqual(self.buyer.limit_amount, 4000)

    def test_taking_the_place_of_an_ended_or_shorter_limit_needs_the_authority(self):
        ended = self._grant(5000, date_from=self.today - timedelta(days=9), date_to=self.yesterday)
        short = self._grant(5000, kind="temporary", date_to=self.tomorrow)
        self._make_authority(100)
        later = self.today + timedelta(days=300)
        for row, values in (
            (ended, {}),
            (short, {"kind": "temporary", "date_to": later}),
            (short, {"date_from": self.tomorrow}),
        ):
            with self.assertRaisesRegex(AccessError, "beyond your authority"), self.cr.savepoint():
                self._grant(5000, replaces_id=row.id, **values)
        short.with_user(self.manager).write({"replaces_id": ended.id})
        self.assertFalse(short.replaces_id)
        with self.assertRaisesRegex(AccessError, "beyond your authority"):
            short.with_user(self.manager).date_to = later

    def test_one_row_takes_the_place_of_a_limit_without_authority_and_not_several(self):
        days = {"kind": "temporary", "date_to": self.tomorrow}
        granted = self._grant(5000, **days)
        self._make_authority(100)
        vals = {"buyer_id": self.buyer.id, "currency_id": granted.currency_id.id, "date_from": self.today, **days}
        limits = self.env["credit.insurance.own.limit"].with_user(self.manager)
        with self.assertRaisesRegex(AccessError, "beyond your authority"), self.cr.savepoint():
            limits.create([vals | {"amount": 5000, "replaces_id": granted.id}] * 2)
        limits.create(vals | {"amount": 4000, "replaces_id": granted.id})

    def test_authority_used_is_on_record(self):
        self.assertIn("1,000", self._make_authority(1000).display_name)
        self.assertIn("1,000", self._grant(900).authority)

    def test_limit_of_a_group_or_of_a_buyer_but_not_of_both_or_none(self):
        group = self.env["credit.insurance.group"].create({"name": "Group"})
        row = self._grant(10, buyer_id=False, group_id=group.id)
        self.assertFalse(row.company_id)
        for holders in ({"group_id": group.id}, {"buyer_id": False}):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
                self._grant(10, **holders)

    # === EXPLANATION === #

    def test_every_row_is_explained(self):
        policy = self._make_policy()
        self._make_cover(policy, self.buyer, 500, effective_from=self.today - timedelta(days=20))
        self._make_cover(policy, self.buyer, 800, effective_from=self.today - timedelta(days=2))
        self._grant(100, date_from=self.today - timedelta(days=9), date_to=self.yesterday)
        self._grant(300)
        self._grant(50, kind="temporary", date_from=self.tomorrow, date_to=self.tomorrow)
        page = self._explain()
        told = {(line.source_kind, line.row_amount): (line.code, line.counted_amount) for line in page.line_ids}
        own, cover = "credit.insurance.own.limit", "credit.insurance.cover"
        self.assertEqual(
            told,
            {
                (own, 100): ("expired", 0),
                (own, 300): ("counted", 300),
                (own, 50): ("not_yet", 0),
                (cover, 500): ("superseded", 0),
                (cover, 800): ("counted", 800),
            },
        )
        self.assertEqual((page.limit_amount, sum(page.line_ids.mapped("counted_amount"))), (1100, 1100))
        self.assertEqual(self._explain(self.today - timedelta(days=5)).limit_amount, 600)
        self.assertEqual(self._explain(self.tomorrow).limit_amount, 1150)

    # === A POLICY'S DAYS === #

    def _insured_on(self, *covers, day=None, **policy):
        """What the policy insures on a day: covers are ``(days from today, amount, values)``, in order of record."""
        policy = self._make_policy(**{name: self.today + timedelta(days=days) for name, days in policy.items()})
        for days, amount, values in covers:
            self._make_cover(policy, self.buyer, amount, effective_from=self.today + timedelta(days=days), **values)
        return self._explain(day).limit_amount

    def test_of_covers_older_than_their_policy_the_latest_counts(self):
        self.assertEqual(self._insured_on((-20, 300, {}), (-30, 1000, {}), date_start=-10), 300)

    def test_withdrawal_older_than_the_policy_does_not_outlive_the_cover_after_it(self):
        withdrawn = -40, 0, {"status": "withdrawn"}
        granted = -20, 1000, {"decided_on": self.today - timedelta(days=25)}
        self.assertEqual(self._insured_on(withdrawn, granted, date_start=-10), 1000)

    def test_cover_that_ran_out_before_its_policy_began_does_not_bring_back_the_one_before_it(self):
        ran_out = -30, 500, {"effective_to": self.today - timedelta(days=25)}
        self.assertEqual(self._insured_on((-40, 1000, {}), ran_out, date_start=-20), 0)

    def test_cover_of_a_day_before_its_policy_counts_on_no_day(self):
        ran_out = -30, 500, {"effective_to": self.today - timedelta(days=25)}
        self.assertEqual(self._insured_on(ran_out, day=self.today - timedelta(days=25), date_start=-20), 0)

    def test_cover_that_begins_after_its_policy_ended_never_counts(self):
        self.assertEqual(self._insured_on((-20, 500, {}), (5, 9000, {}), date_end=0), 500)

    def test_discretionary_limit_that_begins_after_its_policy_ended_never_counts(self):
        policy = self._make_policy(discretionary_maximum=1000, discretionary_report_months=12, date_end=self.today)
        self._make_discretionary(policy, self.buyer, date_from=self.tomorrow)
        for day in (self.today, self.tomorrow):
            self.assertEqual(self._explain(day).limit_amount, 0)

    def test_basis_of_the_limit_is_stated_where_it_is_shown(self):
        for model in (self.buyer, self._explain()):
            self.assertIn("tax included", model._fields["limit_amount"].help)

    def test_each_state_of_a_limit_is_told_apart(self):
        policy = self._make_policy(discretionary_maximum=1000, discretionary_payments=0, discretionary_report_months=12)
        states = {
            "not_checked": {},
            "amount": {"status": "approved", "amount": 10},
            "zero": {"status": "approved", "amount": 0},
            "refused": {"status": "refused", "amount": 0},
            "withdrawn": {"status": "withdrawn", "amount": 0},
            "expired": {"status": "approved", "amount": 10, "effective_to": self.yesterday},
            "unknown": {"status": "unknown", "amount": 0},
            "stale": {"status": "approved", "amount": 10, "fetched_at": "2020-01-01"},
            "void": {},
        }
        self.company.credit_stale_data = "none"
        labels = dict(self.env["credit.insurance.buyer"]._fields["limit_state"]._description_selection(self.env))
        for state, cover in states.items():
            partner = self.env["res.partner"].create({"name": state, "is_company": True})
            buyer = self._make_buyer(partner=partner)
            if cover:
                start = self.today - timedelta(days=9)
                self.env["credit.insurance.cover"].create(
                    {
                        "buyer_id": buyer.id,
                        "policy_id": policy.id,
                        "currency_id": policy.currency_id.id,
                        "effective_from": start,
                        **cover,
                    }
                )
            if state == "void":
                self._make_discretionary(policy, buyer)
                buyer.write({"adverse_since": self.today, "adverse_source": "Returned cheque"})
            with Form(buyer.with_user(self.officer)) as form:
                self.assertEqual(form.limit_state, state)
            self.assertEqual(self._explain(buyer=buyer).limit_state, state)
            self.assertTrue(labels[state])
        self.company.credit_unchecked_buyers = "no_credit"
        self.assertEqual(self._make_buyer(partner=self.partner).limit_state, "no_credit")

    # === REVIEWS === #

    def test_review_is_due_a_year_after_the_limit_began(self):
        self.company.credit_limit_review_months = 12
        old = self._grant(1000, date_from=self.today - timedelta(days=400))
        self._grant(10, kind="temporary", date_to=self.tomorrow)
        due = self.env["credit.insurance.own.limit"].search(
            [("review_due", "=", True), ("buyer_id", "=", self.buyer.id)]
        )
        self.assertEqual(due, old)
        self.assertTrue(old.review_due)
        old.with_user(self.manager).action_reviewed()
        self.assertFalse(old.review_due)
        self.assertEqual((old.amount, old.reviewed_on), (1000, self.today))

    def test_reviewer_of_many_limits_gets_one_activity(self):
        limits = self.env["credit.insurance.own.limit"]
        limits.search([]).next_review = False
        partners = self.env["res.partner"].create([{"name": f"P{number}", "is_company": True} for number in range(7)])
        for partner in partners:
            buyer = self._make_buyer(partner=partner)
            limits.create(
                {
                    "buyer_id": buyer.id,
                    "amount": 1,
                    "reviewer_id": self.manager.id,
                    "date_from": self.today - timedelta(days=500),
                }
            )
        few = self._grant(9, date_from=self.today - timedelta(days=500), reviewer_id=self.env.user.id)
        for _day in range(2):
            limits._cron_remind_reviewers()
        activities = self.env["mail.activity"].search([("res_model", "=", limits._name)])
        self.assertEqual(len(activities.filtered(lambda act: act.user_id == self.manager)), 1)
        self.assertIn("7", activities.filtered(lambda act: act.user_id == self.manager).summary)
        self.assertEqual(activities.filtered(lambda act: act.res_id == few.id).user_id, self.env.user)

    def test_review_of_who_left_the_credit_team_goes_to_the_responsible(self):
        limits = self.env["credit.insurance.own.limit"]
        limits.search([]).next_review = False
        start = self.today - timedelta(days=500)
        left = self._grant(9, date_from=start, reviewer_id=self.rep.id)
        limits._cron_remind_reviewers()
        self.assertEqual(left.activity_ids.user_id, self.manager)
        self.assertEqual(left.reviewer_id, self.rep)

    def test_adverse_information_needs_a_source(self):
        with self.assertRaises(ValidationError):
            self.buyer.adverse_since = self.today
