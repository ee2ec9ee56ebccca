"""What SINOSURE does with a call, whatever its format: records in, records out.

An order is taken in once for each corpSerialNo; a repeat is ignored, unless the first one was refused. What is wrong
with it is told by the later question, as ``approveFlag`` 0 with a reason. Limits are in ``sinosure_quotas.py``.
"""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from .atradius import COUNTRIES
from .book import money
from .decisions import ask_for_number
from .sinosure_quotas import (
    ZONE,
    EdiError,
    Parameters,
    Quotas,
    Result,
    approval,
    milliseconds,
    moment,
    period,
)
from .store import Row
from .submissions import number
from .web import Refusal

__all__ = ["METHODS", "ZONE", "Desk", "EdiError", "milliseconds"]

TAKEN = "已受理"


class Desk(Quotas):
    # --- Buyers ---------------------------------------------------------------------------------------------------

    def apply_for_code(self, parameters: Parameters) -> Result:
        for row in parameters["rows"]:
            buyer = {
                "reference": row["corpSerialNo"],
                "policyNumber": row.get("policyNo", ""),
                "name": row.get("engName") or row.get("chnName", ""),
                "country": COUNTRIES.get(row.get("countryCode", ""), row.get("countryCode", "")[:2]),
                "registrationNumber": row.get("regNo", ""),
                "vatNumber": row.get("creditno", ""),
                "address": {"street": row.get("engAddress", "")},
            }
            taken = self.take("buyer_number", buyer)
            if taken and taken["status"] == "PENDING":
                if not buyer["name"] or not buyer["address"]["street"]:
                    self.refuse(taken, "买方英文名称和地址不能为空")
                else:
                    ask_for_number(self.book, taken)
        return "", []

    def approve_codes(self, parameters: Parameters) -> Result:
        """Answers to applications, and the buyers with a limit, which were given their codes on the day it was decided
        on."""
        rows = []
        for request in self.moved("buyer_number", parameters):
            buyer_id = json.loads(request["outcome"]).get("buyerId")
            shape = self._buyer(self.book.buyer(buyer_id)) if buyer_id else None
            rows.append({**approval(request), "buyerInfo": shape})
        start, end = period(parameters)
        for cover in self.covers(""):
            told = datetime.combine(date.fromisoformat(cover["decided_on"]), datetime.min.time(), ZONE)
            if start <= told <= end:
                heading = {"approveFlag": "1", "noticeSerialNo": cover["id"], "notifyTime": told}
                rows.append({**heading, "buyerInfo": self._buyer(self.book.buyer(cover["buyer_id"]))})
        return "BuyerCodeApproveInfo", rows

    def _buyer(self, buyer: Row) -> Row:
        return {
            "buyerNo": buyer["buyer_id"],
            "engName": buyer["name"],
            "engAddress": ", ".join(filter(None, [buyer["street"], buyer["city"]])),
            "countryCode": next((three for three, two in COUNTRIES.items() if two == buyer["country"]), ""),
            "creditno": buyer["vat_number"],
            "regNo": buyer["registration_number"],
        }

    def ratings(self, parameters: Parameters) -> Result:
        start, end = period(parameters)
        rows = []
        for grade in self.book.store.rows("SELECT * FROM grade ORDER BY id"):
            told = datetime.combine(date.fromisoformat(grade["graded_on"]), datetime.min.time(), ZONE)
            if start <= told <= end and parameters.get("buyerCode") in ("", None, grade["buyer_id"]):
                rows.append(
                    {
                        "creditInfo": {"riskScore": grade["value"], "creditRecommendation": "100000.00"},
                        "noticeSerialNo": grade["id"],
                        "notifyTime": told,
                        "reportMoneyID": "USD",
                        "reportNo": f"R{grade['id']:06d}",
                        "sinosureBuyerNo": grade["buyer_id"],
                    }
                )
        return "RatingInfo", rows

    # --- Reports --------------------------------------------------------------------------------------------------

    def order_report(self, parameters: Parameters) -> Result:
        def order(row: Row) -> Row:
            return {"reference": row["corpSerialNo"], "buyerId": row.get("reportbuyerNo", "")}

        return self._fed_back("report", parameters, order, lambda row: self.book.buyer(row["reportbuyerNo"]))

    def reports(self, parameters: Parameters) -> Result:
        rows = [
            {
                "corpserialno": order["reference"],
                "noticeserialno": str(order["id"]),
                "orderno": number(order),
                "orderstate": "0" if order["status"] == "DELIVERED" else "9",
                "updatetime": f"{moment(order['updated_at']).astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
            }
            for order in self.moved("report", parameters, "startTime", "endTime")
        ]
        return "CreditReportApprove", rows

    # --- Shipments and payments -----------------------------------------------------------------------------------

    def ship(self, parameters: Parameters) -> Result:
        sent = (json.loads(each["body"]) for each in self.book.submissions("shipments"))
        declared = {each["invoiceNo"]: each["reference"] for each in sent}
        for row in parameters["rows"]:
            twin = declared.setdefault(row["invoiceNo"], row["corpSerialNo"]) != row["corpSerialNo"]
            taken = self.take("shipments", {"reference": row["corpSerialNo"], **row})
            if taken and taken["status"] == "RECEIVED":
                self._settle(taken, "该发票已存在" if twin else self._wrong(row, "invoiceSum", "insureSum"))
        return "", []

    def receive_payments(self, parameters: Parameters) -> Result:
        for row in parameters["rows"]:
            taken = self.take("receipts", {"reference": row["corpSerialNo"], **row})
            if taken and taken["status"] == "RECEIVED":
                self._settle(taken, self._wrong(row, "receiptSum"))
        return "", []

    def _wrong(self, row: Row, *sums: str) -> str:
        try:
            self.book.policy(row["policyNo"])
            self.book.buyer(row.get("buyerNo") or row.get("sinosureBuyerNo", ""))
            for name in sums:
                money(row.get(name))
        except Refusal as refusal:
            return f"数据有误：{refusal.message}"
        return ""

    def _settle(self, submission: Row, problem: str) -> None:
        if problem:
            self.refuse(submission, problem)
        else:
            self.book.move(submission, "DONE")

    def approved_shipments(self, parameters: Parameters) -> Result:
        rows = []
        for shipment in self.moved("shipments", parameters):
            sent = json.loads(shipment["body"])
            premium = (money(sent["insureSum"]) * 3 / 1000).normalize() if shipment["status"] == "DONE" else None
            told = {"insureSumUsd": sent["insureSum"], "premium": premium, "shipmentID": number(shipment)}
            rows.append({**approval(shipment), "invoiceNo": sent["invoiceNo"], **told})
        return "ShipmentApproveInfo", rows

    def approved_payments(self, parameters: Parameters) -> Result:
        return "ReceiptApproveInfo", [approval(each) for each in self.moved("receipts", parameters)]

    # --- Possible losses and claims -------------------------------------------------------------------------------

    def notify_loss(self, parameters: Parameters) -> Result:
        for row in parameters["rows"]:
            invoice = {"number": row["invoiceNo"], "openAmount": row.get("plSum"), "amount": row.get("invoiceSum")}
            body = {
                "reference": row["corpSerialNo"],
                "policyNumber": row.get("policyNo", ""),
                "buyerId": row.get("sinosureBuyerNo", ""),
                "invoices": [invoice],
                "comment": row.get("plReasonDesc", ""),
            }
            taken = self.take("overdue", body)
            problem = self._wrong(row, "plSum") if taken and taken["status"] == "RECEIVED" else ""
            if problem and taken:
                self.refuse(taken, problem)
            elif taken and taken["status"] == "RECEIVED":
                self.book.move(taken, "FILED", fileNumber=f"PL{taken['id']:06d}")
        return "", []

    def approved_notices(self, parameters: Parameters) -> Result:
        rows = []
        for notice in self.moved("overdue", parameters):
            invoice = json.loads(notice["body"])["invoices"][0]
            told = {"caseno": json.loads(notice["outcome"]).get("fileNumber"), "plsum": invoice["openAmount"]}
            rows.append({**approval(notice), "invoiceNo": invoice["number"], **told})
        return "PlnoticeApproveInfo", rows

    def claim(self, parameters: Parameters) -> Result:
        def body(row: Row) -> Row:
            policy = self.book.policy(row["policyNo"])
            return {
                "reference": row["corpSerialNo"],
                "policyNumber": row["policyNo"],
                "buyerId": "",
                "invoices": [{"number": row["invoiceNo"], "openAmount": row["claimsum"]}],
                "cause": row.get("claimreason", ""),
                "caseNo": row.get("caseNo", ""),
                "total": row["claimsum"],
                "currency": policy["currency"],
            }

        def check(row: Row) -> None:
            cases = (json.loads(notice["outcome"]).get("fileNumber") for notice in self.book.submissions("overdue"))
            if row.get("caseNo") not in set(cases):
                raise Refusal(422, "0", f"案件编号不存在 {row.get('caseNo', '')}")

        return self._fed_back("claim", parameters, body, check)

    def approved_claims(self, parameters: Parameters) -> Result:
        claims = [each for each in self.moved("claim", parameters) if each["status"] != "RECEIVED"]
        rows = [
            {**approval(claim), "invoiceNo": json.loads(claim["body"])["invoices"][0]["number"]} for claim in claims
        ]
        return "ClaimApproveInfo", rows

    def upload(self, parameters: Parameters) -> Result:
        (row,) = parameters["rows"]
        try:
            size = len(base64.b64decode(row.get("filebyte", ""), validate=True))
        except binascii.Error as exc:
            raise EdiError("EDI-EXC-0008", "文件内容不是base64") from exc
        kept = {name: value for name, value in row.items() if name != "filebyte"}
        self.take("document", {"reference": row["corpserialno"], **kept, "size": size})
        return "", []

    def _fed_back(
        self, kind: str, parameters: Parameters, body: Callable[[Row], Row], check: Callable[[Row], Any]
    ) -> Result:
        """Take records in and say of each how that went."""
        rows = []
        for row in parameters["rows"]:
            feedback = {"clientNo": row.get("clientNo", ""), "corpSerialNo": row["corpSerialNo"]}
            try:
                check(row)
                new = self.take(kind, body(row))
                told = ("1", TAKEN) if new else ("0", f"{row['corpSerialNo']} 重复提交")
            except Refusal as refusal:
                told = ("0", refusal.message)
            rows.append({**feedback, "returnCode": told[0], "returnMsg": told[1]})
        return "EdiFeedback", rows


