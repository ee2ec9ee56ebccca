"""What the editor of rules asks the server while somebody types.

    rule_editor_setup    signals, actions and words to choose from
    rule_editor_text     a text: its form, what the checker says, its colours
    rule_editor_form     a form: its text, what the checker says, its colours
    rule_editor_complete what could stand at a place of a text
    rule_editor_try      a text on one buyer or document: what it answers, condition by condition

Nothing here writes. Trying reads a buyer's figures, and is for administrators who may read that buyer.
"""

from dataclasses import replace

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import format_date

from odoo.addons.credit_insurance.rules.risk import (
    DEFAULT_ACTIONS,
    PRECEDENCE,
    DocumentError,
    GroupTrace,
    Scope,
    check,
    complete,
    complete_at,
    describe_catalogue,
    from_form,
    to_form,
    tokens,
)
from odoo.addons.credit_insurance.rules.risk.facts import read_facts
from odoo.addons.credit_insurance.rules.risk.messages import placeholders

from .credit_insurance_rule import SCOPES, SEVERITIES
from .marked_words import tell, tell_rule
from .rule_document import evaluate_rows, overridden_fields, own_place, read_rule, rule_keys, write_rule
from .rule_settings import all_companies
from .rule_signal_groups import group_labels
from .rule_trace import fill_message, format_fact, to_json, trace_rows

ADMINISTRATOR = "credit_insurance.credit_insurance_group_admin"
# Reading longer texts at every keystroke would keep the server busy.
MAX_LENGTH = 50_000
SUBJECTS = {
    Scope.BUYER: "credit.insurance.buyer",
    Scope.ORDER: "sale.order",
    Scope.INVOICE: "account.move",
    Scope.EVENT: "credit.insurance.event",
}
SUBJECT_DOMAINS = {
    Scope.ORDER: [("state", "!=", "cancel")],
    Scope.INVOICE: [("move_type", "=", "out_invoice"), ("state", "=", "posted")],
}
# A text with such problems can be tried all the same.
HARMLESS = ("test_failed", "key_changed", "same_condition", "unknown_company")


