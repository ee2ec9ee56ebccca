"""The decision card: what a sales rep sees while typing, what a rep must not see, and what its buttons do."""

import json
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import CreditCommon


class CardCase(CreditCommon):
    def _card(self, order, user=None):
        order.invalidate_recordset()
        return order.with_user(user or self.rep).credit_decision

    def _way(self, order, kind):
        return next((way for way in self._card(order)["ways"] if way["kind"] == kind), None)

    def _sources(self, figures):
        return {item["source"]: item["amount"] for item in figures["sources"]}


@tagged("post_install", "-at_install")
class TestCard(CardCase):
    def test_order_with_room_is_allowed_with_every_figure(self):
        self._make_buyer(limit=1000)
        self._make_confirmed_order(300)
        self._make_invoice(100)
        self._make_invoice(50, due_in=-5)
        card = self._card(self._make_order(200))
        now = card["now"]
        self.assertEqual((card["tone"], card["state"], card["ways"], card["then"]), ("pass", "", [], None))
        self.assertEqual(self._sources(now), {"overdue": 50, "not_due": 100, "confirmed": 300})
        self.assertEqual((now["limit"], now["exposure"], now["document"]), (1000, 450, 200))
        self.assertEqual((now["headroom"], now["shortfall"]), (550, 0))
        self.assertEqual(now["layers"], [{"kind": "own", "amount": 1000}])

    def test_parts_of_the_limit_are_told_as_they_were(self):
        buyer = self._make_buyer(limit=100)
        self._make_cover(self._make_policy(), buyer, 1000)
        self.env["credit.insurance.guarantee"].create(
            {"buyer_id": buyer.id, "amount": 200, "date_to": self.today + timedelta(days=9)}
        )
        parts = {"insured": 1000, "own": 100, "guaranteed": 200}
        for combination, limit in (("add", 1300), ("max", 1200)):
            with self.subTest(combination):
                self.company.credit_limit_combination = combination
                order = self._make_order(5000)
                order.action_confirm()
                for figures in (self._card(order)["now"], self._card(order)["then"]):
                    layers = {layer["kind"]: layer["amount"] for layer in figures["layers"]}
                    self.assertEqual((figures["limit"], layers), (limit, parts))

    def test_little_room_left_is_worth_a_look(self):
        self._make_buyer(limit=1000)
        self.assertEqual(self._card(self._make_order(950))["tone"], "tight")
        self.assertEqual(self._card(self._make_order(900))["tone"], "pass")

    def test_shared_limit_is_told_with_what_all_its_buyers_use(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        group = self.env["credit.insurance.group"].create({"name": "Alpha and Beta"})
        self.env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": 1200})
        for partner in (self.partner, beta):
            self._make_buyer(limit=1000, partner=partner).group_id = group
        self._make_confirmed_order(300)
        self._make_confirmed_order(500, partner=beta)
        now = self._card(self._make_order(100))["now"]
        self.assertEqual(now["shared"], {"name": "Alpha and Beta", "limit": 1200, "exposure": 800})
        group.buyer_ids.group_id = False
        self.assertIsNone(self._card(self._make_order(100))["now"]["shared"])

    def test_buyer_that_is_not_checked_has_no_card(self):
        self.assertFalse(self._card(self._make_order(200)))

    def test_confirmed_and_cancelled_orders_have_no_card(self):
        self._make_buyer(limit=1000)
        order = self._make_confirmed_order(300)
        self.assertFalse(self._card(order))

    def test_quotation_without_a_customer_has_no_card(self):
        self.assertFalse(self.env["sale.order"].with_user(self.rep).new({}).credit_decision)

    def test_gate_that_observes_says_so_and_holds_nothing(self):
        self._make_buyer(limit=100)
        self.company.credit_gate_mode = "observe"
        card = self._card(self._make_order(200))
        self.assertEqual((card["tone"], card["state"]), ("observe", ""))
        self.assertIn("observes", card["basis"])

    def test_gate_that_is_off_has_no_card(self):
        self._make_buyer(limit=100)
        self.company.credit_gate_mode = "off"
        self.assertFalse(self._card(self._make_order(200)))

    def test_held_order_shows_the_figures_then_and_now_and_who_decides(self):
        buyer = self._make_buyer(limit=1000)
        order = self._make_order(1500)
        order.with_user(self.rep).action_confirm()
        buyer.own_limit_ids.sudo().amount = 1200
        card = self._card(order)
        self.assertEqual((card["tone"], card["state"]), ("hold", "held"))
        self.assertEqual((card["then"]["limit"], card["then"]["shortfall"]), (1000, 500))
        self.assertEqual((card["now"]["limit"], card["now"]["shortfall"]), (1200, 300))
        self.assertEqual(card["decider"]["name"], self.manager.name)
        self.assertTrue(card["decider"]["since"])
        self.assertFalse(card["decider"]["requested_by"])

    def test_hold_opened_while_the_gate_was_on_stays_visible_when_it_is_off(self):
        self._make_buyer(limit=100)
        order = self._make_order(200)
        order.with_user(self.rep).action_confirm()
        self.company.credit_gate_mode = "off"
        card = self._card(order)
        self.assertEqual((card["state"], card["now"], card["then"]["shortfall"]), ("held", None, 100))
        self.assertIn("off", card["basis"])

    def test_held_order_that_passes_now_offers_to_confirm_it(self):
        buyer = self._make_buyer(limit=100)
        order = self._make_order(200)
        order.with_user(self.rep).action_confirm()
        buyer.own_limit_ids.sudo().amount = 300
        card = self._card(order)
        self.assertIn(card["tone"], ("pass", "tight"))
        if card["state"] == "held":  # Clearing it by itself may have been quicker.
            self.assertEqual([way["kind"] for way in card["ways"]], ["confirm"])

    def test_all_reasons_are_listed_what_holds_first(self):
        self._make_buyer(limit=100, status="watch")
        self.company.write({"credit_max_overdue_days": 10})
        self._make_invoice(50, due_in=-30)
        card = self._card(self._make_order(200))
        self.assertEqual([reason["kind"] for reason in card["reasons"]], ["hold", "hold", "warn"])

    def test_amounts_are_in_the_currency_they_say(self):
        usd = self.env.ref("base.USD") if self.company_currency.name != "USD" else self.env.ref("base.EUR")
        usd.active = True
        self.env["res.currency.rate"].search([("currency_id", "=", usd.id)]).unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": usd.id, "rate": 2, "name": "2020-01-01", "company_id": self.company.id}
        )
        pricelist = self.env["product.pricelist"].create({"name": "Foreign", "currency_id": usd.id})
        self._make_buyer(limit=1000)
        order = self._make_order(3000, pricelist_id=pricelist.id)
        card = self._card(order)
        self.assertEqual((card["currency_id"], card["order_currency_id"]), (self.company_currency.id, usd.id))
        self.assertEqual((card["now"]["document"], card["now"]["shortfall"]), (1500, 500))
        self.assertEqual(self._way(order, "prepay")["amount"], 1000)
        self.assertEqual(self._way(order, "split")["amount"], 2000)


