from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CreditInsuranceBuyer(models.Model):
    """What one company knows and decided about one buyer.

    The buyer is the legal entity that owes the money, the commercial partner; branches of a company share the row
    of their root company. Everything with a date (own limits, covers, grades) hangs on this row as history.
    """

    _name = "credit.insurance.buyer"
    _description = "Insured Buyer"
    _rec_name = "partner_id"
    _inherit = ["credit.insurance.buyer.thread", "mail.activity.mixin"]
    _order = "partner_id, id"
    _check_company_auto = True
    _mail_post_access = "read"

    partner_id = fields.Many2one(
        "res.partner",
        string="Buyer",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('commercial_partner_id', '=', id)]",
    )
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company.root_id)
    currency_id = fields.Many2one(
        "res.currency",
        string="Limit Currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="The currency in which this buyer's limit in force and exposure are compared.",
    )
    status = fields.Selection(
        [("normal", "Normal"), ("watch", "Watch"), ("blocked", "Blocked"), ("cash_only", "Cash only")],
        default="normal",
        required=True,
        tracking=True,
    )
    status_reason = fields.Char(tracking=True)
    status_date = fields.Date(readonly=True)
    own_limit_ids = fields.One2many("credit.insurance.own.limit", "buyer_id", string="Own Limits")
    cover_ids = fields.One2many("credit.insurance.cover", "buyer_id", string="Covers")
    grade_ids = fields.One2many("credit.insurance.grade", "buyer_id", string="Grades")
    link_ids = fields.One2many("credit.insurance.buyer.link", "buyer_id", string="Identities at Insurers")
    active = fields.Boolean(
        default=True,
        help="An archived record is out of the lists. Its status, limits, covers and group count as before.",
    )

    # The history of a buyer that was merged into another one points to the survivor's contact.
    _partner_company_uniq = models.UniqueIndex(
        "(partner_id, company_id) WHERE merged_into_id IS NULL", "This buyer exists already in this company."
    )

    @api.constrains("partner_id", "company_id")
    def _check_is_commercial_entity(self):
        for buyer in self:
            if buyer.partner_id != buyer.partner_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact of %(company)s: credit is granted to the company.",
                        contact=buyer.partner_id.display_name,
                        company=buyer.partner_id.commercial_partner_id.display_name,
                    )
                )
            if buyer.company_id.parent_id:
                raise ValidationError(
                    self.env._("Credit is granted by %s, not by its branch.", buyer.company_id.root_id.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("status", "normal") != "normal":
                vals["status_date"] = self.env.company.root_id._credit_today()
        buyers = super().create(vals_list)
        buyers._check_status_reason()
        return buyers

    def write(self, vals):
        if "status" in vals:
            vals = {**vals, "status_date": self.env.company.root_id._credit_today()}
        result = super().write(vals)
        if {"status", "status_reason"} & vals.keys():
            self._check_status_reason()
        return result

    def _check_status_reason(self):
        """Whoever sets a status says why; what the addon sets itself is explained where it does."""
        if self.env.su:
            return
        for buyer in self:
            if buyer.status != "normal" and not (buyer.status_reason or "").strip():
                states = dict(self._fields["status"]._description_selection(self.env))
                raise ValidationError(
                    self.env._(
                        "Say why %(buyer)s is “%(status)s”: the reason stands beside the status.",
                        buyer=buyer.partner_id.display_name,
                        status=states[buyer.status],
                    )
                )

    @api.model
    def _find(self, partners, company):
        """The buyer rows of these legal entities in a root company: archived ones too, merged ones not."""
        return self.with_context(active_test=False).search(
            [("partner_id", "in", partners.ids), ("company_id", "=", company.id), ("merged_into_id", "=", False)]
        )

    @api.model
    def _get_or_create(self, partners, company):
        """The buyer rows of these partners' commercial entities in the company's root company, made where missing."""
        company = company.root_id
        partners = partners.commercial_partner_id
        buyers = self.sudo()._find(partners, company)
        missing = partners - buyers.partner_id
        return buyers | self.sudo().create(
            [
                {"partner_id": partner.id, "company_id": company.id, "currency_id": company.currency_id.id}
                for partner in missing
            ]
        )
