"""Cover that follows from the buyer's grade: the insurer tells the grade, the policy's table tells the amount.

A cover told with a grade and without an amount is kept as it came, with the status ``unknown``. What the table says for
its grade is added to the history as rows of their own, one from each day on which the amount changes; where the table
says nothing, the amount stays unknown. What has yet to begin is a change of cover on its first day, not before.
"""

import json
from datetime import timedelta
from itertools import zip_longest
from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, format_date

from . import credit_insurance_cover, credit_insurance_policy  # noqa: F401 (have to be loaded first)
from .amounts import is_amount
from .credit_insurance_cover import IN_FORCE_FIRST

# The last answer under each reference, where it is one by grade, with the rows made of it and itself, the latest of
# each first day.
TOLD = """
    SELECT told.id, told.external_id, told.grade, told.effective_from, told.effective_to,
           NOT EXISTS (SELECT 1 FROM credit_insurance_cover o
                        WHERE o.policy_id = told.policy_id AND o.external_id = told.external_id
                          AND o.buyer_id = told.buyer_id AND o.status IN ('approved', 'partial', 'reduced')) AS fresh,
           json_agg(CASE WHEN s.status = 'approved'
                         THEN json_build_array(s.effective_from, s.grade_cover_id, s.amount, s.currency_id)
                         ELSE json_build_array(s.effective_from, NULL, 0, NULL) END
                    ORDER BY s.effective_from) FILTER (WHERE s.id IS NOT NULL) AS standing
      FROM (SELECT DISTINCT ON (c.external_id, c.buyer_id) c.*
              FROM credit_insurance_cover c
             WHERE c.policy_id = %(policy)s AND c.layer = 'permanent' AND c.derived IS NOT TRUE AND %(which)s
             ORDER BY c.external_id, c.buyer_id, c.id DESC) told
      LEFT JOIN LATERAL (SELECT DISTINCT ON (d.effective_from) d.*
                           FROM credit_insurance_cover d
                          WHERE d.policy_id = told.policy_id AND d.external_id = told.external_id
                            AND d.buyer_id = told.buyer_id AND d.layer = told.layer AND d.active AND d.id >= told.id
                          ORDER BY d.effective_from, d.id DESC) s ON TRUE
     WHERE told.grade IS NOT NULL
     GROUP BY told.id, told.policy_id, told.external_id, told.buyer_id, told.grade, told.effective_from,
              told.effective_to
     ORDER BY told.id
"""
BY_GRADE = """c.external_id IN (SELECT g.external_id FROM credit_insurance_cover g
                                 WHERE g.policy_id = %s AND g.grade IS NOT NULL)"""
INSERT_DERIVED = """
    INSERT INTO credit_insurance_cover
           (buyer_id, policy_id, company_id, pull_id, active, layer, status, raw_code, amount, requested_amount,
            currency_id, insured_percentage, effective_from, told_effective_from, effective_to, decided_on, conditions,
            external_id, fingerprint, grade, grade_cover_id, derived, begins_later, fetched_at,
            create_uid, create_date, write_uid, write_date)
    SELECT t.buyer_id, t.policy_id, t.company_id, t.pull_id, TRUE, t.layer,
           CASE WHEN i.row_id IS NULL THEN 'unknown' ELSE 'approved' END, t.raw_code, COALESCE(i.amount, 0),
           t.requested_amount, COALESCE(i.currency_id, t.currency_id), t.insured_percentage, i.day,
           t.told_effective_from, t.effective_to, t.decided_on, t.conditions, t.external_id, t.fingerprint, t.grade,
           i.row_id, TRUE, i.day > %(today)s, t.fetched_at, %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM jsonb_to_recordset(%(rows)s::jsonb) AS i(told int, day date, row_id int, amount numeric, currency_id int)
      JOIN credit_insurance_cover t ON t.id = i.told
     ORDER BY i.told, i.day
    RETURNING id
"""
# A row of the same answer that begins on the same day, or later, says no more than the new one.
END_REPLACED = """
    UPDATE credit_insurance_cover c
       SET active = FALSE
      FROM credit_insurance_cover n
     WHERE n.id = ANY(%(added)s) AND c.policy_id = n.policy_id AND c.external_id = n.external_id
       AND c.buyer_id = n.buyer_id AND c.layer = n.layer AND c.id < n.id AND c.active
       AND c.effective_from >= n.effective_from AND c.grade IS NOT NULL
"""
# Amounts whose first day has come, and whether they are what counts of their cover now.
BEGUN = """
    SELECT n.id, n.id = (SELECT c.id FROM credit_insurance_cover c
                          WHERE c.policy_id = n.policy_id AND c.external_id = n.external_id
                            AND c.buyer_id = n.buyer_id AND c.layer = n.layer AND c.active
                            AND c.effective_from <= %(today)s
                          ORDER BY %(in_force_first)s LIMIT 1) AS counts
      FROM credit_insurance_cover n
     WHERE n.policy_id = %(policy)s AND n.begins_later AND n.active AND n.effective_from <= %(today)s
       FOR UPDATE
"""


