"""Atradius: a request arrives once whatever fails, and the simulator behaves as documented."""

from decimal import Decimal

import pytest
from atradius_support import (
    PATHS,
    POLICY,
    a_cover,
    a_request,
    fixture,
    scripted,
    simulated,
)

from connectors import (
    AuthenticationError,
    ConnectorError,
    CoverProduct,
    CoverRequestKind,
    CoverStatus,
    Credentials,
    RejectedByInsurer,
    RequestStatus,
    TransportError,
    connect,
)

NEW, INCREASE, REDUCE, CANCEL = CoverRequestKind


@pytest.fixture
def insurer():
    with scripted() as script:
        yield script


@pytest.fixture
def net():
    with simulated() as rig:
        yield rig


# --- Once -------------------------------------------------------------------------------------------------------------


def lists(insurer, **rows):
    for name in ("applications", "decisions", "historic"):
        insurer.on(name, {"data": rows.get(name, [])})


UNDECIDED = {"coverStatus": "REFERRED", "decisionCode": "", "creditLimitApplicationAmountInPolicyCurrency": "50000"}


@pytest.mark.parametrize("where", ["applications", "decisions", "historic"])
def test_request_is_found_by_our_reference(insurer, where):
    rows = {"applications": [a_cover(coverId=1, customerRefNumber="ELSE", **UNDECIDED)]}
    rows[where] = [*rows.get(where, []), a_cover(customerRefNumber="REQ/1")]
    lists(insurer, **rows)
    with insurer.connect() as atradius:
        assert atradius.find_cover_request(a_request()).cover_id == "7000123"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({**UNDECIDED}, True),
        ({**UNDECIDED, "customerRefNumber": "ELSE"}, False),
        ({**UNDECIDED, "creditLimitApplicationAmountInPolicyCurrency": "20000"}, False),
        ({**UNDECIDED, "creditLimitApplicationAmountInPolicyCurrency": ""}, True),
        ({**UNDECIDED, "coverType": "credit-check"}, False),
        ({**UNDECIDED, "buyerId": 1002}, False),
    ],
)
def test_without_our_reference_the_undecided_request_for_the_buyer_is_ours(insurer, row, found):
    lists(insurer, applications=[a_cover(**row)])
    with insurer.connect() as atradius:
        state = atradius.find_cover_request(a_request())
    assert (state is not None) is found
    assert state is None or (state.reference, state.status) == ("REQ/1", RequestStatus.PENDING)


YESTERDAY = "2026-11-21T16:00:00.000+01:00"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"applicationDate": YESTERDAY}, True),
        ({"applicationDate": "2026-11-19"}, False),
        ({"applicationDate": YESTERDAY, "decisionCode": "DC03"}, False),
        ({"applicationDate": YESTERDAY, "creditLimitApplicationAmountInPolicyCurrency": ""}, False),
        ({"applicationDate": YESTERDAY, "creditLimitApplicationAmountInPolicyCurrency": "20000"}, False),
    ],
)
def test_decision_without_our_reference_is_ours_when_it_granted_the_same_just_now(insurer, row, found):
    lists(insurer, decisions=[a_cover(**{"creditLimitApplicationAmountInPolicyCurrency": "50000", **row})])
    with insurer.connect() as atradius:
        assert (atradius.find_cover_request(a_request()) is not None) is found


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ({"decisions": [a_cover(customerRefNumber="OLD")]}, None),
        ({"decisions": [a_cover(customerRefNumber="OLD", pendingProcessIndicator="C")]}, RequestStatus.PENDING),
        ({"historic": [a_cover(customerRefNumber="OLD", historicCode="CCLD")]}, RequestStatus.APPROVED),
        ({"historic": [a_cover(historicCode="SCLD")]}, None),
        ({"decisions": [a_cover()], "historic": [a_cover(historicCode="CCLD")]}, None),
        ({"applications": [a_cover(**UNDECIDED)]}, None),
        ({}, None),
    ],
)
def test_cancellation_is_known_by_what_happens_to_the_cover(insurer, rows, status):
    lists(insurer, **rows)
    with insurer.connect() as atradius:
        state = atradius.find_cover_request(a_request(CANCEL))
    assert (state and state.status) == status


