"""What demo data cannot say in XML: a year of invoices, payments and orders, counted back from today.

    demo/res_company_demo.xml           ──> _load_chart         accounts, taxes, bank of the demo company
    demo/sale_order_demo.xml            ──> _make_history       orders, invoices, payments, quotations
    demo/credit_insurance_buyer_demo.xml ─> _connect_simulator  where the insurer answers
    demo/credit_insurance_gate_demo.xml ──> _keep_deadlines     what was reported and dunned in time

Only demo data reach it: every method is private, and nothing else calls them.
"""

import os
from dataclasses import dataclass
from datetime import timedelta

from odoo import Command, api, models

from .credit_insurance_deadline import EVENT_KINDS

SIMULATOR_URL = "http://127.0.0.1:8070"
# A set-up that runs the simulator elsewhere says so in one of these.
URL_VARIABLE = "CREDIT_INSURANCE_SIMULATOR_URL"
URL_PARAMETER = "credit_insurance.simulator_url"

PAID_INVOICES = 12
# Sales go up and down over the year, always in the same way.
SEASON = (1.0, 0.83, 1.21, 0.94, 1.37, 0.72, 1.08)
PRODUCTS = ("porcelain", "casserole", "cutlery")


@dataclass(frozen=True)
class Habit:
    """How a buyer buys and pays.

    ``volume`` is what it buys at a time, about, without tax. The first of the paid invoices is ``first`` days old, the
    others follow every ``step`` days; each is paid so many days after it is due as ``delays`` says in turn. ``open``
    lists what is unpaid as (days ago, units of porcelain).
    """

    partner: str
    term: int
    volume: int
    first: int
    step: int
    delays: tuple[int, ...]
    open: tuple[tuple[int, int], ...]
    taxed: bool = False


HABITS = (
    Habit("atelier", 30, 6000, 370, 26, (-9, -4, 0, -6, -2, 1), ((24, 38), (8, 45)), taxed=True),
    Habit("nordwind", 45, 21000, 380, 25, (0, 0, -1, 2, 0), ((38, 133), (15, 155))),
    Habit("shenzhen", 90, 12000, 395, 22, (3, 11, 0, 7, 15), ((75, 78), (40, 100), (9, 58))),
    Habit("bluewater", 30, 7000, 375, 26, (12, 9, 16, 21, 14), ((46, 46), (33, 39), (20, 56))),
    Habit("officina", 60, 6500, 390, 24, (4, 9, 0, 13, 6), ((72, 21), (28, 41), (11, 33))),
    # Ever later; what is open now lets cover stop in eight days.
    Habit("iberia", 30, 4500, 372, 24, (8, 15, 20, 24, 31, 38), ((82, 30), (68, 25), (51, 16), (17, 20))),
    # Stopped paying half a year ago: past the maximum extension period, and past the date of loss.
    Habit("casa_verde", 30, 2400, 395, 12, (5, 9, 14, 22, 31, 38), ((245, 20), (231, 18), (214, 26))),
    Habit("great_lakes", 60, 15000, 385, 24, (-2, 0, 1, -5), ((50, 89), (22, 110))),
)

# Units of porcelain: confirmed long ago and neither delivered nor invoiced; still quotations.
CONFIRMED = {"atelier": 30, "nordwind": 200, "officina": 55, "iberia": 18, "great_lakes": 70}
QUOTATIONS = {"officina": 115, "atelier": 34, "shenzhen": 40, "casa_verde": 12, "unknown_customer": 25}
CREDIT_NOTES = {"officina": 4}


