"""Exposure, ledger and deadlines as they stood on a past day, from dated documents; see ``signals_sql``.

An item was open on a day as far as what was matched with it until then left it open; an order confirmed by then was
not yet invoiced as far as the invoices of that day did not bill it. An order that was cancelled since is not there.
"""

from odoo.tools import SQL

from .signals_facts_sql import deadline_columns
from .signals_money_sql import aged
from .signals_steps_sql import local_day, of_buyers, scope_of, zones_of
from .sql_functions import Step

ITEM = "id int, move_id int, partner_id int, company_id int, due date, invoiced date, amount numeric"
MATCH = "item_id int, amount numeric"
ORDER = "id int, partner_id int, company_id int, amount numeric"
LINE = "id int, order_id int"
LINK = "line_id int, item_id int"
BILLED = "id int, amount numeric"


def history_steps(place):
    """``[(step, sources)]``."""
    items = SQL(
        """
        SELECT l.id, l.move_id, l.partner_id, l.company_id,
               COALESCE(l.credit_insurance_original_due_date, l.date_maturity, l.date),
               COALESCE(l.invoice_date, l.date), l.balance
          FROM account_move_line l
         WHERE %s AND l.account_id = ANY(%s) AND l.parent_state = 'posted' AND l.date <= $2
        """,
        of_buyers(place, "l"),
        place.values("account", "id"),
    )
    matched = SQL(
        """
        SELECT debit_move_id, -amount FROM account_partial_reconcile
         WHERE debit_move_id = ANY(%(items)s) AND max_date <= $2
         UNION ALL
        SELECT credit_move_id, amount FROM account_partial_reconcile
         WHERE credit_move_id = ANY(%(items)s) AND max_date <= $2
        """,
        items=place.values("past_item", "id"),
    )
    left = SQL(
        """
        SELECT i.id, i.move_id, i.partner_id, i.company_id, i.due, i.invoiced, i.amount + COALESCE(m.amount, 0)
          FROM %s
          LEFT JOIN (SELECT x.item_id, SUM(x.amount) AS amount FROM %s GROUP BY 1) m ON m.item_id = i.id
         WHERE i.amount + COALESCE(m.amount, 0) <> 0
        """,
        place.rows("past_item", ITEM, "i"),
        place.rows("past_match", MATCH, "x"),
    )
    ledger = ("ledger_as_of", "exposure_as_of", "deadline_as_of")
    return [
        (Step("past_item", ITEM, items), ledger),
        (Step("past_match", MATCH, matched), ledger),
        (Step("past_left", ITEM, left), ledger),
        *((step, ("exposure_as_of",)) for step in _order_steps(place)),
    ]


def _order_steps(place):
    orders = SQL(
        """
        SELECT o.id, o.partner_invoice_id, o.company_id, o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1)
          FROM sale_order o %s
         WHERE o.partner_invoice_id = ANY(%s) AND o.company_id = ANY(%s) AND o.state = 'sale' AND %s <= $2
        """,
        zones_of(place, "o"),
        place.values("partner", "id"),
        place.values("company", "id"),
        local_day("o.date_order"),
    )
    lines = SQL(
        "SELECT id, order_id FROM sale_order_line WHERE order_id = ANY(%s) AND display_type IS NULL",
        place.values("past_order", "id"),
    )
    links = SQL(
        "SELECT order_line_id, invoice_line_id FROM sale_order_line_invoice_rel WHERE order_line_id = ANY(%s)",
        place.values("past_line", "id"),
    )
    # An invoice line's balance is a credit without tax; its price has tax, in the invoice's currency.
    billed = SQL(
        """
        SELECT l.id, l.price_total * abs(l.balance / NULLIF(l.amount_currency, 0)) * -sign(l.balance)
          FROM account_move_line l
         WHERE l.id = ANY(%s) AND l.parent_state = 'posted' AND l.date <= $2
        """,
        place.values("past_link", "item_id"),
    )
    return [
        Step("past_order", ORDER, orders),
        Step("past_line", LINE, lines),
        Step("past_link", LINK, links),
        Step("past_billed", BILLED, billed),
    ]


def history_sources(place):
    """``{source: statement}``."""
    left = place.rows("past_left", ITEM, "i")
    items = SQL(
        "SELECT s.buyer_id, i.amount, $2 - i.due AS days, i.due - i.invoiced AS term FROM %s %s",
        left,
        scope_of(place, "i"),
    )
    deadlines = SQL(
        """
        SELECT s.buyer_id AS id, %s
          FROM credit_insurance_deadline d
          JOIN (SELECT DISTINCT i.move_id, i.partner_id, i.company_id FROM %s) m ON m.move_id = d.move_id %s
         WHERE d.move_id = ANY(%s) AND d.date IS NOT NULL AND (d.done_on IS NULL OR d.done_on > $2)
         GROUP BY 1
        """,
        deadline_columns(),
        left,
        scope_of(place, "m"),
        place.values("past_left", "move_id"),
    )
    return {"ledger_as_of": aged(items), "exposure_as_of": _exposure(place, items), "deadline_as_of": deadlines}


def _exposure(place, items):
    return SQL(
        """
        SELECT q.buyer_id AS id, ROUND(SUM(q.amount), 2) AS exposure
          FROM (SELECT i.buyer_id, i.amount FROM (%(items)s) i
                 UNION ALL
                SELECT s.buyer_id, GREATEST(0, o.amount - COALESCE(b.amount, 0))
                  FROM %(order)s %(scope)s
                  LEFT JOIN (SELECT n.order_id, SUM(y.amount) AS amount
                               FROM %(line)s JOIN %(link)s ON k.line_id = n.id JOIN %(billed)s ON y.id = k.item_id
                              GROUP BY 1) b ON b.order_id = o.id) q
         GROUP BY 1
        """,
        items=items,
        order=place.rows("past_order", ORDER, "o"),
        scope=scope_of(place, "o"),
        line=place.rows("past_line", LINE, "n"),
        link=place.rows("past_link", LINK, "k"),
        billed=place.rows("past_billed", BILLED, "y"),
    )
