"""What screens say beside the card: one voice about credit, a gate that is off, and the answer to a confirmation."""

from odoo.tests import HttpCase, new_test_user, tagged

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestCoreWarning(CreditCommon):
    """Core's own limit of 10 is exceeded by everything here."""

    def setUp(self):
        super().setUp()
        self.company.account_use_credit_limit = True
        self.partner.credit_limit = 10
        self.other = self.env["res.partner"].create({"name": "Not Checked", "is_company": True, "credit_limit": 10})
        self._make_invoice(100)
        self._make_invoice(100, partner=self.other)

    def _warning(self, record):
        record.invalidate_recordset(["partner_credit_warning"])
        return record.partner_credit_warning

    def test_core_warns_on_orders_of_buyers_that_the_gate_does_not_check_only(self):
        self._make_buyer(limit=1000)
        self.assertFalse(self._warning(self._make_order(500)))
        self.assertTrue(self._warning(self._make_order(500, partner=self.other)))

    def test_core_warns_on_invoices_of_buyers_that_the_gate_does_not_check_only(self):
        self._make_buyer(limit=1000)
        self.assertFalse(self._warning(self._make_invoice(500, post=False)))
        self.assertTrue(self._warning(self._make_invoice(500, partner=self.other, post=False)))

    def test_core_warns_again_when_the_gate_is_off(self):
        self._make_buyer(limit=1000)
        order = self._make_order(500)
        self.company.credit_gate_mode = "off"
        self.assertTrue(self._warning(order))

    def test_core_limits_are_not_shown_on_contacts_of_buyers_that_the_gate_checks(self):
        self._make_buyer(limit=1000)
        records = (self.partner | self.contact | self.other).with_company(self.company)
        records.invalidate_recordset(["show_credit_limit"])
        self.assertEqual(records.mapped("show_credit_limit"), [False, False, True])

    def test_contact_that_is_being_typed_has_core_limits(self):
        self.assertTrue(self.env["res.partner"].with_company(self.company).new({"name": "New"}).show_credit_limit)


@tagged("post_install", "-at_install")
class TestGateNotices(CreditCommon):
    def _notices(self, user):
        return self.env["res.company"].with_user(user).credit_gate_notices()

    def _switch(self, mode, reason="Insurer's portal is down"):
        self.company.with_user(self.manager).sudo()._switch_credit_gate(mode, reason)

    def test_everybody_learns_that_a_gate_is_off_and_the_credit_team_why(self):
        self._switch("off")
        self.assertEqual(self._notices(self.rep), [{"company": self.company.name, "mode": "off"}])
        [notice] = self._notices(self.officer)
        self.assertEqual((notice["mode"], notice["reason"]), ("off", "Insurer's portal is down"))
        self.assertEqual(notice["user"], self.manager.name)

    def test_gate_that_only_observes_is_for_the_credit_team(self):
        self._switch("observe")
        self.assertFalse(self._notices(self.rep))
        self.assertEqual(self._notices(self.officer)[0]["mode"], "observe")

    def test_gate_that_is_on_needs_no_words(self):
        self.assertFalse(self._notices(self.rep) + self._notices(self.officer))

    def test_other_companies_and_customers_learn_nothing(self):
        self._switch("off")
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, login="elsewhere", groups="base.group_user", company_id=other.id, company_ids=[(6, 0, other.ids)]
        )
        customer = new_test_user(self.env, login="notice_portal", groups="base.group_portal")
        self.assertFalse([notice for notice in self._notices(stranger) if notice["company"] == self.company.name])
        self.assertFalse(self._notices(customer))

    def test_open_screens_are_told_when_a_gate_is_switched_without_saying_what(self):
        self._switch("off")
        self.env.cr.precommit.run()
        sent = self.env["bus.bus"].sudo().search([("message", "ilike", "credit_insurance.gate_switched")], limit=1)
        self.assertIn("res.groups", sent.channel)
        self.assertNotIn("portal is down", sent.message)


@tagged("post_install", "-at_install")
class TestGateBanner(CreditCommon, HttpCase):
    def test_banner_stands_on_every_screen_of_everybody_while_the_gate_is_off(self):
        self.company._switch_credit_gate("off", "Insurer's portal is down")
        user = new_test_user(
            self.env,
            login="credit_nobody",
            groups="base.group_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.start_tour("/odoo", "credit_gate_off_banner", login=user.login, timeout=180)


@tagged("post_install", "-at_install")
class TestStyles(CreditCommon):
    def test_styles_of_both_colour_schemes_compile(self):
        for name in ("web.assets_web", "web.assets_web_dark"):
            bundle = self.env["ir.qweb"]._get_asset_bundle(name, js=False)
            bundle.preprocess_css()
            self.assertFalse(bundle.css_errors, name)


@tagged("post_install", "-at_install")
class TestMassConfirmAnswer(CreditCommon):
    def _orders(self, held, passed):
        self._make_buyer(limit=1)
        free = self.env["res.partner"].create({"name": "Free", "is_company": True})
        orders = self.env["sale.order"]
        for _number in range(held):
            orders |= self._make_order(10)
        for _number in range(passed):
            orders |= self._make_order(10, partner=free)
        return orders

    def test_answer_for_many_orders_lists_all_ids_in_few_lines(self):
        orders = self._orders(12, 9)
        answer = orders.with_user(self.manager).action_confirm()
        params = answer["params"]
        self.assertEqual(len(params["credit_insurance"]["held"]), 12)
        self.assertEqual(len(params["credit_insurance"]["confirmed"]), 9)
        lines = params["message"].splitlines()
        self.assertEqual(len(lines), 7)
        self.assertIn("Held as well: 7 more", lines[5])
        self.assertIn("4 more", lines[6])
        self.assertEqual(params["title"], "12 held, 9 confirmed")

    def test_answer_for_one_order_says_why(self):
        answer = self._orders(1, 0).with_user(self.rep).action_confirm()
        self.assertEqual(answer["params"]["title"], "Stopped by the credit gate")
        self.assertIn("9.00", answer["params"]["message"])
