"""Ways to a limit beyond authority, to forged records, and to figures that cannot be read."""

import base64
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.credit_insurance.credit_insurance.wizards import limit_sheet

from .test_credit_authority import AuthorityCase


class LimitAttackCase(AuthorityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fresh = cls.env["res.partner"].create({"name": "Gamma SA", "is_company": True, "ref": "G-1"})
        cls.gamma = cls._make_buyer(partner=cls.fresh)
        cls.elsewhere = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.limits = cls.env["credit.insurance.own.limit"]

    def _refuse(self, edit):
        try:
            with self.env.cr.savepoint():
                edit()
        except (UserError, ValueError, OverflowError):  # core cannot round what is no number
            return
        self.fail("it was not refused")

    def _vals(self, amount, **values):
        return {
            "buyer_id": self.gamma.id,
            "currency_id": self.company_currency.id,
            "amount": amount,
            "date_from": self.today,
            **values,
        }


@tagged("post_install", "-at_install")
class TestLimitAttacks(LimitAttackCase):
    def test_amount_that_is_no_number_is_no_limit(self):
        limits, guarantees = (
            self.env[f"credit.insurance.{name}"].with_user(self.manager) for name in ("own.limit", "guarantee")
        )
        bank = self.env["res.partner"].create({"name": "Bank"})
        for amount in (float("nan"), float("inf"), 1e300):
            self._refuse(lambda amount=amount: limits.create(self._vals(amount)))
            until = {"date_to": self.today + timedelta(days=9), "issuer_id": bank.id}
            self._refuse(lambda amount=amount, until=until: guarantees.create(self._vals(amount, **until)))
            row = limits.create(self._vals(5))
            self._refuse(lambda amount=amount, row=row: row.write({"amount": amount}))
        requests = self.env["credit.insurance.limit.request"].with_user(self.rep)
        for amount in (float("nan"), float("inf"), 1e300):
            self._refuse(
                lambda amount=amount: requests.create({"partner_id": self.fresh.id, "amount": amount, "reason": "x"})
            )

    def test_company_of_a_limit_is_that_of_its_buyer_whatever_a_client_sends(self):
        self.manager.company_ids += self.elsewhere
        self._allow(self.manager, 1000, kind="limit")
        rows = self.limits.with_user(self.manager).with_context(allowed_company_ids=(self.company | self.elsewhere).ids)
        with self.assertRaises(AccessError):
            rows.create(self._vals(50000, company_id=self.elsewhere.id))
        with self.assertRaises(AccessError):
            rows.with_context(default_company_id=self.elsewhere.id).create(self._vals(50000))
        row = rows.create(self._vals(900, company_id=self.elsewhere.id))
        row.write({"company_id": self.elsewhere.id})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(row.company_id, self.company)

    def test_defaults_in_the_context_sign_for_nobody(self):
        context = {
            "default_granted_by_id": self.colleague.id,
            "default_authority": "The board",
            "default_cancelled": True,
            "default_reviewed_on": "2026-01-01",
        }
        row = self.limits.with_user(self.manager).with_context(**context).create(self._vals(900))
        self.assertEqual((row.granted_by_id, row.authority, row.cancelled), (self.manager, False, False))
        self.assertFalse(row.reviewed_on)

    def test_defaults_in_the_context_decide_no_request(self):
        context = {
            "default_state": "granted",
            "default_decided_by_id": self.manager.id,
            "default_granted_amount": 99,
            "default_asked_by_id": self.manager.id,
            "default_authority": "The board",
        }
        request = (
            self.env["credit.insurance.limit.request"]
            .with_user(self.rep)
            .with_context(**context)
            .create({"partner_id": self.fresh.id, "amount": 5, "reason": "x", "company_id": self.company.id})
        )
        self.assertEqual((request.state, request.asked_by_id), ("draft", self.rep))
        self.assertFalse(request.decided_by_id or request.granted_amount or request.sudo().authority)

    def test_decide_wizard_shows_no_request_of_another_company(self):
        request = self.env["credit.insurance.limit.request"].create(
            {"partner_id": self.fresh.id, "amount": 5, "reason": "x", "company_id": self.company.id}
        )
        stranger = self._make_manager("credit_elsewhere", self.elsewhere)
        wizards = self.env["credit.insurance.limit.request.decide"].with_user(stranger)
        with self.assertRaises(AccessError):
            wizards.create({"request_id": request.id}).read(["figures_html", "asked_amount"])
        with self.assertRaises(AccessError):
            wizards.with_context(default_request_id=request.id).create({}).read(["figures_html"])
        with self.assertRaises(AccessError):
            wizards.onchange({"request_id": request.id}, ["request_id"], {"figures_html": {}, "asked_amount": {}})

    def test_limit_explanation_shows_no_buyer_of_another_company(self):
        stranger = self._make_manager("credit_elsewhere", self.elsewhere)
        pages = self.env["credit.insurance.limit.explanation"].with_user(stranger)
        for make in (
            lambda: pages.create({"buyer_id": self.gamma.id}).read(["limit_amount"]),
            lambda: pages.with_context(default_buyer_id=self.gamma.id).create({}).read(["limit_amount"]),
            lambda: pages.onchange({"buyer_id": self.gamma.id}, ["buyer_id"], {"limit_amount": {}, "buyer_id": {}}),
        ):
            with self.assertRaises(AccessError):
                make()

    def test_limit_of_a_group_needs_authority_in_every_company_of_its_buyers(self):
        self.manager.company_ids += self.elsewhere
        self._allow(self.manager, 1000, kind="limit")
        group = self.env["credit.insurance.group"].create({"name": "G"})
        self.gamma.group_id = group
        rows = self.limits.with_user(self.manager).with_context(allowed_company_ids=self.elsewhere.ids)
        with self.assertRaises(AccessError):
            rows.create(self._vals(50000, buyer_id=False, group_id=group.id))

    def test_second_standing_limit_is_not_revived_without_authority(self):
        rows = self.limits
        high = rows.create(self._vals(50000, date_from=self.today - timedelta(days=9)))
        extra = rows.create(self._vals(10, kind="temporary", date_to=self.today + timedelta(days=9)))
        rows.create(self._vals(100, replaces_id=extra.id))
        self.env.flush_all()
        self._allow(self.manager, 1000, kind="limit")
        with self.assertRaises(AccessError):
            rows.with_user(self.manager).create(self._vals(50000, replaces_id=high.id))

    def test_many_small_guarantees_are_one_large_guarantee(self):
        self._allow(self.manager, 1000, kind="limit")
        guarantees = self.env["credit.insurance.guarantee"].with_user(self.manager)
        vals = self._vals(
            900, date_to=self.today + timedelta(days=30), issuer_id=self.env["res.partner"].create({"name": "Bank"}).id
        )
        guarantees.create(vals)
        with self.assertRaises(AccessError):
            guarantees.create(vals)

    def test_guarantee_for_an_order_does_not_follow_it_to_another_customer(self):
        order = self._make_order(800, partner=self.fresh)
        self.env["credit.insurance.guarantee"].create(
            self._vals(
                800,
                order_id=order.id,
                date_to=self.today + timedelta(days=30),
                issuer_id=self.env["res.partner"].create({"name": "Bank"}).id,
            )
        )
        guarantees = self.env["credit.insurance.guarantee"]
        self.assertEqual(guarantees._get_secured(order, self.today), {order.id: 800})
        order.write({"partner_id": self.partner.id, "partner_invoice_id": self.partner.id})
        self.assertFalse(guarantees._get_secured(order, self.today))


@tagged("post_install", "-at_install")
class TestBuyerAttacks(LimitAttackCase):
    def test_credit_record_with_history_is_not_given_to_another_contact_or_company(self):
        self.limits.create(self._vals(900))
        other = self.env["res.partner"].create({"name": "Delta", "is_company": True})
        buyer = self.gamma.with_user(self.manager)
        self.manager.company_ids += self.elsewhere
        self._refuse(lambda: buyer.write({"partner_id": other.id}))
        self._refuse(lambda: buyer.write({"company_id": self.elsewhere.id}))

    def test_nobody_writes_that_buyers_were_merged(self):
        buyer = self.gamma.with_user(self.manager)
        buyer.write({"merged_into_id": self.buyer.id, "merged_name": "Nobody"})
        self.assertEqual((buyer.merged_into_id.ids, buyer.merged_name), ([], False))
        buyers = self.env["credit.insurance.buyer"].with_user(self.manager)
        vals = {"partner_id": self.fresh.id, "company_id": self.company.id, "currency_id": self.company_currency.id}
        for context, extra in (
            ({}, {"merged_into_id": self.buyer.id}),
            ({"default_merged_into_id": self.buyer.id}, {}),
        ):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                buyers.with_context(**context).create({**vals, **extra})
                self.env.flush_all()
            self.env.invalidate_all()

    def test_commands_on_the_buyer_end_or_move_no_limit(self):
        row = self.limits.create(self._vals(900))
        foreign = self.limits.create(self._vals(900, buyer_id=self.buyer.id))
        self._allow(self.manager, 1000, kind="limit")
        buyer = self.gamma.with_user(self.manager)
        for command in (
            Command.unlink(row.id),
            Command.delete(row.id),
            Command.clear(),
            Command.set(foreign.ids),
            Command.link(foreign.id),
            Command.update(row.id, {"amount": 50000}),
            Command.create({"amount": 50000, "date_from": self.today}),
        ):
            self._refuse(lambda command=command: buyer.write({"own_limit_ids": [command]}))
        self.assertEqual((row.buyer_id, row.amount, row.date_to), (self.gamma, 900, False))

    def test_buyer_whose_credit_record_is_archived_has_no_open_alert_left(self):
        self.assertTrue(self.gamma.active)
        self.gamma.with_user(self.manager).active = False
        self.gamma.with_user(self.manager).active = True

    def test_zero_limit_is_told_in_a_word(self):
        self.limits.create(self._vals(0))
        self.gamma.invalidate_recordset()
        self.assertEqual(self.gamma.limit_state, "zero")
        words = dict(self.gamma._fields["limit_state"]._description_selection(self.env))
        self.assertEqual(words["zero"], "Zero limit")


@tagged("post_install", "-at_install")
class TestImportAttacks(LimitAttackCase):
    def _import(self, content, user=None, **values):
        content = content.encode() if isinstance(content, str) else content
        wizard = (
            self.env["credit.insurance.limit.import"]
            .with_user(user or self.manager)
            .create({"file": base64.b64encode(content), "filename": "x.csv", "company_id": self.company.id, **values})
        )
        wizard.action_apply()
        return wizard

    def test_small_limits_in_one_sheet_add_up(self):
        self._allow(self.manager, 1000, kind="limit")
        day = [(self.today + timedelta(days=number)).isoformat() for number in (1, 2, 60)]
        wizard = self._import(
            "ref,kind,amount,date_from,date_to\n"
            f"G-1,temporary,900,,{day[2]}\nG-1,temporary,900,{day[0]},{day[2]}\nG-1,temporary,900,{day[1]},{day[2]}\n"
        )
        self.assertEqual((wizard.changed_count, wizard.refused_count), (1, 2))

    def test_company_of_another_user_is_not_imported_into(self):
        self._refuse(lambda: self._import("ref,amount\nG-1,5\n", company_id=self.elsewhere.id))

    def test_excels_unicode_text_is_read(self):
        for encoding in ("utf-16", "utf-8-sig"):
            text = "ref\tamount\r\nG-1\t1.000,50\r\n"
            wizard = self._import(text.encode(encoding))
            self.assertFalse(wizard.refused_count, encoding)
        self.assertEqual(self.gamma.limit_amount, 1000.5)

    def test_junk_is_refused_in_words(self):
        for content in (b"\x00\x01\x02", b"PK\x03\x04junk", b"%PDF-1.7", b"\xff\xfe", "ref\namount\n", b"a" * 200000):
            with self.assertRaises(UserError):
                self._import(content)

    def test_far_away_cells_are_not_unrolled(self):
        sheet = limit_sheet.write_sheet(("ref", "amount"), [("G-1", "5")])
        self.assertEqual(len(limit_sheet.read_sheet(sheet)), 2)
