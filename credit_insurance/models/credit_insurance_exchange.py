"""What passed between an insurer and us, attempt by attempt, for those who have to find out what went wrong.

The transport hands over every attempt without secrets in it (``connectors.calls.Exchange``). It is written through a
connection of its own and committed at once: a transaction that is rolled back has still called the insurer. A record
that cannot be written is a line in the log, never an error of the call.
"""

import json
import logging
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .connector_words import label_of
from .side_cursor import side_cursor

_logger = logging.getLogger(__name__)

DAYS_PARAMETER = "credit_insurance.exchange_days"
DEFAULT_DAYS = 30
LIMITS = {"url": 2_000, "error": 4_000, "reference": 200, "headers": 16_000, "body": 64 * 1024}
PURGED_AT_ONCE = 20_000
COLUMNS = (
    ("account_id", "integer NOT NULL"), ("company_id", "integer"), ("insurer_code", "varchar"),
    ("operation", "varchar NOT NULL"), ("request_id", "varchar"), ("attempt", "integer"), ("started_at", "timestamp"),
    ("seconds", "double precision"), ("method", "varchar"), ("url", "varchar"), ("status", "integer"),
    ("outcome", "varchar"), ("error", "text"), ("request_headers", "text"), ("request_body", "text"),
    ("response_headers", "text"), ("response_body", "text"), ("res_model", "varchar"), ("res_id", "integer"),
    ("reference", "varchar"), ("job_uuid", "varchar"),
)  # fmt: skip


class ExchangeRecorder:
    """Called by the transport with every attempt (``connectors.Hooks.on_exchange``).

    :param about: what all exchanges of this connection have in common: values of the record's own columns
    """

    def __init__(self, dbname, about):
        self._dbname = dbname
        self._about = about

    def __call__(self, exchange):
        try:
            values = {**self._about, **_describe(exchange)}
            names = SQL(", ").join(SQL.identifier(name) for name in values)
            query = SQL("INSERT INTO credit_insurance_exchange (%s) VALUES %s", names, tuple(values.values()))
            with side_cursor(self._dbname) as cr:
                cr.execute(query, log_exceptions=False)
        except Exception as exc:
            _logger.warning("Exchange %s is not on record: %s", exchange.request_id, type(exc).__name__)


