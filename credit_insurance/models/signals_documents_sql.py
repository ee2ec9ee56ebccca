"""The signals of orders, invoices and events by themselves: one statement for any number of documents of one kind.

Every row has ``id``, ``buyer_id``, ``partner_id``, ``company_id`` (of the buyer) and columns named as the keys.
"""

from odoo.tools import SQL

from .matched_drafts_sql import taken_sql
from .signals_facts_sql import last_day_sql
from .signals_steps_sql import insuring_sql

ROOT = SQL("split_part(c.parent_path, '/', 1)::int")


def _domain(address):
    """The mail domain of an address column, in small letters."""
    return SQL("NULLIF(lower(btrim(split_part(%s, '@', 2), '> ')), '')", address)


def _term(today):
    """Days from ``today`` to the last due date of a payment term line ``t``."""
    return SQL(
        """
        CASE t.delay_type
             WHEN 'days_after_end_of_month'
             THEN (date_trunc('month', %(today)s::date) + interval '1 month - 1 day')::date + t.nb_days
             WHEN 'days_after_end_of_next_month'
             THEN (date_trunc('month', %(today)s::date) + interval '2 months - 1 day')::date + t.nb_days
             WHEN 'days_end_of_month_on_the'
             THEN LEAST((date_trunc('month', %(today)s::date + t.nb_days) + interval '1 month - 1 day')::date
                        + COALESCE(NULLIF(t.days_next_month, '')::int, 0),
                        (date_trunc('month', %(today)s::date + t.nb_days) + interval '2 months - 1 day')::date)
             ELSE %(today)s::date + t.nb_days END - %(today)s::date
        """,
        today=today,
    )


def _local_day(moment, zone):
    """The day of a stored moment where the company is."""
    return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", moment, zone)


def _local_start(day, zone):
    """The moment, as it is stored, at which a day begins where the company is."""
    return SQL("((%s)::timestamp AT TIME ZONE %s AT TIME ZONE 'UTC')", day, zone)


def zone_of_order(order_id):
    """The time zone of the root company of a saved order, as the database has it."""
    return SQL(
        """
        (SELECT COALESCE(k.tz, 'UTC')
           FROM sale_order o
           JOIN res_company c ON c.id = o.company_id
           JOIN res_company r ON r.id = %s
           LEFT JOIN resource_calendar k ON k.id = r.resource_calendar_id
          WHERE o.id = %s)
        """,
        ROOT,
        order_id,
    )


def saved_orders_sql(ids, zone):
    """The orders as the database has them."""
    return SQL(
        """
        SELECT o.id, p.commercial_partner_id AS partner_id, %(root)s AS company_id, %(day)s AS day,
               o.date_order AS moment, o.state, o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1) AS amount,
               o.payment_term_id, NULL::numeric AS counted,
               o.partner_shipping_id, o.partner_id AS contact_id, o.company_id AS own_company_id
          FROM sale_order o
          JOIN res_partner p ON p.id = o.partner_invoice_id
          JOIN res_company c ON c.id = o.company_id
         WHERE o.id = ANY(%(ids)s)
        """,
        root=ROOT,
        day=_local_day(SQL("o.date_order"), zone),
        ids=list(ids),
    )


def past_orders_sql(orders, zone):
    """The orders as they were when they were put to the gate; ``counted`` is what the exposure of that day has of each.

    :param orders: JSON, a list of objects with ``id``, ``partner_id``, ``moment``, ``amount`` in company currency and
        ``payment_term_id``
    """
    return SQL(
        """
        SELECT o.id, q.partner_id, %(root)s AS company_id, %(day)s AS day, q.moment, 'draft' AS state, q.amount,
               q.payment_term_id,
               CASE WHEN o.state = 'sale' AND %(confirmed)s <= %(day)s AND p.commercial_partner_id = q.partner_id
                    THEN o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1) ELSE 0 END AS counted,
               o.partner_shipping_id, o.partner_id AS contact_id, o.company_id AS own_company_id
          FROM json_to_recordset(%(orders)s)
               AS q(id int, partner_id int, moment timestamp, amount numeric, payment_term_id int)
          JOIN sale_order o ON o.id = q.id
          JOIN res_partner p ON p.id = o.partner_invoice_id
          JOIN res_company c ON c.id = o.company_id
        """,
        root=ROOT,
        day=_local_day(SQL("q.moment"), zone),
        confirmed=_local_day(SQL("o.date_order"), zone),
        orders=orders,
    )


def typed_order_sql(order, day):
    """An order as it stands on the screen, saved or not; 0 is the id of one that is not."""
    return SQL(
        """
        SELECT %s::int AS id, %s::int AS partner_id, %s::int AS company_id, %s::date AS day, NULL::timestamp AS moment,
               %s AS state, %s::numeric AS amount, %s::int AS payment_term_id, NULL::numeric AS counted,
               %s::int AS partner_shipping_id, %s::int AS contact_id, %s::int AS own_company_id
        """,
        order._origin.id or 0,
        order.partner_invoice_id.commercial_partner_id._origin.id or None,
        order.company_id.root_id.id,
        day,
        order.state,
        order.amount_total / (order.currency_rate or 1),
        order.payment_term_id._origin.id or None,
        order.partner_shipping_id._origin.id or None,
        order.partner_id._origin.id or None,
        order.company_id.id,
    )


