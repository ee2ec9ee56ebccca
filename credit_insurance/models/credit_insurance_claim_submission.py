"""Sending a claim exactly once, and following it.

    draft ──submit──> queued ──job: the insurer has our reference? ──no──> send ──┐
                        ▲                      └──────────yes─────────────────────┴──> acknowledged ─> in review ─> …
                        └── failed: the message says why; submitting again asks first, too

The reference is committed before anything is sent, the claim's row is locked while it is, and what may have reached
the insurer without an answer is asked for before it is sent again. So a job that dies anywhere leaves one claim.
"""

from datetime import UTC

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.credit_insurance.connectors import (
    Claim,
    ClaimCause,
    ClaimState,
    ConnectorError,
    NotSupported,
    Operation,
    OverdueInvoice,
    RejectedByInsurer,
)
from odoo.addons.queue_job.exception import RetryableJobError

from .amounts import to_decimal
from .claim_words import PENDING_STATES

ACTIVITY = "credit_insurance.mail_activity_type_claim"
STATES = {
    ClaimState.RECEIVED: "acknowledged",
    ClaimState.IN_REVIEW: "in_review",
    ClaimState.ACCEPTED: "accepted",
    ClaimState.PAID: "paid",
    ClaimState.REFUSED: "refused",
}
MAX_TRIES = 8


