"""Buyers that share a limit: an order has to fit its buyer's limit and its group's."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .concurrent_case import ConcurrentCase
from .test_credit_gate import GateCase


@tagged("post_install", "-at_install")
class TestCreditGroup(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.partner"].create({"name": "Beta", "is_company": True})
        cls.first, cls.second = cls._make_buyer(limit=1000), cls._make_buyer(limit=1000, partner=cls.other)
        cls.group = cls._make_group(cls.first | cls.second, 1200)

    def test_order_has_to_fit_the_groups_limit_too(self):
        self._make_confirmed_order(800)
        order = self._make_confirmed_order(500, partner=self.other)
        self.assertEqual(order.state, "draft")
        hold = self._hold(order)
        self.assertEqual(hold.shortfall, 100)
        self.assertEqual(hold.decision_id.would_pass, 400)
        self.assertIn("Alpha and Beta", hold.reasons_text)
        self.assertEqual(self._make_confirmed_order(400, partner=self.other).state, "sale")

    def test_order_that_fits_the_group_has_to_fit_its_buyer(self):
        self.assertEqual(self._make_confirmed_order(1100).state, "draft")

    def test_orders_of_two_members_confirmed_together_share_the_headroom(self):
        orders = self._make_order(700) | self._make_order(700, partner=self.other) | self._make_order(500)
        orders.action_confirm()
        self.assertEqual(orders.mapped("state"), ["sale", "draft", "draft"])
        orders = self._make_order(300) | self._make_order(500, partner=self.other)
        orders.action_confirm()
        self.assertEqual(orders.mapped("state"), ["sale", "draft"], "each is within its own limit")

    def test_buyer_without_a_limit_is_held_to_its_groups(self):
        third = self.env["res.partner"].create({"name": "Gamma", "is_company": True})
        self._make_buyer(partner=third).group_id = self.group
        self.assertEqual(self._make_confirmed_order(1300, partner=third).state, "draft")
        self.assertEqual(self._make_confirmed_order(1200, partner=third).state, "sale")

    def test_group_without_a_limit_stops_nothing(self):
        self._make_group(self.first | self.second)
        self.assertEqual(self._make_confirmed_order(1000).state, "sale")
        self.assertEqual(self._make_confirmed_order(1000, partner=self.other).state, "sale")

    def test_group_over_two_companies_counts_both(self):
        company = self.env["res.company"].create({"name": "Second company", "credit_gate_mode": "on"})
        foreign = self._make_buyer(company=company)
        self._make_group(self.first | foreign, 1000)
        self._make_confirmed_order(600)
        group = self.first.group_id
        self.env.user.company_ids |= company
        order = self._make_order(500, company_id=company.id)
        order.action_confirm()
        self.assertEqual(order.state, "draft")
        self.assertEqual(self._hold(order).decision_id.would_pass, 400)
        self.assertEqual((group.exposure, group.headroom), (600, 400))

    def test_group_in_another_currency(self):
        euro = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self._make_group(self.first | self.second, 2000, currency_id=euro.id)
        self.assertEqual(self._make_confirmed_order(800).state, "sale")
        order = self._make_confirmed_order(300, partner=self.other)
        self.assertEqual(order.state, "draft")
        self.assertEqual(self._hold(order).shortfall, 100)
        self.assertEqual(self.first.group_id.exposure, 1600)

    def test_limit_of_a_group_does_not_depend_on_the_groups_beside_it(self):
        """Each company has its own rate, and each group a member of another company."""
        euro = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        company = self.env["res.company"].create({"name": "Second company"})
        euro.rate_ids.copy({"company_id": company.id}).rate = 4.0
        own = self.group
        other = self._make_group(self._make_buyer(company=company), 1200)
        for group in own | other:
            self._grant_to_group(group, 400, kind="temporary", date_to=self.today, currency_id=euro.id)
        self.env.invalidate_all()
        self.assertEqual((own | other).mapped("limit_amount"), [1400, 1300])

    def test_member_that_owes_in_a_currency_without_a_rate_is_not_counted_one_to_one(self):
        unrated = self.setup_other_currency("EUR", rates=[])
        unrated.rate_ids.unlink()
        self.second.group_id = False
        self.second.own_limit_ids.cancelled = True
        self.company.credit_gate_mode = "observe"
        order = self._make_order(100, partner=self.other)
        order.currency_id = unrated
        order.order_line.price_unit = 10
        order.action_confirm()
        self.company.credit_gate_mode = "on"
        self.second.group_id = self.group
        held = self._make_confirmed_order(500)
        self.assertEqual(held.state, "draft")
        self.assertIn("rate_missing", [reason["code"] for reason in self._hold(held).decision_id.reasons])

    def test_members_with_limits_in_different_currencies_share_in_one_batch(self):
        euro = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        third = self.env["res.partner"].create({"name": "Gamma", "is_company": True})
        buyer = self._make_buyer(partner=third, currency_id=euro.id)
        self._make_group(self.first | buyer, 1000)
        orders = self._make_order(600) | self._make_order(500, partner=third) | self._make_order(400, partner=third)
        orders.action_confirm()
        self.assertEqual(orders.mapped("state"), ["sale", "draft", "sale"])

    def test_expired_limit_of_a_group_is_no_credit(self):
        self.group.own_limit_ids.sudo()._write({"date_from": "2020-01-01", "date_to": "2020-12-31"})
        self.env.invalidate_all()
        self.assertEqual(self._make_confirmed_order(1).state, "draft")

    def test_growth_has_to_fit_the_group(self):
        self._make_confirmed_order(900, partner=self.other)
        order = self._make_confirmed_order(300)
        self.env.cr.flush()
        with self.assertRaises(UserError):
            order.order_line.price_unit = 40
            self.env.cr.flush()

    # === WHO WRITES IT === #

    def test_no_rep_or_officer_changes_membership_limit_or_group(self):
        for user in (self.rep, self.officer):
            with self.subTest(user=user.login):
                for record, vals in (
                    (self.first, {"group_id": False}),
                    (self.group, {"buyer_ids": [(3, self.first.id)]}),
                    (self.group, {"active": False}),
                    (self.group.own_limit_ids, {"amount": 1_000_000}),
                ):
                    with self.assertRaises(AccessError):
                        record.with_user(user).write(vals)
                with self.assertRaises(AccessError):
                    self.group.with_user(user).unlink()

    def test_managers_of_other_companies_neither_see_nor_change_a_group(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            login="credit_manager_elsewhere",
            groups="base.group_user,credit_insurance.credit_insurance_group_manager",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        theirs, limit = self.group.with_user(stranger), self.group.own_limit_ids
        self.assertFalse(theirs.search([("id", "=", self.group.id)]))
        vals = {"group_id": self.group.id, "amount": 9, "currency_id": limit.currency_id.id, "date_from": self.today}
        for number, attempt in enumerate(
            (
                lambda: theirs.read(["exposure"]),
                lambda: theirs.write({"name": "Mine"}),
                lambda: theirs.write({"own_limit_ids": [Command.create({**vals, "group_id": False})]}),
                lambda: limit.with_user(stranger).create(vals),
                lambda: limit.with_user(stranger).write({"amount": 9_999_999}),
                lambda: limit.with_user(stranger).unlink(),
                lambda: limit.with_user(stranger).read(["amount"]),
            )
        ):
            with self.subTest(number=number), self.assertRaises(AccessError), self.cr.savepoint():
                attempt()
        own = self.env["credit.insurance.group"].with_user(stranger).create({"name": "Theirs"})
        self._make_buyer(partner=self.other, company=elsewhere).group_id = self.group
        self.assertEqual(own.search([]), own | self.group, "one of its buyers is theirs now")

    def test_group_with_buyers_is_neither_archived_nor_deleted(self):
        with self.assertRaises(UserError):
            self.group.with_user(self.manager).action_archive()
        with self.assertRaises(UserError):
            self.group.sudo().unlink()
        (self.first | self.second).group_id = False
        self.group.action_archive()
        self.assertFalse(self.group.active)

    def test_queries_do_not_grow_with_the_members(self):
        counts = []
        for number in (1, 12):
            partners = self.env["res.partner"].create([{"name": f"M{n}", "is_company": True} for n in range(number)])
            buyers = self.env["credit.insurance.buyer"].union(*(self._make_buyer(partner=p) for p in partners))
            self._make_group(buyers, 10_000)
            order = self._make_order(10, partner=partners[0])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["credit.insurance.gate"]._decide(order, "confirmation")
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])


@tagged("post_install", "-at_install")
class TestConcurrentGroup(ConcurrentCase):
    def test_two_members_confirming_at_once_never_pass_the_shared_limit(self):
        partner_ids = [self._make_buyer(name) for name in ("Member A", "Member B")]
        with self._transaction() as env:
            group = env["credit.insurance.group"].create({"name": "Concurrent group"})
            env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": 1000})
            env["credit.insurance.buyer"].search([("partner_id", "in", partner_ids)]).group_id = group
        order_ids = [order_id for partner_id in partner_ids for order_id in self._make_orders(partner_id, 5)]
        self.assertEqual(self._confirm_at_once([[order_id] for order_id in order_ids]), [])
        confirmed, held, _figures = self._count_states(order_ids)
        self.assertEqual((confirmed, held), (3, 7))

    def test_small_orders_at_once_never_pass_the_days_threshold(self):
        partner_id = self._make_buyer("Small orders")
        with self._transaction() as env:
            profile = env["credit.insurance.profile"].create(
                {"name": "Small", "order_threshold": 300, "day_threshold": 700}
            )
            buyer = env["credit.insurance.buyer"].search([("partner_id", "=", partner_id)])
            buyer.profile_id = profile
            buyer.own_limit_ids.sudo()._write({"amount": 0})
        order_ids = self._make_orders(partner_id, 6)
        self.assertEqual(self._confirm_at_once([[order_id] for order_id in order_ids]), [])
        self.assertEqual(self._count_states(order_ids)[:2], (2, 4))
