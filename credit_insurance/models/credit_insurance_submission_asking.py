"""How often insurers are asked how things stand: what was asked longest ago first, so many an hour, evenly spread.

Each kind on each connection has its own number of questions, and their jobs are due one after the other over the hour:
neither a connection nor a kind with many open records keeps the others waiting.
"""

from collections import Counter
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.credit_insurance.connectors import CONNECTORS, Environment

from . import credit_insurance_submission  # noqa: F401 (has to be loaded first)
from .credit_insurance_account_health import WAITING

HOUR = 3600
ASKED_AN_HOUR = 1_000  # of one kind on one connection, where the insurer allows more or says nothing
SHARE = 0.5  # of the calls that the insurer allows; the others are for what people do


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    def _get_questions_an_hour(self):
        """How many questions of one kind may be put in an hour, by the insurer's own limits."""
        kinds = len(self.env["credit.insurance.submission"]._get_submission_models())
        allowed = [
            rate.calls * HOUR / rate.seconds / (1 if rate.per_operation else kinds)
            for rate in CONNECTORS[self.connector].rates
        ]
        return max(1, int(min([ASKED_AN_HOUR, *(calls * SHARE for calls in allowed)])))


class CreditInsuranceSubmission(models.AbstractModel):
    _inherit = "credit.insurance.submission"

    asked_on = fields.Datetime(readonly=True, copy=False, help="When it was last put in line to be asked about.")

    @api.model
    def _cron_ask_status(self):
        """Have asked about what the insurers have not finished with."""
        policies = self._read_group([("state", "in", self._asked_states)], ["policy_id"])
        accounts = self.env["credit.insurance.account"].union(*(policy.account_id for (policy,) in policies))
        waiting = self._count_questions()
        for account in accounts.filtered(lambda account: not account._get_refusal()):
            self._enqueue_questions(account, account._get_questions_an_hour() - waiting[account.id])

    @api.model
    def _enqueue_questions(self, account, limit):
        """Put at most ``limit`` questions about open records on ``account`` in line."""
        if limit <= 0:
            return
        found = self.search(self._get_asked_domain(account), order="asked_on nulls first, id", limit=limit)
        found = found.filtered(lambda record: record._can_ask_status())
        pause = HOUR / account._get_questions_an_hour()
        for number, record in enumerate(found):
            record._delayed("status", eta=timedelta(seconds=int(number * pause)))._job_status()
        found.asked_on = fields.Datetime.now()

    @api.model
    def _get_asked_domain(self, account):
        """What is open on ``account`` and was sent where it leads."""
        domain = Domain(
            [
                ("policy_id.account_id", "=", account.id),
                ("state", "in", self._asked_states),
                ("insurer_reference", "!=", False),
                ("sent_to", "in", (account._get_place(), False)),
            ]
        )
        if account._get_environment() is not Environment.PRODUCTION:  # what a person handed in is no test
            domain &= Domain("sent_to", "!=", False) | Domain("by_hand", "=", False)
        return domain

    @api.model
    def _count_questions(self):
        """How many questions are in line: ``{account id: number}``."""
        jobs = self.env["queue.job"].sudo()
        domain = [("model_name", "=", self._name), ("method_name", "=", "_job_status"), ("state", "in", WAITING)]
        keys = jobs.search(domain).mapped("identity_key")
        ids = [int(key.split("-")[-2]) for key in keys if key]
        groups = self._read_group([("id", "in", ids)], ["policy_id"], ["__count"])
        counts = Counter()
        for policy, count in groups:
            counts[policy.account_id.id] += count
        return counts
