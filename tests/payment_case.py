"""Tests whose customers pay online."""

from odoo import Command

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .gate_attack_case import AttackCase


class OnlinePayments:
    """Mixin for an ``AccountPaymentCommon`` with buyers: a buyer without credit, which pays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=0)

    def _make_tx(self, orders, amount, state="done", currency=None, **values):
        return self._create_transaction(
            "direct",
            reference=f"TX {self.env['payment.transaction'].search_count([])} {amount}",
            amount=amount,
            currency_id=(currency or self.company_currency).id,
            partner_id=self.partner.id,
            sale_order_ids=[Command.set(orders.ids)],
            state=state,
            **values,
        )


class PaymentCase(OnlinePayments, AttackCase, AccountPaymentCommon):
    def _authorize(self, order, amount=1000):
        self.provider.support_manual_capture = "partial"
        tx = self._make_tx(order, amount, state="authorized")
        tx._post_process()
        return tx

    def _capture(self, tx, amount):
        child = tx._create_child_transaction(amount)
        child._set_done()
        (child | tx)._post_process()
        self._commit()
        return child

    def _void(self, tx, amount):
        tx._create_child_transaction(amount)._set_canceled()
        self._commit()

    def _refund(self, tx):
        """The provider says that it was made, a job books it."""
        refund = tx._create_child_transaction(tx.amount, is_refund=True)
        refund._set_done()
        self._commit()
        refund._post_process()
        self._commit()

    def _held(self, order):
        return order.picking_ids.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def _double(self, order):
        line = {"product_id": self.service.id, "product_uom_qty": 10, "price_unit": 100, "tax_ids": []}
        order.order_line = [Command.create(line)]

    def _make_paid_order(self):
        order = self._make_order(1000)
        tx = self._make_tx(order, 1000)
        tx._post_process()
        self._commit()
        self.assertEqual((order.state, self._exposure()["total"]), ("sale", 0))
        return order, tx.payment_id
