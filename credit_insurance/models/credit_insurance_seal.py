"""The decision log sealed: each entry's hash covers the one before it, per company.

    horizon noted: last id given, transactions running then ──> a minute later, all of those ended?
        ──> entries up to that id, in order of id: canonical content ──> hash ──> chained hash ──> seal row

Ids are given before transactions end, so an entry may appear below others later. Nothing is sealed above a horizon, and
a horizon is used once every transaction that ran when it was noted has ended: from then on no honest entry can appear
below the last sealed id. Sealing only reads the log and adds rows of its own; no confirmation waits for it.

What Odoo itself may change later (a deleted document, a merged contact) is kept in the seal as it was; everything else
is in the hash. Who can write to the database can compute a whole chain anew: note the head hash outside now and then.
"""

import hashlib
import json
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

BATCH = 1000
HORIZON = "credit_insurance.seal_horizon"
HORIZON_AGE = "60 seconds"
START = "0" * 64

# Every stored field of the decision log is in one of these; a test says so. Empty ones are left out of the content,
# so that a field added later does not change what was sealed before.
REFERENCES = ("order_id", "picking_id", "move_id", "partner_id", "user_id", "create_uid")
NUMBERS = (
    "order_amount",
    "document_amount",
    "limit_amount",
    "insured_limit",
    "own_limit",
    "exposure_not_due",
    "exposure_overdue",
    "exposure_confirmed",
    "exposure_credits",
    "exposure_reserved",
    "exposure",
    "headroom",
    "shortfall",
    "prepaid",
    "would_pass",
)
JSONS = ("reasons", "limit_lines", "rule_evidence")
TEXTS = (
    "id",
    "order_name",
    "company_id",
    "checkpoint",
    "gate_mode",
    "outcome",
    "would_hold",
    "basis",
    "currency_id",
    "order_currency_id",
    "limit_checked",
    "limit_state",
    "data_age_days",
)
DATETIMES = ("create_date",)


def canonical(values):
    """The same bytes for the same entry, whatever the language, the number format or the order of columns.

    :param values: ``{column: text or None}`` as :func:`content_columns` selects them
    """
    content = {}
    for name, text in values.items():
        if text is None:
            continue
        if name in NUMBERS:
            number = Decimal(text)
            text = format(number.normalize() if number else Decimal(0), "f")
        elif name in JSONS:
            text = json.loads(text, parse_float=str)
        content[name] = text
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def content_columns():
    """Select lists of the content and of the references, each column as text."""
    plain = [SQL("d.%s::text", SQL.identifier(name)) for name in NUMBERS + JSONS + TEXTS]
    dates = [SQL("to_char(d.%s, 'YYYY-MM-DD HH24:MI:SS.US')", SQL.identifier(name)) for name in DATETIMES]
    references = [SQL("d.%s", SQL.identifier(name)) for name in REFERENCES]
    return SQL(", ").join(plain + dates + references)


NAMES = NUMBERS + JSONS + TEXTS + DATETIMES


def split_row(row):
    """A row selected by :func:`content_columns` as content and references."""
    content = dict(zip(NAMES, row[: len(NAMES)], strict=True))
    references = dict(zip(REFERENCES, row[len(NAMES) :], strict=True))
    return content, {name: value for name, value in references.items() if value}


