"""What screening makes of the answers of rules, whatever their form."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_alert import AlertCommon
from .test_credit_signal import signal

TABLE = """\
key: late_table
name: Late
severity: info
table:
  hit: all
  inputs: [amount_overdue >]
  rows:
    - {cells: [5]}
    - {cells: [10], severity: high}
message: "{buyer}: {amount_overdue}"
reason: test
"""
LASTING = """\
key: lasting
name: Lasting
severity: info
when: amount_overdue > 100
until: amount_overdue < 50
message: "{buyer}: {amount_overdue}"
reason: test
"""


@tagged("post_install", "-at_install")
class TestScreening(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100000)

    def _activate(self, document):
        return self.Rule.create({"document": document, "state": "active"})

    def test_a_table_of_which_several_rows_fire_raises_one_alert_the_most_severe(self):
        rule = self._activate(TABLE)
        self._make_invoice(20, due_in=-5)
        self.Rule._screen(self.buyer)
        self.assertEqual((self._alerts().rule_id, self._alerts().severity), (rule, "high"))

    def test_every_row_that_fires_does_what_it_asks_for(self):
        document = TABLE.replace("cells: [5]", "cells: [5], actions: [watch_buyer]")
        self._activate(document.replace("severity: high", "severity: high, actions: [hold_buyer]"))
        move = self._make_invoice(20, due_in=-5)
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertEqual((alert.severity, alert.holds, self.buyer.status), ("high", "buyer", "watch"))
        self._pay(move, 12)
        self.Rule._screen(self.buyer)
        self.assertEqual((alert.severity, alert.holds, self.buyer.status), ("info", False, "watch"))

    @mute_logger("odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_screening")
    def test_rule_whose_signal_was_not_known_for_a_moment_is_not_left_out_for_good(self):
        self.addCleanup(self.registry.clear_cache)
        signals = self.env["credit.insurance.signal"]
        signals.create({"document": signal("late_share")}).action_activate()
        self._activate(
            LASTING.replace("when: amount_overdue > 100", "when: late_share >= 0").replace("until", "# until")
        )
        self._make_invoice(20, due_in=-5)
        # As a worker may see them that has not heard yet of the signal.
        with patch.object(type(signals), "_get_active_texts", lambda model: ()):
            self.Rule._screen(self.buyer)
            self.assertFalse(self._alerts())
        self.Rule._screen(self.buyer)
        self.assertEqual(len(self._alerts()), 1)

    def test_an_alert_lasts_until_its_end_is_reached(self):
        self._activate(LASTING)
        move = self._make_invoice(150, due_in=-5)
        self.Rule._screen(self.buyer)
        self._pay(move, 80)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "open")
        self._pay(move, 30)
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "resolved")

    def test_a_changed_rule_counts_at_once(self):
        rule = self._activate(LASTING)
        self._make_invoice(80, due_in=-5)
        self.Rule._screen(self.buyer)
        self.assertFalse(self._alerts())
        rule.document = LASTING.replace("> 100", "> 70")
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "open")

    def test_a_buyer_whose_alert_stands_is_screened_in_a_few_statements(self):
        self._activate(LASTING)
        self._make_invoice(150, due_in=-5)
        self.Rule._screen(self.buyer)
        self.env.flush_all()
        self.env.invalidate_all()
        # Its company with the state of the rules, its partner, signals, limits and their currency, its alerts.
        with self.assertQueryCount(6):
            self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().state, "open")

    def test_junk_for_the_share_that_is_compared_is_no_error(self):
        self._activate(LASTING)
        self._make_invoice(150, due_in=-5)
        for junk in ("", "many", "-5", "1e9", "nan"):
            self.env["ir.config_parameter"].set_param("credit_insurance.engine_compare_percent", junk)
            self.Rule._screen(self.buyer)
        self.assertEqual(len(self._alerts()), 1)

    def test_a_rule_of_another_company_does_not_count_here(self):
        rule = self._activate(LASTING)
        rule.company_ids = self.env["res.company"].create({"name": "Other"})
        self._make_invoice(150, due_in=-5)
        self.Rule._screen(self.buyer)
        self.assertFalse(self._alerts())
