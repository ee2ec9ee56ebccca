"""The values of the signals that risk rules speak about, for many buyers at once.

    source      keys it can answer                        one statement each, run only when a key is asked for
      who         country, industry, is_affiliated ...     res_partner, credit.insurance.country.class ...
      exposure    exposure                                 credit.insurance.exposure
      ledger      amount_overdue, days_overdue_oldest ...  open receivable items
      total       concentration                            open receivable items of the whole company, summed before
      paid        days_late_3m, paid_late_share ...        receivable items and what they were matched with
      turnover    turnover, credit_sales_share, currency   account_move
      order       orders_confirmed, order_growth ...       sale_order
      delivery    days_delivered_uninvoiced ...            sale_order_line, stock_move
      grade       risk_class, risk_class_worsened ...      credit.insurance.grade, as it was on four days
      cover       days_since_cover_cut ...                 credit.insurance.cover and its policies
      limit       limit_in_force, cover_status ...         credit.insurance.limit
      group       group_headroom, group_utilisation ...    credit.insurance.group and what its members owe
      deadline    days_to_stop, days_to_claim ...          credit.insurance.deadline
      statement   statement_equity, profit_margin ...      credit.insurance.statement
      event       days_since_..., broken_promises ...      credit.insurance.event

All but ``limit`` are one function of the database, so that one buyer costs a handful of queries: see ``signals_sql``.
A signal that nobody knows is absent from the answer: the language of the rules has a word for it, "missing".
"""

import json
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.risk import DEFAULT_CATALOGUE

from .ledger_sql import OPEN_ITEM, RECEIVABLE, taken_in_sql
from .signals_sql import SIGNAL_ARGUMENTS, SIGNAL_COLUMNS, SIGNALS, signals_in_steps
from .sql_functions import KEPT_PLAN, ensure_function, int_array

