"""The values of the signals that risk rules speak about, for many buyers at once.

    SOURCES     keys it can answer                        one set-based statement each, run only when a key is asked for
      partner    country, industry, is_affiliated ...     res_partner
      exposure   exposure                                 credit.insurance.exposure
      ledger     amount_overdue, days_overdue_oldest ...  open receivable items
      total      concentration                            open receivable items of the whole company
      grade      risk_class, risk_class_worsened ...      credit.insurance.grade, as it was on five days
      limit      limit_in_force, cover_status ...         credit.insurance.limit
      deadline   days_to_stop, days_to_claim ...          credit.insurance.deadline
      order      orders_confirmed ...                     sale_order
      invoice    currency                                 account_move

A signal that nobody knows is absent from the answer: the language of the rules has a word for it, "missing".
"""

from collections import defaultdict
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import InsurerCover, Layer, LineCode
from odoo.addons.credit_insurance.rules.risk import DEFAULT_CATALOGUE

OVERDUE_BANDS = (30, 60, 90)
GRADE_LOOKBACKS = {30: "risk_class_worsened_30", 90: "risk_class_worsened", 365: "risk_class_worsened_365"}

PARTNER_KEYS = {"country", "industry", "registration_number", "is_private_person", "is_affiliated"}
LEDGER_KEYS = {"amount_overdue", "days_overdue_oldest", "concentration"} | {
    f"amount_overdue_{days}" for days in OVERDUE_BANDS
}
GRADE_KEYS = {"grade", "risk_class", "days_since_grade", *GRADE_LOOKBACKS.values()}
LIMIT_KEYS = {
    *("limit_in_force", "cover_status", "cover_amount", "insured_percentage", "days_to_cover_end"),
    *("is_configured", "data_age"),
}
DEADLINE_KEYS = {"end_of_mep": "days_to_stop", "notification": "days_to_notification", "claim": "days_to_claim"}
# Why a cover does not count, as the status people know; in all of these the insurer has answered "nothing".
ENDED_STATUS = {LineCode.REFUSED: "refused", LineCode.WITHDRAWN: "withdrawn", LineCode.EXPIRED: "expired"}
# Arithmetic on other signals: these are read from exposure and limit.
COMBINED_KEYS = {"headroom", "utilisation", "uninsured_exposure"}
SOURCES = (
    (PARTNER_KEYS, "_read_partners"),
    ({"exposure"} | COMBINED_KEYS, "_read_exposure"),
    (LEDGER_KEYS, "_read_ledger"),
    ({"concentration"}, "_read_company_totals"),
    (GRADE_KEYS, "_read_grades"),
    (LIMIT_KEYS | COMBINED_KEYS, "_read_limits"),
    (set(DEADLINE_KEYS.values()), "_read_deadlines"),
    ({"orders_confirmed", "months_since_first_order"}, "_read_orders"),
    ({"currency"}, "_read_invoice_currencies"),
)


