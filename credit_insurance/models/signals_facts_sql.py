"""Who buyers are, what insurers, registers and people say about them, as statements of ``signals_sql``.

Each gives one row per buyer: ``id`` and columns named as the keys. ``$2`` is today.
"""

from odoo.tools import SQL

from .ledger_sql import COMPANY, PARTNER
from .signals_steps_sql import BUYER, COVER, CREDIT, EVENT, POLICY, local_day, zones_of

OWN = SQL("ARRAY(SELECT partner_id FROM res_company)")
ADVERSE = SQL("('insolvency_rumour', 'insolvency', 'deferral_request', 'returned_payment', 'legal_action')")
DEADLINE_KEYS = {
    "reminder": "days_to_reminder",
    "dunning": "days_to_dunning",
    "escalation": "days_to_escalation",
    "end_of_mep": "days_to_stop",
    "notification": "days_to_notification",
    "date_of_loss": "days_to_loss",
    "claim": "days_to_claim",
}


def fact_sources(place):
    """``{source: statement}``."""
    return {
        "who": _who(place),
        "grade": _grades(),
        "cover": _cover(place),
        "deadline": _deadlines(place),
        "statement": _statements(),
        "event": _events(place),
        "total": _totals(place),
        "buyer": _buyers(place),
    }


def _buyers(place):
    return SQL(
        "SELECT b.id, b.partner_id AS _partner, b.company_id AS _company, b.currency_id AS _currency FROM %s",
        place.rows("buyer", BUYER, "b"),
    )


def _totals(place):
    """The company's receivables as they were last summed, unless that was long ago."""
    return SQL(
        """
        SELECT b.id, t.amount AS _company_receivables
          FROM %s
          JOIN credit_insurance_receivable_total t ON t.company_id = b.company_id
         WHERE t.summed_at > now() AT TIME ZONE 'UTC' - interval '1 hour'
        """,
        place.rows("buyer", BUYER, "b"),
    )


def _who(place):
    """Master data, and what is known of who the buyer is."""
    return SQL(
        """
        SELECT b.id, n.code AS country, i.name->>'en_US' AS industry,
               NULLIF(TRIM(p.company_registry), '') AS registration_number,
               NULLIF(TRIM(p.company_registry), '') IS NULL AS registration_missing,
               COALESCE(r.is_private_person, FALSE) AS is_private_person, p.id = ANY(%(own)s) AS is_affiliated,
               COALESCE(r.is_public, FALSE) AS is_public, r.status AS credit_status, k.risk_class AS country_class,
               GREATEST(0, $2 - %(created)s) AS days_known,
               $2 - p.credit_insurance_mail_changed AS days_since_mail_change,
               $2 - a.day AS days_since_bank_change, x.differs AS registration_differs
          FROM %(buyer)s %(zones)s
          JOIN credit_insurance_buyer r ON r.id = b.id AND r.id = ANY($1)
          JOIN res_partner p ON p.id = b.partner_id AND p.id = ANY(%(partners)s)
          LEFT JOIN res_country n ON n.id = p.country_id
          LEFT JOIN res_partner_industry i ON i.id = p.industry_id
          LEFT JOIN (SELECT DISTINCT ON (country_id) country_id, risk_class::int
                       FROM credit_insurance_country_class
                      WHERE date_from <= $2 ORDER BY country_id, date_from DESC, id DESC) k ON k.country_id = n.id
          LEFT JOIN (%(accounts)s) a ON a.id = b.id
          LEFT JOIN (SELECT l.buyer_id, BOOL_OR(l.entity_check = 'different') AS differs
                       FROM credit_insurance_buyer_link l
                      WHERE l.buyer_id = ANY($1) AND l.entity_check <> 'unknown'
                      GROUP BY 1) x ON x.buyer_id = b.id
        """,
        own=OWN,
        buyer=place.rows("buyer", BUYER, "b"),
        zones=zones_of(place, "b"),
        created=local_day("p.create_date"),
        accounts=_accounts(place),
        partners=place.values("buyer", "partner_id"),
    )


def _accounts(place):
    """The day on which a bank account of each buyer was last added or got another number."""
    return SQL(
        """
        SELECT t.id, MAX(GREATEST(t.created, CASE WHEN t.changed <= $2 THEN t.changed END)) AS day
          FROM (SELECT b.id, %(created)s AS created, %(changed)s AS changed
                  FROM res_partner_bank t
                  JOIN %(partner)s ON q.id = t.partner_id
                  JOIN %(buyer)s ON b.partner_id = q.buyer_id %(zones)s
                 WHERE t.partner_id = ANY(%(contacts)s) AND t.active) t
         WHERE t.created <= $2
         GROUP BY 1
        """,
        created=local_day("t.create_date"),
        changed=local_day("t.credit_insurance_number_changed"),
        partner=place.rows("partner", PARTNER, "q"),
        buyer=place.rows("buyer", BUYER, "b"),
        zones=zones_of(place, "b"),
        contacts=place.values("partner", "id"),
    )


