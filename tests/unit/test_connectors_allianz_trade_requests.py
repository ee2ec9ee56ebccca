"""Allianz Trade: requests for cover and their jobs, version 2, payment overdues, calls back."""

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from allianz_trade_wire import NOW, TEST_HOST, Wire, document, shape

from connectors import (
    CONNECTORS,
    ConfigurationError,
    CoverProduct,
    CoverRequest,
    CoverRequestKind,
    CoverStatus,
    Environment,
    ExtensionReason,
    Instalment,
    InvoiceExtension,
    NotSupported,
    Operation,
    OverdueInvoice,
    OverdueNotice,
    RejectedByInsurer,
    RepaymentPlan,
    RequestStatus,
    UnexpectedResponse,
)
from connectors.allianz_trade_policies import RequestKey

COVERS, PORTFOLIO, PENDING = "/v3/covers", "/v3/covers/search", "/coverRequests/search"
JOB, COVER = "/jobs/J-1", "/covers/C-0001"
REQUEST = CoverRequest(
    *("REQ/1", "100200", "70012346", CoverRequestKind.INCREASE, "USD", Decimal(90000)),
    urgent=True,
    comment="Spring orders",
)
INVOICE = OverdueInvoice("INV/1", date(2026, 1, 10), date(2026, 3, 11), Decimal("150.00"), Decimal("120.50"), "USD")


@pytest.fixture
def wire(monkeypatch):
    return Wire().plugged(monkeypatch)


def key(kind="job", number="J-1", amount=Decimal(90000), asked_at=NOW - timedelta(days=2)):
    return RequestKey(kind, number, "100200", "70012346", amount, asked_at).text()


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_limit_is_asked_for_and_becomes_a_job(wire):
    wire.on(COVERS, document("job_id.txt"))
    with wire.connect() as insurer:
        state = insurer.request_cover(REQUEST)
    assert wire.bodies(COVERS) == [shape("cover_v3_request.json")]
    assert (state.status, state.buyer_id, state.received_at) == (RequestStatus.PENDING, "70012346", NOW)
    assert state.request_id.split("/")[:2] == ["job", document("job_id.txt").decode()]


def test_grade_cover_is_asked_for_without_an_amount(wire):
    wire.on(COVERS, "J-1")
    with wire.connect() as insurer:
        insurer.request_cover(replace(REQUEST, product=CoverProduct.GRADE_COVER, amount=None, urgent=False))
    assert wire.bodies(COVERS) == [shape("cover_v3_grade_request.json")]


def test_amount_with_cents_is_sent_exactly(wire):
    wire.on(COVERS, "J-1")
    with wire.connect() as insurer:
        insurer.request_cover(replace(REQUEST, amount=Decimal("90000.10")))
    assert wire.bodies(COVERS)[0]["creditLimitDetails"]["requestedAmount"] == "90000.10"


@pytest.mark.parametrize("body", [b"J-1", b'"J-1"', b' "J-1"\n', b'{"jobId": "J-1"}', b"4711"])
def test_job_id_may_come_bare_or_as_json(wire, body):
    wire.on(COVERS, body)
    with wire.connect() as insurer:
        assert insurer.request_cover(REQUEST).request_id.startswith(("job/J-1/", "job/4711/"))


@pytest.mark.parametrize("body", [b"", b"null", b"true", b"{}", b"[]", b"<html>busy</html>", b'"'])
def test_answer_without_a_job_leaves_open_whether_it_acted(wire, body):
    wire.on(COVERS, body)
    with pytest.raises(UnexpectedResponse) as caught, wire.connect() as insurer:
        insurer.request_cover(REQUEST)
    assert caught.value.may_have_acted
    assert len(wire.bodies(COVERS)) == 1


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"code": "PENDING_REQUEST", "message": "A request is open"}, "PENDING_REQUEST", "A request is open"),
        ({"errors": [{"errorCode": 12, "detail": "A request is open"}]}, "12", "A request is open"),
        ({"error": {"message": "A request is open"}}, "", "A request is open"),
        ("A request is open", "", "A request is open"),
        ({"what": "ever"}, "", '{"what": "ever"}'),
    ],
)
def test_refusal_is_told_in_the_insurers_words(wire, body, code, words):
    wire.on(COVERS, body, 409)
    with pytest.raises(RejectedByInsurer) as caught, wire.connect() as insurer:
        insurer.request_cover(REQUEST)
    assert (caught.value.code, caught.value.words, caught.value.may_have_acted) == (code, words, False)