def test_insurer_that_could_not_be_asked_did_not_say_no(insurer):
    lists(insurer)
    insurer.answers.pop(("GET", PATHS["decisions"]))
    with insurer.connect() as atradius, pytest.raises(AuthenticationError):
        atradius.find_cover_request(a_request())


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ({"applications": [a_cover(customerRefNumber="REQ/1", **UNDECIDED)]}, RequestStatus.PENDING),
        ({"applications": [a_cover(**UNDECIDED)]}, RequestStatus.PENDING),
        ({"decisions": [a_cover(creditLimitApplicationAmountInPolicyCurrency="50000")]}, RequestStatus.APPROVED),
        ({"decisions": [a_cover(creditLimitApplicationAmountInPolicyCurrency="20000")]}, None),
        ({"decisions": [a_cover(customerRefNumber="ELSE")]}, None),
        ({}, None),
    ],
)
def test_what_is_there_already_is_success_when_it_is_ours_and_else_a_refusal(insurer, rows, status):
    insurer.on("covers", fixture("error_exists"), 422, "POST")
    lists(insurer, **rows)
    with insurer.connect() as atradius:
        if status is None:
            with pytest.raises(RejectedByInsurer, match="already exists for this buyer"):
                atradius.request_cover(a_request())
        else:
            state = atradius.request_cover(a_request())
            assert (state.status, state.duplicate, state.reference) == (status, True, "REQ/1")


def send_until_recorded(net, request):
    """What a job does: ask first, send only what the insurer lacks; each try is a new process."""
    for _try in range(6):
        try:
            with net.connect() as atradius:
                return atradius.find_cover_request(request) or atradius.request_cover(request)
        except ConnectorError as error:
            assert error.retryable or error.may_have_acted, error
    raise AssertionError("never recorded")


FAULTS = [
    {"kind": "drop"},
    {"kind": "drop", "when": "after"},
    {"kind": "status", "status": 408, "when": "after"},
    {"kind": "status", "status": 429, "retry_after": "1"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 503, "when": "after"},
    {"kind": "truncate"},
    {"kind": "malformed"},
    {"kind": "replace", "field": "data", "value": None},
]
CASES = [(NEW, "1009", "90000"), (NEW, "1009", "20000"), (INCREASE, "1001", "90000"), (INCREASE, "1006", "20000")]
CASES += [(REDUCE, "1002", "20000"), (CANCEL, "1005", "")]


@pytest.fixture
def stranger(net):
    """A buyer without cover."""
    buyer = {"buyerId": "1009", "name": "Neu", "country": "DE", "grades": [{"value": "3", "gradedOn": 0}]}
    net.simulator.control.seed(data={"policies": [], "buyers": [buyer]})


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(("kind", "buyer", "amount"), CASES)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_request_arrives_once_through_every_fault(net, fault, kind, buyer, amount):
    method = "POST" if kind is NEW else "PUT"
    net.simulator.control.fault(path="/atradius" + PATHS["covers"], method=method, times=2, **fault)
    state = send_until_recorded(net, a_request(kind, amount, buyer_id=buyer))
    assert len(net.numbers()) == 1
    decided = amount != "90000"
    assert state.status is (RequestStatus.APPROVED if decided else RequestStatus.PENDING)


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(("kind", "buyer", "amount"), CASES)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.get("when")], ids=str)
def test_request_arrives_once_where_no_references_are_given_back(net, monkeypatch, fault, kind, buyer, amount):
    monkeypatch.setattr("connectors.simulator.atradius_shapes._reference", lambda _request: "")
    test_request_arrives_once_through_every_fault(net, fault, kind, buyer, amount)


def test_lost_write_is_not_repeated_by_itself(net, stranger):
    net.simulator.control.fault("drop", path="/atradius" + PATHS["covers"], method="POST", when="after")
    with net.connect() as atradius, pytest.raises(TransportError) as caught:
        atradius.request_cover(a_request(buyer_id="1009"))
    assert caught.value.may_have_acted and len(net.numbers()) == 1


# --- With the simulator -----------------------------------------------------------------------------------------------


def test_portfolio_of_the_simulator_is_that_of_its_book(net):
    with net.connect() as atradius:
        covers = {cover.buyer_id: cover for cover in atradius.covers(POLICY)}
    book = {cover["buyer_id"]: cover for cover in net.simulator.control.state()["covers"]}
    assert covers.keys() == book.keys()
    assert {buyer: cover.amount for buyer, cover in covers.items()} == {
        buyer: Decimal(cover["amount"]) for buyer, cover in book.items()
    }
    assert covers["1003"].conditions and covers["1008"].announcements


