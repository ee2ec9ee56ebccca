"""Rules as files: packs in YAML, out and in."""

import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.credit_insurance.models.rule_document import read_rule, rule_keys, write_rule
from odoo.addons.credit_insurance.rules.risk import (
    DocumentError,
    Pack,
    check,
    dump,
    load,
)
from odoo.addons.credit_insurance.rules.risk.checker import duplicate_keys

MAX_BYTES = 1_000_000


class CreditInsuranceRuleExport(models.TransientModel):
    """The texts of rules as one pack, to keep in a repository or to take to another database."""

    _name = "credit.insurance.rule.export"
    _description = "Export of Risk Rules"

    rule_ids = fields.Many2many("credit.insurance.rule", string="Rules", required=True, readonly=True)
    key = fields.Char(required=True, default="export")
    title = fields.Char()
    file = fields.Binary(compute="_compute_file")
    filename = fields.Char(compute="_compute_file")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if self.env.context.get("active_model") == "credit.insurance.rule":
            values["rule_ids"] = [fields.Command.set(self.env.context.get("active_ids") or [])]
        return values

    @api.depends("rule_ids", "key", "title")
    def _compute_file(self):
        for wizard in self:
            rules = wizard._get_rules()
            signals = wizard._get_signals(rules)
            text = dump(Pack(wizard.key or "export", rules, title=wizard.title or "", signals=signals))
            wizard.file = base64.b64encode(text.encode())
            wizard.filename = f"{wizard.key or 'export'}.yaml"

    def _get_rules(self):
        """The rules as they stand in their records; :raise UserError: a text can no longer be read"""
        rules = []
        for record in self.rule_ids.sorted("key"):
            rule, _problems = read_rule(record.document)
            if not rule:
                raise UserError(self.env._("The text of “%s” cannot be read.", record.display_name))
            rules.append(rule)
        return tuple(rules)

    def _get_signals(self, rules):
        """The derived signals that the rules need, so that the pack can stand alone."""
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        keys = set().union(*(rule_keys(rule, catalogue) for rule in rules))
        return catalogue.needed(keys)


class CreditInsuranceRuleImport(models.TransientModel):
    """A pack from a file: new rules come as drafts, other texts of active rules as proposals. All of it, or nothing."""

    _name = "credit.insurance.rule.import"
    _description = "Import of Risk Rules"

    file = fields.Binary(string="YAML File", attachment=False, required=True)
    filename = fields.Char()
    problems = fields.Text(compute="_compute_content")
    result_html = fields.Html(compute="_compute_content", sanitize=False)
    has_changes = fields.Boolean(compute="_compute_content")

    @api.depends("file")
    def _compute_content(self):
        for wizard in self:
            rows, problems = wizard._read() if wizard.file else ([], "")
            wizard.problems = problems
            wizard.has_changes = any(row["kind"] != "same" for row in rows) and not problems
            wizard.result_html = rows and self.env["ir.qweb"]._render(
                "credit_insurance.credit_insurance_rule_import_result", {"rows": rows}
            )

    def action_import(self):
        self.env["credit.insurance.rule"].check_access("create")
        rows, problems = self._read()
        if problems:
            raise UserError(problems)
        self.env["credit.insurance.signal"]._create_from_pack(load(self._get_text()))
        changed = self.env["credit.insurance.rule"]
        for row in rows:
            if row["kind"] == "new":
                changed |= changed.create({"document": row["text"]})
            elif row["kind"] == "changed":
                row["record"]._propose({"document": row["text"]})
                changed |= row["record"]
        action = self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_rule_action")
        return action | {"domain": [("id", "in", changed.ids)], "context": {}}

    def _read(self):
        """What the file would change: ``(rows, problems as text)``."""
        rules = self.env["credit.insurance.rule"]
        try:
            pack = load(self._get_text())
        except DocumentError as error:
            return [], rules._describe(error.problems)
        except UserError as error:
            return [], str(error)
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        rows, problems = self._read_signals(pack)
        if not problems:
            catalogue = catalogue.with_derived(pack.signals)
        problems += [rules._describe([problem]) for problem in duplicate_keys(pack)]
        records = {record.key: record for record in rules.search([])}
        for rule in pack.rules:
            record, text = records.get(rule.key), write_rule(rule)
            # Places count in the file, where people look for them.
            found = (*check(rule, catalogue), *rules._check_companies(rule))
            # Only a rule of companies that the user does not see is here and not among the records.
            found += () if record else tuple(rules._check_new_key(rule))
            problems += [f"{rule.key}: {rules._describe([problem])}" for problem in found]
            before = record and read_rule(record.working_document)[0]
            kind = "new" if not record else "same" if before == rule else "changed"
            rows.append({"kind": kind, "key": rule.key, "name": rule.name, "text": text, "record": record})
        return rows, "\n".join(problems)

    def _read_signals(self, pack):
        """Derived signals that are not here yet, in the order in which they can be created."""
        fresh, problems = self.env["credit.insurance.signal"]._compare_with_pack(pack)
        if fresh and self.env["credit.insurance.signal"].new().review_needed:
            names = ", ".join(signal.key for signal in fresh)
            problems.append(self.env._("Derived signals are reviewed: create these first: %s.", names))
        return [{"kind": "signal", "key": signal.key, "name": signal.label} for signal in fresh], problems

    def _get_text(self):
        """:raise UserError: the file cannot be one of ours"""
        try:
            content = base64.b64decode(self.with_context(bin_size=False).file or b"")
            if len(content) > MAX_BYTES:
                raise UserError(self.env._("The file is larger than a pack of rules can be: split it."))
            return content.decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            told = self.env._("This is not a text file in UTF-8: save it as one and choose it again.")
            raise UserError(told) from error
