"""Limits at SINOSURE: applications, approvals, balances, pre-revocations, limits given back.

``quotaState`` has no public list of codes: those here are made up (``STATES``).
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from .book import Book
from .store import Row
from .submissions import KINDS

ZONE = timezone(timedelta(hours=8))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATES = {
    **{"APPROVED": "01", "PARTIAL": "02", "REDUCED": "03", "WITHDRAWN": "04", "EXPIRED": "05", "REFUSED": "00"},
}
APPLICATION_STATES = {"PENDING": "10", "APPROVED": "11", "PARTIAL": "11", "REFUSED": "12"}

Parameters = dict[str, Any]
Result = tuple[str, list[Row]]


class EdiError(Exception):
    """The call is refused with an ``EdiException``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Quotas:
    def __init__(self, book: Book) -> None:
        self.book = book

    def calls_per_hour(self) -> int | None:
        policies = self.book.store.rows("SELECT details FROM policy")
        return min((json.loads(row["details"]).get("callsPerHour") for row in policies), key=_first_known, default=None)

    # --- What is sent ---------------------------------------------------------------------------------------------

    def take(self, kind: str, body: Row) -> Row | None:
        """A submission, new or taken in again after it was refused; ``None`` for a repeat."""
        known = self.book.by_reference(kind, body["reference"])
        if known is None:
            return self.book.submit(kind, body, lambda _body: None)[0]
        if known["status"] != "REFUSED":
            return None
        self.book.store.run("UPDATE submission SET body = ? WHERE id = ?", json.dumps(body, default=str), known["id"])
        return self.book.move({**known, "outcome": "{}"}, KINDS[kind].first)

    def refuse(self, submission: Row, reason: str) -> None:
        self.book.move(submission, "REFUSED", message=reason)

    def moved(self, kind: str, parameters: Parameters, start: str = "startDate", end: str = "endDate") -> Iterator[Row]:
        """The submissions of a kind that were answered in the span, under the policy that is asked for."""
        first, last = period(parameters, start, end)
        for row in self.book.submissions(kind):
            sent = json.loads(row["body"])
            policy = sent.get("policyNumber", sent.get("policyNo", ""))
            if row["status"] == KINDS[kind].first or parameters.get("policyNo") not in ("", None, policy):
                continue
            if first <= moment(row["updated_at"]) <= last:
                yield row

    # --- Applications ---------------------------------------------------------------------------------------------

    def apply_for_quota(self, parameters: Parameters) -> Result:
        for row in parameters["rows"]:
            policy, buyer = row.get("policyNo", ""), row.get("sinosureBuyerNo", "")
            body = {
                "reference": row["corpSerialNo"],
                "policyNumber": policy,
                "buyerId": buyer,
                "kind": "INCREASE" if self.book.cover(policy, buyer) else "NEW",
                "amount": row.get("quotaSumApply"),
                "payMode": row.get("contractPayMode", "1"),
                "payTerm": row.get("payTermApply"),
            }
            pending = self.book.pending_request(policy, buyer)
            taken = self.take("cover_request", body)
            if taken:
                problem = self._problem(policy, buyer) or ("该买方限额申请正在审批" if pending else "")
                if problem:
                    self.refuse(taken, problem)
                elif row.get("corpBuyerNo"):
                    self.book.set_own_reference(buyer, row["corpBuyerNo"])
        return "", []

    def _problem(self, policy: str, buyer: str) -> str:
        if self.book.store.row("SELECT 1 FROM policy WHERE number = ?", policy) is None:
            return f"保单号不存在 {policy}"
        if self.book.store.row("SELECT 1 FROM buyer WHERE buyer_id = ?", buyer) is None:
            return f"买方代码不存在 {buyer}"
        return ""

    def applications(self, parameters: Parameters) -> Result:
        start, end = period(parameters, "startdate", "enddate")
        rows = []
        for request in self.book.submissions("cover_request"):
            sent = json.loads(request["body"])
            state = APPLICATION_STATES.get(request["status"], "")
            asked = parameters.get("policyno") in ("", None, sent["policyNumber"])
            wanted = parameters.get("quotastate") in ("", None, state)
            if sent["kind"] != "CANCEL" and asked and wanted and start <= moment(request["received_at"]) <= end:
                rows.append(
                    {
                        "applydate": moment(request["received_at"]),
                        "contractpaymode": sent.get("payMode"),
                        "corpserialno": request["reference"],
                        "paytermapply": sent.get("payTerm"),
                        "quotastate": state,
                        "quotasumapply": sent["amount"],
                        "sinosurebuyerno": sent["buyerId"],
                    }
                )
        return "QuotaInfo", rows

    # --- Limits ---------------------------------------------------------------------------------------------------

    def approved_quotas(self, parameters: Parameters) -> Result:
        """Answers to applications, then the limits themselves as of the day of their last decision."""
        start, end = period(parameters)
        rows = []
        for request in self.moved("cover_request", parameters):
            sent = json.loads(request["body"])
            cover = self.book.cover(sent["policyNumber"], sent["buyerId"])
            if sent["kind"] != "CANCEL":
                granted = json.loads(request["outcome"]).get("grantedAmount")
                own = {"own_reference": self.book.buyer(sent["buyerId"])["own_reference"]} if cover else {}
                told = quota({**cover, **own, "amount": granted}) if cover and granted else None
                rows.append({**approval(request), "buyerQuotaInfo": told, "ifLc": "0"})
        for cover in self.covers(parameters.get("policyNo")):
            told_at = datetime.combine(date.fromisoformat(cover["decided_on"]), time(23, 59, 59), ZONE)
            if start <= told_at <= end and cover["status"] in STATES:
                heading = {"approveFlag": "1", "noticeSerialNo": cover["id"], "notifyTime": told_at, "ifLc": "0"}
                rows.append({**heading, "buyerQuotaInfo": quota(cover)})
        return "QuotaApproveInfo", rows

    def covers(self, policy: object) -> list[Row]:
        where = "WHERE c.decided_on IS NOT NULL AND (? IN ('', c.policy_number))"
        joined = "SELECT c.*, b.own_reference FROM cover c JOIN buyer b USING (buyer_id)"
        return self.book.store.rows(f"{joined} {where} ORDER BY c.id", policy or "")

    def balances(self, parameters: Parameters) -> Result:
        rows = [
            {
                "buyerNo": cover["buyer_id"],
                "calculateTime": self.book.now(),
                "policyNo": cover["policy_number"],
                "quotaBalance": cover["amount"],
                "quotaNo": quota_number(cover),
            }
            for policy in parameters["policyNoList"]
            for cover in self.covers(policy)
            if cover["amount"] is not None
        ]
        return "QuotaBalanceInfo", rows

    def pre_revocations(self, parameters: Parameters) -> Result:
        rows = []
        for cover in self.covers(parameters.get("policyNo")):
            for notice in json.loads(cover["announcements"]):
                if notice["kind"] == "WITHDRAWAL":
                    last = date.fromisoformat(notice["effectiveFrom"]) - timedelta(days=1)
                    rows.append(
                        {
                            "bizbuyerNo": cover["buyer_id"],
                            "buyerquotano": quota_number(cover),
                            "effectdate": cover["effective_from"],
                            "lapsedate": cover["effective_to"],
                            "newlapsedate": last,
                            "otherRate": cover["insured_percentage"],
                            "policyNo": cover["policy_number"],
                            "quotaSum": cover["amount"],
                        }
                    )
        return "QuotaPreRevocationInfo", rows

    # --- Giving back ----------------------------------------------------------------------------------------------

    def give_back(self, parameters: Parameters) -> Result:
        for row in parameters["rows"]:
            covers = {quota_number(cover): cover for cover in self.covers(row.get("policyNo"))}
            cover = covers.get(row.get("buyerQuotaNo", ""))
            body = {
                "reference": row["corpAlterSerialNo"],
                "policyNumber": row.get("policyNo", ""),
                "buyerId": cover["buyer_id"] if cover else "",
                "quotaNo": row.get("buyerQuotaNo", ""),
                "kind": "CANCEL",
            }
            taken = self.take("cover_request", body)
            if taken and cover is None:
                self.refuse(taken, f"限额编号不存在 {body['quotaNo']}")
        return "", []

    def given_back(self, parameters: Parameters) -> Result:
        rows = []
        for request in self.moved("cover_request", parameters):
            sent = json.loads(request["body"])
            if sent["kind"] == "CANCEL":
                rows.append({**approval(request), "buyerquotano": sent["quotaNo"]})
        return "QuotaBackApproveInfo", rows


