"""What buyers owe or will owe, read from Odoo's own tables whenever it is asked for.

    account_move_line (receivable, posted, open)  ->  not_due | overdue | credits
    sale_order (confirmed, not yet invoiced)      ->  confirmed

A match with a draft settles nothing: what it took of a posted item is open.

Nothing is stored, so nothing goes stale; one statement answers for any number of buyers, whoever asks and whichever
companies are ticked in the company switcher.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from .exposure_sql import (
    EXPOSURE_COLUMNS,
    OPEN_ORDER_COLUMNS,
    exposure_as_a_whole,
    exposure_in_steps,
    open_orders_in_steps,
)
from .ledger_sql import taken_in_sql
from .matched_drafts_sql import MATCHED_DRAFTS, TAKEN_COLUMNS, matched_drafts_in_steps
from .sql_functions import KEPT_PLAN, OWN_PLAN, ensure_function, int_array

SOURCES = ("not_due", "overdue", "confirmed", "credits")
# The statement's functions. For a few buyers planning is what takes long; for many the plan has to fit their number.
FEW_BUYERS = "credit_insurance_exposure"
MANY_BUYERS = "credit_insurance_exposure_of_many"
OPEN_ORDERS = "credit_insurance_open_orders"
FUNCTIONS = (FEW_BUYERS, MANY_BUYERS, OPEN_ORDERS, MATCHED_DRAFTS)
FEW = 100
ROW_COLUMNS = SQL(
    "f.buyer_id, f.root_id, f.source, f.currency_id, f.amount::text, f.booked::text, f.oldest_due, f.oldest_invoiced"
)


class ExposureRow(NamedTuple):
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

    def _scaled(self, part):
        """The same row with ``part`` (Decimal) of its amounts."""
        booked = None if self.amount_company is None else self.amount_company * part
        return self._replace(amount=self.amount * part, amount_company=booked)


class Snapshot(NamedTuple):
    """Identity and view of a transaction, as PostgreSQL prints them."""

    xid: str
    snapshot: str


class CreditInsuranceExposure(models.AbstractModel):
    _name = "credit.insurance.exposure"
    _description = "Exposure of Buyers"

    def init(self):
        """The statement as functions of the database: see ``sql_functions``."""
        # Tables are read by index, rows that were read are joined and summed by hashing: nothing gets slow with numbers
        # that nobody estimates. The fewer ways there are, the shorter the planning.
        shared = SQL(
            "SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off SET join_collapse_limit = 1"
            " SET max_parallel_workers_per_gather = 0"
        )
        few = (KEPT_PLAN, shared, SQL("SET enable_seqscan = off SET enable_bitmapscan = off"))
        many = (OWN_PLAN, shared, SQL("SET work_mem = '64MB' SET random_page_cost = 1.1"))
        given = SQL("$1"), SQL("$2"), SQL("$3"), SQL("$4")
        arguments, whole = SQL("int[], int[], date, int[]"), exposure_as_a_whole(*given)
        cr = self.env.cr
        ensure_function(cr, MATCHED_DRAFTS, SQL("int[]"), TAKEN_COLUMNS, matched_drafts_in_steps(given[0]), few)
        ensure_function(cr, FEW_BUYERS, arguments, EXPOSURE_COLUMNS, exposure_in_steps(*given), few)
        ensure_function(cr, MANY_BUYERS, arguments, EXPOSURE_COLUMNS, whole, many)
        ensure_function(cr, OPEN_ORDERS, SQL("int[]"), OPEN_ORDER_COLUMNS, open_orders_in_steps(given[0]), few)

    @api.model
    def _get_rows(self, partner_ids, company_ids, today, exclude_order_ids=()):
        """Exposure of commercial partners in root companies: ``{(partner_id, root_company_id): [ExposureRow]}``.

        :param partner_ids: ids of commercial partners; their contacts and addresses are rolled up to them
        :param company_ids: ids of root companies; their branches are rolled up to them
        :param today: the date that separates not due from overdue (a document due today is not overdue)
        :param exclude_order_ids: confirmed orders to leave out, because they are the ones being decided
        """
        self.env.flush_all()
        if not partner_ids or not company_ids:
            return defaultdict(list)
        called = self._call_sql(partner_ids, company_ids, today, exclude_order_ids)
        return self._make_rows(self.env.execute_query(SQL("SELECT %s FROM %s", ROW_COLUMNS, called)))

    @api.model
    def _get_rows_and_snapshot(self, partner_ids, company_ids, today, exclude_order_ids=()):
        """The same with the identity of this transaction and what it sees, in one statement.

        It gives the transaction an id: not for displays.
        """
        self.env.flush_all()
        called = self._call_sql(partner_ids, company_ids, today, exclude_order_ids)
        found = self.env.execute_query(
            SQL(
                """
                SELECT s.xid, s.snapshot, %s
                  FROM (SELECT pg_current_xact_id()::text AS xid, pg_current_snapshot()::text AS snapshot) s
                  LEFT JOIN %s ON TRUE
                """,
                ROW_COLUMNS,
                called,
            )
        )
        return self._make_rows(row[2:] for row in found if row[2]), Snapshot(*found[0][:2])

    @api.model
    def _call_sql(self, partner_ids, company_ids, today, exclude_order_ids):
        return SQL(
            "%s(%s, %s, %s, %s) f",
            SQL.identifier(FEW_BUYERS if len(partner_ids) <= FEW else MANY_BUYERS),
            int_array(partner_ids),
            int_array(company_ids),
            today,
            int_array(exclude_order_ids),
        )

    @api.model
    def _make_rows(self, found):
        rows = defaultdict(list)
        for partner_id, company_id, source, currency_id, amount, booked, *dates in found:
            # As text, because Odoo's cursors read PostgreSQL's exact numbers as floats.
            booked = None if booked is None else Decimal(booked)
            rows[partner_id, company_id].append(ExposureRow(source, currency_id, Decimal(amount), booked, *dates))
        return rows

    @api.model
    def _get_open_order_amounts(self, orders):
        """What is left to invoice of confirmed orders, in each order's currency: ``{order_id: float}``."""
        self.env.flush_all()
        query = SQL("SELECT order_id, amount FROM %s(%s)", SQL.identifier(OPEN_ORDERS), int_array(orders.ids))
        return {order_id: float(amount) for order_id, amount in self.env.execute_query(query)}

    @api.model
    def _get_taken(self, items):
        """What drafts took of journal items, with their sign: ``{item: (amount in its currency, in the company's)}``.

        An item that no draft took anything of is left out, and where none is matched nothing is read.
        """
        matched = items.filtered("matching_number")
        if not matched:
            return {}
        for model in ("account.move.line", "account.partial.reconcile"):
            self.env[model].flush_model()
        query = SQL(
            "SELECT item_id, amount, booked FROM (%s) t WHERE item_id = ANY(%s)",
            taken_in_sql(int_array(matched.company_id.root_id.ids)),
            matched.ids,
        )
        browse = items.browse
        return {browse(item_id): amounts for item_id, *amounts in self.env.execute_query(query)}

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
        """``amount`` (Decimal) in another currency at the rate of ``today``, not rounded.

        A currency without any rate is converted one to one, as everywhere in Odoo: ``_get_unrated`` tells which.
        """
        if from_currency == to_currency or not amount:
            return amount
        rate = self.env["res.currency"]._get_conversion_rate(from_currency, to_currency, company, today)
        return amount * Decimal(repr(rate))

    @api.model
    def _get_unrated(self, currencies, company):
        """Those of ``currencies`` that have no rate in the company's books: Odoo converts them one to one."""
        foreign = currencies - company.currency_id
        if not foreign:
            return foreign
        domain = [("currency_id", "in", foreign.ids), ("company_id", "in", (False, company.root_id.id))]
        rated = self.env["res.currency.rate"].sudo()._read_group(domain, ["currency_id"])
        return foreign - foreign.browse().union(*(currency for (currency,) in rated))

    @api.model
    def _get_currency_names(self, currency_ids):
        """``{currency_id: code}``; only those that were archived are read."""
        active, currencies = self.env["res.currency"].get_all_currencies(), self.env["res.currency"].sudo()
        return {id_: active[id_]["name"] if id_ in active else currencies.browse(id_).name for id_ in currency_ids}

    @api.model
    def _get_currencies(self, codes):
        """The currencies of these codes, be they archived."""
        currencies = self.env["res.currency"].sudo().with_context(active_test=False)
        return currencies.search([("name", "in", list(codes))]) if codes else currencies

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
