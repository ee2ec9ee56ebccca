"""How insurers perform: how long they take to answer, how often they say yes, how often they cut.

Measured from our records: requests sent from here, requests seen in the history of covers that were made elsewhere, and
the cuts in that history which we did not ask for. Amounts and their bands are in the policy's currency.

Where covers follow from grades, a worse grade is a cut by the insurer. A lower amount in the policy's table is none,
whoever wanted it: the table is a term of the contract that both sides agreed on, not a decision on a buyer.
"""

from odoo import fields, models
from odoo.tools import SQL

from .credit_insurance_cover import GRANTED_STATUSES

BAND_STARTS = (10_000, 50_000, 100_000, 500_000)
BANDS = [
    ("0", "Less than 10,000"),
    ("1", "10,000 to 50,000"),
    ("2", "50,000 to 100,000"),
    ("3", "100,000 to 500,000"),
    ("4", "500,000 and more"),
]
REQUESTS = "credit.insurance.cover.request"
# The columns of each part, in this order.
COLUMNS = (
    *("id", "event", "kind", "insurer_id", "policy_id", "buyer_id", "company_id", "currency_id", "date"),
    *("answered_on", "amount", "granted_amount", "days", "accepted", "asked_count", "answered_count", "cut_count"),
)
# Days around our own request within which a smaller cover is the answer to it, and a request seen is that one.
NEAR_DAYS = 30


