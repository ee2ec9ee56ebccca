"""What a company changes of a rule for itself, without editing the rule: some of its fields, or no rule at all.

    severity: high
    when: days_overdue_oldest >= 60 days

What is not overridden follows the rule, also when an update changes it. An override is reviewed like a rule where its
company asks for that: its fields show what is being worked on, ``version_id`` is what is in force.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

from . import cached_records, credit_insurance_reviewed  # noqa: F401 (have to be loaded first)
from .guarded_fields import without_fields
from .rule_document import overridden_fields, override_rule, read_rule, write_rule

# What a version says.
SAID = ("document", "switched_off", "reason")


class CreditInsuranceRuleOverrideVersion(models.Model):
    """What an override said. An override that says nothing lets the rule apply as it is."""

    _name = "credit.insurance.rule.override.version"
    _description = "Version of an Override of a Risk Rule"
    _inherit = ["credit.insurance.reviewed.version"]
    _order = "override_id, version desc"
    _compare_model = "credit.insurance.rule.override.compare"

    override_id = fields.Many2one(
        "credit.insurance.rule.override", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="override_id.company_id", store=True, index=True)
    document = fields.Text(string="Instead of the Rule's", readonly=True)
    switched_off = fields.Boolean(string="Switched Off Here", readonly=True)
    reason = fields.Char(readonly=True)

    _version_uniq = models.UniqueIndex("(override_id, version)", "This version is kept already.")

    def _get_owner(self):
        return self.override_id

    def action_restore(self):
        """Say again what was said then; where no review is needed it is in force at once."""
        self.ensure_one()
        self.override_id.write({name: self[name] for name in SAID})
        return True

    def _apply_to(self, rule):
        """``(rule under this override, problems)``; no rule where it is switched off or the override does not fit."""
        if self.switched_off:
            return None, ()
        if not (self.document or "").strip():
            return rule, ()
        changed, problems = override_rule(rule, self.document)
        if changed:
            rules = self.env["credit.insurance.rule"]
            problems = rules._check_rule(changed, own=overridden_fields(self.document))
        return (None if problems else changed), tuple(problems)

    def _describe_for(self, company):
        """What people are told where this version changes what they try."""
        self.ensure_one()
        if self.switched_off:
            return self.env._("%s has switched this rule off: it does not apply there.", company.name)
        return self.env._(
            "%(company)s overrides this rule; what applies there is tried. Overridden: %(fields)s.",
            company=company.name,
            fields=", ".join(sorted(overridden_fields(self.document, both=False))),
        )

    def _fits(self):
        """Whether it changes the rule as the rule stands, and so counts."""
        rule, _problems = read_rule(self.override_id.rule_id.document)
        return bool(rule and (self.document or "").strip() and self._apply_to(rule)[0])


class CreditInsuranceRuleOverride(models.Model):
    """A company's override of one rule. One that an update made unusable is left out, and the list shows it."""

    _name = "credit.insurance.rule.override"
    _description = "Override of a Risk Rule"
    _inherit = ["credit.insurance.reviewed", "mail.thread", "mail.activity.mixin", "credit.insurance.cached"]
    _order = "rule_id, company_id"
    _rec_name = "rule_id"
    _review_activity = "credit_insurance.mail_activity_type_override_review"

    rule_id = fields.Many2one("credit.insurance.rule", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
    )
    version_id = fields.Many2one(
        "credit.insurance.rule.override.version", string="In Force", readonly=True, copy=False, ondelete="restrict"
    )
    version_ids = fields.One2many(
        "credit.insurance.rule.override.version", "override_id", string="Versions", readonly=True
    )
    working_version_id = fields.Many2one(
        "credit.insurance.rule.override.version", compute="_compute_working_version_id"
    )
    review_needed = fields.Boolean(related="company_id.credit_rule_review")
    switched_off = fields.Boolean(
        string="Switched Off Here",
        compute="_compute_said",
        readonly=False,
        help="The rule does not apply in this company.",
    )
    document = fields.Text(
        string="Instead of the Rule's",
        compute="_compute_said",
        readonly=False,
        help="Fields of the rule with other values, as in the rule's text. Allowed: severity, priority, message, "
        "actions, observe, when, table, unless, until, valid_from, valid_to, tests.",
    )
    reason = fields.Char(compute="_compute_said", readonly=False, required=True)
    rule_document = fields.Text(related="rule_id.document", string="The Rule")
    result = fields.Text(string="What Applies Here", compute="_compute_result")
    problems = fields.Text(compute="_compute_result")

    _rule_company_uniq = models.UniqueIndex("(rule_id, company_id)", "This company overrides the rule already.")

    # === COMPUTE METHODS === #

    @api.depends("rule_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for override in self:
            override.display_name = override.rule_id.sudo().display_name

    @api.depends("version_id", "version_ids.state")
    def _compute_working_version_id(self):
        return super()._compute_working_version_id()

    @api.depends("working_version_id")
    def _compute_said(self):
        for override in self:
            for name in SAID:
                override[name] = override.working_version_id[name]

    @api.depends("document", "switched_off", "rule_id.document")
    def _compute_result(self):
        for override in self:
            said = {"document": override.document, "switched_off": override.switched_off}
            rule, problems = override._try(self.env["credit.insurance.rule.override.version"].new(said))
            override.result = write_rule(rule) if rule else False
            override.problems = problems

    @api.constrains("company_id")
    def _check_company(self):
        if self.company_id.filtered("parent_id"):
            raise ValidationError(self.env._("Rules apply in the root company, not in a branch of it."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """A new override counts at once, or waits for its review."""
        self, vals_list = without_fields(self, vals_list, ("version_id",))
        said = [{name: vals.pop(name, False) for name in SAID} for vals in vals_list]
        overrides = super().create(vals_list)
        # What is overridden is shown with its text.
        overrides.rule_id.check_access("read")
        for override, values in zip(overrides, said, strict=True):
            override._propose(values)
        return overrides

    def write(self, vals):
        """What is said becomes a version, which counts at once where no review is needed."""
        said = {name: vals[name] for name in SAID if name in vals}
        before = {override: (override.rule_id, override.company_id) for override in self}
        result = super().write({name: value for name, value in vals.items() if name not in (*SAID, "version_id")})
        if "company_id" in vals:
            # Nor into a company whose overrides the user may not write.
            self.check_access("write")
        if any((override.rule_id, override.company_id) != before[override] for override in self):
            raise UserError(self.env._("An override stays with its rule and its company: make another one."))
        for override in self if said else ():
            override._propose({name: override[name] for name in SAID} | said)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_counting(self):
        """What counts is taken back by a version that says nothing, so that it is reviewed and stays on record."""
        alerts = self.env["credit.insurance.alert"].sudo()
        for override in self:
            counts = override.version_id.switched_off or override.version_id.document
            used = alerts.search_count([("override_version_id", "in", override.version_ids.ids)], limit=1)
            if used or (counts and override.review_needed):
                raise UserError(
                    self.env._("“%s” is on record: instead of deleting it, let it change nothing.", self.display_name)
                )

    # === ACTIONS === #

    def action_dry_run(self):
        """Prepare a dry run of the rule under what is being worked on."""
        self.ensure_one()
        return self.rule_id._open_dry_run(self.company_id, self.working_version_id)

    # === BUSINESS METHODS === #

    def _get_current_version(self):
        return self.version_id

    def _propose(self, said):
        """Keep what is said as a version.

        :raise ValidationError: it does not fit the rule, or says nothing where nothing is overridden
        """
        self.ensure_one()
        self.check_access("write")
        self._check_said(said)
        if said == {name: self[name] for name in SAID} and self.working_version_id:
            return
        self.version_ids.filtered(self._is_waiting)._move("discarded")
        self._create_version(said)
        if not self.review_needed:
            self.action_activate()

    def _check_said(self, said):
        is_empty = not said["switched_off"] and not (said["document"] or "").strip()
        if is_empty and not self.version_id:
            raise ValidationError(self.env._("Say what is different here, or switch the rule off."))
        if not said["reason"]:
            raise ValidationError(self.env._("Say why “%s” is different here.", self.display_name))
        # What is switched off is kept for later, so it has to fit as well.
        version = self.env["credit.insurance.rule.override.version"].new({"document": said["document"]})
        _rule, problems = self._try(version)
        if problems:
            raise ValidationError(problems)

    def _put_into_force(self, version):
        version._check_may_activate()
        version._retire_older()
        result = super().write({"version_id": version.id})  # pylint: disable=super-method-mismatch
        version._set_active()
        self.env["credit.insurance.rule"].sudo()._check_company_pack(self.company_id)
        here = [("rule_id", "=", self.rule_id.id), ("company_id", "=", self.company_id.id)]
        if version.switched_off:
            note = _lt("The rule was switched off in this company.")
            self.env["credit.insurance.alert"]._end_all(here, note)
        self.env["credit.insurance.alert"]._screen_again(here)
        self._tell_in_force(version)
        return result

    def _try(self, version):
        """``(Rule | None, problems as text)`` of the rule as it stands under a version."""
        self.ensure_one()
        rule, problems = read_rule(self.rule_id.sudo().document)
        if rule:
            rule, problems = version._apply_to(rule)
        return rule, self.env["credit.insurance.rule"]._describe(problems) or False

    @api.model
    def _get_in_force(self, company):
        """``{rule key: version}`` of what the root company ``company`` overrides."""
        overrides = self.sudo().search([("company_id", "=", company.id), ("version_id", "!=", False)])
        return {override.rule_id.key: override.version_id for override in overrides}

    @api.model
    def _get_unusable(self):
        """Those in force that do not fit their active rule, so that the rule applies instead, in every company."""
        overrides = self.sudo().search([("version_id", "!=", False), ("rule_id.state", "=", "active")])
        changing = overrides.filtered(
            lambda override: override.version_id.document and not override.version_id.switched_off
        )
        return changing.filtered(lambda override: override._try(override.version_id)[1])

    @api.model
    def _get_effective(self, rule, company):
        """``(rule, version)`` that apply in ``company``: no rule where it is off, no version where none counts."""
        version = self._get_in_force(company).get(rule.key)
        changed, problems = version._apply_to(rule) if version else (rule, ())
        if problems or changed == rule:
            return rule, self.env["credit.insurance.rule.override.version"]
        return changed, version

    @api.model
    def _apply_to(self, rules, company):
        """The parsed rules as they apply in the root company ``company``."""
        in_force, result = self._get_in_force(company), []
        for rule in rules:
            version = in_force.get(rule.key)
            changed, problems = version._apply_to(rule) if version else (rule, ())
            if problems:
                changed = rule
            result += [changed] if changed else []
        return result


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    override_ids = fields.One2many("credit.insurance.rule.override", "rule_id", string="Overrides")

    def action_open_override(self):
        """The override of the company the user works in, or a new one."""
        self.ensure_one()
        company = self.env.company.root_id
        found = self.override_ids.filtered(lambda override: override.company_id == company)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Override Here"),
            "res_model": "credit.insurance.rule.override",
            "res_id": found.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {"default_rule_id": self.id, "default_company_id": company.id},
        }

    @api.model
    def _check_company_pack(self, company):
        """:raise ValidationError: what applies in the company contradicts itself, or the engine refuses it"""
        pack, _unusable = self.sudo()._get_active_pack(company)
        self._check_pack(pack)
