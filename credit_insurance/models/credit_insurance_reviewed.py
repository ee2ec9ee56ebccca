"""What counts only after another administrator has looked at it, where a company asks for that.

    draft ──submit──> review ──approve──> approved ──activate──> active ──next version──> superseded
      └───────────────activate, where no review is needed──────────┘

A record (a rule, a company's override of one) keeps every version of what it says. Versions are never changed, only
their state is. A version of a higher number than the one in force waits until somebody puts it into force.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .guarded_fields import without_fields

VERSION_STATES = [
    ("draft", "Draft"),
    ("review", "In Review"),
    ("approved", "Reviewed"),
    ("active", "In Force"),
    ("superseded", "Superseded"),
    ("discarded", "Discarded"),
]
WAITING = ("draft", "review", "approved")
# What says that a version was reviewed; no default of a client's context sets it.
REVIEW_FIELDS = ("state", "submitted_by_id", "reviewer_id", "reviewed_on", "activated_by_id", "activated_on")


class CreditInsuranceReviewedVersion(models.AbstractModel):
    """Written once, so that every decision can tell under which version it was made."""

    _name = "credit.insurance.reviewed.version"
    _description = "Version of What Is Reviewed"
    _rec_name = "version"
    _compare_model = None

    version = fields.Integer(required=True, readonly=True)
    state = fields.Selection(VERSION_STATES, default="draft", required=True, readonly=True)
    submitted_by_id = fields.Many2one("res.users", readonly=True)
    reviewer_id = fields.Many2one("res.users", readonly=True)
    reviewed_on = fields.Datetime(readonly=True)
    activated_by_id = fields.Many2one("res.users", readonly=True)
    activated_on = fields.Datetime(readonly=True)

    @api.depends("version")
    def _compute_display_name(self):
        for record in self:
            record.display_name = self.env._("Version %s", record.version)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Versions of a rule are never changed."))

    def action_compare(self):
        """Compare with what is in force, or with the version before it when this one is."""
        self.ensure_one()
        owner = self._get_owner()
        current = owner._get_current_version()
        earlier = owner.version_ids.filtered(lambda other: other.version < self.version)
        return self.env[self._compare_model]._open(current if current != self else earlier[:1], self)

    def _move(self, state, **vals):
        """Change the state, which is all that ever changes; the caller has checked the rights."""
        vals = {"state": state, **vals}
        return super(CreditInsuranceReviewedVersion, self.sudo()).write(vals)  # pylint: disable=super-method-mismatch

    def _get_owner(self):
        """The record whose version this is."""
        raise NotImplementedError

    def _get_authors(self):
        """Who may not approve: who wrote it and who submitted it."""
        return self.sudo().create_uid | self.sudo().submitted_by_id

    def _is_reviewed(self):
        return self.state == "approved"

    def _check_may_activate(self):
        """:raise UserError: a version waits for the review that a company asks for"""
        for version in self:
            owner = version._get_owner()
            if owner.review_needed and not version._is_reviewed():
                raise UserError(self.env._("Another administrator has to approve “%s” first.", owner.display_name))

    def _set_active(self):
        for version in self:
            version._move("active", activated_by_id=self.env.uid, activated_on=fields.Datetime.now())

    def _retire_older(self):
        """This version takes the place of those before it."""
        older = self._get_owner().version_ids.filtered(lambda other: other.version < self.version)
        older.filtered(lambda other: other.state not in ("superseded", "discarded"))._move("superseded")


class CreditInsuranceReviewed(models.AbstractModel):
    """Records with chatter, activities, ``version_ids``, ``working_version_id`` and ``review_needed`` of their own.

    Their ``version`` is the number in force, unless they tell the version themselves.
    """

    _name = "credit.insurance.reviewed"
    _description = "Reviewed by Another Administrator"
    _review_activity = "credit_insurance.mail_activity_type_rule_review"

    working_state = fields.Selection(VERSION_STATES, string="Newest Version", compute="_compute_working_version_id")
    is_proposed = fields.Boolean(
        compute="_compute_working_version_id", help="A version waits while another one, or none, is in force."
    )
    may_approve = fields.Boolean(compute="_compute_working_version_id")

    @api.depends("version_ids.state")
    @api.depends_context("uid")
    def _compute_working_version_id(self):
        for record in self:
            current = record._get_current_version()
            waiting = record.version_ids.filtered(lambda row, this=record: this._is_waiting(row))
            version = max(waiting, key=lambda row: row.version, default=current)
            record.working_version_id = version
            record.working_state = version.state
            record.is_proposed = version.version > current.version
            record.may_approve = version.state == "review" and self.env.user not in version._get_authors()

    # === ACTIONS === #

    def action_activate(self):
        """Put into force what is being worked on."""
        self.check_access("write")
        for record in self.filtered("is_proposed"):
            record._put_into_force(record.working_version_id)
        return True

    def action_submit(self):
        """Ask another administrator to look at what is proposed."""
        self.check_access("write")
        for record in self:
            if record.working_state != "draft":
                raise UserError(self.env._("“%s” has no draft to review.", record.display_name))
            record.working_version_id._move("review", submitted_by_id=self.env.uid)
            record._tell_reviewers()
        return True

    def action_approve(self):
        """:raise UserError: the user wrote or submitted the version, or it is not in review"""
        self.check_access("write")
        for record in self:
            version = record._get_version_in_review()
            if self.env.user in version._get_authors():
                raise UserError(self.env._("Somebody else than the author approves a text."))
            version._move("approved", reviewer_id=self.env.uid, reviewed_on=fields.Datetime.now())
            record._close_review(self.env._("Version %s is approved.", version.version))
        return True

    def action_send_back(self):
        """Back to draft; why is a matter for the chatter."""
        self.check_access("write")
        for record in self:
            version = record._get_version_in_review()
            version._move("draft")
            record._close_review(self.env._("Version %s was sent back to its author.", version.version))
        return True

    def action_discard(self):
        """Give up what is proposed; what is in force stays."""
        self.check_access("write")
        for record in self.filtered("is_proposed"):
            record.working_version_id._move("discarded")
            record.activity_unlink([self._review_activity])
        return True

    def action_compare(self):
        """Compare what is being worked on with what is in force, or with the version before."""
        self.ensure_one()
        return self.working_version_id.action_compare()

    # === VERSIONS === #

    def _get_current_version(self):
        """The version in force."""
        return self.version_ids.filtered(lambda row: row.version == self.version)[:1]

    def _put_into_force(self, version):
        """Let a version that waited count from now on."""
        raise NotImplementedError

    def _create_version(self, said):
        """Keep ``said`` as a version of this record, which gets the next number where it has none."""
        self.ensure_one()
        field = self._fields["version_ids"]
        versions, _vals_list = without_fields(self.env[field.comodel_name], [], REVIEW_FIELDS)
        row = {field.inverse_name: self.id, "version": self._get_next_version()}
        version = versions.sudo().create(row | said)
        # The newest stands first, also in what has been read already.
        self.invalidate_recordset(["version_ids"])
        return version

    def _is_waiting(self, version):
        return version.version > self._get_current_version().version and version.state in WAITING

    def _get_next_version(self):
        self.ensure_one()
        return max(self.version_ids.mapped("version"), default=0) + 1

    def _get_version_in_review(self):
        self.ensure_one()
        if self.working_state != "review":
            raise UserError(self.env._("“%s” has no text in review.", self.display_name))
        return self.working_version_id

    def _tell_in_force(self, version):
        self.activity_unlink([self._review_activity])
        self.message_post(body=self.env._("Version %s is in force.", version.version))

    # === REVIEW === #

    def _tell_reviewers(self):
        """An activity for another administrator; any of them may do it."""
        self.ensure_one()
        admins = self.env.ref("credit_insurance.credit_insurance_group_admin").sudo().all_user_ids
        version = self.working_version_id
        others = admins.filtered(lambda user: user.active and not user.share) - version._get_authors()
        robot = self.env.ref("base.user_root")
        for reviewer in (others - robot)[:1]:
            self.sudo().activity_schedule(
                self._review_activity,
                summary=self.env._("Review version %s", version.version),
                user_id=reviewer.id,
            )
        self.message_post(body=self.env._("Version %s waits for a review.", version.version))

    def _close_review(self, note):
        self.sudo().activity_feedback([self._review_activity], feedback=note)
        self.message_post(body=note)
