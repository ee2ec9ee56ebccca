"""Ways around the gate that a hostile user, or an ordinary day, could find: each name states the rule."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command, api
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon
from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_reservation import Snapshot

from .common import CreditCommon


class AttackCase(CreditCommon):
    def _commit(self):
        """What the end of a request does: flush and run what waits for the commit."""
        self.env.cr.flush()

    def _refused(self, edit):
        """Whether an edit is refused when it is made or at the end of its request."""
        try:
            with self.env.cr.savepoint():
                edit()
                self._commit()
        except (UserError, AccessError):
            self.env.invalidate_all()
            return True
        self.env.invalidate_all()
        return False

    def _assert_refused_or_nothing_gained(self, edit, exposure, message=None):
        if not self._refused(edit):
            self.assertEqual(self._exposure()["total"], exposure, message)

    def _deliver(self, order, quantity=None):
        picking = order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))[:1]
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty if quantity is None else quantity
            move.picked = True
        picking._action_done()
        return picking

    def _invoice(self, order):
        invoice = order._create_invoices(final=True)
        invoice.action_post()
        return invoice

    def _second_manager(self):
        return new_test_user(
            self.env,
            login="credit_manager_2",
            groups="base.group_user,credit_insurance.credit_insurance_group_manager,"
            "sales_team.group_sale_salesman_all_leads",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def _release(self, hold, user, **values):
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        wizard = (
            self.env["credit.insurance.hold.release"]
            .with_user(user)
            .create({"hold_id": hold.id, "reason_id": reason.id, "note": "ok", **values})
        )
        return wizard.action_decide()


@tagged("post_install", "-at_install")
class TestForgedFigures(AttackCase):
    """Core's stored figures are computed, and a client can write them all the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def test_written_total_of_a_quotation_does_not_decide(self):
        order = self._make_order(15000)
        if not self._refused(lambda: order.with_user(self.rep).write({"amount_total": 100})):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")

    def test_total_given_on_creation_does_not_decide(self):
        values = {"amount_total": 100, "amount_untaxed": 100}
        order = self._make_order(15000, **values)
        self._commit()
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft", order.amount_total)

    def test_total_given_on_copy_does_not_decide(self):
        order = self._make_order(15000).with_user(self.rep).copy({"amount_total": 100})
        self._commit()
        order.action_confirm()
        self.assertEqual(order.state, "draft", order.amount_total)

    def test_written_total_does_not_hide_growth_in_one_call(self):
        order = self._make_confirmed_order(100)
        self._commit()
        vals = {"amount_total": 100, "order_line": [Command.update(order.order_line.id, {"price_unit": 5000})]}
        self.assertTrue(self._refused(lambda: order.with_user(self.rep).write(vals)), order.amount_total)

    def test_written_line_total_does_not_hide_growth_in_one_call(self):
        order = self._make_confirmed_order(100)
        self._commit()
        vals = {"price_unit": 5000, "price_subtotal": 100, "price_total": 100, "price_tax": 0}
        self.assertTrue(self._refused(lambda: order.order_line.with_user(self.rep).write(vals)), order.amount_total)

    def test_written_line_total_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write({"price_total": 0}), 1000
        )

    def test_written_invoice_status_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.with_user(self.rep).write({"invoice_status": "invoiced"}), 1000
        )

    def test_line_declared_a_down_payment_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write({"is_downpayment": True}), 1000
        )

    def test_line_linked_to_a_foreign_invoice_does_not_lower_the_exposure(self):
        order = self._make_confirmed_order(1000)
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        move = self._make_invoice(1, partner=other)
        move.invoice_line_ids.sudo().quantity = 1
        small = self._make_invoice(0.01, partner=other, post=False)
        small.invoice_line_ids.quantity = 10
        small.action_post()
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write(
                {"invoice_lines": [Command.link(small.invoice_line_ids.id)]}
            ),
            1000,
        )

    def test_state_of_the_line_is_not_the_clients(self):
        order = self._make_confirmed_order(1000)
        self._assert_refused_or_nothing_gained(
            lambda: order.order_line.with_user(self.rep).write({"qty_invoiced": 10, "state": "cancel"}), 1000
        )

    def test_credit_state_is_not_taken_from_the_context(self):
        order = (
            self.env["sale.order"]
            .with_user(self.rep)
            .with_context(default_credit_state="passed")
            .create({"partner_id": self.partner.id})
        )
        self.assertFalse(order.credit_state)

    def test_commercial_partner_is_not_the_clients(self):
        """A stored computed field: writing it moves the whole buyer to one without a limit."""
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        order = self._make_order(15000)
        if not self._refused(lambda: self.partner.with_user(self.rep).write({"commercial_partner_id": other.id})):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")


