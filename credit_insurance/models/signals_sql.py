"""The signals of buyers as one function of the database: a source is a statement, run when one of its keys is wanted.

    credit_insurance_signals(buyers, today, sources)  ->  (source, buyer_id, JSON of the source's keys)

Who asks for one buyer plans nothing, and who asks for a thousand reads each table once. Columns whose name starts with
an underscore are no keys: they serve the arithmetic in ``credit.insurance.signals``.
"""

from odoo.tools import SQL

from .signals_facts_sql import fact_sources
from .signals_group_sql import group_sources, group_steps
from .signals_history_sql import history_sources, history_steps
from .signals_money_sql import money_sources
from .signals_steps_sql import base_steps, source_steps
from .sql_functions import InFunction, Step

SIGNALS = "credit_insurance_signals"
SIGNAL_COLUMNS = SQL("source text, buyer_id int, data text")
SIGNAL_ARGUMENTS = SQL("int[], date, text[]")


# Sources that have nothing to say without rows of a step.
REST_ON = {
    "exposure": ("candidate", "id"),
    "paid": ("settled", "item_id"),
    "delivery": ("open_line", "id"),
    "cover": ("policy", "policy_id"),
    "event": ("event", "id"),
    "group": ("shared", "group_id"),
}


def signals_in_steps():
    """The function's body. Of one buyer most steps find nothing: what rests on them is left out."""
    place = InFunction()
    steps = [
        Step(step.name, step.columns, step.query, _wanted(sources, step.needed))
        for step, sources in (*source_steps(place), *group_steps(place), *history_steps(place))
    ]
    sources = money_sources(place) | fact_sources(place) | group_sources(place) | history_sources(place)
    queries = [
        (_wanted([name], place.any(*REST_ON[name]) if name in REST_ON else None), _rows(name, query))
        for name, query in sources.items()
    ]
    return place.render([*base_steps(place), *steps], *queries)


def _wanted(sources, needed):
    """Whether one of these sources was asked for and there is what it needs."""
    names = SQL(", ").join(SQL("'%s'", SQL(name)) for name in sources)
    asked = SQL("$3 && ARRAY[%s]::text[]", names)
    return SQL("%s AND (%s)", asked, needed) if needed else asked


def _rows(name, query):
    """The rows of a source."""
    return SQL(
        "SELECT '%s'::text, q.id, json_strip_nulls(row_to_json(q))::text FROM (%s) q",
        SQL(name),
        query,
    )
