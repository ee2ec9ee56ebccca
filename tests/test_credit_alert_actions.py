"""What rules do: once per alert, on record, taken back when the alert ends, and never against what people did since."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_credit_alert_states import FindingsCommon, Outcome

ACTION_LOGGER = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_action"


@tagged("post_install", "-at_install")
class TestAlertActions(FindingsCommon):
    def _task(self, alert, key):
        return alert.task_ids.filtered(lambda task: task.key == key)

    def _act(self, *actions, **values):
        alert = self._record(self._found(actions=actions, **values)).filtered(lambda alert: not alert.ended_on)
        return alert, self._task(alert, actions[0])

    # === ONCE, AND ON RECORD === #

    def test_each_action_is_carried_out_once(self):
        alert, task = self._act("notify", "watch_buyer")
        self.assertEqual(alert.task_ids.sorted("id").mapped("key"), ["notify", "watch_buyer"])
        self._record(self._found(actions=["notify", "watch_buyer"]))
        self.assertEqual(len(alert.task_ids), 2)
        self.assertEqual(task.state, "done")

    def test_rule_that_gets_another_action_does_it_for_its_open_alert(self):
        alert, _task = self._act("notify")
        self._record(self._found(actions=["notify", "watch_buyer"]))
        self.assertEqual(self.buyer.status, "watch")
        self.assertEqual(set(alert.task_ids.mapped("key")), {"notify", "watch_buyer"})

    def test_rule_that_only_observes_does_nothing(self):
        finding = self._found(actions=["watch_buyer", "activity", "notify"])
        object.__setattr__(finding.outcome.rule, "observe", True)
        alert = self._record(finding)
        self.assertFalse(alert.task_ids)
        self.assertEqual(self.buyer.status, "normal")

    def test_answered_alert_starts_no_new_action(self):
        alert = self._record(self._found())
        alert.with_user(self.officer).action_acknowledge()
        self._record(self._found(actions=["watch_buyer"]))
        self.assertFalse(alert.task_ids)

    @mute_logger(ACTION_LOGGER)
    def test_action_that_fails_harms_no_other(self):
        other = self._make_buyer(partner=self.partner_a)
        model = type(self.env["credit.insurance.action"])

        def fail(action, tasks):
            if self.buyer in tasks.buyer_id:
                raise ValueError("broken")
            tasks.state = "done"

        with patch.object(model, "_action_hold_buyer", fail):
            alerts = self._record(
                self._found(actions=["hold_buyer", "watch_buyer"]),
                self._found(other, actions=["hold_buyer", "watch_buyer"]),
                buyers=self.buyer | other,
            )
        states = {task.buyer_id: task.state for task in alerts.task_ids if task.key == "hold_buyer"}
        self.assertEqual(states, {self.buyer: "failed", other: "done"})
        self.assertEqual((self.buyer | other).mapped("status"), ["watch", "watch"])
        failed = alerts.task_ids.filtered(lambda task: task.state == "failed")
        self.assertEqual(failed.note, "broken")
        with self.assertRaises(AccessError):
            failed.with_user(self.officer).action_retry()
        failed.with_user(self.manager).action_retry()
        self.assertEqual(failed.state, "done")

    def test_action_that_failed_is_not_tried_again_for_an_alert_that_is_over(self):
        model = type(self.env["credit.insurance.action"])
        with patch.object(model, "_action_hold_buyer", lambda action, tasks: tasks.broken):
            alert = self._record(self._found(actions=["hold_buyer"]))
        task = alert.task_ids
        self.assertEqual(task.state, "failed")
        alert.with_user(self.manager)._dismiss("accepted", "known")
        with self.assertRaisesRegex(UserError, "dismissed"):
            task.with_user(self.manager).action_retry()
        alert.with_user(self.manager).action_reopen()
        observing = replace(self._found().outcome.rule, observe=True)
        self._record(self._found(outcome=Outcome(observing)))
        with self.assertRaisesRegex(UserError, "observed"):
            task.with_user(self.manager).action_retry()
        self.assertFalse(alert.holds)

    # === WATCH === #

    def test_watch_is_taken_back_when_the_alert_ends(self):
        self.buyer.status_reason = "as before"
        alert, task = self._act("watch_buyer")
        self.assertEqual((self.buyer.status, self.buyer.status_reason), ("watch", f"Risk rule: {self.rule.name}"))
        self._record()
        self.assertEqual((self.buyer.status, self.buyer.status_reason), ("normal", "as before"))
        self.assertEqual((alert.state, task.state), ("resolved", "undone"))

    def test_watch_that_somebody_touched_since_stays(self):
        _alert, task = self._act("watch_buyer")
        self.buyer.with_user(self.manager).status_reason = "I look at it myself"
        self._record()
        self.assertEqual(self.buyer.status, "watch")
        self.assertEqual(task.state, "done")
        self.assertIn("somebody has set it", task.ended_note)

    def test_status_by_hand_is_not_softened_nor_taken_back(self):
        self.buyer.write({"status": "blocked", "status_reason": "Insolvency"})
        self._act("watch_buyer")
        self.assertEqual(self.buyer.status, "blocked")
        self._record()
        self.assertEqual(self.buyer.status, "blocked")

    def test_last_of_two_alerts_takes_the_watch_back(self):
        order = self._make_order()
        key = ("sale.order", order.id)
        mine, of_order = self._found(actions=["watch_buyer"]), self._found(actions=["watch_buyer"], document=key)
        self._record(mine, of_order, documents={key})
        self._record(of_order, documents={key})
        self.assertEqual(self.buyer.status, "watch")
        self._record(documents={key})
        self.assertEqual(self.buyer.status, "normal")

    def test_dismissing_takes_the_watch_back_and_reopening_sets_it_again(self):
        alert, task = self._act("watch_buyer")
        alert.with_user(self.officer)._dismiss("false_alarm", "no")
        self.assertEqual((self.buyer.status, task.state), ("normal", "undone"))
        alert.with_user(self.officer).action_reopen()
        self.assertEqual((self.buyer.status, task.state), ("watch", "done"))

    def test_clients_do_not_fake_what_rules_remember(self):
        self.buyer.with_user(self.manager).write(
            {"status": "watch", "status_reason": "Late", "status_by_rules": True, "status_before": "blocked"}
        )
        self.assertFalse(self.buyer.status_by_rules)
        self.assertFalse(self.buyer.status_before)

    # === HOLDS === #

    def test_orders_of_the_buyer_are_held_while_the_alert_stands(self):
        alert, task = self._act("hold_buyer")
        order = self._make_order()
        order.action_confirm()
        self.assertEqual(order.state, "draft")
        self.assertIn(self.rule.name, order.credit_hold_ids.reasons_text)
        self._record()
        self.assertEqual((alert.holds, task.state), (False, "undone"))
        other = self._make_order()
        other.action_confirm()
        self.assertEqual(other.state, "sale")

    def test_one_order_is_held_and_the_others_pass(self):
        order, other = self._make_order(), self._make_order()
        key = ("sale.order", order.id)
        alert = self._record(self._found(actions=["hold_order"], document=key), documents={key})
        (order | other).action_confirm()
        self.assertEqual((order.state, other.state), ("draft", "sale"))
        alert.with_user(self.manager)._dismiss("accepted", "fine")
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_holding_the_order_too_still_holds_the_buyer(self):
        order, other = self._make_order(), self._make_order()
        key = ("sale.order", order.id)
        self._record(self._found(actions=["hold_buyer", "hold_order"], document=key), documents={key})
        (order | other).action_confirm()
        self.assertEqual((order.state, other.state), ("draft", "draft"))

    def test_hold_ends_when_the_rule_no_longer_asks_for_it(self):
        alert, task = self._act("hold_buyer", "notify")
        self._record(self._found(actions=["notify"]))
        self.assertEqual((alert.state, alert.holds, task.state), ("open", False, "undone"))
        order = self._make_order()
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertEqual(self._task(alert, "notify").state, "done")

    def test_answered_alert_holds_no_longer_than_its_rule_asks_for(self):
        alert, _task = self._act("hold_buyer")
        alert.with_user(self.officer).action_acknowledge()
        self._record(self._found())
        self.assertEqual((alert.state, alert.holds), ("acknowledged", False))

    def test_hold_of_one_order_stays_when_the_buyer_is_not_held_any_more(self):
        order, other = self._make_order(), self._make_order()
        key = ("sale.order", order.id)
        both = self._found(actions=["hold_buyer", "hold_order"], document=key)
        alert = self._record(both, documents={key})
        for actions, holds in ((["hold_order"], "order"), (["hold_buyer"], "buyer"), (["hold_order"], "order")):
            self._record(self._found(actions=actions, document=key), documents={key})
            self.assertEqual(alert.holds, holds)
        (order | other).action_confirm()
        self.assertEqual((order.state, other.state), ("draft", "sale"))

    def test_what_the_rule_asks_for_again_is_done_again(self):
        alert, task = self._act("watch_buyer")
        self._record(self._found())
        self.assertEqual((self.buyer.status, task.state), ("normal", "undone"))
        self._record(self._found(actions=["watch_buyer"]))
        self.assertEqual((self.buyer.status, task.state, task.ended_note), ("watch", "done", False))
        self.assertEqual(len(alert.task_ids), 1)

    def test_reopened_alert_does_not_do_what_its_rule_had_stopped_asking_for(self):
        alert, task = self._act("watch_buyer", "notify")
        self._record(self._found(actions=["notify"]))
        alert.with_user(self.officer)._dismiss("false_alarm", "no")
        alert.with_user(self.officer).action_reopen()
        self.assertEqual((self.buyer.status, task.state), ("normal", "undone"))

    def test_what_waits_is_not_needed_when_the_rule_stops_asking_for_it(self):
        _alert, task = self._act("start_dunning")
        self.assertEqual(task.state, "todo")
        self._record(self._found())
        self.assertEqual(task.state, "cancelled")

    def test_quotation_does_not_get_out_of_its_hold_by_growing_old(self):
        order, other = self._make_order(), self._make_order()
        key = ("sale.order", order.id)
        self._record(self._found(actions=["hold_order"], document=key), documents={key})
        (order | other).date_order = self.today - timedelta(days=70)
        found = self.env["credit.insurance.signals"]._get_documents("order", self.buyer, self.today)
        self.assertEqual(found & (order | other), order)

    def test_only_a_manager_dismisses_what_holds_orders(self):
        alert, _task = self._act("hold_buyer")
        with self.assertRaises(AccessError):
            alert.with_user(self.officer)._dismiss("accepted", "let them through")
        self.assertEqual((alert.state, alert.holds), ("open", "buyer"))
        alert.with_user(self.manager)._dismiss("accepted", "fine")
        self.assertFalse(alert.holds)

    def test_buyer_whose_orders_an_action_holds_is_not_archived(self):
        self._act("hold_buyer")
        with self.assertRaisesRegex(UserError, "holds the orders"):
            self.buyer.active = False

    def test_rule_that_only_observes_from_now_on_takes_back_what_it_did(self):
        alert, task = self._act("watch_buyer")
        finding = self._found(actions=["watch_buyer"])
        object.__setattr__(finding.outcome.rule, "observe", True)
        self._record(finding)
        self.assertEqual((self.buyer.status, task.state, alert.state), ("normal", "undone", "open"))
        self._record(self._found(actions=["watch_buyer"]))
        self.assertEqual((self.buyer.status, task.state), ("watch", "done"))

    def test_answered_alert_holds_again_when_its_rule_no_longer_only_observes(self):
        alert, task = self._act("hold_buyer")
        alert.with_user(self.officer).action_acknowledge()
        finding = self._found(actions=["hold_buyer"])
        object.__setattr__(finding.outcome.rule, "observe", True)
        self._record(finding)
        self.assertEqual((alert.holds, task.state), (False, "undone"))
        self._record(self._found(actions=["hold_buyer"]))
        self.assertEqual((alert.state, alert.holds, task.state), ("acknowledged", "buyer", "done"))

    # === TERM AND LIMIT === #

    def _make_term(self, name, days):
        return self.env["account.payment.term"].create(
            {"name": name, "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": days})]}
        )

    def test_new_quotations_get_the_shorter_term_until_the_alert_ends(self):
        short, long = self._make_term("7 days", 7), self._make_term("60 days", 60)
        self.rule.payment_term_id = short
        self.partner.property_payment_term_id = long
        _alert, task = self._act("change_payment_term")
        self.assertEqual(self._make_order().payment_term_id, short)
        self._record()
        self.assertEqual((self.partner.property_payment_term_id, task.state), (long, "undone"))

    def test_term_is_never_made_longer_and_a_later_one_stays(self):
        short, long = self._make_term("7 days", 7), self._make_term("60 days", 60)
        self.rule.payment_term_id = long
        self.partner.property_payment_term_id = short
        self._act("change_payment_term")
        self.assertEqual(self.partner.property_payment_term_id, short)
        self._record()
        self.rule.payment_term_id = short
        self.partner.property_payment_term_id = long
        self._act("change_payment_term")
        other = self._make_term("14 days", 14)
        self.partner.property_payment_term_id = other
        self._record()
        self.assertEqual(self.partner.property_payment_term_id, other)

    def test_term_stays_short_while_another_alert_asks_for_it(self):
        short, long = self._make_term("7 days", 7), self._make_term("60 days", 60)
        self.rule.payment_term_id = short
        self.partner.property_payment_term_id = long
        key = ("sale.order", self._make_order().id)
        mine = self._found(actions=["change_payment_term"])
        of_order = self._found(actions=["change_payment_term"], document=key)
        self._record(mine, documents={key})
        self._record(mine, of_order, documents={key})
        self._record(of_order, documents={key})
        self.assertEqual(self.partner.property_payment_term_id, short)
        self._record(documents={key})
        self.assertEqual(self.partner.property_payment_term_id, long)

    def test_rule_without_a_term_says_what_is_missing(self):
        _alert, task = self._act("change_payment_term")
        self.assertEqual(task.state, "failed")
        self.assertIn("payment term on the rule", task.note)

    def test_own_limit_is_reduced_by_a_new_row_and_stays_reduced(self):
        buyer = self._make_buyer(limit=1000)
        self.rule.limit_percent = 40
        _alert, task = self._act("reduce_own_limit")
        self.assertEqual(buyer.own_limit, 400)
        self._record()
        buyer.invalidate_recordset()
        self.assertEqual(buyer.own_limit, 400)
        self.assertIn("1,000", task.note)
        self.assertIn("people grant", task.ended_note)

    def test_alert_that_comes_and_goes_takes_no_share_of_a_share(self):
        buyer = self._make_buyer(limit=1000)
        self.rule.limit_percent = 40
        self._act("reduce_own_limit")
        self._record()
        _alert, task = self._act("reduce_own_limit")
        self.assertEqual((buyer.own_limit, task.state), (400, "done"))
        self._record()
        self.rule.limit_percent = 30
        self._act("reduce_own_limit")
        buyer.invalidate_recordset()
        self.assertEqual(buyer.own_limit, 300)
        buyer.own_limit_ids[0].with_user(self.manager).amount = 600
        self._record()
        self._act("reduce_own_limit")
        buyer.invalidate_recordset()
        self.assertEqual(buyer.own_limit, 180, "people have granted anew")

    # === PREPARED === #

    def test_notification_lists_what_is_overdue_and_closes_its_deadlines(self):
        policy = self._make_policy()
        policy.period_ids.unlink()
        self.env["credit.insurance.policy.period"].create(
            {"policy_id": policy.id, "kind": "notification", "number": 90, "unit": "days", "base": "due_date"}
        )
        self._make_cover(policy, self.buyer, 5000, effective_from=self.today - timedelta(days=400))
        invoice = self._make_invoice(700, due_in=-40)
        self._make_invoice(300, due_in=10)
        alert, task = self._act("prepare_notification")
        self.assertEqual(task.state, "todo")
        self.assertIn(invoice.name, task.text)
        self.assertIn("40 days overdue", task.text)
        self.assertEqual(len(task.text.splitlines()), 4)
        self.assertEqual(alert.activity_ids.user_id, self.manager)
        with self.assertRaises(AccessError):
            task.with_user(self.rep).action_done()
        task.with_user(self.officer).action_done()
        self.assertEqual((task.state, task.done_by_id), ("done", self.officer))
        self.assertEqual(invoice.credit_insurance_deadline_ids.state, "done")
        self.assertFalse(alert.activity_ids)
        with self.assertRaises(UserError):
            task.with_user(self.officer).action_done()

    def _make_notifying_policy(self, days):
        policy = self._make_policy()
        policy.period_ids.unlink()
        self.env["credit.insurance.policy.period"].create(
            {"policy_id": policy.id, "kind": "notification", "number": days, "unit": "days", "base": "due_date"}
        )
        self._make_cover(policy, self.buyer, 5000, effective_from=self.today - timedelta(days=400))

    def test_late_notification_closes_the_deadline_that_was_missed(self):
        self._make_notifying_policy(30)
        invoice = self._make_invoice(700, due_in=-40)
        deadline = invoice.credit_insurance_deadline_ids
        deadline.sudo().passed = True
        self.assertEqual(deadline.state, "missed")
        _alert, task = self._act("prepare_notification")
        task.with_user(self.officer).action_done()
        self.assertEqual(deadline.state, "done")

    def test_notification_lists_invoices_whose_payment_was_extended(self):
        self._make_notifying_policy(90)
        invoice = self._make_invoice(700, due_in=-40)
        invoice.invoice_date_due = self.today + timedelta(days=20)
        self.assertEqual(invoice.credit_insurance_original_due_date, self.today - timedelta(days=40))
        _alert, task = self._act("prepare_notification")
        self.assertIn(invoice.name, task.text)
        self.assertIn("40 days overdue", task.text)
        task.with_user(self.officer).action_done()
        self.assertEqual(invoice.credit_insurance_deadline_ids.state, "done")

    def test_dunning_leaves_out_invoices_whose_payment_was_extended(self):
        self._make_notifying_policy(90)
        invoice = self._make_invoice(700, due_in=-40)
        invoice.invoice_date_due = self.today + timedelta(days=20)
        overdue = self._make_invoice(300, due_in=-5)
        _alert, task = self._act("start_dunning")
        self.assertNotIn(invoice.name, task.text)
        self.assertIn(overdue.name, task.text)

    def test_reminder_lists_what_falls_due_soon(self):
        soon, later = self._make_invoice(700, due_in=5), self._make_invoice(300, due_in=40)
        self.env.ref("credit_insurance.rule_reminder_before_due").action_activate()
        self.Rule._screen(self.buyer)
        task = self._task(self._alerts(), "start_dunning")
        self.assertIn(soon.name, task.text)
        self.assertNotIn(later.name, task.text)

    def test_reminder_lists_what_falls_due_soon_beside_what_is_overdue(self):
        soon, overdue = self._make_invoice(700, due_in=5), self._make_invoice(300, due_in=-2)
        self.env.ref("credit_insurance.rule_reminder_before_due").action_activate()
        self.Rule._screen(self.buyer)
        task = self._task(self._alerts(), "start_dunning")
        self.assertIn(soon.name, task.text)
        self.assertIn(overdue.name, task.text)

    def test_prepared_action_is_not_needed_when_the_alert_ends(self):
        self._make_invoice(700, due_in=-40)
        alert, task = self._act("start_dunning")
        self.assertIn("700", task.text)
        self.assertEqual(
            task.with_user(self.officer).action_write_mail()["context"]["default_partner_ids"], self.partner.ids
        )
        self._record()
        self.assertEqual(task.state, "cancelled")
        self.assertFalse(alert.activity_ids)

    def test_cover_request_carries_the_figures(self):
        self._make_invoice(700, due_in=-40)
        _alert, task = self._act("request_cover", "reduce_cover")
        self.assertIn(self.company_currency.format(700.0), task.text)
        self.assertEqual(task.state, "todo")

    # === SECOND PAIR OF EYES === #

    def test_weighty_action_waits_for_somebody_who_did_not_write_the_rule(self):
        self.rule.needs_approval = True
        self.rule.with_user(self.administrator).document = self.rule.document.replace("Something", "Anything")
        buyer = self._make_buyer(limit=1000)
        with self._summaries():
            alert, task = self._act("reduce_own_limit", "watch_buyer")
        self.assertEqual((task.state, self._task(alert, "watch_buyer").state), ("waiting", "done"))
        self.assertEqual(buyer.own_limit, 1000)
        self.assertEqual(task.author_id, self.administrator)
        self.assertTrue(self.env["mail.activity"].search([("user_id", "=", self.manager.id)]))
        for user in (self.officer, self.rep, self.administrator):
            with self.assertRaises(AccessError):
                task.with_user(user).action_approve()
        self.assertTrue(task.with_user(self.manager).may_approve)
        task.with_user(self.manager).action_approve()
        buyer.invalidate_recordset()
        self.assertEqual((buyer.own_limit, task.state, task.approved_by_id), (500, "done", self.manager))
        with self.assertRaises(UserError):
            task.with_user(self.manager).action_approve()

    def test_refused_action_is_not_done(self):
        self.rule.needs_approval = True
        buyer = self._make_buyer(limit=1000)
        _alert, task = self._act("reduce_own_limit")
        task.with_user(self.manager).action_refuse()
        self.assertEqual((task.state, buyer.own_limit), ("refused", 1000))

    def test_waiting_action_is_not_needed_when_the_alert_ends(self):
        self.rule.needs_approval = True
        _alert, task = self._act("reduce_own_limit")
        self._record()
        self.assertEqual(task.state, "cancelled")
        with self.assertRaises(UserError):
            task.with_user(self.manager).action_approve()
        self.assertFalse(self.env["mail.activity"].search([("credit_insurance_kind", "!=", False)]))

    # === ROLES === #

    def test_rule_and_severity_say_who_is_told(self):
        chief = new_test_user(
            self.env,
            login="chief",
            groups="credit_insurance.credit_insurance_group_manager",
            company_id=self.company.id,
        )
        self.company.credit_role_warning = "credit_manager"
        alert, _task = self._act("activity")
        self.assertEqual(alert.activity_ids.user_id, chief)
        self._record()
        self.rule.role = "credit_responsible"
        alert = self._record(self._found(actions=["activity"])).filtered(lambda alert: not alert.ended_on)
        self.assertEqual(alert.activity_ids.user_id, self.manager)

    def test_salesperson_is_told_on_the_customer_until_the_alert_ends(self):
        self.rule.role = "salesperson"
        self.partner.user_id = self.rep
        alert, _task = self._act("activity")
        self.assertFalse(alert.activity_ids)
        activity = self.partner.activity_ids
        self.assertEqual((activity.user_id, activity.summary), (self.rep, "late"))
        activity.with_user(self.rep).read(["summary"])
        self._record()
        self.assertFalse(activity.exists())

    def test_notification_reaches_its_reader_and_the_chatter_of_the_buyer(self):
        alert, task = self._act("notify")
        notice = self.env["mail.message"].search([("model", "=", alert._name), ("res_id", "=", alert.id)])
        self.assertIn(self.manager.partner_id, notice.notified_partner_ids)
        self.assertIn("late", self.buyer.message_ids[0].body)
        self.assertIn(self.manager.name, task.note)

    # === WHO MAY === #

    def test_nobody_writes_tasks_directly_and_other_companies_do_not_see_them(self):
        _alert, task = self._act("notify")
        for user in (self.officer, self.manager, self.administrator):
            task.with_user(user).read(["state", "note"])
            for call in (
                lambda own: own.write({"state": "done"}),
                lambda own: own.unlink(),
                lambda own: own.create({"alert_id": own.alert_id.id, "key": "webhook"}),
            ):
                with self.assertRaises(AccessError):
                    call(task.with_user(user))
        with self.assertRaises(AccessError):
            task.with_user(self.rep).read(["note"])
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="credit_insurance.credit_insurance_group_admin",
            company_id=self.env["res.company"].create({"name": "Other"}).id,
        )
        self.assertFalse(task.with_user(stranger).search([]))
        for method in ("action_approve", "action_refuse", "action_done", "action_retry", "action_write_mail"):
            with self.assertRaises(AccessError):
                getattr(task.with_user(stranger), method)()