def test_what_is_not_public_takes_the_file_route(wire):
    with wire.connect() as insurer:
        with pytest.raises(NotSupported):
            insurer.request_cover(replace(REQUEST, kind=CoverRequestKind.CANCEL, amount=None))
        with pytest.raises(NotSupported):
            insurer.request_cover(replace(REQUEST, product=CoverProduct.CREDIT_CHECK, amount=None))
    missing = {Operation.SUBMIT_CLAIM, Operation.DECLARE_TURNOVER, Operation.POLICY_DETAILS, Operation.ADD_DOCUMENT}
    assert not missing & CONNECTORS["allianz_trade"].capabilities()
    assert wire.sent == []


# --- Following a job --------------------------------------------------------------------------------------------------


def follow(wire, job="job_processed.json", cover="cover.json", pending=(), **settings):
    wire.on(JOB, document(job) if isinstance(job, str) else job)
    wire.on(PENDING, list(pending))
    wire.on(COVER, document(cover) if isinstance(cover, str) else cover)
    with wire.connect(settings=settings) as insurer:
        return insurer.cover_request_state(key())


@pytest.mark.parametrize("code", ["pending", "Pending", "PENDING"])
def test_job_that_is_pending_in_any_case(wire, code):
    state = follow(wire, {"jobStatusCode": code})
    assert (state.status, state.raw_code) == (RequestStatus.PENDING, code)
    assert wire.urls()[1:] == [f"{TEST_HOST}/uatm/riskinfo/v3/jobs/J-1"]


def test_documented_job_that_is_pending(wire):
    assert follow(wire, "job_pending.json").status is RequestStatus.PENDING


@pytest.mark.parametrize("code", ["processed", "Processed", "PROCESSED"])
def test_job_that_is_processed_in_any_case(wire, code):
    state = follow(wire, {**shape("job_processed.json"), "jobStatusCode": code})
    assert (state.status, state.amount, state.decided_on) == (
        *(RequestStatus.APPROVED, Decimal(90000), date(2026, 11, 20)),
    )
    assert (state.cover_id, state.buyer_id, state.request_id) == ("C-0001", "70012346", key())
    assert wire.urls()[-1] == shape("job_processed.json")["resourceUrl"]


def test_unknown_job_status_stays_raw(wire):
    state = follow(wire, {"jobStatusCode": "Failed"})
    assert (state.status, state.raw_code) == (RequestStatus.UNKNOWN, "Failed")


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/uatm/riskinfo/v3/covers/C-0001",
        "http://api-services.uat.1placedessaisons.com/uatm/riskinfo/v3/covers/C-0001",
        "https://api-services.uat.1placedessaisons.com:8443/covers/C-0001",
        "https://api-services.uat.1placedessaisons.com@elsewhere.example/covers/C-0001",
        "//elsewhere.example/covers/C-0001",
        "/covers/C-0001",
    ],
)
def test_result_at_a_foreign_address_is_not_fetched(wire, address):
    with pytest.raises(UnexpectedResponse) as caught:
        follow(wire, {"jobStatusCode": "processed", "resourceUrl": address})
    assert caught.value.field == "resourceUrl"
    assert {call.url for call in wire.sent if "Authorization" in call.headers} == {
        f"{TEST_HOST}/uatm/riskinfo/v3/jobs/J-1",
        f"{TEST_HOST}/uatm/riskinfo/v3/coverRequests/search",
    }


def test_processed_job_without_a_result_names_the_field(wire):
    with pytest.raises(UnexpectedResponse) as caught:
        follow(wire, {"jobStatusCode": "processed"})
    assert caught.value.field == "resourceUrl"


def test_request_that_people_look_at_stays_pending_though_its_job_is_processed(wire):
    state = follow(wire, pending=shape("cover_requests_answer.json"))
    assert (state.status, state.raw_code, state.cover_id) == (RequestStatus.PENDING, "InProgress", "C-0001")


def limited(amount, start, **members):
    limit = {"technicalDecisionStatusCode": "AlreadyAgreed", "amount": amount, "startDate": start}
    return {"creditLimitsAggregation": {"creditLimits": [limit]}, **members}


@pytest.mark.parametrize(
    ("cover", "status", "amount"),
    [
        (limited(90000, "2026-01-01"), RequestStatus.APPROVED, Decimal(90000)),  # stood before, and is what was asked
        (limited(75000, "2026-11-19"), RequestStatus.PARTIAL, Decimal(75000)),
        (limited(95000, "2026-11-19"), RequestStatus.APPROVED, Decimal(95000)),
        (limited(60000, "2026-01-01"), RequestStatus.UNKNOWN, None),  # the old limit: not granted, nothing said
        (limited(60000, None), RequestStatus.UNKNOWN, None),
        ({"creditLimitsAggregation": {"creditLimits": []}}, RequestStatus.PENDING, None),
        ({"coverStatusCode": "Refused"}, RequestStatus.UNKNOWN, None),
        ({"coverStatusCode": "CheckPolicy"}, RequestStatus.UNKNOWN, None),  # not what was asked for
    ],
)
def test_what_a_cover_says_of_the_request(wire, cover, status, amount):
    state = follow(wire, cover=cover)
    assert (state.status, state.amount) == (status, amount)


