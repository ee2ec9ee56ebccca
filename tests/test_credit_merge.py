from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestMerge(CreditCommon):
    """Core merges contacts by SQL and deletes what conflicts: credit records lose nothing, and no limit grows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.twin = cls.env["res.partner"].create({"name": "Alpha Trading Limited", "is_company": True})

    def _merge(self, sources=None, target=None, user=None):
        partners = (sources or self.twin) | (target or self.partner)
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(user or self.env.user)
        wizard = wizard.with_context(active_model="res.partner", active_ids=partners.ids).create({})
        wizard.dst_partner_id = target or self.partner
        wizard.action_merge()

    def test_two_limits_are_not_added(self):
        survivor, merged = self._make_buyer(limit=1000), self._make_buyer(limit=700, partner=self.twin)
        self._merge()
        self.assertFalse(self.twin.exists())
        self.assertEqual((survivor.limit_amount, survivor.own_limit_ids.amount), (1000, 1000))
        self.assertEqual((merged.active, merged.merged_into_id, merged.partner_id), (False, survivor, self.partner))
        row = merged.own_limit_ids
        self.assertEqual(row.amount, 700)
        self.assertTrue(row.cancelled or row.date_to < self.today)
        self.assertIn("Alpha Trading Limited", merged.display_name)
        self.assertIn("were ended", survivor.message_ids[0].body)

    def test_limit_goes_along_where_the_survivor_has_none(self):
        self._make_buyer()
        self._make_buyer(limit=700, partner=self.twin)
        self._merge()
        self.assertEqual(self._make_buyer().limit_amount, 700)

    def test_limit_goes_along_until_the_one_of_the_survivor_begins(self):
        coming, in_force = self.today + timedelta(days=9), self.env["credit.insurance.limit"]._get_limits
        survivor, merged = self._make_buyer(), self._make_buyer(limit=700, partner=self.twin)
        limits = self.env["credit.insurance.own.limit"]
        limits.create({"buyer_id": survivor.id, "amount": 50, "date_from": coming})
        later = {"kind": "temporary", "date_from": coming, "date_to": coming}
        limits.create({"buyer_id": merged.id, "amount": 5, **later})
        self._merge()
        pair = (self.partner.id, self.company.id)
        on = {
            day: in_force([pair], self.today, on=day)[pair].limit.amount.amount
            for day in (self.today, coming - timedelta(days=1), coming)
        }
        self.assertEqual([*on.values()], [700, 700, 50])
        self.assertEqual(self._make_confirmed_order(701).state, "draft")

    def test_limit_taken_back_before_it_began_is_none_of_the_survivors(self):
        survivor = self._make_buyer(limit=1000)
        survivor.own_limit_ids.action_end()
        self._make_buyer(limit=700, partner=self.twin)
        self._merge()
        self.assertEqual((survivor.limit_state, survivor.limit_amount), ("amount", 700))

    def test_credit_record_goes_along_where_the_survivor_has_none(self):
        buyer = self._make_buyer(limit=700, partner=self.twin, status="watch")
        self._merge()
        self.assertEqual((buyer.partner_id, buyer.active, buyer.limit_amount), (self.partner, True, 700))
        self.assertEqual(self._make_buyer(), buyer)

    def test_hold_is_decided_by_the_record_that_goes_on(self):
        self.company.credit_gate_mode = "on"
        merged, survivor = self._make_buyer(limit=700, partner=self.twin), self._make_buyer(limit=1000)
        order = self._make_confirmed_order(2000, partner=self.twin)
        self._merge()
        self.assertEqual(order.credit_hold_id._get_buyer(), survivor)
        self.assertNotEqual(merged, survivor)

    def test_cover_that_stays_with_the_merged_record_insures_nothing(self):
        policy = self._make_policy()
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        self._make_cover(policy, survivor, 500)
        self._make_cover(policy, merged, 900)
        self._merge()
        invoice = self._make_invoice(1000)
        self.assertEqual(invoice.credit_insurance_covered, 500)

    def test_cover_stands_once_per_insurer(self):
        policy = self._make_policy()
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        self._make_cover(policy, survivor, 500)
        second = self._make_cover(policy, merged, 900)
        self._merge()
        self.assertEqual(survivor.insured_limit, 500)
        self.assertEqual(second.buyer_id, merged)
        self.assertIn("cover of this buyer at Test Insurer stands", survivor.message_ids[0].body)

    def test_cover_goes_along_where_the_survivor_has_none_of_that_insurer(self):
        policy = self._make_policy()
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        cover = self._make_cover(policy, merged, 900)
        self._merge()
        self.assertEqual((cover.buyer_id, survivor.insured_limit), (survivor, 900))

    def test_cover_goes_along_until_the_one_of_the_survivor_begins(self):
        policy, coming = self._make_policy(), self.today + timedelta(days=9)
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        self._make_cover(policy, survivor, 500, effective_from=coming)
        self._make_cover(policy, merged, 900)
        self._merge()
        pair, limits = (self.partner.id, self.company.id), self.env["credit.insurance.limit"]
        on = [limits._get_limits([pair], self.today, on=day)[pair].limit.amount.amount for day in (self.today, coming)]
        self.assertEqual(on, [900, 500])
        self.assertEqual(self._make_confirmed_order(901).state, "draft")

    def test_request_of_the_survivor_is_no_answer(self):
        policy = self._make_policy()
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        self._make_cover(policy, survivor, 0, status="requested")
        self._make_cover(policy, merged, 900)
        self._merge()
        self.assertEqual((survivor.limit_state, survivor.insured_limit), ("amount", 900))

    def test_refusal_of_the_survivor_stands(self):
        policy = self._make_policy()
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        self._make_cover(policy, survivor, 0, status="refused")
        self._make_cover(policy, merged, 900)
        self._merge()
        self.assertEqual((survivor.limit_state, survivor.insured_limit), ("refused", 0))

    def test_number_that_the_insurer_covers_goes_on(self):
        account = self.env["credit.insurance.account"].create(
            {"name": "Test", "connector": "sandbox", "insurer_id": self._make_policy().insurer_id.id}
        )
        policy = self.env["credit.insurance.policy"].search([("insurer_id", "=", account.insurer_id.id)])
        policy.account_id = account
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        for buyer, number in ((survivor, "A"), (merged, "B")):
            self.env["credit.insurance.buyer.link"].create(
                {"buyer_id": buyer.id, "account_id": account.id, "external_id": number}
            )
        self._make_cover(policy, merged, 900)
        self._merge()
        self.assertEqual((survivor.limit_state, survivor.insured_limit), ("amount", 900))
        self.assertEqual((survivor.link_ids.external_id, merged.link_ids.external_id), ("B", "A"))

    def test_stricter_status_and_adverse_information_stay(self):
        survivor = self._make_buyer(limit=1000)
        self._make_buyer(
            partner=self.twin,
            status="blocked",
            status_reason="Insolvent",
            adverse_since=self.today,
            adverse_source="Court",
        )
        self._merge()
        self.assertEqual((survivor.status, survivor.adverse_since), ("blocked", self.today))
        self.assertEqual(self._make_confirmed_order(10).state, "draft")

    def test_holds_passes_decisions_and_requests_go_along(self):
        survivor, merged = self._make_buyer(limit=1000), self._make_buyer(limit=500, partner=self.twin)
        passed = self._make_confirmed_order(400, partner=self.twin)
        held = self._make_confirmed_order(900, partner=self.twin)
        guarantee = self.env["credit.insurance.guarantee"].create(
            {"buyer_id": merged.id, "kind": "deposit", "amount": 5}
        )
        request = self.env["credit.insurance.limit.request"].create(
            {"partner_id": self.twin.id, "amount": 5, "reason": "-"}
        )
        request.action_ask()
        decisions = self.env["credit.insurance.decision"].search([("partner_id", "=", self.twin.id)])
        self.assertGreaterEqual(len(decisions), 2)
        self._merge()
        self.assertEqual(decisions.exists().partner_id, self.partner)
        self.assertEqual(held.credit_hold_ids.partner_id, self.partner)
        self.assertTrue(passed.credit_pass_ids.filtered("live"))
        self.assertEqual((request.buyer_id, request.partner_id, guarantee.buyer_id), (survivor, self.partner, survivor))
        self.assertEqual(survivor.exposure, 400)
        passed.order_line.price_unit = 39  # within its pass

    # === WHAT THERE MAY BE ONLY ONE OF === #

    def test_only_the_requests_that_both_have_open_stay(self):
        survivor, merged, policy = self._make_buyer(), self._make_buyer(partner=self.twin), self._make_policy()
        requests = self.env["credit.insurance.cover.request"].sudo()

        def ask(buyer, kind):
            return requests.create({"buyer_id": buyer.id, "policy_id": policy.id, "kind": kind, "amount": 1.0})

        own = ask(survivor, "increase")
        old = ask(merged, "increase")
        old.state = "refused"
        alike, other = ask(merged, "increase"), ask(merged, "new")
        self._merge()
        self.env.invalidate_all()
        self.assertEqual((own | old | other).buyer_id, survivor)
        self.assertEqual((alike.buyer_id, alike.partner_id, alike.live), (merged, self.partner, True))
        said = " ".join(survivor.message_ids.mapped("body"))
        self.assertIn(alike.name, said)
        self.assertNotIn(other.name, said)

    def test_only_the_reports_and_events_that_both_have_stay(self):
        survivor, merged, policy = self._make_buyer(), self._make_buyer(partner=self.twin), self._make_policy()
        for model, same, different in (
            ("report.order", {"policy_id": policy.id, "product": "full"}, {"product": "short"}),
            ("event", {"kind": "other", "source": "Press", "reference": "A"}, {"reference": "B"}),
        ):
            rows = self.env[f"credit.insurance.{model}"].sudo()
            own = rows.create({"buyer_id": survivor.id, **same})
            alike = rows.create({"buyer_id": merged.id, **same})
            moved = rows.create({"buyer_id": merged.id, **same, **different})
            name = alike.display_name
            with self.subTest(model), self.cr.savepoint() as savepoint:
                self._merge()
                self.env.invalidate_all()
                self.assertEqual(((own | moved).buyer_id, alike.buyer_id), (survivor, merged))
                self.assertIn(name, " ".join(survivor.message_ids.mapped("body")))
                savepoint.rollback()
            self.env.invalidate_all()

    def test_of_many_rows_all_but_the_one_that_both_have_move(self):
        survivor, merged = self._make_buyer(), self._make_buyer(partner=self.twin)
        events = self.env["credit.insurance.event"].sudo()
        base = {"kind": "other", "source": "Press"}
        events.create({"buyer_id": survivor.id, "reference": "7", **base})
        rows = events.create([{"buyer_id": merged.id, "reference": str(number), **base} for number in range(30)])
        self._merge()
        self.env.invalidate_all()
        self.assertEqual(rows.filtered(lambda row: row.buyer_id == merged).mapped("reference"), ["7"])
        self.assertEqual(len(rows.exists()), 30)

    def test_no_row_about_a_buyer_is_lost(self):
        """Every table that names a buyer or a partner keeps its rows; none names the merged partner any more."""
        self._make_buyer(limit=1000)
        merged = self._make_buyer(limit=500, partner=self.twin)
        policy = self._make_policy()
        self._make_cover(policy, merged, 900)
        self._make_confirmed_order(400, partner=self.twin)
        self._make_confirmed_order(900, partner=self.twin)
        self.env["credit.insurance.guarantee"].create({"buyer_id": merged.id, "kind": "deposit", "amount": 5})
        vals = {"buyer_id": merged.id, "policy_id": policy.id}
        self.env["credit.insurance.cover.request"].sudo().create({**vals, "amount": 1.0})
        self.env["credit.insurance.report.order"].sudo().create(vals)
        self.env.flush_all()
        tables = self._count_rows()
        self._merge()
        self.env.flush_all()
        self.assertEqual(self._count_rows(), tables)
        for table, column in self.env["base.partner.merge.automatic.wizard"]._get_fk_on("res_partner"):
            self.env.cr.execute(f'SELECT 1 FROM "{table}" WHERE "{column}" = %s', [self.twin.id])
            self.assertFalse(self.env.cr.fetchone(), table)

    def _count_rows(self):
        wizard = self.env["base.partner.merge.automatic.wizard"]
        pairs = [*wizard._get_fk_on("credit_insurance_buyer"), *wizard._get_fk_on("res_partner")]
        counts = {}
        for table in sorted({table for table, _column in pairs if table.startswith("credit_insurance")}):
            self.env.cr.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = self.env.cr.fetchone()[0]
        return counts

    def test_each_company_has_its_own_survivor(self):
        company = self.env["res.company"].create({"name": "Second company"})
        self.env.user.company_ids |= company
        mine, theirs = self._make_buyer(limit=10), self._make_buyer(partner=self.twin, company=company)
        self._merge()
        self.assertEqual((mine.partner_id, theirs.partner_id), (self.partner, self.partner))
        self.assertFalse(theirs.merged_into_id)

    def test_merging_three_and_merging_again_keeps_every_history(self):
        third = self.env["res.partner"].create({"name": "Third", "is_company": True})
        survivor = self._make_buyer(limit=1)
        others = [self._make_buyer(limit=2, partner=self.twin), self._make_buyer(limit=3, partner=third)]
        self._merge(sources=self.twin)
        self._merge(sources=third)
        self.assertEqual(survivor.merged_from_ids, others[0] | others[1])
        fourth = self.env["res.partner"].create({"name": "Fourth", "is_company": True})
        last = self._make_buyer(limit=4, partner=fourth)
        self._merge(sources=self.partner, target=fourth)
        self.assertEqual(last.limit_amount, 4)
        self.assertEqual((survivor | others[0] | others[1]).partner_id, fourth)
        self.assertEqual(len((survivor | others[0] | others[1] | last).own_limit_ids), 4)

    def test_contact_manager_does_not_merge_buyers_with_a_credit_record(self):
        user = new_test_user(
            self.env,
            login="contacts",
            groups="base.group_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self._make_buyer(partner=self.twin, status="blocked")
        with self.assertRaisesRegex(AccessError, "credit manager"):
            self._merge(user=user)
        plain = self.env["res.partner"].create([{"name": "P"}, {"name": "Q"}])
        self._merge(sources=plain[0], target=plain[1], user=user)
        self.assertFalse(plain[0].exists())

    # === ARCHIVING AND DELETION === #

    def test_contact_that_owes_is_not_archived(self):
        buyer = self._make_buyer(limit=1000)
        invoice = self._make_invoice(100)
        for record in (self.partner, buyer):
            with self.assertRaisesRegex(UserError, "cannot be archived yet"):
                record.action_archive()
        self._pay(invoice)
        self.partner.action_archive()
        self.assertFalse(self.partner.active)
        self.assertEqual((buyer.active, buyer.limit_amount), (True, 1000))
        self.partner.action_unarchive()
        self.assertEqual(buyer.limit_amount, 1000)

    def test_refused_archiving_names_no_company_that_its_reader_does_not_see(self):
        other = self.env["res.company"].create({"name": "Elsewhere Ltd"})
        self.env.user.company_ids |= other
        self._make_buyer(company=other)
        elsewhere = self._make_order(300, product=self.service, company_id=other.id)
        elsewhere.action_confirm()
        user = self._make_user("contacts_here", "base.group_partner_manager")
        with self.assertRaisesRegex(UserError, "companies that you do not see") as refused:
            self.partner.with_user(user).action_archive()
        self.assertNotRegex(str(refused.exception), "Elsewhere|300")
        self._make_buyer()
        self._make_invoice(100)
        with self.assertRaisesRegex(UserError, f"100.00 of exposure in {self.company.name}.*more in") as refused:
            self.partner.with_user(user).action_archive()
        self.assertNotRegex(str(refused.exception), "Elsewhere|300")
        user.company_ids |= other
        with self.assertRaises(UserError) as refused:
            self.partner.with_user(user).action_archive()
        self.assertNotIn("more in", str(refused.exception))

    def test_contact_with_a_held_order_is_not_archived(self):
        self._make_buyer(limit=0)
        self.assertEqual(self._make_confirmed_order(10).state, "draft")
        with self.assertRaisesRegex(UserError, "held orders"):
            self.partner.action_archive()

    def test_archived_credit_record_counts_as_before(self):
        for values in ({"status": "blocked"}, {"status": "cash_only"}, {"limit": 0}):
            with self.subTest(**values):
                partner = self.env["res.partner"].create({"name": "Archived", "is_company": True})
                buyer = self._make_buyer(partner=partner, **values)
                buyer.with_user(self.manager).action_archive()
                self.assertFalse(buyer.active)
                self.assertEqual(self._make_confirmed_order(10, partner=partner).state, "draft")
                self.assertEqual(partner.credit_insurance_buyer_id, buyer, "who looks at the contact sees it")

    def test_archived_buyer_stays_in_its_credit_group(self):
        group = self.env["credit.insurance.group"].create({"name": "Alpha and its twin"})
        self.env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": 1000})
        archived, other = self._make_buyer(limit=5000), self._make_buyer(limit=5000, partner=self.twin)
        (archived | other).group_id = group
        archived.action_archive()
        self.assertEqual(self._make_confirmed_order(800).state, "sale")
        self.assertEqual(self._make_confirmed_order(800, partner=self.twin).state, "draft", "1,000 for both")
        self.assertEqual(self._make_confirmed_order(800).state, "draft")
        other.group_id = False
        with self.assertRaisesRegex(UserError, "still has buyers"):
            group.action_archive()

    def test_buyer_whose_orders_an_alert_holds_is_not_archived(self):
        """Alerts end with archiving."""
        buyer = self._make_buyer(limit=1000)
        rule = self.env["credit.insurance.rule"].sudo().search([], limit=1)
        rule.write({"holds_orders": True, "observe_only": False})
        self.env["credit.insurance.alert"].sudo().create(
            {"rule_id": rule.id, "buyer_id": buyer.id, "severity": "high", "message": "Something happened"}
        )
        with self.assertRaisesRegex(UserError, "An alert holds"):
            buyer.action_archive()

    def test_contact_with_history_is_not_deleted(self):
        self._make_buyer(limit=1000)
        with self.assertRaisesRegex(UserError, "Archive the contact instead"):
            self.partner.unlink()

    def test_contact_with_an_empty_credit_record_is_deleted_with_it(self):
        partner = self.env["res.partner"].create({"name": "Empty", "is_company": True})
        buyer = self._make_buyer(partner=partner)
        partner.unlink()
        self.assertFalse(buyer.exists() or partner.exists())

    def test_merged_record_is_not_brought_back(self):
        self._make_buyer(limit=1)
        merged = self._make_buyer(limit=2, partner=self.twin)
        self._merge()
        with self.assertRaisesRegex(UserError, "stays as history"):
            merged.action_unarchive()

    def test_past_of_the_survivor_is_as_it_was(self):
        survivor = self._make_buyer()
        self.env["credit.insurance.own.limit"].create(
            {"buyer_id": survivor.id, "amount": 50, "date_from": self.today - timedelta(days=90)}
        )
        self._make_buyer(limit=700, partner=self.twin)
        self._merge()
        pair = (self.partner.id, self.company.id)
        past = self.env["credit.insurance.limit"]._get_limits([pair], self.today, on=self.today - timedelta(days=60))
        self.assertEqual(past[pair].limit.amount.amount, 50)
