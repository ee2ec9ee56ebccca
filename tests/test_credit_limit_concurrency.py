"""Limits granted at the same instant, each in a transaction of its own and with Odoo's retry loop around it."""

import threading
from concurrent.futures import ThreadPoolExecutor

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tests.common import get_db_name

from .concurrent_case import ConcurrentCase

AUTHORITY, GRANTED = 1000, 600


@tagged("post_install", "-at_install")
class TestConcurrentGrants(ConcurrentCase):
    def setUp(self):
        super().setUp()
        with self._transaction() as env:
            company = env.ref("base.main_company")
            groups = env.ref("credit_insurance.credit_insurance_group_manager") | env.ref("base.group_user")
            partner = env["res.partner"].create({"name": "Granted at once", "is_company": True})
            self.buyer_id = env["credit.insurance.buyer"]._get_or_create(partner, company).id
            users = env["res.users"].with_context(no_reset_password=True).create(
                [
                    {
                        "name": f"Manager {number}",
                        "login": f"granting {partner.id} {number}",
                        "company_id": company.id,
                        "company_ids": [Command.set(company.ids)],
                        "group_ids": [Command.set(groups.ids)],
                    }
                    for number in range(2)
                ]
            )  # fmt: skip
            self.user_ids = users.ids
            self.authority_id = (
                env["credit.insurance.authority"]
                .create({"company_id": company.id, "kind": "limit", "user_ids": users.ids, "amount": AUTHORITY,
                         "unrated_allowed": True})
                .id
            )  # fmt: skip

    def tearDown(self):
        with self._transaction() as env:
            env["credit.insurance.authority"].browse(self.authority_id).active = False
            env["res.users"].browse(self.user_ids).active = False
        super().tearDown()

    def _at_once(self, act):
        """Let both managers ``act(env, number)`` at the same instant; the errors that reached them."""
        barrier = threading.Barrier(2)

        def run(number):
            threading.current_thread().dbname = get_db_name()
            with self._transaction() as env:
                env = env(user=self.user_ids[number])
                env["credit.insurance.own.limit"].search_count([])  # the snapshot is taken before anybody grants
                barrier.wait(timeout=60)
                try:
                    retrying(lambda: act(env, number), env)
                except Exception as error:  # noqa: BLE001 (whatever a client would have been told)
                    env.cr.rollback()
                    return error
            return None

        with ThreadPoolExecutor(2) as pool:
            return [error for error in pool.map(run, range(2)) if error]

    def _grant(self, env, amount=GRANTED, **values):
        today = env.ref("base.main_company")._credit_today()
        terms = {"kind": "temporary", "amount": amount, "date_from": today, "date_to": fields.Date.add(today, days=9)}
        return env["credit.insurance.own.limit"].create({"buyer_id": self.buyer_id, **terms, **values})

    def _get_standing(self):
        with self._transaction() as env:
            return sum(env["credit.insurance.own.limit"].search([("buyer_id", "=", self.buyer_id)]).mapped("amount"))

    def test_two_limits_at_once_do_not_exceed_the_authority_together(self):
        errors = self._at_once(lambda env, _number: self._grant(env))
        self.assertEqual([type(error) for error in errors], [AccessError])
        self.assertEqual(self._get_standing(), GRANTED)

    def test_two_requests_granted_at_once_do_not_exceed_the_authority_together(self):
        with self._transaction() as env:
            buyer = env["credit.insurance.buyer"].browse(self.buyer_id)
            requests = env["credit.insurance.limit.request"].create(
                [
                    {
                        "partner_id": buyer.partner_id.id,
                        "company_id": buyer.company_id.id,
                        "amount": GRANTED,
                        "reason": "Season",
                    }
                    for _number in range(2)
                ]
            )
            for request in requests:
                request.action_ask()
            today = buyer.company_id._credit_today()

        def grant(env, number):
            request = env["credit.insurance.limit.request"].browse(requests.ids[number])
            request._grant(GRANTED, "temporary", today, fields.Date.add(today, days=9), False, "Both at once")

        errors = self._at_once(grant)
        self.assertEqual([type(error) for error in errors], [AccessError])
        self.assertEqual(self._get_standing(), GRANTED)

    def test_an_extension_and_a_new_limit_at_once_do_not_exceed_the_authority_together(self):
        with self._transaction() as env:
            today = env.ref("base.main_company")._credit_today()
            ends, starts, last = (fields.Date.add(today, days=days) for days in (1, 2, 9))
            first_id = self._grant(env, date_to=ends).id

        def extend_or_grant(env, number):
            if number:
                self._grant(env, date_from=starts, date_to=last)
            else:
                env["credit.insurance.own.limit"].browse(first_id).date_to = last

        errors = self._at_once(extend_or_grant)
        self.assertEqual([type(error) for error in errors], [AccessError])
