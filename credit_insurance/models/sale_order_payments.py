from decimal import Decimal

from odoo import api, fields, models

from .amounts import to_decimal
from .credit_insurance_exposure import ExposureRow
from .payment_transaction import PAYING


class SaleOrder(models.Model):
    """What was invoiced, what is owed and what was paid of an order."""

    _inherit = "sale.order"

    credit_unrefunded = fields.Monetary(
        string="Paid and Not Refunded",
        compute="_compute_credit_unrefunded",
        compute_sudo=True,
        help="What was paid on the invoices of a cancelled order, and neither delivered nor credited.",
    )

    @api.depends("state")
    def _compute_credit_unrefunded(self):
        for order in self:
            order.credit_unrefunded = order._credit_get_unrefunded() if order.state == "cancel" else 0.0

    # === PAID ONLINE === #

    def _credit_prepaid(self):
        """What was paid online for what is still to be invoiced of this order alone.

        A payment that has settled an invoice has been used, a refund takes back what it refunds, and what was invoiced
        and is not paid yet has its part of the money.

        :return: the amount in the order's currency, and how much of it stands in the exposure as open credits: exposure
            rows above zero
        """
        self.ensure_one()
        payments = self._credit_paid_online()
        owed = max(0.0, self._credit_owed()) if payments else 0.0
        prepaid, booked = 0.0, []
        # What is booked settles invoices: as a credit it lowers what is owed already.
        for amount, row in sorted(payments, key=lambda payment: not payment[1]):
            left = max(0.0, amount - owed)
            owed -= amount - left
            prepaid += left
            if row and left:
                booked.append(row._scaled(Decimal(repr(left)) / Decimal(repr(amount))))
        return prepaid, tuple(booked)

    def _credit_paid_online(self):
        """Each payment for this order alone, as far as it settled no invoice: ``[(amount, row)]``.

        The amount is in the order's currency; the row is the credit of it in this buyer's exposure, as a row above
        zero, or None.
        """
        payments = []
        # An order that is being typed has the payments of the one it was opened from.
        transactions = self._origin.sudo().transaction_ids
        for transaction in transactions | transactions.child_transaction_ids:
            if not self._credit_pays_this_order(transaction):
                continue
            lines = transaction._credit_receivable_lines()
            unused = transaction._credit_get_unused()
            amount = min(float(lines._credit_get_open_credit()[0]), unused) if lines else unused
            if amount > 0:
                converted = transaction.currency_id._convert(
                    amount, self.currency_id, self.company_id, fields.Date.context_today(self)
                )
                payments.append((converted, self._credit_get_booked(lines, amount)))
        return payments

    def _credit_get_booked(self, lines, amount):
        """The part of these open items that is ``amount``; None when they are no credit of who owes the order.

        Who orders may pay for who is invoiced: that credit is another buyer's.
        """
        own = (
            lines.partner_id.commercial_partner_id == self._credit_buyer_partner()
            and lines.company_id.root_id == self._credit_company()
        )
        if not own:
            return None
        currency = lines.currency_id
        open_amount, booked = lines._credit_get_open_credit()
        row = ExposureRow("credits", currency.id, open_amount, booked)
        return row._scaled(to_decimal(amount, currency) / open_amount)

    def _credit_pays_this_order(self, transaction):
        """Money of this buyer, for this order and no other one, in a currency whose worth is known."""
        currencies = transaction.currency_id | self.currency_id
        if len(currencies) > 1 and self.env["credit.insurance.exposure"]._get_unrated(currencies, self.company_id):
            return False
        return (
            transaction.state in PAYING
            # A payment that bounced or was cancelled in the books leaves the transaction as it was.
            and transaction.payment_id.state in (False, "in_process", "paid")
            and transaction.payment_id.move_id.state in (False, "posted")
            and transaction.operation != "refund"
            and transaction._credit_orders() == self._origin
            and transaction.partner_id.commercial_partner_id
            in (self.partner_id.commercial_partner_id | self._credit_buyer_partner())
        )

    # === INVOICED === #

    def _credit_left_to_invoice(self):
        """What of a quotation is not invoiced: one that had been confirmed and cancelled may have invoices already."""
        self.ensure_one()
        if self.amount_total <= 0 or not self._origin.sudo().credit_pass_ids:
            return self.amount_total
        buyer = self._credit_buyer_partner()
        if any(invoice.commercial_partner_id != buyer for invoice in self._credit_posted_invoices()):
            return self.amount_total
        lines = self.order_line.filtered(lambda line: not line.display_type)
        left = sum(line._credit_left_to_invoice() for line in lines)
        return self.currency_id.round(min(self.amount_total, max(0.0, left)))

    def _credit_invoiced(self):
        """What posted invoices carry of this order, less credit notes, in its own currency."""
        self.ensure_one()
        return sum(
            self._credit_part_of_invoice(invoice, invoice.amount_total) for invoice in self._credit_posted_invoices()
        )

    def _credit_left_to_bill(self):
        """What invoices may still carry of it without a decision of their own, in its own currency: what passed, or
        was delivered beyond that, and only what was delivered of an order that is confirmed no more."""
        self.ensure_one()
        passes = self.credit_pass_ids
        if self.state == "sale":
            lines = self.order_line.filtered(lambda line: not line.is_downpayment)
            owed = sum(max(line.price_total, line._credit_delivered()) for line in lines)
            billable = max(passes.filtered("live").amount, owed)
        else:
            delivered = sum(line._credit_delivered() for line in self.order_line)
            billable = min(delivered, max(passes.mapped("amount"), default=0.0))
        return billable - self._credit_invoiced()

    def _credit_owed(self):
        """What of that is not paid yet."""
        residuals = self._credit_posted_invoices()._credit_get_residuals()
        return sum(self._credit_part_of_invoice(invoice, residual) for invoice, residual in residuals.items())

    def _credit_paid(self):
        """What has been paid of this order: online, and on its invoices."""
        self.ensure_one()
        online = sum(amount for amount, _row in self._credit_paid_online())
        return online + self._credit_paid_on_invoices(self._credit_posted_invoices())

    def _credit_get_unrefunded(self):
        """What was paid on its invoices for goods that do not come: once it is credited, it lowers the exposure."""
        self.ensure_one()
        invoices = self._credit_posted_invoices()
        refunds = invoices.filtered(lambda move: move.move_type == "out_refund")
        paid = self._credit_paid_on_invoices(invoices - refunds)
        credited = -sum(self._credit_part_of_invoice(refund, refund.amount_total) for refund in refunds)
        delivered = sum(line._credit_delivered() for line in self.order_line)
        return self.currency_id.round(max(0.0, paid - credited - delivered))

    def _credit_lacks_money(self):
        """Whether less has been paid of this order than it is worth."""
        self.ensure_one()
        return self.currency_id.compare_amounts(self._credit_paid(), self.amount_total) < 0

    def _credit_posted_invoices(self):
        invoices = self._origin.sudo().invoice_ids
        return invoices.filtered(lambda move: move.state == "posted" and move.amount_total)

    def _credit_paid_on_invoices(self, invoices):
        """This order's part of what was paid on invoices, and given back on credit notes, in its own currency."""
        # A credit note that settles an invoice paid nothing: the one cancels the other.
        return sum(
            self._credit_part_of_invoice(invoice, invoice.amount_total - residual)
            for invoice, residual in invoices._credit_get_residuals().items()
        )

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


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _credit_delivered(self):
        """The price with tax of what was delivered."""
        self.ensure_one()
        if self.is_downpayment:
            return 0.0
        return self.qty_delivered * self._credit_unit_price()

    def _credit_left_to_invoice(self):
        """Its total without the part whose quantity posted invoices carry; below zero for a down payment."""
        self.ensure_one()
        if self.is_downpayment:
            return self.price_total - self.amount_invoiced
        if self.product_uom_qty <= 0:
            return self.price_total
        return self.price_total * (1 - min(1.0, max(0.0, self.qty_invoiced_posted / self.product_uom_qty)))
