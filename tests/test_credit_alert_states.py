"""What becomes of an alert: answered until a day, ended with hysteresis, about a document, many at once."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.credit_insurance.credit_insurance.models.rule_findings import Finding
from odoo.addons.credit_insurance.rules.risk import Rule, Severity, State

from .common_alert import AlertCommon

DOCUMENT = """\
key: {key}
name: Something is late
severity: {severity}
when: amount_overdue_30 > 0
message: "{{buyer}} is late"
"""


@dataclass(frozen=True)
class Outcome:
    rule: Rule
    state: State = State.FIRED


class FindingsCommon(AlertCommon):
    """Records findings as a screening does, without evaluating anything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.Rule.create({"document": DOCUMENT.format(key="late", severity="warning"), "state": "active"})
        cls.buyer = cls._make_buyer()

    def _found(self, buyer=None, actions=(), severity="warning", **values):
        parsed = Rule("late", "Late", None, severity=Severity(severity), actions=tuple(actions))
        buyer = buyer or self.buyer
        finding = Finding(self.rule.id, buyer.id, Outcome(parsed), "late", values={}, trace=[], engine="durable")
        return replace(finding, **values)

    def _record(self, *findings, kept=(), buyers=None, **options):
        alerts = self.Alert.sudo()
        shared = alerts._prepare_shared_vals(self.company, self.rule)
        alerts._record(buyers or self.buyer, self.rule, list(findings), set(kept), self.today, shared, **options)
        return self._alerts(buyers)

    def _tomorrow(self, days=1):
        """Let the company's calendar be some days later."""
        day = self.today + timedelta(days=days)
        self.patch(type(self.env["res.company"]), "_credit_today", lambda company: day)


