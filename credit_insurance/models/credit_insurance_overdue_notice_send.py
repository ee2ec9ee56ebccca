"""What sending an overdue notice, an extension or a plan adds to sending anything to an insurer."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date

from odoo.addons.credit_insurance.connectors import (
    AgreementState,
    ExtensionReason,
    Instalment,
    InvoiceExtension,
    Operation,
    OverdueNotice,
    OverdueReceipt,
    RepaymentPlan,
)

from . import credit_insurance_overdue_line  # noqa: F401 (has to be loaded first)
from .amounts import to_decimal
from .credit_insurance_submission_job import naive_utc
from .invoice_table import get_invoice_table

OPERATIONS = {
    "notice": Operation.NOTIFY_OVERDUE,
    "extension": Operation.EXTEND_INVOICE,
    "plan": Operation.REPORT_REPAYMENT_PLAN,
}
# An extension or a plan is answered; a notice is only received.
STATUS_OPERATIONS = {"extension": Operation.EXTENSION_STATE, "plan": Operation.REPAYMENT_PLAN_STATE}
STATES = {
    AgreementState.RECEIVED: "acknowledged",
    AgreementState.AGREED: "accepted",
    AgreementState.REFUSED: "refused",
}


class CreditInsuranceOverdueNotice(models.Model):
    _inherit = "credit.insurance.overdue.notice"

    _sheet_report = "credit_insurance.action_report_overdue_notice"
    _receipt_type = OverdueReceipt

    # === MESSAGES === #

    def _get_operation(self):
        return OPERATIONS[self.kind]

    def _get_status_operation(self):
        return STATUS_OPERATIONS.get(self.kind)

    @api.model
    def _get_status_operations(self):
        return set(STATUS_OPERATIONS.values())

    @api.model
    def _get_asked_domain(self, account):
        return super()._get_asked_domain(account) & Domain("kind", "in", list(STATUS_OPERATIONS))

    def _get_message(self):
        return getattr(self, f"_get_message_{self.kind}")(
            reference=self.name,
            policy_number=self.policy_id.number,
            buyer_id=self._get_message_buyer_id(),
            comment=self.comment or "",
        )

    def _get_message_notice(self, **values):
        return OverdueNotice(invoices=self._get_invoices(), **values)

    def _get_message_extension(self, **values):
        return InvoiceExtension(
            invoice=self.line_ids.ensure_one()._get_message(),
            new_due_on=self.new_due_date,
            reason=ExtensionReason(self.reason or "other"),
            **values,
        )

    def _get_message_plan(self, **values):
        currency = self.plan_currency_id
        return RepaymentPlan(
            invoices=self._get_invoices(),
            instalments=tuple(
                Instalment(row.due_on, to_decimal(row.amount, currency)) for row in self.instalment_ids.sorted("due_on")
            ),
            currency=currency.name,
            agreed_on=self.agreed_on,
            **values,
        )

    def _get_invoices(self):
        return tuple(line._get_message() for line in self.line_ids)

    # === ANSWERS === #

    def _prepare_receipt_vals(self, receipt):
        return {
            "state": "acknowledged",
            "insurer_reference": receipt.notice_number,
            "case_number": receipt.case_number or self.case_number,
            "insurer_words": receipt.words or self.insurer_words,
            "acknowledged_on": naive_utc(receipt.received_at),
        }

    def _prepare_status_vals(self, status):
        return {
            "state": STATES.get(status.state, self.state),
            "insurer_reference": status.notice_number or self.insurer_reference,
            "insurer_status_code": status.raw_code,
            "insurer_words": status.words or False,
            "status_changed_on": naive_utc(status.updated_at),
        }

    def _get_status_answers(self, answers):
        return answers.agreement_statuses if self.kind in STATUS_OPERATIONS else ()

    def _get_duties(self):
        """A notice ends the duty to notify. Dunning and claiming are duties of their own."""
        if self.kind == "notice" and self.state != "refused":
            return self._get_notification_deadlines()
        return super()._get_duties()

    def _on_arrived(self):
        result = super()._on_arrived()
        self.sudo().task_id._finish_submitted()
        return result

    def _on_changed(self, before):
        words = self.insurer_words or self.insurer_status_code or ""
        if self.state == "refused":
            self._tell_responsible(self.env._("%s was refused", self.name), words)
        if self.state in ("accepted", "partial") and self.kind in STATUS_OPERATIONS:
            self._tell_responsible(self.env._("%s was agreed to", self.name), words)

    # === COVER SHEET === #

    def _get_sheet_rows(self):
        labels = {name: self._fields[name]._description_string(self.env) for name in self._fields}
        choice = {name: dict(self._fields[name]._description_selection(self.env)) for name in ("kind", "reason")}
        rows = [
            *super()._get_sheet_rows(),
            (self.env._("Buyer"), self.sudo().partner_id.display_name),
            (self.env._("Buyer's number"), self.sudo()._get_message_buyer_id()),
            (self.env._("What is reported"), choice["kind"][self.kind]),
        ]
        if self.kind == "extension":
            rows.append((labels["new_due_date"], format_date(self.env, self.new_due_date)))
            rows.append((labels["reason"], choice["reason"].get(self.reason, "")))
        if self.kind == "plan":
            rows.append((labels["agreed_on"], format_date(self.env, self.agreed_on)))
            rows += [
                (self.env._("Instalment of %s", format_date(self.env, row.due_on)), row.currency_id.format(row.amount))
                for row in self.instalment_ids
            ]
        return [*rows, (labels["comment"], self.comment)] if self.comment else rows

    def _get_sheet_table(self):
        return self.line_ids._get_sheet_table()


class CreditInsuranceOverdueLine(models.Model):
    _inherit = "credit.insurance.overdue.line"

    def _get_sheet_table(self):
        return get_invoice_table(self)
