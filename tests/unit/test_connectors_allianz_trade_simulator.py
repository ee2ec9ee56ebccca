"""Allianz Trade against its simulator: whole stories, over HTTP, with things going wrong in the middle."""

import json
import urllib.request
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from connectors_support import DEMO_API_KEY, OPENINGS, POLICY, Rig, an_invoice, rig

from connectors import (
    AuthenticationError,
    BuyerQuery,
    ConnectorError,
    CoverProduct,
    CoverRequest,
    CoverRequestKind,
    CoverStatus,
    Credentials,
    ExtensionReason,
    Hooks,
    Instalment,
    InvoiceExtension,
    OverdueNotice,
    RejectedByInsurer,
    RepaymentPlan,
    RequestStatus,
    TransportError,
    connect,
)

ROOT = "/allianz_trade"
COVERS, PORTFOLIO = f"{ROOT}/riskinfo/v3/covers", f"{ROOT}/riskinfo/v3/covers/search"
PENDING, AUTHORIZE = f"{ROOT}/riskinfo/v3/coverRequests/search", f"{ROOT}/v1/idp/oauth2/authorize"
CODES = "cover.Refused=refused; cover.Withdrawn=withdrawn; cover.Expired=expired; cover.Requested=requested"
REQUEST = CoverRequest("REQ/1", POLICY, "1001", CoverRequestKind.INCREASE, "EUR", Decimal(90000))
ALL = [str(1001 + number) for number in range(8)]


@pytest.fixture
def net():
    with rig() as made:
        yield made


def opened(net: Rig, secrets=None, **settings):
    return connect(
        "allianz_trade",
        base_url=net.simulator.url + ROOT,
        credentials=Credentials(api_key=DEMO_API_KEY, **(secrets or {})),
        settings={**OPENINGS["allianz_trade"].settings, "codes": CODES, **settings},
        options=replace(net.options, attempts=1),
        hooks=Hooks(on_exchange=net.exchanges.append, sleep=net.sleeps.append),
    )


def number_of(state) -> str:
    """The insurer's number in our id."""
    return state.request_id.split("/")[1]


def requests_of(net: Rig) -> list[dict]:
    return net.simulator.control.state()["coverRequests"]


# --- Cover ------------------------------------------------------------------------------------------------------------


def test_request_is_a_job_then_looked_at_then_granted_in_part(net):
    with opened(net) as insurer:
        asked = insurer.request_cover(REQUEST)
    with opened(net) as another_process:
        first = another_process.cover_request_state(asked.request_id)
        second = another_process.cover_request_state(asked.request_id)
        net.simulator.control.decide(number_of(asked), "PARTIAL", amount="75000", message="Up to here")
        last = another_process.cover_request_state(asked.request_id)
        cover = next(cover for cover in another_process.covers(POLICY) if cover.buyer_id == "1001")
    assert [(state.status, state.raw_code) for state in (first, second)] == [
        (RequestStatus.PENDING, "pending"),
        (RequestStatus.PENDING, "InProgress"),
    ]
    assert (last.status, last.amount, last.words) == (RequestStatus.PARTIAL, Decimal(75000), "Up to here")
    assert (cover.status, cover.amount, cover.requested_amount) == (
        *(CoverStatus.PARTIAL, Decimal(75000), Decimal(90000)),
    )


def test_job_is_processed_at_once_when_told_so(net):
    with opened(net) as insurer:
        asked = insurer.request_cover(REQUEST)
        address = f"{net.simulator.url}/_control/allianz_trade/jobs/{number_of(asked)}/process"
        urllib.request.urlopen(urllib.request.Request(address, method="POST")).close()
        assert insurer.cover_request_state(asked.request_id).raw_code == "InProgress"


def test_refused_increase_leaves_the_cover_and_is_not_taken_for_granted(net):
    with opened(net) as insurer:
        asked = insurer.request_cover(REQUEST)
        net.simulator.control.decide(number_of(asked), "REFUSED", message="Balance sheet is too old")
        state = insurer.cover_request_state(asked.request_id)
        cover = next(cover for cover in insurer.covers(POLICY) if cover.buyer_id == "1001")
    assert (state.status, state.amount, state.words) == (RequestStatus.UNKNOWN, None, "Balance sheet is too old")
    assert (cover.status, cover.amount) == (CoverStatus.APPROVED, Decimal(60000))


