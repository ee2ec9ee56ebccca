"""Exposure beside the aged receivables: what the ledger shows per partner, and each reason why exposure differs.

    aged receivables (open journal items of the buyer itself, in the root company)
      + booked on contacts and addresses      they roll up to the buyer
      + booked in branches                    they roll up to the root company
      - items without a partner               nobody's exposure
      + matched with drafts                   settled by nothing that is posted
      + confirmed orders not yet invoiced     not in the ledger yet
      + valuation                             items in the limit's currency count as they are, at today's rate
      = exposure

The first two lines are read from the ledger as Odoo's own report reads them, the exposure comes from its own statement:
what no reason explains would stand under ``unexplained``.
"""

from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.credit_insurance.models.exposure_sql import OPEN_ORDER
from odoo.addons.credit_insurance.credit_insurance.models.ledger_sql import taken_in_sql
from odoo.addons.credit_insurance.credit_insurance.models.sql_functions import int_array

BUCKETS = {"bucket_not_due": 0, "bucket_30": 30, "bucket_60": 60, "bucket_90": 90, "bucket_older": None}
# Differences that many companies never have.
SELDOM = ("contacts", "branches", "nobody", "drafts", "valuation", "unexplained")


class CreditInsuranceReconciliationLine(models.TransientModel):
    """One buyer, or the items without a partner, in one root company. Amounts are in the company's currency."""

    _name = "credit.insurance.reconciliation.line"
    _description = "Exposure and Aged Receivables"
    _order = "company_id, kind, partner_id, id"
    _rec_name = "partner_id"

    kind = fields.Selection(
        [("buyer", "Buyer"), ("unknown", "Not looked at yet"), ("nobody", "Without partner")],
        readonly=True,
        help="Whether credit was decided for this partner. Items without a partner are nobody's exposure.",
    )
    partner_id = fields.Many2one("res.partner", string="Buyer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    limit_currency_id = fields.Many2one("res.currency", readonly=True)
    as_of = fields.Date(string="As of", readonly=True)
    bucket_not_due = fields.Monetary(string="Not Due", readonly=True)
    bucket_30 = fields.Monetary(string="1-30", readonly=True)
    bucket_60 = fields.Monetary(string="31-60", readonly=True)
    bucket_90 = fields.Monetary(string="61-90", readonly=True)
    bucket_older = fields.Monetary(string="Over 90", readonly=True)
    ledger = fields.Monetary(
        string="Aged Receivables",
        readonly=True,
        help="Open receivable items under this very name in this very company.",
    )
    contacts = fields.Monetary(readonly=True, help="Items booked on contacts and addresses: they roll up to the buyer.")
    branches = fields.Monetary(readonly=True, help="Items of branches: they roll up to the root company.")
    nobody = fields.Monetary(
        string="No Partner", readonly=True, help="Items without a partner, taken off: they are nobody's exposure."
    )
    drafts = fields.Monetary(
        string="Matched with Drafts",
        readonly=True,
        help="What payments, credit notes and invoices in draft took of posted items: only what is posted settles.",
    )
    confirmed = fields.Monetary(
        string="Confirmed Orders", readonly=True, help="Confirmed and not yet invoiced, at today's rate."
    )
    valuation = fields.Monetary(
        readonly=True,
        help="Items in the currency of the limit count as they are: at today's rate they differ from what was booked.",
    )
    exposure = fields.Monetary(readonly=True)
    exposure_limit = fields.Monetary(string="In Limit Currency", currency_field="limit_currency_id", readonly=True)
    unexplained = fields.Monetary(readonly=True)

    # === ACTION METHODS === #

    def action_open_exposure(self):
        """The documents behind the exposure of this line."""
        self.ensure_one()
        self.check_access("read")
        return self.env["credit.insurance.exposure.line"]._open(
            self.partner_id, self.company_id, self.limit_currency_id
        )

    @api.model
    def action_open_report(self):
        """The report of the user's companies as of now, whichever of them are ticked."""
        self.check_access("read")
        lines = self._make_lines(self.env.user.company_ids.root_id & self.env.user.company_ids)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("credit_insurance.credit_insurance_reconciliation_action"),
            "domain": [("id", "in", lines.ids)],
            # A difference that nobody has needs no column.
            "context": {f"show_{name}": any(lines.mapped(name)) for name in SELDOM},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _make_lines(self, companies):
        """The lines of these root companies, made for the user alone."""
        values = [vals for company in companies.sudo() for vals in self._prepare_company_vals(company)]
        return self.sudo().create(values).sudo(False)

    @api.model
    def _prepare_company_vals(self, company):
        today = company._credit_today()
        ledgers = self._read_ledger(company, today)
        records = self.env["credit.insurance.buyer"].sudo().with_context(active_test=False)
        buyers = records.search([("company_id", "=", company.id), ("merged_into_id", "=", False)])
        known = {buyer.partner_id.id: buyer for buyer in buyers}
        drafts = self._read_drafts(company)
        partner_ids = {*(key for key in ledgers if key), *drafts, *self._get_partners_with_orders(company), *known}
        model = self.env["credit.insurance.exposure"].sudo()
        rows = model._get_rows(sorted(partner_ids), company.ids, today)
        result = []
        for partner_id in [*sorted(partner_ids), None]:
            buyer = known.get(partner_id)
            amounts = {**ledgers.get(partner_id, {}), **drafts.get(partner_id, {})}
            if not amounts and not rows.get((partner_id, company.id)):
                continue
            currency = buyer.currency_id if buyer else company.currency_id
            exposure = self._compute_exposure(rows.get((partner_id, company.id), ()), company, currency, today)
            kind = "nobody" if partner_id is None else "buyer" if buyer else "unknown"
            shared = {"kind": kind, "partner_id": partner_id, "company_id": company.id, "as_of": today}
            currencies = {"currency_id": company.currency_id.id, "limit_currency_id": currency.id}
            result.append(currencies | shared | self._explain(amounts, exposure, company.currency_id))
        return result

    @api.model
    def _explain(self, amounts, exposure, currency):
        """Every figure rounded; what rounding to the cent leaves over goes to the valuation, which is converted."""
        names = (*BUCKETS, "ledger", "contacts", "branches", "nobody", "drafts")
        exact = dict.fromkeys(names, Decimal(0)) | amounts | exposure
        exact |= {"ledger": exact["ledger"] + exact["nobody"], "nobody": -exact["nobody"]}
        values = {name: currency.round(float(amount)) for name, amount in exact.items()}
        reasons = ("ledger", "contacts", "branches", "nobody", "drafts", "confirmed", "valuation")
        left = currency.round(values["exposure"] - sum(values[name] for name in reasons))
        if abs(left) <= len(reasons) * currency.rounding:
            values["valuation"], left = currency.round(values["valuation"] + left), 0.0
        return values | {"unexplained": left}

    @api.model
    def _compute_exposure(self, rows, company, currency, today):
        """Exposure in both currencies, and what of it the ledger does not show, in the company's."""
        model = self.env["credit.insurance.exposure"].sudo()
        base = company.currency_id

        def in_base(amount, source):
            return model._convert(amount, source, base, company, today)

        exposure_limit = sum(model._convert_rows(rows, company, currency, today).values(), Decimal(0))
        confirmed = valuation = Decimal(0)
        for row in rows:
            document = self.env["res.currency"].browse(row.currency_id)
            if row.amount_company is None:
                confirmed += in_base(row.amount, document)
            elif document == currency:
                valuation += in_base(row.amount, document) - row.amount_company
        return {
            "exposure_limit": exposure_limit,
            "exposure": in_base(exposure_limit, currency),
            "confirmed": confirmed,
            "valuation": valuation,
        }

    @api.model
    def _read_ledger(self, company, today):
        """Open receivable items per buyer, as the aged receivables of the ledger show them: ``{id or None: {…}}``."""
        self.env.flush_all()
        result = defaultdict(lambda: defaultdict(Decimal))
        for buyer_id, place, bucket, amount in self.env.execute_query(
            SQL(
                """
                SELECT p.commercial_partner_id,
                       CASE WHEN p.id IS NULL THEN 'nobody' WHEN l.company_id <> %(company)s THEN 'branches'
                            WHEN p.id <> p.commercial_partner_id THEN 'contacts' ELSE 'ledger' END,
                       CASE WHEN COALESCE(l.date_maturity, l.date) >= %(today)s THEN 'bucket_not_due'
                            WHEN COALESCE(l.date_maturity, l.date) >= %(today)s::date - 30 THEN 'bucket_30'
                            WHEN COALESCE(l.date_maturity, l.date) >= %(today)s::date - 60 THEN 'bucket_60'
                            WHEN COALESCE(l.date_maturity, l.date) >= %(today)s::date - 90 THEN 'bucket_90'
                            ELSE 'bucket_older' END,
                       SUM(l.amount_residual)::text
                  FROM account_move_line l
                  JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
                  JOIN res_company c ON c.id = l.company_id AND split_part(c.parent_path, '/', 1)::int = %(company)s
                  LEFT JOIN res_partner p ON p.id = l.partner_id
                 WHERE l.parent_state = 'posted' AND l.reconciled IS NOT TRUE
                 GROUP BY 1, 2, 3
                """,
                company=company.id,
                today=today,
            )
        ):
            result[buyer_id][place] += Decimal(amount)
            result[buyer_id][bucket] += Decimal(amount)
        return result

    @api.model
    def _read_drafts(self, company):
        """What drafts took of posted items of each buyer: ``{id: {"drafts": amount}}``."""
        query = SQL(
            """
            SELECT p.commercial_partner_id, SUM(t.booked)::text
              FROM (%s) t
              JOIN account_move_line l ON l.id = t.item_id
              JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
              JOIN res_partner p ON p.id = l.partner_id
             GROUP BY 1
            """,
            taken_in_sql(int_array(company.ids)),
        )
        return {buyer_id: {"drafts": Decimal(amount)} for buyer_id, amount in self.env.execute_query(query)}

    @api.model
    def _get_partners_with_orders(self, company):
        """Buyers who have confirmed orders, or orders invoiced by drafts alone: they may owe without a journal item."""
        query = SQL(
            """
            SELECT DISTINCT p.commercial_partner_id
              FROM sale_order o
              JOIN res_partner p ON p.id = o.partner_invoice_id
              JOIN res_company c ON c.id = o.company_id AND split_part(c.parent_path, '/', 1)::int = %(company)s
             WHERE %(open_order)s
            """,
            company=company.id,
            open_order=OPEN_ORDER,
        )
        return [partner_id for (partner_id,) in self.env.execute_query(query)]
