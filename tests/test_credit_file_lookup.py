import base64
from decimal import Decimal

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors import Cover, CoverStatus
from odoo.addons.credit_insurance.connectors.files import FileForm, FoundBuyer, read_exported, write_answers

from .claim_common import ClaimCommon


@tagged("post_install", "-at_install")
class TestFileLookup(ClaimCommon):
    """The insurer's numbers asked for by file: what goes out, and what of the answer is linked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.connector = "file"
        cls.germany = cls.env.ref("base.de")
        partner = cls.env["res.partner"].create(
            {"name": "Beta GmbH", "is_company": True, "country_id": cls.germany.id, "company_registry": "HRB 4711"}
        )
        cls.beta = cls._make_buyer(partner=partner)
        cls.reference = f"BUYER-{cls.company.id}-{cls.beta.id}"

    def _find(self, **values):
        told = {"buyer_id": "B-77", "name": "Beta GmbH", "country": "DE", "score": 90, "reference": self.reference}
        return FoundBuyer(**{**told, **values})

    def _import(self, *answers):
        file = write_answers(answers, FileForm.CSV)
        vals = {"account_id": self.account.id, "file": base64.b64encode(file.content), "filename": file.name}
        action = self.env["credit.insurance.file.import"].with_user(self.manager).create(vals).action_import()
        return self.env["credit.insurance.pull"].browse(action["res_id"])

    def _numbers(self):
        return self.beta.link_ids.mapped("external_id")

    def test_buyers_without_a_number_go_into_a_workbook(self):
        action = self.account.with_user(self.manager).action_match_buyers()
        attachment = self.env["ir.attachment"].browse(int(action["url"].split("/")[3].split("?")[0]))
        asked, problems = read_exported(attachment.raw, attachment.name)
        references = [lookup.reference for lookup in asked]
        self.assertIn(self.reference, references)
        self.assertNotIn(f"BUYER-{self.company.id}-{self.buyer.id}", references)
        self.assertFalse(problems)

    def test_nothing_is_asked_when_everybody_has_a_number(self):
        self._import(self._find(registration_number="HRB 4711"))
        with self.assertRaisesRegex(UserError, "has a number"):
            self.env["credit.insurance.buyer.link"]._export_lookups(self.account)

    def test_the_same_number_is_linked(self):
        pull = self._import(self._find(registration_number="HRB 4711"), self._find(buyer_id="B-78", name="Beta AG"))
        self.assertEqual(self._numbers(), ["B-77"])
        self.assertFalse(pull.problem)

    def test_a_name_alone_is_left_to_a_person_who_is_told_the_candidates(self):
        pull = self._import(self._find(), self._find(buyer_id="B-78", name="Beta Holding"))
        self.assertFalse(self._numbers())
        self.assertIn("B-77 Beta GmbH, B-78 Beta Holding", pull.problem)

    def test_a_number_that_another_buyer_has_is_not_given_twice(self):
        pull = self._import(self._find(buyer_id="B-1", registration_number="HRB 4711"))
        self.assertFalse(self._numbers())
        self.assertIn("B-1", pull.problem)

    def test_strange_references_link_nobody(self):
        other = self._create_company(name="Other Ltd")
        for reference in ("BUYER-1", f"BUYER-{other.id}-{self.beta.id}", "BUYER-99999999-1", "CLAIM/1", "BUYER-1-²"):
            with self.subTest(reference):
                pull = self._import(self._find(reference=reference, registration_number="HRB 4711"))
                self.assertFalse(self._numbers())
                self.assertIn("B-77", pull.problem)

    def test_covers_of_the_same_file_reach_the_buyer_it_links(self):
        cover = Cover(
            cover_id="C-77", buyer_id="B-77", policy_number="POL-1", status=CoverStatus.APPROVED, raw_code="OK",
            currency=self.company_currency.name, amount=Decimal("800"), effective_from=self.today,
        )  # fmt: skip
        self._import(cover, self._find(registration_number="HRB 4711"))
        self.assertEqual((self.beta.link_ids.matched_by, self.beta.cover_amount), ("number", 800.0))

    def test_others_than_credit_managers_do_not_ask(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.officer).action_match_buyers()
