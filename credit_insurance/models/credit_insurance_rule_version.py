"""The versions of a rule, and the way of a text into force.

    draft ──submit──> review ──approve──> approved ──activate──> active ──next text──> superseded
      └───────────────activate, where no review is needed──────────┘

A rule's own fields say what is in force. While a rule is active a text typed in the editor is *proposed*: it waits as a
version of a higher number until somebody puts it into force. Texts are never changed, only the state of a version is.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .credit_insurance_rule import NEW_DOCUMENT
from .guarded_fields import without_fields
from .rule_document import describe_changes

VERSION_STATES = [
    ("draft", "Draft"),
    ("review", "In Review"),
    ("approved", "Reviewed"),
    ("active", "In Force"),
    ("superseded", "Superseded"),
    ("discarded", "Discarded"),
]
WAITING = ("draft", "review", "approved")
SHIPPED_FIELDS = ("pack", "pack_id", "by_pack", "was_active")
# What says that a text was reviewed; no default of a client's context sets it.
REVIEW_FIELDS = ("state", "submitted_by_id", "reviewer_id", "reviewed_on", "activated_by_id", "activated_on")
REVIEW_ACTIVITY = "credit_insurance.mail_activity_type_rule_review"


class CreditInsuranceRuleVersion(models.Model):
    """A text that a rule had. Written once, so that every alert can tell under which text it was raised."""

    _name = "credit.insurance.rule.version"
    _description = "Version of a Risk Rule"
    _order = "rule_id, version desc"
    _rec_name = "version"

    rule_id = fields.Many2one("credit.insurance.rule", required=True, readonly=True, ondelete="cascade", index=True)
    version = fields.Integer(required=True, readonly=True)
    document = fields.Text(string="Text", required=True, readonly=True)
    state = fields.Selection(VERSION_STATES, default="draft", required=True, readonly=True)
    is_shipped = fields.Boolean(readonly=True, help="The text came with the addon and needs no review.")
    restored_from_id = fields.Many2one("credit.insurance.rule.version", readonly=True, ondelete="restrict")
    submitted_by_id = fields.Many2one("res.users", readonly=True)
    reviewer_id = fields.Many2one("res.users", readonly=True)
    reviewed_on = fields.Datetime(readonly=True)
    activated_by_id = fields.Many2one("res.users", readonly=True)
    activated_on = fields.Datetime(readonly=True)
    changes = fields.Char(string="Changed", compute="_compute_changes", help="Compared with the version before it.")

    _version_uniq = models.UniqueIndex("(rule_id, version)", "This version is kept already.")

    # === COMPUTE METHODS === #

    @api.depends("version")
    def _compute_display_name(self):
        for record in self:
            record.display_name = self.env._("Version %s", record.version)

    @api.depends("document", "version", "rule_id.version_ids.document")
    def _compute_changes(self):
        for record in self:
            earlier = record.rule_id.version_ids.filtered(lambda other, this=record: other.version < this.version)
            before = max(earlier, key=lambda other: other.version, default=None)
            record.changes = describe_changes(before.document, record.document) if before else False

    # === CRUD METHODS === #

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Versions of a rule are never changed."))

    def _move(self, state, **vals):
        """Change the state, which is all that ever changes; the caller has checked the rights."""
        vals = {"state": state, **vals}
        return super(CreditInsuranceRuleVersion, self.sudo()).write(vals)  # pylint: disable=super-method-mismatch

    def _get_authors(self):
        """Who may not approve: who wrote the text and who submitted it."""
        return self.sudo().create_uid | self.sudo().submitted_by_id

    def _check_may_activate(self):
        """:raise UserError: a text waits for the review that one of its rule's companies asks for"""
        for version in self:
            rule = version.rule_id
            if rule.review_needed and version.state != "approved" and not version.is_shipped:
                raise UserError(self.env._("Another administrator has to approve “%s” first.", rule.name))

    def _set_active(self):
        for version in self:
            version._move("active", activated_by_id=self.env.uid, activated_on=fields.Datetime.now())

    def _retire(self):
        """A newer text took their place."""
        self.filtered(lambda row: row.state not in ("superseded", "discarded"))._move("superseded")

    # === ACTIONS === #

    def action_restore(self):
        """Make the old text a new version; where no review is needed, an active rule follows it at once."""
        self.ensure_one()
        rule = self.rule_id
        rule.check_access("write")
        rule._propose(self.document, restored_from=self)
        if rule.state == "active" and not rule.review_needed:
            rule.action_activate()
        return True

    def action_compare(self):
        """Compare with what is in force, or with the version before it when this one is."""
        self.ensure_one()
        current = self.rule_id._get_current_version()
        earlier = self.rule_id.version_ids.filtered(lambda other: other.version < self.version)
        return self.env["credit.insurance.rule.compare"]._open(current if current != self else earlier[:1], self)


