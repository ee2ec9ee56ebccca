"""The versions of a scorecard, and their way into force.

A scorecard's own fields say what is in force. What is typed becomes a version; it counts at once, or where a company
asks for that after another administrator has approved it. Until then a new scorecard is not in use.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from . import credit_insurance_reviewed, credit_insurance_scorecard  # noqa: F401 (have to be loaded first)
from .credit_insurance_scorecard import NEW_CARD
from .guarded_fields import without_fields

# What a version says: field of the scorecard, of what is being worked on, of the version.
SAID = (
    ("document", "working_document", "document"),
    ("active", "working_active", "in_use"),
    ("sequence", "working_sequence", "sequence"),
)


class CreditInsuranceScorecardVersion(models.Model):
    _name = "credit.insurance.scorecard.version"
    _description = "Version of a Scorecard"
    _inherit = ["credit.insurance.reviewed.version"]
    _order = "scorecard_id, version desc"
    _compare_model = "credit.insurance.scorecard.compare"

    scorecard_id = fields.Many2one(
        "credit.insurance.scorecard", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="scorecard_id.company_id", store=True, index=True)
    document = fields.Text(string="Scorecard", required=True, readonly=True)
    in_use = fields.Boolean(readonly=True)
    sequence = fields.Integer(readonly=True)

    _version_uniq = models.UniqueIndex("(scorecard_id, version)", "This version is kept already.")

    def _get_owner(self):
        return self.scorecard_id

    def action_restore(self):
        """Say again what was said then; where no review is needed it is in force at once."""
        self.ensure_one()
        self.scorecard_id.write({working: self[name] for _field, working, name in SAID})
        return True


class CreditInsuranceScorecard(models.Model):
    _name = "credit.insurance.scorecard"
    _inherit = ["credit.insurance.scorecard", "credit.insurance.reviewed", "mail.activity.mixin"]
    _review_activity = "credit_insurance.mail_activity_type_scorecard_review"

    version = fields.Integer(default=0, readonly=True, copy=False, tracking=True)
    version_ids = fields.One2many(
        "credit.insurance.scorecard.version", "scorecard_id", string="Versions", readonly=True, copy=False
    )
    working_version_id = fields.Many2one("credit.insurance.scorecard.version", compute="_compute_working_version_id")
    review_needed = fields.Boolean(compute="_compute_review_needed")
    working_document = fields.Text(
        string="Text",
        compute="_compute_working",
        readonly=False,
        help="What is being worked on: the proposed text, or the one in force when nothing is proposed.",
    )
    working_active = fields.Boolean(
        string="In Use", compute="_compute_working", readonly=False, help="Whether buyers get their points from it."
    )
    working_sequence = fields.Integer(
        string="Place",
        compute="_compute_working",
        readonly=False,
        help="Of several cards for an industry the one with the lower number counts.",
    )

    # === COMPUTE METHODS === #

    @api.depends("version", "version_ids.state")
    def _compute_working_version_id(self):
        return super()._compute_working_version_id()

    @api.depends("document", "active", "sequence", "working_version_id")
    def _compute_working(self):
        for card in self:
            said = card._get_said()
            for field, working, _name in SAID:
                card[working] = said[field]
            card.working_document = card.working_document or NEW_CARD

    @api.depends("company_id")
    def _compute_review_needed(self):
        roots = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        for card in self:
            card.review_needed = any((card.sudo().company_id.root_id or roots).mapped("credit_rule_review"))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """A new card counts at once, or is not in use before its review."""
        self, vals_list = without_fields(self, vals_list, ("version",))
        said = []
        for vals in vals_list:
            vals |= {field: vals.pop(working) for field, working, _name in SAID if working in vals}
            said.append({field: vals[field] for field in ("document", "active", "sequence") if field in vals})
        cards = super().create(vals_list)
        for card, typed in zip(cards, said, strict=True):
            if card.review_needed and not self.env.su:
                card._write_in_force({"active": False})
                card._propose({"active": True} | typed)
            else:
                card._keep_current()
        return cards

    def write(self, vals):
        """What is typed becomes a version, which counts at once where no review is needed.

        :raise UserError: what is in force would change without a review that is needed
        """
        vals = {name: value for name, value in vals.items() if name != "version"}
        typed = {field: vals.pop(working) for field, working, _name in SAID if working in vals}
        direct = {field: vals.pop(field) for field, _working, _name in SAID if field in vals}
        self.check_access("write")
        if direct or "company_id" in vals:
            self._check_unreviewed()
        result = super().write(vals)
        if "company_id" in vals:
            self._check_unreviewed()
        for card in self if direct or typed else ():
            card._propose(direct | typed)
        return result

    def _check_unreviewed(self):
        """:raise UserError: changes of one of these are reviewed"""
        for card in self if not self.env.su else ():
            if card.review_needed:
                raise UserError(
                    self.env._("Scorecards are reviewed: propose the change of “%s” on its form.", card.name)
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_reviewed(self):
        for card in self:
            if card.active and card.review_needed:
                raise UserError(self.env._("“%s” is in use: propose to take it out of use first.", card.name))

    # === VERSIONS === #

    def _get_said(self):
        """What is being worked on, by field of the card."""
        self.ensure_one()
        version = self.working_version_id
        return {field: version[name] if version else self[field] for field, _working, name in SAID}

    def _keep_current(self):
        """Keep what is in force as the first version, for who reads what changed since."""
        version = self._keep_version({field: self[field] for field, _working, _name in SAID})
        self._write_in_force({"version": version.version})
        version._set_active()

    def _keep_version(self, said):
        return self._create_version({name: said[field] for field, _working, name in SAID})

    def _propose(self, typed):
        """Keep what was typed as a version.

        :raise ValidationError: the text is not an acceptable scorecard
        """
        self.ensure_one()
        before = self._get_said()
        said = before | typed
        if said == before:
            return
        if said["document"] != before["document"]:
            self._prepare_document_vals(said["document"])
        if not self.version_ids and self.active:
            self._keep_current()
        self.version_ids.filtered(self._is_waiting)._move("discarded")
        self._keep_version(said)
        if self.env.su or not self.review_needed:
            self._put_into_force(self.working_version_id)

    def _put_into_force(self, version):
        if not self.env.su:
            version._check_may_activate()
        version._retire_older()
        said = {field: version[name] for field, _working, name in SAID}
        vals = {field: value for field, value in said.items() if value != self[field]}
        self._write_in_force(vals | {"version": version.version})
        version._set_active()
        self._tell_in_force(version)

    def _write_in_force(self, vals):
        """Write what is in force, past the review in ``write``: the caller has seen to it."""
        return super().write(vals)  # pylint: disable=super-method-mismatch
