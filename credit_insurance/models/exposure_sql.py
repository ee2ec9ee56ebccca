"""The texts of the exposure statement: one for its functions, for the documents behind a figure, for the report.

    account_move_line (receivable, posted, open)  ->  one row per item    ->  not_due | overdue | credits
    sale_order (confirmed, not yet invoiced)      ->  one row per order   ->  confirmed

Every place takes its arguments as :class:`SQL`: the name of a function's argument, or a value. ``place`` is how a text
refers to the rows of steps before it: see ``sql_functions``.
"""

from odoo.tools import SQL

from .ledger_sql import COMPANY, PARTNER, RECEIVABLE, companies_sql, ledger_sql, open_sql, taken_items_sql
from .matched_drafts_sql import draft_step, taken_steps
from .sql_functions import InFunction, Inline, Step

EXPOSURE_COLUMNS = SQL(
    "buyer_id int, root_id int, source text, currency_id int, amount numeric, booked numeric,"
    " oldest_due date, oldest_invoiced date"
)
OPEN_ORDER_COLUMNS = SQL("order_id int, partner_id int, company_id int, currency_id int, amount numeric")

# The columns of the steps. Each reads one table by ids of the step before it; only kept rows are joined.
ACCOUNT = "id int"
CANDIDATE = "id int, partner_id int, company_id int, currency_id int, currency_rate numeric, cancelled boolean"
LINE = (
    "id int, order_id int, is_downpayment boolean, ordered numeric, delivered numeric, price_total numeric,"
    " currency_id int, uom_id int, closed boolean, unit_total numeric"
)
LINK = "line_id int, item_id int"
ITEM = "id int, move_id int, posted boolean, quantity numeric, price_total numeric, currency_id int, uom_id int"
INVOICE = "id int, refund boolean, rate numeric"
BILLED = "line_id int, invoiced numeric, refunded numeric, anew numeric, drafted numeric, amount numeric"
MOVED = "line_id int, ended boolean, returned numeric"

# What of the orders may have something left: one whose quantities are all invoiced has not, unless in a draft.
WAS_ORDERED = SQL("(o.state IN ('sale', 'cancel') OR o.credit_insurance_reopened)")
OPEN_ORDER = SQL("%s AND (o.invoice_status <> 'invoiced' OR o.credit_insurance_drafted)", WAS_ORDERED)
# Of a line "q", tax included. A line that a delivery added was never ordered.
UNIT_PRICE = SQL("CASE WHEN q.ordered <> 0 THEN q.price_total / q.ordered ELSE q.unit_total END")


# === WHOSE === #


def _whose(partners, roots):
    """The steps every figure needs: whose documents count, and in which companies."""
    buyers = SQL("SELECT id, commercial_partner_id AS buyer_id FROM res_partner WHERE commercial_partner_id = ANY(%s)",
                 partners)  # fmt: skip
    return [Step("company", COMPANY, companies_sql(roots)), Step("partner", PARTNER, buyers)]


# === THE ORDERS === #


def candidates_sql(which):
    """Orders to look at: they come from a partial index and not from the buyer's whole history."""
    return SQL(
        """
        SELECT o.id, o.partner_invoice_id, o.company_id, o.currency_id, o.currency_rate,
               o.state IS DISTINCT FROM 'sale'
          FROM sale_order o
         WHERE %s AND %s
        """,
        which,
        OPEN_ORDER,
    )


def lines_sql(place, which):
    """The lines ``ol`` of the orders for which a condition holds: the columns of LINE."""
    return SQL(
        """
        SELECT ol.id, ol.order_id, ol.is_downpayment, ol.product_uom_qty, ol.qty_delivered, ol.price_total,
               ol.currency_id, ol.product_uom_id, ol.credit_insurance_closed,
               COALESCE(ol.credit_insurance_unit_total, 0)
          FROM sale_order_line ol
         WHERE ol.order_id = ANY(%s) AND ol.display_type IS NULL AND %s
        """,
        place.values("candidate", "id"),
        which,
    )


def _open_order_steps(place, which):
    """The orders' lines, what invoices carry of them, and whether their deliveries ended."""
    # Goods on their way back are nothing to come. What came back stands in the reference unit of its kind.
    moved = SQL(
        """
        SELECT q.sale_line_id, BOOL_AND(COALESCE(q.state IN ('done', 'cancel'), FALSE)) FILTER (WHERE NOT q.back),
               SUM(q.quantity * (SELECT factor FROM uom_uom WHERE id = q.product_uom))
                   FILTER (WHERE q.back AND q.state = 'done' AND q.to_refund)
          FROM (SELECT v.sale_line_id, v.state, v.quantity, v.product_uom, v.to_refund,
                       v.location_id = ANY(ARRAY(SELECT id FROM stock_location WHERE usage = 'customer')) AS back
                  FROM stock_move v
                 WHERE v.sale_line_id = ANY(%s)
                OFFSET 0) q
         GROUP BY 1
        """,
        place.values("line", "id"),
    )
    found = place.any("candidate", "id")
    return [
        Step("candidate", CANDIDATE, candidates_sql(which)),
        Step("line", LINE, lines_sql(place, SQL("TRUE")), needed=found),
        Step("moved", MOVED, moved, needed=found),
        *invoice_steps(place),
    ]