class CreditInsuranceSignals(models.AbstractModel):
    _name = "credit.insurance.signals"
    _description = "Signals of Buyers"

    @api.model
    def _get_catalogue(self):
        """The signals that rules may use. Modules that know more about a buyer extend it and :meth:`_get_facts`."""
        return DEFAULT_CATALOGUE

    @api.model
    def _get_facts(self, buyers, keys=None, today=None):
        """What is known of each buyer: ``{buyer_id: {signal key: Decimal | int | str | bool}}``.

        Amounts are in the currency of the buyer's company, tax included. The number of statements depends on ``keys``
        and not on the number of buyers.

        :param buyers: ``credit.insurance.buyer`` records, of one company or several
        :param keys: the signals that are needed; None means all
        :param today: the day that separates due from overdue; None is today where the first company is
        """
        buyers = buyers.sudo()
        facts = {buyer.id: {} for buyer in buyers}
        if not buyers:
            return facts
        today = today or buyers.company_id[:1]._credit_today()
        self.env.flush_all()
        for source_keys, method in SOURCES:
            if keys is None or source_keys & set(keys):
                for buyer_id, values in getattr(self, method)(buyers, today).items():
                    facts[buyer_id].update((key, value) for key, value in values.items() if value is not None)
        for values in facts.values():
            self._combine(values)
        return facts

    @api.model
    def _combine(self, values):
        """Add what follows from exposure and limit, and take away what only served to compute it."""
        insured = values.pop("_insured_limit", None)
        company_total = values.pop("_company_receivables", None)
        receivables = values.pop("_receivables", None)
        exposure, limit = values.get("exposure"), values.get("limit_in_force")
        if exposure is not None and limit is not None:
            values["headroom"] = limit - exposure
            if limit:
                values["utilisation"] = exposure * 100 / limit
        if exposure is not None and insured is not None:
            values["uninsured_exposure"] = max(Decimal(0), exposure - insured)
        if company_total and receivables is not None:
            values["concentration"] = receivables * 100 / company_total

    @api.model
    def _by_partner(self, buyers):
        """``{(partner_id, company_id): buyer_id}``, the way the ledger and the orders know a buyer."""
        return {(buyer.partner_id.id, buyer.company_id.id): buyer.id for buyer in buyers}

    @api.model
    def _scope_sql(self, buyers):
        return self.env["credit.insurance.exposure"]._scope_sql(buyers.partner_id.ids, buyers.company_id.ids)

    # === SOURCES: each returns {buyer_id: {key: value or None}} === #

    @api.model
    def _read_partners(self, buyers, today):
        query = SQL(
            """
            SELECT b.id, c.code, i.name->>'en_US', NULLIF(TRIM(p.company_registry), ''),
                   NOT COALESCE(p.is_company, FALSE),
                   EXISTS (SELECT FROM res_company own WHERE own.partner_id = p.id)
              FROM credit_insurance_buyer b
              JOIN res_partner p ON p.id = b.partner_id
              LEFT JOIN res_country c ON c.id = p.country_id
              LEFT JOIN res_partner_industry i ON i.id = p.industry_id
             WHERE b.id = ANY(%s)
            """,
            buyers.ids,
        )
        names = ("country", "industry", "registration_number", "is_private_person", "is_affiliated")
        return {buyer_id: dict(zip(names, row, strict=True)) for buyer_id, *row in self.env.execute_query(query)}

    @api.model
    def _read_exposure(self, buyers, today):
        model = self.env["credit.insurance.exposure"]
        rows = model._get_rows(buyers.partner_id.ids, buyers.company_id.ids, today)
        rate = self._rates_reader(today)
        result = {}
        for buyer in buyers:
            amount = Decimal(0)
            for row in rows[buyer.partner_id.id, buyer.company_id.id]:
                if row.amount_company is not None:
                    amount += row.amount_company
                else:
                    amount += row.amount * rate(buyer.company_id, row.currency_id)
            result[buyer.id] = {"exposure": amount}
        return result

    @api.model
    def _rates_reader(self, today):
        """A function ``(company, currency_id) -> Decimal``, the company's rate of ``today``; each rate is read once."""
        rates = {}

        def rate(company, currency_id):
            key = company.id, currency_id
            if key not in rates:
                currency = self.env["res.currency"].browse(currency_id)
                rates[key] = self.env["credit.insurance.exposure"]._convert(
                    Decimal(1), currency, company.currency_id, company, today
                )
            return rates[key]

        return rate

    @api.model
    def _read_ledger(self, buyers, today):
        """Open debit items by age. Payments and credits not yet applied lower the exposure, not what is overdue."""
        query = self._ledger_sql(buyers, today)
        names = ["_receivables", "amount_overdue", *(f"amount_overdue_{days}" for days in OVERDUE_BANDS)]
        zero = dict.fromkeys(names, Decimal(0)) | {"days_overdue_oldest": 0}
        result = {buyer.id: dict(zero) for buyer in buyers}
        known = self._by_partner(buyers)
        for partner_id, company_id, *amounts, days in self.env.execute_query(query):
            if buyer_id := known.get((partner_id, company_id)):
                result[buyer_id] = {name: Decimal(amount or 0) for name, amount in zip(names, amounts, strict=True)}
                result[buyer_id]["days_overdue_oldest"] = days or 0
        return result

    @api.model
    def _ledger_sql(self, buyers, today):
        """Per buyer: all that is open, the debit items overdue by age, and the days of the oldest."""
        return SQL(
            """
            WITH scope AS (%(scope)s), item AS (
                -- Odoo's cursors read exact numbers as floats, so they leave as texts.
                SELECT s.buyer_id, s.root_id, l.amount_residual AS amount,
                       %(today)s::date
                       - COALESCE(l.credit_insurance_original_due_date, l.date_maturity, l.date) AS days
                  FROM account_move_line l
                  JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
                  JOIN scope s ON s.partner_id = l.partner_id AND s.company_id = l.company_id
                 WHERE l.reconciled IS NOT TRUE AND l.parent_state = 'posted'
            )
            SELECT buyer_id, root_id, SUM(amount)::text,
                   SUM(amount) FILTER (WHERE amount > 0 AND days > 0)::text,
                   SUM(amount) FILTER (WHERE amount > 0 AND days > %(first)s)::text,
                   SUM(amount) FILTER (WHERE amount > 0 AND days > %(second)s)::text,
                   SUM(amount) FILTER (WHERE amount > 0 AND days > %(third)s)::text,
                   MAX(days) FILTER (WHERE amount > 0 AND days > 0)
              FROM item
             GROUP BY 1, 2
            """,
            scope=self._scope_sql(buyers),
            today=today,
            **dict(zip(("first", "second", "third"), OVERDUE_BANDS, strict=True)),
        )

    @api.model
    def _read_company_totals(self, buyers, today):
        query = SQL(
            """
            SELECT split_part(c.parent_path, '/', 1)::int AS root_id, SUM(l.amount_residual)::text
              FROM account_move_line l
              JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
              JOIN res_company c ON c.id = l.company_id
             WHERE l.reconciled IS NOT TRUE AND l.parent_state = 'posted'
               AND split_part(c.parent_path, '/', 1)::int = ANY(%s)
             GROUP BY 1
            """,
            buyers.company_id.ids,
        )
        totals = {company_id: Decimal(total) for company_id, total in self.env.execute_query(query)}
        return {buyer.id: {"_company_receivables": totals.get(buyer.company_id.id)} for buyer in buyers}

    @api.model
    def _read_grades(self, buyers, today):
        """Grade and class on ``today`` and on the earlier days, per insurer.

        Classes are compared within one insurer: two insurers that differ are no deterioration. With several, the worst
        movement counts, and the latest grade is *the* grade.
        """
        classes, latest = defaultdict(dict), {}
        for buyer_id, insurer_id, days, grade, risk_class, graded_on, row_id in self._query_grades(buyers, today):
            classes[buyer_id, insurer_id][days] = int(risk_class) if risk_class else None
            if not days and (buyer_id not in latest or (graded_on, row_id) > latest[buyer_id][0]):
                latest[buyer_id] = ((graded_on, row_id), grade, risk_class)
        result = defaultdict(dict)
        for buyer_id, ((graded_on, _row_id), grade, risk_class) in latest.items():
            result[buyer_id] = {
                "grade": grade,
                "risk_class": int(risk_class) if risk_class else None,
                "days_since_grade": (today - graded_on).days,
            }
        for (buyer_id, _insurer_id), on_day in classes.items():
            self._add_movements(result[buyer_id], on_day)
        return result

    @api.model
    def _query_grades(self, buyers, today):
        """Each insurer's latest grade up to today and up to each of the earlier days."""
        query = SQL(
            """
            SELECT DISTINCT ON (g.buyer_id, g.insurer_id, d.days)
                   g.buyer_id, g.insurer_id, d.days, g.grade, g.risk_class, g.graded_on, g.id
              FROM credit_insurance_grade g
             CROSS JOIN unnest(%(days)s) AS d(days)
             WHERE g.buyer_id = ANY(%(buyers)s) AND g.graded_on <= %(today)s::date - d.days
             ORDER BY g.buyer_id, g.insurer_id, d.days, g.graded_on DESC, g.id DESC
            """,
            days=[0, *GRADE_LOOKBACKS],
            buyers=buyers.ids,
            today=today,
        )
        return self.env.execute_query(query)

    @api.model
    def _add_movements(self, values, class_by_days):
        """Add how many classes one insurer's grade got worse, where it is known on both days."""
        now = class_by_days.get(0)
        for days, key in GRADE_LOOKBACKS.items():
            then = class_by_days.get(days)
            if now and then:
                values[key] = max(now - then, values.get(key, now - then))

    @api.model
    def _read_limits(self, buyers, today):
        """Limit and cover as the gate judges them, in the company's currency."""
        limits = self.env["credit.insurance.limit"]._get_limits(list(self._by_partner(buyers)), today)
        rate = self._rates_reader(today)
        result = {}
        for buyer in buyers:
            found = limits[buyer.partner_id.id, buyer.company_id.id]
            limit, in_company = found.limit, rate(buyer.company_id, found.currency_id)
            result[buyer.id] = self._describe_cover(limit, in_company, today) | {
                "limit_in_force": limit.amount.amount * in_company if limit.amount is not None else None,
                "is_configured": found.checked,
                "_insured_limit": None if limit.unreadable else limit.insured.amount * in_company,
            }
        return result

    @api.model
    def _describe_cover(self, limit, in_company, today):
        """The insurer's answer in words and figures; without one in force, what the latest answer says."""
        lines = [line for line in limit.lines if isinstance(line.row, InsurerCover)]
        # What the company's own limit outweighs is cover all the same.
        standing = [line for line in lines if line.amount is not None]
        if standing:
            main = max(standing, key=lambda line: (line.row.layer is Layer.PERMANENT, line.amount.amount))
            until = limit.insured_until
            return {
                "cover_status": main.row.status.value,
                "cover_amount": sum(line.amount.amount for line in standing) * in_company,
                "insured_percentage": main.row.percentage,
                "days_to_cover_end": (until - today).days if until else None,
                "data_age": limit.data_age_days,
            }
        latest = max(lines, key=lambda line: (line.code in ENDED_STATUS, line.row.start), default=None)
        status = ENDED_STATUS.get(latest.code, latest.row.status.value) if latest else "none"
        return {
            "cover_status": status,
            "cover_amount": Decimal(0) if latest and latest.code in ENDED_STATUS else None,
            "data_age": latest.age_days if latest else None,
        }

    @api.model
    def _read_deadlines(self, buyers, today):
        """Days to the duties of unpaid invoices. A duty that was missed hides none that can still be met."""
        query = SQL(
            """
            WITH scope AS (%(scope)s)
            SELECT s.buyer_id, s.root_id, d.kind, MIN(d.date), MIN(d.date) FILTER (WHERE d.date >= %(today)s)
              FROM (SELECT DISTINCT buyer_id, company_id, root_id FROM scope) s
              JOIN credit_insurance_deadline d ON d.partner_id = s.buyer_id AND d.company_id = s.company_id
             WHERE d.kind = ANY(%(kinds)s) AND d.state IN ('pending', 'missed', 'reached') AND d.date IS NOT NULL
             GROUP BY 1, 2, 3
            """,
            scope=self._scope_sql(buyers),
            today=today,
            kinds=list(DEADLINE_KEYS),
        )
        result = defaultdict(dict)
        known = self._by_partner(buyers)
        for partner_id, company_id, kind, earliest, upcoming in self.env.execute_query(query):
            if buyer_id := known.get((partner_id, company_id)):
                day = earliest if kind == "end_of_mep" else upcoming or earliest
                result[buyer_id][DEADLINE_KEYS[kind]] = (day - today).days
        return result

    @api.model
    def _read_orders(self, buyers, today):
        query = SQL(
            """
            WITH scope AS (%s)
            SELECT s.buyer_id, s.root_id, COUNT(*), MIN(o.date_order)
              FROM scope s
              JOIN sale_order o ON o.partner_invoice_id = s.partner_id AND o.company_id = s.company_id
             WHERE o.state = 'sale'
             GROUP BY 1, 2
            """,
            self._scope_sql(buyers),
        )
        result = {buyer.id: {"orders_confirmed": 0} for buyer in buyers}
        known = self._by_partner(buyers)
        for partner_id, company_id, count, first in self.env.execute_query(query):
            if buyer_id := known.get((partner_id, company_id)):
                age = relativedelta(today, first.date())
                months = max(0, age.years * 12 + age.months)
                result[buyer_id] = {"orders_confirmed": count, "months_since_first_order": months}
        return result

    @api.model
    def _read_invoice_currencies(self, buyers, today):
        """The currency of the latest posted invoice."""
        query = SQL(
            """
            WITH scope AS (%s)
            SELECT DISTINCT ON (s.buyer_id, s.root_id) s.buyer_id, s.root_id, c.name
              FROM (SELECT DISTINCT buyer_id, company_id, root_id FROM scope) s
              JOIN account_move m ON m.commercial_partner_id = s.buyer_id AND m.company_id = s.company_id
              JOIN res_currency c ON c.id = m.currency_id
             WHERE m.move_type = 'out_invoice' AND m.state = 'posted'
             ORDER BY s.buyer_id, s.root_id, m.invoice_date DESC, m.id DESC
            """,
            self._scope_sql(buyers),
        )
        known = self._by_partner(buyers)
        return {
            known[partner_id, company_id]: {"currency": name}
            for partner_id, company_id, name in self.env.execute_query(query)
            if (partner_id, company_id) in known
        }
