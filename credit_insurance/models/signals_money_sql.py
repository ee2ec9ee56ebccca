"""What buyers owe, how they pay and what they order, as statements of ``signals_sql``.

Each reads its table by the ids of an earlier step and gives one row per buyer: ``id`` and columns named as the keys.
``$2`` is today. Amounts are in the company's currency.
"""

from odoo.tools import SQL

from .exposure_sql import CANDIDATE
from .ledger_sql import open_sql, taken_items_sql
from .signals_steps_sql import (
    BUYER,
    DEBT,
    OPEN_LINE,
    PAYMENT,
    SETTLED,
    UNPAID,
    local_day,
    of_buyers,
    scope_of,
    zones_of,
)


def money_sources(place):
    """``{source: statement}``."""
    return {
        "exposure": _confirmed(place),
        "ledger": _ledger(place),
        "paid": _paid(place),
        "turnover": _turnover(place),
        "order": _orders(place),
        "delivery": _deliveries(place),
    }


def _confirmed(place):
    """What is left to invoice of orders; ``_foreign`` are those in other currencies, which are converted later."""
    return SQL(
        """
        SELECT b.id, SUM(f.amount) FILTER (WHERE f.currency_id = b.currency_id) AS _confirmed,
               json_agg(json_build_array(f.currency_id, f.amount))
                   FILTER (WHERE f.currency_id <> b.currency_id) AS _foreign
          FROM credit_insurance_open_orders(%s) f %s
          JOIN %s ON b.id = s.buyer_id
         WHERE f.amount > 0
         GROUP BY 1
        """,
        place.values("candidate", "id"),
        scope_of(place, "f"),
        place.rows("buyer", BUYER, "b"),
    )


def aged(items):
    """The columns of a ledger from ``items``: buyer_id, amount, due date, days of term."""
    return SQL(
        """
        SELECT i.buyer_id AS id, SUM(i.amount) AS receivables, SUM(i.amount) FILTER (WHERE i.amount > 0) AS _invoiced,
               COALESCE(SUM(i.amount) FILTER (WHERE i.amount > 0 AND i.days > 0), 0) AS amount_overdue,
               COALESCE(SUM(i.amount) FILTER (WHERE i.amount > 0 AND i.days > 30), 0) AS amount_overdue_30,
               COALESCE(SUM(i.amount) FILTER (WHERE i.amount > 0 AND i.days > 60), 0) AS amount_overdue_60,
               COALESCE(SUM(i.amount) FILTER (WHERE i.amount > 0 AND i.days > 90), 0) AS amount_overdue_90,
               COALESCE(MAX(i.days) FILTER (WHERE i.amount > 0 AND i.days > 0), 0) AS days_overdue_oldest,
               -MAX(i.days) FILTER (WHERE i.amount > 0 AND i.days <= 0) AS days_to_next_due,
               MIN(i.days) FILTER (WHERE i.amount > 0 AND i.days > 0) AS days_since_due,
               GREATEST(MAX(i.amount), 0) AS largest_open,
               MAX(i.term) FILTER (WHERE i.amount > 0) AS payment_term
          FROM (%s) i
         GROUP BY 1
        """,
        items,
    )


def _ledger(place):
    """Open items by age. Payments and credits not yet applied lower the receivables, not what is overdue."""
    return aged(
        SQL(
            """
            SELECT s.buyer_id, l.booked AS amount, $2 - l.due AS days, l.due - l.invoiced AS term
              FROM (%s UNION ALL %s) l %s
            """,
            open_sql(place, SQL("$2")),
            taken_items_sql(place, SQL("$2")),
            scope_of(place, "l"),
        )
    )


