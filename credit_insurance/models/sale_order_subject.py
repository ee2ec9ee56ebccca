from datetime import timedelta

from odoo import models

from .company_calendar import company_day

# People type lead times and payment terms: one beyond all dates is as good as one of a hundred years.
LONGEST_DAYS = 36_500


class SaleOrder(models.Model):
    """What the credit gate asks of an order."""

    _inherit = "sale.order"

    def _credit_order(self):
        return self

    def _credit_amount(self):
        return self.amount_total

    def _credit_buyer_partner(self):
        """The legal entity that will owe the money: the commercial partner of the invoice address."""
        return (self.partner_invoice_id or self.partner_id).commercial_partner_id

    def _credit_related_partners(self):
        """Who is invoiced, who orders and who receives the goods can be three legal entities."""
        return (self.partner_invoice_id | self.partner_id | self.partner_shipping_id).commercial_partner_id

    def _credit_delivery_date(self, expected=False):
        company = self._credit_company()
        if self.commitment_date:
            return company_day(company, self.commitment_date)
        lead = self._credit_lead_days() if expected else 0
        if not lead:
            return None
        confirmed = self.state == "sale" and self.date_order
        ordered = company_day(company, self.date_order) if confirmed else company._credit_today()
        return ordered + timedelta(days=lead)

    def _credit_lead_days(self):
        """Days from the order until the last of its lines leaves."""
        sold = self.order_line.filtered(lambda line: not line.display_type and not line.is_downpayment)
        return max(0, min(max(sold.mapped("customer_lead"), default=0), LONGEST_DAYS))

    def _credit_delivery_within(self, until):
        """Whether the goods leave on that day or before; without a date they leave now."""
        date = self._credit_delivery_date()
        return not until or not date or date <= until

    def _credit_delivery_waits(self):
        """Services are rendered without a delivery: an order that has some is checked like any other."""
        sold = self.order_line.filtered(
            lambda line: line.price_total > 0 and not line.display_type and not line.is_downpayment
        )
        services = sold.filtered(lambda line: line.product_id.type not in ("consu", "combo"))
        # The fee of the order's carrier goes with the goods; a client can call any line a fee.
        carrier = "is_delivery" in self.order_line._fields and self.carrier_id
        fees = services.filtered(lambda line: carrier and line.is_delivery and line.product_id == carrier.product_id)
        return bool(sold - services) and services == fees and not any(map(self._credit_leaves_supplier, sold))

    def _credit_leaves_supplier(self, line):
        """Whether the goods go from a supplier to the customer, past our own deliveries, or might."""
        routes = line.route_ids or line.product_id.route_ids | line.product_id.categ_id.total_route_ids
        # Asked by Odoo when the others have no rule for it.
        routes |= line.order_id.warehouse_id.route_ids
        return any(
            rule.location_src_id.usage == "supplier" and rule.location_dest_id.usage == "customer"
            for rule in routes.rule_ids
        )

    def _credit_salesperson(self):
        return self.user_id

    def _credit_term_days(self, today):
        """Days from ``today`` to the last due date of the payment term; None without a term."""
        self.ensure_one()
        return self._credit_days_of_term(self.payment_term_id, today)

    def _credit_days_of_term(self, term, today):
        try:
            return max(((line._get_due_date(today) - today).days for line in term.line_ids), default=None)
        except OverflowError:
            return LONGEST_DAYS

    def _credit_term_within(self, term):
        """Whether the order is due no later than with ``term``; without a term it is due at once."""
        if self.payment_term_id == term:
            return True
        today = self._credit_company()._credit_today()
        return (self._credit_term_days(today) or 0) <= (self._credit_days_of_term(term, today) or 0)
