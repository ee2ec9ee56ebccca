"""The exposure statement as functions of the database: the same answer as its text, as its parts and as the rules."""

import random
from decimal import Decimal

from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.credit_insurance.credit_insurance.hooks import uninstall_hook
from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_exposure import (
    FEW,
    FEW_BUYERS,
    FUNCTIONS,
    MANY_BUYERS,
    OPEN_ORDERS,
)
from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_limit_reading import (
    FUNCTIONS as LIMIT_FUNCTIONS,
)
from odoo.addons.credit_insurance.credit_insurance.models.exposure_sql import exposure_sql
from odoo.addons.credit_insurance.credit_insurance.models.sql_functions import InFunction, ensure_function, int_array
from odoo.addons.credit_insurance.rules.policy import Moves, OrderLine, open_order_amount

from .common import CreditCommon

SEED = 20261122


@tagged("post_install", "-at_install")
class TestExposureStatement(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"
        cls.model = cls.env["credit.insurance.exposure"]

    def _sorted(self, rows):
        """Nobody promises an order of the rows."""
        return {key: sorted(found, key=lambda row: (row.source, row.currency_id)) for key, found in rows.items()}

    # === RANDOM DATA === #

    def _make_random_data(self, count):
        """Buyers with invoices, payments and orders in every state that chance gives them."""
        chance = random.Random(SEED)
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        partners = self.env["res.partner"].create([{"name": f"Buyer {n}", "is_company": True} for n in range(count)])
        for partner in partners:
            self._make_random_ledger(chance, partner, foreign)
            for _number in range(chance.randint(0, 3)):
                self._make_random_order(chance, partner)
        return partners

    def _make_random_ledger(self, chance, partner, foreign):
        for _number in range(chance.randint(0, 2)):
            values = {"currency_id": foreign.id} if chance.random() < 0.3 else {}
            move = self._make_invoice(
                chance.randint(1, 900), partner=partner, due_in=chance.randint(-100, 100),
                move_type=chance.choice(["out_invoice", "out_invoice", "out_refund"]), **values,
            )  # fmt: skip
            if move.move_type == "out_invoice" and chance.random() < 0.5:
                self._pay(move, move.amount_total * chance.choice([0.5, 1]))

    def _make_random_order(self, chance, partner):
        product = chance.choice([self.goods, self.goods_on_delivery, self.service])
        quantity = chance.randint(2, 12)
        order = self._make_order(100.0 * quantity, partner=partner, product=product, quantity=quantity)
        order.order_line = [Command.create({"product_id": self.service.id, "product_uom_qty": 1, "tax_ids": []})]
        if chance.random() < 0.1:
            return
        order.action_confirm()
        delivered = chance.randint(0, quantity)
        if product.type == "consu" and delivered:
            for move in order.picking_ids.move_ids:
                move.write({"quantity": delivered, "picked": True})
            order.picking_ids.with_context(cancel_backorder=chance.random() < 0.5)._action_done()
        if chance.random() < 0.6 and "to invoice" in order.order_line.mapped("invoice_status"):
            invoice = order._create_invoices()
            if chance.random() < 0.5:
                invoice.invoice_line_ids[0].quantity = chance.randint(1, quantity)
            if chance.random() < 0.2:
                invoice.partner_id = self.partner
            if chance.random() < 0.6:
                invoice.action_post()
        order.order_line[1].credit_insurance_closed = chance.random() < 0.2

    # === WHAT THE RULES SAY === #

    def _expected(self, order):
        lines = order.order_line.filtered(lambda line: not line.display_type)
        return open_order_amount([self._as_rule(line) for line in lines], confirmed=order.state == "sale")

    def _as_rule(self, line):
        states = set(line.move_ids.mapped("state"))
        moves = Moves.OPEN if states - {"done", "cancel"} else Moves.SETTLED if states else Moves.NONE
        items = line.invoice_lines

        def billed(state):
            return Decimal(str(sum(items.filtered(lambda item: item.parent_state == state).mapped("price_total"))))

        return OrderLine(
            ordered=Decimal(str(line.product_uom_qty)),
            delivered=Decimal(str(line.qty_delivered)),
            unit_price=Decimal(str(line.price_unit)),
            invoiced=billed("posted"),
            drafted=billed("draft"),
            moves=moves,
            closed=line.credit_insurance_closed,
        )

    # === TESTS === #

    def test_function_text_and_rules_agree_on_random_data(self):
        partners = self._make_random_data(25)
        arguments = int_array(partners.ids), int_array(self.company.ids), SQL("%s", self.today), int_array([])
        self.env.flush_all()
        text = sorted(self.env.execute_query(exposure_sql(*arguments)))
        self.assertGreater(len(text), 25)
        for name in (FEW_BUYERS, MANY_BUYERS):
            called = SQL("SELECT * FROM %s(%s, %s, %s, %s)", SQL.identifier(name), *arguments)
            self.assertEqual(sorted(self.env.execute_query(called)), text, name)
        rows = self.model._get_rows(partners.ids, self.company.ids, self.today)
        for partner in partners:
            orders = self.env["sale.order"].search([("partner_invoice_id", "=", partner.id)])
            with self.subTest(buyer=partner.name, seed=SEED):
                each = self.model._get_open_order_amounts(orders)
                for order in orders:
                    self.assertAlmostEqual(each.get(order.id, 0), float(self._expected(order)), 2, order.name)
                expected = sum(self._expected(order) for order in orders)
                amounts = self._exposure(partner=partner)
                self.assertAlmostEqual(amounts.get("confirmed", 0), float(expected), 2)
                items = self.env["account.move.line"].search(
                    [("partner_id", "=", partner.id), ("account_type", "=", "asset_receivable")]
                ).filtered(lambda item: item.parent_state == "posted")  # fmt: skip
                alone = self.model._get_rows(partner.ids, self.company.ids, self.today)
                together = {key: found for key, found in rows.items() if key[0] == partner.id}
                self.assertEqual(self._sorted(alone), self._sorted(together))
                booked = sum(row.amount_company for row in rows[partner.id, self.company.id] if row.amount_company)
                self.assertAlmostEqual(float(booked), sum(items.mapped("amount_residual")), 2)

    def test_few_and_many_buyers_get_the_same_answer(self):
        self._make_invoice(100)
        self._make_confirmed_order(1000)
        others = self.env["res.partner"].create([{"name": f"Other {n}"} for n in range(FEW + 1)])
        few = self.model._get_rows(self.partner.ids, self.company.ids, self.today)
        many = self.model._get_rows((self.partner | others).ids, self.company.ids, self.today)
        self.assertEqual(self._sorted(few), self._sorted(many))

    def test_function_sees_what_its_transaction_has_not_committed(self):
        self.assertEqual(self._exposure()["total"], 0)
        self._make_invoice(100)
        self.assertEqual(self._exposure()["total"], 100)

    def test_update_replaces_a_function_that_changed_and_leaves_one_that_did_not(self):
        def read():
            self.env.cr.execute("SELECT oid, xmin, prosrc FROM pg_proc WHERE proname = %s", [FEW_BUYERS])
            return self.env.cr.fetchall()

        [before] = read()
        self.model.init()
        self.assertEqual(read(), [before])
        columns = SQL("answer int")
        self.env.cr.execute(SQL("DROP FUNCTION %s", SQL.identifier(FEW_BUYERS)))
        arguments = SQL("int[], int[], date, int[]")
        answer = InFunction().render([], SQL("SELECT 42"))
        ensure_function(self.env.cr, FEW_BUYERS, arguments, columns, answer, ())
        self.assertEqual(
            self.env.execute_query(SQL("SELECT * FROM credit_insurance_exposure(NULL, NULL, NULL, NULL)")), [(42,)]
        )
        self.model.init()
        self._make_invoice(100)
        self.assertEqual(self._exposure()["total"], 100)

    def test_kept_plan_survives_changes_of_the_tables(self):
        self._make_invoice(100)
        self.assertEqual(self._exposure()["total"], 100)
        self.env.cr.execute(
            """
            ALTER TABLE account_move_line ADD COLUMN credit_insurance_test integer;
            ALTER TABLE sale_order ALTER COLUMN invoice_status TYPE text;
            DROP INDEX account_move_line_credit_insurance_open_idx;
            """
        )
        self.assertEqual(self._exposure()["total"], 100)

    def test_uninstalling_removes_the_functions(self):
        names = [*FUNCTIONS, *LIMIT_FUNCTIONS]
        uninstall_hook(self.env)
        self.env.cr.execute("SELECT proname FROM pg_proc WHERE proname = ANY(%s)", [names])
        self.assertFalse(self.env.cr.fetchall())

    def test_indexes_on_other_modules_tables_belong_to_the_addon(self):
        """Odoo drops what it knows as a module's when that is uninstalled."""
        self.env.cr.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE '%credit_insurance_open_idx'")
        names = [name for (name,) in self.env.cr.fetchall()]
        self.assertEqual(len(names), 2)
        known = self.env["ir.model.constraint"].search([("name", "in", names), ("type", "=", "i")])
        self.assertEqual(known.module.mapped("name"), ["credit_insurance"])
        self.assertEqual(len(known), 2)

    def test_function_of_other_arguments_takes_the_place_of_the_one_before(self):
        self.env.cr.execute(
            SQL("CREATE FUNCTION %s() RETURNS int LANGUAGE sql AS 'SELECT 1'", SQL.identifier(OPEN_ORDERS))
        )
        self.env.cr.execute(SQL("DROP FUNCTION %s(int[])", SQL.identifier(OPEN_ORDERS)))
        self.model.init()
        self.env.cr.execute("SELECT pronargs FROM pg_proc WHERE proname = %s", [OPEN_ORDERS])
        self.assertEqual(self.env.cr.fetchall(), [(1,)])

    def test_orders_being_decided_are_left_out(self):
        order = self._make_confirmed_order(1000)
        self._make_confirmed_order(300)
        rows = self.model._get_rows(self.partner.ids, self.company.ids, self.today, exclude_order_ids=order.ids)
        self.assertEqual([row.amount for row in rows[self.partner.id, self.company.id]], [300])

    def test_one_call_answers_for_buyers_over_several_companies(self):
        other = self.setup_other_company()["company"]
        self._make_invoice(100)
        rows = self.model._get_rows(self.partner.ids, (self.company | other).ids, self.today)
        self.assertEqual(set(rows), {(self.partner.id, self.company.id)})

    def test_currency_without_a_rate_is_told(self):
        foreign = self.env["res.currency"].create({"name": "XTS", "symbol": "X"})
        rated = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        asked = foreign | rated | self.company_currency
        self.assertEqual(self.model._get_unrated(asked, self.company), foreign)
        buyer = self._make_buyer(limit=100)
        self.assertFalse(buyer.unrated_currencies)
        buyer.currency_id = foreign
        self.assertEqual(buyer.unrated_currencies, "XTS")
