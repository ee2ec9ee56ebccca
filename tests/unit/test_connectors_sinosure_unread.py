"""SINOSURE's lists besides limits and ratings: a record that is not as documented keeps no other from being read, and
leaves open only what it may itself be about."""

import json

import pytest
from sinosure_support import (
    BUYER,
    POLICY,
    a_claim,
    a_declaration,
    a_notice,
    a_request,
    a_shipment,
    response,
    script,
)

from connectors import BuyerQuery, ClaimState, ReportOrder, ReportStatus, RequestStatus, UnexpectedResponse

TOLD = {"approveFlag": 1, "notifyTime": "1772292600000"}
CODES, LIMITS, APPLIED = "doEdiBuyerCodeApprove", "getEdiQuotaApproveInfo", "getEdiQuotaapplys"
NOTICES, CLAIMS, SHIPMENTS = "getEdiPlnoticeApproveInfo", "getEdiClaimApproveInfo", "getEdiShipmentApproveInfo"
REPORTS, BALANCES = "getEdiCreditReportApprove", "getQuotaBalanceInfoByPolicyNo"
# A record that says nothing, and one of which not even the number can be read.
NO_RECORD = ["junk", None, {"corpSerialNo": {"is": 1}, "corpserialno": {"is": 1}}]


def listing(**records):
    """A connection to whose questions the gateway answers with these records."""
    methods = {name: json.dumps({"datas": rows}, ensure_ascii=False).encode() for name, rows in records.items()}
    answers = script(b'{"datas": []}', transport="gateway", history_days="1", decision_days="1", methods=methods)
    return answers.insurer


def buyer(number, name, **members):
    return {**TOLD, "buyerInfo": {"buyerNo": number, "engName": name, "countryCode": "USA"}, **members}


# --- Buyers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("junk", [*NO_RECORD, buyer("USA/2", "Other", notifyTime="today"), buyer({}, "Other")])
def test_buyer_is_found_beside_one_that_cannot_be_read(junk):
    insurer = listing(**{CODES: [junk, buyer(BUYER, "Evergreen Imports Inc.")]})
    (found,) = insurer.find_buyer(BuyerQuery("US", "Evergreen Imports"))
    assert found.buyer_id == BUYER
    (found,) = insurer.find_buyer(BuyerQuery("US", "x", buyer_id=BUYER))
    assert found.score == 100
    with pytest.raises(UnexpectedResponse):  # it may be this one
        insurer.find_buyer(BuyerQuery("US", "Zyx Holdings"))


@pytest.mark.parametrize("junk", [*NO_RECORD, {**TOLD, "buyerQuotaInfo": {"buyerNo": [1], "corpBuyerNo": "C-8"}}])
def test_own_number_is_found_beside_a_limit_that_cannot_be_read(junk):
    limit = {**TOLD, "buyerQuotaInfo": {"buyerNo": BUYER, "corpBuyerNo": "C-7", "quotaNo": "E1"}}
    insurer = listing(**{LIMITS: [limit, junk]})
    (found,) = insurer.find_buyer(BuyerQuery("US", "", own_reference="C-7"))
    assert (found.buyer_id, found.own_reference) == (BUYER, "C-7")
    with pytest.raises(UnexpectedResponse):
        insurer.find_buyer(BuyerQuery("US", "", own_reference="C-8"))
    assert insurer.find_buyer(BuyerQuery("US", "Zyx Holdings")) == ()  # limits were not looked at


# --- What was sent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("junk", NO_RECORD)
def test_request_is_found_beside_a_record_without_a_number(junk):
    application = {"corpserialno": "CR/1", "quotastate": "1"}
    insurer = listing(**{APPLIED: [application, junk], LIMITS: [{**TOLD, "corpSerialNo": "CR/1"}, junk]})
    assert insurer.find_cover_request(a_request("CR/1")).status is RequestStatus.APPROVED
    with pytest.raises(UnexpectedResponse):
        insurer.find_cover_request(a_request("CR/2"))


