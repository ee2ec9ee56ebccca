from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.connectors import (
    Document,
    DocumentKind,
    DocumentReceipt,
    Operation,
    ReportFile,
)

from . import credit_insurance_policy, credit_insurance_submission  # noqa: F401 (have to be loaded first)
from .credit_insurance_evidence import safe_file_name, sha256
from .credit_insurance_submission_job import naive_utc
from .submission_words import SENDABLE_STATES

KINDS = [
    ("order", "Order"),
    ("terms", "Terms of sale"),
    ("invoice", "Invoice"),
    ("delivery", "Proof of delivery"),
    ("transport", "Transport document"),
    ("customs", "Customs document"),
    ("correspondence", "Letters and reminders"),
    ("account_statement", "Statement of account"),
    ("security", "Security"),
    ("insolvency", "Insolvency"),
    ("assignment", "Assignment"),
    ("other", "Other"),
]
MEGABYTE = 1024 * 1024


class CreditInsurancePolicy(models.Model):
    _inherit = "credit.insurance.policy"

    document_max_megabytes = fields.Integer(
        string="Largest Paper (MB)", default=10, help="What the insurer takes as one file."
    )

    _document_max_positive = models.Constraint(
        "CHECK(document_max_megabytes > 0)", "The largest paper has a size above zero."
    )


