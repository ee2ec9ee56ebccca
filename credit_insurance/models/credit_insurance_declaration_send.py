"""What sending a declaration adds to sending anything to an insurer, and what its receipt means for the lines."""

from odoo import models
from odoo.fields import Command
from odoo.tools import format_date

from odoo.addons.credit_insurance.connectors import (
    DeclarationReceipt,
    Operation,
    Receipt,
    ReceiptDeclaration,
    Shipment,
    ShipmentDeclaration,
    TurnoverDeclaration,
    TurnoverLine,
)

from . import credit_insurance_declaration, credit_insurance_declaration_line  # noqa: F401 (have to be loaded first)
from .amounts import to_decimal
from .credit_insurance_submission_job import naive_utc

OPERATIONS = {
    "turnover": Operation.DECLARE_TURNOVER,
    "shipments": Operation.DECLARE_SHIPMENTS,
    "receipts": Operation.DECLARE_RECEIPTS,
}


class CreditInsuranceDeclaration(models.Model):
    _inherit = "credit.insurance.declaration"

    _answer_states = ("acknowledged", "partial", "refused")
    _waiting_states = ("failed", "uncertain", "sent")
    _sheet_report = "credit_insurance.action_report_declaration"
    _receipt_type = DeclarationReceipt

    # === MESSAGES === #

    def _get_operation(self):
        return OPERATIONS[self.kind]

    def _get_message(self):
        numbers = self._get_buyer_numbers()
        lines = self.sudo().declared_line_ids
        head = {"reference": self.name, "policy_number": self.policy_id.number}
        if self.kind == "turnover":
            rows = tuple(line._get_turnover(numbers) for line in lines)
            return TurnoverDeclaration(period_from=self.period_from, period_to=self.period_to, lines=rows, **head)
        if self.kind == "shipments":
            return ShipmentDeclaration(shipments=tuple(line._get_shipment(numbers) for line in lines), **head)
        return ReceiptDeclaration(receipts=tuple(line._get_receipt(numbers) for line in lines), **head)

    # === ANSWERS === #

    def _prepare_receipt_vals(self, receipt):
        lines = self.declared_line_ids
        commands, unknown = [], []
        for refusal in receipt.refusals:
            meant = lines.filtered(lambda line, refusal=refusal: line._is_named(refusal.reference))
            vals = {"refusal_code": refusal.code, "refusal_words": refusal.words}
            commands += [Command.update(line.id, vals) for line in meant]
            if not meant:
                unknown.append(f"{refusal.reference}: {refusal.code} {refusal.words}")
        refused = len({command[1] for command in commands})
        state = "acknowledged" if not receipt.refusals else "partial"
        if lines and refused == len(lines):
            state = "refused"
        currency = self.env["res.currency"]._credit_get(receipt.currency)
        return {
            "state": state,
            "insurer_reference": receipt.declaration_number,
            "acknowledged_on": naive_utc(receipt.received_at),
            "premium_currency_id": (currency[:1] or self.currency_id).id,
            "premium": float(receipt.premium or 0),
            "insurer_words": "\n".join(unknown) or self.insurer_words,
            "line_ids": commands,
        }

    def _prepare_answer_vals(self, state, *, amount, decided_on):
        return {"premium_currency_id": self.currency_id.id, "premium": amount} if amount else {}

    def _on_changed(self, before):
        if self.state in ("partial", "refused"):
            refused = self.declared_line_ids.filtered("refusal_code")
            note = "\n".join(line._get_refusal_text() for line in refused[:20]) or self.insurer_words or ""
            summary = self.env._("%(name)s: %(count)s lines were refused", name=self.name, count=len(refused))
            self._tell_responsible(summary, note)

    # === COVER SHEET === #

    def _get_sheet_rows(self):
        kind = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        period = f"{format_date(self.env, self.period_from)} – {format_date(self.env, self.period_to)}"
        rows = [
            *super()._get_sheet_rows(),
            (self.env._("What is declared"), kind),
            (self.env._("Period"), period),
            (self.env._("Total"), self.sudo().total_text),
        ]
        return [*rows, (self.env._("Comment for the Insurer"), self.comment)] if self.comment else rows

    def _get_sheet_table(self):
        lines = self.sudo().declared_line_ids | self._get_told_by_hand()
        headings = [self.env._("Country"), self.env._("Buyer"), self.env._("Invoice"), self.env._("Date")]
        rows = [
            [
                line.country_id.name or "",
                line.partner_id.display_name or "",
                line.number or "",
                format_date(self.env, line.day) if line.day else "",
                line.correction or "",
                line.currency_id.format(line.insured_amount),
            ]
            for line in lines
        ]
        return [*headings, self.env._("Correction of"), self.env._("Declared")], rows, (5,)


class CreditInsuranceDeclarationLine(models.Model):
    _inherit = "credit.insurance.declaration.line"

    def _is_named(self, reference):
        """Whether the insurer means this line: by its reference, or with all turnover lines of a country."""
        names = {self.reference, self.country_id.code if self.kind == "turnover" else None}
        return bool(reference) and reference in names

    def _get_refusal_text(self):
        name = self.number or self.country_id.name or ""
        return f"{name}: {self.refusal_code} {self.refusal_words or ''}".strip()

    def _get_turnover(self, numbers):
        return TurnoverLine(
            country=self.country_id.code or "",
            currency=self.currency_id.name,
            amount=to_decimal(self.amount, self.currency_id),
            buyer_id=numbers.get(self.buyer_id.id, ""),
            reference=self.reference or "",
        )

    def _get_shipment(self, numbers):
        return Shipment(
            reference=self.reference,
            buyer_id=numbers.get(self.buyer_id.id) or self.partner_id.display_name,
            invoice_number=self.number,
            shipped_on=self.day,
            amount=to_decimal(self.amount, self.currency_id),
            insured_amount=to_decimal(self.insured_amount, self.currency_id),
            currency=self.currency_id.name,
            payment_term_days=self.payment_term_days,
        )

    def _get_receipt(self, numbers):
        return Receipt(
            reference=self.reference,
            buyer_id=numbers.get(self.buyer_id.id) or self.partner_id.display_name,
            invoice_number=self.number,
            received_on=self.day,
            amount=to_decimal(self.amount, self.currency_id),
            currency=self.currency_id.name,
            shipped_on=self.shipped_on or None,
        )
