import logging
from dataclasses import replace
from pathlib import Path

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.credit_insurance import rules
from odoo.addons.credit_insurance.rules.risk import (
    Pack,
    Place,
    Problem,
    Severity,
    check,
    load,
)
from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

from . import cached_records  # noqa: F401 (has to be loaded first)
from .marked_words import tell, tell_rule
from .rule_document import copy_key, own_place, read_rule, write_rule
from .rule_settings import SAID, SETTINGS, check_companies, said_by, said_with

_logger = logging.getLogger(__name__)

# The most severe first: groups stand in this order.
SEVERITIES = [("critical", "Critical"), ("high", "High"), ("warning", "Warning"), ("info", "Information")]
SCOPES = [("buyer", "Buyer"), ("invoice", "Invoice"), ("order", "Order"), ("event", "Event")]
# What the document says and the record repeats, so that people can sort and filter by it.
DOCUMENT_FIELDS = ("key", "name", "severity", "scope", "priority", "observe_only")
READONLY_FIELDS = (*DOCUMENT_FIELDS, "severity_rank", "version", "pack", "is_broken")
PACKS = Path(rules.__file__).parent / "risk" / "packs"
NEW_DOCUMENT = """\
key: my_rule
name: What this rule looks for
severity: warning
when:
  all:
    - amount_overdue_30 > 10000
    - days_overdue_oldest >= 45 days
message: "{buyer}: {amount_overdue_30} more than 30 days overdue"
reason: Why this is worth an alert.
"""


