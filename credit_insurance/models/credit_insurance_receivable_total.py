from datetime import timedelta

from odoo import api, fields, models

STALE_MINUTES = 10


class CreditInsuranceReceivableTotal(models.Model):
    """The open receivables of a company, summed before a screening: each of its blocks needs them."""

    _name = "credit.insurance.receivable.total"
    _description = "Receivables of a Company"
    _rec_name = "company_id"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    amount = fields.Float(digits=(16, 4), required=True)
    summed_at = fields.Datetime(required=True)

    _company_uniq = models.UniqueIndex("(company_id)", "The receivables of a company stand once.")

    @api.model
    def _refresh(self, companies):
        """Sum what was not summed within the last minutes."""
        since = fields.Datetime.now() - timedelta(minutes=STALE_MINUTES)
        fresh = self.sudo().search([("company_id", "in", companies.ids), ("summed_at", ">=", since)]).company_id
        stale = companies - fresh
        if not stale:
            return
        self.env.flush_all()
        totals = self.env["credit.insurance.signals"]._sum_receivables(stale.ids)
        rows = [(company.id, str(totals.get(company.id, 0))) for company in stale]
        self.env.cr.execute_values(
            """
            INSERT INTO credit_insurance_receivable_total (company_id, amount, summed_at)
            VALUES %s
            ON CONFLICT (company_id) DO UPDATE SET amount = EXCLUDED.amount, summed_at = EXCLUDED.summed_at
            """,
            rows,
            template="(%s, %s::numeric, now() AT TIME ZONE 'UTC')",
        )
        self.invalidate_model()
