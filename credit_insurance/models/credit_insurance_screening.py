"""Screening: all active rules on many buyers.

    cron / button ──> _enqueue ──> one job per block of buyers ──> _screen
                                                                      │ facts    credit.insurance.signals, set-based SQL
                                                                      │ verdict  durable_rules in its child process
                                                                      │ trace    reference evaluator, for what fired
                                                                      └ alerts   credit.insurance.alert

Each block is a job and a transaction of its own, so that blocks run side by side and a failed one is tried again alone.
"""

import logging
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.tools import split_every

from odoo.addons.credit_insurance.rules.risk import EngineError, Outcome, RuleEngine, evaluate, render, signal_keys
from odoo.addons.queue_job.exception import RetryableJobError

from .rule_trace import to_json, trace_rows

_logger = logging.getLogger(__name__)

BLOCK = 500
# Nobody waits for a screening, so a block may take longer than an order's check may.
ENGINE_TIMEOUT = 5.0


@dataclass(frozen=True)
class Finding:
    """A rule that fired for a buyer: what it saw, and who said so ("durable" or "reference")."""

    rule_id: int
    buyer_id: int
    outcome: Outcome
    message: str
    values: dict
    trace: list
    engine: str


@lru_cache(maxsize=8)
def _make_engine(pack, catalogue, host):
    """Engines are cheap, but checking and compiling a pack for each block is not. Equal packs share one."""
    return RuleEngine(pack, catalogue, timeout=ENGINE_TIMEOUT, host=host)


class CreditInsuranceScreening(models.AbstractModel):
    _name = "credit.insurance.screening"
    _description = "Screening of Buyers"

    # === JOBS === #

    @api.model
    def _cron_screen(self):
        """Daily: end the alerts of archived buyers, queue all others."""
        env = self.sudo().env
        archived = [("ended_on", "=", False), ("buyer_id.active", "=", False)]
        env["credit.insurance.alert"].search(archived)._end(self.env._("The buyer is archived."))
        self._enqueue(env["credit.insurance.buyer"].search([]))  # pylint: disable=no-search-all

    @api.model
    def _enqueue(self, buyers):
        """One job per block. A block that waits already is not queued twice."""
        # The context of a client must not make the jobs run inside its own request.
        screening = self.sudo().with_context(queue_job__no_delay=False)
        for ids in split_every(BLOCK, sorted(buyers.ids), list):
            digest = sha256(repr(ids).encode()).hexdigest()
            screening.with_delay(
                identity_key=f"credit_insurance_screen-{digest}",
                description=self.env._("Screen %(count)s buyers", count=len(ids)),
            )._job_screen(ids)

    @api.model
    def _job_screen(self, buyer_ids):
        try:
            self._screen(self.env["credit.insurance.buyer"].browse(buyer_ids).exists())
        except UniqueViolation as exc:
            # Someone screened the same buyer meanwhile: its alert is there, the next try sees and updates it.
            raise RetryableJobError("Another screening raised the same alert", seconds=5, ignore_retry=True) from exc

    # === SCREENING === #

    @api.model
    def _screen(self, buyers):
        """Evaluate the active rules on these buyers; raise, update and end their alerts accordingly."""
        screening = self.sudo()
        pack, unusable = screening.env["credit.insurance.rule"]._get_active_pack()
        for rule in unusable:
            _logger.error("Risk rule %s is active but does not pass the checker; it raises no alerts", rule.key)
        if not pack.rules:
            return
        engine = screening._get_engine(pack)
        try:
            engine.prepare()
        except EngineError as error:
            _logger.warning("The rule engine does not answer, the reference evaluator does: %s", error)
        for company, company_buyers in buyers.sudo().grouped("company_id").items():
            screening._screen_company(company, company_buyers, engine)

    @api.model
    def _get_engine(self, pack):
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        return _make_engine(pack, catalogue, self._get_engine_host())

    @api.model
    def _get_engine_host(self):
        """The child process to use; None is the one that this server process keeps."""
        return None

    @api.model
    def _screen_company(self, company, buyers, engine):
        today = company._credit_today()
        rules = {rule.key: rule for rule in engine.pack.rules}
        records = self.env["credit.insurance.rule"].search_fetch(
            [("key", "in", list(rules))], ["key", "version", "severity", "observe_only"]
        )
        record_ids = {record.key: record.id for record in records}
        facts = self.env["credit.insurance.signals"]._get_facts(buyers, self._get_keys(engine), today)
        verdicts = engine.evaluate_batch([facts[buyer.id] for buyer in buyers], today, company=str(company.id))
        findings, undecided = [], set()
        for buyer, verdict in zip(buyers, verdicts, strict=True):
            undecided |= {(record_ids[key], buyer.id) for key in verdict.undecided}
            for key in verdict.fired:
                found = self._explain(rules[key], record_ids[key], buyer, facts[buyer.id], today, verdict, engine)
                findings += [found] if found else []
        self.env["credit.insurance.alert"]._record(buyers, records, findings, undecided, today)

    @api.model
    def _explain(self, rule, record_id, buyer, facts, today, verdict, engine):
        """The finding with its trace; None when the reference evaluator does not confirm it."""
        catalogue, company = engine.catalogue, buyer.company_id
        outcome = evaluate(rule, facts, today, catalogue, str(company.id))
        if not outcome.fired:
            message = "The rule engine fires %s for buyer %s, the reference evaluator does not; the reference counts"
            _logger.error(message, rule.key, buyer.id)
            return None
        context = {
            "buyer": buyer.partner_id.name,
            "company": company.name,
            "rule": rule.name,
            "today": today.isoformat(),
        }
        return Finding(
            rule_id=record_id,
            buyer_id=buyer.id,
            outcome=outcome,
            message=render(rule, facts, today, catalogue, context),
            values={key: to_json(facts.get(key)) for key in sorted(self._get_rule_keys(rule, catalogue))},
            trace=trace_rows(outcome, catalogue),
            engine=verdict.engine.value,
        )

    @api.model
    def _get_keys(self, engine):
        return frozenset().union(*(self._get_rule_keys(rule, engine.catalogue) for rule in engine.pack.rules))

    @api.model
    def _get_rule_keys(self, rule, catalogue):
        """The signals a rule's conditions and message speak of."""
        named = {signal.key for signal in catalogue if f"{{{signal.key}}}" in rule.message}
        return signal_keys(rule.when, rule.unless) | named
