"""Coface: every shape that the insurer documents is written and read."""

from dataclasses import replace
from datetime import date

import pytest
from coface_wire import COMPANY, POLICYHOLDER, SECRETS, CofaceWire, document, shape

from connectors import (
    CONNECTORS,
    AuthenticationError,
    BuyerQuery,
    ConfigurationError,
    Connection,
    Credentials,
    Environment,
    Hooks,
    MonitoringOrder,
    NotSupported,
    Operation,
    Rate,
    RateLimited,
    RejectedByInsurer,
    ReportOrder,
)

TOKEN, COMPANIES, ORDERS, PUBLICATIONS = "/token", "/companies", "/publications/orders", "/publications"
MONITORINGS, NOTIFICATIONS = "/monitorings", "/notifications"
DELIVERY = "3e4f796c-16f0-4e2e-818f-64060479259e"
OPINION = ReportOrder("REP/1", COMPANY, product="credit-opinion")
ORDER_ID = "order/a784668e-62d4-4bff-a526-6b5a528d3841/{form}/2026-11-20T09:42:06+00:00/REP%2F1"
QUERY = BuyerQuery("PL", "Firma Testowa", vat_number="PL5423209690", postal_code="31-358", city="Kraków")
COFACE = CONNECTORS["coface"]


@pytest.fixture
def wire(monkeypatch):
    return CofaceWire().plugged(monkeypatch)


# --- Token ------------------------------------------------------------------------------------------------------------


def test_login_gives_an_id_token_that_is_shown_as_it_is(wire):
    wire.on(COMPANIES, document("companies_by_number.json"))
    with wire.connect(settings={"language": "FR"}) as insurer:
        insurer.find_buyer(QUERY)
    login, call = wire.sent
    assert (login.method, login.body) == ("POST", shape("token_request.json"))
    assert login.headers["x-api-key"] == call.headers["x-api-key"] == SECRETS["api_key"]
    assert call.headers["authorization"] == "the-id-token-1" and "Authorization" not in call.headers
    assert (call.headers["Accept-Language"], "authorization" in login.headers) == ("FR", False)


def test_token_lasts_an_hour_and_is_then_taken_anew(wire):
    wire.on(COMPANIES, document("companies_by_number.json"))
    for clock in (0.0, 3000.0, 3541.0):  # a minute before its end it counts as used up
        connection = Connection(
            "",
            Credentials(**SECRETS),
            hooks=Hooks(now=lambda: wire.now),
            token_store=wire.store,
            wall_clock=lambda clock=clock: clock,
        )
        with COFACE(connection) as insurer:
            insurer.find_buyer(QUERY)
    assert [url.rpartition("/")[2] for url in wire.urls()] == ["token", "companies", "companies", "token", "companies"]


def test_token_without_its_time_lasts_an_hour(wire):
    from connectors.coface_client import read_token
    from connectors.jsondoc import decode

    assert read_token(decode(b'{"idToken": "t"}')) == ("t", 3600.0)


def test_refused_token_is_replaced_once(wire):
    wire.on("/authentication/v1/token", {"idToken": "the-id-token-2"})
    wire.on(COMPANIES, {"message": "The incoming token has expired"}, 401)
    wire.on(COMPANIES, document("companies_by_number.json"))
    with wire.connect() as insurer:
        insurer.find_buyer(QUERY)
    assert [call.headers["authorization"] for call in wire.answers_to(COMPANIES)] == [
        *("the-id-token-1", "the-id-token-2"),
    ]


def test_no_right_is_no_matter_of_the_token(wire):
    wire.on(COMPANIES, {"message": "Forbidden"}, 403)
    with pytest.raises(AuthenticationError, match="Forbidden"), wire.connect() as insurer:
        insurer.find_buyer(QUERY)
    assert len(wire.answers_to(COMPANIES)) == 1


def test_secrets_are_in_no_exchange_and_no_error(wire):
    said = " ".join((*SECRETS.values(), "the-id-token-1", "https://erp.example/door"))
    wire.on(MONITORINGS, [])
    wire.on("/monitorings/orders", {"messages": [{"code": "x", "message": said}]}, 400)
    with wire.connect(secrets={"callback_url": "https://erp.example/door"}) as insurer:
        with pytest.raises(RejectedByInsurer) as caught:
            insurer.monitor(MonitoringOrder("MON/1", COMPANY, date(2026, 12, 1)))
        assert "a-password" not in repr(vars(insurer))
    shown = repr(wire.exchanges) + str(caught.value)
    assert len(wire.exchanges) == 3
    assert not [secret for secret in said.split() if secret in shown]


