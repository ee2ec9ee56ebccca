"""What tells one legal entity from another, and since when it is so."""

from odoo import api, fields, models

from . import credit_insurance_buyer  # noqa: F401 (has to be loaded first)
from .guarded_fields import without_fields

NUMBER_CHANGED = "credit_insurance_number_changed"
PARTNER_CHANGED = ("credit_insurance_mail_changed", "credit_insurance_address_changed")
ADDRESS = ("street", "street2", "zip", "city", "state_id", "country_id")


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    is_public = fields.Boolean(string="Public Buyer", help="A public body: it pays late and pays.")
    is_private_person = fields.Boolean(
        string="Private Person",
        compute="_compute_is_private_person",
        store=True,
        readonly=False,
        help="A natural person who does not buy for a business. Most policies insure businesses only. Taken from the "
        "contact at first; a trader without a company is a business.",
    )
    event_ids = fields.One2many("credit.insurance.event", "buyer_id", string="Events")

    @api.depends("partner_id.is_company")
    def _compute_is_private_person(self):
        for buyer in self:
            buyer.is_private_person = not buyer.partner_id.is_company


class ResPartner(models.Model):
    _inherit = "res.partner"

    credit_insurance_mail_changed = fields.Date(
        string="Mail Domain Changed", readonly=True, copy=False, groups="credit_insurance.credit_insurance_group_user"
    )

    credit_insurance_address_changed = fields.Datetime(
        string="Address Changed", readonly=True, copy=False, groups="credit_insurance.credit_insurance_group_user"
    )

    @api.model_create_multi
    def create(self, vals_list):
        self, vals_list = without_fields(self, vals_list, PARTNER_CHANGED)
        return super().create(vals_list)

    def write(self, vals):
        """Remember when a contact's mail moved to another domain, or its address to another place: so frauds begin."""
        if not self.env.su:
            vals = {name: value for name, value in vals.items() if name not in PARTNER_CHANGED}
        placed = self if not vals.keys().isdisjoint(ADDRESS) else self.browse()
        before = {partner: partner._get_credit_place() for partner in placed}
        moved = self.browse()
        if "email" in vals:
            domain = _mail_domain(vals["email"])
            moved = self.filtered(lambda partner: _mail_domain(partner.email) not in ("", domain))
        result = super().write(vals)
        entities = moved.commercial_partner_id.sudo()
        for company, own in entities.grouped(lambda entity: entity.company_id or self.env.company).items():
            own.credit_insurance_mail_changed = company.root_id._credit_today()
        # An address that is entered for the first time is no other one.
        placed = placed.filtered(
            lambda partner: any(before[partner]) and partner._get_credit_place() != before[partner]
        )
        placed.sudo().credit_insurance_address_changed = fields.Datetime.now()
        return result

    def _get_credit_place(self):
        """The address as far as it is another one, however it is spaced and spelt in capitals."""
        parts = (self[name] for name in ADDRESS)
        return tuple(" ".join(part.split()).casefold() if isinstance(part, str) else part for part in parts)


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    credit_insurance_number_changed = fields.Datetime(
        string="Number Changed", readonly=True, copy=False, groups="credit_insurance.credit_insurance_group_user"
    )

    @api.model_create_multi
    def create(self, vals_list):
        self, vals_list = without_fields(self, vals_list, (NUMBER_CHANGED,))
        return super().create(vals_list)

    def write(self, vals):
        """Remember when an account got another number or owner: as good as a new one, and as common in a fraud."""
        vals = {name: value for name, value in vals.items() if name != NUMBER_CHANGED}
        watched = self if {"acc_number", "sanitized_acc_number", "partner_id"} & vals.keys() else self.browse()
        before = {bank: (bank.sanitized_acc_number, bank.partner_id) for bank in watched}
        result = super().write(vals)
        if moved := watched.filtered(lambda bank: (bank.sanitized_acc_number, bank.partner_id) != before[bank]):
            super(ResPartnerBank, moved.sudo()).write({NUMBER_CHANGED: fields.Datetime.now()})
        return result


def _mail_domain(address):
    """
    >>> _mail_domain("Ann <ann@Alpha.example>")
    'alpha.example'
    """
    return (address or "").rpartition("@")[2].strip("> \t\n").lower() if "@" in (address or "") else ""
