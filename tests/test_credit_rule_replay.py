from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_alert import STORY, AlertCommon


@tagged("post_install", "-at_install")
class TestCreditRuleReplay(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_late_buyer()
        cls.rule = cls.env.ref(STORY)
        cls.rule.action_activate()

    def _raise_alert(self):
        with self._host():
            self.Rule._screen(self.buyer)
        return self._alerts()

    def _replay(self, alert):
        action = alert.with_user(self.officer).action_replay()
        return self.env[action["res_model"]].with_user(self.officer).browse(action["res_id"])

    def test_alert_gives_the_same_answer_from_its_own_text_and_values(self):
        alert = self._raise_alert()
        # Neither the text in force nor the ledger of today takes part.
        self.rule.document = self.rule.document.replace("severity: high", "severity: info")
        self._pay(self.invoice)
        replay = self._replay(alert)
        self.assertEqual((replay.result, replay.note), ("same", False))
        self.assertIn("Amount over 30 days overdue", replay.trace_html)
        self.assertEqual(replay.rule_version_id.version, 1)

    def test_other_values_give_another_answer_and_the_condition_is_named(self):
        alert = self._raise_alert()
        alert.sudo().values_now = alert.values_now | {"amount_overdue_30": "0"}
        replay = self._replay(alert)
        self.assertEqual(replay.result, "different")
        self.assertIn("Amount over 30 days overdue", replay.note)

    def test_signal_that_was_taken_out_of_force_since_is_no_obstacle(self):
        self.addCleanup(self.registry.clear_cache)
        signal = self.env["credit.insurance.signal"].create(
            {"document": "key: late_share\nlabel: Share late\ntype: percent\nvalue: 100 * amount_overdue / exposure\n"}
        )
        signal.action_activate()
        rule = self.Rule.create({"document": "key: late\nname: Late\nwhen: late_share > 50 %\n", "state": "active"})
        alert = self._raise_alert().filtered(lambda alert: alert.rule_id == rule)
        rule.action_retire()
        signal.action_archive_signal()
        replay = self._replay(alert)
        self.assertEqual((replay.result, replay.note), ("same", False))
        self.assertIn("Share late", replay.trace_html)

    def test_value_of_a_signal_that_became_another_is_told_as_it_was(self):
        self.addCleanup(self.registry.clear_cache)
        text = "key: mood\nlabel: Mood\ntype: text\nvalue: {cases: [{when: amount_overdue > 0, value: '\"%s\"'}]}\n"
        signal = self.env["credit.insurance.signal"].create({"document": text % "bad"})
        signal.action_activate()
        rule = self.Rule.create(
            {"document": 'key: moody\nname: Late\nwhen: mood = "bad"\nmessage: "Mood {mood}"\n', "state": "active"}
        )
        alert = self._raise_alert().filtered(lambda alert: alert.rule_id == rule)
        rule.action_retire()
        for kind in ("money", "number", "days"):
            signal.document = f"key: mood\nlabel: Mood\ntype: {kind}\nvalue: 1\n"
            for value in ("bad", "a-b-c", "NaN", "Infinity"):
                alert.sudo().values_now = {"mood": value}
                alert.invalidate_recordset()
                self.assertEqual(alert.told, f"Mood {value}")
                self.assertEqual(self._replay(alert).result, "impossible")

    def test_text_that_no_longer_passes_the_checker_is_told(self):
        alert = self._raise_alert()
        self.cr.execute(
            "UPDATE credit_insurance_rule_version SET document = replace(document, 'amount_overdue_30 >', 'gone >')"
            " WHERE id = %s",
            [alert.rule_version_id.id],
        )
        self.env.invalidate_all()
        self.assertEqual(self._replay(alert).result, "impossible")

    def test_alert_without_version_and_reader_without_rights_are_refused(self):
        alert = self._raise_alert()
        with self.assertRaises(AccessError):
            alert.with_user(self.rep).action_replay()
        alert.sudo().rule_version_id = False
        with self.assertRaises(UserError):
            alert.action_replay()
