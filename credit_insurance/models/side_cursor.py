"""A short transaction beside the running one, whose result stays whatever becomes of the running one."""

from contextlib import contextmanager

from odoo.sql_db import db_connect


@contextmanager
def side_cursor(dbname, *, lock_seconds=5):
    """A cursor on a connection of its own, at READ COMMITTED, committed at the end.

    :raise psycopg2.pool.PoolError: the server has no second connection left (``db_maxconn``)
    """
    with db_connect(dbname).cursor() as cr:
        cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cr.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(lock_seconds)}s"])
        yield cr
