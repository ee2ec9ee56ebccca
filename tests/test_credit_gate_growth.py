"""Growth of a confirmed order beyond its credit: refused, and one click asks for a release of the new amount."""

from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.http import serialize_exception
from odoo.sql_db import db_connect
from odoo.tests import Form, tagged
from odoo.tools import file_open

from odoo.addons.credit_insurance.credit_insurance.models.growth_refused import GrowthRefused

from .test_credit_gate import GateCase


class GrowthCase(GateCase):
    def _change(self, **vals):
        self.order.with_user(self.rep).write(vals)
        self.env.cr.flush()

    def _refused_change(self, **vals):
        with self.assertRaises(GrowthRefused) as refused:
            self._change(**vals)
        self.env.invalidate_all()
        return refused.exception

    def _ask_for(self, refusal, user=None, **values):
        """Click the button of the refusal and send what it opens."""
        action = refusal.context["action"]
        request = self.env[action["res_model"]].with_user(user or self.rep).with_context(**action["context"])
        request.create({"note": "They pay on Friday", **values}).action_request()
        return self._hold(self.order)

    def _live(self):
        return self.order.credit_pass_ids.filtered("live")


@tagged("post_install", "-at_install")
class TestGrowthRequest(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)
        cls.order = cls._make_order(800)
        cls.order.with_user(cls.rep).action_confirm()
        cls.env.cr.flush()

    def _edit(self, price=150, user=None):
        self.order.order_line.with_user(user or self.rep).price_unit = price
        self.env.cr.flush()

    def _refusal(self):
        with self.assertRaises(ValidationError) as refused:
            self._edit()
        self.env.invalidate_all()
        return refused.exception

    def _ask(self, refusal, user=None, **values):
        action = refusal.context["action"]
        request = self.env[action["res_model"]].with_user(user or self.rep).with_context(**action["context"])
        wizard = request.create({"note": "They pay on Friday", **values})
        wizard.action_request()
        return self.order.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def test_refusal_has_figures_and_a_button_for_the_new_amount(self):
        refusal = self._refusal()
        self.assertIn("500.00", refusal.args[0])
        action = refusal.context["action"]
        self.assertEqual(action["target"], "new", "a dialog over the form keeps what was typed")
        self.assertEqual(action["context"], {"default_order_id": self.order.id, "default_amount": 1500})

    def test_web_client_knows_the_refusal_by_its_name(self):
        told = serialize_exception(self._refusal())
        self.assertTrue(told["name"].endswith("credit_insurance.models.growth_refused.GrowthRefused"))
        with file_open("credit_insurance/static/src/growth_refused/growth_refused.js") as script:
            self.assertIn(told["name"], script.read())

    def test_clients_that_print_the_refusal_print_its_words_only(self):
        refusal = self._refusal()
        self.assertEqual(serialize_exception(refusal)["message"], refusal.args[0])
        self.assertEqual(str(refusal), refusal.args[0])

    def test_request_puts_the_new_amount_on_hold_and_leaves_the_order_alone(self):
        hold = self._ask(self._refusal())
        self.assertEqual((hold.order_amount, hold.shortfall, hold.requested_by_id), (1500, 500, self.rep))
        self.assertEqual((self.order.amount_total, self.order.state), (800, "sale"))
        self.assertEqual(self.order.credit_pass_ids.filtered("live").amount, 800)

    def test_order_shows_that_a_change_of_it_waits(self):
        order = self.order.with_user(self.rep)
        self.assertFalse(order.credit_change_hold_id)
        hold = self._ask(self._refusal())
        self.assertEqual(order.credit_change_hold_id, hold)
        with Form(order) as form:
            self.assertEqual(form.credit_change_hold_id, hold)
        self._release(hold, self.manager, amount=1500)
        self.assertFalse(order.credit_change_hold_id)

    def test_released_amount_lets_the_same_edit_pass(self):
        hold = self._ask(self._refusal())
        self._release(hold, self.manager, amount=1500)
        self._edit()
        self.assertEqual(self.order.amount_total, 1500)
        self.assertEqual(self.order.credit_pass_ids.filtered("live").decision_id.basis, "released")
        with self.assertRaises(ValidationError):
            self._edit(151)

    def test_release_is_offered_for_the_new_amount(self):
        hold = self._ask(self._refusal())
        wizard = self.env["credit.insurance.hold.release"].with_user(self.manager).create({"hold_id": hold.id})
        self.assertEqual(wizard.amount, 1500)

    def test_nothing_is_held_when_the_new_amount_fits_by_now(self):
        refusal = self._refusal()
        self._make_buyer(limit=5000)
        with self.assertRaises(UserError):
            self._ask(refusal)
        self._edit()
        self.assertEqual(self.order.amount_total, 1500)

    def test_growth_that_passes_clears_its_hold(self):
        hold = self._ask(self._refusal())
        self._make_buyer(limit=5000)
        self._edit()
        self.assertEqual(hold.state, "cleared")

    def test_who_asked_does_not_release(self):
        hold = self._ask(self._refusal(), user=self.manager)
        with self.assertRaises(AccessError):
            self._release(hold, self.manager, amount=1500)

    def test_only_who_may_write_the_order_asks(self):
        refusal = self._refusal()
        for user in (self.officer, self.administrator):
            with self.assertRaises(AccessError):
                self._ask(refusal, user=user)

    def test_request_for_less_or_for_a_quotation_is_refused(self):
        refusal = self._refusal()
        with self.assertRaises(UserError):
            self._ask(refusal, amount=800)
        draft = self._make_order(10)
        with self.assertRaises(UserError):
            self._ask(refusal, order_id=draft.id)

    def test_change_of_currency_says_to_cancel_and_confirm_anew(self):
        strong = self.setup_other_currency("EUR", rates=[("2016-01-01", 0.1)])
        with self.assertRaisesRegex(ValidationError, f"cancel {self.order.name} and confirm") as refused:
            self.order.with_user(self.rep).currency_id = strong
            self.env.cr.flush()
        self.assertNotIsInstance(refused.exception, GrowthRefused)

    def test_two_orders_changed_at_once_are_asked_for_one_by_one(self):
        other = self._make_confirmed_order(100)
        with self.assertRaisesRegex(ValidationError, "change one order at a time"):
            (self.order | other).order_line.price_unit = 500
            self.env.cr.flush()

    def test_growth_accepted_from_core_takes_its_headroom(self):
        """A confirmation at the same instant has to see it: it reserves like any other."""
        self.order.order_line.qty_delivered_method = "manual"
        self.order.order_line.sudo().write({"qty_delivered": 15})
        self.env.cr.precommit.data["credit_insurance.watched"][self.order.id].add("core")
        self.env.cr.flush()
        # Written and committed through another connection: this transaction's snapshot does not show it.
        with db_connect(self.env.cr.dbname).cursor() as side:
            side.execute(
                "SELECT amount FROM credit_insurance_reservation WHERE order_id = %s ORDER BY id DESC LIMIT 1",
                (self.order.id,),
            )
            [amount] = side.fetchone()
        self.assertEqual(amount, 400)


