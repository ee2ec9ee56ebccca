from dataclasses import dataclass

from odoo import api, fields, models, tools

from odoo.addons.credit_insurance.rules.risk import Scope, expand

from .rule_document import condition_keys

HOLDING = frozenset({"hold_buyer", "hold_order"})


@dataclass(frozen=True)
class Holding:
    """A rule about orders that may hold one: under which texts it applies, and the signals that decide."""

    rule_id: int
    name: str
    keys: tuple[str, ...]
    version_id: int
    override_id: int | bool
    override_document: str | bool


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    holds_orders = fields.Boolean(
        readonly=True,
        tracking=True,
        copy=False,
        help="While an alert of this rule is open, orders of its buyer are held. Not while the rule only observes.",
    )

    @api.model
    @tools.ormcache("company_id")
    def _may_hold_orders(self, company_id):
        """Whether a rule about orders may hold one in this company: asked at each confirmation."""
        pack, _unusable = self._get_active_pack(self.env["res.company"].browse(company_id))
        return bool(self._find_holding(pack.rules))

    @api.model
    def _find_holding(self, rules):
        """``[(parsed rule, its record)]`` of those about orders that may hold one."""
        rules = [rule for rule in rules if rule.scope is Scope.ORDER]
        found = self.sudo().search_fetch([("key", "in", [rule.key for rule in rules])], ["key", "name", "holds_orders"])
        records = {record.key: record for record in found}
        return [(rule, records[rule.key]) for rule in rules if records[rule.key]._may_hold_by(rule)]

    @api.model
    def _get_holding(self, rules, shared):
        """What a decision about an order tells of the rules that may hold it, as they apply in a company.

        :param dict shared: what its alerts say of the versions of each rule's record
        """
        return tuple(
            Holding(
                rule_id=record.id,
                name=record.name,
                keys=tuple(sorted(condition_keys(rule))),
                version_id=shared[record.id]["rule_version_id"],
                override_id=shared[record.id]["override_version_id"],
                override_document=shared[record.id]["override_document"],
            )
            for rule, record in self._find_holding(rules)
        )

    def _may_hold_by(self, rule):
        """Whether an alert of this record may hold orders, when ``rule`` or a row of its table fires."""
        return any(self._holds_by(part) for part in expand(rule))

    def _holds_by(self, rule):
        """Whether an alert of this record holds orders when ``rule``, it or a row of its table, fires."""
        self.ensure_one()
        return not rule.observe and bool(self.holds_orders or HOLDING & set(rule.actions))
