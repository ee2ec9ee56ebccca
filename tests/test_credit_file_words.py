import ast
import base64
from pathlib import Path
from unittest.mock import patch

from babel.messages.extract import extract

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from odoo.addons.credit_insurance import connectors
from odoo.addons.credit_insurance.connectors.files import FileForm, write_answers

from .test_credit_file_import import FileImportCommon

FRENCH = {
    "The file could not be read: %s": "Le fichier n'a pas pu être lu : %s",
    "The file says nothing that could be read. %s": "Le fichier ne dit rien qui ait pu être lu. %s",
    "The file says nothing about %(name)s. %(why)s": "Le fichier ne dit rien de %(name)s. %(why)s",
    "%(place)s: %(words)s": "%(place)s : %(words)s",
    "line %(line)s": "ligne %(line)s",
    "a PDF is not read": "un PDF n'est pas lu",
    "this column is there twice": "cette colonne est là deux fois",
    "expected %(expected)s, got %(got)s": "attendu : %(expected)s, lu : %(got)s",
    "a number": "un nombre",
    "Element '%(element)s': '%(value)s' is not a valid value of the atomic type '%(type)s'.": (
        "Élément « %(element)s » : « %(value)s » n'est pas une valeur du type « %(type)s »."
    ),
    "RECECO has no place for it: take another form": "RECECO n'a pas de place pour cela : prenez une autre forme",
    "the character %(character)s is not accepted": "le caractère %(character)s n'est pas accepté",
    "%(name)s must not be empty": "%(name)s ne doit pas être vide",
}


@tagged("post_install", "-at_install")
class TestFileWords(FileImportCommon):
    """What is wrong with a file is said in the language of the user who reads it, or has it made."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        french = {("credit_insurance", "fr_FR"): FRENCH}
        cls.startClassPatcher(patch.dict(code_translations.python_translations, french))

    def _refused(self, content, lang="fr_FR"):
        with self.assertRaises(UserError) as caught:
            self._import([], content=content, lang=lang)
        return str(caught.exception)

    def _garbled(self, form=FileForm.CSV):
        return write_answers([self._cover()], form).content.replace(b"2500", b"plenty")

    def _half_garbled(self):
        other = write_answers([self._cover(cover_id="C-9")], FileForm.CSV).content.splitlines()[-1]
        return b"\r\n".join([*self._garbled().splitlines(), other])

    def test_a_file_that_is_not_read_is_refused_in_the_users_language(self):
        self.assertEqual(self._refused(b"%PDF-1.4"), "Le fichier n'a pas pu être lu : un PDF n'est pas lu")
        self.assertEqual(self._refused(b"%PDF-1.4", "en_US"), "The file could not be read: a PDF is not read")

    def test_the_place_of_what_is_wrong_is_told_in_the_users_language(self):
        content = self._garbled().replace(b",cover_id", b",amount")
        refusal = "Le fichier n'a pas pu être lu : ligne 1, amount : cette colonne est là deux fois"
        self.assertEqual(self._refused(content), refusal)

    def test_what_is_wrong_in_a_line_is_told_as_a_sentence(self):
        problem = "line 2, amount: expected a number, got 'plenty'"
        refusal = f"The file says nothing that could be read. {problem}"
        self.assertEqual(self._refused(self._garbled(), "en_US"), refusal)
        self.assertEqual(self._import([], content=self._half_garbled()).problem, problem)

    def test_what_is_wrong_in_a_line_is_told_and_kept_in_the_users_language(self):
        problem = "ligne 2, amount : attendu : un nombre, lu : 'plenty'"
        self.assertEqual(self._refused(self._garbled()), f"Le fichier ne dit rien qui ait pu être lu. {problem}")
        self.assertEqual(self._import([], content=self._half_garbled(), lang="fr_FR").problem, problem)

    def test_what_does_not_follow_the_schema_is_told_in_the_users_language(self):
        told = self._refused(self._garbled(FileForm.XML))
        self.assertIn("amount : Élément « amount » : « plenty » n'est pas une valeur du type « amount ».", told)

    def test_a_file_with_an_answer_is_refused_in_the_users_language(self):
        requests = self.env["credit.insurance.cover.request"].with_user(self.officer)
        request = requests.create(
            {"buyer_id": self.buyer.id, "policy_id": self.policy.id, "kind": "increase", "amount": 5000.0}
        )
        request.action_mark_sent()
        action = request.action_enter_answer()
        wizards = self.env["credit.insurance.submission.answer"].with_user(self.officer)
        wizards = wizards.with_context(**action["context"], lang="fr_FR")
        for content, refusal in (
            (b"%PDF-1.4", "Le fichier n'a pas pu être lu : un PDF n'est pas lu"),
            (
                self._garbled(),
                f"Le fichier ne dit rien de {request.name}. ligne 2, amount : attendu : un nombre, lu : 'plenty'",
            ),
        ):
            vals = {"way": "file", "file": base64.b64encode(content), "filename": "answer"}
            with self.assertRaises(UserError) as caught:
                wizards.create(vals).action_apply()
            self.assertEqual(str(caught.exception), refusal)

    def test_what_a_file_cannot_hold_is_told_in_the_users_language(self):
        self.account.sudo().write({"edifact_sender": "US", "edifact_recipient": "THEM"})
        requests = self.env["credit.insurance.cover.request"].with_user(self.officer)
        vals = {"buyer_id": self.buyer.id, "policy_id": self.policy.id, "kind": "increase", "amount": 5000.0}
        request = requests.create({**vals, "urgent": True})
        request.action_prepare_files()
        with self.assertRaises(UserError) as caught:
            request.with_context(lang="fr_FR").action_export_edifact()
        self.assertEqual(str(caught.exception), f"urgent : {FRENCH['RECECO has no place for it: take another form']}")
        self.policy.sudo().number = " "
        with self.assertRaises(UserError) as caught:
            request.with_context(lang="fr_FR").action_export_csv()
        self.assertEqual(str(caught.exception), "policy_number ne doit pas être vide")

    def test_a_buyer_that_cannot_be_asked_for_in_a_file_is_told_in_the_users_language(self):
        partner = self.env["res.partner"].create(
            {"name": "Beta\x01", "is_company": True, "country_id": self.env.ref("base.de").id}
        )
        self._make_buyer(partner=partner)
        account = self.account.with_user(self.manager).with_context(lang="fr_FR")
        with self.assertRaises(UserError) as caught:
            account.action_match_buyers()
        self.assertEqual(str(caught.exception), "name : le caractère U+0001 n'est pas accepté")

    def test_translators_find_every_text_of_the_connectors(self):
        """Odoo takes literals only: a text that is put together would never reach the translators."""
        marked, found = set(), set()
        for path in Path(connectors.__file__).parent.rglob("*.py"):
            source = path.read_bytes()
            marked |= {node.args[0].value for node in ast.walk(ast.parse(source)) if _marks(node)}
            with path.open("rb") as file:
                found |= {each[1] for each in extract("odoo.tools.babel:extract_python", file, keywords={"_": None})}
        self.assertIn("a PDF is not read", found)
        self.assertEqual(marked, found)


def _marks(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
