from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestRecommendation(CreditCommon):
    """The limit we would recommend: from the ledger, the grade and the statements, by a formula people can edit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer()

    def _make_statement(self, **values):
        return self.env["credit.insurance.statement"].create(
            {
                "buyer_id": self.buyer.id,
                "year_end": self.today - timedelta(days=100),
                "currency_id": self.company_currency.id,
                "source_name": "Commercial register",
                **values,
            }
        )

    def _make_formula(self, user=None, **values):
        formulas = self.env["credit.insurance.recommendation.formula"].with_user(user or self.administrator)
        return formulas.create({"company_id": self.company.id, **values})

    def _lines(self):
        advice = self.buyer._get_recommendations(self.company)[self.buyer.id]
        return {line.figure.value: line.value for line in advice.lines}

    def _add_grade(self, risk_class):
        insurer = self.env["credit.insurance.insurer"].create({"name": "Grader", "code": f"G{risk_class}"})
        grade = self.env["credit.insurance.grade"].create(
            {"buyer_id": self.buyer.id, "insurer_id": insurer.id, "grade": "3", "graded_on": self.today}
        )
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_insurance_grade SET risk_class = %s WHERE id = %s", [risk_class, grade.id])
        self.env.invalidate_all()

    def test_need_is_turnover_over_the_days_it_stays_open(self):
        self._make_formula(buffer=0)
        self._make_invoice(365_000, due_in=30)
        self._add_grade("1")
        lines = self._lines()
        self.assertEqual((lines["turnover"], lines["open_days"], round(lines["need"])), (365_000, 30, 30_000))
        self.assertEqual(self.buyer.recommended_limit, 30_000)
        self.assertEqual(self.buyer.recommended_term_days, 60)
        self.assertIn("30,000.00", self.buyer.recommendation_html)

    def test_statement_caps_the_need(self):
        self._make_invoice(365_000, due_in=30)
        self._make_statement(equity=1_000, year_end=self.today - timedelta(days=500))
        self._make_statement(equity=50_000, turnover=1_000_000)
        self.assertEqual(self._lines()["capacity"], 5_000)

    def test_statement_in_another_currency_is_converted(self):
        currency = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self._make_statement(equity=50_000, currency_id=currency.id)
        self.assertEqual(self._lines()["equity_part"], 2_500)

    def test_late_payment_lowers_it(self):
        self._make_formula(days_late_free=5, reduction_per_day=2)
        self._pay(self._make_invoice(1000, due_in=-25))
        lines = self._lines()
        self.assertEqual((lines["days_late"], float(lines["behaviour_factor"])), (25, 0.6))

    def test_numbers_are_written_as_the_reader_writes_them(self):
        self._make_formula(days_late_free=5, reduction_per_day=2)
        self._pay(self._make_invoice(1000, due_in=-25))
        self.env["res.lang"]._activate_lang("fr_FR")
        self.assertIn(">0.6<", self.buyer.recommendation_html)
        self.assertIn(">0,6<", self.buyer.with_context(lang="fr_FR").recommendation_html)

    def test_worse_of_grade_and_own_score_counts(self):
        self._add_grade("1")
        self._pay(self._make_invoice(1000, due_in=-44))
        self.assertEqual(self._lines()["class_factor"], 0)

    def test_not_more_above_the_cover_than_our_own_risk_allows(self):
        self._make_formula(own_risk_limited=True, own_risk_maximum=2_000)
        self._make_invoice(365_000, due_in=30)
        self._make_cover(self._make_policy(), self.buyer, 5_000)
        self.assertEqual(self.buyer.recommended_limit, 7_000)

    def test_formula_is_arithmetic_and_nothing_else(self):
        for bad in (
            "__import__('os')",
            "need ** 9",
            "needs",
            "need.x",
            "[need]",
            "min(need)",
            "True",
            "",
            "need; need",
        ):
            with self.assertRaises(ValidationError):
                self._make_formula(expression=bad)
        self._make_formula(expression="max(1250, need / 2)")
        self.assertEqual(self.buyer.recommended_limit, 1_200)

    def test_formula_without_a_value_says_so_and_recommends_nothing(self):
        self._make_formula(expression="equity / 10")
        self.assertEqual(self.buyer.recommended_limit, 0)
        self.assertIn("equity", self.buyer.recommendation_html)
        self.assertIn("no value for this buyer", self.buyer.recommendation_html)

    def test_administrators_edit_the_formula(self):
        for user in (self.officer, self.manager, self.rep):
            with self.assertRaises(AccessError):
                self._make_formula(user=user)
        with self.assertRaises(ValidationError):
            self._make_formula(factor_1=-1)

    def test_statement_is_entered_and_not_rewritten(self):
        statement = self._make_statement(equity=5).with_user(self.officer)
        with self.assertRaises(UserError):
            statement.equity = 50_000
        with self.assertRaises(AccessError):
            statement.with_user(self.rep).read(["equity"])

    def test_recommendations_of_many_buyers_take_the_same_statements(self):
        partners = self.env["res.partner"].create([{"name": f"P{n}", "is_company": True} for n in range(30)])
        buyers = self.env["credit.insurance.buyer"]._get_or_create(partners, self.company)
        counts = []
        for some in (buyers[:2], buyers):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some._get_recommendations(self.company)
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2)

    def test_list_of_buyers_shows_it_beside_the_limit(self):
        model = type(self.buyer)
        with patch.object(model, "_get_recommendations", autospec=True, side_effect=model._get_recommendations) as read:
            self.env["credit.insurance.buyer"].search([("company_id", "=", self.company.id)]).mapped(
                "recommended_limit"
            )
        self.assertEqual(read.call_count, 1)
