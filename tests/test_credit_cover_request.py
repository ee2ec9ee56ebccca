from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors import Operation
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon

PATH = "/v1/cover-requests"
# What a client might try to write to make a request look different from what it is.
FORGED = {
    "name": "MINE",
    "state": "accepted",
    "insurer_reference": "CR-1",
    "insurer_words": "Yes",
    "granted_amount": 1.0,
    "exposure": 1.0,
    "figures": {"on": "2020-01-01"},
    "submitted_on": "2020-01-01 00:00:00",
    "maybe_sent": True,
    "by_hand": True,
    "live": False,
    "sent_to": "",
    "asked_on": "2020-01-01 00:00:00",
}
# More often than the transport repeats by itself.
FAULTS = [
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "status", "status": 503, "when": "before"},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "truncate"},
    {"kind": "malformed"},
]


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


class CoverRequestCommon(ClaimCommon):
    @classmethod
    def _make_request(cls, user=None, **values):
        requests = cls.env["credit.insurance.cover.request"].with_user(user or cls.officer)
        base = {"buyer_id": cls.buyer.id, "policy_id": cls.policy.id, "kind": "increase", "amount": 5000.0}
        return requests.create({**base, **values})

    def _queue(self, **values):
        request = self._make_request(**values)
        with trap_jobs():
            request.action_submit()
        return request

    def _at_insurer(self):
        return self.simulator.control.sent("cover_request")

    def _assert_one(self, request):
        found = self._at_insurer()
        self.assertEqual([row["reference"] for row in found], [request.name])
        self.assertEqual((request.state, request.insurer_reference), ("pending", found[0]["number"]))
        self.assertFalse(request.error_message or request.maybe_sent)

    def _deaf(self):
        """An insurer that can neither be asked nor knows our references again."""
        kept = Sandbox.capabilities() - {Operation.FIND_COVER_REQUEST, Operation.FIND_OVERDUE_NOTICE}
        for target in (
            patch.object(Sandbox, "capabilities", classmethod(lambda cls: kept)),
            patch.object(Sandbox, "recognises", frozenset()),
        ):
            target.start()
            self.addCleanup(target.stop)

    def _decide(self, request, *decision):
        self.simulator.control.decide(request.insurer_reference, *decision)
        with trap_jobs() as trap:
            request.browse().sudo()._cron_ask_status()
            trap.perform_enqueued_jobs()

    def _answer(self, request, **values):
        action = request.action_enter_answer()
        wizards = self.env["credit.insurance.submission.answer"].with_user(request.env.user)
        return wizards.with_context(**action["context"]).create(values).action_apply()


