"""What a company changes of a rule for itself, without editing the rule."""

from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from . import cached_records  # noqa: F401 (has to be loaded first)
from .rule_override_text import get_strangers, merge_texts


class CreditInsuranceRuleOverride(models.Model):
    """Other values of some of a rule's fields in one company, or no rule at all there.

    What is not overridden follows the rule, also when an update changes it. An override that an update made unusable
    is left out: the rule applies as it is, and the list shows it.
    """

    _name = "credit.insurance.rule.override"
    _description = "Override of a Risk Rule"
    _inherit = ["mail.thread", "credit.insurance.cached"]
    _order = "rule_id, company_id"
    _rec_name = "rule_id"

    rule_id = fields.Many2one("credit.insurance.rule", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
    )
    switched_off = fields.Boolean(
        string="Switched Off Here", tracking=True, help="The rule does not apply in this company."
    )
    document = fields.Text(
        string="Instead of the Rule's",
        tracking=True,
        help="Fields of the rule with other values, as in the rule's text. Allowed: severity, priority, message, "
        "actions, observe, when, table, unless, until, valid_from, valid_to, tests.",
    )
    reason = fields.Char(required=True, tracking=True)
    rule_document = fields.Text(related="rule_id.document", string="The Rule")
    result = fields.Text(string="What Applies Here", compute="_compute_result")
    problems = fields.Text(compute="_compute_result")

    _rule_company_uniq = models.UniqueIndex("(rule_id, company_id)", "This company overrides the rule already.")

    # === COMPUTE METHODS === #

    @api.depends("document", "rule_id.document")
    def _compute_result(self):
        for override in self:
            text = override.rule_id.document
            override.result = merge_texts(text, override.document) if text else False
            _rule, problems = override._read()
            override.problems = problems

    @api.constrains("document", "rule_id", "switched_off")
    def _check_document(self):
        for override in self:
            if not override.switched_off and not (override.document or "").strip():
                raise ValidationError(self.env._("Say what is different here, or switch the rule off."))
            _rule, problems = override._read()
            if problems:
                raise ValidationError(problems)

    @api.constrains("company_id")
    def _check_company(self):
        if self.company_id.filtered("parent_id"):
            raise ValidationError(self.env._("Rules apply in the root company, not in a branch of it."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        overrides = super().create(vals_list)
        overrides._apply()
        return overrides

    def write(self, vals):
        result = super().write(vals)
        if "company_id" in vals:
            # Nor into a company whose overrides the user may not write.
            self.check_access("write")
        if {"document", "switched_off", "rule_id", "company_id"} & vals.keys():
            self._apply()
        return result

    def _apply(self):
        """Check what is in force together with what it makes of the rule; end the alerts where it is switched off."""
        rules = self.env["credit.insurance.rule"].sudo()
        for company in self.company_id:
            rules._check_company_pack(company)
        for override in self.filtered("switched_off"):
            self.env["credit.insurance.alert"]._end_all(
                [("rule_id", "=", override.rule_id.id), ("company_id", "=", override.company_id.id)],
                self.env._("The rule was switched off in this company."),
            )

    # === BUSINESS METHODS === #

    def _read(self):
        """``(Rule | None, problems as text)`` of the rule under this override."""
        self.ensure_one()
        rules = self.env["credit.insurance.rule"]
        text = self.rule_id.sudo().document
        if not text or not (self.document or "").strip():
            return None, False
        if strangers := get_strangers(self.document):
            return None, self.env._("An override does not carry: %s", ", ".join(strangers))
        rule, problems = rules.sudo()._check_text(merge_texts(text, self.document), self.rule_id.sudo().key)
        if problems:
            return None, rules._describe(problems)
        return rule, False

    @api.model
    def _apply_to(self, rules, company):
        """The parsed rules as they apply in the root company ``company``."""
        overrides = self.sudo().search([("company_id", "=", company.id)])
        by_key = {override.rule_id.key: override for override in overrides}
        result = []
        for rule in rules:
            override = by_key.get(rule.key)
            if not override:
                result.append(rule)
            elif not override.switched_off:
                own, _problems = override._read()
                result.append(replace(own, companies=rule.companies) if own else rule)
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
