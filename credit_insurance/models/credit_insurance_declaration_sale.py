"""What was told of each invoice, so that what changed since is told as the difference.

told so far (live or given up, per invoice, customer and currency)  ─┐
what the invoice says now; nothing when it is not posted any more  ──┴─>  the difference: a correction

Whether a sale is insurable, and in which country, is judged when it is first told: what becomes of the buyer or of its
cover later takes nothing back. A credit note is a sale of its own, not a change.
"""

from odoo import fields, models
from odoo.tools import SQL

from . import credit_insurance_declaration  # noqa: F401 (has to be loaded first)

# What each line, found by its reference, tells of each invoice.
INSERT_TOLD = """
    INSERT INTO credit_insurance_declaration_sale
           (line_id, company_id, move_id, invoice_key, partner_id, number, day, currency_id, amount)
    SELECT line.id, %(company)s, told.move_id, told.invoice_key, told.partner_id, told.number, told.day,
           told.currency_id, told.amount
      FROM %(entries)s told
      JOIN line ON line.reference = told.reference
"""


class CreditInsuranceDeclarationSale(models.Model):
    """What a line of a declaration tells of one invoice. Written by the addon alone; stays when the invoice goes."""

    _name = "credit.insurance.declaration.sale"
    _description = "Invoice in a Declaration"
    _order = "line_id, day, number, id"
    _rec_name = "number"
    _log_access = False

    line_id = fields.Many2one(
        "credit.insurance.declaration.line", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    move_id = fields.Many2one(
        "account.move", string="Invoice", readonly=True, ondelete="set null", index="btree_not_null"
    )
    invoice_key = fields.Integer(required=True, readonly=True, index=True, help="The invoice, also once it is deleted.")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True, ondelete="restrict")
    number = fields.Char(string="Invoice Number", readonly=True)
    day = fields.Date(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(string="Declared", readonly=True, help="A correction tells the difference.")


class CreditInsuranceDeclaration(models.Model):
    _inherit = "credit.insurance.declaration"

    def _told_sql(self):
        """One row per invoice, customer and currency that was declared, with all that was told of it.

        Not what a draft tells, which is worked out anew, nor what a later period told: there it is corrected.
        """
        return SQL(
            """
            SELECT t.invoice_key, t.partner_id, d.currency_id, MAX(t.move_id) AS move_id, MAX(t.number) AS number,
                   MAX(d.country_id) AS country_id, MAX(d.buyer_id) AS buyer_id, MIN(t.day) AS day,
                   SUM(t.amount) AS amount, (ARRAY_AGG(d.declaration_id ORDER BY t.id))[1] AS declaration_id
              FROM credit_insurance_declaration_sale t
              JOIN credit_insurance_declaration_line d ON d.id = t.line_id
              JOIN credit_insurance_declaration s ON s.id = d.declaration_id
             WHERE d.policy_id = %(policy)s AND d.kind = %(kind)s AND (d.live OR d.given_up)
               AND (d.left_out IS NULL OR d.left_out = 'changed')
             GROUP BY t.invoice_key, t.partner_id, d.currency_id
            HAVING BOOL_OR(d.live AND d.left_out IS NULL)
               AND BOOL_AND(s.state <> 'draft' AND s.period_to <= %(period_to)s)
            """,
            policy=self.policy_id.id,
            kind=self.kind,
            period_to=self.period_to,
        )

    def _corrections_sql(self):
        """One row per invoice of ``told`` that is worth another amount now, by ``posted``; with the difference."""
        return SQL(
            """
            SELECT k.move_id, k.invoice_key, k.partner_id, k.number, k.currency_id, k.country_id, k.buyer_id, k.day,
                   now.amount - k.amount AS amount, now.amount - k.amount AS insured_amount, NULL::int AS term,
                   %(left_out)s AS left_out, k.declaration_id AS corrects_id
              FROM told k
              LEFT JOIN posted s ON s.id = k.invoice_key AND s.partner_id = k.partner_id
                                AND s.currency_id = k.currency_id
             CROSS JOIN LATERAL (SELECT COALESCE(s.amount, 0) AS amount) now
             WHERE now.amount <> k.amount
            """,
            left_out=SQL("'changed'") if self.kind == "shipments" else SQL("NULL"),
        )
