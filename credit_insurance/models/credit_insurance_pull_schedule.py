"""When connections are asked for what is new: each by itself, so that not all insurers are asked at the same time."""

from datetime import timedelta

from odoo import api, fields, models

from . import credit_insurance_account  # noqa: F401 (has to be loaded first)
from .pull_lists import LISTS

STARTED_AT_ONCE = 3


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    pull_hours = fields.Integer(string="Ask Every (hours)", default=24, help="How often everything is asked for.")
    next_pull_at = fields.Datetime(
        string="Next Pull", readonly=True, copy=False, help="Empty: at the next opportunity."
    )
    grades_listed_at = fields.Datetime(
        string="All Grades As Of",
        readonly=True,
        copy=False,
        help="When the grades of all buyers were asked for last. Between, only changes are, where they are told.",
    )

    can_pull = fields.Boolean(compute="_compute_can_pull", help="Whether the insurer can be asked for anything.")

    _pull_hours_positive = models.Constraint("CHECK(pull_hours > 0)", "Ask at least once in some hours.")

    @api.depends("connector")
    def _compute_can_pull(self):
        asked = {operation for reader in LISTS.values() for operation in reader.operations}
        for account in self:
            account.can_pull = bool(asked & account._get_capabilities())

    @api.model
    def _cron_pull(self):
        """Start what is due, a few connections at a time; one that cannot start does not stop the others."""
        now = fields.Datetime.now()
        due = self.search(
            [("state", "!=", "disabled"), "|", ("next_pull_at", "=", False), ("next_pull_at", "<=", now)],
            order="next_pull_at NULLS FIRST, id",
        )
        started, pulls = 0, self.env["credit.insurance.pull"]
        for account in due.filtered("can_pull"):
            running = pulls._get_running(account)
            if running and running._has_job():
                continue  # it may be a narrow one: this one stays due
            if refusal := account._get_refusal():
                account._record_failure(refusal)
            elif started < STARTED_AT_ONCE:
                started += 1
                pulls._start(account)
            else:
                continue
            account.next_pull_at = now + timedelta(hours=account.pull_hours)
