"""What stops the insurer's cover for new deliveries closes the gate: insolvency, claim, hand-over to collection."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .claim_common import ClaimCommon


@tagged("post_install", "-at_install")
class TestCoverStop(ClaimCommon):
    """Nothing is overdue: what holds is the stop alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "on"
        cls._pay(cls.invoices)

    def _causes(self):
        """What a new order is told of stopped cover; empty when it passes."""
        order = self._make_confirmed_order(100)
        reasons = order.sudo().credit_hold_ids.decision_id.reasons or []
        self.assertEqual(bool(reasons), order.state == "draft")
        return [reason["params"]["state"] for reason in reasons if reason["code"] == "cover_stopped"]

    def _insolvent(self, **values):
        return self.env["credit.insurance.event"].create(
            {"buyer_id": self.buyer.id, "kind": "insolvency", "source": "Court", **values}
        )

    def _make_submitted(self, model, **values):
        record = self.env[model].sudo().create({"policy_id": self.policy.id, "buyer_id": self.buyer.id})
        record.write({"submitted_on": fields.Datetime.now(), "acknowledged_on": fields.Datetime.now(), **values})
        return record

    def test_an_insolvency_holds_until_it_is_archived(self):
        self.assertEqual(self._causes(), [])
        event = self._insolvent()
        self.assertEqual(self._causes(), ["insolvency"])
        event.active = False
        self.assertEqual(self._causes(), [])

    def _stop_country(self, begins=0, ends=None, country=None):
        return self.policy.country_stop_ids.create(
            {
                "policy_id": self.policy.id,
                "country_id": (country or self.env.ref("base.de")).id,
                "date_from": self.today + timedelta(days=begins),
                "date_to": None if ends is None else self.today + timedelta(days=ends),
            }
        )

    def test_a_stop_for_its_country_holds_between_its_days(self):
        self.partner.country_id = self.env.ref("base.de")
        for begins, ends, causes in (
            (1, None, []),
            (-9, -1, []),
            (-9, 0, ["country"]),
            (0, None, ["country"]),
        ):
            with self.subTest(begins=begins, ends=ends):
                stop = self._stop_country(begins, ends)
                self.assertEqual(self._causes(), causes)
                stop.unlink()
        self._stop_country(country=self.env.ref("base.be"))
        self.assertEqual(self._causes(), [])

    def test_what_left_before_cover_was_stopped_for_its_country_stays_insured(self):
        partner = self.env["res.partner"].create({"name": "Abroad", "country_id": self.env.ref("base.de").id})
        self._make_cover(1000, buyer=self._make_buyer(partner=partner))
        before, after = (self._make_invoice(10, partner=partner, due_in=days) for days in (-5, 5))
        self._stop_country()
        (before | after).invalidate_recordset()
        self.assertEqual((before | after).mapped("credit_insurance_state"), ["full", "none"])

    def test_two_stops_for_a_country_do_not_overlap(self):
        self._stop_country(-9, -5)
        self._stop_country(-4)
        with self.assertRaisesRegex(ValidationError, "overlap"):
            self._stop_country(-5, -5)
        with self.assertRaisesRegex(ValidationError, "overlap"):
            self._stop_country(9)

    def test_the_reason_is_told_in_words(self):
        self._insolvent()
        hold = self._make_confirmed_order(100).sudo().credit_hold_ids
        self.assertIn("the buyer is insolvent", hold.reasons_text)

    def test_own_credit_is_not_stopped_by_what_stops_cover(self):
        partner = self.env["res.partner"].create({"name": "Own Risk"})
        self._insolvent(buyer_id=self._make_buyer(limit=1000, partner=partner).id)
        self.assertEqual(self._make_confirmed_order(100, partner=partner).state, "sale")

    def test_a_claim_holds_while_the_insurer_has_not_paid_it(self):
        claim = self._make_submitted("credit.insurance.claim", state="acknowledged")
        self.assertEqual(self._causes(), ["claim"])
        claim.state = "refused"
        self.assertEqual(self._causes(), [])
        claim.state = "accepted"
        self.assertEqual(self._causes(), ["claim"])
        claim.state = "paid"
        self.assertEqual(self._causes(), [])

    def test_what_leaves_after_a_claim_was_paid_is_insured_again(self):
        partner = self.env["res.partner"].create({"name": "Never Late"})
        buyer = self._make_buyer(partner=partner)
        self._make_cover(1000, buyer=buyer)
        now, days = fields.Datetime.now(), timedelta(days=1)
        claim = self._make_submitted(
            "credit.insurance.claim", buyer_id=buyer.id, state="accepted", submitted_on=now - 9 * days
        )
        during = self._make_invoice(10, partner=partner, due_in=-5)
        after = self._make_invoice(10, partner=partner)
        self.assertEqual((during | after).mapped("credit_insurance_state"), ["none", "none"])
        claim.write({"state": "paid", "status_changed_on": now - 2 * days})
        (during | after).invalidate_recordset()
        self.assertEqual((during | after).mapped("credit_insurance_state"), ["none", "full"])

    def test_an_insolvency_that_a_claim_tells_of_holds_be_it_sent_or_paid(self):
        claim = self._make_submitted("credit.insurance.claim", state="draft", submitted_on=False, cause="insolvency")
        self.assertEqual(self._causes(), [])
        claim.insolvency_date = self.today
        self.assertEqual(self._causes(), ["insolvency"])
        claim.write({"state": "paid", "submitted_on": fields.Datetime.now()})
        self.assertEqual(self._causes(), ["insolvency"])

    def test_a_claim_that_was_not_sent_holds_nothing(self):
        self._make_submitted("credit.insurance.claim", state="draft", submitted_on=False)
        self.assertEqual(self._causes(), [])

    def test_debts_handed_over_hold_until_the_case_has_ended(self):
        case = self._make_submitted("credit.insurance.collection.case", state="in_progress")
        self.assertEqual(self._causes(), ["collection"])
        case.state = "closed"
        self.assertEqual(self._causes(), [])

    def test_a_term_of_immediate_payment_is_no_payment(self):
        self._insolvent()
        order = self._make_order(100)
        order.payment_term_id = self.env.ref("account.account_payment_term_immediate")
        order.action_confirm()
        self.assertEqual(order.state, "draft")
        hold = order.sudo().credit_hold_ids
        self.assertEqual({reason["code"] for reason in hold.decision_id.reasons}, {"cover_stopped"})

    def test_the_stop_of_another_buyer_stops_nothing(self):
        partner = self.env["res.partner"].create({"name": "Other"})
        self._make_cover(1000, buyer=self._make_buyer(partner=partner))
        self._insolvent()
        self.assertEqual(self._make_confirmed_order(100, partner=partner).state, "sale")
