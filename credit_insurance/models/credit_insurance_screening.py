"""Screening: all active rules on many buyers.

    cron / button ──> _enqueue ──> run, one job per block of buyers ──> _screen
    changes, every minute ─────────────────────────────────────────────┘  │ facts    credit.insurance.signals, SQL
                                                                          │ verdict  durable_rules in its child process
                                                                          │ trace    reference evaluator, if it fired
                                                                          └ alerts   credit.insurance.alert

Each block is a job and a transaction of its own, so that blocks run side by side, a failed one is tried again alone,
and a run that was interrupted goes on with the blocks that are not done.
"""

import json
import logging
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from time import monotonic

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.tools import SQL, split_every
from odoo.tools.gc import disabling_gc
from odoo.tools.lru import LRU

from odoo.addons.credit_insurance.rules.risk import EngineError, RuleEngine, Scope, expand
from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt
from odoo.addons.credit_insurance.rules.risk.messages import placeholders
from odoo.addons.queue_job.exception import RetryableJobError

from .credit_insurance_engine_difference import note
from .rule_document import rule_keys
from .rule_findings import Explainer
from .sql_functions import int_array

_logger = logging.getLogger(__name__)

BLOCK = 1000
# Nobody waits for a screening, so a block may take longer than an order's check may.
ENGINE_TIMEOUT = 5.0
RULE_TABLES = (
    "credit_insurance_rule",
    "credit_insurance_rule_res_company_rel",
    "credit_insurance_rule_pack",
    "credit_insurance_rule_pack_res_company_rel",
    "credit_insurance_rule_override",
    "credit_insurance_signal",
)
COMPANY_FIELDS = (
    *("name", "currency_id", "credit_unchecked_buyers", "credit_default_limit", "credit_limit_combination"),
    *("credit_stale_data", "credit_data_max_age_days"),
)
COMPANY_COLUMNS = SQL(", ").join(SQL.identifier("c", name) for name in COMPANY_FIELDS)
COMPARE_PARAMETER = "credit_insurance.engine_compare_percent"


@dataclass(frozen=True)
class Evaluated:
    """What the rules were given for one document, and the ids of those that fired."""

    loaded: "_Loaded"
    facts: dict
    today: date
    fired: frozenset[int]


def _key(rule_id, buyer_id, document):
    return (rule_id, buyer_id, document) if document else (rule_id, buyer_id)


@lru_cache(maxsize=8)
def _make_engine(pack, catalogue, host, share, timeout):
    """Engines are cheap, but checking and compiling a pack for each block is not. Equal packs share one."""
    return RuleEngine(pack, catalogue, timeout=timeout, host=host, compare_share=share, on_difference=note)


class _Loaded:
    """An engine with what its rules need, worked out once.

    ``record_ids`` are the records behind each key that a verdict may name: each row of a table has a key of its own.
    ``keys`` and ``rule_ids`` are the signals and the records of the rules of each scope; ``holding`` are those that a
    decision about an order has to tell of, and ``holding_reading`` is what they read. ``names_documents`` says whether
    a message names its document. ``shared`` is what all alerts of a record say of its versions, ``asked`` their rules.
    """

    def __init__(self, engine, ids, shared, holding):
        parts = [(rule, part) for rule in engine.pack.rules for part in expand(rule)]
        self.engine, self.shared, self.holding = engine, shared, holding
        self.holding_reading = engine.catalogue.reading(key for rule in holding for key in rule.keys)
        self.record_ids = {part.key: ids[rule.key] for rule, part in parts}
        self.asked = {ids[rule.key]: rule for rule in engine.pack.rules}
        self.names_documents = any("document" in placeholders(part.message) for _rule, part in parts)
        self.rule_ids = {scope: {ids[rule.key] for rule, _part in parts if rule.scope is scope} for scope in Scope}
        self.keys = {
            scope: engine.catalogue.sources(
                frozenset().union(
                    *(rule_keys(rule, engine.catalogue) for rule in engine.pack.rules if rule.scope is scope)
                )
            )
            for scope in Scope
        }


# By database, company, state of the rules, texts of the derived signals and child process. Few are ever in use at once.
_engines = LRU(32)


