from odoo.addons.credit_insurance.connectors.simulator import Simulator
from odoo.addons.queue_job.tests.common import trap_jobs

from .insurance_common import InsuranceCommon
from .simulator_case import ShortWaits


class ClaimCommon(ShortWaits, InsuranceCommon):
    """The insurer simulator over HTTP, a connection to it, and a linked buyer with long overdue invoices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.simulator = Simulator()
        cls.simulator.control.seed(
            data={
                "policies": [
                    {
                        "policyNumber": "POL-1",
                        "holder": "Test",
                        "currency": cls.company_currency.name,
                        "startsOn": -700,
                        "insuredPercentage": "90",
                    }
                ],
                "buyers": [{"buyerId": "B-1", "name": cls.partner.name, "country": "DE"}],
            }
        )
        cls.simulator.start()
        cls.addClassCleanup(cls.simulator.stop)
        cls.account = cls.env["credit.insurance.account"].create(
            {
                "name": "Simulator",
                "insurer_id": cls.insurer.id,
                "company_id": cls.company.id,
                "connector": "sandbox",
                "state": "test",
            }
        )
        cls.account.sudo().write({"base_url": cls.simulator.url, "api_key": cls.simulator.api_key})
        cls.policy.account_id = cls.account
        cls.env["credit.insurance.buyer.link"].create(
            {"account_id": cls.account.id, "buyer_id": cls.buyer.id, "external_id": "B-1"}
        )
        # Delivered before the first of them passed its MEP: all of them are insured.
        cls.invoices = cls._make_invoice(600.0, due_in=-250) | cls._make_invoice(300.0, due_in=-230)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.simulator.control.book.store.run, "DELETE FROM submission")
        self.addCleanup(self.simulator.control.faults.clear)

    def _make_claim(self, moves=None, user=None):
        action = (moves or self.invoices).with_user(user or self.officer).action_credit_insurance_make_claim()
        return self.env["credit.insurance.claim"].with_user(user or self.officer).browse(action["res_id"])

    def _submit(self, claim):
        """Submit and run the job, as the job runner would: as superuser, on the record alone."""
        with trap_jobs() as trap:
            claim.action_submit()
            trap.assert_jobs_count(1)
            trap.perform_enqueued_jobs()
        return claim

    def _job(self, claim):
        return claim.with_user(self.env.ref("base.user_root")).sudo()

    def _at_insurer(self):
        return self.simulator.control.claims()