class CreditInsuranceInsurerPerformance(models.Model):
    _name = "credit.insurance.insurer.performance"
    _description = "Performance of Insurers"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "insurer_id"

    event = fields.Selection([("request", "Request"), ("cut", "Cut by the insurer")], readonly=True)
    kind = fields.Selection(
        [
            ("new", "New cover"),
            ("increase", "More cover"),
            ("reduce", "Less cover"),
            ("cancel", "No cover any more"),
            ("elsewhere", "Asked for elsewhere"),
        ],
        readonly=True,
    )
    insurer_id = fields.Many2one("credit.insurance.insurer", readonly=True)
    policy_id = fields.Many2one("credit.insurance.policy", readonly=True)
    buyer_id = fields.Many2one("credit.insurance.buyer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Date(readonly=True, help="When it was asked, or from when the cut was decided.")
    answered_on = fields.Date(readonly=True)
    amount = fields.Monetary(readonly=True, help="Asked for, or cut.")
    granted_amount = fields.Monetary(readonly=True)
    amount_band = fields.Selection(BANDS, readonly=True)
    days = fields.Float(string="Days to Answer", readonly=True, aggregator="avg", digits=(10, 1))
    accepted = fields.Float(
        string="Acceptance Rate", readonly=True, aggregator="avg", help="1: granted, also in part. 0: refused."
    )
    asked_count = fields.Integer(string="Requests", readonly=True)
    answered_count = fields.Integer(string="Answered", readonly=True)
    cut_count = fields.Integer(string="Cuts", readonly=True)

    @property
    def _table_query(self):
        parts = [self._elsewhere_sql(), self._cuts_sql()]
        if REQUESTS in self.env:
            parts.append(self._requests_sql())
        rows = SQL(" UNION ALL ").join(parts)
        return SQL(
            """SELECT q.*, width_bucket(q.amount, %s::numeric[])::text AS amount_band FROM (%s) q(%s)""",
            list(BAND_STARTS),
            rows,
            SQL(", ").join(map(SQL.identifier, COLUMNS)),
        )

    def _requests_sql(self):
        """Requests sent from here, through the connection or by hand."""
        return SQL(
            """
            SELECT r.id::bigint * 3, 'request', r.kind, r.insurer_id, r.policy_id, r.buyer_id,
                   r.company_id, r.currency_id, r.submitted_on::date, a.answered_on,
                   r.amount::numeric,
                   r.granted_amount::numeric, (a.answered_on - r.submitted_on::date)::float8,
                   CASE WHEN r.state IN ('accepted', 'partial') THEN 1 WHEN r.state = 'refused' THEN 0 END::float8,
                   1, (a.answered_on IS NOT NULL)::int, 0
              FROM credit_insurance_cover_request r
              CROSS JOIN LATERAL (
                   SELECT CASE WHEN r.state IN ('accepted', 'partial', 'refused')
                               THEN COALESCE(r.decided_on, r.status_changed_on::date) END AS answered_on) a
             WHERE r.submitted_on IS NOT NULL AND r.state NOT IN ('draft', 'ready', 'failed', 'cancelled')
            """
        )

    def _elsewhere_sql(self):
        """Requests that only the history of covers knows, from the day they were first seen."""
        return SQL(
            """
            SELECT h.id::bigint * 3 + 1, 'request', 'elsewhere', p.insurer_id, h.policy_id, h.buyer_id, h.company_id,
                   h.currency_id, h.seen, h.answered, h.requested_amount::numeric,
                   CASE WHEN h.next_status = ANY(%(granted)s) THEN h.next_amount::numeric END,
                   GREATEST(h.answered - h.seen, 0)::float8, (h.next_status = ANY(%(granted)s))::int::float8,
                   1, (h.answered IS NOT NULL)::int, 0
              FROM (SELECT c.*, COALESCE(c.effective_from, c.fetched_at::date) AS seen,
                           LEAD(COALESCE(c.decided_on, c.fetched_at::date)) OVER w AS answered,
                           LEAD(c.status) OVER w AS next_status, LEAD(c.amount) OVER w AS next_amount
                      FROM credit_insurance_cover c
                     WHERE c.active AND c.layer = 'permanent'
                    WINDOW w AS (PARTITION BY c.policy_id, c.buyer_id ORDER BY c.id)) h
              JOIN credit_insurance_policy p ON p.id = h.policy_id
             WHERE h.status = 'requested' AND NOT %(sent)s
            """,
            granted=list(GRANTED_STATUSES),
            sent=self._own_request_sql(SQL("TRUE"), SQL("h.seen"), SQL("r.submitted_on::date")),
        )

    def _cuts_sql(self):
        """Covers that became less, or ended, without our asking for it."""
        return SQL(
            """
            SELECT h.id::bigint * 3 + 2, 'cut', NULL, p.insurer_id, h.policy_id, h.buyer_id, h.company_id,
                   h.currency_id, h.decided, NULL::date, (h.amount_before - h.left_amount)::numeric,
                   h.left_amount::numeric, NULL::float8, NULL::float8, 0, 0, 1
              FROM (SELECT c.*, COALESCE(c.decided_on, c.effective_from) AS decided,
                           CASE WHEN c.status = ANY(%(granted)s) THEN COALESCE(c.amount, 0) ELSE 0 END AS left_amount,
                           LAG(CASE WHEN c.status = ANY(%(granted)s) THEN COALESCE(c.amount, 0) ELSE 0 END) OVER w
                               AS amount_before,
                           LAG(c.currency_id) OVER w AS currency_before, LAG(c.grade) OVER w AS grade_before
                      FROM credit_insurance_cover c
                     WHERE c.active AND c.layer = 'permanent'
                       AND (c.ends_cover OR c.status = ANY(%(granted)s) OR c.status = 'withdrawn')
                    WINDOW w AS (PARTITION BY c.policy_id, c.buyer_id ORDER BY c.effective_from, c.id)) h
              JOIN credit_insurance_policy p ON p.id = h.policy_id
             WHERE h.amount_before > h.left_amount AND h.currency_before = h.currency_id AND NOT %(asked)s
               AND (h.derived AND h.grade = h.grade_before) IS NOT TRUE
            """,
            granted=list(GRANTED_STATUSES),
            asked=self._own_request_sql(SQL("r.kind IN ('reduce', 'cancel')"), SQL("h.decided"), SQL("r.decided_on")),
        )

    def _own_request_sql(self, condition, day, its_day):
        """Whether a request of ours for the same buyer and policy lies near ``day``."""
        if REQUESTS not in self.env:
            return SQL("FALSE")
        return SQL(
            """EXISTS (SELECT FROM credit_insurance_cover_request r
                        WHERE r.buyer_id = h.buyer_id AND r.policy_id = h.policy_id AND r.submitted_on IS NOT NULL
                          AND %s AND abs(%s - %s) <= %s)""",
            condition,
            its_day,
            day,
            NEAR_DAYS,
        )
