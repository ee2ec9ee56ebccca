"""No secret is ever logged, raised, shown or recorded."""

import base64
import json
import logging
import traceback
import urllib.parse
from decimal import Decimal

import pytest
from connectors_support import POLICY, QUICK, Rig, a_claim
from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree

from connectors import BuyerQuery, Connection, ConnectorError, Credentials, Hooks, MemoryTokenStore, connect
from connectors.jsondoc import decode
from connectors.masking import SECRET_NAMES, _has_secret_name
from connectors.redaction import Redactor
from connectors.simulator import Simulator

KEY = 'k3y/"with+every%thing & ümlaut'
FORMS = [KEY, KEY.replace('"', '\\"'), urllib.parse.quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode()]


class SpyStore(MemoryTokenStore):
    """Remembers every token that was ever kept."""

    def __init__(self):
        super().__init__()
        self.values = []

    def put(self, key, token):
        assert KEY not in key
        self.values.append(token.value)
        super().put(key, token)


def everything_said(caplog, net, store):
    """All text that left the package during a visit with every call, well and badly answered."""
    said = []
    key = Credentials(api_key=KEY)
    hooks = Hooks(on_exchange=net.exchanges.append, sleep=net.sleeps.append)
    with connect(
        "sandbox",
        base_url=net.simulator.url,
        credentials=key,
        options=QUICK,
        hooks=hooks,
        token_store=store,
    ) as insurer:
        said += [repr(key), str(key), f"{key}", repr(insurer), repr(vars(insurer)), repr(Connection("x", key))]
        calls = [
            lambda: list(insurer.covers(POLICY)),
            lambda: insurer.grade("1006"),
            lambda: insurer.find_buyer(BuyerQuery("FR", name=KEY)),
            lambda: insurer.submit_claim(a_claim(KEY, str(Decimal("1.00")))),
            lambda: insurer.find_claim(a_claim("CLM/1")),
            lambda: insurer.policy_details(POLICY),
        ]
        for call in calls * 2:
            try:
                said.append(repr(call()) if call is calls[0] else "")
            except ConnectorError as error:
                said += [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    said += [repr(exchange) for exchange in net.exchanges]
    said.append(caplog.text)
    said += [repr(vars(record)) for record in caplog.records]
    return said


FAULTS = [
    {},
    {"kind": "status", "status": 500, "message": f"no {KEY}"},
    {"kind": "status", "status": 422, "message": f"no {KEY}"},
    {"kind": "status", "status": 401, "message": f"who is {KEY}?"},
    {"kind": "status", "status": 403, "message": "x" * 290 + KEY},
    {"kind": "drop", "when": "after"},
    {"kind": "truncate"},
    {"kind": "malformed"},
    {"kind": "replace", "field": "reference", "value": KEY},
    {"kind": "replace", "field": "total", "value": "x" * 280 + KEY},
    {"kind": "expire_tokens"},
]
AT_THE_DOOR = [
    {"kind": "replace", "field": "access_token", "value": ["tok-in-a-list"]},
    {"kind": "replace", "field": "access_token", "value": "tok-with\nnewline"},
    {"kind": "truncate"},
    {"kind": "malformed"},
    {"kind": "status", "status": 500, "message": f"{KEY}"},
]


@pytest.mark.parametrize("path", ["/v1/", "/v1/idp"])
@pytest.mark.parametrize("fault", FAULTS + AT_THE_DOOR, ids=lambda fault: str(fault)[:50])
def test_no_secret_is_ever_said(caplog, fault, path):
    caplog.set_level(logging.DEBUG)
    store = SpyStore()
    with Simulator(seed="demo", api_key=KEY) as simulator:
        net = Rig(simulator)
        applies = bool(fault) and (
            path == "/v1/idp" or fault.get("field") not in ("access_token", "reference", "total")
        )
        if applies:
            simulator.control.fault(path=path, skip=0 if path == "/v1/idp" else 1, times=6, **fault)
        said = "\n".join(everything_said(caplog, net, store))
        caplog.clear()
    for secret in FORMS + store.values + ["tok-in-a-list", "tok-with", KEY[:12]]:
        assert secret not in said
    assert "***" in said and "sandbox" in said


def test_credentials_hide_their_values_but_hand_them_out():
    credentials = Credentials(api_key="abc", app_key="")
    assert repr(credentials) == "Credentials(api_key=***)"
    assert dict(credentials) == {"api_key": "abc"}
    assert "abc" not in f"{credentials!s} {credentials!r} {Connection('u', credentials)}"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"access_token": "abc.def", "token_type": "Bearer"}', '{"access_token": "***", "token_type": "Bearer"}'),
        ('{"apiKey":"a\\"b"}', '{"apiKey":"***"}'),
        ('{"apiKey":"cut in the mid', '{"apiKey":"***"'),
        ('{"nextPageToken":"500","password": "p"}', '{"nextPageToken":"500","password": "***"}'),
        ('{"access_token": ["a", "b"], "n": 1}', '{"access_token": "***", "n": 1}'),
        ('{"token": {"value": "a"}, "secret": 12.5}', '{"token": "***", "secret": "***"}'),
        ('{"token": null, "n": {"apiKey": "a"}}', '{"token": null, "n": {"apiKey": "***"}}'),
        ('{"token": {"a": {"b": "x"}, "c": "y"}, "n": 1}', '{"token": "***", "n": 1}'),
        ('{"tokens": [["a"], "b"], "n": 1}', '{"tokens": "***", "n": 1}'),
        ('{"password": hunter2, "n": 1}', '{"password": "***", "n": 1}'),
        (r'{"in": "{\"password\": \"p\\\"q\", \"n\": 1}"}', r'{"in": "{\"password\": \"***\", \"n\": 1}"}'),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_members_with_secret_names_lose_their_values(text, clean):
    assert Redactor({}).text(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<a><b>1</b><password>p</password></a>", "<a><b>1</b><password>***</password></a>"),
        ('<w:Password Type="T">p</w:Password><n/>', "<w:Password>***</w:Password><n/>"),
        ("<apiKey><value>k</value></apiKey>", "<apiKey>***</apiKey>"),
        ("<token><token>a</token>b</token>c", "<token>***</token>c"),
        ("<token>a<token/>b</token>c", "<token>***</token>c"),
        ("<password><![CDATA[a</password>b]]></password>c", "<password>***</password>c"),
        ("<password><!-- </password> -->p</password>c", "<password>***</password>c"),
        ('<token value="t"/>c', "<token>***</token>c"),
        ("<token/>", "<token/>"),
        (
            "<login user=\"u\" password=\"p>q\" n='1' token = 't'/>",
            "<login user=\"u\" password=\"***\" n='1' token = '***'/>",
        ),
        ("<password>cut", "<password>***</password>"),
        ("<a><password>never closed</a>", "<a><password>***</password>"),
        ("<password p</password>c", "<password>***</password>c"),
        ('<a password="cut', '<a password="***"'),
        ("&lt;password&gt;p&lt;/password&gt;c", "&lt;password&gt;***&lt;/password&gt;c"),
        ("&lt;a token=&quot;t u&quot;/&gt;", "&lt;a token=&quot;***&quot;/&gt;"),
        (r'{"x": "<a token=\"t\" n=\"1\"/>"}', r'{"x": "<a token=\"***\" n=\"1\"/>"}'),
        (
            "<policyNo>1</policyNo><nextPageToken>5</nextPageToken>",
            "<policyNo>1</policyNo><nextPageToken>5</nextPageToken>",
        ),
        ("grant_type=password&username=u&password=p%20q", "grant_type=password&username=u&password=***"),
        ("user%5Bpassword%5D=p&n=1", "user%5Bpassword%5D=***&n=1"),
        ("GET https://x.example/a?api_key=k&n=1 HTTP", "GET https://x.example/a?api_key=***&n=1 HTTP"),
        ("https://me:pw@x.example/a", "https://***@x.example/a"),
        ("to=https%3A%2F%2Fx%3Ftoken%3Dt", "to=https%3A%2F%2Fx%3Ftoken%3D***"),
    ],
)
def test_secret_names_lose_their_values_in_every_notation(text, clean):
    assert Redactor({}).text(text) == clean == Redactor({}).text(clean)


