"""Adapter: what insurers say, as the connectors' messages, into the history of our buyers.

One statement per page, however many rows it has: it adds a row where the insurer's answer differs from the last one
under the same reference and writes nothing where it is the same.
"""

import hashlib
import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.connectors import AnnouncementKind, CoverStatus

ANNOUNCED = {AnnouncementKind.WITHDRAWAL: "withdrawn", AnnouncementKind.REDUCTION: "reduced"}
INCOMING_COVERS = """
       jsonb_to_recordset(%s::jsonb) AS i(
           reference text, buyer text, status text, raw_code text, amount numeric, requested_amount numeric,
           currency_id int, insured_percentage numeric, told_from date, first_from date, changed_from date,
           effective_to date, announced_status text, announced_code text, announced_from date,
           announced_amount numeric, decided_on date, conditions text, fingerprint text)
"""


class CreditInsuranceCover(models.Model):
    _inherit = "credit.insurance.cover"

    @api.model
    def _take_over(self, pull, policy, covers):
        """Add history rows for what changed in these ``connectors.Cover`` messages of one policy.

        Buyers that are not linked to ours are reported (``credit.insurance.unlinked.buyer``).

        :return: (number of rows added, list of sentences about messages that could not be taken over)
        """
        rows, problems = self._prepare_incoming(pull, policy, covers)
        self.env.flush_all()
        incoming = SQL(INCOMING_COVERS, json.dumps(rows))
        added = [row[0] for row in self.env.execute_query(self._insert_changed_sql(pull, policy, incoming))]
        if added:
            self.env.cr.execute(self._mark_corrected_sql(added))
        self.env.cr.execute(self._report_unlinked_sql(pull, policy, incoming))
        for model in (self, self.env["credit.insurance.buyer"], self.env["credit.insurance.unlinked.buyer"]):
            model.invalidate_model(flush=False)
        return len(added), problems

    # === MESSAGES === #

    @api.model
    def _prepare_incoming(self, pull, policy, covers):
        today = fields.Date.context_today(pull)
        codes = {cover.currency for cover in covers}
        currencies = self.env["res.currency"].with_context(active_test=False).search([("name", "in", list(codes))])
        by_code = {currency.name: currency for currency in currencies}
        rows, problems = {}, []
        for cover in covers:
            currency = by_code.get(cover.currency)
            if cover.policy_number != policy.number:
                problems.append(
                    self.env._(
                        "Cover %(cover)s belongs to policy %(policy)s, which was not asked for.",
                        cover=cover.cover_id,
                        policy=cover.policy_number,
                    )
                )
            elif not currency or not currency.active:
                problems.append(
                    self.env._(
                        "Cover %(cover)s is in %(currency)s: activate that currency and give it a rate.",
                        cover=cover.cover_id,
                        currency=cover.currency,
                    )
                )
            else:
                rows[cover.cover_id] = self._prepare_row(cover, currency, today)
        return list(rows.values()), problems

    @api.model
    def _prepare_row(self, cover, currency, today):
        """One message as a row of ``INCOMING_COVERS``; only the dates need interpreting."""
        announced = min(cover.announcements, key=lambda item: item.effective_from, default=None)
        decided = cover.decided_on or today
        ended = cover.status in (CoverStatus.WITHDRAWN, CoverStatus.EXPIRED)
        # What has ended is told with the dates on which it *stood*; our row says from when on it no longer does.
        changed = cover.effective_to + timedelta(days=1) if ended and cover.effective_to else decided
        row = {
            "reference": cover.cover_id,
            "buyer": cover.buyer_id,
            "status": cover.status.value,
            "raw_code": cover.raw_code,
            "amount": cover.amount or 0,
            "requested_amount": cover.requested_amount,
            "currency_id": currency.id,
            "insured_percentage": cover.insured_percentage,
            "told_from": cover.effective_from,
            "effective_to": None if ended else cover.effective_to,
            "announced_status": announced and ANNOUNCED.get(announced.kind, "unknown"),
            "announced_code": announced and announced.raw_code,
            "announced_from": announced and announced.effective_from,
            "announced_amount": announced and announced.amount,
            "decided_on": cover.decided_on,
            "conditions": "\n".join(cover.conditions) or None,
        }
        row = {key: value if value is None else str(value) for key, value in row.items()}
        told = {**row, "told_to": str(cover.effective_to)}
        return {
            **row,
            "first_from": str(changed if ended else cover.effective_from or decided),
            "changed_from": str(changed),
            "fingerprint": hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        }

    # === STATEMENTS === #

    @api.model
    def _insert_changed_sql(self, pull, policy, incoming):
        """Add a row for every answer that differs from the last one under the same reference.

        A changed amount, percentage or status whose first day was not moved acts from the decision on, never on what
        was delivered before it.
        """
        return SQL(
            """
            INSERT INTO credit_insurance_cover
                   (buyer_id, policy_id, company_id, pull_id, active, layer, status, raw_code, amount, requested_amount,
                    currency_id, insured_percentage, effective_from, told_effective_from, effective_to,
                    announced_status, announced_code, announced_from, announced_amount, decided_on, conditions,
                    ends_cover, external_id, fingerprint, fetched_at, create_uid, create_date, write_uid, write_date)
            SELECT b.id, %(policy)s, b.company_id, %(pull)s, TRUE, 'permanent', i.status, i.raw_code, i.amount,
                   i.requested_amount, i.currency_id, COALESCE(i.insured_percentage, %(percentage)s), start.day,
                   i.told_from, i.effective_to,
                   i.announced_status, i.announced_code, i.announced_from, i.announced_amount, i.decided_on,
                   i.conditions, i.status = 'refused' AND last.status IN ('approved', 'partial', 'reduced'),
                   i.reference, i.fingerprint, %(now)s, %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM %(incoming)s
              JOIN credit_insurance_buyer_link l ON l.account_id = %(account)s AND l.external_id = i.buyer
              JOIN credit_insurance_buyer b ON b.id = l.buyer_id
              LEFT JOIN LATERAL (SELECT * FROM credit_insurance_cover c
                                  WHERE c.policy_id = %(policy)s AND c.external_id = i.reference AND c.buyer_id = b.id
                                  ORDER BY c.id DESC LIMIT 1) last ON TRUE
             CROSS JOIN LATERAL (
                   SELECT LEAST(i.effective_to, CASE
                               WHEN last.id IS NULL OR i.told_from IS DISTINCT FROM last.told_effective_from
                               THEN i.first_from
                               WHEN (i.status, i.amount, i.insured_percentage, i.currency_id)
                                    IS NOT DISTINCT FROM
                                    (last.status, last.amount, last.insured_percentage, last.currency_id)
                               THEN last.effective_from
                               ELSE GREATEST(i.changed_from, last.effective_from) END) AS day) start
             WHERE last.fingerprint IS DISTINCT FROM i.fingerprint
             ORDER BY i.reference
            RETURNING id
            """,
            incoming=incoming,
            policy=policy.id,
            account=pull.account_id.id,
            pull=pull.id,
            percentage=policy.insured_percentage,
            now=fields.Datetime.now(),
            uid=self.env.uid,
        )

    @api.model
    def _mark_corrected_sql(self, added):
        """Rows that begin after a later answer under the same reference were corrected by it and no longer count."""
        return SQL(
            """
            UPDATE credit_insurance_cover c
               SET active = FALSE
              FROM credit_insurance_cover n
             WHERE n.id = ANY(%s) AND c.policy_id = n.policy_id AND c.external_id = n.external_id
               AND c.buyer_id = n.buyer_id AND c.id < n.id AND c.active AND c.effective_from > n.effective_from
            """,
            added,
        )

    @api.model
    def _report_unlinked_sql(self, pull, policy, incoming):
        return SQL(
            """
            INSERT INTO credit_insurance_unlinked_buyer AS u
                   (account_id, company_id, policy_id, external_id, reference, status, amount, currency_id,
                    create_uid, create_date, write_uid, write_date)
            SELECT DISTINCT ON (i.buyer) %(account)s, %(company)s, %(policy)s, i.buyer, i.reference, i.status, i.amount,
                   i.currency_id, %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM %(incoming)s
             WHERE NOT EXISTS (SELECT 1 FROM credit_insurance_buyer_link l
                                WHERE l.account_id = %(account)s AND l.external_id = i.buyer)
             ORDER BY i.buyer, i.amount DESC, i.reference
                ON CONFLICT (account_id, policy_id, external_id) DO UPDATE
               SET reference = excluded.reference, status = excluded.status,
                   amount = excluded.amount, currency_id = excluded.currency_id, write_date = excluded.write_date
             WHERE (u.reference, u.status, u.amount, u.currency_id)
                   IS DISTINCT FROM (excluded.reference, excluded.status, excluded.amount, excluded.currency_id)
            """,
            incoming=incoming,
            account=pull.account_id.id,
            company=pull.company_id.id,
            policy=policy.id,
            now=fields.Datetime.now(),
            uid=self.env.uid,
        )