def test_refusal_is_known_once_its_code_is_and_has_the_insurers_words(wire):
    cover = {"coverStatusCode": "Refused", "note": "Balance sheet is too old"}
    state = follow(wire, cover=cover, codes="cover.Refused=refused", fields="cover.words=note")
    assert (state.status, state.raw_code) == (RequestStatus.REFUSED, "Refused")
    assert (state.words, state.amount) == ("Balance sheet is too old", None)


def test_granted_grade_cover(wire):
    wire.on(JOB, document("job_processed.json"))
    wire.on(PENDING, [])
    wire.on(COVER, {"coverStatusCode": "CheckPolicy", "gradePolicyCoverGradeCode": "4"})
    with wire.connect() as insurer:
        state = insurer.cover_request_state(key(amount=None))
    assert (state.status, state.amount) == (RequestStatus.APPROVED, None)


def test_cover_of_somebody_else_is_not_taken_for_the_answer(wire):
    with pytest.raises(UnexpectedResponse, match="companyId: the answer is about '1'"):
        follow(wire, cover=limited(90000, "2026-11-20", companyId="1"))


@pytest.mark.parametrize(
    "number",
    ["", "JOB-1", "job/J-1", "job//a/b/c/2026-01-01", "job/J/P/C/x/2026-01-01T00:00Z", "job/J/P/C//2026-01-01"],
)
def test_foreign_request_id_is_told_apart(wire, number):
    with pytest.raises(UnexpectedResponse), wire.connect() as insurer:
        insurer.cover_request_state(number)
    assert wire.sent == []


def test_request_id_survives_any_characters():
    for text in ("a/b", "ü ä%2F", "x?y=z&1"):
        made = RequestKey("job", text, text, text, Decimal("1.50"), datetime(2026, 1, 1, 12, tzinfo=UTC))
        assert RequestKey.read(made.text()) == made


# --- Undecided requests -----------------------------------------------------------------------------------------------


def test_undecided_requests_are_listed_with_their_company(wire):
    wire.on(PENDING, document("cover_requests_answer.json"))
    wire.on(COVER, {"companyId": "70012346"})
    with wire.connect() as insurer:
        (state,) = insurer.cover_request_page("100200").items
    assert wire.bodies(PENDING) == [shape("cover_requests_request.json")]
    assert (state.status, state.buyer_id, state.cover_id) == (RequestStatus.PENDING, "70012346", "C-0001")
    assert (state.received_at, state.currency) == (datetime(2026, 11, 19, 8, 30, tzinfo=UTC), "USD")


def test_company_is_not_looked_up_where_the_request_tells_it(wire):
    (listed,) = shape("cover_requests_answer.json")
    wire.on(PENDING, [{**listed, "who": 70012346}])
    with wire.connect(settings={"fields": "request.company=who"}) as insurer:
        assert insurer.find_cover_request(REQUEST).buyer_id == "70012346"
    assert len(wire.sent) == 2


def test_listed_request_can_be_followed_by_its_id(wire):
    wire.on(PENDING, document("cover_requests_answer.json"))
    wire.on(PENDING, [])
    wire.on(COVER, limited(90000, "2026-11-20", companyId="70012346"))
    with wire.connect() as insurer:
        (state,) = insurer.cover_request_page("100200").items
    with wire.connect() as another_process:
        assert another_process.cover_request_state(state.request_id).status is RequestStatus.APPROVED


def test_request_is_not_said_to_be_missing_when_its_company_cannot_be_told(wire):
    wire.on(PENDING, document("cover_requests_answer.json"))
    wire.on(COVER, {})
    with pytest.raises(UnexpectedResponse, match="companyId"), wire.connect() as insurer:
        insurer.find_cover_request(REQUEST)


def test_request_of_another_company_is_not_ours(wire):
    wire.on(PENDING, document("cover_requests_answer.json"))
    wire.on(COVER, {"companyId": "1"})
    wire.on(PORTFOLIO, document("cover_search_answer.json"))
    with wire.connect() as insurer:
        assert insurer.find_cover_request(REQUEST) is None