@tagged("post_install", "-at_install")
class TestAlertStates(FindingsCommon):
    # === ACKNOWLEDGED UNTIL === #

    def _acknowledge(self, alert, until, user=None):
        action = alert.with_user(user or self.officer).action_acknowledge_until()
        wizard = self.env[action["res_model"]].with_user(user or self.officer).with_context(**action["context"])
        return wizard.create({"until": until}).action_acknowledge()

    def test_acknowledged_alert_comes_back_after_its_day(self):
        alert = self._record(self._found(actions=["activity"]))
        self._acknowledge(alert, self.today + timedelta(days=2))
        self.assertEqual(alert.state, "acknowledged")
        self.assertFalse(alert.activity_ids)
        self._tomorrow(2)
        self.Alert._cron_reopen()
        self.assertEqual(alert.state, "acknowledged", "the day is included")
        self._tomorrow(3)
        self.Alert._cron_reopen()
        self.assertEqual((alert.state, alert.acknowledged_until), ("open", False))
        self.assertEqual(alert.activity_ids.user_id, self.manager)
        self.assertIn("open again", alert.message_ids[0].body)

    def test_alert_acknowledged_without_a_day_stays_acknowledged(self):
        alert = self._record(self._found())
        alert.with_user(self.officer).action_acknowledge()
        self._tomorrow(400)
        self.Alert._cron_reopen()
        self.assertEqual(alert.state, "acknowledged")

    def test_acknowledged_alert_that_gets_more_severe_comes_back(self):
        alert = self._record(self._found())
        self._acknowledge(alert, self.today + timedelta(days=30))
        self._record(self._found(severity="info"))
        self._record(self._found())
        self.assertEqual((alert.state, alert.severity), ("acknowledged", "warning"), "as it was acknowledged")
        self._record(self._found(severity="critical"))
        self.assertEqual((alert.state, alert.acknowledged_until), ("open", False))
        self.assertEqual(alert.activity_ids.user_id, self.manager)
        self.assertIn("more severe", alert.message_ids[0].body)

    def test_dismissed_alert_stays_dismissed_whatever_its_severity(self):
        alert = self._record(self._found())
        alert.with_user(self.officer)._dismiss("other", "known")
        self._record(self._found(severity="critical"))
        self.assertEqual((alert.state, alert.severity), ("dismissed", "critical"))
        self.assertFalse(alert.activity_ids)

    def test_acknowledged_alert_whose_condition_ended_does_not_come_back(self):
        alert = self._record(self._found())
        self._acknowledge(alert, self.today)
        self._record()
        self._tomorrow(3)
        self.Alert._cron_reopen()
        self.assertEqual(alert.state, "resolved")

    def test_day_that_is_over_is_refused(self):
        alert = self._record(self._found())
        with self.assertRaises(UserError):
            self._acknowledge(alert, self.today - timedelta(days=1))
        with self.assertRaises(UserError):
            self._acknowledge(self.Alert, self.today)

    def test_who_may_not_answer_may_not_acknowledge_until(self):
        alert = self._record(self._found())
        for call in (
            alert.with_user(self.rep).action_acknowledge_until,
            alert.with_user(self.rep).action_open_document,
        ):
            with self.assertRaises(AccessError):
                call()
        with self.assertRaises(AccessError):
            self.env["credit.insurance.alert.acknowledge"].with_user(self.rep).create({"alert_ids": alert.ids})

    def test_dialog_proposes_a_week(self):
        alert = self._record(self._found())
        context = alert.with_user(self.officer).action_acknowledge_until()["context"]
        with Form(
            self.env["credit.insurance.alert.acknowledge"].with_user(self.officer).with_context(**context)
        ) as form:
            self.assertEqual(form.until, self.today + timedelta(days=7))

    # === HYSTERESIS === #

    def test_alert_ends_only_below_its_hysteresis(self):
        self.rule.action_set_draft()
        text = DOCUMENT.format(key="slow", severity="warning").replace("> 0", "> 1000")
        self.Rule.create({"document": text + "until: amount_overdue_30 < 500\n", "state": "active"})
        invoice = self._make_invoice(1200, due_in=-40)
        self.Rule._screen(self.buyer)
        self._pay(invoice, 500)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "open", "700 is between the two marks")
        self._pay(invoice, 300)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "resolved")

    def test_end_is_told_in_the_chatter(self):
        alert = self._record(self._found())
        self._record()
        self.assertIn("Resolved by itself", alert.message_ids[0].body)

    def test_alert_that_is_kept_stays(self):
        alert = self._record(self._found())
        self._record(kept=[(self.rule.id, self.buyer.id)])
        self.assertEqual(alert.state, "open")

    def test_of_two_rows_of_a_decision_table_the_first_counts(self):
        alert = self._record(self._found(message="worse"), self._found(message="bad"))
        self.assertEqual(alert.message, "worse")

    # === DOCUMENTS === #

    def test_each_document_has_its_alert_and_the_buyer_its_own(self):
        orders = [self._make_order(), self._make_order()]
        documents = [("sale.order", order.id) for order in orders]
        found = [self._found(document=document) for document in documents]
        alerts = self._record(self._found(), *found, documents=set(documents))
        self.assertEqual(
            sorted(alerts.mapped(lambda alert: alert.document_name or "")), ["", *[o.name for o in orders]]
        )
        again = self._record(self._found(), *found, documents=set(documents))
        self.assertEqual(again, alerts)
        of_order = alerts.filtered(lambda alert: alert.res_id == orders[0].id)
        self.assertIn(orders[0].name, of_order.display_name)
        self.assertEqual(of_order.action_open_document()["res_id"], orders[0].id)

    def test_alert_about_a_document_that_no_longer_counts_ends(self):
        documents = [("sale.order", self._make_order().id), ("sale.order", self._make_order().id)]
        alerts = self._record(*(self._found(document=doc) for doc in documents), documents=set(documents))
        first, second = (alerts.filtered(lambda alert, doc=doc: alert.res_id == doc[1]) for doc in documents)
        self._record(self._found(document=documents[0]), documents={documents[0]}, partial=True)
        self.assertEqual((first.state, second.state), ("open", "open"))
        self._record(self._found(document=documents[0]), documents={documents[0]})
        self.assertEqual((first.state, second.state), ("open", "resolved"))
        self.assertEqual(second.closing_note, "The document is closed.")

    def test_document_that_is_kept_stays_and_the_other_ends(self):
        documents = [("sale.order", self._make_order().id), ("sale.order", self._make_order().id)]
        self._record(*(self._found(document=doc) for doc in documents), documents=set(documents))
        alerts = self._record(documents=set(documents), kept=[(self.rule.id, self.buyer.id, documents[1])]).sorted(
            "res_id"
        )
        self.assertEqual(alerts.mapped("state"), ["resolved", "open"])

    def test_document_that_was_deleted_opens_with_a_word(self):
        order = self._make_order()
        alert = self._record(self._found(document=("sale.order", order.id)), documents={("sale.order", order.id)})
        order.unlink()
        self.assertTrue(alert.document_name)
        with self.assertRaises(UserError):
            alert.action_open_document()

    # === MANY === #

    def _make_many(self, count):
        partners = self.env["res.partner"].create([{"name": f"Buyer {n}", "is_company": True} for n in range(count)])
        return self.env["credit.insurance.buyer"]._get_or_create(partners, self.company)

    def _count(self, call):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        call()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_statements_do_not_grow_with_the_alerts(self):
        actions = ("notify", "activity", "watch_buyer", "hold_buyer")
        counts = []
        self.company.credit_responsible_id = self.manager
        for number in (20, 80):
            buyers = self._make_many(number)
            found = [self._found(buyer, actions=actions) for buyer in buyers]
            changed = [replace(finding, message="later", values={"x": "1"}) for finding in found]
            counts.append(
                [
                    self._count(lambda found=found, buyers=buyers: self._record(*found, buyers=buyers)),
                    self._count(lambda found=found, buyers=buyers: self._record(*found, buyers=buyers)),
                    self._count(lambda found=changed, buyers=buyers: self._record(*found, buyers=buyers)),
                    self._count(lambda buyers=buyers: self._record(buyers=buyers)),
                ]
            )
            self.assertEqual(set(self._alerts(buyers).mapped("state")), {"resolved"})
        few, many = counts
        for less, more in zip(few, many, strict=True):
            self.assertLessEqual(more, less + 5, counts)

    def test_seen_again_is_written_in_one_go(self):
        buyers = self._make_many(30)
        found = [self._found(buyer) for buyer in buyers]
        alerts = self._record(*found, buyers=buyers)
        yesterday = alerts[0].last_seen - timedelta(days=1)
        alerts.sudo().write({"last_seen": yesterday})
        self._record(*found, buyers=buyers)
        self.assertEqual(set(alerts.mapped(lambda alert: alert.last_seen.date())), {date.today()})

    def test_alert_is_seen_once_on_each_day_of_the_company(self):
        trace = [{"kind": "all", "level": 0, "answer": "yes"}]
        found = self._found(values={"amount_overdue_30": "1"}, trace=trace)
        alert = self._record(found).sudo()
        for zone, evening, morning in (
            ("Pacific/Honolulu", datetime(2026, 3, 5, 5), date(2026, 3, 5)),
            ("Asia/Tokyo", datetime(2026, 3, 4, 14), date(2026, 3, 5)),
        ):
            with self.subTest(zone=zone):
                self.company.resource_calendar_id.tz = zone
                alert.last_seen = evening
                self.assertEqual(alert._prepare_evidence()["today"], "2026-03-04", "what a replay takes for today")
                # Still the same day there.
                self.today = morning - timedelta(days=1)
                self._record(found)
                self.assertEqual(alert.last_seen, evening)
                self.today = morning
                self._record(found)
                self.assertGreater(alert.last_seen, evening)
