"""Releases and rejections: by whom, up to which amount, and always on record."""

from datetime import timedelta

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .test_credit_gate import GateCase


@tagged("post_install", "-at_install")
class TestRelease(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)
        cls.order = cls._make_order(1500)
        cls.order.with_user(cls.rep).action_confirm()
        cls.hold = cls.order.credit_hold_ids

    def test_release_confirms_the_order_and_is_on_record(self):
        self._release(self.hold, self.manager)
        self.assertEqual(self.order.state, "sale")
        self.assertEqual(self.hold.state, "released")
        self.assertEqual(self.hold.decided_by_id, self.manager)
        self.assertEqual(self.hold.reason_id.code, "payment_announced")
        live = self.order.credit_pass_ids.filtered("live")
        self.assertEqual(live.hold_id, self.hold)
        self.assertEqual(live.decision_id.basis, "released")
        self.assertEqual(live.decision_id.shortfall, 500)
        self.assertFalse(self.hold.activity_ids)

    def test_release_below_the_amount_keeps_the_order_held(self):
        self._release(self.hold, self.manager, amount=1400)
        self.assertEqual(self.order.state, "draft")

    def test_release_lasts_no_longer_than_the_company_allows(self):
        self.company.credit_release_max_days = 20
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._release(self.hold, self.manager, valid_until=self.today + timedelta(days=21))
        self.assertEqual(self.hold.state, "open")
        self._release(self.hold, self.manager, valid_until=self.today + timedelta(days=20))
        self.assertEqual(self.hold.release_valid_until, self.today + timedelta(days=20))

    def test_wizard_proposes_no_last_day_beyond_what_the_company_allows(self):
        for longest, proposed in ((30, 14), (5, 5), (0, 0)):
            self.company.credit_release_max_days = longest
            wizard = self.env["credit.insurance.hold.release"].with_user(self.manager).new({"hold_id": self.hold.id})
            self.assertEqual(wizard.valid_until, self.today + timedelta(days=proposed))

    def test_only_credit_managers_change_how_long_releases_last(self):
        for role in (self.rep, self.officer, self.administrator):
            if not role.has_group("credit_insurance.credit_insurance_group_manager"):
                with self.assertRaises(AccessError):
                    self.company.with_user(role).credit_release_max_days = 9000

    def test_released_headroom_is_used_up(self):
        self._release(self.hold, self.manager)
        self.assertEqual(self._make_confirmed_order(1).state, "draft")

    def test_rejection_is_on_record_and_the_order_stays_a_quotation(self):
        reason = self.env.ref("credit_insurance.release_reason_risk_too_high")
        self.env["credit.insurance.hold.release"].with_user(self.manager).create(
            {"hold_id": self.hold.id, "reason_id": reason.id, "decision": "reject"}
        ).action_decide()
        self.assertEqual(
            (self.hold.state, self.order.state, self.order.credit_state), ("rejected", "draft", "rejected")
        )

    def test_each_decision_offers_the_reasons_there_are_for_it(self):
        reasons = self.env["credit.insurance.release.reason"]
        both = reasons.create({"name": "Talked to them", "code": "talked"})
        arch = self.env["credit.insurance.hold.release"].get_view()["arch"]
        domain = etree.fromstring(arch).find(".//field[@name='reason_id']").get("domain")
        for decision, offered, left_out in (
            ("reject", "risk_too_high", "own_risk"),
            ("release", "own_risk", "risk_too_high"),
            ("partial", "own_risk", "risk_too_high"),
        ):
            with self.subTest(decision):
                found = reasons.search(safe_eval(domain, {"decision": decision}))
                self.assertIn(self.env.ref(f"credit_insurance.release_reason_{offered}"), found)
                self.assertNotIn(self.env.ref(f"credit_insurance.release_reason_{left_out}"), found)
                self.assertIn(both, found)

    def test_request_is_on_the_record_and_in_the_activity(self):
        self.env["credit.insurance.hold.request"].with_user(self.rep).create(
            {"hold_id": self.hold.id, "note": "They always pay"}
        ).action_request()
        self.assertEqual(self.hold.requested_by_id, self.rep)
        self.assertIn("They always pay", self.hold.activity_ids.note)

    def test_author_does_not_approve_own_request(self):
        order = self._make_order(1500, user=self.manager)
        order.with_user(self.manager).action_confirm()
        with self.assertRaises(AccessError):
            self._release(order.credit_hold_ids, self.manager)
        self.company.credit_four_eyes_amount = 2000
        self._release(order.credit_hold_ids, self.manager)
        self.assertEqual(order.state, "sale")

    def test_rep_cannot_release_by_any_call(self):
        hold = self.hold.with_user(self.rep)
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        with self.assertRaises(AccessError):
            hold.write({"state": "released"})
        with self.assertRaises(AccessError):
            self.env["credit.insurance.hold.release"].with_user(self.rep).create(
                {"hold_id": hold.id, "reason_id": reason.id}
            )
        with self.assertRaises(AccessError):
            hold._release(reason, "", 1500, self.today)
        with self.assertRaises(AccessError):
            self.env["credit.insurance.pass"].with_user(self.rep).create({"order_id": self.order.id})
        self.assertEqual(self.order.state, "draft")

    def test_no_role_writes_passes_decisions_or_holds(self):
        self._release(self.hold, self.manager)
        for user in (self.rep, self.officer, self.manager, self.administrator, self.env.ref("base.user_admin")):
            for record in (self.hold, self.order.credit_pass_ids, self.order.credit_pass_ids.decision_id):
                with self.subTest(user=user.login, model=record._name):
                    with self.assertRaises(AccessError):
                        record.with_user(user).write({"company_id": self.company.id})
                    with self.assertRaises(AccessError):
                        record.with_user(user).unlink()
                    with self.assertRaises(AccessError):
                        record.with_user(user).create({})

    def test_decision_log_is_never_changed_not_even_by_the_system(self):
        log = self.hold.decision_id
        with self.assertRaises(UserError):
            log.sudo().write({"shortfall": 0})
        with self.assertRaises(UserError):
            log.sudo().unlink()
