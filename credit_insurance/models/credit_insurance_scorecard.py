from dataclasses import replace
from pathlib import Path

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from odoo.addons.credit_insurance import rules
from odoo.addons.credit_insurance.rules.risk import DocumentError, scoring

from . import cached_records  # noqa: F401 (has to be loaded first)
from .marked_words import tell_card
from .rule_document import copy_key, own_place, split_fields

SCORE_KEYS = frozenset({"internal_score", "score_financial", "score_behaviour", "score_sector"})
CARDS = Path(rules.__file__).parent / "risk" / "scorecards"
NEW_CARD = """\
scorecard: my_card
label: My industry
industries: [My industry]
coverage: 30
parts:
  - key: behaviour
    label: Payment behaviour
    weight: 60
    criteria:
      - key: delay
        label: Average days late, 12 months
        signal: days_late_12m
        bands:
          - {if: <= 5 days, points: 100}
          - {if: <= 30 days, points: 50}
          - {if: any, points: 0}
  - key: financial
    label: Financial statements
    weight: 40
    criteria:
      - key: equity
        label: Equity ratio
        signal: equity_ratio
        bands:
          - {if: < 10 %, points: 0}
          - {if: any, points: 100}
"""


def card_texts(text):
    """``{field: its lines}`` of a scorecard as a program writes it, its parts one by one."""
    try:
        card = scoring.load_scorecard(text)
    except DocumentError:
        return split_fields(text)

    def texts_of(*parts):
        return split_fields(scoring.dump_scorecard(replace(card, parts=parts)))

    found = texts_of()
    del found["parts"]
    return found | {f"parts: {part.key}": texts_of(part)["parts"] for part in card.parts}


class CreditInsuranceScorecard(models.Model):
    """How the internal score of an industry's buyers is made: a text that administrators own, checked when saved.

    A company's own cards come before those of all companies, and within them the first of the buyer's industry, then
    the first without industries.
    """

    _name = "credit.insurance.scorecard"
    _description = "Scorecard"
    _inherit = ["mail.thread", "credit.insurance.cached"]
    _order = "company_id, sequence, key"

    document = fields.Text(string="Scorecard", required=True, default=NEW_CARD, tracking=True)
    key = fields.Char(readonly=True)
    name = fields.Char(readonly=True)
    industries = fields.Char(readonly=True, help="Empty: every industry without a card of its own.")
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", domain="[('parent_id', '=', False)]", help="Empty: every company."
    )  # fmt: skip
    active = fields.Boolean(default=True, tracking=True)

    _key_uniq = models.UniqueIndex("(key, company_id) NULLS NOT DISTINCT", "Another scorecard has this key already.")

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """The name in the reader's language where it is a shipped one; the text itself stays as it is written."""
        for card in self:
            card.display_name = tell_card(self.env, card.name)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals |= self._prepare_document_vals(vals.get("document") or NEW_CARD)
        return super().create(vals_list)

    def write(self, vals):
        vals = {name: value for name, value in vals.items() if name not in ("key", "name", "industries")}
        if "document" in vals:
            vals |= self._prepare_document_vals(vals["document"])
        result = super().write(vals)
        if vals.get("active") and (broken := self & self._get_unusable()):
            raise ValidationError(
                self.env._("“%s” needs a signal that is missing: change its text first.", broken[0].name)
            )
        return result

    def copy_data(self, default=None):
        """A copy has a key of its own."""
        vals_list = super().copy_data(default)
        for record, vals in zip(self, vals_list, strict=True):
            vals["document"] = record.document.replace(f"scorecard: {record.key}", f"scorecard: {copy_key(record)}", 1)
        return vals_list

    @api.model
    def _prepare_document_vals(self, text):
        """What the record repeats of a text.

        :raise ValidationError: the text is not an acceptable scorecard; one line for each problem
        """
        try:
            card = scoring.load_scorecard(text)
        except DocumentError as error:
            raise ValidationError(self._describe(error.problems)) from error
        if problems := self._check_card(card):
            raise ValidationError(self._describe(problems))
        return {
            "document": text,
            "key": card.key,
            "name": card.label,
            "industries": ", ".join(card.industries) or False,
        }

    @api.model
    def _check_card(self, card):
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        excluded = SCORE_KEYS | {item.key for item in catalogue.derived if catalogue.sources([item.key]) & SCORE_KEYS}
        return scoring.check_scorecard(card, catalogue, excluded)

    @api.model
    def _get_unusable(self):
        """The scorecards in use that the signals of now no longer carry."""
        cards = self.sudo().search([])  # pylint: disable=no-search-all
        return cards.filtered(lambda record: self._check_card(scoring.load_scorecard(record.document)))

    @api.model
    def _describe(self, problems):
        return self.env["credit.insurance.rule"]._describe([own_place(problem) for problem in problems])

    @api.model
    @tools.ormcache()
    def _get_all_cards(self):
        """``[(company_id or None, Scorecard)]`` of the active records in their order; parsed once.

        A card that an update of the signals made unusable is left out.
        """
        records = self.sudo().search([])  # pylint: disable=no-search-all
        records -= self._get_unusable()
        return tuple((record.company_id.id or None, scoring.load_scorecard(record.document)) for record in records)

    @api.model
    def _get_cards(self, company_id):
        """The cards of a root company, its own first."""
        cards = self._get_all_cards()
        own = [card for owner, card in cards if owner and owner == company_id]
        return [*own, *(card for owner, card in cards if owner is None)]

    @api.model
    def _load_cards(self):
        """Create the shipped cards that do not exist yet; what administrators changed stays as it is."""
        shared = self.sudo().with_context(active_test=False).search([("company_id", "=", False)])
        known = set(shared.mapped("key"))
        for path in sorted(CARDS.glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if scoring.load_scorecard(text).key not in known:
                self.create({"document": text})
