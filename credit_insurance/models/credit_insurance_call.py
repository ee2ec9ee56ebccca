"""Keeping to the number of calls an insurer allows, over all workers of the server.

Each call that leaves is a row; a call may leave when fewer rows than allowed lie in the window before it. Counted is
what the insurer counts: all connections with the same credentials in the same environment share one allowance, whatever
company they belong to. The rows are counted and added to under an advisory lock that is held for milliseconds, on a
database connection of its own: the call is spent whatever becomes of the transaction that makes it.
"""

import hashlib
import time
from functools import lru_cache

from psycopg2.errors import LockNotAvailable
from psycopg2.pool import PoolError

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.connectors import RateLimited

from .side_cursor import side_cursor

LOCK_CLASS = 0x43524C4D  # "CRLM": keeps our locks apart from other modules'
PATIENCE = 2.0  # seconds a call waits at most; a longer wait is left to the job queue
BUSY_RETRY = 5.0


@lru_cache(maxsize=64)
def get_customer_key(connector, environment, customer, salt):
    """What stands for a customer of an insurer among the calls. It holds the hash of the credentials, made slowly on
    purpose and therefore kept for the life of the worker."""
    told = "\0".join((connector, environment, *customer)).encode()
    digest = hashlib.scrypt(told, salt=f"calls:{salt}".encode(), n=2**14, r=8, p=1, dklen=16)
    return f"{connector}:{environment}:{digest.hex()}"


class SharedLimiter:
    """What the transport asks before every attempt (``connectors.transport.RateLimiter``).

    :param customer: whose calls are counted, see ``get_customer_key``
    :param now: seconds since the epoch; by default the database server's clock, the same for all workers
    """

    def __init__(self, dbname, customer, insurer, rates, *, patience=PATIENCE, now=None, sleep=time.sleep):
        self._dbname = dbname
        self._customer = customer
        self._insurer = insurer
        self._rates = tuple(rates)
        self._patience = patience
        self._now = now
        self._sleep = sleep

    def acquire(self, operation):
        """Return when the call may leave.

        :raise RateLimited: it would have to wait longer than our patience, or nobody can tell
        """
        while wait := self._take(operation):
            if wait > self._patience:
                raise RateLimited(
                    f"{operation}: our own limit of calls is reached", insurer=self._insurer, retry_after=wait
                )
            self._sleep(wait)

    def _take(self, operation):
        """Count the call and return 0, or count nothing and return the seconds until there is room."""
        try:
            with side_cursor(self._dbname) as cr:
                lock = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
                cr.execute(lock, [LOCK_CLASS, self._customer], log_exceptions=False)
                return self._count(cr, operation)
        except (PoolError, LockNotAvailable) as exc:
            # Better late than blocked by the insurer for calling too often.
            raise RateLimited(
                f"{operation}: calls could not be counted", insurer=self._insurer, retry_after=BUSY_RETRY
            ) from exc

    def _count(self, cr, operation):
        cr.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        now = self._now() if self._now else cr.fetchone()[0]
        waits = [self._get_wait(cr, rate, operation, now) for rate in self._rates]
        if max(waits, default=0.0) > 0:
            return max(waits)
        longest = max((rate.seconds for rate in self._rates), default=0.0)
        cr.execute(
            SQL(
                """
                DELETE FROM credit_insurance_call WHERE customer = %(customer)s AND called_at <= %(before)s;
                INSERT INTO credit_insurance_call (customer, operation, called_at)
                VALUES (%(customer)s, %(operation)s, %(now)s)
                """,
                customer=self._customer, operation=operation, now=now, before=now - longest,
            )
        )  # fmt: skip
        return 0.0

    def _get_wait(self, cr, rate, operation, now):
        """Seconds until the oldest call that fills the window leaves it; 0 when there is room."""
        cr.execute(
            SQL(
                """
                SELECT called_at FROM credit_insurance_call
                 WHERE customer = %s AND called_at > %s AND (operation = %s OR %s)
                 ORDER BY called_at DESC OFFSET %s LIMIT 1
                """,
                self._customer, now - rate.seconds, operation, not rate.per_operation, rate.calls - 1,
            )
        )  # fmt: skip
        row = cr.fetchone()
        return max(row[0] + rate.seconds - now, 0.001) if row else 0.0


class CreditInsuranceCall(models.Model):
    """When insurers were called, as far back as their limits look."""

    _name = "credit.insurance.call"
    _description = "Call Counted Against an Insurer's Limit"
    _auto = False
    _log_access = False

    customer = fields.Char(readonly=True, help="Of the insurer: connector, environment, hash of the credentials.")
    operation = fields.Char(readonly=True)
    called_at = fields.Float(readonly=True)

    def init(self):
        """An unlogged table without foreign keys: what a crash loses is a few minutes of counting."""
        self.env.cr.execute(
            """
            CREATE UNLOGGED TABLE IF NOT EXISTS credit_insurance_call (
                id bigserial PRIMARY KEY,
                customer varchar NOT NULL,
                operation varchar NOT NULL,
                called_at double precision NOT NULL
            );
            CREATE INDEX IF NOT EXISTS credit_insurance_call_customer_idx
                ON credit_insurance_call (customer, called_at);
            """
        )

    @api.autovacuum
    def _gc_calls(self):
        self.env.cr.execute(
            "DELETE FROM credit_insurance_call WHERE called_at < extract(epoch FROM now() - interval '2 days')"
        )
