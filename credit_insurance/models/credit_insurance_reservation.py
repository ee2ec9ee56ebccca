"""Headroom taken by transactions that others cannot see yet.

Odoo works at REPEATABLE READ: two confirmations at the same instant each see the headroom as it was before the other.
A reservation is written through a second connection and committed at once, under a short lock per buyer. What a
transaction's snapshot shows is in the tables; what it does not show is in here: each amount is counted exactly once.

    main transaction             side connection (READ COMMITTED, a few milliseconds)
    ----------------             ----------------------------------------------------
    snapshot, limits, exposure
                          --->   lock the buyers, then the credit groups, each in ascending order
                                 sum the reservations the snapshot does not show
                                 decide, insert what passes, commit (releases the locks)
    pass or hold          <---
    ... commit or rollback: an aborted transaction's reservations stop counting by themselves
"""

from collections import defaultdict
from contextlib import contextmanager
from decimal import Decimal

from psycopg2.errors import LockNotAvailable
from psycopg2.pool import PoolError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.sql_db import db_connect
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import Basis

from .sql_functions import int_array

# The first key of PostgreSQL's two-key advisory locks keeps ours apart from other modules' ("CRED", "CREG").
LOCK_CLASS = 0x43524544
GROUP_LOCK_CLASS = 0x43524547


class ReservationLedger:
    """The reservations of some buyers while they are locked: read ``reserved`` and ``small``, call ``reserve``.

    ``small`` is the part of ``reserved`` that passed below a threshold.
    """

    def __init__(self, cr, xid, reserved, small):
        self._cr = cr
        self._xid = xid
        self.reserved = reserved
        self.small = small

    def reserve(self, case, decision):
        """Take the headroom of a case, and note what of it passed below a threshold."""
        small = decision.document.amount if decision.basis is Basis.BELOW_THRESHOLD else Decimal(0)
        if case.reserve <= 0:
            return
        buyer = case.buyer
        self._cr.execute(
            SQL(
                """INSERT INTO credit_insurance_reservation
                          (partner_id, company_id, order_id, currency_id, amount, small_amount, xid)
                   VALUES (%s, %s, %s, %s, %s, %s, %s::xid8)""",
                buyer.partner_id, buyer.company_id, case.subject.id, buyer.currency_id, case.reserve, small, self._xid,
            )
        )  # fmt: skip


class CreditInsuranceReservation(models.Model):
    _name = "credit.insurance.reservation"
    _description = "Headroom Reserved by a Running Transaction"
    _auto = False
    _log_access = False

    partner_id = fields.Integer(readonly=True)
    company_id = fields.Integer(readonly=True)
    order_id = fields.Integer(readonly=True)
    currency_id = fields.Integer(readonly=True)
    amount = fields.Float(readonly=True)

    def init(self):
        """An unlogged table without foreign keys: rows live for seconds, a crash loses them with their transactions."""
        self.env.cr.execute(
            """
            CREATE UNLOGGED TABLE IF NOT EXISTS credit_insurance_reservation (
                id bigserial PRIMARY KEY,
                partner_id integer NOT NULL,
                company_id integer NOT NULL,
                order_id integer NOT NULL,
                currency_id integer NOT NULL,
                amount numeric NOT NULL,
                small_amount numeric NOT NULL DEFAULT 0,
                xid xid8 NOT NULL,
                created_at timestamptz NOT NULL DEFAULT clock_timestamp()
            );
            ALTER TABLE credit_insurance_reservation ADD COLUMN IF NOT EXISTS small_amount numeric NOT NULL DEFAULT 0;
            CREATE INDEX IF NOT EXISTS credit_insurance_reservation_partner_idx
                ON credit_insurance_reservation (partner_id, company_id);
            """
        )

    @api.model
    @contextmanager
    def _open_ledger(self, snapshot, partner_ids, group_ids=(), member_ids=()):
        """Lock these buyers and credit groups and yield their :class:`ReservationLedger`.

        What it reserved counts from the exit on.

        :param member_ids: partners that share a limit with the buyers: their reservations are read, not locked
        :raise UserError: the server has no second database connection left (``db_maxconn``)
        """
        try:
            side = db_connect(self.env.cr.dbname).cursor()
        except PoolError as exc:
            raise UserError(
                self.env._(
                    "The credit check needs a second database connection and none is free. "
                    "Nothing was confirmed; try again, and ask your administrator to raise db_maxconn."
                )
            ) from exc
        with side:
            # Whoever takes headroom of a group holds its lock, so that its members' reservations stand still.
            keys = [*_keys(LOCK_CLASS, partner_ids), *_keys(GROUP_LOCK_CLASS, group_ids)]
            reserved, small = self._lock_and_read(side, keys, snapshot, {*partner_ids, *member_ids})
            yield ReservationLedger(side, snapshot.xid, reserved, small)

    @api.model
    def _lock_and_read(self, side, keys, snapshot, partner_ids):
        """Lock the keys in the order given until the side connection commits; then read what others reserved.

        One message to the server: at READ COMMITTED each of its statements sees what was committed before it.

        :return: what others reserved and the snapshot does not show, and how much of that passed below a threshold:
            twice ``{(partner_id, company_id): {currency_id: Decimal}}``
        """
        classes, ids = zip(*keys, strict=True)
        query = SQL(
            """
            SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            SET LOCAL lock_timeout = '5s';
            SELECT pg_advisory_xact_lock(k.class, k.id) FROM unnest(%(classes)s, %(ids)s) AS k(class, id);
            SELECT partner_id, company_id, currency_id, SUM(amount)::text, SUM(small_amount)::text
              FROM credit_insurance_reservation
             WHERE partner_id = ANY(%(partners)s)
               AND xid <> %(xid)s::xid8
               AND NOT pg_visible_in_snapshot(xid, %(snapshot)s::pg_snapshot)
               AND CASE WHEN xid < pg_snapshot_xmax(pg_current_snapshot())
                        THEN pg_xact_status(xid) IS DISTINCT FROM 'aborted'
                        ELSE FALSE END
             GROUP BY 1, 2, 3
            """,
            classes=int_array(classes),
            ids=int_array(ids),
            partners=list(partner_ids),
            xid=snapshot.xid,
            snapshot=snapshot.snapshot,
        )
        try:
            side.execute(query, log_exceptions=False)
        except LockNotAvailable as exc:
            raise UserError(
                self.env._("Another confirmation for this buyer is taking too long. Nothing was confirmed; try again.")
            ) from exc
        reserved, smalls = defaultdict(lambda: defaultdict(Decimal)), defaultdict(lambda: defaultdict(Decimal))
        for partner_id, company_id, currency_id, amount, small in side.fetchall():
            reserved[partner_id, company_id][currency_id] += Decimal(amount)
            smalls[partner_id, company_id][currency_id] += Decimal(small)
        return reserved, smalls

    @api.autovacuum
    def _gc_ended(self):
        """Remove reservations that every snapshot shows in the tables.

        A transaction that has only read so far holds a snapshot without being counted among the running ones: the hour
        is for it. Ids that this server has not given yet came with a copy of another server's database.
        """
        self.env.cr.execute(
            """
            DELETE FROM credit_insurance_reservation
             WHERE (xid < pg_snapshot_xmin(pg_current_snapshot())
                    AND created_at < clock_timestamp() - interval '1 hour')
                OR xid >= pg_snapshot_xmax(pg_current_snapshot())
            """
        )


def _keys(lock_class, ids):
    """The keys of locks in ascending order, so that nobody waits in a circle."""
    return [(lock_class, id_) for id_ in sorted(set(ids))]
