"""Odoo keeps a match whose one side is reset to draft: for the exposure only what is posted settles anything."""

from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_exposure import FEW, SOURCES

from .common import CreditCommon


class MatchedDraftsCase(CreditCommon):
    @classmethod
    def _owed(cls, *moves):
        items = cls.env["account.move"].union(*moves).line_ids
        return items.filtered(lambda line: line.account_type == "asset_receivable")

    def _match(self, *moves):
        self._owed(*moves).reconcile()

    def _make_paid_invoice(self, amount=1000, paid=None, **values):
        """A posted invoice and the posted entry of its payment."""
        invoice = self._make_invoice(amount, **values)
        return invoice, self._pay(invoice, paid).move_id

    def _make_invoiced_and_paid_order(self, amount=1000):
        order = self._make_confirmed_order(amount, product=self.service)
        invoice = order._create_invoices()
        invoice.action_post()
        return order, invoice, self._pay(invoice).move_id


@tagged("post_install", "-at_install")
class TestExposureOfMatchedDrafts(MatchedDraftsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"

    def test_invoice_whose_payment_is_reset_to_draft_is_owed(self):
        invoice, payment = self._make_paid_invoice()
        payment.button_draft()
        self.assertEqual(invoice.amount_residual, 0, "Odoo keeps the match")
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})
        payment.action_post()
        self.assertEqual(self._exposure(), {"total": 0})
        payment.button_draft()
        payment.button_cancel()
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})

    def test_invoice_matched_with_a_draft_credit_note_is_owed(self):
        invoice = self._make_invoice(1000, due_in=-5)
        note = self._make_invoice(1000, move_type="out_refund", post=False)
        self._match(invoice, note)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(self._exposure(), {"overdue": 1000, "total": 1000})
        note.action_post()
        self.assertEqual(self._exposure(), {"total": 0})

    def test_part_that_a_draft_took_is_owed_with_the_rest(self):
        invoice, _posted = self._make_paid_invoice(paid=200)
        self._pay(invoice, 300).move_id.button_draft()
        self.assertEqual(invoice.amount_residual, 500)
        self.assertEqual(self._exposure(), {"not_due": 800, "total": 800})

    def test_credit_matched_with_a_draft_invoice_lowers_what_is_owed(self):
        self._make_invoice(300)
        invoice, _payment = self._make_paid_invoice()
        invoice.button_draft()
        self.assertEqual(self._exposure(), {"not_due": 300, "credits": -1000, "total": -700})

    def test_paid_order_whose_invoice_is_reset_to_draft_owes_nothing(self):
        order, invoice, _payment = self._make_invoiced_and_paid_order()
        self.assertEqual(self._exposure(), {"total": 0})
        invoice.button_draft()
        self.assertEqual(self._exposure(), {"confirmed": 1000, "credits": -1000, "total": 0})
        order._action_cancel()
        self.assertEqual(self._exposure(), {"credits": -1000, "total": -1000})

    def test_drafts_matched_with_each_other_change_nothing(self):
        invoice, payment = self._make_paid_invoice()
        (invoice | payment).button_draft()
        self.assertEqual(self._exposure(), {"total": 0})

    def test_mark_of_an_import_is_no_match(self):
        draft = self._make_invoice(1000, post=False)
        self._owed(draft).matching_number = "17"
        self.assertEqual(self._owed(draft).matching_number, "I17")
        self._make_invoice(300)
        self.assertEqual(self._exposure(), {"not_due": 300, "total": 300})

    def test_money_of_another_payer_that_is_reset_to_draft_leaves_the_invoice_owed(self):
        payer = self.env["res.partner"].create({"name": "Payer", "is_company": True})
        invoice = self._make_invoice(1000)
        payment = self.init_payment(1000, post=True, partner=payer).move_id
        self._match(invoice, payment)
        self.assertEqual(self._exposure(), {"total": 0})
        payment.button_draft()
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})
        self.assertEqual(self._exposure(payer), {"total": 0})

    def test_difference_of_rates_goes_with_the_match(self):
        """A document counts at its own rate, also while Odoo's entry of the difference stands."""
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        for rate in (1.6, 2.5):
            for reset in ("payment", "invoice"):
                with self.subTest(rate=rate, reset=reset):
                    partner = self.env["res.partner"].create({"name": "Beta", "is_company": True})
                    self._set_rate(foreign, 2.0)
                    invoice = self._make_invoice(2000, currency_id=foreign.id, partner=partner)
                    self._set_rate(foreign, rate)
                    payment = self._pay(invoice).move_id
                    self.assertEqual((invoice.amount_residual, self._exposure(partner)), (0, {"total": 0}))
                    (payment if reset == "payment" else invoice).button_draft()
                    source, sign, booked = ("not_due", 1, 1000) if reset == "payment" else ("credits", -1, 2000 / rate)
                    booked, amount = sign * booked, sign * 2000
                    self.assertEqual(self._exposure(partner), {source: booked, "total": booked})
                    in_foreign = self._exposure(partner, currency=foreign)
                    self.assertEqual(in_foreign, {source: amount, "total": amount})

    def test_difference_of_rates_of_a_match_made_with_a_draft_goes_with_it(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        invoice = self._make_invoice(2000, currency_id=foreign.id)
        self._set_rate(foreign, 2.5)
        note = self._make_invoice(2000, currency_id=foreign.id, move_type="out_refund", post=False)
        self._match(invoice, note)
        self.assertEqual((invoice.amount_residual, self._owed(invoice).amount_residual), (0, 0))
        self.assertEqual(self._exposure(), {"not_due": 1000, "total": 1000})
        note.action_post()
        self.assertEqual(self._exposure(), {"total": 0})

    def _set_rate(self, currency, rate):
        rates = self.env["res.currency.rate"]
        rates.search([("currency_id", "=", currency.id), ("name", "=", self.today)]).unlink()
        rates.create({"currency_id": currency.id, "name": self.today, "rate": rate})

    def test_few_and_many_buyers_get_the_same_answer(self):
        _invoice, payment = self._make_paid_invoice()
        payment.button_draft()
        other, _payment = self._make_paid_invoice(500)
        other.button_draft()
        self._make_invoice(100)
        model = self.env["credit.insurance.exposure"]
        others = self.env["res.partner"].create([{"name": f"Other {n}"} for n in range(FEW + 1)])
        few = model._get_rows(self.partner.ids, self.company.ids, self.today)
        many = model._get_rows((self.partner | others).ids, self.company.ids, self.today)
        [few], [many] = ([sorted(rows) for rows in found.values()] for found in (few, many))
        self.assertEqual(few, many)
        self.assertEqual([(row.source, row.amount) for row in few], [("credits", -500), ("not_due", 1100)])

    def test_items_of_other_companies_are_not_counted(self):
        other = self.setup_other_company()["company"]
        _invoice, payment = self._make_paid_invoice()
        payment.button_draft()
        self.assertEqual(self._exposure(company=other), {"total": 0})

    # === BESIDE THE EXPOSURE === #

    def test_documents_of_a_figure_add_up_and_each_stands_once(self):
        invoice, _posted = self._make_paid_invoice(paid=200)
        self._pay(invoice, 300).move_id.button_draft()
        whole, payment = self._make_paid_invoice(70, due_in=-5)
        payment.button_draft()
        drafted, credit = self._make_paid_invoice(40)
        drafted.button_draft()
        model, figures = self.env["credit.insurance.exposure"], self._exposure()
        documents = model._get_documents(self.partner, self.company, self.company_currency, self.today)
        for source in SOURCES:
            counted = sum(document.counted for document in documents if document.source == source)
            self.assertEqual(float(counted), figures.get(source, 0), source)
        found = {document.id: float(document.counted) for document in documents}
        self.assertEqual(len(found), len(documents))
        expected = {self._owed(invoice).id: 800, self._owed(whole).id: 70, self._owed(credit).id: -40}
        self.assertEqual(found, expected)

    def test_reconciliation_explains_what_drafts_took(self):
        _invoice, payment = self._make_paid_invoice()
        payment.button_draft()
        report = self.env["credit.insurance.reconciliation.line"].with_user(self.manager)
        action = report.action_open_report()
        line = report.sudo().search(action["domain"]).filtered(lambda line: line.partner_id == self.partner)
        self.assertEqual((line.ledger, line.drafts, line.exposure, line.unexplained), (0, 1000, 1000, 0))
        self.assertTrue(action["context"]["show_drafts"])

    def test_signals_agree_with_the_exposure(self):
        buyer = self._make_buyer(limit=5000)
        _invoice, payment = self._make_paid_invoice(1000, due_in=-40)
        payment.button_draft()
        drafted, _credit = self._make_paid_invoice(300)
        drafted.button_draft()
        keys = ("exposure", "receivables", "amount_overdue", "days_overdue_oldest", "concentration")
        facts = self.env["credit.insurance.signals"]._get_facts(buyer, keys)[buyer.id]
        self.assertEqual([facts[key] for key in keys[:4]], [700, 700, 1000, 40])
        self.assertEqual(facts["concentration"], 100)

    def test_who_owes_only_beside_a_draft_is_a_debtor(self):
        _invoice, payment = self._make_paid_invoice()
        payment.button_draft()
        buyers = self.env["credit.insurance.buyer"]
        with patch.object(type(buyers), "_has_rules_about_debtors", lambda *args: True):
            self.assertIn(self.partner, buyers._take_up_debtors(self.partner).partner_id)


@tagged("post_install", "-at_install")
class TestGateBesideMatchedDrafts(MatchedDraftsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)

    def test_order_beside_an_invoice_settled_by_a_draft_is_held(self):
        invoice = self._make_invoice(1000)
        self._match(invoice, self._make_invoice(1000, move_type="out_refund", post=False))
        order = self._make_order(1)
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.shortfall), ("draft", 1))

    def test_order_beside_a_paid_order_whose_invoice_is_a_draft_passes(self):
        _order, invoice, _payment = self._make_invoiced_and_paid_order()
        invoice.button_draft()
        other = self._make_order(1000)
        other.action_confirm()
        self.assertEqual(other.state, "sale")

    def test_invoice_settled_by_a_draft_stops_cover_after_its_mep(self):
        policy = self._make_policy()
        self._make_cover(policy, self.buyer, 50000)
        invoice, payment = self._make_paid_invoice(due_in=-100)
        order = self._make_order(1)
        payment.button_draft()
        order.action_confirm()
        self.assertEqual((order.state, invoice.amount_residual), ("draft", 0))
        reasons = order.sudo().credit_hold_ids.decision_id.reasons
        self.assertIn("mep_passed", [reason["code"] for reason in reasons])