def test_cover_that_stands_as_asked_for_was_decided_at_once(wire):
    wire.on(PENDING, [])
    wire.on(PORTFOLIO, document("cover_search_answer.json"))
    standing = replace(REQUEST, buyer_id="70012345", amount=Decimal("60000.50"))
    by_grade = replace(REQUEST, product=CoverProduct.GRADE_COVER, amount=None)
    with wire.connect() as insurer:
        found = insurer.find_cover_request(standing)
        assert (found.status, found.amount) == (RequestStatus.APPROVED, Decimal("60000.5"))
        assert insurer.find_cover_request(replace(standing, amount=Decimal(70000))) is None
        assert insurer.find_cover_request(by_grade).status is RequestStatus.APPROVED


# --- Version 2 --------------------------------------------------------------------------------------------------------

V2 = {"api_version": "2"}


def test_version_2_is_read_with_http_206(wire):
    wire.on("/v2/covers", document("covers_v2_page.json"), 206)
    with wire.connect(settings=V2) as insurer:
        decided, undecided = insurer.covers("100200")
        (pending,) = insurer.cover_request_page("100200").items
        assert insurer.grades(["70012346"]) == ()
    assert wire.sent[1].query == {"policyId": "100200", "businessUnitCode": "ACI", "pageSize": "100", "page": "1"}
    assert (decided.status, decided.amount, decided.currency) == (CoverStatus.APPROVED, Decimal(60000), "USD")
    assert (undecided.status, undecided.amount, undecided.raw_code) == (CoverStatus.REQUESTED, None, "Agreement")
    assert (pending.buyer_id, pending.cover_id) == ("70012345", "C-0002")


def test_version_2_is_asked_for_no_more_than_the_hundred_it_is_known_to_give(wire):
    full = [{**shape("covers_v2_page.json")[0], "coverId": f"C-{number}"} for number in range(101)]
    wire.on("/v2/covers", full[:100], 206)
    wire.on("/v2/covers", full[100:], 206)
    with wire.connect(settings={**V2, "page_size": "5000"}) as insurer:
        assert len(tuple(insurer.covers("100200"))) == 101


def test_version_2_is_asked_and_followed_by_the_company(wire):
    page = shape("covers_v2_page.json")
    wire.on("/v2/covers", "anything")
    wire.on("/v2/covers", [{**page[0], "decision": None}])
    wire.on("/v2/covers", [{**page[0], "decision": {"permanent": {"permanentAmount": 90000}}}])
    with wire.connect(settings=V2) as insurer:
        asked = insurer.request_cover(REQUEST)
        assert insurer.find_cover_request(REQUEST).status is RequestStatus.PENDING
        state = insurer.cover_request_state(asked.request_id)
    assert wire.bodies("/v2/covers")[0] == shape("cover_v2_request.json")
    assert wire.sent[2].query == {"policyId": "100200", "businessUnitCode": "ACI", "companyId": "70012346"}
    assert (state.status, state.amount) == (RequestStatus.APPROVED, Decimal(90000))


def test_version_2_knows_no_grade_cover(wire):
    with pytest.raises(NotSupported), wire.connect(settings=V2) as insurer:
        insurer.request_cover(replace(REQUEST, product=CoverProduct.GRADE_COVER, amount=None))


@pytest.mark.parametrize("counted", [False, True])
def test_temporary_amount_is_shown_and_counted_only_when_told_to(wire, counted):
    temporary = {"extra": 20000, "until": "2026-12-31"}
    shown = {**shape("covers_v2_page.json")[0], "decision": {"permanent": {"permanentAmount": 60000}, "t": temporary}}
    wire.on("/v2/covers", [shown], 206)
    fields = "v2.temporary_amount=decision.t.extra; v2.temporary_end=decision.t.until"
    settings = {**V2, "fields": fields, "temporary_amounts": "add" if counted else ""}
    with wire.connect(settings=settings) as insurer:
        (cover,) = insurer.covers("100200")
    assert cover.amount == Decimal(60000)
    if counted:
        assert (cover.temporary_amount, cover.temporary_until) == (Decimal(20000), date(2026, 12, 31))
        assert cover.conditions == ()
    else:
        assert cover.temporary_amount is None
        assert cover.conditions == ("Temporary amount 20000 USD until 2026-12-31",)


# --- Payment overdues -------------------------------------------------------------------------------------------------

NOTICE = OverdueNotice("OVD/1", "100200", "70012346", (INVOICE,))
EXTENSION = InvoiceExtension("EXT/1", "100200", "70012346", INVOICE, date(2026, 5, 1), ExtensionReason.DISPUTE)
INSTALMENTS = (Instalment(date(2026, 5, 1), Decimal("60.50")), Instalment(date(2026, 6, 1), Decimal(60)))
PLAN = RepaymentPlan("RES/1", "100200", "70012346", (INVOICE,), INSTALMENTS, "USD", date(2026, 4, 1))
ENTERED = {"addresses": {"overdues": "/payment/overdues"}}