def invoice_steps(place):
    """What invoices carry of each line, in the unit and the currency of the order."""
    links = SQL(
        "SELECT order_line_id, invoice_line_id FROM sale_order_line_invoice_rel WHERE order_line_id = ANY(%s)",
        place.values("line", "id"),
    )
    items = SQL(
        """
        SELECT l.id, l.move_id, l.parent_state = 'posted', l.quantity, l.price_total, l.currency_id, l.product_uom_id
          FROM account_move_line l
         WHERE l.id = ANY(%s) AND l.parent_state IN ('posted', 'draft')
        """,
        place.values("link", "item_id"),
    )
    invoices = SQL(
        """
        SELECT m.id, m.move_type = 'out_refund', ABS(m.amount_total_signed / NULLIF(m.amount_total, 0))
          FROM account_move m
         WHERE m.id = ANY(%s) AND m.move_type IN ('out_invoice', 'out_refund')
        """,
        place.values("item", "move_id"),
    )
    found = place.any("link", "item_id")
    return [
        Step("link", LINK, links, needed=place.any("line", "id")),
        Step("item", ITEM, items, needed=found),
        Step("invoice", INVOICE, invoices, needed=found),
        Step("billed", BILLED, _billed_sql(place), needed=found),
    ]


def _billed_sql(place):
    # OFFSET, here and below, keeps PostgreSQL from copying what a row consists of into each place that reads it.
    return SQL(
        """
        SELECT q.line_id,
               SUM(q.quantity) FILTER (WHERE q.posted AND NOT q.refund),
               SUM(q.quantity) FILTER (WHERE q.posted AND q.refund),
               SUM(q.quantity) FILTER (WHERE q.posted AND NOT q.refund AND q.item_id > q.credited_by),
               SUM(q.quantity) FILTER (WHERE NOT q.posted AND NOT q.refund),
               SUM(CASE WHEN q.refund THEN -q.amount ELSE q.amount END) FILTER (WHERE q.posted)
          FROM (SELECT ol.id AS line_id, m.refund, l.posted, l.id AS item_id,
                       MIN(CASE WHEN m.refund AND l.posted THEN l.id END) OVER (PARTITION BY ol.id) AS credited_by,
                       l.price_total * CASE WHEN l.currency_id = ol.currency_id THEN 1
                                            ELSE m.rate * c.currency_rate END AS amount,
                       l.quantity * CASE WHEN l.uom_id = ol.uom_id THEN 1 ELSE COALESCE(
                           (SELECT MAX(factor) FILTER (WHERE id = l.uom_id)
                                   / NULLIF(MAX(factor) FILTER (WHERE id = ol.uom_id), 0)
                              FROM uom_uom WHERE id IN (l.uom_id, ol.uom_id)), 1) END AS quantity
                  FROM %(link)s
                  JOIN %(item)s ON l.id = r.item_id
                  JOIN %(invoice)s ON m.id = l.move_id
                  JOIN %(line)s ON ol.id = r.line_id
                  JOIN %(candidate)s ON c.id = ol.order_id
                OFFSET 0) q
         GROUP BY 1
        """,
        link=place.rows("link", LINK, "r"),
        item=place.rows("item", ITEM, "l"),
        invoice=place.rows("invoice", INVOICE, "m"),
        line=place.rows("line", LINE, "ol"),
        candidate=place.rows("candidate", CANDIDATE, "c"),
    )


def _left_sql(place):
    """Order, invoice address, company, currency and amount of each order that may have something left to invoice.

    What is left of a line is its quantity (the larger of ordered and delivered; only the delivered one when all
    its stock moves ended, it was closed by hand, its order cancelled or reopened) less what posted invoices carry, at
    its price with tax. A credit note does not reopen a line, unless its goods are still to be delivered, came back
    (only such as left again are delivered) or a later invoice bills them anew, be it a draft or posted. What a draft
    bills although its delivery ended is going to be owed too. Down payments already invoiced count as receivables, so
    they come off the order, which never goes below zero.
    """
    return SQL(
        """
        SELECT q.order_id, q.partner_id, q.company_id, q.order_currency_id AS currency_id,
               GREATEST(0, SUM(%(left)s)) AS amount
          FROM (
            SELECT ol.*, c.partner_id, c.company_id, c.currency_id AS order_currency_id, c.cancelled,
                   v.ended IS TRUE AS ended, v.ended IS FALSE AS pending,
                   COALESCE(v.returned / NULLIF((SELECT factor FROM uom_uom WHERE id = ol.uom_id), 0), 0) AS returned,
                   COALESCE(i.invoiced, 0) AS invoiced,
                   COALESCE(i.refunded, 0) AS refunded, COALESCE(i.anew, 0) AS anew,
                   COALESCE(i.drafted, 0) AS drafted, COALESCE(i.amount, 0) AS amount
              FROM %(line)s
              JOIN %(candidate)s ON c.id = ol.order_id
              LEFT JOIN %(billed)s ON i.line_id = ol.id
              LEFT JOIN %(moved)s ON v.line_id = ol.id
             WHERE NOT c.cancelled OR ol.is_downpayment OR ol.delivered > 0
            OFFSET 0
          ) q
         GROUP BY 1, 2, 3, 4
        """,
        left=_line_left_sql(),
        line=place.rows("line", LINE, "ol"),
        candidate=place.rows("candidate", CANDIDATE, "c"),
        billed=place.rows("billed", BILLED, "i"),
        moved=place.rows("moved", MOVED, "v"),
    )


