"""A pull page by page: what breaks off, comes twice or out of order; what a page costs; temporary amounts."""

from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import Page, Sent, TransportError
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox
from odoo.addons.credit_insurance.credit_insurance.models.read_ahead import read_ahead
from odoo.addons.queue_job.tests.common import trap_jobs

from .pull_common import PullCommon

PULL = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_pull"
SANDBOX = "odoo.addons.credit_insurance.connectors.sandbox"


@tagged("post_install", "-at_install")
class TestPullPages(PullCommon):
    def test_page_that_comes_again_and_again_ends_the_pull(self):
        with self._pages(lambda _ask, *_args: self._page(["1001"], "more")), self.assertRaisesRegex(UserError, "again"):
            self._pull()

    def test_list_whose_pages_bring_nothing_new_ends_the_pull(self):
        tokens = count()
        with (
            self._pages(lambda _ask, *_args: self._page(["1001"], str(next(tokens)))),
            self.assertRaisesRegex(UserError, "again"),
        ):
            self._pull()
        self.assertLessEqual(next(tokens), 8)

    # === PAGE BY PAGE === #

    @contextmanager
    def _small_pages(self, size=3):
        """Lists of the insurer in pages of a few, and the tokens in the order in which pages were asked for."""
        asked, ask = [], Sandbox.cover_page

        def cover_page(insurer, number, token=None):
            asked.append(token)
            return ask(insurer, number, token)

        with patch(f"{SANDBOX}.PAGE_SIZE", size), patch.object(Sandbox, "cover_page", cover_page):
            yield asked

    @contextmanager
    def _pages(self, answer):
        """Pages made by ``answer``, which gets what the insurer would answer with."""
        ask = Sandbox.cover_page
        with patch.object(
            Sandbox, "cover_page", lambda insurer, number, token=None: answer(partial(ask, insurer, number), token)
        ):
            yield

    def _page(self, numbers, token=None, total=None):
        covers = [self._cover(f"C{number}", number) for number in numbers]
        return Page(tuple(covers), token, total)

    def test_job_that_has_no_time_left_leaves_the_rest_to_the_next(self):
        with self._small_pages() as asked, patch(f"{PULL}.JOB_SECONDS", 0), trap_jobs() as trap:
            pull = self.env["credit.insurance.pull"]._start(self.account)
            self._perform(trap)
            self.assertGreaterEqual(len(trap.calls), 4)
        self.assertEqual((pull.state, pull.cover_count, pull.changed_count), ("done", 8, 3))
        self.assertEqual(len(asked), 3, "no page is asked for twice")

    def test_killed_job_goes_on_at_the_page_where_it_stopped(self):
        kept, keep = [], type(self.env["credit.insurance.pull"])._keep_page

        def kill(pull):
            keep(pull)
            kept.append(pull.token)
            if len(kept) == 2:
                raise KeyboardInterrupt

        with self._small_pages() as asked, trap_jobs() as trap:
            pull = self.env["credit.insurance.pull"]._start(self.account)
            jobs = list(trap.enqueued_jobs)
            with patch.object(type(pull), "_keep_page", kill), suppress(KeyboardInterrupt):
                self._perform(trap)
            self.assertEqual((pull.state, pull.page_count), ("running", 2))
            self.assertTrue(kept[1])
            del asked[:]
            trap.enqueued_jobs = jobs
            self._perform(trap)
        self.assertEqual(asked, [kept[1]])
        self.assertEqual((pull.state, pull.cover_count, pull.changed_count), ("done", 8, 3))

    def test_network_that_dies_between_pages_keeps_what_came_and_starts_no_tries(self):
        def die_once(ask, token):
            if token and not died:
                died.append(token)
                raise TransportError("gone", insurer="sandbox", retryable=True, sent=Sent.NO)
            return ask(token)

        died = []
        with self._small_pages(), self._pages(die_once):
            pull = self._pull()
        self.assertTrue(died)
        self.assertEqual((pull.state, pull.cover_count, pull.changed_count), ("done", 8, 3))

    def test_pages_duplicated_and_out_of_order_count_each_cover_once(self):
        pages = {
            None: ("b", ["1006", "1001"]),
            "b": ("c", ["1001", "1008"]),
            "c": ("d", ["1006"]),
            "d": (None, ["1006"]),
        }

        def answer(_ask, token):
            following, numbers = pages[token]
            return self._page(numbers, following, 3)

        with self._pages(answer):
            pull = self._pull()
        self.assertEqual((pull.state, pull.changed_count), ("done", 3))
        self.assertEqual([len(self._covers(buyer)) for buyer in (self.atelier, self.iberia, self.lakes)], [1, 1, 1])

    def test_second_job_of_the_same_pull_writes_no_page_again(self):
        with trap_jobs() as trap:
            pull = self.env["credit.insurance.pull"]._start(self.account)
            self.assertTrue(pull._lock_page(0, None))
            pull.write({"token": "further"})
            self.assertFalse(pull._lock_page(0, None), "another job has written this page")
            pull.write({"token": False})
            self._perform(trap)
        self.assertEqual(pull.state, "done")

    def test_the_next_page_is_read_while_one_is_written_and_not_more_than_one(self):
        started, written = [], []

        def ask(token):
            started.append(token or 0)
            return Page((), (token or 0) + 1 if (token or 0) < 3 else None)

        for token, _page in read_ahead(ask, None):
            written.append(token or 0)
            self.assertLessEqual(len(started), len(written) + 1)
        self.assertEqual((started, written), ([0, 1, 2, 3], [0, 1, 2, 3]))

    def test_what_the_insurer_answers_wrongly_comes_out_after_the_page_before_it(self):
        def ask(token):
            if token:
                raise ValueError("broken")
            return Page((), "next")

        pages = read_ahead(ask, None)
        self.assertEqual(next(pages)[0], None)
        with self.assertRaisesRegex(ValueError, "broken"):
            next(pages)

    # === HOW MUCH IT COSTS === #

    def test_number_of_queries_does_not_grow_with_the_covers(self):
        for index in range(200):
            self._make_linked_buyer(f"B{index:04d}", f"Buyer {index}")
        with trap_jobs():
            pull = self.env["credit.insurance.pull"]._start(self.account)
        counts = []
        for numbers in (range(2), range(3), range(50), range(200)):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            added = self._take(pull, numbers, amount=str(len(numbers)))
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(added, len(numbers))
        few, many = counts[-2:]  # the first ones fill the caches
        self.assertEqual(few, many)
        self.assertLessEqual(few, 11)

    def test_number_of_queries_of_a_page_without_news_is_small(self):
        pull = self._pull()
        covers = [self._cover(f"C{index}", f"B{index:04d}") for index in range(100)]
        for index in range(100):
            self._make_linked_buyer(f"B{index:04d}", f"Buyer {index}")
        self.env["credit.insurance.cover"]._take_over(pull, self.policy, covers)
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        self.assertEqual(self.env["credit.insurance.cover"]._take_over(pull, self.policy, covers), (0, []))
        self.assertLessEqual(self.env.cr.sql_log_count - before, 2)

    def _take(self, pull, numbers, amount="1"):
        covers = [self._cover(f"C{index}", f"B{index:04d}", amount=Decimal(amount)) for index in numbers]
        return self.env["credit.insurance.cover"]._take_over(pull, self.policy, covers)[0]

    # === TEMPORARY AMOUNTS === #

    def test_temporary_amount_is_a_row_of_its_own_and_ends_when_it_is_told_no_more(self):
        pull = self._pull()
        until = self.today + timedelta(days=30)
        told = self._cover(
            "C9", "1001", temporary_amount=Decimal(500), temporary_from=self.today, temporary_until=until
        )
        self._tell(pull, told)
        permanent, temporary = self._covers(self.atelier).filtered(lambda row: row.external_id == "C9")
        self.assertEqual((permanent.layer, permanent.amount), ("permanent", 1))
        self.assertEqual((temporary.layer, temporary.amount, temporary.effective_to), ("temporary", 500, until))
        self.assertEqual(self._tell(pull, told), 0)
        self.assertEqual(self._tell(pull, self._cover("C9", "1001")), 1)
        last = self._covers(self.atelier)[-1]
        self.assertEqual((last.layer, last.status, last.amount), ("temporary", "expired", 0))
        self.assertEqual(self._tell(pull, self._cover("C9", "1001")), 0)

    def _tell(self, pull, *covers):
        return self.env["credit.insurance.cover"]._take_over(pull, self.policy, covers)[0]
