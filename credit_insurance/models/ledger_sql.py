"""The part of the exposure statement that reads the ledger; see ``exposure_sql``.

What is matched with a draft is open as well, however Odoo sees it: see ``matched_drafts_sql``.
"""

from odoo.tools import SQL

from .matched_drafts_sql import TAKEN, taken_sql

COMPANY = "id int, root_id int"
PARTNER = "id int, buyer_id int"

# What of the ledger is open. The index of the same condition serves only statements that use these words.
OPEN_ITEM = SQL("l.parent_state = 'posted' AND (l.amount_residual <> 0 OR l.amount_residual_currency <> 0)")
RECEIVABLE = SQL("SELECT id FROM account_account WHERE account_type = 'asset_receivable'")
# In its currency and in the company's: what Odoo calls open of an item, and what drafts took of it.
RESIDUAL = SQL("l.amount_residual_currency"), SQL("l.amount_residual")
TAKEN_AMOUNTS = SQL("t.amount"), SQL("t.booked")


def companies_sql(roots):
    """Every company below the roots: the columns of COMPANY."""
    # OFFSET keeps the root from being computed anew for each row of what the companies are joined with.
    return SQL(
        """SELECT id, split_part(parent_path, '/', 1)::int AS root_id
             FROM res_company
            WHERE split_part(parent_path, '/', 1)::int = ANY(%s) OFFSET 0""",
        roots,
    )


def taken_in_sql(roots):
    """What drafts took of the items of every company below the roots."""
    return taken_sql(SQL("ARRAY(SELECT id FROM (%s) c)", companies_sql(roots)))


def _item_columns(today, amount, booked):
    """Of an item ``l``: its source, its original due date, its document date, and what is open of it."""
    return SQL(
        """CASE WHEN %(booked)s > 0 OR (%(booked)s = 0 AND %(amount)s > 0)
                THEN CASE WHEN COALESCE(l.date_maturity, l.date) < %(today)s THEN 'overdue' ELSE 'not_due' END
                ELSE 'credits' END AS source,
           COALESCE(l.credit_insurance_original_due_date, l.date_maturity, l.date) AS due,
           COALESCE(l.invoice_date, l.date) AS invoiced,
           l.currency_id, %(amount)s AS amount, %(booked)s AS booked""",
        today=today,
        amount=amount,
        booked=booked,
    )


def open_items_sql(partners, roots, today):
    """Open posted items on receivable accounts, whatever made them: invoices, payments, POS, manual entries."""
    # OFFSET keeps the few that only drafts settled from being looked for among all that the buyers ever had.
    amount, booked = (SQL("%s + COALESCE(%s, 0)", *pair) for pair in zip(RESIDUAL, TAKEN_AMOUNTS, strict=True))
    return SQL(
        """
        WITH company AS (%(companies)s), taken AS (%(taken)s)
        SELECT l.id AS item_id, p.commercial_partner_id AS buyer_id, c.root_id, %(columns)s
          FROM res_partner p
          JOIN account_move_line l ON l.partner_id = p.id AND %(open)s AND l.account_id = ANY(ARRAY(%(receivable)s))
          JOIN company c ON c.id = l.company_id
          LEFT JOIN taken t ON t.item_id = l.id
         WHERE p.commercial_partner_id = ANY(%(partners)s)
         UNION ALL
        SELECT l.id, p.commercial_partner_id, c.root_id, %(taken_columns)s
          FROM (SELECT l.* FROM account_move_line l
                 WHERE l.id = ANY(ARRAY(SELECT item_id FROM taken)) AND NOT (%(open)s)
                   AND l.account_id = ANY(ARRAY(%(receivable)s))
                OFFSET 0) l
          JOIN taken t ON t.item_id = l.id
          JOIN company c ON c.id = l.company_id
          JOIN res_partner p ON p.id = l.partner_id
         WHERE p.commercial_partner_id = ANY(%(partners)s)
        """,
        columns=_item_columns(today, amount, booked),
        taken_columns=_item_columns(today, *TAKEN_AMOUNTS),
        open=OPEN_ITEM,
        receivable=RECEIVABLE,
        companies=companies_sql(roots),
        taken=taken_sql(SQL("ARRAY(SELECT id FROM company)")),
        partners=partners,
    )


def ledger_sql(place, items):
    """Items summed: the columns of EXPOSURE_COLUMNS."""
    # Summed by partner first: what they are of is looked up for a few sums and not for each of 10,000 items.
    return SQL(
        """
        SELECT p.buyer_id, c.root_id, i.source, i.currency_id, SUM(i.amount), SUM(i.booked), MIN(i.due), MIN(i.invoiced)
          FROM (SELECT q.partner_id, q.company_id, q.source, q.currency_id, SUM(q.amount) AS amount,
                       SUM(q.booked) AS booked, MIN(q.due) AS due, MIN(q.invoiced) AS invoiced
                  FROM (%(items)s) q
                 GROUP BY 1, 2, 3, 4) i
          JOIN %(partner)s ON p.id = i.partner_id
          JOIN %(company)s ON c.id = i.company_id
         GROUP BY 1, 2, 3, 4
        """,
        items=items,
        partner=place.rows("partner", PARTNER, "p"),
        company=place.rows("company", COMPANY, "c"),
    )


def open_sql(place, today):
    """What is open in the ledger, item by item."""
    return SQL(
        """
        SELECT l.partner_id, l.company_id, %(columns)s
          FROM account_move_line l
         WHERE l.partner_id = ANY(%(partners)s) AND l.company_id = ANY(%(companies)s)
           AND %(open)s AND l.account_id = ANY(%(accounts)s)
        """,
        columns=_item_columns(today, *RESIDUAL),
        open=OPEN_ITEM,
        partners=place.values("partner", "id"),
        companies=place.values("company", "id"),
        accounts=place.values("account", "id"),
    )


def taken_items_sql(place, today):
    """What drafts took of items, beside what is open of these."""
    return SQL(
        """
        SELECT l.partner_id, l.company_id, %(columns)s
          FROM account_move_line l
          JOIN %(taken)s ON t.item_id = l.id
         WHERE l.id = ANY(%(items)s) AND l.partner_id = ANY(%(partners)s) AND l.account_id = ANY(%(accounts)s)
        """,
        columns=_item_columns(today, *TAKEN_AMOUNTS),
        taken=place.rows("taken", TAKEN, "t"),
        items=place.values("taken", "item_id"),
        partners=place.values("partner", "id"),
        accounts=place.values("account", "id"),
    )
