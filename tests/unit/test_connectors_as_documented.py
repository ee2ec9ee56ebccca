"""Answers that the reference shows literally, with nothing beside: no connector may ask for more than that."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from allianz_trade_wire import Wire
from atradius_support import POLICY, a_cover, fixture, scripted
from coface_wire import COMPANY, CofaceWire
from sinosure_support import a_notice, a_request, response, script

from connectors import (
    ConfigurationError,
    CoverRequest,
    CoverRequestKind,
    CoverStatus,
    Grade,
    RejectedByInsurer,
    ReportOrder,
    ReportStatus,
    RequestStatus,
    UnexpectedResponse,
)

COVERS = "/riskinfo/v3/covers"
PENDING = "/riskinfo/v3/coverRequests/search"
ORDERS, PUBLICATIONS, NOTIFICATIONS = "/publications/orders", "/publications", "/notifications"
REQUEST = CoverRequest("R-1", "100200", "1001", CoverRequestKind.NEW, "USD", Decimal(50000))
PLACED = {"orderDate": "2026-11-19", "publications": [{"deliveryId": "D-1"}]}
ASSESSMENT = {"assessmentSlug": "debtor-risk-assessment", "companyId": COMPANY, "debtorRiskValue": "7"}


@pytest.fixture
def allianz(monkeypatch):
    return Wire().plugged(monkeypatch)


@pytest.fixture
def coface(monkeypatch):
    wire = CofaceWire().plugged(monkeypatch)
    wire.on(NOTIFICATIONS, [])
    return wire


# --- Allianz Trade ----------------------------------------------------------------------------------------------------


def test_allianz_trade_needs_no_list_of_policies_but_for_grades(allianz):
    allianz.on(f"{COVERS}/search", [{"companyId": "1001", "coverStatusCode": "Agreement"}], 206)
    with allianz.connect(settings={"policies": ""}) as insurer:
        assert [cover.buyer_id for cover in insurer.cover_page("100200").items] == ["1001"]
        with pytest.raises(ConfigurationError, match="policies"):
            insurer.grades(["1001"])


@pytest.mark.parametrize("address", ["https://api.allianz-trade.com/riskinfo/v3/covers/C-1", "/riskinfo/v3/covers/C-1"])
def test_result_at_the_insurers_own_host_is_read_behind_a_gateway(allianz, address):
    allianz.on(COVERS, b'"J-1"', 202)
    allianz.on("/jobs/J-1", {"jobStatusCode": "PROCESSED", "resourceUrl": address})
    allianz.on(PENDING, [])
    limit = {"technicalDecisionStatusCode": "AlreadyAgreed", "amount": 50000, "startDate": "2026-11-20"}
    allianz.on(f"{COVERS}/C-1", {"creditLimitsAggregation": {"creditLimits": [limit]}})
    with allianz.connect(base_url="https://gateway.example") as insurer:
        state = insurer.cover_request_state(insurer.request_cover(REQUEST).request_id)
    assert (state.status, state.amount) == (RequestStatus.APPROVED, Decimal(50000))
    assert {call.url.split("/")[2] for call in allianz.sent} == {"gateway.example"}


@pytest.mark.parametrize(("cover", "status"), [({"creditLimitsAggregation": {"creditLimits": []}}, 200), ({}, 404)])
def test_pending_request_whose_company_nobody_tells_is_listed_and_not_taken_for_ours(allianz, cover, status):
    details = {"requestedAmount": 9000, "currencyCode": "USD"}
    pending = {"requestId": "Q-1", "coverId": "C-9", "creationDate": "2026-11-19", "creditLimitDetails": details}
    allianz.on(PENDING, [pending])
    allianz.on(f"{COVERS}/C-9", cover, status)
    allianz.on(f"{COVERS}/search", [])
    with allianz.connect() as insurer:
        (state,) = insurer.cover_request_page("100200").items
        assert (state.status, state.buyer_id, state.cover_id) == (RequestStatus.PENDING, "", "C-9")
        assert insurer.cover_request_state(state.request_id).status is RequestStatus.PENDING
        assert insurer.find_cover_request(REQUEST) is None
        details["requestedAmount"] = 50000
        allianz.answers.pop(PENDING)
        allianz.on(PENDING, [pending])
        with pytest.raises(UnexpectedResponse, match="may be ours"):
            insurer.find_cover_request(REQUEST)


# --- Atradius ---------------------------------------------------------------------------------------------------------


def test_ended_cover_that_tells_no_end_does_not_stand():
    with scripted() as insurer_at:
        insurer_at.on("covers", {"data": []})
        insurer_at.on("historic", {"data": [a_cover(decisionCode="DC01", historicCode="", pendingProcessIndicator="")]})
        with insurer_at.connect() as insurer:
            (cover,) = insurer.cover_page(POLICY).items
    assert fixture("cover")["coverId"] and cover.status is CoverStatus.UNKNOWN and cover.raw_code == "DC01"


# --- Coface -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [([], 200), ({"message": "no such order"}, 404)])
def test_grade_is_ordered_and_read_by_the_documented_answers_alone(coface, listed):
    coface.on(ORDERS, *listed)
    coface.on(ORDERS, PLACED, 201)
    coface.on(PUBLICATIONS, ASSESSMENT)
    with coface.connect() as insurer:
        assert insurer.grades([COMPANY]) == (Grade(COMPANY, "7", "COFACE-DRA", None),)


def test_our_order_of_a_grade_that_names_no_product_is_not_placed_again(coface):
    coface.on(ORDERS, [{**PLACED, "customerReference": "grade 2026-11-19"}])
    coface.on(PUBLICATIONS, ASSESSMENT)
    with coface.connect() as insurer:
        assert insurer.grades([COMPANY])[0].value == "7"
    assert [call.method for call in coface.answers_to(ORDERS)] == ["GET"]


@pytest.mark.parametrize("count", [20, 25])
def test_list_that_does_not_come_in_parts_ends(coface, count):
    coface.answers.pop(NOTIFICATIONS)
    coface.on(
        NOTIFICATIONS, [{"id": str(each), "deliveryDate": "2026-11-18", "format": "pdf"} for each in range(count)]
    )
    with coface.connect() as insurer:
        page = insurer.notifications(date(2026, 11, 1))
    assert (len(page.items), page.next_token) == (count, None)


def test_usual_report_is_the_documented_opinion(coface):
    opinion = {"rating": "@@", "maxCreditAmount": {"currency": "EUR", "value": 50000}, "decisionDetails": []}
    coface.on(ORDERS, PLACED, 201)
    coface.on(PUBLICATIONS, b"", 202)
    coface.on(PUBLICATIONS, opinion)
    with coface.connect() as insurer:
        order = insurer.order_report(ReportOrder("REP/1", COMPANY))
        waiting, state = (insurer.report_state(order.order_id) for _time in range(2))
    assert coface.answers_to(ORDERS)[0].body["assessments"] == [{"slug": "credit-opinion", "currency": "EUR"}]
    assert (waiting.status, state.status) == (ReportStatus.ORDERED, ReportStatus.DELIVERED)
    assert (state.grade, state.recommended_amount, state.currency) == ("@@", Decimal(50000), "EUR")


# --- SINOSURE ---------------------------------------------------------------------------------------------------------

APPROVAL = (
    "<approveFlag>1</approveFlag><buyerQuotaInfo><buyerNo>USA/089971</buyerNo><quotaNo>E1</quotaNo>"
    "<quotaSum>750000</quotaSum></buyerQuotaInfo><corpSerialNo>CR/2026/0007</corpSerialNo>"
)
ITEM = f"<QuotaApproveInfo>{APPROVAL}</QuotaApproveInfo>"
SPAN_BEGINS = datetime(2026, 2, 27, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "records", [ITEM, APPROVAL, f"{ITEM}</s:out><s:out>{ITEM}", f"{APPROVAL}</s:out><s:out/><s:out>"]
)
def test_approval_without_its_time_is_read_in_every_form_of_out(records):
    content = response("getEdiQuotaApproveInfo", records)
    insurer = script(methods={"getEdiQuotaApproveInfo": content}, decision_days="1", history_days="1").insurer
    state = insurer.find_cover_request(a_request())
    assert (state.status, state.received_at) == (RequestStatus.APPROVED, SPAN_BEGINS)
    (cover,) = insurer.cover_page("P").items
    assert (cover.cover_id, cover.status, cover.amount) == ("E1", CoverStatus.APPROVED, Decimal(750000))


def test_limit_given_back_at_a_time_that_is_not_told_does_not_stand():
    back = "<approveFlag>1</approveFlag><buyerquotano>E1</buyerquotano>"
    timed = ITEM.replace("</corpSerialNo>", "</corpSerialNo><notifyTime>2026-03-01T07:00:00</notifyTime>")
    methods = {
        "getEdiQuotaApproveInfo": response("getEdiQuotaApproveInfo", timed),
        "getEdiQuotaBackApproveInfo": response(
            "getEdiQuotaBackApproveInfo", f"<QuotaBackApproveInfo>{back}</QuotaBackApproveInfo>"
        ),
    }
    (cover,) = script(methods=methods, history_days="1").insurer.cover_page("P").items
    assert cover.status is CoverStatus.WITHDRAWN


def test_notice_is_answered_by_its_documented_members_alone():
    told = "<approveFlag>1</approveFlag><caseno>C-1</caseno><corpSerialNo>OVN/2026/0001</corpSerialNo>"
    record = f"<PlnoticeApproveInfo>{told}</PlnoticeApproveInfo>"
    methods = {"getEdiPlnoticeApproveInfo": response("getEdiPlnoticeApproveInfo", record)}
    found = script(methods=methods, decision_days="1").insurer.find_overdue_notice(a_notice("I-1"))
    assert found.case_number == "C-1"


def test_announced_end_whose_day_is_not_told_changes_nothing_yet():
    fields = "<buyerNo>B</buyerNo><quotaNo>E9</quotaNo><quotaSum>5</quotaSum>"
    record = f"<QuotaPreRevocationInfo>{fields}</QuotaPreRevocationInfo>"
    methods = {"getEdiQuotaPreRevocationInfo": response("getEdiQuotaPreRevocationInfo", record)}
    (cover,) = script(methods=methods, history_days="1").insurer.cover_page("P").items
    assert cover.status is CoverStatus.APPROVED and cover.announcements[0].effective_from is None


@pytest.mark.parametrize(("status", "is_taken"), [(202, True), (200, False)])
def test_order_may_be_taken_without_a_document_where_the_status_says_so(status, is_taken):
    insurer = script(b" ", status=status).insurer
    if is_taken:
        assert insurer.request_cover(a_request()).status is RequestStatus.PENDING
    else:
        with pytest.raises(UnexpectedResponse):
            insurer.request_cover(a_request())
    with pytest.raises(UnexpectedResponse):
        insurer.cover_page("P")


def test_gateways_answer_without_records_is_not_read_as_none():
    failed = json.dumps({"success": False, "message": "busy"}).encode()
    with pytest.raises(UnexpectedResponse, match="expected QuotaApproveInfo"):
        script(failed, transport="gateway", history_days="1").insurer.cover_page("P")


def test_gateways_single_feedback_is_read():
    refused = json.dumps({"corpSerialNo": "R", "returnCode": "0", "returnMsg": "买方不存在"}).encode()
    insurer = script(refused, transport="gateway", return_codes="1=accepted, 0=refused").insurer
    with pytest.raises(RejectedByInsurer, match="买方不存在"):
        insurer.order_report(ReportOrder("R", "USA/1"))
