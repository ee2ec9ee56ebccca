from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common_alert import STORY, AlertCommon


@tagged("post_install", "-at_install")
class TestCreditInsuranceSignals(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_late_buyer(amount=1000.0)

    def _facts(self, buyer=None, keys=None):
        buyer = buyer or self.buyer
        return self.env["credit.insurance.signals"]._get_facts(buyer, keys, self.today)[buyer.id]

    def test_overdue_amounts_by_age(self):
        self._make_invoice(10, due_in=-1)
        self._make_invoice(20, due_in=-30)
        self._make_invoice(40, due_in=-61)
        self._make_invoice(80, due_in=-91)
        self._make_invoice(160, due_in=0)
        facts = self._facts()
        self.assertEqual(facts["amount_overdue"], 1150)
        self.assertEqual(facts["amount_overdue_30"], 1120)
        self.assertEqual(facts["amount_overdue_60"], 120)
        self.assertEqual(facts["amount_overdue_90"], 80)
        self.assertEqual(facts["days_overdue_oldest"], 91)
        self.assertEqual(facts["exposure"], 1310)

    def test_extended_invoice_under_a_policy_stays_overdue_from_its_original_due_date(self):
        self.invoice._credit_insurance_keep_due_dates()
        terms = self.invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        terms.date_maturity = self.today + timedelta(days=30)
        self.assertEqual(self._facts()["days_overdue_oldest"], 45)

    def test_unapplied_payment_lowers_exposure_and_not_what_is_overdue(self):
        self._make_invoice(300, due_in=0, move_type="out_refund")
        facts = self._facts()
        self.assertEqual((facts["exposure"], facts["amount_overdue"]), (700, 1000))

    def test_nothing_overdue_is_zero_and_not_missing(self):
        facts = self._facts(self._make_buyer(partner=self.partner_a))
        self.assertEqual((facts["amount_overdue"], facts["days_overdue_oldest"], facts["exposure"]), (0, 0, 0))
        self.assertNotIn("risk_class", facts)
        self.assertNotIn("limit_in_force", facts)
        self.assertEqual(facts["cover_status"], "none")
        self.assertFalse(facts["is_configured"])

    def test_limit_headroom_and_utilisation(self):
        self._make_buyer(limit=4000)
        facts = self._facts()
        self.assertEqual((facts["limit_in_force"], facts["headroom"], facts["utilisation"]), (4000, 3000, 25))
        self.assertEqual(facts["uninsured_exposure"], 1000)

    def test_amounts_are_in_the_company_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("1900-01-01", 2.0)])
        self._make_buyer(currency_id=currency.id)
        self._make_invoice(200, due_in=-40, currency_id=currency.id)
        self.env["credit.insurance.own.limit"].create(
            {"buyer_id": self.buyer.id, "amount": 5000, "currency_id": currency.id, "date_from": self.today}
        )
        facts = self._facts()
        self.assertEqual((facts["exposure"], facts["amount_overdue_30"]), (1100, 1100))
        self.assertEqual(facts["limit_in_force"], 2500)
        self.assertEqual(facts["currency"], "EUR")

    def test_cover_in_force_and_cover_that_was_withdrawn(self):
        policy = self.env["credit.insurance.policy"].create(
            {"number": "P1", "insurer_id": self.insurer.id, "date_start": self.today - timedelta(days=400)}
        )
        values = {
            "buyer_id": self.buyer.id,
            "policy_id": policy.id,
            "currency_id": self.company_currency.id,
            "insured_percentage": 90,
        }
        Cover = self.env["credit.insurance.cover"]
        start = self.today - timedelta(days=100)
        Cover.create({**values, "status": "approved", "amount": 800, "effective_from": start})
        facts = self._facts()
        self.assertEqual(facts["cover_status"], "approved")
        self.assertEqual((facts["cover_amount"], facts["insured_percentage"]), (800, 90))
        self.assertEqual(facts["uninsured_exposure"], 200)
        Cover.create({**values, "status": "withdrawn", "amount": 0, "effective_from": self.today})
        facts = self._facts()
        self.assertEqual((facts["cover_status"], facts["cover_amount"]), ("withdrawn", 0))
        self.assertEqual(facts["uninsured_exposure"], 1000)

    def test_days_to_the_duties_of_unpaid_invoices(self):
        policy = self.env["credit.insurance.policy"].create(
            {"number": "P2", "insurer_id": self.insurer.id, "date_start": self.today - timedelta(days=400)}
        )
        for kind, days in (("end_of_mep", -3), ("notification", -5), ("notification", 9), ("claim", 70)):
            self.env["credit.insurance.deadline"].sudo().create(
                {
                    "move_id": self.invoice.id,
                    "policy_id": policy.id,
                    "kind": kind,
                    "due_date": self.today - timedelta(days=45 - days),
                    "date": self.today + timedelta(days=days),
                }
            )
        facts = self._facts()
        self.assertEqual(facts["days_to_stop"], -3)
        self.assertEqual((facts["days_to_notification"], facts["days_to_claim"]), (9, 70))

    def test_grades_and_their_movement(self):
        facts = self._facts()
        self.assertEqual((facts["grade"], facts["risk_class"], facts["days_since_grade"]), ("4", 4, 7))
        self.assertEqual((facts["risk_class_worsened"], facts["risk_class_worsened_30"]), (2, 2))
        self._grade(self.buyer, 1, 0)
        self.assertEqual(self._facts()["risk_class_worsened"], -1)

    def test_what_we_know_of_the_partner(self):
        self.partner.write({"country_id": self.env.ref("base.fr").id, "company_registry": "552 081 317"})
        facts = self._facts()
        self.assertEqual((facts["country"], facts["registration_number"]), ("FR", "552 081 317"))
        self.assertEqual((facts["is_private_person"], facts["is_affiliated"]), (False, False))

    def test_orders_count_from_the_first_one(self):
        self.company.credit_gate_mode = "off"
        order = self._make_confirmed_order(100)
        order.date_order = fields.Datetime.now() - timedelta(days=100)
        facts = self._facts()
        self.assertEqual((facts["orders_confirmed"], facts["months_since_first_order"]), (1, 3))

    def test_every_signal_is_one_the_catalogue_knows(self):
        self._make_buyer(limit=4000)
        catalogue = {signal.key for signal in self.env["credit.insurance.signals"]._get_catalogue()}
        self.assertFalse(self._facts().keys() - catalogue)

    def test_only_what_is_asked_for_is_read(self):
        self._facts()
        with self.assertQueryCount(1):
            facts = self._facts(keys={"amount_overdue_30"})
        self.assertEqual(facts["amount_overdue_30"], 1000)
        self.assertNotIn("exposure", facts)

    def test_many_buyers_are_read_as_one_is(self):
        policy = self._make_policy()
        others = [self._make_buyer(partner=partner, limit=700) for partner in (self.partner_a, self.partner_b)]
        self._make_cover(policy, others[0], 5000)
        self._make_cover(policy, self.buyer, 300)
        buyers = self.buyer.union(*others)
        signals = self.env["credit.insurance.signals"]
        for as_of in (False, True):
            one_by_one = {buyer.id: signals._get_facts(buyer, None, self.today, as_of)[buyer.id] for buyer in buyers}
            self.assertEqual(signals._get_facts(buyers, None, self.today, as_of), one_by_one)

    def test_number_of_statements_does_not_grow_with_the_buyers(self):
        self.env.ref(STORY).state = "active"
        partners = self.env["res.partner"].create([{"name": f"B{number}", "is_company": True} for number in range(60)])
        buyers = self.env["credit.insurance.buyer"]._get_or_create(partners, self.company)
        for buyer in buyers:
            self._grade(buyer, 2, 365)
            self._grade(buyer, 4, 7)
        for partner in partners:
            self._make_invoice(10, partner=partner, due_in=-45)
        self.Rule._screen(buyers)
        self.assertEqual(len(self._alerts(buyers)), 60)
        self._facts()  # scorecards and derived signals are read once
        counts = []
        for some in (buyers[:10], buyers):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.cr.sql_log_count
            self.env["credit.insurance.signals"]._get_facts(some, None, self.today)
            middle = self.cr.sql_log_count
            self.env.invalidate_all()
            self.Rule._screen(some)
            counts.append((middle - start, self.cr.sql_log_count - middle))
        self.assertEqual(counts[0], counts[1])
