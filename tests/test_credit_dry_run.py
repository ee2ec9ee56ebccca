from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_dry_run
from odoo.addons.queue_job.tests.common import trap_jobs

from .common_alert import AlertCommon
from .test_credit_insurance_rule import document


@tagged("post_install", "-at_install")
class TestCreditDryRun(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.DryRun = cls.env["credit.insurance.dry.run"].with_user(cls.administrator)
        cls.buyer = cls._make_late_buyer()
        cls.rule = cls.Rule.with_user(cls.administrator).create({"document": document()})

    def _run(self, rule=None, **values):
        """A dry run with all its jobs done."""
        run = self.DryRun.create({"rule_id": (rule or self.rule).id, "company_id": self.company.id, **values})
        self._work(run)
        return run

    def _work(self, run):
        with trap_jobs() as trap:
            run.action_start()
            while trap.enqueued_jobs:
                job = trap.enqueued_jobs.pop(0)
                job.perform()
        run.invalidate_recordset()

    def _on(self, days_ago):
        return self.today - timedelta(days=days_ago)

    def _decided_on(self, orders, days_ago):
        """Let what the gate decided about these orders have been decided so many days ago."""
        moment = f"{self._on(days_ago)} 10:00:00"
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE credit_insurance_decision SET create_date = %s WHERE order_id = ANY(%s)", (moment, orders.ids)
        )
        orders.filtered(lambda order: order.state == "sale").date_order = moment
        self.env.invalidate_all()

    def _confirmed_on(self, amount, days_ago, **values):
        order = self._make_confirmed_order(amount, **values)
        self._decided_on(order, days_ago)
        return order

    def _held_on(self, amount, days_ago, **values):
        """An order that the gate held, and that is a quotation still."""
        self.buyer.write({"status": "blocked", "status_reason": "Test"})
        order = self._make_order(amount, **values)
        order.action_confirm()
        self.assertEqual(order.state, "draft")
        self.buyer.status = "normal"
        self._decided_on(order, days_ago)
        return order

    def _kinds(self, run):
        return {line.buyer_id: line.kind for line in run.today_line_ids}

    # === TODAY === #

    def test_finds_what_screening_would_and_raises_nothing(self):
        run = self._run()
        self.assertEqual((run.state, run.progress), ("done", 100))
        self.assertEqual(self._kinds(run), {self.buyer: "new"})
        self.assertEqual(run.today_line_ids.message, "Alpha Trading Ltd owes 12,300")
        self.assertEqual(run.today_line_ids.told, f"Alpha Trading Ltd owes {self.company_currency.format(12300)}")
        self.assertEqual((run.fired_count, run.new_count, run.same_count, run.ended_count), (1, 1, 0, 0))
        self.assertFalse(self._alerts())

    def test_open_alert_is_open_already_and_one_that_no_longer_fires_would_end(self):
        self.rule.action_activate()
        with self._host():
            self.Rule._screen(self.buyer)
        self.assertEqual(self._kinds(self._run()), {self.buyer: "same"})
        self.rule.working_document = document(limit=1_000_000)
        run = self._run()
        self.assertEqual(run.document, document(limit=1_000_000), "the proposed text is tried")
        self.assertEqual(self._kinds(run), {self.buyer: "ended"})
        self.assertEqual((run.fired_count, run.ended_count), (0, 1))

    def test_alert_that_its_rule_keeps_open_would_not_end(self):
        # A grade that the scale does not know.
        unknown = {"buyer_id": self.buyer.id, "insurer_id": self.insurer.id, "grade": "?", "graded_on": self.today}
        kept = "key: kept\nname: Kept\nwhen: {}\nmessage: '{{amount_overdue}}'\n"
        for when, change in (
            ("amount_overdue > 12000\nuntil: amount_overdue < 5000", lambda: self._pay(self.invoice, 3000)),
            ("risk_class >= 4", lambda: self.env["credit.insurance.grade"].create(unknown)),
        ):
            with self.subTest(when=when):
                rule = self.Rule.create({"document": kept.format(when), "state": "active"})
                with self._host():
                    self.Rule._screen(self.buyer)
                    change()
                    self.Rule._screen(self.buyer)
                self.assertEqual(self._alerts().filtered(lambda alert, rule=rule: alert.rule_id == rule).state, "open")
                run = self._run(rule)
                self.assertEqual((self._kinds(run), run.ended_count), ({self.buyer: "same"}, 0))
                rule.action_retire()
                kept = kept.replace("key: kept", "key: kept_too")

    def test_version_is_tried_with_its_own_text(self):
        self.rule.document = document(limit=1_000_000)
        first = self.rule.version_ids.filtered(lambda row: row.version == 1)
        self.assertFalse(self._run().today_line_ids)
        self.assertEqual(self._kinds(self._run(version_id=first.id)), {self.buyer: "new"})

    def test_quotations_of_the_found_buyers_are_counted_with_their_value(self):
        self._make_order(700)
        self._make_order(300)
        other = self.env["res.partner"].create({"name": "Fine Ltd", "is_company": True})
        self._make_buyer(partner=other)
        self._make_order(5000, partner=other)
        run = self._run()
        self.assertEqual((run.order_count, run.order_amount), (2, 1000))

    def test_alerts_of_other_rules_are_counted(self):
        other = self.Rule.create({"document": document(key="other", limit=1), "state": "active"})
        with self._host():
            self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().rule_id, other)
        self.assertEqual(self._run().today_line_ids.other_alert_count, 1)

    def test_rule_about_orders_counts_the_orders_it_finds(self):
        text = document(key="big").replace("severity:", "scope: order\nseverity:")
        text = text.replace("amount_overdue_30 >", "order_amount > 500 #").replace(
            "{amount_overdue_30}", "{order_amount}"
        )
        self._make_order(700)
        self._make_order(300)
        run = self._run(self.Rule.create({"document": text}), months=3)
        self.assertEqual((run.fired_count, run.order_count, run.order_amount), (1, 1, 700))
        self.assertEqual(run.today_line_ids.message, "Alpha Trading Ltd owes 700")
        self.assertIn("with the amounts of today", run.past_note)
        self.assertFalse(run.line_ids.filtered("is_past"))

    # === THE PAST === #

    def test_past_mondays_are_evaluated_as_they_were(self):
        run = self._run(months=2)
        past = run.line_ids.filtered("is_past").sorted("date")
        due = self.invoice.invoice_date_due
        self.assertTrue(past)
        self.assertTrue(all(line.date > due + timedelta(days=30) for line in past), "not before it was 30 days late")
        self.assertEqual(past.mapped("kind"), ["new"] + ["same"] * (len(past) - 1))
        self.assertEqual({line.date.weekday() for line in past}, {0})
        self.assertGreater(run.past_alert_rate, 0)

    def test_rule_is_tried_before_the_day_from_which_it_counts(self):
        found = self._run(months=2).line_ids.filtered("is_past").mapped("date")
        rule = self.Rule.create({"document": document(key="soon") + f"valid_from: {self._on(-9)}\n"})
        run = self._run(rule, months=2)
        self.assertEqual(self._kinds(run), {self.buyer: "new"})
        self.assertEqual(run.line_ids.filtered("is_past").mapped("date"), found)
        self.assertIn("counts from", run.past_note)
        self.assertFalse(self._run(self.rule).past_note)

    def test_past_alert_that_its_rule_keeps_open_is_no_new_one_later(self):
        text = "key: kept\nname: Kept\nwhen: amount_overdue > 12000\nuntil: amount_overdue < 5000\nmessage: late\n"
        self._pay(self.invoice, 3000).move_id.line_ids.matched_debit_ids.max_date = self._on(24)
        self._make_invoice(4000, due_in=-10)
        run = self._run(self.Rule.create({"document": text}), months=2)
        past = run.line_ids.filtered("is_past").sorted("date")
        self.assertGreater(len(past), 3)
        self.assertEqual(past.mapped("kind"), ["new"] + ["same"] * (len(past) - 1))
        self.assertEqual(len(past), (past[-1].date - past[0].date).days // 7 + 1, "no week is left out")

    def test_orders_confirmed_while_it_would_have_fired_are_counted(self):
        self._confirmed_on(700, self.today.weekday() or 7)
        run = self._run(months=1)
        self.assertEqual((run.past_order_count, run.past_order_amount), (1, 700))

    # === ORDERS OF THE PAST === #

    def test_order_counts_with_the_amount_it_had_when_it_was_decided(self):
        order = self._confirmed_on(700, self.today.weekday() or 7)
        order.order_line.price_unit = 500
        self.env.cr.flush()
        self.assertEqual(order.amount_total, 5000)
        run = self._run(months=1)
        self.assertEqual((run.past_order_count, run.past_order_amount), (1, 700))
        self.assertEqual((run.past_held_then_count, run.past_today_amount_count), (0, 0))

    def test_order_that_was_held_cancelled_or_deleted_since_counts(self):
        monday = self.today.weekday() or 7
        self._held_on(100, monday)
        self._held_on(200, monday).sudo()._action_cancel()
        self._held_on(400, monday).unlink()
        self._confirmed_on(800, monday)._action_cancel()
        run = self._run(months=1)
        self.assertEqual((run.past_order_count, run.past_order_amount), (4, 1500))
        self.assertEqual(run.past_held_then_count, 3)

    def test_order_put_to_the_gate_twice_counts_once_and_on_the_first_day(self):
        order = self._held_on(700, 20)
        order.order_line.price_unit = 90
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        run = self._run(self._document_rule("order", "order_amount > 500"), months=2)
        past = run.line_ids.filtered("is_past")
        self.assertEqual(past.mapped("date"), [self._on(20) - timedelta(days=self._on(20).weekday())])
        self.assertEqual((run.past_order_count, run.past_order_amount, run.past_held_then_count), (1, 700, 1))

    def test_order_confirmed_without_the_gate_counts_with_the_amount_of_today_and_is_said_to(self):
        self._confirmed_on(300, self.today.weekday() or 7)
        order = self._confirmed_on(700, self.today.weekday() or 7)
        self.env.cr.execute(
            "UPDATE credit_insurance_decision SET checkpoint = 'recheck' WHERE order_id = %s", (order.id,)
        )
        order.order_line.price_unit = 90
        self.env.cr.flush()
        run = self._run(months=1)
        self.assertEqual((run.past_order_count, run.past_order_amount), (2, 1200))
        self.assertEqual(run.past_today_amount_count, 1)

    def test_order_in_another_currency_counts_at_the_rate_of_its_day(self):
        currency = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0), (self._on(1), 4.0)])
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": currency.id})
        self._held_on(700, 20, pricelist_id=pricelist.id)
        run = self._run(self._document_rule("order", "order_amount > 100"), months=2)
        self.assertEqual((run.past_order_count, run.past_order_amount), (1, 350))

    # === THE PAST OF DOCUMENTS === #

    def _document_rule(self, scope, condition, key="about"):
        text = f"key: {key}_{scope}\nname: About\nscope: {scope}\nseverity: warning\nwhen: {condition}\n"
        return self.Rule.create({"document": text + 'message: "{document}"\nreason: test\n'})

    def test_orders_of_past_weeks_are_held_as_the_rule_would_have_held_them(self):
        held = self._confirmed_on(700, 20) | self._confirmed_on(900, 13)
        self._confirmed_on(300, 12)
        self._confirmed_on(5000, 200)
        run = self._run(self._document_rule("order", "order_amount > 500"), months=2)
        past = run.line_ids.filtered("is_past")
        self.assertEqual(set(past.mapped("res_id")), set(held.ids))
        self.assertEqual((run.past_order_count, run.past_order_amount), (2, 1600))
        self.assertEqual(set(past.mapped("kind")), {"new"})
        for line in past:
            order = self.env["sale.order"].browse(line.res_id)
            self.assertEqual(line.date, order.date_order.date() - timedelta(days=order.date_order.date().weekday()))
        self.assertAlmostEqual(run.past_alert_rate, 2 / len(run._get_mondays()), 1)

    def test_rule_about_orders_reads_the_amount_and_the_term_of_then(self):
        terms = self.env.ref("account.account_payment_term_30days"), self.env.ref("account.account_payment_term_15days")
        order = self._confirmed_on(700, 20, payment_term_id=terms[0].id)
        order.write({"payment_term_id": terms[1].id})
        order.order_line.price_unit = 10
        self.env.cr.flush()
        for condition in ("order_amount > 500", "order_payment_term >= 30 days"):
            with self.subTest(condition=condition):
                run = self._run(self._document_rule("order", condition, key=condition[:12]), months=2)
                self.assertEqual(run.line_ids.filtered("is_past").mapped("res_id"), order.ids)

    def test_headroom_of_a_past_order_is_without_what_it_grew_by_since(self):
        """The exposure of that day has a confirmed order with the amount of today: 20,000 - 12,300 - 7,000 = 700."""
        self._make_buyer(limit=20_000)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE credit_insurance_own_limit SET date_from = %s WHERE buyer_id = %s", (self._on(100), self.buyer.id)
        )
        self.env.invalidate_all()
        held, passed = self._held_on(7000, 21), self._confirmed_on(7000, 20)
        passed.order_line.price_unit = 10
        self.env.cr.flush()
        for condition, expected in (
            ("order_headroom > 0", held | passed),
            ("order_headroom < 1000", held | passed),
        ):
            with self.subTest(condition=condition):
                key = "more" if ">" in condition else "less"
                run = self._run(self._document_rule("order", condition, key=key), months=2)
                self.assertEqual(set(run.line_ids.filtered("is_past").mapped("res_id")), set(expected.ids))

    def test_past_order_is_compared_with_what_was_there_before_it(self):
        first = self._confirmed_on(100, 20)
        self._confirmed_on(100, 10)
        run = self._run(self._document_rule("order", "order_is_first = yes"), months=2)
        self.assertEqual(run.line_ids.filtered("is_past").mapped("res_id"), first.ids)

    def test_invoices_of_past_mondays_are_as_open_and_as_late_as_they_were(self):
        run = self._run(self._document_rule("invoice", "invoice_days_overdue > 30"), months=2)
        past = run.line_ids.filtered("is_past").sorted("date")
        due = self.invoice.invoice_date_due
        self.assertEqual(set(past.mapped("res_id")), set(self.invoice.ids))
        self.assertTrue(all(line.date > due + timedelta(days=30) for line in past))
        self.assertEqual(past.mapped("kind"), ["new"] + ["same"] * (len(past) - 1))

    def test_invoice_paid_since_was_open_then(self):
        self._pay(self.invoice)
        rule = self._document_rule("invoice", "invoice_open > 1000")
        run = self._run(rule, months=2)
        self.assertFalse(run.today_line_ids)
        self.assertIn(self.invoice.id, run.line_ids.filtered("is_past").mapped("res_id"))

    def test_events_of_past_mondays_are_those_that_were_known(self):
        event = self.env["credit.insurance.event"].create(
            {
                "buyer_id": self.buyer.id,
                "kind": "insolvency_rumour",
                "date": self._on(40),
                "known_on": self._on(15),
                "source": "Press",
            }
        )
        run = self._run(self._document_rule("event", 'event_kind = "insolvency_rumour"'), months=2)
        past = run.line_ids.filtered("is_past")
        self.assertEqual(set(past.mapped("res_id")), set(event.ids))
        self.assertGreaterEqual(min(past.mapped("date")), self._on(15))

    def test_documents_of_one_buyer_are_one_finding_each_and_its_orders_counted_once(self):
        self._make_invoice(500, due_in=-50)
        self._make_order(700)
        run = self._run(self._document_rule("invoice", "invoice_days_overdue > 30"))
        self.assertEqual((run.fired_count, run.order_count, run.order_amount), (2, 1, 700))

    def test_what_nothing_dated_tells_of_a_document_is_named(self):
        run = self._run(self._document_rule("invoice", "invoice_uninsured > 1"), months=1)
        self.assertIn("Uninsured amount", run.past_note)
        self.assertFalse(run.line_ids.filtered("is_past"))

    def test_what_the_past_takes_as_it_is_today_is_named(self):
        for when, told in (
            ("days_to_notification <= 10 days", "all deadlines of open invoices count"),
            ('country = "FR"', "Taken as it is today, also for the past: Country"),
            ("group_exposure > 5", "missing there: Exposure of the credit group"),
        ):
            text = document(key="noted").replace("amount_overdue_30 > 0", when)
            run = self.env["credit.insurance.dry.run"].create({"document": text, "company_id": self.company.id})
            self.assertFalse(run.past_note)
            run.months = 1
            self.assertIn(told, run.past_note)

    # === RUNNING === #

    def test_blocks_follow_each_other_and_a_cancelled_run_stops(self):
        for number in range(3):
            partner = self.env["res.partner"].create({"name": f"Buyer {number}", "is_company": True})
            self._make_buyer(partner=partner)
        self.startPatcher(patch.object(credit_insurance_dry_run, "BLOCK", 2))
        run = self.DryRun.create({"rule_id": self.rule.id, "company_id": self.company.id})
        with trap_jobs() as trap:
            run.action_start()
            trap.enqueued_jobs.pop(0).perform()
            run.invalidate_recordset()
            self.assertEqual((run.state, run.buyer_done, run.buyer_total), ("running", 2, 4))
            self.assertEqual(run.progress, 50)
            run.action_cancel()
            trap.enqueued_jobs.pop(0).perform()
            self.assertFalse(trap.enqueued_jobs)
        run.invalidate_recordset()
        self.assertEqual((run.state, run.buyer_done), ("cancelled", 2))
        self._work(run)
        self.assertEqual((run.state, run.buyer_done, len(run.today_line_ids)), ("done", 4, 1))

    def test_failed_job_is_told_on_the_run(self):
        run = self.DryRun.create({"rule_id": self.rule.id, "company_id": self.company.id})
        with trap_jobs() as trap:
            run.action_start()
            job = trap.enqueued_jobs[0]
        # As the runner of queue_job calls it.
        job.recordset.env.clear()
        job.on_fail({"exc_info": "Traceback", "exc_name": "Full", "exc_message": "The database is full"})
        run.invalidate_recordset()
        self.assertEqual((run.state, run.note), ("failed", "The database is full"))

    def test_reader_finds_name_and_note_in_own_language(self):
        """Not in the language of whoever started it."""
        rule = self._document_rule("invoice", "invoice_uninsured > 1")
        rule.document = rule.document.replace(f"name: {rule.name}", "name: A payment came back")
        run = self._run(rule, months=1)
        self.env["res.lang"]._activate_lang("fr_FR")
        words = {"Dry run of %s": "Simulation : %s", "Not known for the past, and missing there: %s.": "Inconnu : %s."}
        name = run.display_name.removeprefix("Dry run of ")
        words |= {name: "Non assuré", "Uninsured amount": "Montant non assuré"}
        with patch.dict(code_translations.python_translations, {("credit_insurance", "fr_FR"): words}):
            french = run.with_context(lang="fr_FR")
            self.assertEqual(french.display_name, "Simulation : Non assuré")
            self.assertIn("Inconnu : Montant non assuré", french.past_note)

    def test_text_with_problems_is_not_tried(self):
        run = self.DryRun.create({"document": "key: x", "company_id": self.company.id})
        with self.assertRaises(ValidationError):
            run.action_start()

    def test_running_twice_is_refused(self):
        run = self.DryRun.create({"rule_id": self.rule.id, "company_id": self.company.id})
        with trap_jobs():
            run.action_start()
            with self.assertRaises(UserError):
                run.action_start()

    def test_only_who_may_start_a_run_sees_the_buttons(self):
        for user, seen in ((self.administrator, True), (self.manager, False), (self.officer, False)):
            form = self.env["credit.insurance.dry.run"].with_user(user).get_view(view_type="form")["arch"]
            for button in ("action_start", "action_cancel"):
                self.assertEqual(f'name="{button}"' in form, seen, (user.name, button))

    def test_only_administrators_run_and_others_read_what_their_company_found(self):
        run = self._run()
        for user in (self.manager, self.officer):
            self.assertEqual(run.with_user(user).fired_count, 1)
            for attempt in (
                lambda user=user: run.with_user(user).action_start(),
                lambda user=user: run.with_user(user).action_cancel(),
                lambda user=user: run.with_user(user).write({"state": "draft"}),
                lambda user=user: self.rule.with_user(user).action_dry_run(),
            ):
                with self.assertRaises(AccessError):
                    attempt()
        with self.assertRaises(AccessError):
            run.with_user(self.rep).read(["state"])
        stranger = self.env["res.company"].create({"name": "Other"})
        self.officer.write({"company_ids": [Command.set(stranger.ids)], "company_id": stranger.id})
        with self.assertRaises(AccessError):
            run.with_user(self.officer).today_line_ids.read(["message"])