@tagged("post_install", "-at_install")
class TestCardLive(CardCase):
    def test_card_follows_what_is_typed_and_nothing_is_written(self):
        self._make_buyer(limit=1000)
        order = self._make_order(500)
        decisions = self.env["credit.insurance.decision"].search_count([])
        with Form(order.with_user(self.rep)) as form:
            self.assertEqual(form.credit_decision["tone"], "pass")
            with form.order_line.edit(0) as line:
                line.price_unit = 120
            self.assertEqual((form.credit_decision["tone"], form.credit_decision["now"]["shortfall"]), ("hold", 200))
            with form.order_line.edit(0) as line:
                line.price_unit = 30
            self.assertEqual(form.credit_decision["tone"], "pass")
        self.assertEqual(self.env["credit.insurance.decision"].search_count([]), decisions)
        self.assertFalse(order.credit_hold_ids)

    def test_new_quotation_has_a_card_as_soon_as_its_customer_is_known(self):
        self._make_buyer(limit=1000)
        form = Form(self.env["sale.order"].with_user(self.rep))
        self.assertFalse(form.credit_decision)
        form.partner_id = self.partner
        self.assertEqual(form.credit_decision["now"]["headroom"], 1000)
        with form.order_line.new() as line:
            line.product_id = self.goods
            line.product_uom_qty = 11
        self.assertEqual(form.credit_decision["tone"], "hold")
        form.partner_id = self.env["res.partner"].create({"name": "Not Checked Ltd", "is_company": True})
        self.assertFalse(form.credit_decision)

    def test_queries_of_the_card_do_not_grow_with_the_buyers_documents(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500)

        def count():
            self._card(order)
            self.env.invalidate_all()
            order.with_user(self.rep).amount_total  # noqa: B018 (the order itself is not what is counted)
            before = self.env.cr.sql_log_count
            order.with_user(self.rep).credit_decision  # noqa: B018
            return self.env.cr.sql_log_count - before

        def invoice(times):
            for _number in range(times):
                self._make_invoice(10)
                self._make_invoice(10, due_in=-5)

        invoice(1)
        few = count()
        invoice(5)
        # The reader's own record may have to be read again; ten more documents would show.
        self.assertLessEqual(count(), few + 1)


