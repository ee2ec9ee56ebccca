from odoo import api, fields, models
from odoo.tools import SQL

from . import credit_insurance_buyer_history  # noqa: F401 (has to be loaded first)

COVER_STATUSES = [
    ("none", "None"),
    ("requested", "Requested"),
    ("approved", "Approved"),
    ("partial", "Partially approved"),
    ("refused", "Refused"),
    ("reduced", "Reduced"),
    ("withdrawn", "Withdrawn"),
    ("expired", "Expired"),
    ("unknown", "Unknown"),
]
BY_GRADE = ("grade", "grade_cover_id", "derived", "begins_later")
# The statuses under which the amount is granted; under any other it is only what the insurer wrote beside its answer.
GRANTED_STATUSES = ("approved", "partial", "reduced")
# The order in which the rows "c" of one cover count that have begun by a day: the first is the one in force.
IN_FORCE_FIRST = SQL(
    """
    CASE WHEN c.ends_cover OR c.status IN ('approved', 'partial', 'reduced', 'withdrawn', 'expired')
           OR c.status = 'unknown' AND c.grade IS NOT NULL THEN 0
         WHEN c.status = 'refused' THEN 1
         WHEN c.status = 'unknown' THEN 2
         ELSE 3 END,
    c.effective_from DESC, COALESCE(c.decided_on, c.effective_from) DESC, c.id DESC
    """
)


