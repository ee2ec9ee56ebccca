"""Where a rule applies and with which payment term is reviewed and kept in its versions, like what it says."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_credit_insurance_rule import document
from .test_credit_insurance_rule_version import RuleVersionCase


@tagged("post_install", "-at_install")
class TestRuleSettings(RuleVersionCase):
    def test_version_tells_the_days_its_payment_term_had(self):
        line = Command.create({"value": "percent", "value_amount": 100, "nb_days": 10})
        term = self.env["account.payment.term"].create({"name": "Short", "line_ids": [line]})
        self.rule.payment_term_id = term
        first = self.rule._get_current_version()
        self.assertEqual(first.payment_term_text, "Short (100 % 10 days after invoice date)")
        term.line_ids.nb_days = 90
        self.rule.limit_percent = 20
        second = self.rule._get_current_version()
        self.assertEqual(first.payment_term_text, "Short (100 % 10 days after invoice date)")
        self.assertEqual(second.payment_term_text, "Short (100 % 90 days after invoice date)")
        action = second.action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        rows = {row["name"]: (row["before"], row["after"]) for row in wizard._get_setting_rows()}
        told = rows["Payment Term of New Quotations"]
        self.assertEqual(told, (first.payment_term_text, second.payment_term_text))

    def test_rule_whose_action_lacks_what_it_needs_is_not_put_into_force(self):
        term = self.env.ref("account.account_payment_term_15days")
        hook = self.env["credit.insurance.webhook"].sudo()
        hook = hook.create({"name": "Warehouse", "url": "https://example.com/", "secret": "s3cret"})
        row = "table: {inputs: [amount_overdue >], rows: [{cells: ['9'], actions: [webhook]}]}\n"
        for name, value, words, text in (
            ("payment_term_id", term.id, "Payment Term of New", document() + "actions: [change_payment_term]\n"),
            ("webhook_id", hook.id, "Webhook", document().replace("when: amount_overdue_30 > 0\n", row)),
        ):
            with self.subTest(name=name):
                self.rule.working_document = text
                with self.assertRaisesRegex(UserError, words), self.cr.savepoint():
                    self.rule.action_activate()
                self.rule[f"working_{name}"] = value
                self.rule.action_activate()
                self.rule.action_set_draft()
        self.rule.write({"document": document(), "webhook_id": False})
        self.rule.action_activate()
        with self.assertRaisesRegex(UserError, "Webhook"), self.cr.savepoint():
            self.rule.document = document() + "actions: [webhook]\n"
        self.rule.write({"document": document() + "actions: [webhook]\n", "webhook_id": hook.id})

    def test_override_whose_action_lacks_what_it_needs_does_not_count(self):
        self.rule.action_activate()
        values = {"rule_id": self.rule.id, "company_id": self.company.id, "reason": "why"}
        overrides = self.env["credit.insurance.rule.override"].with_user(self.administrator)
        with self.assertRaisesRegex(UserError, "Payment Term of New"), self.cr.savepoint():
            overrides.create({**values, "document": "actions: [change_payment_term]\n"})
        self.rule.payment_term_id = self.env.ref("account.account_payment_term_15days")
        override = overrides.create({**values, "document": "actions: [change_payment_term]\n"})
        self.assertTrue(override.version_id)

    def _elsewhere(self, seen=True):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        if seen:
            (self.administrator | self.second).company_ids |= company
        return company

    def test_companies_of_an_active_rule_wait_until_they_are_put_into_force(self):
        other = self._elsewhere()
        self.rule.action_activate()
        self.rule.write({"working_company_ids": [Command.link(other.id)]})
        self.assertEqual((self.rule.sudo().company_ids, self.rule.is_proposed), (self.company, True))
        self.rule.action_activate()
        self.assertEqual(self.rule.sudo().company_ids, self.company | other)
        versions = self.rule.sudo().version_ids.sorted("version")
        self.assertEqual([row.company_ids for row in versions], [self.company, self.company | other])
        self.assertEqual(versions[1].changes, "Companies")

    def test_companies_of_an_active_reviewed_rule_are_reviewed(self):
        other = self._elsewhere()
        self._require_review()
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self.rule.action_activate()
        for companies in ([Command.link(other.id)], [Command.set(other.ids)], [Command.clear()]):
            with self.subTest(companies=companies):
                with self.assertRaises(UserError):
                    self.rule.write({"company_ids": companies})
                self.rule.write({"working_company_ids": companies})
                with self.assertRaises(UserError):
                    self.rule.action_activate()
                self.assertEqual(self.rule.sudo().company_ids, self.company)
        self.rule.action_submit()
        self.rule.with_user(self.second).action_approve()
        self.rule.action_activate()
        self.assertFalse(self.rule.sudo().company_ids)

    def test_comparison_and_roll_back_know_the_companies(self):
        other = self._elsewhere()
        self.rule.action_activate()
        self.rule.company_ids = other
        newest = self.rule.version_ids[0]
        action = newest.action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        rows = {row["name"]: (row["before"], row["after"]) for row in wizard._get_setting_rows()}
        self.assertEqual(rows, {"Companies": (self.company.name, "Elsewhere")})
        self.rule.version_ids[1].action_restore()
        self.assertEqual(self.rule.sudo().company_ids, self.company)

    def test_companies_that_who_edits_a_rule_does_not_see_stay(self):
        other = self._elsewhere(seen=False)
        rule = self.Rule.sudo().create({"document": document(key="both"), "company_ids": (self.company | other).ids})
        rule = rule.with_user(self.administrator)
        self.env.invalidate_all()
        self.assertEqual(rule.working_company_ids, self.company, "the administrator works in one of them only")
        rule.working_document = document(key="both", limit=7)
        rule.write({"working_company_ids": [Command.link(self.company.id)]})
        [shown] = rule.web_read({"working_company_ids": {"fields": {"display_name": {}}}})
        self.assertEqual([row["id"] for row in shown["working_company_ids"]], self.company.ids)
        for commands in ([Command.clear()], [Command.set(self.company.ids)], [Command.unlink(other.id)]):
            with self.subTest(commands=commands), self.assertRaises(AccessError):
                rule.write({"working_company_ids": commands})
        self.env.invalidate_all()
        self.assertEqual(rule.sudo().company_ids, self.company | other)
        self.assertEqual(rule.sudo()._get_current_version().company_ids, self.company | other)

    def test_version_of_a_text_that_lists_companies_has_those(self):
        other = self._elsewhere()
        self.rule.action_activate()
        self.rule.working_document = document() + f'companies: ["{other.name}"]\n'
        self.assertEqual(self.rule.sudo().working_version_id.company_ids, other)
        self.rule.action_activate()
        self.assertEqual(self.rule.sudo().company_ids, other)
        number = self.rule.version
        self.rule.write({"company_ids": [Command.set(self.company.ids)]})
        self.assertEqual((self.rule.sudo().company_ids, self.rule.version), (other, number), "it follows its text")
