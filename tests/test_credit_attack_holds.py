"""Ways around four eyes and authority at a hold, and what must not break the queue of the others."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_credit_hold import HoldCase


@tagged("post_install", "-at_install")
class TestDecisionAttacks(HoldCase):
    def _refuse(self, edit):
        """It is refused, by whichever rule, and nothing is left of it."""
        try:
            with self.env.cr.savepoint():
                edit()
        except (UserError, ValueError, OverflowError):  # core cannot round what is no number
            return
        self.fail("it was not refused")

    def test_amount_that_is_no_number_releases_nothing(self):
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        for amount in (float("nan"), float("inf"), -float("inf"), 0.0, -1.0):
            self._refuse(lambda amount=amount: self._wizard("release", amount=amount).action_decide())
            self._refuse(lambda amount=amount: self._wizard("partial", amount=amount).action_decide())
            hold = self.hold.with_user(self.manager)
            self._refuse(lambda amount=amount, hold=hold: hold._release(reason, "x", amount, self.today))
        self.assertEqual((self.hold.state, self.hold.order_id.state), ("open", "draft"))

    def test_wizard_shows_nothing_of_a_hold_of_another_company(self):
        stranger = self._make_manager("credit_elsewhere", self.env["res.company"].create({"name": "Elsewhere"}))
        wizards = self.env["credit.insurance.hold.release"].with_user(stranger)
        defaulted = wizards.with_context(default_hold_id=self.hold.id)
        with self.assertRaises(AccessError):
            wizards.create({"hold_id": self.hold.id})
        with self.assertRaises(AccessError):
            defaulted.create({})
        with self.assertRaises(AccessError):
            wizards.onchange({"hold_id": self.hold.id}, ["hold_id"], {"shortfall": {}, "reasons_text": {}})
        with self.assertRaises(AccessError):
            defaulted.onchange({}, [], {"shortfall": {}, "hold_id": {}})

    def test_default_in_the_context_shows_no_order_of_somebody_else(self):
        order = self._make_confirmed_order(100)
        stranger = self._make_manager("credit_elsewhere", self.env["res.company"].create({"name": "Elsewhere"}))
        wizards = self.env["credit.insurance.growth.request"].with_user(stranger)
        with self.assertRaises(AccessError):
            wizards.with_context(default_order_id=order.id).create({"amount": 1, "note": "x"})

    def test_many_part_releases_are_one_large_release(self):
        self._allow(self.manager, 1000)
        order = self._make_order(5000, quantity=50)
        order.with_user(self.rep).action_confirm()
        hold = order.credit_hold_ids
        self._wizard("partial", hold=hold, amount=900).action_decide()
        self.assertEqual(order.state, "sale")
        rest = hold.rest_order_id
        rest.with_user(self.rep).action_confirm()
        second = rest.credit_hold_ids
        with self.assertRaises(AccessError):
            self._wizard("partial", hold=second, amount=900).action_decide()
        self._wizard("partial", hold=second, amount=100).action_decide()
        self.assertEqual(rest.state, "sale")

    def test_part_releases_below_the_four_eyes_amount_add_up(self):
        self.company.credit_four_eyes_amount = 1000
        order = self._make_order(5000, quantity=50, user=self.manager)
        order.with_user(self.manager).action_confirm()
        hold = order.credit_hold_ids
        self._wizard("partial", hold=hold, amount=900).action_decide()
        rest = hold.rest_order_id
        rest.with_user(self.rep).sudo().action_confirm()
        with self.assertRaises(AccessError):
            self._wizard("partial", hold=rest.credit_hold_ids, amount=900).action_decide()

    def test_many_small_quotations_of_one_day_add_up(self):
        self.company.credit_four_eyes_amount = 1600
        first, second = self._make_order(1500, user=self.manager), self._make_order(1500, user=self.manager)
        (first | second).with_user(self.manager).action_confirm()
        self._release(first.credit_hold_ids, self.manager)
        self.assertEqual(first.state, "sale")
        with self.assertRaises(AccessError):
            self._release(second.credit_hold_ids, self.manager)
        first.sudo()._action_cancel()
        self._release(second.credit_hold_ids, self.manager)
        self.assertEqual(second.state, "sale")

    def test_who_lacks_authority_is_told_what_was_released_to_the_buyer_today(self):
        self._allow(self.manager, 2000)
        first, second = self._make_order(1500), self._make_order(1400)
        (first | second).with_user(self.rep).action_confirm()
        self._release(first.credit_hold_ids, self.manager)
        with self.assertRaisesRegex(AccessError, "1,500.00 of it was released before"):
            self._release(second.credit_hold_ids, self.manager)

    def test_second_release_of_the_same_order_is_not_added_to_the_first(self):
        self._allow(self.manager, 3500)
        order = self._make_order(2000)
        order.with_user(self.rep).action_confirm()
        self._release(order.credit_hold_ids, self.manager)
        self.assertEqual(order.state, "sale")
        hold = self.env["credit.insurance.gate"].with_user(self.rep)._hold_growth(order, 3000)
        self._release(hold, self.manager, amount=3000)
        self.assertEqual(hold.state, "released")

    def test_many_invoices_of_one_day_add_up(self):
        self._allow(self.manager, 2000)
        self.company.credit_check_invoice = "hold"
        self._make_invoice(1000)
        first, second, third = moves = self.env["account.move"].union(
            *(self._make_invoice(amount, post=False) for amount in (900, 1200, 1100))
        )
        moves.with_user(self.officer).action_post()
        self._release(first.sudo().credit_hold_ids, self.manager)
        with self.assertRaisesRegex(AccessError, "900.00 of it was released before"):
            self._release(second.sudo().credit_hold_ids, self.manager)
        self._release(third.sudo().credit_hold_ids, self.manager)
        with self.assertRaises(AccessError):
            self._release(self.hold, self.manager)

    def test_rejection_does_not_wash_who_asked(self):
        self.hold.with_user(self.manager)._request_release("Please")
        for close in (
            lambda hold: self._wizard("reject", hold=hold).action_decide(),
            lambda hold: hold._close("lapsed"),
        ):
            close(self.order.credit_hold_id)
            self.order.with_user(self.rep).action_confirm()
            hold = self.order.credit_hold_id
            self.assertEqual(hold.state, "open")
            with self.assertRaises(AccessError):
                self._release(hold, self.manager)
        self._release(hold, self.colleague)
        self.assertEqual(self.order.state, "sale")

    def test_naming_the_colleague_salesperson_does_not_rule_the_colleague_out(self):
        self.company.credit_self_approval = True
        self._allow(self.manager)
        self._allow(self.colleague)
        order = self._make_order(1500, user=self.colleague)
        order.sudo().create_uid = self.manager
        order.with_user(self.manager).action_confirm()
        self.assertIn(self.colleague, order.credit_hold_ids.asker_ids)
        with self.assertRaises(AccessError):
            self._release(order.credit_hold_ids, self.manager, note="Nobody else there")

    def test_who_wrote_the_lines_of_an_order_does_not_release_it(self):
        order = self._make_order(100)
        order.with_user(self.manager).order_line.product_uom_qty = 150
        order.with_user(self.rep).order_line.name = "Touched by the rep afterwards"
        order.with_user(self.rep).action_confirm()
        with self.assertRaises(AccessError):
            self._release(order.credit_hold_ids, self.manager)

    def test_self_approved_part_release_asks_a_colleague_once(self):
        self.company.credit_self_approval = True
        self._allow(self.manager)
        order = self._make_order(1500, user=self.manager, quantity=15)
        order.with_user(self.manager).action_confirm()
        self._wizard("partial", hold=order.credit_hold_ids, amount=1000, note="Alone today").action_decide()
        self.assertTrue(order.credit_hold_ids.self_approved)
        self.assertEqual(len(order.credit_hold_ids.activity_ids), 1)

    def test_who_made_an_order_does_not_release_its_rest_when_the_first_part_is_deleted(self):
        order = self._make_order(5000, quantity=50)
        order.with_user(self.manager).order_line.price_unit = 99
        rest = order.with_user(self.rep)._credit_split(1000)
        order.action_cancel()
        order.unlink()
        rest.with_user(self.rep).action_confirm()
        with self.assertRaises(AccessError):
            self._release(rest.credit_hold_id, self.manager)

    def test_release_stands_whatever_keeps_the_order_from_being_confirmed(self):
        """Another module raises, or one of its fields is required and empty."""

        def fail(order):
            self.env.cr.execute("INSERT INTO sale_order_line (order_id) VALUES (%s)", [order.id])

        with (
            patch.object(type(self.order), "_action_confirm", fail),
            mute_logger("odoo.sql_db"),
            self.assertLogs("odoo.addons.credit_insurance", "WARNING"),
        ):
            self._release(self.hold, self.manager)
        self.assertEqual((self.hold.state, self.order.state), ("released", "draft"))
        self.assertIn("Released by credit, but not confirmed", str(self.order.message_ids.mapped("body")))
        self.order.with_user(self.rep).action_confirm()
        self.assertEqual(self.order.state, "sale")

    def test_people_of_a_delivery_and_of_an_invoice_ask_for_a_release(self):
        """They see the button on their document; others' documents they do not ask about."""
        stock = self._make_user("credit_stock", "stock.group_stock_user")
        accountant = self._make_user("credit_accountant", "account.group_account_invoice")
        order = self._make_confirmed_order(300)
        self.company.write({"credit_check_invoice": "hold", "credit_check_delivery": True})
        self.buyer.write({"status": "blocked", "status_reason": "Insolvent"})
        invoice = self._make_invoice(300, post=False)
        invoice.with_user(accountant).action_post()
        order.picking_ids.with_user(stock).button_validate()
        for user, document in ((stock, order.picking_ids), (accountant, invoice)):
            action = document.with_user(user).action_credit_request_release()
            requests = self.env[action["res_model"]].with_user(user)
            requests.with_context(**action["context"]).create({"note": "Please"}).action_request()
            self.assertEqual(document.sudo().credit_hold_ids.requested_by_id, user)
            with self.assertRaises(AccessError):
                requests.create({"hold_id": self.hold.id, "note": "Please"}).action_request()

    def test_note_of_the_rep_is_text_and_no_html(self):
        self.env["credit.insurance.hold.request"].with_user(self.rep).create(
            {"hold_id": self.hold.id, "note": "a < b <img src='https://spy.example/1.png'>"}
        ).action_request()
        self.assertNotIn("<img", self.hold.activity_ids.note)
        self.assertIn("&lt;img", self.hold.activity_ids.note)

    def test_portal_user_decides_and_asks_nothing(self):
        portal = self.env["res.users"].create(
            {
                "name": "Customer",
                "login": "credit_portal",
                "partner_id": self.contact.id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        hold = self.hold.with_user(portal)
        for name, arguments in (
            ("action_set_rank", (1,)),
            ("action_rank_first", ()),
            ("action_open_order", ()),
            ("read", (["shortfall"],)),
            ("write", ({"state": "released"},)),
            ("unlink", ()),
        ):
            with self.assertRaises(AccessError, msg=name):
                getattr(hold, name)(*arguments)
        for model in ("release", "request"):
            with self.assertRaises(AccessError):
                self.env[f"credit.insurance.hold.{model}"].with_user(portal).create({"hold_id": hold.id})


@tagged("post_install", "-at_install")
class TestQueueAttacks(HoldCase):
    def test_ranking_touches_no_hold_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere", "credit_gate_mode": "on"})
        foreign = self.hold.sudo().copy({"company_id": company.id, "order_id": False, "rank": 1, "name": "CH-X"})
        leader = self.manager
        self.hold.with_user(leader).action_rank_first()
        self.assertEqual((self.hold.rank, foreign.rank), (1, 1))

    def test_rank_is_a_small_whole_number(self):
        for rank in (-1, 10**12, "1", None, 1.5):
            with self.assertRaises(UserError):
                self.hold.with_user(self.manager).action_set_rank(rank)

    def test_broken_mail_template_neither_stops_a_confirmation_nor_the_job(self):
        self.company.credit_hold_mail = True
        order = self._make_order(1500)
        with (
            patch.object(type(self.env["mail.template"]), "send_mail", side_effect=ValueError("broken")),
            self.assertLogs("odoo.addons.credit_insurance", "WARNING"),
        ):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.credit_state, "held")

    def test_hold_that_cannot_be_told_does_not_keep_the_others(self):
        second = self._make_order(1200)
        second.with_user(self.rep).action_confirm()
        self.env["credit.insurance.own.limit"].create(
            {"buyer_id": self.buyer.id, "amount": 100000, "currency_id": self.company_currency.id}
        )
        holds = type(self.hold)
        tell = holds._tell_ready

        def fail(records):
            if self.hold in records:
                raise ValueError("cannot be told")
            return tell(records)

        with (
            patch.object(holds, "_tell_ready", fail),
            self.assertLogs("odoo.addons.credit_insurance", "WARNING"),
        ):
            self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual((self.hold.state, second.credit_hold_ids.state), ("open", "cleared"))


@tagged("post_install", "-at_install")
class TestSplitAttacks(HoldCase):
    def _order(self, *lines, tax=None):
        return self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "user_id": self.rep.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.goods.id,
                            "product_uom_qty": quantity,
                            "price_unit": price,
                            "tax_ids": [Command.set(tax.ids if tax else [])],
                        }
                    )
                    for quantity, price in lines
                ],
            }
        )

    def test_cent_of_rounding_is_said_before_and_after(self):
        order = self._order((10, 333.333))
        order.with_user(self.rep).action_confirm()
        wizard = self._wizard("partial", hold=order.credit_hold_ids, amount=1700)
        plan = {line.kept_quantity: line for line in wizard.split_line_ids}[5]
        self.assertEqual((plan.kept_amount, plan.moved_amount), (1666.67, 1666.67))
        self.assertIn("0.01", wizard.split_note)
        wizard.action_decide()
        rest = order.credit_hold_ids.rest_order_id
        self.assertEqual((order.amount_total, rest.amount_total), (1666.67, 1666.67))
        self.assertIn("0.01", "".join(rest.message_ids.mapped("body")))

    def test_wizard_says_to_the_cent_what_the_split_then_does(self):
        included = self.env["account.tax"].create(
            {"name": "19 % in", "amount": 19, "amount_type": "percent", "price_include_override": "tax_included"}
        )
        for lines, tax, amount in (
            (((1 / 3, 3000), (2.67, 411.11)), None, 1200),
            (((7, 123.45), (3, 99.99)), included, 900),
            (((12, 99.995), (1, -50)), included, 700),
        ):
            order = self._order(*lines, tax=tax)
            order.with_user(self.rep).action_confirm()
            wizard = self._wizard("partial", hold=order.credit_hold_ids, amount=amount)
            self.assertFalse(wizard.split_problem)
            shown = wizard.kept_total, wizard.moved_total
            wizard.action_decide()
            rest = order.credit_hold_ids.rest_order_id
            self.assertEqual((order.amount_total, rest.amount_total), shown)
            self.assertLessEqual(order.amount_total, amount)

    def test_order_that_was_invoiced_or_delivered_before_is_not_split(self):
        """Its second quotation would have what the customer has, or owes, already."""
        delivered, invoiced = self._order((10, 20), (10, 20)), self._order((10, 20), (10, 20))
        (delivered | invoiced).action_confirm()
        move = delivered.picking_ids.move_ids[:1]
        move.write({"quantity": 4, "picked": True})
        move.picking_id._action_done()
        move = invoiced._create_invoices()
        move.invoice_line_ids[1:].unlink()
        move.action_post()
        self.buyer.write({"status": "blocked", "status_reason": "Insolvent"})
        for order in (delivered, invoiced):
            order._action_cancel()
            order.action_draft()
            order.action_confirm()
            self.assertEqual(order.credit_state, "held")
            wizard = self._wizard("partial", hold=order.credit_hold_id, amount=300)
            self.assertIn("delivered or invoiced", wizard.split_problem)
            with self.assertRaises(UserError):
                wizard.action_decide()
            self.assertEqual(len(order.order_line), 2)

    def test_what_cannot_be_split_is_said_and_nothing_changes(self):
        order = self._order((1, 5000))
        order.with_user(self.rep).action_confirm()
        wizard = self._wizard("partial", hold=order.credit_hold_ids, amount=1000)
        self.assertTrue(wizard.split_problem)
        with self.assertRaises(UserError):
            wizard.action_decide()