class Segment(NamedTuple):
    """What the table says from a day on; no row: nothing."""

    day: str
    row_id: int | None
    amount: float
    currency_id: int | None


class CreditInsurancePolicyGradeCover(models.Model):
    """What a policy grants to buyers of one grade, from a day on until a later row of the same grade."""

    _name = "credit.insurance.policy.grade.cover"
    _description = "Amount Covered by Grade"
    _order = "policy_id, grade, date_from, id"
    _rec_name = "grade"

    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="policy_id.company_id", store=True)
    grade = fields.Char(required=True, help="As the insurer writes it.")
    amount = fields.Monetary(required=True, help="Amount covered. 0: buyers of this grade have no cover.")
    currency_id = fields.Many2one(
        "res.currency", required=True, compute="_compute_currency_id", store=True, readonly=False, precompute=True
    )
    date_from = fields.Date(
        required=True, compute="_compute_date_from", store=True, readonly=False, precompute=True, string="From"
    )

    _grade_uniq = models.UniqueIndex(
        "(policy_id, grade, date_from)", "The table has an amount for this grade from this day on already."
    )

    @api.depends("policy_id")
    def _compute_currency_id(self):
        for row in self:
            row.currency_id = row.currency_id or row.policy_id.currency_id

    @api.depends("policy_id")
    def _compute_date_from(self):
        for row in self:
            row.date_from = row.date_from or row.policy_id.date_start

    @api.constrains("amount")
    def _check_amount(self):
        if not all(row.amount >= 0 and is_amount(row.amount) for row in self):
            raise ValidationError(self.env._("What a policy covers for a grade is an amount of zero or more."))

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create([_stripped(vals) for vals in vals_list])
        rows.policy_id._derive_covers()
        self._log_changes({}, rows._describe())
        return rows

    def write(self, vals):
        policies, before = self.policy_id, self._describe()
        result = super().write(_stripped(vals))
        (policies | self.policy_id)._derive_covers()
        self._log_changes(before, self._describe())
        return result

    def unlink(self):
        policies, before = self.policy_id, self._describe()
        result = super().unlink()
        policies.exists()._derive_covers()
        self._log_changes(before, {})
        return result

    def _describe(self):
        """What each row says: ``{(policy, row id): text}``."""
        return {
            (row.policy_id, row.id): self.env._(
                "Grade %(grade)s from %(date)s: %(amount)s",
                grade=row.grade,
                date=format_date(self.env, row.date_from),
                amount=row.currency_id.format(row.amount),
            )
            for row in self
        }

    @api.model
    def _log_changes(self, before, after):
        """Put what rows said and what they say now into the chatter of their policies."""
        changed = {}
        for key in {**before, **after}:
            if before.get(key) != after.get(key):
                item = Markup("<li>{} → {}</li>").format(before.get(key, "–"), after.get(key, "–"))
                changed[key[0]] = changed.get(key[0], Markup()) + item
        for policy, items in changed.items():
            head = self.env._("The cover by grade was changed:")
            policy._message_log(body=Markup("{}<ul>{}</ul>").format(head, items))


class CreditInsurancePolicy(models.Model):
    _inherit = "credit.insurance.policy"

    grade_cover_ids = fields.One2many(
        "credit.insurance.policy.grade.cover", "policy_id", string="Cover by Grade", copy=True
    )

    def _derive_covers(self):
        """After a change of the table: what follows of it for every cover by grade."""
        for policy in self:
            self.env["credit.insurance.cover"].sudo()._derive_from_grades(policy)


