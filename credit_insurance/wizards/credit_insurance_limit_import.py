"""Own limits from a sheet: first what would change, then the good lines; the rest comes back as a sheet."""

import base64
from collections import defaultdict
from dataclasses import dataclass, field

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from . import limit_sheet
from .limit_sheet import SheetError, parse_amount, parse_date

COLUMNS = (
    "id",
    ".id",
    "vat",
    "ref",
    "name",
    "kind",
    "amount",
    "currency",
    "date_from",
    "date_to",
    "next_review",
    "note",
)


@dataclass
class Line:
    """One line of the sheet: what it asks for, and what becomes of it."""

    number: int
    cells: list
    values: dict
    reason: str = ""
    partner_id: int = 0
    vals: dict = field(default_factory=dict)
    before: tuple = ()  # the limit it changes: currency, amount, last day, next review
    changes: bool = False


class CreditInsuranceLimitImport(models.TransientModel):
    """A line finds its buyer by external id, database id, VAT number, reference or, failing these, its exact name.

    The same file a second time changes nothing. What is wrong is refused with its line number and reason; the
    good lines are applied. The number of queries does not grow with the lines.
    """

    _name = "credit.insurance.limit.import"
    _description = "Import of Own Limits"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company.root_id, readonly=True
    )
    file = fields.Binary(string="Sheet", attachment=False, help="XLSX or CSV; the first line names the columns.")
    filename = fields.Char()
    template = fields.Binary(compute="_compute_template")
    state = fields.Selection(
        [("draft", "New"), ("checked", "Checked"), ("done", "Applied")], default="draft", readonly=True
    )
    changed_count = fields.Integer(string="Lines That Change a Limit", readonly=True)
    same_count = fields.Integer(string="Lines Already So", readonly=True)
    refused_count = fields.Integer(string="Lines Refused", readonly=True)
    result_html = fields.Html(string="Lines", sanitize=False, readonly=True)
    refused_file = fields.Binary(string="Refused Lines", attachment=False, readonly=True)
    refused_name = fields.Char(default="refused_limits.xlsx", readonly=True)

    def _compute_template(self):
        for wizard in self:
            example = ("", "", "FR00123456789", "", "", "permanent", "25000.00", "EUR", "", "", "", "")
            wizard.template = base64.b64encode(limit_sheet.write_sheet(COLUMNS, [example]))

    # === ACTIONS === #

    def action_template(self):
        self.ensure_one()
        url = f"/web/content/{self._name}/{self.id}/template/limits.xlsx?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def action_check(self):
        """Show what the sheet would change, without changing anything."""
        return self._run(apply=False)

    def action_apply(self):
        """Apply the lines that can be applied."""
        return self._run(apply=True)

    def _run(self, apply):
        self.ensure_one()
        self.env["credit.insurance.own.limit"].check_access("create")
        if self.env.user not in self.env["credit.insurance.authority"]._get_managers(self.company_id):
            raise AccessError(self.env._("Only a credit manager of %s may grant limits.", self.company_id.name))
        header, lines = self._read_lines()
        self._match_partners(lines)
        self._parse_lines(lines)
        self._compare_lines(lines)
        if apply:
            self._apply_lines([line for line in lines if line.changes and not line.reason])
        self._show(header, lines, apply)
        return {**self._get_self_action(), "res_id": self.id}

    def _get_self_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import Limits"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
        }

    # === READING === #

    def _read_lines(self):
        if not self.file:
            raise UserError(self.env._("Choose a sheet first."))
        try:
            rows = limit_sheet.read_sheet(base64.b64decode(self.file), self.filename or "")
        except SheetError as exc:
            raise UserError(self._reasons()[exc.reason]) from exc
        if not rows:
            raise UserError(self.env._("The sheet is empty."))
        header = [str(cell or "").strip().lower() for cell in rows[0][1]]
        if "amount" not in header or not {"id", ".id", "vat", "ref", "name"} & set(header):
            raise UserError(
                self.env._("The first line has to name the columns, as in the template: %s.", ", ".join(COLUMNS))
            )
        if twice := {name for name in header if name in COLUMNS and header.count(name) > 1}:
            raise UserError(self.env._("The first line names a column twice: %s.", ", ".join(sorted(twice))))
        lines = []
        for number, cells in rows[1:]:
            values = {
                name: cell
                for name, cell in zip(header, cells, strict=False)
                if name in COLUMNS and cell not in (None, "")
            }
            lines.append(Line(number, cells, values))
        return header, lines

    def _parse_lines(self, lines):
        currencies = {currency.name: currency for currency in self.env["res.currency"].search([])}
        pattern = self.env["res.lang"]._lang_get(self.env.lang or "en_US").date_format or "%Y-%m-%d"
        seen = set()
        for line in lines:
            if line.reason:
                continue
            try:
                line.vals = self._parse_line(line.values, currencies, pattern)
            except SheetError as exc:
                line.reason = exc.reason
                continue
            slot = (
                line.partner_id,
                line.vals["kind"],
                line.vals["date_from"] if line.vals["kind"] == "temporary" else None,
            )
            if slot in seen:
                line.reason = "twice"
            seen.add(slot)

    def _parse_line(self, values, currencies, pattern):
        kind = str(values.get("kind", "permanent")).strip().lower()
        code = str(values.get("currency", "")).strip().upper()
        currency = currencies.get(code) if code else self.company_id.currency_id
        amount = parse_amount(values.get("amount"))
        dates = {name: parse_date(values.get(name), pattern) for name in ("date_from", "date_to", "next_review")}
        today = self.company_id._credit_today()
        if kind not in ("permanent", "temporary"):
            raise SheetError("bad_kind")
        if not currency:
            raise SheetError("bad_currency")
        if kind == "temporary" and not dates["date_to"]:
            raise SheetError("temporary_without_end")
        start = dates["date_from"] or today
        if dates["date_to"] and dates["date_to"] < max(start, today):
            raise SheetError("ends_before")
        rounded = currency.round(float(amount))
        # Without a date of its own the next review is when the company reviews its limits.
        review = {"next_review": dates["next_review"]} if dates["next_review"] else {}
        return {
            "kind": kind,
            "currency_id": currency.id,
            "amount": rounded,
            "date_from": start,
            "date_to": dates["date_to"],
            **review,
            "given_start": bool(dates["date_from"]),
            "note": str(values.get("note", ""))[:200],
        }

    # === COMPARING === #

    def _compare_lines(self, lines):
        """Say for every line whether it changes a limit, from which amount, and whether the user may."""
        lines = [line for line in lines if not line.reason]
        buyers = self.env["credit.insurance.buyer"].search(
            [("partner_id", "in", [line.partner_id for line in lines]), ("company_id", "=", self.company_id.id)]
        )
        by_partner = {buyer.partner_id.id: buyer for buyer in buyers}
        today = self.company_id._credit_today()
        rows = self.env["credit.insurance.own.limit"].search(
            [
                ("buyer_id", "in", buyers.ids),
                ("cancelled", "=", False),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", today),
            ],
            order="date_from, id",
        )
        standing = rows.grouped("buyer_id")
        allowed = self._make_authority_check(buyers)
        for line in lines:
            buyer = by_partner.get(line.partner_id, buyers.browse())
            self._compare_line(line, standing.get(buyer, rows.browse()), today)
            if line.changes and not allowed(line, buyer, standing.get(buyer, rows.browse())):
                line.reason = "beyond_authority"

    def _compare_line(self, line, rows, today):
        vals = line.vals
        given_start = vals.pop("given_start")
        same_kind = rows.filtered(lambda row: row.kind == vals["kind"])
        if vals["kind"] == "temporary":
            same_kind = same_kind.filtered(
                lambda row: row.date_to == vals["date_to"] or (given_start and row.date_from == vals["date_from"])
            )
        current = same_kind[-1:]
        asks_for_review = "next_review" in vals
        review = current.next_review if asks_for_review else None
        if current:
            line.before = (current.currency_id, current.amount, current.date_to, review)
        line.changes = not (
            current
            and current.currency_id.id == vals["currency_id"]
            and current.currency_id.compare_amounts(current.amount, vals["amount"]) == 0
            and (current.date_to or None) == vals["date_to"]
            and (not asks_for_review or current.next_review == vals["next_review"])
        )
        if current and line.changes:
            vals["date_from"] = max(vals["date_from"], today)
            vals["replaces_id"] = current.id

    def _make_authority_check(self, buyers):
        """A function that says whether the user may grant a line; the matrix is read once."""
        authority = self.env["credit.insurance.authority"]
        company, user = self.company_id, self.env.user
        asked = (
            self.env["credit.insurance.limit.request"]
            .sudo()
            .search([("buyer_id", "in", buyers.ids), ("state", "=", "asked")])
        )
        askers = defaultdict(lambda: self.env["credit.insurance.own.limit"]._get_typist(company))
        for request in asked:
            askers[request.buyer_id] |= request._get_own_askers()
        matrix = authority._get_matrix(authority._make_ask("limit", company, 0, company.currency_id, buyers.browse()))
        rates, nothing = {}, self.env["credit.insurance.own.limit"]
        # What earlier lines of the sheet grant a buyer: many small lines are one large limit.
        granted = defaultdict(lambda: {"permanent": None, "temporary": 0.0, "replaced": nothing})

        def in_company_currency(amount, currency):
            if currency not in rates:
                rates[currency] = authority._make_ask("limit", company, 1, currency, buyers.browse()).amount
            # Nothing is nothing also where no rate is known.
            return amount and amount * rates[currency]

        def total(rows):
            return sum(in_company_currency(row.amount, row.currency_id) for row in rows)

        def allowed(line, buyer, rows):
            kind, before = line.vals["kind"], granted[line.partner_id]
            standing = (rows - before["replaced"]).filtered(lambda row: row.id != line.vals.get("replaces_id"))
            own = in_company_currency(line.vals["amount"], self.env["res.currency"].browse(line.vals["currency_id"]))
            amount = own + before["temporary"] + total(standing.filtered(lambda row: row.kind == "temporary"))
            if kind == "temporary":
                permanent = total(standing.filtered(lambda row: row.kind == "permanent"))
                amount += permanent if before["permanent"] is None else before["permanent"]
            ask = authority._make_ask("limit", company, amount, company.currency_id, buyer, askers[buyer])
            if (user in ask.askers and ask.needs_four_eyes) or not authority._find_authority(user, ask, matrix)[0]:
                return False
            before[kind] = own + (before[kind] or 0 if kind == "temporary" else 0)
            before["replaced"] |= rows.browse(line.vals.get("replaces_id"))
            return True

        return allowed

    # === APPLYING === #

    def _apply_lines(self, lines):
        partners = self.env["res.partner"].browse([line.partner_id for line in lines])
        buyers = self.env["credit.insurance.buyer"]._get_or_create(partners, self.company_id)
        by_partner = {buyer.partner_id.id: buyer.id for buyer in buyers}
        limits = (
            self.env["credit.insurance.own.limit"].sudo().with_context(tracking_disable=True, mail_create_nolog=True)
        )
        source = self.filename or self.env._("a sheet")
        limits.create(
            [
                {
                    "buyer_id": by_partner[line.partner_id],
                    **line.vals,
                    "granted_by_id": self.env.uid,
                    "reviewer_id": self.env.uid,
                    "note": line.vals["note"]
                    or self.env._("Imported from %(file)s, line %(line)s", file=source, line=line.number),
                }
                for line in lines
            ]
        )
