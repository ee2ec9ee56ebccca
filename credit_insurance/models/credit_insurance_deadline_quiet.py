"""Deadlines that raise no alarm: what is open is too small, or its money is in the bank and not matched yet.

open instalments, oldest due first ─┐
unmatched bank statement lines ─────┼─> what is left of each < the policy's tolerance, or nothing: quiet
tolerance of the policy ────────────┘
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .ledger_sql import open_items_sql
from .sql_functions import int_array

# The deadlines of which somebody may be warned.
LIVE = ("pending", "missed", "reached")


class CreditInsuranceDeadline(models.Model):
    _inherit = "credit.insurance.deadline"

    quiet = fields.Selection(
        [("small", "Small amount"), ("in_bank", "Money in the bank")],
        string="No Alarm",
        readonly=True,
        help="Nobody is warned of this deadline: what is open is below the policy's tolerance, or a bank statement has "
        "the money for it and waits to be matched. Worked out when something changes, and every day.",
    )

    @api.model
    def _update_quiet(self, buyers):
        """Work out again which deadlines of these buyers raise an alarm.

        Money in the bank goes to the oldest due dates of its customer, insured or not.
        """
        self.env.flush_all()
        for company, own in buyers.sudo().grouped("company_id").items():
            policies = self.env["credit.insurance.policy"].sudo().with_context(active_test=False)
            if policies := policies.search([("company_id", "=", company.id)]):
                changed = self.env.execute_query(self._quiet_sql(own.partner_id.ids, company, policies))
                self.browse(id_ for (id_,) in changed).invalidate_recordset(["quiet"])

    @api.model
    def _get_buyers(self, domain):
        """The buyers with live deadlines like these."""
        groups = self.sudo()._read_group(
            Domain(domain) & Domain("state", "in", LIVE), ["company_id"], ["partner_id:recordset"]
        )
        buyers = self.env["credit.insurance.buyer"].sudo()
        for company, partners in groups:
            buyers |= buyers.search(
                [("company_id", "=", company.root_id.id), ("partner_id", "in", partners.ids)], order="id"
            )
        return buyers

    @api.model
    def _cron_update(self):
        result = super()._cron_update()
        # A merge of contacts brings an insolvency to invoices without anybody entering it.
        self._sync_buyers(self.env["credit.insurance.event"].sudo().search([("kind", "=", "insolvency")]).buyer_id)
        self._update_quiet(self._get_buyers([]))
        return result

    @api.model
    def _quiet_sql(self, partner_ids, company, policies):
        today, partners = company._credit_today(), int_array(partner_ids)
        return SQL(
            """
            WITH open AS (
                SELECT q.*, SUM(q.booked) OVER (PARTITION BY q.buyer_id ORDER BY q.due, q.move_id) AS so_far
                  FROM (SELECT i.buyer_id, i.due, l.move_id, i.currency_id, SUM(i.amount) AS amount,
                               SUM(i.booked) AS booked
                          FROM (%(items)s) i
                          JOIN account_move_line l ON l.id = i.item_id
                         WHERE i.source <> 'credits'
                         GROUP BY 1, 2, 3, 4) q
            ), bank AS (
                SELECT buyer_id, SUM(amount - GREATEST(0, LEAST(amount, registered))) AS amount
                  FROM (SELECT buyer_id, journal_id, SUM(amount) AS amount, SUM(registered) AS registered
                          FROM (%(transfers)s UNION ALL %(registered)s) t
                         GROUP BY 1, 2) j
                 GROUP BY 1
            ), known AS (
                SELECT o.move_id, o.due, v.policy_id, b.amount > 0 AND o.so_far <= b.amount AS paid,
                       CASE WHEN o.currency_id = v.currency_id THEN o.amount ELSE o.booked * v.per_unit END
                           < v.tolerance AS small,
                       (o.so_far - b.amount) * CASE WHEN o.currency_id = v.currency_id THEN o.amount / o.booked
                                                    ELSE v.per_unit END < v.tolerance AND b.amount > 0 AS rest_small
                  FROM open o
                 CROSS JOIN (%(policies)s) v
                  LEFT JOIN bank b ON b.buyer_id = o.buyer_id
                 WHERE o.booked <> 0
            ), judged AS (
                SELECT d.id, CASE WHEN k.small THEN 'small' WHEN k.paid OR k.rest_small THEN 'in_bank' END AS quiet
                  FROM credit_insurance_deadline d
                  LEFT JOIN known k ON k.move_id = d.move_id AND k.due = d.due_date AND k.policy_id = d.policy_id
                 WHERE d.partner_id = ANY(%(partners)s) AND d.state = ANY(%(live)s)
                   AND d.company_id IN (SELECT id FROM res_company
                                         WHERE split_part(parent_path, '/', 1)::int = %(company)s)
            )
            UPDATE credit_insurance_deadline d
               SET quiet = j.quiet
              FROM judged j
             WHERE j.id = d.id AND d.quiet IS DISTINCT FROM j.quiet
            RETURNING d.id
            """,
            items=open_items_sql(partners, int_array(company.ids), today),
            transfers=self._transfers_sql(partners, company),
            registered=self._registered_sql(partners, company),
            partners=partners,
            company=company.id,
            policies=self._tolerances_sql(policies, company, today),
            live=list(LIVE),
        )

    @api.model
    def _transfers_sql(self, partners, company):
        """What unmatched bank statement lines received, in the company's currency."""
        return SQL(
            """
            SELECT p.commercial_partner_id AS buyer_id, m.journal_id, -l.balance AS amount, 0 AS registered
              FROM account_bank_statement_line s
              JOIN res_partner p ON p.id = s.partner_id AND p.commercial_partner_id = ANY(%s)
              JOIN account_move m ON m.id = s.move_id AND m.state = 'posted'
              JOIN account_journal j ON j.id = m.journal_id
              JOIN account_move_line l ON l.move_id = m.id AND l.account_id = j.suspense_account_id
              JOIN res_company c ON c.id = m.company_id AND split_part(c.parent_path, '/', 1)::int = %s
             WHERE s.is_reconciled IS NOT TRUE
            """,
            partners,
            company.id,
        )

    @api.model
    def _registered_sql(self, partners, company):
        """Payments that were registered before the bank told of them: their transfers pay nothing else."""
        return SQL(
            """
            SELECT p.commercial_partner_id, y.journal_id, 0, l.amount_residual
              FROM account_payment y
              JOIN res_partner p ON p.id = y.partner_id AND p.commercial_partner_id = ANY(%s)
              JOIN account_move_line l ON l.move_id = y.move_id AND l.account_id = y.outstanding_account_id
                                      AND l.parent_state = 'posted' AND l.amount_residual > 0
              JOIN res_company c ON c.id = y.company_id AND split_part(c.parent_path, '/', 1)::int = %s
             WHERE y.payment_type = 'inbound'
            """,
            partners,
            company.id,
        )

    @api.model
    def _tolerances_sql(self, policies, company, today):
        """Every policy's tolerance in its currency, and what one unit of the company's currency is worth in that.

        Null where that is not known, and then nothing is small.
        """
        currencies = policies.currency_id
        rates = dict.fromkeys(currencies) | {
            currency: company.currency_id._get_conversion_rate(company.currency_id, currency, company, today)
            for currency in currencies - self.env["credit.insurance.exposure"]._get_unrated(currencies, company)
        }
        return SQL(
            "SELECT * FROM unnest(%s::int[], %s::int[], %s::numeric[], %s::numeric[])"
            " AS v(policy_id, currency_id, tolerance, per_unit)",
            policies.ids,
            [policy.currency_id.id for policy in policies],
            policies.mapped("tolerance"),
            [rates[policy.currency_id] for policy in policies],
        )


class CreditInsurancePolicy(models.Model):
    _inherit = "credit.insurance.policy"

    def write(self, vals):
        result = super().write(vals)
        if "tolerance" in vals:
            deadlines = self.env["credit.insurance.deadline"]
            deadlines._update_quiet(deadlines._get_buyers([("policy_id", "in", self.ids)]))
        return result