class CreditInsuranceCover(models.Model):
    _inherit = "credit.insurance.cover"

    grade = fields.Char(
        readonly=True, copy=False, help="Told instead of an amount: the policy's table says what is covered for it."
    )
    grade_cover_id = fields.Many2one(
        "credit.insurance.policy.grade.cover", string="Row of the Policy's Table", readonly=True, copy=False,
        ondelete="set null", index="btree_not_null",
    )  # fmt: skip
    derived = fields.Boolean(readonly=True, copy=False, help="Made of the insurer's answer and the policy's table.")
    begins_later = fields.Boolean(
        readonly=True, copy=False, help="By the policy's table from a day on that had not come when this was recorded."
    )
    basis = fields.Char(compute="_compute_basis")

    _to_come_idx = models.Index("(policy_id, effective_from) WHERE begins_later AND active")
    _grade_idx = models.Index("(policy_id, external_id) WHERE grade IS NOT NULL")

    @api.depends("grade", "grade_cover_id", "policy_id.grade_cover_ids.date_from")
    @api.depends_context("lang")
    def _compute_basis(self):
        for cover in self:
            cover.basis = cover._describe_basis() if cover.grade else False

    def _describe_basis(self):
        """How the amount follows from the grade, or which row of the policy's table is missing; for people."""
        self.ensure_one()
        row = self.sudo().grade_cover_id
        values = {"grade": self.grade, "policy": self.policy_id.number, "date": self.effective_from}
        if row:
            amount = row.currency_id.format(row.amount)
            return self.env._(
                "Grade %(grade)s: policy %(policy)s covers %(amount)s for it since %(date)s.",
                **{**values, "amount": amount, "date": row.date_from},
            )
        return self.env._(
            "Grade %(grade)s: the table of policy %(policy)s has no row for it on %(date)s. Enter that row to know the "
            "amount.",
            **values,
        )

    @api.model
    def _derive_from_grades(self, policy, references=None):
        """Bring the rows made of answers by grade in line with the policy's table, adding only what changes.

        :param references: the insurer's references to look at; all of the policy when None
        """
        self.env.flush_all()
        table = {}
        for row in policy.sudo().grade_cover_ids.sorted("date_from"):
            table.setdefault(row.grade, []).append(row)
        which = SQL(BY_GRADE, policy.id) if references is None else SQL("c.external_id = ANY(%s)", list(references))
        rows, fresh = [], set()
        for told in self.env.execute_query_dict(SQL(TOLD, policy=policy.id, which=which)):
            segments = _get_news(told, _get_segments(told, table.get(told["grade"], [])))
            rows += [{"told": told["id"], **segment._asdict()} for segment in segments]
            fresh |= {told["external_id"]} if told["fresh"] else set()
        if not rows:
            return
        today = policy.company_id._credit_today()
        values = {"rows": json.dumps(rows), "uid": self.env.uid, "now": fields.Datetime.now(), "today": today}
        added = [row[0] for row in self.env.execute_query(SQL(INSERT_DERIVED, **values))]
        self.env.cr.execute(SQL(END_REPLACED, added=added))
        self.env["credit.insurance.buyer"].invalidate_model(flush=False)
        self.invalidate_model(flush=False)
        if moved := self._get_in_force(policy, added, fresh):
            self._record_changes(policy, moved)

    @api.model
    def _get_in_force(self, policy, added, fresh):
        """Of these new rows those in force today, one of each cover; not of a cover whose first amount this is."""
        today = policy.company_id._credit_today()
        begun = self.browse(added).filtered(lambda row: row.effective_from <= today and row.external_id not in fresh)
        return [rows.sorted("effective_from")[-1].id for rows in begun.grouped("external_id").values()]

    @api.model
    def _cron_begin(self):
        """Take amounts by grade whose first day has come for changes of cover, each once."""
        tomorrow = fields.Date.today() + timedelta(days=1)  # already there, east of here
        domain = [("begins_later", "=", True), ("effective_from", "<=", tomorrow)]
        for (policy,) in self._read_group(domain, ["policy_id"]):
            self._begin(policy)
            if not self.env["ir.cron"]._commit_progress(1):
                break

    @api.model
    def _begin(self, policy):
        values = {"policy": policy.id, "today": policy.company_id._credit_today(), "in_force_first": IN_FORCE_FIRST}
        self.env.flush_all()
        begun = dict(self.env.execute_query(SQL(BEGUN, **values)))
        if counting := [row_id for row_id, counts in begun.items() if counts]:
            self._record_changes(policy, counting)
        query = "UPDATE credit_insurance_cover SET begins_later = FALSE WHERE id = ANY(%s)"
        self.env.cr.execute(SQL(query, list(begun)))
        self.invalidate_model(["begins_later"], flush=False)


def _get_segments(told, rows):
    """What the table says of one answer: a segment from its first day on, and one from each later change on."""
    start, end = told["effective_from"], told["effective_to"]
    before = [row for row in rows if row.date_from <= start][-1:]
    later = [row for row in rows if row.date_from > start and (not end or row.date_from <= end)]
    first = [_segment(start, before[0])] if before else [Segment(str(start), None, 0.0, None)]
    return [*first, *(_segment(row.date_from, row) for row in later)]


def _segment(day, row):
    return Segment(str(day), row.id, row.amount, row.currency_id.id)


def _get_news(told, segments):
    """The segments to add so that the history says what they say; none when it does."""
    standing = [Segment(day, row, float(amount), code) for day, row, amount, code in told["standing"]]
    pairs = enumerate(zip_longest(standing, segments))
    first = next((place for place, (said, wanted) in pairs if said != wanted), len(segments))
    days = {segment.day for segment in segments}
    if any(segment.day not in days for segment in standing[first:]):
        first -= 1  # what is gone is ended by saying anew what stood before it
    return segments[first:]


def _stripped(vals):
    return {**vals, "grade": (vals["grade"] or "").strip()} if "grade" in vals else vals
