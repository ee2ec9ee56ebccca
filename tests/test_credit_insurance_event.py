"""Events about buyers: who may enter what, and that it stays as it was entered."""

from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common_alert import AlertCommon
from .test_credit_alert_states import DOCUMENT


@tagged("post_install", "-at_install")
class TestEvent(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer()
        cls.Event = cls.env["credit.insurance.event"]

    def _enter(self, user=None, **values):
        vals = {"buyer_id": self.buyer.id, "kind": "insolvency_rumour", "source": "Press"} | values
        return self.Event.with_user(user or self.officer).create(vals)

    def test_officers_enter_events_and_salespeople_do_not(self):
        event = self._enter(amount=100)
        self.assertEqual((event.date, event.known_on, event.origin), (self.today, self.today, "entered"))
        self.assertTrue(event.adverse)
        with self.assertRaises(AccessError):
            self._enter(self.rep)
        with self.assertRaises(AccessError):
            event.with_user(self.rep).read(["kind"])

    def test_event_is_called_by_its_day_as_the_reader_writes_it(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        event = self._enter()
        self.assertTrue(event.display_name.endswith(self.today.strftime("%m/%d/%Y")), event.display_name)
        event = event.with_context(lang="fr_FR")
        self.assertTrue(event.display_name.endswith(self.today.strftime("%d/%m/%Y")), event.display_name)

    def test_an_event_stays_as_it_was_entered(self):
        event = self._enter()
        for vals in ({"kind": "other"}, {"date": self.today - timedelta(days=3)}, {"source": "Me"}, {"amount": 1}):
            with self.assertRaises(UserError):
                event.write(vals)
        event.write({"note": "heard twice", "kind": "insolvency_rumour"})
        event.active = False
        with self.assertRaises(UserError):
            event.unlink()

    def test_clients_do_not_set_what_flows_set(self):
        other = self.env["res.company"].create({"name": "Other"})
        event = self._enter(origin="ledger", reported_on=self.today, company_id=other.id)
        self.assertEqual((event.origin, event.reported_on, event.company_id), ("entered", False, self.company))
        event.write({"reported_on": self.today})
        self.assertFalse(event.reported_on)
        forged = self.Event.with_user(self.officer).with_context(
            default_origin="ledger", default_reported_on=self.today
        )
        event = forged.create({"buyer_id": self.buyer.id, "kind": "other", "source": "x"})
        self.assertEqual(event.origin, "entered")

    def test_impossible_events_are_refused(self):
        tomorrow, yesterday = self.today + timedelta(days=1), self.today - timedelta(days=1)
        for vals in (
            {"date": tomorrow, "known_on": tomorrow},
            {"date": self.today, "known_on": yesterday},
            {"kind": "payment_promise"},
            {"kind": "payment_promise", "promised_on": yesterday},
            {"amount": float("nan")},
            {"amount": 1e300},
        ):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self._enter(**vals)

    def test_a_dispute_is_about_an_invoice_of_the_buyer(self):
        move = self._make_invoice(100, partner=self.partner_a)
        with self.assertRaises(ValidationError):
            self._enter(self.env.user, kind="dispute", move_id=move.id)

    def test_importing_twice_adds_nothing(self):
        fields = ["buyer_id/.id", "kind", "date", "known_on", "source", "reference"]
        row = [str(self.buyer.id), "insolvency_rumour", str(self.today), str(self.today), "Agency", "A-1"]
        importing = self.Event.with_user(self.officer).with_context(import_file=True)
        result = importing.load(fields, [row])
        self.assertFalse(result["messages"])
        self.assertEqual(self.Event.browse(result["ids"]).origin, "imported")
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            self._enter(source="Agency", reference="A-1")
        self._enter(source="Other agency", reference="A-1")

    def test_other_companies_do_not_see_it(self):
        company = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env, login="other_officer", groups="credit_insurance.credit_insurance_group_user",
            company_id=company.id, company_ids=[(6, 0, company.ids)],
        )  # fmt: skip
        event = self._enter()
        self.assertFalse(self.Event.with_user(user).search([("id", "=", event.id)]))
        with self.assertRaises(AccessError):
            event.with_user(user).action_mark_reported()

    def test_only_officers_record_what_was_reported(self):
        event = self._enter()
        with self.assertRaises(AccessError):
            event.with_user(self.rep).action_mark_reported()
        event.with_user(self.officer).action_mark_reported()
        self.assertEqual((event.reported_on, event.reported_by_id), (self.today, self.officer))

    def test_an_adverse_event_says_until_when_the_insurer_wants_to_hear_of_it(self):
        event = self._enter(known_on=self.today, date=self.today - timedelta(days=3))
        self.assertFalse(event.report_until, "nobody insures the buyer")
        policy = self._make_policy()
        self._make_cover(policy, self.buyer, 1000)
        event.invalidate_recordset()
        self.assertEqual(event.report_until, self.today + timedelta(days=10))
        strict = policy.copy({"number": "TCI-2"})
        strict.period_ids.filtered(lambda period: period.kind == "adverse_information").write(
            {"number": 4, "last_day_counts": False}
        )
        self._make_cover(strict, self.buyer, 1000)
        event.invalidate_recordset()
        self.assertEqual(event.with_user(self.officer).report_until, self.today + timedelta(days=3))
        self.assertFalse(self._enter(kind="management_change").report_until)

    def _send_back(self, partner=None, amount=250, **values):
        payment = self.env["account.payment"].create(
            {
                "partner_id": (partner or self.contact).id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "journal_id": self.company_data["default_journal_bank"].id,
                **values,
            }
        )
        payment.action_post()
        payment.action_reject()
        return payment

    def test_a_payment_sent_back_becomes_an_event_once(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        payment = self._send_back()
        payment.with_context(lang="fr_FR").action_reject()
        event = self.Event.search([("buyer_id", "=", self.buyer.id)])
        self.assertEqual((event.kind, event.amount, event.origin), ("returned_payment", 250, "ledger"))
        facts = self.env["credit.insurance.signals"]._get_facts(self.buyer, {"returned_payments"}, self.today)
        self.assertEqual(facts[self.buyer.id]["returned_payments"], 1)

    def test_a_refund_to_the_customer_that_comes_back_is_no_event(self):
        self._send_back(payment_type="outbound")
        self.assertFalse(self.Event.search([("buyer_id", "=", self.buyer.id)]))

    def test_a_payment_sent_back_makes_the_credit_record_of_who_owes_and_has_none(self):
        partner = self.env["res.partner"].create({"name": "Never Looked At", "is_company": True})
        self._make_invoice(250, partner=partner)
        self._send_back(partner)
        self.assertFalse(self.Event.search([("partner_id", "=", partner.id)]), "without rules nobody is watched")
        self.Rule.create({"document": DOCUMENT.format(key="late", severity="warning"), "state": "active"})
        self._send_back(partner, 251)
        event = self.Event.search([("partner_id", "=", partner.id)])
        self.assertEqual((event.kind, event.amount, event.buyer_id.own_limit_ids.ids), ("returned_payment", 251, []))

    def test_country_classes_are_entered_by_managers(self):
        vals = {"country_id": self.env.ref("base.fr").id, "risk_class": "2"}
        model = self.env["credit.insurance.country.class"]
        with self.assertRaises(AccessError):
            model.with_user(self.officer).create(vals)
        self.assertTrue(model.with_user(self.manager).create(vals))
