"""A request for cover as an EDIFACT interchange (RECECO), which programs of insurers and brokers read."""

from dataclasses import replace

from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.connectors.files import Envelope, FileForm

from . import credit_insurance_cover_request  # noqa: F401 (has to be loaded first)


class CreditInsuranceCoverRequest(models.Model):
    _inherit = "credit.insurance.cover.request"

    edifact_reference = fields.Char(
        string="EDIFACT Control Reference",
        readonly=True,
        copy=False,
        help="Of the interchange that holds these figures. The insurer recognises a second copy of it by this.",
    )
    edifact_created_at = fields.Datetime(string="EDIFACT Made On", readonly=True, copy=False)

    def action_export_edifact(self):
        return self._download(FileForm.EDIFACT)

    def action_draft(self):
        """What is corrected and handed in again is another interchange."""
        result = super().action_draft()
        self.sudo().write({"edifact_reference": False, "edifact_created_at": False})
        return result

    def _get_file_message(self, form):
        """RECECO has no place for what some insurers like to know besides."""
        message = super()._get_file_message(form)
        return replace(message, receivables=None, orders=None) if form is FileForm.EDIFACT else message

    def _get_envelope(self, form):
        if form is not FileForm.EDIFACT:
            return super()._get_envelope(form)
        account = self.policy_id.account_id
        if not (account.edifact_sender and account.edifact_recipient):
            raise UserError(
                self.env._(
                    "An EDIFACT file names its sender and its recipient. Enter both on the connection of policy %s.",
                    self.policy_id.number,
                )
            )
        self._number_interchange()
        return Envelope(
            sender=account.edifact_sender,
            recipient=account.edifact_recipient,
            created=self.edifact_created_at,
            control_reference=self.edifact_reference,
        )

    def _number_interchange(self):
        """Once: who downloads the file again gets the same interchange."""
        if not self.edifact_reference:
            self._lock_for_user()
            number = self.env["ir.sequence"].sudo().next_by_code("credit.insurance.edifact")
            self.sudo().write({"edifact_reference": number, "edifact_created_at": fields.Datetime.now()})
