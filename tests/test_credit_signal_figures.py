"""The figures of single signals in small worlds, beside what one works out by hand."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.credit_insurance.rules.risk import Scope

from .common_alert import AlertCommon


@tagged("post_install", "-at_install")
class TestSignalFigures(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=10000)
        cls.company.credit_gate_mode = "off"
        cls.signals = cls.env["credit.insurance.signals"]

    def _facts(self, **options):
        options = {"today": self.today, **options}
        return self.signals._get_facts(self.buyer, None, **options)[self.buyer.id]

    def _document(self, scope, document, **options):
        options = {"today": self.today, **options}
        return self.signals._get_document_facts(scope, document, None, **options)[document.id]

    def _instalments(self, *days):
        """A payment term of 30, 30 and 40 %, so many days after the invoice."""
        parts = zip((30, 30, 40), days, strict=True)
        return self.env["account.payment.term"].create(
            {
                "name": "Instalments",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": share, "nb_days": number})
                    for share, number in parts
                ],
            }
        )

    def _make_instalment_invoice(self, amount, days_ago, *days):
        return self._make_invoice(
            amount,
            due_in=-days_ago,
            invoice_payment_term_id=self._instalments(*days).id,
            invoice_date_due=False,
        )

    def _pay_item(self, move, number, day):
        """Pay one instalment on a day."""
        item = move.line_ids.filtered(lambda line: line.display_type == "payment_term").sorted("date_maturity")[number]
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner.id,
                "amount": item.amount_residual,
                "date": day,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        credit = payment.move_id.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        (item | credit).reconcile()

    def _pay_on(self, move, day, **values):
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        return wizard.create({"payment_date": day, **values})._create_payments()

    # === INSTALMENTS === #

    def test_invoice_of_instalments_is_overdue_since_its_first_unpaid_one(self):
        move = self._make_instalment_invoice(900, 50, 10, 30, 90)
        self.assertEqual(self._document(Scope.INVOICE, move)["invoice_days_overdue"], 40)
        self._pay_item(move, 0, self.today)
        self.assertEqual(self._document(Scope.INVOICE, move)["invoice_days_overdue"], 20)
        self._pay_item(move, 1, self.today)
        self.assertEqual(self._document(Scope.INVOICE, move)["invoice_days_overdue"], -40)

    def test_invoice_of_instalments_was_overdue_on_a_past_day(self):
        move = self._make_instalment_invoice(900, 50, 10, 30, 90)
        self._pay_item(move, 0, self.today - timedelta(days=5))
        past = self._document(Scope.INVOICE, move, today=self.today - timedelta(days=10), as_of=True)
        self.assertEqual(past["invoice_days_overdue"], 30)

    def test_term_of_an_invoice_of_instalments_is_that_of_the_last_and_none_was_extended(self):
        policy = self._make_policy(max_payment_term_days=60)
        self._make_cover(policy, self.buyer, 5000, effective_from=self.today - timedelta(days=100))
        move = self._make_instalment_invoice(900, 5, 10, 30, 90)
        facts = self._document(Scope.INVOICE, move)
        self.assertEqual((facts["invoice_payment_term"], facts["invoice_term_excess"]), (90, 30))
        self.assertEqual((facts["invoice_extended"], facts["invoice_days_overdue"]), (0, -5))

    def test_paid_instalments_make_one_paid_invoice(self):
        move = self._make_instalment_invoice(900, 50, 10, 30, 40)
        for number, day in enumerate((40, 15, 10)):
            self._pay_item(move, number, self.today - timedelta(days=day))
        facts = self._facts()
        self.assertEqual(facts["invoices_paid"], 1)
        self.assertEqual(facts["paid_late_share"], 100)  # the second came five days late
        self.assertEqual(facts["days_late_12m"], Decimal("1.5"))  # 5 days for 30 % of it

    def test_invoice_is_not_paid_before_its_last_instalment(self):
        move = self._make_instalment_invoice(900, 50, 10, 30, 90)
        self._pay_item(move, 0, self.today - timedelta(days=40))
        self.assertEqual(self._facts()["invoices_paid"], 0)

    def test_order_is_measured_by_the_mean_that_is_told_of_its_buyer(self):
        earlier, order = self._make_confirmed_order(100), self._make_order(200)
        for days, size in ((0, None), (1, 200)):
            day = self.today - relativedelta(months=12) + timedelta(days=days)
            earlier.date_order = datetime.combine(day, time(12))
            facts = self._document(Scope.ORDER, order)
            self.assertEqual(facts.get("order_size"), size, day)
            self.assertEqual("order_mean" in facts, bool(size), day)

    def test_term_of_an_order_is_the_one_that_odoo_would_give_its_invoice(self):
        order = self._make_order(100)
        for delay, days, day in (
            ("days_after", 45, "0"),
            ("days_after_end_of_month", 10, "0"),
            ("days_after_end_of_next_month", 5, "0"),
            ("days_end_of_month_on_the", 30, "0"),
            ("days_end_of_month_on_the", 0, "15"),
            ("days_end_of_month_on_the", 0, "31"),
        ):
            line = {"value": "percent", "value_amount": 100, "nb_days": days, "delay_type": delay}
            order.payment_term_id = self.env["account.payment.term"].create(
                {"name": delay, "line_ids": [Command.create({**line, "days_next_month": day})]}
            )
            for today in (date(2024, 1, 31), date(2024, 2, 29), date(2025, 1, 5), date(2025, 10, 12)):
                expected = (order.payment_term_id.line_ids._get_due_date(today) - today).days
                term = self._document(Scope.ORDER, order, today=today)["order_payment_term"]
                self.assertEqual(term, expected, f"{delay} {days} {day} on {today}")

    # === PAYMENTS === #

    def test_invoice_paid_by_several_payments_is_paid_on_the_day_of_the_last(self):
        move = self._make_invoice(1000, due_in=-30)
        self._pay_on(move, self.today - timedelta(days=25), amount=400)
        self.assertEqual(self._facts()["invoices_paid"], 0)
        self._pay_on(move, self.today - timedelta(days=10))
        facts = self._facts()
        self.assertEqual((facts["invoices_paid"], facts["days_late_3m"], facts["paid_late_share"]), (1, 20, 100))

    def test_invoice_whose_rest_was_credited_later_was_paid_when_it_was_paid(self):
        move = self._make_invoice(1000, due_in=-60)
        self._pay_on(move, self.today - timedelta(days=60), amount=980)
        refund = self._make_invoice(20, due_in=0, move_type="out_refund")
        items = (move | refund).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        items.filtered(lambda line: not line.reconciled).reconcile()
        facts = self._facts()
        self.assertEqual((facts["invoices_paid"], facts["days_late_3m"], facts["paid_late_share"]), (1, 0, 0))
        behaviour = self.env["credit.insurance.payment.behaviour"]
        paid = behaviour._get_payments(self.buyer, self.today - timedelta(days=90), self.today)[self.buyer.id]
        self.assertEqual(paid, (1, 0, 0))

    def test_early_payment_is_negative(self):
        move = self._make_invoice(1000, due_in=30)
        self._pay_on(move, self.today)
        facts = self._facts()
        self.assertEqual((facts["days_late_3m"], facts["paid_late_share"]), (-30, 0))

    def test_cancelled_payment_opens_the_invoice_again(self):
        move = self._make_invoice(1000, due_in=-30)
        payment = self._pay_on(move, self.today)
        payment.action_draft()
        payment.action_cancel()
        facts = self._facts()
        self.assertEqual((facts["invoices_paid"], facts["amount_overdue"], facts["exposure"]), (0, 1000, 1000))

    def test_rate_difference_of_a_credited_invoice_is_no_payment(self):
        lately = str(self.today - timedelta(days=20))
        for name, before, after in (("EUR", 2.0, 1.0), ("CHF", 1.0, 2.0)):
            currency = self.setup_other_currency(name, rates=[("1900-01-01", before), (lately, after)])
            move = self._make_invoice(100, due_in=-40, currency_id=currency.id)
            refund = self._make_invoice(100, due_in=0, move_type="out_refund", currency_id=currency.id)
            (move | refund).line_ids.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
            self.assertEqual(move.amount_residual, 0)
        self.assertEqual(self._facts()["invoices_paid"], 0)
        behaviour = self.env["credit.insurance.payment.behaviour"]
        self.assertFalse(behaviour._get_payments(self.buyer, self.today - timedelta(days=90), self.today))

    def test_payment_that_came_back_keeps_no_promise(self):
        move = self._make_invoice(500, due_in=-60)
        self.env["credit.insurance.event"].create(
            {
                "buyer_id": self.buyer.id,
                "kind": "payment_promise",
                "date": self.today - timedelta(days=20),
                "known_on": self.today - timedelta(days=20),
                "source": "Phone",
                "amount": 300,
                "promised_on": self.today - timedelta(days=5),
            }
        )
        payment = self._pay_on(move, self.today - timedelta(days=6), amount=300)
        reversal = payment.move_id._reverse_moves([{"date": self.today - timedelta(days=5)}], cancel=True)
        self.assertEqual(reversal.state, "posted")
        self.assertEqual(self._facts()["broken_promises"], 1)

    # === DELIVERIES === #

    def _make_pricelist(self, currency):
        return self.env["product.pricelist"].create({"name": currency.name, "currency_id": currency.id})

    def _deliver(self, order, days_ago, quantity=10):
        picking = order.picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel"))
        picking.move_ids.quantity = quantity
        picking.button_validate()
        picking.move_ids.date = fields.Datetime.now() - timedelta(days=days_ago)
        return picking

    def test_draft_invoice_bills_no_delivery(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        self._deliver(order, 21)
        order._create_invoices()
        facts = self._facts()
        self.assertEqual((facts.get("days_delivered_uninvoiced"), facts["delivered_uninvoiced"]), (21, 1000))

    def test_credit_note_makes_no_delivery_uninvoiced(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        self._deliver(order, 21)
        move = order._create_invoices()
        move.action_post()
        move._reverse_moves([{"invoice_date": self.today}], cancel=True)
        facts = self._facts()
        self.assertEqual((facts.get("days_delivered_uninvoiced"), facts["delivered_uninvoiced"]), (None, 0))

    def test_goods_that_came_back_were_credited_and_left_again_are_not_invoiced(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        picking = self._deliver(order, 21)
        order._create_invoices().action_post()
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.write({"quantity": 2, "to_refund": True})
        returned = wizard._create_return()
        returned.move_ids.write({"quantity": 2, "picked": True})
        returned._action_done()
        order._create_invoices(final=True).action_post()
        facts = self._facts()
        self.assertEqual((facts.get("days_delivered_uninvoiced"), facts["delivered_uninvoiced"]), (None, 0))
        move = picking.move_ids
        again = move.create(
            {
                "product_id": move.product_id.id,
                "product_uom_qty": 2,
                "product_uom": move.product_uom.id,
                "location_id": move.location_id.id,
                "location_dest_id": move.location_dest_id.id,
                "sale_line_id": order.order_line.id,
            }
        )
        again._action_confirm()
        again.write({"quantity": 2, "picked": True})
        again._action_done()
        again.date = fields.Datetime.now() - timedelta(days=4)
        self.assertEqual(order.order_line.qty_delivered, 10)
        facts = self._facts()
        self.assertEqual((facts.get("days_delivered_uninvoiced"), facts["delivered_uninvoiced"]), (4, 200))
        order._create_invoices().action_post()
        self.assertEqual(self._facts()["delivered_uninvoiced"], 0)

    def test_line_that_a_delivery_added_is_worth_its_price(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        order.order_line = [
            Command.create(
                {
                    "product_id": self.goods_on_delivery.id,
                    "product_uom_qty": 0,
                    "price_unit": 100,
                    "tax_ids": [Command.clear()],
                    "qty_delivered_method": "manual",
                    "qty_delivered": 5,
                }
            )
        ]
        line = order.order_line[-1]
        line.write({"qty_delivered_method": "manual", "qty_delivered": 5})
        self.assertEqual((line.product_uom_qty, line.qty_delivered), (0, 5))
        self.assertEqual(self._facts()["delivered_uninvoiced"], 500)

    def test_delivery_of_an_order_in_another_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("1900-01-01", 2.0)])
        order = self._make_confirmed_order(
            1000, product=self.goods_on_delivery, pricelist_id=self._make_pricelist(currency).id
        )
        self.assertEqual(order.currency_id, currency)
        self._deliver(order, 3)
        self.assertEqual(self._facts()["delivered_uninvoiced"], 500)

    # === COVER === #

    def test_announced_withdrawal_that_has_come_is_a_cut(self):
        self._make_cover(
            self._make_policy(), self.buyer, 1000, effective_from=self.today - timedelta(days=100),
            announced_status="withdrawn", announced_from=self.today - timedelta(days=5),
        )  # fmt: skip
        facts = self._facts()
        self.assertEqual((facts["cover_status"], facts["cover_amount"]), ("withdrawn", 0))
        self.assertEqual((facts.get("days_since_cover_cut"), facts.get("cover_cut")), (5, 100))

    def test_announced_reduction_that_has_come_is_a_cut(self):
        self._make_cover(
            self._make_policy(), self.buyer, 1000, effective_from=self.today - timedelta(days=100),
            announced_status="reduced", announced_from=self.today - timedelta(days=5), announced_amount=600,
        )  # fmt: skip
        facts = self._facts()
        self.assertEqual((facts["cover_status"], facts["cover_amount"]), ("reduced", 600))
        self.assertEqual((facts.get("days_since_cover_cut"), facts.get("cover_cut")), (5, 40))

    def test_announcement_that_was_replaced_before_its_day_is_no_cut(self):
        policy = self._make_policy()
        self._make_cover(
            policy, self.buyer, 1000, effective_from=self.today - timedelta(days=100),
            announced_status="withdrawn", announced_from=self.today - timedelta(days=5),
        )  # fmt: skip
        self._make_cover(policy, self.buyer, 1200, effective_from=self.today - timedelta(days=9))
        self.assertNotIn("days_since_cover_cut", self._facts())

    def test_cover_granted_anew_after_an_announced_end_is_counted_from_zero(self):
        policy = self._make_policy()
        self._make_cover(
            policy, self.buyer, 1000, effective_from=self.today - timedelta(days=100),
            announced_status="withdrawn", announced_from=self.today - timedelta(days=50),
        )  # fmt: skip
        self._make_cover(policy, self.buyer, 400, effective_from=self.today - timedelta(days=9))
        facts = self._facts()
        self.assertEqual((facts["days_since_cover_cut"], facts["cover_cut"]), (50, 100))

    # === WHO === #

    def _at(self, zone, hour):
        """Set the company's zone; today at that hour as stored, and the company's day then."""
        self.company.resource_calendar_id.tz = zone
        return datetime.combine(self.today, time(hour))

    def test_bank_account_of_the_evening_is_new_where_the_company_is(self):
        moment = self._at("America/New_York", 2)  # yesterday evening there
        bank = self.env["res.partner.bank"].create({"partner_id": self.partner.id, "acc_number": "FR1420041"})
        self.env.cr.execute("UPDATE res_partner_bank SET create_date = %s WHERE id = %s", [moment, bank.id])
        yesterday = self.today - timedelta(days=1)
        self.assertEqual(self._facts(today=yesterday).get("days_since_bank_change"), 0)
        self.assertEqual(self._facts()["days_since_bank_change"], 1)

    def test_contact_is_known_since_the_companys_day(self):
        moment = self._at("Asia/Shanghai", 20)  # tomorrow there
        self.env.cr.execute("UPDATE res_partner SET create_date = %s WHERE id = %s", [moment, self.partner.id])
        self.assertEqual(self._facts(today=self.today + timedelta(days=2))["days_known"], 1)

    # === STATEMENTS === #

    def _statement(self, years, turnover, **values):
        return self.env["credit.insurance.statement"].create(
            {
                "buyer_id": self.buyer.id,
                "year_end": self.today - relativedelta(years=years),
                "turnover": turnover,
                **values,
            }
        )

    def test_turnover_grows_against_the_year_before_and_not_against_an_older_one(self):
        self._statement(1, 1000)
        self._statement(5, 500)
        self.assertNotIn("turnover_growth", self._facts())
        self._statement(2, 800)
        self.assertEqual(self._facts()["turnover_growth"], 25)

    def test_statement_in_a_weak_currency_is_converted_exactly(self):
        currency = self.setup_other_currency("JPY", rates=[("1900-01-01", 160.0)])
        self._statement(1, 160_000_000, currency_id=currency.id)
        self.assertAlmostEqual(self._facts()["statement_turnover"], Decimal(1_000_000), 2)

    # === WHOSE === #

    def test_branches_contacts_and_archived_contacts_count_for_the_buyer(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids += branch
        archived = self.contact.copy({"name": "Alpha, formerly"})
        for partner in (self.contact, archived):
            self._make_invoice(100, partner=partner, due_in=-40)
        archived.active = False
        self._make_confirmed_order(100, company_id=branch.id)
        facts = self._facts()
        self.assertEqual((facts["receivables"], facts["amount_overdue_30"], facts["turnover"]), (200, 200, 200))
        self.assertEqual((facts["exposure"], facts["days_overdue_oldest"]), (300, 40))
        self.assertEqual((facts["orders_confirmed"], facts["order_mean"]), (1, 100))

    def test_drafts_cancelled_documents_and_quotations_count_for_nothing(self):
        self._make_invoice(100, due_in=-40, post=False)
        self._make_invoice(100, due_in=-40, post=False).button_cancel()
        self._make_order(100)
        self._make_confirmed_order(100)._action_cancel()
        facts = self._facts()
        for key in (
            "receivables",
            "amount_overdue",
            "turnover",
            "exposure",
            "orders_confirmed",
            "delivered_uninvoiced",
        ):
            self.assertEqual(facts[key], 0, key)
        for key in (
            "dso",
            "overdue_share",
            "payment_term",
            "days_to_next_due",
            "order_mean",
            "months_since_first_order",
        ):
            self.assertNotIn(key, facts)

    def test_credit_note_lowers_what_is_owed_and_sold_but_not_what_is_overdue(self):
        self._make_invoice(1000, due_in=-40)
        self._make_invoice(300, due_in=0, move_type="out_refund")
        facts = self._facts()
        self.assertEqual((facts["receivables"], facts["turnover"], facts["exposure"]), (700, 700, 700))
        self.assertEqual((facts["amount_overdue"], facts["overdue_share"], facts["dso"]), (1000, 100, 365))

    # === BOTH PATHS === #

    def test_signals_of_the_portfolio_are_those_of_each_buyer(self):
        currency = self.setup_other_currency("EUR", rates=[("1900-01-01", 2.0)])
        pricelist = self._make_pricelist(currency)
        others = self.partner_a | self.partner_b
        buyers = self.env["credit.insurance.buyer"]._get_or_create(others, self.company) | self.buyer
        for number, partner in enumerate(self.partner | others):
            self._make_invoice(100 + number, partner=partner, due_in=-20 * number)
            self._pay_on(self._make_invoice(70, partner=partner, due_in=-9), self.today - timedelta(days=number))
            self._make_confirmed_order(50 + number, partner=partner, pricelist_id=pricelist.id)
            self._make_invoice(30, partner=partner, due_in=-5, move_type="out_refund")
        together = self.signals._get_facts(buyers, None, self.today)
        for buyer in buyers:
            alone = self.signals._get_facts(buyer, None, self.today)
            self.assertEqual(alone[buyer.id], together[buyer.id])
