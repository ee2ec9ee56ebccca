"""What the editor of derived signals asks the server while somebody types: colours, problems, a live value.

Completion is that of the rules' editor, whose language a signal's value shares. Nothing here writes.
"""

from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.credit_insurance.rules.risk import Scope, complete, tokens

from .credit_insurance_rule_editor import ADMINISTRATOR, MAX_LENGTH, SUBJECT_DOMAINS, SUBJECTS
from .marked_words import tell
from .rule_trace import format_fact, to_json


class CreditInsuranceSignal(models.Model):
    _inherit = "credit.insurance.signal"

    @api.model
    def signal_editor_text(self, text, signal_id=False):
        """Read a text that is being typed: its colours, what the checker says, and what it can be tried on."""
        self.check_access("read")
        text, rules = str(text), self.env["credit.insurance.rule"]
        if len(text) > MAX_LENGTH:
            # Half of it would be another signal.
            derived, told, text = None, [rules._describe_length() | {"suggestion": ""}], ""
        else:
            derived, problems = self.browse(signal_id and int(signal_id)).exists()._check_text(text)
            told = [rules._describe_problem(problem) for problem in problems]
        scope = derived.scope if derived else Scope.BUYER
        return {
            "tokens": [list(token) for token in tokens(text)],
            "problems": told,
            "scope": scope.value,
            "subject": {"model": SUBJECTS[scope], "domain": SUBJECT_DOMAINS.get(scope, [])},
            "may_try": self.env.user.has_group(ADMINISTRATOR),
        }

    @api.model
    def signal_editor_try(self, text, subject_id, signal_id=False):
        """The value of a text that is being typed for one buyer or document, beside what it is computed from.

        :return: False while the text has problems
        :raise AccessError: the user is no administrator of rules, or may not read that buyer or document
        """
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only administrators of risk rules try signals."))
        text = str(text)
        if len(text) > MAX_LENGTH:
            return False
        signal = self.browse(signal_id and int(signal_id)).exists()
        derived, problems = signal._check_text(text)
        subject = self.env[SUBJECTS[derived.scope]].browse(int(subject_id)).exists() if not problems else None
        if not subject:
            return False
        subject.check_access("read")
        return self._try_derived(derived, subject)

    @api.model
    def _try_derived(self, derived, subject):
        company = subject.company_id.root_id
        today, currency = company._credit_today(), company.currency_id
        signals = self.env["credit.insurance.signals"]
        known = signals._get_catalogue()
        others = [other for other in known.derived if other.key != derived.key]
        catalogue = signals._get_base_catalogue().with_derived([*others, derived])
        keys = catalogue.sources({derived.key})
        if derived.scope is Scope.BUYER:
            facts = signals._get_facts(subject, keys, today)[subject.id]
        else:
            facts = signals._get_document_facts(derived.scope, subject, keys, today).get(subject.id, {})
        facts.pop(derived.key, None)
        values = complete(facts, catalogue, today)
        return {
            "label": derived.label,
            "value": self._format_signal(catalogue[derived.key], values, currency),
            "is_known": values.get(derived.key) is not None,
            "signals": [
                {
                    "key": key,
                    "label": tell(self.env, catalogue[key].label),
                    "value": self._format_signal(catalogue[key], values, currency),
                    "is_known": values.get(key) is not None,
                }
                for key in sorted(derived.sources)
            ],
        }

    @api.model
    def _format_signal(self, signal, values, currency):
        return format_fact(self.env, to_json(values.get(signal.key)), signal.type.value, currency, signal.unit)