def orders_sql(documents, today, zone, as_of=False):
    """Orders beside the confirmed orders of the same buyer: ``others`` never include the order itself.

    :param documents: the orders, as :func:`saved_orders_sql`, :func:`typed_order_sql` or :func:`past_orders_sql` do
    :param as_of: beside those that were confirmed before them, ``today`` being a past day
    """
    return SQL(
        """
        WITH doc AS (%(documents)s), usual AS (
            SELECT o.company_id, AVG(o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1)) AS mean
              FROM sale_order o
             WHERE o.state = 'sale' AND o.date_order >= %(month)s AND %(until)s
               AND o.company_id IN (SELECT own_company_id FROM doc)
             GROUP BY 1
        ), others AS (
            SELECT d.id, COUNT(*) AS count, BOOL_OR(%(same_address)s) AS same_address,
                   AVG(%(amount)s) FILTER (WHERE o.date_order >= %(year)s) AS mean,
                   AVG(%(amount)s) FILTER (WHERE EXISTS (
                       SELECT FROM generate_series(1, 3) y
                        WHERE %(day)s - (d.day - make_interval(years => y))::date BETWEEN -30 AND 30))
                       AS season
              FROM doc d
              JOIN res_partner s ON s.id = d.partner_shipping_id
              JOIN res_partner p ON p.commercial_partner_id = d.partner_id
              JOIN sale_order o ON o.partner_invoice_id = p.id AND o.state = 'sale' AND o.id <> d.id AND %(earlier)s
              JOIN res_company c ON c.id = o.company_id AND %(root)s = d.company_id
             GROUP BY 1
        )
        SELECT d.id, b.id AS buyer_id, d.partner_id, d.company_id, d.state AS _state,
               ROUND(d.counted, 4) AS _counted,
               ROUND(d.amount, 4) AS order_amount,
               (SELECT MAX(%(term)s) FROM account_payment_term_line t WHERE t.payment_id = d.payment_term_id)
                   AS order_payment_term,
               o.id IS NULL AS order_is_first, ROUND(100 * d.amount / NULLIF(GREATEST(o.mean, 0), 0), 2) AS order_size,
               ROUND(100 * d.amount / NULLIF(GREATEST(o.season, 0), 0), 2) AS order_size_seasonal,
               ROUND(100 * d.amount / NULLIF(GREATEST(u.mean, 0), 0), 2) AS order_size_company,
               COALESCE(NOT o.same_address, TRUE) AS order_new_address,
               COALESCE(s.country_id <> p.country_id, FALSE) AS order_other_country,
               COALESCE(%(contact_domain)s <> %(buyer_domain)s, FALSE) AS order_other_domain
          FROM doc d
          JOIN credit_insurance_buyer b ON b.partner_id = d.partner_id AND b.company_id = d.company_id AND b.active
          JOIN res_partner p ON p.id = d.partner_id
          JOIN res_partner s ON s.id = d.partner_shipping_id
          JOIN res_partner k ON k.id = d.contact_id
          LEFT JOIN others o ON o.id = d.id
          LEFT JOIN usual u ON u.company_id = d.own_company_id
        """,
        documents=documents,
        root=ROOT,
        day=_local_day(SQL("o.date_order"), zone),
        same_address=_same_address(SQL("TRUE") if as_of else SQL("d.state = 'sale'")),
        earlier=SQL("o.date_order < d.moment") if as_of else SQL("TRUE"),
        until=SQL("o.date_order < %s", _local_start(SQL("%s::date + 1", today), zone)) if as_of else SQL("TRUE"),
        month=_local_start(SQL("%s::date - 30", today), zone),
        year=_local_start(SQL("%s::date - interval '12 months' + interval '1 day'", today), zone),
        amount=SQL("o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1)"),
        term=_term(today),
        contact_domain=_domain(SQL("k.email")),
        buyer_domain=_domain(SQL("p.email")),
    )


def _same_address(is_over):
    """The condition that an order ``o`` went to where ``d`` goes; ``s`` is that address, which may have been edited.

    :param is_over: the condition that what came after ``d`` does not count
    """
    changed = SQL("s.credit_insurance_address_changed")
    return SQL(
        "o.partner_shipping_id = s.id AND (%(changed)s IS NULL OR o.date_order >= %(changed)s"
        " OR (%(changed)s > d.moment AND %(is_over)s))",
        changed=changed,
        is_over=is_over,
    )


def _left_on(day):
    """What was open of a journal item ``l`` on a day, by the dates of what was matched with it; company currency."""
    matched = SQL("(SELECT COALESCE(SUM(r.amount), 0) FROM account_partial_reconcile r WHERE r.max_date <= %s", day)
    return SQL(
        "(l.balance - %(matched)s AND r.debit_move_id = l.id) + %(matched)s AND r.credit_move_id = l.id))",
        matched=matched,
    )


