"""Four eyes, and holds that nobody talks away."""

from odoo import Command, api
from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_exposure import Snapshot
from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_reservation import LOCK_CLASS

from .gate_attack_case import AttackCase


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
            reserved, _small = self.env["credit.insurance.reservation"]._lock_and_read(
                side, [(LOCK_CLASS, 0)], Snapshot(own, snapshot), [0]
            )
        self.assertEqual(dict(reserved.get((0, 0), {})), {1: 900}, "the reader sees neither order nor reservation")

    @staticmethod
    def _forget(name):
        with db_connect(name).cursor() as side:
            side.execute("DELETE FROM credit_insurance_reservation WHERE partner_id = 0")
