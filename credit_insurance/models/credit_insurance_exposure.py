"""What buyers owe or will owe, read from Odoo's own tables whenever it is asked for.

    account_move_line (receivable, posted, open)  ->  not_due | overdue | credits
    sale_order (confirmed, not yet invoiced)      ->  confirmed

Nothing is stored, so nothing goes stale; two statements answer for any number of buyers, whoever asks and whichever
companies are ticked in the company switcher.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

SOURCES = ("not_due", "overdue", "confirmed", "credits")


@dataclass(frozen=True)
class ExposureRow:
    """An amount of one source in one document currency, and the same amount in the company's currency.

    Posted items carry the rate of their document (``amount_company``); confirmed orders have no booked rate, so
    ``amount_company`` is None and today's rate applies. ``oldest_due`` and ``oldest_invoiced`` are the earliest
    original due date and document date of what is owed in this row.
    """

    source: str
    currency_id: int
    amount: Decimal
    amount_company: Decimal | None
    oldest_due: date | None = None
    oldest_invoiced: date | None = None


class CreditInsuranceExposure(models.AbstractModel):
    _name = "credit.insurance.exposure"
    _description = "Exposure of Buyers"

    @api.model
    def _get_rows(self, partner_ids, company_ids, today, exclude_order_ids=()):
        """Exposure of commercial partners in root companies: ``{(partner_id, root_company_id): [ExposureRow]}``.

        :param partner_ids: ids of commercial partners; their contacts and addresses are rolled up to them
        :param company_ids: ids of root companies; their branches are rolled up to them
        :param today: the date that separates not due from overdue (a document due today is not overdue)
        :param exclude_order_ids: confirmed orders to leave out, because they are the ones being decided
        """
        self.env.flush_all()
        rows = defaultdict(list)
        if not partner_ids or not company_ids:
            return rows
        query = SQL(
            """
            WITH scope AS (%s)
            SELECT buyer_id, root_id, source, currency_id, amount::text, booked::text, oldest_due, oldest_invoiced
              FROM (%s UNION ALL %s)
                   AS amounts (buyer_id, root_id, source, currency_id, amount, booked, oldest_due, oldest_invoiced)
            """,
            self._scope_sql(partner_ids, company_ids),
            self._receivables_sql(today),
            self._open_orders_sql(exclude_order_ids),
        )
        for partner_id, company_id, source, currency_id, amount, booked, *dates in self.env.execute_query(query):
            # As text, because Odoo's cursors read PostgreSQL's exact numbers as floats.
            booked = None if booked is None else Decimal(booked)
            rows[partner_id, company_id].append(ExposureRow(source, currency_id, Decimal(amount), booked, *dates))
        return rows

    @api.model
    def _scope_sql(self, partner_ids, company_ids):
        """Every partner of the buyers with every company below the roots: partner_id, buyer_id, company_id, root_id."""
        return SQL(
            """
            SELECT p.id AS partner_id, p.commercial_partner_id AS buyer_id, c.id AS company_id,
                   split_part(c.parent_path, '/', 1)::int AS root_id
              FROM res_partner p
             CROSS JOIN res_company c
             WHERE p.commercial_partner_id = ANY(%s)
               AND split_part(c.parent_path, '/', 1)::int = ANY(%s)
            """,
            list(partner_ids),
            list(company_ids),
        )

    @api.model
    def _receivables_sql(self, today):
        """Open posted items on receivable accounts, whatever made them: invoices, payments, POS, manual entries."""
        return SQL(
            """
            SELECT s.buyer_id, s.root_id,
                   CASE WHEN l.amount_residual < 0 OR (l.amount_residual = 0 AND l.amount_residual_currency < 0)
                        THEN 'credits'
                        WHEN COALESCE(l.date_maturity, l.date) < %(today)s THEN 'overdue'
                        ELSE 'not_due' END AS source,
                   l.currency_id, SUM(l.amount_residual_currency), SUM(l.amount_residual),
                   MIN(COALESCE(l.credit_insurance_original_due_date, l.date_maturity, l.date)),
                   MIN(COALESCE(l.invoice_date, l.date))
              FROM account_move_line l
              JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
              JOIN scope s ON s.partner_id = l.partner_id AND s.company_id = l.company_id
             WHERE l.reconciled IS NOT TRUE AND l.parent_state = 'posted'
             GROUP BY 1, 2, 3, 4
            """,
            today=today,
        )

    @api.model
    def _open_orders_sql(self, exclude_order_ids=()):
        """What confirmed orders will still add to the receivables, per buyer, company and currency of the order."""
        return SQL(
            """
            SELECT o.buyer_id, o.root_id, 'confirmed', o.currency_id, SUM(o.amount),
                   NULL::numeric, NULL::date, NULL::date
              FROM (%s) o
             WHERE o.amount > 0
             GROUP BY 1, 2, 4
            """,
            self._open_order_amounts_sql(exclude_order_ids),
        )

    @api.model
    def _open_order_amounts_sql(self, exclude_order_ids=()):
        """One row per order that may have something left to invoice: order_id, buyer_id, root_id, currency_id, amount.

        An order whose quantities are all invoiced has nothing left unless one of its invoices is still a draft, so
        the orders to look at come from two partial indexes and not from the buyer's whole history.

        What is left of a line is its quantity (the larger of ordered and delivered; only the delivered one when all
        its stock moves ended, it was closed by hand or its order cancelled) less what posted invoices carry, at its
        price with tax. A credit note does not reopen a line, unless its goods are still to be delivered or a draft
        invoices them anew. Down payments already invoiced count as receivables, so they come off the order, which never
        goes below zero.
        """
        return SQL(
            """
            WITH candidate AS (
                SELECT o.id, s.buyer_id, s.root_id, o.currency_id, o.currency_rate, o.state = 'cancel' AS cancelled
                  FROM scope s
                  JOIN sale_order o ON o.partner_invoice_id = s.partner_id AND o.company_id = s.company_id
                 WHERE o.state IN ('sale', 'cancel') AND o.invoice_status <> 'invoiced'
                   AND NOT (o.id = ANY(%(excluded)s))
                   AND (o.state = 'sale' OR EXISTS (SELECT FROM sale_order_line d
                                                     WHERE d.order_id = o.id AND d.qty_delivered > 0))
                 UNION
                SELECT o.id, s.buyer_id, s.root_id, o.currency_id, o.currency_rate, FALSE
                  FROM account_move m
                  JOIN account_move_line l ON l.move_id = m.id
                  JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = l.id
                  JOIN sale_order_line ol ON ol.id = r.order_line_id
                  JOIN sale_order o ON o.id = ol.order_id
                  JOIN scope s ON s.partner_id = o.partner_invoice_id AND s.company_id = o.company_id
                 WHERE m.state = 'draft' AND m.move_type IN ('out_invoice', 'out_refund')
                   AND m.company_id IN (SELECT company_id FROM scope)
                   AND o.state = 'sale' AND NOT (o.id = ANY(%(excluded)s))
            )
            SELECT c.id AS order_id, c.buyer_id, c.root_id, c.currency_id,
                   GREATEST(0, SUM(
                       CASE WHEN ol.is_downpayment THEN ol.price_total - i.amount
                            ELSE CASE WHEN ol.product_uom_qty < 0 AND NOT c.cancelled
                                      THEN LEAST(0, ol.product_uom_qty - i.invoiced)
                                      ELSE GREATEST(0, CASE WHEN v.ended OR ol.credit_insurance_closed OR c.cancelled
                                                            THEN ol.qty_delivered
                                                            ELSE GREATEST(ol.product_uom_qty, ol.qty_delivered)
                                                       END - i.invoiced
                                                       + LEAST(i.refunded, GREATEST(i.drafted, 0, CASE WHEN v.pending
                                                           THEN LEAST(i.invoiced, ol.product_uom_qty) - ol.qty_delivered
                                                           ELSE 0 END)))
                                 END * CASE WHEN ol.product_uom_qty <> 0
                                                         THEN ol.price_total / ol.product_uom_qty
                                                         ELSE COALESCE(ol.credit_insurance_unit_total, 0) END
                       END)) AS amount
              FROM candidate c
              JOIN sale_order_line ol ON ol.order_id = c.id AND ol.display_type IS NULL
             CROSS JOIN LATERAL (
                SELECT COALESCE(SUM(q.quantity) FILTER (WHERE q.posted AND NOT q.refund), 0) AS invoiced,
                       COALESCE(SUM(q.quantity) FILTER (WHERE q.posted AND q.refund), 0) AS refunded,
                       COALESCE(SUM(q.quantity) FILTER (WHERE NOT q.posted AND NOT q.refund), 0) AS drafted,
                       COALESCE(SUM(CASE WHEN q.refund THEN -q.amount ELSE q.amount END) FILTER (WHERE q.posted), 0)
                           AS amount
                  FROM (SELECT m.move_type = 'out_refund' AS refund, l.parent_state = 'posted' AS posted,
                               l.price_total * CASE WHEN l.currency_id = c.currency_id THEN 1
                                                    ELSE ABS(m.amount_total_signed / NULLIF(m.amount_total, 0))
                                                         * c.currency_rate END AS amount,
                               l.quantity * COALESCE(lu.factor / NULLIF(ou.factor, 0), 1) AS quantity
                          FROM sale_order_line_invoice_rel r
                          JOIN account_move_line l ON l.id = r.invoice_line_id AND l.parent_state IN ('posted', 'draft')
                          JOIN account_move m ON m.id = l.move_id AND m.move_type IN ('out_invoice', 'out_refund')
                          LEFT JOIN uom_uom lu ON lu.id = l.product_uom_id
                          LEFT JOIN uom_uom ou ON ou.id = ol.product_uom_id
                         WHERE r.order_line_id = ol.id) q
             ) i
             CROSS JOIN LATERAL (
                SELECT COALESCE(BOOL_AND(v.state IN ('done', 'cancel')), FALSE) AS ended,
                       COALESCE(BOOL_OR(v.state NOT IN ('done', 'cancel')), FALSE) AS pending
                  FROM stock_move v
                 WHERE v.sale_line_id = ol.id
             ) v
             GROUP BY 1, 2, 3, 4
            """,
            excluded=list(exclude_order_ids),
        )

    @api.model
    def _get_open_order_amounts(self, orders):
        """What is left to invoice of confirmed orders, in each order's currency: ``{order_id: float}``."""
        self.env.flush_all()
        orders = orders.sudo()
        partner_ids = {order._credit_buyer_partner().id for order in orders}
        query = SQL(
            "WITH scope AS (%s) SELECT order_id, amount FROM (%s) o WHERE order_id = ANY(%s)",
            self._scope_sql(partner_ids, orders.company_id.root_id.ids),
            self._open_order_amounts_sql(),
            orders.ids,
        )
        return {order_id: float(amount) for order_id, amount in self.env.execute_query(query)}

    @api.model
    def _convert_rows(self, rows, company, currency, today):
        """Amounts by source in ``currency``: ``{source: Decimal}``, every document currency summed before converting.

        A document in ``currency`` counts with its own amount, another one with what was booked for it at its own rate
        in the company's currency; what has no booked rate is converted at the rate of ``today``.
        """
        amounts = dict.fromkeys(SOURCES, Decimal(0))
        for row in rows:
            if row.currency_id == currency.id:
                amount = row.amount
            else:
                source_currency = (
                    company.currency_id
                    if row.amount_company is not None
                    else self.env["res.currency"].browse(row.currency_id)
                )
                booked = row.amount if row.amount_company is None else row.amount_company
                amount = self._convert(booked, source_currency, currency, company, today)
            amounts[row.source] += amount
        return amounts

    @api.model
    def _convert(self, amount, from_currency, to_currency, company, today):
        """``amount`` (Decimal) in another currency at the rate of ``today``, not rounded."""
        if from_currency == to_currency or not amount:
            return amount
        rate = self.env["res.currency"]._get_conversion_rate(from_currency, to_currency, company, today)
        return amount * Decimal(repr(rate))

    @api.model
    def _get_exposures(self, buyers, today=None):
        """Exposure of ``credit.insurance.buyer`` records in their limit currency: ``{buyer: {source: Decimal}}``."""
        buyers = buyers.sudo()
        today = today or fields.Date.context_today(self)
        rows = self._get_rows(buyers.partner_id.ids, buyers.company_id.ids, today)
        return {
            buyer: self._convert_rows(
                rows[buyer.partner_id.id, buyer.company_id.id], buyer.company_id, buyer.currency_id, today
            )
            for buyer in buyers
        }