def _first_known(value: int | None) -> float:
    return float("inf") if value is None else value


def quota_number(cover: Row) -> str:
    return f"Q{cover['id']:07d}"


def quota(cover: Row) -> Row:
    conditions = json.loads(cover["conditions"])
    return {
        "adCondition": "\n".join(conditions) or None,
        "buyerNo": cover["buyer_id"],
        "corpBuyerNo": cover["own_reference"] or None,
        "effectDate": cover["effective_from"],
        "lapseDate": cover["effective_to"],
        "otherRate": cover["insured_percentage"],
        "policyNo": cover["policy_number"],
        "quotaNo": quota_number(cover),
        "quotaState": STATES.get(cover["status"], cover["status"]),
        "quotaSum": cover["amount"],
        "refuseRate": "80",
    }


def approval(submission: Row) -> Row:
    """The part that all answers have in common."""
    refused = submission["status"] == "REFUSED"
    return {
        "approveFlag": "0" if refused else "1",
        "corpSerialNo": submission["reference"],
        "noticeSerialNo": submission["id"],
        "notifyTime": moment(submission["updated_at"]),
        "unAcceptCode": "99" if refused else None,
        "unAcceptReason": json.loads(submission["outcome"]).get("message") or "不符合承保条件" if refused else None,
    }


def period(parameters: Parameters, start: str = "startDate", end: str = "endDate") -> tuple[datetime, datetime]:
    """The span of a question, to the end of its last second."""
    try:
        return moment(parameters[start]), moment(parameters[end]) + timedelta(milliseconds=999)
    except (KeyError, ValueError) as exc:
        raise EdiError("EDI-EXC-0010", f"日期有误 {exc}") from exc


def moment(text: str) -> datetime:
    if re.fullmatch(r"\d{12,13}", text):
        return EPOCH + timedelta(milliseconds=int(text))
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def milliseconds(value: datetime) -> str:
    return str((value - EPOCH) // timedelta(milliseconds=1))