@pytest.mark.parametrize("junk", NO_RECORD)
def test_declaration_is_found_beside_a_record_without_a_number(junk):
    insurer = listing(**{SHIPMENTS: [junk, {**TOLD, "corpSerialNo": "S1", "premium": "1.50"}]})
    assert str(insurer.find_declaration(a_declaration(a_shipment("S1", "I1"))).premium) == "1.50"
    with pytest.raises(UnexpectedResponse):
        insurer.find_declaration(a_declaration(a_shipment("S2", "I2")))


@pytest.mark.parametrize("junk", NO_RECORD)
def test_notice_is_found_beside_a_record_without_a_number(junk):
    insurer = listing(**{NOTICES: [junk, {**TOLD, "corpSerialNo": "OVN/1", "caseno": "K1"}]})
    assert insurer.find_overdue_notice(a_notice("I1", reference="OVN/1")).case_number == "K1"


@pytest.mark.parametrize("junk", [*NO_RECORD, {**TOLD, "notifyTime": "?"}, {**TOLD, "invoiceNo": {}}])
def test_case_of_an_invoice_is_found_beside_a_notice_that_cannot_be_read(junk):
    insurer = listing(**{NOTICES: [junk, {**TOLD, "invoiceNo": "I1", "caseno": "K1"}]})
    assert insurer.submit_claim(a_claim("I1")).reference
    with pytest.raises(UnexpectedResponse):
        insurer.submit_claim(a_claim("I2"))


@pytest.mark.parametrize("junk", [*NO_RECORD, {**TOLD, "corpSerialNo": "CLM/9", "approveFlag": True}])
def test_claim_is_told_of_beside_one_that_cannot_be_read(junk):
    insurer = listing(**{CLAIMS: [{**TOLD, "corpSerialNo": "CLM/1"}, junk]})
    assert insurer.claim_status("CLM/1:90.05USD").state is ClaimState.IN_REVIEW


def test_claim_is_not_told_of_when_what_is_said_of_it_cannot_be_read():
    insurer = listing(**{CLAIMS: [{**TOLD, "corpSerialNo": "CLM/1", "approveFlag": True}]})
    with pytest.raises(UnexpectedResponse, match="approveFlag"):
        insurer.claim_status("CLM/1:90.05USD")
    with pytest.raises(UnexpectedResponse):
        listing(**{CLAIMS: NO_RECORD}).claim_status("CLM/1:90.05USD")
    assert insurer.claim_status("CLM/2:90.05USD").state is ClaimState.RECEIVED


@pytest.mark.parametrize("junk", NO_RECORD)
def test_report_is_found_beside_a_record_without_a_number(junk):
    insurer = listing(**{REPORTS: [{"corpserialno": "RO/1", "orderstate": "?"}, junk]})
    assert insurer.find_report(ReportOrder("RO/1", BUYER, POLICY)).status is ReportStatus.UNKNOWN
    with pytest.raises(UnexpectedResponse):
        insurer.find_report(ReportOrder("RO/2", BUYER, POLICY))


# --- Balances ---------------------------------------------------------------------------------------------------------


def test_balance_is_told_beside_one_that_cannot_be_read():
    rows = [{"buyerNo": "1", "quotaNo": "E1", "quotaBalance": "5,00"}, {"buyerNo": "2", "quotaNo": "E2"}, None]
    page = listing(**{BALANCES: [*rows, {"buyerNo": "4", "quotaNo": "E4", "quotaBalance": "5"}]}).quota_balances(POLICY)
    assert [each.cover_id for each in page.items] == ["E4"]
    assert [(entry.buyer_id, entry.number) for entry in page.unread] == [("1", "E1"), ("2", "E2"), ("", "")]


def test_the_web_service_is_read_so_too():
    number = "<corpSerialNo>S1</corpSerialNo>"
    records = "<ShipmentApproveInfo><approveFlag>1</approveFlag>%s</ShipmentApproveInfo>"
    answer = response(SHIPMENTS, records % (number * 2) + records % number)
    insurer = script(methods={SHIPMENTS: answer}, history_days="1", decision_days="1").insurer
    assert insurer.find_declaration(a_declaration(a_shipment("S1", "I1")))
