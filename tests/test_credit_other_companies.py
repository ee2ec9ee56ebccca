"""What belongs to a company is read and changed there only, whatever role somebody has elsewhere."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .insurance_common import InsuranceCommon

# Of nobody's, or of all companies.
SHARED = {
    "credit.insurance.change",
    "credit.insurance.country.class",
    "credit.insurance.grade.scale",
    "credit.insurance.grade.scale.line",
    "credit.insurance.insurer",
    "credit.insurance.release.reason",
    "credit.insurance.rule.pack",
    "credit.insurance.signal",
}
# No role reads them but the administrator of the database, or they tell counts of all companies.
INTERNAL = {
    "credit.insurance.attempt",
    "credit.insurance.call",
    "credit.insurance.reservation",
    "credit.insurance.screening.block",
    "credit.insurance.screening.run",
    "credit.insurance.token",
}


@tagged("post_install", "-at_install")
class TestOtherCompanies(InsuranceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        elsewhere = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.stranger = new_test_user(
            cls.env,
            login="credit_administrator_elsewhere",
            groups="base.group_user,credit_insurance.credit_insurance_group_admin",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )

    def test_every_model_keeps_to_its_companies(self):
        models = self.env["ir.model"].search([("model", "=like", "credit.insurance.%"), ("transient", "=", False)])
        open_to_all = {
            model.model
            for model in models
            if model.access_ids and not model.rule_ids and not self.env[model.model]._abstract
        }
        self.assertEqual(open_to_all - SHARED - INTERNAL, set())

    def test_nothing_of_a_company_is_changed_or_read_from_elsewhere(self):
        profile = self.env["credit.insurance.profile"].create(
            {
                "name": "Ours",
                "company_id": self.company.id,
                "line_ids": [Command.create({"reason": "overdue", "severity": "warn"})],
            }
        )
        formula = self.env["credit.insurance.recommendation.formula"].create({"company_id": self.company.id})
        self.company._switch_credit_gate("observe", "Trial")
        log = self.env["credit.insurance.gate.log"].search([("company_id", "=", self.company.id)], limit=1)
        stop = self.policy.country_stop_ids.create(
            {"policy_id": self.policy.id, "country_id": self.env.ref("base.de").id, "date_from": self.today}
        )
        records = (self.policy.period_ids[0], profile.line_ids, formula, log, stop, self.policy, self.cover)
        for record in records:
            with self.subTest(model=record._name):
                theirs = record.with_user(self.stranger)
                self.assertFalse(theirs.search([("id", "=", record.id)]))
                for attempt in (theirs.read, theirs.unlink, lambda one=theirs: one.write({"id": one.id})):
                    with self.assertRaises(UserError):
                        attempt()
                self.assertTrue(record.exists())

    def test_nothing_is_added_to_a_company_from_elsewhere(self):
        profile = self.env["credit.insurance.profile"].create({"name": "Ours", "company_id": self.company.id})
        self.policy.period_ids.filtered(lambda row: row.kind == "escalation").unlink()
        additions = {
            "credit.insurance.policy.period": {"policy_id": self.policy.id, "kind": "escalation", "number": 1},
            "credit.insurance.policy.country.stop": {
                "policy_id": self.policy.id,
                "country_id": self.env.ref("base.de").id,
                "date_from": self.today,
            },
            "credit.insurance.profile.line": {"profile_id": profile.id, "reason": "overdue", "severity": "warn"},
            "credit.insurance.recommendation.formula": {"company_id": self.company.id},
        }
        for model, vals in additions.items():
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.stranger).create(vals)
