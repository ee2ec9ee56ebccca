"""What a screening found: a rule that fired, with the trace that explains it."""

from collections import defaultdict
from dataclasses import dataclass

from odoo.addons.credit_insurance.rules.risk import Outcome, Rule, render
from odoo.addons.credit_insurance.rules.risk.evaluator import evaluate_read
from odoo.addons.credit_insurance.rules.risk.facts import read_facts

from .rule_document import rule_keys
from .rule_trace import table_rows, to_json


@dataclass(frozen=True)
class Finding:
    """A rule that fired for a buyer or one of its documents: what it saw, and who said so.

    Of a table it is about the row that comes first; ``also`` are the others that fired, which ``trace`` shows after it,
    and ``kept`` those that do not fire and end nothing either: their data is missing.
    """

    rule_id: int
    buyer_id: int
    outcome: Outcome
    message: str
    values: dict
    trace: list
    engine: str  # "durable" or "reference"
    document: tuple[str, int] | None = None
    also: tuple[Rule, ...] = ()
    kept: tuple[Rule, ...] = ()


class Explainer:
    """Makes findings of verdicts: the reference evaluator says why, and has the last word."""

    def __init__(self, loaded, company, today, names, documents):
        self.engine, self.record_ids = loaded.engine, loaded.record_ids
        self.company, self.today, self.names, self.documents = company, today, names, documents
        self.keys = {}

    def findings(self, row, verdict):
        """One for each record, of a table's rows the one that comes first."""
        confirmed = defaultdict(list)
        for key in verdict.fired:
            rule = self.engine.rule(key)
            if found := self._confirm(rule, row, verdict):
                confirmed[self.record_ids[key]].append((rule, *found))
        kept = defaultdict(list)
        for key in verdict.kept:
            kept[self.record_ids[key]].append(self.engine.rule(key))
        return [self._make_finding(row, verdict, rule_id, parts, kept[rule_id]) for rule_id, parts in confirmed.items()]

    def _confirm(self, rule, row, verdict):
        """The outcome by the reference evaluator and the facts it read; None when the rule did not fire for it."""
        _buyer_id, _document, given = row
        _keys, sources = self._get_keys(rule)
        facts = {key: given[key] for key in sources if key in given}
        read = read_facts(facts, self.engine.catalogue, self.today)
        outcome = evaluate_read(rule, read, self.today, self.engine.catalogue, str(self.company.id))
        if outcome.fired:
            return outcome, facts, read.values
        self.engine.refute(given, self.today, verdict, scope=rule.scope, company=str(self.company.id))
        return None

    def _get_keys(self, rule):
        """The signals a rule is about, and those they are made of."""
        if rule.key not in self.keys:
            catalogue = self.engine.catalogue
            keys = rule_keys(rule, catalogue)
            self.keys[rule.key] = (sorted(keys), catalogue.sources(keys))
        return self.keys[rule.key]

    def _make_finding(self, row, verdict, rule_id, parts, kept):
        """:param parts: ``(rule, outcome, facts, values)`` of each row of a table that fired; else of the one rule"""
        catalogue = self.engine.catalogue
        buyer_id, document, _given = row
        rule, outcome, facts, _values = parts[0]
        context = {
            "buyer": self.names[buyer_id],
            "document": self.documents.get(document, ""),
            "company": self.company.name,
            "rule": rule.name,
            "today": self.today.isoformat(),
        }
        return Finding(
            rule_id=rule_id,
            buyer_id=buyer_id,
            outcome=outcome,
            message=render(rule, facts, self.today, catalogue, context),
            values={key: to_json(values.get(key)) for part, _, _, values in parts for key in self._get_keys(part)[0]},
            trace=table_rows([part for _, part, _, _ in parts], catalogue),
            engine=verdict.engine.value,
            document=document,
            also=tuple(part for part, *_rest in parts[1:]),
            kept=tuple(kept),
        )
