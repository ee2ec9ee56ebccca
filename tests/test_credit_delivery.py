"""Goods leave when credit lets them: the delivery checkpoint."""

from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .test_credit_gate import GateCase


class DeliveryCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)
        cls.company.credit_check_delivery = True

    def _prepare(self, picking, quantity=None):
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty if quantity is None else quantity
            move.picked = True
        return picking

    def _picking(self, order, quantity=None):
        return self._prepare(order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")), quantity)

    def _held(self, picking):
        return picking.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def _block(self, **values):
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency rumour", **values})


@tagged("post_install", "-at_install")
class TestDelivery(DeliveryCase):
    def test_delivery_leaves_when_nothing_speaks_against_it(self):
        picking = self._picking(self._make_confirmed_order(1000))
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_delivery_to_a_buyer_blocked_meanwhile_is_held_with_a_message(self):
        picking = self._picking(self._make_confirmed_order(1000))
        self._block()
        answer = picking.button_validate()
        self.assertEqual(picking.state, "assigned")
        self.assertEqual(self._held(picking).decision_id.checkpoint, "delivery")
        self.assertEqual(answer["params"]["credit_insurance"], {"passed": [], "held": picking.ids})
        self.assertIn("blocked", answer["params"]["message"])
        self.assertTrue(picking.credit_held)

    def test_delivery_corrected_beyond_the_credit_stops_the_rest(self):
        order = self._make_confirmed_order(1000)
        first = self._picking(order, quantity=4)
        first.with_context(skip_backorder=True).button_validate()
        self.env.cr.flush()
        first.move_ids.move_line_ids.quantity = 40
        self.env.cr.flush()
        self.assertEqual(self._exposure()["total"], 4000, "accepted: the goods are gone")
        live = order.sudo().credit_pass_ids.filtered("live")
        self.assertEqual((live.decision_id.shortfall, live.deliveries_wait), (3000, "growth"))
        self.assertTrue(self._held(order.picking_ids - first), "what is still to go out waits")

    def test_correction_of_a_delivery_lets_no_edit_pass_beside_it(self):
        order = self._make_confirmed_order(1000)
        self._picking(order).button_validate()
        self.env.cr.flush()
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            order.picking_ids.move_ids.move_line_ids.quantity = 11
            order.order_line.price_unit = 1000
            self.env.cr.flush()

    def test_nothing_is_checked_where_the_company_did_not_switch_it_on(self):
        self.company.credit_check_delivery = False
        picking = self._picking(self._make_confirmed_order(1000))
        self._block()
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_limit_is_not_compared_again(self):
        picking = self._picking(self._make_confirmed_order(1000))
        self._make_invoice(5000)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_overdue_items_stop_deliveries_after_the_days_of_grace(self):
        self.company.write({"credit_max_overdue_days": 5, "credit_delivery_grace_days": 10})
        picking = self._picking(self._make_confirmed_order(500))
        self._make_invoice(100, due_in=-14)
        picking.button_validate()
        self.assertEqual(picking.state, "done", "14 days is within 5 and 10")
        self.company.credit_max_overdue_days = 60
        picking = self._picking(self._make_confirmed_order(300))
        self.company.credit_max_overdue_days = 3
        answer = picking.button_validate()
        self.assertEqual(picking.state, "assigned")
        self.assertIn("100.00", answer["params"]["message"])

    def test_passed_maximum_extension_period_stops_deliveries(self):
        self._make_cover(self._make_policy(), self.buyer, 10_000)
        picking = self._picking(self._make_confirmed_order(500))
        self._make_invoice(100, due_in=-61)
        picking.button_validate()
        self.assertEqual(picking.state, "assigned")
        self.company.credit_delivery_grace_days = 1
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_withdrawn_cover_stops_deliveries_after_the_days_of_grace(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        buyer, policy = self._make_buyer(partner=other), self._make_policy()
        self._make_cover(policy, buyer, 1000, effective_from=self.today - timedelta(days=90))
        order = self._make_confirmed_order(500, partner=other)
        picking = self._picking(order)
        self._make_cover(policy, buyer, None, status="withdrawn", effective_from=self.today - timedelta(days=3))
        self.company.credit_delivery_grace_days = 3
        self.company.credit_delivery_grace_days = 2
        answer = picking.button_validate()
        self.assertEqual(picking.state, "assigned")
        self.assertIn("withdrew", answer["params"]["message"])
        self.company.credit_delivery_grace_days = 4
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def _covered_buyer(self, own, **cover):
        """A buyer with credit at our own risk and a cover of 1,000: the policy, the buyer and its record."""
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        buyer, policy = self._make_buyer(limit=own, partner=other), self._make_policy()
        self._make_cover(policy, buyer, 1000, effective_from=self.today - timedelta(days=90), **cover)
        return policy, buyer, other

    def test_goods_that_counted_on_withdrawn_cover_stay_where_own_credit_does_not_take_its_place(self):
        policy, buyer, other = self._covered_buyer(own=600)
        first, second = (self._picking(self._make_confirmed_order(500, partner=other)) for _order in range(2))
        self._make_cover(policy, buyer, None, status="withdrawn", effective_from=self.today)
        answer = first.button_validate()
        self.assertEqual(first.state, "assigned")
        self.assertIn("withdrew", answer["params"]["message"])
        second._credit_order()._action_cancel()
        first.button_validate()
        self.assertEqual(first.state, "done", "500 is owed in all, and 600 is granted at our own risk")

    def test_goods_that_never_counted_on_cover_leave_when_it_is_withdrawn(self):
        policy, buyer, other = self._covered_buyer(own=600, effective_to=self.today - timedelta(days=5))
        buyer.profile_id = self.env["credit.insurance.profile"].create({"name": "Lenient", "tolerance_percent": 20})
        picking = self._picking(self._make_confirmed_order(700, partner=other))
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def _released_picking(self, partner):
        order = self._make_order(1200, partner=partner)
        order.with_user(self.rep).action_confirm()
        self._release(self._hold(order), self.manager)
        self.assertEqual(order.state, "sale")
        return self._picking(order)

    def test_release_of_an_amount_beyond_the_limit_is_none_for_goods_without_cover(self):
        policy, buyer, other = self._covered_buyer(own=None)
        picking = self._released_picking(other)
        event = self.env["credit.insurance.event"].create(
            {"buyer_id": buyer.id, "kind": "insolvency", "source": "Court"}
        )
        picking.button_validate()
        self.assertEqual(picking.state, "assigned", "nobody accepted that the buyer is insolvent")
        event.active = False
        self._make_cover(policy, buyer, None, status="withdrawn", effective_from=self.today)
        picking.button_validate()
        self.assertEqual(picking.state, "assigned", "nobody accepted that the insurer withdraws")

    def test_order_released_without_cover_is_delivered_without_it(self):
        picking = self._released_picking(self._refused_buyer().partner_id)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_release_of_one_order_is_none_of_another_one_in_its_delivery(self):
        released = self._make_order(100)
        first = self._make_confirmed_order(100)
        self._block()
        released.action_confirm()
        self._release(self._hold(released), self.manager)
        picking = self._picking(released)
        first.picking_ids.move_ids.picking_id = picking
        self._prepare(picking).button_validate()
        self.assertNotEqual(picking.state, "done")

    def _refused_buyer(self):
        buyer = self._make_buyer(partner=self.env["res.partner"].create({"name": "Beta", "is_company": True}))
        self._make_cover(self._make_policy(), buyer, None, status="refused", effective_from=self.today)
        return buyer

    def test_small_goods_leave_without_cover_as_their_order_passed_without(self):
        buyer = self._refused_buyer()
        small = {"name": "Small", "order_threshold": 500, "currency_id": self.company_currency.id}
        buyer.profile_id = self.env["credit.insurance.profile"].create(small)
        picking = self._picking(self._make_confirmed_order(500, partner=buyer.partner_id))
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_goods_of_a_secured_order_leave_without_cover_while_the_guarantee_stands(self):
        buyer = self._refused_buyer()
        order = self._make_order(500, partner=buyer.partner_id)
        row = {"buyer_id": buyer.id, "order_id": order.id, "amount": 500, "currency_id": buyer.currency_id.id}
        row |= {"date_from": self.today, "date_to": self.today + timedelta(days=30)}
        guarantee = self.env["credit.insurance.guarantee"].create(row)
        order.action_confirm()
        order._create_invoices().action_post()
        picking = self._picking(order)
        guarantee.sudo().cancelled = True
        picking.button_validate()
        self.assertEqual(picking.state, "assigned", "nothing secures it any more")
        self.env["credit.insurance.guarantee"].create(row)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_voided_discretionary_limit_stops_deliveries(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        buyer = self._make_buyer(partner=other)
        policy = self._make_policy(discretionary_maximum=1000, discretionary_payments=0, discretionary_report_months=12)
        self._make_discretionary(policy, buyer, 1000)
        picking = self._picking(self._make_confirmed_order(500, partner=other))
        event = self.env["credit.insurance.event"].create(
            {"buyer_id": buyer.id, "kind": "insolvency_rumour", "source": "Press"}
        )
        answer = picking.button_validate()
        self.assertEqual(picking.state, "assigned")
        self.assertIn("discretionary limit is void", answer["params"]["message"])
        event.active = False
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_good_deliveries_leave_when_many_are_validated(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=1000, partner=other)
        bad = self._picking(self._make_confirmed_order(500))
        good = self._picking(self._make_confirmed_order(500, partner=other))
        self._block()
        answer = (bad | good).button_validate()
        self.assertEqual((bad.state, good.state), ("assigned", "done"))
        self.assertEqual(answer["params"]["credit_insurance"], {"passed": good.ids, "held": bad.ids})

    def test_backorder_question_of_a_good_one_is_still_asked(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=1000, partner=other)
        bad = self._picking(self._make_confirmed_order(500))
        good = self._picking(self._make_confirmed_order(500, partner=other), quantity=4)
        self._block()
        answer = (bad | good).button_validate()
        self.assertEqual(answer["res_model"], "stock.backorder.confirmation")
        wizard = (
            self.env["stock.backorder.confirmation"]
            .with_context(**answer["context"])
            .create({"pick_ids": [Command.set(good.ids)]})
        )
        wizard.process()
        self.assertEqual((bad.state, good.state), ("assigned", "done"))

    def test_deep_guard_refuses_with_figures(self):
        picking = self._picking(self._make_confirmed_order(500))
        self._block()
        with self.assertRaisesRegex(UserError, "blocked"):
            picking._action_done()

    def test_context_opens_nothing(self):
        picking = self._picking(self._make_confirmed_order(500))
        self._block()
        keys = ("skip_sanity_check", "skip_backorder", "skip_credit", "button_validate_picking_ids")
        picking.with_context(**dict.fromkeys(keys, picking.ids)).button_validate()
        self.assertEqual(picking.state, "assigned")

    def test_paid_orders_delivery_leaves_although_items_are_overdue(self):
        self.company.credit_max_overdue_days = 5
        order = self._make_confirmed_order(500)
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        self._make_invoice(100, due_in=-30)
        picking = self._picking(order)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_released_delivery_leaves_when_it_is_validated_again(self):
        picking = self._picking(self._make_confirmed_order(500))
        self._block()
        picking.with_user(self.env.user).button_validate()
        self._release(self._held(picking), self.manager)
        self.assertEqual(picking.state, "assigned", "a release does not validate it")
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_what_was_accepted_at_the_orders_release_is_accepted_for_its_delivery(self):
        self._block()
        order = self._make_order(500)
        order.with_user(self.rep).action_confirm()
        self._release(self._hold(order), self.manager)
        self.assertEqual(order.state, "sale")
        picking = self._picking(order)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_hold_clears_when_the_reason_is_gone(self):
        picking = self._picking(self._make_confirmed_order(500))
        self._block()
        picking.button_validate()
        hold = self._held(picking)
        self.buyer.status = "normal"
        picking.button_validate()
        self.assertEqual((picking.state, hold.state), ("done", "cleared"))

    def test_delivery_without_an_order_is_held_by_its_buyer(self):
        picking_type = self.env["stock.picking.type"].search(
            [("code", "=", "outgoing"), ("company_id", "=", self.company.id)], limit=1
        )
        picking = self.env["stock.picking"].create(
            {
                "partner_id": self.partner.id,
                "picking_type_id": picking_type.id,
                "location_id": picking_type.default_location_src_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.goods.id,
                            "product_uom_qty": 1,
                            "location_id": picking_type.default_location_src_id.id,
                            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        self._block()
        self._prepare(picking).button_validate()
        self.assertNotEqual(picking.state, "done")
        self.assertTrue(self._held(picking))

    def test_returns_receipts_and_internal_transfers_are_not_asked_about(self):
        order = self._make_confirmed_order(500)
        delivery = self._picking(order)
        delivery.button_validate()
        self._block()
        wizard = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        wizard.product_return_moves.write({"quantity": 2})
        returned = self._prepare(wizard._create_return())
        returned.button_validate()
        self.assertEqual(returned.state, "done")
        for code in ("incoming", "internal"):
            types = self.env["stock.picking.type"].with_context(active_test=False)
            picking_type = types.search([("code", "=", code), ("company_id", "=", self.company.id)], limit=1)
            source = picking_type.default_location_src_id or self.env.ref("stock.stock_location_suppliers")
            target = picking_type.default_location_dest_id
            picking = self.env["stock.picking"].create(
                {
                    "partner_id": self.partner.id,
                    "picking_type_id": picking_type.id,
                    "location_id": source.id,
                    "location_dest_id": target.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": self.goods.id,
                                "product_uom_qty": 1,
                                "location_id": source.id,
                                "location_dest_id": target.id,
                            }
                        )
                    ],
                }
            )
            picking.action_confirm()
            self._prepare(picking).button_validate()
            self.assertEqual(picking.state, "done", code)

    def test_observing_gate_lets_goods_leave(self):
        picking = self._picking(self._make_confirmed_order(500))
        self._block()
        self.company.credit_gate_mode = "observe"
        picking.button_validate()
        self.assertEqual(picking.state, "done")


@tagged("post_install", "-at_install")
class TestDeliveryThatWaits(DeliveryCase):
    """Stopped whatever the settings for deliveries say."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_check_delivery = False
        cls.profile = cls.env["credit.insurance.profile"].create(
            {"name": "Prepays", "delivery_waits_for_money": True, "currency_id": cls.company_currency.id}
        )

    def _prepaying_order(self, amount=5000):
        self.buyer.profile_id = self.profile
        order = self._make_order(amount)
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.credit_pass_ids.decision_id.basis, "cash_before_delivery")
        self.env.cr.flush()
        return order

    def test_delivery_waits_until_the_order_is_paid(self):
        order = self._prepaying_order()
        picking = self._picking(order)
        answer = picking.button_validate()
        self.assertEqual(picking.state, "assigned")
        self.assertIn("5,000.00", answer["params"]["message"])
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice, amount=4000)
        picking.button_validate()
        self.assertEqual(picking.state, "assigned", "a part is not the whole")
        self._pay(invoice)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_partial_delivery_waits_as_well(self):
        picking = self._picking(self._prepaying_order(), quantity=1)
        picking.button_validate()
        self.assertEqual(picking.state, "assigned")

    def test_money_given_back_does_not_open_the_delivery(self):
        order = self._prepaying_order(500)
        invoice = order._create_invoices()
        invoice.action_post()
        wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids)
        wizard.create({"journal_id": invoice.journal_id.id, "reason": "no"}).refund_moves()
        order.invoice_ids.filtered(lambda m: m.move_type == "out_refund" and m.state == "draft").action_post()
        lines = order.invoice_ids.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        lines.reconcile()
        picking = self._picking(order)
        picking.button_validate()
        self.assertEqual(picking.state, "assigned", "an invoice settled by a credit note was not paid")

    def test_profile_taken_away_later_does_not_open_the_delivery(self):
        picking = self._picking(self._prepaying_order())
        self.buyer.profile_id = False
        picking.button_validate()
        self.assertEqual(picking.state, "assigned")

    def test_buyer_within_its_limit_waits_as_well(self):
        picking = self._picking(self._prepaying_order(100))
        picking.button_validate()
        self.assertEqual(picking.state, "assigned")

    def _deliver_too_much(self, product=None):
        """An order of 950 within its limit of 1,000: 1,400 leaves, 50 is to follow. Return it and what is to follow."""
        order = self._make_confirmed_order(900, quantity=9, product=product)
        self.env.cr.flush()
        second = self.env["sale.order.line"].create(
            {"order_id": order.id, "product_id": self.goods.id, "product_uom_qty": 1, "price_unit": 50, "tax_ids": []}
        )
        self.env.cr.flush()
        picking = order.picking_ids
        first_move = picking.move_ids.filtered(lambda move: move.sale_line_id == order.order_line - second)
        first_move.write({"quantity": 14, "picked": True})
        action = picking.button_validate()
        if isinstance(action, dict):
            self.env["stock.backorder.confirmation"].with_context(**action["context"]).create(
                {"pick_ids": [Command.set(picking.ids)]}
            ).process()
        self.env.cr.flush()
        self.assertEqual(picking.state, "done", "goods that left are accepted")
        return order, order.picking_ids - picking

    def test_growth_that_core_causes_puts_the_rest_of_the_delivery_on_hold(self):
        _order, rest = self._deliver_too_much()
        self.assertEqual(self._held(rest).decision_id.checkpoint, "growth")
        self._prepare(rest).button_validate()
        self.assertNotEqual(rest.state, "done")
        self.env["credit.insurance.own.limit"].create(
            {"buyer_id": self.buyer.id, "amount": 5000, "currency_id": self.company_currency.id}
        )
        rest.button_validate()
        self.assertEqual(rest.state, "done", "room was made")

    def test_delivery_on_hold_does_not_leave_because_all_was_invoiced(self):
        order, rest = self._deliver_too_much(product=self.goods_on_delivery)
        invoice = order._create_invoices()
        invoice.action_post()
        self.env.cr.flush()
        self.assertEqual(self._exposure(), {"not_due": 1450, "total": 1450})
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(len(self._held(rest)), 1, "nothing is left to invoice, and more is owed than the limit")
        self._prepare(rest).button_validate()
        self.assertNotEqual(rest.state, "done")
        self._pay(invoice, 500)
        rest.button_validate()
        self.assertEqual(rest.state, "done")

    def test_delivery_said_to_be_for_nobody_waits_for_its_goods_order(self):
        picking = self._picking(self._prepaying_order())
        self.env.cr.execute("UPDATE stock_picking SET sale_id = NULL WHERE id = %s", (picking.id,))
        self.env.invalidate_all()
        picking.button_validate()
        self.assertEqual(picking.state, "assigned")

    def test_hold_lapses_with_its_delivery(self):
        picking = self._picking(self._prepaying_order())
        picking.button_validate()
        hold = self._held(picking)
        picking.action_cancel()
        self.assertEqual(hold.state, "lapsed")

    def test_stock_user_without_credit_rights_is_told_and_stopped(self):
        user = new_test_user(
            self.env, login="credit_stock", groups="stock.group_stock_user", company_id=self.company.id
        )
        picking = self._picking(self._prepaying_order())
        answer = picking.with_user(user).button_validate()
        self.assertIn("5,000.00", answer["params"]["message"])
        self.assertEqual(picking.state, "assigned")
        self.assertTrue(picking.with_user(user).credit_held)
        self.assertIn("5,000.00", picking.with_user(user).credit_reasons)

    def test_who_may_not_write_the_delivery_puts_nothing_on_hold(self):
        picking = self._picking(self._prepaying_order())
        with self.assertRaises(AccessError):
            picking.with_user(self.administrator).button_validate()
        self.assertFalse(picking.credit_hold_ids)

    def test_service_does_not_pass_because_a_delivery_would_wait(self):
        """Nothing keeps it back: it would be credit."""
        self.buyer.write({"profile_id": self.profile.id, "status": "cash_only", "status_reason": "Bounced"})
        for order in (self._make_order(500, product=self.service), self._make_order(500)):
            if order.order_line.product_id != self.service:
                line = {"order_id": order.id, "product_id": self.service.id, "price_unit": 900, "tax_ids": []}
                self.env["sale.order.line"].create(line)
            order.with_user(self.rep).action_confirm()
            self.assertEqual(order.state, "draft")

    def test_invoice_without_an_order_does_not_pass_because_a_delivery_would_wait(self):
        self.company.credit_check_invoice = "hold"
        self.buyer.write({"profile_id": self.profile.id, "status": "cash_only", "status_reason": "Bounced"})
        move = self._make_invoice(100, post=False)
        move.action_post()
        self.assertEqual(move.state, "draft")
