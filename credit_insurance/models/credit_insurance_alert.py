from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

from .alert_kinds import ACTIVITY, MANAGER_GROUP, USER_GROUP
from .bulk_log import log_in_bulk
from .credit_insurance_rule import SEVERITIES
from .marked_words import tell_json, tell_label, tell_rule
from .rule_document import read_rule
from .rule_trace import format_fact, format_needed, tell_message

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
ANSWER_COLOURS = {"yes": "success", "no": "danger", "missing": "warning"}
ANSWER_ICONS = {"yes": "check", "no": "times", "missing": "question"}


class CreditInsuranceAlert(models.Model):
    """What a rule found about a buyer or a document of it, from the day it was first true until it no longer is.

        open <──reopen── acknowledged (comes back after its date, if it has one, and when it gets more severe)
         │ └──acknowledge──^   │
         ├──dismiss (reason)───┴──> dismissed
         └──the condition ends──> resolved

    An alert lives as long as its condition holds (``ended_on`` is empty), whatever people say about it meanwhile:
    acknowledged or dismissed, it is not raised again before the condition has ended. Roles only read alerts; screening
    raises and ends them, people answer them through the actions.
    """

    _name = "credit.insurance.alert"
    _description = "Risk Alert"
    _inherit = ["credit.insurance.buyer.thread", "mail.activity.mixin"]
    _order = "severity_rank, last_seen desc, id desc"
    _mail_post_access = "read"

    rule_id = fields.Many2one("credit.insurance.rule", required=True, readonly=True, ondelete="restrict", index=True)
    rule_is_broken = fields.Boolean(related="rule_id.is_broken", string="Rule Not Usable")
    rule_version_id = fields.Many2one("credit.insurance.rule.version", readonly=True, ondelete="restrict")
    override_version_id = fields.Many2one(
        "credit.insurance.rule.override.version",
        string="Override",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
    )
    override_document = fields.Text(
        string="Overridden Here", readonly=True, help="What the company had changed of the rule when it fired."
    )
    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, readonly=True, ondelete="restrict", index=True)
    partner_id = fields.Many2one(related="buyer_id.partner_id", string="Customer", store=True)
    company_id = fields.Many2one(related="buyer_id.company_id", store=True, index=True)
    res_model = fields.Char(string="Document Model", readonly=True, help="Empty: the alert is about the buyer itself.")
    res_id = fields.Many2oneReference(string="Document Id", model_field="res_model", readonly=True)
    document_name = fields.Char(string="Document", readonly=True, help="As it was called when the alert was raised.")
    currency_id = fields.Many2one(related="company_id.currency_id")
    severity = fields.Selection(SEVERITIES, required=True, readonly=True, group_expand=True)
    severity_rank = fields.Integer(readonly=True, help="0 is the most severe.")
    message = fields.Text(required=True, readonly=True, help="As it was recorded, in the rule's own words.")
    message_template = fields.Text(readonly=True, help="The rule's message before its values were filled in.")
    told = fields.Text(string="Message", compute="_compute_told", help="In the reader's language where that is known.")
    rule_reason = fields.Text(string="Why This Rule", compute="_compute_told")
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
    acknowledged_until = fields.Date(readonly=True, tracking=True, help="The alert comes back after this day.")
    acknowledged_rank = fields.Integer(readonly=True, help="How severe it was then: 0 is the most severe.")
    dismiss_reason = fields.Selection(DISMISS_REASONS, readonly=True, tracking=True)
    closing_words = fields.Json(readonly=True)
    closing_note = fields.Text(compute="_compute_closing_note")
    holds = fields.Selection(
        [("buyer", "Orders of the buyer"), ("order", "This order")],
        readonly=True,
        help="What the credit gate holds while the alert stands, because the rule asks for it.",
    )
    task_ids = fields.One2many("credit.insurance.action.task", "alert_id", string="Actions", readonly=True)

    _live_uniq = models.UniqueIndex(
        "(rule_id, buyer_id, COALESCE(res_model, ''), COALESCE(res_id, 0)) WHERE ended_on IS NULL",
        "A rule has one alert per buyer or document.",
    )
    _document_idx = models.Index("(res_model, res_id) WHERE res_model IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends("rule_id.name", "partner_id.name", "document_name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for alert in self:
            about = ", ".join(filter(None, (alert.partner_id.name, alert.document_name)))
            name = alert.rule_id.sudo().display_name
            alert.display_name = self.env._("%(buyer)s: %(rule)s", buyer=about, rule=name)

    @api.depends("message", "message_template", "values_now", "rule_version_id")
    @api.depends_context("lang")
    def _compute_told(self):
        for alert in self:
            alert.told = tell_message(alert, alert.rule_id, alert._get_evaluated_on(), alert.values_now)
            rule, _problems = read_rule(alert.rule_version_id.sudo().document)
            alert.rule_reason = tell_rule(self.env, rule.reason) if rule and rule.reason else False

    @api.depends("closing_words")
    @api.depends_context("lang")
    def _compute_closing_note(self):
        for alert in self:
            alert.closing_note = tell_json(self.env, alert.closing_words)

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
            elif row["kind"] == "also":
                colours = ANSWER_COLOURS
            answer = row["answer"]
            shown = {"level": row["level"], "icon": ANSWER_ICONS[answer], "colour": colours[answer]}
            shown["answer"] = words[answer]
            if row["kind"] == "comparison":
                first, label = (self.values_first or {}).get(row["key"]), row["label"]
                shown |= {
                    "label": tell_label(self.env, label, row["key"]),
                    "needed": format_needed(self.env, row, self.currency_id),
                    "value": format_fact(self.env, row["value"], row["type"], self.currency_id, row["unit"]),
                    "first": format_fact(self.env, first, row["type"], self.currency_id, row["unit"]),
                    "note": tell_json(self.env, row["note"]),
                }
            elif row["kind"] == "also":
                shown["group"] = self.env._("Row %s of the table fires too", row["number"])
            else:
                shown["group"] = words[row["kind"]]
            rows.append(shown)
        return rows

    # === ACTIONS === #

    def action_acknowledge(self):
        """Take note of alerts: they stay, and nobody else needs to look at them."""
        self._acknowledge()
        return True

    def action_acknowledge_until(self):
        """Open the dialog that asks until when."""
        return self._get_answer_action(self.env._("Acknowledge Until"), "acknowledge", ("open", "acknowledged"))

    def action_dismiss(self):
        """Open the dialog that asks for the reason."""
        return self._get_answer_action(self.env._("Dismiss"), "dismiss", ("open", "acknowledged"))

    def action_reopen(self):
        """Take an answer back while the condition still holds."""
        self._check_answerable(("acknowledged", "dismissed"))
        if self.filtered("ended_on"):
            raise UserError(self.env._("The condition of this alert has ended; if it returns, a new alert is raised."))
        dismissed = self.sudo().filtered(lambda alert: alert.state == "dismissed")
        self.sudo()._reopen()
        self.env["credit.insurance.action"].sudo()._resume(dismissed)
        return True

    def action_open_document(self):
        self.ensure_one()
        self.check_access("read")
        if not self.res_model or not self.env[self.res_model].browse(self.res_id).exists():
            raise UserError(self.env._("The document of this alert is no longer there."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _get_answer_action(self, name, answer, states):
        self._check_answerable(states)
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": f"credit.insurance.alert.{answer}",
            "view_mode": "form",
            "target": "new",
            "context": {"default_alert_ids": self.ids},
        }

    # === WHAT PEOPLE ANSWER === #

    def _acknowledge(self, until=None, note=None):
        """Take note of alerts, with ``until`` (date) up to and including that day.

        :raise AccessError: the user is no credit officer
        :raise UserError: an alert is closed already, or that day is over
        """
        self._check_answerable(("open", "acknowledged") if until else ("open",))
        for company in self.company_id:
            if until and until < company._credit_today():
                raise UserError(self.env._("The alert is to come back after a day that is over already."))
        alerts = self.sudo()
        answer = {
            "state": "acknowledged",
            "acknowledged_by_id": self.env.uid,
            "acknowledged_on": fields.Datetime.now(),
            "acknowledged_until": until,
        }
        for rank, same in alerts.grouped("severity_rank").items():
            same.write({**answer, "acknowledged_rank": rank})
        alerts.activity_feedback([ACTIVITY], feedback=note or self.env._("Acknowledged"))
        alerts._unlink_activities()

    def _dismiss(self, reason, note):
        """:raise AccessError: the user is no credit officer, or no manager and the alert holds orders
        :raise UserError: an alert is closed already
        """
        self._check_answerable(("open", "acknowledged"))
        alerts = self.sudo()
        if alerts.filtered(lambda alert: alert._holds_orders()) and not self.env.user.has_group(MANAGER_GROUP):
            raise AccessError(self.env._("This alert holds orders: only a credit manager dismisses it."))
        alerts.write({"state": "dismissed", "dismiss_reason": reason, "closing_words": note})
        alerts.activity_feedback([ACTIVITY], feedback=note or "")
        alerts._close_effects(_lt("Dismissed by %(user)s.", user=self.env.user.name))

    def _holds_orders(self):
        """Whether the credit gate holds orders because of this alert, as its own statement reads it."""
        self.ensure_one()
        return bool(self.holds or self.rule_id.holds_orders) and not self.observe_only and not self.ended_on

    def _reopen(self):
        self.write(
            {
                "state": "open",
                "acknowledged_by_id": False,
                "acknowledged_on": False,
                "acknowledged_until": False,
                "dismiss_reason": False,
            }
        )

    def _check_answerable(self, states):
        """Only credit officers answer alerts, of companies they see, and only in these states."""
        if not self.env.user.has_group(USER_GROUP):
            raise AccessError(self.env._("Only credit officers answer risk alerts."))
        self.check_access("read")
        if closed := self.filtered(lambda alert: alert.state not in states):
            raise UserError(self.env._("“%s” has been answered already.", closed[0].display_name))

    @api.model
    def _cron_reopen(self):
        """Alerts that were acknowledged until a day which is over come back."""
        for company in self.env["res.company"].sudo().search([("parent_id", "=", False)]):
            domain = [
                ("company_id", "=", company.id),
                ("state", "=", "acknowledged"),
                ("ended_on", "=", False),
                ("acknowledged_until", "<", company._credit_today()),
            ]
            alerts = self.sudo().search(domain).with_context(tracking_disable=True)
            alerts._come_back(self.env._("The day until which it was acknowledged is over: it is open again."))

    def _come_back(self, note):
        """Acknowledged alerts need somebody again, who is told why."""
        if self:
            self._reopen()
            log_in_bulk(self, dict.fromkeys(self.ids, escape(note)))
            self._schedule_activities()
