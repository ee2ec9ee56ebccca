"""Atradius: token, headers, addresses, policy, buyers and ratings are written and read as documented."""

import base64
import uuid
from dataclasses import replace
from datetime import date

import pytest
from atradius_support import (
    POLICY,
    SECRETS,
    fixture,
    query_of,
    scripted,
)

from connectors import (
    AuthenticationError,
    BuyerCandidate,
    BuyerQuery,
    ConfigurationError,
    Connection,
    Credentials,
    Environment,
    Grade,
    MemoryTokenStore,
    NotSupported,
    Operation,
    PolicyDetails,
    RejectedByInsurer,
)
from connectors.atradius import Atradius
from connectors.atradius_client import ENDPOINTS

LUMIERE = BuyerCandidate("1001", "Atelier Lumière SARL", "FR", 98, "FR23334175221", "334175221")


@pytest.fixture
def insurer():
    with scripted() as script:
        yield script


# --- Token and headers ------------------------------------------------------------------------------------------------


def test_token_is_asked_for_with_basic_credentials_and_no_body(insurer):
    insurer.on("policy", fixture("policy_details"))
    with insurer.connect() as atradius:
        atradius.policy_details(POLICY)
    (call,) = insurer.calls("token", "POST")
    login = base64.b64encode(f"{SECRETS['client_id']}:{SECRETS['client_secret']}".encode()).decode()
    assert call.headers["authorization"] == f"Basic {login}"
    assert call.headers["content-type"] == "application/json"
    assert call.body == b""


def test_every_call_carries_app_key_token_and_a_correlation_id_of_its_own(insurer):
    insurer.on("policy", fixture("policy_details"))
    with insurer.connect() as atradius:
        atradius.policy_details(POLICY)
        atradius.policy_details(POLICY)
    told = [call.headers["atradius-correlation-id"] for call in insurer.heard]
    assert len(set(told)) == 3 and [str(uuid.UUID(value)) for value in told] == told
    assert told == [exchange.request_id for exchange in insurer.exchanges]
    assert {call.headers["atradius-app-key"] for call in insurer.heard} == {SECRETS["app_key"]}
    assert {call.headers["authorization"] for call in insurer.calls("policy")} == {"Bearer token-one"}


@pytest.mark.parametrize(("age", "tokens"), [(1739, 1), (1740, 2), (1801, 2)])
def test_token_is_replaced_sixty_seconds_before_its_end(insurer, age, tokens):
    insurer.on("policy", fixture("policy_details"))
    with insurer.connect() as atradius:
        atradius.policy_details(POLICY)
        insurer.now += age
        atradius.policy_details(POLICY)
    assert len(insurer.calls("token", "POST")) == tokens


def test_refused_token_is_replaced_once(insurer):
    insurer.on("token", {"data": {**fixture("token")["data"], "access_token": "token-two"}}, method="POST")
    insurer.on("policy", {"errors": [{"detail": "Invalid access token"}]}, 401)
    insurer.on("policy", fixture("policy_details"))
    with insurer.connect() as atradius:
        assert atradius.policy_details(POLICY).number == POLICY
    assert [call.headers["authorization"] for call in insurer.calls("policy")] == [
        *("Bearer token-one", "Bearer token-two"),
    ]


def test_token_that_is_refused_again_is_an_error(insurer):
    insurer.on("policy", {"errors": [{"detail": "Invalid access token"}]}, 401)
    with insurer.connect() as atradius, pytest.raises(AuthenticationError, match="Invalid access token"):
        atradius.policy_details(POLICY)
    assert len(insurer.calls("policy")) == 2


def test_wrong_route_is_a_refusal_of_rights_and_takes_no_other_token(insurer):
    with insurer.connect() as atradius, pytest.raises(AuthenticationError) as caught:
        atradius.policy_details(POLICY)
    assert caught.value.status == 403
    assert len(insurer.calls("policy")) == 1 and len(insurer.calls("token", "POST")) == 1


def test_workers_share_a_token_and_environments_do_not(insurer):
    insurer.on("policy", fixture("policy_details"))
    store = MemoryTokenStore()
    for _worker in range(2):
        with insurer.connect(token_store=store) as atradius:
            atradius.policy_details(POLICY)
    assert len(insurer.calls("token", "POST")) == 1
    with insurer.connect(token_store=store, addresses={"token": "/authenticate/v3/tokens"}) as atradius:
        with pytest.raises(AuthenticationError):
            atradius.policy_details(POLICY)


