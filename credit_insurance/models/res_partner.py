from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

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
        buyers = (
            self.env["credit.insurance.buyer"]
            .with_context(active_test=False)
            .search(
                [
                    ("partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "=", company.id),
                    ("merged_into_id", "=", False),
                ]
            )
        )
        by_partner = {buyer.partner_id: buyer for buyer in buyers}
        for partner in self:
            buyer = by_partner.get(partner.commercial_partner_id, self.env["credit.insurance.buyer"])
            partner.credit_insurance_buyer_id = buyer
            for name, source in SHOWN.items():
                partner[name] = buyer[source]

    def write(self, vals):
        if "commercial_partner_id" in vals and not self.env.su:
            raise AccessError(self.env._("The commercial entity of a contact follows from the company it belongs to."))
        if "country_id" in vals:
            self._credit_insurance_check_country(vals["country_id"])
        if not {"parent_id", "is_company"} & vals.keys():
            return super().write(vals)
        before = {partner: partner.commercial_partner_id for partner in self}
        result = super().write(vals)
        self._credit_insurance_check_entity()
        self._credit_insurance_check_moved(before)
        return result

    def _credit_insurance_check_country(self, country_id):
        """Who sells or buys does not bring a buyer under its policy by naming another country.

        :raise UserError: a policy covers a buyer there and not where it is, and nobody of the credit team says so
        """
        # The portal writes as the system: who asked counts.
        user = self.env.user
        if not country_id or user._is_superuser() or user.has_group(CREDIT_GROUP):
            return
        self.check_access("write")
        buyers = self.env["credit.insurance.buyer"].sudo().with_context(active_test=False)
        for buyer in buyers.search([("partner_id", "in", self.ids), ("merged_into_id", "=", False)]):
            for policy in buyer._get_insuring_policies():
                covered = policy.country_ids
                if country_id in covered.ids and buyer.partner_id.country_id not in covered:
                    # Customers read it too.
                    name = buyer.partner_id.display_name
                    raise UserError(self.env._("A credit officer has to change the country of %s.", name))

    def _credit_insurance_check_moved(self, before):
        """What a contact owes stays with the buyer whose limit it used, unless a credit manager moves it.

        :raise UserError: a contact with open items or orders would leave a buyer that has a credit record
        """
        moved = {partner: old for partner, old in before.items() if partner.commercial_partner_id != old}
        if not moved:
            return
        self.union(*moved)._credit_insurance_watch_orders()
        if self.env.su or self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            return
        known = self.env["credit.insurance.buyer"].sudo().with_context(active_test=False)
        buyers = known.search([("partner_id", "in", [old.id for old in moved.values()])])
        leaving = self.union(*(partner for partner, old in moved.items() if old in buyers.partner_id))
        owing = leaving._credit_insurance_find_open_orders()[:1].partner_invoice_id or (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", leaving.ids),
                    ("account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                    ("reconciled", "=", False),
                ],
                limit=1,
            )
            .partner_id
        )
        if owing:
            entity = next(partner for partner in leaving if owing in partner._credit_insurance_find_below())
            raise UserError(
                self.env._(
                    "%(contact)s has orders or invoices that count against the credit of %(buyer)s. "
                    "A credit manager has to move it.",
                    contact=owing.display_name,
                    buyer=moved[entity].display_name,
                )
            )

    def _credit_insurance_find_below(self):
        """These contacts and those below them that are the same buyer: a company below one is a buyer of its own."""
        entities = self.commercial_partner_id.ids
        domain = [("id", "child_of", self.ids), ("commercial_partner_id", "in", entities)]
        return self.sudo().with_context(active_test=False).search(domain)

    def _credit_insurance_find_open_orders(self):
        """Orders invoiced to these contacts, or to contacts below them, of which something is left to invoice."""
        ordered = Domain("state", "in", ("sale", "cancel")) | Domain("credit_insurance_reopened", "=", True)
        invoiced_here = Domain("partner_invoice_id", "in", self._credit_insurance_find_below().ids)
        orders = self.env["sale.order"].sudo().search(invoiced_here & ordered)
        left = self.env["credit.insurance.exposure"]._get_open_order_amounts(orders) if orders else {}
        return orders.filtered(lambda order: left.get(order.id))

    def _credit_insurance_watch_orders(self):
        """The confirmed orders of contacts that became another buyer's are owed there: that buyer's limit decides."""
        orders = self._credit_insurance_find_open_orders()
        orders.filtered(lambda order: not order._credit_covered_by_pass())._credit_watch_growth("settled")

    def _credit_insurance_check_entity(self):
        """A buyer with a credit record does not become part of another one: its limit and exposure would be lost.

        :raise UserError: a credit manager has to archive the credit record first
        """
        buyers = self.env["credit.insurance.buyer"].sudo().search([("partner_id", "in", self.ids)])
        for partner in buyers.partner_id:
            if partner.commercial_partner_id != partner:
                raise UserError(
                    self.env._(
                        "%(buyer)s is a buyer with a credit record of its own and cannot become part of %(company)s. "
                        "A credit manager has to archive the credit record first.",
                        buyer=partner.name,
                        company=partner.commercial_partner_id.name,
                    )
                )

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
