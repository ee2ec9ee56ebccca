"""The internal score: which card, how many points, who sees and edits it."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from .common_alert import AlertCommon

CARD = """\
scorecard: %(key)s
label: %(key)s
%(industries)s
coverage: 10
parts:
  - key: behaviour
    label: Payment behaviour
    criteria:
      - key: oldest
        label: Oldest overdue item
        signal: days_overdue_oldest
        bands:
          - {if: <= 10 days, points: 100}
          - {if: any, points: %(points)s}
"""


@tagged("post_install", "-at_install")
class TestScore(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Card = cls.env["credit.insurance.scorecard"]
        cls.buyer = cls._make_buyer()
        cls.industry = cls.env["res.partner.industry"].create({"name": "Lamps"})

    def _card(self, key, points, industries="", **values):
        text = CARD % {"key": key, "points": points, "industries": f"industries: [{industries}]" if industries else ""}
        return self.Card.create({"document": text, **values})

    def _facts(self, keys=None):
        return self.env["credit.insurance.signals"]._get_facts(self.buyer, keys, self.today)[self.buyer.id]

    def test_three_cards_are_shipped_and_pass_the_checker(self):
        cards = self.Card.search([])
        self.assertEqual(set(cards.mapped("key")), {"general", "machinery", "consumer_goods"})
        for card in cards:
            self.assertEqual(
                {part.key for part in self.Card._get_cards(None)[0].parts}, {"financial", "behaviour", "sector"}
            )
            card.document += "\n"

    def test_what_is_shipped_again_leaves_changes_alone(self):
        card = self.Card.search([("key", "=", "general")])
        card.document = card.document.replace("label: General", "label: Ours", 1)
        self.Card._load_cards()
        self.assertEqual((card.name, self.Card.search_count([])), ("Ours", 3))

    def test_shipped_cards_are_read_in_the_language_of_the_reader(self):
        card = self.Card.search([("key", "=", "general")])
        self.env["res.lang"]._activate_lang("fr_FR")
        words = {"General": "Tous secteurs", "Oldest overdue item": "Plus ancien échu"}
        self._make_invoice(100, due_in=-40)
        with patch.dict(code_translations.python_translations, {("credit_insurance", "fr_FR"): words}):
            french = self.buyer.with_context(lang="fr_FR")
            self.assertEqual(card.with_context(lang="fr_FR").display_name, "Tous secteurs")
            self.assertIn("Plus ancien échu", french.score_html)
            self.assertRegex(french.score_html, r"Tous secteurs: .* \(\d+,\d % of it\)")
        self.assertIn("Oldest overdue item", self.buyer.with_context(lang="en_US").score_html)

    def test_the_card_of_the_industry_counts(self):
        self._make_invoice(100, due_in=-40)
        self._card("lamps", 7, "Lamps")
        general = self._facts({"internal_score"}).get("internal_score")
        self.partner.industry_id = self.industry
        facts = self._facts({"internal_score", "score_behaviour"})
        self.assertEqual((facts["internal_score"], facts["score_behaviour"]), (7, 7))
        self.assertNotEqual(general, 7)
        self.assertNotIn("score_financial", facts)

    def test_a_companys_own_card_comes_first(self):
        self._make_invoice(100, due_in=-40)
        self.partner.industry_id = self.industry
        self._card("lamps", 7, "Lamps")
        self._card("lamps", 9, "Lamps", company_id=self.company.id)
        self.assertEqual(self._facts()["internal_score"], 9)
        other = self._make_buyer(company=self.env["res.company"].create({"name": "Other"}))
        facts = self.env["credit.insurance.signals"]._get_facts(other, None, self.today)[other.id]
        self.assertNotEqual(facts.get("internal_score"), 9)

    def test_too_little_known_is_no_score(self):
        self.assertNotIn("internal_score", self._facts())
        self.assertFalse(self.buyer.has_internal_score)

    def test_payment_and_statements_make_the_score(self):
        day = self.today - timedelta(days=100)
        self.env["credit.insurance.statement"].create(
            {
                "buyer_id": self.buyer.id,
                "year_end": day,
                "turnover": 1000,
                "equity": 500,
                "total_assets": 1000,
                "result": 120,
            }
        )
        facts = self._facts()
        self.assertEqual(facts["score_financial"], 100)
        good = facts["internal_score"]
        self._make_invoice(100, due_in=-95)
        self.assertLess(self._facts()["internal_score"], good)

    def test_the_buyer_shows_score_and_breakdown(self):
        self.partner.industry_id = self.industry
        self._card("lamps", 7, "Lamps")
        self._make_invoice(100, due_in=-40)
        buyer = self.buyer.with_user(self.officer)
        self.assertEqual((buyer.has_internal_score, buyer.internal_score), (True, 7.0))
        self.assertIn("Oldest overdue item", buyer.score_html)
        self.assertIn("40 days", buyer.score_html)

    def test_a_rule_may_ask_for_the_score(self):
        self.partner.industry_id = self.industry
        self._card("lamps", 7, "Lamps")
        self._make_invoice(100, due_in=-40)
        self.Rule.create(
            {
                "document": "key: weak_score\nname: Weak\nseverity: warning\nwhen: internal_score < 20\n"
                'message: "{buyer}: {internal_score}"\nreason: test\n',
                "state": "active",
            }
        )
        self.Rule._screen(self.buyer)
        self.assertIn(": 7", self._alerts().message)

    def test_wrong_cards_are_refused_with_their_place(self):
        for wrong, told in (
            (("days_overdue_oldest", "days_overdue_oldst"), "days_overdue_oldest"),
            (("days_overdue_oldest", "internal_score"), "internal_score"),
            (("points: 100", "points: 101"), "100"),
            (("parts:", "partz:"), "Line"),
        ):
            text = CARD % {"key": "x", "points": 1, "industries": ""}
            with self.assertRaisesRegex(ValidationError, told):
                self.Card.create({"document": text.replace(*wrong)})

    def test_copy_of_a_card_has_a_key_of_its_own(self):
        card = self.env["credit.insurance.scorecard"].search([], limit=1)
        self.assertEqual((card.copy() + card.copy()).mapped("key"), [f"{card.key}_copy", f"{card.key}_copy2"])

    def test_only_administrators_edit_cards(self):
        with self.assertRaises(AccessError):
            self.Card.search([], limit=1).with_user(self.manager).write({"sequence": 1})
        self.Card.search([], limit=1).with_user(self.administrator).write({"sequence": 1})
        self.assertTrue(self.Card.with_user(self.officer).search([]))


@tagged("post_install", "-at_install")
class TestScorecardReview(AlertCommon):
    """Where a company wants it, another administrator approves what the internal score is made of."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls._make_second_administrator()
        cls.buyer = cls._make_buyer()
        cls.partner.industry_id = cls.env["res.partner.industry"].create({"name": "Lamps"})
        cls._make_invoice(100, due_in=-40)
        cls.Card = cls.env["credit.insurance.scorecard"].with_user(cls.administrator)
        cls.card = cls.Card.create({"document": cls._text(7), "company_id": cls.company.id})

    @classmethod
    def _text(cls, points, key="lamps"):
        return CARD % {"key": key, "points": points, "industries": "industries: [Lamps]"}

    def _score(self):
        facts = self.env["credit.insurance.signals"]._get_facts(self.buyer, {"internal_score"}, self.today)
        return facts[self.buyer.id].get("internal_score")

    def _require_review(self):
        self.company.credit_rule_review = True
        self.env.invalidate_all()

    def _approve(self, card):
        card.action_submit()
        card.with_user(self.second).action_approve()
        card.action_activate()

    def test_change_counts_at_once_where_no_review_is_needed_and_is_kept(self):
        self.card.working_document = self._text(8)
        self.assertEqual(self._score(), 8)
        versions = self.card.version_ids.sorted("version")
        self.assertEqual(versions.mapped("state"), ["superseded", "active"])
        self.assertEqual(versions.mapped("document"), [self._text(7), self._text(8)])
        self.assertEqual(versions[1].activated_by_id, self.administrator)

    def test_change_is_in_the_chatter_with_who_and_from_what_to_what(self):
        self.env.cr.flush()
        # Tests are set up without tracking.
        self.card.with_context(tracking_disable=False, mail_notrack=False).working_document = self._text(8)
        self.env.cr.flush()
        tracked = self.card.sudo().message_ids
        message = tracked.filtered(lambda row: "document" in row.tracking_value_ids.field_id.mapped("name"))
        told = message.tracking_value_ids.filtered(lambda row: row.field_id.name == "document")
        self.assertEqual(message.author_id, self.administrator.partner_id)
        self.assertEqual((told.old_value_text, told.new_value_text), (self._text(7), self._text(8)))

    def test_change_waits_for_another_administrator(self):
        self._require_review()
        self.card.working_document = self._text(8)
        self.assertEqual((self._score(), self.card.is_proposed), (7, True))
        with self.assertRaisesRegex(UserError, "approve"):
            self.card.action_activate()
        self.card.action_submit()
        with self.assertRaises(UserError):
            self.card.action_approve()
        self.card.with_user(self.second).action_approve()
        self.assertEqual(self._score(), 7, "approved is not yet in force")
        self.card.action_activate()
        self.assertEqual((self._score(), self.card.document), (8, self._text(8)))

    def test_nothing_goes_around_the_review(self):
        self._require_review()
        for vals in (
            {"document": self._text(8)},
            {"active": False},
            {"sequence": 99},
            {"company_id": False},
            {"document": self._text(8), "version": 9},
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                self.card.write(vals)
        with self.assertRaises(UserError):
            self.card.action_archive()
        with self.assertRaises(UserError):
            self.card.unlink()
        defaults = {"default_state": "approved", "default_reviewer_id": self.second.id}
        self.card.with_context(**defaults).working_document = self._text(9)
        with self.assertRaises(UserError):
            self.card.action_activate()
        for model in (self.card.version_ids, self.card.version_ids.with_user(self.manager)):
            with self.assertRaises(UserError):
                model.write({"document": self._text(1)})
        self.assertEqual(self._score(), 7)

    def test_card_does_not_move_to_a_company_that_reviews(self):
        free = self.env["res.company"].create({"name": "Free"})
        self.administrator.company_ids |= free
        card = self.Card.create({"document": self._text(9, "other"), "company_id": free.id})
        self._require_review()
        with self.assertRaises(UserError):
            card.company_id = self.company

    def test_new_card_is_not_in_use_before_its_review(self):
        self._require_review()
        self.card.working_active = False
        self._approve(self.card)
        self.assertNotEqual(self._score(), 7)
        card = self.Card.create({"document": self._text(9, "new"), "company_id": self.company.id})
        self.assertEqual((card.active, card.working_active), (False, True))
        self.assertNotEqual(self._score(), 9)
        self._approve(card)
        self.assertEqual((self._score(), card.active), (9, True))

    def test_change_after_the_approval_needs_another_one(self):
        self._require_review()
        self.card.working_document = self._text(8)
        self.card.action_submit()
        self.card.with_user(self.second).action_approve()
        self.card.working_document = self._text(9)
        with self.assertRaises(UserError):
            self.card.action_activate()
        self.assertEqual(self._score(), 7)

    def test_old_version_is_restored_as_a_new_one(self):
        self.card.working_document = self._text(8)
        self.card.version_ids.filtered(lambda row: row.version == 1).action_restore()
        self.assertEqual((self._score(), self.card.version), (7, 3))

    def test_comparison_names_the_parts_and_the_settings_that_differ(self):
        self._require_review()
        self.card.write({"working_document": self._text(8), "working_sequence": 3})
        action = self.card.action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"]).with_user(self.officer)
        self.assertEqual((wizard.left_id.version, wizard.right_id.version), (1, 2))
        rows = wizard._get_rows(wizard.left_id.document, wizard.right_id.document)
        self.assertEqual([row["name"] for row in rows], ["parts: behaviour"])
        self.assertIn("points: 7", rows[0]["before"])
        self.assertIn("points: 8", rows[0]["after"])
        self.assertEqual([(row["before"], row["after"]) for row in wizard._get_setting_rows()], [("10", "3")])
        self.assertIn("points: 8", wizard.lines_html)

    def test_version_in_force_is_compared_with_the_one_before(self):
        self.card.working_document = self._text(8)
        action = self.card.version_ids.filtered(lambda row: row.state == "active").action_compare()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((wizard.left_id.version, wizard.right_id.version), (1, 2))

    def test_comparison_shows_no_card_of_another_company(self):
        foreign = self.env["res.company"].create({"name": "Elsewhere"})
        card = self.env["credit.insurance.scorecard"].create(
            {"document": self._text(8, "elsewhere"), "company_id": foreign.id}
        )
        compare = self.env["credit.insurance.scorecard.compare"].with_user(self.administrator)
        wizard = compare.create({"right_id": card.version_ids.id})
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            wizard.read(["fields_html"])

    def test_proposal_with_problems_is_refused(self):
        self._require_review()
        with self.assertRaises(ValidationError):
            self.card.working_document = self._text(7).replace("days_overdue_oldest", "days_overdue_oldst")
