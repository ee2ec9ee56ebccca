"""What changes is screened again within a minute, and nothing else."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_change, credit_insurance_screening
from odoo.addons.queue_job.tests.common import trap_jobs

from .common_alert import STORY, AlertCommon


@tagged("post_install", "-at_install")
class TestChange(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Change = cls.env["credit.insurance.change"]
        cls.buyer = cls._make_buyer(limit=100000)
        cls.other = cls._make_buyer(partner=cls.partner_a, limit=100000)
        cls.Change._take()

    def _assert_changed(self, *buyers):
        self.assertEqual(self.Change._take(), self.env["credit.insurance.buyer"].union(*buyers).sorted("id"))

    def test_a_new_order_and_its_confirmation(self):
        order = self._make_order(100)
        self._assert_changed(self.buyer)
        order.action_confirm()
        self._assert_changed(self.buyer)
        order.order_line.price_unit = 20
        self._assert_changed(self.buyer)

    def test_a_delivery(self):
        order = self._make_confirmed_order(100, product=self.goods_on_delivery)
        self._assert_changed(self.buyer)
        order.picking_ids.move_ids.quantity = 10
        order.picking_ids.button_validate()
        self._assert_changed(self.buyer)

    def test_an_invoice_posted_its_due_date_moved_and_its_payment(self):
        move = self._make_invoice(100, partner=self.contact, due_in=-5)
        self._assert_changed(self.buyer)
        move.invoice_date_due = self.today + timedelta(days=30)
        self._assert_changed(self.buyer)
        self._pay(move)
        self._assert_changed(self.buyer)
        move.line_ids.remove_move_reconcile()
        self._assert_changed(self.buyer)

    def test_what_was_matched_with_an_entry_that_is_reset_posted_or_cancelled(self):
        """Whose money it is does not owe what it paid."""
        invoice = self._make_invoice(100)
        payment = self.init_payment(100, post=True, partner=self.partner_a).move_id
        items = (invoice | payment).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        items.reconcile()
        self.Change._take()
        for change in (payment.button_draft, payment.action_post, payment.button_draft, payment.button_cancel):
            change()
            self._assert_changed(self.buyer, self.other)

    def test_a_quotation_of_another_day_or_currency_or_that_is_deleted(self):
        order = self._make_order(100)
        self.Change._take()
        order.date_order -= timedelta(days=90)
        self._assert_changed(self.buyer)
        order.currency_id = self.setup_other_currency("EUR", rates=[("1900-01-01", 2.0)])
        self._assert_changed(self.buyer)
        order.unlink()
        self._assert_changed(self.buyer)

    def test_an_order_that_becomes_another_customers(self):
        order = self._make_order(100)
        self.env.flush_all()
        self.Change._take()
        order.partner_invoice_id = self.partner_a
        self._assert_changed(self.buyer, self.other)

    def test_a_payment_of_another_buyer_changes_both(self):
        move = self._make_invoice(100, partner=self.contact, due_in=-5)
        payment = self.env["account.payment"].create(
            {"payment_type": "inbound", "partner_id": self.partner_a.id, "amount": 100, "date": self.today}
        )
        payment.action_post()
        self.env.flush_all()
        self.Change._take()
        items = (move | payment.move_id).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        items.reconcile()
        self._assert_changed(self.buyer, self.other)
        items.remove_move_reconcile()
        self._assert_changed(self.buyer, self.other)

    def test_a_contact_that_moves_takes_what_it_owes_along(self):
        self._make_invoice(100, partner=self.contact)
        self.env.flush_all()
        self.Change._take()
        self.contact.parent_id = self.partner_a
        self._assert_changed(self.buyer, self.other)
        self.contact.comment = "Moved"
        self._assert_changed()

    def test_a_draft_invoice_changes_nothing(self):
        self._make_invoice(100, post=False)
        self._assert_changed()

    def test_an_invoice_that_is_deleted(self):
        move = self._make_invoice(100)
        self.env.flush_all()
        self.Change._take()
        move.button_draft()
        move.with_context(force_delete=True).unlink()
        self._assert_changed(self.buyer)

    def test_an_invoice_that_becomes_another_customers(self):
        move = self._make_invoice(100)
        for partner in (self.partner_a, self.partner):
            self.env.flush_all()
            self.Change._take()
            move.button_draft()
            move.partner_id = partner
            move.action_post()
            self._assert_changed(self.buyer, self.other)

    def test_cover_grade_limit_and_status(self):
        policy = self._make_policy()
        self._make_cover(policy, self.buyer, 1000)
        self._assert_changed(self.buyer)
        self._grade(self.buyer, 4, 0)
        self._assert_changed(self.buyer)
        self._make_buyer(limit=500)
        self._assert_changed(self.buyer)
        self.buyer.write({"status": "watch", "status_reason": "Late"})
        self._assert_changed(self.buyer)

    def test_an_event_and_who_the_buyer_is(self):
        self.env["credit.insurance.event"].create(
            {"buyer_id": self.buyer.id, "kind": "insolvency_rumour", "source": "Press"}
        )
        self._assert_changed(self.buyer)
        self.partner.country_id = self.env.ref("base.fr")
        self._assert_changed(self.buyer)
        self.partner.phone = "1"
        self._assert_changed()

    def _group(self, *buyers):
        group = self.env["credit.insurance.group"].create({"name": "Alpha group"})
        self.env["credit.insurance.buyer"].union(*buyers).group_id = group
        self.env.flush_all()
        self.Change._take()
        return group

    def test_limit_of_a_credit_group_changes_its_buyers_in_every_company(self):
        company = self.env["res.company"].create({"name": "Other"})
        abroad = self._make_buyer(company=company)
        group = self._group(self.buyer, abroad)
        limit = self.env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": 500})
        self._assert_changed(self.buyer, abroad)
        limit.write({"date_to": self.today + timedelta(days=9)})
        self._assert_changed(self.buyer, abroad)
        group.currency_id = self.env.ref("base.CHF")
        self._assert_changed(self.buyer, abroad)
        group.name = "Beta group"
        self._assert_changed()

    def test_what_a_member_of_a_credit_group_owes_changes_those_who_share_its_limit(self):
        self._group(self.buyer, self.other)
        third = self._make_buyer(partner=self.partner_b)
        self.Change._take()
        self._make_order(100).action_confirm()
        self._assert_changed(self.buyer, self.other)
        self._make_invoice(100, partner=self.partner_b)
        self._assert_changed(third)
        self.other.active = False
        self.Change._take()
        self._make_invoice(100, partner=self.partner_a)
        self._assert_changed(self.buyer)

    def test_who_enters_or_leaves_a_credit_group_changes_those_who_stay(self):
        group = self._group(self.buyer)
        self.other.group_id = group
        self._assert_changed(self.buyer, self.other)
        self.other.group_id = False
        self._assert_changed(self.buyer, self.other)
        third = self._make_buyer(partner=self.partner_b)
        self.Change._take()
        (self.other | third).write({"group_id": group.id})
        self._assert_changed(self.buyer, self.other, third)

    def test_bank_account_added_edited_moved_archived_and_deleted(self):
        banks = self.env["res.partner.bank"]
        first = banks.create({"acc_number": "DE1", "partner_id": self.contact.id})
        self._assert_changed(self.buyer)
        second = banks.create({"acc_number": "DE2", "partner_id": self.partner_a.id})
        self._assert_changed(self.other)
        first.acc_number = "DE3"
        self._assert_changed(self.buyer)
        (first | second).write({"active": False})
        self._assert_changed(self.buyer, self.other)
        self.env.flush_all()
        self.cr.execute("UPDATE res_partner_bank SET partner_id = %s WHERE id = %s", [self.partner_a.id, first.id])
        self._assert_changed(self.buyer, self.other)
        self.cr.execute("DELETE FROM res_partner_bank WHERE id = %s", [second.id])
        self._assert_changed(self.other)

    def test_edited_account_number_is_a_new_bank_account(self):
        bank = self.env["res.partner.bank"].create({"acc_number": "DE1", "partner_id": self.contact.id})
        self.env.flush_all()
        self.cr.execute("UPDATE res_partner_bank SET create_date = create_date - interval '200 days'")

        def days(on=None):
            keys = {"days_since_bank_change"}
            facts = self.env["credit.insurance.signals"]._get_facts(self.buyer, keys, on or self.today, as_of=bool(on))
            return facts[self.buyer.id].get("days_since_bank_change")

        self.assertGreaterEqual(days(), 199)
        bank.write({"acc_number": "D-E 1", "credit_insurance_number_changed": "2020-01-01"})
        self.assertGreaterEqual(days(), 199, "written otherwise it is the same number")
        bank.acc_number = "DE2"
        self.assertLessEqual(days(), 1)
        self.assertGreaterEqual(days(self.today - timedelta(days=30)), 169, "as it stood then")

    def test_buyers_of_other_companies_are_not_touched(self):
        company = self.env["res.company"].create({"name": "Other"})
        self._make_buyer(company=company)
        self.Change._take()
        self._make_order(100)
        self._assert_changed(self.buyer)

    def test_an_alert_is_there_after_the_minutely_job(self):
        self._grade(self.buyer, 2, 365)
        self._grade(self.buyer, 4, 7)
        self.Change._take()
        self.env.ref(STORY).state = "active"
        self._make_invoice(500, due_in=-45)
        with patch.object(type(self.env["credit.insurance.screening"]), "_screen", autospec=True) as screen:
            self.Change._cron_screen_changed()
        self.assertEqual(screen.call_args.args[1], self.buyer)
        self._make_invoice(1, due_in=-45)
        self.Change._cron_screen_changed()
        self.assertTrue(self._alerts())

    def test_many_changes_become_jobs(self):
        self._make_order(100)
        self._make_order(100, partner=self.partner_a)
        with patch.object(credit_insurance_change, "FEW", 1), trap_jobs() as trap:
            self.Change._cron_screen_changed()
            trap.assert_jobs_count(1)
        run = self.env["credit.insurance.screening.run"].search([], limit=1)
        self.assertEqual((run.kind, run.buyer_count), ("incremental", 2))

    @mute_logger("odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_change")
    def test_a_buyer_that_cannot_be_screened_keeps_no_other_waiting(self):
        self._make_order(100)
        model = type(self.env["credit.insurance.screening"])
        with patch.object(model, "_screen", side_effect=ValueError("broken")), trap_jobs() as trap:
            self.Change._cron_screen_changed()
            trap.assert_jobs_count(1)
        self._assert_changed()

    def test_a_partner_that_is_not_complete_yet_is_written_all_the_same(self):
        partner_id = self.env["res.partner"].create({"name": "Half"}).id
        self.env.flush_all()
        self.cr.execute("UPDATE res_partner SET commercial_partner_id = NULL WHERE id = %s", [partner_id])
        self.cr.execute("UPDATE res_partner SET country_id = NULL, is_company = TRUE WHERE id = %s", [partner_id])
        self._assert_changed()

    def test_nobody_reads_or_forges_changes(self):
        with self.assertRaises(Exception):  # noqa: B017 (access and missing rights are one to a client)
            self.Change.with_user(self.officer).create({"what": "buyer", "res_id": 1})

    # === RUNS === #

    def test_a_run_knows_its_progress_and_resumes(self):
        screening = self.env["credit.insurance.screening"]
        with patch.object(credit_insurance_screening, "BLOCK", 1), trap_jobs() as trap:
            run = screening._enqueue(self.buyer | self.other)
            self.assertEqual((run.block_count, run.done_count, run.progress), (2, 0, 0))
            screening._job_screen(run.block_ids[0].buyer_ids)
            run.invalidate_recordset()
            self.assertEqual((run.done_count, run.progress, run.finished_at), (1, 50, False))
            trap.perform_enqueued_jobs()
        run.invalidate_recordset()
        self.assertEqual(run.progress, 100)
        self.assertTrue(run.finished_at)

    def test_blocks_whose_jobs_are_lost_are_queued_again(self):
        with trap_jobs():
            run = self.env["credit.insurance.screening"]._enqueue(self.buyer)
        self.env.cr.execute(
            "UPDATE credit_insurance_screening_block SET create_date = %s WHERE run_id = %s",
            [fields.Datetime.now() - timedelta(hours=8), run.id],
        )
        run.block_ids.invalidate_recordset()
        with trap_jobs() as trap:
            self.env["credit.insurance.screening.block"]._resume_stuck()
            trap.assert_jobs_count(1)

    # === THE ALARM === #

    def test_a_difference_alarms_the_administrator_and_the_reference_counts(self):
        self.env.ref(STORY).state = "active"
        self._grade(self.buyer, 2, 365)
        self._grade(self.buyer, 4, 7)
        self._make_invoice(500, due_in=-45)
        self.env["ir.config_parameter"].set_param("credit_insurance.engine_compare_percent", "100")
        with self._host() as host, patch.object(host, "evaluate", return_value=[[]]):
            self.Rule._screen(self.buyer)
        difference = self.env["credit.insurance.engine.difference"].search([])
        self.assertEqual((difference.rules, difference.state), ("grade_drop_and_overdue", "open"))
        self.assertEqual(difference.reference_answer["fired"], ["grade_drop_and_overdue"])
        self.assertTrue(difference.activity_ids)
        self.assertEqual(self._alerts().engine, "reference")
        self.assertFalse(self.env["credit.insurance.engine.difference"].with_user(self.officer).has_access("read"))

    @mute_logger("odoo.addons.credit_insurance.rules.risk.client")
    def test_a_rule_that_only_the_engine_fires_alarms_the_administrator_too(self):
        self.env.ref(STORY).state = "active"
        self.env["ir.config_parameter"].set_param("credit_insurance.engine_compare_percent", "0")
        with self._host() as host, patch.object(host, "evaluate", return_value=[["b0"]]):
            self.Rule._screen(self.buyer)
        self.assertFalse(self._alerts())
        difference = self.env["credit.insurance.engine.difference"].search([])
        self.assertEqual(difference.engine_answer["fired"], ["grade_drop_and_overdue"])
        self.assertEqual(difference.reference_answer["fired"], [])
