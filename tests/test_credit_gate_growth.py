"""Growth of a confirmed order beyond its credit: refused, and one click asks for a release of the new amount."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.http import serialize_exception
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import file_open

from .test_credit_gate import GateCase


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
        _message, action, _label, context = refusal.args
        request = self.env[action["res_model"]].with_user(user or self.rep).with_context(**context)
        wizard = request.create({"note": "They pay on Friday", **values})
        wizard.action_request()
        return self.order.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def test_refusal_has_figures_and_a_button_for_the_new_amount(self):
        refusal = self._refusal()
        self.assertIn("500.00", refusal.args[0])
        self.assertEqual(refusal.args[1]["target"], "new", "a dialog over the form keeps what was typed")
        self.assertEqual(refusal.args[3], {"default_order_id": self.order.id, "default_amount": 1500})

    def test_web_client_knows_the_refusal_by_its_name(self):
        told = serialize_exception(self._refusal())
        self.assertTrue(told["name"].endswith("credit_insurance.models.growth_refused.GrowthRefused"))
        with file_open("credit_insurance/static/src/growth_refused/growth_refused.js") as script:
            self.assertIn(told["name"], script.read())

    def test_request_puts_the_new_amount_on_hold_and_leaves_the_order_alone(self):
        hold = self._ask(self._refusal())
        self.assertEqual((hold.order_amount, hold.shortfall, hold.requested_by_id), (1500, 500, self.rep))
        self.assertEqual((self.order.amount_total, self.order.state), (800, "sale"))
        self.assertEqual(self.order.credit_pass_ids.filtered("live").amount, 800)

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

    def test_moving_the_order_to_another_buyer_offers_no_release(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=10, partner=other)
        with self.assertRaises(ValidationError) as refused:
            self.order.partner_invoice_id = other
            self.env.cr.flush()
        self.assertEqual(len(refused.exception.args), 1)

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