# --- Addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "base"),
    [
        (Environment.TEST, "https://icon-api-test.coface.com/dataapi-v1"),
        (Environment.PRODUCTION, "https://api.coface.com/bi/icon-data/v1"),
    ],
)
def test_environment_chooses_the_addresses_and_the_login_is_the_same(wire, environment, base):
    wire.on(COMPANIES, document("companies_by_number.json"))
    with wire.connect(environment=environment) as insurer:
        insurer.find_buyer(QUERY)
    assert wire.urls() == ["https://api.coface.com/authentication/v1/token", f"{base}/companies"]
    for name, point in COFACE.endpoints.items():
        if not name.startswith(("token", "cofaserve")):
            full = point.production if environment is Environment.PRODUCTION else point.test
            assert full == base + point.path.removeprefix("/bi/icon-data/v1")


@pytest.mark.parametrize(
    "settings",
    [
        {"report_format": "doc"},
        {"publication_key": "number"},
        {"grade_days": "0"},
        {"registration_repositories": "statistic-number"},
        {"cofaserve_fields": "easyNumber"},
    ],
)
def test_setting_that_cannot_be_is_refused(wire, settings):
    with pytest.raises(ConfigurationError):
        wire.connect(settings=settings)


def test_callback_over_http_is_refused(wire):
    with pytest.raises(ConfigurationError, match="https"):
        wire.connect(secrets={"callback_url": "http://erp.example/door"})


# --- Limit of calls ---------------------------------------------------------------------------------------------------


def test_sixty_calls_a_minute_per_endpoint():
    assert COFACE.rates == (Rate(60, 60.0, per_operation=True),)


