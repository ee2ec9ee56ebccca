"""Defaults that a client sends in its context, or keeps as its own, make no release, no limit and no false record."""

from odoo.tests import tagged

from .test_credit_authority import AuthorityCase


@tagged("post_install", "-at_install")
class TestDefaultAttacks(AuthorityCase):
    def _defaults(self, **values):
        return {f"default_{name}": value for name, value in values.items()}

    def _keep(self, user, model, **values):
        """A user's own defaults, as every employee may set them."""
        for name, value in values.items():
            self.env["ir.default"].with_user(user).set(model, name, value, user_id=True)

    def _release_values(self):
        return {
            "state": "released",
            "release_amount": 1_000_000,
            "release_valid_until": "2199-01-01",
            "decided_by_id": self.manager.id,
        }

    def _confirm_twice(self, order):
        order.action_confirm()
        order.action_confirm()
        self.env.invalidate_all()
        self.assertEqual((order.state, order.sudo().credit_hold_ids.mapped("state")), ("draft", ["open"]))
        self.assertFalse(order.sudo().credit_hold_ids.decided_by_id)

    def test_default_in_the_context_releases_no_hold(self):
        order = self._make_order(5000).with_user(self.rep)
        self._confirm_twice(order.with_context(**self._defaults(**self._release_values())))

    def test_own_default_of_a_rep_releases_no_hold(self):
        self._keep(self.rep, "credit.insurance.hold", **self._release_values())
        self._confirm_twice(self._make_order(5000).with_user(self.rep))

    def _make_as_rep(self, amount, **context):
        line = {"product_id": self.goods.id, "product_uom_qty": 1, "price_unit": amount, "tax_ids": [(5,)]}
        orders = self.env["sale.order"].with_user(self.rep).with_context(**context)
        return orders.create({"partner_id": self.partner.id, "order_line": [(0, 0, line)]}).sudo()

    def _assert_true_totals(self, order, amount=5000):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((order.amount_total, order.order_line.price_total), (amount, amount))
        self.assertEqual((order.credit_state, order.order_line.qty_invoiced), (False, 0))

    def test_default_in_the_context_makes_no_cheap_order(self):
        values = {"price_total": 1, "price_subtotal": 1, "qty_invoiced": 1, "amount_total": 1, "credit_state": "ready"}
        self._assert_true_totals(self._make_as_rep(5000, **self._defaults(**values)))

    def test_own_default_of_a_rep_makes_no_cheap_order(self):
        self._keep(self.rep, "sale.order.line", price_total=1, price_subtotal=1, qty_invoiced=1)
        self._keep(self.rep, "sale.order", amount_total=1, credit_state="ready", currency_rate=0.001)
        order = self._make_as_rep(5000)
        self._assert_true_totals(order)
        self.assertEqual(order.currency_rate, 1)

    def _ask(self, partner, **defaults):
        requests = self.env["credit.insurance.limit.request"].with_user(self.rep)
        request = requests.create({"partner_id": partner.id, "amount": 10, "reason": "New"})
        request.with_context(**defaults).action_ask()
        return request.sudo()

    def test_default_in_the_context_makes_no_limit_with_the_credit_record(self):
        partner = self.env["res.partner"].create({"name": "Nobody looked at", "is_company": True})
        profile = self.env["credit.insurance.profile"].search([], limit=1)
        row = {"amount": 99_999, "currency_id": self.company_currency.id, "date_from": self.today}
        defaults = self._defaults(own_limit_ids=[(0, 0, row)], profile_id=profile.id, status="watch")
        buyer = self._ask(partner, **defaults).buyer_id
        self.assertEqual((buyer.own_limit_ids.ids, buyer.profile_id.ids, buyer.status), ([], [], "normal"))

    def test_own_default_of_a_rep_makes_no_credit_record(self):
        partner = self.env["res.partner"].create({"name": "Nobody looked at", "is_company": True})
        profile = self.env["credit.insurance.profile"].search([], limit=1)
        self._keep(self.rep, "credit.insurance.buyer", profile_id=profile.id, status="watch")
        buyer = self._ask(partner).buyer_id
        self.assertEqual((buyer.profile_id.ids, buyer.status), ([], "normal"))

    def test_own_default_decides_no_request(self):
        self._keep(self.rep, "credit.insurance.limit.request", state="granted", asked_by_id=self.manager.id)
        request = self.env["credit.insurance.limit.request"].with_user(self.rep)
        request = request.create({"partner_id": self.partner.id, "amount": 10, "reason": "New"})
        self.assertEqual((request.state, request.asked_by_id), ("draft", self.rep))

    def test_own_default_signs_no_limit_for_somebody_else(self):
        self._keep(self.manager, "credit.insurance.own.limit", granted_by_id=self.colleague.id, authority="The board")
        limits = self.env["credit.insurance.own.limit"].with_user(self.manager)
        row = limits.create({"buyer_id": self.buyer.id, "amount": 10, "date_from": self.today})
        self.assertEqual((row.granted_by_id, row.authority), (self.manager, False))

    def test_switch_of_the_gate_is_on_record_as_of_who_switched(self):
        switch = self.env["credit.insurance.gate.switch"].with_user(self.manager)
        switch = switch.with_context(**self._defaults(user_id=self.colleague.id))
        self._keep(self.manager, "credit.insurance.gate.log", user_id=self.colleague.id)
        switch.create({"mode": "observe", "reason": "Trial"}).action_switch()
        log = self.env["credit.insurance.gate.log"].search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual(log.user_id, self.manager)

    def test_decision_is_on_record_as_of_who_asked(self):
        self.company.credit_check_invoice = "hold"
        move = self._make_invoice(5000, post=False)
        self._keep(self.officer, "credit.insurance.decision", user_id=self.manager.id)
        move.with_user(self.officer).with_context(**self._defaults(user_id=self.manager.id)).action_post()
        self.assertEqual(move.sudo().credit_hold_ids.decision_id.user_id, self.officer)
