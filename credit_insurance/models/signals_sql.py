"""The signals of buyers as one function of the database: a source is a statement, run when one of its keys is wanted.

    credit_insurance_signals(buyers, today, sources)  ->  (source, buyer_id, JSON of the source's keys)

Who asks for one buyer plans nothing, and who asks for a thousand reads each table once. Columns whose name starts with
an underscore are no keys: they serve the arithmetic in ``credit.insurance.signals``.
"""

from odoo.tools import SQL

from .signals_facts_sql import fact_sources
from .signals_history_sql import history_sources, history_steps
from .signals_money_sql import money_sources
from .signals_steps_sql import base_steps, source_steps
from .sql_functions import InFunction, Step

SIGNALS = "credit_insurance_signals"
SIGNAL_COLUMNS = SQL("source text, buyer_id int, data text")
SIGNAL_ARGUMENTS = SQL("int[], date, text[]")


def _wanted(*sources):
    """Whether one of these sources was asked for."""
    names = SQL(", ").join(SQL("'%s'", SQL(name)) for name in sources)
    return SQL("$3 && ARRAY[%s]::text[]", names)


def signals_in_steps():
    """The function's body."""
    place = InFunction()
    steps = [
        Step(step.name, step.columns, step.query, needed=_wanted(*sources))
        for step, sources in (*source_steps(place), *history_steps(place))
    ]
    sources = money_sources(place) | fact_sources(place) | history_sources(place)
    return place.render([*base_steps(place), *steps], *(_source(name, query) for name, query in sources.items()))


def _source(name, query):
    """The rows of a source, where it is wanted."""
    rows = SQL(
        "SELECT '%s'::text, q.id, json_strip_nulls(row_to_json(q))::text FROM (%s) q",
        SQL(name),
        query,
    )
    return _wanted(name), rows
