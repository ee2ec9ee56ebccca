"""Adapter: grades as the insurer tells them, into the history of our buyers."""

import json
from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL


class CreditInsuranceGrade(models.Model):
    _inherit = "credit.insurance.grade"

    @api.model
    def _take_over(self, pull, links, grades):
        """Add history rows for the grades of these linked buyers that changed; note who has none any more.

        :return: number of rows added
        """
        insurer = pull.account_id.insurer_id
        scale = insurer.grade_scale_id
        classes = {value: scale._get_risk_class(value) or None for value in {grade.value for grade in grades}}
        rows = {
            grade.buyer_id: {
                "buyer": grade.buyer_id,
                "grade": grade.value,
                "graded_on": str(grade.graded_on) if grade.graded_on else None,
                "risk_class": classes[grade.value],
            }
            for grade in sorted(grades, key=lambda grade: grade.graded_on or date.max)
        }
        self.env.flush_all()
        incoming = SQL(
            "jsonb_to_recordset(%s::jsonb) AS i(buyer text, grade text, graded_on date, risk_class text)",
            json.dumps(list(rows.values())),
        )
        added = [row[0] for row in self.env.execute_query(self._insert_changed_sql(pull, links, insurer, incoming))]
        self.env.cr.execute(self._mark_missing_sql(pull, links, insurer, list(rows)))
        self._record_changes(added)
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
                   GREATEST(COALESCE(i.graded_on, %(today)s::date), last.graded_on), %(told)s,
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
            told=pull._get_told_at(),
            now=fields.Datetime.now(),
            # Of an insurer that does not say since when: it is a change when the grade is another.
            today=fields.Date.context_today(pull),
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