def _grades():
    """Grade and class today and on the earlier days.

    Classes are compared within one insurer: two insurers that differ are no deterioration. With several, the worst
    movement counts, and the latest grade is *the* grade.
    """
    lost = {
        days: SQL("MAX(q.class_0 - q.class_%s)", SQL(str(days))) for days in (30, 90, 365)
    }  # fmt: skip
    then = SQL(", ").join(
        SQL(
            "(array_agg(g.risk_class::int ORDER BY g.graded_on DESC, g.id DESC)"
            " FILTER (WHERE g.graded_on <= $2 - %s))[1] AS class_%s",
            SQL(str(days)), SQL(str(days)),
        )
        for days in (0, 30, 90, 365)
    )  # fmt: skip
    latest = "(array_agg(q.%s ORDER BY q.graded_on DESC, q.last_id DESC))[1]"
    return SQL(
        """
        SELECT q.buyer_id AS id, %(grade)s AS grade, %(class)s AS risk_class, $2 - MAX(q.graded_on) AS days_since_grade,
               %(a)s AS risk_class_worsened_30, %(b)s AS risk_class_worsened, %(c)s AS risk_class_worsened_365
          FROM (SELECT g.buyer_id, g.insurer_id, %(then)s, MAX(g.graded_on) AS graded_on,
                       (array_agg(g.id ORDER BY g.graded_on DESC, g.id DESC))[1] AS last_id,
                       (array_agg(g.grade ORDER BY g.graded_on DESC, g.id DESC))[1] AS grade
                  FROM credit_insurance_grade g
                 WHERE g.buyer_id = ANY($1) AND g.graded_on <= $2
                 GROUP BY 1, 2) q
         GROUP BY 1
        """,
        **{"class": SQL(latest % "class_0")},
        grade=SQL(latest % "grade"),
        then=then,
        a=lost[30],
        b=lost[90],
        c=lost[365],
    )


def _cover(place):
    """Cuts in the history of covers, and what the policies in force ask for."""
    return SQL(
        """
        SELECT q.buyer_id AS id, $2 - MAX(q.day) FILTER (WHERE q.granted < q.before) AS days_since_cover_cut,
               ROUND((array_agg(100 - 100 * q.granted / NULLIF(q.before, 0) ORDER BY q.day DESC, q.id DESC)
                      FILTER (WHERE q.granted < q.before))[1], 2) AS cover_cut,
               MIN(q.announced_on) FILTER (WHERE q.latest AND q.announced IN ('reduced', 'withdrawn', 'refused',
                                                                              'expired')) - $2 AS days_to_cover_cut,
               MIN(NULLIF(p.max_payment_term_days, 0)) AS payment_term_maximum,
               MIN(NULLIF(p.max_invoicing_days, 0)) AS invoicing_period
          FROM (SELECT c.*, LAG(c.granted) OVER w AS before, LEAD(c.id) OVER w IS NULL AS latest
                  FROM %(cover)s
                WINDOW w AS (PARTITION BY c.buyer_id, c.policy_id ORDER BY c.day, c.id)
                 UNION ALL
                SELECT NULL, d.buyer_id, d.policy_id, NULL, NULL, NULL, NULL, NULL, FALSE
                  FROM %(policy)s
                 WHERE d.discretionary) q
          LEFT JOIN credit_insurance_policy p
                 ON p.id = q.policy_id AND p.active AND p.date_start <= $2 AND COALESCE(p.date_end, $2) >= $2
         GROUP BY 1
        """,
        cover=place.rows("cover", COVER, "c"),
        policy=place.rows("policy", POLICY, "d"),
    )


def deadline_columns():
    """Days to the next duty of each kind. One that was missed hides none that can still be met; a stop stays a stop."""
    upcoming = "COALESCE(MIN(d.date) FILTER (WHERE d.kind = '%(kind)s' AND d.date >= $2), %(earliest)s) - $2 AS %(key)s"
    earliest = "MIN(d.date) FILTER (WHERE d.kind = '%s')"
    columns = []
    for kind, key in DEADLINE_KEYS.items():
        first = earliest % kind
        text = f"{first} - $2 AS {key}" if kind == "end_of_mep" else upcoming % {
            "kind": kind, "earliest": first, "key": key,
        }  # fmt: skip
        columns.append(SQL(text))
    return SQL(", ").join(columns)


def _deadlines(place):
    return SQL(
        """
        SELECT b.id, %(columns)s
          FROM credit_insurance_deadline d
          JOIN %(company)s ON c.id = d.company_id
          JOIN %(buyer)s ON b.partner_id = d.partner_id AND b.company_id = c.root_id
         WHERE d.partner_id = ANY(%(partners)s) AND d.state IN ('pending', 'missed', 'reached') AND d.date IS NOT NULL
           AND d.quiet IS NULL
         GROUP BY 1
        """,
        columns=deadline_columns(),
        company=place.rows("company", COMPANY, "c"),
        buyer=place.rows("buyer", BUYER, "b"),
        partners=place.values("buyer", "partner_id"),
    )


