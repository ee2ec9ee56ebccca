"""Customers whom nobody has looked at, and who owe: the rules watch them."""

from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common_alert import AlertCommon

RULE = """
key: late
name: Late
scope: buyer
when:
  all:
    - days_overdue_oldest > 30
severity: warning
message: "{buyer} is late"
"""


@tagged("post_install", "-at_install")
class TestDebtors(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Buyer = cls.env["credit.insurance.buyer"].with_context(active_test=False)
        cls.Change = cls.env["credit.insurance.change"]
        cls.Change._take()

    def _activate(self, document=RULE, **values):
        rule = self.Rule.create({"document": document, **values})
        rule.action_activate()
        return rule

    def _screen_daily(self):
        with trap_jobs() as trap:
            self.env["credit.insurance.screening"]._cron_screen()
            trap.perform_enqueued_jobs()

    def _records(self, partner=None):
        return self.Buyer.search([("partner_id", "=", (partner or self.partner).id)])

    def test_customer_nobody_looked_at_is_screened_in_the_daily_run(self):
        self._activate()
        self._make_invoice(500, partner=self.contact, due_in=-45)
        self._make_invoice(500, partner=self.partner_a, due_in=-5)
        self._screen_daily()
        self.assertEqual(self._records().currency_id, self.company_currency)
        self.assertEqual(len(self._alerts(self._records())), 1)
        self.assertFalse(self._alerts(self._records(self.partner_a)))

    def test_customer_nobody_looked_at_is_screened_within_a_minute(self):
        self._activate()
        self._make_invoice(500, due_in=-45)
        self.Change._cron_screen_changed()
        self.assertEqual(len(self._alerts(self._records())), 1)

    def test_branches_debtors_are_the_root_companys(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self._activate()
        move = self._make_invoice(500, due_in=-45)
        self.env.flush_all()
        self.cr.execute("UPDATE account_move_line SET company_id = %s WHERE move_id = %s", [branch.id, move.id])
        self._screen_daily()
        self.assertEqual(self._records().company_id, self.company)

    def test_who_owes_nothing_gets_no_record(self):
        self._activate()
        self._pay(self._make_invoice(500, due_in=-45))
        self._make_invoice(500, partner=self.partner_a, move_type="out_refund")
        self._make_order(100).action_confirm()
        self.Change._cron_screen_changed()
        self._screen_daily()
        self.assertFalse(self._records() | self._records(self.partner_a))

    def test_companies_without_such_rules_get_no_records(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self._activate(company_ids=[(6, 0, other.ids)])
        self._activate(
            RULE.replace("late", "big").replace("buyer\n", "order\n").replace("days_overdue_oldest", "order_amount")
        )
        self._make_invoice(500, due_in=-45)
        self.Change._cron_screen_changed()
        self._screen_daily()
        self.assertFalse(self._records())

    def test_archived_record_is_not_made_anew(self):
        self._activate()
        record = self._make_buyer()
        record.active = False
        self._make_invoice(500, due_in=-45)
        self._screen_daily()
        self.assertEqual(self._records(), record)

    def test_record_alone_changes_nothing_for_the_gate(self):
        self._activate()
        self._make_invoice(500, due_in=-45)
        before = self._make_confirmed_order(100000).credit_pass_ids.decision_id
        self._screen_daily()
        after = self._make_confirmed_order(100000).credit_pass_ids.decision_id
        self.assertEqual(
            (before.outcome, before.basis, before.limit_state), (after.outcome, after.basis, after.limit_state)
        )
