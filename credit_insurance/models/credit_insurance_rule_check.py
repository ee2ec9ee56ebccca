"""How existing rules stand: by themselves, to each other, and after an update that changes the signals."""

import logging

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import plaintext2html

from odoo.addons.credit_insurance.rules.risk import EngineError, EngineRefused, check

from .marked_words import tell
from .rule_document import RULE_PATH

_logger = logging.getLogger(__name__)


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    @api.model
    def _flag_broken(self):
        """Check every rule again, with the examples kept in its text, and mark those that no longer pass.

        Run after each update and daily. A rule that fails is told on itself and does not stop the update.
        """
        for rule in self.sudo().search([("state", "!=", "archived")]):
            _parsed, problems = rule._check_stored()
            if bool(problems) == rule.is_broken:
                continue
            rule._write_text_vals({"is_broken": bool(problems)})
            if problems:
                text = rule._describe(problems)
                _logger.warning("Risk rule %s no longer passes the checker:\n%s", rule.key, text)
                body = self.env._("This rule no longer passes the checker and raises no alerts:\n%s", text)
                rule.message_post(body=plaintext2html(body))

    def _check_stored(self):
        """As :meth:`_check_text` for the text in force, whose companies may have other names by now: they are kept."""
        self.ensure_one()
        rule, problems = self._check_text(self.document, self.key)
        if self.with_context(active_test=False).company_ids:
            problems = tuple(problem for problem in problems if problem.code != "unknown_company")
        return rule, problems

    @api.model
    def _check_active_together(self):
        """Check and load the rules that are active at the same time, as screening will.

        :raise ValidationError: they repeat each other, or the engine answers its samples wrongly
        """
        pack, _unusable = self.sudo()._get_active_pack()
        self._check_pack(pack)

    @api.model
    def _check_pack(self, pack):
        """:raise ValidationError: the rules repeat each other, or the engine answers its samples wrongly"""
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        if problems := check(pack, catalogue):
            keys = [problem.path.removeprefix(RULE_PATH).partition(".")[0] for problem in problems]
            told = [f"{tell(self.env, problem.message)}{self._describe_hint(problem)}" for problem in problems]
            lines = [f"{key}: {text}" for key, text in zip(keys, told, strict=True)]
            raise ValidationError("\n".join(lines))
        try:
            self.env["credit.insurance.screening"]._get_engine(pack).prepare(timeout=5.0)
        except EngineRefused as error:
            raise ValidationError(self.env._("The rule engine refuses these rules: %s", error)) from error
        except EngineError as error:
            # The reference evaluator answers as long as the engine does not.
            _logger.warning("Rules not tried in the engine: %s", error)