# --- Properties -------------------------------------------------------------------------------------------------

MARK = "☃"  # in every secret and in nothing else
MARKS = (MARK, "\\u2603", "%E2%98%83", "&#9731;")
NAMES = st.sampled_from(["password", "apiKey", "access_token", "client_secret", "x-api-key", "Authorization", "pwd"])
PLAIN_NAMES = st.sampled_from(["policyNo", "name", "a", "nextPageToken", "token_type"])
# What XML can hold; nothing in it looks like a secret's name.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Ll", "Lu")), max_size=12)
SECRETS = st.tuples(TEXTS, TEXTS).map(MARK.join)


def _trees():
    leaves = st.tuples(PLAIN_NAMES, TEXTS) | st.tuples(NAMES, SECRETS)
    return st.lists(leaves | st.tuples(PLAIN_NAMES, st.lists(leaves, max_size=3)), min_size=1, max_size=5)


def _element(parent, name, value, as_attributes):
    if isinstance(value, list):
        child = etree.SubElement(parent, name)
        for inner in value:
            _element(child, *inner, as_attributes)
    elif as_attributes:
        etree.SubElement(parent, "entry").set(name, value)
    else:
        etree.SubElement(parent, name).text = value


def as_xml(tree, as_attributes):
    root = etree.Element("{urn:x}root", nsmap={"s": "urn:x"})
    for name, value in tree:
        _element(root, name, value, as_attributes)
    return etree.tostring(root, encoding="unicode")


