"""Asking an insurer for everything it says about our buyers.

A pull is a plan of lists, read one after the other, page by page:

    covers of each policy -> grades, or what changed of them -> undecided requests of each policy -> done
          |
    history rows, where changed; what is missing: only after every page has come

Each page is committed with the place of the next one, so a pull that breaks off, or whose process is killed, goes on
at the page where it stopped. A job reads pages for a while and leaves the rest to the next job; while a page is
written the next one is read (``read_ahead``).
"""

from datetime import timedelta
from time import monotonic

from psycopg2.errors import UniqueViolation

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime, mute_logger

from odoo.addons.credit_insurance.connectors import ConnectorError
from odoo.addons.queue_job.exception import RetryableJobError

from .pull_lists import LISTS
from .read_ahead import read_ahead

JOB_SECONDS = 30  # well below the time after which a worker is stopped
RETRY_SECONDS = 60
PROBLEMS_TOLD = 50  # of one page
LIVE_JOB_STATES = ("wait_dependencies", "pending", "enqueued", "started")


class CreditInsurancePull(models.Model):
    _name = "credit.insurance.pull"
    _description = "Pull From an Insurer"
    _order = "started_at desc, id desc"
    _rec_name = "started_at"

    account_id = fields.Many2one("credit.insurance.account", string="Connection", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    state = fields.Selection(
        [("running", "Running"), ("done", "Done"), ("failed", "Failed")], default="running", required=True
    )
    place = fields.Char(help="Where the connection led when it began: a page of another place is none of this pull's.")
    started_at = fields.Datetime(required=True, default=fields.Datetime.now)
    finished_at = fields.Datetime()
    plan = fields.Json(help="The lists to read, in order: [kind, id of the policy or false].")
    wanted = fields.Json(help="The insurer's numbers of the buyers whose grades are asked for; empty: of all.")
    position = fields.Integer(help="The list of the plan that is being read.")
    token = fields.Char(help="The insurer's mark of the page that comes next; empty at the start of a list.")
    page_count = fields.Integer(string="Pages Read")
    idle_count = fields.Integer(help="Pages in a row that brought nothing new.")
    cover_count = fields.Integer(string="Covers Received")
    changed_count = fields.Integer(string="Covers Changed")
    grade_count = fields.Integer(string="Grades Changed")
    request_count = fields.Integer(string="Requests Received")
    problem = fields.Text(string="Not Understood", help="What came and could not be taken over, and why.")
    incomplete = fields.Boolean(help="A list ended early: nothing is concluded from what it lacks.")
    unread_count = fields.Integer(
        string="Entries Not Understood", help="What is known of their buyers stays, and grows old."
    )
    error = fields.Text()

    _running_uniq = models.UniqueIndex("(account_id) WHERE state = 'running'", "A pull from this insurer is running.")
    _account_idx = models.Index("(account_id, id DESC)")

    @api.depends("started_at")
    @api.depends_context("lang", "uid")
    def _compute_display_name(self):
        for pull in self:
            pull.display_name = format_datetime(self.env, pull.started_at)

    # === START === #

    @api.model
    def _start(self, account, operations=None, buyer_ids=()):
        """Begin to pull and return the pull; one that is running goes on and is returned instead. Empty where another
        transaction has begun one at this moment.

        :param operations: names of the calls whose answers are wanted; without them all lists are read
        :param buyer_ids: the insurer's numbers of the buyers whose grades are wanted; without them those of all
        """
        pulls = self.sudo()  # history is written by jobs, not by the person who asks for it
        running = pulls._get_running(account)
        if running and running._has_job():
            return running
        running._end_interrupted()
        vals = {"account_id": account.id, "wanted": list(buyer_ids) or False, "place": account._get_place()}
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                pull = pulls.create(vals)
        except UniqueViolation:
            return pulls.browse()
        pull.plan = pull._make_plan(operations)
        pull._enqueue()
        return pull

    @api.model
    def _get_running(self, account):
        return self.search([("account_id", "=", account.id), ("state", "=", "running")])

    def _end_interrupted(self):
        """Before another one begins: no job carries this one on."""
        if self:
            self._fail(self.env._("The pull was interrupted; another one was started."))
            self.flush_recordset()

    def _make_plan(self, operations=None):
        """The lists this insurer gives, in the order in which they are read."""
        return [
            step
            for reader in LISTS.values()
            if operations is None or set(reader.operations) & set(operations)
            for step in reader.plan(self)
        ]

    def _has_job(self):
        """Whether a job will carry this pull on."""
        domain = [("identity_key", "=like", self._job_key("%")), ("state", "in", LIVE_JOB_STATES)]
        return bool(self.env["queue.job"].sudo().search_count(domain, limit=1))

    def _job_key(self, page):
        return f"credit_insurance.pull-{self.id}-{page}"

    def _enqueue(self, seconds=0):
        """A job that goes on from where this pull stands, not before ``seconds`` from now."""
        # Never at once, whatever the caller's context says: the context comes from the client.
        pull = self.with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        pull.with_delay(
            eta=timedelta(seconds=seconds) if seconds else None,
            identity_key=self._job_key(self.page_count),
            description=f"Pull {self.account_id.name}: from page {self.page_count + 1}",
        )._job_pages()

    # === JOBS === #

    def _job_pages(self):
        """Go on with this pull for as long as a job may take. Runs in a cursor of its own and commits every page."""
        if not self._resume():
            return
        if self._is_elsewhere():
            self._fail(self.env._("The connection was switched meanwhile: ask anew."))
            return
        before, end = self.page_count, monotonic() + JOB_SECONDS
        try:
            self._read_lists(lambda: monotonic() < end)
        except ConnectorError as exc:
            message = self.account_id._explain(exc)
            if not exc.retryable:
                raise UserError(message) from exc
            wait = _seconds(exc)
            if self.page_count == before:
                raise RetryableJobError(message, seconds=wait) from exc
            # What came before is kept, and a pull that gets on does not use up its tries.
            self._enqueue(seconds=wait or RETRY_SECONDS)
            return
        if self.state == "running":
            self._enqueue()

    def _read_lists(self, go_on):
        """Read and write pages until the plan is done or ``go_on`` says no, in the middle of a list if need be."""
        if self.position < len(self.plan):
            with self.account_id._connect() as insurer:
                first = True
                while self.state == "running" and self.position < len(self.plan) and (first or go_on()):
                    first = False
                    self._read_list(insurer, go_on)
        if self.state == "running" and self.position >= len(self.plan):
            self._finish()

    def _read_list(self, insurer, go_on):
        position = self.position
        reader = self._get_reader(insurer)
        if not reader:
            self._next_list()
            return
        for token, page in read_ahead(reader.ask, self.token or None, lambda page: go_on() and reader.goes_on(page)):
            if not self._lock_page(position, token):
                return
            reader.take_over(page)
            self._turn_page(reader, token, page)
            self._keep_page()
            if self.position != position or self.state != "running":
                return

    def _get_reader(self, insurer):
        """How the list in hand is read, or None when its policy was deleted meanwhile."""
        kind, policy_id = self.plan[self.position]
        policy = self.env["credit.insurance.policy"].browse(policy_id or ()).exists()
        if policy_id and not policy:
            return None
        return LISTS[kind](self, insurer, policy)

    def _lock_page(self, position, token):
        """Make two jobs of one pull take turns; whether this page is still the one that is to be written."""
        self.flush_recordset()
        if not self.try_lock_for_update(allow_referencing=True):
            raise RetryableJobError("Another job is writing a page of this pull", seconds=10, ignore_retry=True)
        self.invalidate_recordset(["state", "position", "token"])
        here = not self._is_elsewhere()
        return self.state == "running" and (self.position, self.token or None) == (position, token) and here

    def _is_elsewhere(self):
        """Whether the connection was switched since this pull began."""
        return bool(self.place) and self.place != self.account_id._get_place()

    def _turn_page(self, reader, token, page):
        """Note where the next page is; after the last one of a list, what follows from its having ended."""
        self.page_count += 1
        if page.next_token is None:
            reader.finish(page)
            self._next_list()
            return
        if page.next_token == token or self.idle_count >= reader.idle_pages:
            raise UserError(self.env._("The insurer sends the same page again and again."))
        self.token = page.next_token

    def _next_list(self):
        self.write({"position": self.position + 1, "token": False, "idle_count": 0})

    def _keep_page(self):
        """A page is kept by itself: what breaks off later does not undo it. The next one sees what others did."""
        self.env.flush_all()
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self.env.invalidate_all(flush=False)

    def _resume(self):
        """Whether this pull may go on: a failed one may, when its job is run again and no other has begun since."""
        self.ensure_one()
        if self.state == "failed" and not self.search_count(
            [("account_id", "=", self.account_id.id), ("id", ">", self.id)], limit=1
        ):
            self.write({"state": "running", "error": False})
        return self.state == "running"

    # === RESULTS === #

    def _take_over_covers(self, policy, covers):
        """Covers of one policy, as ``connectors.Cover``; how many of them this pull had not read before."""
        self.cover_count += len(covers)
        problems = self.env["credit.insurance.cover"]._find_problems(policy, covers)
        good = [cover for cover in covers if cover.cover_id not in problems]
        changed, ambiguous = self.env["credit.insurance.cover"]._take_over(self, policy, good)
        self.changed_count += changed
        self._note_problems(ambiguous)
        self._note_not_taken({cover.cover_id: cover.buyer_id for cover in covers}, problems)
        return self._mark_seen(policy, {cover.cover_id for cover in good})

    def _take_over_grades(self, grades):
        """Grades of any buyers, as ``connectors.Grade``; the numbers that no buyer has."""
        numbers = {grade.buyer_id for grade in grades}
        domain = [("account_id", "=", self.account_id.id), ("external_id", "in", sorted(numbers))]
        links = self.env["credit.insurance.buyer.link"].search(domain, order="id")
        self.grade_count += self.env["credit.insurance.grade"]._take_over(self, links, grades)
        return sorted(numbers - set(links.mapped("external_id")))

    def _get_told_at(self):
        """Of when the data are that come now."""
        return fields.Datetime.now()

    def _note_problems(self, problems):
        if problems:
            self.problem = "\n".join(filter(None, [self.problem, *problems]))

    def _note_unread(self, entries):
        """Entries of a list that could not be read, as ``connectors.Unread``: each is named, the others count."""
        self.unread_count += len(entries)
        account, told = self.account_id, entries[:PROBLEMS_TOLD]
        names = self._name_buyers(entry.buyer_id for entry in told)
        texts = [
            _join(names.get(entry.buyer_id, entry.buyer_id), entry.number, account._explain(entry.error))
            for entry in told
        ]
        before = (self.problem or "").splitlines()
        self._note_problems([text for text in dict.fromkeys(texts) if text not in before])

    def _note_not_taken(self, buyers, problems):
        """Covers that were read and cannot be taken over. One of somebody who is no buyer of ours is only noted.

        :param buyers: the insurer's number of the buyer of each cover
        :param problems: sentences by cover
        """
        names = self._name_buyers(buyers[cover] for cover in problems)
        self.unread_count += sum(buyers[cover] in names for cover in problems)
        self._note_problems([_join(names.get(buyers[cover]), text) for cover, text in problems.items()])

    def _name_buyers(self, numbers):
        """How our buyers with these numbers of the insurer's are called: ``{number: number and name}``."""
        wanted = sorted({number for number in numbers if number})
        domain = [("account_id", "=", self.account_id.id), ("external_id", "in", wanted)]
        links = self.env["credit.insurance.buyer.link"].search(domain) if wanted else ()
        return {link.external_id: f"{link.external_id} ({link.buyer_id.display_name})" for link in links}

    def _finish(self):
        if self.incomplete or self.unread_count:
            self._fail(self.problem)
            return
        self._forget_marks()
        self.write({"state": "done", "finished_at": fields.Datetime.now()})
        self.account_id._record_success()

    def _fail(self, message):
        """Record on the pull and on the connection that the last data stay as they are, and why."""
        self.write({"state": "failed", "finished_at": fields.Datetime.now(), "error": message})
        self.account_id._record_failure(message)

    def _on_job_failed(self, exc_message=None, **_traceback):
        """Called by queue_job when a job of this pull has failed for good, in a transaction of its own."""
        self.filtered(lambda pull: pull.state == "running")._fail(exc_message or self.env._("The pull failed."))


def _join(*parts):
    return ": ".join(filter(None, parts))


def _seconds(exc):
    """How long the insurer asks us to wait, in whole seconds, or None."""
    wait = getattr(exc, "retry_after", None)
    return int(wait) + 1 if wait else None
