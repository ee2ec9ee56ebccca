"""What the buyer's payments count for on a claim, beside what the ledger matched them with.

Before the date of loss they count for the oldest invoice; what comes in once it is claimed is shared with the insurer.
"""

from odoo import api, fields, models
from odoo.tools import SQL, format_list

from odoo.addons.credit_insurance.rules.policy import MissingRate, Money, insurers_share, open_oldest_first

from .amounts import to_decimal
from .company_calendar import company_today
from .credit_insurance_split import PAYMENT


class CreditInsuranceClaim(models.Model):
    _inherit = "credit.insurance.claim"

    counted_elsewhere = fields.Json(readonly=True, copy=False)
    recovered_amount = fields.Monetary(
        string="Recovered",
        compute="_compute_recoveries",
        help="Payments on the claimed invoices, from the date of loss on, that came after the claim was submitted.",
    )
    insurer_recovery = fields.Monetary(
        string="Of It for the Insurer",
        compute="_compute_recoveries",
        help="Recoveries are shared pro rata between what is insured and what is not. This part is owed once the "
        "indemnity is paid, and is not more than that.",
    )

    # === COMPUTE METHODS === #

    @api.depends("amount_insured", "amount_open", "submitted_on", "live", "date_of_loss", "paid_amount")
    def _compute_recoveries(self):
        self.env.flush_all()
        found = dict(self.env.execute_query(self._recoveries_sql()))
        for claim in self:
            currency = claim.currency_id
            recovered, insured, loss = (
                Money(to_decimal(amount, currency), currency.name)
                for amount in (found.get(claim._origin.id, 0.0), claim.amount_insured, claim.amount_open)
            )
            share = insurers_share(recovered, insured=insured, loss=loss, decimal_places=currency.decimal_places)
            claim.recovered_amount = recovered.amount
            claim.insurer_recovery = min(share.amount, to_decimal(claim._get_indemnity(), currency))

    def _recoveries_sql(self):
        """Per claim what the buyer paid since it was submitted, in policy currency at the claim's rates."""
        return SQL(
            """
            SELECT c.id, SUM(r.debit_amount_currency * n.rate)
              FROM credit_insurance_claim_line n
              JOIN credit_insurance_claim c ON c.id = n.claim_id
              JOIN credit_insurance_buyer b ON b.id = c.buyer_id
              JOIN account_move_line l ON l.move_id = n.move_id
              JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
              JOIN account_partial_reconcile r ON r.debit_move_id = l.id
              JOIN account_move_line k ON k.id = r.credit_move_id
              JOIN res_partner p ON p.id = k.partner_id AND p.commercial_partner_id = b.partner_id
             WHERE c.id = ANY(%s) AND c.live AND r.create_date > c.submitted_on AND r.max_date >= c.date_of_loss AND %s
             GROUP BY 1
            """,
            list(self._origin.ids),
            PAYMENT,
        )

    def _get_warnings(self):
        warnings = super()._get_warnings()
        less = self.line_ids.filtered(
            lambda line: self.currency_id.compare_amounts(line.counted_open, line.policy_open) < 0
        )
        if less:
            paid = [(line.number, line.policy_open - line.counted_open) for line in less]
            warnings.append(
                self.env._(
                    "The insurer counts payments before the date of loss for the oldest invoice, so that it sees as "
                    "paid: %s",
                    self._describe_amounts(paid),
                )
            )
            if self.counted_elsewhere:
                warnings.append(
                    self.env._(
                        "It sees as open, beside what is claimed: %s", self._describe_amounts(self.counted_elsewhere)
                    )
                )
        return warnings

    def _describe_amounts(self, amounts):
        texts = [f"{number} ({self.currency_id.format(float(amount))})" for number, amount in amounts]
        return format_list(self.env, texts)

    # === BUSINESS METHODS === #

    def _count_for_oldest(self):
        """Write what the policy counts as open of each invoice of draft claims, and of others of the buyer."""
        for claim in self.sudo().filtered(lambda claim: claim.state == "draft"):
            ledger, counted = self.env["credit.insurance.split"]._get_open_oldest_first(claim)
            for line in claim.line_ids:
                line.counted_open = counted.get(line.move_id.id, line.policy_open)
            more = [
                (move_id, counted[move_id] - ledger[move_id])
                for move_id in counted.keys() - set(claim.line_ids.move_id.ids)
                if counted[move_id] > ledger[move_id]
            ]
            moves = self.env["account.move"].sudo().browse
            claim.counted_elsewhere = [[moves(move_id).name, str(amount)] for move_id, amount in sorted(more)]


class CreditInsuranceSplit(models.AbstractModel):
    _inherit = "credit.insurance.split"

    @api.model
    def _get_open_oldest_first(self, claim):
        """What is open of each invoice of the claim's buyer in the ledger, and as the policy counts it.

        :return: two times ``{move id: Decimal}``, in policy currency; empty where the policy counts as the ledger,
            and while its currency has no rate
        """
        buyer, policy, company = claim.buyer_id, claim.policy_id, claim.company_id
        rows = self._get_invoice_facts(buyer, policy.payments_to_oldest and policy.date_start)[buyer.id]
        if not rows:
            return {}, {}
        currency, today = policy.currency_id, company_today(company)
        try:
            rate_of = self._get_booked_rates(company, currency, rows)
        except MissingRate:
            # The claim's lines stand at nothing insured, and each of its invoices names the currency.
            return {}, {}
        invoices = [self._make_invoice(row, rate_of(row)) for row in rows]
        counted = open_oldest_first(
            invoices,
            currency=currency.name,
            today=today,
            date_of_loss=claim.date_of_loss or None,
            unmatched=self._get_unmatched_money(claim, today),
            decimal_places=currency.decimal_places,
        )
        ledger = {
            invoice.number: Money(invoice.open_on(today) * invoice.rate_to(currency.name), currency.name).rounded(
                currency.decimal_places
            )
            for invoice in invoices
        }
        return [
            {self._get_move_id(number): money.amount for number, money in figures.items()}
            for figures in (ledger, counted)
        ]

    @api.model
    def _get_unmatched_money(self, claim, today):
        """What the buyer paid before the date of loss that is matched with nothing yet, in policy currency."""
        company = claim.company_id
        query = SQL(
            """
            SELECT -SUM(k.amount_residual)
              FROM account_move_line k
              JOIN account_account a ON a.id = k.account_id AND a.account_type = 'asset_receivable'
              JOIN res_partner p ON p.id = k.partner_id AND p.commercial_partner_id = %s
              JOIN res_company c ON c.id = k.company_id AND split_part(c.parent_path, '/', 1)::int = %s
             WHERE k.parent_state = 'posted' AND k.amount_residual < 0 AND k.date < %s AND %s
            """,
            claim.partner_id.id,
            company.id,
            claim.date_of_loss or today,
            PAYMENT,
        )
        [[amount]] = self.env.execute_query(query)
        home = company.currency_id
        return self.env["credit.insurance.exposure"]._convert(
            to_decimal(amount or 0.0, home), home, claim.currency_id, company, today
        )
