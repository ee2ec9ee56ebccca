"""The lists that a pull reads. How a page is asked for, beside the caller's thread, and how it is taken over.

``ask`` runs in another thread than the rest: it uses what ``__init__`` read and never the database.
"""

from datetime import timedelta
from typing import NamedTuple

from odoo.tools import SQL

from odoo.addons.credit_insurance.connectors import Grade, Operation, Page, Unread

IDLE_PAGES = 3  # pages in a row without anything new, after which a list is taken to be broken
LINKS_AT_ONCE = 20_000
# Clocks differ, and an insurer may date a change a day before it can be read.
OVERLAP = timedelta(days=2)
# Changes do not tell who lost his grade: all are asked for once in so many days.
FULL_GRADES_DAYS = 30
REQUESTS = "credit.insurance.cover.request"


class _List:
    """A list of one connection. Subclasses say which calls it answers and what to do with a page."""

    operations = ()
    idle_pages = IDLE_PAGES

    def __init__(self, pull, insurer, policy):
        self.pull = pull
        self.insurer = insurer
        self.policy = policy
        self.number = policy.number

    @classmethod
    def can(cls, pull, operation):
        return operation in pull.account_id._get_capabilities()

    @classmethod
    def of_each_policy(cls, pull, kind):
        return [[kind, policy.id] for policy in pull.account_id.sudo()._get_pulled_policies()]

    def goes_on(self, page):
        """Whether this reader knows enough to ask for the page after this one."""
        return True

    def finish(self, page):
        """Called in the transaction of the last page."""


class CoverList(_List):
    operations = (Operation.COVER_PAGE,)

    @classmethod
    def plan(cls, pull):
        if not cls.can(pull, Operation.COVER_PAGE):
            return []
        covers = cls.of_each_policy(pull, "covers")
        return [*covers, ["covers_end", False]] if covers else []

    def ask(self, token):
        return self.insurer.cover_page(self.number, token)

    def take_over(self, page):
        pull = self.pull
        fresh = pull._take_over_covers(self.policy, page.items)
        pull.idle_count = 0 if fresh else pull.idle_count + 1
        pull._note_unread(page.unread)
        if not all(entry.buyer_id for entry in page.unread):  # it may be about anybody who is missing
            pull.incomplete = True

    def finish(self, page):
        count = self.pull._count_seen(self.policy)
        if page.total is not None and not count <= page.total <= count + self.pull.unread_count:
            self.pull._note_problems([
                self.pull.env._(
                    "Policy %(policy)s: the insurer counts %(total)s covers and sent %(count)s.",
                    policy=self.number,
                    total=page.total,
                    count=count,
                )
            ])  # fmt: skip
            self.pull.incomplete = True


class _OnePage(NamedTuple):
    next_token: None = None


class CoversEnd(_List):
    """After the covers of every policy: who is missing. Not before, and not from a list that broke off."""

    @classmethod
    def plan(cls, pull):
        return []

    def ask(self, token):
        return _OnePage()

    def take_over(self, page):
        pull = self.pull
        if not pull.incomplete:
            # Of what was written a moment ago there are no statistics: as many rows as there are, joined by hashing.
            pull.env.cr.execute("SET LOCAL enable_nestloop = off")
            pull.env["credit.insurance.buyer.link"]._mark_missing(pull)
            pull.env["credit.insurance.unlinked.buyer"]._remove_outdated(pull)
            pull.account_id.covers_pulled_at = pull.started_at


class GradePage(NamedTuple):
    """The grades of some linked buyers; the token is the id of the last of them."""

    link_ids: list
    grades: tuple[Grade, ...]
    next_token: str | None
    unread: tuple[Unread, ...]


