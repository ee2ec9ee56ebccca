"""Small amounts, and money that waits in a bank statement, raise no alarm."""

from datetime import timedelta

from odoo.tests import tagged

from .insurance_common import InsuranceCommon


@tagged("post_install", "-at_install")
class TestQuietDeadline(InsuranceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.older = cls._make_invoice(100.0, due_in=-20)
        cls.newer = cls._make_invoice(300.0, due_in=-10)
        cls.bank = cls.company_data["default_journal_bank"]

    def _quiet(self):
        """Why nobody is warned, of the older and of the newer invoice, as the next screening finds it."""
        self.env["credit.insurance.change"]._cron_screen_changed()
        found = []
        for invoice in (self.older, self.newer):
            [quiet] = set(invoice.credit_insurance_deadline_ids.mapped("quiet"))
            found.append(quiet)
        return found

    def _receive(self, amount, partner=None, **values):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "date": self.today,
                "payment_ref": "Transfer",
                "amount": amount,
                "partner_id": (partner or self.partner).id,
                **values,
            }
        )

    def _signal(self, key):
        facts = self.env["credit.insurance.signals"]._get_facts(self.buyer)[self.buyer.id]
        return facts.get(key)

    def test_money_in_the_bank_goes_to_the_oldest_due_date(self):
        self.assertEqual(self._quiet(), [False, False])
        line = self._receive(100)
        self.assertEqual(self._quiet(), ["in_bank", False])
        line.amount = 99
        self.assertEqual(self._quiet(), [False, False])
        line.amount = 400
        self.assertEqual(self._quiet(), ["in_bank", "in_bank"])
        line.partner_id = False
        self.assertEqual(self._quiet(), [False, False])

    def test_a_transfer_that_was_deleted_is_no_money(self):
        line = self._receive(400)
        self.assertEqual(self._quiet(), ["in_bank", "in_bank"])
        line.move_id.button_draft()
        line.unlink()
        self.assertEqual(self._quiet(), [False, False])

    def test_the_money_of_others_and_money_paid_out_quiet_nothing(self):
        self._receive(400, partner=self.env["res.partner"].create({"name": "Other"}))
        self._receive(-400)
        self.assertEqual(self._quiet(), [False, False])

    def test_the_transfer_of_a_payment_that_was_registered_pays_nothing_else(self):
        outstanding = {"name": "Outstanding", "code": "OUTST1", "account_type": "asset_current", "reconcile": True}
        methods = self.bank.inbound_payment_method_line_ids
        methods.payment_account_id = self.env["account.account"].create(outstanding)
        self._pay(self._make_invoice(300.0, due_in=-30))
        self._receive(300)
        self.assertEqual(self._quiet(), [False, False])
        self._receive(100)
        self.assertEqual(self._quiet(), ["in_bank", False])

    def test_a_contact_pays_for_its_company(self):
        self._receive(100, partner=self.env["res.partner"].create({"name": "Clerk", "parent_id": self.partner.id}))
        self.assertEqual(self._quiet(), ["in_bank", False])

    def test_an_amount_below_the_tolerance_is_small_and_the_tolerance_itself_is_not(self):
        self.policy.tolerance = 100
        self.assertEqual(self._quiet(), [False, False])
        self.policy.tolerance = 100.01
        self.assertEqual(self.older.credit_insurance_deadline_ids.mapped("quiet"), ["small"] * 7, "at once")
        self._pay(self.newer, 250)
        self.assertEqual(self._quiet(), ["small", "small"])
        self.policy.tolerance = 0
        self.assertEqual(self._quiet(), [False, False])

    def test_what_the_bank_leaves_of_an_invoice_may_be_small(self):
        self.policy.tolerance = 5
        self._receive(396)
        self.assertEqual(self._quiet(), ["in_bank", "in_bank"])

    def test_the_tolerance_is_in_the_policys_currency(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        policy = self._make_policy(number="POL-2", currency_id=foreign.id, tolerance=201, date_start=self.today)
        other = self.env["res.partner"].create({"name": "Other"})
        self._make_cover(1000.0, buyer=self._make_buyer(partner=other), policy=policy, since=0)
        invoice = self._make_invoice(100.0, partner=other, due_in=0)
        self._quiet()
        self.assertEqual(set(invoice.credit_insurance_deadline_ids.mapped("quiet")), {"small"}, "100 are 200 of it")

    def test_nothing_is_small_while_the_policys_currency_has_no_rate(self):
        foreign = self.setup_other_currency("EUR", rates=[])
        self.policy.write({"currency_id": foreign.id, "tolerance": 1000})
        self.assertEqual(self._quiet(), [False, False])
        self._receive(100)
        self.assertEqual(self._quiet(), ["in_bank", False], "what is in the bank is paid whatever a rest is worth")

    def test_rules_are_not_told_of_quiet_deadlines(self):
        self.assertEqual(self._signal("days_to_stop"), 40)
        self._receive(100)
        self._quiet()
        self.assertEqual(self._signal("days_to_stop"), 50)

    def test_the_daily_job_finds_what_no_change_told(self):
        self._receive(400)
        self._run_deadline_cron()
        self.assertEqual(set(self.older.credit_insurance_deadline_ids.mapped("quiet")), {"in_bank"})

    def test_another_company_has_its_own_money(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        buyer = self._make_buyer(company=other)
        self._receive(400)
        self.env["credit.insurance.deadline"]._update_quiet(buyer)
        self.assertEqual(self.older.credit_insurance_deadline_ids.mapped("quiet"), [False] * 7)

    def test_an_extension_changes_nothing(self):
        self._receive(100)
        self.older.invoice_date_due = self.today + timedelta(days=30)
        self.assertEqual(self._quiet(), ["in_bank", False])
