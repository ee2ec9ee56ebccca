"""Behind every figure of the exposure stand documents that add up to it, whoever looks."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_exposure import SOURCES

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestDrillDown(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2016-01-01", 3.0)])
        cls.other_rep = new_test_user(
            cls.env, login="credit_other_rep", groups="base.group_user,sales_team.group_sale_salesman",
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)],
        )  # fmt: skip

    def _make_mixed_exposure(self):
        """A document or more of each source, in two currencies, of two sales people."""
        self._make_invoice(100.01, invoice_user_id=self.rep.id)
        self._make_invoice(200, due_in=-20, currency_id=self.foreign.id, invoice_user_id=self.other_rep.id)
        self._make_invoice(100, due_in=-3, currency_id=self.foreign.id, partner=self.contact)
        self._pay(self._make_invoice(300, due_in=-40), 120)
        self._make_invoice(25, move_type="out_refund")
        self.init_payment(150, post=True, partner=self.partner)
        self._make_confirmed_order(1000)
        self._make_confirmed_order(700, user=self.other_rep)
        self._make_order(9999)

    def _lines(self, action):
        return self.env["credit.insurance.exposure.line"].sudo().search(action["domain"])

    def test_documents_of_every_source_add_up_to_its_figure(self):
        self._make_mixed_exposure()
        model = self.env["credit.insurance.exposure"]
        key = (self.partner.id, self.company.id)
        rows = model._get_rows(self.partner.ids, self.company.ids, self.today)[key]
        for currency in (self.company_currency, self.foreign):
            figures = model._convert_rows(rows, self.company, currency, self.today)
            for source in SOURCES:
                with self.subTest(currency=currency.name, source=source):
                    documents = model._get_documents(self.partner, self.company, currency, self.today, source)
                    self.assertTrue(documents)
                    self.assertEqual(sum(document.counted for document in documents), figures[source])

    def test_every_reader_sees_the_same_sum(self):
        self._make_mixed_exposure()
        for currency in (self.company_currency, self.foreign):
            buyer = self._make_buyer(limit=5000)
            buyer.currency_id = currency
            buyer.invalidate_recordset()
            for user in (self.manager, self.officer, self.administrator):
                for source in SOURCES:
                    with self.subTest(user=user.name, source=source, currency=currency.name):
                        lines = self._lines(buyer.with_user(user).action_open_exposure(source))
                        self.assertAlmostEqual(sum(lines.mapped("amount")), buyer[f"exposure_{source}"], 2)
                        self.assertEqual(set(lines.mapped("source")), {source})

    def test_all_sources_at_once_add_up_to_the_exposure(self):
        self._make_mixed_exposure()
        buyer = self._make_buyer(limit=5000)
        lines = self._lines(buyer.with_user(self.manager).action_open_exposure())
        self.assertAlmostEqual(sum(lines.mapped("amount")), buyer.exposure, 2)

    def test_archived_credit_record_keeps_its_currency(self):
        buyer = self._make_buyer(currency_id=self.foreign.id)
        buyer.active = False
        self._make_confirmed_order(1000)
        order = self._make_order(50)
        lines = self._lines(order.with_user(self.rep).action_credit_open_exposure())
        self.assertEqual((lines.currency_id, lines.amount), (self.foreign, 3000))

    def test_rep_gets_his_own_documents_and_one_line_with_the_sum_of_the_others(self):
        self._make_mixed_exposure()
        order = self._make_order(50)
        lines = self._lines(order.with_user(self.rep).action_credit_open_exposure("confirmed"))
        own, hidden = lines.filtered("res_id"), lines.filtered("hidden_count")
        self.assertEqual(own.mapped("amount"), [1000])
        self.assertEqual(hidden.mapped("amount"), [700])
        self.assertEqual(hidden.hidden_count, 1)
        self.assertFalse(hidden.res_id)
        self.assertNotIn("S0", hidden.name)

    def test_the_line_of_the_others_opens_nothing(self):
        self._make_mixed_exposure()
        action = self._make_order(50).with_user(self.rep).action_credit_open_exposure("confirmed")
        lines = self.env["credit.insurance.exposure.line"].with_user(self.rep).search(action["domain"])
        with self.assertRaises(AccessError):
            lines.filtered("hidden_count").action_open_document()
        own = lines.filtered("res_id")
        self.assertEqual(own.action_open_document()["res_id"], own.res_id)

    def test_rep_cannot_ask_by_an_order_that_is_not_his(self):
        order = self._make_order(50, user=self.other_rep)
        with self.assertRaises(AccessError):
            order.with_user(self.rep).action_credit_open_exposure()

    def test_rep_cannot_ask_by_the_buyer(self):
        buyer = self._make_buyer(limit=5000)
        with self.assertRaises(AccessError):
            buyer.with_user(self.rep).action_open_exposure()

    def test_customer_on_the_portal_gets_nothing(self):
        portal = new_test_user(self.env, login="credit_portal", groups="base.group_portal", partner_id=self.contact.id)
        order = self._make_order(50, partner=self.contact)
        order.message_subscribe(self.contact.ids)
        with self.assertRaises(AccessError):
            order.with_user(portal).action_credit_open_exposure()

    def test_a_list_is_read_by_nobody_but_its_reader_and_written_by_nobody(self):
        self._make_mixed_exposure()
        action = self._make_buyer(limit=5000).with_user(self.manager).action_open_exposure()
        model = self.env["credit.insurance.exposure.line"]
        self.assertTrue(model.with_user(self.manager).search_count(action["domain"]))
        for user in (self.officer, self.rep, self.administrator):
            self.assertFalse(model.with_user(user).search_count(action["domain"]), user.name)
        with self.assertRaises(AccessError):
            model.with_user(self.manager).search(action["domain"]).write({"amount": 1})
        with self.assertRaises(AccessError):
            model.with_user(self.manager).create({"res_model": "sale.order", "res_id": 1})

    def test_documents_of_a_company_that_is_not_ticked_are_listed_those_of_others_are_summed_up(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self._make_confirmed_order(300, company_id=branch.id, user=self.manager)
        self._make_confirmed_order(1000, user=self.manager)
        buyer = self._make_buyer(limit=5000)
        lines = self._lines(buyer.with_user(self.manager).action_open_exposure("confirmed"))
        self.assertEqual(lines.filtered("res_id").mapped("amount"), [1000])
        self.assertEqual(lines.filtered("hidden_count").mapped("amount"), [300])
        self.manager.company_ids |= branch
        reader = buyer.with_user(self.manager).with_context(allowed_company_ids=self.company.ids)
        lines = self._lines(reader.action_open_exposure("confirmed"))
        self.assertEqual(sorted(lines.filtered("res_id").mapped("amount")), [300, 1000])

    def test_a_source_that_does_not_exist_opens_everything(self):
        self._make_invoice(100, due_in=-5)
        self._make_confirmed_order(1000)
        buyer = self._make_buyer(limit=5000)
        lines = self._lines(buyer.with_user(self.manager).action_open_exposure("'; DROP TABLE res_users"))
        self.assertEqual(sum(lines.mapped("amount")), 1100)

    def test_rounding_of_the_lines_does_not_change_their_sum(self):
        thirds = self.setup_other_currency("GBP", rates=[("2016-01-01", 3.0)])
        for _number in range(7):
            self._make_invoice(10, currency_id=thirds.id, due_in=9)
        buyer = self._make_buyer(limit=5000)
        lines = self._lines(buyer.with_user(self.manager).action_open_exposure("not_due"))
        self.assertAlmostEqual(sum(lines.mapped("amount")), buyer.exposure_not_due, 2)
