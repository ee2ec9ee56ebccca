from odoo import models

from .payment_transaction import PAYING

# Where an order stands that its customer has placed and that is not confirmed yet.
AWAITED = ("held", "ready", "released")


class SaleOrder(models.Model):
    """What the customer sees of an order that waits for a credit decision: that it has arrived, and how to pay it."""

    _inherit = "sale.order"

    def _credit_is_awaited(self):
        """Whether to tell the customer that the order has arrived; not while a signature of his is missing."""
        self.ensure_one()
        where = self.sudo().credit_state
        return self.state in ("draft", "sent") and where in AWAITED and not self._has_to_be_signed()

    def _credit_is_placed_online(self):
        """Whether the customer has accepted it by a signature or a payment, and waits for the confirmation."""
        self.ensure_one()
        return bool(self.signature or self.transaction_ids.filtered(lambda transaction: transaction.state in PAYING))

    def _credit_get_portal_amount(self):
        """What the customer may pay of an order that waits, where its page does not ask for a payment anyway."""
        return 0.0 if self.sudo()._has_to_be_paid() else self._credit_get_payable()

    def _credit_get_payable(self):
        """What is left to pay of an order that waits, where paying it would let it pass and can be done; else zero."""
        self.ensure_one()
        order = self.sudo()
        left = order.currency_id.round(order.amount_total - order.amount_paid)
        if left <= 0 or order.is_expired or not order._credit_is_awaited():
            return 0.0
        if order.transaction_ids.filtered(lambda transaction: transaction.state == "pending"):
            return 0.0
        [(_case, decision)] = self.env["credit.insurance.gate"].sudo()._preview(order)
        if decision.prepayment is None:
            return 0.0
        providers = order.env["payment.provider"]._get_compatible_providers(
            order.company_id.id, order.partner_id.id, left, currency_id=order.currency_id.id, sale_order_id=order.id
        )
        return left if providers else 0.0

    def _get_prepayment_required_amount(self):
        """Once what the order asks for is paid, any further amount may be paid while it waits for a decision."""
        required = super()._get_prepayment_required_amount()
        if self.sudo().credit_state in AWAITED and self.currency_id.compare_amounts(self.amount_paid, required) >= 0:
            return 0
        return required
