from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestLimitRequest(CreditCommon):
    """A limit is asked for with its figures, and granted by somebody else who may grant as much."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100)
        cls.requests = cls.env["credit.insurance.limit.request"]

    def _ask(self, amount=1000, user=None, **values):
        request = self.requests.with_user(user or self.rep).create(
            {"partner_id": self.partner.id, "amount": amount, "reason": "New season", **values}
        )
        request.action_ask()
        return request

    def _decide(self, request, user=None, **values):
        wizard = (
            self.env["credit.insurance.limit.request.decide"]
            .with_user(user or self.manager)
            .with_context(default_request_id=request.id)
            .create(values)
        )
        return wizard.action_apply()

    def test_held_order_leads_to_a_limit_and_passes(self):
        order = self._make_order(900)
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "draft")
        action = self.requests.with_user(self.rep)._open_for_order(order.with_user(self.rep))
        with Form(self.requests.with_user(self.rep).with_context(**action["context"])) as form:
            self.assertEqual((form.partner_id, form.amount), (self.partner, 900))
            form.reason = "Large first order"
        request = form.record
        request.action_ask()
        self.assertEqual(self.requests.with_user(self.rep)._open_for_order(order)["res_id"], request.id)
        self._decide(request)
        self.assertEqual((request.state, self.buyer.limit_amount), ("granted", 900))
        self.env["credit.insurance.hold"]._cron_redecide()
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "sale")

    def test_own_limit_asked_for_is_the_one_that_counts_beside_the_cover(self):
        """Where the larger of the two counts, the shortfall on top of the smaller one would change nothing."""
        self._make_cover(self._make_policy(), self.buyer, 1000)
        for combination, amount in (("max", 1200), ("add", 300)):
            with self.subTest(combination):
                self.company.credit_limit_combination = combination
                order = self._make_order(1200 if combination == "max" else 1300)
                order.action_confirm()
                self.assertEqual(order.sudo().credit_hold_ids.shortfall, 200)
                action = self.requests.with_user(self.rep)._open_for_order(order.with_user(self.rep))
                self.assertEqual(action["context"]["default_amount"], amount)

    def test_limit_shared_by_others_is_not_asked_for_as_the_buyers_own(self):
        """A buyer's own limit adds nothing to what its group shares."""
        group = self.env["credit.insurance.group"].create({"name": "Alpha and others"})
        self.env["credit.insurance.own.limit"].create({"group_id": group.id, "amount": 50})
        self.buyer.group_id = group
        order = self._make_order(80)
        order.action_confirm()
        self.assertEqual(order.state, "draft", "it fits the buyer's 100, and not the 50 it shares")
        self.assertNotIn("insurer", [way["kind"] for way in order.with_user(self.rep).credit_decision["ways"]])
        order = self._make_order(120)
        order.action_confirm()
        self.assertIn("insurer", [way["kind"] for way in order.with_user(self.rep).credit_decision["ways"]])
        action = self.requests.with_user(self.rep)._open_for_order(order.with_user(self.rep))
        self.assertEqual(action["context"]["default_amount"], 120)

    def test_figures_are_those_of_the_moment_it_was_asked(self):
        self._make_invoice(40)
        request = self._ask().sudo()
        self.assertEqual((request.figures["limit_amount"], request.figures["exposure"]), ("100.00", "40.00"))
        self._make_invoice(60)
        self.assertEqual(request.figures["exposure"], "40.00")
        self.assertIn("40.00", request.figures_html)

    def test_sales_reads_no_figures_of_the_credit_team(self):
        request = self._ask()
        with self.assertRaises(AccessError):
            request.with_user(self.rep).read(["figures"])
        with self.assertRaises(AccessError):
            request.with_user(self.rep).read(["figures_html"])
        self.assertEqual(request.with_user(self.rep).read(["state"])[0]["state"], "asked")

    def test_sales_sees_its_own_requests_only(self):
        other = new_test_user(
            self.env,
            login="other_rep",
            groups="base.group_user,sales_team.group_sale_salesman",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        request = self._ask()
        self.assertFalse(self.requests.with_user(other).search([("id", "=", request.id)]))
        self.assertTrue(self.requests.with_user(self.officer).search([("id", "=", request.id)]))

    def test_less_than_asked_is_granted_in_part(self):
        request = self._ask(1000)
        self._decide(request, amount=400, note="For now")
        self.assertEqual((request.state, request.granted_amount, self.buyer.limit_amount), ("partial", 400, 400))
        row = request.sudo().own_limit_id
        self.assertEqual((row.granted_by_id, row.request_id), (self.manager, request))

    def test_temporary_limit_is_added_until_its_last_day(self):
        request = self._ask(250, kind="temporary", date_to=self.today + timedelta(days=10))
        self._decide(request)
        self.assertEqual((request.state, self.buyer.limit_amount), ("granted", 350))
        self.assertEqual(request.sudo().own_limit_id.date_to, self.today + timedelta(days=10))
        with self.assertRaises(ValidationError):
            self._ask(250, kind="temporary")

    def test_refusal_says_why_and_grants_nothing(self):
        request = self._ask()
        with self.assertRaisesRegex(UserError, "why"):
            self._decide(request, decision="refuse")
        self._decide(request, decision="refuse", note="Pays late")
        self.assertEqual((request.state, self.buyer.limit_amount), ("refused", 100))
        self.assertIn("Pays late", request.message_ids[0].body)
        with self.assertRaisesRegex(UserError, "decided already"):
            self._decide(request)

    def test_nobody_grants_an_own_request(self):
        request = self._ask(user=self.manager)
        with self.assertRaisesRegex(AccessError, "yourself"):
            self._decide(request)
        self._decide(request, user=self.administrator)
        self.assertEqual(request.state, "granted")

    def test_who_asked_does_not_enter_the_limit_by_hand_either(self):
        self._ask(user=self.manager)
        rows = self.env["credit.insurance.own.limit"].with_user(self.manager)
        with self.assertRaisesRegex(AccessError, "yourself"):
            rows.create({"buyer_id": self.buyer.id, "amount": 1000})

    def test_typed_limit_needs_a_second_person_where_the_company_wants_that(self):
        self.company.write({"credit_typed_limit_four_eyes": True, "credit_four_eyes_amount": 1000})
        rows = self.env["credit.insurance.own.limit"].with_user(self.manager)
        small = rows.create({"buyer_id": self.buyer.id, "amount": 999})
        with self.assertRaisesRegex(AccessError, "under Limit Requests"), self.cr.savepoint():
            rows.create({"buyer_id": self.buyer.id, "amount": 1000})
        with self.assertRaisesRegex(AccessError, "under Limit Requests"), self.cr.savepoint():
            small.amount = 2000
        with self.assertRaisesRegex(AccessError, "under Limit Requests"), self.cr.savepoint():
            soon = self.today + timedelta(days=9)
            rows.create({"buyer_id": self.buyer.id, "kind": "temporary", "amount": 1, "date_to": soon})
        request = self._ask(2000, user=self.manager)
        self._decide(request, user=self.administrator)
        self.assertEqual(self.buyer.limit_amount, 2000)
        rows.create({"buyer_id": self.buyer.id, "amount": 1500, "replaces_id": request.own_limit_id.id})
        self.assertEqual(self.buyer.limit_amount, 1500, "less needs nobody")

    def test_grant_above_authority_is_refused_and_leaves_everything_as_it_was(self):
        self.env["credit.insurance.authority"].create(
            {"company_id": self.company.id, "kind": "limit", "user_ids": [Command.set(self.manager.ids)], "amount": 500}
        )
        request = self._ask(600)
        with self.assertRaisesRegex(AccessError, "beyond your authority"), self.cr.savepoint():
            self._decide(request)
        self.buyer.invalidate_recordset()
        self.assertEqual((request.state, self.buyer.limit_amount), ("asked", 100))
        self._decide(request, amount=500)
        self.assertEqual(request.state, "partial")
        self.assertTrue(request.sudo().authority)

    def test_firm_of_two_decides_an_own_request_with_a_note_and_on_record(self):
        self.company.credit_self_approval = True
        managers = self.env["credit.insurance.authority"]._get_managers(self.company) - self.manager
        managers.sudo().group_ids -= self.env.ref("credit_insurance.credit_insurance_group_manager")
        managers.sudo().group_ids -= self.env.ref("credit_insurance.credit_insurance_group_admin")
        request = self._ask(user=self.manager)
        with self.assertRaisesRegex(UserError, "say why"), self.cr.savepoint():
            self._decide(request)
        self._decide(request, note="Nobody else here")
        self.assertTrue(request.self_approved)

    def test_nobody_grants_without_being_a_credit_manager(self):
        request = self._ask()
        for user in (self.rep, self.officer):
            with self.assertRaises(AccessError):
                request.with_user(user)._grant(5, "permanent", self.today, False, False, "")
            with self.assertRaises(AccessError):
                request.with_user(user)._refuse("no")

    def test_nothing_a_client_writes_grants_a_limit(self):
        request = self.requests.with_user(self.rep).create(
            {
                "partner_id": self.partner.id,
                "amount": 5,
                "reason": "-",
                "state": "granted",
                "asked_by_id": self.manager.id,
                "granted_amount": 5,
            }
        )
        self.assertEqual((request.state, request.asked_by_id, request.granted_amount), ("draft", self.rep, 0))
        for vals in ({"state": "granted"}, {"granted_amount": 5}, {"asked_by_id": self.manager.id}):
            with self.assertRaises(AccessError):
                request.write(vals)
        request.action_ask()
        with self.assertRaisesRegex(UserError, "as it was asked"):
            request.amount = 500_000
        with self.assertRaisesRegex(UserError, "on record"):
            request.unlink()

    def test_who_asked_takes_it_back_and_nobody_else(self):
        request = self._ask()
        with self.assertRaises(AccessError):
            request.with_user(self.officer).action_withdraw()
        request.with_user(self.rep).action_withdraw()
        self.assertEqual(request.state, "withdrawn")
        self.assertFalse(request.sudo().activity_ids)

    def test_who_may_grant_is_told_in_that_persons_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.manager.lang = "fr_FR"
        activity = self._ask(1234).sudo().activity_ids
        self.assertEqual(activity.user_id, self.manager)
        self.assertIn("1", activity.summary)

    def test_activity_goes_to_who_has_the_authority(self):
        authority = self.env["credit.insurance.authority"]
        for user, amount in ((self.manager, 500), (self.administrator, 5000)):
            authority.create(
                {"company_id": self.company.id, "kind": "limit", "user_ids": [Command.set(user.ids)], "amount": amount}
            )
        self.assertEqual(self._ask(400).sudo().activity_ids.user_id, self.manager)
        self.assertEqual(self._ask(4000).sudo().activity_ids.user_id, self.administrator)

    def test_contact_and_order_of_another_buyer_are_refused(self):
        other = self.env["res.partner"].create({"name": "Other", "is_company": True})
        with self.assertRaisesRegex(ValidationError, "not to a contact"):
            self._ask(partner_id=self.contact.id)
        with self.assertRaisesRegex(ValidationError, "not one of this buyer"):
            self._ask(order_id=self._make_order(5, partner=other).id)

    def test_buyer_of_another_company_is_refused(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        partner = self.env["res.partner"].create({"name": "Theirs", "is_company": True, "company_id": other.id})
        with self.assertRaisesRegex(ValidationError, "another company"):
            self._ask(partner_id=partner.id)
