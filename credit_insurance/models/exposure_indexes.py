"""Indexes over what is still open, so that exposure never reads the history of a buyer. See ``exposure_sql``."""

from odoo import api, fields, models

from .matched_drafts_sql import MATCHED_DRAFT


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # With all that exposure asks of an item, so that the items of a large buyer are summed without reading its rows.
    # Few columns of an open item change that the condition does not name, so keeping it costs little.
    _credit_insurance_open_idx = models.Index(
        "(partner_id, company_id)"
        " INCLUDE (account_id, currency_id, amount_residual, amount_residual_currency, date_maturity, date,"
        " invoice_date, credit_insurance_original_due_date)"
        " WHERE parent_state = 'posted' AND (amount_residual <> 0 OR amount_residual_currency <> 0)"
    )
    # What was paid, for how late buyers pay.
    _credit_insurance_paid_idx = models.Index(
        "(partner_id, company_id)"
        " WHERE parent_state = 'posted' AND reconciled AND display_type = 'payment_term' AND balance > 0"
    )
    # What settles nothing although it is matched.
    _credit_insurance_draft_idx = models.Index(f"(company_id) WHERE {MATCHED_DRAFT}")


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # An order counts as invoiced for Odoo as soon as a draft invoices it, whoever that is going to: it stays open here.
    credit_insurance_drafted = fields.Boolean(
        compute="_compute_credit_insurance_drafted", store=True, copy=False, groups="base.group_system"
    )

    # A quotation that was an order: what had been delivered of it is owed, be it confirmed again or not.
    credit_insurance_reopened = fields.Boolean(copy=False, readonly=True, groups="base.group_system")

    _credit_insurance_open_idx = models.Index(
        "(partner_invoice_id) WHERE (state IN ('sale', 'cancel') OR credit_insurance_reopened)"
        " AND (invoice_status <> 'invoiced' OR credit_insurance_drafted)"
    )

    @api.depends("order_line.invoice_lines.parent_state")
    def _compute_credit_insurance_drafted(self):
        for order in self:
            states = order.order_line.invoice_lines.mapped("parent_state")
            order.credit_insurance_drafted = "draft" in states
