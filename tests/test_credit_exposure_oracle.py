"""What buyers owe, worked out a second time from the documents one by one, after every step of a history by chance.

The statement and its parts have tests of their own. Here nothing of them is used: :class:`Oracle` reads what the rules
for exposure say off the orders, their moves, invoices and journal items, slowly and in plain Python.
"""

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from odoo import Command
from odoo.tests import tagged

from .common import CreditCommon

SOURCES = ("not_due", "overdue", "confirmed", "credits")
# Of a line: an amount is rounded once per document, and not per step of the arithmetic.
CENTS = Decimal("0.02")


def exact(value):
    return Decimal(repr(float(value)))


class Oracle:
    def __init__(self, env, today):
        self.env, self.today = env(su=True), today

    def owed(self, partner, company):
        """``{source: amount}`` in the company's currency, of one commercial partner at one root company."""
        amounts = defaultdict(Decimal)
        for item in self._items(partner, company):
            if left := self._open_item(item):
                amounts[self._source(item, left)] += left
        for order in self._orders(partner, company):
            rates = (order.currency_id | company.currency_id)._get_rates(company, self.today)
            rate = exact(rates[company.currency_id.id]) / exact(rates[order.currency_id.id])
            amounts["confirmed"] += self._open_order(order) * rate
        return amounts

    # === THE LEDGER === #

    def _items(self, partner, company):
        return self.env["account.move.line"].search(
            [
                ("company_id", "child_of", company.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("partner_id.commercial_partner_id", "=", partner.id),
            ]
        )

    def _open_item(self, item):
        """Its balance, less what posted items settled of it. Differences of rates belong to the matches they are of."""
        left = exact(item.balance)
        for match in item.matched_credit_ids:
            left -= exact(match.amount) if self._settles(match, match.credit_move_id) else 0
        for match in item.matched_debit_ids:
            left += exact(match.amount) if self._settles(match, match.debit_move_id) else 0
        return Decimal() if self._undone(item.move_id) else left

    def _settles(self, match, other):
        return other.parent_state == "posted" and not self._undone(other.move_id)

    def _undone(self, move):
        """Whether it is the exchange difference of a match one side of which is a draft."""
        matches = self.env["account.partial.reconcile"].search([("exchange_move_id", "=", move.id)])
        return "draft" in (matches.debit_move_id | matches.credit_move_id).mapped("parent_state")

    def _source(self, item, left):
        if left < 0:
            return "credits"
        return "overdue" if (item.date_maturity or item.date) < self.today else "not_due"

    # === ORDERS === #

    def _orders(self, partner, company):
        return self.env["sale.order"].search(
            [
                ("company_id", "child_of", company.id),
                ("partner_invoice_id.commercial_partner_id", "=", partner.id),
                ("state", "in", ("sale", "cancel")),
            ]
        )

    def _open_order(self, order):
        """Its lines, less the down payments that no invoice has deducted yet; never below zero."""
        lines = order.order_line.filtered(lambda line: not line.display_type)
        advances = lines.filtered("is_downpayment")
        amount = sum((self._open_line(line) for line in lines - advances), Decimal())
        billed = advances.invoice_lines.filtered(lambda bill: bill.parent_state == "posted")
        amount -= sum((exact(bill.price_total) * self._sign(bill) for bill in billed), Decimal())
        return max(amount, Decimal())

    def _open_line(self, line):
        """What of a line is still to be invoiced: ``expected - billed``, and what a credit note makes due again."""
        moves = line.move_ids
        back = moves.filtered(lambda move: move.location_id.usage == "customer")
        coming = (moves - back).filtered(lambda move: move.state not in ("done", "cancel"))
        live = line.order_id.state == "sale"
        ended = not live or line.credit_insurance_closed or (moves - back and not coming)
        delivered = line.qty_delivered
        expected = delivered if ended else max(line.product_uom_qty, delivered)
        billed, credited, drafted, anew = self._billed(line)
        returned = sum(back.filtered(lambda move: move.state == "done" and move.to_refund).mapped("quantity"))
        undelivered = min(billed, line.product_uom_qty) - delivered if coming else 0
        quantity = max(0, expected - billed + min(credited, max(returned, undelivered, drafted + anew)))
        if live and ended:
            quantity = max(quantity, drafted)
        return exact(line.price_total) * exact(quantity) / exact(line.product_uom_qty)

    def _billed(self, line):
        """Quantities on posted invoices, on posted credit notes, on drafts, and on invoices after a credit note."""
        billed = credited = drafted = anew = 0.0
        for bill in line.invoice_lines.sorted("id"):
            if bill.parent_state == "draft" and self._sign(bill) > 0:
                drafted += bill.quantity
            elif bill.parent_state == "posted" and self._sign(bill) > 0:
                billed += bill.quantity
                anew += bill.quantity if credited else 0
            elif bill.parent_state == "posted":
                credited += bill.quantity
        return billed, credited, drafted, anew

    def _sign(self, bill):
        return -1 if bill.move_id.move_type == "out_refund" else 1


@tagged("post_install", "-at_install")
class TestExposureOracle(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "observe"
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        cls.beta = cls.env["res.partner"].create({"name": "Beta", "is_company": True})
        cls.person = cls.env["res.partner"].create({"name": "Beta, a person", "parent_id": cls.beta.id})
        cls.buyers = cls.partner | cls.beta
        taxes = [("added", 21.0, "tax_excluded"), ("within", 7.0, "tax_included")]
        cls.taxes = cls.env["account.tax"].create(
            [{"name": name, "amount": rate, "price_include_override": price} for name, rate, price in taxes]
        )

    # === WHAT HAPPENS === #

    def _happen_order(self):
        line = {
            "product_id": self.chance.choice(self.goods | self.goods_on_delivery | self.service).id,
            "product_uom_qty": self.chance.choice([4, 7.5, 10]),
            "price_unit": self.chance.choice([19.99, 100, 333.33]),
            "discount": self.chance.choice([0, 0, 12.5]),
            "tax_ids": [Command.set(self.chance.choice([[], *([tax.id] for tax in self.taxes)]))],
        }
        order = self.env["sale.order"].create(
            {
                "partner_id": self.chance.choice(self.buyers | self.contact | self.person).id,
                "currency_id": self.chance.choice(self.company_currency | self.company_currency | self.foreign).id,
                "order_line": [Command.create(line), Command.create({**line, "product_id": self.service.id})],
            }
        )
        order.action_confirm()
        self.orders |= order

    def _happen_delivery(self):
        for picking in self._one(self._pickings(("assigned", "confirmed"))):
            share = self.chance.choice([0.5, 1, 1, 1.2])
            for move in picking.move_ids:
                move.write({"quantity": round(move.product_uom_qty * share, 1), "picked": True})
            picking.with_context(cancel_backorder=self.chance.random() < 0.5)._action_done()

    def _happen_return(self):
        for picking in self._one(self._pickings(("done",), "outgoing")):
            wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
            wizard.product_return_moves.write({"quantity": 1, "to_refund": True})
            returned = wizard._create_return()
            if self.chance.random() < 0.8:
                returned.move_ids.write({"quantity": 1, "picked": True})
                returned._action_done()

    def _happen_delivery_again(self):
        """One unit more of what had come back."""
        for back in self._one(self._pickings(("done",), "incoming").move_ids):
            again = back.copy(
                {
                    "location_id": back.location_dest_id.id,
                    "location_dest_id": back.location_id.id,
                    "picking_id": False,
                    "origin_returned_move_id": False,
                    "sale_line_id": back.sale_line_id.id,
                }
            )
            again._action_confirm()
            if self.chance.random() < 0.7:
                again.write({"quantity": 1, "picked": True})
                again._action_done()

    def _happen_invoice(self):
        for order in self._one(self._live().filtered(lambda order: order.invoice_status == "to invoice")):
            invoice = order._create_invoices(final=True)
            if self.chance.random() < 0.3:
                invoice.invoice_line_ids.filtered(lambda line: line.quantity > 2).quantity = 2
            if self.chance.random() < 0.7:
                invoice.action_post()

    def _happen_posting(self):
        self._one(self._invoices("draft")).action_post()

    def _happen_down_payment(self):
        without = self._live().filtered(lambda order: not any(order.order_line.mapped("is_downpayment")))
        for order in self._one(without):
            wizard = self.env["sale.advance.payment.inv"].with_context(active_ids=order.ids, active_model="sale.order")
            amount = self.chance.choice(
                [
                    {"advance_payment_method": "fixed", "fixed_amount": 50},
                    {"advance_payment_method": "percentage", "amount": 33.3},
                ]
            )
            wizard.create(amount)._create_invoices(order).action_post()

    def _happen_credit_note(self):
        goods = self._invoices("posted").filtered(
            lambda move: not any(move.invoice_line_ids.sale_line_ids.mapped("is_downpayment"))
        )
        for invoice in self._one(goods):
            note = self._reverse_invoice(invoice)
            note.invoice_line_ids.filtered(lambda line: line.quantity > 1).quantity = 1
            note.action_post()

    def _happen_payment_of_an_invoice(self):
        for invoice in self._one(self._invoices("posted").filtered("amount_residual")):
            self._pay(invoice, round(invoice.amount_residual * self.chance.choice([0.3, 1]), 2))

    def _happen_reset_to_draft(self):
        """Odoo keeps what it is matched with; most are posted again."""
        self._one(self._matched("posted")).button_draft()

    def _happen_posting_again(self):
        self._one(self._matched("draft")).action_post()

    def _happen_match_of_a_draft(self):
        """A draft credit note settles what is open of an invoice."""
        for invoice in self._one(self._invoices("posted").filtered("amount_residual")):
            note = self._make_invoice(
                self.chance.choice([10, 200]), partner=invoice.partner_id, move_type="out_refund",
                currency_id=self.chance.choice(self.company_currency | self.foreign).id, post=False,
            )  # fmt: skip
            (invoice | note).line_ids.filtered(lambda line: line.account_type == "asset_receivable").reconcile()

    def _matched(self, state):
        """Documents of the buyers, except what Odoo does not reset: entries of exchange differences."""
        items = self.env["account.move.line"].search(
            [
                ("partner_id", "child_of", self.buyers.ids),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", state),
                ("matching_number", "!=", False),
            ]
        )
        return items.move_id.filtered(lambda move: move.journal_id != self.company.currency_exchange_journal_id)

    def _happen_payment(self):
        partner = self.chance.choice(self.buyers | self.contact)
        self.init_payment(self.chance.choice([33.3, 150]), post=True, partner=partner)

    def _happen_invoice_without_order(self):
        self._make_invoice(
            self.chance.choice([77.77, 500]),
            partner=self.chance.choice(self.buyers | self.person),
            due_in=self.chance.choice([-40, -1, 0, 30]),
            currency_id=self.chance.choice(self.company_currency | self.foreign).id,
        )

    def _happen_change_of_an_order(self):
        for line in self._one(self._live().order_line.filtered("product_uom_qty")):
            line.product_uom_qty += self.chance.choice([-1, 3])

    def _happen_end_of_a_service(self):
        for line in self._one(self._live().order_line.filtered(lambda line: line.product_id == self.service)):
            line.write({"qty_delivered": self.chance.choice([0, 2, 20]), "credit_insurance_closed": True})

    def _happen_end_of_an_order(self):
        order = self._one(self._live())
        if self.chance.random() < 0.5:
            order.action_lock()
            return
        order._action_cancel()

    def _happen_new_rate(self):
        day = self.today - timedelta(days=self.chance.randint(0, 900))
        self.env["res.currency.rate"].search([("currency_id", "=", self.foreign.id), ("name", "=", day)]).unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": self.foreign.id, "name": day, "rate": self.chance.choice([1.25, 1.6, 2.5])}
        )

    # === WHAT IT HAPPENS TO === #

    def _one(self, records):
        """One of the records by chance, or none where there is none."""
        return self.chance.choice(records.sorted("id")) if records else records

    def _live(self):
        return self.orders.filtered(lambda order: order.state == "sale" and not order.locked)

    def _pickings(self, states, code=None):
        return self._live().picking_ids.filtered(
            lambda picking: picking.state in states and code in (None, picking.picking_type_code)
        )

    def _invoices(self, state):
        return self._live().invoice_ids.filtered(lambda move: move.state == state and move.move_type == "out_invoice")

    def _live_on(self, seed, steps):
        """Let things happen, one after the other; yields what happened."""
        self.chance, self.orders = random.Random(seed), self.env["sale.order"]
        kinds = sorted(name for name in dir(self) if name.startswith("_happen_"))
        for step in range(steps):
            name = "_happen_order" if step < 3 else self.chance.choice(kinds)
            getattr(self, name)()
            yield f"seed {seed}, step {step}: {name.removeprefix('_happen_')}"

    # === TESTS === #

    def _check(self, told):
        oracle, model = Oracle(self.env, self.today), self.env["credit.insurance.exposure"]
        rows = model._get_rows(self.buyers.ids, self.company.ids, self.today)
        for buyer in self.buyers:
            owed = oracle.owed(buyer, self.company)
            found = model._convert_rows(
                rows[buyer.id, self.company.id], self.company, self.company_currency, self.today
            )
            for source in SOURCES:
                self.assertAlmostEqual(found[source], owed[source], None, f"{told}: {buyer.name}, {source}", CENTS)

    def _check_documents(self, told):
        model = self.env["credit.insurance.exposure"]
        lines = self.env["credit.insurance.reconciliation.line"].sudo()._make_lines(self.company)
        self.assertFalse(any(lines.mapped("unexplained")), told)
        for buyer in self.buyers:
            figures = self._exposure(buyer)
            for source in SOURCES:
                documents = model._get_documents(buyer, self.company, self.company_currency, self.today, source)
                counted = sum(document.counted for document in documents)
                self.assertAlmostEqual(float(counted), figures.get(source, 0), 2, f"{told}: {buyer.name}, {source}")
            line = lines.filtered(lambda line, buyer=buyer: line.partner_id == buyer)
            self.assertAlmostEqual(line.exposure, figures["total"], 2, told)

    def test_exposure_after_every_step_is_what_the_documents_say(self):
        for seed in (4, 7):
            for told in self._live_on(seed, 45):
                self._check(told)
            self._check_documents(told)

    def test_order_passes_just_when_it_fits_what_the_documents_leave_of_the_limit(self):
        self._make_buyer()
        for told in self._live_on(3, 40):
            short = self.chance.choice([None, None, None, 0, Decimal("0.01"), 100])
            if short is None:
                continue
            owed = sum(Oracle(self.env, self.today).owed(self.partner, self.company).values())
            limit = round(owed, 2) + 1000 - short
            if limit < 0:
                continue
            order = self._make_order(1000)
            self.company.credit_gate_mode = "on"
            self._make_buyer(limit=float(limit))
            order.action_confirm()
            self.assertEqual(order.state, "draft" if short else "sale", f"{told}, {owed} owed, short of {short}")
            self.company.credit_gate_mode = "observe"
            order._action_cancel()
