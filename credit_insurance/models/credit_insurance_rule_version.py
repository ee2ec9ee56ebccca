"""The versions of a rule, and the way of a text into force.

A rule's own fields say what is in force. While a rule is active a text typed in the editor is *proposed*: it waits as a
version of a higher number until somebody puts it into force. In which companies the rule applies, whether it holds
orders, and what its actions need, is part of a version.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

from . import credit_insurance_reviewed  # noqa: F401 (has to be loaded first)
from .credit_insurance_rule import NEW_DOCUMENT
from .guarded_fields import without_fields
from .rule_document import describe_changes
from .rule_settings import SAID, SETTINGS, all_companies, check_companies, said_by, said_with, setting

SHIPPED_FIELDS = ("pack", "pack_id", "by_pack", "was_active")


class CreditInsuranceRuleVersion(models.Model):
    """A text that a rule had. Written once, so that every alert can tell under which text it was raised."""

    _name = "credit.insurance.rule.version"
    _description = "Version of a Risk Rule"
    _inherit = ["credit.insurance.reviewed.version"]
    _order = "rule_id, version desc"
    _compare_model = "credit.insurance.rule.compare"

    rule_id = fields.Many2one("credit.insurance.rule", required=True, readonly=True, ondelete="cascade", index=True)
    document = fields.Text(string="Text", required=True, readonly=True)
    company_ids = fields.Many2many("res.company", string="Companies", readonly=True, help="Empty: every company.")
    holds_orders = fields.Boolean(readonly=True)
    is_shipped = fields.Boolean(readonly=True, help="The text came with the addon and needs no review.")
    restored_from_id = fields.Many2one("credit.insurance.rule.version", readonly=True, ondelete="restrict")
    changes = fields.Char(string="Changed", compute="_compute_changes", help="Compared with the version before it.")

    _version_uniq = models.UniqueIndex("(rule_id, version)", "This version is kept already.")

    # === COMPUTE METHODS === #

    @api.depends("document", "version", "rule_id.version_ids.document")
    def _compute_changes(self):
        for record in self:
            earlier = record.rule_id.version_ids.filtered(lambda other, this=record: other.version < this.version)
            before = max(earlier, key=lambda other: other.version, default=None)
            record.changes = record._describe_changes(before) if before else False

    def _describe_changes(self, before):
        changed = [name for name in SETTINGS if setting(before, name) != setting(self, name)]
        labels = [self._fields[name]._description_string(self.env) for name in changed]
        return ", ".join(filter(None, (describe_changes(before.document, self.document), *labels)))

    # === BUSINESS METHODS === #

    def _get_owner(self):
        return self.rule_id

    def _is_reviewed(self):
        return super()._is_reviewed() or self.is_shipped

    # === ACTIONS === #

    def action_restore(self):
        """Make the old text a new version; where no review is needed, an active rule follows it at once."""
        self.ensure_one()
        rule = self.rule_id
        rule.check_access("write")
        rule._propose(said_by(self), restored_from=self)
        if rule.state == "active" and not rule.review_needed:
            rule.action_activate()
        return True


class CreditInsuranceRule(models.Model):
    _name = "credit.insurance.rule"
    _inherit = ["credit.insurance.rule", "credit.insurance.reviewed", "mail.activity.mixin"]

    working_version_id = fields.Many2one("credit.insurance.rule.version", compute="_compute_working_version_id")
    working_document = fields.Text(
        string="Text",
        compute="_compute_working_document",
        readonly=False,
        help="What is being worked on: the proposed text, or the one in force when nothing is proposed.",
    )
    working_company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        compute="_compute_working_document",
        readonly=False,
        domain="[('parent_id', '=', False)]",
        help="Empty: every company. A rule whose text lists companies follows its text.",
    )
    archived_companies = fields.Char(
        compute="_compute_archived_companies", help="Those of the rule's companies that are archived, by name."
    )
    working_holds_orders = fields.Boolean(
        string="Holds Orders",
        compute="_compute_working_document",
        readonly=False,
        help="While an alert of this rule is open, orders of its buyer are held. Not while the rule only observes.",
    )
    review_needed = fields.Boolean(compute="_compute_review_needed")

    # === COMPUTE METHODS === #

    @api.depends("version", "version_ids.state")
    def _compute_working_version_id(self):
        return super()._compute_working_version_id()

    @api.depends(*SAID, "working_version_id")
    def _compute_working_document(self):
        for rule in self:
            source = rule.working_version_id or rule
            rule.working_document = source.document or NEW_DOCUMENT
            for name in SETTINGS:
                if name != "company_ids":
                    rule[f"working_{name}"] = source[name]
            rule.working_company_ids = all_companies(source).with_env(self.env)._filtered_access("read")

    @api.depends("company_ids.active", "working_version_id")
    def _compute_archived_companies(self):
        """Named here, since nobody may choose them: without them the rule would read as one for every company."""
        for rule in self:
            companies = all_companies(rule.working_version_id or rule)
            archived = companies.filtered(lambda company: not company.active)
            rule.archived_companies = ", ".join(archived.mapped("name")) or False

    @api.depends("company_ids")
    def _compute_review_needed(self):
        roots = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        for rule in self:
            rule.review_needed = any((all_companies(rule) or roots).mapped("credit_rule_review"))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """A new rule starts as a draft, or in force where no review is needed."""
        if not self.env.su:
            # What came with the addon needs no review, so nobody else may say that something did.
            self, vals_list = without_fields(self, vals_list, SHIPPED_FIELDS)
        for vals in vals_list:
            for name in SAID:
                if f"working_{name}" in vals:
                    vals[name] = vals.pop(f"working_{name}")
        rules = super().create(vals_list)
        active = rules.filtered(lambda rule: rule.state == "active")._get_current_versions()
        active._check_may_activate()
        active._set_active()
        return rules

    def write(self, vals):
        """Keep what is typed as a version; see that what becomes active was reviewed."""
        vals = dict(vals)
        typed = {name: vals.pop(f"working_{name}") for name in SAID if f"working_{name}" in vals}
        self.check_access("write")
        for rule in self if typed else ():
            rule._propose(typed)
        state = vals.get("state")
        changing = self.filtered(lambda rule: rule.state != state) if state else self.browse()
        result = super().write(vals)
        if state == "active":
            # What counts is the text that is in force now, which the same values may have brought.
            versions = changing._get_current_versions()
            versions._check_may_activate()
            versions._set_active()
        elif state:
            for version in changing._get_current_versions().filtered(lambda row: row.state == "active"):
                version._move("approved" if version.reviewer_id or version.is_shipped else "draft")
        # Checking the rights reads all of them; who reads on is shown those that he may see.
        self.invalidate_recordset(["company_ids"])
        return result

    # === ACTIONS === #

    def action_activate(self):
        """Put the text that is being worked on into force."""
        self.check_access("write")
        for rule in self:
            version = rule.working_version_id
            if version.version > rule.version:
                version._check_may_activate()
                rule._put_into_force(version)
        return super().action_activate()

    # === VERSIONS === #

    def _get_current_versions(self):
        return self.env["credit.insurance.rule.version"].union(*(rule._get_current_version() for rule in self))

    def _check_text_may_change(self):
        """:raise UserError: the rule is active and its texts are reviewed before they count"""
        if self.state == "active" and self.review_needed:
            raise UserError(self.env._("Texts of active rules are reviewed: propose “%s” in its editor.", self.name))

    def _check_reviewed(self):
        """:raise UserError: an active rule reaches a company that asks for a review which its text never had"""
        for rule in self.filtered(lambda rule: rule.state == "active" and rule.review_needed):
            version = rule._get_current_version()
            if not version.reviewer_id and not version.is_shipped:
                raise UserError(self.env._("Another administrator has to approve “%s” first.", rule.name))

    def _propose(self, typed, restored_from=None):
        """Keep what was typed: of an active rule as a proposal, else as the rule's own.

        :param typed: what is said otherwise than in what is being worked on
        """
        self.ensure_one()
        before = said_by(self.working_version_id or self)
        said = said_with(before, typed)
        if said == before:
            return
        if self.state != "active":
            self._write_said(said)
            if restored_from:
                self._get_current_version()._move("draft", restored_from_id=restored_from.id)
            return
        vals = self._prepare_document_vals(said["document"], key=self.key)
        said |= {name: vals[name] for name in SETTINGS if name in vals}
        check_companies(before, said, self.env)
        self.version_ids.filtered(self._is_waiting)._move("discarded")
        if said != said_by(self):
            self._keep_version(said, restored_from)

    def _keep_version(self, proposed=None, restored_from=None):
        """Keep what these rules say as versions, or what one of them is proposed to say."""
        for rule in self:
            said = proposed or said_by(rule) | {"version": rule.version}
            version = rule._create_version(
                {
                    **said,
                    "is_shipped": bool(rule.pack and rule.version == 1 and not proposed),
                    "restored_from_id": restored_from.id if restored_from else False,
                }
            )
            version.invalidate_recordset(["company_ids"])
            if not proposed:
                version._retire_older()

    def _put_into_force(self, version):
        """Let the rule's fields repeat a version that waited."""
        self.ensure_one()
        vals = self._prepare_document_vals(version.document, key=self.key)
        self._write_text_vals(said_by(version) | vals | {"version": version.version})
        version._retire_older()
        self._check_reviewed()
        if self.state == "active":
            version._set_active()
            self._check_active_together()
        self._tell_in_force(version)

    def _write_text_vals(self, vals):
        """Alerts that stand follow the new text, not only with the daily screening."""
        result = super()._write_text_vals(vals)
        self.env["credit.insurance.alert"]._screen_again([("rule_id", "in", self.ids)])
        return result

    def _end_alerts_elsewhere(self):
        """Where a rule does not apply any more no screening looks at its alerts: end them."""
        for rule in self.filtered(all_companies).sudo():
            self.env["credit.insurance.alert"]._end_all(
                [("rule_id", "=", rule.id), ("company_id", "not in", all_companies(rule).ids)],
                _lt("The rule no longer applies in this company."),
            )