@tagged("post_install", "-at_install")
class TestPassIsUsedOnce(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)

    def test_paid_order_does_not_lend_its_pass_to_new_goods(self):
        order = self._make_confirmed_order(1000, product=self.service)
        self._commit()
        self._pay(self._invoice(order))
        self._make_confirmed_order(1000)
        self.assertEqual(self._exposure()["total"], 1000, "the limit is used up")
        vals = {
            "order_line": [
                Command.update(order.order_line.id, {"price_unit": 0}),
                Command.create({"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": 100, "tax_ids": []}),
            ]
        }
        refused = self._refused(lambda: order.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_cancelled_delivery_gives_its_pass_back(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        order.picking_ids.with_user(self.rep).action_cancel()
        self._commit()
        self.assertEqual(self._exposure()["total"], 0)
        self._make_confirmed_order(1000)
        self._commit()
        vals = {"product_uom_qty": 11, "price_unit": 90}
        refused = self._refused(lambda: order.order_line.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_invoiced_order_is_no_blank_cheque(self):
        """Nothing is open, so any price passes as growth; the pass that results then covers new goods."""
        order = self._make_confirmed_order(1000, product=self.service)
        self._commit()
        self._pay(self._invoice(order))
        line = order.order_line.with_user(self.rep)
        if self._refused(lambda: line.write({"price_unit": 100_000})):
            return
        vals = {
            "order_line": [
                Command.update(line.id, {"price_unit": 0}),
                Command.create(
                    {"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": 100_000, "tax_ids": []}
                ),
            ]
        }
        refused = self._refused(lambda: order.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"limit 1,000, exposure now {self._exposure()}")

    def test_order_whose_delivery_was_cancelled_is_no_blank_cheque(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        order.picking_ids.with_user(self.rep).action_cancel()
        line = order.order_line.with_user(self.rep)
        if self._refused(lambda: line.write({"price_unit": 100_000})):
            return
        refused = self._refused(lambda: line.write({"product_uom_qty": 11, "price_unit": 90_000}))
        self.assertTrue(refused, f"limit 1,000, exposure now {self._exposure()}")

    def test_two_confirmations_in_one_transaction_share_the_headroom(self):
        first, second = self._make_order(700), self._make_order(700)
        first.action_confirm()
        second.action_confirm()
        self.assertEqual((first.state, second.state), ("sale", "draft"))

    def test_confirmation_rolled_back_in_the_same_transaction_gives_its_headroom_back(self):
        first, second = self._make_order(700), self._make_order(700)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            first.action_confirm()
            raise ZeroDivisionError
        self.env.invalidate_all()
        second.action_confirm()
        self.assertEqual((first.state, second.state), ("draft", "sale"))

    def test_refused_growth_in_a_savepoint_leaves_the_next_one_watched(self):
        order = self._make_confirmed_order(100)
        self._commit()
        for _number in range(2):
            self.assertTrue(self._refused(lambda: order.order_line.write({"price_unit": 5000})))

    def test_delivered_quantity_written_by_hand_is_growth(self):
        product = self._make_product("Hours", type="service", invoice_policy="delivery")
        order = self._make_confirmed_order(100, product=product, quantity=1)
        self._commit()
        refused = self._refused(lambda: order.order_line.with_user(self.rep).write({"qty_delivered": 100}))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_line_of_nothing_ordered_and_much_delivered_is_growth(self):
        product = self._make_product("Hours", type="service", invoice_policy="delivery")
        order = self._make_confirmed_order(100)
        self._commit()
        vals = {
            "order_line": [
                Command.create(
                    {
                        "product_id": product.id,
                        "product_uom_qty": 0,
                        "qty_delivered": 5,
                        "price_unit": 9000,
                        "tax_ids": [],
                    }
                )
            ]
        }
        refused = self._refused(lambda: order.with_user(self.rep).write(vals))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_reopened_line_closed_by_the_officer_is_decided_again(self):
        order = self._make_confirmed_order(1000, product=self.service)
        self._commit()
        order.order_line.credit_insurance_closed = True
        self._make_confirmed_order(1000)
        self._commit()
        refused = self._refused(lambda: order.order_line.write({"credit_insurance_closed": False}))
        self.assertTrue(refused, f"exposure now {self._exposure()}")

    def test_line_moved_to_a_confirmed_order_is_growth(self):
        order, draft = self._make_confirmed_order(100), self._make_order(5000)
        self._commit()
        line = draft.order_line.with_user(self.rep)
        self.assertTrue(self._refused(lambda: line.write({"order_id": order.id})))

    def test_lines_created_over_another_model_are_growth(self):
        order = self._make_confirmed_order(100)
        self._commit()
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        vals = {
            "sale_order_ids": [
                Command.update(order.id, {"order_line": [Command.update(order.order_line.id, {"price_unit": 5000})]})
            ]
        }
        self.assertTrue(self._refused(lambda: self.partner.with_user(self.rep).write(vals)))

    def test_state_written_over_another_model_is_refused(self):
        order = self._make_order(5000)
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        vals = {"sale_order_ids": [Command.update(order.id, {"state": "sale"})]}
        self.assertTrue(self._refused(lambda: self.partner.with_user(self.rep).write(vals)))

    def test_tax_added_to_a_confirmed_order_is_growth(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        tax = self.company_data["default_tax_sale"]
        self.assertTrue(self._refused(lambda: order.order_line.with_user(self.rep).write({"tax_ids": tax.ids})))

    def test_negative_discount_wizard_is_growth(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        self.assertTrue(self._refused(lambda: order.order_line.with_user(self.rep).write({"discount": -50})))

    def test_currency_of_a_confirmed_order_is_growth(self):
        order = self._make_confirmed_order(1000)
        self._commit()
        strong = self.setup_other_currency("EUR", rates=[("2016-01-01", 0.1)])
        self.assertTrue(self._refused(lambda: order.with_user(self.rep).write({"currency_id": strong.id})))

    def test_unlocking_and_growing_is_growth(self):
        order = self._make_confirmed_order(1000)
        order.action_lock()
        self._commit()

        def edit():
            order.with_user(self.rep).action_unlock()
            order.order_line.with_user(self.rep).write({"price_unit": 500})

        self.assertTrue(self._refused(edit))

    def test_deleting_a_discount_line_is_growth(self):
        order = self._make_order(1500)
        discount = self.env["sale.order.line"].create(
            {"order_id": order.id, "product_id": self.service.id, "price_unit": -500, "tax_ids": []}
        )
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self._commit()
        refused = self._refused(lambda: discount.with_user(self.rep).write({"price_unit": 0}))
        self.assertTrue(refused)

    def test_contact_taken_out_of_its_company_does_not_free_headroom(self):
        self.rep.group_ids += self.env.ref("base.group_partner_manager")
        self._make_confirmed_order(1000, partner_invoice_id=self.contact.id)
        self._commit()
        order = self._make_order(1000)
        if not self._refused(lambda: self.contact.with_user(self.rep).write({"parent_id": False})):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft", "both are owed by the same company")

    def test_delivered_goods_of_an_order_set_back_stay_exposure(self):
        for state in ("draft", "sent", "cancel"):
            with self.subTest(state=state):
                order = self._make_confirmed_order(1000)
                self._commit()
                self._deliver(order)
                self._assert_refused_or_nothing_gained(
                    lambda o=order, s=state: o.with_user(self.rep).write({"state": s}), 1000
                )
                order.with_user(self.rep).sudo().write({"state": "cancel"})

    def test_expense_invoiced_again_by_core_is_accepted(self):
        """domain.md §6: refuse growth only by people's edits."""
        order = self._make_confirmed_order(1000)
        self._commit()
        product = self._make_product("Taxi", type="service", expense_policy="sales_price", invoice_policy="order")
        bill = self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.partner.id,
                "invoice_date": self.today,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "quantity": 1,
                            "price_unit": 50,
                            "tax_ids": [],
                            "analytic_distribution": {
                                str(
                                    self.env["account.analytic.account"]
                                    .create(
                                        {
                                            "name": "A",
                                            "plan_id": self.env["account.analytic.plan"].create({"name": "P"}).id,
                                        }
                                    )
                                    .id
                                ): 100
                            },
                        }
                    )
                ],
            }
        )
        with patch.object(
            type(self.env["account.move.line"]),
            "_sale_determine_order",
            lambda lines: {line.id: order for line in lines},
        ):
            self.assertFalse(self._refused(bill.action_post), "the vendor's bill must be posted")


@tagged("post_install", "-at_install")
class TestFourEyesAndHolds(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)

    def _ask(self, hold, user):
        self.env["credit.insurance.hold.request"].with_user(user).create(
            {"hold_id": hold.id, "note": "please"}
        ).action_request()

    def test_request_by_a_colleague_does_not_wash_the_first_one(self):
        order = self._make_order(1500)
        order.with_user(self.rep).action_confirm()
        hold = order.credit_hold_ids
        self._ask(hold, self.manager)
        self._ask(hold, self.rep)
        with self.assertRaises(AccessError):
            self._release(hold, self.manager)

    def test_confirmation_by_a_colleague_does_not_wash_the_first_one(self):
        order = self._make_order(1500, user=self.manager)
        order.with_user(self.manager).action_confirm()
        order.with_user(self.rep).sudo().action_confirm()
        with self.assertRaises(AccessError):
            self._release(order.credit_hold_ids, self.manager)

    def test_salesperson_of_the_order_does_not_release_it(self):
        order = self._make_order(1500, user=self.manager)
        order.with_user(self.rep).sudo().action_confirm()
        with self.assertRaises(AccessError):
            self._release(order.credit_hold_ids, self.manager)

    def test_recheck_by_the_system_does_not_wash_the_author(self):
        other, writer = db_connect(self.env.cr.dbname).cursor(), db_connect(self.env.cr.dbname).cursor()
        self.addCleanup(other.close)
        with other, writer:
            other.execute("SELECT pg_current_xact_id()::text")
            [xid] = other.fetchone()
            writer.execute(
                "INSERT INTO credit_insurance_reservation (partner_id, company_id, order_id, currency_id, amount, xid)"
                " VALUES (%s, %s, 0, %s, 900, %s::xid8)",
                (self.partner.id, self.company.id, self.company_currency.id, xid),
            )
            writer.commit()
            order = self._make_order(1500, user=self.manager)
            order.with_user(self.manager).action_confirm()
            other.rollback()
        self.assertEqual(order.credit_hold_ids.exposure_reserved, 900)
        self.env["credit.insurance.hold"].with_user(self.env.ref("base.user_root"))._cron_redecide()
        with self.assertRaises(AccessError):
            self._release(order.credit_hold_ids, self.manager)

    def test_hold_of_a_deleted_quotation_lapses(self):
        order = self._make_order(1500)
        order.action_confirm()
        hold = order.credit_hold_ids
        order.unlink()
        self.env.invalidate_all()
        self.assertEqual(hold.state, "lapsed")

    def test_release_of_a_deleted_quotation_tells_why(self):
        order = self._make_order(1500)
        order.with_user(self.rep).action_confirm()
        hold = order.credit_hold_ids
        order.unlink()
        self.env.invalidate_all()
        with self.assertRaises(UserError):
            self._release(hold, self.manager)

    def test_release_of_one_company_does_not_pass_in_another(self):
        other = self.setup_other_company()["company"]
        other.credit_gate_mode = "on"
        self.assertEqual(other.currency_id, self.company_currency)
        self._make_buyer(limit=0, company=other)
        order = self._make_order(1500)
        order.with_user(self.rep).action_confirm()
        self._release(order.credit_hold_ids, self.manager)
        self.assertEqual(order.state, "sale")
        order._action_cancel()
        order.action_draft()
        self.env.flush_all()
        # What write({"company_id": ...}) of a user of both companies comes to.
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", other.id)], limit=1)
        order.write({"company_id": other.id, "warehouse_id": warehouse.id})
        order.order_line.write({"tax_ids": [Command.clear()], "price_unit": 150})
        self.assertEqual(order.amount_total, 1500)
        order.with_company(other).action_confirm()
        self.assertEqual(
            (order.state, order.company_id), ("draft", other), order.credit_pass_ids.mapped("decision_id.basis")
        )

    def test_hold_follows_its_order_to_another_company(self):
        other = self.setup_other_company()["company"]
        other.credit_gate_mode = "on"
        self._make_buyer(limit=0, company=other)
        order = self._make_order(1500)
        order.action_confirm()
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", other.id)], limit=1)
        order.write({"company_id": other.id, "warehouse_id": warehouse.id})
        order.action_confirm()
        hold = order.credit_hold_ids.filtered(lambda h: h.state == "open")
        self.assertEqual(hold.company_id, other, "whoever manages the credit of the other company decides")

    def test_hold_follows_its_order_to_another_buyer(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=0, partner=beta)
        order = self._make_order(1500)
        order.action_confirm()
        order.write({"partner_id": beta.id})
        order.action_confirm()
        hold = order.credit_hold_ids.filtered(lambda h: h.state == "open")
        self.assertEqual(hold.partner_id, beta)

    def test_wizard_shows_nothing_of_another_companys_hold(self):
        other = self.setup_other_company()["company"]
        other.credit_gate_mode = "on"
        self._make_buyer(limit=0, company=other)
        order = self._make_order(700, company_id=other.id)
        order.with_company(other).action_confirm()
        hold = order.credit_hold_ids
        self.assertTrue(hold)
        with self.assertRaises(AccessError):
            hold.with_user(self.manager).read(["shortfall"])
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        with self.assertRaises(AccessError):
            wizard = (
                self.env["credit.insurance.hold.release"]
                .with_user(self.manager)
                .create({"hold_id": hold.id, "reason_id": reason.id})
            )
            wizard.read(["shortfall", "reasons_text", "amount"])

    def test_manager_of_another_company_does_not_release(self):
        other = self.setup_other_company()["company"]
        other.credit_gate_mode = "on"
        self._make_buyer(limit=0, company=other)
        order = self._make_order(700, company_id=other.id)
        order.with_company(other).action_confirm()
        with self.assertRaises(AccessError):
            self._release(order.credit_hold_ids, self.manager)
        self.assertEqual(order.state, "draft")

    def test_nested_commands_make_no_pass_and_no_hold(self):
        order = self._make_order(1500)
        for user in (self.rep, self.officer, self.manager, self.administrator):
            for name in ("credit_pass_ids", "credit_hold_ids"):
                with self.subTest(user=user.login, field=name):
                    vals = {name: [Command.create({"partner_id": self.partner.id, "company_id": self.company.id})]}
                    self.assertTrue(self._refused(lambda u=user, v=vals: order.with_user(u).write(v)))

    def test_settings_wizard_of_a_system_administrator_changes_no_credit_setting(self):
        admin = new_test_user(
            self.env,
            login="system_only",
            groups="base.group_user,base.group_system,base.group_erp_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        before = self.company.credit_default_limit
        self._refused(
            lambda: (
                self.env["res.config.settings"]
                .with_user(admin)
                .create({"credit_default_limit": 1e9, "credit_unchecked_buyers": "amount"})
                .execute()
            )
        )
        self.assertEqual(self.company.credit_default_limit, before)

    def test_rep_does_not_remove_the_deciders_activity(self):
        order = self._make_order(1500)
        order.with_user(self.rep).action_confirm()
        hold = order.credit_hold_ids
        kind = ["credit_insurance.mail_activity_type_hold"]
        for name in ("activity_unlink", "activity_feedback"):
            with self.subTest(method=name):
                self._refused(lambda n=name: getattr(hold.with_user(self.rep), n)(kind))
                self.assertTrue(hold.activity_ids)
        self.assertEqual(hold.state, "open")

    def test_release_with_an_amount_and_no_date_is_not_an_exception(self):
        order = self._make_order(1500)
        order.with_user(self.rep).action_confirm()
        self._release(order.credit_hold_ids, self.manager, amount=1500)
        self.assertEqual(order.state, "sale")


@tagged("post_install", "-at_install")
class TestPrepaid(CreditCommon, AccountPaymentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=0)

    def _make_tx(self, orders, amount, state="done", currency=None, **values):
        return self._create_transaction(
            "direct",
            reference=f"TX {self.env['payment.transaction'].search_count([])} {amount}",
            amount=amount,
            currency_id=(currency or self.company_currency).id,
            partner_id=self.partner.id,
            sale_order_ids=[Command.set(orders.ids)],
            state=state,
            **values,
        )

    def test_paid_order_passes_and_a_partial_payment_does_not(self):
        paid, part = self._make_order(1000), self._make_order(1000)
        self._make_tx(paid, 1000)
        self._make_tx(part, 999)
        (paid | part).action_confirm()
        self.assertEqual((paid | part).mapped("state"), ["sale", "draft"])

    def test_pending_or_cancelled_payment_is_no_payment(self):
        for state in ("draft", "pending", "cancel", "error"):
            order = self._make_order(1000)
            self._make_tx(order, 1000, state=state)
            order.action_confirm()
            self.assertEqual(order.state, "draft", state)

    def test_payment_for_two_orders_pays_neither_by_itself(self):
        first, second = self._make_order(1000), self._make_order(1000)
        self._make_tx(first | second, 1000)
        (first | second).action_confirm()
        self.assertEqual((first | second).mapped("state"), ["draft", "draft"])

    def test_payment_counts_in_its_own_currency(self):
        weak = self.setup_other_currency("EUR", rates=[("2016-01-01", 100.0)])
        order = self._make_order(1000)
        self._make_tx(order, 1000, currency=weak)
        order.action_confirm()
        self.assertEqual(order.state, "draft", "10 was paid of 1,000")

    def test_refunded_payment_is_no_payment(self):
        order = self._make_order(1000)
        tx = self._make_tx(order, 1000)
        tx._create_child_transaction(1000, is_refund=True).state = "done"
        order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_payment_that_paid_the_invoice_does_not_pay_the_growth(self):
        order = self._make_order(1000, product=self.service)
        tx = self._make_tx(order, 1000)
        tx._post_process()
        self.env.cr.flush()
        self.assertEqual(order.state, "sale")
        self.assertEqual(self._exposure()["total"], 0, "confirmed 1,000 less the payment's 1,000")
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.amount_residual, 0, "core matched the payment")
        self.assertEqual(self._exposure()["total"], 0)
        with self.assertRaises(ValidationError):
            order.write(
                {
                    "order_line": [
                        Command.create(
                            {"product_id": self.goods.id, "product_uom_qty": 10, "price_unit": 100, "tax_ids": []}
                        )
                    ]
                }
            )
            self.env.cr.flush()

    def test_growth_of_a_paid_order_that_is_not_invoiced_is_refused(self):
        order = self._make_order(1000, product=self.service)
        self._make_tx(order, 1000)
        order.action_confirm()
        self.env.cr.flush()
        with self.assertRaises(ValidationError):
            order.order_line.price_unit = 200
            self.env.cr.flush()

    def test_accountant_does_not_link_a_foreign_payment(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        tx = self._make_tx(self._make_order(1000, partner=beta), 1000)
        tx.partner_id = beta
        order = self._make_order(1000)
        try:
            order.with_user(self.officer).write({"transaction_ids": [Command.link(tx.id)]})
        except AccessError:
            return
        order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_cancelled_order_does_not_keep_its_payment_for_the_next_one(self):
        order = self._make_order(1000)
        self._make_tx(order, 1000)
        order.action_confirm()
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(order.state, "sale", "its own payment still pays it")

    def test_transaction_that_is_done_confirms_through_the_gate(self):
        order = self._make_order(1000, require_payment=True, prepayment_percent=0.3)
        tx = self._make_tx(order, 300)
        tx._post_process()
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))
        self.assertEqual(order.sudo().credit_hold_ids.shortfall, 700)

    def test_held_order_that_is_paid_in_part_tells_the_customer(self):
        order = self._make_order(1000, require_payment=True, prepayment_percent=0.3)
        tx = self._make_tx(order, 300)
        with patch.object(type(order), "_send_payment_succeeded_for_order_mail", autospec=True) as sent:
            tx._post_process()
        self.assertTrue(sent.called, "core mails only orders it did not confirm, and counts held ones as confirmed")
        told = self.env["sale.order"].union(*(call.args[0] for call in sent.call_args_list))
        self.assertIn(order, told)


