"""Signals of orders, invoices and events, and rules about them."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import Command, fields
from odoo.tests import tagged

from .common_alert import AlertCommon

ORDER_RULE = """\
key: odd_first_order
name: First order, to another country
scope: order
severity: warning
when:
  all:
    - order_is_first = yes
    - order_other_country = yes
    - order_amount > 500
message: "{buyer}: {order_amount}"
reason: test
"""


@tagged("post_install", "-at_install")
class TestDocumentSignals(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "off"
        cls.buyer = cls._make_buyer(limit=1000)
        cls.signals = cls.env["credit.insurance.signals"]

    def _of(self, scope, document, keys=None):
        return self.signals._get_document_facts(scope, document, keys, self.today)[document.id]

    def _event(self, kind, **values):
        return self.env["credit.insurance.event"].create(
            {"buyer_id": self.buyer.id, "kind": kind, "source": "Press", **values}
        )

    def test_an_order_has_its_own_signals_and_its_buyers(self):
        self._make_invoice(400, due_in=-10)
        facts = self._of("order", self._make_order(900))
        self.assertEqual(
            (facts["order_amount"], facts["order_is_first"], facts["order_new_address"]), (900, True, True)
        )
        self.assertEqual((facts["headroom"], facts["order_headroom"]), (600, -300))
        self.assertEqual((facts["amount_overdue"], facts["_buyer"]), (400, self.buyer.id))

    def test_a_confirmed_order_is_in_the_headroom_already(self):
        facts = self._of("order", self._make_confirmed_order(900))
        self.assertEqual((facts["order_headroom"], facts["order_is_first"]), (100, True))

    def test_size_against_mean_season_and_company(self):
        for amount, days_ago in ((100, 40), (300, 60)):
            self._make_confirmed_order(amount).date_order = fields.Datetime.now() - timedelta(days=days_ago)
        last_year = fields.Datetime.now() - relativedelta(years=1, days=10)
        self._make_confirmed_order(1000).date_order = last_year
        facts = self._of("order", self._make_order(800))
        self.assertEqual((facts["order_size"], facts["order_size_seasonal"]), (400, 80))
        self.assertFalse(facts["order_is_first"])
        self.assertFalse(facts["order_new_address"])

    def test_address_that_was_edited_is_a_new_one(self):
        self.partner.street = "Harbour Road 1"
        earlier = self._make_confirmed_order(100)
        earlier.date_order = fields.Datetime.now() - timedelta(days=40)
        order = self._make_order(800)
        self.assertFalse(self._of("order", order)["order_new_address"])
        self.partner.street = " harbour  road 1 "
        self.assertFalse(self._of("order", order)["order_new_address"], "it is the same place")
        self.partner.street = "Warehouse 7"
        self.assertTrue(self._of("order", order)["order_new_address"])
        self.partner.write({"credit_insurance_address_changed": False})
        self.assertTrue(self._of("order", order)["order_new_address"], "nobody takes it away by hand")
        self._make_confirmed_order(50)
        self.assertFalse(self._of("order", order)["order_new_address"], "an order went there since")

    def test_longest_term_of_the_order_against_the_covers(self):
        self._make_cover(self._make_policy(max_payment_term_days=60), self.buyer, 1000)
        term = self.env["account.payment.term"].create(
            {
                "name": "Half now, half in 90 days",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 90}),
                ],
            }
        )
        facts = self._of("order", self._make_order(100, payment_term_id=term.id))
        self.assertEqual((facts["order_payment_term"], facts["order_term_excess"]), (90, 30))

    def test_signs_of_fraud_add_up(self):
        self.partner.write({"email": "ann@alpha.example", "country_id": self.env.ref("base.fr").id})
        clerk = self.env["res.partner"].create(
            {"name": "Clerk", "parent_id": self.partner.id, "email": "ann@alpha-sales.test"}
        )
        abroad = self.env["res.partner"].create(
            {
                "name": "Warehouse", "parent_id": self.partner.id, "type": "delivery",
                "country_id": self.env.ref("base.be").id,
            }
        )  # fmt: skip
        self.env["res.partner.bank"].create({"partner_id": self.partner.id, "acc_number": "BE1420041"})
        order = self._make_order(900, partner=clerk, partner_shipping_id=abroad.id, partner_invoice_id=self.partner.id)
        facts = self._of("order", order)
        self.assertEqual((facts["order_other_domain"], facts["order_other_country"]), (True, True))
        self.assertEqual(facts["order_fraud_signs"], 4)  # first, other country, other domain, new bank account

    def test_an_invoice_from_its_original_due_date(self):
        self._make_cover(self._make_policy(max_payment_term_days=5), self.buyer, 1000)
        move = self._make_invoice(500, due_in=-20)
        move.invoice_date_due = self.today + timedelta(days=10)
        facts = self._of("invoice", move)
        self.assertEqual((facts["invoice_days_overdue"], facts["invoice_extended"]), (20, 30))
        self.assertEqual((facts["invoice_open"], facts["invoice_disputed"]), (500, False))

    def test_a_dispute_is_an_event_of_its_invoice(self):
        move = self._make_invoice(500, due_in=-20)
        self._event("dispute", move_id=move.id)
        self.assertTrue(self._of("invoice", move)["invoice_disputed"])

    def test_what_is_not_insured_of_an_invoice(self):
        move = self._make_invoice(500, due_in=20)
        self.assertEqual(self._of("invoice", move, {"invoice_uninsured"})["invoice_uninsured"], 500)

    def test_drafts_and_strangers_have_no_facts(self):
        stranger = self._make_order(100, partner=self.partner_b)
        self.assertFalse(self.signals._get_document_facts("order", stranger, None, self.today))
        draft = self._make_invoice(100, post=False)
        self.assertFalse(self.signals._get_document_facts("invoice", draft, None, self.today))

    def test_an_event_has_a_last_day(self):
        self._make_cover(self._make_policy(), self.buyer, 1000)
        facts = self._of("event", self._event("insolvency_rumour", amount=700))
        self.assertEqual((facts["event_kind"], facts["event_age"]), ("insolvency_rumour", 0))
        self.assertEqual((facts["event_amount"], facts["event_to_report"]), (700, 10))

    def test_the_policy_behind_a_discretionary_limit_says_when_an_event_is_to_be_reported(self):
        policy = self._make_policy(discretionary_maximum=100, discretionary_payments=0, discretionary_report_months=12)
        policy.period_ids.filtered(lambda period: period.kind == "adverse_information").number = 4
        limit = self._make_discretionary(policy, self.buyer, 100)
        event = self._event("insolvency_rumour")
        self.assertEqual(self._of("event", event)["event_to_report"], 4)
        limit.sudo().cancelled = True
        self.assertNotEqual(self._of("event", event).get("event_to_report"), 4)

    def test_an_orders_signals_take_five_queries(self):
        order = self._make_order(900)
        self.env["credit.insurance.receivable.total"]._refresh(self.company)  # as every screening does
        self._of("order", order)  # scorecards and derived signals are read once
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.signals._get_document_facts("order", order, None, self.today)
        self.assertLessEqual(self.cr.sql_log_count - before, 5)

    def test_only_what_is_asked_for_is_read(self):
        order = self._make_order(900)
        self.env.flush_all()
        facts = self._of("order", order, {"order_amount"})
        self.assertEqual(facts["order_amount"], 900)
        self.assertNotIn("exposure", facts)

    def test_a_rule_about_orders_raises_an_alert_on_the_order(self):
        self.partner.country_id = self.env.ref("base.fr")
        abroad = self.env["res.partner"].create(
            {
                "name": "Warehouse", "parent_id": self.partner.id, "type": "delivery",
                "country_id": self.env.ref("base.be").id,
            }
        )  # fmt: skip
        order = self._make_order(900, partner_shipping_id=abroad.id)
        small = self._make_order(100, partner_shipping_id=abroad.id)
        self.Rule.create({"document": ORDER_RULE, "state": "active"})
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertEqual((alert.res_model, alert.res_id), ("sale.order", order.id))
        small.order_line.price_unit = 900
        self.env["credit.insurance.screening"]._screen_documents("order", small)
        self.assertEqual(set(self._alerts().mapped("res_id")), {order.id, small.id})
        order.order_line.price_unit = 1
        self.Rule._screen(self.buyer)
        self.assertEqual(alert.state, "resolved")
