from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.connectors import AuthenticationError

from .common import CreditCommon
from .simulator_case import SimulatorCase


@tagged("post_install", "-at_install")
class TestBuyer(SimulatorCase, CreditCommon):
    """What people see of the insurer's data, and who may see and change what."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_linked_buyer("1001", "Atelier Lumière SARL")
        cls.accountant = new_test_user(
            cls.env,
            login="plain_accountant",
            groups="base.group_user,account.group_account_user",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _add_cover(self, buyer=None, status="approved", amount=1000.0, start=-10, **values):
        return self.env["credit.insurance.cover"].create(
            {
                "buyer_id": (buyer or self.buyer).id,
                "policy_id": self.policy.id,
                "status": status,
                "amount": amount,
                "currency_id": self.env.ref("base.EUR").id,
                "insured_percentage": 90.0,
                "effective_from": self.today + timedelta(days=start),
                **values,
            }
        )

    def _search(self, *domain):
        return self.env["credit.insurance.buyer"].search([("company_id", "=", self.company.id), *domain])

    # === COVER IN FORCE === #

    def test_cover_in_force_is_the_latest_that_has_begun(self):
        self._add_cover(amount=1000, start=-30)
        self._add_cover(amount=500, status="reduced", start=-5)
        self._add_cover(amount=0, status="withdrawn", start=5)
        self.assertEqual((self.buyer.cover_status, self.buyer.cover_amount), ("reduced", 500.0))

    def test_refused_increase_and_open_request_leave_the_cover_as_it_was(self):
        self._add_cover(amount=1000, start=-30)
        refused = self._add_cover(amount=0, status="refused", start=-2)
        self.assertEqual((self.buyer.cover_status, self.buyer.cover_amount), ("approved", 1000.0))
        self.assertEqual(self.buyer.open_answer_id, refused)

    def test_cover_past_its_last_day_is_expired_and_grants_nothing(self):
        self._add_cover(effective_to=self.today - timedelta(days=1))
        self.assertEqual((self.buyer.cover_status, self.buyer.cover_amount), ("expired", 0.0))

    def test_amount_zero_is_granted_and_not_none(self):
        self._add_cover(amount=0)
        self.assertEqual((self.buyer.cover_status, self.buyer.cover_amount), ("approved", 0.0))
        self.assertEqual(self._make_buyer().cover_status, "none")

    def test_search_finds_what_is_shown(self):
        plain = self._make_buyer()
        for index, (status, values) in enumerate(
            [
                ("approved", {}),
                ("reduced", {}),
                ("approved", {"effective_to": self.today - timedelta(days=1)}),
                ("approved", {"announced_status": "withdrawn", "announced_from": self.today}),
                ("approved", {"announced_status": "withdrawn", "announced_from": self.today + timedelta(days=9)}),
            ]
        ):
            buyer = self._make_linked_buyer(f"S{index}", f"Searched {index}")
            self._add_cover(buyer, status=status, **values)
        everyone = self._search()
        for status in ("none", "approved", "reduced", "expired", "withdrawn"):
            shown = everyone.filtered(lambda buyer, status=status: buyer.cover_status == status)
            self.assertTrue(shown)
            self.assertEqual(self._search(("cover_status", "=", status)), shown, status)
            self.assertEqual(self._search(("cover_status", "!=", status)), everyone - shown, status)
        soon = self.today + timedelta(days=30)
        ending = everyone.filtered(lambda buyer: buyer.cover_ends_on and buyer.cover_ends_on <= soon)
        self.assertEqual(self._search(("cover_ends_on", "<=", soon)), ending)
        self.assertIn(plain, self._search(("cover_status", "=", "none")))

    def test_search_by_risk_class(self):
        self._pull()
        plain = self._make_buyer()
        self.assertEqual(self.buyer.risk_class, "2")
        self.assertEqual(self._search(("risk_class", "=", "2")), self.buyer)
        self.assertIn(plain, self._search(("risk_class", "=", False)))
        self.assertNotIn(self.buyer, self._search(("risk_class", "in", ("3", "4"))))

    def test_age_counts_from_the_last_pull_that_had_the_buyer(self):
        self._pull()
        self.assertEqual((self.buyer.data_age_days, self.buyer.data_age, self.buyer.data_stale), (0, "today", False))
        old = fields.Datetime.now() - timedelta(days=20)
        self.account.sudo().write({"covers_pulled_at": old, "grades_pulled_at": old})
        for table in ("cover", "grade"):
            self.env.cr.execute(f"UPDATE credit_insurance_{table} SET fetched_at = %s", [old])
        self.env.invalidate_all()
        self.assertEqual((self.buyer.data_age_days, self.buyer.data_age), (20, "20 days ago"))
        self.assertEqual(self._search(("data_stale", "=", True)), self.buyer)
        self.account.sudo().covers_pulled_at = fields.Datetime.now()
        self.assertEqual((self.buyer.data_age_days, self.buyer.data_stale), (0, False))
        self.assertFalse(self._search(("data_stale", "=", True)))

    def test_company_without_a_maximum_age_has_no_data_that_is_too_old(self):
        """As the gate sees it: zero days are no maximum."""
        self._pull()
        old = fields.Datetime.now() - timedelta(days=20)
        self.account.sudo().write({"covers_pulled_at": old, "grades_pulled_at": old})
        for table in ("cover", "grade"):
            self.env.cr.execute(f"UPDATE credit_insurance_{table} SET fetched_at = %s", [old])
        for days, stale in ((0, False), (19, True), (20, False)):
            with self.subTest(days):
                company = self.buyer.company_id
                company.credit_data_max_age_days = days
                self.env.invalidate_all()
                self.assertEqual((self.buyer.data_age_days, self.buyer.data_stale), (20, stale))
                self.assertEqual(self.buyer in self._search(("data_stale", "=", True)), stale)
                pair = self.buyer.partner_id.id, company.id
                limit = self.env["credit.insurance.limit"]._get_limits([pair], company._credit_today())[pair].limit
                self.assertEqual(limit.stale, stale)

    # === GRADE SCALES === #

    def test_direction_of_the_scales(self):
        classes = {
            "allianz_trade": [("1", "1"), ("10", "5"), ("11", False), (" 4 ", "3")],
            "coface_dra": [("10", "1"), ("0", "5")],
            "atradius": [("1", False), ("100", False)],
        }
        for code, cases in classes.items():
            scale = self.env.ref(f"credit_insurance.grade_scale_{code}")
            for grade, expected in cases:
                self.assertEqual(scale._get_risk_class(grade) or False, expected, (code, grade))

    def test_band_is_used_once_its_direction_is_confirmed(self):
        scale = self.env.ref("credit_insurance.grade_scale_atradius")
        scale.direction_confirmed = True
        self.assertEqual([scale._get_risk_class(grade) for grade in ("1", "30", "31", "100")], ["1", "1", "2", "5"])
        self.assertFalse(scale._get_risk_class("101"))
        scale.action_reverse()
        self.assertEqual([scale._get_risk_class(grade) for grade in ("1", "100")], ["5", "1"])

    def test_band_of_letters_is_refused(self):
        scale = self.env.ref("credit_insurance.grade_scale_atradius")
        with self.assertRaises(ValidationError):
            scale.line_ids[0].grade_to = "AAA"

    # === CONNECTION === #

    def test_production_is_refused_on_a_neutralized_copy(self):
        self.account.sudo().state = "enabled"
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        with self.assertRaisesRegex(UserError, "neutralized"):
            self.account._connect()
        self.account.state = "test"
        self.account._connect().close()

    def test_disabled_connection_says_so(self):
        self.account.state = "disabled"
        with self.assertRaisesRegex(UserError, "disabled"):
            self.account.action_pull()

    def test_connection_test_answers_plainly(self):
        answer = self.account.action_test_connection()["params"]
        self.assertEqual(answer["type"], "success")
        self.assertIn("Policy TCI-2026-0001 of Demo company", answer["message"])
        self.account.api_key = "wrong"
        answer = self.account.action_test_connection()["params"]
        self.assertEqual(answer["type"], "danger")
        self.assertIn("does not accept our key", answer["message"])
        self.assertNotIn("wrong", answer["message"])

    def test_cron_pulls_every_active_connection_and_records_refusals(self):
        self.account.copy({"name": "Never enabled"})
        blocked = self.account.copy({"name": "Production"})
        blocked.sudo().state = "enabled"
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        self.env["credit.insurance.account"]._cron_pull()
        pulls = self.env["credit.insurance.pull"].search([("company_id", "=", self.company.id)])
        self.assertEqual(pulls.account_id, self.account)
        self.assertIn("neutralized", blocked.last_error)

    def test_every_connector_error_is_explained(self):
        error = AuthenticationError("the key is not known", insurer="sandbox")
        self.assertIn("the key is not known", self.account._explain(error))

    # === SECRETS === #

    def test_key_can_be_set_and_never_read_again(self):
        secret = self.simulator.api_key
        self.env.invalidate_all()
        admin = self.env.ref("base.user_admin")
        admin.company_ids |= self.company
        account = self.account.with_user(admin)
        self.assertTrue(account.has_secrets)
        self.assertFalse(account.read(["api_key"])[0]["api_key"])
        self.assertNotIn(secret, str(account.export_data(["name", "api_key"])))
        self.assertNotIn(secret, str(account.read()))
        self.assertNotIn(secret, str(self.account.message_ids.mapped("body")))
        self.assertFalse(self.account.copy().has_secrets)

    @mute_logger("odoo.models")
    def test_credit_manager_and_credit_administrator_cannot_read_address_or_key(self):
        for user in (self.manager, self.administrator):
            account = self.account.with_user(user)
            self.assertTrue(account.has_secrets)
            for name in ("api_key", "base_url", "production_base_url"):
                with self.assertRaises(AccessError):
                    account.read([name])
                with self.assertRaises(UserError):
                    account.export_data([name])

    # === RIGHTS === #

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_people_outside_credit_see_no_insurer_data(self):
        self._pull()
        for user in (self.rep, self.accountant):
            for model in ("account", "policy", "buyer", "buyer.link", "cover", "grade", "pull", "unlinked.buyer"):
                with self.assertRaises(AccessError):
                    self.env[f"credit.insurance.{model}"].with_user(user).search([])
            partner = self.buyer.partner_id.with_user(user)
            for name in ("credit_insurance_grade", "credit_insurance_risk_class", "credit_insurance_buyer_id"):
                with self.assertRaises(AccessError):
                    partner.read([name])
            form = self.env["res.partner"].with_user(user).get_view(view_type="form")["arch"]
            self.assertNotIn("credit_insurance_", form)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_history_is_added_to_by_managers_and_changed_by_nobody(self):
        self._pull()
        cover, grade = self.buyer.cover_ids, self.buyer.grade_ids
        for row in (cover, grade):
            for user in (self.officer, self.manager, self.administrator):
                with self.assertRaises(UserError):
                    row.with_user(user).write({"fetched_at": fields.Datetime.now()})
                with self.assertRaises(UserError):
                    row.with_user(user).unlink()
            with self.assertRaises(UserError):
                row.sudo().write({"fetched_at": fields.Datetime.now()})
            with self.assertRaises(UserError):
                row.sudo().unlink()
        values = {"buyer_id": self.buyer.id, "insurer_id": self.insurer.id, "grade": "2", "pull_id": cover.pull_id.id}
        with self.assertRaises(AccessError):
            self.env["credit.insurance.grade"].with_user(self.officer).create(values)
        added = self.env["credit.insurance.grade"].with_user(self.manager).create(values)
        self.assertEqual((added.risk_class, added.pull_id.id), ("1", False))

    def test_only_managers_pull(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.officer).action_pull()
        self.account.with_user(self.manager).action_pull()
        self.assertEqual(self.account.pull_ids.state, "running")

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_buyers_of_another_company_are_invisible(self):
        self._pull()
        other = self.env["res.company"].create({"name": "Other company"})
        user = new_test_user(
            self.env,
            login="manager_elsewhere",
            groups="base.group_user,credit_insurance.credit_insurance_group_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for record in (self.buyer, self.buyer.cover_ids, self.buyer.grade_ids, self.account, self.account.pull_ids):
            self.assertFalse(record.with_user(user).search([("id", "in", record.ids)]), record)
            with self.assertRaises(AccessError):
                record.with_user(user).read(["display_name"])
        partner = self.buyer.partner_id.with_user(user).with_company(other)
        self.assertFalse(partner.credit_insurance_buyer_id)
        self.assertFalse(partner.credit_insurance_grade)

    # === FORMS === #

    def test_officer_reads_grade_cover_and_age_on_the_buyer(self):
        self._pull()
        form = Form(self.buyer.with_user(self.officer))
        self.assertEqual((form.grade, form.risk_class, form.grade_age), ("3", "2", "today"))
        self.assertEqual((form.cover_status, form.cover_amount, form.data_age), ("approved", 60000.0, "today"))

    def test_contact_shows_the_data_of_the_company_it_belongs_to(self):
        self._pull()
        contact = self.env["res.partner"].create({"name": "Buyer's clerk", "parent_id": self.buyer.partner_id.id})
        contact = contact.with_user(self.officer).with_company(self.company)
        self.assertEqual(contact.credit_insurance_buyer_id, self.buyer)
        self.assertEqual((contact.credit_insurance_grade, contact.credit_insurance_cover_amount), ("3", 60000.0))
        self.assertEqual(contact.action_open_credit_insurance_buyer()["res_id"], self.buyer.id)

    def test_partner_list_costs_the_same_for_few_and_many(self):
        self._pull()
        partners = self.env["res.partner"]
        for index in range(40):
            buyer = self._make_linked_buyer(f"Q{index}", f"Counted {index}")
            self._add_cover(buyer)
            partners |= buyer.partner_id
        names = ["credit_insurance_grade", "credit_insurance_cover_amount", "credit_insurance_data_age"]
        counts = []
        for batch in (partners[:1], partners[:5], partners):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            batch.with_user(self.officer).with_company(self.company).read(names)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])