class CreditInsuranceRule(models.Model):
    """A risk rule that administrators own: a text that says when to raise an alert.

    The text is the rule; the other fields repeat what it says. It is checked when it is saved, so that what is stored
    can be evaluated. Every text a rule ever had is kept as a version, and alerts point to the one that raised them.
    """

    _name = "credit.insurance.rule"
    _description = "Risk Rule"
    _inherit = ["mail.thread", "credit.insurance.cached"]
    _order = "severity_rank, priority, key"

    document = fields.Text(string="Rule", required=True, default=NEW_DOCUMENT)
    key = fields.Char(readonly=True, copy=False)
    name = fields.Char(readonly=True)
    severity = fields.Selection(SEVERITIES, readonly=True)
    severity_rank = fields.Integer(compute="_compute_severity_rank", store=True)
    scope = fields.Selection(SCOPES, readonly=True)
    priority = fields.Integer(readonly=True, help="Among rules of one severity, the lower number comes first.")
    observe_only = fields.Boolean(readonly=True, help="Alerts are recorded, nobody is told and nothing is done.")
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("archived", "Archived")],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Companies in Force",
        domain="[('parent_id', '=', False)]",
    )
    pack = fields.Char(string="Shipped With", readonly=True, copy=False)
    version = fields.Integer(default=0, readonly=True, copy=False, tracking=True)
    version_ids = fields.One2many("credit.insurance.rule.version", "rule_id", string="Versions", readonly=True)
    is_broken = fields.Boolean(
        string="Not Usable",
        readonly=True,
        copy=False,
        help="The checker no longer accepts the text, for instance since a signal changed: the rule raises no alerts.",
    )
    alert_ids = fields.One2many("credit.insurance.alert", "rule_id", string="Alerts", readonly=True)
    alert_count = fields.Integer(string="Open Alerts", compute="_compute_alert_count")
    problems = fields.Text(compute="_compute_problems")

    _key_uniq = models.UniqueIndex("(key)", "Another rule has this key already.")

    # === COMPUTE METHODS === #

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """The name in the reader's language where it is a shipped one; the text itself stays as it is written."""
        for rule in self:
            rule.display_name = tell_rule(self.env, rule.name)

    @api.depends("severity")
    def _compute_severity_rank(self):
        for rule in self:
            rule.severity_rank = Severity(rule.severity).rank if rule.severity else 0

    def _compute_alert_count(self):
        groups = self.env["credit.insurance.alert"]._read_group(
            [("rule_id", "in", self.ids), ("state", "in", ("open", "acknowledged"))], ["rule_id"], ["__count"]
        )
        counts = {rule.id: count for rule, count in groups}
        for rule in self:
            rule.alert_count = counts.get(rule.id, 0)

    @api.depends("working_document")
    def _compute_problems(self):
        """What saving would refuse; also shows a stored rule that a change of the signals made unusable."""
        for rule in self:
            _parsed, problems = rule._check_text(rule.working_document, rule.key)
            rule.problems = rule._describe(problems)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if "document" not in vals:
                vals |= self.default_get(["document"])
            vals |= self._prepare_document_vals(vals["document"])
            vals["version"] = 1
        created = super().create(vals_list)
        created._keep_version()
        created.filtered(lambda rule: rule.state == "active")._check_active_together()
        return created

    def write(self, vals):
        """Save; a changed text becomes a new version, a rule that stops being active ends its alerts."""
        vals = {name: value for name, value in vals.items() if name not in READONLY_FIELDS}
        said = {name: vals.pop(name) for name in SAID if name in vals}
        for rule in self if said else ():
            rule._write_said(said)
        result = super().write(vals) if vals else True
        if "state" in vals and vals["state"] != "active":
            note = _lt("The rule is no longer active.")
            self.env["credit.insurance.alert"]._end_all([("rule_id", "in", self.ids)], note)
        if vals.get("state") == "active":
            self._check_active_together()
        return result

    def copy_data(self, default=None):
        """A copy is a rule of its own and needs a key of its own."""
        vals_list = super().copy_data(default)
        for rule, vals in zip(self, vals_list, strict=True):
            parsed, _problems = read_rule(rule.document)
            if parsed:
                copy = replace(parsed, key=copy_key(rule), name=self.env._("%s (copy)", parsed.name))
                vals["document"] = write_rule(copy)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_alerts(self):
        if self.env["credit.insurance.alert"].sudo().search_count([("rule_id", "in", self.ids)], limit=1):
            raise UserError(self.env._("This rule raised alerts, which refer to it: archive it instead."))
        used = self.version_ids.filtered(lambda row: row.rule_id.scope == "order" and row.activated_on)
        if used:
            name = used[0].rule_id.display_name
            raise UserError(self.env._("Orders were decided by “%s”: archive it, so that they can be replayed.", name))

    # === ACTIONS === #

    def action_activate(self):
        self.write({"state": "active"})
        return True

    def action_set_draft(self):
        self.write({"state": "draft"})
        return True

    def action_retire(self):
        self.write({"state": "archived"})
        return True

    def action_screen_now(self):
        """Queue a screening of all buyers the user may see; for administrators."""
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_admin"):
            raise AccessError(self.env._("Only an administrator of risk rules may start a screening."))
        buyers = self.env["credit.insurance.buyer"].search([])  # pylint: disable=no-search-all
        self.env["credit.insurance.screening"]._enqueue(buyers)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The screening of %s buyers is queued.", len(buyers)),
            },
        }

    def action_open_alerts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_alert_action")
        return action | {"domain": [("rule_id", "=", self.id)], "context": {"search_default_live": 1}}

    # === CHECKING METHODS === #

    @api.model
    def _check_text(self, text, key=None):
        """Read and check a text: ``(rules.risk.Rule | None, problems)``.

        :param key: the one that the record has already
        """
        rule, problems = read_rule(text)
        if not rule:
            return None, problems
        problems = self._check_rule(rule)
        if key and rule.key != key:
            message = self.env._("a rule keeps its key, this one is “%s”", key)
            problems += (own_place(Problem("key_changed", message, "key", rule.places.get("key"))),)
        return rule, problems + tuple(own_place(problem) for problem in self._check_companies(rule))

    @api.model
    def _check_rule(self, rule, catalogue=None, own=()):
        """The problems of a rule that was read.

        :param own: the fields whose places count in a text of their own, that of an override
        """
        catalogue = catalogue or self.env["credit.insurance.signals"]._get_catalogue()
        found = [(problem, own_place(problem)) for problem in check(rule, catalogue)]
        return tuple(
            replace(here, place=problem.place) if here.path.replace("[", ".").partition(".")[0] in own else here
            for problem, here in found
        )

    @api.model
    def _check_companies(self, rule):
        if rule.companies:
            known = set(self.env["res.company"].sudo().search([("parent_id", "=", False)]).mapped("name"))
            for name in sorted(set(rule.companies) - known):
                message = self.env._("there is no company “%s” at the root of a group of companies", name)
                yield Problem("unknown_company", message, "companies", rule.places.get("companies"))

    @api.model
    def _check_new_key(self, rule):
        """A rule that is new here, also beside those that the user may not see."""
        if self.sudo().search_count([("key", "=", rule.key)], limit=1):
            message = self.env._("there is another rule “%s” here", rule.key)
            hint = self.env._("give this one a key of its own")
            yield Problem("duplicate_key", message, "key", rule.places.get("key"), hint)

    @api.model
    def _describe(self, problems):
        """Problems as lines for people, each with its place."""
        lines = []
        for problem in problems:
            place = problem.place or Place(1, 1)
            lines.append(
                self.env._(
                    "Line %(line)s, column %(column)s: %(message)s%(hint)s",
                    line=place.line,
                    column=place.column,
                    message=tell(self.env, problem.message),
                    hint=self._describe_hint(problem),
                )
            )
        return "\n".join(lines)

    @api.model
    def _describe_hint(self, problem):
        return f" – {tell(self.env, problem.suggestion)}" if problem.suggestion else ""

    @api.model
    def _prepare_document_vals(self, text, key=None):
        """What the record repeats of a text.

        :raise ValidationError: the text is not an acceptable rule; one line for each problem
        """
        rule, problems = self._check_text(text, key)
        if rule and not key:
            problems += tuple(own_place(problem) for problem in self._check_new_key(rule))
        if problems:
            raise ValidationError(self._describe(problems))
        vals = {
            "document": text,
            "key": rule.key,
            "name": rule.name,
            "severity": rule.severity.value,
            "scope": rule.scope.value,
            "priority": rule.priority,
            "observe_only": rule.observe,
            "is_broken": False,
        }
        if rule.companies:
            domain = [("name", "in", rule.companies), ("parent_id", "=", False)]
            companies = self.env["res.company"].sudo().search(domain)
            vals["company_ids"] = [Command.set(sorted(companies.ids))]
        return vals

    def _write_said(self, said):
        """Store what the rule says otherwise as the next version; the same changes nothing."""
        self.ensure_one()
        before = said_by(self)
        said = said_with(before, said)
        if said == before:
            return
        self._check_text_may_change()
        vals = self._prepare_document_vals(said["document"], key=self.key)
        said |= {name: vals[name] for name in SETTINGS if name in vals}
        if said == before:
            return
        check_companies(before, said, self.env)
        self._write_text_vals(said | vals | {"version": self._get_next_version()})
        self._keep_version()
        if self.state == "active":
            self._check_reviewed()
            self._get_current_version()._set_active()
            self._check_active_together()

    def _write_text_vals(self, vals):
        """Write what a text says, past the protection of these fields in ``write``."""
        said = {name: value for name, value in vals.items() if name != "company_ids"}
        result = super().write(said)  # pylint: disable=super-method-mismatch
        if "company_ids" in vals:
            # Some of them may be none that the user sees: who may change which has been checked.
            companies = {"company_ids": vals["company_ids"]}
            super(CreditInsuranceRule, self.sudo()).write(companies)  # pylint: disable=super-method-mismatch
            self.invalidate_recordset(["company_ids"])
            self._end_alerts_elsewhere()
        return result

    # === EVALUATION === #

    @api.model
    def _get_active_pack(self):
        """All active rules as one pack, and the records that are active but do not pass the checker any more.

        Companies stand in it by id, as texts. Such a rule was stored before the signals changed; the others go on.
        """
        usable, unusable = [], self.browse()
        # A rule stays in its companies when they are archived: with none left it would apply in every one.
        for record in self.sudo().with_context(active_test=False).search([("state", "=", "active")]):
            rule, problems = record._check_stored()
            if problems:
                unusable |= record
            else:
                usable.append(replace(rule, companies=tuple(str(company_id) for company_id in record.company_ids.ids)))
        return Pack("active", tuple(usable)), unusable

    @api.model
    def _screen(self, buyers):
        """Evaluate the active rules on these buyers now: raise, update and end their alerts."""
        self.env["credit.insurance.screening"]._screen(buyers)

    # === SHIPPED PACKS === #

    @api.model
    def _load_packs(self):
        """Create the shipped rules that do not exist yet, as drafts; what administrators changed stays as it is.

        The derived signals that a pack brings are put into force with it; a pack whose signals mean something else here
        is left out.

        Their XML ids are ``credit_insurance.rule_<key>``.
        """
        existing = set(self.sudo().search([]).mapped("key"))  # pylint: disable=no-search-all
        for pack in self._get_shipped_packs():
            try:
                with self.env.cr.savepoint():
                    self.env["credit.insurance.signal"].sudo()._create_from_pack(pack)
            except ValidationError as error:
                # What administrators defined stays, and an update goes on.
                self.env.registry.clear_cache()
                _logger.warning("The pack %s is left out:\n%s", pack.key, error)
                continue
            created = self.create(
                [
                    {"document": write_rule(rule), "pack": pack.title or pack.key}
                    for rule in pack.rules
                    if rule.key not in existing
                ]
            )
            self.env["ir.model.data"]._update_xmlids(
                [{"xml_id": f"credit_insurance.rule_{rule.key}", "record": rule, "noupdate": True} for rule in created]
            )

    @api.model
    def _get_shipped_packs(self):
        return [load(path.read_text(encoding="utf-8")) for path in sorted(PACKS.glob("*.yaml"))]
