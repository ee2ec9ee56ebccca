"""Our messages in the JSON shapes the simulator takes."""

import base64
from datetime import date

from .debts import (
    Claim,
    CollectionOrder,
    Document,
    InvoiceExtension,
    OverdueInvoice,
    OverdueNotice,
    RepaymentPlan,
)
from .declarations import (
    Receipt,
    ReceiptDeclaration,
    Shipment,
    ShipmentDeclaration,
    TurnoverDeclaration,
    TurnoverLine,
)
from .jsondoc import Json
from .messages import BuyerQuery, CoverRequest
from .reports import MonitoringOrder, ReportOrder

Members = dict[str, Json]


def query_body(query: BuyerQuery) -> Members:
    return {
        "buyerId": query.buyer_id,
        "name": query.name,
        "country": query.country,
        "vatNumber": query.vat_number,
        "registrationNumber": query.registration_number,
        "ownReference": query.own_reference,
        "address": {"street": query.street, "postalCode": query.postal_code, "city": query.city},
    }


def cover_request_body(request: CoverRequest) -> Members:
    return {
        "reference": request.reference,
        "policyNumber": request.policy_number,
        "buyerId": request.buyer_id,
        "kind": request.kind.name,
        "product": request.product.name,
        "coverId": request.cover_id,
        "amount": request.amount,
        "currency": request.currency,
        "effectiveFrom": _day(request.effective_from),
        "paymentTermDays": request.payment_term_days,
        "paymentMethod": request.payment_method.name,
        "receivables": request.receivables,
        "orders": request.orders,
        "urgent": request.urgent,
        "comment": request.comment,
    }


def notice_body(notice: OverdueNotice) -> Members:
    return {**_debts(notice), "comment": notice.comment}


def extension_body(extension: InvoiceExtension) -> Members:
    return {
        "reference": extension.reference,
        "policyNumber": extension.policy_number,
        "buyerId": extension.buyer_id,
        "invoice": _invoice(extension.invoice),
        "newDueOn": _day(extension.new_due_on),
        "reason": extension.reason.name,
        "comment": extension.comment,
    }


def plan_body(plan: RepaymentPlan) -> Members:
    instalments: list[Json] = [
        {"dueOn": _day(instalment.due_on), "amount": instalment.amount} for instalment in plan.instalments
    ]
    return {
        **_debts(plan),
        "instalments": instalments,
        "currency": plan.currency,
        "agreedOn": _day(plan.agreed_on),
        "comment": plan.comment,
    }


def claim_body(claim: Claim) -> Members:
    return {
        **_debts(claim),
        "cause": claim.cause.name,
        "dateOfLoss": _day(claim.date_of_loss),
        "total": claim.total,
        "currency": claim.currency,
        "caseNumber": claim.case_number,
        "comment": claim.comment,
    }


def collection_body(order: CollectionOrder) -> Members:
    return {**_debts(order), "fileNumber": order.case_number, "comment": order.comment}


def document_body(document: Document) -> Members:
    return {
        "reference": document.reference,
        "ownerNumber": document.owner_number,
        "ownerReference": document.owner_reference,
        "kind": document.kind.name,
        "name": document.name,
        "mediaType": document.media_type or "application/octet-stream",
        "content": base64.b64encode(document.content).decode(),
    }


def turnover_body(declaration: TurnoverDeclaration) -> Members:
    return {
        "reference": declaration.reference,
        "policyNumber": declaration.policy_number,
        "periodFrom": _day(declaration.period_from),
        "periodTo": _day(declaration.period_to),
        "lines": [_turnover_line(line) for line in declaration.lines],
    }


def shipments_body(declaration: ShipmentDeclaration) -> Members:
    return {
        "reference": declaration.reference,
        "policyNumber": declaration.policy_number,
        "shipments": [_shipment(shipment) for shipment in declaration.shipments],
    }


def receipts_body(declaration: ReceiptDeclaration) -> Members:
    return {
        "reference": declaration.reference,
        "policyNumber": declaration.policy_number,
        "receipts": [_receipt(receipt) for receipt in declaration.receipts],
    }


def report_body(order: ReportOrder) -> Members:
    return {
        "reference": order.reference,
        "buyerId": order.buyer_id,
        "policyNumber": order.policy_number,
        "product": order.product,
        "currency": order.currency,
    }


def monitoring_body(order: MonitoringOrder) -> Members:
    return {
        "reference": order.reference,
        "buyerId": order.buyer_id,
        "startsOn": _day(order.starts_on),
        "callbackUrl": order.callback_url,
    }


def _debts(message: OverdueNotice | RepaymentPlan | Claim | CollectionOrder) -> Members:
    return {
        "reference": message.reference,
        "policyNumber": message.policy_number,
        "buyerId": message.buyer_id,
        "invoices": [_invoice(invoice) for invoice in message.invoices],
    }


def _invoice(invoice: OverdueInvoice) -> Json:
    return {
        "number": invoice.number,
        "issuedOn": _day(invoice.issued_on),
        "dueOn": _day(invoice.due_on),
        "amount": invoice.amount,
        "openAmount": invoice.open_amount,
        "currency": invoice.currency,
    }


def _turnover_line(line: TurnoverLine) -> Json:
    return {
        "reference": line.reference,
        "country": line.country,
        "currency": line.currency,
        "amount": line.amount,
        "buyerId": line.buyer_id,
    }


def _shipment(shipment: Shipment) -> Json:
    return {
        "reference": shipment.reference,
        "buyerId": shipment.buyer_id,
        "invoiceNumber": shipment.invoice_number,
        "shippedOn": _day(shipment.shipped_on),
        "amount": shipment.amount,
        "insuredAmount": shipment.insured_amount,
        "currency": shipment.currency,
        "paymentTermDays": shipment.payment_term_days,
        "paymentMethod": shipment.payment_method.name,
        "goods": shipment.goods,
        "goodsCode": shipment.goods_code,
        "orderNumber": shipment.order_number,
        "transportDocument": shipment.transport_document,
        "customsDocument": shipment.customs_document,
    }


def _receipt(receipt: Receipt) -> Json:
    return {
        "reference": receipt.reference,
        "buyerId": receipt.buyer_id,
        "invoiceNumber": receipt.invoice_number,
        "shippedOn": _day(receipt.shipped_on),
        "receivedOn": _day(receipt.received_on),
        "amount": receipt.amount,
        "currency": receipt.currency,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
