"""What screening found becomes alerts: raised, brought up to date, ended. A fixed number of statements per call."""

import json

from markupsafe import escape

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.risk import Severity, expand
from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

from .alert_kinds import ACTIVITY
from .bulk_log import log_in_bulk
from .bulk_rows import insert_rows
from .company_calendar import company_day_bounds
from .marked_words import tell, words_to_json
from .sql_functions import int_array

# From this severity on somebody gets an activity, whether the rule asks for one or not.
LOUD = ("high", "critical")
# Screening writes many alerts at once: nothing that mail does for each of them. What matters is logged in one go.
QUIET = {"tracking_disable": True, "mail_create_nolog": True, "mail_create_nosubscribe": True}
# What the actions of an alert look at.
SEEN_BY_ACTIONS = (
    *("rule_id", "rule_version_id", "buyer_id", "company_id", "partner_id", "severity", "state", "observe_only"),
    *("message", "res_model", "res_id"),
)

# What a finding is compared with.
COMPARED = (
    *SEEN_BY_ACTIONS,
    *("override_version_id", "override_document", "severity_rank", "message_template", "values_now", "trace", "engine"),
    *("last_seen", "acknowledged_rank"),
)


def finding_key(finding):
    """``(rule_id, buyer_id)``, or ``(rule_id, buyer_id, (model, id))`` for a finding about a document."""
    key = finding.rule_id, finding.buyer_id
    document = getattr(finding, "document", None)
    return (*key, document) if document else key


