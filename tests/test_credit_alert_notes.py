"""What alerts and actions say of themselves is told each reader in the own language; people's words stay theirs."""

import runpy
from pathlib import Path

from odoo.tests import tagged

from .test_credit_alert_states import FindingsCommon


@tagged("post_install", "-at_install")
class TestAlertNotes(FindingsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")

    def _in_french(self, record):
        return record.with_context(lang="fr_FR")

    def _act(self, *actions):
        alert = self._record(self._found(actions=actions))
        return alert, alert.task_ids

    def test_what_was_done_is_told_each_reader_in_the_own_language(self):
        _alert, task = self._act("watch_buyer")
        self.assertEqual(task.note, "The buyer is on watch.")
        self.assertEqual(self._in_french(task).note, "L'acheteur est sous surveillance.")

    def test_what_became_of_it_and_why_it_ended_as_well(self):
        alert, task = self._act("watch_buyer")
        self._record()
        self.assertEqual(
            (alert.closing_note, task.ended_note), ("The condition no longer holds.", "The watch was taken back.")
        )
        self.assertEqual(self._in_french(alert).closing_note, "La condition n'est plus remplie.")
        self.assertEqual(self._in_french(task).ended_note, "La mise sous surveillance a été levée.")

    def test_figures_and_names_stand_in_the_sentence_of_the_readers_language(self):
        self._make_buyer(limit=1000)
        self.rule.limit_percent = 40
        _alert, task = self._act("reduce_own_limit")
        self.assertRegex(task.note, r"reduced from .*1,000\.00 to .*400\.00")
        self.assertRegex(self._in_french(task).note, r"réduit de .*1,000\.00 à .*400\.00")

    def test_what_somebody_wrote_stays_as_it_is(self):
        alert, _task = self._act("notify")
        alert.with_user(self.manager)._dismiss("accepted", "The condition no longer holds.")
        self.assertEqual(self._in_french(alert).closing_note, "The condition no longer holds.")

    def test_alert_that_is_raised_again_says_nothing_of_its_end(self):
        _alert, task = self._act("watch_buyer")
        self._record(self._found(actions=["notify"]))
        self.assertEqual(task.ended_note, "The rule no longer asks for it.")
        self._record(self._found(actions=["watch_buyer"]))
        self.assertFalse(task.ended_note)

    def test_what_is_prepared_for_all_who_work_there_is_in_their_companys_language(self):
        self._make_invoice(300, due_in=-80)
        self.company.partner_id.lang = "fr_FR"
        _alert, task = self._act("prepare_notification")
        self.assertRegex(task.text, r"Numéro d'immatriculation|jours de retard")
        self.assertIn("300,00", task.text)

    def test_why_it_ended_is_logged_in_the_companys_language(self):
        alert, _task = self._act("notify")
        self.company.partner_id.lang = "fr_FR"
        self._record()
        self.assertIn("La condition n'est plus remplie.", alert.message_ids[0].body.unescape())

    def test_what_earlier_versions_wrote_stays(self):
        """As texts, which the notes of then were."""
        alert, task = self._act("watch_buyer")
        self.env.flush_all()
        self.cr.execute(
            """
            ALTER TABLE credit_insurance_action_task DROP COLUMN note_words, DROP COLUMN ended_words,
              ADD COLUMN note text, ADD COLUMN ended_note text;
            ALTER TABLE credit_insurance_alert DROP COLUMN closing_words, ADD COLUMN closing_note text;
            UPDATE credit_insurance_action_task SET note = 'He said "100 %%" – done' WHERE id = %s;
            UPDATE credit_insurance_alert SET closing_note = 'over' WHERE id = %s
            """,
            [task.id, alert.id],
        )
        script = Path(__file__).parents[1] / "migrations" / "19.0.1.3.0" / "pre-alert-notes.py"
        runpy.run_path(str(script))["migrate"](self.cr, "19.0.1.2.0")
        self.env.invalidate_all()
        self.assertEqual((task.note, task.ended_note), ('He said "100 %" – done', False))
        self.assertEqual(alert.closing_note, "over")