@tagged("post_install", "-at_install")
class TestBreakIt(AttackCase):
    def test_expired_policy_does_not_open_the_gate(self):
        """The company's default speaks for buyers nobody has looked at, not for those whose cover ended."""
        policy = self._make_policy(date_end=self.today - timedelta(days=1))
        self._make_cover(policy, self._make_buyer(), 1000, effective_from=self.today - timedelta(days=300))
        self.assertEqual(self._make_confirmed_order(500_000).state, "draft")

    def test_archived_policy_does_not_open_the_gate(self):
        policy = self._make_policy()
        self._make_cover(policy, self._make_buyer(), 1000)
        policy.active = False
        self.assertEqual(self._make_confirmed_order(500_000).state, "draft")

    def test_ended_own_limit_does_not_open_the_gate(self):
        buyer = self._make_buyer()
        self.env["credit.insurance.own.limit"].create(
            {
                "buyer_id": buyer.id,
                "amount": 1000,
                "date_from": self.today - timedelta(days=30),
                "date_to": self.today - timedelta(days=1),
            }
        )
        self.assertEqual(self._make_confirmed_order(500_000).state, "draft")

    def test_order_without_lines_and_order_of_less_than_nothing(self):
        self._make_buyer(limit=0)
        empty = self.env["sale.order"].create({"partner_id": self.partner.id})
        negative = self._make_order(-500)
        (empty | negative).action_confirm()
        self.assertEqual((empty | negative).mapped("state"), ["sale", "sale"])

    def test_empty_confirmed_order_does_not_grow(self):
        self._make_buyer(limit=100)
        empty = self.env["sale.order"].create({"partner_id": self.partner.id})
        empty.action_confirm()
        self._commit()
        vals = {"order_line": [Command.create({"product_id": self.goods.id, "price_unit": 500, "tax_ids": []})]}
        self.assertTrue(self._refused(lambda: empty.write(vals)))

    def test_huge_amount_is_held(self):
        self._make_buyer(limit=1000)
        self.assertEqual(self._make_confirmed_order(1e14).state, "draft")

    def test_currencies_with_none_and_three_decimals(self):
        for name, digits, rate in (("KWD", 0.001, 0.3), ("JPY", 1.0, 150.0)):
            currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", name)])
            currency.write({"active": True, "rounding": digits})
            currency.rate_ids.unlink()
            self.env["res.currency.rate"].create(
                {"currency_id": currency.id, "name": "2016-01-01", "rate": rate, "company_id": self.company.id}
            )
            partner = self.env["res.partner"].create({"name": name, "is_company": True})
            self._make_buyer(limit=300, partner=partner, currency_id=currency.id)
            order = self._make_order(300 / rate if name == "JPY" else 1000, partner=partner)
            order.action_confirm()
            self.assertEqual(order.state, "sale", name)
            order = self._make_order(1 / rate + 0.01, partner=partner)
            order.action_confirm()
            self.assertEqual(order.state, "draft", name)

    def test_reservation_from_another_servers_history_does_not_close_the_gate(self):
        """A copy restored elsewhere holds transaction ids that have not come yet there; dumps carry the table."""
        self._make_buyer(limit=1000)
        with db_connect(self.env.cr.dbname).cursor() as side:
            side.execute(
                "INSERT INTO credit_insurance_reservation (partner_id, company_id, order_id, currency_id, amount, xid)"
                " VALUES (%s, %s, 0, %s, 900, '900000000000'::xid8)",
                (self.partner.id, self.company.id, self.company_currency.id),
            )
        try:
            order = self._make_order(100)
            with self.env.cr.savepoint():
                order.action_confirm()
            self.assertIn(order.state, ("sale", "draft"))
        finally:
            with db_connect(self.env.cr.dbname).cursor() as side:
                side.execute("DELETE FROM credit_insurance_reservation WHERE xid = '900000000000'::xid8")

    def test_gate_that_waits_too_long_says_so(self):
        self._make_buyer(limit=1000)
        order = self._make_order(100)
        with db_connect(self.env.cr.dbname).cursor() as side:
            side.execute("SELECT pg_advisory_xact_lock(%s, %s)", (0x43524544, self.partner.id))
            with self.assertRaisesRegex(UserError, "try again"):
                order.action_confirm()
        self.assertEqual(order.state, "draft")

    def test_order_of_a_branch_uses_the_roots_limit(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self._make_buyer(limit=1000)
        self._make_confirmed_order(800)
        self.assertEqual(self._make_confirmed_order(800, company_id=branch.id).state, "draft")

    def test_system_user_passes_through_the_gate(self):
        self._make_buyer(limit=100)
        order = self._make_order(500)
        order.with_user(self.env.ref("base.user_root")).sudo().action_confirm()
        self.assertEqual(order.state, "draft")

    def test_public_user_who_signed_passes_through_the_gate(self):
        self._make_buyer(limit=100)
        order = self._make_order(500)
        order.with_user(self.env.ref("base.public_user")).sudo()._validate_order()
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))

    def test_buyer_merged_into_one_nobody_looked_at_keeps_its_limit(self):
        twin = self.env["res.partner"].create({"name": "Alpha Trading Limited", "is_company": True})
        self._make_buyer(limit=100)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        if self._refused(lambda: wizard._merge((self.partner | twin).ids, twin)):
            return
        order = self._make_order(500, partner=twin)
        order.action_confirm()
        self.assertEqual(order.state, "draft")