SOURCE_KEYS = {
    "who": {
        *("country", "country_class", "industry", "registration_number", "registration_missing"),
        *("registration_differs", "is_private_person", "is_affiliated", "is_public", "credit_status", "days_known"),
        *("days_since_mail_change", "days_since_bank_change"),
    },
    "exposure": {"exposure"},
    "ledger": {
        *("receivables", "amount_overdue", "amount_overdue_30", "amount_overdue_60", "amount_overdue_90"),
        *("days_overdue_oldest", "days_to_next_due", "days_since_due", "largest_open", "payment_term"),
    },
    "total": {"_company_receivables"},
    "paid": {"days_late_3m", "days_late_6m", "days_late_12m", "paid_late_share", "invoices_paid"},
    "turnover": {"turnover", "credit_sales_share", "currency"},
    "order": {
        *("orders_confirmed", "months_since_first_order", "months_since_last_order", "order_growth"),
        *("order_growth_seasonal", "order_mean"),
    },
    "delivery": {"days_delivered_uninvoiced", "delivered_uninvoiced"},
    "grade": {
        *("grade", "risk_class", "days_since_grade", "risk_class_worsened"),
        *("risk_class_worsened_30", "risk_class_worsened_365"),
    },
    "cover": {
        *("days_since_cover_cut", "cover_cut", "days_to_cover_cut", "payment_term_maximum", "invoicing_period"),
    },
    "limit": {
        *("limit_in_force", "cover_status", "cover_amount", "insured_percentage", "days_to_cover_end"),
        *("is_configured", "data_age"),
    },
    "group": {"group_limit", "group_exposure", "group_headroom", "group_utilisation"},
    "deadline": {
        *("days_to_reminder", "days_to_dunning", "days_to_escalation", "days_to_stop", "days_to_notification"),
        *("days_to_loss", "days_to_claim"),
    },
    "statement": {
        *("statement_age", "statement_turnover", "statement_equity", "statement_result", "statement_cash"),
        *("equity_ratio", "profit_margin", "turnover_growth"),
    },
    "event": {
        *("days_since_insolvency_rumour", "days_since_insolvency", "days_since_management_change"),
        *("days_since_sector_default", "days_since_deferral_request", "days_since_returned_payment"),
        *("deferral_requests", "returned_payments", "broken_promises", "events_12m", "days_to_report"),
    },
}
# Arithmetic on other signals, and the sources that have them.
COMBINED = {
    "headroom": ("exposure", "limit"),
    "utilisation": ("exposure", "limit"),
    "uninsured_exposure": ("exposure", "limit"),
    "concentration": ("ledger", "total"),
    "overdue_1_30": ("ledger",),
    "overdue_31_60": ("ledger",),
    "overdue_61_90": ("ledger",),
    "overdue_share": ("ledger",),
    "dso": ("ledger", "turnover"),
    "days_late_trend": ("paid",),
    "payment_term_excess": ("ledger", "cover"),
    "share_of_purchases": ("turnover", "statement"),
}
KNOWN_KEYS = frozenset(COMBINED).union(*SOURCE_KEYS.values())
# Exposure is the ledger's receivables and what is left to invoice of orders.
EXPOSED = {"exposure", "headroom", "utilisation", "uninsured_exposure"}
ZERO = Decimal(0)
# What holds for a buyer of whom a source has no row: nothing owed is zero and not missing.
NOTHING = {
    "exposure": {"_confirmed": ZERO},
    "ledger": {
        **dict.fromkeys(("receivables", "amount_overdue", "amount_overdue_30", "amount_overdue_60"), ZERO),
        **{"amount_overdue_90": ZERO, "largest_open": ZERO, "days_overdue_oldest": 0},
    },
    "paid": {"invoices_paid": 0},
    "turnover": {"turnover": ZERO},
    "order": {"orders_confirmed": 0},
    "delivery": {"delivered_uninvoiced": ZERO},
    "event": dict.fromkeys(("deferral_requests", "returned_payments", "broken_promises", "events_12m"), 0),
}
OVERDUE = ("amount_overdue", "amount_overdue_30", "amount_overdue_60", "amount_overdue_90")
BANDS = ("overdue_1_30", "overdue_31_60", "overdue_61_90")
AS_OF = ("exposure", "ledger", "deadline")
STATEMENT_AMOUNTS = ("statement_turnover", "statement_equity", "statement_result", "statement_cash")
# Nothing dated tells what these were on a past day.
UNDATED = frozenset({"data_age", "is_configured", "credit_status", "days_since_mail_change"}).union(
    SOURCE_KEYS["delivery"], SOURCE_KEYS["group"]
)
# Master data, of which a past day is told what it is today.
OF_TODAY = frozenset(
    ("country", "industry", "registration_number", "registration_missing", "registration_differs")
    + ("is_private_person", "is_affiliated", "is_public")
)

# Exact numbers: Odoo's cursors would read them as floats.
_decode = json.JSONDecoder(parse_float=Decimal).decode


