from difflib import unified_diff

from odoo import api, fields, models

from odoo.addons.credit_insurance.credit_insurance.models.rule_document import field_texts
from odoo.addons.credit_insurance.credit_insurance.models.rule_settings import SETTINGS, describe_setting

# How a line of a comparison is shown, by its first character.
LINE_CLASSES = {"+": "text-success", "-": "text-danger", "@": "text-info"}


class CreditInsuranceRuleCompare(models.TransientModel):
    """Two versions of a rule side by side, field by field and line by line."""

    _name = "credit.insurance.rule.compare"
    _description = "Compare Versions of a Risk Rule"

    rule_id = fields.Many2one(related="right_id.rule_id", related_sudo=False)
    left_id = fields.Many2one(
        "credit.insurance.rule.version", string="Older Version", domain="[('rule_id', '=', rule_id)]"
    )
    right_id = fields.Many2one(
        "credit.insurance.rule.version", string="Newer Version", required=True, domain="[('rule_id', '=', rule_id)]"
    )
    fields_html = fields.Html(string="By Field", compute="_compute_comparison", sanitize=False)
    lines_html = fields.Html(string="By Line", compute="_compute_comparison", sanitize=False)

    @api.model
    def _open(self, left, right):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Compare Versions of %s", right.rule_id.name),
            "res_model": self._name,
            "res_id": self.create({"left_id": left.id, "right_id": right.id}).id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("left_id", "right_id")
    def _compute_comparison(self):
        for wizard in self:
            before, after = wizard.left_id.document or "", wizard.right_id.document or ""
            rows = self._get_rows(before, after) + wizard._get_setting_rows()
            wizard.fields_html = wizard._render("fields", {"rows": rows})
            wizard.lines_html = wizard._render("lines", {"lines": list(self._get_lines(before, after))})

    def _render(self, part, values):
        return self.env["ir.qweb"]._render(f"credit_insurance.credit_insurance_rule_compare_{part}", values)

    @api.model
    def _get_rows(self, before, after):
        """The fields that differ: name, text before, text after."""
        old, new = field_texts(before), field_texts(after)
        return [
            {"name": name, "before": old.get(name, ""), "after": new.get(name, "")}
            for name in [*old, *(name for name in new if name not in old)]
            if old.get(name) != new.get(name)
        ]

    def _get_setting_rows(self):
        """The same of what stands beside the text."""
        left, right = self.left_id, self.right_id
        rows = [
            {
                "name": right._fields[name]._description_string(self.env),
                "before": describe_setting(left, name) if left else "",
                "after": describe_setting(right, name),
            }
            for name in SETTINGS
        ]
        return [row for row in rows if row["before"] != row["after"]]

    @api.model
    def _get_lines(self, before, after):
        lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=100)
        for line in list(lines)[3:]:
            yield {"text": line, "class": LINE_CLASSES.get(line[:1], "text-muted")}
