"""Risk rules that hold orders have their say before an order passes, not a minute later.

Their alert is there when the decision reads what holds its buyer, and stands like any other afterwards. The engine has
half a second; then the reference evaluator answers. Companies without such a rule pay nothing for it.

Whoever looks at a quotation, saved or being typed, is told the same beforehand; then no alert is raised.
"""

from dataclasses import replace

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import ConcurrencyError

from odoo.addons.credit_insurance.rules.risk import Scope

from .rule_document import evaluate_rows

ENGINE_TIMEOUT = 0.5


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _screen_orders(self, orders):
        """Evaluate the rules about orders on those that are about to pass.

        :raise ConcurrencyError: a screening raised the same alert at this instant: the whole confirmation is repeated
        """
        rules = self.env["credit.insurance.rule"]
        for company, own in orders.sudo().grouped(lambda order: order.company_id.root_id).items():
            if company.credit_gate_mode == "off" or not rules._may_hold_orders(company.id):
                continue
            try:
                with self.env.cr.savepoint():
                    self.env["credit.insurance.screening"]._screen_documents(Scope.ORDER, own, ENGINE_TIMEOUT)
                    self.env.flush_all()
            except UniqueViolation as error:
                raise ConcurrencyError("The same risk alert was raised at the same time") from error

    @api.model
    def _foresee_rules(self, cases):
        """The cases with the alerts that confirming them now would raise or end. Nothing is written."""
        return [self._foresee(case) if case.subject._name == "sale.order" else case for case in cases]

    @api.model
    def _foresee(self, case):
        company = case.company
        if company.credit_gate_mode == "off" or not self.env["credit.insurance.rule"]._may_hold_orders(company.id):
            return case
        held, over = self._judge_order(case.subject, company, case.today)
        alerts = tuple(sorted((set(case.alerts) - over) | held))
        if alerts == case.alerts:
            return case
        found = replace(case, alerts=alerts)
        # Nothing was looked up for a buyer that nobody configured.
        return self._with_amounts(found) if found.looked_up and not case.looked_up else found

    @api.model
    def _judge_order(self, order, company, today):
        """The names of the rules about orders that would hold this one, and of those whose alert would end."""
        held, over = set(), set()
        loaded = self.env["credit.insurance.screening"].sudo()._get_ready_engine(company, ENGINE_TIMEOUT)
        if not loaded or not loaded.rule_ids[Scope.ORDER]:
            return held, over
        signals = self.env["credit.insurance.signals"].sudo()
        found = signals._get_document_facts(Scope.ORDER, order, loaded.keys[Scope.ORDER], today)
        if not found:
            return held, over
        [facts] = found.values()
        dismissed = self._get_dismissed(order)
        records = self.env["credit.insurance.rule"].sudo().browse(loaded.rule_ids[Scope.ORDER])
        for rule in loaded.engine.pack.rules:
            if record := records.filtered(lambda row, key=rule.key: row.key == key):
                outcomes = evaluate_rows(rule, facts, today, loaded.engine.catalogue, str(company.id))
                fired = next((outcome.rule for outcome in outcomes if outcome.fired), None)
                if fired and record not in dismissed and record._holds_by(fired):
                    held.add(record.name)
                elif not fired and all(outcome.ended for outcome in outcomes):
                    over.add(record.name)
        return held, over

    @api.model
    def _get_dismissed(self, order):
        """The rules of which somebody has dismissed the alert about this order: it stands, and holds nothing."""
        if not order._origin.id:
            return self.env["credit.insurance.rule"]
        domain = [("res_model", "=", order._name), ("res_id", "=", order._origin.id)]
        domain += [("state", "=", "dismissed"), ("ended_on", "=", False)]
        return self.env["credit.insurance.alert"].sudo().search(domain).rule_id
