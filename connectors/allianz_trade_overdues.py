"""Payment overdues of Allianz Trade: a state of default (``OVD``), an extension of one invoice (``EXP``), a
rescheduling (``RES``). Pure: messages in, documents out, and the other way round.

Only the three codes and their meaning are public. The path, the names below and that overdues can be asked for by our
reference are our invention [unverified]; that a POST answers with a job is the insurer's rule for all of them.
"""

from datetime import datetime

from .allianz_trade_codes import moment
from .allianz_trade_policies import Part
from .debts import InvoiceExtension, OverdueInvoice, OverdueNotice, OverdueReceipt, RepaymentPlan
from .jsondoc import Json, Node, ShapeError

NOTICE, EXTENSION, RESCHEDULING = "OVD", "EXP", "RES"  # overdueCategoryTypeCode
Overdue = OverdueNotice | InvoiceExtension | RepaymentPlan


def category(message: Overdue) -> str:
    if isinstance(message, OverdueNotice):
        return NOTICE
    return EXTENSION if isinstance(message, InvoiceExtension) else RESCHEDULING


def overdue_body(message: Overdue, part: Part) -> Json:
    body: dict[str, Json] = {
        "overdueCategoryTypeCode": category(message),
        "customerReference": message.reference,
        "policy": part.body(),
        "companyId": message.buyer_id,
        "comment": message.comment,
    }
    if isinstance(message, InvoiceExtension):
        body["invoices"] = [_invoice(message.invoice)]
        body["requestedDueDate"] = message.new_due_on.isoformat()
        body["reasonCode"] = message.reason.name
        return body
    body["invoices"] = [_invoice(invoice) for invoice in message.invoices]
    if isinstance(message, RepaymentPlan):
        body["agreementDate"] = message.agreed_on.isoformat()
        body["currencyCode"] = message.currency
        body["instalments"] = [
            {"dueDate": instalment.due_on.isoformat(), "amount": instalment.amount}
            for instalment in message.instalments
        ]
    return body


def _invoice(invoice: OverdueInvoice) -> Json:
    return {
        "invoiceNumber": invoice.number,
        "invoiceDate": invoice.issued_on.isoformat(),
        "dueDate": invoice.due_on.isoformat(),
        "invoiceAmount": invoice.amount,
        "overdueAmount": invoice.open_amount,
        "currencyCode": invoice.currency,
    }


def read_overdues(node: Node, message: Overdue) -> OverdueReceipt | None:
    """The one overdue of this kind under our reference.

    :raises ShapeError: several, or one that is about something else.
    """
    found = [item for item in node.items() if item["overdueCategoryTypeCode"].identifier() == category(message)]
    if len(found) > 1:
        raise ShapeError(node.path, f"{len(found)} entries under the reference {message.reference!r}")
    if not found:
        return None
    told = found[0]["customerReference"]
    if told.text() != message.reference:
        raise ShapeError(told.path, f"the answer is about {told.text()!r}, asked was {message.reference!r}")
    return overdue_receipt(found[0]["jobId"].identifier(), message, moment(found[0]["creationDate"]))


def overdue_receipt(job_id: str, message: Overdue, received_at: datetime) -> OverdueReceipt:
    return OverdueReceipt(notice_number=job_id, reference=message.reference, received_at=received_at)
