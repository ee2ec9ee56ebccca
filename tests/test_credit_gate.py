"""What the credit gate must do, and what must never happen (one test each)."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import CreditCommon


class GateCase(CreditCommon):
    def _hold(self, order):
        return order.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def _release(self, hold, user, amount=None, note="Customer pays on Friday", **values):
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        wizard = (
            self.env["credit.insurance.hold.release"]
            .with_user(user)
            .create({"hold_id": hold.id, "reason_id": reason.id, "note": note, **values})
        )
        if amount:
            wizard.amount = amount
        return wizard.action_decide()


@tagged("post_install", "-at_install")
class TestGate(GateCase):
    def test_order_within_limit_is_confirmed_and_keeps_a_pass(self):
        self._make_buyer(limit=1000)
        order = self._make_confirmed_order(1000)
        self.assertEqual(order.state, "sale", "zero headroom after the order passes")
        self.assertEqual(order.credit_state, "passed")
        live = order.credit_pass_ids
        self.assertEqual((live.amount, live.partner_id, live.company_id), (1000, self.partner, self.company))
        self.assertEqual(live.decision_id.basis, "within_limit")

    def test_order_over_limit_is_held(self):
        self._make_buyer(limit=1000)
        self._make_confirmed_order(600)
        order = self._make_order(600)
        answer = order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")
        self.assertEqual(order.credit_state, "held")
        hold = self._hold(order)
        self.assertEqual(hold.limit_amount, 1000)
        self.assertEqual(hold.exposure_confirmed, 600)
        self.assertEqual(hold.document_amount, 600)
        self.assertEqual(hold.shortfall, 200)
        self.assertEqual(hold.decision_id.would_pass, 400)
        self.assertEqual(answer["params"]["credit_insurance"], {"confirmed": [], "held": order.ids})
        self.assertIn("200.00", answer["params"]["message"])

    def test_credit_responsible_gets_an_activity_and_finds_the_hold_in_a_list(self):
        self._make_buyer(limit=100)
        order = self._make_order(600)
        order.with_user(self.rep).action_confirm()
        hold = self.env["credit.insurance.hold"].with_user(self.manager).search([("state", "=", "open")])
        self.assertEqual(hold.order_id, order)
        self.assertEqual(hold.activity_ids.user_id, self.manager)

    def test_rep_sees_the_hold_of_own_orders_only(self):
        self._make_buyer(limit=100)
        mine, other = self._make_order(600), self._make_order(600, user=self.manager)
        (mine | other).action_confirm()
        seen = self.env["credit.insurance.hold"].with_user(self.rep).search([])
        self.assertEqual(seen.order_id, mine)
        self.assertEqual(seen.shortfall, 500)

    def test_first_created_passes_when_two_share_the_headroom(self):
        self._make_buyer(limit=1000)
        first, second = self._make_order(700), self._make_order(700)
        (second | first).action_confirm()
        self.assertEqual((first.state, second.state), ("sale", "draft"))
        self.assertEqual(self._hold(second).shortfall, 400)

    def test_bad_order_does_not_stop_the_good_ones(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=1000)
        self._make_buyer(limit=1000, partner=other)
        good, bad, also_good = self._make_order(500), self._make_order(5000), self._make_order(900, partner=other)
        answer = (good | bad | also_good).action_confirm()
        self.assertEqual((good | bad | also_good).mapped("state"), ["sale", "draft", "sale"])
        self.assertEqual(answer["params"]["credit_insurance"]["held"], bad.ids)

    def test_buyer_nobody_looked_at_is_not_checked(self):
        order = self._make_confirmed_order(1_000_000)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.credit_pass_ids.decision_id.basis, "not_checked")

    def test_buyer_nobody_looked_at_gets_no_credit_when_the_company_chose_so(self):
        self.company.credit_unchecked_buyers = "no_credit"
        order = self._make_confirmed_order(1)
        self.assertEqual(order.state, "draft")

    def test_zero_limit_is_a_limit(self):
        self._make_buyer(limit=0)
        order = self._make_confirmed_order(1)
        self.assertEqual(order.state, "draft")
        self.assertEqual(self._hold(order).shortfall, 1)

    def test_observing_gate_records_and_never_holds(self):
        self.company.credit_gate_mode = "observe"
        self._make_buyer(limit=100)
        order = self._make_confirmed_order(600)
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.credit_hold_ids)
        self.assertTrue(order.credit_pass_ids.decision_id.would_hold)
        self.assertEqual(order.credit_pass_ids.decision_id.shortfall, 500)

    def test_blocked_buyer_is_held_without_any_limit(self):
        self._make_buyer(status="blocked", status_reason="Insolvency rumour")
        order = self._make_confirmed_order(1)
        self.assertEqual(order.state, "draft")
        self.assertIn("blocked", self._hold(order).reasons_text)

    def test_insurers_cover_counts_in_policy_currency(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        policy = self._make_policy(currency_id=foreign.id)
        self._make_cover(policy, self._make_buyer(), 2000)
        self.assertEqual(self._make_confirmed_order(1000).state, "sale")
        self.assertEqual(self._make_confirmed_order(1).state, "draft")

    def test_limits_in_several_currencies_are_read_with_the_same_number_of_queries(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        partners = self.env["res.partner"].create([{"name": f"Buyer {n}", "is_company": True} for n in range(20)])
        for partner in partners:
            self._make_buyer(limit=10, partner=partner, currency_id=foreign.id)
        pairs = [(partner.id, self.company.id) for partner in partners]
        counts = []
        for some in (pairs, pairs[:1], pairs):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["credit.insurance.limit"]._get_limits(some, self.today)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2], "the first call fills the caches")

    def test_limit_says_no_credit_when_insurer_refused(self):
        self._make_cover(self._make_policy(), self._make_buyer(), None, status="refused")
        order = self._make_confirmed_order(1)
        self.assertEqual(order.state, "draft")
        self.assertIn("refused", self._hold(order).reasons_text)

    def test_announced_withdrawal_closes_the_gate_from_its_day_only(self):
        policy, buyer = self._make_policy(), self._make_buyer()
        cover = {"announced_status": "withdrawn", "effective_from": self.today - timedelta(days=60)}
        self._make_cover(policy, buyer, 1000, announced_from=self.today + timedelta(days=1), **cover)
        self.assertEqual(self._make_confirmed_order(500).state, "sale", "a notice is not a withdrawal yet")
        self._make_cover(policy, buyer, 1000, announced_from=self.today, **cover)
        order = self._make_confirmed_order(500)
        self.assertEqual(order.state, "draft")
        self.assertIn("withdr", self._hold(order).reasons_text)

    def test_unpaid_invoice_beyond_the_maximum_extension_period_closes_the_gate(self):
        self._make_cover(self._make_policy(), self._make_buyer(), 10_000)
        self._make_invoice(100, due_in=-60)
        self.assertEqual(self._make_confirmed_order(500).state, "sale", "payment on the last day is in time")
        overdue = self._make_invoice(100, due_in=-61)
        order = self._make_confirmed_order(500)
        self.assertEqual(order.state, "draft")
        self.assertIn("maximum extension period", self._hold(order).reasons_text)
        self._pay(overdue)
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_extension_period_is_no_matter_for_own_credit(self):
        self._make_buyer(limit=10_000)
        self._make_invoice(100, due_in=-300)
        self.assertEqual(self._make_confirmed_order(500).state, "sale")

    def test_overdue_beyond_the_companys_days_and_amount_holds(self):
        self._make_buyer(limit=10_000)
        self.company.write({"credit_max_overdue_days": 30, "credit_max_overdue_amount": 50})
        self._make_invoice(50, due_in=-40)
        self.assertEqual(self._make_confirmed_order(500).state, "sale", "not above the amount")
        self._make_invoice(1, due_in=-1)
        order = self._make_confirmed_order(500)
        self.assertEqual(order.state, "draft")
        self.assertIn("40 days", self._hold(order).reasons_text)

    def test_payment_term_longer_than_the_policy_allows_holds(self):
        self._make_cover(self._make_policy(max_payment_term_days=120), self._make_buyer(), 10_000)
        terms = [
            self.env["account.payment.term"].create(
                {
                    "name": f"{days} days",
                    "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": days})],
                }
            )
            for days in (120, 121)
        ]
        orders = [self._make_confirmed_order(500, payment_term_id=term.id) for term in terms]
        self.assertEqual([order.state for order in orders], ["sale", "draft"])
        self.assertIn("121 days", self._hold(orders[1]).reasons_text)

    def test_country_outside_the_policy_holds(self):
        france, italy = self.env.ref("base.fr"), self.env.ref("base.it")
        self.partner.country_id = italy
        policy = self._make_policy(country_ids=[Command.set(france.ids)])
        self._make_cover(policy, self._make_buyer(), 10_000)
        order = self._make_confirmed_order(500)
        self.assertEqual(order.state, "draft")
        self.partner.country_id = france
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_all_reasons_are_listed_at_once(self):
        self.company.write({"credit_max_overdue_days": 30})
        self._make_cover(self._make_policy(), self._make_buyer(status="watch"), 100)
        self._make_invoice(100, due_in=-61)
        order = self._make_confirmed_order(500)
        codes = {reason["code"] for reason in self._hold(order).decision_id.reasons}
        self.assertEqual(codes, {"over_limit", "mep_passed", "overdue", "buyer_watch"})

    def test_cover_of_an_ended_policy_does_not_count(self):
        policy = self._make_policy(date_end=self.today - timedelta(days=1))
        self._make_cover(policy, self._make_buyer(), 1000)
        order = self._make_confirmed_order(500)
        self.assertEqual(order.state, "draft")
        self.assertIn("expired", self._hold(order).reasons_text)

    def test_stale_cover_counts_as_the_company_says(self):
        fetched = fields.Datetime.now() - timedelta(days=20)
        self._make_cover(self._make_policy(), self._make_buyer(), 1000, fetched_at=fetched)
        self.company.credit_stale_data = "warn"
        order = self._make_confirmed_order(100)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.credit_pass_ids.decision_id.data_age_days, 20)
        self.assertIn("20 days old", order.credit_pass_ids.decision_id.reasons_text)
        self.company.credit_stale_data = "none"
        self.assertEqual(self._make_confirmed_order(100).state, "draft")

    def test_insurers_answer_that_could_not_be_read_holds(self):
        self._make_cover(self._make_policy(), self._make_buyer(), None, status="unknown")
        self.assertEqual(self._make_confirmed_order(1).state, "draft")

    def test_clearing_headroom_lets_the_order_pass_and_closes_its_hold(self):
        self._make_buyer(limit=1000)
        first = self._make_confirmed_order(1000)
        order = self._make_confirmed_order(500)
        hold = self._hold(order)
        first._action_cancel()
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertEqual(hold.state, "cleared")
        self.assertFalse(hold.activity_ids)

    def test_payment_makes_the_held_order_ready_to_confirm_and_tells_the_rep(self):
        self._make_buyer(limit=1000)
        invoice = self._make_invoice(900)
        first, second = self._make_confirmed_order(500), self._make_confirmed_order(600)
        redecide = self.env["credit.insurance.hold"]._cron_redecide
        redecide()
        self.assertEqual((first | second).mapped("credit_state"), ["held", "held"])
        self._pay(invoice)
        redecide()
        self.assertEqual((first | second).mapped("credit_state"), ["ready", "held"], "both would not fit together")
        self.assertIn("can be confirmed", first.message_ids[0].body)
        self.assertIn(self.rep.partner_id, first.message_ids[0].notified_partner_ids)
        first.action_confirm()
        self.assertEqual(first.credit_state, "passed")

    def test_hold_keeps_one_row_while_the_order_is_tried_again(self):
        self._make_buyer(limit=100)
        order = self._make_confirmed_order(500)
        order.action_confirm()
        self.assertEqual(len(order.credit_hold_ids), 1)
        self.assertEqual(len(order.credit_hold_ids.activity_ids), 1)

    def test_hold_lapses_with_its_order(self):
        self._make_buyer(limit=100)
        order = self._make_confirmed_order(500)
        order._action_cancel()
        self.assertEqual(order.credit_hold_ids.state, "lapsed")

    def test_queries_of_the_decision_do_not_grow_with_the_orders(self):
        partners = self.env["res.partner"].create([{"name": f"Buyer {n}", "is_company": True} for n in range(30)])
        for partner in partners:
            self._make_buyer(limit=10_000, partner=partner)
        orders = self.env["sale.order"].union(*(self._make_order(100, partner=partner) for partner in partners))
        gate = self.env["credit.insurance.gate"]
        counts = []
        for batch in (orders[:2], orders):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            gate._decide(batch, "confirmation")
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])


@tagged("post_install", "-at_install")
class TestNoWayAround(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def test_writing_the_state_is_refused_with_figures(self):
        order = self._make_order(1500).with_user(self.rep)
        with self.assertRaisesRegex(ValidationError, "500"):
            order.write({"state": "sale"})
        self.assertEqual(self._make_order(1500, state="draft").state, "draft")

    def test_creating_a_confirmed_order_is_refused(self):
        with self.assertRaises(ValidationError):
            self._make_order(1500, state="sale")

    def test_importing_a_confirmed_order_is_refused(self):
        result = self.env["sale.order"].load(
            [
                "partner_id/.id",
                "state",
                "order_line/product_id/.id",
                "order_line/product_uom_qty",
                "order_line/price_unit",
            ],
            [[str(self.partner.id), "sale", str(self.goods.id), "10", "150"]],
        )
        self.assertFalse(result["ids"])
        self.assertIn("credit", result["messages"][0]["message"])

    def test_small_order_written_confirmed_gets_its_pass(self):
        order = self._make_order(500)
        order.write({"state": "sale"})
        self.assertEqual(order.credit_pass_ids.amount, 500)

    def test_context_opens_nothing(self):
        keys = ("bypass_risk", "skip_credit", "credit_insurance_released", "force", "install_mode", "tracking_disable")
        order = self._make_order(1500).with_context(**dict.fromkeys(keys, True))
        order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_user_who_may_not_write_the_order_neither_confirms_nor_holds_it(self):
        order = self._make_order(1500)
        with self.assertRaises(AccessError):
            order.with_user(self.administrator).action_confirm()
        self.assertFalse(order.credit_hold_ids)

    def test_buyer_does_not_become_part_of_one_without_a_limit(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        with self.assertRaisesRegex(UserError, "credit record"):
            self.partner.with_user(self.rep).write({"parent_id": other.id, "is_company": False})

    def test_expense_re_invoiced_by_core_is_accepted_and_the_credit_manager_is_told(self):
        order = self._make_confirmed_order(900)
        self.env.cr.flush()
        expense = self._make_product("Travel", type="service", expense_policy="cost")
        bill = self._make_invoice(500, move_type="in_invoice", post=False)
        bill.invoice_line_ids.write({"product_id": expense.id, "price_unit": 500})
        analytic = self.env["account.analytic.account"].create(
            {"name": "Job", "plan_id": self.env["account.analytic.plan"].create({"name": "Jobs"}).id}
        )
        bill.invoice_line_ids.analytic_distribution = {str(analytic.id): 100}
        line_model = type(self.env["account.move.line"])
        with patch.object(line_model, "_sale_determine_order", lambda lines: dict.fromkeys(lines.ids, order)):
            bill.action_post()
        self.env.cr.flush()
        self.assertEqual((bill.state, order.amount_total), ("posted", 1400))
        live = order.credit_pass_ids.filtered("live")
        self.assertEqual((live.amount, live.decision_id.would_hold), (1400, True))
        hold = order.picking_ids.credit_hold_ids
        self.assertEqual((hold.state, hold.shortfall), ("open", 400), "the goods wait for a decision")
        self.assertEqual(hold.activity_ids.user_id, self.manager)
        with self.assertRaises(ValidationError):
            order.order_line[0].price_unit += 1
            self.env.cr.flush()

    def test_client_cannot_write_the_credit_state(self):
        order = self._make_order(1500).with_user(self.rep)
        with self.assertRaises(AccessError):
            order.write({"credit_state": "passed"})

    def test_confirmed_order_does_not_grow_beyond_its_pass(self):
        order = self._make_confirmed_order(100)
        self.env.cr.flush()
        edits = {
            "price": lambda o: o.order_line.write({"price_unit": 1000}),
            "quantity": lambda o: o.order_line.write({"product_uom_qty": 1000}),
            "line": lambda o: o.write(
                {
                    "order_line": [
                        Command.create({"product_id": self.service.id, "price_unit": 9000, "product_uom_qty": 1})
                    ]
                }
            ),
        }
        for name, edit in edits.items():
            with self.subTest(edit=name), self.assertRaises(ValidationError), self.env.cr.savepoint():
                edit(order.with_user(self.rep))
                self.env.cr.flush()
            self.env.invalidate_all()
            self.assertEqual(order.amount_total, 100)

    def test_growth_within_the_limit_gets_a_new_pass(self):
        order = self._make_confirmed_order(100)
        order.order_line.price_unit = 50
        self.env.cr.flush()
        self.assertEqual(order.credit_pass_ids.filtered("live").amount, 500)
        self.assertEqual(len(order.credit_pass_ids), 2)

    def test_shrinking_lowers_the_pass(self):
        order = self._make_confirmed_order(1000)
        order.order_line.price_unit = 10
        self.env.cr.flush()
        self.assertEqual(order.credit_pass_ids.filtered("live").amount, 100)
        self._make_confirmed_order(900)
        with self.assertRaises(ValidationError):
            order.order_line.price_unit = 100
            self.env.cr.flush()

    def test_moving_a_confirmed_order_to_another_buyer_is_decided_again(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=100, partner=other)
        order = self._make_confirmed_order(900)
        with self.assertRaises(ValidationError):
            order.partner_invoice_id = other
            self.env.cr.flush()

    def test_cancelled_order_is_decided_anew(self):
        order = self._make_confirmed_order(900)
        order._action_cancel()
        order.action_draft()
        self.assertFalse(order.credit_pass_ids.filtered("live"))
        self._make_confirmed_order(900)
        order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_order_is_invoiced_although_the_buyer_is_over_the_limit(self):
        order = self._make_confirmed_order(1000)
        self.env["credit.insurance.own.limit"].search([]).amount = 0
        order._create_invoices().action_post()
        self.env.cr.flush()
        self.assertEqual(order.invoice_ids.state, "posted")
