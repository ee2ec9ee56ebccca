from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from .claim_common import ClaimCommon


@tagged("post_install", "-at_install")
class TestCreditInsuranceClaimPayments(ClaimCommon):
    """Payments on a claim as its policy counts them. The date of loss was 70 days ago."""

    def _receive(self, amount, days_ago=0, partner=None, currency=None):
        """Money of the buyer in the bank's journal, matched with nothing."""
        journal = self.company_data["default_journal_bank"]
        currency = currency or self.company_currency
        receivable = self.company_data["default_account_receivable"]
        vals = {"partner_id": (partner or self.partner).id, "name": "Received", "currency_id": currency.id}
        home = currency._convert(amount, self.company_currency, self.company, self.today)
        sides = [(journal.default_account_id, 1), (receivable, -1)]
        entry = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": self.today - timedelta(days=days_ago),
                "line_ids": [
                    Command.create(
                        {**vals, "account_id": account.id, "balance": sign * home, "amount_currency": sign * amount}
                    )
                    for account, sign in sides
                ],
            }
        )
        entry.action_post()
        return entry

    def _pay_in(self, move, amount, days_ago=0):
        self._match(move, self._receive(amount, days_ago, currency=move.currency_id))

    def _credit(self, move, amount, days_ago=0):
        date = self.today - timedelta(days=days_ago)
        note = self._make_invoice(amount, move_type="out_refund", invoice_date=date, date=date, invoice_date_due=date)
        self._match(move, note)

    def _match(self, *moves):
        lines = self.env["account.move"].union(*moves).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.env.flush_all()

    def _submitted(self):
        """A claim that was submitted an hour ago: what is matched from now on comes after it."""
        claim = self._submit(self._make_claim())
        claim.sudo().submitted_on -= timedelta(hours=1)
        return claim

    # === BEFORE THE LOSS: THE OLDEST INVOICE === #

    def test_the_claim_says_when_the_insurer_counts_a_payment_for_an_older_invoice(self):
        oldest, newest = self.invoices
        self._pay_in(newest, 200.0, days_ago=100)
        claim = self._make_claim()
        self.assertEqual(claim.line_ids.mapped("policy_open"), [600.0, 100.0])
        self.assertEqual(claim.line_ids.mapped("counted_open"), [400.0, 300.0])
        self.assertIn(f"it sees as paid: {oldest.name} ($\N{NO-BREAK SPACE}200.00)", claim.warning_text)
        self.assertNotIn("beside what is claimed", claim.warning_text)

    def test_the_claim_names_the_paid_invoice_that_the_insurer_sees_as_open(self):
        oldest, newest = self.invoices
        self._pay_in(newest, 300.0, days_ago=100)
        claim = self._make_claim(oldest)
        self.assertEqual((claim.line_ids.policy_open, claim.line_ids.counted_open), (600.0, 300.0))
        self.assertIn(f"beside what is claimed: {newest.name} ($\N{NO-BREAK SPACE}300.00)", claim.warning_text)

    def test_a_payment_after_the_loss_stays_with_its_invoice(self):
        self._pay_in(self.invoices[1], 200.0, days_ago=10)
        claim = self._make_claim()
        self.assertEqual(claim.line_ids.mapped("counted_open"), claim.line_ids.mapped("policy_open"))
        self.assertNotIn("oldest invoice", claim.warning_text or "")

    def test_money_that_is_matched_with_nothing_counts_for_the_oldest_invoice(self):
        self._receive(80.0, days_ago=100)
        self._receive(40.0, days_ago=10)
        claim = self._make_claim()
        self.assertEqual(claim.line_ids.mapped("counted_open"), [520.0, 300.0])

    def test_a_credit_note_stays_with_its_invoice(self):
        self._credit(self.invoices[1], 200.0, days_ago=100)
        claim = self._make_claim()
        self.assertEqual(claim.line_ids.mapped("policy_open"), [600.0, 100.0])
        self.assertEqual(claim.line_ids.mapped("counted_open"), [600.0, 100.0])

    def test_a_policy_may_count_as_the_ledger_does(self):
        self.policy.payments_to_oldest = False
        self._pay_in(self.invoices[1], 200.0, days_ago=100)
        claim = self._make_claim()
        self.assertEqual(claim.line_ids.mapped("counted_open"), [600.0, 100.0])
        self.assertNotIn("oldest invoice", claim.warning_text or "")

    def test_while_the_policys_currency_has_no_rate_the_claim_counts_as_the_ledger_does(self):
        self._pay_in(self.invoices[1], 200.0, days_ago=100)
        unrated = self.setup_other_currency("GBP", rates=[])
        unrated.rate_ids.unlink()
        self.policy.currency_id = unrated
        claim = self._make_claim()
        self.assertEqual(claim.line_ids.mapped("counted_open"), claim.line_ids.mapped("policy_open"))

    def test_what_the_policy_counted_is_frozen_with_the_claim(self):
        claim = self._submitted()
        self._pay_in(self.invoices[0], 600.0)
        self.assertEqual(claim.line_ids.mapped("counted_open"), [600.0, 300.0])

    # === AFTER IT: RECOVERIES === #

    def test_a_recovery_is_shared_pro_rata_with_the_insurer(self):
        claim = self._submitted()
        self.assertFalse(claim.recovered_amount)
        self._pay_in(self.invoices[0], 100.0)
        self.env.invalidate_all()
        # 810 of 900 are insured.
        self.assertEqual((claim.recovered_amount, claim.insurer_recovery), (100.0, 90.0))

    def test_a_recovery_is_shared_whichever_invoice_it_was_for(self):
        self._make_cover(600.0, since=650)
        self.env.invalidate_all()
        claim = self._submitted()
        self.assertEqual((claim.amount_open, claim.amount_insured), (900.0, 540.0))
        self._pay_in(self.invoices[1], 300.0)
        self.env.invalidate_all()
        # Whichever invoice it was for.
        self.assertEqual((claim.recovered_amount, claim.insurer_recovery), (300.0, 180.0))

    def test_the_insurer_gets_back_no_more_than_it_paid(self):
        claim = self._submitted()
        claim.sudo().paid_amount = 50.0
        self._pay_in(self.invoices[0], 600.0)
        self.env.invalidate_all()
        self.assertEqual((claim.recovered_amount, claim.insurer_recovery), (600.0, 50.0))

    def test_what_was_paid_before_the_claim_is_no_recovery(self):
        self._pay_in(self.invoices[0], 100.0, days_ago=10)
        claim = self._submit(self._make_claim())
        claim.sudo().submitted_on += timedelta(hours=1)
        self.env.invalidate_all()
        self.assertFalse(claim.recovered_amount)

    def test_a_credit_note_is_no_recovery(self):
        claim = self._submitted()
        self._credit(self.invoices[0], 100.0)
        self.env.invalidate_all()
        self.assertFalse(claim.recovered_amount)

    def test_of_a_refused_claim_nothing_is_shared(self):
        claim = self._submitted()
        self._pay_in(self.invoices[0], 100.0)
        claim.sudo().state = "refused"
        self.env.invalidate_all()
        self.assertFalse(claim.insurer_recovery)

    def test_money_of_somebody_else_is_no_recovery(self):
        claim = self._submitted()
        other = self.env["res.partner"].create({"name": "The insurer"})
        self._match(self.invoices[0], self._receive(100.0, partner=other))
        self.env.invalidate_all()
        self.assertEqual(self.invoices[0].amount_residual, 500.0)
        self.assertFalse(claim.recovered_amount)

    def test_recoveries_of_several_claims_are_read_at_once(self):
        claims = self._submitted() | self._make_claim(self._make_invoice(10.0, due_in=-200))
        claims.mapped("indemnity_estimate")
        self.env.flush_all()
        with self.assertQueryCount(1):
            claims.mapped("insurer_recovery")

    # === CURRENCIES === #

    def test_payments_in_another_currency_are_counted_in_that_of_the_policy(self):
        currency = self.env["res.currency"].create({"name": "XQA", "symbol": "q"})
        currency.rate_ids = [Command.create({"name": self.today - timedelta(days=900), "rate": 2.0})]
        foreign = self._make_invoice(400.0, due_in=-220, currency_id=currency.id)
        self._pay_in(foreign, 400.0, days_ago=100)
        claim = self._make_claim()
        self.assertEqual(claim.line_ids.mapped("counted_open"), [400.0, 300.0])
        self.assertIn(f"beside what is claimed: {foreign.name} ($\N{NO-BREAK SPACE}200.00)", claim.warning_text)