class CreditInsuranceScreening(models.AbstractModel):
    _name = "credit.insurance.screening"
    _description = "Screening of Buyers"

    # === JOBS === #

    @api.model
    def _cron_screen(self):
        """Daily: queue all buyers and the blocks of runs that were interrupted.

        Before, alerts of archived buyers and of rules that no longer apply end, rules that raise no alerts any more are
        marked, and customers who owe and have no credit record get one.
        """
        env = self.sudo().env
        env["credit.insurance.rule"]._flag_broken()
        archived = [("buyer_id.active", "=", False)]
        env["credit.insurance.alert"]._end_all(archived, _lt("The buyer is archived."))
        env["credit.insurance.alert"]._end_left_over()
        env["credit.insurance.screening.block"]._resume_stuck()
        env["credit.insurance.buyer"]._take_up_debtors()
        for company, buyers in env["credit.insurance.buyer"]._read_group([], ["company_id"], ["id:recordset"]):
            env["credit.insurance.receivable.total"]._refresh(company)
            self._enqueue(buyers)

    @api.model
    def _enqueue(self, buyers, kind="full"):
        """One job per block. A block that waits already is not queued twice."""
        env = self.sudo().env
        blocks = list(split_every(BLOCK, sorted(buyers.ids), list))
        run = env["credit.insurance.screening.run"].create(
            {"kind": kind, "buyer_count": len(buyers), "block_count": len(blocks)}
        )
        env["credit.insurance.screening.block"].create(
            [{"run_id": run.id, "buyer_ids": ids, "digest": _digest(ids)} for ids in blocks]
        )._enqueue()
        return run

    @api.model
    def _job_screen(self, buyer_ids):
        started = monotonic()
        try:
            with disabling_gc():  # a block makes a million small objects and next to no circles among them
                self._screen(self.env["credit.insurance.buyer"].browse(buyer_ids).exists())
                self.env.flush_all()
        except UniqueViolation as exc:
            # Someone screened the same buyer meanwhile: its alert is there, the next try sees and updates it.
            raise RetryableJobError("Another screening raised the same alert", seconds=5, ignore_retry=True) from exc
        self.env["credit.insurance.screening.block"].sudo().search(
            [("digest", "=", _digest(buyer_ids)), ("done_at", "=", False)]
        ).write({"done_at": fields.Datetime.now(), "seconds": monotonic() - started})

    # === SCREENING === #

    @api.model
    def _screen(self, buyers):
        """Evaluate the active rules on these buyers and their documents; raise, update and end alerts accordingly."""
        screening = self.sudo()
        if not buyers:
            screening._get_ready_engine(self.env.company)
            return
        for company, company_buyers, state in screening._get_by_company(buyers.sudo()):
            if loaded := screening._get_ready_engine(company, state=state):
                screening._screen_company(company, company_buyers, loaded)

    @api.model
    def _get_by_company(self, buyers):
        """``[(company, its buyers, state of the rules)]``; most buyers need not be read as records.

        What screening asks of a company is read with them, and not the hundred others of its fields.
        """
        self.env.flush_all()
        companies = self.env["res.company"]
        query = SQL(
            "SELECT b.ids, (%s), c.id, %s FROM res_company c JOIN (SELECT company_id, array_agg(id ORDER BY id) AS ids"
            " FROM %s WHERE id = ANY(%s) GROUP BY 1) b ON b.company_id = c.id",
            _rules_state(), COMPANY_COLUMNS, SQL.identifier(buyers._table), int_array(buyers.ids),
        )  # fmt: skip
        found = []
        for ids, state, company_id, *values in self.env.execute_query(query):
            company = companies.browse(company_id)
            for name, value in zip(COMPANY_FIELDS, values, strict=True):
                companies._fields[name]._insert_cache(company, [value])
            found.append((company, buyers.browse(ids), state))
        return found

    @api.model
    def _get_ready_engine(self, company, timeout=ENGINE_TIMEOUT, state=None):
        """The engine with the company's active rules loaded; None when there are none.

        Rules are read and checked again when a row of what they are made of is another than before.

        :param timeout: seconds after which the reference evaluator answers instead
        :param state: the state of the rules, where it was just read
        """
        # The signals are remembered apart, and may be older than the rules for a moment.
        texts, state = self.env["credit.insurance.signal"]._get_active_texts(), state or self._get_rules_state()
        key = (self.env.cr.dbname, company.id, state, texts, self._get_engine_host(), timeout)
        if key not in _engines:
            pack, unusable = self.env["credit.insurance.rule"]._get_active_pack(company)
            for rule in unusable:
                _logger.error("Risk rule %s is active but does not pass the checker; it raises no alerts", rule.key)
            _engines[key] = self._load(pack, company, timeout) if pack.rules else None
        loaded = _engines[key]
        if loaded is None:
            return None
        if timeout < ENGINE_TIMEOUT:
            return loaded  # what is not ready by then is not waited for
        try:
            loaded.engine.prepare()
        except EngineError as error:
            _logger.warning("The rule engine does not answer, the reference evaluator does: %s", error)
        return loaded

    @api.model
    def _load(self, pack, company, timeout):
        engine = self._get_engine(pack, timeout)
        ids = self._get_record_ids(engine)
        rules = self.env["credit.insurance.rule"].browse(ids.values())
        shared = self.env["credit.insurance.alert"]._prepare_shared_vals(company, rules)
        return _Loaded(engine, ids, shared, rules._get_holding(pack.rules, shared))

    @api.model
    def _get_rules_state(self):
        self.env.flush_all()
        [[state]] = self.env.execute_query(_rules_state())
        return state

    @api.model
    def _get_engine(self, pack, timeout=ENGINE_TIMEOUT):
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        percent = self.env["ir.config_parameter"].sudo().get_param(COMPARE_PARAMETER, "1")
        try:
            share = min(max(float(percent) / 100, 0.0), 1.0)
        except ValueError:
            share = 0.01
        return _make_engine(pack, catalogue, self._get_engine_host(), share, timeout)

    @api.model
    def _get_engine_host(self):
        """The child process to use; None is the one that this server process keeps."""
        return None

    @api.model
    def _screen_company(self, company, buyers, loaded):
        today, signals = company._credit_today(), self.env["credit.insurance.signals"]
        facts = signals._get_facts(buyers, loaded.keys[Scope.BUYER], today)
        rows = [(buyer_id, None, facts[buyer_id]) for buyer_id in buyers.ids]
        self._screen_rows(company, buyers, Scope.BUYER, rows, loaded, today)
        for scope in {rule.scope for rule in loaded.engine.pack.rules} - {Scope.BUYER}:
            documents = signals._get_documents(scope, buyers, today)
            self._screen_rows(company, buyers, scope, self._get_rows(scope, documents, loaded, today), loaded, today)
        self.env["credit.insurance.engine.difference"]._write_noted(company)

    @api.model
    def _screen_documents(self, scope, documents, timeout=ENGINE_TIMEOUT):
        """Evaluate the rules about orders, invoices or events on these alone, now; alerts about others stay.

        :return: what was evaluated, ``{id of the document: Evaluated}``
        """
        screening, documents, scope, evaluated = self.sudo(), documents.sudo(), Scope(scope), {}
        for company, group in documents.grouped(lambda document: document.company_id.root_id).items():
            loaded, today = screening._get_ready_engine(company, timeout), company._credit_today()
            if loaded and loaded.rule_ids[scope]:
                rows = screening._get_rows(scope, group, loaded, today)
                buyers = screening.env["credit.insurance.buyer"].browse({buyer_id for buyer_id, *_rest in rows})
                findings = screening._screen_rows(company, buyers, scope, rows, loaded, today, partial=True)
                screening.env["credit.insurance.engine.difference"]._write_noted(company)
                fired = {(finding.document, finding.rule_id) for finding in findings}
                for _buyer_id, document, facts in rows:
                    ids = frozenset(rule_id for rule_id in loaded.rule_ids[scope] if (document, rule_id) in fired)
                    evaluated[document[1]] = Evaluated(loaded, facts, today, ids)
        return evaluated

    @api.model
    def _get_rows(self, scope, documents, loaded, today):
        signals = self.env["credit.insurance.signals"]
        found = signals._get_document_facts(scope, documents, loaded.keys[scope], today)
        return [(values.pop("_buyer"), (documents._name, res_id), values) for res_id, values in found.items()]

    @api.model
    def _get_record_ids(self, engine):
        keys = [rule.key for rule in engine.pack.rules]
        records = self.env["credit.insurance.rule"].search_fetch([("key", "in", keys)], ["key"])
        return {record.key: record.id for record in records}

    @api.model
    def _screen_rows(self, company, buyers, scope, rows, loaded, today, partial=False):
        """Evaluate and record; return what fired.

        :param rows: ``(buyer_id, document, facts)``, with a document unless about buyers
        """
        facts, record_ids = [values for *_who, values in rows], loaded.record_ids
        verdicts = loaded.engine.evaluate_batch(facts, today, scope=scope, company=str(company.id))
        fired = [(row, verdict) for row, verdict in zip(rows, verdicts, strict=True) if verdict.fired]
        names = self._get_names({buyer_id for (buyer_id, *_rest), _verdict in fired})
        documents = {document for (_buyer_id, document, _facts), _verdict in fired}
        explain = Explainer(loaded, company, today, names, self._get_named_documents(loaded, documents))
        findings = [found for row, verdict in fired for found in explain.findings(row, verdict)]
        kept = {
            _key(record_ids[key], buyer_id, document)
            for (buyer_id, document, _facts), verdict in zip(rows, verdicts, strict=True)
            for key in verdict.kept
        }
        about = {"documents": {document for _buyer_id, document, _facts in rows}, "partial": partial}
        told = {"shared": loaded.shared, "asked": loaded.asked} | ({} if scope is Scope.BUYER else about)
        rules = self.env["credit.insurance.rule"].browse(loaded.rule_ids[scope])
        self.env["credit.insurance.alert"]._record(buyers, rules, findings, kept, today, **told)
        return findings

    @api.model
    def _get_names(self, buyer_ids):
        if not buyer_ids:
            return {}
        query = SQL(
            "SELECT b.id, COALESCE(p.name, '') FROM credit_insurance_buyer b JOIN res_partner p ON p.id = b.partner_id"
            " WHERE b.id = ANY(%s)",
            int_array(buyer_ids),
        )
        return dict(self.env.execute_query(query))

    @api.model
    def _get_named_documents(self, loaded, documents):
        """What these documents are called, where a message of the rules names its document."""
        if not loaded.names_documents:
            return {}
        return self.env["credit.insurance.alert"]._get_document_names(filter(None, documents))


def _rules_state():
    """The row versions of everything that rules are made of, as one text."""
    rows = (SQL("SELECT ctid::text || xmin FROM %s", SQL.identifier(table)) for table in RULE_TABLES)
    return SQL("SELECT string_agg(q.row, ' ') FROM (%s) q(row)", SQL(" UNION ALL ").join(rows))


def _digest(ids):
    return sha256(json.dumps(ids).encode()).hexdigest()
