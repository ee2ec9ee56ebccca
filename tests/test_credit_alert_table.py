"""The alert of a decision table whose rows all act (``hit: all``): it shows them, and follows each of them."""

from datetime import timedelta

from odoo.tests import tagged

from .common_alert import AlertCommon

TABLE = """\
key: rows
name: Rows
severity: info
table:
  hit: all
  inputs: [amount_overdue >, exposure >]
  rows:
    - {cells: [100, any], severity: warning, actions: [watch_buyer]}
    - {cells: [any, 200], actions: [hold_buyer]}
    - {cells: [5000, any]}
    - {cells: [50, 100]}
unless: is_affiliated = yes
"""


@tagged("post_install", "-at_install")
class TestAlertTable(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100000)
        cls.rule = cls.Rule.create({"document": TABLE, "state": "active"})
        cls.move = cls._make_invoice(300, due_in=-10)
        cls.Rule._screen(cls.buyer)
        cls.alert = cls.Alert.search([("rule_id", "=", cls.rule.id)])

    def _groups(self):
        return [row["group"] for row in self.alert._get_trace_rows() if row.get("group")]

    def test_trace_shows_every_row_that_fired(self):
        rows = self.alert._get_trace_rows()
        told = [(row["level"], row.get("group") or (row["label"], row["first"]), row["answer"]) for row in rows]
        self.assertEqual(
            told,
            [
                (0, ("Amount overdue", "$\xa0300.00"), "yes"),
                (0, "Unless", "no"),
                (1, ("Affiliated", "no"), "no"),
                (0, "Row 2 of the table fires too", "yes"),
                (1, ("Exposure", "$\xa0300.00"), "yes"),
                (0, "Row 4 of the table fires too", "yes"),
                (1, "All of these", "yes"),
                (2, ("Amount overdue", "$\xa0300.00"), "yes"),
                (2, ("Exposure", "$\xa0300.00"), "yes"),
            ],
        )
        self.assertIn("Row 2 of the table fires too", self.alert.trace_html)

    def test_replay_finds_every_row_again(self):
        evidence = self.alert._prepare_evidence()
        self.assertEqual(self.alert._replay(evidence), ("same", False, self.alert.trace))
        before = evidence | {"trace": self.alert.trace[:3]}
        self.assertEqual(self.alert._replay(before)[0], "same", "as alerts were kept that showed their first row only")

    def test_what_one_row_did_is_taken_back_when_only_that_row_ends(self):
        self.assertEqual((self.alert.holds, self.buyer.status), ("buyer", "watch"))
        self._pay(self.move, 150)
        self.Rule._screen(self.buyer)
        self.assertEqual((self.alert.state, self.alert.holds, self.buyer.status), ("open", False, "watch"))
        self.assertEqual(self._groups(), ["Unless", "Row 4 of the table fires too", "All of these"])
        task = self.alert.task_ids.filtered(lambda task: task.key == "hold_buyer")
        self.assertEqual((task.state, task.ended_note), ("undone", "The rule no longer asks for it."))


@tagged("post_install", "-at_install")
class TestUndecidedRow(AlertCommon):
    """A row whose data is missing neither begins anything nor takes back what it did, also beside a row that fires."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=100000)
        document = """\
key: rows
name: Rows
severity: info
table:
  hit: all
  inputs: [amount_overdue >, risk_class >=]
  rows:
    - {cells: [100, any]}
    - {cells: [any, 4], actions: [hold_buyer]}
"""
        cls.rule = cls.Rule.create({"document": document, "state": "active"})
        cls._make_invoice(300, due_in=-10)

    def _screen(self):
        self.Rule._screen(self.buyer)
        alert = self.Alert.search([("rule_id", "=", self.rule.id)])
        return alert, alert.task_ids.filtered(lambda task: task.key == "hold_buyer")

    def _grade_unclassed(self, days_ago):
        graded_on = self.today - timedelta(days=days_ago)
        self.env["credit.insurance.grade"].create(
            {"buyer_id": self.buyer.id, "insurer_id": self.insurer.id, "grade": "NR", "graded_on": graded_on}
        )

    def test_row_that_cannot_be_decided_any_more_keeps_what_it_did(self):
        self._grade(self.buyer, 4, 9)
        alert, task = self._screen()
        self.assertEqual((task.state, alert.holds), ("done", "buyer"))
        self._grade_unclassed(3)
        alert, task = self._screen()
        self.assertEqual((task.state, alert.state, alert.holds), ("done", "open", "buyer"))
        self._grade(self.buyer, 2, 1)
        alert, task = self._screen()
        self.assertEqual((task.state, alert.state, alert.holds), ("undone", "open", False))
        self._grade_unclassed(0)
        alert, task = self._screen()
        self.assertEqual((task.state, alert.holds), ("undone", False), "what was taken back does not begin again")

    def test_row_that_was_never_decided_begins_nothing(self):
        self._grade_unclassed(3)
        alert, task = self._screen()
        self.assertEqual((alert.state, len(task)), ("open", 0))
