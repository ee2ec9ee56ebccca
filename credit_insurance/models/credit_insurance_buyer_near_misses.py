"""How close a buyer and its documents are to the rules that do not fire: "68 of 70 days"."""

from odoo import models
from odoo.exceptions import AccessError

from odoo.addons.credit_insurance.rules.risk import (
    Answer,
    ComparisonTrace,
    Scope,
    State,
    evaluate,
    expand,
    signal_keys,
)
from odoo.addons.credit_insurance.rules.risk.trace import closeness, leaves

from .alert_kinds import USER_GROUP
from .marked_words import tell
from .rule_trace import format_fact, to_json, trace_rows

MOST = 15


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    def action_near_misses(self):
        """List the rules that are closest to firing for this buyer, on the figures of now."""
        self.ensure_one()
        if not self.env.user.has_group(USER_GROUP):
            raise AccessError(self.env._("Only credit officers see how close buyers are to risk alerts."))
        self.check_access("read")
        misses = self.env["credit.insurance.near.miss"].sudo().create(self.sudo()._prepare_near_misses())
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close to an Alert: %s", self.partner_id.name),
            "res_model": misses._name,
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", misses.ids)],
        }

    def _prepare_near_misses(self):
        """The values of the closest rules, about the buyer or a document, evaluated now by the reference evaluator."""
        today, records = self.company_id._credit_today(), self.env["credit.insurance.rule"]
        pack, _unusable = records._get_active_pack(self.company_id)
        ids = {record.key: record.id for record in records.search([("key", "in", [rule.key for rule in pack.rules])])}
        found = []
        for scope in {rule.scope for rule in pack.rules}:
            rows = [(ids[rule.key], row) for rule in pack.rules if rule.scope is scope for row in expand(rule)]
            for document, facts in self._get_near_facts(scope, [row for _rule_id, row in rows], today):
                found += self._prepare_near(document, facts, rows, today)
        return sorted(found, key=lambda vals: -vals["closeness"])[:MOST]

    def _get_near_facts(self, scope, rows, today):
        """``[(document or None, facts)]`` of what the rules of a scope look at."""
        signals = self.env["credit.insurance.signals"]
        keys = frozenset().union(*(signal_keys(row.when, row.unless) for row in rows))
        keys = signals._get_catalogue().sources(keys)
        if scope is Scope.BUYER:
            return [(None, signals._get_facts(self, keys, today)[self.id])]
        documents = signals._get_documents(scope, self, today)
        facts = signals._get_document_facts(scope, documents, keys, today)
        return [(document, facts[document.id]) for document in documents if document.id in facts]

    def _prepare_near(self, document, facts, rows, today):
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        for rule_id, row in rows:
            outcome = evaluate(row, facts, today, catalogue, str(self.company_id.id))
            near = _closeness(outcome.trace) if outcome.state is State.QUIET else 0
            if near:
                yield {
                    "buyer_id": self.id,
                    "rule_id": rule_id,
                    "document_name": document.display_name if document else False,
                    "closeness": float(near),
                    "missing": "\n".join(_describe_gaps(self.env, outcome.trace, self.company_id.currency_id)),
                    "trace": trace_rows(outcome, catalogue),
                }


def _closeness(trace):
    """As ``rules.risk`` measures it, but 0 of "more than 0" is no near miss: there is nothing of it at all."""
    if isinstance(trace, ComparisonTrace):
        return 0 if _is_nothing(trace) else closeness(trace)
    if trace.answer is Answer.YES or trace.kind == "not":
        return closeness(trace)
    parts = [_closeness(part) for part in trace.parts]
    return min(parts) if trace.kind == "all" else max(parts)


def _is_nothing(leaf):
    return leaf.gap is not None and leaf.gap.value == leaf.gap.needed == 0


def _describe_gaps(env, trace, currency):
    """A line for each number that keeps the rule from firing: "Days overdue, oldest: 68 of 70 days"."""
    gaps = [leaf for leaf in leaves(trace) if leaf.answer is Answer.NO and leaf.gap and not _is_nothing(leaf)]
    return [
        env._(
            "%(signal)s: %(value)s of %(needed)s",
            signal=tell(env, leaf.signal.label),
            value=format_fact(env, to_json(leaf.gap.value), leaf.signal.type.value, currency),
            needed=format_fact(env, to_json(leaf.gap.needed), leaf.signal.type.value, currency, leaf.signal.unit),
        )
        for leaf in gaps
    ]