@tagged("post_install", "-at_install")
class TestCardReaders(CardCase):
    def test_rep_never_gets_a_grade_or_other_reps_documents(self):
        other = new_test_user(self.env, login="other_rep", groups="base.group_user,sales_team.group_sale_salesman")
        self._make_buyer(limit=1000)
        theirs = self._make_confirmed_order(900, user=other)
        invoice = self._make_invoice(77)
        text = json.dumps(self._card(self._make_order(500)))
        for secret in (theirs.name, invoice.name, "grade", "risk_class", other.name):
            self.assertNotIn(secret, text)

    def test_rep_learns_that_an_alert_holds_and_not_which(self):
        stored = [{"code": "alert", "severity": "hold", "params": {"alerts": ["Grade fell to 8"]}, "exempted_by": None}]
        cards = self.env["credit.insurance.card"]
        self.assertNotIn("Grade", cards.with_user(self.rep)._describe(stored)[0]["text"])
        self.assertIn("Grade fell to 8", cards.with_user(self.manager)._describe(stored)[0]["text"])

    def test_only_the_credit_team_is_led_to_the_limits(self):
        self._make_buyer(limit=1000)
        order = self._make_order(500)
        self.assertFalse(self._card(order)["opens_buyer"])
        self.assertTrue(self._card(order, self.manager)["opens_buyer"])
        with self.assertRaises(AccessError):
            order.with_user(self.rep).action_credit_open_buyer()

    def test_customer_and_stranger_cannot_read_the_card(self):
        self._make_buyer(limit=100)
        order = self._make_order(500)
        portal = new_test_user(self.env, login="card_portal", groups="base.group_portal")
        portal.partner_id.parent_id = self.partner
        order.message_subscribe(portal.partner_id.ids)
        nobody = new_test_user(self.env, login="card_nobody", groups="base.group_user")
        for user in (portal, nobody):
            with self.assertRaises(AccessError):
                order.with_user(user).read(["credit_decision"])

    def test_rep_without_access_to_the_order_gets_nothing_from_its_buttons(self):
        other = new_test_user(self.env, login="other_rep", groups="base.group_user,sales_team.group_sale_salesman")
        self._make_buyer(limit=1000)
        order = self._make_order(1500, user=other).with_user(self.rep)
        for action in ("split", "prepayment_link", "shorten_term", "remind", "ask_limit"):
            with self.assertRaises(AccessError, msg=action):
                getattr(order, f"action_credit_{action}")()


