"""What a connection is told, and the addresses that follow from it."""

import pytest

from connectors import (
    CONNECTORS,
    AddressBook,
    ConfigurationError,
    Connection,
    Credentials,
    Endpoint,
    Environment,
    Setting,
)
from connectors.urls import checked_base_url, origin

SETTINGS = (
    Setting("customer", "Customer number"),
    Setting("unit", "Business unit", required=False, default="ACI"),
    Setting("api_key", "API key", secret=True),
)
ENDPOINTS = {
    "token": Endpoint("/idp/token", "https://auth.test.example/idp/token", "https://auth.example/idp/token"),
    "cover": Endpoint("/covers/{id}", "https://api.test.example/v3/covers/{id}", "https://api.example/v3/covers/{id}"),
    "overdue": Endpoint("/overdues", verified=False),
}
KNOWN = {name: ENDPOINTS[name] for name in ("token", "cover")}


def connection(base_url="", *, key="k", **members):
    return Connection(base_url, Credentials(api_key=key), **members)


# --- Who we are to an insurer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [code for code, connector in CONNECTORS.items() if connector.rates])
def test_insurer_that_counts_calls_is_told_whose_they_are(code):
    connector = CONNECTORS[code]
    names = [setting for setting in connector.settings if setting.identifies]
    secrets = {setting.name: "s" for setting in names if setting.secret}
    plain = {setting.name: "p" for setting in names if not setting.secret}
    assert len(connector.customer(secrets, plain)) == len(names) > 0
    assert connector.customer({}, {}) == connector.customer(dict.fromkeys(secrets, " "), plain and {}) == ()
    other = connector.customer(dict.fromkeys(secrets, "t"), dict.fromkeys(plain, "q"))
    assert other != connector.customer(secrets, plain)


# --- Settings ---------------------------------------------------------------------------------------------------


def test_settings_come_back_stripped_with_defaults_and_without_secrets():
    assert connection(settings={"customer": " 4711 "}).check("x", SETTINGS) == {"customer": "4711", "unit": "ACI"}


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"settings": {}}, "Customer number is missing"),
        ({"settings": {"customer": "  "}}, "Customer number is missing"),
        ({"settings": {"customer": "1"}, "key": ""}, "API key is missing"),
        ({"settings": {"customer": "1", "custommer": "2"}}, "not known here: custommer"),
        ({"settings": {"customer": "1", "api_key": "in the wrong place"}, "key": ""}, "API key is missing"),
    ],
)
def test_what_is_missing_or_unknown_is_named(made, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        connection(**made).check("x", SETTINGS)
    assert caught.value.insurer == "x" and "in the wrong place" not in str(caught.value)


# --- Addresses --------------------------------------------------------------------------------------------------


def test_environment_chooses_the_addresses():
    test = AddressBook("x", connection(), KNOWN)
    production = AddressBook("x", connection(environment=Environment.PRODUCTION), KNOWN)
    assert test["token"] == "https://auth.test.example/idp/token"
    assert production["token"] == "https://auth.example/idp/token"
    assert (test.base(), production.base()) == ("https://auth.test.example:443", "https://auth.example:443")


def test_base_address_holds_every_path():
    book = AddressBook("x", connection("http://127.0.0.1:8070/x/"), ENDPOINTS)
    assert book.urls() == tuple(
        f"http://127.0.0.1:8070/x{path}" for path in ("/idp/token", "/covers/{id}", "/overdues")
    )
    assert book.base() == "http://127.0.0.1:8070/x"


def test_endpoint_without_an_address_has_to_be_entered():
    with pytest.raises(ConfigurationError, match="the address of overdue is not known: enter it"):
        AddressBook("x", connection(), ENDPOINTS)
    book = AddressBook("x", connection(addresses={"overdue": "https://api.example/own"}), ENDPOINTS)
    assert book["overdue"] == "https://api.example/own"


def test_path_of_an_endpoint_can_be_corrected_and_the_rest_stays():
    addresses = {"cover": " /v4/covers/{id} "}
    assert (
        AddressBook("x", connection(addresses=addresses), KNOWN)["cover"]
        == "https://api.test.example:443/v4/covers/{id}"
    )
    book = AddressBook("x", connection("https://gateway.example/in", addresses=addresses), KNOWN)
    assert book["cover"] == "https://gateway.example/in/v4/covers/{id}"


def test_empty_correction_is_none():
    assert AddressBook("x", connection(addresses={"token": "  "}), KNOWN)["token"] == KNOWN["token"].test


def test_endpoint_nobody_knows_is_named_with_those_there_are():
    with pytest.raises(ConfigurationError, match="no endpoint covers; there are: token, cover"):
        AddressBook("x", connection(addresses={"covers": "/x"}), KNOWN)


@pytest.mark.parametrize("value", ["../../admin", "a/b?c=d#e", "%2e%2e", "ü 1", "{id}"])
def test_value_is_one_segment_whatever_it_holds(value):
    from urllib.parse import unquote

    filled = AddressBook("x", connection(), KNOWN).fill("cover", id=value)
    before, _slash, segment = filled.rpartition("/")
    assert before == "https://api.test.example/v3/covers" and unquote(segment) == value
    assert not set("?#{}") & set(segment)


# --- Addresses of the machine at the other end --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://API.example/x", "https://api.example:443/y"),
        ("http://[::1]:80/x", "http://[::1]"),
        ("https://api.example:8443", "https://api.example:8443/a?b"),
    ],
)
def test_origin_is_the_same_however_it_is_written(url, same):
    assert origin(url) == origin(same)


@pytest.mark.parametrize(
    "other",
    [
        "http://api.example/x",
        "https://api.example:444",
        "https://api.example.evil.example",
        "https://api.example@evil.example",
        "https://evil.example#api.example",
        "https://user@api.example",
        "https://api.example:port",
        "//api.example",
    ],
)
def test_origin_of_another_machine_is_another(other):
    assert origin(other) != origin("https://api.example")


@pytest.mark.parametrize("url", ["https://api.example/v1/", " https://api.example/v1 "])
def test_base_address_ends_without_a_slash(url):
    assert checked_base_url("x", url, allow_http=False) == "https://api.example/v1"


@pytest.mark.parametrize("url", ["http://localhost:8070", "http://127.0.0.9", "http://[::1]:8070"])
def test_plain_http_is_for_this_machine(url):
    assert checked_base_url("x", url, allow_http=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://user:s3cret@api.example",
        "https://user:s3cret@api.example",
        "https://user:s3cret@[api",
        "https://api.example:99999",
        "https://api.example:port",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "https:///path",
        "https://api.example?key=s3cret",
        "javascript:alert(1)",
    ],
)
def test_unusable_address_is_refused_and_its_secrets_are_not_shown(url):
    with pytest.raises(ConfigurationError) as caught:
        checked_base_url("x", url, allow_http=False)
    assert "s3cret" not in str(caught.value) and caught.value.__cause__ is None
