from odoo.tests import Form, tagged

from .test_credit_cover_request import CoverRequestCommon


@tagged("post_install", "-at_install")
class TestCoverRequestBegin(CoverRequestCommon):
    """What a request proposes when it is begun. The buyer owes 900 and has a cover of 1,000."""

    def _propose(self, action):
        return {name: action["context"][f"default_{name}"] for name in ("kind", "amount")}

    def test_the_buyers_button_opens_what_is_open(self):
        buyer = self.buyer.with_user(self.officer)
        requests = self.env["credit.insurance.cover.request"].with_user(self.officer)
        with Form(requests.with_context(**buyer.action_ask_insurer()["context"])) as form:
            form.amount = 2000.0
        request = form.record
        self.assertEqual((request.policy_id, request.state), (self.policy, "draft"))
        self.assertEqual(buyer.action_ask_insurer()["res_id"], request.id)
        self.assertEqual(self.buyer.open_request_count, 1)

    def test_more_is_not_proposed_where_the_cover_has_room(self):
        action = self.buyer.with_user(self.officer).action_ask_insurer()
        self.assertEqual(self._propose(action), {"kind": "increase", "amount": 0.0})

    def test_room_for_held_orders_is_proposed(self):
        self.company.credit_gate_mode = "on"
        order = self._make_order(600.0)
        order.action_confirm()
        self.assertTrue(order.credit_hold_ids.filtered(lambda hold: hold.state == "open"))
        action = self.buyer.with_user(self.officer).action_ask_insurer()
        self.assertEqual(self._propose(action), {"kind": "increase", "amount": 1500.0})

    def test_what_is_owed_is_what_is_kept_when_cover_is_given_back(self):
        action = self.buyer.with_user(self.officer).action_give_cover_back()
        self.assertEqual(self._propose(action), {"kind": "reduce", "amount": 900.0})

    def test_nothing_is_given_back_of_a_cover_that_is_needed(self):
        self._make_invoice(400.0)
        action = self.buyer.with_user(self.officer).action_give_cover_back()
        self.assertEqual(self._propose(action), {"kind": "reduce", "amount": 0.0})
