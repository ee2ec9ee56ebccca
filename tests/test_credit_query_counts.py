"""How many statements the gate and the exposure send: numbers that must not grow unnoticed."""

import re
import threading
from contextlib import contextmanager

from odoo.tests import tagged

from odoo.addons.credit_insurance.credit_insurance.models.reasons import describe_reasons

from .common import CreditCommon

OWN = re.compile(r'(FROM|INTO|UPDATE|JOIN) "?credit_insurance_|pg_current_xact_id')
# Statements on this addon's tables that a confirmation sends on the main connection: lower them, never raise them.
# Configured: limits with what belongs to the order, exposure with the snapshot, decision and pass.
CONFIGURED = 3
# Unconfigured: one statement reads all that and, as there is nothing, writes decision and pass.
UNCONFIGURED = 1


class Statements(list):
    """``(cursor, text)`` of what was sent, and which of it went through the main connection."""

    def __init__(self, cr):
        super().__init__()
        self._cr = cr

    @property
    def main(self):
        return [text for cursor, text in self if cursor is self._cr]

    @property
    def own(self):
        """Those of this addon on the main connection."""
        return [text for text in self.main if OWN.search(text)]

    @property
    def side_cursors(self):
        return len({id(cursor) for cursor, _text in self if cursor is not self._cr})


class QueryCountCase(CreditCommon):
    @contextmanager
    def _recorded(self):
        """Statements of the block, on every connection, with nothing cached before."""
        self.env.flush_all()
        self.env.invalidate_all()
        statements = Statements(self.env.cr)

        def record(cursor, query, params, start, delay):
            statements.append((cursor, " ".join(str(query).split())))

        thread = threading.current_thread()
        before = getattr(thread, "query_hooks", ())
        thread.query_hooks = (*before, record)
        try:
            yield statements
        finally:
            thread.query_hooks = before

    def _make_buyers(self, count, limit=None):
        partners = self.env["res.partner"].create([{"name": f"Buyer {n}", "is_company": True} for n in range(count)])
        if limit is not None:
            for partner in partners:
                self._make_buyer(limit=limit, partner=partner)
        return partners

    def _make_quotations(self, partners):
        orders = self.env["sale.order"].union(*(self._make_order(100, partner=partner) for partner in partners))
        self.env.flush_all()
        return orders

    def _count_decision(self, orders):
        with self._recorded() as statements:
            self.env["credit.insurance.gate"]._decide(orders, "confirmation")
        return statements


@tagged("post_install", "-at_install")
class TestQueryCounts(QueryCountCase):
    def test_exposure_of_any_number_of_buyers_is_one_statement(self):
        partners = self._make_buyers(500)
        self._make_invoice(100, partner=partners[0])
        for count in (1, 100, 101, 500):
            with self.subTest(buyers=count), self._recorded() as statements:
                self.env["credit.insurance.exposure"]._get_rows(partners[:count].ids, self.company.ids, self.today)
            self.assertEqual(len(statements), 1)

    def test_limits_of_many_buyers_take_the_statements_of_one(self):
        partners = self._make_buyers(30, limit=1000)
        # What is read once and kept, such as the names of currencies, is not what is counted.
        self.env["credit.insurance.limit"]._get_limits([(partners[0].id, self.company.id)], self.today)
        counts = []
        for buyers in (partners[:1], partners):
            with self._recorded() as statements:
                pairs = [(partner.id, self.company.id) for partner in buyers]
                self.env["credit.insurance.limit"]._get_limits(pairs, self.today)
            counts.append(len(statements))
        self.assertEqual(*counts)

    def test_decision_of_a_hundred_orders_takes_the_statements_of_one(self):
        partners = self._make_buyers(100, limit=1000)
        orders = self._make_quotations(partners)
        self._count_decision(orders[:1])
        one, hundred = self._count_decision(orders[:1]), self._count_decision(orders)
        self.assertEqual(len(one.main), len(hundred.main), "\n".join(hundred.main[-40:]))
        self.assertEqual(hundred.side_cursors, 1)

    def test_judging_held_orders_again_takes_the_statements_of_one(self):
        orders = self._make_quotations(self._make_buyers(40, limit=10))
        gate = self.env["credit.insurance.gate"]
        gate._preview(orders[:1], together=True)
        counts = []
        for judged in (orders[:1], orders):
            with self._recorded() as statements:
                gate._preview(judged, together=True)
            counts.append(len(statements.main))
            self.assertEqual(statements.side_cursors, 0)
        self.assertEqual(*counts)

    def test_confirmation_of_a_configured_buyer(self):
        orders = self._make_quotations(self._make_buyers(2, limit=1000))
        orders[0].action_confirm()
        with self._recorded() as statements:
            orders[1].action_confirm()
            self.env.cr.flush()
        self.assertEqual(orders[1].state, "sale")
        self.assertLessEqual(len(statements.own), CONFIGURED, "\n".join(statements.own))
        self.assertEqual(statements.side_cursors, 1)

    def test_confirmation_of_an_unconfigured_buyer(self):
        orders = self._make_quotations(self._make_buyers(2))
        orders[0].action_confirm()
        with self._recorded() as statements:
            orders[1].action_confirm()
            self.env.cr.flush()
        self.assertEqual(orders[1].state, "sale")
        self.assertLessEqual(len(statements.own), UNCONFIGURED, "\n".join(statements.own))
        self.assertEqual(statements.side_cursors, 0)

    def test_partners_of_order_and_user_are_read_together(self):
        orders = self._make_quotations(self._make_buyers(2)).with_user(self.rep)
        orders[0].action_confirm()
        with self._recorded() as statements:
            orders[1].action_confirm()
            self.env.cr.flush()
        found = [text for text in statements.main if text.startswith('SELECT "res_partner"."id", "res_partner"."email')]
        self.assertEqual(len(found), 1, "\n".join(found))

    def test_amounts_of_reasons_are_written_out_without_reading_their_currency_again(self):
        money = {"amount": "1000.00", "currency": self.company_currency.name}
        params = {"shortfall": money, "exposure": money, "document": money, "limit": money}
        reason = {"code": "over_limit", "severity": "hold", "params": params, "exempted_by": None}
        describe_reasons(self.env, [reason])
        counts = []
        for reasons in ([{"code": "buyer_watch", "severity": "warn", "params": {}}, reason], [reason] * 5):
            with self._recorded() as statements:
                describe_reasons(self.env, reasons)
            counts.append(len(statements))
        self.assertEqual(*counts)

    def test_asking_for_the_numbers_of_many_buyers_takes_the_statements_of_one(self):
        insurer = self.env["credit.insurance.insurer"].create({"name": "By File", "code": "FILE"})
        account = self.env["credit.insurance.account"].create(
            {"name": "By File", "insurer_id": insurer.id, "company_id": self.company.id, "connector": "file"}
        )
        links = self.env["credit.insurance.buyer.link"]
        counts = []
        for number in (1, 1, 30):
            for partner in self._make_buyers(number, limit=1000):
                partner.write({"country_id": self.env.ref("base.de").id, "ref": f"OWN-{partner.id}"})
            with self._recorded() as statements:
                links._export_lookups(account)
            counts.append(len(statements))
        self.assertEqual(*counts[1:])  # what is cached for good is read the first time
