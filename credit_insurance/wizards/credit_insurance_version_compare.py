from difflib import unified_diff

from odoo import api, fields, models

from odoo.addons.credit_insurance.credit_insurance.models.rule_settings import describe_setting

# How a line of a comparison is shown, by its first character.
LINE_CLASSES = {"+": "text-success", "-": "text-danger", "@": "text-info"}


class CreditInsuranceVersionCompare(models.AbstractModel):
    """Two versions side by side, field by field and line by line: ``left_id`` is the older, ``right_id`` the newer.

    ``_settings`` are the fields of a version which say something beside its text.
    """

    _name = "credit.insurance.version.compare"
    _description = "Compare Two Versions"
    _settings = ()

    fields_html = fields.Html(string="By Field", compute="_compute_comparison", sanitize=False)
    lines_html = fields.Html(string="By Line", compute="_compute_comparison", sanitize=False)

    @api.model
    def _open(self, left, right):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Compare Versions of %s", right._get_owner().display_name),
            "res_model": self._name,
            "res_id": self.create({"left_id": left.id, "right_id": right.id}).id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("left_id", "right_id")
    def _compute_comparison(self):
        for wizard in self:
            before, after = wizard.left_id.document or "", wizard.right_id.document or ""
            rows = wizard._get_rows(before, after) + wizard._get_setting_rows()
            wizard.fields_html = wizard._render("fields", {"rows": rows})
            wizard.lines_html = wizard._render("lines", {"lines": list(wizard._get_lines(before, after))})

    @api.model
    def _render(self, part, values):
        return self.env["ir.qweb"]._render(f"credit_insurance.credit_insurance_rule_compare_{part}", values)

    @staticmethod
    def _get_field_texts(document):
        """``{field: its lines}`` of a text."""
        raise NotImplementedError

    @api.model
    def _get_rows(self, before, after):
        """The fields that differ: name, text before, text after."""
        old, new = self._get_field_texts(before), self._get_field_texts(after)
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
            for name in self._settings
        ]
        return [row for row in rows if row["before"] != row["after"]]

    @api.model
    def _get_lines(self, before, after):
        lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=100)
        for line in list(lines)[3:]:
            yield {"text": line, "class": LINE_CLASSES.get(line[:1], "text-muted")}
