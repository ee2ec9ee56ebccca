"""Customers who owe something although nobody ever looked at them: the rules watch them too.

They get a credit record without a limit, which changes nothing for the gate: what the company grants buyers that nobody
has looked at goes by their limits. Who buys for cash or pays in advance is not taken up.
"""

from odoo import api, models
from odoo.tools import SQL, split_every

from odoo.addons.credit_insurance.rules.risk import Scope

from .ledger_sql import OPEN_ITEM, RECEIVABLE, taken_in_sql

AT_ONCE = 1000
UNKNOWN = """
    SELECT DISTINCT p.commercial_partner_id, c.root_id
      FROM (SELECT l.partner_id, l.company_id
              FROM account_move_line l
             WHERE %(open)s AND l.amount_residual > 0 AND l.account_id = ANY(ARRAY(%(receivable)s)) AND %(whose)s
             GROUP BY 1, 2
             UNION
            SELECT l.partner_id, l.company_id
              FROM (%(taken)s) t
              JOIN account_move_line l ON l.id = t.item_id
             WHERE t.booked > 0 AND l.account_id = ANY(ARRAY(%(receivable)s)) AND %(whose)s) i
      JOIN res_partner p ON p.id = i.partner_id
      JOIN (SELECT id, split_part(parent_path, '/', 1)::int AS root_id FROM res_company) c ON c.id = i.company_id
     WHERE c.root_id = ANY(%(roots)s)
       AND NOT EXISTS (SELECT FROM credit_insurance_buyer b
                        WHERE b.partner_id = p.commercial_partner_id AND b.company_id = c.root_id)
     ORDER BY 2, 1
"""


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    @api.model
    def _take_up_debtors(self, partners=None):
        """The credit records made for customers who owe something on account and have none, in companies with rules.

        :param partners: their commercial partners; None: everybody's
        """
        buyers = self.sudo().with_context(tracking_disable=True, mail_create_nosubscribe=True)
        companies = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        watching = companies.filtered(buyers._has_rules_about_debtors)
        if not watching:
            return buyers.browse()
        whose = SQL("TRUE")
        if partners is not None:
            family = self.env["res.partner"].sudo().with_context(active_test=False)
            whose = SQL("l.partner_id = ANY(%s)", family.search([("commercial_partner_id", "in", partners.ids)]).ids)
        self.env.flush_all()
        found = self.env.execute_query(
            SQL(
                UNKNOWN,
                open=OPEN_ITEM,
                receivable=RECEIVABLE,
                whose=whose,
                taken=taken_in_sql(SQL("%s", watching.ids)),
                roots=watching.ids,
            )
        )
        currencies = {company.id: company.currency_id.id for company in watching}
        made = buyers.browse()
        for rows in split_every(AT_ONCE, found, list):
            made |= buyers.create(
                [{"partner_id": row[0], "company_id": row[1], "currency_id": currencies[row[1]]} for row in rows]
            )
        return made

    @api.model
    def _has_rules_about_debtors(self, company):
        """Whether an active rule looks at the company's buyers or their invoices."""
        loaded = self.env["credit.insurance.screening"].sudo()._get_ready_engine(company)
        return bool(loaded) and any(
            rule.scope in (Scope.BUYER, Scope.INVOICE) and str(company.id) in (rule.companies or (str(company.id),))
            for rule in loaded.engine.pack.rules
        )
