from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import Command

from odoo.addons.credit_insurance.rules.risk import EngineHost
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import CreditCommon

STORY = "credit_insurance.rule_grade_drop_and_overdue"


class AlertCommon(CreditCommon):
    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("credit_insurance.credit_insurance_group_admin")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rule = cls.env["credit.insurance.rule"]
        cls.Alert = cls.env["credit.insurance.alert"]
        cls.Rule.search([]).write({"state": "draft"})
        scale = cls.env["credit.insurance.grade.scale"].create(
            {
                "name": "1 to 5",
                "line_ids": [Command.create({"grade": str(grade), "risk_class": str(grade)}) for grade in range(1, 6)],
            }
        )
        cls.insurer = cls.env["credit.insurance.insurer"].create(
            {"name": "Insurer of the alerts", "code": "ALERTS", "grade_scale_id": scale.id}
        )

    @classmethod
    def _grade(cls, buyer, grade, days_ago):
        return cls.env["credit.insurance.grade"].create(
            {
                "buyer_id": buyer.id,
                "insurer_id": cls.insurer.id,
                "grade": str(grade),
                "risk_class": str(grade),
                "graded_on": cls.today - timedelta(days=days_ago),
            }
        )

    @classmethod
    def _make_late_buyer(cls, amount=12300.0, partner=None):
        """A buyer graded 2 a year ago and 4 last week, with an invoice 45 days overdue."""
        buyer = cls._make_buyer(partner=partner)
        cls._grade(buyer, 2, 365)
        cls._grade(buyer, 4, 7)
        cls.invoice = cls._make_invoice(amount, partner=partner, due_in=-45)
        return buyer

    def _alerts(self, buyer=None):
        return self.Alert.search([("buyer_id", "in", (buyer or self.buyer).ids)])

    @contextmanager
    def _summaries(self):
        """Carry out the jobs that count summaries, at the end of the block."""
        with trap_jobs() as trap:
            yield
            for job in trap.enqueued_jobs:
                if job.method_name == "_job_summary":
                    job.perform()

    @contextmanager
    def _host(self, **values):
        """Evaluate in a child process of the test's own."""
        host = EngineHost(**values)
        model = type(self.env["credit.insurance.screening"])
        try:
            with patch.object(model, "_get_engine_host", lambda screening: host):
                yield host
        finally:
            host.close()
