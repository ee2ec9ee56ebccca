from odoo import api, fields, models, tools

from odoo.addons.credit_insurance.rules.risk import Scope, expand

HOLDING = frozenset({"hold_buyer", "hold_order"})


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
        rules = [rule for rule in pack.rules if rule.scope is Scope.ORDER and not rule.observe]
        if any(HOLDING & set(part.actions) for rule in rules for part in expand(rule)):
            return True
        keys = [rule.key for rule in rules]
        return bool(self.sudo().search_count([("key", "in", keys), ("holds_orders", "=", True)], limit=1))

    def _holds_by(self, rule):
        """Whether an alert of this record holds orders when ``rule``, it or a row of its table, fires."""
        self.ensure_one()
        return not rule.observe and bool(self.holds_orders or HOLDING & set(rule.actions))
