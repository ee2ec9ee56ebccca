"""Disputed invoices, small rests and the policy's other terms: what stops cover, and what is not insured."""

from datetime import datetime, time, timedelta

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .test_credit_gate import GateCase


@tagged("post_install", "-at_install")
class TestDispute(GateCase):
    """A policy of 1,000 insured: what is disputed stops cover from 150 on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._make_policy(tax_included=True)
        cls.buyer = cls._make_buyer()
        cls._make_cover(cls.policy, cls.buyer, 1000)

    def _dispute(self, move, **values):
        return self.env["credit.insurance.event"].create(
            {"buyer_id": self.buyer.id, "kind": "dispute", "source": "Letter", "move_id": move.id, **values}
        )

    def _codes(self, order):
        return {reason["code"] for reason in self._hold(order).decision_id.reasons}

    def _assert_held(self, order):
        self.assertEqual(order.state, "draft")
        self.assertIn("mep_passed", self._codes(order))

    def test_an_order_passes_while_what_is_past_its_mep_is_disputed_and_small(self):
        move = self._make_invoice(149, due_in=-61)
        self._assert_held(self._make_confirmed_order(100))
        self._dispute(move)
        order = self._make_confirmed_order(100)
        self.assertEqual(order.state, "sale")
        decision = order.sudo().credit_pass_ids.decision_id
        self.assertEqual([(r["code"], r["severity"]) for r in decision.reasons], [("mep_excused", "info")])
        self.assertIn("does not stop cover", decision.reasons_text)

    def test_nothing_is_excused_of_who_pays_in_time(self):
        self._dispute(self._make_invoice(149, due_in=-60))
        order = self._make_confirmed_order(100)
        self.assertFalse(order.sudo().credit_pass_ids.decision_id.reasons)

    def test_disputes_that_reach_their_share_of_the_limit_hold(self):
        for amount in (100, 50):
            self._dispute(self._make_invoice(amount, due_in=-61))
        self._assert_held(self._make_confirmed_order(100))
        self.policy.disputed_share = 15.01
        self.assertEqual(self._make_confirmed_order(100).state, "sale")

    def test_another_invoice_past_its_mep_holds_beside_a_dispute(self):
        self._dispute(self._make_invoice(50, due_in=-70))
        self._make_invoice(1, due_in=-61)
        self._assert_held(self._make_confirmed_order(100))

    def test_a_settled_dispute_holds_again(self):
        event = self._dispute(self._make_invoice(50, due_in=-61))
        event.active = False
        self._assert_held(self._make_confirmed_order(100))

    def test_a_held_order_is_ready_once_the_dispute_is_entered(self):
        move = self._make_invoice(50, due_in=-61)
        order = self._make_confirmed_order(100)
        self._dispute(move)
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(order.credit_state, "ready")

    def test_the_policy_of_a_discretionary_limit_stops_deliveries_as_that_of_a_cover_does(self):
        partner = self.env["res.partner"].create({"name": "Small Buyer", "is_company": True})
        buyer = self._make_buyer(partner=partner)
        self.policy.write({"discretionary_maximum": 1000, "discretionary_payments": 1})
        self._pay(self._make_invoice(10, partner=partner))
        self.env["credit.insurance.discretionary.limit"].create(
            {"buyer_id": buyer.id, "policy_id": self.policy.id, "amount": 1000}
        )
        move = self._make_invoice(149, partner=partner, due_in=-61)
        self._assert_held(self._make_confirmed_order(100, partner=partner))
        self._dispute(move, buyer_id=buyer.id)
        self.assertEqual(self._make_confirmed_order(100, partner=partner).state, "sale")

    def test_a_rest_below_the_tolerance_stops_nothing(self):
        for amount in (30, 30):
            self._make_invoice(amount, due_in=-61)
        self.policy.tolerance = 30
        self._assert_held(self._make_confirmed_order(100))
        self.policy.tolerance = 30.01
        self.assertEqual(self._make_confirmed_order(100).state, "sale")

    def test_the_tolerance_is_in_the_policys_currency(self):
        franc = self.env.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": franc.id, "name": "2000-01-01", "rate": 2.0, "company_id": self.company.id}
        )
        self.policy.write({"currency_id": franc.id, "tolerance": 60})
        self._make_invoice(30, due_in=-61)
        self._assert_held(self._make_confirmed_order(100))
        self.policy.tolerance = 60.01
        self.assertEqual(self._make_confirmed_order(100).state, "sale")

    def test_nothing_is_taken_for_small_while_the_policys_currency_has_no_rate(self):
        franc = self.env.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        move = self._make_invoice(30, due_in=-61)
        self.policy.write({"currency_id": franc.id, "tolerance": 60})
        self._assert_held(self._make_confirmed_order(100))
        self._dispute(move)
        self._assert_held(self._make_confirmed_order(100))

    def test_invoices_in_the_policys_currency_count_with_their_own_amount(self):
        franc = self.env.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            [
                {"currency_id": franc.id, "name": day, "rate": rate, "company_id": self.company.id}
                for day, rate in (("2000-01-01", 2.0), (self.today, 0.7))
            ]
        )
        self.policy.write({"currency_id": franc.id, "tolerance": 30})
        self._make_cover(self.policy, self.buyer, 2000)
        self._make_invoice(29.99, due_in=-61, currency_id=franc.id)
        self.assertEqual(self._make_confirmed_order(1).state, "sale")
        rest = self._make_invoice(30, due_in=-61, currency_id=franc.id)
        self._assert_held(self._make_confirmed_order(1))
        self._dispute(rest)
        self._dispute(self._make_invoice(269.99, due_in=-61, currency_id=franc.id))
        self.assertEqual(self._make_confirmed_order(1).state, "sale", "299.99 of 300")
        self.policy.tolerance = 0
        self._dispute(self.env["account.move"].search([("amount_total", "=", 29.99), ("currency_id", "=", franc.id)]))
        self._assert_held(self._make_confirmed_order(1))

    def test_a_share_of_a_cover_in_the_policys_currency_is_exact(self):
        franc = self.env.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": franc.id, "name": "2000-01-01", "rate": 0.7, "company_id": self.company.id}
        )
        self.policy.currency_id = franc
        self._make_cover(self.policy, self.buyer, 2000)
        self._dispute(self._make_invoice(300, due_in=-61, currency_id=franc.id))
        self._assert_held(self._make_confirmed_order(1))

    def test_working_days_leave_out_the_companys_holidays(self):
        mep = self.policy.period_ids.filtered(lambda period: period.kind == "end_of_mep")
        mep.write({"number": 1, "unit": "working_days"})
        due = self.today - timedelta(days=self.today.weekday() + 10)  # a Friday
        self._make_invoice(30, due_in=(due - self.today).days)
        self._assert_held(self._make_confirmed_order(100))
        self.company.resource_calendar_id.global_leave_ids = [
            Command.create(
                {
                    "name": "Holidays",
                    "date_from": datetime.combine(due + timedelta(days=1), time(0)),
                    "date_to": datetime.combine(self.today, time(12)),
                }
            )
        ]
        self.assertEqual(self._make_confirmed_order(100).state, "sale", "no working day has gone by")
        mep.number = 0
        self._assert_held(self._make_confirmed_order(100))

    def test_a_disputed_invoice_is_not_insured_until_it_is_settled(self):
        move = self._make_invoice(100, due_in=10)
        move.invalidate_recordset()
        self.assertEqual(move.credit_insurance_covered, 100)
        event = self._dispute(move)
        move.invalidate_recordset()
        self.assertEqual((move.credit_insurance_covered, move.credit_insurance_state), (0, "none"))
        self.assertIn("disputes", move.credit_insurance_reasons)
        event.active = False
        move.invalidate_recordset()
        self.assertEqual(move.credit_insurance_covered, 100)

    def test_a_disputed_invoice_takes_no_room_from_the_others(self):
        first, second = (self._make_invoice(800, due_in=days) for days in (10, 20))
        self._dispute(first)
        second.invalidate_recordset()
        self.assertEqual(second.credit_insurance_covered, 800)

    def test_the_terms_of_the_policy_reach_the_split(self):
        self.policy.write({"freeze": "never", "disputed_share": 20, "tolerance": 5})
        self.policy.period_ids = [
            Command.create({"kind": "restoration", "number": 45, "unit": "days", "base": "end_of_mep"})
        ]
        terms = self.policy._get_terms()
        self.assertEqual(
            (terms.freeze.value, terms.disputed_share, terms.tolerance, terms.restoration.number),
            ("never", 20, 5, 45),
        )

    def test_terms_that_no_policy_can_have_are_refused(self):
        for values in ({"disputed_share": 101}, {"disputed_share": -1}, {"tolerance": -1}):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.policy.write(values)
        with self.assertRaises(ValidationError):
            self.policy.period_ids = [
                Command.create({"kind": "restoration", "number": 45, "unit": "days", "base": "due_date"})
            ]

    def test_stops_of_many_buyers_take_one_statement(self):
        counts = []
        for number in (1, 4):
            orders = self.env["sale.order"]
            for _each in range(number):
                partner = self.env["res.partner"].create({"name": "Buyer"})
                buyer = self._make_buyer(partner=partner)
                self._make_cover(self.policy, buyer, 1000)
                self._dispute(self._make_invoice(50, partner=partner, due_in=-61), buyer_id=buyer.id)
                orders |= self._make_order(100, partner=partner)
            gate = self.env["credit.insurance.gate"]
            cases = gate._prepare_cases(orders, "confirmation")
            rows = gate._get_figures(cases).rows
            self.env.flush_all()
            with self.assertQueryCount(1):
                late = gate._get_late(cases, rows)
            counts.append(len(late))
        self.assertEqual(counts, [1, 4])
