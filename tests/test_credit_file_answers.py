"""What an insurer's file says about what was handed in: whose it is, of what kind, and how old."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import (
    ClaimReceipt,
    ClaimState,
    ClaimStatus,
    CollectionState,
    CollectionStatus,
    OverdueReceipt,
)
from odoo.addons.credit_insurance.rules.policy import StopCause

from .test_credit_file_import import FileImportCommon


@tagged("post_install", "-at_install")
class TestFileAnswers(FileImportCommon):
    def setUp(self):
        super().setUp()
        self.at = datetime.now(UTC)
        self.claim = self._make_claim()
        self.claim.action_mark_sent()

    def _status(self, state=ClaimState.IN_REVIEW, days=0, **values):
        told = {
            "claim_number": "CL-9",
            "reference": self.claim.name,
            "state": state,
            "raw_code": state.value,
            "updated_at": self.at - timedelta(days=days),
            "currency": self.company_currency.name,
            "claimed_amount": Decimal(900),
        }
        return ClaimStatus(**{**told, **values})

    def test_a_receipt_of_something_else_is_no_answer(self):
        receipt = OverdueReceipt(reference=self.claim.name, notice_number="N-1", received_at=self.at)
        pull = self._import([receipt, self._cover()])
        self.assertEqual((pull.state, pull.answer_count, self.claim.state), ("done", 0, "sent"))
        self.assertFalse(self.claim.insurer_reference)

    def test_of_several_states_of_a_claim_the_last_one_counts(self):
        accepted = self._status(ClaimState.ACCEPTED, 1, accepted_amount=Decimal(800))
        states = [self._status(ClaimState.IN_REVIEW, 3), accepted]
        for listed in (states, states[::-1]):
            with self.subTest(listed[0].state), self.env.cr.savepoint() as savepoint:
                self._import(listed)
                self.assertEqual((self.claim.state, self.claim.accepted_amount), ("accepted", 800.0))
                savepoint.rollback()

    def test_a_file_with_an_older_state_changes_nothing(self):
        self._import([self._status(ClaimState.ACCEPTED, 1, accepted_amount=Decimal(800))])
        pull = self._import([self._status(ClaimState.IN_REVIEW, 10)])
        self.assertEqual((self.claim.state, self.claim.accepted_amount), ("accepted", 800.0))
        self.assertIn(self.claim.name, pull.problem)
        self.assertEqual(pull.answer_count, 0)

    def test_an_older_state_than_what_a_person_entered_is_taken_over(self):
        self.claim._record_answer("acknowledged")
        self._import([self._status(ClaimState.ACCEPTED, 10, accepted_amount=Decimal(800))])
        self.assertEqual(self.claim.state, "accepted")

    def test_the_insurers_number_alone_tells_whose_answer_it_is(self):
        self._import([ClaimReceipt(reference=self.claim.name, claim_number="CL-9", received_at=self.at)])
        self._import([self._status(ClaimState.PAID, reference="", paid_amount=Decimal(700))])
        self.assertEqual((self.claim.state, self.claim.paid_amount), ("paid", 700.0))

    def test_a_number_of_ours_with_a_strange_reference_is_not_ours(self):
        self._import([ClaimReceipt(reference=self.claim.name, claim_number="CL-9", received_at=self.at)])
        pull = self._import([self._status(ClaimState.PAID, reference="CLAIM-OF-ANOTHER")])
        self.assertEqual((self.claim.state, pull.answer_count), ("acknowledged", 0))

    def test_answers_about_nothing_we_have_are_told(self):
        pull = self._import([self._status(reference="NOT-OURS"), self._status(reference="", claim_number="CL-77")])
        self.assertIn("NOT-OURS", pull.problem)
        self.assertIn("CL-77", pull.problem)

    def test_a_state_tells_that_it_arrived(self):
        self._import([self._status()])
        self.assertEqual((self.claim.state, self.claim.insurer_reference), ("in_review", "CL-9"))
        self.assertTrue(self.claim.acknowledged_on)

    def test_what_may_have_arrived_has_arrived_whatever_the_insurer_calls_its_state(self):
        for state in ("failed", "uncertain"):
            with self.subTest(state), self.env.cr.savepoint() as savepoint:
                claim = self.claim.sudo()
                claim.write({"state": state, "maybe_sent": True})
                claim._tell_responsible("Did it arrive?", "")
                self._import([self._status(ClaimState.UNKNOWN, raw_code="HM")])
                self.assertEqual((claim.state, claim.maybe_sent), ("acknowledged", False))
                self.assertFalse(claim.activity_ids.filtered(lambda activity: activity.summary == "Did it arrive?"))
                with self.assertRaises(UserError):
                    self.claim.action_cancel()
                savepoint.rollback()

    def test_cover_stops_for_a_collection_of_which_a_file_tells(self):
        cases = self.env["credit.insurance.collection.case"].with_user(self.officer)
        case = cases._create_from_invoices(self.invoices.with_user(self.officer))
        case.action_mark_sent()
        state = CollectionStatus(
            case_number="K-1", reference=case.name, state=CollectionState.IN_PROGRESS, raw_code="IN_PROGRESS",
            updated_at=self.at, currency=self.company_currency.name,
        )  # fmt: skip
        self._import([state])
        self.assertEqual(case.state, "in_progress")
        stops = self.env["credit.insurance.split"]._get_claim_stops(self.buyer)[self.buyer.id]
        self.assertIn(StopCause.COLLECTION, [stop.cause for stop in stops])

    def test_nobody_decides_in_the_future(self):
        requests = self.env["credit.insurance.cover.request"].with_user(self.officer)
        request = requests.create({"buyer_id": self.buyer.id, "policy_id": self.policy.id, "kind": "increase",
                                   "amount": 5000.0})  # fmt: skip
        request.action_mark_sent()
        with self.assertRaisesRegex(UserError, "future"):
            request._record_answer("accepted", decided_on=self.today + timedelta(days=2))
        self.assertEqual(request.state, "sent")

    def test_an_answer_to_what_was_deleted_is_refused_in_words(self):
        claim = self._make_claim(self._make_invoice(500.0, due_in=-200))
        wizard = self.env["credit.insurance.submission.answer"].with_user(self.officer)
        wizard = wizard.create({"res_model": claim._name, "res_id": claim.id, "state": "accepted"})
        claim.unlink()
        with self.assertRaisesRegex(UserError, "deleted"):
            wizard.action_apply()