class CreditInsuranceRule(models.Model):
    _name = "credit.insurance.rule"
    _inherit = ["credit.insurance.rule", "mail.activity.mixin"]

    working_version_id = fields.Many2one("credit.insurance.rule.version", compute="_compute_working_version_id")
    working_state = fields.Selection(VERSION_STATES, compute="_compute_working_version_id")
    working_document = fields.Text(
        string="Text",
        compute="_compute_working_document",
        inverse="_inverse_working_document",
        help="What is being worked on: the proposed text, or the one in force when nothing is proposed.",
    )
    is_proposed = fields.Boolean(
        compute="_compute_working_version_id", help="A text waits while another one is in force."
    )
    review_needed = fields.Boolean(compute="_compute_review_needed")
    may_approve = fields.Boolean(compute="_compute_working_version_id")

    # === COMPUTE METHODS === #

    @api.depends("version", "version_ids.state")
    @api.depends_context("uid")
    def _compute_working_version_id(self):
        for rule in self:
            waiting = rule.version_ids.filtered(lambda row, this=rule: this._is_waiting(row))
            version = max(waiting, key=lambda row: row.version, default=rule._get_current_version())
            rule.working_version_id = version
            rule.working_state = version.state
            rule.is_proposed = version.version > rule.version
            rule.may_approve = version.state == "review" and self.env.user not in version._get_authors()

    def _is_waiting(self, version):
        return version.version > self.version and version.state in WAITING

    @api.depends("document", "working_version_id")
    def _compute_working_document(self):
        for rule in self:
            rule.working_document = rule.working_version_id.document or rule.document or NEW_DOCUMENT

    def _inverse_working_document(self):
        for rule in self:
            rule._propose(rule.working_document)

    @api.depends("company_ids")
    def _compute_review_needed(self):
        roots = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        for rule in self:
            rule.review_needed = any((rule.sudo().company_ids or roots).mapped("credit_rule_review"))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """A new rule starts as a draft, or in force where no review is needed."""
        if not self.env.su:
            # What came with the addon needs no review, so nobody else may say that something did.
            self, vals_list = without_fields(self, vals_list, SHIPPED_FIELDS)
        for vals in vals_list:
            if "working_document" in vals:
                vals["document"] = vals.pop("working_document")
        rules = super().create(vals_list)
        active = rules.filtered(lambda rule: rule.state == "active")._get_current_versions()
        active._check_may_activate()
        active._set_active()
        return rules

    def write(self, vals):
        state = vals.get("state")
        changing = self.filtered(lambda rule: rule.state != state) if state else self.browse()
        if state == "active":
            changing._get_current_versions()._check_may_activate()
        result = super().write(vals)
        if "company_ids" in vals:
            self._check_reviewed()
        if state == "active":
            changing._get_current_versions()._set_active()
        elif state:
            for version in changing._get_current_versions().filtered(lambda row: row.state == "active"):
                version._move("approved" if version.reviewer_id or version.is_shipped else "draft")
        return result

    # === ACTIONS === #

    def action_activate(self):
        """Put the text that is being worked on into force."""
        self.check_access("write")
        for rule in self:
            version = rule.working_version_id
            if version.version > rule.version:
                version._check_may_activate()
                rule._put_into_force(version)
        return super().action_activate()

    def action_submit(self):
        """Ask another administrator to look at the text."""
        self.check_access("write")
        for rule in self:
            if rule.working_state != "draft":
                raise UserError(self.env._("“%s” has no draft to review.", rule.name))
            rule.working_version_id._move("review", submitted_by_id=self.env.uid)
            rule._tell_reviewers()

    def action_approve(self):
        """:raise UserError: the user wrote or submitted the text, or it is not in review"""
        self.check_access("write")
        for rule in self:
            version = rule._get_version_in_review()
            if self.env.user in version._get_authors():
                raise UserError(self.env._("Somebody else than the author approves a text."))
            version._move("approved", reviewer_id=self.env.uid, reviewed_on=fields.Datetime.now())
            rule._close_review(self.env._("Version %s is approved.", version.version))

    def action_send_back(self):
        """Back to draft; why is a matter for the chatter."""
        self.check_access("write")
        for rule in self:
            version = rule._get_version_in_review()
            version._move("draft")
            rule._close_review(self.env._("Version %s was sent back to its author.", version.version))

    def action_discard(self):
        """Give up what is proposed; what is in force stays."""
        self.check_access("write")
        for rule in self.filtered("is_proposed"):
            rule.working_version_id._move("discarded")
            rule.activity_unlink([REVIEW_ACTIVITY])

    def action_compare(self):
        """Compare what is being worked on with what is in force, or with the version before."""
        self.ensure_one()
        return self.working_version_id.action_compare()

    # === VERSIONS === #

    def _get_current_version(self):
        """The version whose text the rule's own fields repeat."""
        return self.version_ids.filtered(lambda row: row.version == self.version)[:1]

    def _get_current_versions(self):
        return self.env["credit.insurance.rule.version"].union(*(rule._get_current_version() for rule in self))

    def _get_next_version(self):
        self.ensure_one()
        return max(self.version_ids.mapped("version"), default=0) + 1

    def _get_version_in_review(self):
        self.ensure_one()
        if self.working_state != "review":
            raise UserError(self.env._("“%s” has no text in review.", self.name))
        return self.working_version_id

    def _check_text_may_change(self):
        """:raise UserError: the rule is active and its texts are reviewed before they count"""
        if self.state == "active" and self.review_needed:
            raise UserError(self.env._("Texts of active rules are reviewed: propose “%s” in its editor.", self.name))

    def _check_reviewed(self):
        """:raise UserError: an active rule reaches a company that asks for a review which its text never had"""
        for rule in self.filtered(lambda rule: rule.state == "active" and rule.review_needed):
            version = rule._get_current_version()
            if not version.reviewer_id and not version.is_shipped:
                raise UserError(self.env._("Another administrator has to approve “%s” first.", rule.name))

    def _propose(self, text, restored_from=None):
        """Keep a text that was typed: of an active rule as a proposal, else as the rule's own."""
        self.ensure_one()
        if text == self.working_document and text == self.working_version_id.document:
            return
        if self.state != "active":
            self._write_document(text)
            if restored_from:
                self._get_current_version()._move("draft", restored_from_id=restored_from.id)
            return
        self._prepare_document_vals(text, key=self.key)
        self.version_ids.filtered(self._is_waiting)._move("discarded")
        if text != self.document:
            self._keep_version(text, self._get_next_version(), restored_from)

    def _keep_version(self, text=None, number=None, restored_from=None):
        """Keep the texts of these rules as versions, or one other text as a proposal."""
        versions, _vals_list = without_fields(self.env["credit.insurance.rule.version"], [], REVIEW_FIELDS)
        for rule in self:
            row = {"rule_id": rule.id, "version": number or rule.version, "document": text or rule.document}
            row |= {"is_shipped": bool(rule.pack and rule.version == 1 and not text)}
            versions |= versions.sudo().create(row | {"restored_from_id": restored_from.id if restored_from else False})
            # The newest stands first, also in what has been read already.
            rule.invalidate_recordset(["version_ids"])
            if not text:
                rule.version_ids.filtered(lambda old, this=rule: old.version < this.version)._retire()
        return versions

    def _put_into_force(self, version):
        """Let the rule's fields repeat a version that waited."""
        self.ensure_one()
        self._write_text_vals(
            self._prepare_document_vals(version.document, key=self.key) | {"version": version.version}
        )
        self.version_ids.filtered(lambda old: old.version < version.version)._retire()
        self._check_reviewed()
        if self.state == "active":
            version._set_active()
            self._check_active_together()
        self.activity_unlink([REVIEW_ACTIVITY])
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
                REVIEW_ACTIVITY,
                summary=self.env._("Review version %s", version.version),
                user_id=reviewer.id,
            )
        self.message_post(body=self.env._("Version %s waits for a review.", version.version))

    def _close_review(self, note):
        self.sudo().activity_feedback([REVIEW_ACTIVITY], feedback=note)
        self.message_post(body=note)
