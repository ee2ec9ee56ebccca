from decimal import Decimal

from odoo import fields, models

from odoo.addons.credit_insurance.rules.policy import InvoiceDates, InvoiceLoss, Money, invoice_deadlines

from . import credit_insurance_submission_line  # noqa: F401 (has to be loaded first)
from .amounts import to_decimal
from .company_calendar import company_holidays


class CreditInsuranceClaimLine(models.Model):
    """One invoice of a claim. People choose the invoice; every figure is worked out, and frozen with the claim."""

    _name = "credit.insurance.claim.line"
    _description = "Invoice of a Claim"
    _inherit = ["credit.insurance.submission.line"]
    _order = "claim_id, due_date, id"

    _submission_field = "claim_id"

    claim_id = fields.Many2one("credit.insurance.claim", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="claim_id.company_id", store=True)
    partner_id = fields.Many2one(related="claim_id.partner_id")
    live = fields.Boolean(related="claim_id.live", store=True)
    policy_currency_id = fields.Many2one(related="claim_id.currency_id", string="Policy Currency")
    policy_open = fields.Monetary(string="Claimed", currency_field="policy_currency_id", readonly=True)
    covered = fields.Monetary(currency_field="policy_currency_id", readonly=True)
    insured = fields.Monetary(currency_field="policy_currency_id", readonly=True)
    counted_open = fields.Monetary(
        string="Open as the Policy Counts",
        currency_field="policy_currency_id",
        readonly=True,
        help="What is open when payments before the date of loss count for the oldest invoice, whatever they were "
        "matched with.",
    )
    insured_percentage = fields.Float(digits=(16, 6), readonly=True)
    rate = fields.Float(
        digits=(16, 10), readonly=True, help="Units of the policy's currency per unit of the invoice's."
    )
    rate_date = fields.Date(readonly=True)
    date_of_loss = fields.Date(string="Date of Loss", readonly=True)
    claim_deadline = fields.Date(string="Last Day to Claim", readonly=True)
    notified_late = fields.Boolean(
        readonly=True, help="The insurer heard of the invoice after the last day to notify, or has not heard of it."
    )

    _live_uniq = models.UniqueIndex("(move_id) WHERE live", "This invoice is claimed already.")

    # === BUSINESS METHODS === #

    def _describe_refused(self, names):
        return self.env._("Figures of a claim cannot be written: %s", names)

    def _refresh_figures(self):
        """Write the figures of the lines from their invoices: all invoices of the buyers are split at once."""
        lines = self.sudo()
        splits = self.env["credit.insurance.split"]._get_splits(lines.move_id)
        for line in lines:
            line.write(line._prepare_figures(splits.get(line.move_id.id)))
        lines.claim_id._count_for_oldest()

    def _prepare_figures(self, split=None):
        move, policy = self.move_id, self.claim_id.policy_id
        cover = split.cover if split and split.policy_id == policy.id else None
        rate = cover.rate if cover else Decimal(1 if move.currency_id == policy.currency_id else 0)
        policy_open = cover.open.amount if cover else to_decimal(move.amount_residual, move.currency_id) * rate
        given = sum((part.covered for part in cover.parts), Decimal(0)) if cover else Decimal(0)
        return {
            **super()._prepare_figures(),
            "policy_open": policy_open,
            "covered": cover.covered.amount if cover else 0.0,
            "insured": cover.insured.amount if cover else 0.0,
            "insured_percentage": sum(part.insured for part in cover.parts) / given * 100 if given else 0.0,
            "rate": rate,
            "rate_date": cover.rate_date if cover else False,
            "notified_late": self._is_notified_late(self.claim_id.company_id._credit_today()),
            **self._prepare_dates(),
        }

    def _prepare_dates(self):
        """Date of loss and last day to claim, by the claim's cause, from the first due date of the invoice."""
        move, claim = self.move_id, self.claim_id
        notice = move.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "notification" and row.done_on)
        deadlines = {
            deadline.kind.value: deadline
            for deadline in invoice_deadlines(
                claim.policy_id._get_terms(),
                InvoiceDates(move.invoice_date, move.credit_insurance_original_due_date or move.invoice_date_due),
                notification_received=min(notice.mapped("done_on"), default=None),
                insolvency_date=claim.insolvency_date or None if claim.cause == "insolvency" else None,
                holidays=company_holidays(move.company_id),
            )
        }
        return {
            "date_of_loss": deadlines["date_of_loss"].date,
            "claim_deadline": deadlines["claim"].last_day,
        }

    def _is_notified_late(self, today):
        """Whether the insurer heard of the overdue invoice after the last day, or has not heard of it by then."""
        notices = self.sudo().move_id.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "notification")
        return any(row.date and (row.done_on or today) > row.date for row in notices)

    def _get_loss(self):
        """This line as the loss the indemnity is worked out from."""
        currency = self.claim_id.currency_id
        lost = self.notified_late and self.claim_id.policy_id.missed_notification == "cover_lost"
        covered = 0.0 if lost else self.covered
        return InvoiceLoss(
            self.number or "",
            Money(to_decimal(self.policy_open, currency), currency.name),
            Money(to_decimal(covered, currency), currency.name),
            Decimal(f"{self.insured_percentage:.6f}") if covered else None,
        )
