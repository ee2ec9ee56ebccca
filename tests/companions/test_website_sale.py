"""The shop: its checkout ends in the same gate, and its confirmation page says no more than a customer should read."""

from odoo import http
from odoo.tests import HttpCase, tagged

from odoo.addons.credit_insurance.tests.common import CreditCommon
from odoo.addons.payment.tests.common import PaymentCommon

ARRIVED = "We have received it and will confirm it shortly"


@tagged("post_install", "-at_install")
class TestShop(CreditCommon, PaymentCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].search([], limit=1)
        cls.website.company_id = cls.company
        cls._make_buyer(limit=1000)

    def _make_cart(self, amount):
        return self._make_order(amount, website_id=self.website.id)

    def _pay(self, order, state):
        transaction = self._create_transaction(
            "redirect",
            amount=order.amount_total,
            currency_id=order.currency_id.id,
            partner_id=order.partner_id.id,
            sale_order_ids=order.ids,
            reference=order.name,
        )
        getattr(transaction, f"_set_{state}")()
        transaction._post_process()
        return transaction

    def _open_confirmation_page(self, order):
        session = self.authenticate(None, None)
        session["sale_last_order_id"] = order.id
        http.root.session_store.save(session)
        response = self.url_open("/shop/confirmation")
        self.assertEqual(response.status_code, 200)
        return response.text

    def test_cart_within_the_limit_is_confirmed(self):
        order = self._make_cart(800)
        order._validate_order()
        self.assertEqual((order.state, order.credit_state), ("sale", "passed"))
        self.assertNotIn(ARRIVED, self._open_confirmation_page(order))

    def test_cart_over_the_limit_is_held_and_its_customer_thanked(self):
        order = self._make_cart(1500)
        order._validate_order()
        self.assertEqual(order.credit_state, "held")
        page = self._open_confirmation_page(order)
        self.assertIn(ARRIVED, page)
        for word in ("credit limit", "exposure", "shortfall", "is held"):
            self.assertNotIn(word, page.lower())

    def test_cart_that_is_paid_passes_without_credit(self):
        order = self._make_cart(1500)
        self._pay(order, "done")
        self.assertEqual((order.state, order.credit_state), ("sale", "passed"))

    def test_promise_to_pay_by_transfer_is_no_payment(self):
        order = self._make_cart(1500)
        self._pay(order, "pending")
        self.assertNotEqual(order.state, "sale")