def test_refusal_of_a_first_request_in_the_insurers_words(net):
    net.simulator.control.book.store.run("DELETE FROM cover WHERE buyer_id = '1001'")
    with opened(net) as insurer:
        asked = insurer.request_cover(replace(REQUEST, kind=CoverRequestKind.NEW))
        net.simulator.control.decide(number_of(asked), "REFUSED", message="Insolvent")
        state = insurer.cover_request_state(asked.request_id)
    assert (state.status, state.raw_code, state.words) == (RequestStatus.REFUSED, "Refused", "Insolvent")


def test_reduction_is_a_request_for_a_smaller_total(net):
    reduce = replace(REQUEST, kind=CoverRequestKind.REDUCE, amount=Decimal(40000))
    with opened(net) as insurer:
        asked = insurer.request_cover(reduce)
        assert requests_of(net)[0]["body"]["kind"] == "REDUCE"
        net.simulator.control.decide(number_of(asked), "APPROVED")
        assert insurer.cover_request_state(asked.request_id).status is RequestStatus.APPROVED


def test_grade_cover_is_granted_and_stands_in_the_portfolio(net):
    with opened(net) as insurer:
        asked = insurer.request_cover(replace(REQUEST, product=CoverProduct.GRADE_COVER, amount=None))
        net.simulator.control.decide(number_of(asked), "APPROVED")
        state = insurer.cover_request_state(asked.request_id)
        cover = next(cover for cover in insurer.covers(POLICY) if cover.buyer_id == "1001")
        assert insurer.grade("1001").value == "3"
    assert (state.status, state.raw_code) == (RequestStatus.APPROVED, "CheckPolicy")
    assert (cover.raw_code, cover.amount, cover.conditions) == ("CheckPolicy", None, ("GradeCover: 3",))


def test_second_request_waits_for_the_first(net):
    with opened(net) as insurer:
        insurer.request_cover(REQUEST)
        with pytest.raises(RejectedByInsurer, match="not decided yet") as caught:
            insurer.request_cover(replace(REQUEST, reference="REQ/2"))
    assert caught.value.code == "request_pending"


def test_undecided_requests_are_listed(net):
    with opened(net, page_size="1") as insurer:
        insurer.request_cover(REQUEST)
        insurer.request_cover(replace(REQUEST, buyer_id="1002"))
        first = insurer.cover_request_page(POLICY)
        second = insurer.cover_request_page(POLICY, first.next_token)
    assert [state.buyer_id for state in (*first.items, *second.items)] == ["1001", "1002"]
    assert (first.total, second.next_token) == (2, None)


def test_announced_withdrawal_is_not_a_withdrawal(net):
    with opened(net) as insurer:
        net.simulator.control.withdraw("1002", in_days=30)
        announced = next(cover for cover in insurer.covers(POLICY) if cover.buyer_id == "1002")
        net.simulator.control.withdraw("1002")
        withdrawn = next(cover for cover in insurer.covers(POLICY) if cover.buyer_id == "1002")
    assert (announced.status, announced.announcements[0].kind) == (CoverStatus.APPROVED, "withdrawal")
    assert withdrawn.status is CoverStatus.WITHDRAWN


# --- Once -------------------------------------------------------------------------------------------------------------


