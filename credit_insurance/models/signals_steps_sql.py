"""The steps that the statements behind the signals share; see ``signals_sql``.

``$1`` are the buyers, ``$2`` is today, ``$3`` are the sources asked for.
"""

from odoo.tools import SQL

from .exposure_sql import (
    ACCOUNT,
    BILLED,
    CANDIDATE,
    COMPANY,
    LINE,
    PARTNER,
    RECEIVABLE,
    UNIT_PRICE,
    buyers_orders,
    candidates_sql,
    companies_sql,
    invoice_steps,
    lines_sql,
)
from .matched_drafts_sql import taken_steps
from .sql_functions import Step

BUYER = "id int, partner_id int, company_id int, currency_id int"
SCOPE = "buyer_id int, partner_id int, company_id int"
DEBT = "id int, move_id int, partner_id int, company_id int, due date, amount numeric"
SETTLED = "item_id int, day date, credit_id int"
PAYMENT = "id int"
UNPAID = "move_id int"
RETURNED = "line_id int, quantity numeric"
OPEN_LINE = "id int, order_id int, delivered numeric, invoiced numeric, value numeric"
EVENT = "id int, buyer_id int, kind text, date date, known date, reported date, promised date, amount numeric"
CREDIT = "buyer_id int, date date, amount numeric"
POLICY = "buyer_id int, policy_id int, since date, id int, discretionary boolean"
COVER = "id int, buyer_id int, policy_id int, day date, granted numeric, announced text, announced_on date"


def of_buyers(place, alias):
    """The condition that a row with partner and company is one of the buyers'."""
    alias = SQL(alias)
    return SQL(
        "%s.partner_id = ANY(%s) AND %s.company_id = ANY(%s)",
        alias, place.values("partner", "id"), alias, place.values("company", "id"),
    )  # fmt: skip


def scope_of(place, alias):
    """Which buyer such a row is of, as a join."""
    alias = SQL(alias)
    return SQL(
        "JOIN %s ON s.partner_id = %s.partner_id AND s.company_id = %s.company_id",
        place.rows("scope", SCOPE, "s"), alias, alias,
    )  # fmt: skip


def zones_of(place, alias):
    """The time zone of the root company of such a row, as a join: ``z.tz``."""
    return SQL(
        """
        JOIN (SELECT c.id, COALESCE(k.tz, 'UTC') AS tz
                FROM res_company c
                JOIN res_company r ON r.id = split_part(c.parent_path, '/', 1)::int
                LEFT JOIN resource_calendar k ON k.id = r.resource_calendar_id
               WHERE c.id = ANY(%s) OFFSET 0) z ON z.id = %s.company_id
        """,
        place.values("company", "id"),
        SQL(alias),
    )


def local_day(moment):
    """The day of a stored moment where the company is, beside :func:`zones_of`."""
    return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE z.tz)::date", SQL(moment))


def base_steps(place):
    """Whose documents count: each buyer with its contacts, in every company below its root company."""
    buyers = SQL(
        """
        SELECT b.id, b.partner_id, b.company_id, (SELECT currency_id FROM res_company WHERE id = b.company_id)
          FROM credit_insurance_buyer b
         WHERE b.id = ANY($1)
        """
    )
    partners = SQL(
        "SELECT id, commercial_partner_id FROM res_partner WHERE commercial_partner_id = ANY(%s)",
        place.values("buyer", "partner_id"),
    )
    scope = SQL(
        "SELECT b.id, p.id, c.id FROM %s JOIN %s ON p.buyer_id = b.partner_id JOIN %s ON c.root_id = b.company_id",
        place.rows("buyer", BUYER, "b"),
        place.rows("partner", PARTNER, "p"),
        place.rows("company", COMPANY, "c"),
    )
    return [
        Step("buyer", BUYER, buyers),
        Step("company", COMPANY, companies_sql(place.values("buyer", "company_id"))),
        Step("partner", PARTNER, partners),
        Step("scope", SCOPE, scope),
        Step("account", ACCOUNT, RECEIVABLE),
    ]


