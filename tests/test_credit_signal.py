from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_signal import extend_catalogue
from odoo.addons.credit_insurance.rules.risk import check_derived

from .common_alert import AlertCommon
from .test_credit_insurance_rule import document


def signal(key="late_share", value="100 * amount_overdue_30 / exposure", type_="percent", label="Share late"):
    return f"key: {key}\nlabel: {label}\ntype: {type_}\nvalue: {value}\n"


@tagged("post_install", "-at_install")
class TestCreditSignal(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.registry.clear_cache)
        cls.second = cls._make_second_administrator()
        cls.Signal = cls.env["credit.insurance.signal"].with_user(cls.administrator)
        cls.Rule = cls.Rule.with_user(cls.administrator)

    def test_signal_is_tried_on_a_buyer_while_it_is_typed_and_nothing_is_written(self):
        buyer = self._make_late_buyer()
        trial = self.Signal.signal_editor_try(signal(value="100 * amount_overdue_30 / exposure"), buyer.id)
        self.assertEqual((trial["label"], trial["value"], trial["is_known"]), ("Share late", "100 %", True))
        self.assertEqual([row["key"] for row in trial["signals"]], ["amount_overdue_30", "exposure"])
        self.assertFalse(self.Signal.search([("key", "=", "late_share")]))
        self.assertFalse(self.Signal.signal_editor_try(signal(value="amonut"), buyer.id), "not while it has problems")
        reading = self.Signal.signal_editor_text(signal(value="amonut"))
        self.assertEqual((reading["problems"][0]["code"], reading["scope"]), ("unknown_signal", "buyer"))
        self.assertTrue(reading["tokens"])

    def test_signal_in_force_is_tried_with_what_is_typed_instead(self):
        buyer = self._make_late_buyer()
        [own] = self._activate(signal(value="100 * amount_overdue_90 / exposure"))
        typed = signal(value="100 * amount_overdue_30 / exposure")
        self.assertEqual(self.Signal.signal_editor_try(typed, buyer.id, own.id)["value"], "100 %")
        self.assertEqual(self.Signal.signal_editor_try(own.document, buyer.id, own.id)["value"], "0 %")

    def test_many_signals_are_taken_up_without_checking_each_beside_all_others(self):
        texts = tuple(signal(f"one_of_many_{number}") for number in range(30))
        place = "odoo.addons.credit_insurance.credit_insurance.models.credit_insurance_signal.check_derived"
        with patch(place, wraps=check_derived) as checked:
            found = extend_catalogue(self.env["credit.insurance.signals"]._get_base_catalogue(), texts)
        self.assertEqual(len(found.derived), 30)
        self.assertEqual(checked.call_count, 30)

    def test_text_that_is_too_long_is_not_read_in_half(self):
        text = f"{signal()}\n# " + "x" * 50_000 + "\ntype: nonsense\n"
        [problem] = self.Signal.signal_editor_text(text)["problems"]
        self.assertIn("this one is longer", problem["message"])
        self.assertFalse(self.Signal.signal_editor_try(text, self._make_late_buyer().id))

    def test_only_administrators_try_signals_on_buyers_they_may_read(self):
        buyer = self._make_late_buyer()
        with self.assertRaises(AccessError):
            self.Signal.with_user(self.officer).signal_editor_try(signal(), buyer.id)
        self.assertFalse(self.Signal.with_user(self.officer).signal_editor_text(signal())["may_try"])
        with self.assertRaises(AccessError):
            self.Signal.with_user(self.rep).signal_editor_text(signal())

    def _activate(self, *texts):
        signals = self.Signal.create([{"document": text} for text in texts])
        signals.action_activate()
        return signals

    def _catalogue(self):
        return self.env["credit.insurance.signals"]._get_catalogue()

    def _using(self, key="late_share", **values):
        return self.Rule.create({"document": document(**values).replace("amount_overdue_30 >", f"{key} >")})

    def test_record_repeats_what_the_text_says(self):
        record = self.Signal.create({"document": signal()})
        self.assertRecordValues(
            record,
            [{"key": "late_share", "name": "Share late", "type": "percent", "unit": "%", "state": "draft"}],
        )
        self.assertNotIn("late_share", self._catalogue(), "a draft is no signal yet")

    def test_rules_use_a_signal_in_force_and_fire_by_it(self):
        self._activate(signal())
        rule = self._using(limit="50 %")
        rule.action_activate()
        buyer = self._make_late_buyer()
        with self._host():
            self.env["credit.insurance.rule"]._screen(buyer)
        self.assertEqual(self._alerts(buyer).rule_id, rule)
        facts = self.env["credit.insurance.signals"]._get_facts(buyer, {"late_share"})
        self.assertIn("exposure", facts[buyer.id], "what it is computed from is read")

    def test_signals_use_each_other_in_any_order(self):
        self._activate(signal("z_first"))
        self._activate(signal("a_second", value="z_first + z_first"))
        self.assertIn("a_second", self._catalogue())

    def test_unknown_signal_wrong_unit_and_taken_key_are_refused(self):
        for text, expected in (
            (signal(value="100 * amonut_overdue_30 / exposure"), "amount_overdue_30"),
            (signal(value="exposure + days_overdue_oldest"), "days"),
            (signal(key="exposure", type_="money", value="limit_in_force"), "another signal"),
            ("key: [", "Line 1"),
            ("", "Line 1"),
        ):
            with self.subTest(text=text), self.assertRaises(ValidationError) as caught:
                self.Signal.create({"document": text})
            self.assertIn(expected, caught.exception.args[0])

    def test_cycle_is_refused_and_named(self):
        first = self._activate(signal("first", type_="number", value="0.1 * risk_class"))
        self._activate(signal("second", type_="number", value="first + first"))
        with self.assertRaises(ValidationError) as caught:
            first.document = signal("first", type_="number", value="second - first")
        self.assertIn("first", caught.exception.args[0])
        self.assertIn("second", caught.exception.args[0])
        self.assertIn("first", self._catalogue(), "nothing changed")

    def test_signal_in_use_cannot_be_taken_away(self):
        base = self._activate(signal())
        above = self._activate(signal("double", value="late_share + late_share"))
        with self.assertRaises(ValidationError):
            base.action_archive_signal()
        above.action_archive_signal()
        rule = self._using()
        rule.action_activate()
        with self.assertRaises(ValidationError):
            base.action_set_draft()
        with self.assertRaises(UserError):
            base.unlink()
        rule.action_retire()
        base.action_archive_signal()
        self.assertNotIn("late_share", self._catalogue())
        self.assertTrue(rule.problems)

    def test_signal_that_only_a_companys_override_uses_cannot_be_taken_away(self):
        base = self._activate(signal())
        rule = self._using("amount_overdue_30")
        rule.action_activate()
        override = self.env["credit.insurance.rule.override"].create(
            {
                "rule_id": rule.id,
                "company_id": self.company.id,
                "document": "when: late_share > 50 %\n",
                "reason": "Shares tell more here.",
            }
        )
        with self.assertRaises(ValidationError) as caught:
            base.action_archive_signal()
        self.assertIn(self.company.name, caught.exception.args[0])
        self.assertIn("late_share", self._catalogue())
        override.write({"document": False, "reason": "No longer."})
        base.action_archive_signal()
        self.assertNotIn("late_share", self._catalogue())

    def test_change_that_breaks_an_active_rule_is_refused(self):
        base = self._activate(signal())
        self._using(limit="50 %").action_activate()
        with self.assertRaises(ValidationError) as caught:
            base.document = signal(type_="money", value="amount_overdue_30")
        self.assertIn("no longer work", caught.exception.args[0])
        self.env.invalidate_all()
        self.assertEqual(base.type, "percent")

    def test_reviewed_signal_needs_another_administrator(self):
        self.company.credit_rule_review = True
        record = self.Signal.create({"document": signal()})
        with self.assertRaises(UserError):
            record.action_activate()
        record.write({"state": "active", "author_id": self.second.id})
        self.assertEqual((record.state, record.author_id), ("draft", self.administrator))
        record.action_submit()
        with self.assertRaises(UserError):
            record.action_approve()
        record.with_user(self.second).action_approve()
        self.assertEqual((record.state, record.reviewer_id), ("active", self.second))
        with self.assertRaises(UserError):
            record.document = signal(value="100 * amount_overdue_60 / exposure")

    def test_text_changed_in_review_starts_again(self):
        self.company.credit_rule_review = True
        record = self.Signal.create({"document": signal()})
        record.action_submit()
        record.with_user(self.second).document = signal(value="100 * amount_overdue_60 / exposure")
        self.assertEqual((record.state, record.author_id), ("draft", self.second))

    def test_copy_has_a_key_of_its_own(self):
        record = self.Signal.create({"document": signal()})
        self.assertEqual((record.copy() + record.copy()).mapped("key"), ["late_share_copy", "late_share_copy2"])

    def test_form_shows_problems_before_saving(self):
        with self.assertRaises(ValidationError), Form(self.Signal) as form:
            form.document = signal(value="1 +")
            self.assertTrue(form.problems)

    def test_other_roles_only_read(self):
        record = self._activate(signal())
        for user in (self.manager, self.officer):
            record.with_user(user).read(["name", "document", "rule_ids", "review_needed"])
            for attempt in (
                lambda user=user: record.with_user(user).write({"document": signal(label="x")}),
                lambda user=user: record.with_user(user).action_archive_signal(),
                lambda user=user: record.with_user(user).action_set_draft(),
                lambda user=user: self.Signal.with_user(user).create({"document": signal("mine")}),
            ):
                with self.assertRaises(AccessError):
                    attempt()
