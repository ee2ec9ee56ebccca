"""Exposure beside the aged receivables: every difference has a reason, to the cent."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CreditCommon

REASONS = ("contacts", "branches", "nobody", "drafts", "confirmed", "valuation")
BUCKETS = ("bucket_not_due", "bucket_30", "bucket_60", "bucket_90", "bucket_older")


@tagged("post_install", "-at_install")
class TestReconciliation(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"
        yesterday = str(cls.today.replace(day=1))
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2016-01-01", 3.0), (yesterday, 1.7)])
        cls.beta = cls.env["res.partner"].create({"name": "Beta", "is_company": True})

    def _make_entry(self, amount, partner=None, company=None):
        receivable = self.company_data["default_account_receivable"]
        revenue = self.company_data["default_account_revenue"]
        partner_id = partner.id if partner else False
        self.env["account.move"].create(
            {
                "date": self.today,
                "line_ids": [
                    Command.create({"account_id": receivable.id, "partner_id": partner_id, "debit": amount}),
                    Command.create({"account_id": revenue.id, "credit": amount}),
                ],
            }
        ).action_post()

    def _make_mixed_data(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        for due_in in (10, -5, -45, -75, -120):
            self._make_invoice(100.33, due_in=due_in)
        self._make_invoice(333.33, due_in=-60, currency_id=self.foreign.id)
        self._make_invoice(77.77, currency_id=self.foreign.id, partner=self.beta)
        self._make_entry(80, self.contact)
        self._make_entry(55.55)
        self._pay(self._make_invoice(300, partner=self.beta), 120)
        self._make_invoice(25, move_type="out_refund")
        self._make_confirmed_order(1000)
        self._make_confirmed_order(500, company_id=branch.id)
        self._make_confirmed_order(111.11, partner=self.beta)
        buyer = self._make_buyer(limit=5000)
        buyer.currency_id = self.foreign

    def _report(self, user=None):
        action = self.env["credit.insurance.reconciliation.line"].with_user(user or self.manager).action_open_report()
        return self.env["credit.insurance.reconciliation.line"].sudo().search(action["domain"])

    def _report_of(self, partner):
        return self.env["credit.insurance.reconciliation.line"].sudo()._make_lines(self.company).filtered(
            lambda line: line.partner_id == partner
        )  # fmt: skip

    def test_every_difference_is_explained_to_the_cent(self):
        self._make_mixed_data()
        lines = self.env["credit.insurance.reconciliation.line"].sudo()._make_lines(self.company)
        self.assertGreater(len(lines), 2)
        for line in lines:
            with self.subTest(partner=line.partner_id.name):
                explained = line.ledger + sum(line[reason] for reason in REASONS)
                self.assertEqual(self.company_currency.compare_amounts(line.exposure, explained), 0)
                self.assertFalse(line.unexplained)
                self.assertAlmostEqual(
                    sum(line[name] for name in BUCKETS), line.ledger + line.contacts + line.branches, 2
                )

    def test_the_ledger_s_column_is_what_the_ledger_shows_per_partner(self):
        self._make_mixed_data()
        domain = [
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("company_id", "=", self.company.id),
        ]
        items = self.env["account.move.line"].search(domain)
        for partner in (self.partner, self.beta, self.env["res.partner"]):
            own = items.filtered(lambda item, partner=partner: item.partner_id == partner)
            self.assertAlmostEqual(self._report_of(partner).ledger, sum(own.mapped("amount_residual")), 2)
        lines = self.env["credit.insurance.reconciliation.line"].sudo()._make_lines(self.company)
        total = sum(sum(line[name] for name in BUCKETS) for line in lines)
        self.assertAlmostEqual(total, sum(items.mapped("amount_residual")), 2)

    def test_exposure_is_the_buyer_s_exposure(self):
        self._make_mixed_data()
        buyer = self.env["credit.insurance.buyer"].search([("partner_id", "=", self.partner.id)])
        self.assertAlmostEqual(self._report_of(self.partner).exposure_limit, buyer.exposure, 2)

    def test_each_reason_stands_in_its_own_column(self):
        self._make_invoice(100)
        self._make_entry(80, self.contact)
        self._make_entry(55)
        self._make_confirmed_order(1000)
        line, nobody = self._report_of(self.partner), self._report_of(self.env["res.partner"])
        self.assertEqual((line.ledger, line.contacts, line.confirmed, line.exposure), (100, 80, 1000, 1180))
        self.assertEqual((nobody.ledger, nobody.nobody, nobody.exposure), (55, -55, 0))
        self.assertEqual((line.kind, nobody.kind), ("unknown", "nobody"))

    def test_foreign_items_of_a_foreign_limit_differ_by_their_valuation(self):
        self._make_invoice(300, currency_id=self.foreign.id, due_in=-4000)
        buyer = self._make_buyer(limit=5000)
        buyer.currency_id = self.foreign
        line = self._report_of(self.partner)
        self.assertEqual((line.ledger, line.exposure_limit), (100, 300))
        self.assertAlmostEqual(line.exposure, 300 / 1.7, 2)
        self.assertAlmostEqual(line.valuation, 300 / 1.7 - 100, 2)

    def test_buckets_count_days_after_the_due_date(self):
        for due_in in (0, -1, -30, -31, -60, -61, -90, -91):
            self._make_invoice(10, due_in=due_in)
        line = self._report_of(self.partner)
        self.assertEqual([line[name] for name in BUCKETS], [10, 20, 20, 20, 10])

    def test_the_report_is_for_credit_people_and_for_their_companies(self):
        self._make_invoice(100)
        other = self.setup_other_company()["company"]
        self.assertIn(self.partner, self._report().partner_id)
        self.assertNotIn(other, self._report().company_id)
        with self.assertRaises(AccessError):
            self._report(self.rep)

    def test_a_line_opens_the_documents_of_its_buyer(self):
        self._make_invoice(100)
        self._make_confirmed_order(1000)
        line = self._report().filtered(lambda line: line.partner_id == self.partner)
        action = line.with_user(self.manager).action_open_exposure()
        documents = self.env["credit.insurance.exposure.line"].sudo().search(action["domain"])
        self.assertEqual(sum(documents.mapped("amount")), line.exposure)

    def test_a_difference_that_nobody_has_takes_no_column(self):
        self._make_invoice(100)
        model = self.env["credit.insurance.reconciliation.line"].with_user(self.manager)
        self.assertFalse(any(model.action_open_report()["context"].values()))
        self._make_entry(55.55)
        shown = [name for name, shown in model.action_open_report()["context"].items() if shown]
        self.assertEqual(shown, ["show_nobody"])

    def test_order_whose_draft_bills_somebody_else_stays_its_buyer_s(self):
        order = self._make_confirmed_order(1000, product=self.service)
        order._create_invoices().partner_id = self.beta
        self.assertEqual(order.invoice_status, "invoiced")
        self.assertEqual(self._report_of(self.partner).confirmed, 1000)

    def test_archived_credit_record_is_a_buyer_with_its_currency(self):
        self._make_buyer(currency_id=self.foreign.id).active = False
        self._make_confirmed_order(170)
        line = self._report_of(self.partner)
        self.assertEqual((line.kind, line.limit_currency_id, line.exposure_limit), ("buyer", self.foreign, 289))