def source_steps(place):
    """Steps that only some sources need: ``[(step, sources)]``."""
    debts = SQL(
        """
        SELECT l.id, l.move_id, l.partner_id, l.company_id,
               COALESCE(l.credit_insurance_original_due_date, l.date_maturity, l.date), l.balance
          FROM account_move_line l
         WHERE %s AND l.account_id = ANY(%s) AND l.reconciled AND l.parent_state = 'posted' AND l.balance > 0
           AND l.display_type = 'payment_term' AND l.date > $2 - 1095
        """,
        of_buyers(place, "l"),
        place.values("account", "id"),
    )
    settled = SQL(
        "SELECT debit_move_id, max_date, credit_move_id FROM account_partial_reconcile WHERE debit_move_id = ANY(%s)",
        place.values("debt", "id"),
    )
    # A credit note settles without paying, and so does a difference of rates; the receivable item of an invoice or
    # credit note is its payment term. A draft pays nothing.
    payments = SQL(
        """
        SELECT l.id FROM account_move_line l
         WHERE l.id = ANY(%s) AND l.display_type IS DISTINCT FROM 'payment_term' AND l.parent_state = 'posted'
           AND NOT EXISTS (SELECT FROM account_partial_reconcile r WHERE r.exchange_move_id = l.move_id)
        """,
        place.values("settled", "credit_id"),
    )
    # Of these invoices: those that were not all paid by the day.
    unpaid = SQL(
        """
        SELECT m.id FROM account_move m WHERE m.id = ANY(%s) AND m.amount_residual <> 0
         UNION SELECT d.move_id FROM %s JOIN %s ON t.item_id = d.id WHERE t.day > $2
        """,
        place.values("debt", "move_id"),
        place.rows("debt", DEBT, "d"),
        place.rows("settled", SETTLED, "t"),
    )
    owed = place.any("debt", "id")
    return [
        *((step, ("ledger",)) for step in taken_steps(place)),
        (Step("debt", DEBT, debts), ("paid",)),
        (Step("settled", SETTLED, settled, owed), ("paid",)),
        (Step("payment", PAYMENT, payments, place.any("settled", "item_id")), ("paid",)),
        (Step("unpaid", UNPAID, unpaid, owed), ("paid",)),
        *_delivery_steps(place),
        *_event_steps(place),
        (Step("cover", COVER, _covers(place)), ("cover",)),
        (Step("policy", POLICY, _policies(place)), ("cover", "event")),
    ]


def delivered_steps(place, which):
    """Orders, their lines that were delivered, what posted invoices carry of these, and the columns of OPEN_LINE.

    :param SQL which: the condition on the orders ``o``
    """
    lines = lines_sql(place, SQL("ol.qty_delivered > 0 AND ol.is_downpayment IS NOT TRUE"))
    return [
        Step("candidate", CANDIDATE, candidates_sql(which)),
        Step("line", LINE, lines, place.any("candidate", "id")),
        *invoice_steps(place),
        Step("returned", RETURNED, _returned_sql(place), place.any("billed", "line_id")),
        Step("open_line", OPEN_LINE, _delivered_sql(place), place.any("line", "id")),
    ]


def _returned_sql(place):
    """What came back of lines with a credit note, in the reference unit of its kind."""
    return SQL(
        """
        SELECT v.sale_line_id, SUM(v.quantity * (SELECT factor FROM uom_uom WHERE id = v.product_uom))
          FROM stock_move v
         WHERE v.sale_line_id = ANY(ARRAY(SELECT i.line_id FROM %s WHERE i.refunded > 0))
           AND v.state = 'done' AND v.to_refund
           AND v.location_id = ANY(ARRAY(SELECT id FROM stock_location WHERE usage = 'customer'))
         GROUP BY 1
        """,
        place.rows("billed", BILLED, "i"),
    )


def _delivered_sql(place):
    """Lines delivered beyond what is invoiced, with the value of that: the columns of OPEN_LINE.

    A draft bills nothing yet. A credit note makes nothing uninvoiced, unless a later invoice bills it anew or its goods
    came back: only such as left again are delivered. Those count as delivered and billed twice, like their moves.
    """
    return SQL(
        """
        SELECT q.id, q.order_id, q.delivered + q.back, q.invoiced + q.back, (q.delivered - q.invoiced) * q.price
          FROM (SELECT q.id, q.order_id, q.delivered, %(price)s AS price, LEAST(q.refunded, q.returned) AS back,
                       q.billed - LEAST(q.refunded, GREATEST(q.anew, q.returned)) AS invoiced
                  FROM (SELECT q.*, COALESCE(i.invoiced, 0) AS billed, COALESCE(i.refunded, 0) AS refunded,
                               COALESCE(i.drafted, 0) + COALESCE(i.anew, 0) AS anew,
                               COALESCE(r.quantity / NULLIF((SELECT factor FROM uom_uom WHERE id = q.uom_id), 0), 0)
                                   AS returned
                          FROM %(line)s
                          JOIN %(candidate)s ON c.id = q.order_id AND NOT c.cancelled
                          LEFT JOIN %(billed)s ON i.line_id = q.id
                          LEFT JOIN %(returned)s ON r.line_id = q.id
                        OFFSET 0) q) q
         WHERE q.delivered > q.invoiced
        """,
        price=UNIT_PRICE,
        line=place.rows("line", LINE, "q"),
        candidate=place.rows("candidate", CANDIDATE, "c"),
        billed=place.rows("billed", BILLED, "i"),
        returned=place.rows("returned", RETURNED, "r"),
    )


