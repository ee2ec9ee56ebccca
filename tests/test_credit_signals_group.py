"""Signals of what the buyers of a credit group share, in each one's own company's currency."""

from datetime import timedelta

from odoo.tests import tagged

from .common_alert import AlertCommon


@tagged("post_install", "-at_install")
class TestGroupSignals(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.credit_gate_mode = "off"
        cls.buyer = cls._make_buyer(limit=10000)
        cls.fellow = cls._make_buyer(partner=cls.partner_a)
        cls.group = cls._make_group(cls.buyer | cls.fellow, 1000)

    def _shared(self, buyer=None, **options):
        buyer = buyer or self.buyer
        keys = ["group_limit", "group_exposure", "group_headroom", "group_utilisation"]
        options = {"today": self.today, **options}
        facts = self.env["credit.insurance.signals"]._get_facts(buyer, keys, **options)[buyer.id]
        return tuple(facts.get(key) for key in keys)

    def test_members_share_limit_and_exposure(self):
        self._make_invoice(300)
        self._make_invoice(450, partner=self.partner_a)
        self._make_confirmed_order(50, partner=self.partner_a)
        for buyer in (self.buyer, self.fellow):
            self.assertEqual(self._shared(buyer), (1000, 800, 200, 80))

    def test_buyer_without_a_group_has_none_of_them(self):
        self._make_invoice(300)
        self.buyer.group_id = False
        self.assertEqual(self._shared(), (None, None, None, None))

    def test_group_without_a_limit_has_an_exposure_only(self):
        group = self._make_group(self.buyer)
        self._make_invoice(300)
        self.assertEqual(self._shared(), (None, 300, None, None))
        self._grant_to_group(group, 0)
        self.assertEqual(self._shared(), (0, 300, -300, None))

    def test_temporary_row_adds_to_the_shared_limit_between_its_days(self):
        self._grant_to_group(self.group, 500, kind="temporary", date_to=self.today + timedelta(days=3))
        self.assertEqual(self._shared()[0], 1500)
        self.assertEqual(self._shared(today=self.today + timedelta(days=4))[0], 1000)

    def test_archived_member_still_takes_part(self):
        self.fellow.active = False
        self._make_invoice(450, partner=self.partner_a)
        self.assertEqual(self._shared(), (1000, 450, 550, 45))

    def test_group_in_another_currency_over_two_companies(self):
        currency = self.setup_other_currency("EUR", rates=[("1900-01-01", 2.0)])
        other = self.env["res.company"].create({"name": "Other", "currency_id": currency.id})
        self.env.user.company_ids += other
        abroad = self._make_buyer(company=other)
        self._make_group(self.buyer | abroad, 500, currency_id=currency.id)
        self._make_invoice(300)
        self.assertEqual(self._shared(), (250, 300, -50, 120), "1 dollar is 2 euros")
        self.assertEqual(self._shared(abroad), (500, 600, -100, 120))

    def test_past_day_knows_no_shared_limit(self):
        self._make_invoice(300)
        self.assertEqual(self._shared(today=self.today - timedelta(days=1), as_of=True), (None, None, None, None))

    def test_all_signals_of_a_member_take_five_queries(self):
        self._make_invoice(300)
        self._make_invoice(450, partner=self.partner_a)
        signals = self.env["credit.insurance.signals"]
        signals._get_facts(self.buyer, None, self.today)  # scorecards and derived signals are read once
        self.env["credit.insurance.receivable.total"]._refresh(self.company)  # as every screening does
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.assertEqual(signals._get_facts(self.buyer, None, self.today)[self.buyer.id]["group_headroom"], 250)
        self.assertLessEqual(self.cr.sql_log_count - before, 5)

    def test_alert_about_the_shared_limit_ends_when_the_buyer_leaves_the_group(self):
        document = "key: over_shared\nname: n\nseverity: high\nwhen: group_headroom < 0\n"
        rule = self.Rule.create({"document": document, "state": "active"})
        self._make_invoice(1100)
        self.Rule._screen(self.buyer)
        alert = self._alerts().filtered(lambda found: found.rule_id == rule)
        self.assertEqual(alert.state, "open")
        self.buyer.group_id = False
        self.Rule._screen(self.buyer)
        self.assertTrue(alert.ended_on)