class CreditInsuranceRule(models.Model):
    _inherit = "credit.insurance.rule"

    @api.model
    def rule_editor_setup(self):
        """Signals by scope, and everything else one can choose from."""
        self.check_access("read")
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        groups = group_labels(self.env, catalogue)
        tasks = self.env["credit.insurance.action.task"]
        actions = dict(tasks._fields["key"]._description_selection(self.env))
        return {
            "signals": {
                scope.value: [
                    signal | self._translate_signal(signal) | {"group": groups[signal["key"]]}
                    for signal in describe_catalogue(catalogue, scope)
                ]
                for scope in Scope
            },
            "actions": [
                {
                    "key": action.key,
                    "label": actions[action.key],
                    "help": self.env._(action.help),
                    "scopes": sorted(action.scopes),
                }
                for action in DEFAULT_ACTIONS.values()
            ],
            "severities": self._describe_selection("severity", SEVERITIES),
            "scopes": self._describe_selection("scope", SCOPES),
            "subjects": {
                scope.value: {"model": model, "domain": SUBJECT_DOMAINS.get(scope, [])}
                for scope, model in SUBJECTS.items()
            },
            "companies": self.env["res.company"].search([("parent_id", "=", False)]).mapped("name"),
            "currency": self.env.company.currency_id.symbol,
            "precedence": self.env._(PRECEDENCE),
            "may_try": self.env.user.has_group(ADMINISTRATOR),
        }

    @api.model
    def _translate_signal(self, signal):
        words = {name: tell(self.env, signal[name]) for name in ("label", "help") if signal[name]}
        return words | ({"unit": self.env._(signal["unit"])} if signal["unit"] else {})

    @api.model
    def _describe_selection(self, name, selection):
        labels = dict(self._fields[name]._description_selection(self.env))
        return [{"value": value, "label": labels[value]} for value, _label in selection]

    @api.model
    def rule_editor_text(self, text, key=False):
        """Read a text that is being typed; ``form`` is None as long as it is not one rule."""
        self.check_access("read")
        text = str(text)
        if len(text) > MAX_LENGTH:
            # Half of it would be another rule.
            return {"form": None, "tokens": [], "problems": [self._describe_length()], "warnings": []}
        rule, problems = self._check_text(text, key or None)
        return {"form": to_form(rule) if rule else None, **self._describe_reading(text, rule, problems)}

    @api.model
    def rule_editor_form(self, form, key=False):
        """Write a form as a text; ``text`` is None when something in the form cannot be written."""
        self.check_access("read")
        try:
            text = write_rule(from_form(form, self.env["credit.insurance.signals"]._get_catalogue()))
        except DocumentError as error:
            problems = [self._describe_problem(own_place(problem)) for problem in error.problems]
            return {"text": None, "tokens": [], "problems": problems, "warnings": []}
        rule, problems = self._check_text(text, key or None)
        return {"text": text, **self._describe_reading(text, rule, problems)}

    @api.model
    def rule_editor_complete(self, text, offset):
        self.check_access("read")
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        text = str(text)[:MAX_LENGTH]
        return [
            {
                "label": tell(self.env, item.label),
                "help": tell(self.env, item.help),
                "text": item.text,
                "start": item.start,
                "end": item.end,
            }
            for item in complete_at(text, min(max(0, int(offset)), len(text)), catalogue)
        ]

    @api.model
    def _describe_reading(self, text, rule, problems):
        """Colours, what saving refuses, and (``warnings``) what putting into force would."""
        beside = self._check_beside_active(rule) if rule and not problems else ()
        return {
            "tokens": [list(token) for token in tokens(text)],
            "problems": [self._describe_problem(problem) for problem in problems],
            "warnings": [self._describe_problem(own_place(problem)) for problem in beside],
        }

    @api.model
    def _describe_length(self):
        return {
            "code": "too_long",
            "path": "",
            "message": self.env._("The editor reads texts of up to %s characters, and this one is longer.", MAX_LENGTH),
            "suggestion": self.env._("Make several rules of it, or change it in a file and import that."),
            "line": 1,
            "column": 1,
        }

    @api.model
    def _check_beside_active(self, rule):
        """What a rule that is right by itself adds nothing to, or contradicts, among the active ones."""
        records = self.search(["|", ("state", "=", "active"), ("key", "=", rule.key)])
        parsed = {record: read_rule(record.document)[0] for record in records}
        companies = {record.key: tuple(all_companies(record).mapped("name")) for record in records}
        others = [
            replace(found, companies=companies[record.key])
            for record, found in parsed.items()
            if found and record.state == "active"
        ]
        own = replace(rule, companies=rule.companies or companies.get(rule.key, ()))
        return check(own, self.env["credit.insurance.signals"]._get_catalogue(), others=others)

    @api.model
    def _describe_problem(self, problem):
        return {
            "code": problem.code,
            "path": problem.path,
            "message": tell(self.env, problem.message),
            "suggestion": tell(self.env, problem.suggestion),
            "line": problem.place.line if problem.place else 1,
            "column": problem.place.column if problem.place else 1,
        }

    # === TRYING === #

    @api.model
    def rule_editor_try(self, text, subject_id):
        """Evaluate a text that is being typed on one buyer or document of its scope, now.

        :raise AccessError: the user is no administrator of rules, or may not read that buyer or document
        """
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only administrators of risk rules try them."))
        text = str(text)
        if len(text) > MAX_LENGTH:
            return False
        rule, problems = self._check_text(text)
        if any(problem.code not in HARMLESS for problem in problems):
            return False
        subject = self.env[SUBJECTS[rule.scope]].browse(int(subject_id)).exists()
        if not subject:
            return False
        subject.check_access("read")
        return self._try_rule(rule, subject)

    @api.model
    def _try_rule(self, rule, subject):
        """Try what applies in the company of the subject: the rule with what that company overrides of it."""
        company = subject.company_id.root_id
        effective, version = self.env["credit.insurance.rule.override"]._get_effective(rule, company)
        if effective is None:
            trial = {"state": "off", "answers": {}, "signals": [], "message": ""}
        else:
            trial = self._try_effective(effective, subject, company, bool(version))
        if not version:
            return trial
        # What is overridden is not what stands in the editor: its conditions are shown apart.
        replaced = overridden_fields(version.document)
        answers = {
            path: answer
            for path, answer in trial["answers"].items()
            if path.replace("[", ".").partition(".")[0] not in replaced
        }
        override = {"note": version._describe_for(company), "html": trial.pop("html", "")}
        return trial | {"answers": answers, "override": override}

    @api.model
    def _try_effective(self, rule, subject, company, with_trace):
        signals = self.env["credit.insurance.signals"]
        catalogue = signals._get_catalogue()
        today = company._credit_today()
        keys = rule_keys(rule, catalogue)
        if rule.scope is Scope.BUYER:
            partner, facts = subject.partner_id, signals._get_facts(subject, keys, today)[subject.id]
        elif rule.scope is Scope.ORDER:
            # As the credit gate would judge it, of a customer without a credit record too.
            partner = subject._credit_buyer_partner()
            facts = self.env["credit.insurance.gate"]._get_order_facts(subject, keys, today).get(subject)
        else:
            facts = signals._get_document_facts(rule.scope, subject, keys, today).get(subject.id)
            partner = self.env["credit.insurance.buyer"].browse((facts or {}).get("_buyer")).sudo().partner_id
        if facts is None:
            return {"state": "unknown", "answers": {}, "signals": [], "message": ""}
        trial = _Trial(self.env, rule, catalogue, company.currency_id)
        outcomes = evaluate_rows(rule, facts, today, catalogue)
        shown = next((outcome for outcome in outcomes if outcome.fired), outcomes[0])
        words = {
            "buyer": partner.sudo().name,
            "document": subject.display_name,
            "company": company.name,
            "rule": tell_rule(self.env, rule.name),
            "today": format_date(self.env, today),
        }
        template = shown.rule.message
        known = read_facts(facts, catalogue, today, catalogue.reading(placeholders(template))).values
        values = {key: to_json(value) for key, value in known.items()}
        return {
            "state": shown.state.value,
            "severity": shown.rule.severity.value,
            "message": fill_message(self.env, template, words, values, company.currency_id) or words["rule"],
            "closeness": float(shown.closeness),
            "answers": trial.answers(outcomes),
            "signals": trial.signals(outcomes, facts, today),
            **({"html": self._render_trial_trace(shown, company, catalogue)} if with_trace else {}),
        }

    @api.model
    def _render_trial_trace(self, outcome, company, catalogue):
        values = {"currency_id": company.currency_id.id, "trace": trace_rows(outcome, catalogue)}
        rows = self.env["credit.insurance.alert"].new(values)._get_trace_rows()
        return self.env["ir.qweb"]._render("credit_insurance.credit_insurance_near_miss_trace", {"rows": rows})


