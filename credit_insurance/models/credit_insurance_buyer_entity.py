"""The wrong-entity guard: what is insured is one legal entity, and the invoices must go to that one.

What the insurer said of the entity is kept on the link when buyer and insurer's number are linked. From then on it is
compared with the contact, by ``connectors.numbers.compare`` everywhere: on the buyer, on orders, on claims, in signals.
"""

from odoo import api, fields, models

from odoo.addons.credit_insurance.connectors.numbers import EntityNumbers, compare

from . import credit_insurance_buyer_link  # noqa: F401 (has to be loaded first)
from .guarded_fields import without_fields

# What is found out, not entered.
FLOW_FIELDS = ("entity_check", "matched_by")


class CreditInsuranceBuyerLink(models.Model):
    _inherit = "credit.insurance.buyer.link"

    registration_number = fields.Char(
        help="The register's number of the entity the insurer knows under its number. What it covers is that entity."
    )
    vat_number = fields.Char(string="VAT Number", help="Of the entity the insurer knows under its number.")
    entity_name = fields.Char(string="Insured Entity", help="The name the insurer gave it when it was linked.")
    entity_country_id = fields.Many2one("res.country", string="Country of the Entity")
    entity_address = fields.Char(string="Address of the Entity")
    matched_by = fields.Selection(
        [
            ("reference", "Our own reference"),
            ("number", "Equal number"),
            ("person", "Chosen by a person"),
            ("hand", "Entered by hand"),
        ],
        default="hand",
        readonly=True,
        copy=False,
    )
    entity_check = fields.Selection(
        [("same", "Same entity"), ("different", "Another entity"), ("unknown", "Cannot be compared")],
        compute="_compute_entity_check",
        store=True,
        help="Whether the contact carries the number of the insured entity.",
    )

    @api.depends(
        "registration_number",
        "vat_number",
        "entity_country_id.code",
        "buyer_id.partner_id.company_registry",
        "buyer_id.partner_id.vat",
        "buyer_id.partner_id.country_id.code",
    )
    def _compute_entity_check(self):
        for link in self:
            link.entity_check = compare(link._get_entity(), link._get_invoiced()).value

    @api.model_create_multi
    def create(self, vals_list):
        """Where the insurer named no entity, it is the one whose numbers the buyer has when it is linked."""
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, FLOW_FIELDS)
        buyers = self.env["credit.insurance.buyer"].browse([vals.get("buyer_id") for vals in vals_list]).sudo()
        for buyer, vals in zip(buyers, vals_list, strict=True):
            if not vals.get("entity_name"):
                partner = buyer.partner_id
                vals["registration_number"] = vals.get("registration_number") or partner.company_registry
                vals["vat_number"] = vals.get("vat_number") or partner.vat
                vals["entity_country_id"] = vals.get("entity_country_id") or partner.country_id.id
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            vals = {name: value for name, value in vals.items() if name not in FLOW_FIELDS}
        return super().write(vals)

    def _get_entity(self):
        """The insured entity's numbers."""
        return EntityNumbers(self.entity_country_id.code or "", self.registration_number or "", self.vat_number or "")

    def _get_invoiced(self):
        """The numbers of the contact that is invoiced."""
        partner = self.buyer_id.partner_id
        return EntityNumbers(partner.country_id.code or "", partner.company_registry or "", partner.vat or "")

    @api.model
    def _prepare_entity_vals(self, candidate):
        """What the insurer says of an entity, as it is kept on the link."""
        country = self.env["res.country"].search([("code", "=", candidate.country.upper())], limit=1)
        address = " ".join(filter(None, [candidate.street, candidate.postal_code, candidate.city]))
        return {
            "external_id": candidate.buyer_id,
            "registration_number": candidate.registration_number or False,
            "vat_number": candidate.vat_number or False,
            "entity_name": candidate.name or candidate.buyer_id,
            "entity_country_id": country.id,
            "entity_address": address or False,
        }

    def _describe_difference(self):
        """One sentence on the insured entity and the invoiced one; for people."""
        self.ensure_one()
        link = self.sudo()
        partner = link.buyer_id.partner_id
        return self.env._(
            "%(insurer)s covers %(entity)s (%(theirs)s) under number %(number)s, "
            "but the contact %(partner)s is %(ours)s.",
            insurer=link.insurer_id.name,
            entity=link.entity_name or self.env._("an entity"),
            theirs=_name_numbers(link.registration_number, link.vat_number, link.entity_country_id),
            number=link.external_id,
            partner=partner.display_name,
            ours=_name_numbers(partner.company_registry, partner.vat, partner.country_id),
        )


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    entity_difference = fields.Text(
        compute="_compute_entity_difference", help="Filled in while an insurer covers another entity than the contact."
    )

    @api.depends("link_ids.entity_check", "link_ids.external_id")
    @api.depends_context("lang")
    def _compute_entity_difference(self):
        for buyer in self:
            links = buyer._get_wrong_entities()
            buyer.entity_difference = "\n".join([link._describe_difference() for link in links])

    def _get_wrong_entities(self, account=None):
        """The links under which an insurer (``account``, or any in use) covers another entity."""
        links = self.sudo().link_ids.filtered(lambda link: link.entity_check == "different")
        if account is not None:
            return links.filtered(lambda link: link.account_id == account)
        return links.filtered("account_id.active")


def _name_numbers(registration, vat, country):
    return ", ".join(filter(None, [registration, vat, country.name])) or "–"
