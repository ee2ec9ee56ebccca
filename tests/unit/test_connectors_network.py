"""What failures of the network mean, over TLS too, and what one attempt leaves for the next."""

import datetime
import socket
import ssl
import threading
import traceback
from dataclasses import replace

import pytest
import requests
import urllib3
from connectors_support import QUICK, a_claim, rig

from connectors import (
    ConfigurationError,
    ConnectorError,
    Credentials,
    Hooks,
    RateLimited,
    Sent,
    TransportError,
    UnexpectedResponse,
    connect,
)
from connectors.calls import Call
from connectors.network import LONGEST_WAIT, is_set_up_wrong, retry_after
from connectors.redaction import Redactor
from connectors.transport import Transport

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{"half": '


@pytest.fixture
def net():
    with rig() as made:
        yield made


# --- What an attempt may have done, a later one does not undo -----------------------------------------------------


@pytest.mark.parametrize(
    "then",
    [
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 403},
        {"kind": "status", "status": 422},
        {"kind": "status", "status": 409},
        {"kind": "drop"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_answer_lost_and_then_a_clear_no_leaves_the_doubt(net, then):
    control = net.simulator.control
    control.fault("drop", when="after", path="/v1/claims", method="POST")
    control.fault(times=99, path="/v1/claims", method="POST", **then)
    with pytest.raises(ConnectorError) as caught, net.connect() as insurer:
        insurer.submit_claim(a_claim())
    assert len(control.claims()) == 1
    assert caught.value.may_have_acted


def test_answer_lost_and_then_no_connection_leaves_the_doubt(net):
    simulator = net.simulator
    simulator.control.fault("drop", when="after", path="/v1/claims", method="POST")
    hooks = Hooks(sleep=lambda _seconds: simulator._server.server_close())
    key = Credentials(api_key=simulator.api_key)
    with (
        connect("sandbox", base_url=simulator.url, credentials=key, hooks=hooks, options=QUICK) as insurer,
        pytest.raises(TransportError) as caught,
    ):
        insurer.submit_claim(a_claim())
    assert caught.value.sent is Sent.NO and caught.value.may_have_acted


def test_no_of_our_own_limiter_is_final_and_keeps_the_doubt(net):
    class Limiter:
        left = 2

        def acquire(self, operation: str) -> None:
            self.left -= 1
            if self.left < 0:
                raise RateLimited("enough", insurer="sandbox", retry_after=5.0)

    sleeps: list[float] = []
    hooks = Hooks(limiter=Limiter(), sleep=sleeps.append)
    net.simulator.control.fault("drop", when="after", path="/v1/claims", method="POST")
    key = Credentials(api_key=net.simulator.api_key)
    with (
        connect("sandbox", base_url=net.simulator.url, credentials=key, hooks=hooks, options=QUICK) as insurer,
        pytest.raises(RateLimited, match="enough") as caught,
    ):
        insurer.submit_claim(a_claim())
    assert len(sleeps) == 1, "only after the lost answer"
    assert caught.value.may_have_acted and caught.value.retry_after == 5.0


def test_no_of_our_own_limiter_alone_leaves_no_doubt(net):
    class Limiter:
        def acquire(self, operation: str) -> None:
            raise RateLimited("enough", insurer="sandbox", retry_after=5.0)

    sleeps: list[float] = []
    transport = Transport("x", net.simulator.url, Redactor({}), hooks=Hooks(limiter=Limiter(), sleep=sleeps.append))
    with pytest.raises(RateLimited) as caught:
        transport.send(Call(operation="x", method="GET", path="/v1/policies/x", repeatable=True))
    assert sleeps == [] and not caught.value.may_have_acted
    assert net.simulator.control.requests() == []


# --- TLS --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of this machine and its key, as the paths of two files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture
def tls_server(certificate):
    """A server that reads a request, answers with what is in the list, and cuts the connection without a farewell."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    answers: list[bytes] = []

    def serve():
        while True:
            try:
                plain, _address = listener.accept()
            except OSError:
                return
            try:
                secured = context.wrap_socket(plain, server_side=True)
                secured.recv(65536)
                if answers:
                    secured.send(answers.pop(0))
                secured.detach()
                plain.close()
            except OSError:
                plain.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://localhost:{listener.getsockname()[1]}", answers
    listener.close()


def call_over_tls(url, **options):
    transport = Transport("x", url, Redactor({}), options=replace(QUICK, attempts=1, **options))
    with pytest.raises(ConnectorError) as caught:
        transport.send(Call(operation="x", method="POST", path="/claims", body=b"{}"))
    return caught.value


def test_connection_cut_over_tls_is_a_failure_of_the_network_and_leaves_the_doubt(tls_server, certificate):
    """The claim may have arrived: taken for a wrong set-up, it would be sent again."""
    error = call_over_tls(tls_server[0], ca_bundle=certificate[0])
    assert type(error) is TransportError, error
    assert error.retryable and error.may_have_acted and error.sent is Sent.UNKNOWN


def test_answer_cut_over_tls_is_too(tls_server, certificate):
    url, answers = tls_server
    answers.append(ANSWER)
    error = call_over_tls(url, ca_bundle=certificate[0])
    assert type(error) is TransportError and error.may_have_acted


def test_certificate_nobody_vouches_for_is_a_wrong_set_up(tls_server):
    error = call_over_tls(tls_server[0])
    assert type(error) is ConfigurationError and "TLS failed" in error.message
    assert not error.retryable and not error.may_have_acted


def test_certificate_of_another_machine_is_a_wrong_set_up(tls_server, certificate):
    error = call_over_tls(tls_server[0].replace("localhost", "127.0.0.1"), ca_bundle=certificate[0])
    assert type(error) is ConfigurationError


@pytest.mark.parametrize(
    ("cause", "wrong"),
    [
        (ssl.SSLEOFError(8, "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"), False),
        (ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF)"), False),
        (ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"), True),
    ],
)
def test_only_what_a_person_has_to_correct_is_a_wrong_set_up(cause, wrong):
    """A connection that was kept open and is cut while a request is written fails in TLS, too."""
    reason = urllib3.exceptions.MaxRetryError(None, "/", urllib3.exceptions.SSLError(cause))
    assert is_set_up_wrong(requests.exceptions.SSLError(reason)) is wrong


@pytest.mark.parametrize("content", [None, b"no certificates"])
def test_bundle_that_is_none_is_a_wrong_set_up(tls_server, tmp_path, content):
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    error = call_over_tls(tls_server[0], ca_bundle=str(bundle))
    assert type(error) is ConfigurationError and not error.may_have_acted


# --- Headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["s3cret€key", "s3cret\nkey"])
def test_header_that_cannot_be_sent_is_a_wrong_set_up_and_not_quoted(net, value):
    transport = Transport("x", net.simulator.url, Redactor({}), options=QUICK)
    with pytest.raises(ConfigurationError, match="a header holds characters") as caught:
        transport.send(Call(operation="x", method="GET", path="/v1/x", headers={"Authorization": value}))
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert net.simulator.control.requests() == []


@pytest.mark.parametrize("identifier", ["..", ".", "../../oauth/token"])
def test_identifier_that_leads_to_another_operation_is_not_sent(net, identifier):
    transport = Transport("x", net.simulator.url, Redactor({}), options=QUICK)
    with pytest.raises(UnexpectedResponse, match="nothing was sent"):
        transport.send(Call(operation="x", method="GET", path=f"/v1/buyers/{identifier}"))
    assert net.simulator.control.requests() == []


NOW = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Sun, 99 Nov 2026 12:01:00 GMT", None),
        ("", None),
        (None, None),
        ("1000000000", LONGEST_WAIT),
        ("9" * 400, LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
    ],
)
def test_time_to_wait_is_read_in_both_forms(header, seconds):
    assert retry_after(header, NOW) == seconds