class CreditInsuranceDemo(models.AbstractModel):
    _name = "credit.insurance.demo"
    _description = "Demo Data of Credit Insurance"

    # === COMPANY === #

    @api.model
    def _load_chart(self, company_id):
        """Give the company the generic chart of accounts, in euros and with French VAT."""
        company = self.env["res.company"].browse(company_id)
        # try_loading() would only add a warning: the registry is not complete while demo data load.
        self.env["account.chart.template"]._load("generic_coa", company, install_demo=False)
        france = self.env.ref("base.fr")
        company.write({"currency_id": self.env.ref("base.EUR").id, "account_fiscal_country_id": france.id})
        # A tax looks for a group of its own country: groups first.
        for model in ("account.tax.group", "account.tax"):
            rows = self.env[model].with_context(active_test=False).search([("company_id", "=", company.id)])
            rows.write({"country_id": france.id})
        company.account_sale_tax_id.write({"name": "VAT 20%", "amount": 20.0, "invoice_label": "VAT 20%"})
        company.resource_calendar_id.tz = company.partner_id.tz
        bank = self._find_journal(company, "bank")
        # Payments go straight to the bank account: nobody imports statements in a demonstration.
        bank.inbound_payment_method_line_ids.payment_account_id = bank.default_account_id

    @api.model
    def _find_journal(self, company, kind):
        return self.env["account.journal"].search([("company_id", "=", company.id), ("type", "=", kind)], limit=1)

    @api.model
    def _connect_simulator(self, account_id):
        """Fill in where the simulator answers, and the key it accepts."""
        # Not at the top: the simulator is a program of its own, and no Odoo server needs it.
        from odoo.addons.credit_insurance.connectors.simulator import DEMO_API_KEY

        configured = self.env["ir.config_parameter"].sudo().get_param(URL_PARAMETER)
        self.env["credit.insurance.account"].browse(account_id).write(
            {
                "base_url": os.environ.get(URL_VARIABLE) or configured or SIMULATOR_URL,
                "api_key": DEMO_API_KEY,
            }
        )

    # === HISTORY === #

    @api.model
    def _make_history(self, company_id):
        """Orders, invoices and payments of a year, and the quotations on which people try the gate."""
        company = self.env["res.company"].browse(company_id)
        demo = self.with_company(company).with_context(tracking_disable=True, mail_notrack=True)
        today = company._credit_today()
        demo._set_partners()
        demo._make_invoices(today)
        demo._make_confirmed_orders(today)
        demo._make_quotations()

    @api.model
    def _ref(self, kind, name):
        return self.env.ref(f"credit_insurance.demo_{kind}_{name}" if kind else f"credit_insurance.demo_{name}")

    @api.model
    def _set_partners(self):
        """Payment terms and the sales representative, which belong to the company and not to the partner alone."""
        sam = self._ref("user", "sam")
        for habit in HABITS:
            term = self._ref("term", habit.term)
            self._ref("", habit.partner).write({"property_payment_term_id": term.id, "user_id": sam.id})
        self._ref("", "unknown_customer").user_id = sam

    @api.model
    def _prepare_line(self, product, units, taxed):
        taxes = self.env.company.account_sale_tax_id if taxed else self.env["account.tax"]
        return {"product_id": product.id, "price_unit": product.list_price, "tax_ids": [Command.set(taxes.ids)]}, units

    @api.model
    def _prepare_move(self, habit, day, product, units, move_type="out_invoice"):
        line, units = self._prepare_line(product, units, habit.taxed)
        return {
            "move_type": move_type,
            "company_id": self.env.company.id,
            "partner_id": self._ref("", habit.partner).id,
            "invoice_date": day,
            "invoice_user_id": self._ref("user", "sam").id,
            "invoice_line_ids": [Command.create({**line, "quantity": units})],
        }

    @api.model
    def _prepare_open_moves(self, today):
        """Invoices that are open and credit notes that are not applied, by pairs with None: nobody pays them."""
        porcelain = self._ref("product", "porcelain")
        for habit in HABITS:
            for days, units in habit.open:
                yield self._prepare_move(habit, today - timedelta(days=days), porcelain, units), None
            if units := CREDIT_NOTES.get(habit.partner):
                yield self._prepare_move(habit, today - timedelta(days=5), porcelain, units, "out_refund"), None

    @api.model
    def _prepare_paid_moves(self, today):
        """Invoices by pairs with the number of days from due date to payment."""
        for habit in HABITS:
            for number in range(PAID_INVOICES):
                product = self._ref("product", PRODUCTS[number % len(PRODUCTS)])
                units = round(habit.volume * SEASON[number % len(SEASON)] / product.list_price)
                day = today - timedelta(days=habit.first - number * habit.step)
                delay = habit.delays[number * len(habit.delays) // PAID_INVOICES]
                yield self._prepare_move(habit, day, product, units), delay

    @api.model
    def _make_invoices(self, today):
        """All invoices at once, then all payments, then all reconciliations: one at a time would take minutes."""
        prepared = [*self._prepare_open_moves(today), *self._prepare_paid_moves(today)]
        prepared.sort(key=lambda pair: pair[0]["invoice_date"])
        moves = self.env["account.move"].create([vals for vals, _delay in prepared])
        moves._post(soft=False)
        delays = {move: delay for move, (_vals, delay) in zip(moves, prepared, strict=True) if delay is not None}
        self._pay(moves.filtered(lambda move: move in delays), delays)

    @api.model
    def _pay(self, invoices, delays):
        bank = self._find_journal(self.env.company, "bank")
        payments = self.env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": invoice.partner_id.id,
                    "amount": invoice.amount_total,
                    "currency_id": invoice.currency_id.id,
                    "date": invoice.invoice_date_due + timedelta(days=delays[invoice]),
                    "journal_id": bank.id,
                    "memo": invoice.name,
                }
                for invoice in invoices
            ]
        )
        payments.action_post()
        self.env["account.move.line"]._reconcile_plan(
            [
                (invoice.line_ids | payment.move_id.line_ids).filtered(
                    lambda line: line.account_type == "asset_receivable"
                )
                for invoice, payment in zip(invoices, payments, strict=True)
            ]
        )

    # === ORDERS === #

    @api.model
    def _prepare_order(self, partner, units):
        taxed = any(habit.partner == partner and habit.taxed for habit in HABITS)
        line, units = self._prepare_line(self._ref("product", "porcelain"), units, taxed)
        return {
            "partner_id": self._ref("", partner).id,
            "company_id": self.env.company.id,
            "user_id": self._ref("user", "sam").id,
            "order_line": [Command.create({**line, "product_uom_qty": units})],
        }

    @api.model
    def _make_confirmed_orders(self, today):
        vals_list = [self._prepare_order(partner, units) for partner, units in CONFIRMED.items()]
        orders = self.env["sale.order"].create(vals_list)
        orders.action_confirm()
        for days, order in enumerate(orders, start=6):
            order.date_order = today - timedelta(days=days)
        if self.env.ref("base.module_credit_insurance").state == "to install":
            # The install hook comes after demo data, and writes the passes of all orders confirmed before it. Whatever
            # waits for the end of the transaction looks at passes, too: let it come first.
            self.env.cr.flush()
            orders.sudo().credit_pass_ids.unlink()

    @api.model
    def _make_quotations(self):
        orders = self.env["sale.order"].create(
            [self._prepare_order(partner, units) for partner, units in QUOTATIONS.items()]
        )
        self.env["ir.model.data"]._update_xmlids(
            [
                {"xml_id": f"credit_insurance.demo_quotation_{partner}", "record": order, "noupdate": True}
                for partner, order in zip(QUOTATIONS, orders, strict=True)
            ]
        )

    # === INSURANCE === #

    @api.model
    def _keep_deadlines(self, company_id):
        """Deadlines of the open invoices; those that are past were kept."""
        invoices = self.env["account.move"].search(
            [
                ("company_id", "=", company_id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("payment_state", "=", "not_paid"),
            ]
        )
        invoices._credit_insurance_set_deadlines()
        kept = invoices.credit_insurance_deadline_ids.filtered(
            lambda deadline: deadline.passed and deadline.kind not in EVENT_KINDS
        )
        anna = self._ref("user", "anna")
        for deadline in kept:
            deadline.write({"done_on": deadline.date, "done_by_id": anna.id})
