"""Asking an insurer for everything it says about our buyers.

One pull per connection at a time, as a chain of short jobs. Each job is one page, in a transaction of its own, so that
a pull that breaks off goes on at the page where it stopped:

    _start -> covers page 1 -> … -> last page of the last policy -> grades, a few hundred buyers a job -> done
                    |                       |
              history rows,          what is missing: only after
              where changed          every page has come
"""

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.credit_insurance.connectors import ConnectorError, Operation
from odoo.addons.queue_job.exception import RetryableJobError

GRADES_PER_JOB = 200
IDLE_PAGES = 3  # pages in a row without anything new, after which a list is taken to be broken
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
    started_at = fields.Datetime(required=True, default=fields.Datetime.now)
    finished_at = fields.Datetime()
    page_ids = fields.One2many("credit.insurance.pull.page", "pull_id")
    cover_count = fields.Integer(string="Covers Received")
    changed_count = fields.Integer(string="Covers Changed")
    grade_count = fields.Integer(string="Grades Changed")
    problem = fields.Text(string="Not Understood", help="What came and could not be taken over, and why.")
    incomplete = fields.Boolean(help="The list of covers ended early: nothing is concluded from what it lacks.")
    error = fields.Text()

    _running_uniq = models.UniqueIndex("(account_id) WHERE state = 'running'", "A pull from this insurer is running.")
    _account_idx = models.Index("(account_id, id DESC)")

    # === START === #

    @api.model
    def _start(self, account):
        """Begin to pull and return the pull; one that is running goes on and is returned instead."""
        pulls = self.sudo()  # history is written by jobs, not by the person who asks for it
        running = pulls.search([("account_id", "=", account.id), ("state", "=", "running")])
        if running and running._has_job():
            return running
        if running:
            running._fail(self.env._("The pull was interrupted; another one was started."))
            running.flush_recordset()
        pull = pulls.create({"account_id": account.id})
        policies = account.sudo()._get_pulled_policies()
        if policies:
            pull._enqueue_covers(policies[0], None, 1)
        else:
            pull._enqueue_grades(0)
        return pull

    def _has_job(self):
        """Whether a job will carry this pull on."""
        domain = [("identity_key", "=like", self._job_key("%")), ("state", "in", LIVE_JOB_STATES)]
        return bool(self.env["queue.job"].sudo().search_count(domain, limit=1))

    def _job_key(self, step):
        return f"credit_insurance.pull-{self.id}-{step}"

    def _delayed(self, step):
        # Never at once, whatever the caller's context says: the context comes from the client.
        pull = self.with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        return pull.with_delay(identity_key=self._job_key(step), description=f"Pull {self.account_id.name}: {step}")

    def _enqueue_covers(self, policy, token, number):
        self._delayed(f"covers {policy.number} page {number}")._job_covers(policy.id, token, number)

    def _enqueue_grades(self, after_id):
        self._delayed(f"grades after {after_id}")._job_grades(after_id)

    # === JOBS === #

    def _job_covers(self, policy_id, token, number):
        """Take over one page of covers, and see that the next one, or what comes after the last, gets its job."""
        if not self._resume():
            return
        policy = self.env["credit.insurance.policy"].browse(policy_id)
        page = self._ask(lambda insurer: insurer.cover_page(policy.number, token))
        self._take_over(policy, token, page)
        if page.next_token:
            self._enqueue_covers(policy, page.next_token, number + 1)
            return
        self._check_complete(policy, page.total)
        policies = self.account_id._get_pulled_policies()
        following = policies.filtered(lambda other: other.id > policy.id)[:1]
        if following:
            self._enqueue_covers(following, None, 1)
        else:
            self._finish_covers()
            self._enqueue_grades(0)

    def _job_grades(self, after_id):
        """Take over the grades of the next few hundred buyers."""
        if not self._resume():
            return
        links = self.env["credit.insurance.buyer.link"].search(
            [("account_id", "=", self.account_id.id), ("id", ">", after_id)], order="id", limit=GRADES_PER_JOB
        )
        numbers = links.mapped("external_id")
        grades = self._ask(lambda insurer: insurer.grades(numbers) if _gives_grades(insurer) else None) if links else ()
        if grades is not None:
            self.grade_count += self.env["credit.insurance.grade"]._take_over(self, links, grades)
        if grades is not None and len(links) == GRADES_PER_JOB:
            self._enqueue_grades(links[-1].id)
        else:
            self._finish(with_grades=grades is not None)

    def _ask(self, call):
        """The insurer's answer to ``call``; what may go well later is left to the job queue to repeat."""
        try:
            with self.account_id._connect() as insurer:
                return call(insurer)
        except ConnectorError as exc:
            message = self.account_id._explain(exc)
            if exc.retryable:
                raise RetryableJobError(message, seconds=_seconds(exc)) from exc
            raise UserError(message) from exc

    def _resume(self):
        """Whether this pull may go on: a failed one may, when its job is run again and no other has begun since."""
        self.ensure_one()
        if self.state == "failed" and not self.search_count(
            [("account_id", "=", self.account_id.id), ("id", ">", self.id)], limit=1
        ):
            self.write({"state": "running", "error": False})
        return self.state == "running"

    # === RESULTS === #

    def _take_over(self, policy, token, page):
        """Write one page into the history. Writing the pull's own row first makes two jobs of one page take turns."""
        self.write({"cover_count": self.cover_count + len(page.items)})
        self.flush_recordset()
        changed, problems = self.env["credit.insurance.cover"]._take_over(self, policy, page.items)
        self.changed_count += changed
        if problems:
            self.problem = "\n".join(filter(None, [self.problem, *problems]))
        references = sorted({cover.cover_id for cover in page.items})
        previous = self.env["credit.insurance.pull.page"].search(
            [("pull_id", "=", self.id), ("policy_id", "=", policy.id)], order="id desc"
        )
        fresh = self._count_fresh(policy, references)
        self.env["credit.insurance.pull.page"].create(
            {
                "pull_id": self.id,
                "policy_id": policy.id,
                "token": token,
                "cover_references": references,
                "fresh_count": fresh,
            }
        )
        if page.next_token and (
            page.next_token in [token, *previous.mapped("token")]
            or not any([fresh, *previous[: IDLE_PAGES - 1].mapped("fresh_count"), len(previous) < IDLE_PAGES - 1])
        ):
            raise UserError(self.env._("The insurer sends the same page of covers again and again."))

    def _count_fresh(self, policy, references):
        """How many of these covers came on no earlier page of this pull."""
        query = SQL(
            """SELECT count(*) FROM unnest(%s::text[]) r(reference)
                WHERE NOT EXISTS (
                     SELECT 1 FROM (%s) seen WHERE seen.policy_id = %s AND seen.reference = r.reference)""",
            references,
            self._seen_sql(),
            policy.id,
        )
        self.env["credit.insurance.pull.page"].flush_model()
        return self.env.execute_query(query)[0][0]

    def _seen_sql(self):
        """The covers that came in this pull: policy_id, reference, each once."""
        return SQL(
            """SELECT DISTINCT p.policy_id, r.reference
                 FROM credit_insurance_pull_page p, jsonb_array_elements_text(p.cover_references) r(reference)
                WHERE p.pull_id = %s""",
            self.id,
        )

    def _check_complete(self, policy, total):
        self.env["credit.insurance.pull.page"].flush_model()
        query = SQL("SELECT count(*) FROM (%s) seen WHERE seen.policy_id = %s", self._seen_sql(), policy.id)
        count = self.env.execute_query(query)[0][0]
        if total is not None and total != count:
            message = self.env._(
                "Policy %(policy)s: the insurer counts %(total)s covers and sent %(count)s.",
                policy=policy.number,
                total=total,
                count=count,
            )
            self.write({"incomplete": True, "problem": "\n".join(filter(None, [self.problem, message]))})

    def _finish_covers(self):
        """Every page has come: note who is missing. Not before: a list that broke off says nothing about absence."""
        if self.incomplete:
            return
        self.env["credit.insurance.buyer.link"]._mark_missing(self)
        self.env["credit.insurance.unlinked.buyer"]._remove_outdated(self)
        self.account_id.covers_pulled_at = self.started_at

    def _finish(self, *, with_grades):
        if with_grades:
            self.account_id.grades_pulled_at = self.started_at
        if self.incomplete:
            self._fail(self.problem)
            return
        self.page_ids.unlink()
        self.write({"state": "done", "finished_at": fields.Datetime.now()})
        self.account_id._record_success()
        # What the insurer said may meet a rule's condition: buyers are screened as soon as it is known.
        self.env["credit.insurance.screening"]._enqueue(self.account_id.link_ids.buyer_id)

    def _fail(self, message):
        """Record on the pull and on the connection that the last data stay as they are, and why."""
        self.write({"state": "failed", "finished_at": fields.Datetime.now(), "error": message})
        self.account_id._record_failure(message)

    def _on_job_failed(self, exc_message=None, **_traceback):
        """Called by queue_job when a job of this pull has failed for good, in a transaction of its own."""
        self.filtered(lambda pull: pull.state == "running")._fail(exc_message or self.env._("The pull failed."))

    @api.autovacuum
    def _gc_pages(self):
        """Pages of failed pulls are kept while a person may run the failed job again."""
        ended = SQL(
            "SELECT id FROM credit_insurance_pull WHERE state <> 'running' AND finished_at < now() - interval '7 days'"
        )
        self.env["credit.insurance.pull.page"].search([("pull_id", "in", ended)]).unlink()


class CreditInsurancePullPage(models.Model):
    """One page that came, until its pull is done: what was seen is known even when it changed nothing."""

    _name = "credit.insurance.pull.page"
    _description = "Page of a Pull"
    _order = "id"

    pull_id = fields.Many2one("credit.insurance.pull", required=True, ondelete="cascade", index=True)
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="cascade")
    token = fields.Char()
    cover_references = fields.Json(help="The insurer's references of the covers on the page.")
    fresh_count = fields.Integer(help="How many of them came on no earlier page.")


def _gives_grades(insurer):
    return Operation.GRADES in insurer.capabilities()


def _seconds(exc):
    """How long the insurer asks us to wait, in whole seconds, or None."""
    wait = getattr(exc, "retry_after", None)
    return int(wait) + 1 if wait else None
