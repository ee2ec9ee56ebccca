"""What each source of signals tells, and how many statements it takes."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from odoo.addons.credit_insurance.rules.risk import DEFAULT_CATALOGUE, Scope

from .common_alert import AlertCommon


@tagged("post_install", "-at_install")
class TestSignalSources(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=10000)
        cls.company.credit_gate_mode = "off"
        cls.service_on_delivery = cls._make_product("Hours", type="service", invoice_policy="delivery")

    def _facts(self, keys=None, buyer=None, **options):
        buyer = buyer or self.buyer
        options = {"today": self.today, **options}
        return self.env["credit.insurance.signals"]._get_facts(buyer, keys, **options)[buyer.id]

    def _pay_on(self, move, day):
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        wizard.create({"payment_date": day})._create_payments()

    def _event(self, kind, days_ago=0, **values):
        day = self.today - timedelta(days=days_ago)
        return self.env["credit.insurance.event"].create(
            {"buyer_id": self.buyer.id, "kind": kind, "date": day, "known_on": day, "source": "Press", **values}
        )

    def _order_on(self, amount, days_ago, **values):
        order = self._make_confirmed_order(amount, **values)
        order.date_order = fields.Datetime.now() - timedelta(days=days_ago)
        return order

    # === ALL === #

    def test_every_signal_of_a_buyer_has_a_source(self):
        signals = self.env["credit.insurance.signals"]
        scores = {"internal_score", "score_financial", "score_behaviour", "score_sector"}
        for signal in DEFAULT_CATALOGUE.visible(Scope.BUYER):
            if signal.key not in scores:
                self.assertTrue(signals._get_sources({signal.key}), signal.key)

    def test_all_signals_of_one_buyer_take_five_queries(self):
        self._make_invoice(100, due_in=-20)
        self._order_on(50, 10)
        self._facts()  # scorecards and derived signals are read once
        self.env["credit.insurance.receivable.total"]._refresh(self.company)  # as every screening does
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self._facts()
        self.assertLessEqual(self.cr.sql_log_count - before, 5)

    def test_all_signals_of_many_buyers_take_the_statements_of_one(self):
        partners = self.env["res.partner"].create([{"name": f"B{number}", "is_company": True} for number in range(40)])
        buyers = self.env["credit.insurance.buyer"]._get_or_create(partners, self.company)
        for partner in partners:
            self._make_invoice(10, partner=partner, due_in=-20)
        self._facts()  # scorecards and derived signals are read once
        counts = []
        for some in (buyers[:1], buyers):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env["credit.insurance.signals"]._get_facts(some, None, self.today)
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts)

    def test_another_company_owes_nothing_here(self):
        other = self.env["res.company"].create({"name": "Other"})
        self._make_invoice(100, due_in=-20)
        buyer = self._make_buyer(company=other)
        facts = self._facts(buyer=buyer)
        self.assertEqual((facts["receivables"], facts["amount_overdue"], facts["exposure"]), (0, 0, 0))

    # === LEDGER AND PAYMENTS === #

    def test_bands_next_due_date_and_share(self):
        for amount, due_in in ((100, -5), (200, -40), (300, -70), (400, 12), (1000, 3)):
            self._make_invoice(amount, due_in=due_in)
        facts = self._facts()
        self.assertEqual([facts[f"overdue_{band}"] for band in ("1_30", "31_60", "61_90")], [100, 200, 300])
        self.assertEqual((facts["days_to_next_due"], facts["days_since_due"], facts["overdue_share"]), (3, 5, 30))
        self.assertEqual((facts["largest_open"], facts["receivables"]), (1000, 2000))

    def test_days_late_over_three_windows_and_their_trend(self):
        for due_in, paid_after in ((-20, 10), (-150, 0), (-300, 2)):
            move = self._make_invoice(100, due_in=due_in)
            self._pay_on(move, self.today + timedelta(days=due_in + paid_after))
        facts = self._facts()
        self.assertEqual((facts["days_late_3m"], facts["days_late_6m"], facts["days_late_12m"]), (10, 5, 4))
        self.assertEqual(facts["days_late_trend"], 6)
        self.assertEqual((facts["invoices_paid"], round(facts["paid_late_share"])), (3, 67))

    def test_a_credit_note_is_no_payment(self):
        move = self._make_invoice(100, due_in=-20)
        refund = self._make_invoice(100, due_in=0, move_type="out_refund")
        lines = (move | refund).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        lines.reconcile()
        self.assertEqual(self._facts()["invoices_paid"], 0)

    def test_turnover_credit_share_and_dso(self):
        self._make_invoice(300, due_in=30)
        cash = self._make_invoice(100, due_in=0)
        self._pay(cash)
        facts = self._facts()
        self.assertEqual((facts["turnover"], facts["credit_sales_share"]), (400, 75))
        self.assertEqual(facts["dso"], Decimal(300) * 365 / 400)

    def test_who_buys_nothing_on_credit_has_a_share_of_zero(self):
        self._make_invoice(100, due_in=0)
        self.assertEqual(self._facts()["credit_sales_share"], 0)

    def test_concentration_is_the_share_of_all_receivables(self):
        self._make_invoice(100)
        self._make_invoice(300, partner=self.partner_a)
        self.assertEqual(self._facts()["concentration"], 25)

    def test_nobody_concentrates_receivables_that_are_less_than_nothing(self):
        self._make_invoice(100)
        self._make_invoice(300, partner=self.partner_a, move_type="out_refund", due_in=0)
        prepaid = self._make_buyer(partner=self.partner_a)
        for options in ({}, {"today": self.today, "as_of": True}):
            self.assertNotIn("concentration", self._facts(**options))
            self.assertNotIn("concentration", self._facts(buyer=prepaid, **options))

    # === ORDERS === #

    def test_growth_against_the_months_before_and_the_season(self):
        self._order_on(1200, 200)
        self._order_on(300, 10)
        self._order_on(600, 370)
        facts = self._facts()
        self.assertEqual(facts["order_growth"], 100)  # 300 against 1800 / 12
        self.assertEqual(facts["order_growth_seasonal"], -50)  # 300 against 600
        self.assertEqual((facts["months_since_last_order"], facts["orders_confirmed"]), (0, 3))

    def test_nothing_grows_against_orders_of_less_than_nothing(self):
        self._order_on(-300, 100)
        self._order_on(-300, 380)
        order = self._order_on(100, 10)
        facts = self._facts()
        self.assertNotIn("order_growth", facts)
        self.assertNotIn("order_growth_seasonal", facts)
        signals = self.env["credit.insurance.signals"]
        facts = signals._get_document_facts(Scope.ORDER, order, None, self.today)[order.id]
        self.assertNotIn("order_size", facts)
        self.assertNotIn("order_size_seasonal", facts)

    def test_first_delivery_that_no_invoice_reaches_counts(self):
        order = self._make_confirmed_order(1000, product=self.goods_on_delivery)
        picking = order.picking_ids
        picking.move_ids.quantity = 10
        picking.button_validate()
        picking.move_ids.date = fields.Datetime.now() - timedelta(days=21)
        facts = self._facts()
        self.assertEqual((facts["days_delivered_uninvoiced"], facts["delivered_uninvoiced"]), (21, 1000))
        order._create_invoices().action_post()
        facts = self._facts()
        self.assertNotIn("days_delivered_uninvoiced", facts)
        self.assertEqual(facts["delivered_uninvoiced"], 0)

    def _enter_delivered(self, line, quantity, days_ago):
        day = self.today - timedelta(days=days_ago)
        with patch.object(type(self.company), "_credit_today", lambda company: day):
            line.qty_delivered = quantity
            self.env.flush_all()

    def test_service_delivered_by_hand_counts_from_the_day_it_was_entered(self):
        line = self._make_confirmed_order(1000, product=self.service).order_line
        self._enter_delivered(line, 3, 21)
        facts = self._facts()
        self.assertEqual((facts["days_delivered_uninvoiced"], facts["delivered_uninvoiced"]), (21, 300))
        self._enter_delivered(line, 5, 4)
        self.assertEqual(self._facts()["days_delivered_uninvoiced"], 21, "the oldest counts")

    def test_invoice_bills_what_was_delivered_by_hand_first(self):
        line = self._make_confirmed_order(1000, product=self.service_on_delivery).order_line
        self._enter_delivered(line, 3, 21)
        line.order_id._create_invoices().action_post()
        self.assertNotIn("days_delivered_uninvoiced", self._facts())
        self._enter_delivered(line, 5, 4)
        facts = self._facts()
        self.assertEqual((facts["days_delivered_uninvoiced"], facts["delivered_uninvoiced"]), (4, 200))

    def test_what_was_delivered_by_hand_is_corrected(self):
        line = self._make_confirmed_order(1000, product=self.service).order_line
        self._enter_delivered(line, 3, 21)
        self._enter_delivered(line, 5, 4)
        self._enter_delivered(line, 2, 1)
        self.assertEqual(self._facts()["days_delivered_uninvoiced"], 21, "2 of the 3 were there by then")
        self._enter_delivered(line, 0, 0)
        self.assertNotIn("days_delivered_uninvoiced", self._facts())

    # === COVER === #

    def test_a_cut_of_cover_and_what_the_policy_asks(self):
        policy = self._make_policy(max_payment_term_days=60, max_invoicing_days=20)
        start = self.today - timedelta(days=90)
        self._make_cover(policy, self.buyer, 1000, effective_from=start)
        self.assertNotIn("days_since_cover_cut", self._facts())
        self._make_cover(policy, self.buyer, 250, status="reduced", effective_from=self.today - timedelta(days=7))
        facts = self._facts()
        self.assertEqual((facts["days_since_cover_cut"], facts["cover_cut"]), (7, 75))
        self.assertEqual((facts["payment_term_maximum"], facts["invoicing_period"]), (60, 20))

    def test_an_announced_withdrawal_counts_down(self):
        self._make_cover(
            self._make_policy(), self.buyer, 1000, announced_status="withdrawn",
            announced_from=self.today + timedelta(days=9),
        )  # fmt: skip
        self.assertEqual(self._facts()["days_to_cover_cut"], 9)

    def test_term_beyond_the_covers_maximum(self):
        self._make_cover(self._make_policy(max_payment_term_days=60), self.buyer, 1000)
        self._make_invoice(100, due_in=90)
        facts = self._facts()
        self.assertEqual((facts["payment_term"], facts["payment_term_excess"]), (90, 30))

    def test_the_policy_of_a_discretionary_limit_asks_what_that_of_a_cover_does(self):
        policy = self._make_policy(
            **{"discretionary_maximum": 500, "discretionary_payments": 0, "discretionary_report_months": 12},
            **{"max_payment_term_days": 60, "max_invoicing_days": 20},
        )
        limit = self._make_discretionary(policy, self.buyer, 500)
        self._make_invoice(100, due_in=90)
        event = self._event("insolvency_rumour", 4)
        facts = self._facts()
        self.assertEqual((facts["payment_term_excess"], facts["invoicing_period"]), (30, 20))
        self.assertEqual(facts["days_to_report"], 6)
        about = self.env["credit.insurance.signals"]._get_document_facts(Scope.EVENT, event, None, self.today)
        self.assertEqual(about[event.id]["event_to_report"], 6)
        limit.sudo().cancelled = True
        self.assertFalse({"payment_term_maximum", "days_to_report"} & self._facts().keys())

    # === WHO === #

    def test_registration_number_that_differs_from_the_insured_entitys(self):
        account = self.env["credit.insurance.account"].create({"name": "C", "insurer_id": self.insurer.id})
        self.assertTrue(self._facts()["registration_missing"])
        self.partner.company_registry = "552 081 317"
        self.env["credit.insurance.buyer.link"].create(
            {"buyer_id": self.buyer.id, "account_id": account.id, "external_id": "77"}
        )
        self.assertEqual(self._facts()["registration_differs"], False)
        self.partner.company_registry = "552-081-317"
        self.assertEqual(self._facts()["registration_differs"], False)
        self.partner.company_registry = "999 081 317"
        self.assertEqual(self._facts()["registration_differs"], True)

    def test_country_class_of_the_day(self):
        france = self.env.ref("base.fr")
        self.partner.country_id = france
        self.assertNotIn("country_class", self._facts())
        for days, risk_class in ((100, "1"), (10, "3")):
            self.env["credit.insurance.country.class"].create(
                {"country_id": france.id, "risk_class": risk_class, "date_from": self.today - timedelta(days=days)}
            )
        self.assertEqual(self._facts()["country_class"], 3)
        self.assertEqual(self._facts(today=self.today - timedelta(days=20), as_of=True)["country_class"], 1)

    def test_new_bank_account_and_mail_domain(self):
        self.partner.email = "ann@alpha.example"
        self.assertNotIn("days_since_mail_change", self._facts())
        self.partner.email = "Ann <ann@alpha-example.test>"
        self.env["res.partner.bank"].create({"partner_id": self.partner.id, "acc_number": "FR1420041"})
        facts = self._facts()
        self.assertEqual((facts["days_since_mail_change"], facts["days_since_bank_change"]), (0, 0))

    def test_statements_in_another_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("1900-01-01", 2.0)])
        for year, turnover in ((1, 800), (2, 1000)):
            self.env["credit.insurance.statement"].create(
                {
                    "buyer_id": self.buyer.id,
                    "year_end": self.today - relativedelta(years=year),
                    "currency_id": currency.id,
                    "turnover": turnover,
                    "equity": 100,
                    "total_assets": 400,
                    "result": 40,
                }
            )
        facts = self._facts()
        self.assertEqual((facts["statement_turnover"], facts["statement_equity"]), (400, 50))
        self.assertEqual((facts["equity_ratio"], facts["profit_margin"], facts["turnover_growth"]), (25, 5, -20))
        self.assertEqual(facts["statement_age"], (self.today - (self.today - relativedelta(years=1))).days)
        self.assertNotIn("statement_cash", facts)

    # === EVENTS === #

    def test_events_by_age_and_count(self):
        self._event("deferral_request", 3)
        self._event("deferral_request", 200)
        self._event("deferral_request", 500)
        self._event("insolvency_rumour", 2)
        facts = self._facts()
        self.assertEqual((facts["days_since_deferral_request"], facts["deferral_requests"]), (3, 2))
        self.assertEqual((facts["days_since_insolvency_rumour"], facts["events_12m"]), (2, 3))
        self.assertEqual(facts["returned_payments"], 0)

    def test_a_promise_is_broken_when_less_came_by_its_day(self):
        move = self._make_invoice(500, due_in=-60)
        promised = {"promised_on": self.today - timedelta(days=10), "amount": 300}
        self._event("payment_promise", 30, **promised)
        self.assertEqual(self._facts()["broken_promises"], 1)
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        payment = wizard.create({"amount": 300, "payment_date": self.today - timedelta(days=12)})._create_payments()
        self.assertEqual(payment.move_id.state, "posted")
        self.assertEqual(self._facts()["broken_promises"], 0)

    def _promise(self, days_ago, due_ago, amount):
        self._event("payment_promise", days_ago, promised_on=self.today - timedelta(days=due_ago), amount=amount)

    def _pay_part(self, move, amount, days_ago):
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        wizard.create({"amount": amount, "payment_date": self.today - timedelta(days=days_ago)})._create_payments()

    def test_a_payment_serves_one_promise_the_one_due_first(self):
        move = self._make_invoice(1000, due_in=-60)
        self._promise(30, 10, 300)
        self._promise(20, 5, 300)
        self._pay_part(move, 300, 12)
        self.assertEqual(self._facts()["broken_promises"], 1)
        self._pay_part(move, 299, 6)
        self.assertEqual(self._facts()["broken_promises"], 1)
        self._pay_part(move, 1, 5)
        self.assertEqual(self._facts()["broken_promises"], 0)

    def test_what_a_promise_leaves_of_a_payment_serves_the_next(self):
        move = self._make_invoice(1000, due_in=-60)
        self._promise(30, 10, 300)
        self._promise(20, 5, 200)
        self._pay_part(move, 500, 12)
        self.assertEqual(self._facts()["broken_promises"], 0)

    def test_a_promise_not_due_yet_takes_nothing_from_one_that_was(self):
        move = self._make_invoice(1000, due_in=-60)
        self._promise(30, -10, 300)
        self._promise(20, 5, 300)
        self._pay_part(move, 300, 12)
        self.assertEqual(self._facts()["broken_promises"], 0)

    def test_a_promise_without_an_amount_is_kept_by_any_payment_and_uses_none_up(self):
        move = self._make_invoice(1000, due_in=-60)
        self._promise(30, 10, 0)
        self.assertEqual(self._facts()["broken_promises"], 1)
        self._promise(20, 5, 300)
        self._pay_part(move, 300, 12)
        self.assertEqual(self._facts()["broken_promises"], 0)

    def test_days_to_report_run_from_the_day_of_knowing(self):
        self._make_cover(self._make_policy(), self.buyer, 1000)
        event = self._event("insolvency_rumour", 4)
        self.assertEqual(self._facts()["days_to_report"], 6)
        event.with_user(self.officer).action_mark_reported()
        self.assertNotIn("days_to_report", self._facts())
        self.assertEqual(event.reported_by_id, self.officer)

    def test_what_was_reported_since_was_still_to_report_on_a_past_day(self):
        self._make_cover(self._make_policy(), self.buyer, 1000, effective_from=self.today - timedelta(days=30))
        event = self._event("insolvency_rumour", 4)
        event.with_user(self.officer).action_mark_reported()
        past = self.today - timedelta(days=1)
        self.assertEqual(self._facts(today=past, as_of=True)["days_to_report"], 7)
        self.assertNotIn("days_to_report", self._facts(as_of=True))

    def test_archived_events_do_not_count(self):
        self._event("insolvency_rumour").active = False
        self.assertNotIn("days_since_insolvency_rumour", self._facts())

    # === AS OF === #

    def test_ledger_as_it_stood_on_a_day(self):
        move = self._make_invoice(1000, due_in=-60)
        self._pay_on(move, self.today - timedelta(days=10))
        facts = self._facts(today=self.today - timedelta(days=20), as_of=True)
        self.assertEqual((facts["amount_overdue"], facts["days_overdue_oldest"], facts["exposure"]), (1000, 40, 1000))
        facts = self._facts(today=self.today - timedelta(days=5), as_of=True)
        self.assertEqual((facts["amount_overdue"], facts["exposure"]), (0, 0))
        facts = self._facts(today=self.today - timedelta(days=70), as_of=True)
        self.assertEqual((facts["receivables"], facts["exposure"]), (0, 0))

    def test_orders_limits_and_grades_as_they_were_on_a_day(self):
        self._order_on(700, 30)
        order = self._order_on(100, 3)
        order._create_invoices().action_post()
        self._grade(self.buyer, 2, 100)
        self._grade(self.buyer, 4, 5)
        facts = self._facts(today=self.today - timedelta(days=10), as_of=True)
        self.assertEqual((facts["exposure"], facts["orders_confirmed"], facts["risk_class"]), (700, 1, 2))
        self.assertNotIn("limit_in_force", facts)  # granted today
        self.assertEqual(self._facts()["limit_in_force"], 10000)

    def test_mail_domain_changed_on_the_day_of_the_company_whoever_changed_it(self):
        """It is never the same day at 14 hours before and 11 hours behind UTC."""
        self.company.resource_calendar_id.tz = "Pacific/Kiritimati"
        self.partner.email = "ann@alpha.example"
        self.partner.with_context(tz="Pacific/Pago_Pago").email = "ann@alpha-example.test"
        today = self.company._credit_today()
        self.assertEqual(self.partner.credit_insurance_mail_changed, today)
        self.assertEqual(self._facts(today=today)["days_since_mail_change"], 0)

    def test_what_nothing_dated_tells_is_missing_on_a_past_day(self):
        signals = self.env["credit.insurance.signals"]
        facts = self._facts(today=self.today - timedelta(days=1), as_of=True)
        self.assertFalse(facts.keys() & signals._get_undated_keys())
        self.assertIn("credit_status", signals._get_undated_keys())

    def test_orders_count_on_the_day_they_had_where_the_company_is(self):
        """23:00 UTC of a day is the next day in Shanghai already."""
        self.company.resource_calendar_id.tz = "Asia/Shanghai"
        day = self.today - timedelta(days=40)
        order = self._make_confirmed_order(100)
        order.date_order = datetime.combine(day - timedelta(days=1), time(23))
        keys = {"orders_confirmed", "exposure"}
        for as_of in (False, True):
            before = self._facts(keys, today=day - timedelta(days=1), as_of=as_of)
            self.assertEqual(before["orders_confirmed"], 0)
            self.assertEqual(self._facts(keys, today=day, as_of=as_of)["orders_confirmed"], 1)
        self.assertEqual(self._facts(keys, today=day - timedelta(days=1), as_of=True)["exposure"], 0)
        self.assertEqual(self._facts(keys, today=day, as_of=True)["exposure"], 100)

    def test_order_compares_itself_by_the_companys_days(self):
        self.company.resource_calendar_id.tz = "Asia/Shanghai"
        earlier = self._make_confirmed_order(100)
        earlier.date_order = datetime.combine(self.today - timedelta(days=31), time(23))
        order = self._make_order(200)
        signals = self.env["credit.insurance.signals"]

        def size():
            return signals._get_document_facts(Scope.ORDER, order, {"order_size_company"}, self.today)[order.id]

        self.assertEqual(size()["order_size_company"], 200, "the day 30 days ago had begun there")
        earlier.date_order = datetime.combine(self.today - timedelta(days=31), time(15))
        self.assertNotIn("order_size_company", size())

    def test_company_receivables_as_of_a_day(self):
        move = self._make_invoice(1000, due_in=-60)
        self._pay_on(move, self.today - timedelta(days=10))
        signals = self.env["credit.insurance.signals"]
        totals = [
            signals._sum_receivables(self.company.ids, self.today - timedelta(days=days))[self.company.id]
            for days in (20, 5)
        ]
        self.assertEqual(totals[0] - totals[1], 1000)

    def test_whoever_asks_sees_the_same_facts(self):
        self._make_invoice(100, due_in=-20)
        user = new_test_user(self.env, login="nobody_much", groups="base.group_user", company_id=self.company.id)
        signals = self.env["credit.insurance.signals"].with_user(user)
        found = signals._get_facts(self.buyer.with_user(user), None, self.today)[self.buyer.id]
        self.assertEqual(found, self._facts())
