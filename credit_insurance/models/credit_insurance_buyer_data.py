"""What the insurer says about a buyer today, and how old that is: read from the dated history, never stored."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .credit_insurance_cover import COVER_STATUSES
from .credit_insurance_grade_scale import RISK_CLASSES

COMPARISONS = {"<": SQL("<"), "<=": SQL("<="), ">": SQL(">"), ">=": SQL(">=")}


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    grade_id = fields.Many2one("credit.insurance.grade", compute="_compute_grade", string="Latest Grade")
    grade = fields.Char(compute="_compute_grade")
    grade_label = fields.Char(compute="_compute_grade", string="Meaning of the Grade")
    grade_insurer_id = fields.Many2one("credit.insurance.insurer", compute="_compute_grade", string="Graded By")
    graded_on = fields.Date(compute="_compute_grade")
    risk_class = fields.Selection(RISK_CLASSES, compute="_compute_grade", search="_search_risk_class")
    grade_confirmed_at = fields.Datetime(compute="_compute_grade")
    grade_age = fields.Char(compute="_compute_ages", string="Grade Received")

    current_cover_id = fields.Many2one("credit.insurance.cover", compute="_compute_cover")
    cover_status = fields.Selection(COVER_STATUSES, compute="_compute_cover", search="_search_cover_status")
    cover_amount = fields.Monetary(compute="_compute_cover", currency_field="cover_currency_id", string="Cover")
    cover_currency_id = fields.Many2one("res.currency", compute="_compute_cover")
    cover_percentage = fields.Float(compute="_compute_cover", digits=(5, 2), string="Insured %")
    cover_ends_on = fields.Date(
        compute="_compute_cover",
        search="_search_cover_ends_on",
        string="Cover Stands Until",
        help="Last day before it ends, or before an announced change takes effect. Empty: no end known.",
    )
    cover_effective_from = fields.Date(compute="_compute_cover", string="Cover In Force Since")
    cover_announced_status = fields.Selection(COVER_STATUSES, compute="_compute_cover", string="Announced")
    cover_announced_from = fields.Date(compute="_compute_cover", string="Announced From")
    open_answer_id = fields.Many2one(
        "credit.insurance.cover",
        compute="_compute_cover",
        help="A later answer that leaves the cover as it is: requested, an increase refused, or one we cannot read.",
    )

    data_confirmed_at = fields.Datetime(
        compute="_compute_ages", string="Insurer Data As Of", help="When the insurer was last seen to say this."
    )
    data_age_days = fields.Integer(compute="_compute_ages", string="Age of Insurer Data (days)")
    data_age = fields.Char(compute="_compute_ages", string="Insurer Data Received")
    data_stale = fields.Boolean(
        compute="_compute_ages",
        search="_search_data_stale",
        string="Insurer Data Stale",
        help="Older than the company accepts without a warning.",
    )
    missing_since = fields.Datetime(compute="_compute_missing_since")

    # === COMPUTE METHODS === #

    @api.depends(
        "grade_ids.grade",
        "grade_ids.graded_on",
        "grade_ids.risk_class",
        "link_ids.grade_missing_since",
        "link_ids.account_id.grades_pulled_at",
    )
    @api.depends_context("lang")
    def _compute_grade(self):
        for buyer in self:
            grade = buyer.grade_ids.sorted()[:1]
            buyer.grade_id = grade
            buyer.grade = grade.grade
            buyer.grade_label = grade.label
            buyer.grade_insurer_id = grade.insurer_id
            buyer.graded_on = grade.graded_on
            buyer.risk_class = grade.risk_class
            # Connections are not for everyone who may see the age of a grade.
            links = buyer.sudo().link_ids.filtered(lambda link, grade=grade: link.insurer_id == grade.insurer_id)[:1]
            seen = not links.grade_missing_since and links.account_id.grades_pulled_at
            buyer.grade_confirmed_at = max(filter(None, [grade.fetched_at, grade.pull_id and seen]), default=False)

    @api.depends("cover_ids.status", "cover_ids.amount", "cover_ids.effective_from", "cover_ids.active")
    @api.depends_context("tz")
    def _compute_cover(self):
        today = fields.Date.context_today(self)
        current = self.env["credit.insurance.cover"]._get_current(self, today)
        for buyer in self:
            cover = current.get(buyer.id, self.env["credit.insurance.cover"])
            latest = buyer.cover_ids.filtered(lambda row: row.layer == "permanent").sorted("id")[-1:]
            buyer.current_cover_id = cover
            buyer.cover_status = cover._get_status_on(today) if cover else "none"
            buyer.cover_amount = cover._get_amount_on(today) if cover else 0.0
            buyer.cover_currency_id = cover.currency_id or buyer.currency_id
            buyer.cover_percentage = cover.insured_percentage
            buyer.cover_effective_from = cover.effective_from
            buyer.cover_ends_on = cover._get_end() if cover else False
            buyer.cover_announced_status = cover.announced_status
            buyer.cover_announced_from = cover.announced_from
            passive = latest.status in ("requested", "refused", "unknown") and latest.id > cover.id
            buyer.open_answer_id = latest if passive else False

    @api.depends(
        "current_cover_id",
        "grade_confirmed_at",
        "link_ids.missing_since",
        "link_ids.account_id.covers_pulled_at",
        "company_id.credit_data_max_age_days",
    )
    @api.depends_context("tz", "lang")
    def _compute_ages(self):
        for buyer in self:
            confirmed = buyer.current_cover_id.confirmed_at or buyer.grade_confirmed_at
            buyer.data_confirmed_at = confirmed
            buyer.data_age_days = buyer._get_age_days(confirmed)
            buyer.data_age = buyer._describe_age(confirmed)
            buyer.grade_age = buyer._describe_age(buyer.grade_confirmed_at)
            oldest = buyer.company_id.credit_data_max_age_days
            buyer.data_stale = bool(confirmed and oldest) and buyer.data_age_days > oldest

    @api.depends("link_ids.missing_since")
    def _compute_missing_since(self):
        for buyer in self:
            buyer.missing_since = min(filter(None, buyer.sudo().link_ids.mapped("missing_since")), default=False)

    # === SEARCH METHODS === #

    def _search_risk_class(self, operator, value):
        if operator != "in":
            return NotImplemented
        latest = SQL(
            """SELECT DISTINCT ON (buyer_id) buyer_id, risk_class
                 FROM credit_insurance_grade ORDER BY buyer_id, graded_on DESC, id DESC"""
        )
        return self._get_matching_domain(latest, SQL("risk_class"), value, empty=False)

    def _search_cover_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        status = SQL(
            """CASE WHEN announced_status IS NOT NULL AND announced_from <= %(today)s THEN announced_status
                    WHEN effective_to < %(today)s AND status IN ('approved', 'partial', 'reduced') THEN 'expired'
                    ELSE status END""",
            today=today,
        )
        cover = self.env["credit.insurance.cover"]._current_sql(today)
        return self._get_matching_domain(cover, status, value, empty="none")

    def _search_cover_ends_on(self, operator, value):
        if operator not in COMPARISONS:
            return NotImplemented
        cover = self.env["credit.insurance.cover"]._current_sql(fields.Date.context_today(self))
        self.env.flush_all()
        return Domain(
            "id",
            "in",
            SQL(
                "(SELECT buyer_id FROM (%s) c WHERE LEAST(effective_to, announced_from - 1) %s %s)",
                cover,
                COMPARISONS[operator],
                value,
            ),
        )

    def _search_data_stale(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.env.flush_all()
        stale = Domain("id", "in", SQL("(%s)", self._stale_sql()))
        return Domain.OR([stale if wanted else ~stale for wanted in value])

    @api.model
    def _get_matching_domain(self, rows, expression, values, empty):
        """Buyers whose row among ``rows`` (one per buyer) has one of ``values``; ``empty`` stands for having no row."""
        self.env.flush_all()
        wanted = [value for value in values if value]
        found = Domain("id", "in", SQL("(SELECT buyer_id FROM (%s) r WHERE %s = ANY(%s))", rows, expression, wanted))
        if empty in values:
            known = SQL("(SELECT buyer_id FROM (%s) r WHERE (%s) IS NOT NULL)", rows, expression)
            found |= Domain("id", "not in", known)
        return found

    @api.model
    def _stale_sql(self):
        """Ids of buyers whose cover, or grade where there is no cover, is older than their company accepts."""
        return SQL(
            """
            SELECT b.id
              FROM credit_insurance_buyer b
              JOIN res_company company ON company.id = b.company_id
              LEFT JOIN (%(cover)s) c ON c.buyer_id = b.id
              LEFT JOIN credit_insurance_policy p ON p.id = c.policy_id
              LEFT JOIN credit_insurance_buyer_link l ON l.buyer_id = b.id AND l.account_id = p.account_id
              LEFT JOIN credit_insurance_account a ON a.id = l.account_id
              LEFT JOIN LATERAL (
                   SELECT MAX(GREATEST(g.fetched_at, CASE WHEN g.pull_id IS NOT NULL AND k.grade_missing_since IS NULL
                                                          THEN ga.grades_pulled_at END)) AS confirmed
                     FROM credit_insurance_grade g
                     LEFT JOIN (credit_insurance_buyer_link k
                                JOIN credit_insurance_account ga ON ga.id = k.account_id)
                            ON k.buyer_id = b.id AND ga.insurer_id = g.insurer_id
                    WHERE g.buyer_id = b.id) grade ON c.id IS NULL
             WHERE COALESCE(GREATEST(c.fetched_at, CASE WHEN c.external_id IS NULL THEN NULL
                                                        WHEN l.missing_since IS NULL THEN a.covers_pulled_at
                                                        ELSE l.last_seen_at END),
                            grade.confirmed)::date
                   < %(today)s - NULLIF(company.credit_data_max_age_days, 0)
            """,
            cover=self.env["credit.insurance.cover"]._current_sql(fields.Date.context_today(self)),
            today=fields.Date.context_today(self),
        )

    # === AGES === #

    @api.model
    def _get_age_days(self, moment):
        """Whole calendar days since ``moment`` for the reader; 0 when there is none."""
        if not moment:
            return 0
        day = fields.Datetime.context_timestamp(self, moment).date()
        return max((fields.Date.context_today(self) - day).days, 0)

    @api.model
    def _describe_age(self, moment):
        if not moment:
            return self.env._("never")
        days = self._get_age_days(moment)
        if days == 0:
            return self.env._("today")
        return self.env._("yesterday") if days == 1 else self.env._("%s days ago", days)

    # === ACTIONS === #

    def action_find_number(self):
        """Ask every insurer in use for its number of this buyer."""
        self.ensure_one()
        self.check_access("write")
        accounts = self.env["credit.insurance.account"].search(
            [("company_id", "=", self.company_id.id), ("state", "!=", "disabled")]
        )
        for account in accounts:
            self.env["credit.insurance.buyer.link"]._start_matching(account, self)
        return accounts[:1]._notify("info", self.env._("The insurer is being asked for this buyer's number."))