def test_too_many_calls_wait_for_the_next_minute(wire):
    wire.on(COMPANIES, {"message": "x"}, 429, **{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"})
    with pytest.raises(RateLimited) as caught, wire.connect() as insurer:
        insurer.find_buyer(QUERY)
    assert (caught.value.retry_after, caught.value.may_have_acted) == (60.0, False)


def test_how_long_to_wait_is_the_insurers_when_it_says_so(wire):
    wire.on(COMPANIES, {"message": "x"}, 429, **{"Retry-After": "7"})
    with pytest.raises(RateLimited) as caught, wire.connect() as insurer:
        insurer.find_buyer(QUERY)
    assert caught.value.retry_after == 7.0


def test_call_is_not_made_while_the_insurer_has_none_left(wire):
    wire.on(COMPANIES, document("companies_by_number.json"), **{"X-RateLimit-Remaining": "0"})
    wire.on(NOTIFICATIONS, [], **{"X-RateLimit-Remaining": "12"})
    with wire.connect() as insurer:
        insurer.find_buyer(QUERY)
        with pytest.raises(RateLimited):
            insurer.find_buyer(QUERY)
        insurer.notifications(date(2026, 11, 1))  # another endpoint has its own
        wire.sleep(60)
        insurer.find_buyer(QUERY)
    assert len(wire.answers_to(COMPANIES)) == 2


# --- Companies --------------------------------------------------------------------------------------------------------


def test_company_is_found_by_its_vat_number(wire):
    wire.on(COMPANIES, document("companies_by_number.json"))
    with wire.connect() as insurer:
        (found,) = insurer.find_buyer(QUERY)
    assert wire.sent[-1].query == {"countryCode": "PL", "externalId": "vat-number#PL5423209690"}
    assert (found.buyer_id, found.score, found.vat_number) == (COMPANY, 100, "5423209690")
    assert (found.registration_number, found.street, found.city) == ("KRS 0000022345", "ul. Nowa 12", "Kraków")


def test_external_id_travels_encoded():
    import requests

    url = requests.Request("GET", "https://x/companies", params={"externalId": "vat-number#1"}).prepare().url
    assert url.endswith("externalId=vat-number%231")


def test_numbers_are_tried_in_their_forms_then_the_name_with_and_without_address(wire):
    wire.on(COMPANIES, [])
    query = replace(QUERY, registration_number="KRS 0000022345")
    with wire.connect(settings={"registration_repositories": "PL=national-id, *=tax-number"}) as insurer:
        assert insurer.find_buyer(query) == ()
    asked = [call.query for call in wire.answers_to(COMPANIES)]
    assert [query["externalId"] for query in asked if "externalId" in query] == [
        *("vat-number#PL5423209690", "vat-number#5423209690"),
        *("national-id#KRS 0000022345", "national-id#KRS0000022345"),
    ]
    assert asked[-2:] == [
        {"countryCode": "PL", "companyName": "Firma Testowa", "postalCode": "31-358", "city": "Kraków"},
        {"countryCode": "PL", "companyName": "Firma Testowa"},
    ]


def test_company_without_an_id_is_named_by_country_and_external_id(wire):
    wire.on(COMPANIES, document("companies_by_name.json"), 206, **{"Content-Range": "0–20/200"})
    query = BuyerQuery("PL", "Firma Testowa Sp. z o.o.", postal_code="31-358", city="Kraków")
    with wire.connect() as insurer:
        best, other = insurer.find_buyer(query)
        insurer.find_buyer(BuyerQuery("PL", buyer_id=best.buyer_id))
    assert (best.buyer_id, other.buyer_id) == ("PL/icon#83784290", "PL/giid#3433303936")
    assert best.score > other.score
    assert wire.sent[-1].query == {"countryCode": "PL", "externalId": "icon#83784290"}


def test_company_the_insurer_does_not_know_is_no_error(wire):
    wire.on(COMPANIES, {"messages": [{"code": "resource_not_found", "message": "Not here"}]}, 404)
    with wire.connect() as insurer:
        assert insurer.find_buyer(QUERY) == ()


def test_address_that_does_not_exist_is_an_error(wire):
    wire.on(COMPANIES, "<html>Not Found</html>", 404)
    with pytest.raises(RejectedByInsurer), wire.connect() as insurer:
        insurer.find_buyer(QUERY)


def test_refusal_is_in_the_insurers_words(wire):
    wire.on(COMPANIES, document("error.json"), 400)
    with pytest.raises(RejectedByInsurer) as caught, wire.connect() as insurer:
        insurer.find_buyer(QUERY)
    assert (caught.value.code, caught.value.words) == (
        *("missing_or_invalid_param", "Missing or invalid parameter: countryCode"),
    )


# --- CofaServe --------------------------------------------------------------------------------------------------------

SERVE = {"cofaserve_policy": "P-1", "cofaserve_identifiers": "EC=RUC_ECU"}
EMPRESA = BuyerQuery("EC", "Empresa S.A.", registration_number="1790012345001")


@pytest.mark.parametrize("login", ["v1", "rootcontext"])
def test_policyholders_interface_finds_by_identifier(wire, login):
    settings = {**SERVE, "cofaserve_login": login, "cofaserve_context": "ctx", "cofaserve_server": "srv"}
    wire.on("/bi/icon-data/v1/companies", [])
    wire.on("/cofaserve/authentication/v1/token", {"idToken": "the-policy-token"})
    wire.on("/companies/identifier", document("cofaserve_companies.json"))
    with wire.connect(base_url="https://gateway.example", secrets=POLICYHOLDER, settings=settings) as insurer:
        (found,) = insurer.find_buyer(EMPRESA)
    sign_in, call = wire.sent[-2:]
    assert sign_in.body == shape(f"cofaserve_login_{login}.json")
    assert sign_in.query == ({"rootcontext": "ctx", "server": "srv"} if login == "rootcontext" else {})
    assert sign_in.headers.get("x-cof-policy-number") == ("P-1" if login == "v1" else None)
    assert call.query == {"countryCode": "EC", "identifierType": "RUC_ECU", "identifierValue": "1790012345001"}
    assert (call.headers["X-COF-Policy-Number"], call.headers["x-api-key"]) == ("P-1", "policy-key")
    assert call.headers["authorization"] == "the-policy-token"
    assert (found.buyer_id, found.name, found.score) == ("EC/easy#00006641235282", "Empresa S.A.", 100)


def test_delivery_of_the_policyholders_interface_is_kept_and_not_read(wire):
    wire.on("/cofaserve/authentication/v1/token", {"idToken": "the-policy-token"})
    wire.on("/cofaserve/products/D-1", {"decision": "?"})
    with wire.connect(base_url="https://gateway.example", secrets=POLICYHOLDER, settings=SERVE) as insurer:
        state = insurer.report_state("cofaserve/D-1/json/2026-11-20T09:42:06+00:00/")
    assert (state.report.content, state.grade, state.recommended_amount) == (b'{"decision": "?"}', "", None)


def test_policyholders_interface_without_an_address_has_to_be_told_it(wire):
    with pytest.raises(ConfigurationError, match="cofaserve_token"):
        wire.connect(secrets=POLICYHOLDER, settings=SERVE)
    with wire.connect(secrets=POLICYHOLDER, settings=SERVE, environment=Environment.PRODUCTION) as insurer:
        with pytest.raises(NotSupported):
            insurer.report_state("cofaserve/D-1/json/2026-11-20T09:42:06+00:00/")


@pytest.mark.parametrize("missing", ["cofaserve_username", "cofaserve_password", "cofaserve_policy"])
def test_policyholders_interface_says_what_it_lacks(wire, missing):
    secrets = {name: value for name, value in POLICYHOLDER.items() if name != missing}
    settings = {name: value for name, value in SERVE.items() if name != missing}
    with pytest.raises(ConfigurationError, match=missing):
        wire.connect(base_url="https://gateway.example", secrets=secrets, settings=settings)


def test_what_is_not_public_takes_the_file_route():
    public = {Operation.FIND_BUYER, Operation.GRADES, Operation.ORDER_REPORT, Operation.FIND_REPORT}
    public |= {Operation.REPORT_STATE, Operation.MONITOR, Operation.NOTIFICATIONS}
    assert COFACE.capabilities() == public
    said = " ".join(COFACE.unverified)
    assert "product codes, overdues" in said and "claims" in said and "file route" in said
