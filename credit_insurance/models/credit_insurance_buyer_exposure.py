"""From a figure of the exposure to the documents that make it."""

from odoo import api, fields, models
from odoo.exceptions import AccessError


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    unrated_currencies = fields.Char(
        compute="_compute_unrated_currencies",
        help="Currencies of the limit or of open orders without an exchange rate: the figures count them one to one.",
    )

    unrefunded = fields.Monetary(
        string="Paid and Not Refunded",
        compute="_compute_unrefunded",
        compute_sudo=True,
        help="What was paid on the invoices of cancelled orders, and neither delivered nor credited. No exposure yet: "
        "a credit note lowers it.",
    )

    @api.depends("currency_id")
    def _compute_unrefunded(self):
        for buyer in self:
            orders = self.env["sale.order"].search(
                [
                    ("state", "=", "cancel"),
                    ("partner_invoice_id.commercial_partner_id", "=", buyer.partner_id.id),
                    ("company_id", "child_of", buyer.company_id.id),
                    ("order_line.invoice_lines.parent_state", "=", "posted"),
                ]
            )
            today = buyer.company_id._credit_today()
            buyer.unrefunded = sum(
                order.currency_id._convert(order.credit_unrefunded, buyer.currency_id, order.company_id, today)
                for order in orders
            )

    @api.depends("currency_id")
    def _compute_unrated_currencies(self):
        model = self.env["credit.insurance.exposure"].sudo()
        for company, buyers in self.sudo().grouped("company_id").items():
            today = company._credit_today()
            rows = model._get_rows(buyers.partner_id.ids, company.ids, today)
            pairs = [(buyer.partner_id.id, company.id) for buyer in buyers]
            limits = self.env["credit.insurance.limit"]._get_limits(pairs, today)
            for buyer in buyers:
                of_orders = {
                    row.currency_id
                    for row in rows[buyer.partner_id.id, company.id]
                    if row.amount_company is None and row.currency_id != buyer.currency_id.id
                }
                currencies = self.env["res.currency"].sudo().browse(of_orders) | buyer.currency_id
                currencies |= model._get_currencies(limits[buyer.partner_id.id, company.id].limit_codes)
                buyer.unrated_currencies = ", ".join(model._get_unrated(currencies, company).mapped("name"))

    def action_open_exposure(self, source=None):
        """Open exactly the documents whose amounts add up to the exposure, or to one source of it."""
        self.ensure_one()
        self.check_access("read")
        return self.env["credit.insurance.exposure.line"]._open(
            self.partner_id, self.company_id, self.currency_id, source
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def action_credit_open_exposure(self, source=None):
        """The same for the buyer of an order that the user may open.

        :raise AccessError: the user is a customer, or sells and decides nothing
        """
        self.ensure_one()
        self.check_access("read")
        groups = ("sales_team.group_sale_salesman", "credit_insurance.credit_insurance_group_user")
        if not any(self.env.user.has_group(group) for group in groups):
            raise AccessError(self.env._("Only sales and credit people see what a buyer owes."))
        partner, company = self.sudo()._credit_buyer_partner(), self.sudo().company_id.root_id
        buyer = self.env["credit.insurance.buyer"].sudo()._find(partner, company)
        currency = buyer.currency_id or company.currency_id
        return self.env["credit.insurance.exposure.line"]._open(partner, company, currency, source)
