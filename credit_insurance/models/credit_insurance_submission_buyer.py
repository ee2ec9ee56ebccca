from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from . import credit_insurance_submission  # noqa: F401 (has to be loaded first)


class CreditInsuranceSubmissionBuyer(models.AbstractModel):
    """What is sent to an insurer about one buyer."""

    _name = "credit.insurance.submission.buyer"
    _description = "What Is Sent to an Insurer About a Buyer"
    _inherit = ["credit.insurance.submission"]

    _draft_fields = frozenset({"policy_id", "buyer_id", "comment", "user_id"})

    buyer_id = fields.Many2one(
        "credit.insurance.buyer", required=True, ondelete="restrict", index=True, check_company=True
    )
    partner_id = fields.Many2one(related="buyer_id.partner_id", store=True, string="Buyer Name")

    @api.constrains("policy_id", "buyer_id")
    def _check_one_company(self):
        for record in self.sudo():
            if record.policy_id.company_id != record.buyer_id.company_id:
                raise ValidationError(self.env._("Policy and buyer belong to one company."))

    def _get_insurer_buyer_id(self):
        """The buyer's number at the insurer, or an empty text."""
        self.ensure_one()
        links = self.sudo().buyer_id.link_ids
        return links.filtered(lambda link: link.account_id == self.sudo().policy_id.account_id)[:1].external_id or ""

    def _get_message_buyer_id(self):
        """The buyer's number for the message. A person who hands it in may name the buyer by a public number."""
        number = self._get_insurer_buyer_id()
        if number or not self.by_hand:
            return number
        trusted = self.sudo()
        links = trusted.buyer_id.link_ids.filtered(lambda link: link.account_id.insurer_id == trusted.insurer_id)
        partner = trusted.partner_id
        return links[:1].external_id or partner.company_registry or partner.vat or partner.display_name

    def _check_connection(self):
        result = super()._check_connection()
        if not self._get_insurer_buyer_id():
            raise UserError(
                self.env._(
                    "The number of %(buyer)s at %(insurer)s is not known: link the buyer first.",
                    buyer=self.partner_id.display_name,
                    insurer=self.sudo().insurer_id.name,
                )
            )
        return result
