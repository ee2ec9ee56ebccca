"""How existing rules stand: by themselves, and after an update of the addon or of one that extends the signals."""

import logging

from odoo import api, models
from odoo.tools import plaintext2html

_logger = logging.getLogger(__name__)


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    @api.model
    def _flag_broken(self):
        """Check every rule again, with the examples kept in its text, and mark those that no longer pass.

        Run after each update. A rule that fails is told on itself and does not stop the update.
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
        if self.company_ids:
            problems = tuple(problem for problem in problems if problem.code != "unknown_company")
        return rule, problems
