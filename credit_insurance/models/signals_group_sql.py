"""The credit groups of buyers: the rows of their limits and what their members owe; see ``signals_sql``.

What is told of a group stands beside one of its buyers, and ``_group`` beside each.
"""

from odoo.tools import SQL

from .sql_functions import Step

SHARED = "buyer_id int, group_id int"
MEMBER = "group_id int, partner_id int, company_id int"
LIMIT_COLUMNS = ("id", "amount", "currency", "kind", "from", "to", "cancelled")


def group_steps(place):
    """``[(step, sources)]``: which groups the buyers are in, and who else is."""
    groups = SQL(
        """
        SELECT b.id, g.id
          FROM credit_insurance_buyer b
          JOIN credit_insurance_group g ON g.id = b.group_id AND g.active
         WHERE b.id = ANY($1) AND b.merged_into_id IS NULL
        """
    )
    members = SQL(
        """
        SELECT group_id, partner_id, company_id FROM credit_insurance_buyer
         WHERE group_id = ANY(%s) AND merged_into_id IS NULL
        """,
        place.values("shared", "group_id"),
    )
    return [
        (Step("shared", SHARED, groups), ("group",)),
        (Step("member", MEMBER, members, place.any("shared", "group_id")), ("group",)),
    ]


def group_sources(place):
    """``{source: statement}``."""
    query = SQL(
        """
        SELECT h.buyer_id AS id, h.group_id AS _group,
               CASE WHEN h.buyer_id = MIN(h.buyer_id) OVER (PARTITION BY h.group_id)
                    THEN json_build_array(g.currency_id, l.rows, o.rows) END AS _group_told
          FROM %(shared)s
          JOIN credit_insurance_group g ON g.id = h.group_id AND g.id = ANY(%(groups)s)
          LEFT JOIN (SELECT x.group_id,
                            json_agg(json_build_array(x.id, x.amount::text, c.name, x.kind, x.date_from, x.date_to,
                                                      x.cancelled) ORDER BY x.id) AS rows
                       FROM credit_insurance_own_limit x
                       JOIN res_currency c ON c.id = x.currency_id
                      WHERE x.group_id = ANY(%(groups)s)
                      GROUP BY 1) l ON l.group_id = g.id
          LEFT JOIN (SELECT m.group_id,
                            json_agg(json_build_array(f.root_id, f.source, f.currency_id, f.amount::text,
                                                      f.booked::text)) AS rows
                       FROM credit_insurance_exposure(%(partners)s, %(companies)s, $2, '{}') f
                       JOIN %(member)s ON m.partner_id = f.buyer_id AND m.company_id = f.root_id
                      GROUP BY 1) o ON o.group_id = g.id
        """,
        shared=place.rows("shared", SHARED, "h"),
        groups=place.values("shared", "group_id"),
        partners=place.values("member", "partner_id"),
        companies=place.values("member", "company_id"),
        member=place.rows("member", MEMBER, "m"),
    )
    return {"group": query}