class _Trial:
    """What a trial shows, with amounts in the company's currency."""

    def __init__(self, env, rule, catalogue, currency):
        self.env, self.rule, self.catalogue, self.currency = env, rule, catalogue, currency

    def format(self, signal, value):
        return format_fact(self.env, to_json(value), signal.type.value, self.currency, signal.unit)

    def answers(self, outcomes):
        """The answer of each condition by its path: ``when.all[1]``, in a table ``table.rows[0].cells[2]``."""
        found = {}
        for outcome in outcomes:
            number = int(outcome.rule.key.removeprefix(f"{self.rule.key}__")) - 1 if self.rule.table else 0
            if self.rule.table:
                self._walk_row(outcome.trace, number, found)
            else:
                self._walk(outcome.trace, "when", found)
            # Later rows are also silenced by the rows above them: the first one knows the rule's own exclusion only.
            for name, trace in (("unless", outcome.exclusion), ("until", outcome.ending)):
                if trace and number == 0:
                    self._walk(trace, name, found)
        return found

    def _walk_row(self, trace, number, found):
        path = f"table.rows[{number}]"
        found[path] = {"answer": trace.answer.value}
        said = [index for index, cell in enumerate(self.rule.table.rows[number].cells) if cell]
        for index, part in zip(said, trace.parts if len(said) > 1 else (trace,), strict=True):
            self._walk(part, f"{path}.cells[{index}]", found)

    def _walk(self, trace, path, found):
        found[path] = {"answer": trace.answer.value}
        if isinstance(trace, GroupTrace):
            for index, part in enumerate(trace.parts):
                self._walk(part, f"{path}.not" if trace.kind == "not" else f"{path}.{trace.kind}[{index}]", found)
            return
        found[path] |= {"value": self.format(trace.signal, trace.value), "note": tell(self.env, trace.note)}
        if trace.gap:
            found[path]["gap"] = str(trace.gap)
        if trace.referred_value is not None and not isinstance(trace.operand_value, tuple):
            found[path]["needed"] = self.format(trace.signal, trace.operand_value)

    def signals(self, outcomes, facts, today):
        """Every signal the rule looks at, with its live value."""
        values = complete(facts, self.catalogue, today)
        return [
            {
                "key": signal.key,
                "label": tell(self.env, signal.label),
                "help": tell(self.env, signal.help),
                "value": self.format(signal, values.get(signal.key)),
                "is_known": values.get(signal.key) is not None,
            }
            for signal in self.catalogue
            if signal.key in rule_keys(self.rule, self.catalogue)
        ]
