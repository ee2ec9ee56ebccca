"""SINOSURE's JSON gateway: the requests seen in a client, and answers whose shape nobody has published. No server."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sinosure_support import BUYER, POLICY, a_declaration, a_request, a_shipment, fixture, script

from connectors import (
    Document,
    DocumentKind,
    RateLimited,
    RejectedByInsurer,
    RequestStatus,
    ShipmentDeclaration,
    UnexpectedResponse,
)

APPROVAL = {
    "approveFlag": 1,
    "corpSerialNo": "CR/2026/0007",
    "notifyTime": "1772292600000",
    "buyerQuotaInfo": {
        "buyerNo": BUYER,
        "quotaNo": "E20260001",
        "quotaSum": 10000000.10,
        "otherRate": "90",
        "effectDate": "1772208000000",
        "adCondition": "买方须在货到后60天内付款",
        "lapseDate": None,
    },
}


def gateway(*contents, **settings):
    settings = {"history_days": "1", "decision_days": "1", **settings}
    return script(*contents, transport="gateway", **settings)


def answer(*records):
    return json.dumps({"datas": records}, ensure_ascii=False).encode()


def test_declaration_is_the_one_seen_in_a_client():
    scripted = gateway(b"{}", fee_pay_mode="4")
    shipment = a_shipment("123458", "2014QAF213")
    scripted.insurer.declare_shipments(ShipmentDeclaration("DS/1", POLICY, (shipment,)))
    (call,) = scripted.calls
    assert json.loads(call.body) == json.loads(fixture("gateway_doEdiShipmentApply.json"))
    assert call.path == "http://10.0.132.59:14114/ediserver/gateway.do" and call.repeatable


def test_question_is_the_one_seen_in_a_client():
    scripted = gateway(answer())
    scripted.insurer._wire.transport.hooks = scripted.insurer._wire.transport.hooks.__class__(
        now=lambda: datetime(2021, 2, 25, 16, 0, tzinfo=UTC)  # midnight of the 26th in China
    )
    scripted.insurer.find_declaration(a_declaration(a_shipment("123458", "2014QAF213")))
    assert json.loads(scripted.calls[0].body) == json.loads(fixture("gateway_getEdiShipmentApproveInfo.json"))


@pytest.mark.parametrize("wrap", [lambda rows: {"datas": rows}, lambda rows: {"out": rows}, lambda rows: rows])
def test_records_are_found_in_the_shapes_that_may_be(wrap):
    scripted = gateway(json.dumps(wrap([APPROVAL])).encode())
    covers = {cover.cover_id: cover for cover in scripted_covers(scripted)}
    cover = covers["E20260001"]
    assert str(cover.amount) == "10000000.1" and cover.effective_to is None
    assert (cover.effective_from, cover.decided_on) == (date(2026, 2, 28), date(2026, 2, 28))
    assert cover.conditions == ("买方须在货到后60天内付款",)


def scripted_covers(scripted):
    content = scripted.contents[0]
    scripted.methods = {"getEdiQuotaApproveInfo": content}
    scripted.contents[:] = [answer()]
    return scripted.insurer.cover_page(POLICY).items


def test_refusal_is_told_in_the_insurers_words():
    refused = {**APPROVAL, "approveFlag": "0", "unAcceptReason": "买方经营状况恶化", "buyerQuotaInfo": None}
    scripted = gateway(answer())
    scripted.methods = {"getEdiQuotaApproveInfo": answer(refused)}
    state = scripted.insurer.find_cover_request(a_request())
    assert (state.status, state.words) == (RequestStatus.REFUSED, "买方经营状况恶化")


def test_repeat_that_is_called_a_duplicate_does_not_hide_the_answer_to_the_first():
    again = {"approveFlag": "0", "corpSerialNo": "CR/2026/0007", "unAcceptReason": "重复提交"}
    later = {**again, "notifyTime": "1772294400000"}
    earlier = {**again, "notifyTime": "1772289000000"}
    scripted = gateway(answer())
    for told in ([APPROVAL, later], [later, APPROVAL], [earlier, APPROVAL]):
        scripted.methods = {"getEdiQuotaApproveInfo": answer(*told)}
        assert scripted.insurer.find_cover_request(a_request("CR/2026/0007")).status is RequestStatus.APPROVED


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b'"ok"', b'{"datas": null}', b'{"out": []}'])
def test_order_is_taken_whatever_an_empty_answer_looks_like(content):
    assert gateway(content).insurer.request_cover(a_request()).status is RequestStatus.PENDING


@pytest.mark.parametrize("status", [200, 500])
def test_exceptions_are_those_of_the_web_service(status):
    content = b'{"errorCode": "EDI-EXC-0001", "errorMsg": "x"}'
    with pytest.raises(RateLimited) as caught:
        gateway(content, status=status).insurer.request_cover(a_request())
    assert caught.value.retry_after == 3600
    content = json.dumps({"errorCode": "EDI-EXC-0006", "errorMsg": "证书对应的企业还没开通Edi服务"}).encode()
    with pytest.raises(RejectedByInsurer, match="证书对应的企业还没开通Edi服务"):
        gateway(content, status=status).insurer.request_cover(a_request())


@pytest.mark.parametrize(
    ("content", "field"),
    [
        *((b"", ""), (b"<html/>", ""), (b'{"datas": ["x"]}', "datas[0]"), (b'{"datas": "x"}', "datas")),
        (answer({**APPROVAL, "approveFlag": True}), "datas[0].approveFlag"),
        (answer({**APPROVAL, "notifyTime": {"time": 1}}), "datas[0].notifyTime"),
        (answer({**APPROVAL, "buyerQuotaInfo": "x"}), "datas[0].buyerQuotaInfo"),
        (answer({**APPROVAL, "buyerQuotaInfo": {"quotaNo": "1", "quotaSum": "1e400"}}), "quotaSum"),
        (b'{"datas": [{"approveFlag": NaN}]}', ""),
        (b'{"datas": [' + b"[" * 50_000, ""),
    ],
)
def test_wrong_answer_names_its_field(content, field):
    scripted = gateway(answer())
    scripted.methods = {"getEdiQuotaApproveInfo": content or b" "}
    with pytest.raises(UnexpectedResponse) as caught:
        scripted.insurer.cover_page(POLICY).whole()
    assert caught.value.field.endswith(field)


OTHER_LIMIT = {"quotaNo": "E20260002", "buyerNo": "USA/000002", "quotaSum": "5.000,00"}
JUNK = [
    {"corpSerialNo": "A2", "buyerQuotaInfo": {**APPROVAL["buyerQuotaInfo"], **OTHER_LIMIT}},
    {"corpSerialNo": "A2", "approveFlag": "7", "buyerQuotaInfo": {**OTHER_LIMIT, "quotaSum": "1"}},
    {"corpSerialNo": "A2", "notifyTime": "today", "buyerQuotaInfo": {**OTHER_LIMIT, "quotaSum": "1"}},
]


@pytest.mark.parametrize("members", JUNK)
def test_limit_that_cannot_be_read_keeps_no_other_from_being_read(members):
    scripted = gateway(answer())
    scripted.methods = {"getEdiQuotaApproveInfo": answer(APPROVAL, {**APPROVAL, **members})}
    page = scripted.insurer.cover_page(POLICY)
    assert [cover.cover_id for cover in page.items] == ["E20260001"]
    assert {(entry.buyer_id, entry.number) for entry in page.unread} == {("USA/000002", "E20260002")}


def test_limit_is_not_told_as_it_was_before_an_approval_that_cannot_be_read():
    later = {**APPROVAL, "buyerQuotaInfo": {**APPROVAL["buyerQuotaInfo"], "quotaSum": "?"}}
    scripted = gateway(answer())
    scripted.methods = {"getEdiQuotaApproveInfo": answer(APPROVAL, later)}
    page = scripted.insurer.cover_page(POLICY)
    assert page.items == () and page.unread


def test_junk_about_another_record_does_not_keep_an_answer_from_being_found():
    scripted = gateway(answer())
    scripted.methods = {
        "getEdiQuotaApproveInfo": answer({**APPROVAL, "corpSerialNo": "A2", "notifyTime": "?"}, APPROVAL)
    }
    found = scripted.insurer.find_cover_request(a_request(APPROVAL["corpSerialNo"]))
    assert found and found.status is RequestStatus.APPROVED


def test_numbers_never_pass_through_a_float():
    sums = "12345678901234.05"
    content = answer(APPROVAL).replace(b"10000000.1", sums.encode())
    scripted = gateway(content)
    (cover,) = scripted_covers(scripted)
    assert cover.amount == Decimal(sums)
    gateway_request = gateway(b"{}")
    gateway_request.insurer.request_cover(a_request(amount=sums))
    assert json.loads(gateway_request.calls[0].body)["datas"][0]["quotaSumApply"] == sums


def test_file_is_sent_in_base64():
    scripted = gateway(b"{}")
    paper = Document("D1", "n", "OVN/1", DocumentKind.INVOICE, "发票.pdf", "application/pdf", b"\x00\xff")
    scripted.insurer.add_document(paper)
    (sent,) = json.loads(scripted.calls[0].body)["datas"]
    assert (sent["filebyte"], sent["filename"], sent["srcCorpserialno"]) == ("AP8=", "发票.pdf", "OVN/1")


def test_balances_are_asked_for_by_a_list_of_policies():
    scripted = gateway(answer({"buyerNo": BUYER, "quotaNo": "E1", "policyNo": POLICY, "quotaBalance": "1.5E3"}))
    (balance,) = scripted.insurer.quota_balances(POLICY).items
    assert str(balance.balance) == "1500"
    assert json.loads(scripted.calls[0].body)["datas"] == {"policyNoList": [POLICY]}
