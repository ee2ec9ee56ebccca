"""Shipped rules in packs that each company switches on for itself.

A rule that a pack switched on (``by_pack``) applies in the companies in which the pack is on; one that somebody
activated by hand applies where the rule says, whatever becomes of its pack.
"""

from dataclasses import replace

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

from . import cached_records  # noqa: F401 (has to be loaded first)

ADMIN_GROUP = "credit_insurance.credit_insurance_group_admin"


class CreditInsuranceRulePack(models.Model):
    """Rules that are shipped together. Written by the addon; companies switch it on and off with the buttons."""

    _name = "credit.insurance.rule.pack"
    _description = "Pack of Risk Rules"
    _inherit = ["credit.insurance.cached"]
    _order = "name"

    key = fields.Char(required=True, readonly=True)
    name = fields.Char(required=True, readonly=True, translate=True)
    reason = fields.Text(readonly=True, translate=True)
    rule_ids = fields.One2many("credit.insurance.rule", "pack_id", string="Rules", readonly=True)
    rule_count = fields.Integer(compute="_compute_counts")
    alert_count = fields.Integer(string="Open Alerts", compute="_compute_counts")
    company_ids = fields.Many2many("res.company", string="On In", readonly=True)
    is_on = fields.Boolean(string="On Here", compute="_compute_is_on", help="In the company you work in.")
    has_new_rules = fields.Boolean(
        compute="_compute_is_on", help="The pack is on, and an update brought rules that are not yet."
    )

    _key_uniq = models.UniqueIndex("(key)", "Another pack has this key already.")

    # === COMPUTE METHODS === #

    @api.depends("company_ids", "rule_ids.state")
    @api.depends_context("company")
    def _compute_is_on(self):
        company = self.env.company.root_id
        for pack in self:
            pack.is_on = company in pack.sudo().company_ids
            pack.has_new_rules = pack.is_on and any(
                rule.state == "draft" and not rule.was_active for rule in pack.sudo().rule_ids
            )

    def _compute_counts(self):
        groups = self.env["credit.insurance.alert"]._read_group(
            [("rule_id", "in", self.rule_ids.ids), ("state", "in", ("open", "acknowledged"))],
            ["rule_id"],
            ["__count"],
        )
        counts = {rule.id: count for rule, count in groups}
        for pack in self:
            pack.rule_count = len(pack.rule_ids)
            pack.alert_count = sum(counts.get(rule.id, 0) for rule in pack.rule_ids)

    # === ACTIONS === #

    def action_switch_on(self):
        """Switch these packs on in the company the user works in. Rules that were archived stay archived."""
        company = self._check_admin()
        packs = self.sudo()
        packs.write({"company_ids": [Command.link(company.id)]})
        drafts = packs.rule_ids.filtered(lambda rule: rule.state == "draft")
        if drafts:
            # As the button does it, reviews included.
            drafts.with_context(credit_rule_by_pack=True).action_activate()
        else:
            packs.rule_ids._check_active_together()
        return True

    def action_switch_off(self):
        """Switch these packs off in that company: the alerts of their rules end there."""
        company = self._check_admin()
        # Where it is on in an archived company it goes on when that is back.
        packs = self.sudo().with_context(active_test=False)
        packs.write({"company_ids": [Command.unlink(company.id)]})
        rules = packs.rule_ids.filtered("by_pack")
        self.env["credit.insurance.alert"]._end_all(
            [("rule_id", "in", rules.ids), ("company_id", "=", company.id)],
            _lt("The pack of the rule was switched off."),
        )
        rules.filtered(lambda rule: not rule.pack_id.company_ids).write({"state": "draft", "by_pack": False})
        return True

    def action_open_rules(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_rule_action")
        return action | {"domain": [("pack_id", "=", self.id)], "context": {}, "name": self.name}

    def _check_admin(self):
        """:raise AccessError: the user is no administrator of risk rules"""
        if not self.env.user.has_group(ADMIN_GROUP):
            raise AccessError(self.env._("Only an administrator of risk rules switches packs."))
        self.check_access("read")
        return self.env.company.root_id


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    pack_id = fields.Many2one(
        "credit.insurance.rule.pack", string="Rule Pack", readonly=True, copy=False, index="btree_not_null"
    )
    by_pack = fields.Boolean(
        string="Switched On By Its Pack",
        readonly=True,
        copy=False,
        help="Applies in the companies in which its pack is on. Activated by hand it applies where the rule says.",
    )
    was_active = fields.Boolean(readonly=True, copy=False, help="Somebody has switched it on before.")

    def write(self, vals):
        """A rule that somebody moves by hand no longer follows its pack."""
        if not self.env.su:
            vals = {name: value for name, value in vals.items() if name not in ("pack_id", "by_pack", "was_active")}
        if "state" in vals:
            moved = self.filtered(lambda rule: rule.state != vals["state"])
            # Only the addon's own code is trusted with the context.
            by_pack = bool(self.env.su and self.env.context.get("credit_rule_by_pack") and vals["state"] == "active")
            switched = {"by_pack": by_pack} | ({"was_active": True} if vals["state"] == "active" else {})
            super(CreditInsuranceRule, moved).write(switched)
        return super().write(vals)

    # === WHAT APPLIES === #

    @api.model
    def _get_active_pack(self, company=None):
        """The rules that are active, as one pack; with ``company`` only what applies there, with its overrides."""
        pack, unusable = super()._get_active_pack()
        records = self.sudo().search([("by_pack", "=", True), ("state", "=", "active")])
        limited = {record.key: record for record in records}
        rules = [self._limit_to_pack(rule, limited.get(rule.key)) for rule in pack.rules]
        rules = [rule for rule in rules if rule]
        if company is not None:
            root = company.root_id
            rules = [rule for rule in rules if not rule.companies or str(root.id) in rule.companies]
            rules = self.env["credit.insurance.rule.override"]._apply_to(rules, root)
        return replace(pack, rules=tuple(rules)), unusable

    @api.model
    def _limit_to_pack(self, rule, record):
        """The rule with the companies of its pack; None where they and its own have nothing in common."""
        if not record:
            return rule
        on = {str(company_id) for company_id in record.pack_id.company_ids.ids}
        companies = on & set(rule.companies) if rule.companies else on
        return replace(rule, companies=tuple(sorted(companies))) if companies else None

    # === SHIPPED PACKS === #

    @api.model
    def _load_packs(self):
        """Also keep the packs themselves: their names and reasons follow the addon, their switches stay."""
        result = super()._load_packs()
        packs = self.env["credit.insurance.rule.pack"].sudo().with_context(lang=None)
        known = {pack.key: pack for pack in packs.search([])}  # pylint: disable=no-search-all
        rules = {rule.key: rule for rule in self.sudo().search([("pack", "!=", False)])}
        for shipped in self._get_shipped_packs():
            own = self.union(*(rules[rule.key] for rule in shipped.rules if rule.key in rules))
            if not own:
                continue  # it was left out
            vals = {"name": shipped.title or shipped.key, "reason": shipped.reason}
            if pack := known.get(shipped.key):
                pack.write(vals)
            else:
                pack = packs.create({"key": shipped.key, **vals})
            xmlid = f"credit_insurance.rule_pack_{shipped.key}"
            self.env["ir.model.data"]._update_xmlids([{"xml_id": xmlid, "record": pack, "noupdate": True}])
            (own - pack.rule_ids).sudo().write({"pack_id": pack.id})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self):
        if self.filtered("pack_id"):
            raise UserError(self.env._("This rule is part of a pack: archive it instead."))
