"""SINOSURE's web service as documented: what is written, what is read, what is not believed. No server."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from lxml import etree
from sinosure_support import (
    BUYER,
    NOW,
    POLICY,
    a_declaration,
    a_notice,
    a_request,
    a_shipment,
    canonical,
    fixture,
    response,
    script,
)

from connectors import (
    ConfigurationError,
    CoverStatus,
    Credentials,
    RateLimited,
    RejectedByInsurer,
    ReportOrder,
    RequestStatus,
    Sent,
    TransportError,
    UnexpectedResponse,
    connect,
)
from connectors.sinosure_codes import belongs, row_serial, serial
from connectors.sinosure_windows import Window, polling, windows

CHINA = timezone(timedelta(hours=8))
VOID = response("doEdiNoLcQuotaApplyV2")
NOTHING = response("getEdiQuotaApproveInfo")
APPROVED = fixture("getEdiQuotaApproveInfoResponse.xml")


def approved(**changes):
    """The documented approval with other values."""
    content = APPROVED.decode()
    for name, value in changes.items():
        start = content.index(f"<{name}>") + len(name) + 2
        content = content[:start] + value + content[content.index(f"</{name}>") :]
    return content.encode()


def covers(content, **settings):
    """The covers of a connection that is given this approval once, for the latest span."""
    scripted = script(methods={"getEdiQuotaApproveInfo": content}, history_days="1", **settings)
    return scripted.insurer.cover_page(POLICY).whole().items


def asked(content, **settings):
    """A connection that has this answer about decisions of yesterday and today."""
    return script(methods={"getEdiQuotaApproveInfo": content}, decision_days="1", **settings).insurer


# --- What is written ------------------------------------------------------------------------------------------------


def test_envelope_is_the_documented_one():
    scripted = script(
        VOID, applicant="王芳", fixed_fields="NoLcQuotaApplyInfoV2.ifhaverelation=0, Plnotice.detainFlag=1"
    )
    scripted.insurer.request_cover(
        a_request(
            amount="10000000.10",
            payment_term_days=60,
            comment="新客户 <urgent> & 大单",
            receivables=Decimal("1200000.05"),
            orders=Decimal("30000.00"),
        )
    )
    (call,) = scripted.calls
    assert canonical(call.body) == canonical(fixture("doEdiNoLcQuotaApplyV2.xml"))
    assert call.path == "http://10.0.132.59:14114/ediserver/ws_services/SolEdiProxyWebService"
    assert call.content_type == "text/xml; charset=utf-8" and call.headers["SOAPAction"] == '""'
    assert call.repeatable and call.operation == "doEdiNoLcQuotaApplyV2"


def test_question_about_the_polling_window_is_the_documented_one():
    scripted = script(methods={"getEdiQuotaApproveInfo": APPROVED})
    scripted.insurer.cover_request_state("CR/2026/0007")
    (call,) = [call for call in scripted.calls if call.operation == "getEdiQuotaApproveInfo"]
    assert canonical(call.body) == canonical(fixture("getEdiQuotaApproveInfo.xml"))


def test_fields_stand_in_the_order_of_their_names_and_empty_ones_are_left_out():
    scripted = script(response("doEdiPlnotice"))
    scripted.insurer.notify_overdue(a_notice("I2", "I1"))
    rows = etree.fromstring(scripted.calls[0].body).findall(".//{http://po.edi.exchange.sinosure.com}Plnotice")
    names = [[etree.QName(field).localname for field in row] for row in rows]
    assert len(rows) == 2 and all(each == sorted(each) and "plReasonCode" not in each for each in names)
    assert [row.findtext("{*}invoiceNo") for row in rows] == ["I1", "I2"]
    assert rows[0].findtext("{*}shouldPayDate") == "2025-12-30T00:00:00+08:00"


def test_text_that_no_xml_may_hold_is_sent_without_it():
    scripted = script(VOID)
    scripted.insurer.request_cover(a_request(comment="a\x00b\x1f😀"))
    assert etree.fromstring(scripted.calls[0].body).findtext(".//{*}remark") == "a b 😀"


def test_methods_without_a_public_list_of_codes_send_what_is_set():
    scripted = script(response("doEdiShipmentApply"), fee_pay_mode="4")
    scripted.insurer.declare_shipments(a_declaration(a_shipment("S1", "I1")))
    assert b"<p:feePayMode>4</p:feePayMode>" in scripted.calls[0].body


# --- What is read ---------------------------------------------------------------------------------------------------


def test_documented_approval_is_read():
    (cover,) = covers(APPROVED, quota_states="1=approved")
    assert (cover.cover_id, cover.buyer_id, cover.policy_number) == ("E20260001", BUYER, POLICY)
    assert (cover.status, cover.raw_code) == (CoverStatus.APPROVED, "1")
    assert str(cover.amount) == "10000000.1" and cover.insured_percentage == 90
    assert (cover.effective_from, cover.effective_to) == (date(2026, 2, 28), date(2027, 2, 27))
    assert cover.conditions[0] == "买方须在货到后60天内付款"
    assert cover.decided_on == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("reference", "status", "words", "duplicate"),
    [
        ("CR/2026/0007", RequestStatus.APPROVED, "", False),
        ("CR/2026/0008", RequestStatus.REFUSED, "买方经营状况恶化", False),
        ("CR/2026/0009", RequestStatus.PENDING, "该申请已存在，请勿重复提交", True),
    ],
)
def test_accepted_refused_and_known_already(reference, status, words, duplicate):
    state = asked(APPROVED).find_cover_request(a_request(reference))
    assert (state.status, state.words, state.duplicate, state.reference) == (status, words, duplicate, reference)


@pytest.mark.parametrize(
    ("flag", "moment", "status", "last"),
    [
        ("1", "2026-03-01T07:00:00", CoverStatus.WITHDRAWN, date(2026, 3, 1)),
        ("0", "2026-03-01T07:00:00", CoverStatus.APPROVED, date(2027, 2, 27)),
        ("1", "2026-02-28T07:00:00", CoverStatus.APPROVED, date(2027, 2, 27)),  # and approved anew since
    ],
)
def test_limit_that_was_given_back_ends_though_it_was_approved(flag, moment, status, last):
    row = f"<approveFlag>{flag}</approveFlag><buyerquotano>E20260001</buyerquotano><notifyTime>{moment}</notifyTime>"
    name = "getEdiQuotaBackApproveInfo"
    back = response(name, f"<QuotaBackApproveInfo>{row}</QuotaBackApproveInfo>")
    methods = {"getEdiQuotaApproveInfo": APPROVED, name: back}
    scripted = script(methods=methods, history_days="1", quota_states="1=approved")
    (cover,) = scripted.insurer.cover_page(POLICY).items
    assert (cover.status, cover.effective_to) == (status, last)


def test_pre_revoked_limit_that_is_older_than_the_list_is_there_nevertheless():
    name = "getEdiQuotaPreRevocationInfo"
    row = "<bizbuyerNo>USA/1</bizbuyerNo><buyerquotano>E1</buyerquotano><lapsedate>2026-12-31</lapsedate>"
    record = f"<QuotaPreRevocationInfo>{row}<newlapsedate>2026-03-31</newlapsedate></QuotaPreRevocationInfo>"
    (cover,) = script(methods={name: response(name, record)}, history_days="1").insurer.cover_page(POLICY).items
    assert (cover.cover_id, cover.status, cover.effective_to) == ("E1", CoverStatus.APPROVED, date(2026, 12, 31))
    assert cover.announcements[0].effective_from == date(2026, 4, 1)


def test_time_without_an_offset_is_chinas_and_a_day_is_the_one_in_china():
    for reference, received, day in (
        ("CR/2026/0007", datetime(2026, 2, 28, 15, 30, tzinfo=UTC), date(2026, 2, 28)),
        ("CR/2026/0008", datetime(2026, 2, 28, 16, 0, tzinfo=UTC), date(2026, 3, 1)),
    ):
        state = asked(APPROVED).cover_request_state(reference)
        assert (state.received_at, state.decided_on) == (received, day)


def test_other_offset_can_be_set():
    (cover,) = covers(approved(notifyTime="2026-02-28T23:30:00"), utc_offset="-05:00")
    assert cover.decided_on == date(2026, 2, 28)
    state = asked(APPROVED, utc_offset="+00:00").cover_request_state("CR/2026/0007")
    assert state.received_at == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)


def test_sum_of_zero_is_a_refusal_and_less_than_asked_is_a_part():
    (cover,) = covers(approved(quotaState="", quotaSum="0.0"))
    assert (cover.status, cover.amount, cover.raw_code) == (CoverStatus.REFUSED, 0, "1")
    for amount, status in (("0", RequestStatus.REFUSED), ("749999.99", RequestStatus.PARTIAL)):
        assert asked(approved(quotaSum=amount)).find_cover_request(a_request()).status is status


def test_flag_that_is_neither_is_unknown():
    state = asked(approved(approveFlag="7")).find_cover_request(a_request())
    assert (state.status, state.raw_code, state.amount) == (RequestStatus.UNKNOWN, "7", None)


def test_percentages_may_come_as_fractions():
    (cover,) = covers(approved(otherRate="0.9"), rate_factor="100")
    assert cover.insured_percentage == 90


# --- What is not believed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quotaSum": "abc"}, "quotaSum"),
        ({"quotaSum": "NaN"}, "quotaSum"),
        ({"quotaSum": "INF"}, "quotaSum"),
        ({"quotaSum": "-1"}, "quotaSum"),
        ({"otherRate": "900"}, "otherRate"),
        ({"quotaNo": " "}, "quotaNo"),
        ({"lapseDate": "2026-13-01"}, "lapseDate"),
        ({"effectDate": "soon"}, "effectDate"),
        ({"notifyTime": "soon"}, "notifyTime"),
        ({"approveFlag": ""}, "approveFlag"),
    ],
)
def test_wrong_value_is_named(changes, field):
    with pytest.raises(UnexpectedResponse) as caught:
        covers(approved(**changes))
    assert caught.value.field.endswith(field) and "QuotaApproveInfo[0]" in caught.value.field


BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;">]>
<Envelope><Body><getEdiQuotaApproveInfoResponse><out>&c;</out></getEdiQuotaApproveInfoResponse></Body></Envelope>"""
ENTITY = b"""<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/hostname">]><Envelope><Body>&a;</Body></Envelope>"""


