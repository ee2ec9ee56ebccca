"""How insurers perform, from the history of covers and from our requests."""

from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .insurance_common import InsuranceCommon

PERFORMANCE = "credit.insurance.insurer.performance"


@tagged("post_install", "-at_install")
class TestPerformance(InsuranceCommon):
    """The buyer has a cover of 1,000 for 700 days."""

    def _rows(self, *domain):
        self.env.flush_all()
        self.env[PERFORMANCE].invalidate_model()
        return self.env[PERFORMANCE].search([("buyer_id", "=", self.buyer.id), *domain])

    def _cuts(self):
        return sorted((row.amount, (self.today - row.date).days) for row in self._rows(("event", "=", "cut")))

    def test_cover_made_smaller_is_a_cut_and_one_made_larger_is_none(self):
        self._make_cover(2000, since=300)
        self._make_cover(500, since=100, status="reduced", decided_on=self.today - timedelta(days=110))
        self._make_cover(500, since=90)
        self._make_cover(0, since=10, status="withdrawn")
        self.assertEqual(self._cuts(), [(500, 10), (1500, 110)])
        self.assertEqual(sum(self._rows().mapped("cut_count")), 2)

    def test_refused_increase_and_temporary_layer_are_no_cuts(self):
        self._make_cover(0, since=50, status="refused")
        self._make_cover(100, since=40, layer="temporary")
        self._make_cover(0, since=30, status="unknown")
        self.assertEqual(self._cuts(), [])

    def test_request_made_elsewhere_is_measured_from_the_history(self):
        self._make_cover(0, since=20, status="requested", requested_amount=60_000)
        self._make_cover(40_000, since=12, status="partial", decided_on=self.today - timedelta(days=12))
        self._make_cover(0, since=5, status="requested", requested_amount=5_000)
        answered, waiting = self._rows(("event", "=", "request")).sorted("date")
        self.assertEqual((answered.kind, answered.days, answered.accepted), ("elsewhere", 8.0, 1.0))
        self.assertEqual((answered.amount_band, answered.granted_amount), ("2", 40_000))
        self.assertEqual((waiting.answered_on, waiting.answered_count, waiting.amount_band), (False, 0, "0"))

    def _request(self, kind, amount, asked, answered=None, state="pending", granted=0):
        """A request as the insurer answered it; how it gets there is another test's."""
        request = self.env["credit.insurance.cover.request"].create(
            {"policy_id": self.policy.id, "buyer_id": self.buyer.id, "kind": kind, "amount": amount}
        )
        request.sudo().write(
            {
                "state": state,
                "submitted_on": self.today - timedelta(days=asked),
                "decided_on": answered is not None and self.today - timedelta(days=answered),
                "granted_amount": granted,
            }
        )
        return request

    def test_requests_are_measured_by_kind_and_amount(self):
        self._request("new", 5_000, 30, 20, "accepted", 5_000)
        self._request("increase", 50_000, 20, 16, "refused")
        self._request("new", 700_000, 3)
        groups = self.env[PERFORMANCE]._read_group(
            [("event", "=", "request"), ("buyer_id", "in", self._rows().buyer_id.ids)],
            ["kind", "amount_band"],
            ["days:avg", "accepted:avg", "asked_count:sum", "answered_count:sum"],
        )
        self.assertEqual(
            sorted(groups),
            [("increase", "2", 4.0, 0.0, 1, 1), ("new", "0", 10.0, 1.0, 1, 1), ("new", "4", 0.0, 0.0, 1, 0)],
        )

    def test_reduction_we_asked_for_is_no_cut_and_our_request_is_counted_once(self):
        self._request("reduce", 400, 12, 10, "accepted", 400)
        self._make_cover(0, since=11, status="requested", requested_amount=400)
        self._make_cover(400, since=10, status="reduced")
        self.assertEqual(self._cuts(), [])
        self.assertEqual(self._rows().mapped("kind"), ["reduce"])

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_credit_group_of_the_company_reads_it(self):
        self._make_cover(500, since=100, status="reduced")
        row = self._rows()
        self.assertTrue(row.with_user(self.officer).read(["amount"]))
        with self.assertRaises(AccessError):
            row.with_user(self.rep).read(["amount"])
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            login="officer_elsewhere",
            groups="base.group_user,credit_insurance.credit_insurance_group_user",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(self.env[PERFORMANCE].with_user(stranger).search([("id", "in", row.ids)]))
