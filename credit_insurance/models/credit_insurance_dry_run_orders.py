"""The orders of the past that a dry run counts: those that were put to the credit gate.

The decision log knows each of them, with the amount, buyer and day of then, also when it was held, changed, cancelled
or deleted since. An order counts once, on the first day of the period on which it was put to the gate. Orders confirmed
without the gate, before the addon was there, count on their order date with the amount of today.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from odoo import models
from odoo.tools import SQL

from .company_calendar import company_day, company_day_bounds

DECIDED = """
    SELECT DISTINCT ON (COALESCE(d.order_id, 0), CASE WHEN d.order_id IS NULL THEN d.order_name END)
           d.order_id, d.partner_id, d.create_date, d.order_amount::float, d.order_currency_id,
           CASE WHEN s.id IS NOT NULL THEN s.payment_term_id
                WHEN h.id IS NOT NULL THEN h.payment_term_id ELSE o.payment_term_id END,
           d.outcome = 'hold'
      FROM credit_insurance_decision d
      LEFT JOIN sale_order o ON o.id = d.order_id
      LEFT JOIN credit_insurance_pass s ON s.decision_id = d.id
      LEFT JOIN credit_insurance_hold h ON h.decision_id = d.id
     WHERE d.partner_id = ANY(%s) AND d.company_id = %s AND d.checkpoint = 'confirmation'
       AND d.create_date >= %s AND d.create_date < %s
     ORDER BY COALESCE(d.order_id, 0), CASE WHEN d.order_id IS NULL THEN d.order_name END, d.id
"""
UNDECIDED = """
    SELECT o.id, p.commercial_partner_id, o.date_order, o.amount_total::float, o.currency_id, o.payment_term_id
      FROM res_partner p
      JOIN sale_order o ON o.partner_invoice_id = p.id AND o.state = 'sale'
      JOIN res_company c ON c.id = o.company_id AND split_part(c.parent_path, '/', 1)::int = %s
     WHERE p.commercial_partner_id = ANY(%s) AND o.date_order >= %s AND o.date_order < %s
       AND NOT EXISTS (SELECT FROM credit_insurance_decision d
                        WHERE d.order_id = o.id AND d.checkpoint = 'confirmation')
     ORDER BY o.date_order, o.id
"""


@dataclass(frozen=True)
class PastOrder:
    """An order as it was put to the gate; ``amount`` in company currency. A deleted one has no ``order_id``.

    ``amount_today``: nothing dated tells its amount of then.
    """

    order_id: int | None
    partner_id: int
    moment: datetime
    day: date
    amount: float
    payment_term_id: int | None
    held: bool = False
    amount_today: bool = False

    @property
    def monday(self):
        return self.day - timedelta(days=self.day.weekday())


def to_json(orders):
    """What :func:`signals_documents_sql.past_orders_sql` reads."""
    return json.dumps(
        [
            {
                "id": order.order_id,
                "partner_id": order.partner_id,
                "moment": order.moment.isoformat(),
                "amount": order.amount,
                "payment_term_id": order.payment_term_id,
            }
            for order in orders
        ]
    )


class CreditInsuranceDryRun(models.Model):
    _inherit = "credit.insurance.dry.run"

    def _get_past_orders(self, buyers):
        """The orders of these buyers that count in the past weeks of this run, by their Monday."""
        mondays = self._get_mondays()
        if not mondays:
            return {}
        company = self.company_id
        since, until = company_day_bounds(company, mondays[0])[0], company_day_bounds(company, self.evaluated_on)[1]
        self.env.flush_all()
        partners = buyers.partner_id.ids
        decided = self.env.execute_query(SQL(DECIDED, partners, company.id, since, until))
        undecided = self.env.execute_query(SQL(UNDECIDED, company.id, partners, since, until))
        found = {}
        for row in decided + [(*row, False, True) for row in undecided]:
            order = self._make_past_order(*row)
            found.setdefault(order.monday, []).append(order)
        return found

    def _make_past_order(self, order_id, partner_id, moment, amount, currency_id, term_id, held, amount_today=False):
        company = self.company_id
        day = company_day(company, moment)
        currency = self.env["res.currency"].browse(currency_id) or company.currency_id
        worth = currency._convert(amount or 0.0, company.currency_id, company, day)
        return PastOrder(order_id, partner_id, moment, day, worth, term_id, held, amount_today)
