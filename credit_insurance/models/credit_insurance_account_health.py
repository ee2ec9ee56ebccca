"""How a connection fares: success, errors and speed by operation, and what waits in the queue."""

from collections import Counter

from odoo import api, fields, models
from odoo.tools import SQL

from .connector_words import label_of

WINDOW_DAYS = 7
WAITING = ("wait_dependencies", "pending", "enqueued", "started")
JOBS_LOOKED_AT = 2_000
# Jobs of a model, not of records: their first argument is the connection.
NAMES_ACCOUNT = ("_job_match", "_job_follow_up", "_job_watch")


class CreditInsuranceAccountHealth(models.Model):
    """One row for each operation of each connection, from the recorded exchanges; of 7 days, the last times of all."""

    _name = "credit.insurance.account.health"
    _description = "State of an Insurer Connection"
    _auto = False
    _order = "account_id, operation"
    _rec_name = "operation"

    account_id = fields.Many2one("credit.insurance.account", string="Connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    operation = fields.Char(string="Technical Name", readonly=True)
    label = fields.Char(string="Operation", compute="_compute_label")
    last_success = fields.Datetime(readonly=True)
    last_failure = fields.Datetime(readonly=True)
    last_error = fields.Text(readonly=True)
    call_count = fields.Integer(string="Calls, 7 Days", readonly=True)
    failure_count = fields.Integer(string="Failures, 7 Days", readonly=True)
    failure_rate = fields.Float(readonly=True, aggregator="avg")
    seconds = fields.Float(string="Seconds on Average", readonly=True, digits=(10, 2), aggregator="avg")

    @property
    def _table_query(self):
        recent = SQL("e.started_at > now() AT TIME ZONE 'UTC' - make_interval(days => %s)", WINDOW_DAYS)
        failed = SQL("e.outcome <> 'answered'")
        return SQL(
            """
            SELECT MIN(e.id) AS id, e.account_id, e.company_id, e.operation,
                   MAX(e.started_at) FILTER (WHERE e.outcome = 'answered') AS last_success,
                   MAX(e.started_at) FILTER (WHERE %(failed)s) AS last_failure,
                   (array_agg(COALESCE(NULLIF(e.error, ''), 'HTTP ' || e.status) ORDER BY e.id DESC)
                    FILTER (WHERE %(failed)s))[1] AS last_error,
                   COUNT(*) FILTER (WHERE %(recent)s) AS call_count,
                   COUNT(*) FILTER (WHERE %(recent)s AND %(failed)s) AS failure_count,
                   COUNT(*) FILTER (WHERE %(recent)s AND %(failed)s)::float8
                   / NULLIF(COUNT(*) FILTER (WHERE %(recent)s), 0) AS failure_rate,
                   AVG(e.seconds) FILTER (WHERE %(recent)s) AS seconds
              FROM credit_insurance_exchange e
             GROUP BY e.account_id, e.company_id, e.operation
            """,
            recent=recent,
            failed=failed,
        )

    @api.depends("operation")
    @api.depends_context("lang")
    def _compute_label(self):
        for row in self:
            row.label = label_of(self.env, row.operation)


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    health_ids = fields.One2many(
        "credit.insurance.account.health",
        "account_id",
        string="Operations",
        readonly=True,
        groups="credit_insurance.credit_insurance_group_admin",
    )
    waiting_count = fields.Integer(compute="_compute_queue", compute_sudo=True, string="Waiting Jobs")
    failed_count = fields.Integer(compute="_compute_queue", compute_sudo=True, string="Failed Jobs")
    failure_rate = fields.Float(
        compute="_compute_failure_rate", compute_sudo=True, help="Share of the calls of the last 7 days that failed."
    )

    def _compute_failure_rate(self):
        groups = self.env["credit.insurance.account.health"]._read_group(
            [("account_id", "in", self.ids)], ["account_id"], ["call_count:sum", "failure_count:sum"]
        )
        sums = {account.id: (calls, failures) for account, calls, failures in groups}
        for account in self:
            calls, failures = sums.get(account._origin.id, (0, 0))
            account.failure_rate = failures / calls if calls else 0.0

    def _compute_queue(self):
        counts = self._count_jobs()
        for account in self:
            account.waiting_count = counts[account._origin.id, True]
            account.failed_count = counts[account._origin.id, False]

    @api.model
    def _count_jobs(self):
        """``{(account id, waiting?): number}`` of the latest jobs that wait or have failed."""
        domain = [("model_name", "=like", "credit.insurance.%"), ("state", "in", (*WAITING, "failed"))]
        jobs = self.env["queue.job"].search(domain, order="id desc", limit=JOBS_LOOKED_AT)
        counts = Counter()
        for job in jobs:
            for account in self._get_accounts_of(job):
                counts[account.id, job.state != "failed"] += 1
        return counts

    @api.model
    def _get_accounts_of(self, job):
        """The connections on which this job calls."""
        if job.method_name in NAMES_ACCOUNT:
            return self.browse(job.args[0]).exists()
        records = job.records.exists()
        if records._name == self._name:
            return records
        if "account_id" in records._fields:
            return records.account_id
        return records.policy_id.account_id if "policy_id" in records._fields else self.browse()

    # === ACTIONS === #

    def action_open_exchanges(self):
        return self._open("credit_insurance.credit_insurance_exchange_action")

    def action_open_jobs(self):
        """The jobs of all insurer connections that wait or have failed."""
        action = self.env["ir.actions.act_window"]._for_xml_id("queue_job.action_queue_job")
        domain = [("model_name", "=like", "credit.insurance.%"), ("state", "in", (*WAITING, "failed"))]
        return {**action, "domain": domain, "context": {}}
