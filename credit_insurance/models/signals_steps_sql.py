"""The steps that the statements behind the signals share; see ``signals_sql``.

``$1`` are the buyers, ``$2`` is today, ``$3`` are the sources asked for.
"""

from odoo.tools import SQL

from .exposure_sql import ACCOUNT, COMPANY, OPEN_ORDER, PARTNER, RECEIVABLE, companies_sql
from .sql_functions import Step

BUYER = "id int, partner_id int, company_id int, currency_id int"
SCOPE = "buyer_id int, partner_id int, company_id int"
DEBT = "id int, partner_id int, company_id int, due date, amount numeric"
SETTLED = "item_id int, day date, credit_id int"
PAYMENT = "id int"
OPEN_ORDER_COLUMNS = "id int, partner_id int, company_id int, rate numeric, cancelled boolean"
OPEN_LINE = "id int, order_id int, delivered numeric, invoiced numeric, value numeric"
EVENT = "id int, buyer_id int, kind text, date date, known date, reported date, promised date, amount numeric"
CREDIT = "buyer_id int, date date, amount numeric"
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
        SELECT l.id, l.partner_id, l.company_id,
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
    # A credit note settles without paying; the receivable item of an invoice or credit note is its payment term.
    payments = SQL(
        "SELECT id FROM account_move_line WHERE id = ANY(%s) AND display_type IS DISTINCT FROM 'payment_term'",
        place.values("settled", "credit_id"),
    )
    return [
        (Step("debt", DEBT, debts), ("paid",)),
        (Step("settled", SETTLED, settled), ("paid",)),
        (Step("payment", PAYMENT, payments), ("paid",)),
        *_delivery_steps(place),
        *_event_steps(place),
        (Step("cover", COVER, _covers(place)), ("cover", "event")),
    ]


def delivered_lines_sql(orders):
    """Lines delivered beyond what is invoiced, with the value of that: the columns of OPEN_LINE.

    :param SQL orders: an array of ids of confirmed orders
    """
    return SQL(
        """
        SELECT l.id, l.order_id, l.qty_delivered, l.qty_invoiced,
               (l.qty_delivered - l.qty_invoiced) * l.price_total / NULLIF(l.product_uom_qty, 0)
          FROM sale_order_line l
         WHERE l.order_id = ANY(%s)
           AND l.qty_delivered > l.qty_invoiced AND l.display_type IS NULL
           AND l.is_downpayment IS NOT TRUE
        """,
        orders,
    )


def _delivery_steps(place):
    orders = SQL(
        """
        SELECT o.id, o.partner_invoice_id, o.company_id, COALESCE(NULLIF(o.currency_rate, 0), 1), o.state = 'cancel'
          FROM sale_order o
         WHERE o.partner_invoice_id = ANY(%s) AND o.company_id = ANY(%s) AND %s
        """,
        place.values("partner", "id"),
        place.values("company", "id"),
        OPEN_ORDER,
    )
    standing = SQL(
        "ARRAY(SELECT o.id FROM %s WHERE NOT o.cancelled)", place.rows("open_order", OPEN_ORDER_COLUMNS, "o")
    )
    lines = delivered_lines_sql(standing)
    return [
        (Step("open_order", OPEN_ORDER_COLUMNS, orders), ("delivery", "exposure")),
        (Step("open_line", OPEN_LINE, lines), ("delivery",)),
    ]


def _event_steps(place):
    # What the insurer changed has signals of its own.
    events = SQL(
        """
        SELECT e.id, e.buyer_id, e.kind, e.date, e.known_on, e.reported_on, e.promised_on, e.amount
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
        """,
        scope_of(place, "l"),
        place.rows("event", EVENT, "v"),
        place.rows("scope", SCOPE, "w"),
        place.values("company", "id"),
        place.values("account", "id"),
    )
    return [(Step("event", EVENT, events), ("event",)), (Step("credit", CREDIT, credits), ("event",))]


def _covers(place):
    """Answers that say what is granted; a request, an unreadable answer or a refused increase change nothing."""
    return SQL(
        """
        SELECT c.id, c.buyer_id, c.policy_id, c.effective_from,
               CASE WHEN c.status IN ('approved', 'partial', 'reduced') THEN c.amount ELSE 0 END,
               CASE WHEN c.announced_from > $2 THEN c.announced_status END, c.announced_from
          FROM credit_insurance_cover c
         WHERE c.buyer_id = ANY(%s) AND c.active AND c.layer = 'permanent' AND c.effective_from <= $2
           AND (c.status IN ('approved', 'partial', 'reduced', 'withdrawn') OR (c.status = 'refused' AND c.ends_cover)
                OR (c.status = 'unknown' AND c.grade IS NOT NULL))
        """,
        place.values("buyer", "id"),
    )