def _statements():
    """The last financial statements in their own currency (``_statement_currency``); a zero in them is not known."""
    known = {
        name: SQL("NULLIF(q.%s, 0)", SQL(name)) for name in ("turnover", "equity", "result", "cash", "total_assets")
    }  # fmt: skip
    return SQL(
        """
        SELECT q.buyer_id AS id, q.currency_id AS _statement_currency, $2 - q.year_end AS statement_age,
               %(turnover)s AS statement_turnover, %(equity)s AS statement_equity, %(result)s AS statement_result,
               %(cash)s AS statement_cash, ROUND(100 * %(equity)s / %(total_assets)s, 2) AS equity_ratio,
               ROUND(100 * %(result)s / %(turnover)s, 2) AS profit_margin,
               CASE WHEN q.before_currency = q.currency_id AND q.before_end >= q.year_end - interval '18 months'
                    THEN ROUND(100 * %(turnover)s / NULLIF(q.before, 0) - 100, 2) END AS turnover_growth
          FROM (SELECT t.*, ROW_NUMBER() OVER w AS number, LEAD(t.turnover) OVER w AS before,
                       LEAD(t.currency_id) OVER w AS before_currency, LEAD(t.year_end) OVER w AS before_end
                  FROM (SELECT DISTINCT ON (buyer_id, year_end) *
                          FROM credit_insurance_statement
                         WHERE buyer_id = ANY($1) AND received_on <= $2
                         ORDER BY buyer_id, year_end, id DESC) t
                WINDOW w AS (PARTITION BY t.buyer_id ORDER BY t.year_end DESC)) q
         WHERE q.number = 1
        """,
        **known,
    )


def _events(place):
    """Ages and counts of events. Of promises to pay all, the one due first in front, and all that came in since:
    days from today, amounts, and whether the promise was made in the last year. Which was kept is worked out later.
    """
    ages = SQL(", ").join(
        SQL("$2 - MAX(e.date) FILTER (WHERE e.kind = '%s') AS days_since_%s", SQL(kind), SQL(kind))
        for kind in ("insolvency_rumour", "insolvency", "management_change", "sector_default", "deferral_request",
                     "returned_payment")
    )  # fmt: skip
    year = SQL("e.date > ($2 - interval '12 months')::date")
    return SQL(
        """
        SELECT e.buyer_id AS id, %(ages)s,
               COUNT(*) FILTER (WHERE e.kind = 'deferral_request' AND %(year)s) AS deferral_requests,
               COUNT(*) FILTER (WHERE e.kind = 'returned_payment' AND %(year)s) AS returned_payments,
               COUNT(*) FILTER (WHERE e.kind <> 'payment_promise' AND %(year)s) AS events_12m,
               json_agg(json_build_array(e.date - $2, e.promised - $2, e.amount, %(year)s)
                        ORDER BY e.promised, e.date, e.id) FILTER (WHERE e.kind = 'payment_promise') AS _promises,
               (SELECT json_agg(json_build_array(t.date - $2, t.amount) ORDER BY t.date) FROM %(credit)s
                 WHERE t.buyer_id = e.buyer_id) AS _came,
               MIN(%(last_day)s) FILTER (WHERE e.kind IN %(adverse)s AND e.reported IS NULL) - $2 AS days_to_report
          FROM (SELECT v.*, y.number, y.unit, y.last_day_counts
                  FROM %(event)s
                  LEFT JOIN (SELECT DISTINCT ON (p.buyer_id) p.buyer_id, r.number, r.unit, r.last_day_counts
                               FROM %(policy)s
                               JOIN credit_insurance_policy_period r
                                 ON r.policy_id = p.policy_id AND r.kind = 'adverse_information'
                              ORDER BY p.buyer_id, p.since DESC, p.id DESC) y ON y.buyer_id = v.buyer_id) e
         GROUP BY 1
        """,
        ages=ages,
        year=year,
        adverse=ADVERSE,
        last_day=last_day_sql(SQL("e")),
        credit=place.rows("credit", CREDIT, "t"),
        event=place.rows("event", EVENT, "v"),
        policy=place.rows("policy", POLICY, "p"),
    )


def last_day_sql(row):
    """The last day to report what became known on ``row.known``; working days know no holidays here."""
    return SQL(
        """
        CASE %(row)s.unit
             WHEN 'months' THEN (%(row)s.known + make_interval(months => %(row)s.number))::date
             WHEN 'working_days' THEN (SELECT d::date FROM generate_series(%(row)s.known + 1,
                                                                           %(row)s.known + 2 * %(row)s.number + 7,
                                                                           interval '1 day') d
                                        WHERE EXTRACT(ISODOW FROM d) < 6
                                        ORDER BY d OFFSET GREATEST(%(row)s.number - 1, 0) LIMIT 1)
             ELSE %(row)s.known + %(row)s.number END
        - CASE WHEN %(row)s.last_day_counts THEN 0 ELSE 1 END
        """,
        row=row,
    )