def hash_content(content, references):
    return hashlib.sha256(
        canonical(content) + b"\n" + json.dumps(references, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def hash_chain(before, company_id, sequence, content_hash):
    return hashlib.sha256(f"{before}\n{company_id}\n{sequence}\n{content_hash}".encode()).hexdigest()


class CreditInsuranceSeal(models.Model):
    _name = "credit.insurance.seal"
    _description = "Seal of a Credit Decision"
    _log_access = False
    _order = "company_id, sequence"
    _rec_name = "chain_hash"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    sequence = fields.Integer(required=True, readonly=True)
    decision_id = fields.Many2one("credit.insurance.decision", required=True, readonly=True, ondelete="restrict")
    references = fields.Json(readonly=True, help="What the entry pointed to when it was sealed, by id.")
    content_hash = fields.Char(required=True, readonly=True)
    chain_hash = fields.Char(string="Hash", required=True, readonly=True)
    sealed_on = fields.Datetime(required=True, readonly=True)

    _chain_uniq = models.UniqueIndex("(company_id, sequence)", "An entry of the chain has one number.")
    _decision_uniq = models.UniqueIndex("(decision_id)", "A decision is sealed once.")

    def write(self, vals):  # pylint: disable=method-required-super
        self.check_access("write")
        raise UserError(self.env._("Seals are never changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Seals are never removed."))

    # === SEALING === #

    @api.model
    def _cron_seal(self):
        """Seal what lies below the noted horizon once that is safe, then note the next one."""
        horizon = self._read_horizon()
        if horizon and not self._is_safe(horizon["xmax"], horizon["noted"]):
            if self._is_foreign(horizon["xmax"]):
                self._note_horizon()
            return
        while horizon and (number := self._seal_up_to(horizon["up_to"], BATCH)):
            if not self.env["ir.cron"]._commit_progress(number):
                return
        self._note_horizon()

    @api.model
    def _read_horizon(self):
        return json.loads(self.env["ir.config_parameter"].sudo().get_param(HORIZON) or "null")

    @api.model
    def _note_horizon(self):
        [(up_to, xmax, noted)] = self.env.execute_query(
            SQL(
                """SELECT last_value, pg_snapshot_xmax(pg_current_snapshot())::text, clock_timestamp()::text
                     FROM credit_insurance_decision_id_seq"""
            )
        )
        value = json.dumps({"up_to": up_to, "xmax": xmax, "noted": noted})
        self.env["ir.config_parameter"].sudo().set_param(HORIZON, value)

    @api.model
    def _is_safe(self, xmax, noted, snapshot=None):
        """Whether no transaction that ran when the horizon was noted is still running.

        The minute is for one that had got its id and not yet its number as a transaction.
        """
        view = SQL("%s::pg_snapshot", snapshot) if snapshot else SQL("pg_current_snapshot()")
        [(safe,)] = self.env.execute_query(
            SQL(
                """SELECT pg_snapshot_xmin(%s) >= %s::xid8
                          AND %s::timestamptz < clock_timestamp() - %s::interval""",
                view,
                xmax,
                noted,
                HORIZON_AGE,
            )
        )
        return safe

    @api.model
    def _is_foreign(self, xmax):
        """Whether this server has not got so far: the horizon came with a copy of another server's database."""
        [(foreign,)] = self.env.execute_query(SQL("SELECT %s::xid8 > pg_snapshot_xmax(pg_current_snapshot())", xmax))
        return foreign

    @api.model
    def _seal_up_to(self, decision_id, limit=BATCH):
        """Seal the next entries, in order of id across companies, and return how many."""
        self.env["credit.insurance.decision"].flush_model()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT d.id, d.company_id, %s
                     FROM credit_insurance_decision d
                    WHERE d.id > (SELECT COALESCE(MAX(decision_id), 0) FROM credit_insurance_seal)
                      AND d.id <= %s
                    ORDER BY d.id
                    LIMIT %s""",
                content_columns(),
                decision_id,
                limit,
            )
        )
        heads = self._get_heads({row[1] for row in rows})
        now, vals_list = fields.Datetime.now(), []
        for found_id, company_id, *row in rows:
            content, references = split_row(row)
            sequence, before = heads.get(company_id, (0, START))
            content_hash = hash_content(content, references)
            chain_hash = hash_chain(before, company_id, sequence + 1, content_hash)
            heads[company_id] = (sequence + 1, chain_hash)
            vals_list.append(
                {
                    "company_id": company_id,
                    "sequence": sequence + 1,
                    "decision_id": found_id,
                    "references": references,
                    "content_hash": content_hash,
                    "chain_hash": chain_hash,
                    "sealed_on": now,
                }
            )
        self.sudo().create(vals_list)
        self.flush_model()
        return len(vals_list)

    @api.model
    def _get_heads(self, company_ids):
        """The end of each chain: ``{company_id: (sequence, hash)}``."""
        if not company_ids:
            return {}
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (company_id) company_id, sequence, chain_hash
                     FROM credit_insurance_seal
                    WHERE company_id IN %s
                    ORDER BY company_id, sequence DESC""",
                tuple(company_ids),
            )
        )
        return {company_id: (sequence, chain_hash) for company_id, sequence, chain_hash in rows}
