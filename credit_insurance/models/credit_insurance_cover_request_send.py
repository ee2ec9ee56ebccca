"""What sending a cover request adds to sending anything to an insurer, and what the decision means for it."""

from odoo import api, fields, models
from odoo.tools import format_date

from odoo.addons.credit_insurance.connectors import (
    CoverProduct,
    CoverRequest,
    CoverRequestKind,
    Operation,
    PaymentMethod,
    RequestStatus,
)
from odoo.addons.queue_job.exception import RetryableJobError

from .amounts import to_decimal
from .credit_insurance_submission_job import naive_utc

STATES = {
    RequestStatus.PENDING: "pending",
    RequestStatus.APPROVED: "accepted",
    RequestStatus.PARTIAL: "partial",
    RequestStatus.REFUSED: "refused",
    RequestStatus.CANCELLED: "cancelled",
}
UNDECIDED = ("queued", "failed", "uncertain", "sent", "acknowledged", "pending")


class CreditInsuranceCoverRequest(models.Model):
    _inherit = "credit.insurance.cover.request"

    _answer_states = ("pending", "accepted", "partial", "refused")
    _sheet_report = "credit_insurance.action_report_cover_request"

    # === MESSAGES === #

    def _get_operation(self):
        return Operation.REQUEST_COVER

    def _get_status_operation(self):
        return Operation.COVER_REQUEST_STATE

    def _get_message(self):
        currency = self.currency_id
        cancels, limited = self.kind == "cancel", self.product == "credit_limit"
        wanted = to_decimal(self.amount, currency) if self.amount and not cancels else None
        own = self.env["credit.insurance.buyer.link"]._get_own_references(self.buyer_id)
        return CoverRequest(
            reference=self.name,
            policy_number=self.policy_id.number,
            buyer_id=self._get_message_buyer_id(),
            kind=CoverRequestKind(self.kind),
            currency=currency.name,
            amount=wanted if limited or wanted else None,
            urgent=self.urgent,
            comment=self.comment or "",
            product=CoverProduct(self.product),
            cover_id=self.cover_reference or "",
            payment_term_days=self.payment_term_days,
            payment_method=PaymentMethod(self.payment_method),
            receivables=to_decimal(self.receivables, currency),
            orders=to_decimal(self.orders, currency),
            own_reference=own.get(self.buyer_id.id, ""),
        )

    def _is_ours(self, insurer, receipt, message, *, attempted):
        # Without our reference it is ours only when a try of ours may have arrived; else somebody else's.
        return bool(receipt.reference) or attempted

    # === ANSWERS === #

    def _prepare_receipt_vals(self, receipt):
        vals = self._prepare_status_vals(receipt)
        if vals["state"] in ("queued", "failed"):  # a code we do not know: the insurer has it in any case
            vals["state"] = "pending"
        return {**vals, "acknowledged_on": naive_utc(receipt.received_at)}

    def _prepare_status_vals(self, status):
        currency = self.env["res.currency"]._credit_get(status.currency)
        return {
            "state": STATES.get(status.status, self.state),
            "insurer_reference": status.request_id or self.insurer_reference,
            "insurer_status_code": status.raw_code,
            "insurer_words": status.words or False,
            "granted_amount": float(status.amount or 0),
            "granted_currency_id": (currency[:1] or self.currency_id).id,
            "decided_on": status.decided_on,
            "status_changed_on": self.status_changed_on
            if status.raw_code == self.insurer_status_code
            else fields.Datetime.now(),
        }

    def _prepare_answer_vals(self, state, *, amount, decided_on):
        if state == "pending":
            return {}
        granted = {"accepted": amount or self.amount, "partial": amount or 0.0}.get(state, 0.0)
        return {"decided_on": decided_on, "granted_amount": granted, "granted_currency_id": self.currency_id.id}

    def _get_status_answers(self, answers):
        return answers.request_states

    def _on_arrived(self):
        """The rule's task that asked for it is done."""
        result = super()._on_arrived()
        self.sudo().task_id._finish_submitted()
        return result

    def _on_changed(self, before):
        """Whoever asked is told of the decision, and the covers are asked for anew: they say what is granted."""
        if self.state not in ("accepted", "partial", "refused", "cancelled"):
            return
        state = dict(self._fields["state"]._description_selection(self.env))[self.state]
        summary = self.env._("Cover for %(buyer)s: %(state)s", buyer=self.partner_id.display_name, state=state)
        if self.state in ("accepted", "partial") and self.granted_amount:
            summary = f"{summary}, {self.granted_currency_id.format(self.granted_amount)}"
        self._tell_responsible(summary, self.insurer_words or self.insurer_status_code or "")
        if self._is_connected():
            self._delayed("covers")._job_pull_covers()

    def _is_connected(self):
        account = self.sudo().policy_id.account_id
        return bool(account and account.can_pull and not account._get_refusal())

    def _job_pull_covers(self):
        """Ask for the covers once more; a pull that is under way may have passed this buyer's."""
        self.ensure_one()
        pulls, account = self.env["credit.insurance.pull"], self.policy_id.account_id
        running = pulls._get_running(account)
        if running and running._has_job() or not pulls._start(account, (Operation.COVER_PAGE,)):
            raise RetryableJobError("a pull is under way", seconds=60, ignore_retry=True)

    @api.model
    def _take_over_states(self, account, states, by_file=False):
        """Take over what a list of the insurer's, as ``CoverRequestState`` messages, says about our requests.

        :param by_file: a person brought the list, so that it may be about what a person handed in
        :return: the requests that changed
        """
        numbers = [state.request_id for state in states]
        references = [state.reference for state in states if state.reference]
        found = self.search(
            [
                ("policy_id.account_id", "=", account.id),
                ("state", "in", UNDECIDED),
                "|",
                ("insurer_reference", "in", numbers),
                ("name", "in", references),
            ]
        )
        found = found.filtered(lambda request: (by_file and request.by_hand) or not request._is_elsewhere())
        locked = found.try_lock_for_update()  # one that is being sent gets its answer there
        by_number = {request.insurer_reference: request for request in locked if request.insurer_reference}
        by_name = {request.name: request for request in locked}
        changed = self.browse()
        for state in states:
            request = by_number.get(state.request_id) or by_name.get(state.reference)
            if request and request._differs(state):
                request._take_over_state(state)
                changed |= request
        return changed

    def _differs(self, status):
        known = (self.insurer_reference, self.insurer_status_code, self.insurer_words or "")
        return known != (status.request_id, status.raw_code, status.words)

    def _take_over_state(self, status):
        if self.insurer_reference:
            self._apply_status(status)
        else:
            self._record_receipt(status)

    # === COVER SHEET === #

    def _get_sheet_rows(self):
        labels = {name: self._fields[name]._description_string(self.env) for name in self._fields}
        choice = {name: dict(self._fields[name]._description_selection(self.env)) for name in ("kind", "product")}
        money = self.currency_id.format
        rows = [
            *super()._get_sheet_rows(),
            (self.env._("Buyer"), self.sudo().partner_id.display_name),
            (self.env._("Buyer's number"), self.sudo()._get_message_buyer_id()),
            (self.env._("What is asked"), choice["kind"][self.kind]),
        ]
        if self.kind != "cancel" and self.amount:
            rows.append((labels["amount"], money(self.amount)))
        rows += [
            (labels["product"], choice["product"][self.product]),
            (labels["payment_term_days"], str(self.payment_term_days)),
            (self.env._("Urgent"), self.env._("Yes") if self.urgent else self.env._("No")),
            (self.env._("Invoices open"), money(self.receivables)),
            (labels["orders"], money(self.orders)),
            (self.env._("Date"), format_date(self.env, self.submitted_on or fields.Date.context_today(self))),
        ]
        return [*rows, (labels["comment"], self.comment)] if self.comment else rows
