"""What sending a claim adds to sending anything to an insurer, and what the insurer's answers mean for it."""

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.credit_insurance.connectors import Claim, ClaimCause, ClaimReceipt, ClaimState, Operation

from .amounts import to_decimal
from .claim_words import PENDING_STATES
from .credit_insurance_submission_job import naive_utc
from .invoice_table import get_invoice_table

STATES = {
    ClaimState.RECEIVED: "acknowledged",
    ClaimState.IN_REVIEW: "in_review",
    ClaimState.ACCEPTED: "accepted",
    ClaimState.PAID: "paid",
    ClaimState.REFUSED: "refused",
}


class CreditInsuranceClaim(models.Model):
    _inherit = "credit.insurance.claim"

    _asked_states = PENDING_STATES
    _waiting_states = ("failed", "uncertain", *PENDING_STATES)
    _answer_states = ("acknowledged", "in_review", "accepted", "paid", "refused")
    _sheet_report = "credit_insurance.action_report_claim"
    _receipt_type = ClaimReceipt

    # === BEFORE IT IS SENT === #

    def _check_ready(self):
        if not self.line_ids:
            raise UserError(self.env._("Claim %s lists no invoice.", self.name))
        if self.cause == "insolvency" and not self.insolvency_date:
            raise UserError(self.env._("Enter the date of the insolvency."))
        unpriced = self.line_ids.filtered(lambda line: line.policy_open <= 0)
        if unpriced:
            raise UserError(
                self.env._(
                    "Nothing is open, or there is no rate to the policy's currency: %s",
                    ", ".join(unpriced.mapped("number")),
                )
            )
        if self.state == "draft":
            self._check_unpaid(self.sudo().line_ids.move_id)

    # === MESSAGES === #

    def _get_operation(self):
        return Operation.SUBMIT_CLAIM

    def _get_status_operation(self):
        return Operation.CLAIM_STATUS

    def _get_message(self):
        currency = self.currency_id
        return Claim(
            reference=self.name,
            policy_number=self.policy_id.number,
            buyer_id=self._get_message_buyer_id(),
            cause=ClaimCause(self.cause),
            invoices=tuple(line._get_message() for line in self.line_ids),
            total=to_decimal(self.amount_open, currency),
            currency=currency.name,
            date_of_loss=self.date_of_loss or None,
            comment=self.comment or "",
        )

    def _is_ours(self, insurer, receipt, message, *, attempted):
        status = insurer.claim_status(receipt.claim_number)
        if (status.claimed_amount, status.currency) != (message.total, message.currency):
            raise UserError(
                self.env._(
                    "The insurer already has another claim under the reference %(reference)s: %(number)s, "
                    "over %(amount)s %(currency)s.",
                    reference=self.name,
                    number=receipt.claim_number,
                    amount=status.claimed_amount,
                    currency=status.currency,
                )
            )
        return True

    # === ANSWERS === #

    def _prepare_receipt_vals(self, receipt):
        return {
            "state": "acknowledged",
            "insurer_reference": receipt.claim_number,
            "acknowledged_on": naive_utc(receipt.received_at),
        }

    def _prepare_status_vals(self, status):
        return {
            "state": STATES.get(status.state, self.state),
            "insurer_reference": status.claim_number or self.insurer_reference,
            "insurer_status_code": status.raw_code,
            "insurer_words": status.words or False,
            "accepted_amount": float(status.accepted_amount or 0),
            "paid_amount": float(status.paid_amount or 0),
            "status_changed_on": naive_utc(status.updated_at),
        }

    def _prepare_answer_vals(self, state, *, amount, decided_on):
        fields_of = {"accepted": ("accepted_amount",), "paid": ("accepted_amount", "paid_amount")}
        return dict.fromkeys(fields_of.get(state, ()) if amount else (), amount)

    def _get_status_answers(self, answers):
        return answers.claim_statuses

    def _get_duties(self):
        """Claiming in time is done. Dunning and notification are duties of their own."""
        deadlines = self.sudo().line_ids.move_id.credit_insurance_deadline_ids
        return deadlines.filtered(lambda deadline: deadline.kind == "claim")

    def _on_changed(self, before):
        if self.state == "refused":
            self._tell_responsible(
                self.env._("Claim %s was refused", self.name), self.insurer_words or self.insurer_status_code
            )

    # === COVER SHEET === #

    def _get_sheet_rows(self):
        cause = dict(self._fields["cause"]._description_selection(self.env))[self.cause]
        labels = {name: self._fields[name]._description_string(self.env) for name in self._fields}
        rows = [
            *super()._get_sheet_rows(),
            (self.env._("Buyer"), self.sudo().partner_id.display_name),
            (self.env._("Buyer's number"), self.sudo()._get_message_buyer_id()),
            (labels["cause"], cause),
            (labels["date_of_loss"], format_date(self.env, self.date_of_loss) if self.date_of_loss else "–"),
            (labels["amount_open"], self.currency_id.format(self.amount_open)),
        ]
        return [*rows, (labels["comment"], self.comment)] if self.comment else rows

    def _get_sheet_table(self):
        return get_invoice_table(self.line_ids)