def _open_on(move, day):
    """What was open of an invoice on a day."""
    return SQL(
        "(SELECT SUM(%s) FROM account_move_line l WHERE l.move_id = %s AND l.display_type = 'payment_term')",
        _left_on(day),
        move,
    )


def open_invoices_on(whose, day):
    """The invoices that were open on a past day.

    :param whose: partners and companies, as ``partner_id`` and ``company_id``
    """
    return SQL(
        """
        SELECT q.id
          FROM (SELECT m.id, %s AS left
                  FROM (%s) w
                  JOIN account_move m ON m.partner_id = w.partner_id AND m.company_id = w.company_id
                 WHERE m.move_type IN ('out_invoice', 'out_receipt') AND m.state = 'posted' AND m.date <= %s) q
         WHERE q.left > 0
         ORDER BY 1
        """,
        _open_on(SQL("m.id"), day),
        whose,
        day,
    )


def invoices_sql(ids, today, as_of=False):
    """An invoice of instalments is overdue since the first that is open, and its term is that of the last."""
    taken = taken_sql(SQL("ARRAY(SELECT company_id FROM account_move WHERE id = ANY(%s))", list(ids)))
    beside = SQL(
        "COALESCE((SELECT SUM(t.booked) FROM taken t JOIN account_move_line k ON k.id = t.item_id"
        " WHERE k.move_id = m.id), 0)"
    )
    beside_item = SQL("COALESCE((SELECT t.booked FROM taken t WHERE t.item_id = l.id), 0)")
    return SQL(
        """
        WITH taken AS (%(taken)s)
        SELECT m.id, b.id AS buyer_id, b.partner_id, b.company_id, m.amount_total_signed AS invoice_amount,
               %(left)s AS invoice_open, %(today)s::date - d.due AS invoice_days_overdue,
               d.last - m.invoice_date AS invoice_payment_term, m.invoice_date - m.delivery_date AS invoice_delay,
               GREATEST(0, d.extended) AS invoice_extended,
               EXISTS (SELECT FROM credit_insurance_event e
                        WHERE e.move_id = m.id AND e.kind = 'dispute' AND e.active AND e.date <= %(today)s)
                   AS invoice_disputed
          FROM account_move m
          JOIN res_company c ON c.id = m.company_id
          JOIN credit_insurance_buyer b
            ON b.partner_id = m.commercial_partner_id AND b.company_id = %(root)s AND b.active
         CROSS JOIN LATERAL (
               SELECT COALESCE(MIN(i.due) FILTER (WHERE i.open), MAX(i.due), m.invoice_date_due) AS due,
                      COALESCE(MAX(i.due), m.invoice_date_due) AS last, MAX(i.date_maturity - i.due) AS extended
                 FROM (SELECT l.date_maturity, (%(open)s) <> 0 AS open,
                              COALESCE(l.credit_insurance_original_due_date, l.date_maturity) AS due
                         FROM account_move_line l
                        WHERE l.move_id = m.id AND l.display_type = 'payment_term') i) d
         WHERE m.id = ANY(%(ids)s) AND m.move_type IN ('out_invoice', 'out_receipt') AND m.state = 'posted'
        """,
        root=ROOT,
        taken=taken,
        left=_open_on(SQL("m.id"), today) if as_of else SQL("m.amount_residual_signed + %s", beside),
        open=_left_on(today) if as_of else SQL("l.amount_residual + %s", beside_item),
        ids=list(ids),
        today=today,
    )


def events_sql(ids, today):
    return SQL(
        """
        SELECT e.id, b.id AS buyer_id, b.partner_id, b.company_id, e.kind AS event_kind,
               %(today)s::date - e.date AS event_age,
               NULLIF(e.amount, 0) AS event_amount, e.source AS event_source,
               CASE WHEN e.reported IS NULL AND e.kind IN ('insolvency_rumour', 'insolvency', 'deferral_request',
                                                           'returned_payment', 'legal_action')
                    THEN %(last_day)s - %(today)s::date END AS event_to_report
          FROM (SELECT v.*, v.known_on AS known,
                       CASE WHEN v.reported_on <= %(today)s THEN v.reported_on END AS reported,
                       y.number, y.unit, y.last_day_counts
                  FROM credit_insurance_event v
                  LEFT JOIN LATERAL (
                       SELECT r.number, r.unit, r.last_day_counts
                         FROM (%(insuring)s) c
                         JOIN credit_insurance_policy_period r
                           ON r.policy_id = c.policy_id AND r.kind = 'adverse_information'
                        WHERE c.since <= %(today)s
                        ORDER BY c.since DESC, c.id DESC LIMIT 1) y ON TRUE
                 WHERE v.id = ANY(%(ids)s) AND v.active AND v.date <= %(today)s) e
          JOIN credit_insurance_buyer b ON b.id = e.buyer_id AND b.active
        """,
        ids=list(ids),
        today=today,
        last_day=last_day_sql(SQL("e")),
        insuring=insuring_sql(SQL("v.buyer_id")),
    )
