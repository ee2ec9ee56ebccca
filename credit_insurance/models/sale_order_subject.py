from odoo import api, fields, models

from .company_calendar import company_day


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

    def _credit_delivery_date(self):
        if not self.commitment_date:
            return None
        return company_day(self._credit_company(), self.commitment_date)

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

    def _credit_prepaid(self):
        """What was paid online for this order alone, and how much of that is an open credit in the exposure already.

        A payment that has settled an invoice has been used, a refund takes back what it refunds.

        :return: two amounts in the order's currency, both positive
        """
        self.ensure_one()
        paid = booked = 0.0
        # An order that is being typed has the payments of the one it was opened from.
        for transaction in self._origin.sudo().transaction_ids:
            if not self._credit_pays_this_order(transaction):
                continue
            lines = transaction.payment_id.move_id.line_ids.filtered(
                lambda line: line.account_type == "asset_receivable"
            )
            unused = self._credit_get_unused(transaction)
            amount = -sum(lines.mapped("amount_residual_currency")) if lines else unused
            amount = transaction.currency_id._convert(
                min(amount, unused), self.currency_id, self.company_id, fields.Date.context_today(self)
            )
            paid += amount
            # Who orders may pay for who is invoiced: that credit is another buyer's.
            own = lines.partner_id.commercial_partner_id == self._credit_buyer_partner()
            booked += amount if own else 0.0
        return max(paid, 0.0), max(booked, 0.0)

    @api.model
    def _credit_get_unused(self, transaction):
        """What of the transaction was not given back, in its currency."""
        refunds = transaction.child_transaction_ids.filtered(
            lambda child: child.operation == "refund" and child.state == "done"
        )
        return transaction.amount + sum(refunds.mapped("amount"))

    def _credit_pays_this_order(self, transaction):
        """Money of this buyer, for this order and no other one, in a currency whose worth is known."""
        currencies = transaction.currency_id | self.currency_id
        if len(currencies) > 1 and not all(c.rate_ids for c in currencies - self.company_id.currency_id):
            return False
        return (
            transaction.state in ("authorized", "done")
            # A payment that bounced or was cancelled in the books leaves the transaction as it was.
            and transaction.payment_id.state in (False, "in_process", "paid")
            and transaction.operation != "refund"
            and transaction.sale_order_ids == self._origin
            and transaction.partner_id.commercial_partner_id
            in (self.partner_id.commercial_partner_id | self._credit_buyer_partner())
        )

    def _credit_term_days(self, today):
        """Days from ``today`` to the last due date of the payment term; None without a term."""
        self.ensure_one()
        return self._credit_days_of_term(self.payment_term_id, today)

    def _credit_days_of_term(self, term, today):
        return max(((line._get_due_date(today) - today).days for line in term.line_ids), default=None)

    def _credit_term_within(self, term):
        """Whether the order is due no later than with ``term``; without a term it is due at once."""
        if self.payment_term_id == term:
            return True
        today = self._credit_company()._credit_today()
        return (self._credit_term_days(today) or 0) <= (self._credit_days_of_term(term, today) or 0)

    def _credit_invoiced(self):
        """What posted invoices carry of this order, less credit notes, in its own currency."""
        self.ensure_one()
        return sum(
            self._credit_part_of_invoice(invoice, invoice.amount_total) for invoice in self._credit_posted_invoices()
        )

    def _credit_owed(self):
        """What of that is not paid yet."""
        return sum(
            self._credit_part_of_invoice(invoice, invoice.amount_residual) for invoice in self._credit_posted_invoices()
        )

    def _credit_paid(self):
        """What has been paid of this order: online, and on its invoices."""
        self.ensure_one()
        return self._credit_prepaid()[0] + sum(
            self._credit_paid_on_invoice(invoice) for invoice in self._credit_posted_invoices()
        )

    def _credit_posted_invoices(self):
        invoices = self._origin.sudo().invoice_ids
        return invoices.filtered(lambda move: move.state == "posted" and move.amount_total)

    def _credit_paid_on_invoice(self, invoice):
        """This order's part of what was paid on an invoice, or given back on a credit note, in its own currency."""
        # A credit note that settles an invoice paid nothing: the one cancels the other.
        return self._credit_part_of_invoice(invoice, invoice.amount_total - invoice.amount_residual)

    def _credit_part_of_invoice(self, invoice, amount):
        """This order's part of ``amount`` of an invoice, in its own currency; below zero for a credit note."""
        own = invoice.invoice_line_ids.filtered(lambda line: self._origin in line.sale_line_ids.order_id)
        sign = -1 if invoice.move_type == "out_refund" else 1
        return invoice.currency_id._convert(
            sign * amount * sum(own.mapped("price_total")) / invoice.amount_total,
            self.currency_id,
            self.company_id,
            invoice.invoice_date or fields.Date.context_today(self),
        )
