"""Money that a quotation was paid with is kept for that quotation.

Booked payments lower what their buyer owes. The one of a quotation lowers it before the quotation is owed: another
order would pass with money that pays the quotation itself a moment later.
"""

from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from .credit_insurance_exposure import ExposureRow
from .exposure_sql import OPEN_ITEM, RECEIVABLE


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _get_earmarked(self, rows):
        """Rows that take out of the credits what quotations were paid with: ``{key: {order_id: [ExposureRow]}}``.

        :param rows: exposure rows by (partner_id, root_company_id). Without a credit in them nothing is read.
        """
        keys = {key for key, found in rows.items() if any(row.source == "credits" for row in found)}
        earmarked = defaultdict(lambda: defaultdict(list))
        for partner_id, root_id, transaction_id, currency_id, amount, booked in self._read_paid_quotations(keys):
            transaction = self.env["payment.transaction"].sudo().browse(transaction_id)
            order = transaction._credit_orders()
            # What pays several orders pays none of them by itself: it stays a credit.
            if (partner_id, root_id) not in keys or len(order) != 1 or not order._credit_pays_this_order(transaction):
                continue
            amount, booked = Decimal(amount), Decimal(booked)
            unused = Decimal(repr(transaction._credit_get_unused()))
            part = min(Decimal(1), max(Decimal(0), unused / amount)) if amount else Decimal(1)
            row = ExposureRow("credits", currency_id, amount, booked)._scaled(part)
            earmarked[partner_id, root_id][order.id].append(row)
        return earmarked

    @api.model
    def _read_paid_quotations(self, keys):
        """Open payments of quotations: buyer, root company, transaction, currency, and both amounts above zero."""
        if not keys:
            return []
        partners, roots = (list({key[place] for key in keys}) for place in (0, 1))
        return self.env.execute_query(
            SQL(
                """
                SELECT p.commercial_partner_id, split_part(c.parent_path, '/', 1)::int, t.id, l.currency_id,
                       (-SUM(l.amount_residual_currency))::text, (-SUM(l.amount_residual))::text
                  FROM res_partner p
                  JOIN account_move_line l ON l.partner_id = p.id AND %(open)s
                                          AND l.account_id = ANY(ARRAY(%(receivable)s))
                  JOIN res_company c ON c.id = l.company_id
                  JOIN account_payment y ON y.move_id = l.move_id
                  JOIN payment_transaction t ON t.id = y.payment_transaction_id AND t.payment_id = y.id
                 WHERE p.commercial_partner_id = ANY(%(partners)s)
                   AND split_part(c.parent_path, '/', 1)::int = ANY(%(roots)s)
                   AND EXISTS (SELECT FROM sale_order_transaction_rel r
                                 JOIN sale_order o ON o.id = r.sale_order_id AND o.state IN ('draft', 'sent')
                                WHERE r.transaction_id IN (t.id, t.source_transaction_id))
                 GROUP BY 1, 2, 3, 4
                HAVING SUM(l.amount_residual_currency) < 0
                """,
                open=OPEN_ITEM,
                receivable=RECEIVABLE,
                partners=partners,
                roots=roots,
            )
        )  # fmt: skip

    @api.model
    def _get_rows_for(self, case, key, figures):
        """The exposure rows of ``key`` when this case is decided: money of other quotations is not there for it, and
        its own counts as paid."""
        own = case.subject._credit_order()._origin.ids if key == case.key else ()
        kept = figures.earmarked.get(key, {})
        return [
            *figures.rows.get(key, ()),
            *(case.booked if key == case.key else ()),
            *(row for order_id, rows in kept.items() if order_id not in own for row in rows),
        ]
