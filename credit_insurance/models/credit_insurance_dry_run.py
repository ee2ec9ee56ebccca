"""Dry runs: what a text would find, without raising an alert.

    action_start ──> _job_block ──> _job_block ──> ... ──> done
                        │ today: every buyer of the block, against the alerts that are open now
                        └ past:  the same buyers on each Monday of the last months, as they were then

One job evaluates one block of buyers and queues the next, so that each block is committed and a run can be cancelled
between two of them. The reference evaluator answers, from the same signals that screening reads; how is in
``credit_insurance_dry_run_evaluation``.
"""

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.credit_insurance.rules.risk import Scope

from .credit_insurance_rule import SEVERITIES
from .guarded_fields import without_fields
from .marked_words import tell_rule
from .rule_document import read_rule
from .rule_trace import tell_message

BLOCK = 500
STATES = [
    ("draft", "Draft"),
    ("running", "Running"),
    ("done", "Done"),
    ("cancelled", "Cancelled"),
    ("failed", "Failed"),
]
ADMINISTRATOR = "credit_insurance.credit_insurance_group_admin"
# What a run finds is written by its jobs only; what it tries stays while it runs.
RESULT_FIELDS = ("state", "attempt", "severity", "evaluated_on", "buyer_total", "buyer_done", "note")
TRIED_FIELDS = {"document", "rule_id", "version_id", "override_version_id", "company_id", "months"}


