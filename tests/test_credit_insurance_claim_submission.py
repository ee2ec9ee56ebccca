from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .claim_common import ClaimCommon


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@tagged("post_install", "-at_install")
class TestClaimSubmission(ClaimCommon):
    """Whatever fails in between, the insurer has one claim and Odoo its number."""

    def _queue(self):
        claim = self._make_claim()
        with trap_jobs():
            claim.action_submit()
        return claim

    def _assert_one_claim(self, claim):
        found = self._at_insurer()
        self.assertEqual([row["reference"] for row in found], [claim.name])
        self.assertEqual((claim.state, claim.insurer_reference), ("acknowledged", found[0]["number"]))
        self.assertFalse(claim.error_message)

    def test_the_claim_arrives_with_its_figures(self):
        claim = self._submit(self._make_claim())
        self._assert_one_claim(claim)
        self.assertTrue(claim.acknowledged_on)
        body = self._at_insurer()[0]["body"]
        self.assertEqual((body["policyNumber"], body["buyerId"], body["cause"]), ("POL-1", "B-1", "PROTRACTED_DEFAULT"))
        self.assertEqual([invoice["number"] for invoice in body["invoices"]], self.invoices.mapped("name"))
        self.assertEqual(body["dateOfLoss"], str(claim.date_of_loss))

    def test_killed_between_answer_and_record_and_run_again_leaves_one_claim(self):
        claim = self._queue()
        job = self._job(claim)
        with (
            patch.object(type(claim), "_record_receipt", side_effect=Killed),
            self.assertRaises(Killed),
            self.cr.savepoint(),
        ):
            job._job_submit()
        self.assertEqual(len(self._at_insurer()), 1)
        self.assertEqual((claim.state, claim.insurer_reference), ("queued", False))
        job._job_submit()
        self._assert_one_claim(claim)

    def test_every_lost_or_damaged_answer_ends_with_one_claim(self):
        faults = [
            {"kind": "drop", "when": "before"},
            {"kind": "drop", "when": "after"},
            {"kind": "status", "status": 503, "when": "before"},
            {"kind": "status", "status": 500, "when": "after"},
            {"kind": "truncate"},
            {"kind": "malformed"},
        ]
        for fault in faults:
            with self.subTest(fault=fault), self.cr.savepoint() as savepoint:
                claim = self._queue()
                # More often than the transport repeats by itself.
                self.simulator.control.fault(path="/v1/claims", method="POST", times=20, **fault)
                with self.assertRaises(RetryableJobError), self.cr.savepoint():
                    self._job(claim)._job_submit()
                self.assertEqual(claim.state, "queued")
                self.simulator.control.faults.clear()
                self._job(claim)._job_submit()
                self._assert_one_claim(claim)
                self.simulator.control.book.store.run("DELETE FROM submission")
                savepoint.rollback()

    def test_a_refused_submission_says_why_in_the_insurers_words(self):
        claim = self._make_claim()
        self.policy.sudo().number = "POL-UNKNOWN"
        self._submit(claim)
        self.assertEqual(claim.state, "failed")
        self.assertEqual(claim.insurer_words, "We know no policy POL-UNKNOWN")
        self.assertIn("We know no policy POL-UNKNOWN", claim.error_message)
        activity = claim.activity_ids
        self.assertEqual(activity.user_id, self.officer)
        self.assertIn("We know no policy POL-UNKNOWN", activity.note)
        self.assertFalse(self._at_insurer())
        # Put right and sent again under the same reference, the activity goes.
        self.policy.sudo().number = "POL-1"
        self._submit(claim)
        self._assert_one_claim(claim)
        self.assertFalse(claim.activity_ids)

    def test_a_refused_submission_can_be_corrected(self):
        claim = self._make_claim()
        self.policy.sudo().number = "POL-UNKNOWN"
        self._submit(claim)
        claim.action_draft()
        self.assertEqual(claim.state, "draft")
        claim.action_cancel()
        self.assertEqual(claim.state, "cancelled")

    def test_after_the_last_try_the_claim_says_so_and_is_not_given_up(self):
        claim = self._queue()
        self._job(claim)._on_submit_failed("", "FailedJobError", "Max. retries (8) reached")
        self.assertEqual((claim.state, claim.maybe_sent), ("failed", True))
        self.assertEqual(len(claim.activity_ids), 1)
        for action in (claim.action_cancel, claim.action_draft, claim.action_mark_sent):
            with self.assertRaisesRegex(Exception, claim.name):
                action()
        self._submit(claim)
        self._assert_one_claim(claim)
        self.assertFalse(claim.maybe_sent)

    def test_another_claim_under_our_reference_is_not_taken_for_ours(self):
        claim = self._queue()
        self._job(claim)._job_submit()
        # As if this database were an older copy of the one that sent the claim.
        self._job(claim).write({"state": "queued", "insurer_reference": False})
        self._job(claim).line_ids[0].write({"policy_open": 599.0, "amount_open": 599.0})
        self._job(claim)._job_submit()
        self.assertEqual(claim.state, "failed")
        self.assertIn("another claim under the reference", claim.error_message)
        self.assertEqual(len(self._at_insurer()), 1)

    def test_a_claim_that_is_being_sent_is_waited_for(self):
        claim = self._queue()
        with (
            patch.object(type(claim), "try_lock_for_update", return_value=claim.browse()),
            self.assertRaises(RetryableJobError) as caught,
        ):
            self._job(claim)._job_submit()
        self.assertTrue(caught.exception.ignore_retry)
        self.assertFalse(self._at_insurer())

    def test_wrong_credentials_are_recorded_and_told(self):
        self.account.sudo().api_key = "wrong"
        claim = self._submit(self._make_claim())
        self.assertEqual(claim.state, "failed")
        self.assertTrue(claim.activity_ids)
        self.assertNotIn("wrong", claim.error_message)

    # === STATUS === #

    def _advance(self, claim, **values):
        self.simulator.control.advance_claim(claim.insurer_reference, **values)
        with trap_jobs() as trap:
            self.env["credit.insurance.claim"].sudo()._cron_ask_status()
            trap.perform_enqueued_jobs()

    def test_the_status_is_asked_for_and_shown_with_its_time(self):
        claim = self._submit(self._make_claim())
        self._advance(claim)
        self.assertEqual((claim.state, claim.insurer_status_code), ("in_review", "IN_REVIEW"))
        self.assertTrue(claim.status_checked_on and claim.status_changed_on)
        self.assertIn("IN_REVIEW", "".join(claim.message_ids.mapped("body")))
        self._advance(claim, to="PAID", amount="700.00")
        self.assertEqual((claim.state, claim.accepted_amount, claim.paid_amount), ("paid", 700.0, 700.0))
        with trap_jobs() as trap:
            self.env["credit.insurance.claim"].sudo()._cron_ask_status()
            trap.assert_jobs_count(0)

    def test_a_refusal_says_why_and_frees_the_invoices(self):
        claim = self._submit(self._make_claim())
        self._advance(claim, to="REFUSED", message="Notified too late")
        self.assertEqual((claim.state, claim.insurer_words), ("refused", "Notified too late"))
        self.assertEqual(claim.activity_ids.user_id, self.officer)
        self.assertIn("Notified too late", claim.activity_ids.note)
        self.assertFalse(claim.live)
        self.assertTrue(self._make_claim())

    def test_an_unknown_code_is_shown_and_changes_no_state(self):
        claim = self._submit(self._make_claim())
        self.simulator.control.fault("replace", path="/v1/claims/", field="statusCode", value="ON_HOLD_X")
        self._job(claim)._job_status()
        self.assertEqual((claim.state, claim.insurer_status_code), ("acknowledged", "ON_HOLD_X"))

    def test_a_status_that_cannot_be_read_leaves_the_last_one(self):
        claim = self._submit(self._make_claim())
        self._advance(claim)
        checked = claim.status_checked_on
        self.simulator.control.fault("malformed", path="/v1/claims/", times=20)
        self._job(claim)._job_status()
        self.assertEqual((claim.state, claim.status_checked_on), ("in_review", checked))
        self.assertTrue(claim.error_message)

    def test_the_same_status_writes_no_message_again(self):
        claim = self._submit(self._make_claim())
        self._advance(claim)
        self.env.flush_all()
        before = len(claim.message_ids)
        self._job(claim)._job_status()
        self.env.flush_all()
        self.assertEqual(len(claim.message_ids), before)