def _line_left_sql():
    """What is left to invoice of a line ``q``, tax included, in the order's currency."""
    return SQL(
        """
        CASE WHEN q.is_downpayment
             THEN CASE WHEN q.cancelled THEN LEAST(0, q.price_total - q.amount) ELSE q.price_total - q.amount END
             ELSE CASE WHEN q.ordered < 0 AND NOT q.cancelled
                       THEN LEAST(0, q.ordered - q.invoiced + q.refunded)
                       ELSE GREATEST(0, CASE WHEN q.ended OR q.closed OR q.cancelled THEN q.delivered
                                             ELSE GREATEST(q.ordered, q.delivered) END
                                        - q.invoiced
                                        + LEAST(q.refunded, GREATEST(q.drafted + q.anew, q.returned, 0,
                                              CASE WHEN q.pending THEN LEAST(q.invoiced, q.ordered) - q.delivered
                                                   ELSE 0 END)),
                                     CASE WHEN (q.ended OR q.closed) AND NOT q.cancelled THEN q.drafted ELSE 0 END)
                  END * %s
        END
        """,
        UNIT_PRICE,
    )


# === TOGETHER === #


def buyers_orders(place):
    """The condition that an order ``o`` is one of the buyers'."""
    return SQL(
        "o.partner_invoice_id = ANY(%s) AND o.company_id = ANY(%s)",
        place.values("partner", "id"),
        place.values("company", "id"),
    )


def _other_orders(place, excluded):
    return SQL("%s AND NOT (o.id = ANY(%s))", buyers_orders(place), excluded)


def _exposure(place, partners, roots, today, excluded):
    """The steps, and the queries whose rows together are the exposure: the ledger without what drafts took of it and
    with that, and the orders."""
    steps = [
        *_whose(partners, roots),
        Step("account", ACCOUNT, RECEIVABLE),
        *taken_steps(place),
        *_open_order_steps(place, _other_orders(place, excluded)),
    ]
    items = open_sql(place, today)
    ledgers = [
        ledger_sql(place, part) for part in (items, SQL("%s UNION ALL %s", items, taken_items_sql(place, today)))
    ]
    confirmed = SQL(
        """
        SELECT p.buyer_id, w.root_id, 'confirmed', o.currency_id, SUM(o.amount),
               NULL::numeric, NULL::date, NULL::date
          FROM (%(orders)s) o
          JOIN %(partner)s ON p.id = o.partner_id
          JOIN %(company)s ON w.id = o.company_id
         WHERE o.amount > 0
         GROUP BY 1, 2, 4
        """,
        orders=_left_sql(place),
        partner=place.rows("partner", PARTNER, "p"),
        company=place.rows("company", COMPANY, "w"),
    )
    return steps, *ledgers, confirmed


def exposure_sql(partners, roots, today, excluded, taken=True):
    """One row per buyer, root company, source and currency, with the columns of EXPOSURE_COLUMNS.

    :param bool taken: False where no draft is matched
    """
    place = Inline()
    steps, plain, ledger, confirmed = _exposure(place, partners, roots, today, excluded)
    return place.render(steps, SQL("%s UNION ALL %s", ledger if taken else plain, confirmed))


def exposure_as_a_whole(partners, roots, today, excluded):
    """The same as a function's body, each case in one statement."""
    place = InFunction()
    plain, whole = (exposure_sql(partners, roots, today, excluded, taken) for taken in (False, True))
    step = draft_step(SQL("ARRAY(SELECT id FROM (%s) c)", companies_sql(roots)))
    taken = place.any("draft", "id")
    return place.render([step], (SQL("NOT (%s)", taken), plain), (taken, whole))


def exposure_in_steps(partners, roots, today, excluded):
    """The same as a function's body. Where no draft is matched, nothing is read but what is open."""
    place = InFunction()
    steps, plain, ledger, confirmed = _exposure(place, partners, roots, today, excluded)
    taken = place.any("taken", "item_id")
    return place.render(
        steps, (SQL("NOT (%s)", taken), plain), (taken, ledger), (place.any("candidate", "id"), confirmed)
    )


def open_orders_sql(partners, roots, excluded):
    """One row per order of the buyers that may have something left, with the columns of OPEN_ORDER_COLUMNS."""
    place = Inline()
    steps = [*_whose(partners, roots), *_open_order_steps(place, _other_orders(place, excluded))]
    return place.render(steps, _left_sql(place))


def open_orders_in_steps(orders):
    """The same of given orders as a function's body."""
    place = InFunction()
    return place.render(_open_order_steps(place, SQL("o.id = ANY(%s)", orders)), _left_sql(place))