class CreditInsuranceClaim(models.Model):
    _inherit = "credit.insurance.claim"

    # === ACTIONS === #

    def action_submit(self):
        """Freeze the figures and have the claim sent by a job; a failed claim is sent again under its reference."""
        self.ensure_one()
        self._prepare_submission()
        self._check_connection()
        self._set_submitted("queued")
        self._delayed("submit", max_retries=MAX_TRIES)._job_submit()
        return True

    def action_mark_sent(self):
        """Record that the claim was handed in by other means, for insurers without a connection."""
        self.ensure_one()
        if self.maybe_sent:
            raise UserError(self.env._("The insurer may have claim %s already: submit it again to ask.", self.name))
        self._prepare_submission()
        self._set_submitted("sent")
        self._close_deadlines()
        return True

    def action_ask_status(self):
        """Have the insurer asked how these claims stand, now."""
        self.check_access("read")
        for claim in self:
            if not claim.insurer_reference:
                raise UserError(self.env._("The insurer has given claim %s no number yet.", claim.name))
            claim._delayed("status")._job_status()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "info", "message": self.env._("The insurer is being asked. The answer appears here.")},
        }

    def _prepare_submission(self):
        """Make sure that the user may submit this claim, that nobody else does, and that its figures are of today."""
        self._check_accountant()
        self._lock_for_user()
        if self.state not in ("draft", "failed"):
            raise UserError(self.env._("Claim %s was submitted already.", self.name))
        if self.state == "draft":
            self._refresh_figures()
        self._check_ready()

    def _set_submitted(self, state):
        self.sudo().write(
            {
                "state": state,
                "submitted_on": fields.Datetime.now(),
                "submitted_by_id": self.env.uid,
                "error_message": False,
            }
        )

    def _check_accountant(self):
        self.check_access("write")
        if not self.env.user.has_group("account.group_account_invoice"):
            raise AccessError(self.env._("Claims are submitted by accountants."))

    def _lock_for_user(self):
        if not self.sudo().try_lock_for_update():
            raise UserError(self.env._("Claim %s is being sent at this moment.", self.name))
        self.invalidate_recordset()

    def _check_ready(self):
        """What can be known to be wrong is told to the person, not to the insurer."""
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

    def _check_connection(self):
        account = self.sudo().policy_id.account_id
        if not account:
            raise UserError(
                self.env._(
                    "Policy %s has no connection to its insurer: mark the claim as sent by hand.", self.policy_id.number
                )
            )
        if refusal := account._get_refusal():
            raise UserError(refusal)
        if not self._get_insurer_buyer_id():
            raise UserError(
                self.env._(
                    "The number of %(buyer)s at %(insurer)s is not known: link the buyer first.",
                    buyer=self.partner_id.display_name,
                    insurer=account.insurer_id.name,
                )
            )

    # === JOBS === #

    def _delayed(self, step, **options):
        # Never at once, whatever the caller's context says: the context comes from the client.
        claim = self.with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        key = f"credit_insurance.claim-{self.id}-{step}"
        return claim.with_delay(identity_key=key, description=f"Claim {self.name}: {step}", **options)

    def _job_submit(self):
        """Send the claim unless the insurer has it, and record the answer."""
        self.ensure_one()
        self._lock_for_job()
        if self.state not in ("queued", "failed"):
            return f"{self.name} is {self.state}: nothing to send"
        account = self.policy_id.account_id
        try:
            with account._connect() as insurer:
                receipt = self._find_or_submit(insurer)
        except ConnectorError as exc:
            # An answer that got lost, or cannot be read: the next try asks whether the insurer has the claim.
            if exc.retryable or exc.may_have_acted:
                raise RetryableJobError(account._explain(exc), seconds=_wait(exc)) from exc
            words = exc.words if isinstance(exc, RejectedByInsurer) else False
            return self._record_failure(account._explain(exc), words=words, unsupported=isinstance(exc, NotSupported))
        except (UserError, ValueError) as exc:
            return self._record_failure(str(exc))
        return self._record_receipt(receipt)

    def _lock_for_job(self):
        if not self.try_lock_for_update():
            raise RetryableJobError(f"{self.name} is being worked on", seconds=10, ignore_retry=True)

    def _find_or_submit(self, insurer):
        """The insurer's receipt of this claim.

        :raise UserError: the insurer has another claim under our reference (a copy of the database, for example)
        """
        message = self._get_message()
        if Operation.FIND_CLAIM in insurer.capabilities():
            receipt = insurer.find_claim(self.name)
            if receipt is not None:
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
                return receipt
        return insurer.submit_claim(message)

    def _get_message(self):
        """This claim as the connectors send it."""
        currency = self.currency_id
        return Claim(
            reference=self.name,
            policy_number=self.policy_id.number,
            buyer_id=self._get_insurer_buyer_id(),
            cause=ClaimCause(self.cause),
            invoices=tuple(line._get_message() for line in self.line_ids),
            total=to_decimal(self.amount_open, currency),
            currency=currency.name,
            date_of_loss=self.date_of_loss or None,
            comment=self.comment or "",
        )

    def _record_receipt(self, receipt):
        self.write(
            {
                "state": "acknowledged",
                "insurer_reference": receipt.claim_number,
                "acknowledged_on": _naive(receipt.received_at),
                "error_message": False,
                "maybe_sent": False,
            }
        )
        self.activity_unlink([ACTIVITY])
        self._close_deadlines()
        return f"{self.name} is {receipt.claim_number} at the insurer"

    def _close_deadlines(self):
        """Claiming in time is done. Dunning and notification are duties of their own."""
        deadlines = self.sudo().line_ids.move_id.credit_insurance_deadline_ids
        deadlines.filtered(lambda deadline: deadline.kind == "claim")._mark_done()

    def _record_failure(self, message, *, words=False, unsupported=False, maybe_sent=False):
        """Nothing was taken in: say why on the claim and in an activity."""
        if unsupported:
            way_out = self.env._("Hand the claim in by other means and mark it as sent by hand.")
            message = f"{message} {way_out}"
        self.write(
            {
                "state": "failed",
                "error_message": message,
                "insurer_words": words or self.insurer_words,
                "maybe_sent": maybe_sent or self.maybe_sent,
            }
        )
        self._tell_responsible(self.env._("Claim %s could not be sent", self.name), message)
        return message

    def _on_submit_failed(self, exc_info, exc_name, exc_message):
        """The job gave up, after all its tries or on an error nobody foresaw: the insurer may have the claim."""
        for claim in self.filtered(lambda claim: claim.state == "queued"):
            claim._record_failure(exc_message or exc_name, maybe_sent=True)

    def _tell_responsible(self, summary, note):
        """One activity for whoever submitted the claim, brought up to date when there is one already."""
        user = self.submitted_by_id or self.user_id
        self.activity_unlink([ACTIVITY])
        self.activity_schedule(ACTIVITY, summary=summary, note=note, user_id=user.id or self.env.uid)

    # === STATUS === #

    @api.model
    def _cron_ask_status(self):
        """Ask about every claim the insurer has not finished with, each in a job of its own."""
        for claim in self.search([("state", "in", PENDING_STATES), ("insurer_reference", "!=", False)]):
            claim._delayed("status")._job_status()

    def _job_status(self):
        """Ask how the claim stands, and show it."""
        self.ensure_one()
        self._lock_for_job()
        account = self.policy_id.account_id
        try:
            with account._connect() as insurer:
                status = insurer.claim_status(self.insurer_reference)
        except ConnectorError as exc:
            if exc.retryable:
                raise RetryableJobError(account._explain(exc), seconds=_wait(exc)) from exc
            # The last known status stays, with the day it is from.
            self.error_message = account._explain(exc)
            return self.error_message
        except UserError as exc:
            self.error_message = str(exc)
            return self.error_message
        return self._apply_status(status)

    def _apply_status(self, status):
        """Take over what the insurer says. A code we do not know is shown as it is and changes no state."""
        before = (self.state, self.insurer_status_code)
        state = STATES.get(status.state, self.state)
        self.write(
            {
                "state": state,
                "insurer_status_code": status.raw_code,
                "insurer_words": status.words or False,
                "accepted_amount": float(status.accepted_amount or 0),
                "paid_amount": float(status.paid_amount or 0),
                "status_changed_on": _naive(status.updated_at),
                "status_checked_on": fields.Datetime.now(),
                "error_message": False,
            }
        )
        if (state, status.raw_code) != before:
            self.message_post(
                body=self.env._("The insurer says: %(code)s. %(words)s", code=status.raw_code, words=status.words)
            )
            if state == "refused":
                self._tell_responsible(self.env._("Claim %s was refused", self.name), status.words or status.raw_code)
        return f"{self.name}: {status.raw_code}"


class CreditInsuranceClaimLine(models.Model):
    _inherit = "credit.insurance.claim.line"

    def _get_message(self):
        """This line as the connectors send it, with the figures frozen on it."""
        return OverdueInvoice(
            number=self.number,
            issued_on=self.invoice_date,
            due_on=self.due_date,
            amount=to_decimal(self.amount_total, self.currency_id),
            open_amount=to_decimal(self.amount_open, self.currency_id),
            currency=self.currency_id.name,
        )


def _wait(error):
    """Seconds until the next try as the insurer wishes, or None: as the job function's pattern says."""
    wished = getattr(error, "retry_after", None)
    return int(wished) + 1 if wished else None


def _naive(moment):
    """An aware instant as Odoo stores it: in UTC, without saying so and without fractions of a second."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