@tagged("post_install", "-at_install")
class TestMoneyOwedIsCounted(AttackCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"

    def _reverse(self, invoice, modify=False):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "reason": "wrong"})
        )
        action = wizard.modify_moves() if modify else wizard.refund_moves()
        return self.env["account.move"].browse(action["res_id"])

    def test_invoice_made_anew_counts_while_it_is_a_draft(self):
        """Credit and correct: the first invoice is gone, the goods are out, the second is a draft."""
        order = self._make_confirmed_order(1000)
        self._deliver(order)
        draft = self._reverse(self._invoice(order), modify=True)
        self.assertEqual((draft.state, draft.move_type), ("draft", "out_invoice"))
        self.assertEqual(self._exposure()["total"], 1000, "a draft from a confirmed order counts as the order")
        draft.action_post()
        self.assertEqual(self._exposure()["total"], 1000)

    def test_invoice_credited_before_delivery_leaves_the_order_open(self):
        order = self._make_confirmed_order(1000)
        credit_note = self._reverse(self._invoice(order))
        if credit_note.state == "draft":
            credit_note.action_post()
        self.assertEqual(order.picking_ids.state in ("confirmed", "assigned"), True)
        move_lines = (order.invoice_ids.line_ids).filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        move_lines.reconcile()
        self.assertEqual(self._exposure()["total"], 1000, "nothing is invoiced and everything is still to come")

    def test_draft_invoice_to_somebody_else_does_not_hide_the_order(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        order = self._make_confirmed_order(1000)
        draft = order._create_invoices()
        self.assertEqual(self._exposure()["total"], 1000)
        draft.partner_id = beta
        total = self._exposure()["total"] + self._exposure(partner=beta)["total"]
        self.assertEqual(total, 1000)

    def test_down_payment_in_another_currency_comes_off_converted(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        order = self._make_confirmed_order(1000)
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "fixed", "fixed_amount": 300})._create_invoices(order)
        invoice.currency_id = foreign
        invoice.invoice_line_ids.filtered("price_unit").price_unit = 600
        invoice.action_post()
        self.assertEqual(self._exposure(), {"not_due": 300, "confirmed": 700, "total": 1000})

    def test_goods_owed_again_count_in_the_unit_of_the_line(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        product = self._make_product("Eggs", type="consu", invoice_policy="delivery", uom_id=dozen.id, list_price=1200)
        order = self._make_order(1200, product=product, quantity=12)
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_unit")
        order.order_line.price_unit = 100
        order.action_confirm()
        self.assertEqual(order.amount_total, 1200)
        picking = self._deliver(order)
        self._pay(self._invoice(order))
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": wizard.product_return_moves.move_id.quantity, "to_refund": True})
        returned = wizard._create_return()
        for move in returned.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        returned._action_done()
        self._invoice(order)
        again = picking.move_ids.copy({"sale_line_id": order.order_line.id, "picking_id": False})
        again._action_confirm()
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.assertEqual(self._exposure(), {"confirmed": 1200, "credits": -1200, "total": 0})

    def test_units_and_dozens_count_once(self):
        order = self._make_order(2400, quantity=2, product=self.goods_on_delivery)
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        order.order_line.price_unit = 1200
        order.action_confirm()
        self.assertEqual(self._exposure()["total"], 2400)
        self._deliver(order, quantity=12)
        self.assertEqual(order.order_line.qty_delivered, 1)
        draft = order._create_invoices()
        draft.invoice_line_ids.write({"product_uom_id": self.env.ref("uom.product_uom_unit").id, "quantity": 12})
        draft.invoice_line_ids.price_unit = 100
        draft.action_post()
        self.assertEqual(self._exposure(), {"not_due": 1200, "confirmed": 1200, "total": 2400})

    def test_line_of_negative_quantity_lowers_the_order(self):
        order = self._make_order(1000)
        self.env["sale.order.line"].create(
            {
                "order_id": order.id,
                "product_id": self.service.id,
                "product_uom_qty": -2,
                "price_unit": 100,
                "tax_ids": [],
            }
        )
        order.action_confirm()
        self.assertEqual(order.amount_total, 800)
        self.assertEqual(self._exposure()["total"], 800)

    def test_cancelled_order_still_owes_what_was_delivered(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        self._deliver(order, quantity=4)
        order._action_cancel()
        self.assertEqual(self._exposure()["total"], 400)

    def test_one_invoice_for_parts_of_two_orders(self):
        first, second = self._make_confirmed_order(1000), self._make_confirmed_order(500)
        draft = (first | second)._create_invoices()
        self.assertEqual(len(draft), 1)
        for line in draft.invoice_line_ids.filtered(lambda line: line.quantity == 10):
            line.quantity = 5
        draft.action_post()
        self.assertEqual(self._exposure(), {"not_due": 750, "confirmed": 750, "total": 1500})

    def test_refunded_down_payment_reopens_the_order(self):
        order = self._make_confirmed_order(1000)
        wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
        invoice = wizard.create({"advance_payment_method": "fixed", "fixed_amount": 300})._create_invoices(order)
        invoice.action_post()
        credit_note = self._reverse(invoice)
        if credit_note.state == "draft":
            credit_note.action_post()
        self.assertEqual(self._exposure()["total"], 1000)

    def test_return_without_refund_still_owes_the_goods(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        picking = self._deliver(order)
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": 2, "to_refund": False})
        returned = wizard._create_return()
        for move in returned.move_ids:
            move.write({"quantity": 2, "picked": True})
        returned._action_done()
        self.assertEqual(self._exposure()["total"], 1000)

    def test_return_with_refund_before_the_invoice_owes_less(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        picking = self._deliver(order)
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": 2, "to_refund": True})
        returned = wizard._create_return()
        for move in returned.move_ids:
            move.write({"quantity": 2, "picked": True})
        returned._action_done()
        self.assertEqual(self._exposure()["total"], 800)

    def test_invoice_posted_to_another_buyer_is_owed_there(self):
        beta = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        order = self._make_confirmed_order(1000)
        draft = order._create_invoices()
        draft.partner_id = beta
        draft.action_post()
        self.assertEqual(self._exposure()["total"], 0)
        self.assertEqual(self._exposure(partner=beta)["total"], 1000)

    def test_invoiced_more_than_ordered_counts_once(self):
        order = self._make_confirmed_order(1000)
        draft = order._create_invoices()
        draft.invoice_line_ids.quantity = 15
        draft.action_post()
        self.assertEqual(self._exposure(), {"not_due": 1500, "total": 1500})

    def test_order_with_one_line_invoiced_and_its_sibling_in_a_draft(self):
        order = self._make_order(1000)
        self.env["sale.order.line"].create(
            {"order_id": order.id, "product_id": self.service.id, "price_unit": 500, "tax_ids": []}
        )
        order.action_confirm()
        draft = order._create_invoices()
        draft.invoice_line_ids.filtered(lambda line: line.product_id == self.service).unlink()
        draft.action_post()
        order._create_invoices()
        self.assertEqual(self._exposure(), {"not_due": 1000, "confirmed": 500, "total": 1500})


@tagged("post_install", "-at_install")
class TestReservationsAreKept(TransactionCase):
    def test_reservation_stays_while_a_running_snapshot_does_not_show_its_order(self):
        """A transaction that has only read has a snapshot and no id yet, and counts in nobody's xmin."""
        name = self.env.cr.dbname
        insert = (
            "INSERT INTO credit_insurance_reservation (partner_id, company_id, order_id, currency_id, amount, xid)"
            " VALUES (0, 0, 0, 1, 900, %s::xid8)"
        )
        reader, writer = db_connect(name).cursor(), db_connect(name).cursor()
        self.addCleanup(reader.close)
        self.addCleanup(writer.close)
        self.addCleanup(self._forget, name)
        reader.execute("SELECT pg_current_snapshot()::text")
        [snapshot] = reader.fetchone()
        writer.execute("SELECT pg_current_xact_id()::text")
        [xid] = writer.fetchone()
        writer.execute(insert, (xid,))
        writer.commit()
        with db_connect(name).cursor() as cron:
            api.Environment(cron, api.SUPERUSER_ID, {})["credit.insurance.reservation"]._gc_ended()
        reader.execute("SELECT pg_current_xact_id()::text")
        [own] = reader.fetchone()
        with db_connect(name).cursor() as side:
            side.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            reserved = self.env["credit.insurance.reservation"]._read_reserved(side, Snapshot(own, snapshot), [0])
        self.assertEqual(dict(reserved.get((0, 0), {})), {1: 900}, "the reader sees neither order nor reservation")

    @staticmethod
    def _forget(name):
        with db_connect(name).cursor() as side:
            side.execute("DELETE FROM credit_insurance_reservation WHERE partner_id = 0")