class CreditInsuranceDryRun(models.Model):
    """One trial of a text on the whole portfolio of a company: today, and on request as it was in past months."""

    _name = "credit.insurance.dry.run"
    _description = "Dry Run of a Risk Rule"
    _order = "id desc"

    name = fields.Char(compute="_compute_name", store=True)
    rule_id = fields.Many2one("credit.insurance.rule", ondelete="cascade", index=True)
    version_id = fields.Many2one(
        "credit.insurance.rule.version", domain="[('rule_id', '=', rule_id)]", ondelete="cascade"
    )
    document = fields.Text(
        string="Text", compute="_compute_document", store=True, readonly=False, precompute=True, required=True
    )
    severity = fields.Selection(SEVERITIES, readonly=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
    )
    override_version_id = fields.Many2one(
        "credit.insurance.rule.override.version",
        string="Override",
        compute="_compute_override_version_id",
        store=True,
        precompute=True,
        readonly=False,
        ondelete="cascade",
        help="What the company overrides of the rule: the run tries what applies there.",
    )
    override_note = fields.Char(compute="_compute_override_note")
    currency_id = fields.Many2one(related="company_id.currency_id")
    months = fields.Integer(
        string="Past Months", default=0, help="Also as it was on every Monday of the last months. Zero: only today."
    )
    state = fields.Selection(STATES, default="draft", required=True, readonly=True, copy=False)
    attempt = fields.Integer(readonly=True, copy=False, help="How often it was started: jobs of another start end.")
    evaluated_on = fields.Date(readonly=True, copy=False)
    buyer_total = fields.Integer(string="Buyers", readonly=True, copy=False)
    buyer_done = fields.Integer(string="Buyers Done", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    note = fields.Text(readonly=True, copy=False)
    past_note = fields.Text(compute="_compute_past_note")
    line_ids = fields.One2many("credit.insurance.dry.run.line", "run_id", readonly=True)
    today_line_ids = fields.One2many(
        "credit.insurance.dry.run.line", "run_id", domain=[("is_past", "=", False)], readonly=True
    )
    fired_count = fields.Integer(string="Would Fire", compute="_compute_results")
    new_count = fields.Integer(string="New Alerts", compute="_compute_results")
    same_count = fields.Integer(string="Open Already", compute="_compute_results")
    ended_count = fields.Integer(string="Would End", compute="_compute_results")
    order_count = fields.Integer(
        string="Quotations Held",
        compute="_compute_results",
        help="What would be, or would have been, held if the rule holds orders.",
    )
    order_amount = fields.Monetary(string="Their Value", compute="_compute_results")
    past_alert_rate = fields.Float(string="New Alerts per Week", compute="_compute_results", digits=(16, 1))
    past_order_count = fields.Integer(
        string="Orders Held",
        compute="_compute_results",
        help="What would be, or would have been, held if the rule holds orders.",
    )
    past_order_amount = fields.Monetary(string="Value of the Orders", compute="_compute_results")
    past_held_then_count = fields.Integer(
        string="Of Them Held at That Time", compute="_compute_results", help="The credit gate held them anyway."
    )
    past_today_amount_count = fields.Integer(
        string="Of Them with the Amount of Today",
        compute="_compute_results",
        help="Confirmed before the credit gate kept a log: nothing tells what they were worth then.",
    )

    _months_check = models.Constraint("CHECK(months BETWEEN 0 AND 24)", "A dry run looks back at most 24 months.")

    # === COMPUTE METHODS === #

    @api.depends("document", "evaluated_on")
    def _compute_name(self):
        for run in self:
            rule, _problems = self.env["credit.insurance.rule"]._check_text(run.document)
            run.name = self.env._("Dry run of %s", rule.name if rule else self.env._("a rule"))

    @api.depends("document")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """With the name that the reader knows of a shipped rule."""
        for run in self:
            rule, _problems = read_rule(run.document)
            run.display_name = self.env._(
                "Dry run of %s", tell_rule(self.env, rule.name) if rule else self.env._("a rule")
            )

    @api.depends("document", "months", "evaluated_on")
    @api.depends_context("lang")
    def _compute_past_note(self):
        for run in self:
            rule, _problems = read_rule(run.document)
            run.past_note = run._describe_limits(rule) if rule else False

    @api.depends("version_id", "rule_id")
    def _compute_document(self):
        for run in self:
            version = run.version_id if run.version_id.rule_id == run.rule_id else run.rule_id.working_version_id
            run.document = version.document or run.document

    @api.depends("document", "company_id")
    def _compute_override_version_id(self):
        for run in self:
            rule, _problems = read_rule(run.document)
            versions = self.env["credit.insurance.rule.override"]._get_in_force(run.company_id) if rule else {}
            run.override_version_id = versions.get(rule.key) if rule else False

    @api.depends("override_version_id", "company_id")
    @api.depends_context("lang")
    def _compute_override_note(self):
        for run in self:
            version = run.override_version_id
            run.override_note = version._describe_for(run.company_id) if version else False

    @api.depends("buyer_total", "buyer_done", "state")
    def _compute_progress(self):
        for run in self:
            share = 100 * run.buyer_done / run.buyer_total if run.buyer_total else 0
            run.progress = 100 if run.state == "done" else share

    @api.depends("state", "buyer_done")
    def _compute_results(self):
        groups = self.env["credit.insurance.dry.run.line"]._read_group(
            [("run_id", "in", self.ids)],
            ["run_id", "is_past", "kind"],
            ["__count", "order_count:sum", "order_amount:sum", "held_then_count:sum", "today_amount_count:sum"],
        )
        found = {(run.id, past, kind): totals for run, past, kind, *totals in groups}
        for run in self:
            counts = {kind: found.get((run.id, False, kind), (0,) * 5) for kind in ("new", "same", "ended")}
            past = {kind: found.get((run.id, True, kind), (0,) * 5) for kind in ("new", "same")}
            run.new_count, run.same_count, run.ended_count = (counts[kind][0] for kind in ("new", "same", "ended"))
            run.fired_count = run.new_count + run.same_count
            run.order_count = counts["new"][1] + counts["same"][1]
            run.order_amount = counts["new"][2] + counts["same"][2]
            run.past_alert_rate = past["new"][0] / max(1, run._count_weeks())
            run.past_order_count = past["new"][1] + past["same"][1]
            run.past_order_amount = past["new"][2] + past["same"][2]
            run.past_held_then_count = past["new"][3] + past["same"][3]
            run.past_today_amount_count = past["new"][4] + past["same"][4]

    def _count_weeks(self):
        """The weeks in which something can be new; what stands on the first Monday was there before."""
        rule, _problems = read_rule(self.document)
        return len(self._get_mondays()) - (0 if rule and rule.scope is Scope.ORDER else 1)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, RESULT_FIELDS)
        runs = super().create(vals_list)
        runs._check_tried()
        return runs

    def write(self, vals):
        if not self.env.su:
            self, [vals] = without_fields(self, [vals], RESULT_FIELDS)
            if TRIED_FIELDS & vals.keys() and "running" in self.mapped("state"):
                raise UserError(self.env._("It is running: cancel it before you change what it tries."))
        result = super().write(vals)
        self._check_tried()
        return result

    def _check_tried(self):
        """Only a rule that the user may read is tried: a run shows its text."""
        self.rule_id.check_access("read")
        self.version_id.check_access("read")
        self.override_version_id.check_access("read")

    # === ACTIONS === #

    def action_start(self):
        """Evaluate in the background; whatever an earlier attempt found is forgotten.

        :raise ValidationError: the text does not pass the checker
        """
        self._check_administrator()
        for run in self:
            if run.state == "running":
                raise UserError(self.env._("It is running already."))
            rule, problems = self.env["credit.insurance.rule"]._check_text(run.document)
            # The run has a company of its own: one that has another name by now does not matter.
            if problems := [problem for problem in problems if problem.code != "unknown_company"]:
                raise ValidationError(self.env["credit.insurance.rule"]._describe(problems))
            run.line_ids.sudo().unlink()
            run.sudo().write(
                {
                    "state": "running",
                    "attempt": run.attempt + 1,
                    "severity": rule.severity.value,
                    "evaluated_on": run.company_id._credit_today(),
                    "buyer_total": self.env["credit.insurance.buyer"].sudo().search_count(run._get_buyer_domain()),
                    "buyer_done": 0,
                    "note": False,
                }
            )
            run._enqueue(0)
        return True

    def action_cancel(self):
        """The block that runs now is the last one; what was found so far stays."""
        self._check_administrator()
        self.filtered(lambda run: run.state == "running").sudo().write({"state": "cancelled"})
        return True

    def action_open_lines(self):
        """Everything that was found, as a list and as a chart by week."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_dry_run_line_action")
        return action | {"domain": [("run_id", "=", self.id)], "display_name": self.display_name}

    def action_open_weeks(self):
        self.ensure_one()
        action = self.action_open_lines()
        views = sorted(action["views"], key=lambda view: view[1] != "graph")
        return action | {"views": views, "domain": [*action["domain"], ("is_past", "=", True)]}

    def _check_administrator(self):
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only an administrator of risk rules may start a dry run."))
        self.check_access("write")

    # === JOBS === #

    def _enqueue(self, after_id):
        # The context of a client must not make the job run inside its own request.
        run = self.with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        run.with_delay(
            identity_key=f"credit_insurance_dry_run-{self.id}-{self.attempt}-{after_id}",
            description=f"{self.name}: buyers after {after_id}",
        )._job_block(after_id, self.attempt)

    def _job_block(self, after_id, attempt):
        """Evaluate the next block, and see that the one after it gets its job."""
        if not self.exists() or (self.state, self.attempt) != ("running", attempt):
            return
        buyers = self.env["credit.insurance.buyer"].search(
            [*self._get_buyer_domain(), ("id", ">", after_id)], order="id", limit=BLOCK
        )
        if not buyers:
            self.state = "done"
            return
        self._evaluate(buyers)
        self.buyer_done += len(buyers)
        self._enqueue(buyers[-1].id)

    def _on_job_failed(self, exc_info, exc_name, exc_message):
        """Called by queue_job when the last attempt has failed."""
        self.write({"state": "failed", "note": exc_message or exc_name})

    def _get_buyer_domain(self):
        return [("company_id", "=", self.company_id.id)]


class CreditInsuranceDryRunLine(models.Model):
    """A buyer, or a document of it, for which the text fires on a day, or whose open alert it would end."""

    _name = "credit.insurance.dry.run.line"
    _description = "Finding of a Dry Run"
    _order = "is_past, date desc, kind, id"

    run_id = fields.Many2one("credit.insurance.dry.run", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="run_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, readonly=True, ondelete="cascade", index=True)
    partner_id = fields.Many2one(related="buyer_id.partner_id", string="Customer", store=True)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document Id", model_field="res_model", readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    date = fields.Date(required=True, readonly=True)
    is_past = fields.Boolean(readonly=True)
    kind = fields.Selection(
        [("new", "Would be raised"), ("same", "Open already"), ("ended", "Would end")], required=True, readonly=True
    )
    message = fields.Text(readonly=True)
    message_template = fields.Text(readonly=True)
    message_values = fields.Json(readonly=True)
    told = fields.Text(string="Message", compute="_compute_told", help="In your language, with amounts in full.")
    order_count = fields.Integer(string="Orders Held", readonly=True)
    order_amount = fields.Monetary(string="Value of the Orders", readonly=True)
    held_then_count = fields.Integer(
        string="Held at That Time", readonly=True, help="Of these orders the credit gate held so many anyway."
    )
    today_amount_count = fields.Integer(
        string="With the Amount of Today",
        readonly=True,
        help="So many of these orders were confirmed before the credit gate kept a log.",
    )
    other_alert_count = fields.Integer(
        string="Alerts of Other Rules", readonly=True, help="Open alerts of this buyer that other rules raised."
    )

    @api.depends("message", "message_template", "message_values")
    @api.depends_context("lang")
    def _compute_told(self):
        for line in self:
            line.told = tell_message(line, line.run_id.rule_id, line.date, line.message_values)


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    def action_dry_run(self):
        """Prepare a dry run of the text that is being worked on."""
        self.ensure_one()
        return self._open_dry_run(self.company_ids[:1] or self.env.company.root_id)

    def _open_dry_run(self, company, override=None):
        """
        :param override: a version of the company's override that is tried instead of the one in force
        """
        values = {"override_version_id": override.id} if override else {}
        run = self.env["credit.insurance.dry.run"].create({"rule_id": self.id, "company_id": company.id, **values})
        return {
            "type": "ir.actions.act_window",
            "res_model": run._name,
            "res_id": run.id,
            "view_mode": "form",
            "name": run.display_name,
        }
