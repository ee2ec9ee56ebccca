from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.credit_insurance.rules.risk import PRECEDENCE

from .common_alert import STORY, AlertCommon
from .test_credit_insurance_rule import document

CLASSES = """\
key: {key}
name: Late and weak
severity: high
when:
  all:
    - amount_overdue_30 > 0.5 * exposure
    - not: cover_status = "approved"
unless: is_affiliated = yes
message: "{{buyer}}: {{amount_overdue_30}}"
"""


@tagged("post_install", "-at_install")
class TestCreditRuleEditor(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Editor = cls.env["credit.insurance.rule"].with_user(cls.administrator)
        cls.buyer = cls._make_late_buyer()

    # === FORM AND TEXT === #

    def test_setup_names_signals_by_group_with_all_that_widgets_need(self):
        setup = self.Editor.rule_editor_setup()
        by_key = {signal["key"]: signal for signal in setup["signals"]["buyer"]}
        self.assertEqual(by_key["amount_overdue"]["group"], "Overdue")
        self.assertEqual(by_key["cover_status"]["choices"][0], "none")
        self.assertNotIn("order_amount", by_key)
        orders = {signal["key"]: signal for signal in setup["signals"]["order"]}
        self.assertEqual(orders["order_amount"]["group"], "This order")
        self.assertIn("exposure", orders)
        self.assertEqual(setup["precedence"], PRECEDENCE)
        self.assertTrue(all(action["help"] for action in setup["actions"]))
        self.assertEqual({subject["model"] for subject in setup["subjects"].values()} & {"sale.order"}, {"sale.order"})

    def test_text_and_form_are_the_same_document_both_ways(self):
        for record in self.Rule.search([]):
            answer = self.Editor.rule_editor_text(record.document, record.key)
            self.assertFalse(answer["problems"], record.key)
            back = self.Editor.rule_editor_form(answer["form"], record.key)
            self.assertEqual(self.Editor.rule_editor_text(back["text"])["form"], answer["form"], record.key)

    def test_switching_loses_no_letter_of_unusual_texts(self):
        form = self.Editor.rule_editor_text(document())["form"]
        for text in (
            *(
                "\nA",
                "A\n",
                "\n\n A\n  B\n",
                "A\r\nB",
                " A ",
                "\tA\tB",
                "A\x01\x1b[31m",
                "\x7f\x9f\ufffe",
                "A\x85B\u2028C",
            ),
            *("\ufeffA", "---", "- A: [b", "no", "~", "010", "%A %s", "x" * 4000, "\x01" * 1000, "\u202eA\u200b"),
        ):
            with self.subTest(text=text[:10]):
                typed = form | {"name": f"A{text}"[:4000], "message": text, "reason": text}
                written = self.Editor.rule_editor_form(typed)
                self.assertFalse(written["problems"])
                self.assertEqual(self.Editor.rule_editor_text(written["text"])["form"], typed)
                self.assertEqual(self.Editor.rule_editor_text(written["text"].replace("\n", "\r\n"))["form"], typed)

    def test_text_that_is_too_long_stays_in_the_form_and_is_named(self):
        form = self.Editor.rule_editor_text(document())["form"] | {"message": "x" * 10_000}
        answer = self.Editor.rule_editor_form(form)
        self.assertIsNone(answer["text"])
        self.assertEqual([problem["path"] for problem in answer["problems"]], ["message"])
        answer = self.Editor.rule_editor_text(document() + f"reason: {'x' * 10_000}\n")
        self.assertIsNone(answer["form"])
        self.assertEqual([problem["path"] for problem in answer["problems"]], ["reason"])

    def test_byte_order_mark_before_a_pasted_text_means_nothing(self):
        answer = self.Editor.rule_editor_text("\ufeff" + document())
        self.assertEqual((answer["problems"], answer["form"]["key"]), ([], "late"))

    def test_form_becomes_text_and_problems_point_to_its_parts(self):
        form = self.Editor.rule_editor_text(CLASSES.format(key="weak"))["form"]
        form["when"]["parts"][0]["signal"] = "amonut_overdue_30"
        answer = self.Editor.rule_editor_form(form)
        [problem] = answer["problems"]
        self.assertEqual(problem["path"], "when.all[0]")
        self.assertIn("amount_overdue_30", problem["suggestion"])
        self.assertIn("amonut_overdue_30 > 0.5 * exposure", answer["text"])

    def test_form_with_an_empty_value_has_no_text_and_says_where(self):
        form = self.Editor.rule_editor_text(document())["form"]
        form["when"]["operand"]["value"] = ""
        answer = self.Editor.rule_editor_form(form)
        self.assertIsNone(answer["text"])
        self.assertTrue(answer["problems"][0]["path"].startswith("when"), answer["problems"])

    def test_junk_is_answered_and_never_raises(self):
        for text in ("", "[", "key: x\n\tname", "&a [*a]", "x" * 200_000, "when: " + "[" * 5000):
            answer = self.Editor.rule_editor_text(text)
            self.assertIsNone(answer["form"])
            self.assertTrue(answer["problems"])
            self.Editor.rule_editor_complete(text, 3)
        self.Editor.rule_editor_complete("when: amou", -5)
        self.Editor.rule_editor_complete("when: amou", 10**9)
        for form in (None, [], "x", {"when": []}, {"key": "a", "name": "b", "when": {"kind": "all", "parts": [{}]}}):
            self.assertTrue(self.Editor.rule_editor_form(form)["problems"], form)

    def test_rule_too_long_for_the_editor_is_not_cut(self):
        """Its first half, made a form and written again, would be another rule."""
        text = f"{document()}\n# " + "x" * 50_000
        answer = self.Editor.rule_editor_text(text)
        self.assertIsNone(answer["form"])
        self.assertIn("longer", answer["problems"][0]["message"])
        self.assertFalse(self.Editor.rule_editor_try(text, self.buyer.id))

    def test_completion_offers_signals_where_a_condition_is_typed(self):
        text = "key: x\nname: y\nwhen: amount_overdue_3"
        found = self.Editor.rule_editor_complete(text, len(text))
        self.assertIn("amount_overdue_30", [item["text"].strip() for item in found])
        self.assertEqual(text[found[0]["start"] : found[0]["end"]], "amount_overdue_3")

    def test_key_of_a_saved_rule_is_kept(self):
        answer = self.Editor.rule_editor_text(document(key="other"), "late")
        self.assertEqual([problem["path"] for problem in answer["problems"]], ["key"])

    def test_twin_of_an_active_rule_is_told_before_it_is_put_into_force(self):
        self.Rule.create({"document": document(), "state": "active"})
        twin = self.Editor.rule_editor_text(document(key="twin"))
        self.assertFalse(twin["problems"], "a draft may say the same")
        self.assertIn("late", twin["warnings"][0]["message"])
        self.assertFalse(self.Editor.rule_editor_text(document(), "late")["warnings"])
        other = self.env["res.company"].create({"name": "Other"})
        elsewhere = document(key="twin") + f"companies: [{other.name}]\n"
        self.Rule.search([("key", "=", "late")]).company_ids = self.company
        self.assertFalse(self.Editor.rule_editor_text(elsewhere)["warnings"])

    # === TRYING === #

    def _try(self, text, subject=None, user=None):
        return self.Editor.with_user(user or self.administrator).rule_editor_try(text, (subject or self.buyer).id)

    def test_trial_answers_condition_by_condition_and_writes_nothing(self):
        trial = self._try(CLASSES.format(key="weak"))
        self.assertEqual(trial["state"], "fired")
        # As the alert will be read.
        self.assertEqual(trial["message"], "Alpha Trading Ltd: $\N{NO-BREAK SPACE}12,300.00")
        answers = {path: answer["answer"] for path, answer in trial["answers"].items()}
        self.assertEqual(
            answers,
            {
                "when": "yes",
                "when.all[0]": "yes",
                "when.all[1]": "yes",
                "when.all[1].not": "no",
                "unless": "no",
            },
        )
        self.assertIn("12,300", trial["answers"]["when.all[0]"]["value"])
        values = {signal["key"]: signal for signal in trial["signals"]}
        self.assertEqual(set(values), {"amount_overdue_30", "exposure", "cover_status", "is_affiliated"})
        self.assertFalse(self._alerts())

    def test_near_miss_says_how_far(self):
        trial = self._try(document().replace("amount_overdue_30 > 0", "days_overdue_oldest > 50 days"))
        self.assertEqual(trial["state"], "quiet")
        self.assertEqual(trial["answers"]["when"]["gap"], "45 of 50 days")
        self.assertGreater(trial["closeness"], 0.8)

    def test_value_that_is_not_known_is_grey(self):
        trial = self._try(document().replace("amount_overdue_30 > 0", "cover_amount > 5"))
        self.assertEqual((trial["state"], trial["answers"]["when"]["answer"]), ("undecided", "missing"))
        self.assertFalse(trial["signals"][-1]["is_known"])

    def test_text_with_problems_is_not_tried_but_a_failing_example_does_not_matter(self):
        self.assertFalse(self._try("key: ["))
        self.assertFalse(self._try(document().replace("amount_overdue_30 >", "amonut >")))
        failing = "tests:\n  - {name: never, facts: {amount_overdue_30: 5}, expect: quiet}\n"
        self.assertEqual(self._try(document() + failing)["state"], "fired")

    def test_rule_about_orders_is_tried_on_an_order(self):
        order = self._make_order(700)
        text = (
            document().replace("severity:", "scope: order\nseverity:").replace("amount_overdue_30 >", "order_amount >")
        )
        trial = self._try(text, order, user=self.env.user)
        self.assertEqual(trial["state"], "fired")
        self.assertIn("700", trial["answers"]["when"]["value"])
        with self.assertRaises(AccessError):
            self._try(text, order)

    def test_order_of_a_customer_without_a_credit_record_is_tried_as_the_gate_judges_it(self):
        stranger = self.env["res.partner"].create({"name": "Nobody's buyer"})
        text = "key: first\nname: First\nscope: order\nwhen: order_is_first = yes\nmessage: '{buyer}: {order_amount}'\n"
        trial = self._try(text, self._make_order(700, partner=stranger), user=self.env.user)
        self.assertEqual((trial["state"], trial["answers"]["when"]["answer"]), ("fired", "yes"))
        self.assertIn("Nobody's buyer", trial["message"])
        self.assertFalse(self.env["credit.insurance.buyer"].search([("partner_id", "=", stranger.id)]))
        rule = self.Rule.create({"document": text, "state": "active"})
        self.env["credit.insurance.rule.override"].create(
            {
                "rule_id": rule.id,
                "company_id": self.company.id,
                "document": "when: order_amount > 1000\n",
                "reason": "Large ones only",
            }
        )
        trial = self._try(text, self._make_order(700, partner=stranger), user=self.env.user)
        self.assertEqual(trial["state"], "quiet")
        self.assertIn("700", trial["override"]["html"])

    def test_rows_of_a_table_are_tried_one_by_one(self):
        text = (
            "key: grid\nname: Grid\ntable:\n  hit: first\n  inputs: [amount_overdue_30 >]\n  rows:\n"
            "    - {cells: [20000], severity: critical}\n    - {cells: [100], severity: high}\n"
        )
        trial = self._try(text)
        self.assertEqual((trial["state"], trial["severity"]), ("fired", "high"))
        self.assertEqual(trial["answers"]["table.rows[0]"]["answer"], "no")
        self.assertEqual(trial["answers"]["table.rows[1]"]["answer"], "yes")

    def test_every_cell_of_a_table_and_its_exclusion_are_answered(self):
        text = (
            "key: grid\nname: Grid\ntable:\n  hit: first\n"
            "  inputs: [amount_overdue_30 >, exposure >, cover_amount >]\n  rows:\n    - {cells: [20000, 5, any]}\n"
            "    - {cells: [100, any, 5], severity: high}\n    - {cells: [50, any, any], severity: info}\n"
            "unless: is_affiliated = yes\nuntil: amount_overdue_30 < 40\n"
        )
        answers = {path: answer["answer"] for path, answer in self._try(text)["answers"].items()}
        self.assertEqual(
            answers,
            {
                "table.rows[0]": "no",
                "table.rows[0].cells[0]": "no",
                "table.rows[0].cells[1]": "yes",
                "table.rows[1]": "missing",
                "table.rows[1].cells[0]": "yes",
                "table.rows[1].cells[2]": "missing",
                "table.rows[2]": "yes",
                "table.rows[2].cells[0]": "yes",
                "unless": "no",
                "until": "no",
            },
        )

    # === RIGHTS === #

    def test_readers_read_and_only_administrators_try(self):
        text = self.env.ref(STORY).document
        officer = self.Editor.with_user(self.officer)
        self.assertFalse(officer.rule_editor_setup()["may_try"])
        self.assertTrue(officer.rule_editor_text(text)["form"])
        for user in (self.officer, self.manager, self.rep):
            with self.assertRaises(AccessError):
                self._try(text, user=user)
        for call in (
            lambda editor: editor.rule_editor_setup(),
            lambda editor: editor.rule_editor_text(text),
            lambda editor: editor.rule_editor_form({}),
            lambda editor: editor.rule_editor_complete(text, 0),
        ):
            with self.assertRaises(AccessError):
                call(self.Editor.with_user(self.rep))

    def test_buyer_of_another_company_cannot_be_tried(self):
        other = self.env["res.company"].create({"name": "Other"})
        buyer = self._make_buyer(company=other)
        with self.assertRaises(AccessError):
            self._try(document(), buyer)
        self.assertFalse(self.Editor.rule_editor_try(document(), 10**9))
