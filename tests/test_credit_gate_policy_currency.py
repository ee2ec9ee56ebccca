"""A policy may cover sales in some currencies only."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common import ROLES, CreditCommon


@tagged("post_install", "-at_install")
class TestPolicyCurrency(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        cls.pricelist = cls.env["product.pricelist"].create({"name": "EUR", "currency_id": cls.foreign.id})
        cls.policy = cls._make_policy(currency_ids=[Command.set(cls.company_currency.ids)])
        cls.buyer = cls._make_buyer()
        cls._make_cover(cls.policy, cls.buyer, 10_000)

    def _codes(self, document):
        reasons = document.sudo().credit_hold_ids.filtered(lambda hold: hold.state == "open").decision_id.reasons
        return {reason["code"] for reason in reasons if reason["severity"] == "hold"}

    def test_currency_outside_the_policy_holds(self):
        order = self._make_confirmed_order(500, pricelist_id=self.pricelist.id)
        self.assertEqual((order.state, self._codes(order)), ("draft", {"currency_not_covered"}))
        self.assertIn("EUR", order.sudo().credit_hold_ids.reasons_text)
        self.policy.currency_ids |= self.foreign
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_currency_of_the_policys_list_passes(self):
        self.assertEqual(self._make_confirmed_order(500).state, "sale")

    def test_policy_without_a_list_covers_every_currency(self):
        self.policy.currency_ids = False
        self.assertEqual(self._make_confirmed_order(500, pricelist_id=self.pricelist.id).state, "sale")

    def test_rep_does_not_bring_a_buyer_into_a_country_of_the_policy(self):
        france, italy = self.env.ref("base.fr"), self.env.ref("base.it")
        self.partner.country_id = italy
        self.policy.country_ids = france
        order = self._make_confirmed_order(500)
        self.assertEqual((order.state, self._codes(order)), ("draft", {"country_not_covered"}))
        rep = self._make_user("credit_rep_contacts", f"{ROLES['rep']},base.group_partner_manager")
        customer = new_test_user(self.env, login="credit_portal", groups="base.group_portal")
        for partner in (self.partner.with_user(rep), self.partner.with_user(customer).sudo()):
            with self.assertRaisesRegex(UserError, "credit officer"):
                partner.country_id = france
        self.partner.with_user(rep).country_id = self.env.ref("base.de")
        self.contact.with_user(rep).country_id = france
        officer = self._make_user("credit_officer_contacts", f"{ROLES['officer']},base.group_partner_manager")
        self.partner.with_user(officer).country_id = france
        self.partner.with_user(rep).country_id = france
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_country_and_currency_are_listed_at_once(self):
        self.policy.country_ids = self.env.ref("base.fr")
        self.partner.country_id = self.env.ref("base.it")
        order = self._make_confirmed_order(500, pricelist_id=self.pricelist.id)
        self.assertEqual(self._codes(order), {"currency_not_covered", "country_not_covered"})

    def test_own_credit_knows_no_currencies_of_a_policy(self):
        other = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self._make_buyer(limit=1000, partner=other)
        order = self._make_confirmed_order(500, partner=other, pricelist_id=self.pricelist.id)
        self.assertEqual(order.state, "sale")

    def test_invoice_without_an_order_is_asked_as_well(self):
        self.company.credit_check_invoice = "hold"
        invoice = self._make_invoice(500, currency_id=self.foreign.id)
        self.assertEqual((invoice.state, self._codes(invoice)), ("draft", {"currency_not_covered"}))
