from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.credit_insurance.rules.risk import Severity

from .credit_insurance_rule import SEVERITIES
from .rule_trace import format_fact, format_needed

ALERT_STATES = [
    ("open", "Open"),
    ("acknowledged", "Acknowledged"),
    ("resolved", "Resolved by itself"),
    ("dismissed", "Dismissed"),
]
DISMISS_REASONS = [
    ("false_alarm", "False alarm"),
    ("accepted", "Known and accepted"),
    ("handled", "Handled elsewhere"),
    ("other", "Other"),
]
ACTIVITY_TYPE = "credit_insurance.mail_activity_type_alert"
ANSWER_COLOURS = {"yes": "success", "no": "danger", "missing": "warning"}
ANSWER_ICONS = {"yes": "check", "no": "times", "missing": "question"}
# From this severity on somebody gets an activity, whether the rule asks for one or not.
LOUD = ("high", "critical")


class CreditInsuranceAlert(models.Model):
    """What a rule found about a buyer, from the day it was first true until the day it no longer is.

    An alert lives as long as its condition holds (``ended_on`` is empty), whatever people say about it meanwhile:
    acknowledged or dismissed, it is not raised again before the condition has ended. Roles only read alerts; screening
    raises and ends them, people answer them through the actions.
    """

    _name = "credit.insurance.alert"
    _description = "Risk Alert"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "severity_rank, last_seen desc, id desc"
    _mail_post_access = "read"

    rule_id = fields.Many2one("credit.insurance.rule", required=True, readonly=True, ondelete="restrict", index=True)
    rule_version_id = fields.Many2one("credit.insurance.rule.version", readonly=True, ondelete="restrict")
    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, readonly=True, ondelete="restrict", index=True)
    partner_id = fields.Many2one(related="buyer_id.partner_id", string="Customer", store=True)
    company_id = fields.Many2one(related="buyer_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    severity = fields.Selection(SEVERITIES, required=True, readonly=True, group_expand=True)
    severity_rank = fields.Integer(readonly=True, help="0 is the most severe.")
    message = fields.Text(required=True, readonly=True)
    state = fields.Selection(ALERT_STATES, default="open", required=True, readonly=True, index=True, tracking=True)
    observe_only = fields.Boolean(readonly=True)
    first_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    last_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    ended_on = fields.Datetime(string="Condition Ended", readonly=True)
    values_first = fields.Json(readonly=True, help="The signals of the rule when the alert was raised.")
    values_now = fields.Json(readonly=True, help="The signals of the rule when the alert was last brought up to date.")
    trace = fields.Json(readonly=True)
    trace_html = fields.Html(string="Why It Fired", compute="_compute_trace_html", sanitize=False)
    engine = fields.Selection(
        [("durable", "Rule engine"), ("reference", "Reference evaluator")],
        string="Evaluated By",
        readonly=True,
        help="The reference evaluator stands in when the rule engine's process does not answer.",
    )
    acknowledged_by_id = fields.Many2one("res.users", readonly=True)
    acknowledged_on = fields.Datetime(readonly=True)
    dismiss_reason = fields.Selection(DISMISS_REASONS, readonly=True, tracking=True)
    closing_note = fields.Text(readonly=True)

    _live_uniq = models.UniqueIndex("(rule_id, buyer_id) WHERE ended_on IS NULL", "A rule has one alert per buyer.")

    # === COMPUTE METHODS === #

    @api.depends("rule_id.name", "partner_id.name")
    def _compute_display_name(self):
        for alert in self:
            alert.display_name = self.env._(
                "%(buyer)s: %(rule)s", buyer=alert.partner_id.name, rule=alert.rule_id.sudo().name
            )

    @api.depends("trace", "values_first")
    @api.depends_context("lang")
    def _compute_trace_html(self):
        for alert in self:
            alert.trace_html = self.env["ir.qweb"]._render(
                "credit_insurance.credit_insurance_alert_trace", {"rows": alert._get_trace_rows()}
            )

    @api.model
    def _get_trace_words(self):
        """What groups and answers are called."""
        return {
            "all": self.env._("All of these"),
            "any": self.env._("At least one of these"),
            "not": self.env._("Not"),
            "unless": self.env._("Unless"),
            "yes": self.env._("yes"),
            "no": self.env._("no"),
            "missing": self.env._("unknown"),
        }

    def _get_trace_rows(self):
        """The trace for reading: label, what was needed, the value when it was raised and now, the answer."""
        self.ensure_one()
        words = self._get_trace_words()
        rows, colours = [], ANSWER_COLOURS
        for row in self.trace or ():
            if row["kind"] == "unless":
                # An exclusion that does not hold is nothing to worry about.
                colours = ANSWER_COLOURS | {"no": "muted"}
            answer = row["answer"]
            shown = {"level": row["level"], "icon": ANSWER_ICONS[answer], "colour": colours[answer]}
            shown["answer"] = words[answer]
            if row["kind"] == "comparison":
                first = (self.values_first or {}).get(row["key"])
                shown |= {
                    "label": row["label"],
                    "needed": format_needed(self.env, row, self.currency_id),
                    "value": format_fact(self.env, row["value"], row["type"], self.currency_id, row["unit"]),
                    "first": format_fact(self.env, first, row["type"], self.currency_id, row["unit"]),
                    "note": row["note"],
                }
            else:
                shown["group"] = words[row["kind"]]
            rows.append(shown)
        return rows

    # === ACTIONS === #

    def action_acknowledge(self):
        """Take note of alerts: they stay, and nobody else needs to look at them."""
        self._check_answerable(("open",))
        self.sudo().write(
            {"state": "acknowledged", "acknowledged_by_id": self.env.uid, "acknowledged_on": fields.Datetime.now()}
        )
        self.sudo().activity_feedback([ACTIVITY_TYPE], feedback=self.env._("Acknowledged"))

    def action_dismiss(self):
        """Open the dialog that asks for the reason."""
        self._check_answerable(("open", "acknowledged"))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Dismiss"),
            "res_model": "credit.insurance.alert.dismiss",
            "view_mode": "form",
            "target": "new",
            "context": {"default_alert_ids": self.ids},
        }

    def action_reopen(self):
        """Take an answer back while the condition still holds."""
        self._check_answerable(("acknowledged", "dismissed"))
        if self.filtered("ended_on"):
            raise UserError(self.env._("The condition of this alert has ended; if it returns, a new alert is raised."))
        self.sudo().write(
            {"state": "open", "acknowledged_by_id": False, "acknowledged_on": False, "dismiss_reason": False}
        )

    def _dismiss(self, reason, note):
        """:raise AccessError: the user is no credit officer :raise UserError: an alert is closed already"""
        self._check_answerable(("open", "acknowledged"))
        self.sudo().write({"state": "dismissed", "dismiss_reason": reason, "closing_note": note})
        self.sudo().activity_feedback([ACTIVITY_TYPE], feedback=note or "")

    def _check_answerable(self, states):
        """Only credit officers answer alerts, of companies they see, and only in these states."""
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_user"):
            raise AccessError(self.env._("Only credit officers answer risk alerts."))
        self.check_access("read")
        if closed := self.filtered(lambda alert: alert.state not in states):
            raise UserError(self.env._("“%s” has been answered already.", closed[0].display_name))

    # === WHAT SCREENING FOUND === #

    @api.model
    def _record(self, buyers, rules, findings, undecided, today):
        """Bring the alerts of ``buyers`` in line with what ``rules`` found.

        :param findings: ``Finding`` objects, at most one per rule and buyer
        :param undecided: ``{(rule_id, buyer_id)}`` whose condition nobody can tell: their alerts stay as they are
        """
        live = self.search([("buyer_id", "in", buyers.ids), ("rule_id", "in", rules.ids), ("ended_on", "=", False)])
        by_key = {(alert.rule_id.id, alert.buyer_id.id): alert for alert in live}
        versions = self._get_versions(rules)
        raised = []
        for finding in findings:
            vals = self._prepare_finding_vals(finding, versions[finding.rule_id])
            if alert := by_key.pop((finding.rule_id, finding.buyer_id), None):
                alert._update_found(vals, today)
            else:
                raised.append((finding, vals))
        self._raise_alerts(raised)
        ended = [alert.id for key, alert in by_key.items() if key not in undecided]
        self.browse(ended)._end(self.env._("The condition no longer holds."))

    @api.model
    def _get_versions(self, rules):
        """The row of each rule's present version: ``{rule_id: version_id}``."""
        rows = self.env["credit.insurance.rule.version"].search_fetch([("rule_id", "in", rules.ids)], ["version"])
        current = {(rule.id, rule.version) for rule in rules}
        return {row.rule_id.id: row.id for row in rows if (row.rule_id.id, row.version) in current}

    @api.model
    def _prepare_finding_vals(self, finding, version_id):
        rule = finding.outcome.rule
        return {
            "rule_version_id": version_id,
            "severity": rule.severity.value,
            "severity_rank": Severity(rule.severity).rank,
            "message": finding.message,
            "observe_only": rule.observe,
            "values_now": finding.values,
            "trace": finding.trace,
            "engine": finding.engine,
        }

    def _update_found(self, vals, today):
        """Write what changed; when nothing did, only that it was seen, once a day."""
        self.ensure_one()
        convert = {name: self._fields[name].convert_to_write(self[name], self) for name in vals}
        # Who evaluated it is no news as long as the answer is the same.
        changed = {name: value for name, value in vals.items() if convert[name] != value and name != "engine"}
        if changed:
            changed["engine"] = vals["engine"]
        if changed or self.last_seen.date() < today:
            self.write({**changed, "last_seen": fields.Datetime.now()})

    @api.model
    def _raise_alerts(self, raised):
        """Create the alerts, and an activity for those that somebody has to look at."""
        alerts = self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True).create(
            [
                {**vals, "rule_id": finding.rule_id, "buyer_id": finding.buyer_id, "values_first": vals["values_now"]}
                for finding, vals in raised
            ]
        )
        loud = self.browse()
        for alert, (finding, _vals) in zip(alerts, raised, strict=True):
            asked_for = "activity" in finding.outcome.rule.actions or alert.severity in LOUD
            if asked_for and not alert.observe_only:
                loud |= alert
        loud._schedule_activities()

    def _get_responsible(self):
        """Who looks at this alert: the company's credit responsible, empty when there is none."""
        self.ensure_one()
        return self.company_id._get_credit_responsible()

    def _end(self, note):
        """The condition has ended: open alerts are resolved, dismissed ones may be raised again."""
        if not self:
            return
        now = fields.Datetime.now()
        unanswered = self.filtered(lambda alert: alert.state in ("open", "acknowledged"))
        unanswered.write({"state": "resolved", "ended_on": now, "closing_note": note})
        (self - unanswered).write({"ended_on": now})
        self.activity_unlink([ACTIVITY_TYPE])