@tagged("post_install", "-at_install")
class TestCoverRequest(CoverRequestCommon):
    # === SENT ONCE === #

    def test_the_request_arrives_with_its_figures(self):
        request = self._make_request(urgent=True, comment="Season")
        self.assertTrue(request.name.startswith("COVER/"))
        self.assertEqual((request.exposure, request.cover_before, request.receivables), (900.0, 1000.0, 900.0))
        self.assertTrue(request.figures_html)
        self._submit(request)
        self._assert_one(request)
        body = self._at_insurer()[0]["body"]
        self.assertEqual((body["policyNumber"], body["buyerId"], body["kind"]), ("POL-1", "B-1", "INCREASE"))
        self.assertEqual((float(body["amount"]), body["urgent"], body["comment"]), (5000.0, True, "Season"))

    def test_every_lost_or_damaged_answer_ends_with_one_request(self):
        for fault in FAULTS:
            with self.subTest(fault=fault), self.cr.savepoint() as savepoint:
                request = self._queue()
                self.simulator.control.fault(path=PATH, method="POST", times=20, **fault)
                with self.assertRaises(RetryableJobError), self.cr.savepoint():
                    self._job(request)._job_submit()
                self.assertEqual(request.state, "queued")
                self.simulator.control.faults.clear()
                self._job(request)._job_submit()
                self._assert_one(request)
                self.simulator.control.book.store.run("DELETE FROM submission")
                savepoint.rollback()

    def test_killed_between_answer_and_record_and_run_again_leaves_one_request(self):
        request = self._queue()
        job = self._job(request)
        killed = patch.object(type(request), "_record_receipt", side_effect=Killed)
        with killed, self.assertRaises(Killed), self.cr.savepoint():
            job._job_submit()
        self.assertEqual((len(self._at_insurer()), request.state), (1, "queued"))
        job._job_submit()
        self._assert_one(request)

    def test_the_insurer_says_when_to_come_back(self):
        request = self._queue()
        fault = {"status": 429, "when": "before", "retry_after": 3600}
        self.simulator.control.fault("status", path=PATH, times=20, **fault)
        with self.assertRaises(RetryableJobError) as caught, self.cr.savepoint():
            self._job(request)._job_submit()
        self.assertEqual(caught.exception.seconds, 3601)

    def test_a_refused_call_says_why_in_the_insurers_words(self):
        request = self._make_request()
        self.policy.sudo().number = "POL-UNKNOWN"
        self._submit(request)
        self.assertEqual((request.state, request.maybe_sent), ("failed", False))
        self.assertEqual(request.insurer_words, "We know no policy POL-UNKNOWN")
        self.assertEqual(request.activity_ids.user_id, self.officer)
        self.assertIn("We know no policy POL-UNKNOWN", request.activity_ids.note)
        self.policy.sudo().number = "POL-1"
        self._submit(request)
        self._assert_one(request)
        self.assertFalse(request.activity_ids)

    def test_after_the_last_try_it_may_have_arrived_and_is_not_given_up(self):
        request = self._queue()
        self._job(request)._on_submit_failed("", "FailedJobError", "Max. retries (8) reached")
        self.assertEqual((request.state, request.maybe_sent), ("failed", True))
        for action in (request.action_cancel, request.action_draft, request.action_mark_sent):
            with self.assertRaisesRegex(UserError, request.name):
                action()
        self._submit(request)
        self._assert_one(request)

    # === WHERE NOBODY CAN BE ASKED === #

    def _lose_answer(self):
        """A request whose answer got lost, at an insurer that cannot be asked."""
        self._deaf()
        request = self._queue()
        self.simulator.control.fault("drop", when="after", path=PATH, method="POST", times=20)
        self._job(request)._job_submit()
        self.simulator.control.faults.clear()
        return request

    def test_what_cannot_be_found_out_is_left_to_a_person(self):
        request = self._lose_answer()
        self.assertEqual((request.state, request.maybe_sent), ("uncertain", True))
        self.assertIn("portal", request.activity_ids.note)
        self.assertEqual(request.activity_ids.user_id, self.officer)
        self._job(request)._job_submit()
        self.assertEqual((request.state, len(self._at_insurer())), ("uncertain", 1))
        for name in ("action_submit", "action_cancel", "action_draft", "action_prepare_files", "action_mark_sent"):
            with self.assertRaises(UserError):
                getattr(request, name)()

    def test_a_person_finds_it_in_the_portal(self):
        request = self._lose_answer()
        self._answer(request, state="pending", number=self._at_insurer()[0]["number"])
        self._assert_one(request)
        self.assertFalse(request.activity_ids)

    def test_a_person_finds_that_it_did_not_arrive(self):
        request = self._lose_answer()
        self.simulator.control.book.store.run("DELETE FROM submission")
        with trap_jobs() as trap:
            request.action_send_again()
            trap.perform_enqueued_jobs()
        self._assert_one(request)
        with self.assertRaises(UserError):
            request.action_send_again()

    def test_a_killed_job_at_such_an_insurer_sends_nothing_twice(self):
        self._deaf()
        request = self._queue()
        killed = patch.object(type(request), "_record_receipt", side_effect=Killed)
        with killed, self.assertRaises(Killed), self.cr.savepoint():
            self._job(request)._job_submit()
        self._job(request)._job_submit()
        self.assertEqual((request.state, len(self._at_insurer())), ("uncertain", 1))

    def test_what_certainly_did_not_arrive_is_tried_again_there_too(self):
        self._deaf()
        request = self._queue()
        self.simulator.control.fault("status", status=429, when="before", path=PATH, times=20)
        with self.assertRaises(RetryableJobError), self.cr.savepoint():
            self._job(request)._job_submit()
        self.simulator.control.faults.clear()
        self._job(request)._job_submit()
        self._assert_one(request)

    def test_a_job_that_gave_up_before_anything_left_may_be_taken_back(self):
        self._deaf()
        request = self._queue()
        self._job(request)._on_submit_failed("", "SomeError", "never got there")
        self.assertEqual((request.state, request.maybe_sent), ("failed", False))
        request.action_draft()
        self.assertEqual(request.state, "draft")

    def test_another_request_without_our_reference_is_not_taken_for_ours(self):
        request = self._queue()
        other = self._make_request(kind="reduce", amount=10.0)
        state = type("State", (), {"reference": "", "request_id": "CR-9"})
        self.assertFalse(request._is_ours(None, state, None, attempted=False))
        self.assertTrue(request._is_ours(None, state, None, attempted=True))
        self.assertNotEqual(other.name, request.name)

    # === THE DECISION === #

    def test_the_decision_is_told_and_the_covers_are_asked_for_anew(self):
        request = self._submit(self._make_request())
        covers = self.buyer.cover_ids
        with trap_jobs() as trap:
            self.simulator.control.decide(request.insurer_reference, "PARTIAL", 3000, "Not more this year")
            request.browse().sudo()._cron_ask_status()
            trap.perform_enqueued_jobs()
            # The decision writes no cover; a pull is asked for, and its pages are the truth.
            self.assertEqual(self.buyer.cover_ids, covers)
            methods = [job.method_name for job in trap.enqueued_jobs]
            self.assertIn("_job_pull_covers", methods)
        self.assertEqual((request.state, request.granted_amount), ("partial", 3000.0))
        self.assertEqual((request.decided_on, request.insurer_words), (self.today, "Not more this year"))
        self.assertEqual(request.activity_ids.user_id, self.officer)
        self.assertIn("Not more this year", request.activity_ids.note)
        self.assertIn("Not more this year", "".join(request.message_ids.mapped("body")))
        self._job(request)._job_pull_covers()
        self.assertTrue(self.env["credit.insurance.pull"].search([("account_id", "=", self.account.id)]))

    def test_the_insurers_words_are_text_in_the_activity(self):
        request = self._submit(self._make_request())
        self._decide(request, "REFUSED", None, "Equity < 5 k, see <a href='//evil.example'>here</a>")
        self.assertNotIn("<a", request.activity_ids.note)
        self.assertIn("Equity &lt; 5 k, see &lt;a", request.activity_ids.note)

    def test_words_that_no_database_holds_do_not_lose_the_decision(self):
        request = self._submit(self._make_request())
        self._decide(request, "REFUSED", None, "No\0 way")
        self.assertEqual((request.state, request.insurer_words), ("refused", "No\N{REPLACEMENT CHARACTER} way"))

    def test_the_credit_responsible_is_told_when_the_sender_has_left(self):
        request = self._job(self._submit(self._make_request()))
        self.company.credit_responsible_id = self.manager
        self.officer.active = False
        self._decide(request, "REFUSED")
        self.assertEqual(request.activity_ids.user_id, self.manager)

    def test_covers_are_asked_for_after_the_pull_that_is_under_way(self):
        request = self._submit(self._make_request())
        pulls = self.env["credit.insurance.pull"]
        pulls._start(self.account)
        with self.assertRaises(RetryableJobError) as caught, self.cr.savepoint():
            self._job(request)._job_pull_covers()
        self.assertTrue(caught.exception.ignore_retry)

    def test_a_refusal_leaves_the_cover_and_lets_ask_again(self):
        request = self._submit(self._make_request())
        self._decide(request, "REFUSED", None, "Too risky")
        self.assertEqual((request.state, request.insurer_words), ("refused", "Too risky"))
        self.assertEqual(self.buyer.cover_amount, 1000.0)
        self.assertTrue(self._make_request(amount=2000.0))

    def test_the_same_answer_again_changes_and_tells_nothing(self):
        request = self._submit(self._make_request())
        self.env.flush_all()
        before = len(request.message_ids)
        self._job(request)._job_status()
        self.env.flush_all()
        self.assertEqual((len(request.message_ids), request.state), (before, "pending"))

    def test_an_unknown_code_is_shown_and_changes_no_state(self):
        request = self._submit(self._make_request())
        self.simulator.control.fault("replace", path=f"{PATH}/", field="statusCode", value="ON_HOLD_X")
        self._job(request)._job_status()
        self.assertEqual((request.state, request.insurer_status_code), ("pending", "ON_HOLD_X"))

    def test_an_unknown_code_in_the_receipt_does_not_send_it_again(self):
        request = self._queue()
        self.simulator.control.fault("replace", path=PATH, method="POST", field="statusCode", value="ON_HOLD_X")
        self._job(request)._job_submit()
        self.assertEqual((request.state, request.insurer_status_code), ("pending", "ON_HOLD_X"))

    def test_a_request_decided_at_once_is_told_at_once(self):
        request = self._queue()
        self.simulator.control.fault("replace", path=PATH, method="POST", field="statusCode", value="REFUSED")
        self._job(request)._job_submit()
        self.assertEqual((request.state, request.activity_ids.user_id), ("refused", self.officer))
        self.assertIn("REFUSED", "".join(request.message_ids.mapped("body")))

    def test_a_list_of_undecided_requests_finds_ours_by_number_or_reference(self):
        request = self._submit(self._make_request())
        with self.account._connect() as insurer:
            state = insurer.cover_request_state(request.insurer_reference)
        self.assertFalse(request.sudo()._take_over_states(self.account, [state]))
        self._decide(request, "REFUSED")
        lost = self._queue(kind="new", amount=10.0)
        self._job(lost)._job_submit()
        self._job(lost).write({"state": "failed", "maybe_sent": True, "insurer_reference": False})
        with self.account._connect() as insurer:
            state = insurer.find_cover_request(lost._get_message())
        self.assertEqual(lost.sudo()._take_over_states(self.account, [state]), lost)
        self.assertEqual((lost.state, lost.insurer_reference), ("pending", state.request_id))

    # === ONE OPEN REQUEST === #

    def test_one_request_of_a_kind_is_open_and_the_other_is_named(self):
        request = self._make_request()
        with self.assertRaisesRegex(UserError, request.name):
            self._make_request()
        self.assertTrue(self._make_request(kind="reduce", amount=10.0))
        request.action_cancel()
        again = self._make_request()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            request.action_draft()
            self.env.flush_all()
        self.assertEqual(again.state, "draft")

    def test_another_companys_request_is_not_named(self):
        request, officer = self._make_request(), self.manager
        other = self._create_company(name="Other Ltd")
        officer.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        for model, owner in (("cover.request", request), ("report.order", self._make_report())):
            foreign = (
                self.env[f"credit.insurance.{model}"].with_user(officer).with_context(allowed_company_ids=other.ids)
            )
            vals = {"buyer_id": self.buyer.id, "policy_id": self.policy.id}
            with self.subTest(model), self.assertRaises(AccessError) as refused:
                foreign.create({**vals, "kind": "increase"} if model == "cover.request" else vals)
            self.assertNotIn(owner.name, str(refused.exception))

    def test_a_request_that_its_reader_may_not_read_is_not_named(self):
        request = self._make_request()
        rule = {
            "name": "Hidden",
            "model_id": self.env["ir.model"]._get_id(request._name),
            "domain_force": "[(0, '=', 1)]",
        }
        self.env["ir.rule"].create(rule)
        with self.assertRaisesRegex(UserError, "A request of this kind is open") as refused:
            self._make_request()
        self.assertNotIn(request.name, str(refused.exception))

    def _make_report(self):
        vals = {"buyer_id": self.buyer.id, "policy_id": self.policy.id}
        return self.env["credit.insurance.report.order"].with_user(self.officer).create(vals)

    # === WHO MAY DO WHAT === #

    def test_state_numbers_words_and_figures_cannot_be_written_by_a_client(self):
        request = self._make_request()
        for user in (self.officer, self.manager, self.administrator):
            for name, value in FORGED.items():
                with self.subTest(name), self.assertRaises(AccessError):
                    request.with_user(user).write({name: value})
        for name, value in FORGED.items():
            with self.subTest(name), self.assertRaises(AccessError):
                self._make_request(kind="new", **{name: value})
        context = {"default_state": "accepted", "default_insurer_reference": "CR-9", "default_granted_amount": 5.0}
        requests = self.env["credit.insurance.cover.request"].with_user(self.officer).with_context(**context)
        forged = requests.create({"buyer_id": self.buyer.id, "policy_id": self.policy.id, "amount": 1.0})
        self.assertEqual((forged.state, forged.insurer_reference, forged.granted_amount), ("draft", False, 0.0))

    def test_what_was_sent_stays_as_it_was_and_is_not_deleted(self):
        request = self._submit(self._make_request())
        for values in ({"amount": 1.0}, {"comment": "x"}, {"kind": "new"}):
            with self.assertRaises(UserError):
                request.write(values)
        with self.assertRaises(UserError):
            request.unlink()
        with self.assertRaises(UserError):
            request.action_refresh_figures()
        with self.assertRaises(UserError):
            request.action_cancel()
        self._make_request(kind="reduce", amount=1.0).unlink()

    def test_roles(self):
        self.assertTrue(self._submit(self._make_request(user=self.manager)))
        accountant = self.env["res.users"].create(
            {
                "name": "Accountant",
                "login": "plain_accountant",
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
                "group_ids": [Command.link(self.env.ref("account.group_account_invoice").id)],
            }
        )
        for user in (self.rep, accountant):
            with self.assertRaises(AccessError):
                self._make_request(user=user, kind="reduce")

    def test_requests_of_another_company_are_not_seen(self):
        request = self._make_request()
        other = self._create_company(name="Other Ltd")
        self.officer.company_ids = [Command.link(other.id)]
        requests = self.env["credit.insurance.cover.request"].with_user(self.officer)
        self.assertFalse(requests.with_context(allowed_company_ids=other.ids).search([("id", "=", request.id)]))
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.officer.company_ids = [Command.link(branch.id)]
        self.assertTrue(requests.with_context(allowed_company_ids=branch.ids).search([("id", "=", request.id)]))

    def test_a_draft_cannot_be_moved_to_a_company_that_its_writer_does_not_see(self):
        request = self._make_request()
        other = self._create_company(name="Other Ltd")
        policy = self.policy.sudo().copy({"company_id": other.id, "number": "OTHER", "account_id": False})
        partner = self.env["res.partner"].create({"name": "Their Buyer", "is_company": True})
        buyer = self.env["credit.insurance.buyer"].sudo()._get_or_create(partner, other)
        with self.assertRaises(UserError):
            request.with_user(self.officer).write({"policy_id": policy.id, "buyer_id": buyer.id})

    def test_an_officer_of_another_company_can_do_nothing_with_it(self):
        request = self._make_request()
        other = self._create_company(name="Other Ltd")
        self.manager.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        foreign = request.with_user(self.manager).with_context(allowed_company_ids=other.ids)
        for name in ("action_submit", "action_mark_sent", "action_cancel", "action_prepare_files", "action_ask_status"):
            with self.subTest(name), self.assertRaises(AccessError):
                getattr(foreign, name)()

    def test_a_forged_context_key_does_not_make_the_job_run_at_once(self):
        request = self._make_request()
        with trap_jobs() as trap:
            request.with_context(queue_job__no_delay=True).action_submit()
            trap.assert_jobs_count(1)
        self.assertFalse(self._at_insurer())

    # === THE WAY BY HAND === #

    def test_without_a_connection_the_same_request_is_handed_in(self):
        request = self._make_request()
        self.policy.account_id = False
        self.buyer.sudo().link_ids.unlink()
        self.partner.company_registry = "HRB 77"
        with self.assertRaisesRegex(UserError, "sent by hand"):
            request.action_submit()
        request.action_prepare_files()
        self.assertEqual(request.state, "ready")
        self.assertEqual(request._get_message().buyer_id, "HRB 77")
        with self.assertRaises(UserError):
            request.write({"amount": 1.0})
        request.action_mark_sent()
        self.assertEqual((request.state, request.submitted_by_id, request.by_hand), ("sent", self.officer, True))
        self._answer(request, state="partial", number="P-1", amount=2500.0, words="Half of it")
        self.assertEqual((request.state, request.insurer_reference), ("partial", "P-1"))
        self.assertEqual((request.granted_amount, request.insurer_words), (2500.0, "Half of it"))
        self.assertIn("Half of it", request.activity_ids.note)

    def test_an_answer_by_hand_grants_no_nonsense(self):
        request = self._make_request()
        request.action_mark_sent()
        for amount in (-1.0, 1e15):
            with self.subTest(amount), self.assertRaisesRegex(UserError, "no amount"), self.cr.savepoint():
                self._answer(request, state="partial", amount=amount)
        self.assertEqual((request.state, request.granted_amount), ("sent", 0.0))

    def test_an_insurer_without_a_connection_is_not_asked(self):
        request = self._make_request()
        request.action_mark_sent()
        self._answer(request, state="pending", number="P-1")
        self.policy.account_id = False
        with trap_jobs() as trap:
            with self.assertRaisesRegex(UserError, "no connection"):
                request.action_ask_status()
            trap.assert_jobs_count(0)

    def test_connections_that_may_not_be_used_send_nothing(self):
        request = self._make_request()
        self.account.state = "disabled"
        self.assertTrue(request.route_note)
        with self.assertRaises(UserError):
            request.action_submit()
        self.account.state = "test"
        self.assertFalse(request.browse(request.id).route_note)

    def test_an_interface_without_the_call_takes_the_way_by_hand(self):
        request = self._make_request()
        kept = Sandbox.capabilities() - {Operation.REQUEST_COVER}
        with patch.object(Sandbox, "capabilities", classmethod(lambda cls: kept)):
            request.invalidate_recordset(["route_note"])
            self.assertIn("hand it in yourself", request.route_note)
            with self.assertRaisesRegex(UserError, "hand it in yourself"):
                request.action_submit()

    def test_a_connection_disabled_meanwhile_keeps_what_may_have_arrived(self):
        request = self._queue()
        self.simulator.control.fault("drop", when="after", path=PATH, method="POST", times=20)
        with self.assertRaises(RetryableJobError), self.cr.savepoint():
            self._job(request)._job_submit()
        self.account.state = "disabled"
        self._job(request)._job_submit()
        self.assertEqual((request.state, request.maybe_sent), ("failed", True))
        self._answer(request, state="pending", number=self._at_insurer()[0]["number"])
        self.assertEqual((request.state, request.maybe_sent), ("pending", False))

    def test_an_answer_is_entered_by_who_may_send_and_only_when_one_is_waited_for(self):
        request = self._make_request()
        with self.assertRaises(UserError):
            request.action_enter_answer()
        request.action_mark_sent()
        answers = self.env["credit.insurance.submission.answer"]
        values = {"res_model": request._name, "res_id": request.id, "state": "accepted"}
        with self.assertRaises(AccessError):
            answers.with_user(self.rep).create(values)
        forged = answers.with_user(self.officer).create({**values, "res_model": "res.partner"})
        with self.assertRaises(UserError):
            forged.action_apply()
        with self.assertRaises(UserError):
            answers.with_user(self.officer).create({**values, "state": "paid"}).action_apply()
        self._answer(request, state="accepted")
        self.assertEqual((request.state, request.granted_amount), ("accepted", 5000.0))
        with self.assertRaises(UserError):
            answers.with_user(self.officer).create(values).action_apply()

    # === LISTS === #

    def test_queries_of_the_list_do_not_grow_with_the_requests(self):
        self._count_reading(1)
        few, many = self._count_reading(3), self._count_reading(20)
        self.assertEqual(few, many)

    def _count_reading(self, count):
        requests = self.env["credit.insurance.cover.request"]
        for number in range(count):
            partner = self.env["res.partner"].create({"name": f"Buyer {count}/{number}", "is_company": True})
            requests |= self._make_request(buyer_id=self._make_buyer(partner=partner).id)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        names = ("name", "partner_id", "kind", "amount", "granted_amount", "submitted_by_id", "state", "activity_ids")
        requests.with_user(self.officer).web_read({name: {} for name in names})
        return self.cr.sql_log_count - before
