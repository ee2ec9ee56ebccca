"""Pulls in which one buyer's entry is junk: the others land, the one is named, its data stay and grow old."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import Page, RejectedByInsurer, UnexpectedResponse, Unread
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox

from .pull_common import PullCommon


@tagged("post_install", "-at_install")
class TestPullUnread(PullCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.junk = UnexpectedResponse("expected a decimal number, got '50.000'", insurer="sandbox", field="amount")

    def _pull_with(self, spoil):
        """A pull of pages that ``spoil`` changes."""
        ask = Sandbox.cover_page

        def cover_page(insurer, number, token=None):
            return spoil(ask(insurer, number, token))

        with patch.object(Sandbox, "cover_page", cover_page):
            return self._pull()

    def _without(self, page, number, buyer_id):
        """The page, in which the cover of this buyer cannot be read; ``buyer_id`` is what is left of whose it is."""
        good = tuple(cover for cover in page.items if cover.buyer_id != number)
        lost = next(cover for cover in page.items if cover.buyer_id == number)
        return replace(page, items=good, unread=(Unread(self.junk, buyer_id, lost.cover_id),))

    def _age_last_pull(self):
        first = self._pull()
        first.started_at -= timedelta(days=9)
        self.account.sudo().write({"covers_pulled_at": first.started_at, "grades_pulled_at": first.started_at})
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_insurance_cover SET fetched_at = %s", [first.started_at])
        self.env.invalidate_all()
        return first

    def test_junk_of_one_buyer_keeps_the_others_from_nothing(self):
        pull = self._pull_with(lambda page: self._without(page, "1006", "1006"))
        self.assertEqual(len(self._covers(self.atelier)), 1)
        self.assertEqual(len(self._covers(self.lakes)), 1)
        self.assertFalse(self._covers(self.iberia))
        self.assertTrue(self.atelier.grade, "the lists after it are read, too")
        self.assertEqual((pull.state, pull.unread_count), ("failed", 1))
        for word in ("1006 (Iberia Frutas S.L.)", "amount", "50.000"):
            self.assertIn(word, pull.error)
            self.assertIn(word, self.account.last_error)
        self.assertTrue(self.account.activity_ids, "somebody is told")

    def test_what_is_known_of_the_junks_buyer_stays_and_grows_old_alone(self):
        first = self._age_last_pull()
        before = self._covers(self.iberia)
        pull = self._pull_with(lambda page: self._without(page, "1006", "1006"))
        self.assertEqual(self._covers(self.iberia), before)
        self.assertEqual(before.confirmed_at, first.started_at)
        self.assertEqual(self._covers(self.atelier).confirmed_at, pull.started_at)
        self.assertFalse(self.atelier.link_ids.missing_since)
        self.assertEqual(self._pull().state, "done")
        self.assertFalse(self.account.last_error)
        self.assertFalse(self.iberia.link_ids.missing_since)

    def test_nothing_is_concluded_where_nobody_knows_whose_entry_it_is(self):
        first = self._age_last_pull()
        pull = self._pull_with(lambda page: self._without(page, "1006", ""))
        self.assertEqual((pull.state, pull.incomplete), ("failed", True))
        self.assertFalse(self.iberia.link_ids.missing_since)
        self.assertEqual(self.account.covers_pulled_at, first.started_at)

    def test_cover_in_a_currency_that_is_off_is_not_confirmed_by_being_told(self):
        first = self._age_last_pull()
        self.env.ref("base.SEK").active = False

        def turn(page):
            return replace(
                page,
                items=tuple(
                    replace(cover, currency="SEK") if cover.buyer_id == "1006" else cover for cover in page.items
                ),
            )

        pull = self._pull_with(turn)
        self.assertEqual(self._covers(self.iberia).confirmed_at, first.started_at)
        self.assertEqual(self._covers(self.atelier).confirmed_at, pull.started_at)
        for word in ("Iberia", "SEK"):
            self.assertIn(word, self.account.last_error)

    def test_cover_in_a_currency_that_is_off_of_nobody_of_ours_is_noted_and_no_failure(self):
        self.env.ref("base.SEK").active = False

        def add(page):
            return replace(page, items=(*page.items, self._cover("C9", "9009", currency="SEK")), total=None)

        pull = self._pull_with(add)
        self.assertEqual(pull.state, "done")
        self.assertIn("SEK", pull.problem)

    def test_buyer_whom_the_insurer_refuses_keeps_no_other_from_being_graded(self):
        self._pull()
        self.account.sudo().grades_listed_at = fields.Datetime.now() - timedelta(days=40)
        refused = Unread(RejectedByInsurer(insurer="sandbox", code="404", words="Company unknown"), "1006")

        def grade_page(insurer, numbers):
            grades = insurer.grades([number for number in numbers if number != "1006"])
            return Page(tuple(replace(grade, value="9", graded_on=self.today) for grade in grades), unread=(refused,))

        with patch.object(Sandbox, "grade_page", grade_page):
            pull = self._pull()
        self.assertEqual((self.atelier.grade, self.lakes.grade), ("9", "9"))
        self.assertNotEqual(self.iberia.grade, "9")
        self.assertIn("1006", pull.error)
        self.assertIn("Company unknown", pull.error)

    def test_change_of_a_grade_that_cannot_be_read_is_asked_for_by_the_next_pull(self):
        self._pull()
        with patch.object(Sandbox, "grade_changes", lambda *_args: Page((), unread=(Unread(self.junk, "1006"),))):
            self.assertEqual(self._pull().state, "failed")
        self.assertFalse(self.account.grades_listed_at)
