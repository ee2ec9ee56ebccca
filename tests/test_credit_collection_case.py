from datetime import date, datetime, timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from .submission_kind_case import SubmissionKindCase

FORGED = {
    "name": "MINE",
    "state": "paid",
    "insurer_reference": "CO-1",
    "recovered_amount": 1.0,
    "costs": 1.0,
    "approved_costs": 1.0,
    "amount_open": 1.0,
    "live": False,
}


@tagged("post_install", "-at_install")
class TestCollectionCase(SubmissionKindCase):
    kind = "collection"
    path = "/v1/collections"

    def _make(self, moves=None, user=None):
        cases = self.env["credit.insurance.collection.case"].with_user(user or self.accountant)
        return cases._create_from_invoices((moves or self.invoices).with_user(cases.env.user))

    def _ask(self):
        with trap_jobs() as trap:
            self.env["credit.insurance.collection.case"].sudo()._cron_ask_status()
            trap.perform_enqueued_jobs()

    def test_every_lost_answer_ends_with_one_case(self):
        self._assert_exactly_once()

    def test_the_debts_arrive_and_the_escalation_is_done(self):
        case = self._submit(self._make())
        self._assert_one(case)
        body = self._sent()[0]["body"]
        self.assertEqual([row["number"] for row in body["invoices"]], self.invoices.mapped("name"))
        duties = self.invoices.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "escalation")
        self.assertEqual(set(duties.mapped("state")), {"done"})

    def test_an_invoice_is_handed_over_once(self):
        case = self._make(self.invoices[0])
        with self.assertRaisesRegex(UserError, case.name):
            self._make()
        second = self._make(self.invoices[1])
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            second.line_ids = [Command.create({"move_id": self.invoices[0].id})]
        case = self._submit(case)
        self.simulator.control.advance_collection(case.insurer_reference, "CLOSED")
        self._ask()
        self.assertEqual(case.state, "closed")
        with self.assertRaisesRegex(UserError, case.name):
            self._make(self.invoices[0])

    def test_a_refusal_frees_the_invoices_and_says_why(self):
        case = self._make()
        self.policy.sudo().number = "POL-UNKNOWN"
        self._submit(case)
        self.assertEqual((case.state, case.insurer_words), ("failed", "We know no policy POL-UNKNOWN"))
        self.assertEqual(case.activity_ids.user_id, self.accountant)
        case.action_cancel()
        self.assertTrue(self._make())

    def test_recoveries_and_costs_are_followed(self):
        case = self._submit(self._make())
        amounts = {"recovered": "250.50", "costs": "80", "approved_costs": "60"}
        self.simulator.control.advance_collection(case.insurer_reference, "LEGAL", "In court", **amounts)
        self._ask()
        self.assertEqual((case.state, case.insurer_words), ("legal", "In court"))
        self.assertEqual((case.recovered_amount, case.costs, case.approved_costs), (250.5, 80.0, 60.0))
        self.assertEqual(case.own_costs, 20.0)
        self.simulator.control.advance_collection(case.insurer_reference, "PAID", recovered="900")
        self._ask()
        self.assertEqual((case.state, case.recovered_amount), ("paid", 900.0))
        self.assertEqual(case.activity_ids.user_id, self.accountant)

    def test_an_unknown_status_is_shown_and_changes_nothing(self):
        case = self._submit(self._make())
        fault = {"field": "statusCode", "value": "ON_THE_MOON"}
        self.simulator.control.fault(kind="replace", path=self.path, method="GET", **fault)
        self._ask()
        self.assertEqual((case.state, case.insurer_status_code), ("acknowledged", "ON_THE_MOON"))

    def test_the_case_names_the_claim_it_comes_from(self):
        claim = self._submit(self._make_claim())
        action = claim.with_user(self.officer).action_start_collection()
        case = self.env["credit.insurance.collection.case"].browse(action["res_id"])
        self.assertEqual((case.claim_id, case.line_ids.move_id), (claim, self.invoices))
        self._submit(case.with_user(self.officer))
        self.assertEqual(self._sent()[0]["body"]["fileNumber"], claim.insurer_reference)
        with self.assertRaisesRegex(UserError, "left to hand over"):
            claim.with_user(self.officer).action_start_collection()

    def test_the_case_names_the_file_of_the_notice(self):
        notices = self.env["credit.insurance.overdue.notice"].with_user(self.accountant)
        notice = self._submit(notices._create_from_invoices(self.invoices.with_user(self.accountant)))
        action = notice.action_start_collection()
        case = self.env["credit.insurance.collection.case"].with_user(self.accountant).browse(action["res_id"])
        self.assertEqual(case.notice_id, notice)
        self._submit(case)
        self.assertEqual(self._sent()[0]["body"]["fileNumber"], notice.case_number)

    def test_claim_and_notice_are_those_of_the_buyer(self):
        partner = self.env["res.partner"].create({"name": "Beta Stores", "is_company": True})
        buyer = self._make_buyer(partner=partner)
        stranger = self.env["credit.insurance.claim"].create({"buyer_id": buyer.id, "policy_id": self.policy.id})
        case = self._make(user=self.officer)
        with self.assertRaises(ValidationError):
            case.claim_id = stranger

    def test_paid_invoices_are_not_handed_over(self):
        case = self._make()
        self._pay(self.invoices[0])
        with self.assertRaisesRegex(UserError, self.invoices[0].name):
            case.action_submit()
        with self.assertRaises(UserError):
            self._make(self.invoices[0])

    def test_new_deliveries_are_not_insured_while_a_case_runs(self):
        paid = self._make_invoice(100.0, due_in=-10)
        case = self._submit(self._make(paid))
        stops = self.env["credit.insurance.split"]._get_claim_stops(self.buyer)[self.buyer.id]
        self.assertTrue(any(stop.covers(self.today + timedelta(days=1)) for stop in stops))
        self.simulator.control.advance_collection(case.insurer_reference, "PAID")
        self._ask()
        stops = self.env["credit.insurance.split"]._get_claim_stops(self.buyer)[self.buyer.id]
        self.assertFalse(any(stop.covers(self.today + timedelta(days=2)) for stop in stops))

    def test_cover_stops_on_the_day_of_the_company_on_which_the_case_was_handed_over(self):
        case = self._submit(self._make(self._make_invoice(100.0, due_in=-10)))
        case.sudo().submitted_on = datetime(2026, 3, 1, 20, 0)
        self.company.resource_calendar_id.tz = "Asia/Tokyo"
        [stop] = self.env["credit.insurance.split"]._get_claim_stops(self.buyer)[self.buyer.id]
        self.assertFalse(stop.covers(date(2026, 3, 1)))
        self.assertTrue(stop.covers(date(2026, 3, 2)))

    def test_by_hand_the_insurers_answers_are_entered(self):
        case = self._make()
        self._assert_handed_in(case, *self.invoices.mapped("name"))
        self.assertTrue(case.action_export_csv()["url"])
        self._answer(case, state="in_progress", number="CO-9")
        self._answer(case, state="paid", amount=700.0)
        self.assertEqual((case.state, case.insurer_reference, case.recovered_amount), ("paid", "CO-9", 700.0))

    def test_what_was_handed_over_stays_as_it_was(self):
        case = self._submit(self._make())
        self._pay(self.invoices[0], 100.0)
        self.assertEqual((case.amount_open, case.line_ids[0].amount_open), (900.0, 600.0))
        for values in ({"line_ids": [Command.clear()]}, {"comment": "x"}):
            with self.assertRaises(UserError):
                case.write(values)
        for records in (case, case.line_ids):
            with self.assertRaises(UserError):
                records.unlink()

    def test_only_accountants_hand_over_and_nobody_writes_what_flows_set(self):
        case = self._make(user=self.plain)
        self._assert_not_sent_by(case, (self.plain, self.rep))
        self._assert_not_written(case, FORGED, (self.accountant, self.officer, self.administrator))
        for values in ({"amount_open": 5.0}, {"live": False}, {"number": "X"}):
            with self.assertRaises(AccessError):
                case.with_user(self.accountant).line_ids.write(values)
        with self.assertRaises(AccessError):
            self._make(user=self.rep)
        self._submit(case.with_user(self.accountant))

    def test_cases_of_another_company_are_not_seen(self):
        case = self._make()
        self._assert_foreign([case, case.line_ids], self.accountant)