@tagged("post_install", "-at_install")
class TestCardWays(CardCase):
    def test_split_keeps_what_passes_and_confirms_nothing(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500)
        self.assertEqual(self._way(order, "split")["amount"], 1000)
        order.with_user(self.rep).action_credit_split()
        rest = self.env["sale.order"].search([("credit_split_from_id", "=", order.id)])
        self.assertLessEqual(order.amount_total, 1000)
        self.assertEqual(order.amount_total + rest.amount_total, 1500)
        self.assertEqual((order.state, rest.state), ("draft", "draft"))
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "sale")

    def test_split_is_not_offered_where_not_even_one_unit_fits(self):
        self._make_buyer(limit=100)
        order = self._make_order(1500, quantity=1)
        self.assertIsNone(self._way(order, "split"))
        with self.assertRaises(UserError):
            order.with_user(self.rep).action_credit_split()

    def test_prepayment_link_is_for_the_amount_that_would_do(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500)
        action = order.with_user(self.rep).action_credit_prepayment_link()
        wizard = self.env["payment.link.wizard"].browse(action["res_id"])
        self.assertEqual((wizard.amount, wizard.res_id, wizard.currency_id), (500, order.id, order.currency_id))
        self.assertIn("payment_amount=500", wizard.link)

    def test_prepayment_is_never_less_than_what_the_order_asks_for(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500, require_payment=True, prepayment_percent=0.8)
        self.assertEqual(self._way(order, "prepay")["amount"], 1200)

    def test_prepayment_is_not_offered_to_a_blocked_buyer(self):
        self._make_buyer(limit=1000, status="blocked")
        self.assertIsNone(self._way(self._make_order(100), "prepay"))

    def test_way_that_does_not_help_is_refused(self):
        self._make_buyer(limit=1000)
        order = self._make_order(500).with_user(self.rep)
        for action in ("split", "prepayment_link", "shorten_term", "remind", "ask_limit"):
            with self.assertRaises(UserError, msg=action):
                getattr(order, f"action_credit_{action}")()

    def test_waiting_is_advised_until_due_payments_have_freed_enough(self):
        self._make_buyer(limit=1000)
        self._make_invoice(300, due_in=10)
        self._make_invoice(400, due_in=20)
        self._make_invoice(200, due_in=40)
        order = self._make_order(600)
        way = self._way(order, "wait")
        day = self.today + timedelta(days=20)
        self.assertEqual((way["date"], way["limit_amount"]), (fields.Date.to_string(day), 700))
        order.with_user(self.rep).action_credit_remind()
        self.assertEqual((order.activity_ids.date_deadline, order.activity_ids.user_id), (day, self.rep))

    def test_who_asks_again_to_be_reminded_gets_one_reminder_for_the_day_expected_now(self):
        self._make_buyer(limit=1000)
        moves = self._make_invoice(300, due_in=10) | self._make_invoice(400, due_in=20)
        order = self._make_order(600)
        order.with_user(self.rep).action_credit_remind()
        order.with_user(self.manager).action_credit_remind()
        moves[:1].line_ids.filtered("date_maturity").date_maturity = self.today + timedelta(days=15)
        order.with_user(self.rep).action_credit_remind()
        self.assertEqual(len(order.activity_ids), 2)
        mine = order.activity_ids.filtered(lambda activity: activity.user_id == self.rep)
        self.assertEqual(fields.Date.to_string(mine.date_deadline), self._way(order, "wait")["date"])

    def test_waiting_does_not_help_against_overdue_items(self):
        self._make_buyer(limit=1000)
        self._make_invoice(900, due_in=-10)
        self.assertIsNone(self._way(self._make_order(600), "wait"))

    def test_waiting_is_not_advised_beyond_the_end_of_the_limit(self):
        buyer = self._make_buyer(limit=1000)
        buyer.own_limit_ids.sudo().date_to = self.today + timedelta(days=10)
        self._make_invoice(900, due_in=20)
        self.assertIsNone(self._way(self._make_order(600), "wait"))

    def test_longest_payment_term_that_the_cover_allows_is_set_by_one_click(self):
        self.env["account.payment.term"].search([]).active = False
        terms = self.env["account.payment.term"].create(
            [
                {
                    "name": f"{days} days",
                    "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": days})],
                }
                for days in (10, 60, 90)
            ]
        )
        policy = self._make_policy(max_payment_term_days=60)
        self._make_cover(policy, self._make_buyer(), 5000)
        order = self._make_order(600, payment_term_id=terms[2].id)
        way = self._way(order, "term")
        self.assertEqual((way["name"], way["days"], way["enough"]), ("60 days", 60, True))
        order.with_user(self.rep).action_credit_shorten_term()
        self.assertEqual(order.payment_term_id, terms[1])
        self.assertEqual(self._card(order)["tone"], "pass")

    def test_release_is_asked_for_once(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500)
        self.assertIsNone(self._way(order, "release"), "nothing is held yet")
        order.with_user(self.rep).action_confirm()
        self.assertTrue(self._way(order, "release"))
        order.credit_hold_id.with_user(self.rep)._request_release("Please")
        self.assertIsNone(self._way(order, "release"))

    def test_rep_asks_for_a_limit_with_the_figures_of_the_order(self):
        self._make_buyer(limit=1000)
        order = self._make_order(1500)
        self.assertTrue(self._way(order, "insurer"))
        action = order.with_user(self.rep).action_credit_ask_limit()
        self.assertEqual(action["context"]["default_partner_id"], self.partner.id)
