"""What may have left although its transaction did not end.

A job that dies between sending and recording leaves no trace in its own transaction. So each try to send is written
down through a second connection, committed before the call, and struck out when the call certainly did nothing.
"""

from contextlib import contextmanager

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.connectors import ConnectorError

from .side_cursor import side_cursor


class CreditInsuranceAttempt(models.Model):
    _name = "credit.insurance.attempt"
    _description = "Try to Send Something to an Insurer"
    _log_access = False

    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Integer(required=True, readonly=True)
    reference = fields.Char(readonly=True)
    started_at = fields.Datetime(required=True, readonly=True)

    _record_idx = models.Index("(res_model, res_id)")

    @api.model
    def _exists(self, record):
        """Whether a try to send ``record`` may have reached the insurer, whichever transaction made it."""
        with self._side() as side:
            side.execute(SQL("SELECT 1 FROM credit_insurance_attempt WHERE %s LIMIT 1", self._of(record)))
            return bool(side.fetchone())

    @contextmanager
    def _running(self, record):
        """Around the call that sends ``record``: the try is known to all from before the call on."""
        with self._side() as side:
            side.execute(
                SQL(
                    """INSERT INTO credit_insurance_attempt (res_model, res_id, reference, started_at)
                       VALUES (%s, %s, %s, now() AT TIME ZONE 'UTC')""",
                    *(record._name, record.id, record.name),
                )
            )
        try:
            yield
        except ConnectorError as error:
            if not error.may_have_acted:
                self._forget(record)
            raise

    @api.model
    def _forget(self, record):
        """None of the tries so far reached the insurer, or a person has found out what became of them."""
        with self._side() as side:
            side.execute(SQL("DELETE FROM credit_insurance_attempt WHERE %s", self._of(record)))

    @api.model
    def _of(self, record):
        return SQL("res_model = %s AND res_id = %s", record._name, record.id)

    @api.model
    def _side(self):
        return side_cursor(self.env.cr.dbname)

    @api.autovacuum
    def _gc_attempts(self):
        """Remove what was tried a year ago, unless it is not known yet what became of it."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM credit_insurance_attempt WHERE started_at < %s AND (res_model, res_id) NOT IN (%s)",
                fields.Datetime.subtract(fields.Datetime.now(), years=1),
                self.env["credit.insurance.submission"]._unsettled_sql(),
            )
        )
