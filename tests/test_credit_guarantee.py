from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestGuarantee(CreditCommon):
    """Guarantees add to the limit until they expire; one for an order secures that order alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100)
        cls.bank = cls.env["res.partner"].create({"name": "Bank", "is_company": True})

    def _make_guarantee(self, amount, user=None, **values):
        return (
            self.env["credit.insurance.guarantee"]
            .with_user(user or self.manager)
            .create(
                {
                    "buyer_id": self.buyer.id,
                    "issuer_id": self.bank.id,
                    "amount": amount,
                    "date_to": self.today + timedelta(days=30),
                    **values,
                }
            )
        )

    def test_guarantee_is_added_to_the_limit_until_it_expires(self):
        self._make_guarantee(500)
        self.assertEqual((self.buyer.limit_amount, self.buyer.guaranteed), (600, 500))
        pair = (self.partner.id, self.company.id)
        limits = self.env["credit.insurance.limit"]
        later = limits._get_limits([pair], self.today, on=self.today + timedelta(days=31))[pair].limit
        self.assertEqual(later.amount.amount, 100)
        self.assertEqual(self._make_confirmed_order(600).state, "sale")

    def test_guarantee_is_added_also_where_the_larger_of_own_and_insured_counts(self):
        self.company.credit_limit_combination = "max"
        self._make_cover(self._make_policy(), self.buyer, 400)
        self._make_guarantee(500)
        self.assertEqual(self.buyer.limit_amount, 900)

    def test_guarantee_for_one_order_is_no_part_of_the_limit(self):
        order = self._make_order(300)
        row = self._make_guarantee(500, order_id=order.id)
        self.assertEqual(self.buyer.limit_amount, 100)
        secured = self.env["credit.insurance.guarantee"]._get_secured(order, self.today)
        self.assertEqual({key: float(amount) for key, amount in secured.items()}, {order.id: 500.0})
        row.with_user(self.manager).action_end()
        self.assertFalse(self.env["credit.insurance.guarantee"]._get_secured(order, self.today))

    def test_order_of_another_buyer_is_not_secured(self):
        other = self.env["res.partner"].create({"name": "Other", "is_company": True})
        with self.assertRaisesRegex(ValidationError, "not one of this buyer"):
            self._make_guarantee(500, order_id=self._make_order(10, partner=other).id)

    def test_drawn_part_is_taken_off_by_a_new_row(self):
        row = self._make_guarantee(500, date_from=self.today - timedelta(days=9))
        row.with_user(self.manager).amount = 350
        self.assertEqual((row.amount, row.state, self.buyer.guaranteed), (500, "expired", 350))

    def test_only_a_deposit_has_no_expiry_and_nobody_secures_its_own_debt(self):
        self._make_guarantee(50, kind="deposit", issuer_id=False, date_to=False)
        with self.assertRaisesRegex(ValidationError, "its own debt"):
            self._make_guarantee(50, issuer_id=self.partner.id)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self._make_guarantee(50, date_to=False)

    def test_credit_managers_within_their_authority_accept_guarantees(self):
        for user in (self.rep, self.officer):
            with self.assertRaises(AccessError):
                self._make_guarantee(10, user=user)
        self.env["credit.insurance.authority"].create(
            {"company_id": self.company.id, "kind": "limit", "user_ids": [Command.set(self.manager.ids)], "amount": 100}
        )
        with self.assertRaisesRegex(AccessError, "beyond your authority"):
            self._make_guarantee(101)

    def test_document_uploaded_before_saving_is_seen_by_the_credit_team(self):
        document = (
            self.env["ir.attachment"]
            .with_user(self.manager)
            .create({"name": "guarantee.pdf", "raw": b"text", "res_model": "credit.insurance.guarantee", "res_id": 0})
        )
        row = self._make_guarantee(50, attachment_ids=[Command.set(document.ids)])
        self.assertEqual(document.res_id, row.id)
        self.assertEqual(row.with_user(self.officer).attachment_ids.name, "guarantee.pdf")


@tagged("post_install", "-at_install")
class TestDiscretionaryLimit(CreditCommon):
    """Cover we grant ourselves: on frozen evidence, never beside a named cover, void when insurer or news say so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer()
        cls.policy = cls._make_policy(
            discretionary_maximum=1000, discretionary_percentage=75, discretionary_payments=2, discretionary_months=12
        )

    def _grant(self, amount=500, user=None, **values):
        rows = self.env["credit.insurance.discretionary.limit"].with_user(user or self.manager)
        return rows.create({"buyer_id": self.buyer.id, "policy_id": self.policy.id, "amount": amount, **values})

    def _pay_on_time(self, count=1, due_in=30):
        for _number in range(count):
            self._pay(self._make_invoice(100, due_in=due_in))

    def test_payments_on_time_are_evidence(self):
        self._pay_on_time(2)
        row = self._grant()
        self.assertTrue(row.evidenced)
        self.assertEqual((row.evidence["payments_on_time"], row.insured_percentage), (2, 75))
        self.assertEqual((self.buyer.insured_limit, self.buyer.limit_state), (500, "amount"))

    def test_late_and_few_payments_and_credit_notes_are_no_evidence(self):
        self._pay_on_time(1)
        self._pay_on_time(3, due_in=-20)
        credited = self._make_invoice(100)
        note = self._make_invoice(100, move_type="out_refund")
        (credited | note).line_ids.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        row = self._grant()
        self.assertEqual((row.evidence["payments_on_time"], row.evidence["payments_late"]), (1, 3))
        self.assertFalse(row.evidenced)
        self.assertEqual(self.buyer.insured_limit, 0)

    def test_evidence_is_frozen_and_cannot_be_claimed(self):
        row = self._grant(evidenced=True, evidence={"payments_on_time": 99}, insured_percentage=100)
        self.assertEqual((row.evidenced, row.insured_percentage), (False, 75))
        self._pay_on_time(2)
        self.assertFalse(row.evidenced)
        with self.assertRaises(UserError):
            row.with_user(self.manager).evidenced = True

    def test_recent_report_is_evidence_with_its_document_only(self):
        self.policy.write({"discretionary_payments": 0, "discretionary_report_months": 6})
        document = self.env["ir.attachment"].with_user(self.manager).create({"name": "report.pdf", "raw": b"report"})
        attached = {"attachment_ids": [Command.set(document.ids)]}
        old, new = self.today - timedelta(days=400), self.today - timedelta(days=10)
        self.assertFalse(self._grant(report_date=new).evidenced)
        self.assertFalse(self._grant(report_date=old, **attached).evidenced)
        self.assertFalse(self._grant(report_date=self.today + timedelta(days=1), **attached).evidenced)
        row = self._grant(report_date=new, **attached)
        self.assertTrue(row.evidenced)
        self.assertEqual(row.evidence["documents"], [{"name": "report.pdf", "checksum": document.checksum}])

    def test_policy_says_how_much(self):
        with self.assertRaisesRegex(ValidationError, "1,000.00 at most"):
            self._grant(1001)
        self.policy.discretionary_maximum = 0
        with self.assertRaises(ValidationError):
            self._grant(1)

    def test_not_added_to_a_named_cover(self):
        self._pay_on_time(2)
        self._grant()
        self._make_cover(self.policy, self.buyer, 200)
        self.assertEqual(self.buyer.insured_limit, 200)

    def test_void_after_refusal_and_withdrawal(self):
        self._pay_on_time(2)
        self._grant()
        for status in ("refused", "withdrawn"):
            with self.cr.savepoint() as savepoint:
                self._make_cover(self.policy, self.buyer, 0, status=status)
                self.buyer.invalidate_recordset()
                self.assertEqual((self.buyer.insured_limit, self.buyer.limit_state), (0, status))
                savepoint.rollback()

    def test_void_from_the_day_adverse_information_is_known(self):
        self._pay_on_time(2)
        self._grant(date_from=self.today - timedelta(days=9))
        self.buyer.write({"adverse_since": self.today, "adverse_source": "Insolvency rumour"})
        self.assertEqual((self.buyer.insured_limit, self.buyer.limit_state), (0, "void"))
        pair = (self.partner.id, self.company.id)
        before = self.env["credit.insurance.limit"]._get_limits([pair], self.today, on=self.today - timedelta(days=1))
        self.assertEqual(before[pair].limit.amount.amount, 500)

    def test_void_from_the_day_an_event_of_that_kind_is_known(self):
        self._pay_on_time(2)
        self._grant()
        event = self.env["credit.insurance.event"].create(
            {"buyer_id": self.buyer.id, "kind": "returned_payment", "source": "Bank"}
        )
        self.assertEqual((self.buyer.insured_limit, self.buyer.limit_state), (0, "void"))
        event.active = False
        self.buyer.invalidate_recordset()
        self.assertEqual((self.buyer.insured_limit, self.buyer.limit_state), (500, "amount"))
        event.copy({"kind": "dispute"})
        self.buyer.invalidate_recordset()
        self.assertEqual(self.buyer.insured_limit, 500)

    def test_it_insures_invoices(self):
        self._pay_on_time(2)
        invoice = self._make_invoice(800)
        self.assertFalse(invoice.credit_insurance_policy_id)
        self._grant()
        self.env.invalidate_all()
        self.assertEqual(invoice.credit_insurance_policy_id, self.policy)
        self.assertEqual((invoice.credit_insurance_covered, invoice.credit_insurance_insured), (500, 375))
        self.assertTrue(self._make_invoice(1).credit_insurance_deadline_ids)

    def test_it_insures_what_was_delivered_before_adverse_information_was_known(self):
        self._pay_on_time(2)
        self._grant(date_from=self.today - timedelta(days=9))
        before, after = self._make_invoice(100, due_in=-5), self._make_invoice(100)
        self.buyer.write({"adverse_since": self.today - timedelta(days=1), "adverse_source": "Insolvency rumour"})
        self.assertEqual((before.credit_insurance_covered, after.credit_insurance_covered), (100, 0))

    def test_it_insures_public_buyers_and_private_persons_where_the_policy_does(self):
        self._pay_on_time(2)
        self._grant()
        invoice = self._make_invoice(100)
        for name, term in (("is_public", "covers_public_buyers"), ("is_private_person", "covers_private_persons")):
            with self.subTest(name):
                self.buyer[name] = True
                self.env.invalidate_all()
                self.assertEqual(invoice.credit_insurance_covered, 0)
                self.policy[term] = True
                self.env.invalidate_all()
                self.assertEqual(invoice.credit_insurance_covered, 100)

    def test_ends_with_its_policy(self):
        self._pay_on_time(2)
        self._grant()
        self.policy.active = False
        self.assertEqual(self.buyer.limit_state, "expired")

    def test_orders_keep_to_the_terms_of_its_policy(self):
        self._pay_on_time(2)
        self._grant()
        self.partner.country_id = self.env.ref("base.it")
        self.policy.write({"max_payment_term_days": 10, "country_ids": [Command.set(self.env.ref("base.fr").ids)]})
        self._make_invoice(10, due_in=-61)
        order = self._make_order(100, payment_term_id=self.env.ref("account.account_payment_term_30days").id)
        order.action_confirm()
        hold = order.credit_hold_ids
        self.assertEqual(
            {reason["code"] for reason in hold.decision_id.reasons if reason["severity"] == "hold"},
            {"mep_passed", "term_too_long", "country_not_covered"},
        )

    def test_dispute_is_measured_by_it(self):
        self._pay_on_time(2)
        self._grant()
        for amount, state in ((74, "sale"), (1, "draft")):
            move = self._make_invoice(amount, due_in=-61)
            self.env["credit.insurance.event"].create(
                {"buyer_id": self.buyer.id, "kind": "dispute", "source": "Letter", "move_id": move.id}
            )
            self.assertEqual(self._make_confirmed_order(100).state, state)

    def test_evidence_of_many_buyers_is_read_in_one_statement(self):
        partners = self.env["res.partner"].create([{"name": f"P{n}", "is_company": True} for n in range(12)])
        buyers = self.env["credit.insurance.buyer"]._get_or_create(partners, self.company)
        model = type(self.env["credit.insurance.payment.behaviour"])
        with patch.object(model, "_get_payments", autospec=True, side_effect=model._get_payments) as read:
            self.env["credit.insurance.discretionary.limit"].create(
                [{"buyer_id": buyer.id, "policy_id": self.policy.id, "amount": 5} for buyer in buyers]
            )
        self.assertEqual(read.call_count, 1)
