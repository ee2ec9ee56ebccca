"""How buyers paid and what we invoiced to them, read for any number of buyers in one statement each."""

from collections import namedtuple

from odoo import api, models
from odoo.tools import SQL

# Invoices paid on time and late; average days from the original due date (early is negative), weighted by amount.
Behaviour = namedtuple("Behaviour", "on_time late days_late")
# Invoiced less credit notes in company currency, tax included; average days from invoice to original due date.
Turnover = namedtuple("Turnover", "amount term_days")


class CreditInsurancePaymentBehaviour(models.AbstractModel):
    _name = "credit.insurance.payment.behaviour"
    _description = "Payment Behaviour of Buyers"

    @api.model
    def _get_payments(self, buyers, since, until):
        """What these buyers paid between two days: ``{buyer_id: Behaviour}``, those who paid nothing left out.

        An invoice settled by credit notes alone was not paid, whatever the rates did meanwhile. It is paid on the day
        of the last payment matched with it, whenever a credit note settled the rest.
        """
        self.env.flush_all()
        query = SQL(
            """
            SELECT paid.buyer_id, COUNT(*) FILTER (WHERE paid.day <= paid.due),
                   COUNT(*) FILTER (WHERE paid.day > paid.due),
                   (SUM((paid.day - paid.due) * paid.amount) / NULLIF(SUM(paid.amount), 0))::float
              FROM (SELECT b.id AS buyer_id, m.id, MAX(r.max_date) FILTER (WHERE %(is_payment)s) AS day,
                           MAX(m.amount_total_signed) AS amount,
                           MAX(COALESCE(l.credit_insurance_original_due_date, l.date_maturity, l.date)) AS due
                      FROM credit_insurance_buyer b
                      JOIN account_move m ON m.commercial_partner_id = b.partner_id
                      JOIN res_company c ON c.id = m.company_id
                      JOIN account_move_line l ON l.move_id = m.id AND l.reconciled
                      JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
                      JOIN account_partial_reconcile r ON r.debit_move_id = l.id
                      JOIN account_move_line k ON k.id = r.credit_move_id
                      JOIN account_move cm ON cm.id = k.move_id
                     WHERE b.id = ANY(%(buyers)s) AND m.move_type = 'out_invoice' AND m.state = 'posted'
                       AND split_part(c.parent_path, '/', 1)::int = b.company_id AND m.amount_residual = 0
                     GROUP BY b.id, m.id) paid
             WHERE paid.day BETWEEN %(since)s AND %(until)s
             GROUP BY 1
            """,
            is_payment=SQL(
                "cm.move_type <> 'out_refund' AND cm.state = 'posted'"
                " AND NOT EXISTS (SELECT FROM account_partial_reconcile x WHERE x.exchange_move_id = cm.id)"
            ),
            buyers=buyers.ids,
            since=since,
            until=until,
        )
        return {buyer_id: Behaviour(*counts) for buyer_id, *counts in self.env.execute_query(query)}

    @api.model
    def _get_turnovers(self, buyers, since, until):
        """What was invoiced to these buyers between two days: ``{buyer_id: Turnover}``, one statement."""
        self.env.flush_all()
        query = SQL(
            """
            SELECT b.id, SUM(m.amount_total_signed)::text,
                   (SUM((m.invoice_date_due - m.invoice_date) * m.amount_total_signed)
                        FILTER (WHERE m.move_type = 'out_invoice')
                    / NULLIF(SUM(m.amount_total_signed) FILTER (WHERE m.move_type = 'out_invoice'), 0))::float
              FROM credit_insurance_buyer b
              JOIN account_move m ON m.commercial_partner_id = b.partner_id
              JOIN res_company c ON c.id = m.company_id
             WHERE b.id = ANY(%(buyers)s) AND m.move_type IN ('out_invoice', 'out_refund') AND m.state = 'posted'
               AND split_part(c.parent_path, '/', 1)::int = b.company_id
               AND m.invoice_date BETWEEN %(since)s AND %(until)s
             GROUP BY 1
            """,
            buyers=buyers.ids,
            since=since,
            until=until,
        )
        return {buyer_id: Turnover(*values) for buyer_id, *values in self.env.execute_query(query)}
