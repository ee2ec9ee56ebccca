"""The queue of holds and its dashboard; holds of deliveries, invoices and wanted changes."""

from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_credit_hold import HoldCase


@tagged("post_install", "-at_install")
class TestQueue(HoldCase):
    def test_figures_now_stand_beside_those_of_then(self):
        self._make_confirmed_order(400)
        self.env.invalidate_all()
        self.assertEqual((self.hold.exposure, self.hold.shortfall), (0, 500))
        self.assertEqual((self.hold.exposure_now, self.hold.limit_now, self.hold.shortfall_now), (400, 1000, 900))
        self.assertEqual((self.hold.to_pay_now, self.hold.limit_needed), (900, 1900))

    def test_queue_costs_the_same_queries_however_long_it_is(self):
        (self._make_order(5000) | self._make_order(5000) | self._make_order(5000)).action_confirm()
        holds = self.env["credit.insurance.hold"].search([("state", "=", "open")])
        names = ["shortfall_now", "to_pay_now", "age_days", "age", "main_reason", "shortfall", "decider_id"]
        counts = []
        for some in (holds, holds[:2], holds):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.read(names)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])

    def test_main_reason_is_the_gravest(self):
        self.assertEqual(self.hold.main_reason, "over_limit")
        self.buyer.write({"status": "blocked", "status_reason": "Insolvent"})
        hold = self._asked_by(self.rep)
        self.assertEqual(hold.main_reason, "buyer_blocked")

    def test_due_payments_say_when_it_will_clear(self):
        self._make_invoice(600, due_in=20)
        hold = self._asked_by(self.rep, 900)
        self.assertEqual(hold.clears_on, self.today + timedelta(days=20))

    def test_leader_puts_an_order_first(self):
        first = self._asked_by(self.rep)
        second = self._asked_by(self.rep)
        for hold in (first, second):
            hold.with_user(self.manager).action_rank_first()
        self.assertEqual((second.rank, first.rank, self.hold.rank), (1, 2, 0))
        self.assertEqual((first | second | self.hold)._sort_by_rank(), second | first | self.hold)
        with self.assertRaises(AccessError):
            self.hold.with_user(self.rep).action_rank_first()

    def test_dashboard_counts_what_its_lists_show(self):
        self._asked_by(self.rep, 2500)._request_release("Please")
        cards = self.env["credit.insurance.dashboard"].with_user(self.manager).search([])
        self.assertEqual(cards.company_id, self.company, "one set of cards per company of the user")
        figures = {card.kind: (card.hold_count, card.amount) for card in cards}
        self.assertEqual(figures["held"], (2, 4000))
        self.assertEqual(figures["asked"], (1, 2500))
        self.assertEqual(figures["lapsed"], (0, 0))
        for card in cards:
            shown = self.env["credit.insurance.hold"].with_user(self.manager).search(card.action_open()["domain"])
            self.assertEqual(len(shown), card.hold_count)

    def test_card_and_list_say_the_same_age_in_calendar_days(self):
        """Held an evening ago is yesterday in both."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_insurance_hold SET create_date = %s", [datetime(2025, 3, 4, 18)])
        self.env.invalidate_all()
        with freeze_time(datetime(2025, 3, 5, 9)):
            cards = self.env["credit.insurance.dashboard"].with_context(tz="UTC").with_user(self.manager).search([])
            hold = self.hold.with_context(tz="UTC")
            self.assertEqual((hold.age_days, hold.age), (1, "yesterday"))
            self.assertEqual({card.kind: card.oldest for card in cards}["held"], "yesterday")

    def test_cards_have_words_of_their_own(self):
        """A card counts many: where a language tells one from many, it cannot share the word of one order."""
        shared = self.env["sale.order"]._fields["credit_state"]._description_selection(self.env)
        labels = self.env["credit.insurance.dashboard"]._fields["kind"]._description_selection(self.env)
        self.assertFalse({label for _key, label in labels} & {label for _key, label in shared})

    def test_dashboard_sums_in_company_currency(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create({"name": "EUR", "currency_id": foreign.id})
        order = self._make_order(5000, pricelist_id=pricelist.id)
        order.action_confirm()
        card = self.env["credit.insurance.dashboard"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "held")]
        )
        self.assertEqual(card.amount, 1500 + 2500)

    def test_dashboard_is_not_for_reps(self):
        with self.assertRaises(AccessError):
            self.env["credit.insurance.dashboard"].with_user(self.rep).search([])


@tagged("post_install", "-at_install")
class TestOtherDocuments(HoldCase):
    """Holds of invoices, deliveries and wanted changes clear by themselves as well; people let them through."""

    def _held_invoice(self):
        self.company.credit_check_invoice = "hold"
        move = self._make_invoice(3000, post=False)
        move.with_user(self.officer).action_post()
        return move, move.sudo().credit_hold_ids

    def test_held_invoice_is_cleared_and_posted_by_hand(self):
        move, hold = self._held_invoice()
        self.assertEqual((move.state, hold.move_id, hold._get_document()), ("draft", move, move))
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(hold.state, "open")
        self.company.credit_gate_mode = "observe"
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual((hold.state, move.state), ("cleared", "draft"))
        self.assertTrue(move.message_ids.filtered(lambda message: "can be posted" in (message.body or "")))

    def test_released_invoice_is_posted_by_hand(self):
        move, hold = self._held_invoice()
        self._release(hold, self.manager)
        self.assertEqual((hold.state, move.state), ("released", "draft"))
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_people_of_the_document_see_its_hold(self):
        _move, hold = self._held_invoice()
        self.officer.group_ids -= self.env.ref("credit_insurance.credit_insurance_group_user")
        self.assertEqual(self.env["credit.insurance.hold"].with_user(self.officer).search([]), hold)
        with self.assertRaises(AccessError):
            hold.with_user(self.rep).read(["shortfall"])

    def test_wanted_change_is_cleared_and_saved_by_hand(self):
        order = self._make_confirmed_order(500)
        hold = self.env["credit.insurance.gate"]._hold_growth(order, 5000)
        self.assertEqual((hold.order_amount, hold.state), (5000, "open"))
        self.assertEqual(self._wizard("release", hold=hold).amount, 5000)
        self.assertFalse(self._wizard("release", hold=hold).confirms, "it is confirmed, and changed by hand")
        self.assertTrue(self._wizard("release", hold=self.hold).confirms)
        with self.assertRaises(UserError):
            self._wizard("partial", hold=hold, amount=100).action_decide()
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(hold.state, "open")
        self.company.credit_gate_mode = "off"
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual((hold.state, order.amount_total), ("cleared", 500))
