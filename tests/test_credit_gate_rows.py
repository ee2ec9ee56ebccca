"""Decisions and passes that one statement writes are those that Odoo itself would have written."""

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import Outcome

from .common import CreditCommon

DECISION, PASS = "credit.insurance.decision", "credit.insurance.pass"


@tagged("post_install", "-at_install")
class TestGateRows(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gate = cls.env["credit.insurance.gate"].sudo()

    def _read(self, record, left_out=()):
        """The row as PostgreSQL has it."""
        self.env.flush_all()
        query = SQL("SELECT to_jsonb(t) FROM %s t WHERE id = %s", SQL.identifier(record._table), record.id)
        [(row,)] = self.env.execute_query(query)
        return {name: value for name, value in row.items() if name not in ("id", *left_out)}

    def _assert_as_created(self, orders):
        decided = self.gate._decide(orders, "confirmation")
        expected = []
        for case, decision in decided:
            vals = self.gate._prepare_decision_vals(case, decision, "confirmation")
            log = self.env[DECISION].sudo().create(vals)
            granted = self.env[PASS].sudo()
            if decision.outcome is Outcome.PASS:
                granted = granted.create({**self.gate._prepare_pass_vals(case, vals), "live": False})
            expected.append((log, granted))
        logs = self.gate._record(decided, "confirmation")
        self.assertEqual(len(logs), len(orders))
        for log, (created, granted) in zip(logs, expected, strict=True):
            self.assertEqual(self._read(log), self._read(created))
            found = log.order_id.credit_pass_ids.filtered_domain([("decision_id", "=", log.id)])
            self.assertEqual(len(found), len(granted))
            if granted:
                left_out = ("decision_id", "live")
                self.assertEqual(self._read(found, left_out), self._read(granted, left_out))
        self._assert_cache_is_true(logs | logs.order_id.credit_pass_ids.decision_id)
        return logs

    def _assert_cache_is_true(self, logs):
        for records in (logs, logs.order_id.credit_pass_ids):
            names = [name for name, field in records._fields.items() if field.store and field.column_type]
            cached = [[record[name] for name in names] for record in records]
            records.invalidate_recordset()
            self.assertEqual([[record[name] for name in names] for record in records], cached)

    def test_rows_are_those_that_create_writes(self):
        self._make_buyer(limit=1000.55)
        self._make_invoice(200.33)
        foreign = self.setup_other_currency("JPY", rounding=1.0, rates=[("2016-01-01", 133.37)])
        pricelist = self.env["product.pricelist"].create({"name": "JPY", "currency_id": foreign.id})
        term = self.env.ref("account.account_payment_term_30days")
        orders = self._make_order(300.1, payment_term_id=term.id)
        orders |= self._make_order(1234.56, pricelist_id=pricelist.id)
        orders |= self._make_order(900)
        orders |= self._make_order(77.7, partner=self.env["res.partner"].create({"name": 'Quote "O\'Neill" \\ ünï'}))
        logs = self._assert_as_created(orders)
        self.assertEqual(logs.mapped("outcome"), ["pass", "pass", "hold", "pass"])
        self.assertEqual(logs.mapped("basis"), ["within_limit", "within_limit", "none", "not_checked"])

    def test_order_of_a_buyer_whom_nobody_configured_is_recorded_the_same_way(self):
        order = self._make_order(500)
        before = self.env[DECISION].sudo().search([], limit=1)
        order.action_confirm()
        log = self.env[DECISION].sudo().search([("id", ">", before.id)])
        self.assertEqual(log.order_id, order)
        self.assertEqual((log.basis, log.outcome, log.user_id), ("not_checked", "pass", self.env.user))
        self.assertEqual(order.credit_pass_ids.decision_id, log)
        self.assertEqual((order.credit_pass_ids.live, order.credit_pass_ids.amount), (True, 500))
        self.assertEqual(order.credit_state, "passed")
        self._assert_cache_is_true(log)
        other = self._make_order(500)
        [(case, decision)] = self.gate._decide(other, "confirmation")
        created = self.env[DECISION].sudo().create(self.gate._prepare_decision_vals(case, decision, "confirmation"))
        left_out = ("order_id", "order_name")
        self.assertEqual(self._read(log, left_out), self._read(created, left_out))

    def test_context_of_a_client_sets_nothing(self):
        order = self._make_order(500)
        defaults = {"default_live": False, "default_user_id": self.rep.id, "default_would_hold": True}
        order.with_context(**defaults).action_confirm()
        self.assertTrue(order.credit_pass_ids.live)
        self.assertFalse(order.credit_pass_ids.decision_id.would_hold)
        self.assertEqual(order.credit_pass_ids.decision_id.user_id, self.env.user)

    def test_blocked_recipient_is_no_buyer_that_nobody_looked_at(self):
        blocked = self.env["res.partner"].create({"name": "Blocked", "is_company": True})
        self._make_buyer(partner=blocked, status="blocked", status_reason="fraud")
        order = self._make_order(500, partner_shipping_id=blocked.id)
        order.action_confirm()
        self.assertEqual(order.state, "draft")
        self.assertFalse(order.credit_pass_ids)

    def test_company_that_grants_nothing_or_an_amount_decides(self):
        for granted in ("no_credit", "amount"):
            self.company.write({"credit_unchecked_buyers": granted, "credit_default_limit": 100})
            order = self._make_order(500)
            order.action_confirm()
            self.assertEqual(order.state, "draft", granted)

    def test_hold_of_an_order_that_goes_to_a_buyer_nobody_looked_at_is_cleared(self):
        self._make_buyer(limit=100)
        order = self._make_order(500)
        order.action_confirm()
        self.assertEqual(order.credit_hold_ids.state, "open")
        order.partner_id = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self.assertNotEqual(order._credit_buyer_partner(), self.partner)
        order.action_confirm()
        self.assertEqual((order.state, order.credit_hold_ids.state), ("sale", "cleared"))
        self.assertEqual(order.credit_pass_ids.decision_id.basis, "not_checked")

    def test_order_confirmed_again_has_one_live_pass(self):
        order = self._make_confirmed_order(500)
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(order.credit_pass_ids.mapped("live").count(True), 1)
        self.assertEqual(len(order.credit_pass_ids), 2)

    def test_growth_after_the_buyer_was_configured_is_decided_beyond_the_pass(self):
        order = self._make_confirmed_order(500)
        self._make_buyer(limit=600)
        order.order_line.price_unit = 49
        self.env.cr.flush()
        self.assertEqual(order.credit_pass_ids.open_amount, 490)
        order.order_line.price_unit = 70
        with self.assertRaisesRegex(Exception, "700"):
            self.env.cr.flush()

    def test_what_a_hundred_orders_were_decided_is_written_at_once(self):
        self._make_buyer(limit=2000)
        orders = self.env["sale.order"].union(*(self._make_order(300) for _number in range(10)))
        logs = self.gate._record(self.gate._decide(orders, "confirmation"), "confirmation")
        self.assertEqual(logs.order_id, orders)
        self.assertEqual(logs.mapped("outcome"), ["pass"] * 6 + ["hold"] * 4)
        self.assertEqual(orders.credit_pass_ids.order_id, orders[:6])