@pytest.mark.parametrize("lasts", [1800, "1800"])
def test_life_of_a_token_is_a_number_or_a_text(insurer, lasts):
    insurer.answers.clear()
    insurer.on("token", {"data": {"access_token": "t0ken", "expires_in": lasts}}, method="POST")
    insurer.on("policy", fixture("policy_details"))
    with insurer.connect() as atradius:
        assert atradius.policy_details(POLICY)


def test_secrets_are_in_no_error_and_no_exchange(insurer):
    basic = base64.b64encode(f"{SECRETS['client_id']}:{SECRETS['client_secret']}".encode()).decode()
    echo = f"{basic} {' '.join(SECRETS.values())} token-one"
    insurer.on("policy", {"errors": [{"detail": echo}]}, 400)
    with insurer.connect() as atradius, pytest.raises(RejectedByInsurer) as caught:
        atradius.policy_details(POLICY)
    shown = repr(insurer.exchanges) + str(caught.value) + caught.value.words + repr(atradius)
    for secret in (basic[:12], basic[24:36], "token-one", *SECRETS.values()):
        assert secret not in shown


# --- Addresses and settings -------------------------------------------------------------------------------------------


def own(environment=Environment.TEST, credentials=None, **settings):
    made = Connection("", Credentials(**(SECRETS if credentials is None else credentials)), environment=environment)
    return Atradius(replace(made, settings={"customer_id": "4711", **settings}))


@pytest.mark.parametrize(
    ("environment", "host"),
    [(Environment.TEST, "https://api-uat.atradius.com"), (Environment.PRODUCTION, "https://api.atradius.com")],
)
def test_each_environment_has_its_host(environment, host):
    with own(environment) as atradius:
        urls = atradius._client._addresses.urls()
    assert urls == tuple(host + endpoint.path for endpoint in ENDPOINTS.values())
    assert urls[0] == f"{host}/authenticate/v2/tokens"


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_missing_secret_is_named(name):
    with pytest.raises(ConfigurationError, match="is missing"):
        own(credentials={key: value for key, value in SECRETS.items() if key != name})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"customer_id": "C-12"}, "is not a number"),
        ({"customer_id": ""}, "Customer id is missing"),
        ({"ended_covers": "maybe"}, "neither yes nor no"),
        ({"registration_uid_types": "FR=SIREN"}, "'FR=SIREN' is not a country and one of VAT"),
        ({"registration_uid_types": "XX=NRN"}, "'XX=NRN' is not a country"),
        ({"policy": "1"}, "not known here: policy"),
    ],
)
def test_setting_that_does_not_read_is_named(settings, words):
    with pytest.raises(ConfigurationError, match=words):
        own(**settings)


def test_overdues_and_claims_take_the_file_route():
    assert Atradius.capabilities() == {
        Operation.FIND_BUYER,
        Operation.GRADES,
        Operation.GRADE_CHANGES,
        Operation.COVER_PAGE,
        Operation.REQUEST_COVER,
        Operation.FIND_COVER_REQUEST,
        Operation.COVER_REQUEST_STATE,
        Operation.COVER_REQUEST_PAGE,
        Operation.POLICY_DETAILS,
    }
    assert not Atradius.recognises, "no source says that a repeated reference is harmless"
    assert any("Non-Payments" in sentence for sentence in Atradius.unverified)


# --- Policy and buyers ------------------------------------------------------------------------------------------------


def test_policy_is_one_object_and_is_asked_for_without_customer(insurer):
    insurer.on("policy", fixture("policy_details"))
    with insurer.connect() as atradius:
        assert atradius.policy_details(POLICY) == PolicyDetails(POLICY, "", "EUR", date(2026, 1, 1), date(2027, 12, 31))
    assert query_of(insurer.calls("policy")[0]) == {"policyId": POLICY}


@pytest.mark.parametrize(
    ("query", "types", "asked"),
    [
        (BuyerQuery("FR", registration_number="334 175 221"), "FR=SN", ("FRA", "334175221", "SN")),
        (BuyerQuery("fr", registration_number="33417522100012"), "FR=SN, *=NRN", ("FRA", "334175221", "SN")),
        (BuyerQuery("FR", vat_number="FR 23 334175221"), "FR=SN", ("FRA", "FR23334175221", "VAT")),
        (BuyerQuery("DE", registration_number="HRB 104882", vat_number="DE1"), "*=NRN", ("DEU", "HRB104882", "NRN")),
        (BuyerQuery("DE", registration_number="HRB 104882"), "DE=CR,*=NRN", ("DEU", "HRB104882", "CR")),
        (BuyerQuery("IT", registration_number="00743110157", vat_number="IT007"), "FR=SN", ("ITA", "IT007", "VAT")),
    ],
)
def test_national_number_is_asked_for_by_country_and_type(insurer, query, types, asked):
    insurer.on("buyers", fixture("buyers"))
    with insurer.connect(settings={"registration_uid_types": types}) as atradius:
        atradius.find_buyer(query)
    (call,) = insurer.calls("buyers")
    assert query_of(call) == dict(zip(("country", "uid", "uidType"), asked, strict=True))