def _paid(place):
    """How late invoices were paid, each instalment weighed by its amount.

    An item is paid on the day of the last payment matched with it, whenever a credit note settled the rest; an invoice
    when its last instalment is.
    """
    days = """
        SUM((p.day - p.due) * p.amount) FILTER (WHERE %(since)s) / NULLIF(SUM(p.amount) FILTER (WHERE %(since)s), 0)
    """
    since = {
        months: SQL("p.day > ($2 - interval '%s months')::date", SQL(str(months))) for months in (3, 6, 12)
    }  # fmt: skip
    average = {months: SQL(days, since=condition) for months, condition in since.items()}
    return SQL(
        """
        SELECT p.buyer_id AS id, ROUND(%(three)s, 2) AS days_late_3m, ROUND(%(six)s, 2) AS days_late_6m,
               ROUND(%(twelve)s, 2) AS days_late_12m,
               ROUND(100.0 * COUNT(DISTINCT p.move_id) FILTER (WHERE p.whole AND %(year)s AND p.day > p.due)
                     / NULLIF(COUNT(DISTINCT p.move_id) FILTER (WHERE p.whole AND %(year)s), 0), 2) AS paid_late_share,
               COUNT(DISTINCT p.move_id) FILTER (WHERE p.whole AND %(year)s) AS invoices_paid
          FROM (SELECT s.buyer_id, d.id, d.due, d.amount, d.move_id, u.move_id IS NULL AS whole,
                       MAX(t.day) FILTER (WHERE y.id IS NOT NULL) AS day
                  FROM %(debt)s %(scope)s
                  JOIN %(settled)s ON t.item_id = d.id
                  LEFT JOIN %(payment)s ON y.id = t.credit_id
                  LEFT JOIN %(unpaid)s ON u.move_id = d.move_id
                 GROUP BY 1, 2, 3, 4, 5, 6
                HAVING COUNT(y.id) > 0 AND MAX(t.day) <= $2) p
         GROUP BY 1
        """,
        three=average[3], six=average[6], twelve=average[12], year=since[12],
        debt=place.rows("debt", DEBT, "d"),
        scope=scope_of(place, "d"),
        settled=place.rows("settled", SETTLED, "t"),
        payment=place.rows("payment", PAYMENT, "y"),
        unpaid=place.rows("unpaid", UNPAID, "u"),
    )  # fmt: skip


def _turnover(place):
    year = SQL("m.invoice_date > ($2 - interval '12 months')::date")
    return SQL(
        """
        SELECT q.id, q.turnover, ROUND(q.credit_sales_share, 2) AS credit_sales_share, c.name AS currency
          FROM (SELECT s.buyer_id AS id, SUM(m.amount_total_signed) FILTER (WHERE %(year)s) AS turnover,
                       100 * COALESCE(SUM(m.amount_total_signed)
                                      FILTER (WHERE %(year)s AND m.move_type = 'out_invoice'
                                                AND m.invoice_date_due > m.invoice_date), 0)
                       / NULLIF(SUM(m.amount_total_signed)
                                FILTER (WHERE %(year)s AND m.move_type = 'out_invoice'), 0) AS credit_sales_share,
                       (array_agg(m.currency_id ORDER BY m.invoice_date DESC, m.id DESC)
                        FILTER (WHERE m.move_type = 'out_invoice'))[1] AS currency_id
                  FROM account_move m %(scope)s
                 WHERE %(whose)s AND m.move_type IN ('out_invoice', 'out_refund') AND m.state = 'posted'
                   AND m.invoice_date <= $2
                 GROUP BY 1) q
          LEFT JOIN res_currency c ON c.id = q.currency_id
        """,
        year=year,
        scope=scope_of(place, "m"),
        whose=of_buyers(place, "m"),
    )