class CreditInsuranceAlert(models.Model):
    _inherit = "credit.insurance.alert"

    @api.model
    def _record(self, buyers, rules, findings, kept, today, shared, asked=None, documents=None, partial=False):
        """Bring the alerts of ``buyers`` in line with what ``rules`` found.

        :param findings: ``Finding`` objects; of several of one rule about one buyer or document the first counts
        :param kept: keys, as :func:`finding_key` makes them, of rules that did not fire and keep an open alert open:
            nobody can tell, or the rule's ``until`` is not reached
        :param shared: what :meth:`_prepare_shared_vals` gives for these rules
        :param asked: ``{rule_id: Rule}`` as it applies to these buyers
        :param documents: the documents ``(model, id)`` that were evaluated; None: these rules are about buyers
        :param partial: these are not all documents of the buyers; alerts about others stay as they are. Otherwise
            alerts about documents that no longer count end.
        """
        quiet = self.with_context(**QUIET)
        by_key = {alert._get_finding_key(): alert for alert in quiet._get_live(buyers, rules)}
        raised, seen = [], []
        for finding in {finding_key(finding): finding for finding in reversed(findings)}.values():
            vals = self._prepare_finding_vals(finding, shared)
            if alert := by_key.pop(finding_key(finding), None):
                seen.append((alert, finding, vals))
            else:
                raised.append((finding, vals))
        quiet._update_found(seen, today)
        self._run_actions([(alert, finding) for alert, finding, _vals in seen], quiet._raise_alerts(raised))
        quiet._update_kept([alert for key, alert in by_key.items() if key in kept], asked or {})
        quiet._end_those_gone(by_key, kept, documents, partial)

    @api.model
    def _get_live(self, buyers, rules):
        """The alerts of these rules about these buyers whose condition has not ended."""
        self.flush_model(["buyer_id", "rule_id", "ended_on"])
        # Most buyers have none: asking for ids costs a third of searching for records.
        query = SQL(
            "SELECT id FROM %s WHERE buyer_id = ANY(%s) AND rule_id = ANY(%s) AND ended_on IS NULL",
            SQL.identifier(self._table), int_array(buyers.ids), int_array(rules.ids),
        )  # fmt: skip
        live = self.browse(id_ for [id_] in self.env.execute_query(query))
        live.fetch(COMPARED)
        return live

    def _get_finding_key(self):
        self.ensure_one()
        key = self.rule_id.id, self.buyer_id.id
        return (*key, (self.res_model, self.res_id)) if self.res_model else key

    # === RAISE AND UPDATE === #

    @api.model
    def _prepare_shared_vals(self, company, rules):
        """What the alerts of one rule have in common in a company: ``{rule_id: vals}``."""
        in_force = self.env["credit.insurance.rule.override"]._get_in_force(company)
        shared = {}
        for rule_id, version_id in self._get_versions(rules).items():
            override = in_force.get(self.env["credit.insurance.rule"].browse(rule_id).key)
            fits = override and override._fits()
            shared[rule_id] = {
                "rule_version_id": version_id,
                "override_version_id": override.id if fits else False,
                "override_document": override.document if fits else False,
            }
        return shared

    @api.model
    def _get_versions(self, rules):
        """The row of each rule's present version: ``{rule_id: version_id}``."""
        rows = self.env["credit.insurance.rule.version"].search_fetch([("rule_id", "in", rules.ids)], ["version"])
        current = {(rule.id, rule.version) for rule in rules}
        return {row.rule_id.id: row.id for row in rows if (row.rule_id.id, row.version) in current}

    @api.model
    def _prepare_finding_vals(self, finding, shared):
        rule = finding.outcome.rule
        return {
            **shared[finding.rule_id],
            "severity": rule.severity.value,
            "severity_rank": Severity(rule.severity).rank,
            "message": finding.message,
            "message_template": rule.message,
            "observe_only": rule.observe,
            "values_now": finding.values,
            "trace": finding.trace,
            "engine": finding.engine,
        }

    @api.model
    def _update_found(self, seen, today):
        """Write what changed; of alerts in which nothing did, only that they were seen, once a day."""
        now, unchanged, observed = fields.Datetime.now(), [], {True: self.browse(), False: self.browse()}
        worse = self.browse()
        # One call is about buyers of one company.
        begun = seen and company_day_bounds(seen[0][0].company_id, today)[0]
        for alert, _finding, vals in seen:
            convert = {name: self._fields[name].convert_to_write(alert[name], alert) for name in vals}
            # Who evaluated it is no news as long as the answer is the same.
            changed = {name: value for name, value in vals.items() if convert[name] != value and name != "engine"}
            if alert.state == "acknowledged" and vals["severity_rank"] < alert.acknowledged_rank:
                worse |= alert
            if changed:
                alert.write({**changed, "engine": vals["engine"], "last_seen": now})
                if "observe_only" in changed:
                    observed[changed["observe_only"]] |= alert
            elif alert.last_seen < begun:
                unchanged.append(alert.id)
        if unchanged:
            self.browse(unchanged).write({"last_seen": now})
        worse._come_back(self.env._("It is more severe than when it was acknowledged: it is open again."))
        self._follow_observing(observed)

    @api.model
    def _update_kept(self, kept, asked):
        """Alerts of rules that do not fire now: what these no longer ask for is taken back, and nothing new begins."""
        observed, wanted = {True: self.browse(), False: self.browse()}, {}
        for alert in kept:
            if not (rule := asked.get(alert.rule_id.id)):
                continue
            if alert.observe_only != rule.observe:
                observed[rule.observe] |= alert
            if not rule.observe:
                # Which row of a table it was is not known any more: what another row had it do is not done again.
                tasks = alert._get_standing_tasks() if rule.table else alert.task_ids
                wanted[alert] = set(tasks.mapped("key")) & self._get_asked(alert, *expand(rule))
        for observes, alerts in observed.items():
            if alerts:
                alerts.write({"observe_only": observes})
        self._follow_observing(observed)
        if wanted:
            self.env["credit.insurance.action"]._run(wanted)

    @api.model
    def _get_asked(self, alert, *rules):
        """The actions that these rules, or rows of one, ask for in this alert."""
        return ({"activity"} if alert.severity in LOUD else set()).union(*(rule.actions for rule in rules))

    def _get_standing_tasks(self):
        """What the rule asked for and still asks for."""
        return self.task_ids.filtered(lambda task: not task.dropped)

    @api.model
    def _follow_observing(self, observed):
        """Take back what alerts did whose rules only observe from now on, and do it again for the others.

        :param observed: ``{True: those that only observe now, False: those that no longer do}``
        """
        observed[True]._close_effects(_lt("The rule only observes now."))
        # What was taken back is nothing new: an alert that somebody has taken note of holds again as before.
        standing = observed[False].filtered(lambda alert: alert.state in ("open", "acknowledged"))
        self.env["credit.insurance.action"]._resume(standing)

    @api.model
    def _raise_alerts(self, raised):
        """Create alerts; returns them with their findings."""
        names = self._get_document_names(finding.document for finding, _vals in raised if len(finding_key(finding)) > 2)
        self.env["credit.insurance.buyer"].browse({finding.buyer_id for finding, _vals in raised}).fetch(
            ["partner_id", "company_id"]
        )
        alerts = insert_rows(self, [self._prepare_raised_vals(finding, vals, names) for finding, vals in raised])
        alerts.fetch(SEEN_BY_ACTIONS)
        for owner in ("credit.insurance.rule", "credit.insurance.buyer"):
            self.env[owner].invalidate_model(["alert_ids"], flush=False)
        return [(alert, finding) for alert, (finding, _vals) in zip(alerts, raised, strict=True)]

    @api.model
    def _prepare_raised_vals(self, finding, vals, names):
        document, now = getattr(finding, "document", None), fields.Datetime.now()
        buyer, values = self.env["credit.insurance.buyer"].browse(finding.buyer_id), json.dumps(vals["values_now"])
        return {
            **vals,
            "rule_id": finding.rule_id,
            "buyer_id": buyer.id,
            "partner_id": buyer.partner_id.id,
            "company_id": buyer.company_id.id,
            "state": "open",
            "first_seen": now,
            "last_seen": now,
            "values_first": values,
            "values_now": values,
            "trace": json.dumps(vals["trace"]),
            "res_model": document and document[0],
            "res_id": document and document[1],
            "document_name": names.get(document),
        }

    @api.model
    def _get_document_names(self, documents):
        """``{(model, id): name}`` of documents that exist; one statement per model."""
        by_model = {}
        for model, res_id in documents:
            by_model.setdefault(model, []).append(res_id)
        return {
            (model, record.id): record.display_name
            for model, ids in by_model.items()
            for record in self.env[model].sudo().browse(ids).exists()
        }

    @api.model
    def _run_actions(self, seen, raised):
        """Carry out what the rules of these ``(alert, finding)`` ask for, and of those seen before no more than that.

        Rules that only observe ask for nothing; what they had done was taken back when they began to.
        """
        wanted = {
            alert: self._get_asked(alert, finding.outcome.rule, *finding.also)
            for alert, finding in [*seen, *raised]
            if alert.state in ("open", "acknowledged") and not alert.observe_only
        }
        before = {alert for alert, _finding in seen}
        for alert, finding in seen:
            if finding.kept and alert in wanted:
                begun = set(alert._get_standing_tasks().mapped("key"))
                wanted[alert] |= begun & self._get_asked(alert, *finding.kept)
        wanted = {alert: keys for alert, keys in wanted.items() if keys or alert in before}
        if wanted:
            self.env["credit.insurance.action"]._run(wanted)

    # === END === #

    def _end_those_gone(self, by_key, kept, documents, partial):
        over, closed = [], []
        for key, alert in by_key.items():
            document = key[2] if len(key) > 2 else None
            if document and documents is not None and document not in documents:
                closed += [] if partial else alert.ids
            elif key not in kept:
                over.append(alert.id)
        self.browse(over)._end(_lt("The condition no longer holds."))
        self.browse(closed)._end(_lt("The document is closed."))

    @api.model
    def _end_all(self, domain, note):
        """End the alerts that are not over and match ``domain``, whoever may see them."""
        self.sudo().search(Domain(domain) & Domain("ended_on", "=", False))._end(note)

    @api.model
    def _end_left_over(self):
        """End alerts of rules that do not apply: a screening that had begun before may raise one after the last."""
        rules = self.env["credit.insurance.rule"]
        for [company] in self._read_group([("ended_on", "=", False)], ["company_id"]):
            pack, unusable = rules._get_active_pack(company)
            standing = {rule.key for rule in pack.rules} | set(unusable.mapped("key"))
            gone = [("company_id", "=", company.id), ("rule_id.key", "not in", sorted(standing))]
            self._end_all(gone, _lt("The rule no longer applies in this company."))

    @api.model
    def _screen_again(self, domain):
        """What the rules of these alerts say has changed: their buyers are screened within a minute."""
        standing = self.sudo().search(Domain(domain) & Domain("ended_on", "=", False))
        notes = [{"what": "buyer", "res_id": buyer_id} for buyer_id in standing.buyer_id.ids]
        self.env["credit.insurance.change"].sudo().create(notes)

    def _end(self, note):
        """The condition has ended: open alerts are resolved, dismissed ones may be raised again.

        :param Words note: why
        """
        if not self:
            return
        alerts, now = self.with_context(**QUIET), fields.Datetime.now()
        unanswered = alerts.filtered(lambda alert: alert.state in ("open", "acknowledged"))
        unanswered.write({"state": "resolved", "ended_on": now, "closing_words": words_to_json(note)})
        (alerts - unanswered).write({"ended_on": now})
        for company, group in unanswered.grouped("company_id").items():
            texts = self.env["credit.insurance.action"]._in_language_of(company.partner_id).env
            log_in_bulk(group, dict.fromkeys(group.ids, escape(texts._("Resolved by itself. %s", tell(texts, note)))))
        alerts._close_effects(note)

    def _close_effects(self, note):
        """Take back what these alerts, which are over, made somebody do or made the rules do."""
        if not self:
            return
        self._unlink_activities(ACTIVITY)
        self.env["credit.insurance.action"]._take_back(self, note)
