"""Who may decide how much: matrix, deputies, four eyes, and the firm of two."""

from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import format_date, mute_logger

from .test_credit_gate import GateCase

MANAGER = "base.group_user,credit_insurance.credit_insurance_group_manager,sales_team.group_sale_salesman_all_leads"


class AuthorityCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=1000)
        cls.colleague = cls._make_manager("credit_colleague")
        cls.order = cls._make_order(1500)
        cls.order.with_user(cls.rep).action_confirm()
        cls.hold = cls.order.credit_hold_ids

    @classmethod
    def _make_manager(cls, login, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login=login,
            groups=MANAGER,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
            name=login.replace("credit_", "").capitalize(),
        )

    @classmethod
    def _allow(cls, users, amount=None, kind="release", **values):
        return cls.env["credit.insurance.authority"].create(
            {
                "company_id": cls.company.id,
                "kind": kind,
                "user_ids": [Command.set(users.ids)],
                "unlimited": amount is None,
                "amount": amount or 0,
                **values,
            }
        )

    @classmethod
    def _delegate(cls, absent, deputy, first=0, last=7):
        return cls.env["credit.insurance.delegation"].create(
            {
                "company_id": cls.company.id,
                "from_user_id": absent.id,
                "to_user_id": deputy.id,
                "date_from": cls.today + timedelta(days=first),
                "date_to": cls.today + timedelta(days=last),
                "reason": "Holidays",
            }
        )

    def _asked_by(self, user, amount=1500):
        order = self._make_order(amount, user=user)
        order.with_user(user).action_confirm()
        return order.credit_hold_ids


