"""Risk rules that hold orders have their say before an order passes, not a minute later.

Their alert is there when the decision reads what holds its buyer, and stands like any other afterwards. The engine has
half a second; then the reference evaluator answers. Companies without such a rule pay nothing for it.

Whoever looks at a quotation, saved or being typed, is told the same beforehand; then no alert is raised.
"""

from contextlib import closing, contextmanager, suppress
from dataclasses import replace

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import ConcurrencyError

from odoo.addons.credit_insurance.rules.risk import Scope

from .rule_document import evaluate_rows

ENGINE_TIMEOUT = 0.5


class _NothingFired(Exception):
    """Take the credit records back."""


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _screen_orders(self, orders):
        """Evaluate the rules about orders on those that are about to pass.

        :return: what a decision keeps of those that may hold orders, ``{order id: [...]}``
        :raise ConcurrencyError: a screening raised the same alert at this instant: the whole confirmation is repeated
        """
        rules, evaluated = self.env["credit.insurance.rule"], {}
        for company, own in orders.sudo().grouped(lambda order: order.company_id.root_id).items():
            if company.credit_gate_mode == "off" or not rules._may_hold_orders(company.id):
                continue
            try:
                with self.env.cr.savepoint():
                    screening = self.env["credit.insurance.screening"]
                    evaluated |= screening._screen_documents(Scope.ORDER, own, ENGINE_TIMEOUT)
                    unknown = own.browse(set(own.ids) - evaluated.keys())
                    evaluated |= self._screen_unknown(unknown, company) if unknown else {}
                    self.env.flush_all()
            except UniqueViolation as error:
                raise ConcurrencyError("The same risk alert was raised at the same time") from error
        return {order_id: self._prepare_evaluated(found) for order_id, found in evaluated.items()}

    @api.model
    def _screen_unknown(self, orders, company):
        """Evaluate orders of customers without a credit record, who get one where a rule fires and only there."""
        evaluated = {}
        with suppress(_NothingFired), self.env.cr.savepoint():
            self.env["credit.insurance.buyer"]._get_or_create(orders.partner_invoice_id, company)
            evaluated = self.env["credit.insurance.screening"]._screen_documents(Scope.ORDER, orders, ENGINE_TIMEOUT)
            if not any(found.fired for found in evaluated.values()):
                raise _NothingFired
        return evaluated

    @api.model
    def _foresee_rules(self, cases):
        """The cases with the alerts that confirming them now would raise or end. Nothing is written."""
        rules, asking = self.env["credit.insurance.rule"], {}
        for case in cases:
            is_order = case.subject._name == "sale.order"
            if is_order and case.company.credit_gate_mode != "off" and rules._may_hold_orders(case.company.id):
                asking.setdefault(case.company, []).append(case)
        judged = {}
        for company, own in asking.items():
            judged |= self._judge_orders(own[0].subject.union(*(case.subject for case in own)), company, own[0].today)
        by_others = self._get_held_by_others(cases, judged)
        found = []
        for case in cases:
            held, over = judged.get(case.subject, (set(), set()))
            found.append(self._with_alerts(case, held, over - by_others.get(case.subject, set())))
        return found

    @api.model
    def _get_held_by_others(self, cases, judged):
        """``{document: names of rules}`` that stop holding it themselves and hold it by an alert about another one."""
        ending = [case for case in cases if case.subject in judged and judged[case.subject][1] & set(case.alerts)]
        if not ending:
            return {}
        domain = [
            *(("buyer_id", "in", [case.buyer.buyer_id for case in ending]), ("ended_on", "=", False)),
            *(("state", "in", ("open", "acknowledged")), ("observe_only", "=", False)),
            *("|", ("holds", "=", "buyer"), ("rule_id.holds_orders", "=", True)),
        ]
        alerts = self.env["credit.insurance.alert"].sudo().search(domain)
        by_buyer = alerts.grouped(lambda alert: alert.buyer_id.id)
        return {
            case.subject: {
                alert.rule_id.name
                for alert in by_buyer.get(case.buyer.buyer_id, ())
                if (alert.res_model, alert.res_id) != (case.subject._name, case.subject._origin.id)
            }
            for case in ending
        }

    @api.model
    def _with_alerts(self, case, held, over):
        alerts = tuple(sorted((set(case.alerts) - over) | held))
        if alerts == case.alerts:
            return case
        found = replace(case, alerts=alerts)
        # Nothing was looked up for a buyer that nobody configured.
        return self._with_amounts(found) if found.looked_up and not case.looked_up else found

    @api.model
    def _judge_orders(self, orders, company, today):
        """``{order: (names of the rules that would hold it, names of those whose alert about it would not)}``."""
        loaded = self.env["credit.insurance.screening"].sudo()._get_ready_engine(company, ENGINE_TIMEOUT)
        if not loaded or not loaded.rule_ids[Scope.ORDER]:
            return {}
        records = self.env["credit.insurance.rule"].sudo().browse(loaded.rule_ids[Scope.ORDER])
        by_key = {record.key: record for record in records}
        rules = [(rule, by_key[rule.key]) for rule in loaded.engine.pack.rules if rule.key in by_key]
        dismissed = self._get_dismissed(orders)
        judged = {}
        for order, facts in self._get_order_facts(orders, loaded.keys[Scope.ORDER], today).items():
            held, over = judged[order] = set(), set()
            for rule, record in rules:
                outcomes = evaluate_rows(rule, facts, today, loaded.engine.catalogue, str(company.id))
                fired = [outcome.rule for outcome in outcomes if outcome.fired]
                if fired and not any(map(record._holds_by, fired)):
                    over.add(record.name)
                elif fired and (order._origin.id, record) not in dismissed:
                    held.add(record.name)
                elif not fired and all(outcome.ended for outcome in outcomes):
                    over.add(record.name)
        return judged

    @api.model
    def _get_order_facts(self, orders, keys, today):
        """``{order: facts}``, of customers without a credit record as if they had one."""
        facts = self._read_order_facts(orders, keys, today)
        if unknown := orders.filtered(lambda order: order not in facts and order._credit_buyer_partner().ids):
            with self._as_if_known(unknown):
                facts |= self._read_order_facts(unknown, keys, today)
        return facts

    @api.model
    def _read_order_facts(self, orders, keys, today):
        """All saved orders at once, and those that are being typed as they stand on the screen."""
        signals = self.env["credit.insurance.signals"].sudo()
        saved = orders.filtered(lambda order: isinstance(order.id, int))
        found = signals._get_document_facts(Scope.ORDER, saved, keys, today)
        facts = {order: found[order.id] for order in saved if order.id in found}
        for order in orders - saved:
            for values in signals._get_document_facts(Scope.ORDER, order, keys, today).values():
                facts[order] = values
        return facts

    @contextmanager
    def _as_if_known(self, orders):
        """Within, the customers of these orders have a credit record. What is being typed stays in the cache."""
        self.env.flush_all()
        debtors = {(order._credit_buyer_partner(), order._credit_company()) for order in orders}
        rows = [(partner.id, company.id, company.currency_id.id) for partner, company in debtors]
        with closing(self.env.cr.savepoint(flush=False)):
            self.env.cr.execute_values(
                """
                INSERT INTO credit_insurance_buyer (partner_id, company_id, currency_id, status, active)
                VALUES %s ON CONFLICT DO NOTHING
                """,
                rows,
                template="(%s, %s, %s, 'normal', TRUE)",
            )
            yield

    @api.model
    def _get_dismissed(self, orders):
        """``{(order id, rule)}`` of the alerts that somebody has dismissed: they stand, and hold nothing."""
        ids = orders._origin.ids
        if not ids:
            return set()
        domain = [("res_model", "=", orders._name), ("res_id", "in", ids)]
        domain += [("state", "=", "dismissed"), ("ended_on", "=", False)]
        alerts = self.env["credit.insurance.alert"].sudo().search(domain)
        return {(alert.res_id, alert.rule_id) for alert in alerts}
