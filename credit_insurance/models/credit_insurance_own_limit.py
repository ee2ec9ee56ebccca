from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain

from . import credit_insurance_limit_row  # noqa: F401 (has to be loaded first)

# A reviewer with more limits to review than this gets one activity for all of them.
ACTIVITIES_AT_ONCE = 5
TEAM_GROUP = "credit_insurance.credit_insurance_group_user"
REVIEW_TYPE = "credit_insurance.mail_activity_type_limit_review"


class CreditInsuranceOwnLimit(models.Model):
    """Credit at our own risk, for a buyer or a credit group; permanent and temporary amounts are separate rows.

    Of several permanent rows the latest counts; a new one ends the one before it.
    """

    _name = "credit.insurance.own.limit"
    _description = "Own Credit Limit"
    _inherit = ["credit.insurance.limit.row"]
    _order = "buyer_id, date_from desc, id desc"
    _fixed = ("buyer_id", "group_id")
    _terms = ("kind", "amount", "currency_id", "date_from")
    _holders = ("buyer_id", "group_id")

    buyer_id = fields.Many2one(required=False)
    group_id = fields.Many2one(
        "credit.insurance.group",
        string="Credit Group",
        ondelete="restrict",
        index="btree_not_null",
        help="The limit is shared by every buyer of this group.",
    )
    kind = fields.Selection(
        [("permanent", "Permanent"), ("temporary", "Temporary")], default="permanent", required=True, tracking=True
    )
    reviewer_id = fields.Many2one("res.users", default=lambda self: self.env.user, tracking=True)
    next_review = fields.Date(compute="_compute_next_review", store=True, readonly=False, copy=False, tracking=True)
    reviewed_on = fields.Date(readonly=True, copy=False)
    review_due = fields.Boolean(compute="_compute_review_due", search="_search_review_due")
    replaces_id = fields.Many2one(
        "credit.insurance.own.limit", string="Takes the Place Of", copy=False, index="btree_not_null"
    )
    request_id = fields.Many2one("credit.insurance.limit.request", readonly=True, copy=False, index="btree_not_null")
    rule_id = fields.Many2one("credit.insurance.rule", string="Reduced By", readonly=True, copy=False)

    _one_holder = models.Constraint(
        "CHECK((buyer_id IS NULL) <> (group_id IS NULL))", "A limit belongs to one buyer or to one credit group."
    )
    _amount_positive = models.Constraint("CHECK(amount >= 0)", "A limit is an amount of zero or more.")
    _dates_ordered = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "The limit ends before it starts."
    )
    _temporary_ends = models.Constraint(
        "CHECK(kind = 'permanent' OR date_to IS NOT NULL)", "A temporary limit needs a last day."
    )

    # === COMPUTE METHODS === #

    @api.depends("date_from")
    def _compute_next_review(self):
        for row in self:
            months = (row.company_id or self.env.company.root_id).sudo().credit_limit_review_months
            row.next_review = row.next_review or (
                row.date_from and months and row.date_from + relativedelta(months=months)
            )

    @api.depends("next_review", "cancelled", "date_to")
    def _compute_review_due(self):
        for row in self:
            today = row._today()
            ended = row.cancelled or (row.date_to and row.date_to < today)
            row.review_due = bool(row.next_review and row.next_review <= today and not ended)

    def _search_review_due(self, operator, value):
        if operator != "in":
            return NotImplemented
        due = Domain(self._get_due_domain(fields.Date.context_today(self)))
        return Domain.OR([due if wanted else ~due for wanted in value])

    @api.model
    def _get_due_domain(self, today):
        return [
            ("next_review", "<=", today),
            ("cancelled", "=", False),
            "|",
            ("date_to", "=", False),
            ("date_to", ">=", today),
        ]

    # === ACTIONS === #

    def action_reviewed(self):
        """These limits were looked at and stay: the next review is a full period from today."""
        self.check_access("write")
        for row in self:
            today = row._today()
            months = (row.company_id or self.env.company.root_id).sudo().credit_limit_review_months or 12
            row.write({"next_review": today + relativedelta(months=months)})
            row.sudo().reviewed_on = today
            row.activity_feedback([REVIEW_TYPE], feedback=self.env._("Reviewed, stays as it is."))
        return True

    # === BUSINESS METHODS === #

    def _take_places(self):
        """A new permanent limit from today on ends the ones that stand, too."""
        super()._take_places()
        new = self.filtered(lambda row: row.kind == "permanent" and row.date_from >= row._today())
        if not new:
            return
        holders = ["|", ("buyer_id", "in", new.buyer_id.ids), ("group_id", "in", new.group_id.ids)]
        standing = self.search(
            [*holders, ("kind", "=", "permanent"), ("cancelled", "=", False), ("id", "not in", self.ids)]
        ).grouped(lambda row: (row.buyer_id, row.group_id))
        for row in new:
            for other in standing.get((row.buyer_id, row.group_id), ()):
                if other.date_from <= row.date_from and (not other.date_to or other.date_to >= row.date_from):
                    other._end_before(row.date_from)

    def _get_beside(self):
        """A permanent row takes the place of another one; temporary ones add."""
        beside = super()._get_beside()
        return beside.filtered(lambda row: row.kind == "temporary") if self.kind == "permanent" else beside

    @api.model
    def _get_typist(self, company):
        return self.env.user if company.root_id.sudo().credit_typed_limit_four_eyes else super()._get_typist(company)

    def _get_granted_by_people(self):
        """The row that people granted, of which this one is what rules left."""
        self.ensure_one()
        row = self
        while row.rule_id and row.replaces_id:
            row = row.replaces_id
        return row

    def _get_companies(self):
        """A shared limit is credit of every company in which one of its buyers is."""
        shared = self.group_id.sudo().buyer_ids.company_id
        return self.company_id or shared.with_env(self.env) or self.env.company.root_id

    @api.model
    def _cron_remind_reviewers(self):
        """Once a day: an activity for each limit due for review, or one for all of a reviewer who has many."""
        today = fields.Date.context_today(self)
        due = self.search(self._get_due_domain(today), order="next_review, id")
        open_activities = self.env["mail.activity"].search(
            [
                ("res_model", "=", self._name),
                ("activity_type_id", "=", self.env.ref(REVIEW_TYPE).id),
                ("res_id", "in", due.ids),
            ]
        )
        reminded = set(open_activities.mapped("res_id"))
        for reviewer, limits in due.grouped(lambda row: row._get_reviewer()).items():
            if reviewer:
                limits._remind(reviewer, reminded)

    def _get_reviewer(self):
        """Who reviews it, as long as that is somebody who sees limits; else the company's responsible."""
        self.ensure_one()
        company = self.company_id or self.env.company.root_id
        reviewer = self.reviewer_id.sudo()
        able = reviewer.active and company in reviewer.company_ids and reviewer.has_group(TEAM_GROUP)
        return self.reviewer_id if able else company._get_credit_responsible()

    def _remind(self, reviewer, reminded):
        texts = self.with_context(lang=reviewer.lang)
        if len(self) <= ACTIVITIES_AT_ONCE:
            for row in texts.filtered(lambda row: row.id not in reminded):
                row.activity_schedule(
                    REVIEW_TYPE,
                    user_id=reviewer.id,
                    date_deadline=row.next_review,
                    summary=texts.env._("Limit due for review: %s", (row.buyer_id or row.group_id).display_name),
                )
        elif not reminded.intersection(self.ids):
            texts[0].activity_schedule(
                REVIEW_TYPE,
                user_id=reviewer.id,
                date_deadline=texts[0].next_review,
                summary=texts.env._("%s limits are due for review", len(self)),
                note=texts.env._("See Credit / Limits to Review."),
            )