@tagged("post_install", "-at_install")
class TestMatrix(AuthorityCase):
    def test_without_a_matrix_every_credit_manager_decides(self):
        self._release(self.hold, self.colleague)
        self.assertEqual(self.order.state, "sale")
        self.assertIn("no authority matrix", self.hold.authority_used)

    def test_release_within_authority_says_which_row_was_used(self):
        row = self._allow(self.manager, 1500)
        self._release(self.hold, self.manager)
        self.assertEqual(self.hold.authority_used, row.name)
        self.assertIn("1,500.00", self.hold.authority_used)

    def test_release_above_authority_is_refused_and_says_who_may(self):
        self._allow(self.manager, 1499.99)
        self._allow(self.colleague, 10_000)
        with self.assertRaisesRegex(AccessError, "Colleague"):
            self._release(self.hold, self.manager)
        self.assertEqual((self.hold.state, self.order.state), ("open", "draft"))

    def test_amount_raised_in_the_wizard_is_checked_as_raised(self):
        self._allow(self.manager, 1500)
        with self.assertRaises(AccessError):
            self._release(self.hold, self.manager, amount=1500.01)

    def test_zero_is_an_amount(self):
        self._allow(self.manager, 0)
        with self.assertRaises(AccessError):
            self._release(self.hold, self.manager)

    def test_who_is_not_in_the_matrix_decides_nothing(self):
        self._allow(self.manager)
        with self.assertRaises(AccessError):
            self._release(self.hold, self.colleague)
        with self.assertRaises(AccessError):
            self.hold.with_user(self.colleague)._reject(self.env["credit.insurance.release.reason"], "no")

    def test_authority_over_limits_is_no_authority_over_releases(self):
        self._allow(self.manager)
        self._allow(self.colleague, kind="limit")
        with self.assertRaises(AccessError):
            self._release(self.hold, self.colleague)

    def test_officer_decides_nothing_over_rpc(self):
        with self.assertRaises(AccessError):
            self._release(self.hold, self.officer)
        with self.assertRaises(AccessError):
            self.env["credit.insurance.authority"].with_user(self.officer)._check(
                "release", self.company, 1, self.company_currency, self.buyer
            )
        with self.assertRaises(ValidationError):
            self._allow(self.officer)

    def test_credit_manager_does_not_give_authority_to_anybody(self):
        row = self._allow(self.manager, 100)
        with self.assertRaises(AccessError):
            row.with_user(self.manager).amount = 1_000_000
        with self.assertRaises(AccessError):
            row.with_user(self.manager).copy()
        row.with_user(self.administrator).amount = 2000
        self._release(self.hold, self.manager)

    def test_foreign_amount_is_compared_in_company_currency(self):
        foreign = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self._allow(self.manager, 1000)
        authority = self.env["credit.insurance.authority"].with_user(self.manager)
        authority._check("release", self.company, 2000, foreign, self.buyer)
        with self.assertRaises(AccessError):
            authority._check("release", self.company, 2001, foreign, self.buyer)

    def test_currency_without_a_rate_needs_unlimited_authority(self):
        foreign = self.env["res.currency"].create({"name": "ZZZ", "symbol": "Z"})
        self.env["res.currency.rate"].search([("currency_id", "=", self.company_currency.id)]).unlink()
        row = self._allow(self.manager, 1_000_000)
        authority = self.env["credit.insurance.authority"].with_user(self.manager)
        with self.assertRaises(AccessError):
            authority._check("release", self.company, 1, foreign, self.buyer)
        row.unlimited = True
        authority._check("release", self.company, 1, foreign, self.buyer)

    def test_risk_class_limits_authority_and_none_counts_as_the_worst(self):
        row = self._allow(self.manager, worst_risk_class="3")
        with self.assertRaises(AccessError):
            self._release(self.hold, self.manager)
        row.unrated_allowed = True
        self._release(self.hold, self.manager)

    def test_worse_risk_class_is_refused(self):
        insurer = self.env["credit.insurance.insurer"].create({"name": "Grader", "code": "GR"})
        vals = {"buyer_id": self.buyer.id, "insurer_id": insurer.id, "grade": "x", "risk_class": "4"}
        self.env["credit.insurance.grade"].create(vals)
        row = self._allow(self.manager, worst_risk_class="3", unrated_allowed=True)
        with self.assertRaises(AccessError):
            self._release(self.hold, self.manager)
        row.worst_risk_class = "4"
        self._release(self.hold, self.manager)

    def test_manager_of_another_company_decides_nothing(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._make_manager("credit_stranger", other)
        with self.assertRaises(AccessError):
            self._release(self.hold, stranger)
        with self.assertRaises(AccessError):
            self.env["credit.insurance.authority"].with_user(stranger)._check(
                "release", self.company, 1, self.company_currency, self.buyer
            )
        self._allow(self.manager)
        self.assertFalse(self.env["credit.insurance.authority"].with_user(stranger).search([]))

    def test_activity_goes_to_who_has_just_enough_authority(self):
        self._allow(self.manager, 2000)
        self._allow(self.colleague, 10_000)
        hold = self._asked_by(self.rep, 5000)
        self.assertEqual(hold.activity_ids.user_id, self.colleague)
        self.assertEqual(self._asked_by(self.rep, 1600).activity_ids.user_id, self.manager)

    def test_growth_is_decided_by_who_has_authority_for_the_new_amount(self):
        self._allow(self.manager, 2000)
        self._allow(self.colleague, 10_000)
        order = self._make_confirmed_order(800)
        hold = self.env["credit.insurance.gate"].with_user(self.rep)._hold_growth(order, 5000)
        self.assertEqual((hold.order_amount, hold.decider_id), (5000, self.colleague))
        self.assertEqual(hold.activity_ids.user_id, self.colleague)

    def test_hold_that_grew_goes_to_who_may_decide_it_and_says_the_new_shortfall(self):
        self._allow(self.manager, 2000)
        self._allow(self.colleague, 10_000)
        hold = self._asked_by(self.rep, 1600)
        hold.with_user(self.rep).sudo()._request_release("They pay on Friday")
        self.assertEqual(hold.decider_id, self.manager)
        line = hold.order_id.order_line
        for amount, decider in ((1800, self.manager), (5000, self.colleague), (1700, self.colleague)):
            with self.subTest(amount):
                line.price_unit = amount / line.product_uom_qty
                hold.order_id.with_user(self.rep).action_confirm()
                self.assertEqual((hold.decider_id, hold.activity_ids.user_id), (decider, decider))
                self.assertIn(hold._format(amount - 1000), hold.activity_ids.summary)
                self.assertIn("They pay on Friday", hold.activity_ids.note)

    def test_archived_user_is_asked_nothing_and_lends_nothing(self):
        self._allow(self.manager)
        self._delegate(self.manager, self.colleague)
        self.manager.active = False
        with self.assertRaises(AccessError):
            self._release(self.hold, self.colleague)


@tagged("post_install", "-at_install")
class TestDelegation(AuthorityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._allow(cls.manager)
        cls.third = cls._make_manager("credit_third")

    def test_deputy_decides_and_it_is_on_record(self):
        delegation = self._delegate(self.manager, self.colleague)
        self._release(self.hold, self.colleague)
        self.assertEqual(self.hold.authority_used, delegation.name)
        self.assertIn(self.manager.name, self.hold.authority_used)

    def test_expired_or_coming_delegation_lends_nothing(self):
        self._delegate(self.manager, self.colleague, -7, -1)
        self._delegate(self.manager, self.colleague, 1, 7)
        with self.assertRaises(AccessError):
            self._release(self.hold, self.colleague)

    def test_last_day_of_a_delegation_counts(self):
        self._delegate(self.manager, self.colleague, -7, 0)
        self._release(self.hold, self.colleague)

    def test_deputy_does_not_decide_what_he_asked_for_himself(self):
        self.company.credit_four_eyes_amount = 1_000_000
        self._delegate(self.manager, self.colleague)
        with self.assertRaises(AccessError):
            self._release(self._asked_by(self.colleague), self.colleague)

    def test_deputy_does_not_decide_what_the_absent_one_asked_for(self):
        self._delegate(self.manager, self.colleague)
        with self.assertRaises(AccessError):
            self._release(self._asked_by(self.manager), self.colleague)

    def test_authority_is_not_passed_on(self):
        self._delegate(self.manager, self.colleague)
        self._delegate(self.colleague, self.third)
        with self.assertRaises(AccessError):
            self._release(self.hold, self.third)

    def test_cycle_of_deputies_lends_what_each_has_and_no_more(self):
        self._delegate(self.colleague, self.third)
        self._delegate(self.third, self.colleague)
        for user in (self.colleague, self.third):
            with self.assertRaises(AccessError):
                self._release(self.hold, user)

    def test_nobody_names_himself_deputy_of_somebody_else(self):
        vals = {
            "company_id": self.company.id,
            "from_user_id": self.manager.id,
            "to_user_id": self.colleague.id,
            "date_to": self.today,
            "reason": "Trust me",
        }
        delegations = self.env["credit.insurance.delegation"]
        with self.assertRaises(AccessError):
            delegations.with_user(self.colleague).create(vals)
        mine = delegations.with_user(self.colleague).create(
            {**vals, "from_user_id": self.colleague.id, "to_user_id": self.third.id}
        )
        with self.assertRaises(AccessError):
            mine.write({"from_user_id": self.manager.id, "to_user_id": self.colleague.id})
        own = delegations.with_user(self.manager).create(vals)
        with self.assertRaises(AccessError):
            own.with_user(self.colleague).date_to = self.today + timedelta(days=100)
        with self.assertRaises(AccessError):
            own.with_user(self.manager).unlink()

    def test_officer_is_nobodys_deputy_and_nobody_is_his_own(self):
        with self.assertRaises(ValidationError):
            self._delegate(self.manager, self.officer)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self._delegate(self.manager, self.manager)

    def test_deputy_gets_the_activity_while_somebody_is_away(self):
        self._delegate(self.manager, self.colleague)
        hold = self._asked_by(self.rep)
        self.assertEqual(hold.activity_ids.user_id, self.colleague)
        self.assertEqual(hold._get_decider(), self.colleague)
        self.assertNotIn(self.manager, hold._get_deputy(), "who is away stands in for nobody")

    def test_delegation_names_its_last_day_as_the_reader_writes_days(self):
        delegation = self._delegate(self.manager, self.colleague)
        self.assertIn(format_date(self.env, delegation.date_to), delegation.name)

    def test_who_lost_the_group_lends_nothing(self):
        self._delegate(self.manager, self.colleague)
        self.manager.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        with self.assertRaises(AccessError):
            self._release(self.hold, self.colleague)


@tagged("post_install", "-at_install")
class TestFourEyes(AuthorityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._allow(cls.manager)

    def test_own_request_needs_somebody_else(self):
        with self.assertRaises(AccessError):
            self._release(self._asked_by(self.manager), self.manager)

    def test_below_the_amount_one_pair_of_eyes_is_enough(self):
        self.company.credit_four_eyes_amount = 1501
        hold = self._asked_by(self.manager)
        self._release(hold, self.manager)
        self.assertFalse(hold.self_approved)

    def test_firm_of_two_decides_with_a_note_a_mark_and_an_activity_for_the_other(self):
        self.company.credit_self_approval = True
        hold = self._asked_by(self.manager)
        with self.assertRaises(UserError):
            self._release(hold, self.manager, note=" ")
        self._release(hold, self.manager, note="Anna is in hospital")
        self.assertTrue(hold.self_approved)
        review = hold.activity_ids
        self.assertTrue(review.user_id)
        self.assertNotEqual(review.user_id, self.manager)
        self.assertIn("hospital", review.note)

    def test_firm_of_two_is_no_way_out_while_somebody_else_could(self):
        self.company.credit_self_approval = True
        self._allow(self.colleague)
        with self.assertRaises(AccessError):
            self._release(self._asked_by(self.manager), self.manager, note="In a hurry")

    def test_others_do_not_count_when_they_asked_as_well(self):
        self._allow(self.colleague)
        hold = self._asked_by(self.manager)
        hold.with_user(self.colleague)._request_release("Me too")
        with self.assertRaises(AccessError):
            self._release(hold, self.colleague)
