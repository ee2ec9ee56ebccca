"""No secret is ever logged, raised, shown or recorded."""

import base64
import logging
import traceback
import urllib.parse
from decimal import Decimal

import pytest
from connectors_support import POLICY, QUICK, Rig, a_claim

from connectors import BuyerQuery, Connection, ConnectorError, Credentials, Hooks, MemoryTokenStore, connect
from connectors.jsondoc import decode
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
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_members_with_secret_names_lose_their_values(text, clean):
    assert Redactor({}).text(text) == clean


def test_secret_headers_lose_their_values():
    headers = {"Authorization": "Bearer x", "X-Api-Key": "y", "Atradius-App-Key": "z", "Set-Cookie": "s", "Accept": "a"}
    assert set(Redactor({}).headers(headers).values()) == {"***", "a"}
    assert Redactor({}).headers(headers)["Accept"] == "a"


def test_wrong_value_under_a_secret_name_is_not_quoted():
    with pytest.raises(ValueError, match=r"access_token: expected a text, got \*\*\*"):
        decode(b'{"access_token": ["abc"]}')["access_token"].text()
