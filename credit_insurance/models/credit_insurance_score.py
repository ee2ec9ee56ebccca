"""The internal score among the signals, and on the buyer beside the insurer's grade."""

from odoo import api, fields, models
from odoo.tools import formatLang

from odoo.addons.credit_insurance.rules.risk import scoring

from . import credit_insurance_signals, credit_insurance_signals_limits  # noqa: F401 (have to be loaded first)
from .credit_insurance_scorecard import SCORE_KEYS
from .marked_words import tell_card
from .rule_trace import format_fact, to_json

PARTS = ("financial", "behaviour", "sector")


class CreditInsuranceSignals(models.AbstractModel):
    _inherit = "credit.insurance.signals"

    @api.model
    def _get_facts(self, buyers, keys=None, today=None, as_of=False):
        if keys is not None:
            keys = set(keys)
            if keys - credit_insurance_signals.KNOWN_KEYS - SCORE_KEYS:
                keys |= self._get_catalogue().sources(keys)
        scored = SCORE_KEYS if keys is None else SCORE_KEYS & keys
        if not scored or not buyers:
            return super()._get_facts(buyers, keys, today, as_of)
        cards = self.env["credit.insurance.scorecard"]._get_all_cards()
        needed = (
            None if keys is None else (keys - SCORE_KEYS).union({"industry"}, *(card.signals for _c, card in cards))
        )
        today = today or buyers.sudo().company_id[:1]._credit_today()
        facts = super()._get_facts(buyers, needed, today, as_of)
        for buyer_id, score in self._get_scores(buyers, facts, today).items():
            values = {f"score_{part}": score.part(part) for part in PARTS} | {"internal_score": score.value}
            facts[buyer_id].update((key, value) for key, value in values.items() if value is not None)
        return facts

    @api.model
    def _get_scores(self, buyers, facts, today):
        """The score of each buyer that has a card, with its breakdown: ``{buyer_id: rules.risk.scoring.Score}``."""
        catalogue, cards = self._get_catalogue(), self.env["credit.insurance.scorecard"]
        if not cards._get_all_cards():
            return {}
        by_company = {}
        if any(owner for owner, _card in cards._get_all_cards()):
            companies = {buyer.id: buyer.company_id.id for buyer in buyers.sudo()}
        else:
            companies = dict.fromkeys(facts)
        result = {}
        for buyer_id, values in facts.items():
            company_id = companies[buyer_id]
            if company_id not in by_company:
                by_company[company_id] = cards._get_cards(company_id)
            if card := scoring.card_for(values.get("industry"), by_company[company_id]):
                result[buyer_id] = scoring.score(values, card, today, catalogue)
        return result


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    internal_score = fields.Float(
        digits=(4, 1), compute="_compute_internal_score", help="Our own points from 0 (worst) to 100."
    )
    has_internal_score = fields.Boolean(compute="_compute_internal_score")
    score_html = fields.Html(string="Breakdown of the Score", compute="_compute_internal_score", sanitize=False)

    @api.depends("partner_id.industry_id", "statement_ids", "event_ids", "cover_ids")
    @api.depends_context("lang")
    def _compute_internal_score(self):
        for company, buyers in self.grouped("company_id").items():
            scores = buyers._get_scores() if company and all(isinstance(buyer.id, int) for buyer in buyers) else {}
            for buyer in buyers:
                score = scores.get(buyer.id)
                buyer.has_internal_score = bool(score and score.value is not None)
                buyer.internal_score = float(score.value) if buyer.has_internal_score else 0.0
                buyer.score_html = buyer._render_score(score) if score else False

    def _get_scores(self):
        """Scores with their breakdowns of buyers of one company, today."""
        signals, today = self.env["credit.insurance.signals"].sudo(), self.company_id._credit_today()
        cards = self.env["credit.insurance.scorecard"].sudo()._get_cards(self.company_id.id)
        keys = {"industry"}.union(*(card.signals for card in cards))
        return signals._get_scores(self, signals._get_facts(self, keys, today), today)

    def _render_score(self, score):
        self.ensure_one()
        return self.env["ir.qweb"]._render(
            "credit_insurance.credit_insurance_score_breakdown",
            {
                "label": tell_card(self.env, score.card.label),
                "value": None if score.value is None else formatLang(self.env, float(score.value), digits=1),
                "coverage": formatLang(self.env, float(score.coverage), digits=1),
                "parts": [self._prepare_part(part) for part in score.parts],
            },
        )

    def _prepare_part(self, part):
        """The words of a shipped card in the reader's language; those that administrators wrote as they are."""
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        currency = self.company_id.currency_id
        rows = []
        for each in part.criteria:
            signal = catalogue[each.criterion.signal]
            rows.append(
                {
                    "label": tell_card(self.env, each.criterion.label),
                    "reason": tell_card(self.env, each.criterion.reason),
                    "value": format_fact(self.env, to_json(each.value), signal.type.value, currency, signal.unit),
                    "points": None if each.points is None else f"{each.points:.0f}",
                    "contribution": formatLang(self.env, float(each.contribution), digits=1),
                    "share": f"{each.share:.0f}",
                }
            )
        return {
            "label": tell_card(self.env, part.part.label),
            "value": None if part.value is None else f"{part.value:.0f}",
            "share": f"{part.share:.0f}",
            "rows": rows,
        }
