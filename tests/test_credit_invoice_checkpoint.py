"""Invoices that come from no order are decided when they are posted, if the company wants that."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_credit_gate import GateCase


@tagged("post_install", "-at_install")
class TestInvoiceCheckpoint(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)
        cls.company.credit_check_invoice = "hold"

    def test_rep_without_rights_on_invoices_cancels_an_order(self):
        """Odoo cancels its draft invoices and open deliveries, none of them included."""
        for order in (self._make_order(100), self._make_confirmed_order(100, product=self.service)):
            order.with_user(self.rep).action_cancel()
            order.with_user(self.rep)._action_cancel()
            self.assertEqual(order.state, "cancel")

    def _draft(self, amount, **values):
        return self._make_invoice(amount, post=False, **values)

    def _held(self, move):
        return move.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def test_invoice_within_the_limit_is_posted(self):
        move = self._draft(1000)
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_invoice_over_the_limit_is_held_with_figures(self):
        self._make_confirmed_order(400)
        move = self._draft(700)
        answer = move.with_user(self.officer).action_post()
        self.assertEqual(move.state, "draft")
        self.assertEqual(answer["params"]["credit_insurance"], {"passed": [], "held": move.ids})
        self.assertIn("100.00", answer["params"]["message"])
        self.assertEqual((self._held(move).shortfall, self._held(move).decision_id.checkpoint), (100, "invoice"))
        self.assertTrue(move.credit_held)

    def test_nothing_is_checked_where_the_company_did_not_ask_for_it(self):
        self.company.credit_check_invoice = "off"
        move = self._draft(5000)
        move.action_post()
        self.assertEqual(move.state, "posted")
        self.assertFalse(move.credit_hold_ids)

    def test_company_that_warns_posts_and_says_so(self):
        self.company.credit_check_invoice = "warn"
        move = self._draft(5000)
        move.action_post()
        self.assertEqual(move.state, "posted")
        self.assertFalse(move.credit_hold_ids)
        self.assertIn("4,000.00", " ".join(move.message_ids.mapped("body")))

    def test_company_that_warns_says_so_of_every_invoice_that_is_posted_beyond_the_limit(self):
        self.company.credit_check_invoice = "warn"
        moves = self._draft(5000) | self._draft(100)
        moves.action_post()
        self.assertEqual(moves.mapped("state"), ["posted", "posted"])
        for move, short in zip(moves, ("4,000.00", "4,100.00"), strict=True):
            self.assertIn(short, " ".join(move.message_ids.mapped("body")))

    def test_invoice_of_an_order_is_never_stopped(self):
        order = self._make_confirmed_order(1000)
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency"})
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_credit_note_and_vendor_bill_are_never_stopped(self):
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency"})
        for move_type in ("out_refund", "in_invoice"):
            self.assertEqual(self._make_invoice(9000, move_type=move_type).state, "posted", move_type)

    def test_good_invoices_are_posted_when_many_are(self):
        good, bad = self._draft(600), self._draft(700)
        answer = (good | bad).action_post()
        self.assertEqual((good.state, bad.state), ("posted", "draft"))
        self.assertEqual(answer["params"]["credit_insurance"], {"passed": good.ids, "held": bad.ids})

    def test_wizard_that_posts_many_leaves_out_what_is_held(self):
        good, bad = self._draft(600), self._draft(700)
        wizard = self.env["validate.account.move"].create({"move_ids": [(6, 0, (good | bad).ids)], "force_post": True})
        wizard.validate_move()
        self.assertEqual((good.state, bad.state), ("posted", "draft"))
        self.assertTrue(self._held(bad))

    def test_job_that_posts_by_date_carries_on_with_the_rest(self):
        bad, good = self._draft(7000, due_in=0), self._draft(600, due_in=0)
        (bad | good).write({"auto_post": "at_date", "date": self.today})
        with self.enter_registry_test_mode():
            self.env.ref("account.ir_cron_auto_post_draft_entry").method_direct_trigger()
        self.assertEqual((bad.state, good.state), ("draft", "posted"))
        self.assertTrue(self._held(bad))

    def test_invoice_of_tomorrow_is_not_decided_today(self):
        move = self._draft(7000)
        move.write({"invoice_date": self.today + timedelta(days=9), "date": self.today + timedelta(days=9)})
        move._post(soft=True)
        self.assertEqual(move.state, "draft")
        self.assertFalse(move.credit_hold_ids)

    def test_writing_the_state_is_refused_with_figures(self):
        move = self._draft(7000)
        with self.assertRaisesRegex(UserError, "6,000.00"):
            move.write({"state": "posted"})

    def test_context_opens_nothing(self):
        move = self._draft(7000)
        keys = ("bypass_risk", "skip_credit", "disable_abnormal_invoice_detection", "validate_analytic")
        move.with_context(**dict.fromkeys(keys, True)).action_post()
        self.assertEqual(move.state, "draft")

    def test_released_invoice_is_posted_when_somebody_posts_it_again(self):
        move = self._draft(1500)
        move.with_user(self.officer).action_post()
        self._release(self._held(move), self.manager)
        self.assertEqual(move.state, "draft")
        move.with_user(self.officer).action_post()
        self.assertEqual(move.state, "posted")

    def test_release_does_not_stretch_to_a_larger_invoice(self):
        move = self._draft(1500)
        move.with_user(self.officer).action_post()
        self._release(self._held(move), self.manager)
        move.invoice_line_ids.price_unit = 1501
        move.with_user(self.officer).action_post()
        self.assertEqual(move.state, "draft")

    def test_buyer_nobody_looked_at_is_not_checked(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        move = self._draft(1_000_000, partner=other)
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_line_linked_to_a_quotation_or_to_somebody_elses_order_is_decided(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        for order in (self._make_order(10), self._make_confirmed_order(10, partner=other)):
            move = self._draft(7000)
            move.invoice_line_ids.sale_line_ids = order.order_line
            move.action_post()
            self.assertEqual(move.state, "draft")

    def test_hold_lapses_with_its_invoice(self):
        moves = self._draft(7000) | self._draft(7000)
        moves.action_post()
        holds = moves.sudo().credit_hold_ids
        self.assertEqual(holds.mapped("state"), ["open", "open"])
        moves[0].button_cancel()
        moves[1].unlink()
        self.assertEqual(holds.mapped("state"), ["lapsed", "lapsed"])