def test_request_of_the_simulator_waits_for_a_person(net):
    with net.connect() as atradius:
        request = a_request(INCREASE, "90000")
        state = atradius.request_cover(request)
        assert state.status is RequestStatus.PENDING
        assert [waiting.request_id for waiting in atradius.cover_request_page(POLICY).items] == [state.request_id]
        net.simulator.control.decide(net.numbers()[0], "PARTIAL", amount="75000")
        decided = atradius.cover_request_state(state.request_id)
        assert (decided.status, decided.amount) == (RequestStatus.PARTIAL, Decimal(75000))
        cover = next(cover for cover in atradius.covers(POLICY) if cover.buyer_id == "1001")
        assert (cover.cover_id, cover.amount) == (state.cover_id, Decimal(75000))
        assert atradius.cover_request_page(POLICY).items == ()


def test_refused_increase_of_the_simulator_leaves_the_cover(net):
    with net.connect() as atradius:
        state = atradius.request_cover(a_request(INCREASE, "90000"))
        net.simulator.control.decide(net.numbers()[0], "REFUSED", message="Balance sheet is too old")
        decided = atradius.cover_request_state(state.request_id)
        assert (decided.status, decided.raw_code) == (RequestStatus.REFUSED, "DC05")
        cover = next(cover for cover in atradius.covers(POLICY) if cover.buyer_id == "1001")
        assert (cover.status, cover.amount) == (CoverStatus.APPROVED, Decimal(60000))


def test_bad_buyer_is_refused_at_once_by_the_simulator(net, stranger):
    net.simulator.control.set_grade("1009", "8")
    with net.connect() as atradius:
        state = atradius.request_cover(a_request(amount="10000", buyer_id="1009"))
    assert (state.status, state.raw_code) == (RequestStatus.REFUSED, "DC03")


def test_credit_check_of_the_simulator_grants_its_amount(net, stranger):
    request = a_request(product=CoverProduct.CREDIT_CHECK, amount="7000", buyer_id="1009")
    with net.connect() as atradius:
        state = atradius.request_cover(request)
    assert (state.status, state.amount) == (RequestStatus.APPROVED, Decimal(7000))


def test_cancelled_cover_of_the_simulator_has_ended(net):
    with net.connect() as atradius:
        atradius.request_cover(a_request(CANCEL))
        cover = next(cover for cover in atradius.covers(POLICY) if cover.buyer_id == "1001")
    assert (cover.status, cover.raw_code) == (CoverStatus.WITHDRAWN, "CCLD") and cover.effective_to


def test_announced_withdrawal_of_the_simulator_comes_before_the_withdrawal(net):
    with net.connect() as atradius:
        net.simulator.control.withdraw("1002", in_days=30)
        announced = next(cover for cover in atradius.covers(POLICY) if cover.buyer_id == "1002")
        net.simulator.control.withdraw("1002")
        withdrawn = next(cover for cover in atradius.covers(POLICY) if cover.buyer_id == "1002")
    assert announced.status is CoverStatus.APPROVED and announced.announcements[0].effective_from
    assert (withdrawn.status, withdrawn.raw_code, withdrawn.announcements) == (CoverStatus.WITHDRAWN, "WCLD", ())


def test_changed_grade_is_in_the_feed_of_the_simulator(net):
    today = net.simulator.control.book.today()
    with net.connect() as atradius:
        before = atradius.grade_changes(POLICY, today).items
        net.simulator.control.set_grade("1001", "7")
        after = atradius.grade_changes(POLICY, today).items
    assert before == () and [(grade.buyer_id, grade.value, grade.previous_value) for grade in after] == [
        ("1001", "7", "3")
    ]


@pytest.mark.parametrize("amount", ["50500", "50000.50"])
def test_simulator_refuses_an_odd_amount_in_atradius_words(net, stranger, amount):
    with net.connect() as atradius, pytest.raises(RejectedByInsurer) as caught:
        atradius.request_cover(a_request(amount=amount, buyer_id="1009"))
    expected = "creditLimitAmount: Must be positive number greater than zero and a multiple of 1000."
    assert caught.value.words == expected


def test_simulator_answers_a_wrong_route_as_atradius_does(net):
    atradius = connect(
        "atradius",
        base_url=f"{net.simulator.url}/atradius",
        credentials=Credentials(client_id="demo-client", client_secret=net.simulator.api_key, app_key="demo-app-key"),
        settings={"customer_id": "4711"},
        addresses={"policy": "/credit-insurance/policy-management/v2/policies/details"},
    )
    with atradius, pytest.raises(AuthenticationError) as caught:
        atradius.policy_details(POLICY)
    assert caught.value.status == 403


def test_token_that_ends_in_the_middle_is_replaced(net):
    with net.connect() as atradius:
        atradius.policy_details(POLICY)
        net.simulator.control.fault("expire_tokens", path="/atradius")
        assert len(list(atradius.covers(POLICY))) == 8
