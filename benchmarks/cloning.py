"""Many rows from one: a record made by Odoo itself is the pattern, copies of its row are made in SQL."""

# ruff: noqa: TID251 (runs inside Odoo)
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg2 import errors

from odoo.sql_db import Cursor


def clone(cr: Cursor, table: str, pattern: int, count: int, **columns: str) -> int:
    """Copy row ``pattern`` ``count`` times. Copy n (from 1) has the id returned + n.

    :param columns: SQL expressions of the columns that differ, in terms of ``n`` and of the pattern ``t``
    """
    cr.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}")
    [base] = cr.fetchone()
    columns = {"id": f"{base} + n", **columns}
    cr.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
        [table],
    )
    names = [name for [name] in cr.fetchall()]
    targets = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(columns.get(name) or f't."{name}"' for name in names)
    cr.execute(
        f"INSERT INTO {table} ({targets}) SELECT {values} FROM {table} t, generate_series(1, {int(count)}) n"
        f" WHERE t.id = {int(pattern)} ORDER BY n"
    )
    cr.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {base + max(count, 1)})")
    return base


@contextmanager
def loading(cr: Cursor, tables: Sequence[str]) -> Iterator[None]:
    """Bulk loading: the plain indexes of the tables are dropped before and made again after, references unchecked."""
    _leave_references_unchecked(cr)
    cr.execute(
        """
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
          FROM pg_index i
         WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisunique
        """,
        [list(tables)],
    )
    indexes = cr.fetchall()
    for name, _definition in indexes:
        cr.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        cr.execute(definition)


def _leave_references_unchecked(cr: Cursor) -> None:
    """Only a superuser of PostgreSQL may do that; for others the loading takes longer."""
    try:
        with cr.savepoint():
            cr.execute("SET LOCAL session_replication_role = replica")
    except errors.InsufficientPrivilege:
        return