@pytest.mark.parametrize(
    "content",
    [
        *(BOMB, ENTITY, b"", b"<html>busy</html>", b"{}", APPROVED[: len(APPROVED) // 2], b"\xff\xfe"),
        *(response("getEdiShipmentApproveInfo"), b"<Envelope/>", b"<a>" * 100_000),
        response("getEdiQuotaApproveInfo", "<ShipmentApproveInfo><approveFlag>1</approveFlag></ShipmentApproveInfo>"),
        response("getEdiQuotaApproveInfo", "?"),
        b'<!DOCTYPE Envelope SYSTEM "http://127.0.0.1:9/x.dtd"><Envelope><Body/></Envelope>',
    ],
)
def test_what_is_no_answer_to_the_call_is_refused(content):
    with pytest.raises(UnexpectedResponse) as caught:
        script(content).insurer.cover_page(POLICY)
    assert caught.value.may_have_acted and len(str(caught.value)) < 600


def test_record_that_is_a_text_is_not_passed_over():
    text = (
        APPROVED[: APPROVED.index(b"<QuotaApproveInfo>")]
        + b"<QuotaApproveInfo>junk</QuotaApproveInfo><QuotaApproveInfo/>"
    )
    content = text + APPROVED[APPROVED.rindex(b"</QuotaApproveInfo>") + len(b"</QuotaApproveInfo>") :]
    with pytest.raises(UnexpectedResponse, match="approveFlag"):
        covers(content)


def test_element_that_comes_twice_is_named():
    twice = APPROVED.replace(b"<quotaNo>E20260001</quotaNo>", b"<quotaNo>E1</quotaNo><quotaNo>E2</quotaNo>")
    with pytest.raises(UnexpectedResponse, match="quotaNo: expected one element, got 2"):
        covers(twice)


# --- Faults ---------------------------------------------------------------------------------------------------------


def fault(code, message, name="EdiException"):
    return (
        fixture("fault.xml")
        .replace(b"EDI-EXC-0001", code)
        .replace("调用次数超限".encode(), message)
        .replace(b"EdiException xmlns", f"{name} xmlns".encode())
        .replace(b"</EdiException", f"</{name}".encode())
    )


@pytest.mark.parametrize("status", [200, 500])
def test_too_many_calls_may_come_again_when_the_hour_has_passed(status):
    with pytest.raises(RateLimited) as caught:
        script(fixture("fault.xml"), status=status).insurer.request_cover(a_request())
    assert caught.value.retry_after == 3600 and not caught.value.may_have_acted
    assert "EDI-EXC-0001" in caught.value.message and "调用次数超限" in caught.value.message


@pytest.mark.parametrize("status", [200, 500])
def test_other_exceptions_are_refusals_in_the_insurers_words(status):
    content = fault(b"EDI-EXC-0004", "证书还没在信保通系统注册".encode())
    with pytest.raises(RejectedByInsurer) as caught:
        script(content, status=status).insurer.request_cover(a_request())
    assert (caught.value.code, caught.value.words) == ("EDI-EXC-0004", "证书还没在信保通系统注册")


def test_too_many_records_say_how_many_are_allowed():
    with pytest.raises(RejectedByInsurer, match="EDI-EXC-0002.*at most 1000 records per call"):
        script(fault(b"EDI-EXC-0002", "单次调用笔数超限".encode())).insurer.request_cover(a_request())


def test_fault_that_is_no_exception_of_the_insurer_is_the_servers_failure():
    with pytest.raises(TransportError) as caught:
        script(fault(b"x", b"y", name="Other")).insurer.request_cover(a_request())
    assert caught.value.retryable and caught.value.sent is Sent.YES
    ours = fault(b"x", b"y", name="Other").replace(b"soap:Server", b"soap:Client")
    with pytest.raises(RejectedByInsurer, match="com.sinosure.exchange.edi.po.EdiException"):
        script(ours).insurer.request_cover(a_request())


def test_code_that_no_setting_explains_is_not_taken_for_success():
    record = "<EdiFeedback><returnCode>9</returnCode><returnMsg>处理中</returnMsg></EdiFeedback>"
    with pytest.raises(UnexpectedResponse, match="'9': 处理中"):
        script(response("doEdiCreditReportInput", record)).insurer.order_report(ReportOrder("R", BUYER))
    state = script(response("doEdiCreditReportInput", record), return_codes="9=accepted").insurer
    assert not state.order_report(ReportOrder("R", BUYER)).duplicate


def test_single_feedback_is_read_like_a_list_of_one():
    record = "<corpSerialNo>R</corpSerialNo><returnCode>0</returnCode><returnMsg>余额不足</returnMsg>"
    order, answer = ReportOrder("R", BUYER), response("doEdiCreditReportInput", record)
    with pytest.raises(RejectedByInsurer, match="余额不足"):
        script(answer, return_codes="1=accepted, 0=refused").insurer.order_report(order)


def test_code_0_is_no_refusal_until_it_is_entered_as_one():
    record = "<EdiFeedback><returnCode>0</returnCode><returnMsg>余额不足</returnMsg></EdiFeedback>"
    with pytest.raises(UnexpectedResponse, match="no setting explains.*'0': 余额不足") as caught:
        script(response("doEdiCreditReportInput", record)).insurer.order_report(ReportOrder("R", BUYER))
    assert caught.value.may_have_acted


# --- Spans of time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "start"),
    [
        (date(2026, 3, 1), "2026-02-28T00:00:00+08:00"),
        (date(2028, 3, 1), "2028-02-29T00:00:00+08:00"),
        (date(2027, 1, 1), "2026-12-31T00:00:00+08:00"),
    ],
)
def test_polling_covers_yesterday_and_today(today, start):
    window = polling(today, CHINA)
    assert window.start.isoformat() == start
    assert window.end.isoformat() == f"{today}T23:59:59+08:00"


@pytest.mark.parametrize("width", [1, 2, 7, 31])
def test_spans_follow_one_another_back_to_the_first_day(width):
    spans = list(windows(date(2026, 3, 31), date(2026, 1, 1), width, CHINA))
    assert spans[0] == polling(date(2026, 3, 31), CHINA)
    assert spans[-1].start == datetime(2026, 1, 1, tzinfo=CHINA)
    for later, earlier in zip(spans, spans[1:], strict=False):
        assert later.start - earlier.end == timedelta(seconds=1)
        assert earlier.end - earlier.start < timedelta(days=width)


def test_span_is_halved_without_a_gap_until_it_is_a_minute():
    span = polling(date(2026, 3, 1), CHINA)
    later, earlier = span.halves()
    assert (earlier.start, later.end, later.start - earlier.end) == (span.start, span.end, timedelta(seconds=1))
    assert Window(NOW, NOW + timedelta(seconds=59)).halves() is None


def test_span_that_holds_too_many_records_is_asked_for_in_halves():
    scripted = script(fault(b"EDI-EXC-0002", b""), response("getEdiRatingApproveInfo"), history_days="1")
    assert scripted.insurer.grades([BUYER]) == ()
    spans = [etree.fromstring(call.body).findtext(".//{*}startDate") for call in scripted.calls]
    assert spans == ["2026-02-28T00:00:00+08:00", "2026-03-01T00:00:00+08:00", "2026-02-28T00:00:00+08:00"]


def test_list_that_may_be_cut_off_is_asked_for_in_halves():
    full = response("getEdiRatingApproveInfo", "<RatingInfo><reportNo>1</reportNo></RatingInfo>" * 1000)
    scripted = script(full, response("getEdiRatingApproveInfo"), history_days="1")
    assert scripted.insurer.grades([BUYER]) == () and len(scripted.calls) == 3
    with pytest.raises(UnexpectedResponse, match="some may be missing"):
        script(full, history_days="1").insurer.grades([BUYER])


def test_list_that_needs_more_calls_than_an_hour_has_is_not_begun():
    scripted = script(NOTHING, window_days="2", history_days="400")
    with pytest.raises(ConfigurationError, match="shorten the one, or lengthen the other"):
        scripted.insurer.cover_page(POLICY)
    assert scripted.calls == []


# --- Numbers and settings -------------------------------------------------------------------------------------------


def test_serial_number_is_the_reference_or_always_the_same_short_form():
    long = "OVN/2026/00012/COMPANY-A"
    assert serial("CR/2026/0007") == "CR/2026/0007"
    assert serial(long) == serial(long) != serial(long + "B") and len(serial(long)) == 20
    assert row_serial(long, "I1") != row_serial(long, "I2") and len(row_serial(long, "I1")) <= 32
    assert belongs(row_serial(long, "I1"), serial(long)) and belongs(serial(long), serial(long))
    assert not belongs(serial(long) + ".x", serial(long)) and not belongs("CR/2026/0008", "CR/2026/0007")


@pytest.mark.parametrize(
    "settings",
    [
        *({"client_no": ""}, {"transport": "rest"}, {"currency": "usd"}, {"utc_offset": "8"}, {"window_days": "0"}),
        *({"quota_states": "1"}, {"quota_states": "1=fine"}, {"return_codes": "1=maybe"}, {"rate_factor": "x"}),
    ],
)
def test_setting_that_is_not_understood_is_named(settings):
    with pytest.raises(ConfigurationError):
        script(NOTHING, **settings)


def test_address_is_needed_and_plain_http_inside_the_network_is_admitted():
    def open_with(**connection):
        return connect("sinosure", credentials=Credentials(), settings={"client_no": "1"}, **connection)

    with pytest.raises(ConfigurationError, match="enter it"):
        open_with()
    with pytest.raises(ConfigurationError, match="no endpoint"):
        open_with(base_url="http://10.0.0.5", addresses={"other": "/x"})
    open_with(base_url="http://10.0.0.5:8080").close()
    open_with(addresses={"soap": "http://edi.example:81/ediserver/ws_services/Other"}).close()