def as_json(tree):
    return json.dumps([{name: dict(value) if isinstance(value, list) else value} for name, value in tree])


def as_form(tree):
    flat = [pair for name, value in tree for pair in (value if isinstance(value, list) else [(name, value)])]
    return urllib.parse.urlencode(flat)


WRITERS = {
    "elements": lambda tree: as_xml(tree, False),
    "attributes": lambda tree: as_xml(tree, True),
    "json": as_json,
    "form": as_form,
    "address": lambda tree: f"https://x.example/a?{as_form(tree)}",
    "xml in xml": lambda tree: as_xml([("name", as_xml(tree, False))], False),
    "xml in json": lambda tree: json.dumps({"text": as_xml(tree, True)}),
    "json in json": lambda tree: json.dumps({"text": as_json(tree)}),
}


def says_a_secret(text):
    return any(mark in text for mark in MARKS)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@given(tree=_trees(), cut=st.integers(0, 400), dropped=st.integers(0, 400))
def test_no_value_under_a_secret_name_survives_whatever_is_missing_at_the_end(write, tree, cut, dropped):
    whole = write(tree)
    for text in (whole, whole[:cut], whole[:-1], whole[: len(whole) - dropped]):
        clean = Redactor({}).text(text)
        assert not says_a_secret(clean)
        assert Redactor({}).text(clean) == clean


@given(
    tree=_trees(), place=st.integers(0, 600), noise=st.sampled_from(["<", "<b>", "</a>", "&", "]]>", "<!--", "{", "\n"])
)
def test_no_secret_element_survives_what_breaks_the_document(tree, place, noise):
    text = as_xml(tree, False)
    place = place % (len(text) + 1)
    # Within a name, or before it, nobody can tell any more that it is one.
    begun = [f"<{name[:length]}" for name in NAMES.elements for length in range(len(name) + 1)]
    assume(not text[:place].endswith(tuple(begun)))
    assert not says_a_secret(Redactor({}).text(text[:place] + noise + text[place:]))


@given(st.lists(st.tuples(PLAIN_NAMES, TEXTS), max_size=5))
def test_what_has_no_secret_name_stays_as_it_is(tree):
    for write in WRITERS.values():
        assert Redactor({}).text(write(tree)) == write(tree)


@given(SECRETS.filter(lambda secret: len(secret) > 2))
def test_known_secret_is_hidden_however_a_document_writes_it(secret):
    redactor = Redactor({"key": secret})
    tree = [("name", secret)]
    for text in [write(tree) for write in WRITERS.values() if write is not WRITERS["xml in xml"]] + [secret]:
        assert not says_a_secret(redactor.text(text))


PIECES = [
    *NAMES.elements,
    "Private-Key",
    "passphrase",
    "pa\u017f\u017fword",
    "nextPageToken",
    "token_type",
    "key",
    "pass",
    "x",
    " ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=4).map("".join))
def test_no_name_is_overlooked_by_the_quick_look(text):
    assert not SECRET_NAMES.search(text) or _has_secret_name(text)


def test_long_texts_are_searched_in_a_moment():
    for text in ("A" * 100_000 + " token", "<token>" * 5_000, '{"token":[' * 5_000, "password=" * 5_000):
        assert len(Redactor({}).text(text)) <= len(text) + 20


def test_secret_headers_lose_their_values():
    headers = {"Authorization": "Bearer x", "X-Api-Key": "y", "Atradius-App-Key": "z", "Set-Cookie": "s", "Accept": "a"}
    assert set(Redactor({}).headers(headers).values()) == {"***", "a"}
    assert Redactor({}).headers(headers)["Accept"] == "a"


def test_wrong_value_under_a_secret_name_is_not_quoted():
    with pytest.raises(ValueError, match=r"access_token: expected a text, got \*\*\*"):
        decode(b'{"access_token": ["abc"]}')["access_token"].text()
