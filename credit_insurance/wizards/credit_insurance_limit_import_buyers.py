"""How a line of a sheet finds its buyer: exactly, in a few statements for any number of lines."""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL


class CreditInsuranceLimitImport(models.TransientModel):
    _inherit = "credit.insurance.limit.import"

    def _match_partners(self, lines):
        """Find the buyer of every line: five statements, whatever the number of lines."""
        found = {name: self._find_partners(name, lines) for name in ("id", ".id", "vat", "ref", "name")}
        for line in lines:
            keys = [name for name in ("id", ".id", "vat", "ref") if name in line.values] or ["name"]
            matches = [found[name].get(self._key(name, line.values.get(name)), set()) for name in keys]
            common = set.intersection(*matches) if matches else set()
            if not any(name in line.values for name in found):
                line.reason = "no_buyer_named"
            elif not common:
                line.reason = "unknown_buyer" if not any(matches) else "contradiction"
            elif len(common) > 1:
                line.reason = "several_buyers"
            else:
                line.partner_id = common.pop()

    @api.model
    def _key(self, name, cell):
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        text = str(cell if cell is not None else "").strip()
        return text.replace(" ", "").upper() if name == "vat" else text

    def _find_partners(self, name, lines):
        """Commercial entities by the keys of one column, as far as the user may read them: ``{key: {partner ids}}``."""
        keys = {self._key(name, line.values[name]) for line in lines if name in line.values}
        result = defaultdict(set)
        if not keys:
            return result
        rows = self.env.execute_query(self._match_sql(name, list(keys)))
        readable = set(
            self.env["res.partner"]
            .search(
                [
                    ("id", "in", [partner_id for _key, partner_id in rows]),
                    "|",
                    ("company_id", "=", False),
                    ("company_id", "child_of", self.company_id.id),
                ]
            )
            .ids
        )
        for key, partner_id in rows:
            if partner_id in readable:
                result[key].add(partner_id)
        return result

    @api.model
    def _match_sql(self, name, keys):
        self.env["res.partner"].flush_model()
        if name == "id":
            return SQL(
                """SELECT d.module || '.' || d.name, p.commercial_partner_id
                     FROM ir_model_data d JOIN res_partner p ON p.id = d.res_id
                    WHERE d.model = 'res.partner' AND d.module || '.' || d.name = ANY(%s)""",
                keys,
            )
        if name == ".id":
            numbers = [int(key) for key in keys if key.isascii() and key.isdigit() and len(key) < 10]
            return SQL("SELECT id::text, commercial_partner_id FROM res_partner WHERE id = ANY(%s)", numbers)
        column = SQL("upper(replace(vat, ' ', ''))") if name == "vat" else SQL.identifier(name)
        return SQL(
            """SELECT %(column)s, id FROM res_partner
                WHERE active AND commercial_partner_id = id AND %(column)s = ANY(%(keys)s)""",
            column=column,
            keys=keys,
        )
