"""What a change of cover touches: recorded once, with the figures of the day, and put before the right people."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import CreditCommon
from .simulator_case import SimulatorCase


@tagged("post_install", "-at_install")
class TestImpact(SimulatorCase, CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"
        cls.buyer = cls._make_linked_buyer("1001", "Atelier Lumière SARL")
        cls.customer = cls.buyer.partner_id
        cls.lakes = cls._make_linked_buyer("1008", "Great Lakes Supply Inc.")

    def setUp(self):
        super().setUp()
        self.simulator.control.set_cover("1001", effectiveFrom=-200, statusCode="APPROVED", amount=60000)
        self._pull()

    def _impacts(self, buyer=None):
        return self.env["credit.insurance.impact"].search([("buyer_id", "=", (buyer or self.buyer).id)], order="id")

    def _change(self, **values):
        before = self._impacts()
        self.simulator.control.set_cover("1001", **values)
        self._pull()
        return self._impacts() - before

    # === WHAT IS RECORDED === #

    def test_first_answer_is_no_change(self):
        self.assertFalse(self._impacts())
        self.assertFalse(self.env["credit.insurance.event"].search_count([("buyer_id", "=", self.buyer.id)]))

    def test_reduction_is_recorded_once_with_what_stood_and_what_stands(self):
        impact = self._change(statusCode="REDUCED", amount=20000)
        self.assertRecordValues(
            impact,
            [
                {
                    "kind": "reduced",
                    "amount_before": 60000.0,
                    "amount_after": 20000.0,
                    "effective_from": self.today,
                    "keeps_until": self.today - timedelta(days=1),
                    "known_on": self.today,
                    "company_id": self.company.id,
                    "state": "ready",
                }
            ],
        )
        self._pull()
        self.assertEqual(self._impacts(), impact)

    def test_each_kind_of_change_for_the_worse(self):
        for values, kind in (
            ({"effectiveTo": 40}, "expiring"),
            ({"statusCode": "REDUCED", "amount": 50000, "effectiveTo": 40}, "reduced"),
            ({"statusCode": "REFUSED"}, "refused"),
        ):
            with self.subTest(kind):
                self.assertEqual(self._change(**values).mapped("kind"), [kind])

    def test_lower_percentage_is_a_change_for_the_worse(self):
        self.simulator.control.book.store.run("UPDATE cover SET insured_percentage = '80' WHERE buyer_id = '1001'")
        self._pull()
        impact = self._impacts()
        self.assertEqual((impact.kind, impact.percentage_before, impact.percentage_after), ("percentage", 90.0, 80.0))

    def test_more_cover_is_no_impact(self):
        self.assertFalse(self._change(amount=90000))

    def test_announced_withdrawal_is_an_impact_and_its_coming_is_no_second_one(self):
        day = self.today + timedelta(days=20)
        announcement = {"kind": "WITHDRAWAL", "effectiveFrom": 20}
        impact = self._change(announcements=[announcement])
        self.assertEqual((impact.kind, impact.announced_status, impact.effective_from), ("announced", "withdrawn", day))
        self.assertEqual((impact.amount_before, impact.amount_after), (60000.0, 0.0))
        self.assertEqual(impact.keeps_until, day - timedelta(days=1))
        self.env.cr.execute(
            "UPDATE credit_insurance_cover SET announced_from = %s WHERE id = %s", [self.today, impact.cover_id.id]
        )
        self.env.invalidate_all()
        self.simulator.control.withdraw("1001")
        self._pull()
        self.assertEqual(self._impacts(), impact)

    def test_announcement_taken_back_ends_the_impact_and_its_activities(self):
        self._make_confirmed_order(1000, partner=self.customer)
        impact = self._change(announcements=[{"kind": "WITHDRAWAL", "effectiveFrom": 20}])
        self.assertTrue(impact.activity_ids)
        self.assertFalse(self._change(announcements=[]))
        self.assertEqual(impact.restored_on, self.today)
        self.assertFalse(impact.activity_ids)

    def test_cover_as_it_stood_before_ends_the_impact_and_less_does_not(self):
        self._make_confirmed_order(1000, partner=self.customer)
        percentage = "UPDATE cover SET insured_percentage = ? WHERE buyer_id = '1001'"
        store = self.simulator.control.book.store
        for worse, better, back in (
            (
                {"statusCode": "REDUCED", "amount": 20000},
                {"amount": 30000},
                {"statusCode": "APPROVED", "amount": 60000},
            ),
            ({"effectiveTo": 40}, {"effectiveTo": 30}, {"effectiveTo": 90}),
        ):
            with self.subTest(**worse):
                impact = self._change(**worse)
                self.assertTrue(impact.activity_ids)
                self._change(**better)
                self.assertFalse(impact.restored_on)
                self._change(**back)
                self.assertEqual(impact.restored_on, self.today)
                self.assertFalse(impact.activity_ids)
        store.run(percentage, "80")
        self._pull()
        impact = self._impacts()[-1]
        self.assertEqual((impact.kind, impact.restored_on), ("percentage", False))
        store.run(percentage, "90")
        self._pull()
        self.assertEqual(impact.restored_on, self.today)

    def test_refused_increase_changes_nothing(self):
        self.simulator.control.set_cover("1001", statusCode="PENDING", amount=60000)
        self._pull()
        self.assertFalse(self._change(statusCode="REFUSED"))

    # === FIGURES === #

    def _make_documents(self):
        """A quotation of 700, an order of 1,000 of which 400 are delivered, an invoice of 300."""
        quotation = self._make_order(700, partner=self.customer)
        order = self._make_order(1000, partner=self.customer, product=self.goods_on_delivery)
        order.action_confirm()
        order.order_line.qty_delivered = 4
        self._make_invoice(300, partner=self.customer)
        return quotation, order

    def test_figures_are_those_of_the_day_and_those_of_today_stand_beside(self):
        _quotation, order = self._make_documents()
        impact = self._change(statusCode="REDUCED", amount=20000)
        self.assertRecordValues(
            impact,
            [{"quotation_amount": 700, "undelivered_amount": 600, "unbilled_amount": 400, "owed_amount": 300}],
        )
        exposure = self.env["credit.insurance.exposure"]._get_exposures(self.buyer)[self.buyer]
        self.assertEqual(impact.undelivered_amount + impact.unbilled_amount, float(exposure["confirmed"]))
        order.order_line.qty_delivered = 10
        impact.invalidate_recordset()
        self.assertEqual((impact.undelivered_amount, impact.unbilled_amount), (600, 400))
        self.assertEqual((impact.undelivered_now, impact.unbilled_now, impact.owed_now), (0, 1000, 300))

    def test_lists_of_documents_add_up_for_every_reader(self):
        self._make_documents()
        self._make_confirmed_order(5000, partner=self.customer, user=self.manager)
        impact = self._change(statusCode="REDUCED", amount=20000)
        lines = self.env["credit.insurance.exposure.line"]
        for user in (self.manager, self.rep):
            for action in (impact.with_user(user).action_open_frozen(), impact.with_user(user).action_open_current()):
                found = lines.with_user(user).search(action["domain"])
                self.assertEqual(sum(found.mapped("amount")), 6700, user.name)
        hidden = found.filtered("hidden_count")
        self.assertEqual((hidden.mapped("amount"), hidden.mapped("res_id")), ([5000], [0]))
        with self.assertRaises(AccessError):
            hidden.action_open_document()

    # === WHO IS TOLD === #

    def test_each_person_is_told_once_however_many_orders(self):
        for _number in range(3):
            self._make_confirmed_order(100, partner=self.customer)
        impact = self._change(statusCode="REDUCED", amount=20000)
        self.assertEqual(impact.told_user_ids, self.rep | self.manager)
        self.assertTrue(impact.told_at)
        self.assertEqual(sorted(impact.activity_ids.user_id.ids), sorted((self.rep | self.manager).ids))
        self.assertEqual(len(impact.activity_ids), 2)

    def test_nobody_is_told_of_what_touches_nothing(self):
        impact = self._change(statusCode="REDUCED", amount=20000)
        self.assertFalse(impact.told_user_ids or impact.activity_ids)

    def test_many_changes_on_one_day_are_one_activity(self):
        buyers = [self._make_linked_buyer(f"S{index}", f"Customer {index}") for index in range(12)]
        self._pull()
        for buyer in buyers:
            self._make_confirmed_order(100, partner=buyer.partner_id)
        impacts = self._make_impacts(buyers)
        activities = impacts.activity_ids.filtered(lambda activity: activity.user_id == self.rep)
        self.assertEqual(len(activities), 1)
        self.assertIn("12", activities.summary)

    def _make_impacts(self, buyers):
        """A change for each of ``buyers``, as a page of the insurer's brings them."""
        cover = self.buyer.cover_ids[:1]
        impacts = (
            self.env["credit.insurance.impact"]
            .sudo()
            .create(
                [
                    {
                        "buyer_id": buyer.id,
                        "company_id": self.company.id,
                        "policy_id": self.policy.id,
                        "cover_id": cover.id,
                        "layer": "permanent",
                        "kind": "reduced",
                        "known_on": self.today,
                        "effective_from": self.today,
                        "cover_currency_id": cover.currency_id.id,
                    }
                    for buyer in buyers
                ]
            )
        )
        with trap_jobs() as trap:
            impacts._enqueue()
            impacts._enqueue()
            trap.assert_jobs_count(1)
            self._perform(trap)
        return impacts

    # === RIGHTS === #

    def test_salespeople_see_what_they_were_told_and_nobody_writes(self):
        self._make_confirmed_order(100, partner=self.customer)
        impact = self._change(statusCode="REDUCED", amount=20000)
        other = self._change(statusCode="REDUCED", amount=10000)
        other.sudo().told_user_ids = self.manager
        mine = self.env["credit.insurance.impact"].with_user(self.rep).search([])
        self.assertEqual(mine, impact)
        self.assertEqual(Form(mine).amount_after, 20000)
        for user in (self.rep, self.officer, self.manager, self.administrator):
            with self.assertRaises(AccessError):
                impact.with_user(user).write({"amount_after": 1})
            with self.assertRaises(AccessError):
                self.env["credit.insurance.impact"].with_user(user).create({"buyer_id": self.buyer.id})
        with self.assertRaises(UserError):
            impact.unlink()

    def test_buyer_shows_how_many(self):
        self._change(statusCode="REDUCED", amount=20000)
        self.assertEqual(self.buyer.impact_count, 1)
        action = self.buyer.with_user(self.officer).action_open_impacts()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), self._impacts())
        Form(self._impacts().with_user(self.officer))

    # === EVENTS FOR RULES === #

    def _events(self):
        return self.env["credit.insurance.event"].search([("buyer_id", "=", self.buyer.id)], order="id")

    def test_changes_become_events_of_the_insurer(self):
        self.simulator.control.set_grade("1001", "9")
        self._change(statusCode="REDUCED", amount=20000)
        self._change(statusCode="WITHDRAWN")
        self._change(statusCode="APPROVED", amount=30000, effectiveTo=None)
        events = self._events()
        self.assertEqual(sorted(events.mapped("kind")), ["cover_cut", "cover_cut", "cover_restored", "grade_worse"])
        self.assertEqual(set(events.mapped("origin")), {"insurer"})
        self.assertFalse(any(events.mapped("adverse")), "the insurer need not be told what it told us")
        self._pull()
        self.assertEqual(self._events(), events)

    def test_insurers_events_raise_no_signal_of_other_events(self):
        keys = {"events_12m"}
        self._change(statusCode="REDUCED", amount=20000)
        facts = self.env["credit.insurance.signals"]._get_facts(self.buyer, keys)[self.buyer.id]
        self.assertEqual(facts["events_12m"], 0)

    def test_nobody_enters_an_event_of_the_insurer(self):
        with self.assertRaises(UserError):
            self.env["credit.insurance.event"].with_user(self.officer).create(
                {"buyer_id": self.buyer.id, "kind": "cover_cut", "source": "Me"}
            )

    def test_changed_buyers_are_noted_for_screening(self):
        self.env["credit.insurance.change"]._take()
        self._change(statusCode="REDUCED", amount=20000)
        self.assertIn(self.buyer, self.env["credit.insurance.change"]._take())

    def test_number_of_queries_does_not_grow_with_the_changes(self):
        counts = []
        for size in (2, 20):
            buyers = [self._make_linked_buyer(f"Q{size}{index}", f"Buyer {index}") for index in range(size)]
            vals = {"policy_id": self.policy.id, "currency_id": self.env.ref("base.EUR").id, "insured_percentage": 90}
            rows = self.env["credit.insurance.cover"].create(
                [
                    {**vals, "buyer_id": buyer.id, "external_id": f"Q{index}", "status": status, "amount": amount}
                    for status, amount in (("approved", 900), ("reduced", 100))
                    for index, buyer in enumerate(buyers)
                ]
            )
            self.env.flush_all()
            with trap_jobs():
                before = self.env.cr.sql_log_count
                self.env["credit.insurance.cover"]._record_changes(self.policy, rows.ids)
                counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(self.env["credit.insurance.impact"].search([("cover_id", "in", rows.ids)])), size)
        self.assertLessEqual(counts[1], counts[0])
