"""Holds that a customer's own session leads to: colleagues are told of them by the system and not by the customer."""

from odoo.tests import new_test_user, tagged

from .payment_case import PaymentCase


@tagged("post_install", "-at_install")
class TestCustomerSession(PaymentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={})
        cls.customer = new_test_user(
            cls.env, login="credit_customer", groups="base.group_portal", name="Customer", email="c@example.com"
        )
        cls.customer.partner_id.parent_id = cls.partner
        cls.system = cls.env.ref("base.user_root")
        cls.company.credit_hold_mail = True
        (cls.manager | cls.rep).email = "somebody@example.com"

    def _pay_in_part(self, user):
        order = self._make_order(1000, require_payment=True, prepayment_percent=0.3)
        self._make_tx(order, 300).with_user(user).sudo()._post_process()
        self._commit()
        self.assertEqual(order.credit_hold_id.state, "open")
        return order

    def _find_mails(self, order):
        return self.env["mail.mail"].sudo().search([("subject", "like", f"{order.name} of")])

    def test_hold_after_a_customers_payment_is_told_by_the_system(self):
        for user in (self.customer, self.env.ref("base.public_user")):
            order = self._pay_in_part(user)
            hold = order.credit_hold_id
            self.assertEqual(self._find_mails(order).mapped("email_from"), [self.system.email_formatted])
            self.assertEqual(hold.message_ids.author_id, self.system.partner_id)
            self.assertEqual(hold.activity_ids.create_uid, self.system)
            self.assertNotIn(user.partner_id, hold.message_partner_ids)
        self.assertIn(self.customer, self._pay_in_part(self.customer).credit_hold_id.asker_ids)

    def test_hold_of_a_rep_is_told_by_the_rep(self):
        order = self._make_order(1000)
        order.with_user(self.rep).action_confirm()
        self.assertEqual(self._find_mails(order).mapped("email_from"), [self.rep.email_formatted])
        self.assertEqual(order.credit_hold_id.create_uid, self.rep)

    def test_hold_that_a_customer_pays_off_is_closed_by_the_system(self):
        order = self._pay_in_part(self.customer)
        hold = order.credit_hold_id
        self._make_tx(order, 700).with_user(self.customer).sudo()._post_process()
        self._commit()
        self.assertEqual((order.state, hold.state), ("sale", "cleared"))
        self.assertEqual(hold.message_ids.author_id, self.system.partner_id)

    def test_refund_of_a_paid_service_is_told_once(self):
        for user in (self.env.user, self.env.ref("base.public_user")):
            order = self._make_order(1000, product=self.service)
            tx = self._make_tx(order, 1000)
            tx._post_process()
            self._commit()
            self.assertFalse(order.activity_ids)
            self._refund(tx.with_user(user).sudo())
            activity = order.activity_ids
            self.assertEqual((len(activity), activity.user_id), (1, self.manager))
            if user != self.env.user:
                self.assertEqual(activity.create_uid, self.system)