def send_once(net: Rig, request: CoverRequest):
    """What a job does: ask, send only what the insurer lacks; each try is a new process."""
    for _try in range(5):
        try:
            with opened(net) as insurer:
                return insurer.find_cover_request(request) or insurer.request_cover(request)
        except ConnectorError as error:
            assert error.retryable or error.may_have_acted, error
    raise AssertionError("never recorded")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "drop", "when": "after"},
        {"kind": "hang", "seconds": 0.5, "when": "after"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "when": "after"},
        {"kind": "truncate"},
        {"kind": "malformed"},
        {"kind": "status", "status": 401},
        {"kind": "expire_tokens"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", [COVERS, PENDING, PORTFOLIO])
def test_request_arrives_once_whatever_is_lost(net, fault, path):
    net.simulator.control.fault(path=path, method="POST", **fault)
    state = send_once(net, REQUEST)
    assert len(requests_of(net)) == 1
    assert (state.status, state.buyer_id) == (RequestStatus.PENDING, "1001")


def test_write_is_not_repeated_by_itself(net):
    net.simulator.control.fault("status", status=503, path=COVERS, method="POST", times=9)
    with net.connect(code="allianz_trade", attempts=4) as insurer, pytest.raises(TransportError) as caught:
        insurer.request_cover(REQUEST)
    assert caught.value.may_have_acted
    assert net.statuses(COVERS) == [503]


def test_request_that_was_granted_before_we_asked_again_is_found(net):
    net.simulator.control.fault("drop", path=COVERS, method="POST", when="after", skip=0)
    with opened(net) as insurer:
        with pytest.raises(TransportError):
            insurer.request_cover(REQUEST)
        net.simulator.control.decide(requests_of(net)[0]["number"], "APPROVED")
        found = insurer.find_cover_request(REQUEST)
        followed = insurer.cover_request_state(found.request_id)
    assert (found.status, found.amount) == (RequestStatus.APPROVED, Decimal(90000))
    assert followed.status is RequestStatus.APPROVED
    assert len(requests_of(net)) == 1


# --- Portfolio --------------------------------------------------------------------------------------------------------


def portfolio(net: Rig, **settings) -> list[str]:
    with opened(net, page_size="3", **settings) as insurer:
        return [cover.buyer_id for cover in insurer.covers(POLICY)]


def test_portfolio_comes_page_by_page(net):
    assert portfolio(net) == ALL
    assert net.statuses(PORTFOLIO) == [200] * 3


@pytest.mark.parametrize("skip", [1, 2])
def test_page_that_comes_twice_loses_and_doubles_nothing(net, skip):
    net.simulator.control.fault("duplicate_page", path=PORTFOLIO, skip=skip)
    assert portfolio(net) == ALL


def test_reordered_page_loses_and_doubles_nothing(net):
    net.simulator.control.fault("reorder", path=PORTFOLIO, skip=1)
    assert sorted(portfolio(net)) == ALL


def test_token_may_end_in_the_middle(net):
    net.simulator.control.fault("expire_tokens", path=PORTFOLIO, skip=1)
    assert portfolio(net) == ALL
    assert net.statuses(PORTFOLIO) == [200, 401, 200, 200]
    assert net.statuses(AUTHORIZE) == [200, 200]


def test_lasting_refusal_is_tried_twice_only(net):
    net.simulator.control.fault("status", status=401, path=PORTFOLIO, times=9)
    with pytest.raises(AuthenticationError):
        portfolio(net)
    assert net.statuses(PORTFOLIO) == [401, 401]


def test_wrong_key_is_refused_in_the_insurers_words(net):
    with pytest.raises(AuthenticationError, match="The API key is not known"):
        with net.connect(code="allianz_trade", api_key="another") as insurer:
            insurer.cover_page(POLICY)


def test_grades_of_the_portfolio(net):
    with opened(net, page_size="3") as insurer:
        assert {grade.buyer_id: grade.value for grade in insurer.grades(["1001", "1006", "9999"])} == {
            "1001": "3",
            "1006": "6",
        }
        first = insurer.grade_changes(POLICY, date(2026, 1, 1))
    assert len(first.items) == 3 and first.next_token


def test_foreign_result_address_gets_no_token(net):
    with opened(net) as insurer:
        asked = insurer.request_cover(REQUEST)
        net.simulator.control.decide(number_of(asked), "APPROVED")
        thief = {"jobStatusCode": "processed", "resourceUrl": "http://127.0.0.1:9/covers/x"}
        job = f"{ROOT}/riskinfo/v3/jobs"
        for name, value in thief.items():
            net.simulator.control.fault("replace", path=job, field=name, value=value, times=1)
        insurer.cover_request_state(asked.request_id)
        with pytest.raises(RejectedByInsurer, match="no cover x"):  # asked for at our own address
            insurer.cover_request_state(asked.request_id)
    assert not [exchange for exchange in net.exchanges if ":9/" in exchange.url]


# --- Version 2 --------------------------------------------------------------------------------------------------------


def test_version_2_tells_the_same(net):
    with opened(net, api_version="2", page_size="3") as insurer:
        fresh = {cover.buyer_id: cover for cover in insurer.covers(POLICY)}
        asked = insurer.request_cover(REQUEST)
        assert insurer.find_cover_request(REQUEST).status is RequestStatus.PENDING
        assert insurer.cover_request_state(asked.request_id).status is RequestStatus.PENDING
        waiting = {cover.buyer_id: cover for cover in insurer.covers(POLICY)}
        net.simulator.control.decide(requests_of(net)[0]["number"], "APPROVED")
        assert insurer.cover_request_state(asked.request_id).amount == Decimal(90000)
    assert sorted(fresh) == ALL and (fresh["1001"].amount, fresh["1003"].status) == (
        *(Decimal(60000), CoverStatus.PARTIAL),
    )
    assert (waiting["1001"].status, waiting["1001"].amount) == (CoverStatus.REQUESTED, None)
    assert 206 in net.statuses(f"{ROOT}/riskinfo/v2/covers")


def test_request_of_version_2_is_followed_after_the_change_to_version_3(net):
    with opened(net, api_version="2") as insurer:
        asked = insurer.request_cover(REQUEST)
    with opened(net) as insurer:
        before = insurer.cover_request_state(asked.request_id)
        net.simulator.control.decide(requests_of(net)[0]["number"], "APPROVED")
        after = insurer.cover_request_state(asked.request_id)
    assert (before.status, before.request_id) == (RequestStatus.PENDING, asked.request_id)
    assert (after.status, after.amount) == (RequestStatus.APPROVED, Decimal(90000))


# --- Companies, overdues, calls back ----------------------------------------------------------------------------------


def test_company_is_found_by_name_number_and_id(net):
    query = BuyerQuery("FR", name="Atelier Lumière", vat_number="FR23334175221", city="Lyon")
    for settings in ({}, {"vat_type": "VAT"}):
        with opened(net, **settings) as insurer:
            best = insurer.find_buyer(query)[0]
            assert (best.buyer_id, best.score, best.vat_number) == ("1001", 100, "FR23334175221")
    with opened(net) as insurer:
        assert insurer.find_buyer(BuyerQuery("FR", buyer_id="1001"))[0].name == "Atelier Lumière SARL"
        assert insurer.find_buyer(BuyerQuery("FR", buyer_id="4711")) == ()


INSTALMENTS = (Instalment(date(2026, 5, 1), Decimal("6000.00")), Instalment(date(2026, 6, 1), Decimal("6300.45")))
OVERDUES = [
    ("notify_overdue", "find_overdue_notice", OverdueNotice("OVD/1", POLICY, "1006", (an_invoice(),), "Reminded")),
    (
        "extend_invoice",
        "find_extension",
        InvoiceExtension("EXT/1", POLICY, "1006", an_invoice(), date(2026, 4, 10), ExtensionReason.DISPUTE),
    ),
    (
        "report_repayment_plan",
        "find_repayment_plan",
        RepaymentPlan("RES/1", POLICY, "1006", (an_invoice(),), INSTALMENTS, "EUR", date(2026, 4, 1)),
    ),
]


@pytest.mark.parametrize(("send", "find", "message"), OVERDUES)
def test_overdue_is_found_after_its_answer_was_lost(net, send, find, message):
    net.simulator.control.fault("drop", path=f"{ROOT}/payment-overdues", method="POST", when="after")
    with opened(net) as insurer:
        assert getattr(insurer, find)(message) is None
        with pytest.raises(TransportError) as caught:
            getattr(insurer, send)(message)
        assert caught.value.may_have_acted
        found = getattr(insurer, find)(message)
        with pytest.raises(RejectedByInsurer):
            getattr(insurer, send)(message)
    assert found.reference == message.reference and found.notice_number
    assert net.simulator.control.book.store.row("SELECT count(*) AS n FROM submission") == {"n": 1}


def test_wish_to_be_called_back_reaches_the_insurer(net):
    door = "https://127.0.0.1:9/insurer/door"
    with opened(net, secrets={"callback_url": door}, webhook_header="X-Any-Name") as insurer:
        insurer.request_cover(REQUEST)
    hook = net.simulator.control.book.store.row("SELECT url, interface FROM webhook")
    assert hook == {"url": door, "interface": "allianz_trade"}
    assert door not in repr(net.exchanges)


def test_call_back_of_the_simulator_is_understood(net):
    from connectors import CONNECTORS
    from connectors.simulator.allianz_trade import in_words
    from connectors.simulator.submissions import Event

    body = in_words(Event("COVER_REQUEST_DECIDED", "1001", "CR-2026-00001"))
    assert CONNECTORS["allianz_trade"].read_wake_up({}, body).buyer_ids == ("1001",)
    assert in_words(Event("CLAIM_MOVED", "1001", "CL-1")) is None
    assert json.loads(body)["jobId"] == "CR-2026-00001"
