"""Runs of the screening and their blocks, so that one that was interrupted goes on where it was."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import format_datetime

KEPT_DAYS = 30
STUCK_HOURS = 6


class CreditInsuranceScreeningRun(models.Model):
    """All buyers, or those that changed, screened in blocks side by side."""

    _name = "credit.insurance.screening.run"
    _description = "Screening"
    _order = "id desc"
    _rec_name = "started_at"

    kind = fields.Selection([("full", "All buyers"), ("incremental", "Changed buyers")], required=True, readonly=True)
    started_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    finished_at = fields.Datetime(compute="_compute_progress")
    buyer_count = fields.Integer(string="Buyers", readonly=True)
    block_count = fields.Integer(string="Blocks", readonly=True)
    done_count = fields.Integer(string="Blocks Done", compute="_compute_progress")
    progress = fields.Integer(compute="_compute_progress", help="Percent.")
    seconds = fields.Float(string="Work (s)", compute="_compute_progress", help="Of all workers together.")
    block_ids = fields.One2many("credit.insurance.screening.block", "run_id", readonly=True)

    @api.depends("started_at")
    @api.depends_context("lang", "uid")
    def _compute_display_name(self):
        for run in self:
            run.display_name = format_datetime(self.env, run.started_at)

    @api.depends("block_ids.done_at")
    def _compute_progress(self):
        groups = self.env["credit.insurance.screening.block"]._read_group(
            [("run_id", "in", self.ids), ("done_at", "!=", False)],
            ["run_id"],
            ["__count", "done_at:max", "seconds:sum"],
        )
        done = {run.id: values for run, *values in groups}
        for run in self:
            count, last, seconds = done.get(run.id, (0, False, 0.0))
            run.done_count, run.seconds = count, seconds
            run.finished_at = last if count == run.block_count else False
            run.progress = 100 * count // run.block_count if run.block_count else 100

    def action_resume(self):
        """Queue the blocks that are not done, again; for administrators of rules."""
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_admin"):
            raise AccessError(self.env._("Only an administrator of risk rules may start a screening."))
        self.check_access("read")
        self.sudo().block_ids.filtered(lambda block: not block.done_at)._enqueue()
        return True

    @api.autovacuum
    def _gc_runs(self):
        self.search([("started_at", "<", fields.Datetime.now() - timedelta(days=KEPT_DAYS))]).unlink()


class CreditInsuranceScreeningBlock(models.Model):
    """Some buyers that one job screens in one transaction."""

    _name = "credit.insurance.screening.block"
    _description = "Block of a Screening"
    _order = "id"
    _rec_name = "id"

    run_id = fields.Many2one("credit.insurance.screening.run", required=True, ondelete="cascade", index=True)
    buyer_ids = fields.Json(readonly=True, help="Ids of the buyers.")
    digest = fields.Char(readonly=True, index=True, help="Of the ids: blocks of the same buyers are one job.")
    done_at = fields.Datetime(readonly=True)
    seconds = fields.Float(readonly=True)

    def _enqueue(self):
        """One job per block; a block whose job waits already is not queued twice."""
        # The context of a client must not make the jobs run inside its own request.
        screening = self.env["credit.insurance.screening"].sudo().with_context(queue_job__no_delay=False)
        for block in self:
            screening.with_delay(
                identity_key=f"credit_insurance_screen-{block.digest}",
                description=self.env._("Screen %(count)s buyers", count=len(block.buyer_ids)),
            )._job_screen(block.buyer_ids)

    @api.model
    def _resume_stuck(self):
        """Queue blocks of the last day whose jobs are gone or failed hours ago."""
        now = fields.Datetime.now()
        stuck = self.search(
            [
                ("done_at", "=", False),
                ("create_date", "<", now - timedelta(hours=STUCK_HOURS)),
                ("create_date", ">", now - timedelta(days=2)),
            ]
        )
        stuck._enqueue()