class CreditInsuranceGrade(models.Model):
    _inherit = "credit.insurance.grade"

    @api.model
    def _take_over(self, pull, links, grades):
        """Add history rows for the grades of these linked buyers that changed; note who has none any more.

        :return: number of rows added
        """
        insurer = pull.account_id.insurer_id
        scale = insurer.grade_scale_id
        rows = {
            grade.buyer_id: {
                "buyer": grade.buyer_id,
                "grade": grade.value,
                "graded_on": str(grade.graded_on),
                "risk_class": scale._get_risk_class(grade.value) or None,
            }
            for grade in grades
        }
        self.env.flush_all()
        incoming = SQL(
            "jsonb_to_recordset(%s::jsonb) AS i(buyer text, grade text, graded_on date, risk_class text)",
            json.dumps(list(rows.values())),
        )
        added = self.env.execute_query(self._insert_changed_sql(pull, links, insurer, incoming))
        self.env.cr.execute(self._mark_missing_sql(pull, links, insurer, list(rows)))
        for model in (self, self.env["credit.insurance.buyer"], links):
            model.invalidate_model(flush=False)
        return len(added)

    @api.model
    def _insert_changed_sql(self, pull, links, insurer, incoming):
        return SQL(
            """
            INSERT INTO credit_insurance_grade
                   (buyer_id, insurer_id, company_id, pull_id, grade, risk_class, graded_on, fetched_at,
                    create_uid, create_date, write_uid, write_date)
            SELECT b.id, %(insurer)s, b.company_id, %(pull)s, i.grade, i.risk_class,
                   GREATEST(i.graded_on, last.graded_on), %(now)s,
                   %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM %(incoming)s
              JOIN credit_insurance_buyer_link l ON l.id = ANY(%(links)s) AND l.external_id = i.buyer
              JOIN credit_insurance_buyer b ON b.id = l.buyer_id
              LEFT JOIN LATERAL (SELECT * FROM credit_insurance_grade g
                                  WHERE g.buyer_id = b.id AND g.insurer_id = %(insurer)s
                                  ORDER BY g.graded_on DESC, g.id DESC LIMIT 1) last ON TRUE
             WHERE last.id IS NULL OR i.grade <> last.grade OR i.graded_on > last.graded_on
             ORDER BY l.id
            RETURNING id
            """,
            incoming=incoming,
            insurer=insurer.id,
            links=list(links.ids),
            pull=pull.id,
            now=fields.Datetime.now(),
            uid=self.env.uid,
        )

    @api.model
    def _mark_missing_sql(self, pull, links, insurer, received):
        """The last grade stays and grows old where the insurer gives none any more. Only what changes is written."""
        return SQL(
            """
            UPDATE credit_insurance_buyer_link l
               SET grade_missing_since = CASE WHEN l.external_id = ANY(%(received)s) THEN NULL
                                              ELSE %(pulled)s::timestamp END
             WHERE l.id = ANY(%(links)s)
               AND (l.external_id = ANY(%(received)s)) = (l.grade_missing_since IS NOT NULL)
               AND (l.grade_missing_since IS NOT NULL OR EXISTS (
                    SELECT 1 FROM credit_insurance_grade g
                     WHERE g.buyer_id = l.buyer_id AND g.insurer_id = %(insurer)s))
            """,
            received=received,
            pulled=pull.started_at,
            links=list(links.ids),
            insurer=insurer.id,
        )
