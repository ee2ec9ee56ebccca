"""Money that a quotation or a draft invoice was paid with is kept for it.

Booked payments lower what their buyer owes. The one of a quotation lowers it before the quotation is owed: another
order would pass with money that pays the quotation itself a moment later. So it is with a draft that comes from no
order, which Odoo lets money settle; what comes from a confirmed order is owed already.
"""

from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from .credit_insurance_exposure import ExposureRow
from .ledger_sql import companies_sql, open_items_sql
from .matched_drafts_sql import MATCHED_DRAFT
from .sql_functions import int_array


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _get_earmarked(self, rows):
        """Rows that take out of the credits what quotations and drafts were paid with: ``{key: {document: [row]}}``.

        :param rows: exposure rows by (partner_id, root_company_id). Without a credit in them nothing is read.
        """
        keys = {key for key, found in rows.items() if any(row.source == "credits" for row in found)}
        earmarked = defaultdict(lambda: defaultdict(list))
        for partner_id, root_id, model, res_id, currency_id, amount, booked in self._read_earmarked(keys):
            if (partner_id, root_id) not in keys:
                continue
            row = ExposureRow("credits", currency_id, Decimal(amount), Decimal(booked))
            document = self.env[model].sudo().browse(res_id)
            if model == "payment.transaction":
                transaction, document = document, document._credit_orders()
                # What pays several orders pays none of them by itself: it stays a credit.
                if len(document) != 1 or not document._credit_pays_this_order(transaction):
                    continue
                unused = Decimal(repr(transaction._credit_get_unused()))
                row = row._scaled(min(Decimal(1), max(Decimal(0), unused / row.amount)) if row.amount else Decimal(1))
            earmarked[partner_id, root_id][document].append(row)
        return earmarked

    @api.model
    def _read_earmarked(self, keys):
        """Buyer, root company, model and id of what earmarks it, currency, and both amounts above zero."""
        if not keys:
            return []
        partners, roots = (int_array({key[place] for key in keys}) for place in (0, 1))
        return self.env.execute_query(
            SQL("%s UNION ALL %s", self._paid_quotations_sql(partners, roots), self._paid_drafts_sql(partners, roots))
        )

    @api.model
    def _paid_quotations_sql(self, partners, roots):
        """Open payments of quotations."""
        return SQL(
            """
            SELECT i.buyer_id, i.root_id, 'payment.transaction', t.id, i.currency_id, (-SUM(i.amount))::text,
                   (-SUM(i.booked))::text
              FROM (%s) i
              JOIN account_move_line l ON l.id = i.item_id
              JOIN account_payment y ON y.move_id = l.move_id
              JOIN payment_transaction t ON t.id = y.payment_transaction_id AND t.payment_id = y.id
             WHERE EXISTS (SELECT FROM sale_order_transaction_rel r
                             JOIN sale_order o ON o.id = r.sale_order_id AND o.state IN ('draft', 'sent')
                            WHERE r.transaction_id IN (t.id, t.source_transaction_id))
             GROUP BY i.buyer_id, i.root_id, t.id, i.currency_id
            HAVING SUM(i.amount) < 0
            """,
            open_items_sql(partners, roots, SQL("CURRENT_DATE")),
        )

    @api.model
    def _paid_drafts_sql(self, partners, roots):
        """What settles draft invoices that come from no order: posted, they are paid with it."""
        return SQL(
            """
            SELECT p.commercial_partner_id, c.root_id, 'account.move', m.id, r.credit_currency_id,
                   r.credit_amount_currency::text, r.amount::text
              FROM (SELECT id, move_id FROM account_move_line
                     WHERE %(draft)s AND company_id = ANY(ARRAY(SELECT id FROM (%(companies)s) w))) d
              JOIN account_move m ON m.id = d.move_id AND m.move_type IN ('out_invoice', 'out_receipt')
              JOIN account_partial_reconcile r ON r.debit_move_id = d.id
              JOIN account_move_line l ON l.id = r.credit_move_id AND l.parent_state = 'posted'
              JOIN res_partner p ON p.id = l.partner_id AND p.commercial_partner_id = ANY(%(partners)s)
              JOIN (%(companies)s) c ON c.id = l.company_id
             WHERE NOT EXISTS (SELECT FROM account_move_line b
                                 JOIN sale_order_line_invoice_rel s ON s.invoice_line_id = b.id
                                WHERE b.move_id = m.id)
            """,
            draft=SQL(MATCHED_DRAFT),
            companies=companies_sql(roots),
            partners=partners,
        )

    @api.model
    def _get_rows_for(self, case, key, figures):
        """The exposure rows of ``key`` when this case is decided: money of other documents is not there for it, and
        its own counts as paid."""
        own = {*case.subject._credit_order()._origin, case.subject} if key == case.key else ()
        kept = figures.earmarked.get(key, {})
        return [
            *figures.rows.get(key, ()),
            *(case.booked if key == case.key else ()),
            *(row for document, rows in kept.items() if document not in own for row in rows),
        ]
