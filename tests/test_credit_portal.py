"""What a customer sees and can do while the order waits for a credit decision."""

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.payment.tests.common import PaymentCommon

from .common import CreditCommon

ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ARRIVED = "We have received it and will confirm it shortly"
# Words a customer must not read on the page of an order.
CREDIT_WORDS = ("credit limit", "insur", "exposure", "shortfall", "credit gate", "on hold", "is held", "overdue")


@tagged("post_install", "-at_install")
class TestCreditPortal(CreditCommon, PaymentCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(
            cls.env, login="credit_portal_user", groups="base.group_portal", name="Customer", email="c@example.com"
        )
        cls.portal_user.partner_id.parent_id = cls.partner
        cls._make_buyer(limit=1000)

    def _portal_order(self, amount=1500, **values):
        order = self._make_order(amount, partner=self.portal_user.partner_id, **values)
        order.require_payment = False
        order.action_quotation_sent()
        return order

    def _pay(self, order, amount, state):
        return self._create_transaction(
            "redirect",
            amount=amount,
            currency_id=order.currency_id.id,
            partner_id=self.portal_user.partner_id.id,
            sale_order_ids=[Command.set(order.ids)],
            state=state,
        )

    def _page(self, order, query=""):
        self.authenticate(self.portal_user.login, self.portal_user.login)
        response = self.url_open(f"/my/orders/{order.id}?{query}")
        self.assertEqual(response.status_code, 200)
        return response.text

    def _sign(self, order):
        self.authenticate(self.portal_user.login, self.portal_user.login)
        return self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {
                "name": "Customer",
                "signature": ONE_PIXEL,
            },
        )

    def _assert_neutral(self, page):
        content = page.lower()
        for word in CREDIT_WORDS:
            self.assertNotIn(word, content)

    def test_quotation_that_nobody_stopped_says_nothing(self):
        self.assertNotIn(ARRIVED, self._page(self._portal_order(require_signature=False)))

    def test_signature_on_an_order_that_is_held_is_kept_and_the_customer_thanked(self):
        order = self._portal_order(require_signature=True)
        answer = self._sign(order)
        self.assertTrue(answer["force_refresh"])
        self.assertEqual((order.state, order.credit_state, order.signed_by), ("sent", "held", "Customer"))
        self.assertTrue(order.signature)
        page = self._page(order, "message=sign_ok")
        self.assertIn("Your order has been signed.", page)
        self.assertIn(ARRIVED, page)
        self._assert_neutral(page)

    def test_order_that_is_held_before_it_is_signed_asks_for_the_signature_first(self):
        order = self._portal_order(require_signature=True)
        order.with_user(self.rep).action_confirm()
        page = self._page(order)
        self.assertNotIn(ARRIVED, page)
        self.assertIn("Accept & Sign", page)

    def test_held_order_can_be_paid_in_full_on_its_page(self):
        order = self._portal_order(require_signature=False)
        order.with_user(self.rep).action_confirm()
        page = self._page(order)
        self.assertIn(ARRIVED, page)
        self.assertIn("you can pay it now", page)
        self.assertIn("o_sale_portal_paynow", page)
        self.assertIn('name="o_payment_submit_button"', page)
        self._assert_neutral(page)

    def test_held_order_that_asks_for_a_payment_says_that_it_can_be_paid(self):
        order = self._portal_order(require_signature=False)
        order.require_payment = True
        order.with_user(self.rep).action_confirm()
        self.assertFalse(order._credit_get_portal_amount(), "the page asks for it anyway")
        page = self._page(order)
        self.assertIn("you can pay it now", page)
        self.assertIn('name="o_payment_submit_button"', page)

    def test_payment_of_a_held_order_confirms_it(self):
        order = self._portal_order(require_signature=False)
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order._credit_get_portal_amount(), 1500)
        transaction = self._pay(order, 1500, "done")
        transaction.sudo()._post_process()
        self.assertEqual((order.state, order.credit_state), ("sale", "passed"))
        self.assertNotIn(ARRIVED, self._page(order))

    def test_pending_payment_is_not_asked_for_twice(self):
        order = self._portal_order(require_signature=False)
        order.with_user(self.rep).action_confirm()
        self._pay(order, 1500, "pending")
        self.assertFalse(order._credit_get_portal_amount())
        self.assertIn(ARRIVED, self._page(order))

    def test_payment_is_not_offered_where_it_would_not_help(self):
        buyer = self.env["credit.insurance.buyer"].search([("partner_id", "=", self.partner.id)])
        buyer.write({"status": "blocked", "status_reason": "Insolvency rumour"})
        order = self._portal_order(require_signature=False)
        order.with_user(self.rep).action_confirm()
        page = self._page(order)
        self.assertIn(ARRIVED, page)
        self.assertNotIn("you can pay it now", page)
        self._assert_neutral(page)

    def test_payment_is_not_offered_without_a_provider(self):
        order = self._portal_order(require_signature=False)
        order.with_user(self.rep).action_confirm()
        self.env["payment.provider"].search([]).sudo().state = "disabled"
        self.assertFalse(order._credit_get_portal_amount())

    def test_rest_of_an_order_whose_prepayment_is_in_can_be_paid(self):
        order = self._portal_order(require_signature=False)
        order.write({"require_payment": True, "prepayment_percent": 0.2})
        self._pay(order, 300, "done").sudo()._post_process()
        self.assertEqual((order.state, order.credit_state), ("sent", "held"), "the prepayment does not suffice")
        self.assertEqual(order._credit_get_portal_amount(), 1200)
        self.assertIn("o_sale_portal_paynow", self._page(order))

    def test_page_of_an_order_opens_whose_prepayment_is_more_than_its_rest(self):
        order = self._portal_order(require_signature=False)
        order.write({"require_payment": True, "prepayment_percent": 0.6})
        self._make_invoice(500)
        self._pay(order, 900, "done").sudo()._post_process()
        self.assertEqual((order.state, order.credit_state), ("sent", "held"))
        for state in ("open", "cleared"):
            order.credit_hold_id.sudo().state = state
            self.assertEqual(order._credit_get_portal_amount(), 600)
            self.assertIn("o_sale_portal_paynow", self._page(order), order.credit_state)

    def _release_and_count_mails(self, order):
        sent = []
        self.patch(type(order), "_send_order_confirmation_mail", lambda orders: sent.extend(orders.ids))
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        wizard = self.env["credit.insurance.hold.release"].with_user(self.manager)
        wizard.create({"hold_id": order.credit_hold_id.id, "reason_id": reason.id, "note": "ok"}).action_decide()
        self.assertEqual(order.state, "sale")
        return sent

    def test_customer_who_signed_gets_the_confirmation_when_the_order_is_released(self):
        order = self._portal_order(require_signature=True)
        self._sign(order)
        self.assertEqual(self._release_and_count_mails(order), order.ids)

    def test_customer_who_paid_in_part_gets_the_confirmation_when_the_order_is_released(self):
        order = self._portal_order(amount=3000, require_signature=False)
        order.write({"require_payment": True, "prepayment_percent": 0.1})
        self._pay(order, 300, "done").sudo()._post_process()
        self.assertEqual(order.credit_state, "held")
        self.assertEqual(self._release_and_count_mails(order), order.ids)

    def test_customer_of_an_order_that_the_rep_confirmed_gets_no_mail_by_itself(self):
        order = self._portal_order(require_signature=False)
        order.with_user(self.rep).action_confirm()
        self.assertFalse(self._release_and_count_mails(order))

    def test_rejected_order_makes_no_promise(self):
        order = self._portal_order(require_signature=False)
        order.with_user(self.rep).action_confirm()
        order.credit_hold_id.sudo().state = "rejected"
        self.assertNotIn(ARRIVED, self._page(order))

    def test_list_of_quotations_says_which_ones_have_arrived(self):
        waiting, other = self._portal_order(require_signature=False), self._portal_order(require_signature=False)
        waiting.with_user(self.rep).action_confirm()
        self.authenticate(self.portal_user.login, self.portal_user.login)
        page = self.url_open("/my/quotes").text
        self.assertIn(waiting.name, page)
        self.assertIn(other.name, page)
        self.assertEqual(page.count("Order received"), 1)
        self._assert_neutral(page)
        waiting.credit_hold_id.sudo().state = "rejected"
        self.assertNotIn("Order received", self.url_open("/my/quotes").text)

    def test_shops_confirmation_page_says_that_the_order_has_arrived(self):
        order = self._portal_order(require_signature=False)

        template = self.env.ref("credit_insurance.frontend_layout")
        self.assertIn("order_tracking_info", template.arch)
        order.with_user(self.rep).action_confirm()
        self.assertTrue(order._credit_is_awaited())