METHODS: dict[str, Callable[[Desk, Parameters], Result]] = {
    "doEdiBuyerCodeApply": Desk.apply_for_code,
    "doEdiBuyerCodeApprove": Desk.approve_codes,
    "doEdiNoLcQuotaApplyV2": Desk.apply_for_quota,
    "doEdiLcQuotaApplyV2": Desk.apply_for_quota,
    "getEdiQuotaapplys": Desk.applications,
    "getEdiQuotaApproveInfo": Desk.approved_quotas,
    "getQuotaBalanceInfoByPolicyNo": Desk.balances,
    "getEdiQuotaPreRevocationInfo": Desk.pre_revocations,
    "doQuota_BackApply": Desk.give_back,
    "getEdiQuotaBackApproveInfo": Desk.given_back,
    "getEdiRatingApproveInfo": Desk.ratings,
    "doEdiCreditReportInput": Desk.order_report,
    "getEdiCreditReportApprove": Desk.reports,
    "doEdiShipmentApply": Desk.ship,
    "getEdiShipmentApproveInfo": Desk.approved_shipments,
    "doEdiReceiptApply": Desk.receive_payments,
    "getEdiReceiptApproveInfo": Desk.approved_payments,
    "doEdiPlnotice": Desk.notify_loss,
    "getEdiPlnoticeApproveInfo": Desk.approved_notices,
    "doEdiClaimApply": Desk.claim,
    "getEdiClaimApproveInfo": Desk.approved_claims,
    "doEdiFileUpload": Desk.upload,
}
