"""Calls of insurers: they make us look, and nothing else; whoever calls learns nothing."""

import hashlib
import hmac
import json
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.credit_insurance.connectors import Operation
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import CreditCommon
from .simulator_case import SimulatorCase

PATH = "/credit_insurance/webhook/"
WAKE_UP = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_wake_up"


@tagged("post_install", "-at_install")
class TestWakeUp(SimulatorCase, CreditCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.action_renew_webhook_secret()
        cls.secret = cls.account.webhook_secret
        cls.buyer = cls._make_linked_buyer("1001", "Atelier Lumière SARL")

    def _body(self, kind="COVER_CHANGED", buyers=("1001",), requests=()):
        return json.dumps({"kind": kind, "buyerIds": buyers, "requestIds": requests}).encode()

    def _post(self, body, secret=None, headers=None):
        url = f"{self.base_url()}{PATH}{secret or self.secret}"
        answer = self.opener.post(url, data=body, headers={"Content-Type": "application/json", **(headers or {})})
        self.env.invalidate_all()
        return answer

    def _notes(self):
        return self.env["credit.insurance.wake.up"].sudo().search([("account_id", "=", self.account.id)])

    def _jobs(self):
        key = f"credit_insurance.wake-up-{self.account.id}"
        return self.env["queue.job"].sudo().search([("identity_key", "=", key)])

    # === WHAT COMES IN === #

    def test_call_is_noted_and_followed_up_by_one_job(self):
        for _time in range(2):
            answer = self._post(self._body())
            self.assertEqual((answer.status_code, answer.content), (204, b""))
        self.assertEqual(self._notes().mapped("operations"), [["cover_page"]] * 2)
        self.assertEqual(len(self._jobs()), 1, "calls that come together are followed up together")

    def test_unknown_secret_is_not_found_and_does_nothing(self):
        for secret in ("x", self.secret[:-1], self.secret + "x", "é" * 40):
            self.assertEqual(self._post(self._body(), secret=secret).status_code, 404)
        self.assertFalse(self._notes() or self._jobs())

    def test_insurers_that_only_ping_are_answered_and_others_are_not_followed_up(self):
        self.assertEqual(self.url_open(f"{PATH}{self.secret}").status_code, 204)
        self.assertFalse(self._notes() or self._jobs(), "the simulator says in the body what a call is about")
        self.account.connector = "coface"
        self.assertEqual(self.url_open(f"{PATH}{self.secret}").status_code, 204)
        self.assertTrue(self._notes())
        self.assertEqual(self.url_open(f"{PATH}{self.secret}", data={"x": "1"}, method="PUT").status_code, 405)

    def test_junk_is_answered_like_everything_and_does_nothing(self):
        deep = b"[" * 30_000
        for body in (b"", b"\x00\xff\xfe", b"{", b"[]", b"null", b"<a/>", deep, json.dumps({"kind": 3}).encode()):
            self.assertEqual(self._post(body).status_code, 204, body[:20])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self._post(b"secret=other&kind=COVER_CHANGED", headers=form).status_code, 204)
        self.assertFalse(self._notes() or self._jobs())

    def test_numbers_that_no_database_holds_are_answered_like_everything(self):
        for number in ("1001\0", "1001\ud800"):
            self.assertEqual(self._post(self._body(buyers=(number,))).status_code, 204)

    def test_what_is_too_large_is_not_read(self):
        huge = self._body() + b" " * 200_000
        for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
            self.assertIn(self._post(huge, headers=headers).status_code, (204, 413))
        self.assertFalse(self._notes())

    def test_flood_is_put_together(self):
        with patch(f"{WAKE_UP}.CALLS_A_MINUTE", 3):
            for _number in range(8):
                self.assertEqual(self._post(self._body()).status_code, 204)
        notes = self._notes()
        self.assertEqual([bool(note.operations) for note in notes], [True] * 3 + [False])
        self.assertEqual(len(self._jobs()), 1)
        self.assertEqual(notes._put_together(), (None, [], []))

    def test_numbers_too_many_for_one_question_are_not_cut(self):
        with patch(f"{WAKE_UP}.IDS_AT_ONCE", 3):
            for numbers in ("12", "34"):
                self._post(self._body("GRADE_CHANGED", buyers=list(numbers), requests=list(numbers)))
            notes = self._notes()
            self.assertEqual(notes.mapped("buyer_ids"), [["1", "2"], ["3", "4"]])
            _operations, buyers, requests = notes._put_together()
        self.assertEqual((buyers, requests), ([], []), "all are asked about")

    def test_a_call_that_names_no_request_is_about_all_of_them(self):
        model, sent = self.env["credit.insurance.wake.up"].sudo(), [Operation.CLAIM_STATUS]
        for requests in (["R-1"], False):
            model.create({"account_id": self.account.id, "operations": sent, "request_ids": requests})
        self.assertEqual(self._notes()._put_together(), ({Operation.CLAIM_STATUS}, [], []))

    def test_disabled_and_neutralized_connections_pass_over_it(self):
        self.account.state = "disabled"
        self.assertEqual(self._post(self._body()).status_code, 204)
        self.account.state = "test"
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        self.assertEqual(self._post(self._body()).status_code, 204)
        self.assertFalse(self._notes())

    def test_connection_that_asks_for_signatures_passes_over_the_unsigned(self):
        self.account.webhook_signing_key = "shared"
        body = self._body()
        signature = hmac.new(b"shared", body, hashlib.sha256).hexdigest()
        forged = hmac.new(b"other", body, hashlib.sha256).hexdigest()
        for headers in ({}, {"X-Signature-256": f"sha256={forged}"}, {"X-Signature-256": "é"}):
            self.assertEqual(self._post(body, headers={k: v.encode() for k, v in headers.items()}).status_code, 204)
        self.assertFalse(self._notes())
        self.assertEqual(self._post(body, headers={"X-Signature-256": f"sha256={signature}"}).status_code, 204)
        self.assertEqual(len(self._notes()), 1)

    # === WHAT FOLLOWS === #

    def _follow_up(self):
        with trap_jobs() as trap:
            self.env["credit.insurance.wake.up"].sudo()._job_follow_up(self.account.id)
            self._perform(trap)

    def test_the_truth_is_read_from_the_insurer_and_not_from_the_call(self):
        body = json.dumps({"kind": "COVER_CHANGED", "buyerIds": ["1001"], "requestIds": [], "amount": "1.00"}).encode()
        self._post(body)
        self._follow_up()
        self.assertEqual(self.buyer.cover_amount, 60000)
        pull = self.env["credit.insurance.pull"].search([("account_id", "=", self.account.id)])
        self.assertEqual((pull.state, [kind for kind, _policy in pull.plan]), ("done", ["covers", "covers_end"]))

    def test_call_that_comes_again_changes_nothing_more(self):
        for _time in range(2):
            self._post(self._body())
            self._follow_up()
        self.assertEqual(len(self.buyer.cover_ids), 1)
        self.assertTrue(all(self._notes().mapped("done")))

    def test_grades_are_asked_for_of_the_named_buyers_only(self):
        other = self._make_linked_buyer("1006", "Iberia Frutas S.L.")
        self._post(self._body("GRADE_CHANGED"))
        self._follow_up()
        self.assertTrue(self.buyer.grade)
        self.assertFalse(other.grade)
        self.assertFalse(self.account.grades_pulled_at, "not all of them were asked for")

    def test_call_during_a_pull_waits_for_its_end(self):
        with trap_jobs():
            self.env["credit.insurance.pull"]._start(self.account)
        self._post(self._body())
        pull = self.env["credit.insurance.pull"]
        with patch.object(type(pull), "_has_job", lambda _pull: True), self.assertRaises(RetryableJobError):
            self.env["credit.insurance.wake.up"].sudo()._job_follow_up(self.account.id)
        self.assertFalse(self._notes().done)

    # === THE SECRET === #

    def test_secret_is_the_system_administrators(self):
        for user in (self.rep, self.officer, self.manager, self.administrator):
            account = self.account.with_user(user)
            with self.assertRaises(AccessError):
                account.action_renew_webhook_secret()
            with self.assertRaises(AccessError):
                account.read(["webhook_secret"])
        self.assertNotIn("webhook_secret", self.account.copy_data()[0])

    def test_renewed_secret_is_another_and_the_old_one_is_unknown(self):
        old = self.secret
        self.account.action_renew_webhook_secret()
        self.assertGreaterEqual(len(self.account.webhook_secret), 43)
        self.assertIn(self.account.webhook_secret, self.account.webhook_url)
        self.assertEqual(self._post(self._body(), secret=old).status_code, 404)
        self.assertEqual(self._post(self._body(), secret=self.account.webhook_secret).status_code, 204)
        self.account.action_remove_webhook_secret()
        self.assertEqual(self._post(self._body(), secret=old).status_code, 404)

    def test_nobody_writes_a_secret_of_his_own(self):
        groups = "base.group_system,credit_insurance.credit_insurance_group_admin"
        system = new_test_user(self.env, login="system", groups=groups, company_id=self.company.id)
        self.account.with_user(system).write({"webhook_secret": "short", "pull_hours": 12})
        self.assertEqual(self.account.pull_hours, 12)
        self.assertEqual(self.account.webhook_secret, self.secret)
