"""Rules, what the checker says of them, and their alerts speak the language of whoever reads; texts stay as written."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools.translate import code_translations

from odoo.addons.credit_insurance.rules.risk import DEFAULT_CATALOGUE

from .common_alert import STORY, AlertCommon

FRENCH = "fr_FR"
ADDON = "credit_insurance"


@tagged("post_install", "-at_install")
class TestRuleLanguage(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang(FRENCH)
        cls.buyer = cls._make_late_buyer()
        cls.rule = cls.env.ref(STORY)
        cls.rule.action_activate()
        cls.french = cls.Rule.with_context(lang=FRENCH).with_user(cls.administrator)

    def _translate(self, **more):
        """Let these be the French of some terms, beside what the files say."""
        known = dict(code_translations.get_python_translations(ADDON, FRENCH))
        places = {(ADDON, FRENCH): {**known, **more}}
        self.startPatcher(patch.dict(code_translations.python_translations, places))

    def _translate_rule(self):
        parsed = self._parsed()
        self._translate(
            **{
                parsed.name: "Note en baisse et retard",
                parsed.message: "{buyer} : {risk_class_worsened} classes de moins, {amount_overdue_30} en retard",
                parsed.reason: "Pourquoi",
            }
        )

    def _parsed(self):
        return self.Rule._check_text(self.rule.document)[0]

    # === THE EDITOR === #

    def test_french_reader_sees_french_signals_in_the_rule_editor(self):
        terms = code_translations.get_python_translations(ADDON, FRENCH)
        shown = {signal["key"]: signal["label"] for signal in self.french.rule_editor_setup()["signals"]["order"]}
        for signal in DEFAULT_CATALOGUE:
            if signal.key in shown:
                self.assertEqual(shown[signal.key], terms[signal.label], signal.key)
        self.assertEqual(shown["days_overdue_oldest"], "Retard le plus ancien")
        trial = self.french.rule_editor_try("key: a\nname: A\nwhen: days_overdue_oldest > 5 days\n", self.buyer.id)
        self.assertEqual(trial["signals"][0]["label"], "Retard le plus ancien")

    def test_checker_speaks_the_language_of_the_reader(self):
        self._translate(
            **{
                "there is no signal %(key)r": "il n'y a pas de signal %(key)r",
                "did you mean '%(word)s'?": "vouliez-vous dire « %(word)s » ?",
                "expected %(expected)s instead of %(found)s": "%(expected)s attendu au lieu de %(found)s",
                "the end of the line": "fin de ligne",
                "a signal": "un signal",
            }
        )
        text = "key: a\nname: A\nwhen: exposur > 5\n"
        [problem] = self.french.rule_editor_text(text)["problems"]
        self.assertEqual(problem["message"], "il n'y a pas de signal 'exposur'")
        self.assertEqual(problem["suggestion"], "vouliez-vous dire « exposure » ?")
        [problem] = self.Rule.rule_editor_text(text)["problems"]
        self.assertEqual(problem["message"], "there is no signal 'exposur'")
        [problem] = self.french.rule_editor_text("key: a\nname: A\nwhen: '> 5'\n")["problems"]
        self.assertEqual(problem["message"], "un signal attendu au lieu de '>'", "also what is filled in")

    # === SHIPPED RULES AND THEIR ALERTS === #

    def test_alert_of_a_shipped_rule_is_read_in_the_language_of_the_reader(self):
        self._translate_rule()
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertIn("is more than 30 days overdue", alert.message, "as it was recorded")
        self.assertIn("is more than 30 days overdue", alert.told)
        told = alert.with_context(lang=FRENCH).told
        self.assertIn("2 classes de moins", told)
        self.assertIn(self.partner.name, told)
        self.assertIn("Note en baisse et retard", alert.with_context(lang=FRENCH).display_name)
        self.assertEqual(alert.with_context(lang=FRENCH).rule_reason, "Pourquoi")

    def test_amount_in_an_alert_has_its_currency_in_every_language(self):
        self._translate_rule()
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        owed = float(alert.values_now["amount_overdue_30"])
        for lang in ("en_US", FRENCH):
            reader = alert.with_context(lang=lang)
            self.assertIn(reader.currency_id.format(owed), reader.told, lang)

    def test_text_that_an_administrator_changed_is_shown_as_it_is_written(self):
        self._translate_rule()
        parsed = self._parsed()
        self.rule.document = self.rule.document.replace("classes worse in 90 days", "classes down").replace(
            parsed.name, "Our own name"
        )
        self.Rule._screen(self.buyer)
        alert = self._alerts().with_context(lang=FRENCH)
        self.assertIn("classes down", alert.told)
        self.assertIn("Our own name", alert.display_name)

    def test_activity_and_notice_are_in_the_language_of_who_gets_them(self):
        self._translate_rule()
        responsible = self.company.credit_responsible_id
        responsible.lang = FRENCH
        self.Rule._screen(self.buyer)
        alert = self._alerts()
        self.assertEqual(alert.activity_ids.user_id, responsible)
        self.assertIn("classes de moins", alert.activity_ids.summary)
        notice = self.env["mail.message"].search(
            [("partner_ids", "in", responsible.partner_id.ids), ("message_type", "=", "user_notification")]
        )
        self.assertTrue(any("classes de moins" in body for body in notice.mapped("body")), notice.mapped("body"))
        self.assertTrue(any("classes de moins" in body for body in self.buyer.message_ids.mapped("body")))

    def test_rule_is_called_in_the_language_of_the_reader_and_its_text_stays_as_written(self):
        self._translate_rule()
        rule = self.rule.with_context(lang=FRENCH)
        self.assertEqual(rule.display_name, "Note en baisse et retard")
        self.assertEqual((rule.name, rule.document), (self.rule.name, self.rule.document))

    def test_text_of_an_administrator_that_the_addon_says_too_is_shown_as_it_is_written(self):
        self._translate(Held="Bloqué", Buyer="Acheteur", Draft="Brouillon", Exposure="Encours")
        text = "key: own\nname: Held\nseverity: high\nwhen: amount_overdue_30 > 0\nmessage: Buyer\nreason: Draft\n"
        rule = self.Rule.create({"document": text, "state": "active"}).with_context(lang=FRENCH)
        self.assertEqual(rule.display_name, "Held")
        self.assertEqual(self.french.rule_editor_try(text, self.buyer.id)["message"], "Buyer")
        self.Rule._screen(self.buyer)
        alert = self._alerts().filtered(lambda alert: alert.rule_id == rule).with_context(lang=FRENCH)
        self.assertEqual((alert.told, alert.rule_reason), ("Buyer", "Draft"))
        run = self.env["credit.insurance.dry.run"].with_context(lang=FRENCH).create({"rule_id": rule.id})
        self.assertIn("Held", run.display_name)

    def test_signal_of_an_administrator_is_called_as_he_wrote_it(self):
        self._translate(Held="Bloqué")
        self.addCleanup(self.registry.clear_cache)
        text = "key: own_signal\nlabel: Held\ntype: money\nvalue: exposure\nhelp: Held\n"
        self.env["credit.insurance.signal"].create({"document": text}).action_activate()
        rule = "key: own\nname: Own\nwhen: own_signal > 0\n"
        [shown] = [
            signal for signal in self.french.rule_editor_setup()["signals"]["buyer"] if signal["key"] == "own_signal"
        ]
        self.assertEqual((shown["label"], shown["help"]), ("Held", "Held"))
        self.assertEqual(self.french.rule_editor_try(rule, self.buyer.id)["signals"][0]["label"], "Held")
        self.Rule.create({"document": rule, "state": "active"})
        self.Rule._screen(self.buyer)
        alert = self._alerts().filtered(lambda alert: alert.rule_id.key == "own").with_context(lang=FRENCH)
        self.assertEqual([row["label"] for row in alert._get_trace_rows()], ["Held"])

    def test_hold_names_the_rule_in_the_language_of_the_reader(self):
        self._translate_rule()
        self.rule.write({"holds_orders": True})
        self.Rule._screen(self.buyer)
        order = self._make_order(100)
        order.with_user(self.rep).action_confirm()
        hold = order.credit_hold_id.with_context(lang=FRENCH)
        self.assertIn("Note en baisse et retard", hold.reasons_text)
        self.assertIn(self.rule.name, order.credit_hold_id.with_context(lang="en_US").reasons_text)