def _orders(place):
    """Counts, ages and growth of confirmed orders; the window of a season lies a year back.

    Nothing grows against returns that outweigh the orders.
    """
    amount = SQL("o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1)")
    return SQL(
        """
        SELECT q.id, q.count AS orders_confirmed, %(first)s AS months_since_first_order,
               %(last)s AS months_since_last_order,
               ROUND(100 * q.month / NULLIF(GREATEST(q.before / 12, 0), 0) - 100, 2) AS order_growth,
               ROUND(100 * COALESCE(q.quarter, 0) / NULLIF(GREATEST(q.season, 0), 0) - 100, 2) AS order_growth_seasonal,
               ROUND(q.mean, 2) AS order_mean
          FROM (SELECT s.buyer_id AS id, COUNT(*) AS count, MIN(o.day) AS first, MAX(o.day) AS last,
                       COALESCE(SUM(o.amount) FILTER (WHERE o.day > $2 - 30), 0) AS month,
                       SUM(o.amount) FILTER (WHERE o.day > ($2 - 30 - interval '12 months') AND o.day <= $2 - 30)
                           AS before,
                       SUM(o.amount) FILTER (WHERE o.day > $2 - 90) AS quarter,
                       SUM(o.amount) FILTER (WHERE o.day > ($2 - interval '1 year')::date - 90
                                               AND o.day <= ($2 - interval '1 year')::date) AS season,
                       AVG(o.amount) FILTER (WHERE o.day > ($2 - interval '12 months')::date) AS mean
                  FROM (SELECT o.partner_invoice_id AS partner_id, o.company_id, %(day)s AS day, %(amount)s AS amount
                          FROM sale_order o %(zones)s
                         WHERE o.partner_invoice_id = ANY(%(partners)s) AND o.company_id = ANY(%(companies)s)
                           AND o.state = 'sale') o %(scope)s
                 WHERE o.day <= $2
                 GROUP BY 1) q
        """,
        amount=amount,
        day=local_day("o.date_order"),
        zones=zones_of(place, "o"),
        first=months_between(SQL("q.first")),
        last=months_between(SQL("q.last")),
        partners=place.values("partner", "id"),
        companies=place.values("company", "id"),
        scope=scope_of(place, "o"),
    )


def months_between(day):
    """Full months from a day to today."""
    return SQL("(EXTRACT(YEAR FROM age($2, %s)) * 12 + EXTRACT(MONTH FROM age($2, %s)))::int", day, day)


def _deliveries(place):
    """Of lines delivered beyond what is invoiced: the first delivery that the invoices do not reach.

    Its day is that of the stock move or, where none tells, that on which somebody entered it.
    """
    return SQL(
        """
        SELECT s.buyer_id AS id, $2 - MIN(m.day) AS days_delivered_uninvoiced,
               ROUND(SUM(w.value / COALESCE(NULLIF(o.currency_rate, 0), 1)), 2) AS delivered_uninvoiced
          FROM (SELECT q.order_id, q.id, q.value FROM %(line)s) w
          JOIN %(order)s ON o.id = w.order_id %(scope)s
          LEFT JOIN (SELECT f.id, MIN(f.day) AS day
                       FROM (SELECT q.id, v.day
                               FROM (SELECT t.sale_line_id, %(day)s AS day,
                                            SUM(t.quantity) OVER (PARTITION BY t.sale_line_id ORDER BY t.date, t.id)
                                                AS reached,
                                            SUM(t.quantity) OVER (PARTITION BY t.sale_line_id) AS moved
                                       FROM stock_move t %(zones)s
                                      WHERE t.sale_line_id = ANY(%(lines)s) AND t.state = 'done'
                                        AND t.location_dest_id
                                            = ANY(ARRAY(SELECT id FROM stock_location WHERE usage = 'customer'))) v
                               JOIN %(line)s ON q.id = v.sale_line_id
                              WHERE v.reached * q.delivered > q.invoiced * v.moved
                              UNION ALL
                             SELECT q.id, (h.reached->>0)::date
                               FROM sale_order_line l
                               JOIN %(line)s ON q.id = l.id
                              CROSS JOIN LATERAL jsonb_array_elements(l.credit_insurance_delivered) h(reached)
                              WHERE l.id = ANY(%(lines)s) AND (h.reached->>1)::numeric > q.invoiced) f
                      GROUP BY 1) m ON m.id = w.id
         GROUP BY 1
        """,
        day=local_day("t.date"),
        zones=zones_of(place, "t"),
        line=place.rows("open_line", OPEN_LINE, "q"),
        lines=place.values("open_line", "id"),
        order=place.rows("candidate", CANDIDATE, "o"),
        scope=scope_of(place, "o"),
    )
