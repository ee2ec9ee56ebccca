"""One hold must not keep the job from deciding the others again, and nobody's order is confirmed for somebody else."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import ConcurrencyError, RedirectWarning
from odoo.tests import tagged
from odoo.tools import html2plaintext

from .test_credit_hold import HoldCase

LOGGER = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_hold_clearing"


@tagged("post_install", "-at_install")
class TestClearingAttacks(HoldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._make_order(1500)
        cls.other.with_user(cls.rep).action_confirm()

    def _grant(self, amount, buyer=None):
        self.env["credit.insurance.own.limit"].create(
            {
                "buyer_id": (buyer or self.buyer).id,
                "amount": amount,
                "currency_id": self.buyer.currency_id.id,
                "kind": "temporary",
                "date_from": self.today,
                "date_to": self.today + timedelta(days=30),
            }
        )

    def _redecide(self):
        self.env["credit.insurance.hold"]._cron_redecide()

    def _agree_prices(self):
        """The order's price is that of its pricelist."""
        self.order.order_line.write({"product_uom_qty": 15, "price_unit": 100, "technical_price_unit": 100})

    def _told(self, hold):
        return hold.message_ids.filtered(lambda message: "No way to tell" in (message.body or ""))

    def _break(self, broken, name, error=None):
        """Something of another module raises for this document only."""
        documents = type(broken)
        method = getattr(documents, name)

        def fail(document):
            if document._origin == broken:
                raise error or ValueError("No way to tell")
            return method(document)

        return patch.object(documents, name, fail)

    def test_order_that_cannot_be_decided_does_not_keep_the_others(self):
        self._grant(10000)
        with self._break(self.order, "_credit_amount"), self.assertLogs(LOGGER, "WARNING"):
            self._redecide()
            self._redecide()
        self.assertEqual((self.order.credit_state, self.other.credit_state), ("held", "ready"))
        told = self._told(self.hold)
        self.assertEqual(len(told), 1, "the job runs every minute")
        self.assertIn(self.hold.decider_id.partner_id, told.notified_partner_ids)
        self._redecide()
        self.assertEqual(self.order.credit_state, "ready")

    def test_change_or_invoice_that_cannot_be_decided_does_not_keep_the_others(self):
        self.company.credit_check_invoice = "hold"
        self._grant(10000)
        confirmed, fine = self._make_confirmed_order(100), self._make_confirmed_order(100)
        moves = self._make_invoice(30000, post=False) | self._make_invoice(30000, post=False)
        moves.with_user(self.officer).action_post()
        gate = self.env["credit.insurance.gate"]
        holds = [gate._hold_growth(order, 50000) for order in (confirmed, fine)]
        broken, other = moves.sorted("id")
        self._grant(300000)
        with (
            self._break(confirmed, "_credit_related_partners"),
            self._break(broken, "_credit_related_partners"),
            self.assertLogs(LOGGER, "WARNING"),
        ):
            self._redecide()
        self.assertEqual([hold.state for hold in holds], ["open", "cleared"])
        invoices = [move.sudo().credit_hold_ids for move in (broken, other)]
        self.assertEqual([hold.state for hold in invoices], ["open", "cleared"])
        self.assertTrue(self._told(holds[0]) and self._told(invoices[0]))

    def test_confirmation_that_cannot_be_looked_at_is_told(self):
        self.company.credit_confirm_cleared = True
        self._grant(10000)
        with self._break(self.order, "_is_credit_outdated"), self.assertLogs(LOGGER, "WARNING"):
            self._redecide()
        self.assertEqual(self.order.credit_state, "held")
        self.assertTrue(self._told(self.hold))

    def test_concurrent_change_is_left_to_the_next_run(self):
        """It says nothing about the document that it happened to."""
        self.company.credit_confirm_cleared = True
        self._agree_prices()
        self._grant(10000)
        for name in ("_credit_amount", "_is_credit_outdated", "_action_confirm"):
            before = self.order.message_ids | self.hold.message_ids
            with self._break(self.order, name, ConcurrencyError("busy")), self.assertRaises(ConcurrencyError):
                self._redecide()
            self.assertEqual(self.order.message_ids | self.hold.message_ids, before, name)
            self.assertEqual(self.order.credit_state, "held", name)
        self._redecide()
        self.assertEqual(self.order.state, "sale")

    def test_error_with_a_way_out_is_told_in_words_only(self):
        self.company.credit_confirm_cleared = True
        self._agree_prices()
        self._grant(10000)
        missing = RedirectWarning("Set an account first.", 17, "Go there")
        for name in ("_is_credit_outdated", "_action_confirm"):
            with self._break(self.order, name, missing), self.assertLogs(LOGGER, "WARNING"):
                self._redecide()
        told = [html2plaintext(message.body) for message in (self.hold.message_ids | self.order.message_ids)]
        told = [text for text in told if "account" in text]
        self.assertEqual(len(told), 2)
        for text in told:
            self.assertTrue(text.endswith("Set an account first."), text)

    def test_absurd_lead_time_or_payment_term_keeps_nobody_from_being_decided(self):
        policy = self._make_policy(max_payment_term_days=60)
        self._make_cover(policy, self.buyer, 10000, effective_to=self.today + timedelta(days=90))
        term = self.env["account.payment.term"].create(
            {"name": "Never", "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 10**8})]}
        )
        self.other.with_user(self.rep).payment_term_id = term
        for days, state in ((1e9, "held"), (-1e9, "ready")):
            self.order.with_user(self.rep).order_line.customer_lead = days
            self._redecide()
            self.assertEqual(self.order.credit_state, state)
            self.order.with_user(self.rep).read(["credit_decision"])
        self.other.with_user(self.rep).action_confirm()
        self.assertEqual((self.other.credit_state, self.other.credit_hold_id.main_reason), ("held", "term_too_long"))
        ways = self.other.with_user(self.rep).credit_decision["ways"]
        self.assertNotIn(term.id, [way.get("term_id") for way in ways])

    def test_order_that_became_another_buyers_is_not_confirmed_by_itself(self):
        self.company.credit_confirm_cleared = True
        self._agree_prices()
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=10000, partner=beta)
        self.order.with_user(self.rep).partner_invoice_id = beta
        self._redecide()
        self.assertEqual((self.order.state, self.order.credit_state), ("draft", "ready"))
