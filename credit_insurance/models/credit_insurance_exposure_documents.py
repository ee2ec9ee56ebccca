"""The documents behind an exposure: which they are, and what each of them counts."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from .credit_insurance_exposure import ExposureRow
from .exposure_sql import open_orders_sql
from .ledger_sql import open_items_sql
from .sql_functions import int_array


@dataclass(frozen=True)
class ExposureDocument:
    """A journal item or an order that counts, with the whole of its amount in the currency it was asked for.

    ``counted`` is not rounded; ``amount`` is what it counts in the document's own currency.
    """

    model: str
    id: int
    source: str
    currency_id: int
    amount: Decimal
    counted: Decimal
    due: date | None


class CreditInsuranceExposure(models.AbstractModel):
    _inherit = "credit.insurance.exposure"

    @api.model
    def _get_documents(self, partner, company, currency, today, source=None):
        """What the exposure of one buyer consists of: ``[ExposureDocument]``, the oldest due first, orders last.

        The amounts of a source add up to what ``_convert_rows`` gives for it: every document is there, whoever asks.

        :param partner: commercial partner
        :param company: root company
        :param currency: the one ``counted`` is in
        :param source: one of SOURCES; all of them without
        """
        documents = []
        for model, res_id, kind, currency_id, amount, booked, due in self._read_documents(partner, company, today):
            if source in (None, kind):
                exact = Decimal(amount)
                row = ExposureRow(kind, currency_id, exact, None if booked is None else Decimal(booked))
                counted = self._convert_rows([row], company, currency, today)[kind]
                documents.append(ExposureDocument(model, res_id, kind, currency_id, exact, counted, due))
        return documents

    @api.model
    def _read_documents(self, partner, company, today):
        self.env.flush_all()
        partners, roots = int_array(partner.ids), int_array(company.ids)
        return self.env.execute_query(
            SQL(
                """
                SELECT 'account.move.line', i.item_id, i.source, i.currency_id, i.amount::text, i.booked::text, i.due
                  FROM (%s) i
                 UNION ALL
                SELECT 'sale.order', o.order_id, 'confirmed', o.currency_id, o.amount::text, NULL, NULL
                  FROM (%s) o
                 WHERE o.amount > 0
                 ORDER BY 7, 2
                """,
                open_items_sql(partners, roots, today),
                open_orders_sql(partners, roots, SQL("'{}'::int[]")),
            )
        )
