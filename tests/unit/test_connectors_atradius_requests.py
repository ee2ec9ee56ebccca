"""Atradius: requests are written as documented, and their answers read by what was asked."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from atradius_support import (
    PATHS,
    POLICY,
    a_cover,
    a_layer,
    a_request,
    fixture,
    query_of,
    scripted,
)

from connectors import (
    ConfigurationError,
    CoverProduct,
    CoverRequestKind,
    NotSupported,
    RejectedByInsurer,
    RequestStatus,
    UnexpectedResponse,
)
from connectors.atradius_requests import Ticket

NEW, INCREASE, REDUCE, CANCEL = CoverRequestKind
WINTER = "2026-12-31"


@pytest.fixture
def insurer():
    with scripted() as script:
        yield script


# --- Requests: what is sent -------------------------------------------------------------------------------------------


def sent(insurer, request, method):
    insurer.on("covers", fixture("apply_answer"), 202, method)
    with insurer.connect() as atradius:
        state = atradius.request_cover(request)
    return json.loads(insurer.calls("covers", method)[-1].body), state


def test_application_is_written_as_documented(insurer):
    body, state = sent(insurer, a_request(effective_from=date(2026, 12, 1)), "POST")
    assert body == fixture("apply_request")
    assert list(map(type, (body["customerId"], body["buyerId"], body["creditLimitAmount"]))) == [int, int, int]
    assert (state.status, state.raw_code, state.reference) == (RequestStatus.PENDING, "REFERRED", "REQ/1")
    assert (state.cover_id, state.buyer_id, state.amount) == ("7000123", "1001", None)


def test_credit_check_has_neither_amount_nor_currency(insurer):
    request = a_request(product=CoverProduct.CREDIT_CHECK, reference="REQ/2")
    assert sent(insurer, request, "POST")[0] == fixture("credit_check_request")
    assert sent(insurer, replace(request, amount=None), "POST")[0] == fixture("credit_check_request")


def test_increase_supersedes(insurer):
    request = a_request(INCREASE, "90000", reference="REQ/3", cover_id="7000123")
    assert sent(insurer, request, "PUT")[0] == fixture("supersede_request")


def test_number_of_the_cover_is_sent_with_a_change_where_that_is_entered(insurer):
    request = a_request(INCREASE, "90000", reference="REQ/3", cover_id="7000123")
    insurer.on("covers", fixture("apply_answer"), 202, "PUT")
    with insurer.connect(settings={"cover_id_in_changes": "yes"}) as atradius:
        atradius.request_cover(request)
    body = json.loads(insurer.calls("covers", "PUT")[-1].body)
    assert body == fixture("supersede_request") | {"coverId": 7000123}
    with pytest.raises(ConfigurationError, match="cover_id_in_changes is 'maybe', neither yes nor no"):
        insurer.connect(settings={"cover_id_in_changes": "maybe"})


@pytest.mark.parametrize(("kind", "action"), [(REDUCE, "reduce"), (CANCEL, "cancel")])
def test_less_and_none_are_actions_too(insurer, kind, action):
    body, _state = sent(insurer, a_request(kind, "20000"), "PUT")
    assert body["action"] == action
    assert body.get("creditLimitAmount") == (20000 if kind is REDUCE else None)
    assert "coverId" not in body


def test_product_the_interface_has_not_takes_the_file_route(insurer):
    with insurer.connect() as atradius, pytest.raises(NotSupported):
        atradius.request_cover(a_request(product=CoverProduct.GRADE_COVER))


@pytest.mark.parametrize("members", [{"buyer_id": "EH-7"}, {"cover_id": "C7", "kind": INCREASE}])
def test_number_that_is_none_is_not_sent(insurer, members):
    with insurer.connect() as atradius, pytest.raises(ConfigurationError, match="no number of Atradius"):
        atradius.request_cover(a_request(**members))
    assert insurer.heard == []


# --- Requests: what comes back ----------------------------------------------------------------------------------------


def test_decision_made_at_once_is_read(insurer):
    insurer.on("covers", fixture("apply_answer"), 201, "POST")
    insurer.on("applications", {"data": []})
    insurer.on("decisions", fixture("decisions"))
    with insurer.connect() as atradius:
        state = atradius.request_cover(a_request())
    assert (state.status, state.raw_code, state.amount) == (RequestStatus.PARTIAL, "DC04", Decimal(30000))
    assert (state.reference, state.words, state.decided_on) == ("REQ/1", "Partially approved", date(2026, 3, 4))
    assert query_of(insurer.calls("decisions")[0]) == {"customerId": "4711", "policyId": POLICY, "buyerId": "1001"}


def test_decision_that_cannot_be_read_now_is_read_later(insurer):
    insurer.on("covers", fixture("apply_answer"), 201, "POST")
    insurer.on("applications", b"oops")
    with insurer.connect() as atradius:
        state = atradius.request_cover(a_request())
        assert (state.status, state.raw_code) == (RequestStatus.PENDING, "DECISION")
        insurer.answers.pop(("GET", PATHS["applications"]))
        insurer.on("applications", {"data": []})
        insurer.on("decisions", fixture("decisions"))
        assert atradius.cover_request_state(state.request_id).status is RequestStatus.PARTIAL
    assert len(insurer.calls("covers", "POST")) == 1


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"data": [a_cover(decisionCode="DC03", decisionTypeDescription="Refused")]}, "Refused"),
        ({"data": [a_cover()]}, "Action has been refused."),  # an older decision under the same number
        ({"data": []}, "Action has been refused."),
    ],
)
def test_refused_action_is_refused_in_the_insurers_words(insurer, decision, words):
    insurer.on("covers", fixture("refused_answer"), 201, "POST")
    for name in ("applications", "historic"):
        insurer.on(name, {"data": []})
    insurer.on("decisions", decision)
    with insurer.connect() as atradius:
        state = atradius.request_cover(a_request())
    assert (state.status, state.words, state.amount) == (RequestStatus.REFUSED, words, None)


def test_refusal_without_a_number_is_a_refusal(insurer):
    insurer.on("covers", {"data": [{"coverId": "", "response": "Action has been refused."}]}, 201, "POST")
    with insurer.connect() as atradius, pytest.raises(RejectedByInsurer) as caught:
        atradius.request_cover(a_request())
    assert caught.value.words == "Action has been refused."


def test_success_without_a_number_is_not_taken_for_a_refusal(insurer):
    insurer.on("covers", {"data": [{"response": "Action successful"}]}, 202, "POST")
    with insurer.connect() as atradius, pytest.raises(UnexpectedResponse) as caught:
        atradius.request_cover(a_request())
    assert caught.value.may_have_acted and caught.value.field == "data.coverId"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("error_amount", "creditLimitAmount: Must be positive number greater than zero and a multiple of 1000."),
        ("error_supersede", "New Application cannot supersede existing cover"),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 405, 406, 422])
def test_refusal_comes_in_the_insurers_words(insurer, error, words, status):
    insurer.on("covers", fixture(error), status, "POST")
    with insurer.connect() as atradius, pytest.raises(RejectedByInsurer) as caught:
        atradius.request_cover(a_request())
    assert (caught.value.words, caught.value.status, caught.value.code) == (words, status, "")
    assert not caught.value.may_have_acted


def test_several_errors_are_all_told(insurer):
    both = fixture("error_amount")["errors"] + fixture("error_supersede")["errors"]
    insurer.on("covers", {"errors": both}, 422, "POST")
    with insurer.connect() as atradius, pytest.raises(RejectedByInsurer, match="multiple of 1000.; New Application"):
        atradius.request_cover(a_request())


ANSWERED = {
    "DC01": RequestStatus.APPROVED,
    "DC02": RequestStatus.APPROVED,
    "DC03": RequestStatus.REFUSED,
    "DC04": RequestStatus.PARTIAL,
    "DC05": RequestStatus.REFUSED,
    "DC06": RequestStatus.PARTIAL,
    "DC07": RequestStatus.REFUSED,
    "DC08": RequestStatus.REFUSED,
    "DC09": RequestStatus.PARTIAL,
    "DC10": RequestStatus.APPROVED,
    "DC11": RequestStatus.APPROVED,
    "DC21": RequestStatus.APPROVED,
    "DC22": RequestStatus.APPROVED,
    "DC99": RequestStatus.UNKNOWN,
}


def state_of(insurer, kind, **members):
    where = "historic" if members.get("historicCode") else "decisions"
    for name in ("applications", "decisions", "historic"):
        insurer.on(name, {"data": [a_cover(**members)] if name == where else []})
    with insurer.connect() as atradius:
        return atradius.cover_request_state(str(Ticket("7000123", POLICY, "1001", kind)))


@pytest.mark.parametrize(("code", "status"), ANSWERED.items())
def test_decision_code_answers_the_request(insurer, code, status):
    state = state_of(insurer, NEW, decisionCode=code)
    granted = status in (RequestStatus.APPROVED, RequestStatus.PARTIAL)
    assert (state.status, state.raw_code) == (status, code)
    assert state.amount == (Decimal(80000) if granted else None)


def test_granted_amount_is_that_of_both_layers(insurer):
    state = state_of(insurer, NEW, **{
        "totalDecision": a_layer("70000"),
        "firstAmtDecision": a_layer("50000"),
        "secondAmtDecision": a_layer("20000", WINTER),
        "decisionCode": "DC10",
    })  # fmt: skip
    assert (state.amount, state.status) == (Decimal(70000), RequestStatus.PARTIAL)


@pytest.mark.parametrize(
    ("kind", "members", "status"),
    [
        (REDUCE, {"decisionCode": "DC09"}, RequestStatus.APPROVED),
        (CANCEL, {"decisionCode": "DC08"}, RequestStatus.APPROVED),
        (CANCEL, {"historicCode": "CCLD"}, RequestStatus.APPROVED),
        (CANCEL, {"historicCode": "WCLD"}, RequestStatus.APPROVED),
        (CANCEL, {"decisionCode": "DC01"}, RequestStatus.PENDING),
        (NEW, {"historicCode": "CCLA", "decisionCode": ""}, RequestStatus.CANCELLED),
        (NEW, {"historicCode": "RCLA", "decisionCode": ""}, RequestStatus.REFUSED),
        (NEW, {"historicCode": "SCLA", "decisionCode": ""}, RequestStatus.CANCELLED),
        (NEW, {"historicCode": "TCLA", "decisionCode": ""}, RequestStatus.CANCELLED),
        (NEW, {"historicCode": "SCLD", "decisionCode": "DC01"}, RequestStatus.APPROVED),
        (NEW, {"historicCode": "ARCH", "decisionCode": ""}, RequestStatus.UNKNOWN),
    ],
)
def test_answer_is_read_by_what_was_asked(insurer, kind, members, status):
    state = state_of(insurer, kind, **members)
    assert (state.status, state.amount) == (status, None if kind is CANCEL else state.amount)


def test_what_is_undecided_is_not_yet_what_was_decided(insurer):
    insurer.on("applications", fixture("applications"))
    insurer.on("decisions", fixture("decisions"))
    with insurer.connect() as atradius:
        state = atradius.cover_request_state(f"7000123:{POLICY}:1001")
    assert state.status is RequestStatus.PENDING and not insurer.calls("decisions")


def test_request_in_no_list_is_an_error(insurer):
    for name in ("applications", "decisions", "historic"):
        insurer.on(name, {"data": []})
    with insurer.connect() as atradius, pytest.raises(UnexpectedResponse, match="in none of the insurer's lists"):
        atradius.cover_request_state(f"7000123:{POLICY}:1001")


@pytest.mark.parametrize("request_id", ["7000123", "1:2:3:else", "1:2:3:new:5", ""])
def test_foreign_request_id_is_not_sent(insurer, request_id):
    with insurer.connect() as atradius, pytest.raises(ConfigurationError):
        atradius.cover_request_state(request_id)
    assert insurer.heard == []


@pytest.mark.parametrize("kind", CoverRequestKind)
def test_ticket_survives_as_text_whatever_the_policy_is_called(kind):
    ticket = Ticket("7", "A:B/ü 1", "1001", kind)
    again = Ticket.read(str(ticket))
    assert again == replace(ticket, kind=NEW if kind is INCREASE else kind)


def test_undecided_requests_are_one_page(insurer):
    insurer.on("applications", fixture("applications"))
    with insurer.connect() as atradius:
        page = atradius.cover_request_page(POLICY)
    (state,) = page.items
    assert (state.reference, state.status, state.request_id) == (
        "REQ/1",
        RequestStatus.PENDING,
        f"7000123:{POLICY}:1001",
    )
    assert state.received_at.isoformat() == "2026-03-02T00:00:00+00:00" and page.next_token is None
