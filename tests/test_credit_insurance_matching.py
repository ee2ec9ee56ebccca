"""Which of the insurer's buyers is ours, and what happens when it is another legal entity."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors import BuyerCandidate

from .claim_common import ClaimCommon
from .common import CreditCommon
from .simulator_case import SimulatorCase

MATCH = "credit.insurance.buyer.match"


@tagged("post_install", "-at_install")
class TestMatching(SimulatorCase, CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.germany = cls.env.ref("base.de")
        cls.north = cls.env["res.partner"].create(
            {
                "name": "Nordwind Maschinenbau",
                "is_company": True,
                "country_id": cls.germany.id,
                "street": "Hafenstr. 41",
                "zip": "20457",
                "city": "Hamburg",
            }
        )
        cls.buyer = cls._make_buyer(partner=cls.north)

    def _open(self, user=None):
        action = self.buyer.with_user(user or self.manager).action_choose_at_insurer()
        return self.env[MATCH].with_user(user or self.manager).browse(action["res_id"])

    def _candidate(self, **values):
        return BuyerCandidate(**{"buyer_id": "1002", "name": "Nordwind", "country": "DE", "score": 1, **values})

    # === CHOOSING === #

    def test_candidates_are_shown_the_most_likely_first_with_what_differs(self):
        self.north.company_registry = "HRB 7"
        self.north.city = "Kiel"
        match = self._open()
        line = match.line_ids.filtered(lambda each: each.external_id == "1002")
        self.assertEqual(match.line_ids[0], match.line_ids.sorted("score", reverse=True)[0])
        self.assertEqual(line.identity, "different")
        self.assertTrue(line.city_differs and line.registration_number_differs)
        self.assertFalse(line.name_differs or line.street_differs or line.country_differs)

    def test_person_links_an_entity_and_what_the_insurer_said_of_it_is_kept(self):
        line = self._open().line_ids.filtered(lambda each: each.external_id == "1002")
        self.assertEqual((line.identity, line.name_differs), ("unknown", False))
        line.action_choose()
        link = self.buyer.link_ids
        self.assertEqual((link.external_id, link.matched_by, link.entity_check), ("1002", "person", "unknown"))
        self.assertEqual((link.registration_number, link.entity_country_id), ("HRB 104882", self.germany))
        self.north.company_registry = "HRB 104882"
        self.assertEqual(link.entity_check, "same")

    def test_entity_with_another_number_cannot_be_chosen(self):
        self.north.vat = "DE811907980"
        line = self._open().line_ids.filtered(lambda each: each.external_id == "1002")
        with self.assertRaisesRegex(UserError, "another legal entity"):
            line.action_choose()
        self.assertFalse(self.buyer.link_ids)

    def test_number_that_another_buyer_has_cannot_be_chosen(self):
        other = self._make_linked_buyer("1002", "Other")
        line = self._open().line_ids.filtered(lambda each: each.external_id == "1002")
        self.assertEqual(line.taken_by_id, other)
        with self.assertRaisesRegex(UserError, "already"):
            line.action_choose()

    def test_with_several_connections_the_person_says_which_one_is_asked(self):
        broken = self.account.copy({"name": "A without a key", "state": "test"})
        match = self._open()
        self.assertFalse(match.line_ids)
        match.account_id = broken
        with self.assertRaisesRegex(UserError, "API key is missing"):
            match.action_search()
        match.account_id = self.account
        match.action_search()
        self.assertTrue(match.line_ids)

    def test_number_of_one_insurer_is_not_linked_at_another(self):
        match = self._open()
        match.account_id = self.account.copy({"name": "Another insurer", "state": "test"})
        with self.assertRaisesRegex(UserError, "[Ss]earch again"):
            match.line_ids.filtered(lambda each: each.external_id == "1002").action_choose()
        self.assertFalse(self.buyer.link_ids)

    def test_search_needs_a_country(self):
        self.north.country_id = False
        with self.assertRaisesRegex(UserError, "country"):
            self._open()

    def test_connection_that_fails_is_explained(self):
        self.simulator.control.fault("status", path="/v1/buyers/search", status=403)
        with self.assertRaisesRegex(UserError, "does not accept"):
            self._open()

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_only_credit_managers_match(self):
        for user in (self.rep, self.officer):
            with self.assertRaises(AccessError):
                self._open(user)
            with self.assertRaises(AccessError):
                self.env[MATCH].with_user(user).create({"buyer_id": self.buyer.id, "account_id": self.account.id})

    # === BY NUMBER === #

    def test_number_links_by_itself_and_keeps_the_insured_entity(self):
        self.north.vat = "DE136695976"
        link = self.env["credit.insurance.buyer.link"]._match_buyers(self.account, self.buyer)
        self.assertEqual((link.matched_by, link.entity_check, link.external_id), ("number", "same", "1002"))
        self.assertEqual((link.entity_name, link.vat_number), ("Nordwind Maschinenbau GmbH", "DE136695976"))

    def test_equal_vat_number_of_another_registered_company_links_nothing(self):
        self.north.write({"vat": "DE136695976", "company_registry": "HRB 7"})
        self.assertFalse(self.env["credit.insurance.buyer.link"]._match_buyers(self.account, self.buyer))

    # === BY OUR OWN REFERENCE === #

    def _match(self):
        return self.env["credit.insurance.buyer.link"]._match_buyers(self.account, self.buyer)

    def test_own_reference_links_by_itself_before_the_number(self):
        self.simulator.control.set_own_reference("1006", "C-7")
        spain = self.env.ref("base.es")
        self.north.write({"ref": "C-7", "country_id": spain.id, "vat": False, "name": "Quite another name"})
        link = self._match()
        self.assertEqual((link.external_id, link.matched_by), ("1006", "reference"))

    def test_own_reference_of_two_customers_links_nothing(self):
        self.simulator.control.set_own_reference("1002", "C-7")
        self.north.ref = "C-7"
        self.env["res.partner"].create({"name": "Twin", "ref": "C-7"})
        self.assertFalse(self._match())
        self.assertEqual(self.env["credit.insurance.buyer.link"]._get_own_references(self.buyer), {})

    def test_own_reference_of_a_contact_of_the_same_customer_is_no_second_one(self):
        self.simulator.control.set_own_reference("1002", "C-7")
        self.north.ref = "C-7"
        self.env["res.partner"].create({"name": "Ann", "parent_id": self.north.id, "ref": "C-7"})
        self.assertEqual(self._match().matched_by, "reference")

    def test_own_reference_at_another_legal_entity_links_nothing(self):
        self.simulator.control.set_own_reference("1002", "C-7")
        self.north.write({"ref": "C-7", "vat": "DE811907980"})
        self.assertFalse(self._match())

    def test_number_that_the_insurer_keeps_under_another_customers_reference_links_nothing(self):
        self.simulator.control.set_own_reference("1002", "C-8")
        self.north.vat = "DE136695976"
        other = self.env["res.partner"].create({"name": "Nordwind Nord", "is_company": True, "ref": "C-8"})
        self.assertFalse(self._match())
        other.ref = False
        self.assertEqual(self._match().matched_by, "number")

    def test_person_sees_our_reference_at_the_insurer_and_that_it_differs(self):
        self.simulator.control.set_own_reference("1002", "C-8")
        self.north.ref = "C-7"
        line = self._open().line_ids.filtered(lambda each: each.external_id == "1002")
        self.assertEqual((line.own_reference, line.own_reference_differs), ("C-8", True))
        self.simulator.control.set_own_reference("1002", "C-7")
        line = self._open().line_ids.filtered(lambda each: each.external_id == "1002")
        self.assertEqual((line.score, line.own_reference_differs), (100, False))

    # === GUARD === #

    def _link_other_entity(self):
        self.north.company_registry = "HRB 104882"
        vals = self.env["credit.insurance.buyer.link"]._prepare_entity_vals(
            self._candidate(registration_number="HRB 7", name="Nordwind Holding")
        )
        return self.env["credit.insurance.buyer.link"].create(
            {**vals, "buyer_id": self.buyer.id, "account_id": self.account.id}
        )

    def test_difference_is_shown_on_the_buyer_until_it_is_put_right(self):
        link = self._link_other_entity()
        text = self.buyer.with_user(self.officer).entity_difference
        for part in ("Nordwind Holding", "HRB 7", "HRB 104882", "1002"):
            self.assertIn(part, text)
        link.registration_number = "HRB104882"
        self.assertFalse(self.buyer.entity_difference)

    def test_difference_is_shown_on_the_order_with_numbers_for_the_credit_group_only(self):
        self._link_other_entity()
        self._make_buyer(limit=1000, partner=self.north)
        order = self._make_order(100, partner=self.north)
        card = order.with_user(self.rep).credit_decision
        self.assertEqual(card["tone"], "tight")
        texts = [reason["text"] for reason in card["reasons"] if reason["kind"] == "warn"]
        self.assertTrue(any("another legal entity" in text for text in texts))
        self.assertNotIn("HRB", str(card))
        order.invalidate_recordset()
        self.assertIn("HRB 7", str(order.with_user(self.manager).credit_decision))

    def test_signal_says_what_the_guard_says(self):
        link = self._link_other_entity()
        self.env.flush_all()
        self.assertIs(self._signal(), True)
        link.registration_number = "104882"
        self.assertIs(self._signal(), link.entity_check == "different")

    def _signal(self):
        self.env.flush_all()
        return self.env["credit.insurance.signals"]._get_facts(self.buyer)[self.buyer.id].get("registration_differs")

    def test_contact_that_changes_its_number_later_is_noticed(self):
        self.north.vat = "DE136695976"
        link = self.env["credit.insurance.buyer.link"]._match_buyers(self.account, self.buyer)
        self.north.vat = "DE811907980"
        self.assertEqual(link.entity_check, "different")

    def test_nobody_writes_the_result_of_the_comparison(self):
        link = self._link_other_entity()
        link.with_user(self.manager).write({"entity_check": "same", "matched_by": "number"})
        self.assertEqual((link.entity_check, link.matched_by), ("different", "hand"))


@tagged("post_install", "-at_install")
class TestClaimGuard(ClaimCommon):
    def test_claim_for_another_entity_is_not_handed_in(self):
        claim = self._make_claim()
        link = self.buyer.link_ids
        self.partner.company_registry = "552100554"
        link.registration_number = "334175221"
        self.assertIn("552100554", claim.warning_text)
        for method in ("action_submit", "action_mark_sent"):
            with self.assertRaisesRegex(UserError, "334175221"):
                getattr(claim, method)()
        self.assertEqual((claim.state, self._at_insurer()), ("draft", []))
        link.registration_number = "552 100 554"
        self._submit(claim)
        self.assertEqual(len(self._at_insurer()), 1)