class GradeList(_List):
    """The grades of all linked buyers, asked for by their numbers."""

    operations = (Operation.GRADES, Operation.GRADE_CHANGES)

    @classmethod
    def plan(cls, pull):
        if not cls.can(pull, Operation.GRADES) or GradeChangeList.applies(pull):
            return []
        return [["grades", False]]

    def __init__(self, pull, insurer, policy):
        super().__init__(pull, insurer, policy)
        self.first = int(pull.token or 0)
        self.links = pull.env.execute_query(self._links_sql())
        self.places = {link_id: place for place, (link_id, _number) in enumerate(self.links, 1)}

    def _links_sql(self):
        return SQL(
            """
            SELECT l.id, l.external_id FROM credit_insurance_buyer_link l
             WHERE l.account_id = %s AND l.id > %s AND %s ORDER BY l.id LIMIT %s
            """,
            self.pull.account_id.id,
            self.first,
            self._which(),
            LINKS_AT_ONCE,
        )

    def _which(self):
        return SQL("l.external_id = ANY(%s)", self.pull.wanted) if self.pull.wanted else SQL("TRUE")

    def goes_on(self, page):
        return page.link_ids[-1] != self.links[-1][0]

    def ask(self, token):
        start = self.places.get(int(token or 0), 0)
        links = self.links[start : start + self.insurer.grades_at_once]
        page = self.insurer.grade_page([number for _id, number in links]) if links else Page(())
        rest = start + len(links) < len(self.links) or len(self.links) == LINKS_AT_ONCE
        token = str(links[-1][0]) if rest else None
        return GradePage([link_id for link_id, _number in links], page.items, token, page.unread)

    def take_over(self, page):
        pull = self.pull
        links = pull.env["credit.insurance.buyer.link"].browse(page.link_ids)
        pull.grade_count += pull.env["credit.insurance.grade"]._take_over(pull, links, page.grades)
        pull._note_unread(page.unread)

    def finish(self, page):
        if not self.pull.wanted:
            day = self.pull.started_at
            self.pull.account_id.write({"grades_pulled_at": day, "grades_listed_at": day})


class NewGradeList(GradeList):
    """Grades of the buyers that were linked since the last pull: lists of changes may not have them."""

    operations = ()

    @classmethod
    def plan(cls, pull):
        return []

    def _which(self):
        # A day more, because a link may have been written by a transaction that began long before it ended.
        since = self.pull.account_id.grades_pulled_at - timedelta(days=1)
        return SQL("l.create_date >= %s", since)

    def finish(self, page):
        self.pull.account_id.grades_pulled_at = self.pull.started_at


class GradeChangeList(_List):
    """What changed of the grades since the last time, where the insurer tells it."""

    operations = (Operation.GRADES, Operation.GRADE_CHANGES)

    @classmethod
    def applies(cls, pull):
        account = pull.account_id
        listed = account.grades_listed_at
        recent = listed and listed > pull.started_at - timedelta(days=FULL_GRADES_DAYS)
        both = cls.can(pull, Operation.GRADE_CHANGES) and cls.can(pull, Operation.GRADES)
        return bool(both and account.grades_pulled_at and recent and not pull.wanted)

    @classmethod
    def plan(cls, pull):
        if not cls.applies(pull):
            return []
        return [*cls.of_each_policy(pull, "grade_changes"), ["new_grades", False]]

    def __init__(self, pull, insurer, policy):
        super().__init__(pull, insurer, policy)
        self.since = (pull.account_id.grades_pulled_at - OVERLAP).date()

    def ask(self, token):
        return self.insurer.grade_changes(self.number, self.since, token)

    def take_over(self, page):
        pull = self.pull
        pull._take_over_grades(page.items)
        pull.idle_count = 0 if page.items else pull.idle_count + 1
        pull._note_unread(page.unread)
        if page.unread:
            pull.account_id.grades_listed_at = False  # what changed is not told again: the next pull asks for all


class RequestList(_List):
    """The requests that the insurer has not decided yet."""

    operations = (Operation.COVER_REQUEST_PAGE,)

    @classmethod
    def plan(cls, pull):
        if REQUESTS not in pull.env or not cls.can(pull, Operation.COVER_REQUEST_PAGE):
            return []
        return cls.of_each_policy(pull, "requests")

    def ask(self, token):
        return self.insurer.cover_request_page(self.number, token)

    def take_over(self, page):
        self.pull.request_count += len(page.items)
        self.pull.idle_count = 0 if page.items else self.pull.idle_count + 1
        self.pull.env[REQUESTS]._take_over_states(self.pull.account_id, page.items)
        self.pull._note_unread(page.unread)


# In the order in which a pull reads them.
LISTS = {
    "covers": CoverList,
    "covers_end": CoversEnd,
    "grades": GradeList,
    "grade_changes": GradeChangeList,
    "new_grades": NewGradeList,
    "requests": RequestList,
}
