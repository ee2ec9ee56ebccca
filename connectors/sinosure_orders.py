"""What is sent to SINOSURE besides requests for cover: shipments, payments, possible losses, claims, papers, reports.

The records of one message are told apart by their corpSerialNo. That of the first one, by the number of its invoice, is
the message's own: papers belong to it.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from .debts import (
    Claim,
    ClaimReceipt,
    ClaimState,
    ClaimStatus,
    Document,
    DocumentReceipt,
    OverdueInvoice,
    OverdueNotice,
    OverdueReceipt,
)
from .declarations import DeclarationReceipt, ReceiptDeclaration, ShipmentDeclaration, TurnoverDeclaration
from .errors import RejectedByInsurer
from .messages import Unread
from .reports import ReportFile, ReportOrder, ReportState, ReportStatus
from .sinosure_calls import CLAIMS, NOTICES, RATINGS, RECEIPTS, REPORTS, SHIPMENTS, SinosureCalls, check_nothing_open
from .sinosure_codes import CLAIM_REASONS, PAY_MODES, belongs, row_serial, serial
from .sinosure_reading import Decision, Verdict, refusals
from .sinosure_wire import FEEDBACK, Fields, Record, Row


class SinosureOrders(SinosureCalls):
    # --- Declarations -------------------------------------------------------------------------------------------

    def declare_shipments(self, declaration: ShipmentDeclaration) -> DeclarationReceipt:
        """A shipment is known by its own reference. What SINOSURE does not take is told by ``find_declaration``."""
        rows: list[Fields] = [
            {
                **self._sender(serial(shipment.reference), declaration.policy_number),
                "buyerNo": shipment.buyer_id,
                "invoiceNo": shipment.invoice_number,
                "invoiceSum": shipment.amount,
                "insureSum": shipment.insured_amount,
                "moneyId": shipment.currency,
                "payMode": PAY_MODES[shipment.payment_method],
                "payTerm": shipment.payment_term_days,
                "feePayMode": self._terms.raw["fee_pay_mode"],
                "transportDate": shipment.shipped_on,
                "code10": shipment.goods_code,
                "goodsName": shipment.goods,
                "orderNo": shipment.order_number,
                "transportBillNo": shipment.transport_document,
                "customsBillNo": shipment.customs_document,
            }
            for shipment in declaration.shipments
        ]
        self._send("doEdiShipmentApply", "shipmentList", "ShipmentApplyInfo", rows)
        return self._declared(declaration.reference)

    def declare_receipts(self, declaration: ReceiptDeclaration) -> DeclarationReceipt:
        rows: list[Fields] = [
            {
                **self._sender(serial(receipt.reference), declaration.policy_number),
                "buyerNo": receipt.buyer_id,
                "invoiceNo": receipt.invoice_number,
                "receiptDate": receipt.received_on,
                "receiptSum": receipt.amount,
                "receiptFlag": self._terms.raw["receipt_flag"],
                "transportDate": receipt.shipped_on,
            }
            for receipt in declaration.receipts
        ]
        self._send("doEdiReceiptApply", "receiptList", "ReceiptApplyInfo", rows)
        return self._declared(declaration.reference)

    def find_declaration(
        self, declaration: TurnoverDeclaration | ShipmentDeclaration | ReceiptDeclaration
    ) -> DeclarationReceipt | None:
        """``None`` until SINOSURE has answered to a part of it; it does not list what it has not answered yet. Sending
        again does no harm."""
        if isinstance(declaration, TurnoverDeclaration):
            return None
        if isinstance(declaration, ShipmentDeclaration):
            question, lines = SHIPMENTS, [line.reference for line in declaration.shipments]
        else:
            question, lines = RECEIPTS, [line.reference for line in declaration.receipts]
        names = {serial(line): line for line in lines}
        told = list(self._all_decided(question, declaration.policy_number, names).values())
        if not told:
            return None
        taken = [each.row for each in told if each.verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE)]
        premiums = self._read(lambda: [row.amount("premium") for row in taken])
        known = [premium for premium in premiums if premium is not None]
        return DeclarationReceipt(
            declaration_number=serial(declaration.reference),
            reference=declaration.reference,
            received_at=min(each.moment for each in told),
            duplicate=True,
            refusals=refusals(told, names),
            premium=sum(known, Decimal(0)) if known else None,
            currency=self._terms.currency if known else "",
        )

    def _declared(self, reference: str) -> DeclarationReceipt:
        return DeclarationReceipt(serial(reference), reference, self._now())

    # --- Possible losses ----------------------------------------------------------------------------------------

    def notify_overdue(self, notice: OverdueNotice) -> OverdueReceipt:
        """One record per invoice. The case numbers come later: ``find_overdue_notice``."""
        rows: list[Fields] = [
            {
                **self._sender(number, notice.policy_number),
                "sinosureBuyerNo": notice.buyer_id,
                "invoiceNo": invoice.number,
                "invoiceSum": invoice.amount,
                "plSum": invoice.open_amount,
                "shouldPayDate": invoice.due_on,
                "plReasonCode": self._terms.raw["pl_reason_code"],
                "plReasonDesc": notice.comment,
            }
            for number, invoice in _numbered(notice.reference, notice.invoices)
        ]
        self._send("doEdiPlnotice", "plnoticeList", "Plnotice", rows)
        return OverdueReceipt(serial(notice.reference), notice.reference, self._now())

    def find_overdue_notice(self, notice: OverdueNotice) -> OverdueReceipt | None:
        """With the case number; of cases that differ, ``invoice=case`` for each. ``None`` until SINOSURE has answered.

        :raises RejectedByInsurer: it took none of the invoices.
        """
        numbers = {number: invoice.number for number, invoice in _numbered(notice.reference, notice.invoices)}
        told = list(self._all_decided(NOTICES, notice.policy_number, numbers).values())
        if not told:
            return None
        if all(each.verdict is Verdict.REFUSED for each in told) and len(told) == len(numbers):
            raise self._rejected(*told)
        cases = self._read(lambda: {numbers[each.serial]: each.row.text("caseno") for each in told})
        return OverdueReceipt(
            notice_number=serial(notice.reference),
            reference=notice.reference,
            received_at=min(each.moment for each in told),
            duplicate=True,
            case_number=_join_cases({invoice: case for invoice, case in sorted(cases.items()) if case}),
            words=_words([each for each in told if each.verdict is not Verdict.ACCEPTED], numbers),
        )

    # --- Claims -------------------------------------------------------------------------------------------------

    def submit_claim(self, claim: Claim) -> ClaimReceipt:
        """One record per invoice, under the case that its notice opened. No answer repeats the sum: our number of the
        claim holds it."""
        cases = self._cases(claim)
        rows: list[Fields] = [
            {
                **self._sender(number, claim.policy_number),
                "caseNo": cases[invoice.number],
                "invoiceNo": invoice.number,
                "claimsum": invoice.open_amount,
                "claimreason": self._terms.raw[CLAIM_REASONS[claim.cause]],
                "applicant": self._terms.raw["applicant"],
                "applyTime": self._now(),
            }
            for number, invoice in _numbered(claim.reference, claim.invoices)
        ]
        feedback = self._send("doEdiClaimApply", "claimApplyList", "ClaimApply", rows)
        names = {number: invoice.number for number, invoice in _numbered(claim.reference, claim.invoices)}
        duplicate = self._read(lambda: self._check_feedback(feedback, names))
        return ClaimReceipt(_claim_number(claim), claim.reference, self._now(), duplicate)

    def _cases(self, claim: Claim) -> dict[str, str]:
        """The case of each invoice: as given, or as SINOSURE tells it."""
        given = _split_cases(claim.case_number)
        unread: list[Unread] = []
        cases = {invoice.number: given.get(invoice.number, given.get("", "")) for invoice in claim.invoices}
        if not all(cases.values()):
            for told, (invoice, case) in self._decisions(NOTICES, claim.policy_number, _case, unread):
                if invoice in cases and told.verdict is not Verdict.REFUSED:
                    cases[invoice] = cases[invoice] or case
        missing = [invoice for invoice, case in cases.items() if not case]
        if missing:
            check_nothing_open(unread)
            self._refuse(f"no case was opened yet for {', '.join(missing)}: notify the possible loss first")
        return cases

    def find_claim(self, claim: Claim) -> ClaimReceipt | None:
        """``None`` until SINOSURE has answered to a part of it."""
        numbers = [number for number, _invoice in _numbered(claim.reference, claim.invoices)]
        told = self._all_decided(CLAIMS, claim.policy_number, numbers).values()
        if not told:
            return None
        return ClaimReceipt(_claim_number(claim), claim.reference, min(each.moment for each in told), duplicate=True)

    def claim_status(self, claim_number: str) -> ClaimStatus:
        """Told is only whether the application was accepted, which begins its assessment; no amount but our own."""
        number, total, currency = self._claimed(claim_number)
        unread: list[Unread] = []
        policy, days = self._terms.policy_no, self._terms.history_days
        last: dict[str, Decision] = {}
        for each, _none in self._decisions(CLAIMS, policy, lambda told: None, unread, days):
            if belongs(each.serial, number) and each.verdict is not Verdict.DUPLICATE:
                last.setdefault(each.serial, each)
        told = list(last.values())
        check_nothing_open(entry for entry in unread if belongs(entry.number, number) or not (entry.number or told))
        return ClaimStatus(
            claim_number=claim_number,
            reference=number,
            state=_claim_state(told),
            raw_code=", ".join(sorted({each.code or each.raw for each in told})),
            updated_at=max((each.moment for each in told), default=self._now()),
            currency=currency,
            claimed_amount=total,
            words=_words([each for each in told if each.words], {}),
        )

    def _claimed(self, claim_number: str) -> tuple[str, Decimal, str]:
        match = re.fullmatch(r"(.+):(\d+(?:\.\d+)?)([A-Z]{3})", claim_number)
        if match is None:
            self._refuse(f"{claim_number!r} is no number of a claim of ours")
        return match[1], Decimal(match[2]), match[3]

    def add_document(self, document: Document) -> DocumentReceipt:
        """The paper of the first record of its owner."""
        fields: Fields = {
            **self._terms.fixed("Attafile"),
            "corpserialno": serial(document.reference),
            "srcCorpserialno": serial(document.owner_reference or document.owner_number),
            "type": self._terms.document_types.get(document.kind.value, ""),
            "filename": document.name,
            "filebyte": document.content,
        }
        feedback = self._wire.send("doEdiFileUpload", {"attaFile": Record(fields)}, FEEDBACK)
        duplicate = self._read(lambda: self._check_feedback(feedback, {}))
        return DocumentReceipt(serial(document.reference), document.reference, self._now(), duplicate)

    # --- Credit reports -----------------------------------------------------------------------------------------

    def order_report(self, order: ReportOrder) -> ReportState:
        """``order_id`` is our corpSerialNo and the buyer, under whose number the report is found later."""
        if order.product:
            self._refuse("SINOSURE's interface shows no choice of reports")
        row: Fields = {
            "corpSerialNo": serial(order.reference),
            "clientNo": self._terms.client_no,
            "reportbuyerNo": order.buyer_id,
            "applicantName": self._terms.raw["applicant"],
        }
        feedback = self._send("doEdiCreditReportInput", "entrustInputList", "EntrustInput", [row])
        duplicate = self._read(lambda: self._check_feedback(feedback, {}))
        number = f"{serial(order.reference)}@{order.buyer_id}"
        return ReportState(number, order.reference, ReportStatus.ORDERED, "", self._now(), duplicate=duplicate)

    def find_report(self, order: ReportOrder) -> ReportState | None:
        return self._report(f"{serial(order.reference)}@{order.buyer_id}", order.reference)

    def report_state(self, order_id: str) -> ReportState:
        """``ORDERED`` as long as SINOSURE says nothing of it."""
        number = order_id.partition("@")[0]
        found = self._report(order_id, number)
        return found or ReportState(order_id, number, ReportStatus.ORDERED, "", self._now())

    def _report(self, order_id: str, reference: str) -> ReportState | None:
        number, _at, buyer = order_id.partition("@")
        row = self._record(REPORTS, "", number)
        if row is None:
            return None
        raw, changed, words = self._read(_report_fields, row)
        status = self._terms.report_states.get(raw, ReportStatus.UNKNOWN)
        state = ReportState(order_id, reference, status, raw, changed or self._now(), words=words, duplicate=True)
        return self._with_report(state, buyer) if status is ReportStatus.DELIVERED else state

    def _with_report(self, state: ReportState, buyer: str) -> ReportState:
        """The newest rating of the buyer, unchanged, as the report."""
        for window in self._spans(self._terms.decision_days):
            rows = self._ask(RATINGS, window, self._terms.policy_no, buyer)
            if rows:
                return self._read(_delivered, state, rows)
        return state

    # --- Shared -------------------------------------------------------------------------------------------------

    def _sender(self, number: str, policy: str) -> dict[str, str]:
        return {"corpSerialNo": number, "clientNo": self._terms.client_no, "policyNo": policy}

    def _check_currency(self, currency: str) -> None:
        if currency != self._terms.currency:
            self._refuse(f"limits are in {self._terms.currency}, not in {currency}")

    def _rejected(self, *told: Decision) -> RejectedByInsurer:
        first = told[0]
        words = "; ".join(dict.fromkeys(each.words for each in told if each.words))
        return RejectedByInsurer(insurer=self.code, code=first.code or first.raw, words=words or "no explanation")


def _numbered(reference: str, invoices: Iterable[OverdueInvoice]) -> list[tuple[str, OverdueInvoice]]:
    """The invoices, each with its corpSerialNo, whatever their order in the message."""
    ordered = sorted(invoices, key=lambda invoice: invoice.number)
    return [
        (row_serial(reference, invoice.number) if index else serial(reference), invoice)
        for index, invoice in enumerate(ordered)
    ]


def _claim_number(claim: Claim) -> str:
    return f"{serial(claim.reference)}:{claim.total:f}{claim.currency}"


def _join_cases(cases: dict[str, str]) -> str:
    if len(set(cases.values())) == 1:
        return next(iter(cases.values()))
    return "; ".join(f"{invoice}={case}" for invoice, case in cases.items())


def _split_cases(text: str) -> dict[str, str]:
    """Case numbers by invoice; one for all is under ``""``."""
    if "=" not in text:
        return {"": text.strip()}
    pairs = (part.rpartition("=") for part in text.split(";"))
    return {invoice.strip(): case.strip() for invoice, _equals, case in pairs}


def _case(told: Decision) -> tuple[str, str]:
    return told.row.text("invoiceNo"), told.row.text("caseno")


def _claim_state(told: list[Decision]) -> ClaimState:
    verdicts = {each.verdict for each in told}
    if not verdicts:
        return ClaimState.RECEIVED
    if verdicts == {Verdict.REFUSED}:
        return ClaimState.REFUSED
    return ClaimState.UNKNOWN if Verdict.UNKNOWN in verdicts else ClaimState.IN_REVIEW


def _words(told: list[Decision], names: dict[str, str]) -> str:
    named = (f"{names[each.serial]}: {each.words}" if each.serial in names else each.words for each in told)
    return "; ".join(dict.fromkeys(named))


def _report_fields(row: Row) -> tuple[str, datetime | None, str]:
    words = "; ".join(filter(None, [row.text("results"), row.text("promptInfo"), row.text("remark")]))
    return row.text("orderstate"), row.moment("updatetime"), words


def _delivered(state: ReportState, rows: tuple[Row, ...]) -> ReportState:
    row = max(rows, key=lambda each: each.moment("notifyTime") or state.ordered_at)
    content, media_type = row.source()
    number, credit = row.identifier("reportNo"), row.record("creditInfo")
    extension = media_type.rpartition("/")[2]
    return ReportState(
        order_id=state.order_id,
        reference=state.reference,
        status=state.status,
        raw_code=state.raw_code,
        ordered_at=state.ordered_at,
        issued_on=row.day("notifyTime"),
        report=ReportFile(f"{number}.{extension}".replace("/", "-"), media_type, content),
        grade=credit.text("riskScore") if credit else "",
        recommended_amount=credit.amount("creditRecommendation") if credit else None,
        currency=row.text("reportMoneyID"),
        words=state.words,
        duplicate=state.duplicate,
    )
