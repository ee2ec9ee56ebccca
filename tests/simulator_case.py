"""Tests that talk to the insurer simulator, over real HTTP on a free port of this machine.

Odoo's test base lets requests through to 127.0.0.1 and blocks the rest.
"""

import time
from contextlib import nullcontext
from functools import partial
from unittest.mock import patch

from odoo import Command
from odoo.tests import HttpCase

from odoo.addons.credit_insurance.connectors import Hooks
from odoo.addons.credit_insurance.connectors.simulator import Simulator
from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_account_access
from odoo.addons.queue_job.tests.common import trap_jobs

POLICY_NUMBER = "TCI-2026-0001"


class ShortWaits:
    """Mixin: before a call is repeated a worker waits, here a hundredth of that. The calls are real."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        hooks = partial(Hooks, sleep=lambda seconds: time.sleep(seconds / 100))
        cls.startClassPatcher(patch.object(credit_insurance_account_access, "Hooks", hooks))


class SimulatorCase(ShortWaits):
    """Mixin for a ``TransactionCase`` with ``cls.company``: a simulator, and a connection and policy that use it.

    The simulator is filled from the seed ``simulator_seed`` for each test anew; pull its strings with
    ``self.simulator.control``.
    """

    simulator_seed = "demo"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.simulator = Simulator()
        cls.simulator.start()
        cls.addClassCleanup(cls.simulator.stop)
        cls.insurer = cls.env.ref("credit_insurance.insurer_allianz_trade")
        cls.account = cls.env["credit.insurance.account"].create(
            {
                "name": "Simulator",
                "insurer_id": cls.insurer.id,
                "company_id": cls.company.id,
                "connector": "sandbox",
                "state": "test",
                "base_url": cls.simulator.url,
                "api_key": cls.simulator.api_key,
            }
        )
        cls.policy = cls.env["credit.insurance.policy"].create(
            {
                "number": POLICY_NUMBER,
                "insurer_id": cls.insurer.id,
                "account_id": cls.account.id,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "date_start": "2026-01-01",
            }
        )
        cls.env.ref("base.EUR").active = True

    def setUp(self):
        super().setUp()
        self.simulator.control.reset()
        self.simulator.control.seed(self.simulator_seed)

    @classmethod
    def _make_linked_buyer(cls, number, name="Buyer", **partner_values):
        """A buyer that the insurer knows as ``number``."""
        partner = cls.env["res.partner"].create({"name": name, "is_company": True, **partner_values})
        buyer = cls.env["credit.insurance.buyer"]._get_or_create(partner, cls.company)
        buyer.link_ids = [Command.create({"account_id": cls.account.id, "external_id": number})]
        return buyer

    def _pull(self, account=None):
        """Pull to the end, job by job, and return the pull."""
        with trap_jobs() as trap:
            pull = self.env["credit.insurance.pull"]._start(account or self.account)
            self._perform(trap)
        return pull

    def _perform(self, trap):
        """Perform the jobs, and those that they make. A pull has a cursor of its own and commits its pages."""
        self.env.flush_all()
        with nullcontext() if isinstance(self, HttpCase) else self.enter_registry_test_mode():
            while trap.enqueued_jobs:
                for job in trap.enqueued_jobs:  # those made by a pull's job still have its cursor, which is closed
                    job.recordset = job.recordset.with_env(job.recordset.env(cr=self.env.cr))
                trap.perform_enqueued_jobs()
        self.env.invalidate_all()