def _delivery_steps(place):
    orders, *others = delivered_steps(place, buyers_orders(place))
    return [(orders, ("delivery", "exposure")), *((step, ("delivery",)) for step in others)]


def _event_steps(place):
    # What the insurer changed has signals of its own.
    events = SQL(
        """
        SELECT e.id, e.buyer_id, e.kind, e.date, e.known_on,
               CASE WHEN e.reported_on <= $2 THEN e.reported_on END, e.promised_on, e.amount
          FROM credit_insurance_event e
         WHERE e.buyer_id = ANY($1) AND e.active AND e.date <= $2 AND e.known_on <= $2 AND e.origin <> 'insurer'
        """
    )
    # What came in from buyers that promised something.
    credits = SQL(
        """
        SELECT s.buyer_id, l.date, -l.balance
          FROM account_move_line l %s
         WHERE l.partner_id = ANY(ARRAY(SELECT w.partner_id FROM %s JOIN %s ON w.buyer_id = v.buyer_id
                                         WHERE v.kind = 'payment_promise'))
           AND l.company_id = ANY(%s) AND l.account_id = ANY(%s) AND l.parent_state = 'posted' AND l.balance < 0
           AND l.display_type IS DISTINCT FROM 'payment_term' AND l.date BETWEEN $2 - 730 AND $2
           AND NOT EXISTS (SELECT FROM account_move r
                            WHERE r.reversed_entry_id = l.move_id AND r.state = 'posted' AND r.date <= $2)
        """,
        scope_of(place, "l"),
        place.rows("event", EVENT, "v"),
        place.rows("scope", SCOPE, "w"),
        place.values("company", "id"),
        place.values("account", "id"),
    )
    told = place.any("event", "id")
    return [(Step("event", EVENT, events), ("event",)), (Step("credit", CREDIT, credits, told), ("event",))]


def _policies(place):
    """The policies that insure a buyer, by a cover or by a discretionary limit, and since when."""
    return SQL(
        """
        SELECT p.* FROM (%s) p WHERE p.since <= $2
        """,
        insuring_sql(SQL("ANY(%s)", place.values("buyer", "id"))),
    )


def insuring_sql(buyer):
    """The policies that ever insured ``buyer``: the columns of POLICY.

    :param buyer: what the buyer's id equals
    """
    return SQL(
        """
        SELECT buyer_id, policy_id, effective_from AS since, id, FALSE AS discretionary
          FROM credit_insurance_cover
         WHERE buyer_id = %(buyer)s AND active
         UNION ALL
        SELECT buyer_id, policy_id, COALESCE(date_from, '-infinity'), id, TRUE
          FROM credit_insurance_discretionary_limit
         WHERE buyer_id = %(buyer)s AND cancelled IS NOT TRUE
        """,
        buyer=buyer,
    )


def _covers(place):
    """Answers that say what is granted; a request, an unreadable answer or a refused increase change nothing.

    What an answer announced counts from its day on, unless another answer stood by then.
    """
    granted = "CASE WHEN c.%s IN ('approved', 'partial', 'reduced') THEN COALESCE(c.%s, 0) ELSE 0 END"
    return SQL(
        """
        SELECT c.id, c.buyer_id, c.policy_id, v.day, v.granted,
               CASE WHEN c.announced_from > $2 THEN c.announced_status END, c.announced_from
          FROM (SELECT c.*, LEAD(c.effective_from) OVER w AS next_from
                  FROM credit_insurance_cover c
                 WHERE c.buyer_id = ANY(%(buyers)s) AND c.active AND c.layer = 'permanent' AND c.effective_from <= $2
                   AND (c.status IN ('approved', 'partial', 'reduced', 'withdrawn')
                        OR (c.status = 'refused' AND c.ends_cover)
                        OR (c.status = 'unknown' AND c.grade IS NOT NULL))
                WINDOW w AS (PARTITION BY c.buyer_id, c.policy_id ORDER BY c.effective_from, c.id)) c
         CROSS JOIN LATERAL (
               VALUES (c.effective_from, %(now)s),
                      (CASE WHEN c.announced_from <= $2 AND c.announced_from > c.effective_from
                             AND (c.next_from IS NULL OR c.next_from > c.announced_from)
                            THEN c.announced_from END, %(then)s)) v(day, granted)
         WHERE v.day IS NOT NULL
        """,
        buyers=place.values("buyer", "id"),
        now=SQL(granted % ("status", "amount")),
        then=SQL(granted % ("announced_status", "announced_amount")),
    )
