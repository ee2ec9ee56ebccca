"""What tells one legal entity from another, and since when it is so."""

from odoo import api, fields, models

from . import credit_insurance_buyer_link  # noqa: F401 (has to be loaded first)


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    is_public = fields.Boolean(string="Public Buyer", help="A public body: it pays late and pays.")
    event_ids = fields.One2many("credit.insurance.event", "buyer_id", string="Events")


class CreditInsuranceBuyerLink(models.Model):
    _inherit = "credit.insurance.buyer.link"

    registration_number = fields.Char(
        help="The register's number of the entity the insurer knows under its number. What it covers is that entity."
    )

    @api.model_create_multi
    def create(self, vals_list):
        """The number the buyer has when it is linked is the one it was found under."""
        buyers = self.env["credit.insurance.buyer"].browse([vals.get("buyer_id") for vals in vals_list]).sudo()
        for buyer, vals in zip(buyers, vals_list, strict=True):
            vals.setdefault("registration_number", buyer.partner_id.company_registry)
        return super().create(vals_list)


class ResPartner(models.Model):
    _inherit = "res.partner"

    credit_insurance_mail_changed = fields.Date(
        string="Mail Domain Changed", readonly=True, copy=False, groups="credit_insurance.credit_insurance_group_user"
    )

    def write(self, vals):
        """Remember the day on which a contact's mail moved to another domain: a common start of a fraud."""
        moved = self.browse()
        if "email" in vals:
            domain = _mail_domain(vals["email"])
            moved = self.filtered(lambda partner: _mail_domain(partner.email) not in ("", domain))
        result = super().write(vals)
        if moved:
            moved.commercial_partner_id.sudo().write({"credit_insurance_mail_changed": fields.Date.context_today(self)})
        return result


def _mail_domain(address):
    """
    >>> _mail_domain("Ann <ann@Alpha.example>")
    'alpha.example'
    """
    return (address or "").rpartition("@")[2].strip("> \t\n").lower() if "@" in (address or "") else ""