class CreditInsuranceSignals(models.AbstractModel):
    _name = "credit.insurance.signals"
    _description = "Signals of Buyers"

    def init(self):
        """The sources as a function of the database: see ``sql_functions``."""
        # As for the exposure: tables are read by index, what was read is joined by hashing.
        settings = SQL(
            "SET enable_nestloop = off SET enable_mergejoin = off SET join_collapse_limit = 1 SET enable_seqscan = off"
            " SET enable_bitmapscan = off SET max_parallel_workers_per_gather = 0 SET work_mem = '32MB'"
        )
        ensure_function(
            self.env.cr, SIGNALS, SIGNAL_ARGUMENTS, SIGNAL_COLUMNS, signals_in_steps(), (KEPT_PLAN, settings)
        )

    @api.model
    def _get_catalogue(self):
        """The signals that rules may use. Modules that know more about a buyer extend it and :meth:`_get_facts`."""
        return DEFAULT_CATALOGUE

    @api.model
    def _get_facts(self, buyers, keys=None, today=None, as_of=False):
        """What is known of each buyer: ``{buyer_id: {signal key: Decimal | int | str | bool}}``.

        Amounts are in the currency of the buyer's company, tax included. The number of statements depends on ``keys``
        and not on the number of buyers.

        :param buyers: ``credit.insurance.buyer`` records, of one company or several
        :param keys: the signals that are needed; None means all
        :param today: the day that separates due from overdue; None is today where the first company is
        :param as_of: read the ledger, orders, limits, covers, grades and events as they stood on ``today``, a past day.
            Master data (country, industry, numbers) are today's; what nothing dated tells (:meth:`_get_undated_keys`)
            is missing.
        """
        buyers = buyers.sudo()
        facts = {buyer_id: {} for buyer_id in buyers.ids}
        if not facts:
            return facts
        today = today or buyers.company_id[:1]._credit_today()
        sources = self._get_sources(keys)
        self.env.flush_all()
        self._read_sources(facts, sources, today, as_of)
        if "total" in sources:
            self._add_totals(facts, today, as_of)
        if "limit" in sources:
            self._add_limits(facts, today, as_of)
        if "group" in sources:
            self._add_groups(facts, today)
        for values in facts.values():
            self._combine(values, today)
            for key in UNDATED if as_of else ():
                values.pop(key, None)
        return facts

    @api.model
    def _get_undated_keys(self):
        """The signals that no dated history can tell for a past day."""
        return UNDATED

    @api.model
    def _get_sources(self, keys):
        """The sources that answer these keys."""
        if keys is None:
            return set(SOURCE_KEYS)
        keys = set(keys)
        if keys - KNOWN_KEYS:
            keys |= self._get_catalogue().sources(keys)
        if keys & EXPOSED:
            keys.add("receivables")
        direct = {source for source, known in SOURCE_KEYS.items() if known & keys}
        return direct.union(*(COMBINED[key] for key in keys & COMBINED.keys()))

    @api.model
    def _read_sources(self, facts, sources, today, as_of):
        """One call of the function; the rows of each source are put to their buyers."""
        names = {f"{name}_as_of" if as_of and name in AS_OF else name for name in sources - {"limit"}}
        if as_of:
            names -= {"delivery", "total", "group"}
        if sources & {"limit", "exposure", "total", "statement", "group"}:
            names.add("buyer")
        query = SQL(
            "SELECT buyer_id, data FROM %s(%s, %s, %s)",
            SQL.identifier(SIGNALS), int_array(facts), today, sorted(names),
        )  # fmt: skip
        self._put_rows(facts, self.env.execute_query(query), sources, as_of)

    @api.model
    def _put_rows(self, facts, rows, sources, as_of):
        nothing = {key: value for name in sources for key, value in NOTHING.get(name, {}).items()}
        if as_of and "exposure" in sources:
            nothing |= {"exposure": ZERO}
        for values in facts.values():
            values.update(nothing)
        if rows:
            ids, texts = zip(*rows, strict=True)
            for buyer_id, values in zip(ids, _decode(f"[{','.join(texts)}]"), strict=True):
                facts[buyer_id].update(values)

    @api.model
    def _combine(self, values, today):
        """Add what follows from other signals, convert what is in other currencies, take away what only served that."""
        insured, company_total = values.pop("_insured_limit", None), values.pop("_company_receivables", None)
        self._convert_foreign(values, today)
        if (exposure := values.get("exposure")) is not None:
            if (limit := values.get("limit_in_force")) is not None:
                values["headroom"] = limit - exposure
                if limit:
                    values["utilisation"] = exposure * 100 / limit
            if insured is not None:
                values["uninsured_exposure"] = max(ZERO, exposure - insured)
        if (receivables := values.get("receivables")) is not None:
            self._combine_ledger(values, receivables, company_total)
        promises, came = values.pop("_promises", ()), values.pop("_came", ())
        if promises:
            values["broken_promises"] = self._count_broken(promises, came)
        if "days_late_3m" in values:
            values["days_late_trend"] = values["days_late_3m"] - values["days_late_12m"]
        if "turnover" in values and values.get("statement_turnover"):
            values["share_of_purchases"] = values["turnover"] * Decimal(100) / values["statement_turnover"]

    @api.model
    def _count_broken(self, promises, came):
        """Promises of the last year on which less than promised came by their day.

        A payment serves the promise that is due first. One without an amount is kept by whatever others left of a
        payment, and uses none of it up.
        """
        left, broken = [list(credit) for credit in came], 0
        for made, due, amount, is_recent in promises:
            missing = amount or Decimal("0.01")
            for credit in left:
                if made <= credit[0] <= due:
                    used = min(missing, credit[1])
                    missing -= used
                    credit[1] -= used if amount else 0
            broken += is_recent and due < 0 and missing > 0
        return broken

    @api.model
    def _combine_ledger(self, values, receivables, company_total):
        over = [values[key] for key in OVERDUE]
        for key, more, less in zip(BANDS, over, over[1:], strict=False):
            values[key] = more - less
        if invoiced := values.pop("_invoiced", None):
            values["overdue_share"] = over[0] * Decimal(100) / invoiced
        if company_total and company_total > 0:
            # The total may be an hour old. Of less than nothing, with more prepaid than owed, nobody has a share.
            values["concentration"] = min(receivables * Decimal(100) / company_total, Decimal(100))
        if values.get("turnover", 0) > 0:
            values["dso"] = receivables * Decimal(365) / values["turnover"]
        if "payment_term" in values and "payment_term_maximum" in values:
            values["payment_term_excess"] = values["payment_term"] - values["payment_term_maximum"]

    @api.model
    def _convert_foreign(self, values, today):
        """Orders and statements in other currencies, at the rate of ``today``."""
        company_id, currency_id = values.pop("_company", None), values.pop("_currency", None)
        values.pop("_partner", None)
        values.pop("id", None)
        if (confirmed := values.pop("_confirmed", None)) is not None and "exposure" not in values:
            values["exposure"] = values["receivables"] + confirmed
        foreign, statement_currency = values.pop("_foreign", ()), values.pop("_statement_currency", currency_id)
        for other_id, amount in foreign:
            values["exposure"] += amount * self._get_rate(company_id, other_id, today)
        if statement_currency != currency_id:
            rate = self._get_rate(company_id, statement_currency, today)
            for key in STATEMENT_AMOUNTS:
                if key in values:
                    values[key] *= rate

    @api.model
    def _get_rate(self, company_id, currency_id, today):
        """What one unit of the currency is worth in the company's on ``today``."""
        company = self.env["res.company"].browse(company_id)
        currency = self.env["res.currency"].browse(currency_id)
        return self.env["credit.insurance.exposure"]._convert(Decimal(1), currency, company.currency_id, company, today)

    # === THE COMPANY'S RECEIVABLES === #

    @api.model
    def _add_totals(self, facts, today, as_of):
        """The receivables of the companies, where they were not summed within the last hour."""
        lacking = {values["_company"] for values in facts.values() if "_company_receivables" not in values}
        if not lacking:
            return
        totals = self._sum_receivables(lacking, today if as_of else None)
        for values in facts.values():
            values.setdefault("_company_receivables", totals.get(values["_company"]))

    @api.model
    def _sum_receivables(self, company_ids, day=None):
        """``{root_company_id: Decimal}``, open now or, by the dates of documents and payments, on a day."""
        roots = SQL("%s", list(company_ids))
        items = SQL(
            """
            SELECT l.company_id, l.amount_residual AS amount FROM account_move_line l
             WHERE %(open)s AND l.account_id IN (%(accounts)s)
             UNION ALL
            SELECT l.company_id, t.booked FROM (%(taken)s) t
              JOIN account_move_line l ON l.id = t.item_id AND l.account_id IN (%(accounts)s)
            """,
            open=OPEN_ITEM,
            accounts=RECEIVABLE,
            taken=taken_in_sql(roots),
        )
        if day:
            matched = (
                "(SELECT COALESCE(SUM(r.amount), 0) FROM account_partial_reconcile r"
                " WHERE r.%s = l.id AND r.max_date <= %s)"
            )
            sides = [SQL(matched, SQL.identifier(name), day) for name in ("debit_move_id", "credit_move_id")]
            items = SQL(
                """
                SELECT l.company_id, l.balance - %s + %s AS amount FROM account_move_line l
                 WHERE l.parent_state = 'posted' AND l.date <= %s AND l.account_id IN (%s)
                """,
                *sides,
                day,
                RECEIVABLE,
            )
        query = SQL(
            """
            SELECT split_part(c.parent_path, '/', 1)::int, SUM(q.amount)::text
              FROM (SELECT i.company_id, SUM(i.amount) AS amount FROM (%s) i GROUP BY 1) q
              JOIN res_company c ON c.id = q.company_id
             WHERE split_part(c.parent_path, '/', 1)::int = ANY(%s)
             GROUP BY 1
            """,
            items,
            roots,
        )
        return {company_id: Decimal(total) for company_id, total in self.env.execute_query(query)}