class CreditInsuranceExchange(models.Model):
    _name = "credit.insurance.exchange"
    _description = "Exchange With an Insurer"
    _auto = False
    _log_access = False
    _order = "id desc"
    _rec_name = "operation"

    account_id = fields.Many2one("credit.insurance.account", string="Connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    insurer_code = fields.Char(string="Connector", readonly=True)
    operation = fields.Char(string="Operation (Key)", readonly=True)
    operation_name = fields.Char(string="Operation", compute="_compute_operation_name")
    request_id = fields.Char(string="Request Id", readonly=True, help="Also in the server's log, and sent along.")
    attempt = fields.Integer(readonly=True)
    started_at = fields.Datetime(string="Sent On", readonly=True)
    seconds = fields.Float(readonly=True, digits=(10, 3), aggregator="avg")
    method = fields.Char(readonly=True)
    url = fields.Char(string="Address", readonly=True)
    status = fields.Integer(string="HTTP Status", readonly=True, aggregator=None, help="0: no answer came.")
    outcome = fields.Selection(
        [("answered", "Answered"), ("refused", "Refused"), ("failed", "Failed")],
        readonly=True,
        help="Refused: the insurer understood and said no (HTTP 4xx). Failed: no usable answer came.",
    )
    error = fields.Text(readonly=True)
    request_headers = fields.Text(readonly=True)
    request_body = fields.Text(string="Request", readonly=True)
    response_headers = fields.Text(string="Answer's Headers", readonly=True)
    response_body = fields.Text(string="Answer", readonly=True)
    res_model = fields.Char(string="About (Model)", readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", string="About (Id)", readonly=True)
    reference = fields.Char(string="About", readonly=True, help="What was sent or asked about, by our reference.")
    job_uuid = fields.Char(string="Job", readonly=True)

    def init(self):
        """A table without foreign keys: it is written while what it refers to may not be committed yet."""
        self.env.cr.execute("CREATE TABLE IF NOT EXISTS credit_insurance_exchange (id bigserial PRIMARY KEY)")
        for name, kind in COLUMNS:
            column = SQL("%s %s", SQL.identifier(name), SQL(kind))  # pylint: disable=sql-injection
            self.env.cr.execute(SQL("ALTER TABLE credit_insurance_exchange ADD COLUMN IF NOT EXISTS %s", column))
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS credit_insurance_exchange_account_idx
                ON credit_insurance_exchange (account_id, operation, started_at);
            CREATE INDEX IF NOT EXISTS credit_insurance_exchange_started_idx
                ON credit_insurance_exchange (started_at);
            CREATE INDEX IF NOT EXISTS credit_insurance_exchange_request_idx
                ON credit_insurance_exchange (request_id);
            CREATE INDEX IF NOT EXISTS credit_insurance_exchange_record_idx
                ON credit_insurance_exchange (res_model, res_id) WHERE res_id IS NOT NULL;
            """
        )

    @api.depends("operation")
    @api.depends_context("lang")
    def _compute_operation_name(self):
        for exchange in self:
            exchange.operation_name = label_of(self.env, exchange.operation)

    @api.depends("operation_name", "reference")
    def _compute_display_name(self):
        for exchange in self:
            exchange.display_name = ": ".join(filter(None, (exchange.operation_name, exchange.reference)))

    # === ACTIONS === #

    def action_open_record(self):
        """Open what the exchange was about, for those who may read it."""
        self.ensure_one()
        if not self.res_model or self.res_model not in self.env or not self.res_id:
            raise UserError(self.env._("It is not known what this exchange was about."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [[0, "form"]],
        }

    @api.model
    def _action_about(self, record):
        """A window action with the exchanges about ``record``, for the button on its form."""
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_exchange_action")
        return {**action, "domain": [("res_model", "=", record._name), ("res_id", "in", record.ids)], "context": {}}

    # === RECORD === #

    @api.model
    def _make_recorder(self, account, about=None):
        """Who writes down what passes on a connection of ``account`` that is opened for the record ``about``."""
        record, job_uuid = about, self.env.su and self.env.context.get("job_uuid")
        if job_uuid and not record:
            record = self.env["queue.job"].sudo().search([("uuid", "=", job_uuid)], limit=1).records
        known = record is not None and len(record) == 1 and bool(record.id)
        return ExchangeRecorder(
            self.env.cr.dbname,
            {
                "account_id": account.id,
                "company_id": account.company_id.id,
                "res_model": record._name if known else None,
                "res_id": record.id if known else None,
                "reference": _cut(record.sudo().display_name, LIMITS["reference"]) if known else None,
                "job_uuid": str(job_uuid) if job_uuid else None,
            },
        )

    @api.model
    def _get_days(self):
        value = self.env["ir.config_parameter"].sudo().get_param(DAYS_PARAMETER)
        return max(1, int(value)) if value and str(value).isdecimal() else DEFAULT_DAYS

    @api.autovacuum
    def _gc_exchanges(self):
        """Remove what is older than the days it is kept; but not what passed about something whose fate is unknown."""
        before = fields.Datetime.now() - timedelta(days=self._get_days())
        self.env.cr.execute(
            SQL(
                """DELETE FROM credit_insurance_exchange
                    WHERE id IN (SELECT e.id FROM credit_insurance_exchange e
                                   LEFT JOIN (%s) u ON u.res_model = e.res_model AND u.res_id = e.res_id
                                  WHERE e.started_at < %s AND u.res_id IS NULL LIMIT %s)""",
                self.env["credit.insurance.submission"]._unsettled_sql(),
                before,
                PURGED_AT_ONCE,
            )
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == PURGED_AT_ONCE


def _describe(exchange):
    """An attempt as it is stored: within limits, and without what the database cannot hold."""
    return {
        "insurer_code": exchange.insurer,
        "operation": exchange.operation,
        "request_id": exchange.request_id,
        "attempt": exchange.attempt,
        "started_at": exchange.started_at.astimezone(UTC).replace(tzinfo=None),
        "seconds": exchange.seconds,
        "method": exchange.method,
        "url": _cut(exchange.url, LIMITS["url"]),
        "status": exchange.status or 0,
        "outcome": _get_outcome(exchange.status),
        "error": _cut(exchange.error, LIMITS["error"]) or None,
        "request_headers": _cut(_list_headers(exchange.request_headers), LIMITS["headers"]),
        "request_body": _cut(exchange.request_body, LIMITS["body"]),
        "response_headers": _cut(_list_headers(exchange.response_headers), LIMITS["headers"]),
        "response_body": _cut(exchange.response_body, LIMITS["body"]),
    }


def _get_outcome(status):
    if not status or status >= 500:
        return "failed"
    return "refused" if status >= 400 else "answered"


def _list_headers(headers):
    return "\n".join(f"{name}: {json.dumps(value)[1:-1]}" for name, value in headers.items())


def _cut(text, limit):
    text = (text or "").replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
