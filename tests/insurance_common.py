from datetime import timedelta
from unittest.mock import patch

from .common import CreditCommon


class InsuranceCommon(CreditCommon):
    """A policy with the generic terms (90 %, MEP 60 days, waiting period 180) and a cover of 1,000 on the buyer."""

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("credit_insurance.credit_insurance_group_admin")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "off"
        cls.insurer = cls.env["credit.insurance.insurer"].create({"name": "Test Insurer", "code": "TEST"})
        cls.policy = cls._make_policy()
        cls.buyer = cls._make_buyer()
        cls.cover = cls._make_cover(1000.0)

    @classmethod
    def _make_policy(cls, **values):
        company = values.pop("company", cls.company)
        return cls.env["credit.insurance.policy"].create(
            {
                "number": "POL-1",
                "insurer_id": cls.insurer.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                "date_start": cls.today - timedelta(days=700),
                "insured_percentage": 90.0,
                "max_payment_term_days": 120,
                **values,
            }
        )

    @classmethod
    def _make_cover(cls, amount, buyer=None, policy=None, status="approved", since=700, **values):
        policy = policy or cls.policy
        return cls.env["credit.insurance.cover"].create(
            {
                "buyer_id": (buyer or cls.buyer).id,
                "policy_id": policy.id,
                "status": status,
                "amount": amount,
                "currency_id": policy.currency_id.id,
                "insured_percentage": 90.0,
                "effective_from": cls.today - timedelta(days=since),
                **values,
            }
        )

    def _run_deadline_cron(self):
        """The daily job, without its commits."""
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", return_value=1.0):
            self.env["credit.insurance.deadline"]._cron_update()

    def _dates(self, move):
        """Days from the original due date to each deadline: ``{kind: days}``."""
        return {row.kind: (row.date - row.due_date).days for row in move.credit_insurance_deadline_ids}

    def _states(self, move):
        self.env.flush_all()
        return {row.kind: row.state for row in move.credit_insurance_deadline_ids}
