"""Alerts of shipped rules end when there is nothing left of what they are about: paid, billed, reported, renewed."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common_alert import AlertCommon


@tagged("post_install", "-at_install")
class TestAlertGone(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100000)
        cls.policy = cls._make_policy(date_start=cls.today - timedelta(days=800))
        cls._make_cover(cls.policy, cls.buyer, 50000, effective_from=cls.today - timedelta(days=700))

    def _screen(self, key):
        """The live alerts of one shipped rule."""
        rule = self.Rule.search([("key", "=", key)])
        rule.state = "active"
        self.Rule._screen(self.buyer)
        return self._alerts().filtered(lambda alert: alert.rule_id == rule and not alert.ended_on)

    def _check_paid(self, key, due_in, **values):
        invoice = self._make_invoice(1000, due_in=due_in, **values)
        self.assertEqual(self._screen(key).state, "open")
        self._pay(invoice)
        self.assertFalse(self._screen(key))

    def test_duties_end_with_the_payment(self):
        for key, days in (
            ("cover_stops_soon", 50),
            ("notification_due", 83),
            ("notification_missed", 95),
            ("claim_due", 335),
        ):
            with self.subTest(key):
                self._check_paid(key, -days)

    def test_reminder_before_the_due_date_ends_with_the_payment_and_is_not_sent(self):
        invoice = self._make_invoice(1000, due_in=3)
        task = self._screen("reminder_before_due").task_ids
        self.assertEqual(task.state, "todo")
        self._pay(invoice)
        self.assertFalse(self._screen("reminder_before_due"))
        self.assertEqual(task.state, "cancelled")

    def test_too_long_a_term_ends_with_the_payment(self):
        self._check_paid("term_beyond_cover", 300, invoice_date=self.today)

    def test_adverse_information_ends_when_it_was_reported(self):
        self.env["credit.insurance.event"].create(
            {
                "buyer_id": self.buyer.id,
                "kind": "insolvency_rumour",
                "date": self.today - timedelta(days=6),
                "known_on": self.today - timedelta(days=6),
                "source": "a competitor",
            }
        )
        keys = ("adverse_information_due", "event_to_report")
        for key in keys:
            self.assertEqual(self._screen(key).state, "open")
        self.buyer.event_ids.with_user(self.officer).action_mark_reported()
        for key in keys:
            self.assertFalse(self._screen(key))

    def test_delivery_that_is_billed_ends_its_alert(self):
        order = self._make_confirmed_order(100, product=self.goods)
        picking = order.picking_ids
        picking.move_ids.quantity = 10
        picking.with_context(skip_backorder=True).button_validate()
        picking.move_ids.date = fields.Datetime.now() - timedelta(days=28)
        self.assertEqual(self._screen("invoicing_late").state, "open")
        order._create_invoices().action_post()
        self.assertFalse(self._screen("invoicing_late"))

    def test_cover_that_was_renewed_without_an_end_ends_its_alert(self):
        self._make_invoice(1000, due_in=20)
        self._make_cover(self.policy, self.buyer, 50000, effective_to=self.today + timedelta(days=10))
        self.assertEqual(self._screen("cover_ends_soon").state, "open")
        self._make_cover(self.policy, self.buyer, 50000)
        self.assertFalse(self._screen("cover_ends_soon"))
