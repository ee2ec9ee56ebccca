from odoo import api, fields, models

CREDIT_GROUP = "credit_insurance.credit_insurance_group_user"
# What a contact shows, by the name of the buyer's field it is taken from.
SHOWN = {
    "credit_insurance_status": "status",
    "credit_insurance_grade": "grade",
    "credit_insurance_grade_label": "grade_label",
    "credit_insurance_risk_class": "risk_class",
    "credit_insurance_cover_status": "cover_status",
    "credit_insurance_cover_amount": "cover_amount",
    "credit_insurance_cover_currency_id": "cover_currency_id",
    "credit_insurance_cover_ends_on": "cover_ends_on",
    "credit_insurance_data_age": "data_age",
    "credit_insurance_data_stale": "data_stale",
}


def _selection(name):
    return lambda self: self.env["credit.insurance.buyer"]._fields[name]._description_selection(self.env)


class ResPartner(models.Model):
    """A contact shows what is known about the legal entity it belongs to, in the current company."""

    _inherit = "res.partner"

    credit_insurance_buyer_id = fields.Many2one(
        "credit.insurance.buyer", string="Insured Buyer", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_status = fields.Selection(
        _selection("status"), string="Credit Status", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_grade = fields.Char(
        string="Insurer's Grade", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_grade_label = fields.Char(
        string="Meaning of the Grade", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_risk_class = fields.Selection(
        _selection("risk_class"), string="Risk Class", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_cover_status = fields.Selection(
        _selection("cover_status"), string="Cover Status", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_cover_amount = fields.Monetary(
        string="Cover",
        compute="_compute_credit_insurance",
        currency_field="credit_insurance_cover_currency_id",
        groups=CREDIT_GROUP,
    )
    credit_insurance_cover_currency_id = fields.Many2one(
        "res.currency", string="Cover Currency", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_cover_ends_on = fields.Date(
        string="Cover Stands Until", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_data_age = fields.Char(
        string="Insurer Data Received", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )
    credit_insurance_data_stale = fields.Boolean(
        string="Insurer Data Stale", compute="_compute_credit_insurance", groups=CREDIT_GROUP
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "tz", "lang")
    def _compute_credit_insurance(self):
        company = self.env.company.root_id
        buyers = self.env["credit.insurance.buyer"].search(
            [("partner_id", "in", self.commercial_partner_id.ids), ("company_id", "=", company.id)]
        )
        by_partner = {buyer.partner_id: buyer for buyer in buyers}
        for partner in self:
            buyer = by_partner.get(partner.commercial_partner_id, self.env["credit.insurance.buyer"])
            partner.credit_insurance_buyer_id = buyer
            for name, source in SHOWN.items():
                partner[name] = buyer[source]

    def action_open_credit_insurance_buyer(self):
        """The buyer's record of the current company, or a new one for those who may create it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Credit"),
            "res_model": "credit.insurance.buyer",
            "view_mode": "form",
            "views": [(False, "form")],
            "res_id": self.credit_insurance_buyer_id.id,
            "context": {"default_partner_id": self.commercial_partner_id.id},
        }
