"""The simulator's own calls, over HTTP, into a running Odoo."""

import requests

from odoo.tests import HttpCase, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import CreditCommon
from .simulator_case import SimulatorCase


@tagged("post_install", "-at_install")
class TestWebhookLive(SimulatorCase, CreditCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"
        cls.account.action_renew_webhook_secret()
        cls.buyer = cls._make_linked_buyer("1002", "Buyer whose cover ends")

    def setUp(self):
        super().setUp()
        self.simulator.control.set_cover("1002", effectiveFrom=-200, statusCode="APPROVED", amount=60000)
        self._pull()
        url = f"{self.base_url()}/credit_insurance/webhook/{self.account.webhook_secret}"
        self.simulator.control.add_webhook(url)

    def _play(self, step, **body):
        """Let the insurer do something, wait until its calls are made, and follow them up as the job runner would."""
        with self.allow_requests(all_requests=True):
            requests.post(f"{self.simulator.url}/_control/{step}", json=body, timeout=10).raise_for_status()
            self.assertTrue(self.simulator.webhooks.settle())
        self.env.invalidate_all()
        statuses = {delivery["status"] for delivery in self.simulator.control.deliveries()}
        self.assertLessEqual(statuses, {204})
        with trap_jobs() as trap:
            self.env["credit.insurance.wake.up"].sudo()._job_follow_up(self.account.id)
            self._perform(trap)

    def _found(self):
        covers = self.env["credit.insurance.cover"].search([("buyer_id", "=", self.buyer.id)], order="id")
        events = self.env["credit.insurance.event"].search([("buyer_id", "=", self.buyer.id)], order="id")
        impacts = self.env["credit.insurance.impact"].search([("buyer_id", "=", self.buyer.id)], order="id")
        return covers, events, impacts

    def test_a_withdrawal_becomes_history_event_and_impact(self):
        covers, events, impacts = self._found()
        self.assertEqual((covers.mapped("status"), len(events), len(impacts)), (["approved"], 0, 0))
        self._play("scenario", name="cover_withdrawn")
        self.assertEqual([len(found) for found in self._found()], [1, 0, 0], "nothing has happened yet")
        self._play("tick")
        covers, events, impacts = self._found()
        self.assertEqual(covers[-1].announced_status, "withdrawn")
        self.assertTrue(events and impacts)
        announced = len(covers), len(events), len(impacts)
        self._play("tick")
        covers, events, impacts = self._found()
        self.assertEqual(covers[-1].status, "withdrawn")
        self.assertGreater((len(covers), len(events), len(impacts)), announced)
        self.assertEqual(impacts[-1].kind, "withdrawn")
        told = len(self.simulator.control.deliveries())
        self.assertGreaterEqual(told, 2)

    def test_a_call_that_is_made_twice_adds_nothing(self):
        self._play("buyers/1002/withdraw")
        first = [len(found) for found in self._found()]
        self._play("webhooks/wake", kind="COVER_CHANGED", buyerId="1002")
        self.assertEqual([len(found) for found in self._found()], first)
