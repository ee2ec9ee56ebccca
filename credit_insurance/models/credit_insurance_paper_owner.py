"""What papers are handed in for: claims, overdue notices, extensions, repayment plans."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from . import (
    credit_insurance_claim,  # noqa: F401 (has to be loaded first)
    credit_insurance_claim_document,  # noqa: F401 (has to be loaded first)
    credit_insurance_overdue_notice,  # noqa: F401 (has to be loaded first)
)
from .credit_insurance_evidence import sha256


class CreditInsurancePaperOwner(models.AbstractModel):
    _name = "credit.insurance.paper.owner"
    _description = "What Papers Are Handed In For"

    # The paper's field that names it.
    _paper_field = ""

    document_ids = fields.One2many("credit.insurance.claim.document", string="Papers", copy=False)
    document_count = fields.Integer(compute="_compute_document_count")

    @api.depends("document_ids")
    def _compute_document_count(self):
        for record in self:
            record.document_count = len(record.document_ids)

    def _get_paper_files(self):
        """The files that can be its papers: its own, and those of its invoices."""
        self.ensure_one()
        moves = self.sudo().line_ids.move_id
        domain = [
            "|",
            *("&", ("res_model", "=", self._name), ("res_id", "=", self.id)),
            *("&", ("res_model", "=", "account.move"), ("res_id", "in", moves.ids)),
        ]
        # The invoice's own PDF is the file of a field.
        return self.env["ir.attachment"].sudo().search([*domain, ("id", "!=", False), ("type", "=", "binary")])

    # === ACTIONS === #

    def action_collect_documents(self):
        """A draft for each of its files and of its invoices' that is none of its papers yet, and all papers."""
        self.ensure_one()
        files = self._get_paper_files()
        documents = self.env["credit.insurance.claim.document"]
        known = set(self.sudo().document_ids.filtered("live").mapped("sha256"))
        readable = self.env["ir.attachment"].browse(files.ids)._filtered_access("read")
        for file in readable:
            checksum = sha256(file.sudo().raw or b"")
            if file.file_size and checksum not in known:
                known.add(checksum)
                kind = "invoice" if file.res_model == "account.move" else "other"
                documents.create({self._paper_field: self.id, "kind": kind, "attachment_id": file.id})
        return self.action_open_documents()

    def action_open_documents(self):
        self.ensure_one()
        xmlid = "credit_insurance.credit_insurance_claim_document_action"
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        domain = [(self._paper_field, "=", self.id)]
        return {**action, "domain": domain, "context": {f"default_{self._paper_field}": self.id}}

    def action_set_aside(self):
        result = super().action_set_aside()
        self.document_ids.filtered("can_be_set_aside").action_set_aside()
        return result

    def action_send_documents(self):
        """Send all papers that were not sent yet."""
        self.ensure_one()
        waiting = self.document_ids.filtered(lambda document: document.state in ("draft", "failed"))
        if not waiting:
            raise UserError(self.env._("There is no paper to send."))
        for document in waiting:
            document.action_submit()
        return True


class CreditInsuranceClaim(models.Model):
    _name = "credit.insurance.claim"
    _inherit = ["credit.insurance.paper.owner", "credit.insurance.claim"]

    _paper_field = "claim_id"

    document_ids = fields.One2many(inverse_name="claim_id")


class CreditInsuranceOverdueNotice(models.Model):
    _name = "credit.insurance.overdue.notice"
    _inherit = ["credit.insurance.paper.owner", "credit.insurance.overdue.notice"]

    _paper_field = "notice_id"

    document_ids = fields.One2many(inverse_name="notice_id")