class CreditInsuranceClaimDocument(models.Model):
    """One paper of a claim or of an overdue notice, extension or plan. Its content is copied when it is sent, so that
    what the insurer has can be shown."""

    _name = "credit.insurance.claim.document"
    _description = "Paper for an Insurer"
    _inherit = ["credit.insurance.submission"]
    _order = "claim_id desc, notice_id desc, id"
    _check_company_auto = True

    _draft_fields = frozenset({"claim_id", "notice_id", "policy_id", "kind", "attachment_id", "comment", "user_id"})
    _figure_fields = frozenset({"attachment_id"})
    _sender_groups = ("account.group_account_invoice",)
    _answer_states = ("acknowledged", "accepted", "refused")
    _sheet_report = "credit_insurance.action_report_claim_document"
    _receipt_type = DocumentReceipt

    claim_id = fields.Many2one("credit.insurance.claim", ondelete="cascade", index="btree_not_null")
    notice_id = fields.Many2one(
        "credit.insurance.overdue.notice", string="Overdue Notice", ondelete="cascade", index="btree_not_null"
    )
    partner_id = fields.Many2one("res.partner", compute="_compute_partner_id", store=True, string="Buyer")
    owner_number = fields.Char(string="Insurer's File", compute="_compute_owner_number")
    kind = fields.Selection(KINDS, required=True, default="other")
    attachment_id = fields.Many2one(
        "ir.attachment",
        string="Taken From",
        ondelete="set null",
        help="A file of what it is handed in for, or of one of its invoices.",
    )
    file_name = fields.Char(string="File", readonly=True, copy=False)
    file_size = fields.Integer(string="Size", readonly=True, copy=False)
    media_type = fields.Char(readonly=True, copy=False)
    sha256 = fields.Char(string="SHA-256", readonly=True, copy=False)
    file_id = fields.Many2one("ir.attachment", string="As Sent", readonly=True, copy=False, ondelete="restrict")
    live = fields.Boolean(compute="_compute_live", store=True)

    _name_uniq = models.UniqueIndex("(name)", "This reference exists already.")
    _live_uniq = models.UniqueIndex(
        "(claim_id, sha256) WHERE live AND sha256 IS NOT NULL", "This paper is in the claim already."
    )
    _notice_live_uniq = models.UniqueIndex(
        "(notice_id, sha256) WHERE live AND sha256 IS NOT NULL", "This paper is in the notice already."
    )
    _one_owner = models.Constraint(
        "CHECK(num_nonnulls(claim_id, notice_id) = 1)", "A paper belongs to one claim or one overdue notice."
    )

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_live(self):
        for document in self:
            document.live = document.state not in ("refused", "cancelled")

    @api.depends("claim_id.partner_id", "notice_id.partner_id")
    def _compute_partner_id(self):
        for document in self:
            document.partner_id = document._get_owner().partner_id

    @api.depends("claim_id.insurer_reference", "notice_id.insurer_reference")
    def _compute_owner_number(self):
        for document in self:
            document.owner_number = document._get_owner().insurer_reference

    def _get_owner(self):
        """What the paper is handed in for."""
        return self.claim_id or self.notice_id

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            owner = self._find_owner(vals)
            owner.check_access("write")
            vals |= {owner._paper_field: owner.id, "policy_id": owner.policy_id.id}
            self._check_source(owner, vals.get("attachment_id"))
        return super().create(vals_list)

    def write(self, vals):
        if {"claim_id", "notice_id", "policy_id"} & vals.keys():
            raise UserError(self.env._("A paper stays with its claim or notice."))
        if "attachment_id" in vals:
            for document in self:
                self._check_source(document._get_owner(), vals["attachment_id"])
        return super().write(vals)

    @api.model
    def _find_owner(self, vals):
        for name in ("claim_id", "notice_id"):
            if owner_id := vals.get(name) or self.env.context.get(f"default_{name}"):
                return self.env[self._fields[name].comodel_name].browse(owner_id)
        raise UserError(self.env._("A paper belongs to one claim or one overdue notice."))

    @api.model
    def _check_source(self, owner, file_id):
        """The file is one the user may read, of the owner or of one of its invoices."""
        file = self.env["ir.attachment"].browse(file_id).exists()
        if not file:
            raise UserError(self.env._("Choose a file of %s or of one of its invoices.", owner.name))
        file.check_access("read")
        if file.sudo() not in owner._get_paper_files():
            raise UserError(
                self.env._(
                    "%(file)s belongs neither to %(owner)s nor to one of its invoices.",
                    file=file.name,
                    owner=owner.name,
                )
            )

    # === ACTIONS === #

    def action_download(self):
        """The file as it was sent."""
        self.ensure_one()
        self.check_access("read")
        self._check_frozen()
        return self.file_id._get_download_action()

    def action_draft(self):
        result = super().action_draft()
        for document in self.sudo():
            copied, document.file_id = document.file_id, False
            copied.unlink()
        return result

    # === BEFORE IT IS SENT === #

    def _refresh_figures(self):
        for document in self.sudo().filtered(lambda document: document.state == "draft"):
            file = document.attachment_id
            content = file.raw or b""
            checksum = sha256(content) if content else False
            document._check_none_alike(checksum)
            document.write(
                {
                    "file_name": safe_file_name(file.name),
                    "file_size": len(content),
                    "media_type": file.mimetype,
                    "sha256": checksum,
                }
            )

    def _check_none_alike(self, checksum):
        """The unique index sees to it in any case; here the other one is named."""
        owner = self._get_owner()
        domain = [(owner._paper_field, "=", owner.id), ("live", "=", True), ("sha256", "=", checksum)]
        if checksum and (alike := self.search([*domain, ("id", "!=", self.id)], limit=1)):
            raise UserError(
                self.env._(
                    "%(file)s is a paper of %(owner)s already: %(name)s.",
                    file=alike.file_name,
                    owner=owner.name,
                    name=alike.name,
                )
            )

    def _check_ready(self):
        limit = self.sudo().policy_id.document_max_megabytes
        if not self.file_size:
            raise UserError(self.env._("%s is empty.", self.file_name or self.name))
        if self.file_size > limit * MEGABYTE:
            raise UserError(self.env._("%(file)s is larger than %(limit)s MB.", file=self.file_name, limit=limit))
        owner = self._get_owner()
        if owner.state in ("draft", "cancelled"):
            raise UserError(self.env._("%s was not submitted yet.", owner.name))

    def _check_connection(self):
        result = super()._check_connection()
        owner = self._get_owner()
        if owner._is_elsewhere():
            raise UserError(self.env._("%s was sent elsewhere: its papers go there, too.", owner.name))
        if not owner.insurer_reference:
            raise UserError(self.env._("The insurer has given %s no number yet.", owner.name))
        return result

    def _prepare_submission(self, states=SENDABLE_STATES):
        result = super()._prepare_submission(states)
        if not self.file_id:
            self.sudo()._freeze_file()
        return result

    def _freeze_file(self):
        """Keep the content in a file of our own: the one it is taken from may change or go."""
        content = self.attachment_id.raw or b""
        vals = {"name": self.file_name, "raw": content, "mimetype": self.media_type}
        self.file_id = self.env["ir.attachment"].create({**vals, "res_model": self._name, "res_id": self.id})
        # Told by the content; what is sent says what is stored.
        self.media_type = self.file_id.mimetype

    # === MESSAGES === #

    def _get_operation(self):
        return Operation.ADD_DOCUMENT

    def _get_message(self):
        return Document(
            reference=self.name,
            owner_number=self._get_owner().insurer_reference or "",
            owner_reference=self._get_owner().name,
            kind=DocumentKind(self.kind),
            name=self.file_name,
            media_type=self.media_type or "",
            content=self._get_content(),
        )

    def _get_content(self):
        content = self.file_id.raw or b""
        if sha256(content) != self.sha256:
            raise UserError(self.env._("%s is not as it was when it was frozen.", self.file_name))
        return content

    def _export(self, form):
        """A paper is handed in as it is."""
        trusted = self.sudo()
        return ReportFile(trusted.file_name, trusted.media_type or "", trusted._get_content())

    # === ANSWERS === #

    def _prepare_receipt_vals(self, receipt):
        return {
            "state": "acknowledged",
            "insurer_reference": receipt.document_number,
            "acknowledged_on": naive_utc(receipt.received_at),
        }

    def _on_changed(self, before):
        if self.state == "refused":
            words = self.insurer_words or self.insurer_status_code or ""
            self._tell_responsible(self.env._("%s was refused", self.name), words)

    # === COVER SHEET === #

    def _get_sheet_rows(self):
        kind = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        return [
            *super()._get_sheet_rows(),
            (self.env._("Paper of"), self.sudo()._get_owner().name),
            (self.env._("Insurer's File"), self.sudo().owner_number or "–"),
            (self.env._("Buyer"), self.sudo().partner_id.display_name),
            (self.env._("Paper"), f"{self.file_name} ({kind})"),
            ("SHA-256", self.sha256),
        ]