@pytest.mark.parametrize(
    ("call", "message", "category"),
    [("notify_overdue", NOTICE, "OVD"), ("extend_invoice", EXTENSION, "EXP"), ("report_repayment_plan", PLAN, "RES")],
)
def test_overdue_goes_to_the_address_that_was_entered(wire, call, message, category):
    wire.on("/payment/overdues", "J-9")
    address = {"overdues": "https://api.allianz-trade.com/payment/overdues"}
    with wire.connect(environment=Environment.PRODUCTION, addresses=address) as insurer:
        receipt = getattr(insurer, call)(message)
    (body,) = wire.bodies("/payment/overdues")
    assert wire.sent[-1].url == address["overdues"]
    assert (body["overdueCategoryTypeCode"], body["customerReference"]) == (category, message.reference)
    assert body["invoices"][0]["overdueAmount"] == "120.50"
    assert (receipt.notice_number, receipt.reference, receipt.received_at) == ("J-9", message.reference, NOW)


@pytest.mark.parametrize("environment", Environment)
def test_overdue_is_sent_nowhere_while_no_address_is_entered(wire, environment):
    with wire.connect(environment=environment) as insurer:
        for call, message in (("notify_overdue", NOTICE), ("find_extension", EXTENSION)):
            with pytest.raises(ConfigurationError, match="address of payment overdues is not public: enter it"):
                getattr(insurer, call)(message)
    assert wire.sent == []


def test_invented_address_is_not_used_in_production_behind_a_gateway(wire):
    gateway = {"base_url": "https://gateway.example", "environment": Environment.PRODUCTION}
    with pytest.raises(ConfigurationError, match="not public"), wire.connect(**gateway) as insurer:
        insurer.notify_overdue(NOTICE)
    assert wire.sent == []


# --- Calls back -------------------------------------------------------------------------------------------------------

DOOR = {"callback_url": "https://erp.example/insurer/door"}


def test_write_asks_to_be_called_back(wire):
    wire.on(COVERS, "J-1")
    wire.on(PORTFOLIO, [])
    settings = {"webhook_header": "X-Callback", "functional_notification": "no"}
    with wire.connect(secrets=DOOR, settings=settings) as insurer:
        insurer.request_cover(REQUEST)
        insurer.cover_page("100200")
    _authorize, write, reading = wire.sent
    assert json.loads(base64.b64decode(write.headers["X-Callback"])) == shape("callback_header.json")
    assert "X-Callback" not in reading.headers


def test_functional_notification_is_asked_for_besides(wire):
    wire.on(COVERS, "J-1")
    with wire.connect(secrets=DOOR, settings={"webhook_header": "X-Callback", "callback_hours": "48"}) as insurer:
        insurer.request_cover(REQUEST)
    wish = json.loads(base64.b64decode(wire.sent[-1].headers["X-Callback"]))
    assert wish == {**shape("callback_header.json"), "timeToLive": 48, "extendedNotification": True}


def test_no_header_is_sent_while_its_name_is_not_known(wire):
    wire.on(COVERS, "J-1")
    with wire.connect(secrets=DOOR) as insurer:
        insurer.request_cover(REQUEST)
    assert set(wire.sent[-1].headers) == {"Accept", "Authorization", "Content-Type", "X-Correlation-Id"}


def test_callback_over_plain_http_is_refused(wire):
    with pytest.raises(ConfigurationError, match="https"):
        wire.connect(secrets={"callback_url": "http://erp.example/door"}, settings={"webhook_header": "X-Callback"})


@pytest.mark.parametrize(
    ("body", "buyers"),
    [(b"{}", ()), (b'{"companyId": 70012346, "jobId": "J-1"}', ("70012346",)), (b'[{"companyId": "1"}, {}]', ("1",))],
)
def test_call_back_says_where_to_look(body, buyers):
    wake_up = CONNECTORS["allianz_trade"].read_wake_up({}, body)
    assert wake_up.operations == {"cover_request_state", "cover_request_page", "cover_page"}
    assert (wake_up.buyer_ids, wake_up.request_ids) == (buyers, ())


@pytest.mark.parametrize("body", [b"", b"hello", b"7", b'["a"]', b"\xff", b"[" * 100_000])
def test_what_is_no_call_back_wakes_nobody(body):
    assert CONNECTORS["allianz_trade"].read_wake_up({}, body) is None