class CreditInsuranceCover(models.Model):
    """The insurer's answer for one buyer under one policy, as a dated history that is added to, never overwritten.

    On any day the row that counts is the one with the latest first day up to that day, among equals the one decided
    last, per policy; a request, an unreadable answer and the refusal of an increase replace nothing. A temporary
    layer adds to the permanent one between its dates. ``rules.policy`` judges in the same way.
    """

    _name = "credit.insurance.cover"
    _description = "Insurer's Cover"
    _inherit = ["credit.insurance.buyer.history", "credit.insurance.amounts"]
    _order = "buyer_id, policy_id, effective_from desc, id desc"

    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="restrict", index=True)
    insurer_id = fields.Many2one(related="policy_id.insurer_id")
    layer = fields.Selection(
        [("permanent", "Permanent"), ("temporary", "Temporary")], default="permanent", required=True
    )
    status = fields.Selection(COVER_STATUSES, required=True)
    amount = fields.Monetary(help="Amount 0 is an amount granted, not the absence of cover.")
    requested_amount = fields.Monetary(string="Requested")
    currency_id = fields.Many2one("res.currency", required=True)
    insured_percentage = fields.Float(string="Insured %", digits=(5, 2))
    effective_from = fields.Date(required=True, default=fields.Date.context_today)
    told_effective_from = fields.Date(
        string="First Day As Told",
        readonly=True,
        help="The first day in the insurer's answer. An insurer that changes a cover without moving its first day "
        "changes it from the day of its decision on: what was delivered before keeps the old cover.",
    )
    effective_to = fields.Date(string="Effective Until", help="Last day. Empty: until the insurer decides otherwise.")
    announced_status = fields.Selection(
        COVER_STATUSES, string="Announced", help="A change the insurer has announced, in force from its date on."
    )
    announced_code = fields.Char(readonly=True, help="The insurer's own code of the announcement, as received.")
    announced_from = fields.Date()
    announced_amount = fields.Monetary(help="What remains after an announced reduction.")
    decided_on = fields.Date()
    conditions = fields.Text()
    external_id = fields.Char(string="Insurer's Reference")
    raw_code = fields.Char(string="Insurer's Code", help="The insurer's own status code, as received.")
    fingerprint = fields.Char(readonly=True, copy=False, help="Of the insurer's answer: an equal one adds no row.")
    ends_cover = fields.Boolean(
        readonly=True, help="A refusal of what had been granted under the same reference, not of an increase."
    )
    active = fields.Boolean(
        default=True,
        readonly=True,
        help="Off: the insurer corrected this row later, with an earlier first day, or the policy's table says what "
        "its grade is worth.",
    )
    confirmed_at = fields.Datetime(
        string="Last Confirmed", compute="_compute_confirmed_at", help="When the insurer was last seen to say this."
    )

    _amount_positive = models.Constraint("CHECK(amount >= 0)", "A cover is an amount of zero or more.")
    _dates_ordered = models.Constraint(
        "CHECK(effective_to IS NULL OR effective_to >= effective_from)", "The cover ends before it starts."
    )
    _percentage_range = models.Constraint(
        "CHECK(insured_percentage >= 0 AND insured_percentage <= 100)", "A percentage lies between 0 and 100."
    )
    _reference_idx = models.Index("(policy_id, external_id, id)")
    _buyer_idx = models.Index("(buyer_id, policy_id, effective_from DESC, id DESC)")

    @api.depends("fetched_at", "buyer_id.link_ids.missing_since", "policy_id.account_id.covers_pulled_at")
    def _compute_confirmed_at(self):
        """The last complete pull that contained the buyer; a row entered by hand was confirmed when it was entered."""
        for cover in self:
            # Links and accounts are not for everyone who may see a cover's age.
            account = cover.sudo().policy_id.account_id
            link = cover.sudo().buyer_id.link_ids.filtered(lambda row, account=account: row.account_id == account)
            seen = account.covers_pulled_at if not link.missing_since else link.last_seen_at
            pulled = link and cover.external_id and seen
            cover.confirmed_at = max(cover.fetched_at, seen) if pulled else cover.fetched_at

    @api.depends("status", "amount", "currency_id", "effective_from")
    def _compute_display_name(self):
        labels = dict(self._fields["status"]._description_selection(self.env))
        for cover in self:
            amount = cover.currency_id.format(cover.amount) if cover.currency_id else ""
            cover.display_name = f"{labels.get(cover.status, '')} {amount}".strip()

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            hidden = ("fingerprint", "told_effective_from", "announced_code", "ends_cover", "active", *BY_GRADE)
            vals_list = [{key: val for key, val in vals.items() if key not in hidden} for vals in vals_list]
        return super().create(vals_list)

    def _get_status_on(self, day):
        """The status on a day on which this row counts: what was announced for it, or has run out, has come."""
        self.ensure_one()
        if self.announced_status and self.announced_from and self.announced_from <= day:
            return self.announced_status
        if self.effective_to and self.effective_to < day and self.status in GRANTED_STATUSES:
            return "expired"
        return self.status

    def _get_amount_on(self, day):
        """What is granted on a day on which this row counts; 0 when nothing is."""
        self.ensure_one()
        if self._get_status_on(day) not in GRANTED_STATUSES:
            return 0.0
        announced = self.announced_status and self.announced_from and self.announced_from <= day
        return self.announced_amount if announced else self.amount

    def _get_end(self):
        """The last day this row is known to stand as it is, or False."""
        self.ensure_one()
        ends = [self.effective_to, self.announced_from and fields.Date.subtract(self.announced_from, days=1)]
        return min((end for end in ends if end), default=False)

    @api.model
    def _current_sql(self, day):
        """One row per buyer: the cover in force on ``day``, all its columns, of the policy that counts most.

        Only the permanent layer: it is the one that carries status and end.
        """
        return SQL(
            """
            SELECT DISTINCT ON (slot.buyer_id) slot.*
              FROM (SELECT DISTINCT ON (c.buyer_id, c.policy_id) c.*,
                           COALESCE(p.date_end < %(day)s, FALSE) OR p.active IS NOT TRUE AS policy_ended
                      FROM credit_insurance_cover c
                      JOIN credit_insurance_policy p ON p.id = c.policy_id
                     WHERE c.active AND c.layer = 'permanent' AND c.effective_from <= %(day)s
                     ORDER BY c.buyer_id, c.policy_id, %(in_force_first)s
                   ) slot
             ORDER BY slot.buyer_id, slot.policy_ended, slot.effective_from DESC, slot.id DESC
            """,
            day=day,
            in_force_first=IN_FORCE_FIRST,
        )

    @api.model
    def _get_current(self, buyers, day):
        """The cover in force on ``day``: ``{buyer_id: cover}``; buyers without any row are absent."""
        if not buyers.ids:
            return {}
        self.flush_model()
        query = SQL(
            "SELECT c.buyer_id, c.id FROM (%s) c WHERE c.buyer_id = ANY(%s)", self._current_sql(day), list(buyers.ids)
        )
        return {buyer_id: self.browse(cover_id) for buyer_id, cover_id in self.env.execute_query(query)}
