"""The editor of rules as an administrator meets it, in a browser."""

from odoo.tests import HttpCase, tagged

from .common_alert import AlertCommon
from .test_credit_insurance_rule import document
from .test_credit_signal import signal


@tagged("post_install", "-at_install")
class TestCreditRuleTour(AlertCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_late_buyer()
        cls.rule = cls.Rule.create({"document": document() + "# kept by hand\n"})
        cls.url = f"/odoo/action-credit_insurance.credit_insurance_rule_action/{cls.rule.id}"

    def test_rule_is_tried_and_changed_as_a_form(self):
        self.start_tour(self.url, "credit_rule_form", login=self.administrator.login, timeout=180)
        self.env.invalidate_all()
        self.assertIn("when: amount_overdue_30 > 20000", self.rule.document.replace("\n  all:\n    - ", " "))
        self.assertIn("actions: [notify]", self.rule.document)
        self.assertIn("{amount_overdue_30: 20001}", self.rule.document)
        self.assertFalse(self._alerts(), "trying raises nothing")

    def test_rule_is_changed_as_text_and_keeps_what_was_typed(self):
        self.start_tour(self.url, "credit_rule_text", login=self.administrator.login, timeout=180)
        self.env.invalidate_all()
        self.assertIn("when: days_overdue_oldest > 30 days\n", self.rule.document)
        self.assertIn("# kept by hand\n", self.rule.document, "looking at the form changes no letter of the text")

    def test_trial_says_that_the_company_overrides_the_rule(self):
        self.env["credit.insurance.rule.override"].create(
            {
                "rule_id": self.rule.id,
                "company_id": self.company.id,
                "document": "when: amount_overdue_30 > 20000\n",
                "reason": "large trade",
            }
        )
        self.start_tour(self.url, "credit_rule_override", login=self.administrator.login, timeout=180)

    def test_derived_signal_is_tried_and_completed_while_it_is_typed(self):
        derived = self.env["credit.insurance.signal"].create({"document": signal()})
        url = f"/odoo/action-credit_insurance.credit_insurance_signal_action/{derived.id}"
        self.start_tour(url, "credit_signal_text", login=self.administrator.login, timeout=180)
        self.env.invalidate_all()
        self.assertIn("100 * amount_overdue_90 / exposure", derived.document)
