from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import html2plaintext

from .test_credit_alert_states import FindingsCommon


@tagged("post_install", "-at_install")
class TestAlertDigest(FindingsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Digest = cls.env["credit.insurance.alert.digest"]
        cls.env["res.users"].search([("credit_digest", "!=", False)]).credit_digest = False
        cls.company.credit_alert_digest = True
        cls.officer.write({"credit_digest": "daily", "email": "officer@example.com"})

    def _mails(self):
        """Send, and return what was queued by that."""
        before = self.env["mail.mail"].search([])
        self.Digest._cron_send()
        return self.env["mail.mail"].search([]) - before

    def _next_day(self, days=1):
        for user in self.env["res.users"].search([("credit_digest_sent_on", "!=", False)]):
            user.credit_digest_sent_on -= timedelta(days=days)

    def test_one_mail_tells_what_is_new_and_only_once_a_day(self):
        alert = self._record(self._found(message="Alpha is late"))
        mail = self._mails()
        self.assertEqual(len(mail), 1)
        self.assertIn("officer@example.com", mail.email_to)
        self.assertEqual(mail.subject, "New risk alerts: 1")
        self.assertIn("New risk alerts: 1 Ended: 0 Open: 1", " ".join(html2plaintext(mail.body_html).split()))
        self.assertIn("Alpha is late", mail.body_html)
        self.assertIn(f"/odoo/credit.insurance.alert/{alert.id}", mail.body_html)
        self.assertFalse(self._mails())

    def test_weekly_reader_waits_a_week(self):
        self.officer.credit_digest = "weekly"
        self._record(self._found())
        self.assertTrue(self._mails())
        self._next_day(6)
        self.assertFalse(self._mails())
        self._next_day()
        self.assertTrue(self._mails())

    def test_what_is_new_is_what_came_since_the_readers_day_began(self):
        """So that one digest goes on where the last one ended."""
        alert = self._record(self._found())
        for zone in ("Asia/Shanghai", "America/Los_Angeles", False):
            self.officer.tz = zone
            midnight = datetime.combine(self.today, time.min, ZoneInfo(zone or "UTC"))
            for hours, is_new in ((-1, False), (0, True), (1, True)):
                with self.subTest(zone=zone, hours=hours):
                    moment = midnight + timedelta(hours=hours)
                    alert.sudo().first_seen = moment.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
                    before = self.env["mail.mail"].search([])
                    self.Digest._send(self.officer, self.company, self.today)
                    self.assertEqual(bool(self.env["mail.mail"].search([]) - before), is_new)

    def test_nothing_new_is_no_mail(self):
        self.assertFalse(self._mails())
        alert = self._record(self._found())
        alert.sudo().first_seen -= timedelta(days=30)
        self._next_day()
        self.assertFalse(self._mails(), "an old alert that is still open is no news")

    def test_what_a_rule_only_observes_is_no_news(self):
        finding = self._found()
        object.__setattr__(finding.outcome.rule, "observe", True)
        self._record(finding)
        self.assertFalse(self._mails())

    def test_off_by_default_for_company_and_reader(self):
        self._record(self._found())
        self.assertFalse(self.env["res.company"].create({"name": "New"}).credit_alert_digest)
        self.company.credit_alert_digest = False
        self.assertFalse(self._mails())
        self.company.credit_alert_digest = True
        self.officer.credit_digest = False
        self.assertFalse(self._mails())

    def test_only_credit_officers_of_the_company_get_it(self):
        self._record(self._found())
        self.officer.credit_digest = False
        self.rep.write({"credit_digest": "daily", "email": "rep@example.com"})
        self.assertFalse(self._mails())
        other = self.env["res.company"].create({"name": "Other", "credit_alert_digest": True})
        self.manager.write(
            {
                "credit_digest": "daily",
                "email": "manager@example.com",
                "company_ids": [(6, 0, other.ids)],
                "company_id": other.id,
            }
        )
        self.assertFalse(self._mails())

    def test_readers_choose_for_themselves_and_only_managers_switch_the_company(self):
        self.officer.with_user(self.officer).credit_digest = "weekly"
        with self.assertRaises(AccessError):
            self.officer.with_user(self.officer).credit_digest_sent_on = "2020-01-01"
        with self.assertRaises(AccessError):
            self.company.with_user(self.officer).credit_alert_digest = True

    def test_mail_escapes_what_came_from_outside(self):
        self._record(self._found(message="<script>alert(1)</script> is late"))
        self.assertNotIn("<script>", self._mails().body_html)
