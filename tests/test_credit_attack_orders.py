"""A pass is for one order, one term and one payment: ways to use it for more."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .gate_attack_case import AttackCase


class OrderAttackCase(AttackCase):
    def _second_use(self, order, amount):
        """Whether new goods of ``amount`` find their way into an order by making the invoiced line free."""
        vals = {
            "order_line": [
                Command.update(order.order_line.id, {"price_unit": 0}),
                Command.create(
                    {"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": amount / 10, "tax_ids": []}
                ),
            ]
        }
        return not self._refused(lambda: order.with_user(self.rep).write(vals))


@tagged("post_install", "-at_install")
class TestTermOfAConfirmedOrder(OrderAttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_cover(cls._make_policy(max_payment_term_days=60), cls._make_buyer(), 1000)
        cls.days_30 = cls._make_term(30)
        cls.order = cls._make_confirmed_order(500, payment_term_id=cls.days_30.id)

    @classmethod
    def _make_term(cls, days):
        line = {"value": "percent", "value_amount": 100, "nb_days": days}
        return cls.env["account.payment.term"].create({"name": f"{days} days", "line_ids": [Command.create(line)]})

    def _refused_term(self, days, **vals):
        term = self._make_term(days)
        edit = {"payment_term_id": term.id, **vals}
        return self._refused(lambda: self.order.with_user(self.rep).write(edit))

    def test_longer_term_than_the_cover_allows_is_refused_after_confirmation(self):
        self.assertEqual(self.order.state, "sale")
        self._commit()
        self.assertTrue(self._refused_term(90))

    def test_longer_term_is_refused_when_the_state_is_written_beside_it(self):
        self._commit()
        self.assertTrue(self._refused_term(90, state="sale"))

    def test_term_within_the_cover_is_free(self):
        self._commit()
        self.assertFalse(self._refused_term(60))
        self.assertFalse(self._refused_term(10))
        self.assertTrue(self._refused_term(61))


@tagged("post_install", "-at_install")
class TestReleaseIsUsedOnce(OrderAttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100)

    def _released_order(self):
        order = self._make_order(5000, product=self.service)
        order.with_user(self.rep).action_confirm()
        self._release(order.credit_hold_id, self.manager, decision="release", amount=5000)
        self.assertEqual(order.state, "sale")
        self._commit()
        return order

    def test_invoiced_order_does_not_use_its_release_again(self):
        order = self._released_order()
        self._invoice(order)
        self._commit()
        self.assertFalse(self._second_use(order, 5000), f"exposure {self._exposure()}")

    def test_released_order_shrinks_and_grows_back_within_its_release(self):
        order = self._released_order()
        order.order_line.price_unit = 300
        self._commit()
        self.assertFalse(self._refused(lambda: order.order_line.with_user(self.rep).write({"price_unit": 500})))
        self.assertTrue(self._refused(lambda: order.order_line.with_user(self.rep).write({"price_unit": 501})))

    def test_cancelled_order_does_not_use_its_release_for_other_goods(self):
        order = self._released_order()
        self._invoice(order)
        self._commit()
        order._action_cancel()
        order.action_draft()
        order.order_line.price_unit = 0
        order.order_line = [
            Command.create({"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": 500, "tax_ids": []})
        ]
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft", f"exposure {self._exposure()}")

    def test_release_for_one_buyer_does_not_pass_another(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=0, partner=other)
        order = self._released_order()
        self.assertTrue(self._refused(lambda: order.with_user(self.rep).write({"partner_invoice_id": other.id})))

    def test_invoiced_and_unpaid_order_does_not_use_its_guarantee_again(self):
        order = self._make_order(5000, product=self.service)
        self.env["credit.insurance.guarantee"].create(
            {
                "buyer_id": self.buyer.id,
                "order_id": order.id,
                "kind": "deposit",
                "amount": 5000,
                "currency_id": self.company_currency.id,
                "date_from": self.today,
            }
        )
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.credit_pass_ids.decision_id.basis, "secured")
        self._commit()
        self._invoice(order)
        self._commit()
        self.assertFalse(self._second_use(order, 5000), f"exposure {self._exposure()}")


@tagged("post_install", "-at_install")
class TestPaymentTakenBack(OrderAttackCase, AccountPaymentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=0)

    def setUp(self):
        super().setUp()
        support = {"support_manual_capture": "full_only", "support_tokenization": False, "support_refund": "partial"}
        support["support_express_checkout"] = False
        provider = type(self.provider)
        self.patch(provider, "_compute_feature_support_fields", lambda providers: providers.update(support))

    def _make_tx(self, order, amount, **values):
        return self._create_transaction(
            "direct",
            reference=f"TX {self.env['payment.transaction'].search_count([])}",
            amount=amount,
            currency_id=self.company_currency.id,
            partner_id=self.partner.id,
            sale_order_ids=[Command.set(order.ids)],
            **values,
        )

    def _held(self, order):
        return order.picking_ids.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open")

    def _paid_order(self, state="done"):
        order = self._make_order(1000)
        transaction = self._make_tx(order, 1000, state=state)
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.credit_pass_ids.decision_id.basis, "prepaid")
        self._commit()
        return order, transaction

    def test_voided_authorization_puts_the_delivery_on_hold(self):
        order, transaction = self._paid_order("authorized")
        transaction._set_canceled()
        self._commit()
        self.assertEqual(order.state, "sale")
        self.assertTrue(self._held(order))
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 10, "picked": True})
        picking.button_validate()
        self.assertNotEqual(picking.state, "done")

    def test_refunded_payment_puts_the_delivery_on_hold(self):
        order, transaction = self._paid_order()
        child = transaction._create_child_transaction(1000, is_refund=True)
        child._set_done()
        self._commit()
        self.assertTrue(self._held(order))

    def test_captured_payment_changes_nothing(self):
        order, transaction = self._paid_order("authorized")
        transaction._set_done()
        self._commit()
        self.assertFalse(self._held(order))
        self.assertEqual(len(order.credit_pass_ids), 1)

    def test_payment_cancelled_in_the_books_is_no_payment(self):
        order = self._make_order(1000)
        transaction = self._make_tx(order, 1000, state="done")
        payment = self.env["account.payment"].create(
            {"partner_id": self.partner.id, "amount": 1000, "payment_type": "inbound", "partner_type": "customer"}
        )
        payment.action_post()
        transaction.payment_id = payment
        payment.action_draft()
        payment.action_cancel()
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")


@tagged("post_install", "-at_install")
class TestRateOfAnOrder(OrderAttackCase):
    """A down payment in another currency takes off an order what it is worth at the order's rate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        cls.order = cls._make_confirmed_order(1000)
        cls.env.cr.flush()

    def test_rate_is_not_given_by_hand(self):
        line = Command.update(self.order.order_line.id, {"currency_id": self.foreign.id})
        for vals in ({"currency_rate": 1000}, {"order_line": [line]}):
            with self.assertRaises(AccessError):
                self.order.with_user(self.rep).write(vals)

    def test_rate_given_on_creation_is_computed_anew(self):
        orders = self.env["sale.order"].with_user(self.rep)
        line = {"product_id": self.goods.id, "currency_id": self.foreign.id}
        vals = {"partner_id": self.partner.id, "order_line": [Command.create(line)]}
        given = (
            orders.create({**vals, "currency_rate": 1000}),
            orders.with_context(default_currency_rate=9).create(vals),
        )
        for order in given:
            self.assertEqual((order.currency_rate, order.order_line.currency_id), (1, order.currency_id))