@pytest.mark.parametrize("answer", ["buyers", "buyer"])
def test_buyers_come_as_a_list_or_as_one_object(insurer, answer):
    insurer.on("buyers", fixture(answer))
    with insurer.connect() as atradius:
        assert atradius.find_buyer(BuyerQuery("FR", registration_number="334175221")) == (LUMIERE,)


def test_buyer_is_found_by_its_id_whose_country_is_not_told(insurer):
    insurer.on("buyer", fixture("buyer"))
    with insurer.connect() as atradius:
        found = atradius.find_buyer(BuyerQuery("FR", name="whatever", buyer_id="1001"))
    assert found == (replace(LUMIERE, country="", score=100),)


@pytest.mark.parametrize(
    "answer", [(fixture("error_no_buyer"), 404), (fixture("error_no_buyer"), 400), ({"data": []}, 200)]
)
def test_no_match_is_no_candidate_and_the_next_number_is_tried(insurer, answer):
    insurer.on("buyers", *answer)
    insurer.on("buyers", fixture("buyers"))
    query = BuyerQuery("FR", registration_number="334175221", vat_number="FR23334175221")
    with insurer.connect() as atradius:
        assert atradius.find_buyer(query) == (LUMIERE,)
    assert [query_of(call)["uidType"] for call in insurer.calls("buyers")] == ["SN", "VAT"]


def test_match_on_the_first_number_asks_for_no_other(insurer):
    insurer.on("buyers", fixture("buyers"))
    with insurer.connect() as atradius:
        atradius.find_buyer(BuyerQuery("FR", registration_number="334175221", vat_number="FR23334175221"))
    assert len(insurer.calls("buyers")) == 1, "a look-up may be charged"


def test_nobody_known_is_nobody(insurer):
    insurer.on("buyers", fixture("error_no_buyer"), 404)
    with insurer.connect() as atradius:
        assert atradius.find_buyer(BuyerQuery("FR", registration_number="1", vat_number="2")) == ()


def test_other_refusal_of_a_look_up_is_not_taken_for_nobody(insurer):
    insurer.on("buyers", fixture("error_parameter"), 400)
    with insurer.connect() as atradius, pytest.raises(RejectedByInsurer) as caught:
        atradius.find_buyer(BuyerQuery("FR", registration_number="334175221"))
    assert caught.value.words == "customerId: Unknown query parameter"


def test_buyer_is_not_looked_for_by_name(insurer):
    with insurer.connect() as atradius, pytest.raises(NotSupported):
        atradius.find_buyer(BuyerQuery("FR", name="Atelier Lumière"))
    assert insurer.heard == []


# --- Ratings ----------------------------------------------------------------------------------------------------------


def test_rating_is_raw_and_has_no_day(insurer):
    insurer.on("buyer", fixture("buyer"))
    with insurer.connect() as atradius:
        assert atradius.grades(["1001", "1001"]) == (Grade("1001", "42", "ATRADIUS-BUYER-RATING", None, "38"),)
    assert len(insurer.calls("buyer")) == 1


def test_buyer_without_rating_is_absent(insurer):
    insurer.on("buyer", {"data": {**fixture("buyer")["data"], "currentBuyerRating": ""}})
    with insurer.connect() as atradius:
        assert atradius.grades(["1001"]) == () and atradius.grade("1001") is None


def test_unknown_buyer_has_no_rating(insurer):
    insurer.on("buyer", fixture("error_no_buyer"), 404)
    with insurer.connect() as atradius:
        assert atradius.grades(["1001"]) == ()


def test_rating_feed_is_asked_from_the_day_before(insurer):
    insurer.on("ratings", fixture("my_buyers"))
    with insurer.connect() as atradius:
        page = atradius.grade_changes(POLICY, date(2026, 3, 1))
    assert [(grade.buyer_id, grade.value) for grade in page.items] == [("1001", "42")]
    assert page.next_token is None
    assert query_of(insurer.calls("ratings")[0]) == {
        "customerId": "4711",
        "policyId": POLICY,
        "buyerRatingUpdatedAfter": "2026-02-28",
    }
