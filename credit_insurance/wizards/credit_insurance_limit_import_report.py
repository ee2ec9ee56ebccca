"""What the import of limits shows: what each line changes, and why others are refused."""

import base64

from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_date

from . import limit_sheet

BUYER_KEYS = ("name", "ref", "vat", "id", ".id")  # the clearest to a reader first
SHOWN_AT_MOST = 100


class CreditInsuranceLimitImport(models.TransientModel):
    _inherit = "credit.insurance.limit.import"

    def _show(self, header, lines, applied):
        reasons = self._reasons()
        refused = [line for line in lines if line.reason]
        changed = [line for line in lines if line.changes and not line.reason]
        told = self._tell_refused(refused, reasons)
        sheet = False
        if refused:
            blank = [""] * len(header)
            rows = [
                [*(line.cells + blank)[: len(header)], buyer, number, reason]
                for line, (number, buyer, reason) in zip(refused, told, strict=True)
            ]
            why = self.env._("Why it was refused")
            sheet = base64.b64encode(
                limit_sheet.write_sheet([*header, self.env._("Buyer"), self.env._("Line no."), why], rows)
            )
        self.write(
            {
                "state": "done" if applied else "checked",
                "changed_count": len(changed),
                "same_count": len(lines) - len(refused) - len(changed),
                "refused_count": len(refused),
                "refused_file": sheet,
                "result_html": self._describe(changed, told),
            }
        )

    def _tell_refused(self, lines, reasons):
        """Number, buyer and reason of refused lines; of a buyer that is not found, what the sheet calls it."""
        names = self._get_names(line for line in lines if line.partner_id)
        return [
            (
                line.number,
                names.get(line.partner_id)
                or next((str(line.values[key]) for key in BUYER_KEYS if key in line.values), ""),
                reasons[line.reason],
            )
            for line in lines
        ]

    def _get_names(self, lines):
        """What the buyers of these lines are called, by their partner's id."""
        partners = self.env["res.partner"].browse({line.partner_id for line in lines})
        return {partner.id: partner.display_name for partner in partners}

    def _describe(self, changed, refused):
        names = self._get_names(changed[:SHOWN_AT_MOST])
        currencies = self.env["res.currency"]
        rows = [
            (
                line.number,
                names[line.partner_id],
                self._tell_limit(*line.before) if line.before else self.env._("none"),
                self._tell_limit(
                    currencies.browse(line.vals["currency_id"]),
                    *(line.vals.get(name) for name in ("amount", "date_to", "next_review")),
                ),
            )
            for line in changed[:SHOWN_AT_MOST]
        ]
        head = (self.env._("Line no."), self.env._("Buyer"), self.env._("Until now"), self.env._("New limit"))
        html = self._to_table(head, rows) if rows else Markup()
        if refused:
            head = (self.env._("Line no."), self.env._("Buyer"), self.env._("Why it was refused"))
            html += self._to_table(head, refused[:SHOWN_AT_MOST])
        if max(len(changed), len(refused)) > SHOWN_AT_MOST:
            html += Markup("<p class='text-muted'>%s</p>") % self.env._(
                "Only the first %s lines are shown.", SHOWN_AT_MOST
            )
        return html

    @api.model
    def _tell_limit(self, currency, amount, date_to, next_review):
        """What a sheet says of a limit, in one line."""
        text = currency.format(amount)
        if date_to:
            text = self.env._("%(amount)s until %(day)s", amount=text, day=format_date(self.env, date_to))
        if next_review:
            text = self.env._("%(limit)s, reviewed on %(day)s", limit=text, day=format_date(self.env, next_review))
        return text

    @api.model
    def _to_table(self, head, rows):
        cells = Markup().join(Markup("<th>%s</th>") % cell for cell in head)
        body = Markup().join(
            Markup("<tr>%s</tr>") % Markup().join(Markup("<td>%s</td>") % cell for cell in row) for row in rows
        )
        return Markup("<table class='table table-sm'><thead><tr>%s</tr></thead><tbody>%s</tbody></table>") % (
            cells,
            body,
        )

    def _reasons(self):
        return {
            "too_large": self.env._("The file is too large."),
            "unreadable": self.env._("The file is neither a readable XLSX nor a CSV file."),
            "too_many_lines": self.env._("The sheet has more than %s lines.", limit_sheet.MAX_ROWS),
            "no_buyer_named": self.env._("No buyer is named."),
            "unknown_buyer": self.env._("No such buyer."),
            "several_buyers": self.env._("Several buyers match."),
            "contradiction": self.env._("The columns name different buyers."),
            "twice": self.env._("The sheet has another line for the same limit."),
            "missing_amount": self.env._("The amount is missing; zero is an amount."),
            "bad_amount": self.env._("The amount cannot be read."),
            "ambiguous_amount": self.env._(
                "The amount can be read in two ways: write 1234.00 or 1.234 without its mark."
            ),
            "negative_amount": self.env._("The amount is below zero."),
            "bad_date": self.env._("A date cannot be read; write it as 2026-12-31."),
            "bad_kind": self.env._("The kind is permanent or temporary."),
            "bad_currency": self.env._("This currency is not in use."),
            "temporary_without_end": self.env._("A temporary limit needs a last day."),
            "ends_before": self.env._("The limit ends before it starts, or has ended already."),
            "beyond_authority": self.env._("It is beyond your authority, or you asked for it yourself."),
        }