@tagged("post_install", "-at_install")
class TestTermRequest(GrowthCase):
    """A payment term longer than the cover allows, and a delivery after its end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cover_end = cls.today + timedelta(days=30)
        cls.policy = cls._make_policy(max_payment_term_days=60)
        cls._make_cover(cls.policy, cls._make_buyer(), 1000, effective_to=cls.cover_end)
        cls.days_30, cls.days_90, cls.days_120 = (cls._make_term(days) for days in (30, 90, 120))
        cls.order = cls._make_confirmed_order(500, payment_term_id=cls.days_30.id)
        cls.env.cr.flush()

    @classmethod
    def _make_term(cls, days):
        line = {"value": "percent", "value_amount": 100, "nb_days": days}
        return cls.env["account.payment.term"].create({"name": f"{days} days", "line_ids": [Command.create(line)]})

    def _date(self, days):
        """So many days after the last day of the cover."""
        return f"{self.cover_end + timedelta(days=days)} 12:00:00"

    def test_refused_term_is_asked_for_with_one_click(self):
        refusal = self._refused_change(payment_term_id=self.days_90.id)
        self.assertIn("90", refusal.args[0])
        self.assertEqual(
            refusal.context["action"]["context"],
            {"default_order_id": self.order.id, "default_amount": 500, "default_payment_term_id": self.days_90.id},
        )
        hold = self._ask_for(refusal)
        self.assertEqual((hold.main_reason, hold.payment_term_id), ("term_too_long", self.days_90))
        self.assertEqual((hold.order_amount, hold.requested_by_id), (500, self.rep))
        self.assertEqual((self.order.payment_term_id, self.order.state), (self.days_30, "sale"))

    def test_released_term_lets_the_same_edit_pass_and_no_longer_one(self):
        hold = self._ask_for(self._refused_change(payment_term_id=self.days_90.id))
        self._release(hold, self.manager)
        self.assertEqual(hold.release_amount, 500)
        self._change(payment_term_id=self.days_90.id)
        live = self._live()
        self.assertEqual((live.payment_term_id, live.decision_id.basis), (self.days_90, "released"))
        self._refused_change(payment_term_id=self.days_120.id)
        self._refused_change(order_line=[Command.update(self.order.order_line.id, {"price_unit": 200})])

    def test_refused_delivery_date_is_asked_for_and_released_up_to_that_day(self):
        refusal = self._refused_change(commitment_date=self._date(10))
        self.assertEqual(refusal.context["action"]["context"]["default_commitment_date"], self._date(10))
        hold = self._ask_for(refusal)
        self.assertEqual(hold.main_reason, "cover_ends_before_delivery")
        self.assertEqual(hold.delivery_date, self.cover_end + timedelta(days=10))
        self.assertFalse(self.order.commitment_date)
        self._release(hold, self.manager)
        self._change(commitment_date=self._date(10))
        self.assertEqual(self._live().delivery_until, self.cover_end + timedelta(days=10))
        self._refused_change(commitment_date=self._date(11))

    def test_release_of_a_date_is_none_of_a_term(self):
        hold = self._ask_for(self._refused_change(commitment_date=self._date(10)))
        self._release(hold, self.manager)
        self._refused_change(payment_term_id=self.days_90.id)
        self._refused_change(commitment_date=self._date(10), payment_term_id=self.days_90.id)

    def test_amount_term_and_date_are_asked_for_together(self):
        grown = {
            "order_line": [Command.update(self.order.order_line.id, {"price_unit": 120})],
            "payment_term_id": self.days_90.id,
            "commitment_date": self._date(5),
        }
        hold = self._ask_for(self._refused_change(**grown))
        codes = {reason["code"] for reason in hold.decision_id.reasons}
        self.assertEqual(codes & {"over_limit", "term_too_long", "cover_ends_before_delivery"}, codes)
        self.assertEqual((hold.order_amount, hold.shortfall), (1200, 200))
        self._release(hold, self.manager)
        self._change(**grown)
        self.assertEqual(self.order.amount_total, 1200)

    def test_release_of_the_order_as_it_was_does_not_cover_a_longer_term(self):
        order = self.order = self._make_order(5000, payment_term_id=self.days_30.id)
        order.with_user(self.rep).action_confirm()
        self._release(self._hold(order), self.manager)
        self.assertEqual(order.state, "sale")
        self.env.cr.flush()
        self._refused_change(payment_term_id=self.days_90.id)

    def test_released_quotation_whose_term_got_longer_is_held_again(self):
        order = self._make_order(5000, payment_term_id=self.days_30.id)
        order.with_user(self.rep).action_confirm()
        order.payment_term_id = self.days_90
        self._release(self._hold(order), self.manager)
        self.assertEqual(order.state, "draft")
        self.assertEqual(self._hold(order).payment_term_id, self.days_90)

    def test_who_decides_sees_what_is_wanted(self):
        hold = self._ask_for(self._refused_change(payment_term_id=self.days_90.id, commitment_date=self._date(3)))
        wizard = self.env["credit.insurance.hold.release"].with_user(self.manager).create({"hold_id": hold.id})
        self.assertEqual(wizard.payment_term_id, self.days_90)
        self.assertEqual(wizard.delivery_date, self.cover_end + timedelta(days=3))

    def test_wanted_term_is_cleared_when_the_policy_allows_it_by_now(self):
        hold = self._ask_for(self._refused_change(payment_term_id=self.days_90.id))
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(hold.state, "open", "it is the wanted term that is decided, not the one of the order")
        self.policy.max_payment_term_days = 90
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(hold.state, "cleared")
        self._change(payment_term_id=self.days_90.id)

    def test_nothing_beyond_the_pass_is_nothing_to_ask_for(self):
        refusal = self._refused_change(payment_term_id=self.days_90.id)
        with self.assertRaises(UserError):
            self._ask_for(refusal, payment_term_id=self.days_30.id)

    def test_request_forged_by_a_client_changes_no_order(self):
        request = self.env["credit.insurance.growth.request"].with_user(self.rep)
        forged = {"order_id": self.order.id, "amount": 1, "payment_term_id": self.days_90.id, "note": "-"}
        request.create(forged).action_request()
        hold = self._hold(self.order)
        self._release(hold, self.manager, amount=1)
        self._refused_change(payment_term_id=self.days_90.id)
        with self.assertRaises(AccessError):
            hold.with_user(self.rep).write({"payment_term_id": self.days_120.id})


@tagged("post_install", "-at_install")
class TestDebtorRequest(GrowthCase):
    """A confirmed order that somebody else is going to owe."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)
        cls.other = cls.env["res.partner"].create({"name": "Beta", "is_company": True})
        cls._make_buyer(limit=10, partner=cls.other)
        cls.order = cls._make_confirmed_order(800)
        cls.env.cr.flush()

    def test_release_is_asked_for_the_new_debtor(self):
        refusal = self._refused_change(partner_invoice_id=self.other.id)
        self.assertEqual(refusal.context["action"]["context"]["default_partner_invoice_id"], self.other.id)
        hold = self._ask_for(refusal)
        self.assertEqual((hold.partner_id, hold.limit_amount, hold.shortfall), (self.other, 10, 790))
        self.assertEqual(self.order.partner_invoice_id, self.contact)
        self.assertEqual(self._live().partner_id, self.partner)

    def test_release_for_the_new_debtor_lets_the_move_pass_and_frees_the_old_one(self):
        hold = self._ask_for(self._refused_change(partner_invoice_id=self.other.id))
        self._release(hold, self.manager)
        self._change(partner_invoice_id=self.other.id)
        self.assertEqual((self._live().partner_id, self._live().amount), (self.other, 800))
        self.assertEqual(self._exposure()["total"], 0)
        self.assertEqual(self._exposure(partner=self.other)["total"], 800)

    def test_release_for_the_new_debtor_is_none_for_a_third_one(self):
        self._release(self._ask_for(self._refused_change(partner_invoice_id=self.other.id)), self.manager)
        third = self.env["res.partner"].create({"name": "Gamma", "is_company": True})
        self._make_buyer(limit=10, partner=third)
        self._refused_change(partner_invoice_id=third.id)

    def test_new_debtor_with_a_limit_by_now_clears_the_hold(self):
        hold = self._ask_for(self._refused_change(partner_invoice_id=self.other.id))
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(hold.state, "open")
        self._make_buyer(limit=5000, partner=self.other)
        self.env["credit.insurance.hold"]._cron_redecide()
        self.assertEqual(hold.state, "cleared")
