"""Statements kept in the database as functions, because planning them takes longer than running them.

Odoo's pool resets a connection whenever a request takes it, which throws plans away: each request plans anew what it
runs. PostgreSQL plans ten small statements much quicker than one that joins as many tables, so a function may consist
of steps: each keeps its rows in arrays for those after it. The same texts make one query with the steps in front of it.

Functions run with the caller's rights and search path, on the snapshot of the statement that calls them, so they read
what the same statement would read.
"""

import hashlib
from dataclasses import dataclass

from odoo.tools import SQL

# Plan without looking at the arguments, which differ in every call.
KEPT_PLAN = SQL("SET plan_cache_mode = force_generic_plan")
# Plan each time for the arguments given.
OWN_PLAN = SQL("SET plan_cache_mode = force_custom_plan")


@dataclass(frozen=True)
class Step:
    """A query whose rows later ones read, as rows or as one column's values.

    :param str columns: their names and types, as in a table's definition
    :param SQL needed: a condition without which a function leaves the step out, as if it had no rows
    """

    name: str
    columns: str
    query: SQL
    needed: SQL | None = None


class Inline:
    """How the steps of one query refer to each other: they stand in front of it as ``WITH``."""

    def rows(self, name, columns, alias):
        return SQL("%s %s", SQL.identifier(name), SQL.identifier(alias))

    def values(self, name, column):
        return SQL("ARRAY(SELECT %s FROM %s)", SQL.identifier(column), SQL.identifier(name))

    def any(self, name, column):
        return SQL("EXISTS (SELECT FROM %s)", SQL.identifier(name))

    def render(self, steps, query):
        parts = [
            SQL("%s(%s) AS MATERIALIZED (%s)", SQL.identifier(step.name), _names(step.columns), step.query)
            for step in steps
        ]
        return SQL("WITH %s %s", SQL(", ").join(parts), query)


class InFunction:
    """How the steps of a function refer to each other: an array for each column."""

    def rows(self, name, columns, alias):
        arrays = SQL(", ").join(self.values(name, column) for column, _type in _split(columns))
        return SQL("unnest(%s) AS %s(%s)", arrays, SQL.identifier(alias), _names(columns))

    def values(self, name, column):
        return SQL.identifier(f"{name}__{column}")

    def any(self, name, column):
        return SQL("%s IS NOT NULL", self.values(name, column))

    def render(self, steps, *queries):
        """The function's variables and what it does.

        :param queries: whose rows it returns; a pair of a condition and a query is left out where that does not hold
        """
        declared = [
            SQL("%s %s[];", self.values(step.name, column), SQL(type_))
            for step in steps
            for column, type_ in _split(step.columns)
        ]
        done = [self._keep(step) for step in steps] + [self._return(query) for query in queries]
        return SQL("DECLARE %s BEGIN %s END", SQL(" ").join(declared), SQL("\n").join(done))

    def _keep(self, step):
        names = [column for column, _type in _split(step.columns)]
        kept = SQL(
            "SELECT %s INTO %s FROM (%s) q(%s);",
            SQL(", ").join(SQL("array_agg(q.%s)", SQL.identifier(name)) for name in names),
            SQL(", ").join(self.values(step.name, name) for name in names),
            step.query,
            _names(step.columns),
        )
        return self._where(step.needed, kept)

    def _return(self, query):
        needed, query = query if isinstance(query, tuple) else (None, query)
        return self._where(needed, SQL("RETURN QUERY %s;", query))

    def _where(self, needed, statement):
        return statement if needed is None else SQL("IF %s THEN %s END IF;", needed, statement)


def _split(columns):
    return [tuple(column.split()) for column in columns.split(",")]


def _names(columns):
    return SQL(", ").join(SQL.identifier(column) for column, _type in _split(columns))


def ensure_function(cr, name, arguments, columns, body, settings):
    """Create the function, or replace it when anything about it changed. Called from a model's ``init``.

    :param str name: of the function; it has no other overload
    :param SQL arguments: their types; the body refers to them as ``$1``, ``$2`` …
    :param SQL columns: names and types of the columns it returns
    :param SQL body: what :meth:`InFunction.render` gives
    :param settings: what holds while it runs, as SQL
    """
    assert not body.params, "a function's text is fixed"
    settings = SQL(" ").join(settings)
    text = "\n".join([arguments.code, columns.code, settings.code, body.code])
    mark = f"-- {hashlib.sha256(text.encode()).hexdigest()}"
    cr.execute(
        "SELECT prosrc FROM pg_proc WHERE proname = %s AND pronamespace = current_schema()::regnamespace", [name]
    )
    if [mark in text for (text,) in cr.fetchall()] == [True]:
        return
    # Two updates at once replace it one after the other.
    cr.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
    # Not by OR REPLACE: other arguments would make a second function beside it, other columns are refused.
    drop_functions(cr, [name])
    source = f"\n{mark}\n#variable_conflict use_column\n{body.code}\n"
    cr.execute(
        SQL(
            "CREATE FUNCTION %s(%s) RETURNS TABLE (%s) LANGUAGE plpgsql STABLE %s AS %s",
            SQL.identifier(name), arguments, columns, settings, source,
        )
    )  # fmt: skip


def drop_functions(cr, names):
    """Remove the functions, whatever their arguments are."""
    cr.execute(
        """
        SELECT oid::regprocedure::text FROM pg_proc
         WHERE proname = ANY(%s) AND pronamespace = current_schema()::regnamespace
        """,
        [list(names)],
    )
    for (signature,) in cr.fetchall():
        cr.execute(SQL("DROP FUNCTION %s", SQL(signature)))  # pylint: disable=sql-injection


def int_array(ids):
    """Ids as one parameter that PostgreSQL reads quicker than a list of thousands of numbers."""
    numbers = ",".join(map(str, ids))
    return SQL("%s::int[]", f"{{{numbers}}}")
